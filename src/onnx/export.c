/* Writes models as ONNX files: everything except the layers. */
#include "onnx/export.h"

#include "base/argument.h"
#include "base/memory.h"
#include "io/checksum.h"
#include "io/json.h"
#include "io/write.h"
#include "layers/registry.h"
#include "models/model.h"
#include "models/network.h"
#include "models/reading.h"
#include "onnx/onnx.h"

#include <tapline/onnx.h>

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const int ir_version_of_17 = 8, ir_version_of_19 = 9;

/* ---- layouts ---- */

static const char *layout_at(size_t index) {
    static const char *const names[] = {[TL_ONNX_LAYOUT_NLC] = "nlc", [TL_ONNX_LAYOUT_NCL] = "ncl"};
    return index < sizeof names / sizeof *names ? names[index] : NULL;
}

const char *tl_onnx_layout_name(tl_onnx_layout layout) { return layout_at((size_t)layout); }

tl_status tl_onnx_layout_by_name(const char *name, tl_onnx_layout *layout, tl_error *error) {
    return tl_find_name("layout", name, layout_at, (int *)layout, error);
}

/* ---- length and data ---- */

/* Whether a layer reduces several steps to one, and works for one length only. */
static bool ends_with_length(const tl_export_node *node) {
    const tl_layer_ops *ops = node->kind;
    const bool of_any =
        ops == &tl_global_average_pool_layer_ops || ops == &tl_global_max_pool_layer_ops || ops == &tl_last_step_layer_ops;
    return node->in.length > 1 && node->out.length == 1 && !of_any;
}

/* Whether series may have any length. */
static bool takes_any_length(const tl_export *net) {
    if (net->node[0].out.length == 1) return false;
    for (size_t i = 1; i < net->nodes; i++) {
        const tl_onnx_row *row = tl_onnx_row_of(net->node[i].kind);
        if (ends_with_length(&net->node[i]) || (row->fixes_length && row->fixes_length(&net->node[i]))) return false;
    }
    return true;
}

static int opset_of(const tl_export *net) {
    int opset = 17;
    for (size_t i = 1; i < net->nodes; i++) {
        const tl_onnx_row *row = tl_onnx_row_of(net->node[i].kind);
        const int needed = row->opset ? row->opset(&net->node[i]) : 17;
        if (needed > opset) opset = needed;
    }
    return opset;
}

static tl_status check_layers(const tl_export *net, tl_error *error) {
    for (size_t i = 1; i < net->nodes && !tl_failed(error); i++) {
        const tl_export_array *fitted = tl_export_find(&net->node[i], "fitted"); /* of a layer rocket */
        if (!tl_onnx_row_of(net->node[i].kind)) tl_export_refuse(net, &net->node[i], error);
        if (fitted && fitted->value[0] == 0)
            tl_export_fail(net, &net->node[i], error,
                           "its biases were not drawn yet; tl_update_statistics draws them from training data");
    }
    return error->status;
}

static bool makes_probabilities(const tl_export *net) {
    return net->loss == TL_LOSS_CROSS_ENTROPY || net->loss == TL_LOSS_BINARY_CROSS_ENTROPY;
}

static tl_status check_cfg(const tl_export *net, const tl_onnx_export_cfg *cfg, tl_error *error) {
    if (tl_failed(error)) return error->status;
    if (!layout_at((size_t)cfg->layout)) return tl_fail(error, TL_ERROR_ARGUMENT, "onnx: layout %d is unknown", (int)cfg->layout);
    if (cfg->logits && !makes_probabilities(net))
        return tl_fail(error, TL_ERROR_ARGUMENT, "onnx: the model was trained for %s; it has no logits", tl_loss_name(net->loss));
    if (cfg->data && cfg->data->lengths)
        return tl_fail(error, TL_ERROR_ARGUMENT,
                       "onnx: the model takes series of different lengths, but an ONNX graph cannot say which steps of a batch "
                       "are valid. To export it, train it on series of one length");
    return check_layers(net, error);
}

/* ---- scaling ---- */

