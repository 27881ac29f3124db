/* ONNX files: an exported model is imported with the same bits, with and without metadata; the contents of files; messages.
 * tests/peer/onnx_export.py compares with other runtimes; test_onnx_graphs.c imports graphs of a few nodes. */
#include "files.h"
#include "network_cases.h"

#include "io/protobuf.h"
#include "layers/registry.h"
#include "onnx/export.h"
#include "onnx/onnx.h"

#include <tapline/onnx.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { COUNT = 3, ROUNDS = 3 };

/* ---- files ---- */

typedef struct content {
    unsigned char *bytes;
    size_t count;
} content;

static content read_file(const char *path) {
    FILE *file = fopen(path, "rb");
    content whole = {.bytes = malloc(1 << 24)};
    assert_non_null(file);
    assert_non_null(whole.bytes);
    whole.count = fread(whole.bytes, 1, 1 << 24, file);
    fclose(file);
    return whole;
}

static void write_file(const char *path, const void *from, size_t count) {
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(from, 1, count, file), count);
    fclose(file);
}

/* The file without its metadata. */
static void strip_metadata(const char *path) {
    const content whole = read_file(path);
    tl_pb_reader reader = tl_pb_read(whole.bytes, whole.count);
    tl_pb_field field;
    tl_pb_writer out = {0};
    while (tl_pb_next(&reader, &field)) {
        if (field.number == TL_ONNX_METADATA) continue;
        if (field.wire == TL_PB_VARINT)
            tl_pb_integer(&out, field.number, (int64_t)field.bits);
        else
            tl_pb_bytes(&out, field.number, field.bytes, field.count);
    }
    assert_false(reader.damaged);
    write_file(path, out.bytes, out.count);
    tl_pb_release(&out);
    free(whole.bytes);
}

/* Finds the field with this number in the message `in`, after `skip` others with the same number. */
static bool field_of(const tl_pb_field *in, uint32_t number, size_t skip, tl_pb_field *field) {
    tl_pb_reader reader = tl_pb_read(in->bytes, in->count);
    while (tl_pb_next(&reader, field))
        if (field->number == number && skip-- == 0) return true;
    return false;
}

static size_t count_fields(const tl_pb_field *in, uint32_t number) {
    tl_pb_field unused;
    size_t count = 0;
    while (field_of(in, number, count, &unused)) count++;
    return count;
}

static bool is_text(const tl_pb_field *field, const char *text) {
    return field->count == strlen(text) && memcmp(field->bytes, text, field->count) == 0;
}

static size_t count_nodes(const tl_pb_field *graph, const char *type) {
    tl_pb_field node, name;
    size_t count = 0;
    for (size_t i = 0; field_of(graph, TL_ONNX_NODE, i, &node); i++)
        count += field_of(&node, TL_ONNX_NODE_OPERATOR, 0, &name) && is_text(&name, type);
    return count;
}

/* ---- export, then import ---- */

static tl_tensor predict(tl_model *model, const tl_tensor *x) {
    tl_error error = {0};
    const tl_shape out = tl_output_shape(model);
    tl_tensor y = tl_tensor_new(3, (const size_t[]){x->shape[0], out.length, out.channels}, &error);
    tl_predict(model, x, NULL, &y, &error);
    check_ok(&error);
    return y;
}

static void check_read(const char *path, const char *name, tl_model *model, const char *loss, bool rows) {
    tl_error error = {0};
    const tl_onnx_import_cfg cfg = {
        .threads = 1, .length = tl_input_shape(model).length, .loss = loss, .compile = {.batch = 2, .inference_only = true}};
    tl_model *read = tl_onnx_import(path, &cfg, NULL, &error);
    if (!read) fail_msg("%s: %s", name, error.text);
    tl_tensor x = network_series(model, COUNT, rows), expected = predict(model, &x), found = predict(read, &x);
    assert_int_equal(tl_tensor_count(&found), tl_tensor_count(&expected));
    check_equal(name, found.data, expected.data, tl_tensor_count(&expected));
    tl_tensor_free(&found);
    tl_tensor_free(&expected);
    tl_tensor_free(&x);
    tl_model_free(read);
}

