/* Bytes that are put behind each other into memory of a known size. */
#ifndef BFL_BYTE_WRITER_H
#define BFL_BYTE_WRITER_H

#include "workspace.h"

typedef struct {
    uint8_t *data;
    uint64_t size, room;
    int full; /* whether something did not fit */
} bfl_output_bytes;

void bfl_put_byte(bfl_output_bytes *bytes, uint8_t value);
void bfl_put_bytes(bfl_output_bytes *bytes, const void *data, uint64_t size);

/* Little-endian numbers of 16 and 32 bits, and float64. */
void bfl_put_16(bfl_output_bytes *bytes, uint32_t value);
void bfl_put_32(bfl_output_bytes *bytes, uint32_t value);
void bfl_put_double(bfl_output_bytes *bytes, double value);

/* An integer of variable length: 10 bytes at most. */
void bfl_put_varint(bfl_output_bytes *bytes, uint64_t value);

enum { BFL_LONGEST_VARINT = 10 };

#endif
