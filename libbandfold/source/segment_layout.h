/* What a segment says of itself, and its chunks. */
#ifndef BFL_SEGMENT_LAYOUT_H
#define BFL_SEGMENT_LAYOUT_H

#include "workspace.h"

/* Where a segment belongs, and what it is coded with. */
typedef struct {
    uint64_t index;     /* number of the strip */
    uint64_t fold;
    uint64_t rotation;
    uint64_t step_code; /* 0: that of the header */
    uint64_t lines;     /* 0: the strip height */
    uint32_t doublings;
    uint8_t rotated;
    uint8_t exact;      /* whether samples are kept exactly */
} bfl_place;

typedef struct {
    uint64_t components;
    const uint8_t *data;
    uint64_t size;
} bfl_chunk;

typedef struct {
    bfl_place place;
    bfl_chunk *chunks;
    uint64_t count;
    uint64_t lost; /* chunks that are damaged or missing, and all behind them */
} bfl_segment;

/* Read what comes before the chunks; returns BANDFOLD_CORRUPT if it breaks a rule. */
bandfold_status bfl_read_place(bfl_workspace *workspace, const uint8_t *payload, uint64_t size, bfl_place *place);

/* Take a segment apart; of one that is not intact the leading chunks whose checksums agree. */
bandfold_status bfl_split_segment(bfl_workspace *workspace, const uint8_t *payload, uint64_t size, int intact,
                                  bfl_segment *segment);

#endif