static void check_round_trip(const char *name, tl_model *model, bool rows, const tl_onnx_export_cfg *cfg) {
    tl_error error = {0};
    const char *path = files_path("net.onnx");
    tl_onnx_export(model, path, cfg, &error);
    check_ok(&error);
    check_read(path, name, model, NULL, rows);
    strip_metadata(path);
    check_read(path, name, model, tl_loss_name(tl_model_loss(model)), rows);
    remove(path);
}

static void given_each_layer_when_exported_and_imported_then_the_same_bits(void **unused) {
    (void)unused;
    for (size_t i = 0; i < layer_case_count; i++)
        for (uint32_t round = 0; round < ROUNDS; round++) {
            tl_model *model = layer_case_make(&layer_cases[i], round);
            check_round_trip(layer_cases[i].name, model, false, &(tl_onnx_export_cfg){.layout = round % 2});
            tl_model_free(model);
        }
}

static void given_each_network_when_exported_and_imported_then_the_same_bits(void **unused) {
    (void)unused;
    for (size_t i = 0; i < network_case_count; i++) {
        const network_case *network = &network_cases[i];
        tl_model *model = network_case_make(network, i % 2 ? TL_LOSS_CROSS_ENTROPY : TL_LOSS_BINARY_CROSS_ENTROPY);
        const tl_onnx_export_cfg cfg = {.normalize = network->rows ? TL_NORMALIZE_NONE : TL_NORMALIZE_SERIES};
        check_round_trip(network->name, model, network->rows, &cfg);
        tl_model_free(model);
    }
}

/* ---- contents of a file ---- */

/* Returns the graph of a file. Free the bytes of `whole`. */
static tl_pb_field open_graph(const char *path, content *whole) {
    tl_pb_field model, graph;
    *whole = read_file(path);
    model = (tl_pb_field){.bytes = whole->bytes, .count = whole->count};
    assert_true(field_of(&model, TL_ONNX_GRAPH, 0, &graph));
    return graph;
}

static void export_to(const char *path, const tl_model *model, const tl_onnx_export_cfg *cfg) {
    tl_error error = {0};
    tl_onnx_export(model, path, cfg, &error);
    check_ok(&error);
}

/* How many times a text occurs in the bytes. */
static size_t count_text(const content *whole, const char *text) {
    size_t found = 0;
    const unsigned char *at = whole->bytes;
    while ((at = memmem(at, whole->count - (size_t)(at - whole->bytes), text, strlen(text)))) found++, at++;
    return found;
}

static void given_each_registered_layer_then_it_is_in_the_table_or_does_nothing(void **unused) {
    (void)unused;
    for (const tl_layer_ops *const *ops = tl_layer_registry; *ops; ops++) {
        const bool nothing = *ops == &tl_input_layer_ops || *ops == &tl_dropout_layer_ops; /* both are omitted */
        if (!tl_onnx_row_of(*ops) != nothing) fail_msg("%s: has no row in src/onnx/layers.c, or one too many", (*ops)->name);
    }
}

static void given_a_model_with_classes_when_exported_then_metadata_has_them(void **unused) {
    (void)unused;
    const char *path = files_path("classes.onnx"), *const names[] = {"up", "größer", "\"down\""};
    tl_model *model = network_case_make(&network_cases[0], TL_LOSS_CROSS_ENTROPY);
    tl_dataset data = {.classes = 3, .class_names = (char **)names};
    content whole;
    tl_error error = {0};
    tl_model_info info = {0};
    export_to(path, model, &(tl_onnx_export_cfg){.data = &data, .normalize = TL_NORMALIZE_SERIES});
    const tl_pb_field graph = open_graph(path, &whole);
    tl_pb_field field;
    const tl_pb_field all = {.bytes = whole.bytes, .count = whole.count};
    assert_true(field_of(&all, TL_ONNX_IR_VERSION, 0, &field));
    assert_int_equal(field.bits, 8);
    assert_true(field_of(&all, TL_ONNX_OPSET, 0, &field) && field_of(&field, TL_ONNX_OPSET_VERSION, 0, &field));
    assert_int_equal(field.bits, 17);
    assert_int_equal(count_nodes(&graph, "BatchNormalization"), 3);
    assert_int_equal(count_nodes(&graph, "Softmax"), 1);
    free(whole.bytes);
    tl_model *read = tl_onnx_import(path, &(tl_onnx_import_cfg){.compile = {.inference_only = true}}, &info, &error);
    check_ok(&error);
    assert_int_equal(info.data.classes, 3);
    for (size_t c = 0; c < 3; c++) assert_string_equal(info.data.class_names[c], names[c]);
    assert_int_equal(info.normalize, TL_NORMALIZE_SERIES);
    tl_model_info_release(&info);
    tl_model_free(read);
    tl_model_free(model);
    remove(path);
}

