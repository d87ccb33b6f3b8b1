/* A plugin of HDF5 that decodes chunks which are bandfold streams: h5py, h5dump, netCDF-C and others find it where
 * HDF5_PLUGIN_PATH says. Chunks are written by Python (hdf5filter/). What is needed of HDF5 is declared here, so that
 * its headers are not, and one plugin serves all versions from 1.8.11 on.
 */

#include "filter_words.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FILTER = 46606, CLASS_VERSION = 1, PLUGIN_TYPE_FILTER = 0, REVERSE = 0x0100 };
enum { PREAMBLE = 10, CHECKS = 5, SEGMENT = 5 };

typedef struct {
    int version, id;
    unsigned encoder_present, decoder_present;
    const char *name;
    int (*can_apply)(int64_t, int64_t, int64_t);
    int (*set_local)(int64_t, int64_t, int64_t);
    size_t (*filter)(unsigned flags, size_t word_count, const unsigned *words, size_t size, size_t *room, void **buffer);
} filter_class;

BANDFOLD_API int H5PLget_plugin_type(void);
BANDFOLD_API const void *H5PLget_plugin_info(void);

/* HDF5 drops what its filters say. */
static size_t refused(const char *reason)
{
    fprintf(stderr, "bandfold filter: a chunk cannot be read: %s\n", reason);
    return 0;
}

static size_t read_varint(const uint8_t *data, size_t size, size_t at, uint64_t *value)
{
    *value = 0;
    for (int shift = 0; at < size && shift < 63; shift += 7) {
        *value |= (uint64_t)(data[at] & 127) << shift;
        if (data[at++] < 128)
            return at;
    }
    return 0;
}

/* Number of the first strip whose segment a stream holds; the decoder finds out whether it is intact. */
static int find_strip(const uint8_t *data, size_t size, uint64_t *strip)
{
    size_t at = PREAMBLE;
    while (at < size) {
        uint64_t length;
        const uint8_t kind = data[at];
        at = read_varint(data, size, at + 1, &length);
        if (at == 0 || size - at < CHECKS || size - at - CHECKS < length)
            return 0;
        at += CHECKS;
        if (kind == SEGMENT)
            return read_varint(data, size, at, strip) != 0;
        at += (size_t)length;
    }
    return 0;
}

static void look_for_damage(void *context, const bandfold_strip_report *strip)
{
    if (strip->condition != BANDFOLD_INTACT)
        *(const char **)context = strip->reason;
}

/* Put samples, band by band, into the order of the data set, and a strip that is lower than its chunk above zeros. */
static void arrange(const chunk_form *form, const uint32_t shape[3], const uint8_t *from, uint8_t *to)
{
    const size_t size = bandfold_sample_size(form->type);
    const int axes[3] = {form->band_axis, form->band_axis == 0 ? 1 : 0, form->band_axis == 2 ? 1 : 2};
    size_t strides[3] = {form->shape[1] * form->shape[2] * size, form->shape[2] * size, size};
    for (uint32_t band = 0; band < shape[0]; band++) {
        for (uint32_t line = 0; line < shape[1]; line++) {
            uint8_t *place = to + band * strides[axes[0]] + line * strides[axes[1]];
            for (uint32_t sample = 0; sample < shape[2]; sample++, from += size, place += strides[axes[2]])
                for (size_t byte = 0; byte < size; byte++)
                    place[byte] = from[form->swapped ? size - 1 - byte : byte];
        }
    }
}

/* Which lines of the stream are the chunk: all of them, or those of the only strip. */
static const char *choose_lines(const chunk_form *form, const bandfold_info *info, const void *data, size_t size,
                                bandfold_request *lines)
{
    const int axis = form->band_axis;
    const uint64_t wanted[3] = {form->shape[axis], form->shape[axis == 0], form->shape[axis == 2 ? 1 : 2]};
    uint64_t strip;
    if (info->type != form->type || info->bands != wanted[0] || info->samples != wanted[2])
        return "it is of another array";
    lines->lines = info->lines;
    if (info->lines == wanted[1])
        return NULL;
    if (axis != 0 || info->strip_lines != wanted[1])
        return "it is of another array";
    if (!find_strip(data, size, &strip) || strip >= (info->lines + wanted[1] - 1) / wanted[1])
        return "it holds no segment";
    lines->first_line = (uint32_t)(strip * wanted[1]);
    if (info->lines - lines->first_line > info->strip_lines)
        lines->lines = info->strip_lines;
    else
        lines->lines = info->lines - lines->first_line;
    return NULL;
}

/* Decode a chunk into new memory; null, and the reason, where that is not possible. */
static void *decode_chunk(const chunk_form *form, const void *data, size_t size, uint64_t *bytes, const char **reason)
{
    const char *damage = NULL;
    bandfold_request lines = {.report = look_for_damage, .context = (void *)&damage};
    bandfold_decoder *decoder;
    bandfold_info info;
    uint64_t held;
    void *chunk = NULL;
    if (bandfold_open(data, size, NULL, &decoder, reason) != BANDFOLD_OK)
        return NULL;
    bandfold_get_info(decoder, &info);
    *reason = choose_lines(form, &info, data, size, &lines);
    *bytes = form->shape[0] * form->shape[1] * form->shape[2] * bandfold_sample_size(form->type);
    if (*reason == NULL && bandfold_output_size(decoder, &lines, &held, reason) == BANDFOLD_OK) {
        void *samples = malloc((size_t)held);
        chunk = calloc(1, (size_t)*bytes);
        *reason = "there is not enough memory";
        if (samples && chunk && bandfold_decode(decoder, &lines, samples, (size_t)held, reason) == BANDFOLD_OK)
            *reason = damage;
        if (chunk && *reason == NULL) {
            const uint32_t shape[3] = {info.bands, lines.lines, info.samples};
            arrange(form, shape, samples, chunk);
        } else {
            free(chunk);
            chunk = NULL;
        }
        free(samples);
    }
    bandfold_close(decoder);
    return chunk;
}

static size_t filter(unsigned flags, size_t word_count, const unsigned *words, size_t size, size_t *room, void **buffer)
{
    chunk_form form;
    uint64_t bytes;
    const char *reason = "";
    if (!(flags & REVERSE))
        return refused("this plugin decodes only: write with bandfold.hdf5filter");
    if (!read_filter_words(words, word_count, &form))
        return refused("what the file says of its bandfold filter is not understood");
    void *chunk = decode_chunk(&form, *buffer, size, &bytes, &reason);
    if (chunk == NULL)
        return refused(reason);
    free(*buffer);
    *buffer = chunk;
    *room = (size_t)bytes;
    return (size_t)bytes;
}

static const filter_class CLASS = {CLASS_VERSION, FILTER, 0, 1, "bandfold", NULL, NULL, filter};

int H5PLget_plugin_type(void)
{
    return PLUGIN_TYPE_FILTER;
}

const void *H5PLget_plugin_info(void)
{
    return &CLASS;
}
