/* Calls of all functions, with an allocator that counts. */

#include "decode_all.h"

#include "counting_memory.h"

#include <stdlib.h>
#include <string.h>

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

static bandfold_status decode_part(bandfold_decoder *decoder, const bandfold_request *part, counting_memory *counted)
{
    uint64_t bytes;
    const char *reason;
    bandfold_status status = bandfold_output_size(decoder, part, &bytes, &reason);
    if (status != BANDFOLD_OK)
        return status;
    void *samples = take_counted(counted, (size_t)bytes);
    if (samples == NULL)
        return BANDFOLD_NO_MEMORY;
    status = bandfold_decode(decoder, part, samples, (size_t)bytes, &reason);
    release_counted(counted, samples);
    return status;
}

outcome decode_all(const void *data, size_t size, const bandfold_bytes *packages, size_t package_count)
{
    outcome found = {0};
    counting_memory counted = {0};
    const bandfold_allocator allocator = {take_counted, release_counted, &counted};
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
    check_all_released(&counted);
    found.largest = counted.largest;
    return found;
}
