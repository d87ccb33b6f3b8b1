/* What a decoder knows of its stream. */
#ifndef BFL_DECODER_H
#define BFL_DECODER_H

#include "cosine.h"
#include "error_limits.h"
#include "metadata.h"
#include "output.h"
#include "predicted_bands.h"
#include "refinement_reader.h"
#include "transforms.h"

struct bandfold_decoder {
    bfl_workspace workspace;
    uint64_t size;                    /* bytes of the stream */
    int trusted, base_only;
    bfl_header header;
    int complete;                     /* whether the number of lines is known */
    bfl_section_index index;
    bfl_limits limits;
    bfl_metadata metadata;
    bfl_tables tables;
    bfl_refinement_tables refinement_tables;
    bfl_cosine cosine;
    bfl_sensor sensor;
    bfl_predicted_model model;        /* no engines: none */
    bfl_transforms transforms;
};

/* Read all but the segments: the workspace of the decoder is ready. */
bandfold_status bfl_read_stream(bandfold_decoder *decoder, const uint8_t *stream, const bandfold_options *options);

/* Decode a strip, or fill it, and tell what became of it. */
bandfold_status bfl_decode_strip(bandfold_decoder *decoder, const bfl_output *output, uint64_t strip,
                                 bandfold_strip_report *report);

#endif
