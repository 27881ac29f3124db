/* Operators on windows over time, and on all steps. Two-dimensional ones are read if one dimension has size 1. */
#include "onnx/operators.h"

#include "base/math.h"
#include "layers/fixed_filters.h"

#include <limits.h>
#include <math.h>
#include <string.h>

/* The axis of time in the value, and the entry of time in lists of strides and kernels. */
typedef struct place {
    size_t axis, entry, entries;
} place;

static bool find_time(tl_import *self, const tl_import_value *value, place *at) {
    const size_t rank = tl_import_rank(value), channels = tl_import_axis(value, TL_AXIS_CHANNELS);
    at->axis = tl_import_axis(value, TL_AXIS_LENGTH);
    at->entries = rank - 2;
    at->entry = at->axis - 2;
    if (rank < 3 || rank > 4 || value->axes[0] != TL_AXIS_BATCH || channels != 1 || at->axis == rank || at->axis < 2)
        return tl_import_refuse(self, "its input is not (batch, channels, length)");
    if (value->flat_length > 0) return tl_import_refuse(self, "its input was flattened");
    return true;
}

/* Reads the entry of time from a list; all other entries must be `other`. */
static bool entry_of(tl_import *self, const char *name, place at, int64_t otherwise, int64_t other, size_t *value) {
    int64_t list[2 * TL_ONNX_RANK];
    const size_t count = tl_import_list(self, name, list);
    *value = (size_t)otherwise;
    if (count == 0) return true;
    if (count != at.entries) return tl_import_refuse(self, "its %s has %zu entries, not %zu", name, count, at.entries);
    for (size_t i = 0; i < count; i++)
        if (list[i] < 0 || list[i] > INT_MAX || (i != at.entry && list[i] != other))
            return tl_import_refuse(self, "its %s is not only along time", name);
    *value = (size_t)list[at.entry];
    return true;
}

typedef struct geometry {
    size_t taps, stride, dilation, left, right;
} geometry;

static bool take_pads(tl_import *self, place at, geometry *g) {
    int64_t list[2 * TL_ONNX_RANK];
    const size_t count = tl_import_list(self, "pads", list);
    if (count == 0) return true;
    if (count != 2 * at.entries) return tl_import_refuse(self, "its pads have %zu entries, not %zu", count, 2 * at.entries);
    for (size_t i = 0; i < count; i++)
        if (list[i] < 0 || list[i] > INT_MAX || (i % at.entries != at.entry && list[i] != 0))
            return tl_import_refuse(self, "its pads are not only along time");
    g->left = (size_t)list[at.entry];
    g->right = (size_t)list[at.entries + at.entry];
    return true;
}

/* SAME_UPPER and SAME_LOWER: the number of outputs is length / stride, rounded up. */
static bool apply_auto_pad(tl_import *self, size_t length, geometry *g) {
    const char *mode = tl_import_text(self, "auto_pad", "NOTSET");
    const size_t extent = (g->taps - 1) * g->dilation + 1, wanted = tl_ceil_div(length, g->stride);
    const size_t needed = (wanted - 1) * g->stride + extent, missing = needed > length ? needed - length : 0;
    if (strcmp(mode, "NOTSET") == 0) return true;
    g->left = g->right = 0;
    if (strcmp(mode, "VALID") == 0) return true;
    if (strcmp(mode, "SAME_UPPER") != 0 && strcmp(mode, "SAME_LOWER") != 0)
        return tl_import_refuse(self, "its auto_pad is unknown");
    g->left = strcmp(mode, "SAME_UPPER") == 0 ? missing / 2 : missing - missing / 2;
    g->right = missing - g->left;
    return true;
}

static bool take_geometry(tl_import *self, const tl_import_value *value, place at, geometry *g) {
    *g = (geometry){0};
    if (!entry_of(self, "kernel_shape", at, (int64_t)g->taps, 1, &g->taps) || !entry_of(self, "strides", at, 1, 1, &g->stride) ||
        !entry_of(self, "dilations", at, 1, 1, &g->dilation) || !take_pads(self, at, g))
        return false;
    if (g->stride == 0 || g->dilation == 0) return tl_import_refuse(self, "its strides or dilations are 0");
    return g->taps == 0 || apply_auto_pad(self, value->length, g);
}

static size_t extent_of(const geometry *g) { return (g->taps - 1) * g->dilation + 1; }

