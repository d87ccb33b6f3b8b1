/* How a band is predicted best: weights of least squares, in which errors of blocks and frequencies weigh the less the
 * larger they are. See onboard/prediction/block_products.py and onboard/prediction/prediction_weights.py.
 *
 * All sums are of integers; the rest is arithmetic of single numbers in the order of the Python code.
 */

#include "lanes.h"
#include "prediction_loop.h"

#include <math.h>
#include <string.h>

enum { PLANES = REFERENCES + 1, PAIRS = PLANES * (PLANES + 1) / 2, GROUPS = 6, PACKS = 256 / LANES,
       BLOCKS_LOOKED_AT = 1 << 7, SUM_BITS = 50, TURNS = 4, WEIGHT_UNIT = 1024, LARGEST_WEIGHT = 1 << 14,
       FURTHER_SHIFT = 2, COARSEST_SHIFT = 8 };

static const double RIDGE = 1e-3, FAR_WEIGHT = 1048576.0, ERROR_BITS = 4.8, CONVEXITY = 0.3,
                    LARGEST_ERROR = 1048576.0, LEAST_WEIGHT = 1.0 / 4096, ERROR_WEIGHT_UNIT = 262144.0,
                    ERROR_UNIT = 65536.0;

static const int32_t FIRST_SEQUENCIES[GROUPS + 1] = {0, 1, 2, 3, 5, 8, 15};

typedef int32_t integers __attribute__((vector_size(32)));

/* Memory of a loop may lie anywhere. */
typedef double stored __attribute__((vector_size(64), aligned(8)));

/* Eight blocks side by side. */
typedef struct block_products {
    stored (*products)[GROUPS][PACKS]; /* [PAIRS]: each plane with those up to it */
    stored (*sums)[PACKS];             /* [PLANES] */
    stored (*errors)[PACKS];           /* [GROUPS] */
    int64_t blocks;
    int32_t count, packs, sizes[GROUPS];
    double scale;
} block_products;

/* Weighted sums of a band and of those that it may be predicted from; the band is behind its references. */
typedef struct band_moments {
    double covariances[PLANES][PLANES];
    double means[PLANES];
    double count;
    int32_t references;
} band_moments;

/* Frequencies in the order of their changes of sign, as the transform below leaves them; how many are in each group. */
static void order_frequencies(int32_t order[BF_CHANNELS], int32_t sizes[GROUPS])
{
    static const int32_t sequencies[8] = {0, 7, 3, 4, 1, 6, 2, 5};
    int32_t placed = 0, group = 0;
    for (int32_t sum = 0; sum < 15; sum++) {
        if (sum == FIRST_SEQUENCIES[group])
            sizes[group++] = 0;
        for (int32_t n = 0; n < BF_CHANNELS; n++)
            if (sequencies[n >> 3] + sequencies[n & 7] == sum) {
                order[placed++] = n;
                sizes[group - 1]++;
            }
    }
}

/* Walsh transform of eight numbers that lie `stride` apart. */
BF_INLINE void transform_line(integers *x, int stride)
{
    integers line[8];
    for (int n = 0; n < 8; n++)
        line[n] = x[n * stride];
    for (int span = 1; span < 8; span *= 2)
        for (int start = 0; start < 8; start += 2 * span)
            for (int n = start; n < start + span; n++) {
                const integers sum = line[n] + line[n + span];
                line[n + span] = line[n] - line[n + span];
                line[n] = sum;
            }
    for (int n = 0; n < 8; n++)
        x[n * stride] = line[n];
}

/* The same of eight blocks, in place. */
BF_INLINE void transform(integers x[BF_CHANNELS])
{
    for (int n = 0; n < 8; n++)
        transform_line(x + 8 * n, 1);
    for (int n = 0; n < 8; n++)
        transform_line(x + n, 8);
}

