/* The payload is written first, behind room for what comes before it. */

#include "section_writer.h"

#include "byte_reader.h"

#include <string.h>

/* Kind, length, check of both, checksum of all. */
enum { LONGEST_FRAME = 1 + BFL_LONGEST_VARINT + 1 + 4 };

bandfold_status bfl_begin_section(bfl_workspace *workspace, uint64_t room, bfl_output_bytes *payload)
{
    uint8_t *memory;
    BFL_TAKE(memory, workspace, BFL_SCRATCH, bfl_sum(room, LONGEST_FRAME));
    *payload = (bfl_output_bytes){.data = memory + LONGEST_FRAME, .room = room};
    return BANDFOLD_OK;
}

uint64_t bfl_section_size(uint64_t payload)
{
    uint64_t length = 1;
    for (uint64_t rest = payload; rest > 0x7f; rest >>= 7)
        length++;
    return 1 + length + 1 + 4 + payload;
}

bandfold_status bfl_end_section(bfl_workspace *workspace, bfl_kind kind, const bfl_output_bytes *payload,
                                bandfold_bytes *section)
{
    uint8_t memory[LONGEST_FRAME];
    bfl_output_bytes frame = {.data = memory, .room = sizeof memory};
    if (payload->full)
        return bfl_fail(workspace, BANDFOLD_FAULT, "a section is longer than it can be");
    bfl_put_byte(&frame, (uint8_t)kind);
    bfl_put_varint(&frame, payload->size);
    const uint32_t check = bfl_crc32c(0, memory, frame.size);
    bfl_put_byte(&frame, (uint8_t)check);
    /* The check is not part of what the checksum is of. */
    bfl_put_32(&frame, bfl_crc32c(check, payload->data, payload->size));
    uint8_t *start = payload->data - frame.size;
    memcpy(start, memory, (size_t)frame.size);
    *section = (bandfold_bytes){start, (size_t)(payload->size + frame.size)};
    return BANDFOLD_OK;
}
