/* The manifest of a package: a JSON object, docs/packages.md#the-file. */
#ifndef BFL_MANIFEST_H
#define BFL_MANIFEST_H

#include "byte_reader.h"

/* The text or the whole number of a key of the outermost object, as characters ended by a zero; returns 0 where there
 * is none, or one of more than `most` characters, or a text with escapes, which no name needs.
 */
int bfl_manifest_value(const bfl_bytes *json, const char *key, char *text, size_t most);

#endif
