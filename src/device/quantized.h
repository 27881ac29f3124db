/* quantized.h: a network in integers of 8 bits: made by quantize.c, run by quantized_run.c, written as C by quantized_write.c.
 *
 * A number stands for (q - zero) · scale. Weights are symmetric, with a scale for each filter; outputs of layers have one scale and
 * zero point each (the TensorFlow Lite quantisation specification; Jacob et al. 2018).
 */
#ifndef TL_DEVICE_QUANTIZED_H
#define TL_DEVICE_QUANTIZED_H

#include <tapline/quantize.h>

#include "device/network.h"

/* What an array of numbers stands for. */
typedef struct tl_q_scale {
    double scale;
    int zero;
} tl_q_scale;

typedef enum tl_q_kind {
    TL_Q_CONVOLVE,
    TL_Q_DEPTHWISE,
    TL_Q_POOL_MAX,
    TL_Q_POOL_AVERAGE,
    TL_Q_TABLE, /* any function of each number; of each input of a concat */
    TL_Q_ADD
} tl_q_kind;

/* As struct window of a file has it. */
typedef struct tl_q_window {
    int length, out_length, taps, stride, dilation, pad_left;
} tl_q_window;

/* One call of a helper function. */
typedef struct tl_q_op {
    tl_q_kind kind;
    const char *name; /* of the layer */
    size_t step;      /* of the network */
    size_t part;      /* which call of that layer */
    tl_q_window over;
    int rows, channels, filters, groups; /* filters: of a table, channels of the output's rows */
    int inputs, x_zero[TL_MAX_INPUTS], y_zero, low;
    bool idle; /* its numbers stay as they are: nothing is to be done */
    tl_c_value x[TL_MAX_INPUTS], y;
    int8_t *weight; /* or table */
    int32_t *bias, *multiplier;
    uint8_t *shift;
    size_t weights, filters_count; /* elements of weight; of bias, multiplier, shift */
} tl_q_op;

struct tl_quantized {
    tl_model *model;
    tl_c_export_cfg cfg; /* of the network: all defaults */
    tl_c_network network;
    tl_q_op *op;
    size_t ops, room;
    tl_quantized_layer *layer; /* (steps) what their outputs stand for */
    tl_q_scale input, output;
    int8_t *arena;
};

/* Runs one series, x: (length, channels), and adds for each step the power of what its output should be, wanted: (steps), and of
 * what the integers are away from it. room: (length, channels). */
void tl_q_compare(const tl_quantized *self, const tl_real *x, float *room, const tl_real *const *wanted, double *power,
                  double *noise);

/* Adds constants and a call for one of the operations. */
void tl_q_write(tl_c_network *network, const tl_quantized *quantized, const tl_q_op *op);

#endif