/* The number of outputs; 0: none. */
static size_t outputs_of(const geometry *g, size_t length) {
    const size_t padded = length + g->left + g->right;
    return padded < extent_of(g) ? 0 : (padded - extent_of(g)) / g->stride + 1;
}

static json_t *padding_entry(const geometry *g, size_t length) {
    const size_t extent = extent_of(g), wanted = tl_ceil_div(length, g->stride);
    const size_t needed = (wanted - 1) * g->stride + extent, missing = needed > length ? needed - length : 0;
    if (g->left + g->right == 0) return json_object();
    if (g->left == missing / 2 && g->right == missing - g->left) return json_pack("{s:s}", "padding", "same");
    if (g->left == extent - 1 && g->right == 0) return json_pack("{s:s}", "padding", "causal");
    return json_pack("{s:s, s:I, s:I}", "padding", "explicit", "pad_left", (json_int_t)g->left, "pad_right", (json_int_t)g->right);
}

static json_t *window_entry(const char *taps, const geometry *g, size_t length) {
    json_t *entry = padding_entry(g, length);
    json_object_set_new(entry, taps, json_integer((json_int_t)g->taps));
    json_object_set_new(entry, "stride", json_integer((json_int_t)g->stride));
    return entry;
}

/* ---- convolutions ---- */

/* Copies weights with their axes in reverse order: (a, b, taps) → (taps, b, a). */
static void reverse(const tl_onnx_constant *weight, size_t taps, double *to) {
    const size_t a = weight->shape[0], b = weight->shape[1];
    for (size_t i = 0; to && i < weight->count; i++) to[(i % taps * b + i / taps % b) * a + i / taps / b] = weight->value[i];
}

static bool add_bias(tl_import *self, size_t layer, const tl_onnx_constant *bias, size_t count) {
    if (!bias) return true;
    double *to = tl_import_add_array(self, layer, "bias", count);
    if (to) memcpy(to, bias->value, count * sizeof *to);
    return to;
}

/* Reads the weights of a convolution over time, and its bias if there is one. */
static bool take_weights(tl_import *self, place at, const tl_onnx_constant **weight, const tl_onnx_constant **bias,
                         size_t filters_axis, size_t groups, geometry *g) {
    *weight = tl_import_constant(self, 1);
    *bias = tl_import_constant(self, 2);
    if (!*weight || (*weight)->rank != at.entries + 2 || (*weight)->count == 0)
        return tl_import_refuse(self, "its weights are not a constant with the same number of axes as its input");
    if ((*weight)->count != (*weight)->shape[0] * (*weight)->shape[1] * (*weight)->shape[2 + at.entry])
        return tl_import_refuse(self, "its kernel is not only along time");
    if (g->taps != 0 && g->taps != (*weight)->shape[2 + at.entry])
        return tl_import_refuse(self, "its kernel_shape differs from the shape of its weights");
    g->taps = (*weight)->shape[2 + at.entry];
    if (tl_import_input(self, 2) && (!*bias || (*bias)->count != (*weight)->shape[filters_axis] * groups))
        return tl_import_refuse(self, "its bias does not have one number for each filter");
    return true;
}

/* Whether these are the weights of the layer fixed_filters. */
static bool is_fixed(const tl_onnx_constant *weight, const geometry *g, const tl_onnx_constant *bias) {
    const size_t channels = weight->shape[1];
    tl_real taps[TL_FIXED_TAPS];
    if (bias || g->taps != TL_FIXED_TAPS || weight->shape[0] != TL_FIXED_FILTERS || g->stride != 1 || g->dilation != 1 ||
        g->left != (TL_FIXED_TAPS - 1) / 2 || g->right != TL_FIXED_TAPS / 2)
        return false;
    for (size_t f = 0; f < TL_FIXED_FILTERS; f++) {
        const size_t count = tl_fixed_filter(f, taps), first = (TL_FIXED_TAPS - 1) / 2 - (count - 1) / 2;
        for (size_t c = 0; c < channels; c++)
            for (size_t j = 0; j < TL_FIXED_TAPS; j++) {
                const double expected = j >= first && j < first + count ? (double)taps[j - first] : 0;
                if (weight->value[(f * channels + c) * TL_FIXED_TAPS + j] != expected) return false;
            }
    }
    return true;
}

static const char *const modes[] = {"zeros", "reflect", "replicate", "circular"};

