/* A strip that is analysed, ready to be coded with any step. */
#ifndef BFL_STRIP_TASK_H
#define BFL_STRIP_TASK_H

#include "segment_writer.h"
#include "strip_analysis.h"

typedef struct {
    const bfl_quantiser *quantiser;
    const bfl_tables *tables;
    bfl_latents latents;
    bfl_segment_content content; /* all but levels, classes and the step */
    uint64_t header_code;        /* code of the step that the header tells */
    int32_t *weighed;            /* some of the latents, where sizes are to be foreseen; else null */
    int64_t weighed_count;
} bfl_strip_task;

/* Keep some columns of blocks by which sizes are foreseen, in scratch memory. */
bandfold_status bfl_prepare_weighing(bfl_workspace *workspace, bfl_strip_task *task);

/* What a strip weighs at a step in counts: bytes are about proportional to it. */
double bfl_weigh_strip(const bfl_strip_task *task, double step);

/* Quantise and code it; what comes out lies in scratch memory. */
bandfold_status bfl_code_task(bfl_workspace *workspace, bfl_strip_task *task, uint32_t step_code,
                              bfl_coded_segment *coded);

#endif
