/* Headers of ENVI files. */
#ifndef ENVI_HEADER_H
#define ENVI_HEADER_H

#include "bandfold.h"

/* Write the header of a file of samples, band by band; returns 0 where that fails. */
int write_envi_header(const char *name, const bandfold_decoder *decoder);

#endif
