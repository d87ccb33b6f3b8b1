/* The layout of bitstream/contexts/context_network.py: layers as float32 and, where weights are bytes, as words. */

#include "context_network.h"

#include <math.h>

enum {
    GROUPS = 8,
    NEIGHBOURS = 7,
    LOGARITHMS = 1 << 16,
    LARGEST_LOG = 127,
    TOGETHER = 4,       /* units are filled up to a multiple of so many */
    BYTE_LIMIT = 127,   /* hidden units are cut here where there are two layers of them, */
    SINGLE_LIMIT = 1023 /* and here where there is one */
};

static const int32_t GROUP_OF[BF_DIAGONALS] = {0, 1, 2, 3, 4, 4, 5, 5, 6, 6, 6, 7, 7, 7, 7};

void bfl_channel_frequencies(int32_t vertical[BF_CHANNELS], int32_t horizontal[BF_CHANNELS])
{
    int channel = 0;
    for (int diagonal = 0; diagonal < BF_DIAGONALS; diagonal++)
        for (int i = 0; i < 8; i++)
            if (diagonal - i >= 0 && diagonal - i < 8) {
                vertical[channel] = i;
                horizontal[channel++] = diagonal - i;
            }
}

bandfold_status bfl_make_features(bfl_workspace *workspace, bfl_context_features *features)
{
    /* Above, left, above on the left, two above, two on the left, below, right. */
    static const int DOWN[NEIGHBOURS] = {-1, 0, -1, -2, 0, 1, 0}, ACROSS[NEIGHBOURS] = {0, -1, -1, 0, -2, 0, 1};
    int32_t vertical[BF_CHANNELS], horizontal[BF_CHANNELS], number[8][8];
    bfl_channel_frequencies(vertical, horizontal);
    for (int c = 0; c < BF_CHANNELS; c++)
        number[vertical[c]][horizontal[c]] = c;
    BFL_TAKE(features->log, workspace, BFL_LASTING, LOGARITHMS);
    BFL_TAKE(features->neighbours, workspace, BFL_LASTING, NEIGHBOURS * BF_CHANNELS);
    uint8_t logarithm = 0;
    for (uint32_t x = 0; x < LOGARITHMS; x++) {
        while (logarithm < LARGEST_LOG && x >= bfl_log_thresholds[logarithm])
            logarithm++;
        features->log[x] = logarithm;
    }
    for (int n = 0; n < NEIGHBOURS; n++)
        for (int c = 0; c < BF_CHANNELS; c++) {
            const int i = vertical[c] + DOWN[n], j = horizontal[c] + ACROSS[n];
            const int inside = i >= 0 && i < 8 && j >= 0 && j < 8;
            features->neighbours[n * BF_CHANNELS + c] = inside ? number[i][j] : BF_CHANNELS;
        }
    return BANDFOLD_OK;
}

/* Rows of weights, filled up to `to_rows` of `to_columns` with zeros, as float32 times 2**-shift. */
static bandfold_status pad_scaled(bfl_workspace *workspace, const int32_t *from, const int32_t extent[3],
                                  int32_t to_rows, int32_t to_columns, int32_t shift, const float **found)
{
    float *to;
    BFL_TAKE(to, workspace, BFL_LASTING, (uint64_t)extent[0] * (uint64_t)to_rows * (uint64_t)to_columns);
    for (int32_t set = 0; set < extent[0]; set++)
        for (int32_t row = 0; row < extent[1]; row++)
            for (int32_t column = 0; column < extent[2]; column++) {
                const int64_t source = ((int64_t)set * extent[1] + row) * extent[2] + column;
                to[((int64_t)set * to_rows + row) * to_columns + column] = ldexpf((float)from[source], -shift);
            }
    *found = to;
    return BANDFOLD_OK;
}

/* The same as integers. */
static bandfold_status pad_whole(bfl_workspace *workspace, const int32_t *from, int32_t rows, int32_t columns,
                                 int32_t to_columns, const int32_t **found)
{
    int32_t *to;
    BFL_TAKE(to, workspace, BFL_LASTING, (uint64_t)rows * (uint64_t)to_columns);
    for (int32_t row = 0; row < rows; row++)
        for (int32_t column = 0; column < columns; column++)
            to[(int64_t)row * to_columns + column] = from[(int64_t)row * columns + column];
    *found = to;
    return BANDFOLD_OK;
}

static void put_byte(int32_t *words, int32_t place, int32_t value)
{
    const uint32_t shifted = (uint32_t)(value & 0xff) << 8 * (place % 4);
    words[place / 4] = (int32_t)((uint32_t)words[place / 4] | shifted);
}

