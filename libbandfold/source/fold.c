/* Reading folds that bring their own vectors, docs/format.md#fold. */

#include "fold.h"

#include "band_order.h"
#include "budget.h"
#include "coding_weights.h"

#include <math.h>

enum {
    LENGTH_MEAN = 8192,
    WEIGHT_MEAN = 512,
    MOST_ENTRIES = 1 << 22,
    MOST_MERGED = 64,
    MOST_GAIN = 15,
    FARTHEST_STEP = 120,
    MOST_PREDICTOR = 2
};

int64_t bfl_interval_of(const bfl_fold *fold, int64_t band)
{
    int64_t interval = 0;
    while (fold->ends[interval] <= band)
        interval++;
    return interval;
}

bandfold_status bfl_take_means(bfl_payload *payload, const int64_t *codes, int64_t shift, bfl_fold *fold,
                               int64_t bands)
{
    const int64_t largest = ((int64_t)1 << BFL_LARGEST_SHIFT) >> shift;
    BFL_TAKE(fold->means, payload->workspace, BFL_LASTING, (uint64_t)bands);
    for (int64_t band = 0; band < bands; band++) {
        if (codes[band] > largest || codes[band] < -largest)
            return bfl_corrupt(payload, "a band mean is out of range: the stream is corrupt");
        fold->means[band] = codes[band] * ((int64_t)1 << shift);
    }
    return BANDFOLD_OK;
}

bandfold_status bfl_order_components(bfl_workspace *workspace, bfl_fold *fold)
{
    int64_t inside = 0, place = 0;
    for (int64_t i = 0; i < fold->intervals; i++)
        fold->outside_count += fold->first[i].count - fold->merged[i];
    BFL_TAKE(fold->inside, workspace, BFL_LASTING, (uint64_t)fold->second.length);
    BFL_TAKE(fold->outside, workspace, BFL_LASTING, (uint64_t)fold->outside_count);
    for (int64_t i = 0; i < fold->intervals; i++) {
        for (int64_t k = 0; k < fold->merged[i]; k++)
            fold->inside[inside++] = place + k;
        place += fold->first[i].count;
    }
    /* By falling precision; equal ones keep their order. */
    int64_t outside = 0;
    for (int64_t precision = BFL_FINEST_PRECISION; precision > 0; precision--) {
        place = 0;
        for (int64_t i = 0; i < fold->intervals; i++) {
            for (int64_t k = fold->merged[i]; k < fold->first[i].count; k++)
                if (fold->first[i].precisions[k] == precision)
                    fold->outside[outside++] = place + k;
            place += fold->first[i].count;
        }
    }
    fold->components = fold->second.count + fold->outside_count;
    return BANDFOLD_OK;
}

static bandfold_status read_partition(bfl_payload *payload, const bfl_header *header, bfl_telling *telling,
                                      bfl_fold *fold)
{
    int64_t end = 0, bands = header->bands;
    BFL_TRY(bfl_read_unsigned(payload, 1, BFL_COUNT_MEAN, &fold->intervals));
    *telling = BFL_PLAINLY;
    if (header->spectral)
        BFL_TRY(bfl_read_telling(payload, &fold->intervals, telling));
    if (fold->intervals < 1 || fold->intervals > bands)
        return bfl_corrupt(payload, "a fold has an impossible number of intervals: the stream is corrupt");
    BFL_TAKE(fold->ends, payload->workspace, BFL_LASTING, (uint64_t)fold->intervals);
    BFL_TRY(bfl_read_unsigned(payload, (uint64_t)fold->intervals, LENGTH_MEAN, fold->ends));
    for (int64_t i = 0; i < fold->intervals; i++) {
        if (fold->ends[i] < 1 || fold->ends[i] > bands - end)
            return bfl_corrupt(payload, "intervals do not make up the bands: the stream is corrupt");
        end += fold->ends[i];
        fold->ends[i] = end;
    }
    return end == bands ? BANDFOLD_OK
                        : bfl_corrupt(payload, "intervals do not make up the bands: the stream is corrupt");
}

