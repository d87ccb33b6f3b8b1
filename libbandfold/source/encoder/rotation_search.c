/* Blocks go to the cheapest of some matrices, which become the bases of their classes, again and again; then matrices
 * that save less than they cost are dropped. Orders are those of onboard/transform/rotation_search.py.
 */

#include "rotation_search.h"

#include "exact_math.h"
#include "exact_sum.h"
#include "rate_model.h"
#include "vectors.h"

#include "encoding.h"

#include <math.h>
#include <string.h>

enum { BLOCKS_PER_CLASS = 8, ROUNDS = 6, MOMENT_BITS = 22, MOMENT_CHUNK = 256, BITS_UNIT = 256, SIZES = 4 };

static const double BASIS_UNIT = 65536.0, FRACTION = 64.0, LARGEST_CODE = 1 << 19, SAVED = 2.0;

/* The blocks of a sample that rotations are looked for on. */
typedef struct {
    bfl_workspace *workspace;
    const double *latents; /* [size][64][blocks] */
    int64_t size, blocks, pixels;
    double step;
} search;

/* Mean outer product of the latents of one class, whose members are listed: latents are cut to 22 bits, and added up in
 * chunks that are exact.
 */
static bandfold_status second_moments(const search *in, const int64_t *members, int64_t count, double *moments)
{
    const int64_t size = in->size, pixels = BF_CHANNELS * count;
    const bfl_block *mark = bfl_mark(in->workspace, BFL_SCRATCH);
    double *flat, largest = 1.0;
    int exponent;
    BFL_TAKE(flat, in->workspace, BFL_SCRATCH, (uint64_t)(size * pixels));
    for (int64_t i = 0; i < size; i++)
        for (int64_t c = 0; c < BF_CHANNELS; c++)
            for (int64_t m = 0; m < count; m++) {
                const double latent = in->latents[(i * BF_CHANNELS + c) * in->blocks + members[m]];
                flat[i * pixels + c * count + m] = latent;
                largest = fabs(latent) > largest ? fabs(latent) : largest;
            }
    frexp(largest, &exponent);
    const double unit = ldexp(1.0, exponent > MOMENT_BITS ? exponent - MOMENT_BITS : 0);
    for (int64_t n = 0; n < size * pixels; n++)
        flat[n] = rint(flat[n] / unit);
    memset(moments, 0, (size_t)(size * size) * sizeof *moments);
    for (int64_t start = 0; start < pixels; start += MOMENT_CHUNK) {
        const int64_t length = pixels - start < MOMENT_CHUNK ? pixels - start : MOMENT_CHUNK;
        for (int64_t i = 0; i < size; i++)
            for (int64_t j = 0; j <= i; j++) {
                const double *one = flat + i * pixels + start, *other = flat + j * pixels + start;
                double sum = 0.0;
                for (int64_t n = 0; n < length; n++)
                    sum += one[n] * other[n];
                moments[i * size + j] += sum;
            }
    }
    for (int64_t i = 0; i < size; i++)
        for (int64_t j = 0; j <= i; j++)
            moments[i * size + j] = moments[j * size + i] = moments[i * size + j] * (unit * unit / (double)pixels);
    bfl_release(in->workspace, BFL_SCRATCH, mark);
    return BANDFOLD_OK;
}

/* Bases of the classes that have members: their number, variances and vectors, and the members of each. */
static bandfold_status class_bases(const search *in, const uint8_t *chosen, int64_t *used, int64_t *sizes,
                                   double *values, double *vectors)
{
    const bfl_block *mark = bfl_mark(in->workspace, BFL_SCRATCH);
    const int64_t size = in->size;
    int64_t *members;
    double *moments;
    BFL_TAKE(members, in->workspace, BFL_SCRATCH, (uint64_t)in->blocks);
    BFL_TAKE(moments, in->workspace, BFL_SCRATCH, (uint64_t)(BFL_MOST_MATRICES * size * size));
    *used = 0;
    for (int64_t k = 0; k < BFL_MOST_MATRICES; k++) {
        int64_t count = 0;
        for (int64_t b = 0; b < in->blocks; b++)
            if (chosen[b] == k)
                members[count++] = b;
        if (!count)
            continue;
        BFL_TRY(second_moments(in, members, count, moments + *used * size * size));
        sizes[(*used)++] = count;
    }
    BFL_TRY(bfl_eigenvectors(in->workspace, moments, *used, size, values, vectors));
    bfl_release(in->workspace, BFL_SCRATCH, mark);
    return BANDFOLD_OK;
}

