/* How bands become components: bitstream/transforms/klt.py. */
#ifndef BFL_FOLD_H
#define BFL_FOLD_H

#include "header.h"
#include "sensor_basis.h"
#include "vectors.h"

/* Order of coding of predicted bands: see band_order.h. */
enum { BFL_MOST_TIERS = 8 };

typedef struct {
    int64_t intervals;
    int64_t *ends;      /* [intervals]: the first band behind each */
    int64_t *means;     /* [bands], in units of 1/64 of a count */
    double *weights;    /* [bands]; null where all are 1 */
    bfl_basis *first;   /* [intervals]; null without a spectral transform */
    int64_t *merged;    /* [intervals]: components that go through the second fold */
    bfl_basis second;
    int64_t *inside;    /* [second.length]: places of the merged components among those of all intervals */
    int64_t *outside;   /* [outside_count]: places of the others, in the order of components */
    int64_t outside_count;
    int64_t components;
    int64_t *engines;   /* [intervals], of streams of predicted bands */
    int64_t tiers, begin;
    int64_t gains[BFL_MOST_TIERS + 1]; /* of tiers 0, 1, ...; that of 0 is not 0 only where bands have their own steps */
    int64_t *steps;                    /* [bands], eighths of an octave; null where all of a tier have the same */
} bfl_fold;

/* What else is known when a fold is read. */
typedef struct {
    const bfl_header *header;
    const bfl_sensor *sensor; /* null unless the vectors come from a package */
    int64_t engines;          /* of the model of predicted bands */
} bfl_fold_source;

/* Read a fold into lasting memory. */
bandfold_status bfl_read_fold(bfl_payload *payload, const bfl_fold_source *source, bfl_fold *fold);

/* Read what a fold takes from a package: see selected_fold.c. */
bandfold_status bfl_read_selected_fold(bfl_payload *payload, const bfl_fold_source *source, bfl_fold *fold);

/* Means of bands from their codes, in units of 2**shift. */
bandfold_status bfl_take_means(bfl_payload *payload, const int64_t *codes, int64_t shift, bfl_fold *fold,
                               int64_t bands);

/* Number of the interval of a band. */
int64_t bfl_interval_of(const bfl_fold *fold, int64_t band);

/* Put components in their order once the vectors are known. */
bandfold_status bfl_order_components(bfl_workspace *workspace, bfl_fold *fold);

enum {
    BFL_COUNT_MEAN = 2048,
    BFL_CHANGE_MEAN = 256,
    BFL_MEAN_MEAN = 16384,
    BFL_LARGEST_SHIFT = 40
};

#endif