static bool add_conv(tl_import *self, const tl_import_value *value, const tl_onnx_constant *weight, const tl_onnx_constant *bias,
                     const geometry *g, size_t groups, tl_padding_mode mode) {
    const size_t filters = weight->shape[0], length = outputs_of(g, value->length);
    if (is_fixed(weight, g, bias))
        return tl_import_give_layer(self, value,
                                    tl_import_add(self, "fixed_filters", &value->layer, 1, NULL, value->length, TL_FIXED_FILTERS));
    json_t *entry = window_entry("kernel", g, value->length);
    json_object_set_new(entry, "filters", json_integer((json_int_t)filters));
    json_object_set_new(entry, "dilation", json_integer((json_int_t)g->dilation));
    json_object_set_new(entry, "groups", json_integer((json_int_t)groups));
    json_object_set_new(entry, "padding_mode", json_string(modes[mode]));
    json_object_set_new(entry, "bias", json_boolean(bias));
    const size_t layer = tl_import_add(self, "conv1d", &value->layer, 1, entry, length, filters);
    reverse(weight, g->taps, tl_import_add_array(self, layer, "weight", weight->count));
    return add_bias(self, layer, bias, filters) && tl_import_give_layer(self, value, layer);
}

/* Adds the padding of the operation before to the convolution, unless they are of different kinds. */
static bool join_padding(tl_import *self, const tl_import_value *value, geometry *g, tl_padding_mode *mode) {
    *mode = TL_PADDING_MODE_ZEROS;
    if (value->pad_left + value->pad_right == 0) return true;
    if (value->pad_mode != TL_PADDING_MODE_ZEROS && g->left + g->right > 0)
        return tl_import_refuse(self, "it pads with zeros after another kind of padding");
    *mode = value->pad_mode;
    g->left += value->pad_left;
    g->right += value->pad_right;
    return true;
}

static bool take_conv(tl_import *self) {
    const tl_import_value *value = tl_import_input(self, 0);
    const tl_onnx_constant *weight, *bias;
    const int64_t groups = tl_import_int(self, "group", 1);
    tl_padding_mode mode;
    place at;
    geometry g;
    if (!value || value->kind != TL_IMPORT_LAYER || strpbrk(value->axes, "GWR"))
        return tl_import_refuse(self, "input 0 is not the output of an earlier operation");
    if (!find_time(self, value, &at) || !take_geometry(self, value, at, &g) || !take_weights(self, at, &weight, &bias, 0, 1, &g) ||
        !apply_auto_pad(self, value->length, &g) || !join_padding(self, value, &g, &mode))
        return false;
    if (groups < 1 || (size_t)groups > value->channels || value->channels % (size_t)groups != 0 ||
        weight->shape[0] % (size_t)groups != 0 || weight->shape[1] != value->channels / (size_t)groups)
        return tl_import_refuse(self, "its weights are for %zu channels in %lld groups; its input has %zu", weight->shape[1],
                                (long long)groups, value->channels);
    if (outputs_of(&g, value->length) == 0)
        return tl_import_refuse(self, "its kernel is longer than its input of %zu steps", value->length);
    return add_conv(self, value, weight, bias, &g, (size_t)groups, mode);
}

static bool take_conv_transpose(tl_import *self) {
    const tl_import_value *value = tl_import_layer_input(self, 0);
    const tl_onnx_constant *weight, *bias;
    int64_t list[2 * TL_ONNX_RANK];
    place at;
    geometry g;
    size_t more;
    if (!value || !find_time(self, value, &at) || !take_geometry(self, value, at, &g) ||
        !take_weights(self, at, &weight, &bias, 1, 1, &g) || !entry_of(self, "output_padding", at, 0, 0, &more))
        return false;
    if (tl_import_int(self, "group", 1) != 1 || tl_import_list(self, "output_shape", list) > 0 ||
        strcmp(tl_import_text(self, "auto_pad", "NOTSET"), "NOTSET") != 0 || weight->shape[0] != value->channels)
        return tl_import_refuse(self, "it has groups, an output_shape or an auto_pad");
    const size_t whole = (value->length - 1) * g.stride + extent_of(&g) + more, filters = weight->shape[1];
    if (whole <= g.left + g.right) return tl_import_refuse(self, "it has no outputs");
    const size_t layer = tl_import_add(self, "conv1d_transpose", &value->layer, 1,
                                       json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:b}", "filters", (json_int_t)filters,
                                                 "kernel", (json_int_t)g.taps, "stride", (json_int_t)g.stride, "dilation",
                                                 (json_int_t)g.dilation, "pad_left", (json_int_t)g.left, "pad_right",
                                                 (json_int_t)g.right, "output_padding", (json_int_t)more, "bias", bias != NULL),
                                       whole - g.left - g.right, filters);
    reverse(weight, g.taps, tl_import_add_array(self, layer, "weight", weight->count));
    return add_bias(self, layer, bias, filters) && tl_import_give_layer(self, value, layer);
}

