/* One step of the iteration of Newton and Schulz from the transpose: B (2 I - B'B). */

#include "integer_inverse.h"

#include <math.h>

enum { INVERSE_BITS = 22 };

#define LARGEST 268435456.0 /* 2**28 */

bandfold_status bfl_integer_inverse(bfl_workspace *workspace, const double *integers, int64_t length, int64_t count,
                                    int bits, double *inverse)
{
    const bfl_block *mark = bfl_mark(workspace, BFL_SCRATCH);
    const int64_t twice = (int64_t)2 << (2 * bits);
    const int shift = 3 * bits - INVERSE_BITS;
    int64_t *entries, *lacking;
    BFL_TAKE(entries, workspace, BFL_SCRATCH, bfl_product((uint64_t)length, (uint64_t)count));
    BFL_TAKE(lacking, workspace, BFL_SCRATCH, bfl_product((uint64_t)count, (uint64_t)count));
    for (int64_t n = 0; n < length * count; n++)
        entries[n] = (int64_t)integers[n];
    for (int64_t n = 0; n < length; n++)
        for (int64_t i = 0; i < count; i++) {
            const int64_t entry = entries[n * count + i];
            for (int64_t j = 0; j < count; j++)
                lacking[i * count + j] -= entry * entries[n * count + j];
        }
    for (int64_t i = 0; i < count; i++)
        lacking[i * count + i] += twice;
    for (int64_t n = 0; n < length; n++)
        for (int64_t j = 0; j < count; j++) {
            int64_t sum = (int64_t)1 << (shift - 1);
            for (int64_t i = 0; i < count; i++)
                sum += entries[n * count + i] * lacking[i * count + j];
            inverse[n * count + j] = (double)(sum >> shift);
        }
    bfl_release(workspace, BFL_SCRATCH, mark);
    return BANDFOLD_OK;
}

double bfl_cut_sum(double sum)
{
    const double rounded = rint(sum * (1.0 / BFL_INVERSE_UNIT));
    return rounded < -LARGEST ? -LARGEST : rounded > LARGEST ? LARGEST : rounded;
}
