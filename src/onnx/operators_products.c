/* Products of matrices, and normalisation. */
#include "onnx/operators.h"

#include <math.h>
#include <string.h>

/* ---- dense ---- */

/* Makes channels of the elements of a sample: (batch, channels) or (batch, …, channels). A series with one channel may need a
 * flatten. Returns false if the last axis is not the multiplied one. */
static bool as_features(tl_import *self, tl_import_value *value) {
    const size_t rank = tl_import_rank(value);
    if (rank > 1 && tl_import_axis(value, TL_AXIS_CHANNELS) == rank - 1 && value->axes[rank - 1] != TL_AXIS_LENGTH) return true;
    const bool along_time = rank > 1 && value->axes[rank - 1] == TL_AXIS_LENGTH && value->channels == 1;
    if (!along_time) return tl_import_refuse(self, "it mixes steps: its input is not (batch, …, channels)");
    value->layer = tl_import_add(self, "flatten", &value->layer, 1, NULL, 1, value->length);
    value->channels = value->length;
    value->length = 1;
    for (size_t i = 0; i < rank; i++) /* the axis of a single channel remains, with size 1 */
        if (value->axes[i] == TL_AXIS_CHANNELS) value->axes[i] = TL_AXIS_ONE;
    value->axes[rank - 1] = TL_AXIS_CHANNELS;
    return true;
}

/* weight: (units, channels) if `turned`, else (channels, units). */
static bool add_dense(tl_import *self, const tl_import_value *value, const tl_onnx_constant *weight, bool turned,
                      const tl_onnx_constant *bias, double alpha, double beta) {
    const size_t channels = value->channels, units = weight->shape[turned ? 0 : 1];
    const size_t layer =
        tl_import_add(self, "dense", &value->layer, 1, json_pack("{s:I, s:b}", "units", (json_int_t)units, "bias", bias != NULL),
                      value->length, units);
    double *to = tl_import_add_array(self, layer, "weight", channels * units);
    for (size_t c = 0; to && c < channels; c++) {
        const size_t from = tl_import_channel(value, c);
        for (size_t u = 0; u < units; u++)
            to[c * units + u] = alpha * weight->value[turned ? u * channels + from : from * units + u];
    }
    double *terms = bias ? tl_import_add_array(self, layer, "bias", units) : NULL;
    for (size_t u = 0; terms && u < units; u++) terms[u] = beta * bias->value[bias->count == 1 ? 0 : u];
    tl_import_value plain = *value;
    plain.flat_length = 0;
    return tl_import_give_layer(self, &plain, layer);
}

static bool take_matmul(tl_import *self) {
    const tl_import_value *given = tl_import_layer_input(self, 0);
    const tl_onnx_constant *weight = tl_import_constant(self, 1);
    if (!given) return false;
    tl_import_value value = *given;
    if (!weight || weight->rank != 2) return tl_import_refuse(self, "its second input is not a constant matrix");
    if (!as_features(self, &value)) return false;
    if (weight->shape[0] != value.channels)
        return tl_import_refuse(self, "its matrix has %zu rows; its input has %zu channels", weight->shape[0], value.channels);
    return add_dense(self, &value, weight, false, NULL, 1, 1);
}

static bool take_gemm(tl_import *self) {
    const tl_import_value *given = tl_import_layer_input(self, 0);
    const tl_onnx_constant *weight = tl_import_constant(self, 1), *bias = tl_import_constant(self, 2);
    const bool turned = tl_import_int(self, "transB", 0) != 0;
    const double alpha = tl_import_number(self, "alpha", 1), beta = tl_import_number(self, "beta", 1);
    if (!given) return false;
    tl_import_value value = *given;
    if (!weight || weight->rank != 2 || tl_import_int(self, "transA", 0) != 0 || tl_import_rank(&value) != 2)
        return tl_import_refuse(self, "its second input is not a constant matrix, or its first input is transposed");
    if (!as_features(self, &value)) return false;
    const size_t units = weight->shape[turned ? 0 : 1];
    if (weight->shape[turned ? 1 : 0] != value.channels)
        return tl_import_refuse(self, "its matrix is for %zu channels; its input has %zu", weight->shape[turned ? 1 : 0],
                                value.channels);
    if (tl_import_input(self, 2) && (!bias || (bias->count != units && bias->count != 1) || bias->rank > 2 ||
                                     (bias->count > 1 && bias->shape[bias->rank - 1] != units)))
        return tl_import_refuse(self, "its third input does not have one number for each output");
    return add_dense(self, &value, weight, turned, bias, alpha, beta);
}

/* ---- normalisation ---- */

/* A constant for each channel, or NULL; fails for any other constant. */
static bool take_channels(tl_import *self, const tl_import_value *value, size_t index, bool needed,
                          const tl_onnx_constant **constant) {
    *constant = tl_import_constant(self, index);
    if (*constant && (*constant)->count == value->channels) return true;
    if (!tl_import_input(self, index) && !needed) return true;
    return tl_import_refuse(self, "input %zu is not a constant number for each channel", index);
}

static void fill(tl_import *self, const tl_import_value *value, size_t layer, const char *name, const tl_onnx_constant *from,
                 double otherwise) {
    double *to = tl_import_add_array(self, layer, name, value->channels);
    for (size_t c = 0; to && c < value->channels; c++) to[c] = from ? from->value[tl_import_channel(value, c)] : otherwise;
}

static double epsilon_of(tl_import *self) { return tl_import_number(self, "epsilon", 1e-5); }

static bool is_epsilon(double epsilon) { return epsilon > 0 && epsilon <= 1; }