static bandfold_status read_means(bfl_payload *payload, int64_t bands, bfl_fold *fold)
{
    int64_t shift, *codes;
    BFL_TRY(bfl_read_unsigned(payload, 1, BFL_COUNT_MEAN, &shift));
    if (shift > BFL_LARGEST_SHIFT)
        return bfl_corrupt(payload, "band means are shifted too far: the stream is corrupt");
    BFL_TAKE(codes, payload->workspace, BFL_SCRATCH, (uint64_t)bands);
    BFL_TRY(bfl_read_signed(payload, (uint64_t)bands, BFL_MEAN_MEAN, codes));
    for (int64_t band = 1; band < bands; band++)
        codes[band] += codes[band - 1];
    return bfl_take_means(payload, codes, shift, fold, bands);
}

static bandfold_status read_weights(bfl_payload *payload, int64_t bands, bfl_fold *fold)
{
    int64_t *changes, code = 0;
    BFL_TAKE(changes, payload->workspace, BFL_SCRATCH, (uint64_t)bands);
    BFL_TAKE(fold->weights, payload->workspace, BFL_LASTING, (uint64_t)bands);
    BFL_TRY(bfl_read_signed(payload, (uint64_t)bands, WEIGHT_MEAN, changes));
    for (int64_t band = 0; band < bands; band++) {
        code += changes[band];
        if (code < 0 || code > BFL_LARGEST_WEIGHT_CODE)
            return bfl_corrupt(payload, "a band has an impossible weight: the stream is corrupt");
        fold->weights[band] = bfl_weight_of(code);
    }
    return BANDFOLD_OK;
}

/* Steps of predicted bands, one by one in the order of coding. */
static bandfold_status read_steps(bfl_payload *payload, int64_t bands, bfl_fold *fold)
{
    int64_t unit, *differences;
    bfl_ordered_band *ordered;
    BFL_TRY(bfl_read_unsigned(payload, 1, BFL_CHANGE_MEAN, &unit));
    BFL_TRY(bfl_read_signed(payload, (uint64_t)fold->tiers + 1, 2 * BFL_CHANGE_MEAN, fold->gains));
    BFL_TAKE(differences, payload->workspace, BFL_SCRATCH, (uint64_t)bands);
    BFL_TRY(bfl_read_signed(payload, (uint64_t)bands, BFL_CHANGE_MEAN, differences));
    BFL_TRY(bfl_order_bands(payload->workspace, fold, bands, &ordered));
    BFL_TAKE(fold->steps, payload->workspace, BFL_LASTING, (uint64_t)bands);
    for (int64_t n = 0; n < bands; n++) {
        int64_t units = differences[n];
        for (int64_t tier = 0; tier <= ordered[n].tier; tier++)
            units += fold->gains[tier];
        const int64_t most = unit ? FARTHEST_STEP / unit : -1;
        if (units > most || units < -most)
            return bfl_corrupt(payload, "a band has an impossible step: the stream is corrupt");
        fold->steps[ordered[n].band] = units * unit;
    }
    return BANDFOLD_OK;
}

/* Engines and order of coding of predicted bands. */
static bandfold_status read_hierarchy(bfl_payload *payload, const bfl_header *header, int64_t engines, bfl_fold *fold)
{
    int64_t pair[2];
    BFL_TAKE(fold->engines, payload->workspace, BFL_LASTING, (uint64_t)fold->intervals);
    BFL_TRY(bfl_read_unsigned(payload, (uint64_t)fold->intervals, BFL_CHANGE_MEAN, fold->engines));
    for (int64_t i = 0; i < fold->intervals; i++)
        if (fold->engines[i] >= engines)
            return bfl_corrupt(payload, "an interval has an engine that is not there: the stream is corrupt");
    BFL_TRY(bfl_read_unsigned(payload, 2, BFL_COUNT_MEAN, pair));
    fold->tiers = pair[0];
    fold->begin = pair[1];
    if (fold->tiers > BFL_MOST_TIERS || fold->begin >= (int64_t)1 << fold->tiers)
        return bfl_corrupt(payload, "bands are predicted over too many of them: the stream is corrupt");
    if (header->weighted)
        return read_steps(payload, header->bands, fold);
    BFL_TRY(bfl_read_unsigned(payload, (uint64_t)fold->tiers, 2 * BFL_CHANGE_MEAN, fold->gains + 1));
    for (int64_t n = 1; n <= fold->tiers; n++)
        if (fold->gains[n] > MOST_GAIN)
            return bfl_corrupt(payload, "steps grow too fast: the stream is corrupt");
    return BANDFOLD_OK;
}

