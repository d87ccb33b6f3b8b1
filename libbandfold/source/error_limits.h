/* Refinements of a stream: which strips have one, and what was promised. */
#ifndef BFL_ERROR_LIMITS_H
#define BFL_ERROR_LIMITS_H

#include "section_index.h"

typedef struct {
    int promised;    /* whether the stream tells limits that can be read */
    uint64_t strips; /* how many were refined, from the first one on; 0: all */
} bfl_limits;

/* Read the limits of a stream of so many bands, docs/format.md#limits; those that break a rule are ignored. */
void bfl_read_limits(const bfl_section_index *index, uint32_t bands, bfl_limits *limits);

/* Whether a strip was refined when it was encoded, as far as that is known. */
int bfl_refinement_expected(const bfl_section_index *index, const bfl_limits *limits, uint64_t strip);

/* The refinement of a strip: what follows the checksum of its segment, which is `segment`. Null if there is none; then
 * `other` tells whether there is one of another segment.
 */
const uint8_t *bfl_find_refinement(const bfl_section_index *index, uint64_t strip, const bfl_entry *segment,
                                   uint64_t *size, int *other);

#endif
