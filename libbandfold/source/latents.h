/* Latents of components from their levels, and planes from latents. */
#ifndef BFL_LATENTS_H
#define BFL_LATENTS_H

#include "cosine.h"
#include "levels.h"

/* Planes of the components of a strip in whole blocks, in scratch memory. */
typedef struct {
    int64_t components, height, width; /* multiples of 8 */
    double *samples;                   /* [components][height][width] */
    uint8_t *live;                     /* [components]: whether a component has any latent that is not 0 */
} bfl_planes;

/* In float64 and counts, as decoders do it that do not refine. */
bandfold_status bfl_real_planes(bfl_workspace *workspace, const bfl_levels_source *source, const bfl_cosine *cosine,
                                const bfl_levels *levels, double step, bfl_planes *planes);

/* In integers and sixteenths of a count, the same on every machine: docs/format.md#exact-base. */
bandfold_status bfl_exact_planes(bfl_workspace *workspace, const bfl_levels_source *source, const bfl_cosine *cosine,
                                 const bfl_levels *levels, uint64_t step_code, bfl_planes *planes);

/* Add a row times a factor to another one. */
static inline void bfl_add_scaled(double *restrict row, const double *restrict from, double factor, int64_t count)
{
    for (int64_t x = 0; x < count; x++)
        row[x] += factor * from[x];
}

/* Whether all levels are 0. */
int bfl_is_flat(const bfl_levels *levels);

#endif
