/* Memory and work that a stream may take, and why a call failed. */
#ifndef BFL_WORKSPACE_H
#define BFL_WORKSPACE_H

#include "bandfold.h"

typedef struct bfl_block bfl_block;

/* Folds and tables last until the decoder is closed; what a strip takes is given back behind it. */
typedef enum { BFL_LASTING, BFL_SCRATCH, BFL_POOLS } bfl_pool;

typedef struct {
    bandfold_allocator allocator;
    bfl_block *blocks[BFL_POOLS]; /* the last one that was taken first */
    uint64_t used, limit;         /* bytes of all blocks */
    uint64_t most;                /* of those at a time so far */
    uint8_t *reserve;             /* memory that scratch blocks lie in as long as there is room; null: none */
    uint64_t reserve_size, reserve_used, reserve_cost; /* the last one with what comes before the memory */
    uint64_t work;                /* units of work that are left; see budget.h */
    bandfold_status status;       /* of the last failure */
    const char *reason;
} bfl_workspace;

/* malloc and free. */
extern const bandfold_allocator bfl_standard_allocator;

/* Tell a caller of the library a status and, if it is told where to put it, why; returns the status. */
bandfold_status bfl_told(bandfold_status status, const char *why, const char **reason);

/* Say why a call fails; returns the status. */
bandfold_status bfl_fail(bfl_workspace *workspace, bandfold_status status, const char *reason);

/* Take lasting memory that scratch blocks then lie in: where they fit, nothing more is allocated. */
bandfold_status bfl_reserve(bfl_workspace *workspace, uint64_t size);

/* Memory for `count` things of `size` bytes, all zero; null, and the status of the workspace says why. */
void *bfl_take(bfl_workspace *workspace, bfl_pool pool, uint64_t count, uint64_t size);

/* Where a pool is now; and give back all that was taken from it since. */
bfl_block *bfl_mark(const bfl_workspace *workspace, bfl_pool pool);
void bfl_release(bfl_workspace *workspace, bfl_pool pool, const bfl_block *mark);

/* The block that was taken before another one of its pool, null behind the first one; and what is in it. */
const bfl_block *bfl_block_before(const bfl_block *block);
bandfold_bytes bfl_block_content(const bfl_block *block);

/* Products and sums that stop at the largest number in place of wrapping. */
uint64_t bfl_product(uint64_t a, uint64_t b);
uint64_t bfl_sum(uint64_t a, uint64_t b);

/* Take memory for an array, or return from the function with the status. */
#define BFL_TAKE(array, workspace, pool, count)                                     \
    do {                                                                            \
        (array) = bfl_take((workspace), (pool), (count), sizeof *(array));          \
        if ((array) == NULL)                                                        \
            return (workspace)->status;                                             \
    } while (0)

/* Return from the function if a call fails. */
#define BFL_TRY(call)                              \
    do {                                           \
        const bandfold_status status_ = (call);    \
        if (status_ != BANDFOLD_OK)                \
            return status_;                        \
    } while (0)

#endif
