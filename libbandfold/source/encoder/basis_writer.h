/* Folds and rotations as sections: bitstream/payloads/selection_code.py and klt_code.py. */
#ifndef BFL_BASIS_WRITER_H
#define BFL_BASIS_WRITER_H

#include "block_rotations.h"
#include "planned_fold.h"
#include "section_writer.h"
#include "tables.h"

/* Write what a fold takes from a package. */
bandfold_status bfl_write_fold(bfl_workspace *workspace, const bfl_tables *tables, const bfl_planned_fold *fold,
                               uint64_t number, bandfold_bytes *section);

/* Write matrices, of which there is one at least. */
bandfold_status bfl_write_rotations(bfl_workspace *workspace, const bfl_tables *tables, const bfl_matrices *matrices,
                                    uint64_t number, bandfold_bytes *section);

#endif
