/* A strip may be coded several times, its latents stay as they are. */

#include "strip_task.h"

#include "exact_math.h"
#include "rate_model.h"

#include "encoding.h"

enum { COLUMNS_WEIGHED = 4, BITS_UNIT = 256 };

static const double STEEPNESS = 1.4;

bandfold_status bfl_prepare_weighing(bfl_workspace *workspace, bfl_strip_task *task)
{
    const bfl_latents *latents = &task->latents;
    const int64_t lines = latents->components * BF_CHANNELS * latents->rows;
    const int64_t taken = (latents->columns + COLUMNS_WEIGHED - 1) / COLUMNS_WEIGHED;
    BFL_TAKE(task->weighed, workspace, BFL_SCRATCH, (uint64_t)(lines * taken));
    task->weighed_count = lines * taken;
    for (int64_t line = 0; line < lines; line++)
        for (int64_t n = 0; n < taken; n++)
            task->weighed[line * taken + n] = latents->values[line * latents->columns + n * COLUMNS_WEIGHED];
    return BANDFOLD_OK;
}

double bfl_weigh_strip(const bfl_strip_task *task, double step)
{
    int64_t totals[2];
    bf_cost(task->weighed, task->weighed_count, (float)bfl_bits_scale(step), 1.0 / (step * BFL_FRACTION), totals);
    const double weight = (double)totals[0] / BITS_UNIT;
    return weight > 0.0 ? bfl_exp2(STEEPNESS * bfl_log2_of(weight)) : 0.0;
}

bandfold_status bfl_code_task(bfl_workspace *workspace, bfl_strip_task *task, uint32_t step_code,
                              bfl_coded_segment *coded)
{
    const bfl_latents *latents = &task->latents;
    const uint64_t count = bfl_product((uint64_t)latents->components * BF_CHANNELS,
                                       (uint64_t)(latents->rows * latents->columns));
    const double step = (double)step_code / 256.0;
    bfl_segment_content *content = &task->content;
    int32_t *levels;
    uint8_t *classes;
    BFL_TAKE(levels, workspace, BFL_SCRATCH, count);
    BFL_TAKE(classes, workspace, BFL_SCRATCH, count);
    BFL_TRY(bfl_quantise(workspace, task->quantiser, latents, step, levels, classes));
    BFL_TRY(bfl_check_levels(workspace, task->quantiser, latents, levels, classes, step, content->place.index));
    content->place.step_code = step_code == task->header_code ? 0 : step_code;
    content->step_code = step_code;
    content->levels = levels;
    content->classes = classes;
    return bfl_code_segment(workspace, task->tables, content, coded);
}
