/* Contexts of a diagonal: features, context network, classes. See bitstream/contexts/features.py. */

#include "contextfeatures.h"

#include <string.h>

/* Sums here are of integers below 2**24, so fused operations give the same bits. */
#if defined(__clang__)
#pragma clang fp contract(fast)
#elif defined(__GNUC__)
#pragma GCC optimize("fp-contract=fast")
#endif

/* Sixteen numbers side by side: the compiler takes as many registers as the processor needs for them. */
typedef float lanes __attribute__((vector_size(64)));
typedef int32_t integers __attribute__((vector_size(64)));

#if defined(__GNUC__)
#pragma GCC diagnostic ignored "-Wpsabi" /* All functions that take them are inlined. */
#endif

enum { LANES = 16, MAGNITUDE_LIMIT = 2047, FADING = 4, HISTORY_BITS = 3 };

static size_t component_size(int64_t positions)
{
    const size_t planes = (BF_CHANNELS + 1) * (size_t)positions;
    const size_t sums = (BF_DIAGONALS + 1) * (size_t)positions;
    const size_t size = planes * (2 * 2 + 6) + (size_t)positions + (2 * sums + BF_CHANNELS + 1) * sizeof(int32_t);
    return (size + 15) & ~(size_t)15;
}

/* Bytes for three components and behind them what `bf_learn`, `bf_past` and `bf_read` work in. */
int64_t bf_held_size(int32_t rows, int32_t columns)
{
    const int64_t positions = (int64_t)rows * columns;
    return (int64_t)(BF_HELD * component_size(positions)) +
           BF_LONGEST * positions * (int64_t)sizeof(int64_t) +
           3 * positions * (int64_t)sizeof(uint16_t);
}

/* Find three components in memory; returns what follows them. */
uint8_t *bf_hold(bf_component held[BF_HELD], uint8_t *memory, int64_t positions)
{
    const size_t planes = (BF_CHANNELS + 1) * (size_t)positions;
    const size_t sums = (BF_DIAGONALS + 1) * (size_t)positions;
    for (int n = 0; n < BF_HELD; n++) {
        bf_component *one = &held[n];
        one->below = (int32_t *)memory;
        one->below_ring = one->below + sums;
        one->means = one->below_ring + sums;
        one->magnitudes = (uint16_t *)(one->means + BF_CHANNELS + 1);
        one->history = one->magnitudes + planes;
        one->own = (uint8_t *)(one->history + planes);
        one->ring = one->own + planes;
        one->cross = one->ring + planes;
        one->across = one->cross + planes;
        one->along = one->across + planes;
        one->faded = one->along + planes;
        one->whole = one->faded + planes;
        memory += component_size(positions);
    }
    return memory;
}

BF_INLINE void widen(float *to, const uint8_t *from, int count)
{
    for (int t = 0; t < count; t++)
        to[t] = from[t];
}

/* Weights of the first layer for a diagonal: [units][features]. */
BF_INLINE const float *first_weights(const bf_network *network, int diagonal)
{
    return network->hidden + (size_t)network->groups[diagonal] * network->units * network->features;
}

/* Share of the hidden units that depends on the position only: [units][TILE]. */
BF_INLINE void position_units(const bf_network *network, int diagonal, int64_t positions, int64_t start,
                              int count, const bf_component *now, const bf_component *last, float *units)
{
    const float *weights = first_weights(network, diagonal) + network->features - BF_SHARED_FEATURES;
    uint8_t small[BF_POSITION_FEATURES][TILE];
    float features[BF_POSITION_FEATURES][TILE] __attribute__((aligned(64)));
    position_features(network, diagonal, positions, start, count, now, last, small);
    for (int f = 0; f < BF_POSITION_FEATURES; f++)
        widen(features[f], small[f], TILE);
    for (int u = 0; u < network->units; u++) {
        const float *w = weights + u * network->features;
        for (int t = 0; t < count; t += LANES) {
            lanes sum = w[0] * *(const lanes *)(features[0] + t);
            for (int f = 1; f < BF_POSITION_FEATURES; f++)
                sum += w[f] * *(const lanes *)(features[f] + t);
            *(lanes *)(units + u * TILE + t) = sum;
        }
    }
}

