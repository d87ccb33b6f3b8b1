/* The encoder of predicted bands: what happens to a band before and behind the network. See
 * onboard/prediction/prediction_loop.py.
 *
 * All but sums of integers is arithmetic of single numbers in the order of the Python code.
 */

#include "lanes.h"
#include "prediction.h"

#include <string.h>

enum { REFERENCES = 4, PIXELS_LOOKED_AT = 1 << 13, WEIGHT_UNIT = 1024, LARGEST_WEIGHT = 1 << 14, FURTHER_SHIFT = 2,
       COARSEST_SHIFT = 8 };

static const double RIDGE = 1e-3, FAR_WEIGHT = 1048576.0;

/* A strip in work: bands are numbered in the order of coding. */
typedef struct {
    const bf_network *network;
    const double *thresholds;        /* [classes][17] */
    const int32_t *points;           /* [classes][3] */
    const int32_t *kernels;          /* [engines][64][24][24] */
    const int32_t *units;            /* [engines][64] */
    const double *told;              /* [6] */
    const int64_t *plane_of;         /* [bands] */
    const int64_t *references;       /* [bands][4] */
    const int32_t *reference_counts; /* [bands] */
    const int32_t *reference_means;  /* [bands][4] */
    const int32_t *means;            /* [bands] */
    const int64_t *step_codes;       /* [bands] */
    const int32_t *engine_of;        /* [bands] */
    int32_t *planes;                 /* [slots][pixels] */
    int32_t *levels;                 /* [64][3][rows][columns]: of the last bands */
    uint8_t *classes;                /* [64][3][rows][columns] */
    uint8_t *memory;                 /* of the quantiser */
    const int32_t *target;           /* [pixels] */
    int32_t *prediction;             /* [pixels] */
    int8_t *inputs;                  /* [rows + 2][columns + 2][64] */
    int32_t *latents;                /* [64][rows][columns] */
    double *sums;                    /* [8 * rows + 16][8 * columns + 16] */
    int64_t *found;                  /* [7]: number of weights, offset, four weights, squared error */
    int64_t pixels;
    int32_t bands, rows, columns, lines, samples, low, high, shift;
    double knee;
} bf_prediction_loop;

/* What is known of a band and of those that it may be predicted from. */
typedef struct band_moments {
    double pixels;
    double means[REFERENCES + 1];                          /* the band is behind its references */
    double covariances[REFERENCES + 1][REFERENCES + 1];    /* sums over the pixels */
    int32_t count;
} band_moments;

/* Products of all pairs of `count` planes and the target and 1, over every `stride`-th pixel: sums of integers, which
 * have no order.
 */
BF_INLINE void add_moments(const bf_prediction_loop *loop, int64_t number, int32_t count, int64_t stride,
                           double products[REFERENCES + 2][REFERENCES + 2])
{
    lanes sums[REFERENCES + 2][REFERENCES + 2] = {{{0}}};
    const int32_t *from[REFERENCES];
    for (int32_t n = 0; n < count; n++)
        from[n] = loop->planes + loop->references[number * REFERENCES + n] * loop->pixels;
    for (int64_t start = 0; start < loop->pixels; start += stride * LANES) {
        lanes x[REFERENCES + 2] = {{0}};
        for (int32_t t = 0; t < LANES && start + t * stride < loop->pixels; t++) {
            const int64_t p = start + t * stride;
            for (int32_t n = 0; n < count; n++)
                x[n][t] = from[n][p] >> SAMPLE_BITS;
            x[count][t] = loop->target[p];
            x[count + 1][t] = 1.0;
        }
        for (int32_t a = 0; a < count + 2; a++)
            for (int32_t b = 0; b <= a; b++)
                sums[a][b] += x[a] * x[b];
    }
    for (int32_t a = 0; a < count + 2; a++)
        for (int32_t b = 0; b <= a; b++) {
            double sum = 0.0;
            for (int32_t t = 0; t < LANES; t++)
                sum += sums[a][b][t];
            products[a][b] = products[b][a] = sum;
        }
}

/* The same: with a number that is known, sums stay in registers. */
BF_CLONES
static void take_moments(const bf_prediction_loop *loop, int64_t number, int64_t stride,
                         double products[REFERENCES + 2][REFERENCES + 2])
{
    switch (loop->reference_counts[number]) {
    case 0:
        add_moments(loop, number, 0, stride, products);
        break;
    case 1:
        add_moments(loop, number, 1, stride, products);
        break;
    case 2:
        add_moments(loop, number, 2, stride, products);
        break;
    case 3:
        add_moments(loop, number, 3, stride, products);
        break;
    default:
        add_moments(loop, number, REFERENCES, stride, products);
    }
}

