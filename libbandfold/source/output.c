/* Scaling, rounding to the type of samples, and marks of absent ones. */

#include "output.h"

#include <float.h>
#include <math.h>
#include <string.h>

/* Range of the types of integers. */
static const double LOWEST[6] = {0, INT8_MIN, 0, INT16_MIN, INT32_MIN, 0};
static const double HIGHEST[6] = {UINT8_MAX, INT8_MAX, UINT16_MAX, INT16_MAX, INT32_MAX, UINT32_MAX};

static double held(double value, double low, double high)
{
    return value < low ? low : value > high ? high : value;
}

/* The nearest value that a type has. */
static double in_type(bandfold_type type, double value)
{
    switch (type) {
    case BANDFOLD_FLOAT32:
        return (float)held(value, -(double)FLT_MAX, (double)FLT_MAX);
    case BANDFOLD_FLOAT64:
        return held(value, -DBL_MAX, DBL_MAX);
    default:
        return held(rint(value), LOWEST[type], HIGHEST[type]);
    }
}

/* The no-data value in a type; one that it does not hold is cut, and no sample is marked by that. */
static double marker_in_type(bandfold_type type, double marker)
{
    if (type == BANDFOLD_FLOAT32)
        return (float)marker;
    if (type == BANDFOLD_FLOAT64)
        return marker;
    return isnan(marker) ? 0.0 : held(trunc(marker), LOWEST[type], HIGHEST[type]);
}

/* The next larger value of a type, or the next smaller one of the largest. */
static double next_value(bandfold_type type, double value)
{
    if (type == BANDFOLD_FLOAT32)
        return nextafterf((float)value, value >= (double)FLT_MAX ? -FLT_MAX : FLT_MAX);
    if (type == BANDFOLD_FLOAT64)
        return nextafter(value, value >= DBL_MAX ? -DBL_MAX : DBL_MAX);
    return value == HIGHEST[type] ? value - 1.0 : value + 1.0;
}

static void store(bandfold_type type, double value, void *samples, uint64_t place)
{
    switch (type) {
    case BANDFOLD_UINT8:
        ((uint8_t *)samples)[place] = (uint8_t)value;
        break;
    case BANDFOLD_INT8:
        ((int8_t *)samples)[place] = (int8_t)value;
        break;
    case BANDFOLD_UINT16:
        ((uint16_t *)samples)[place] = (uint16_t)value;
        break;
    case BANDFOLD_INT16:
        ((int16_t *)samples)[place] = (int16_t)value;
        break;
    case BANDFOLD_INT32:
        ((int32_t *)samples)[place] = (int32_t)value;
        break;
    case BANDFOLD_UINT32:
        ((uint32_t *)samples)[place] = (uint32_t)value;
        break;
    case BANDFOLD_FLOAT32:
        ((float *)samples)[place] = (float)value;
        break;
    case BANDFOLD_FLOAT64:
        ((double *)samples)[place] = value;
        break;
    }
}

/* Place of the first sample of a line of a wanted band. */
static uint64_t place_of(const bfl_strip_output *strip, uint32_t band, uint32_t line)
{
    const bfl_output *output = strip->output;
    const uint64_t row = (uint64_t)(band - output->first_band) * output->lines;
    return (row + strip->first_line + line - output->first_line) * strip->header->samples;
}

void bfl_wanted_lines(const bfl_strip_output *strip, uint32_t *first, uint32_t *end)
{
    const bfl_output *output = strip->output;
    const uint32_t last = output->first_line + output->lines, strip_end = strip->first_line + strip->lines;
    *first = output->first_line > strip->first_line ? output->first_line - strip->first_line : 0;
    *end = (last < strip_end ? last : strip_end) - strip->first_line;
}

void bfl_round_counts(const bfl_header *header, const double *row, int32_t *counts)
{
    for (uint32_t x = 0; x < header->samples; x++)
        counts[x] = (int32_t)held(rint(row[x]), header->lowest, header->highest);
}

static double sample_of(const bfl_header *header, double scale, double offset, int32_t count)
{
    return header->scaled ? in_type(header->type, count * scale + offset) : count;
}