/* Share of the hidden units that depends on the channel only, with the bias: [units]. */
BF_INLINE void channel_units(const bf_network *network, int diagonal, int channel, const bf_component *now,
                             const bf_component *last, float *units)
{
    const float *weights = first_weights(network, diagonal) + network->features - BF_CHANNEL_FEATURES;
    uint8_t features[BF_CHANNEL_FEATURES];
    channel_features(network, channel, now, last, features);
    for (int u = 0; u < network->units; u++) {
        const float *w = weights + u * network->features;
        units[u] = network->bias[channel * network->units + u] + w[0] * features[0] + w[1] * features[1] +
                   w[2] * features[2];
    }
}

/* Between 0 and `highest`, and a whole number: by signs, since GCC compares such vectors one by one. */
BF_INLINE integers cut(lanes x, int32_t highest)
{
    integers whole = __builtin_convertvector(x, integers);
    whole &= ~(whole >> 31);
    integers above = highest - whole;
    above &= ~(above >> 31);
    return highest - above;
}

BF_INLINE lanes activate(lanes x, int32_t limit)
{
    return __builtin_convertvector(cut(x, limit), lanes);
}

/* Sum of the last layer over hidden units. */
BF_INLINE lanes output_of(const bf_network *network, int group, const lanes *units, int count)
{
    const float *output = network->output + (size_t)group * count;
    lanes level = network->offset[group] - (lanes){0};
    for (int u = 0; u < count; u++)
        level += output[u] * units[u];
    return level;
}

/* Second hidden layer. */
BF_INLINE void middle_layer(const bf_network *network, int group, const lanes *units, lanes *found)
{
    const int count = network->units;
    const float *weights = network->middle + (size_t)group * network->middle_units * count;
    const float *bias = network->middle_bias + (size_t)group * network->middle_units;
    for (int v = 0; v < network->middle_units; v += 4) {
        const float *w = weights + v * count;
        lanes a = bias[v] - (lanes){0}, b = bias[v + 1] - (lanes){0}, c = bias[v + 2] - (lanes){0},
              d = bias[v + 3] - (lanes){0};
        for (int u = 0; u < count; u++) {
            a += w[u] * units[u];
            b += w[count + u] * units[u];
            c += w[2 * count + u] * units[u];
            d += w[3 * count + u] * units[u];
        }
        found[v] = activate(a, network->limit);
        found[v + 1] = activate(b, network->limit);
        found[v + 2] = activate(c, network->limit);
        found[v + 3] = activate(d, network->limit);
    }
}

/* Classes of up to TILE latents of one channel; without `x`, of a channel around which nothing is known. */
BF_INLINE void tile_classes(const bf_network *network, int diagonal, const float (*x)[TILE], int count,
                            const float *position, const float *channel, uint8_t *classes)
{
    const int group = network->groups[diagonal], features = network->features;
    const float *weights = first_weights(network, diagonal);
    for (int t = 0; t < count; t += LANES) {
        lanes units[MOST_UNITS], others[MOST_UNITS];
        for (int u = 0; u < network->units; u += 4) {
            const float *w = weights + u * features, *p = position + u * TILE + t;
            lanes a = *(const lanes *)p + channel[u], b = *(const lanes *)(p + TILE) + channel[u + 1],
                  c = *(const lanes *)(p + 2 * TILE) + channel[u + 2],
                  d = *(const lanes *)(p + 3 * TILE) + channel[u + 3];
            for (int f = 0; x && f < features - BF_SHARED_FEATURES; f++) {
                const lanes value = *(const lanes *)(x[f] + t);
                a += w[f] * value;
                b += w[features + f] * value;
                c += w[2 * features + f] * value;
                d += w[3 * features + f] * value;
            }
            units[u] = activate(a, network->limit);
            units[u + 1] = activate(b, network->limit);
            units[u + 2] = activate(c, network->limit);
            units[u + 3] = activate(d, network->limit);
        }
        if (network->middle_units)
            middle_layer(network, group, units, others);
        const lanes level = network->middle_units ? output_of(network, group, others, network->middle_units)
                                                  : output_of(network, group, units, network->units);
        const integers found = cut(level, network->classes - 1);
        const int left = count - t < LANES ? count - t : LANES;
        for (int n = 0; n < left; n++)
            classes[t + n] = (uint8_t)found[n];
    }
}

