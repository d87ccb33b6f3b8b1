/* The target for libFuzzer that encodes. Packages are those files that BANDFOLD_PACKAGES names, separated by colons. */

#include "encode_all.h"
#include "packages.h"

int LLVMFuzzerInitialize(int *count, char ***words);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerInitialize(int *count, char ***words)
{
    (void)count;
    (void)words;
    return load_packages() ? 0 : 1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    encode_all(data, size, packages, package_count);
    return 0;
}
