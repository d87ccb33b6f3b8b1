/* The trained model of predicted bands as a package holds it: basis functions and contexts. No network is needed to
 * decode.
 */
#ifndef BFL_PREDICTED_MODEL_H
#define BFL_PREDICTED_MODEL_H

#include "package.h"
#include "tables_data.h"

typedef struct {
    int64_t engines;
    int32_t *kernels;    /* [engines][64][24][24], in units of 2**-14 */
    bfl_mode_data mode;  /* statistics of the latents */
} bfl_predicted_model;

/* Whether a package holds such a model. */
int bfl_is_predicted_model(const bfl_package *package);

/* Read it into lasting memory. */
bandfold_status bfl_read_predicted_model(bfl_workspace *workspace, const bfl_package *package,
                                         bfl_predicted_model *model);

#endif
