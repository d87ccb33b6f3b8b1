/* Trellis-coded quantisation: the states of the chains, and the Viterbi search of the encoder. See
 * bitstream/contexts/trellis_states.py and onboard/quantisation/trellis_search.py.
 */

#include "encoding.h"

#include <math.h>
#include <string.h>

enum { FEW = 8, MANY = 32, TILE = 32, LANES = 16, COLUMNS = BF_DIRECT + 2, PLACES = COLUMNS - 1, NUMBERS = 4, SMALL = 2 };

/* Which bits of a state say together whether an even level leads to an odd one. */
enum { TURNS_OF_FEW = 7, TURNS_OF_MANY = 23 };

/* Shift registers: a state keeps bits of those before, and in its lowest one what chooses the quantiser. Of many states that
 * is the sum of the last two bits.
 */
BF_INLINE int turns(int states, int state)
{
    int bits = state & (states == FEW ? TURNS_OF_FEW : TURNS_OF_MANY);
    bits ^= bits >> 4;
    bits ^= bits >> 2;
    return (bits ^ bits >> 1) & 1;
}

BF_INLINE int next_state(int states, int state, int parity)
{
    return ((2 * state & (states - 1)) ^ (states == FEW ? 0 : state & 2)) | (turns(states, state) ^ parity);
}

/* The lower one of the two states before a state; the other one is half of all further. */
BF_INLINE int state_before(int states, int state)
{
    const int low = state >> 1;
    return states == FEW ? low : low ^ (low >> 1 & 1);
}

/* Add to the classes of a diagonal what tells the quantiser of each latent. */
BF_CLONES
void bf_states_classes(const uint8_t *states, int channels, int64_t positions, int32_t classes, uint8_t *kinds,
                       int64_t stride)
{
    for (int c = 0; c < channels; c++)
        for (int64_t p = 0; p < positions; p++)
            kinds[c * stride + p] += (uint8_t)((states[c * positions + p] & 1) * classes);
}

/* States of the chains behind a diagonal, of `count` that there are. */
BF_CLONES
void bf_states_move(uint8_t *states, int count, int channels, int64_t positions, const int32_t *values, int64_t stride)
{
    for (int c = 0; c < channels; c++) {
        uint8_t *now = states + c * positions;
        const int32_t *levels = values + c * stride;
        if (count == FEW)
            for (int64_t p = 0; p < positions; p++)
                now[p] = (uint8_t)next_state(FEW, now[p], levels[p] & 1);
        else
            for (int64_t p = 0; p < positions; p++)
                now[p] = (uint8_t)next_state(MANY, now[p], levels[p] & 1);
    }
}

/* What levels cost, so that one load of 16 bytes gives what is wanted together: loads of vectors are all the same one by
 * one. Costs are times the Lagrange multiplier, in steps squared.
 */
typedef struct {
    const float (*none)[NUMBERS];   /* [classes]: of zero under each quantiser, and the largest magnitude that is zero */
    const float (*levels)[NUMBERS]; /* [2][classes][PLACES]: of a magnitude and the one above, and how far below they lie */
    int32_t classes;
} prices;

static prices arrange_prices(int32_t classes, const float *bits, const float *below, const float *small, float *memory)
{
    float(*none)[NUMBERS] = (float(*)[NUMBERS])memory, (*levels)[NUMBERS] = none + classes;
    for (int32_t row = 0; row < 2 * classes; row++, bits += COLUMNS, below += COLUMNS) {
        none[row % classes][row / classes] = bits[0];
        none[row % classes][SMALL] = small[row % classes];
        for (int n = 0; n < PLACES; n++) {
            float *to = levels[row * PLACES + n];
            to[0] = bits[n];
            to[1] = bits[n + 1];
            to[2] = below[n];
            to[3] = below[n + 1];
        }
    }
    return (prices){(const float(*)[NUMBERS])none, (const float(*)[NUMBERS])levels, classes};
}

BF_INLINE double in_steps(int32_t latent, double scale)
{
    return fabs((double)latent) * scale;
}

/* What one tile needs of the component that comes next lies too far from it for a processor to guess. */
BF_INLINE void fetch_latents(const int32_t *latents)
{
    __builtin_prefetch(latents);
    __builtin_prefetch(latents + LANES);
    __builtin_prefetch(latents + TILE - 1);
}

