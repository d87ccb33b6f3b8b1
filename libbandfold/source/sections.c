/* The walk of docs/format.md#container, with a bound on the work that damage may cause. */

#include "sections.h"

#include "byte_reader.h"

#include <string.h>

enum {
    PREAMBLE = 10,
    VERSION = 2,
    CHECK_BYTES = 5,   /* check and checksum, between the length of a section and its payload */
    EFFORT = 8,        /* times the bytes of the stream that a search may look at */
    FIRST_ROOM = 64
};

static const uint8_t SIGNATURE[8] = {0x89, 'B', 'N', 'D', 'F', '\r', '\n', 0x1a};

typedef struct {
    const uint8_t *stream;
    uint64_t size;
    uint64_t effort; /* bytes that may still be looked at */
    int given_up;
} section_walk;

/* Where a section says that its payload is. */
typedef struct {
    uint64_t behind; /* behind kind and length */
    uint64_t body, end;
    uint32_t checksum;
} frame;

static int read_frame(const section_walk *walk, uint64_t position, frame *found)
{
    bfl_bytes bytes = {walk->stream, walk->size, position + 1};
    uint64_t length;
    if (position >= walk->size || !bfl_read_varint(&bytes, &length))
        return 0;
    const uint64_t behind = bytes.at;
    if (walk->size - behind < CHECK_BYTES)
        return 0;
    const uint32_t check = bfl_crc32c(0, walk->stream + position, behind - position) & 0xff;
    if (walk->stream[behind] != check)
        return 0;
    found->behind = behind;
    found->body = behind + CHECK_BYTES;
    found->end = bfl_sum(found->body, length);
    found->checksum = bfl_load_32(walk->stream + behind + 1);
    return 1;
}

static int is_intact(const section_walk *walk, uint64_t position, const frame *found)
{
    if (found->end > walk->size)
        return 0;
    const uint32_t head = bfl_crc32c(0, walk->stream + position, found->behind - position);
    return bfl_crc32c(head, walk->stream + found->body, found->end - found->body) == found->checksum;
}

static void spend(section_walk *walk, uint64_t bytes)
{
    walk->given_up |= bytes > walk->effort;
    walk->effort -= bytes > walk->effort ? walk->effort : bytes;
}

static int begins(section_walk *walk, uint64_t position)
{
    frame found;
    if (!read_frame(walk, position, &found) || found.end > walk->size)
        return 0;
    spend(walk, found.end - position);
    return !walk->given_up && is_intact(walk, position, &found);
}

/* The next place at which an intact section of a known kind begins, or the end. */
static uint64_t search(section_walk *walk, uint64_t start)
{
    for (uint64_t place = start; place < walk->size; place++) {
        if (walk->stream[place] < BFL_HEADER || walk->stream[place] >= BFL_KINDS)
            continue;
        if (begins(walk, place))
            return place;
        if (walk->given_up)
            break;
    }
    return walk->size;
}

/* The section at a position, up to the next intact one if it is not intact itself; returns where it ends. */
static uint64_t next_section(section_walk *walk, uint64_t position, bfl_section *section)
{
    frame found;
    const int framed = read_frame(walk, position, &found);
    section->kind = walk->stream[position];
    section->intact = framed && !walk->given_up && is_intact(walk, position, &found);
    if (section->intact) {
        section->payload = walk->stream + found.body;
        section->size = found.end - found.body;
        return found.end;
    }
    /* What is intact is walked over once; what is not may lie over the same bytes again and again. */
    if (framed)
        spend(walk, (found.end < walk->size ? found.end : walk->size) - position);
    section->payload = walk->stream + position;
    section->size = 0;
    if (walk->given_up) {
        section->payload = walk->stream + position + 1;
        section->size = walk->size - position - 1;
        return walk->size;
    }
    uint64_t end;
    if (framed && (found.end == walk->size || begins(walk, found.end)))
        end = found.end;
    else
        end = search(walk, position + 1);
    if (framed) {
        const uint64_t last = found.end < end ? found.end : end;
        section->payload = walk->stream + found.body;
        section->size = last > found.body ? last - found.body : 0;
    }
    return end;
}

bandfold_status bfl_find_sections(bfl_workspace *workspace, const uint8_t *stream, uint64_t size,
                                  bfl_sections *sections)
{
    if (size < sizeof SIGNATURE || memcmp(stream, SIGNATURE, sizeof SIGNATURE) != 0)
        return bfl_fail(workspace, BANDFOLD_CORRUPT, "not a bandfold stream: the signature is wrong");
    if (size < PREAMBLE)
        return bfl_fail(workspace, BANDFOLD_CORRUPT, "the stream ends before its version: it is truncated");
    if ((stream[8] | stream[9] << 8) != VERSION)
        return bfl_fail(workspace, BANDFOLD_UNSUPPORTED, "the stream has a version of the format other than 2");
    section_walk walk = {stream, size, bfl_product(size, EFFORT), 0};
    uint64_t room = FIRST_ROOM;
    BFL_TAKE(sections->found, workspace, BFL_LASTING, room);
    sections->count = 0;
    for (uint64_t position = PREAMBLE; position < size; sections->count++) {
        if (sections->count == room) {
            bfl_section *larger;
            BFL_TAKE(larger, workspace, BFL_LASTING, 2 * room);
            memcpy(larger, sections->found, (size_t)room * sizeof *larger);
            sections->found = larger;
            room *= 2;
        }
        position = next_section(&walk, position, &sections->found[sections->count]);
    }
    return BANDFOLD_OK;
}
