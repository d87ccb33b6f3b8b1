/* Finding packages, and arrays in them: files are stored as they are, in NumPy's format 1.0. */

#include "package.h"

#include "manifest.h"
#include "sha256.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum {
    COMMENT = 64,    /* bytes of the comment: the digest in hexadecimal */
    END_BYTES = 22,  /* of the end of the directory of a zip archive */
    ENTRY_BYTES = 46,
    LOCAL_BYTES = 30,
    PREFIX_BYTES = 10,
    LONGEST_TEXT = 512
};

static const char *const NO_PACKAGE = "a package is damaged or none";
static const char *const NO_ARRAY = "a package lacks an array that its kind has, or it is of another shape";

/* Whether the digest of a file is that of its comment; tells the digest. */
static int is_package(const uint8_t *data, uint64_t size, uint8_t digest[32])
{
    static const char DIGITS[] = "0123456789abcdef";
    if (size < END_BYTES + COMMENT || memcmp(data + size - COMMENT - END_BYTES, "PK\5\6", 4) != 0)
        return 0;
    bfl_sha256(data, size - COMMENT, digest);
    for (int n = 0; n < COMMENT; n++)
        if (data[size - COMMENT + (uint64_t)n] != (uint8_t)DIGITS[digest[n / 2] >> (n % 2 ? 0 : 4) & 15])
            return 0;
    return 1;
}

static uint64_t load_16(const uint8_t *from)
{
    return (uint64_t)from[0] | (uint64_t)from[1] << 8;
}

/* Find the content of a file of the archive. */
static int find_member(const bfl_package *package, const char *name, bfl_bytes *content)
{
    const uint8_t *data = package->data, *end = data + package->size - COMMENT - END_BYTES;
    const uint64_t size = package->size, length = strlen(name);
    uint64_t at = bfl_load_32(end + 16);
    for (uint64_t left = load_16(end + 10); left > 0; left--) {
        if (at > size || size - at < ENTRY_BYTES || memcmp(data + at, "PK\1\2", 4) != 0)
            return 0;
        const uint8_t *entry = data + at;
        const uint64_t name_length = load_16(entry + 28), stored = bfl_load_32(entry + 20);
        if (size - at - ENTRY_BYTES < name_length)
            return 0;
        if (name_length == length && memcmp(entry + ENTRY_BYTES, name, (size_t)length) == 0) {
            const uint64_t local = bfl_load_32(entry + 42);
            if (load_16(entry + 10) != 0 || local > size || size - local < LOCAL_BYTES)
                return 0;
            const uint64_t start = local + LOCAL_BYTES + load_16(data + local + 26) + load_16(data + local + 28);
            if (start > size || stored > size - start)
                return 0;
            *content = (bfl_bytes){data + start, stored, 0};
            return 1;
        }
        at += ENTRY_BYTES + name_length + load_16(entry + 30) + load_16(entry + 32);
    }
    return 0;
}

/* Whether the manifest of a package tells a name. */
static int has_name(const bfl_package *package, const bfl_reference *reference)
{
    char name[BFL_LONGEST_NAME + 1];
    bfl_bytes text;
    return find_member(package, "manifest.json", &text) &&
           bfl_manifest_value(&text, "name", name, BFL_LONGEST_NAME) && strlen(name) == reference->length &&
           memcmp(name, reference->name, (size_t)reference->length) == 0;
}

bandfold_status bfl_find_package(bfl_workspace *workspace, const bandfold_bytes *packages, size_t count,
                                 const bfl_reference *reference, bfl_package *found)
{
    int damaged = 0;
    for (size_t n = 0; n < count; n++) {
        uint8_t digest[32];
        if (!is_package(packages[n].data, packages[n].size, digest)) {
            damaged = 1;
            continue;
        }
        *found = (bfl_package){packages[n].data, packages[n].size};
        if (memcmp(digest, reference->identity, 8) == 0 && has_name(found, reference))
            return BANDFOLD_OK;
    }
    return bfl_fail(workspace, BANDFOLD_NEEDS_PACKAGE,
                    damaged ? NO_PACKAGE : "the stream needs a package that was not given");
}

/* Whether a package may be called so: NAME of bitstream/packages/manifest.py. */
static int is_name(const char *name)
{
    static const char NAMES[] = "abcdefghijklmnopqrstuvwxyz0123456789._-";
    return strchr("._-", name[0]) == NULL && name[strspn(name, NAMES)] == '\0';
}

bandfold_status bfl_open_package(bfl_workspace *workspace, const bandfold_bytes *file, const char *kind,
                                 bfl_package *package, char name[BFL_LONGEST_NAME + 1], uint8_t identity[8])
{
    char found[BFL_LONGEST_NAME + 1];
    uint8_t digest[32];
    bfl_bytes text;
    if (!is_package(file->data, file->size, digest))
        return bfl_fail(workspace, BANDFOLD_NEEDS_PACKAGE, NO_PACKAGE);
    *package = (bfl_package){file->data, file->size};
    if (!find_member(package, "manifest.json", &text) || !bfl_manifest_value(&text, "name", name, BFL_LONGEST_NAME) ||
        !is_name(name) || !bfl_manifest_value(&text, "kind", found, BFL_LONGEST_NAME))
        return bfl_fail(workspace, BANDFOLD_NEEDS_PACKAGE, NO_PACKAGE);
    if (strcmp(found, kind) != 0)
        return bfl_fail(workspace, BANDFOLD_NEEDS_PACKAGE, "the package is of another kind than is needed");
    if (!bfl_manifest_value(&text, "format", found, BFL_LONGEST_NAME) || strcmp(found, "1") != 0)
        return bfl_fail(workspace, BANDFOLD_NEEDS_PACKAGE, "the package is of a format that is not read here");
    memcpy(identity, digest, 8);
    return BANDFOLD_OK;
}

