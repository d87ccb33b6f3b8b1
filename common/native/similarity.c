/* Averages of pixels that look alike: see ground/restoration/pixel_similarity.py.
 *
 * float32, operation by operation: sums go over pixels in their order. What has no weight adds nothing, and is left out.
 */

#include "pixel_weights.h"
#include "strip.h"

enum {
    TOGETHER = 4,  /* pixels that are compared side by side */
    MOST_FRONTS = 16,
    SUMMED = 6     /* averages that are made side by side, at most */
};

/* Sum of sixteen numbers: halves are added to each other until one is left. */
BF_INLINE float summed(wide x)
{
    typedef float eight __attribute__((vector_size(32)));
    typedef float four __attribute__((vector_size(16)));
    eight low, high;
    four bottom, top;
    memcpy(&low, &x, sizeof low);
    memcpy(&high, (const char *)&x + sizeof low, sizeof high);
    low = low + high;
    memcpy(&bottom, &low, sizeof bottom);
    memcpy(&top, (const char *)&low + sizeof bottom, sizeof top);
    bottom = bottom + top;
    return (bottom[0] + bottom[2]) + (bottom[1] + bottom[3]);
}

/* Pixels around that may count for each of `TOGETHER` pixels: those that are there and whose difference in the first
 * components is not above `most` already. Where there are no other components it is summed as `differ` does, and kept. */
BF_INLINE void screen(const float window[MOST_FRONTS][AROUND], int64_t fronts, int whole, const float *there, int own,
                      float most, int32_t found[TOGETHER][AROUND + WIDE], int counts[TOGETHER],
                      float differences[TOGETHER][AROUND + WIDE])
{
    for (int pixel = 0; pixel < TOGETHER; pixel++)
        counts[pixel] = 0;
    for (int group = 0; group < GROUPS; group++) {
        wide total[TOGETHER] = {{0}};
        if (whole) {
            wide squares[MOST_FRONTS][TOGETHER];
            for (int one = 0; one < MOST_FRONTS; one++)
                for (int pixel = 0; pixel < TOGETHER; pixel++) {
                    const wide difference = loaded(window[one] + group * WIDE) - window[one][own + pixel];
                    squares[one][pixel] = one < fronts ? difference * difference : (wide){0};
                }
            for (int half = MOST_FRONTS / 2; half; half /= 2)
                for (int one = 0; one < half; one++)
                    for (int pixel = 0; pixel < TOGETHER; pixel++)
                        squares[one][pixel] = squares[one][pixel] + squares[one + half][pixel];
            for (int pixel = 0; pixel < TOGETHER; pixel++)
                total[pixel] = squares[0][pixel];
        } else {
            for (int64_t one = 0; one < fronts; one++) {
                const wide other = loaded(window[one] + group * WIDE);
                for (int pixel = 0; pixel < TOGETHER; pixel++) {
                    const wide difference = other - window[one][own + pixel];
                    total[pixel] = total[pixel] + difference * difference;
                }
            }
        }
        const wholes present = less((wide){0}, loaded(there + group * WIDE));
        for (int pixel = 0; pixel < TOGETHER; pixel++) {
            const wholes seen = ~less(most - (wide){0}, total[pixel]) & present;
            if (!any(seen))
                continue;
            int count = counts[pixel];
            for (int lane = 0; lane < WIDE; lane++) {
                found[pixel][count] = group * WIDE + lane;
                differences[pixel][count] = total[pixel][lane];
                count -= seen[lane];
            }
            counts[pixel] = count;
        }
    }
}

/* Squared differences of a pixel from some others, summed over components. */
BF_INLINE void differ(const float *around, const int32_t *where, const float *own, int64_t filled, int count,
                      float *differences)
{
    for (int entry = 0; entry < count; entry++) {
        const float *other = around + where[entry];
        wide total = {0};
        for (int64_t first = 0; first < filled; first += WIDE) {
            const wide difference = loaded(other + first) - loaded(own + first);
            total = total + difference * difference;
        }
        differences[entry] = summed(total);
    }
}

/* Those of some pixels that have weight in one of `kernels` averages: where they lie, and their weights. */
BF_INLINE int pick(float (*weights)[AROUND + WIDE], int kernels, const int32_t *where, int count, int32_t *picked,
                   float (*kept)[AROUND + WIDE])
{
    int some = 0;
    for (int first = 0; first < count; first += WIDE) {
        wholes bits = {0};
        for (int k = 0; k < kernels; k++)
            bits |= loaded_wholes((const int32_t *)(weights[k] + first));
        if (!any(bits))
            continue;
        const int end = count - first < WIDE ? count - first : WIDE;
        for (int lane = 0; lane < end; lane++) {
            picked[some] = where[first + lane];
            for (int k = 0; k < kernels; k++)
                kept[k][some] = weights[k][first + lane];
            some += bits[lane] != 0;
        }
    }
    for (int k = 0; k < kernels; k++)
        memset(kept[k] + some, 0, sizeof(wide));
    return some;
}

