/* The table of layers: how each kind is written in an ONNX graph. */
#include "layers/registry.h"
#include "onnx/export.h"
#include "onnx/onnx.h"

#include "base/memory.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const bool is_double = sizeof(tl_real) == sizeof(double);

/* ---- names ---- */

/* "NODE.PART" or "NODE/PART": the name of an array or a step. */
typedef struct part_name {
    char text[TL_ONNX_NAME];
} part_name;

static part_name array_name(const tl_export_node *node, const char *part) {
    part_name name;
    snprintf(name.text, sizeof name.text, "%.60s.%.30s", node->name, part);
    return name;
}

static part_name step_name(const tl_export_node *node, const char *part) {
    part_name name;
    snprintf(name.text, sizeof name.text, "%.60s/%.30s", node->name, part);
    return name;
}

/* ---- forms ---- */

static size_t index_of(const tl_onnx_graph *graph, const tl_export_node *node) { return (size_t)(node - graph->net.node); }

static const char *set_series(tl_onnx_graph *graph, const tl_export_node *node) {
    char *name = graph->forms[index_of(graph, node)].series;
    snprintf(name, TL_ONNX_NAME, "%s", node->name);
    return name;
}

static const char *set_matrix(tl_onnx_graph *graph, const tl_export_node *node) {
    char *name = graph->forms[index_of(graph, node)].matrix;
    snprintf(name, TL_ONNX_NAME, "%s", node->name);
    return name;
}

const char *tl_onnx_series(tl_onnx_graph *graph, size_t node) {
    tl_onnx_forms *forms = &graph->forms[node];
    if (*forms->series) return forms->series;
    const part_name axes = step_name(&graph->net.node[node], "axis");
    snprintf(forms->series, TL_ONNX_NAME, "%.80s/series", forms->matrix);
    tl_onnx_put_wholes(&graph->out, axes.text, 1, (const int64_t[]){2});
    tl_onnx_put_node(&graph->out, &(tl_onnx_node){"Unsqueeze", forms->series, .input = {forms->matrix, axes.text}});
    return forms->series;
}

const char *tl_onnx_matrix(tl_onnx_graph *graph, size_t node) {
    tl_onnx_forms *forms = &graph->forms[node];
    if (*forms->matrix) return forms->matrix;
    snprintf(forms->matrix, TL_ONNX_NAME, "%.80s/matrix", forms->series);
    tl_onnx_put_node(&graph->out,
                     &(tl_onnx_node){"Flatten", forms->matrix, .input = {forms->series}, .attribute = {tl_onnx_int("axis", 1)}});
    return forms->matrix;
}

static const char *input_series(tl_onnx_graph *graph, const tl_export_node *node) { return tl_onnx_series(graph, node->input[0]); }

/* For layers that accept any form: the output has the form of the input. */
typedef struct same_form {
    const char *input, *output;
    bool matrix;
} same_form;

static same_form keep_form(tl_onnx_graph *graph, const tl_export_node *node) {
    const tl_onnx_forms *before = &graph->forms[node->input[0]];
    const bool matrix = *before->matrix;
    return (same_form){.input = matrix ? before->matrix : before->series,
                       .output = matrix ? set_matrix(graph, node) : set_series(graph, node),
                       .matrix = matrix};
}

/* ---- constants ---- */

/* Writes an array of the node, with additional last axes of size 1. */
static part_name put_array(tl_onnx_graph *graph, const tl_export_node *node, const char *name, size_t more) {
    const tl_export_array *array = tl_export_find(node, name);
    const part_name full = array_name(node, name);
    size_t shape[TL_MAX_RANK] = {1, 1, 1, 1};
    memcpy(shape, array->shape, array->rank * sizeof *shape);
    tl_onnx_put_tensor(&graph->out, full.text, array->rank + more, shape, array->value);
    return full;
}

