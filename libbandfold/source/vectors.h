/* Coarsely quantised vectors that are made orthonormal, the same on every machine: bitstream/transforms/vectors.py. */
#ifndef BFL_VECTORS_H
#define BFL_VECTORS_H

#include "payload.h"

/* The vectors of a KLT or of a rotation, in columns. */
typedef struct {
    int64_t length, count;
    int64_t *precisions; /* [count] */
    double *integers;    /* [length][count]: in units of 2**-16 */
    double *inverse;     /* [length][count]: from coefficients back to what they were made of */
} bfl_basis;

enum { BFL_FINEST_PRECISION = 16, BFL_LARGEST_ENTRY = 1 << 20 };

/* Make vectors orthonormal from first to last, in place: rows of [count][length]. */
bandfold_status bfl_orthonormalise(bfl_workspace *workspace, double *rows, int64_t length, int64_t count);

/* Read precisions of vectors, 1 to 16 bits each. */
bandfold_status bfl_read_precisions(bfl_payload *payload, int64_t count, int64_t *precisions);

/* Expected magnitude of an entry of a unit vector, in units of 1/256. */
int64_t bfl_expected_entry(int64_t length, int64_t precision);

/* Units of work that orthonormal vectors take. */
uint64_t bfl_vector_work(int64_t length, int64_t count);

/* Read vectors whose entries have no natural order, as rows of `rows`, scaled by their precisions. */
bandfold_status bfl_read_vectors(bfl_payload *payload, int64_t length, int64_t count, int64_t *precisions,
                                 double *rows);

/* A basis of orthonormal rows, rounded to 2**-16 in coordinates that are multiplied by `weights` (null: 1), and its
 * inverse, in lasting memory.
 */
bandfold_status bfl_make_basis(bfl_workspace *workspace, const double *rows, const double *weights, bfl_basis *basis);

#endif
