/* Networks to JSON and from JSON: layers by their names in the registry, settings by their keys. */
#include "models/network.h"

#include "base/argument.h"
#include "base/setting.h"
#include "base/synonym.h"
#include "graph/graph.h"
#include "io/json.h"
#include "io/text.h"
#include "layers/registry.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- reading ---- */

typedef struct reader {
    tl_model *model;
    const tl_architecture_cfg *cfg;
    json_t *nodes; /* name → id */
    tl_node input, last;
    const char *file;
    char where[80]; /* "layers[2] (conv1d)", for messages */
} reader;

static bool complain(reader *self, const char *format, ...) TL_PRINTF(2, 3);
static bool complain(reader *self, const char *format, ...) {
    char text[sizeof self->model->error.text];
    va_list values;
    va_start(values, format);
    vsnprintf(text, sizeof text, format, values);
    va_end(values);
    tl_fail(&self->model->error, TL_ERROR_FORMAT, "%.120s: %s%s%s", self->file, self->where, *self->where ? ": " : "", text);
    return false;
}

static bool out_of_memory(reader *self) {
    tl_fail(&self->model->error, TL_ERROR_MEMORY, "%.120s: out of memory", self->file);
    return false;
}

static const char *kind_name_at(const void *context, size_t index) {
    (void)context;
    return tl_layer_registry[index] ? tl_layer_registry[index]->name : NULL;
}

static bool complain_type(reader *self, const char *type) {
    char list[420] = "";
    const char *close = tl_synonym_layer(type, kind_name_at, NULL);
    if (!close) close = tl_suggest(type, kind_name_at, NULL);
    for (size_t i = 1, used = 0; tl_layer_registry[i] && used < sizeof list; i++) /* after the input */
        used += (size_t)snprintf(list + used, sizeof list - used, "%s%s", i == 1 ? "" : ", ", tl_layer_registry[i]->name);
    return close ? complain(self, "type \"%.40s\" is unknown; did you mean \"%s\"? Types: %s", type, close, list)
                 : complain(self, "type \"%.40s\" is unknown; types: %s", type, list);
}

/* The caller's own layers are searched first. */
static const tl_layer_ops *find_kind(const reader *self, const char *type) {
    for (const tl_layer_ops *const *own = self->cfg->layers; own && *own; own++)
        if (strcmp((*own)->name, type) == 0) return *own;
    return tl_layer_ops_by_name(type);
}

static const tl_layer_ops *read_kind(reader *self, const json_t *entry) {
    const char *type = json_string_value(json_object_get(entry, "type"));
    if (!type) {
        complain(self, "needs a \"type\", such as \"conv1d\"");
        return NULL;
    }
    const tl_layer_ops *ops = find_kind(self, type);
    if (ops == &tl_input_layer_ops)
        complain(self, "type \"input\" belongs outside of \"layers\"");
    else if (!ops)
        complain_type(self, type);
    return ops == &tl_input_layer_ops ? NULL : ops;
}

/* "input" and the names so far. */
static const char *node_name_at(const void *context, size_t index) {
    json_t *nodes = ((const reader *)context)->nodes;
    void *at = json_object_iter(nodes);
    for (size_t i = 1; at && i < index; i++) at = json_object_iter_next(nodes, at);
    return index == 0 ? "input" : at ? json_object_iter_key(at) : NULL;
}

static bool complain_name(reader *self, const char *key, const char *text) {
    const char *close = tl_suggest(text, node_name_at, self);
    return close ? complain(self, "%s \"%.40s\" is not the \"name\" of an earlier layer; did you mean \"%.40s\"?", key, text, close)
                 : complain(self, "%s \"%.40s\" is not the \"name\" of an earlier layer", key, text);
}

/* Finds the layer with the name under this key. */
static bool read_reference(reader *self, const char *key, const json_t *name, tl_node *node) {
    const char *text = json_string_value(name);
    if (!text) return complain(self, "\"%s\" should name a layer in quotes", key);
    const json_t *id = json_object_get(self->nodes, text);
    if (strcmp(text, "-") == 0)
        *node = self->last;
    else if (strcmp(text, "input") == 0)
        *node = self->input;
    else if (id)
        *node = (tl_node){.id = (int)json_integer_value(id)};
    else
        return complain_name(self, key, text);
    return true;
}

