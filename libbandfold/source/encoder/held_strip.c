/* Where samples of a strip lie. */

#include "held_strip.h"

#include <string.h>

int64_t bfl_blocks_of(int64_t length)
{
    return (length + BFL_SIDE - 1) / BFL_SIDE;
}

int64_t bfl_mirrored(int64_t place, int64_t length)
{
    place %= 2 * length;
    return place < length ? place : 2 * length - 1 - place;
}

uint8_t *bfl_sample_at(const bfl_held_strip *strip, int64_t band, int64_t line, int64_t sample)
{
    const int64_t place = (band * strip->room + line) * strip->width + sample;
    return (uint8_t *)strip->samples + place * (int64_t)bandfold_sample_size(strip->type);
}

int32_t bfl_load_sample(const uint8_t *from, bandfold_type type)
{
    int16_t with_sign;
    uint16_t without;
    switch (type) {
    case BANDFOLD_UINT8:
        return *from;
    case BANDFOLD_INT8:
        return (int8_t)*from;
    case BANDFOLD_INT16:
        memcpy(&with_sign, from, sizeof with_sign);
        return with_sign;
    default:
        memcpy(&without, from, sizeof without);
        return without;
    }
}
