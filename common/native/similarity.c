/* Averages of pixels that look alike: see ground/restoration/pixel_similarity.py.
 *
 * Differences and weights are float32, operation by operation. Weights are then rounded to whole numbers, as the
 * pixels are: their products and sums are exact in float64, in whatever order.
 */

#include "lanes.h"

#include <string.h>

enum {
    EDGE = 8,
    OWN = EDGE * EDGE,
    SIDE = 3 * EDGE,
    AROUND = SIDE * SIDE,
    WIDTH = 8,
    GROUPS = AROUND / WIDTH,
    REACH = 31, /* distances from -15 to 15 */
    REACH_STRIDE = 32,
    TOGETHER = 4,  /* pixels whose differences are summed side by side */
    KERNELS = 4,   /* averages that are made side by side */
    BETWEEN = 8,   /* components between two looks at whether a pixel can still count */
    MOST_KERNELS = 32
};

typedef float singles __attribute__((vector_size(32)));
typedef int32_t integers __attribute__((vector_size(32)));

static const float WEIGHT_ONE = 4096.0f; /* what a weight of 1 is rounded to */

/* A strip with a margin around, as whole numbers in 1 / 1024 of a step. */
typedef struct {
    const float *planes;  /* [components][lines][samples] */
    const float *pixels;  /* [lines][samples][filled]: the same */
    const float *present; /* [lines][samples]: 1, and 0 in the margin */
    int64_t components;
    int64_t lines;
    int64_t samples;
    int64_t filled;
} bf_padded;

/* How weights fall. */
typedef struct {
    const float *nearness; /* [kernels][REACH][REACH_STRIDE]: the factor by distance */
    const float *falls;    /* [kernels]: what squared differences are multiplied by in the exponent of the other factor */
    /* [kernels][2]: the order of kernels, and how the factor of each follows from that of the one before: by so many
     * squarings, or, if that is negative, from the difference. */
    const int32_t *chain;
    int64_t kernels;
    float most; /* a difference above which all weights are 0 that fall with it */
} bf_weighing;

BF_INLINE singles loaded(const float *from)
{
    singles x;
    memcpy(&x, from, sizeof x);
    return x;
}

