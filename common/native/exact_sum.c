/* An accumulator as wide as all positive float64 together: parts of 32 bits from 2**-1074 on. */

#include "exact_sum.h"

#include <math.h>
#include <string.h>

enum { PARTS = 68, PART = 32, LOWEST = -1074, MANTISSA = 53 };

/* Add a number that is not negative, as its mantissa in three parts. */
static void add(uint64_t parts[PARTS], double value)
{
    int exponent;
    if (!(value > 0.0) || isinf(value))
        return;
    const double fraction = frexp(value, &exponent);
    uint64_t mantissa = (uint64_t)ldexp(fraction, MANTISSA);
    int place = exponent - MANTISSA - LOWEST;
    if (place < 0) {
        /* The lowest bits of a small number are 0. */
        mantissa >>= -place;
        place = 0;
    }
    const int shift = place % PART;
    uint64_t *part = parts + place / PART;
    const uint64_t low = mantissa << shift, high = shift ? mantissa >> (64 - shift) : 0;
    part[0] += low & UINT32_MAX;
    part[1] += low >> PART;
    part[2] += high;
}

/* The nearest float64, halves to even. */
static double rounded(const uint64_t parts[PARTS])
{
    int last = PARTS - 1;
    while (last > 0 && parts[last] == 0)
        last--;
    /* The highest 64 bits or more; what is below only tells whether there is a rest. */
    uint64_t top = parts[last];
    int taken = last;
    while (taken > 0 && top <= UINT32_MAX) {
        taken--;
        top = top << PART | parts[taken];
    }
    uint64_t rest = 0;
    if (taken > 0) {
        /* Bits of the next part move in until the number fills 64 bits. */
        int room = 0;
        while (!(top >> (63 - room)))
            room++;
        if (room)
            top = top << room | parts[taken - 1] >> (PART - room);
        rest = room ? parts[taken - 1] & ((1u << (PART - room)) - 1) : parts[taken - 1];
        for (int n = 0; n < taken - 1; n++)
            rest |= parts[n];
        const int exponent = taken * PART - room + LOWEST;
        const uint64_t kept = top >> 11, half = top & 2047;
        const int up = half > 1024 || (half == 1024 && (rest || kept & 1));
        return ldexp((double)(kept + (uint64_t)up), exponent + 11);
    }
    /* It is so small that nothing is left out. */
    return ldexp((double)top, LOWEST);
}

/* Let each part be below 2**32. */
static void carry_over(uint64_t parts[PARTS])
{
    uint64_t carry = 0;
    for (int n = 0; n < PARTS; n++) {
        parts[n] += carry;
        carry = parts[n] >> PART;
        parts[n] &= UINT32_MAX;
    }
}

double bf_sum_of_squares(const double *values, int64_t count)
{
    uint64_t parts[PARTS + 2];
    memset(parts, 0, sizeof parts);
    for (int64_t n = 0; n < count; n++)
        add(parts, values[n] * values[n]);
    carry_over(parts);
    return rounded(parts);
}

/* Take parts off those of a number that is at least as large. */
static void subtract(uint64_t from[PARTS], const uint64_t parts[PARTS])
{
    uint64_t borrowed = 0;
    for (int n = 0; n < PARTS; n++) {
        const uint64_t less = parts[n] + borrowed;
        borrowed = from[n] < less;
        from[n] = (from[n] - less) & UINT32_MAX;
    }
}

double bf_sum_exactly(const double *values, int64_t count)
{
    uint64_t above[PARTS + 2], below[PARTS + 2];
    memset(above, 0, sizeof above);
    memset(below, 0, sizeof below);
    for (int64_t n = 0; n < count; n++)
        add(values[n] < 0.0 ? below : above, fabs(values[n]));
    carry_over(above);
    carry_over(below);
    int highest = PARTS - 1;
    while (highest > 0 && above[highest] == below[highest])
        highest--;
    if (above[highest] < below[highest]) {
        subtract(below, above);
        return -rounded(below);
    }
    subtract(above, below);
    return rounded(above);
}
