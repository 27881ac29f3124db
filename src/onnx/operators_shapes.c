/* Operators that move elements. Most of them need no layer. */
#include "onnx/operators.h"

#include "base/math.h"
#include "onnx/onnx.h"

#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The input if it is the output of a layer, with its pending padding; else refuses and returns NULL. */
static const tl_import_value *movable_input(tl_import *self) {
    const tl_import_value *value = tl_import_input(self, 0);
    if (value && value->kind == TL_IMPORT_LAYER && !strpbrk(value->axes, "GWR")) return value;
    tl_import_refuse(self, "input 0 is not the output of an earlier operation");
    return NULL;
}

static bool take_view(tl_import *self) {
    const tl_import_value *value = movable_input(self);
    return value && tl_import_give_view(self, value);
}

static bool give_axes(tl_import *self, const tl_import_value *value, const char *axes) {
    tl_import_value view = *value;
    memset(view.axes, 0, sizeof view.axes);
    memcpy(view.axes, axes, strlen(axes));
    return tl_import_give_view(self, &view);
}

/* ---- orders of axes ---- */

static bool take_transpose(tl_import *self) {
    const tl_import_value *value = movable_input(self);
    int64_t order[2 * TL_ONNX_RANK];
    char axes[TL_ONNX_RANK + 1] = "";
    if (!value) return false;
    const size_t rank = tl_import_rank(value), count = tl_import_list(self, "perm", order);
    for (size_t i = 0; i < rank; i++) {
        const int64_t from = count == 0 ? (int64_t)(rank - 1 - i) : i < count ? order[i] : -1;
        if (from < 0 || from >= (int64_t)rank || strchr(axes, value->axes[from]) != NULL) {
            if (from < 0 || from >= (int64_t)rank || value->axes[from] != TL_AXIS_ONE)
                return tl_import_refuse(self, "its perm is not a permutation of the axes of its input");
        }
        axes[i] = value->axes[from];
    }
    return give_axes(self, value, axes);
}

static bool is_single(const tl_import_value *value, size_t axis) {
    const char kind = value->axes[axis];
    return kind == TL_AXIS_ONE || (kind == TL_AXIS_LENGTH && value->length == 1) ||
           (kind == TL_AXIS_CHANNELS && value->channels == 1);
}

static bool take_squeeze(tl_import *self) {
    const tl_import_value *value = movable_input(self);
    bool gone[TL_ONNX_RANK] = {false};
    char axes[TL_ONNX_RANK + 1] = "";
    int64_t list[2 * TL_ONNX_RANK];
    size_t kept = 0;
    const size_t count = tl_import_integers(self, "axes", 1, list);
    if (!value || !tl_import_mark_axes(self, list, count, tl_import_rank(value), gone)) return false;
    for (size_t i = 0; i < tl_import_rank(value); i++) {
        if (count > 0 && gone[i] && !is_single(value, i)) return tl_import_refuse(self, "axis %zu is not of size 1", i);
        if (count > 0 ? !gone[i] : !is_single(value, i)) axes[kept++] = value->axes[i];
    }
    return give_axes(self, value, axes);
}

static bool take_unsqueeze(tl_import *self) {
    const tl_import_value *value = movable_input(self);
    bool added[TL_ONNX_RANK] = {false};
    char axes[TL_ONNX_RANK + 1] = "";
    int64_t list[2 * TL_ONNX_RANK];
    if (!value) return false;
    const size_t count = tl_import_integers(self, "axes", 1, list), rank = tl_import_rank(value) + count;
    size_t from = 0;
    if (rank > TL_ONNX_RANK) return tl_import_refuse(self, "its result has %zu axes; the limit is %d", rank, TL_ONNX_RANK);
    if (!tl_import_mark_axes(self, list, count, rank, added)) return false;
    for (size_t i = 0; i < rank; i++) {
        if (added[i])
            axes[i] = TL_AXIS_ONE;
        else
            axes[i] = value->axes[from++];
    }
    return give_axes(self, value, axes);
}

/* ---- reshapes ---- */

static size_t size_of(const tl_import_value *value, size_t axis) {
    const char kind = value->axes[axis];
    return kind == TL_AXIS_CHANNELS ? value->channels : kind == TL_AXIS_LENGTH ? value->length : 1;
}

/* The requested sizes of a reshape after the batch. */
typedef struct target {
    size_t rank, size[TL_ONNX_RANK]; /* includes the axis of the batch, whose size is ignored */
} target;

