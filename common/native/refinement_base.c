/* The base of a refinement: bands from components, rounded to counts. See bitstream/refinement/exact_transforms.py.
 *
 * Everything is integers held in float64 whose sums stay below 2**53, or these times a power of two: exact in any
 * order, fused or not.
 */

#include "lanes.h"
#include "refinement.h"

#include <string.h>

#if defined(__clang__)
#pragma clang fp contract(fast)
#elif defined(__GNUC__)
#pragma GCC optimize("fp-contract=fast")
#endif

enum { SAMPLE_UNIT = 16, BLOCK = 8, TILE = 4 * LANES };

/* Added and taken off again it rounds to the nearest, as long as numbers are below 2**51. */
static const double ROUNDER = 6755399441055744.0;
static const double LARGEST = 268435456.0, INVERSE_UNIT = 4194304.0;

/* How bands come from components. */
typedef struct {
    const double *second;  /* [merged][through] */
    const double *first;   /* one [bands of the interval][its components] after the other */
    const int64_t *rows;   /* which components these are: merged ones, then all planes as they are */
    const int64_t *ends;   /* [intervals]: band behind the last one */
    const int64_t *counts; /* [intervals]: components */
    const double *means;   /* [bands] */
    const double *limits;  /* [2] */
    int64_t merged, through, weights, total, intervals, bands;
} bf_refinement_unfolding;

BF_INLINE double cut(double x, double low, double high)
{
    x = x < low ? low : x;
    return x > high ? high : x;
}

/* Some pixels of a band, in multiples of `unit`, and its mean become counts; negative ones modulo 2**16. */
BF_INLINE void round_to_counts(const double *restrict from, double unit, double mean, double low, double high,
                               int64_t count, uint16_t *restrict to)
{
    for (int64_t x = 0; x < count; x++) {
        double value = cut((from[x] * unit + ROUNDER) - ROUNDER, -LARGEST, LARGEST);
        value = (value + mean) * (1.0 / SAMPLE_UNIT);
        double down = (value + ROUNDER) - ROUNDER;
        down -= down > value ? 1.0 : 0.0;
        to[x] = (uint16_t)(int32_t)cut(down, low, high);
    }
}

/* Lines of blocks of some bands, in multiples of `unit`, and their means become counts. */
BF_CLONES
BF_EXPORT void bf_refinement_counts(const double *planes, const double *means, const double *limits, double unit,
                                    int32_t bands, int32_t lines, int32_t across, int32_t samples, uint16_t *counts,
                                    int64_t stride)
{
    for (int32_t band = 0; band < bands; band++)
        for (int32_t line = 0; line < lines; line++)
            round_to_counts(planes + ((int64_t)band * BLOCK + line) * across, unit, means[band], limits[0], limits[1],
                            samples, counts + band * stride + (int64_t)line * samples);
}

/* Four sums of some rows of a tile, each row times its weight; where fewer are wanted the last one is repeated. */
BF_INLINE void weigh_rows(const double *weights, int64_t terms, int64_t wanted, const double *const *rows,
                          int64_t width, double (*sums)[TILE])
{
    const double *w0 = weights, *w1 = w0 + (wanted > 1 ? terms : 0), *w2 = w1 + (wanted > 2 ? terms : 0),
                 *w3 = w2 + (wanted > 3 ? terms : 0);
    for (int64_t t = 0; t < width; t += LANES) {
        lanes found[4] = {{0}};
        for (int64_t n = 0; n < terms; n++) {
            lanes x;
            memcpy(&x, rows[n] + t, sizeof x);
            found[0] += w0[n] * x;
            found[1] += w1[n] * x;
            found[2] += w2[n] * x;
            found[3] += w3[n] * x;
        }
        for (int64_t k = 0; k < 4; k++)
            memcpy(sums[k] + t, &found[k], sizeof found[k]);
    }
}

/* Bands of a row of blocks from its components; `counts` are negative ones modulo 2**16. */
BF_CLONES
BF_EXPORT void bf_refinement_bands(const bf_refinement_unfolding *unfolding, const double *planes, int32_t live,
                                   int32_t lines, int32_t across, int32_t samples, uint16_t *counts, int32_t bands,
                                   int64_t stride, double *scratch, int64_t *places)
{
    const double low = unfolding->limits[0], high = unfolding->limits[1];
    double(*sums)[TILE] = (double(*)[TILE])scratch, (*merged)[TILE] = sums + 4;
    /* Room for addresses, however many components there are. */
    const double **rows = (const double **)(void *)places;
    (void)bands;
    (void)live;
    for (int32_t line = 0; line < lines; line++)
        for (int32_t x = 0; x < samples; x += TILE) {
            const int32_t width = across - x < TILE ? across - x : TILE, own = samples - x < TILE ? samples - x : TILE;
            const double *pixels = planes + (int64_t)line * across + x;
            for (int64_t n = 0; n < unfolding->through; n++)
                rows[n] = pixels + n * BLOCK * across;
            for (int64_t k = 0; k < unfolding->merged; k += 4) {
                const int64_t results = unfolding->merged - k < 4 ? unfolding->merged - k : 4;
                weigh_rows(unfolding->second + k * unfolding->through, unfolding->through, results, rows, width,
                           merged + k);
                for (double *to = merged[k], *end = merged[k + results]; to < end; to++)
                    *to = cut((*to * (1.0 / INVERSE_UNIT) + ROUNDER) - ROUNDER, -LARGEST, LARGEST);
            }
            const double *weights = unfolding->first, *means = unfolding->means;
            const int64_t *numbers = unfolding->rows;
            for (int64_t one = 0, band = 0; one < unfolding->intervals; one++) {
                const int64_t terms = unfolding->counts[one];
                for (int64_t n = 0; n < terms; n++)
                    rows[n] = numbers[n] < unfolding->merged ? merged[numbers[n]]
                                                             : pixels + (numbers[n] - unfolding->merged) * BLOCK * across;
                numbers += terms;
                while (band < unfolding->ends[one]) {
                    const int64_t left = unfolding->ends[one] - band, results = left < 4 ? left : 4;
                    weigh_rows(weights, terms, results, rows, width, sums);
                    for (int64_t k = 0; k < results; k++)
                        round_to_counts(sums[k], 1.0 / INVERSE_UNIT, means[band + k], low, high, own,
                                        counts + (band + k) * stride + (int64_t)line * samples + x);
                    weights += results * terms;
                    band += results;
                }
            }
        }
}
