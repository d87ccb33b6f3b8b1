/* Masks and maps of a strip. */

#include "block_choices.h"

#include "budget.h"
#include "coding_weights.h"

enum { COUNT_MEAN = 256, RUN_MEAN = 262144, RANK_MEAN = 256, CHANGE_MEAN = 64 };

static const char *const BEYOND = "a run of absent data leads past the end: the segment is corrupt";

bandfold_status bfl_read_mask(bfl_payload *payload, const bfl_header *header, uint32_t lines, uint8_t **absent)
{
    bfl_workspace *workspace = payload->workspace;
    const uint64_t bands = header->bands, pixels = bfl_product(lines, header->samples);
    const uint64_t size = bfl_product(bands, pixels);
    int64_t count, *runs;
    BFL_TRY(bfl_read_unsigned(payload, 1, COUNT_MEAN, &count));
    if ((uint64_t)count > size)
        return bfl_corrupt(payload, "there are more runs of absent data than samples: the segment is corrupt");
    BFL_TAKE(runs, workspace, BFL_SCRATCH, (uint64_t)count);
    BFL_TAKE(*absent, workspace, BFL_SCRATCH, size);
    BFL_TRY(bfl_read_unsigned(payload, (uint64_t)count, RUN_MEAN, runs));
    uint64_t left = size;
    for (int64_t n = 0; n < count; n++) {
        if ((n && runs[n] < 1) || (uint64_t)runs[n] >= left)
            return bfl_corrupt(payload, BEYOND);
        left -= (uint64_t)runs[n];
    }
    /* Runs go pixel by pixel, and within one band by band. */
    uint64_t band = 0, pixel = 0;
    for (int64_t n = 0; n <= count; n++) {
        const uint8_t gone = n & 1;
        for (uint64_t k = n < count ? (uint64_t)runs[n] : left; k > 0; k--) {
            (*absent)[band * pixels + pixel] = gone;
            if (++band == bands) {
                band = 0;
                pixel++;
            }
        }
    }
    return BANDFOLD_OK;
}

/* The choice of a rank: that of the block on the left comes first, then that above, then all others. */
static uint8_t choice_of(const uint8_t *chosen, int64_t row, int64_t column, int64_t columns, int64_t rank)
{
    const uint8_t *here = chosen + row * columns + column;
    const int left = column ? here[-1] : -1, above = row && here[-columns] != left ? here[-columns] : -1;
    if (left >= 0 && rank-- == 0)
        return (uint8_t)left;
    if (above >= 0 && rank-- == 0)
        return (uint8_t)above;
    int choice = 0;
    for (; choice == left || choice == above || rank-- > 0; choice++) {
    }
    return (uint8_t)choice;
}

bandfold_status bfl_read_rotation_map(bfl_payload *payload, int64_t rows, int64_t columns, int64_t matrices,
                                      uint8_t **chosen)
{
    bfl_workspace *workspace = payload->workspace;
    const uint64_t blocks = bfl_product((uint64_t)rows, (uint64_t)columns);
    int64_t *ranks;
    BFL_TRY(bfl_charge(workspace, bfl_product(BFL_BLOCK_WORK, blocks)));
    BFL_TAKE(ranks, workspace, BFL_SCRATCH, blocks);
    BFL_TAKE(*chosen, workspace, BFL_SCRATCH, blocks);
    BFL_TRY(bfl_read_unsigned(payload, blocks, RANK_MEAN, ranks));
    for (int64_t row = 0; row < rows; row++)
        for (int64_t column = 0; column < columns; column++) {
            const int64_t rank = ranks[row * columns + column];
            if (rank >= matrices)
                return bfl_corrupt(payload, "a block chooses a rotation that does not exist: the segment is corrupt");
            (*chosen)[row * columns + column] = choice_of(*chosen, row, column, columns, rank);
        }
    return BANDFOLD_OK;
}

bandfold_status bfl_read_block_weights(bfl_payload *payload, int64_t rows, int64_t columns, uint8_t **codes)
{
    bfl_workspace *workspace = payload->workspace;
    const uint64_t blocks = bfl_product((uint64_t)rows, (uint64_t)columns);
    int64_t *changes;
    BFL_TAKE(changes, workspace, BFL_SCRATCH, blocks);
    BFL_TAKE(*codes, workspace, BFL_SCRATCH, blocks);
    BFL_TRY(bfl_read_signed(payload, blocks, CHANGE_MEAN, changes));
    for (int64_t row = 0; row < rows; row++)
        for (int64_t column = 0; column < columns; column++) {
            uint8_t *code = *codes + row * columns + column;
            const int64_t before = column ? code[-1] : row ? code[-columns] : 0;
            const int64_t found = before + changes[row * columns + column];
            if (found < 0 || found > BFL_LARGEST_WEIGHT_CODE)
                return bfl_corrupt(payload, "a block has an impossible weight: the segment is corrupt");
            *code = (uint8_t)found;
        }
    return BANDFOLD_OK;
}
