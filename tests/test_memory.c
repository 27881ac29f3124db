/* Memory: a step allocates nothing, and every failing allocation leaves an error and no leak. The library's allocations go through
 * this file (the linker's --wrap, see CMakeLists.txt), which counts them and makes them fail. */
#include "files.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- counting and failing ---- */

static size_t calls;   /* allocations since the count was set to 0 */
static size_t failing; /* the first one that fails; 0: none */
static bool for_good;  /* all after it fail too */
static long alive;     /* allocations less releases */

static bool fails(void) {
    calls++;
    return failing != 0 && (calls == failing || (for_good && calls > failing));
}

static void *counted(void *memory) {
    alive += memory != NULL;
    return memory;
}

// NOLINTBEGIN(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp): the linker's names
void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *memory, size_t size);
void *__real_aligned_alloc(size_t alignment, size_t size);
char *__real_strdup(const char *text);
char *__real_strndup(const char *text, size_t size);
void __real_free(void *memory);

void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *memory, size_t size);
void *__wrap_aligned_alloc(size_t alignment, size_t size);
char *__wrap_strdup(const char *text);
char *__wrap_strndup(const char *text, size_t size);
void __wrap_free(void *memory);

void *__wrap_malloc(size_t size) { return fails() ? NULL : counted(__real_malloc(size)); }
void *__wrap_calloc(size_t count, size_t size) { return fails() ? NULL : counted(__real_calloc(count, size)); }
void *__wrap_aligned_alloc(size_t alignment, size_t size) {
    return fails() ? NULL : counted(__real_aligned_alloc(alignment, size));
}
char *__wrap_strdup(const char *text) { return fails() ? NULL : counted(__real_strdup(text)); }
char *__wrap_strndup(const char *text, size_t size) { return fails() ? NULL : counted(__real_strndup(text, size)); }

void *__wrap_realloc(void *memory, size_t size) {
    if (fails()) return NULL;
    return memory ? __real_realloc(memory, size) : counted(__real_realloc(memory, size));
}

void __wrap_free(void *memory) {
    alive -= memory != NULL;
    __real_free(memory);
}

// NOLINTEND(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp)

/* ---- a model with every layer that computes ---- */

enum { SERIES = 6, LENGTH = 24, BATCH = 4 };

static tl_node convolve(tl_model *m, tl_node x, tl_engine engine) {
    return tl_conv1d(m, x, &(tl_conv1d_cfg){.filters = 12, .kernel = 5, .padding = TL_PADDING_SAME, .engine = engine});
}

static tl_node all_layers(tl_model *m) {
    tl_node x = tl_input(m, (tl_shape){LENGTH, 2});
    for (int engine = TL_ENGINE_AUTO; tl_engine_name((tl_engine)engine); engine++) x = convolve(m, x, (tl_engine)engine);
    x = tl_relu(m, tl_batch_norm(m, x, NULL));
    x = tl_add(m, (const tl_node[]){x, tl_sigmoid(m, x), tl_tanh(m, x)}, 3);
    x = tl_concat(
        m, (const tl_node[]){tl_max_pool(m, x, &(tl_pool_cfg){.window = 2}), tl_average_pool(m, x, &(tl_pool_cfg){.window = 2})},
        2);
    x = tl_dropout(m, tl_softmax(m, x), &(tl_dropout_cfg){.rate = 0.1});
    x = tl_concat(m, (const tl_node[]){tl_global_average_pool(m, x), tl_last_step(m, x)}, 2);
    return tl_dense(m, tl_flatten(m, x), &(tl_dense_cfg){.units = 2});
}

static tl_real values[SERIES * LENGTH * 2];
static int32_t labels[SERIES] = {0, 1, 0, 1, 0, 1};
static const tl_dataset data = {.x = {.data = values, .rank = 3, .shape = {SERIES, LENGTH, 2}}, .labels = labels, .classes = 2};

