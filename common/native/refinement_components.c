/* The base of a refinement: components of a row of blocks from their levels. See
 * bitstream/refinement/exact_transforms.py.
 *
 * Everything is integers held in float64 whose sums stay below 2**53: exact in any order, fused or not.
 */

#include "lanes.h"

#include <math.h>
#include <string.h>

#if defined(__clang__)
#pragma clang fp contract(fast)
#elif defined(__GNUC__)
#pragma GCC optimize("fp-contract=fast")
#endif

enum { BLOCK = 8, TILE = 8 };

static const double INVERSE_UNIT = 4194304.0, LARGEST = 268435456.0, POINT_UNIT = 256.0, SAMPLE_UNIT = 16.0;

/* What leads from levels to components. */
typedef struct {
    const double *points;   /* [kinds][deepest]: how far reconstruction points lie below magnitudes 1, 2, 3... */
    const double *inverses; /* [matrices][size][size]: of rotations, transposed */
    const double *cosines;  /* [64 channels][64 pixels] */
    double step;            /* in 1 / 256 of a count */
    int64_t kinds, deepest, matrices, size;
} bf_refinement_transform;

/* Some blocks of a component, and which of their channels are not 0. */
typedef struct {
    double *latents; /* [TILE][64] */
    uint64_t used[TILE];
} tile;

BF_INLINE int lowest_bit(uint64_t bits)
{
#if defined(__GNUC__)
    return __builtin_ctzll(bits);
#else
    int bit = 0;
    while (!(bits >> bit & 1))
        bit++;
    return bit;
#endif
}

/* Nearest whole number, of two the even one; below 2**51. */
BF_INLINE double whole(double x)
{
    const double magic = 6755399441055744.0; /* 1.5 * 2**52 */
    return (x + magic) - magic;
}

BF_INLINE double cut(double x)
{
    x = x < -LARGEST ? -LARGEST : x;
    return x > LARGEST ? LARGEST : x;
}

/* A latent at its reconstruction point. */
BF_INLINE double latent_of(const bf_refinement_transform *transform, int32_t level, uint8_t kind)
{
    const int64_t magnitude = level < 0 ? -(int64_t)level : level;
    const int64_t place = magnitude < transform->deepest ? magnitude - 1 : transform->deepest - 1;
    double value = ((double)magnitude * POINT_UNIT - transform->points[kind * transform->deepest + place]) *
                   transform->step * (SAMPLE_UNIT / (256.0 * POINT_UNIT));
    /* Far beyond what is cut off it need not be whole. */
    value = whole(value);
    value = value < LARGEST ? value : LARGEST;
    return copysign(value, level);
}

/* Levels of `count` blocks become latents. */
BF_INLINE void read_tile(const bf_refinement_transform *transform, const int32_t *levels, const uint8_t *classes,
                         int64_t channel, int count, tile *to)
{
    memset(to->used, 0, sizeof to->used);
    for (int c = 0; c < BF_CHANNELS; c++) {
        const int32_t *from = levels + c * channel;
        int32_t any = 0;
        for (int t = 0; t < count; t++)
            any |= from[t];
        if (!any)
            continue;
        for (int t = 0; t < count; t++)
            if (from[t]) {
                to->latents[t * BF_CHANNELS + c] = latent_of(transform, from[t], classes[c * channel + t]);
                to->used[t] |= (uint64_t)1 << c;
            }
    }
}

/* Undo the rotation of a block: the latents of its strongest components, which come in `tiles`. */
BF_INLINE void rotate_back(const double *restrict inverse, int64_t size, tile *tiles, int t)
{
    uint64_t used = 0;
    for (int64_t k = 0; k < size; k++)
        used |= tiles[k].used[t];
    for (uint64_t left = used; left; left &= left - 1) {
        const int c = lowest_bit(left);
        double sums[BF_CHANNELS] = {0};
        for (int64_t n = 0; n < size; n++) {
            if (!(tiles[n].used[t] >> c & 1))
                continue;
            const double x = tiles[n].latents[t * BF_CHANNELS + c], *row = inverse + n * size;
            for (int64_t k = 0; k < size; k++)
                sums[k] += row[k] * x;
        }
        for (int64_t k = 0; k < size; k++)
            tiles[k].latents[t * BF_CHANNELS + c] = cut(whole(sums[k] * (1.0 / INVERSE_UNIT)));
    }
    for (int64_t k = 0; k < size; k++)
        tiles[k].used[t] = used;
}

/* Inverse cosine transform of `count` blocks of a component, into lines of pixels. */
BF_INLINE void write_tile(const bf_refinement_transform *transform, const tile *from, int count, int64_t across,
                          double *pixels)
{
    for (int t = 0; t < count; t++) {
        lanes sums[BLOCK] = {{0}};
        for (uint64_t left = from->used[t]; left; left &= left - 1) {
            const int c = lowest_bit(left);
            const double x = from->latents[t * BF_CHANNELS + c], *row = transform->cosines + c * BF_CHANNELS;
            for (int line = 0; line < BLOCK; line++) {
                lanes w;
                memcpy(&w, row + line * BLOCK, sizeof w);
                sums[line] += w * x;
            }
        }
        for (int line = 0; line < BLOCK; line++) {
            const lanes value = nearest(sums[line] * (1.0 / INVERSE_UNIT));
            double *to = pixels + line * across + t * BLOCK;
            for (int x = 0; x < BLOCK; x++)
                to[x] = cut(value[x]);
        }
    }
}

/* Components of a row of blocks, those whose numbers are given in rising order. A block whose `chosen` is the number
 * of no matrix was not rotated, and without `chosen` (null) none was.
 */
BF_CLONES
BF_EXPORT void bf_refinement_components(const bf_refinement_transform *transform, const int32_t *levels,
                                        const uint8_t *classes, int32_t components, int64_t columns, int64_t channel,
                                        int64_t component, const uint8_t *chosen, const int64_t *numbers,
                                        int64_t count, double *planes, double *scratch)
{
    const int64_t size = chosen && transform->matrices ? transform->size : 0, across = columns * BLOCK;
    tile tiles[BF_CHANNELS + 1];
    (void)components;
    for (int64_t k = 0; k <= size; k++)
        tiles[k].latents = scratch + k * TILE * BF_CHANNELS;
    for (int64_t start = 0; start < columns; start += TILE) {
        const int width = columns - start < TILE ? (int)(columns - start) : TILE;
        for (int64_t k = 0; k < size; k++)
            read_tile(transform, levels + k * component + start, classes + k * component + start, channel, width,
                      tiles + k);
        for (int t = 0; size && t < width; t++)
            if (chosen[start + t] < transform->matrices)
                rotate_back(transform->inverses + chosen[start + t] * size * size, size, tiles, t);
        for (int64_t n = 0; n < count; n++) {
            const int64_t k = numbers[n];
            tile *own = tiles + (k < size ? k : size);
            if (k >= size)
                read_tile(transform, levels + k * component + start, classes + k * component + start, channel, width,
                          own);
            write_tile(transform, own, width, across, planes + n * BLOCK * across + start * BLOCK);
        }
    }
}
