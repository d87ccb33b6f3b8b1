/* Integers of side information as tokens, and the coding of all tokens: docs/format.md#payloads. */

#include "payload_writer.h"

#include "encoding.h"

#define LARGEST_MAGNITUDE (((int64_t)1 << 36) - 1)

static const char *const TOO_MUCH = "side information is larger than it can be";

bandfold_status bfl_begin_payload(bfl_workspace *workspace, const bfl_tables *tables, uint64_t integers,
                                  uint64_t tokens, uint64_t groups, uint64_t bits, bfl_payload_writer *payload)
{
    const uint64_t all_tokens = bfl_sum(integers, tokens), all_groups = bfl_sum(integers, groups);
    const uint64_t all_bits = bfl_sum(bfl_product(integers, BFL_MOST_BITS_OF_INTEGER), bits);
    *payload = (bfl_payload_writer){.workspace = workspace, .tables = tables};
    BFL_TAKE(payload->tokens, workspace, BFL_SCRATCH, all_tokens);
    BFL_TAKE(payload->token_tables, workspace, BFL_SCRATCH, all_groups);
    BFL_TAKE(payload->counts, workspace, BFL_SCRATCH, all_groups);
    BFL_TAKE(payload->bits, workspace, BFL_SCRATCH, all_bits);
    payload->token_room = (int64_t)all_tokens;
    payload->group_room = (int64_t)all_groups;
    payload->bit_room = (int64_t)all_bits;
    return BANDFOLD_OK;
}

/* Token of a magnitude, and how many of its low bits follow it. */
static int32_t token_of(int64_t magnitude, int *width)
{
    *width = 0;
    if (magnitude < BF_DIRECT)
        return (int32_t)magnitude;
    int exponent = 4;
    while (magnitude >> (exponent + 1))
        exponent++;
    *width = exponent - 1;
    return BF_DIRECT + 2 * (exponent - 4) + (int32_t)(magnitude >> (exponent - 1) & 1);
}

/* With `rows` the integers are entries of a vector. */
static bandfold_status put_integers(bfl_payload_writer *payload, const int64_t *values, uint64_t count, int64_t mean,
                                    int64_t *rows, int with_signs)
{
    if (count > (uint64_t)(payload->token_room - payload->token_count) ||
        count > (uint64_t)(payload->group_room - payload->group_count) ||
        count > (uint64_t)(payload->bit_room - payload->bit_count) / BFL_MOST_BITS_OF_INTEGER)
        return bfl_fail(payload->workspace, BANDFOLD_FAULT, TOO_MUCH);
    uint8_t *bits = payload->bits + payload->bit_count;
    for (uint64_t n = 0; n < count; n++) {
        const int64_t magnitude = values[n] < 0 ? -values[n] : values[n];
        int width;
        if (magnitude > LARGEST_MAGNITUDE || (values[n] < 0 && !with_signs))
            return bfl_fail(payload->workspace, BANDFOLD_FAULT, TOO_MUCH);
        payload->tokens[payload->token_count++] = (uint8_t)token_of(magnitude, &width);
        const int class = rows ? bf_entry_class(mean, rows[n]) : bf_side_class(mean);
        payload->token_tables[payload->group_count] = payload->tables->first_side + class;
        payload->counts[payload->group_count++] = 1;
        while (width--)
            *bits++ = (uint8_t)(magnitude >> width & 1);
        if (rows)
            bf_move_entry_means(&mean, rows + n, magnitude);
        else
            mean = bf_next_mean(mean, magnitude);
    }
    /* Behind all magnitudes: a reader needs each of them for the next table. */
    for (uint64_t n = 0; with_signs && n < count; n++)
        if (values[n])
            *bits++ = values[n] < 0;
    payload->bit_count = bits - payload->bits;
    return BANDFOLD_OK;
}

bandfold_status bfl_put_unsigned(bfl_payload_writer *payload, const int64_t *values, uint64_t count, int64_t mean)
{
    return put_integers(payload, values, count, mean, NULL, 0);
}

bandfold_status bfl_put_signed(bfl_payload_writer *payload, const int64_t *values, uint64_t count, int64_t mean)
{
    return put_integers(payload, values, count, mean, NULL, 1);
}

bandfold_status bfl_put_entries(bfl_payload_writer *payload, const int64_t *values, uint64_t count, int64_t mean,
                                int64_t *rows)
{
    return put_integers(payload, values, count, mean, rows, 1);
}

bandfold_status bfl_put_one(bfl_payload_writer *payload, int64_t value, int64_t mean)
{
    return put_integers(payload, &value, 1, mean, NULL, 0);
}

static int64_t word_room(const bfl_payload_writer *payload)
{
    return payload->token_count + BF_ANS_SLACK;
}

uint64_t bfl_payload_room(const bfl_payload_writer *payload)
{
    return BFL_LONGEST_VARINT + 4 * (uint64_t)word_room(payload) + (uint64_t)(payload->bit_count + 7) / 8;
}

bandfold_status bfl_end_payload(bfl_payload_writer *payload, bfl_output_bytes *output)
{
    bfl_workspace *workspace = payload->workspace;
    const bfl_block *mark = bfl_mark(workspace, BFL_SCRATCH);
    const int64_t room = word_room(payload);
    uint32_t *words;
    BFL_TAKE(words, workspace, BFL_SCRATCH, (uint64_t)room);
    int64_t count;
    bf_encode(payload->tokens, payload->token_tables, payload->counts, &payload->group_count, 1,
              payload->tables->pushes, BF_TOKENS, words, &count);
    bfl_put_varint(output, (uint64_t)count);
    for (int64_t n = room - count; n < room; n++)
        bfl_put_32(output, words[n]);
    for (int64_t start = 0; start < payload->bit_count; start += 8) {
        uint8_t byte = 0;
        for (int64_t n = start; n < start + 8 && n < payload->bit_count; n++)
            byte |= (uint8_t)(payload->bits[n] << (7 - (n - start)));
        bfl_put_byte(output, byte);
    }
    bfl_release(workspace, BFL_SCRATCH, mark);
    return BANDFOLD_OK;
}
