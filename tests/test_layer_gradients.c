/* The gradients of every layer compared with differences, for random shapes and configurations, and properties of sequences of
 * passes. */
#include "gradcheck.h"
#include "layer_cases.h"
#include "layers/registry.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CONFIGURATIONS = 8, MAX_OUTPUTS = 1024 };

/* Random targets for an output of `steps` rows with `channels` each. */
typedef struct targets {
    int32_t labels[MAX_OUTPUTS];
    tl_real values[MAX_OUTPUTS];
} targets;

static tl_target target_for(const tl_model *model, tl_node output, size_t batch, targets *to, uint32_t seed) {
    const tl_shape out = tl_node_shape(model, output);
    const size_t steps = batch * out.length;
    assert_true(steps * out.channels <= MAX_OUTPUTS);
    tl_rng rng = tl_rng_at(seed, TL_STREAM_USER, 2, 0);
    for (size_t i = 0; i < steps; i++) to->labels[i] = (int32_t)tl_rng_below(&rng, (uint32_t)out.channels);
    fill_normal(to->values, steps * out.channels, seed + 1);
    return tl_model_loss(model) == TL_LOSS_CROSS_ENTROPY ? (tl_target){.labels = to->labels} : (tl_target){.values = to->values};
}

/* x → dense → the layer → dense → the loss, so that the gradient that reaches the layer and the one that leaves it both matter. */
static void check_layer(const layer_case *layer, uint32_t seed, double *worst) {
    tl_error error = {0};
    tl_rng rng = tl_rng_at(seed, TL_STREAM_USER, 0, 0);
    const size_t batch = (size_t)between(&rng, 2, 4);
    const tl_shape shape = {.length = (size_t)between(&rng, 4, 9), .channels = (size_t)between(&rng, 1, 4)};
    const tl_loss_kind loss = seed % 2 ? TL_LOSS_CROSS_ENTROPY : TL_LOSS_SQUARED_ERROR;
    tl_model *model = tl_model_new(&(tl_model_cfg){.seed = seed, .threads = 1 + (int)(seed % 3)});
    const tl_node x = tl_input(model, shape);
    const tl_node before = tl_dense(model, x, &(tl_dense_cfg){.units = between(&rng, 2, 5)});
    const tl_node inner = layer_case_build(layer, model, before, &rng);
    const tl_node output = tl_dense(model, inner, &(tl_dense_cfg){.units = 3});
    tl_model_compile(model, output, &(tl_compile_cfg){.batch = batch, .loss = loss, .input_gradient = true}, &error);
    check_ok(&error);

    targets *to = calloc(1, sizeof *to);
    tl_tensor samples = tl_tensor_new(3, (const size_t[]){batch, shape.length, shape.channels}, &error);
    assert_non_null(to);
    fill_normal(samples.data, tl_tensor_count(&samples), seed);
    const tl_target target = target_for(model, output, batch, to, seed);
    char what[100];
    snprintf(what, sizeof what, "%s, seed %u", layer->name, seed);
    *worst = fmax(*worst, gradcheck(what, model, &samples, &target));
    tl_tensor_free(&samples);
    free(to);
    tl_model_free(model);
}

static void given_any_layer_when_differentiated_then_as_differences_say(void **unused) {
    (void)unused;
    for (size_t i = 0; i < layer_case_count; i++) {
        double worst = 0;
        for (uint32_t seed = 0; seed < CONFIGURATIONS; seed++) check_layer(&layer_cases[i], (uint32_t)(100 * i) + seed, &worst);
        print_message("%-22s relative error up to %.1e\n", layer_cases[i].name, worst);
    }
}

/* Their gradients are told exactly elsewhere: dropout is random, the rows of an embedding are chosen by whole numbers, and what
 * rocket counts has no gradient. */
static bool is_checked_elsewhere(const tl_layer_ops *ops) {
    return ops == &tl_input_layer_ops || ops == &tl_dropout_layer_ops || ops == &tl_embedding_layer_ops ||
           ops == &tl_rocket_layer_ops;
}

