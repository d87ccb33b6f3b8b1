/* Samples of a strip within their limits: its exact base and a refinement in, refined counts out. */
#ifndef BFL_REFINEMENT_DECODING_H
#define BFL_REFINEMENT_DECODING_H

#include "levels.h"
#include "refinement_reader.h"

/* What a refinement is added to, and what it becomes. */
typedef struct {
    int64_t bands;    /* of the scene */
    int64_t words;    /* ordered integers of each sample; 0: counts */
    int32_t *values;  /* [bands or words * bands][pixels] */
} bfl_refined;

/* What refines a strip. */
typedef struct {
    const bfl_refinement_tables *tables;
    const bfl_header *header;
    const bfl_levels *levels; /* which tell what is not coded */
    uint32_t doublings;       /* of the counts of the strip */
    const uint8_t *residual;  /* the payload of refinement, behind the identities */
    uint64_t size;            /* of that */
} bfl_refinement_source;

/* Refine the counts of a strip, [bands][pixels], in place or, where samples lie between counts, as ordered integers in
 * scratch memory.
 */
bandfold_status bfl_refine(bfl_workspace *workspace, const bfl_refinement_source *source, int32_t *counts,
                           bfl_refined *refined);

#endif
