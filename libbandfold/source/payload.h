/* A payload that is read: words of tokens, and raw bits beside them. */
#ifndef BFL_PAYLOAD_H
#define BFL_PAYLOAD_H

#include "tables.h"

typedef struct {
    bfl_workspace *workspace;
    bf_reader reader;
    bf_bits raw;
    int32_t first_side;
} bfl_payload;

/* Begin to read; memory is scratch. */
bandfold_status bfl_open_payload(bfl_workspace *workspace, const bfl_tables *tables, const uint8_t *data, uint64_t size,
                                 bfl_payload *payload);

/* Refuse a payload that is not read to its end. */
bandfold_status bfl_finish_payload(bfl_payload *payload);

/* Read integers of side information: `mean` is their expected magnitude in units of 1/256. */
bandfold_status bfl_read_unsigned(bfl_payload *payload, uint64_t count, int64_t mean, int64_t *values);
bandfold_status bfl_read_signed(bfl_payload *payload, uint64_t count, int64_t mean, int64_t *values);

/* Read entries of a vector: `mean` is the expected magnitude of the first one, `rows` are running means of their rows, 0
 * where there is none, and are changed.
 */
bandfold_status bfl_read_entries(bfl_payload *payload, uint64_t count, int64_t mean, int64_t *rows, int64_t *values);

/* Read a field of raw bits. */
bandfold_status bfl_read_raw(bfl_payload *payload, int width, uint64_t *value);

/* Refuse the stream, or the section, as corrupt. */
bandfold_status bfl_corrupt(bfl_payload *payload, const char *reason);

#endif