/* Writes a constant for each channel: (channels, 1) for series, (channels) for a matrix. */
static void put_channels(tl_pb_writer *out, const char *name, const double *values, size_t channels, bool matrix) {
    tl_onnx_put_tensor(out, name, matrix ? 1 : 2, (const size_t[]){channels, 1}, values);
}

/* Writes a step of scaling: `to` = operator(`from`, constant). */
static void put_scaling(tl_pb_writer *out, const char *operator_type, const char *from, const char *to, const double *values,
                        size_t channels, bool matrix) {
    char name[TL_ONNX_NAME];
    snprintf(name, sizeof name, "%.80s.constant", to);
    put_channels(out, name, values, channels, matrix);
    tl_onnx_put_node(out, &(tl_onnx_node){operator_type, to, .input = {from, name}});
}

/* (x - mean) / deviation. The mean has more digits than x; the rest is subtracted from the difference, which is small. */
static void put_set_scaling(tl_onnx_graph *graph, const char *from, const char *to) {
    const size_t channels = graph->net.node[0].out.channels;
    double *mean = tl_allocate(channels, sizeof *mean, "onnx", NULL), *rest = tl_allocate(channels, sizeof *rest, "onnx", NULL);
    graph->out.short_of_memory = graph->out.short_of_memory || !mean || !rest;
    for (size_t c = 0; mean && rest && c < channels; c++) {
        mean[c] = (double)(tl_real)graph->scaling.mean[c];
        rest[c] = graph->scaling.mean[c] - mean[c];
    }
    if (mean && rest) {
        put_scaling(&graph->out, "Sub", from, "normalise/mean", mean, channels, false);
        put_scaling(&graph->out, "Sub", "normalise/mean", "normalise/rest", rest, channels, false);
        put_scaling(&graph->out, "Div", "normalise/rest", to, graph->scaling.deviation, channels, false);
    }
    tl_release(rest);
    tl_release(mean);
}

/* Writes the nodes from the input of the graph to the first layer. */
static void put_input(tl_onnx_graph *graph, const tl_onnx_export_cfg *cfg) {
    const char *name = "series";
    char *first = graph->forms[0].series;
    if (cfg->layout == TL_ONNX_LAYOUT_NLC) {
        tl_onnx_put_node(&graph->out, &(tl_onnx_node){"Transpose", "series/channels_first", .input = {name},
                                                      .attribute = {tl_onnx_triple("perm", 0, 2, 1)}});
        name = "series/channels_first";
    }
    const bool scaled = graph->scaling.kind == TL_NORMALIZE_SERIES || graph->scaling.kind == TL_NORMALIZE_SET;
    snprintf(first, TL_ONNX_NAME, "%s", scaled ? "normalised" : name);
    if (graph->scaling.kind == TL_NORMALIZE_SERIES)
        tl_onnx_put_pattern(&graph->out, TL_PATTERN_NORMALIZE, "normalise", name, first, 0);
    if (graph->scaling.kind == TL_NORMALIZE_SET) put_set_scaling(graph, name, first);
}

/* ---- the output ---- */

static const char *output_name(const tl_export *net, const tl_onnx_export_cfg *cfg) {
    return !makes_probabilities(net) ? "values" : cfg->logits ? "logits" : "probabilities";
}

/* Writes what tl_predict computes from the outputs of the network. */
static void put_prediction(tl_onnx_graph *graph, bool logits, const char *from, const char *to, bool matrix) {
    const tl_scaling *targets = graph->net.targets;
    const size_t outputs = graph->net.node[graph->net.nodes - 1].out.channels;
    if (targets->mean) {
        put_scaling(&graph->out, "Mul", from, "output/scaled", targets->deviation, outputs, matrix);
        put_scaling(&graph->out, "Add", "output/scaled", to, targets->mean, outputs, matrix);
    } else if (logits || !makes_probabilities(&graph->net))
        tl_onnx_put_node(&graph->out, &(tl_onnx_node){"Identity", to, .input = {from}});
    else if (graph->net.loss == TL_LOSS_BINARY_CROSS_ENTROPY)
        tl_onnx_put_node(&graph->out, &(tl_onnx_node){"Sigmoid", to, .input = {from}});
    else
        tl_onnx_put_node(&graph->out, &(tl_onnx_node){"Softmax", to, .input = {from}, .attribute = {tl_onnx_int("axis", 1)}});
}

