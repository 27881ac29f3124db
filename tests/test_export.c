/* The common part of all exports: the copy of a compiled network, and batch norm folded into the layer before it. */
#include "layer_cases.h"

#include "base/math.h"
#include "export/export.h"
#include "layers/registry.h"

#include <math.h>
#include <string.h>

static tl_model *compile(tl_model *model, tl_node output) {
    tl_error error = {0};
    tl_model_compile(model, output, &(tl_compile_cfg){.batch = 2, .inference_only = true}, &error);
    check_ok(&error);
    return model;
}

/* Random parameters and states, as after a training. Variances are above 0. */
static void fill_parameters(tl_model *model) {
    for (size_t i = 0; i < tl_parameter_arrays(model); i++) {
        const tl_parameter parameter = tl_parameter_at(model, i);
        const size_t count = tl_tensor_count(&parameter.value);
        fill_normal(parameter.value.data, count, (uint32_t)i);
        for (size_t k = 0; strcmp(parameter.name, "variance") == 0 && k < count; k++)
            parameter.value.data[k] = (tl_real)fabs((double)parameter.value.data[k]) + (tl_real)0.1;
    }
}

static tl_model *make_residual(void) {
    tl_model *m = tl_model_new(&(tl_model_cfg){.threads = 1});
    tl_node x = tl_input(m, (tl_shape){.length = 9, .channels = 2});
    const tl_conv1d_cfg wide = {.filters = 3, .kernel = 4, .stride = 2, .padding = TL_PADDING_SAME};
    const tl_node h = tl_conv1d(m, x, &wide);
    tl_relu(m, h); /* not used by the output */
    const tl_node inputs[] = {tl_batch_norm(m, h, NULL), h};
    x = tl_dropout(m, tl_add(m, inputs, 2), &(tl_dropout_cfg){.rate = 0.5});
    compile(m, tl_dense(m, tl_max_pool(m, x, &(tl_pool_cfg){.window = 2}), &(tl_dense_cfg){.units = 2, .no_bias = true}));
    fill_parameters(m);
    return m;
}

static void given_a_network_when_copied_then_it_has_all_computing_layers(void **unused) {
    (void)unused;
    tl_error error = {0};
    tl_export net;
    tl_model *model = make_residual();
    tl_export_begin(&net, model, "test", &error);
    check_ok(&error);
    static const struct {
        const tl_layer_ops *ops;
        const char *name;
        size_t inputs, input[2], readers, arrays, length, channels;
    } expected[] = {
        {&tl_input_layer_ops, "input_1", 0, {0}, 1, 0, 9, 2},           {&tl_conv1d_layer_ops, "conv1d_1", 1, {0}, 2, 2, 5, 3},
        {&tl_batch_norm_layer_ops, "batch_norm_1", 1, {1}, 1, 4, 5, 3}, {&tl_add_layer_ops, "add_1", 2, {2, 1}, 1, 0, 5, 3},
        {&tl_max_pool_layer_ops, "max_pool_1", 1, {3}, 1, 0, 2, 3},     {&tl_dense_layer_ops, "dense_1", 1, {4}, 1, 1, 2, 2}};
    assert_int_equal(net.nodes, sizeof expected / sizeof *expected);
    for (size_t i = 0; i < net.nodes; i++) {
        const tl_export_node *node = &net.node[i];
        assert_ptr_equal(node->kind, expected[i].ops);
        assert_string_equal(node->name, expected[i].name);
        assert_int_equal(node->inputs, expected[i].inputs);
        assert_memory_equal(node->input, expected[i].input, node->inputs * sizeof(size_t));
        assert_int_equal(node->readers, expected[i].readers);
        assert_int_equal(node->arrays, expected[i].arrays);
        assert_int_equal(node->out.length, expected[i].length);
        assert_int_equal(node->out.channels, expected[i].channels);
    }
    tl_export_release(&net);
    tl_model_free(model);
}

