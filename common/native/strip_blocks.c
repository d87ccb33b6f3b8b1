/* A strip block by block, and the pixels that its levels stand for: see ground/restoration/strip_blocks.py.
 *
 * float32, operation by operation.
 */

#include "cosines.h"
#include "strip.h"

enum { POINTS = 3 };

/* Levels and classes of up to `WIDE` blocks that lie beside each other in [64][components][positions]. */
BF_INLINE void turn(const int32_t *quantised, const uint8_t *classes, int64_t components, int64_t positions, int count,
                    int64_t filled, int32_t *levels, uint8_t *kinds)
{
    const int64_t block = BF_CHANNELS * filled;
    for (int channel = 0; channel < BF_CHANNELS; channel++)
        for (int64_t first = 0; first < components; first += WIDE) {
            const int live = components - first < WIDE ? (int)(components - first) : WIDE;
            int32_t level[WIDE][WIDE] = {{0}};
            uint8_t kind[WIDE][WIDE] = {{0}};
            for (int k = 0; k < live; k++) {
                const int64_t from = (channel * components + first + k) * positions;
                for (int position = 0; position < count; position++) {
                    level[position][k] = quantised[from + position];
                    kind[position][k] = classes[from + position];
                }
            }
            for (int position = 0; position < count; position++) {
                const int64_t to = position * block + channel * filled + first;
                memcpy(levels + to, level[position], sizeof level[position]);
                memcpy(kinds + to, kind[position], sizeof kind[position]);
            }
        }
}

/* Latents of a block at their reconstruction points. */
BF_INLINE void place(const int32_t *levels, const uint8_t *kinds, int64_t count, const float *below, float *latents)
{
    memset(latents, 0, sizeof *latents * count);
    for (int64_t first = 0; first < count; first += WIDE) {
        if (!any(loaded_wholes(levels + first)))
            continue;
        for (int64_t at = first; at < first + WIDE; at++) {
            const int64_t level = levels[at], magnitude = level < 0 ? -level : level;
            if (!level)
                continue;
            const int64_t column = magnitude < POINTS ? magnitude - 1 : POINTS - 1;
            const float point = (float)magnitude - below[kinds[at] * POINTS + column];
            latents[at] = level < 0 ? -point : point;
        }
    }
}

/* Lay out a strip whose levels and classes are of shape [64][components][positions].
 *
 * `below` of [classes][POINTS] tells how far reconstruction points lie below magnitudes; `chosen` of [positions] which of
 * the matrices [kinds][size][width] turns the first components of a block back. `matrix` and `channels` are those of
 * bf_suggest; `latents` of [64][filled] is memory to work in.
 */
BF_EXPORT BF_CLONES void bf_lay_out(const int32_t *quantised, const uint8_t *classes, int64_t components, int64_t rows,
                                    int64_t columns, const float *below, const float *inverses, int64_t kinds,
                                    int64_t size, int64_t width, const uint8_t *chosen, const float *matrix,
                                    const int32_t *channels, const bf_strip *strip, float *latents)
{
    const int64_t filled = strip->filled, samples = strip->samples, positions = rows * columns;
    const int64_t block = BF_CHANNELS * filled;
    for (int64_t first = 0; first < positions; first += WIDE) {
        const int count = positions - first < WIDE ? (int)(positions - first) : WIDE;
        turn(quantised + first, classes + first, components, positions, count, filled, strip->quantised + first * block,
             strip->contexts + first * block);
    }
    for (int64_t position = 0; position < positions; position++) {
        const int64_t corner = (position / columns + 1) * EDGE * samples + (position % columns + 1) * EDGE;
        int64_t *sums = strip->sums + position * filled;
        const int32_t *levels = strip->quantised + position * block;
        memset(sums, 0, sizeof *sums * filled);
        for (int channel = 0; channel < BF_CHANNELS; channel++)
            for (int64_t k = 0; k < filled; k++) {
                const int64_t level = levels[channel * filled + k];
                sums[k] += level < 0 ? -level : level;
            }
        place(levels, strip->contexts + position * block, block, below, latents);
        if (chosen && chosen[position] < kinds)
            turn_first(latents, BF_CHANNELS, filled, inverses + chosen[position] * size * width, size, width);
        for (int64_t first = 0; first < filled; first += WIDE) {
            wide x[BF_CHANNELS];
            for (int pixel = 0; pixel < BF_CHANNELS; pixel++)
                x[pixel] = loaded(latents + channels[pixel] * filled + first);
            for (int line = 0; line < EDGE; line++)
                from_cosines(matrix, x + line * EDGE, 1);
            for (int sample = 0; sample < EDGE; sample++)
                from_cosines(matrix, x + sample, EDGE);
            for (int pixel = 0; pixel < BF_CHANNELS; pixel++) {
                const int64_t place = corner + pixel / EDGE * samples + pixel % EDGE;
                memcpy(strip->pixels + place * filled + first, &x[pixel], sizeof x[pixel]);
                for (int64_t k = first; k < first + WIDE && k < strip->fronts; k++)
                    strip->front[k * strip->lines * samples + place] = x[pixel][k - first];
                strip->present[place] = 1.0f;
            }
        }
    }
}

/* Sums of magnitudes over all positions, of levels of shape [64][components][rows][columns]. */
BF_EXPORT BF_CLONES void bf_magnitude_sums(const int32_t *quantised, int64_t components, int64_t rows, int64_t columns,
                                           int64_t *sums)
{
    for (int64_t plane = 0; plane < BF_CHANNELS * components; plane++, quantised += rows * columns) {
        int64_t sum = 0;
        for (int64_t at = 0; at < rows * columns; at++) {
            const int64_t level = quantised[at];
            sum += level < 0 ? -level : level;
        }
        sums[plane] = sum;
    }
}
