/* Makes the operations of a network in integers (quantized.h), and computes the constants that follow from scales and weights. */
#include "device/quantized.h"

#include "base/memory.h"
#include "graph/graph.h"
#include "kernels/integer.h"
#include "layers/registry.h"

#include <math.h>
#include <stdlib.h>

enum {
    ADD_SHIFT = 20,
    MAX_TAPS = 8000000, /* 255 times as many fit in 32 bits */
    MAX_STEPS = 1 << 28 /* sums of a few such numbers fit in an int */
};

/* While the operations are made. */
typedef struct planning {
    tl_quantized *self;
    tl_error *error;
} planning;

/* ---- allocation ---- */

static tl_q_op *add_op(const planning *p, tl_q_kind kind, const tl_c_step *step, size_t part) {
    tl_quantized *self = p->self;
    if (self->ops == self->room) {
        const size_t room = 2 * self->room + 16;
        tl_q_op *larger = realloc(self->op, room * sizeof *larger);
        if (!larger) {
            tl_fail(p->error, TL_ERROR_MEMORY, "quantize: out of memory");
            return NULL;
        }
        self->op = larger;
        self->room = room;
    }
    tl_q_op *op = &self->op[self->ops++];
    const tl_export_node *node = step->node;
    *op = (tl_q_op){.kind = kind,
                    .name = node->name,
                    .step = (size_t)(step - self->network.step),
                    .part = part,
                    .rows = (int)node->out.length,
                    .channels = (int)node->in.channels,
                    .filters = (int)node->out.channels,
                    .groups = 1,
                    .inputs = 1,
                    .node = {node->input[0]},
                    .x = {step->x[0]},
                    .y = step->y,
                    .relu = step->relu};
    return op;
}

static void *new_array(const planning *p, size_t count, size_t size) { return tl_allocate(count, size, "quantize", p->error); }

/* Kernel functions read whole blocks of filters, from the first filter of any group on. */
static size_t whole_blocks(size_t filters) { return filters + TL_INTEGER_FILTERS; }

static void add_factors(const planning *p, tl_q_op *op, size_t count) {
    op->factors = count;
    op->multiplier = new_array(p, whole_blocks(count), sizeof *op->multiplier);
    op->shift = new_array(p, whole_blocks(count), sizeof *op->shift);
}

static void add_weights(const planning *p, tl_q_op *op) {
    const size_t filters = (size_t)op->filters;
    op->weights = (size_t)op->over.taps * ((size_t)op->channels / (size_t)op->groups) * filters;
    if (op->weights > INT32_MAX) tl_fail(p->error, TL_ERROR_SHAPE, "quantize: %s has more weights than an int can count", op->name);
    op->weight = new_array(p, op->weights, sizeof *op->weight);
    op->weight_scale = new_array(p, filters, sizeof *op->weight_scale);
    op->bias = new_array(p, whole_blocks(filters), sizeof *op->bias);
    add_factors(p, op, filters);
}

static void add_table(const planning *p, tl_q_op *op) { op->table = new_array(p, TL_Q_TABLE_SIZE, sizeof *op->table); }

/* ---- layers ---- */

static tl_q_window window_of(const planning *p, const tl_export_node *node, const tl_export_window *over) {
    const size_t largest = tl_max(tl_max(over->stride, over->dilation), tl_max(over->pad_left, node->in.length));
    if (over->taps > MAX_TAPS)
        tl_export_fail(&p->self->network.net, node, p->error, "a window of %zu steps is too long for sums of 32 bits", over->taps);
    if (largest > MAX_STEPS)
        tl_export_fail(&p->self->network.net, node, p->error, "length, stride, dilation or padding %zu is above %d", largest,
                       MAX_STEPS);
    return (tl_q_window){.length = (int)node->in.length,
                         .out_length = (int)node->out.length,
                         .taps = (int)over->taps,
                         .stride = (int)over->stride,
                         .dilation = (int)over->dilation,
                         .pad_left = (int)over->pad_left};
}

static const tl_export_window single_step = {.taps = 1, .stride = 1, .dilation = 1};

static void plan_convolution(const planning *p, const tl_c_step *step) {
    const tl_export_node *node = step->node;
    const int groups = (int)tl_export_number(node, "groups", 1);
    const bool depthwise = groups > 1 && groups == (int)node->in.channels && groups == (int)node->out.channels;
    const tl_export_window over = node->kind == &tl_dense_layer_ops ? single_step : tl_export_window_of(node);
    if (tl_export_number(node, "padding_mode", TL_PADDING_MODE_ZEROS) != TL_PADDING_MODE_ZEROS) {
        tl_export_fail(&p->self->network.net, node, p->error, "only padding with zeros can be computed in integers");
        return;
    }
    tl_q_op *op = add_op(p, depthwise ? TL_Q_DEPTHWISE : TL_Q_CONVOLVE, step, 0);
    if (!op) return;
    op->over = window_of(p, node, &over);
    op->groups = groups;
    add_weights(p, op);
}

