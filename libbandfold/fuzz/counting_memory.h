/* An allocator that counts what is held. */
#ifndef COUNTING_MEMORY_H
#define COUNTING_MEMORY_H

#include <stddef.h>
#include <stdint.h>

typedef struct {
    uint64_t held, largest; /* bytes */
} counting_memory;

/* Functions of a `bandfold_allocator`, whose context counts. */
void *take_counted(void *counted, size_t size);
void release_counted(void *counted, void *memory);

/* End the process where something was not given back. */
void check_all_released(const counting_memory *counted);

#endif
