/* What a chunk of a segment is worth for each of its bytes: bitstream/container/segment_layout.py. */
#ifndef BFL_CHUNK_WORTH_H
#define BFL_CHUNK_WORTH_H

#include <stdint.h>

/* In half octaves, 0 to 255: of energy * step_code**2 / size. */
uint8_t bfl_chunk_worth(uint64_t energy, uint32_t step_code, uint64_t size);

#endif
