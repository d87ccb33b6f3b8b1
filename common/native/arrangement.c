/* The order of coding: tokens of a diagonal grouped by class, signs, raw bits. See bitstream/segments/latents.py. */

#include "encoding.h"
#include "tokens.h"

#include <string.h>

enum {
    MOST_TABLES = 256,
    BATCH = 64,    /* bytes that AVX-512 takes at once */
    WORD = 8,      /* bytes of a word of 64 bits */
    SIGN = 0x80,   /* of a latent, beside its token */
    NO_KIND = 127, /* that a batch has room for */
    LIST = 1024    /* latents that are looked at for those that are not zero */
};

/* What one diagonal is, and where what is made of it goes. */
typedef struct {
    const int32_t *values; /* [channels] with a stride */
    int64_t value_stride;
    const uint8_t *kinds; /* [channels] with a stride */
    int64_t kind_stride;
    int channels;
    int64_t positions;
    int32_t first_table;
} diagonal_latents;

typedef struct {
    uint8_t *tokens;
    int32_t *tables, *counts;
    int64_t groups;
    uint8_t *bits;
} arranged;

/* Tokens of a channel, all large ones alike, with the sign of each in its highest bit; returns all magnitudes, ored. */
BF_CLONES
static uint32_t find_tokens(const int32_t *values, int64_t positions, uint8_t *restrict tokens)
{
    uint32_t large = 0;
    for (int64_t p = 0; p < positions; p++) {
        const uint32_t magnitude = magnitude_of(values[p]);
        tokens[p] = (uint8_t)((magnitude < BF_DIRECT ? magnitude : BF_DIRECT) | ((uint32_t)values[p] >> 31) * SIGN);
        large |= magnitude;
    }
    return large;
}

/* Put the tokens of large latents in the place of BF_DIRECT. */
static void find_large_tokens(const int32_t *values, int64_t positions, uint8_t *restrict tokens)
{
    for (int64_t p = 0; p < positions; p++)
        if ((tokens[p] & ~SIGN) == BF_DIRECT)
            tokens[p] = (uint8_t)(token_of(magnitude_of(values[p])) | (tokens[p] & SIGN));
}

/* One more than the highest class of a channel. */
BF_CLONES
static int32_t kinds_of(const uint8_t *kinds, int64_t positions)
{
    uint8_t highest = 0;
    for (int64_t p = 0; p < positions; p++)
        highest = kinds[p] > highest ? kinds[p] : highest;
    return highest + 1;
}

/* What follows the signs of a diagonal; `large` are the magnitudes of each channel, ored. */
static void put_raw_bits(const diagonal_latents *from, const uint32_t *large, arranged *to)
{
    for (int c = 0; c < from->channels; c++) {
        const int32_t *values = from->values + c * from->value_stride;
        for (int64_t p = 0; large[c] >= BF_DIRECT && p < from->positions; p++) {
            const uint32_t magnitude = magnitude_of(values[p]);
            for (int width = width_of(magnitude); width; width--)
                *to->bits++ = (magnitude >> (width - 1)) & 1;
        }
    }
}


/* How many latents each channel has of each class, and of each latent which of them it is. */
BF_INLINE void count_kinds(const diagonal_latents *from, int32_t (*places)[MOST_TABLES], int32_t *restrict ranks)
{
    const int64_t positions = from->positions;
    int c = 0;
    /* Latents of one class wait for each other, so two channels go side by side. */
    for (; c + 1 < from->channels; c += 2) {
        const uint8_t *one = from->kinds + c * from->kind_stride, *other = one + from->kind_stride;
        int32_t *restrict rank = ranks + c * positions;
        for (int64_t p = 0; p < positions; p++) {
            rank[p] = places[c][one[p]]++;
            rank[positions + p] = places[c + 1][other[p]]++;
        }
    }
    for (int64_t p = 0; c < from->channels && p < positions; p++)
        ranks[c * positions + p] = places[c][from->kinds[c * from->kind_stride + p]]++;
}

/* From how many there are of each class to where the first one goes; groups are told. */
BF_CLONES
static void place_kinds(int32_t (*restrict places)[MOST_TABLES], int channels, int32_t kinds, int32_t first_table,
                        arranged *to)
{
    int32_t sums[MOST_TABLES] = {0}, start = 0;
    for (int c = 0; c < channels; c++)
        for (int32_t k = 0; k < kinds; k++) {
            const int32_t here = places[c][k];
            places[c][k] = sums[k];
            sums[k] += here;
        }
    for (int32_t k = 0; k < kinds; k++) {
        const int32_t count = sums[k];
        sums[k] = start;
        start += count;
        if (count) {
            to->tables[to->groups] = first_table + k;
            to->counts[to->groups++] = count;
        }
    }
    for (int c = 0; c < channels; c++)
        for (int32_t k = 0; k < kinds; k++)
            places[c][k] += sums[k];
}

