/* Contexts on processors that multiply bytes, four products at a time: networks whose weights are bytes.
 *
 * The classes are those of contexts.c: all sums are of integers. Words hold four bytes, the first one lowest; words
 * of a unit are those of its latent features (11 and a zero, or 16), position features (5 and three zeros) and channel
 * features (3 and a zero).
 */

#include "contextfeatures.h"

#if defined(__GNUC__)
#pragma GCC diagnostic ignored "-Wpsabi" /* All functions that take vectors are inlined. */
#endif

enum {
    LATENT_WORDS = 3,
    MOST_LATENT_WORDS = 4, /* of extended networks */
    POSITION_WORDS = 2,
    SHARED_WORDS = POSITION_WORDS + 1,
    MOST_KINDS = 2,
    USUAL = 16,         /* units of layers that are shipped, */
    EXTENDED_UNITS = 24 /* and of the first one of extended networks */
};

#define JOINED(a, b) a##b
#define NAMED(a, b) JOINED(a, b)

BF_INLINE int32_t byte_of(int32_t word, int number)
{
    return (int8_t)((uint32_t)word >> 8 * number);
}

BF_INLINE int latent_words_of(const bf_network *network)
{
    return bf_extended(network) ? MOST_LATENT_WORDS : LATENT_WORDS;
}

/* Share of the hidden units that depends on the channel only, with the bias: [units]. */
BF_INLINE void channel_units(const bf_network *network, const int32_t *words, int channel, const bf_component *now,
                             const bf_component *last, int32_t *found)
{
    const int unit_words = latent_words_of(network) + SHARED_WORDS;
    uint8_t features[BF_CHANNEL_FEATURES];
    channel_features(network, channel, now, last, features);
    for (int u = 0; u < network->units; u++) {
        const int32_t word = words[u * unit_words + unit_words - 1];
        found[u] = network->whole_bias[channel * network->units + u];
        for (int f = 0; f < BF_CHANNEL_FEATURES; f++)
            found[u] += byte_of(word, f) * features[f];
    }
}

BF_INLINE void position_words(const bf_network *network, int diagonal, int64_t positions, int64_t start, int count,
                              const bf_component *now, const bf_component *last, int32_t (*words)[TILE])
{
    uint8_t x[BF_POSITION_FEATURES][TILE];
    position_features(network, diagonal, positions, start, count, now, last, x);
    for (int t = 0; t < TILE; t++) {
        words[0][t] = x[0][t] | x[1][t] << 8 | x[2][t] << 16 | x[3][t] << 24;
        words[1][t] = x[4][t];
    }
}

BF_INLINE void latent_words(const uint8_t *const *planes, int features, int count, int32_t (*words)[TILE])
{
    const uint8_t *other = planes[features];
    for (int t = 0; t < count; t++) {
        const uint8_t twice = planes[3][t] > other[t] ? planes[3][t] : other[t];
        words[0][t] = planes[0][t] | planes[1][t] << 8 | planes[2][t] << 16 | twice << 24;
    }
    for (int t = 0; t < count; t++)
        words[1][t] = planes[4][t] | planes[5][t] << 8 | planes[6][t] << 16 | planes[7][t] << 24;
    for (int t = 0; t < count; t++)
        words[2][t] = planes[8][t] | planes[9][t] << 8 | planes[10][t] << 16;
    int filled = LATENT_WORDS;
    if (features > BF_LATENT_FEATURES) {
        for (int t = 0; t < count; t++)
            words[2][t] |= planes[11][t] << 24;
        for (int t = 0; t < count; t++)
            words[3][t] = planes[12][t] | planes[13][t] << 8 | planes[14][t] << 16 | planes[15][t] << 24;
        filled = MOST_LATENT_WORDS;
    }
    for (int f = 0; f < filled; f++)
        for (int t = count; t < TILE; t++)
            words[f][t] = 0;
}

typedef void (*classifier)(const bf_network *, int, int64_t, const bf_component *, const bf_component *,
                           const bf_component *, uint8_t *, int64_t);

#if defined(__x86_64__) && defined(__GNUC__)

#include <immintrin.h>

typedef int32_t eight __attribute__((vector_size(32), may_alias));
typedef int32_t sixteen __attribute__((vector_size(64), may_alias));

#define SIDE_BY_SIDE _mm_setr_epi8(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15)

#define LAYERS layers_avx2
#define TARGET __attribute__((target("avx2")))
#define VECTOR eight
#define WIDTH 8
#define SIDES 1
/* Pairs of products stay below 2**15: no byte exceeds 127. */
#define DOT(sum, values, word)                                                                                         \
    ((sum) + (eight)_mm256_madd_epi16(_mm256_maddubs_epi16((__m256i)(values), _mm256_set1_epi32(word)),               \
                                      _mm256_set1_epi16(1)))
#define CUT(values, highest)                                                                                           \
    ((eight)_mm256_max_epi32(_mm256_min_epi32((__m256i)(values), _mm256_set1_epi32(highest)), _mm256_setzero_si256()))
/* Packing cuts too, to -2**15 ... 2**15 - 1 and to 0 ... 255, and leaves the bytes of four numbers together. */
#define PACKED(four)                                                                                                   \
    ((eight)_mm256_shuffle_epi8(                                                                                       \
        _mm256_min_epu8(_mm256_packus_epi16(_mm256_packs_epi32((__m256i)(four)[0], (__m256i)(four)[1]),                \
                                            _mm256_packs_epi32((__m256i)(four)[2], (__m256i)(four)[3])),               \
                        _mm256_set1_epi8(127)),                                                                        \
        _mm256_broadcastsi128_si256(SIDE_BY_SIDE)))
