/* Segments as they are written: bitstream/segments/segment.py. */
#ifndef BFL_SEGMENT_WRITER_H
#define BFL_SEGMENT_WRITER_H

#include "section_writer.h"
#include "segment_layout.h"
#include "tables.h"

/* What a segment holds. */
typedef struct {
    bfl_place place;
    uint32_t step_code;      /* of its latents, told or not */
    int64_t components, rows, columns;
    const int32_t *levels;   /* [64][components][rows][columns] */
    const uint8_t *classes;  /* the same */
    const uint8_t *chosen;   /* [rows][columns]: rotation of each block; null where there are no rotations */
    int64_t matrices;
    const uint8_t *absent;   /* [bands][lines][samples]: which samples have no data; null where none may be absent */
    int64_t bands, pixels;   /* of the strip */
} bfl_segment_content;

enum { BFL_MOST_CHUNKS = 32 };

/* Components of a segment that are coded together. */
typedef struct {
    int64_t first, components; /* which it holds */
    uint64_t start, size;      /* of its payload among those of all chunks */
    uint8_t worth;
} bfl_coded_chunk;

/* A segment whose chunks are coded, strongest first; those behind the first `count` are left out. */
typedef struct {
    bfl_place place;
    bfl_coded_chunk chunks[BFL_MOST_CHUNKS];
    int64_t count;
    bfl_output_bytes data; /* payloads of all chunks */
} bfl_coded_segment;

/* Code a segment, in scratch memory. */
bandfold_status bfl_code_segment(bfl_workspace *workspace, const bfl_tables *tables,
                                 const bfl_segment_content *content, bfl_coded_segment *coded);

/* Bytes of its section. */
uint64_t bfl_segment_size(const bfl_coded_segment *coded);

/* Write it as a section, in scratch memory. */
bandfold_status bfl_write_segment(bfl_workspace *workspace, const bfl_coded_segment *coded, bandfold_bytes *section);

#endif
