/* The base of a refinement: bands rounded to counts. See bitstream/refinement/exact_transforms.py. */

#include "refinement.h"

enum { SAMPLE_UNIT = 16 };

/* Added and taken off again it rounds to the nearest, as long as numbers are below 2**51. */
static const double ROUNDER = 6755399441055744.0;
static const double LARGEST = 268435456.0;

BF_INLINE double cut(double x, double low, double high)
{
    x = x < low ? low : x;
    return x > high ? high : x;
}

/* Lines of blocks of some bands, in multiples of `unit`, and their means become counts; negative ones modulo 2**16. */
BF_CLONES
BF_EXPORT void bf_refinement_counts(const double *planes, const double *means, const double *limits, double unit,
                                    int32_t bands, int32_t lines, int32_t across, int32_t samples, uint16_t *counts,
                                    int64_t stride)
{
    const double low = limits[0], high = limits[1];
    for (int32_t band = 0; band < bands; band++) {
        const double mean = means[band];
        for (int32_t line = 0; line < lines; line++) {
            const double *from = planes + ((int64_t)band * 8 + line) * across;
            uint16_t *to = counts + band * stride + (int64_t)line * samples;
            for (int32_t x = 0; x < samples; x++) {
                double value = cut((from[x] * unit + ROUNDER) - ROUNDER, -LARGEST, LARGEST);
                value = (value + mean) * (1.0 / SAMPLE_UNIT);
                double down = (value + ROUNDER) - ROUNDER;
                down -= down > value ? 1.0 : 0.0;
                to[x] = (uint16_t)(int32_t)cut(down, low, high);
            }
        }
    }
}
