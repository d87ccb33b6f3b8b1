/* Every operation and its order is that of onboard/planning/sensor_planner.py. */

#include "sensor_planner.h"

#include "exact_math.h"
#include "rate_model.h"
#include "vectors.h"

#include "linear.h"

#include <math.h>

enum { MOST_TURN_SHIFT = 20, FINEST = 16 };

static const double FIRST_THRESHOLD = 0.05, SECOND_THRESHOLD = 0.1, LEAST_GAIN = 0.001, LEAST_ENERGY = 0.02,
                    PLACE_BITS = 1.0;

/* Covariances of the components of the first fold: [firsts][firsts]. Vectors are zero outside their intervals, and sums
 * without zeros have the same bits.
 */
static bandfold_status cross_covariances(bfl_workspace *workspace, const bfl_sensor *sensor, const double *covariances,
                                         double *across)
{
    const int64_t bands = sensor->bands, firsts = bfl_first_components(sensor);
    const bfl_block *mark = bfl_mark(workspace, BFL_SCRATCH);
    double *half;
    BFL_TAKE(half, workspace, BFL_SCRATCH, (uint64_t)bands * (uint64_t)firsts);
    int64_t start = 0, place = 0;
    for (int64_t i = 0; i < sensor->intervals; start = sensor->ends[i++]) {
        const bfl_sensor_vectors *vectors = &sensor->first[i];
        for (int64_t k = 0; k < vectors->count; k++, place++)
            for (int64_t band = 0; band < bands; band++) {
                double sum = 0.0;
                for (int64_t n = 0; n < vectors->length; n++)
                    sum += covariances[band * bands + start + n] * vectors->rows[k * vectors->length + n];
                half[band * firsts + place] = sum;
            }
    }
    start = place = 0;
    for (int64_t i = 0; i < sensor->intervals; start = sensor->ends[i++]) {
        const bfl_sensor_vectors *vectors = &sensor->first[i];
        for (int64_t k = 0; k < vectors->count; k++, place++) {
            double *restrict row = across + place * firsts;
            for (int64_t n = 0; n < vectors->length; n++) {
                const double factor = vectors->rows[k * vectors->length + n];
                const double *from = half + (start + n) * firsts;
                for (int64_t m = 0; m < firsts; m++)
                    row[m] += factor * from[m];
            }
        }
    }
    bfl_release(workspace, BFL_SCRATCH, mark);
    return BANDFOLD_OK;
}

/* Covariances of those that are merged, under the columns of the second fold; then their own vectors. */
static bandfold_status find_vectors(bfl_workspace *workspace, const double *across, bfl_sensor_planner *planner)
{
    const bfl_sensor *sensor = planner->sensor;
    const int64_t firsts = bfl_first_components(sensor), merged = bfl_merged_components(sensor);
    const int64_t count = sensor->second.count;
    const bfl_block *mark = bfl_mark(workspace, BFL_SCRATCH);
    double *inside, *columns, *half, *turned;
    int64_t *places, row = 0, place = 0;
    BFL_TAKE(places, workspace, BFL_SCRATCH, (uint64_t)merged);
    BFL_TAKE(inside, workspace, BFL_SCRATCH, (uint64_t)(merged * merged));
    BFL_TAKE(columns, workspace, BFL_SCRATCH, (uint64_t)(merged * count));
    BFL_TAKE(half, workspace, BFL_SCRATCH, (uint64_t)(merged * count));
    BFL_TAKE(turned, workspace, BFL_SCRATCH, (uint64_t)(count * count));
    for (int64_t i = 0; i < sensor->intervals; place += sensor->first[i++].count)
        for (int64_t k = 0; k < sensor->merged[i]; k++)
            places[row++] = place + k;
    for (int64_t i = 0; i < merged; i++)
        for (int64_t j = 0; j < merged; j++)
            inside[i * merged + j] = across[places[i] * firsts + places[j]];
    for (int64_t n = 0; n < merged; n++)
        for (int64_t k = 0; k < count; k++)
            columns[n * count + k] = sensor->second.rows[k * merged + n];
    bf_product(inside, columns, merged, merged, count, half);
    bf_product(sensor->second.rows, half, count, merged, count, turned);
    for (int64_t i = 0; i < count; i++)
        for (int64_t j = 0; j <= i; j++)
            turned[i * count + j] = turned[j * count + i] = (turned[i * count + j] + turned[j * count + i]) / 2;
    BFL_TRY(bfl_eigenvectors(workspace, turned, 1, count, planner->values, planner->vectors));
    bfl_release(workspace, BFL_SCRATCH, mark);
    return BANDFOLD_OK;
}

