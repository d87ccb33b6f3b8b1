/* Steps 1 to 3 of docs/format.md#from-latents-to-samples: points, rotations, cosine transform. */

#include "latents.h"

#include "coding_weights.h"
#include "integer_inverse.h"

#include <math.h>
#include <string.h>

enum { CHANNELS = BF_CHANNELS, POINTS = 3 };

#define LARGEST 268435456.0
#define EXACT_SCALE (1.0 / 4096.0) /* from points times step codes to sixteenths of a count */

/* How levels become latents and planes: in float64 or in integers. */
typedef struct {
    const int32_t *points;
    double step;             /* in counts; of integers the step code */
    int exact;
    const double *cosine;    /* [64 pixels][64 channels] */
    double **rotations;      /* [matrices]: [size][size] */
    int64_t size;
    const bfl_levels *levels;
} synthesis;

int bfl_is_flat(const bfl_levels *levels)
{
    const int64_t count = CHANNELS * levels->components * levels->positions;
    int32_t any = 0;
    for (int64_t n = 0; n < count; n++)
        any |= levels->quantised[n];
    return !any;
}

static double latent_of(const synthesis *how, int32_t level, uint8_t kind)
{
    if (level == 0)
        return 0.0;
    const int64_t magnitude = level < 0 ? -(int64_t)level : level;
    const int32_t below = how->points[kind * POINTS + (magnitude < POINTS ? magnitude : POINTS) - 1];
    double found;
    if (how->exact) {
        found = rint((double)(256 * magnitude - below) * how->step * EXACT_SCALE);
        found = found < LARGEST ? found : LARGEST;
    } else {
        found = ((double)magnitude - below / 256.0) * how->step;
    }
    return copysign(found, level);
}

/* Latents of a component, [64][positions]; returns whether any is not 0. */
static int dequantise(const synthesis *how, int64_t component, double *latents)
{
    const bfl_levels *levels = how->levels;
    const int64_t stride = levels->components * levels->positions;
    int32_t any = 0;
    for (int64_t c = 0; c < CHANNELS; c++) {
        const int64_t at = c * stride + component * levels->positions;
        for (int64_t p = 0; p < levels->positions; p++) {
            any |= levels->quantised[at + p];
            latents[c * levels->positions + p] = latent_of(how, levels->quantised[at + p], levels->classes[at + p]);
        }
    }
    return any != 0;
}

/* Undo the rotation of the strongest components of each block, in place: [components][64][positions]. */
static void undo_rotations(const synthesis *how, double *latents)
{
    const int64_t positions = how->levels->positions, stride = CHANNELS * positions, size = how->size;
    double before[CHANNELS];
    for (int64_t p = 0; p < positions; p++) {
        const double *inverse = how->rotations[how->levels->chosen[p]];
        for (int64_t c = 0; c < CHANNELS; c++) {
            double *here = latents + c * positions + p;
            for (int64_t k = 0; k < size; k++)
                before[k] = here[k * stride];
            for (int64_t i = 0; i < size; i++) {
                double sum = 0.0;
                for (int64_t j = 0; j < size; j++)
                    sum += inverse[i * size + j] * before[j];
                here[i * stride] = how->exact ? bfl_cut_sum(sum) : sum;
            }
        }
    }
}

static void undo_block_weights(const bfl_levels *levels, double *latents)
{
    for (int64_t p = 0; p < levels->positions; p++) {
        const double weight = bfl_weight_of(levels->block_codes[p]);
        for (int64_t n = 0; n < levels->components * CHANNELS; n++)
            latents[n * levels->positions + p] /= weight;
    }
}

