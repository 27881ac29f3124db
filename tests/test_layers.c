/* The outputs of each layer compared with values by hand, and errors. Gradients: test_layer_gradients.c. */
#include "check.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "layers/registry.h"

/* Adds the layer under test to an input node. */
typedef tl_node (*builder)(tl_model *model, tl_node x);

/* What inference on x (1, length, channels) gives: `count` elements. */
static void check_layer(const char *what, builder build, tl_shape shape, const tl_real *x, tl_shape out, const tl_real *expected,
                        double relative) {
    tl_error error = {0};
    tl_model *model = tl_model_new(NULL);
    const tl_node output = build(model, tl_input(model, shape));
    tl_model_compile(model, output, &(tl_compile_cfg){.batch = 2, .loss = TL_LOSS_SQUARED_ERROR}, &error);
    check_ok(&error);
    assert_int_equal(tl_node_shape(model, output).length, out.length);
    assert_int_equal(tl_node_shape(model, output).channels, out.channels);
    const tl_tensor view = TL_VIEW(x, 1, shape.length, shape.channels);
    tl_forward(model, &view, TL_MODE_INFERENCE);
    check_ok(tl_model_error(model));
    check_close(what, tl_output(model).data, expected, out.length * out.channels, relative, 0);
    tl_model_free(model);
}

static const double rounding = sizeof(tl_real) == 4 ? 4e-7 : 8e-16;

/* ---- activations ---- */

static void given_numbers_when_activated_then_the_functions_of_them(void **unused) {
    (void)unused;
    const tl_shape shape = {2, 3};
    const tl_real x[] = {-2, 0, 3, (tl_real)-0.5, 1000, -1000};
    tl_real sigmoid[6], tangent[6];
    for (int i = 0; i < 6; i++) {
        sigmoid[i] = (tl_real)(1 / (1 + exp(-(double)x[i])));
        tangent[i] = (tl_real)tanh((double)x[i]);
    }
    check_layer("relu", tl_relu, shape, x, shape, (const tl_real[]){0, 0, 3, 0, 1000, 0}, 0);
    check_layer("sigmoid", tl_sigmoid, shape, x, shape, sigmoid, rounding);
    check_layer("tanh", tl_tanh, shape, x, shape, tangent, rounding);
}

static void given_a_nan_when_activated_or_pooled_then_it_is_not_hidden(void **unused) {
    (void)unused;
    const builder builders[] = {tl_relu, tl_sigmoid, tl_tanh, tl_softmax, tl_global_average_pool};
    for (size_t i = 0; i < sizeof builders / sizeof *builders; i++) {
        tl_model *model = tl_model_new(NULL);
        tl_model_compile(model, builders[i](model, tl_input(model, (tl_shape){1, 2})), NULL, NULL);
        const tl_real x[] = {(tl_real)NAN, 1};
        const tl_tensor view = TL_VIEW(x, 1, 1, 2);
        tl_forward(model, &view, TL_MODE_INFERENCE);
        assert_true(isnan(tl_output(model).data[0]));
        tl_model_free(model);
    }
}

static void given_large_logits_when_softmaxed_then_rows_sum_to_one(void **unused) {
    (void)unused;
    const tl_shape shape = {3, 3};
    const tl_real x[] = {10000, -10000, 10000, -10000, -10000, -10000, 0, (tl_real)0.6931471805599453, (tl_real)1.0986122886681098};
    const tl_real third = (tl_real)1 / 3;
    check_layer("softmax", tl_softmax, shape, x, shape,
                (const tl_real[]){(tl_real)0.5, 0, (tl_real)0.5, third, third, third, (tl_real)1 / 6, third, (tl_real)0.5},
                rounding);
}

/* ---- dense, flatten, joins ---- */

