/* Sections of a stream as they are written, docs/format.md#sections. */
#ifndef BFL_SECTION_WRITER_H
#define BFL_SECTION_WRITER_H

#include "byte_writer.h"
#include "sections.h"

/* Begin a section whose payload takes at most `room` bytes, in scratch memory. */
bandfold_status bfl_begin_section(bfl_workspace *workspace, uint64_t room, bfl_output_bytes *payload);

/* Bytes of a section with a payload of so many. */
uint64_t bfl_section_size(uint64_t payload);

/* Put kind, length and checksums before a payload; `section` then holds all of it, in the same memory. */
bandfold_status bfl_end_section(bfl_workspace *workspace, bfl_kind kind, const bfl_output_bytes *payload,
                                bandfold_bytes *section);

#endif
