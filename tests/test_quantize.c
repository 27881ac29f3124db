/* Networks in 8-bit integers (tapline/quantize.h). Their outputs must be close to those of the model in floating point, and equal
 * to those of the C file. */
#include "layer_cases.h"

#include <tapline/quantize.h>

#include <dlfcn.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SERIES = 8 };

static char folder[] = "/tmp/tapline_quantize_XXXXXX";

static void run(const char *command) {
    char line[1000];
    snprintf(line, sizeof line, "cd %s && %s", folder, command);
    if (system(line) != 0) fail_msg("%s", command); // NOLINT(cert-env33-c): in a folder of this test
}

static const char *path_of(const char *name) {
    static char path[200];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

/* ---- networks ---- */

/* Changes all arrays, since a bias of 0 or a running variance of 1 would hide errors. */
static void move_parameters(tl_model *model) {
    for (size_t i = 0; i < tl_parameter_arrays(model); i++) {
        const tl_tensor value = tl_parameter_at(model, i).value;
        tl_rng rng = tl_rng_at(i, TL_STREAM_USER, 3, 0);
        for (size_t e = 0; e < tl_tensor_count(&value); e++) value.data[e] += (tl_real)(0.1 * tl_rng_uniform(&rng));
    }
}

static tl_model *compiled(tl_node (*build)(tl_model *model, tl_node x, size_t outputs), tl_shape shape) {
    tl_error error = {0};
    tl_model *model = tl_model_new(&(tl_model_cfg){.seed = 1, .threads = 1});
    const tl_node output = build(model, tl_input(model, shape), 3);
    tl_model_compile(model, output, &(tl_compile_cfg){.batch = 3, .loss = TL_LOSS_SQUARED_ERROR, .inference_only = true}, &error);
    check_ok(&error);
    move_parameters(model);
    return model;
}

/* Groups, dilation, strides, sums, pools with padding, and activations. */
static tl_node varied(tl_model *m, tl_node x, size_t outputs) {
    x = tl_conv1d(m, x, &(tl_conv1d_cfg){.filters = 20, .kernel = 5, .padding = TL_PADDING_SAME});
    const tl_node a = tl_tanh(m, x), b = tl_relu(m, tl_batch_norm(m, x, NULL));
    x = tl_relu(m, tl_add(m, (const tl_node[]){a, b, x}, 3));
    x = tl_conv1d(m, x, &(tl_conv1d_cfg){.filters = 40, .kernel = 3, .dilation = 2, .groups = 2, .padding = TL_PADDING_CAUSAL});
    x = tl_conv1d(m, tl_dropout(m, x, &(tl_dropout_cfg){.rate = 0.5}),
                  &(tl_conv1d_cfg){.filters = 40, .kernel = 3, .groups = 40, .stride = 2, .padding = TL_PADDING_SAME});
    const tl_node c = tl_max_pool(m, x, &(tl_pool_cfg){.window = 3, .stride = 1, .padding = TL_PADDING_SAME});
    const tl_node d = tl_average_pool(m, x, &(tl_pool_cfg){.window = 3, .stride = 1, .padding = TL_PADDING_SAME});
    x = tl_concat(m, (const tl_node[]){c, tl_sigmoid(m, d)}, 2);
    return tl_dense(m, tl_flatten(m, tl_last_step(m, tl_elu(m, x, NULL))), &(tl_dense_cfg){.units = outputs});
}

static const struct {
    const char *name;
    tl_node (*build)(tl_model *model, tl_node x, size_t outputs);
    tl_shape shape;
    double noise; /* allowed difference, in relation to the largest output */
} networks[] = {
    {"varied", varied, {.length = 31, .channels = 2}, 0.1},
    {"time_cnn", tl_time_cnn, {.length = 64, .channels = 1}, 0.1},
    {"lite", tl_lite, {.length = 100, .channels = 1}, 0.1},
};

static tl_tensor tensor(size_t count, size_t length, size_t channels) {
    tl_error error = {0};
    const tl_tensor made_tensor = tl_tensor_new(3, (const size_t[]){count, length, channels}, &error);
    check_ok(&error);
    return made_tensor;
}

static double largest_of(const tl_tensor *y) {
    double largest = 0;
    for (size_t i = 0; i < tl_tensor_count(y); i++) largest = fmax(largest, fabs((double)y->data[i]));
    return largest;
}

/* Compiles the C file, and compares its outputs with those of the library, bit for bit. */
static void check_exported(tl_quantized *quantized, const tl_tensor *x, const tl_tensor *expected, const char *what) {
    tl_error error = {0};
    tl_c_export_result result;
    tl_quantized_export(quantized, path_of("net.c"), NULL, &result, &error);
    check_ok(&error);
    run(TAPLINE_CC " -std=c99 -O1 -Wall -Wextra -Wconversion -pedantic -Werror -fPIC -shared -o net.so net.c -lm");
    run(TAPLINE_CC " -std=c99 -O1 -DNET_TEST -o program net.c -lm && " EMULATOR " ./program >log");
    void *library = dlopen(path_of("net.so"), RTLD_NOW);
    void (*predict)(const float *, float *);
    *(void **)&predict = library ? dlsym(library, "net_predict") : NULL;
    if (!predict) {
        fail_msg("%s: the library of the C file has no function net_predict", what);
        return;
    }
    const size_t count = x->shape[1] * x->shape[2], outputs = expected->shape[1] * expected->shape[2];
    float *in = calloc(count, sizeof *in), *out = calloc(outputs, sizeof *out);
    for (size_t s = 0; s < x->shape[0]; s++) {
        for (size_t i = 0; i < count; i++) in[i] = (float)x->data[s * count + i];
        predict(in, out);
        for (size_t i = 0; i < outputs; i++)
            if ((tl_real)out[i] != expected->data[s * outputs + i]) fail_msg("%s: series %zu, output %zu differs", what, s, i);
    }
    free(in);
    free(out);
    dlclose(library);
}

static void given_networks_when_quantized_then_close_and_c_is_equal(void **state) {
    (void)state;
    for (size_t n = 0; n < sizeof networks / sizeof *networks; n++) {
        tl_error error = {0};
        tl_model *model = compiled(networks[n].build, networks[n].shape);
        const tl_shape out = tl_output_shape(model);
        tl_dataset data = {.x = tensor(SERIES, networks[n].shape.length, networks[n].shape.channels)};
        tl_tensor wanted = tensor(SERIES, out.length, out.channels), actual = tensor(SERIES, out.length, out.channels);
        fill_normal(data.x.data, tl_tensor_count(&data.x), 5);
        tl_quantized *quantized = tl_quantize(model, &data, NULL, &error);
        check_ok(&error);
        tl_predict(model, &data.x, NULL, &wanted, &error);
        tl_quantized_predict(quantized, &data.x, &actual, &error);
        check_ok(&error);
        check_close(networks[n].name, actual.data, wanted.data, tl_tensor_count(&wanted), 0,
                    networks[n].noise * largest_of(&wanted));
        check_exported(quantized, &data.x, &actual, networks[n].name);
        assert_string_equal(tl_quantized_layer_at(quantized, 0).name, "conv1d_1");
        for (size_t i = 0; tl_quantized_layer_at(quantized, i).name; i++) {
            const tl_quantized_layer layer = tl_quantized_layer_at(quantized, i);
            if (!(layer.decibels > 15)) fail_msg("%s: %s: %g dB", networks[n].name, layer.name, layer.decibels);
        }
        tl_quantized_free(quantized);
        tl_tensor_free(&data.x);
        tl_tensor_free(&wanted);
        tl_tensor_free(&actual);
        tl_model_free(model);
    }
}

static tl_node constant_weights(tl_model *m, tl_node x, size_t outputs) {
    (void)outputs;
    return tl_conv1d(m, x, &(tl_conv1d_cfg){.filters = 33, .kernel = 64, .init = TL_INIT_ONES});
}

/* All weights are 127 and inputs are 127 or -128: sums of 16 bits would overflow. */
static void given_the_largest_weights_and_inputs_when_run_then_sums_are_exact(void **state) {
    (void)state;
    tl_error error = {0};
    tl_model *model = tl_model_new(&(tl_model_cfg){.threads = 1});
    const tl_node output = constant_weights(model, tl_input(model, (tl_shape){.length = 80, .channels = 16}), 0);
    tl_model_compile(model, output, &(tl_compile_cfg){.batch = 2, .loss = TL_LOSS_SQUARED_ERROR, .inference_only = true}, &error);
    tl_dataset data = {.x = tensor(2, 80, 16)};
    tl_tensor y = tensor(2, 17, 33), wanted = tensor(2, 17, 33);
    for (size_t i = 0; i < tl_tensor_count(&data.x); i++) data.x.data[i] = i < 80 * 16 ? 127 : -128;
    tl_quantized *quantized = tl_quantize(model, &data, NULL, &error);
    tl_quantized_predict(quantized, &data.x, &y, &error);
    tl_predict(model, &data.x, NULL, &wanted, &error);
    check_ok(&error);
    check_close("sums", y.data, wanted.data, tl_tensor_count(&y), 0, 1024 / 2.0 + 1); /* half a unit of the output */
    tl_quantized_free(quantized);
    tl_tensor_free(&data.x);
    tl_tensor_free(&y);
    tl_tensor_free(&wanted);
    tl_model_free(model);
}

static void given_a_wrong_name_or_a_stream_when_exported_then_refused(void **state) {
    (void)state;
    tl_error error = {0}, name = {0}, stream = {0};
    tl_model *model = compiled(tl_time_cnn, (tl_shape){.length = 64, .channels = 1});
    tl_dataset data = {.x = tensor(SERIES, 64, 1)};
    fill_normal(data.x.data, tl_tensor_count(&data.x), 5);
    tl_quantized *quantized = tl_quantize(model, &data, NULL, &error);
    check_ok(&error);
    tl_quantized_export(quantized, path_of("net.c"), &(tl_c_export_cfg){.name = "2nd"}, NULL, &name);
    check_error(&name, TL_ERROR_ARGUMENT, "\"2nd\" is no identifier");
    tl_quantized_export(quantized, path_of("net.c"), &(tl_c_export_cfg){.stream = true}, NULL, &stream);
    check_error(&stream, TL_ERROR_ARGUMENT, "cannot run on a stream");
    tl_quantized_free(quantized);
    tl_tensor_free(&data.x);
    tl_model_free(model);
}

/* ---- calibration ---- */

/* A depthwise convolution, and a dense layer that adds its channels. */
static tl_node depthwise_and_dense(tl_model *m, tl_node x, size_t outputs) {
    x = tl_conv1d(m, x, &(tl_conv1d_cfg){.filters = 8, .kernel = 3, .groups = 8, .padding = TL_PADDING_SAME});
    return tl_dense(m, x, &(tl_dense_cfg){.units = outputs});
}

static tl_tensor parameter_of(const tl_model *model, const char *layer, const char *name) {
    for (size_t i = 0; i < tl_parameter_arrays(model); i++) {
        const tl_parameter parameter = tl_parameter_at(model, i);
        if (strcmp(parameter.layer, layer) == 0 && strcmp(parameter.name, name) == 0) return parameter.value;
    }
    fail_msg("no array %s.%s", layer, name);
    return (tl_tensor){0};
}

/* Channel c of the convolution is 4^c times as large as channel 0, and the dense layer divides it by as much: with one scale for
 * all channels as they are, channel 0 would be rounded to nothing. */
static void given_channels_of_different_ranges_when_quantized_then_precise(void **state) {
    (void)state;
    tl_error error = {0};
    tl_model *model = compiled(depthwise_and_dense, (tl_shape){.length = 20, .channels = 8});
    const tl_tensor before = parameter_of(model, "conv1d_1", "weight"), bias = parameter_of(model, "conv1d_1", "bias"),
                    after = parameter_of(model, "dense_1", "weight");
    for (size_t i = 0; i < tl_tensor_count(&before); i++) before.data[i] *= (tl_real)pow(4, (double)(i % 8));
    for (size_t i = 0; i < 8; i++) bias.data[i] *= (tl_real)pow(4, (double)i);
    for (size_t i = 0; i < tl_tensor_count(&after); i++) after.data[i] /= (tl_real)pow(4, (double)(i / 3));
    tl_dataset data = {.x = tensor(SERIES, 20, 8)};
    fill_normal(data.x.data, tl_tensor_count(&data.x), 5);
    tl_quantized *quantized = tl_quantize(model, &data, NULL, &error);
    check_ok(&error);
    const double decibels = tl_quantized_layer_at(quantized, 1).decibels;
    if (!(decibels > 30)) fail_msg("dense_1: %g dB", decibels); /* without equal ranges: 0 dB */
    tl_quantized_free(quantized);
    tl_tensor_free(&data.x);
    tl_model_free(model);
}

static tl_node dense_only(tl_model *m, tl_node x, size_t outputs) {
    (void)outputs;
    return tl_dense(m, x, &(tl_dense_cfg){.units = 40});
}

/* The inputs are all near 5, so that the rounding of weights moves the outputs of a filter by nearly the same amount. */
static void given_rounded_weights_when_quantized_then_means_are_kept(void **state) {
    (void)state;
    tl_error error = {0};
    tl_model *model = compiled(dense_only, (tl_shape){.length = 50, .channels = 30});
    tl_dataset data = {.x = tensor(SERIES, 50, 30)};
    tl_tensor wanted = tensor(SERIES, 50, 40), actual = tensor(SERIES, 50, 40);
    fill_normal(data.x.data, tl_tensor_count(&data.x), 5);
    for (size_t i = 0; i < tl_tensor_count(&data.x); i++) data.x.data[i] = data.x.data[i] / 5 + 5;
    tl_quantized *quantized = tl_quantize(model, &data, NULL, &error);
    tl_predict(model, &data.x, NULL, &wanted, &error);
    tl_quantized_predict(quantized, &data.x, &actual, &error);
    check_ok(&error);
    for (size_t f = 0; f < 40; f++) {
        double difference = 0;
        for (size_t i = f; i < tl_tensor_count(&wanted); i += 40)
            difference += ((double)actual.data[i] - (double)wanted.data[i]) / (SERIES * 50);
        check_number("difference of means", difference, 0, 0, 0.1 * tl_quantized_layer_at(quantized, 0).scale);
    }
    tl_quantized_free(quantized);
    tl_tensor_free(&data.x);
    tl_tensor_free(&wanted);
    tl_tensor_free(&actual);
    tl_model_free(model);
}

static void given_an_outlier_when_percentiles_are_used_then_ranges_are_small(void **state) {
    (void)state;
    tl_error error = {0};
    tl_model *model = compiled(dense_only, (tl_shape){.length = 50, .channels = 30});
    tl_dataset data = {.x = tensor(SERIES, 50, 30)};
    fill_normal(data.x.data, tl_tensor_count(&data.x), 5);
    data.x.data[7] = 1000;
    for (int i = 0; i < 4; i++) {
        static const double percentiles[] = {0, 100, 99, 40};
        tl_error refused = {0};
        const tl_quantize_cfg cfg = {.percentile = percentiles[i]};
        tl_quantized *quantized = tl_quantize(model, &data, &cfg, i < 3 ? &error : &refused);
        const double maximum = tl_quantized_layer_at(quantized, 0).maximum;
        if (i < 2) assert_true(maximum > 100);
        if (i == 2) assert_true(maximum > 2 && maximum < 20);
        if (i == 3) check_error(&refused, TL_ERROR_ARGUMENT, "percentile 40 is not above 50");
        tl_quantized_free(quantized);
    }
    check_ok(&error);
    tl_tensor_free(&data.x);
    tl_model_free(model);
}

static tl_node dense_and_sigmoid(tl_model *m, tl_node x, size_t outputs) {
    (void)outputs;
    return tl_sigmoid(m, tl_dense(m, x, &(tl_dense_cfg){.units = 4}));
}

/* A sigmoid is nearly constant beyond 6, so its input needs no integers there. */
static void given_a_sigmoid_when_quantized_then_its_input_has_a_small_range(void **state) {
    (void)state;
    tl_error error = {0};
    tl_model *model = compiled(dense_and_sigmoid, (tl_shape){.length = 50, .channels = 30});
    tl_dataset data = {.x = tensor(SERIES, 50, 30)};
    fill_normal(data.x.data, tl_tensor_count(&data.x), 5);
    for (size_t i = 0; i < tl_tensor_count(&data.x); i++) data.x.data[i] *= 30;
    tl_quantized *quantized = tl_quantize(model, &data, NULL, &error);
    check_ok(&error);
    const tl_quantized_layer dense = tl_quantized_layer_at(quantized, 0);
    assert_true(dense.minimum == -6 && dense.maximum == 6);
    tl_quantized_free(quantized);
    tl_tensor_free(&data.x);
    tl_model_free(model);
}

static tl_node with_layer_norm(tl_model *m, tl_node x, size_t outputs) {
    (void)outputs;
    return tl_layer_norm(m, x, NULL);
}

static void given_a_layer_without_integers_when_quantized_then_refused(void **state) {
    (void)state;
    tl_error error = {0}, shape = {0};
    tl_model *model = compiled(with_layer_norm, (tl_shape){.length = 10, .channels = 2});
    tl_dataset data = {.x = tensor(SERIES, 10, 2)}, other = {.x = tensor(SERIES, 9, 2)};
    assert_null(tl_quantize(model, &data, NULL, &error));
    check_error(&error, TL_ERROR_ARGUMENT, "layer_norm cannot be computed in integers");
    assert_null(tl_quantize(model, &other, NULL, &shape));
    check_error(&shape, TL_ERROR_SHAPE, "the model takes (count, 10, 2)");
    tl_tensor_free(&data.x);
    tl_tensor_free(&other.x);
    tl_model_free(model);
}

int main(void) {
    if (!mkdtemp(folder)) return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(given_networks_when_quantized_then_close_and_c_is_equal),
        cmocka_unit_test(given_the_largest_weights_and_inputs_when_run_then_sums_are_exact),
        cmocka_unit_test(given_a_wrong_name_or_a_stream_when_exported_then_refused),
        cmocka_unit_test(given_channels_of_different_ranges_when_quantized_then_precise),
        cmocka_unit_test(given_rounded_weights_when_quantized_then_means_are_kept),
        cmocka_unit_test(given_an_outlier_when_percentiles_are_used_then_ranges_are_small),
        cmocka_unit_test(given_a_sigmoid_when_quantized_then_its_input_has_a_small_range),
        cmocka_unit_test(given_a_layer_without_integers_when_quantized_then_refused),
    };
    const int failed = check_run(tests);
    if (!failed) run("rm -rf *; rmdir $PWD");
    return failed;
}
