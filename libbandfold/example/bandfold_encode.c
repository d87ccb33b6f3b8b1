/* Encodes a file of samples with the package of a sensor:
 *
 *     bandfold_encode -p PACKAGE.bfm -b BANDS -s SAMPLES [-t TYPE] [-q STEP | -r BITS | -d DECIBELS] [-l LINES]
 *                     [-e EFFORT] IN.raw OUT.bf
 *
 * STEP is that of the quantiser, in counts; BITS is a rate in bits per sample and DECIBELS a PSNR, in its place.
 * Samples lie line by line, all bands of a line one behind the other (BIL), in the byte order of the machine. The file
 * may be "-", standard input: lines are encoded as they come, so that memory does not grow with the scene.
 */

#include "bandfold.h"
#include "file_bytes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int fail(const char *what, const char *reason)
{
    fprintf(stderr, "error: %s: %s\n", what, reason);
    return 1;
}

static int usage(void)
{
    fputs("usage: bandfold_encode -p PACKAGE.bfm -b BANDS -s SAMPLES [-t uint8|int8|uint16|int16] [-q STEP | -r BITS | "
          "-d DECIBELS] [-l LINES] [-e EFFORT] IN.raw OUT.bf\n",
          stderr);
    return 2;
}

static int write_section(void *context, const void *section, size_t size)
{
    return fwrite(section, 1, size, context) != size;
}

/* A number that is a whole word, in a range. */
static int read_number(const char *word, double least, double most, double *number)
{
    char *end;
    *number = strtod(word, &end);
    return end != word && *end == '\0' && *number >= least && *number <= most;
}

/* Take an option and its value over; returns 0 where it is none. */
static int take_option(char name, const char *value, bandfold_settings *settings, const char **package)
{
    static const char *const TYPES[] = {"uint8", "int8", "uint16", "int16"};
    double number = 0;
    switch (name) {
    case 'p':
        *package = value;
        return 1;
    case 't':
        for (int type = BANDFOLD_UINT8; type <= BANDFOLD_INT16; type++)
            if (strcmp(value, TYPES[type]) == 0) {
                settings->type = (bandfold_type)type;
                return 1;
            }
        return 0;
    case 'q':
        return read_number(value, 0, 1 << 20, &settings->step);
    case 'r':
        return read_number(value, 0, 64, &settings->bits_per_sample);
    case 'd':
        return read_number(value, 0, 140, &settings->psnr);
    default:
        if (strchr("bsle", name) == NULL || !read_number(value, 1, 1 << 24, &number))
            return 0;
    }
    if (name == 'b')
        settings->bands = (uint32_t)number;
    else if (name == 's')
        settings->samples = (uint32_t)number;
    else if (name == 'l')
        settings->strip_lines = (uint32_t)number;
    else
        settings->effort = (int)number;
    return 1;
}

/* Encode all lines of a file. */
static int encode_lines(bandfold_encoder *encoder, const bandfold_settings *settings, FILE *input)
{
    const size_t size = bandfold_sample_size(settings->type) * settings->samples * settings->bands;
    const char *reason = "";
    char *line = malloc(size);
    bandfold_status status = BANDFOLD_OK;
    size_t count = 0;
    if (line == NULL)
        return fail("lines cannot be encoded", "there is no memory left");
    while (status == BANDFOLD_OK && (count = fread(line, 1, size, input)) == size)
        status = bandfold_encoder_push(encoder, line, 1, &reason);
    free(line);
    if (status == BANDFOLD_OK && (count || ferror(input)))
        return fail("lines cannot be read", ferror(input) ? "reading fails" : "the last line is not complete");
    if (status == BANDFOLD_OK)
        status = bandfold_encoder_finish(encoder, &reason);
    return status == BANDFOLD_OK ? 0 : fail(bandfold_message(status), reason);
}

/* The stream is written aside, and has its name once all of it is there. */
static int encode_file(bandfold_settings *settings, FILE *input, const char *output)
{
    const char *reason = "";
    bandfold_encoder *encoder = NULL;
    char *part = malloc(strlen(output) + sizeof ".part");
    if (part == NULL)
        return fail(output, "there is no memory left");
    strcat(strcpy(part, output), ".part");
    FILE *file = fopen(part, "wb");
    settings->write = write_section;
    settings->context = file;
    int failed = file ? 0 : fail(part, "cannot be written");
    if (!failed) {
        const bandfold_status status = bandfold_encoder_open(settings, &encoder, &reason);
        failed = status == BANDFOLD_OK ? encode_lines(encoder, settings, input)
                                       : fail(bandfold_message(status), reason);
    }
    bandfold_encoder_close(encoder);
    if (file && fclose(file) != 0 && !failed)
        failed = fail(part, "cannot be written");
    if (!failed && rename(part, output) != 0)
        failed = fail(output, "cannot be written");
    if (failed)
        remove(part);
    free(part);
    return failed;
}

int main(int count, char **words)
{
    bandfold_settings settings = {.type = BANDFOLD_UINT16, .source_interleave = BANDFOLD_BIL};
    const char *package = NULL;
    int at = 1;
    for (; at + 1 < count && words[at][0] == '-' && words[at][1]; at += 2)
        if (words[at][2] || !take_option(words[at][1], words[at + 1], &settings, &package))
            return usage();
    if (count - at != 2 || package == NULL || settings.bands == 0 || settings.samples == 0)
        return usage();
    if (settings.step == 0 && settings.bits_per_sample == 0 && settings.psnr == 0)
        settings.step = 8;
    settings.package.data = read_file(package, &settings.package.size);
    if (settings.package.data == NULL)
        return fail(package, "cannot be read");
    FILE *input = strcmp(words[at], "-") == 0 ? stdin : fopen(words[at], "rb");
    const int failed = input ? encode_file(&settings, input, words[at + 1]) : fail(words[at], "cannot be read");
    if (input && input != stdin)
        fclose(input);
    free((void *)settings.package.data);
    return failed;
}
