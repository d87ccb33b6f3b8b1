/* From averages of pixels to what they suggest for latents: see ground/restoration/suggestions.py. */

#include "cosines.h"

/* Changes of pixels, [blocks][kernels][64][filled], become changes of latents between -limit and limit, in place.
 *
 * `matrix` of [8][8] is the transform of a line, `channels` of [64] tells where the frequencies, line by line, go to;
 * `chosen` of [blocks] tells which of the matrices [kinds][size][width] turns the first components.
 */
BF_EXPORT BF_CLONES void bf_suggest(float *changes, int64_t blocks, int64_t kernels, int64_t filled,
                                    const float *matrix, const int32_t *channels, const float *rotations, int64_t kinds,
                                    int64_t size, int64_t width, const uint8_t *chosen, float limit)
{
    for (int64_t block = 0; block < blocks * kernels; block++, changes += BF_CHANNELS * filled) {
        int moved = 0;
        for (int64_t first = 0; first < filled; first += WIDE) {
            wide x[BF_CHANNELS];
            wholes bits = {0};
            for (int pixel = 0; pixel < BF_CHANNELS; pixel++) {
                x[pixel] = loaded(changes + pixel * filled + first);
                bits |= (wholes)x[pixel] << 1;
            }
            if (!any(bits))
                continue;
            moved = 1;
            for (int sample = 0; sample < EDGE; sample++)
                to_cosines(matrix, x + sample, EDGE);
            for (int line = 0; line < EDGE; line++)
                to_cosines(matrix, x + line * EDGE, 1);
            for (int pixel = 0; pixel < BF_CHANNELS; pixel++)
                memcpy(changes + channels[pixel] * filled + first, &x[pixel], sizeof x[pixel]);
        }
        if (!moved)
            continue;
        if (chosen && chosen[block / kernels] < kinds)
            turn_first(changes, BF_CHANNELS, filled, rotations + chosen[block / kernels] * size * width, size, width);
        for (int64_t at = 0; at < BF_CHANNELS * filled; at += WIDE) {
            const wide x = between(-limit - (wide){0}, loaded(changes + at), limit - (wide){0});
            memcpy(changes + at, &x, sizeof x);
        }
    }
}