/* Bits by which rows of all matrices are told more coarsely: `find_row_shifts` of onboard/vector_quantisation.py. */
static void find_row_shifts(const search *in, const double *values, const double *vectors, int64_t count,
                            int64_t *row_shifts)
{
    const int64_t size = in->size;
    const double knee = bfl_knee(in->step), share = knee / (double)count;
    double strongest = 1e-9;
    for (int64_t n = 0; n < count * size; n++)
        if (values[n] / (FRACTION * FRACTION) > strongest)
            strongest = values[n] / (FRACTION * FRACTION);
    /* What vectors are told too coarsely as it is, for want of bits, rows are told more finely. */
    const double wanted = rint(bfl_log2_of(strongest * ((double)in->pixels / (in->step * in->step))) / 2);
    const double missing = wanted > BFL_FINEST_PRECISION ? wanted - BFL_FINEST_PRECISION : 0.0;
    for (int64_t n = 0; n < size; n++) {
        double lost = 0.0;
        for (int64_t one = 0; one < count; one++)
            for (int64_t k = 0; k < size; k++) {
                const double entry = vectors[(one * size + n) * size + k];
                const double variance = values[one * size + k] / (FRACTION * FRACTION);
                lost += entry * entry / ((variance > 0.0 ? variance : 0.0) + knee);
            }
        const double shift = rint(bfl_log2(lost * share) / -2) - missing;
        row_shifts[n] = shift < 0 ? 0 : shift > BFL_MOST_ROW_SHIFT ? BFL_MOST_ROW_SHIFT : (int64_t)shift;
    }
}

/* Tell a matrix as finely as so many pixels that share it are worth, and make it orthonormal again. */
static bandfold_status quantise_matrix(const search *in, const double *values, const double *vectors, int64_t pixels,
                                       const int64_t *row_shifts, int64_t *codes, int64_t *precisions,
                                       double *integers)
{
    const int64_t size = in->size;
    const bfl_block *mark = bfl_mark(in->workspace, BFL_SCRATCH);
    double *rows, *echelon, scales[BFL_MOST_ROTATED];
    int64_t *told, pivots[BFL_MOST_ROTATED];
    BFL_TAKE(rows, in->workspace, BFL_SCRATCH, (uint64_t)(size * size));
    BFL_TAKE(echelon, in->workspace, BFL_SCRATCH, (uint64_t)(size * size));
    BFL_TAKE(told, in->workspace, BFL_SCRATCH, (uint64_t)(size * size));
    for (int64_t k = 0; k < size; k++) {
        precisions[k] = bfl_vector_precision(values[k] / (FRACTION * FRACTION), in->step, pixels);
        scales[k] = ldexp(1.0, (int)precisions[k]);
        for (int64_t n = 0; n < size; n++)
            rows[k * size + n] = ldexp(vectors[n * size + k], -(int)row_shifts[n]);
    }
    bf_eliminate(rows, scales, size, size, LARGEST_CODE, told, echelon, pivots);
    for (int64_t k = 0; k < size; k++)
        for (int64_t n = 0; n < size; n++) {
            codes[n * size + k] = told[k * size + n];
            rows[k * size + n] = ldexp((double)told[k * size + n], (int)(row_shifts[n] - precisions[k]));
        }
    BFL_TRY(bfl_orthonormalise(in->workspace, rows, size, size));
    for (int64_t n = 0; n < size; n++)
        for (int64_t k = 0; k < size; k++)
            integers[n * size + k] = rint(rows[k * size + n] * BASIS_UNIT);
    bfl_release(in->workspace, BFL_SCRATCH, mark);
    return BANDFOLD_OK;
}