/* Writes an array with its axes in reverse order, as in PyTorch. */
static part_name put_reversed(tl_onnx_graph *graph, const tl_export_node *node, const char *name) {
    const tl_export_array *array = tl_export_find(node, name);
    const part_name full = array_name(node, name);
    const size_t count = tl_export_count(array), rank = array->rank;
    size_t shape[TL_MAX_RANK] = {0};
    double *turned = tl_reserve(count, sizeof *turned, "onnx", NULL);
    graph->out.short_of_memory = graph->out.short_of_memory || !turned;
    for (size_t axis = 0; axis < rank; axis++) shape[axis] = array->shape[rank - 1 - axis];
    for (size_t i = 0; turned && i < count; i++) {
        size_t place = 0, rest = i;
        for (size_t axis = rank, stride = count; axis-- > 0; rest /= array->shape[axis]) {
            stride /= array->shape[axis];
            place += rest % array->shape[axis] * stride;
        }
        turned[place] = array->value[i];
    }
    if (turned) tl_onnx_put_tensor(&graph->out, full.text, rank, shape, turned);
    tl_release(turned);
    return full;
}

/* The bias, if there is one. */
static part_name put_bias(tl_onnx_graph *graph, const tl_export_node *node) {
    return tl_export_find(node, "bias") ? put_array(graph, node, "bias", 0) : (part_name){""};
}

static const char *given(const part_name *name) { return *name->text ? name->text : NULL; }

/* ---- chains ---- */

static void operand_name(int operand, const char *name, const char *input, char text[TL_ONNX_NAME]) {
    if (operand >= TL_PATTERN_CONSTANT)
        snprintf(text, TL_ONNX_NAME, "%.60s/constant_%d", name, operand - TL_PATTERN_CONSTANT);
    else if (operand >= TL_PATTERN_STEP)
        snprintf(text, TL_ONNX_NAME, "%.60s/%d", name, operand - TL_PATTERN_STEP);
    else
        snprintf(text, TL_ONNX_NAME, "%s", input);
}

static void put_constants(tl_pb_writer *out, const tl_pattern *pattern, const char *name, double free_constant) {
    int last = -1;
    for (size_t i = 0; i < tl_pattern_steps(pattern); i++)
        for (size_t e = 0; e < TL_PATTERN_OPERANDS; e++)
            if (pattern->step[i].operand[e] - TL_PATTERN_CONSTANT > last) last = pattern->step[i].operand[e] - TL_PATTERN_CONSTANT;
    for (int i = 0; i <= last; i++) {
        const tl_pattern_constant *constant = &pattern->constant[i];
        char text[TL_ONNX_NAME];
        operand_name(TL_PATTERN_CONSTANT + i, name, NULL, text);
        if (constant->whole)
            tl_onnx_put_wholes(out, text, 1, &(int64_t){(int64_t)constant->value});
        else
            tl_onnx_put_scalar(out, text, isnan(constant->value) ? free_constant : constant->value);
    }
}

void tl_onnx_put_pattern(tl_pb_writer *out, tl_pattern_kind kind, const char *name, const char *input, const char *output,
                         double free_constant) {
    const tl_pattern *pattern = tl_pattern_of(kind);
    const size_t steps = tl_pattern_steps(pattern);
    put_constants(out, pattern, name, free_constant);
    for (size_t i = 0; i < steps; i++) {
        const tl_pattern_step *step = &pattern->step[i];
        char operands[TL_PATTERN_OPERANDS][TL_ONNX_NAME], result[TL_ONNX_NAME];
        tl_onnx_node node = {.operator_type = step->operator_type, .output = i + 1 == steps ? output : result};
        operand_name(TL_PATTERN_STEP + (int)i, name, input, result);
        for (size_t e = 0; e < TL_PATTERN_OPERANDS && step->operand[e] != TL_PATTERN_NONE; e++) {
            operand_name(step->operand[e], name, input, operands[e]);
            node.input[e] = operands[e];
        }
        tl_onnx_put_node(out, &node);
    }
}

