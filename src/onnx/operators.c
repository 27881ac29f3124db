/* Functions that several files of operators use, mainly for constant factors and terms. */
#include "onnx/operators.h"

#include "base/math.h"

#include <math.h>
#include <string.h>

tl_import_value *tl_import_layer_input(tl_import *self, size_t index) {
    tl_import_value *value = tl_import_input(self, index);
    if (value && value->kind == TL_IMPORT_LAYER && value->pad_left + value->pad_right == 0 && !strpbrk(value->axes, "GWR"))
        return value;
    if (value && value->kind == TL_IMPORT_LAYER && value->pad_left + value->pad_right > 0)
        tl_import_refuse(self, "it reads padded series; only a convolution can");
    else if (value && value->kind == TL_IMPORT_LAYER)
        tl_import_refuse(self, "it reads groups of channels or repeated steps, which this operator cannot");
    else if (value && value->kind == TL_IMPORT_CONSTANT)
        tl_import_refuse(self, "input %zu is a constant, for which this form of the operator is not supported", index);
    else
        tl_import_refuse(self, "input %zu is not the output of an earlier operation", index);
    return NULL;
}

size_t tl_import_integers(tl_import *self, const char *name, size_t input, int64_t list[2 * TL_ONNX_RANK]) {
    const tl_onnx_constant *given = tl_import_constant(self, input);
    const size_t listed = tl_import_list(self, name, list);
    if (listed == 0 && !given && tl_import_input(self, input)) tl_import_refuse(self, "its %s are not constants", name);
    if (listed > 0 || !given) return listed;
    const size_t count = tl_min(given->count, 2 * TL_ONNX_RANK);
    for (size_t i = 0; i < count; i++) list[i] = tl_onnx_integer(given->value[i]);
    return count;
}

bool tl_import_mark_axes(tl_import *self, const int64_t *list, size_t count, size_t rank, bool *marked) {
    for (size_t i = 0; i < count; i++) {
        const int64_t axis = list[i] < 0 ? list[i] + (int64_t)rank : list[i];
        if (axis < 0 || axis >= (int64_t)rank || marked[axis])
            return tl_import_refuse(self, "its axis %lld does not exist in its input, or occurs twice", (long long)list[i]);
        marked[axis] = true;
    }
    return true;
}

bool tl_import_elementwise(tl_import *self, const tl_import_value *value, const char *type, json_t *settings) {
    return tl_import_give_layer(self, value, tl_import_add(self, type, &value->layer, 1, settings, value->length, value->channels));
}

/* ---- one factor and one term ---- */

static double entry_number(const tl_import *self, size_t layer, const char *key, double otherwise) {
    const json_t *number = json_object_get(self->layer[layer].entry, key);
    return number ? json_number_value(number) : otherwise;
}

/* Changes the affine layer that computes the value, if one of both steps only multiplies or only adds: then nothing is rounded
 * differently. A factor of 0 would mean the default. */
static bool join_affine(tl_import *self, const tl_import_value *value, double scale, double shift) {
    json_t *entry = self->layer[value->layer].entry;
    const double before = entry_number(self, value->layer, "scale", 1), term = entry_number(self, value->layer, "shift", 0);
    const bool plain = (before == 1 && term == 0) || (scale == 1 && term == 0);
    if (!plain) return false;
    if (json_object_set_new(entry, "scale", json_real(before * scale)) != 0 ||
        json_object_set_new(entry, "shift", json_real(term * scale + shift)) != 0)
        self->short_of_memory = true;
    return true;
}

bool tl_import_scale_all(tl_import *self, const tl_import_value *value, double scale, double shift) {
    if (!(fabs(scale) <= 1e30) || !(fabs(shift) <= 1e30) || scale == 0)
        return tl_import_refuse(self, "it multiplies by %g and adds %g", scale, shift);
    if (scale == 1 && shift == 0) return tl_import_give_view(self, value);
    if (tl_import_may_change(self, value, "affine") && join_affine(self, value, scale, shift))
        return tl_import_give_view(self, value);
    return tl_import_elementwise(self, value, "affine", json_pack("{s:f, s:f}", "scale", scale, "shift", shift));
}

/* ---- factors and terms of channels ---- */

/* Changes the scale and shift of a norm. */
static bool join_norm(tl_import *self, const tl_import_value *value, const double *scale, const double *shift) {
    static const char *const norms[] = {"group_norm", "layer_norm", "batch_norm"};
    bool norm = false;
    for (size_t i = 0; i < sizeof norms / sizeof *norms; i++) norm = norm || tl_import_may_change(self, value, norms[i]);
    double *factors = norm ? tl_import_array_of(self, value->layer, "scale") : NULL;
    double *terms = norm ? tl_import_array_of(self, value->layer, "shift") : NULL;
    if (!factors || !terms) return false;
    for (size_t c = 0; c < value->channels; c++) {
        factors[c] *= scale ? scale[c] : 1;
        terms[c] = terms[c] * (scale ? scale[c] : 1) + (shift ? shift[c] : 0);
    }
    return true;
}

/* Makes an addition after a product the bias of its layer. */
static bool join_bias(tl_import *self, const tl_import_value *value, const double *scale, const double *shift) {
    const bool may = tl_import_may_change(self, value, "dense") || tl_import_may_change(self, value, "conv1d") ||
                     tl_import_may_change(self, value, "conv1d_transpose");
    if (!may || scale || tl_import_array_of(self, value->layer, "bias")) return false;
    double *bias = tl_import_add_array(self, value->layer, "bias", value->channels);
    for (size_t c = 0; bias && c < value->channels; c++) bias[c] = shift[c];
    json_object_del(self->layer[value->layer].entry, "bias");
    return true;
}

/* Adds a depthwise convolution with one tap. */
static bool add_channelwise(tl_import *self, const tl_import_value *value, const double *scale, const double *shift) {
    const json_int_t channels = (json_int_t)value->channels;
    const size_t layer = tl_import_add(self, "conv1d", &value->layer, 1,
                                       json_pack("{s:I, s:i, s:I}", "filters", channels, "kernel", 1, "groups", channels),
                                       value->length, value->channels);
    double *weight = tl_import_add_array(self, layer, "weight", value->channels);
    double *bias = tl_import_add_array(self, layer, "bias", value->channels);
    for (size_t c = 0; weight && bias && c < value->channels; c++) {
        weight[c] = scale ? scale[c] : 1;
        bias[c] = shift ? shift[c] : 0;
    }
    return tl_import_give_layer(self, value, layer);
}

bool tl_import_scale_channels(tl_import *self, const tl_import_value *value, const double *scale, const double *shift) {
    if (join_norm(self, value, scale, shift) || join_bias(self, value, scale, shift)) return tl_import_give_view(self, value);
    if (value->channels == 1) return tl_import_scale_all(self, value, scale ? *scale : 1, shift ? *shift : 0);
    return add_channelwise(self, value, scale, shift);
}

bool tl_import_select(tl_import *self, const tl_import_value *value, const size_t *channels, size_t count) {
    const size_t layer = tl_import_add(self, "dense", &value->layer, 1,
                                       json_pack("{s:I, s:b}", "units", (json_int_t)count, "bias", 0), value->length, count);
    double *weight = tl_import_add_array(self, layer, "weight", value->channels * count);
    for (size_t i = 0; weight && i < count; i++) weight[channels[i] * count + i] = 1;
    return tl_import_give_layer(self, value, layer);
}
