/* Weights of pixels by how much they look alike: see ground/restoration/pixel_similarity.py.
 *
 * float32, operation by operation; sums in eight lanes, which are added in pairs.
 */

#include "lanes.h"

#include <string.h>

enum { OWN = 64, AROUND = 576, WIDTH = 8 };

typedef float singles __attribute__((vector_size(32)));
typedef int32_t integers __attribute__((vector_size(32)));

BF_INLINE singles loaded(const float *from)
{
    singles x;
    memcpy(&x, from, sizeof x);
    return x;
}

/* About exp(x), and 0 below -87: `_exponential` of ground/restoration/pixel_similarity.py. */
BF_INLINE singles exponential(singles x)
{
    const float magic = 12582912.0f; /* 1.5 * 2**23 */
    const integers seen = x >= -87.0f;
    x = (singles)(((integers)x & seen));
    const singles octave = (x * 1.44269504f + magic) - magic;
    singles rest = x - octave * 0.693359375f;
    rest = rest + octave * 2.12194440e-4f;
    singles y = rest * 1.9875691500e-4f + 1.3981999507e-3f;
    y = y * rest + 8.3334519073e-3f;
    y = y * rest + 4.1665795894e-2f;
    y = y * rest + 1.6666665459e-1f;
    y = y * rest + 5.0000001201e-1f;
    y = y * (rest * rest) + rest + 1.0f;
    const integers power = (__builtin_convertvector(octave, integers) + 127) << 23;
    y = y * (singles)power;
    return (singles)((integers)y & seen);
}

/* Weights of [kernels][blocks][64][576] and their sums of [kernels][blocks][64].
 *
 * `others` is of shape [blocks][components][576], `present` of [blocks][576], `own` the places of a block's pixels
 * among those around, `falls` of [kernels][2]: what a squared difference and a squared distance are multiplied by.
 */
BF_EXPORT BF_CLONES void bf_similarity(const float *others, const float *present, const int32_t *own,
                                       const float *distances, const float *falls, int64_t blocks,
                                       int64_t components, int64_t kernels, float *weights, float *sums)
{
    float differences[AROUND];
    for (int64_t block = 0; block < blocks; block++) {
        const float *planes = others + block * components * AROUND, *there = present + block * AROUND;
        for (int64_t pixel = 0; pixel < OWN; pixel++) {
            for (int at = 0; at < AROUND; at += WIDTH) {
                singles total = {0};
                for (int64_t one = 0; one < components; one++) {
                    const float *plane = planes + one * AROUND;
                    const singles difference = loaded(plane + at) - plane[own[pixel]];
                    total = total + difference * difference;
                }
                memcpy(differences + at, &total, sizeof total);
            }
            for (int64_t kernel = 0; kernel < kernels; kernel++) {
                const int64_t row = (kernel * blocks + block) * OWN + pixel;
                const float by_difference = falls[2 * kernel], by_distance = falls[2 * kernel + 1];
                singles total = {0};
                for (int at = 0; at < AROUND; at += WIDTH) {
                    const singles exponent = loaded(differences + at) * by_difference +
                                             loaded(distances + pixel * AROUND + at) * by_distance;
                    const singles weight = exponential(exponent) * loaded(there + at);
                    memcpy(weights + row * AROUND + at, &weight, sizeof weight);
                    total = total + weight;
                }
                sums[row] = ((total[0] + total[1]) + (total[2] + total[3])) +
                            ((total[4] + total[5]) + (total[6] + total[7]));
            }
        }
    }
}