static band_moments moments_of(const bf_prediction_loop *loop, int64_t number)
{
    double products[REFERENCES + 2][REFERENCES + 2];
    band_moments found = {.count = loop->reference_counts[number]};
    const int32_t count = found.count;
    int64_t stride = loop->pixels / PIXELS_LOOKED_AT;
    stride = (stride < 1 ? 1 : stride) | 1;
    take_moments(loop, number, stride, products);
    found.pixels = products[count + 1][count + 1];
    for (int32_t a = 0; a <= count; a++) {
        found.means[a] = products[a][count + 1] / found.pixels;
        for (int32_t b = 0; b <= count; b++)
            found.covariances[a][b] =
                products[a][b] - products[a][count + 1] * products[b][count + 1] / found.pixels;
    }
    return found;
}

/* The last of `free` weights by Gaussian elimination, where those behind it, `used` in all, are known. Returns 0 where
 * there is none.
 */
static int solve(const band_moments *moments, int32_t free, int32_t used, const double *weights, double *found)
{
    double rows[REFERENCES][REFERENCES + 1];
    for (int32_t one = 0; one < free; one++) {
        const double *row = moments->covariances[one];
        double right = row[moments->count];
        for (int32_t other = free; other < used; other++)
            right -= weights[other] / WEIGHT_UNIT * row[other];
        for (int32_t other = 0; other < free; other++)
            rows[one][other] = row[other];
        rows[one][free] = right;
        rows[one][one] += RIDGE * moments->pixels;
    }
    for (int32_t place = 0; place < free; place++) {
        if (rows[place][place] <= 0.0)
            return 0;
        for (int32_t below = place + 1; below < free; below++) {
            const double factor = rows[below][place] / rows[place][place];
            for (int32_t column = place; column <= free; column++)
                rows[below][column] -= factor * rows[place][column];
        }
    }
    *found = rows[free - 1][free] / rows[free - 1][free - 1];
    return 1;
}

/* Weights of the first `used` references in their units, the last one first. Returns 0 where there are none. */
static int round_weights(const band_moments *moments, int32_t used, int32_t shift, double *weights)
{
    for (int32_t place = used - 1; place >= 0; place--) {
        double found;
        if (!solve(moments, place + 1, used, weights, &found))
            return 0;
        const int32_t further = shift + FURTHER_SHIFT;
        const double unit = 1 << (place == 0 ? shift : further < COARSEST_SHIFT ? further : COARSEST_SHIFT);
        const double scaled = found * WEIGHT_UNIT / unit;
        if (!(scaled > -FAR_WEIGHT && scaled < FAR_WEIGHT))
            return 0;
        weights[place] = rounded(scaled) * unit;
        if (weights[place] > LARGEST_WEIGHT || weights[place] < -LARGEST_WEIGHT)
            return 0;
    }
    return 1;
}

/* Mean squared error of a prediction with the best offset, in counts squared. */
static double error_left(const band_moments *moments, int32_t used, const double *weights)
{
    const int32_t count = moments->count;
    double total = moments->covariances[count][count];
    for (int32_t one = 0; one < used; one++) {
        const double *row = moments->covariances[one], weight = weights[one] / WEIGHT_UNIT;
        total -= 2.0 * weight * row[count];
        for (int32_t other = 0; other < used; other++)
            total += weight * (weights[other] / WEIGHT_UNIT) * row[other];
    }
    total /= moments->pixels;
    return total > 0.0 ? total : 0.0;
}

/* What the prediction lacks on average, in half steps. */
static double offset_of(const bf_prediction_loop *loop, int64_t number, const band_moments *moments, int32_t used,
                        const double *weights, double step)
{
    const int32_t *means = loop->reference_means + number * REFERENCES;
    double lacking = moments->means[moments->count] - loop->means[number] / 16.0;
    for (int32_t place = 0; place < used; place++)
        lacking -= weights[place] / WEIGHT_UNIT * (moments->means[place] + 0.5 - means[place] / 16.0);
    return rounded(lacking / (step / 2.0));
}