static void write_pattern(tl_onnx_graph *graph, const tl_export_node *node, tl_pattern_kind kind, double free_constant) {
    const same_form form = keep_form(graph, node);
    tl_onnx_put_pattern(&graph->out, kind, node->name, form.input, form.output, free_constant);
}

/* ---- layers of one operator ---- */

static void write_plain(tl_onnx_graph *graph, const tl_export_node *node, const char *operator_type, tl_onnx_attribute a,
                        tl_onnx_attribute b) {
    const same_form form = keep_form(graph, node);
    tl_onnx_put_node(&graph->out, &(tl_onnx_node){operator_type, form.output, .input = {form.input}, .attribute = {a, b}});
}

static const tl_onnx_attribute none = {0};

static void write_relu(tl_onnx_graph *graph, const tl_export_node *node) { write_plain(graph, node, "Relu", none, none); }
static void write_sigmoid(tl_onnx_graph *graph, const tl_export_node *node) { write_plain(graph, node, "Sigmoid", none, none); }
static void write_tanh(tl_onnx_graph *graph, const tl_export_node *node) { write_plain(graph, node, "Tanh", none, none); }
static void write_softplus(tl_onnx_graph *graph, const tl_export_node *node) { write_plain(graph, node, "Softplus", none, none); }
static void write_exponential(tl_onnx_graph *graph, const tl_export_node *node) { write_plain(graph, node, "Exp", none, none); }

static void write_softmax(tl_onnx_graph *graph, const tl_export_node *node) {
    write_plain(graph, node, "Softmax", tl_onnx_int("axis", 1), none);
}

static void write_silu(tl_onnx_graph *graph, const tl_export_node *node) { write_pattern(graph, node, TL_PATTERN_SILU, 0); }

static void write_gelu(tl_onnx_graph *graph, const tl_export_node *node) {
    const bool approximate = tl_export_number(node, "approximate", 0) != 0;
    write_pattern(graph, node, approximate ? TL_PATTERN_GELU_TANH : TL_PATTERN_GELU, 0);
}

/* The attributes of operators are in single precision. */
static void write_selu(tl_onnx_graph *graph, const tl_export_node *node) {
    if (is_double)
        write_pattern(graph, node, TL_PATTERN_SELU, 0);
    else
        write_plain(graph, node, "Selu", none, none);
}

static void write_elu(tl_onnx_graph *graph, const tl_export_node *node) {
    const double alpha = tl_export_number(node, "alpha", 1);
    if (is_double && alpha != 1)
        write_pattern(graph, node, TL_PATTERN_ELU, alpha);
    else
        write_plain(graph, node, "Elu", tl_onnx_number("alpha", alpha), none);
}

static void write_hard_sigmoid(tl_onnx_graph *graph, const tl_export_node *node) {
    if (is_double)
        write_pattern(graph, node, TL_PATTERN_HARD_SIGMOID, 0);
    else
        write_plain(graph, node, "HardSigmoid", tl_onnx_number("alpha", 1.0 / 6), tl_onnx_number("beta", 0.5));
}

static void write_leaky_relu(tl_onnx_graph *graph, const tl_export_node *node) {
    const double slope = tl_export_number(node, "slope", 0.01);
    if (!is_double) {
        write_plain(graph, node, "LeakyRelu", tl_onnx_number("alpha", slope), none);
        return;
    }
    const part_name constant = array_name(node, "slope");
    const same_form form = keep_form(graph, node);
    tl_onnx_put_scalar(&graph->out, constant.text, slope);
    tl_onnx_put_node(&graph->out, &(tl_onnx_node){"PRelu", form.output, .input = {form.input, constant.text}});
}

/* Slopes are aligned with the last axes: (channels, 1) for series. */
static void write_prelu(tl_onnx_graph *graph, const tl_export_node *node) {
    const same_form form = keep_form(graph, node);
    const part_name slope = put_array(graph, node, "slope", form.matrix ? 0 : 1);
    tl_onnx_put_node(&graph->out, &(tl_onnx_node){"PRelu", form.output, .input = {form.input, slope.text}});
}

