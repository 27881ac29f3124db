/* Elementwise operators with one input. */
#include "onnx/operators.h"

#include <math.h>
#include <string.h>

static bool take_plain(tl_import *self, const char *type) {
    const tl_import_value *value = tl_import_layer_input(self, 0);
    return value && tl_import_elementwise(self, value, type, NULL);
}

static bool take_relu(tl_import *self) { return take_plain(self, "relu"); }
static bool take_sigmoid(tl_import *self) { return take_plain(self, "sigmoid"); }
static bool take_tanh(tl_import *self) { return take_plain(self, "tanh"); }
static bool take_softplus(tl_import *self) { return take_plain(self, "softplus"); }
static bool take_exp(tl_import *self) { return take_plain(self, "exponential"); }

static bool take_setting(tl_import *self, const char *type, const char *key, double value) {
    const tl_import_value *x = tl_import_layer_input(self, 0);
    if (!x) return false;
    if (!(value > 0 && value <= 1e30)) return tl_import_refuse(self, "its %s is %g; it should be above 0", key, value);
    return tl_import_elementwise(self, x, type, json_pack("{s:f}", key, value));
}

static bool take_leaky_relu(tl_import *self) {
    return take_setting(self, "leaky_relu", "slope", tl_import_number(self, "alpha", 0.01));
}

static bool take_elu(tl_import *self) { return take_setting(self, "elu", "alpha", tl_import_number(self, "alpha", 1)); }

static bool is_near(double value, double expected) { return fabs(value - expected) <= 1e-6 * fabs(expected); }

static bool take_selu(tl_import *self) {
    const double alpha = tl_import_number(self, "alpha", 1.6732632), gamma = tl_import_number(self, "gamma", 1.0507010);
    if (!is_near(alpha, 1.6732632423543772) || !is_near(gamma, 1.0507009873554805))
        return tl_import_refuse(self, "its alpha is %g and its gamma %g; a SELU has 1.67326 and 1.0507", alpha, gamma);
    return take_plain(self, "selu");
}

static bool take_gelu(tl_import *self) {
    const tl_import_value *value = tl_import_layer_input(self, 0);
    const bool approximate = strcmp(tl_import_text(self, "approximate", "none"), "tanh") == 0;
    return value && tl_import_elementwise(self, value, "gelu", json_pack("{s:b}", "approximate", approximate));
}

/* ---- operators that need several layers ---- */

/* Adds a layer after another one, with the same shape; releases `settings`. */
static size_t chain(tl_import *self, const tl_import_value *value, size_t layer, const char *type, json_t *settings) {
    return tl_import_add(self, type, &layer, 1, settings, value->length, value->channels);
}

static size_t scaled(tl_import *self, const tl_import_value *value, size_t layer, double scale, double shift) {
    if (scale == 1 && shift == 0) return layer;
    return chain(self, value, layer, "affine", json_pack("{s:f, s:f}", "scale", scale, "shift", shift));
}

/* max(0, min(1, alpha · x + beta)); in tapline alpha is 1/6 and beta 1/2. */
static size_t hard_sigmoid(tl_import *self, const tl_import_value *value, double alpha, double beta) {
    const bool same = is_near(alpha, 1.0 / 6) && is_near(beta, 0.5);
    const size_t before = same ? value->layer : scaled(self, value, value->layer, 6 * alpha, 6 * beta - 3);
    return chain(self, value, before, "hard_sigmoid", NULL);
}

static bool take_hard_sigmoid(tl_import *self) {
    const tl_import_value *value = tl_import_layer_input(self, 0);
    const double alpha = tl_import_number(self, "alpha", 0.2), beta = tl_import_number(self, "beta", 0.5);
    if (!value) return false;
    if (!(alpha > 0 && alpha < 1e6) || !(fabs(beta) < 1e6)) return tl_import_refuse(self, "its alpha is %g", alpha);
    return tl_import_give_layer(self, value, hard_sigmoid(self, value, alpha, beta));
}

static bool product_with(tl_import *self, const tl_import_value *value, size_t layer) {
    const size_t both[] = {value->layer, layer};
    return tl_import_give_layer(self, value, tl_import_add(self, "multiply", both, 2, NULL, value->length, value->channels));
}

static bool take_hard_swish(tl_import *self) {
    const tl_import_value *value = tl_import_layer_input(self, 0);
    return value && product_with(self, value, hard_sigmoid(self, value, 1.0 / 6, 0.5));
}

