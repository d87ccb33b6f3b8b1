/* Entropy coding: the words of constriction's AnsCoder. See bitstream/entropy/ans.py and bitstream/segments/latents.py. */

#include "encoding.h"
#include "rans.h"
#include "tokens.h"

#include <string.h>

enum { PRECISION = 24, WORD = 32, MOST_TABLES = 256, ANS_LANES = 2, TOGETHER = 16 };

/* Upper half of a product. */
BF_INLINE uint64_t high_product(uint64_t a, uint64_t b)
{
#if defined(__SIZEOF_INT128__)
    return (uint64_t)((unsigned __int128)a * b >> 64);
#else
    const uint64_t low_a = (uint32_t)a, high_a = a >> 32, low_b = (uint32_t)b, high_b = b >> 32;
    const uint64_t across = high_a * low_b + (low_a * low_b >> 32), other = low_a * high_b + (uint32_t)across;
    return high_a * high_b + (across >> 32) + (other >> 32);
#endif
}

/* A part that is being encoded: from its last symbol to its first one, words from their end. */
typedef struct {
    const uint8_t *symbol; /* behind the next one */
    uint32_t *word;        /* in front of which the next one goes */
    uint64_t state;
    int64_t group, first_group;
    int32_t left; /* symbols of the group */
    int64_t number;
    uint32_t *end; /* of its words */
} part_encoder;

/* What pushing a symbol takes, in a word of 64 bits and the reciprocal behind it: the quotient of a state and a frequency is
 * the upper half of `(state + more) * reciprocal`, shifted by the lowest six bits.
 */
enum { START_BIT = 6, FREQUENCY_BIT = 38, MORE_BIT = 63 };

/* Reciprocals of all frequencies: shapes as in `bf_encode`, and [tables][table_size + 1] of `starts`.
 *
 * States are below frequency * 2**40 when they are divided. A reciprocal of 64 bits that is rounded up is exact for all of
 * these, or else one that is rounded down is for all states that are one more (Granlund and Montgomery 1994).
 */
BF_EXPORT void bf_pushes(const uint32_t *starts, int64_t tables, int32_t table_size, uint64_t *pushes)
{
    for (int64_t table = 0; table < tables; table++, starts++)
        for (int32_t symbol = 0; symbol < table_size; symbol++, starts++, pushes += 2) {
            const uint64_t start = starts[0], frequency = starts[1] - start;
            int shift = 0;
            while (UINT64_C(2) << shift < frequency)
                shift++;
            /* 2**(64 + shift) / frequency, in two steps. */
            const uint64_t power = UINT64_C(1) << (WORD + shift), upper = power / frequency;
            const uint64_t left = (power - upper * frequency) << WORD, lower = left / frequency;
            const uint64_t rest = left - lower * frequency;
            const uint64_t error = rest ? frequency - rest : 0;
            const uint64_t more = frequency == 1 || error * frequency > UINT64_C(1) << (PRECISION + shift);
            pushes[0] = more << MORE_BIT | frequency << FREQUENCY_BIT | start << START_BIT | (uint64_t)shift;
            pushes[1] = (upper << WORD) + lower + (frequency == 1 ? UINT64_MAX : !more && rest);
        }
}

/* Push so many symbols of the group at hand of each of `lanes` parts: each is a chain of operations that wait for each
 * other, so two go side by side.
 */
BF_INLINE void push(part_encoder *parts, int lanes, int32_t count, const uint64_t *pushes, int32_t table_size,
                    const int32_t *tables)
{
    const uint64_t *table[ANS_LANES];
    const uint8_t *symbol[ANS_LANES];
    uint32_t *word[ANS_LANES];
    uint64_t state[ANS_LANES];
    for (int k = 0; k < lanes; k++) {
        table[k] = pushes + 2 * (int64_t)tables[parts[k].group] * table_size;
        symbol[k] = parts[k].symbol;
        word[k] = parts[k].word;
        state[k] = parts[k].state;
    }
    for (int32_t n = 0; n < count; n++)
        for (int k = 0; k < lanes; k++) {
            const uint64_t *entry = table[k] + 2 * (size_t)*--symbol[k];
            const uint64_t told = entry[0];
            const uint64_t frequency = told >> FREQUENCY_BIT & ((1u << (MORE_BIT - FREQUENCY_BIT)) - 1);
            if (state[k] >> (64 - PRECISION) >= frequency) {
                *--word[k] = (uint32_t)state[k];
                state[k] >>= WORD;
            }
            /* The shift is what the lowest six bits tell. */
            const uint64_t quotient = high_product(state[k] + (told >> MORE_BIT), entry[1]) >> (told & 63);
            const uint64_t start = (uint32_t)(told >> START_BIT);
            state[k] += start + quotient * ((UINT64_C(1) << PRECISION) - frequency);
        }
    for (int k = 0; k < lanes; k++) {
        parts[k].symbol = symbol[k];
        parts[k].word = word[k];
        parts[k].state = state[k];
        parts[k].left -= count;
    }
}