/* Replaces 0 and -1 by sizes: the number of elements of a sample does not change. */
static bool resolve(tl_import *self, const tl_import_value *value, const tl_onnx_constant *shape, target *to) {
    const size_t all = value->channels * value->length;
    size_t known = 1, open = 0;
    *to = (target){.rank = shape->count};
    if (shape->count < 1 || shape->count > TL_ONNX_RANK) return tl_import_refuse(self, "its shape has %zu axes", shape->count);
    for (size_t i = 1; i < shape->count; i++) {
        const double size = shape->value[i];
        if (isnan(size) || size > INT_MAX || size < -1 || (size == -1 && open > 0))
            return tl_import_refuse(self, "its shape depends on the batch, and not only in its first axis");
        if (size == 0 && i >= tl_import_rank(value))
            return tl_import_refuse(self, "its shape has a 0 for an axis that the input does not have");
        if (size == -1) open = i;
        to->size[i] = size == -1 ? 1 : size == 0 ? size_of(value, i) : (size_t)size;
        known *= to->size[i];
        if (known == 0 || known > all) return tl_import_refuse(self, "its shape does not match the number of elements of a sample");
    }
    if (open > 0) to->size[open] = all / known;
    return known * (open > 0 ? to->size[open] : 1) == all ||
           tl_import_refuse(self, "it mixes samples: a sample has %zu elements before and %zu after", all, known);
}

/* The axes of the value whose size is not 1, in order. */
static size_t wide_axes(const tl_import_value *value, char axes[TL_ONNX_RANK + 1]) {
    size_t count = 0;
    for (size_t i = 1; i < tl_import_rank(value); i++)
        if (!is_single(value, i)) axes[count++] = value->axes[i];
    axes[count] = '\0';
    return count;
}

/* The same axes, with additional axes of size 1 between them. */
static bool keeps_axes(const tl_import_value *value, const target *to, char axes[TL_ONNX_RANK + 1]) {
    char wide[TL_ONNX_RANK + 1];
    const size_t count = wide_axes(value, wide);
    size_t met = 0;
    axes[0] = TL_AXIS_BATCH;
    for (size_t i = 1; i < to->rank; i++) {
        axes[i] = TL_AXIS_ONE;
        if (to->size[i] == 1) continue;
        if (met == count || to->size[i] != (wide[met] == TL_AXIS_CHANNELS ? value->channels : value->length)) return false;
        axes[i] = wide[met++];
    }
    axes[to->rank] = '\0';
    return met == count;
}

/* All elements of a sample on one axis. */
static bool give_flat(tl_import *self, const tl_import_value *value, const target *to) {
    char axes[TL_ONNX_RANK + 1] = "", wide[TL_ONNX_RANK + 1];
    tl_import_value flat = *value;
    wide_axes(value, wide);
    for (size_t i = 0; i < to->rank; i++)
        axes[i] = (char)(i == 0 ? TL_AXIS_BATCH : to->size[i] == 1 ? TL_AXIS_ONE : TL_AXIS_CHANNELS);
    memcpy(flat.axes, axes, sizeof flat.axes);
    const bool channels_first = wide[0] == TL_AXIS_CHANNELS && value->axes[0] == TL_AXIS_BATCH; /* unlike tapline */
    flat.flat_length = channels_first ? value->length : 0;
    flat.layer = tl_import_add(self, "flatten", &value->layer, 1, NULL, 1, value->length * value->channels);
    return tl_import_give_layer(self, &flat, flat.layer);
}

/* Reverses a flatten. */
static bool give_unflattened(tl_import *self, const tl_import_value *value, const target *to) {
    if (!tl_import_is(self, value->layer, "flatten")) return false;
    const size_t before = self->layer[value->layer].input[0];
    tl_import_value whole = *value;
    char axes[TL_ONNX_RANK + 1];
    whole.layer = before;
    whole.length = self->layer[before].length;
    whole.channels = self->layer[before].channels;
    memcpy(whole.axes, value->flat_length > 0 ? "NCL" : "NLC", 4);
    whole.flat_length = 0;
    whole.sole = false;
    if (!keeps_axes(&whole, to, axes)) return false;
    memcpy(whole.axes, axes, sizeof axes);
    return tl_import_give_view(self, &whole);
}

static size_t wide_sizes(const target *to) {
    size_t count = 0;
    for (size_t i = 1; i < to->rank; i++) count += to->size[i] != 1;
    return count;
}

