/* Builds a model: layers are added one after the other; errors are stored in the model. */
#include "graph/graph.h"

#include "base/argument.h"
#include "base/math.h"
#include "base/memory.h"
#include "compute/gemm.h"
#include "graph/builder.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const tl_node failed_node = {.id = -1};

tl_model *tl_model_new_sized(const tl_model_cfg *cfg, size_t size) {
    tl_model *model = calloc(1, sizeof *model);
    tl_model_cfg own;
    if (!model) return NULL;
    tl_take(&own, sizeof own, cfg, size, "model", &model->error);
    model->seed = own.seed;
    model->engine = own.engine;
    if (own.threads < 0 || own.threads > TL_MAX_THREADS)
        tl_fail(&model->error, TL_ERROR_ARGUMENT, "model: %d threads are outside 0 … %d", own.threads, TL_MAX_THREADS);
    model->workers = tl_workers_of(own.threads);
    model->max_parameters = SIZE_MAX;
    tl_gemm_prepare();
    return model;
}

static void release_layer(tl_layer *layer) {
    if (!layer) return;
    if (layer->ops->free) layer->ops->free(layer);
    free(layer);
}

void tl_model_free(tl_model *model) {
    if (!model) return;
    for (size_t i = 0; i < model->vertices; i++) release_layer(model->vertex[i].layer);
    for (size_t i = 0; model->moment && i < model->optimizer.ops->moments; i++) tl_release(model->moment[i]);
    free(model->moment);
    tl_loss_release(&model->loss);
    tl_scaling_free(&model->scaling);
    tl_scaling_free(&model->targets);
    tl_release_packed(model);
    tl_release(model->arena);
    tl_release(model->parameters);
    tl_release(model->gradients);
    tl_release(model->states);
    free(model->norm_parts);
    free(model->lengths);
    free(model->run);
    free(model->array);
    free(model->vertex);
    free(model);
}

void tl_layer_fail(tl_error *error, tl_status status, size_t index, const char *layer, const char *text) {
    tl_fail(error, status, "layer %zu (%s): %s", index, layer, text);
}

/* Returns whether every input is a node of the model. A failed node has already been reported. */
static bool nodes_stand(tl_model *model, const tl_node *inputs, size_t count, const tl_layer *layer) {
    char text[80];
    for (size_t i = 0; i < count; i++) {
        if (inputs[i].id < 0 && tl_failed(&model->error)) return false;
        if (inputs[i].id >= 0 && (size_t)inputs[i].id < model->vertices) continue;
        snprintf(text, sizeof text, "input %zu is node %d; the model has %zu nodes", i, inputs[i].id, model->vertices);
        tl_layer_fail(&model->error, TL_ERROR_ARGUMENT, model->vertices, layer->ops->name, text);
        return false;
    }
    return true;
}

static bool inputs_stand(tl_model *model, const tl_node *inputs, size_t count, const tl_layer *layer) {
    char text[80];
    if (count > TL_MAX_INPUTS)
        snprintf(text, sizeof text, "%zu inputs exceed the limit of %d", count, TL_MAX_INPUTS);
    else if (layer->ops->multiple_inputs && count < 2)
        snprintf(text, sizeof text, "%zu input%s; at least 2 are needed", count, count == 1 ? "" : "s");
    else if (count > 0 && !inputs)
        snprintf(text, sizeof text, "its list of %zu inputs is NULL", count);
    else
        return nodes_stand(model, inputs, count, layer);
    tl_layer_fail(&model->error, TL_ERROR_ARGUMENT, model->vertices, layer->ops->name, text);
    return false;
}

/* Allocates another vertex and copies the layer; returns false if memory is short. */
static bool grow(tl_model *model, const tl_layer *layer) {
    if (model->vertices == model->capacity) {
        const size_t capacity = model->capacity ? 2 * model->capacity : 16;
        tl_vertex *vertex = realloc(model->vertex, capacity * sizeof *vertex);
        if (!vertex) return false;
        model->vertex = vertex;
        model->capacity = capacity;
    }
    tl_layer *copy = malloc(layer->ops->size);
    if (!copy) return false;
    memcpy(copy, layer, layer->ops->size);
    model->vertex[model->vertices] = (tl_vertex){.layer = copy, .group = {.rate = 1}};
    return true;
}

void tl_builder_cfg(tl_model *model, const char *layer, void *own, size_t own_size, const void *given, size_t size) {
    tl_take(own, own_size, given, size, layer, model ? &model->error : NULL);
}

/* Checks that a layer, which may be the user's, has all required functions; an input layer needs none. tl_model_compile checks
 * `backward`. */
