/* Finding the matrices that pay for themselves: `find_rotations` of onboard/transform/rotation_search.py. */
#ifndef BFL_ROTATION_SEARCH_H
#define BFL_ROTATION_SEARCH_H

#include "block_rotations.h"

/* Search on latents of sampled blocks, [size][64][blocks] with the strongest components first, at most
 * BFL_MOST_ROTATED of them; the sample stands for `pixels`. Without any that pays `best` has none.
 */
bandfold_status bfl_search_rotations(bfl_workspace *workspace, const double *latents, int64_t size, int64_t blocks,
                                   double step, int64_t pixels, bfl_matrices *best);

/* First classes of blocks, by k-means on their normalised second moments: see block_classes.c. */
bandfold_status bfl_first_classes(bfl_workspace *workspace, const double *latents, int64_t size, int64_t blocks,
                                  int64_t classes, uint8_t *chosen);

#endif
