/* Folds and rotations by number, read when a segment names them. */
#ifndef BFL_TRANSFORMS_H
#define BFL_TRANSFORMS_H

#include "fold.h"
#include "rotations.h"
#include "section_index.h"

typedef enum { BFL_UNREAD = 0, BFL_READ, BFL_FAILED } bfl_reading;

/* Beside each section what it holds, or why it holds nothing. */
typedef struct {
    bfl_reading *fold_states, *rotation_states;
    const char **fold_faults, **rotation_faults;
    bfl_fold *folds;
    bfl_rotations *rotations;
    const bfl_section_index *index;
    const bfl_tables *tables;
    bfl_fold_source source;
} bfl_transforms;

bandfold_status bfl_begin_transforms(bfl_workspace *workspace, const bfl_section_index *index, const bfl_tables *tables,
                                     const bfl_fold_source *source, bfl_transforms *transforms);

/* The fold of a number; and the rotations of one, for so many components. Corrupt ones are not read again. */
bandfold_status bfl_find_fold(bfl_workspace *workspace, bfl_transforms *transforms, uint64_t number,
                              const bfl_fold **fold);
bandfold_status bfl_find_rotations(bfl_workspace *workspace, bfl_transforms *transforms, uint64_t number,
                                   int64_t components, const bfl_rotations **rotations);

/* The fold of the lowest number that can be read. */
bandfold_status bfl_first_fold(bfl_workspace *workspace, bfl_transforms *transforms, const bfl_fold **fold);

#endif