static bool reshape(tl_import *self, const tl_import_value *value, const tl_onnx_constant *shape) {
    target to;
    char axes[TL_ONNX_RANK + 1];
    const bool grouped = strcmp(value->axes, "NGW") == 0, repeated = strcmp(value->axes, "NLRC") == 0;
    tl_import_value plain = *value;
    if (grouped) memcpy(plain.axes, "NCL", 4);
    if (repeated) memcpy(plain.axes, "NLC", 4);
    if (!resolve(self, &plain, shape, &to)) return false;
    if (keeps_axes(&plain, &to, axes)) return give_axes(self, &plain, axes);
    if (wide_sizes(&to) == 1 && !grouped) return give_flat(self, value, &to);
    if (give_unflattened(self, value, &to)) return true;
    if (to.rank == 3 && to.size[1] > 0 && strcmp(value->axes, "NCL") == 0 && value->channels % to.size[1] == 0)
        return give_axes(self, value, "NGW");
    return tl_import_refuse(self, "its shape joins or splits axes, and is not a flatten");
}

/* Joins the steps of all samples on one axis, as Keras does before a product; and reverses this. */
static bool merge_steps(tl_import *self, const tl_import_value *value, const tl_onnx_constant *shape) {
    const bool open = shape->count > 0 && (isnan(shape->value[0]) || shape->value[0] == -1);
    if (shape->count == 2 && open && strcmp(value->axes, "NLC") == 0 && shape->value[1] == (double)value->channels &&
        value->length > 1)
        return give_axes(self, value, "BC");
    if (shape->count == 3 && strcmp(value->axes, "BC") == 0 && shape->value[2] == (double)value->channels &&
        (shape->value[1] == (double)value->length || shape->value[1] == -1))
        return give_axes(self, value, "NLC");
    return false;
}

static bool take_reshape(tl_import *self) {
    const tl_import_value *value = tl_import_input(self, 0);
    const tl_onnx_constant *shape = tl_import_constant(self, 1);
    if (!value || value->kind != TL_IMPORT_LAYER || value->pad_left + value->pad_right > 0)
        return tl_import_refuse(self, "input 0 is not the output of an earlier operation");
    if (!strchr("NB", value->axes[0])) return tl_import_refuse(self, "its first axis is not that of the batch");
    if (!shape || shape->rank > 1) return tl_import_refuse(self, "its shape is not a constant");
    return merge_steps(self, value, shape) || reshape(self, value, shape);
}

/* Repeats steps, as written by Keras: (batch, length, 1, channels), then a reshape that joins repeats and steps. */
static bool take_tile(tl_import *self) {
    const tl_import_value *value = tl_import_layer_input(self, 0);
    const tl_onnx_constant *repeats = tl_import_constant(self, 1);
    if (!value) return false;
    const bool known = strcmp(value->axes, "NL1C") == 0 && repeats && repeats->count == 4 && repeats->value[0] == 1 &&
                       repeats->value[1] == 1 && repeats->value[3] == 1 && repeats->value[2] >= 1 && repeats->value[2] <= 4096;
    if (!known) return tl_import_refuse(self, "it repeats an axis that is not time");
    const size_t factor = (size_t)repeats->value[2];
    tl_import_value like = *value;
    memcpy(like.axes, "NLRC", 5);
    return tl_import_give_layer(self, &like,
                                tl_import_add(self, "upsample", &value->layer, 1, json_pack("{s:I}", "factor", (json_int_t)factor),
                                              value->length * factor, value->channels));
}

static bool take_flatten(tl_import *self) {
    const tl_import_value *value = tl_import_layer_input(self, 0);
    const tl_onnx_constant shape = {.rank = 1, .shape = {2}, .count = 2, .value = (double[]){NAN, -1}};
    if (!value) return false;
    if (value->axes[0] != TL_AXIS_BATCH) return tl_import_refuse(self, "its first axis is not that of the batch");
    if (tl_import_int(self, "axis", 1) != 1) return tl_import_refuse(self, "its axis is not 1");
    if (value->channels == 1 && value->length > 1) return give_flat(self, value, &(target){.rank = 2, .size = {1, value->length}});
    return reshape(self, value, &shape);
}

/* ---- parts ---- */

