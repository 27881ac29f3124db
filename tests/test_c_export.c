/* Networks as C files (tapline/c_export.h). The files are compiled with all warnings as errors, and must compute the same as the
 * library.
 *
 * Plain runs compile each network once, without optimization. `test_c_export full` has more networks, and compiles them with each
 * compiler: as C and as C++, optimized, and with sanitizers.
 */
#include "layer_cases.h"

#include <tapline/c_export.h>

#include <dlfcn.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SERIES = 3, MAX_CASES = 600 };

static char folder[] = "/tmp/tapline_c_export_XXXXXX";
static bool full;

static const char *path_of(const char *name) {
    static char path[4][200];
    static int next;
    next = (next + 1) % 4;
    snprintf(path[next], sizeof path[next], "%s/%s", folder, name);
    return path[next];
}

/* Runs a shell command in the folder. If the command fails, prints its output, and the test fails. */
static void run(const char *format, ...) TL_PRINTF(1, 2);
static void run(const char *format, ...) {
    char command[2000], line[4000];
    va_list values;
    va_start(values, format);
    const int before = snprintf(line, sizeof line, "cd %s && ", folder);
    vsnprintf(command, sizeof command, format, values);
    va_end(values);
    snprintf(line + before, sizeof line - (size_t)before, "{ %s; } >log 2>&1", command);
    if (system(line) == 0) return; // NOLINT(cert-env33-c): a folder of our own
    snprintf(line, sizeof line, "tail -n 30 %s/log >&2", folder);
    if (system(line) != 0) print_error("no log\n"); // NOLINT(cert-env33-c)
    fail_msg("%s", command);
}

static char *text_of(const char *name) {
    FILE *file = fopen(path_of(name), "r");
    if (!file) fail_msg("%s: not written", name);
    fseek(file, 0, SEEK_END);
    const size_t size = (size_t)ftell(file);
    char *text = calloc(size + 1, 1);
    rewind(file);
    if (!text || fread(text, 1, size, file) != size) fail_msg("%s: not read", name);
    fclose(file);
    return text;
}

/* ---- models ---- */

/* Changes all arrays, since a bias of 0 or a running variance of 1 would hide errors. */
static void move_parameters(tl_model *model) {
    for (size_t i = 0; i < tl_parameter_arrays(model); i++) {
        const tl_tensor value = tl_parameter_at(model, i).value;
        tl_rng rng = tl_rng_at(i, TL_STREAM_USER, 3, 0);
        for (size_t e = 0; e < tl_tensor_count(&value); e++) value.data[e] += (tl_real)(0.1 * tl_rng_uniform(&rng));
    }
}

/* Compiles the model and changes its parameters. */
static tl_model *compiled(tl_model *model, tl_node output, tl_loss_kind loss) {
    tl_error error = {0};
    const tl_compile_cfg cfg = {.batch = SERIES, .loss = loss, .inference_only = true};
    tl_model_compile(model, output, &cfg, &error);
    check_ok(&error);
    move_parameters(model);
    return model;
}

/* ---- networks of a build ---- */

typedef void (*predict_function)(const float *x, float *y);

/* A network that has been exported under the name `case_` and its index. */
typedef struct exported {
    char what[100];
    tl_tensor x, y; /* the series, and the predictions of the library */
} exported;

static exported cases[MAX_CASES];
static size_t case_count;

static void forget_cases(void) {
    for (size_t i = 0; i < case_count; i++) {
        tl_tensor_free(&cases[i].x);
        tl_tensor_free(&cases[i].y);
    }
    case_count = 0;
    run("rm -f *.c *.o *.so *.h");
}

/* Exports a model and frees it. x: the input of the C file; scaled: the input of the model. */
static void add_case(const char *what, tl_model *model, bool no_libm, tl_tensor x, const tl_tensor *scaled) {
    tl_error error = {0};
    char name[40];
    exported *it = &cases[case_count];
    const tl_shape out = tl_output_shape(model);
    snprintf(name, sizeof name, "case_%zu.c", case_count++);
    snprintf(it->what, sizeof it->what, "%s (%s)", what, name);
    tl_c_export(model, path_of(name), &(tl_c_export_cfg){.no_libm = no_libm}, NULL, &error);
    it->x = x;
    it->y = tl_tensor_new(3, (size_t[]){SERIES, out.length, out.channels}, &error);
    tl_predict(model, scaled, NULL, &it->y, &error);
    check_ok(&error);
    tl_model_free(model);
}

static tl_tensor normal_series(tl_shape shape, uint32_t seed) {
    tl_error error = {0};
    tl_tensor x = tl_tensor_new(3, (size_t[]){SERIES, shape.length, shape.channels}, &error);
    check_ok(&error);
    fill_normal(x.data, tl_tensor_count(&x), seed);
    for (size_t i = 0; i < tl_tensor_count(&x); i++) x.data[i] = (tl_real)(float)x.data[i];
    return x;
}

static void add_model(const char *what, tl_model *model, bool no_libm) {
    const tl_tensor x = normal_series(tl_input_shape(model), (uint32_t)case_count);
    add_case(what, model, no_libm, x, &x);
}

