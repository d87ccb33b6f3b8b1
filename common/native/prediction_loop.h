/* A strip of predicted bands in work: prediction_loop.c takes its bands through prediction, quantisation and
 * reconstruction, prediction_weights.c chooses their weights. See onboard/prediction/prediction_loop.py.
 */
#ifndef BANDFOLD_PREDICTION_LOOP_H
#define BANDFOLD_PREDICTION_LOOP_H

#include "prediction.h"

enum { REFERENCES = 4 };

/* A strip in work: bands are numbered in the order of coding. */
typedef struct {
    const bf_network *network;
    const double *thresholds;        /* [classes][17] */
    const int32_t *points;           /* [classes][3] */
    const int32_t *kernels;          /* [engines][64][24][24] */
    const int32_t *units;            /* [engines][64] */
    const int64_t *plane_of;         /* [bands] */
    const int64_t *references;       /* [bands][4] */
    const int32_t *reference_counts; /* [bands] */
    const int32_t *reference_means;  /* [bands][4] */
    const int32_t *means;            /* [bands] */
    const int64_t *step_codes;       /* [bands] */
    const int32_t *engine_of;        /* [bands] */
    int32_t *planes;                 /* [slots][pixels] */
    int32_t *levels;                 /* [64][3][rows][columns]: of the last bands */
    uint8_t *classes;                /* [64][3][rows][columns] */
    uint8_t *memory;                 /* of the quantiser */
    const int32_t *target;           /* [pixels] */
    int32_t *prediction;             /* [pixels] */
    int8_t *inputs;                  /* [rows + 2][columns + 2][64] */
    int32_t *latents;                /* [64][rows][columns] */
    double *sums;                    /* [8 * rows + 16][8 * columns + 16] */
    double *looked_at;               /* [101][256]: what the choice of weights works in */
    int64_t *found;                  /* [7]: number of weights, offset, four weights, squared error */
    int64_t pixels;
    int32_t bands, rows, columns, lines, samples, low, high, shift;
    double told;
} bf_prediction_loop;

/* Choose the weights of a band, which `found` tells then. */
void bf_choose_prediction(const bf_prediction_loop *loop, int64_t number);

#endif
