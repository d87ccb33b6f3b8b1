/* Bands predicted from bands, and what is left of them. See bitstream/transforms/band_prediction.py,
 * bitstream/transforms/lapped_synthesis.py and onboard/prediction/.
 *
 * Products of samples and weights are integers below 2**53, held in float64: exact in any order.
 */

#include "prediction.h"

#include <string.h>

/* A plane predicted from others: base + sum of weights * (plane - its mean), in units of 1/16 count. */
BF_CLONES
BF_EXPORT void bf_predict(const int32_t *planes, int64_t pixels, const int64_t *references, const int32_t *weights,
                          const int32_t *means, int32_t count, int32_t base, int32_t *prediction)
{
    double w[4] = {0}, constant = 512.0;
    const int32_t *from[4];
    for (int32_t n = 0; n < 4; n++) {
        from[n] = planes + (n < count ? references[n] * pixels : 0);
        w[n] = n < count ? weights[n] : 0.0;
        constant -= n < count ? w[n] * means[n] : 0.0;
    }
    const double low = -FARTHEST, high = FARTHEST;
    for (int64_t p = 0; p < pixels; p++) {
        const double sum = constant + w[0] * from[0][p] + w[1] * from[1][p] + w[2] * from[2][p] + w[3] * from[3][p];
        /* Half a unit was added: what is left is to round down. */
        const double scaled = sum * (1.0 / 1024.0);
        double down = rounded(scaled);
        down -= down > scaled ? 1.0 : 0.0;
        prediction[p] = (int32_t)between(base + down, low, high);
    }
}

/* Blocks around those of a strip: each the mirror image of the one beside it. */
BF_INLINE void mirror_blocks(int8_t *inputs, int32_t rows, int32_t columns)
{
    const int64_t row = ((int64_t)columns + 2) * 64;
    for (int32_t c = 1; c <= columns; c++)
        for (int y = 0; y < 8; y++) {
            memcpy(inputs + c * 64 + y * 8, inputs + row + c * 64 + (7 - y) * 8, 8);
            memcpy(inputs + (rows + 1) * row + c * 64 + y * 8, inputs + rows * row + c * 64 + (7 - y) * 8, 8);
        }
    for (int32_t r = 0; r < rows + 2; r++) {
        int8_t *left = inputs + r * row, *right = left + (columns + 1) * (int64_t)64;
        for (int n = 0; n < 64; n++) {
            left[n] = left[64 + (n ^ 7)];
            right[n] = right[(n ^ 7) - 64];
        }
    }
}

/* What is left of a band, as integers of 8 bits, [rows + 2][columns + 2][64]: the samples of a block side by side.
 * Returns how many were cut.
 */
BF_CLONES
BF_EXPORT int64_t bf_innovations(const int32_t *target, const int32_t *prediction, int32_t rows, int32_t columns,
                                 double scale, int8_t *inputs)
{
    int64_t cut = 0;
    for (int32_t r = 0; r < rows; r++)
        for (int32_t y = 0; y < 8; y++) {
            const int64_t line = ((int64_t)r * 8 + y) * columns * 8;
            int8_t *out = inputs + (((int64_t)r + 1) * (columns + 2) + 1) * 64 + y * 8;
            for (int32_t c = 0; c < columns; c++) {
                int32_t over = 0;
                for (int32_t x = 0; x < 8; x++) {
                    const int64_t p = line + c * 8 + x;
                    const double units = rounded((double)(16 * target[p] - prediction[p]) * scale);
                    const double held = between(units, -127.0, 127.0);
                    over += held != units;
                    out[(int64_t)c * 64 + x] = (int8_t)(int32_t)held;
                }
                cut += over;
            }
        }
    mirror_blocks(inputs, rows, columns);
    return cut;
}