static bool table_stands(tl_model *model, size_t inputs, const tl_layer *layer) {
    const tl_layer_ops *ops = layer ? layer->ops : NULL;
    const char *missing = !layer                         ? "the layer is NULL"
                          : !ops                         ? "its ops is NULL"
                          : !ops->name                   ? "ops->name is NULL"
                          : ops->size < sizeof(tl_layer) ? "ops->size is less than the size of tl_layer"
                          : !ops->setup                  ? "ops->setup is NULL"
                          : inputs > 0 && !ops->forward  ? "ops->forward is NULL"
                                                         : NULL;
    if (missing) tl_layer_fail(&model->error, TL_ERROR_ARGUMENT, model->vertices, ops && ops->name ? ops->name : "?", missing);
    return !missing;
}

tl_node tl_layer_add(tl_model *model, const tl_node *inputs, size_t count, const tl_layer *layer) {
    bool added = false;
    if (!model || !table_stands(model, count, layer)) return failed_node;
    if (model->compiled)
        tl_layer_fail(&model->error, TL_ERROR_STATE, model->vertices, layer->ops->name,
                      "the model is already compiled; add layers before");
    else if (model->vertices > TL_MAX_LAYERS)
        tl_fail(&model->error, TL_ERROR_SHAPE, "the model already has %d layers, which is the limit", TL_MAX_LAYERS);
    else if (inputs_stand(model, inputs, count, layer)) {
        added = grow(model, layer);
        if (!added) tl_layer_fail(&model->error, TL_ERROR_MEMORY, model->vertices, layer->ops->name, "out of memory");
    }
    if (!added) return failed_node;
    tl_vertex *vertex = &model->vertex[model->vertices];
    vertex->layer->inputs = count;
    for (size_t i = 0; i < count; i++) vertex->input[i] = inputs[i].id;
    return (tl_node){.id = (int)model->vertices++};
}

/* Stores a declaration; if there are too many, only counts it, and tl_model_compile reports it. */
static void declare(tl_declared *list, size_t *declared, const tl_declared *one) {
    if (*declared < TL_MAX_PARAMETERS) list[*declared] = *one;
    ++*declared;
}

static tl_declared declaration(const char *name, size_t rank, const size_t *shape, tl_init init) {
    tl_declared one = {.name = name, .rank = tl_min(rank, TL_MAX_RANK), .init = init};
    for (size_t axis = 0; axis < one.rank; axis++) one.shape[axis] = shape[axis];
    return one;
}

void tl_layer_parameter(tl_layer *layer, const char *name, size_t rank, const size_t *shape, tl_init init, size_t fan_in,
                        size_t fan_out) {
    tl_declared one = declaration(name, rank, shape, init);
    one.fan_in = fan_in;
    one.fan_out = fan_out;
    declare(layer->parameter, &layer->parameters, &one);
}

void tl_layer_state(tl_layer *layer, const char *name, size_t rank, const size_t *shape, tl_init init) {
    const tl_declared one = declaration(name, rank, shape, init);
    declare(layer->state, &layer->states, &one);
}

void tl_layer_same_shapes(const tl_layer *layer, tl_error *error) {
    const tl_shape first = layer->in[0];
    for (size_t i = 1; i < layer->inputs; i++)
        if (layer->in[i].length != first.length || layer->in[i].channels != first.channels)
            tl_fail(error, TL_ERROR_SHAPE, "input %zu is (%zu, %zu), input 0 is (%zu, %zu)", i, layer->in[i].length,
                    layer->in[i].channels, first.length, first.channels);
}

const tl_error *tl_model_error(const tl_model *model) {
    static const tl_error none = {.status = TL_ERROR_MEMORY,
                                  .text = "the model is NULL: there was no memory for it, or it was not loaded"};
    return model ? &model->error : &none;
}

tl_status tl_report(const tl_model *model, tl_error *error) {
    const tl_error *reason = tl_model_error(model);
    return tl_failed(reason) ? tl_fail(error, reason->status, "%s", reason->text) : TL_OK;
}

/* Lengths that were set for a failed pass do not apply to the next one. */
void tl_model_clear_error(tl_model *model) {
    if (!model || !model->compiled || model->plan_only) return;
    model->error = (tl_error){0};
    model->given = 0;
}

/* ---- properties of a compiled model ---- */

tl_shape tl_node_shape(const tl_model *model, tl_node node) {
    const bool there = model && node.id >= 0 && (size_t)node.id < model->vertices;
    const tl_vertex *vertex = there ? &model->vertex[node.id] : NULL;
    const bool known = vertex && (model->compiled ? vertex->live : vertex->layer->inputs == 0);
    return known ? vertex->layer->out : (tl_shape){0};
}

