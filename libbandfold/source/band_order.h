/* The order in which predicted bands are coded, docs/format.md#order-of-coding, and how each is predicted. */
#ifndef BFL_BAND_ORDER_H
#define BFL_BAND_ORDER_H

#include "fold.h"

enum { BFL_MOST_REFERENCES = 4 };

/* A band in the order of coding. */
typedef struct {
    int64_t band, tier;
    int64_t references[BFL_MOST_REFERENCES]; /* bands, the preferred first */
    int64_t reference_count;
    int32_t weights[BFL_MOST_REFERENCES];    /* in units of 1/1024 */
    int32_t weight_count;
    int64_t offset;                          /* in half steps */
} bfl_ordered_band;

/* All bands in their order, in scratch memory, not predicted yet. */
bandfold_status bfl_order_bands(bfl_workspace *workspace, const bfl_fold *fold, int64_t bands,
                                bfl_ordered_band **ordered);

/* Read how they are predicted, docs/format.md#predictions. */
bandfold_status bfl_read_predictions(bfl_payload *payload, int64_t bands, bfl_ordered_band *ordered);

/* Step code of a band. */
uint64_t bfl_band_step(const bfl_fold *fold, uint64_t step_code, const bfl_ordered_band *one);

#endif