static void given_the_registry_when_compared_then_every_layer_has_a_case(void **unused) {
    (void)unused;
    for (const tl_layer_ops *const *ops = tl_layer_registry; *ops; ops++) {
        size_t i = 0;
        while (i < layer_case_count && strcmp(layer_cases[i].name, (*ops)->name) != 0) i++;
        if (i == layer_case_count && !is_checked_elsewhere(*ops)) fail_msg("no case for %s", (*ops)->name);
    }
}

/* ---- what the check itself finds ---- */

/* y = gain · x for each channel, whose gradients may be told wrong. */
typedef struct gain_layer {
    tl_layer base;
    double error_of_x, error_of_gain; /* factors of the gradients, less 1 */
} gain_layer;

static void gain_setup(tl_layer *layer, tl_error *error) {
    (void)error;
    tl_layer_parameter(layer, "gain", 1, &layer->in[0].channels, TL_INIT_ONES, 1, 1);
}

static void gain_forward(const tl_layer *layer, const tl_pass *pass) {
    const size_t channels = layer->in[0].channels, count = tl_tensor_count(&pass->y);
    for (size_t i = 0; i < count; i++) pass->y.data[i] = pass->parameter[0][i % channels] * pass->x[0].data[i];
}

static void gain_backward(const tl_layer *layer, const tl_pass *pass) {
    const gain_layer *gain = (const gain_layer *)layer;
    const size_t channels = layer->in[0].channels, count = tl_tensor_count(&pass->dy);
    for (size_t i = 0; i < count; i++) {
        const tl_real dy = pass->dy.data[i], x = pass->x[0].data[i];
        pass->gradient[0][i % channels] += (tl_real)(1 + gain->error_of_gain) * dy * x;
        if (pass->dx[0].data) pass->dx[0].data[i] = (tl_real)(1 + gain->error_of_x) * dy * pass->parameter[0][i % channels];
    }
}

static const tl_layer_ops gain_ops = {.name = "gain",
                                      .size = sizeof(gain_layer),
                                      .reads = TL_READS_X,
                                      .setup = gain_setup,
                                      .forward = gain_forward,
                                      .backward = gain_backward};

static tl_status check_gain(double error_of_x, double error_of_gain, bool input_gradient, tl_error *error) {
    const gain_layer layer = {.base.ops = &gain_ops, .error_of_x = error_of_x, .error_of_gain = error_of_gain};
    tl_model *model = tl_model_new(&(tl_model_cfg){.seed = 2, .threads = 1});
    const tl_node x = tl_input(model, (tl_shape){5, 3}), y = tl_layer_add(model, &x, 1, &layer.base);
    tl_model_compile(model, y, &(tl_compile_cfg){.batch = 2, .loss = TL_LOSS_SQUARED_ERROR, .input_gradient = input_gradient},
                     error);
    tl_real samples[30], values[30];
    fill_normal(samples, 30, 1);
    fill_normal(values, 30, 2);
    const tl_tensor view = TL_VIEW(samples, 2, 5, 3);
    tl_gradient_report report;
    if (tl_check_gradients(model, &view, &(tl_target){.values = values}, &report, error) == TL_OK) {
        assert_int_equal(report.compared + report.skipped, 30 + 3);
        assert_true(report.compared > 30 && report.worst < 1e-2);
    }
    tl_model_free(model);
    return error->status;
}

static void given_wrong_gradients_when_checked_then_the_array_is_named(void **unused) {
    (void)unused;
    const double off = sizeof(tl_real) == 8 ? 1e-4 : 0.1;
    tl_error right = {0}, x = {0}, gain = {0}, state = {0};
    check_gain(0, 0, true, &right);
    check_ok(&right);
    check_gain(off, 0, true, &x);
    check_error(&x, TL_ERROR_NUMERIC, "gradient of the input");
    check_gain(0, off, true, &gain);
    check_error(&gain, TL_ERROR_NUMERIC, "gradient of gain_1 gain");
    check_gain(0, 0, false, &state);
    check_error(&state, TL_ERROR_STATE, "compile the model with input_gradient");
}