#include "bytelayers.h"

#define LAYERS layers_vnni
#define TARGET __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")))
#define VECTOR sixteen
#define WIDTH 16
#define SIDES 2
#define DOT(sum, values, word)                                                                                         \
    ((sixteen)_mm512_dpbusd_epi32((__m512i)(sum), (__m512i)(values), _mm512_set1_epi32(word)))
#define CUT(values, highest)                                                                                           \
    ((sixteen)_mm512_max_epi32(_mm512_min_epi32((__m512i)(values), _mm512_set1_epi32(highest)),                        \
                               _mm512_setzero_si512()))
#define PACKED(four)                                                                                                   \
    ((sixteen)_mm512_shuffle_epi8(                                                                                     \
        _mm512_min_epu8(_mm512_packus_epi16(_mm512_packs_epi32((__m512i)(four)[0], (__m512i)(four)[1]),                \
                                            _mm512_packs_epi32((__m512i)(four)[2], (__m512i)(four)[3])),               \
                        _mm512_set1_epi8(127)),                                                                        \
        _mm512_broadcast_i32x4(SIDE_BY_SIDE)))
#include "bytelayers.h"

static int kinds(classifier found[MOST_KINDS])
{
    int count = 0;
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512vnni") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl"))
        found[count++] = layers_vnni;
    if (__builtin_cpu_supports("avx2"))
        found[count++] = layers_avx2;
    return count;
}

#elif defined(__aarch64__) && defined(__GNUC__) && defined(__linux__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ &&     \
    (defined(__ARM_FEATURE_DOTPROD) || !defined(__ARM_FEATURE_QRDMX))

/* Either the compiler may use dot products anywhere, or it is told to expect little: what lies between is left to
 * contexts.c, since a function cannot take in those that were compiled for more than itself.
 */
#if defined(__ARM_FEATURE_DOTPROD)
#define DOT_PRODUCTS
#else
#define DOT_PRODUCTS __attribute__((target("arch=armv8.2-a+dotprod")))
#endif

#include <arm_neon.h>
#include <sys/auxv.h>

typedef int32_t four_of __attribute__((vector_size(16), may_alias));

/* Dot products of processors that have none: sums of two products stay within 16 bits, since no byte exceeds 127. */
BF_INLINE four_of dot_of(four_of sum, four_of values, int32_t word)
{
    const int8x16_t one = (int8x16_t)values, other = vreinterpretq_s8_s32(vdupq_n_s32(word));
    const int16x8_t low = vmull_s8(vget_low_s8(one), vget_low_s8(other)), high = vmull_high_s8(one, other);
    return (four_of)vpadalq_s16((int32x4_t)sum, vpaddq_s16(low, high));
}

#define SMALL(values)                                                                                                  \
    ((four_of)vmaxq_s32(vminq_s32((int32x4_t)(values), vdupq_n_s32(127)), vdupq_n_s32(0)))
#define SIDE_BY_SIDE(four) (SMALL((four)[0]) | SMALL((four)[1]) << 8 | SMALL((four)[2]) << 16 | SMALL((four)[3]) << 24)

#define LAYERS layers_neon
#define TARGET
#define VECTOR four_of
#define WIDTH 4
#define SIDES 2
#define DOT(sum, values, word) dot_of(sum, values, word)
#define CUT(values, highest)                                                                                           \
    ((four_of)vmaxq_s32(vminq_s32((int32x4_t)(values), vdupq_n_s32(highest)), vdupq_n_s32(0)))
#define PACKED(four) SIDE_BY_SIDE(four)
#include "bytelayers.h"

#define LAYERS layers_dotprod
#define TARGET DOT_PRODUCTS
#define VECTOR four_of
#define WIDTH 4
#define SIDES 2
#define DOT(sum, values, word)                                                                                         \
    ((four_of)vdotq_s32((int32x4_t)(sum), (int8x16_t)(values), vreinterpretq_s8_s32(vdupq_n_s32(word))))
#define CUT(values, highest)                                                                                           \
    ((four_of)vmaxq_s32(vminq_s32((int32x4_t)(values), vdupq_n_s32(highest)), vdupq_n_s32(0)))
#define PACKED(four) SIDE_BY_SIDE(four)
#include "bytelayers.h"

static int kinds(classifier found[MOST_KINDS])
{
    const unsigned long dot_products = 1UL << 20; /* HWCAP_ASIMDDP */
    int count = 0;
    if (getauxval(AT_HWCAP) & dot_products)
        found[count++] = layers_dotprod;
    found[count++] = layers_neon;
    return count;
}

#else

static int kinds(classifier found[MOST_KINDS])
{
    (void)found;
    return 0;
}

#endif

static int32_t kind = 1;

/* Take the best of the instructions that this processor has (1, as at first), the next best ones (2), or leave the work
 * to contexts.c (0); returns how many kinds there are. For tests: all of them give the same.
 */
BF_EXPORT int32_t bf_bytes(int32_t wanted)
{
    classifier found[MOST_KINDS];
    kind = wanted;
    return kinds(found);
}

int bf_classify_bytes(const bf_network *network, int diagonal, int64_t positions, const bf_component *now,
                      const bf_component *last, const bf_component *before, uint8_t *classes, int64_t stride)
{
    classifier found[MOST_KINDS];
    if (!network->words || kind < 1 || kind > kinds(found))
        return 0;
    found[kind - 1](network, diagonal, positions, now, last, before, classes, stride);
    return 1;
}
