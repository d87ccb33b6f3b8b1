/* The trained tables of the format as the generator writes them (generate_tables.py), and as packages hold them. */
#ifndef BFL_TABLES_DATA_H
#define BFL_TABLES_DATA_H

#include <stdint.h>

/* Statistics of one kind of component, docs/format.md#tables. */
typedef struct {
    const int32_t *hidden;      /* [8][units][features] */
    const int32_t *bias;        /* [64][units] */
    const int32_t *middle;      /* [8][middle_units][units]; null where there is one hidden layer */
    const int32_t *middle_bias; /* [8][middle_units] */
    const int32_t *output;      /* [8][middle_units or units] */
    const int32_t *offset;      /* [8] */
    const int32_t *shifts;      /* [3], or [2] without a middle layer */
    const int32_t *frequencies; /* [classes][80] */
    const int32_t *points;      /* [classes][3] */
    int32_t features;           /* 19, or 24 of extended networks */
    int32_t units, middle_units;
    int32_t classes;            /* 48, or 96 with two quantisers */
} bfl_mode_data;

typedef enum { BFL_FOLDED, BFL_BANDED, BFL_MODES } bfl_mode_number;

typedef struct {
    uint8_t identity[8];
    bfl_mode_data modes[BFL_MODES];
    const int32_t *side; /* [40][80] */
} bfl_tables_data;

extern const bfl_tables_data bfl_shipped_tables[];
extern const int32_t bfl_shipped_count;

typedef struct {
    uint8_t identity[4];
    const int32_t *frequencies; /* [80][80] */
    const int32_t *weights;     /* [10][8] */
    const int32_t *inverse;     /* [152]: of scales */
} bfl_refinement_data;

extern const bfl_refinement_data bfl_refinement_tables_data;

/* [127]: the smallest number that has each logarithm of the contexts, from 1 on. */
extern const uint32_t *const bfl_log_thresholds;

#endif
