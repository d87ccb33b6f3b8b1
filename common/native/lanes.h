/* Eight numbers side by side: the compiler takes as many registers as the processor needs for them. */
#ifndef BANDFOLD_LANES_H
#define BANDFOLD_LANES_H

#include "kernels.h"

#include <string.h>

#if defined(__GNUC__)
#pragma GCC diagnostic ignored "-Wpsabi" /* All functions that take vectors are inlined. */
#endif

enum { LANES = 8 };

typedef double lanes __attribute__((vector_size(64)));

BF_INLINE lanes lanes_at(const double *from)
{
    lanes x;
    memcpy(&x, from, sizeof x);
    return x;
}

/* What integer entries of a basis are units of; see bitstream/transforms/klt.py. */
static const double BASIS_UNIT = 65536.0;

/* Nearest whole numbers, halves to even; below 2**51. */
BF_INLINE lanes nearest(lanes x)
{
    const double magic = 6755399441055744.0; /* 1.5 * 2**52 */
    return (x + magic) - magic;
}

#endif