void bfl_write_counts(const bfl_strip_output *strip, uint32_t band, uint32_t line, const int32_t *counts)
{
    const bfl_header *header = strip->header;
    const uint32_t samples = header->samples;
    const uint64_t place = place_of(strip, band, line);
    const double scale = header->scaled ? bfl_band_scale(header, band, strip->doublings) : 1.0;
    const double offset = header->scaled ? header->own_offsets[band] : 0.0;
    const double marker = header->has_no_data ? marker_in_type(header->type, header->no_data) : 0.0;
    /* Integers are compared with the value as it is told, floats with what the type makes of it. */
    const double mistaken = header->type < BANDFOLD_FLOAT32 ? header->no_data : marker;
    const uint8_t *absent =
        strip->absent ? strip->absent + ((uint64_t)band * strip->lines + line) * samples : NULL;
    for (uint32_t x = 0; x < samples; x++) {
        double value = sample_of(header, scale, offset, counts[x]);
        if (header->has_no_data && absent && absent[x]) {
            value = marker;
        } else if (header->has_no_data && value == mistaken) {
            const int32_t moved = counts[x] < header->highest ? counts[x] + 1 : counts[x] - 1;
            value = sample_of(header, scale, offset, moved);
            value = value == mistaken ? next_value(header->type, value) : value;
        }
        store(header->type, value, strip->output->samples, place + x);
    }
}

/* Bits of floats in their order, and back: those below the sign are turned over where it is set. */
static int32_t fold_32(int32_t bits)
{
    return bits < 0 ? bits ^ INT32_MAX : bits;
}

static int64_t fold_64(int64_t bits)
{
    return bits < 0 ? bits ^ INT64_MAX : bits;
}

static double ordered_value(bandfold_type type, int32_t high, const int32_t *low)
{
    int32_t bits = fold_32(high);
    float single;
    double value;
    if (type == BANDFOLD_INT32)
        return high;
    if (type == BANDFOLD_UINT32)
        return (double)high + 2147483648.0;
    if (low == NULL) {
        memcpy(&single, &bits, sizeof single);
        return single;
    }
    const uint64_t rest = (uint64_t)((int64_t)*low + 2147483648);
    const int64_t wide = fold_64((int64_t)((uint64_t)(uint32_t)high << 32 | rest));
    memcpy(&value, &wide, sizeof value);
    return value;
}

void bfl_write_ordered(const bfl_strip_output *strip, uint32_t band, uint32_t line, const int32_t *high,
                       const int32_t *low)
{
    const bfl_header *header = strip->header;
    const uint32_t samples = header->samples;
    const uint64_t place = place_of(strip, band, line);
    const double marker = header->has_no_data ? marker_in_type(header->type, header->no_data) : 0.0;
    const uint8_t *absent =
        strip->absent ? strip->absent + ((uint64_t)band * strip->lines + line) * samples : NULL;
    for (uint32_t x = 0; x < samples; x++) {
        const int gone = header->has_no_data && absent && absent[x];
        const double value = gone ? marker : ordered_value(header->type, high[x], low ? low + x : NULL);
        store(header->type, value, strip->output->samples, place + x);
    }
}

static void put_exact(void *context, uint64_t band, uint64_t pixel, uint64_t bits)
{
    const bfl_strip_output *strip = context;
    const bfl_output *output = strip->output;
    const uint64_t line = strip->first_line + pixel / strip->header->samples;
    if (band < output->first_band || band - output->first_band >= output->bands || line < output->first_line ||
        line - output->first_line >= output->lines)
        return;
    const uint64_t place =
        place_of(strip, (uint32_t)band, (uint32_t)(line - strip->first_line)) + pixel % strip->header->samples;
    const uint32_t narrow = (uint32_t)bits;
    if (strip->header->type == BANDFOLD_FLOAT64)
        memcpy((double *)output->samples + place, &bits, sizeof bits);
    else
        memcpy((uint32_t *)output->samples + place, &narrow, sizeof narrow);
}

void bfl_write_exact(const bfl_strip_output *strip, const bfl_exact_samples *exact)
{
    /* The function is told of the strip as of something that it may change, and does not. */
    bfl_strip_output copy = *strip;
    bfl_for_exact_samples(exact, strip->header->bands, (uint64_t)strip->lines * strip->header->samples, put_exact,
                          &copy);
}

void bfl_order_count(const bfl_header *header, double scale, double offset, int32_t count, int32_t *high, int32_t *low)
{
    const double value = sample_of(header, scale, offset, count);
    int64_t wide;
    if (header->type == BANDFOLD_INT32) {
        *high = (int32_t)value;
    } else if (header->type == BANDFOLD_UINT32) {
        *high = (int32_t)(value - 2147483648.0);
    } else if (low == NULL) {
        const float single = (float)held(value, -(double)FLT_MAX, (double)FLT_MAX);
        int32_t bits;
        memcpy(&bits, &single, sizeof bits);
        *high = fold_32(bits);
    } else {
        memcpy(&wide, &value, sizeof wide);
        wide = fold_64(wide);
        *high = (int32_t)(wide >> 32);
        *low = (int32_t)((wide & UINT32_MAX) - 2147483648);
    }
}
