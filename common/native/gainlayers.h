/* The layers of a restoration network in pairs of 16 bits, for one kind of processor: included by latent_gains.c once
 * for each.
 *
 * LAYERS    name of the function
 * TARGET    attribute that allows its instructions
 * VECTOR    of 32-bit integers
 * WIDTH     how many
 * DOT(sum, pairs, word)    sum + products of both halves of each of `pairs` with those of a word, with signs
 * CUT(values)              between 0 and HIGHEST
 */

/* One layer: from words of two inputs to words of two units, or to sums where `shift` is negative. */
TARGET static inline __attribute__((always_inline)) void
NAMED(LAYERS, _layer)(const int32_t *weights, const int32_t *bias, int words, int units, int shift,
                      const int32_t (*inputs)[TILE], int32_t (*outputs)[TILE])
{
    for (int t = 0; t < TILE; t += 2 * WIDTH)
        for (int unit = 0; unit < units; unit += TOGETHER) {
            VECTOR sums[2][TOGETHER];
            for (int k = 0; k < TOGETHER; k++)
                sums[0][k] = sums[1][k] = bias[unit + k] - (VECTOR){0};
            for (int word = 0; word < words; word++) {
                const VECTOR one = *(const VECTOR *)(inputs[word] + t);
                const VECTOR other = *(const VECTOR *)(inputs[word] + t + WIDTH);
                for (int k = 0; k < TOGETHER; k++) {
                    const int32_t weight = weights[(unit + k) * words + word];
                    sums[0][k] = DOT(sums[0][k], one, weight);
                    sums[1][k] = DOT(sums[1][k], other, weight);
                }
            }
            for (int side = 0; side < 2; side++) {
                const int at = t + side * WIDTH;
                if (shift < 0) {
                    for (int k = 0; k < TOGETHER; k++)
                        *(VECTOR *)(outputs[unit + k] + at) = sums[side][k];
                    continue;
                }
                for (int k = 0; k < TOGETHER; k += 2)
                    *(VECTOR *)(outputs[(unit + k) / 2] + at) =
                        CUT(sums[side][k] >> shift) | CUT(sums[side][k + 1] >> shift) << 16;
            }
        }
}

TARGET static void LAYERS(const bf_gain_network *network, const int32_t *bias, const int32_t (*inputs)[TILE],
                          int32_t (*gains)[TILE])
{
    int32_t first[MOST_UNITS / 2][TILE] __attribute__((aligned(64)));
    int32_t second[MOST_UNITS / 2][TILE] __attribute__((aligned(64)));
    const int words = (int)network->kernels + BEHIND, units = (int)network->units;
    const int more_units = (int)network->more_units;
    NAMED(LAYERS, _layer)(network->first, bias, words, units, network->shifts[0], inputs, first);
    NAMED(LAYERS, _layer)
    (network->second, network->second_bias, units / 2, more_units, network->shifts[1], (const int32_t(*)[TILE])first,
     second);
    NAMED(LAYERS, _layer)
    (network->last, network->last_bias, more_units / 2, (int)network->outputs, -1, (const int32_t(*)[TILE])second, gains);
}

#undef LAYERS
#undef TARGET
#undef VECTOR
#undef WIDTH
#undef DOT
#undef CUT
