/* Logarithms of sums, eight to an octave: those of the table `LOG` of bitstream/contexts/features.py, which some processors
 * compute faster than they look them up.
 */

#include "kernels.h"

static void look_up(const uint8_t *restrict log, const uint16_t *restrict sums, int64_t count, uint8_t *restrict found)
{
    for (int64_t n = 0; n < count; n++)
        found[n] = log[sums[n]];
}

#if defined(__x86_64__) && defined(__GNUC__)

#include <immintrin.h>

enum { LANES = 16, LARGEST_LOG = 127, EIGHTHS = 20, SIXTEENTHS = 19, EXPONENT_BIAS = 127 };

/* As float32, 1 + x has eight times its exponent and the eighths of its mantissa in the bits from 20 on. Logarithms step
 * elsewhere, where the mantissa reaches 2**((2 j - 1) / 16) - 1 for j from 1 to 8: once at most in each sixteenth. What
 * is added in a sixteenth carries exactly there: 2**20 times the logarithm behind the step, less the mantissa at it
 * (2**23 times that number, rounded up); or where there is no step, what makes up the difference to the eighths.
 */
static const int32_t CARRIES[LANES] __attribute__((aligned(64))) = {
    (1 << EIGHTHS) - 371396,  1 << EIGHTHS, (2 << EIGHTHS) - 1164244, (3 << EIGHTHS) - 2028851,
    1 << EIGHTHS,  (4 << EIGHTHS) - 2971711, 1 << EIGHTHS, (5 << EIGHTHS) - 3999908,
    1 << EIGHTHS, (6 << EIGHTHS) - 5121165, 1 << EIGHTHS, 1 << EIGHTHS,
    (7 << EIGHTHS) - 6343903, 1 << EIGHTHS, (8 << EIGHTHS) - 7677310, 1 << EIGHTHS,
};

__attribute__((target("avx512f,avx512bw"))) static void compute(const uint8_t *log, const uint16_t *sums,
                                                                int64_t count, uint8_t *found)
{
    const __m512i carries = _mm512_load_si512(CARRIES), largest = _mm512_set1_epi32(LARGEST_LOG);
    const __m512i one = _mm512_set1_epi32(1), bias = _mm512_set1_epi32(8 * EXPONENT_BIAS);
    int64_t n = 0;
    for (; n + LANES <= count; n += LANES) {
        const __m512i sum = _mm512_cvtepu16_epi32(_mm256_loadu_si256((const __m256i *)(sums + n)));
        const __m512i bits = _mm512_castps_si512(_mm512_cvtepi32_ps(_mm512_add_epi32(sum, one)));
        const __m512i carry = _mm512_permutexvar_epi32(_mm512_srli_epi32(bits, SIXTEENTHS), carries);
        const __m512i whole = _mm512_srli_epi32(_mm512_add_epi32(bits, carry), EIGHTHS);
        const __m512i logarithm = _mm512_min_epi32(_mm512_sub_epi32(whole, bias), largest);
        _mm_storeu_si128((__m128i *)(found + n), _mm512_cvtepi32_epi8(logarithm));
    }
    look_up(log, sums + n, count - n, found + n);
}

BF_EXPORT void bf_logarithms(const uint8_t *log, const uint16_t *sums, int64_t count, uint8_t *found)
{
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw"))
        compute(log, sums, count, found);
    else
        look_up(log, sums, count, found);
}

#elif defined(__aarch64__) && defined(__GNUC__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__

#include <arm_neon.h>

enum { LANES = 16, LARGEST_LOG = 127, EIGHTHS_OF_BITS = 8 * 15 };

/* Of 1 + x, shifted so that its highest bit is that of 16, the next four tell the sixteenth of an octave: the logarithm at its
 * beginning, and the number, in two bytes, beyond which it is one more (2**15 * 2**((2 j - 1) / 16), rounded down), if any.
 */
static const uint8_t AT_LEAST[LANES] = {0, 1, 1, 2, 3, 3, 4, 4, 5, 5, 6, 6, 6, 7, 7, 8};
static const uint8_t BEYOND_LOW[LANES] = {0xaa, 0xff, 0xc3, 0xf5, 0xff, 0x58, 0xff, 0x08,
                                          0xff, 0x24, 0xff, 0xff, 0xcc, 0xff, 0x25, 0xff};
static const uint8_t BEYOND_HIGH[LANES] = {0x85, 0xff, 0x91, 0x9e, 0xff, 0xad, 0xff, 0xbd,
                                           0xff, 0xce, 0xff, 0xff, 0xe0, 0xff, 0xf5, 0xff};

/* Eighths of the bits of numbers, less what they were shifted by. */
BF_INLINE uint16x8_t octaves(uint16x8_t shift)
{
    return vsubq_u16(vdupq_n_u16(EIGHTHS_OF_BITS), vshlq_n_u16(shift, 3));
}

BF_EXPORT void bf_logarithms(const uint8_t *log, const uint16_t *sums, int64_t count, uint8_t *found)
{
    const uint8x16_t least = vld1q_u8(AT_LEAST), low = vld1q_u8(BEYOND_LOW), high = vld1q_u8(BEYOND_HIGH);
    int64_t n = 0;
    for (; n + LANES <= count; n += LANES) {
        /* 65536 has no place in 16 bits: 65535 has the same logarithm, once it is cut. */
        const uint16x8_t first = vqaddq_u16(vld1q_u16(sums + n), vdupq_n_u16(1));
        const uint16x8_t second = vqaddq_u16(vld1q_u16(sums + n + LANES / 2), vdupq_n_u16(1));
        const uint16x8_t first_shift = vclzq_u16(first), second_shift = vclzq_u16(second);
        const uint16x8_t a = vshlq_u16(first, vreinterpretq_s16_u16(first_shift));
        const uint16x8_t b = vshlq_u16(second, vreinterpretq_s16_u16(second_shift));
        const uint8x16_t top = vshrn_high_n_u16(vshrn_n_u16(a, 8), b, 8);
        const uint8x16_t sixteenth = vandq_u8(vshrq_n_u8(top, 3), vdupq_n_u8(15));
        const uint8x16_t more = vqtbl1q_u8(least, sixteenth);
        const uint8x16_t lower = vqtbl1q_u8(low, sixteenth), higher = vqtbl1q_u8(high, sixteenth);
        const uint16x8_t beyond_a = vcgtq_u16(a, vreinterpretq_u16_u8(vzip1q_u8(lower, higher)));
        const uint16x8_t beyond_b = vcgtq_u16(b, vreinterpretq_u16_u8(vzip2q_u8(lower, higher)));
        /* What is true is -1. */
        const uint16x8_t one = vsubq_u16(vaddw_u8(octaves(first_shift), vget_low_u8(more)), beyond_a);
        const uint16x8_t other = vsubq_u16(vaddw_high_u8(octaves(second_shift), more), beyond_b);
        vst1q_u8(found + n, vminq_u8(vmovn_high_u16(vmovn_u16(one), other), vdupq_n_u8(LARGEST_LOG)));
    }
    look_up(log, sums + n, count - n, found + n);
}

#else

BF_EXPORT void bf_logarithms(const uint8_t *log, const uint16_t *sums, int64_t count, uint8_t *found)
{
    look_up(log, sums, count, found);
}

#endif