/* Writes the nodes from the last layer to the output of the graph. */
static void put_output(tl_onnx_graph *graph, const tl_onnx_export_cfg *cfg) {
    const size_t last = graph->net.nodes - 1;
    const bool matrix = graph->net.node[last].out.length == 1, turns = !matrix && cfg->layout == TL_ONNX_LAYOUT_NLC;
    const char *from = (matrix ? tl_onnx_matrix : tl_onnx_series)(graph, last), *name = output_name(&graph->net, cfg);
    const char *to = turns ? "output/channels_first" : name;
    put_prediction(graph, cfg->logits, from, to, matrix);
    if (turns)
        tl_onnx_put_node(&graph->out,
                         &(tl_onnx_node){"Transpose", name, .input = {to}, .attribute = {tl_onnx_triple("perm", 0, 2, 1)}});
}

/* ---- metadata ---- */

static void put_values(tl_onnx_graph *graph, const tl_onnx_export_cfg *cfg) {
    const tl_export *net = &graph->net;
    const tl_export_node *last = &net->node[net->nodes - 1];
    const bool first_channels = cfg->layout == TL_ONNX_LAYOUT_NCL, any = takes_any_length(net);
    const tl_onnx_dim batch = {0, "N"}, channels = {net->node[0].out.channels, NULL}, outputs = {last->out.channels, NULL};
    const tl_onnx_dim length = {any ? 0 : net->node[0].out.length, "T"}, steps = {any ? 0 : last->out.length, NULL};
    const tl_onnx_dim in[] = {batch, first_channels ? channels : length, first_channels ? length : channels};
    const tl_onnx_dim vector[] = {batch, outputs};
    const tl_onnx_dim out[] = {batch, first_channels ? outputs : steps, first_channels ? steps : outputs};
    const bool matrix = last->out.length == 1;
    tl_onnx_put_value(&graph->out, TL_ONNX_GRAPH_INPUT, "series", 3, in);
    tl_onnx_put_value(&graph->out, TL_ONNX_GRAPH_OUTPUT, output_name(net, cfg), matrix ? 2 : 3, matrix ? vector : out);
}

static void put_text(tl_pb_writer *out, const char *key, const char *text) {
    const size_t opened = tl_pb_open(out, TL_ONNX_METADATA);
    tl_pb_text(out, TL_ONNX_KEY, key);
    tl_pb_text(out, TL_ONNX_VALUE, text);
    tl_pb_close(out, opened);
}

/* Adds a text, and releases the value. */
static void put_json(tl_pb_writer *out, const char *key, json_t *value) {
    char *text = tl_json_text(value, JSON_COMPACT | JSON_REAL_PRECISION(17) | JSON_ENCODE_ANY);
    out->short_of_memory = out->short_of_memory || !text;
    if (text) put_text(out, key, text);
    free(text);
    json_decref(value);
}

static void put_metadata(tl_onnx_graph *graph, const tl_onnx_export_cfg *cfg, tl_error *error) {
    const tl_export *net = &graph->net;
    tl_pb_writer *out = &graph->out;
    json_t *classes = tl_model_classes(net->model, cfg->data, "onnx", error);
    if (tl_failed(error)) return;
    put_json(out, "classes", classes);
    put_text(out, "normalise", tl_normalization_name(graph->scaling.kind));
    if (graph->scaling.kind == TL_NORMALIZE_SET)
        put_json(out, "scale", tl_scaling_describe(&graph->scaling, net->node[0].out.channels));
    if (net->targets->mean) put_json(out, "targets", tl_scaling_describe(net->targets, tl_output_shape(net->model).channels));
    if (cfg->value_names || cfg->target_names)
        put_json(out, "reading",
                 tl_reading_describe(&(tl_read_cfg){.value_names = cfg->value_names, .target_names = cfg->target_names}));
    put_text(out, "loss", tl_loss_name(net->loss));
    put_json(out, "architecture", tl_network_describe(net->model));
    put_text(out, "tapline", tl_version());
    put_text(out, "checksum", "0000000000000000");
}

