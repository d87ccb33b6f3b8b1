/* Plans from the fold of a sensor: which of its components a strip takes, and how it turns them.
 * onboard/planning/sensor_planner.py.
 */
#ifndef BFL_SENSOR_PLANNER_H
#define BFL_SENSOR_PLANNER_H

#include "component_latents.h"

/* What a sample tells of the components of a sensor, whatever the step. */
typedef struct {
    const bfl_sensor *sensor;
    const bfl_block_sample *sample;
    double *variances; /* [components of the first fold] */
    double *values;    /* [columns of the second fold]: variances of what a scene would turn them into, falling */
    double *vectors;   /* [columns][columns]: one vector in each column */
} bfl_sensor_planner;

/* Look at a sample, in scratch memory. */
bandfold_status bfl_begin_sensor_plan(bfl_workspace *workspace, const bfl_sensor *sensor,
                                      const bfl_block_sample *sample, bfl_sensor_planner *planner);

/* Plan a fold for a step in counts. */
bandfold_status bfl_plan_fold(bfl_workspace *workspace, const bfl_sensor_planner *planner, double step,
                              bfl_planned_fold *fold);

#endif
