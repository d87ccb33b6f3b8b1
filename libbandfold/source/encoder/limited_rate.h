/* The step of each strip where a rate is kept: onboard/rate/stream_control.py. */
#ifndef BFL_LIMITED_RATE_H
#define BFL_LIMITED_RATE_H

#include "leaky_bucket.h"
#include "step_estimate.h"
#include "strip_task.h"

typedef struct {
    bfl_leaky_bucket bucket;
    double step;  /* of the strip before, in counts; 0 at the beginning */
    double ratio; /* bytes for what a strip weighs; 0 where nothing is known yet */
} bfl_limited_rate;

/* Code a strip that was planned for a step, with `overhead` bytes of sections before it, so that it keeps the rate:
 * tells the code of the step that was taken. Chunks that there are no bytes for are left out.
 */
bandfold_status bfl_code_at_rate(bfl_workspace *workspace, bfl_limited_rate *rate, bfl_strip_task *task, double step,
                                 uint64_t overhead, uint32_t *code, bfl_coded_segment *coded);

#endif
