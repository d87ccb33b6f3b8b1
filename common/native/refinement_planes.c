/* Planes of refinement: predictions, and steps from them. See bitstream/refinement/band_prediction.py, quantisation.py
 * and used_values.py there.
 */

#include "refinement.h"

#include <math.h>

#if defined(__GNUC__) && !defined(__clang__)
/* It would take pixels of several planes in turn, one by one, where overflow is left undefined (without -fwrapv). */
#pragma GCC optimize("no-loop-unroll-and-jam")
#endif

enum { PLANES = 11, WEIGHT_BITS = 18, FARTHEST = (1 << 24) - 1, PART = 1024 };

BF_INLINE int64_t between(int64_t x, int64_t low, int64_t high)
{
    x = x < low ? low : x;
    return x > high ? high : x;
}

/* Eleven weights below 2**22 times planes below 2**24 stay below 2**50: exact in float64. */
static const double ROUNDER = 6755399441055744.0;

/* How the planes are weighted between two limits of samples. Where samples, and the planes with them, are small
 * enough, sums fit into 32 bits once weights lost the powers of two that all of them have.
 */
typedef struct {
    int32_t weights[PLANES];
    int32_t constant, shift;
    int narrow; /* whether that is so */
} scaled_weights;

static scaled_weights scale_weights(const bf_refinement_references *references, int64_t low, int64_t high)
{
    enum { NARROW = 1 << 21 };
    scaled_weights found = {{0}, 0, WEIGHT_BITS, 0};
    uint64_t bits = (uint64_t)references->constant | (uint64_t)1 << WEIGHT_BITS;
    for (int32_t k = 0; k < references->count; k++)
        bits |= (uint64_t)(int64_t)references->weights[k];
    for (; !(bits & 1); bits >>= 1)
        found.shift--;
    const int32_t lost = WEIGHT_BITS - found.shift;
    /* Right shifts of what is negative round down, here as below: there is nothing to round. */
    const int64_t constant = references->constant >> lost;
    int64_t reach = high - low, most = constant < 0 ? -constant : constant;
    reach = reach > high ? reach : high;
    reach = reach > -low ? reach : -low;
    if (reach >= NARROW)
        return found;
    for (int32_t k = 0; k < references->count; k++) {
        found.weights[k] = references->weights[k] >> lost;
        most += reach * (found.weights[k] < 0 ? -(int64_t)found.weights[k] : found.weights[k]);
    }
    found.constant = (int32_t)constant;
    found.narrow = most < (int64_t)1 << 30;
    return found;
}

enum { TOGETHER = 4 };

