/* Edges of absent data would cost bits: what lies there is never looked at. */

#include "absent_samples.h"

#include <math.h>
#include <string.h>

bfl_marker bfl_make_marker(const bandfold_settings *settings)
{
    static const int32_t LOWEST[] = {0, INT8_MIN, 0, INT16_MIN};
    static const int32_t HIGHEST[] = {UINT8_MAX, INT8_MAX, UINT16_MAX, INT16_MAX};
    const double value = settings->no_data;
    bfl_marker marker = {.told = settings->has_no_data};
    if (marker.told && value >= LOWEST[settings->type] && value <= HIGHEST[settings->type] && value == rint(value)) {
        marker.possible = 1;
        marker.value = (int32_t)value;
    }
    return marker;
}

/* Fill a line; one that is all absent becomes zeros. */
static void fill_line(uint8_t *samples, const uint8_t *absent, int64_t width, size_t size)
{
    static const uint8_t NOTHING[8] = {0};
    int64_t first = 0;
    while (first < width && absent[first])
        first++;
    for (int64_t x = 0; x < width; x++) {
        uint8_t *to = samples + (size_t)x * size;
        if (!absent[x])
            continue;
        if (x > first)
            memcpy(to, to - size, size);
        else
            memcpy(to, first < width ? samples + (size_t)first * size : NOTHING, size);
    }
}

void bfl_fill_absent(const bfl_held_strip *held, const bfl_marker *marker, bfl_held_strip *filled, uint8_t *absent)
{
    const size_t size = bandfold_sample_size(held->type);
    filled->lines = held->lines;
    for (int64_t band = 0; band < held->bands; band++)
        for (int64_t line = 0; line < held->lines; line++, absent += held->width) {
            const uint8_t *from = bfl_sample_at(held, band, line, 0);
            uint8_t *to = bfl_sample_at(filled, band, line, 0);
            for (int64_t x = 0; x < held->width; x++)
                absent[x] = marker->possible &&
                            bfl_load_sample(from + (size_t)x * size, held->type) == marker->value;
            memcpy(to, from, (size_t)held->width * size);
            fill_line(to, absent, held->width, size);
        }
}
