/* Blocks of a strip that stand for it, and their moments: onboard/planning/block_sample.py. */
#ifndef BFL_BLOCK_SAMPLE_H
#define BFL_BLOCK_SAMPLE_H

#include "held_strip.h"

typedef struct {
    uint8_t *blocks;      /* [bands][count][64]: samples of whole blocks */
    bandfold_type type;
    int64_t bands, count;
    int64_t pixels;       /* that the sample stands for */
    double *mean;         /* [bands], in counts */
    double *covariances;  /* [bands][bands], in counts squared */
} bfl_block_sample;

/* Take a sample of a strip into scratch memory: all blocks of a small one, some 256 to 512 of a larger one. */
bandfold_status bfl_sample_blocks(bfl_workspace *workspace, const bfl_held_strip *strip, bfl_block_sample *sample);

#endif
