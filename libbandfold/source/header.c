/* Reading the header, docs/format.md#header. */

#include "header.h"

#include "byte_reader.h"

#include <math.h>
#include <string.h>

enum {
    SPECTRAL = 1,
    REGIONS = 2,
    SCALED = 4,
    UNSIGNED = 8,
    NO_DATA = 16,
    SENSOR = 32,
    OWN_SCALINGS = 64,
    WEIGHTS = 128,
    MOST_BANDS = 1 << 16,
    LARGEST_DIMENSION = 1 << 24,
    BLOCK = 8
};

static const char *const CORRUPT = "the header of the stream is corrupt";

/* Name and identity of a package; an empty name is none. */
static int read_reference(bfl_bytes *bytes, bfl_reference *reference, uint8_t *there)
{
    uint64_t length;
    *there = 0;
    if (!bfl_read_varint(bytes, &length) || length > bytes->size - bytes->at ||
        !bfl_is_utf8(bytes->data + bytes->at, length))
        return 0;
    reference->name = bytes->data + bytes->at;
    reference->length = length;
    bytes->at += length;
    if (length == 0)
        return 1;
    if (bytes->size - bytes->at < 8)
        return 0;
    memcpy(reference->identity, bytes->data + bytes->at, 8);
    bytes->at += 8;
    *there = 1;
    return 1;
}

static int read_own_scalings(bfl_bytes *bytes, bfl_header *header)
{
    uint64_t count, next = 0;
    if (!bfl_read_varint(bytes, &count) || count < 1 || count > header->bands)
        return 0;
    while (count--) {
        uint64_t gap;
        uint8_t doublings;
        double offset;
        if (!bfl_read_varint(bytes, &gap) || gap >= header->bands - next || !bfl_read_byte(bytes, &doublings) ||
            !bfl_read_double(bytes, &offset) || !isfinite(offset))
            return 0;
        header->own_doublings[next + gap] = doublings;
        header->own_offsets[next + gap] = offset;
        next += gap + 1;
    }
    return 1;
}

static bandfold_status read_scaling(bfl_workspace *workspace, bfl_bytes *bytes, uint8_t flags, bfl_header *header)
{
    if (!bfl_read_double(bytes, &header->scale) || !bfl_read_double(bytes, &header->offset) ||
        !isfinite(header->scale) || header->scale == 0.0 || !isfinite(header->offset))
        return bfl_fail(workspace, BANDFOLD_CORRUPT, CORRUPT);
    BFL_TAKE(header->own_doublings, workspace, BFL_LASTING, header->bands);
    BFL_TAKE(header->own_offsets, workspace, BFL_LASTING, header->bands);
    for (uint32_t band = 0; band < header->bands; band++)
        header->own_offsets[band] = header->offset;
    if (flags & OWN_SCALINGS && (!read_own_scalings(bytes, header) || !bfl_scales_are_finite(header, 0)))
        return bfl_fail(workspace, BANDFOLD_CORRUPT, CORRUPT);
    return BANDFOLD_OK;
}

/* Range of the integers that are coded. */
static void set_range(uint8_t flags, bfl_header *header)
{
    static const int32_t LOWEST[4] = {0, INT8_MIN, 0, INT16_MIN};
    static const int32_t HIGHEST[4] = {UINT8_MAX, INT8_MAX, UINT16_MAX, INT16_MAX};
    const bandfold_type coded = !header->scaled ? header->type : flags & UNSIGNED ? BANDFOLD_UINT16 : BANDFOLD_INT16;
    header->lowest = LOWEST[coded];
    header->highest = HIGHEST[coded];
}

/* What the flags of a header must not say together. */
static int is_consistent(const bfl_header *header)
{
    return (header->transform != BFL_COSINE) == header->has_model && !(header->has_model && header->spectral) &&
           !(header->regional && header->has_model) &&
           !(header->weighted && (header->has_sensor || !(header->spectral || header->transform == BFL_PREDICTED))) &&
           !(header->quantiser && !header->spectral) && !(header->has_sensor && !header->spectral);
}

