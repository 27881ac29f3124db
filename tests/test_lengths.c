/* Samples of different lengths in one batch: each has the same results as if it were alone. */
#include "check.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { LONGEST = 24, CHANNELS = 3, SAMPLES = 4, CLASSES = 3 };
static const size_t lengths[SAMPLES] = {24, 9, 17, 13};
static const int32_t labels[SAMPLES] = {2, 0, 1, 2};

/* Layers over time whose results for a sample do not depend on the others, ending with one step. */
static tl_node by_windows(tl_model *m, tl_node x) {
    const tl_node h = tl_conv1d(m, x, &(tl_conv1d_cfg){.filters = 5, .kernel = 4, .padding = TL_PADDING_SAME});
    const tl_node g =
        tl_conv1d(m, tl_tanh(m, h), &(tl_conv1d_cfg){.filters = 5, .kernel = 3, .dilation = 2, .padding = TL_PADDING_CAUSAL});
    const tl_node both = tl_concat(m, (const tl_node[]){tl_add(m, (const tl_node[]){h, g}, 2), tl_sigmoid(m, g)}, 2);
    const tl_node v = tl_conv1d(m, both, &(tl_conv1d_cfg){.filters = 6, .kernel = 3});
    return tl_global_average_pool(m, tl_max_pool(m, v, &(tl_pool_cfg){.window = 3, .stride = 2}));
}
static tl_node by_means(tl_model *m, tl_node x) {
    const tl_node h =
        tl_conv1d(m, x, &(tl_conv1d_cfg){.filters = 4, .kernel = 3, .stride = 2, .padding = TL_PADDING_EXPLICIT, .pad_left = 2});
    return tl_last_step(m,
                        tl_average_pool(m, tl_relu(m, tl_dense(m, h, &(tl_dense_cfg){.units = 5})), &(tl_pool_cfg){.window = 2}));
}
static tl_node by_the_last(tl_model *m, tl_node x) {
    const tl_node h = tl_conv1d(m, x, &(tl_conv1d_cfg){.filters = 4, .kernel = 5, .padding = TL_PADDING_CAUSAL, .stride = 3});
    const tl_pool_cfg pool = {.window = 3, .stride = 1, .padding = TL_PADDING_SAME};
    return tl_last_step(m, tl_softmax(m, tl_max_pool(m, h, &pool)));
}

typedef tl_node (*network)(tl_model *m, tl_node x);
/* The layers that leave steps out: batch norm, sums, products, dropout, filters of all engines. */
static tl_node by_leaving_out(tl_model *m, tl_node x) {
    const tl_engine engines[] = {TL_ENGINE_NAIVE, TL_ENGINE_GEMM, TL_ENGINE_DIRECT, TL_ENGINE_WINOGRAD};
    tl_node h = tl_fixed_filters(m, x);
    for (size_t i = 0; i < sizeof engines / sizeof *engines; i++) {
        const tl_node y =
            tl_conv1d(m, h, &(tl_conv1d_cfg){.filters = 17, .kernel = 3, .padding = TL_PADDING_SAME, .engine = engines[i]});
        h = tl_add(m, (const tl_node[]){h, tl_relu(m, tl_batch_norm(m, y, NULL))}, 2);
    }
    const tl_node g = tl_multiply(m, (const tl_node[]){h, tl_sigmoid(m, h)}, 2);
    const tl_pool_cfg pool = {.window = 3, .stride = 1, .padding = TL_PADDING_SAME};
    const tl_node all =
        tl_concat(m, (const tl_node[]){g, tl_max_pool(m, h, &pool), tl_dropout(m, h, &(tl_dropout_cfg){.rate = 0.3})}, 3);
    return tl_global_max_pool(m, all);
}
static const network networks[] = {by_windows, by_means, by_the_last},
                     all_networks[] = {by_windows, by_means, by_the_last, by_leaving_out};

static tl_model *compiled(network build, size_t length, size_t batch, int threads) {
    tl_error error = {0};
    tl_model *m = tl_model_new(&(tl_model_cfg){.seed = 4, .threads = threads});
    const tl_node y = build(m, tl_input(m, (tl_shape){length, CHANNELS}));
    tl_model_compile(m, tl_dense(m, y, &(tl_dense_cfg){.units = CLASSES}),
                     &(tl_compile_cfg){.batch = batch, .input_gradient = true}, &error);
    check_ok(&error);
    return m;
}

