/* From a network in floating point to one in integers: ranges, then scales, then one call of a helper function for each layer. */
#include "device/quantized.h"

#include "base/argument.h"
#include "base/memory.h"
#include "data/dataset.h"
#include "graph/graph.h"
#include "layers/registry.h"
#include "models/model.h"

#include <tapline/train.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { NONE = -1, MAX_SERIES = 500, NOISE_SERIES = 50, TABLE = 256, ADD_SHIFT = 20 };

/* While a network is made. */
typedef struct making {
    tl_quantized *self;
    tl_c_network *network;
    size_t *first;      /* (vertices) of the model: where their channels begin in: */
    double *low, *high; /* the range of each channel of their outputs */
    size_t *channels;   /* (vertices) */
    double **gain;      /* (nodes) of each channel of their outputs: what it was multiplied by; NULL: by nothing */
    int *step_of;       /* (nodes) NONE: its output is that of its input */
    tl_q_scale *scale;  /* (nodes) of their outputs */
    size_t *vertex_of;  /* (steps) the vertex of the model whose output is that of the step */
    tl_real **kept;     /* (steps) what that output should be */
    tl_error *error;
} making;

static void *new_array(const making *m, size_t count, size_t size) { return tl_allocate(count, size, "quantize", m->error); }

/* ---- ranges ---- */

static void widen(const making *m, size_t vertex, const tl_tensor *values) {
    const size_t channels = values->shape[2];
    double *low = m->low + m->first[vertex], *high = m->high + m->first[vertex];
    for (size_t i = 0; i < tl_tensor_count(values); i++) {
        const double value = (double)values->data[i];
        if (value < low[i % channels]) low[i % channels] = value;
        if (value > high[i % channels]) high[i % channels] = value;
    }
}

/* Runs the layers one by one, and lets `see` look at each output before another layer writes over it. */
static void run_layers(const making *m, const tl_tensor *x, void (*see)(const making *m, size_t vertex, const tl_tensor *y)) {
    tl_model *model = m->self->model;
    if (!tl_begin_forward(model, x, TL_MODE_INFERENCE)) return;
    see(m, (size_t)model->input, x);
    for (size_t i = 0; i < model->vertices; i++) {
        tl_vertex *vertex = &model->vertex[i];
        if (!vertex->live || (int)i == model->input) continue;
        if (!vertex->absorbed) vertex->layer->ops->forward(vertex->layer, &vertex->forward[TL_MODE_INFERENCE]);
        see(m, i, &model->vertex[vertex->absorbed ? vertex->input[0] : (int)i].forward[TL_MODE_INFERENCE].y);
    }
}

static void find_ranges(const making *m, const tl_dataset *data) {
    tl_model *model = m->self->model;
    const size_t batch = tl_model_batch(model), count = tl_min(data->x.shape[0], MAX_SERIES);
    for (size_t first = 0; first < count; first += batch) {
        const tl_tensor x = tl_tensor_slice(&data->x, first, tl_min(count - first, batch));
        run_layers(m, &x, widen);
    }
}

/* The vertex whose output is that of a node: what was folded into it, or taken over by the step, comes behind it. */
static size_t last_vertex(const making *m, size_t node, bool relu) {
    const tl_model *model = m->self->model;
    const tl_export *net = &m->network->net;
    size_t vertex = net->node[node].vertex;
    for (size_t v = vertex + 1; v < model->vertices; v++) {
        const tl_vertex *next = &model->vertex[v];
        bool is_node = false;
        if (!next->live || next->layer->inputs != 1 || (size_t)next->input[0] != vertex) continue;
        for (size_t i = 0; i < net->nodes; i++) is_node = is_node || net->node[i].vertex == v;
        const bool taken = relu && is_node && next->layer->ops == &tl_relu_layer_ops;
        if (taken || (!is_node && next->layer->ops == &tl_batch_norm_layer_ops)) vertex = v;
    }
    return vertex;
}

