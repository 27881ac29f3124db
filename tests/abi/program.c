/* A program with the headers of an earlier version (tests/abi/include), run with the current library. Its configurations end at the
 * end of a page, after which nothing can be read: a library whose structs have grown must not read beyond them. */
#include <tapline/tapline.h>

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static tl_error error;
static int failed;

/* A copy that ends at the end of readable memory. */
static void *at_edge(const void *value, size_t size) {
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    unsigned char *pages = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (pages == MAP_FAILED || mprotect(pages + page, page, PROT_NONE) != 0) return NULL;
    return memcpy(pages + page - size, value, size);
}

#define EDGE(type, ...) ((type *)at_edge(&(type)__VA_ARGS__, sizeof(type)))

static void expect(const char *what, int holds) {
    if (holds && !tl_failed(&error)) return;
    fprintf(stderr, "abi: %s: %s\n", what, tl_failed(&error) ? error.text : "is not so");
    failed = 1;
    error = (tl_error){0};
}

enum { SERIES = 12, LENGTH = 16, CLASSES = 2 };

static tl_real x[SERIES * LENGTH];
static int32_t labels[SERIES];
static tl_dataset *data;

static void make_data(void) {
    for (int i = 0; i < SERIES * LENGTH; i++) x[i] = (tl_real)(i * 37 % 11) / 5 - 1 + (tl_real)(i / LENGTH % CLASSES);
    for (int i = 0; i < SERIES; i++) labels[i] = i % CLASSES;
    data = EDGE(tl_dataset, {.x = TL_VIEW(x, SERIES, LENGTH, 1), .labels = labels, .classes = CLASSES});
}

/* Every builder that takes a configuration. */
static tl_node layers(tl_model *m) {
    tl_node h = tl_input(m, (tl_shape){.length = LENGTH, .channels = 1});
    h = tl_conv1d(m, h, EDGE(tl_conv1d_cfg, {.filters = 4, .kernel = 3, .padding = TL_PADDING_SAME}));
    h = tl_batch_norm(m, h, EDGE(tl_batch_norm_cfg, {.momentum = 0.9}));
    h = tl_leaky_relu(m, h, EDGE(tl_leaky_relu_cfg, {.slope = 0.1}));
    h = tl_max_pool(m, h, EDGE(tl_pool_cfg, {.window = 2}));
    h = tl_conv1d_transpose(m, h, EDGE(tl_conv1d_transpose_cfg, {.filters = 4, .kernel = 2, .stride = 2}));
    h = tl_layer_norm(m, h, EDGE(tl_layer_norm_cfg, {0}));
    h = tl_elu(m, h, EDGE(tl_elu_cfg, {0}));
    h = tl_average_pool(m, h, EDGE(tl_pool_cfg, {.window = 2}));
    h = tl_upsample(m, h, EDGE(tl_upsample_cfg, {.factor = 2}));
    h = tl_group_norm(m, h, EDGE(tl_group_norm_cfg, {.groups = 2}));
    h = tl_gelu(m, h, EDGE(tl_gelu_cfg, {0}));
    h = tl_affine(m, h, EDGE(tl_affine_cfg, {.scale = 2}));
    h = tl_dropout(m, h, EDGE(tl_dropout_cfg, {.rate = 0.1}));
    return tl_dense(m, tl_global_average_pool(m, h), EDGE(tl_dense_cfg, {.units = CLASSES}));
}

static tl_model *train(void) {
    tl_metrics metrics;
    tl_fit_result *result = EDGE(tl_fit_result, {0});
    tl_model *model = tl_model_new(EDGE(tl_model_cfg, {.seed = 3, .threads = 1}));
    tl_model_compile(model, layers(model), EDGE(tl_compile_cfg, {.batch = 4, .optimizer = {.learning_rate = 0.01}, .clip_norm = 1}),
                     &error);
    tl_set_group(model, (tl_node){1}, EDGE(tl_group_cfg, {.rate = 0.5}));
    expect("compiled", tl_model_batch(model) == 4 && tl_learning_rate(model) == 0.01);
    tl_fit(model, data,
           EDGE(tl_fit_cfg, {.epochs = 3,
                             .schedule = {.kind = TL_SCHEDULE_STEP, .factor = 0.5, .period = 2},
                             .augment = {.jitter = 0.01},
                             .restore_best = true}),
           result, &error);
    expect("trained for three epochs of three steps", result->epochs == 3 && result->steps == 9 && result->best_epoch > 0);
    expect("the rate of the schedule", tl_learning_rate(model) == 0.005);
    tl_evaluate(model, data, &metrics, &error);
    expect("evaluated", metrics.loss > 0 && metrics.accuracy >= 0);
    tl_forward(model, &data->x, TL_MODE_INFERENCE);
    expect("a batch that is too large is an error of the model", tl_failed(tl_model_error(model)));
    tl_model_clear_error(model);
    return model;
}

