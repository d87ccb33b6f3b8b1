/* Reading samples that no count stands for. */

#include "exact_samples.h"

#include "budget.h"

#include <string.h>

enum {
    RECENT = 16,
    FIELD = 26,
    COUNT_MEAN = 4096,
    GAP_MEAN = 262144,
    LENGTH_MEAN = 1024,
    RANK_MEAN = 256,
    HIGH_MEAN = 16384
};

static const char *const BEYOND = "a run of exact samples leads past the end: the segment is corrupt";
static const char *const NO_VALUE = "a run of exact samples names a value that is not there: the segment is corrupt";

/* Where runs are. */
static bandfold_status read_runs(bfl_payload *payload, uint64_t size, bfl_exact_samples *exact)
{
    bfl_workspace *workspace = payload->workspace;
    int64_t pair[2], *gaps, *lengths;
    BFL_TRY(bfl_read_unsigned(payload, 2, COUNT_MEAN, pair));
    if (pair[0] > 1 || pair[1] < 1 || (uint64_t)pair[1] > size)
        return bfl_corrupt(payload, "there are more runs of exact samples than samples: the segment is corrupt");
    const uint64_t runs = (uint64_t)pair[1];
    exact->runs = runs;
    exact->band_by_band = (uint8_t)pair[0];
    BFL_TAKE(gaps, workspace, BFL_SCRATCH, runs);
    BFL_TAKE(lengths, workspace, BFL_SCRATCH, runs);
    BFL_TAKE(exact->starts, workspace, BFL_SCRATCH, runs);
    BFL_TAKE(exact->lengths, workspace, BFL_SCRATCH, runs);
    BFL_TRY(bfl_read_unsigned(payload, runs, GAP_MEAN, gaps));
    BFL_TRY(bfl_read_unsigned(payload, runs, LENGTH_MEAN, lengths));
    uint64_t at = 0, total = 0;
    for (uint64_t n = 0; n < runs; n++) {
        const uint64_t length = (uint64_t)lengths[n] + 1;
        if ((uint64_t)gaps[n] > size - at || length > size - at - (uint64_t)gaps[n])
            return bfl_corrupt(payload, BEYOND);
        exact->starts[n] = at + (uint64_t)gaps[n];
        exact->lengths[n] = length;
        at = exact->starts[n] + length;
        total += length;
    }
    return bfl_charge(workspace, total);
}

/* New values: high bits as differences, then low bits field by field. */
static bandfold_status read_values(bfl_payload *payload, bandfold_type type, uint64_t count, uint64_t *values)
{
    const int width = type == BANDFOLD_FLOAT64 ? 64 : 32;
    int low = type == BANDFOLD_FLOAT64 ? 52 : type == BANDFOLD_FLOAT32 ? 23 : 16;
    int64_t *changes, high = 0;
    BFL_TAKE(changes, payload->workspace, BFL_SCRATCH, count);
    BFL_TRY(bfl_read_signed(payload, count, HIGH_MEAN, changes));
    for (uint64_t n = 0; n < count; n++) {
        high += changes[n];
        if (high < 0 || high >> (width - low))
            return bfl_corrupt(payload, "an exact sample exceeds its type: the segment is corrupt");
        values[n] = (uint64_t)high;
    }
    const int parts = (low + FIELD - 1) / FIELD, field = (low + parts - 1) / parts;
    for (; low > 0; low -= field) {
        const int bits = low < field ? low : field;
        for (uint64_t n = 0; n < count; n++) {
            uint64_t more;
            BFL_TRY(bfl_read_raw(payload, bits, &more));
            values[n] = values[n] << bits | more;
        }
    }
    return BANDFOLD_OK;
}

/* Values of runs from their ranks among those that were used last, in the place of the ranks. */
static bandfold_status resolve(bfl_payload *payload, uint64_t runs, const int64_t *ranks, const uint64_t *fresh,
                               uint64_t *values)
{
    uint64_t recent[RECENT], taken = 0;
    int64_t held = 0;
    for (uint64_t n = 0; n < runs; n++) {
        if (ranks[n] > held)
            return bfl_corrupt(payload, NO_VALUE);
        /* A new value pushes the last one out where the list is full. */
        int64_t place = ranks[n] - 1;
        uint64_t value;
        if (ranks[n]) {
            value = recent[place];
        } else {
            value = fresh[taken++];
            place = held < RECENT ? held++ : RECENT - 1;
        }
        memmove(recent + 1, recent, (size_t)place * sizeof *recent);
        recent[0] = value;
        values[n] = value;
    }
    return BANDFOLD_OK;
}

bandfold_status bfl_read_exact_samples(bfl_payload *payload, const bfl_header *header, uint32_t lines,
                                       bfl_exact_samples *exact)
{
    bfl_workspace *workspace = payload->workspace;
    const uint64_t size = bfl_product(bfl_product(header->bands, lines), header->samples);
    int64_t *ranks;
    uint64_t *fresh, count = 0;
    if (!header->scaled)
        return bfl_corrupt(payload, "a segment keeps samples beside counts that need none: it is corrupt");
    BFL_TRY(read_runs(payload, size, exact));
    BFL_TAKE(ranks, workspace, BFL_SCRATCH, exact->runs);
    BFL_TAKE(exact->values, workspace, BFL_SCRATCH, exact->runs);
    BFL_TRY(bfl_read_unsigned(payload, exact->runs, RANK_MEAN, ranks));
    for (uint64_t n = 0; n < exact->runs; n++) {
        if (ranks[n] > RECENT)
            return bfl_corrupt(payload, NO_VALUE);
        count += ranks[n] == 0;
    }
    BFL_TAKE(fresh, workspace, BFL_SCRATCH, count);
    BFL_TRY(read_values(payload, header->type, count, fresh));
    return resolve(payload, exact->runs, ranks, fresh, exact->values);
}

void bfl_for_exact_samples(const bfl_exact_samples *exact, uint64_t bands, uint64_t pixels,
                           void (*put)(void *context, uint64_t band, uint64_t pixel, uint64_t bits), void *context)
{
    for (uint64_t n = 0; n < exact->runs; n++)
        for (uint64_t k = 0; k < exact->lengths[n]; k++) {
            const uint64_t at = exact->starts[n] + k;
            if (exact->band_by_band)
                put(context, at / pixels, at % pixels, exact->values[n]);
            else
                put(context, at % bands, at / bands, exact->values[n]);
        }
}
