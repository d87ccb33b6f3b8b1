/* Planes of refinement: predictions, steps from them, and moments. See bitstream/refinement/band_prediction.py,
 * quantisation.py, least_squares.py and used_values.py there.
 */

#include "kernels.h"

#include <string.h>

enum { PLANES = 11, WEIGHT_BITS = 18, FARTHEST = (1 << 24) - 1, PART = 1024 };

/* What a band is predicted from. */
typedef struct {
    int32_t *base;          /* [pixels]: of the band */
    int32_t *planes;        /* [11][pixels] */
    int64_t *slots;         /* [11]: planes that are weighted */
    int32_t *weights;       /* [11] */
    int64_t pixels, constant;
    int32_t count;          /* weights */
} bf_refinement_references;

/* Moments of the planes, over some pixels. */
typedef struct {
    const int64_t *pixels;  /* [count] */
    int32_t *looked_at;     /* [11][count] */
    int32_t *target;        /* [count]: what the base lacks in the band */
    int64_t *products;      /* [11][11] */
    int64_t *sums;          /* [11] */
    int64_t *found;         /* [13]: products of the target with all planes, its sum, and that of its squares */
    int64_t count;
    int32_t known;          /* whether `found` is of these planes */
} bf_refinement_moments;

BF_INLINE int64_t between(int64_t x, int64_t low, int64_t high)
{
    x = x < low ? low : x;
    return x > high ? high : x;
}

/* Eleven weights below 2**22 times planes below 2**24 stay below 2**50: exact in float64. */
static const double ROUNDER = 6755399441055744.0;

/* Predictions of some pixels, whose sums stay in the cache while planes are added, four at once. */
BF_INLINE void predict_part(const bf_refinement_references *references, int64_t first, int64_t part, double low,
                            double high, int32_t *predicted)
{
    enum { TOGETHER = 4 };
    double sums[PART];
    const int32_t *base = references->base + first;
    for (int64_t p = 0; p < part; p++)
        sums[p] = (double)references->constant;
    for (int32_t k = 0; k < references->count; k += TOGETHER) {
        double w[TOGETHER];
        const int32_t *from[TOGETHER];
        for (int32_t n = 0; n < TOGETHER; n++) {
            const int32_t one = k + n < references->count ? k + n : k;
            from[n] = references->planes + first + references->slots[one] * references->pixels;
            w[n] = k + n < references->count ? references->weights[one] : 0.0;
        }
        for (int64_t p = 0; p < part; p++)
            sums[p] += w[0] * from[0][p] + w[1] * from[1][p] + w[2] * from[2][p] + w[3] * from[3][p];
    }
    for (int64_t p = 0; p < part; p++) {
        const double scaled = sums[p] * (1.0 / (1 << WEIGHT_BITS));
        /* Rounds to the nearest in the mode that every process starts in; what is wanted is down. */
        double down = (scaled + ROUNDER) - ROUNDER;
        down -= down > scaled ? 1.0 : 0.0;
        down += base[p];
        down = down < low ? low : down;
        predicted[p] = (int32_t)(down > high ? high : down);
    }
}

/* A band predicted from its base and what the base lacked in others; `limits` are the lowest and the highest sample. */
BF_CLONES
BF_EXPORT void bf_refinement_predict(const bf_refinement_references *references, const int64_t *limits,
                                     int64_t pixels, int32_t *predicted)
{
    for (int64_t first = 0; first < pixels; first += PART) {
        const int64_t part = pixels - first < PART ? pixels - first : PART;
        predict_part(references, first, part, (double)limits[0], (double)limits[1], predicted + first);
    }
}

/* Steps of 2 * limit + 1 counts from predictions to samples, none where samples are absent (null: nowhere).
 * Returns the sum of their magnitudes.
 */
BF_INLINE int64_t quantise(const int32_t *samples, const int32_t *predicted, const uint8_t *absent, int64_t pixels,
                           int64_t limit, int32_t *quantised)
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
BF_INLINE void reconstruct(const int32_t *predicted, const int32_t *quantised, const int32_t *base, int64_t pixels,
                           const int64_t *limits, int32_t *refined, int32_t *difference)
{
    const int32_t low = (int32_t)limits[1], high = (int32_t)limits[2];
    if (limits[0] == 0)
        for (int64_t p = 0; p < pixels; p++) {
            int32_t x = (int32_t)((uint32_t)predicted[p] + (uint32_t)quantised[p]);
            x = x < low ? low : x;
            refined[p] = x > high ? high : x;
        }
    else
        for (int64_t p = 0; p < pixels; p++)
            refined[p] = (int32_t)between(predicted[p] + quantised[p] * (2 * limits[0] + 1), low, high);
    for (int64_t p = 0; p < pixels; p++)
        difference[p] = (int32_t)between((int64_t)refined[p] - base[p], -FARTHEST, FARTHEST);
}