static void given_weights_when_dense_then_the_product_on_every_step(void **unused) {
    (void)unused;
    tl_error error = {0};
    tl_model *model = tl_model_new(NULL);
    const tl_node output = tl_dense(model, tl_input(model, (tl_shape){2, 3}), &(tl_dense_cfg){.units = 2});
    tl_model_compile(model, output, &(tl_compile_cfg){.batch = 2, .loss = TL_LOSS_SQUARED_ERROR, .input_gradient = true}, &error);
    check_ok(&error);
    assert_int_equal(tl_parameter_arrays(model), 2);
    const tl_parameter weight = tl_parameter_at(model, 0), bias = tl_parameter_at(model, 1);
    assert_string_equal(weight.layer, "dense_1");
    assert_string_equal(weight.name, "weight");
    assert_string_equal(bias.name, "bias");
    assert_int_equal(weight.value.shape[0], 3);
    assert_int_equal(weight.value.shape[1], 2);
    check_equal("bias at first", bias.value.data, (const tl_real[]){0, 0}, 2);
    memcpy(weight.value.data, (const tl_real[]){1, 2, 3, 4, 5, 6}, 6 * sizeof(tl_real));
    memcpy(bias.value.data, (const tl_real[]){10, 20}, 2 * sizeof(tl_real));
    const tl_real x[] = {1, 0, 0, 0, 1, 0, 0, 0, 1, 1, 1, 1}, dy[] = {1, 0, 0, 1, 2, 0, 0, 3};
    const tl_tensor view = TL_VIEW(x, 2, 2, 3);
    tl_forward(model, &view, TL_MODE_TRAINING);
    check_equal("y", tl_output(model).data, (const tl_real[]){11, 22, 13, 24, 15, 26, 19, 32}, 8);
    const tl_tensor gradient = TL_VIEW(dy, 2, 2, 2);
    tl_backward_from(model, &gradient);
    check_ok(tl_model_error(model));
    check_equal("dx", tl_input_gradient(model).data, (const tl_real[]){1, 3, 5, 2, 4, 6, 2, 6, 10, 6, 12, 18}, 12);
    check_equal("dweight", weight.gradient.data, (const tl_real[]){1, 3, 0, 4, 2, 3}, 6);
    check_equal("dbias", bias.gradient.data, (const tl_real[]){3, 4}, 2);
    tl_model_free(model);
}

static tl_node thrice(tl_model *model, tl_node x) { return tl_add(model, (const tl_node[]){x, x, x}, 3); }
static tl_node with_its_relu(tl_model *model, tl_node x) { return tl_concat(model, (const tl_node[]){x, tl_relu(model, x), x}, 3); }

static void given_nodes_when_joined_then_sums_and_columns(void **unused) {
    (void)unused;
    const tl_shape shape = {2, 2};
    const tl_real x[] = {1, -2, -3, 4};
    check_layer("add", thrice, shape, x, shape, (const tl_real[]){3, -6, -9, 12}, 0);
    check_layer("concat", with_its_relu, shape, x, (tl_shape){2, 6}, (const tl_real[]){1, -2, 1, 0, 1, -2, -3, 4, 0, 4, -3, 4}, 0);
    check_layer("last step", tl_last_step, shape, x, (tl_shape){1, 2}, (const tl_real[]){-3, 4}, 0);
    check_layer("flatten", tl_flatten, shape, x, (tl_shape){1, 4}, x, 0);
    check_layer("global average pool", tl_global_average_pool, shape, x, (tl_shape){1, 2}, (const tl_real[]){-1, 1}, 0);
}

/* ---- pooling ---- */

static tl_node max_2(tl_model *m, tl_node x) { return tl_max_pool(m, x, &(tl_pool_cfg){.window = 2}); }
static tl_node mean_2(tl_model *m, tl_node x) { return tl_average_pool(m, x, &(tl_pool_cfg){.window = 2}); }
static tl_node max_3_same(tl_model *m, tl_node x) {
    return tl_max_pool(m, x, &(tl_pool_cfg){.window = 3, .stride = 1, .padding = TL_PADDING_SAME});
}
static tl_node mean_3_same(tl_model *m, tl_node x) {
    return tl_average_pool(m, x, &(tl_pool_cfg){.window = 3, .stride = 1, .padding = TL_PADDING_SAME});
}
static tl_node max_3_causal(tl_model *m, tl_node x) {
    return tl_max_pool(m, x, &(tl_pool_cfg){.window = 3, .stride = 2, .padding = TL_PADDING_CAUSAL});
}
static tl_node mean_3_right(tl_model *m, tl_node x) {
    return tl_average_pool(m, x, &(tl_pool_cfg){.window = 3, .stride = 3, .padding = TL_PADDING_EXPLICIT, .pad_right = 1});
}

