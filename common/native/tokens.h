/* How magnitudes are coded: a token of a table, and raw bits behind large ones. See bitstream/payloads/payload.py. */
#ifndef BANDFOLD_TOKENS_H
#define BANDFOLD_TOKENS_H

#include "kernels.h"

BF_INLINE uint32_t magnitude_of(int32_t value)
{
    return value < 0 ? 0u - (uint32_t)value : (uint32_t)value;
}

/* Place of the highest bit of a number that is not zero. */
BF_INLINE int highest_bit(uint32_t number)
{
#if defined(__GNUC__)
    return 31 - __builtin_clz(number);
#else
    int place = 31;
    while (!(number >> place))
        place--;
    return place;
#endif
}

/* Token of a magnitude; raw bits follow from `BF_DIRECT` on. */
BF_INLINE int32_t token_of(uint32_t magnitude)
{
    if (magnitude < BF_DIRECT)
        return (int32_t)magnitude;
    const int exponent = highest_bit(magnitude);
    return BF_DIRECT + 2 * (exponent - 4) + (int32_t)((magnitude >> (exponent - 1)) & 1);
}

/* Raw bits behind the token of a magnitude. */
BF_INLINE int width_of(uint32_t magnitude)
{
    return magnitude < BF_DIRECT ? 0 : highest_bit(magnitude) - 1;
}

#endif