/* The layer before, if no inputs are named. */
static bool read_inputs(reader *self, const json_t *entry, const tl_layer_ops *ops, tl_node nodes[TL_MAX_INPUTS], size_t *count) {
    const json_t *names = json_object_get(entry, "inputs");
    nodes[0] = self->last;
    *count = names ? json_array_size(names) : 1;
    if (names && !json_is_array(names)) return complain(self, "\"inputs\" should be a list of names of layers");
    if (!ops->multiple_inputs && *count != 1) return complain(self, "has %zu inputs; it takes 1", *count);
    if (ops->multiple_inputs && (*count < 2 || *count > TL_MAX_INPUTS))
        return complain(self, "has %zu inputs; it takes 2 to %d", *count, TL_MAX_INPUTS);
    for (size_t i = 0; names && i < *count; i++)
        if (!read_reference(self, "inputs", json_array_get(names, i), &nodes[i])) return false;
    return true;
}

static bool read_settings(reader *self, json_t *entry, tl_layer *layer) {
    static const char *const own[] = {"type", "name", "inputs"};
    const char *key;
    json_t *value;
    json_object_foreach(entry, key, value) {
        tl_error error = {0};
        bool mine = false;
        for (size_t i = 0; i < sizeof own / sizeof *own; i++) mine = mine || strcmp(key, own[i]) == 0;
        if (mine) continue;
        tl_setting_set(layer->ops->settings, layer, key, value, self->cfg->outputs, &error);
        if (tl_failed(&error)) return complain(self, "%s", error.text);
    }
    return true;
}

static bool keep_name(reader *self, const json_t *entry) {
    const json_t *name = json_object_get(entry, "name");
    if (!name) return true;
    const char *text = json_string_value(name);
    if (!text || !*text) return complain(self, "\"name\" should be a word");
    if (strcmp(text, "input") == 0 || strcmp(text, "-") == 0 || json_object_get(self->nodes, text))
        return complain(self, "name \"%.40s\" is already used", text);
    return json_object_set_new(self->nodes, text, json_integer(self->last.id)) == 0 || out_of_memory(self);
}

static bool read_layer(reader *self, size_t index, json_t *entry) {
    tl_node inputs[TL_MAX_INPUTS];
    size_t count;
    snprintf(self->where, sizeof self->where, "layers[%zu]", index);
    if (!json_is_object(entry)) return complain(self, "should be an object in braces");
    const tl_layer_ops *ops = read_kind(self, entry);
    if (!ops) return false;
    snprintf(self->where, sizeof self->where, "layers[%zu] (%.40s)", index, ops->name);
    if (!read_inputs(self, entry, ops, inputs, &count)) return false;
    tl_layer *layer = calloc(1, ops->size);
    if (!layer) return out_of_memory(self);
    layer->ops = ops;
    const bool set = read_settings(self, entry, layer);
    if (set) self->last = tl_layer_add(self->model, inputs, count, layer);
    free(layer);
    return set && self->last.id >= 0 && keep_name(self, entry);
}

static bool check_keys(reader *self, json_t *root) {
    static const char *const known[] = {"description", "input", "layers", "output"};
    const char *key;
    json_t *value;
    json_object_foreach(root, key, value) {
        size_t i = 0;
        while (i < sizeof known / sizeof *known && strcmp(key, known[i]) != 0) i++;
        if (i == sizeof known / sizeof *known)
            return complain(self, "key \"%.40s\" is none of description, input, layers, output", key);
    }
    const json_t *description = json_object_get(root, "description");
    if (description && !json_is_string(description)) return complain(self, "\"description\" should be a text");
    if (json_object_get(root, "input")) tl_network_input(root, self->file, &self->model->error);
    return !tl_failed(&self->model->error);
}

static bool read_network(reader *self, json_t *root) {
    const json_t *layers = json_object_get(root, "layers"), *output = json_object_get(root, "output");
    if (!json_is_object(root)) return complain(self, "should be an object in braces with \"layers\"");
    if (!check_keys(self, root)) return false;
    if (!json_is_array(layers) || json_array_size(layers) == 0)
        return complain(self, "\"layers\" should be a list of at least one layer");
    if (json_array_size(layers) > TL_MAX_LAYERS)
        return complain(self, "has %zu layers; the limit is %d", json_array_size(layers), TL_MAX_LAYERS);
    for (size_t i = 0; i < json_array_size(layers); i++)
        if (!read_layer(self, i, json_array_get(layers, i))) return false;
    *self->where = '\0';
    return !output || read_reference(self, "output", output, &self->last);
}

