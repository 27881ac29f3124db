/* Reads ONNX files as models (import.h). */
#include "onnx/import.h"

#include "base/argument.h"
#include "base/memory.h"
#include "base/scaling.h"
#include "data/classes.h"
#include "graph/graph.h"
#include "io/json.h"
#include "models/model.h"
#include "models/network.h"
#include "models/reading.h"
#include "onnx/onnx.h"

#include <tapline/machine.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_VALUES = 1 << 18 };

/* ---- values ---- */

/* Adds a value. Names are unique in a graph. Sets the error and returns NULL on failure. */
static tl_import_value *add_value(tl_import *self, const char *name, size_t maker, tl_error *error) {
    if (json_object_get(self->index, name)) {
        tl_fail(error, TL_ERROR_FORMAT, "%.180s: two values are called \"%.60s\"", self->file->path, name);
        return NULL;
    }
    tl_import_value *value = &self->value[self->values];
    if (json_object_set_new(self->index, name, json_integer((json_int_t)self->values)) != 0) {
        tl_fail(error, TL_ERROR_FORMAT, "%.180s: the name of a value is not UTF-8, or memory is short", self->file->path);
        return NULL;
    }
    self->values++;
    *value = (tl_import_value){.name = name, .maker = maker};
    return value;
}

static void add_initializers(tl_import *self, tl_error *error) {
    for (size_t i = 0; i < self->file->initializers && !tl_failed(error); i++) {
        const tl_onnx_initializer *initializer = &self->file->initializer[i];
        tl_import_value *value = *initializer->name ? add_value(self, initializer->name, SIZE_MAX, error) : NULL;
        if (!value) continue;
        value->kind = initializer->constant.value ? TL_IMPORT_CONSTANT : TL_IMPORT_REFUSED;
        value->constant = initializer->constant;
        value->culprit = SIZE_MAX;
        if (value->kind == TL_IMPORT_REFUSED)
            snprintf(value->reason, sizeof value->reason, "tensor %.60s has elements of a type that is not read",
                     initializer->name);
    }
}

static void add_results(tl_import *self, tl_error *error) {
    for (size_t i = 0; i < self->file->operations && !tl_failed(error); i++) {
        const tl_onnx_span outputs = self->file->operation[i].outputs;
        for (size_t o = 0; o < outputs.count && !tl_failed(error); o++) {
            const char *name = self->file->name[outputs.first + o];
            if (*name) add_value(self, name, i, error);
        }
    }
}

static void count_readers(tl_import *self) {
    for (size_t i = 0; i < self->file->operations; i++) {
        const tl_onnx_span inputs = self->file->operation[i].inputs;
        for (size_t e = 0; e < inputs.count; e++) {
            tl_import_value *value = tl_import_value_of(self, self->file->name[inputs.first + e]);
            if (value) value->readers++;
        }
    }
    tl_import_value *output = tl_import_value_of(self, self->file->output[0].name);
    if (output) output->readers++;
}

/* ---- operations ---- */

static bool fold_operands(tl_import *self, const tl_onnx_operation *operation, tl_onnx_fold *fold) {
    int64_t list[2 * TL_ONNX_RANK];
    *fold = (tl_onnx_fold){.type = operation->type, .operands = operation->inputs.count};
    if (fold->operands == 0 || fold->operands > 5) return false;
    for (size_t e = 0; e < fold->operands; e++) {
        fold->operand[e] = tl_import_constant(self, e);
        if (!fold->operand[e] && *self->file->name[operation->inputs.first + e]) return false;
    }
    const char *names[] = {"axes", "perm"};
    for (size_t n = 0; n < 2 && fold->axes_count == 0; n++) {
        fold->axes_count = tl_import_list(self, names[n], list);
        if (fold->axes_count > TL_ONNX_RANK) return false;
        for (size_t i = 0; i < fold->axes_count; i++) fold->axes[i] = list[i];
    }
    if (tl_onnx_find(self->file, operation, "axis")) fold->axes[0] = tl_import_int(self, "axis", 0), fold->axes_count = 1;
    const tl_onnx_setting *filler = tl_onnx_find(self->file, operation, "value");
    const int64_t type = tl_import_int(self, "to", 0);
    fold->keep = tl_import_int(self, "keepdims", 1) != 0;
    fold->to_integers = type == TL_ONNX_INT32 || type == TL_ONNX_INT64;
    fold->filler = filler && filler->tensor.value ? &filler->tensor : NULL;
    return true;
}