/* (SAMPLES, LONGEST, CHANNELS) with zeros behind the lengths. */
static void fill_padded(tl_real *x) {
    fill_normal(x, SAMPLES * LONGEST * CHANNELS, 1);
    for (size_t i = 0; i < SAMPLES; i++)
        memset(x + (i * LONGEST + lengths[i]) * CHANNELS, 0, (LONGEST - lengths[i]) * CHANNELS * sizeof *x);
}

static const double allowed = sizeof(tl_real) == 8 ? 1e-13 : 1e-5;

/* Adds the gradients of every sample by itself to `sum`, and compares outputs and input gradients with those of the batch. */
static void run_alone(network build, const tl_model *batch, const tl_real *x, const tl_real *y, tl_real *sum) {
    for (size_t i = 0; i < SAMPLES; i++) {
        tl_model *alone = compiled(build, lengths[i], 1, 1);
        const tl_tensor view = TL_VIEW(x + i * LONGEST * CHANNELS, 1, lengths[i], CHANNELS);
        tl_forward(alone, &view, TL_MODE_TRAINING);
        check_close("output", y + i * CLASSES, tl_output(alone).data, CLASSES, allowed, allowed);
        tl_loss(alone, &(tl_target){.labels = labels + i});
        tl_backward(alone);
        check_ok(tl_model_error(alone));
        const tl_real *dx = tl_input_gradient(batch).data + i * LONGEST * CHANNELS;
        check_close("input gradient", dx, tl_input_gradient(alone).data, lengths[i] * CHANNELS, allowed, allowed);
        for (size_t k = lengths[i] * CHANNELS; k < LONGEST * CHANNELS; k++) check_number("gradient behind", (double)dx[k], 0, 0, 0);
        tl_real *to = sum;
        for (size_t p = 0; p < tl_parameter_arrays(alone); p++) {
            const tl_tensor gradient = tl_parameter_at(alone, p).gradient;
            for (size_t k = 0; k < tl_tensor_count(&gradient); k++) *to++ += gradient.data[k];
        }
        tl_model_free(alone);
    }
}

static void given_samples_of_many_lengths_when_passed_together_then_as_each_alone(void **unused) {
    (void)unused;
    for (size_t n = 0; n < sizeof networks / sizeof *networks; n++) {
        tl_real x[SAMPLES * LONGEST * CHANNELS], y[SAMPLES * CLASSES];
        tl_model *batch = compiled(networks[n], LONGEST, SAMPLES, 1 + (int)n);
        const tl_tensor view = TL_VIEW(x, SAMPLES, LONGEST, CHANNELS);
        fill_padded(x);
        tl_set_lengths(batch, lengths, SAMPLES);
        tl_forward(batch, &view, TL_MODE_TRAINING);
        check_ok(tl_model_error(batch));
        memcpy(y, tl_output(batch).data, sizeof y);
        tl_loss(batch, &(tl_target){.labels = labels});
        tl_backward(batch);
        tl_real *sum = calloc(tl_parameter_count(batch), sizeof *sum), *from = sum;
        assert_non_null(sum);
        run_alone(networks[n], batch, x, y, sum);
        for (size_t p = 0; p < tl_parameter_arrays(batch); p++) {
            const tl_parameter parameter = tl_parameter_at(batch, p);
            const size_t count = tl_tensor_count(&parameter.gradient);
            check_close(parameter.name, parameter.gradient.data, from, count, allowed, allowed);
            from += count;
        }
        free(sum);
        tl_model_free(batch);
    }
}

/* conv → batch norm → ReLU on the channels of every step. */
static tl_model *normalising(size_t length, size_t batch) {
    tl_error error = {0};
    tl_model *m = tl_model_new(&(tl_model_cfg){.seed = 4, .threads = 1});
    tl_node h = tl_dense(m, tl_input(m, (tl_shape){length, CHANNELS}), &(tl_dense_cfg){.units = 7});
    h = tl_relu(m, tl_batch_norm(m, h, &(tl_batch_norm_cfg){.momentum = 0.5}));
    tl_model_compile(m, h, &(tl_compile_cfg){.batch = batch, .loss = TL_LOSS_SQUARED_ERROR, .input_gradient = true}, &error);
    check_ok(&error);
    return m;
}

static void compare_parameters(const tl_model *a, const tl_model *b, bool gradients) {
    for (size_t p = 0; p < tl_parameter_arrays(a); p++) {
        const tl_parameter left = tl_parameter_at(a, p), right = tl_parameter_at(b, p);
        const tl_tensor *l = gradients ? &left.gradient : &left.value, *r = gradients ? &right.gradient : &right.value;
        check_close(left.name, l->data, r->data, tl_tensor_count(l), 10 * allowed, 10 * allowed);
    }
}

