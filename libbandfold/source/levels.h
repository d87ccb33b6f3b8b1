/* What a segment holds, once it is entropy-decoded. */
#ifndef BFL_LEVELS_H
#define BFL_LEVELS_H

#include "band_order.h"
#include "exact_samples.h"
#include "rotations.h"
#include "segment_layout.h"

typedef struct {
    uint32_t lines;          /* of the strip */
    int64_t components, rows, columns, positions;
    int32_t *quantised;      /* [64][components][positions] */
    uint8_t *classes;        /* the same */
    uint8_t *absent;         /* [bands][pixels]; null where there is no mask */
    uint8_t *chosen;         /* [positions]: rotations; null without */
    uint8_t *block_codes;    /* [positions]: weights; null without */
    bfl_exact_samples exact; /* no runs: none */
    bfl_ordered_band *ordered; /* [components], where bands are predicted; else null */
} bfl_levels;

/* What reading them takes. */
typedef struct {
    const bfl_header *header;
    const bfl_tables *tables;
    const bfl_fold *fold;
    const bfl_rotations *rotations; /* null without */
} bfl_levels_source;

/* Read a segment into scratch memory. */
bandfold_status bfl_read_levels(bfl_workspace *workspace, const bfl_levels_source *source, const bfl_segment *segment,
                                bfl_levels *levels);

#endif
