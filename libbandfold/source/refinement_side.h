/* What a refinement tells of the bands of a strip before their samples, docs/format.md#side-information. */
#ifndef BFL_REFINEMENT_SIDE_H
#define BFL_REFINEMENT_SIDE_H

#include "refinement_reader.h"

enum { BFL_MOST_BEFORE = 8, BFL_AROUND = 3 };

/* What is told of a band. */
typedef struct {
    int32_t scale;      /* -1: nothing is coded of it */
    int64_t offset;     /* in sixteenths */
    int32_t weights[BFL_MOST_BEFORE], around[BFL_AROUND]; /* in units of 2**-18 */
    int64_t count;      /* weights */
    uint8_t bent;       /* whether the bases around it are looked at */
    int32_t *values;    /* values that it uses, rising; null where these are not told */
    int64_t value_count;
} bfl_band_side;

typedef enum { BFL_ONE_LIMIT, BFL_LIMITS_OF_BANDS, BFL_RELATIVE, BFL_ONE_WORD, BFL_TWO_WORDS } bfl_bound_kind;

/* The limits. */
typedef struct {
    bfl_bound_kind kind;
    int64_t *limits;       /* [bands] */
    int64_t share, least;  /* of a relative one: 1/65536 of a sample, and the floor */
} bfl_error_bound;

/* Read the limits, which come first, of a strip of so many bands: of words their number is not known before. */
bandfold_status bfl_read_bound(bfl_refinement_reader *reader, uint64_t bands, bfl_error_bound *bound);

/* Read all that follows, of so many bands (or words) of so many pixels with values in a range. */
bandfold_status bfl_read_sides(bfl_refinement_reader *reader, uint64_t bands, uint64_t pixels, int64_t lowest,
                               int64_t highest, bfl_band_side **sides);

#endif