bandfold_status bfl_begin_sensor_plan(bfl_workspace *workspace, const bfl_sensor *sensor,
                                      const bfl_block_sample *sample, bfl_sensor_planner *planner)
{
    const uint64_t firsts = (uint64_t)bfl_first_components(sensor), count = (uint64_t)sensor->second.count;
    double *across;
    *planner = (bfl_sensor_planner){.sensor = sensor, .sample = sample};
    BFL_TAKE(planner->variances, workspace, BFL_SCRATCH, firsts);
    BFL_TAKE(planner->values, workspace, BFL_SCRATCH, count);
    BFL_TAKE(planner->vectors, workspace, BFL_SCRATCH, count * count);
    const bfl_block *mark = bfl_mark(workspace, BFL_SCRATCH);
    BFL_TAKE(across, workspace, BFL_SCRATCH, firsts * firsts);
    BFL_TRY(cross_covariances(workspace, sensor, sample->covariances, across));
    for (uint64_t k = 0; k < firsts; k++)
        planner->variances[k] = across[k * firsts + k];
    BFL_TRY(find_vectors(workspace, across, planner));
    bfl_release(workspace, BFL_SCRATCH, mark);
    return BANDFOLD_OK;
}

/* Band means as coarse as an error that all pixels share may be. */
static void tell_means(const bfl_block_sample *sample, double step, bfl_planned_fold *fold)
{
    const double unit = BFL_FRACTION * step / (double)bfl_integer_root((uint64_t)sample->pixels);
    int exponent;
    frexp(unit, &exponent);
    fold->mean_shift = exponent > 1 ? exponent - 1 : 0;
    for (int64_t band = 0; band < sample->bands; band++) {
        const double code = rint(ldexp(sample->mean[band] * BFL_FRACTION, -(int)fold->mean_shift));
        fold->means[band] = (int64_t)code * ((int64_t)1 << fold->mean_shift);
    }
}

/* Where codes of a column are kept, next to each other: the turn as it is told has less room between its rows. */
static void keep_columns(bfl_turn *turn, const uint8_t *keep)
{
    const int64_t count = turn->count;
    int64_t kept = 0, to = 0;
    for (int64_t k = 0; k < count; k++)
        if (keep[k])
            turn->precisions[kept++] = turn->precisions[k];
    for (int64_t row = 0; row < turn->width; row++)
        for (int64_t k = 0; k < count; k++)
            if (keep[k])
                turn->codes[to++] = turn->codes[row * count + k];
    turn->count = kept;
}

static int64_t clipped(double value, int64_t least, int64_t most)
{
    return value < (double)least ? least : value > (double)most ? most : (int64_t)value;
}

/* The matrix that turns the columns of the second fold into the strongest components of the scene's own. */
static void quantise_turn(const bfl_sensor_planner *planner, double step, int64_t kept, bfl_turn *turn)
{
    const int64_t count = planner->sensor->second.count;
    const double square = step * step, pixels = (double)planner->sample->pixels, *vectors = planner->vectors;
    turn->width = count;
    turn->count = kept;
    for (int64_t k = 0; k < kept; k++) {
        const double value = planner->values[k] > square * 1e-3 ? planner->values[k] : square * 1e-3;
        turn->precisions[k] = clipped(rint(bfl_log2(value * (pixels / square)) / 2), 1, FINEST);
    }
    for (int64_t row = 0; row < count; row++) {
        double leak = 0.0;
        for (int64_t k = 0; k < count; k++) {
            const double value = planner->values[k] > square ? planner->values[k] : square;
            leak += vectors[row * count + k] * vectors[row * count + k] * (square / value);
        }
        turn->shifts[row] = clipped(rint(bfl_log2(1.0 / (leak > 1e-12 ? leak : 1e-12)) / 2), 0, MOST_TURN_SHIFT);
        for (int64_t k = 0; k < kept; k++) {
            const int exponent = (int)(turn->precisions[k] - turn->shifts[row]);
            const double code = rint(ldexp(vectors[row * count + k], exponent));
            turn->codes[row * kept + k] = (int64_t)code * ((int64_t)1 << turn->shifts[row]);
        }
    }
}

