/* Operators with two or more inputs. */
#include "onnx/operators.h"

#include "base/math.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- with a constant ---- */

/* Whether a constant that is broadcast to the value has one number for each channel. */
static bool is_of_channels(const tl_import_value *value, const tl_onnx_constant *constant) {
    const size_t rank = tl_import_rank(value), axis = tl_import_axis(value, TL_AXIS_CHANNELS), behind = rank - axis;
    if (axis == rank || constant->rank > rank || constant->rank < behind || constant->count != value->channels) return false;
    return constant->shape[constant->rank - behind] == value->channels;
}

/* Where a statistic of a file of tapline is kept; the name of its constant shows which one it is. NULL for other constants. */
static const tl_onnx_constant **statistic_of(tl_import *self, const tl_import_value *value, const char *name) {
    if (!tl_onnx_metadata(self->file, "tapline")) return NULL;
    if (value->layer == 0) {
        if (strcmp(name, "normalise/mean.constant") == 0) return &self->mean[0];
        if (strcmp(name, "normalise/rest.constant") == 0) return &self->mean[1];
        if (strcmp(name, "normalised.constant") == 0) return &self->deviation;
    }
    if (strcmp(name, "output/scaled.constant") == 0) return &self->target_deviation;
    if (strcmp(name, "values.constant") == 0 || strcmp(name, "output/channels_first.constant") == 0) return &self->target_mean;
    return NULL;
}

static bool take_statistic(tl_import *self, const tl_import_value *value, const tl_import_value *other) {
    const tl_onnx_constant **statistic = statistic_of(self, value, other->name);
    if (!statistic || *statistic || other->constant.count != value->channels || value->flat_length > 0) return false;
    *statistic = &other->constant;
    return true;
}

/* Returns the numbers of channels in tapline's order, times a factor. Free them. */
static double *numbers_of(const tl_import_value *value, const tl_onnx_constant *constant, bool invert, double sign) {
    double *numbers = malloc(value->channels * sizeof *numbers);
    for (size_t c = 0; numbers && c < value->channels; c++) {
        const double number = constant->value[tl_import_channel(value, c)];
        numbers[c] = invert ? 1 / number : sign * number;
    }
    return numbers;
}

static bool with_constant(tl_import *self, const tl_import_value *value, const tl_import_value *other, const char *type) {
    const tl_onnx_constant *constant = &other->constant;
    const bool product = strcmp(type, "Mul") == 0 || strcmp(type, "Div") == 0, inverse = strcmp(type, "Div") == 0;
    const double sign = strcmp(type, "Sub") == 0 ? -1 : 1;
    const bool of_channels = is_of_channels(value, constant);
    if (constant->count == 1 && constant->rank <= tl_import_rank(value) && !of_channels) {
        const double number = constant->value[0];
        return product ? tl_import_scale_all(self, value, inverse ? 1 / number : number, 0)
                       : tl_import_scale_all(self, value, 1, sign * number);
    }
    if (!of_channels) return tl_import_refuse(self, "its constant does not have one number for each channel");
    if (take_statistic(self, value, other)) return tl_import_give_view(self, value);
    double *numbers = numbers_of(value, constant, inverse, sign);
    if (!numbers) self->short_of_memory = true;
    const bool done = numbers && tl_import_scale_channels(self, value, product ? numbers : NULL, product ? NULL : numbers);
    free(numbers);
    return done;
}

/* ---- with another value ---- */

/* The value with the length of the other one: a value with one step is repeated. */
static size_t as_long(tl_import *self, const tl_import_value *value, size_t length) {
    if (value->length == length) return value->layer;
    return tl_import_add(self, "upsample", &value->layer, 1, json_pack("{s:I}", "factor", (json_int_t)length), length,
                         value->channels);
}

/* Whether axes are equal when they are aligned at the end. An axis of size 1 equals any axis. */
static bool axes_agree(const tl_import_value *a, const tl_import_value *b) {
    const size_t one = tl_import_rank(a), other = tl_import_rank(b);
    for (size_t i = 1; i <= tl_min(one, other); i++) {
        const char x = a->axes[one - i], y = b->axes[other - i];
        const bool single = x == TL_AXIS_ONE || y == TL_AXIS_ONE || (x == TL_AXIS_LENGTH && a->length == 1) ||
                            (y == TL_AXIS_LENGTH && b->length == 1);
        if (x != y && !single) return false;
    }
    return one == other || a->length == 1 || b->length == 1;
}

static bool with_value(tl_import *self, const tl_import_value *a, const tl_import_value *b, const char *type) {
    const tl_import_value *longer = a->length >= b->length ? a : b;
    const size_t length = longer->length;
    if (a->channels != b->channels || a->flat_length != b->flat_length ||
        (a->length != b->length && a->length > 1 && b->length > 1))
        return tl_import_refuse(self, "its inputs are (%zu, %zu) and (%zu, %zu) (steps, channels); they must be equal", a->length,
                                a->channels, b->length, b->channels);
    if (!axes_agree(a, b)) return tl_import_refuse(self, "the axes of its inputs are in another order");
    if (tl_import_rank(b) > tl_import_rank(longer)) longer = b;
    const size_t both[] = {as_long(self, a, length), as_long(self, b, length)};
    return tl_import_give_layer(self, longer, tl_import_add(self, type, both, 2, NULL, length, a->channels));
}

