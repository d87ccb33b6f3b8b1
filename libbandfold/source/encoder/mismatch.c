/* The bits of a Gaussian source under a fold, and under the best one. */

#include "mismatch.h"

#include "exact_sum.h"
#include "rate_model.h"

#include "linear.h"

#include <math.h>

/* The vectors of the coded components over all bands: [bands][components]. */
static void find_columns(const bfl_planned_fold *fold, double *columns)
{
    const bfl_sensor *sensor = fold->sensor;
    const int64_t count = fold->turn.count, components = fold->components;
    int64_t start = 0, row = 0;
    for (int64_t i = 0; i < sensor->intervals; start = sensor->ends[i++]) {
        const bfl_sensor_vectors *vectors = &sensor->first[i];
        /* Outside its interval a vector is zero: sums without zeros have the same bits. */
        for (int64_t n = 0; n < vectors->length; n++)
            for (int64_t k = 0; k < count; k++) {
                double sum = 0.0;
                for (int64_t m = 0; m < fold->rows[i]; m++)
                    sum += vectors->rows[m * vectors->length + n] * fold->second[k * fold->merged + row + m];
                columns[(start + n) * components + k] = sum;
            }
        row += fold->rows[i];
    }
    for (int64_t n = 0; n < fold->outside; n++) {
        const int64_t i = fold->outside_intervals[n], first = i ? sensor->ends[i - 1] : 0;
        const bfl_sensor_vectors *vectors = &sensor->first[i];
        for (int64_t m = 0; m < vectors->length; m++)
            columns[(first + m) * components + count + n] =
                vectors->rows[fold->outside_vectors[n] * vectors->length + m];
    }
}

bandfold_status bfl_measure_mismatch(bfl_workspace *workspace, const bfl_planned_fold *fold,
                                     const bfl_block_sample *sample, double step, bfl_mismatch *mismatch)
{
    const int64_t bands = sample->bands, components = fold->components;
    const double log_2 = 0.6931471805599453;
    const bfl_block *mark = bfl_mark(workspace, BFL_SCRATCH);
    double *moments, *energy, *columns, *products, *variances, component_bits, gaussian_bits;
    BFL_TAKE(moments, workspace, BFL_SCRATCH, bfl_product((uint64_t)bands, (uint64_t)bands));
    BFL_TAKE(energy, workspace, BFL_SCRATCH, (uint64_t)bands);
    BFL_TAKE(columns, workspace, BFL_SCRATCH, (uint64_t)(bands * components));
    BFL_TAKE(products, workspace, BFL_SCRATCH, (uint64_t)(bands * components));
    BFL_TAKE(variances, workspace, BFL_SCRATCH, (uint64_t)components);
    /* The fold takes its own means away: what the lines differ from them is to be coded too. */
    for (int64_t band = 0; band < bands; band++)
        energy[band] = sample->mean[band] - (double)fold->means[band] / BFL_FRACTION;
    for (int64_t i = 0; i < bands; i++)
        for (int64_t j = 0; j < bands; j++)
            moments[i * bands + j] = sample->covariances[i * bands + j] + energy[i] * energy[j];
    for (int64_t band = 0; band < bands; band++)
        energy[band] = moments[band * bands + band];
    find_columns(fold, columns);
    bf_product(moments, columns, bands, bands, components, products);
    for (int64_t band = 0; band < bands; band++)
        for (int64_t k = 0; k < components; k++)
            variances[k] += columns[band * components + k] * products[band * components + k];
    const double rest = bf_sum_exactly(energy, bands) - bf_sum_exactly(variances, components);
    const double left = rest > 0.0 ? rest : 0.0, knee = bfl_knee(step);
    BFL_TRY(bfl_component_bits(workspace, variances, components, step, &component_bits));
    for (int64_t n = 0; n < bands * bands; n++)
        moments[n] = sample->covariances[n] / knee;
    BFL_TRY(bfl_log_determinant(workspace, moments, bands, &gaussian_bits));
    const double excess = component_bits - gaussian_bits / 2 + left / (knee * log_2) / 2;
    *mismatch = (bfl_mismatch){excess > 0.0 ? excess : 0.0, left / (double)bands};
    bfl_release(workspace, BFL_SCRATCH, mark);
    return BANDFOLD_OK;
}
