/* What a network costs before it runs: operations by closed forms, memory as it is when it is there, and that a plan cannot run. */
#include "check.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { LENGTH = 20, CHANNELS = 6, ELEMENTS = LENGTH * CHANNELS };

/* ---- operations ---- */

static tl_node conv_same(tl_model *m, tl_node x) {
    return tl_conv1d(m, x, &(tl_conv1d_cfg){.filters = 4, .kernel = 5, .padding = TL_PADDING_SAME});
}
static tl_node conv_strided(tl_model *m, tl_node x) {
    return tl_conv1d(m, x, &(tl_conv1d_cfg){.filters = 4, .kernel = 3, .stride = 2, .dilation = 3, .no_bias = true});
}
static tl_node conv_groups(tl_model *m, tl_node x) {
    return tl_conv1d(m, x, &(tl_conv1d_cfg){.filters = 9, .kernel = 5, .groups = 3, .padding = TL_PADDING_CAUSAL});
}
static tl_node conv_depthwise(tl_model *m, tl_node x) {
    return tl_conv1d(m, x, &(tl_conv1d_cfg){.filters = CHANNELS, .kernel = 5, .groups = CHANNELS, .padding = TL_PADDING_SAME});
}
static tl_node conv_reflected(tl_model *m, tl_node x) {
    return tl_conv1d(m, x,
                     &(tl_conv1d_cfg){.filters = 4,
                                      .kernel = 5,
                                      .padding = TL_PADDING_SAME,
                                      .padding_mode = TL_PADDING_MODE_REFLECT,
                                      .engine = TL_ENGINE_GEMM});
}
static tl_node conv_transposed(tl_model *m, tl_node x) {
    return tl_conv1d_transpose(m, x, &(tl_conv1d_transpose_cfg){.filters = 4, .kernel = 3, .stride = 2, .pad_left = 1});
}
static tl_node rocket(tl_model *m, tl_node x) { return tl_rocket(m, x, &(tl_rocket_cfg){.features = 84}); }
static tl_node dense(tl_model *m, tl_node x) { return tl_dense(m, x, &(tl_dense_cfg){.units = 7}); }
static tl_node batch_norm(tl_model *m, tl_node x) { return tl_batch_norm(m, x, NULL); }
static tl_node layer_norm(tl_model *m, tl_node x) { return tl_layer_norm(m, x, NULL); }
static tl_node group_norm(tl_model *m, tl_node x) { return tl_group_norm(m, x, &(tl_group_norm_cfg){.groups = 2}); }
static tl_node max_pool(tl_model *m, tl_node x) { return tl_max_pool(m, x, &(tl_pool_cfg){.window = 4}); }
static tl_node average_pool(tl_model *m, tl_node x) { return tl_average_pool(m, x, &(tl_pool_cfg){.window = 4, .stride = 2}); }
static tl_node leaky_relu(tl_model *m, tl_node x) { return tl_leaky_relu(m, x, NULL); }
static tl_node elu(tl_model *m, tl_node x) { return tl_elu(m, x, NULL); }
static tl_node gelu(tl_model *m, tl_node x) { return tl_gelu(m, x, NULL); }
static tl_node gelu_tanh(tl_model *m, tl_node x) { return tl_gelu(m, x, &(tl_gelu_cfg){.approximate = true}); }
static tl_node affine(tl_model *m, tl_node x) { return tl_affine(m, x, NULL); }
static tl_node repeat(tl_model *m, tl_node x) { return tl_upsample(m, x, &(tl_upsample_cfg){.factor = 3}); }
static tl_node interpolate(tl_model *m, tl_node x) { return tl_upsample(m, x, &(tl_upsample_cfg){.factor = 3, .linear = true}); }
static tl_node dropout(tl_model *m, tl_node x) { return tl_dropout(m, x, &(tl_dropout_cfg){.rate = 0.5}); }
static tl_node add(tl_model *m, tl_node x) { return tl_add(m, (tl_node[]){x, x, x}, 3); }
static tl_node add_and_relu(tl_model *m, tl_node x) { return tl_relu(m, add(m, x)); }
static tl_node multiply(tl_model *m, tl_node x) { return tl_multiply(m, (tl_node[]){x, x}, 2); }
static tl_node concat(tl_model *m, tl_node x) { return tl_concat(m, (tl_node[]){x, x}, 2); }

