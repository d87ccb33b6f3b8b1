/* A fixed step, a rate or a quality. */

#include "stream_control.h"

#include <math.h>

enum { STEP_UNIT = 256, STRIPS_AHEAD = 2 };

/* The square of the largest one is still a number. */
static const double PEAK = 65535.0, LARGEST_RMSE = 1e150;

bfl_stream_control bfl_make_control(const bandfold_settings *settings)
{
    bfl_stream_control control = {.code = bfl_step_code(settings->step)};
    if (settings->bits_per_sample > 0.0) {
        control.kind = BFL_LIMITED_RATE;
        control.rate.bucket =
            (bfl_leaky_bucket){.bps = settings->bits_per_sample, .buffer = (double)settings->buffer};
    } else if (settings->psnr > 0.0) {
        control.kind = BFL_FIXED_QUALITY;
        control.quality.mse = PEAK * PEAK / pow(10.0, settings->psnr / 10.0);
    } else if (settings->rmse > 0.0) {
        control.kind = BFL_FIXED_QUALITY;
        control.quality.mse = pow(settings->rmse < LARGEST_RMSE ? settings->rmse : LARGEST_RMSE, 2.0);
    }
    return control;
}

bandfold_status bfl_first_step(bfl_workspace *workspace, bfl_stream_control *control,
                               const bfl_sensor_planner *planner, double *step)
{
    if (control->kind == BFL_LIMITED_RATE)
        return bfl_step_for_bits(workspace, planner, 8.0 * STRIPS_AHEAD * bfl_bucket_aim(&control->rate.bucket), step);
    if (control->kind == BFL_FIXED_QUALITY)
        control->quality.step = bfl_step_for_error(control->quality.mse);
    *step = bfl_next_step(control);
    return BANDFOLD_OK;
}

double bfl_next_step(const bfl_stream_control *control)
{
    switch (control->kind) {
    case BFL_LIMITED_RATE:
        return control->rate.step;
    case BFL_FIXED_QUALITY:
        return control->quality.step;
    default:
        return (double)control->code / STEP_UNIT;
    }
}

bandfold_status bfl_control_strip(bfl_workspace *workspace, bfl_stream_control *control, bfl_strip_task *task,
                                  const bfl_counted_samples *counted, const bfl_strip_plan *plan, uint32_t *code,
                                  bfl_coded_segment *coded)
{
    switch (control->kind) {
    case BFL_LIMITED_RATE:
        BFL_TRY(bfl_prepare_weighing(workspace, task));
        return bfl_code_at_rate(workspace, &control->rate, task, plan->step, plan->overhead, code, coded);
    case BFL_FIXED_QUALITY:
        return bfl_code_at_quality(workspace, &control->quality, task, counted, plan->step, plan->left_out, code,
                                   coded);
    default:
        *code = control->code;
        return bfl_code_task(workspace, task, *code, coded);
    }
}
