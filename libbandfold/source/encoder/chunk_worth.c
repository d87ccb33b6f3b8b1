/* Numbers of more than 64 bits, in parts of 32 bits, lowest first. */

#include "chunk_worth.h"

enum { PARTS = 5, SQUARE_PARTS = 2 * PARTS, MOST = 255 };

static void multiply(uint32_t *parts, uint32_t factor)
{
    uint64_t carry = 0;
    for (int n = 0; n < PARTS; n++) {
        carry += (uint64_t)parts[n] * factor;
        parts[n] = (uint32_t)carry;
        carry >>= 32;
    }
}

static void divide(uint32_t *parts, uint32_t divisor)
{
    uint64_t rest = 0;
    for (int n = PARTS - 1; n >= 0; n--) {
        rest = rest << 32 | parts[n];
        parts[n] = (uint32_t)(rest / divisor);
        rest %= divisor;
    }
}

uint8_t bfl_chunk_worth(uint64_t energy, uint32_t step_code, uint64_t size)
{
    uint32_t parts[PARTS] = {(uint32_t)energy, (uint32_t)(energy >> 32)}, square[SQUARE_PARTS] = {0};
    multiply(parts, step_code);
    multiply(parts, step_code);
    /* A chunk of 4 GiB or more has no place in a segment. */
    divide(parts, size == 0 ? 1 : size > UINT32_MAX ? UINT32_MAX : (uint32_t)size);
    for (int i = 0; i < PARTS; i++) {
        uint64_t carry = 0;
        for (int j = 0; j < PARTS; j++) {
            carry += (uint64_t)parts[i] * parts[j] + square[i + j];
            square[i + j] = (uint32_t)carry;
            carry >>= 32;
        }
        square[i + PARTS] = (uint32_t)carry;
    }
    int bits = 0;
    for (int n = 0; n < SQUARE_PARTS; n++)
        for (int bit = 0; bit < 32; bit++)
            if (square[n] >> bit & 1)
                bits = 32 * n + bit + 1;
    return (uint8_t)(bits < MOST ? bits : MOST);
}
