/* Blocks are transformed some at a time: gains are sums of integers, which have no order. */

#include "component_latents.h"

#include "rate_model.h"

#include <string.h>

enum { FEW_BLOCKS = 256, GAIN_UNIT = 256 };

int64_t bfl_thinning(const bfl_block_sample *sample, int64_t wanted)
{
    return sample->count > wanted ? sample->count / wanted : 1;
}

bandfold_status bfl_transform_blocks(bfl_workspace *workspace, const bfl_planned_fold *fold,
                                     const bfl_block_sample *sample, int64_t first, int64_t thinning, int64_t count,
                                     int32_t *latents)
{
    const bfl_block *mark = bfl_mark(workspace, BFL_SCRATCH);
    int64_t lines[BFL_SIDE], columns[BFL_BLOCKS_AT_ONCE * BFL_SIDE];
    double *memory;
    BFL_TAKE(memory, workspace, BFL_SCRATCH, (uint64_t)bf_analysis_memory(&fold->kernel));
    /* A line begins 8 samples behind the one before, a block 64 behind its neighbour. */
    for (int64_t y = 0; y < BFL_SIDE; y++)
        lines[y] = y;
    for (int64_t b = 0; b < count; b++)
        for (int64_t x = 0; x < BFL_SIDE; x++)
            columns[b * BFL_SIDE + x] = (first + b) * thinning * BFL_PIXELS_OF_BLOCK + x;
    const int32_t failed =
        bf_analyse(&fold->kernel, sample->blocks, (int32_t)sample->type, sample->count * BFL_PIXELS_OF_BLOCK, BFL_SIDE,
                   1, lines, columns, 1, (int32_t)count, latents, BF_CHANNELS * count, count, memory);
    bfl_release(workspace, BFL_SCRATCH, mark);
    return failed ? bfl_refuse_large_latents(workspace) : BANDFOLD_OK;
}

bandfold_status bfl_fold_gains(bfl_workspace *workspace, const bfl_planned_fold *fold, const bfl_block_sample *sample,
                               double step, double *gains)
{
    const bfl_block *mark = bfl_mark(workspace, BFL_SCRATCH);
    const int64_t thinning = bfl_thinning(sample, FEW_BLOCKS), few = (sample->count + thinning - 1) / thinning;
    int32_t *latents;
    double *found;
    BFL_TAKE(latents, workspace, BFL_SCRATCH, (uint64_t)fold->components * BF_CHANNELS * BFL_BLOCKS_AT_ONCE);
    BFL_TAKE(found, workspace, BFL_SCRATCH, (uint64_t)fold->components);
    memset(gains, 0, (size_t)fold->components * sizeof *gains);
    for (int64_t first = 0; first < few; first += BFL_BLOCKS_AT_ONCE) {
        const int64_t count = few - first < BFL_BLOCKS_AT_ONCE ? few - first : BFL_BLOCKS_AT_ONCE;
        BFL_TRY(bfl_transform_blocks(workspace, fold, sample, first, thinning, count, latents));
        bfl_latent_gains(latents, fold->components, BF_CHANNELS * count, step, found);
        for (int64_t k = 0; k < fold->components; k++)
            gains[k] += found[k];
    }
    for (int64_t k = 0; k < fold->components; k++)
        gains[k] /= GAIN_UNIT;
    bfl_release(workspace, BFL_SCRATCH, mark);
    return BANDFOLD_OK;
}
