/* Sums that are rounded once, as `math.fsum` of Python. */
#ifndef BANDFOLD_EXACT_SUM_H
#define BANDFOLD_EXACT_SUM_H

#include <stdint.h>

/* Sum of the squares of `count` numbers, at most 2**31: each square is rounded, and their exact sum again. */
double bf_sum_of_squares(const double *values, int64_t count);

/* Exact sum of `count` numbers of any sign, at most 2**31, rounded. */
double bf_sum_exactly(const double *values, int64_t count);

#endif
