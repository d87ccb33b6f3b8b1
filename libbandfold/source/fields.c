/* The functions of bandfold.h that tell metadata. */

#include "decoder.h"

#include <string.h>

static const bfl_field *field_of(const bandfold_decoder *decoder, uint32_t field)
{
    return field < decoder->metadata.count ? &decoder->metadata.fields[field] : NULL;
}

uint32_t bandfold_field_count(const bandfold_decoder *decoder)
{
    return decoder->metadata.count;
}

const char *bandfold_field_key(const bandfold_decoder *decoder, uint32_t field)
{
    const bfl_field *found = field_of(decoder, field);
    return found ? found->key : NULL;
}

uint32_t bandfold_find_field(const bandfold_decoder *decoder, const char *key)
{
    uint32_t field = 0;
    while (field < decoder->metadata.count && strcmp(decoder->metadata.fields[field].key, key) != 0)
        field++;
    return field;
}

int bandfold_field_is_list(const bandfold_decoder *decoder, uint32_t field)
{
    const bfl_field *found = field_of(decoder, field);
    return found && found->is_list;
}

uint32_t bandfold_item_count(const bandfold_decoder *decoder, uint32_t field)
{
    const bfl_field *found = field_of(decoder, field);
    return found ? found->count : 0;
}

const char *bandfold_item(const bandfold_decoder *decoder, uint32_t field, uint32_t item)
{
    const bfl_field *found = field_of(decoder, field);
    return found && item < found->count ? found->items[item] : NULL;
}

/* Read a decimal number, whatever the locale is; returns 0 where a text is none, or has more than 18 digits. */
static int read_decimal(const char *text, double *value)
{
    enum { MOST_DIGITS = 18 };
    uint64_t digits = 0;
    double unit = 1.0;
    int count = 0, fraction = 0;
    while (*text == ' ')
        text++;
    const int negative = *text == '-';
    text += negative;
    for (; (*text >= '0' && *text <= '9') || (*text == '.' && !fraction); text++) {
        if (*text == '.') {
            fraction = 1;
            continue;
        }
        if (++count > MOST_DIGITS)
            return 0;
        digits = 10 * digits + (uint64_t)(*text - '0');
        unit *= fraction ? 10.0 : 1.0;
    }
    while (*text == ' ')
        text++;
    *value = (negative ? -1.0 : 1.0) * (double)digits / unit;
    return count > 0 && *text == '\0';
}

int bandfold_wavelengths(const bandfold_decoder *decoder, double *wavelengths)
{
    const bfl_field *field = field_of(decoder, bandfold_find_field(decoder, "wavelength"));
    if (field == NULL || !field->is_list || field->count != decoder->header.bands)
        return 0;
    for (uint32_t band = 0; band < field->count; band++)
        if (!read_decimal(field->items[band], &wavelengths[band]))
            return 0;
    return 1;
}
