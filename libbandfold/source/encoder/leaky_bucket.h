/* What strips may take so that a buffer of known size never overflows: onboard/rate/leaky_bucket.py. */
#ifndef BFL_LEAKY_BUCKET_H
#define BFL_LEAKY_BUCKET_H

#include <stdint.h>

typedef struct {
    double bps;     /* bits per sample on average; 0: there is no rate */
    double buffer;  /* bytes; 0: four strips, as soon as one is there */
    double saved;   /* bytes; below 0 while what the stream begins with is not paid for */
    double fill;    /* what the strip may take on average */
} bfl_leaky_bucket;

/* Add what a strip of so many samples may take on average. */
void bfl_open_bucket(bfl_leaky_bucket *bucket, uint64_t samples);

/* Bytes that the strip may take at most, and that it should take. */
double bfl_bucket_most(const bfl_leaky_bucket *bucket);
double bfl_bucket_aim(const bfl_leaky_bucket *bucket);

/* Take what the strip has taken; returns 0 where that is more than there is. */
int bfl_close_bucket(bfl_leaky_bucket *bucket, uint64_t bytes);

#endif