static void given_a_compiled_model_when_it_takes_steps_then_nothing_is_allocated(void **unused) {
    (void)unused;
    fill_normal(values, SERIES * LENGTH * 2, 1);
    for (int optimizer = 0; optimizer < 2; optimizer++) {
        tl_error error = {0};
        const tl_compile_cfg cfg = {
            .batch = BATCH, .clip_norm = 1, .optimizer = {.ops = optimizer ? tl_sgd() : tl_adam(), .learning_rate = 1e-3}};
        tl_model *model = tl_model_new(&(tl_model_cfg){.threads = 2});
        tl_model_compile(model, all_layers(model), &cfg, &error);
        check_ok(&error);
        const size_t before = calls;
        for (size_t batch = BATCH; batch > 1; batch--) {
            const tl_tensor x = tl_tensor_slice(&data.x, 0, batch);
            tl_forward(model, &x, TL_MODE_TRAINING);
            tl_loss(model, &(tl_target){.labels = labels});
            tl_backward(model);
            tl_step(model, &error);
            tl_forward(model, &x, TL_MODE_INFERENCE);
            tl_loss(model, &(tl_target){.labels = labels});
        }
        check_ok(&error);
        check_ok(tl_model_error(model));
        assert_int_equal(calls, before);
        tl_model_free(model);
    }
}

/* ---- every allocation fails, once or for good ---- */

static void train_and_use(tl_error *error) {
    tl_model *model = tl_model_new(&(tl_model_cfg){.threads = 1});
    tl_metrics metrics;
    tl_model_compile(model, all_layers(model), &(tl_compile_cfg){.batch = BATCH}, error);
    const tl_fit_cfg cfg = {.epochs = 2, .restore_best = true, .augment.mixup = 0.2};
    tl_rate_curve *curve = tl_rate_curve_new(error);
    tl_find_learning_rate(model, &data, &cfg, &(tl_rate_range){.steps = 10}, curve, error);
    tl_fit(model, &data, &cfg, NULL, error);
    tl_evaluate(model, &data, &metrics, error);
    tl_rate_curve_free(curve);
    tl_model_free(model);
}

static void average(tl_error *error) {
    tl_metrics metrics;
    tl_ensemble *ensemble = tl_ensemble_new(&data, error);
    tl_model *model = tl_model_new(&(tl_model_cfg){.threads = 1});
    tl_model_compile(model, all_layers(model), &(tl_compile_cfg){.inference_only = true, .class_weights = (double[]){1, 2}}, error);
    for (int i = 0; i < 2; i++) tl_ensemble_add(ensemble, model, error);
    tl_ensemble_evaluate(ensemble, &metrics, error);
    tl_ensemble_free(ensemble);
    tl_model_free(model);
}

static void read_builtin(tl_error *error) { tl_dataset_free(tl_dataset_read("builtin:synthetic-control", NULL, error)); }

static void take_folds(tl_error *error) {
    tl_dataset *all = tl_dataset_builtin("cbf", TL_SPLIT_TRAIN, 1, error), *rest = NULL, *held_out = NULL;
    if (all) tl_dataset_fold(all, 3, 1, 1, &rest, &held_out, error);
    tl_dataset_free(rest);
    tl_dataset_free(held_out);
    tl_dataset_free(all);
}

static void read_files(tl_error *error) {
    char name[] = "/tmp/tapline-test-XXXXXX.csv";
    const int file = mkstemps(name, 4);
    static const char text[] = "a,1,2\nb,3,4\nc,5,6\n";
    assert_int_equal(write(file, text, sizeof text - 1), sizeof text - 1);
    close(file);
    tl_dataset *train = tl_dataset_read(name, NULL, error);
    tl_dataset_free(tl_dataset_read(name, &(tl_read_cfg){.reference = train}, error));
    tl_dataset_free(train);
    remove(name);
}