static const struct {
    const char *name;
    tl_node (*build)(tl_model *model, tl_node x);
    double flops;
} layers[] = {
    {"conv1d", conv_same, 2.0 * 5 * CHANNELS * 4 * LENGTH},
    {"conv1d, strided", conv_strided, 2.0 * 3 * CHANNELS * 4 * 7}, /* (20 - 7) / 2 + 1 = 7 outputs */
    {"conv1d, 3 groups", conv_groups, 2.0 * 5 * 2 * 9 * LENGTH},
    {"conv1d, depthwise", conv_depthwise, 2.0 * 5 * ELEMENTS},
    {"conv1d, reflected", conv_reflected, 2.0 * 5 * CHANNELS * 4 * LENGTH},
    {"conv1d_transpose", conv_transposed, 2.0 * 3 * 4 * ELEMENTS},
    {"dense", dense, 2.0 * CHANNELS * 7 * LENGTH},
    {"batch_norm", batch_norm, 2 * ELEMENTS},
    {"layer_norm", layer_norm, 8 * ELEMENTS},
    {"group_norm", group_norm, 8 * ELEMENTS},
    {"max_pool", max_pool, 3 * 5 * CHANNELS},
    {"average_pool", average_pool, 4 * 9 * CHANNELS},
    {"global_max_pool", tl_global_max_pool, (LENGTH - 1) * CHANNELS},
    {"global_average_pool", tl_global_average_pool, ELEMENTS},
    {"relu", tl_relu, ELEMENTS},
    {"tanh", tl_tanh, ELEMENTS},
    {"exponential", tl_exponential, ELEMENTS},
    {"affine", affine, 2 * ELEMENTS},
    {"leaky_relu", leaky_relu, 2 * ELEMENTS},
    {"prelu", tl_prelu, 2 * ELEMENTS},
    {"sigmoid", tl_sigmoid, 3 * ELEMENTS},
    {"softplus", tl_softplus, 3 * ELEMENTS},
    {"hard_sigmoid", tl_hard_sigmoid, 4 * ELEMENTS},
    {"silu", tl_silu, 4 * ELEMENTS},
    {"elu", elu, 5 * ELEMENTS},
    {"selu", tl_selu, 5 * ELEMENTS},
    {"gelu", gelu, 5 * ELEMENTS},
    {"gelu, tanh", gelu_tanh, 9 * ELEMENTS},
    {"softmax", tl_softmax, 5 * ELEMENTS},
    {"upsample, repeated", repeat, 0},
    {"upsample, linear", interpolate, 3 * 3 * ELEMENTS},
    {"add", add, 2 * ELEMENTS},
    {"relu after add", add_and_relu, ELEMENTS},
    {"multiply", multiply, ELEMENTS},
    {"concat", concat, 0},
    {"dropout", dropout, 0},
    {"flatten", tl_flatten, 0},
    {"last_step", tl_last_step, 0},
    {"fixed_filters", tl_fixed_filters, LENGTH *(CHANNELS - 1 + 2.0 * (2 * 126 + 186))}, /* 2 … 64 twice, 6 … 96 taps */
    {"rocket", rocket, LENGTH *(8.0 * CHANNELS + 3 * 84 + 84)}, /* one dilation: sums, kernels, and a comparison for each bias */
};

static void given_each_layer_when_counted_then_operations_as_closed_form(void **unused) {
    (void)unused;
    for (size_t i = 0; i < sizeof layers / sizeof *layers; i++) {
        tl_error error = {0};
        tl_model *model = tl_model_new(NULL);
        const tl_node x = tl_input(model, (tl_shape){.length = LENGTH, .channels = CHANNELS}), y = layers[i].build(model, x);
        check_number(layers[i].name, tl_node_flops(model, y), 0, 0, 0); /* before it is compiled */
        tl_model_compile(model, y, &(tl_compile_cfg){.batch = 3}, &error);
        check_ok(&error);
        check_number(layers[i].name, tl_node_flops(model, y), layers[i].flops, 0, 0);
        check_number("the input", tl_node_flops(model, x), 0, 0, 0);
        tl_model_free(model);
    }
}

