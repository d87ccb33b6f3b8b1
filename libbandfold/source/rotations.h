/* Rotations of the strongest components of each block. */
#ifndef BFL_ROTATIONS_H
#define BFL_ROTATIONS_H

#include "vectors.h"

typedef struct {
    int64_t count, size;
    double **integers; /* [count]: [size][size], vectors in columns, in units of 2**-16 */
    double **inverse;  /* [count]: from rotated latents back */
} bfl_rotations;

/* Read matrices into lasting memory; their size is still to be compared with the components of a fold. */
bandfold_status bfl_read_rotations(bfl_payload *payload, bfl_rotations *rotations);

#endif