static void given_lengths_when_normalised_then_padding_does_not_count(void **unused) {
    (void)unused;
    enum { ROWS = 24 + 9 + 17 + 13, UNITS = 7 };
    tl_real x[SAMPLES * LONGEST * CHANNELS], joined[ROWS * CHANNELS], dy[SAMPLES * LONGEST * UNITS] = {0}, dy_joined[ROWS * UNITS];
    tl_model *batch = normalising(LONGEST, SAMPLES), *one = normalising(ROWS, 1);
    fill_padded(x);
    fill_normal(dy_joined, ROWS * UNITS, 2);
    for (size_t i = 0, row = 0; i < SAMPLES; row += lengths[i], i++) {
        memcpy(joined + row * CHANNELS, x + i * LONGEST * CHANNELS, lengths[i] * CHANNELS * sizeof *x);
        for (size_t k = 0; k < LONGEST * UNITS; k++) dy[i * LONGEST * UNITS + k] = 1; /* behind the length it should not matter */
        memcpy(dy + i * LONGEST * UNITS, dy_joined + row * UNITS, lengths[i] * UNITS * sizeof *dy);
    }
    const tl_tensor view = TL_VIEW(x, SAMPLES, LONGEST, CHANNELS), all = TL_VIEW(joined, 1, ROWS, CHANNELS);
    tl_set_lengths(batch, lengths, SAMPLES);
    tl_forward(batch, &view, TL_MODE_TRAINING);
    tl_forward(one, &all, TL_MODE_TRAINING);
    for (size_t i = 0, row = 0; i < SAMPLES; row += lengths[i], i++) {
        assert_int_equal(tl_output_length(batch, i), lengths[i]);
        const tl_real *y = tl_output(batch).data + i * LONGEST * UNITS;
        check_close("output", y, tl_output(one).data + row * UNITS, lengths[i] * UNITS, 10 * allowed, 10 * allowed);
        for (size_t k = lengths[i] * UNITS; k < LONGEST * UNITS; k++) check_number("output behind", (double)y[k], 0, 0, 0);
    }
    compare_parameters(batch, one, false);
    const tl_tensor to_batch = TL_VIEW(dy, SAMPLES, LONGEST, UNITS), to_one = TL_VIEW(dy_joined, 1, ROWS, UNITS);
    tl_backward_from(batch, &to_batch);
    tl_backward_from(one, &to_one);
    check_ok(tl_model_error(batch));
    compare_parameters(batch, one, true);
    tl_model_free(batch);
    tl_model_free(one);
}

static void given_lengths_when_the_next_batch_has_none_then_whole_series_again(void **unused) {
    (void)unused;
    tl_real x[SAMPLES * LONGEST * CHANNELS], y[SAMPLES * CLASSES];
    tl_model *m = compiled(by_windows, LONGEST, SAMPLES, 1), *fresh = compiled(by_windows, LONGEST, SAMPLES, 1);
    const tl_tensor view = TL_VIEW(x, SAMPLES, LONGEST, CHANNELS);
    fill_padded(x);
    tl_set_lengths(m, lengths, SAMPLES);
    tl_forward(m, &view, TL_MODE_INFERENCE);
    tl_forward(m, &view, TL_MODE_INFERENCE);
    assert_int_equal(tl_output_length(m, 1), 1);
    memcpy(y, tl_output(m).data, sizeof y);
    tl_forward(fresh, &view, TL_MODE_INFERENCE);
    check_equal("output", y, tl_output(fresh).data, SAMPLES * CLASSES);
    tl_model_free(m);
    tl_model_free(fresh);
}

