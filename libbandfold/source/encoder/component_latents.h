/* Latents of sampled blocks, and what coding them saves: onboard/planning/component_latents.py. */
#ifndef BFL_COMPONENT_LATENTS_H
#define BFL_COMPONENT_LATENTS_H

#include "block_sample.h"
#include "planned_fold.h"

enum { BFL_BLOCKS_AT_ONCE = 96 };

/* One sampled block in so many, so that about `wanted` are left and fewer than twice as many. */
int64_t bfl_thinning(const bfl_block_sample *sample, int64_t wanted);

/* Fold and transform `count` blocks (at most BFL_BLOCKS_AT_ONCE), every `thinning`-th one from that of a number on:
 * latents are of shape [components][64][count].
 */
bandfold_status bfl_transform_blocks(bfl_workspace *workspace, const bfl_planned_fold *fold,
                                     const bfl_block_sample *sample, int64_t first, int64_t thinning, int64_t count,
                                     int32_t *latents);

/* What coding each component saves on some 256 blocks of a sample: squared error less what its bits are worth, in steps
 * squared.
 */
bandfold_status bfl_fold_gains(bfl_workspace *workspace, const bfl_planned_fold *fold, const bfl_block_sample *sample,
                               double step, double *gains);

#endif
