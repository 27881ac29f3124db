/* ONNX graphs of a few nodes: what the imported models compute, and which graphs are refused. */
#include "files.h"

#include "onnx/onnx.h"
#include "onnx/write.h"

#include <tapline/onnx.h>

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { NODES = 12, LENGTH = 8, MANY = 100 };

/* A graph with an input x: (N, channels, LENGTH). The output is that of the last node. */
typedef struct graph {
    tl_onnx_node node[NODES]; /* ends before the first without an operator */
    size_t channels;
    bool split;     /* a last node splits the output before it into 7 steps and 1 step, which is the output */
    int64_t opset;  /* 0: 17 */
    bool metadata;  /* as a file of tapline has it */
    int64_t memory; /* tl_onnx_import_cfg.max_memory; 0: the default */
} graph;

/* The constants of all graphs. Integers have their value as their name. */
static void put_constants(tl_pb_writer *out) {
    static const int64_t whole[] = {0, 1, 2, 3, 4, 6, 8, 1 << 22}, many[MANY] = {0};
    const double values[] = {2, -1, 0.5, 4, 8, 16}, weights[] = {1, 0, 0, 1, 1, -1}, variance[] = {1, -1, 1};
    const float longer[] = {1, 1, 4096};
    for (size_t i = 0; i < sizeof whole / sizeof *whole; i++) {
        char name[24];
        snprintf(name, sizeof name, "%lld", (long long)whole[i]);
        tl_onnx_put_wholes(out, name, 1, &whole[i]);
    }
    tl_onnx_put_tensor(out, "two", 1, (const size_t[]){1}, values);
    tl_onnx_put_tensor(out, "factors", 2, (const size_t[]){3, 1}, values);
    tl_onnx_put_tensor(out, "output/scaled.constant", 2, (const size_t[]){3, 1}, values);
    tl_onnx_put_tensor(out, "matrix", 2, (const size_t[]){3, 2}, weights);
    tl_onnx_put_tensor(out, "ones", 1, (const size_t[]){3}, (const double[]){1, 1, 1});
    tl_onnx_put_tensor(out, "variance", 1, (const size_t[]){3}, variance);
    tl_onnx_put_floats(out, "longer", 3, longer);
    tl_onnx_put_tensor(out, "empty", 3, (const size_t[]){INT32_MAX, 1, 0}, values);
    tl_onnx_put_wholes(out, "many", MANY, many);
    tl_onnx_put_wholes(out, "one each side", 6, (const int64_t[]){0, 0, 1, 0, 0, 1});
    tl_onnx_put_wholes(out, "twelve zeros", 12, many);
    tl_onnx_put_wholes(out, "7 and 1", 2, (const int64_t[]){7, 1});
    tl_onnx_put_tensor(out, "sums of 3", 3, (const size_t[]){1, 1, 3}, (const double[]){1, 1, 1});
    tl_onnx_put_wholes(out, "rows of 3", 2, (const int64_t[]){-1, 3});
    tl_onnx_put_wholes(out, "rows of 16", 2, (const int64_t[]){-1, 16});
    tl_onnx_put_wholes(out, "4 channels", 3, (const int64_t[]){1, 4, 16});
}

static void put_metadata(tl_pb_writer *out, const char *key, const char *text) {
    const size_t opened = tl_pb_open(out, TL_ONNX_METADATA);
    tl_pb_text(out, TL_ONNX_KEY, key);
    tl_pb_text(out, TL_ONNX_VALUE, text);
    tl_pb_close(out, opened);
}

/* A node with two outputs. */
static void put_split(tl_pb_writer *out, const char *input) {
    const size_t node = tl_pb_open(out, TL_ONNX_NODE);
    tl_pb_text(out, TL_ONNX_NODE_OPERATOR, "Split");
    tl_pb_text(out, TL_ONNX_NODE_INPUT, input);
    tl_pb_text(out, TL_ONNX_NODE_INPUT, "7 and 1");
    tl_pb_text(out, TL_ONNX_NODE_OUTPUT, "seven");
    tl_pb_text(out, TL_ONNX_NODE_OUTPUT, "one");
    const size_t attribute = tl_pb_open(out, TL_ONNX_ATTRIBUTE);
    tl_pb_text(out, TL_ONNX_ATTRIBUTE_NAME, "axis");
    tl_pb_integer(out, TL_ONNX_I, 2);
    tl_pb_integer(out, TL_ONNX_ATTRIBUTE_TYPE, TL_ONNX_TYPE_INT);
    tl_pb_close(out, attribute);
    tl_pb_close(out, node);
}