static void given_windows_when_pooled_then_padding_never_counts(void **unused) {
    (void)unused;
    const tl_shape shape = {5, 2};
    const tl_real x[] = {-1, 10, -2, 20, -3, 30, -6, 60, -5, 50}; /* negative: a padding of zeros would win */
    const tl_real half = (tl_real)0.5;
    check_layer("max", max_2, shape, x, (tl_shape){2, 2}, (const tl_real[]){-1, 20, -3, 60}, 0);
    check_layer("mean", mean_2, shape, x, (tl_shape){2, 2}, (const tl_real[]){-3 * half, 15, -9 * half, 45}, 0);
    check_layer("max same", max_3_same, shape, x, shape, (const tl_real[]){-1, 20, -1, 30, -2, 60, -3, 60, -5, 60}, 0);
    check_layer("mean same", mean_3_same, shape, x, shape,
                (const tl_real[]){-3 * half, 15, -2, 20, (tl_real)-11 / 3, (tl_real)110 / 3, (tl_real)-14 / 3, (tl_real)140 / 3,
                                  -11 * half, 55},
                rounding);
    check_layer("max causal", max_3_causal, shape, x, (tl_shape){3, 2}, (const tl_real[]){-1, 10, -1, 30, -3, 60}, 0);
    check_layer("global max", tl_global_max_pool, shape, x, (tl_shape){1, 2}, (const tl_real[]){-1, 60}, 0);
    check_layer("mean explicit", mean_3_right, shape, x, (tl_shape){2, 2}, (const tl_real[]){-2, 20, -11 * half, 55}, 0);
}

static void given_equal_maxima_when_differentiated_then_the_first_takes_all(void **unused) {
    (void)unused;
    tl_error error = {0};
    tl_model *model = tl_model_new(NULL);
    const tl_node x = tl_input(model, (tl_shape){5, 1});
    const tl_node output = tl_max_pool(model, x, &(tl_pool_cfg){.window = 3, .stride = 1});
    tl_model_compile(model, output, &(tl_compile_cfg){.batch = 1, .loss = TL_LOSS_SQUARED_ERROR, .input_gradient = true}, &error);
    check_ok(&error);
    const tl_real values[] = {7, 7, 1, 7, 7}, dy[] = {1, 10, 100};
    const tl_tensor view = TL_VIEW(values, 1, 5, 1);
    tl_forward(model, &view, TL_MODE_TRAINING);
    const tl_tensor gradient = TL_VIEW(dy, 1, 3, 1);
    tl_backward_from(model, &gradient);
    check_ok(tl_model_error(model));
    check_equal("dx", tl_input_gradient(model).data, (const tl_real[]){1, 10, 0, 100, 0}, 5);
    tl_model_free(model);
}

/* ---- batch norm ---- */

static void given_a_batch_when_normalised_then_running_statistics_move(void **unused) {
    (void)unused;
    tl_error error = {0};
    tl_model *model = tl_model_new(NULL);
    const tl_batch_norm_cfg cfg = {.momentum = 0.75, .epsilon = 0.5};
    tl_model_compile(model, tl_batch_norm(model, tl_input(model, (tl_shape){2, 2}), &cfg),
                     &(tl_compile_cfg){.batch = 2, .loss = TL_LOSS_SQUARED_ERROR}, &error);
    check_ok(&error);
    const tl_parameter scale = tl_parameter_at(model, 0), shift = tl_parameter_at(model, 1), mean = tl_parameter_at(model, 2),
                       variance = tl_parameter_at(model, 3);
    assert_string_equal(mean.name, "mean");
    memcpy(scale.value.data, (const tl_real[]){2, 3}, 2 * sizeof(tl_real));
    memcpy(shift.value.data, (const tl_real[]){10, 20}, 2 * sizeof(tl_real));
    const tl_real x[] = {1, 5, 2, 5, 3, 5, 6, 5}; /* means 3 and 5, variances 3.5 and 0 */
    const tl_tensor view = TL_VIEW(x, 2, 2, 2);
    tl_forward(model, &view, TL_MODE_TRAINING);
    check_close("training", tl_output(model).data, (const tl_real[]){8, 20, 9, 20, 10, 20, 13, 20}, 8, rounding, 0);
    check_close("running mean", mean.value.data, (const tl_real[]){(tl_real)0.75, (tl_real)1.25}, 2, rounding, 0);
    const tl_real unbiased = (tl_real)(0.75 + 0.25 * 14 / 3), shrunk = (tl_real)0.75;
    check_close("running variance", variance.value.data, (const tl_real[]){unbiased, shrunk}, 2, rounding, 0);
    memcpy(mean.value.data, (const tl_real[]){1, 2}, 2 * sizeof(tl_real));
    memcpy(variance.value.data, (const tl_real[]){(tl_real)3.5, (tl_real)8.5}, 2 * sizeof(tl_real));
    tl_forward(model, &view, TL_MODE_INFERENCE);
    check_close("inference", tl_output(model).data, (const tl_real[]){10, 23, 11, 23, 12, 23, 15, 23}, 8, rounding, 0);
    check_equal("mean after inference", mean.value.data, (const tl_real[]){1, 2}, 2);
    tl_model_free(model);
}

