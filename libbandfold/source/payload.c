/* Payloads, docs/format.md#payloads. */

#include "payload.h"

#include "budget.h"
#include "byte_reader.h"

bandfold_status bfl_corrupt(bfl_payload *payload, const char *reason)
{
    return bfl_fail(payload->workspace, BANDFOLD_CORRUPT, reason);
}

bandfold_status bfl_open_payload(bfl_workspace *workspace, const bfl_tables *tables, const uint8_t *data, uint64_t size,
                                 bfl_payload *payload)
{
    bfl_bytes bytes = {data, size, 0};
    uint64_t count;
    if (!bfl_read_varint(&bytes, &count) || count > (size - bytes.at) / 4)
        return bfl_fail(workspace, BANDFOLD_CORRUPT, "entropy-coded words end too early");
    uint32_t *words;
    BFL_TAKE(words, workspace, BFL_SCRATCH, count);
    for (uint64_t n = 0; n < count; n++)
        words[n] = bfl_load_32(data + bytes.at + 4 * n);
    if (count && words[0] == 0)
        return bfl_fail(workspace, BANDFOLD_CORRUPT, "the first entropy-coded word is 0");
    const uint64_t start = bytes.at + 4 * count, bit_count = bfl_product(size - start, 8);
    uint8_t *bits;
    BFL_TAKE(bits, workspace, BFL_SCRATCH, bit_count);
    for (uint64_t n = 0; n < bit_count; n++)
        bits[n] = data[start + n / 8] >> (7 - n % 8) & 1;
    *payload = (bfl_payload){.workspace = workspace, .first_side = tables->first_side};
    payload->raw = (bf_bits){.bits = bits, .bit_count = (int64_t)bit_count};
    payload->reader = (bf_reader){.words = words, .word_count = (int64_t)count, .starts = tables->starts,
                                  .guess = tables->guess, .table_size = BF_TOKENS};
    bf_reader *reader = &payload->reader;
    while (reader->next_word < 2 && reader->next_word < reader->word_count)
        reader->state = reader->state << 32 | words[reader->next_word++];
    return BANDFOLD_OK;
}

bandfold_status bfl_finish_payload(bfl_payload *payload)
{
    const bf_bits *raw = &payload->raw;
    if (payload->reader.state != 0 || payload->reader.next_word != payload->reader.word_count)
        return bfl_corrupt(payload, "entropy-coded words are left over");
    uint8_t any = raw->bit_count - raw->next_bit >= 8;
    for (int64_t n = raw->next_bit; !any && n < raw->bit_count; n++)
        any = raw->bits[n];
    return any ? bfl_corrupt(payload, "raw bits are left over") : BANDFOLD_OK;
}

static bandfold_status read_integers(bfl_payload *payload, uint64_t count, int64_t mean, int with_signs,
                                     int64_t *values)
{
    BFL_TRY(bfl_charge(payload->workspace, count));
    if (bf_integers(&payload->reader, &payload->raw, payload->first_side, mean, with_signs, values, (int64_t)count))
        return bfl_corrupt(payload, "raw bits end too early");
    return BANDFOLD_OK;
}

bandfold_status bfl_read_unsigned(bfl_payload *payload, uint64_t count, int64_t mean, int64_t *values)
{
    return read_integers(payload, count, mean, 0, values);
}

bandfold_status bfl_read_signed(bfl_payload *payload, uint64_t count, int64_t mean, int64_t *values)
{
    return read_integers(payload, count, mean, 1, values);
}

bandfold_status bfl_read_entries(bfl_payload *payload, uint64_t count, int64_t mean, int64_t *rows, int64_t *values)
{
    BFL_TRY(bfl_charge(payload->workspace, count));
    if (bf_entries(&payload->reader, &payload->raw, payload->first_side, mean, rows, values, (int64_t)count))
        return bfl_corrupt(payload, "raw bits end too early");
    return BANDFOLD_OK;
}

bandfold_status bfl_read_raw(bfl_payload *payload, int width, uint64_t *value)
{
    bf_bits *raw = &payload->raw;
    if (raw->bit_count - raw->next_bit < width)
        return bfl_corrupt(payload, "raw bits end too early");
    *value = 0;
    while (width--)
        *value = *value << 1 | raw->bits[raw->next_bit++];
    return BANDFOLD_OK;
}
