/* What predicted bands need in more than one file; see prediction.c, and prediction_loop.c for the encoder. */
#ifndef BANDFOLD_PREDICTION_H
#define BANDFOLD_PREDICTION_H

#include "kernels.h"

/* Rounds halves to even, in the mode that every process starts in: numbers below 2**51 in magnitude. */
static const double ROUNDER = 6755399441055744.0;

enum { SAMPLE_BITS = 4, FARTHEST = 1 << 24 };

BF_INLINE double rounded(double x)
{
    return (x + ROUNDER) - ROUNDER;
}

BF_INLINE double between(double x, double low, double high)
{
    x = x < low ? low : x;
    return x > high ? high : x;
}

void bf_predict(const int32_t *planes, int64_t pixels, const int64_t *references, const int32_t *weights, const
                int32_t *means, int32_t count, int32_t base, int32_t *prediction);
int64_t bf_innovations(const int32_t *target, const int32_t *prediction, int32_t rows, int32_t columns, double scale,
                       int8_t *inputs);
int64_t bf_squared_error(const int32_t *plane, const int32_t *target, int32_t width, int32_t lines, int32_t samples,
                         int32_t low, int32_t high);
void bf_reconstruct(const int32_t *prediction, const int32_t *levels, const uint8_t *classes, int64_t stride, int32_t
                    rows, int32_t columns, const int32_t *points, const int32_t *kernels, double scale, double *sums,
                    int32_t *plane);

/* See quantise.c. */
void bf_quantise_next(const bf_network *network, const int32_t *latents, int64_t number, int32_t components,
                      int32_t rows, int32_t columns, double scale, const double *thresholds, int32_t *quantised,
                      uint8_t *classes, uint8_t *memory);

#endif
