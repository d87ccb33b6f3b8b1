/* The fold of a sensor, as a package holds it: docs/packages.md#packages-of-sensors. */
#ifndef BFL_SENSOR_BASIS_H
#define BFL_SENSOR_BASIS_H

#include "package.h"

/* Orthonormal vectors of a package. */
typedef struct {
    int64_t length, count;
    int64_t *precisions; /* [count] */
    double *rows;        /* [count][length] */
} bfl_sensor_vectors;

typedef struct {
    int64_t bands, intervals;
    int64_t *ends, *merged;    /* [intervals] */
    int64_t *means;            /* [bands] */
    bfl_sensor_vectors *first; /* [intervals] */
    bfl_sensor_vectors second;
} bfl_sensor;

/* Read the basis of a package into lasting memory. */
bandfold_status bfl_read_sensor(bfl_workspace *workspace, const bfl_package *package, bfl_sensor *sensor);

#endif