static void given_options_when_exported_then_the_graph_follows(void **unused) {
    (void)unused;
    const char *path = files_path("options.onnx");
    tl_model *model = network_case_make(&network_cases[0], TL_LOSS_CROSS_ENTROPY);
    content whole;
    export_to(path, model, &(tl_onnx_export_cfg){.fold_batch_norm = true, .logits = true, .layout = TL_ONNX_LAYOUT_NCL});
    const tl_pb_field graph = open_graph(path, &whole);
    assert_int_equal(count_nodes(&graph, "BatchNormalization"), 0);
    assert_int_equal(count_nodes(&graph, "Softmax"), 0);
    assert_int_equal(count_nodes(&graph, "Transpose"), 0);
    tl_pb_field output, name;
    assert_true(field_of(&graph, TL_ONNX_GRAPH_OUTPUT, 0, &output) && field_of(&output, TL_ONNX_INFO_NAME, 0, &name));
    assert_true(is_text(&name, "logits"));
    assert_int_equal(count_fields(&graph, TL_ONNX_GRAPH_INPUT), 1);
    free(whole.bytes);
    tl_model_free(model);
    remove(path);
}

/* Whether the length of the input is symbolic. Frees the model. */
static bool takes_any_length(tl_model *model) {
    const char *path = files_path("length.onnx");
    content whole;
    export_to(path, model, NULL);
    const tl_pb_field graph = open_graph(path, &whole);
    tl_pb_field input;
    assert_true(field_of(&graph, TL_ONNX_GRAPH_INPUT, 0, &input));
    const content port = {.bytes = (unsigned char *)input.bytes, .count = input.count};
    const bool open = count_text(&port, "\x12\x01T") > 0;
    free(whole.bytes);
    remove(path);
    tl_model_free(model);
    return open;
}

static tl_model *make_strided(tl_padding padding) {
    tl_model *m = tl_model_new(NULL);
    const tl_conv1d_cfg cfg = {.filters = 2, .kernel = 3, .stride = 2, .padding = padding};
    return network_compile(m, tl_conv1d(m, tl_input(m, (tl_shape){12, 1}), &cfg), TL_LOSS_SQUARED_ERROR);
}

static void given_networks_when_exported_then_any_length_if_no_layer_fixes_it(void **unused) {
    (void)unused;
    assert_true(takes_any_length(network_case_make(&network_cases[0], TL_LOSS_CROSS_ENTROPY)));  /* FCN */
    assert_false(takes_any_length(network_case_make(&network_cases[3], TL_LOSS_CROSS_ENTROPY))); /* Time-CNN flattens */
    assert_true(takes_any_length(make_strided(TL_PADDING_CAUSAL)));
    assert_false(takes_any_length(make_strided(TL_PADDING_SAME)));
}

static void given_circular_padding_when_exported_then_operator_set_19(void **unused) {
    (void)unused;
    const char *path = files_path("circular.onnx");
    tl_model *m = tl_model_new(NULL);
    const tl_conv1d_cfg cfg = {.filters = 2, .kernel = 3, .padding = TL_PADDING_SAME, .padding_mode = TL_PADDING_MODE_CIRCULAR};
    network_compile(m, tl_conv1d(m, tl_input(m, (tl_shape){12, 1}), &cfg), TL_LOSS_SQUARED_ERROR);
    export_to(path, m, NULL);
    const content whole = read_file(path);
    const tl_pb_field all = {.bytes = whole.bytes, .count = whole.count};
    tl_pb_field field;
    assert_true(field_of(&all, TL_ONNX_OPSET, 0, &field) && field_of(&field, TL_ONNX_OPSET_VERSION, 0, &field));
    assert_int_equal(field.bits, 19);
    free(whole.bytes);
    tl_model_free(m);
    remove(path);
}

