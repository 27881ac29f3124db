/* Makes a network in integers from a trained model: chooses the scale of each output and rounds the weights. */
#include "device/quantizing.h"

#include "base/argument.h"
#include "base/memory.h"
#include "data/dataset.h"
#include "graph/graph.h"
#include "layers/registry.h"
#include "models/model.h"

#include <math.h>
#include <stdlib.h>

enum { ERROR_SERIES = 50, ERROR_BYTES = 64 << 20 }; /* at most so many series measure the error, with so much memory */

static double bounded(double value, double low, double high) { return fmax(low, fmin(high, round(value))); }

/* ---- scales ---- */

/* The range of the output of a node, which a vertex of the model computes. */
static void range_of(const tl_q_making *m, size_t node, size_t vertex, double *low, double *high) {
    const size_t first = m->ranges.first[vertex];
    *low = *high = 0;
    for (size_t c = 0; c < m->ranges.channels[vertex]; c++) {
        const double gain = m->gain[node] ? m->gain[node][c] : 1;
        *low = fmin(*low, gain * m->ranges.low[first + c]);
        *high = fmax(*high, gain * m->ranges.high[first + c]);
    }
}

/* The scale with which 8 bits hold the numbers from low to high; 0 is represented exactly. */
static tl_q_scale scale_for(double low, double high) {
    const double scale = high > low ? (high - low) / 255 : 1;
    return (tl_q_scale){.scale = scale, .zero = (int)bounded(-128 - low / scale, -128, 127)};
}

/* The largest number that the only reader of a node distinguishes from larger ones, in 8 bits: activations that saturate. INFINITY
 * for others. */
static double limit_of_reader(const tl_export *net, size_t node) {
    for (size_t i = node + 1; net->node[node].readers == 1 && i < net->nodes; i++) {
        const tl_layer_ops *kind = net->node[i].kind;
        if (net->node[i].inputs != 1 || net->node[i].input[0] != node) continue;
        return kind == &tl_sigmoid_layer_ops ? 6 : kind == &tl_tanh_layer_ops || kind == &tl_hard_sigmoid_layer_ops ? 3 : INFINITY;
    }
    return INFINITY;
}

static void choose_scales(const tl_q_making *m) {
    const tl_c_network *network = &m->self->network;
    tl_q_scale *scale = m->self->scale;
    double low, high;
    range_of(m, 0, (size_t)m->self->model->input, &low, &high);
    scale[0] = scale_for(low, high);
    for (size_t i = 1, s = 0; i < network->net.nodes; i++) {
        const tl_export_node *node = &network->net.node[i];
        const bool has_step = s < network->steps && network->step[s].node == node;
        const double limit = limit_of_reader(&network->net, i);
        range_of(m, i, tl_q_last_vertex(m, i, has_step && network->step[s].relu), &low, &high);
        low = fmax(low, -limit);
        high = fmin(high, limit);
        scale[i] = tl_q_keeps_scale(m->self, i) ? scale[node->input[0]] : scale_for(low, high);
        if (has_step)
            m->self->layer[s++] = (tl_quantized_layer){
                .name = node->name, .minimum = low, .maximum = high, .scale = scale[i].scale, .zero = scale[i].zero};
    }
}

/* ---- constants of the operations ---- */

/* Rounds weights, (rest, filters), and the biases of the filters; bias NULL: 0. */
static void round_weights(const tl_quantized *self, tl_q_op *op, const double *weight, const double *bias) {
    const size_t filters = (size_t)op->filters;
    const double x_scale = self->scale[op->node[0]].scale;
    for (size_t f = 0; f < filters; f++) {
        double largest = 0;
        for (size_t i = f; i < op->weights; i += filters) largest = fmax(largest, fabs(weight[i]));
        const double scale = largest > 0 ? largest / 127 : 1;
        for (size_t i = f; i < op->weights; i += filters) op->weight[i] = (int8_t)bounded(weight[i] / scale, -127, 127);
        op->bias[f] = bias ? (int32_t)bounded(bias[f] / (scale * x_scale), -1e9, 1e9) : 0;
        op->weight_scale[f] = scale;
    }
}

/* In inference, batch norm is a factor and a term for each channel. */
static void round_batch_norm(const tl_q_making *m, tl_q_op *op, const tl_export_node *node) {
    const size_t channels = node->in.channels;
    const double *scale = tl_export_find(node, "scale")->value, *variance = tl_export_find(node, "variance")->value;
    const double *mean = tl_export_find(node, "mean")->value, *shift = tl_export_find(node, "shift")->value;
    const double epsilon = tl_export_number(node, "epsilon", 0);
    double *factor = tl_q_new_array(m, channels, sizeof *factor), *term = tl_q_new_array(m, channels, sizeof *term);
    for (size_t c = 0; factor && term && c < channels; c++) {
        factor[c] = scale[c] / sqrt(variance[c] + epsilon);
        term[c] = shift[c] - mean[c] * factor[c];
    }
    if (factor && term) round_weights(m->self, op, factor, term);
    tl_release(factor);
    tl_release(term);
}

