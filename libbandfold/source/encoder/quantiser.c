/* Costs are those of the tables that will code the levels; operations and their order are those of rdoq.py and
 * trellis_search.py.
 */

#include "quantiser.h"

#include "exact_math.h"
#include "rate_model.h"

#include "encoding.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { PRECISION = 24, COST_UNIT = 256, POINTS = 3, THRESHOLDS = BF_DIRECT + 1, COLUMNS = BF_DIRECT + 2,
       BLOCKS_CHECKED = 32 };

static const double POINT_UNIT = 256.0, TRELLIS_RATIO = 0.54, PATIENCE = 0.25, FARTHEST_LEVEL = 16.0;

/* Cost of a token of a class, sign and raw bits included, in 1/256 bit; of those that have a magnitude of their own,
 * and the first one behind them.
 */
static double token_cost(const bfl_tables *tables, int32_t table, int token)
{
    const uint32_t *row = tables->starts + (int64_t)table * (BF_TOKENS + 1);
    const int width = token < BF_DIRECT ? 0 : (token - BF_DIRECT) / 2 + 3;
    const double bits = PRECISION - bfl_log2((double)(row[token + 1] - row[token]));
    return rint((bits + (width + (token > 0))) * COST_UNIT);
}

/* How far the reconstruction point of a magnitude lies below it, in steps. */
static double point_below(const bfl_mode *mode, int32_t kind, int64_t magnitude)
{
    return mode->points[kind * POINTS + (magnitude < POINTS ? magnitude : POINTS) - 1] / POINT_UNIT;
}

double bfl_reconstruction_point(const bfl_mode *mode, int32_t kind, int64_t magnitude)
{
    return magnitude > 0 ? (double)magnitude - point_below(mode, kind, magnitude) : 0.0;
}

static void find_thresholds(const bfl_tables *tables, const bfl_mode *mode, double multiplier, double *thresholds)
{
    for (int32_t kind = 0; kind < mode->network.classes; kind++) {
        double *row = thresholds + kind * THRESHOLDS;
        row[0] = -INFINITY;
        for (int upper = 1; upper <= BF_DIRECT; upper++) {
            const double high = bfl_reconstruction_point(mode, kind, upper);
            const double low = bfl_reconstruction_point(mode, kind, upper - 1);
            const double more = token_cost(tables, mode->first_table + kind, upper) -
                                token_cost(tables, mode->first_table + kind, upper - 1);
            /* Magnitudes from 16 on have neighbours that cost the same. */
            const double bits = upper < BF_DIRECT ? more / COST_UNIT : 0.0;
            row[upper] = (high + low) / 2 + multiplier * bits / (2 * (high - low)) - upper;
        }
    }
}

static void find_prices(const bfl_tables *tables, const bfl_mode *mode, double multiplier, bfl_quantiser *quantiser)
{
    const int32_t kinds = mode->network.classes;
    for (int32_t kind = 0; kind < 2 * kinds; kind++) {
        double costs[COLUMNS];
        for (int column = 0; column < COLUMNS; column++) {
            const int magnitude = column < BF_DIRECT ? column : BF_DIRECT;
            const double below = magnitude ? point_below(mode, kind, magnitude) : 0.0;
            costs[column] = token_cost(tables, mode->first_table + kind, magnitude) * (multiplier / COST_UNIT);
            quantiser->bits[kind * COLUMNS + column] = (float)costs[column];
            quantiser->below[kind * COLUMNS + column] = (float)(kind < kinds ? below : below - 0.5);
        }
        /* Where magnitude 1 of the second quantiser, which stands for `one`, costs PATIENCE more than zero. */
        const double one = 1.0 - point_below(mode, kind, 1), more = costs[1] - costs[0];
        if (kind >= kinds)
            quantiser->small[kind - kinds] = (float)((one * one + more - PATIENCE) / (2.0 * one));
    }
}

bandfold_status bfl_make_quantiser(bfl_workspace *workspace, const bfl_tables *tables, int searches,
                                   bfl_quantiser *quantiser)
{
    const bfl_mode *mode = &tables->modes[BFL_FOLDED];
    const uint64_t kinds = (uint64_t)mode->network.classes;
    double multiplier = BFL_LAGRANGE_MULTIPLIER;
    *quantiser = (bfl_quantiser){.mode = mode, .searches = searches};
    BFL_TAKE(quantiser->thresholds, workspace, BFL_LASTING, kinds * THRESHOLDS);
    if (mode->dependent) {
        multiplier *= TRELLIS_RATIO;
        BFL_TAKE(quantiser->bits, workspace, BFL_LASTING, 2 * kinds * COLUMNS);
        BFL_TAKE(quantiser->below, workspace, BFL_LASTING, 2 * kinds * COLUMNS);
        BFL_TAKE(quantiser->small, workspace, BFL_LASTING, kinds);
        find_prices(tables, mode, multiplier, quantiser);
    }
    find_thresholds(tables, mode, multiplier, quantiser->thresholds);
    return BANDFOLD_OK;
}

