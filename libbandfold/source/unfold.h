/* Bands from components: the inverse of both KLTs, of some pixels of a line at a time. */
#ifndef BFL_UNFOLD_H
#define BFL_UNFOLD_H

#include "latents.h"

typedef struct {
    const bfl_fold *fold;
    const bfl_planes *planes;
    uint32_t samples;   /* of a line */
    double *first;      /* [components of all intervals][samples]: those of the line that was begun */
    int64_t *starts;    /* [intervals]: first component of each */
    uint8_t *live;      /* [components of all intervals]: whether it may be other than 0 */
} bfl_unfolding;

bandfold_status bfl_begin_unfolding(bfl_workspace *workspace, const bfl_fold *fold, const bfl_planes *planes,
                                    uint32_t samples, bfl_unfolding *unfolding);

/* Undo the second KLT of a line. */
void bfl_unfold_line(const bfl_unfolding *unfolding, int64_t line);

/* A band of that line with its mean, in counts, not rounded. */
void bfl_unfold_band(const bfl_unfolding *unfolding, int64_t line, int64_t band, double *row);

#endif
