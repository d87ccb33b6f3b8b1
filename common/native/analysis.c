/* Fold and cosine transform in one pass. See onboard/transform/fold.py and onboard/transform/cosine.py.
 *
 * Everything is integers held in float64 whose sums stay below 2**53: exact in any order, fused or not.
 */

#include "encoding.h"
#include "lanes.h"

#include <string.h>

#if defined(__clang__)
#pragma clang fp contract(fast)
#elif defined(__GNUC__)
#pragma GCC optimize("fp-contract=fast")
#endif

enum { BLOCK = 8, TILE = LANES * BLOCK, QUARTER = 16 };

/* Lanes are pixels at the same place of eight blocks. */
typedef int64_t flags __attribute__((vector_size(64)));
typedef int32_t integers __attribute__((vector_size(32)));

static const double FRACTION = 64.0, DCT_UNIT = 16384.0;

/* `result[k] = rint(sum over n of weights[n][k] * from[n] * scale)` for `count` rows of TILE, of which some pixels are
 * there.
 */
BF_INLINE void multiply(const double *weights, int64_t terms, int64_t count, const double *from, int pixels,
                        const int32_t *rows, double scale, double *result)
{
    for (int64_t k = 0; k < count; k += 4) {
        const int64_t left = count - k < 4 ? count - k : 4;
        for (int t = 0; t < pixels; t += LANES) {
            lanes sums[4] = {{0}};
            if (left == 4)
                for (int64_t n = 0; n < terms; n++) {
                    const lanes x = *(const lanes *)(from + (rows ? rows[n] : n) * TILE + t);
                    const double *w = weights + n * count + k;
                    sums[0] += w[0] * x;
                    sums[1] += w[1] * x;
                    sums[2] += w[2] * x;
                    sums[3] += w[3] * x;
                }
            else
                for (int64_t n = 0; n < terms; n++) {
                    const lanes x = *(const lanes *)(from + (rows ? rows[n] : n) * TILE + t);
                    for (int64_t j = 0; j < left; j++)
                        sums[j] += weights[n * count + k + j] * x;
                }
            for (int64_t j = 0; j < left; j++)
                *(lanes *)(result + (k + j) * TILE + t) = nearest(sums[j] * scale);
        }
    }
}

/* Components of eight blocks, rotated. It is here because fused operations are allowed here. */
BF_CLONES void bf_rotated(const double *matrix, int32_t size, const double *x, double *found)
{
    for (int32_t j = 0; j < size; j += 4) {
        lanes sums[4] = {{0}};
        for (int32_t i = 0; i < size; i++) {
            const lanes from = ((const lanes *)x)[i];
            const double *w = matrix + i * size + j;
            sums[0] += w[0] * from;
            sums[1] += w[1] * from;
            sums[2] += w[2] * from;
            sums[3] += w[3] * from;
        }
        for (int n = 0; n < 4; n++)
            ((lanes *)found)[j + n] = nearest(sums[n] * (1.0 / BASIS_UNIT));
    }
}

#define LOAD(type)                                                                                             \
    if (adjacent && pixels == TILE)                                                                            \
        for (int t = 0; t < TILE; t++)                                                                         \
            to[t] = (double)((const type *)samples)[start + columns[0] + t] - mean;                            \
    else if (adjacent)                                                                                         \
        for (int t = 0; t < pixels; t++)                                                                       \
            to[t] = (double)((const type *)samples)[start + columns[0] + t] - mean;                            \
    else if (runs)                                                                                             \
        for (int b = 0; b < pixels; b += BLOCK)                                                                \
            for (int x = 0; x < BLOCK; x++)                                                                    \
                to[b + x] = (double)((const type *)samples)[start + columns[b] + x] - mean;                    \
    else                                                                                                       \
        for (int t = 0; t < pixels; t++)                                                                       \
            to[t] = (double)((const type *)samples)[start + columns[t]] - mean;                                \
    break

/* A line of a tile, less the mean of its band: all samples lie side by side, or those of each block do. */
BF_INLINE void load(const void *samples, int32_t kind, int64_t start, const int64_t *columns, int adjacent, int runs,
                    int pixels, double mean, double *restrict to)
{
    switch (kind) {
    case 0: LOAD(uint8_t);
    case 1: LOAD(int8_t);
    case 2: LOAD(uint16_t);
    case 3: LOAD(int16_t);
    default: LOAD(int32_t);
    }
}