/* ---- pools ---- */

/* With ceil_mode, the last window may end after the padded input, but not start after it. */
static void apply_ceil(geometry *g, size_t length) {
    const size_t padded = length + g->left + g->right;
    if (padded < g->taps) return;
    size_t windows = tl_ceil_div(padded - g->taps, g->stride) + 1;
    if ((windows - 1) * g->stride >= length + g->left) windows--;
    const size_t needed = (windows - 1) * g->stride + g->taps;
    if (needed > padded) g->right += needed - padded;
}

static bool take_pool(tl_import *self, const char *type) {
    const tl_import_value *value = tl_import_layer_input(self, 0);
    const bool mean = strcmp(type, "average_pool") == 0;
    place at;
    geometry g;
    if (!value || !find_time(self, value, &at) || !take_geometry(self, value, at, &g)) return false;
    if (g.taps == 0 || g.dilation != 1) return tl_import_refuse(self, "it has no kernel_shape, or dilations");
    if (mean && tl_import_int(self, "count_include_pad", 0) != 0 && g.left + g.right > 0)
        return tl_import_refuse(self, "its mean includes padding (count_include_pad); in tapline, means do not");
    if (tl_import_int(self, "ceil_mode", 0) != 0) apply_ceil(&g, value->length);
    const size_t length = outputs_of(&g, value->length);
    if (length == 0 || g.left >= g.taps || g.right >= g.taps) return tl_import_refuse(self, "its windows are outside of its input");
    return tl_import_give_layer(
        self, value,
        tl_import_add(self, type, &value->layer, 1, window_entry("window", &g, value->length), length, value->channels));
}

static bool take_max_pool(tl_import *self) { return take_pool(self, "max_pool"); }
static bool take_average_pool(tl_import *self) { return take_pool(self, "average_pool"); }

/* ---- all of time ---- */

static size_t add_global(tl_import *self, const tl_import_value *value, const char *type) {
    return tl_import_add(self, type, &value->layer, 1, NULL, 1, value->channels);
}

static bool take_global(tl_import *self, const char *type) {
    const tl_import_value *value = tl_import_layer_input(self, 0);
    place at;
    return value && find_time(self, value, &at) && tl_import_give_layer(self, value, add_global(self, value, type));
}

static bool take_global_average(tl_import *self) { return take_global(self, "global_average_pool"); }
static bool take_global_maximum(tl_import *self) { return take_global(self, "global_max_pool"); }

static bool take_reduction(tl_import *self, const char *type) {
    const tl_import_value *value = tl_import_layer_input(self, 0);
    bool reduced[TL_ONNX_RANK] = {false};
    int64_t list[2 * TL_ONNX_RANK];
    const size_t count = tl_import_integers(self, "axes", 1, list);
    if (!value || !tl_import_mark_axes(self, list, count, tl_import_rank(value), reduced)) return false;
    const size_t rank = tl_import_rank(value), time = tl_import_axis(value, TL_AXIS_LENGTH);
    bool fits = time < rank && reduced[time];
    for (size_t i = 0; fits && i < rank; i++) fits = !reduced[i] || i == time || value->axes[i] == TL_AXIS_ONE;
    if (!fits) return tl_import_refuse(self, "it is not only over time");
    tl_import_value seen = *value;
    size_t kept = 0;
    for (size_t i = 0; i < rank; i++)
        if (!reduced[i] || tl_import_int(self, "keepdims", 1) != 0) seen.axes[kept++] = value->axes[i];
    seen.axes[kept] = '\0';
    return tl_import_give_layer(self, &seen, add_global(self, value, type));
}

static bool take_reduce_mean(tl_import *self) { return take_reduction(self, "global_average_pool"); }
static bool take_reduce_max(tl_import *self) { return take_reduction(self, "global_max_pool"); }

/* ---- padding and upsampling ---- */

/* Whether padding with a constant pads with 0: the value is an input, in early operator sets an attribute. */
static bool pads_with_zeros(tl_import *self) {
    const tl_onnx_constant *filler = tl_import_constant(self, 2);
    if (!filler) return !tl_import_input(self, 2) && tl_import_number(self, "value", 0) == 0;
    return filler->count == 0 || (filler->count == 1 && filler->value[0] == 0);
}

