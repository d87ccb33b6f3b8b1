/* Steps 4 and 5 of docs/format.md#from-latents-to-samples. */

#include "unfold.h"

#include <string.h>

bandfold_status bfl_begin_unfolding(bfl_workspace *workspace, const bfl_fold *fold, const bfl_planes *planes,
                                    uint32_t samples, bfl_unfolding *unfolding)
{
    *unfolding = (bfl_unfolding){.fold = fold, .planes = planes, .samples = samples};
    if (!fold->first)
        return BANDFOLD_OK;
    int64_t total = 0;
    BFL_TAKE(unfolding->starts, workspace, BFL_SCRATCH, (uint64_t)fold->intervals);
    for (int64_t i = 0; i < fold->intervals; i++) {
        unfolding->starts[i] = total;
        total += fold->first[i].count;
    }
    BFL_TAKE(unfolding->first, workspace, BFL_SCRATCH, bfl_product((uint64_t)total, samples));
    BFL_TAKE(unfolding->live, workspace, BFL_SCRATCH, (uint64_t)total);
    uint8_t any = 0;
    for (int64_t k = 0; k < fold->second.count; k++)
        any |= planes->live[k];
    for (int64_t n = 0; n < fold->second.length; n++)
        unfolding->live[fold->inside[n]] = any;
    for (int64_t n = 0; n < fold->outside_count; n++)
        unfolding->live[fold->outside[n]] = planes->live[fold->second.count + n];
    return BANDFOLD_OK;
}

static const double *plane_line(const bfl_planes *planes, int64_t component, int64_t line)
{
    return planes->samples + (component * planes->height + line) * planes->width;
}

void bfl_unfold_line(const bfl_unfolding *unfolding, int64_t line)
{
    const bfl_fold *fold = unfolding->fold;
    const bfl_basis *second = &fold->second;
    const uint32_t samples = unfolding->samples;
    if (!fold->first)
        return;
    for (int64_t n = 0; n < second->length; n++) {
        double *row = unfolding->first + fold->inside[n] * samples;
        memset(row, 0, samples * sizeof *row);
        for (int64_t k = 0; k < second->count; k++)
            if (unfolding->planes->live[k])
                bfl_add_scaled(row, plane_line(unfolding->planes, k, line), second->inverse[n * second->count + k],
                               samples);
    }
    for (int64_t n = 0; n < fold->outside_count; n++)
        if (unfolding->live[fold->outside[n]])
            memcpy(unfolding->first + fold->outside[n] * samples,
                   plane_line(unfolding->planes, second->count + n, line), samples * sizeof(double));
}

void bfl_unfold_band(const bfl_unfolding *unfolding, int64_t line, int64_t band, double *row)
{
    const bfl_fold *fold = unfolding->fold;
    const uint32_t samples = unfolding->samples;
    const double mean = (double)fold->means[band] / 64.0;
    if (fold->first) {
        const int64_t interval = bfl_interval_of(fold, band);
        const bfl_basis *basis = &fold->first[interval];
        const int64_t within = band - (interval ? fold->ends[interval - 1] : 0);
        memset(row, 0, samples * sizeof *row);
        for (int64_t k = 0; k < basis->count; k++)
            if (unfolding->live[unfolding->starts[interval] + k])
                bfl_add_scaled(row, unfolding->first + (unfolding->starts[interval] + k) * samples,
                               basis->inverse[within * basis->count + k], samples);
    } else {
        memcpy(row, plane_line(unfolding->planes, band, line), samples * sizeof *row);
    }
    for (uint32_t x = 0; x < samples; x++)
        row[x] += mean;
}
