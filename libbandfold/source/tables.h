/* Entropy tables, context networks and reconstruction points of a stream. */
#ifndef BFL_TABLES_H
#define BFL_TABLES_H

#include "context_network.h"

#include "rans.h"

/* Statistics of one kind of component. */
typedef struct {
    bf_network network;
    const int32_t *points; /* [classes][3]: below the magnitudes, in 1/256 step */
    int32_t classes;
    int32_t first_table;   /* of the kind, among all */
    uint8_t dependent;     /* whether there are two quantisers */
    int32_t states;        /* of their trellis, 8 or 32: what the stream says, no statistics */
} bfl_mode;

typedef struct {
    uint32_t *starts;      /* [tables][81] */
    uint8_t *guess;        /* [tables][256] */
    bfl_mode modes[BFL_MODES];
    int32_t first_side;    /* first table of side information */
    uint64_t *pushes;      /* [tables][80][2]: what encoders need of each token, see `bf_encode`; null in decoders */
} bfl_tables;

/* The shipped tables of an identity; null if there are none. */
const bfl_tables_data *bfl_find_tables(const uint8_t identity[8]);

/* Make them for the quantiser of a stream, as its header tells it. */
bandfold_status bfl_make_tables(bfl_workspace *workspace, const bfl_tables_data *data, int quantiser,
                                bfl_tables *tables);

/* Make what an encoder needs beside. */
bandfold_status bfl_make_pushes(bfl_workspace *workspace, bfl_tables *tables);

/* Cumulative frequencies of tables, and the first token that a state with so many top bits may be. */
void bfl_accumulate(const int32_t *frequencies, int32_t tables, uint32_t *starts);
void bfl_guess_tokens(const uint32_t *starts, int32_t tables, int top_bits, uint8_t *guess);

#endif
