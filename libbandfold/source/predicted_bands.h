/* Bands that are predicted from bands, docs/format.md#reconstruction: all in integers. */
#ifndef BFL_PREDICTED_BANDS_H
#define BFL_PREDICTED_BANDS_H

#include "levels.h"
#include "predicted_model.h"

/* Planes of all bands of a strip in whole blocks, [bands][8 rows][8 columns] in sixteenths of a count, in scratch
 * memory.
 */
bandfold_status bfl_reconstruct_bands(bfl_workspace *workspace, const bfl_levels_source *source,
                                      const bfl_predicted_model *model, const bfl_levels *levels, uint64_t step_code,
                                      int32_t **planes);

#endif