/* Where a series is 0, so is what a bias of 0 adds to: the ReLU behind has a kink there, in each of its elements. */
static void given_parameters_at_a_kink_when_checked_then_at_another_point(void **unused) {
    (void)unused;
    tl_error error = {0};
    tl_gradient_report report;
    tl_real x[4] = {0}, values[2] = {1, -1};
    tl_model *model = tl_model_new(&(tl_model_cfg){.seed = 1, .threads = 1}), *same = tl_model_new(&(tl_model_cfg){.seed = 1});
    tl_model *const both[] = {model, same};
    for (size_t i = 0; i < 2; i++) {
        const tl_node h = tl_relu(both[i], tl_dense(both[i], tl_input(both[i], (tl_shape){1, 2}), &(tl_dense_cfg){.units = 9}));
        tl_model_compile(both[i], tl_dense(both[i], h, &(tl_dense_cfg){.units = 1}),
                         &(tl_compile_cfg){.batch = 2, .loss = TL_LOSS_SQUARED_ERROR, .input_gradient = true}, &error);
    }
    const tl_tensor view = TL_VIEW(x, 2, 1, 2);
    tl_check_gradients(model, &view, &(tl_target){.values = values}, &report, &error);
    check_ok(&error);
    assert_true(report.compared > report.skipped);
    check_parameters(model, same, 0, 0); /* as they were */
    tl_model_free(model);
    tl_model_free(same);
}

/* ---- what must hold between passes ---- */

enum { LENGTH = 12, CHANNELS = 3, SAMPLES = 6, CLASSES = 4 };

static tl_node small_network(tl_model *model, tl_node *first) {
    const tl_node x = tl_input(model, (tl_shape){LENGTH, CHANNELS});
    *first = tl_dense(model, x, &(tl_dense_cfg){.units = 8});
    const tl_node h = tl_relu(model, *first);
    const tl_node pooled = tl_max_pool(model, tl_concat(model, (const tl_node[]){h, tl_tanh(model, *first)}, 2),
                                       &(tl_pool_cfg){.window = 3, .stride = 2, .padding = TL_PADDING_SAME});
    const tl_node mean = tl_global_average_pool(model, pooled);
    return tl_dense(model, mean, &(tl_dense_cfg){.units = CLASSES});
}

static tl_model *compiled(tl_node *first) {
    tl_error error = {0};
    tl_model *model = tl_model_new(&(tl_model_cfg){.seed = 5});
    const tl_node output = small_network(model, first);
    tl_model_compile(model, output, &(tl_compile_cfg){.batch = SAMPLES, .input_gradient = true}, &error);
    check_ok(&error);
    return model;
}

static void pass(tl_model *model, const tl_real *x, const int32_t *labels, size_t first, size_t count) {
    const tl_tensor view = TL_VIEW(x + first * LENGTH * CHANNELS, count, LENGTH, CHANNELS);
    tl_forward(model, &view, TL_MODE_TRAINING);
    tl_loss(model, &(tl_target){.labels = labels + first});
    tl_backward(model);
    check_ok(tl_model_error(model));
}

static const int32_t some_labels[SAMPLES] = {0, 3, 1, 2, 2, 0};

static void given_a_batch_in_parts_when_accumulated_then_as_the_joined_batch(void **unused) {
    (void)unused;
    tl_real x[SAMPLES * LENGTH * CHANNELS];
    fill_normal(x, SAMPLES * LENGTH * CHANNELS, 1);
    tl_node first;
    tl_model *joined = compiled(&first), *parts = compiled(&first);
    pass(joined, x, some_labels, 0, SAMPLES);
    pass(parts, x, some_labels, 0, 1);
    pass(parts, x, some_labels, 1, 3);
    pass(parts, x, some_labels, 4, 2);
    for (size_t i = 0; i < tl_parameter_arrays(joined); i++) {
        const tl_parameter a = tl_parameter_at(parts, i), b = tl_parameter_at(joined, i);
        /* Sums of 72 products of order 1 in another order. */
        const double unit = sizeof(tl_real) == 4 ? 6e-8 : 1.2e-16;
        check_close(a.name, a.gradient.data, b.gradient.data, tl_tensor_count(&b.gradient), 72 * unit, 72 * unit);
    }
    tl_model_free(parts);
    tl_model_free(joined);
}

