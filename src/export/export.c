#include "export/export.h"

#include "base/memory.h"
#include "graph/graph.h"
#include "layers/fixed_filters.h"
#include "layers/registry.h"
#include "models/model.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- arrays ---- */

size_t tl_export_count(const tl_export_array *array) {
    size_t count = 1;
    for (size_t axis = 0; axis < array->rank; axis++) count *= array->shape[axis];
    return count;
}

/* Adds an array of zeros to a node. Returns NULL if memory is short. */
static tl_export_array *add_array(tl_export_node *node, const char *name, size_t rank, const size_t *shape, tl_error *error) {
    tl_export_array *array = &node->array[node->arrays];
    *array = (tl_export_array){.name = name, .rank = rank};
    memcpy(array->shape, shape, rank * sizeof *shape);
    array->value = tl_allocate(tl_export_count(array), sizeof *array->value, "export", error);
    if (!array->value) return NULL;
    node->arrays++;
    return array;
}

static void copy_array(tl_export_node *node, const tl_declared *declared, const tl_real *values, tl_error *error) {
    const tl_export_array *array = add_array(node, declared->name, declared->rank, declared->shape, error);
    const size_t count = array ? tl_export_count(array) : 0;
    for (size_t i = 0; i < count; i++) array->value[i] = (double)values[i];
}

/* Adds the filters of fixed_filters as the weights of a convolution, (taps, channels, filters). Shorter filters are centred. */
static void add_fixed_filters(tl_export_node *node, tl_error *error) {
    const size_t shape[] = {TL_FIXED_TAPS, node->in.channels, TL_FIXED_FILTERS};
    const tl_export_array *array = add_array(node, "weight", 3, shape, error);
    tl_real taps[TL_FIXED_TAPS];
    for (size_t f = 0; array && f < TL_FIXED_FILTERS; f++) {
        const size_t count = tl_fixed_filter(f, taps), first = (TL_FIXED_TAPS - 1) / 2 - (count - 1) / 2;
        for (size_t j = 0; j < count; j++)
            for (size_t c = 0; c < shape[1]; c++)
                array->value[((first + j) * shape[1] + c) * TL_FIXED_FILTERS + f] = (double)taps[j];
    }
}

static void copy_arrays(tl_export_node *node, const tl_vertex *vertex, tl_error *error) {
    const tl_layer *layer = vertex->layer;
    for (size_t i = 0; i < layer->parameters; i++) copy_array(node, &layer->parameter[i], vertex->parameter[i], error);
    for (size_t i = 0; i < layer->states; i++) copy_array(node, &layer->state[i], vertex->state[i], error);
    if (layer->ops == &tl_fixed_filters_layer_ops) add_fixed_filters(node, error);
}

const tl_export_array *tl_export_find(const tl_export_node *node, const char *name) {
    for (size_t i = 0; i < node->arrays; i++)
        if (strcmp(node->array[i].name, name) == 0) return &node->array[i];
    return NULL;
}

/* ---- nodes ---- */

/* Returns the table of the registry. A layer that includes the ReLU after it may have another table, with the same `setup`. */
static const tl_layer_ops *kind_of(const tl_layer *layer) {
    const tl_layer_ops *known = tl_layer_ops_by_name(layer->ops->name);
    return known && known->setup == layer->ops->setup ? known : layer->ops;
}

static bool does_nothing(const tl_vertex *vertex) { return vertex->layer->ops == &tl_dropout_layer_ops; }

/* Adds a node for a vertex. place: (vertices) indices of the nodes of earlier vertices. */
static void add_node(tl_export *self, size_t index, const size_t *place, tl_error *error) {
    const tl_vertex *vertex = &self->model->vertex[index];
    const tl_layer *layer = vertex->layer;
    tl_export_node *node = &self->node[self->nodes++];
    *node = (tl_export_node){.kind = kind_of(layer),
                             .layer = layer,
                             .name = vertex->name,
                             .vertex = index,
                             .inputs = layer->inputs,
                             .in = layer->inputs ? layer->in[0] : layer->out,
                             .out = layer->out};
    for (size_t e = 0; e < layer->inputs; e++) {
        node->input[e] = place[vertex->input[e]];
        self->node[node->input[e]].readers++;
    }
    copy_arrays(node, vertex, error);
}

/* Vertices that do not lead to the output are not live, so the last node is the output. */
static void add_nodes(tl_export *self, tl_error *error) {
    const tl_model *model = self->model;
    size_t *place = tl_allocate(model->vertices, sizeof *place, "export", error);
    self->node = tl_allocate(model->vertices, sizeof *self->node, "export", error);
    for (size_t i = 0; i < model->vertices && !tl_failed(error); i++) {
        if (!model->vertex[i].live) continue;
        if (does_nothing(&model->vertex[i]))
            place[i] = place[model->vertex[i].input[0]];
        else {
            place[i] = self->nodes;
            add_node(self, i, place, error);
        }
    }
    if (!tl_failed(error)) self->node[self->nodes - 1].readers++;
    tl_release(place);
}

tl_status tl_export_begin(tl_export *self, const tl_model *model, const char *format, tl_error *error) {
    *self = (tl_export){.model = model, .format = format};
    if (tl_model_check(model, format, error) != TL_OK || tl_model_finite(model, format, error) != TL_OK) return error->status;
    self->loss = tl_model_loss(model);
    self->scaling = &model->scaling;
    self->targets = &model->targets;
    add_nodes(self, error);
    return error->status;
}

static void release_node(tl_export_node *node) {
    for (size_t i = 0; i < node->arrays; i++) tl_release(node->array[i].value);
    node->arrays = 0;
}

void tl_export_release(tl_export *self) {
    for (size_t i = 0; i < self->nodes; i++) release_node(&self->node[i]);
    tl_release(self->node);
    *self = (tl_export){0};
}

/* ---- settings ---- */

static double setting_value(const tl_setting *setting, const void *member) {
    switch (setting->kind) {
    case TL_SETTING_INTEGER:
    case TL_SETTING_CHOICE:
        return *(const int *)member;
    case TL_SETTING_SIZE:
        return (double)*(const size_t *)member;
    case TL_SETTING_NUMBER:
        return *(const double *)member;
    case TL_SETTING_FLAG:
        return *(const bool *)member;
    case TL_SETTING_UNLESS:
        return !*(const bool *)member;
    }
    return 0;
}

double tl_export_number(const tl_export_node *node, const char *key, double otherwise) {
    for (const tl_setting *setting = node->kind->settings; setting && setting->name; setting++) {
        if (strcmp(setting->name, key) != 0) continue;
        const double value = setting_value(setting, (const char *)node->layer + setting->offset);
        return value != 0 ? value : otherwise;
    }
    return otherwise;
}

/* ---- messages ---- */

tl_status tl_export_fail(const tl_export *self, const tl_export_node *node, tl_error *error, const char *format, ...) {
    char text[300];
    va_list values;
    va_start(values, format);
    vsnprintf(text, sizeof text, format, values);
    va_end(values);
    return tl_fail(error, TL_ERROR_ARGUMENT, "%s: layer %zu (%s): %s", self->format, node->vertex, node->name, text);
}

tl_status tl_export_refuse(const tl_export *self, const tl_export_node *node, tl_error *error) {
    const char *kind = node->kind->name;
    const bool own = tl_layer_ops_by_name(kind) != node->kind;
    return own ? tl_export_fail(self, node, error, "%.60s is a layer of your own, which this format cannot represent", kind)
               : tl_export_fail(self, node, error, "this format has no %s", kind);
}
