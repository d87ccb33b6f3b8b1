/* Context networks as the kernels take them. */
#ifndef BFL_CONTEXT_NETWORK_H
#define BFL_CONTEXT_NETWORK_H

#include "tables_data.h"
#include "workspace.h"

#include "kernels.h"

/* What all networks look at alike. */
typedef struct {
    uint8_t *log;        /* [65536] */
    int32_t *neighbours; /* [7][64] */
} bfl_context_features;

bandfold_status bfl_make_features(bfl_workspace *workspace, bfl_context_features *features);

/* Lays out a network, filled up with units that do nothing, and its weights as words of bytes. */
bandfold_status bfl_make_network(bfl_workspace *workspace, const bfl_context_features *features,
                                 const bfl_mode_data *data, bf_network *network);

/* Vertical and horizontal frequency of each of the 64 channels. */
void bfl_channel_frequencies(int32_t vertical[BF_CHANNELS], int32_t horizontal[BF_CHANNELS]);

#endif