/* Weights in bytes, four a word, each row beginning a word. */
static bandfold_status pack_bytes(bfl_workspace *workspace, const int32_t *from, const int32_t extent[3],
                                  int32_t to_rows, int32_t to_columns, const int32_t **found)
{
    int32_t *to;
    BFL_TAKE(to, workspace, BFL_LASTING, (uint64_t)extent[0] * (uint64_t)to_rows * (uint64_t)(to_columns / 4));
    for (int32_t set = 0; set < extent[0]; set++)
        for (int32_t row = 0; row < extent[1]; row++)
            for (int32_t column = 0; column < extent[2]; column++)
                put_byte(to + ((int64_t)set * to_rows + row) * (to_columns / 4), column,
                         from[((int64_t)set * extent[1] + row) * extent[2] + column]);
    *found = to;
    return BANDFOLD_OK;
}

/* Words of the first layer: each kind of features begins a word. */
static bandfold_status pack_hidden(bfl_workspace *workspace, const bfl_mode_data *data, bf_network *network)
{
    const int32_t latent = data->features - BF_SHARED_FEATURES, latent_words = (latent + 3) / 4;
    const int32_t unit_words = latent_words + 3;
    int32_t *to;
    BFL_TAKE(to, workspace, BFL_LASTING, (uint64_t)GROUPS * (uint64_t)network->units * (uint64_t)unit_words);
    for (int32_t group = 0; group < GROUPS; group++)
        for (int32_t unit = 0; unit < data->units; unit++) {
            const int32_t *from = data->hidden + ((int64_t)group * data->units + unit) * data->features;
            int32_t *words = to + ((int64_t)group * network->units + unit) * unit_words;
            for (int32_t f = 0; f < latent; f++)
                put_byte(words, f, from[f]);
            for (int32_t f = 0; f < BF_POSITION_FEATURES; f++)
                put_byte(words + latent_words, f, from[latent + f]);
            for (int32_t f = 0; f < BF_CHANNEL_FEATURES; f++)
                put_byte(words + latent_words + 2, f, from[latent + BF_POSITION_FEATURES + f]);
        }
    network->words = to;
    return BANDFOLD_OK;
}

static bandfold_status pack_layers(bfl_workspace *workspace, const bfl_mode_data *data, bf_network *network)
{
    const int32_t middle[3] = {GROUPS, data->middle_units, data->units}, output[3] = {GROUPS, 1, data->middle_units};
    BFL_TRY(pack_hidden(workspace, data, network));
    BFL_TRY(pad_whole(workspace, data->bias, BF_CHANNELS, data->units, network->units, &network->whole_bias));
    BFL_TRY(pack_bytes(workspace, data->middle, middle, network->middle_units, network->units,
                       &network->middle_words));
    BFL_TRY(pad_whole(workspace, data->middle_bias, GROUPS, data->middle_units, network->middle_units,
                      &network->whole_middle_bias));
    BFL_TRY(pack_bytes(workspace, data->output, output, 1, network->middle_units, &network->output_words));
    network->whole_offset = data->offset;
    network->shifts = data->shifts;
    return BANDFOLD_OK;
}

bandfold_status bfl_make_network(bfl_workspace *workspace, const bfl_context_features *features,
                                 const bfl_mode_data *data, bf_network *network)
{
    const int deep = data->middle != NULL;
    const int32_t inputs = deep ? data->middle_units : data->units, *shifts = data->shifts;
    *network = (bf_network){.log = features->log, .neighbours = features->neighbours, .groups = GROUP_OF};
    network->features = data->features;
    network->units = (data->units + TOGETHER - 1) / TOGETHER * TOGETHER;
    network->middle_units = deep ? (data->middle_units + TOGETHER - 1) / TOGETHER * TOGETHER : 0;
    network->limit = deep ? BYTE_LIMIT : SINGLE_LIMIT;
    network->classes = 48;
    network->half_steps = deep && data->classes > network->classes;
    const int32_t hidden[3] = {GROUPS, data->units, data->features}, bias[3] = {BF_CHANNELS, 1, data->units};
    const int32_t output[3] = {GROUPS, 1, inputs}, offset[3] = {1, 1, GROUPS};
    BFL_TRY(pad_scaled(workspace, data->hidden, hidden, network->units, data->features, shifts[0], &network->hidden));
    BFL_TRY(pad_scaled(workspace, data->bias, bias, 1, network->units, shifts[0], &network->bias));
    BFL_TRY(pad_scaled(workspace, data->output, output, 1, deep ? network->middle_units : network->units,
                       shifts[1 + deep], &network->output));
    BFL_TRY(pad_scaled(workspace, data->offset, offset, 1, GROUPS, shifts[1 + deep], &network->offset));
    if (!deep)
        return BANDFOLD_OK;
    const int32_t middle[3] = {GROUPS, data->middle_units, data->units};
    const int32_t middle_bias[3] = {GROUPS, 1, data->middle_units};
    BFL_TRY(pad_scaled(workspace, data->middle, middle, network->middle_units, network->units, shifts[1],
                       &network->middle));
    BFL_TRY(pad_scaled(workspace, data->middle_bias, middle_bias, 1, network->middle_units, shifts[1],
                       &network->middle_bias));
    if (shifts[0] >= 0 && shifts[1] >= 0 && shifts[2] >= 0)
        BFL_TRY(pack_layers(workspace, data, network));
    return BANDFOLD_OK;
}
