/* Bands from exact planes, a row of blocks at a time. All sums are of integers held in float64. */

#include "exact_base.h"

#include "integer_inverse.h"

#include "refinement.h"

#include <math.h>
#include <string.h>

enum { BLOCK = 8, BASIS_BITS = 16 };

/* Memory of a strip for the bands of one interval. */
typedef struct {
    const bfl_levels_source *source;
    const bfl_planes *planes;
    uint32_t lines;
    double limits[2];
    double **inverses;     /* [intervals]: of the folds of intervals */
    double *second;        /* of the second fold */
    double *means;         /* [bands], with what rounding down lacks */
    double *components;    /* [components of all intervals][8][width] */
    double *bands;         /* [most bands of an interval][8][width] */
    uint16_t *counts;      /* [bands][lines][samples] */
} base_strip;

static double *plane_row(const bfl_planes *planes, int64_t component, int64_t row)
{
    return planes->samples + (component * planes->height + row * BLOCK) * planes->width;
}

/* Undo the second fold of a row of blocks: components of all intervals. */
static void undo_second(const base_strip *base, int64_t row)
{
    const bfl_fold *fold = base->source->fold;
    const bfl_basis *second = &fold->second;
    const int64_t pixels = BLOCK * base->planes->width;
    for (int64_t n = 0; n < second->length; n++) {
        double *to = base->components + fold->inside[n] * pixels;
        memset(to, 0, (size_t)pixels * sizeof *to);
        for (int64_t k = 0; k < second->count; k++)
            if (base->planes->live[k])
                bfl_add_scaled(to, plane_row(base->planes, k, row), base->second[n * second->count + k], pixels);
        for (int64_t x = 0; x < pixels; x++)
            to[x] = bfl_cut_sum(to[x]);
    }
    for (int64_t n = 0; n < fold->outside_count; n++)
        memcpy(base->components + fold->outside[n] * pixels, plane_row(base->planes, second->count + n, row),
               (size_t)pixels * sizeof(double));
}

/* Round some bands of a row of blocks to counts. */
static void round_bands(const base_strip *base, const double *bands, double unit, int64_t first, int64_t count,
                        int64_t row)
{
    const uint32_t samples = base->source->header->samples;
    const int64_t top = row * BLOCK, left = (int64_t)base->lines - top;
    const int64_t stride = (int64_t)base->lines * samples;
    bf_refinement_counts(bands, base->means + first, base->limits, unit, (int32_t)count,
                         (int32_t)(left < BLOCK ? left : BLOCK), (int32_t)base->planes->width, (int32_t)samples,
                         base->counts + first * stride + top * samples, stride);
}

static void unfold_row(const base_strip *base, int64_t row)
{
    const bfl_fold *fold = base->source->fold;
    const int64_t pixels = BLOCK * base->planes->width;
    int64_t first = 0;
    if (!fold->first) {
        for (int64_t band = 0; band < base->planes->components; band++)
            round_bands(base, plane_row(base->planes, band, row), 1.0, band, 1, row);
        return;
    }
    undo_second(base, row);
    for (int64_t i = 0; i < fold->intervals; i++) {
        const bfl_basis *basis = &fold->first[i];
        memset(base->bands, 0, (size_t)(basis->length * pixels) * sizeof *base->bands);
        for (int64_t n = 0; n < basis->length; n++)
            for (int64_t k = 0; k < basis->count; k++)
                bfl_add_scaled(base->bands + n * pixels, base->components + (first + k) * pixels,
                               base->inverses[i][n * basis->count + k], pixels);
        const int64_t start = i ? fold->ends[i - 1] : 0;
        round_bands(base, base->bands, 1.0 / BFL_INVERSE_UNIT, start, basis->length, row);
        first += basis->count;
    }
}

static bandfold_status invert_fold(bfl_workspace *workspace, base_strip *base)
{
    const bfl_fold *fold = base->source->fold;
    const uint64_t pixels = bfl_product(BLOCK, (uint64_t)base->planes->width);
    int64_t total = 0, longest = 0;
    BFL_TAKE(base->inverses, workspace, BFL_SCRATCH, (uint64_t)fold->intervals);
    for (int64_t i = 0; i < fold->intervals; i++) {
        const bfl_basis *basis = &fold->first[i];
        BFL_TAKE(base->inverses[i], workspace, BFL_SCRATCH, (uint64_t)basis->length * (uint64_t)basis->count);
        BFL_TRY(bfl_integer_inverse(workspace, basis->integers, basis->length, basis->count, BASIS_BITS,
                                    base->inverses[i]));
        total += basis->count;
        longest = basis->length > longest ? basis->length : longest;
    }
    const bfl_basis *second = &fold->second;
    BFL_TAKE(base->second, workspace, BFL_SCRATCH, (uint64_t)second->length * (uint64_t)second->count);
    BFL_TRY(bfl_integer_inverse(workspace, second->integers, second->length, second->count, BASIS_BITS, base->second));
    BFL_TAKE(base->components, workspace, BFL_SCRATCH, bfl_product((uint64_t)total, pixels));
    BFL_TAKE(base->bands, workspace, BFL_SCRATCH, bfl_product((uint64_t)longest, pixels));
    return BANDFOLD_OK;
}

bandfold_status bfl_exact_counts(bfl_workspace *workspace, const bfl_levels_source *source, const bfl_cosine *cosine,
                                 const bfl_levels *levels, uint64_t step_code, int32_t **counts)
{
    const bfl_header *header = source->header;
    const bfl_fold *fold = source->fold;
    const uint64_t size = bfl_product(bfl_product(header->bands, levels->lines), header->samples);
    bfl_planes planes;
    base_strip base = {.source = source, .planes = &planes, .lines = levels->lines,
                 .limits = {header->lowest, header->highest}};
    if (fold->weights || levels->block_codes)
        return bfl_fail(workspace, BANDFOLD_CORRUPT, "bands and blocks with weights have no refinement");
    BFL_TAKE(*counts, workspace, BFL_SCRATCH, size);
    const bfl_block *mark = bfl_mark(workspace, BFL_SCRATCH);
    BFL_TAKE(base.counts, workspace, BFL_SCRATCH, size);
    BFL_TRY(bfl_exact_planes(workspace, source, cosine, levels, step_code, &planes));
    BFL_TAKE(base.means, workspace, BFL_SCRATCH, header->bands);
    for (uint32_t band = 0; band < header->bands; band++)
        base.means[band] = (double)(((fold->means[band] + 2) >> 2) + 8);
    if (fold->first)
        BFL_TRY(invert_fold(workspace, &base));
    for (int64_t row = 0; row < levels->rows; row++)
        unfold_row(&base, row);
    for (uint64_t n = 0; n < size; n++)
        (*counts)[n] = header->lowest < 0 ? (int16_t)base.counts[n] : base.counts[n];
    bfl_release(workspace, BFL_SCRATCH, mark);
    return BANDFOLD_OK;
}
