/* Whether bits have flipped in what lasts: onboard/memory_scrubber.py. */
#ifndef BFL_MEMORY_SCRUBBER_H
#define BFL_MEMORY_SCRUBBER_H

#include "workspace.h"

/* Lasting memory that does not change between two marks, and its checksum. */
typedef struct {
    const bfl_block *first, *last; /* blocks behind the first one, up to the last one */
    uint32_t checksum;
    uint32_t strips;               /* after which it is looked at; 0: never */
    uint32_t since;                /* strips since it was */
} bfl_scrubber;

/* Remember the blocks that were taken from a mark on. */
void bfl_begin_scrubbing(const bfl_workspace *workspace, const bfl_block *first, uint32_t strips,
                         bfl_scrubber *scrubber);

/* Look at them if it is time, or in any case; refuses to go on where they have changed. */
bandfold_status bfl_scrub(bfl_workspace *workspace, bfl_scrubber *scrubber, int in_any_case);

#endif