static const char *write_graph(const graph *g) {
    tl_pb_writer out = {0};
    size_t nodes = 0;
    const size_t opened = tl_pb_open(&out, TL_ONNX_GRAPH);
    put_constants(&out);
    for (; nodes < NODES && g->node[nodes].operator_type; nodes++) tl_onnx_put_node(&out, &g->node[nodes]);
    if (g->split) put_split(&out, g->node[nodes - 1].output);
    tl_onnx_put_value(&out, TL_ONNX_GRAPH_INPUT, "x", 3, (const tl_onnx_dim[]){{0, "N"}, {g->channels, NULL}, {LENGTH, NULL}});
    tl_onnx_put_value(&out, TL_ONNX_GRAPH_OUTPUT, g->split ? "one" : g->node[nodes - 1].output, 0, NULL);
    tl_pb_close(&out, opened);
    const size_t set = tl_pb_open(&out, TL_ONNX_OPSET);
    tl_pb_integer(&out, TL_ONNX_OPSET_VERSION, g->opset ? g->opset : 17);
    tl_pb_close(&out, set);
    if (g->metadata) put_metadata(&out, "tapline", "1");
    files_write("graph.onnx", out.bytes, out.count);
    tl_pb_release(&out);
    return files_path("graph.onnx");
}

static tl_model *import_graph(const graph *g, tl_error *error) {
    const char *path = write_graph(g);
    tl_model *model = tl_onnx_import(
        path, &(tl_onnx_import_cfg){.threads = 1, .max_memory = (size_t)g->memory, .compile = {.batch = 1, .inference_only = true}},
        NULL, error);
    remove(path);
    return model;
}

/* The input of the models: whole numbers. */
static double x_at(size_t step, size_t channel) { return 1 + (double)step + 10 * (double)channel; }

/* The output for this input: (1, steps, outputs). Free it. */
static tl_tensor run(const graph *g) {
    tl_error error = {0};
    tl_model *model = import_graph(g, &error);
    check_ok(&error);
    tl_tensor x = tl_tensor_new(3, (const size_t[]){1, LENGTH, g->channels}, &error);
    const tl_shape out = tl_output_shape(model);
    tl_tensor y = tl_tensor_new(3, (const size_t[]){1, out.length, out.channels}, &error);
    for (size_t i = 0; i < LENGTH * g->channels; i++) x.data[i] = (tl_real)x_at(i / g->channels, i % g->channels);
    tl_predict(model, &x, NULL, &y, &error);
    check_ok(&error);
    tl_tensor_free(&x);
    tl_model_free(model);
    return y;
}

static void check_output(const graph *g, size_t steps, size_t outputs, double (*expected)(size_t step, size_t output)) {
    tl_tensor y = run(g);
    assert_int_equal(y.shape[1], steps);
    assert_int_equal(y.shape[2], outputs);
    for (size_t i = 0; i < steps * outputs; i++)
        check_number("output", (double)y.data[i], expected(i / outputs, i % outputs), 1e-6, 0);
    tl_tensor_free(&y);
}

static void check_refused(const graph *g, tl_status status, const char *text) {
    tl_error error = {0};
    tl_model *model = import_graph(g, &error);
    tl_model_free(model);
    check_error(&error, status, text);
}

/* ---- parts of series ---- */

static double next_step(size_t step, size_t channel) { return x_at(step + 1, channel); }

static void given_a_slice_of_a_slice_when_imported_then_the_steps_of_both(void **unused) {
    (void)unused;
    check_output(&(graph){.channels = 3,
                          .node = {{"Slice", "a", .input = {"x", "1", "8", "2"}}, {"Slice", "y", .input = {"a", "0", "6", "2"}}}},
                 6, 3, next_step);
}

static const double factors[] = {2, -1, 0.5};

static double two_steps_later_times_factor(size_t step, size_t channel) { return x_at(step + 2, channel) * factors[channel]; }

static void given_factors_of_channels_before_a_slice_when_imported_then_both(void **unused) {
    (void)unused;
    check_output(
        &(graph){.channels = 3, .node = {{"Mul", "a", .input = {"x", "factors"}}, {"Slice", "y", .input = {"a", "2", "8", "2"}}}},
        6, 3, two_steps_later_times_factor);
}

