/* Plans for lines as they come: a basis for the first strip, another where the land has changed too much.
 * onboard/planning/stream_planner.py.
 */
#ifndef BFL_STREAM_PLANNER_H
#define BFL_STREAM_PLANNER_H

#include "basis_writer.h"
#include "mismatch.h"
#include "sensor_planner.h"

/* The basis in use, and how well it fits. */
typedef struct {
    const bfl_sensor *sensor;
    const bfl_tables *tables;
    int most_rotated;
    bfl_planned_fold fold;
    bfl_matrices rotations;     /* none: 0 */
    int planned;                /* whether there is one */
    double step;                /* that it was planned for, in counts */
    uint64_t number, next;      /* of the one in use, and of the next one */
    bfl_output_bytes sections;  /* its fold and its rotations */
    bfl_mismatch mismatch;      /* of the last strip that was looked at */
    double unavoidable;         /* excess of the strip that it was made for */
} bfl_stream_planner;

/* Take lasting memory. */
bandfold_status bfl_begin_planning(bfl_workspace *workspace, const bfl_sensor *sensor, const bfl_tables *tables,
                                   const bfl_kernel_cosine *cosine, int most_rotated, bfl_stream_planner *planner);

/* Plan anew for a step in counts; `again` if it replaces the last plan, which no segment names. */
bandfold_status bfl_renew(bfl_workspace *workspace, bfl_stream_planner *planner, const bfl_sensor_planner *folds,
                          double step, int again);

/* Look at a strip, and plan anew if another basis saves more than it costs; tells whether. */
bandfold_status bfl_follow(bfl_workspace *workspace, bfl_stream_planner *planner, const bfl_held_strip *strip,
                           double step, int *renewed);

/* Refuse a basis that leaves out what is worth its bits at a step in counts. */
bandfold_status bfl_check_left_out(bfl_workspace *workspace, const bfl_stream_planner *planner, double step);

#endif