/* Sixteen numbers side by side. Comparisons go by signs: GCC compares such vectors one number after the other. */
typedef float lanes __attribute__((vector_size(64)));
typedef int32_t integers __attribute__((vector_size(64)));

#if defined(__GNUC__)
#pragma GCC diagnostic ignored "-Wpsabi" /* All functions that take them are inlined. */
#endif

/* All bits set where a < b. */
BF_INLINE integers below_of(lanes a, lanes b)
{
    return (integers)(a - b) >> 31;
}

BF_INLINE lanes choose(integers which, lanes yes, lanes no)
{
    return (lanes)(((integers)yes & which) | ((integers)no & ~which));
}

/* A step of a tile: what follows from its magnitudes. */
typedef struct {
    float even[2][TILE] __attribute__((aligned(64)));
    float odd[2][TILE] __attribute__((aligned(64)));
    int32_t zero[TILE] __attribute__((aligned(64))); /* bit of each quantiser whose even level is zero */
} weighed;

/* What is known of a step of a tile. */
typedef struct {
    double scaled[TILE] __attribute__((aligned(64))); /* magnitudes in steps */
    int32_t kinds[TILE] __attribute__((aligned(64)));
    float none[TILE][NUMBERS] __attribute__((aligned(64))); /* of their classes */
} given_step;

/* Both parities under one quantiser: costs of the better even and the better odd magnitude. */
BF_INLINE void weigh(const prices *costs, int quantiser, const given_step *from, weighed *to)
{
    const float(*levels)[NUMBERS] = costs->levels + quantiser * costs->classes * PLACES;
    int32_t lower[TILE] __attribute__((aligned(64)));
    float part[TILE] __attribute__((aligned(64))), whole[TILE] __attribute__((aligned(64)));
    float found[TILE][NUMBERS] __attribute__((aligned(64)));
    float low_below[TILE] __attribute__((aligned(64))), high_below[TILE] __attribute__((aligned(64)));
    float low_bits[TILE] __attribute__((aligned(64))), high_bits[TILE] __attribute__((aligned(64)));
    float no_bits[TILE] __attribute__((aligned(64))), small[TILE] __attribute__((aligned(64)));
    for (int t = 0; t < TILE; t++) {
        const double moved = from->scaled[t] + 0.5 * quantiser;
        lower[t] = (int32_t)moved;
        part[t] = (float)(moved - (double)lower[t]);
        whole[t] = (float)from->scaled[t];
    }
    uint32_t place[TILE] __attribute__((aligned(64)));
    for (int t = 0; t < TILE; t++)
        place[t] = (uint32_t)(from->kinds[t] * PLACES + (lower[t] < BF_DIRECT ? lower[t] : BF_DIRECT));
    for (int t = 0; t < TILE; t++)
        memcpy(found[t], levels[place[t]], sizeof found[t]);
    for (int t = 0; t < TILE; t++) {
        low_bits[t] = found[t][0];
        high_bits[t] = found[t][1];
        low_below[t] = found[t][2];
        high_below[t] = found[t][3];
    }
    for (int t = 0; t < TILE; t++) {
        no_bits[t] = from->none[t][quantiser];
        small[t] = from->none[t][SMALL];
    }
    for (int t = 0; t < TILE; t += LANES) {
        const lanes x = *(lanes *)(part + t), y = *(lanes *)(whole + t);
        const lanes error_low = x + *(lanes *)(low_below + t), error_high = x - 1.0f + *(lanes *)(high_below + t);
        const lanes low = error_low * error_low + *(lanes *)(low_bits + t);
        const lanes high = error_high * error_high + *(lanes *)(high_bits + t);
        const lanes none = y * y + *(lanes *)(no_bits + t);
        const integers turned = -(*(integers *)(lower + t) & 1);
        const integers dead = below_of(y, *(lanes *)(small + t));
        const lanes pair = choose(turned, high, low), other = choose(turned, low, high);
        const integers live = below_of(pair, none) & ~dead;
        *(lanes *)(to->odd[quantiser] + t) = choose(dead, 1e30f - (lanes){0}, other);
        *(lanes *)(to->even[quantiser] + t) = choose(live, pair, none);
        *(integers *)(to->zero + t) |= ~live & (1 << quantiser);
    }
}

