/* The kernels of encoders for C that calls them: each is described where it is defined. */
#ifndef BANDFOLD_ENCODING_H
#define BANDFOLD_ENCODING_H

#include "kernels.h"

/* KLT of each interval of bands, and a second one of the strongest components; see onboard/transform/analysis.py. */
typedef struct {
    int32_t bands, intervals;
    const int32_t *ends;   /* [intervals] */
    const int32_t *counts; /* [intervals]: components of the first fold */
    const double *means;   /* [bands], in counts */
    const double *first;   /* one [bands of the interval][count] after the other */
    int32_t merged, seconds, others;
    const int32_t *inside;  /* [merged]: which components the second fold takes */
    const int32_t *outside; /* [others]: and which it leaves */
    const double *second;   /* [merged][seconds] */
    const double *cosines;  /* [4][16][16]: by parity of both frequencies, channel and quarter of a block */
    const int32_t *channels; /* [4][16] */
} bf_fold;

/* analysis.c */
int64_t bf_analysis_memory(const bf_fold *fold);
int32_t bf_analyse(const bf_fold *fold, const void *samples, int32_t kind, int64_t band_stride, int64_t line_stride,
                   int64_t sample_stride, const int64_t *lines, const int64_t *columns, int32_t rows, int32_t across,
                   int32_t *latents, int64_t component_stride, int64_t channel_stride, double *memory);

/* linear.c */
void bf_jacobi(double *work, double *vectors, int64_t count, int64_t size, const int32_t *turn, int32_t sweeps,
               double tolerance, double negligible, double *spare);
void bf_gain(const int32_t *latents, int64_t components, int64_t count, double scale, double smallest, double largest,
             double weight, double bits, double octave_bits, double *gains);
void bf_eliminate(const double *vectors, const double *scales, int64_t count, int64_t n, double largest, int64_t *codes,
                  double *restrict echelon, int64_t *pivots);
void bf_pivots(double *restrict matrix, int64_t n, double *restrict pivots, double *restrict scaled);

/* rotation.c */
void bf_rotation_costs(const double *latents, int32_t size, int32_t channels, int64_t blocks, const double *matrices,
                       int32_t count, float scale, int64_t *costs);
void bf_cost(const int32_t *latents, int64_t count, float scale, double steps, int64_t *totals);

int32_t bf_rotate(int32_t *latents, int32_t size, int64_t blocks, const double *matrices, const uint8_t *chosen);

/* quantise.c */
int64_t bf_memory(int32_t rows, int32_t columns);
void bf_quantise(const bf_network *network, const int32_t *latents, int32_t components, int32_t rows, int32_t columns,
                 double scale, const double *thresholds, int32_t *quantised, int64_t channel_stride,
                 int64_t component_stride, uint8_t *classes, uint8_t *memory);
void bf_scalar_classes(const bf_network *network, const int32_t *latents, int32_t components, int32_t rows,
                       int32_t columns, double scale, const double *thresholds, uint8_t *classes, uint8_t *memory);
void bf_contexts(const bf_network *network, const int32_t *quantised, int64_t channel_stride, int64_t component_stride,
                 const uint8_t *second, int32_t components, int32_t rows, int32_t columns, uint8_t *classes,
                 uint8_t *memory);

/* trellis.c */
int64_t bf_trellis_memory(int64_t components, int32_t kinds);
void bf_trellis(int32_t states, const int32_t *latents, int64_t components, int64_t positions, double scale,
                int32_t kinds, const float *bits, const float *below, const float *small, int32_t *quantised,
                int64_t channel_stride, int64_t component_stride, uint8_t *classes, uint8_t *memory);

/* arrangement.c */
int64_t bf_arrange(const int32_t *quantised, int64_t channel_stride, int64_t component_stride, const uint8_t *classes,
                   int64_t stride, int64_t components, int64_t positions, const int64_t *extents, int32_t first_table,
                   uint8_t *restrict tokens, int32_t *tables, int32_t *counts, uint8_t *restrict bits,
                   uint8_t *restrict memory);

/* rans.c */
void bf_pushes(const uint32_t *starts, int64_t tables, int32_t table_size, uint64_t *pushes);
enum { BF_ANS_SLACK = 2 }; /* words of room beside one for each symbol: a symbol takes 24 bits at most, the state two words */
void bf_encode(const uint8_t *symbols, const int32_t *tables, const int32_t *counts, const int64_t *ends, int64_t parts,
               const uint64_t *pushes, int32_t table_size, uint32_t *words, int64_t *lengths);
int64_t bf_put_entries(const int64_t *values, int64_t count, int32_t first_table, int64_t mean, int64_t *rows,
                       uint8_t *tokens, int32_t *tables, uint8_t *bits);
int64_t bf_put_integers(const int64_t *values, const int64_t *counts, const int64_t *means, int64_t lists,
                        int32_t first_table, int32_t with_signs, uint8_t *tokens, int32_t *tables, uint8_t *bits);
void bf_statistics(const int32_t *quantised, int64_t channel_stride, int64_t component_stride, int64_t components,
                   int64_t positions, int64_t *nonzero, int64_t *energy, int64_t *bits, int64_t *extents);

/* `found[j] = rint(sum over i of matrix[i][j] * x[i] / BASIS_UNIT)` for eight blocks side by side; `size` is a multiple
 * of 4.
 */
void bf_rotated(const double *matrix, int32_t size, const double *x, double *found);

#endif