/* Go on to the group before where one is done; returns 0 where there is none. */
BF_INLINE int has_symbols(part_encoder *part, const int32_t *counts)
{
    while (!part->left) {
        if (part->group == part->first_group)
            return 0;
        part->left = counts[--part->group];
    }
    return 1;
}

/* Write the state of a part in front of its words; returns how many there are. */
BF_INLINE int64_t finish(part_encoder *part)
{
    for (; part->state; part->state >>= WORD)
        *--part->word = (uint32_t)part->state;
    return part->end - part->word;
}

/* Encode groups of symbols, each of one table, so that a decoder reads them in the order given. Groups up to `ends` make
 * up a part, which is decoded without the others.
 *
 * `pushes` are those of `bf_pushes`, of shape [tables][table_size][2]. Each part has room for BF_ANS_SLACK words more than it has symbols: its words,
 * `lengths` of them, end at the end of that.
 */
BF_EXPORT BF_CLONES void bf_encode(const uint8_t *symbols, const int32_t *tables, const int32_t *counts, const int64_t *ends,
                         int64_t parts, const uint64_t *pushes, int32_t table_size, uint32_t *words, int64_t *lengths)
{
    part_encoder live[ANS_LANES];
    int64_t group = 0, next = 0;
    for (int lanes = 0; lanes || next < parts;) {
        for (; lanes < ANS_LANES && next < parts; next++) {
            part_encoder *part = &live[lanes];
            part->first_group = group;
            for (; group < ends[next]; group++) {
                symbols += counts[group];
                words += counts[group];
            }
            words += BF_ANS_SLACK;
            *part = (part_encoder){symbols, words, 0, group, part->first_group, 0, next, words};
            lengths[next] = 0;
            lanes += has_symbols(part, counts);
        }
        if (lanes == ANS_LANES)
            push(live, ANS_LANES, live[0].left < live[1].left ? live[0].left : live[1].left, pushes, table_size, tables);
        else if (lanes)
            push(live, 1, live[0].left, pushes, table_size, tables);
        for (int k = lanes - 1; k >= 0; k--)
            if (!has_symbols(&live[k], counts)) {
                lengths[live[k].number] = finish(&live[k]);
                live[k] = live[--lanes];
            }
    }
}

/* State of a decoder once a symbol is read that begins at `start` of its table. */
BF_INLINE void leave_symbol(bf_reader *reader, uint32_t start, uint32_t frequency)
{
    const uint32_t low = (uint32_t)reader->state & ((1u << PRECISION) - 1);
    reader->state = (uint64_t)frequency * (reader->state >> PRECISION) + (low - start);
    if (!(reader->state >> WORD) && reader->next_word < reader->word_count)
        reader->state = reader->state << WORD | reader->words[reader->next_word++];
}

/* Most symbols are 0: processors foresee that, and go on with the next one before they know. */
BF_INLINE int32_t decode_one(bf_reader *reader, const uint32_t *starts, const uint8_t *guess)
{
    const uint32_t low = (uint32_t)reader->state & ((1u << PRECISION) - 1);
    if (low < starts[1]) {
        leave_symbol(reader, 0, starts[1]);
        return 0;
    }
    int32_t symbol = guess[low >> (PRECISION - 8)];
    while (low >= starts[symbol + 1])
        symbol++;
    leave_symbol(reader, starts[symbol], starts[symbol + 1] - starts[symbol]);
    return symbol;
}

