/* Rate-distortion optimised quantisation of a segment, diagonal by diagonal. See onboard/quantisation/rdoq.py. */

#include "encoding.h"
#include "prediction.h"

static const float FINE_IN_FLOAT32 = 16384.0f;

/* Bytes of memory that `bf_quantise` and `bf_read` work in. */
BF_EXPORT int64_t bf_memory(int32_t rows, int32_t columns)
{
    return bf_held_size(rows, columns);
}

BF_INLINE int32_t lower_where_cheaper(int32_t magnitude, double scaled, const double *thresholds)
{
    const uint32_t place = (uint32_t)magnitude < BF_DIRECT ? (uint32_t)magnitude : BF_DIRECT;
    return magnitude - (scaled < (double)magnitude + thresholds[place]);
}

/* One diagonal in float32: rounds, then decides in the classes given. */
BF_CLONES
static void decide_single(const int32_t *latents, int64_t count, float scale, const uint8_t *classes,
                          const double *thresholds, int32_t *values)
{
    for (int64_t p = 0; p < count; p++) {
        const int32_t magnitude = latents[p] < 0 ? -latents[p] : latents[p];
        values[p] = (int32_t)((float)magnitude * scale + 0.5f);
    }
    /* Zero stays zero by its threshold: a branch would be mispredicted too often. */
    for (int64_t p = 0; p < count; p++) {
        const float scaled = (float)(latents[p] < 0 ? -latents[p] : latents[p]) * scale;
        values[p] = lower_where_cheaper(values[p], scaled, thresholds + classes[p] * (BF_DIRECT + 1));
    }
}

static void decide_double(const int32_t *latents, int64_t count, double scale, const uint8_t *classes,
                          const double *thresholds, int32_t *values)
{
    for (int64_t p = 0; p < count; p++) {
        const double scaled = (double)(latents[p] < 0 ? -(int64_t)latents[p] : latents[p]) * scale;
        values[p] = (int32_t)(scaled + 0.5);
        if (values[p])
            values[p] = lower_where_cheaper(values[p], scaled, thresholds + classes[p] * (BF_DIRECT + 1));
    }
}

BF_CLONES
static int32_t largest(const int32_t *latents, int64_t count)
{
    int32_t high = 0, low = 0;
    for (int64_t p = 0; p < count; p++) {
        high = latents[p] > high ? latents[p] : high;
        low = latents[p] < low ? latents[p] : low;
    }
    return high > -low ? high : -low;
}

/* What is worked in behind the components that are held: numbers and bytes of a diagonal, and what `bf_learn` takes. */
typedef struct {
    int32_t *values;
    uint8_t *kinds;
    uint16_t *sums;
} workspace;

static workspace find_workspace(uint8_t *memory, int64_t positions)
{
    workspace found = {.values = (int32_t *)memory};
    found.kinds = (uint8_t *)(found.values + BF_LONGEST * positions);
    found.sums = (uint16_t *)(found.kinds + BF_LONGEST * positions);
    return found;
}

/* Levels of a diagonal, with the signs of their latents, which they may take the place of. */
BF_CLONES
static void store_levels(const int32_t *magnitudes, const int32_t *latents, int64_t positions, int32_t *levels)
{
    for (int64_t p = 0; p < positions; p++)
        levels[p] = latents[p] < 0 ? -magnitudes[p] : magnitudes[p];
}

/* Quantise one component: `plane` of shape [64][positions], levels and classes with strides between channels. Levels
 * may take the place of the plane, or be null where classes alone are wanted.
 */
static void quantise_component(const bf_network *network, bf_component held[BF_HELD], workspace work, int64_t number,
                               const int32_t *plane, int32_t rows, int32_t columns, double scale,
                               const double *thresholds, int32_t *levels, int64_t level_stride, uint8_t *classes,
                               int64_t stride)
{
    const int64_t positions = (int64_t)rows * columns;
    bf_component *now = &held[number % BF_HELD];
    const bf_component *last = &held[(number + 2) % BF_HELD], *before = &held[(number + 1) % BF_HELD];
    const int fine = largest(plane, BF_CHANNELS * positions) * scale < FINE_IN_FLOAT32;
    for (int diagonal = 0; diagonal < BF_DIAGONALS; diagonal++) {
        const int first = bf_first(diagonal), end = bf_first(diagonal + 1);
        uint8_t *kinds = classes + first * stride;
        bf_classify(network, diagonal, positions, now, last, before, kinds, stride);
        for (int c = first; c < end; c++) {
            const uint8_t *kind = kinds + (c - first) * stride;
            int32_t *values = work.values + (c - first) * positions;
            if (fine)
                decide_single(plane + c * positions, positions, (float)scale, kind, thresholds, values);
            else
                decide_double(plane + c * positions, positions, scale, kind, thresholds, values);
        }
        bf_learn(network, diagonal, rows, columns, now, work.values, positions, NULL, 0, work.sums);
        for (int c = first; levels && c < end; c++)
            store_levels(work.values + (c - first) * positions, plane + c * positions, positions,
                         levels + c * level_stride);
    }
    bf_past(network, positions, now, last, work.sums);
}