static bool take_mish(tl_import *self) {
    const tl_import_value *value = tl_import_layer_input(self, 0);
    return value && product_with(self, value, chain(self, value, chain(self, value, value->layer, "softplus", NULL), "tanh", NULL));
}

static bool take_swish(tl_import *self) {
    const double alpha = tl_import_number(self, "alpha", 1);
    if (alpha != 1) return tl_import_refuse(self, "its alpha is %g; a SiLU has 1", alpha);
    return take_plain(self, "silu");
}

/* A bound is an input; in early operator sets it is an attribute. Returns NaN if it is not constant. */
static double bound_of(tl_import *self, size_t index, const char *name, double otherwise) {
    const tl_onnx_constant *constant = tl_import_constant(self, index);
    if (!tl_import_input(self, index)) return tl_import_number(self, name, otherwise);
    return constant && constant->count == 1 ? constant->value[0] : NAN;
}

static bool take_clip(tl_import *self) {
    const tl_import_value *value = tl_import_layer_input(self, 0);
    const double low = bound_of(self, 1, "min", -INFINITY), high = bound_of(self, 2, "max", INFINITY);
    if (!value) return false;
    if (isnan(low) || isnan(high)) return tl_import_refuse(self, "its bounds are not constants");
    if (low == 0 && high > 3e38) return tl_import_elementwise(self, value, "relu", NULL);
    if (!(fabs(low) < 1e30 && fabs(high) < 1e30 && high - low > 1e-30))
        return tl_import_refuse(self, "its bounds are %g and %g", low, high);
    const size_t unit = hard_sigmoid(self, value, 1 / (high - low), -low / (high - low));
    return tl_import_give_layer(self, value, scaled(self, value, unit, high - low, low));
}

static bool take_neg(tl_import *self) {
    const tl_import_value *value = tl_import_layer_input(self, 0);
    return value && tl_import_scale_all(self, value, -1, 0);
}

static bool take_softmax(tl_import *self) {
    const tl_import_value *value = tl_import_layer_input(self, 0);
    int64_t axis = tl_import_int(self, "axis", self->file->opset < 13 ? 1 : -1);
    if (!value) return false;
    const size_t rank = tl_import_rank(value), channels = tl_import_axis(value, TL_AXIS_CHANNELS);
    if (axis < 0) axis += (int64_t)rank;
    if (self->file->opset < 13 && rank > 2 && value->length > 1)
        return tl_import_refuse(self, "before operator set 13 it mixes steps");
    if (axis != (int64_t)channels) return tl_import_refuse(self, "its axis is not that of the channels");
    return tl_import_elementwise(self, value, "softmax", NULL);
}

static bool take_prelu(tl_import *self) {
    const tl_import_value *value = tl_import_layer_input(self, 0);
    const tl_onnx_constant *slope = tl_import_constant(self, 1);
    if (!value) return false;
    if (!slope || (slope->count != 1 && slope->count != value->channels) || value->flat_length > 0)
        return tl_import_refuse(self, "its slopes are not one for each channel");
    const size_t behind = tl_import_rank(value) - tl_import_axis(value, TL_AXIS_CHANNELS);
    if (slope->count > 1 && (slope->rank < behind || slope->shape[slope->rank - behind] != slope->count))
        return tl_import_refuse(self, "its slopes are not along the channels");
    if (slope->count == 1 && slope->rank < 2 && slope->value[0] > 0)
        return tl_import_elementwise(self, value, "leaky_relu", json_pack("{s:f}", "slope", slope->value[0]));
    const size_t layer = tl_import_add(self, "prelu", &value->layer, 1, NULL, value->length, value->channels);
    double *to = tl_import_add_array(self, layer, "slope", value->channels);
    for (size_t c = 0; to && c < value->channels; c++) to[c] = slope->value[slope->count == 1 ? 0 : c];
    return tl_import_give_layer(self, value, layer);
}

const tl_import_operator tl_import_activations[] = {
    {"Relu", take_relu},
    {"Sigmoid", take_sigmoid},
    {"Tanh", take_tanh},
    {"Softplus", take_softplus},
    {"Exp", take_exp},
    {"LeakyRelu", take_leaky_relu},
    {"Elu", take_elu},
    {"Selu", take_selu},
    {"Gelu", take_gelu},
    {"HardSigmoid", take_hard_sigmoid},
    {"HardSwish", take_hard_swish},
    {"Mish", take_mish},
    {"Swish", take_swish},
    {"Clip", take_clip},
    {"Neg", take_neg},
    {"Softmax", take_softmax},
    {"PRelu", take_prelu},
    {NULL, NULL},
};
