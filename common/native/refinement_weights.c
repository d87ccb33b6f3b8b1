/* Weights of least squares for refinement: moments, and what follows from them. See
 * bitstream/refinement/least_squares.py.
 */

#include "kernels.h"

#include <math.h>
#include <string.h>

enum { PLANES = 11, MOST = PLANES + 1, WEIGHT_BITS = 18, OFFSET_BITS = 4, FARTHEST = (1 << 24) - 1 };

static const double LARGEST_WEIGHT = 4194304.0, LARGEST_OFFSET = 2147483647.0;
static const double RIDGE = 1e-3, FINENESS = 2.0;

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
static void covariances(bf_refinement_moments *moments, const int32_t *samples, const int32_t *base,
                        const int64_t *slots, int32_t size, double *means, double *rows)
{
    const double count = (double)moments->count;
    const int64_t *found = moments->found;
    for (int64_t p = 0; p < moments->count; p++) {
        const int64_t place = moments->pixels[p];
        moments->target[p] = (int32_t)between((int64_t)samples[place] - base[place], -FARTHEST, FARTHEST);
    }
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
            rows[n * MOST + k] = (double)product / count - means[n] * means[k];
        }
}

/* Binary logarithm by arithmetic alone, which is the same everywhere; see common/exact.py. */
static double logarithm(double x)
{
    int exponent;
    double mantissa = frexp(x, &exponent);
    if (mantissa < 0.70710678118654757) {
        mantissa *= 2.0;
        exponent--;
    }
    const double t = (mantissa - 1.0) / (mantissa + 1.0), t2 = t * t;
    double series = 1.0 / 13.0;
    for (double odd = 11.0; odd > 0.0; odd -= 2.0)
        series = series * t2 + 1.0 / odd;
    return exponent + (2.0 / 0.69314718055994529) * t * series;
}

/* Covariances as a triangle, and how many of its rows pay. */
typedef struct {
    double factors[MOST * MOST], pivots[MOST], shares[MOST];
    double left, cost;
    int32_t count;
} triangle;

/* Cholesky without roots of covariances whose last row is that of what is predicted; `least` references are taken in
 * any case. `known` are worth, in bits, of a reference, and the variance that no prediction can tell.
 */
static void factorise(const double *rows, int32_t size, int32_t least, const double *known, triangle *found)
{
    const double *last = rows + size * MOST;
    double left = last[size] > 0.0 ? last[size] : 0.0;
    found->count = 0;
    found->left = left;
    found->cost = least ? HUGE_VAL : logarithm(left + known[1]);
    for (int32_t one = 0; one < size; one++) {
        const double *row = rows + one * MOST;
        double *factors = found->factors + one * MOST;
        double pivot = row[one] + RIDGE, share = last[one];
        for (int32_t other = 0; other < one; other++) {
            const double *others = found->factors + other * MOST;
            double value = row[other];
            for (int32_t inner = 0; inner < other; inner++)
                value -= factors[inner] * others[inner] * found->pivots[inner];
            const double factor = value / found->pivots[other];
            factors[other] = factor;
            pivot -= factor * factor * found->pivots[other];
            share -= factor * found->shares[other] * found->pivots[other];
        }
        /* One that depends on others is of no use, nor is what comes behind it. */
        if (!(pivot > 0.0))
            return;
        found->pivots[one] = pivot;
        found->shares[one] = share / pivot;
        left -= share * share / pivot;
        const int32_t count = one + 1;
        const double cost = logarithm((left > 0.0 ? left : 0.0) + known[1]) + known[0] * count;
        if (count >= least && cost < found->cost) {
            found->count = count;
            found->cost = cost;
            found->left = left;
        }
    }
}

/* Logarithm of a unit for some weights that is fine enough for so many pixels. */
static int32_t unit_of(const triangle *found, int32_t first, int32_t last, double pixels, double rounding)
{
    double variance = found->pivots[first];
    for (int32_t n = first + 1; n < last; n++)
        variance = found->pivots[n] > variance ? found->pivots[n] : variance;
    int exponent;
    frexp(sqrt(FINENESS * ((found->left > 0.0 ? found->left : 0.0) + rounding) / (variance * pixels)), &exponent);
    return (int32_t)between(exponent - 1 + WEIGHT_BITS, 0, WEIGHT_BITS);
}

/* The nearest integer, of two the even one, of a number below 2**51. */
BF_INLINE double nearest(double x)
{
    static const double ROUNDER = 6755399441055744.0;
    return (x + ROUNDER) - ROUNDER;
}

/* The prediction of a band that costs least. The first `around` of the planes are bases. `known` are worth of a
 * reference, variance of what no prediction can tell, and pixels of the band. `told` gets how many bases and how many
 * others are weighted, the units of both, the offset, and the weights in the order of the planes.
 */
BF_EXPORT void bf_refinement_fit(bf_refinement_moments *moments, const int32_t *samples, const int32_t *base,
                                 int64_t pixels, const int64_t *slots, int32_t size, int32_t around,
                                 const double *known, int64_t *told)
{
    double rows[MOST * MOST], means[MOST], weights[MOST];
    triangle plain, bent;
    (void)pixels;
    covariances(moments, samples, base, slots, size, means, rows);
    factorise(rows + around * (MOST + 1), size - around, 0, known, &plain);
    factorise(rows, size, around, known, &bent);
    const triangle *best = plain.cost <= bent.cost ? &plain : &bent;
    int32_t held = best == &plain ? 0 : around, count = best->count;
    const int32_t base_unit = held ? unit_of(best, 0, held, known[2], known[1]) : 0;
    const int32_t unit = count > held ? unit_of(best, held, count, known[2], known[1]) : 0;
    /* The last one first: those before it make up for what rounding it loses. */
    for (int32_t one = count - 1; one >= 0; one--) {
        double value = best->shares[one];
        for (int32_t inner = one + 1; inner < best->count; inner++)
            value -= best->factors[inner * MOST + one] * ldexp(weights[inner], -WEIGHT_BITS);
        const int32_t own = one < held ? base_unit : unit;
        const double multiple = ldexp(value, WEIGHT_BITS - own);
        /* Far beyond what weights may be; also where it is no number at all. */
        if (!(multiple < 2 * LARGEST_WEIGHT && multiple > -2 * LARGEST_WEIGHT)) {
            count = 0;
            break;
        }
        weights[one] = ldexp(nearest(multiple), own);
    }
    for (int32_t one = 0; one < count; one++)
        if (!(weights[one] < LARGEST_WEIGHT && weights[one] > -LARGEST_WEIGHT))
            count = 0;
    held = count ? held : 0;
    double offset = means[size];
    for (int32_t one = 0; one < count; one++)
        offset -= ldexp(weights[one], -WEIGHT_BITS) * means[held ? one : around + one];
    offset = ldexp(offset, OFFSET_BITS);
    offset = offset < -LARGEST_OFFSET ? -LARGEST_OFFSET : offset > LARGEST_OFFSET ? LARGEST_OFFSET : offset;
    told[0] = held;
    told[1] = count - held;
    told[2] = base_unit;
    told[3] = unit;
    told[4] = (int64_t)nearest(offset);
    for (int32_t one = 0; one < count; one++)
        told[5 + one] = (int64_t)weights[one];
}