/* The range of the output of a node, whose numbers are those of a vertex of the model times the node's gain. */
static void range_of(const making *m, size_t node, size_t vertex, double *low, double *high) {
    const size_t channels = m->network->net.node[node].out.channels, first = m->first[vertex];
    *low = *high = 0;
    for (size_t c = 0; c < m->channels[vertex]; c++) {
        const double gain = m->gain[node] && m->channels[vertex] == channels ? m->gain[node][c] : 1;
        *low = fmin(*low, gain * m->low[first + c]);
        *high = fmax(*high, gain * m->high[first + c]);
    }
}

/* The scale by which 8 bits hold numbers from low to high, and 0 exactly. */
static tl_q_scale scale_for(double low, double high) {
    const double scale = high > low ? (high - low) / 255 : 1;
    return (tl_q_scale){.scale = scale, .zero = (int)fmax(-128, fmin(127, round(-128 - low / scale)))};
}

/* ---- channels of one size ---- */

/* A node whose outputs can be made larger or smaller for each channel, by way of ReLUs: it has weights, and nobody else reads them.
 */
static tl_export_node *scalable(const making *m, size_t index, double **gain_of_relu) {
    tl_export_node *node = &m->network->net.node[index];
    *gain_of_relu = NULL;
    while (node->layer->ops == &tl_relu_layer_ops && node->readers == 1) {
        *gain_of_relu = m->gain[index] = new_array(m, node->out.channels, sizeof **m->gain);
        index = node->input[0];
        node = &m->network->net.node[index];
    }
    const tl_layer_ops *ops = node->layer->ops;
    const bool weights = ops == &tl_conv1d_layer_ops || ops == &tl_fixed_filters_layer_ops || ops == &tl_dense_layer_ops;
    if (!weights || node->readers != 1) return NULL;
    m->gain[index] = new_array(m, node->out.channels, sizeof **m->gain);
    return node;
}

/* Multiplies the weights of a filter, and its bias. */
static void scale_filter(tl_export_node *node, size_t filter, double gain) {
    const tl_export_array *weight = tl_export_find(node, "weight"), *bias = tl_export_find(node, "bias");
    for (size_t i = filter; i < tl_export_count(weight); i += node->out.channels) weight->value[i] *= gain;
    if (bias) bias->value[filter] *= gain;
}

/* What makes the largest number of a channel of a vertex 1. */
static double gain_of(const making *m, size_t vertex, size_t channel) {
    const size_t at = m->first[vertex] + channel;
    const double largest = fmax(-m->low[at], m->high[at]);
    return largest > 0 ? 1 / largest : 1;
}

/* Behind a concat, channels of different sizes share one scale, and a batch norm then makes the small ones large with their
 * rounding. So the weights before the concat make all channels of one size, which the batch norm takes back (cf. Nagel et al. 2019,
 * "Data-free quantization through weight equalization and bias correction"). */
static void equalise(const making *m, size_t index) {
    const tl_export_node *norm = &m->network->net.node[index], *concat = &m->network->net.node[norm->input[0]];
    if (norm->layer->ops != &tl_batch_norm_layer_ops || concat->layer->ops != &tl_concat_layer_ops || concat->readers != 1) return;
    const double epsilon = tl_export_number(norm, "epsilon", 0);
    double *mean = tl_export_find(norm, "mean")->value, *variance = tl_export_find(norm, "variance")->value;
    double *gain = m->gain[norm->input[0]] = new_array(m, norm->in.channels, sizeof *gain);
    for (size_t e = 0, first = 0; e < concat->inputs && !tl_failed(m->error); e++) {
        double *of_relu;
        const size_t channels = m->network->net.node[concat->input[e]].out.channels;
        tl_export_node *node = scalable(m, concat->input[e], &of_relu);
        for (size_t c = 0; c < channels && !tl_failed(m->error); c++) {
            const double own = node ? gain_of(m, concat->vertex, first + c) : 1;
            gain[first + c] = own;
            if (of_relu) of_relu[c] = own;
            if (!node) continue;
            m->gain[node - m->network->net.node][c] = own;
            scale_filter(node, c, own);
            mean[first + c] *= own;
            variance[first + c] = (variance[first + c] + epsilon) * own * own - epsilon;
        }
        first += channels;
    }
}

/* ---- integers ---- */

static int bounded(double value, double low, double high) { return (int)fmax(low, fmin(high, round(value))); }

