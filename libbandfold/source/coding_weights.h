/* Weights of bands and of blocks by their codes, docs/format.md#weights. */
#ifndef BFL_CODING_WEIGHTS_H
#define BFL_CODING_WEIGHTS_H

#include <math.h>
#include <stdint.h>

enum { BFL_LARGEST_WEIGHT_CODE = 95 };

static inline double bfl_weight_of(int64_t code)
{
    static const double MANTISSAS[8] = {65536, 60097, 55109, 50535, 46341, 42495, 38968, 35734};
    return ldexp(MANTISSAS[code % 8], -16 - (int)(code / 8));
}

#endif
