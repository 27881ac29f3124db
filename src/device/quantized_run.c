/* Runs a network in integers. The functions are those that files of C have: what they compute is the same by construction. */
#include "device/quantized.h"

#include "base/argument.h"
#include "base/memory.h"
#include "data/dataset.h"
#include "graph/graph.h"
#include "train/evaluate.h"

// NOLINTBEGIN(bugprone-suspicious-include): texts of the file of C
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

static signed char *place(const tl_quantized *self, const tl_c_value *value) {
    return self->arena + self->network.span[value->span].offset + value->offset;
}

static struct window window_of(const tl_q_op *op) {
    return (struct window){op->over.length, op->over.out_length, op->over.taps,
                           op->over.stride, op->over.dilation,   op->over.pad_left};
}

static void run_op(const tl_quantized *self, const tl_q_op *op) {
    const struct q_convolution convolution = {window_of(op), op->channels, op->filters, op->groups,
                                              op->x_zero[0], op->y_zero,   op->low};
    const struct q_filters filters = {op->bias, op->multiplier, op->shift};
    const signed char *x[TL_MAX_INPUTS] = {NULL};
    signed char *y = place(self, &op->y);
    for (int e = 0; e < op->inputs; e++) x[e] = place(self, &op->x[e]);
    if (op->idle) return;
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
        q_table(x[0], op->rows, op->channels, op->filters, op->weight, y);
        break;
    case TL_Q_ADD:
        q_add(x, op->inputs, op->rows * op->channels, op->x_zero, op->multiplier, op->y_zero, op->low, y);
        break;
    }
}

/* One series; room: for one in single precision. */
static void run_series(const tl_quantized *self, const tl_real *x, size_t count, float *room, tl_real *y, size_t outputs) {
    for (size_t i = 0; i < count; i++) room[i] = (float)x[i];
    quantize(room, (int)count, (float)self->input.scale, self->input.zero, place(self, &self->network.input));
    for (size_t i = 0; i < self->ops; i++) run_op(self, &self->op[i]);
    dequantize(place(self, &self->network.output), (int)outputs, (float)self->output.scale, self->output.zero, room);
    for (size_t i = 0; i < outputs; i++) y[i] = (tl_real)room[i];
}

/* The outputs of the network, as tl_forward gives them, of x, which has been checked. */
static tl_status run_all(tl_quantized *self, const tl_tensor *x, tl_tensor *y, tl_error *error) {
    const size_t count = x->shape[1] * x->shape[2], outputs = y->shape[1] * y->shape[2];
    float *room = tl_allocate(tl_max(count, outputs), sizeof *room, "quantized network", error);
    for (size_t i = 0; room && i < x->shape[0]; i++)
        run_series(self, x->data + i * count, count, room, y->data + i * outputs, outputs);
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

tl_status tl_quantized_evaluate(tl_quantized *self, const tl_dataset *data, tl_metrics *metrics, tl_error *error) {
    tl_error own = {0};
    tl_outputs outputs = {0};
    if (!error) error = &own;
    if (tl_failed(error) || !tl_given(self, "quantized evaluate: the network", error) ||
        !tl_given(metrics, "quantized evaluate: metrics", error) ||
        tl_data_check(self->model, data, "quantized evaluate", error) != TL_OK ||
        tl_dataset_in_memory(data, "quantized evaluate", error) != TL_OK)
        return error->status;
    const tl_shape out = tl_output_shape(self->model);
    if (data->lengths)
        return tl_fail(error, TL_ERROR_ARGUMENT,
                       "quantized evaluate: series differ in length; a network in integers takes whole series");
    outputs.y = tl_tensor_new(3, (const size_t[]){data->x.shape[0], out.length, out.channels}, error);
    if (!tl_failed(error) && run_all(self, &data->x, &outputs.y, error) == TL_OK)
        tl_measure(&self->model->loss, &self->model->targets, &outputs, data, metrics, error);
    tl_outputs_release(&outputs);
    return error->status;
}

/* ---- noise ---- */

/* What the integers of a step's output stand for, beside what they should be: adds to the powers of both. */
static void compare_step(const tl_quantized *self, size_t index, const tl_real *wanted, double *power, double *noise) {
    const tl_c_step *step = &self->network.step[index];
    const signed char *values = place(self, &step->y);
    const size_t count = step->node->out.length * step->node->out.channels;
    for (size_t i = 0; i < count; i++) {
        const double number = (values[i] - self->layer[index].zero) * self->layer[index].scale,
                     distance = number - (double)wanted[i];
        *power += (double)wanted[i] * (double)wanted[i];
        *noise += distance * distance;
    }
}

void tl_q_compare(const tl_quantized *self, const tl_real *x, float *room, const tl_real *const *wanted, double *power,
                  double *noise) {
    const tl_export_node *input = &self->network.net.node[0];
    const size_t count = input->out.length * input->out.channels;
    for (size_t i = 0; i < count; i++) room[i] = (float)x[i];
    quantize(room, (int)count, (float)self->input.scale, self->input.zero, place(self, &self->network.input));
    for (size_t i = 0; i < self->ops; i++) {
        const size_t step = self->op[i].step;
        run_op(self, &self->op[i]);
        if (i + 1 == self->ops || self->op[i + 1].step != step) compare_step(self, step, wanted[step], &power[step], &noise[step]);
    }
}
