/* The squared error of a strip from its latents, of the samples that count: onboard/coding/strip_error.py. */
#ifndef BFL_STRIP_ERROR_H
#define BFL_STRIP_ERROR_H

#include "strip_task.h"

/* Which samples of a strip count: all but those without data. */
typedef struct {
    double *weights;  /* [blocks][64]: share of the bands with samples that count in each pixel of a block */
    uint8_t *whole;   /* [blocks]: whether all weights of a block are 1 */
    int64_t cut;      /* blocks that are not whole */
    uint64_t samples; /* that count */
    double by_lines;  /* by how much more is left out of lines that hold something than of all of them, ... */
    double by_bands;  /* ... and of bands */
} bfl_counted_samples;

/* Find them, in scratch memory; `absent` may be null. */
bandfold_status bfl_count_samples(bfl_workspace *workspace, const bfl_held_strip *strip, const uint8_t *absent,
                                  bfl_counted_samples *counted);

/* Sum of their squared errors, in counts squared, as a task was coded last. */
double bfl_squared_error(const bfl_strip_task *task, const bfl_counted_samples *counted);

#endif
