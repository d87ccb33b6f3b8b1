/* Memory in blocks that are given back in the reverse order, within a limit. */

#include "workspace.h"

#include <string.h>

struct bfl_block {
    bfl_block *next;
    uint64_t size;
    /* Keeps what follows aligned for any type. */
    _Alignas(max_align_t) unsigned char content[];
};

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

void *bfl_take(bfl_workspace *workspace, bfl_pool pool, uint64_t count, uint64_t size)
{
    const uint64_t whole = bfl_sum(bfl_product(count, size), sizeof(bfl_block));
    if (whole > SIZE_MAX || whole > workspace->limit || workspace->used > workspace->limit - whole) {
        bfl_fail(workspace, BANDFOLD_OVER_LIMIT, "more memory is needed than the limit allows");
        return NULL;
    }
    bfl_block *block = workspace->allocator.allocate(workspace->allocator.context, (size_t)whole);
    if (block == NULL) {
        bfl_fail(workspace, BANDFOLD_NO_MEMORY, "the allocator has no memory left");
        return NULL;
    }
    memset(block, 0, (size_t)whole);
    block->next = workspace->blocks[pool];
    block->size = whole;
    workspace->blocks[pool] = block;
    workspace->used += whole;
    return block->content;
}

bfl_block *bfl_mark(const bfl_workspace *workspace, bfl_pool pool)
{
    return workspace->blocks[pool];
}

void bfl_release(bfl_workspace *workspace, bfl_pool pool, const bfl_block *mark)
{
    while (workspace->blocks[pool] != mark) {
        bfl_block *block = workspace->blocks[pool];
        workspace->blocks[pool] = block->next;
        workspace->used -= block->size;
        workspace->allocator.release(workspace->allocator.context, block);
    }
}
