/* The layout of a segment, docs/format.md#segment. */

#include "segment_layout.h"

#include "byte_reader.h"

enum { FOLD = 1, ROTATED = 2, STEP = 4, LOW = 8, COARSE = 16, EXACT = 32, KNOWN = 63, MOST_DOUBLINGS = 255 };

static const char *const TRUNCATED = "a segment ends too early: it is corrupt";

/* Read fields of a segment; returns where they end, 0 where they break a rule. */
static uint64_t read_fields(const uint8_t *payload, uint64_t size, bfl_place *place)
{
    bfl_bytes bytes = {payload, size, 0};
    uint64_t doublings = 1;
    uint8_t flags;
    *place = (bfl_place){0};
    if (!bfl_read_varint(&bytes, &place->index) || !bfl_read_byte(&bytes, &flags) || flags > KNOWN)
        return 0;
    place->rotated = (flags & ROTATED) != 0;
    place->exact = (flags & EXACT) != 0;
    place->step_code = place->lines = 1;
    if ((flags & FOLD && !bfl_read_varint(&bytes, &place->fold)) ||
        (flags & ROTATED && !bfl_read_varint(&bytes, &place->rotation)) ||
        (flags & STEP && !bfl_read_varint(&bytes, &place->step_code)) ||
        (flags & LOW && !bfl_read_varint(&bytes, &place->lines)) ||
        (flags & COARSE && !bfl_read_varint(&bytes, &doublings)))
        return 0;
    if (place->step_code == 0 || place->lines == 0 || doublings == 0 || doublings > MOST_DOUBLINGS)
        return 0;
    place->step_code = flags & STEP ? place->step_code : 0;
    place->lines = flags & LOW ? place->lines : 0;
    place->doublings = flags & COARSE ? (uint32_t)doublings : 0;
    return bytes.at;
}

bandfold_status bfl_read_place(bfl_workspace *workspace, const uint8_t *payload, uint64_t size, bfl_place *place)
{
    return read_fields(payload, size, place)
               ? BANDFOLD_OK
               : bfl_fail(workspace, BANDFOLD_CORRUPT, "a segment says impossible things of itself: it is corrupt");
}

/* Chunks from the list of them on; see docs/format.md#chunks. */
static bandfold_status split_chunks(bfl_workspace *workspace, bfl_bytes bytes, uint64_t count, int intact,
                                    bfl_segment *segment)
{
    BFL_TAKE(segment->chunks, workspace, BFL_SCRATCH, count);
    for (uint64_t n = 0; n < count; n++) {
        uint8_t worth;
        if (!bfl_read_varint(&bytes, &segment->chunks[n].components) || !bfl_read_byte(&bytes, &worth) ||
            !bfl_read_varint(&bytes, &segment->chunks[n].size))
            return bfl_fail(workspace, BANDFOLD_CORRUPT, TRUNCATED);
    }
    const uint64_t head = bytes.at;
    if (count > (bytes.size - head) / 4)
        return bfl_fail(workspace, BANDFOLD_CORRUPT, TRUNCATED);
    uint64_t start = head + 4 * count;
    for (; segment->count < count; segment->count++) {
        bfl_chunk *chunk = &segment->chunks[segment->count];
        if (chunk->size > bytes.size - start)
            break;
        chunk->data = bytes.data + start;
        const uint32_t before = segment->count ? 0 : bfl_crc32c(0, bytes.data, head);
        if (bfl_crc32c(before, chunk->data, chunk->size) != bfl_load_32(bytes.data + head + 4 * segment->count))
            break;
        start += chunk->size;
    }
    segment->lost = count - segment->count;
    if (segment->count == 0 || (intact && (segment->lost || start != bytes.size)))
        return bfl_fail(workspace, BANDFOLD_CORRUPT, "chunks of a segment do not make it up: it is corrupt");
    return BANDFOLD_OK;
}

bandfold_status bfl_split_segment(bfl_workspace *workspace, const uint8_t *payload, uint64_t size, int intact,
                                  bfl_segment *segment)
{
    *segment = (bfl_segment){0};
    BFL_TRY(bfl_read_place(workspace, payload, size, &segment->place));
    bfl_bytes bytes = {payload, size, read_fields(payload, size, &segment->place)};
    uint64_t count;
    if (!bfl_read_varint(&bytes, &count))
        return bfl_fail(workspace, BANDFOLD_CORRUPT, TRUNCATED);
    if (count < 1 || count > size)
        return bfl_fail(workspace, BANDFOLD_CORRUPT, "a segment has an impossible number of chunks: it is corrupt");
    if (count > 1)
        return split_chunks(workspace, bytes, count, intact, segment);
    BFL_TAKE(segment->chunks, workspace, BFL_SCRATCH, 1);
    if (!bfl_read_varint(&bytes, &segment->chunks[0].components))
        return bfl_fail(workspace, BANDFOLD_CORRUPT, TRUNCATED);
    if (!intact)
        return bfl_fail(workspace, BANDFOLD_CORRUPT, "a segment has a wrong checksum, and but one chunk");
    segment->chunks[0].data = payload + bytes.at;
    segment->chunks[0].size = size - bytes.at;
    segment->count = 1;
    return BANDFOLD_OK;
}
