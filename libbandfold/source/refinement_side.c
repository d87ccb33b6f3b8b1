/* Side information of a refinement: like numbers of all bands form an array. */

#include "refinement_side.h"

enum { SHARE_UNIT = 1 << 16, WEIGHT_BITS = 18, LARGEST_WEIGHT = 1 << 22 };

static bandfold_status out_of_range(bfl_refinement_reader *reader)
{
    return bfl_fail(reader->workspace, BANDFOLD_CORRUPT, "a refinement tells what is out of its range: it is corrupt");
}

/* An array whose values are all in a range. */
static bandfold_status read_within(bfl_refinement_reader *reader, uint64_t count, int64_t low, int64_t high,
                                   int64_t *values)
{
    BFL_TRY(bfl_read_refinement_array(reader, count, values));
    for (uint64_t n = 0; n < count; n++)
        if (values[n] < low || values[n] > high)
            return out_of_range(reader);
    return BANDFOLD_OK;
}

bandfold_status bfl_read_bound(bfl_refinement_reader *reader, uint64_t bands, bfl_error_bound *bound)
{
    int64_t kind, relative[2];
    BFL_TRY(read_within(reader, 1, BFL_ONE_LIMIT, BFL_TWO_WORDS, &kind));
    *bound = (bfl_error_bound){.kind = (bfl_bound_kind)kind};
    BFL_TAKE(bound->limits, reader->workspace, BFL_SCRATCH, bands);
    switch (bound->kind) {
    case BFL_LIMITS_OF_BANDS:
        return read_within(reader, bands, 0, INT32_MAX, bound->limits);
    case BFL_RELATIVE:
        BFL_TRY(read_within(reader, 2, 0, INT32_MAX, relative));
        bound->share = relative[0];
        bound->least = relative[1];
        return bound->share > 0 && bound->share < SHARE_UNIT ? BANDFOLD_OK : out_of_range(reader);
    case BFL_ONE_LIMIT:
        BFL_TRY(read_within(reader, 1, 0, INT32_MAX, bound->limits));
        for (uint64_t band = 1; band < bands; band++)
            bound->limits[band] = bound->limits[0];
        return BANDFOLD_OK;
    default:
        return BANDFOLD_OK; /* words are exact: limits are 0 */
    }
}

/* Values that a band uses: the first one, the usual gap, and what gaps differ from it by. */
static bandfold_status read_values(bfl_refinement_reader *reader, int64_t lowest, int64_t highest, bfl_band_side *side)
{
    bfl_workspace *workspace = reader->workspace;
    int64_t pair[2], *gaps;
    BFL_TRY(bfl_read_refinement_array(reader, 2, pair));
    BFL_TAKE(side->values, workspace, BFL_SCRATCH, (uint64_t)side->value_count);
    const bfl_block *mark = bfl_mark(workspace, BFL_SCRATCH);
    BFL_TAKE(gaps, workspace, BFL_SCRATCH, (uint64_t)side->value_count - 1);
    BFL_TRY(bfl_read_refinement_array(reader, (uint64_t)side->value_count - 1, gaps));
    int64_t value = pair[0];
    for (int64_t n = 0; n < side->value_count; n++) {
        const int64_t gap = n ? gaps[n - 1] + pair[1] : 0;
        value += gap;
        if ((n && (gap < 1 || gap > INT32_MAX)) || value < lowest || value > highest)
            return out_of_range(reader);
        side->values[n] = (int32_t)value;
    }
    bfl_release(workspace, BFL_SCRATCH, mark);
    return BANDFOLD_OK;
}

/* Weights of bands, place by place, times their units. A row of `rows` is that of a band, and has `places` of them. */
static bandfold_status read_weights(bfl_refinement_reader *reader, uint64_t bands, const int64_t *counts, int places,
                                    int32_t **rows)
{
    int64_t *units, *values;
    BFL_TAKE(units, reader->workspace, BFL_SCRATCH, bands);
    BFL_TAKE(values, reader->workspace, BFL_SCRATCH, bands);
    BFL_TRY(read_within(reader, bands, 0, WEIGHT_BITS, units));
    for (int place = 0; place < places; place++) {
        uint64_t used = 0;
        for (uint64_t band = 0; band < bands; band++)
            used += counts[band] > place;
        BFL_TRY(read_within(reader, used, -LARGEST_WEIGHT, LARGEST_WEIGHT, values));
        used = 0;
        for (uint64_t band = 0; band < bands; band++) {
            if (counts[band] <= place)
                continue;
            const int64_t weight = values[used++] * ((int64_t)1 << units[band]);
            if (weight >= LARGEST_WEIGHT || weight <= -LARGEST_WEIGHT)
                return out_of_range(reader);
            rows[band][place] = (int32_t)weight;
        }
    }
    return BANDFOLD_OK;
}

/* How bands are predicted: offsets, weights of what the base lacked before, and of the bases around. */
static bandfold_status read_predictions(bfl_refinement_reader *reader, uint64_t bands, int64_t *numbers, int32_t **rows,
                                        bfl_band_side *sides)
{
    BFL_TRY(bfl_read_refinement_array(reader, bands, numbers));
    for (uint64_t band = 0; band < bands; band++)
        sides[band].offset = numbers[band];
    BFL_TRY(bfl_read_refinement_array(reader, bands, numbers));
    for (uint64_t band = 0; band < bands; band++) {
        const int64_t most = band < BFL_MOST_BEFORE ? (int64_t)band : BFL_MOST_BEFORE;
        if (numbers[band] < 0 || numbers[band] > most)
            return out_of_range(reader);
        sides[band].count = numbers[band];
        rows[band] = sides[band].weights;
    }
    BFL_TRY(read_weights(reader, bands, numbers, BFL_MOST_BEFORE, rows));
    BFL_TRY(read_within(reader, bands, 0, 1, numbers));
    uint64_t bent = 0;
    for (uint64_t band = 0; band < bands; band++) {
        sides[band].bent = (uint8_t)numbers[band];
        if (sides[band].bent)
            rows[bent++] = sides[band].around;
    }
    for (uint64_t n = 0; n < bent; n++)
        numbers[n] = BFL_AROUND;
    return read_weights(reader, bent, numbers, BFL_AROUND, rows);
}

bandfold_status bfl_read_sides(bfl_refinement_reader *reader, uint64_t bands, uint64_t pixels, int64_t lowest,
                               int64_t highest, bfl_band_side **sides)
{
    bfl_workspace *workspace = reader->workspace;
    int64_t *numbers;
    int32_t **rows;
    BFL_TAKE(*sides, workspace, BFL_SCRATCH, bands);
    BFL_TAKE(numbers, workspace, BFL_SCRATCH, bands);
    BFL_TAKE(rows, workspace, BFL_SCRATCH, bands);
    BFL_TRY(read_within(reader, bands, 0, (int64_t)pixels, numbers));
    for (uint64_t band = 0; band < bands; band++) {
        (*sides)[band].value_count = numbers[band];
        if (numbers[band])
            BFL_TRY(read_values(reader, lowest, highest, &(*sides)[band]));
    }
    BFL_TRY(read_within(reader, bands, 0, BFL_LARGEST_SCALE + 1, numbers));
    for (uint64_t band = 0; band < bands; band++)
        (*sides)[band].scale = (int32_t)numbers[band] - 1;
    return read_predictions(reader, bands, numbers, rows, *sides);
}