tl_node tl_network_build(tl_model *model, tl_node x, json_t *root, const char *file, const tl_architecture_cfg *cfg) {
    const tl_node failed = {.id = -1};
    const tl_architecture_cfg defaults = {0};
    if (!model || tl_failed(&model->error)) return failed;
    reader self = {.model = model, .cfg = cfg ? cfg : &defaults, .nodes = json_object(), .input = x, .last = x, .file = file};
    const bool done = self.nodes ? read_network(&self, root) : out_of_memory(&self);
    json_decref(self.nodes);
    return done ? self.last : failed;
}

tl_shape tl_network_input(const json_t *root, const char *file, tl_error *error) {
    const json_t *input = json_object_get(root, "input");
    const json_int_t length = json_integer_value(json_object_get(input, "length")),
                     channels = json_integer_value(json_object_get(input, "channels"));
    if (length < 1 || channels < 1)
        tl_fail(error, TL_ERROR_FORMAT, "%.120s: \"input\" should give \"length\" and \"channels\", both above 0", file);
    return length < 1 || channels < 1 ? (tl_shape){0} : (tl_shape){.length = (size_t)length, .channels = (size_t)channels};
}

/* ---- text ---- */

tl_node tl_architecture_from_json_sized(tl_model *model, tl_node x, const char *text, const tl_architecture_cfg *cfg, size_t size) {
    tl_architecture_cfg own;
    if (!model || !tl_given(text, "architecture: the text", &model->error)) return (tl_node){.id = -1};
    tl_take(&own, sizeof own, cfg, size, "architecture", &model->error);
    json_t *root = tl_json_parse(text, strlen(text), "architecture", &model->error);
    const tl_node output = tl_network_build(model, x, root, "architecture", &own);
    json_decref(root);
    return output;
}

tl_node tl_architecture_from_file_sized(tl_model *model, tl_node x, const char *path, const tl_architecture_cfg *cfg, size_t size) {
    tl_architecture_cfg own;
    if (!model || !tl_given(path, "architecture: the path", &model->error)) return (tl_node){.id = -1};
    tl_text text;
    json_t *root = NULL;
    tl_take(&own, sizeof own, cfg, size, "architecture", &model->error);
    if (tl_text_read(&text, path, &model->error) == TL_OK)
        root = tl_json_parse(text.start, (size_t)(text.end - text.start), path, &model->error);
    const tl_node output = tl_network_build(model, x, root, path, &own);
    json_decref(root);
    tl_text_release(&text);
    return output;
}

char *tl_architecture_to_json(const tl_model *model, tl_error *error) {
    if (tl_failed(error)) return NULL;
    if (!model || !model->compiled) {
        tl_fail(error, TL_ERROR_STATE, "architecture: the model is not compiled");
        return NULL;
    }
    json_t *root = tl_network_describe(model);
    char *text = tl_json_text(root, JSON_INDENT(2));
    json_decref(root);
    if (!text) tl_fail(error, TL_ERROR_MEMORY, "architecture: out of memory");
    return text;
}

/* ---- writing ---- */

static json_t *describe_inputs(const tl_model *model, const tl_vertex *vertex) {
    json_t *inputs = json_array();
    bool whole = inputs != NULL;
    for (size_t e = 0; whole && e < vertex->layer->inputs; e++) {
        const int before = vertex->input[e];
        whole = json_array_append_new(inputs, json_string(before == model->input ? "input" : model->vertex[before].name)) == 0;
    }
    if (whole) return inputs;
    json_decref(inputs);
    return NULL;
}

static json_t *describe_layer(const tl_model *model, const tl_vertex *vertex) {
    json_t *layer = json_pack("{s:s, s:s, s:o}", "type", vertex->layer->ops->name, "name", vertex->name, "inputs",
                              describe_inputs(model, vertex));
    if (layer && tl_settings_put(vertex->layer->ops->settings, vertex->layer, layer)) return layer;
    json_decref(layer);
    return NULL;
}

json_t *tl_network_describe(const tl_model *model) {
    const tl_shape in = tl_input_shape(model);
    json_t *layers = json_array();
    bool whole = layers != NULL;
    for (size_t i = 0; whole && i < model->vertices; i++)
        if (model->vertex[i].live && (int)i != model->input)
            whole = json_array_append_new(layers, describe_layer(model, &model->vertex[i])) == 0;
    if (whole)
        return json_pack("{s:{s:I, s:I}, s:o, s:s}", "input", "length", (json_int_t)in.length, "channels", (json_int_t)in.channels,
                         "layers", layers, "output", model->vertex[model->output].name);
    json_decref(layers);
    return NULL;
}