/* Products of `count` planes and the target, of all blocks that are looked at. */
BF_INLINE void add_products(const bf_prediction_loop *loop, int64_t number, int32_t count, int64_t stride,
                            const block_products *found)
{
    const int64_t width = (int64_t)loop->columns * 8;
    const int32_t *from[PLANES];
    int32_t order[BF_CHANNELS], sizes[GROUPS];
    order_frequencies(order, sizes);
    for (int32_t n = 0; n < count; n++)
        from[n] = loop->planes + loop->references[number * REFERENCES + n] * loop->pixels;
    from[count] = loop->target;
    for (int64_t pack = 0; pack < found->packs; pack++) {
        integers x[PLANES][BF_CHANNELS];
        const int64_t left = found->blocks - pack * LANES;
        int64_t first[LANES];
        for (int32_t t = 0; t < LANES; t++) {
            /* What lies behind the last block has no weight. */
            const int64_t block = (t < left ? pack * LANES + t : 0) * stride;
            first[t] = block / loop->columns * 8 * width + block % loop->columns * 8;
        }
        for (int32_t a = 0; a <= count; a++) {
            /* Lines first, since what is not in the cache is waited for together then. */
            int32_t blocks[LANES][BF_CHANNELS];
            for (int32_t t = 0; t < LANES; t++)
                for (int32_t y = 0; y < 8; y++)
                    memcpy(blocks[t] + 8 * y, from[a] + first[t] + y * width, 8 * sizeof **blocks);
            for (int32_t pixel = 0; pixel < BF_CHANNELS; pixel++) {
                for (int32_t t = 0; t < LANES; t++)
                    x[a][pixel][t] = blocks[t][pixel];
                x[a][pixel] >>= a < count ? SAMPLE_BITS : 0;
            }
        }
        for (int32_t a = 0; a <= count; a++) {
            transform(x[a]);
            found->sums[a][pack] = __builtin_convertvector(x[a][0], lanes);
        }
        const int32_t *frequency = order;
        for (int32_t group = 0; group < GROUPS; group++) {
            lanes sums[PAIRS] = {{0}};
            for (int32_t n = 0; n < sizes[group]; n++, frequency++) {
                lanes y[PLANES];
                for (int32_t a = 0; a <= count; a++)
                    y[a] = __builtin_convertvector(x[a][*frequency], lanes);
                for (int32_t a = 0, pair = 0; a <= count; a++)
                    for (int32_t b = 0; b <= a; b++, pair++)
                        sums[pair] += y[a] * y[b];
            }
            for (int32_t pair = 0; pair < (count + 1) * (count + 2) / 2; pair++)
                found->products[pair][group][pack] = sums[pair];
        }
    }
}

/* The same: with a number that is known, sums stay in registers. */
BF_CLONES
static void take_products(const bf_prediction_loop *loop, int64_t number, int64_t stride, const block_products *found)
{
    switch (found->count) {
    case 0:
        add_products(loop, number, 0, stride, found);
        break;
    case 1:
        add_products(loop, number, 1, stride, found);
        break;
    case 2:
        add_products(loop, number, 2, stride, found);
        break;
    case 3:
        add_products(loop, number, 3, stride, found);
        break;
    default:
        add_products(loop, number, REFERENCES, stride, found);
    }
}

static int exponent_of(double number)
{
    int found;
    frexp(number, &found);
    return found;
}

static block_products products_of(const bf_prediction_loop *loop, int64_t number)
{
    const int64_t all = (int64_t)loop->rows * loop->columns;
    const int64_t stride = (all / BLOCKS_LOOKED_AT < 1 ? 1 : all / BLOCKS_LOOKED_AT) | 1;
    block_products found = {.count = loop->reference_counts[number], .blocks = (all + stride - 1) / stride};
    int32_t order[BF_CHANNELS];
    double largest = 0.0;
    found.packs = (int32_t)((found.blocks + LANES - 1) / LANES);
    found.products = (stored (*)[GROUPS][PACKS])loop->looked_at;
    found.sums = (stored (*)[PACKS])(found.products + PAIRS);
    found.errors = found.sums + PLANES;
    order_frequencies(order, found.sizes);
    take_products(loop, number, stride, &found);
    for (int32_t a = 0, square = 0; a <= found.count; a++, square += a + 1)
        for (int32_t group = 0; group < GROUPS; group++) {
            const double *from = (const double *)found.products[square][group];
            for (int64_t block = 0; block < found.blocks; block++)
                largest = from[block] > largest ? from[block] : largest;
        }
    found.scale = ldexp(1.0, SUM_BITS - exponent_of(largest) - exponent_of((double)(found.blocks * GROUPS)));
    return found;
}

