/* Cells of told values and of relative limits. */

#include "value_axis.h"

#define SHARE_UNIT ((int64_t)65536)

static int64_t held(int64_t value, int64_t low, int64_t high)
{
    return value < low ? low : value > high ? high : value;
}

bandfold_status bfl_used_axis(bfl_workspace *workspace, const int32_t *values, int64_t count, int64_t lowest,
                              int64_t highest, bfl_axis *axis)
{
    *axis = (bfl_axis){.count = count, .lowest = lowest, .highest = highest};
    BFL_TAKE(axis->firsts, workspace, BFL_SCRATCH, (uint64_t)count);
    BFL_TAKE(axis->centres, workspace, BFL_SCRATCH, (uint64_t)count);
    for (int64_t n = 0; n < count; n++) {
        axis->centres[n] = values[n];
        axis->firsts[n] = n ? ((int64_t)values[n - 1] + values[n] + 1) >> 1 : lowest;
    }
    return BANDFOLD_OK;
}

/* Cell that begins with a positive value: its centre, and its last value. */
static void cell_from(int64_t share, int64_t least, int64_t first, int64_t *centre, int64_t *last)
{
    const int64_t limit = first * share / SHARE_UNIT;
    *centre = first + (limit > least ? limit : least);
    const int64_t farthest = *centre * SHARE_UNIT / (SHARE_UNIT - share);
    *last = *centre + least > farthest ? *centre + least : farthest;
}

/* Put cells that begin in a range, of values above 0 (`sign` 1) or of their mirror image; null counts them. */
static int64_t put_cells(const bfl_axis *axis, int64_t share, int64_t least, int sign, int64_t place, int put)
{
    const int64_t low = sign > 0 ? axis->lowest : -axis->highest, high = sign > 0 ? axis->highest : -axis->lowest;
    int64_t count = 0;
    for (int64_t first = low > least + 1 ? low : least + 1, centre, last; first <= high; first = last + 1, count++) {
        cell_from(share, least, first, &centre, &last);
        if (put) {
            const int64_t at = sign > 0 ? place + count : place - count;
            axis->firsts[at] = sign > 0 ? first : -last;
            axis->centres[at] = (int32_t)held(sign * centre, axis->lowest, axis->highest);
        }
    }
    return count;
}

bandfold_status bfl_relative_axis(bfl_workspace *workspace, int64_t share, int64_t least, int64_t lowest,
                                  int64_t highest, bfl_axis *axis)
{
    *axis = (bfl_axis){.lowest = lowest, .highest = highest};
    const int64_t below = put_cells(axis, share, least, -1, 0, 0), above = put_cells(axis, share, least, 1, 0, 0);
    const int around = lowest <= least && highest >= -least;
    axis->count = below + around + above;
    BFL_TAKE(axis->firsts, workspace, BFL_SCRATCH, (uint64_t)axis->count);
    BFL_TAKE(axis->centres, workspace, BFL_SCRATCH, (uint64_t)axis->count);
    put_cells(axis, share, least, -1, below - 1, 1);
    if (around) {
        axis->firsts[below] = -least;
        axis->centres[below] = (int32_t)held(0, lowest, highest);
    }
    put_cells(axis, share, least, 1, below + around, 1);
    return BANDFOLD_OK;
}

int64_t bfl_cell_of(const bfl_axis *axis, int64_t value)
{
    const int64_t inside = held(value, axis->lowest, axis->highest);
    int64_t low = 0, high = axis->count;
    while (high - low > 1) {
        const int64_t middle = low + (high - low) / 2;
        if (axis->firsts[middle] <= inside)
            low = middle;
        else
            high = middle;
    }
    return low;
}
