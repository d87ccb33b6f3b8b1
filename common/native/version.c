/* Which functions there are: counted up with `bandfold.common.kernels.VERSION`. */

#include "kernels.h"

BF_EXPORT int32_t bf_version(void)
{
    return 21;
}
