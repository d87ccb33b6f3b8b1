/* Planes of refinement: predictions, steps from them, and moments. See bitstream/refinement/band_prediction.py,
 * quantisation.py and least_squares.py there.
 */

#include "kernels.h"

enum { PLANES = 11, WEIGHT_BITS = 18, FARTHEST = (1 << 24) - 1 };

BF_INLINE int64_t between(int64_t x, int64_t low, int64_t high)
{
    x = x < low ? low : x;
    return x > high ? high : x;
}

/* Eleven weights below 2**22 times planes below 2**24 stay below 2**50: exact in float64. */
static const double ROUNDER = 6755399441055744.0;

/* A band predicted from its base and what the base lacked in others: some pixels at a time, whose sums stay in the
 * cache while planes are added, four at once.
 */
BF_CLONES
BF_EXPORT void bf_refinement_predict(const int32_t *base, const int32_t *planes, int64_t pixels, const int64_t *slots,
                                     const int32_t *weights, int32_t count, int64_t constant, const int64_t *limits,
                                     int32_t *predicted)
{
    enum { PART = 1024, TOGETHER = 4 };
    const double low = (double)limits[0], high = (double)limits[1];
    double sums[PART];
    for (int64_t first = 0; first < pixels; first += PART) {
        const int64_t part = pixels - first < PART ? pixels - first : PART;
        for (int64_t p = 0; p < part; p++)
            sums[p] = (double)constant;
        for (int32_t k = 0; k < count; k += TOGETHER) {
            double w[TOGETHER];
            const int32_t *from[TOGETHER];
            for (int32_t n = 0; n < TOGETHER; n++) {
                from[n] = planes + first + (k + n < count ? slots[k + n] * pixels : 0);
                w[n] = k + n < count ? weights[k + n] : 0.0;
            }
            for (int64_t p = 0; p < part; p++)
                sums[p] += w[0] * from[0][p] + w[1] * from[1][p] + w[2] * from[2][p] + w[3] * from[3][p];
        }
        for (int64_t p = 0; p < part; p++) {
            const double scaled = sums[p] * (1.0 / (1 << WEIGHT_BITS));
            /* Rounds to the nearest in the mode that every process starts in; what is wanted is down. */
            double down = (scaled + ROUNDER) - ROUNDER;
            down -= down > scaled ? 1.0 : 0.0;
            down += base[first + p];
            down = down < low ? low : down;
            predicted[first + p] = (int32_t)(down > high ? high : down);
        }
    }
}

/* Steps of 2 * limit + 1 counts from predictions to samples, none where samples are absent (null: nowhere).
 * Returns the sum of their magnitudes.
 */
BF_CLONES
BF_EXPORT int64_t bf_refinement_quantise(const int32_t *samples, const int32_t *predicted, const uint8_t *absent,
                                         int64_t pixels, int64_t limit, int32_t *quantised)
{
    int64_t total = 0;
    if (limit) {
        /* Half a count is far more than what the reciprocal lacks, and less than a step. */
        const double inverse = 1.0 / (double)(2 * limit + 1), more = (double)limit + 0.5;
        for (int64_t p = 0; p < pixels; p++) {
            const double error = (double)samples[p] - (double)predicted[p];
            const double magnitude = (double)(int32_t)(((error < 0.0 ? -error : error) + more) * inverse);
            quantised[p] = (int32_t)(error < 0.0 ? -magnitude : magnitude);
        }
    } else {
        for (int64_t p = 0; p < pixels; p++)
            quantised[p] = (int32_t)((uint32_t)samples[p] - (uint32_t)predicted[p]);
    }
    if (absent)
        for (int64_t p = 0; p < pixels; p++)
            quantised[p] = absent[p] ? 0 : quantised[p];
    for (int64_t p = 0; p < pixels; p++)
        total += (int64_t)(quantised[p] < 0 ? 0u - (uint32_t)quantised[p] : (uint32_t)quantised[p]);
    return total;
}

/* Samples from predictions and steps, and what they differ from the base by; `limits` are the limit of errors,
 * the lowest and the highest sample.
 */
BF_CLONES
BF_EXPORT void bf_refinement_reconstruct(const int32_t *predicted, const int32_t *quantised, const int32_t *base,
                                         int64_t pixels, const int64_t *limits, int32_t *refined, int32_t *difference)
{
    const int32_t low = (int32_t)limits[1], high = (int32_t)limits[2];
    if (limits[0] == 0)
        for (int64_t p = 0; p < pixels; p++) {
            int32_t x = (int32_t)((uint32_t)predicted[p] + (uint32_t)quantised[p]);
            x = x < low ? low : x;
            x = x > high ? high : x;
            refined[p] = x;
            difference[p] = (int32_t)between((int64_t)x - base[p], -FARTHEST, FARTHEST);
        }
    else
        for (int64_t p = 0; p < pixels; p++) {
            const int64_t x = between(predicted[p] + quantised[p] * (2 * limits[0] + 1), low, high);
            refined[p] = (int32_t)x;
            difference[p] = (int32_t)between(x - base[p], -FARTHEST, FARTHEST);
        }
}

/* Products of some planes with one, its sum and that of its squares. */
BF_CLONES
BF_EXPORT void bf_refinement_moments(const int32_t *planes, const int32_t *target, int64_t count, int64_t *found)
{
    int64_t sum = 0, square = 0;
    for (int64_t p = 0; p < count; p++) {
        sum += target[p];
        square += (int64_t)target[p] * target[p];
    }
    for (int32_t k = 0; k < PLANES; k++) {
        const int32_t *plane = planes + k * count;
        int64_t product = 0;
        for (int64_t p = 0; p < count; p++)
            product += (int64_t)target[p] * plane[p];
        found[k] = product;
    }
    found[PLANES] = sum;
    found[PLANES + 1] = square;
}

/* Cholesky without roots of covariances whose last row is that of what is predicted: factors, and, each in a row of
 * `numbers`, pivots, shares of the references, and the variance that the first 0, 1, ... of them leave. Returns how
 * many there are before one that depends on others.
 */
BF_EXPORT int32_t bf_refinement_triangle(const double *rows, int32_t size, double ridge, double *triangle,
                                         double *numbers)
{
    double *pivots = numbers, *shares = numbers + size, *lefts = numbers + 2 * size;
    const double *last = rows + (int64_t)(size - 1) * size;
    double left = last[size - 1] > 0.0 ? last[size - 1] : 0.0;
    for (int32_t n = 0; n < size; n++)
        lefts[n] = left;
    for (int32_t one = 0; one < size - 1; one++) {
        const double *row = rows + (int64_t)one * size;
        double *factors = triangle + (int64_t)one * size;
        double pivot = row[one] + ridge, share = last[one];
        for (int32_t other = 0; other < one; other++) {
            const double *others = triangle + (int64_t)other * size;
            double value = row[other];
            for (int32_t inner = 0; inner < other; inner++)
                value -= factors[inner] * others[inner] * pivots[inner];
            const double factor = value / pivots[other];
            factors[other] = factor;
            pivot -= factor * factor * pivots[other];
            share -= factor * shares[other] * pivots[other];
        }
        if (!(pivot > 0.0))
            return one;
        pivots[one] = pivot;
        shares[one] = share / pivot;
        left -= share * share / pivot;
        lefts[one + 1] = left;
    }
    return size - 1;
}
