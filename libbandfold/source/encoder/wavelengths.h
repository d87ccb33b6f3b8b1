/* Whether lines and a package are of one sensor: common/wavelengths.py. */
#ifndef BFL_WAVELENGTHS_H
#define BFL_WAVELENGTHS_H

#include "sensor_basis.h"

/* Refuse metadata that tell a wavelength which is off that of the package by more than half the distance between bands.
 * Nothing is said where either tells none.
 */
bandfold_status bfl_check_wavelengths(bfl_workspace *workspace, const bfl_package *package, int64_t bands,
                                      const bandfold_field *fields, uint32_t count);

#endif
