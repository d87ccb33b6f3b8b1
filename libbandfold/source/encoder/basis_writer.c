/* No vectors of a fold are written, but numbers of components and at most one matrix. */

#include "basis_writer.h"

#include "fold.h"
#include "payload_writer.h"
#include "vectors.h"

#include <string.h>

enum { ENTRY_MEAN = 128 };

/* Differences of numbers, the first one from `before`. */
static bandfold_status put_changes(bfl_payload_writer *payload, const int64_t *values, int64_t count, int64_t before,
                                   int64_t mean)
{
    const bfl_block *mark = bfl_mark(payload->workspace, BFL_SCRATCH);
    int64_t *changes;
    BFL_TAKE(changes, payload->workspace, BFL_SCRATCH, (uint64_t)count);
    for (int64_t n = 0; n < count; n++)
        changes[n] = values[n] - (n ? values[n - 1] : before);
    BFL_TRY(bfl_put_signed(payload, changes, (uint64_t)count, mean));
    bfl_release(payload->workspace, BFL_SCRATCH, mark);
    return BANDFOLD_OK;
}

/* Band means, as differences from those of the package. */
static bandfold_status put_means(bfl_payload_writer *payload, const bfl_planned_fold *fold)
{
    const bfl_block *mark = bfl_mark(payload->workspace, BFL_SCRATCH);
    const int64_t bands = fold->sensor->bands;
    int64_t *codes;
    BFL_TAKE(codes, payload->workspace, BFL_SCRATCH, (uint64_t)bands);
    for (int64_t band = 0; band < bands; band++)
        codes[band] = (fold->means[band] >> fold->mean_shift) - (fold->sensor->means[band] >> fold->mean_shift);
    BFL_TRY(bfl_put_one(payload, fold->mean_shift, BFL_COUNT_MEAN));
    BFL_TRY(put_changes(payload, codes, bands, 0, BFL_MEAN_MEAN));
    bfl_release(payload->workspace, BFL_SCRATCH, mark);
    return BANDFOLD_OK;
}

static bandfold_status put_turn(bfl_payload_writer *payload, const bfl_turn *turn)
{
    const bfl_block *mark = bfl_mark(payload->workspace, BFL_SCRATCH);
    const int64_t shape[2] = {turn->width, turn->count};
    int64_t *column;
    BFL_TAKE(column, payload->workspace, BFL_SCRATCH, (uint64_t)turn->width);
    BFL_TRY(bfl_put_unsigned(payload, shape, 2, BFL_COUNT_MEAN));
    BFL_TRY(bfl_put_one(payload, 1, BFL_CHANGE_MEAN));
    BFL_TRY(put_changes(payload, turn->shifts, turn->width, 0, BFL_CHANGE_MEAN));
    BFL_TRY(put_changes(payload, turn->precisions, turn->count, BFL_FINEST_PRECISION, BFL_CHANGE_MEAN));
    for (int64_t k = 0; k < turn->count; k++) {
        /* Codes are multiples of what they are shifted by. */
        for (int64_t n = 0; n < turn->width; n++)
            column[n] = turn->codes[n * turn->count + k] >> turn->shifts[n];
        BFL_TRY(bfl_put_signed(payload, column, (uint64_t)turn->width, ENTRY_MEAN));
    }
    bfl_release(payload->workspace, BFL_SCRATCH, mark);
    return BANDFOLD_OK;
}

/* Components that are coded as they are, as the numbers of those left out before each. */
static bandfold_status put_others(bfl_payload_writer *payload, const bfl_planned_fold *fold)
{
    const int64_t intervals = fold->sensor->intervals, *others = fold->others;
    BFL_TRY(bfl_put_unsigned(payload, fold->other_counts, (uint64_t)intervals, BFL_COUNT_MEAN));
    for (int64_t i = 0; i < intervals; others += fold->other_counts[i++]) {
        const bfl_block *mark = bfl_mark(payload->workspace, BFL_SCRATCH);
        int64_t *gaps;
        BFL_TAKE(gaps, payload->workspace, BFL_SCRATCH, (uint64_t)fold->other_counts[i]);
        for (int64_t k = 0; k < fold->other_counts[i]; k++)
            gaps[k] = others[k] - (k ? others[k - 1] + 1 : fold->rows[i]);
        BFL_TRY(bfl_put_unsigned(payload, gaps, (uint64_t)fold->other_counts[i], BFL_CHANGE_MEAN));
        bfl_release(payload->workspace, BFL_SCRATCH, mark);
    }
    return BANDFOLD_OK;
}