/* Predictions of some pixels, whose sums stay in the cache while planes are added, four at once. */
BF_INLINE void predict_wide(const bf_refinement_references *references, int64_t first, int64_t part, double low,
                            double high, int32_t *restrict predicted)
{
    double sums[PART];
    const int32_t *restrict base = references->base + first;
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

/* The same in 32 bits. */
BF_INLINE void predict_narrow(const bf_refinement_references *references, const scaled_weights *scaled, int64_t first,
                              int64_t part, int32_t low, int32_t high, int32_t *restrict predicted)
{
    int32_t sums[PART];
    const int32_t *restrict base = references->base + first;
    const int32_t shift = scaled->shift, constant = scaled->constant;
    for (int64_t p = 0; p < part; p++)
        sums[p] = constant;
    for (int32_t k = 0; k < references->count; k += TOGETHER) {
        const int32_t *from[TOGETHER];
        int32_t w[TOGETHER];
        for (int32_t n = 0; n < TOGETHER; n++) {
            const int32_t one = k + n < references->count ? k + n : k;
            from[n] = references->planes + first + references->slots[one] * references->pixels;
            w[n] = k + n < references->count ? scaled->weights[one] : 0;
        }
        const int32_t *restrict a = from[0], *restrict b = from[1], *restrict c = from[2], *restrict d = from[3];
        const int32_t wa = w[0], wb = w[1], wc = w[2], wd = w[3];
        for (int64_t p = 0; p < part; p++)
            sums[p] += wa * a[p] + wb * b[p] + wc * c[p] + wd * d[p];
    }
    for (int64_t p = 0; p < part; p++) {
        int32_t value = (sums[p] >> shift) + base[p];
        value = value < low ? low : value;
        predicted[p] = value > high ? high : value;
    }
}

BF_INLINE void predict_part(const bf_refinement_references *references, const scaled_weights *scaled, int64_t first,
                            int64_t part, const int64_t *ends, int32_t *predicted)
{
    if (scaled->narrow)
        predict_narrow(references, scaled, first, part, (int32_t)ends[0], (int32_t)ends[1], predicted);
    else
        predict_wide(references, first, part, (double)ends[0], (double)ends[1], predicted);
}

/* A band predicted from its base and what the base lacked in others; `limits` are the lowest and the highest sample. */
BF_CLONES
BF_EXPORT void bf_refinement_predict(const bf_refinement_references *references, const int64_t *limits,
                                     int64_t pixels, int32_t *predicted)
{
    const scaled_weights scaled = scale_weights(references, limits[0], limits[1]);
    for (int64_t first = 0; first < pixels; first += PART) {
        const int64_t part = pixels - first < PART ? pixels - first : PART;
        predict_part(references, &scaled, first, part, limits, predicted + first);
    }
}

/* Steps of 2 * limit + 1 counts from predictions to samples, none where samples are absent (null: nowhere).
 * Returns the sum of their magnitudes.
 */
BF_INLINE int64_t quantise(const int32_t *restrict samples, const int32_t *restrict predicted,
                           const uint8_t *restrict absent, int64_t pixels, int64_t limit,
                           int32_t *restrict quantised)
{
    int64_t total = 0;
    if (limit) {
        /* Half a count is far more than what the reciprocal lacks, and less than a step. */
        const double inverse = 1.0 / (double)(2 * limit + 1), more = (double)limit + 0.5;
        for (int64_t p = 0; p < pixels; p++) {
            const double error = (double)samples[p] - (double)predicted[p];
            const int32_t magnitude = (int32_t)((fabs(error) + more) * inverse);
            quantised[p] = error < 0.0 ? -magnitude : magnitude;
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
BF_INLINE void reconstruct(const int32_t *restrict predicted, const int32_t *restrict quantised,
                           const int32_t *restrict base, int64_t pixels, const int64_t *limits,
                           int32_t *restrict refined, int32_t *restrict difference)
{
    const int32_t low = (int32_t)limits[1], high = (int32_t)limits[2];
    const int64_t step = 2 * limits[0] + 1;
    if (limits[0] == 0)
        for (int64_t p = 0; p < pixels; p++) {
            int32_t x = (int32_t)((uint32_t)predicted[p] + (uint32_t)quantised[p]);
            x = x < low ? low : x;
            refined[p] = x > high ? high : x;
        }
    else
        for (int64_t p = 0; p < pixels; p++)
            refined[p] = (int32_t)between(predicted[p] + quantised[p] * step, low, high);
    if ((int64_t)high - low <= FARTHEST)
        for (int64_t p = 0; p < pixels; p++)
            difference[p] = refined[p] - base[p];
    else
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
    const scaled_weights scaled = scale_weights(references, limits[1], limits[2]);
    int32_t predicted[PART];
    int64_t total = 0;
    for (int64_t first = 0; first < pixels; first += PART) {
        const int64_t part = pixels - first < PART ? pixels - first : PART;
        predict_part(references, &scaled, first, part, limits + 1, predicted);
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
    const scaled_weights scaled = scale_weights(references, limits[1], limits[2]);
    int32_t predicted[PART];
    for (int64_t first = 0; first < pixels; first += PART) {
        const int64_t part = pixels - first < PART ? pixels - first : PART;
        predict_part(references, &scaled, first, part, limits + 1, predicted);
        reconstruct(predicted, quantised + first, references->base + first, part, limits, refined + first,
                    difference + first);
    }
}

BF_INLINE int64_t beside_others(const int32_t *samples, int64_t count, int32_t lowest, int32_t every,
                                const uint8_t *flags)
{
    int64_t beside = 0;
    for (int64_t p = 0; p < count; p += every)
        beside += flags[samples[p] - lowest + 1];
    return beside;
}

/* Flag the values that samples have, from the lowest one on, unless a part of the samples tells that more than `most`
 * of every so many-th one have a neighbour above that is used; returns whether they are so many, and -1 where samples
 * have no flag.
 */
BF_CLONES
BF_EXPORT int32_t bf_refinement_used(const int32_t *samples, int64_t count, int32_t lowest, int32_t every, int64_t most,
                                     uint8_t *flags, int64_t size)
{
    enum { SHARE = 8 };
    const int64_t part = count / SHARE;
    int32_t low = lowest, high = lowest;
    for (int64_t p = 0; p < count; p++) {
        low = samples[p] < low ? samples[p] : low;
        high = samples[p] > high ? samples[p] : high;
    }
    /* One more for the neighbour above. */
    if (low < lowest || (int64_t)high - lowest + 1 >= size)
        return -1;
    for (int64_t p = 0; p < part; p++)
        flags[samples[p] - lowest] = 1;
    if (beside_others(samples, count, lowest, every, flags) > most)
        return 1;
    for (int64_t p = part; p < count; p++)
        flags[samples[p] - lowest] = 1;
    return beside_others(samples, count, lowest, every, flags) > most;
}
