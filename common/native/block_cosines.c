/* The cosine transform of blocks whose components lie side by side: see ground/restoration/block_cosines.py.
 *
 * float32, operation by operation, from the first sum to the last.
 */

#include "kernels.h"

#include <string.h>

#if defined(__GNUC__)
#pragma GCC diagnostic ignored "-Wpsabi" /* All functions that take vectors are inlined. */
#endif

enum { EDGE = 8, WIDTH = 8 };

typedef float singles __attribute__((vector_size(4 * WIDTH)));

/* Eight numbers that lie `from` apart, times the matrix. */
BF_INLINE void transform(const float matrix[EDGE * EDGE], const singles *x, int stride, singles found[EDGE])
{
    for (int u = 0; u < EDGE; u++) {
        singles sum = {0};
        for (int k = 0; k < EDGE; k++)
            sum = sum + matrix[u * EDGE + k] * x[k * stride];
        found[u] = sum;
    }
}

/* Blocks of pixels become latents, in place: shape [blocks][64][components]. `matrix` of [8][8] is the transform of a
 * line, `channels` of [64] tells where the frequencies, line by line, go to.
 */
BF_EXPORT BF_CLONES void bf_block_cosines(float *blocks, const float *matrix, const int32_t *channels, int64_t count,
                                          int64_t components)
{
    for (int64_t block = 0; block < count; block++, blocks += BF_CHANNELS * components)
        for (int64_t first = 0; first < components; first += WIDTH) {
            const size_t live = sizeof *blocks * (components - first < WIDTH ? components - first : WIDTH);
            singles x[BF_CHANNELS] = {{0}}, rows[EDGE];
            for (int pixel = 0; pixel < BF_CHANNELS; pixel++)
                memcpy(&x[pixel], blocks + pixel * components + first, live);
            for (int sample = 0; sample < EDGE; sample++) {
                transform(matrix, x + sample, EDGE, rows);
                for (int u = 0; u < EDGE; u++)
                    x[u * EDGE + sample] = rows[u];
            }
            for (int u = 0; u < EDGE; u++) {
                transform(matrix, x + u * EDGE, 1, rows);
                for (int v = 0; v < EDGE; v++)
                    memcpy(blocks + channels[u * EDGE + v] * components + first, &rows[v], live);
            }
        }
}
