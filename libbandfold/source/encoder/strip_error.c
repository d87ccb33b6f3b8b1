/* The transforms are orthonormal, so that errors of latents are those of samples. That holds for whole blocks: where a
 * block reaches beyond the strip, or has samples without data, errors are transformed back and weighed pixel by pixel.
 * Squared errors are summed as integers: their sum has no order.
 */

#include "strip_error.h"

#include "cosine.h"
#include "rate_model.h"

#include "encoding.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double ERROR_UNIT = 1048576.0, LARGEST_SUM = 4611686018427387904.0, PART = 1024.0,
                    LARGEST = 1073741824.0, DCT_UNIT = 16384.0;

/* Bands that hold a sample. Others are filled with one value, and take no part in the error of a pixel. */
static int64_t told_bands(const bfl_held_strip *strip, const uint8_t *absent)
{
    const int64_t pixels = strip->lines * strip->width;
    int64_t told = 0;
    for (int64_t band = 0; band < strip->bands; band++)
        told += !absent || memchr(absent + band * pixels, 0, (size_t)pixels) != NULL;
    return told;
}

/* Share of the bands with samples that count in a pixel; 0 beyond the strip. */
static double weigh_pixel(const bfl_held_strip *strip, const uint8_t *absent, int64_t told, int64_t line,
                          int64_t sample, uint64_t *samples)
{
    int64_t present = strip->bands;
    if (line >= strip->lines || sample >= strip->width)
        return 0.0;
    for (int64_t band = 0; absent && band < strip->bands; band++)
        present -= absent[(band * strip->lines + line) * strip->width + sample];
    *samples += (uint64_t)present;
    return told ? (double)present / (double)told : 0.0;
}

/* Lines that hold a sample. Others are filled with one value, of which a fold leaves nothing out. */
static int64_t told_lines(const bfl_held_strip *strip, const double *weights)
{
    const int64_t columns = bfl_blocks_of(strip->width);
    int64_t told = 0;
    for (int64_t line = 0; line < strip->lines; line++) {
        const double *of_line = weights + (line / BFL_SIDE * columns * BFL_SIDE + line % BFL_SIDE) * BFL_SIDE;
        int64_t sample = 0;
        while (sample < strip->width && of_line[sample / BFL_SIDE * BFL_PIXELS_OF_BLOCK + sample % BFL_SIDE] == 0.0)
            sample++;
        told += sample < strip->width;
    }
    return told;
}

bandfold_status bfl_count_samples(bfl_workspace *workspace, const bfl_held_strip *strip, const uint8_t *absent,
                                  bfl_counted_samples *counted)
{
    const int64_t rows = bfl_blocks_of(strip->lines), columns = bfl_blocks_of(strip->width);
    const int64_t told = told_bands(strip, absent);
    *counted = (bfl_counted_samples){0};
    BFL_TAKE(counted->weights, workspace, BFL_SCRATCH, (uint64_t)(rows * columns * BFL_PIXELS_OF_BLOCK));
    BFL_TAKE(counted->whole, workspace, BFL_SCRATCH, (uint64_t)(rows * columns));
    for (int64_t block = 0; block < rows * columns; block++) {
        double *weights = counted->weights + block * BFL_PIXELS_OF_BLOCK;
        const int64_t line = block / columns * BFL_SIDE, sample = block % columns * BFL_SIDE;
        counted->whole[block] = 1;
        for (int64_t p = 0; p < BFL_PIXELS_OF_BLOCK; p++) {
            weights[p] = weigh_pixel(strip, absent, told, line + p / BFL_SIDE, sample + p % BFL_SIDE,
                                     &counted->samples);
            counted->whole[block] &= weights[p] == 1.0;
        }
        counted->cut += !counted->whole[block];
    }
    if (counted->samples)
        counted->by_lines = (double)strip->lines / (double)told_lines(strip, counted->weights);
    if (told)
        counted->by_bands = (double)strip->bands / (double)told;
    return BANDFOLD_OK;
}

/* Errors of the latents of a block of a component, in steps. */
static void block_errors(const bfl_strip_task *task, int64_t component, int64_t block, double errors[BF_CHANNELS])
{
    const bfl_latents *latents = &task->latents;
    const int64_t positions = latents->rows * latents->columns;
    const double scale = 1.0 / (BFL_FRACTION * ((double)task->content.step_code / 256.0));
    for (int64_t c = 0; c < BF_CHANNELS; c++) {
        const int64_t at = (c * latents->components + component) * positions + block;
        const int32_t latent = latents->values[(component * BF_CHANNELS + c) * positions + block];
        const double point = bfl_reconstruction_point(task->quantiser->mode, task->content.classes[at],
                                                      llabs(task->content.levels[at]));
        const double error = (double)llabs(latent) * scale - point;
        errors[c] = latent < 0 ? -error : error;
    }
}

static int64_t squared(double error, double weight, double limit)
{
    const double square = error * error * weight * ERROR_UNIT;
    return (int64_t)rint(square < limit ? square : limit);
}

/* Errors of the pixels of a block that is not whole. */
static int64_t cut_block(const double *cosine, const double errors[BF_CHANNELS], const double *weights, double limit)
{
    double whole[BF_CHANNELS];
    int64_t sum = 0;
    for (int c = 0; c < BF_CHANNELS; c++) {
        const double integer = rint(errors[c] * PART);
        whole[c] = integer > LARGEST ? LARGEST : integer < -LARGEST ? -LARGEST : integer;
    }
    for (int p = 0; p < BFL_PIXELS_OF_BLOCK; p++) {
        double pixel = 0.0;
        for (int c = 0; c < BF_CHANNELS; c++)
            pixel += cosine[c * BFL_PIXELS_OF_BLOCK + p] * whole[c];
        sum += squared(pixel / (DCT_UNIT * PART), weights[p], limit);
    }
    return sum;
}

double bfl_squared_error(const bfl_strip_task *task, const bfl_counted_samples *counted)
{
    const int64_t blocks = task->latents.rows * task->latents.columns, whole = blocks - counted->cut;
    const double step = (double)task->content.step_code / 256.0;
    const double limit = LARGEST_SUM / (double)(whole ? whole * BF_CHANNELS : 1);
    const double cut_limit = LARGEST_SUM / (double)(counted->cut ? counted->cut * BF_CHANNELS : 1);
    double cosine[BF_CHANNELS * BFL_PIXELS_OF_BLOCK], errors[BF_CHANNELS];
    double total = 0.0;
    bfl_fill_cosine(cosine);
    for (int64_t component = 0; component < task->latents.components; component++) {
        int64_t sum = 0;
        for (int64_t block = 0; block < blocks; block++) {
            block_errors(task, component, block, errors);
            if (!counted->whole[block])
                sum += cut_block(cosine, errors, counted->weights + block * BFL_PIXELS_OF_BLOCK, cut_limit);
            for (int c = 0; counted->whole[block] && c < BF_CHANNELS; c++)
                sum += squared(errors[c], 1.0, limit);
        }
        /* Below 2**53, as sums are, this is exact. */
        total += (double)sum;
    }
    return total * (step * step / ERROR_UNIT);
}