/* Memory of the JSON library, which fails while JSON is written. Its parser (2.14) does not look whether it got what it asked for:
 * short of memory for a word, it takes another or aborts. */
static bool writing;

static void *json_memory(size_t size) { return writing && fails() ? NULL : counted(__real_malloc(size)); }

static void save_and_load(tl_error *error) {
    char name[] = "/tmp/tapline-test-XXXXXX";
    close(mkstemp(name));
    static char *class_names[] = {"a", "b"};
    const tl_dataset named = {.classes = 2, .class_names = class_names};
    tl_model_info info;
    tl_model *model = tl_model_new(NULL);
    const tl_node x = tl_input(model, (tl_shape){.length = 1, .channels = 3});
    tl_model_compile(model, tl_dense(model, x, &(tl_dense_cfg){.units = 2}), &(tl_compile_cfg){.batch = 1}, error);
    writing = true;
    if (!tl_failed(error)) tl_model_save(model, name, &(tl_save_cfg){.data = &named}, error);
    writing = false;
    tl_model_free(model);
    model = tl_failed(error) ? NULL : tl_model_load(name, NULL, &info, error);
    if (model) tl_model_info_release(&info);
    tl_model_free(model);
    remove(name);
}

/* Series of several lengths, padded; a line longer than the window it is read into; an archive. */
static void read_other_files(tl_error *error) {
    static const char unequal[] = "@equalLength false\n@classLabel true a\n@data\n1,2:a\n3:a\n";
    static char line[2 + 2 * 70000] = "a";
    for (size_t i = 1; i + 1 < sizeof line; i += 2) line[i] = ',', line[i + 1] = '1';
    files_write("a.ts", unequal, sizeof unequal - 1);
    files_write("a.csv", line, sizeof line - 1);
    files_write("a.npz", files_archive, FILES_ARCHIVE);
    tl_dataset *series = tl_dataset_read(files_path("a.ts"), NULL, error);
    tl_dataset *whole = tl_dataset_read(files_path("a.csv"), NULL, error);
    tl_dataset_free(tl_dataset_read(files_path("a.npz"), NULL, error));
    if (series) tl_dataset_pad(series, 4, error);
    if (whole) tl_dataset_pad(whole, 70001, error);
    if (series) tl_dataset_free(tl_dataset_take(series, (const uint32_t[]){1}, 1, error));
    tl_dataset_free(series);
    tl_dataset_free(whole);
    remove(files_path("a.ts"));
    remove(files_path("a.csv"));
    remove(files_path("a.npz"));
}

/* A folder of an array and tables, and a record of PhysioNet. */
static void read_binary_files(tl_error *error) {
    static const char array[] = "\x93NUMPY\1\0\x38\0{'descr': '|i1', 'fortran_order': False, 'shape': (2,)} \1\2";
    static const char *const names[] = {"calm/a.npy", "busy/a.csv", "r.hea", "r.dat", "r.atr", "calm", "busy"};
    mkdir(files_path("calm"), 0700);
    mkdir(files_path("busy"), 0700);
    files_write(names[0], array, sizeof array - 1);
    files_write(names[1], "1\n2\n", 4);
    files_write(names[2], "r 1\nr.dat 16\n", 13);
    files_write(names[3], "\1\0\2\0\3", 6);
    files_write(names[4], "\1\4\0", 4);
    tl_dataset_free(tl_dataset_read(files_path("."), NULL, error));
    tl_dataset_free(tl_dataset_read(files_path("r.hea"), &(tl_read_cfg){.segment = 2}, error));
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) remove(files_path(names[i]));
}