/* Of each byte, the places of the bits that are set, the lowest first. */
static void list_places(uint8_t (*listed)[WORD])
{
    for (int byte = 0; byte < 256; byte++)
        for (int place = 0, count = 0; place < WORD; place++) {
            listed[byte][count] = (uint8_t)place;
            count += byte >> place & 1;
        }
}

/* Places of up to LIST latents that are not zero; returns how many there are. `found` has WORD bytes more, of any value. */
BF_INLINE int list_live(const uint8_t *found, int count, const uint8_t (*listed)[WORD], uint16_t *restrict list)
{
    int live = 0;
    for (int start = 0; start < count; start += WORD) {
        uint64_t word;
        memcpy(&word, found + start, sizeof word);
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
        word = __builtin_bswap64(word);
#endif
        if (count - start < WORD)
            word &= (UINT64_C(1) << 8 * (count - start)) - 1;
        /* One in each byte that is not zero without its sign, then a bit for each byte, and how many there are. */
        const uint64_t ones = ((word & 0x7f7f7f7f7f7f7f7f) + 0x7f7f7f7f7f7f7f7f) >> 7 & 0x0101010101010101;
        const uint8_t *places = listed[ones * 0x0102040810204080 >> 56];
        for (int n = 0; n < WORD; n++)
            list[live + n] = (uint16_t)(start + places[n]);
        live += (int)(ones * 0x0101010101010101 >> 56);
    }
    return live;
}

/* Most latents are zero, and so are their tokens before anything is written: all others go to their places. */
BF_INLINE void put_live(const diagonal_latents *from, const uint8_t *found, int32_t (*places)[MOST_TABLES],
                        const int32_t *ranks, const uint32_t *large, const uint8_t (*listed)[WORD], arranged *to)
{
    uint16_t list[LIST + WORD];
    uint8_t *restrict tokens = to->tokens, *restrict bits = to->bits;
    for (int c = 0; c < from->channels; c++)
        for (int64_t start = 0; start < from->positions; start += LIST) {
            const int64_t left = from->positions - start, at = c * from->positions + start;
            const int live = list_live(found + at, left < LIST ? (int)left : LIST, listed, list);
            const uint8_t *kinds = from->kinds + c * from->kind_stride + start;
            const int32_t *values = from->values + c * from->value_stride + start;
            const int is_large = large[c] >= BF_DIRECT;
            for (int n = 0; n < live; n++) {
                const int p = list[n];
                const uint8_t told = found[at + p];
                const int32_t token = is_large ? token_of(magnitude_of(values[p])) : told & ~SIGN;
                tokens[places[c][kinds[p]] + ranks[at + p]] = (uint8_t)token;
                *bits++ = told >> 7;
            }
        }
    to->bits = bits;
}

static void arrange_diagonal(const diagonal_latents *from, const uint8_t (*listed)[WORD], uint8_t *memory, arranged *to)
{
    int32_t *ranks = (int32_t *)memory;
    uint8_t *found = memory + sizeof *ranks * BF_LONGEST * (size_t)from->positions;
    int32_t places[BF_LONGEST][MOST_TABLES];
    uint32_t large[BF_LONGEST];
    int32_t kinds = 0;
    for (int c = 0; c < from->channels; c++) {
        const int32_t here = kinds_of(from->kinds + c * from->kind_stride, from->positions);
        kinds = here > kinds ? here : kinds;
        large[c] = find_tokens(from->values + c * from->value_stride, from->positions, found + c * from->positions);
    }
    for (int c = 0; c < from->channels; c++)
        memset(places[c], 0, sizeof *places[c] * (size_t)kinds);
    count_kinds(from, places, ranks);
    place_kinds(places, from->channels, kinds, from->first_table, to);
    memset(to->tokens, 0, (size_t)(from->channels * from->positions));
    put_live(from, found, places, ranks, large, listed, to);
    put_raw_bits(from, large, to);
}

#if defined(__x86_64__) && defined(__GNUC__)

#include <immintrin.h>

#define TARGET __attribute__((target("avx512f,avx512bw,avx512vl,avx512vbmi2,bmi2,popcnt")))

/* Take the signs of all latents off their tokens, and list those of latents that are not zero; returns what follows. */
TARGET static uint8_t *take_signs(uint8_t *restrict found, int64_t total, uint8_t *restrict signs)
{
    const __m512i ones = _mm512_set1_epi8(1), tokens = _mm512_set1_epi8(SIGN - 1);
    for (int64_t p = 0; p < total; p += BATCH) {
        const __m512i told = _mm512_loadu_si512(found + p);
        const __mmask64 live = _mm512_test_epi8_mask(told, told);
        const __mmask64 negative = _pext_u64(_mm512_movepi8_mask(told), live);
        _mm512_storeu_si512(signs, _mm512_maskz_mov_epi8(negative, ones));
        _mm512_storeu_si512(found + p, _mm512_and_si512(told, tokens));
        signs += _mm_popcnt_u64(live);
    }
    return signs;
}

