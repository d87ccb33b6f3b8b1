/* SHA-256, FIPS 180-4. */
#ifndef BFL_SHA256_H
#define BFL_SHA256_H

#include <stdint.h>

void bfl_sha256(const uint8_t *data, uint64_t size, uint8_t digest[32]);

#endif
