/* What a stream may cost, by its bytes: the numbers of bitstream/container/stream_budget.py. */
#ifndef BFL_BUDGET_H
#define BFL_BUDGET_H

#include "workspace.h"

#define BFL_DEFAULT_MEMORY ((uint64_t)4 << 30)

/* Units of work, of some 20 nanoseconds each. */
enum {
    BFL_STRIP_WORK = 1 << 12,  /* of each strip that is claimed */
    BFL_SAMPLE_SHARE = 10,     /* samples to a unit: those that are written, scaled, or may be absent */
    BFL_PLANE_WORK = 1 << 5,   /* of each band of each strip; */
    BFL_SCALED_PLANE_WORK = 1 << 8, /* more where it is scaled */
    BFL_ZERO_SHARE = 8,        /* latents that are not read to a unit */
    BFL_LATENT_WORK = 1,       /* of each latent that is read */
    BFL_LIVE_SHARE = 2,        /* latents of components that are not all 0 to a unit */
    BFL_PRODUCT_SHARE = 1 << 7, /* products of a component and a band, for each pixel, to a unit */
    BFL_ROTATED_COMPONENTS = 1 << 5, /* of a rotation, that add a unit to the one of each rotated latent */
    BFL_BLOCK_WORK = 1 << 8,   /* of each block that chooses a rotation */
    BFL_PREDICTED_FACTOR = 4,  /* times the work of each byte, in streams of predicted bands */
    BFL_PREDICTED_SHARE = 2    /* samples that are predicted to a unit */
};

/* Bytes of memory and units of work that a stream of `size` bytes may take. */
uint64_t bfl_memory_limit(uint64_t size, uint64_t asked, int trusted);
uint64_t bfl_work_limit(uint64_t size, uint64_t factor, int trusted);

/* Take units of work off what is left, before it is done. */
bandfold_status bfl_charge(bfl_workspace *workspace, uint64_t units);

#endif
