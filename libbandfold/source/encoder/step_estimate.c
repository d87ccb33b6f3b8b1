/* Operations and their order are those of `step_for_bits` of onboard/rate_model.py. */

#include "step_estimate.h"

#include "exact_math.h"
#include "exact_sum.h"

#include <math.h>

enum { HALVINGS = 30, CORRECTIONS = 8, STEP_UNIT = 256, LEAST_CODE = 16, MOST_CODE = 1 << 28 };

static const double FACTOR = 12.0, FINEST = -4.0, COARSEST = 20.0;

/* By how many octaves the step of a rate is coarser than variances say, at logarithms of bits per sample. */
static const double GUESS_CORRECTIONS[CORRECTIONS][2] = {
    {-5.6, -0.65}, {-4.3, -0.35}, {-3.3, 0.0}, {-2.0, 0.25}, {-1.0, 0.38}, {0.0, 0.62}, {1.0, 1.1}, {2.0, 2.58},
};

/* Linear between corrections, flat beyond. */
static double correction(double rate)
{
    const double *before = GUESS_CORRECTIONS[0];
    for (int n = 0; n < CORRECTIONS; n++) {
        const double *here = GUESS_CORRECTIONS[n];
        if (rate < here[0] && here[0] == before[0])
            return here[1];
        if (rate < here[0])
            return before[1] + (here[1] - before[1]) * (rate - before[0]) / (here[0] - before[0]);
        before = here;
    }
    return before[1];
}

/* Variances of the components that a fold of everything would have; returns how many. */
static int64_t all_variances(const bfl_sensor_planner *planner, double *variances)
{
    const bfl_sensor *sensor = planner->sensor;
    const double *own = planner->variances;
    int64_t count = 0;
    for (int64_t k = 0; k < sensor->second.count; k++)
        variances[count++] = planner->values[k];
    for (int64_t i = 0; i < sensor->intervals; own += sensor->first[i++].count)
        for (int64_t k = sensor->merged[i]; k < sensor->first[i].count; k++)
            variances[count++] = own[k];
    return count;
}

bandfold_status bfl_step_for_bits(bfl_workspace *workspace, const bfl_sensor_planner *planner, double bits,
                                  double *step)
{
    const bfl_block *mark = bfl_mark(workspace, BFL_SCRATCH);
    const uint64_t room = (uint64_t)(bfl_first_components(planner->sensor) + planner->sensor->second.count);
    const double pixels = (double)planner->sample->pixels;
    double low = FINEST, high = COARSEST, *variances, *rates;
    BFL_TAKE(variances, workspace, BFL_SCRATCH, room);
    BFL_TAKE(rates, workspace, BFL_SCRATCH, room);
    const int64_t count = all_variances(planner, variances);
    for (int n = 0; n < HALVINGS; n++) {
        const double middle = (low + high) / 2, square = bfl_exp2(2 * middle);
        for (int64_t k = 0; k < count; k++) {
            const double ratio = (variances[k] > 0.0 ? variances[k] : 0.0) / square;
            rates[k] = bfl_log2(1.0 + FACTOR * sqrt(ratio) * ratio / (1.0 + ratio)) / 2;
        }
        if (bf_sum_exactly(rates, count) * pixels > bits)
            low = middle;
        else
            high = middle;
    }
    const double rate = bits / (pixels * (double)planner->sample->bands);
    *step = bfl_exp2((low + high) / 2) * bfl_exp2(correction(bfl_log2_of(rate)));
    bfl_release(workspace, BFL_SCRATCH, mark);
    return BANDFOLD_OK;
}

uint32_t bfl_step_code(double step)
{
    const double code = rint(step * STEP_UNIT);
    return code < LEAST_CODE ? LEAST_CODE : code > MOST_CODE ? MOST_CODE : (uint32_t)code;
}