static void given_a_large_mean_when_normalised_then_nothing_cancels(void **unused) {
    (void)unused;
    enum { LENGTH = 999 };
    tl_error error = {0};
    tl_real x[LENGTH];
    fill_integers(x, LENGTH, 3, 8);
    double mean = 0, squares = 0;
    for (int t = 0; t < LENGTH; t++) mean += (double)x[t] / LENGTH;
    for (int t = 0; t < LENGTH; t++) squares += ((double)x[t] - mean) * ((double)x[t] - mean) / LENGTH;
    for (int t = 0; t < LENGTH; t++) x[t] += 100000;
    tl_model *model = tl_model_new(NULL);
    tl_model_compile(model, tl_batch_norm(model, tl_input(model, (tl_shape){LENGTH, 1}), NULL),
                     &(tl_compile_cfg){.batch = 1, .loss = TL_LOSS_SQUARED_ERROR}, &error);
    const tl_tensor view = TL_VIEW(x, 1, LENGTH, 1);
    tl_forward(model, &view, TL_MODE_TRAINING);
    check_ok(tl_model_error(model));
    for (int t = 0; t < LENGTH; t++)
        check_number("normalised", (double)tl_output(model).data[t], ((double)x[t] - 100000 - mean) / sqrt(squares + 1e-3), 0,
                     1e-5);
    tl_model_free(model);
}

static void given_infinity_when_normalised_then_running_statistics_stay(void **unused) {
    (void)unused;
    tl_model *model = tl_model_new(NULL);
    tl_model_compile(model, tl_batch_norm(model, tl_input(model, (tl_shape){2, 2}), NULL),
                     &(tl_compile_cfg){.batch = 1, .loss = TL_LOSS_SQUARED_ERROR}, NULL);
    const tl_real x[] = {INFINITY, 1, 2, 3};
    const tl_tensor view = TL_VIEW(x, 1, 2, 2);
    tl_forward(model, &view, TL_MODE_TRAINING);
    const tl_parameter mean = tl_parameter_at(model, 2), variance = tl_parameter_at(model, 3);
    check_close("mean", mean.value.data, (const tl_real[]){0, 2}, 2, 1e-5, 0);
    check_close("variance", variance.value.data, (const tl_real[]){1, 2}, 2, 1e-5, 0);
    tl_model_free(model);
}

static void given_default_momentum_when_trained_then_first_batch_replaces(void **unused) {
    (void)unused;
    tl_model *model = tl_model_new(NULL);
    tl_model_compile(model, tl_batch_norm(model, tl_input(model, (tl_shape){2, 1}), NULL),
                     &(tl_compile_cfg){.batch = 1, .loss = TL_LOSS_SQUARED_ERROR}, NULL);
    const tl_real first[] = {1, 3}, second[] = {8, 16}; /* means 2 and 12, variances 2 and 32 */
    const tl_parameter mean = tl_parameter_at(model, 2), variance = tl_parameter_at(model, 3);
    for (int i = 0; i < 2; i++) {
        const tl_tensor view = TL_VIEW(i ? second : first, 1, 2, 1);
        tl_forward(model, &view, TL_MODE_TRAINING);
        check_close("mean", mean.value.data, &(tl_real){i ? 3 : 2}, 1, rounding, 0);
        check_close("variance", variance.value.data, &(tl_real){i ? 5 : 2}, 1, rounding, 0);
    }
    tl_model_free(model);
}

/* ---- dropout ---- */

enum { DROPPED = 20000 };

static tl_model *dropout_model(uint64_t seed, int threads) {
    tl_model *model = tl_model_new(&(tl_model_cfg){.seed = seed, .threads = threads});
    const tl_node x = tl_input(model, (tl_shape){DROPPED, 1});
    tl_model_compile(model, tl_dropout(model, x, &(tl_dropout_cfg){.rate = 0.3}),
                     &(tl_compile_cfg){.batch = 1, .loss = TL_LOSS_SQUARED_ERROR, .input_gradient = true}, NULL);
    return model;
}