/* Weighted sums of how far pixels lie from one, of `vectors` times sixteen components. */
BF_INLINE void add_up(const float *around, const int32_t *where, float (*weights)[AROUND + WIDE], int kernels,
                      int vectors, int count, const float *own, float scales[SUMMED], float *const to[SUMMED])
{
    wide totals[SUMMED] = {{0}}, middle[SUMMED];
    for (int v = 0; v < vectors; v++)
        middle[v] = loaded(own + v * WIDE);
    for (int entry = 0; entry < count; entry++) {
        const float *other = around + where[entry];
        for (int v = 0; v < vectors; v++) {
            const wide difference = loaded(other + v * WIDE) - middle[v];
            for (int k = 0; k < kernels; k++)
                totals[k * vectors + v] = totals[k * vectors + v] + difference * weights[k][entry];
        }
    }
    for (int k = 0; k < kernels; k++)
        for (int v = 0; v < vectors; v++) {
            const wide change = totals[k * vectors + v] * scales[k];
            memcpy(to[k] + v * WIDE, &change, sizeof change);
        }
}

/* `kernels` averages of one pixel, less the pixel, from the weights of `count` pixels that lie at `where`. At most
 * `weighty` of them have weight in one average: few are picked out. */
BF_INLINE void average(const float *around, const int32_t *where, const float *own, int64_t filled, int count,
                       float (*weights)[AROUND + WIDE], const int *weighty, int kernels, int vectors,
                       float *const to[SUMMED], float *const sums[SUMMED])
{
    int32_t picked[AROUND + WIDE];
    float kept[SUMMED][AROUND + WIDE], scales[SUMMED], *from[SUMMED];
    int most = 0;
    for (int k = 0; k < kernels; k++)
        most = weighty[k] > most ? weighty[k] : most;
    if (most < 2) {
        /* Only the pixel itself. */
        for (int k = 0; k < kernels; k++) {
            memset(to[k], 0, sizeof(float) * filled);
            *sums[k] = 1.0f;
        }
        return;
    }
    if (2 * most < count) {
        count = pick(weights, kernels, where, count, picked, kept);
        weights = kept;
        where = picked;
    }
    for (int k = 0; k < kernels; k++) {
        wide totals = {0};
        for (int entry = 0; entry < count; entry += WIDE)
            totals = totals + loaded(weights[k] + entry);
        /* Of whole numbers below 2**24, in whatever order. */
        const float total = summed(totals);
        *sums[k] = total / WEIGHT_ONE;
        scales[k] = 1.0f / total;
    }
    for (int64_t first = 0; first < filled;) {
        for (int k = 0; k < kernels; k++)
            from[k] = to[k] + first;
        if (vectors > 2 && filled - first >= vectors * WIDE) {
            add_up(around + first, where, weights, kernels, vectors, count, own + first, scales, from);
            first += vectors * WIDE;
        } else if (vectors > 1 && filled - first >= 2 * WIDE) {
            add_up(around + first, where, weights, kernels, 2, count, own + first, scales, from);
            first += 2 * WIDE;
        } else {
            add_up(around + first, where, weights, kernels, 1, count, own + first, scales, from);
            first += WIDE;
        }
    }
}

/* Averages of a block whose weights do not depend on differences, less its pixels: along lines, then across. */
BF_INLINE void blur(const float *around, int64_t samples, int64_t filled, const float *there, const float *taps,
                    float *to, float *sums)
{
    int reach = 0;
    float across[EDGE], along[EDGE];
    for (int away = 1; away <= REACH; away++)
        if (taps[away] != 0.0f)
            reach = away;
    for (int one = 0; one < EDGE; one++) {
        across[one] = along[one] = 0.0f;
        for (int other = 0; other < SIDE; other++) {
            const int away = other < one + EDGE ? one + EDGE - other : other - one - EDGE;
            if (away > REACH)
                continue;
            across[one] += taps[away] * there[other * SIDE + EDGE];
            along[one] += taps[away] * there[EDGE * SIDE + other];
        }
    }
    for (int pixel = 0; pixel < OWN; pixel++)
        sums[pixel] = across[pixel / EDGE] * along[pixel % EDGE];
    const int low = EDGE - reach > 0 ? EDGE - reach : 0, high = 2 * EDGE + reach < SIDE ? 2 * EDGE + reach : SIDE;
    for (int64_t first = 0; first < filled; first += WIDE) {
        wide lines[SIDE][EDGE];
        for (int line = low; line < high; line++)
            for (int sample = 0; sample < EDGE; sample++) {
                const int middle = sample + EDGE, start = middle - reach > 0 ? middle - reach : 0;
                const int end = middle + reach < SIDE - 1 ? middle + reach : SIDE - 1;
                wide sum = {0};
                for (int other = start; other <= end; other++)
                    sum = sum + taps[other < middle ? middle - other : other - middle] *
                                    loaded(around + (line * samples + other) * filled + first);
                lines[line][sample] = sum;
            }
        for (int pixel = 0; pixel < OWN; pixel++) {
            const int sample = pixel % EDGE, middle = pixel / EDGE + EDGE;
            const int start = middle - reach > 0 ? middle - reach : 0;
            const int end = middle + reach < SIDE - 1 ? middle + reach : SIDE - 1;
            wide sum = {0};
            for (int other = start; other <= end; other++)
                sum = sum + taps[other < middle ? middle - other : other - middle] * lines[other][sample];
            const float scale = 1.0f / sums[pixel];
            const wide change = sum * scale - loaded(around + (middle * samples + sample + EDGE) * filled + first);
            memcpy(to + pixel * filled + first, &change, sizeof change);
        }
    }
}