static void compare_case(size_t index, void *library) {
    const exported *it = &cases[index];
    const size_t count = it->x.shape[1] * it->x.shape[2], outputs = it->y.shape[1] * it->y.shape[2];
    char name[40];
    snprintf(name, sizeof name, "case_%zu_predict", index);
    predict_function predict;
    *(void **)&predict = dlsym(library, name);
    if (!predict) {
        fail_msg("%s: no %s", it->what, name);
        return;
    }
    float *x = malloc(count * sizeof *x), *y = malloc(outputs * sizeof *y);
    tl_real *actual = malloc(outputs * sizeof *actual);
    for (size_t s = 0; s < SERIES; s++) {
        for (size_t i = 0; i < count; i++) x[i] = (float)it->x.data[s * count + i];
        predict(x, y);
        for (size_t i = 0; i < outputs; i++) actual[i] = (tl_real)y[i];
        check_close(it->what, actual, it->y.data + s * outputs, outputs, 1e-5, 1e-5);
    }
    free(x);
    free(y);
    free(actual);
}

/* Compiles all cases as one shared library, and compares the results of each case with those of tapline. */
static void build_and_compare(const char *compiler, const char *options) {
    run("%s %s -Wall -Wextra -Wconversion -pedantic -Werror -fPIC -shared -o cases.so case_*.c -lm", compiler, options);
    void *library = dlopen(path_of("cases.so"), RTLD_NOW);
    if (!library) fail_msg("%s", dlerror());
    for (size_t i = 0; i < case_count; i++) compare_case(i, library);
    dlclose(library);
    run("rm cases.so");
}

static bool is_installed(const char *program) {
    char command[100];
    snprintf(command, sizeof command, "command -v %s >/dev/null 2>&1", program);
    return system(command) == 0; // NOLINT(cert-env33-c): a constant
}

/* Compiles all cases once; in full runs with every compiler that is installed. */
static void compare_cases(void) {
    static const char *const builds[][2] = {{"gcc", "-std=c99 -O0"},
                                            {"gcc", "-std=c99 -O2"},
                                            {"gcc", "-std=c99 -O3 -march=native"},
                                            {"clang", "-std=c99 -O0"},
                                            {"clang", "-std=c99 -O2"},
                                            {"g++", "-std=c++11 -x c++ -O1"},
                                            {"clang++", "-std=c++11 -x c++ -O1"},
                                            {"gcc", "-std=c99 -O1 -fsanitize=undefined -fno-sanitize-recover=all"}};
    if (!full) build_and_compare(TAPLINE_CC, "-std=c99 -O0");
    for (size_t i = 0; full && i < sizeof builds / sizeof *builds; i++)
        if (is_installed(builds[i][0])) build_and_compare(builds[i][0], builds[i][1]);
    forget_cases();
}

/* ---- layers and architectures ---- */

/* Adds a network of one layer case, alone or between dense layers and dropout. */
static void add_row(const layer_case *row, uint32_t seed, bool between_layers, bool no_libm) {
    tl_rng rng = tl_rng_at(seed, TL_STREAM_USER, 1, 0);
    tl_model *model = tl_model_new(&(tl_model_cfg){.seed = seed, .threads = 1});
    tl_node x = tl_input(model, (tl_shape){.length = (size_t)between(&rng, 6, 20), .channels = (size_t)between(&rng, 1, 4)});
    if (between_layers)
        x = tl_dropout(model, tl_dense(model, x, &(tl_dense_cfg){.units = between(&rng, 2, 20)}), &(tl_dropout_cfg){.rate = 0.5});
    tl_node y = layer_case_build(row, model, x, &rng);
    if (between_layers) y = tl_dense(model, y, &(tl_dense_cfg){.units = 3});
    add_model(row->name, compiled(model, y, TL_LOSS_SQUARED_ERROR), no_libm);
}

static void given_each_layer_when_exported_then_c_computes_the_same(void **state) {
    (void)state;
    const size_t every = full || sizeof(tl_real) == sizeof(float) ? 1 : 8; /* the file is always in single precision */
    for (size_t i = 0; i < layer_case_count; i += every) {
        add_row(&layer_cases[i], (uint32_t)i, i % 2, i % 4 < 2);
        for (uint32_t more = 0; full && more < 5; more++)
            add_row(&layer_cases[i], 100 * more + (uint32_t)i, more % 2 == 0, more % 3 == 0);
    }
    compare_cases();
}

typedef struct architecture {
    const char *name;
    tl_node (*build)(tl_model *model, tl_node x, size_t outputs);
    tl_shape shape;
    bool large;
} architecture;

