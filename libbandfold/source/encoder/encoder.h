/* What an encoder knows of its stream. */
#ifndef BFL_ENCODER_H
#define BFL_ENCODER_H

#include "absent_samples.h"
#include "header.h"
#include "memory_scrubber.h"
#include "stream_control.h"
#include "stream_planner.h"

struct bandfold_encoder {
    bfl_workspace workspace;
    int (*write)(void *context, const void *section, size_t size);
    void *context;
    bfl_header header;
    char sensor_name[BFL_LONGEST_NAME + 1];
    bfl_sensor sensor;
    bfl_tables tables;
    bfl_kernel_cosine cosine;
    bfl_quantiser quantiser;
    bfl_stream_planner planner;
    bfl_stream_control control;
    bfl_scrubber scrubber;           /* of package, tables and what was made of them */
    bfl_held_strip held, filled;     /* as given, and without gaps: the same memory where none can be */
    bfl_marker marker;
    bandfold_bytes metadata;         /* their section */
    uint32_t repeat;                 /* strips after which header and folds are repeated; 0: never */
    uint32_t since_repeated;
    uint32_t band, frame_lines;      /* of a frame that is handed over band by band */
    uint64_t lines, strips;          /* that are coded */
    uint64_t lasting;                /* bytes that are needed between strips */
    int finished;
    bandfold_status failed;          /* what a call has come to that cannot be put right */
};

/* Read a package and check settings: the workspace of the encoder is ready. */
bandfold_status bfl_begin_stream(bandfold_encoder *encoder, const bandfold_settings *settings);

/* Code the lines that are held, and write them. */
bandfold_status bfl_code_strip(bandfold_encoder *encoder);

/* Write the end of the stream. */
bandfold_status bfl_end_stream(bandfold_encoder *encoder);

#endif