/* Tokens of one class, and the next class that there is: all are below NO_KIND. */
TARGET static uint8_t *put_kind(const uint8_t *kinds, const uint8_t *found, int64_t total, int32_t kind, int32_t *next,
                                uint8_t *tokens)
{
    const __m512i here = _mm512_set1_epi8((char)kind), above = _mm512_set1_epi8((char)(kind + 1));
    __m512i least = _mm512_set1_epi8(-1);
    for (int64_t p = 0; p < total; p += BATCH) {
        const __m512i own = _mm512_loadu_si512(kinds + p);
        const __mmask64 ours = _mm512_cmpeq_epi8_mask(own, here);
        _mm512_storeu_si512(tokens, _mm512_maskz_compress_epi8(ours, _mm512_loadu_si512(found + p)));
        tokens += _mm_popcnt_u64(ours);
        /* Lower classes come round to where there is none. */
        least = _mm512_min_epu8(least, _mm512_sub_epi8(own, above));
    }
    uint8_t lanes[BATCH], lowest = UINT8_MAX;
    memcpy(lanes, &least, sizeof lanes);
    for (int n = 0; n < BATCH; n++)
        lowest = lanes[n] < lowest ? lanes[n] : lowest;
    *next = kind + 1 + lowest;
    return tokens;
}

/* The same as `arrange_diagonal`, a class at a time; returns 0 and does nothing where one is too high. */
TARGET static int arrange_batches(const diagonal_latents *from, uint8_t *memory, arranged *to)
{
    const int64_t positions = from->positions, total = from->channels * positions;
    const int64_t room = BF_LONGEST * positions + BATCH;
    uint8_t *kinds = memory, *found = kinds + room, *sorted = found + room;
    uint32_t large[BF_LONGEST];
    for (int c = 0; c < from->channels; c++) {
        memcpy(kinds + c * positions, from->kinds + c * from->kind_stride, (size_t)positions);
        const int32_t *values = from->values + c * from->value_stride;
        large[c] = find_tokens(values, positions, found + c * positions);
        if (large[c] >= BF_DIRECT)
            find_large_tokens(values, positions, found + c * positions);
    }
    if (kinds_of(kinds, total) > NO_KIND)
        return 0;
    memset(kinds + total, UINT8_MAX, BATCH);
    memset(found + total, 0, BATCH);
    uint8_t *signs = sorted, *end = take_signs(found, total, signs);
    memcpy(to->bits, signs, (size_t)(end - signs));
    to->bits += end - signs;
    uint8_t *place = sorted;
    for (int32_t kind = 0, next; kind < NO_KIND; kind = next) {
        end = put_kind(kinds, found, total, kind, &next, place);
        if (end == place)
            continue;
        to->tables[to->groups] = from->first_table + kind;
        to->counts[to->groups++] = (int32_t)(end - place);
        place = end;
    }
    memcpy(to->tokens, sorted, (size_t)total);
    put_raw_bits(from, large, to);
    return 1;
}

static int has_batches(void)
{
    return __builtin_cpu_supports("avx512vbmi2") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("bmi2");
}

#else

static int arrange_batches(const diagonal_latents *from, uint8_t *memory, arranged *to)
{
    (void)from, (void)memory, (void)to;
    return 0;
}

static int has_batches(void)
{
    return 0;
}

#endif

/* Tokens of components in the order of coding: diagonal by diagonal, in each grouped by class.
 *
 * `quantised` and `classes` are of shape [64][...][positions]; channels and components of the first have strides, and
 * channels of the second one of their own. `extents` tells the diagonals of each component. `bits` has room for one bit
 * more than there are, `memory` for 40 bytes of each position and 256 more. Returns the number of groups.
 */
BF_EXPORT int64_t bf_arrange(const int32_t *quantised, int64_t channel_stride, int64_t component_stride,
                             const uint8_t *classes, int64_t stride, int64_t components, int64_t positions,
                             const int64_t *extents, int32_t first_table, uint8_t *restrict tokens, int32_t *tables,
                             int32_t *counts, uint8_t *restrict bits, uint8_t *restrict memory)
{
    const int batches = has_batches();
    uint8_t listed[256][WORD];
    arranged to = {tokens, tables, counts, 0, bits};
    list_places(listed);
    for (int64_t one = 0; one < components; one++)
        for (int diagonal = 0; diagonal < extents[one]; diagonal++) {
            const int first = bf_first(diagonal), channels = bf_first(diagonal + 1) - first;
            const diagonal_latents from = {
                quantised + one * component_stride + first * channel_stride, channel_stride,
                classes + one * positions + first * stride, stride, channels, positions, first_table};
            if (!batches || !arrange_batches(&from, memory, &to))
                arrange_diagonal(&from, (const uint8_t(*)[WORD])listed, memory, &to);
            to.tokens += channels * positions;
        }
    return to.groups;
}
