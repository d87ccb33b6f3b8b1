/* A new basis is worth its bytes where the one in use takes more for this strip than one of its own would. */

#include "stream_planner.h"

#include "rate_model.h"
#include "rotation_search.h"

enum { BLOCKS_TURNED = 400 };

static const double SHARE = 0.35, MOST_LEFT_OUT = 16.0, ROUNDED_VECTORS = 4.0;

/* Bytes that a fold and rotations take at most: integers of side information take eight bytes and fewer. */
static uint64_t most_bytes(const bfl_sensor *sensor)
{
    const uint64_t merged = (uint64_t)bfl_merged_components(sensor), firsts = (uint64_t)bfl_first_components(sensor);
    const uint64_t integers = 16 + (uint64_t)sensor->bands + 2 * (uint64_t)sensor->intervals + merged * (merged + 2) +
                              firsts + BFL_MOST_MATRICES * BFL_MOST_ROTATED * (BFL_MOST_ROTATED + 1);
    return 256 + 8 * integers;
}

bandfold_status bfl_begin_planning(bfl_workspace *workspace, const bfl_sensor *sensor, const bfl_tables *tables,
                                   const bfl_kernel_cosine *cosine, int most_rotated, bfl_stream_planner *planner)
{
    planner->sensor = sensor;
    planner->tables = tables;
    planner->most_rotated = most_rotated;
    BFL_TRY(bfl_make_planned_fold(workspace, sensor, cosine, &planner->fold));
    planner->sections.room = most_bytes(sensor);
    BFL_TAKE(planner->sections.data, workspace, BFL_LASTING, planner->sections.room);
    return BANDFOLD_OK;
}

/* Find rotations on the strongest components of sampled blocks. */
static bandfold_status find_rotations(bfl_workspace *workspace, const bfl_block_sample *sample, double step,
                                      bfl_stream_planner *planner)
{
    const bfl_block *mark = bfl_mark(workspace, BFL_SCRATCH);
    const bfl_planned_fold *fold = &planner->fold;
    const int64_t thinning = bfl_thinning(sample, BLOCKS_TURNED), blocks = (sample->count + thinning - 1) / thinning;
    const int64_t size = fold->components < BFL_MOST_ROTATED ? fold->components : BFL_MOST_ROTATED;
    double *strongest;
    int32_t *latents;
    planner->rotations.count = 0;
    if (fold->components < BFL_LEAST_ROTATED || fold->components > planner->most_rotated)
        return BANDFOLD_OK;
    BFL_TAKE(strongest, workspace, BFL_SCRATCH, (uint64_t)(size * BF_CHANNELS * blocks));
    BFL_TAKE(latents, workspace, BFL_SCRATCH, (uint64_t)fold->components * BF_CHANNELS * BFL_BLOCKS_AT_ONCE);
    for (int64_t first = 0; first < blocks; first += BFL_BLOCKS_AT_ONCE) {
        const int64_t count = blocks - first < BFL_BLOCKS_AT_ONCE ? blocks - first : BFL_BLOCKS_AT_ONCE;
        BFL_TRY(bfl_transform_blocks(workspace, fold, sample, first, thinning, count, latents));
        for (int64_t plane = 0; plane < size * BF_CHANNELS; plane++)
            for (int64_t b = 0; b < count; b++)
                strongest[plane * blocks + first + b] = latents[plane * count + b];
    }
    BFL_TRY(bfl_search_rotations(workspace, strongest, size, blocks, step, sample->pixels, &planner->rotations));
    bfl_release(workspace, BFL_SCRATCH, mark);
    return BANDFOLD_OK;
}

/* Fold and rotations as sections, kept to be repeated. */
static bandfold_status write_sections(bfl_workspace *workspace, bfl_stream_planner *planner)
{
    const bfl_block *mark = bfl_mark(workspace, BFL_SCRATCH);
    bandfold_bytes section;
    planner->sections.size = 0;
    BFL_TRY(bfl_write_fold(workspace, planner->tables, &planner->fold, planner->number, &section));
    bfl_put_bytes(&planner->sections, section.data, section.size);
    if (planner->rotations.count) {
        BFL_TRY(bfl_write_rotations(workspace, planner->tables, &planner->rotations, planner->number, &section));
        bfl_put_bytes(&planner->sections, section.data, section.size);
    }
    bfl_release(workspace, BFL_SCRATCH, mark);
    return planner->sections.full ? bfl_fail(workspace, BANDFOLD_FAULT, "a fold is longer than it can be")
                                  : BANDFOLD_OK;
}

bandfold_status bfl_renew(bfl_workspace *workspace, bfl_stream_planner *planner, const bfl_sensor_planner *folds,
                          double step, int again)
{
    BFL_TRY(bfl_plan_fold(workspace, folds, step, &planner->fold));
    BFL_TRY(find_rotations(workspace, folds->sample, step, planner));
    planner->next -= (uint64_t)(again != 0);
    planner->number = planner->next++;
    planner->planned = 1;
    planner->step = step;
    BFL_TRY(write_sections(workspace, planner));
    BFL_TRY(bfl_measure_mismatch(workspace, &planner->fold, folds->sample, step, &planner->mismatch));
    /* What even a fold made for a strip takes more than the best one: the same for any other. */
    planner->unavoidable = planner->mismatch.excess;
    return BANDFOLD_OK;
}

bandfold_status bfl_check_left_out(bfl_workspace *workspace, const bfl_stream_planner *planner, double step)
{
    if (planner->mismatch.left_out <= MOST_LEFT_OUT * step * step + ROUNDED_VECTORS)
        return BANDFOLD_OK;
    return bfl_fail(workspace, BANDFOLD_FAULT, "the plan leaves out what is worth its bits: use another package");
}

bandfold_status bfl_follow(bfl_workspace *workspace, bfl_stream_planner *planner, const bfl_held_strip *strip,
                           double step, int *renewed)
{
    const bfl_block *mark = bfl_mark(workspace, BFL_SCRATCH);
    bfl_block_sample sample;
    bfl_sensor_planner folds;
    BFL_TRY(bfl_sample_blocks(workspace, strip, &sample));
    BFL_TRY(bfl_measure_mismatch(workspace, &planner->fold, &sample, step, &planner->mismatch));
    const double saved = SHARE * (planner->mismatch.excess - planner->unavoidable) * (double)sample.pixels;
    *renewed = saved > 8.0 * (double)planner->sections.size;
    if (*renewed) {
        BFL_TRY(bfl_begin_sensor_plan(workspace, planner->sensor, &sample, &folds));
        BFL_TRY(bfl_renew(workspace, planner, &folds, step, 0));
    }
    bfl_release(workspace, BFL_SCRATCH, mark);
    return BANDFOLD_OK;
}
