/* Reading numbers, checksums and text. */

#include "byte_reader.h"

#include <string.h>

uint32_t bfl_load_32(const uint8_t *from)
{
    return (uint32_t)from[0] | (uint32_t)from[1] << 8 | (uint32_t)from[2] << 16 | (uint32_t)from[3] << 24;
}

uint64_t bfl_load_64(const uint8_t *from)
{
    return (uint64_t)bfl_load_32(from) | (uint64_t)bfl_load_32(from + 4) << 32;
}

double bfl_load_double(const uint8_t *from)
{
    const uint64_t bits = bfl_load_64(from);
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

int bfl_read_byte(bfl_bytes *bytes, uint8_t *value)
{
    if (bytes->at >= bytes->size)
        return 0;
    *value = bytes->data[bytes->at++];
    return 1;
}

int bfl_read_double(bfl_bytes *bytes, double *value)
{
    if (bytes->size - bytes->at < 8)
        return 0;
    *value = bfl_load_double(bytes->data + bytes->at);
    bytes->at += 8;
    return 1;
}

int bfl_read_varint(bfl_bytes *bytes, uint64_t *value)
{
    uint64_t found = 0;
    for (int shift = 0; shift < 70; shift += 7) {
        uint8_t byte;
        if (!bfl_read_byte(bytes, &byte))
            return 0;
        /* The tenth byte has one bit of 64. */
        if (shift == 63 && (byte & 0x7f) > 1)
            return 0;
        found |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80) {
            *value = found;
            return 1;
        }
    }
    return 0;
}

/* Remainders of half a byte by the Castagnoli polynomial, reflected. */
static const uint32_t REMAINDERS[16] = {
    0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1, 0x417b1dbc, 0x5125dad3, 0x61c69362, 0x7198540d,
    0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9, 0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75,
};

uint32_t bfl_crc32c(uint32_t before, const uint8_t *data, uint64_t size)
{
    uint32_t crc = ~before;
    for (uint64_t n = 0; n < size; n++) {
        crc ^= data[n];
        crc = crc >> 4 ^ REMAINDERS[crc & 15];
        crc = crc >> 4 ^ REMAINDERS[crc & 15];
    }
    return ~crc;
}

int bfl_is_utf8(const uint8_t *text, uint64_t size)
{
    for (uint64_t n = 0; n < size;) {
        const uint8_t first = text[n++];
        const int more = first < 0x80 ? 0 : first >= 0xc2 && first < 0xe0 ? 1 : (first & 0xf0) == 0xe0 ? 2
                         : first >= 0xf0 && first < 0xf5 ? 3 : -1;
        if (more < 0 || (uint64_t)more > size - n)
            return 0;
        for (int k = 0; k < more; k++)
            if ((text[n + k] & 0xc0) != 0x80)
                return 0;
        /* Longer forms than needed, surrogates, and what lies beyond the last character. */
        if ((first == 0xe0 && text[n] < 0xa0) || (first == 0xed && text[n] >= 0xa0) ||
            (first == 0xf0 && text[n] < 0x90) || (first == 0xf4 && text[n] >= 0x90))
            return 0;
        n += (uint64_t)more;
    }
    return 1;
}
