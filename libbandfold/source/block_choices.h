/* What the first chunk of a segment says of samples and blocks. */
#ifndef BFL_BLOCK_CHOICES_H
#define BFL_BLOCK_CHOICES_H

#include "header.h"
#include "payload.h"

/* Absent samples, docs/format.md#no-data-mask: 1 in [bands][pixels], in scratch memory. */
bandfold_status bfl_read_mask(bfl_payload *payload, const bfl_header *header, uint32_t lines, uint8_t **absent);

/* Number of the rotation of each block, docs/format.md#rotation-map. */
bandfold_status bfl_read_rotation_map(bfl_payload *payload, int64_t rows, int64_t columns, int64_t matrices,
                                      uint8_t **chosen);

/* Codes of the weights of blocks, docs/format.md#block-weights. */
bandfold_status bfl_read_block_weights(bfl_payload *payload, int64_t rows, int64_t columns, uint8_t **codes);

#endif
