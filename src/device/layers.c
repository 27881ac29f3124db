/* Writes the C code of each kind of layer: a call of a helper function, and its constants. */
#include "device/network.h"

#include "base/memory.h"
#include "layers/registry.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* The geometry of the windows of a layer, as `struct window` in the C file. */
typedef struct windows {
    size_t length, out_length, taps, stride, dilation, pad_left;
} windows;

/* ---- constants ---- */

/* Adds an array of a layer under the name of the array. */
static void write_parameter(tl_c_network *network, const tl_export_node *node, const char *name) {
    const tl_export_array *array = tl_export_find(node, name);
    tl_c_write_array(network, node->name, name, array->value, tl_export_count(array));
}

/* The bias of each filter; 0 if the layer has no bias. */
static void write_bias(tl_c_network *network, const tl_export_node *node) {
    const size_t filters = node->out.channels;
    double *zeros = tl_export_find(node, "bias") ? NULL : tl_allocate(filters, sizeof *zeros, "export", network->error);
    if (zeros)
        tl_c_write_array(network, node->name, "bias", zeros, filters);
    else if (!tl_failed(network->error))
        write_parameter(network, node, "bias");
    tl_release(zeros);
}

/* Transposes the weights of a transposed convolution: (kernel, filters, channels) to (kernel, channels, filters). */
static void write_transposed_weights(tl_c_network *network, const tl_export_node *node) {
    const tl_export_array *from = tl_export_find(node, "weight");
    const size_t count = tl_export_count(from), filters = from->shape[1], channels = from->shape[2];
    double *weight = tl_allocate(count, sizeof *weight, "export", network->error);
    for (size_t i = 0; weight && i < count; i++) {
        const size_t f = i % filters, c = i / filters % channels, j = i / filters / channels;
        weight[i] = from->value[(j * filters + f) * channels + c];
    }
    if (weight) tl_c_write_array(network, node->name, "weight", weight, count);
    tl_release(weight);
}

/* ---- convolutions ---- */

/* For a layer without padding, dilation and strides. */
static windows plain_windows(const tl_export_node *node) {
    return (windows){.length = node->in.length, .out_length = node->out.length, .taps = 1, .stride = 1, .dilation = 1};
}

static size_t padded_length(const tl_export_node *node) {
    const tl_export_window over = tl_export_window_of(node);
    return over.pad_left + node->in.length + over.pad_right;
}

static windows windows_of(const tl_c_network *network, const tl_export_node *node) {
    const tl_export_window over = tl_export_window_of(node);
    return (windows){.length = node->in.length,
                     .out_length = node->out.length,
                     .taps = over.taps,
                     .stride = over.stride,
                     .dilation = over.dilation,
                     .pad_left = network->streaming ? 0 : over.pad_left};
}

/* Adds `static const struct convolution NAME = …;`. */
static void write_convolution(tl_c_network *network, const tl_c_step *step, const windows *over, size_t groups) {
    const tl_export_node *node = step->node;
    tl_c_print(&network->constants, "static const struct convolution %s = {{%zu, %zu, %zu, %zu, %zu, %zu}, %zu, %zu, %zu, %d};\n",
               node->name, over->length, over->out_length, over->taps, over->stride, over->dilation, over->pad_left,
               node->in.channels, node->out.channels, groups, step->relu);
    write_bias(network, node);
}

static void call_convolution(tl_c_network *network, const tl_c_step *step, const char *function, tl_c_value x) {
    const char *name = step->node->name;
    tl_c_print(&network->body, "    %s(&%s, %s, %s_weight, %s_bias, %s);\n", function, name, tl_c_place_of(network, x).text, name,
               name, tl_c_place_of(network, step->y).text);
}

/* A convolution with several outputs, or with one output (a step of a stream). */
static void call_product(tl_c_network *network, const tl_c_step *step, tl_c_value x) {
    tl_c_use(&network->helpers, network->streaming ? TL_C_CONVOLVE_WINDOW : TL_C_CONVOLVE);
    call_convolution(network, step, network->streaming ? "convolve_window" : "convolve", x);
}

