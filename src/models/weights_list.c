/* The arrays of a model in PyTorch's order (weights.h). */
#include "models/weights.h"

#include "base/memory.h"
#include "graph/graph.h"
#include "layers/registry.h"

#include <stdlib.h>
#include <string.h>

/* The names in PyTorch of arrays that have other names there. */
static const struct {
    const char *ours, *theirs;
} names[] = {{"scale", "weight"},         {"shift", "bias"},   {"mean", "running_mean"},
             {"variance", "running_var"}, {"slope", "weight"}, {"table", "weight"}};

static const char *their_name(const tl_layer_ops *ops, const char *ours) {
    const bool own = tl_layer_ops_by_name(ops->name) == ops;
    for (size_t i = 0; own && i < sizeof names / sizeof *names; i++)
        if (strcmp(names[i].ours, ours) == 0) return names[i].theirs;
    return ours;
}

/* ---- the order of channels ---- */

/* The order of the channels of a layer's output: after a flatten of that shape they are in our order (length, channels). */
typedef struct order {
    tl_shape flat; /* length 0: PyTorch has the same order */
    bool unknown;  /* several flattened outputs side by side, or mixed */
} order;

static bool is_plain(order o) { return o.flat.length == 0 && !o.unknown; }

static bool same_order(order a, order b) {
    return a.flat.length == b.flat.length && a.flat.channels == b.flat.channels && !a.unknown && !b.unknown;
}

static bool makes_channels(const tl_layer_ops *ops) {
    return ops == &tl_dense_layer_ops || ops == &tl_conv1d_layer_ops || ops == &tl_conv1d_transpose_layer_ops ||
           ops == &tl_embedding_layer_ops || ops == &tl_fixed_filters_layer_ops;
}

/* Returns whether each output channel is the input channel with the same number. */
static bool keeps_channels(const tl_layer *layer) {
    return layer->inputs > 0 && layer->out.channels == layer->in[0].channels && !makes_channels(layer->ops);
}

/* Returns the order of the output of a layer, from those of all layers before it. */
static order order_of(const tl_vertex *vertex, const order *all) {
    const tl_layer *layer = vertex->layer;
    const order plain = {0}, unknown = {.unknown = true}, before = layer->inputs ? all[vertex->input[0]] : plain;
    const bool joined = layer->ops == &tl_concat_layer_ops || layer->ops == &tl_group_norm_layer_ops;
    if (layer->ops == &tl_flatten_layer_ops && layer->in[0].length > 1)
        return !is_plain(before) ? unknown : layer->in[0].channels > 1 ? (order){.flat = layer->in[0]} : plain;
    if (!keeps_channels(layer) && !joined) return plain;
    for (size_t e = 0; e < layer->inputs; e++) {
        const order one = all[vertex->input[e]];
        if (!same_order(one, before) || (joined && !is_plain(one))) return unknown;
    }
    return before;
}

/* The caller frees the result; NULL if memory is short. */
static order *list_orders(const tl_model *model) {
    order *orders = calloc(model->vertices, sizeof *orders);
    for (size_t i = 0; orders && i < model->vertices; i++)
        if (model->vertex[i].live) orders[i] = order_of(&model->vertex[i], orders);
    return orders;
}

/* Returns the axis of an array for the channels that its layer reads; rank if there is none. */
static size_t channel_axis(const tl_layer_ops *ops, const tl_parameter *parameter) {
    if (!makes_channels(ops)) return 0;
    if (strcmp(parameter->name, "weight") != 0) return parameter->value.rank;
    return ops == &tl_dense_layer_ops ? 0 : ops == &tl_conv1d_layer_ops ? 1 : 2;
}

/* ---- arrays ---- */

static tl_weight weight_of(const tl_layer_ops *ops, const tl_parameter *parameter) {
    const size_t rank = parameter->value.rank;
    tl_weight weight = {.name = their_name(ops, parameter->name),
                        .value = parameter->value,
                        .rank = rank,
                        .axes = rank,
                        .table = ops == &tl_embedding_layer_ops};
    for (size_t axis = 0; axis < rank; axis++) {
        weight.axis[axis] = parameter->value.shape[axis];
        weight.shape[axis] = parameter->value.shape[weight.table ? axis : rank - 1 - axis];
    }
    return weight;
}

/* Separates the axis of flattened channels into (length, channels). */
static tl_status split(tl_weight *weight, const tl_parameter *parameter, size_t axis, order before, tl_error *error) {
    if (is_plain(before) || axis == weight->rank) return TL_OK;
    if (before.unknown || weight->axis[axis] != before.flat.length * before.flat.channels)
        return tl_fail(
            error, TL_ERROR_SHAPE,
            "weights: the channels that %s reads were flattened, then joined or grouped; PyTorch has them in another order",
            parameter->layer);
    memmove(&weight->axis[axis + 1], &weight->axis[axis], (weight->axes - axis) * sizeof *weight->axis);
    weight->axis[axis] = before.flat.length;
    weight->axis[axis + 1] = before.flat.channels;
    weight->axes++;
    return TL_OK;
}

/* Adds the arrays of a layer. */
static void list_layer(tl_weights *weights, const tl_model *model, tl_weight *first, size_t vertex, const order *orders,
                       tl_error *error) {
    const tl_vertex *of = &model->vertex[vertex];
    tl_weights_layer *layer = &weights->layer[weights->layers++];
    *layer = (tl_weights_layer){.name = of->name, .ops = of->layer->ops, .weight = first};
    for (size_t i = 0; i < tl_parameter_arrays(model) && !tl_failed(error); i++) {
        const tl_parameter parameter = tl_array_at(model, i);
        if (parameter.node.id != (int)vertex) continue;
        tl_weight *weight = &first[layer->weights++];
        *weight = weight_of(layer->ops, &parameter);
        split(weight, &parameter, channel_axis(layer->ops, &parameter), orders[of->input[0]], error);
    }
}

tl_status tl_weights_list(tl_weights *weights, const tl_model *model, tl_error *error) {
    if (tl_failed(error)) return error->status;
    order *orders = list_orders(model);
    weights->weight = calloc(tl_parameter_arrays(model) + 1, sizeof *weights->weight);
    weights->layer = calloc(model->vertices, sizeof *weights->layer);
    if (!orders || !weights->weight || !weights->layer) tl_fail(error, TL_ERROR_MEMORY, "weights: out of memory");
    tl_weight *next = weights->weight;
    for (size_t i = 0; i < model->vertices && !tl_failed(error); i++) {
        const tl_vertex *vertex = &model->vertex[i];
        if (!vertex->live || vertex->layer->parameters + vertex->layer->states == 0) continue;
        list_layer(weights, model, next, i, orders, error);
        next += vertex->layer->parameters + vertex->layer->states;
    }
    free(orders);
    return error->status;
}

void tl_weights_release(tl_weights *weights) {
    free(weights->weight);
    free(weights->layer);
    *weights = (tl_weights){0};
}

/* An array with reversed axes is in column-major order: its first axis is contiguous. */
size_t tl_weight_place(const tl_weight *weight, size_t index) {
    if (weight->table) return index;
    size_t place = 0, stride = tl_tensor_count(&weight->value);
    for (size_t axis = weight->axes; axis-- > 0;) {
        stride /= weight->axis[axis];
        place += index % weight->axis[axis] * stride;
        index /= weight->axis[axis];
    }
    return place;
}
