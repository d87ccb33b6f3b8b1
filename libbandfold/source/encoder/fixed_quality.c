/* Steps follow the slope of the error until it is met, or the last one is reached. */

#include "fixed_quality.h"

#include "exact_math.h"
#include "step_estimate.h"

#include <math.h>

enum { MOST_CODINGS = 5, STEP_UNIT = 256, KNOTS = 9 };

static const double ERROR_SLOPE = 1.4, QUALITY_RANGE = 0.06, STILL_BETTER = 1.0, LEAST_GAIN = 0.25, ALL_EXACT = 2e-4;

double bfl_step_for_error(double mse)
{
    const double finest = 1.0 / 1024, coarsest = 1 << 20, step = bfl_exp2(bfl_log2_of(12.0 * mse) / 2 + 0.5);
    return step < finest ? finest : step > coarsest ? coarsest : step;
}

/* Mean squared error after samples are rounded to integers: onboard/quality.py. */
static double rounded_error(double mse)
{
    static const double BEFORE[KNOTS] = {0.0, 0.02, 0.03, 0.05, 0.075, 0.1, 0.15, 0.2, 0.25};
    static const double AFTER[KNOTS] = {0.0, 0.0004, 0.0039, 0.0253, 0.0679, 0.1139, 0.1967, 0.2651, 0.3254};
    int place = 0;
    if (!(mse < BEFORE[KNOTS - 1]))
        return mse + 1.0 / 12;
    while (mse >= BEFORE[place + 1])
        place++;
    const double slope = (AFTER[place + 1] - AFTER[place]) / (BEFORE[place + 1] - BEFORE[place]);
    return slope * ((mse > 0.0 ? mse : 0.0) - BEFORE[place]) + AFTER[place];
}

/* The step in the middle of two, by their logarithms: math.isqrt. */
static uint32_t between(uint32_t fine, uint32_t coarse)
{
    const uint64_t product = (uint64_t)fine * coarse;
    uint64_t root = (uint64_t)sqrt((double)product);
    while (root * root > product)
        root--;
    while ((root + 1) * (root + 1) <= product)
        root++;
    return (uint32_t)root;
}

bandfold_status bfl_code_at_quality(bfl_workspace *workspace, bfl_fixed_quality *quality, bfl_strip_task *task,
                                    const bfl_counted_samples *counted, double step, double left_out, uint32_t *code,
                                    bfl_coded_segment *coded)
{
    const bfl_block *mark = bfl_mark(workspace, BFL_SCRATCH);
    double away = 0.0, last = 0.0;
    uint32_t before = bfl_step_code(step), met = 0, missed = 0;
    *code = before;
    for (int turn = 0; turn < MOST_CODINGS; turn++) {
        bfl_release(workspace, BFL_SCRATCH, mark);
        BFL_TRY(bfl_code_task(workspace, task, *code, coded));
        double found = 0.0;
        if (counted->samples)
            found = rounded_error(left_out * counted->by_lines * counted->by_bands +
                                  bfl_squared_error(task, counted) / (double)counted->samples);
        if (found < ALL_EXACT)
            found = 0.0;
        away = bfl_log2_of(quality->mse / (found > 1e-9 ? found : 1e-9));
        if (*code > before && away > STILL_BETTER && last - away < LEAST_GAIN) {
            /* Nothing is left to lose but the means of bands, whose error is not measured. */
            bfl_release(workspace, BFL_SCRATCH, mark);
            *code = before;
            return bfl_code_task(workspace, task, *code, coded);
        }
        before = *code;
        last = away;
        if (fabs(away) <= QUALITY_RANGE || turn == MOST_CODINGS - 1)
            break;
        const double move = away / ERROR_SLOPE, octaves = move < -1.0 ? -1.0 : move > 1.0 ? 1.0 : move;
        uint32_t following = bfl_step_code((double)*code / STEP_UNIT * bfl_exp2(octaves));
        if (away > 0.0 ? *code > met : missed == 0 || *code < missed)
            *(away > 0.0 ? &met : &missed) = *code;
        if (met && met < missed && !(met < following && following < missed))
            following = between(met, missed);
        if (following == *code || following == met || following == missed)
            break;
        *code = following;
    }
    if (away < -QUALITY_RANGE && met) {
        bfl_release(workspace, BFL_SCRATCH, mark);
        *code = met;
        BFL_TRY(bfl_code_task(workspace, task, *code, coded));
    }
    /* Where hardly anything is lost however coarse the step is, it says nothing of the strips behind. */
    if (away <= STILL_BETTER)
        quality->step = (double)*code / STEP_UNIT;
    return BANDFOLD_OK;
}
