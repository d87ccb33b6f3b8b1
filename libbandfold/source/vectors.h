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

enum { BFL_FINEST_PRECISION = 16, BFL_LARGEST_ENTRY = 1 << 20, BFL_MOST_ROW_SHIFT = 16 };

/* Make vectors orthonormal from first to last, in place: rows of [count][length]. */
bandfold_status bfl_orthonormalise(bfl_workspace *workspace, double *rows, int64_t length, int64_t count);

/* Read precisions of vectors, 1 to 16 bits each. */
bandfold_status bfl_read_precisions(bfl_payload *payload, int64_t count, int64_t *precisions);

/* Expected magnitude of an entry of a unit vector, in units of 1/256. */
int64_t bfl_expected_entry(int64_t length, int64_t precision);

/* Units of work that orthonormal vectors take. */
uint64_t bfl_vector_work(int64_t length, int64_t count);

enum {
    /* In place of a number of intervals or matrices, which follows: vectors are triangular. Twice: and told by rows. */
    BFL_TRIANGULAR = 0
};

/* How entries of vectors are told. */
typedef enum { BFL_PLAINLY, BFL_TRIANGULARLY, BFL_BY_ROWS } bfl_telling;

/* Read a number of intervals or matrices, where *number may be BFL_TRIANGULAR already, and how vectors are told. */
bandfold_status bfl_read_telling(bfl_payload *payload, int64_t *number, bfl_telling *telling);

/* Running means of rows, and how much more coarsely rows are told than others: `RowMeans` of
 * bitstream/payloads/vector_code.py.
 */
typedef struct {
    int64_t *shifts, *means; /* [length] */
    int64_t *told;           /* [length]: means of the open rows of a vector */
    int64_t length, precision;
    int follow; /* entries are larger the more finely their vector is told */
} bfl_row_means;

/* Rows of which nothing was told, all told alike, in scratch memory. */
bandfold_status bfl_begin_rows(bfl_workspace *workspace, int64_t length, int follow, bfl_row_means *rows);

/* Read how much more coarsely rows are told. */
bandfold_status bfl_read_row_shifts(bfl_payload *payload, bfl_row_means *rows);

/* The rows of which the next vector of a list tells entries. Triangular vectors leave out the pivots of those before. */
typedef struct {
    int64_t *rows; /* [count] */
    int64_t count;
    int triangular;
} bfl_open_rows;

/* All of so many rows, in scratch memory. */
bandfold_status bfl_open_all_rows(bfl_workspace *workspace, int64_t length, int triangular, bfl_open_rows *open);

/* Once the entries of a vector in open rows are known: close its pivot, the row of the largest, the first of equals. */
void bfl_close_pivot(const int64_t *entries, bfl_open_rows *open);

/* Put the entries of open rows where they belong, scaled by their precision; all others are 0. */
void bfl_place_entries(const int64_t *entries, const bfl_open_rows *open, int64_t precision, int64_t length,
                       double *row);

/* Begin a vector of which open rows are told: `means->told`, and the expected magnitude of the first entry. */
int64_t bfl_begin_vector(bfl_row_means *means, const bfl_open_rows *open, int64_t precision);

/* Take in what `means->told` is behind a vector. */
void bfl_end_vector(bfl_row_means *means, const bfl_open_rows *open);

/* Read the entries of a vector in open rows; without `means` they are not told by rows. */
bandfold_status bfl_read_open_entries(bfl_payload *payload, const bfl_open_rows *open, bfl_row_means *means,
                                      int64_t precision, int64_t *entries);

/* Read vectors whose entries have no natural order, as rows of `rows`, scaled by their precisions and row shifts. */
bandfold_status bfl_read_vectors(bfl_payload *payload, int64_t length, int64_t count, bfl_telling telling,
                                 bfl_row_means *means, int64_t *precisions, double *rows);

/* A basis of orthonormal rows, rounded to 2**-16 in coordinates that are multiplied by `weights` (null: 1), and its
 * inverse, in lasting memory.
 */
bandfold_status bfl_make_basis(bfl_workspace *workspace, const double *rows, const double *weights, bfl_basis *basis);

#endif