static void given_a_slice_of_endless_series_when_imported_then_refused(void **unused) {
    (void)unused;
    const graph longer = {.channels = 3,
                          .node = {{"Resize", "a", .input = {"x", "", "longer"}},
                                   {"Resize", "b", .input = {"a", "", "longer"}},
                                   {"Resize", "c", .input = {"b", "", "longer"}},
                                   {"Resize", "d", .input = {"c", "", "longer"}},
                                   {"Resize", "e", .input = {"d", "", "longer"}},
                                   {"Slice", "y", .input = {"e", "0", "4194304", "2"}}}};
    check_refused(&longer, TL_ERROR_FORMAT, "steps and 3 channels has more than 2147483647 numbers");
}

static void given_an_index_with_two_axes_when_imported_then_refused(void **unused) {
    (void)unused;
    check_refused(&(graph){.channels = 3,
                           .node = {{"Unsqueeze", "i", .input = {"1", "0"}},
                                    {"Gather", "y", .input = {"x", "i"}, .attribute = {tl_onnx_int("axis", 2)}}}},
                  TL_ERROR_FORMAT, "its index is not a constant number");
}

/* ---- arithmetic ---- */

static double doubled(size_t step, size_t channel) { return 2 * x_at(step, channel); }

static void given_a_constant_of_one_element_when_one_channel_then_a_factor(void **unused) {
    (void)unused;
    check_output(&(graph){.channels = 1, .node = {{"Mul", "y", .input = {"x", "two"}}}}, LENGTH, 1, doubled);
}

static double quarter(size_t step, size_t channel) { return x_at(step, channel) / 4; }

static void given_integers_cast_to_numbers_when_divided_then_not_rounded(void **unused) {
    (void)unused;
    const tl_onnx_attribute to_float = tl_onnx_int("to", TL_ONNX_FLOAT);
    check_output(&(graph){.channels = 3,
                          .node = {{"Cast", "a", .input = {"1"}, .attribute = {to_float}},
                                   {"Cast", "b", .input = {"4"}, .attribute = {to_float}},
                                   {"Div", "c", .input = {"a", "b"}},
                                   {"Mul", "y", .input = {"x", "c"}}}},
                 LENGTH, 3, quarter);
}

static double twice_side_by_side(size_t step, size_t channel) { return x_at(step, channel % 3) * factors[channel % 3]; }

/* Files of tapline store the scale of target values in a constant with this name. */
static void given_a_name_of_tapline_in_another_file_when_imported_then_a_factor(void **unused) {
    (void)unused;
    graph named = {.channels = 3,
                   .node = {{"Mul", "a", .input = {"x", "output/scaled.constant"}},
                            {"Concat", "y", .input = {"a", "a"}, .attribute = {tl_onnx_int("axis", 1)}}}};
    check_output(&named, LENGTH, 6, twice_side_by_side);
    named.metadata = true;
    check_refused(&named, TL_ERROR_FORMAT, "a constant of \"targets\" has 3 numbers for 6 channels");
}

/* Step-by-step products of (length, channels): the matrix is [1 0; 0 1; 1 -1]. */
static double flat_product(size_t step, size_t output) {
    (void)step;
    const size_t t = output / 2;
    return output % 2 == 0 ? x_at(t, 0) + x_at(t, 2) : x_at(t, 1) - x_at(t, 2);
}

static void given_products_of_joined_steps_when_flattened_then_step_by_step(void **unused) {
    (void)unused;
    check_output(&(graph){.channels = 3,
                          .node = {{"Transpose", "a", .input = {"x"}, .attribute = {tl_onnx_triple("perm", 0, 2, 1)}},
                                   {"Reshape", "b", .input = {"a", "rows of 3"}},
                                   {"MatMul", "c", .input = {"b", "matrix"}},
                                   {"Reshape", "y", .input = {"c", "rows of 16"}}}},
                 1, 16, flat_product);
}

/* ---- what would be computed differently ---- */

static void given_padding_before_an_activation_when_imported_then_refused(void **unused) {
    (void)unused;
    const graph padded = {.channels = 3,
                          .node = {{"Pad", "p", .input = {"x", "one each side"}},
                                   {"Sigmoid", "s", .input = {"p"}},
                                   {"Mul", "y", .input = {"p", "s"}}}};
    check_refused(&padded, TL_ERROR_FORMAT, "it reads padded series; only a convolution can");
}

