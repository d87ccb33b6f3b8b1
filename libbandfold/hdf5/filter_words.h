/* What an HDF5 data set says of its chunks, as hdf5filter/filter_options.py writes it. */
#ifndef FILTER_WORDS_H
#define FILTER_WORDS_H

#include "bandfold.h"

typedef struct {
    uint64_t shape[3];   /* of a chunk, in the order of the data set */
    int band_axis;       /* which of these are the bands */
    bandfold_type type;
    int swapped;         /* whether its samples are in the other byte order than those of the machine */
} chunk_form;

/* Read the words of a filter; returns 0 where they are something else. */
int read_filter_words(const unsigned *words, size_t count, chunk_form *form);

#endif