/* Alternate between the own basis of each class and the cheapest class of each block. */
static bandfold_status alternate(const search *in, int64_t classes, uint8_t *chosen, int64_t *costs)
{
    const bfl_block *mark = bfl_mark(in->workspace, BFL_SCRATCH);
    const int64_t size = in->size, area = size * size;
    int64_t used = 0, sizes[BFL_MOST_MATRICES];
    double *values, *vectors;
    BFL_TAKE(values, in->workspace, BFL_SCRATCH, (uint64_t)(BFL_MOST_MATRICES * size));
    BFL_TAKE(vectors, in->workspace, BFL_SCRATCH, (uint64_t)(BFL_MOST_MATRICES * area));
    BFL_TRY(bfl_first_classes(in->workspace, in->latents, size, in->blocks, classes, chosen));
    for (int round = 1; round < ROUNDS; round++) {
        BFL_TRY(class_bases(in, chosen, &used, sizes, values, vectors));
        for (int64_t n = 0; n < used * area; n++)
            vectors[n] = rint(vectors[n] * BASIS_UNIT);
        BFL_TRY(bfl_rotation_costs(in->workspace, in->latents, size, BF_CHANNELS, in->blocks, vectors, used, in->step,
                                   costs));
        bfl_choose_cheapest(costs, used, in->blocks, chosen);
    }
    bfl_release(in->workspace, BFL_SCRATCH, mark);
    return BANDFOLD_OK;
}

/* Bases of all classes as a stream tells them, and what each block costs under them. */
static bandfold_status tell_bases(const search *in, const uint8_t *chosen, bfl_matrices *found, int64_t *costs)
{
    const bfl_block *mark = bfl_mark(in->workspace, BFL_SCRATCH);
    const int64_t size = in->size, area = size * size;
    const double share = (double)in->pixels / (double)in->blocks;
    int64_t used = 0, sizes[BFL_MOST_MATRICES];
    double *values, *vectors;
    BFL_TAKE(values, in->workspace, BFL_SCRATCH, (uint64_t)(BFL_MOST_MATRICES * size));
    BFL_TAKE(vectors, in->workspace, BFL_SCRATCH, (uint64_t)(BFL_MOST_MATRICES * area));
    BFL_TRY(class_bases(in, chosen, &used, sizes, values, vectors));
    found->count = used;
    found->size = size;
    find_row_shifts(in, values, vectors, used, found->row_shifts);
    for (int64_t k = 0; k < used; k++)
        BFL_TRY(quantise_matrix(in, values + k * size, vectors + k * area, (int64_t)rint((double)sizes[k] * share),
                                found->row_shifts, found->codes + k * area, found->precisions + k * size, found->integers + k * area));
    BFL_TRY(bfl_rotation_costs(in->workspace, in->latents, size, BF_CHANNELS, in->blocks, found->integers, used,
                               in->step, costs));
    bfl_release(in->workspace, BFL_SCRATCH, mark);
    return BANDFOLD_OK;
}

/* What all blocks cost, each under the cheapest matrix but one. */
static int64_t cheapest_costs(const int64_t *costs, int64_t count, int64_t blocks, int64_t without)
{
    int64_t sum = 0;
    for (int64_t b = 0; b < blocks; b++) {
        int64_t least = INT64_MAX;
        for (int64_t k = 0; k < count; k++)
            if (k != without && costs[k * blocks + b] < least)
                least = costs[k * blocks + b];
        sum += least;
    }
    return sum;
}

static double matrix_bits(const bfl_matrices *matrices, int64_t number)
{
    const int64_t size = matrices->size;
    double bits[BFL_MOST_ROTATED];
    for (int64_t k = 0; k < size; k++)
        bits[k] = bfl_vector_bits(matrices->codes + number * size * size + k, size, k, size);
    return bf_sum_exactly(bits, size);
}

/* Leave out a matrix, and its row of costs. */
static void drop(bfl_matrices *matrices, int64_t *costs, int64_t blocks, int64_t number)
{
    const size_t behind = (size_t)(--matrices->count - number);
    const size_t size = (size_t)matrices->size, area = size * size, at = (size_t)number;
    memmove(matrices->codes + at * area, matrices->codes + (at + 1) * area, behind * area * sizeof *matrices->codes);
    memmove(matrices->integers + at * area, matrices->integers + (at + 1) * area,
            behind * area * sizeof *matrices->integers);
    memmove(matrices->precisions + at * size, matrices->precisions + (at + 1) * size,
            behind * size * sizeof *matrices->precisions);
    memmove(costs + at * (size_t)blocks, costs + (at + 1) * (size_t)blocks, behind * (size_t)blocks * sizeof *costs);
}

