/* Compiles a model: checks everything, infers shapes and allocates all memory. After it, nothing allocates and shapes cannot
 * fail. */
#include "graph/graph.h"

#include "base/argument.h"
#include "base/memory.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* ---- checks and shapes ---- */

/* Marks the layers that lead to the output, and finds the input among them. */
static tl_status find_live(tl_model *model, tl_node output) {
    if (output.id < 0 || (size_t)output.id >= model->vertices)
        return tl_fail(&model->error, TL_ERROR_ARGUMENT, "compile: output is node %d; the model has %zu nodes", output.id,
                       model->vertices);
    model->output = output.id;
    model->vertex[output.id].live = true;
    model->input = -1;
    for (int i = output.id; i >= 0; i--) {
        const tl_vertex *vertex = &model->vertex[i];
        if (!vertex->live) continue;
        for (size_t e = 0; e < vertex->layer->inputs; e++) model->vertex[vertex->input[e]].live = true;
        if (vertex->layer->inputs > 0) continue;
        if (model->input >= 0)
            return tl_fail(&model->error, TL_ERROR_ARGUMENT,
                           "compile: layers %d and %d are both inputs; a model has one input; several series are channels of it", i,
                           model->input);
        model->input = i;
    }
    if (model->input == model->output)
        return tl_fail(&model->error, TL_ERROR_ARGUMENT, "compile: the output is the input; the network has no layers");
    return TL_OK;
}

/* Returns whether several copies of batch × shape elements can be addressed. */
static bool addressable(size_t batch, tl_shape shape) {
    size_t count;
    return tl_multiply_sizes(batch, shape.length, &count) && tl_multiply_sizes(count, shape.channels, &count) &&
           count <= PTRDIFF_MAX / 64;
}

/* Fails if a layer declared too many arrays, or one with an unknown initialiser. */
static void check_declared(const tl_layer *layer, tl_error *error) {
    if (layer->parameters > TL_MAX_PARAMETERS || layer->states > TL_MAX_PARAMETERS)
        tl_fail(error, TL_ERROR_ARGUMENT, "declares %zu parameters and %zu states; the limit is %d", layer->parameters,
                layer->states, TL_MAX_PARAMETERS);
    for (size_t p = 0; !tl_failed(error) && p < layer->parameters; p++)
        if (!tl_init_name(layer->parameter[p].init))
            tl_fail(error, TL_ERROR_ARGUMENT, "init %d is unknown", (int)layer->parameter[p].init);
}

/* Calls setup of the layer and checks what it declared. */
static tl_status set_up_layer(tl_model *model, size_t id) {
    tl_vertex *vertex = &model->vertex[id];
    tl_layer *layer = vertex->layer;
    tl_error error = {0};
    for (size_t e = 0; e < layer->inputs; e++) layer->in[e] = model->vertex[vertex->input[e]].layer->out;
    layer->out = layer->in[0];
    layer->batch = model->batch;
    layer->threads = model->workers.count;
    layer->engine = model->engine;
    if (layer->inputs > 0 && !layer->ops->backward && !model->inference_only)
        tl_fail(&error, TL_ERROR_ARGUMENT,
                "ops->backward is NULL; this is allowed only in a model that is compiled with inference_only");
    else
        layer->ops->setup(layer, &error);
    check_declared(layer, &error);
    if (!tl_failed(&error) && (layer->out.length == 0 || layer->out.channels == 0))
        tl_fail(&error, TL_ERROR_SHAPE, "its output (%zu, %zu) has no elements", layer->out.length, layer->out.channels);
    if (!tl_failed(&error) && (!addressable(model->batch, layer->out) || layer->saved > PTRDIFF_MAX / 64))
        tl_fail(&error, TL_ERROR_SHAPE, "batch %zu of (%zu, %zu) is more than memory can address", model->batch, layer->out.length,
                layer->out.channels);
    if (tl_failed(&error)) tl_layer_fail(&model->error, error.status, id, layer->ops->name, error.text);
    return model->error.status;
}

/* Number of layers of a kind that have a name. */
typedef struct kind_count {
    const tl_layer_ops *ops;
    int count;
} kind_count;

static kind_count *count_of(kind_count *kinds, const tl_layer_ops *ops) {
    while (kinds->ops && kinds->ops != ops) kinds++;
    kinds->ops = ops;
    return kinds;
}