/* The operator Concat on constants. */
static bool join_constants(tl_import *self, const tl_onnx_operation *operation) {
    const size_t count = operation->inputs.count;
    const tl_onnx_constant **parts = calloc(count + 1, sizeof *parts);
    tl_onnx_constant result;
    bool all = parts && count > 0;
    for (size_t e = 0; all && e < count; e++) all = (parts[e] = tl_import_constant(self, e)) != NULL;
    const bool done = all && tl_onnx_join_constants(&self->file->pool, parts, count, tl_import_int(self, "axis", 0), &result);
    free(parts);
    return done && tl_import_give_constant(self, &result);
}

/* The operator Constant. */
static bool take_constant(tl_import *self, const tl_onnx_operation *operation) {
    const tl_onnx_setting *value = tl_onnx_find(self->file, operation, "value"),
                          *number = tl_onnx_find(self->file, operation, "value_float"),
                          *whole = tl_onnx_find(self->file, operation, "value_int"),
                          *list = tl_onnx_find(self->file, operation, "value_ints");
    tl_onnx_constant constant;
    if (value && value->tensor.value) return tl_import_give_constant(self, &value->tensor);
    if (!tl_onnx_constant_new(&self->file->pool, list ? 1 : 0, list ? &list->wholes.count : NULL, SIZE_MAX, &constant))
        return false;
    constant.whole = !number;
    if (number) constant.value[0] = (double)number->number;
    if (whole) constant.value[0] = (double)whole->whole;
    for (size_t i = 0; list && i < list->wholes.count; i++) constant.value[i] = (double)self->file->whole[list->wholes.first + i];
    return (number || whole || list) ? tl_import_give_constant(self, &constant)
                                     : tl_import_refuse(self, "it is a constant of an unknown kind");
}

/* Returns an input that was refused; NULL if there is none. Refuses the operation if an input does not exist. */
static const tl_import_value *refused_input(tl_import *self, const tl_onnx_operation *operation) {
    for (size_t e = 0; e < operation->inputs.count; e++) {
        const char *name = self->file->name[operation->inputs.first + e];
        const tl_import_value *value = tl_import_input(self, e);
        if (!*name) continue;
        if (!value || value->kind == TL_IMPORT_NOTHING) {
            tl_import_refuse(self, "its input %.60s is not the output of an earlier node", name);
            return NULL;
        }
        if (value->kind == TL_IMPORT_REFUSED) return value;
    }
    return NULL;
}

static bool is_standard(const tl_onnx_operation *operation) {
    return !*operation->domain || strcmp(operation->domain, "ai.onnx") == 0;
}

static bool take_operation(tl_import *self, const tl_onnx_operation *operation) {
    tl_onnx_fold fold;
    tl_onnx_constant folded;
    const tl_import_operator *known = is_standard(operation) ? tl_import_operator_of(operation->type) : NULL;
    if (is_standard(operation) && strcmp(operation->type, "Constant") == 0) return take_constant(self, operation);
    if (*self->reason) return false;
    if (is_standard(operation) && fold_operands(self, operation, &fold) &&
        tl_onnx_fold_constants(&self->file->pool, &fold, &folded))
        return tl_import_give_constant(self, &folded);
    if (tl_onnx_pool_exhausted(&self->file->pool))
        return tl_import_refuse(self, "the constants of the file need more computation than max_memory allows");
    if (is_standard(operation) && strcmp(operation->type, "Concat") == 0 && join_constants(self, operation)) return true;
    return known ? known->take(self) : tl_import_refuse(self, "this operator has no counterpart");
}