static void given_padding_with_another_number_when_imported_then_refused(void **unused) {
    (void)unused;
    const tl_onnx_attribute value = tl_onnx_number("value", 5);
    check_refused(
        &(graph){.channels = 3, .opset = 10, .node = {{"Pad", "y", .input = {"x", "one each side"}, .attribute = {value}}}},
        TL_ERROR_FORMAT, "it pads with a number that is not 0");
    check_refused(&(graph){.channels = 3, .node = {{"Pad", "y", .input = {"x", "one each side", "x"}}}}, TL_ERROR_FORMAT,
                  "it pads with a number that is not 0");
}

static void given_a_bound_that_is_computed_when_imported_then_refused(void **unused) {
    (void)unused;
    check_refused(&(graph){.channels = 3, .node = {{"Clip", "y", .input = {"x", "x"}}}}, TL_ERROR_FORMAT,
                  "its bounds are not constants");
}

static void given_axes_that_are_computed_when_imported_then_refused(void **unused) {
    (void)unused;
    check_refused(&(graph){.channels = 1, .node = {{"Squeeze", "y", .input = {"x", "x"}}}}, TL_ERROR_FORMAT,
                  "its axes are not constants");
    check_refused(&(graph){.channels = 1, .node = {{"Unsqueeze", "y", .input = {"x", "x"}}}}, TL_ERROR_FORMAT,
                  "its axes are not constants");
}

static double last_sum(size_t step, size_t channel) {
    (void)step, (void)channel;
    return x_at(LENGTH - 2, 0) + x_at(LENGTH - 1, 0);
}

/* The first part alone would be a convolution with less padding. */
static void given_a_split_convolution_when_imported_then_the_last_step(void **unused) {
    (void)unused;
    check_output(&(graph){.channels = 1,
                          .split = true,
                          .node = {{"Conv", "y", .input = {"x", "sums of 3"}, .attribute = {tl_onnx_pair("pads", 1, 1)}}}},
                 1, 1, last_sum);
}

static double first_six_steps(size_t step, size_t channel) { return x_at(step, channel); }

static void given_a_split_when_imported_then_its_first_part(void **unused) {
    (void)unused;
    graph split = {.channels = 3, .node = {{"Split", "y", .input = {"x", "6"}, .attribute = {tl_onnx_int("axis", 2)}}}};
    check_output(&split, 6, 3, first_six_steps);
    split.node[0].input[1] = "x";
    check_refused(&split, TL_ERROR_FORMAT, "its parts are not constants, or do not add up to its input");
}

static void given_more_channels_by_resizing_when_imported_then_refused(void **unused) {
    (void)unused;
    const tl_onnx_attribute where = tl_onnx_string("coordinate_transformation_mode", "asymmetric"),
                            nearest = tl_onnx_string("nearest_mode", "floor");
    check_refused(
        &(graph){.channels = 3, .node = {{"Resize", "y", .input = {"x", "", "", "4 channels"}, .attribute = {where, nearest}}}},
        TL_ERROR_FORMAT, "its factor is not an integer, or not only along time");
}

static void given_a_negative_variance_when_imported_then_refused(void **unused) {
    (void)unused;
    check_refused(
        &(graph){.channels = 3, .node = {{"BatchNormalization", "y", .input = {"x", "ones", "ones", "ones", "variance"}}}},
        TL_ERROR_FORMAT, "the variance of channel 1 is -1");
}

/* ---- hostile files ---- */

/* The sanitizers check the arithmetic. */
static void given_the_largest_axis_when_imported_then_refused(void **unused) {
    (void)unused;
    const tl_onnx_attribute axis = tl_onnx_int("axis", INT64_MAX);
    check_refused(&(graph){.channels = 3, .node = {{"LayerNormalization", "y", .input = {"x", "ones"}, .attribute = {axis}}}},
                  TL_ERROR_FORMAT, "it does not normalise the channels of each step");
}

/* The lists together are longer than the longest list that an operator may have. */
static void given_pads_twice_when_imported_then_refused(void **unused) {
    (void)unused;
    check_refused(&(graph){.channels = 3,
                           .node = {{"Pad", "y", .input = {"x", "twelve zeros"}, .attribute = {tl_onnx_triple("pads", 0, 0, 0)}}}},
                  TL_ERROR_FORMAT, "its pads are not constants");
}