/* A layer that does not say what it costs. */
static void silent_setup(tl_layer *layer, tl_error *error) {
    (void)layer;
    (void)error;
}
static void silent_pass(const tl_layer *layer, const tl_pass *pass) {
    (void)layer;
    (void)pass;
}

static void given_a_layer_that_states_nothing_then_one_operation_for_each_element(void **unused) {
    (void)unused;
    static const tl_layer_ops silent = {
        .name = "silent", .size = sizeof(tl_layer), .setup = silent_setup, .forward = silent_pass, .backward = silent_pass};
    tl_error error = {0};
    tl_model *model = tl_model_new(NULL);
    const tl_node x = tl_input(model, (tl_shape){.length = LENGTH, .channels = CHANNELS}), unread = tl_relu(model, x);
    const tl_node y = tl_layer_add(model, &x, 1, &(tl_layer){.ops = &silent});
    tl_model_compile(model, y, NULL, &error);
    check_ok(&error);
    check_number("elements", tl_node_flops(model, y), ELEMENTS, 0, 0);
    check_number("a layer that nothing reads", tl_node_flops(model, unread), 0, 0, 0);
    check_number("no node", tl_node_flops(model, (tl_node){.id = 99}) + tl_node_flops(model, (tl_node){.id = -1}), 0, 0, 0);
    check_number("no model", tl_node_flops(NULL, y), 0, 0, 0);
    tl_model_free(model);
}

/* ---- plans ---- */

static tl_model *fcn(size_t length, const tl_compile_cfg *cfg, tl_error *error) {
    tl_model *model = tl_model_new(&(tl_model_cfg){.threads = 2});
    const tl_node x = tl_input(model, (tl_shape){.length = length, .channels = 1});
    tl_model_compile(model, tl_fcn(model, x, 2), cfg, error);
    return model;
}

static void given_fcn_when_planned_then_its_operations_are_those_of_the_formula(void **unused) {
    (void)unused;
    tl_error error = {0};
    tl_model *model = fcn(150, &(tl_compile_cfg){.plan_only = true}, &error);
    check_ok(&error);
    const double convolutions = 2.0 * 150 * (8 * 1 * 128 + 5 * 128 * 256 + 3 * 256 * 128);
    const double norms_and_relus = 3.0 * 150 * (128 + 256 + 128), pool = 150 * 128, classes = 2 * 128 * 2;
    double sum = 0;
    for (int id = 0; id < 12; id++) sum += tl_node_flops(model, (tl_node){.id = id});
    check_number("fcn", sum, convolutions + norms_and_relus + pool + classes, 0, 0);
    assert_int_equal(tl_parameter_count(model), 9 * 128 + (5 * 128 + 1) * 256 + (3 * 256 + 1) * 128 + 2 * 512 + 129 * 2);
    tl_model_free(model);
}

static void given_a_plan_when_its_memory_is_asked_then_that_of_the_model_itself(void **unused) {
    (void)unused;
    for (int i = 0; i < 4; i++) {
        tl_error error = {0};
        tl_compile_cfg cfg = {.batch = 5, .inference_only = i % 2, .optimizer.ops = i < 2 ? tl_adam() : tl_adagrad()};
        tl_model *there = fcn(40, &cfg, &error);
        cfg.plan_only = true;
        tl_model *planned = fcn(40, &cfg, &error);
        check_ok(&error);
        assert_int_equal(tl_model_memory(planned), tl_model_memory(there));
        assert_true(tl_model_memory(there) > tl_parameter_count(there) * sizeof(tl_real));
        tl_model_free(there);
        tl_model_free(planned);
    }
}

