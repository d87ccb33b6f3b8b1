/* What things cost in bits, estimated before anything is coded: onboard/rate_model.py. */
#ifndef BFL_RATE_MODEL_H
#define BFL_RATE_MODEL_H

#include "workspace.h"

/* Squared error, in steps squared, that one bit must save. */
#define BFL_LAGRANGE_MULTIPLIER 0.13

#define BFL_FRACTION 64.0

/* Variance at which a component begins to cost bits, in counts squared. */
double bfl_knee(double step);

/* Bits of a pixel: of a Gaussian source under its best fold, and of independent components. `matrix`, [n][n], is used
 * up.
 */
bandfold_status bfl_log_determinant(bfl_workspace *workspace, double *matrix, int64_t n, double *bits);
bandfold_status bfl_component_bits(bfl_workspace *workspace, const double *variances, int64_t count, double step,
                                   double *bits);

/* The factor from latents to the number of steps in the logarithm of `bf_cost`. */
double bfl_bits_scale(double step);

/* What coding the latents of components saves, [components][count] of them: in steps squared / 256, whole numbers. */
void bfl_latent_gains(const int32_t *latents, int64_t components, int64_t count, double step, double *gains);

/* Bits of a column of the matrix that turns a sensor's components, of its codes less their shifts. */
double bfl_turn_bits(const int64_t *codes, const int64_t *shifts, int64_t width, int64_t stride);

/* Bits of a quantised vector, of its codes, those in the pivots of so many vectors before being 0. */
double bfl_vector_bits(const int64_t *codes, int64_t length, int64_t before, int64_t stride);

/* Precision of a unit vector of a component of a variance, that so many pixels share. */
int64_t bfl_vector_precision(double variance, double step, int64_t pixels);

/* Bits of telling which of so many matrices each block of so many pixels takes. */
double bfl_rotation_map_bits(int64_t matrices, int64_t pixels);

/* Refuse lines whose components exceed 32 bits. */
bandfold_status bfl_refuse_large_latents(bfl_workspace *workspace);

#endif