static void write_affine(tl_onnx_graph *graph, const tl_export_node *node) {
    const same_form form = keep_form(graph, node);
    const part_name scale = array_name(node, "scale"), shift = array_name(node, "shift"), scaled = step_name(node, "scaled");
    tl_onnx_put_scalar(&graph->out, scale.text, tl_export_number(node, "scale", 1));
    tl_onnx_put_scalar(&graph->out, shift.text, tl_export_number(node, "shift", 0));
    tl_onnx_put_node(&graph->out, &(tl_onnx_node){"Mul", scaled.text, .input = {form.input, scale.text}});
    tl_onnx_put_node(&graph->out, &(tl_onnx_node){"Add", form.output, .input = {scaled.text, shift.text}});
}

/* ---- convolutions ---- */

/* Padding that is not zeros needs a Pad node: sets the pads of the window to 0, and returns the padded series. */
static part_name put_padding(tl_onnx_graph *graph, const tl_export_node *node, tl_export_window *window) {
    static const char *const modes[] = {
        [TL_PADDING_MODE_REFLECT] = "reflect", [TL_PADDING_MODE_REPLICATE] = "edge", [TL_PADDING_MODE_CIRCULAR] = "wrap"};
    const int mode = (int)tl_export_number(node, "padding_mode", TL_PADDING_MODE_ZEROS);
    const int64_t pads[] = {0, 0, (int64_t)window->pad_left, 0, 0, (int64_t)window->pad_right};
    const part_name padded = step_name(node, "padded"), name = array_name(node, "pads");
    part_name input = {""};
    snprintf(input.text, sizeof input.text, "%s", input_series(graph, node));
    if (mode == TL_PADDING_MODE_ZEROS || window->pad_left + window->pad_right == 0) return input;
    window->pad_left = window->pad_right = 0;
    tl_onnx_put_wholes(&graph->out, name.text, 6, pads);
    tl_onnx_put_node(&graph->out, &(tl_onnx_node){"Pad", padded.text, .input = {input.text, name.text},
                                                  .attribute = {tl_onnx_string("mode", modes[mode])}});
    return padded;
}

static void write_conv1d(tl_onnx_graph *graph, const tl_export_node *node) {
    tl_export_window window = tl_export_window_of(node);
    const part_name input = put_padding(graph, node, &window);
    const part_name weight = put_reversed(graph, node, "weight"), bias = put_bias(graph, node);
    tl_onnx_put_node(
        &graph->out,
        &(tl_onnx_node){"Conv", set_series(graph, node), .input = {input.text, weight.text, given(&bias)},
                        .attribute = {tl_onnx_ints("kernel_shape", window.taps), tl_onnx_ints("strides", window.stride),
                                      tl_onnx_ints("dilations", window.dilation),
                                      tl_onnx_pair("pads", window.pad_left, window.pad_right),
                                      tl_onnx_int("group", (size_t)tl_export_number(node, "groups", 1))}});
}

static size_t size_of(const tl_export_node *node, const char *key, double otherwise) {
    return (size_t)tl_export_number(node, key, otherwise);
}

static void write_conv1d_transpose(tl_onnx_graph *graph, const tl_export_node *node) {
    const char *input = input_series(graph, node);
    const part_name weight = put_reversed(graph, node, "weight"), bias = put_bias(graph, node);
    tl_onnx_put_node(
        &graph->out,
        &(tl_onnx_node){"ConvTranspose", set_series(graph, node), .input = {input, weight.text, given(&bias)},
                        .attribute = {tl_onnx_ints("kernel_shape", size_of(node, "kernel", 1)),
                                      tl_onnx_ints("strides", size_of(node, "stride", 1)),
                                      tl_onnx_ints("dilations", size_of(node, "dilation", 1)),
                                      tl_onnx_pair("pads", size_of(node, "pad_left", 0), size_of(node, "pad_right", 0)),
                                      tl_onnx_ints("output_padding", size_of(node, "output_padding", 0))}});
}