static void given_ones_when_dropped_out_then_zeros_at_the_rate(void **unused) {
    (void)unused;
    static tl_real ones[DROPPED], first[DROPPED];
    for (int i = 0; i < DROPPED; i++) ones[i] = 1;
    const tl_tensor view = TL_VIEW(ones, 1, DROPPED, 1);
    tl_model *model = dropout_model(1, 1), *same = dropout_model(1, 3), *other = dropout_model(2, 1);
    tl_forward(model, &view, TL_MODE_TRAINING);
    memcpy(first, tl_output(model).data, sizeof first);
    int zeros = 0;
    for (int i = 0; i < DROPPED; i++) {
        zeros += first[i] == 0;
        if (first[i] != 0) check_number("kept", (double)first[i], 1 / 0.7, rounding, 0);
    }
    assert_in_range(zeros, 6000 - 300, 6000 + 300); /* 0.3 of 20000, ±4.6 standard deviations */
    tl_backward_from(model, &view);
    check_equal("the gradient through the same mask", tl_input_gradient(model).data, first, DROPPED);
    tl_forward(same, &view, TL_MODE_TRAINING);
    check_equal("three threads", tl_output(same).data, first, DROPPED);
    tl_forward(other, &view, TL_MODE_TRAINING);
    int equal_to_other = 0, equal_to_next = 0;
    for (int i = 0; i < DROPPED; i++) equal_to_other += tl_output(other).data[i] == first[i];
    tl_forward(model, &view, TL_MODE_TRAINING);
    for (int i = 0; i < DROPPED; i++) equal_to_next += tl_output(model).data[i] == first[i];
    assert_in_range(equal_to_other, 11600 - 400, 11600 + 400); /* 0.7² + 0.3² of them agree by chance */
    assert_in_range(equal_to_next, 11600 - 400, 11600 + 400);
    tl_forward(model, &view, TL_MODE_INFERENCE);
    check_equal("inference", tl_output(model).data, ones, DROPPED);
    tl_model_free(model);
    tl_model_free(same);
    tl_model_free(other);
}

/* ---- what is refused ---- */

#define REFUSED(name, expression)                                                                                                  \
    static tl_node name(tl_model *m, tl_node x) { return expression; }
REFUSED(dense_nothing, tl_dense(m, x, NULL))
REFUSED(dense_negative, tl_dense(m, x, &(tl_dense_cfg){.units = (size_t)-3}))
REFUSED(conv_nothing, tl_conv1d(m, x, NULL))
REFUSED(conv_filters, tl_conv1d(m, x, &(tl_conv1d_cfg){.filters = (size_t)-1, .kernel = 2}))
REFUSED(conv_long, tl_conv1d(m, x, &(tl_conv1d_cfg){.filters = 1, .kernel = 6}))
REFUSED(conv_dilated, tl_conv1d(m, x, &(tl_conv1d_cfg){.filters = 1, .kernel = 3, .dilation = 3}))
REFUSED(conv_stride, tl_conv1d(m, x, &(tl_conv1d_cfg){.filters = 1, .kernel = 2, .stride = (size_t)-2}))
REFUSED(conv_dilation, tl_conv1d(m, x, &(tl_conv1d_cfg){.filters = 1, .kernel = 2, .dilation = (size_t)-1}))
REFUSED(conv_pads, tl_conv1d(m, x, &(tl_conv1d_cfg){.filters = 1, .kernel = 2, .pad_left = 1}))
REFUSED(conv_engine, tl_conv1d(m, x, &(tl_conv1d_cfg){.filters = 1, .kernel = 2, .engine = (tl_engine)77}))
REFUSED(conv_huge, tl_conv1d(m, x, &(tl_conv1d_cfg){.filters = INT32_MAX, .kernel = INT32_MAX, .padding = TL_PADDING_SAME}))
REFUSED(dropout_nothing, tl_dropout(m, x, NULL))
REFUSED(dropout_large, tl_dropout(m, x, &(tl_dropout_cfg){.rate = 1.5}))
REFUSED(dropout_nan, tl_dropout(m, x, &(tl_dropout_cfg){.rate = NAN}))
REFUSED(norm_momentum, tl_batch_norm(m, x, &(tl_batch_norm_cfg){.momentum = 1.5}))
REFUSED(norm_momentum_nan, tl_batch_norm(m, x, &(tl_batch_norm_cfg){.momentum = NAN}))
REFUSED(norm_epsilon, tl_batch_norm(m, x, &(tl_batch_norm_cfg){.epsilon = -1}))
REFUSED(norm_epsilon_nan, tl_batch_norm(m, x, &(tl_batch_norm_cfg){.epsilon = NAN}))
REFUSED(add_other, tl_add(m, (const tl_node[]){x, tl_dense(m, x, &(tl_dense_cfg){.units = 4})}, 2))
REFUSED(add_one, tl_add(m, &x, 1))
REFUSED(concat_other, tl_concat(m, (const tl_node[]){x, tl_global_average_pool(m, x)}, 2))
REFUSED(concat_one, tl_concat(m, &x, 1))
REFUSED(pool_nothing, tl_max_pool(m, x, NULL))
REFUSED(pool_long, tl_average_pool(m, x, &(tl_pool_cfg){.window = 7}))
REFUSED(pool_stride, tl_max_pool(m, x, &(tl_pool_cfg){.window = 2, .stride = (size_t)-1}))
REFUSED(pool_padding, tl_max_pool(m, x, &(tl_pool_cfg){.window = 2, .padding = (tl_padding)9}))
REFUSED(pool_pads, tl_max_pool(m, x, &(tl_pool_cfg){.window = 2, .padding = TL_PADDING_EXPLICIT, .pad_right = 2}))
REFUSED(pool_pad_negative, tl_max_pool(m, x, &(tl_pool_cfg){.window = 2, .padding = TL_PADDING_EXPLICIT, .pad_left = (size_t)-1}))
#undef REFUSED