/* multiplier / 2^shift = factor, in 31 bits. */
static void split_factor(double factor, int32_t *multiplier, uint8_t *shift) {
    int exponent = 0;
    const double mantissa = frexp(factor, &exponent); /* 0.5 … 1 */
    *multiplier = (int32_t)bounded(ldexp(mantissa, 31), 0, INT32_MAX);
    *shift = (uint8_t)bounded(31 - exponent, 1, 62);
    if (31 - exponent > 62) *multiplier = 0;
}

static tl_q_op *new_op(making *m, tl_q_kind kind, const tl_c_step *step, size_t part) {
    tl_quantized *self = m->self;
    if (self->ops == self->room) {
        const size_t room = 2 * self->room + 16;
        tl_q_op *larger = realloc(self->op, room * sizeof *larger);
        if (!larger) {
            tl_fail(m->error, TL_ERROR_MEMORY, "quantize: out of memory");
            return NULL;
        }
        self->op = larger;
        self->room = room;
    }
    tl_q_op *op = &self->op[self->ops++];
    const tl_export_node *node = step->node;
    *op = (tl_q_op){.kind = kind,
                    .name = node->name,
                    .step = (size_t)(step - m->network->step),
                    .part = part,
                    .rows = (int)node->out.length,
                    .channels = (int)node->in.channels,
                    .filters = (int)node->out.channels,
                    .groups = 1,
                    .inputs = 1,
                    .x = {step->x[0]},
                    .y = step->y,
                    .low = -128};
    return op;
}

/* Room for what the sums of `count` filters become. */
static bool add_filters(const making *m, tl_q_op *op, size_t count) {
    op->filters_count = count;
    op->bias = new_array(m, count, sizeof *op->bias);
    op->multiplier = new_array(m, count, sizeof *op->multiplier);
    op->shift = new_array(m, count, sizeof *op->shift);
    return !tl_failed(m->error);
}

/* ---- layers with weights ---- */

/* Weights (rest, filters) and biases of filters, whose outputs are of the scale y. */
static void add_weights(const making *m, tl_q_op *op, const double *weight, size_t count, const double *bias, tl_q_scale x,
                        tl_q_scale y) {
    const size_t filters = (size_t)op->filters;
    op->weights = count;
    op->weight = new_array(m, count, sizeof *op->weight);
    if (!op->weight || !add_filters(m, op, filters)) return;
    for (size_t f = 0; f < filters; f++) {
        double largest = 0;
        for (size_t i = f; i < count; i += filters) largest = fmax(largest, fabs(weight[i]));
        const double scale = largest > 0 ? largest / 127 : 1;
        for (size_t i = f; i < count; i += filters) op->weight[i] = (int8_t)bounded(weight[i] / scale, -127, 127);
        op->bias[f] = bias ? bounded(bias[f] / (scale * x.scale), -1e9, 1e9) : 0;
        split_factor(scale * x.scale / y.scale, &op->multiplier[f], &op->shift[f]);
    }
    op->x_zero[0] = x.zero;
    op->y_zero = y.zero;
}

static tl_q_window windows_of(const tl_export_node *node, const tl_export_window *over) {
    return (tl_q_window){.length = (int)node->in.length,
                         .out_length = (int)node->out.length,
                         .taps = (int)over->taps,
                         .stride = (int)over->stride,
                         .dilation = (int)over->dilation,
                         .pad_left = (int)over->pad_left};
}

static void make_convolution(making *m, const tl_c_step *step, tl_q_scale x, tl_q_scale y) {
    const tl_export_node *node = step->node;
    const int groups = (int)tl_export_number(node, "groups", 1);
    const bool depthwise = groups > 1 && groups == (int)node->in.channels && groups == (int)node->out.channels;
    const bool dense = node->layer->ops == &tl_dense_layer_ops;
    const tl_export_window over = dense ? (tl_export_window){.taps = 1, .stride = 1, .dilation = 1} : tl_export_window_of(node);
    const tl_export_array *weight = tl_export_find(node, "weight"), *bias = tl_export_find(node, "bias");
    if (tl_export_number(node, "padding_mode", TL_PADDING_MODE_ZEROS) != TL_PADDING_MODE_ZEROS) {
        tl_export_fail(&m->network->net, node, m->error, "padding with anything but zeros has no integers");
        return;
    }
    tl_q_op *op = new_op(m, depthwise ? TL_Q_DEPTHWISE : TL_Q_CONVOLVE, step, 0);
    if (!op) return;
    op->over = windows_of(node, &over);
    op->groups = groups;
    op->low = step->relu ? y.zero : -128;
    add_weights(m, op, weight->value, tl_export_count(weight), bias ? bias->value : NULL, x, y);
}