BF_CLONES
void bf_classify(const bf_network *network, int diagonal, int64_t positions, const bf_component *now,
                 const bf_component *last, const bf_component *before, uint8_t *classes, int64_t stride)
{
    if (bf_classify_bytes(network, diagonal, positions, now, last, before, classes, stride))
        return;
    const int first = bf_first(diagonal), end = bf_first(diagonal + 1);
    float channel[BF_DIAGONALS][MOST_UNITS];
    for (int c = first; c < end; c++)
        channel_units(network, diagonal, c, now, last, channel[c - first]);
    for (int64_t start = 0; start < positions; start += TILE) {
        const int count = positions - start < TILE ? (int)(positions - start) : TILE;
        float position[MOST_UNITS * TILE] __attribute__((aligned(64)));
        position_units(network, diagonal, positions, start, count, now, last, position);
        for (int c = first; c < end; c++) {
            const uint8_t *planes[BF_MOST_LATENT_FEATURES + 1];
            const int features = latent_planes(network, c, positions, start, now, last, before, planes);
            if (nothing_known(planes, features, count)) {
                tile_classes(network, diagonal, NULL, count, position, channel[c - first],
                             classes + (c - first) * stride + start);
                continue;
            }
            float x[BF_MOST_LATENT_FEATURES][TILE] __attribute__((aligned(64)));
            if (count < TILE)
                memset(x, 0, sizeof x);
            for (int f = 0; f < features; f++)
                widen(x[f], planes[f], count);
            const uint8_t *other = planes[features];
            for (int t = 0; t < count; t++)
                x[3][t] = planes[3][t] > other[t] ? planes[3][t] : other[t];
            tile_classes(network, diagonal, (const float(*)[TILE])x, count, position, channel[c - first],
                         classes + (c - first) * stride + start);
        }
    }
}

/* Sums over the positions on the left and on the right: of all, and then again of those at both ends of a row, since long
 * loops have less left at their ends that is no whole vector.
 */
BF_INLINE void sums_across(const uint16_t *restrict plane, int rows, int columns, uint16_t *restrict sums)
{
    const int64_t positions = (int64_t)rows * columns;
    for (int64_t p = 1; p + 1 < positions; p++)
        sums[p] = plane[p - 1] + plane[p + 1];
    for (int64_t first = 0; first < positions; first += columns) {
        sums[first] = columns > 1 ? plane[first + 1] : 0;
        sums[first + columns - 1] = columns > 1 ? plane[first + columns - 2] : 0;
    }
}

/* Sums over the positions above and below. */
BF_INLINE void sums_along(const uint16_t *restrict plane, int rows, int columns, uint16_t *restrict sums)
{
    const int64_t last = (int64_t)(rows - 1) * columns;
    const size_t size = sizeof *sums * (size_t)columns;
    if (rows == 1) {
        memset(sums, 0, size);
        return;
    }
    memcpy(sums, plane + columns, size);
    for (int64_t p = columns; p < last; p++)
        sums[p] = plane[p - columns] + plane[p + columns];
    memcpy(sums + last, plane + last - columns, size);
}

/* Magnitudes from steps to half steps, in place. */
BF_INLINE void in_half_steps(uint16_t *magnitudes, int64_t positions)
{
    for (int64_t p = 0; p < positions; p++) {
        const uint16_t twice = 2 * magnitudes[p];
        magnitudes[p] = twice < MAGNITUDE_LIMIT ? twice : MAGNITUDE_LIMIT;
    }
}

/* The same, those of the second quantiser being half a step less. */
BF_INLINE void in_half_steps_of_two(uint16_t *restrict magnitudes, int64_t positions, const uint8_t *restrict second)
{
    for (int64_t p = 0; p < positions; p++) {
        const uint16_t twice = 2 * magnitudes[p], steps = twice < MAGNITUDE_LIMIT ? twice : MAGNITUDE_LIMIT;
        magnitudes[p] = steps - (uint16_t)(second[p] & (steps > 0));
    }
}