/* Number of a basis and its payload, as a section. */
static bandfold_status finish(bfl_payload_writer *payload, bfl_kind kind, uint64_t number, bandfold_bytes *section)
{
    bfl_output_bytes content;
    BFL_TRY(bfl_begin_section(payload->workspace, BFL_LONGEST_VARINT + bfl_payload_room(payload), &content));
    bfl_put_varint(&content, number);
    BFL_TRY(bfl_end_payload(payload, &content));
    return bfl_end_section(payload->workspace, kind, &content, section);
}

bandfold_status bfl_write_fold(bfl_workspace *workspace, const bfl_tables *tables, const bfl_planned_fold *fold,
                               uint64_t number, bandfold_bytes *section)
{
    const bfl_turn *turn = &fold->turn;
    const int64_t others = fold->outside, intervals = fold->sensor->intervals;
    const int64_t integers = 4 + fold->sensor->bands + 2 * intervals + turn->width + turn->count +
                             turn->width * turn->count + others;
    bfl_payload_writer payload;
    BFL_TRY(bfl_begin_payload(workspace, tables, (uint64_t)integers, 0, 0, 0, &payload));
    BFL_TRY(put_means(&payload, fold));
    BFL_TRY(bfl_put_unsigned(&payload, fold->rows, (uint64_t)intervals, BFL_COUNT_MEAN));
    BFL_TRY(put_turn(&payload, turn));
    BFL_TRY(put_others(&payload, fold));
    return finish(&payload, BFL_FOLD, number, section);
}

bandfold_status bfl_write_rotations(bfl_workspace *workspace, const bfl_tables *tables, const bfl_matrices *matrices,
                                    uint64_t number, bandfold_bytes *section)
{
    const int64_t size = matrices->size, shape[2] = {BFL_TRIANGULAR, size};
    bfl_payload_writer payload;
    bfl_row_means means;
    BFL_TRY(bfl_begin_rows(workspace, size, 0, &means));
    BFL_TRY(bfl_begin_payload(workspace, tables, (uint64_t)(4 + size + matrices->count * size * (size + 1)), 0, 0, 0,
                              &payload));
    BFL_TRY(bfl_put_unsigned(&payload, shape, 2, BFL_COUNT_MEAN));
    BFL_TRY(bfl_put_one(&payload, BFL_TRIANGULAR, BFL_COUNT_MEAN));
    BFL_TRY(bfl_put_one(&payload, matrices->count, BFL_COUNT_MEAN));
    BFL_TRY(put_changes(&payload, matrices->row_shifts, size, 0, BFL_CHANGE_MEAN));
    memcpy(means.shifts, matrices->row_shifts, (size_t)size * sizeof *means.shifts);
    for (int64_t one = 0; one < matrices->count; one++) {
        const int64_t *codes = matrices->codes + one * size * size, *precisions = matrices->precisions + one * size;
        const bfl_block *mark = bfl_mark(workspace, BFL_SCRATCH);
        bfl_open_rows open;
        BFL_TRY(bfl_open_all_rows(workspace, size, 1, &open));
        BFL_TRY(put_changes(&payload, precisions, size, BFL_FINEST_PRECISION, BFL_CHANGE_MEAN));
        for (int64_t k = 0; k < size; k++) {
            int64_t column[BFL_MOST_ROTATED];
            for (int64_t n = 0; n < open.count; n++)
                column[n] = codes[open.rows[n] * size + k];
            const int64_t mean = bfl_begin_vector(&means, &open, precisions[k]);
            BFL_TRY(bfl_put_entries(&payload, column, (uint64_t)open.count, mean, means.told));
            bfl_end_vector(&means, &open);
            bfl_close_pivot(column, &open);
        }
        bfl_release(workspace, BFL_SCRATCH, mark);
    }
    return finish(&payload, BFL_ROTATION, number, section);
}
