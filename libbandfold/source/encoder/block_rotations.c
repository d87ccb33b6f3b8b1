/* Kernels rotate a multiple of eight components: others are filled up with zeros, which cost nothing. */

#include "block_rotations.h"

#include "rate_model.h"

#include "encoding.h"

#include <math.h>
#include <string.h>

enum { LANES_OF_KERNEL = 8, CHANNELS_TRIED = 15 };

static int64_t filled_up(int64_t size)
{
    return (size + LANES_OF_KERNEL - 1) / LANES_OF_KERNEL * LANES_OF_KERNEL;
}

/* Matrices with rows and columns of zeros behind theirs. */
static void fill_up(const double *matrices, int64_t count, int64_t size, double *filled)
{
    const int64_t whole = filled_up(size);
    for (int64_t one = 0; one < count; one++)
        for (int64_t i = 0; i < size; i++)
            memcpy(filled + (one * whole + i) * whole, matrices + (one * size + i) * size,
                   (size_t)size * sizeof *filled);
}

bandfold_status bfl_rotation_costs(bfl_workspace *workspace, const double *latents, int64_t size, int64_t channels,
                                   int64_t blocks, const double *matrices, int64_t count, double step, int64_t *costs)
{
    const bfl_block *mark = bfl_mark(workspace, BFL_SCRATCH);
    const int64_t whole = filled_up(size), area = channels * blocks;
    const float scale = (float)bfl_bits_scale(step);
    if (whole != size) {
        double *more, *filled;
        BFL_TAKE(more, workspace, BFL_SCRATCH, (uint64_t)(whole * area));
        BFL_TAKE(filled, workspace, BFL_SCRATCH, (uint64_t)(count * whole * whole));
        memcpy(more, latents, (size_t)(size * area) * sizeof *more);
        if (matrices)
            fill_up(matrices, count, size, filled);
        latents = more;
        matrices = matrices ? filled : NULL;
    }
    bf_rotation_costs(latents, (int32_t)whole, (int32_t)channels, blocks, matrices, (int32_t)count, scale, costs);
    bfl_release(workspace, BFL_SCRATCH, mark);
    return BANDFOLD_OK;
}

void bfl_choose_cheapest(const int64_t *costs, int64_t count, int64_t blocks, uint8_t *chosen)
{
    for (int64_t b = 0; b < blocks; b++) {
        int64_t best = 0;
        for (int64_t one = 1; one < count; one++)
            best = costs[one * blocks + b] < costs[best * blocks + b] ? one : best;
        chosen[b] = (uint8_t)best;
    }
}

/* Rotation of a number of components that the kernel does not take; returns 1 if a latent exceeds 32 bits. */
static int rotate_few(int32_t *latents, int64_t size, int64_t blocks, const double *matrices, const uint8_t *chosen)
{
    const int64_t area = BF_CHANNELS * blocks;
    int failed = 0;
    for (int64_t place = 0; place < area; place++) {
        const double *matrix = matrices + chosen[place % blocks] * size * size;
        double given[BFL_MOST_ROTATED];
        for (int64_t i = 0; i < size; i++)
            given[i] = latents[i * area + place];
        for (int64_t j = 0; j < size; j++) {
            double sum = 0.0;
            for (int64_t i = 0; i < size; i++)
                sum += matrix[i * size + j] * given[i];
            const double found = rint(sum / 65536.0);
            const int out = fabs(found) > INT32_MAX;
            failed |= out;
            latents[j * area + place] = out ? 0 : (int32_t)found;
        }
    }
    return failed;
}

bandfold_status bfl_rotate_blocks(bfl_workspace *workspace, const bfl_matrices *matrices, double step, int32_t *latents,
                                  int64_t blocks, uint8_t *chosen)
{
    const bfl_block *mark = bfl_mark(workspace, BFL_SCRATCH);
    const int64_t channels = matrices->size <= BFL_SEARCHED ? BF_CHANNELS : CHANNELS_TRIED;
    const int64_t tried = channels * blocks, count = matrices->size * tried;
    double *strongest;
    int64_t *costs;
    BFL_TAKE(strongest, workspace, BFL_SCRATCH, (uint64_t)count);
    BFL_TAKE(costs, workspace, BFL_SCRATCH, (uint64_t)(matrices->count * blocks));
    for (int64_t n = 0; n < count; n++)
        strongest[n] = latents[n / tried * BF_CHANNELS * blocks + n % tried];
    BFL_TRY(bfl_rotation_costs(workspace, strongest, matrices->size, channels, blocks, matrices->integers,
                               matrices->count, step, costs));
    bfl_choose_cheapest(costs, matrices->count, blocks, chosen);
    const int failed = matrices->size % LANES_OF_KERNEL
                           ? rotate_few(latents, matrices->size, blocks, matrices->integers, chosen)
                           : bf_rotate(latents, (int32_t)matrices->size, blocks, matrices->integers, chosen);
    bfl_release(workspace, BFL_SCRATCH, mark);
    return failed ? bfl_refuse_large_latents(workspace) : BANDFOLD_OK;
}