/* ---- statistics ---- */

static void given_statistics_of_a_set_when_imported_then_they_are_the_same(void **unused) {
    (void)unused;
    const char *path = files_path("set.onnx");
    tl_error error = {0};
    tl_model_info info = {0};
    const double mean[] = {1e5 + 0.1, -3}, deviation[] = {0.7, 1e-3};
    tl_model *model = network_case_make(&network_cases[0], TL_LOSS_HUBER), *read;
    tl_dataset data = {.scaling = {TL_NORMALIZE_SET, (double *)mean, (double *)deviation}};
    tl_model_set_target_scale(model, (const double[]){1e3, -0.1, 0}, (const double[]){0.3, 2, 1}, &error);
    export_to(path, model, &(tl_onnx_export_cfg){.data = &data});
    read = tl_onnx_import(path, &(tl_onnx_import_cfg){.compile = {.inference_only = true}}, &info, &error);
    check_ok(&error);
    assert_int_equal(info.data.scaling.kind, TL_NORMALIZE_SET);
    for (size_t c = 0; c < 2; c++) {
        check_number("mean", info.data.scaling.mean[c], mean[c], 0, 0);
        check_number("deviation", info.data.scaling.deviation[c], deviation[c], 0, 0);
    }
    check_number("mean of targets", tl_model_target_scale(read, 1).mean, -0.1, 0, 0);
    check_number("deviation of targets", tl_model_target_scale(read, 0).deviation, 0.3, 0, 0);
    tl_model_info_release(&info);
    tl_model_free(read);
    tl_model_free(model);
    remove(path);
}

/* ---- files of other programs: tests/parity/onnx_files.py made them ---- */

static double next_number(FILE *file) {
    char text[64], *end;
    assert_int_equal(fscanf(file, "%63s", text), 1);
    const double number = strtod(text, &end);
    assert_true(end != text && *end == '\0');
    return number;
}

static void check_other(const char *name) {
    char path[4096], text[4096];
    tl_error error = {0};
    snprintf(path, sizeof path, "%s/onnx/%s.onnx", FIXTURES, name);
    snprintf(text, sizeof text, "%s/onnx/%s.txt", FIXTURES, name);
    FILE *file = fopen(text, "r");
    assert_non_null(file);
    const size_t length = (size_t)next_number(file), channels = (size_t)next_number(file);
    tl_model *model = tl_onnx_import(path, &(tl_onnx_import_cfg){.compile = {.inference_only = true}}, NULL, &error);
    if (!model) fail_msg("%s: %s", name, error.text);
    tl_tensor x = tl_tensor_new(3, (const size_t[]){1, length, channels}, &error);
    for (size_t i = 0; i < length * channels; i++) x.data[i] = (tl_real)((float)((int)(37 * i % 101) - 50) / 50);
    tl_tensor y = predict(model, &x);
    for (size_t i = 0; i < tl_tensor_count(&y); i++) check_number(name, (double)y.data[i], next_number(file), 1e-5, 1e-6);
    fclose(file);
    tl_tensor_free(&y);
    tl_tensor_free(&x);
    tl_model_free(model);
}

static void given_files_of_pytorch_and_keras_when_imported_then_their_outputs(void **unused) {
    (void)unused;
    static const char *const names[] = {
        "causal_torchscript", "causal_dynamo", "flat_torchscript", "flat_dynamo", "steps_torchscript", "steps_dynamo", "keras"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) check_other(names[i]);
}

