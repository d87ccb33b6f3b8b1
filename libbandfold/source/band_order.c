/* Bands tier by tier. */

#include "band_order.h"

#include "budget.h"

enum {
    COUNT_MEAN = 512,
    OFFSET_MEAN = 128,
    WEIGHT_MEAN = 2048,
    COARSEST = 8,
    FURTHER = 2,
    LARGEST_OFFSET = 1 << 20,
    LARGEST_WEIGHT = 1 << 14,
    WEIGHT_UNIT = 1024
};

/* Append a band with those of the bands at some distances that are coded already. */
static void append(bfl_ordered_band *one, int64_t band, int64_t tier, const int64_t *distances, int count,
                   int64_t bands, const uint8_t *coded)
{
    one->band = band;
    one->tier = tier;
    for (int n = 0; n < count && one->reference_count < BFL_MOST_REFERENCES; n++) {
        const int64_t other = band + distances[n];
        if (other >= 0 && other < bands && coded[other])
            one->references[one->reference_count++] = other;
    }
}

bandfold_status bfl_order_bands(bfl_workspace *workspace, const bfl_fold *fold, int64_t bands,
                                bfl_ordered_band **ordered)
{
    const int64_t first = fold->begin < bands - 1 ? fold->begin : bands - 1;
    int64_t distance = (int64_t)1 << fold->tiers;
    uint8_t *coded;
    BFL_TAKE(*ordered, workspace, BFL_SCRATCH, (uint64_t)bands);
    BFL_TAKE(coded, workspace, BFL_SCRATCH, (uint64_t)bands);
    bfl_ordered_band *next = *ordered;
    const int64_t below[4] = {-distance, -2 * distance, -3 * distance, -4 * distance};
    for (int64_t band = first; band < bands; band += distance) {
        append(next++, band, 0, below, fold->tiers ? 2 : 4, bands, coded);
        coded[band] = 1;
    }
    for (int64_t tier = 1; tier <= fold->tiers; tier++) {
        distance /= 2;
        const int64_t around[5] = {-distance, distance, -3 * distance, 3 * distance, -2 * distance};
        for (int64_t band = (first + distance) % (2 * distance); band < bands; band += 2 * distance) {
            append(next++, band, tier, around, 5, bands, coded);
            coded[band] = 1;
        }
    }
    return BANDFOLD_OK;
}

/* Logarithm of the unit of a weight. */
static int unit_of(int64_t place, int64_t shift)
{
    return place == 0 ? (int)shift : shift + FURTHER < COARSEST ? (int)shift + FURTHER : COARSEST;
}

/* Weights of a band from their changes; `last` holds those of the last band with as many. */
static bandfold_status take_weights(bfl_payload *payload, bfl_ordered_band *one, const int64_t *changes, int64_t shift,
                                    int64_t last[BFL_MOST_REFERENCES])
{
    for (int64_t place = 0; place < one->weight_count; place++) {
        last[place] += changes[place];
        const int64_t unit = (int64_t)1 << unit_of(place, shift);
        if (last[place] > LARGEST_WEIGHT / unit || last[place] < -(LARGEST_WEIGHT / unit))
            return bfl_corrupt(payload, "a band is predicted with weights out of range: the segment is corrupt");
        one->weights[place] = (int32_t)(last[place] * unit);
    }
    return BANDFOLD_OK;
}

bandfold_status bfl_read_predictions(bfl_payload *payload, int64_t bands, bfl_ordered_band *ordered)
{
    bfl_workspace *workspace = payload->workspace;
    int64_t shift, *counts, *offsets, *changes, total = 0;
    int64_t last[BFL_MOST_REFERENCES + 1][BFL_MOST_REFERENCES];
    BFL_TRY(bfl_charge(workspace, bfl_product(BFL_BLOCK_WORK, (uint64_t)bands)));
    BFL_TRY(bfl_read_unsigned(payload, 1, COUNT_MEAN, &shift));
    if (shift > COARSEST)
        return bfl_corrupt(payload, "weights are in units that are too large: the segment is corrupt");
    BFL_TAKE(counts, workspace, BFL_SCRATCH, (uint64_t)bands);
    BFL_TAKE(offsets, workspace, BFL_SCRATCH, (uint64_t)bands);
    BFL_TRY(bfl_read_unsigned(payload, (uint64_t)bands, COUNT_MEAN, counts));
    for (int64_t n = 0; n < bands; n++) {
        if (counts[n] > ordered[n].reference_count)
            return bfl_corrupt(payload, "a band is predicted from more bands than it may be: the segment is corrupt");
        total += counts[n];
    }
    BFL_TRY(bfl_read_signed(payload, (uint64_t)bands, OFFSET_MEAN, offsets));
    BFL_TAKE(changes, workspace, BFL_SCRATCH, (uint64_t)total);
    BFL_TRY(bfl_read_signed(payload, (uint64_t)total, WEIGHT_MEAN, changes));
    for (int64_t n = 1; n <= BFL_MOST_REFERENCES; n++)
        for (int64_t place = 0; place < n; place++)
            last[n][place] = (WEIGHT_UNIT / n) >> unit_of(place, shift);
    for (int64_t n = 0; n < bands; n++) {
        if (offsets[n] > LARGEST_OFFSET || offsets[n] < -LARGEST_OFFSET)
            return bfl_corrupt(payload, "a band is predicted with an offset out of range: the segment is corrupt");
        ordered[n].offset = offsets[n];
        ordered[n].weight_count = (int32_t)counts[n];
        BFL_TRY(take_weights(payload, &ordered[n], changes, shift, last[counts[n]]));
        changes += counts[n];
    }
    return BANDFOLD_OK;
}

/* How many eighths of an octave the step of a band is above that of its strip. */
static int64_t eighths_of(const bfl_fold *fold, const bfl_ordered_band *one)
{
    int64_t sum = 0;
    if (fold->steps)
        return fold->steps[one->band];
    for (int64_t tier = 0; tier <= one->tier; tier++)
        sum += fold->gains[tier];
    return sum;
}

uint64_t bfl_band_step(const bfl_fold *fold, uint64_t step_code, const bfl_ordered_band *one)
{
    static const uint64_t EIGHTHS[8] = {256, 279, 304, 332, 362, 395, 431, 470};
    const int64_t eighths = eighths_of(fold, one);
    const int64_t octaves = (eighths + 128) / 8 - 16;
    const uint64_t factor = EIGHTHS[eighths - 8 * octaves];
    uint64_t step;
    /* 15 octaves at most, up or down. A step beyond 2**32 counts leads nowhere, and is cut beyond that. */
    if (octaves >= 0) {
        const uint64_t held = step_code < (uint64_t)1 << 39 ? step_code : (uint64_t)1 << 39;
        step = (held * factor << octaves) >> 8;
    } else {
        const int shift = (int)(8 - octaves);
        const uint64_t whole = step_code >> shift, rest = step_code - (whole << shift);
        const uint64_t held = whole < (uint64_t)1 << 50 ? whole : (uint64_t)1 << 50;
        step = held * factor + (rest * factor >> shift);
    }
    return step ? step : 1;
}