/* Cosine transform of a component of a tile: [8 lines][8][LANES] to [64] channels of `count` blocks. */
BF_INLINE int transform(const bf_fold *fold, const double *plane, int count, int32_t *latents, int64_t positions)
{
    /* By signs, since GCC compares such vectors one by one: numbers of one sign are ordered as their bits. */
    const double highest = (double)INT32_MAX;
    const int64_t magnitude = INT64_MAX;
    int64_t limit;
    memcpy(&limit, &highest, sizeof limit);
    lanes quarters[4][QUARTER];
    flags failed = {0};
    for (int y = 0; y < 4; y++)
        for (int x = 0; x < 4; x++) {
            const lanes *top = (const lanes *)plane + y * BLOCK, *bottom = (const lanes *)plane + (7 - y) * BLOCK;
            const lanes even = top[x] + top[7 - x], odd = top[x] - top[7 - x];
            const lanes even_below = bottom[x] + bottom[7 - x], odd_below = bottom[x] - bottom[7 - x];
            quarters[0][4 * y + x] = even + even_below;
            quarters[1][4 * y + x] = odd + odd_below;
            quarters[2][4 * y + x] = even - even_below;
            quarters[3][4 * y + x] = odd - odd_below;
        }
    for (int kind = 0; kind < 4; kind++)
        for (int c = 0; c < QUARTER; c += 4) {
            const double *w = fold->cosines + (kind * QUARTER + c) * QUARTER;
            lanes sums[4] = {{0}};
            for (int n = 0; n < QUARTER; n++) {
                const lanes x = quarters[kind][n];
                sums[0] += w[n] * x;
                sums[1] += w[QUARTER + n] * x;
                sums[2] += w[2 * QUARTER + n] * x;
                sums[3] += w[3 * QUARTER + n] * x;
            }
            for (int j = 0; j < 4; j++) {
                const lanes found = nearest(sums[j] * (1.0 / DCT_UNIT));
                const integers whole = __builtin_convertvector(found, integers);
                failed |= limit - ((flags)found & magnitude);
                int32_t *to = latents + fold->channels[kind * QUARTER + c + j] * positions;
                if (count == LANES)
                    memcpy(to, &whole, sizeof whole);
                else
                    memcpy(to, &whole, sizeof *to * count);
            }
        }
    int any = 0;
    for (int b = 0; b < LANES; b++)
        any |= failed[b] < 0;
    return any;
}

/* Numbers of float64 that `bf_analyse` works in. */
BF_EXPORT int64_t bf_analysis_memory(const bf_fold *fold)
{
    int64_t firsts = 0;
    for (int32_t n = 0; n < fold->intervals; n++)
        firsts += fold->counts[n];
    return TILE * ((int64_t)fold->bands + firsts + fold->seconds + BLOCK * (int64_t)(fold->seconds + fold->others)) +
           LANES;
}

/* Fold and transform whole blocks.
 *
 * Samples are of shape [bands][...][...] with strides in elements; `lines` (8 for each of `rows`) and `columns` (8 for
 * each of `across`) tell which of them make up the blocks. Latents are of shape [components][64][rows][across],
 * components `component_stride` and channels `channel_stride` apart. Returns 1 if one exceeds 32 bits.
 */
BF_EXPORT BF_CLONES int32_t bf_analyse(const bf_fold *fold, const void *samples, int32_t kind, int64_t band_stride,
                                       int64_t line_stride, int64_t sample_stride, const int64_t *lines,
                                       const int64_t *columns, int32_t rows, int32_t across, int32_t *latents,
                                       int64_t component_stride, int64_t channel_stride, double *memory)
{
    const int32_t components = fold->seconds + fold->others;
    int failed = 0;
    memory += (LANES - ((uintptr_t)memory / sizeof(double)) % LANES) % LANES;
    double *centred = memory, *planes = centred + (int64_t)TILE * fold->bands;
    int64_t firsts = 0;
    for (int32_t n = 0; n < fold->intervals; n++)
        firsts += fold->counts[n];
    double *merged = planes + TILE * firsts, *tile = merged + (int64_t)TILE * fold->seconds;
    for (int32_t row = 0; row < rows; row++)
        for (int32_t block = 0; block < across; block += LANES) {
            const int count = across - block < LANES ? across - block : LANES;
            const int pixels = count * BLOCK;
            int64_t places[TILE];
            int adjacent = 1, runs = 1;
            for (int x = 0; x < pixels; x++) {
                places[x] = columns[block * BLOCK + x] * sample_stride;
                adjacent &= places[x] == places[0] + x;
                runs &= places[x] == places[x - x % BLOCK] + x % BLOCK;
            }
            for (int y = 0; y < BLOCK; y++) {
                const double *weights = fold->first;
                double *to = planes;
                int32_t start = 0;
                for (int32_t n = 0; n < fold->intervals; n++) {
                    const int32_t end = fold->ends[n];
                    if (fold->counts[n]) {
                        for (int32_t band = start; band < end; band++)
                            load(samples, kind, band * band_stride + lines[row * BLOCK + y] * line_stride, places,
                                 adjacent, runs, pixels, fold->means[band], centred + (int64_t)(band - start) * TILE);
                        multiply(weights, end - start, fold->counts[n], centred, pixels, NULL, FRACTION / BASIS_UNIT, to);
                    }
                    weights += (int64_t)(end - start) * fold->counts[n];
                    to += (int64_t)TILE * fold->counts[n];
                    start = end;
                }
                multiply(fold->second, fold->merged, fold->seconds, planes, pixels, fold->inside, 1.0 / BASIS_UNIT, merged);
                for (int32_t n = 0; n < components; n++) {
                    const double *from = n < fold->seconds
                                             ? merged + (int64_t)n * TILE
                                             : planes + (int64_t)fold->outside[n - fold->seconds] * TILE;
                    double *restrict line = tile + ((int64_t)n * BLOCK + y) * TILE;
                    for (int x = 0; x < BLOCK; x++)
                        for (int b = 0; b < LANES; b++)
                            line[x * LANES + b] = b < count ? from[b * BLOCK + x] : 0.0;
                }
            }
            for (int32_t n = 0; n < components; n++)
                failed |= transform(fold, tile + (int64_t)n * BLOCK * TILE, count,
                                    latents + n * component_stride + (int64_t)row * across + block, channel_stride);
        }
    return failed;
}
