/* Gaussian elimination with partial pivoting. */

#include "dense_solve.h"

#include <math.h>

static void swap_rows(double *one, double *other, int64_t count)
{
    for (int64_t n = 0; one != other && n < count; n++) {
        const double held = one[n];
        one[n] = other[n];
        other[n] = held;
    }
}

int bfl_solve(double *matrix, int64_t size, double *right, int64_t width)
{
    for (int64_t place = 0; place < size; place++) {
        int64_t pivot = place;
        for (int64_t row = place + 1; row < size; row++)
            if (fabs(matrix[row * size + place]) > fabs(matrix[pivot * size + place]))
                pivot = row;
        if (!(fabs(matrix[pivot * size + place]) > 0.0))
            return 0;
        swap_rows(matrix + place * size, matrix + pivot * size, size);
        swap_rows(right + place * width, right + pivot * width, width);
        for (int64_t row = place + 1; row < size; row++) {
            const double factor = matrix[row * size + place] / matrix[place * size + place];
            for (int64_t n = place; n < size; n++)
                matrix[row * size + n] -= factor * matrix[place * size + n];
            for (int64_t n = 0; n < width; n++)
                right[row * width + n] -= factor * right[place * width + n];
        }
    }
    for (int64_t place = size; place-- > 0;) {
        for (int64_t row = place + 1; row < size; row++)
            for (int64_t n = 0; n < width; n++)
                right[place * width + n] -= matrix[place * size + row] * right[row * width + n];
        for (int64_t n = 0; n < width; n++)
            right[place * width + n] /= matrix[place * size + place];
    }
    return 1;
}
