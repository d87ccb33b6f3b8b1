/* Corrections of latents by a small network: see ground/restoration/latent_gains.py.
 *
 * float32, operation by operation: sums go from the bias over inputs in their order. Sixteen latents side by side.
 */

#include "kernels.h"

#include <string.h>

#if defined(__GNUC__)
#pragma GCC diagnostic ignored "-Wpsabi" /* All functions that take vectors are inlined. */
#endif

enum {
    TILE = 16,
    TOGETHER = 4, /* units whose sums are made side by side */
    MOST_KERNELS = 32,
    MOST_UNITS = 128,
    MAGNITUDES = 4,
    CONTEXTS = 3,
    PLACES = 5,
    BEHIND = MAGNITUDES + CONTEXTS + PLACES + 1,
    MOST_INPUTS = 2 * MOST_KERNELS + BEHIND,
    USUAL_KERNELS = 7,
    USUAL_UNITS = 48
};

typedef float tile __attribute__((vector_size(4 * TILE)));
typedef int32_t bits __attribute__((vector_size(4 * TILE)));

/* A network of three layers, filled up to multiples of `TOGETHER` units. */
typedef struct {
    const float *first;       /* [units][3 * kernels + 13] */
    const float *first_bias;  /* [units] */
    const float *second;      /* [more_units][units] */
    const float *second_bias; /* [more_units] */
    const float *last;        /* [outputs][more_units] */
    const float *last_bias;   /* [outputs] */
    int64_t kernels;
    int64_t features;
    int64_t units;
    int64_t more_units;
    int64_t outputs;          /* kernels + 1, filled up */
} bf_gain_network;

/* What is known of all latents of a strip. */
typedef struct {
    const float *places;     /* [5][64][components]: two frequencies, whether both are 0, energy of the channel, number */
    const float *contexts;   /* [classes][3] */
    const float *logarithms; /* [magnitudes]: log(1 + magnitude) */
    int64_t components;
    int64_t classes;
    int64_t magnitudes;
    float negligible;        /* candidates below this leave latents of level 0 as they are */
} bf_latent_facts;

BF_INLINE tile loaded(const float *from)
{
    tile x;
    memcpy(&x, from, sizeof x);
    return x;
}

/* One layer; `stride` is the distance of the weights of two units. */
BF_INLINE void layer(const float *weights, int64_t stride, const float *bias, const tile *inputs, int64_t count,
                     int64_t units, int rectified, tile *outputs)
{
    for (int64_t unit = 0; unit < units; unit += TOGETHER) {
        const float *row = weights + unit * stride;
        tile sums[TOGETHER];
        for (int k = 0; k < TOGETHER; k++)
            sums[k] = bias[unit + k] - (tile){0};
        for (int64_t input = 0; input < count; input++) {
            const tile x = inputs[input];
            for (int k = 0; k < TOGETHER; k++)
                sums[k] = sums[k] + row[k * stride + input] * x;
        }
        for (int k = 0; k < TOGETHER; k++)
            outputs[unit + k] = rectified ? (tile)((bits)sums[k] & (sums[k] > 0.0f)) : sums[k];
    }
}

/* Inputs of the first layer but for weights; returns whether anything is to be corrected. */
BF_INLINE int describe(const bf_latent_facts *facts, int64_t kernels, int64_t at, const int32_t *levels,
                       const uint8_t *classes, const float *candidates, const float *energy, tile *inputs, tile *sign)
{
    const int64_t latents = BF_CHANNELS * facts->components;
    bits level;
    memcpy(&level, levels + at, sizeof level);
    bits seen = level != 0;
    *sign = __builtin_convertvector((level < 0) - (level > 0), tile);
    for (int64_t k = 0; k < kernels; k++) {
        const tile x = loaded(candidates + k * latents + at);
        const tile size = (tile)((bits)x & INT32_MAX);
        inputs[k] = size;
        inputs[kernels + k] = x * *sign;
        seen |= size >= facts->negligible;
    }
    int32_t some = 0;
    for (int lane = 0; lane < TILE; lane++)
        some |= seen[lane];
    if (!some)
        return 0;
    const bits negative = level < 0, magnitude = (level ^ negative) - negative;
    float behind[MAGNITUDES + CONTEXTS][TILE];
    for (int lane = 0; lane < TILE; lane++) {
        const int64_t most = facts->magnitudes - 1;
        const uint32_t size = (uint32_t)magnitude[lane];
        behind[3][lane] = facts->logarithms[size < most ? size : most];
        const float *context = facts->contexts + CONTEXTS * classes[at + lane];
        for (int k = 0; k < CONTEXTS; k++)
            behind[MAGNITUDES + k][lane] = context[k];
    }
    tile *next = inputs + 2 * kernels;
    for (int value = 0; value < MAGNITUDES - 1; value++)
        *next++ = (tile)((bits)((tile){0} + 1.0f) & (magnitude == value));
    *next++ = loaded(behind[3]);
    for (int place = 0; place < 3; place++)
        *next++ = loaded(facts->places + place * latents + at);
    for (int k = 0; k < CONTEXTS; k++)
        *next++ = loaded(behind[MAGNITUDES + k]);
    *next++ = loaded(facts->places + 3 * latents + at);
    *next++ = loaded(energy + at);
    *next++ = loaded(facts->places + 4 * latents + at);
    return 1;
}

