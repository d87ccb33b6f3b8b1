/* Some lines at a time: blocks at their edges are filled by mirroring what is there of them. */

#include "strip_analysis.h"

#include "rate_model.h"

enum { LINES_AT_ONCE = 16 };

bandfold_status bfl_analyse_strip(bfl_workspace *workspace, const bfl_planned_fold *fold, const bfl_held_strip *strip,
                                  bfl_latents *latents)
{
    const int64_t rows = bfl_blocks_of(strip->lines), across = bfl_blocks_of(strip->width), positions = rows * across;
    *latents = (bfl_latents){.components = fold->components, .rows = rows, .columns = across};
    BFL_TAKE(latents->values, workspace, BFL_SCRATCH,
             bfl_product(bfl_product((uint64_t)fold->components, BF_CHANNELS), (uint64_t)positions));
    const bfl_block *mark = bfl_mark(workspace, BFL_SCRATCH);
    int64_t lines[LINES_AT_ONCE], *columns;
    double *memory;
    int32_t failed = 0;
    BFL_TAKE(columns, workspace, BFL_SCRATCH, (uint64_t)(across * BFL_SIDE));
    BFL_TAKE(memory, workspace, BFL_SCRATCH, (uint64_t)bf_analysis_memory(&fold->kernel));
    for (int64_t x = 0; x < across * BFL_SIDE; x++)
        columns[x] = bfl_mirrored(x, strip->width);
    for (int64_t start = 0; start < strip->lines; start += LINES_AT_ONCE) {
        const int64_t left = strip->lines - start, height = left < LINES_AT_ONCE ? left : LINES_AT_ONCE;
        const int64_t down = bfl_blocks_of(height);
        for (int64_t y = 0; y < down * BFL_SIDE; y++)
            lines[y] = start + bfl_mirrored(y, height);
        failed |= bf_analyse(&fold->kernel, strip->samples, (int32_t)strip->type, strip->room * strip->width,
                             strip->width, 1, lines, columns, (int32_t)down, (int32_t)across,
                             latents->values + start / BFL_SIDE * across, BF_CHANNELS * positions, positions, memory);
    }
    bfl_release(workspace, BFL_SCRATCH, mark);
    return failed ? bfl_refuse_large_latents(workspace) : BANDFOLD_OK;
}