/* The same where all magnitudes are small: zeros. */
BF_INLINE void weigh_zeros(const given_step *from, weighed *to)
{
    for (int t = 0; t < TILE; t++) {
        const float whole = (float)from->scaled[t];
        to->even[0][t] = whole * whole + from->none[t][0];
        to->even[1][t] = whole * whole + from->none[t][1];
    }
}

/* What is kept of a step of a tile: by state which way was the cheaper one, and by quantiser which even levels are zero. */
typedef struct {
    uint32_t ways[TILE];
    uint8_t zero[TILE];
} decided;

/* One step of the chains of a tile: the cheaper way into each state. */
BF_INLINE void advance(int states, lanes (*costs)[TILE / LANES], lanes (*found)[TILE / LANES], const weighed *step,
                       decided *kept)
{
    for (int part = 0; part < TILE / LANES; part++) {
        integers ways = {0};
#pragma GCC unroll 32
        for (int s = 0; s < states; s++) {
            const int a = state_before(states, s), b = a + states / 2;
            const float *first = turns(states, a) == (s & 1) ? step->even[a & 1] : step->odd[a & 1];
            const float *second = turns(states, b) == (s & 1) ? step->even[b & 1] : step->odd[b & 1];
            const lanes one = costs[a][part] + ((const lanes *)first)[part];
            const lanes other = costs[b][part] + ((const lanes *)second)[part];
            const integers which = below_of(other, one);
            found[s][part] = choose(which, other, one);
            ways |= which & (int32_t)(1u << s);
        }
        memcpy(kept->ways + part * LANES, &ways, sizeof ways);
    }
}

/* The same where all levels are even. */
BF_INLINE void advance_zeros(int states, lanes (*costs)[TILE / LANES], lanes (*found)[TILE / LANES], const weighed *step,
                             decided *kept)
{
    uint32_t ways = 0;
    for (int s = 0; s < states; s++)
        ways |= (uint32_t)(turns(states, state_before(states, s)) != (s & 1)) << s;
    for (int t = 0; t < TILE; t++)
        kept->ways[t] = ways;
    for (int part = 0; part < TILE / LANES; part++)
#pragma GCC unroll 32
        for (int s = 0; s < states; s++) {
            const int before = state_before(states, s) + (int)(ways >> s & 1) * states / 2;
            found[s][part] = costs[before][part] + ((const lanes *)step->even[before & 1])[part];
        }
}

/* Bytes of memory that `bf_trellis` works in. */
BF_EXPORT int64_t bf_trellis_memory(int64_t components, int32_t kinds)
{
    return (1 + 2 * PLACES) * kinds * (int64_t)sizeof(float[NUMBERS]) +
           BF_DIAGONALS * components * (int64_t)sizeof(decided);
}