static int conv1d_opset(const tl_export_node *node) {
    return tl_export_number(node, "padding_mode", 0) == TL_PADDING_MODE_CIRCULAR ? 19 : 17;
}

/* With a stride, the padding `same` depends on the length. */
static bool pads_by_length(const tl_export_node *node) {
    return tl_export_number(node, "padding", 0) == TL_PADDING_SAME && tl_export_window_of(node).stride > 1;
}

/* ---- dense ---- */

static void put_transpose(tl_onnx_graph *graph, const char *from, const char *to) {
    tl_onnx_put_node(&graph->out,
                     &(tl_onnx_node){"Transpose", to, .input = {from}, .attribute = {tl_onnx_triple("perm", 0, 2, 1)}});
}

static void write_dense_of_steps(tl_onnx_graph *graph, const tl_export_node *node) {
    const part_name turned = step_name(node, "turned"), product = step_name(node, "product"), sum = step_name(node, "sum");
    const char *input = input_series(graph, node);
    const part_name weight = put_array(graph, node, "weight", 0), bias = put_bias(graph, node);
    put_transpose(graph, input, turned.text);
    tl_onnx_put_node(&graph->out, &(tl_onnx_node){"MatMul", product.text, .input = {turned.text, weight.text}});
    if (given(&bias)) tl_onnx_put_node(&graph->out, &(tl_onnx_node){"Add", sum.text, .input = {product.text, bias.text}});
    put_transpose(graph, given(&bias) ? sum.text : product.text, set_series(graph, node));
}

static void write_dense(tl_onnx_graph *graph, const tl_export_node *node) {
    if (node->in.length > 1) {
        write_dense_of_steps(graph, node);
        return;
    }
    const char *input = tl_onnx_matrix(graph, node->input[0]);
    const part_name weight = put_reversed(graph, node, "weight"), bias = put_bias(graph, node);
    tl_onnx_put_node(&graph->out, &(tl_onnx_node){"Gemm", set_matrix(graph, node), .input = {input, weight.text, given(&bias)},
                                                  .attribute = {tl_onnx_int("transB", 1)}});
}

/* ---- normalisation ---- */

static tl_onnx_attribute epsilon_of(const tl_export_node *node) {
    return tl_onnx_number("epsilon", tl_export_number(node, "epsilon", 0));
}

static void write_batch_norm(tl_onnx_graph *graph, const tl_export_node *node) {
    const same_form form = keep_form(graph, node);
    const part_name scale = put_array(graph, node, "scale", 0), shift = put_array(graph, node, "shift", 0);
    const part_name mean = put_array(graph, node, "mean", 0), variance = put_array(graph, node, "variance", 0);
    tl_onnx_put_node(&graph->out, &(tl_onnx_node){"BatchNormalization", form.output,
                                                  .input = {form.input, scale.text, shift.text, mean.text, variance.text},
                                                  .attribute = {epsilon_of(node)}});
}

static void write_layer_norm(tl_onnx_graph *graph, const tl_export_node *node) {
    const same_form form = keep_form(graph, node);
    const part_name scale = put_array(graph, node, "scale", 0), shift = put_array(graph, node, "shift", 0);
    const part_name turned = step_name(node, "turned"), normalised = step_name(node, "normalised");
    if (!form.matrix) put_transpose(graph, form.input, turned.text);
    tl_onnx_put_node(&graph->out, &(tl_onnx_node){"LayerNormalization", form.matrix ? form.output : normalised.text,
                                                  .input = {form.matrix ? form.input : turned.text, scale.text, shift.text},
                                                  .attribute = {epsilon_of(node)}});
    if (!form.matrix) put_transpose(graph, normalised.text, form.output);
}

/* Uses instance normalisation with groups as channels: the operator for groups has a scale for each channel only since operator
 * set 21. */
