/* Exact linear algebra for C that calls it: see linear.c. */
#ifndef BANDFOLD_LINEAR_H
#define BANDFOLD_LINEAR_H

#include "kernels.h"

void bf_product(const double *a, const double *b, int64_t n, int64_t m, int64_t k, double *restrict result);
void bf_orthonormalise(double *rows, int64_t n, int64_t count, double *spare);

#endif