BF_INLINE double sum_of(lanes x)
{
    double sum = 0.0;
    for (int32_t t = 0; t < LANES; t++)
        sum += x[t];
    return sum;
}

/* Weighted sums over all blocks and frequencies; `errors` are weights now. */
BF_CLONES
static band_moments moments_of(const block_products *from)
{
    band_moments found = {.references = from->count};
    double sums[PLANES];
    lanes lowest = {0};
    for (int32_t pack = 0; pack < from->packs; pack++)
        lowest += from->errors[0][pack] * ERROR_WEIGHT_UNIT;
    const double count = sum_of(lowest), unit = from->scale / ERROR_WEIGHT_UNIT;
    for (int32_t a = 0, pair = 0; a <= from->count; a++) {
        lanes sum = {0};
        for (int32_t pack = 0; pack < from->packs; pack++)
            sum += from->sums[a][pack] * (from->errors[0][pack] * ERROR_WEIGHT_UNIT);
        sums[a] = sum_of(sum);
        found.means[a] = sums[a] / (count * BF_CHANNELS);
        for (int32_t b = 0; b <= a; b++, pair++) {
            lanes total = {0};
            for (int32_t group = 0; group < GROUPS; group++)
                for (int32_t pack = 0; pack < from->packs; pack++)
                    total += nearest(from->products[pair][group][pack] * (from->errors[group][pack] * from->scale));
            found.covariances[a][b] = found.covariances[b][a] = sum_of(total) - sums[a] * sums[b] / count * unit;
        }
    }
    found.count = count * unit * (BF_CHANNELS * BF_CHANNELS);
    return found;
}

BF_INLINE lanes clipped(lanes x, double low, double high)
{
    for (int32_t t = 0; t < LANES; t++)
        x[t] = between(x[t], low, high);
    return x;
}

/* What lies behind the last block has no weight. */
static void leave_out(const block_products *products)
{
    for (int32_t group = 0; group < GROUPS; group++)
        for (int64_t block = products->blocks; block < (int64_t)products->packs * LANES; block++)
            ((double *)products->errors[group])[block] = 0.0;
}

/* What errors are worth that a prediction leaves; `factors` are those of the references. */
BF_CLONES
static void weigh_errors(const block_products *products, const double *factors, double constant, double step)
{
    const int32_t count = products->count;
    double usual[GROUPS], signs[PLANES];
    for (int32_t a = 0; a < count; a++)
        signs[a] = -factors[a];
    signs[count] = 1.0;
    for (int32_t group = 0; group < GROUPS; group++) {
        const double unit = 1.0 / (step * step * BF_CHANNELS * products->sizes[group]);
        for (int32_t pack = 0; pack < products->packs; pack++) {
            lanes error = {0};
            if (group == 0) {
                lanes lowest = error - constant * BF_CHANNELS;
                for (int32_t a = 0; a <= count; a++)
                    lowest += signs[a] * products->sums[a][pack];
                error = lowest * lowest;
            } else
                for (int32_t a = 0, pair = 0; a <= count; a++, pair++) {
                    for (int32_t b = 0; b < a; b++, pair++)
                        error += 2.0 * signs[a] * signs[b] * products->products[pair][group][pack];
                    error += signs[a] * signs[a] * products->products[pair][group][pack];
                }
            products->errors[group][pack] = clipped(error * unit, 0.0, LARGEST_ERROR);
        }
    }
    leave_out(products);
    for (int32_t group = 0; group < GROUPS; group++) {
        lanes sum = {0};
        for (int32_t pack = 0; pack < products->packs; pack++)
            sum += nearest(products->errors[group][pack] * ERROR_UNIT);
        const double total = sum_of(sum);
        usual[group] = (total > 1.0 ? total : 1.0) / (ERROR_UNIT * products->blocks);
    }
    for (int32_t pack = 0; pack < products->packs; pack++) {
        lanes block = {0};
        for (int32_t group = 0; group < GROUPS; group++)
            block += products->errors[group][pack] * (products->sizes[group] / (double)BF_CHANNELS / usual[group]);
        for (int32_t group = 0; group < GROUPS; group++) {
            const lanes worth = 1.0 / (1.0 + block * (usual[group] / CONVEXITY));
            products->errors[group][pack] =
                nearest(clipped(worth, LEAST_WEIGHT, 1.0) * ERROR_WEIGHT_UNIT) / ERROR_WEIGHT_UNIT;
        }
    }
    leave_out(products);
}