BF_INLINE int any(integers lanes)
{
    uint64_t parts[4];
    memcpy(parts, &lanes, sizeof parts);
    return (parts[0] | parts[1] | parts[2] | parts[3]) != 0;
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

/* The window around a block of each component that is shown there; returns how many these are. */
BF_INLINE int64_t gather(const float *planes, int64_t components, int64_t area, int64_t samples,
                         const uint8_t *shown, float *others)
{
    int64_t count = 0;
    for (int64_t one = 0; one < components; one++) {
        if (!shown[one])
            continue;
        for (int line = 0; line < SIDE; line++)
            memcpy(others + (count * SIDE + line) * SIDE, planes + one * area + line * samples,
                   SIDE * sizeof *others);
        count++;
    }
    return count;
}

/* Squared differences of `TOGETHER` pixels from those around, summed over components, and which groups of `WIDTH`
 * pixels around have one that is not above `most`: where none is, sums end early. */
BF_INLINE void differ(const float *others, int64_t components, int own, float most,
                      float differences[TOGETHER][AROUND], uint8_t near[GROUPS])
{
    for (int group = 0; group < GROUPS; group++) {
        singles total[TOGETHER] = {{0}};
        near[group] = 1;
        for (int64_t first = 0; first < components && near[group]; first += BETWEEN) {
            const int64_t end = first + BETWEEN < components ? first + BETWEEN : components;
            for (int64_t one = first; one < end; one++) {
                const float *plane = others + one * AROUND;
                const singles other = loaded(plane + group * WIDTH);
                for (int pixel = 0; pixel < TOGETHER; pixel++) {
                    const singles difference = other - plane[own + pixel];
                    total[pixel] = total[pixel] + difference * difference;
                }
            }
            near[group] = (uint8_t)any((total[0] <= most) | (total[1] <= most) | (total[2] <= most) | (total[3] <= most));
        }
        for (int pixel = 0; pixel < TOGETHER; pixel++)
            memcpy(differences[pixel] + group * WIDTH, &total[pixel], sizeof total[pixel]);
    }
}

/* How weights follow from differences, where no store can change it: kernels in the order of the chain. */
typedef struct {
    int64_t nearness[MOST_KERNELS];
    float falls[MOST_KERNELS];
    int32_t squarings[MOST_KERNELS];
    int kernels;
    int falling; /* those in front whose weights fall with the difference */
} ordered;

BF_INLINE ordered in_order(const bf_weighing *weighing)
{
    ordered found = {.kernels = (int)weighing->kernels};
    for (int place = 0; place < found.kernels; place++) {
        const int32_t kernel = weighing->chain[2 * place];
        found.nearness[place] = (int64_t)kernel * REACH * REACH_STRIDE;
        found.falls[place] = weighing->falls[kernel];
        found.squarings[place] = weighing->chain[2 * place + 1];
        if (found.falls[place] != 0.0f)
            found.falling = place + 1;
    }
    return found;
}

/* Weights of one pixel in all averages, as whole numbers: [kernels][AROUND], in the order of the chain. `nearness`
 * begins with what belongs to the first pixel around. */
BF_INLINE void weigh(const ordered *order, const float *differences, const uint8_t near[GROUPS], const float *there,
                     const float *nearness, float *weights)
{
    const float magic = 12582912.0f;
    for (int group = 0; group < GROUPS; group++) {
        const int at = group * WIDTH;
        const float *close = nearness + at / SIDE * REACH_STRIDE + at % SIDE;
        const singles present = loaded(there + at), difference = loaded(differences + at);
        singles factor = {0};
        if (!near[group])
            for (int place = 0; place < order->falling; place++)
                memcpy(weights + place * AROUND + at, &factor, sizeof factor);
        for (int place = near[group] ? 0 : order->falling; place < order->kernels; place++) {
            if (order->squarings[place] < 0)
                factor = exponential(difference * order->falls[place]) * present;
            for (int32_t time = 0; time < order->squarings[place]; time++)
                factor = squared(factor);
            singles weight = factor * loaded(close + order->nearness[place]);
            weight = (weight * WEIGHT_ONE + magic) - magic;
            memcpy(weights + place * AROUND + at, &weight, sizeof weight);
        }
    }
}

/* Pixels whose weight is not zero in one of up to `KERNELS` averages, the first pixels of the groups that hold them,
 * these weights again, and their sums. */
BF_INLINE int list(const float *weights, int kernels, int32_t found[AROUND + 1], int32_t groups[GROUPS],
                   int *group_count, double exact[KERNELS][AROUND], double sums[KERNELS])
{
    int count = 0, filled = 0;
    lanes totals[KERNELS] = {{0}};
    for (int group = 0; group < GROUPS; group++) {
        const int at = group * WIDTH;
        integers bits = {0};
        for (int k = 0; k < kernels; k++)
            bits |= (integers)loaded(weights + k * AROUND + at);
        if (!any(bits))
            continue;
        groups[filled++] = at;
        for (int k = 0; k < KERNELS; k++) {
            lanes weight = {0};
            if (k < kernels)
                weight = __builtin_convertvector(loaded(weights + k * AROUND + at), lanes);
            totals[k] += weight;
            memcpy(exact[k] + at, &weight, sizeof weight);
        }
        for (int lane = 0; lane < WIDTH; lane++) {
            found[count] = at + lane;
            count += bits[lane] != 0;
        }
    }
    *group_count = filled;
    for (int k = 0; k < KERNELS; k++) {
        sums[k] = 0.0;
        for (int lane = 0; lane < LANES; lane++)
            sums[k] += totals[k][lane];
    }
    return count;
}

/* Weighted sums of one component, whose window is `plane`. */
BF_INLINE void sum_plane(const float *plane, const int32_t *groups, int group_count, double exact[KERNELS][AROUND],
                         double sums[KERNELS])
{
    lanes totals[KERNELS] = {{0}};
    for (int group = 0; group < group_count; group++) {
        const int32_t at = groups[group];
        const lanes x = __builtin_convertvector(loaded(plane + at), lanes);
        for (int k = 0; k < KERNELS; k++) {
            lanes weight;
            memcpy(&weight, exact[k] + at, sizeof weight);
            totals[k] = totals[k] + weight * x;
        }
    }
    for (int k = 0; k < KERNELS; k++) {
        sums[k] = 0.0;
        for (int lane = 0; lane < LANES; lane++)
            sums[k] += totals[k][lane];
    }
}

/* How far averages of a pixel lie from it: up to `KERNELS` of them, whose places in the result `to` tells.
 *
 * Eight components are added up side by side, pixel by pixel; where there are few components and many pixels, eight
 * pixels side by side, component by component: the sums are the same. `places` of [AROUND] is where the components of
 * each pixel begin, `others` are the windows of components that are shown.
 */
BF_INLINE void average(const float *pixels, const int64_t places[AROUND], const float *others, const float *own,
                       const uint8_t *shown, int64_t components, const int32_t *list, int count, const int32_t *groups,
                       int group_count, double exact[KERNELS][AROUND], const double sums[KERNELS], int kernels,
                       float *const to[KERNELS])
{
    double scales[KERNELS];
    for (int k = 0; k < kernels; k++)
        scales[k] = 1.0 / sums[k];
    for (int64_t first = 0; first < components; first += LANES) {
        const int live = components - first < LANES ? (int)(components - first) : LANES;
        int seen = 0;
        for (int lane = 0; lane < live; lane++)
            seen += shown[first + lane];
        lanes totals[KERNELS] = {{0}};
        if (seen * (group_count + 8) < count) {
            for (int lane = 0; lane < live; lane++) {
                double found[KERNELS];
                if (!shown[first + lane])
                    continue;
                sum_plane(others, groups, group_count, exact, found);
                others += AROUND;
                for (int k = 0; k < KERNELS; k++)
                    totals[k][lane] = found[k];
            }
        } else {
            others += seen * AROUND;
            for (int entry = 0; seen && entry < count; entry++) {
                const int32_t pixel = list[entry];
                const lanes x = __builtin_convertvector(loaded(pixels + places[pixel] + first), lanes);
                for (int k = 0; k < KERNELS; k++)
                    totals[k] = totals[k] + exact[k][pixel] * x;
            }
        }
        const lanes x = __builtin_convertvector(loaded(own + first), lanes);
        for (int k = 0; k < kernels; k++) {
            const lanes change = (totals[k] * scales[k] - x) * (1.0 / 1024);
            const singles found = __builtin_convertvector(change, singles);
            memcpy(to[k] + first, &found, sizeof(float) * live);
        }
    }
}

/* Averages of the pixels of blocks less these pixels, [blocks][kernels][64][components], in steps, and the sums of
 * weights, [blocks][kernels][64].
 *
 * `starts` of [blocks] are the places of the first pixel around each block, `shown` of [blocks][components] tells which
 * components are not zero there.
 */
BF_EXPORT BF_CLONES void bf_averages(const bf_padded *padded, const bf_weighing *weighing, const int64_t *starts,
                                     const uint8_t *shown, int64_t blocks, float *others, float *weights,
                                     float *changes, double *sums)
{
    const int64_t components = padded->components, samples = padded->samples, filled = padded->filled;
    const int64_t kernels = weighing->kernels;
    const ordered order = in_order(weighing);
    float differences[TOGETHER][AROUND], there[AROUND];
    uint8_t near[GROUPS];
    int32_t found[AROUND + 1], groups[GROUPS];
    int64_t places[AROUND];
    double exact[KERNELS][AROUND];
    for (int pixel = 0; pixel < AROUND; pixel++)
        places[pixel] = (pixel / SIDE * samples + pixel % SIDE) * filled;
    for (int64_t block = 0; block < blocks; block++) {
        const int64_t start = starts[block];
        const uint8_t *visible = shown + block * components;
        const int64_t seen =
            gather(padded->planes + start, components, padded->lines * samples, samples, visible, others);
        for (int line = 0; line < SIDE; line++)
            memcpy(there + line * SIDE, padded->present + start + line * samples, SIDE * sizeof *there);
        for (int pixel = 0; pixel < OWN; pixel++) {
            const int line = pixel / EDGE, sample = pixel % EDGE;
            if (pixel % TOGETHER == 0)
                differ(others, seen, (line + EDGE) * SIDE + sample + EDGE, weighing->most, differences, near);
            weigh(&order, differences[pixel % TOGETHER], near, there,
                  weighing->nearness + (EDGE - 1 - line) * REACH_STRIDE + EDGE - 1 - sample, weights);
            const float *own = padded->pixels + (start + (line + EDGE) * samples + sample + EDGE) * filled;
            for (int64_t first = 0; first < kernels; first += KERNELS) {
                const int some = kernels - first < KERNELS ? (int)(kernels - first) : KERNELS;
                double total[KERNELS];
                float *to[KERNELS];
                int group_count;
                const int count =
                    list(weights + first * AROUND, some, found, groups, &group_count, exact, total);
                for (int k = 0; k < some; k++) {
                    const int64_t row = (block * kernels + weighing->chain[2 * (first + k)]) * OWN + pixel;
                    to[k] = changes + row * components;
                    sums[row] = total[k] / WEIGHT_ONE;
                }
                average(padded->pixels + start * filled, places, others, own, visible, components, found, count, groups,
                        group_count, exact, total, some, to);
            }
        }
    }
}
