/* Calls of all functions, with an allocator that counts. */

#include "decode_all.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Bytes that are held; each block begins with its size. */
typedef struct {
    uint64_t held, largest;
} tally;

typedef union {
    size_t size;
    max_align_t aligned;
} head;

static void *allocate(void *context, size_t size)
{
    tally *counted = context;
    head *block = malloc(sizeof *block + size);
    if (block == NULL)
        return NULL;
    block->size = size;
    counted->held += size;
    counted->largest = counted->held > counted->largest ? counted->held : counted->largest;
    return block + 1;
}

static void release(void *context, void *memory)
{
    tally *counted = context;
    head *block = (head *)memory - 1;
    counted->held -= block->size;
    free(block);
}

static void count_damage(void *context, const bandfold_strip_report *strip)
{
    outcome *found = context;
    found->damaged += strip->condition != BANDFOLD_INTACT;
    /* A reason that is no text would be found here. */
    if (strip->condition != BANDFOLD_INTACT && strlen(strip->reason) == 0)
        abort();
}

/* Look at all that a stream tells; returns how many bytes that was. */
static size_t look_at_fields(const bandfold_decoder *decoder, const bandfold_info *info)
{
    size_t total = 0;
    double *wavelengths = malloc(info->bands * sizeof *wavelengths);
    for (uint32_t field = 0; field < bandfold_field_count(decoder); field++) {
        total += strlen(bandfold_field_key(decoder, field));
        for (uint32_t item = 0; item < bandfold_item_count(decoder, field); item++)
            total += strlen(bandfold_item(decoder, field, item));
    }
    if (wavelengths)
        total += (size_t)bandfold_wavelengths(decoder, wavelengths);
    free(wavelengths);
    return total;
}

static bandfold_status decode_part(bandfold_decoder *decoder, const bandfold_request *part, tally *counted)
{
    uint64_t bytes;
    const char *reason;
    bandfold_status status = bandfold_output_size(decoder, part, &bytes, &reason);
    if (status != BANDFOLD_OK)
        return status;
    void *samples = allocate(counted, (size_t)bytes);
    if (samples == NULL)
        return BANDFOLD_NO_MEMORY;
    status = bandfold_decode(decoder, part, samples, (size_t)bytes, &reason);
    release(counted, samples);
    return status;
}

outcome decode_all(const void *data, size_t size, const bandfold_bytes *packages, size_t package_count)
{
    outcome found = {0};
    tally counted = {0};
    const bandfold_allocator allocator = {allocate, release, &counted};
    const bandfold_options options = {.packages = packages, .package_count = package_count, .allocator = &allocator};
    bandfold_decoder *decoder;
    const char *reason;
    found.status = bandfold_open(data, size, &options, &decoder, &reason);
    if (found.status == BANDFOLD_OK) {
        bandfold_info info;
        bandfold_get_info(decoder, &info);
        look_at_fields(decoder, &info);
        const bandfold_request whole = {.report = count_damage, .context = &found};
        const bandfold_request part = {.first_band = info.bands / 2, .bands = 1,
                                       .first_line = info.lines / 2, .lines = 1};
        found.status = decode_part(decoder, &whole, &counted);
        decode_part(decoder, &part, &counted);
    }
    bandfold_close(decoder);
    if (counted.held) {
        fprintf(stderr, "%llu bytes were not given back\n", (unsigned long long)counted.held);
        abort();
    }
    found.largest = counted.largest;
    return found;
}