/* Sum of squares of what `lines` x `samples` of a plane, rounded to counts between two, differ from `target`. */
BF_CLONES
BF_EXPORT int64_t bf_squared_error(const int32_t *plane, const int32_t *target, int32_t width, int32_t lines,
                                   int32_t samples, int32_t low, int32_t high)
{
    int64_t total = 0;
    for (int64_t y = 0; y < lines; y++)
        for (int64_t x = 0; x < samples; x++) {
            int32_t count = (plane[y * width + x] + 8) >> SAMPLE_BITS;
            count = count < low ? low : count > high ? high : count;
            const int64_t error = count - target[y * width + x];
            total += error * error;
        }
    return total;
}

/* What lies beyond the edges is the mirror image of what lies before them. */
BF_INLINE void fold_margins(double *sums, int32_t rows, int32_t columns)
{
    const int64_t width = ((int64_t)columns + 2) * 8, height = ((int64_t)rows + 2) * 8;
    for (int64_t y = 0; y < 8; y++)
        for (int64_t x = 0; x < width; x++)
            sums[(15 - y) * width + x] += sums[y * width + x];
    for (int64_t y = 0; y < 8; y++)
        for (int64_t x = 0; x < width; x++)
            sums[(height - 16 + y) * width + x] += sums[(height - 1 - y) * width + x];
    for (int64_t y = 8; y < height - 8; y++) {
        double *row = sums + y * width;
        for (int64_t x = 0; x < 8; x++)
            row[15 - x] += row[x];
        for (int64_t x = 0; x < 8; x++)
            row[width - 16 + x] += row[width - 1 - x];
    }
}

/* Add the basis functions of a strip's levels to what was predicted.
 *
 * `levels` and `classes` are of shape [64][rows][columns] with a stride between channels, `points` of [classes][3],
 * `kernels` of [64][24][24], `sums` of [(rows + 2) * 8][(columns + 2) * 8].
 */
BF_CLONES
BF_EXPORT void bf_reconstruct(const int32_t *prediction, const int32_t *levels, const uint8_t *classes, int64_t stride,
                              int32_t rows, int32_t columns, const int32_t *points, const int32_t *kernels,
                              double scale, double *sums, int32_t *plane)
{
    const int64_t width = ((int64_t)columns + 2) * 8, positions = (int64_t)rows * columns;
    int32_t any = 0;
    for (int32_t c = 0; c < BF_CHANNELS; c++)
        for (int64_t p = 0; p < positions; p++)
            any |= levels[c * stride + p];
    if (!any) {
        memcpy(plane, prediction, (size_t)positions * 64 * sizeof *plane);
        return;
    }
    memset(sums, 0, ((size_t)rows + 2) * 8 * width * sizeof *sums);
    for (int32_t c = 0; c < BF_CHANNELS; c++) {
        const int32_t *values = levels + c * stride;
        const uint8_t *kinds = classes + c * stride;
        const int32_t *kernel = kernels + c * 576;
        for (int64_t p = 0; p < positions; p++) {
            if (!values[p])
                continue;
            const int32_t magnitude = values[p] < 0 ? -values[p] : values[p];
            const int32_t point = points[kinds[p] * 3 + (magnitude < 3 ? magnitude : 3) - 1];
            const double value = values[p] < 0 ? point - 256.0 * magnitude : 256.0 * magnitude - point;
            double *to = sums + (p / columns) * 8 * width + p % columns * 8;
            for (int y = 0; y < 24; y++)
                for (int x = 0; x < 24; x++)
                    to[y * width + x] += value * kernel[y * 24 + x];
        }
    }
    fold_margins(sums, rows, columns);
    for (int64_t y = 0; y < rows * 8; y++) {
        const double *sum = sums + (y + 8) * width + 8;
        const int64_t line = y * columns * 8;
        for (int64_t x = 0; x < columns * 8; x++)
            plane[line + x] = (int32_t)between(prediction[line + x] + rounded(between(sum[x] * scale, -1e9, 1e9)),
                                               -FARTHEST, FARTHEST);
    }
}
