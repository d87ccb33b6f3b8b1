/* The layers of a context network in bytes, for one kind of processor: included by bytes.c once for each.
 *
 * LAYERS    name of the function
 * TARGET    attribute that allows its instructions
 * VECTOR    of 32-bit integers
 * WIDTH     how many
 * DOT(sum, values, word)    sum + dot products of the four bytes in each of `values` and those of a word
 * CUT(values, highest)      between 0 and `highest`
 */

TARGET static inline __attribute__((always_inline)) VECTOR NAMED(LAYERS, _packed)(const VECTOR *four)
{
    return four[0] | four[1] << 8 | four[2] << 16 | four[3] << 24;
}

/* Levels of a tile from the words of its latents (null: all are zero) and what its positions and channel add. */
TARGET static inline __attribute__((always_inline)) void
NAMED(LAYERS, _tile)(const bf_network *network, int group, int units, int middle_units, int count,
                     const int32_t (*latents)[TILE], const int32_t (*position)[TILE], const int32_t *channel,
                     int32_t *levels)
{
    const int32_t *words = network->words + (size_t)group * units * UNIT_WORDS;
    const int32_t *middle = network->middle_words + (size_t)group * middle_units * (units / 4);
    const int32_t *bias = network->whole_middle_bias + (size_t)group * middle_units;
    const int32_t *output = network->output_words + (size_t)group * (middle_units / 4);
    for (int t = 0; t < count; t += WIDTH) {
        VECTOR first[MOST_UNITS / 4], second[MOST_UNITS / 4], x[LATENT_WORDS];
        for (int f = 0; latents && f < LATENT_WORDS; f++)
            x[f] = *(const VECTOR *)(latents[f] + t);
        for (int u = 0; u < units; u += 4) {
            VECTOR four[4];
            for (int k = 0; k < 4; k++) {
                VECTOR sum = *(const VECTOR *)(position[u + k] + t) + channel[u + k];
                for (int f = 0; latents && f < LATENT_WORDS; f++)
                    sum = DOT(sum, x[f], words[(u + k) * UNIT_WORDS + f]);
                sum >>= network->shifts[0];
                four[k] = CUT(sum, network->limit);
            }
            first[u / 4] = NAMED(LAYERS, _packed)(four);
        }
        for (int v = 0; v < middle_units; v += 4) {
            VECTOR four[4];
            for (int k = 0; k < 4; k++) {
                VECTOR sum = bias[v + k] - (VECTOR){0};
                for (int u = 0; u < units / 4; u++)
                    sum = DOT(sum, first[u], middle[(v + k) * (units / 4) + u]);
                sum >>= network->shifts[1];
                four[k] = CUT(sum, network->limit);
            }
            second[v / 4] = NAMED(LAYERS, _packed)(four);
        }
        VECTOR level = network->whole_offset[group] - (VECTOR){0};
        for (int v = 0; v < middle_units / 4; v++)
            level = DOT(level, second[v], output[v]);
        level >>= network->shifts[2];
        *(VECTOR *)(levels + t) = CUT(level, network->classes - 1);
    }
}

TARGET static void LAYERS(const bf_network *network, int diagonal, int64_t positions, const bf_component *now,
                          const bf_component *last, const bf_component *before, uint8_t *classes, int64_t stride)
{
    const int first = bf_first(diagonal), end = bf_first(diagonal + 1);
    const int group = network->groups[diagonal], units = network->units;
    const int32_t *words = network->words + (size_t)group * units * UNIT_WORDS;
    int32_t channel[BF_LONGEST][MOST_UNITS];
    for (int c = first; c < end; c++)
        channel_units(network, words, c, now, last, channel[c - first]);
    for (int64_t start = 0; start < positions; start += TILE) {
        const int count = positions - start < TILE ? (int)(positions - start) : TILE;
        int32_t position[MOST_UNITS][TILE] __attribute__((aligned(64)));
        int32_t latents[LATENT_WORDS][TILE] __attribute__((aligned(64)));
        int32_t levels[TILE] __attribute__((aligned(64)));
        position_words(network, diagonal, positions, start, count, now, last, latents);
        for (int u = 0; u < units; u++)
            for (int t = 0; t < TILE; t += WIDTH) {
                VECTOR sum = {0};
                for (int f = 0; f < POSITION_WORDS; f++)
                    sum = DOT(sum, *(const VECTOR *)(latents[f] + t), words[u * UNIT_WORDS + LATENT_WORDS + f]);
                *(VECTOR *)(position[u] + t) = sum;
            }
        for (int c = first; c < end; c++) {
            const uint8_t *planes[BF_LATENT_FEATURES + 1];
            latent_planes(network, c, positions, start, now, last, before, planes);
            const int known = !nothing_known(planes, count);
            if (known)
                latent_words(planes, count, latents);
            const int32_t(*given)[TILE] = known ? (const int32_t(*)[TILE])latents : NULL;
            if (units == USUAL && network->middle_units == USUAL)
                NAMED(LAYERS, _tile)
                (network, group, USUAL, USUAL, count, given, (const int32_t(*)[TILE])position, channel[c - first],
                 levels);
            else
                NAMED(LAYERS, _tile)
                (network, group, units, network->middle_units, count, given, (const int32_t(*)[TILE])position,
                 channel[c - first], levels);
            uint8_t *to = classes + (c - first) * stride + start;
            for (int t = 0; t < count; t++)
                to[t] = (uint8_t)levels[t];
        }
    }
}

#undef LAYERS
#undef TARGET
#undef VECTOR
#undef WIDTH
#undef DOT
#undef CUT
