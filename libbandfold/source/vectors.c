/* Reading vectors, and making them a basis: docs/format.md#basis. Every operation and its order is that of
 * common/exact.py, so that entries are the same.
 */

#include "vectors.h"

#include "dense_solve.h"
#include "linear.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define BASIS_UNIT 65536.0

enum { COUNT_MEAN = 2048, CHANGE_MEAN = 256 };

uint64_t bfl_vector_work(int64_t length, int64_t count)
{
    return bfl_product(bfl_product((uint64_t)length, (uint64_t)count), (uint64_t)count) / 8;
}

bandfold_status bfl_orthonormalise(bfl_workspace *workspace, double *rows, int64_t length, int64_t count)
{
    const bfl_block *mark = bfl_mark(workspace, BFL_SCRATCH);
    double *spare;
    const uint64_t area = bfl_product((uint64_t)length, (uint64_t)count);
    BFL_TAKE(spare, workspace, BFL_SCRATCH, bfl_sum(area, bfl_sum((uint64_t)length, (uint64_t)count)));
    bf_orthonormalise(rows, length, count, spare);
    bfl_release(workspace, BFL_SCRATCH, mark);
    return BANDFOLD_OK;
}

bandfold_status bfl_read_precisions(bfl_payload *payload, int64_t count, int64_t *precisions)
{
    int64_t precision = BFL_FINEST_PRECISION;
    BFL_TRY(bfl_read_signed(payload, (uint64_t)count, CHANGE_MEAN, precisions));
    for (int64_t n = 0; n < count; n++) {
        precision += precisions[n];
        if (precision < 1 || precision > BFL_FINEST_PRECISION)
            return bfl_corrupt(payload, "a vector has an impossible precision: the stream is corrupt");
        precisions[n] = precision;
    }
    return BANDFOLD_OK;
}

/* Integer part of a square root. */
static uint64_t root_of(uint64_t square)
{
    uint64_t root = 0;
    for (int bit = 31; bit >= 0; bit--) {
        const uint64_t tried = root | (uint64_t)1 << bit;
        root = tried * tried <= square ? tried : root;
    }
    return root;
}

int64_t bfl_expected_entry(int64_t length, int64_t precision)
{
    const uint64_t root = root_of(((uint64_t)(205 * 205) << (2 * precision)) / (uint64_t)length);
    return root ? (int64_t)root : 1;
}

bandfold_status bfl_open_all_rows(bfl_workspace *workspace, int64_t length, int triangular, bfl_open_rows *open)
{
    BFL_TAKE(open->rows, workspace, BFL_SCRATCH, (uint64_t)length);
    for (int64_t n = 0; n < length; n++)
        open->rows[n] = n;
    open->count = length;
    open->triangular = triangular;
    return BANDFOLD_OK;
}

void bfl_close_pivot(const int64_t *entries, bfl_open_rows *open)
{
    if (!open->triangular || !open->count)
        return;
    int64_t pivot = 0;
    for (int64_t n = 1; n < open->count; n++)
        if (llabs(entries[n]) > llabs(entries[pivot]))
            pivot = n;
    open->count--;
    memmove(open->rows + pivot, open->rows + pivot + 1, (size_t)(open->count - pivot) * sizeof *open->rows);
}

void bfl_place_entries(const int64_t *entries, const bfl_open_rows *open, int64_t precision, int64_t length,
                       double *row)
{
    for (int64_t n = 0; n < length; n++)
        row[n] = 0.0;
    for (int64_t n = 0; n < open->count; n++)
        row[open->rows[n]] = ldexp((double)entries[n], -(int)precision);
}

bandfold_status bfl_read_telling(bfl_payload *payload, int64_t *number, bfl_telling *telling)
{
    *telling = BFL_PLAINLY;
    while (*number == BFL_TRIANGULAR && *telling != BFL_BY_ROWS) {
        *telling = *telling == BFL_PLAINLY ? BFL_TRIANGULARLY : BFL_BY_ROWS;
        BFL_TRY(bfl_read_unsigned(payload, 1, COUNT_MEAN, number));
    }
    return BANDFOLD_OK;
}

bandfold_status bfl_begin_rows(bfl_workspace *workspace, int64_t length, int follow, bfl_row_means *rows)
{
    BFL_TAKE(rows->shifts, workspace, BFL_SCRATCH, (uint64_t)length);
    BFL_TAKE(rows->means, workspace, BFL_SCRATCH, (uint64_t)length);
    BFL_TAKE(rows->told, workspace, BFL_SCRATCH, (uint64_t)length);
    for (int64_t n = 0; n < length; n++)
        rows->shifts[n] = rows->means[n] = 0;
    rows->length = length;
    rows->precision = 0;
    rows->follow = follow;
    return BANDFOLD_OK;
}

bandfold_status bfl_read_row_shifts(bfl_payload *payload, bfl_row_means *rows)
{
    int64_t shift = 0;
    BFL_TRY(bfl_read_signed(payload, (uint64_t)rows->length, CHANGE_MEAN, rows->shifts));
    for (int64_t n = 0; n < rows->length; n++) {
        shift += rows->shifts[n];
        if (shift < 0 || shift > BFL_MOST_ROW_SHIFT)
            return bfl_corrupt(payload, "rows of vectors are shifted by an impossible number of bits");
        rows->shifts[n] = shift;
    }
    return BANDFOLD_OK;
}

