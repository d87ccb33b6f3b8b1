/* Words hold a JSON text without blanks, behind its length, four bytes to a word. Of it three values are needed, whose
 * keys cannot be in the texts of others: quotes in those are escaped.
 */

#include "filter_words.h"

#include <stdlib.h>
#include <string.h>

enum { MOST_WORDS = 1 << 14 };

static const struct {
    char kind;
    int size;
    bandfold_type type;
} TYPES[] = {{'u', 1, BANDFOLD_UINT8}, {'i', 1, BANDFOLD_INT8},   {'u', 2, BANDFOLD_UINT16},  {'i', 2, BANDFOLD_INT16},
             {'i', 4, BANDFOLD_INT32}, {'u', 4, BANDFOLD_UINT32}, {'f', 4, BANDFOLD_FLOAT32}, {'f', 8, BANDFOLD_FLOAT64}};

static int is_little_endian(void)
{
    const uint16_t one = 1;
    uint8_t first;
    memcpy(&first, &one, 1);
    return first;
}

/* NumPy's name of a type: byte order, kind, bytes. */
static int read_type(const char *text, chunk_form *form)
{
    if (strchr("<>|", text[0]) == NULL || text[0] == '\0')
        return 0;
    for (size_t n = 0; n < sizeof TYPES / sizeof *TYPES; n++) {
        if (text[1] != TYPES[n].kind || text[2] != '0' + TYPES[n].size || text[3] != '"')
            continue;
        form->type = TYPES[n].type;
        form->swapped = TYPES[n].size > 1 && (text[0] == '<') != is_little_endian();
        return 1;
    }
    return 0;
}

static int read_shape(const char *text, uint64_t shape[3])
{
    uint64_t total = 1;
    for (int axis = 0; axis < 3; axis++) {
        char *end;
        if (*text < '0' || *text > '9')
            return 0;
        shape[axis] = strtoull(text, &end, 10);
        /* Chunks of HDF5 are below 4 GiB. */
        if (shape[axis] == 0 || shape[axis] > UINT32_MAX / total || *end != (axis < 2 ? ',' : ']'))
            return 0;
        total *= shape[axis];
        text = end + 1;
    }
    return 1;
}

/* The value behind a key, or an empty text. */
static const char *behind(const char *text, const char *key)
{
    const char *found = strstr(text, key);
    return found ? found + strlen(key) : "";
}

int read_filter_words(const unsigned *words, size_t count, chunk_form *form)
{
    if (count < 2 || count > MOST_WORDS || words[0] > 4 * (count - 1))
        return 0;
    char *text = malloc(words[0] + 1);
    if (text == NULL)
        return 0;
    for (size_t at = 0; at < words[0]; at++)
        text[at] = (char)(words[1 + at / 4] >> 8 * (at % 4) & 255);
    text[words[0]] = '\0';
    const char *axis = behind(text, "\"band_axis\":");
    form->band_axis = *axis - '0';
    const int understood = (*axis == '\0' || (form->band_axis >= 0 && form->band_axis < 3)) &&
                           read_shape(behind(text, "\"chunk_shape\":["), form->shape) &&
                           read_type(behind(text, "\"chunk_dtype\":\""), form);
    if (*axis == '\0')
        form->band_axis = 0;
    free(text);
    return understood;
}
