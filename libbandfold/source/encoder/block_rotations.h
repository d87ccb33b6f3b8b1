/* Matrices that rotate the strongest components of blocks: onboard/transform/rotation.py. */
#ifndef BFL_BLOCK_ROTATIONS_H
#define BFL_BLOCK_ROTATIONS_H

#include "workspace.h"

enum {
    BFL_MOST_MATRICES = 16,
    BFL_MOST_ROTATED = 32,  /* components that are rotated at most */
    BFL_LEAST_ROTATED = 3,  /* folds of fewer components have no rotations */
    BFL_SEARCHED = 16       /* components by which the blocks of a sample are sorted into classes */
};

/* Square matrices, as they are told and as they rotate. */
typedef struct {
    int64_t count, size;
    int64_t codes[BFL_MOST_MATRICES * BFL_MOST_ROTATED * BFL_MOST_ROTATED]; /* [count][size][size] */
    int64_t precisions[BFL_MOST_MATRICES * BFL_MOST_ROTATED];               /* [count][size] */
    int64_t row_shifts[BFL_MOST_ROTATED]; /* [size]: bits by which rows are told more coarsely */
    double integers[BFL_MOST_MATRICES * BFL_MOST_ROTATED * BFL_MOST_ROTATED]; /* in units of 2**-16 */
} bfl_matrices;

/* What blocks cost as each matrix of `count` rotates them, or as they are where matrices are null, in 1/256 bit:
 * `latents` are of shape [size][channels][blocks], costs of [count][blocks].
 */
bandfold_status bfl_rotation_costs(bfl_workspace *workspace, const double *latents, int64_t size, int64_t channels,
                                   int64_t blocks, const double *matrices, int64_t count, double step,
                                   int64_t *costs);

/* The first of the cheapest matrices of each block. */
void bfl_choose_cheapest(const int64_t *costs, int64_t count, int64_t blocks, uint8_t *chosen);

/* Choose a matrix for every block, and rotate its strongest components: latents are of shape [components][64][blocks].
 */
bandfold_status bfl_rotate_blocks(bfl_workspace *workspace, const bfl_matrices *matrices, double step, int32_t *latents,
                                  int64_t blocks, uint8_t *chosen);

#endif