static bool take_two(tl_import *self, const char *type, const char *layer) {
    tl_import_value *a = tl_import_input(self, 0), *b = tl_import_input(self, 1);
    if (!a || !b) return tl_import_refuse(self, "it should have two inputs");
    const bool first = a->kind == TL_IMPORT_LAYER, second = b->kind == TL_IMPORT_LAYER;
    if (first && !tl_import_layer_input(self, 0)) return false;
    if (second && !tl_import_layer_input(self, 1)) return false;
    if (first && b->kind == TL_IMPORT_CONSTANT) return with_constant(self, a, b, type);
    if (second && a->kind == TL_IMPORT_CONSTANT && layer) return with_constant(self, b, a, type);
    if (first && second && layer) return with_value(self, a, b, layer);
    return tl_import_refuse(self, "it has no counterpart with these inputs");
}

static bool take_add(tl_import *self) { return take_two(self, "Add", "add"); }
static bool take_mul(tl_import *self) { return take_two(self, "Mul", "multiply"); }
static bool take_div(tl_import *self) { return take_two(self, "Div", NULL); }

/* A constant minus a value, and a value minus a value. */
static bool take_sub(tl_import *self) {
    tl_import_value *a = tl_import_input(self, 0), *b = tl_import_input(self, 1);
    if (!a || !b || b->kind != TL_IMPORT_LAYER) return take_two(self, "Sub", NULL);
    if (!tl_import_layer_input(self, 1)) return false;
    if (a->kind == TL_IMPORT_CONSTANT && a->constant.count == 1) return tl_import_scale_all(self, b, -1, a->constant.value[0]);
    if (!tl_import_layer_input(self, 0)) return false;
    tl_import_value minus = *b;
    minus.layer = tl_import_add(self, "affine", &b->layer, 1, json_pack("{s:f}", "scale", -1.0), b->length, b->channels);
    return with_value(self, a, &minus, "add");
}

/* A square or a cube. */
static bool take_pow(tl_import *self) {
    const tl_import_value *value = tl_import_layer_input(self, 0);
    const tl_onnx_constant *power = tl_import_constant(self, 1);
    if (!value) return false;
    if (!power || power->count != 1 || (power->value[0] != 2 && power->value[0] != 3))
        return tl_import_refuse(self, "its exponent is neither 2 nor 3");
    const size_t factors[] = {value->layer, value->layer, value->layer};
    return tl_import_give_layer(
        self, value, tl_import_add(self, "multiply", factors, (size_t)power->value[0], NULL, value->length, value->channels));
}

/* ---- several inputs ---- */

/* Joins layers in groups with the maximum number of inputs of a layer. *channels [OUT]: those of the last layer. */
static size_t join_all(tl_import *self, const char *type, const size_t *layers, const size_t *channels, size_t count,
                       size_t length) {
    const bool concat = strcmp(type, "concat") == 0;
    size_t joined = layers[0], width = channels[0];
    for (size_t first = 1; first < count;) {
        size_t inputs[TL_MAX_INPUTS] = {joined}, used = 1;
        for (; used < TL_MAX_INPUTS && first < count; first++) {
            inputs[used++] = layers[first];
            if (concat) width += channels[first];
        }
        joined = tl_import_add(self, type, inputs, used, NULL, length, width);
    }
    return joined;
}

static bool gather(tl_import *self, size_t count, size_t *layers, size_t *channels, bool concat) {
    const tl_import_value *first = tl_import_layer_input(self, 0);
    for (size_t i = 0; i < count; i++) {
        const tl_import_value *value = tl_import_layer_input(self, i);
        if (!first || !value) return false;
        if (strcmp(value->axes, first->axes) != 0 || value->length != first->length || value->flat_length != first->flat_length ||
            (concat && value->flat_length > 0) || (!concat && value->channels != first->channels))
            return tl_import_refuse(self, "input %zu does not have the shape of input 0", i);
        layers[i] = value->layer;
        channels[i] = value->channels;
    }
    return true;
}

static bool take_many(tl_import *self, const char *type) {
    const size_t count = self->file->operation[self->operation].inputs.count;
    size_t *layers = calloc(2 * count + 1, sizeof *layers), *channels = layers + count;
    bool done = false;
    if (!layers) self->short_of_memory = true;
    if (layers && count > 0 && gather(self, count, layers, channels, strcmp(type, "concat") == 0)) {
        const tl_import_value *first = tl_import_input(self, 0);
        done = count == 1 ? tl_import_give_view(self, first)
                          : tl_import_give_layer(self, first, join_all(self, type, layers, channels, count, first->length));
    }
    free(layers);
    return done || tl_import_refuse(self, "it has no inputs");
}

static bool take_sum(tl_import *self) { return take_many(self, "add"); }

static bool take_concat(tl_import *self) {
    const tl_import_value *first = tl_import_layer_input(self, 0);
    int64_t axis = tl_import_int(self, "axis", 1);
    if (!first) return false;
    if (axis < 0) axis += (int64_t)tl_import_rank(first);
    if (axis != (int64_t)tl_import_axis(first, TL_AXIS_CHANNELS)) return tl_import_refuse(self, "it does not join channels");
    return take_many(self, "concat");
}

const tl_import_operator tl_import_arithmetic[] = {
    {"Add", take_add}, {"Sub", take_sub}, {"Mul", take_mul},       {"Div", take_div},
    {"Pow", take_pow}, {"Sum", take_sum}, {"Concat", take_concat}, {NULL, NULL},
};