static void given_a_network_when_copied_then_arrays_are_those_of_the_model(void **unused) {
    (void)unused;
    tl_error error = {0};
    tl_export net;
    tl_model *model = make_residual();
    tl_export_begin(&net, model, "test", &error);
    check_ok(&error);
    for (size_t i = 0; i < tl_parameter_arrays(model); i++) {
        const tl_parameter parameter = tl_parameter_at(model, i);
        const tl_export_array *array = NULL;
        for (size_t n = 0; n < net.nodes && !array; n++)
            if (strcmp(net.node[n].name, parameter.layer) == 0) array = tl_export_find(&net.node[n], parameter.name);
        assert_non_null(array);
        assert_int_equal(array->rank, parameter.value.rank);
        assert_memory_equal(array->shape, parameter.value.shape, array->rank * sizeof(size_t));
        for (size_t k = 0; k < tl_export_count(array); k++)
            check_number(parameter.name, array->value[k], (double)parameter.value.data[k], 0, 0);
    }
    tl_export_release(&net);
    tl_model_free(model);
}

static void given_settings_when_asked_for_then_defaults_are_filled_in(void **unused) {
    (void)unused;
    tl_error error = {0};
    tl_export net;
    tl_model *model = make_residual();
    tl_export_begin(&net, model, "test", &error);
    check_number("kernel", tl_export_number(&net.node[1], "kernel", 0), 4, 0, 0);
    check_number("dilation", tl_export_number(&net.node[1], "dilation", 1), 1, 0, 0);
    check_number("padding", tl_export_number(&net.node[1], "padding", 0), TL_PADDING_SAME, 0, 0);
    check_number("epsilon", tl_export_number(&net.node[2], "epsilon", 0), 1e-3, 0, 0);
    check_number("bias", tl_export_number(&net.node[5], "bias", 0), 0, 0, 0);
    check_number("no such key", tl_export_number(&net.node[5], "kernel", 7), 7, 0, 0);
    const tl_export_window conv = tl_export_window_of(&net.node[1]), pool = tl_export_window_of(&net.node[4]);
    const tl_export_window expected[] = {{.taps = 4, .stride = 2, .dilation = 1, .pad_left = 1, .pad_right = 2},
                                         {.taps = 2, .stride = 2, .dilation = 1}};
    assert_memory_equal(&conv, &expected[0], sizeof conv);
    assert_memory_equal(&pool, &expected[1], sizeof pool);
    tl_export_release(&net);
    tl_model_free(model);
}

/* ---- batch norm ---- */

static tl_node before_norm(tl_model *m, tl_node x, int kind) {
    const tl_conv1d_cfg grouped = {.filters = 4, .kernel = 3, .groups = 2, .no_bias = true};
    const tl_conv1d_transpose_cfg transpose = {.filters = 3, .kernel = 3, .stride = 2};
    return kind == 0   ? tl_conv1d(m, x, &grouped)
           : kind == 1 ? tl_conv1d_transpose(m, x, &transpose)
           : kind == 2 ? tl_dense(m, x, &(tl_dense_cfg){.units = 5})
                       : tl_fixed_filters(m, x);
}

static tl_model *make_normalised(int kind, bool norm, bool bias) {
    tl_model *m = tl_model_new(&(tl_model_cfg){.threads = 1});
    tl_node x = tl_input(m, (tl_shape){.length = 7, .channels = 4});
    if (kind == 0 && bias)
        x = tl_conv1d(m, x, &(tl_conv1d_cfg){.filters = 4, .kernel = 3, .groups = 2});
    else
        x = before_norm(m, x, kind);
    if (norm) x = tl_batch_norm(m, x, &(tl_batch_norm_cfg){.epsilon = 0.05});
    compile(m, x);
    fill_parameters(m);
    return m;
}

/* Copies the arrays of a node of the export to the model. */
static void take_arrays(tl_model *model, const tl_export_node *node) {
    for (size_t i = 0; i < tl_parameter_arrays(model); i++) {
        const tl_parameter parameter = tl_parameter_at(model, i);
        const tl_export_array *array = tl_export_find(node, parameter.name);
        assert_non_null(array);
        assert_int_equal(tl_export_count(array), tl_tensor_count(&parameter.value));
        for (size_t k = 0; k < tl_export_count(array); k++) parameter.value.data[k] = (tl_real)array->value[k];
    }
}