/* One of two models has a batch of NaN before, which fills its memory. */
static void given_nan_in_memory_when_the_next_batch_has_lengths_then_none_leaks(void **unused) {
    (void)unused;
    for (size_t n = 0; n < sizeof all_networks / sizeof *all_networks; n++) {
        tl_real x[SAMPLES * LONGEST * CHANNELS], nan[SAMPLES * LONGEST * CHANNELS];
        tl_model *used = compiled(all_networks[n], LONGEST, SAMPLES, 1), *fresh = compiled(all_networks[n], LONGEST, SAMPLES, 1);
        const tl_tensor view = TL_VIEW(x, SAMPLES, LONGEST, CHANNELS), of_nan = TL_VIEW(nan, SAMPLES, LONGEST, CHANNELS);
        fill_padded(x);
        for (size_t i = 0; i < sizeof nan / sizeof *nan; i++) nan[i] = (tl_real)NAN;
        tl_model *const both[] = {used, fresh};
        for (size_t k = 0; k < 2; k++) {
            tl_forward(both[k], k == 0 ? &of_nan : &view, TL_MODE_TRAINING);
            tl_loss(both[k], &(tl_target){.labels = labels});
            tl_backward(both[k]);
            tl_zero_grad(both[k]);
        }
        for (size_t k = 0; k < 2; k++) {
            tl_set_lengths(both[k], lengths, SAMPLES);
            tl_forward(both[k], &view, TL_MODE_TRAINING);
        }
        check_equal("output", tl_output(used).data, tl_output(fresh).data, SAMPLES * CLASSES);
        for (size_t k = 0; k < 2; k++) {
            tl_loss(both[k], &(tl_target){.labels = labels});
            tl_backward(both[k]);
            check_ok(tl_model_error(both[k]));
        }
        check_equal("input gradient", tl_input_gradient(used).data, tl_input_gradient(fresh).data, SAMPLES * LONGEST * CHANNELS);
        compare_parameters(used, fresh, true);
        tl_model_free(used);
        tl_model_free(fresh);
    }
}

static void expect_refusal(network build, const size_t *asked, size_t count, tl_real behind, const char *message) {
    tl_real x[SAMPLES * LONGEST * CHANNELS];
    tl_model *m = compiled(build, LONGEST, SAMPLES, 1);
    const tl_tensor view = TL_VIEW(x, SAMPLES, LONGEST, CHANNELS);
    fill_padded(x);
    x[(LONGEST + 10) * CHANNELS] = behind;
    tl_set_lengths(m, asked, count);
    tl_forward(m, &view, TL_MODE_TRAINING);
    check_error(tl_model_error(m), tl_model_error(m)->status, message);
    tl_model_free(m);
}

static tl_node flattening(tl_model *m, tl_node x) { return tl_flatten(m, x); }
static tl_node differing(tl_model *m, tl_node x) {
    const tl_node a = tl_average_pool(m, x, &(tl_pool_cfg){.window = 2});
    const tl_node b = tl_conv1d(m, x, &(tl_conv1d_cfg){.filters = CHANNELS, .kernel = 2, .stride = 2, .padding = TL_PADDING_SAME});
    return tl_global_average_pool(m, tl_add(m, (const tl_node[]){a, b}, 2));
}
static tl_node wide(tl_model *m, tl_node x) {
    return tl_global_average_pool(m, tl_conv1d(m, x, &(tl_conv1d_cfg){.filters = 2, .kernel = 10}));
}

static void given_lengths_that_do_not_fit_when_passed_then_it_is_said(void **unused) {
    (void)unused;
    const size_t none[SAMPLES] = {24, 0, 17, 13}, beyond[SAMPLES] = {25, 9, 17, 13};
    expect_refusal(by_means, none, SAMPLES, 0, "lengths: sample 1 has length 0, outside 1 … 24");
    expect_refusal(by_means, beyond, SAMPLES, 0, "lengths: sample 0 has length 25, outside 1 … 24");
    expect_refusal(by_means, lengths, SAMPLES - 1, 0, "forward: lengths were set for 3 samples, x has 4");
    expect_refusal(by_means, lengths, 0, 0, "lengths: 0 samples are outside 1 … 4");
    expect_refusal(by_means, lengths, SAMPLES, (tl_real)0.5, "forward: sample 1 has length 9, but x is not 0 at its step 10");
    expect_refusal(flattening, lengths, SAMPLES, 0, "layer 1 (flatten): needs whole series, but lengths were set");
    expect_refusal(differing, lengths, SAMPLES, 0, "layer 3 (add): sample 1 has length 4 at input 0 and 5 at input 1");
    expect_refusal(wide, lengths, SAMPLES, 0, "layer 1 (conv1d): sample 1 has length 9 here, which is too short for an output");
    tl_model *m = tl_model_new(NULL);
    tl_set_lengths(m, lengths, 1);
    check_error(tl_model_error(m), TL_ERROR_STATE, "lengths: the model is not compiled");
    tl_model_free(m);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(given_samples_of_many_lengths_when_passed_together_then_as_each_alone),
        cmocka_unit_test(given_lengths_when_normalised_then_padding_does_not_count),
        cmocka_unit_test(given_lengths_when_the_next_batch_has_none_then_whole_series_again),
        cmocka_unit_test(given_nan_in_memory_when_the_next_batch_has_lengths_then_none_leaks),
        cmocka_unit_test(given_lengths_that_do_not_fit_when_passed_then_it_is_said),
    };
    return check_run(tests);
}
