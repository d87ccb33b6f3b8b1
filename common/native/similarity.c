/* Weights of pixels by how much they look alike: see ground/restoration/pixel_similarity.py.
 *
 * float32, operation by operation; sums in eight lanes, which are added in pairs.
 */

#include "lanes.h"

#include <string.h>

enum { OWN = 64, AROUND = 576, WIDTH = 8, TOGETHER = 4 };

typedef float singles __attribute__((vector_size(32)));
typedef int32_t integers __attribute__((vector_size(32)));

BF_INLINE singles loaded(const float *from)
{
    singles x;
    memcpy(&x, from, sizeof x);
    return x;
}

/* About exp(x), and 0 below -41: `_exponential` of ground/restoration/pixel_similarity.py. */
BF_INLINE singles exponential(singles x)
{
    const float magic = 12582912.0f; /* 1.5 * 2**23 */
    const integers seen = x >= -41.0f;
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

/* The square, and 0 of what is less than 2**-30. */
BF_INLINE singles squared(singles x)
{
    const integers seen = x >= 9.31322574615478515625e-10f;
    x = (singles)((integers)x & seen);
    return x * x;
}

/* Squared differences of `TOGETHER` pixels from those around, summed over components. */
BF_INLINE void differ(const float *planes, int64_t components, const int32_t *own,
                      float differences[TOGETHER][AROUND])
{
    for (int at = 0; at < AROUND; at += WIDTH) {
        singles total[TOGETHER] = {{0}};
        for (int64_t one = 0; one < components; one++) {
            const float *plane = planes + one * AROUND;
            const singles other = loaded(plane + at);
            for (int pixel = 0; pixel < TOGETHER; pixel++) {
                const singles difference = other - plane[own[pixel]];
                total[pixel] = total[pixel] + difference * difference;
            }
        }
        for (int pixel = 0; pixel < TOGETHER; pixel++)
            memcpy(differences[pixel] + at, &total[pixel], sizeof total[pixel]);
    }
}

/* Weights of one pixel with one kernel; gives their sum.
 *
 * `factor` of [576] is that of the kernel before and becomes that of this one: by `squarings`, or, if that is
 * negative, from `differences` times `fall`.
 */
BF_INLINE float weigh(const float *differences, const float *there, const float *nearness, float fall,
                      int32_t squarings, float *factor, float *weights)
{
    singles total = {0};
    for (int at = 0; at < AROUND; at += WIDTH) {
        singles x;
        if (squarings < 0) {
            x = exponential(loaded(differences + at) * fall) * loaded(there + at);
        } else {
            x = loaded(factor + at);
            for (int32_t time = 0; time < squarings; time++)
                x = squared(x);
        }
        memcpy(factor + at, &x, sizeof x);
        const singles weight = x * loaded(nearness + at);
        memcpy(weights + at, &weight, sizeof weight);
        total = total + weight;
    }
    return ((total[0] + total[1]) + (total[2] + total[3])) + ((total[4] + total[5]) + (total[6] + total[7]));
}

/* Weights of [kernels][blocks][64][576] and their sums of [kernels][blocks][64].
 *
 * `others` is of shape [blocks][components][576], `present` of [blocks][576], `own` the places of a block's pixels
 * among those around. `nearness` of [kernels][64][576] is the factor by distance, `falls` of [kernels] what
 * squared differences are multiplied by in the exponent of the other; `chain` of [kernels][2] is the order of
 * kernels, and how each one's follows from that of the one before: by so many squarings, or -1.
 */
BF_EXPORT BF_CLONES void bf_similarity(const float *others, const float *present, const int32_t *own,
                                       const float *nearness, const float *falls, const int32_t *chain,
                                       int64_t blocks, int64_t components, int64_t kernels, float *weights,
                                       float *sums)
{
    float differences[TOGETHER][AROUND], factor[AROUND] = {0};
    for (int64_t block = 0; block < blocks; block++) {
        const float *planes = others + block * components * AROUND, *there = present + block * AROUND;
        for (int64_t first = 0; first < OWN; first += TOGETHER) {
            differ(planes, components, own + first, differences);
            for (int64_t pixel = first; pixel < first + TOGETHER; pixel++) {
                for (int64_t place = 0; place < kernels; place++) {
                    const int64_t kernel = chain[2 * place], row = (kernel * blocks + block) * OWN + pixel;
                    sums[row] = weigh(differences[pixel - first], there, nearness + (kernel * OWN + pixel) * AROUND,
                                      falls[kernel], chain[2 * place + 1], factor, weights + row * AROUND);
                }
            }
        }
    }
}
