/* Samples in, latents out: onboard/transform/analysis.py. */
#ifndef BFL_STRIP_ANALYSIS_H
#define BFL_STRIP_ANALYSIS_H

#include "held_strip.h"
#include "planned_fold.h"
#include "quantiser.h"

/* Fold the bands of a strip and transform blocks of the components; latents come in scratch memory. */
bandfold_status bfl_analyse_strip(bfl_workspace *workspace, const bfl_planned_fold *fold, const bfl_held_strip *strip,
                                  bfl_latents *latents);

#endif
