/* Tables of all kinds, one behind the other: those of folds, of single bands, and of side information. */

#include "tables.h"

#include "header.h"

#include "encoding.h"

#include <string.h>

enum { PRECISION = 24, GUESS_BITS = 8 };

const bfl_tables_data *bfl_find_tables(const uint8_t identity[8])
{
    for (int32_t n = 0; n < bfl_shipped_count; n++)
        if (memcmp(bfl_shipped_tables[n].identity, identity, 8) == 0)
            return &bfl_shipped_tables[n];
    return NULL;
}

void bfl_accumulate(const int32_t *frequencies, int32_t tables, uint32_t *starts)
{
    for (int32_t table = 0; table < tables; table++) {
        uint32_t *row = starts + (int64_t)table * (BF_TOKENS + 1);
        row[0] = 0;
        for (int token = 0; token < BF_TOKENS; token++)
            row[token + 1] = row[token] + (uint32_t)frequencies[(int64_t)table * BF_TOKENS + token];
    }
}

void bfl_guess_tokens(const uint32_t *starts, int32_t tables, int top_bits, uint8_t *guess)
{
    for (int32_t table = 0; table < tables; table++) {
        const uint32_t *row = starts + (int64_t)table * (BF_TOKENS + 1);
        uint8_t token = 0;
        for (uint32_t top = 0; top < 1u << top_bits; top++) {
            while (row[token + 1] <= top << (PRECISION - top_bits))
                token++;
            guess[((int64_t)table << top_bits) + top] = token;
        }
    }
}

bandfold_status bfl_make_tables(bfl_workspace *workspace, const bfl_tables_data *data, int quantiser,
                                bfl_tables *tables)
{
    bfl_context_features features;
    BFL_TRY(bfl_make_features(workspace, &features));
    int32_t count = 0;
    for (int mode = 0; mode < BFL_MODES; mode++) {
        bfl_mode *made = &tables->modes[mode];
        BFL_TRY(bfl_make_network(workspace, &features, &data->modes[mode], &made->network));
        made->points = data->modes[mode].points;
        made->classes = data->modes[mode].classes;
        made->dependent = made->classes > made->network.classes;
        made->states = quantiser == BFL_TRELLIS_32 ? 32 : 8;
        made->first_table = count;
        count += made->classes;
    }
    tables->first_side = count;
    BFL_TAKE(tables->starts, workspace, BFL_LASTING, (uint64_t)(count + BF_SIDE_CLASSES) * (BF_TOKENS + 1));
    BFL_TAKE(tables->guess, workspace, BFL_LASTING, (uint64_t)(count + BF_SIDE_CLASSES) << GUESS_BITS);
    for (int mode = 0; mode < BFL_MODES; mode++)
        bfl_accumulate(data->modes[mode].frequencies, tables->modes[mode].classes,
                       tables->starts + (int64_t)tables->modes[mode].first_table * (BF_TOKENS + 1));
    bfl_accumulate(data->side, BF_SIDE_CLASSES, tables->starts + (int64_t)count * (BF_TOKENS + 1));
    bfl_guess_tokens(tables->starts, count + BF_SIDE_CLASSES, GUESS_BITS, tables->guess);
    tables->pushes = NULL;
    return BANDFOLD_OK;
}

bandfold_status bfl_make_pushes(bfl_workspace *workspace, bfl_tables *tables)
{
    const int64_t count = tables->first_side + BF_SIDE_CLASSES;
    BFL_TAKE(tables->pushes, workspace, BFL_LASTING, (uint64_t)(2 * count * BF_TOKENS));
    bf_pushes(tables->starts, count, BF_TOKENS, tables->pushes);
    return BANDFOLD_OK;
}