static void given_a_frozen_layer_when_trained_then_only_the_others_move(void **unused) {
    (void)unused;
    tl_real x[SAMPLES * LENGTH * CHANNELS];
    fill_normal(x, SAMPLES * LENGTH * CHANNELS, 2);
    tl_node first;
    tl_error error = {0};
    tl_model *whole = compiled(&first), *frozen = compiled(&first);
    tl_freeze(frozen, first);
    pass(whole, x, some_labels, 0, SAMPLES);
    pass(frozen, x, some_labels, 0, SAMPLES);
    const tl_tensor dx = tl_input_gradient(whole), frozen_dx = tl_input_gradient(frozen);
    check_equal("input gradient", frozen_dx.data, dx.data, tl_tensor_count(&dx));
    size_t frozen_arrays = 0;
    for (size_t i = 0; i < tl_parameter_arrays(whole); i++) {
        const tl_parameter a = tl_parameter_at(frozen, i), b = tl_parameter_at(whole, i);
        assert_int_equal(a.frozen, a.node.id == first.id);
        frozen_arrays += a.frozen;
        if (!a.frozen) check_equal(a.name, a.gradient.data, b.gradient.data, tl_tensor_count(&b.gradient));
    }
    assert_int_equal(frozen_arrays, 2);
    tl_step(frozen, &error);
    tl_step(whole, &error);
    check_ok(&error);
    tl_model *untouched = compiled(&first);
    for (size_t i = 0; i < tl_parameter_arrays(whole); i++) {
        const tl_parameter a = tl_parameter_at(frozen, i), b = tl_parameter_at(whole, i), c = tl_parameter_at(untouched, i);
        const tl_parameter expected = a.frozen ? c : b;
        check_equal(a.name, a.value.data, expected.value.data, tl_tensor_count(&a.value));
    }
    tl_model_free(untouched);
    tl_model_free(frozen);
    tl_model_free(whole);
}

/* Large enough that work is shared. */
static tl_node wide_network(tl_model *model) {
    const tl_node x = tl_input(model, (tl_shape){200, 4});
    tl_node h = tl_dense(model, x, &(tl_dense_cfg){.units = 72});
    h = tl_relu(model, tl_batch_norm(model, h, NULL));
    h = tl_dropout(model, h, &(tl_dropout_cfg){.rate = 0.25});
    h = tl_add(model, (const tl_node[]){h, tl_sigmoid(model, h)}, 2);
    h = tl_multiply(model, (const tl_node[]){h, tl_prelu(model, tl_layer_norm(model, h, NULL)), tl_gelu(model, h, NULL)}, 3);
    h = tl_dropout(model, h, &(tl_dropout_cfg){.rate = 0.25, .spatial = true});
    h = tl_upsample(model, tl_group_norm(model, h, &(tl_group_norm_cfg){.groups = 6}), &(tl_upsample_cfg){.factor = 2});
    h = tl_softmax(model, tl_concat(model, (const tl_node[]){h, tl_tanh(model, h)}, 2));
    h = tl_max_pool(model, h, &(tl_pool_cfg){.window = 3, .stride = 1, .padding = TL_PADDING_SAME});
    h = tl_average_pool(model, h, &(tl_pool_cfg){.window = 3, .stride = 2});
    h = tl_dense(model, h, &(tl_dense_cfg){.units = 40});
    return tl_dense(model, tl_global_average_pool(model, h), &(tl_dense_cfg){.units = CLASSES});
}