static void given_a_constant_with_a_repeated_axis_when_transposed_then_refused(void **unused) {
    (void)unused;
    check_refused(&(graph){.channels = 3,
                           .node = {{"Transpose", "t", .input = {"factors"}, .attribute = {tl_onnx_pair("perm", 1, 1)}},
                                    {"Mul", "y", .input = {"x", "t"}}}},
                  TL_ERROR_FORMAT, "node 0 (Transpose \"t\")");
}

static void given_an_empty_constant_with_a_large_axis_when_folded_then_quickly(void **unused) {
    (void)unused;
    check_refused(&(graph){.channels = 3,
                           .node = {{"Gather", "a", .input = {"empty", "many"}, .attribute = {tl_onnx_int("axis", 1)}},
                                    {"Concat", "b", .input = {"a", "a"}, .attribute = {tl_onnx_int("axis", 1)}},
                                    {"Slice", "c", .input = {"b", "0", "8", "0"}},
                                    {"Add", "y", .input = {"x", "c"}}}},
                  TL_ERROR_FORMAT, "node 2 (Slice \"c\"): input 0 is a constant");
}

static void given_constants_above_max_memory_when_folded_then_refused(void **unused) {
    (void)unused;
    const graph large = {.channels = 3,
                         .memory = 100 << 20,
                         .node = {{"ConstantOfShape", "a", .input = {"4194304"}},
                                  {"ConstantOfShape", "b", .input = {"4194304"}},
                                  {"ConstantOfShape", "c", .input = {"4194304"}},
                                  {"ConstantOfShape", "d", .input = {"4194304"}},
                                  {"Relu", "y", .input = {"x"}}}};
    check_refused(&large, TL_ERROR_MEMORY, "its constants take more than 104.9 MB (max_memory, --max-memory)");
}

static void given_the_same_large_sum_many_times_when_folded_then_refused(void **unused) {
    (void)unused;
    graph sums = {.channels = 3, .memory = 34 << 20, .node = {{"ConstantOfShape", "large", .input = {"4194304"}}}};
    static const char *const names[] = {"a", "b", "c", "d", "e", "f", "g", "h", "i"};
    for (size_t i = 0; i < 9; i++) sums.node[1 + i] = (tl_onnx_node){"ReduceSum", names[i], .input = {"large"}};
    sums.node[10] = (tl_onnx_node){"Mul", "y", .input = {"x", "i"}};
    check_refused(&sums, TL_ERROR_FORMAT, "the constants of the file need more computation than max_memory allows");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(given_a_slice_of_a_slice_when_imported_then_the_steps_of_both),
        cmocka_unit_test(given_factors_of_channels_before_a_slice_when_imported_then_both),
        cmocka_unit_test(given_a_slice_of_endless_series_when_imported_then_refused),
        cmocka_unit_test(given_an_index_with_two_axes_when_imported_then_refused),
        cmocka_unit_test(given_a_constant_of_one_element_when_one_channel_then_a_factor),
        cmocka_unit_test(given_integers_cast_to_numbers_when_divided_then_not_rounded),
        cmocka_unit_test(given_a_name_of_tapline_in_another_file_when_imported_then_a_factor),
        cmocka_unit_test(given_products_of_joined_steps_when_flattened_then_step_by_step),
        cmocka_unit_test(given_padding_before_an_activation_when_imported_then_refused),
        cmocka_unit_test(given_padding_with_another_number_when_imported_then_refused),
        cmocka_unit_test(given_a_bound_that_is_computed_when_imported_then_refused),
        cmocka_unit_test(given_axes_that_are_computed_when_imported_then_refused),
        cmocka_unit_test(given_a_split_when_imported_then_its_first_part),
        cmocka_unit_test(given_a_split_convolution_when_imported_then_the_last_step),
        cmocka_unit_test(given_more_channels_by_resizing_when_imported_then_refused),
        cmocka_unit_test(given_a_negative_variance_when_imported_then_refused),
        cmocka_unit_test(given_the_largest_axis_when_imported_then_refused),
        cmocka_unit_test(given_pads_twice_when_imported_then_refused),
        cmocka_unit_test(given_a_constant_with_a_repeated_axis_when_transposed_then_refused),
        cmocka_unit_test(given_an_empty_constant_with_a_large_axis_when_folded_then_quickly),
        cmocka_unit_test(given_constants_above_max_memory_when_folded_then_refused),
        cmocka_unit_test(given_the_same_large_sum_many_times_when_folded_then_refused),
    };
    return cmocka_run_group_tests(tests, files_setup, files_teardown) != 0;
}