/* Whether the operator can be read. For an operator that cannot, this is the reason, and not its inputs. */
static bool is_known(const tl_onnx_operation *operation) {
    const bool shape = strcmp(operation->type, "ConstantOfShape") == 0;
    return shape || (is_standard(operation) && tl_import_operator_of(operation->type));
}

/* Refuses all results that were not set. */
static void refuse_results(tl_import *self, const tl_onnx_operation *operation, const char *reason, size_t culprit) {
    for (size_t o = 0; o < operation->outputs.count; o++) {
        tl_import_value *value = tl_import_value_of(self, self->file->name[operation->outputs.first + o]);
        if (!value || value->kind != TL_IMPORT_NOTHING) continue;
        value->kind = TL_IMPORT_REFUSED;
        value->culprit = culprit;
        snprintf(value->reason, sizeof value->reason, "%s", reason);
    }
}

static void import_operation(tl_import *self, size_t index) {
    const tl_onnx_operation *operation = &self->file->operation[index];
    self->operation = index;
    *self->reason = '\0';
    if (is_standard(operation) && tl_import_match(self)) return;
    const tl_import_value *refused = refused_input(self, operation);
    if (refused && is_known(operation)) {
        refuse_results(self, operation, refused->reason, refused->culprit);
        return;
    }
    if (refused)
        tl_import_refuse(self, "this operator has no counterpart");
    else if (!take_operation(self, operation))
        tl_import_refuse(self, "it cannot be read");
    refuse_results(self, operation, *self->reason ? self->reason : "this result has no counterpart", index);
}

/* ---- one reading of the graph ---- */

static void release_layers(tl_import *self) {
    for (size_t i = 0; i < self->layers; i++) json_decref(self->layer[i].entry);
    free(self->layer);
    free(self->value);
    json_decref(self->index);
    *self = (tl_import){.file = self->file};
}

/* Adds the values; the input has these axes. */
static tl_status prepare(tl_import *self, const tl_onnx_port *input, const char *axes, tl_shape shape, tl_error *error) {
    size_t values = self->file->initializers + 1;
    for (size_t i = 0; i < self->file->operations; i++) values += self->file->operation[i].outputs.count;
    if (values > MAX_VALUES)
        return tl_fail(error, TL_ERROR_FORMAT, "%.180s: has more than %d values", self->file->path, MAX_VALUES);
    self->value = calloc(values, sizeof *self->value);
    self->layer = calloc(1, sizeof *self->layer);
    self->index = json_object();
    if (!self->value || !self->layer || !self->index) return tl_onnx_out_of_memory(self->file, error);
    self->layers = 1;
    self->layer[0] = (tl_import_layer){.length = shape.length, .channels = shape.channels};
    tl_import_value *first = add_value(self, input->name, SIZE_MAX, error);
    if (!first) return error->status;
    first->kind = TL_IMPORT_LAYER;
    first->length = shape.length;
    first->channels = shape.channels;
    memcpy(first->axes, axes, strlen(axes) + 1);
    add_initializers(self, error);
    add_results(self, error);
    count_readers(self);
    return tl_failed(error) ? error->status : TL_OK;
}

static bool lacks_memory(const tl_import *self) { return self->short_of_memory || self->file->pool.full; }

/* Whether the output of the graph is a possible output of a network. */
static tl_status check_output(tl_import *self, size_t *progress, tl_error *error) {
    const tl_import_value *output = tl_import_value_of(self, self->file->output[0].name);
    const char *path = self->file->path;
    *progress = self->file->operations;
    if (lacks_memory(self)) return tl_onnx_out_of_memory(self->file, error);
    if (!output || output->kind == TL_IMPORT_NOTHING || output->kind == TL_IMPORT_CONSTANT)
        return tl_fail(error, TL_ERROR_FORMAT, "%.180s: its output \"%.60s\" does not depend on its input", path,
                       self->file->output[0].name);
    if (output->kind == TL_IMPORT_REFUSED && output->culprit == SIZE_MAX)
        return tl_fail(error, TL_ERROR_FORMAT, "%.180s: %s", path, output->reason);
    if (output->kind == TL_IMPORT_REFUSED) {
        const tl_onnx_operation *blamed = &self->file->operation[output->culprit];
        *progress = output->culprit;
        return tl_fail(error, TL_ERROR_FORMAT, "%.180s: node %zu (%.40s \"%.60s\"): %s; docs/onnx.md lists the operators", path,
                       output->culprit, blamed->type, blamed->name, output->reason);
    }
    if (output->flat_length > 0 || output->pad_left + output->pad_right > 0 || strpbrk(output->axes, "GWRB") ||
        output->axes[0] != TL_AXIS_BATCH)
        return tl_fail(error, TL_ERROR_FORMAT, "%.180s: the axes of its output are not (batch, channels, length) in another order",
                       path);
    return TL_OK;
}

