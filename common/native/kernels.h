/* What the kernels share. Each is specified beside the NumPy function that it takes the place of (`compiled`
 * of common/kernels.py), which checks all arrays; tests compare prototypes and structures with that.
 *
 * Every kernel gives the bits of the NumPy code that it takes the place of. Two rules keep it so: float32
 * holds integers only (times a power of two), whose sums have no order, and float64 is computed operation by
 * operation in the order of the NumPy code, which is why contraction into fused operations is switched off.
 */
#ifndef BANDFOLD_KERNELS_H
#define BANDFOLD_KERNELS_H

#include <stddef.h>
#include <stdint.h>

/* A library that kernels are a part of may keep them to itself. */
#if !defined(BF_EXPORT)
#if defined(_WIN32)
#define BF_EXPORT __declspec(dllexport)
#else
#define BF_EXPORT __attribute__((visibility("default")))
#endif
#endif

/* On x86 one binary serves old and new processors: the loader picks a clone. ARM has NEON everywhere. */
#if !defined(BF_CLONES) && defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && __GNUC__ >= 12 && defined(__linux__)
#include <features.h>
#if defined(__GLIBC__)
#define BF_CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#endif
#endif
#if !defined(BF_CLONES)
#define BF_CLONES
#endif

#if defined(__GNUC__)
#define BF_INLINE static inline __attribute__((always_inline))
#else
#define BF_INLINE static inline
#endif

enum {
    BF_CHANNELS = 64,
    BF_DIAGONALS = 15,
    BF_LONGEST = 8, /* channels of a diagonal, at most */
    BF_LATENT_FEATURES = 11,
    BF_EXTENDED_FEATURES = 5, /* of extended networks: they come behind those */
    BF_MOST_LATENT_FEATURES = BF_LATENT_FEATURES + BF_EXTENDED_FEATURES,
    BF_POSITION_FEATURES = 5,
    BF_CHANNEL_FEATURES = 3,
    BF_SHARED_FEATURES = BF_POSITION_FEATURES + BF_CHANNEL_FEATURES,
    BF_FEATURES = BF_LATENT_FEATURES + BF_SHARED_FEATURES,
    BF_TOKENS = 80,
    BF_DIRECT = 16
};

/* First channel of a diagonal; of the one behind the last, the number of channels. */
BF_INLINE int bf_first(int diagonal)
{
    return diagonal <= 8 ? diagonal * (diagonal + 1) / 2
                         : BF_CHANNELS - (BF_DIAGONALS - diagonal) * (BF_DIAGONALS + 1 - diagonal) / 2;
}

/* A context network and what its features need; see bitstream/contexts/context_network.py. */
typedef struct {
    const uint8_t *log;                /* [65536] */
    const int32_t *neighbours;         /* [7][64]: up, left, up left, up twice, left twice, down, right */
    const int32_t *groups;             /* [15]: weights of each diagonal */
    const float *hidden;               /* [groups][units][features] */
    const float *bias;                 /* [64][units] */
    const float *middle;               /* [groups][middle_units][units] */
    const float *middle_bias;          /* [groups][middle_units] */
    const float *output;               /* [groups][middle_units, or units where there are none] */
    const float *offset;               /* [groups] */
    /* The same as integers, weights in bytes, four a word (see bytes.c); null where they are no bytes. */
    const int32_t *words;              /* [groups][units][latent words + 3] */
    const int32_t *whole_bias;         /* [64][units] */
    const int32_t *middle_words;       /* [groups][middle_units][units / 4] */
    const int32_t *whole_middle_bias;  /* [groups][middle_units] */
    const int32_t *output_words;       /* [groups][middle_units / 4] */
    const int32_t *whole_offset;       /* [groups] */
    const int32_t *shifts;             /* [3] */
    int32_t features;                  /* 19, or 24 of an extended network */
    int32_t units;                     /* a multiple of 4 */
    int32_t middle_units;              /* a multiple of 4; 0 where there is one hidden layer */
    int32_t limit;                     /* hidden units are cut here */
    int32_t classes;
    int32_t half_steps;                /* whether magnitudes are learnt in half steps */
} bf_network;

BF_INLINE int bf_extended(const bf_network *network)
{
    return network->features > BF_FEATURES;
}

/* One component: what is known of it, all planes of `positions`; plane 64 stays zero. The last four are written for
 * extended networks only.
 */
typedef struct {
    uint16_t *magnitudes;  /* [65] */
    uint8_t *own;          /* [65] */
    uint8_t *ring;         /* [65] */
    uint8_t *cross;        /* [65] */
    uint8_t *whole;        /* [1] */
    int32_t *below;        /* [16] */
    int32_t *below_ring;   /* [16] */
    int32_t *means;        /* [65], one number each */
    uint8_t *across;       /* [65] */
    uint8_t *along;        /* [65] */
    uint16_t *history;     /* [65] */
    uint8_t *faded;        /* [65] */
} bf_component;

/* Logarithms of sums. */
void bf_logarithms(const uint8_t *log, const uint16_t *sums, int64_t count, uint8_t *found);

/* The three components that coding looks at lie in memory of the caller, who clears it at first. */
enum { BF_HELD = 3 };

int64_t bf_held_size(int32_t rows, int32_t columns);
uint8_t *bf_hold(bf_component held[BF_HELD], uint8_t *memory, int64_t positions);
void bf_classify(const bf_network *network, int diagonal, int64_t positions, const bf_component *now,
                 const bf_component *last, const bf_component *before, uint8_t *classes, int64_t stride);
/* The same where the processor multiplies bytes and weights are bytes; otherwise returns 0 and does nothing. */
int bf_classify_bytes(const bf_network *network, int diagonal, int64_t positions, const bf_component *now,
                      const bf_component *last, const bf_component *before, uint8_t *classes, int64_t stride);

/* Take in a diagonal. The lowest bit of `second` tells which latents went through the second quantiser; null: none. */
void bf_learn(const bf_network *network, int diagonal, int rows, int columns, bf_component *now,
              const int32_t *values, int64_t stride, const uint8_t *second, int64_t second_stride,
              uint16_t *scratch);
/* What later components need of one, once all of it is taken in. */
void bf_past(const bf_network *network, int64_t positions, bf_component *now, const bf_component *last,
             uint16_t *scratch);

/* States of the trellises of trellis-coded quantisation: [BF_LONGEST][positions]; see trellis.c. */
void bf_states_classes(const uint8_t *states, int channels, int64_t positions, int32_t classes, uint8_t *kinds,
                       int64_t stride);
void bf_states_move(uint8_t *states, int count, int channels, int64_t positions, const int32_t *values, int64_t stride);

#endif