/* Search for the best paths through the trellis, in the classes of the levels before. */
static bandfold_status find_best_path(bfl_workspace *workspace, const bfl_quantiser *quantiser,
                                      const bfl_latents *latents, double scale, int32_t *levels, uint8_t *classes)
{
    const bfl_block *mark = bfl_mark(workspace, BFL_SCRATCH);
    const bf_network *network = &quantiser->mode->network;
    const int64_t positions = latents->rows * latents->columns, stride = latents->components * positions;
    const int64_t count = BF_CHANNELS * stride;
    const uint64_t memory_size = (uint64_t)bf_memory((int32_t)latents->rows, (int32_t)latents->columns);
    uint8_t *decisions, *memory;
    BFL_TAKE(decisions, workspace, BFL_SCRATCH, (uint64_t)bf_trellis_memory(latents->components, network->classes));
    BFL_TAKE(memory, workspace, BFL_SCRATCH, memory_size);
    for (int search = 0; search < quantiser->searches; search++) {
        /* The search goes by classes without their quantisers. */
        for (int64_t n = 0; search && n < count; n++)
            classes[n] = (uint8_t)(classes[n] % network->classes);
        /* It leaves the quantisers where the classes were, and those are written over them again. */
        bf_trellis(quantiser->mode->states, latents->values, latents->components, positions, scale, network->classes,
                   quantiser->bits, quantiser->below, quantiser->small, levels, stride, positions, classes, decisions);
        memset(memory, 0, (size_t)memory_size);
        bf_contexts(network, levels, stride, positions, classes, (int32_t)latents->components, (int32_t)latents->rows,
                    (int32_t)latents->columns, classes, memory);
    }
    bfl_release(workspace, BFL_SCRATCH, mark);
    return BANDFOLD_OK;
}

bandfold_status bfl_quantise(bfl_workspace *workspace, const bfl_quantiser *quantiser, const bfl_latents *latents,
                             double step, int32_t *levels, uint8_t *classes)
{
    const bfl_block *mark = bfl_mark(workspace, BFL_SCRATCH);
    const double scale = 1.0 / (step * BFL_FRACTION);
    const int64_t positions = latents->rows * latents->columns;
    uint8_t *memory;
    if (latents->components == 0)
        return BANDFOLD_OK;
    BFL_TAKE(memory, workspace, BFL_SCRATCH, (uint64_t)bf_memory((int32_t)latents->rows, (int32_t)latents->columns));
    bf_quantise(&quantiser->mode->network, latents->values, (int32_t)latents->components, (int32_t)latents->rows,
                (int32_t)latents->columns, scale, quantiser->thresholds, levels, latents->components * positions, positions,
                classes, memory);
    bfl_release(workspace, BFL_SCRATCH, mark);
    return quantiser->mode->dependent ? find_best_path(workspace, quantiser, latents, scale, levels, classes)
                                      : BANDFOLD_OK;
}

bandfold_status bfl_check_levels(bfl_workspace *workspace, const bfl_quantiser *quantiser, const bfl_latents *latents,
                                 const int32_t *levels, const uint8_t *classes, double step, uint64_t strip)
{
    const int64_t positions = latents->rows * latents->columns, components = latents->components;
    const uint64_t stride = latents->columns < BLOCKS_CHECKED ? (uint64_t)latents->columns : BLOCKS_CHECKED;
    for (int64_t k = 0; k < components; k++)
        for (int64_t c = 0; c < BF_CHANNELS; c++)
            for (int64_t row = 0; row < latents->rows; row++)
                for (int64_t column = (int64_t)(strip % stride); column < latents->columns; column += BLOCKS_CHECKED) {
                    const int64_t place = row * latents->columns + column;
                    const int64_t at = (c * components + k) * positions + place;
                    const int32_t latent = latents->values[(k * BF_CHANNELS + c) * positions + place];
                    const double point = bfl_reconstruction_point(quantiser->mode, classes[at], llabs(levels[at]));
                    const double error = latent / (BFL_FRACTION * step) - (levels[at] < 0 ? -point : point);
                    if (fabs(error) > FARTHEST_LEVEL)
                        return bfl_fail(workspace, BANDFOLD_FAULT,
                                        "a strip was coded wrongly: a level lies far from its latent");
                }
    return BANDFOLD_OK;
}