static void given_more_threads_when_run_then_the_same_bits(void **unused) {
    (void)unused;
    enum { BATCH = 16, COUNT = BATCH * 200 * 4 };
    tl_error error = {0};
    static tl_real x[COUNT];
    int32_t labels[BATCH];
    fill_normal(x, COUNT, 3);
    for (int i = 0; i < BATCH; i++) labels[i] = i % CLASSES;
    const tl_tensor view = TL_VIEW(x, BATCH, 200, 4);
    tl_model *models[2];
    for (int i = 0; i < 2; i++) {
        models[i] = tl_model_new(&(tl_model_cfg){.seed = 9, .threads = i ? 3 : 1});
        tl_model_compile(models[i], wide_network(models[i]), &(tl_compile_cfg){.batch = BATCH, .input_gradient = true}, &error);
        check_ok(&error);
        tl_forward(models[i], &view, TL_MODE_TRAINING);
        tl_loss(models[i], &(tl_target){.labels = labels});
        tl_backward(models[i]);
        check_ok(tl_model_error(models[i]));
    }
    const tl_tensor dx = tl_input_gradient(models[0]);
    check_equal("input gradient", tl_input_gradient(models[1]).data, dx.data, COUNT);
    for (size_t i = 0; i < tl_parameter_arrays(models[0]); i++) {
        const tl_parameter a = tl_parameter_at(models[1], i), b = tl_parameter_at(models[0], i);
        check_equal(a.name, a.value.data, b.value.data, tl_tensor_count(&b.value));
        if (b.gradient.data) check_equal(a.name, a.gradient.data, b.gradient.data, tl_tensor_count(&b.gradient));
    }
    tl_model_free(models[0]);
    tl_model_free(models[1]);
}

/* Inference has its buffers where training has others. */
static void given_inference_between_steps_when_trained_then_both_unaffected(void **unused) {
    (void)unused;
    enum { BATCH = 16, COUNT = BATCH * 200 * 4 };
    tl_error error = {0};
    static tl_real x[COUNT];
    int32_t labels[BATCH];
    fill_normal(x, COUNT, 4);
    for (int i = 0; i < BATCH; i++) labels[i] = i % CLASSES;
    const tl_tensor view = TL_VIEW(x, BATCH, 200, 4);
    tl_model *models[3];
    for (int i = 0; i < 3; i++) {
        const tl_compile_cfg cfg = {.batch = BATCH, .inference_only = i == 2, .no_fold_batch_norm = true};
        models[i] = tl_model_new(&(tl_model_cfg){.seed = 9});
        tl_model_compile(models[i], wide_network(models[i]), &cfg, &error);
        check_ok(&error);
        tl_forward(models[i], &view, TL_MODE_INFERENCE);
    }
    const tl_tensor y = tl_output(models[0]), alone = tl_output(models[2]);
    check_equal("inference alone", alone.data, y.data, tl_tensor_count(&y));
    for (int i = 0; i < 2; i++)
        for (int step = 0; step < 3; step++) {
            tl_forward(models[i], &view, TL_MODE_TRAINING);
            tl_loss(models[i], &(tl_target){.labels = labels});
            tl_backward(models[i]);
            if (i) tl_forward(models[i], &view, TL_MODE_INFERENCE);
            tl_step(models[i], &error);
            check_ok(&error);
        }
    check_parameters(models[1], models[0], 0, 0);
    for (int i = 0; i < 3; i++) tl_model_free(models[i]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(given_any_layer_when_differentiated_then_as_differences_say),
        cmocka_unit_test(given_the_registry_when_compared_then_every_layer_has_a_case),
        cmocka_unit_test(given_wrong_gradients_when_checked_then_the_array_is_named),
        cmocka_unit_test(given_parameters_at_a_kink_when_checked_then_at_another_point),
        cmocka_unit_test(given_a_batch_in_parts_when_accumulated_then_as_the_joined_batch),
        cmocka_unit_test(given_a_frozen_layer_when_trained_then_only_the_others_move),
        cmocka_unit_test(given_more_threads_when_run_then_the_same_bits),
        cmocka_unit_test(given_inference_between_steps_when_trained_then_both_unaffected),
    };
    return check_run(tests);
}