static tl_padding_mode padding_mode_of(const tl_export_node *node) {
    return (tl_padding_mode)tl_export_number(node, "padding_mode", TL_PADDING_MODE_ZEROS);
}

/* Size of the padded series, if the padding is not of zeros. */
static size_t conv1d_scratch(const tl_export_node *node) {
    return padding_mode_of(node) == TL_PADDING_MODE_ZEROS ? 0 : padded_length(node) * node->in.channels;
}

/* Writes the padded series to the scratch memory; the windows then read from there. */
static void pad_input(tl_c_network *network, const tl_c_step *step, windows *over) {
    static const char letters[] = {
        [TL_PADDING_MODE_REFLECT] = 'r', [TL_PADDING_MODE_REPLICATE] = 'l', [TL_PADDING_MODE_CIRCULAR] = 'c'};
    const tl_export_node *node = step->node;
    tl_c_use(&network->helpers, TL_C_PAD);
    tl_c_print(&network->body, "    pad(%s, %zu, %zu, '%c', %zu, %zu, %s);\n", tl_c_place_of(network, step->x[0]).text,
               node->in.length, node->in.channels, letters[padding_mode_of(node)], over->pad_left, padded_length(node),
               tl_c_place_of(network, (tl_c_value){.span = step->scratch}).text);
    over->length = padded_length(node);
    over->pad_left = 0;
}

static void write_conv1d(tl_c_network *network, const tl_c_step *step) {
    const tl_export_node *node = step->node;
    const size_t groups = (size_t)tl_export_number(node, "groups", 1);
    const bool depthwise = groups > 1 && groups == node->in.channels && groups == node->out.channels;
    const bool pads = padding_mode_of(node) != TL_PADDING_MODE_ZEROS;
    windows over = windows_of(network, node);
    if (pads) pad_input(network, step, &over);
    write_convolution(network, step, &over, groups);
    write_parameter(network, node, "weight");
    const tl_c_value x = pads ? (tl_c_value){.span = step->scratch} : step->x[0];
    if (depthwise) {
        tl_c_use(&network->helpers, TL_C_CONVOLVE_DEPTHWISE);
        call_convolution(network, step, "convolve_depthwise", x);
    } else
        call_product(network, step, x);
}

/* On a stream, the last step is the newest. Outputs are final if no later step adds to them. */
static void write_conv1d_transpose(tl_c_network *network, const tl_c_step *step) {
    const tl_export_node *node = step->node;
    const size_t stride = (size_t)tl_export_number(node, "stride", 1);
    const windows over = {.length = node->in.length,
                          .out_length = node->out.length,
                          .taps = (size_t)tl_export_number(node, "kernel", 1),
                          .stride = stride,
                          .dilation = (size_t)tl_export_number(node, "dilation", 1),
                          .pad_left =
                              network->streaming ? (node->in.length - 1) * stride : (size_t)tl_export_number(node, "pad_left", 0)};
    tl_c_use(&network->helpers, TL_C_CONVOLVE_TRANSPOSED);
    write_convolution(network, step, &over, 1);
    write_transposed_weights(network, node);
    call_convolution(network, step, "convolve_transposed", step->x[0]);
}

/* A convolution with a kernel of one tap. */
static void write_dense(tl_c_network *network, const tl_c_step *step) {
    const windows over = plain_windows(step->node);
    write_convolution(network, step, &over, 1);
    write_parameter(network, step->node, "weight");
    call_product(network, step, step->x[0]);
}

static size_t fixed_filters_scratch(const tl_export_node *node) { return node->in.length; }

/* The factor by which a folded batch norm has multiplied the taps of a filter. All taps were 1 or -1 before, so the factor is the
 * size of any tap.
 */