static void save_and_load(tl_model *model, const char *path) {
    tl_real before[SERIES * CLASSES], after[SERIES * CLASSES];
    tl_tensor y = TL_VIEW(before, SERIES, 1, CLASSES), again = TL_VIEW(after, SERIES, 1, CLASSES);
    tl_model_info *info = EDGE(tl_model_info, {0});
    tl_model_save(model, path, EDGE(tl_save_cfg, {.data = data, .read = EDGE(tl_read_cfg, {.window = 16})}), &error);
    tl_model *loaded = tl_model_load(
        path, EDGE(tl_load_cfg, {.threads = 1, .compile = {.batch = 5, .optimizer = {.learning_rate = 0.25}}}), info, &error);
    expect("loaded", loaded && tl_model_batch(loaded) == 5 && tl_learning_rate(loaded) == 0.25);
    expect("what the file says", info->bytes > 0 && info->read.window == 16 && strcmp(info->version, tl_version()) == 0);
    tl_predict(model, &data->x, NULL, &y, &error);
    tl_predict(loaded, &data->x, NULL, &again, &error);
    // NOLINTNEXTLINE(bugprone-suspicious-memory-comparison,cert-exp42-c,cert-flp37-c): bits are compared
    expect("the same predictions", memcmp(before, after, sizeof before) == 0);
    tl_model_info_release(info);
    tl_model_free(loaded);
}

static void in_memory(const tl_model *model) {
    size_t size = 0;
    void *bytes = tl_model_write(model, &size, EDGE(tl_save_cfg, {0}), &error);
    tl_model *inner =
        tl_model_parse(bytes, size, EDGE(tl_load_cfg, {.output = "global_average_pool_1", .compile = {.batch = 3}}), NULL, &error);
    expect("an inner layer", inner && tl_output_shape(inner).channels == 4 && tl_model_batch(inner) == 3);
    tl_model_free(inner);
    free(bytes);
}

static void advanced_calls(void) {
    tl_conv1d_plan *plan = tl_conv1d_plan_new(
        EDGE(tl_conv1d_spec,
             {.batch = 1, .length = 8, .channels = 1, .filters = 2, .kernel = 3, .stride = 1, .dilation = 1, .threads = 1}),
        &error);
    expect("a plan", plan && tl_conv1d_out_length(plan) == 6);
    tl_conv1d_plan_free(plan);
    tl_gradient_report *report = EDGE(tl_gradient_report, {0});
    tl_model *model = tl_model_new(NULL);
    const tl_node x = tl_input(model, (tl_shape){.length = LENGTH, .channels = 1});
    const tl_node y = tl_dense(model, tl_global_average_pool(model, x), EDGE(tl_dense_cfg, {.units = CLASSES}));
    tl_model_compile(model, y, EDGE(tl_compile_cfg, {.batch = 4, .input_gradient = true}), &error);
    const tl_tensor few = tl_tensor_slice(&data->x, 0, 4);
    tl_check_gradients(model, &few, EDGE(tl_target, {.labels = labels}), report, &error);
    expect("gradients", report->compared == 4 * LENGTH + 2 * CLASSES);
    tl_model_free(model);
}

static void other_calls(tl_model *model) {
    tl_schedule *schedule = tl_schedule_new(EDGE(tl_schedule_cfg, {.kind = TL_SCHEDULE_COSINE}), 0.1, 10, &error);
    expect("a schedule", schedule && tl_schedule_rate(schedule) == 0.1);
    tl_rate_curve *curve = tl_rate_curve_new(&error);
    tl_find_learning_rate(model, data, EDGE(tl_fit_cfg, {.batch = 4}), EDGE(tl_rate_range, {.steps = 12}), curve, &error);
    expect("rates", tl_rate_curve_count(curve) > 0 && tl_rate_curve_count(curve) <= 12);
    tl_dataset *read = tl_dataset_read("builtin:cbf", EDGE(tl_read_cfg, {.normalize = TL_NORMALIZE_NONE}), &error);
    expect("read", read && read->x.shape[0] == 30);
    const tl_tensor few = tl_tensor_slice(&data->x, 0, 4);
    tl_forward(model, &few, TL_MODE_TRAINING);
    expect("a loss", tl_loss(model, EDGE(tl_target, {.labels = labels})) > 0);
    expect("a version", strlen(tl_version()) > 0);
    tl_dataset_free(read);
    tl_rate_curve_free(curve);
    tl_schedule_free(schedule);
}

int main(int count, char **argument) {
    if (count != 2) return fprintf(stderr, "usage: program FILE\n"), 2;
    make_data();
    tl_model *model = train();
    save_and_load(model, argument[1]);
    in_memory(model);
    other_calls(model);
    advanced_calls();
    tl_model_free(model);
    if (!failed) printf("abi: runs with tapline %s\n", tl_version());
    return failed;
}
