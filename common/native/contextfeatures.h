/* What the context network is shown of a diagonal. See bitstream/contexts/features.py. */
#ifndef BANDFOLD_CONTEXTFEATURES_H
#define BANDFOLD_CONTEXTFEATURES_H

#include "kernels.h"

#include <string.h>

enum { TILE = 128, SUM_LIMIT = 65535, MOST_UNITS = 64 };

BF_INLINE uint16_t limited(int32_t sum)
{
    return (uint16_t)(sum > SUM_LIMIT ? SUM_LIMIT : sum);
}

BF_INLINE uint8_t log_of(const bf_network *network, int32_t sum)
{
    return network->log[limited(sum)];
}

/* Features of `count` positions from `start` on, 0 behind them. */
BF_INLINE void position_features(const bf_network *network, int diagonal, int64_t positions, int64_t start,
                                 int count, const bf_component *now, const bf_component *last,
                                 uint8_t features[BF_POSITION_FEATURES][TILE])
{
    const int recent = diagonal > 2 ? diagonal - 2 : 0;
    const int32_t *below = now->below + diagonal * positions + start;
    const int32_t *below_ring = now->below_ring + diagonal * positions + start;
    const int32_t *older = now->below + recent * positions + start;
    const int32_t *older_ring = now->below_ring + recent * positions + start;
    const uint8_t *whole = last->whole + start;
    uint16_t sums[BF_POSITION_FEATURES - 1][TILE];
    for (int t = 0; t < count; t++) {
        sums[0][t] = limited(below[t]);
        sums[1][t] = limited(below_ring[t]);
        sums[2][t] = limited(below[t] - older[t]);
        sums[3][t] = limited(below_ring[t] - older_ring[t]);
    }
    for (int f = 0; f < BF_POSITION_FEATURES - 1; f++)
        bf_logarithms(network->log, sums[f], count, features[f]);
    memcpy(features[4], whole, count);
    for (int f = 0; f < BF_POSITION_FEATURES; f++)
        for (int t = count; t < TILE; t++)
            features[f][t] = 0;
}

BF_INLINE void channel_features(const bf_network *network, int channel, const bf_component *now,
                                const bf_component *last, uint8_t features[BF_CHANNEL_FEATURES])
{
    const int up = network->neighbours[channel], left = network->neighbours[BF_CHANNELS + channel];
    features[0] = log_of(network, now->means[up] + now->means[left]);
    features[1] = log_of(network, last->means[channel]);
    features[2] = log_of(network, last->means[up] + last->means[left]);
}

/* Planes of a channel from `start` on: the fourth feature is the greater one of the fourth and of the last of them.
 * Returns how many features there are, one less than planes.
 */
BF_INLINE int latent_planes(const bf_network *network, int channel, int64_t positions, int64_t start,
                            const bf_component *now, const bf_component *last, const bf_component *before,
                            const uint8_t *planes[BF_MOST_LATENT_FEATURES + 1])
{
    const int32_t *next = network->neighbours + channel;
    const int64_t up = next[0] * positions + start, left = next[BF_CHANNELS] * positions + start,
                  up_left = next[2 * BF_CHANNELS] * positions + start,
                  up_twice = next[3 * BF_CHANNELS] * positions + start,
                  left_twice = next[4 * BF_CHANNELS] * positions + start, here = channel * positions + start;
    planes[0] = now->own + up;
    planes[1] = now->own + left;
    planes[2] = now->own + up_left;
    planes[3] = now->own + up_twice;
    planes[4] = now->ring + up;
    planes[5] = now->ring + left;
    planes[6] = last->own + here;
    planes[7] = last->ring + here;
    planes[8] = last->cross + here;
    planes[9] = before->own + here;
    planes[10] = before->ring + here;
    int count = BF_LATENT_FEATURES;
    if (bf_extended(network)) {
        planes[count++] = now->across + up;
        planes[count++] = now->along + up;
        planes[count++] = now->across + left;
        planes[count++] = now->along + left;
        planes[count++] = last->faded + here;
    }
    planes[count] = now->own + left_twice;
    return count;
}

/* Whether nothing is known around a tile of a channel: all its features are zero. */
BF_INLINE int nothing_known(const uint8_t *const *planes, int features, int count)
{
    uint8_t any = 0;
    for (int n = 0; n < features + 1; n++)
        for (int t = 0; t < count; t++)
            any |= planes[n][t];
    return !any;
}

#endif
