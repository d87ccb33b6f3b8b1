/* Entropy decoding for C that calls it: see rans.c. */
#ifndef BANDFOLD_RANS_H
#define BANDFOLD_RANS_H

#include "kernels.h"

/* Words that are being decoded. */
typedef struct {
    const uint32_t *words;
    int64_t word_count, next_word;
    uint64_t state;
    const uint32_t *starts; /* [tables][table_size + 1]: the last one is 2**24 */
    const uint8_t *guess;   /* [tables][256]: first symbol that a state with these top bits may be */
    int32_t table_size;
} bf_reader;

/* Raw bits that are being read. */
typedef struct {
    const uint8_t *bits; /* one a byte */
    int64_t bit_count, next_bit;
} bf_bits;

/* Latents of a strip that are being read: [64][components][rows][columns], zero where nothing was read. */
typedef struct {
    int32_t *quantised;
    uint8_t *classes;
    uint8_t *states; /* [8][rows][columns], cleared at first; null where there is one quantiser only */
    uint8_t *memory; /* what is known of the last components: `bf_memory`, cleared at first */
    int32_t components, rows, columns;
    int32_t state_count; /* 8 or 32 */
    int32_t done; /* components that were read */
} bf_latents;

enum { BF_SIDE_CLASSES = 40, BF_SIDE_SHIFT = 8, BF_SIDE_MEMORY = 3 };

/* Class of the table of side information whose running mean is `mean` / 256: two an octave. */
BF_INLINE int bf_side_class(int64_t mean)
{
    int bits = 0;
    /* From 2**28 on it is the last class, and squares below stay far from overflow. */
    for (uint64_t square = mean < 1 << 28 ? (uint64_t)(mean * mean) : UINT64_MAX; square; square >>= 1)
        bits++;
    const int found = bits - 1 - BF_SIDE_SHIFT;
    return found < 0 ? 0 : found < BF_SIDE_CLASSES ? found : BF_SIDE_CLASSES - 1;
}

/* Running mean, in units of 1 / 256, after one more magnitude. */
BF_INLINE int64_t bf_moved_mean(int64_t mean, int64_t magnitude, int memory)
{
    mean += (magnitude * (1 << BF_SIDE_SHIFT) - mean) >> memory;
    return mean < 1 ? 1 : mean;
}

BF_INLINE int64_t bf_next_mean(int64_t mean, int64_t magnitude)
{
    return bf_moved_mean(mean, magnitude, BF_SIDE_MEMORY);
}

/* Class of the table of an entry of a vector, and both means after it: that of the vector, and that of the row, which is
 * 0 as long as there is none. See bitstream/payloads/entry_code.py.
 */
BF_INLINE int bf_entry_class(int64_t mean, int64_t row)
{
    return bf_side_class(row ? (mean + row) >> 1 : mean);
}

BF_INLINE void bf_move_entry_means(int64_t *mean, int64_t *row, int64_t magnitude)
{
    enum { VECTOR_MEMORY = 1, ROW_MEMORY = 2 };
    *mean = bf_moved_mean(*mean, magnitude, VECTOR_MEMORY);
    *row = bf_moved_mean(*row, magnitude, *row ? ROW_MEMORY : 0);
}

int32_t bf_entries(bf_reader *reader, bf_bits *raw, int32_t first_table, int64_t mean, int64_t *rows, int64_t *values,
                   int64_t count);
int32_t bf_integers(bf_reader *reader, bf_bits *raw, int32_t first_table, int64_t mean, int32_t with_signs,
                    int64_t *values, int64_t count);
int32_t bf_read(const bf_network *network, bf_reader *reader, bf_bits *raw, bf_latents *strip, int32_t first_table,
                const int64_t *extents, int32_t count);

#endif
