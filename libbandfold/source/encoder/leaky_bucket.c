/* Every strip adds its average, and what it does not take is saved up to the size of the buffer. */

#include "leaky_bucket.h"

#include <math.h>

static const double BUFFER_STRIPS = 4.0, PULL = 0.25, LEAST_SHARE = 0.9, AIM = 0.5;

void bfl_open_bucket(bfl_leaky_bucket *bucket, uint64_t samples)
{
    bucket->fill = bucket->bps * (double)samples / 8;
    if (bucket->buffer == 0.0) {
        const double size = floor(BUFFER_STRIPS * bucket->fill);
        bucket->buffer = size > 1.0 ? size : 1.0;
    }
}

double bfl_bucket_most(const bfl_leaky_bucket *bucket)
{
    return bucket->fill + bucket->saved;
}

double bfl_bucket_aim(const bfl_leaky_bucket *bucket)
{
    const double wanted = bucket->fill + PULL * (bucket->saved - AIM * bucket->buffer);
    const double least = LEAST_SHARE * bucket->fill, most = bfl_bucket_most(bucket);
    const double aim = wanted > least ? wanted : least;
    return aim < most ? aim : most;
}

int bfl_close_bucket(bfl_leaky_bucket *bucket, uint64_t bytes)
{
    const double left = bfl_bucket_most(bucket) - (double)bytes;
    if (left < 0.0)
        return 0;
    bucket->saved = left < bucket->buffer ? left : bucket->buffer;
    bucket->fill = 0.0;
    return 1;
}
