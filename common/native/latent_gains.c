/* Corrections of latents by a small network: see ground/restoration/latent_gains.py.
 *
 * Layers are whole numbers of 16 bits, two a word, the first one lowest; all sums are exact.
 */

#include "wide.h"

enum {
    TILE = 32,    /* latents side by side */
    TOGETHER = 4, /* units whose sums are made side by side */
    MOST_KERNELS = 32,
    MOST_UNITS = 128,
    MAGNITUDES = 2, /* words of what is told of a magnitude, */
    PLACES = 3,     /* of a frequency, a channel and a component, */
    CONTEXTS = 2,   /* and of a context, the latter with half a word of the block */
    BEHIND = MAGNITUDES + PLACES + CONTEXTS,
    HIGHEST = 16383 /* units are cut here, and inputs above and below */
};

static const float INPUT_ONE = 1024.0f; /* what an input of 1 is */

/* A network of three layers, filled up to multiples of `TOGETHER` units. */
typedef struct {
    const int32_t *first;       /* [units][kernels + BEHIND] */
    const int32_t *first_bias;  /* [units] */
    const int32_t *by_weight;   /* [units][kernels] */
    const int32_t *second;      /* [more_units][units / 2] */
    const int32_t *second_bias; /* [more_units] */
    const int32_t *last;        /* [outputs][more_units / 2] */
    const int32_t *last_bias;   /* [outputs] */
    const int32_t *shifts;      /* [2] */
    float gain_unit;            /* what sums of the last layer are worth */
    int64_t kernels;
    int64_t units;
    int64_t more_units;
    int64_t outputs;            /* kernels + 1, filled up */
} bf_gain_network;

/* What is known of all latents of a strip. */
typedef struct {
    const int32_t *magnitudes; /* [magnitudes][MAGNITUDES] */
    const int32_t *places;     /* [64][filled][PLACES] */
    const int32_t *contexts;   /* [classes][CONTEXTS] */
    int64_t filled;
    int64_t classes;
    int64_t known; /* magnitudes; those above are told as the largest */
    float negligible; /* candidates whose magnitudes add up to less leave latents of level 0 as they are */
} bf_latent_facts;

#define JOINED(a, b) a##b
#define NAMED(a, b) JOINED(a, b)

typedef void (*gain_layers)(const bf_gain_network *, const int32_t *, const int32_t (*)[TILE], int32_t (*)[TILE]);

#if defined(__x86_64__) && defined(__GNUC__)

#include <immintrin.h>

typedef int32_t eight __attribute__((vector_size(32), may_alias));
typedef int32_t sixteen __attribute__((vector_size(64), may_alias));

#define LAYERS pairs_avx2
#define TARGET __attribute__((target("avx2")))
#define VECTOR eight
#define WIDTH 8
#define DOT(sum, pairs, word) ((sum) + (eight)_mm256_madd_epi16((__m256i)(pairs), _mm256_set1_epi32(word)))
#define CUT(values)                                                                                                    \
    ((eight)_mm256_max_epi32(_mm256_min_epi32((__m256i)(values), _mm256_set1_epi32(HIGHEST)), _mm256_setzero_si256()))
#include "gainlayers.h"

#define LAYERS pairs_vnni
#define TARGET __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")))
#define VECTOR sixteen
#define WIDTH 16
#define DOT(sum, pairs, word) ((sixteen)_mm512_dpwssd_epi32((__m512i)(sum), (__m512i)(pairs), _mm512_set1_epi32(word)))
#define CUT(values)                                                                                                    \
    ((sixteen)_mm512_max_epi32(_mm512_min_epi32((__m512i)(values), _mm512_set1_epi32(HIGHEST)), _mm512_setzero_si512()))
#include "gainlayers.h"

#endif

/* Any processor: products of 32 bits. */
typedef int32_t four_words __attribute__((vector_size(16), may_alias));

BF_INLINE four_words cut_words(four_words x)
{
    x &= ~(x >> 31);
    const four_words above = (HIGHEST - x) >> 31;
    return (HIGHEST & above) | (x & ~above);
}

#define LAYERS pairs_plain
#define TARGET
#define VECTOR four_words
#define WIDTH 4
#define DOT(sum, pairs, word) ((sum) + (((pairs) << 16) >> 16) * (int16_t)(word) + ((pairs) >> 16) * ((word) >> 16))
#define CUT(values) cut_words(values)
#include "gainlayers.h"

enum { MOST_KINDS = 3 };

static int kinds(gain_layers found[MOST_KINDS])
{
    int count = 0;
#if defined(__x86_64__) && defined(__GNUC__)
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512vnni") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl"))
        found[count++] = pairs_vnni;
    if (__builtin_cpu_supports("avx2"))
        found[count++] = pairs_avx2;
#endif
    found[count++] = pairs_plain;
    return count;
}

static int32_t kind = 1;

/* Take the best of the instructions that this processor has (1, as at first), or those after it; returns how many kinds
 * there are. For tests: all of them give the same.
 */
BF_EXPORT int32_t bf_pairs(int32_t wanted)
{
    gain_layers found[MOST_KINDS];
    const int32_t count = kinds(found);
    kind = wanted < 1 ? 1 : wanted < count ? wanted : count;
    return count;
}

