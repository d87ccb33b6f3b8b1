/* Reading folds that take their vectors from a package, docs/format.md#fold-from-a-package. */

#include "budget.h"
#include "fold.h"

#include "linear.h"

#include <math.h>
#include <string.h>

enum { ENTRY_MEAN = 128, MOST_SHIFT = 20 };

static const char *const NOT_THERE = "a component is taken that the package does not have: the stream is corrupt";

static bandfold_status read_means(bfl_payload *payload, const bfl_sensor *sensor, bfl_fold *fold)
{
    int64_t shift, *codes, sum = 0;
    BFL_TRY(bfl_read_unsigned(payload, 1, BFL_COUNT_MEAN, &shift));
    if (shift > BFL_LARGEST_SHIFT)
        return bfl_corrupt(payload, "band means are shifted too far: the stream is corrupt");
    BFL_TAKE(codes, payload->workspace, BFL_SCRATCH, (uint64_t)sensor->bands);
    BFL_TRY(bfl_read_signed(payload, (uint64_t)sensor->bands, BFL_MEAN_MEAN, codes));
    for (int64_t band = 0; band < sensor->bands; band++) {
        sum += codes[band];
        codes[band] = sum + (sensor->means[band] >> shift);
    }
    return bfl_take_means(payload, codes, shift, fold, sensor->bands);
}

/* Rising numbers from `first` on and below `end`, told as gaps. */
static bandfold_status read_places(bfl_payload *payload, int64_t count, int64_t first, int64_t end, int64_t *places)
{
    if (count > end - first)
        return bfl_corrupt(payload, NOT_THERE);
    BFL_TRY(bfl_read_unsigned(payload, (uint64_t)count, BFL_CHANGE_MEAN, places));
    int64_t next = first;
    for (int64_t n = 0; n < count; n++) {
        if (places[n] >= end - next)
            return bfl_corrupt(payload, NOT_THERE);
        places[n] += next;
        next = places[n] + 1;
    }
    return BANDFOLD_OK;
}

/* The matrix that turns components against each other, [width][count]. */
static bandfold_status read_turn(bfl_payload *payload, int64_t width, int64_t count, int64_t *precisions,
                                 double *matrix)
{
    bfl_workspace *workspace = payload->workspace;
    int64_t *shifts, *entries, shift = 0;
    BFL_TAKE(shifts, workspace, BFL_SCRATCH, (uint64_t)width);
    BFL_TAKE(entries, workspace, BFL_SCRATCH, (uint64_t)width);
    BFL_TRY(bfl_read_signed(payload, (uint64_t)width, BFL_CHANGE_MEAN, shifts));
    for (int64_t row = 0; row < width; row++) {
        shift += shifts[row];
        if (shift < 0 || shift > MOST_SHIFT)
            return bfl_corrupt(payload, "a row of the turn is shifted too far: the stream is corrupt");
        shifts[row] = shift;
    }
    BFL_TRY(bfl_read_precisions(payload, count, precisions));
    for (int64_t k = 0; k < count; k++) {
        BFL_TRY(bfl_read_signed(payload, (uint64_t)width, ENTRY_MEAN, entries));
        for (int64_t row = 0; row < width; row++) {
            const int64_t largest = BFL_LARGEST_ENTRY >> shifts[row];
            if (entries[row] > largest || entries[row] < -largest)
                return bfl_corrupt(payload, "a turn has an entry far beyond 1: the stream is corrupt");
            matrix[row * count + k] = ldexp((double)entries[row], (int)(shifts[row] - precisions[k]));
        }
    }
    return BANDFOLD_OK;
}

/* Rows of the second fold of the package that are used, `width` columns of them: [length][width]. */
static void take_columns(const bfl_sensor *sensor, const bfl_fold *fold, int64_t width, double *columns)
{
    int64_t start = 0, row = 0;
    for (int64_t i = 0; i < sensor->intervals; i++) {
        for (int64_t k = 0; k < fold->merged[i]; k++, row++)
            for (int64_t n = 0; n < width; n++)
                columns[row * width + n] = sensor->second.rows[n * sensor->second.length + start + k];
        start += sensor->merged[i];
    }
}