/* Read a number of a shape; returns what follows it, null where there is none. */
static const char *read_extent(const char *text, int64_t *extent)
{
    if (*text < '0' || *text > '9')
        return NULL;
    for (*extent = 0; *text >= '0' && *text <= '9'; text++) {
        if (*extent > INT32_MAX)
            return NULL;
        *extent = 10 * *extent + (*text - '0');
    }
    return text;
}

/* Read the shape of an array from the text of its header. */
static int read_shape(const char *text, int32_t dimensions, bfl_array *array)
{
    const char *at = strstr(text, "'shape': (");
    if (at == NULL || strstr(text, "'fortran_order': False") == NULL)
        return 0;
    at += strlen("'shape': (");
    array->count = 1;
    for (array->dimensions = 0; array->dimensions < dimensions; array->dimensions++) {
        int64_t *extent = &array->shape[array->dimensions];
        at = read_extent(at, extent);
        if (at == NULL || (*extent && array->count > INT32_MAX / *extent))
            return 0;
        array->count *= *extent;
        if (*at == ',')
            at++;
        while (*at == ' ')
            at++;
    }
    return *at == ')';
}

/* Bytes of an integer of a type, 0 for other types; and whether it has a sign. */
static int read_type(const char *text, int *with_sign)
{
    const char *at = strstr(text, "'descr': '");
    if (at == NULL)
        return 0;
    at += strlen("'descr': '");
    if ((at[0] != '<' && at[0] != '|') || (at[1] != 'i' && at[1] != 'u') || at[3] != '\'')
        return 0;
    *with_sign = at[1] == 'i';
    const int size = at[2] - '0';
    return size == 1 || size == 2 || size == 4 || (size == 8 && *with_sign) ? size : 0;
}

static int64_t load_integer(const uint8_t *from, int size, int with_sign)
{
    uint64_t value = 0;
    for (int n = 0; n < size; n++)
        value |= (uint64_t)from[n] << 8 * n;
    if (with_sign && size < 8 && value >> (8 * size - 1))
        value |= UINT64_MAX << 8 * size;
    return (int64_t)value;
}

int bfl_has_array(const bfl_package *package, const char *name)
{
    char path[96];
    bfl_bytes content;
    snprintf(path, sizeof path, "arrays/%s.npy", name);
    return find_member(package, path, &content);
}

/* Bytes of an array, and the text that describes them. */
static int open_array(const bfl_package *package, const char *name, char text[LONGEST_TEXT + 1], bfl_bytes *content)
{
    char path[96];
    snprintf(path, sizeof path, "arrays/%s.npy", name);
    if (!find_member(package, path, content) || content->size < PREFIX_BYTES ||
        memcmp(content->data, "\x93NUMPY\1\0", 8) != 0)
        return 0;
    const uint64_t length = load_16(content->data + 8);
    if (length > LONGEST_TEXT || length > content->size - PREFIX_BYTES)
        return 0;
    memcpy(text, content->data + PREFIX_BYTES, (size_t)length);
    text[length] = '\0';
    content->data += PREFIX_BYTES + length;
    content->size -= PREFIX_BYTES + length;
    return 1;
}

bandfold_status bfl_read_array(bfl_workspace *workspace, const bfl_package *package, const char *name,
                               int32_t dimensions, bfl_array *array)
{
    char text[LONGEST_TEXT + 1];
    bfl_bytes content;
    int with_sign = 0;
    if (!open_array(package, name, text, &content))
        return bfl_fail(workspace, BANDFOLD_NEEDS_PACKAGE, NO_ARRAY);
    const int size = read_type(text, &with_sign);
    if (!size || !read_shape(text, dimensions, array) || content.size != (uint64_t)array->count * (uint64_t)size)
        return bfl_fail(workspace, BANDFOLD_NEEDS_PACKAGE, NO_ARRAY);
    BFL_TAKE(array->values, workspace, BFL_SCRATCH, (uint64_t)array->count);
    for (int64_t n = 0; n < array->count; n++)
        array->values[n] = load_integer(content.data + (uint64_t)n * (uint64_t)size, size, with_sign);
    return BANDFOLD_OK;
}

bandfold_status bfl_read_doubles(bfl_workspace *workspace, const bfl_package *package, const char *name, int64_t count,
                                 double **values)
{
    char text[LONGEST_TEXT + 1];
    bfl_bytes content;
    bfl_array array;
    if (!open_array(package, name, text, &content) || strstr(text, "'descr': '<f8'") == NULL ||
        !read_shape(text, 1, &array) || array.count != count || content.size != 8 * (uint64_t)count)
        return bfl_fail(workspace, BANDFOLD_NEEDS_PACKAGE, NO_ARRAY);
    BFL_TAKE(*values, workspace, BFL_LASTING, (uint64_t)count);
    for (int64_t n = 0; n < count; n++) {
        (*values)[n] = bfl_load_double(content.data + 8 * n);
        if (!isfinite((*values)[n]))
            return bfl_fail(workspace, BANDFOLD_NEEDS_PACKAGE, NO_ARRAY);
    }
    return BANDFOLD_OK;
}
