/* The matrix of the cosine transform, and its inverses. */

#include "cosine.h"

#include "context_network.h"
#include "dense_solve.h"
#include "integer_inverse.h"

#include <math.h>

enum { SIDE = 8, COUNT = 64, UNIT_BITS = 14 };

#define UNIT 16384.0

void bfl_fill_cosine(double *cosine)
{
    const double pi = 3.14159265358979323846;
    int32_t vertical[COUNT], horizontal[COUNT];
    double line[SIDE][SIDE];
    bfl_channel_frequencies(vertical, horizontal);
    for (int k = 0; k < SIDE; k++)
        for (int x = 0; x < SIDE; x++)
            line[k][x] = cos(pi * (2 * x + 1) * k / (2 * SIDE)) * sqrt((k == 0 ? 1.0 : 2.0) / SIDE);
    /* No rounding is near a tie: the matrix is the same everywhere. */
    for (int c = 0; c < COUNT; c++)
        for (int p = 0; p < COUNT; p++)
            cosine[c * COUNT + p] = rint(line[vertical[c]][p / SIDE] * line[horizontal[c]][p % SIDE] * UNIT);
}

bandfold_status bfl_make_cosine(bfl_workspace *workspace, bfl_cosine *cosine)
{
    double *matrix, *turned, *scaled;
    BFL_TAKE(cosine->real, workspace, BFL_LASTING, COUNT * COUNT);
    BFL_TAKE(cosine->whole, workspace, BFL_LASTING, COUNT * COUNT);
    const bfl_block *mark = bfl_mark(workspace, BFL_SCRATCH);
    BFL_TAKE(matrix, workspace, BFL_SCRATCH, COUNT * COUNT);
    BFL_TAKE(turned, workspace, BFL_SCRATCH, COUNT * COUNT);
    BFL_TAKE(scaled, workspace, BFL_SCRATCH, COUNT * COUNT);
    bfl_fill_cosine(matrix);
    for (int c = 0; c < COUNT; c++)
        for (int p = 0; p < COUNT; p++) {
            const double entry = matrix[c * COUNT + p];
            turned[p * COUNT + c] = entry;
            scaled[c * COUNT + p] = entry / UNIT;
            cosine->real[c * COUNT + p] = c == p;
        }
    /* It is the same everywhere, and has an inverse. */
    if (!bfl_solve(scaled, COUNT, cosine->real, COUNT))
        return bfl_fail(workspace, BANDFOLD_UNSUPPORTED, "this machine has no cosine that can be used");
    BFL_TRY(bfl_integer_inverse(workspace, turned, COUNT, COUNT, UNIT_BITS, cosine->whole));
    bfl_release(workspace, BFL_SCRATCH, mark);
    return BANDFOLD_OK;
}
