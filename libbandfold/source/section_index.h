/* The sections of a stream by kind and number; of repeated ones, the first. */
#ifndef BFL_SECTION_INDEX_H
#define BFL_SECTION_INDEX_H

#include "sections.h"

enum { BFL_REFINEMENT_HEAD = 8 }; /* bytes of a refinement between its number and its payload */

/* What is found by a number: a fold, rotations, a segment or a refinement. */
typedef struct {
    uint64_t number;
    const uint8_t *data; /* behind the number; of segments the whole payload */
    uint64_t size;
} bfl_entry;

typedef struct {
    bfl_entry *entries; /* by number, and within one in the order of the stream */
    uint64_t count;
} bfl_entries;

typedef struct {
    bfl_section single[BFL_KINDS]; /* the first intact one of each kind that a stream has once; no payload: none */
    bfl_entries folds, rotations, segments;
    bfl_entries remains;           /* segments that are not intact, but whose first chunk is */
    bfl_entries refinements;       /* those of one number are all kept */
    int damaged_refinements;       /* whether there were any that are not intact */
} bfl_section_index;

bandfold_status bfl_index_sections(bfl_workspace *workspace, const bfl_sections *sections, bfl_section_index *index);

/* The first place with a number of at least `number`; their count if there is none. */
uint64_t bfl_entry_place(const bfl_entries *entries, uint64_t number);

/* The first entry of a number; null if there is none. */
const bfl_entry *bfl_find_entry(const bfl_entries *entries, uint64_t number);

#endif
