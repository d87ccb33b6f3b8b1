/* Reading rotations, docs/format.md#rotation. */

#include "rotations.h"

#include "budget.h"
#include "dense_solve.h"

#include <math.h>

enum { COUNT_MEAN = 2048, MOST = 64 };

#define BASIS_UNIT 65536.0

/* Inverse of the transposed matrix of a rotation. */
static bandfold_status invert(bfl_workspace *workspace, const double *integers, int64_t size, double *inverse)
{
    double *matrix;
    BFL_TAKE(matrix, workspace, BFL_SCRATCH, (uint64_t)size * (uint64_t)size);
    for (int64_t i = 0; i < size; i++)
        for (int64_t j = 0; j < size; j++) {
            matrix[i * size + j] = integers[j * size + i] / BASIS_UNIT;
            inverse[i * size + j] = i == j;
        }
    return bfl_solve(matrix, size, inverse, size)
               ? BANDFOLD_OK
               : bfl_fail(workspace, BANDFOLD_CORRUPT, "a rotation has no inverse: the stream is corrupt");
}

bandfold_status bfl_read_rotations(bfl_payload *payload, bfl_rotations *rotations)
{
    bfl_workspace *workspace = payload->workspace;
    int64_t pair[2], precisions[MOST];
    double *rows;
    BFL_TRY(bfl_read_unsigned(payload, 2, COUNT_MEAN, pair));
    bfl_telling telling;
    bfl_row_means means;
    BFL_TRY(bfl_read_telling(payload, pair, &telling));
    const int64_t count = pair[0], size = pair[1];
    if (count < 1 || count > MOST || size < 1 || size > MOST)
        return bfl_corrupt(payload, "there is an impossible number of rotations: the stream is corrupt");
    BFL_TRY(bfl_charge(workspace, (uint64_t)count * bfl_vector_work(size, size)));
    const uint64_t entries = (uint64_t)size * (uint64_t)size;
    rotations->count = count;
    rotations->size = size;
    BFL_TAKE(rotations->integers, workspace, BFL_LASTING, (uint64_t)count);
    BFL_TAKE(rotations->inverse, workspace, BFL_LASTING, (uint64_t)count);
    BFL_TAKE(rows, workspace, BFL_SCRATCH, entries);
    if (telling == BFL_BY_ROWS) {
        BFL_TRY(bfl_begin_rows(workspace, size, 0, &means));
        BFL_TRY(bfl_read_row_shifts(payload, &means));
    }
    for (int64_t n = 0; n < count; n++) {
        double *integers, *inverse;
        BFL_TAKE(integers, workspace, BFL_LASTING, entries);
        BFL_TAKE(inverse, workspace, BFL_LASTING, entries);
        BFL_TRY(bfl_read_vectors(payload, size, size, telling, telling == BFL_BY_ROWS ? &means : NULL, precisions, rows));
        BFL_TRY(bfl_orthonormalise(workspace, rows, size, size));
        for (int64_t i = 0; i < size; i++)
            for (int64_t k = 0; k < size; k++)
                integers[i * size + k] = rint(rows[k * size + i] * BASIS_UNIT);
        BFL_TRY(invert(workspace, integers, size, inverse));
        rotations->integers[n] = integers;
        rotations->inverse[n] = inverse;
    }
    return BANDFOLD_OK;
}
