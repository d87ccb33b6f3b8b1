/* Orders of components and of sums are those of the Python package. */

#include "planned_fold.h"

#include "context_network.h"
#include "cosine.h"
#include "vectors.h"

#include "linear.h"

#include <math.h>
#include <string.h>

enum { SIDE = 8, QUARTERS = 4, QUARTER = 16 };

#define BASIS_UNIT 65536.0
#define FRACTION 64.0

void bfl_make_kernel_cosine(bfl_kernel_cosine *cosine)
{
    int32_t vertical[BF_CHANNELS], horizontal[BF_CHANNELS];
    double matrix[BF_CHANNELS * BF_CHANNELS];
    bfl_channel_frequencies(vertical, horizontal);
    bfl_fill_cosine(matrix);
    /* By whether a channel is even or odd along samples and lines: a quarter of a block tells the rest. */
    for (int kind = 0; kind < QUARTERS; kind++) {
        int found = 0;
        for (int c = 0; c < BF_CHANNELS; c++) {
            if (horizontal[c] % 2 + 2 * (vertical[c] % 2) != kind)
                continue;
            double *to = cosine->cosines + (kind * QUARTER + found) * QUARTER;
            for (int y = 0; y < SIDE / 2; y++)
                for (int x = 0; x < SIDE / 2; x++)
                    *to++ = matrix[c * BF_CHANNELS + y * SIDE + x];
            cosine->channels[kind * QUARTER + found++] = c;
        }
    }
}

int64_t bfl_first_components(const bfl_sensor *sensor)
{
    int64_t count = 0;
    for (int64_t i = 0; i < sensor->intervals; i++)
        count += sensor->first[i].count;
    return count;
}

int64_t bfl_merged_components(const bfl_sensor *sensor)
{
    return sensor->second.length;
}

bandfold_status bfl_make_planned_fold(bfl_workspace *workspace, const bfl_sensor *sensor,
                                      const bfl_kernel_cosine *cosine, bfl_planned_fold *fold)
{
    const uint64_t bands = (uint64_t)sensor->bands, intervals = (uint64_t)sensor->intervals;
    const uint64_t firsts = (uint64_t)bfl_first_components(sensor), merged = (uint64_t)bfl_merged_components(sensor);
    uint64_t entries = 0;
    for (int64_t i = 0; i < sensor->intervals; i++)
        entries = bfl_sum(entries, bfl_product((uint64_t)sensor->first[i].length, (uint64_t)sensor->first[i].count));
    *fold = (bfl_planned_fold){.sensor = sensor};
    BFL_TAKE(fold->means, workspace, BFL_LASTING, bands);
    BFL_TAKE(fold->rows, workspace, BFL_LASTING, intervals);
    BFL_TAKE(fold->turn.codes, workspace, BFL_LASTING, merged * merged);
    BFL_TAKE(fold->turn.precisions, workspace, BFL_LASTING, merged);
    BFL_TAKE(fold->turn.shifts, workspace, BFL_LASTING, merged);
    BFL_TAKE(fold->other_counts, workspace, BFL_LASTING, intervals);
    BFL_TAKE(fold->others, workspace, BFL_LASTING, firsts);
    BFL_TAKE(fold->second, workspace, BFL_LASTING, merged * merged);
    BFL_TAKE(fold->outside_intervals, workspace, BFL_LASTING, firsts);
    BFL_TAKE(fold->outside_vectors, workspace, BFL_LASTING, firsts);
    BFL_TAKE(fold->outside_numbers, workspace, BFL_LASTING, firsts);
    BFL_TAKE(fold->ends, workspace, BFL_LASTING, intervals);
    BFL_TAKE(fold->counts, workspace, BFL_LASTING, intervals);
    BFL_TAKE(fold->inside, workspace, BFL_LASTING, merged);
    BFL_TAKE(fold->left, workspace, BFL_LASTING, firsts);
    BFL_TAKE(fold->centres, workspace, BFL_LASTING, bands);
    BFL_TAKE(fold->first, workspace, BFL_LASTING, entries);
    BFL_TAKE(fold->second_integers, workspace, BFL_LASTING, merged * merged);
    for (int64_t i = 0; i < sensor->intervals; i++)
        fold->ends[i] = (int32_t)sensor->ends[i];
    fold->kernel = (bf_fold){.bands = (int32_t)sensor->bands,
                             .intervals = (int32_t)sensor->intervals,
                             .ends = fold->ends,
                             .counts = fold->counts,
                             .means = fold->centres,
                             .first = fold->first,
                             .inside = fold->inside,
                             .outside = fold->left,
                             .second = fold->second_integers,
                             .cosines = cosine->cosines,
                             .channels = cosine->channels};
    return BANDFOLD_OK;
}