/* *progress [OUT]: the last operation that was read, to compare several attempts. */
static tl_status read_as(tl_import *self, const tl_onnx_port *input, const char *axes, tl_shape shape, size_t *progress,
                         tl_error *error) {
    *progress = 0;
    if (prepare(self, input, axes, shape, error) != TL_OK) return error->status;
    for (size_t i = 0; i < self->file->operations && !lacks_memory(self); i++) import_operation(self, i);
    return check_output(self, progress, error);
}

/* ---- the meaning of axes ---- */

/* The names of all initializers, as the keys of an object; NULL if memory is short. */
static json_t *list_initializers(const tl_onnx_file *file) {
    json_t *names = json_object();
    bool complete = names != NULL;
    for (size_t i = 0; complete && i < file->initializers; i++)
        complete = json_object_set_new_nocheck(names, file->initializer[i].name, json_true()) == 0;
    if (complete) return names;
    json_decref(names);
    return NULL;
}

/* Returns the only input that is not a constant. Sets the error and returns NULL if there are several. */
static const tl_onnx_port *find_input(const tl_onnx_file *file, tl_error *error) {
    const tl_onnx_port *found = NULL;
    size_t count = 0;
    json_t *constants = list_initializers(file);
    if (!constants) {
        tl_onnx_out_of_memory(file, error);
        return NULL;
    }
    for (size_t i = 0; i < file->inputs; i++)
        if (!json_object_get(constants, file->input[i].name)) found = &file->input[i], count++;
    json_decref(constants);
    if (count == 1 && file->outputs == 1) return found;
    tl_fail(error, TL_ERROR_FORMAT, "%.180s: has %zu inputs and %zu outputs; a network has one of each", file->path, count,
            file->outputs);
    return NULL;
}

/* The length and channels that the caller gives; 0: unknown. */
static tl_shape known_shape(const tl_onnx_file *file, const tl_onnx_import_cfg *cfg) {
    tl_shape shape = {.length = cfg->length};
    tl_error none = {0};
    const char *text = tl_onnx_metadata(file, "architecture");
    json_t *network = text ? tl_json_parse(text, strlen(text), "architecture", &none) : NULL;
    if (network) shape = tl_network_input(network, "architecture", &none);
    json_decref(network);
    if (cfg->length) shape.length = cfg->length;
    if (cfg->data) shape = (tl_shape){.length = cfg->data->x.shape[1], .channels = cfg->data->x.shape[2]};
    return shape;
}

/* The shape of series with these axes; false if the input cannot have them. */
static bool shape_as(const tl_onnx_port *input, const char *axes, tl_shape known, tl_shape *shape) {
    *shape = (tl_shape){.length = 0, .channels = strchr(axes, TL_AXIS_CHANNELS) ? 0 : 1};
    for (size_t i = 1; axes[i]; i++) {
        const int64_t dim = input->has_shape ? input->dims[i] : -1;
        const size_t size = dim > 0 ? (size_t)dim : 0;
        if (axes[i] == TL_AXIS_ONE && size != 1) return false;
        if (axes[i] == TL_AXIS_LENGTH) shape->length = size ? size : known.length;
        if (axes[i] == TL_AXIS_CHANNELS) shape->channels = size ? size : known.channels;
    }
    if (known.channels > 0 && shape->channels != known.channels) return false;
    if (known.channels > 0 && known.length > 0 && shape->length != known.length) return false;
    return true;
}

typedef struct candidate {
    const char *axes;
    tl_shape shape;
} candidate;

