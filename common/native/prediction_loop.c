/* The encoder of predicted bands: what happens to a band before and behind the network. See
 * onboard/prediction/prediction_loop.py.
 *
 * All but sums of integers is arithmetic of single numbers in the order of the Python code.
 */

#include "prediction_loop.h"

#include <string.h>

/* Before the network: choose the weights of a band, predict it, and give what is left in 8 bits. Returns how many
 * samples were cut.
 */
BF_EXPORT int64_t bf_predict_next(bf_prediction_loop *loop, int64_t number)
{
    bf_choose_prediction(loop, number);
    int32_t weights[REFERENCES];
    for (int32_t place = 0; place < REFERENCES; place++)
        weights[place] = (int32_t)loop->found[2 + place];
    int64_t base = loop->means[number] + ((loop->found[1] * loop->step_codes[number]) >> 5);
    base = base < -FARTHEST ? -FARTHEST : base > FARTHEST ? FARTHEST : base;
    bf_predict(loop->planes, loop->pixels, loop->references + number * REFERENCES, weights,
               loop->reference_means + number * REFERENCES, (int32_t)loop->found[0], (int32_t)base, loop->prediction);
    memset(loop->latents, 0, (size_t)loop->pixels * sizeof *loop->latents);
    return bf_innovations(loop->target, loop->prediction, loop->rows, loop->columns,
                          2048.0 / (16.0 * loop->step_codes[number]), loop->inputs);
}

/* Add the latents that a network gave, [rows + 2][columns + 2][64], to planes [64][rows][columns].
 * Returns how many are at the end of their range.
 */
BF_CLONES
static int64_t add_latents(const int8_t *outputs, int32_t rows, int32_t columns, const int32_t *units,
                           int32_t shift, int32_t *latents)
{
    int64_t cut = 0;
    const int64_t positions = (int64_t)rows * columns;
    for (int32_t r = 0; r < rows; r++)
        for (int32_t c = 0; c < columns; c++) {
            const int8_t *from = outputs + (((int64_t)r + 1) * (columns + 2) + c + 1) * 64;
            int32_t *to = latents + (int64_t)r * columns + c;
            for (int n = 0; n < 64; n++) {
                cut += from[n] == 127 || from[n] == -128;
                /* 2**13 of a latent and its unit, and shifts beyond 17 where networks saturate again and again. */
                const int64_t sum = to[n * positions] + (int64_t)(from[n] * units[n]) * ((int64_t)1 << shift);
                to[n * positions] = (int32_t)(sum < -INT32_MAX ? -INT32_MAX : sum > INT32_MAX ? INT32_MAX : sum);
            }
        }
    return cut;
}


/* Behind the network: add its latents to those that there are, quantise them, reconstruct the band, measure its error.
 * Returns how many of the network's are at the end of their range.
 */
BF_EXPORT int64_t bf_code_next(bf_prediction_loop *loop, int64_t number, const int8_t *outputs, int32_t shift)
{
    const int64_t positions = (int64_t)loop->rows * loop->columns, engine = loop->engine_of[number];
    const int64_t held = number % BF_HELD, at = held * positions;
    int32_t *plane = loop->planes + loop->plane_of[number] * loop->pixels;
    const int64_t cut =
        add_latents(outputs, loop->rows, loop->columns, loop->units + engine * BF_CHANNELS, shift, loop->latents);
    bf_quantise_next(loop->network, loop->latents, held, BF_HELD, loop->rows, loop->columns, 1.0 / 64,
                     loop->thresholds, loop->levels, loop->classes, loop->memory);
    bf_reconstruct(loop->prediction, loop->levels + at, loop->classes + at, BF_HELD * positions, loop->rows,
                   loop->columns, loop->points, loop->kernels + engine * BF_CHANNELS * 576,
                   (double)loop->step_codes[number] * (1.0 / 67108864), loop->sums, plane);
    loop->found[6] = bf_squared_error(plane, loop->target, loop->columns * 8, loop->lines, loop->samples, loop->low,
                                      loop->high);
    return cut;
}
