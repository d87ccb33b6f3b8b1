/* The step of each strip where a squared error is to be met: onboard/rate/stream_control.py. */
#ifndef BFL_FIXED_QUALITY_H
#define BFL_FIXED_QUALITY_H

#include "strip_error.h"

typedef struct {
    double mse;  /* per sample, in counts squared */
    double step; /* of the strip before, in counts */
} bfl_fixed_quality;

/* A step, in counts, at which lines have about that error. */
double bfl_step_for_error(double mse);

/* Code a strip that was planned for a step, so that its error is met; `left_out` is the mean squared error of what the
 * fold leaves out. Tells the code of the step that was taken.
 */
bandfold_status bfl_code_at_quality(bfl_workspace *workspace, bfl_fixed_quality *quality, bfl_strip_task *task,
                                    const bfl_counted_samples *counted, double step, double left_out, uint32_t *code,
                                    bfl_coded_segment *coded);

#endif
