/* The container: sections behind each other, those behind damage too. */
#ifndef BFL_SECTIONS_H
#define BFL_SECTIONS_H

#include "workspace.h"

typedef enum {
    BFL_HEADER = 1,
    BFL_METADATA,
    BFL_FOLD,
    BFL_ROTATION,
    BFL_SEGMENT,
    BFL_END,
    BFL_REFINEMENT,
    BFL_LIMITS,
    BFL_KINDS /* one more than the last one that is known */
} bfl_kind;

/* A section as it lies in the stream. */
typedef struct {
    const uint8_t *payload; /* what there is of it */
    uint64_t size;
    uint8_t kind;           /* may be unknown */
    uint8_t intact;         /* whether check and checksum agree */
} bfl_section;

typedef struct {
    bfl_section *found;
    uint64_t count;
} bfl_sections;

/* Walk through a stream. Fails if the signature or the version is wrong. */
bandfold_status bfl_find_sections(bfl_workspace *workspace, const uint8_t *stream, uint64_t size,
                                  bfl_sections *sections);

#endif
