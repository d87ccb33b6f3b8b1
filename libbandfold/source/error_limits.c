/* Limits and refinements by strip. */

#include "error_limits.h"

#include "byte_reader.h"

enum { RELATIVE = 1, EXACT = 2, LARGEST_LIMIT = 65535, SHARE_UNIT = 1 << 16, CHECKSUM = 4 };

void bfl_read_limits(const bfl_section_index *index, uint32_t bands, bfl_limits *limits)
{
    const bfl_section *section = &index->single[BFL_LIMITS];
    bfl_bytes bytes = {section->payload, section->size, 0};
    uint64_t flags, strips, share = 1, count, limit;
    *limits = (bfl_limits){0};
    if (section->payload == NULL || !bfl_read_varint(&bytes, &flags) || !bfl_read_varint(&bytes, &strips) ||
        flags > (RELATIVE | EXACT) || (flags & RELATIVE && !bfl_read_varint(&bytes, &share)) ||
        !bfl_read_varint(&bytes, &count))
        return;
    if ((count != 1 && count != bands) || share < 1 || share >= SHARE_UNIT || (flags & RELATIVE && count != 1))
        return;
    while (count--)
        if (!bfl_read_varint(&bytes, &limit) || limit > LARGEST_LIMIT)
            return;
    if (bytes.at != bytes.size)
        return;
    limits->promised = 1;
    limits->strips = strips;
}

int bfl_refinement_expected(const bfl_section_index *index, const bfl_limits *limits, uint64_t strip)
{
    if (!limits->promised)
        return index->damaged_refinements || index->refinements.count > 0;
    return limits->strips == 0 || strip < limits->strips;
}

const uint8_t *bfl_find_refinement(const bfl_section_index *index, uint64_t strip, const bfl_entry *segment,
                                   uint64_t *size, int *other)
{
    const bfl_entries *found = &index->refinements;
    const uint64_t first = bfl_entry_place(found, strip);
    *other = 0;
    if (first == found->count || found->entries[first].number != strip)
        return NULL;
    const uint32_t checksum = bfl_crc32c(0, segment->data, segment->size);
    for (uint64_t n = first; n < found->count && found->entries[n].number == strip; n++) {
        const bfl_entry *one = &found->entries[n];
        if (bfl_load_32(one->data) == checksum) {
            *size = one->size - CHECKSUM;
            return one->data + CHECKSUM;
        }
        *other = 1;
    }
    return NULL;
}
