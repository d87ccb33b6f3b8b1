/* How badly a fold fits the lines that it has to code: onboard/planning/mismatch.py. */
#ifndef BFL_MISMATCH_H
#define BFL_MISMATCH_H

#include "block_sample.h"
#include "planned_fold.h"

typedef struct {
    double excess;   /* bits of a pixel more than under the best fold, by variances */
    double left_out; /* mean squared error per sample of what the fold leaves out, in counts squared */
} bfl_mismatch;

bandfold_status bfl_measure_mismatch(bfl_workspace *workspace, const bfl_planned_fold *fold,
                                     const bfl_block_sample *sample, double step, bfl_mismatch *mismatch);

#endif
