/* Rows of counts become samples of the caller's: docs/format.md#from-latents-to-samples, steps 6 to 9. */
#ifndef BFL_OUTPUT_H
#define BFL_OUTPUT_H

#include "levels.h"

/* Where a part of a scene is written, band by band. */
typedef struct {
    void *samples;
    uint32_t first_band, bands, first_line, lines;
} bfl_output;

/* A strip that is written. */
typedef struct {
    const bfl_header *header;
    const bfl_output *output;
    uint32_t first_line, lines; /* of the strip in the scene */
    uint32_t doublings;
    const uint8_t *absent;      /* [bands][pixels]; null: nothing is absent */
} bfl_strip_output;

/* Lines of the strip that are wanted: from the first one up to, not including, the second one. */
void bfl_wanted_lines(const bfl_strip_output *strip, uint32_t *first, uint32_t *end);

/* Round counts of a line of a band to the nearest, halves to even, and within the range of counts. */
void bfl_round_counts(const bfl_header *header, const double *row, int32_t *counts);

/* Write a line of a band, lines counted within the strip. */
void bfl_write_counts(const bfl_strip_output *strip, uint32_t band, uint32_t line, const int32_t *counts);

/* The same of ordered integers, docs/format.md#ordered-integers: high words, and low ones or null. */
void bfl_write_ordered(const bfl_strip_output *strip, uint32_t band, uint32_t line, const int32_t *high,
                       const int32_t *low);

/* Put samples that are kept exactly into their places. */
void bfl_write_exact(const bfl_strip_output *strip, const bfl_exact_samples *exact);

/* Ordered integers of the sample that a count stands for; `low` is null where there is one word. */
void bfl_order_count(const bfl_header *header, double scale, double offset, int32_t count, int32_t *high, int32_t *low);

#endif
