/* What a stream may cost, by its bytes: the numbers of bitstream/container/stream_budget.py. */
#ifndef BFL_BUDGET_H
#define BFL_BUDGET_H

#include "workspace.h"

#define BFL_DEFAULT_MEMORY ((uint64_t)4 << 30)

/* Units of work, of some 20 nanoseconds each. */
enum {
    BFL_STRIP_WORK = 1 << 9,   /* of each strip that is claimed */
    BFL_SAMPLE_SHARE = 8,      /* samples to a unit, where only means are written */
    BFL_PLANE_WORK = 1 << 8,   /* of each band of each strip */
    BFL_LATENT_WORK = 4,       /* of each latent that is read */
    BFL_BLOCK_WORK = 1 << 8,   /* of each block that chooses a rotation */
    BFL_PREDICTED_FACTOR = 4   /* times the work of each byte, in streams of predicted bands */
};

/* Bytes of memory and units of work that a stream of `size` bytes may take. */
uint64_t bfl_memory_limit(uint64_t size, uint64_t asked, int trusted);
uint64_t bfl_work_limit(uint64_t size, uint64_t factor, int trusted);

/* Take units of work off what is left, before it is done. */
bandfold_status bfl_charge(bfl_workspace *workspace, uint64_t units);

#endif
