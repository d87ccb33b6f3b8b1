/* The functions of bandfold.h that tell metadata. */

#include "decimal_number.h"
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

int bandfold_wavelengths(const bandfold_decoder *decoder, double *wavelengths)
{
    const bfl_field *field = field_of(decoder, bandfold_find_field(decoder, "wavelength"));
    if (field == NULL || !field->is_list || field->count != decoder->header.bands)
        return 0;
    for (uint32_t band = 0; band < field->count; band++)
        if (!bfl_read_decimal(field->items[band], &wavelengths[band]))
            return 0;
    return 1;
}