static void given_an_imported_network_when_trained_then_it_learns(void **unused) {
    (void)unused;
    char path[4096];
    tl_error error = {0};
    tl_fit_result result;
    snprintf(path, sizeof path, "%s/onnx/flat_dynamo.onnx", FIXTURES);
    tl_model *model = tl_onnx_import(path, &(tl_onnx_import_cfg){.threads = 1, .compile = {.batch = 4}}, NULL, &error);
    check_ok(&error);
    tl_tensor x = tl_tensor_new(3, (const size_t[]){8, 16, 2}, &error);
    fill_normal(x.data, tl_tensor_count(&x), 1);
    int32_t labels[] = {0, 1, 2, 0, 1, 2, 0, 1};
    const tl_dataset data = {.x = x, .labels = labels, .classes = 3};
    tl_metrics before, after;
    tl_evaluate(model, &data, &before, &error);
    tl_fit(model, &data, &(tl_fit_cfg){.epochs = 30}, &result, &error);
    tl_evaluate(model, &data, &after, &error);
    check_ok(&error);
    assert_true(after.loss < before.loss);
    tl_tensor_free(&x);
    tl_model_free(model);
}

/* ---- messages ---- */

static void given_models_that_a_graph_cannot_hold_when_exported_then_refused(void **unused) {
    (void)unused;
    tl_error error = {0};
    const char *path = files_path("never.onnx");
    size_t lengths[] = {1};
    tl_model *values = network_case_make(&network_cases[0], TL_LOSS_SQUARED_ERROR);
    tl_onnx_export(values, path, &(tl_onnx_export_cfg){.logits = true}, &error);
    check_error(&error, TL_ERROR_ARGUMENT, "onnx: the model was trained for squared-error; it has no logits");
    error = (tl_error){0};
    tl_onnx_export(values, path, &(tl_onnx_export_cfg){.data = &(tl_dataset){.lengths = lengths}}, &error);
    check_error(&error, TL_ERROR_ARGUMENT, "onnx: the model takes series of different lengths");
    error = (tl_error){0};
    tl_onnx_export(values, path, &(tl_onnx_export_cfg){.layout = (tl_onnx_layout)7}, &error);
    check_error(&error, TL_ERROR_ARGUMENT, "onnx: layout 7 is unknown");
    error = (tl_error){0};
    tl_onnx_export(values, "/nonexistent/x.onnx", NULL, &error);
    check_error(&error, TL_ERROR_FILE, "/nonexistent/x.onnx");
    error = (tl_error){0};
    tl_onnx_export(NULL, path, NULL, &error);
    check_error(&error, TL_ERROR_STATE, "onnx: the model is not compiled");
    tl_model_free(values);
}

static void own_setup(tl_layer *layer, tl_error *error) { (void)layer, (void)error; }
static void own_forward(const tl_layer *layer, const tl_pass *pass) { (void)layer, (void)pass; }

static void given_a_layer_of_the_user_when_exported_then_named(void **unused) {
    (void)unused;
    static const tl_layer_ops ops = {
        .name = "mine", .size = sizeof(tl_layer), .setup = own_setup, .forward = own_forward, .backward = own_forward};
    tl_error error = {0};
    tl_model *m = tl_model_new(NULL);
    const tl_node x = tl_input(m, (tl_shape){4, 1});
    tl_model_compile(m, tl_layer_add(m, &x, 1, &(tl_layer){.ops = &ops}), &(tl_compile_cfg){.inference_only = true}, &error);
    check_ok(&error);
    tl_onnx_export(m, files_path("never.onnx"), NULL, &error);
    check_error(&error, TL_ERROR_ARGUMENT, "onnx: layer 1 (mine_1): mine is a layer of your own");
    tl_model_free(m);
}