static tl_node unet(tl_model *model, tl_node x, size_t outputs) {
    return tl_unet(model, x, &(tl_unet_cfg){.outputs = outputs, .filters = 4, .levels = 2});
}
static tl_node wavenet_steps(tl_model *model, tl_node x, size_t outputs) {
    return tl_wavenet_steps(model, x, &(tl_wavenet_cfg){.outputs = outputs, .filters = 5, .skips = 6, .blocks = 4});
}
/* Convolutions with numbers of channels that are no multiples of a vector. */
static tl_node wide(tl_model *model, tl_node x, size_t outputs) {
    x = tl_conv1d(model, x, &(tl_conv1d_cfg){.filters = 37, .kernel = 5, .padding = TL_PADDING_SAME});
    x = tl_relu(model, tl_batch_norm(model, x, NULL));
    x = tl_conv1d(model, x,
                  &(tl_conv1d_cfg){.filters = 37, .kernel = 7, .dilation = 9, .groups = 37, .padding = TL_PADDING_CAUSAL});
    x = tl_conv1d(model, tl_relu(model, x),
                  &(tl_conv1d_cfg){.filters = 32, .kernel = 3, .dilation = 30, .stride = 2, .padding = TL_PADDING_SAME});
    x = tl_conv1d_transpose(model, x, &(tl_conv1d_transpose_cfg){.filters = 20, .kernel = 5, .stride = 2, .pad_left = 1});
    return tl_dense(model, tl_global_average_pool(model, x), &(tl_dense_cfg){.units = outputs});
}

static const architecture architectures[] = {
    {"wide", wide, {.length = 40, .channels = 3}, false},
    {"wavenet_steps", wavenet_steps, {.length = 24, .channels = 2}, false},
    {"unet", unet, {.length = 24, .channels = 2}, false},
    {"time_cnn", tl_time_cnn, {.length = 24, .channels = 2}, false},
    {"lite", tl_lite, {.length = 24, .channels = 1}, false},
    {"fcn", tl_fcn, {.length = 33, .channels = 2}, true},
    {"resnet", tl_resnet, {.length = 33, .channels = 2}, true},
    {"inception", tl_inception, {.length = 45, .channels = 2}, true},
    {"tcn", tl_tcn, {.length = 300, .channels = 1}, true},
    {"wavenet", tl_wavenet, {.length = 100, .channels = 1}, true},
};

static tl_model *architecture_made(const architecture *it, tl_loss_kind loss) {
    tl_model *model = tl_model_new(&(tl_model_cfg){.seed = 1, .threads = 1});
    return compiled(model, it->build(model, tl_input(model, it->shape), 3), loss);
}

static void given_each_architecture_when_exported_then_c_computes_the_same(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof architectures / sizeof *architectures; i++)
        if (full || !architectures[i].large)
            add_model(architectures[i].name, architecture_made(&architectures[i], TL_LOSS_CROSS_ENTROPY), i % 2);
    compare_cases();
}

/* ---- features of fixed convolutions ---- */

enum { SAMPLES = 12 };

typedef struct rocket_case {
    const char *what;
    tl_rocket_cfg cfg;
    size_t channels;
} rocket_case;

static const rocket_case rocket_cases[] = {
    {"mini", {.kind = TL_ROCKET_MINI, .features = 1000}, 1},
    {"mini of 12 channels", {.kind = TL_ROCKET_MINI, .features = 500}, 12},
    {"mini for shorter series", {.kind = TL_ROCKET_MINI, .features = 500, .length = 12}, 2},
    {"multi", {.kind = TL_ROCKET_MULTI, .features = 2000}, 1},
    {"multi of 3 channels", {.kind = TL_ROCKET_MULTI, .features = 1400}, 3},
    {"hydra", {.kind = TL_ROCKET_HYDRA, .features = 96}, 1},
    {"hydra of 5 channels", {.kind = TL_ROCKET_HYDRA, .features = 64}, 5},
};

/* Series of integers: the sums of kinds mini and multi are exact in both precisions, so that each number is on the same side of a
 * bias. */
static tl_tensor integer_series(size_t channels) {
    tl_error error = {0};
    tl_tensor x = tl_tensor_new(3, (size_t[]){SAMPLES, 40, channels}, &error);
    check_ok(&error);
    fill_integers(x.data, tl_tensor_count(&x), (uint32_t)channels, 9);
    return x;
}

/* With random choices from x, and, after the features, a dense layer if `dense`. */
static tl_model *rocket_made(const rocket_case *it, const tl_tensor *x, bool dense) {
    tl_error error = {0};
    tl_model *model = tl_model_new(&(tl_model_cfg){.seed = 3, .threads = 1});
    tl_node y = tl_rocket(model, tl_input(model, (tl_shape){.length = 40, .channels = it->channels}), &it->cfg);
    if (dense) y = tl_dense(model, y, &(tl_dense_cfg){.units = 3});
    tl_model_compile(model, y, &(tl_compile_cfg){.batch = SERIES, .loss = TL_LOSS_SQUARED_ERROR, .inference_only = true}, &error);
    tl_update_statistics(model, &(tl_dataset){.x = *x}, &error);
    check_ok(&error);
    return model;
}

static void given_each_kind_of_rocket_when_exported_then_the_same_features(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof rocket_cases / sizeof *rocket_cases; i++) {
        const rocket_case *it = &rocket_cases[i];
        tl_tensor x = integer_series(it->channels);
        tl_model *model = rocket_made(it, &x, false);
        x.shape[0] = SERIES;
        add_case(it->what, model, i % 2, x, &x);
    }
    compare_cases();
}