int64_t bfl_begin_vector(bfl_row_means *means, const bfl_open_rows *open, int64_t precision)
{
    const int64_t change = precision - means->precision;
    means->precision = precision;
    for (int64_t n = 0; means->follow && n < means->length; n++) {
        const int64_t mean = means->means[n], moved = change > 0 ? mean * ((int64_t)1 << change) : mean >> -change;
        means->means[n] = mean && moved < 1 ? 1 : moved;
    }
    for (int64_t n = 0; n < open->count; n++)
        means->told[n] = means->means[open->rows[n]];
    const int64_t mean = open->count ? bfl_expected_entry(open->count, precision) >> means->shifts[open->rows[0]] : 1;
    return mean > 1 ? mean : 1;
}

void bfl_end_vector(bfl_row_means *means, const bfl_open_rows *open)
{
    for (int64_t n = 0; n < open->count; n++)
        means->means[open->rows[n]] = means->told[n];
}

bandfold_status bfl_read_open_entries(bfl_payload *payload, const bfl_open_rows *open, bfl_row_means *means,
                                      int64_t precision, int64_t *entries)
{
    if (!means) {
        const int64_t mean = open->count ? bfl_expected_entry(open->count, precision) : 1;
        return bfl_read_signed(payload, (uint64_t)open->count, mean, entries);
    }
    const int64_t mean = bfl_begin_vector(means, open, precision);
    BFL_TRY(bfl_read_entries(payload, (uint64_t)open->count, mean, means->told, entries));
    bfl_end_vector(means, open);
    return BANDFOLD_OK;
}

bandfold_status bfl_read_vectors(bfl_payload *payload, int64_t length, int64_t count, bfl_telling telling,
                                 bfl_row_means *means, int64_t *precisions, double *rows)
{
    bfl_workspace *workspace = payload->workspace;
    const bfl_block *mark = bfl_mark(workspace, BFL_SCRATCH);
    bfl_open_rows open;
    int64_t *entries;
    BFL_TRY(bfl_read_precisions(payload, count, precisions));
    BFL_TAKE(entries, workspace, BFL_SCRATCH, (uint64_t)length);
    BFL_TRY(bfl_open_all_rows(workspace, length, telling != BFL_PLAINLY, &open));
    for (int64_t k = 0; k < count; k++) {
        BFL_TRY(bfl_read_open_entries(payload, &open, means, precisions[k], entries));
        bfl_place_entries(entries, &open, precisions[k], length, rows + k * length);
        for (int64_t n = 0; means && n < length; n++)
            rows[k * length + n] = ldexp(rows[k * length + n], (int)means->shifts[n]);
        bfl_close_pivot(entries, &open);
    }
    bfl_release(workspace, BFL_SCRATCH, mark);
    return BANDFOLD_OK;
}

/* V inverse(transpose(V) V), with V the rounded basis. */
static bandfold_status invert(bfl_workspace *workspace, const double *weights, bfl_basis *basis)
{
    const int64_t length = basis->length, count = basis->count;
    const bfl_block *mark = bfl_mark(workspace, BFL_SCRATCH);
    double *vectors, *products;
    BFL_TAKE(vectors, workspace, BFL_SCRATCH, bfl_product((uint64_t)length, (uint64_t)count));
    BFL_TAKE(products, workspace, BFL_SCRATCH, bfl_product((uint64_t)count, (uint64_t)count));
    for (int64_t k = 0; k < count; k++)
        for (int64_t n = 0; n < length; n++) {
            const double entry = basis->integers[n * count + k] / BASIS_UNIT;
            vectors[k * length + n] = weights ? entry / weights[n] : entry;
        }
    for (int64_t i = 0; i < count; i++)
        for (int64_t j = 0; j <= i; j++) {
            double sum = 0.0;
            for (int64_t n = 0; n < length; n++)
                sum += vectors[i * length + n] * vectors[j * length + n];
            products[i * count + j] = products[j * count + i] = sum;
        }
    if (!bfl_solve(products, count, vectors, length))
        return bfl_fail(workspace, BANDFOLD_CORRUPT, "vectors depend on each other: the stream is corrupt");
    for (int64_t k = 0; k < count; k++)
        for (int64_t n = 0; n < length; n++) {
            const double entry = vectors[k * length + n];
            basis->inverse[n * count + k] = weights ? entry / weights[n] : entry;
        }
    bfl_release(workspace, BFL_SCRATCH, mark);
    return BANDFOLD_OK;
}

bandfold_status bfl_make_basis(bfl_workspace *workspace, const double *rows, const double *weights, bfl_basis *basis)
{
    const uint64_t entries = bfl_product((uint64_t)basis->length, (uint64_t)basis->count);
    BFL_TAKE(basis->integers, workspace, BFL_LASTING, entries);
    BFL_TAKE(basis->inverse, workspace, BFL_LASTING, entries);
    for (int64_t n = 0; n < basis->length; n++)
        for (int64_t k = 0; k < basis->count; k++) {
            const double entry = rows[k * basis->length + n];
            basis->integers[n * basis->count + k] = rint((weights ? entry * weights[n] : entry) * BASIS_UNIT);
        }
    return invert(workspace, weights, basis);
}