/* Computes the checksum of all bytes of the file, and replaces the zeros at its end by it. */
static void set_checksum(tl_pb_writer *out) {
    char text[TL_CHECKSUM_DIGITS + 1];
    char *digits = (char *)out->bytes + out->count - TL_CHECKSUM_DIGITS;
    tl_checksum_of(&(tl_piece){out->bytes, out->count}, 1, digits, text);
    memcpy(digits, text, TL_CHECKSUM_DIGITS);
}

/* ---- the whole file ---- */

static void put_graph(tl_onnx_graph *graph, const tl_onnx_export_cfg *cfg) {
    const size_t opened = tl_pb_open(&graph->out, TL_ONNX_GRAPH);
    tl_pb_text(&graph->out, TL_ONNX_GRAPH_NAME, "tapline");
    put_input(graph, cfg);
    for (size_t i = 1; i < graph->net.nodes; i++) tl_onnx_row_of(graph->net.node[i].kind)->write(graph, &graph->net.node[i]);
    put_output(graph, cfg);
    put_values(graph, cfg);
    tl_pb_close(&graph->out, opened);
}

static void put_model(tl_onnx_graph *graph, const tl_onnx_export_cfg *cfg, tl_error *error) {
    tl_pb_writer *out = &graph->out;
    const int opset = opset_of(&graph->net);
    tl_pb_integer(out, TL_ONNX_IR_VERSION, opset < 19 ? ir_version_of_17 : ir_version_of_19);
    tl_pb_text(out, TL_ONNX_PRODUCER, "tapline");
    tl_pb_text(out, TL_ONNX_PRODUCER_VERSION, tl_version());
    put_graph(graph, cfg);
    const size_t opened = tl_pb_open(out, TL_ONNX_OPSET);
    tl_pb_integer(out, TL_ONNX_OPSET_VERSION, opset);
    tl_pb_close(out, opened);
    put_metadata(graph, cfg, error);
    if (tl_pb_end(out, "onnx", error) != TL_OK) return;
    set_checksum(out);
    if (out->count > INT_MAX)
        tl_fail(error, TL_ERROR_SHAPE, "onnx: the file would have %zu bytes; ONNX files have at most %d", out->count, INT_MAX);
}

static tl_status begin(tl_onnx_graph *graph, const tl_model *model, const tl_onnx_export_cfg *cfg, tl_error *error) {
    const tl_save_cfg known = {.data = cfg->data, .normalize = cfg->normalize};
    if (tl_export_begin(&graph->net, model, "onnx", error) != TL_OK) return error->status;
    tl_model_find_scaling(model, &known, "onnx", &graph->scaling, error);
    if (check_cfg(&graph->net, cfg, error) == TL_OK && cfg->fold_batch_norm) tl_export_fold_batch_norm(&graph->net, error);
    if (!tl_failed(error)) graph->forms = tl_allocate(graph->net.nodes, sizeof *graph->forms, "onnx", error);
    return error->status;
}

tl_status tl_onnx_export_sized(const tl_model *model, const char *path, const tl_onnx_export_cfg *given, size_t size,
                               tl_error *error) {
    tl_onnx_export_cfg cfg;
    tl_error own = {0};
    tl_onnx_graph graph = {0};
    if (!error) error = &own;
    if (tl_failed(error)) return error->status;
    tl_take(&cfg, sizeof cfg, given, size, "onnx", error);
    if (begin(&graph, model, &cfg, error) == TL_OK) put_model(&graph, &cfg, error);
    if (!tl_failed(error)) tl_file_write(path, &(tl_piece){graph.out.bytes, graph.out.count}, 1, error);
    tl_pb_release(&graph.out);
    tl_release(graph.forms);
    tl_export_release(&graph.net);
    return error->status;
}