/* The possible axes of the input; the longest series first. */
static size_t list_candidates(const tl_onnx_port *input, tl_shape known, candidate list[4]) {
    static const char *const all[] = {"NL", "NCL", "NLC", "NC1L", "NCL1", "N1LC", "NL1C"};
    const size_t rank = input->has_shape ? input->rank : 3;
    size_t count = 0;
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        candidate next = {.axes = all[i]};
        if (strlen(all[i]) != rank || !shape_as(input, all[i], known, &next.shape)) continue;
        const bool known_here = next.shape.channels > 0, known_there = count > 0 && list[0].shape.channels > 0;
        const bool first =
            count > 0 && known_here >= known_there && (known_here > known_there || next.shape.length > list[0].shape.length);
        if (first) memmove(list + 1, list, count * sizeof *list);
        list[first ? 0 : count] = next;
        count++;
    }
    return count;
}

/* Reports which part of the shape of series is unknown. */
static tl_status check_shape(const tl_onnx_file *file, tl_shape shape, tl_error *error) {
    if (shape.length > 0 && shape.channels > 0) return TL_OK;
    return tl_fail(error, TL_ERROR_ARGUMENT, "%.180s: takes series of any %s; say which: by data, or --length (tl_onnx_import_cfg)",
                   file->path, shape.length == 0 ? "length" : "number of channels");
}

/* Tries all possible axes of the input, and reads the graph. */
static tl_status read_graph(tl_import *self, const tl_onnx_import_cfg *cfg, tl_error *error) {
    candidate list[4];
    tl_error best = {0};
    size_t furthest = 0;
    const size_t blocks = self->file->pool.blocks;
    const tl_onnx_port *input = find_input(self->file, error);
    if (!input) return error->status;
    const size_t count = list_candidates(input, known_shape(self->file, cfg), list);
    if (count == 0)
        return tl_fail(error, TL_ERROR_SHAPE, "%.180s: its input of %zu axes does not have the shape of the series",
                       self->file->path, input->rank);
    for (size_t i = 0; i < count; i++) {
        tl_error wrong = {0};
        size_t progress = 0;
        if (check_shape(self->file, list[i].shape, &wrong) == TL_OK &&
            read_as(self, input, list[i].axes, list[i].shape, &progress, &wrong) == TL_OK)
            return TL_OK;
        if (!tl_failed(&best) || progress > furthest) best = wrong, furthest = progress;
        release_layers(self);
        tl_onnx_pool_shrink(&self->file->pool, blocks);
    }
    return tl_fail(error, best.status, "%s", best.text);
}

/* ---- the loss ---- */

static const char *type_of(const tl_import *self, size_t layer) {
    const char *type = json_string_value(json_object_get(self->layer[layer].entry, "type"));
    return type ? type : "";
}

/* The loss of the configuration; else of the file, or of the last operation; else of the data. */
static tl_status find_loss(const tl_import *self, const tl_onnx_import_cfg *cfg, size_t output, tl_loss_kind *loss,
                           tl_error *error) {
    const char *stored = tl_onnx_metadata(self->file, "loss"), *last = type_of(self, output);
    tl_error unknown = {0};
    if (cfg->loss) return tl_loss_by_name(cfg->loss, loss, error);
    if (stored && strcmp(stored, tl_loss_name(TL_LOSS_OWN)) != 0 && tl_loss_by_name(stored, loss, &unknown) == TL_OK) return TL_OK;
    *loss = strcmp(last, "softmax") == 0     ? TL_LOSS_CROSS_ENTROPY
            : strcmp(last, "sigmoid") == 0   ? TL_LOSS_BINARY_CROSS_ENTROPY
            : cfg->data && cfg->data->labels ? TL_LOSS_CROSS_ENTROPY
                                             : TL_LOSS_SQUARED_ERROR;
    return TL_OK;
}