tl_status tl_name_vertices(tl_model *model) {
    kind_count *kinds = calloc(model->vertices + 1, sizeof *kinds);
    if (!kinds) return tl_fail(&model->error, TL_ERROR_MEMORY, "compile: out of memory");
    for (size_t i = 0; i < model->vertices; i++) {
        tl_vertex *vertex = &model->vertex[i];
        kind_count *kind = count_of(kinds, vertex->layer->ops);
        snprintf(vertex->name, sizeof vertex->name, "%s_%d", vertex->layer->ops->name, kind->count + 1);
        if (vertex->live || model->names_all) kind->count++;
    }
    free(kinds);
    return TL_OK;
}

static tl_status set_up_layers(tl_model *model, tl_node output) {
    if (find_live(model, output) != TL_OK) return model->error.status;
    for (size_t i = 0; i < model->vertices; i++)
        if (model->vertex[i].live && set_up_layer(model, i) != TL_OK) return model->error.status;
    return tl_name_vertices(model) == TL_OK ? tl_fuse(model) : model->error.status;
}

/* Refuses a softmax or sigmoid before a loss that contains one: such a network trains, but gives wrong results. With inference_only
 * there is no training; the loss is then only the zero of the configuration. */
static tl_status check_last_layers(tl_model *model) {
    const tl_loss_kind loss = model->loss.kind;
    if ((loss != TL_LOSS_CROSS_ENTROPY && loss != TL_LOSS_BINARY_CROSS_ENTROPY) || model->parameter_count == 0) return TL_OK;
    model->vertex[model->output].shown = true;
    for (int i = model->output; i >= 0; i--) {
        const tl_vertex *vertex = &model->vertex[i];
        char text[200];
        if (!vertex->shown) continue;
        snprintf(text, sizeof text, "the loss %s already contains a %s; leave this layer out: predictions are probabilities anyway",
                 tl_loss_name(loss), loss == TL_LOSS_CROSS_ENTROPY ? "softmax" : "sigmoid");
        if (vertex->layer->ops->probabilities)
            tl_layer_fail(&model->error, TL_ERROR_ARGUMENT, (size_t)i, vertex->layer->ops->name, text);
        for (size_t e = 0; vertex->layer->ops->selects && e < vertex->layer->inputs; e++)
            model->vertex[vertex->input[e]].shown = true;
    }
    return model->error.status;
}

/* ---- parameters ---- */

/* Adds each declared array to *total elements, beginning on a cache line. Returns false if that overflows. */
static bool add_arrays(const tl_declared *declared, size_t count, size_t *total) {
    for (size_t p = 0; p < count; p++) {
        size_t elements = 1;
        for (size_t axis = 0; axis < declared[p].rank; axis++)
            if (!tl_multiply_sizes(elements, declared[p].shape[axis], &elements)) return false;
        if (elements > PTRDIFF_MAX / 64 || !tl_sum(*total, tl_aligned_count(elements), total)) return false;
    }
    return true;
}

static tl_status allocate_parameters(tl_model *model) {
    tl_error *error = &model->error;
    model->parameters = tl_allocate(model->parameter_count, sizeof(tl_real), "parameters", error);
    model->states = tl_allocate(model->state_count, sizeof(tl_real), "running statistics", error);
    model->run = calloc(model->vertices, sizeof *model->run);
    if (!model->run) tl_fail(error, TL_ERROR_MEMORY, "compile: out of memory");
    if (model->inference_only || tl_failed(error)) return error->status;
    model->gradients = tl_allocate(model->parameter_count, sizeof(tl_real), "gradients", error);
    model->norm_parts = calloc(model->parameter_count / TL_NORM_CHUNK + 1, sizeof *model->norm_parts);
    model->moment = calloc(model->optimizer.ops->moments + 1, sizeof *model->moment);
    if (!model->norm_parts || !model->moment) return tl_fail(error, TL_ERROR_MEMORY, "compile: out of memory");
    for (size_t i = 0; i < model->optimizer.ops->moments; i++)
        model->moment[i] = tl_allocate(model->parameter_count, sizeof(tl_real), "optimizer moments", error);
    return error->status;
}