/* A column from its residuals, in place. */
static bandfold_status undo_prediction(bfl_payload *payload, int64_t *column, int64_t length, int64_t predictor)
{
    for (int64_t n = 0; n < length; n++)
        if (column[n] > 4 * BFL_LARGEST_ENTRY || column[n] < -4 * BFL_LARGEST_ENTRY)
            return bfl_corrupt(payload, "a vector has an entry far beyond 1: the stream is corrupt");
    while (predictor--)
        for (int64_t n = 1; n < length; n++)
            column[n] += column[n - 1];
    for (int64_t n = 0; n < length; n++)
        if (column[n] > BFL_LARGEST_ENTRY || column[n] < -BFL_LARGEST_ENTRY)
            return bfl_corrupt(payload, "a vector has an entry far beyond 1: the stream is corrupt");
    return BANDFOLD_OK;
}

/* The vectors of an interval, as rows of float64. */
static bandfold_status read_interval(bfl_payload *payload, bfl_telling telling, bfl_basis *basis, double *rows)
{
    bfl_workspace *workspace = payload->workspace;
    bfl_open_rows open;
    bfl_row_means means;
    int64_t *predictors, *column;
    BFL_TAKE(basis->precisions, workspace, BFL_LASTING, (uint64_t)basis->count);
    BFL_TAKE(predictors, workspace, BFL_SCRATCH, (uint64_t)basis->count);
    BFL_TAKE(column, workspace, BFL_SCRATCH, (uint64_t)basis->length);
    BFL_TRY(bfl_read_precisions(payload, basis->count, basis->precisions));
    BFL_TRY(bfl_read_unsigned(payload, (uint64_t)basis->count, BFL_CHANGE_MEAN, predictors));
    for (int64_t k = 0; k < basis->count; k++)
        if (predictors[k] > MOST_PREDICTOR)
            return bfl_corrupt(payload, "a vector is predicted in an unknown way: the stream is corrupt");
    BFL_TRY(bfl_open_all_rows(workspace, basis->length, telling != BFL_PLAINLY, &open));
    BFL_TRY(bfl_begin_rows(workspace, basis->length, 1, &means));
    for (int64_t k = 0; k < basis->count; k++) {
        const int64_t precision = basis->precisions[k];
        BFL_TRY(bfl_read_open_entries(payload, &open, telling == BFL_BY_ROWS ? &means : NULL, precision, column));
        BFL_TRY(undo_prediction(payload, column, open.count, predictors[k]));
        bfl_place_entries(column, &open, precision, basis->length, rows + k * basis->length);
        bfl_close_pivot(column, &open);
    }
    return BANDFOLD_OK;
}

