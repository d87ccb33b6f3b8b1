/* Everything that an encoder does, with settings, packages and samples that may be hostile. */
#ifndef ENCODE_ALL_H
#define ENCODE_ALL_H

#include "decode_all.h"

/* Encode lines with settings as `data` tells them, and decode what comes out; ends the process where memory is lost, or
 * where a stream that was encoded does not decode. Packages are tried in turn.
 */
outcome encode_all(const void *data, size_t size, const bandfold_bytes *packages, size_t package_count);

#endif
