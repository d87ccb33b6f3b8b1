/* Reading whole files. */

#include "file_bytes.h"

#include <stdio.h>
#include <stdlib.h>

void *read_file(const char *name, size_t *size)
{
    FILE *file = fopen(name, "rb");
    size_t room = 1 << 16, count = 0;
    char *data = file ? malloc(room) : NULL;
    while (data) {
        const size_t more = fread(data + count, 1, room - count, file);
        count += more;
        if (count < room)
            break;
        char *larger = room <= (size_t)-1 / 2 ? realloc(data, room *= 2) : NULL;
        if (larger == NULL)
            free(data);
        data = larger;
    }
    if (data && ferror(file)) {
        free(data);
        data = NULL;
    }
    if (file)
        fclose(file);
    *size = count;
    return data;
}