/* Leave out merged components of which next to nothing comes back from those of the variances of the turn. */
static bandfold_status leave_out_weak(bfl_workspace *workspace, const bfl_sensor_planner *planner, double unit,
                                      bfl_planned_fold *fold)
{
    const bfl_sensor *sensor = planner->sensor;
    const bfl_block *mark = bfl_mark(workspace, BFL_SCRATCH);
    const int64_t merged = bfl_merged_components(sensor);
    bfl_turn *turn = &fold->turn;
    int64_t width = 0, used = 0, row = 0;
    double *second;
    uint8_t *keep;
    BFL_TAKE(second, workspace, BFL_SCRATCH, (uint64_t)(merged * turn->count));
    BFL_TAKE(keep, workspace, BFL_SCRATCH, (uint64_t)turn->count);
    BFL_TRY(bfl_turn_columns(workspace, sensor, sensor->merged, turn, second));
    for (int64_t i = 0; i < sensor->intervals; i++) {
        fold->rows[i] = 0;
        for (int64_t n = 0; n < sensor->merged[i]; n++, row++) {
            double energy = 0.0;
            for (int64_t k = 0; k < turn->count; k++) {
                const double entry = second[k * merged + row];
                energy += entry * entry * planner->values[k];
            }
            if (energy > LEAST_ENERGY * unit)
                fold->rows[i] = n + 1;
        }
        used += fold->rows[i];
    }
    for (int64_t n = 0; n < turn->width; n++)
        for (int64_t k = 0; k < turn->count; k++)
            if (turn->codes[n * turn->count + k])
                width = n + 1;
    width = width < used ? width : used;
    turn->width = width;
    for (int64_t k = 0; k < turn->count; k++)
        keep[k] = k < width;
    keep_columns(turn, keep);
    bfl_release(workspace, BFL_SCRATCH, mark);
    return BANDFOLD_OK;
}

/* Components beyond those that are merged whose variances are worth a look. */
static void take_strong_others(const bfl_sensor_planner *planner, double unit, bfl_planned_fold *fold)
{
    const bfl_sensor *sensor = planner->sensor;
    const double *variances = planner->variances;
    int64_t number = 0;
    for (int64_t i = 0; i < sensor->intervals; variances += sensor->first[i++].count) {
        fold->other_counts[i] = 0;
        for (int64_t k = sensor->merged[i]; k < sensor->first[i].count; k++)
            if (variances[k] > FIRST_THRESHOLD * unit) {
                fold->others[number++] = k;
                fold->other_counts[i]++;
            }
    }
}

/* Keep the components that save more than they cost; `gains` are those of the whole strip. */
static bandfold_status keep_worthwhile(bfl_workspace *workspace, double least_gain, const double *gains,
                                       bfl_planned_fold *fold)
{
    const bfl_block *mark = bfl_mark(workspace, BFL_SCRATCH);
    bfl_turn *turn = &fold->turn;
    uint8_t *keep, *worth;
    BFL_TAKE(keep, workspace, BFL_SCRATCH, (uint64_t)turn->count);
    BFL_TAKE(worth, workspace, BFL_SCRATCH, (uint64_t)fold->outside);
    for (int64_t k = 0; k < turn->count; k++) {
        const double bits = bfl_turn_bits(turn->codes + k, turn->shifts, turn->width, turn->count);
        keep[k] = gains[k] > BFL_LAGRANGE_MULTIPLIER * bits + least_gain;
    }
    for (int64_t n = 0; n < fold->outside; n++)
        worth[fold->outside_numbers[n]] =
            gains[turn->count + n] > BFL_LAGRANGE_MULTIPLIER * PLACE_BITS + least_gain;
    keep_columns(turn, keep);
    int64_t from = 0, to = 0;
    for (int64_t i = 0; i < fold->sensor->intervals; i++) {
        const int64_t count = fold->other_counts[i];
        fold->other_counts[i] = 0;
        for (int64_t k = 0; k < count; k++, from++)
            if (worth[from]) {
                fold->others[to++] = fold->others[from];
                fold->other_counts[i]++;
            }
    }
    bfl_release(workspace, BFL_SCRATCH, mark);
    return BANDFOLD_OK;
}

bandfold_status bfl_plan_fold(bfl_workspace *workspace, const bfl_sensor_planner *planner, double step,
                              bfl_planned_fold *fold)
{
    const bfl_block *mark = bfl_mark(workspace, BFL_SCRATCH);
    const bfl_block_sample *sample = planner->sample;
    const double unit = step * step / 12;
    const int64_t thinning = bfl_thinning(sample, 256), few = (sample->count + thinning - 1) / thinning;
    double *gains;
    int64_t kept = 0;
    while (kept < planner->sensor->second.count && planner->values[kept] > SECOND_THRESHOLD * unit)
        kept++;
    quantise_turn(planner, step, kept, &fold->turn);
    BFL_TRY(leave_out_weak(workspace, planner, unit, fold));
    take_strong_others(planner, unit, fold);
    tell_means(sample, step, fold);
    BFL_TRY(bfl_complete_fold(workspace, fold));
    BFL_TAKE(gains, workspace, BFL_SCRATCH, (uint64_t)fold->components);
    BFL_TRY(bfl_fold_gains(workspace, fold, sample, step, gains));
    const double share = (double)sample->pixels / (double)(few * BFL_PIXELS_OF_BLOCK);
    for (int64_t k = 0; k < fold->components; k++)
        gains[k] *= share;
    BFL_TRY(keep_worthwhile(workspace, LEAST_GAIN * (double)sample->pixels, gains, fold));
    BFL_TRY(bfl_complete_fold(workspace, fold));
    bfl_release(workspace, BFL_SCRATCH, mark);
    return BANDFOLD_OK;
}