static void given_each_kind_of_rocket_when_exported_then_sizes_are_stated(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof rocket_cases / sizeof *rocket_cases; i++) {
        tl_error error = {0};
        tl_c_export_result result;
        char stated[100];
        tl_tensor x = integer_series(rocket_cases[i].channels);
        tl_model *model = rocket_made(&rocket_cases[i], &x, true);
        tl_c_export(model, path_of("net.c"), NULL, &result, &error);
        check_ok(&error);
        if (result.memory_bytes > tl_model_memory(model))
            fail_msg("%s: %zu bytes; the library takes %zu", rocket_cases[i].what, result.memory_bytes, tl_model_memory(model));
        snprintf(stated, sizeof stated, "Constants: %zu bytes of flash. Static array: %zu bytes", result.constant_bytes,
                 result.memory_bytes);
        char *text = text_of("net.c");
        assert_non_null(strstr(text, stated));
        free(text);
        tl_tensor_free(&x);
        tl_model_free(model);
    }
}

/* The class with the largest of three probabilities. */
static size_t largest(const tl_real *y) { return y[0] >= y[1] && y[0] >= y[2] ? 0 : y[1] >= y[2] ? 1 : 2; }

/* In double precision, the library may count an output that is equal to a bias up to rounding in single precision, so only the
 * classes are compared. */
static void compare_predictions(predict_function predict, const tl_tensor *x, const tl_tensor *y) {
    const size_t each = x->shape[1] * x->shape[2];
    float *series = calloc(each, sizeof *series), found[3];
    if (!series) fail_msg("out of memory");
    for (size_t s = 0; s < y->shape[0]; s++) {
        for (size_t i = 0; i < each; i++) series[i] = (float)x->data[s * each + i];
        predict(series, found);
        const tl_real actual[] = {(tl_real)found[0], (tl_real)found[1], (tl_real)found[2]}, *expected = y->data + 3 * s;
        if (sizeof(tl_real) == sizeof(float)) check_close("probabilities", actual, expected, 3, 1e-5, 1e-5);
        assert_int_equal(largest(actual), largest(expected));
    }
    series[each - 1] = NAN;
    predict(series, found);
    for (size_t c = 0; c < 3; c++) assert_true(isnan(found[c]));
    free(series);
}

static void given_a_solved_network_when_exported_then_the_same_classes(void **state) {
    (void)state;
    tl_error error = {0};
    tl_dataset *train = tl_dataset_builtin("cbf", TL_SPLIT_TRAIN, 1, &error),
               *test = tl_dataset_builtin("cbf", TL_SPLIT_TEST, 1, &error);
    check_ok(&error);
    test->x.shape[0] = full ? 900 : 90;
    tl_model *model = tl_model_new(&(tl_model_cfg){.seed = 1, .threads = 1});
    tl_model_compile(model, tl_mini_rocket(model, tl_input(model, (tl_shape){128, 1}), 3), NULL, &error);
    tl_fit_ridge(model, train, NULL, NULL, &error);
    tl_c_export(model, path_of("solved.c"), NULL, NULL, &error);
    tl_tensor y = tl_tensor_new(3, (size_t[]){test->x.shape[0], 1, 3}, &error);
    tl_predict(model, &test->x, NULL, &y, &error);
    check_ok(&error);
    run("%s -std=c99 -O2 -Wall -Wextra -Wconversion -pedantic -Werror -fPIC -shared -o solved.so solved.c -lm", TAPLINE_CC);
    void *library = dlopen(path_of("solved.so"), RTLD_NOW);
    if (!library) fail_msg("%s", dlerror());
    predict_function predict;
    *(void **)&predict = dlsym(library, "solved_predict");
    compare_predictions(predict, &test->x, &y);
    dlclose(library);
    run("rm solved.c solved.so");
    tl_tensor_free(&y);
    tl_model_free(model);
    tl_dataset_free(train);
    tl_dataset_free(test);
}

static void given_nothing_drawn_or_a_stream_when_exported_then_refused(void **state) {
    (void)state;
    tl_error undrawn = {0}, streamed = {0};
    tl_tensor x = integer_series(1);
    tl_model *model = tl_model_new(&(tl_model_cfg){.threads = 1});
    tl_model_compile(model, tl_mini_rocket(model, tl_input(model, (tl_shape){40, 1}), 2), NULL, &undrawn);
    check_ok(&undrawn);
    tl_c_export(model, path_of("net.c"), NULL, NULL, &undrawn);
    check_error(&undrawn, TL_ERROR_ARGUMENT,
                "(rocket_1): its biases were not drawn yet; tl_update_statistics draws them from training data");
    tl_model_free(model);
    model = rocket_made(&rocket_cases[0], &x, true);
    tl_c_export(model, path_of("net.c"), &(tl_c_export_cfg){.stream = true}, NULL, &streamed);
    check_error(&streamed, TL_ERROR_ARGUMENT, "(rocket): computes features of whole series, which a stream does not have");
    tl_tensor_free(&x);
    tl_model_free(model);
}

/* ---- streams ---- */

