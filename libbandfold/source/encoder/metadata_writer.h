/* Metadata as they are written: bitstream/payloads/metadata_code.py. */
#ifndef BFL_METADATA_WRITER_H
#define BFL_METADATA_WRITER_H

#include "payload_writer.h"
#include "section_writer.h"

/* Write fields of a header, of which there is one at least, in scratch memory. */
bandfold_status bfl_write_metadata(bfl_workspace *workspace, const bfl_tables *tables, const bandfold_field *fields,
                                   uint32_t count, bandfold_bytes *section);

#endif
