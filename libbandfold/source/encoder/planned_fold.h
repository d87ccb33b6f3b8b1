/* A fold that is planned from the package of a sensor: what it takes (bitstream/transforms/selection.py), and what
 * follows from that (bitstream/transforms/klt.py).
 */
#ifndef BFL_PLANNED_FOLD_H
#define BFL_PLANNED_FOLD_H

#include "sensor_basis.h"

#include "encoding.h"

/* The matrix that turns columns of the second fold of a sensor into components. */
typedef struct {
    int64_t width, count;
    int64_t *codes;      /* [width][count]: column k in units of 2**-precisions[k] */
    int64_t *precisions; /* [count] */
    int64_t *shifts;     /* [width]: codes of a row are multiples of two to this power */
} bfl_turn;

typedef struct {
    const bfl_sensor *sensor;
    int64_t *means, mean_shift; /* [bands], in units of 1/64 of a count; multiples of two to this power */
    int64_t *rows;              /* [intervals]: merged components of each that are used, from the first on */
    bfl_turn turn;
    int64_t *other_counts;      /* [intervals]: components beyond those that are coded as they are */
    int64_t *others;            /* their places in their intervals, rising, interval after interval */

    /* What `bfl_complete_fold` finds. */
    int64_t merged, outside, components; /* used by the second fold; not used by it; that are coded */
    double *second;                      /* [turn.count][merged]: orthonormal rows */
    int64_t *outside_intervals;          /* [outside]: interval and vector of each, in the order of components */
    int64_t *outside_vectors;
    int64_t *outside_numbers;            /* [outside]: which of `others` it is */
    bf_fold kernel;                      /* the same for the kernel, its arrays in the memory of this fold */
    int32_t *ends, *counts, *inside, *left;
    double *centres, *first, *second_integers;
} bfl_planned_fold;

/* The cosine transform as the kernel takes it. */
typedef struct {
    double cosines[4 * 16 * 16];
    int32_t channels[4 * 16];
} bfl_kernel_cosine;

void bfl_make_kernel_cosine(bfl_kernel_cosine *cosine);

/* Lasting memory for any fold that a package allows. */
bandfold_status bfl_make_planned_fold(bfl_workspace *workspace, const bfl_sensor *sensor,
                                      const bfl_kernel_cosine *cosine, bfl_planned_fold *fold);

/* Components of the first fold of a sensor; and those that its second fold takes. */
int64_t bfl_first_components(const bfl_sensor *sensor);
int64_t bfl_merged_components(const bfl_sensor *sensor);

/* The columns of the second fold that a selection combines, turned by a matrix and made orthonormal: rows of
 * [turn.count][sum of rows].
 */
bandfold_status bfl_turn_columns(bfl_workspace *workspace, const bfl_sensor *sensor, const int64_t *rows,
                                 const bfl_turn *turn, double *second);

/* Find what follows from means, rows, turn and others. */
bandfold_status bfl_complete_fold(bfl_workspace *workspace, bfl_planned_fold *fold);

#endif
