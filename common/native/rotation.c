/* Rotating the components of blocks, and the bits that they take then. See onboard/transform/rotation.py.
 *
 * Products are of integers held in float64, exact in any order; costs are float32, operation by operation.
 */

#include "encoding.h"
#include "lanes.h"

#include <string.h>

enum { MOST = 64, TOGETHER = 8 };

typedef float singles __attribute__((vector_size(32)));
typedef int32_t integers __attribute__((vector_size(32)));

/* About log2(1 + scale * |x|) in units of 1 / 256, rounded: see `latent_cost` of onboard/transform/rotation.py. */
BF_INLINE integers cost_of(lanes x, float scale)
{
    const float magic = 12582912.0f; /* 1.5 * 2**23 */
    singles value = __builtin_convertvector(x, singles);
    value = (singles)((integers)value & 0x7fffffff);
    value = value * scale;
    value = value + 1.0f;
    value = __builtin_convertvector((integers)value, singles);
    value = value * (1.0f / (1 << 23));
    value = value - 127.0f;
    value = value * 256.0f;
    value = (value + magic) - magic;
    return __builtin_convertvector(value, integers);
}

/* What the first latents of blocks cost once each of `count` matrices of [size][size] has rotated them.
 *
 * Latents are of shape [size][channels][blocks], costs of [count][blocks]; where there are no matrices (null), costs are
 * those of the latents as they are.
 */
BF_EXPORT BF_CLONES void bf_rotation_costs(const double *latents, int32_t size, int32_t channels, int64_t blocks,
                                           const double *matrices, int32_t count, float scale, int64_t *costs)
{
    const int32_t kinds = matrices ? count : 1;
    for (int64_t start = 0; start < blocks; start += LANES) {
        const int live = blocks - start < LANES ? (int)(blocks - start) : LANES;
        for (int32_t first = 0; first < kinds; first += TOGETHER) {
            const int32_t some = kinds - first < TOGETHER ? kinds - first : TOGETHER;
            integers totals[TOGETHER] = {{0}};
            lanes x[MOST] = {{0}}, found[MOST];
            for (int channel = 0; channel < channels; channel++) {
                for (int32_t i = 0; i < size; i++) {
                    const double *from = latents + ((int64_t)i * channels + channel) * blocks + start;
                    if (live == LANES)
                        memcpy(&x[i], from, sizeof x[i]);
                    else
                        memcpy(&x[i], from, sizeof *from * live);
                }
                if (!matrices)
                    for (int32_t j = 0; j < size; j++)
                        totals[0] += cost_of(x[j], scale);
                for (int32_t one = 0; matrices && one < some; one++) {
                    bf_rotated(matrices + (int64_t)(first + one) * size * size, size, (const double *)x, (double *)found);
                    for (int32_t j = 0; j < size; j++)
                        totals[one] += cost_of(found[j], scale);
                }
            }
            for (int32_t one = 0; one < some; one++)
                for (int b = 0; b < live; b++)
                    costs[(first + one) * blocks + start + b] = totals[one][b];
        }
    }
}

/* About the bits of latents, in 1 / 256, and the squared errors in 1 / 256 of a squared step of those that become
 * zero and of all others: `latent_cost` of onboard/rate_model.py. */
BF_EXPORT BF_CLONES void bf_cost(const int32_t *latents, int64_t count, float scale, double steps, int64_t *totals)
{
    const double magic = 6755399441055744.0; /* 1.5 * 2**52 */
    int64_t bits = 0;
    lanes errors = {0};
    for (int64_t start = 0; start < count; start += LANES) {
        const int live = count - start < LANES ? (int)(count - start) : LANES;
        integers whole = {0};
        memcpy(&whole, latents + start, sizeof *latents * live);
        const lanes x = __builtin_convertvector(whole, lanes);
        const integers cost = cost_of(x, scale);
        int32_t sum = 0;
        for (int lane = 0; lane < LANES; lane++)
            sum += cost[lane];
        bits += sum;
        const lanes u = x * steps, square = u * u;
        lanes lost = square;
        for (int lane = 0; lane < LANES; lane++)
            lost[lane] = square[lane] < 1.0 / 12 ? square[lane] : 1.0 / 12;
        errors += (lost * 256.0 + magic) - magic;
    }
    totals[0] = bits;
    totals[1] = 0;
    for (int lane = 0; lane < LANES; lane++)
        totals[1] += (int64_t)errors[lane];
}

/* Rotate each block by the matrix that was chosen for it, in place: latents of [size][64][blocks]. Returns 1 if one
 * exceeds 32 bits then: its components have one length together, which 4096 bands of 16 bits keep below that.
 */
BF_EXPORT BF_CLONES int32_t bf_rotate(int32_t *latents, int32_t size, int64_t blocks, const double *matrices,
                                   const uint8_t *chosen)
{
    const double highest = INT32_MAX;
    int32_t failed = 0;
    for (int channel = 0; channel < BF_CHANNELS; channel++)
        for (int64_t b = 0; b < blocks; b++) {
            const double *matrix = matrices + (int64_t)chosen[b] * size * size;
            lanes sums[MOST / LANES] = {{0}};
            int32_t *at = latents + channel * blocks + b;
            const int64_t stride = BF_CHANNELS * blocks;
            for (int32_t i = 0; i < size; i++) {
                const double x = at[i * stride];
                for (int32_t j = 0; j < size; j += LANES) {
                    lanes w;
                    memcpy(&w, matrix + i * size + j, sizeof w);
                    sums[j / LANES] += w * x;
                }
            }
            for (int32_t j = 0; j < size; j++) {
                const double found = nearest(sums[j / LANES] * (1.0 / BASIS_UNIT))[j % LANES];
                const int32_t out = found > highest || found < -highest;
                failed |= out;
                at[j * stride] = out ? 0 : (int32_t)found;
            }
        }
    return failed;
}
