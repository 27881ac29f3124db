/* In inference, batch norm multiplies each channel by a factor and adds a term. The layer before it can include both in its
 * weights. */
#include "export/export.h"

#include "base/memory.h"
#include "compute/fold.h"
#include "graph/graph.h"
#include "layers/registry.h"

#include <string.h>

/* Sets the axis of the weights that counts the filters. Returns false if the layer cannot include a batch norm. */
static bool filter_axis(const tl_export_node *node, size_t *axis) {
    const tl_layer_ops *ops = node->kind;
    *axis = ops == &tl_dense_layer_ops || ops == &tl_conv1d_transpose_layer_ops ? 1 : 2;
    return ops == &tl_dense_layer_ops || ops == &tl_conv1d_transpose_layer_ops || ops == &tl_conv1d_layer_ops ||
           ops == &tl_fixed_filters_layer_ops;
}

static void scale_weights(const tl_export_array *weight, size_t axis, const double *factor) {
    size_t inner = 1;
    for (size_t a = axis + 1; a < weight->rank; a++) inner *= weight->shape[a];
    for (size_t i = 0; i < tl_export_count(weight); i++) weight->value[i] *= factor[i / inner % weight->shape[axis]];
}

/* Returns the bias of a node. A node without one gets a bias of zeros. */
static const tl_export_array *bias_of(tl_export_node *node, size_t filters, tl_error *error) {
    const tl_export_array *bias = tl_export_find(node, "bias");
    if (bias) return bias;
    double *value = tl_allocate(filters, sizeof *value, "export", error);
    if (!value) return NULL;
    node->array[node->arrays] = (tl_export_array){.name = "bias", .rank = 1, .shape = {filters}, .value = value};
    return &node->array[node->arrays++];
}

static void fold(const tl_export *self, tl_export_node *node, size_t axis, const tl_export_node *norm, tl_error *error) {
    const size_t filters = norm->out.channels;
    const tl_vertex *vertex = &self->model->vertex[norm->vertex];
    const tl_export_array *bias = bias_of(node, filters, error);
    double *memory = tl_allocate(3 * filters, sizeof *memory, "export", error);
    if (bias && memory) {
        const tl_affine_numbers numbers = {memory, memory + filters, memory + 2 * filters};
        vertex->layer->ops->inference->affine(vertex->layer, vertex->parameter, vertex->state, &numbers);
        for (size_t f = 0; f < filters; f++) bias->value[f] = tl_folded_bias(&numbers, f, bias->value[f]);
        scale_weights(tl_export_find(node, "weight"), axis, numbers.factor);
    }
    tl_release(memory);
}

/* Removes a node. Nodes that read it now read its input. */
static void remove_node(tl_export *self, size_t index) {
    tl_export_node *gone = &self->node[index];
    const size_t before = gone->input[0];
    self->node[before].readers += gone->readers - 1;
    for (size_t i = 0; i < gone->arrays; i++) tl_release(gone->array[i].value);
    memmove(gone, gone + 1, (self->nodes - index - 1) * sizeof *gone);
    self->nodes--;
    for (size_t i = index; i < self->nodes; i++)
        for (size_t e = 0; e < self->node[i].inputs; e++) {
            size_t *input = &self->node[i].input[e];
            *input = *input == index ? before : *input > index ? *input - 1 : *input;
        }
}

tl_status tl_export_fold_batch_norm(tl_export *self, tl_error *error) {
    size_t axis;
    for (size_t i = 1; i < self->nodes && !tl_failed(error);) {
        const tl_export_node *norm = &self->node[i];
        tl_export_node *before = &self->node[norm->input[0]];
        const bool folds = norm->kind == &tl_batch_norm_layer_ops && before->readers == 1 && filter_axis(before, &axis);
        if (folds) fold(self, before, axis, norm, error);
        if (folds && !tl_failed(error))
            remove_node(self, i);
        else
            i++;
    }
    return tl_failed(error) ? error->status : TL_OK;
}