static bool take_batch_norm(tl_import *self) {
    const tl_import_value *value = tl_import_layer_input(self, 0);
    const tl_onnx_constant *of[4];
    const double epsilon = epsilon_of(self);
    if (!value) return false;
    if (tl_import_axis(value, TL_AXIS_CHANNELS) != 1)
        return tl_import_refuse(self, "axis 1 of its input is not that of the channels");
    if (tl_import_int(self, "training_mode", 0) != 0)
        return tl_import_refuse(self, "it is in training mode; export the network after eval()");
    for (size_t i = 0; i < 4; i++)
        if (!take_channels(self, value, i + 1, true, &of[i])) return false;
    if (!is_epsilon(epsilon)) return tl_import_refuse(self, "its epsilon %g is outside (0, 1]", epsilon);
    for (size_t c = 0; c < value->channels; c++)
        if (!(of[3]->value[c] >= 0)) return tl_import_refuse(self, "the variance of channel %zu is %g", c, of[3]->value[c]);
    const size_t layer =
        tl_import_add(self, "batch_norm", &value->layer, 1, json_pack("{s:f}", "epsilon", epsilon), value->length, value->channels);
    fill(self, value, layer, "scale", of[0], 1);
    fill(self, value, layer, "shift", of[1], 0);
    fill(self, value, layer, "mean", of[2], 0);
    fill(self, value, layer, "variance", of[3], 1);
    return tl_import_give_layer(self, value, layer);
}

static bool take_layer_norm(tl_import *self) {
    const tl_import_value *value = tl_import_layer_input(self, 0);
    const tl_onnx_constant *scale, *shift;
    if (!value || !take_channels(self, value, 1, true, &scale) || !take_channels(self, value, 2, false, &shift)) return false;
    const size_t rank = tl_import_rank(value);
    int64_t axis = tl_import_int(self, "axis", -1);
    if (axis < 0) axis += (int64_t)rank;
    if (axis != (int64_t)rank - 1 || tl_import_axis(value, TL_AXIS_CHANNELS) != rank - 1 || !is_epsilon(epsilon_of(self)))
        return tl_import_refuse(self, "it does not normalise the channels of each step");
    const size_t layer = tl_import_add(self, "layer_norm", &value->layer, 1, json_pack("{s:f}", "epsilon", epsilon_of(self)),
                                       value->length, value->channels);
    fill(self, value, layer, "scale", scale, 1);
    fill(self, value, layer, "shift", shift, 0);
    return tl_import_give_layer(self, value, layer);
}

static bool add_group_norm(tl_import *self, const tl_import_value *value, size_t groups, const tl_onnx_constant *scale,
                           const tl_onnx_constant *shift) {
    const size_t layer = tl_import_add(self, "group_norm", &value->layer, 1,
                                       json_pack("{s:I, s:f}", "groups", (json_int_t)groups, "epsilon", epsilon_of(self)),
                                       value->length, value->channels);
    fill(self, value, layer, "scale", scale, 1);
    fill(self, value, layer, "shift", shift, 0);
    return tl_import_give_layer(self, value, layer);
}

static bool is_filled_with(const tl_onnx_constant *constant, double number) {
    bool same = constant != NULL;
    for (size_t i = 0; same && i < constant->count; i++) same = constant->value[i] == number;
    return same;
}

/* Normalises each channel, or groups of channels as (batch, groups, …). */
static bool take_instance_norm(tl_import *self) {
    const tl_import_value *value = tl_import_input(self, 0);
    const tl_onnx_constant *scale = tl_import_constant(self, 1), *shift = tl_import_constant(self, 2);
    if (value && value->kind == TL_IMPORT_LAYER && strcmp(value->axes, "NGW") == 0) {
        if (!scale || !is_filled_with(scale, 1) || !is_filled_with(shift, 0) || !is_epsilon(epsilon_of(self)))
            return tl_import_refuse(self, "it scales groups of channels");
        return add_group_norm(self, value, scale->count, NULL, NULL);
    }
    value = tl_import_layer_input(self, 0);
    if (!value || !take_channels(self, value, 1, true, &scale) || !take_channels(self, value, 2, true, &shift)) return false;
    if (tl_import_axis(value, TL_AXIS_CHANNELS) != 1 || tl_import_rank(value) != 3 || value->flat_length > 0 ||
        !is_epsilon(epsilon_of(self)))
        return tl_import_refuse(self, "its input is not (batch, channels, length)");
    return add_group_norm(self, value, value->channels, scale, shift);
}

static bool take_group_norm(tl_import *self) {
    const tl_import_value *value = tl_import_layer_input(self, 0);
    const tl_onnx_constant *scale, *shift;
    const int64_t groups = tl_import_int(self, "num_groups", 0);
    if (!value || !take_channels(self, value, 1, true, &scale) || !take_channels(self, value, 2, true, &shift)) return false;
    if (tl_import_axis(value, TL_AXIS_CHANNELS) != 1 || value->flat_length > 0 || groups < 1 || (size_t)groups > value->channels ||
        value->channels % (size_t)groups != 0 || !is_epsilon(epsilon_of(self)))
        return tl_import_refuse(self, "its %lld groups do not divide the channels along axis 1", (long long)groups);
    return add_group_norm(self, value, (size_t)groups, scale, shift);
}

const tl_import_operator tl_import_products[] = {
    {"MatMul", take_matmul},
    {"Gemm", take_gemm},
    {"BatchNormalization", take_batch_norm},
    {"LayerNormalization", take_layer_norm},
    {"InstanceNormalization", take_instance_norm},
    {"GroupNormalization", take_group_norm},
    {NULL, NULL},
};