/* Averages of the pixels of blocks less these pixels, [blocks][kernels][64][filled], in steps, and the sums of weights,
 * [blocks][kernels][64]. `starts` of [blocks] are the places of the first pixel around each block.
 */
BF_EXPORT BF_CLONES void bf_averages(const bf_strip *strip, const bf_weighing *weighing, const int64_t *starts,
                                     int64_t blocks, float *changes, float *sums)
{
    const int64_t samples = strip->samples, filled = strip->filled, kernels = weighing->kernels;
    const int64_t area = strip->lines * samples;
    const int64_t fronts = strip->fronts < MOST_FRONTS ? strip->fronts : MOST_FRONTS;
    const ordered order = in_order(weighing);
    float window[MOST_FRONTS][AROUND], there[AROUND], differences[TOGETHER][AROUND + WIDE];
    float weights[MOST_KERNELS][AROUND + WIDE];
    int32_t found[TOGETHER][AROUND + WIDE], places[AROUND], away[AROUND], where[AROUND + WIDE];
    int counts[TOGETHER], weighty[MOST_KERNELS];
    const int whole = filled == WIDE && fronts == MOST_FRONTS;
    /* Accumulators stay in registers: fewer averages at a time where there are more components. */
    const int together = filled == WIDE ? SUMMED : filled == 2 * WIDE ? SUMMED / 2 : 1;
    for (int pixel = 0; pixel < AROUND; pixel++) {
        places[pixel] = (int32_t)((pixel / SIDE * samples + pixel % SIDE) * filled);
        away[pixel] = pixel / SIDE * REACH_STRIDE + pixel % SIDE;
    }
    for (int64_t block = 0; block < blocks; block++) {
        const int64_t start = starts[block];
        const float *around = strip->pixels + start * filled;
        for (int line = 0; line < SIDE; line++) {
            memcpy(there + line * SIDE, strip->present + start + line * samples, SIDE * sizeof *there);
            for (int64_t one = 0; one < fronts; one++)
                memcpy(window[one] + line * SIDE, strip->front + one * area + start + line * samples,
                       SIDE * sizeof *there);
        }
        for (int64_t place = order.falling; place < kernels; place++) {
            const int64_t kernel = weighing->chain[2 * place], row = (block * kernels + kernel) * OWN;
            blur(around, samples, filled, there, weighing->taps + kernel * REACH_STRIDE, changes + row * filled,
                 sums + row);
        }
        for (int pixel = 0; order.falling && pixel < OWN; pixel++) {
            const int line = pixel / EDGE, sample = pixel % EDGE, one = pixel % TOGETHER;
            if (one == 0)
                screen(window, fronts, whole, there, (line + EDGE) * SIDE + sample + EDGE, weighing->most, found,
                       counts, differences);
            const int count = counts[one];
            const float *own = around + places[(line + EDGE) * SIDE + sample + EDGE];
            for (int entry = 0; entry < count; entry++)
                where[entry] = places[found[one][entry]];
            if (!whole)
                differ(around, where, own, filled, count, differences[one]);
            weigh(&order, found[one], away, (EDGE - 1 - line) * REACH_STRIDE + EDGE - 1 - sample, count,
                  differences[one], weights, weighty);
            for (int first = 0; first < order.falling;) {
                const int some = order.falling - first >= together ? together : 1;
                float *to[SUMMED], *total[SUMMED];
                for (int k = 0; k < some; k++) {
                    const int64_t row = (block * kernels + weighing->chain[2 * (first + k)]) * OWN + pixel;
                    to[k] = changes + row * filled;
                    total[k] = sums + row;
                }
                if (some == SUMMED)
                    average(around, where, own, filled, count, weights + first, weighty + first, SUMMED, 1, to, total);
                else if (some == SUMMED / 2)
                    average(around, where, own, filled, count, weights + first, weighty + first, SUMMED / 2, 2, to, total);
                else
                    average(around, where, own, filled, count, weights + first, weighty + first, 1, 6, to, total);
                first += some;
            }
        }
    }
}