BF_INLINE wholes whole(wide x)
{
    x = between(-(float)HIGHEST - (wide){0}, x * INPUT_ONE, (float)HIGHEST - (wide){0});
    return __builtin_convertvector(nearest_wide(x), wholes);
}

/* Latents of a block that are to be corrected: those whose level is not 0, or whose candidates count. */
BF_INLINE int list(const int32_t *levels, const float *candidates, const uint8_t *wanted, int64_t kernels,
                   int64_t latents, float negligible, int32_t *found)
{
    int count = 0;
    for (int64_t at = 0; at < latents; at += WIDE) {
        wide size = {0};
        for (int64_t k = 0; k < kernels; k++)
            size = size + (wide)((wholes)loaded(candidates + k * latents + at) & INT32_MAX);
        wholes seen = ~less(size, negligible - (wide){0});
        const wholes level = loaded_wholes(levels + at);
        seen |= (level | -level) >> 31;
        if (!any(seen))
            continue;
        for (int lane = 0; lane < WIDE; lane++) {
            found[count] = (int32_t)at + lane;
            count += seen[lane] != 0 && (!wanted || wanted[at + lane]);
        }
    }
    return count;
}

/* Corrections of the latents of blocks, [blocks][64][filled].
 *
 * `levels`, `classes` and `wanted` (null: all) are of shape [blocks][64][filled], `candidates` of
 * [blocks][kernels][64][filled], `told` of [blocks][kernels + filled]: weights of averages and energies of components as
 * the network is told them; `found` of [64 * filled + WIDE] is memory to work in.
 */
BF_EXPORT BF_CLONES void bf_correct(const bf_gain_network *network, const bf_latent_facts *facts,
                                    const int32_t *levels, const uint8_t *classes, const float *candidates,
                                    const int32_t *told, const uint8_t *wanted, int64_t blocks, int32_t *found,
                                    float *changes)
{
    const int64_t kernels = network->kernels, filled = facts->filled, latents = BF_CHANNELS * filled;
    int32_t inputs[MOST_KERNELS + BEHIND][TILE] __attribute__((aligned(64)));
    int32_t gains[MOST_KERNELS + TOGETHER][TILE] __attribute__((aligned(64)));
    int32_t bias[MOST_UNITS];
    float values[MOST_KERNELS + 1][TILE] __attribute__((aligned(64)));
    gain_layers layers[MOST_KINDS];
    kinds(layers);
    memset(inputs, 0, sizeof inputs);
    memset(values, 0, sizeof values);
    memset(changes, 0, sizeof *changes * blocks * latents);
    for (int64_t block = 0; block < blocks; block++, levels += latents, classes += latents, changes += latents) {
        const float *candidate = candidates + block * kernels * latents;
        const int32_t *weights = told + block * (kernels + filled), *energy = weights + kernels;
        const uint8_t *mask = wanted ? wanted + block * latents : NULL;
        for (int64_t unit = 0; unit < network->units; unit++) {
            bias[unit] = network->first_bias[unit];
            for (int64_t k = 0; k < kernels; k++)
                bias[unit] += network->by_weight[unit * kernels + k] * weights[k];
        }
        const int count = list(levels, candidate, mask, kernels, latents, facts->negligible, found);
        for (int first = 0; first < count; first += TILE) {
            const int live = count - first < TILE ? count - first : TILE;
            for (int t = 0; t < live; t++) {
                const int32_t at = found[first + t], level = levels[at];
                const uint32_t magnitude = level < 0 ? -(uint32_t)level : (uint32_t)level;
                const uint32_t most = (uint32_t)facts->known - 1;
                const int32_t *about = facts->magnitudes + MAGNITUDES * (magnitude < most ? magnitude : most);
                const int32_t *place = facts->places + PLACES * (int64_t)at;
                const int32_t *context = facts->contexts + CONTEXTS * classes[at];
                for (int64_t k = 0; k < kernels; k++)
                    values[k][t] = candidate[k * latents + at];
                values[kernels][t] = (float)((level > 0) - (level < 0));
                int32_t (*behind)[TILE] = inputs + kernels;
                for (int k = 0; k < MAGNITUDES; k++)
                    behind[k][t] = about[k];
                for (int k = 0; k < PLACES; k++)
                    behind[MAGNITUDES + k][t] = place[k];
                behind[MAGNITUDES + PLACES][t] = context[0];
                behind[MAGNITUDES + PLACES + 1][t] = context[1] | energy[at % filled] << 16;
            }
            for (int t = 0; t < TILE; t += WIDE)
                for (int64_t k = 0; k < kernels; k++) {
                    const wide x = loaded(values[k] + t), sign = loaded(values[kernels] + t);
                    const wholes size = whole((wide)((wholes)x & INT32_MAX)), towards = whole(x * sign);
                    const wholes both = size | towards << 16;
                    memcpy(inputs[k] + t, &both, sizeof both);
                }
            layers[kind - 1](network, bias, (const int32_t(*)[TILE])inputs, gains);
            for (int t = 0; t < live; t += WIDE) {
                wide change = {0};
                for (int64_t k = kernels; k >= 0; k--) {
                    const wide gain = __builtin_convertvector(loaded_wholes(gains[k] + t), wide);
                    change = change + gain * loaded(values[k] + t);
                }
                change = change * network->gain_unit;
                for (int lane = 0; lane < WIDE && t + lane < live; lane++)
                    changes[found[first + t + lane]] = change[lane];
            }
        }
    }
}