/* Decode symbols of one table. */
BF_EXPORT void bf_decode(bf_reader *reader, int32_t table, int64_t count, int32_t *symbols)
{
    const uint32_t *starts = reader->starts + (int64_t)table * (reader->table_size + 1);
    const uint8_t *guess = reader->guess + (int64_t)table * 256;
    /* The compiler does not know that symbols are no part of the reader. */
    bf_reader own = *reader;
    for (int64_t n = 0; n < count; n++)
        symbols[n] = decode_one(&own, starts, guess);
    *reader = own;
}

/* Read `width` raw bits, which the caller knows to be there. */
BF_INLINE uint64_t read_field(bf_bits *raw, int width)
{
    uint64_t value = 0;
    while (width--)
        value = value << 1 | raw->bits[raw->next_bit++];
    return value;
}

/* Read the magnitude of an integer of side information, by one table; returns 1 where raw bits end too early. */
BF_INLINE int32_t read_magnitude(bf_reader *reader, bf_bits *raw, int32_t table, int64_t *magnitude)
{
    const int32_t token = decode_one(reader, reader->starts + (int64_t)table * (reader->table_size + 1),
                                     reader->guess + (int64_t)table * 256);
    *magnitude = token;
    if (token < BF_DIRECT)
        return 0;
    const int octave = (token - BF_DIRECT) / 2, half = (token - BF_DIRECT) % 2;
    if (octave + 3 > raw->bit_count - raw->next_bit)
        return 1;
    *magnitude = ((int64_t)(2 + half) << (octave + 3)) + (int64_t)read_field(raw, octave + 3);
    return 0;
}

/* Give magnitudes the signs that follow them; returns 1 where raw bits end too early. */
static int32_t read_signs(bf_bits *raw, int64_t *values, int64_t count)
{
    int64_t live = 0;
    for (int64_t n = 0; n < count; n++)
        live += values[n] != 0;
    if (live > raw->bit_count - raw->next_bit)
        return 1;
    for (int64_t n = 0; n < count; n++)
        if (values[n] && raw->bits[raw->next_bit++])
            values[n] = -values[n];
    return 0;
}

/* Read integers of side information, the table following the running mean of their magnitudes.
 *
 * Returns 0, or 1 where raw bits end too early.
 */
BF_EXPORT int32_t bf_integers(bf_reader *reader, bf_bits *raw, int32_t first_table, int64_t mean, int32_t with_signs,
                              int64_t *values, int64_t count)
{
    for (int64_t n = 0; n < count; n++) {
        if (read_magnitude(reader, raw, first_table + bf_side_class(mean), values + n))
            return 1;
        mean = bf_next_mean(mean, values[n]);
    }
    return with_signs ? read_signs(raw, values, count) : 0;
}

/* Read entries of a vector, whose rows have running means of their own; returns 1 where raw bits end too early. */
BF_EXPORT int32_t bf_entries(bf_reader *reader, bf_bits *raw, int32_t first_table, int64_t mean, int64_t *rows,
                             int64_t *values, int64_t count)
{
    for (int64_t n = 0; n < count; n++) {
        if (read_magnitude(reader, raw, first_table + bf_entry_class(mean, rows[n]), values + n))
            return 1;
        bf_move_entry_means(&mean, rows + n, values[n]);
    }
    return read_signs(raw, values, count);
}

/* Token of a magnitude; its raw bits go to `bits`, behind which it returns. */
BF_INLINE uint8_t *put_magnitude(int64_t magnitude, uint8_t *token, uint8_t *bits)
{
    *token = (uint8_t)magnitude;
    if (magnitude < BF_DIRECT)
        return bits;
    int exponent = 4;
    while (magnitude >> (exponent + 1))
        exponent++;
    *token = (uint8_t)(BF_DIRECT + 2 * (exponent - 4) + (magnitude >> (exponent - 1) & 1));
    for (int bit = exponent - 2; bit >= 0; bit--)
        *bits++ = magnitude >> bit & 1;
    return bits;
}

/* Arrange lists of integers of side information, each with a running mean of its own: the token and the table of each,
 * and of each list raw bits and then signs. Returns the number of bits.
 */