BF_INLINE void correct(const bf_gain_network *network, const bf_latent_facts *facts, int64_t kernels, int64_t units,
                       int64_t more_units, int64_t gains, const float *first, const float *bias, const int32_t *levels,
                       const uint8_t *classes, const float *candidates, const float *energy, float *changes)
{
    const int64_t latents = BF_CHANNELS * facts->components, inputs = 2 * kernels + BEHIND;
    tile x[MOST_INPUTS], one[MOST_UNITS], other[MOST_UNITS], sign;
    for (int64_t at = 0; at < latents; at += TILE) {
        tile change = {0};
        if (describe(facts, kernels, at, levels, classes, candidates, energy, x, &sign)) {
            layer(first, inputs, bias, x, inputs, units, 1, one);
            layer(network->second, units, network->second_bias, one, units, more_units, 1, other);
            layer(network->last, more_units, network->last_bias, other, more_units, gains, 0, one);
            change = one[kernels] * sign;
            for (int64_t k = 0; k < kernels; k++)
                change = change + one[k] * loaded(candidates + k * latents + at);
        }
        memcpy(changes + at, &change, sizeof change);
    }
}

/* Corrections of the latents of blocks, [blocks][64][components].
 *
 * `candidates` are of shape [blocks][kernels][64][components], `weights` of [blocks][kernels], `block_energy` of
 * [blocks][components]; `first` of [units][2 * kernels + 13], `bias` of [units] and `energy` of [64][components] is
 * memory to work in.
 */
BF_EXPORT BF_CLONES void bf_correct(const bf_gain_network *network, const bf_latent_facts *facts,
                                    const int32_t *levels, const uint8_t *classes, const float *candidates,
                                    const float *weights, const float *block_energy, int64_t blocks, float *first,
                                    float *bias, float *energy, float *changes)
{
    const int64_t kernels = network->kernels, components = facts->components, latents = BF_CHANNELS * components;
    const int64_t inputs = 2 * kernels + BEHIND, features = network->features;
    for (int64_t unit = 0; unit < network->units; unit++) {
        memcpy(first + unit * inputs, network->first + unit * features, sizeof *first * 2 * kernels);
        memcpy(first + unit * inputs + 2 * kernels, network->first + unit * features + 3 * kernels,
               sizeof *first * BEHIND);
    }
    const int usual = kernels == USUAL_KERNELS && network->units == USUAL_UNITS &&
                      network->more_units == USUAL_UNITS && network->outputs == USUAL_KERNELS + 1;
    for (int64_t block = 0; block < blocks; block++) {
        for (int64_t unit = 0; unit < network->units; unit++) {
            float sum = network->first_bias[unit];
            for (int64_t k = 0; k < kernels; k++)
                sum = sum + network->first[unit * features + 2 * kernels + k] * weights[block * kernels + k];
            bias[unit] = sum;
        }
        for (int channel = 0; channel < BF_CHANNELS; channel++)
            memcpy(energy + channel * components, block_energy + block * components, sizeof *energy * components);
        const int32_t *level = levels + block * latents;
        const uint8_t *class = classes + block * latents;
        const float *candidate = candidates + block * kernels * latents;
        /* The compiler knows the sizes of the layers that are shipped. */
        if (usual)
            correct(network, facts, USUAL_KERNELS, USUAL_UNITS, USUAL_UNITS, USUAL_KERNELS + 1, first, bias, level,
                    class, candidate, energy, changes + block * latents);
        else
            correct(network, facts, kernels, network->units, network->more_units, network->outputs, first, bias, level,
                    class, candidate, energy, changes + block * latents);
    }
}
