/* Functions of common/exact.py: made of operations that are exactly defined, so that encoders decide alike. */
#ifndef BFL_EXACT_MATH_H
#define BFL_EXACT_MATH_H

#include "workspace.h"

/* Binary logarithm of a number above 0, good to 1e-8. */
double bfl_log2(double value);

/* The same, where numbers below 1e-300 count as that. */
double bfl_log2_of(double value);

/* Power of two, good to 1e-9. */
double bfl_exp2(double value);

/* Integer part of a square root. */
uint64_t bfl_integer_root(uint64_t square);

/* Eigenvalues in falling order and eigenvectors of symmetric matrices, by cyclic Jacobi rotations of all of them
 * together.
 *
 * `matrices` are of shape [count][n][n], `values` of [count][n], `vectors` of [count][n][n] with one vector in each
 * column, whose largest entry is positive.
 */
bandfold_status bfl_eigenvectors(bfl_workspace *workspace, const double *matrices, int64_t count, int64_t n,
                                 double *values, double *vectors);

#endif