tl_shape tl_input_shape(const tl_model *model) {
    return model && model->compiled ? tl_node_shape(model, (tl_node){.id = model->input}) : (tl_shape){0};
}

tl_shape tl_output_shape(const tl_model *model) {
    return model && model->compiled ? tl_node_shape(model, (tl_node){.id = model->output}) : (tl_shape){0};
}

size_t tl_model_batch(const tl_model *model) { return model ? model->batch : 0; }
tl_loss_kind tl_model_loss(const tl_model *model) { return model ? model->loss.kind : TL_LOSS_CROSS_ENTROPY; }
double tl_loss_weight(const tl_model *model) { return model ? model->loss_weight : 0; }
uint64_t tl_model_seed(const tl_model *model) { return model ? model->seed : 0; }
const char *tl_node_name(const tl_model *model, tl_node node) {
    return model && node.id >= 0 && (size_t)node.id < model->vertices ? model->vertex[node.id].name : NULL;
}

void tl_observe(tl_model *model, tl_observer observer, void *context) {
    if (!model) return;
    model->workers.observer = observer;
    model->workers.observer_context = context;
}

int tl_model_threads(const tl_model *model) { return model ? model->workers.count : 0; }
uint64_t tl_steps(const tl_model *model) { return model ? model->steps : 0; }
double tl_learning_rate(const tl_model *model) { return model ? model->optimizer.learning_rate : 0; }

void tl_set_learning_rate(tl_model *model, double learning_rate) {
    if (!model) return;
    if (!model->compiled)
        tl_fail(&model->error, TL_ERROR_STATE, "learning rate: the model is not compiled; set the first rate in tl_compile_cfg");
    else if (learning_rate >= 0 && learning_rate <= 1e30)
        model->optimizer.learning_rate = learning_rate;
    else
        tl_fail(&model->error, TL_ERROR_ARGUMENT, "learning rate %g is not a number from 0 to 1e30", learning_rate);
}

/* Counts parameters, states, gradients, moments and packed weights; in double, since the sum may be larger than memory. */
static double count_elements(const tl_model *model) {
    const size_t copies = model->inference_only ? 1 : 2 + model->optimizer.ops->moments;
    const double packed = model->packed ? (double)model->packed->count : 0;
    return (double)model->arena_count + (double)model->state_count + (double)copies * (double)model->parameter_count + packed;
}

double tl_planned_memory(const tl_model *model) {
    return count_elements(model) * sizeof(tl_real) + (double)model->vertices * (double)model->batch * sizeof(size_t);
}

size_t tl_model_memory(const tl_model *model) {
    return model && model->compiled ? (size_t)(count_elements(model) * sizeof(tl_real)) : 0;
}

size_t tl_node_parameter_count(const tl_model *model, tl_node node) {
    const bool there = model && node.id >= 0 && (size_t)node.id < model->vertices && model->vertex[node.id].live;
    const tl_layer *layer = there ? model->vertex[node.id].layer : NULL;
    size_t count = 0;
    for (size_t p = 0; layer && p < layer->parameters; p++) count += tl_declared_count(&layer->parameter[p]);
    return count;
}

size_t tl_parameter_count(const tl_model *model) {
    size_t count = 0;
    for (size_t i = 0; model && i < model->vertices; i++) count += tl_node_parameter_count(model, (tl_node){.id = (int)i});
    return count;
}

size_t tl_parameter_arrays(const tl_model *model) { return model && model->compiled ? model->arrays : 0; }

static tl_parameter describe(const tl_vertex *vertex, size_t id, const tl_declared *declared, tl_real *value, tl_real *gradient) {
    tl_parameter found = {.name = declared->name, .layer = vertex->name, .frozen = vertex->frozen, .node = {.id = (int)id}};
    found.value = tl_tensor_view(value, declared->rank, declared->shape);
    if (gradient) found.gradient = tl_tensor_view(gradient, declared->rank, declared->shape);
    return found;
}

tl_parameter tl_array_at(const tl_model *model, size_t index) {
    if (index >= tl_parameter_arrays(model)) return (tl_parameter){0};
    const tl_array_place place = model->array[index];
    const tl_vertex *vertex = &model->vertex[place.vertex];
    if (place.state) return describe(vertex, place.vertex, &vertex->layer->state[place.index], vertex->state[place.index], NULL);
    return describe(vertex, place.vertex, &vertex->layer->parameter[place.index], vertex->parameter[place.index],
                    vertex->gradient[place.index]);
}

tl_parameter tl_parameter_at(const tl_model *model, size_t index) {
    if (model && model->packed) model->packed->viewed = true;
    return tl_array_at(model, index);
}
