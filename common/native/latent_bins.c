/* Corrected latents in their bins: see ground/restoration/latent_bins.py. */

#include "wide.h"

enum { POINTS = 3, BESIDE = 3 };

/* Latents of some blocks in steps, from block `at` of [64][components][positions] on: reconstruction points and `trust`
 * times what changes are, held between both ends of their bins.
 *
 * Levels, classes and changes are of shape [blocks][64][filled]; `tables` of [kinds][POINTS + 1][BESIDE] tell by class and
 * magnitude what points and ends lie above the magnitude. `live` of [components] becomes 1 where a latent is not 0.
 */
BF_EXPORT BF_CLONES void bf_into_bins(const int32_t *levels, const uint8_t *classes, const float *changes,
                                      const float *tables, float trust, int64_t at, int64_t blocks, int64_t filled,
                                      int64_t components, int64_t positions, float *latents, uint8_t *live)
{
    const int64_t block = BF_CHANNELS * filled;
    memset(live, 0, components);
    for (int channel = 0; channel < BF_CHANNELS; channel++)
        for (int64_t first = 0; first < components; first += WIDE)
            for (int64_t start = 0; start < blocks; start += WIDE) {
                const int some = components - first < WIDE ? (int)(components - first) : WIDE;
                const int count = blocks - start < WIDE ? (int)(blocks - start) : WIDE;
                float found[WIDE][WIDE];
                wholes seen = {0};
                for (int position = 0; position < count; position++) {
                    const int64_t from = (start + position) * block + channel * filled + first;
                    const wholes level = loaded_wholes(levels + from);
                    wide x = loaded(changes + from);
                    if (any(level | (wholes)x << 1)) {
                        float point[WIDE], low[WIDE], high[WIDE];
                        for (int k = 0; k < WIDE; k++) {
                            const int64_t size = level[k] < 0 ? -(int64_t)level[k] : level[k];
                            const int64_t column = size < POINTS ? size : POINTS;
                            const float *beside = tables + (classes[from + k] * (POINTS + 1) + column) * BESIDE;
                            point[k] = beside[0];
                            low[k] = beside[1];
                            high[k] = beside[2];
                        }
                        /* A latent of the other sign is corrected the other way. */
                        const wholes sign = level & INT32_MIN;
                        const wide size = (wide)((wholes)__builtin_convertvector(level, wide) & INT32_MAX);
                        x = size + loaded(point) + trust * (wide)((wholes)x ^ sign);
                        x = between(size + loaded(low), x, size + loaded(high));
                        x = (wide)((wholes)x ^ sign);
                        seen |= (wholes)x << 1;
                    }
                    for (int k = 0; k < WIDE; k++)
                        found[k][position] = x[k];
                }
                for (int k = 0; k < some; k++) {
                    memcpy(latents + (channel * components + first + k) * positions + at + start, found[k],
                           sizeof *latents * count);
                    live[first + k] |= seen[k] != 0;
                }
            }
}