/* The steps from `first` to `end` of a convolution with stride 1 are the output of a convolution with less padding. */
static bool cut_padding(tl_import *self, const tl_import_value *value, size_t first, size_t end) {
    if (!tl_import_may_change(self, value, "conv1d")) return false;
    json_t *entry = self->layer[value->layer].entry;
    const char *padding = json_string_value(json_object_get(entry, "padding")),
               *mode = json_string_value(json_object_get(entry, "padding_mode"));
    const json_int_t stride = json_integer_value(json_object_get(entry, "stride"));
    const json_int_t extent =
        (json_integer_value(json_object_get(entry, "kernel")) - 1) * json_integer_value(json_object_get(entry, "dilation")) + 1;
    json_int_t left = json_integer_value(json_object_get(entry, "pad_left")),
               right = json_integer_value(json_object_get(entry, "pad_right"));
    if (!padding || !mode || stride != 1 || strcmp(mode, "zeros") != 0) return false;
    if (strcmp(padding, "same") == 0) left = (extent - 1) / 2, right = extent - 1 - left;
    if (strcmp(padding, "causal") == 0) left = extent - 1;
    left -= (json_int_t)first;
    right -= (json_int_t)(value->length - end);
    if (left < 0 || right < 0) return false;
    const bool causal = right == 0 && left == extent - 1;
    json_object_del(entry, "pad_left");
    json_object_del(entry, "pad_right");
    json_object_set_new(entry, "padding", json_string(causal ? "causal" : "explicit"));
    if (!causal) json_object_set_new(entry, "pad_left", json_integer(left));
    if (!causal) json_object_set_new(entry, "pad_right", json_integer(right));
    self->layer[value->layer].length = end - first;
    return true;
}

/* Cuts the steps from `first` to `end` after any layer: a depthwise convolution whose kernel has a single 1. */
static size_t add_cut(tl_import *self, const tl_import_value *value, size_t first, size_t end) {
    const size_t taps = value->length - (end - first) + 1, channels = value->channels;
    const size_t layer = tl_import_add(self, "conv1d", &value->layer, 1,
                                       json_pack("{s:I, s:I, s:I, s:b}", "filters", (json_int_t)channels, "kernel",
                                                 (json_int_t)taps, "groups", (json_int_t)channels, "bias", 0),
                                       end - first, channels);
    double *weight = tl_import_add_array(self, layer, "weight", taps * channels);
    for (size_t c = 0; weight && c < channels; c++) weight[first * channels + c] = 1;
    return layer;
}

static bool give_steps(tl_import *self, const tl_import_value *value, size_t first, size_t end) {
    tl_import_value view = *value;
    if (first == 0 && end == value->length) return tl_import_give_view(self, value);
    if (end <= first) return tl_import_refuse(self, "no steps remain");
    if (first + 1 == value->length)
        return tl_import_give_layer(self, value, tl_import_add(self, "last_step", &value->layer, 1, NULL, 1, value->channels));
    if (!cut_padding(self, value, first, end)) return tl_import_give_layer(self, value, add_cut(self, value, first, end));
    view.length = end - first;
    return tl_import_give_view(self, &view);
}

static bool give_channels(tl_import *self, const tl_import_value *value, size_t first, size_t end) {
    if (first == 0 && end == value->channels) return tl_import_give_view(self, value);
    if (end <= first || value->flat_length > 0) return tl_import_refuse(self, "no channels remain, or it cuts a flattened value");
    size_t *list = malloc((end - first) * sizeof *list);
    for (size_t c = first; list && c < end; c++) list[c - first] = c;
    if (!list) self->short_of_memory = true;
    const bool done = list && tl_import_select(self, value, list, end - first);
    free(list);
    return done;
}

/* The part from `first` to `end` of an axis. */
static bool give_part(tl_import *self, const tl_import_value *value, size_t axis, size_t first, size_t end) {
    if (axis == tl_import_axis(value, TL_AXIS_LENGTH)) return give_steps(self, value, first, end);
    if (axis == tl_import_axis(value, TL_AXIS_CHANNELS)) return give_channels(self, value, first, end);
    return tl_import_refuse(self, "it cuts an axis that is neither time nor channels");
}

static bool find_axis(tl_import *self, const tl_import_value *value, double axis, size_t *at) {
    const double rank = (double)tl_import_rank(value), from = axis < 0 ? axis + rank : axis;
    *at = 0;
    if (!(from >= 0 && from < rank)) return tl_import_refuse(self, "its axis does not exist in its input");
    *at = (size_t)from;
    return true;
}

static double clamp(double place, double size) { return fmin(fmax(place < 0 ? place + size : place, 0), size); }

