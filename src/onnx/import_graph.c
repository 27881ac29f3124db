/* Inputs and results of the operators of an ONNX graph (import.h). */
#include "onnx/import.h"

#include "onnx/onnx.h"

#include <limits.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- inputs ---- */

static const tl_onnx_operation *current(const tl_import *self) { return &self->file->operation[self->operation]; }

tl_import_value *tl_import_value_of(const tl_import *self, const char *name) {
    const json_t *index = *name ? json_object_get(self->index, name) : NULL;
    return index ? &self->value[json_integer_value(index)] : NULL;
}

tl_import_value *tl_import_input(tl_import *self, size_t index) {
    const tl_onnx_operation *operation = current(self);
    return index < operation->inputs.count ? tl_import_value_of(self, self->file->name[operation->inputs.first + index]) : NULL;
}

const tl_onnx_constant *tl_import_constant(tl_import *self, size_t index) {
    const tl_import_value *value = tl_import_input(self, index);
    return value && value->kind == TL_IMPORT_CONSTANT ? &value->constant : NULL;
}

int64_t tl_import_int(const tl_import *self, const char *name, int64_t otherwise) {
    const tl_onnx_setting *setting = tl_onnx_find(self->file, current(self), name);
    return setting ? setting->whole : otherwise;
}

double tl_import_number(const tl_import *self, const char *name, double otherwise) {
    const tl_onnx_setting *setting = tl_onnx_find(self->file, current(self), name);
    return setting ? tl_import_decimal(setting->number) : otherwise;
}

const char *tl_import_text(const tl_import *self, const char *name, const char *otherwise) {
    const tl_onnx_setting *setting = tl_onnx_find(self->file, current(self), name);
    return setting ? setting->text : otherwise;
}

size_t tl_import_list(const tl_import *self, const char *name, int64_t list[2 * TL_ONNX_RANK]) {
    const tl_onnx_setting *setting = tl_onnx_find(self->file, current(self), name);
    const size_t count = setting ? setting->wholes.count : 0;
    for (size_t i = 0; i < count && i < 2 * TL_ONNX_RANK; i++) list[i] = self->file->whole[setting->wholes.first + i];
    return count < 2 * TL_ONNX_RANK ? count : 2 * TL_ONNX_RANK;
}

double tl_import_decimal(float number) {
    char text[40];
    for (int digits = 1; digits < 9; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, (double)number);
        if (strtof(text, NULL) == number) return strtod(text, NULL);
    }
    return (double)number;
}

bool tl_import_refuse(tl_import *self, const char *format, ...) {
    va_list values;
    if (*self->reason) return false;
    va_start(values, format);
    vsnprintf(self->reason, sizeof self->reason, format, values);
    va_end(values);
    return false;
}

/* ---- layers ---- */

enum { LAYER_NAME = 32 };

static const char *layer_name(size_t layer, char text[LAYER_NAME]) {
    if (layer == 0) return "input";
    snprintf(text, LAYER_NAME, "layer %zu", layer);
    return text;
}

size_t tl_import_add(tl_import *self, const char *type, const size_t *inputs, size_t count, json_t *settings, size_t length,
                     size_t channels) {
    char text[LAYER_NAME];
    if (channels > 0 && length > INT_MAX / channels) {
        json_decref(settings);
        tl_import_refuse(self, "its output of %zu steps and %zu channels has more than %d numbers", length, channels, INT_MAX);
        return 0;
    }
    tl_import_layer *grown = realloc(self->layer, (self->layers + 1) * sizeof *grown);
    json_t *list = json_array(), *entry = settings ? settings : json_object();
    bool complete = grown && list && entry;
    if (grown) self->layer = grown;
    for (size_t e = 0; complete && e < count; e++)
        complete = json_array_append_new(list, json_string(layer_name(inputs[e], text))) == 0;
    complete = complete && json_object_set_new(entry, "type", json_string(type)) == 0 &&
               json_object_set_new(entry, "name", json_string(layer_name(self->layers, text))) == 0 &&
               json_object_set(entry, "inputs", list) == 0;
    json_decref(list);
    if (!complete) {
        json_decref(entry);
        self->short_of_memory = true;
        return 0;
    }
    tl_import_layer *layer = &self->layer[self->layers];
    *layer = (tl_import_layer){.entry = entry, .inputs = count, .length = length, .channels = channels};
    memcpy(layer->input, inputs, count * sizeof *inputs);
    return self->layers++;
}

