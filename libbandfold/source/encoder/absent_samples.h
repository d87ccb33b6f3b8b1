/* Samples without data: onboard/samples/no_data.py. */
#ifndef BFL_ABSENT_SAMPLES_H
#define BFL_ABSENT_SAMPLES_H

#include "held_strip.h"

/* The value that marks absent data. */
typedef struct {
    int told;      /* whether the stream tells one */
    int possible;  /* whether a sample may have it */
    int32_t value;
} bfl_marker;

bfl_marker bfl_make_marker(const bandfold_settings *settings);

/* Find the absent samples of a strip, [bands][lines][width], and give them in `filled` the value of the last present
 * one before them on their line, else of the first one behind them, else 0.
 */
void bfl_fill_absent(const bfl_held_strip *held, const bfl_marker *marker, bfl_held_strip *filled, uint8_t *absent);

#endif