/* Components of intervals, and how many of them are merged. */
static bandfold_status read_counts(bfl_payload *payload, bfl_fold *fold)
{
    int64_t *counts, merged = 0, entries = 0;
    const uint64_t intervals = (uint64_t)fold->intervals;
    BFL_TAKE(counts, payload->workspace, BFL_SCRATCH, intervals);
    BFL_TAKE(fold->merged, payload->workspace, BFL_LASTING, intervals);
    BFL_TAKE(fold->first, payload->workspace, BFL_LASTING, intervals);
    BFL_TRY(bfl_read_unsigned(payload, intervals, BFL_COUNT_MEAN, counts));
    BFL_TRY(bfl_read_unsigned(payload, intervals, BFL_COUNT_MEAN, fold->merged));
    uint64_t work = 0;
    for (int64_t i = 0; i < fold->intervals; i++) {
        const int64_t length = fold->ends[i] - (i ? fold->ends[i - 1] : 0);
        if (counts[i] > length)
            return bfl_corrupt(payload, "an interval has more components than bands: the stream is corrupt");
        entries += counts[i] * length;
        if (entries > MOST_ENTRIES)
            return bfl_corrupt(payload, "vectors have too many entries: the stream is corrupt");
        if (fold->merged[i] > counts[i] || fold->merged[i] > MOST_MERGED - merged)
            return bfl_corrupt(payload, "too many components are merged: the stream is corrupt");
        merged += fold->merged[i];
        fold->first[i].length = length;
        fold->first[i].count = counts[i];
        work = bfl_sum(work, bfl_vector_work(length, counts[i]));
    }
    fold->second.length = merged;
    return bfl_charge(payload->workspace, work);
}

static bandfold_status read_spectral(bfl_payload *payload, bfl_telling telling, bfl_fold *fold)
{
    bfl_workspace *workspace = payload->workspace;
    bfl_row_means means;
    double *rows;
    BFL_TRY(read_counts(payload, fold));
    for (int64_t i = 0; i < fold->intervals; i++) {
        bfl_basis *basis = &fold->first[i];
        const double *weights = fold->weights ? fold->weights + (i ? fold->ends[i - 1] : 0) : NULL;
        const bfl_block *mark = bfl_mark(workspace, BFL_SCRATCH);
        BFL_TAKE(rows, workspace, BFL_SCRATCH, (uint64_t)basis->length * (uint64_t)basis->count);
        BFL_TRY(read_interval(payload, telling, basis, rows));
        BFL_TRY(bfl_orthonormalise(workspace, rows, basis->length, basis->count));
        BFL_TRY(bfl_make_basis(workspace, rows, weights, basis));
        bfl_release(workspace, BFL_SCRATCH, mark);
    }
    bfl_basis *second = &fold->second;
    BFL_TRY(bfl_read_unsigned(payload, 1, BFL_COUNT_MEAN, &second->count));
    if (second->count > second->length)
        return bfl_corrupt(payload, "the second fold has more components than it takes: the stream is corrupt");
    BFL_TRY(bfl_charge(workspace, bfl_vector_work(second->length, second->count)));
    BFL_TAKE(second->precisions, workspace, BFL_LASTING, (uint64_t)second->count);
    BFL_TAKE(rows, workspace, BFL_SCRATCH, (uint64_t)second->length * (uint64_t)second->count);
    if (telling == BFL_BY_ROWS) {
        BFL_TRY(bfl_begin_rows(workspace, second->length, 0, &means));
        BFL_TRY(bfl_read_row_shifts(payload, &means));
    }
    BFL_TRY(bfl_read_vectors(payload, second->length, second->count, telling, telling == BFL_BY_ROWS ? &means : NULL,
                             second->precisions, rows));
    BFL_TRY(bfl_orthonormalise(workspace, rows, second->length, second->count));
    BFL_TRY(bfl_make_basis(workspace, rows, NULL, second));
    return bfl_order_components(workspace, fold);
}

bandfold_status bfl_read_fold(bfl_payload *payload, const bfl_fold_source *source, bfl_fold *fold)
{
    const bfl_header *header = source->header;
    if (source->sensor)
        return bfl_read_selected_fold(payload, source, fold);
    bfl_telling telling;
    BFL_TRY(read_partition(payload, header, &telling, fold));
    BFL_TRY(read_means(payload, header->bands, fold));
    if (header->weighted && !source->engines)
        BFL_TRY(read_weights(payload, header->bands, fold));
    if (header->spectral)
        return read_spectral(payload, telling, fold);
    fold->components = header->bands;
    return source->engines ? read_hierarchy(payload, header, source->engines, fold) : BANDFOLD_OK;
}