/* A batch norm by itself is a depthwise convolution of one tap. */
static void make_batch_norm(making *m, const tl_c_step *step, tl_q_scale x, tl_q_scale y) {
    const tl_export_node *node = step->node;
    const size_t channels = node->in.channels;
    const double *scale = tl_export_find(node, "scale")->value, *variance = tl_export_find(node, "variance")->value;
    const double *mean = tl_export_find(node, "mean")->value, *shift = tl_export_find(node, "shift")->value;
    const double epsilon = tl_export_number(node, "epsilon", 0);
    double *factor = new_array(m, channels, sizeof *factor), *term = new_array(m, channels, sizeof *term);
    tl_q_op *op = new_op(m, TL_Q_DEPTHWISE, step, 0);
    for (size_t c = 0; factor && term && c < channels; c++) {
        factor[c] = scale[c] / sqrt(variance[c] + epsilon);
        term[c] = shift[c] - mean[c] * factor[c];
    }
    if (op && factor && term) {
        op->over = windows_of(node, &(tl_export_window){.taps = 1, .stride = 1, .dilation = 1});
        op->groups = (int)channels;
        add_weights(m, op, factor, channels, term, x, y);
    }
    tl_release(factor);
    tl_release(term);
}

/* ---- the others ---- */

static void make_pool(making *m, const tl_c_step *step, bool maximum, tl_q_scale x, tl_q_scale y) {
    const tl_export_node *node = step->node;
    const bool all = node->layer->ops == &tl_global_max_pool_layer_ops || node->layer->ops == &tl_global_average_pool_layer_ops;
    const tl_export_window over =
        all ? (tl_export_window){.taps = node->in.length, .stride = 1, .dilation = 1} : tl_export_window_of(node);
    tl_q_op *op = new_op(m, maximum ? TL_Q_POOL_MAX : TL_Q_POOL_AVERAGE, step, 0);
    if (!op) return;
    op->over = windows_of(node, &over);
    op->x_zero[0] = x.zero;
    op->y_zero = y.zero;
    if (maximum || !add_filters(m, op, all ? 1 : over.taps)) return;
    for (size_t missing = 0; missing < op->filters_count; missing++)
        split_factor(x.scale / (y.scale * (double)(over.taps - missing)), &op->multiplier[missing], &op->shift[missing]);
}

/* table: (TABLE) in real numbers, what becomes of each integer of the scale x. */
static void add_table(const making *m, tl_q_op *op, const tl_real *table, tl_q_scale y) {
    op->weights = TABLE;
    op->weight = new_array(m, TABLE, sizeof *op->weight);
    for (size_t i = 0; op->weight && i < TABLE; i++)
        op->weight[i] = (int8_t)bounded((double)table[i] / y.scale + y.zero, -128, 127);
}

static void fill_numbers(tl_q_scale x, tl_real numbers[TABLE]) {
    for (int i = 0; i < TABLE; i++) numbers[i] = (tl_real)((i - 128 - x.zero) * x.scale);
}

/* Whether an operation changes nothing: numbers are never below that of 0 behind a batch norm with its ReLU. */
static bool is_idle(const tl_q_op *op, const tl_c_step *step, int least) {
    bool idle = step->x[0].span == step->y.span && step->x[0].offset == step->y.offset && op->weight;
    for (int i = least; idle && i < 128; i++) idle = op->weight[i + 128] == i;
    return idle;
}

