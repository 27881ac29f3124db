/* Models that start from the parameters of a model file, with a new head if they learn another task. */
#include "base/argument.h"
#include "data/dataset.h"
#include "graph/graph.h"
#include "graph/loss.h"
#include "models/model.h"
#include "models/network.h"

#include <tapline/machine.h>

#include <string.h>

/* ---- the head ---- */

/* The settings for the number of outputs of a layer. */
static const char *const counts[] = {"units", "filters"};

/* Returns which of them a layer of this description has; NULL: none. */
static const char *count_of(const json_t *layer) {
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
        if (json_object_get(layer, counts[i])) return counts[i];
    return NULL;
}

static json_t *layer_named(const json_t *network, const char *name) {
    size_t index;
    json_t *layer;
    json_array_foreach(json_object_get(network, "layers"), index, layer) {
        const char *own = json_string_value(json_object_get(layer, "name"));
        if (own && name && strcmp(own, name) == 0) return layer;
    }
    return NULL;
}

/* Returns the layer that computes the outputs of a network in a file; NULL if it is not a single layer. */
static json_t *head_of(const json_t *network) {
    json_t *layer = layer_named(network, json_string_value(json_object_get(network, "output")));
    while (layer && !count_of(layer)) {
        const json_t *inputs = json_object_get(layer, "inputs");
        layer = json_array_size(inputs) == 1 ? layer_named(network, json_string_value(json_array_get(inputs, 0))) : NULL;
    }
    return layer;
}

static tl_status set_outputs(json_t *network, const char *path, size_t outputs, tl_error *error) {
    json_t *head = head_of(network);
    if (!head)
        return tl_fail(error, TL_ERROR_FORMAT,
                       "%.180s: no single layer computes the outputs, so that their number cannot be changed to %zu; describe the "
                       "network in a file",
                       path, outputs);
    if (json_object_set_new(head, count_of(head), json_integer((json_int_t)outputs)) == 0) return TL_OK;
    return tl_fail(error, TL_ERROR_MEMORY, "%.180s: out of memory", path);
}

tl_node tl_network_from_model(tl_model *model, tl_node x, const char *path, size_t outputs) {
    tl_node output = {.id = -1};
    tl_archive archive = {0};
    if (!model || !tl_given(path, "network: the path", &model->error)) return output;
    json_t *network = NULL;
    if (tl_model_open(&archive, path, "model", tl_memory_limit(), &model->error) == TL_OK)
        network = tl_archive_parse(&archive, "architecture", &model->error);
    if (network && outputs > 0) set_outputs(network, path, outputs, &model->error);
    if (network) output = tl_network_build(model, x, network, path, NULL);
    json_decref(network);
    tl_archive_release(&archive);
    return output;
}

/* ---- parameters ---- */

static bool has_count(const tl_layer *layer) {
    for (const tl_setting *setting = layer->ops->settings; setting && setting->name; setting++)
        for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
            if (strcmp(setting->name, counts[i]) == 0) return true;
    return false;
}

/* Returns the vertex of the layer that computes the model's outputs; that of the output if it is not a single layer. */
static size_t head_vertex(const tl_model *model) {
    size_t at = (size_t)model->output;
    while (!has_count(model->vertex[at].layer)) {
        if (model->vertex[at].layer->inputs != 1) return (size_t)model->output;
        at = (size_t)model->vertex[at].input[0];
    }
    return at;
}

/* Returns whether the classes of file and data have the same names in the same order; for values, whether their number is the
 * same. */
static bool same_outputs(const tl_archive *archive, const tl_model *model, const tl_dataset *data, tl_error *error) {
    json_t *names = tl_archive_parse(archive, "classes", error);
    const char *loss = tl_archive_get(archive, "loss", error);
    const json_t *name;
    size_t index;
    bool same = loss && tl_loss_takes_labels(tl_model_loss(model)) == (strcmp(loss, tl_loss_name(TL_LOSS_CROSS_ENTROPY)) == 0);
    if (same && data->classes > 0) same = json_array_size(names) == (data->class_names ? data->classes : 0);
    json_array_foreach(names, index, name) {
        if (same && data->classes > 0)
            same = strcmp(json_string_value(name) ? json_string_value(name) : "", data->class_names[index]) == 0;
    }
    json_decref(names);
    return same;
}

/* Returns whether the file has this array with another shape. */
static bool shape_differs(const tl_archive *archive, const tl_parameter *parameter) {
    for (size_t i = 0; i < archive->arrays; i++) {
        const tl_array *array = &archive->array[i];
        const size_t length = strlen(parameter->layer);
        if (strncmp(array->name, parameter->layer, length) != 0 || array->name[length] != '.' ||
            strcmp(array->name + length + 1, parameter->name) != 0)
            continue;
        return array->rank != parameter->value.rank ||
               memcmp(array->shape, parameter->value.shape, array->rank * sizeof *array->shape) != 0;
    }
    return false;
}

/* Arrays of the file for the layers from this vertex on are not needed any more. */
static void leave_out(tl_archive *archive, const tl_parameter *parameter) {
    const size_t length = strlen(parameter->layer);
    for (size_t i = 0; i < archive->arrays; i++)
        if (strncmp(archive->array[i].name, parameter->layer, length) == 0 && archive->array[i].name[length] == '.')
            archive->array[i].taken = true;
}

/* Copies the arrays of all layers; without those from the head on, if the head is new. */
static tl_status take_arrays(tl_archive *archive, tl_model *model, size_t head, bool anew, tl_error *error) {
    for (size_t i = 0; i < tl_parameter_arrays(model) && !tl_failed(error); i++) {
        tl_parameter parameter = tl_array_at(model, i);
        if (anew && parameter.node.id >= (int)head)
            leave_out(archive, &parameter);
        else
            tl_archive_take(archive, "", parameter.layer, parameter.name, &parameter.value, error);
    }
    tl_arrays_written(model);
    return tl_archive_end(archive, error);
}

static bool head_differs(const tl_archive *archive, const tl_model *model, size_t head) {
    for (size_t i = 0; i < tl_parameter_arrays(model); i++) {
        const tl_parameter parameter = tl_array_at(model, i);
        if (parameter.node.id == (int)head && shape_differs(archive, &parameter)) return true;
    }
    return false;
}

static void freeze_rest(tl_model *model, size_t head) {
    for (size_t i = 0; i < tl_parameter_arrays(model); i++)
        if (tl_array_at(model, i).node.id < (int)head) tl_freeze(model, tl_array_at(model, i).node);
}

tl_status tl_model_start_from_sized(tl_model *model, const char *path, const tl_start_cfg *given, size_t size, bool *new_head,
                                    tl_error *error) {
    tl_start_cfg cfg;
    tl_error own = {0};
    tl_archive archive = {0};
    if (!error) error = &own;
    if (new_head) *new_head = false;
    if (tl_model_check(model, "start", error) != TL_OK) return error->status;
    tl_take(&cfg, sizeof cfg, given, size, "start", error);
    if (tl_model_open(&archive, path, "model", tl_memory_limit(), error) == TL_OK) {
        const size_t head = head_vertex(model);
        const bool anew = head_differs(&archive, model, head) || (cfg.data && !same_outputs(&archive, model, cfg.data, error));
        take_arrays(&archive, model, head, anew, error);
        if (!anew) tl_model_take_targets(&archive, model, error);
        tl_model_finite(model, path, error);
        if (cfg.freeze && !tl_failed(error)) freeze_rest(model, head);
        if (new_head) *new_head = anew;
    }
    tl_archive_release(&archive);
    return error->status;
}