static double fixed_factor(const tl_export_array *weight, size_t filter) {
    const size_t trend = filter % 6, taps = filter < 12 ? (size_t)2 << trend : (size_t)6 << (filter - 12);
    const size_t first = (weight->shape[0] - 1) / 2 - (taps - 1) / 2, tap = first + (filter < 12 ? 0 : taps / 6 - 1);
    const double value = weight->value[tap * weight->shape[1] * weight->shape[2] + filter];
    return filter >= 6 && filter < 12 ? value : -value;
}

static void write_fixed_filters(tl_c_network *network, const tl_c_step *step) {
    const tl_export_node *node = step->node;
    const tl_export_array *weight = tl_export_find(node, "weight");
    double factor[17];
    for (size_t f = 0; f < 17; f++) factor[f] = fixed_factor(weight, f);
    tl_c_write_array(network, node->name, "factor", factor, 17);
    write_bias(network, node);
    tl_c_use(&network->helpers, TL_C_FIXED_FILTERS);
    tl_c_print(&network->body, "    fixed_filters(%s, %zu, %zu, %s_factor, %s_bias, %s, %s);\n",
               tl_c_place_of(network, step->x[0]).text, node->in.length, node->in.channels, node->name, node->name,
               tl_c_place_of(network, (tl_c_value){.span = step->scratch}).text, tl_c_place_of(network, step->y).text);
}

/* ---- pools, upsampling, cropping ---- */

static void write_pool(tl_c_network *network, const tl_c_step *step, const windows *over, bool maximum) {
    const tl_export_node *node = step->node;
    tl_c_use(&network->helpers, maximum ? TL_C_POOL_MAX : TL_C_POOL_AVERAGE);
    tl_c_print(&network->constants, "static const struct window %s = {%zu, %zu, %zu, %zu, 1, %zu};\n", node->name, over->length,
               over->out_length, over->taps, over->stride, over->pad_left);
    tl_c_print(&network->body, "    pool_%s(&%s, %zu, %s, %s);\n", maximum ? "max" : "average", node->name, node->in.channels,
               tl_c_place_of(network, step->x[0]).text, tl_c_place_of(network, step->y).text);
}

static void write_max_pool(tl_c_network *network, const tl_c_step *step) {
    const windows over = windows_of(network, step->node);
    write_pool(network, step, &over, true);
}

static void write_average_pool(tl_c_network *network, const tl_c_step *step) {
    const windows over = windows_of(network, step->node);
    write_pool(network, step, &over, false);
}

/* One window over all steps. */
static windows whole(const tl_export_node *node) {
    return (windows){.length = node->in.length, .out_length = 1, .taps = node->in.length, .stride = 1};
}

static void write_global_max_pool(tl_c_network *network, const tl_c_step *step) {
    const windows over = whole(step->node);
    write_pool(network, step, &over, true);
}

static void write_global_average_pool(tl_c_network *network, const tl_c_step *step) {
    const windows over = whole(step->node);
    write_pool(network, step, &over, false);
}

static void write_upsample(tl_c_network *network, const tl_c_step *step) {
    const tl_export_node *node = step->node;
    const bool linear = tl_export_number(node, "linear", 0) != 0;
    tl_c_use(&network->helpers, linear ? TL_C_UPSAMPLE_LINEAR : TL_C_UPSAMPLE);
    tl_c_print(&network->body, "    upsample%s(%s, %zu, %zu, %d, %s);\n", linear ? "_linear" : "",
               tl_c_place_of(network, step->x[0]).text, node->in.length, node->in.channels,
               (int)tl_export_number(node, "factor", 1), tl_c_place_of(network, step->y).text);
}

static size_t steps_before_last(const tl_export_node *node) { return (node->in.length - 1) * node->in.channels; }

/* ---- functions of single elements ---- */

/* Adds a loop over the elements: `y[i] = FUNCTION(x[i]REST);`. */
static void map(tl_c_network *network, const tl_c_step *step, const char *function, const char *rest) {
    const tl_shape out = step->node->out;
    tl_c_print(&network->body, "    for (int i = 0; i < %zu; i++) %s = %s(%s%s);\n", out.length * out.channels,
               tl_c_element_of(network, step->y).text, function, tl_c_element_of(network, step->x[0]).text, rest);
}

