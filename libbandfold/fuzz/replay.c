/* Gives a fuzz target the files that are named, one after the other: for compilers without libFuzzer, and to see again
 * what it found.
 */

#include "fuzz_target.h"
#include "packages.h"

#include "../example/file_bytes.h"

#include <stdio.h>
#include <stdlib.h>

int main(int count, char **words)
{
    if (LLVMFuzzerInitialize(&count, &words) != 0) {
        fputs("error: a file of BANDFOLD_PACKAGES cannot be read\n", stderr);
        return 2;
    }
    for (int n = 1; n < count; n++) {
        size_t size;
        void *data = read_file(words[n], &size);
        if (data == NULL) {
            fprintf(stderr, "error: %s cannot be read\n", words[n]);
            return 2;
        }
        LLVMFuzzerTestOneInput(data, size);
        free(data);
    }
    for (size_t n = 0; n < package_count; n++)
        free((void *)packages[n].data);
    printf("%d inputs\n", count - 1);
    return 0;
}