BF_CLONES
BF_EXPORT int64_t bf_refinement_quantise(const int32_t *samples, const int32_t *predicted, const uint8_t *absent,
                                         int64_t pixels, int64_t limit, int32_t *quantised)
{
    return quantise(samples, predicted, absent, pixels, limit, quantised);
}

/* A band predicted, its steps, what a decoder makes of them, and what that differs from the base by: some pixels at
 * a time, since `difference` may be a plane that the band is predicted from. Returns the sum of magnitudes of steps.
 */
BF_CLONES
BF_EXPORT int64_t bf_refinement_code(const bf_refinement_references *references, const int32_t *samples,
                                     const uint8_t *absent, int64_t pixels, const int64_t *limits, int32_t *quantised,
                                     int32_t *refined, int32_t *difference)
{
    int32_t predicted[PART];
    int64_t total = 0;
    for (int64_t first = 0; first < pixels; first += PART) {
        const int64_t part = pixels - first < PART ? pixels - first : PART;
        predict_part(references, first, part, (double)limits[1], (double)limits[2], predicted);
        total += quantise(samples + first, predicted, absent ? absent + first : NULL, part, limits[0],
                          quantised + first);
        reconstruct(predicted, quantised + first, references->base + first, part, limits, refined + first,
                    difference + first);
    }
    return total;
}

/* A band from its steps. */
BF_CLONES
BF_EXPORT void bf_refinement_decode(const bf_refinement_references *references, const int32_t *quantised,
                                    int64_t pixels, const int64_t *limits, int32_t *refined, int32_t *difference)
{
    int32_t predicted[PART];
    for (int64_t first = 0; first < pixels; first += PART) {
        const int64_t part = pixels - first < PART ? pixels - first : PART;
        predict_part(references, first, part, (double)limits[1], (double)limits[2], predicted);
        reconstruct(predicted, quantised + first, references->base + first, part, limits, refined + first,
                    difference + first);
    }
}

/* Products of all planes with one, its sum and that of its squares. */
BF_CLONES
static void moments_of(const int32_t *planes, const int32_t *target, int64_t count, int64_t *found)
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

/* Take in a plane that changed. */
BF_EXPORT void bf_refinement_learn(bf_refinement_moments *moments, const int32_t *plane, int64_t size, int32_t slot)
{
    (void)size;
    int32_t *held = moments->looked_at + slot * moments->count;
    for (int64_t p = 0; p < moments->count; p++)
        held[p] = plane[moments->pixels[p]];
    /* What was just predicted, every bit of it: its products with all other planes are known. */
    if (moments->known && memcmp(held, moments->target, (size_t)moments->count * sizeof *held) == 0)
        moments->found[slot] = moments->found[PLANES + 1];
    else
        moments_of(moments->looked_at, held, moments->count, moments->found);
    moments->known = 0;
    for (int32_t k = 0; k < PLANES; k++)
        moments->products[slot * PLANES + k] = moments->products[k * PLANES + slot] = moments->found[k];
    moments->sums[slot] = moments->found[PLANES];
}

/* Means and covariances of some planes and, last, of what the base lacks in a band. */
BF_EXPORT void bf_refinement_covariances(bf_refinement_moments *moments, const int32_t *samples, const int32_t *base,
                                         int64_t pixels, const int64_t *slots, int32_t size, double *rows,
                                         double *means)
{
    (void)pixels;
    const double count = (double)moments->count;
    for (int64_t p = 0; p < moments->count; p++) {
        const int64_t place = moments->pixels[p];
        moments->target[p] = (int32_t)between((int64_t)samples[place] - base[place], -FARTHEST, FARTHEST);
    }
    const int64_t *found = moments->found;
    moments_of(moments->looked_at, moments->target, moments->count, moments->found);
    moments->known = 1;
    for (int32_t n = 0; n < size; n++)
        means[n] = (double)moments->sums[slots[n]] / count;
    means[size] = (double)found[PLANES] / count;
    for (int32_t n = 0; n <= size; n++)
        for (int32_t k = 0; k <= size; k++) {
            const int64_t product = n == size && k == size ? found[PLANES + 1]
                                    : n == size            ? found[slots[k]]
                                    : k == size            ? found[slots[n]]
                                                           : moments->products[slots[n] * PLANES + slots[k]];
            rows[n * (size + 1) + k] = (double)product / count - means[n] * means[k];
        }
}

/* Flags of the values that samples have, from the lowest one on; returns how many of every so many-th sample have
 * one that is used above theirs. The flags were cleared, and are one more than the values between the ends.
 */
BF_EXPORT int64_t bf_refinement_used(const int32_t *samples, int64_t count, int32_t lowest, int32_t every, uint8_t *flags)
{
    int64_t beside = 0;
    for (int64_t p = 0; p < count; p++)
        flags[samples[p] - lowest] = 1;
    for (int64_t p = 0; p < count; p += every)
        beside += flags[samples[p] - lowest + 1];
    return beside;
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
