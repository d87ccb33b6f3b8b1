/* The fields of bitstream/container/header.py. */

#include "header_writer.h"

enum { SPECTRAL = 1, NO_DATA = 16, SENSOR = 32, FIXED_BYTES = 128, BLOCK = 8 };

void bfl_put_preamble(bfl_output_bytes *output)
{
    bfl_put_bytes(output, "\x89" "BNDF\r\n\x1a", 8);
    bfl_put_16(output, 2);
}

bandfold_status bfl_write_header(bfl_workspace *workspace, const bfl_header *header, bandfold_bytes *section)
{
    bfl_output_bytes payload;
    BFL_TRY(bfl_begin_section(workspace, FIXED_BYTES + header->sensor.length, &payload));
    bfl_put_byte(&payload, (uint8_t)(SPECTRAL | SENSOR | (header->has_no_data ? NO_DATA : 0)));
    bfl_put_byte(&payload, (uint8_t)header->type);
    bfl_put_byte(&payload, (uint8_t)(header->interleave | header->big_endian << 2));
    bfl_put_byte(&payload, BFL_COSINE);
    bfl_put_byte(&payload, header->quantiser);
    bfl_put_varint(&payload, header->bands);
    /* The number of lines is told at the end. */
    bfl_put_varint(&payload, 0);
    bfl_put_varint(&payload, header->samples);
    bfl_put_varint(&payload, header->strip_lines / BLOCK);
    bfl_put_varint(&payload, header->step_code);
    bfl_put_bytes(&payload, header->tables, sizeof header->tables);
    if (header->has_no_data)
        bfl_put_double(&payload, header->no_data);
    /* There is no model. */
    bfl_put_varint(&payload, 0);
    bfl_put_varint(&payload, header->sensor.length);
    bfl_put_bytes(&payload, header->sensor.name, header->sensor.length);
    bfl_put_bytes(&payload, header->sensor.identity, sizeof header->sensor.identity);
    return bfl_end_section(workspace, BFL_HEADER, &payload, section);
}

bandfold_status bfl_write_end(bfl_workspace *workspace, uint64_t lines, uint64_t strips, bandfold_bytes *section)
{
    bfl_output_bytes payload;
    BFL_TRY(bfl_begin_section(workspace, 2 * BFL_LONGEST_VARINT, &payload));
    bfl_put_varint(&payload, lines);
    bfl_put_varint(&payload, strips);
    return bfl_end_section(workspace, BFL_END, &payload, section);
}
