/* Changes what sections of a stream hold, behind right lengths and checksums: libFuzzer's own changes hardly ever come
 * past those. One change of five is libFuzzer's own all the same.
 */

#include "byte_reader.h"
#include "fuzz_target.h"

#include <stdlib.h>
#include <string.h>

enum { PREAMBLE = 10, CHECKS = 5, MOST_HEAD = 16, MOST_SECTIONS = 64, SEGMENT = 5, REFINEMENT = 7 };

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t room);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t room, unsigned int seed);

typedef struct {
    size_t start, body, end;
} section;

/* The sections of a stream, up to the first one that does not lie within it. */
static size_t find_sections(const uint8_t *data, size_t size, section found[MOST_SECTIONS])
{
    size_t count = 0;
    bfl_bytes bytes = {data, size, PREAMBLE};
    while (count < MOST_SECTIONS && bytes.at < size) {
        section *one = &found[count];
        uint64_t length;
        one->start = (size_t)bytes.at++;
        if (!bfl_read_varint(&bytes, &length) || size - bytes.at < CHECKS || size - bytes.at - CHECKS < length)
            break;
        one->body = (size_t)bytes.at + CHECKS;
        one->end = one->body + (size_t)length;
        bytes.at = one->end;
        count++;
    }
    return count;
}

/* Kind, length and checksums of a section, in front of what it holds; returns how many bytes they are. */
static size_t write_head(uint8_t head[MOST_HEAD], uint8_t kind, const uint8_t *payload, size_t size)
{
    size_t length = 0, left = size;
    head[length++] = kind;
    for (; left > 127; left >>= 7)
        head[length++] = (uint8_t)(left | 128);
    head[length++] = (uint8_t)left;
    const uint32_t behind = bfl_crc32c(0, head, length), checksum = bfl_crc32c(behind, payload, size);
    head[length++] = (uint8_t)behind;
    for (int n = 0; n < 4; n++)
        head[length++] = (uint8_t)(checksum >> 8 * n);
    return length;
}

/* A refinement names the checksum of the segment of its strip: it goes with one that has been changed. */
static void link_refinements(uint8_t *data, size_t size)
{
    section found[MOST_SECTIONS];
    const size_t count = find_sections(data, size, found);
    for (size_t n = 0; n < count * count; n++) {
        const section *from = &found[n / count], *to = &found[n % count];
        uint8_t *payload = data + to->body, head[MOST_HEAD];
        if (data[from->start] != SEGMENT || data[to->start] != REFINEMENT || from->end == from->body ||
            to->end - to->body < 5 || data[from->body] != payload[0])
            continue;
        const uint32_t checksum = bfl_crc32c(0, data + from->body, from->end - from->body);
        for (int byte = 0; byte < 4; byte++)
            payload[1 + byte] = (uint8_t)(checksum >> 8 * byte);
        const size_t length = write_head(head, REFINEMENT, payload, to->end - to->body);
        if (length == to->body - to->start)
            memcpy(data + to->start, head, length);
    }
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t room, unsigned int seed)
{
    section found[MOST_SECTIONS];
    const size_t count = find_sections(data, size, found);
    if (count == 0 || seed % 5 == 0 || room < size + MOST_HEAD)
        return LLVMFuzzerMutate(data, size, room);
    const section *one = &found[seed / 5 % count];
    const size_t most = room - size - MOST_HEAD + (one->end - one->body);
    uint8_t *payload = malloc(most + 1), head[MOST_HEAD];
    if (payload == NULL)
        return size;
    memcpy(payload, data + one->body, one->end - one->body);
    const size_t held = LLVMFuzzerMutate(payload, one->end - one->body, most);
    const size_t length = write_head(head, data[one->start], payload, held), tail = size - one->end;
    memmove(data + one->start + length + held, data + one->end, tail);
    memcpy(data + one->start, head, length);
    memcpy(data + one->start + length, payload, held);
    free(payload);
    size = one->start + length + held + tail;
    link_refinements(data, size);
    return size;
}
