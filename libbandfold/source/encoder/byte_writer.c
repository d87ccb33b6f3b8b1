/* What does not fit is left out and told. */

#include "byte_writer.h"

#include <string.h>

void bfl_put_bytes(bfl_output_bytes *bytes, const void *data, uint64_t size)
{
    if (size > bytes->room - bytes->size) {
        bytes->full = 1;
        return;
    }
    if (size)
        memcpy(bytes->data + bytes->size, data, (size_t)size);
    bytes->size += size;
}

void bfl_put_byte(bfl_output_bytes *bytes, uint8_t value)
{
    bfl_put_bytes(bytes, &value, 1);
}

static void put_number(bfl_output_bytes *bytes, uint64_t value, int size)
{
    for (int n = 0; n < size; n++)
        bfl_put_byte(bytes, (uint8_t)(value >> 8 * n));
}

void bfl_put_16(bfl_output_bytes *bytes, uint32_t value)
{
    put_number(bytes, value, 2);
}

void bfl_put_32(bfl_output_bytes *bytes, uint32_t value)
{
    put_number(bytes, value, 4);
}

void bfl_put_double(bfl_output_bytes *bytes, double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    put_number(bytes, bits, 8);
}

void bfl_put_varint(bfl_output_bytes *bytes, uint64_t value)
{
    for (; value > 0x7f; value >>= 7)
        bfl_put_byte(bytes, (uint8_t)(value | 0x80));
    bfl_put_byte(bytes, (uint8_t)value);
}
