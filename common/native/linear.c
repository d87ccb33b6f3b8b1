/* Linear algebra with the same bits everywhere: every operation and its order as in common/exact.py. */

#include "encoding.h"
#include "exact_sum.h"
#include "lanes.h"
#include "linear.h"

#include <math.h>
#include <string.h>

typedef float singles __attribute__((vector_size(32)));
typedef int32_t integers __attribute__((vector_size(32)));
typedef int64_t signs __attribute__((vector_size(64)));

BF_INLINE lanes chosen(signs which, lanes yes, lanes no)
{
    return (lanes)(((signs)yes & which) | ((signs)no & ~which));
}

/* `factors @ rows`, summed from first to last, for up to four times LANES columns of rows that lie `stride` apart. */
BF_INLINE void columns_product(const double *factors, const double *rows, int64_t count, int64_t stride, int several,
                               double *result)
{
    lanes sums[4] = {{0}};
    for (int64_t x = 0; x < count; x++)
        for (int n = 0; n < several; n++)
            sums[n] += factors[x] * lanes_at(rows + x * stride + n * LANES);
    for (int n = 0; n < several; n++)
        memcpy(result + n * LANES, &sums[n], sizeof sums[n]);
}

/* The same for all `length` columns: what is left at the end overlaps what is done. */
BF_INLINE void row_product(const double *factors, const double *rows, int64_t count, int64_t length, int64_t stride,
                           double *restrict result)
{
    int64_t j = 0;
    for (; j + 4 * LANES <= length; j += 4 * LANES)
        columns_product(factors, rows + j, count, stride, 4, result + j);
    for (; j < length && length >= LANES; j += LANES) {
        const int64_t at = j + LANES <= length ? j : length - LANES;
        columns_product(factors, rows + at, count, stride, 1, result + at);
    }
    for (; j < length; j++) {
        result[j] = 0.0;
        for (int64_t x = 0; x < count; x++)
            result[j] += factors[x] * rows[x * stride + j];
    }
}

/* `a @ b`, summed from first to last: shapes [n][m], [m][k] and [n][k]. */
BF_EXPORT BF_CLONES void bf_product(const double *a, const double *b, int64_t n, int64_t m, int64_t k,
                                    double *restrict result)
{
    for (int64_t i = 0; i < n; i++)
        row_product(a + i * m, b, m, k, k, result + i * k);
}

/* Subtract from a column what lies along the first `known` of `count` orthonormal rows of n numbers, and of their
 * transpose.
 */
BF_CLONES
static void reject(double *restrict column, const double *rows, const double *transposed, int64_t n, int64_t count,
                   int64_t known, double *restrict spare)
{
    double *restrict along = spare, *restrict sum = spare + count;
    row_product(column, transposed, n, known, count, along);
    row_product(along, rows, known, n, n, sum);
    for (int64_t i = 0; i < n; i++)
        column[i] = column[i] - sum[i];
}

/* The unit vector that is farthest from rows that are done, the first of equals. */
static void farthest(const double *rows, int64_t n, int64_t done, double *row)
{
    int64_t best = 0;
    double least = INFINITY;
    for (int64_t i = 0; i < n; i++) {
        double covered = 0.0;
        for (int64_t k = 0; k < done; k++)
            covered += rows[k * n + i] * rows[k * n + i];
        if (covered < least) {
            least = covered;
            best = i;
        }
        row[i] = 0.0;
    }
    row[best] = 1.0;
}

/* Make rows of [count][n] orthonormal from first to last, in place; `spare` has room for all rows and another row and
 * column.
 */
BF_EXPORT void bf_orthonormalise(double *rows, int64_t n, int64_t count, double *spare)
{
    double *transposed = spare + n + count;
    for (int64_t k = 0; k < count; k++) {
        double *row = rows + k * n;
        const double before = sqrt(bf_sum_of_squares(row, n));
        reject(row, rows, transposed, n, count, k, spare);
        reject(row, rows, transposed, n, count, k, spare);
        double norm = sqrt(bf_sum_of_squares(row, n));
        if (norm <= 1e-6 * before || norm == 0.0) {
            farthest(rows, n, k, row);
            reject(row, rows, transposed, n, count, k, spare);
            reject(row, rows, transposed, n, count, k, spare);
            norm = sqrt(bf_sum_of_squares(row, n));
        }
        for (int64_t i = 0; i < n; i++) {
            row[i] = row[i] / norm;
            transposed[i * count + k] = row[i];
        }
    }
}

/* Quantise rows, each zero in the pivots (largest entries) of those before. In `echelon` are multiples of the rows
 * told so far, each 1 in its own pivot and 0 in those of all others. */
