/* Inverses of nearly orthonormal matrices in integers, docs/format.md#exact-base. */
#ifndef BFL_INTEGER_INVERSE_H
#define BFL_INTEGER_INVERSE_H

#include "workspace.h"

#define BFL_INVERSE_UNIT 4194304.0 /* 2**22: entries are in units of 1 / 2**22 */

/* Of integers in units of 2**-bits, [length][count]: vectors in columns. The inverse has the same shape. */
bandfold_status bfl_integer_inverse(bfl_workspace *workspace, const double *integers, int64_t length, int64_t count,
                                    int bits, double *inverse);

/* A sum of products with an inverse, rounded and cut. */
double bfl_cut_sum(double sum);

#endif
