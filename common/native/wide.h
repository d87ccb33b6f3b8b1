/* Sixteen numbers of 32 bits side by side: the compiler takes as many registers as the processor needs for them. */
#ifndef BANDFOLD_WIDE_H
#define BANDFOLD_WIDE_H

#include "kernels.h"

#include <string.h>

#if defined(__GNUC__)
#pragma GCC diagnostic ignored "-Wpsabi" /* All functions that take vectors are inlined. */
#endif

enum { WIDE = 16 };

typedef float wide __attribute__((vector_size(4 * WIDE)));
typedef int32_t wholes __attribute__((vector_size(4 * WIDE)));

BF_INLINE wide loaded(const float *from)
{
    wide x;
    memcpy(&x, from, sizeof x);
    return x;
}

BF_INLINE wholes loaded_wholes(const int32_t *from)
{
    wholes x;
    memcpy(&x, from, sizeof x);
    return x;
}

/* Whether a bit is set in any of them. */
BF_INLINE int any(wholes x)
{
    uint64_t parts[WIDE / 2], bits = 0;
    memcpy(parts, &x, sizeof parts);
    for (int k = 0; k < WIDE / 2; k++)
        bits |= parts[k];
    return bits != 0;
}

/* All bits where one finite number is less than another: GCC 12 compares long vectors number by number. */
BF_INLINE wholes less(wide x, wide y)
{
    return (wholes)(x - y) >> 31;
}

/* One where all bits of a mask are set, the other elsewhere. */
BF_INLINE wide chosen_of(wholes mask, wide one, wide other)
{
    return (wide)(((wholes)one & mask) | ((wholes)other & ~mask));
}

BF_INLINE wide between(wide low, wide x, wide high)
{
    x = chosen_of(less(high, x), high, x);
    return chosen_of(less(x, low), low, x);
}

/* Nearest whole numbers, halves to even, of what is below 2**22. */
BF_INLINE wide nearest_wide(wide x)
{
    const float magic = 12582912.0f; /* 1.5 * 2**23 */
    return (x + magic) - magic;
}

#endif
