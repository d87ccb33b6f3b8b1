/* Chooses the step of each strip: onboard/rate/stream_control.py. */
#ifndef BFL_STREAM_CONTROL_H
#define BFL_STREAM_CONTROL_H

#include "fixed_quality.h"
#include "limited_rate.h"

typedef enum { BFL_FIXED_STEP, BFL_LIMITED_RATE, BFL_FIXED_QUALITY } bfl_control_kind;

typedef struct {
    bfl_control_kind kind;
    uint32_t code;             /* of a fixed step */
    bfl_limited_rate rate;
    bfl_fixed_quality quality;
} bfl_stream_control;

/* What settings ask for; they were checked. */
bfl_stream_control bfl_make_control(const bandfold_settings *settings);

/* A step, in counts, to plan the first strip with; and another strip. */
bandfold_status bfl_first_step(bfl_workspace *workspace, bfl_stream_control *control,
                               const bfl_sensor_planner *planner, double *step);
double bfl_next_step(const bfl_stream_control *control);

/* What a strip is coded with. */
typedef struct {
    double step;       /* that it was planned for, in counts */
    double left_out;   /* mean squared error per sample of what the fold leaves out, in counts squared */
    uint64_t overhead; /* bytes of the sections that go before its segment */
} bfl_strip_plan;

/* Code a strip; tells the code of the step that was taken. `counted` are its samples, where a quality is asked for. */
bandfold_status bfl_control_strip(bfl_workspace *workspace, bfl_stream_control *control, bfl_strip_task *task,
                                  const bfl_counted_samples *counted, const bfl_strip_plan *plan, uint32_t *code,
                                  bfl_coded_segment *coded);

#endif