/* A file may be damaged: its network must not have more parameters than the file has values. */
static tl_status check_count(tl_model *model) {
    const size_t maximum = model->max_parameters;
    size_t count = 0;
    for (size_t i = 0; i < model->vertices; i++) {
        const tl_layer *layer = model->vertex[i].layer;
        for (size_t p = 0; model->vertex[i].live && p < layer->parameters; p++) count += tl_declared_count(&layer->parameter[p]);
        for (size_t p = 0; model->vertex[i].live && p < layer->states; p++) count += tl_declared_count(&layer->state[p]);
        if (count > maximum)
            return tl_fail(&model->error, TL_ERROR_FORMAT, "compile: the layers have more parameters than the file, which has %zu",
                           maximum);
    }
    return TL_OK;
}

/* Makes the list for tl_parameter_at: parameters first, then states. */
static tl_status list_arrays(tl_model *model) {
    size_t count = 0;
    for (size_t i = 0; i < model->vertices; i++)
        if (model->vertex[i].live) count += model->vertex[i].layer->parameters + model->vertex[i].layer->states;
    model->array = calloc(count + 1, sizeof *model->array);
    if (!model->array) return tl_fail(&model->error, TL_ERROR_MEMORY, "compile: out of memory");
    for (int states = 0; states <= 1; states++)
        for (size_t i = 0; i < model->vertices; i++) {
            const tl_layer *layer = model->vertex[i].layer;
            const size_t its = !model->vertex[i].live ? 0 : states ? layer->states : layer->parameters;
            for (size_t p = 0; p < its; p++)
                model->array[model->arrays++] = (tl_array_place){.vertex = (uint32_t)i, .index = (uint16_t)p, .state = states};
        }
    return TL_OK;
}

/* Gives each layer a place in the flat buffer of parameters, in the order of the layers, and in the buffer of states. */
static tl_status place_parameters(tl_model *model) {
    bool fits = true;
    for (size_t i = 0; i < model->vertices; i++) {
        tl_vertex *vertex = &model->vertex[i];
        if (!vertex->live) continue;
        vertex->first = model->parameter_count;
        vertex->first_state = model->state_count;
        fits = fits && add_arrays(vertex->layer->parameter, vertex->layer->parameters, &model->parameter_count);
        fits = fits && add_arrays(vertex->layer->state, vertex->layer->states, &model->state_count);
        vertex->count = model->parameter_count - vertex->first;
    }
    if (!fits) return tl_fail(&model->error, TL_ERROR_SHAPE, "compile: the parameters are more than memory can address");
    return check_count(model) == TL_OK ? list_arrays(model) : model->error.status;
}

/* Sets pointers to the declared arrays, one after the other from `flat` on. */
static void bind_arrays(const tl_declared *declared, size_t count, tl_real *flat, tl_real *array[TL_MAX_PARAMETERS]) {
    for (size_t p = 0; p < count; p++) {
        array[p] = flat;
        flat += tl_aligned_count(tl_declared_count(&declared[p]));
    }
}

static void initialise_parameters(tl_model *model) {
    uint32_t index = 0;
    for (size_t i = 0; i < model->vertices; i++) {
        const tl_vertex *vertex = &model->vertex[i];
        const tl_layer *layer = vertex->layer;
        for (size_t p = 0; vertex->live && p < layer->parameters; p++)
            tl_initialise(vertex->parameter[p], &layer->parameter[p], model->seed, index++);
        for (size_t p = 0; vertex->live && p < layer->states; p++)
            tl_initialise(vertex->state[p], &layer->state[p], model->seed, index++);
    }
}

static tl_status bind_parameters(tl_model *model) {
    if (model->plan_only || allocate_parameters(model) != TL_OK) return model->error.status;
    for (size_t i = 0; i < model->vertices; i++) {
        tl_vertex *vertex = &model->vertex[i];
        const tl_layer *layer = vertex->layer;
        if (!vertex->live) continue;
        bind_arrays(layer->parameter, layer->parameters, model->parameters + vertex->first, vertex->parameter);
        bind_arrays(layer->state, layer->states, model->states + vertex->first_state, vertex->state);
        if (model->gradients) bind_arrays(layer->parameter, layer->parameters, model->gradients + vertex->first, vertex->gradient);
    }
    initialise_parameters(model);
    return TL_OK;
}

