/* Maps and masks of a strip as they are written: what block_choices.c reads. */
#ifndef BFL_STRIP_CHOICES_H
#define BFL_STRIP_CHOICES_H

#include "payload_writer.h"

/* Append which of so many matrices rotates each block: `chosen` is of shape [rows][columns]. */
bandfold_status bfl_put_rotation_map(bfl_payload_writer *payload, const uint8_t *chosen, int64_t rows, int64_t columns);

/* Runs of present and absent samples: pixel by pixel, and within one band by band. `absent` is of shape
 * [bands][pixels]; where `runs` is not null it has room for the runs. Returns their number.
 */
int64_t bfl_absent_runs(const uint8_t *absent, int64_t bands, int64_t pixels, int64_t *runs);

/* Append which samples are absent, as `count` runs. */
bandfold_status bfl_put_absent(bfl_payload_writer *payload, const uint8_t *absent, int64_t bands, int64_t pixels,
                               int64_t count);

#endif