static bandfold_status read_second(bfl_payload *payload, const bfl_sensor *sensor, bfl_fold *fold)
{
    bfl_workspace *workspace = payload->workspace;
    bfl_basis *second = &fold->second;
    int64_t pair[2], turned;
    BFL_TRY(bfl_read_unsigned(payload, 2, BFL_COUNT_MEAN, pair));
    const int64_t width = pair[0], count = pair[1], length = second->length;
    if (count > width || width > length || width > sensor->second.count)
        return bfl_corrupt(payload, "more merged components are taken than there are: the stream is corrupt");
    BFL_TRY(bfl_read_unsigned(payload, 1, BFL_CHANGE_MEAN, &turned));
    if (turned > 1)
        return bfl_corrupt(payload, "components are turned in an unknown way: the stream is corrupt");
    second->count = count;
    double *matrix, *columns, *product, *rows;
    int64_t *places;
    BFL_TAKE(second->precisions, workspace, BFL_LASTING, (uint64_t)count);
    BFL_TAKE(matrix, workspace, BFL_SCRATCH, (uint64_t)width * (uint64_t)count);
    BFL_TAKE(columns, workspace, BFL_SCRATCH, (uint64_t)length * (uint64_t)width);
    BFL_TAKE(product, workspace, BFL_SCRATCH, (uint64_t)length * (uint64_t)count);
    BFL_TAKE(rows, workspace, BFL_SCRATCH, (uint64_t)length * (uint64_t)count);
    if (turned) {
        BFL_TRY(read_turn(payload, width, count, second->precisions, matrix));
    } else {
        BFL_TAKE(places, workspace, BFL_SCRATCH, (uint64_t)count);
        BFL_TRY(read_places(payload, count, 0, width, places));
        for (int64_t k = 0; k < count; k++)
            matrix[places[k] * count + k] = 1.0;
    }
    take_columns(sensor, fold, width, columns);
    bf_product(columns, matrix, length, width, count, product);
    for (int64_t k = 0; k < count; k++)
        for (int64_t n = 0; n < length; n++)
            rows[k * length + n] = product[n * count + k];
    BFL_TRY(bfl_orthonormalise(workspace, rows, length, count));
    return bfl_make_basis(workspace, rows, NULL, second);
}

/* The vectors of an interval: the first ones, which are merged, and then others. */
static bandfold_status read_others(bfl_payload *payload, const bfl_sensor_vectors *vectors, int64_t merged,
                                   int64_t others, bfl_basis *basis)
{
    bfl_workspace *workspace = payload->workspace;
    const bfl_block *mark = bfl_mark(workspace, BFL_SCRATCH);
    int64_t *taken;
    double *rows;
    if (others > vectors->count - merged)
        return bfl_corrupt(payload, NOT_THERE);
    basis->length = vectors->length;
    basis->count = merged + others;
    BFL_TAKE(taken, workspace, BFL_SCRATCH, (uint64_t)basis->count);
    BFL_TAKE(rows, workspace, BFL_SCRATCH, (uint64_t)basis->length * (uint64_t)basis->count);
    BFL_TAKE(basis->precisions, workspace, BFL_LASTING, (uint64_t)basis->count);
    for (int64_t k = 0; k < merged; k++)
        taken[k] = k;
    BFL_TRY(read_places(payload, others, merged, vectors->count, taken + merged));
    for (int64_t k = 0; k < basis->count; k++) {
        basis->precisions[k] = vectors->precisions[taken[k]];
        memcpy(rows + k * basis->length, vectors->rows + taken[k] * basis->length,
               (size_t)basis->length * sizeof *rows);
    }
    BFL_TRY(bfl_make_basis(workspace, rows, NULL, basis));
    bfl_release(workspace, BFL_SCRATCH, mark);
    return BANDFOLD_OK;
}

bandfold_status bfl_read_selected_fold(bfl_payload *payload, const bfl_fold_source *source, bfl_fold *fold)
{
    bfl_workspace *workspace = payload->workspace;
    const bfl_sensor *sensor = source->sensor;
    const uint64_t intervals = (uint64_t)sensor->intervals;
    int64_t *others;
    if (sensor->bands != source->header->bands)
        return bfl_corrupt(payload, "the package that the stream names has another number of bands: it is corrupt");
    fold->intervals = sensor->intervals;
    fold->ends = sensor->ends;
    BFL_TRY(read_means(payload, sensor, fold));
    BFL_TAKE(fold->merged, workspace, BFL_LASTING, intervals);
    BFL_TAKE(fold->first, workspace, BFL_LASTING, intervals);
    BFL_TRY(bfl_read_unsigned(payload, intervals, BFL_COUNT_MEAN, fold->merged));
    for (int64_t i = 0; i < sensor->intervals; i++) {
        if (fold->merged[i] > sensor->merged[i])
            return bfl_corrupt(payload, "more components are merged than the package has: the stream is corrupt");
        fold->second.length += fold->merged[i];
    }
    BFL_TRY(read_second(payload, sensor, fold));
    BFL_TAKE(others, workspace, BFL_SCRATCH, intervals);
    BFL_TRY(bfl_read_unsigned(payload, intervals, BFL_COUNT_MEAN, others));
    for (int64_t i = 0; i < sensor->intervals; i++)
        BFL_TRY(read_others(payload, &sensor->first[i], fold->merged[i], others[i], &fold->first[i]));
    return bfl_order_components(workspace, fold);
}
