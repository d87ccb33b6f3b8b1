/* A refinement payload that is read, docs/format.md#refinement-payload. */
#ifndef BFL_REFINEMENT_READER_H
#define BFL_REFINEMENT_READER_H

#include "workspace.h"

#include "refinement.h"

/* Tables as the kernels take them. */
typedef struct {
    bf_refinement kernel;
    uint32_t *starts;
    uint8_t *guess;
} bfl_refinement_tables;

bandfold_status bfl_make_refinement_tables(bfl_workspace *workspace, bfl_refinement_tables *tables);

typedef struct {
    bfl_workspace *workspace;
    bf_refinement_reader kernel;
    uint64_t states[4];
} bfl_refinement_reader;

bandfold_status bfl_open_refinement(bfl_workspace *workspace, const bfl_refinement_tables *tables, const uint8_t *data,
                                    uint64_t size, bfl_refinement_reader *reader);

/* Read an array of side information. */
bandfold_status bfl_read_refinement_array(bfl_refinement_reader *reader, uint64_t count, int64_t *values);

/* Go on with the next whole byte of raw bits. */
void bfl_align_refinement(bfl_refinement_reader *reader);

/* Refuse a payload that is not read to its end. */
bandfold_status bfl_finish_refinement(bfl_refinement_reader *reader);

/* What a kernel that reads returned. */
bandfold_status bfl_refinement_failure(bfl_refinement_reader *reader, int32_t failure);

enum { BFL_LARGEST_SCALE = 360 };

#endif
