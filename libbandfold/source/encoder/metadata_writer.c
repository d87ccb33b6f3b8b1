/* Texts by the ranks of their bytes, lists of numbers by their second differences. */

#include "metadata_writer.h"

#include "byte_reader.h"

#include <string.h>

enum {
    TEXT = 0,
    LIST = 1,
    NUMBERS = 2,
    KIND_MEAN = 256,
    LENGTH_MEAN = 2048,
    RANK_MEAN = 2048,
    DIFFERENCE_MEAN = 4096,
    MOST_DIGITS = 9,
    MOST_CHARACTERS = 1 << 18
};

/* Frequent letters first; all other bytes follow by their codes. */
static const char FREQUENT[] = " etaoinsrhldcumfpgwybvk0123456789.,-_:;/()={}TSAERMICNPLDOBFGHUVWKYXZJQ\"'xjqz+*%";

static void rank_bytes(int64_t ranks[256])
{
    int64_t next = (int64_t)strlen(FREQUENT);
    for (int code = 0; code < 256; code++) {
        const char *found = code ? strchr(FREQUENT, code) : NULL;
        ranks[code] = found ? found - FREQUENT : next++;
    }
}

/* Characters of a text, and one more for its length; more than there may be where it is no UTF-8. */
static uint64_t text_size(const char *text)
{
    const uint64_t length = text ? strlen(text) : MOST_CHARACTERS;
    return text && length <= MOST_CHARACTERS && bfl_is_utf8((const uint8_t *)text, length) ? length + 1
                                                                                          : MOST_CHARACTERS + 1;
}

static uint64_t all_size(const bandfold_field *fields, uint32_t count)
{
    uint64_t size = 1 + (uint64_t)count;
    for (uint32_t n = 0; n < count && size <= MOST_CHARACTERS; n++) {
        const bandfold_field *field = &fields[n];
        size += text_size(field->key) + (field->is_list ? 1 + (uint64_t)field->count : 0);
        if ((field->count && field->items == NULL) || (!field->is_list && field->count != 1))
            return MOST_CHARACTERS + 1;
        for (uint32_t item = 0; item < field->count && size <= MOST_CHARACTERS; item++)
            size += text_size(field->items[item]);
    }
    return size;
}

/* Decimals of a number that is written as it is read: at most nine digits before and behind the point, none too many.
 */
static int decimals_of(const char *text, int64_t *number)
{
    const int negative = *text == '-';
    int digits = 0, before = 0;
    text += negative;
    if (text[0] == '0' && text[1] != '.' && text[1] != '\0')
        return -1;
    for (*number = 0; *text >= '0' && *text <= '9'; text++, before++) {
        if (before == MOST_DIGITS)
            return -1;
        *number = 10 * *number + (*text - '0');
    }
    if (before == 0)
        return -1;
    if (*text == '.') {
        for (text++; *text >= '0' && *text <= '9'; text++, digits++) {
            if (digits == MOST_DIGITS)
                return -1;
            *number = 10 * *number + (*text - '0');
        }
        if (digits == 0)
            return -1;
    }
    if (*text != '\0' || (negative && *number == 0))
        return -1;
    *number = negative ? -*number : *number;
    return digits;
}

/* Second differences of a list of numbers of as many decimals each; returns these, -1 where it is no such list. */
static int number_list(const bandfold_field *field, int64_t *changes)
{
    const int64_t largest = ((int64_t)1 << 36) - 1;
    int64_t last = 0, before = 0;
    int digits = -1;
    for (uint32_t n = 0; n < field->count; n++) {
        int64_t number;
        const int found = decimals_of(field->items[n], &number);
        if (found < 0 || (n && found != digits))
            return -1;
        digits = found;
        changes[n] = number - 2 * last + before;
        if (changes[n] > largest || changes[n] < -largest)
            return -1;
        before = last;
        last = number;
    }
    return digits;
}

static bandfold_status put_text(bfl_payload_writer *payload, const int64_t ranks[256], const char *text)
{
    const bfl_block *mark = bfl_mark(payload->workspace, BFL_SCRATCH);
    const uint64_t length = strlen(text);
    int64_t *found;
    BFL_TAKE(found, payload->workspace, BFL_SCRATCH, length);
    for (uint64_t n = 0; n < length; n++)
        found[n] = ranks[(uint8_t)text[n]];
    BFL_TRY(bfl_put_one(payload, (int64_t)length, LENGTH_MEAN));
    BFL_TRY(bfl_put_unsigned(payload, found, length, RANK_MEAN));
    bfl_release(payload->workspace, BFL_SCRATCH, mark);
    return BANDFOLD_OK;
}

static bandfold_status put_list(bfl_payload_writer *payload, const int64_t ranks[256], const bandfold_field *field)
{
    const bfl_block *mark = bfl_mark(payload->workspace, BFL_SCRATCH);
    int64_t *changes;
    BFL_TAKE(changes, payload->workspace, BFL_SCRATCH, field->count);
    const int digits = number_list(field, changes);
    BFL_TRY(bfl_put_one(payload, digits < 0 ? LIST : NUMBERS, KIND_MEAN));
    if (digits >= 0)
        BFL_TRY(bfl_put_one(payload, digits, KIND_MEAN));
    BFL_TRY(bfl_put_one(payload, field->count, LENGTH_MEAN));
    if (digits >= 0)
        BFL_TRY(bfl_put_signed(payload, changes, field->count, DIFFERENCE_MEAN));
    for (uint32_t item = 0; digits < 0 && item < field->count; item++)
        BFL_TRY(put_text(payload, ranks, field->items[item]));
    bfl_release(payload->workspace, BFL_SCRATCH, mark);
    return BANDFOLD_OK;
}

bandfold_status bfl_check_fields(bfl_workspace *workspace, const bandfold_field *fields, uint32_t count)
{
    if (count && (fields == NULL || all_size(fields, count) > MOST_CHARACTERS))
        return bfl_fail(workspace, BANDFOLD_BAD_ARGUMENT,
                        "metadata are too long, no texts in UTF-8, or texts of several items");
    return BANDFOLD_OK;
}

bandfold_status bfl_write_metadata(bfl_workspace *workspace, const bfl_tables *tables, const bandfold_field *fields,
                                   uint32_t count, bandfold_bytes *section)
{
    const uint64_t size = all_size(fields, count);
    int64_t ranks[256];
    bfl_payload_writer payload;
    bfl_output_bytes content;
    rank_bytes(ranks);
    /* A field has a kind and a number of decimals beside what is counted. */
    BFL_TRY(bfl_begin_payload(workspace, tables, size + 2 * (uint64_t)count, 0, 0, 0, &payload));
    BFL_TRY(bfl_put_one(&payload, count, LENGTH_MEAN));
    for (uint32_t n = 0; n < count; n++) {
        BFL_TRY(put_text(&payload, ranks, fields[n].key));
        if (fields[n].is_list) {
            BFL_TRY(put_list(&payload, ranks, &fields[n]));
            continue;
        }
        BFL_TRY(bfl_put_one(&payload, TEXT, KIND_MEAN));
        BFL_TRY(put_text(&payload, ranks, fields[n].items[0]));
    }
    BFL_TRY(bfl_begin_section(workspace, bfl_payload_room(&payload), &content));
    BFL_TRY(bfl_end_payload(&payload, &content));
    return bfl_end_section(workspace, BFL_METADATA, &content, section);
}