enum { STEPS = 90, MAX_OUTPUTS = 4096 };

typedef int (*step_function)(const float *x, float *y);

/* A network on a stream, and the outputs of the library's stream for each step. */
typedef struct streamed {
    char what[100];
    size_t channels, outputs;
    tl_real *x, *y; /* (STEPS, channels); (outputs of all steps, outputs) */
    size_t count[STEPS];
} streamed;

static streamed streams[MAX_CASES];
static size_t stream_count;

/* Exports the model as a stream. Returns false if tl_stream_new fails for it; the export must then fail too. */
static bool add_stream(const char *what, tl_model *model, const tl_stream_cfg *how) {
    tl_error error = {0}, refused = {0};
    streamed *it = &streams[stream_count];
    char name[40];
    snprintf(name, sizeof name, "stream_%zu.c", stream_count);
    tl_stream *stream = tl_stream_new(model, how, &refused);
    tl_c_export(model, path_of(name),
                &(tl_c_export_cfg){.stream = true, .window = how ? how->window : 0, .hop = how ? how->hop : 0}, NULL, &error);
    if (strstr(error.text, "straight lines")) tl_fail(&refused, error.status, "linear upsampling");
    if (tl_failed(&refused)) {
        assert_true(tl_failed(&error));
        tl_stream_free(stream);
        tl_model_free(model);
        return false;
    }
    if (tl_failed(&error)) fail_msg("%s: %s", what, error.text);
    *it = (streamed){.channels = tl_input_shape(model).channels, .outputs = tl_output_shape(model).channels};
    snprintf(it->what, sizeof it->what, "%s (%s)", what, name);
    it->x = calloc(STEPS * it->channels, sizeof *it->x);
    it->y = calloc(MAX_OUTPUTS * it->outputs, sizeof *it->y);
    fill_normal(it->x, STEPS * it->channels, (uint32_t)stream_count);
    size_t total = 0;
    for (size_t t = 0; t < STEPS; t++) {
        for (size_t c = 0; c < it->channels; c++) it->x[t * it->channels + c] = (tl_real)(float)it->x[t * it->channels + c];
        it->count[t] = tl_stream_push(stream, it->x + t * it->channels, 1, it->y + total * it->outputs, MAX_OUTPUTS - total);
        total += it->count[t];
    }
    check_ok(tl_stream_error(stream));
    tl_stream_free(stream);
    tl_model_free(model);
    stream_count++;
    return true;
}

static void compare_stream(size_t index, void *library, bool again) {
    const streamed *it = &streams[index];
    char name[40];
    step_function step;
    void (*reset)(void);
    snprintf(name, sizeof name, "stream_%zu_step", index);
    *(void **)&step = dlsym(library, name);
    snprintf(name, sizeof name, "stream_%zu_reset", index);
    *(void **)&reset = dlsym(library, name);
    if (!step || !reset) {
        fail_msg("%s: no functions", it->what);
        return;
    }
    float *x = calloc(it->channels, sizeof *x), *y = calloc(MAX_OUTPUTS, sizeof *y);
    tl_real *actual = calloc(MAX_OUTPUTS, sizeof *actual);
    if (again) reset();
    for (size_t t = 0, total = 0; t < STEPS; total += it->count[t++]) {
        for (size_t c = 0; c < it->channels; c++) x[c] = (float)it->x[t * it->channels + c];
        const size_t count = (size_t)step(x, y);
        if (count != it->count[t]) fail_msg("%s: step %zu gives %zu outputs; the library %zu", it->what, t, count, it->count[t]);
        for (size_t i = 0; i < count * it->outputs; i++) actual[i] = (tl_real)y[i];
        check_close(it->what, actual, it->y + total * it->outputs, count * it->outputs, 1e-5, 1e-5);
    }
    free(x);
    free(y);
    free(actual);
}

static void compare_streams(void) {
    run("%s -std=c99 -O0 -Wall -Wextra -Wconversion -pedantic -Werror -fPIC -shared -o streams.so stream_*.c -lm", TAPLINE_CC);
    void *library = dlopen(path_of("streams.so"), RTLD_NOW);
    if (!library) fail_msg("%s", dlerror());
    for (size_t i = 0; i < 2 * stream_count; i++) compare_stream(i % stream_count, library, i >= stream_count);
    dlclose(library);
    for (size_t i = 0; i < stream_count; i++) {
        free(streams[i].x);
        free(streams[i].y);
    }
    stream_count = 0;
    run("rm -f *.c *.so");
}