double *tl_import_add_array(tl_import *self, size_t layer, const char *name, size_t count) {
    tl_onnx_constant constant;
    tl_import_layer *to = &self->layer[layer];
    if (layer == 0) return NULL; /* it was not added */
    if (to->arrays == TL_IMPORT_ARRAYS || !tl_onnx_constant_new(&self->file->pool, 1, &count, SIZE_MAX, &constant)) {
        self->short_of_memory = true;
        return NULL;
    }
    memset(constant.value, 0, count * sizeof *constant.value);
    to->array[to->arrays++] = (tl_import_array){.name = name, .count = count, .value = constant.value};
    return constant.value;
}

double *tl_import_array_of(tl_import *self, size_t layer, const char *name) {
    tl_import_layer *of = &self->layer[layer];
    for (size_t i = 0; i < of->arrays; i++)
        if (strcmp(of->array[i].name, name) == 0) return of->array[i].value;
    return NULL;
}

bool tl_import_is(const tl_import *self, size_t layer, const char *type) {
    const char *found = json_string_value(json_object_get(self->layer[layer].entry, "type"));
    return found && strcmp(found, type) == 0;
}

bool tl_import_may_change(const tl_import *self, const tl_import_value *value, const char *type) {
    return value->sole && value->readers == 1 && value->flat_length == 0 && value->pad_left + value->pad_right == 0 &&
           tl_import_is(self, value->layer, type);
}

/* ---- results ---- */

static tl_import_value *result_of(tl_import *self) {
    const tl_onnx_operation *operation = current(self);
    return operation->outputs.count > 0 ? tl_import_value_of(self, self->file->name[operation->outputs.first]) : NULL;
}

void tl_import_turn_to(tl_import *self, size_t index) {
    tl_onnx_operation *operation = &self->file->operation[self->operation];
    const char **names = self->file->name + operation->outputs.first, *first = names[0];
    names[0] = names[index];
    names[index] = first;
}

/* Sets the next result. Returns false if there is none, or if the operation was refused. */
static bool give(tl_import *self, const tl_import_value *what) {
    if (self->short_of_memory || *self->reason) return false;
    tl_import_value *result = result_of(self);
    const bool open = result && result->kind == TL_IMPORT_NOTHING;
    if (!open) return tl_import_refuse(self, "its output is the name of another value");
    const tl_import_value before = *result;
    *result = *what;
    result->name = before.name;
    result->maker = before.maker;
    result->readers = before.readers;
    return true;
}

bool tl_import_give_layer(tl_import *self, const tl_import_value *like, size_t layer) {
    tl_import_value value = {.kind = TL_IMPORT_LAYER, .layer = layer, .sole = true};
    memcpy(value.axes, like->axes, sizeof value.axes);
    value.length = self->layer[layer].length;
    value.channels = self->layer[layer].channels;
    value.flat_length = like->flat_length;
    return give(self, &value);
}

bool tl_import_give_view(tl_import *self, const tl_import_value *value) {
    tl_import_value view = *value;
    view.sole = value->sole && value->readers == 1;
    return give(self, &view);
}

bool tl_import_give_constant(tl_import *self, const tl_onnx_constant *constant) {
    return give(self, &(tl_import_value){.kind = TL_IMPORT_CONSTANT, .constant = *constant});
}

/* ---- axes ---- */

size_t tl_import_rank(const tl_import_value *value) { return strlen(value->axes); }

size_t tl_import_axis(const tl_import_value *value, char kind) {
    const char *found = strchr(value->axes, kind);
    const bool missing = kind == TL_AXIS_CHANNELS ? value->channels == 1 : kind == TL_AXIS_LENGTH && value->length == 1;
    if (!found && missing) found = strchr(value->axes, TL_AXIS_ONE);
    return found ? (size_t)(found - value->axes) : tl_import_rank(value);
}

size_t tl_import_channel(const tl_import_value *value, size_t channel) {
    if (value->flat_length == 0) return channel;
    const size_t channels = value->channels / value->flat_length;
    return channel % channels * value->flat_length + channel / channels;
}
