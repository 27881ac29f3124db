/* quantized.h: a network in 8-bit integers. An integer q stands for the number (q - zero) · scale. Weights are symmetric (zero = 0)
 * with one scale for each filter; each output of a layer has one scale and one zero point. This is the quantization specification
 * of TensorFlow Lite (Jacob et al. 2018).
 *
 * quantized_plan.c makes the operations of a network, without their constants. The constants come from quantize.c, which computes
 * them from a trained model, or from quantized_file.c, which reads them from a file. Then quantized_run.c runs the operations, with
 * fast convolutions of quantized_fast.c, and quantized_write.c writes them as C.
 */
#ifndef TL_DEVICE_QUANTIZED_H
#define TL_DEVICE_QUANTIZED_H

#include <tapline/quantize.h>

#include "device/network.h"

enum { TL_Q_TABLE_SIZE = 256 }; /* one entry for each 8-bit integer */

/* How the integers of an array represent numbers. */
typedef struct tl_q_scale {
    double scale; /* above 0 */
    int zero;     /* -128 … 127 */
} tl_q_scale;

typedef enum tl_q_kind {
    TL_Q_CONVOLVE,  /* also dense layers */
    TL_Q_DEPTHWISE, /* also batch norm */
    TL_Q_POOL_MAX,
    TL_Q_POOL_AVERAGE,
    TL_Q_TABLE, /* looks up each integer in a table: an activation, or one input of a concat */
    TL_Q_ADD
} tl_q_kind;

/* Has the members of `struct window` in the C file. */
typedef struct tl_q_window {
    int length, out_length, taps, stride, dilation, pad_left;
} tl_q_window;

/* One call of a helper function. Arrays are owned by the operation. */
typedef struct tl_q_op {
    tl_q_kind kind;
    const char *name;           /* of the layer */
    size_t step;                /* index of the step in the network */
    size_t part;                /* number of the call among those of the layer */
    size_t node[TL_MAX_INPUTS]; /* nodes whose outputs it reads */
    tl_q_window over;
    int rows, channels, filters, groups; /* filters: in a table, the channels in a row of the output */
    int inputs;
    tl_c_value x[TL_MAX_INPUTS], y;
    bool relu;

    int8_t *weight;       /* (weights) (taps, channels / groups, filters) or (taps, channels) */
    double *weight_scale; /* (filters) */
    int32_t *bias;        /* (filters) in units of weight_scale · scale of the input */
    int8_t *table;        /* (TL_Q_TABLE_SIZE) for the integers from -128 */
    size_t weights;

    /* computed from scales and weights by tl_q_finish */
    int x_zero[TL_MAX_INPUTS], y_zero, low; /* low: the smallest integer of the output */
    int32_t *multiplier;                    /* (factors) a factor is multiplier / 2^shift */
    uint8_t *shift;                         /* (factors) */
    size_t factors; /* number of factors: one for each filter, for each input of a sum, or for each number of missing steps in a
                       pool */
    struct tl_q_fast *fast; /* NULL: the functions of the C file are used */
    bool idle;              /* the output is equal to the input, in the same place */
} tl_q_op;

struct tl_quantized {
    tl_model *model;
    bool owns_model;     /* the model came from a file and is freed with this */
    tl_c_export_cfg cfg; /* all defaults */
    tl_c_network network;
    tl_q_op *op;
    size_t ops, room;
    tl_q_scale *scale;         /* (nodes) of their outputs */
    tl_quantized_layer *layer; /* (steps) what tl_quantized_layer_at returns */
    int8_t *arena;
    int16_t *wide; /* the input of a convolution, for its kernel function */
};

/* Makes the operations of a compiled model and allocates their arrays, which are 0. Fails if a layer cannot be computed in
 * integers; the message names the layer. Free the result with tl_quantized_free, also on failure. */
tl_status tl_q_plan(tl_quantized *self, tl_model *model, tl_error *error);

/* Whether a node keeps the scale of its input: it has no step, or its outputs are some of its inputs (maximum). */
bool tl_q_keeps_scale(const tl_quantized *self, size_t node);

/* Computes what follows from scales, weights, biases and tables. Fails if a sum could exceed 32 bits. */
tl_status tl_q_finish(tl_quantized *self, tl_error *error);

/* Prepares the convolutions for the kernel functions of this processor, which compute the same integers as the functions of the C
 * file. Call it after each change of weights or scales. */
tl_status tl_q_prepare_fast(tl_quantized *self, tl_error *error);
void tl_q_release_fast(tl_q_op *op);
void tl_q_run_fast(const tl_quantized *self, const tl_q_op *op, const int8_t *x, int8_t *y);

/* Runs an operation on one series in an arena: (network.arena). */
void tl_q_run_op(const tl_quantized *self, const tl_q_op *op, int8_t *arena);

/* Converts a series of numbers, x: (length, channels), to integers in the arena. room: (length, channels) */
void tl_q_read_series(const tl_quantized *self, const tl_real *x, float *room, int8_t *arena);

/* The address of a value in an arena. */
int8_t *tl_q_place(const tl_quantized *self, const tl_c_value *value, int8_t *arena);

/* Adds the constants of an operation, and the call, to the C file. */
void tl_q_write(tl_c_network *network, const tl_quantized *quantized, const tl_q_op *op);

#endif