/* A batch norm that was not folded is a depthwise convolution of one tap. */
static void plan_batch_norm(const planning *p, const tl_c_step *step) {
    tl_q_op *op = add_op(p, TL_Q_DEPTHWISE, step, 0);
    if (!op) return;
    op->over = window_of(p, step->node, &single_step);
    op->groups = op->channels;
    add_weights(p, op);
}

static void plan_pool(const planning *p, const tl_c_step *step, tl_q_kind kind, bool global) {
    const tl_export_node *node = step->node;
    const tl_export_window over =
        global ? (tl_export_window){.taps = node->in.length, .stride = 1, .dilation = 1} : tl_export_window_of(node);
    tl_q_op *op = add_op(p, kind, step, 0);
    if (!op) return;
    op->over = window_of(p, node, &over);
    if (kind == TL_Q_POOL_AVERAGE) add_factors(p, op, global ? 1 : over.taps);
}

static void plan_activation(const planning *p, const tl_c_step *step) {
    tl_q_op *op = add_op(p, TL_Q_TABLE, step, 0);
    if (op) add_table(p, op);
}

/* Each input is copied by a table, which also changes its scale. */
static void plan_concat(const planning *p, const tl_c_step *step) {
    const tl_export_node *node = step->node;
    tl_c_value to = step->y;
    for (size_t e = 0; e < node->inputs && !tl_failed(p->error); e++) {
        tl_q_op *op = add_op(p, TL_Q_TABLE, step, e);
        if (!op) return;
        op->node[0] = node->input[e];
        op->channels = (int)p->self->network.net.node[node->input[e]].out.channels;
        op->x[0] = step->x[e];
        op->y = to;
        to.offset += (size_t)op->channels;
        add_table(p, op);
    }
}

static void plan_add(const planning *p, const tl_c_step *step) {
    const tl_export_node *node = step->node;
    tl_q_op *op = add_op(p, TL_Q_ADD, step, 0);
    if (!op) return;
    op->inputs = (int)node->inputs;
    for (size_t e = 0; e < node->inputs; e++) {
        op->node[e] = node->input[e];
        op->x[e] = step->x[e];
    }
    add_factors(p, op, node->inputs);
}

static bool is_activation(const tl_layer_ops *kind) {
    const tl_layer_ops *const activations[] = {&tl_relu_layer_ops,     &tl_leaky_relu_layer_ops,  &tl_elu_layer_ops,
                                               &tl_selu_layer_ops,     &tl_gelu_layer_ops,        &tl_silu_layer_ops,
                                               &tl_softplus_layer_ops, &tl_sigmoid_layer_ops,     &tl_hard_sigmoid_layer_ops,
                                               &tl_tanh_layer_ops,     &tl_exponential_layer_ops, &tl_affine_layer_ops};
    bool any = false;
    for (size_t i = 0; i < sizeof activations / sizeof *activations; i++) any = any || kind == activations[i];
    return any;
}

static void plan_step(const planning *p, const tl_c_step *step) {
    const tl_layer_ops *kind = tl_c_layer_of(step->node->layer)->ops;
    if (kind == &tl_conv1d_layer_ops || kind == &tl_dense_layer_ops || kind == &tl_fixed_filters_layer_ops)
        plan_convolution(p, step);
    else if (kind == &tl_batch_norm_layer_ops)
        plan_batch_norm(p, step);
    else if (kind == &tl_max_pool_layer_ops || kind == &tl_global_max_pool_layer_ops)
        plan_pool(p, step, TL_Q_POOL_MAX, kind == &tl_global_max_pool_layer_ops);
    else if (kind == &tl_average_pool_layer_ops || kind == &tl_global_average_pool_layer_ops)
        plan_pool(p, step, TL_Q_POOL_AVERAGE, kind == &tl_global_average_pool_layer_ops);
    else if (is_activation(kind))
        plan_activation(p, step);
    else if (kind == &tl_concat_layer_ops)
        plan_concat(p, step);
    else if (kind == &tl_add_layer_ops)
        plan_add(p, step);
    else
        tl_export_fail(&p->self->network.net, step->node, p->error,
                       "%s cannot be computed in integers; export this network in floating point", kind->name);
}

tl_status tl_q_plan(tl_quantized *self, tl_model *model, tl_error *error) {
    const planning p = {self, error};
    tl_c_network *network = &self->network;
    self->model = model;
    *network = (tl_c_network){.cfg = &self->cfg, .error = error, .quantized = true};
    if (tl_export_begin(&network->net, model, "quantize", error) != TL_OK ||
        tl_export_fold_batch_norm(&network->net, error) != TL_OK || tl_c_plan(network) != TL_OK)
        return error->status;
    for (size_t s = 0; s < network->steps && !tl_failed(error); s++) plan_step(&p, &network->step[s]);
    self->scale = new_array(&p, network->net.nodes, sizeof *self->scale);
    self->layer = new_array(&p, network->steps + 1, sizeof *self->layer);
    self->arena = new_array(&p, network->arena + 1, 1);
    network->error = NULL; /* the caller's, which may end before this */
    return error->status;
}

