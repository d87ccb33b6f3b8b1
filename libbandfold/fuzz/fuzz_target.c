/* The entry points that libFuzzer calls, and replay.c where there is none: FUZZED is decode_all or encode_all.
 *
 * Packages are those files that BANDFOLD_PACKAGES names, separated by colons.
 */

#include "encode_all.h"
#include "fuzz_target.h"
#include "packages.h"

#ifndef FUZZED
#define FUZZED decode_all
#endif

int LLVMFuzzerInitialize(int *count, char ***words)
{
    (void)count;
    (void)words;
    return load_packages() ? 0 : 1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    FUZZED(data, size, packages, package_count);
    return 0;
}