static void save_and_resume(tl_error *error) {
    char name[] = "/tmp/tapline-test-XXXXXX";
    close(mkstemp(name));
    tl_fit_cfg cfg = {.epochs = 1, .restore_best = true, .checkpoint = name};
    for (int again = 0; again < 2; again++) {
        tl_model *model = tl_model_new(&(tl_model_cfg){.threads = 1});
        const tl_node x = tl_input(model, (tl_shape){LENGTH, 2});
        tl_model_compile(model, tl_dense(model, tl_flatten(model, x), &(tl_dense_cfg){.units = 2}),
                         &(tl_compile_cfg){.batch = BATCH}, error);
        writing = !again;
        tl_fit(model, &data, &cfg, NULL, error);
        writing = false;
        tl_model_free(model);
        cfg.resume = name;
        cfg.epochs = 2;
    }
    remove(name);
}

/* Weights as PyTorch has them, out by the names of layers and in by a map. */
static void exchange_weights(tl_error *error) {
    static const char map[] = "{\"conv1d_1\": \"conv1d_1\", \"dense_1\": \"dense_1\"}";
    tl_model *model = tl_model_new(&(tl_model_cfg){.threads = 1});
    const tl_node x = tl_input(model, (tl_shape){LENGTH, 2}), y = convolve(model, x, TL_ENGINE_AUTO);
    tl_model_compile(model, tl_dense(model, tl_flatten(model, y), &(tl_dense_cfg){.units = 2}),
                     &(tl_compile_cfg){.batch = 1, .inference_only = true}, error);
    files_write("map.json", map, sizeof map - 1);
    writing = true;
    tl_weights_export(model, files_path("weights"), NULL, error);
    writing = false;
    tl_weights_import(model, files_path("weights"), &(tl_weights_cfg){.map = files_path("map.json")}, error);
    tl_model_free(model);
    remove(files_path("weights"));
    remove(files_path("map.json"));
}

static void log_epochs(tl_error *error) {
    char name[] = "/tmp/tapline-test-XXXXXX";
    close(mkstemp(name));
    tl_csv_log_close(tl_csv_log_new(name, false, error), error);
    remove(name);
}

static void plan(tl_error *error) {
    const tl_conv1d_spec spec = {.batch = 2, .length = 9, .channels = 3, .filters = 4, .kernel = 3, .stride = 1, .dilation = 1};
    tl_conv1d_plan_free(tl_conv1d_plan_new(&spec, error));
}

static void given_any_allocation_that_fails_then_an_error_and_nothing_left_behind(void **unused) {
    (void)unused;
    static const struct {
        const char *name;
        void (*run)(tl_error *error);
        size_t minimum; /* allocations that it makes */
    } uses[] = {{"training", train_and_use, 30},
                {"ensembles", average, 30},
                {"generated data", read_builtin, 5},
                {"folds", take_folds, 15},
                {"files", read_files, 10},
                {"padded series and archives", read_other_files, 20},
                {"folders and records", read_binary_files, 30},
                {"a plan", plan, 2},
                {"a log", log_epochs, 2},
                {"model files", save_and_load, 100},
                {"checkpoints", save_and_resume, 500},
                {"weights", exchange_weights, 60}};
    for (size_t u = 0; u < sizeof uses / sizeof *uses; u++) {
        for (int good = 0; good < 2; good++) {
            size_t at = 0;
            for (bool whole = false; !whole;) {
                tl_error error = {0};
                const long before = alive;
                calls = 0, failing = ++at, for_good = good;
                uses[u].run(&error);
                whole = calls < at; /* nothing failed any more */
                failing = 0;
                if (alive != before) fail_msg("%s: %ld allocations left after number %zu failed", uses[u].name, alive - before, at);
                if (whole)
                    check_ok(&error);
                else
                    check_error(&error, TL_ERROR_MEMORY, "memory");
            }
            assert_true(at > uses[u].minimum);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(given_a_compiled_model_when_it_takes_steps_then_nothing_is_allocated),
        cmocka_unit_test(given_any_allocation_that_fails_then_an_error_and_nothing_left_behind),
    };
    json_set_alloc_funcs(json_memory, free);
    return cmocka_run_group_tests(tests, files_setup, files_teardown) != 0;
}
