/* The header of a stream. */
#ifndef BFL_HEADER_H
#define BFL_HEADER_H

#include "workspace.h"

typedef enum { BFL_COSINE = 0, BFL_NETWORKS, BFL_PREDICTED } bfl_transform;

/* Those of a trellis have 8 and 32 states. */
enum { BFL_UNIFORM = 0, BFL_TRELLIS_8, BFL_TRELLIS_32 };

/* A package that the stream names. */
typedef struct {
    const uint8_t *name;
    uint64_t length;      /* of the name */
    uint8_t identity[8];  /* first bytes of its SHA-256 */
} bfl_reference;

typedef struct {
    uint32_t bands, lines, samples;
    uint32_t strip_lines;
    uint64_t step_code;       /* 1/256 of a count */
    bandfold_type type;
    bandfold_interleave interleave;
    uint8_t big_endian;
    uint8_t open;             /* whether the number of lines was not known at first */
    uint8_t spectral, quantiser, regional, weighted;
    uint8_t scaled, has_no_data, has_model, has_sensor;
    bfl_transform transform;
    int32_t lowest, highest;  /* counts */
    double scale, offset;     /* of all bands but those that have their own */
    uint8_t *own_doublings;   /* of each band, where samples are scaled */
    double *own_offsets;
    double no_data;
    uint8_t tables[8];        /* identity */
    bfl_reference model, sensor;
} bfl_header;

bandfold_status bfl_read_header(bfl_workspace *workspace, const uint8_t *payload, uint64_t size, bfl_header *header);

/* Number of strips, and lines of one. */
uint32_t bfl_strip_count(const bfl_header *header);
uint32_t bfl_strip_height(const bfl_header *header, uint64_t strip);

/* Scale of the counts of a band that are worth `2**doublings` times what the header says. */
double bfl_band_scale(const bfl_header *header, uint32_t band, uint32_t doublings);

/* Whether all these scales are finite. */
int bfl_scales_are_finite(const bfl_header *header, uint32_t doublings);

#endif