/* The layer itself computes the table of an activation. The table of an input of a concat only changes the scale. */
static void fill_table(const tl_q_making *m, tl_q_op *op, const tl_export_node *node, tl_q_scale x, tl_q_scale y) {
    tl_real numbers[TL_Q_TABLE_SIZE], results[TL_Q_TABLE_SIZE];
    const tl_tensor from = TL_VIEW(numbers, 1, TL_Q_TABLE_SIZE, 1);
    const tl_pass pass = {
        .batch = 1, .x = &from, .y = TL_VIEW(results, 1, TL_Q_TABLE_SIZE, 1), .workers = &m->self->model->workers};
    const bool activation = node->kind != &tl_concat_layer_ops;
    for (int i = 0; i < TL_Q_TABLE_SIZE; i++) numbers[i] = (tl_real)((i - 128 - x.zero) * x.scale);
    if (activation) node->layer->ops->forward(node->layer, &pass);
    for (int i = 0; i < TL_Q_TABLE_SIZE; i++)
        op->table[i] = (int8_t)bounded((double)(activation ? results : numbers)[i] / y.scale + y.zero, -128, 127);
}

static void fill_op(const tl_q_making *m, tl_q_op *op) {
    const tl_quantized *self = m->self;
    const tl_export_node *node = self->network.step[op->step].node;
    const tl_export_array *weight = tl_export_find(node, "weight"), *bias = tl_export_find(node, "bias");
    if (op->table)
        fill_table(m, op, node, self->scale[op->node[0]], self->scale[node - self->network.net.node]);
    else if (op->weight && node->kind == &tl_batch_norm_layer_ops)
        round_batch_norm(m, op, node);
    else if (op->weight)
        round_weights(self, op, weight->value, bias ? bias->value : NULL);
}

/* ---- all of it ---- */

static void make(tl_quantized *self, const tl_dataset *data, double percentile, tl_error *error) {
    tl_q_making m = {.self = self, .error = error};
    const size_t fit = tl_max(1, ERROR_BYTES / (self->network.arena + 1)), nodes = self->network.net.nodes;
    m.error_series = tl_min(tl_min(data->x.shape[0], ERROR_SERIES), fit);
    m.gain = tl_q_new_array(&m, nodes, sizeof *m.gain);
    if (m.gain) tl_q_find_ranges(&m, data, percentile);
    if (!tl_failed(error)) tl_q_equalize(&m);
    if (!tl_failed(error)) choose_scales(&m);
    for (size_t i = 0; i < self->ops && !tl_failed(error); i++) fill_op(&m, &self->op[i]);
    if (!tl_failed(error) && tl_q_finish(self, error) == TL_OK) tl_q_correct(&m, data);
    for (size_t i = 0; m.gain && i < nodes; i++) tl_release(m.gain[i]);
    tl_release((void *)m.gain);
    tl_q_ranges_release(&m.ranges);
}

static tl_status check(const tl_model *model, const tl_dataset *data, const tl_quantize_cfg *cfg, tl_error *error) {
    char shape[TL_SHAPE_TEXT];
    const tl_shape in = tl_input_shape(model);
    if (!tl_given(data, "quantize: the calibration data", error)) return error->status;
    if (tl_dataset_in_memory(data, "quantize", error) != TL_OK) return error->status;
    if (cfg->percentile != 0 && !(cfg->percentile > 50 && cfg->percentile <= 100))
        return tl_fail(error, TL_ERROR_ARGUMENT, "quantize: percentile %g is not above 50 and at most 100", cfg->percentile);
    if (data->x.data && data->x.rank == 3 && data->x.shape[0] > 0 && data->x.shape[1] == in.length &&
        data->x.shape[2] == in.channels)
        return TL_OK;
    return tl_fail(error, TL_ERROR_SHAPE, "quantize: the calibration data is %s; the model takes (count, %zu, %zu)",
                   tl_tensor_text(&data->x, shape), in.length, in.channels);
}

tl_quantized *tl_quantize_sized(tl_model *model, const tl_dataset *calibration, const tl_quantize_cfg *given, size_t size,
                                tl_error *error) {
    tl_error own = {0};
    tl_quantize_cfg cfg;
    if (!error) error = &own;
    tl_take(&cfg, sizeof cfg, given, size, "quantize", error);
    if (tl_model_check(model, "quantize", error) != TL_OK || check(model, calibration, &cfg, error) != TL_OK) return NULL;
    tl_quantized *self = calloc(1, sizeof *self);
    if (!self) {
        tl_fail(error, TL_ERROR_MEMORY, "quantize: out of memory");
        return NULL;
    }
    if (tl_q_plan(self, model, error) == TL_OK) make(self, calibration, cfg.percentile == 0 ? 100 : cfg.percentile, error);
    if (!tl_failed(error)) return self;
    tl_quantized_free(self);
    return NULL;
}