static void map_with(tl_c_network *network, const tl_c_step *step, const char *function, double a, double b, int numbers) {
    tl_c_text rest = {.error = network->error};
    for (int i = 0; i < numbers; i++) {
        tl_c_print(&rest, ", ");
        tl_c_number(&rest, i == 0 ? a : b);
    }
    map(network, step, function, rest.start ? rest.start : "");
    tl_c_text_free(&rest);
}

/* An activation without settings: its helper and the name of the helper. */
#define PLAIN_ACTIVATION(layer, helper, function)                                                                                  \
    static void write_##layer(tl_c_network *network, const tl_c_step *step) {                                                      \
        tl_c_use(&network->helpers, helper);                                                                                       \
        map(network, step, function, "");                                                                                          \
    }
PLAIN_ACTIVATION(relu, TL_C_RELU, "relu")
PLAIN_ACTIVATION(sigmoid, TL_C_SIGMOID, "sigmoid")
PLAIN_ACTIVATION(hard_sigmoid, TL_C_HARD_SIGMOID, "hard_sigmoid")
PLAIN_ACTIVATION(tanh, TL_C_TANH, "net_tanh")
PLAIN_ACTIVATION(exponential, TL_C_EXP, "net_exp")
PLAIN_ACTIVATION(softplus, TL_C_SOFTPLUS, "softplus")
PLAIN_ACTIVATION(silu, TL_C_SILU, "silu")

static void write_gelu(tl_c_network *network, const tl_c_step *step) {
    const bool approximate = tl_export_number(step->node, "approximate", 0) != 0;
    tl_c_use(&network->helpers, approximate ? TL_C_GELU_TANH : TL_C_GELU);
    map(network, step, approximate ? "gelu_tanh" : "gelu", "");
}

static void write_leaky_relu(tl_c_network *network, const tl_c_step *step) {
    tl_c_use(&network->helpers, TL_C_LEAKY_RELU);
    map_with(network, step, "leaky_relu", tl_export_number(step->node, "slope", 0), 0, 1);
}

static void write_elu(tl_c_network *network, const tl_c_step *step) {
    tl_c_use(&network->helpers, TL_C_ELU);
    map_with(network, step, "elu", tl_export_number(step->node, "alpha", 0), 1, 2);
}

static void write_selu(tl_c_network *network, const tl_c_step *step) {
    tl_c_use(&network->helpers, TL_C_ELU);
    map_with(network, step, "elu", 1.6732632423543772848, 1.0507009873554804934, 2);
}

static void write_affine(tl_c_network *network, const tl_c_step *step) {
    const tl_export_node *node = step->node;
    tl_c_use(&network->helpers, TL_C_AFFINE);
    map_with(network, step, "affine", tl_export_number(node, "scale", 0), tl_export_number(node, "shift", 0), 2);
}

/* Adds a loop over the elements: `y[i] = a[i] + b[i] + …;`, or with `*`. */
static void combine(tl_c_network *network, const tl_c_step *step, char sign) {
    tl_c_text *body = &network->body;
    tl_c_print(body, "    for (int i = 0; i < %zu; i++) %s = %s", step->node->out.length * step->node->out.channels,
               tl_c_element_of(network, step->y).text, step->relu ? "relu(" : "");
    for (size_t e = 0; e < step->node->inputs; e++) {
        if (e > 0) tl_c_print(body, " %c ", sign);
        tl_c_print(body, "%s", tl_c_element_of(network, step->x[e]).text);
    }
    tl_c_print(body, step->relu ? ");\n" : ";\n");
    if (step->relu) tl_c_use(&network->helpers, TL_C_RELU);
}

static void write_add(tl_c_network *network, const tl_c_step *step) { combine(network, step, '+'); }
static void write_multiply(tl_c_network *network, const tl_c_step *step) { combine(network, step, '*'); }

