/* The 8 x 8 cosine transform in integers, docs/format.md#from-latents-to-samples. */
#ifndef BFL_COSINE_H
#define BFL_COSINE_H

#include "workspace.h"

/* Inverses of the transform, [64 pixels][64 channels]. */
typedef struct {
    double *real;  /* in float64 */
    double *whole; /* integers, in units of 2**-22 */
} bfl_cosine;

/* The transform itself, [64 channels][64 pixels]: integers, in units of 2**-14. */
void bfl_fill_cosine(double *cosine);

bandfold_status bfl_make_cosine(bfl_workspace *workspace, bfl_cosine *cosine);

#endif
