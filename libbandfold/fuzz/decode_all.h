/* Everything that a decoder does, on bytes that may be hostile. */
#ifndef DECODE_ALL_H
#define DECODE_ALL_H

#include "bandfold.h"

/* What became of an input. */
typedef struct {
    bandfold_status status;
    uint64_t largest; /* bytes that were held at a time, samples included */
    uint64_t damaged; /* strips that were not intact */
} outcome;

/* Open a stream, ask for all that it tells, decode it in whole and in part; ends the process where memory is lost. */
outcome decode_all(const void *data, size_t size, const bandfold_bytes *packages, size_t package_count);

#endif
