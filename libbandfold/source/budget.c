/* A few bytes can claim any number of samples: what a stream may cost grows with its bytes. */

#include "budget.h"

#define LEAST_MEMORY ((uint64_t)256 << 20)
#define MEMORY_OF_BYTE 2621
#define LEAST_WORK ((uint64_t)1 << 25)
#define WORK_OF_BYTE ((uint64_t)1 << 10)

uint64_t bfl_memory_limit(uint64_t size, uint64_t asked, int trusted)
{
    const uint64_t wanted = asked ? asked : BFL_DEFAULT_MEMORY;
    const uint64_t by_size = bfl_product(size, MEMORY_OF_BYTE);
    const uint64_t likely = by_size < LEAST_MEMORY ? LEAST_MEMORY : by_size;
    return trusted || wanted < likely ? wanted : likely;
}

uint64_t bfl_work_limit(uint64_t size, uint64_t factor, int trusted)
{
    const uint64_t by_size = bfl_product(bfl_product(WORK_OF_BYTE, factor), size);
    return trusted ? UINT64_MAX : by_size < LEAST_WORK ? LEAST_WORK : by_size;
}

bandfold_status bfl_charge(bfl_workspace *workspace, uint64_t units)
{
    if (units > workspace->work)
        return bfl_fail(workspace, BANDFOLD_OVER_LIMIT,
                        "the stream claims more than one of its size should: it is corrupt, or must be trusted");
    workspace->work -= units;
    return BANDFOLD_OK;
}