static const struct {
    builder build;
    tl_status status;
    const char *layer, *text;
} refusals[] = {
    {dense_nothing, TL_ERROR_ARGUMENT, "(dense)", "units 0 is below 1"},
    {dense_negative, TL_ERROR_ARGUMENT, "(dense)", "units -3 is below 1"},
    {conv_nothing, TL_ERROR_SHAPE, "(conv1d)", "filters 0 is below 1"},
    {conv_filters, TL_ERROR_SHAPE, "(conv1d)", "filters -1 is below 1"},
    {conv_long, TL_ERROR_SHAPE, "(conv1d)", "kernel extent 6 exceeds the padded input length 5"},
    {conv_dilated, TL_ERROR_SHAPE, "(conv1d)", "kernel extent 7 exceeds the padded input length 5"},
    {conv_stride, TL_ERROR_ARGUMENT, "(conv1d)", "stride -2 is below 1"},
    {conv_dilation, TL_ERROR_ARGUMENT, "(conv1d)", "dilation -1 is below 1"},
    {conv_pads, TL_ERROR_ARGUMENT, "(conv1d)", "padding of 1 and 0 steps is given, but padding is not TL_PADDING_EXPLICIT"},
    {conv_engine, TL_ERROR_ARGUMENT, "(conv1d)", "engine 77 is unknown"},
    {conv_huge, TL_ERROR_ARGUMENT, "(conv1d)", "is above 16777216"},
    {dropout_nothing, TL_ERROR_ARGUMENT, "(dropout)", "rate 0 is outside (0, 1)"},
    {dropout_large, TL_ERROR_ARGUMENT, "(dropout)", "rate 1.5 is outside (0, 1)"},
    {dropout_nan, TL_ERROR_ARGUMENT, "(dropout)", "rate nan is outside (0, 1)"},
    {norm_momentum, TL_ERROR_ARGUMENT, "(batch_norm)", "momentum 1.5 is outside (0, 1)"},
    {norm_momentum_nan, TL_ERROR_ARGUMENT, "(batch_norm)", "momentum nan is outside (0, 1)"},
    {norm_epsilon, TL_ERROR_ARGUMENT, "(batch_norm)", "epsilon -1 is outside (0, 1]"},
    {norm_epsilon_nan, TL_ERROR_ARGUMENT, "(batch_norm)", "epsilon nan is outside (0, 1]"},
    {add_other, TL_ERROR_SHAPE, "(add)", "input 1 is (5, 4), input 0 is (5, 3)"},
    {add_one, TL_ERROR_ARGUMENT, "(add)", "1 input; at least 2 are needed"},
    {concat_other, TL_ERROR_SHAPE, "(concat)", "input 1 is (1, 3), input 0 is (5, 3): the lengths differ"},
    {concat_one, TL_ERROR_ARGUMENT, "(concat)", "1 input; at least 2 are needed"},
    {pool_nothing, TL_ERROR_ARGUMENT, "(max_pool)", "window 0 is below 1"},
    {pool_long, TL_ERROR_SHAPE, "(average_pool)", "window extent 7 exceeds the padded input length 5"},
    {pool_stride, TL_ERROR_ARGUMENT, "(max_pool)", "stride -1 is below 1"},
    {pool_padding, TL_ERROR_ARGUMENT, "(max_pool)", "padding 9 is unknown"},
    {pool_pads, TL_ERROR_ARGUMENT, "(max_pool)", "padding of 0 and 2 steps: each must be below the window 2"},
    {pool_pad_negative, TL_ERROR_ARGUMENT, "(max_pool)", "left padding -1 is below 0"},
};

static void given_a_bad_configuration_when_compiled_then_layer_and_limit_named(void **unused) {
    (void)unused;
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
        tl_error error = {0};
        tl_model *model = tl_model_new(NULL);
        assert_int_equal(tl_model_compile(model, refusals[i].build(model, tl_input(model, (tl_shape){5, 3})), NULL, &error),
                         refusals[i].status);
        check_error(&error, refusals[i].status, refusals[i].text);
        check_error(&error, refusals[i].status, refusals[i].layer);
        tl_model_free(model);
    }
}