/* Drop, one after the other, matrices that save less than they cost. */
static void prune(const search *in, bfl_matrices *matrices, int64_t *costs)
{
    const double scale = SAVED * (double)in->pixels / (double)(in->blocks * BF_CHANNELS * BITS_UNIT);
    while (matrices->count > 1) {
        const int64_t cheapest = cheapest_costs(costs, matrices->count, in->blocks, -1);
        int64_t weakest = 0;
        double least = INFINITY;
        for (int64_t k = 0; k < matrices->count; k++) {
            const int64_t more = cheapest_costs(costs, matrices->count, in->blocks, k) - cheapest;
            const double saved = (double)more * scale - matrix_bits(matrices, k);
            if (saved < least) {
                least = saved;
                weakest = k;
            }
        }
        if (least > 0.0)
            break;
        drop(matrices, costs, in->blocks, weakest);
    }
}

/* What matrices save beyond their own bits. */
static bandfold_status gain_of(const search *in, const bfl_matrices *matrices, const int64_t *costs, double *gain)
{
    const bfl_block *mark = bfl_mark(in->workspace, BFL_SCRATCH);
    double bits[BFL_MOST_MATRICES];
    int64_t *as_they_are, whole = 0;
    BFL_TAKE(as_they_are, in->workspace, BFL_SCRATCH, (uint64_t)in->blocks);
    BFL_TRY(bfl_rotation_costs(in->workspace, in->latents, in->size, BF_CHANNELS, in->blocks, NULL, 1, in->step,
                               as_they_are));
    for (int64_t b = 0; b < in->blocks; b++)
        whole += as_they_are[b];
    for (int64_t k = 0; k < matrices->count; k++)
        bits[k] = matrix_bits(matrices, k);
    const double spent =
        bf_sum_exactly(bits, matrices->count) + bfl_rotation_map_bits(matrices->count, in->pixels);
    const int64_t saved = whole - cheapest_costs(costs, matrices->count, in->blocks, -1);
    *gain = SAVED * (double)saved / BITS_UNIT * (double)in->pixels / (double)(in->blocks * BF_CHANNELS) - spent;
    bfl_release(in->workspace, BFL_SCRATCH, mark);
    return BANDFOLD_OK;
}

bandfold_status bfl_search_rotations(bfl_workspace *workspace, const double *latents, int64_t size, int64_t blocks,
                                   double step, int64_t pixels, bfl_matrices *best)
{
    static const int64_t TRIED[SIZES] = {BFL_MOST_ROTATED, 24, 16, 8};
    const bfl_block *mark = bfl_mark(workspace, BFL_SCRATCH);
    int64_t classes = blocks / BLOCKS_PER_CLASS, searched = 0, *costs;
    double best_gain = 0.0;
    bfl_matrices *found;
    uint8_t *chosen;
    classes = classes < BFL_MOST_MATRICES ? classes : BFL_MOST_MATRICES;
    best->count = 0;
    BFL_TAKE(found, workspace, BFL_SCRATCH, 1);
    BFL_TAKE(costs, workspace, BFL_SCRATCH, (uint64_t)(BFL_MOST_MATRICES * blocks));
    BFL_TAKE(chosen, workspace, BFL_SCRATCH, (uint64_t)blocks);
    for (int n = 0; classes > 1 && n < SIZES; n++) {
        search in = {workspace, latents, size < TRIED[n] ? size : TRIED[n], blocks, pixels, step};
        double gain = 0.0;
        if (n && in.size == (size < TRIED[n - 1] ? size : TRIED[n - 1]))
            continue;
        /* Smaller matrices are for scenes that cannot afford many of the larger ones. */
        if (in.size < BFL_LEAST_ROTATED || best->count > classes / 2)
            break;
        const int64_t whole = in.size, few = whole < BFL_SEARCHED ? whole : BFL_SEARCHED;
        if (searched != few) {
            in.size = searched = few;
            BFL_TRY(alternate(&in, classes, chosen, costs));
            in.size = whole;
        }
        BFL_TRY(tell_bases(&in, chosen, found, costs));
        prune(&in, found, costs);
        BFL_TRY(gain_of(&in, found, costs, &gain));
        if (gain > best_gain) {
            *best = *found;
            best_gain = gain;
        }
    }
    bfl_release(workspace, BFL_SCRATCH, mark);
    return BANDFOLD_OK;
}