/* The library's own activation computes the table. */
static void make_activation(making *m, const tl_c_step *step, tl_q_scale x, tl_q_scale y) {
    const tl_layer *layer = step->node->layer;
    tl_real numbers[TABLE], results[TABLE];
    tl_q_op *op = new_op(m, TL_Q_TABLE, step, 0);
    const tl_tensor from = TL_VIEW(numbers, 1, TABLE, 1);
    const tl_pass pass = {.batch = 1, .x = &from, .y = TL_VIEW(results, 1, TABLE, 1), .workers = &m->self->model->workers};
    fill_numbers(x, numbers);
    layer->ops->forward(layer, &pass);
    if (!op) return;
    add_table(m, op, results, y);
    op->idle = is_idle(op, step, x.zero);
}

static void make_concat(making *m, const tl_c_step *step, tl_q_scale y) {
    const tl_export_node *node = step->node;
    tl_c_value to = step->y;
    for (size_t e = 0; e < node->inputs && !tl_failed(m->error); e++) {
        tl_real numbers[TABLE];
        tl_q_op *op = new_op(m, TL_Q_TABLE, step, e);
        if (!op) return;
        op->channels = (int)m->network->net.node[node->input[e]].out.channels;
        op->x[0] = step->x[e];
        op->y = to;
        fill_numbers(m->scale[node->input[e]], numbers);
        add_table(m, op, numbers, y);
        to.offset += (size_t)op->channels;
    }
}

static void make_add(making *m, const tl_c_step *step, tl_q_scale y) {
    const tl_export_node *node = step->node;
    tl_q_op *op = new_op(m, TL_Q_ADD, step, 0);
    if (!op || !add_filters(m, op, node->inputs)) return;
    op->inputs = (int)node->inputs;
    op->y_zero = y.zero;
    op->low = step->relu ? y.zero : -128;
    for (size_t e = 0; e < node->inputs; e++) {
        const tl_q_scale x = m->scale[node->input[e]];
        op->x[e] = step->x[e];
        op->x_zero[e] = x.zero;
        op->multiplier[e] = bounded(ldexp(x.scale / y.scale, ADD_SHIFT), 0, INT32_MAX);
    }
}

static bool is_activation(const tl_layer_ops *ops) {
    const tl_layer_ops *const activations[] = {&tl_relu_layer_ops,     &tl_leaky_relu_layer_ops,  &tl_elu_layer_ops,
                                               &tl_selu_layer_ops,     &tl_gelu_layer_ops,        &tl_silu_layer_ops,
                                               &tl_softplus_layer_ops, &tl_sigmoid_layer_ops,     &tl_hard_sigmoid_layer_ops,
                                               &tl_tanh_layer_ops,     &tl_exponential_layer_ops, &tl_affine_layer_ops};
    bool any = false;
    for (size_t i = 0; i < sizeof activations / sizeof *activations; i++) any = any || ops == activations[i];
    return any;
}

static void make_step(making *m, const tl_c_step *step, tl_q_scale x, tl_q_scale y) {
    const tl_layer_ops *ops = tl_c_layer_of(step->node->layer)->ops;
    if (ops == &tl_conv1d_layer_ops || ops == &tl_dense_layer_ops || ops == &tl_fixed_filters_layer_ops)
        make_convolution(m, step, x, y);
    else if (ops == &tl_batch_norm_layer_ops)
        make_batch_norm(m, step, x, y);
    else if (ops == &tl_max_pool_layer_ops || ops == &tl_global_max_pool_layer_ops)
        make_pool(m, step, true, x, y);
    else if (ops == &tl_average_pool_layer_ops || ops == &tl_global_average_pool_layer_ops)
        make_pool(m, step, false, x, y);
    else if (is_activation(ops))
        make_activation(m, step, x, y);
    else if (ops == &tl_concat_layer_ops)
        make_concat(m, step, y);
    else if (ops == &tl_add_layer_ops)
        make_add(m, step, y);
    else
        tl_export_fail(&m->network->net, step->node, m->error,
                       "there are no integers for %s; export this network in floating point", ops->name);
}

/* ---- noise ---- */

