/* What libFuzzer expects of a target. */
#ifndef FUZZ_TARGET_H
#define FUZZ_TARGET_H

#include <stddef.h>
#include <stdint.h>

/* Called once; other than 0 where there is nothing to begin with. */
int LLVMFuzzerInitialize(int *count, char ***words);

/* Called with each input; ends the process where something is wrong. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