static void write_group_norm(tl_onnx_graph *graph, const tl_export_node *node) {
    const size_t groups = size_of(node, "groups", 1);
    const int64_t apart[] = {0, (int64_t)groups, -1}, together[] = {0, (int64_t)node->out.channels, -1};
    const part_name shape = array_name(node, "groups"), back = array_name(node, "channels"), ones = array_name(node, "ones"),
                    zeros = array_name(node, "zeros");
    const part_name split = step_name(node, "groups"), normalised = step_name(node, "normalised"),
                    joined = step_name(node, "joined"), scaled = step_name(node, "scaled");
    const char *input = input_series(graph, node);
    double *unit = tl_allocate(groups, sizeof *unit, "onnx", NULL);
    graph->out.short_of_memory = graph->out.short_of_memory || !unit;
    if (!unit) return;
    tl_onnx_put_wholes(&graph->out, shape.text, 3, apart);
    tl_onnx_put_wholes(&graph->out, back.text, 3, together);
    tl_onnx_put_tensor(&graph->out, zeros.text, 1, &groups, unit);
    for (size_t g = 0; g < groups; g++) unit[g] = 1;
    tl_onnx_put_tensor(&graph->out, ones.text, 1, &groups, unit);
    tl_release(unit);
    const part_name scale = put_array(graph, node, "scale", 1), shift = put_array(graph, node, "shift", 1);
    tl_onnx_put_node(&graph->out, &(tl_onnx_node){"Reshape", split.text, .input = {input, shape.text}});
    tl_onnx_put_node(&graph->out, &(tl_onnx_node){"InstanceNormalization", normalised.text,
                                                  .input = {split.text, ones.text, zeros.text}, .attribute = {epsilon_of(node)}});
    tl_onnx_put_node(&graph->out, &(tl_onnx_node){"Reshape", joined.text, .input = {normalised.text, back.text}});
    tl_onnx_put_node(&graph->out, &(tl_onnx_node){"Mul", scaled.text, .input = {joined.text, scale.text}});
    tl_onnx_put_node(&graph->out, &(tl_onnx_node){"Add", set_series(graph, node), .input = {scaled.text, shift.text}});
}

/* ---- over time ---- */

static void write_pool(tl_onnx_graph *graph, const tl_export_node *node, const char *operator_type, tl_onnx_attribute padding) {
    const tl_export_window window = tl_export_window_of(node);
    const char *input = input_series(graph, node);
    tl_onnx_put_node(&graph->out, &(tl_onnx_node){operator_type, set_series(graph, node), .input = {input},
                                                  .attribute = {tl_onnx_ints("kernel_shape", window.taps),
                                                                tl_onnx_ints("strides", window.stride),
                                                                tl_onnx_pair("pads", window.pad_left, window.pad_right), padding}});
}

static void write_max_pool(tl_onnx_graph *graph, const tl_export_node *node) { write_pool(graph, node, "MaxPool", none); }

static void write_average_pool(tl_onnx_graph *graph, const tl_export_node *node) {
    write_pool(graph, node, "AveragePool", tl_onnx_int("count_include_pad", 0));
}

static void write_of_series(tl_onnx_graph *graph, const tl_export_node *node, const char *operator_type) {
    const char *input = input_series(graph, node);
    tl_onnx_put_node(&graph->out, &(tl_onnx_node){operator_type, set_series(graph, node), .input = {input}});
}

static void write_global_average_pool(tl_onnx_graph *graph, const tl_export_node *node) {
    write_of_series(graph, node, "GlobalAveragePool");
}

static void write_global_max_pool(tl_onnx_graph *graph, const tl_export_node *node) {
    write_of_series(graph, node, "GlobalMaxPool");
}

static void write_last_step(tl_onnx_graph *graph, const tl_export_node *node) {
    const part_name index = array_name(node, "index");
    const char *input = input_series(graph, node);
    tl_onnx_put_wholes(&graph->out, index.text, 1, (const int64_t[]){-1});
    tl_onnx_put_node(&graph->out, &(tl_onnx_node){"Gather", set_series(graph, node), .input = {input, index.text},
                                                  .attribute = {tl_onnx_int("axis", 2)}});
}

