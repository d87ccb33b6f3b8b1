/* Every operation and its order is that of common/exact.py. */

#include "exact_math.h"

#include "encoding.h"

#include <math.h>
#include <string.h>

enum { SWEEPS = 30 };

static const double TOLERANCE = 1e-15, NEGLIGIBLE = 1e-140, LOG_2 = 0.6931471805599453;

double bfl_log2(double value)
{
    int exponent;
    double mantissa = frexp(value, &exponent);
    if (mantissa < sqrt(0.5)) {
        mantissa = mantissa * 2.0;
        exponent--;
    }
    const double t = (mantissa - 1.0) / (mantissa + 1.0), t2 = t * t;
    double series = 1.0 / 13.0;
    for (int odd = 11; odd > 0; odd -= 2)
        series = series * t2 + 1.0 / (double)odd;
    return (double)exponent + 2.0 / LOG_2 * t * series;
}

double bfl_log2_of(double value)
{
    return bfl_log2(value > 1e-300 ? value : 1e-300);
}

double bfl_exp2(double value)
{
    const double whole = rint(value), t = (value - whole) * LOG_2;
    double term = 1.0, total = 1.0;
    for (int order = 1; order < 12; order++) {
        term = term * t / (double)order;
        total += term;
    }
    return ldexp(total, (int)whole);
}

uint64_t bfl_integer_root(uint64_t square)
{
    uint64_t root = 0;
    for (int bit = 31; bit >= 0; bit--) {
        const uint64_t tried = root | (uint64_t)1 << bit;
        root = tried * tried <= square ? tried : root;
    }
    return root;
}

/* Row that comes to a place at first: rows are kept in tournament order. */
static int64_t ring_place(int64_t place, int64_t half)
{
    return place < half ? place : 3 * half - 1 - place;
}

/* Order of rows that turns one round of the tournament into the next. */
static void next_round(int64_t half, int32_t *turn)
{
    int64_t at = 0;
    turn[at++] = 0;
    if (half == 1) {
        turn[at] = 1;
        return;
    }
    turn[at++] = (int32_t)half;
    for (int64_t row = 1; row < half - 1; row++)
        turn[at++] = (int32_t)row;
    for (int64_t row = half + 1; row < 2 * half; row++)
        turn[at++] = (int32_t)row;
    turn[at] = (int32_t)(half - 1);
}

/* The matrix in tournament order, scaled by a power of two so that one tolerance serves all; returns its exponent. */
static int arrange(const double *matrix, int64_t n, int64_t size, double *work, double *vectors)
{
    const int64_t half = size / 2;
    double largest = 0.0;
    int exponent;
    for (int64_t i = 0; i < size; i++)
        for (int64_t j = 0; j < size; j++) {
            const int64_t row = ring_place(i, half), column = ring_place(j, half);
            const double entry = row < n && column < n ? matrix[row * n + column] : 0.0;
            work[i * size + j] = entry;
            vectors[i * size + j] = row == j;
            largest = fabs(entry) > largest ? fabs(entry) : largest;
        }
    frexp(largest, &exponent);
    for (int64_t i = 0; i < size * size; i++)
        work[i] = ldexp(work[i], -exponent);
    return exponent;
}

/* Values in falling order, and the sign of each vector by its largest entry, the first of equals. */
static void collect(const double *work, const double *vectors, int64_t n, int64_t size, int exponent, int64_t *order,
                    double *values, double *columns)
{
    int64_t live = 0;
    for (int64_t i = 0; i < size; i++) {
        /* The row that fills up an odd size never mixes with the others. */
        double largest = 0.0;
        for (int64_t j = 0; j < n; j++)
            largest = fabs(vectors[i * size + j]) > largest ? fabs(vectors[i * size + j]) : largest;
        if (largest == 0.0 || live == n)
            continue;
        const double value = work[i * size + i];
        int64_t place = live++;
        for (; place > 0 && work[order[place - 1] * size + order[place - 1]] < value; place--)
            order[place] = order[place - 1];
        order[place] = i;
    }
    for (int64_t k = 0; k < live; k++) {
        const double *vector = vectors + order[k] * size;
        int64_t peak = 0;
        values[k] = ldexp(work[order[k] * size + order[k]], exponent);
        for (int64_t j = 1; j < n; j++)
            peak = fabs(vector[j]) > fabs(vector[peak]) ? j : peak;
        const double sign = vector[peak] < 0.0 ? -1.0 : 1.0;
        for (int64_t j = 0; j < n; j++)
            columns[j * n + k] = vector[j] * sign;
    }
}

bandfold_status bfl_eigenvectors(bfl_workspace *workspace, const double *matrices, int64_t count, int64_t n,
                                 double *values, double *vectors)
{
    const int64_t size = n + n % 2, area = size * size;
    const bfl_block *mark = bfl_mark(workspace, BFL_SCRATCH);
    double *work, *turned, *spare;
    int32_t *turn, *exponents;
    int64_t *order;
    if (n == 0 || count == 0)
        return BANDFOLD_OK;
    BFL_TAKE(work, workspace, BFL_SCRATCH, bfl_product((uint64_t)count, (uint64_t)area));
    BFL_TAKE(turned, workspace, BFL_SCRATCH, bfl_product((uint64_t)count, (uint64_t)area));
    BFL_TAKE(spare, workspace, BFL_SCRATCH, (uint64_t)(area + size));
    BFL_TAKE(turn, workspace, BFL_SCRATCH, (uint64_t)size);
    BFL_TAKE(exponents, workspace, BFL_SCRATCH, (uint64_t)count);
    BFL_TAKE(order, workspace, BFL_SCRATCH, (uint64_t)size);
    for (int64_t one = 0; one < count; one++)
        exponents[one] = arrange(matrices + one * n * n, n, size, work + one * area, turned + one * area);
    next_round(size / 2, turn);
    bf_jacobi(work, turned, count, size, turn, SWEEPS, TOLERANCE, NEGLIGIBLE, spare);
    for (int64_t one = 0; one < count; one++)
        collect(work + one * area, turned + one * area, n, size, exponents[one], order, values + one * n,
                vectors + one * n * n);
    bfl_release(workspace, BFL_SCRATCH, mark);
    return BANDFOLD_OK;
}
