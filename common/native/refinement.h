/* Decoding of refinements for C that calls it: see refinement_base.c, refinement_planes.c and refinement_symbols.c. */
#ifndef BANDFOLD_REFINEMENT_H
#define BANDFOLD_REFINEMENT_H

#include "kernels.h"

/* Tables of refinement. */
typedef struct {
    const uint32_t *starts;     /* [classes][81]: the last one is 2**24 */
    const uint8_t *guess;       /* [classes][4096]: first token that a state with these top bits may be */
    const int32_t *weights;     /* [groups][8] */
    const int32_t *logarithms;  /* [4096] */
    const int32_t *inverse;     /* of scales */
    int32_t classes;
} bf_refinement;

/* A payload that is being read. */
typedef struct {
    const bf_refinement *tables;
    const uint32_t *words;      /* one more than there are */
    int64_t word_count;
    const uint8_t *bits;        /* eight more bytes than there are */
    int64_t byte_count;
    uint64_t *states;           /* [4] */
    int64_t next_word, next_bit;
} bf_refinement_reader;

/* What is known of the bands before one that is coded. */
typedef struct {
    uint8_t *planes;            /* [2][lines][samples]: normalised magnitudes of the band and of that before */
    uint16_t *averages;         /* [lines][samples]: over the bands before */
    int32_t *scratch;           /* 6 rows with margins */
    int32_t lines, samples;
    int32_t current;            /* plane of the band that is coded */
} bf_refinement_past;

/* What a band is predicted from. */
typedef struct {
    int32_t *base;          /* [pixels]: of the band */
    int32_t *planes;        /* [11][pixels] */
    int64_t *slots;         /* [11]: planes that are weighted */
    int32_t *weights;       /* [11] */
    int64_t pixels, constant;
    int32_t count;          /* weights */
} bf_refinement_references;

void bf_refinement_counts(const double *planes, const double *means, const double *limits, double unit, int32_t bands,
                          int32_t lines, int32_t across, int32_t samples, uint16_t *counts, int64_t stride);
void bf_refinement_predict(const bf_refinement_references *references, const int64_t *limits, int64_t pixels,
                           int32_t *predicted);
void bf_refinement_decode(const bf_refinement_references *references, const int32_t *quantised, int64_t pixels,
                          const int64_t *limits, int32_t *refined, int32_t *difference);
int32_t bf_refinement_read_numbers(bf_refinement_reader *reader, int32_t kind, int32_t raw, int64_t count,
                                   int32_t *numbers);
int32_t bf_refinement_read_band(bf_refinement_reader *reader, const bf_refinement_past *past, int32_t scale,
                                const uint8_t *absent, int32_t lines, int32_t samples, int32_t *numbers);

#endif