static tl_node causal_stack(tl_model *model, tl_node x, size_t outputs) {
    for (size_t dilation = 1; dilation <= 16; dilation *= 2)
        x = tl_relu(
            model,
            tl_conv1d(model, x, &(tl_conv1d_cfg){.filters = 16, .kernel = 3, .dilation = dilation, .padding = TL_PADDING_CAUSAL}));
    return tl_dense(model, x, &(tl_dense_cfg){.units = outputs});
}
/* Strides and a transposed convolution, joined with a branch that has less delay. */
static tl_node strides(tl_model *model, tl_node x, size_t outputs) {
    tl_node h = tl_conv1d(model, x, &(tl_conv1d_cfg){.filters = 6, .kernel = 4, .stride = 2, .padding = TL_PADDING_SAME});
    h = tl_max_pool(model, tl_relu(model, h), &(tl_pool_cfg){.window = 3, .stride = 2, .padding = TL_PADDING_SAME});
    h = tl_conv1d_transpose(model, h, &(tl_conv1d_transpose_cfg){.filters = 5, .kernel = 5, .stride = 4, .pad_left = 1});
    h = tl_concat(model, (const tl_node[]){h, tl_conv1d_transpose(model, x, &(tl_conv1d_transpose_cfg){.filters = 2, .kernel = 2})},
                  2);
    return tl_softmax(model, tl_dense(model, h, &(tl_dense_cfg){.units = outputs}));
}

static void given_each_layer_when_streamed_then_c_gives_the_stream_s_outputs(void **state) {
    (void)state;
    static const architecture networks[] = {
        {"causal stack", causal_stack, {.length = 40, .channels = 1}, false},
        {"strides", strides, {.length = 43, .channels = 2}, false},
        {"lite", tl_lite, {.length = 60, .channels = 1}, false},
        {"wavenet_steps", wavenet_steps, {.length = 24, .channels = 2}, false},
        {"tcn", tl_tcn, {.length = 300, .channels = 1}, true},
        {"resnet", tl_resnet, {.length = 50, .channels = 1}, true},
    };
    const size_t every = full ? 1 : sizeof(tl_real) == sizeof(float) ? 3 : 8;
    for (size_t i = 0; i < layer_case_count; i += every) {
        tl_rng rng = tl_rng_at(i, TL_STREAM_USER, 1, 0);
        tl_model *model = tl_model_new(&(tl_model_cfg){.seed = i, .threads = 1, .engine = TL_ENGINE_DIRECT});
        const tl_node x = tl_input(model, (tl_shape){.length = 20, .channels = (size_t)between(&rng, 1, 4)});
        add_stream(layer_cases[i].name, compiled(model, layer_case_build(&layer_cases[i], model, x, &rng), TL_LOSS_SQUARED_ERROR),
                   NULL);
    }
    for (size_t i = 0; i < sizeof networks / sizeof *networks; i++)
        if (full || !networks[i].large)
            assert_true(add_stream(networks[i].name, architecture_made(&networks[i], TL_LOSS_SQUARED_ERROR), NULL));
    assert_true(
        add_stream("windows", architecture_made(&networks[2], TL_LOSS_SQUARED_ERROR), &(tl_stream_cfg){.window = 20, .hop = 5}));
    compare_streams();
}

/* ---- scaling and losses ---- */

static tl_node small(tl_model *model, tl_node x, size_t outputs) {
    x = tl_relu(model, tl_conv1d(model, x, &(tl_conv1d_cfg){.filters = 4, .kernel = 3, .padding = TL_PADDING_SAME}));
    return tl_dense(model, tl_global_average_pool(model, x), &(tl_dense_cfg){.units = outputs});
}

static tl_model *small_made(tl_loss_kind loss) {
    const architecture it = {"small", small, {.length = 50, .channels = 2}, false};
    return architecture_made(&it, loss);
}

/* Series with this level and amplitude. The last series is constant in its first channel. */
static tl_dataset leveled(double level, double amplitude) {
    tl_tensor x = normal_series((tl_shape){.length = 50, .channels = 2}, 7);
    for (size_t i = 0; i < tl_tensor_count(&x); i++) {
        const bool constant = i >= 2 * 50 * 2 && i % 2 == 0;
        x.data[i] = (tl_real)(float)(constant ? level : level + amplitude * (double)x.data[i]);
    }
    return (tl_dataset){.x = x};
}

/* Adds the small network for series with this level and amplitude, which are scaled as `how` says. */
static void add_scaled(const char *what, tl_normalization how, double level, double amplitude) {
    tl_error error = {0};
    tl_dataset raw = leveled(level, amplitude), data = leveled(level, amplitude);
    tl_dataset_scale(&data, how, NULL, &error);
    tl_model *model = small_made(TL_LOSS_CROSS_ENTROPY);
    tl_save_cfg cfg = {.data = &data};
    tl_model_save(model, path_of("scaled.safetensors"), &cfg, &error);
    tl_model_free(model);
    model = tl_model_load(path_of("scaled.safetensors"), &(tl_load_cfg){.compile.batch = SERIES}, NULL, &error);
    check_ok(&error);
    add_case(what, model, false, raw.x, &data.x);
    tl_tensor_free(&data.x);
    tl_scaling_free(&data.scaling);
}

static void given_a_scaling_when_exported_then_c_scales_the_series(void **state) {
    (void)state;
    add_scaled("each series, around 0", TL_NORMALIZE_SERIES, 0.1, 1);
    add_scaled("each series, far from 0", TL_NORMALIZE_SERIES, 1e5, 100);
    add_scaled("each series, tiny", TL_NORMALIZE_SERIES, 1e-25, 1e-25);
    add_scaled("each series, huge", TL_NORMALIZE_SERIES, 0, 1e25);
    add_scaled("by the set, far from 0", TL_NORMALIZE_SET, 1e5, 3);
    add_scaled("as they are", TL_NORMALIZE_NONE, 0, 1);
    compare_cases();
}

