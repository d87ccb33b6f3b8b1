/* Package files (.bfm): zip archives of arrays, docs/packages.md#the-file. */
#ifndef BFL_PACKAGE_H
#define BFL_PACKAGE_H

#include "header.h"

/* A file of a package that is intact: see `bfl_find_package`. */
typedef struct {
    const uint8_t *data;
    uint64_t size;
} bfl_package;

enum { BFL_LONGEST_NAME = 64 };

/* An array of integers. */
typedef struct {
    int64_t *values;
    int64_t shape[4];
    int32_t dimensions;
    int64_t count; /* of all values */
} bfl_array;

/* The package of a name and a hash, among those that are given. */
bandfold_status bfl_find_package(bfl_workspace *workspace, const bandfold_bytes *packages, size_t count,
                                 const bfl_reference *reference, bfl_package *found);

/* Open a package of a kind, whatever its name; tells its name, which ends in a zero, and its hash. */
bandfold_status bfl_open_package(bfl_workspace *workspace, const bandfold_bytes *file, const char *kind,
                                 bfl_package *package, char name[BFL_LONGEST_NAME + 1], uint8_t identity[8]);

/* An array by its name, in scratch memory; `dimensions` are those that it must have. */
bandfold_status bfl_read_array(bfl_workspace *workspace, const bfl_package *package, const char *name,
                               int32_t dimensions, bfl_array *array);

/* An array of `count` float64 by its name, into lasting memory. */
bandfold_status bfl_read_doubles(bfl_workspace *workspace, const bfl_package *package, const char *name, int64_t count,
                                 double **values);

/* Whether a package has an array of a name. */
int bfl_has_array(const bfl_package *package, const char *name);

#endif