/* The last of `free` weights by Gaussian elimination, where those behind it, `used` in all, are known. Returns 0 where
 * there is none.
 */
static int solve(const band_moments *moments, int32_t free, int32_t used, const double *weights, double *found)
{
    double rows[REFERENCES][REFERENCES + 1];
    for (int32_t one = 0; one < free; one++) {
        const double *row = moments->covariances[one];
        double right = row[moments->references];
        for (int32_t other = free; other < used; other++)
            right -= weights[other] / WEIGHT_UNIT * row[other];
        for (int32_t other = 0; other < free; other++)
            rows[one][other] = row[other];
        rows[one][free] = right;
        rows[one][one] += RIDGE * moments->count;
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

/* Squared error of a prediction with the best offset, in the unit of the moments. */
static double error_left(const band_moments *moments, int32_t used, const double *weights)
{
    const int32_t count = moments->references;
    double total = moments->covariances[count][count];
    for (int32_t one = 0; one < used; one++) {
        const double *row = moments->covariances[one], weight = weights[one] / WEIGHT_UNIT;
        total -= 2.0 * weight * row[count];
        for (int32_t other = 0; other < used; other++)
            total += weight * (weights[other] / WEIGHT_UNIT) * row[other];
    }
    return total > 0.0 ? total : 0.0;
}

/* What the prediction lacks on average, in half steps. */
static double offset_of(const bf_prediction_loop *loop, int64_t number, const band_moments *moments, int32_t used,
                        const double *weights, double step)
{
    const int32_t *means = loop->reference_means + number * REFERENCES;
    double lacking = moments->means[moments->references] - loop->means[number] / 16.0;
    for (int32_t place = 0; place < used; place++)
        lacking -= weights[place] / WEIGHT_UNIT * (moments->means[place] + 0.5 - means[place] / 16.0);
    return rounded(lacking / (step / 2.0));
}

/* What a prediction adds to its weighted references, in counts. */
static double constant_of(const bf_prediction_loop *loop, int64_t number, double step)
{
    const int32_t *means = loop->reference_means + number * REFERENCES;
    double total = loop->means[number] / 16.0 + loop->found[1] * (step / 2.0);
    for (int32_t place = 0; place < loop->found[0]; place++)
        total += (double)loop->found[2 + place] / WEIGHT_UNIT * (0.5 - means[place] / 16.0);
    return total;
}

/* Choose the weights that cost least: the errors that they leave, as they were weighed, and the bits that tell them. */
static void choose(const bf_prediction_loop *loop, int64_t number, const band_moments *moments, double worth,
                   double step)
{
    double least = 0.0;
    int32_t any = 0;
    for (int32_t used = 0; used <= moments->references; used++) {
        double weights[REFERENCES] = {0};
        if (!round_weights(moments, used, loop->shift, weights))
            continue;
        const double offset = offset_of(loop, number, moments, used, weights, step);
        const double cost = error_left(moments, used, weights) * worth + loop->told * (used + (offset != 0.0));
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

void bf_choose_prediction(const bf_prediction_loop *loop, int64_t number)
{
    const block_products products = products_of(loop, number);
    const double step = loop->step_codes[number] / 256.0;
    const double samples = (double)products.blocks * BF_CHANNELS;
    const double worth = ERROR_BITS / (step * step * BF_CHANNELS * samples * products.scale);
    for (int32_t group = 0; group < GROUPS; group++)
        for (int64_t block = 0; block < (int64_t)products.packs * LANES; block++)
            ((double *)products.errors[group])[block] = block < products.blocks;
    for (int32_t turn = 0; turn < TURNS; turn++) {
        if (turn) {
            double factors[REFERENCES];
            for (int32_t place = 0; place < REFERENCES; place++)
                factors[place] = (double)loop->found[2 + place] / WEIGHT_UNIT;
            weigh_errors(&products, factors, constant_of(loop, number, step), step);
        }
        const band_moments moments = moments_of(&products);
        choose(loop, number, &moments, worth, step);
    }
}
