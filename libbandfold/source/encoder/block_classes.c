/* Seeds are blocks spread evenly over an order by their first component's share, and all features are integers: nothing
 * depends on the order of a sum, or on chance.
 */

#include "rotation_search.h"

#include "encoding.h"

#include <math.h>
#include <string.h>

enum { SEED_ROUNDS = 8 };

static const double FEATURE_UNIT = 4096.0;

/* Products of all pairs of components of a block, normalised: [blocks][pairs]. */
static bandfold_status find_features(bfl_workspace *workspace, const double *latents, int64_t size, int64_t blocks,
                                     int64_t pairs, double *features)
{
    const bfl_block *mark = bfl_mark(workspace, BFL_SCRATCH);
    double *scaled;
    BFL_TAKE(scaled, workspace, BFL_SCRATCH, (uint64_t)(size * BF_CHANNELS));
    for (int64_t b = 0; b < blocks; b++) {
        double energy = 0.0;
        for (int64_t i = 0; i < size; i++) {
            double sum = 0.0;
            for (int64_t c = 0; c < BF_CHANNELS; c++) {
                const double latent = latents[(i * BF_CHANNELS + c) * blocks + b];
                sum += latent * latent;
            }
            energy += sum;
        }
        const double norm = sqrt(energy > 1.0 ? energy : 1.0);
        for (int64_t n = 0; n < size * BF_CHANNELS; n++)
            scaled[n] = rint(latents[n * blocks + b] / norm * FEATURE_UNIT);
        double *to = features + b * pairs;
        for (int64_t first = 0; first < size; first++)
            for (int64_t other = first; other < size; other++) {
                double sum = 0.0;
                for (int64_t c = 0; c < BF_CHANNELS; c++)
                    sum += scaled[first * BF_CHANNELS + c] * scaled[other * BF_CHANNELS + c];
                *to++ = rint(sum * (64.0 / (FEATURE_UNIT * FEATURE_UNIT)));
            }
    }
    bfl_release(workspace, BFL_SCRATCH, mark);
    return BANDFOLD_OK;
}

/* Whether a block comes before another: by its first feature, then by its second one. */
static int comes_before(const double *one, const double *other)
{
    return one[0] != other[0] ? one[0] < other[0] : one[1] < other[1];
}

/* Blocks in order; equal ones as they were. There are a few hundred. */
static void sort_blocks(const double *features, int64_t blocks, int64_t pairs, int64_t *order)
{
    for (int64_t b = 0; b < blocks; b++) {
        int64_t place = b;
        for (; place > 0 && comes_before(features + b * pairs, features + order[place - 1] * pairs); place--)
            order[place] = order[place - 1];
        order[place] = b;
    }
}

/* The nearest centre of each block, the first of equals; all numbers are whole and below 2**53. */
static void find_nearest(const double *features, int64_t blocks, int64_t pairs, const double *centres, int64_t classes,
                         uint8_t *chosen)
{
    for (int64_t b = 0; b < blocks; b++) {
        double least = INFINITY;
        for (int64_t k = 0; k < classes; k++) {
            double square = 0.0, product = 0.0;
            for (int64_t n = 0; n < pairs; n++) {
                square += centres[k * pairs + n] * centres[k * pairs + n];
                product += features[b * pairs + n] * centres[k * pairs + n];
            }
            const double distance = square - 2.0 * product;
            if (distance < least) {
                least = distance;
                chosen[b] = (uint8_t)k;
            }
        }
    }
}

static void move_centres(const double *features, int64_t blocks, int64_t pairs, const uint8_t *chosen, int64_t classes,
                         double *centres)
{
    for (int64_t k = 0; k < classes; k++) {
        int64_t members = 0;
        for (int64_t b = 0; b < blocks; b++)
            members += chosen[b] == k;
        for (int64_t n = 0; members && n < pairs; n++) {
            double sum = 0.0;
            for (int64_t b = 0; b < blocks; b++)
                sum += chosen[b] == k ? features[b * pairs + n] : 0.0;
            centres[k * pairs + n] = rint(sum / (double)members);
        }
    }
}

bandfold_status bfl_first_classes(bfl_workspace *workspace, const double *latents, int64_t size, int64_t blocks,
                                  int64_t classes, uint8_t *chosen)
{
    const bfl_block *mark = bfl_mark(workspace, BFL_SCRATCH);
    const int64_t pairs = size * (size + 1) / 2;
    double *features, *centres;
    int64_t *order;
    BFL_TAKE(features, workspace, BFL_SCRATCH, (uint64_t)(blocks * pairs));
    BFL_TAKE(centres, workspace, BFL_SCRATCH, (uint64_t)(classes * pairs));
    BFL_TAKE(order, workspace, BFL_SCRATCH, (uint64_t)blocks);
    BFL_TRY(find_features(workspace, latents, size, blocks, pairs, features));
    sort_blocks(features, blocks, pairs, order);
    for (int64_t k = 0; k < classes; k++)
        memcpy(centres + k * pairs, features + order[(2 * k + 1) * blocks / (2 * classes)] * pairs,
               (size_t)pairs * sizeof *centres);
    for (int round = 0; round < SEED_ROUNDS; round++) {
        find_nearest(features, blocks, pairs, centres, classes, chosen);
        move_centres(features, blocks, pairs, chosen, classes, centres);
    }
    bfl_release(workspace, BFL_SCRATCH, mark);
    return BANDFOLD_OK;
}