/* Cross-entropies use logits: the last softmax or sigmoid is part of the loss. */
static size_t without_probabilities(const tl_import *self, size_t output, tl_loss_kind loss) {
    const char *last = type_of(self, output);
    const bool part = (loss == TL_LOSS_CROSS_ENTROPY && strcmp(last, "softmax") == 0) ||
                      (loss == TL_LOSS_BINARY_CROSS_ENTROPY && strcmp(last, "sigmoid") == 0);
    return part ? self->layer[output].input[0] : output;
}

/* ---- the model ---- */

/* Collects the layers that the output depends on as entries of an architecture. place: (layers) [OUT] their nodes; 0: none. */
static json_t *describe(const tl_import *self, size_t output, size_t *place) {
    json_t *list = json_array(), *last = json_object_get(self->layer[output].entry, "name");
    bool whole = list != NULL;
    place[output] = 1;
    for (size_t i = output; i > 0; i--)
        for (size_t e = 0; place[i] && e < self->layer[i].inputs; e++) place[self->layer[i].input[e]] = 1;
    for (size_t i = 1, node = 0; whole && i <= output; i++) {
        if (!place[i]) continue;
        place[i] = ++node;
        whole = json_array_append(list, self->layer[i].entry) == 0;
    }
    if (whole) return json_pack("{s:o, s:O}", "layers", list, "output", last);
    json_decref(list);
    return NULL;
}

static tl_status give_arrays(const tl_import *self, tl_model *model, const size_t *place, size_t output, tl_error *error) {
    for (size_t i = 0; i < tl_parameter_arrays(model); i++) {
        const tl_parameter parameter = tl_array_at(model, i);
        const tl_import_array *array = NULL;
        for (size_t l = 1; l <= output; l++)
            for (size_t k = 0; place[l] == (size_t)parameter.node.id && k < self->layer[l].arrays; k++)
                if (strcmp(self->layer[l].array[k].name, parameter.name) == 0) array = &self->layer[l].array[k];
        if (!array || array->count != tl_tensor_count(&parameter.value))
            return tl_fail(error, TL_ERROR_FORMAT, "%.180s: the numbers of %s.%s are missing, or have another shape",
                           self->file->path, parameter.layer, parameter.name);
        for (size_t k = 0; k < array->count && parameter.value.data; k++) parameter.value.data[k] = (tl_real)array->value[k];
    }
    tl_arrays_written(model);
    return tl_model_finite(model, self->file->path, error);
}

static tl_model *build(const tl_import *self, const tl_onnx_import_cfg *cfg, tl_error *error) {
    size_t output = tl_import_value_of(self, self->file->output[0].name)->layer;
    tl_compile_cfg compile = cfg->compile;
    tl_error wrong = {0};
    size_t *place = tl_allocate(self->layers, sizeof *place, "import", error);
    if (!place || find_loss(self, cfg, output, &compile.loss, error) != TL_OK) {
        tl_release(place);
        return NULL;
    }
    output = without_probabilities(self, output, compile.loss);
    if (!compile.max_memory) compile.max_memory = cfg->max_memory ? cfg->max_memory : tl_memory_limit();
    json_t *network = output > 0 ? describe(self, output, place) : NULL;
    if (output == 0) tl_fail(error, TL_ERROR_FORMAT, "%.180s: it has no layers", self->file->path);
    tl_model *model = network ? tl_model_new(&(tl_model_cfg){.threads = cfg->threads, .engine = cfg->engine}) : NULL;
    if (model) {
        const tl_node x = tl_input(model, (tl_shape){self->layer[0].length, self->layer[0].channels});
        tl_model_compile(model, tl_network_build(model, x, network, "network", NULL), &compile, &wrong);
    } else if (output > 0)
        tl_onnx_out_of_memory(self->file, error);
    if (tl_failed(&wrong))
        tl_fail(error, wrong.status == TL_ERROR_ARGUMENT ? TL_ERROR_FORMAT : wrong.status, "%.180s: %s", self->file->path,
                wrong.text);
    if (!tl_failed(error)) give_arrays(self, model, place, output, error);
    json_decref(network);
    tl_release(place);
    return model;
}

/* ---- classes and scaling ---- */

