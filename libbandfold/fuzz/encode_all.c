/* Settings are read from the first bytes, as `settings_mutant` of benchmarks/c_mutants.py writes them; what is behind
 * them is samples, which are repeated until there are enough.
 */

#include "encode_all.h"

#include "counting_memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SETTINGS_BYTES = 56, MOST_MEMORY = 1 << 28, MOST_LINE = 1 << 16, MOST_SAMPLES = 1 << 20 };

/* What an encoder has written. */
typedef struct {
    uint8_t *data;
    size_t size, room;
} written;

static int append(void *context, const void *section, size_t size)
{
    written *all = context;
    if (size > all->room - all->size) {
        const size_t room = 2 * (all->room + size);
        uint8_t *larger = realloc(all->data, room);
        if (larger == NULL)
            return 1;
        all->data = larger;
        all->room = room;
    }
    memcpy(all->data + all->size, section, size);
    all->size += size;
    return 0;
}

static uint32_t load_16(const uint8_t *from)
{
    return (uint32_t)from[0] | (uint32_t)from[1] << 8;
}

/* Settings, and how many lines are to be encoded. */
static uint32_t read_settings(const uint8_t from[SETTINGS_BYTES], bandfold_settings *settings)
{
    settings->bands = load_16(from);
    settings->samples = load_16(from + 2);
    settings->type = (bandfold_type)from[4];
    memcpy(&settings->step, from + 5, sizeof settings->step);
    settings->strip_lines = load_16(from + 13);
    settings->effort = (int8_t)from[15];
    settings->repeat = (int8_t)from[16];
    settings->has_no_data = from[17] & 1;
    memcpy(&settings->no_data, from + 18, sizeof settings->no_data);
    settings->source_interleave = (bandfold_interleave)(from[26] & 3);
    memcpy(&settings->bits_per_sample, from + 27, sizeof settings->bits_per_sample);
    settings->buffer = load_16(from + 35);
    settings->reserve = (uint64_t)load_16(from + 37) << (from[39] & 31);
    memcpy(&settings->psnr, from + 40, sizeof settings->psnr);
    memcpy(&settings->rmse, from + 48, sizeof settings->rmse);
    return from[26] >> 2;
}

/* Hand lines over, by turns line by line and band by band. */
static bandfold_status push_all(bandfold_encoder *encoder, const bandfold_settings *settings, uint32_t lines,
                                const uint8_t *samples, size_t size)
{
    const size_t row = settings->samples * bandfold_sample_size(settings->type), line = row * settings->bands;
    bandfold_status status = BANDFOLD_OK;
    uint8_t *memory = line <= MOST_LINE ? malloc(line) : NULL;
    const char *reason;
    /* A line is longer than there is time for. */
    if (memory == NULL)
        return BANDFOLD_OVER_LIMIT;
    for (uint32_t n = 0; status == BANDFOLD_OK && n < lines && n * (uint64_t)line < MOST_SAMPLES; n++) {
        for (size_t at = 0; at < line; at++)
            memory[at] = size ? samples[(n * line + at) % size] : 0;
        if (n % 3)
            status = bandfold_encoder_push(encoder, memory, 1, &reason);
        for (uint32_t band = 0; n % 3 == 0 && status == BANDFOLD_OK && band < settings->bands; band++)
            status = bandfold_encoder_push_band(encoder, memory + row * band, 1, &reason);
    }
    free(memory);
    return status == BANDFOLD_OK ? bandfold_encoder_finish(encoder, &reason) : status;
}

/* Streams that were encoded decode, unless they are so short that they would have to be trusted. */
static void check_stream(const written *stream, const bandfold_bytes *package)
{
    const outcome found = decode_all(stream->data, stream->size, package, 1);
    if (found.damaged == 0 && (found.status == BANDFOLD_OK || found.status == BANDFOLD_OVER_LIMIT))
        return;
    fprintf(stderr, "a stream that was encoded does not decode: %s\n", bandfold_message(found.status));
    abort();
}

outcome encode_all(const void *data, size_t size, const bandfold_bytes *packages, size_t package_count)
{
    outcome found = {.status = BANDFOLD_BAD_ARGUMENT};
    const uint8_t *from = data;
    for (size_t n = 0; size >= SETTINGS_BYTES && n < package_count; n++) {
        counting_memory counted = {0};
        written stream = {0};
        const bandfold_allocator allocator = {take_counted, release_counted, &counted};
        bandfold_settings settings = {.package = packages[n], .write = append, .context = &stream,
                                      .memory_limit = MOST_MEMORY, .allocator = &allocator};
        const uint32_t lines = read_settings(from, &settings);
        bandfold_encoder *encoder;
        const char *reason;
        found.status = bandfold_encoder_open(&settings, &encoder, &reason);
        if (found.status == BANDFOLD_OK)
            found.status = push_all(encoder, &settings, lines, from + SETTINGS_BYTES, size - SETTINGS_BYTES);
        bandfold_encoder_close(encoder);
        check_all_released(&counted);
        found.largest = counted.largest > found.largest ? counted.largest : found.largest;
        if (found.status == BANDFOLD_OK)
            check_stream(&stream, &packages[n]);
        free(stream.data);
    }
    return found;
}