/* A block of pixels from its latents, of which only those that are not 0 are looked at. */
static void undo_cosine(const synthesis *how, const double *latents, int64_t width, double *pixels)
{
    const int64_t positions = how->levels->positions;
    double block[CHANNELS] = {0}, values[CHANNELS];
    int channels[CHANNELS], count = 0;
    for (int c = 0; c < CHANNELS; c++)
        if (latents[c * positions] != 0.0) {
            values[count] = latents[c * positions];
            channels[count++] = c;
        }
    for (int p = 0; count && p < CHANNELS; p++) {
        double sum = 0.0;
        for (int n = 0; n < count; n++)
            sum += how->cosine[p * CHANNELS + channels[n]] * values[n];
        block[p] = how->exact ? bfl_cut_sum(sum) : sum;
    }
    for (int y = 0; y < 8; y++)
        memcpy(pixels + y * width, block + 8 * y, 8 * sizeof *block);
}

static bandfold_status make_planes(bfl_workspace *workspace, const synthesis *how, bfl_planes *planes)
{
    const bfl_levels *levels = how->levels;
    const uint64_t pixels = CHANNELS * (uint64_t)levels->positions;
    double *latents;
    planes->components = levels->components;
    planes->height = 8 * levels->rows;
    planes->width = 8 * levels->columns;
    BFL_TAKE(planes->samples, workspace, BFL_SCRATCH, bfl_product((uint64_t)levels->components, pixels));
    BFL_TAKE(planes->live, workspace, BFL_SCRATCH, (uint64_t)levels->components);
    BFL_TAKE(latents, workspace, BFL_SCRATCH, pixels);
    for (int64_t k = 0; k < levels->components; k++)
        planes->live[k] = (uint8_t)dequantise(how, k, planes->samples + k * (int64_t)pixels);
    if (levels->chosen) {
        undo_rotations(how, planes->samples);
        /* A rotation spreads what is not 0. */
        memset(planes->live, 1, (size_t)how->size);
    }
    if (levels->block_codes)
        undo_block_weights(levels, planes->samples);
    for (int64_t k = 0; k < levels->components; k++) {
        double *plane = planes->samples + k * (int64_t)pixels;
        if (!planes->live[k])
            continue;
        memcpy(latents, plane, (size_t)pixels * sizeof *latents);
        for (int64_t p = 0; p < levels->positions; p++)
            undo_cosine(how, latents + p, planes->width,
                        plane + p / levels->columns * 8 * planes->width + p % levels->columns * 8);
    }
    return BANDFOLD_OK;
}

static synthesis begin(const bfl_levels_source *source, const bfl_levels *levels)
{
    const bfl_mode *mode = &source->tables->modes[source->header->spectral ? BFL_FOLDED : BFL_BANDED];
    return (synthesis){.points = mode->points, .levels = levels,
                       .size = source->rotations ? source->rotations->size : 0};
}

bandfold_status bfl_real_planes(bfl_workspace *workspace, const bfl_levels_source *source, const bfl_cosine *cosine,
                                const bfl_levels *levels, double step, bfl_planes *planes)
{
    synthesis how = begin(source, levels);
    how.step = step;
    how.cosine = cosine->real;
    how.rotations = source->rotations ? source->rotations->inverse : NULL;
    return make_planes(workspace, &how, planes);
}

bandfold_status bfl_exact_planes(bfl_workspace *workspace, const bfl_levels_source *source, const bfl_cosine *cosine,
                                 const bfl_levels *levels, uint64_t step_code, bfl_planes *planes)
{
    synthesis how = begin(source, levels);
    const bfl_rotations *rotations = source->rotations;
    how.exact = 1;
    how.step = (double)step_code;
    how.cosine = cosine->whole;
    if (rotations) {
        BFL_TAKE(how.rotations, workspace, BFL_SCRATCH, (uint64_t)rotations->count);
        for (int64_t n = 0; n < rotations->count; n++) {
            BFL_TAKE(how.rotations[n], workspace, BFL_SCRATCH, (uint64_t)(rotations->size * rotations->size));
            BFL_TRY(bfl_integer_inverse(workspace, rotations->integers[n], rotations->size, rotations->size, 16,
                                        how.rotations[n]));
        }
    }
    return make_planes(workspace, &how, planes);
}
