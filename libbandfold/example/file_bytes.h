/* Whole files in memory. */
#ifndef FILE_BYTES_H
#define FILE_BYTES_H

#include <stddef.h>

/* Read a file; null where that fails. What is returned is to be freed. */
void *read_file(const char *name, size_t *size);

#endif
