/* Looks for a key where no other object or list is open. */

#include "manifest.h"

#include <string.h>

/* Reads the text that begins at a quotation mark: its first character and length; returns what follows it, 0 where it
 * does not end.
 */
static uint64_t read_text(const bfl_bytes *json, uint64_t at, uint64_t *start, uint64_t *length)
{
    *start = at + 1;
    for (at++; at < json->size && json->data[at] != '"'; at++)
        if (json->data[at] == '\\')
            at++;
    *length = at - *start;
    return at < json->size ? at + 1 : 0;
}

static uint64_t skip_space(const bfl_bytes *json, uint64_t at)
{
    while (at < json->size && (json->data[at] == ' ' || json->data[at] == '\n' || json->data[at] == '\r' ||
                               json->data[at] == '\t'))
        at++;
    return at;
}

static int is_text(const bfl_bytes *json, uint64_t start, uint64_t length, const char *text)
{
    return length == strlen(text) && memcmp(json->data + start, text, (size_t)length) == 0;
}

/* Take a text over where it is a plain one. */
static int take(const bfl_bytes *json, uint64_t start, uint64_t length, char *text, size_t most)
{
    if (length == 0 || length > most)
        return 0;
    for (uint64_t n = 0; n < length; n++)
        if (json->data[start + n] == '\\' || json->data[start + n] < ' ')
            return 0;
    memcpy(text, json->data + start, (size_t)length);
    text[length] = '\0';
    return 1;
}

/* Take over the value that begins at a place. */
static int take_value(const bfl_bytes *json, uint64_t at, char *text, size_t most)
{
    uint64_t start = at, length = 0;
    if (at < json->size && json->data[at] == '"')
        return read_text(json, at, &start, &length) && take(json, start, length, text, most);
    while (at + length < json->size && json->data[at + length] >= '0' && json->data[at + length] <= '9')
        length++;
    return take(json, at, length, text, most);
}

int bfl_manifest_value(const bfl_bytes *json, const char *key, char *text, size_t most)
{
    uint64_t at = 0, start, length;
    int depth = 0;
    while (at < json->size) {
        const uint8_t one = json->data[at];
        if (one != '"') {
            depth += (one == '{' || one == '[') - (one == '}' || one == ']');
            at++;
            continue;
        }
        at = read_text(json, at, &start, &length);
        if (!at)
            return 0;
        const uint64_t colon = skip_space(json, at), value = skip_space(json, colon + 1);
        if (depth != 1 || colon >= json->size || json->data[colon] != ':' || !is_text(json, start, length, key))
            continue;
        return take_value(json, value, text, most);
    }
    return 0;
}
