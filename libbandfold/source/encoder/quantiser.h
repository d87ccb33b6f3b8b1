/* Quantisation of latents at the least rate-distortion cost: onboard/quantisation/. */
#ifndef BFL_QUANTISER_H
#define BFL_QUANTISER_H

#include "tables.h"

/* What levels of folded components cost under the tables of a stream. */
typedef struct {
    const bfl_mode *mode;
    double *thresholds; /* [classes of the network][17]: where a magnitude costs as much as the one below it */
    float *bits;        /* [2][classes of the network][18]; null where there is one quantiser */
    float *below, *small;
    int searches;       /* for the best path through the trellis */
} bfl_quantiser;

/* Find the costs, in lasting memory. */
bandfold_status bfl_make_quantiser(bfl_workspace *workspace, const bfl_tables *tables, int searches,
                                   bfl_quantiser *quantiser);

/* Latents of a strip, [components][64][rows][columns]. */
typedef struct {
    int32_t *values;
    int64_t components, rows, columns;
} bfl_latents;

/* Quantise them: levels and their classes are of shape [64][components][rows][columns]. */
bandfold_status bfl_quantise(bfl_workspace *workspace, const bfl_quantiser *quantiser, const bfl_latents *latents,
                             double step, int32_t *levels, uint8_t *classes);

/* Reconstruction point of a magnitude in a class, in steps. */
double bfl_reconstruction_point(const bfl_mode *mode, int32_t kind, int64_t magnitude);

/* Compare levels with the latents that they stand for, in some columns of blocks: others in each strip. */
bandfold_status bfl_check_levels(bfl_workspace *workspace, const bfl_quantiser *quantiser, const bfl_latents *latents,
                                 const int32_t *levels, const uint8_t *classes, double step, uint64_t strip);

#endif
