/* The header of a stream as it is written, and its metadata. */
#ifndef BFL_HEADER_WRITER_H
#define BFL_HEADER_WRITER_H

#include "header.h"
#include "section_writer.h"

enum { BFL_PREAMBLE_BYTES = 10 };

/* Signature and version. */
void bfl_put_preamble(bfl_output_bytes *output);

/* Header of a stream whose fold comes from a package, in scratch memory. */
bandfold_status bfl_write_header(bfl_workspace *workspace, const bfl_header *header, bandfold_bytes *section);

/* The end of a stream: how many lines and strips it has. */
bandfold_status bfl_write_end(bfl_workspace *workspace, uint64_t lines, uint64_t strips, bandfold_bytes *section);

#endif