/* Levels of the best paths; see `bf_trellis`. */
BF_INLINE void search(int states, const int32_t *latents, int64_t components, int64_t positions, double scale,
                      const prices *table, int32_t *quantised, int64_t channel_stride, int64_t component_stride,
                      uint8_t *classes, decided *decisions)
{
    const int64_t stride = components * positions;
    for (int chain = 0; chain < BF_LONGEST; chain++)
        for (int64_t start = 0; start < positions; start += TILE) {
            const int count = positions - start < TILE ? (int)(positions - start) : TILE;
            lanes memory[2][MANY][TILE / LANES], (*costs)[TILE / LANES] = memory[0], (*others)[TILE / LANES] = memory[1];
            for (int s = 0; s < states; s++)
                for (int part = 0; part < TILE / LANES; part++)
                    costs[s][part] = (s ? 1e30f : 0.0f) - (lanes){0};
            int64_t step = 0;
            given_step given = {.scaled = {0}};
            for (int64_t one = 0; one < components; one++) {
                for (int diagonal = chain; diagonal < BF_DIAGONALS - chain; diagonal++, step++) {
                    const int c = bf_first(diagonal) + chain;
                    const int32_t *from = latents + (one * BF_CHANNELS + c) * positions + start;
                    const uint8_t *kind = classes + c * stride + one * positions + start;
                    lanes(*const last)[TILE / LANES] = costs;
                    weighed found;
                    costs = others;
                    others = last;
                    if (one + 1 < components) {
                        fetch_latents(from + BF_CHANNELS * positions);
                        __builtin_prefetch(kind + positions);
                    }
                    for (int t = 0; t < count; t++) {
                        given.scaled[t] = in_steps(from[t], scale);
                        given.kinds[t] = kind[t];
                    }
                    for (int t = 0; t < count; t++)
                        memcpy(given.none[t], table->none[kind[t]], sizeof given.none[t]);
                    int live = 0;
                    for (int t = 0; t < count; t++)
                        live |= (float)given.scaled[t] >= given.none[t][SMALL];
                    if (!live) {
                        weigh_zeros(&given, &found);
                        advance_zeros(states, last, costs, &found, &decisions[step]);
                        memset(decisions[step].zero, 3, TILE);
                        continue;
                    }
                    memset(found.zero, 0, sizeof found.zero);
                    weigh(table, 0, &given, &found);
                    weigh(table, 1, &given, &found);
                    advance(states, last, costs, &found, &decisions[step]);
                    for (int t = 0; t < TILE; t++)
                        decisions[step].zero[t] = (uint8_t)found.zero[t];
                }
                /* Only differences count: small numbers stay exact enough. */
                for (int part = 0; part < TILE / LANES; part++) {
                    lanes lowest = costs[0][part];
                    for (int s = 1; s < states; s++)
                        lowest = choose(below_of(costs[s][part], lowest), costs[s][part], lowest);
                    for (int s = 0; s < states; s++)
                        costs[s][part] -= lowest;
                }
            }
            int32_t state[TILE] = {0};
            for (int t = 0; t < count; t++)
                for (int s = 1; s < states; s++)
                    state[t] = ((const float *)costs[s])[t] < ((const float *)costs[state[t]])[t] ? s : state[t];
            for (int64_t one = components - 1; one >= 0; one--)
                for (int diagonal = BF_DIAGONALS - chain - 1; diagonal >= chain; diagonal--) {
                    const int c = bf_first(diagonal) + chain;
                    const int32_t *from = latents + (one * BF_CHANNELS + c) * positions + start;
                    const int64_t to = c * stride + one * positions + start;
                    const decided *kept_step = &decisions[--step];
                    int32_t *values = quantised + c * channel_stride + one * component_stride + start;
                    if (one) {
                        fetch_latents(from - BF_CHANNELS * positions);
                        fetch_latents(values - component_stride);
                        __builtin_prefetch(classes + to - positions, 1);
                    }
                    /* Of their own, since levels may take their place. */
                    int32_t kept[TILE];
                    memcpy(kept, from, sizeof *from * count);
                    for (int t = 0; t < count; t++) {
                        const int32_t s = state[t], way = (int32_t)(kept_step->ways[t] >> s & 1);
                        const int32_t before = state_before(states, s) + states / 2 * way;
                        const int32_t parity = turns(states, before) ^ (s & 1), second = before & 1;
                        const int32_t lower = (int32_t)(in_steps(kept[t], scale) + 0.5 * second);
                        const int32_t above = kept_step->zero[t] >> second & 1 ? 0 : (lower + 1) & ~1;
                        const int32_t level = parity ? lower | 1 : above;
                        values[t] = kept[t] < 0 ? -level : level;
                        classes[to + t] = (uint8_t)second;
                        state[t] = before;
                    }
                }
        }
}

/* Levels of the path of least rate-distortion cost through the trellis of each chain of a segment: Viterbi. There are
 * 8 or 32 `states`.
 *
 * `latents` are of shape [components][64][positions], `classes` of [64][components][positions]; channels and components of
 * `quantised` have strides. Levels may take the place of the latents, and quantisers take that of the classes: both are
 * written behind the search, tile by tile.
 */
BF_EXPORT BF_CLONES void bf_trellis(int32_t states, const int32_t *latents, int64_t components, int64_t positions,
                                    double scale, int32_t kinds, const float *bits, const float *below,
                                    const float *small, int32_t *quantised, int64_t channel_stride,
                                    int64_t component_stride, uint8_t *classes, uint8_t *memory)
{
    const prices table = arrange_prices(kinds, bits, below, small, (float *)memory);
    decided *decisions = (decided *)(memory + bf_trellis_memory(0, kinds));
    if (states == FEW)
        search(FEW, latents, components, positions, scale, &table, quantised, channel_stride, component_stride, classes,
               decisions);
    else
        search(MANY, latents, components, positions, scale, &table, quantised, channel_stride, component_stride, classes,
               decisions);
}
