/* Linear equations in float64. */
#ifndef BFL_DENSE_SOLVE_H
#define BFL_DENSE_SOLVE_H

#include <stdint.h>

/* Solve `matrix` x = b for the `width` columns of `right`, [size][width], in place, by elimination with pivots.
 * `matrix`, [size][size], is used up. Returns 0 where it is singular.
 */
int bfl_solve(double *matrix, int64_t size, double *right, int64_t width);

#endif
