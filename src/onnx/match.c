/* Finds chains of operations that are one layer in tapline (pattern.h). */
#include "onnx/import.h"
#include "onnx/pattern.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct match {
    tl_import *import;
    const tl_pattern *pattern;
    const char *x;                      /* the input; NULL: not found yet */
    double free_constant;               /* the constant in place of the pattern's NAN */
    const char *step[TL_PATTERN_STEPS]; /* the result of each step */
} match;

static const char *input_name(const match *self, const tl_onnx_operation *operation, size_t index) {
    return index < operation->inputs.count ? self->import->file->name[operation->inputs.first + index] : "";
}

/* Compares constants in single precision. */
static bool constant_fits(match *self, const tl_pattern_constant *expected, const tl_import_value *value) {
    if (value->kind != TL_IMPORT_CONSTANT || value->constant.count != 1) return false;
    const double found = value->constant.value[0];
    if (isnan(expected->value)) {
        self->free_constant = found;
        return found > 0 && found <= 1e30;
    }
    return fabs(found - expected->value) <= 1e-6 * fabs(expected->value);
}

// NOLINTBEGIN(misc-no-recursion): at most as deep as the number of steps of a pattern, since each step is visited once
static bool step_fits(match *self, size_t step, const char *name);

static bool operand_fits(match *self, int operand, const char *name) {
    const tl_import_value *value = tl_import_value_of(self->import, name);
    if (!value) return false;
    if (operand >= TL_PATTERN_CONSTANT) return constant_fits(self, &self->pattern->constant[operand - TL_PATTERN_CONSTANT], value);
    if (operand >= TL_PATTERN_STEP) return step_fits(self, (size_t)(operand - TL_PATTERN_STEP), name);
    if (!self->x && value->kind == TL_IMPORT_LAYER && value->pad_left + value->pad_right == 0) self->x = name;
    return self->x && strcmp(self->x, name) == 0;
}

static bool is_symmetric(const char *type) { return strcmp(type, "Add") == 0 || strcmp(type, "Mul") == 0; }

static bool operands_fit(match *self, const tl_pattern_step *step, const tl_onnx_operation *operation, bool turned) {
    for (size_t e = 0; e < TL_PATTERN_OPERANDS; e++) {
        const size_t at = turned ? 1 - e : e;
        if (step->operand[e] == TL_PATTERN_NONE) return operation->inputs.count == e;
        if (!operand_fits(self, step->operand[e], input_name(self, operation, at))) return false;
        if (turned && e == 1) return operation->inputs.count == 2;
    }
    return true;
}

/* Checks the attributes of an operation: a mean must be over the last axis; other steps must have no attributes. */
static bool settings_fit(const match *self, const tl_onnx_operation *operation) {
    const tl_onnx_setting *axes = tl_onnx_find(self->import->file, operation, "axes"),
                          *keep = tl_onnx_find(self->import->file, operation, "keepdims");
    if (strcmp(operation->type, "ReduceMean") != 0) return operation->settings.count == 0;
    return axes && axes->wholes.count == 1 && self->import->file->whole[axes->wholes.first] == -1 && (!keep || keep->whole == 1);
}

/* Whether a value is the result of a step. If an earlier operand was already this step, it must be the same value. */
static bool step_fits(match *self, size_t step, const char *name) {
    const tl_import_value *value = tl_import_value_of(self->import, name);
    if (self->step[step]) return strcmp(self->step[step], name) == 0;
    if (!value || value->maker == SIZE_MAX) return false;
    const tl_onnx_operation *operation = &self->import->file->operation[value->maker];
    const tl_pattern_step *expected = &self->pattern->step[step];
    if (strcmp(operation->type, expected->operator_type) != 0 || *operation->domain || !settings_fit(self, operation)) return false;
    const match before = *self;
    self->step[step] = name;
    if (operands_fit(self, expected, operation, false)) return true;
    *self = before;
    if (!is_symmetric(expected->operator_type)) return false;
    self->step[step] = name;
    if (operands_fit(self, expected, operation, true)) return true;
    *self = before;
    return false;
}
// NOLINTEND(misc-no-recursion)

static size_t add_layer(tl_import *import, const tl_import_value *x, const match *found) {
    json_t *settings = NULL;
    const char *type = "gelu";
    switch (found->pattern->kind) {
    case TL_PATTERN_SILU:
        type = "silu";
        break;
    case TL_PATTERN_HARD_SIGMOID:
        type = "hard_sigmoid";
        break;
    case TL_PATTERN_SELU:
        type = "selu";
        break;
    case TL_PATTERN_ELU:
        type = "elu";
        settings = json_pack("{s:f}", "alpha", found->free_constant);
        break;
    case TL_PATTERN_GELU_TANH:
        settings = json_pack("{s:b}", "approximate", 1);
        break;
    case TL_PATTERN_LAYER_NORM:
        type = "layer_norm";
        settings = json_pack("{s:f}", "epsilon", tl_import_decimal((float)found->free_constant));
        break;
    case TL_PATTERN_GELU:
    case TL_PATTERN_NORMALIZE:
        break;
    }
    return tl_import_add(import, type, &x->layer, 1, settings, x->length, x->channels);
}

/* Adds a norm with scale 1 and shift 0; later operations may change them. */
static bool give_norm(tl_import *import, const tl_import_value *x, const match *found) {
    const size_t rank = tl_import_rank(x);
    if (rank == 0 || tl_import_axis(x, TL_AXIS_CHANNELS) != rank - 1 || x->flat_length > 0 || found->free_constant > 1)
        return false;
    const size_t layer = add_layer(import, x, found);
    double *scale = tl_import_add_array(import, layer, "scale", x->channels);
    tl_import_add_array(import, layer, "shift", x->channels);
    for (size_t c = 0; scale && c < x->channels; c++) scale[c] = 1;
    return tl_import_give_layer(import, x, layer);
}

/* In tapline, data is scaled when it is read. Scaling can therefore be read only at the start of the graph. */
static bool give_result(tl_import *import, const match *found) {
    const tl_import_value *x = tl_import_value_of(import, found->x);
    tl_import_value view = *x;
    if (found->pattern->kind == TL_PATTERN_LAYER_NORM) return give_norm(import, x, found);
    if (found->pattern->kind != TL_PATTERN_NORMALIZE) return tl_import_give_layer(import, x, add_layer(import, x, found));
    if (x->layer != 0 || strcmp(x->axes, "NCL") != 0) return false;
    import->normalize = TL_NORMALIZE_SERIES;
    view.sole = false;
    return tl_import_give_view(import, &view);
}

bool tl_import_match(tl_import *self) {
    const tl_onnx_operation *operation = &self->file->operation[self->operation];
    const tl_pattern *pattern;
    for (size_t i = 0; operation->outputs.count == 1 && (pattern = tl_pattern_at(i)); i++) {
        match found = {.import = self, .pattern = pattern};
        if (!step_fits(&found, tl_pattern_steps(pattern) - 1, self->file->name[operation->outputs.first])) continue;
        if (found.x && give_result(self, &found)) return true;
    }
    return false;
}