BF_EXPORT BF_CLONES void bf_eliminate(const double *vectors, const double *scales, int64_t count, int64_t n,
                                      double largest, int64_t *codes, double *restrict echelon, int64_t *pivots)
{
    for (int64_t k = 0; k < count; k++) {
        const double *vector = vectors + k * n;
        double *restrict left = echelon + k * n;
        memcpy(left, vector, (size_t)n * sizeof *left);
        for (int64_t j = 0; j < k; j++) {
            const double *known = echelon + j * n, share = vector[pivots[j]];
            for (int64_t i = 0; i < n; i++)
                left[i] -= known[i] * share;
        }
        int64_t pivot = 0, farthest = -1;
        double most = 0.0, rest = -1.0;
        for (int64_t i = 0; i < n; i++) {
            double told = rint(left[i] * scales[k]);
            told = told < -largest ? -largest : told > largest ? largest : told;
            codes[k * n + i] = (int64_t)told;
            if (fabs(told) > most) {
                most = fabs(told);
                pivot = i;
            }
        }
        if (most == 0.0) {
            /* A row of nothing would be replaced by another one: its largest entry is told all the same. */
            for (int64_t i = 0; i < n; i++) {
                int64_t closed = 0;
                for (int64_t j = 0; j < k; j++)
                    closed |= pivots[j] == i;
                if (!closed && fabs(left[i]) > rest) {
                    rest = fabs(left[i]);
                    farthest = i;
                }
            }
            pivot = farthest;
            codes[k * n + pivot] = 1;
        }
        const double entry = (double)codes[k * n + pivot];
        for (int64_t i = 0; i < n; i++)
            left[i] = (double)codes[k * n + i] / entry;
        for (int64_t j = 0; j < k; j++) {
            double *restrict known = echelon + j * n;
            const double share = known[pivot];
            for (int64_t i = 0; i < n; i++)
                known[i] -= left[i] * share;
        }
        pivots[k] = pivot;
    }
}

BF_INLINE void turn_rows(double *restrict top, double *restrict bottom, double cosine, double sine, int64_t size)
{
    for (int64_t j = 0; j < size; j++) {
        const double a = top[j], b = bottom[j];
        top[j] = cosine * a - sine * b;
        bottom[j] = sine * a + cosine * b;
    }
}

/* A row of a tournament, rotated and in the order of the next round: all but the first move one place round. */
BF_INLINE void turn_columns(double *restrict row, const double *restrict cosine, const double *restrict sine,
                            int64_t half, double *restrict top, double *restrict bottom)
{
    for (int64_t j = 0; j < half; j++) {
        const double a = row[j], b = row[half + j];
        top[j] = cosine[j] * a - sine[j] * b;
        bottom[j] = sine[j] * a + cosine[j] * b;
    }
    row[0] = top[0];
    row[1] = bottom[0];
    for (int64_t j = 1; j + 1 < half; j++)
        row[j + 1] = top[j];
    for (int64_t j = 1; j < half; j++)
        row[half + j - 1] = bottom[j];
    if (half > 1)
        row[2 * half - 1] = top[half - 1];
}

/* One round of a Jacobi sweep over one matrix: rotate all pairs, transpose, and take the next order.
 *
 * Nothing is transposed: with `flipped`, `work` is the transpose already, and columns are rotated before rows. Rows stay
 * where they are, too: `places` tells where each is, and is back at the beginning after a sweep. `next` has room for as
 * many.
 */
BF_INLINE void rotate_pairs(double *restrict work, double *restrict vectors, int64_t half, int flipped,
                            const int32_t *turn, double negligible, int32_t *restrict places, int32_t *restrict next,
                            double *restrict spare)
{
    const int64_t size = 2 * half;
    double *restrict cosine = spare, *restrict sine = cosine + half, *restrict top = sine + half,
                     *restrict bottom = top + half;
    for (int64_t i = 0; i < half; i++) {
        const double *first = work + places[i] * size, *second = work + places[i + half] * size;
        const double app = first[i], aqq = second[i + half], apq = flipped ? second[i] : first[i + half];
        const int live = fabs(apq) > negligible;
        const double tau = (aqq - app) / (live ? 2.0 * apq : 1.0);
        const double tangent = live ? copysign(1.0, tau) / (fabs(tau) + sqrt(1.0 + tau * tau)) : 0.0;
        cosine[i] = 1.0 / sqrt(1.0 + tangent * tangent);
        sine[i] = tangent * cosine[i];
    }
    for (int64_t i = 0; flipped && i < size; i++)
        turn_columns(work + i * size, cosine, sine, half, top, bottom);
    for (int64_t i = 0; i < half; i++) {
        const int64_t first = places[i] * size, second = places[i + half] * size;
        turn_rows(work + first, work + second, cosine[i], sine[i], size);
        turn_rows(vectors + first, vectors + second, cosine[i], sine[i], size);
    }
    for (int64_t i = 0; !flipped && i < size; i++)
        turn_columns(work + i * size, cosine, sine, half, top, bottom);
    /* The column that comes to place `j` was column `turn[j]`, and met the one half of all columns away. */
    for (int64_t j = 0; j < size; j++) {
        next[j] = places[turn[j]];
        work[places[turn[j] < half ? turn[j] + half : turn[j] - half] * size + j] = 0.0;
    }
    memcpy(places, next, sizeof *places * size);
}