static void given_shapes_that_overflow_when_compiled_then_refused(void **unused) {
    (void)unused;
    const struct {
        tl_shape shape;
        builder build;
        const char *text;
    } cases[] = {
        {{0, 3}, tl_relu, "shape (0, 3) has no elements"},
        {{3, 0}, tl_relu, "shape (3, 0) has no elements"},
        {{SIZE_MAX / 2, 3}, tl_flatten, "is more than memory can address"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tl_error error = {0};
        tl_model *model = tl_model_new(NULL);
        tl_model_compile(model, cases[i].build(model, tl_input(model, cases[i].shape)), NULL, &error);
        check_error(&error, TL_ERROR_SHAPE, cases[i].text);
        tl_model_free(model);
    }
}

static void given_the_registry_when_asked_then_each_layer_is_found_by_its_name(void **unused) {
    (void)unused;
    size_t count = 0;
    for (const tl_layer_ops *const *ops = tl_layer_registry; *ops; ops++, count++)
        assert_ptr_equal(tl_layer_ops_by_name((*ops)->name), *ops);
    assert_true(count >= 14);
    assert_null(tl_layer_ops_by_name("batchnorm"));
}

/* y = 7 everywhere. */
static void seven_setup(tl_layer *layer, tl_error *error) {
    (void)layer;
    (void)error;
}

static void seven_forward(const tl_layer *layer, const tl_pass *pass) {
    (void)layer;
    for (size_t i = 0; i < tl_tensor_count(&pass->y); i++) pass->y.data[i] = 7;
}

static void seven_backward(const tl_layer *layer, const tl_pass *pass) {
    (void)layer;
    if (pass->dx[0].data) memset(pass->dx[0].data, 0, tl_tensor_count(&pass->dx[0]) * sizeof(tl_real));
}

static const tl_layer_ops seven_ops = {
    .name = "relu", .size = sizeof(tl_layer), .setup = seven_setup, .forward = seven_forward, .backward = seven_backward};

static tl_node seven(tl_model *m, tl_node x) { return tl_layer_add(m, &x, 1, &(tl_layer){.ops = &seven_ops}); }
static tl_node seven_after_add(tl_model *m, tl_node x) { return seven(m, tl_add(m, (const tl_node[]){x, x}, 2)); }
static tl_node seven_after_batch_norm(tl_model *m, tl_node x) { return seven(m, tl_batch_norm(m, x, NULL)); }

static void given_a_custom_layer_named_relu_when_run_then_its_own_code(void **unused) {
    (void)unused;
    const tl_real x[] = {-1, 2}, sevens[] = {7, 7};
    check_layer("after add", seven_after_add, (tl_shape){2, 1}, x, (tl_shape){2, 1}, sevens, 0);
    check_layer("after batch norm", seven_after_batch_norm, (tl_shape){2, 1}, x, (tl_shape){2, 1}, sevens, 0);
}

/* ---- temporary memory, which shares the memory of arrays that are not in use ---- */

enum { SCRIBBLE = 1500 };

static size_t scribble_scratch(const tl_layer *layer, size_t batch, int threads) {
    (void)layer;
    (void)batch;
    (void)threads;
    return SCRIBBLE;
}

/* Copies an array; before and after that it fills its temporary memory, if it has any. */
static void copy_and_scribble(const tl_layer *layer, const tl_pass *pass, const tl_tensor *from, const tl_tensor *to) {
    const size_t count = layer->ops->scratch ? SCRIBBLE : 0;
    for (size_t i = 0; i < count; i++) pass->scratch[i] = NAN;
    if (to->data) memcpy(to->data, from->data, tl_tensor_count(to) * sizeof(tl_real));
    for (size_t i = 0; i < count; i++) pass->scratch[i] = NAN;
}

static void copy_forward(const tl_layer *layer, const tl_pass *pass) { copy_and_scribble(layer, pass, &pass->x[0], &pass->y); }
static void copy_backward(const tl_layer *layer, const tl_pass *pass) { copy_and_scribble(layer, pass, &pass->dy, &pass->dx[0]); }

static const tl_layer_ops copy_ops = {
    .name = "copy", .size = sizeof(tl_layer), .setup = seven_setup, .forward = copy_forward, .backward = copy_backward};
static const tl_layer_ops scribble_ops = {.name = "copy",
                                          .size = sizeof(tl_layer),
                                          .setup = seven_setup,
                                          .scratch = scribble_scratch,
                                          .forward = copy_forward,
                                          .backward = copy_backward};

static tl_node copied(tl_model *m, tl_node x, const tl_layer_ops *ops) { return tl_layer_add(m, &x, 1, &(tl_layer){.ops = ops}); }

/* A block of ResNet with a layer `ops` behind each layer. */
static tl_model *make_copying(const tl_layer_ops *ops) {
    tl_error error = {0};
    tl_model *m = tl_model_new(&(tl_model_cfg){.seed = 3, .threads = 2});
    const tl_conv1d_cfg cfg = {.filters = 8, .kernel = 5, .padding = TL_PADDING_SAME};
    const tl_node x = copied(m, tl_conv1d(m, tl_input(m, (tl_shape){40, 2}), &cfg), ops);
    tl_node h = copied(m, tl_relu(m, copied(m, tl_batch_norm(m, x, NULL), ops)), ops);
    h = copied(m, tl_batch_norm(m, copied(m, tl_conv1d(m, h, &cfg), ops), NULL), ops);
    h = copied(m, tl_relu(m, copied(m, tl_add(m, (const tl_node[]){h, x}, 2), ops)), ops);
    h = copied(m, tl_max_pool(m, h, &(tl_pool_cfg){.window = 3}), ops);
    tl_model_compile(m, tl_dense(m, copied(m, tl_flatten(m, h), ops), &(tl_dense_cfg){.units = 3}),
                     &(tl_compile_cfg){.batch = 4, .loss = TL_LOSS_SQUARED_ERROR, .input_gradient = true}, &error);
    check_ok(&error);
    return m;
}

static void run_copying(tl_model *m, tl_mode mode) {
    static tl_real x[4 * 40 * 2], dy[4 * 3];
    fill_normal(x, 4 * 40 * 2, 1);
    fill_normal(dy, 4 * 3, 2);
    const tl_tensor series = TL_VIEW(x, 4, 40, 2), gradient = TL_VIEW(dy, 4, 1, 3);
    tl_forward(m, &series, mode);
    if (mode == TL_MODE_TRAINING) tl_backward_from(m, &gradient);
    check_ok(tl_model_error(m));
}

static void given_layers_that_fill_their_scratch_when_run_then_no_array_changes(void **unused) {
    (void)unused;
    tl_model *expected = make_copying(&copy_ops), *actual = make_copying(&scribble_ops);
    run_copying(expected, TL_MODE_TRAINING);
    run_copying(actual, TL_MODE_TRAINING);
    check_equal("input gradient", tl_input_gradient(actual).data, tl_input_gradient(expected).data, 4 * 40 * 2);
    for (size_t i = 0; i < tl_parameter_arrays(expected); i++) {
        const tl_parameter p = tl_parameter_at(expected, i), other = tl_parameter_at(actual, i);
        if (p.gradient.data) check_equal(p.name, other.gradient.data, p.gradient.data, tl_tensor_count(&p.gradient));
    }
    run_copying(expected, TL_MODE_INFERENCE);
    run_copying(actual, TL_MODE_INFERENCE);
    check_equal("output", tl_output(actual).data, tl_output(expected).data, 4 * 3);
    tl_model_free(expected);
    tl_model_free(actual);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(given_numbers_when_activated_then_the_functions_of_them),
        cmocka_unit_test(given_a_nan_when_activated_or_pooled_then_it_is_not_hidden),
        cmocka_unit_test(given_large_logits_when_softmaxed_then_rows_sum_to_one),
        cmocka_unit_test(given_weights_when_dense_then_the_product_on_every_step),
        cmocka_unit_test(given_nodes_when_joined_then_sums_and_columns),
        cmocka_unit_test(given_windows_when_pooled_then_padding_never_counts),
        cmocka_unit_test(given_equal_maxima_when_differentiated_then_the_first_takes_all),
        cmocka_unit_test(given_a_batch_when_normalised_then_running_statistics_move),
        cmocka_unit_test(given_a_large_mean_when_normalised_then_nothing_cancels),
        cmocka_unit_test(given_infinity_when_normalised_then_running_statistics_stay),
        cmocka_unit_test(given_default_momentum_when_trained_then_first_batch_replaces),
        cmocka_unit_test(given_ones_when_dropped_out_then_zeros_at_the_rate),
        cmocka_unit_test(given_a_bad_configuration_when_compiled_then_layer_and_limit_named),
        cmocka_unit_test(given_shapes_that_overflow_when_compiled_then_refused),
        cmocka_unit_test(given_the_registry_when_asked_then_each_layer_is_found_by_its_name),
        cmocka_unit_test(given_a_custom_layer_named_relu_when_run_then_its_own_code),
        cmocka_unit_test(given_layers_that_fill_their_scratch_when_run_then_no_array_changes),
    };
    return check_run(tests);
}
