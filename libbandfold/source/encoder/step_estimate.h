/* The step at which lines take so many bits, estimated from variances: onboard/planning/scene_planner.py. */
#ifndef BFL_STEP_ESTIMATE_H
#define BFL_STEP_ESTIMATE_H

#include "sensor_planner.h"

/* Step in counts for so many bits of all that the sample of a planner stands for. */
bandfold_status bfl_step_for_bits(bfl_workspace *workspace, const bfl_sensor_planner *planner, double bits,
                                  double *step);

/* Code of the nearest step that can be written: in units of 1/256 of a count. */
uint32_t bfl_step_code(double step);

#endif