/* A file with one node on an input (N, 3, 8). */
static const char *file_of(const tl_onnx_node *node, int64_t opset) {
    const char *path = files_path("made.onnx");
    tl_pb_writer out = {0};
    const size_t graph = tl_pb_open(&out, TL_ONNX_GRAPH);
    const double weight[2 * 3 * 3] = {1, 2, 3};
    tl_onnx_put_tensor(&out, "w", 3, (const size_t[]){2, 3, 3}, weight);
    tl_onnx_put_node(&out, node);
    tl_onnx_put_value(&out, TL_ONNX_GRAPH_INPUT, "x", 3, (const tl_onnx_dim[]){{0, "N"}, {3, NULL}, {8, NULL}});
    tl_onnx_put_value(&out, TL_ONNX_GRAPH_OUTPUT, node->output, 3, (const tl_onnx_dim[]){{0, "N"}, {2, NULL}, {8, NULL}});
    tl_pb_close(&out, graph);
    const size_t set = tl_pb_open(&out, TL_ONNX_OPSET);
    tl_pb_integer(&out, TL_ONNX_OPSET_VERSION, opset);
    tl_pb_close(&out, set);
    write_file(path, out.bytes, out.count);
    tl_pb_release(&out);
    return path;
}

static void check_refused(const tl_onnx_node *node, int64_t opset, const char *text) {
    tl_error error = {0};
    const char *path = file_of(node, opset);
    assert_null(tl_onnx_import(path, NULL, NULL, &error));
    check_error(&error, TL_ERROR_FORMAT, text);
    remove(path);
}

static void given_unknown_operations_when_imported_then_the_node_is_named(void **unused) {
    (void)unused;
    check_refused(&(tl_onnx_node){"LSTM", "y", .input = {"x", "w"}}, 17,
                  "made.onnx: node 0 (LSTM \"y\"): this operator has no counterpart; docs/onnx.md lists the operators");
    check_refused(&(tl_onnx_node){"Conv", "y", .input = {"x", "w"}, .attribute = {tl_onnx_int("group", 3)}}, 17,
                  "node 0 (Conv \"y\"): its weights are for 3 channels in 3 groups; its input has 3");
    check_refused(&(tl_onnx_node){"Conv", "y", .input = {"x", "w"}, .attribute = {tl_onnx_ints("pads", 1)}}, 17,
                  "its pads have 1 entries, not 2");
    check_refused(&(tl_onnx_node){"Conv", "y", .input = {"x", "nothing"}}, 17,
                  "its input nothing is not the output of an earlier node");
    check_refused(&(tl_onnx_node){"AveragePool", "y", .input = {"x"},
                                  .attribute = {tl_onnx_ints("kernel_shape", 2), tl_onnx_pair("pads", 1, 1),
                                                tl_onnx_int("count_include_pad", 1)}},
                  17, "its mean includes padding (count_include_pad)");
    check_refused(&(tl_onnx_node){"Relu", "y", .input = {"x"}}, 5, "its operator set is 5; the minimum is 7");
    check_refused(&(tl_onnx_node){"Relu", "w", .input = {"x"}}, 17, "two values are called \"w\"");
}

static void given_no_onnx_file_when_imported_then_refused(void **unused) {
    (void)unused;
    tl_error error = {0};
    const char *path = files_path("none.onnx");
    assert_null(tl_onnx_import("/nonexistent.onnx", NULL, NULL, &error));
    check_error(&error, TL_ERROR_FILE, "/nonexistent.onnx");
    error = (tl_error){0};
    write_file(path, "no protobuf", 11);
    assert_null(tl_onnx_import(path, NULL, NULL, &error));
    check_error(&error, TL_ERROR_FORMAT, "none.onnx: is not an ONNX file, or is damaged");
    remove(path);
}

static void given_a_file_of_any_length_when_imported_then_the_length_is_asked_for(void **unused) {
    (void)unused;
    const char *path = files_path("any.onnx");
    tl_error error = {0};
    tl_model *model = network_case_make(&network_cases[0], TL_LOSS_CROSS_ENTROPY);
    export_to(path, model, NULL);
    strip_metadata(path);
    assert_null(tl_onnx_import(path, NULL, NULL, &error));
    check_error(&error, TL_ERROR_ARGUMENT, "takes series of any length; say which: by data, or --length");
    tl_model_free(model);
    remove(path);
}

/* ---- damage ---- */

