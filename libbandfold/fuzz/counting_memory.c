/* Each block begins with its size. */

#include "counting_memory.h"

#include <stdio.h>
#include <stdlib.h>

typedef union {
    size_t size;
    max_align_t aligned;
} head;

void *take_counted(void *counted, size_t size)
{
    counting_memory *memory = counted;
    head *block = malloc(sizeof *block + size);
    if (block == NULL)
        return NULL;
    block->size = size;
    memory->held += size;
    memory->largest = memory->held > memory->largest ? memory->held : memory->largest;
    return block + 1;
}

void release_counted(void *counted, void *memory)
{
    counting_memory *from = counted;
    head *block = (head *)memory - 1;
    from->held -= block->size;
    free(block);
}

void check_all_released(const counting_memory *counted)
{
    if (counted->held == 0)
        return;
    fprintf(stderr, "%llu bytes were not given back\n", (unsigned long long)counted->held);
    abort();
}
