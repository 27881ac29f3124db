/* Channels of equal range. All channels of an array share one scale, so a channel with a small range has few integers. The layers
 * with weights before and after the array can change the ranges of its channels without changing the results: with a factor g > 0
 * for a channel, the weights and the bias of its filter are multiplied by g, and the weights that read the channel are divided by
 * g. ReLU and pools between the two layers pass the factor on (Nagel et al. 2019, "Data-free quantization through weight
 * equalization and bias correction").
 */
#include "device/quantizing.h"

#include "base/math.h"
#include "base/memory.h"
#include "layers/registry.h"

#include <math.h>

static tl_export_node *node_at(const tl_q_making *m, size_t index) { return &m->self->network.net.node[index]; }

static bool has_weights(const tl_layer_ops *kind) {
    return kind == &tl_conv1d_layer_ops || kind == &tl_fixed_filters_layer_ops || kind == &tl_dense_layer_ops;
}

/* Whether g · layer(x) = layer(g · x) for each channel and g > 0. */
static bool passes_factors(const tl_layer_ops *kind) {
    const tl_layer_ops *const kinds[] = {
        &tl_relu_layer_ops,         &tl_leaky_relu_layer_ops,      &tl_max_pool_layer_ops,
        &tl_average_pool_layer_ops, &tl_global_max_pool_layer_ops, &tl_global_average_pool_layer_ops,
        &tl_last_step_layer_ops};
    bool any = false;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) any = any || kind == kinds[i];
    return any;
}

typedef struct equalizing {
    const tl_q_making *m;
    bool *accepts; /* (nodes) the output, or a part of it, can be multiplied by factors: only one layer reads it, and layers with
                      weights compute it */
    double **part; /* (nodes) the factors of the output, if it is a part of the array that is being equalized */
} equalizing;

static void find_accepting(const equalizing *self) {
    for (size_t i = 1; i < self->m->self->network.net.nodes; i++) {
        const tl_export_node *node = node_at(self->m, i);
        const bool concat = node->kind == &tl_concat_layer_ops;
        bool accepts = has_weights(node->kind);
        for (size_t e = 0; e < node->inputs && (concat || passes_factors(node->kind)); e++)
            accepts = accepts || self->accepts[node->input[e]];
        self->accepts[i] = accepts && node->readers == 1;
    }
}

/* ---- the layers before ---- */

static void multiply_filters(const tl_export_node *node, const double *gain) {
    const tl_export_array *weight = tl_export_find(node, "weight"), *bias = tl_export_find(node, "bias");
    const size_t filters = node->out.channels;
    for (size_t i = 0; i < tl_export_count(weight); i++) weight->value[i] *= gain[i % filters];
    for (size_t f = 0; bias && f < filters; f++) bias->value[f] *= gain[f];
}

/* Gives a node its factors. If it does not accept them, they become 1. */
static void assign(const equalizing *self, size_t index, double *gain) {
    self->part[index] = self->accepts[index] ? gain : NULL;
    for (size_t c = 0; !self->accepts[index] && c < node_at(self->m, index)->out.channels; c++) gain[c] = 1;
}

/* Multiplies the output of a node by the factors gain: (channels), by means of the layers before it. Sets factors to 1 where that
 * is not possible. */
static void multiply_output(const equalizing *self, size_t index, double *gain) {
    const tl_q_making *m = self->m;
    assign(self, index, gain);
    for (size_t i = index; i > 0; i--) {
        const tl_export_node *node = node_at(m, i);
        double *part = self->part[i];
        for (size_t e = 0; part && e < node->inputs && !has_weights(node->kind); e++) {
            assign(self, node->input[e], part);
            part += node_at(m, node->input[e])->out.channels;
        }
    }
    for (size_t i = index; i > 0; i--) {
        const tl_export_node *node = node_at(m, i);
        const double *part = self->part[i];
        self->part[i] = NULL;
        if (!part) continue;
        if (has_weights(node->kind)) multiply_filters(node, part);
        m->gain[i] = tl_q_new_array(m, node->out.channels, sizeof **m->gain);
        for (size_t c = 0; m->gain[i] && c < node->out.channels; c++) m->gain[i][c] = part[c];
    }
}

/* ---- the layer after ---- */

static void divide_weights(const tl_export_node *node, const double *gain) {
    const tl_export_array *weight = tl_export_find(node, "weight");
    const size_t filters = node->out.channels, groups = (size_t)tl_export_number(node, "groups", 1);
    const size_t channels = tl_max(1, node->in.channels / groups), of_group = tl_max(1, filters / groups);
    for (size_t i = 0; i < tl_export_count(weight); i++)
        weight->value[i] /= gain[i % filters / of_group * channels + i / filters % channels];
}

/* Changes a batch norm so that its output for g · x is that for x before. */
static void divide_norm(const tl_export_node *node, const double *gain) {
    const double epsilon = tl_export_number(node, "epsilon", 0);
    double *mean = tl_export_find(node, "mean")->value, *variance = tl_export_find(node, "variance")->value;
    for (size_t c = 0; c < node->in.channels; c++) {
        mean[c] *= gain[c];
        variance[c] = (variance[c] + epsilon) * gain[c] * gain[c] - epsilon;
    }
}

/* ---- all layers ---- */

/* The factor that makes the largest number of a channel 1. */
static double gain_of(const tl_q_making *m, size_t entry) {
    const double largest = fmax(-m->ranges.low[entry], m->ranges.high[entry]);
    return largest > 0 ? 1 / largest : 1;
}

static void equalize(const equalizing *self, const tl_export_node *reader) {
    const tl_q_making *m = self->m;
    const size_t index = reader->input[0], channels = node_at(m, index)->out.channels;
    const size_t vertex = tl_q_last_vertex(m, index, false);
    double *gain = tl_q_new_array(m, channels, sizeof *gain);
    for (size_t c = 0; gain && c < channels; c++) gain[c] = gain_of(m, m->ranges.first[vertex] + c);
    if (gain) multiply_output(self, index, gain);
    if (gain && reader->kind == &tl_batch_norm_layer_ops)
        divide_norm(reader, gain);
    else if (gain)
        divide_weights(reader, gain);
    tl_release(gain);
}

void tl_q_equalize(tl_q_making *m) {
    const tl_export *net = &m->self->network.net;
    equalizing self = {.m = m,
                       .accepts = tl_q_new_array(m, net->nodes, sizeof *self.accepts),
                       .part = tl_q_new_array(m, net->nodes, sizeof *self.part)};
    if (!tl_failed(m->error)) find_accepting(&self);
    for (size_t i = 1; i < net->nodes && !tl_failed(m->error); i++) {
        const tl_layer_ops *kind = net->node[i].kind;
        const bool divides = kind == &tl_conv1d_layer_ops || kind == &tl_dense_layer_ops || kind == &tl_batch_norm_layer_ops;
        if (divides && self.accepts[net->node[i].input[0]]) equalize(&self, &net->node[i]);
    }
    tl_release(self.accepts);
    tl_release((void *)self.part);
}
