/* A regular sample: neighbouring rows of blocks start at other columns. */

#include "block_sample.h"

#include "lanes.h"

#include <math.h>
#include <string.h>

enum { ENOUGH = 256, STRIPS_AHEAD = 2, MOST_THINNING = 1 << 24, CHUNK = 512 };

/* Which blocks are taken. */
typedef struct {
    int64_t rows, columns;      /* of the strip */
    int64_t row_stride, column_stride, turn, first_row;
} grid;

static int64_t common_divisor(int64_t a, int64_t b)
{
    while (b) {
        const int64_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

static grid plan_grid(int64_t lines, int64_t width)
{
    grid found = {.rows = bfl_blocks_of(lines), .columns = bfl_blocks_of(width), .row_stride = 1};
    int64_t thinning = found.rows * found.columns / ENOUGH;
    thinning = thinning < 1 ? 1 : thinning > MOST_THINNING ? MOST_THINNING : thinning;
    while (found.row_stride * found.row_stride * 4 <= thinning)
        found.row_stride *= 2;
    const int64_t stride = thinning / found.row_stride;
    found.column_stride = stride < 1 ? 1 : stride;
    found.turn = 2 * found.column_stride / 5 > 1 ? 2 * found.column_stride / 5 : 1;
    while (common_divisor(found.turn, found.column_stride) != 1)
        found.turn++;
    found.first_row = found.row_stride / 2 < found.rows ? found.row_stride / 2 : found.rows - 1;
    return found;
}

/* First column of blocks that is taken from the row of a number. */
static int64_t first_column(const grid *taken, int64_t number)
{
    const int64_t first = number * taken->turn % taken->column_stride;
    return first < taken->columns ? first : taken->columns - 1;
}

static int64_t count_blocks(const grid *taken)
{
    int64_t count = 0, number = 0;
    for (int64_t row = taken->first_row; row < taken->rows; row += taken->row_stride, number++)
        count += (taken->columns - first_column(taken, number) + taken->column_stride - 1) / taken->column_stride;
    return count;
}

/* A block, what reaches beyond the strip filled by mirroring. */
static void copy_block(const bfl_held_strip *strip, int64_t band, int64_t row, int64_t column, uint8_t *to)
{
    const int64_t size = (int64_t)bandfold_sample_size(strip->type), start = row * BFL_SIDE;
    const int64_t height = strip->lines - start < BFL_SIDE ? strip->lines - start : BFL_SIDE;
    for (int64_t y = 0; y < BFL_SIDE; y++) {
        const int64_t line = start + bfl_mirrored(y, height);
        if ((column + 1) * BFL_SIDE <= strip->width) {
            memcpy(to, bfl_sample_at(strip, band, line, column * BFL_SIDE), (size_t)(BFL_SIDE * size));
            to += BFL_SIDE * size;
            continue;
        }
        for (int64_t x = 0; x < BFL_SIDE; x++, to += size)
            memcpy(to, bfl_sample_at(strip, band, line, bfl_mirrored(column * BFL_SIDE + x, strip->width)),
                   (size_t)size);
    }
}

static void copy_blocks(const bfl_held_strip *strip, const grid *taken, bfl_block_sample *sample)
{
    const int64_t block = BFL_PIXELS_OF_BLOCK * (int64_t)bandfold_sample_size(strip->type);
    uint8_t *to = sample->blocks;
    for (int64_t band = 0; band < strip->bands; band++) {
        int64_t number = 0;
        for (int64_t row = taken->first_row; row < taken->rows; row += taken->row_stride, number++)
            for (int64_t column = first_column(taken, number); column < taken->columns;
                 column += taken->column_stride, to += block)
                copy_block(strip, band, row, column, to);
    }
}

/* Samples of a band less its rounded mean, from a pixel on; zeros behind the last one. */
static void load_centred(const bfl_block_sample *sample, int64_t band, int64_t start, int64_t count, double centre,
                         double *to)
{
    const int64_t size = (int64_t)bandfold_sample_size(sample->type);
    const uint8_t *from = sample->blocks + (band * sample->count * BFL_PIXELS_OF_BLOCK + start) * size;
    for (int64_t n = 0; n < count; n++)
        to[n] = (double)bfl_load_sample(from + n * size, sample->type) - centre;
    for (int64_t n = count; n < CHUNK; n++)
        to[n] = 0.0;
}

/* Add the products of a band with itself and with those before it: sums of integers below 2**53, exact in any order. */
static BF_CLONES void add_products(const double *centred, int64_t band, double *row)
{
    const lanes *own = (const lanes *)(centred + band * CHUNK);
    for (int64_t other = 0; other <= band; other++) {
        const lanes *its = (const lanes *)(centred + other * CHUNK);
        lanes sums[2] = {{0}};
        for (int n = 0; n < CHUNK / LANES; n += 2) {
            sums[0] += own[n] * its[n];
            sums[1] += own[n + 1] * its[n + 1];
        }
        for (int lane = 0; lane < LANES; lane++)
            row[other] += sums[0][lane] + sums[1][lane];
    }
}

static void find_centres(bfl_block_sample *sample, double *centres)
{
    const int64_t pixels = sample->count * BFL_PIXELS_OF_BLOCK;
    const int64_t size = (int64_t)bandfold_sample_size(sample->type);
    const uint8_t *from = sample->blocks;
    for (int64_t band = 0; band < sample->bands; band++) {
        int64_t sum = 0;
        for (int64_t n = 0; n < pixels; n++, from += size)
            sum += bfl_load_sample(from, sample->type);
        centres[band] = rint((double)sum / (double)pixels);
    }
}

/* Means, and covariances divided by the number of pixels. */
static bandfold_status find_moments(bfl_workspace *workspace, bfl_block_sample *sample)
{
    const int64_t bands = sample->bands, pixels = sample->count * BFL_PIXELS_OF_BLOCK;
    double *gram = sample->covariances, *centres, *sums, *memory;
    const bfl_block *mark = bfl_mark(workspace, BFL_SCRATCH);
    BFL_TAKE(centres, workspace, BFL_SCRATCH, (uint64_t)bands);
    BFL_TAKE(sums, workspace, BFL_SCRATCH, (uint64_t)bands);
    BFL_TAKE(memory, workspace, BFL_SCRATCH, (uint64_t)bands * CHUNK + LANES);
    double *centred = memory + (LANES - (uintptr_t)memory / sizeof *memory % LANES) % LANES;
    find_centres(sample, centres);
    for (int64_t start = 0; start < pixels; start += CHUNK) {
        const int64_t count = pixels - start < CHUNK ? pixels - start : CHUNK;
        for (int64_t band = 0; band < bands; band++) {
            load_centred(sample, band, start, count, centres[band], centred + band * CHUNK);
            for (int64_t n = 0; n < count; n++)
                sums[band] += centred[band * CHUNK + n];
            add_products(centred, band, gram + band * bands);
        }
    }
    for (int64_t band = 0; band < bands; band++)
        sums[band] /= (double)pixels;
    for (int64_t i = 0; i < bands; i++)
        for (int64_t j = 0; j <= i; j++)
            gram[i * bands + j] = gram[j * bands + i] = gram[i * bands + j] / (double)pixels - sums[i] * sums[j];
    for (int64_t band = 0; band < bands; band++)
        sample->mean[band] = centres[band] + sums[band];
    bfl_release(workspace, BFL_SCRATCH, mark);
    return BANDFOLD_OK;
}

bandfold_status bfl_sample_blocks(bfl_workspace *workspace, const bfl_held_strip *strip, bfl_block_sample *sample)
{
    const uint64_t bands = (uint64_t)strip->bands;
    const grid taken = plan_grid(strip->lines, strip->width);
    *sample = (bfl_block_sample){.type = strip->type, .bands = strip->bands, .count = count_blocks(&taken)};
    sample->pixels = strip->lines * strip->width * STRIPS_AHEAD;
    BFL_TAKE(sample->mean, workspace, BFL_SCRATCH, bands);
    BFL_TAKE(sample->covariances, workspace, BFL_SCRATCH, bfl_product(bands, bands));
    sample->blocks = bfl_take(workspace, BFL_SCRATCH,
                              bfl_product(bands, (uint64_t)sample->count * BFL_PIXELS_OF_BLOCK),
                              bandfold_sample_size(strip->type));
    if (sample->blocks == NULL)
        return workspace->status;
    copy_blocks(strip, &taken, sample);
    return find_moments(workspace, sample);
}
