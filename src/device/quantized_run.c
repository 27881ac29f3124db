/* Runs a network in integers. It includes the functions of the C file, so both compute the same integers. Only convolutions have
 * faster functions (quantized_fast.c), which compute the same too. */
#include "device/quantized.h"

#include "base/argument.h"
#include "base/memory.h"
#include "data/dataset.h"
#include "graph/graph.h"
#include "train/evaluate.h"

// NOLINTBEGIN(bugprone-suspicious-include): parts of the C file
#include "device/text/window.c"

#include "device/text/taps.c"

#include "device/text/q_requantize.c"

#include "device/text/q_convolution.c"

#include "device/text/q_convolve.c"

#include "device/text/q_convolve_depthwise.c"

#include "device/text/q_add.c"
#include "device/text/q_input.c"
#include "device/text/q_output.c"
#include "device/text/q_pool_average.c"
#include "device/text/q_pool_max.c"
#include "device/text/q_table.c"
// NOLINTEND(bugprone-suspicious-include)

int8_t *tl_q_place(const tl_quantized *self, const tl_c_value *value, int8_t *arena) {
    return arena + self->network.span[value->span].offset + value->offset;
}

static struct window window_of(const tl_q_op *op) {
    return (struct window){op->over.length, op->over.out_length, op->over.taps,
                           op->over.stride, op->over.dilation,   op->over.pad_left};
}

void tl_q_run_op(const tl_quantized *self, const tl_q_op *op, int8_t *arena) {
    const struct q_convolution convolution = {window_of(op), op->channels, op->filters, op->groups,
                                              op->x_zero[0], op->y_zero,   op->low};
    const struct q_filters filters = {op->bias, op->multiplier, op->shift};
    const signed char *x[TL_MAX_INPUTS] = {NULL};
    signed char *y = tl_q_place(self, &op->y, arena);
    for (int e = 0; e < op->inputs; e++) x[e] = tl_q_place(self, &op->x[e], arena);
    if (op->idle) return;
    if (op->fast) {
        tl_q_run_fast(self, op, x[0], y);
        return;
    }
    switch (op->kind) {
    case TL_Q_CONVOLVE:
        q_convolve(&convolution, x[0], op->weight, &filters, y);
        break;
    case TL_Q_DEPTHWISE:
        q_convolve_depthwise(&convolution, x[0], op->weight, &filters, y);
        break;
    case TL_Q_POOL_MAX:
        q_pool_max(&convolution.over, op->channels, x[0], y);
        break;
    case TL_Q_POOL_AVERAGE:
        q_pool_average(&convolution.over, op->channels, op->x_zero[0], op->y_zero, op->multiplier, op->shift, x[0], y);
        break;
    case TL_Q_TABLE:
        q_table(x[0], op->rows, op->channels, op->filters, op->table, y);
        break;
    case TL_Q_ADD:
        q_add(x, op->inputs, op->rows * op->channels, op->x_zero, op->multiplier, op->y_zero, op->low, y);
        break;
    }
}

void tl_q_read_series(const tl_quantized *self, const tl_real *x, float *room, int8_t *arena) {
    const tl_shape in = self->network.net.node[0].out;
    const size_t count = in.length * in.channels;
    for (size_t i = 0; i < count; i++) room[i] = (float)x[i];
    quantize(room, (int)count, (float)self->scale[0].scale, self->scale[0].zero, tl_q_place(self, &self->network.input, arena));
}

/* Computes the outputs of one series. room: (numbers of the series, or outputs, whichever is more) */
static void run_series(const tl_quantized *self, const tl_real *x, float *room, tl_real *y, size_t outputs) {
    const tl_q_scale scale = self->scale[self->network.net.nodes - 1];
    tl_q_read_series(self, x, room, self->arena);
    for (size_t i = 0; i < self->ops; i++) tl_q_run_op(self, &self->op[i], self->arena);
    dequantize(tl_q_place(self, &self->network.output, self->arena), (int)outputs, (float)scale.scale, scale.zero, room);
    for (size_t i = 0; i < outputs; i++) y[i] = (tl_real)room[i];
}

/* Computes the outputs of all series, as tl_forward does. x was checked. */
static tl_status run_all(tl_quantized *self, const tl_tensor *x, tl_tensor *y, tl_error *error) {
    const size_t count = x->shape[1] * x->shape[2], outputs = y->shape[1] * y->shape[2];
    float *room = tl_allocate(tl_max(count, outputs), sizeof *room, "quantized network", error);
    for (size_t i = 0; room && i < x->shape[0]; i++) run_series(self, x->data + i * count, room, y->data + i * outputs, outputs);
    tl_release(room);
    return tl_failed(error) ? error->status : TL_OK;
}

tl_status tl_quantized_predict(tl_quantized *self, const tl_tensor *x, tl_tensor *y, tl_error *error) {
    tl_error own = {0};
    if (!error) error = &own;
    if (tl_failed(error) || !tl_given(self, "quantized predict: the network", error) ||
        tl_run_check(self->model, x, "quantized predict", error) != TL_OK ||
        tl_predicted_check(y, x->shape[0], tl_output_shape(self->model), "quantized predict", error) != TL_OK ||
        run_all(self, x, y, error) != TL_OK)
        return error->status;
    tl_outputs_predict(tl_model_loss(self->model), &self->model->targets, y);
    return TL_OK;
}

/* Computes the outputs for all series of a data set. Release them in any case. */
static tl_status run_data(tl_quantized *self, const tl_dataset *data, const char *caller, tl_outputs *outputs, tl_error *error) {
    if (tl_data_check(self->model, data, caller, error) != TL_OK || tl_dataset_in_memory(data, caller, error) != TL_OK)
        return error->status;
    const tl_shape out = tl_output_shape(self->model);
    if (data->lengths)
        return tl_fail(error, TL_ERROR_ARGUMENT,
                       "%s: the series differ in length; a network in integers takes series of one length only", caller);
    outputs->y = tl_tensor_new(3, (const size_t[]){data->x.shape[0], out.length, out.channels}, error);
    return tl_failed(error) ? error->status : run_all(self, &data->x, &outputs->y, error);
}

tl_status tl_quantized_confusion(tl_quantized *self, const tl_dataset *data, size_t *counts, tl_error *error) {
    tl_error own = {0};
    tl_outputs outputs = {0};
    if (!error) error = &own;
    if (tl_failed(error) || !tl_given(self, "quantized confusion: the network", error) ||
        !tl_given(counts, "quantized confusion: counts", error))
        return error->status;
    const tl_loss_kind loss = tl_model_loss(self->model);
    if (tl_loss_has_classes(loss, "quantized confusion", error) == TL_OK &&
        run_data(self, data, "quantized confusion", &outputs, error) == TL_OK)
        tl_outputs_confusion(&outputs, loss, data, counts, error);
    tl_outputs_release(&outputs);
    return error->status;
}

tl_status tl_quantized_evaluate(tl_quantized *self, const tl_dataset *data, tl_metrics *metrics, tl_error *error) {
    tl_error own = {0};
    tl_outputs outputs = {0};
    if (!error) error = &own;
    if (tl_failed(error) || !tl_given(self, "quantized evaluate: the network", error) ||
        !tl_given(metrics, "quantized evaluate: metrics", error))
        return error->status;
    if (run_data(self, data, "quantized evaluate", &outputs, error) == TL_OK)
        tl_measure(&self->model->loss, &self->model->targets, &outputs, data, metrics, error);
    tl_outputs_release(&outputs);
    return error->status;
}
