/* The cosine transform and rotations of blocks whose components lie side by side.
 *
 * float32, operation by operation, from the first sum to the last.
 */
#ifndef BANDFOLD_COSINES_H
#define BANDFOLD_COSINES_H

#include "wide.h"

enum { EDGE = 8, HALF = EDGE / 2, MOST_TURNED = 64 };

/* Eight numbers that lie `stride` apart, times the matrix, in place: even rows are symmetric, odd ones antisymmetric. */
BF_INLINE void to_cosines(const float matrix[EDGE * EDGE], wide *x, int stride)
{
    wide found[EDGE];
    for (int u = 0; u < EDGE; u++)
        found[u] = (wide){0};
    for (int k = 0; k < HALF; k++) {
        const wide one = x[k * stride], other = x[(EDGE - 1 - k) * stride];
        const wide sum = one + other, difference = one - other;
        for (int u = 0; u < EDGE; u++)
            found[u] = found[u] + matrix[u * EDGE + k] * (u % 2 ? difference : sum);
    }
    for (int u = 0; u < EDGE; u++)
        x[u * stride] = found[u];
}

/* The other way. */
BF_INLINE void from_cosines(const float matrix[EDGE * EDGE], wide *x, int stride)
{
    wide even[HALF], odd[HALF];
    for (int k = 0; k < HALF; k++)
        even[k] = odd[k] = (wide){0};
    for (int u = 0; u < EDGE; u++) {
        const wide latent = x[u * stride];
        for (int k = 0; k < HALF; k++) {
            if (u % 2)
                odd[k] = odd[k] + matrix[u * EDGE + k] * latent;
            else
                even[k] = even[k] + matrix[u * EDGE + k] * latent;
        }
    }
    for (int k = 0; k < HALF; k++) {
        x[k * stride] = even[k] + odd[k];
        x[(EDGE - 1 - k) * stride] = even[k] - odd[k];
    }
}

/* The first `size` numbers of each row times a matrix of shape [size][width], in place; what fills the width is 0. */
BF_INLINE void turn_first(float *rows, int64_t count, int64_t filled, const float *matrix, int64_t size, int64_t width)
{
    for (int64_t row = 0; row < count; row++, rows += filled) {
        float own[MOST_TURNED];
        memcpy(own, rows, sizeof *own * size);
        for (int64_t first = 0; first < width; first += WIDE) {
            wide sum = {0};
            for (int64_t k = 0; k < size; k++)
                sum = sum + own[k] * loaded(matrix + k * width + first);
            const int64_t live = size - first < WIDE ? size - first : WIDE;
            memcpy(rows + first, &sum, sizeof *rows * live);
        }
    }
}

#endif