static void write_concat(tl_c_network *network, const tl_c_step *step) {
    const tl_export_node *node = step->node;
    tl_c_value to = step->y;
    tl_c_use(&network->helpers, TL_C_COPY_CHANNELS);
    for (size_t e = 0; e < node->inputs; e++) {
        const size_t channels = network->net.node[node->input[e]].out.channels;
        tl_c_print(&network->body, "    copy_channels(%s, %zu, %zu, %zu, %s);\n", tl_c_place_of(network, step->x[e]).text,
                   node->out.length, channels, node->out.channels, tl_c_place_of(network, to).text);
        to.offset += channels;
    }
}

/* ---- functions of channels ---- */

/* Adds `FUNCTION(x, rows, channels, …, y);`. `middle` replaces the …; examples: "slope, " and "". */
static void call_rows(tl_c_network *network, const tl_c_step *step, const char *function, const char *middle) {
    tl_c_print(&network->body, "    %s(%s, %zu, %zu, %s%s);\n", function, tl_c_place_of(network, step->x[0]).text,
               step->node->in.length, step->node->in.channels, middle, tl_c_place_of(network, step->y).text);
}

static void write_prelu(tl_c_network *network, const tl_c_step *step) {
    char middle[80];
    snprintf(middle, sizeof middle, "%s_slope, ", step->node->name);
    tl_c_use(&network->helpers, TL_C_PRELU);
    write_parameter(network, step->node, "slope");
    call_rows(network, step, "prelu", middle);
}

static void write_softmax(tl_c_network *network, const tl_c_step *step) {
    tl_c_use(&network->helpers, TL_C_SOFTMAX);
    call_rows(network, step, "softmax", "");
}

static void write_embedding(tl_c_network *network, const tl_c_step *step) {
    const tl_export_node *node = step->node;
    const tl_export_array *table = tl_export_find(node, "table");
    tl_c_use(&network->helpers, TL_C_EMBEDDING);
    write_parameter(network, node, "table");
    tl_c_print(&network->body, "    embedding(%s, %zu, %zu, %zu, %s_table, %s);\n", tl_c_place_of(network, step->x[0]).text,
               node->in.length, table->shape[0], table->shape[1], node->name, tl_c_place_of(network, step->y).text);
}

/* A batch norm that could not be folded into another layer. */
static void write_batch_norm(tl_c_network *network, const tl_c_step *step) {
    const tl_export_node *node = step->node;
    const size_t channels = node->in.channels;
    const double *scale = tl_export_find(node, "scale")->value, *variance = tl_export_find(node, "variance")->value;
    const double epsilon = tl_export_number(node, "epsilon", 0);
    double *factor = tl_allocate(channels, sizeof *factor, "export", network->error);
    for (size_t c = 0; factor && c < channels; c++) factor[c] = scale[c] / sqrt(variance[c] + epsilon);
    if (factor) tl_c_write_array(network, node->name, "factor", factor, channels);
    tl_release(factor);
    write_parameter(network, node, "mean");
    write_parameter(network, node, "shift");
    char middle[240];
    snprintf(middle, sizeof middle, "%s_mean, %s_factor, %s_shift, ", node->name, node->name, node->name);
    tl_c_use(&network->helpers, TL_C_BATCH_NORM);
    call_rows(network, step, "batch_norm", middle);
}

/* layer_norm, and group_norm, which also needs the number of channels in a group. */
static void write_norm(tl_c_network *network, const tl_c_step *step, const char *function, const char *width) {
    const tl_export_node *node = step->node;
    tl_c_text middle = {.error = network->error};
    write_parameter(network, node, "scale");
    write_parameter(network, node, "shift");
    tl_c_print(&middle, "%s", width);
    tl_c_number(&middle, tl_export_number(node, "epsilon", 0));
    tl_c_print(&middle, ", %s_scale, %s_shift, ", node->name, node->name);
    if (!tl_failed(network->error)) call_rows(network, step, function, middle.start);
    tl_c_text_free(&middle);
}

