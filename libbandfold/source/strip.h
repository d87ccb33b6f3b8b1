/* A strip while it is decoded. */
#ifndef BFL_STRIP_H
#define BFL_STRIP_H

#include "decoder.h"

typedef struct {
    bandfold_decoder *decoder;
    bfl_strip_output output;
    bfl_segment segment;
    bfl_levels_source source;
    bfl_levels levels;
    uint64_t step_code;
    const bfl_entry *intact;  /* the segment; null where only chunks are left */
} bfl_strip;

/* Write the strip within its limits. Where that fails as corrupt, nothing is written that counts: the base is to be
 * decoded in its place.
 */
bandfold_status bfl_refine_strip(bfl_strip *strip);

#endif
