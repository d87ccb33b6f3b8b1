/* Cells of neighbouring values, one value of which stands for each: docs/format.md#samples. */
#ifndef BFL_VALUE_AXIS_H
#define BFL_VALUE_AXIS_H

#include "workspace.h"

typedef struct {
    int64_t *firsts;  /* [count]: first value of each cell, rising */
    int32_t *centres; /* [count] */
    int64_t count;
    int64_t lowest, highest;
} bfl_axis;

/* Cells around the values that a band uses. */
bandfold_status bfl_used_axis(bfl_workspace *workspace, const int32_t *values, int64_t count, int64_t lowest,
                              int64_t highest, bfl_axis *axis);

/* Cells of a limit that is a share of the value, in 1/65536, and at least `least`; of a range of 16 bits at most. */
bandfold_status bfl_relative_axis(bfl_workspace *workspace, int64_t share, int64_t least, int64_t lowest,
                                  int64_t highest, bfl_axis *axis);

/* Number of the cell of a value. */
int64_t bfl_cell_of(const bfl_axis *axis, int64_t value);

#endif
