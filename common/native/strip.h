/* A strip block by block: see ground/restoration/strip_blocks.py. */
#ifndef BANDFOLD_STRIP_H
#define BANDFOLD_STRIP_H

#include <stdint.h>

/* A strip in blocks; all components of a pixel or latent lie side by side, filled up with zeros. */
typedef struct {
    int32_t *quantised; /* [blocks][64][filled] */
    uint8_t *contexts;  /* [blocks][64][filled] */
    int64_t *sums;      /* [blocks][filled]: sums over the levels of a block */
    float *pixels;      /* [lines][samples][filled], in steps, with a margin of zeros */
    float *front;       /* [fronts][lines][samples]: planes of the first components */
    float *present;     /* [lines][samples]: 1, and 0 in the margin */
    int64_t blocks;
    int64_t filled;
    int64_t lines;
    int64_t samples;
    int64_t fronts;
} bf_strip;

#endif