static bool take_pad(tl_import *self) {
    static const char *const names[] = {"constant", "reflect", "edge", "wrap"};
    const tl_import_value *value = tl_import_layer_input(self, 0);
    int64_t list[2 * TL_ONNX_RANK];
    size_t mode = 0;
    if (!value) return false;
    const size_t rank = tl_import_rank(value), count = tl_import_integers(self, "pads", 1, list),
                 time = tl_import_axis(value, TL_AXIS_LENGTH);
    const char *name = tl_import_text(self, "mode", "constant");
    while (mode < 4 && strcmp(names[mode], name) != 0) mode++;
    if (count != 2 * rank || time == rank || mode == 4 || tl_import_input(self, 3))
        return tl_import_refuse(self, "its pads are not constants, or its mode is unknown");
    for (size_t i = 0; i < count; i++)
        if (list[i] < 0 || list[i] > INT_MAX || (i % rank != time && list[i] != 0))
            return tl_import_refuse(self, "its pads are negative, or not only along time");
    if (mode == 0 && !pads_with_zeros(self)) return tl_import_refuse(self, "it pads with a number that is not 0");
    tl_import_value padded = *value;
    padded.pad_left = (size_t)list[time];
    padded.pad_right = (size_t)list[rank + time];
    padded.pad_mode = (tl_padding_mode)mode;
    return tl_import_give_view(self, &padded);
}

/* The factor of time, from the scales or from the sizes of the result. Returns 0 if other axes change too. */
static double factor_of(tl_import *self, const tl_import_value *value) {
    const size_t rank = tl_import_rank(value), time = tl_import_axis(value, TL_AXIS_LENGTH);
    const size_t last = strcmp(self->file->operation[self->operation].type, "Upsample") == 0 ? 1 : 2;
    const tl_onnx_constant *sizes = tl_import_constant(self, 3), *given = sizes ? sizes : tl_import_constant(self, last);
    if (time == rank || !given || given->count != rank) return 0;
    for (size_t i = 1; i < rank; i++) { /* the first axis is that of the batch */
        const double same = !sizes ? 1 : value->axes[i] == TL_AXIS_CHANNELS ? (double)value->channels : 1;
        if (i != time && given->value[i] != same) return 0;
    }
    return given->value[time] / (sizes ? (double)value->length : 1);
}

static bool take_resize(tl_import *self) {
    const tl_import_value *value = tl_import_layer_input(self, 0);
    if (!value) return false;
    const double factor = factor_of(self, value);
    const char *mode = tl_import_text(self, "mode", "nearest"),
               *where =
                   tl_import_text(self, "coordinate_transformation_mode", self->file->opset < 11 ? "asymmetric" : "half_pixel"),
               *nearest = tl_import_text(self, "nearest_mode", self->file->opset < 11 ? "floor" : "round_prefer_floor");
    const bool linear = strcmp(mode, "linear") == 0, half = strstr(where, "half_pixel"), floors = strcmp(nearest, "floor") == 0;
    const bool repeats = strcmp(mode, "nearest") == 0 && ((strcmp(where, "asymmetric") == 0 && floors) ||
                                                          (strcmp(where, "half_pixel") == 0 && strncmp(nearest, "round", 5) == 0));
    if (!(factor >= 1 && factor <= 4096) || factor != floor(factor))
        return tl_import_refuse(self, "its factor is not an integer, or not only along time");
    if (!repeats && !(linear && half)) return tl_import_refuse(self, "its mode is neither nearest nor linear with half_pixel");
    return tl_import_give_layer(self, value,
                                tl_import_add(self, "upsample", &value->layer, 1,
                                              json_pack("{s:i, s:b}", "factor", (int)factor, "linear", linear),
                                              value->length * (size_t)factor, value->channels));
}

const tl_import_operator tl_import_windows[] = {
    {"Conv", take_conv},
    {"ConvTranspose", take_conv_transpose},
    {"MaxPool", take_max_pool},
    {"AveragePool", take_average_pool},
    {"GlobalAveragePool", take_global_average},
    {"GlobalMaxPool", take_global_maximum},
    {"ReduceMean", take_reduce_mean},
    {"ReduceMax", take_reduce_max},
    {"Pad", take_pad},
    {"Resize", take_resize},
    {"Upsample", take_resize},
    {NULL, NULL},
};
