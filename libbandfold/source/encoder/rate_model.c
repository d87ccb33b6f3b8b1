/* Operations and their order are those of onboard/rate_model.py; sums are exact. */

#include "rate_model.h"

#include "exact_math.h"
#include "exact_sum.h"

#include "encoding.h"

#include <math.h>

#define LOG_2 0.6931471805599453

enum { FINEST = 16, COARSEST = 1 };

double bfl_knee(double step)
{
    return BFL_LAGRANGE_MULTIPLIER / (2 * LOG_2) * step * step;
}

bandfold_status bfl_log_determinant(bfl_workspace *workspace, double *matrix, int64_t n, double *bits)
{
    const bfl_block *mark = bfl_mark(workspace, BFL_SCRATCH);
    double *pivots, *scaled;
    BFL_TAKE(pivots, workspace, BFL_SCRATCH, (uint64_t)n);
    BFL_TAKE(scaled, workspace, BFL_SCRATCH, (uint64_t)n);
    for (int64_t i = 0; i < n; i++)
        matrix[i * n + i] += 1.0;
    bf_pivots(matrix, n, pivots, scaled);
    for (int64_t i = 0; i < n; i++)
        pivots[i] = bfl_log2(pivots[i]);
    *bits = bf_sum_exactly(pivots, n);
    bfl_release(workspace, BFL_SCRATCH, mark);
    return BANDFOLD_OK;
}

bandfold_status bfl_component_bits(bfl_workspace *workspace, const double *variances, int64_t count, double step,
                                   double *bits)
{
    const bfl_block *mark = bfl_mark(workspace, BFL_SCRATCH);
    const double knee = bfl_knee(step);
    double *logarithms;
    BFL_TAKE(logarithms, workspace, BFL_SCRATCH, (uint64_t)count);
    for (int64_t k = 0; k < count; k++)
        logarithms[k] = bfl_log2(1.0 + (variances[k] > 0.0 ? variances[k] : 0.0) / knee);
    *bits = bf_sum_exactly(logarithms, count) / 2;
    bfl_release(workspace, BFL_SCRATCH, mark);
    return BANDFOLD_OK;
}

double bfl_bits_scale(double step)
{
    return 1.5 / (step * BFL_FRACTION);
}

void bfl_latent_gains(const int32_t *latents, int64_t components, int64_t count, double step, double *gains)
{
    const double smallest = 0.8, largest = 1024.0, bits = 5.0, octave_bits = 1.5;
    bf_gain(latents, components, count, 1.0 / (step * BFL_FRACTION), smallest, largest, BFL_LAGRANGE_MULTIPLIER, bits,
            octave_bits, gains);
}

double bfl_turn_bits(const int64_t *codes, const int64_t *shifts, int64_t width, int64_t stride)
{
    const double zero_bits = 0.3, level_bits = 1.2;
    double total = 0.0;
    for (int64_t row = 0; row < width; row++) {
        const int64_t code = codes[row * stride], magnitude = code < 0 ? -code : code;
        /* Codes are multiples of what they are shifted by. */
        const double level = (double)(magnitude >> shifts[row]);
        total += zero_bits + level_bits * bfl_log2(1.0 + 2.0 * level);
    }
    return total;
}

double bfl_vector_bits(const int64_t *codes, int64_t length, int64_t before, int64_t stride)
{
    const double overhead = 1.5, least = 0.3;
    int64_t sum = 0;
    for (int64_t n = 0; n < length; n++)
        sum += codes[n * stride] * codes[n * stride];
    const double told = (double)(length - before), energy = (double)sum / told;
    const double bits = bfl_log2(energy + 0.06) / 2 + overhead;
    return told * (bits > least ? bits : least);
}

int64_t bfl_vector_precision(double variance, double step, int64_t pixels)
{
    const double ratio = (variance > 1e-9 ? variance : 1e-9) * ((double)pixels / (step * step));
    const double fine = rint(bfl_log2(ratio) / 2);
    return fine < COARSEST ? COARSEST : fine > FINEST ? FINEST : (int64_t)fine;
}

double bfl_rotation_map_bits(int64_t matrices, int64_t pixels)
{
    const double share = 0.6;
    return share * bfl_log2_of((double)(matrices > 1 ? matrices : 1)) * (double)pixels / BF_CHANNELS;
}

bandfold_status bfl_refuse_large_latents(bfl_workspace *workspace)
{
    return bfl_fail(workspace, BANDFOLD_UNSUPPORTED,
                    "a component exceeds 32 bits: cut the scene into parts of fewer than 4096 bands");
}
