/* Decodes a stream to a file of samples and an ENVI header: bandfold_decode [-p PACKAGE]... IN.bf OUT.raw
 *
 * Strips are decoded one after the other, so that memory does not grow with the scene. Damage is told on standard
 * error.
 */

#include "bandfold.h"
#include "envi_header.h"
#include "file_bytes.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_PACKAGES = 16 };

static int fail(const char *what, const char *reason)
{
    fprintf(stderr, "error: %s: %s\n", what, reason);
    return 1;
}

static void tell_damage(void *context, const bandfold_strip_report *strip)
{
    int *damaged = context;
    if (strip->condition == BANDFOLD_INTACT)
        return;
    *damaged = 1;
    fprintf(stderr, "lines %u:%u are damaged: %s\n", (unsigned)strip->first_line,
            (unsigned)(strip->first_line + strip->lines), strip->reason);
}

/* Write the lines of a strip into their places in a file of whole bands. */
static int write_lines(FILE *file, const bandfold_info *info, const bandfold_request *part, const char *samples)
{
    const size_t line = bandfold_sample_size(info->type) * info->samples, block = line * part->lines;
    for (uint32_t band = 0; band < info->bands; band++) {
        const unsigned long long place = ((unsigned long long)band * info->lines + part->first_line) * line;
        if (place > (unsigned long long)LONG_MAX || fseek(file, (long)place, SEEK_SET) != 0 ||
            fwrite(samples + block * band, 1, block, file) != block)
            return 0;
    }
    return 1;
}

static int decode_strips(bandfold_decoder *decoder, FILE *file, int *damaged)
{
    bandfold_info info;
    const char *reason = "";
    bandfold_get_info(decoder, &info);
    for (uint32_t first = 0; first < info.lines; first += info.strip_lines) {
        const uint32_t left = info.lines - first;
        bandfold_request part = {.first_line = first, .lines = left < info.strip_lines ? left : info.strip_lines,
                                 .report = tell_damage, .context = damaged};
        uint64_t bytes;
        if (bandfold_output_size(decoder, &part, &bytes, &reason) != BANDFOLD_OK)
            return fail("the stream cannot be decoded", reason);
        char *samples = malloc((size_t)bytes);
        if (samples == NULL)
            return fail("the stream cannot be decoded", "there is no memory left");
        const bandfold_status status = bandfold_decode(decoder, &part, samples, (size_t)bytes, &reason);
        const int written = status == BANDFOLD_OK && write_lines(file, &info, &part, samples);
        free(samples);
        if (status != BANDFOLD_OK)
            return fail(bandfold_message(status), reason);
        if (!written)
            return fail("samples cannot be written", "the disk may be full");
    }
    return 0;
}

/* A name with an ending behind it; the process ends where there is no memory for that. */
static char *with_ending(const char *name, const char *ending)
{
    char *joined = malloc(strlen(name) + strlen(ending) + 1);
    if (joined == NULL)
        exit(fail(name, "there is no memory left"));
    strcpy(joined, name);
    return strcat(joined, ending);
}

/* Files are written aside, and have their names once all of it is there. */
static int decode_file(bandfold_decoder *decoder, const char *output)
{
    int damaged = 0;
    uint64_t bytes;
    const char *reason = "";
    /* What claims far too much is refused before any file is made. */
    if (bandfold_output_size(decoder, NULL, &bytes, &reason) != BANDFOLD_OK)
        return fail(bandfold_message(BANDFOLD_OVER_LIMIT), reason);
    char *part = with_ending(output, ".part"), *header = with_ending(output, ".hdr");
    FILE *file = fopen(part, "wb");
    int failed = file ? decode_strips(decoder, file, &damaged) : fail(part, "cannot be written");
    if (file && fclose(file) != 0 && !failed)
        failed = fail(part, "cannot be written");
    if (!failed && !write_envi_header(header, decoder))
        failed = fail(header, "cannot be written");
    if (!failed && rename(part, output) != 0)
        failed = fail(output, "cannot be written");
    if (failed)
        remove(part);
    free(part);
    free(header);
    return failed ? 1 : damaged ? 3 : 0;
}

int main(int count, char **words)
{
    bandfold_bytes packages[MOST_PACKAGES];
    /* Memory is limited by the size of the stream alone: the scene may be larger than the memory of the machine. */
    bandfold_options options = {.memory_limit = UINT64_MAX, .packages = packages};
    int at = 1, result = 1;
    for (; at + 1 < count && strcmp(words[at], "-p") == 0; at += 2) {
        if (options.package_count == MOST_PACKAGES)
            return fail(words[at + 1], "there are too many packages");
        bandfold_bytes *package = &packages[options.package_count];
        package->data = read_file(words[at + 1], &package->size);
        if (package->data == NULL)
            return fail(words[at + 1], "cannot be read");
        options.package_count++;
    }
    if (count - at != 2) {
        fputs("usage: bandfold_decode [-p PACKAGE.bfm]... IN.bf OUT.raw\n", stderr);
        return 2;
    }
    size_t size;
    const char *reason;
    void *stream = read_file(words[at], &size);
    bandfold_decoder *decoder;
    if (stream == NULL)
        return fail(words[at], "cannot be read");
    const bandfold_status status = bandfold_open(stream, size, &options, &decoder, &reason);
    if (status != BANDFOLD_OK)
        fail(bandfold_message(status), reason);
    else
        result = decode_file(decoder, words[at + 1]);
    bandfold_close(decoder);
    free(stream);
    for (size_t n = 0; n < options.package_count; n++)
        free((void *)packages[n].data);
    return result;
}