/* Bounds are inputs; in early operator sets, attributes. Returns false if they are not constant. */
static bool slice_list(tl_import *self, size_t input, const char *name, double list[TL_ONNX_RANK], size_t *count) {
    int64_t wholes[2 * TL_ONNX_RANK];
    const tl_onnx_constant *given = tl_import_constant(self, input);
    *count = given ? given->count : tl_import_list(self, name, wholes);
    if (*count > TL_ONNX_RANK || (tl_import_input(self, input) && !given)) return false;
    for (size_t i = 0; i < *count; i++) list[i] = given ? given->value[i] : (double)wholes[i];
    return true;
}

/* Reads the bounds of a slice. Only one axis may be cut. */
typedef struct bounds {
    double first[TL_ONNX_RANK], end[TL_ONNX_RANK], axis[TL_ONNX_RANK], step[TL_ONNX_RANK];
    size_t count;
} bounds;

static bool take_bounds(tl_import *self, bounds *b) {
    size_t ends, axes, steps;
    if (!slice_list(self, 1, "starts", b->first, &b->count) || !slice_list(self, 2, "ends", b->end, &ends) ||
        !slice_list(self, 3, "axes", b->axis, &axes) || !slice_list(self, 4, "steps", b->step, &steps) || b->count == 0 ||
        ends != b->count || (axes > 0 && axes != b->count) || (steps > 0 && steps != b->count))
        return false;
    for (size_t i = 0; i < b->count; i++) {
        if (axes == 0) b->axis[i] = (double)i;
        if (isnan(b->first[i]) || isnan(b->end[i]) || (steps > 0 && b->step[i] != 1)) return false;
    }
    return true;
}

static bool take_slice(tl_import *self) {
    const tl_import_value *value = tl_import_layer_input(self, 0);
    bounds b;
    size_t cut = 0, first = 0, end = 0;
    if (!value) return false;
    if (!take_bounds(self, &b)) return tl_import_refuse(self, "its bounds are not constants, or have steps");
    for (size_t i = 0, axis; i < b.count; i++) {
        if (!find_axis(self, value, b.axis[i], &axis)) return false;
        const bool batch = value->axes[axis] == TL_AXIS_BATCH;
        const double size = batch ? INT_MAX : (double)size_of(value, axis), low = clamp(b.first[i], size),
                     high = clamp(b.end[i], size);
        if (low == 0 && high == size) continue;
        if (cut > 0 || batch) return tl_import_refuse(self, "it cuts several axes, or the batch");
        cut = axis;
        first = (size_t)low;
        end = (size_t)fmax(low, high);
    }
    return cut == 0 ? tl_import_give_view(self, value) : give_part(self, value, cut, first, end);
}

/* Looks up rows of a table. */
static bool take_embedding(tl_import *self, const tl_import_value *value, const tl_onnx_constant *table) {
    const size_t rank = tl_import_rank(value);
    char axes[TL_ONNX_RANK + 2] = "";
    if (table->rank != 2 || value->channels != 1 || rank >= TL_ONNX_RANK || table->count == 0 ||
        tl_import_int(self, "axis", 0) != 0)
        return tl_import_refuse(self, "it is not a lookup in a table with the numbers of one channel");
    memcpy(axes, value->axes, rank);
    for (size_t i = 0; i < rank; i++)
        if (axes[i] == TL_AXIS_CHANNELS) axes[i] = TL_AXIS_ONE;
    axes[rank] = TL_AXIS_CHANNELS;
    tl_import_value like = *value;
    memcpy(like.axes, axes, sizeof like.axes);
    const size_t layer =
        tl_import_add(self, "embedding", &value->layer, 1,
                      json_pack("{s:I, s:I}", "vocabulary", (json_int_t)table->shape[0], "units", (json_int_t)table->shape[1]),
                      value->length, table->shape[1]);
    double *to = tl_import_add_array(self, layer, "table", table->count);
    if (to) memcpy(to, table->value, table->count * sizeof *to);
    return tl_import_give_layer(self, &like, layer);
}