static void given_a_network_larger_than_memory_when_planned_then_planned(void **unused) {
    (void)unused;
    tl_error error = {0};
    tl_model *model = fcn((size_t)1 << 30, &(tl_compile_cfg){.batch = 1000, .plan_only = true}, &error);
    check_ok(&error);
    assert_true(tl_model_memory(model) / sizeof(tl_real) > (size_t)1000 << 38); /* 256 channels and more of 2^30 steps */
    tl_model_free(model);
}

static void given_a_plan_when_it_is_to_run_or_to_be_saved_then_refused(void **unused) {
    (void)unused;
    static const char text[] = "the model was compiled with plan_only: it has no memory and cannot be run";
    char path[] = "/tmp/tapline-plan-XXXXXX";
    tl_error error = {0};
    tl_model *model = fcn(40, &(tl_compile_cfg){.batch = 2, .plan_only = true, .input_gradient = true}, &error);
    check_ok(&error);
    tl_real x[40] = {0};
    int32_t label = 0;
    const tl_dataset data = {.x = TL_VIEW(x, 1, 40, 1), .labels = &label, .classes = 2};
    tl_model_clear_error(model);
    tl_forward(model, &data.x, TL_MODE_TRAINING);
    tl_set_lengths(model, (size_t[]){3}, 1);
    tl_loss(model, &(tl_target){.labels = &label});
    tl_backward(model);
    tl_zero_grad(model);
    tl_freeze(model, (tl_node){.id = 1});
    tl_set_group(model, (tl_node){.id = 1}, NULL);
    check_error(tl_model_error(model), TL_ERROR_STATE, text);
    assert_null(tl_output(model).data);
    assert_null(tl_input_gradient(model).data);
    assert_null(tl_parameter_at(model, 0).value.data);
    tl_fit(model, &data, NULL, NULL, &error);
    check_error(&error, TL_ERROR_STATE, text);
    error = (tl_error){0};
    tl_step(model, &error);
    check_error(&error, TL_ERROR_STATE, text);
    error = (tl_error){0};
    const int file = mkstemp(path);
    tl_model_save(model, path, NULL, &error);
    check_error(&error, TL_ERROR_STATE, "save: the model was compiled with plan_only");
    error = (tl_error){0};
    tl_weights_import(model, "plan.safetensors", NULL, &error);
    check_error(&error, TL_ERROR_STATE, "import: the model was compiled with plan_only");
    error = (tl_error){0};
    tl_weights_export(model, "plan.safetensors", NULL, &error);
    check_error(&error, TL_ERROR_STATE, "export: the model was compiled with plan_only");
    close(file);
    unlink(path);
    tl_model_free(model);
}

static void given_a_file_when_loaded_as_a_plan_then_its_arrays_are_checked(void **unused) {
    (void)unused;
    char path[] = "/tmp/tapline-plan-XXXXXX";
    tl_error error = {0};
    const int file = mkstemp(path);
    tl_model *model = fcn(40, &(tl_compile_cfg){.batch = 2}, &error);
    tl_model_save(model, path, NULL, &error);
    tl_model *planned = tl_model_load(path, &(tl_load_cfg){.threads = 2, .compile = {.batch = 2, .plan_only = true}}, NULL, &error);
    check_ok(&error);
    assert_int_equal(tl_model_memory(planned), tl_model_memory(model));
    check_error(tl_model_error(planned), TL_ERROR_STATE, "plan_only");
    tl_model_free(planned);
    tl_model_free(model);
    close(file);
    unlink(path);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(given_each_layer_when_counted_then_operations_as_closed_form),
        cmocka_unit_test(given_a_layer_that_states_nothing_then_one_operation_for_each_element),
        cmocka_unit_test(given_fcn_when_planned_then_its_operations_are_those_of_the_formula),
        cmocka_unit_test(given_a_plan_when_its_memory_is_asked_then_that_of_the_model_itself),
        cmocka_unit_test(given_a_network_larger_than_memory_when_planned_then_planned),
        cmocka_unit_test(given_a_plan_when_it_is_to_run_or_to_be_saved_then_refused),
        cmocka_unit_test(given_a_file_when_loaded_as_a_plan_then_its_arrays_are_checked),
    };
    return check_run(tests);
}
