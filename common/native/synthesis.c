/* From levels to component planes, and from real numbers to counts, around the products of matrices that BLAS makes.
 * See ground/synthesis/inverse_transforms.py and ground/synthesis/rounding.py.
 *
 * Every operation and its order is that of the NumPy code: nothing here is fused.
 */

#include "lanes.h"

#include <math.h>
#include <string.h>

enum { POINTS = 3, TOGETHER = 16, MOST = 64 };

/* Latents of some components at their reconstruction points, times the step; most levels are zero.
 *
 * `quantised` and `classes` are of shape [64][components][positions], `points` of [classes][POINTS]: how far the points
 * of magnitudes 1, 2, ... lie below them. `live` are the numbers of `count` components.
 */
BF_EXPORT void bf_dequantise(const int32_t *quantised, const uint8_t *classes, int64_t components, int64_t positions,
                             const double *points, const int64_t *live, int64_t count, double step, double *latents)
{
    for (int c = 0; c < BF_CHANNELS; c++)
        for (int64_t one = 0; one < count; one++, latents += positions) {
            const int64_t from = (c * components + live[one]) * positions;
            const int32_t *levels = quantised + from;
            const uint8_t *kinds = classes + from;
            memset(latents, 0, sizeof *latents * positions);
            for (int64_t start = 0; start < positions; start += TOGETHER) {
                const int64_t end = start + TOGETHER < positions ? start + TOGETHER : positions;
                int32_t any = 0;
                for (int64_t p = start; p < end; p++)
                    any |= levels[p];
                for (int64_t p = start; any && p < end; p++) {
                    if (!levels[p])
                        continue;
                    const int64_t magnitude = levels[p] < 0 ? -(int64_t)levels[p] : levels[p];
                    const int64_t place = magnitude < POINTS ? magnitude - 1 : POINTS - 1;
                    const double point = fabs((double)magnitude - points[kinds[p] * POINTS + place]);
                    latents[p] = (levels[p] < 0 ? -point : point) * step;
                }
            }
        }
}

/* Multiply the first `size` components of each block by the matrix that was chosen for it, in place.
 *
 * Latents are of shape [64][components][positions], `inverses` of [kinds][size][size]; blocks that chose no matrix are
 * left alone.
 */
BF_EXPORT BF_CLONES void bf_unrotate(double *latents, int64_t components, int64_t positions, const double *inverses,
                                     int64_t kinds, int64_t size, const uint8_t *chosen)
{
    for (int c = 0; c < BF_CHANNELS; c++, latents += components * positions)
        for (int64_t p = 0; p < positions; p++) {
            if (chosen[p] >= kinds)
                continue;
            const double *matrix = inverses + chosen[p] * size * size;
            double sums[MOST] = {0};
            for (int64_t j = 0; j < size; j++) {
                const double x = latents[j * positions + p];
                for (int64_t i = 0; i < size; i++)
                    sums[i] += matrix[j * size + i] * x;
            }
            for (int64_t i = 0; i < size; i++)
                latents[i * positions + p] = sums[i];
        }
}

/* Pixels of blocks, [64][components][rows][columns], as planes of [components][lines][samples]: what the last blocks
 * hold beyond them is dropped.
 */
BF_EXPORT void bf_block_planes(const double *blocks, int64_t components, int64_t rows, int64_t columns, int64_t lines,
                               int64_t samples, double *planes)
{
    const int64_t positions = rows * columns;
    for (int64_t one = 0; one < components; one++)
        for (int64_t line = 0; line < lines; line++, planes += samples) {
            const double *from = blocks + ((line % 8) * 8 * components + one) * positions + line / 8 * columns;
            for (int64_t column = 0; column < samples / 8; column++)
                for (int x = 0; x < 8; x++)
                    planes[8 * column + x] = from[x * components * positions + column];
            for (int64_t sample = samples / 8 * 8; sample < samples; sample++)
                planes[sample] = from[sample % 8 * components * positions + sample / 8];
        }
}

#define ROUND(type)                                                                                                    \
    for (int64_t p = 0; p < pixels; p++) {                                                                             \
        double x = from[p] + mean;                                                                                     \
        x = x < low ? low : x;                                                                                         \
        x = x > high ? high : x;                                                                                       \
        ((type *)counts)[band * count_stride + p] = (type)(int32_t)((x + magic) - magic);                              \
    }                                                                                                                  \
    break

/* Bands, [bands][pixels], less their means: with them, cut to a range, as the nearest integers (halves to even).
 *
 * `kind` tells the type of counts: uint8, int8, uint16 or int16.
 */
BF_EXPORT BF_CLONES void bf_round(const double *values, int64_t value_stride, const double *means, int64_t bands,
                                  int64_t pixels, double low, double high, int32_t kind, void *counts,
                                  int64_t count_stride)
{
    const double magic = 6755399441055744.0; /* 1.5 * 2**52 */
    for (int64_t band = 0; band < bands; band++) {
        const double *from = values + band * value_stride, mean = means[band];
        switch (kind) {
        case 0: ROUND(uint8_t);
        case 1: ROUND(int8_t);
        case 2: ROUND(uint16_t);
        default: ROUND(int16_t);
        }
    }
}