static void check_same_outputs(tl_model *a, tl_model *b) {
    const tl_shape in = tl_input_shape(a), out = tl_output_shape(a);
    tl_error error = {0};
    tl_tensor x = tl_tensor_new(3, (const size_t[]){2, in.length, in.channels}, &error);
    tl_tensor y = tl_tensor_new(3, (const size_t[]){2, out.length, out.channels}, &error);
    fill_normal(x.data, tl_tensor_count(&x), 5);
    tl_forward(a, &x, TL_MODE_INFERENCE);
    tl_forward(b, &x, TL_MODE_INFERENCE);
    const tl_tensor expected = tl_output(a), actual = tl_output(b);
    const double limit = sizeof(tl_real) == sizeof(float) ? 1e-5 : 1e-13;
    check_close("output", actual.data, expected.data, tl_tensor_count(&expected), limit, limit);
    tl_tensor_free(&x);
    tl_tensor_free(&y);
}

static void given_batch_norms_when_folded_then_outputs_are_the_same(void **unused) {
    (void)unused;
    for (int kind = 0; kind < 3; kind++) {
        tl_error error = {0};
        tl_export net;
        tl_model *model = make_normalised(kind, true, false), *folded = make_normalised(kind, false, true);
        tl_export_begin(&net, model, "test", &error);
        tl_export_fold_batch_norm(&net, &error);
        check_ok(&error);
        assert_int_equal(net.nodes, 2);
        assert_int_equal(net.node[1].readers, 1);
        take_arrays(folded, &net.node[1]);
        check_same_outputs(model, folded);
        tl_export_release(&net);
        tl_model_free(folded);
        tl_model_free(model);
    }
}

static void given_fixed_filters_when_folded_then_they_have_a_bias(void **unused) {
    (void)unused;
    tl_error error = {0};
    tl_export net;
    tl_model *model = make_normalised(3, true, false);
    tl_export_begin(&net, model, "test", &error);
    tl_export_fold_batch_norm(&net, &error);
    check_ok(&error);
    assert_int_equal(net.nodes, 2);
    const tl_export_array *weight = tl_export_find(&net.node[1], "weight"), *bias = tl_export_find(&net.node[1], "bias");
    assert_int_equal(tl_export_count(weight), 96 * 4 * 17);
    assert_int_equal(tl_export_count(bias), 17);
    tl_export_release(&net);
    tl_model_free(model);
}

static void given_a_norm_that_cannot_be_folded_then_it_stays(void **unused) {
    (void)unused;
    tl_error error = {0};
    tl_export net;
    tl_model *model = make_residual(); /* the sum also reads the input of the norm */
    tl_export_begin(&net, model, "test", &error);
    tl_export_fold_batch_norm(&net, &error);
    check_ok(&error);
    assert_int_equal(net.nodes, 6);
    tl_export_release(&net);
    tl_model_free(model);
}

/* ---- errors ---- */

static void given_no_compiled_model_when_copied_then_refused(void **unused) {
    (void)unused;
    tl_error error = {0};
    tl_export net;
    tl_model *model = tl_model_new(NULL);
    tl_export_begin(&net, model, "test", &error);
    check_error(&error, TL_ERROR_STATE, "test: the model is not compiled");
    tl_export_release(&net);
    tl_model_free(model);
}

static void given_a_layer_when_refused_then_named(void **unused) {
    (void)unused;
    tl_error error = {0}, refused = {0};
    tl_export net;
    tl_model *model = make_residual();
    tl_layer_ops ops = tl_dense_layer_ops;
    tl_export_begin(&net, model, "test", &error);
    tl_export_refuse(&net, &net.node[5], &refused);
    check_error(&refused, TL_ERROR_ARGUMENT, "test: layer 7 (dense_1): this format has no dense");
    net.node[5].kind = &ops;
    refused = (tl_error){0};
    tl_export_refuse(&net, &net.node[5], &refused);
    check_error(&refused, TL_ERROR_ARGUMENT, "layer 7 (dense_1): dense is a layer of your own, which this format cannot represent");
    tl_export_release(&net);
    tl_model_free(model);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(given_a_network_when_copied_then_it_has_all_computing_layers),
        cmocka_unit_test(given_a_network_when_copied_then_arrays_are_those_of_the_model),
        cmocka_unit_test(given_settings_when_asked_for_then_defaults_are_filled_in),
        cmocka_unit_test(given_batch_norms_when_folded_then_outputs_are_the_same),
        cmocka_unit_test(given_fixed_filters_when_folded_then_they_have_a_bias),
        cmocka_unit_test(given_a_norm_that_cannot_be_folded_then_it_stays),
        cmocka_unit_test(given_no_compiled_model_when_copied_then_refused),
        cmocka_unit_test(given_a_layer_when_refused_then_named),
    };
    return check_run(tests);
}