static bool take_gather(tl_import *self) {
    const tl_import_value *first = tl_import_input(self, 0), *second = tl_import_input(self, 1);
    size_t axis;
    if (first && second && first->kind == TL_IMPORT_CONSTANT && second->kind == TL_IMPORT_LAYER)
        return tl_import_layer_input(self, 1) && take_embedding(self, second, &first->constant);
    const tl_import_value *value = tl_import_layer_input(self, 0);
    const tl_onnx_constant *index = tl_import_constant(self, 1);
    if (!value) return false;
    if (!index || index->count != 1 || index->rank > 1 || !find_axis(self, value, (double)tl_import_int(self, "axis", 0), &axis))
        return tl_import_refuse(self, "its index is not a constant number");
    const double size = (double)size_of(value, axis), place = index->value[0] < 0 ? index->value[0] + size : index->value[0];
    if (!(place >= 0 && place < size))
        return tl_import_refuse(self, "its index %g is outside of its axis of size %g", index->value[0], size);
    tl_import_value like = *value;
    if (index->rank == 0) memmove(&like.axes[axis], &like.axes[axis + 1], TL_ONNX_RANK - axis);
    const size_t from = (size_t)place;
    const bool steps = axis == tl_import_axis(value, TL_AXIS_LENGTH);
    if (!steps) return tl_import_refuse(self, "it selects an element of an axis that is not time");
    const size_t layer = from + 1 == value->length ? tl_import_add(self, "last_step", &value->layer, 1, NULL, 1, value->channels)
                                                   : add_cut(self, value, from, from + 1);
    return tl_import_give_layer(self, &like, layer);
}

/* The size of part `i` of a split, from the attribute or the second input; without both, parts are equal. NaN if it is unknown. */
static double part_size(tl_import *self, size_t i, size_t equal) {
    const tl_onnx_setting *listed = tl_onnx_find(self->file, &self->file->operation[self->operation], "split");
    const tl_onnx_constant *given = tl_import_constant(self, 1);
    if (given) return i < given->count ? given->value[i] : NAN;
    if (listed) return i < listed->wholes.count ? (double)self->file->whole[listed->wholes.first + i] : NAN;
    return tl_import_input(self, 1) ? NAN : (double)equal;
}

static bool take_split(tl_import *self) {
    const tl_import_value *value = tl_import_layer_input(self, 0);
    const size_t parts = self->file->operation[self->operation].outputs.count;
    size_t axis, first = 0;
    if (!value || !find_axis(self, value, (double)tl_import_int(self, "axis", 0), &axis)) return false;
    const size_t size = size_of(value, axis), equal = parts > 0 ? tl_ceil_div(size, parts) : 0;
    tl_import_value whole = *value;
    whole.sole = false; /* all parts read its layer */
    for (size_t i = 0; i < parts; i++) {
        const double part = part_size(self, i, tl_min(equal, size - first));
        if (!(part >= 1 && part <= (double)(size - first)))
            return tl_import_refuse(self, "its parts are not constants, or do not add up to its input");
        tl_import_turn_to(self, i);
        const bool done = give_part(self, &whole, axis, first, first + (size_t)part);
        tl_import_turn_to(self, i);
        if (!done) return false;
        first += (size_t)part;
    }
    return true;
}

/* ---- shapes as values ---- */

static bool take_shape(tl_import *self) {
    const tl_import_value *value = tl_import_layer_input(self, 0);
    tl_onnx_constant shape;
    if (!value) return false;
    const size_t rank = tl_import_rank(value);
    const int64_t start = tl_import_int(self, "start", 0), end = tl_import_int(self, "end", (int64_t)rank);
    const size_t first = (size_t)clamp((double)start, (double)rank), last = (size_t)clamp((double)end, (double)rank);
    const size_t count = last > first ? last - first : 0;
    if (!tl_onnx_constant_new(&self->file->pool, 1, &count, SIZE_MAX, &shape)) {
        self->short_of_memory = true;
        return false;
    }
    shape.whole = true;
    for (size_t i = 0; i < count; i++)
        shape.value[i] = value->axes[first + i] == TL_AXIS_BATCH ? NAN : (double)size_of(value, first + i);
    return tl_import_give_constant(self, &shape);
}

/* A cast to integers is assumed to have integers as input. */
static bool take_cast(tl_import *self) { return take_view(self); }

const tl_import_operator tl_import_shapes[] = {
    {"Identity", take_view},   {"Dropout", take_view},
    {"Cast", take_cast},       {"Transpose", take_transpose},
    {"Reshape", take_reshape}, {"Flatten", take_flatten},
    {"Squeeze", take_squeeze}, {"Unsqueeze", take_unsqueeze},
    {"Slice", take_slice},     {"Gather", take_gather},
    {"Split", take_split},     {"Tile", take_tile},
    {"Shape", take_shape},     {NULL, NULL},
};