static void given_each_loss_when_exported_then_c_predicts_the_same(void **state) {
    (void)state;
    tl_dataset regression = leveled(0, 1);
    tl_real values[SERIES * 3];
    for (size_t i = 0; i < SERIES * 3; i++) values[i] = (tl_real)(1000 + 50 * (int)(i * i));
    regression.values = values;
    regression.target_channels = 3;
    tl_error error = {0};
    const architecture it = {"small", small, {.length = 50, .channels = 2}, false};
    tl_model *model = tl_model_new(&(tl_model_cfg){.seed = 1, .threads = 1});
    tl_model_compile(model, it.build(model, tl_input(model, it.shape), 3),
                     &(tl_compile_cfg){.batch = SERIES, .loss = TL_LOSS_SQUARED_ERROR}, &error);
    tl_fit(model, &regression, &(tl_fit_cfg){.epochs = 1}, NULL, &error);
    check_ok(&error);
    tl_tensor_free(&regression.x);
    add_model("values that were scaled", model, false);
    add_model("probabilities of one class", small_made(TL_LOSS_CROSS_ENTROPY), true);
    add_model("probabilities of several classes", small_made(TL_LOSS_BINARY_CROSS_ENTROPY), true);
    compare_cases();
}

/* The inputs are indices of rows of the table. */
static void given_an_embedding_when_exported_then_c_finds_the_rows(void **state) {
    (void)state;
    tl_model *model = tl_model_new(&(tl_model_cfg){.threads = 1});
    const tl_node x = tl_input(model, (tl_shape){.length = 12, .channels = 1});
    const tl_node y = tl_embedding(model, x, &(tl_embedding_cfg){.vocabulary = 9, .units = 5});
    model = compiled(model, tl_flatten(model, y), TL_LOSS_SQUARED_ERROR);
    tl_tensor rows = normal_series(tl_input_shape(model), 0);
    for (size_t i = 0; i < tl_tensor_count(&rows); i++) rows.data[i] = (tl_real)(i * i % 9);
    add_case("embedding", model, false, rows, &rows);
    compare_cases();
}

/* ---- the file ---- */

static void export_small(const char *file, const tl_c_export_cfg *cfg) {
    tl_error error = {0};
    tl_model *model = small_made(TL_LOSS_CROSS_ENTROPY);
    tl_c_export(model, path_of(file), cfg, NULL, &error);
    check_ok(&error);
    tl_model_free(model);
}

static void given_class_names_when_a_program_uses_them_then_it_builds(void **state) {
    (void)state;
    char *names[] = {"rock \"hard\"", "what?\?/", "sc\\issors"};
    export_small("net-2.c",
                 &(tl_c_export_cfg){.header = path_of("net.h"), .data = &(tl_dataset){.classes = 3, .class_names = names}});
    FILE *file = fopen(path_of("main.c"), "w");
    fprintf(
        file,
        "#include \"net.h\"\n#include <stdio.h>\nint main(void) {\n    static const float x[NET_2_LENGTH * NET_2_CHANNELS] = {0};\n"
        "    float y[NET_2_OUTPUTS];\n    net_2_predict(x, y);\n    for (int c = 0; c < NET_2_OUTPUTS; c++) puts(net_2_class[c]);\n"
        "    return y[0] > 0 ? 0 : 1;\n}\n");
    fclose(file);
    run("%s -Wall -Wextra -Werror -std=c99 main.c net-2.c -o program -lm && " EMULATOR " ./program >names", TAPLINE_CC);
    char *printed = text_of("names");
    assert_string_equal(printed, "rock \"hard\"\nwhat?\?/\nsc\\issors\n");
    free(printed);
    if (is_installed("g++"))
        run("g++ -Wall -Wextra -Werror -std=c++98 -pedantic -x c++ main.c net-2.c -o program -lm && ./program");
}

static void given_its_test_program_when_built_then_it_finds_a_wrong_weight(void **state) {
    (void)state;
    export_small("net.c", NULL);
    run("%s -std=c99 -DNET_TEST net.c -o program -lm && " EMULATOR " ./program", TAPLINE_CC);
    run("sed '/float dense_1_bias/{n;s/ *[^,]*,/ 3,/}' net.c >wrong.c && %s -std=c99 -DNET_TEST wrong.c -o program -lm && "
        "! " EMULATOR " ./program",
        TAPLINE_CC);
}

static void given_an_object_when_exported_then_it_calls_only_libm(void **state) {
    (void)state;
    export_small("net.c", NULL);
    run("%s -std=c99 -O2 -c net.c && nm -u net.o >undefined && ! grep -vwE 'U (expf|memset|memcpy|__stack_chk_fail)' undefined",
        TAPLINE_CC);
    export_small("net.c", &(tl_c_export_cfg){.no_libm = true});
    run("%s -std=c99 -O2 -c net.c && nm -u net.o >undefined && ! grep -vwE 'U (memset|memcpy|__stack_chk_fail)' undefined",
        TAPLINE_CC);
}

