/* Metadata as they are written: bitstream/payloads/metadata_code.py. */
#ifndef BFL_METADATA_WRITER_H
#define BFL_METADATA_WRITER_H

#include "payload_writer.h"
#include "section_writer.h"

/* Whether fields are texts in UTF-8 and lists of them, not too long: others are refused. */
bandfold_status bfl_check_fields(bfl_workspace *workspace, const bandfold_field *fields, uint32_t count);

/* Write fields of a header that were checked, of which there is one at least, in scratch memory. */
bandfold_status bfl_write_metadata(bfl_workspace *workspace, const bfl_tables *tables, const bandfold_field *fields,
                                   uint32_t count, bandfold_bytes *section);

#endif