/* Copies what the output of each step should be, for one series. */
static void keep_output(const making *m, size_t vertex, const tl_tensor *y) {
    for (size_t s = 0; s < m->network->steps; s++) {
        const size_t node = (size_t)(m->network->step[s].node - m->network->net.node), channels = y->shape[2];
        if (m->vertex_of[s] != vertex) continue;
        for (size_t i = 0; i < tl_tensor_count(y); i++)
            m->kept[s][i] = (tl_real)(m->gain[node] ? m->gain[node][i % channels] : 1) * y->data[i];
    }
}

static void compare(const making *m, const tl_dataset *data) {
    const size_t steps = m->network->steps, count = tl_min(data->x.shape[0], NOISE_SERIES);
    double *power = new_array(m, steps + 1, sizeof *power), *noise = new_array(m, steps + 1, sizeof *noise);
    float *room = new_array(m, data->x.shape[1] * data->x.shape[2], sizeof *room);
    for (size_t i = 0; !tl_failed(m->error) && i < count; i++) {
        const tl_tensor x = tl_tensor_slice(&data->x, i, 1);
        run_layers(m, &x, keep_output);
        tl_q_compare(m->self, x.data, room, (const tl_real *const *)m->kept, power, noise);
    }
    for (size_t s = 0; !tl_failed(m->error) && s < steps; s++) m->self->layer[s].decibels = 10 * log10(power[s] / noise[s]);
    tl_release(power);
    tl_release(noise);
    tl_release(room);
}

/* How much of each layer's output is rounding, of it and of the layers before it. */
static void measure_noise(making *m, const tl_dataset *data) {
    const size_t steps = m->network->steps;
    m->kept = new_array(m, steps + 1, sizeof *m->kept);
    m->vertex_of = new_array(m, steps + 1, sizeof *m->vertex_of);
    for (size_t s = 0; m->kept && m->vertex_of && s < steps; s++) {
        const tl_c_step *step = &m->network->step[s];
        m->vertex_of[s] = last_vertex(m, (size_t)(step->node - m->network->net.node), step->relu);
        m->kept[s] = new_array(m, step->node->out.length * step->node->out.channels, sizeof **m->kept);
    }
    if (!tl_failed(m->error)) compare(m, data);
    for (size_t s = 0; m->kept && s < steps; s++) tl_release(m->kept[s]);
    tl_release((void *)m->kept);
    tl_release(m->vertex_of);
}

/* ---- all layers ---- */

/* Which step makes the output of each node. */
static void find_steps(const making *m) {
    const tl_c_network *network = m->network;
    for (size_t i = 0; i < network->net.nodes; i++) m->step_of[i] = NONE;
    for (size_t s = 0; s < network->steps; s++) m->step_of[network->step[s].node - network->net.node] = (int)s;
}

/* A maximum is one of the numbers that came in. */
static bool keeps_scale(const tl_layer_ops *ops) { return ops == &tl_max_pool_layer_ops || ops == &tl_global_max_pool_layer_ops; }

static void make_steps(making *m) {
    tl_c_network *network = m->network;
    double low, high;
    range_of(m, 0, (size_t)m->self->model->input, &low, &high);
    m->scale[0] = m->self->input = scale_for(low, high);
    for (size_t i = 1; i < network->net.nodes && !tl_failed(m->error); i++) {
        const tl_export_node *node = &network->net.node[i];
        const tl_q_scale x = m->scale[node->input[0]];
        m->scale[i] = x;
        if (m->step_of[i] == NONE) continue;
        const tl_c_step *step = &network->step[m->step_of[i]];
        const size_t vertex = last_vertex(m, i, step->relu);
        range_of(m, i, vertex, &low, &high);
        if (!keeps_scale(node->layer->ops)) m->scale[i] = scale_for(low, high);
        m->self->layer[m->step_of[i]] = (tl_quantized_layer){
            .name = node->name, .minimum = low, .maximum = high, .scale = m->scale[i].scale, .zero = m->scale[i].zero};
        make_step(m, step, x, m->scale[i]);
    }
    m->self->output = m->scale[network->net.nodes - 1];
}