BF_CLONES
void bf_learn(const bf_network *network, int diagonal, int rows, int columns, bf_component *now,
              const int32_t *values, int64_t stride, const uint8_t *second, int64_t second_stride,
              uint16_t *scratch)
{
    const int64_t positions = (int64_t)rows * columns;
    const int first = bf_first(diagonal), end = bf_first(diagonal + 1), extended = bf_extended(network);
    int32_t *below = now->below + (diagonal + 1) * positions;
    int32_t *below_ring = now->below_ring + (diagonal + 1) * positions;
    uint16_t *rings = scratch, *beside = scratch + positions, *box = beside + positions;
    memcpy(below, now->below + diagonal * positions, sizeof *below * positions);
    memcpy(below_ring, now->below_ring + diagonal * positions, sizeof *below * positions);
    for (int c = first; c < end; c++) {
        const int32_t *from = values + (c - first) * stride;
        uint16_t *magnitudes = now->magnitudes + c * positions;
        uint8_t *own = now->own + c * positions, *ring = now->ring + c * positions;
        uint8_t *across = now->across + c * positions, *along = now->along + c * positions;
        uint16_t any = 0;
        for (int64_t p = 0; p < positions; p++) {
            const uint32_t m = from[p] < 0 ? 0u - (uint32_t)from[p] : (uint32_t)from[p];
            magnitudes[p] = (uint16_t)(m < MAGNITUDE_LIMIT ? m : MAGNITUDE_LIMIT);
            any |= magnitudes[p];
        }
        if (!any) {
            memset(own, 0, positions);
            memset(ring, 0, positions);
            if (extended) {
                memset(across, 0, positions);
                memset(along, 0, positions);
            }
            now->means[c] = 0;
            continue;
        }
        if (network->half_steps && second)
            in_half_steps_of_two(magnitudes, positions, second + (c - first) * second_stride);
        else if (network->half_steps)
            in_half_steps(magnitudes, positions);
        int64_t total = 0;
        for (int64_t p = 0; p < positions; p++)
            total += magnitudes[p];
        sums_along(magnitudes, rows, columns, beside);
        for (int64_t p = 0; p < positions; p++)
            box[p] = magnitudes[p] + beside[p];
        /* The eight around a position: those above and below it, and three on each side. */
        sums_across(box, rows, columns, rings);
        for (int64_t p = 0; p < positions; p++) {
            rings[p] += beside[p];
            below[p] += magnitudes[p];
            below_ring[p] += rings[p];
        }
        bf_logarithms(network->log, magnitudes, positions, own);
        bf_logarithms(network->log, rings, positions, ring);
        if (extended) {
            bf_logarithms(network->log, beside, positions, along);
            sums_across(magnitudes, rows, columns, rings);
            bf_logarithms(network->log, rings, positions, across);
        }
        total = (64 * total + positions / 2) / positions;
        now->means[c] = (int32_t)(total < SUM_LIMIT ? total : SUM_LIMIT);
    }
}

/* History of a component, from that of the one before it, and what features take from it. */
BF_INLINE void add_to_history(const bf_network *network, int64_t positions, bf_component *now,
                              const bf_component *last)
{
    for (int64_t start = 0; start < BF_CHANNELS * positions; start += positions) {
        const uint16_t *before = last->history + start, *magnitudes = now->magnitudes + start;
        uint16_t *history = now->history + start;
        uint16_t any = 0;
        for (int64_t p = 0; p < positions; p++) {
            const uint32_t sum = (before[p] * ((1u << FADING) - 1) >> FADING) + ((uint32_t)magnitudes[p] << HISTORY_BITS);
            history[p] = (uint16_t)(sum < SUM_LIMIT ? sum : SUM_LIMIT);
            any |= history[p];
        }
        if (any)
            bf_logarithms(network->log, history, positions, now->faded + start);
        else
            memset(now->faded + start, 0, positions);
    }
}

BF_CLONES
void bf_past(const bf_network *network, int64_t positions, bf_component *now, const bf_component *last,
             uint16_t *scratch)
{
    for (int c = 0; c < BF_CHANNELS; c++) {
        const uint16_t *near[4];
        for (int n = 0; n < 4; n++) {
            static const int kind[4] = {0, 1, 5, 6};
            near[n] = now->magnitudes + network->neighbours[kind[n] * BF_CHANNELS + c] * positions;
        }
        for (int64_t p = 0; p < positions; p++)
            scratch[p] = near[0][p] + near[1][p] + near[2][p] + near[3][p];
        bf_logarithms(network->log, scratch, positions, now->cross + c * positions);
    }
    const int32_t *below = now->below + BF_DIAGONALS * positions;
    for (int64_t p = 0; p < positions; p++)
        scratch[p] = limited(below[p]);
    bf_logarithms(network->log, scratch, positions, now->whole);
    if (bf_extended(network))
        add_to_history(network, positions, now, last);
}
