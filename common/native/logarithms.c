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

#else

BF_EXPORT void bf_logarithms(const uint8_t *log, const uint16_t *sums, int64_t count, uint8_t *found)
{
    look_up(log, sums, count, found);
}

#endif
