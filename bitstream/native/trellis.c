/* Dependent quantisation: the states of the trellis, and the encoder's search. See bitstream/trellis.py. */

#include "kernels.h"

enum { STATES = 8, TILE = 16, COSTS = BF_DIRECT + 1, MAGNITUDES = 4 };

static const uint8_t NEXT[STATES][2] = {{0, 1}, {3, 2}, {5, 4}, {6, 7}, {1, 0}, {2, 3}, {4, 5}, {7, 6}};
/* The two states before each state, in rising order, and the parities that lead from them. */
static const uint8_t BEFORE[STATES][2] = {{0, 4}, {0, 4}, {1, 5}, {1, 5}, {2, 6}, {2, 6}, {3, 7}, {3, 7}};

/* Parity that leads from one state to the other. */
BF_INLINE int parity_between(int from, int to)
{
    return NEXT[from][1] == to;
}

/* Offset of the classes of each latent of a diagonal: that of the second quantiser is `classes`. */
BF_CLONES
void bf_states_classes(const uint8_t *states, int channels, int64_t positions, int32_t classes, uint8_t *kinds,
                       int64_t stride)
{
    for (int c = 0; c < channels; c++)
        for (int64_t p = 0; p < positions; p++)
            kinds[c * stride + p] += (uint8_t)((states[c * positions + p] & 1) * classes);
}

/* States of the chains behind a diagonal. */
void bf_states_move(uint8_t *states, int channels, int64_t positions, const int32_t *values, int64_t stride)
{
    for (int c = 0; c < channels; c++)
        for (int64_t p = 0; p < positions; p++) {
            uint8_t *state = states + c * positions + p;
            *state = NEXT[*state][values[c * stride + p] & 1];
        }
}

/* What a magnitude costs that `point` stands for. */
BF_INLINE double cost_of(double scaled, int32_t magnitude, const double *bits, const double *below)
{
    const int32_t place = magnitude < BF_DIRECT ? magnitude : BF_DIRECT;
    const double point = magnitude ? (double)magnitude - below[magnitude < MAGNITUDES ? magnitude : MAGNITUDES - 1] : 0.0;
    const double error = scaled - point;
    return error * error + bits[place];
}

/* Both parities under one quantiser: what the better magnitude of each costs, and the even one. */
BF_INLINE int32_t weigh(double scaled, double offset, const double *bits, const double *below, double *even,
                        double *odd)
{
    const int32_t lower = (int32_t)(scaled + offset), upper = lower + 1;
    const double low = cost_of(scaled, lower, bits, below), high = cost_of(scaled, upper, bits, below);
    const double zero = scaled * scaled + bits[0];
    const int turned = lower & 1;
    const double pair = turned ? high : low;
    const int32_t kept = turned ? upper : lower;
    *odd = turned ? low : high;
    *even = pair < zero ? pair : zero;
    return pair < zero ? kept : 0;
}

/* Bytes of memory that `bf_trellis` works in. */
BF_EXPORT int64_t bf_trellis_memory(int64_t components)
{
    return BF_DIAGONALS * components * TILE;
}

/* Levels of the cheapest path of all chains of a segment.
 *
 * `latents` are of shape [components][64][positions], `classes`, `quantised` and `sets` of [64][components][positions];
 * `bits` of [2][classes][17], in steps squared, and `below` of [2][classes][4].
 */
BF_EXPORT BF_CLONES void bf_trellis(const int32_t *latents, int64_t components, int64_t positions, const int32_t *bounds,
                                    double scale, int32_t kinds, const double *bits, const double *below,
                                    const uint8_t *classes, int32_t *quantised, uint8_t *sets, uint8_t *memory)
{
    const int64_t stride = components * positions;
    uint8_t(*decisions)[TILE] = (uint8_t(*)[TILE])memory;
    for (int chain = 0; chain < BF_LONGEST; chain++)
        for (int64_t start = 0; start < positions; start += TILE) {
            const int count = positions - start < TILE ? (int)(positions - start) : TILE;
            double costs[STATES][TILE];
            for (int s = 0; s < STATES; s++)
                for (int t = 0; t < TILE; t++)
                    costs[s][t] = s ? 1e300 : 0.0;
            int64_t step = 0;
            for (int64_t one = 0; one < components; one++)
                for (int diagonal = chain; diagonal < BF_DIAGONALS - chain; diagonal++, step++) {
                    const int c = bounds[diagonal] + chain;
                    const int32_t *from = latents + (one * BF_CHANNELS + c) * positions + start;
                    const uint8_t *kind = classes + c * stride + one * positions + start;
                    double weighed[2][2][TILE];
                    for (int t = 0; t < count; t++) {
                        const double scaled = (double)(from[t] < 0 ? -(int64_t)from[t] : from[t]) * scale;
                        for (int q = 0; q < 2; q++) {
                            const int64_t table = q * kinds + kind[t];
                            weigh(scaled, 0.5 * q, bits + table * COSTS, below + table * MAGNITUDES,
                                  &weighed[q][0][t], &weighed[q][1][t]);
                        }
                    }
                    double found[STATES][TILE];
                    uint8_t *decision = decisions[step];
                    for (int t = 0; t < TILE; t++)
                        decision[t] = 0;
                    for (int s = 0; s < STATES; s++) {
                        const int a = BEFORE[s][0], b = BEFORE[s][1];
                        const double *first = weighed[a & 1][parity_between(a, s)];
                        const double *second = weighed[b & 1][parity_between(b, s)];
                        for (int t = 0; t < count; t++) {
                            const double one_way = costs[a][t] + first[t], other = costs[b][t] + second[t];
                            found[s][t] = other < one_way ? other : one_way;
                            decision[t] |= (uint8_t)((other < one_way) << s);
                        }
                    }
                    for (int s = 0; s < STATES; s++)
                        for (int t = 0; t < count; t++)
                            costs[s][t] = found[s][t];
                }
            uint8_t state[TILE];
            for (int t = 0; t < count; t++) {
                state[t] = 0;
                for (int s = 1; s < STATES; s++)
                    state[t] = costs[s][t] < costs[state[t]][t] ? (uint8_t)s : state[t];
            }
            for (int64_t one = components - 1; one >= 0; one--)
                for (int diagonal = BF_DIAGONALS - chain - 1; diagonal >= chain; diagonal--) {
                    const int c = bounds[diagonal] + chain;
                    const int32_t *from = latents + (one * BF_CHANNELS + c) * positions + start;
                    const int64_t to = c * stride + one * positions + start;
                    const uint8_t *decision = decisions[--step];
                    for (int t = 0; t < count; t++) {
                        const int s = state[t], before = BEFORE[s][decision[t] >> s & 1], q = before & 1;
                        const double scaled = (double)(from[t] < 0 ? -(int64_t)from[t] : from[t]) * scale;
                        const int64_t table = q * kinds + classes[to + t];
                        double even, odd;
                        int32_t level = weigh(scaled, 0.5 * q, bits + table * COSTS, below + table * MAGNITUDES,
                                              &even, &odd);
                        if (parity_between(before, s)) {
                            level = (int32_t)(scaled + 0.5 * q);
                            level += !(level & 1);
                        }
                        quantised[to + t] = from[t] < 0 ? -level : level;
                        sets[to + t] = (uint8_t)q;
                        state[t] = (uint8_t)before;
                    }
                }
        }
}
