/* Memory in blocks that are given back in the reverse order, within a limit. */

#include "workspace.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

struct bfl_block {
    bfl_block *next;
    uint64_t size;
    int reserved; /* whether it lies in the reserve */
    /* Keeps what follows aligned for any type. */
    _Alignas(max_align_t) unsigned char content[];
};

static void *from_malloc(void *context, size_t size)
{
    (void)context;
    return malloc(size);
}

static void to_free(void *context, void *block)
{
    (void)context;
    free(block);
}

const bandfold_allocator bfl_standard_allocator = {from_malloc, to_free, NULL};

bandfold_status bfl_told(bandfold_status status, const char *why, const char **reason)
{
    if (reason)
        *reason = status == BANDFOLD_OK ? "" : why;
    return status;
}

bandfold_status bfl_fail(bfl_workspace *workspace, bandfold_status status, const char *reason)
{
    workspace->status = status;
    workspace->reason = reason;
    return status;
}

uint64_t bfl_product(uint64_t a, uint64_t b)
{
    return b != 0 && a > UINT64_MAX / b ? UINT64_MAX : a * b;
}

uint64_t bfl_sum(uint64_t a, uint64_t b)
{
    return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

/* A block at the end of what is used of the reserve; null where it does not fit. Blocks are given back in the reverse
 * order, so that what is used is always the beginning.
 */
static bfl_block *take_reserved(bfl_workspace *workspace, uint64_t size)
{
    if (size > workspace->reserve_size - workspace->reserve_used)
        return NULL;
    bfl_block *block = (bfl_block *)(void *)(workspace->reserve + workspace->reserve_used);
    workspace->reserve_used += size;
    return block;
}

/* Memory that is allocated, within the limit. */
static bfl_block *allocate(bfl_workspace *workspace, uint64_t size)
{
    if (size > SIZE_MAX || size > workspace->limit || workspace->used > workspace->limit - size) {
        bfl_fail(workspace, BANDFOLD_OVER_LIMIT, "more memory is needed than the limit allows");
        return NULL;
    }
    bfl_block *block = workspace->allocator.allocate(workspace->allocator.context, (size_t)size);
    if (block == NULL)
        bfl_fail(workspace, BANDFOLD_NO_MEMORY, "the allocator has no memory left");
    else
        workspace->used += size;
    return block;
}

void *bfl_take(bfl_workspace *workspace, bfl_pool pool, uint64_t count, uint64_t size)
{
    const uint64_t unit = _Alignof(max_align_t), bytes = bfl_sum(bfl_product(count, size), sizeof(bfl_block));
    const uint64_t whole = bfl_product(bytes / unit + (bytes % unit != 0), unit);
    bfl_block *block = pool == BFL_SCRATCH && workspace->reserve ? take_reserved(workspace, whole) : NULL;
    const int reserved = block != NULL;
    if (block == NULL)
        block = allocate(workspace, whole);
    if (block == NULL)
        return NULL;
    memset(block, 0, (size_t)whole);
    block->next = workspace->blocks[pool];
    block->size = whole;
    block->reserved = reserved;
    workspace->blocks[pool] = block;
    const uint64_t held = workspace->used - workspace->reserve_cost + workspace->reserve_used;
    workspace->most = held > workspace->most ? held : workspace->most;
    return block->content;
}

bandfold_status bfl_reserve(bfl_workspace *workspace, uint64_t size)
{
    const uint64_t used = workspace->used, most = workspace->most;
    uint8_t *memory;
    BFL_TAKE(memory, workspace, BFL_LASTING, size);
    workspace->reserve = memory;
    workspace->reserve_size = size;
    workspace->reserve_cost = workspace->used - used;
    /* What is reserved is not needed yet. */
    workspace->most = most;
    return BANDFOLD_OK;
}

bfl_block *bfl_mark(const bfl_workspace *workspace, bfl_pool pool)
{
    return workspace->blocks[pool];
}

const bfl_block *bfl_block_before(const bfl_block *block)
{
    return block->next;
}

bandfold_bytes bfl_block_content(const bfl_block *block)
{
    return (bandfold_bytes){block->content, (size_t)(block->size - sizeof *block)};
}

void bfl_release(bfl_workspace *workspace, bfl_pool pool, const bfl_block *mark)
{
    while (workspace->blocks[pool] != mark) {
        bfl_block *block = workspace->blocks[pool];
        workspace->blocks[pool] = block->next;
        if (block->reserved) {
            workspace->reserve_used -= block->size;
            continue;
        }
        workspace->used -= block->size;
        workspace->allocator.release(workspace->allocator.context, block);
    }
}