static void write_upsample(tl_onnx_graph *graph, const tl_export_node *node) {
    const bool linear = tl_export_number(node, "linear", 0) != 0;
    const float scales[] = {1, 1, (float)tl_export_number(node, "factor", 1)};
    const part_name name = array_name(node, "scales");
    const char *input = input_series(graph, node);
    tl_onnx_put_floats(&graph->out, name.text, 3, scales);
    tl_onnx_put_node(&graph->out, &(tl_onnx_node){"Resize", set_series(graph, node), .input = {input, "", name.text},
                                                  .attribute = {tl_onnx_string("mode", linear ? "linear" : "nearest"),
                                                                tl_onnx_string("coordinate_transformation_mode",
                                                                               linear ? "half_pixel" : "asymmetric"),
                                                                tl_onnx_string("nearest_mode", "floor")}});
}

/* tapline's order is (length, channels). */
static void write_flatten(tl_onnx_graph *graph, const tl_export_node *node) {
    const bool turns = node->in.length > 1 && node->in.channels > 1;
    const part_name turned = step_name(node, "turned");
    const char *input = input_series(graph, node);
    if (turns) put_transpose(graph, input, turned.text);
    tl_onnx_put_node(&graph->out, &(tl_onnx_node){"Flatten", set_matrix(graph, node), .input = {turns ? turned.text : input},
                                                  .attribute = {tl_onnx_int("axis", 1)}});
}

static bool has_steps(const tl_export_node *node) { return node->in.length > 1; }

static void write_embedding(tl_onnx_graph *graph, const tl_export_node *node) {
    const part_name rows = step_name(node, "rows"), flat = step_name(node, "flat"), found = step_name(node, "found"),
                    axis = array_name(node, "axis");
    const char *input = input_series(graph, node);
    const part_name table = put_array(graph, node, "table", 0);
    tl_onnx_put_wholes(&graph->out, axis.text, 1, (const int64_t[]){1});
    tl_onnx_put_node(&graph->out,
                     &(tl_onnx_node){"Cast", rows.text, .input = {input}, .attribute = {tl_onnx_int("to", TL_ONNX_INT64)}});
    tl_onnx_put_node(&graph->out, &(tl_onnx_node){"Squeeze", flat.text, .input = {rows.text, axis.text}});
    tl_onnx_put_node(&graph->out, &(tl_onnx_node){"Gather", found.text, .input = {table.text, flat.text}});
    put_transpose(graph, found.text, set_series(graph, node));
}

/* ---- several inputs ---- */

/* Converts all inputs to one form: matrices if all are matrices, else series. Returns whether they are matrices. */
static bool gather_inputs(tl_onnx_graph *graph, const tl_export_node *node, const char *input[TL_ONNX_INPUTS]) {
    bool matrices = true;
    for (size_t e = 0; e < node->inputs; e++) matrices = matrices && *graph->forms[node->input[e]].matrix;
    for (size_t e = 0; e < node->inputs; e++)
        input[e] = matrices ? tl_onnx_matrix(graph, node->input[e]) : tl_onnx_series(graph, node->input[e]);
    return matrices;
}

static void write_joined(tl_onnx_graph *graph, const tl_export_node *node, const char *operator_type, tl_onnx_attribute attribute) {
    tl_onnx_node join = {.operator_type = operator_type, .attribute = {attribute}};
    join.output = gather_inputs(graph, node, join.input) ? set_matrix(graph, node) : set_series(graph, node);
    tl_onnx_put_node(&graph->out, &join);
}

static void write_add(tl_onnx_graph *graph, const tl_export_node *node) {
    write_joined(graph, node, node->inputs == 2 ? "Add" : "Sum", none);
}

static void write_concat(tl_onnx_graph *graph, const tl_export_node *node) {
    write_joined(graph, node, "Concat", tl_onnx_int("axis", 1));
}