bandfold_status bfl_read_header(bfl_workspace *workspace, const uint8_t *payload, uint64_t size, bfl_header *header)
{
    bfl_bytes bytes = {payload, size, 5};
    uint64_t fields[5];
    *header = (bfl_header){0};
    if (size < 5 || payload[1] > BANDFOLD_FLOAT64 || payload[2] > 7 || (payload[2] & 3) > BANDFOLD_BIP ||
        payload[3] > BFL_PREDICTED || payload[4] > BFL_TRELLIS_32)
        return bfl_fail(workspace, BANDFOLD_CORRUPT, CORRUPT);
    for (int n = 0; n < 5; n++)
        if (!bfl_read_varint(&bytes, &fields[n]))
            return bfl_fail(workspace, BANDFOLD_CORRUPT, CORRUPT);
    const uint64_t bands = fields[0], lines = fields[1], samples = fields[2], blocks = fields[3];
    if (bands < 1 || bands > MOST_BANDS || lines > LARGEST_DIMENSION || samples < 1 || samples > LARGEST_DIMENSION ||
        blocks < 1 || blocks > LARGEST_DIMENSION || fields[4] < 1 || bytes.size - bytes.at < 8)
        return bfl_fail(workspace, BANDFOLD_CORRUPT, CORRUPT);
    memcpy(header->tables, payload + bytes.at, 8);
    bytes.at += 8;
    const uint8_t flags = payload[0];
    header->bands = (uint32_t)bands;
    header->lines = lines ? (uint32_t)lines : 1;
    header->open = lines == 0;
    header->samples = (uint32_t)samples;
    header->strip_lines = (uint32_t)blocks * BLOCK;
    header->step_code = fields[4];
    header->type = (bandfold_type)payload[1];
    header->interleave = (bandfold_interleave)(payload[2] & 3);
    header->big_endian = payload[2] >> 2;
    header->transform = (bfl_transform)payload[3];
    header->quantiser = payload[4];
    header->spectral = (flags & SPECTRAL) != 0;
    header->regional = (flags & REGIONS) != 0;
    header->weighted = (flags & WEIGHTS) != 0;
    header->scaled = (flags & SCALED) != 0;
    header->has_no_data = (flags & NO_DATA) != 0;
    if (header->scaled != (header->type >= BANDFOLD_INT32) || (flags & OWN_SCALINGS && !header->scaled))
        return bfl_fail(workspace, BANDFOLD_CORRUPT, CORRUPT);
    set_range(flags, header);
    if (header->scaled)
        BFL_TRY(read_scaling(workspace, &bytes, flags, header));
    if ((header->has_no_data && !bfl_read_double(&bytes, &header->no_data)) ||
        !read_reference(&bytes, &header->model, &header->has_model) ||
        (flags & SENSOR && (!read_reference(&bytes, &header->sensor, &header->has_sensor) || !header->has_sensor)) ||
        bytes.at != bytes.size || !is_consistent(header))
        return bfl_fail(workspace, BANDFOLD_CORRUPT, CORRUPT);
    return BANDFOLD_OK;
}

uint32_t bfl_strip_count(const bfl_header *header)
{
    return (uint32_t)(((uint64_t)header->lines + header->strip_lines - 1) / header->strip_lines);
}

uint32_t bfl_strip_height(const bfl_header *header, uint64_t strip)
{
    const uint64_t left = header->lines - strip * header->strip_lines;
    return left < header->strip_lines ? (uint32_t)left : header->strip_lines;
}

double bfl_band_scale(const bfl_header *header, uint32_t band, uint32_t doublings)
{
    return header->scale * ldexp(1.0, (int)doublings) * ldexp(1.0, header->own_doublings[band]);
}

int bfl_scales_are_finite(const bfl_header *header, uint32_t doublings)
{
    for (uint32_t band = 0; header->scaled && band < header->bands; band++)
        if (!isfinite(bfl_band_scale(header, band, doublings)))
            return 0;
    return !header->scaled || isfinite(header->scale * ldexp(1.0, (int)doublings));
}