BF_EXPORT int64_t bf_put_integers(const int64_t *values, const int64_t *counts, const int64_t *means, int64_t lists,
                                  int32_t first_table, int32_t with_signs, uint8_t *tokens, int32_t *tables,
                                  uint8_t *bits)
{
    const uint8_t *start = bits;
    for (int64_t list = 0; list < lists; list++) {
        int64_t mean = means[list];
        for (int64_t n = 0; n < counts[list]; n++) {
            const int64_t magnitude = values[n] < 0 ? -values[n] : values[n];
            tables[n] = first_table + bf_side_class(mean);
            bits = put_magnitude(magnitude, tokens + n, bits);
            mean = bf_next_mean(mean, magnitude);
        }
        for (int64_t n = 0; with_signs && n < counts[list]; n++)
            if (values[n])
                *bits++ = values[n] < 0;
        values += counts[list];
        tokens += counts[list];
        tables += counts[list];
    }
    return bits - start;
}

/* Arrange entries of a vector, whose rows have running means of their own: tokens, tables, and raw bits and then signs.
 * Returns the number of bits.
 */
BF_EXPORT int64_t bf_put_entries(const int64_t *values, int64_t count, int32_t first_table, int64_t mean, int64_t *rows,
                                 uint8_t *tokens, int32_t *tables, uint8_t *bits)
{
    const uint8_t *start = bits;
    for (int64_t n = 0; n < count; n++) {
        const int64_t magnitude = values[n] < 0 ? -values[n] : values[n];
        tables[n] = first_table + bf_entry_class(mean, rows[n]);
        bits = put_magnitude(magnitude, tokens + n, bits);
        bf_move_entry_means(&mean, rows + n, magnitude);
    }
    for (int64_t n = 0; n < count; n++)
        if (values[n])
            *bits++ = values[n] < 0;
    return bits - start;
}

/* Give the tokens of a channel that are not zero their raw bits and signs; returns 2 where one is out of range. */
static int read_bits(bf_bits *raw, int64_t positions, const uint8_t **signs, int32_t *values)
{
    for (int64_t start = 0; start < positions; start += TOGETHER) {
        const int64_t end = start + TOGETHER < positions ? start + TOGETHER : positions;
        int32_t any = 0;
        for (int64_t p = start; p < end; p++)
            any |= values[p];
        for (int64_t p = start; any && p < end; p++) {
            if (!values[p])
                continue;
            if (values[p] >= BF_DIRECT) {
                const int octave = (values[p] - BF_DIRECT) / 2, half = (values[p] - BF_DIRECT) % 2;
                const uint64_t magnitude =
                    ((uint64_t)(2 + half) << (octave + 3)) + read_field(raw, octave + 3);
                if (magnitude > INT32_MAX)
                    return 2;
                values[p] = (int32_t)magnitude;
            }
            if (*(*signs)++)
                values[p] = -values[p];
        }
    }
    return 0;
}

/* One diagonal, its classes, below `kinds`, known: tokens, signs, raw bits. `order` has room for a place of each latent;
 * latents are zero before.
 */
static int read_diagonal(bf_reader *reader, bf_bits *raw, int32_t first_table, int32_t kinds, int channels,
                         int64_t positions, int64_t stride, const uint8_t *classes, int32_t *quantised, int64_t *order)
{
    int64_t place[MOST_TABLES], count[MOST_TABLES], live = 0, width = 0, start = 0;
    memset(place, 0, sizeof *place * (size_t)kinds);
    for (int c = 0; c < channels; c++)
        for (int64_t p = 0; p < positions; p++)
            place[classes[c * stride + p]]++;
    for (int k = 0; k < kinds; k++) {
        count[k] = place[k];
        place[k] = start;
        start += count[k];
    }
    for (int c = 0; c < channels; c++)
        for (int64_t p = 0; p < positions; p++)
            order[place[classes[c * stride + p]]++] = c * stride + p;
    bf_reader own = *reader;
    for (int k = 0; k < kinds; order += count[k++]) {
        const uint32_t *starts = own.starts + (int64_t)(first_table + k) * (own.table_size + 1);
        const uint8_t *guess = own.guess + (int64_t)(first_table + k) * 256;
        for (int64_t n = 0; n < count[k]; n++) {
            const int32_t token = decode_one(&own, starts, guess);
            if (!token)
                continue;
            quantised[order[n]] = token;
            live++;
            width += token < BF_DIRECT ? 0 : (token - BF_DIRECT) / 2 + 3;
        }
    }
    *reader = own;
    if (live + width > raw->bit_count - raw->next_bit)
        return 1;
    const uint8_t *signs = raw->bits + raw->next_bit;
    raw->next_bit += live;
    for (int c = 0; c < channels; c++) {
        const int failed = read_bits(raw, positions, &signs, quantised + c * stride);
        if (failed)
            return failed;
    }
    return 0;
}