/* The text under a key as JSON; NULL if there is none. */
static json_t *metadata_json(const tl_import *self, const char *key) {
    tl_error none = {0};
    const char *text = tl_onnx_metadata(self->file, key);
    return text ? tl_json_parse(text, strlen(text), key, &none) : NULL;
}

/* Replaces the rounded numbers of the graph by the exact ones of the metadata, if they are equal after rounding. */
static void use_exact(const json_t *root, const char *key, double *values, size_t count) {
    const json_t *list = json_object_get(root, key);
    for (size_t i = 0; json_array_size(list) == count && i < count; i++) {
        const double value = json_number_value(json_array_get(list, i));
        if (fabs(value - values[i]) <= 1e-6 * fabs(value)) values[i] = value;
    }
}

/* mean: two parts, each may be NULL; deviation NULL: 1. */
static tl_status set_statistics(const tl_import *self, const char *key, const tl_onnx_constant *const mean[2],
                                const tl_onnx_constant *deviation, size_t count, tl_scaling *scaling, tl_error *error) {
    const tl_onnx_constant *const all[] = {mean[0], mean[1], deviation};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (all[i] && all[i]->count != count)
            return tl_fail(error, TL_ERROR_FORMAT, "%.180s: a constant of \"%s\" has %zu numbers for %zu channels",
                           self->file->path, key, all[i]->count, count);
    if (tl_scaling_begin(scaling, count, error) != TL_OK) return error->status;
    for (size_t c = 0; c < count; c++) {
        for (size_t part = 0; part < 2; part++) scaling->mean[c] += mean[part] ? mean[part]->value[c] : 0;
        if (deviation) scaling->deviation[c] = deviation->value[c];
    }
    json_t *exact = metadata_json(self, key);
    use_exact(exact, "mean", scaling->mean, count);
    use_exact(exact, "deviation", scaling->deviation, count);
    json_decref(exact);
    for (size_t c = 0; c < count; c++)
        if (!isfinite(scaling->mean[c]) || !(scaling->deviation[c] > 0) || !isfinite(scaling->deviation[c]))
            return tl_fail(error, TL_ERROR_FORMAT,
                           "%.180s: \"%s\" of channel %zu: the mean must be finite, and the deviation finite and above 0",
                           self->file->path, key, c);
    return TL_OK;
}

static tl_status set_scalings(const tl_import *self, tl_model *model, tl_error *error) {
    const size_t channels = tl_input_shape(model).channels, outputs = tl_output_shape(model).channels;
    const tl_onnx_constant *const target[2] = {self->target_mean, NULL};
    const bool of_tapline = tl_onnx_metadata(self->file, "normalise"); /* unknown for files of other programs */
    model->scaling.kind = self->normalize == TL_NORMALIZE_SERIES ? TL_NORMALIZE_SERIES
                          : of_tapline                           ? TL_NORMALIZE_NONE
                                                                 : TL_NORMALIZE_DEFAULT;
    model->targets.kind = TL_NORMALIZE_NONE;
    if ((self->mean[0] || self->deviation) &&
        set_statistics(self, "scale", self->mean, self->deviation, channels, &model->scaling, error) != TL_OK)
        return error->status;
    if (!self->target_mean && !self->target_deviation) return TL_OK;
    return set_statistics(self, "targets", target, self->target_deviation, outputs, &model->targets, error);
}

/* Returns the classes that are named in the metadata, which has one name for each; the caller frees them. NULL: not named. */
static char **class_names(const json_t *list, size_t count, tl_error *error) {
    for (size_t c = 0; c < count; c++)
        if (!json_is_string(json_array_get(list, c))) return NULL;
    char **names = calloc(count, sizeof *names);
    bool whole = names != NULL;
    for (size_t c = 0; whole && c < count; c++) whole = (names[c] = strdup(json_string_value(json_array_get(list, c)))) != NULL;
    if (!whole) tl_fail(error, TL_ERROR_MEMORY, "import: out of memory");
    return names;
}

