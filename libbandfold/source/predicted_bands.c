/* Reconstruction in the order of coding. */

#include "predicted_bands.h"

#include "prediction.h"

#include <math.h>

enum { KERNEL = BF_CHANNELS * 24 * 24 };

#define STEP_SCALE (1.0 / 67108864.0) /* 2**-26 */

static int64_t held(int64_t value)
{
    return value < -FARTHEST ? -FARTHEST : value > FARTHEST ? FARTHEST : value;
}

/* Means of bands, in sixteenths of a count. */
static bandfold_status find_means(bfl_workspace *workspace, const bfl_fold *fold, uint32_t bands, int32_t **means)
{
    BFL_TAKE(*means, workspace, BFL_SCRATCH, bands);
    for (uint32_t band = 0; band < bands; band++)
        (*means)[band] = (int32_t)held((fold->means[band] + 2) >> 2);
    return BANDFOLD_OK;
}

/* What is added to the weighted references of a band. */
static int32_t base_of(const bfl_ordered_band *one, int32_t mean, uint64_t step)
{
    /* Steps beyond 2**40 move any band beyond the range: the product is cut before it could overflow. */
    const int64_t code = step < (uint64_t)1 << 40 ? (int64_t)step : (int64_t)1 << 40;
    return (int32_t)held(mean + (one->offset * code >> 5));
}

bandfold_status bfl_reconstruct_bands(bfl_workspace *workspace, const bfl_levels_source *source,
                                      const bfl_predicted_model *model, const bfl_levels *levels, uint64_t step_code,
                                      int32_t **planes)
{
    const bfl_fold *fold = source->fold;
    const int32_t rows = (int32_t)levels->rows, columns = (int32_t)levels->columns;
    const int64_t pixels = BF_CHANNELS * levels->positions, stride = levels->components * levels->positions;
    int32_t *prediction, *means;
    double *sums;
    BFL_TAKE(*planes, workspace, BFL_SCRATCH, bfl_product((uint64_t)levels->components, (uint64_t)pixels));
    const bfl_block *mark = bfl_mark(workspace, BFL_SCRATCH);
    BFL_TAKE(prediction, workspace, BFL_SCRATCH, (uint64_t)pixels);
    BFL_TAKE(sums, workspace, BFL_SCRATCH, bfl_product(8 * ((uint64_t)rows + 2), 8 * ((uint64_t)columns + 2)));
    BFL_TRY(find_means(workspace, fold, source->header->bands, &means));
    for (int64_t number = 0; number < levels->components; number++) {
        const bfl_ordered_band *one = &levels->ordered[number];
        const uint64_t step = bfl_band_step(fold, step_code, one);
        int32_t reference_means[BFL_MOST_REFERENCES] = {0};
        for (int32_t n = 0; n < one->weight_count; n++)
            reference_means[n] = means[one->references[n]];
        bf_predict(*planes, pixels, one->references, one->weights, reference_means, one->weight_count,
                   base_of(one, means[one->band], step), prediction);
        const int64_t engine = fold->engines[bfl_interval_of(fold, one->band)];
        bf_reconstruct(prediction, levels->quantised + number * levels->positions,
                       levels->classes + number * levels->positions, stride, rows, columns,
                       source->tables->modes[BFL_BANDED].points, model->kernels + engine * KERNEL,
                       (double)step * STEP_SCALE, sums, *planes + one->band * pixels);
    }
    bfl_release(workspace, BFL_SCRATCH, mark);
    return BANDFOLD_OK;
}
