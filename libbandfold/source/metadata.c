/* Metadata, docs/format.md#metadata. Of equal keys the last one counts. */

#include "metadata.h"

#include "budget.h"
#include "byte_reader.h"

#include <stdio.h>
#include <string.h>

enum {
    MOST_CHARACTERS = 1 << 18,
    MOST_DIGITS = 9,
    FREQUENT_COUNT = 80,
    COUNT_MEAN = 2048,
    KIND_MEAN = 256,
    NUMBER_MEAN = 4096
};

static const char FREQUENT[] =
    " etaoinsrhldcumfpgwybvk0123456789.,-_:;/()={}TSAERMICNPLDOBFGHUVWKYXZJQ\"'xjqz+*%";

static const char *const UNREADABLE = "metadata hold no readable text: the stream is corrupt";

typedef struct {
    bfl_payload *payload;
    uint8_t ranked[256]; /* byte of each rank */
    int64_t left;        /* characters and items that may still come */
} metadata_reader;

static void rank_bytes(uint8_t ranked[256])
{
    uint8_t frequent[256] = {0};
    int rank = 0;
    for (; rank < FREQUENT_COUNT; rank++) {
        ranked[rank] = (uint8_t)FREQUENT[rank];
        frequent[ranked[rank]] = 1;
    }
    for (int byte = 0; byte < 256; byte++)
        if (!frequent[byte])
            ranked[rank++] = (uint8_t)byte;
}

static bandfold_status read_length(metadata_reader *reader, int64_t *length)
{
    BFL_TRY(bfl_read_unsigned(reader->payload, 1, COUNT_MEAN, length));
    reader->left -= *length + 1;
    return reader->left < 0 ? bfl_corrupt(reader->payload, "metadata have too many characters: the stream is corrupt")
                            : BANDFOLD_OK;
}

static bandfold_status read_text(metadata_reader *reader, const char **text)
{
    bfl_workspace *workspace = reader->payload->workspace;
    int64_t length, *ranks;
    uint8_t *found;
    BFL_TRY(read_length(reader, &length));
    const bfl_block *mark = bfl_mark(workspace, BFL_SCRATCH);
    BFL_TAKE(ranks, workspace, BFL_SCRATCH, (uint64_t)length);
    BFL_TAKE(found, workspace, BFL_LASTING, (uint64_t)length + 1);
    BFL_TRY(bfl_read_unsigned(reader->payload, (uint64_t)length, COUNT_MEAN, ranks));
    for (int64_t n = 0; n < length; n++) {
        if (ranks[n] > 255)
            return bfl_corrupt(reader->payload, UNREADABLE);
        found[n] = reader->ranked[ranks[n]];
    }
    bfl_release(workspace, BFL_SCRATCH, mark);
    if (!bfl_is_utf8(found, (uint64_t)length))
        return bfl_corrupt(reader->payload, UNREADABLE);
    *text = (const char *)found;
    return BANDFOLD_OK;
}

/* A number of units of 10**-digits, as the format writes it out. */
static void write_number(int64_t number, int digits, char *text)
{
    static const int64_t POWERS[MOST_DIGITS + 1] = {1,      10,      100,      1000,      10000,
                                                    100000, 1000000, 10000000, 100000000, 1000000000};
    const uint64_t magnitude = number < 0 ? 0 - (uint64_t)number : (uint64_t)number;
    const uint64_t power = (uint64_t)POWERS[digits];
    const char *sign = number < 0 ? "-" : "";
    if (digits)
        snprintf(text, 32, "%s%llu.%0*llu", sign, (unsigned long long)(magnitude / power), digits,
                 (unsigned long long)(magnitude % power));
    else
        snprintf(text, 32, "%s%llu", sign, (unsigned long long)magnitude);
}

static bandfold_status read_numbers(metadata_reader *reader, bfl_field *field)
{
    enum { ROOM = 32 };
    bfl_workspace *workspace = reader->payload->workspace;
    int64_t digits, length, *changes;
    char *texts;
    BFL_TRY(bfl_read_unsigned(reader->payload, 1, KIND_MEAN, &digits));
    if (digits > MOST_DIGITS)
        return bfl_corrupt(reader->payload, "metadata numbers have too many decimals: the stream is corrupt");
    BFL_TRY(read_length(reader, &length));
    const bfl_block *mark = bfl_mark(workspace, BFL_SCRATCH);
    BFL_TAKE(changes, workspace, BFL_SCRATCH, (uint64_t)length);
    BFL_TAKE(field->items, workspace, BFL_LASTING, (uint64_t)length);
    BFL_TAKE(texts, workspace, BFL_LASTING, (uint64_t)length * ROOM);
    BFL_TRY(bfl_read_signed(reader->payload, (uint64_t)length, NUMBER_MEAN, changes));
    /* 2**18 magnitudes below 2**36: sums of sums may wrap in hostile streams, where any number will do. */
    uint64_t change = 0, number = 0;
    for (int64_t n = 0; n < length; n++) {
        change += (uint64_t)changes[n];
        number += change;
        write_number((int64_t)number, (int)digits, texts + n * ROOM);
        field->items[n] = texts + n * ROOM;
    }
    bfl_release(workspace, BFL_SCRATCH, mark);
    field->count = (uint32_t)length;
    return BANDFOLD_OK;
}

static bandfold_status read_value(metadata_reader *reader, bfl_field *field)
{
    enum { TEXT, LIST, NUMBERS };
    int64_t kind, length = 1;
    BFL_TRY(bfl_read_unsigned(reader->payload, 1, KIND_MEAN, &kind));
    field->is_list = kind != TEXT;
    if (kind == NUMBERS)
        return read_numbers(reader, field);
    if (kind > NUMBERS)
        return bfl_corrupt(reader->payload, "a field of the metadata is of unknown kind: the stream is corrupt");
    if (kind == LIST)
        BFL_TRY(read_length(reader, &length));
    BFL_TAKE(field->items, reader->payload->workspace, BFL_LASTING, (uint64_t)length);
    for (int64_t n = 0; n < length; n++)
        BFL_TRY(read_text(reader, &field->items[n]));
    field->count = (uint32_t)length;
    return BANDFOLD_OK;
}

bandfold_status bfl_read_metadata(bfl_payload *payload, bfl_metadata *metadata)
{
    metadata_reader reader = {.payload = payload, .left = MOST_CHARACTERS};
    int64_t count;
    rank_bytes(reader.ranked);
    BFL_TRY(read_length(&reader, &count));
    BFL_TAKE(metadata->fields, payload->workspace, BFL_LASTING, (uint64_t)count);
    for (int64_t n = 0; n < count; n++) {
        bfl_field field = {0};
        uint32_t place = 0;
        BFL_TRY(read_text(&reader, &field.key));
        BFL_TRY(read_value(&reader, &field));
        /* Keys are compared one by one: of an encoder there are tens. */
        BFL_TRY(bfl_charge(payload->workspace, metadata->count / 4));
        while (place < metadata->count && strcmp(metadata->fields[place].key, field.key) != 0)
            place++;
        metadata->fields[place] = field;
        metadata->count += place == metadata->count;
    }
    return BANDFOLD_OK;
}