BF_INLINE void transpose(double *matrix, int64_t size)
{
    for (int64_t i = 0; i < size; i++)
        for (int64_t j = 0; j < i; j++) {
            const double kept = matrix[i * size + j];
            matrix[i * size + j] = matrix[j * size + i];
            matrix[j * size + i] = kept;
        }
}

/* Sweeps until no matrix has a large entry beside its diagonal: matrices and vectors are of shape
 * [count][size][size], `turn` is `_next_round` of common/exact.py, `spare` has room for a matrix and a row.
 */
BF_EXPORT BF_CLONES void bf_jacobi(double *work, double *vectors, int64_t count, int64_t size,
                                   const int32_t *turn, int32_t sweeps, double tolerance, double negligible,
                                   double *spare)
{
    const int64_t half = size / 2, area = size * size, rounds = size > 2 ? size - 1 : 1;
    int32_t *places = (int32_t *)(spare + 2 * size), *next = places + size;
    int flipped = 0;
    while (sweeps--) {
        double largest = 0.0;
        for (int64_t one = 0; one < count; one++)
            for (int64_t i = 0; i < size; i++)
                for (int64_t j = 0; j < size; j++) {
                    const double entry = i == j ? 0.0 : fabs(work[one * area + i * size + j]);
                    largest = entry > largest ? entry : largest;
                }
        if (largest <= tolerance)
            break;
        for (int64_t one = 0; one < count; one++) {
            for (int64_t i = 0; i < size; i++)
                places[i] = (int32_t)i;
            for (int64_t round = 0; round < rounds; round++)
                rotate_pairs(work + one * area, vectors + one * area, half, (flipped + round) % 2, turn, negligible,
                             places, next, spare);
        }
        flipped = (flipped + rounds) % 2;
    }
    for (int64_t one = 0; flipped && one < count; one++)
        transpose(work + one * area, size);
}

/* What coding the latents of each component saves, in 1 / 256 of a squared step: `latent_gain` of
 * onboard/rate_model.py. Latents are of shape [components][count].
 *
 * Sums of whole numbers below 2**53: eight of them side by side are the same as one.
 */
BF_EXPORT BF_CLONES void bf_gain(const int32_t *latents, int64_t components, int64_t count, double scale,
                                 double smallest, double largest, double weight, double bits, double octave_bits,
                                 double *gains)
{
    /* By signs, since compilers compare such vectors one number after the other. */
    for (int64_t one = 0; one < components; one++, latents += count) {
        lanes sums = {0};
        for (int64_t start = 0; start < count; start += LANES) {
            const int live = count - start < LANES ? (int)(count - start) : LANES;
            integers whole = {0};
            memcpy(&whole, latents + start, live == LANES ? sizeof whole : sizeof *latents * live);
            lanes u = __builtin_convertvector(whole, lanes);
            u = (lanes)((signs)u & INT64_MAX) * scale;
            u = chosen((signs)(u - largest) >> 63, u, largest - (lanes){0});
            const integers pattern = (integers)__builtin_convertvector(u, singles);
            const lanes octaves = __builtin_convertvector(pattern, lanes) * (1.0 / (1 << 23)) - 127.0;
            const lanes gain = u * u - 1.0 / 12 - weight * (bits + octave_bits * octaves);
            const signs gains_some = (signs)(smallest - u) >> 63 & (signs)(0.0 - gain) >> 63;
            sums += (lanes)((signs)nearest(gain * 256.0) & gains_some);
        }
        double total = 0.0;
        for (int lane = 0; lane < LANES; lane++)
            total += sums[lane];
        gains[one] = total;
    }
}

/* Pivots, at least 1, of the elimination of a matrix of [n][n], which is used up. */
BF_EXPORT BF_CLONES void bf_pivots(double *restrict matrix, int64_t n, double *restrict pivots,
                                   double *restrict scaled)
{
    for (int64_t place = 0; place < n; place++) {
        const double *row = matrix + place * n;
        const double pivot = row[place] > 1.0 ? row[place] : 1.0;
        pivots[place] = pivot;
        for (int64_t j = place + 1; j < n; j++)
            scaled[j] = row[j] / pivot;
        for (int64_t i = place + 1; i < n; i++) {
            double *restrict other = matrix + i * n;
            const double factor = other[place];
            for (int64_t j = place + 1; j < n; j++)
                other[j] -= factor * scaled[j];
        }
    }
}
