/* Samples of a strip that are kept bit by bit, docs/format.md#exact-samples. */
#ifndef BFL_EXACT_SAMPLES_H
#define BFL_EXACT_SAMPLES_H

#include "header.h"
#include "payload.h"

/* Runs of samples that follow each other and have the same bits. */
typedef struct {
    uint64_t runs;
    uint64_t *starts;    /* in the order of the runs */
    uint64_t *lengths;
    uint64_t *values;    /* bits */
    uint8_t band_by_band; /* whether that order goes band by band, or pixel by pixel */
} bfl_exact_samples;

bandfold_status bfl_read_exact_samples(bfl_payload *payload, const bfl_header *header, uint32_t lines,
                                       bfl_exact_samples *exact);

/* Call `put` for each sample: its band, its pixel in the strip and its bits. */
void bfl_for_exact_samples(const bfl_exact_samples *exact, uint64_t bands, uint64_t pixels,
                           void (*put)(void *context, uint64_t band, uint64_t pixel, uint64_t bits), void *context);

#endif
