/* Choices are told as ranks behind those of their neighbours, absent samples as runs. */

#include "strip_choices.h"

enum { COUNT_MEAN = 256, RUN_MEAN = 262144, RANK_MEAN = 256 };

/* Rank of a choice: that of the block on the left comes first, then that above, then all others by number. */
static int64_t rank_of(const uint8_t *chosen, int64_t row, int64_t column, int64_t columns)
{
    const uint8_t *here = chosen + row * columns + column;
    const int left = column ? here[-1] : -1, above = row && here[-columns] != left ? here[-columns] : -1;
    if (*here == left)
        return 0;
    if (*here == above)
        return left >= 0;
    return *here + (left > *here) + (above > *here);
}

bandfold_status bfl_put_rotation_map(bfl_payload_writer *payload, const uint8_t *chosen, int64_t rows, int64_t columns)
{
    const bfl_block *mark = bfl_mark(payload->workspace, BFL_SCRATCH);
    int64_t *ranks;
    BFL_TAKE(ranks, payload->workspace, BFL_SCRATCH, (uint64_t)(rows * columns));
    for (int64_t row = 0; row < rows; row++)
        for (int64_t column = 0; column < columns; column++)
            ranks[row * columns + column] = rank_of(chosen, row, column, columns);
    BFL_TRY(bfl_put_unsigned(payload, ranks, (uint64_t)(rows * columns), RANK_MEAN));
    bfl_release(payload->workspace, BFL_SCRATCH, mark);
    return BANDFOLD_OK;
}

int64_t bfl_absent_runs(const uint8_t *absent, int64_t bands, int64_t pixels, int64_t *runs)
{
    int64_t count = 0, place = 0, start = 0;
    uint8_t before = 0;
    for (int64_t pixel = 0; pixel < pixels; pixel++)
        for (int64_t band = 0; band < bands; band++, place++) {
            const uint8_t gone = absent[band * pixels + pixel];
            if (gone == before)
                continue;
            if (runs)
                runs[count] = place - start;
            start = place;
            before = gone;
            count++;
        }
    return count;
}

bandfold_status bfl_put_absent(bfl_payload_writer *payload, const uint8_t *absent, int64_t bands, int64_t pixels,
                               int64_t count)
{
    const bfl_block *mark = bfl_mark(payload->workspace, BFL_SCRATCH);
    int64_t *runs;
    BFL_TAKE(runs, payload->workspace, BFL_SCRATCH, (uint64_t)count);
    bfl_absent_runs(absent, bands, pixels, runs);
    BFL_TRY(bfl_put_one(payload, count, COUNT_MEAN));
    BFL_TRY(bfl_put_unsigned(payload, runs, (uint64_t)count, RUN_MEAN));
    bfl_release(payload->workspace, BFL_SCRATCH, mark);
    return BANDFOLD_OK;
}