/* Of each channel of each live vertex. */
static void allocate_ranges(making *m) {
    const tl_model *model = m->self->model;
    size_t count = 0;
    m->first = new_array(m, model->vertices, sizeof *m->first);
    m->channels = new_array(m, model->vertices, sizeof *m->channels);
    for (size_t i = 0; m->first && m->channels && i < model->vertices; i++) {
        m->first[i] = count;
        m->channels[i] = model->vertex[i].live ? model->vertex[i].layer->out.channels : 0;
        count += m->channels[i];
    }
    m->low = new_array(m, count, sizeof *m->low);
    m->high = new_array(m, count, sizeof *m->high);
}

static void allocate(making *m) {
    const size_t nodes = m->network->net.nodes;
    allocate_ranges(m);
    m->step_of = new_array(m, nodes, sizeof *m->step_of);
    m->scale = new_array(m, nodes, sizeof *m->scale);
    m->gain = new_array(m, nodes, sizeof *m->gain);
    m->self->layer = new_array(m, m->network->steps + 1, sizeof *m->self->layer);
    m->self->arena = new_array(m, m->network->arena + 1, 1);
}

static void release(making *m) {
    for (size_t i = 0; m->gain && i < m->network->net.nodes; i++) tl_release(m->gain[i]);
    tl_release((void *)m->gain);
    tl_release(m->first);
    tl_release(m->channels);
    tl_release(m->low);
    tl_release(m->high);
    tl_release(m->step_of);
    tl_release(m->scale);
}

static void make(tl_quantized *self, const tl_dataset *calibration, tl_error *error) {
    making m = {.self = self, .network = &self->network, .error = error};
    allocate(&m);
    if (!tl_failed(error)) find_ranges(&m, calibration);
    if (!tl_failed(error)) tl_report(self->model, error);
    for (size_t i = 1; i < self->network.net.nodes && !tl_failed(error); i++) equalise(&m, i);
    if (!tl_failed(error)) {
        find_steps(&m);
        make_steps(&m);
    }
    if (!tl_failed(error)) measure_noise(&m, calibration);
    release(&m);
}

static tl_status check(const tl_model *model, const tl_dataset *data, tl_error *error) {
    char shape[TL_SHAPE_TEXT];
    const tl_shape in = tl_input_shape(model);
    if (!tl_given(data, "quantize: the calibration data", error)) return error->status;
    if (tl_dataset_in_memory(data, "quantize", error) != TL_OK) return error->status;
    if (data->x.data && data->x.rank == 3 && data->x.shape[1] == in.length && data->x.shape[2] == in.channels) return TL_OK;
    return tl_fail(error, TL_ERROR_SHAPE, "quantize: the calibration data is %s; the model takes (count, %zu, %zu)",
                   tl_tensor_text(&data->x, shape), in.length, in.channels);
}

tl_quantized *tl_quantize(tl_model *model, const tl_dataset *calibration, tl_error *error) {
    tl_error own = {0};
    if (!error) error = &own;
    if (tl_model_check(model, "quantize", error) != TL_OK || check(model, calibration, error) != TL_OK) return NULL;
    tl_quantized *self = calloc(1, sizeof *self);
    if (!self) {
        tl_fail(error, TL_ERROR_MEMORY, "quantize: out of memory");
        return NULL;
    }
    self->model = model;
    self->network = (tl_c_network){.cfg = &self->cfg, .error = error, .quantized = true};
    if (tl_export_begin(&self->network.net, model, "quantize", error) == TL_OK &&
        tl_export_fold_batch_norm(&self->network.net, error) == TL_OK && tl_c_plan(&self->network) == TL_OK)
        make(self, calibration, error);
    if (!tl_failed(error)) return self;
    tl_quantized_free(self);
    return NULL;
}

void tl_quantized_free(tl_quantized *self) {
    if (!self) return;
    for (size_t i = 0; i < self->ops; i++) {
        tl_release(self->op[i].weight);
        tl_release(self->op[i].bias);
        tl_release(self->op[i].multiplier);
        tl_release(self->op[i].shift);
    }
    free(self->op);
    tl_release(self->layer);
    tl_release(self->arena);
    tl_export_release(&self->network.net);
    free(self->network.step);
    free(self->network.span);
    free(self);
}

tl_quantized_layer tl_quantized_layer_at(const tl_quantized *self, size_t index) {
    return self && index < self->network.steps ? self->layer[index] : (tl_quantized_layer){0};
}