bandfold_status bfl_turn_columns(bfl_workspace *workspace, const bfl_sensor *sensor, const int64_t *rows,
                                 const bfl_turn *turn, double *second)
{
    const bfl_block *mark = bfl_mark(workspace, BFL_SCRATCH);
    const int64_t width = turn->width, count = turn->count;
    int64_t length = 0, row = 0, start = 0;
    double *columns, *matrix, *product;
    for (int64_t i = 0; i < sensor->intervals; i++)
        length += rows[i];
    BFL_TAKE(columns, workspace, BFL_SCRATCH, (uint64_t)(length * width));
    BFL_TAKE(matrix, workspace, BFL_SCRATCH, (uint64_t)(width * count));
    BFL_TAKE(product, workspace, BFL_SCRATCH, (uint64_t)(length * count));
    for (int64_t i = 0; i < sensor->intervals; start += sensor->merged[i++])
        for (int64_t k = 0; k < rows[i]; k++, row++)
            for (int64_t n = 0; n < width; n++)
                columns[row * width + n] = sensor->second.rows[n * sensor->second.length + start + k];
    for (int64_t n = 0; n < width; n++)
        for (int64_t k = 0; k < count; k++)
            matrix[n * count + k] = ldexp((double)turn->codes[n * count + k], -(int)turn->precisions[k]);
    bf_product(columns, matrix, length, width, count, product);
    for (int64_t k = 0; k < count; k++)
        for (int64_t n = 0; n < length; n++)
            second[k * length + n] = product[n * count + k];
    BFL_TRY(bfl_orthonormalise(workspace, second, length, count));
    bfl_release(workspace, BFL_SCRATCH, mark);
    return BANDFOLD_OK;
}

/* Vector of an interval that a fold takes as its `number`-th one; `others` are those of the interval. */
static int64_t vector_of(int64_t rows, const int64_t *others, int64_t number)
{
    return number < rows ? number : others[number - rows];
}

/* Components that the second fold leaves come by falling precision; equal ones keep their order. */
static void order_components(bfl_planned_fold *fold)
{
    const bfl_sensor *sensor = fold->sensor;
    int64_t place = 0, inside = 0;
    fold->outside = 0;
    for (int64_t i = 0; i < sensor->intervals; place += fold->counts[i++]) {
        fold->counts[i] = (int32_t)(fold->rows[i] + fold->other_counts[i]);
        for (int64_t k = 0; k < fold->rows[i]; k++)
            fold->inside[inside++] = (int32_t)(place + k);
    }
    for (int64_t precision = BFL_FINEST_PRECISION; precision > 0; precision--) {
        int64_t number = 0;
        place = 0;
        for (int64_t i = 0; i < sensor->intervals; place += fold->counts[i++])
            for (int64_t k = 0; k < fold->other_counts[i]; k++, number++) {
                if (sensor->first[i].precisions[fold->others[number]] != precision)
                    continue;
                fold->outside_intervals[fold->outside] = i;
                fold->outside_vectors[fold->outside] = fold->others[number];
                fold->outside_numbers[fold->outside] = number;
                fold->left[fold->outside++] = (int32_t)(place + fold->rows[i] + k);
            }
    }
    fold->merged = inside;
    fold->components = fold->turn.count + fold->outside;
}

bandfold_status bfl_complete_fold(bfl_workspace *workspace, bfl_planned_fold *fold)
{
    const bfl_sensor *sensor = fold->sensor;
    const int64_t *others = fold->others;
    double *to = fold->first;
    order_components(fold);
    BFL_TRY(bfl_turn_columns(workspace, sensor, fold->rows, &fold->turn, fold->second));
    for (int64_t band = 0; band < sensor->bands; band++)
        fold->centres[band] = (double)fold->means[band] / FRACTION;
    for (int64_t i = 0; i < sensor->intervals; others += fold->other_counts[i++]) {
        const bfl_sensor_vectors *vectors = &sensor->first[i];
        for (int64_t n = 0; n < vectors->length; n++)
            for (int64_t k = 0; k < fold->counts[i]; k++)
                *to++ = rint(vectors->rows[vector_of(fold->rows[i], others, k) * vectors->length + n] * BASIS_UNIT);
    }
    for (int64_t n = 0; n < fold->merged; n++)
        for (int64_t k = 0; k < fold->turn.count; k++)
            fold->second_integers[n * fold->turn.count + k] = rint(fold->second[k * fold->merged + n] * BASIS_UNIT);
    fold->kernel.merged = (int32_t)fold->merged;
    fold->kernel.seconds = (int32_t)fold->turn.count;
    fold->kernel.others = (int32_t)fold->outside;
    return BANDFOLD_OK;
}