/* Read the next components of a strip, of each as many diagonals as `extents` says.
 *
 * Returns 0, 1 where raw bits end too early, or 2 where a latent is out of range.
 */
BF_EXPORT int32_t bf_read(const bf_network *network, bf_reader *reader, bf_bits *raw, bf_latents *strip,
                          int32_t first_table, const int64_t *extents, int32_t count)
{
    const int rows = strip->rows, columns = strip->columns;
    const int64_t positions = (int64_t)rows * columns, stride = strip->components * positions;
    bf_component held[BF_HELD];
    int64_t *order = (int64_t *)bf_hold(held, strip->memory, positions);
    uint16_t *scratch = (uint16_t *)(order + BF_LONGEST * positions);
    uint8_t *states = strip->states;
    const int32_t most = network->classes * (states ? 2 : 1);
    for (; count--; strip->done++, extents++) {
        const int32_t one = strip->done;
        bf_component *now = &held[one % BF_HELD];
        const bf_component *last = &held[(one + 2) % BF_HELD], *before = &held[(one + 1) % BF_HELD];
        for (int diagonal = 0; diagonal < BF_DIAGONALS; diagonal++) {
            const int first = bf_first(diagonal), end = bf_first(diagonal + 1);
            int32_t *values = strip->quantised + first * stride + one * positions;
            uint8_t *kinds = strip->classes + first * stride + one * positions;
            if (diagonal < *extents) {
                bf_classify(network, diagonal, positions, now, last, before, kinds, stride);
                if (states)
                    bf_states_classes(states, end - first, positions, network->classes, kinds, stride);
                const int failed = read_diagonal(reader, raw, first_table, most, end - first, positions, stride,
                                                 kinds, values, order);
                if (failed)
                    return failed;
            }
            bf_learn(network, diagonal, rows, columns, now, values, stride, states, positions, scratch);
            if (states)
                bf_states_move(states, strip->state_count, end - first, positions, values, stride);
        }
        bf_past(network, positions, now, last, scratch);
    }
    return 0;
}

/* Of each component: latents that are not zero, their energy, raw bits (signs included), and diagonals up to
 * the last that has any.
 *
 * `quantised` is of shape [64][components][positions], channels and components with strides; for the energy magnitudes
 * count up to 2**15.
 */
BF_EXPORT BF_CLONES void bf_statistics(const int32_t *quantised, int64_t channel_stride, int64_t component_stride,
                                   int64_t components, int64_t positions, int64_t *nonzero, int64_t *energy,
                                   int64_t *bits, int64_t *extents)
{
    for (int64_t one = 0; one < components; one++) {
        nonzero[one] = energy[one] = bits[one] = extents[one] = 0;
        for (int diagonal = 0; diagonal < BF_DIAGONALS; diagonal++)
            for (int c = bf_first(diagonal); c < bf_first(diagonal + 1); c++) {
                const int32_t *values = quantised + c * channel_stride + one * component_stride;
                int64_t sum = 0;
                int32_t count = 0;
                uint32_t large = 0;
                for (int64_t p = 0; p < positions; p++) {
                    const uint32_t whole = magnitude_of(values[p]);
                    const uint32_t magnitude = whole < 1 << 15 ? whole : 1 << 15;
                    count += magnitude != 0;
                    sum += magnitude * magnitude;
                    large |= whole;
                }
                for (int64_t p = 0; large >= BF_DIRECT && p < positions; p++)
                    bits[one] += width_of(magnitude_of(values[p]));
                nonzero[one] += count;
                bits[one] += count;
                energy[one] += sum;
                extents[one] = count ? diagonal + 1 : extents[one];
            }
    }
}