/* Allocates the lengths of the samples for every vertex. */
static tl_status allocate_lengths(tl_model *model) {
    if (model->plan_only) return TL_OK;
    model->lengths = calloc(model->vertices, model->batch * sizeof *model->lengths);
    if (!model->lengths) return tl_fail(&model->error, TL_ERROR_MEMORY, "compile: out of memory");
    for (size_t i = 0; i < model->vertices; i++) model->vertex[i].lengths = model->lengths + i * model->batch;
    tl_plan_blanks(model);
    return TL_OK;
}

/* ---- compile ---- */

/* Checks that an optimizer, which may be the user's, has all its functions. */
static tl_status check_optimizer(const tl_optimizer_ops *ops, tl_error *error) {
    if (!ops->name) return tl_fail(error, TL_ERROR_ARGUMENT, "compile: the optimizer's name is NULL");
    if (!ops->prepare || !ops->update)
        return tl_fail(error, TL_ERROR_ARGUMENT, "compile: optimizer \"%.40s\": its %s function is NULL", ops->name,
                       ops->prepare ? "update" : "prepare");
    if (ops->moments > TL_MAX_MOMENTS)
        return tl_fail(error, TL_ERROR_ARGUMENT, "compile: optimizer \"%.40s\": %zu moments exceed the limit of %d", ops->name,
                       ops->moments, TL_MAX_MOMENTS);
    return TL_OK;
}

static tl_status take_configuration(tl_model *model, const tl_compile_cfg *cfg) {
    model->batch = cfg->batch ? cfg->batch : 32;
    model->inference_only = cfg->inference_only;
    model->no_fold = cfg->no_fold_batch_norm;
    model->plan_only = cfg->plan_only;
    model->max_memory = cfg->max_memory ? cfg->max_memory : SIZE_MAX;
    model->input_gradient = cfg->input_gradient && !cfg->inference_only;
    model->clip_norm = cfg->clip_norm;
    model->clip_value = cfg->clip_value;
    model->optimizer = cfg->optimizer;
    if (!model->optimizer.ops) model->optimizer.ops = tl_adam();
    if (check_optimizer(model->optimizer.ops, &model->error) != TL_OK) return model->error.status;
    tl_check_number("compile: clip norm", cfg->clip_norm, 0, INFINITY, &model->error);
    tl_check_number("compile: clip value", cfg->clip_value, 0, INFINITY, &model->error);
    if (tl_loss_prepare(&model->loss, cfg, &model->error) != TL_OK) return model->error.status;
    return model->optimizer.ops->prepare(&model->optimizer, &model->error);
}

static tl_status weigh_classes(tl_model *model, const tl_compile_cfg *cfg) {
    return tl_loss_weigh(&model->loss, cfg->class_weights, model->vertex[model->output].layer->out.channels, &model->error);
}

tl_status tl_model_compile_sized(tl_model *model, tl_node output, const tl_compile_cfg *given, const tl_compile_sizes *sizes,
                                 tl_error *error) {
    const tl_part optimizer = {offsetof(tl_compile_cfg, optimizer), sizeof(tl_optimizer_cfg), sizes->optimizer};
    tl_compile_cfg cfg;
    if (tl_failed(error)) return error->status;
    if (model && model->compiled) return tl_fail(error, TL_ERROR_STATE, "compile: the model is already compiled");
    if (model) tl_take_parts(&cfg, sizeof cfg, given, sizes->cfg, &optimizer, 1, "compile", &model->error);
    if (model && !tl_failed(&model->error) && take_configuration(model, &cfg) == TL_OK && set_up_layers(model, output) == TL_OK &&
        weigh_classes(model, &cfg) == TL_OK && place_parameters(model) == TL_OK && check_last_layers(model) == TL_OK &&
        tl_place_packed(model) == TL_OK && tl_plan_arena(model) == TL_OK && bind_parameters(model) == TL_OK &&
        allocate_lengths(model) == TL_OK && tl_allocate_packed(model) == TL_OK) {
        tl_graph_mark(model);
        model->compiled = true;
        if (model->plan_only)
            tl_fail(&model->error, TL_ERROR_STATE, "the model was compiled with plan_only: it has no memory and cannot be run");
        return TL_OK;
    }
    return tl_report(model, error);
}
