/* Lines that are held until they make up a strip. */
#ifndef BFL_HELD_STRIP_H
#define BFL_HELD_STRIP_H

#include "workspace.h"

enum { BFL_SIDE = 8, BFL_PIXELS_OF_BLOCK = 64 };

/* Samples of 8 or 16 bits, band by band. */
typedef struct {
    void *samples;          /* [bands][room][width] */
    bandfold_type type;
    int64_t bands, width;   /* samples of a line */
    int64_t room, lines;    /* lines that it has room for, and that are there */
} bfl_held_strip;

/* Blocks that so many lines or samples take. */
int64_t bfl_blocks_of(int64_t length);

/* Place, below `length`, of what fills up an axis by mirroring: again and again where it is short. */
int64_t bfl_mirrored(int64_t place, int64_t length);

/* Memory of a sample, and a sample as a number. */
uint8_t *bfl_sample_at(const bfl_held_strip *strip, int64_t band, int64_t line, int64_t sample);
int32_t bfl_load_sample(const uint8_t *from, bandfold_type type);

#endif