static void release_op(tl_q_op *op) {
    tl_release(op->weight);
    tl_release(op->weight_scale);
    tl_release(op->bias);
    tl_release(op->table);
    tl_release(op->multiplier);
    tl_release(op->shift);
    tl_q_release_fast(op);
}

void tl_quantized_free(tl_quantized *self) {
    if (!self) return;
    for (size_t i = 0; i < self->ops; i++) release_op(&self->op[i]);
    free(self->op);
    tl_release(self->scale);
    tl_release(self->layer);
    tl_release(self->arena);
    tl_release(self->wide);
    tl_export_release(&self->network.net);
    free(self->network.step);
    free(self->network.span);
    if (self->owns_model) tl_model_free(self->model);
    free(self);
}

tl_quantized_layer tl_quantized_layer_at(const tl_quantized *self, size_t index) {
    return self && index < self->network.steps ? self->layer[index] : (tl_quantized_layer){0};
}

/* ---- constants that follow from scales and weights ---- */

bool tl_q_keeps_scale(const tl_quantized *self, size_t node) {
    const tl_c_network *network = &self->network;
    const tl_layer_ops *kind = network->net.node[node].kind;
    bool has_step = false;
    for (size_t s = 0; s < network->steps; s++) has_step = has_step || network->step[s].node == &network->net.node[node];
    return node > 0 && (!has_step || kind == &tl_max_pool_layer_ops || kind == &tl_global_max_pool_layer_ops);
}

static double bounded(double value, double low, double high) { return fmax(low, fmin(high, round(value))); }

/* Writes a factor as multiplier / 2^shift, where the multiplier has 31 bits. */
static void set_factor(tl_q_op *op, size_t index, double factor) {
    enum { BITS = 31, MAX_SHIFT = 62 };
    int exponent = 0;
    const double mantissa = frexp(factor, &exponent); /* from 0.5 to 1 */
    const bool too_small = BITS - exponent > MAX_SHIFT;
    op->multiplier[index] = too_small ? 0 : (int32_t)bounded(ldexp(mantissa, BITS), 0, INT32_MAX);
    op->shift[index] = (uint8_t)bounded(BITS - exponent, 1, MAX_SHIFT);
}

/* The largest possible sum of a filter must fit in 32 bits. */
static void check_sums(const tl_quantized *self, const tl_q_op *op, tl_error *error) {
    const size_t filters = (size_t)op->filters;
    for (size_t f = 0; f < filters && !tl_failed(error); f++) {
        int64_t largest = llabs(op->bias[f]);
        for (size_t i = f; i < op->weights; i += filters) largest += 255 * (int64_t)abs(op->weight[i]);
        if (largest > INT32_MAX)
            tl_export_fail(&self->network.net, self->network.step[op->step].node, error,
                           "the sums of filter %zu can exceed 32 bits", f);
    }
}

static bool changes_nothing(const tl_q_op *op) {
    bool same = op->x[0].span == op->y.span && op->x[0].offset == op->y.offset;
    for (int i = -128; same && i < 128; i++) same = op->table[i + 128] == i;
    return same;
}

static void finish_op(const tl_quantized *self, tl_q_op *op, tl_error *error) {
    const tl_c_network *network = &self->network;
    const tl_q_scale x = self->scale[op->node[0]], y = self->scale[network->step[op->step].node - network->net.node];
    for (int e = 0; e < op->inputs; e++) op->x_zero[e] = self->scale[op->node[e]].zero;
    op->y_zero = y.zero;
    op->low = op->relu ? y.zero : -128;
    switch (op->kind) {
    case TL_Q_CONVOLVE:
    case TL_Q_DEPTHWISE:
        for (size_t f = 0; f < op->factors; f++) set_factor(op, f, op->weight_scale[f] * x.scale / y.scale);
        check_sums(self, op, error);
        break;
    case TL_Q_POOL_MAX:
        break;
    case TL_Q_POOL_AVERAGE:
        for (size_t missing = 0; missing < op->factors; missing++)
            set_factor(op, missing, x.scale / (y.scale * (double)((size_t)op->over.taps - missing)));
        break;
    case TL_Q_TABLE:
        op->idle = changes_nothing(op);
        break;
    case TL_Q_ADD:
        for (int e = 0; e < op->inputs; e++) {
            op->multiplier[e] = (int32_t)bounded(ldexp(self->scale[op->node[e]].scale / y.scale, ADD_SHIFT), 0, INT32_MAX);
            op->shift[e] = ADD_SHIFT;
        }
        break;
    }
}

tl_status tl_q_finish(tl_quantized *self, tl_error *error) {
    for (size_t i = 0; i < self->ops && !tl_failed(error); i++) finish_op(self, &self->op[i], error);
    return tl_failed(error) ? error->status : tl_q_prepare_fast(self, error);
}