static void write_layer_norm(tl_c_network *network, const tl_c_step *step) {
    tl_c_use(&network->helpers, TL_C_LAYER_NORM);
    write_norm(network, step, "layer_norm", "");
}

static void write_group_norm(tl_c_network *network, const tl_c_step *step) {
    char width[24];
    snprintf(width, sizeof width, "%zu, ", step->node->in.channels / (size_t)tl_export_number(step->node, "groups", 1));
    tl_c_use(&network->helpers, TL_C_GROUP_NORM);
    write_norm(network, step, "group_norm", width);
}

/* ---- the table ---- */

static const tl_c_layer rows[] = {
    {.ops = &tl_conv1d_layer_ops, .write = write_conv1d, .scratch = conv1d_scratch, .rectifies = true},
    {.ops = &tl_conv1d_transpose_layer_ops, .write = write_conv1d_transpose, .rectifies = true},
    {.ops = &tl_dense_layer_ops, .write = write_dense, .rectifies = true},
    {.ops = &tl_relu_layer_ops, .write = write_relu},
    {.ops = &tl_leaky_relu_layer_ops, .write = write_leaky_relu},
    {.ops = &tl_prelu_layer_ops, .write = write_prelu},
    {.ops = &tl_elu_layer_ops, .write = write_elu},
    {.ops = &tl_selu_layer_ops, .write = write_selu},
    {.ops = &tl_gelu_layer_ops, .write = write_gelu},
    {.ops = &tl_silu_layer_ops, .write = write_silu},
    {.ops = &tl_softplus_layer_ops, .write = write_softplus},
    {.ops = &tl_sigmoid_layer_ops, .write = write_sigmoid},
    {.ops = &tl_hard_sigmoid_layer_ops, .write = write_hard_sigmoid},
    {.ops = &tl_tanh_layer_ops, .write = write_tanh},
    {.ops = &tl_exponential_layer_ops, .write = write_exponential},
    {.ops = &tl_affine_layer_ops, .write = write_affine},
    {.ops = &tl_softmax_layer_ops, .write = write_softmax},
    {.ops = &tl_max_pool_layer_ops, .write = write_max_pool},
    {.ops = &tl_average_pool_layer_ops, .write = write_average_pool},
    {.ops = &tl_global_average_pool_layer_ops, .write = write_global_average_pool},
    {.ops = &tl_global_max_pool_layer_ops, .write = write_global_max_pool},
    {.ops = &tl_last_step_layer_ops, .skipped = steps_before_last},
    {.ops = &tl_upsample_layer_ops, .write = write_upsample},
    {.ops = &tl_embedding_layer_ops, .write = write_embedding},
    {.ops = &tl_fixed_filters_layer_ops, .write = write_fixed_filters, .scratch = fixed_filters_scratch},
    {.ops = &tl_rocket_layer_ops, .write = tl_c_write_rocket, .scratch = tl_c_rocket_scratch},
    {.ops = &tl_flatten_layer_ops},
    {.ops = &tl_batch_norm_layer_ops, .write = write_batch_norm},
    {.ops = &tl_layer_norm_layer_ops, .write = write_layer_norm},
    {.ops = &tl_group_norm_layer_ops, .write = write_group_norm},
    {.ops = &tl_dropout_layer_ops},
    {.ops = &tl_add_layer_ops, .write = write_add, .rectifies = true},
    {.ops = &tl_multiply_layer_ops, .write = write_multiply},
    {.ops = &tl_concat_layer_ops, .write = write_concat},
};

/* A layer that includes the ReLU after it has another table of operations, with the same name and settings. */
const tl_c_layer *tl_c_row_of(const tl_layer_ops *ops) {
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (rows[i].ops->setup == ops->setup && strcmp(rows[i].ops->name, ops->name) == 0) return &rows[i];
    return NULL;
}

const tl_c_layer *tl_c_layer_of(const tl_layer *layer) { return tl_c_row_of(layer->ops); }