/* Changes a bit, removes a run of bytes, repeats one, or cuts off the end. Returns the new number of bytes. */
static size_t damage(tl_rng *rng, const content *whole, unsigned char *to) {
    const size_t at = tl_rng_below(rng, (uint32_t)whole->count), run = 1 + tl_rng_below(rng, 40);
    const size_t end = at + run < whole->count ? at + run : whole->count;
    memcpy(to, whole->bytes, whole->count);
    switch (tl_rng_below(rng, 4)) {
    case 0:
        to[at] = (unsigned char)(to[at] ^ (1U << tl_rng_below(rng, 8)));
        return whole->count;
    case 1:
        memmove(to + at, whole->bytes + end, whole->count - end);
        return whole->count - (end - at);
    case 2:
        memcpy(to + end, whole->bytes + at, whole->count - at);
        return whole->count + (end - at);
    default:
        return at;
    }
}

static tl_model *make_small(void) {
    tl_model *m = tl_model_new(&(tl_model_cfg){.threads = 1});
    tl_node x = tl_batch_norm(m, tl_conv1d(m, tl_input(m, (tl_shape){9, 2}), &(tl_conv1d_cfg){.filters = 3, .kernel = 3}), NULL);
    x = tl_dense(m, tl_global_average_pool(m, tl_silu(m, x)), &(tl_dense_cfg){.units = 2});
    return network_compile(m, x, TL_LOSS_CROSS_ENTROPY);
}

static void given_2000_damaged_files_when_imported_then_an_error_or_the_same_bits(void **unused) {
    (void)unused;
    const char *path = files_path("damaged.onnx");
    tl_rng rng = tl_rng_at(1, TL_STREAM_USER, 0, 0);
    tl_model *model = make_small();
    export_to(path, model, &(tl_onnx_export_cfg){.normalize = TL_NORMALIZE_SERIES});
    const content whole = read_file(path);
    tl_tensor x = network_series(model, COUNT, false), expected = predict(model, &x);
    unsigned char *changed = malloc(2 * whole.count);
    size_t read = 0;
    for (int round = 0; round < 2000; round++) {
        tl_error error = {0};
        write_file(path, changed, damage(&rng, &whole, changed));
        tl_model *same = tl_onnx_import(path, &(tl_onnx_import_cfg){.threads = 1, .length = 9, .compile = {.inference_only = true}},
                                        NULL, &error);
        assert_true(!same == tl_failed(&error));
        if (!same) continue;
        tl_tensor found = predict(same, &x);
        check_equal("a damaged file", found.data, expected.data, tl_tensor_count(&expected));
        tl_tensor_free(&found);
        tl_model_free(same);
        read++;
    }
    assert_true(read < 200);
    free(changed);
    free(whole.bytes);
    tl_tensor_free(&expected);
    tl_tensor_free(&x);
    tl_model_free(model);
    remove(path);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(given_each_layer_when_exported_and_imported_then_the_same_bits),
        cmocka_unit_test(given_each_network_when_exported_and_imported_then_the_same_bits),
        cmocka_unit_test(given_each_registered_layer_then_it_is_in_the_table_or_does_nothing),
        cmocka_unit_test(given_a_model_with_classes_when_exported_then_metadata_has_them),
        cmocka_unit_test(given_options_when_exported_then_the_graph_follows),
        cmocka_unit_test(given_networks_when_exported_then_any_length_if_no_layer_fixes_it),
        cmocka_unit_test(given_circular_padding_when_exported_then_operator_set_19),
        cmocka_unit_test(given_statistics_of_a_set_when_imported_then_they_are_the_same),
        cmocka_unit_test(given_files_of_pytorch_and_keras_when_imported_then_their_outputs),
        cmocka_unit_test(given_an_imported_network_when_trained_then_it_learns),
        cmocka_unit_test(given_models_that_a_graph_cannot_hold_when_exported_then_refused),
        cmocka_unit_test(given_a_layer_of_the_user_when_exported_then_named),
        cmocka_unit_test(given_unknown_operations_when_imported_then_the_node_is_named),
        cmocka_unit_test(given_no_onnx_file_when_imported_then_refused),
        cmocka_unit_test(given_a_file_of_any_length_when_imported_then_the_length_is_asked_for),
        cmocka_unit_test(given_2000_damaged_files_when_imported_then_an_error_or_the_same_bits),
    };
    return cmocka_run_group_tests(tests, files_setup, files_teardown) != 0;
}
