/* A payload that is written: tokens, and raw bits beside them. bitstream/payloads/payload.py reads likewise. */
#ifndef BFL_PAYLOAD_WRITER_H
#define BFL_PAYLOAD_WRITER_H

#include "byte_writer.h"
#include "tables.h"

/* Tokens lie in groups that share a table. */
typedef struct {
    bfl_workspace *workspace;
    const bfl_tables *tables;
    uint8_t *tokens;       /* [token_room] */
    int32_t *token_tables; /* [group_room]: table of each group */
    int32_t *counts;       /* [group_room]: tokens of each group */
    uint8_t *bits;         /* [bit_room]: one a byte */
    int64_t token_count, token_room, group_count, group_room, bit_count, bit_room;
} bfl_payload_writer;

enum { BFL_MOST_BITS_OF_INTEGER = 36 }; /* its sign and the bits behind its token */

/* Begin a payload, in scratch memory, for `integers` of side information and for tokens of latents in so many groups,
 * with so many bits of their own.
 */
bandfold_status bfl_begin_payload(bfl_workspace *workspace, const bfl_tables *tables, uint64_t integers,
                                  uint64_t tokens, uint64_t groups, uint64_t bits, bfl_payload_writer *payload);

/* Append integers of side information: `mean` is their expected magnitude in units of 1/256. */
bandfold_status bfl_put_unsigned(bfl_payload_writer *payload, const int64_t *values, uint64_t count, int64_t mean);
bandfold_status bfl_put_signed(bfl_payload_writer *payload, const int64_t *values, uint64_t count, int64_t mean);

/* Append entries of a vector: `rows` are running means of their rows, 0 where there is none, and are changed. */
bandfold_status bfl_put_entries(bfl_payload_writer *payload, const int64_t *values, uint64_t count, int64_t mean,
                                int64_t *rows);

/* Append one that is not negative. */
bandfold_status bfl_put_one(bfl_payload_writer *payload, int64_t value, int64_t mean);

/* Bytes that a payload takes at most. */
uint64_t bfl_payload_room(const bfl_payload_writer *payload);

/* Write the words and the raw bits. */
bandfold_status bfl_end_payload(bfl_payload_writer *payload, bfl_output_bytes *output);

#endif