/* The static array takes at most the memory that the library needs to run the network. */
static void given_each_architecture_when_exported_then_ram_is_bounded(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof architectures / sizeof *architectures; i++) {
        if (!full && architectures[i].large) continue;
        tl_error error = {0};
        tl_c_export_result result;
        char stated[100];
        tl_model *model = tl_model_new(&(tl_model_cfg){.threads = 1});
        const tl_node output = architectures[i].build(model, tl_input(model, architectures[i].shape), 3);
        tl_model_compile(model, output, &(tl_compile_cfg){.batch = 1, .inference_only = true}, &error);
        tl_c_export(model, path_of("net.c"), NULL, &result, &error);
        check_ok(&error);
        if (result.memory_bytes > tl_model_memory(model))
            fail_msg("%s: %zu bytes; the library takes %zu", architectures[i].name, result.memory_bytes, tl_model_memory(model));
        snprintf(stated, sizeof stated, "Constants: %zu bytes of flash. Static array: %zu bytes", result.constant_bytes,
                 result.memory_bytes);
        char *text = text_of("net.c");
        assert_non_null(strstr(text, stated));
        free(text);
        tl_model_free(model);
    }
}

static void given_names_that_c_does_not_allow_when_exported_then_refused(void **state) {
    (void)state;
    static const char *const names[] = {"2net", "my-net", "", "n\xc3\xa9t"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        tl_error error = {0};
        tl_model *model = small_made(TL_LOSS_CROSS_ENTROPY);
        tl_c_export(model, path_of("net.c"), &(tl_c_export_cfg){.name = names[i]}, NULL, &error);
        check_error(&error, TL_ERROR_ARGUMENT, "is no identifier");
        tl_model_free(model);
    }
}

static void given_a_folder_that_is_missing_when_exported_then_it_fails(void **state) {
    (void)state;
    tl_error error = {0};
    tl_model *model = small_made(TL_LOSS_CROSS_ENTROPY);
    tl_c_export(model, path_of("nowhere/net.c"), NULL, NULL, &error);
    check_error(&error, TL_ERROR_FILE, "nowhere");
    tl_model_free(model);
}

static void own_setup(tl_layer *layer, tl_error *error) {
    (void)layer;
    (void)error;
}
static void own_forward(const tl_layer *layer, const tl_pass *pass) {
    (void)layer;
    (void)pass;
}

static void given_a_layer_of_the_user_when_exported_then_it_is_refused(void **state) {
    (void)state;
    static const tl_layer_ops ops = {.name = "mine", .size = sizeof(tl_layer), .setup = own_setup, .forward = own_forward};
    tl_error error = {0};
    tl_model *model = tl_model_new(NULL);
    const tl_node x = tl_input(model, (tl_shape){.length = 4, .channels = 1}),
                  y = tl_layer_add(model, &x, 1, &(tl_layer){.ops = &ops});
    tl_model_compile(model, y, &(tl_compile_cfg){.inference_only = true, .batch = 1}, &error);
    check_ok(&error);
    tl_c_export(model, path_of("net.c"), NULL, NULL, &error);
    check_error(&error, TL_ERROR_ARGUMENT, "mine");
    tl_model_free(model);
}

int main(int argc, char **argv) {
    full = argc > 1 && strcmp(argv[1], "full") == 0;
    if (!mkdtemp(folder)) return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(given_each_layer_when_exported_then_c_computes_the_same),
        cmocka_unit_test(given_each_architecture_when_exported_then_c_computes_the_same),
        cmocka_unit_test(given_each_kind_of_rocket_when_exported_then_the_same_features),
        cmocka_unit_test(given_each_kind_of_rocket_when_exported_then_sizes_are_stated),
        cmocka_unit_test(given_a_solved_network_when_exported_then_the_same_classes),
        cmocka_unit_test(given_nothing_drawn_or_a_stream_when_exported_then_refused),
        cmocka_unit_test(given_each_layer_when_streamed_then_c_gives_the_stream_s_outputs),
        cmocka_unit_test(given_a_scaling_when_exported_then_c_scales_the_series),
        cmocka_unit_test(given_each_loss_when_exported_then_c_predicts_the_same),
        cmocka_unit_test(given_an_embedding_when_exported_then_c_finds_the_rows),
        cmocka_unit_test(given_class_names_when_a_program_uses_them_then_it_builds),
        cmocka_unit_test(given_its_test_program_when_built_then_it_finds_a_wrong_weight),
        cmocka_unit_test(given_an_object_when_exported_then_it_calls_only_libm),
        cmocka_unit_test(given_each_architecture_when_exported_then_ram_is_bounded),
        cmocka_unit_test(given_names_that_c_does_not_allow_when_exported_then_refused),
        cmocka_unit_test(given_a_folder_that_is_missing_when_exported_then_it_fails),
        cmocka_unit_test(given_a_layer_of_the_user_when_exported_then_it_is_refused),
    };
    const int failed = check_run(tests);
    if (!failed) run("rm -rf %s", folder);
    return failed;
}
