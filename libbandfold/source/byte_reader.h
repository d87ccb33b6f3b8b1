/* Numbers in bytes: little-endian, and of variable length. */
#ifndef BFL_BYTE_READER_H
#define BFL_BYTE_READER_H

#include <stddef.h>
#include <stdint.h>

/* Bytes that are read from the first on. */
typedef struct {
    const uint8_t *data;
    uint64_t size, at;
} bfl_bytes;

uint32_t bfl_load_32(const uint8_t *from);
uint64_t bfl_load_64(const uint8_t *from);
double bfl_load_double(const uint8_t *from);

/* Each reads the next number and returns 1, or returns 0 where the bytes end too early or it has more than 64 bits. */
int bfl_read_byte(bfl_bytes *bytes, uint8_t *value);
int bfl_read_double(bfl_bytes *bytes, double *value);
int bfl_read_varint(bfl_bytes *bytes, uint64_t *value);

/* CRC-32C of bytes behind others of the checksum `before`; 0 for none. */
uint32_t bfl_crc32c(uint32_t before, const uint8_t *data, uint64_t size);

/* Whether bytes are UTF-8 text. */
int bfl_is_utf8(const uint8_t *text, uint64_t size);

#endif
