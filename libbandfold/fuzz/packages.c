/* Packages from files. */

#include "packages.h"

#include "../example/file_bytes.h"

#include <stdlib.h>
#include <string.h>

bandfold_bytes packages[MOST_PACKAGES];
size_t package_count;

int load_packages(void)
{
    const char *at = getenv("BANDFOLD_PACKAGES");
    while (at && *at) {
        const size_t length = strcspn(at, ":");
        char *name = malloc(length + 1);
        if (name == NULL || package_count == MOST_PACKAGES)
            return 0;
        memcpy(name, at, length);
        name[length] = '\0';
        bandfold_bytes *package = &packages[package_count++];
        package->data = read_file(name, &package->size);
        free(name);
        if (package->data == NULL)
            return 0;
        at += length + (at[length] == ':');
    }
    return 1;
}