static tl_status set_classes(const tl_import *self, const tl_model *model, tl_dataset *data, tl_error *error) {
    const tl_loss_kind loss = tl_model_loss(model);
    json_t *list = metadata_json(self, "classes");
    if (loss == TL_LOSS_CROSS_ENTROPY)
        data->classes = tl_output_shape(model).channels;
    else if (json_array_size(list) > 0)
        tl_fail(error, TL_ERROR_ARGUMENT, "%.180s: the loss %s (--loss, tl_onnx_import_cfg.loss) does not go with its %zu classes",
                self->file->path, tl_loss_name(loss), json_array_size(list));
    if (data->classes > 0 && json_array_size(list) == data->classes) data->class_names = class_names(list, data->classes, error);
    json_decref(list);
    return tl_failed(error) ? error->status : TL_OK;
}

static tl_status set_reading(const tl_import *self, tl_read_cfg *read, tl_error *error) {
    json_t *reading = metadata_json(self, "reading");
    if (reading) tl_reading_parse(reading, self->file->path, read, error);
    json_decref(reading);
    return error->status;
}

static tl_status set_info(const tl_import *self, const tl_model *model, tl_model_info *info, tl_error *error) {
    const tl_shape in = tl_input_shape(model), out = tl_output_shape(model);
    const char *version = tl_onnx_metadata(self->file, "tapline");
    *info = (tl_model_info){.normalize = model->scaling.kind,
                            .precision = tl_precision(),
                            .bytes = self->file->size,
                            .data.x = {.rank = 3, .shape = {0, in.length, in.channels}}};
    snprintf(info->version, sizeof info->version, "%s", version ? version : "");
    info->data.target_length = out.length;
    info->data.target_channels = tl_model_loss(model) == TL_LOSS_CROSS_ENTROPY ? 1 : out.channels;
    if (set_reading(self, &info->read, error) != TL_OK) return error->status;
    if (tl_scaling_copy(&model->scaling, in.channels, &info->data.scaling, error) != TL_OK) return error->status;
    return set_classes(self, model, &info->data, error);
}

/* ---- the whole file ---- */

/* The struct of the optimizer is a part of that of compile, which is a part of that of import. */
static void take_configuration(tl_onnx_import_cfg *cfg, const tl_onnx_import_cfg *given, const tl_load_sizes *sizes,
                               tl_error *error) {
    enum { OPTIMIZER = offsetof(tl_compile_cfg, optimizer), REST = OPTIMIZER + sizeof(tl_optimizer_cfg) };
    const size_t at = offsetof(tl_onnx_import_cfg, compile);
    const tl_part parts[] = {{at + OPTIMIZER, sizeof(tl_optimizer_cfg), sizes->optimizer},
                             {at + REST, sizeof(tl_compile_cfg) - REST, sizes->compile - OPTIMIZER - sizes->optimizer}};
    tl_take_parts(cfg, sizeof *cfg, given, sizes->cfg, parts, sizeof parts / sizeof *parts, "onnx", error);
}

tl_model *tl_onnx_import_sized(const char *path, const tl_onnx_import_cfg *given, tl_model_info *info, const tl_load_sizes *sizes,
                               tl_error *error) {
    tl_onnx_import_cfg cfg;
    tl_error own = {0};
    tl_model_info kept = {0};
    tl_onnx_file file = {0};
    tl_import self = {.file = &file};
    tl_model *model = NULL;
    tl_model_info_hand_over(info, sizes, &kept);
    if (!error) error = &own;
    if (tl_failed(error) || !tl_given(path, "onnx: the path", error)) return NULL;
    take_configuration(&cfg, given, sizes, error);
    tl_onnx_file_read(&file, path, cfg.max_memory ? cfg.max_memory : tl_memory_limit(), error);
    if (!tl_failed(error) && read_graph(&self, &cfg, error) == TL_OK) model = build(&self, &cfg, error);
    if (!tl_failed(error) && set_scalings(&self, model, error) == TL_OK) set_info(&self, model, &kept, error);
    release_layers(&self);
    tl_onnx_file_release(&file);
    if (info && !tl_failed(error))
        tl_model_info_hand_over(info, sizes, &kept);
    else
        tl_model_info_release(&kept);
    if (!tl_failed(error)) return model;
    tl_model_free(model);
    return NULL;
}