/* Choose the weights of a band. */
static void choose_prediction(const bf_prediction_loop *loop, int64_t number)
{
    const band_moments moments = moments_of(loop, number);
    const double step = loop->step_codes[number] / 256.0;
    double least = 0.0;
    int32_t any = 0;
    memset(loop->found, 0, 6 * sizeof *loop->found);
    for (int32_t used = 0; used <= moments.count; used++) {
        double weights[REFERENCES] = {0};
        if (!round_weights(&moments, used, loop->shift, weights))
            continue;
        const double left = error_left(&moments, used, weights);
        const double offset = offset_of(loop, number, &moments, used, weights, step);
        const double cost = (1.0 + left / (loop->knee * step * step)) * loop->told[used + (offset != 0.0)];
        if (any && !(cost < least))
            continue;
        any = 1;
        least = cost;
        loop->found[0] = used;
        loop->found[1] = (int64_t)offset;
        for (int32_t place = 0; place < REFERENCES; place++)
            loop->found[2 + place] = (int64_t)weights[place];
    }
}

/* Before the network: choose the weights of a band, predict it, and give what is left in 8 bits. Returns how many
 * samples were cut.
 */
BF_EXPORT int64_t bf_predict_next(bf_prediction_loop *loop, int64_t number)
{
    choose_prediction(loop, number);
    int32_t weights[REFERENCES];
    for (int32_t place = 0; place < REFERENCES; place++)
        weights[place] = (int32_t)loop->found[2 + place];
    int64_t base = loop->means[number] + ((loop->found[1] * loop->step_codes[number]) >> 5);
    base = base < -FARTHEST ? -FARTHEST : base > FARTHEST ? FARTHEST : base;
    bf_predict(loop->planes, loop->pixels, loop->references + number * REFERENCES, weights,
               loop->reference_means + number * REFERENCES, (int32_t)loop->found[0], (int32_t)base, loop->prediction);
    memset(loop->latents, 0, (size_t)loop->pixels * sizeof *loop->latents);
    return bf_innovations(loop->target, loop->prediction, loop->rows, loop->columns,
                          2048.0 / (16.0 * loop->step_codes[number]), loop->inputs);
}

/* Add the latents that a network gave, [rows + 2][columns + 2][64], to planes [64][rows][columns].
 * Returns how many are at the end of their range.
 */
BF_CLONES
static int64_t add_latents(const int8_t *outputs, int32_t rows, int32_t columns, const int32_t *units,
                           int32_t shift, int32_t *latents)
{
    int64_t cut = 0;
    const int64_t positions = (int64_t)rows * columns;
    for (int32_t r = 0; r < rows; r++)
        for (int32_t c = 0; c < columns; c++) {
            const int8_t *from = outputs + (((int64_t)r + 1) * (columns + 2) + c + 1) * 64;
            int32_t *to = latents + (int64_t)r * columns + c;
            for (int n = 0; n < 64; n++) {
                cut += from[n] == 127 || from[n] == -128;
                /* 2**13 of a latent and its unit, and shifts beyond 17 where networks saturate again and again. */
                const int64_t sum = to[n * positions] + (int64_t)(from[n] * units[n]) * ((int64_t)1 << shift);
                to[n * positions] = (int32_t)(sum < -INT32_MAX ? -INT32_MAX : sum > INT32_MAX ? INT32_MAX : sum);
            }
        }
    return cut;
}


/* Behind the network: add its latents to those that there are, quantise them, reconstruct the band, measure its error.
 * Returns how many of the network's are at the end of their range.
 */
BF_EXPORT int64_t bf_code_next(bf_prediction_loop *loop, int64_t number, const int8_t *outputs, int32_t shift)
{
    const int64_t positions = (int64_t)loop->rows * loop->columns, engine = loop->engine_of[number];
    const int64_t held = number % BF_HELD, at = held * positions;
    int32_t *plane = loop->planes + loop->plane_of[number] * loop->pixels;
    const int64_t cut =
        add_latents(outputs, loop->rows, loop->columns, loop->units + engine * BF_CHANNELS, shift, loop->latents);
    bf_quantise_next(loop->network, loop->latents, held, BF_HELD, loop->rows, loop->columns, 1.0 / 64,
                     loop->thresholds, loop->levels, loop->classes, loop->memory);
    bf_reconstruct(loop->prediction, loop->levels + at, loop->classes + at, BF_HELD * positions, loop->rows,
                   loop->columns, loop->points, loop->kernels + engine * BF_CHANNELS * 576,
                   (double)loop->step_codes[number] * (1.0 / 67108864), loop->sums, plane);
    loop->found[6] = bf_squared_error(plane, loop->target, loop->columns * 8, loop->lines, loop->samples, loop->low,
                                      loop->high);
    return cut;
}
