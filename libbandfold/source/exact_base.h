/* The base of a refinement: counts that all decoders know exactly, docs/format.md#exact-base. */
#ifndef BFL_EXACT_BASE_H
#define BFL_EXACT_BASE_H

#include "latents.h"

/* Counts of all bands of a strip, [bands][pixels], in scratch memory. */
bandfold_status bfl_exact_counts(bfl_workspace *workspace, const bfl_levels_source *source, const bfl_cosine *cosine,
                                 const bfl_levels *levels, uint64_t step_code, int32_t **counts);

#endif
