/* An ENVI header: what describes the file of samples, then the fields that the stream brings along. */

#include "envi_header.h"

#include <stdio.h>
#include <string.h>

/* Fields that are written from what is known of the samples, whatever the stream tells. */
static int is_known(const char *key)
{
    static const char *const KNOWN[] = {"samples",    "lines",      "bands",          "header offset",    "file type",
                                        "data type",  "interleave", "byte order",     "data ignore value"};
    for (size_t n = 0; n < sizeof KNOWN / sizeof *KNOWN; n++)
        if (strcmp(key, KNOWN[n]) == 0)
            return 1;
    return 0;
}

/* A text without what would end its line or its braces. */
static void put_text(FILE *file, const char *text)
{
    for (; *text; text++)
        fputc(*text == '\n' || *text == '\r' || *text == '{' || *text == '}' ? ' ' : *text, file);
}

static void put_field(FILE *file, const bandfold_decoder *decoder, uint32_t field)
{
    const uint32_t count = bandfold_item_count(decoder, field);
    const int is_list = bandfold_field_is_list(decoder, field);
    put_text(file, bandfold_field_key(decoder, field));
    fputs(is_list ? " = {" : " = ", file);
    /* Descriptions have several lines, and go into braces. */
    const int braces = !is_list && strcmp(bandfold_field_key(decoder, field), "description") == 0;
    if (braces)
        fputc('{', file);
    for (uint32_t item = 0; item < count; item++) {
        if (item)
            fputs(", ", file);
        put_text(file, bandfold_item(decoder, field, item));
    }
    fputs(is_list || braces ? "}\n" : "\n", file);
}

int write_envi_header(const char *name, const bandfold_decoder *decoder)
{
    /* ENVI has no signed type of 8 bits: it is written as the unsigned one. */
    static const int TYPES[] = {1, 1, 12, 2, 3, 13, 4, 5};
    const uint16_t one = 1;
    bandfold_info info;
    FILE *file = fopen(name, "w");
    if (file == NULL)
        return 0;
    bandfold_get_info(decoder, &info);
    fprintf(file, "ENVI\nsamples = %u\nlines = %u\nbands = %u\nheader offset = 0\nfile type = ENVI Standard\n",
            (unsigned)info.samples, (unsigned)info.lines, (unsigned)info.bands);
    fprintf(file, "data type = %d\ninterleave = bsq\nbyte order = %d\n", TYPES[info.type],
            *(const unsigned char *)&one ? 0 : 1);
    if (info.has_no_data)
        fprintf(file, "data ignore value = %.17g\n", info.no_data);
    for (uint32_t field = 0; field < bandfold_field_count(decoder); field++)
        if (!is_known(bandfold_field_key(decoder, field)))
            put_field(file, decoder, field);
    const int failed = ferror(file);
    return fclose(file) == 0 && !failed;
}