static void write_multiply(tl_onnx_graph *graph, const tl_export_node *node) {
    const char *input[TL_ONNX_INPUTS] = {NULL};
    const char *output = gather_inputs(graph, node, input) ? set_matrix(graph, node) : set_series(graph, node);
    part_name before, product;
    snprintf(before.text, sizeof before.text, "%s", input[0]);
    for (size_t e = 1; e < node->inputs; e++) {
        snprintf(product.text, sizeof product.text, "%.60s/%zu", node->name, e);
        tl_onnx_put_node(&graph->out,
                         &(tl_onnx_node){"Mul", e + 1 == node->inputs ? output : product.text, .input = {before.text, input[e]}});
        before = product;
    }
}

/* ---- features of fixed convolutions ---- */

static void write_rocket(tl_onnx_graph *graph, const tl_export_node *node) {
    const char *input = input_series(graph, node);
    tl_onnx_put_rocket(graph, node, input, set_matrix(graph, node));
}

/* ---- the table ---- */

static const tl_onnx_row rows[] = {
    {&tl_conv1d_layer_ops, write_conv1d, pads_by_length, conv1d_opset},
    {&tl_conv1d_transpose_layer_ops, write_conv1d_transpose, NULL, NULL},
    {&tl_dense_layer_ops, write_dense, NULL, NULL},
    {&tl_relu_layer_ops, write_relu, NULL, NULL},
    {&tl_leaky_relu_layer_ops, write_leaky_relu, NULL, NULL},
    {&tl_prelu_layer_ops, write_prelu, NULL, NULL},
    {&tl_elu_layer_ops, write_elu, NULL, NULL},
    {&tl_selu_layer_ops, write_selu, NULL, NULL},
    {&tl_gelu_layer_ops, write_gelu, NULL, NULL},
    {&tl_silu_layer_ops, write_silu, NULL, NULL},
    {&tl_softplus_layer_ops, write_softplus, NULL, NULL},
    {&tl_sigmoid_layer_ops, write_sigmoid, NULL, NULL},
    {&tl_hard_sigmoid_layer_ops, write_hard_sigmoid, NULL, NULL},
    {&tl_tanh_layer_ops, write_tanh, NULL, NULL},
    {&tl_exponential_layer_ops, write_exponential, NULL, NULL},
    {&tl_affine_layer_ops, write_affine, NULL, NULL},
    {&tl_softmax_layer_ops, write_softmax, NULL, NULL},
    {&tl_max_pool_layer_ops, write_max_pool, pads_by_length, NULL},
    {&tl_average_pool_layer_ops, write_average_pool, pads_by_length, NULL},
    {&tl_global_average_pool_layer_ops, write_global_average_pool, NULL, NULL},
    {&tl_global_max_pool_layer_ops, write_global_max_pool, NULL, NULL},
    {&tl_last_step_layer_ops, write_last_step, NULL, NULL},
    {&tl_upsample_layer_ops, write_upsample, NULL, NULL},
    {&tl_embedding_layer_ops, write_embedding, NULL, NULL},
    {&tl_fixed_filters_layer_ops, write_conv1d, NULL, NULL},
    {&tl_rocket_layer_ops, write_rocket, NULL, NULL},
    {&tl_flatten_layer_ops, write_flatten, has_steps, NULL},
    {&tl_batch_norm_layer_ops, write_batch_norm, NULL, NULL},
    {&tl_layer_norm_layer_ops, write_layer_norm, NULL, NULL},
    {&tl_group_norm_layer_ops, write_group_norm, NULL, NULL},
    {&tl_add_layer_ops, write_add, NULL, NULL},
    {&tl_multiply_layer_ops, write_multiply, NULL, NULL},
    {&tl_concat_layer_ops, write_concat, NULL, NULL},
};

const tl_onnx_row *tl_onnx_row_of(const tl_layer_ops *ops) {
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (rows[i].ops == ops) return &rows[i];
    return NULL;
}
