/* Weights of the pixels around one: see `_weights` of ground/restoration/pixel_similarity.py. */
#ifndef BANDFOLD_PIXEL_WEIGHTS_H
#define BANDFOLD_PIXEL_WEIGHTS_H

#include "wide.h"

enum {
    EDGE = 8,
    OWN = EDGE * EDGE,
    SIDE = 3 * EDGE,
    AROUND = SIDE * SIDE,
    GROUPS = AROUND / WIDE,
    REACH = 15,
    REACH_STRIDE = 32,
    MOST_KERNELS = 32
};

static const float WEIGHT_ONE = 4096.0f; /* what a weight of 1 is rounded to */

/* How weights fall. */
typedef struct {
    const float *nearness; /* [kernels][2 * REACH + 1][REACH_STRIDE]: the factor by distance */
    const float *taps;     /* [kernels][REACH_STRIDE]: its factor along a line, where differences do not count */
    const float *falls;    /* [kernels]: what squared differences are multiplied by in the exponent of the other factor */
    /* [kernels][2]: the order of kernels, and how the factor of each follows from that of the one before: by so many
     * squarings, or, if that is negative, from the difference. Those where differences do not count come last. */
    const int32_t *chain;
    int64_t kernels;
    int64_t falling; /* those where differences count */
    float most;      /* a difference above which all weights are 0 */
} bf_weighing;

/* About exp(x), and 0 below -41: `_exponential` of ground/restoration/pixel_similarity.py. */
BF_INLINE wide exponential(wide x)
{
    const wholes seen = ~less(x, -41.0f - (wide){0});
    x = (wide)(((wholes)x & seen));
    const wide octave = nearest_wide(x * 1.44269504f);
    wide rest = x - octave * 0.693359375f;
    rest = rest + octave * 2.12194440e-4f;
    wide y = rest * 1.9875691500e-4f + 1.3981999507e-3f;
    y = y * rest + 8.3334519073e-3f;
    y = y * rest + 4.1665795894e-2f;
    y = y * rest + 1.6666665459e-1f;
    y = y * rest + 5.0000001201e-1f;
    y = y * (rest * rest) + rest + 1.0f;
    const wholes power = (__builtin_convertvector(octave, wholes) + 127) << 23;
    y = y * (wide)power;
    return (wide)((wholes)y & seen);
}

/* The square, and 0 of what is less than 2**-30. */
BF_INLINE wide squared(wide x)
{
    x = (wide)((wholes)x & ~less(x, 9.31322574615478515625e-10f - (wide){0}));
    return x * x;
}

/* How weights follow from differences, where no store can change it: kernels in the order of the chain. */
typedef struct {
    const float *nearness[MOST_KERNELS]; /* null: 1 everywhere */
    float falls[MOST_KERNELS];
    int32_t squarings[MOST_KERNELS];
    int falling;
} ordered;

BF_INLINE ordered in_order(const bf_weighing *weighing)
{
    ordered found = {.falling = (int)weighing->falling};
    for (int place = 0; place < found.falling; place++) {
        const int32_t kernel = weighing->chain[2 * place];
        const float *nearness = weighing->nearness + (int64_t)kernel * (2 * REACH + 1) * REACH_STRIDE;
        found.nearness[place] = nearness[0] == 1.0f ? NULL : nearness;
        found.falls[place] = weighing->falls[kernel];
        found.squarings[place] = weighing->chain[2 * place + 1];
    }
    return found;
}

/* Weights of some pixels in all averages, as whole numbers: [falling][AROUND + WIDE]. Their places among those around a
 * pixel and in tables by distance are `found` and `away` of the former, less `own`; what fills up the last sixteen is 0. */
BF_INLINE void weigh(const ordered *order, const int32_t *found, const int32_t *away, int own, int count,
                     float *differences, float (*weights)[AROUND + WIDE], int weighty[MOST_KERNELS])
{
    wholes zeros[MOST_KERNELS];
    for (int place = 0; place < order->falling; place++)
        zeros[place] = (wholes){0};
    for (int entry = count; entry < count + WIDE; entry++)
        differences[entry] = 3e38f;
    for (int first = 0; first < count; first += WIDE) {
        const wide difference = loaded(differences + first);
        const int end = count - first < WIDE ? count - first : WIDE;
        int32_t distances[WIDE] = {0};
        wide factor = {0};
        for (int lane = 0; lane < end; lane++)
            distances[lane] = away[found[first + lane]] + own;
        for (int place = 0; place < order->falling; place++) {
            if (order->squarings[place] < 0)
                factor = exponential(difference * order->falls[place]);
            for (int32_t time = 0; time < order->squarings[place]; time++)
                factor = squared(factor);
            wide weight = factor;
            if (order->nearness[place]) {
                float near[WIDE];
                for (int lane = 0; lane < WIDE; lane++)
                    near[lane] = order->nearness[place][distances[lane]];
                weight = weight * loaded(near);
            }
            weight = nearest_wide(weight * WEIGHT_ONE);
            memcpy(weights[place] + first, &weight, sizeof weight);
            zeros[place] += less(weight, 0.5f - (wide){0});
        }
    }
    for (int place = 0; place < order->falling; place++) {
        weighty[place] = (count + WIDE - 1) / WIDE * WIDE;
        for (int lane = 0; lane < WIDE; lane++)
            weighty[place] += zeros[place][lane];
    }
}

#endif
