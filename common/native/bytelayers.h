/* The layers of a context network in bytes, for one kind of processor: included by bytes.c once for each.
 *
 * LAYERS    name of the function
 * TARGET    attribute that allows its instructions
 * VECTOR    of 32-bit integers
 * WIDTH     how many
 * SIDES     vectors that each weight is loaded for
 * DOT(sum, values, word)    sum + dot products of the four bytes in each of `values` and those of a word
 * CUT(values, highest)      between 0 and `highest`
 * PACKED(four)              of four vectors, cut to 0 ... 127: bytes of each number side by side, the first one lowest
 */

/* Levels of a tile from the words of its latents (null: all are zero) and what its positions and channel add. */
TARGET static inline __attribute__((always_inline)) void
NAMED(LAYERS, _tile)(const bf_network *network, int group, int latent_words, int units, int middle_units, int count,
                     const int32_t (*latents)[TILE], const int32_t (*position)[TILE], const int32_t *channel,
                     int32_t *levels)
{
    const int unit_words = latent_words + SHARED_WORDS;
    const int32_t *words = network->words + (size_t)group * units * unit_words;
    const int32_t *middle = network->middle_words + (size_t)group * middle_units * (units / 4);
    const int32_t *bias = network->whole_middle_bias + (size_t)group * middle_units;
    const int32_t *output = network->output_words + (size_t)group * (middle_units / 4);
    for (int t = 0; t < count; t += SIDES * WIDTH) {
        VECTOR first[SIDES][MOST_UNITS / 4], second[SIDES][MOST_UNITS / 4], x[SIDES][MOST_LATENT_WORDS];
        for (int f = 0; latents && f < latent_words; f++)
            for (int s = 0; s < SIDES; s++)
                x[s][f] = *(const VECTOR *)(latents[f] + t + s * WIDTH);
        for (int u = 0; u < units; u += 4) {
            VECTOR four[SIDES][4];
            for (int k = 0; k < 4; k++) {
                for (int s = 0; s < SIDES; s++)
                    four[s][k] = *(const VECTOR *)(position[u + k] + t + s * WIDTH) + channel[u + k];
                for (int f = 0; latents && f < latent_words; f++) {
                    const int32_t word = words[(u + k) * unit_words + f];
                    for (int s = 0; s < SIDES; s++)
                        four[s][k] = DOT(four[s][k], x[s][f], word);
                }
                for (int s = 0; s < SIDES; s++)
                    four[s][k] >>= network->shifts[0];
            }
            for (int s = 0; s < SIDES; s++)
                first[s][u / 4] = PACKED(four[s]);
        }
        for (int v = 0; v < middle_units; v += 4) {
            VECTOR four[SIDES][4];
            for (int k = 0; k < 4; k++) {
                for (int s = 0; s < SIDES; s++)
                    four[s][k] = bias[v + k] - (VECTOR){0};
                for (int u = 0; u < units / 4; u++) {
                    const int32_t word = middle[(v + k) * (units / 4) + u];
                    for (int s = 0; s < SIDES; s++)
                        four[s][k] = DOT(four[s][k], first[s][u], word);
                }
                for (int s = 0; s < SIDES; s++)
                    four[s][k] >>= network->shifts[1];
            }
            for (int s = 0; s < SIDES; s++)
                second[s][v / 4] = PACKED(four[s]);
        }
        for (int s = 0; s < SIDES; s++) {
            VECTOR level = network->whole_offset[group] - (VECTOR){0};
            for (int v = 0; v < middle_units / 4; v++)
                level = DOT(level, second[s][v], output[v]);
            level >>= network->shifts[2];
            *(VECTOR *)(levels + t + s * WIDTH) = CUT(level, network->classes - 1);
        }
    }
}

TARGET static void LAYERS(const bf_network *network, int diagonal, int64_t positions, const bf_component *now,
                          const bf_component *last, const bf_component *before, uint8_t *classes, int64_t stride)
{
    const int first = bf_first(diagonal), end = bf_first(diagonal + 1);
    const int group = network->groups[diagonal], units = network->units;
    const int own_words = latent_words_of(network), unit_words = own_words + SHARED_WORDS;
    const int32_t *words = network->words + (size_t)group * units * unit_words;
    int32_t channel[BF_LONGEST][MOST_UNITS];
    for (int c = first; c < end; c++)
        channel_units(network, words, c, now, last, channel[c - first]);
    for (int64_t start = 0; start < positions; start += TILE) {
        const int count = positions - start < TILE ? (int)(positions - start) : TILE;
        int32_t position[MOST_UNITS][TILE] __attribute__((aligned(64)));
        int32_t latents[MOST_LATENT_WORDS][TILE] __attribute__((aligned(64)));
        int32_t levels[TILE] __attribute__((aligned(64)));
        position_words(network, diagonal, positions, start, count, now, last, latents);
        for (int u = 0; u < units; u++)
            for (int t = 0; t < TILE; t += WIDTH) {
                VECTOR sum = {0};
                for (int f = 0; f < POSITION_WORDS; f++)
                    sum = DOT(sum, *(const VECTOR *)(latents[f] + t), words[u * unit_words + own_words + f]);
                *(VECTOR *)(position[u] + t) = sum;
            }
        for (int c = first; c < end; c++) {
            const uint8_t *planes[BF_MOST_LATENT_FEATURES + 1];
            const int features = latent_planes(network, c, positions, start, now, last, before, planes);
            const int known = !nothing_known(planes, features, count);
            if (known)
                latent_words(planes, features, count, latents);
            const int32_t(*given)[TILE] = known ? (const int32_t(*)[TILE])latents : NULL;
            /* The compiler knows the sizes of the layers that are shipped. */
            const int usual = units == USUAL && network->middle_units == USUAL && own_words == LATENT_WORDS;
            const int extended = units == EXTENDED_UNITS && network->middle_units == USUAL &&
                                 own_words == MOST_LATENT_WORDS;
            if (usual)
                NAMED(LAYERS, _tile)
                (network, group, LATENT_WORDS, USUAL, USUAL, count, given, (const int32_t(*)[TILE])position,
                 channel[c - first], levels);
            else if (extended)
                NAMED(LAYERS, _tile)
                (network, group, MOST_LATENT_WORDS, EXTENDED_UNITS, USUAL, count, given,
                 (const int32_t(*)[TILE])position, channel[c - first], levels);
            else
                NAMED(LAYERS, _tile)
                (network, group, own_words, units, network->middle_units, count, given,
                 (const int32_t(*)[TILE])position, channel[c - first], levels);
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
#undef SIDES
#undef DOT
#undef CUT
#undef PACKED