/* Quantise `components` of shape [64][rows][columns].
 *
 * `classes` are of shape [64][components][rows][columns], `thresholds` of [classes][17]; `memory` is cleared. Channels
 * and components of `quantised` have strides: levels may take the place of the latents.
 */
BF_EXPORT void bf_quantise(const bf_network *network, const int32_t *latents, int32_t components, int32_t rows,
                           int32_t columns, double scale, const double *thresholds, int32_t *quantised,
                           int64_t channel_stride, int64_t component_stride, uint8_t *classes, uint8_t *memory)
{
    const int64_t positions = (int64_t)rows * columns, stride = components * positions;
    bf_component held[BF_HELD];
    const workspace work = find_workspace(bf_hold(held, memory, positions), positions);
    for (int32_t one = 0; one < components; one++)
        quantise_component(network, held, work, one, latents + one * BF_CHANNELS * positions, rows, columns, scale,
                           thresholds, quantised + one * component_stride, channel_stride, classes + one * positions,
                           stride);
}

/* The classes alone that `bf_quantise` finds. */
BF_EXPORT void bf_scalar_classes(const bf_network *network, const int32_t *latents, int32_t components, int32_t rows,
                                 int32_t columns, double scale, const double *thresholds, uint8_t *classes,
                                 uint8_t *memory)
{
    const int64_t positions = (int64_t)rows * columns, stride = components * positions;
    bf_component held[BF_HELD];
    const workspace work = find_workspace(bf_hold(held, memory, positions), positions);
    for (int32_t one = 0; one < components; one++)
        quantise_component(network, held, work, one, latents + one * BF_CHANNELS * positions, rows, columns, scale,
                           thresholds, NULL, 0, classes + one * positions, stride);
}

/* The same as `bf_quantise` for one component, whose number is `number`; `memory` knows those before it. Nothing is
 * forgotten but the component of that number, if there was one: it may be quantised again.
 */
void bf_quantise_next(const bf_network *network, const int32_t *latents, int64_t number, int32_t components,
                      int32_t rows, int32_t columns, double scale, const double *thresholds, int32_t *quantised,
                      uint8_t *classes, uint8_t *memory)
{
    const int64_t positions = (int64_t)rows * columns, stride = components * positions;
    bf_component held[BF_HELD];
    const workspace work = find_workspace(bf_hold(held, memory, positions), positions);
    quantise_component(network, held, work, number, latents, rows, columns, scale, thresholds,
                       quantised + number * positions, stride, classes + number * positions, stride);
}

/* Classes of a diagonal of a component, those of the second quantiser numbered behind those of the first one. */
BF_CLONES
static void store_classes(const uint8_t *kinds, const uint8_t *second, int64_t positions, int32_t count,
                          uint8_t *classes)
{
    for (int64_t p = 0; p < positions; p++)
        classes[p] = (uint8_t)(kinds[p] + second[p] * count);
}

/* Classes of all latents of a segment, given their levels and which of two quantisers each went through, in whose place
 * they may be written: shapes as in `bf_quantise`.
 */
BF_EXPORT void bf_contexts(const bf_network *network, const int32_t *quantised, int64_t channel_stride,
                           int64_t component_stride, const uint8_t *second, int32_t components, int32_t rows,
                           int32_t columns, uint8_t *classes, uint8_t *memory)
{
    const int64_t positions = (int64_t)rows * columns, stride = components * positions;
    bf_component held[BF_HELD];
    const workspace work = find_workspace(bf_hold(held, memory, positions), positions);
    for (int32_t one = 0; one < components; one++) {
        bf_component *now = &held[one % BF_HELD];
        const bf_component *last = &held[(one + 2) % BF_HELD], *before = &held[(one + 1) % BF_HELD];
        for (int diagonal = 0; diagonal < BF_DIAGONALS; diagonal++) {
            const int first = bf_first(diagonal), end = bf_first(diagonal + 1);
            const int64_t at = first * stride + one * positions;
            bf_classify(network, diagonal, positions, now, last, before, work.kinds, positions);
            bf_learn(network, diagonal, rows, columns, now, quantised + first * channel_stride + one * component_stride,
                     channel_stride, second + at, stride, work.sums);
            for (int c = first; c < end; c++) {
                const int64_t to = (c - first) * stride + at;
                store_classes(work.kinds + (c - first) * positions, second + to, positions, network->classes,
                              classes + to);
            }
        }
        bf_past(network, positions, now, last, work.sums);
    }
}
