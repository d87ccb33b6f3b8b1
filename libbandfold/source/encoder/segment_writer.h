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

/* Code a segment: `section` lies in scratch memory. */
bandfold_status bfl_write_segment(bfl_workspace *workspace, const bfl_tables *tables,
                                  const bfl_segment_content *content, bandfold_bytes *section);

#endif
