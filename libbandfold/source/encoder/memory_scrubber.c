/* Tables, package and what was made of them are compared with their checksum. */

#include "memory_scrubber.h"

#include "byte_reader.h"

static uint32_t checksum_of(const bfl_scrubber *scrubber)
{
    uint32_t checksum = 0;
    for (const bfl_block *block = scrubber->last; block != scrubber->first; block = bfl_block_before(block)) {
        const bandfold_bytes content = bfl_block_content(block);
        checksum = bfl_crc32c(checksum, content.data, content.size);
    }
    return checksum;
}

void bfl_begin_scrubbing(const bfl_workspace *workspace, const bfl_block *first, uint32_t strips,
                         bfl_scrubber *scrubber)
{
    *scrubber = (bfl_scrubber){.first = first, .last = bfl_mark(workspace, BFL_LASTING), .strips = strips};
    scrubber->checksum = checksum_of(scrubber);
}

bandfold_status bfl_scrub(bfl_workspace *workspace, bfl_scrubber *scrubber, int in_any_case)
{
    if (!scrubber->strips)
        return BANDFOLD_OK;
    if (!in_any_case && scrubber->since < scrubber->strips) {
        scrubber->since++;
        return BANDFOLD_OK;
    }
    scrubber->since = 1;
    if (checksum_of(scrubber) == scrubber->checksum)
        return BANDFOLD_OK;
    return bfl_fail(workspace, BANDFOLD_FAULT,
                    "bits have flipped in memory: strips since the last look are in doubt; begin another stream");
}
