/* Planes of refinement: predictions, and steps from them. See bitstream/refinement/band_prediction.py, quantisation.py
 * and used_values.py there.
 */

#include "kernels.h"

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
