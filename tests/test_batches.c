/* Series that are not in memory: the results are the bits of the same series in memory, for batches of a program and for files. */
#include "files.h"

#include <tapline/ensemble.h>
#include <tapline/ridge.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SERIES = 30, LENGTH = 12, CHANNELS = 2, EACH = LENGTH * CHANNELS, CLASSES = 3, LONG_ORDER = 400, STEPS = 2048 };

static tl_real series[SERIES * EACH];
static int32_t labels[SERIES];
static size_t lengths[SERIES];

static void make_series(void) {
    fill_normal(series, SERIES * EACH, 1);
    for (size_t i = 0; i < SERIES; i++) {
        labels[i] = (int32_t)(i % CLASSES);
        lengths[i] = LENGTH - i % 3;
        for (size_t k = 0; k < EACH; k++) {
            series[i * EACH + k] = 3 * series[i * EACH + k] + (tl_real)(100 * (k % CHANNELS)) + (tl_real)labels[i];
            if (k >= lengths[i] * CHANNELS) series[i * EACH + k] = 0;
        }
    }
}

/* ---- batches of a program ---- */

typedef struct source {
    int calls, fails_at; /* the call that fails, from 1; 0: none */
    int released;
} source;

static tl_status fill(void *user, const uint32_t *index, size_t count, tl_real *x, tl_error *error) {
    source *self = user;
    if (++self->calls == self->fails_at) return tl_fail(error, TL_ERROR_FILE, "no tape");
    for (size_t i = 0; i < count; i++) memcpy(x + i * EACH, series + index[i] * EACH, EACH * sizeof *x);
    return TL_OK;
}

static void release(void *user) { ((source *)user)->released++; }

static tl_dataset in_memory(tl_real *copy) {
    memcpy(copy, series, sizeof series);
    return (tl_dataset){.x = TL_VIEW(copy, SERIES, LENGTH, CHANNELS), .lengths = lengths, .labels = labels, .classes = CLASSES};
}

static tl_dataset by_batch(source *from) {
    return (tl_dataset){.x = {.rank = 3, .shape = {SERIES, LENGTH, CHANNELS}},
                        .lengths = lengths,
                        .labels = labels,
                        .classes = CLASSES,
                        .batches = {.fill = fill, .user = from}};
}

static tl_model *make_model(void) {
    tl_error error = {0};
    tl_model *m = tl_model_new(&(tl_model_cfg){.seed = 4, .threads = 1});
    tl_node x = tl_conv1d(m, tl_input(m, (tl_shape){LENGTH, CHANNELS}), &(tl_conv1d_cfg){.filters = 4, .kernel = 3});
    x = tl_dense(m, tl_global_average_pool(m, tl_relu(m, tl_batch_norm(m, x, NULL))), &(tl_dense_cfg){.units = CLASSES});
    tl_model_compile(m, x, &(tl_compile_cfg){.batch = 8, .optimizer = {.ops = tl_sgd(), .learning_rate = 0.01}}, &error);
    check_ok(&error);
    return m;
}

static void check_metrics(const tl_metrics *actual, const tl_metrics *expected) {
    check_number("loss", actual->loss, expected->loss, 0, 0);
    check_number("accuracy", actual->accuracy, expected->accuracy, 0, 0);
    check_number("auroc", actual->auroc, expected->auroc, 0, 0);
}

/* Trains, then all that is done with a trained model. */
static void check_alike(const tl_dataset *batched, const tl_dataset *data) {
    tl_error error = {0};
    tl_metrics metrics[2];
    size_t counts[2][CLASSES * CLASSES];
    tl_model *model[] = {make_model(), make_model()};
    const tl_dataset *const sets[] = {batched, data};
    for (size_t i = 0; i < 2; i++) {
        const tl_fit_cfg cfg = {.epochs = 3, .validation = sets[i], .restore_best = true, .augment = {.jitter = 0.1}};
        tl_fit(model[i], sets[i], &cfg, NULL, &error);
        tl_evaluate(model[i], sets[i], &metrics[i], &error);
        tl_confusion(model[i], sets[i], counts[i], &error);
        check_ok(&error);
    }
    check_parameters(model[0], model[1], 0, 0);
    check_metrics(&metrics[0], &metrics[1]);
    assert_memory_equal(counts[0], counts[1], sizeof counts[0]);
    for (size_t i = 0; i < 2; i++) {
        tl_ensemble *ensemble = tl_ensemble_new(sets[i], &error);
        tl_fit_ridge(model[i], sets[i], NULL, NULL, &error);
        tl_ensemble_add(ensemble, model[i], &error);
        tl_ensemble_evaluate(ensemble, &metrics[i], &error);
        check_ok(&error);
        tl_ensemble_free(ensemble);
    }
    check_parameters(model[0], model[1], 0, 0);
    check_metrics(&metrics[0], &metrics[1]);
    for (size_t i = 0; i < 2; i++) tl_model_free(model[i]);
}

static void given_batches_of_a_program_when_used_then_as_in_memory(void **unused) {
    (void)unused;
    tl_real copy[SERIES * EACH];
    source from = {0};
    const tl_dataset data = in_memory(copy), batched = by_batch(&from);
    check_alike(&batched, &data);
}

/* Compares some series that are read at once, from the last one to the first, and every one twice. */
static void check_order(const tl_dataset *batched, const tl_dataset *data, size_t hop) {
    tl_error error = {0};
    const size_t each = data->x.shape[1] * data->x.shape[2], count = 2 * ((data->x.shape[0] - 1) / hop + 1);
    tl_real *x = calloc(count * each, sizeof *x), *expected = calloc(count * each, sizeof *x);
    uint32_t *index = calloc(count, sizeof *index);
    assert_true(x && expected && index);
    for (size_t i = 0; i < count; i++) index[i] = (uint32_t)((count - 1 - i) / 2 * hop);
    tl_dataset_series(batched, index, count, x, &error);
    tl_dataset_series(data, index, count, expected, &error);
    check_ok(&error);
    check_equal("series", x, expected, count * each);
    free(x);
    free(expected);
    free(index);
}

/* Compares all series, and the statistics. */
static void check_same_series(const tl_dataset *batched, const tl_dataset *data) {
    tl_error error = {0};
    const size_t count = data->x.shape[0], each = data->x.shape[1] * data->x.shape[2];
    tl_real *x = calloc(count * each, sizeof *x);
    assert_non_null(x);
    assert_true(batched->batches.fill && !data->batches.fill);
    assert_memory_equal(batched->x.shape, data->x.shape, sizeof data->x.shape);
    for (uint32_t i = 0; i < count; i++) {
        const uint32_t index = (uint32_t)count - 1 - i;
        tl_dataset_series(batched, &index, 1, x + index * each, &error);
    }
    check_ok(&error);
    check_equal("series", x, data->x.data, count * each);
    check_order(batched, data, 7);
    check_order(batched, data, 1);
    assert_int_equal(batched->scaling.kind, data->scaling.kind);
    for (size_t c = 0; data->scaling.mean && c < data->x.shape[2]; c++) {
        check_number("mean", batched->scaling.mean[c], data->scaling.mean[c], 0, 0);
        check_number("deviation", batched->scaling.deviation[c], data->scaling.deviation[c], 0, 0);
    }
    free(x);
}

static void given_batches_of_a_program_when_scaled_and_back_then_as_in_memory(void **unused) {
    (void)unused;
    tl_error error = {0};
    double mean[] = {1, 90}, deviation[] = {2, 5};
    const tl_dataset reference = {.x = TL_VIEW(series, 1, 1, CHANNELS), .scaling = {TL_NORMALIZE_SET, mean, deviation}};
    const struct {
        tl_normalization how[2];
        const tl_dataset *reference;
    } cases[] = {{{TL_NORMALIZE_SET, TL_NORMALIZE_NONE}, NULL},
                 {{TL_NORMALIZE_SET, TL_NORMALIZE_DEFAULT}, &reference},
                 {{TL_NORMALIZE_SET, TL_NORMALIZE_SET}, NULL},
                 {{TL_NORMALIZE_NONE, TL_NORMALIZE_SERIES}, NULL},
                 {{TL_NORMALIZE_SET, TL_NORMALIZE_SERIES}, NULL}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tl_real copy[SERIES * EACH];
        source from = {0};
        tl_dataset data = in_memory(copy), batched = by_batch(&from);
        for (size_t k = 0; k < 2; k++) {
            const tl_dataset *of = k == 1 ? cases[i].reference : NULL;
            tl_dataset_scale(&data, cases[i].how[k], of, &error);
            tl_dataset_scale(&batched, cases[i].how[k], of, &error);
            check_ok(&error);
            check_same_series(&batched, &data);
        }
        tl_scaling_free(&data.scaling);
        tl_scaling_free(&batched.scaling);
        if (batched.batches.release) batched.batches.release(batched.batches.user);
    }
}

static void given_batches_when_some_series_are_taken_then_a_copy_in_memory(void **unused) {
    (void)unused;
    tl_error error = {0};
    source from = {0};
    const tl_dataset batched = by_batch(&from);
    tl_dataset *part = tl_dataset_take(&batched, (const uint32_t[]){7, 2}, 2, &error);
    check_ok(&error);
    check_equal("first", part->x.data, series + 7 * EACH, EACH);
    check_equal("second", part->x.data + EACH, series + 2 * EACH, EACH);
    assert_null(part->batches.fill);
    tl_dataset_free(part);
}

static void given_batches_when_a_part_is_taken_then_read_where_they_are(void **unused) {
    (void)unused;
    static const uint32_t index[] = {7, 2, 7, 29};
    tl_error error = {0};
    tl_real copy[SERIES * EACH];
    source from = {0};
    const tl_dataset batched = by_batch(&from), data = in_memory(copy);
    tl_dataset *part = tl_dataset_part(&batched, index, 4, &error), *expected = tl_dataset_part(&data, index, 4, &error);
    check_ok(&error);
    check_same_series(part, expected);
    assert_memory_equal(part->labels, expected->labels, 4 * sizeof *part->labels);
    assert_memory_equal(part->lengths, expected->lengths, 4 * sizeof *part->lengths);
    tl_dataset_free(part);
    tl_dataset_free(expected);
    assert_int_equal(from.released, 0);
}

static void fold_of(const tl_dataset *data, bool in_order, tl_dataset *parts[2]) {
    tl_error error = {0};
    if (in_order)
        tl_dataset_fold_in_order(data, 3, 1, &parts[0], &parts[1], &error);
    else
        tl_dataset_fold(data, 3, 1, 5, &parts[0], &parts[1], &error);
    check_ok(&error);
}

/* The held-out series are scaled by the statistics of the others. */
static void given_batches_when_folded_then_as_in_memory(void **unused) {
    (void)unused;
    for (int round = 0; round < 4; round++) {
        tl_error error = {0};
        tl_real copy[SERIES * EACH];
        source from = {0};
        tl_dataset data = in_memory(copy), batched = by_batch(&from), *parts[2], *expected[2];
        tl_dataset_scale(&data, round & 2 ? TL_NORMALIZE_SET : TL_NORMALIZE_SERIES, NULL, &error);
        tl_dataset_scale(&batched, round & 2 ? TL_NORMALIZE_SET : TL_NORMALIZE_SERIES, NULL, &error);
        check_ok(&error);
        fold_of(&data, round & 1, expected);
        fold_of(&batched, round & 1, parts);
        for (size_t i = 0; i < 2; i++) {
            check_same_series(parts[i], expected[i]);
            tl_dataset_free(parts[i]);
            tl_dataset_free(expected[i]);
        }
        tl_scaling_free(&data.scaling);
        tl_scaling_free(&batched.scaling);
        batched.batches.release(batched.batches.user);
    }
}

/* ---- what is refused ---- */

static void given_batches_when_all_series_would_be_copied_then_refused(void **unused) {
    (void)unused;
    source from = {0};
    tl_dataset batched = by_batch(&from);
    tl_error error = {0};
    tl_dataset_pad(&batched, LENGTH + 1, &error);
    check_error(&error, TL_ERROR_ARGUMENT, "padding: needs all series in memory");
    error = (tl_error){0};
    assert_null(tl_dataset_windows(&batched, &(tl_window_cfg){.length = 4}, &error));
    check_error(&error, TL_ERROR_ARGUMENT, "windows: the series are read by batch (tl_dataset.batches); let `fill` copy windows");
}

static void given_a_data_set_that_contradicts_itself_when_used_then_refused(void **unused) {
    (void)unused;
    source from = {0};
    tl_dataset batched = by_batch(&from);
    tl_error error = {0};
    tl_model *model = make_model();
    batched.x.data = series;
    tl_fit(model, &batched, NULL, NULL, &error);
    check_error(&error, TL_ERROR_ARGUMENT, "fit: the data set has both series in memory (x.data) and batches.fill");
    batched.x.data = NULL;
    batched.x.shape[2] = 0;
    error = (tl_error){0};
    tl_fit(model, &batched, NULL, NULL, &error);
    check_error(&error, TL_ERROR_SHAPE, "fit: x of the data set is (30, 12, 0); no axis may be 0");
    error = (tl_error){0};
    batched = by_batch(&from);
    tl_real x[EACH];
    tl_dataset_series(&batched, &(uint32_t){SERIES}, 1, x, &error);
    check_error(&error, TL_ERROR_ARGUMENT, "series: number 30 is outside 0 … 29");
    tl_model_free(model);
}

static void given_a_batch_that_cannot_be_filled_when_needed_then_its_error(void **unused) {
    (void)unused;
    for (int at = 1; at <= 5; at++) { /* the epoch, which is read ahead, the statistics, and batches of evaluation */
        source from = {.fails_at = at};
        const tl_dataset batched = by_batch(&from);
        tl_metrics metrics;
        tl_fit_result result;
        tl_error error = {0};
        tl_model *model = make_model();
        tl_fit(model, &batched, &(tl_fit_cfg){.keep_running = at % 2}, &result, &error);
        tl_evaluate(model, &batched, &metrics, &error);
        check_error(&error, TL_ERROR_FILE, "no tape");
        assert_true(result.steps == (at == 1 ? 0U : 4U));
        error = (tl_error){0};
        tl_evaluate(model, &batched, &metrics, &error); /* the model is as sound as before */
        check_ok(&error);
        tl_model_free(model);
    }
}

/* More series than are read ahead at once (8 kB each, 16 in f64). */
static tl_status fill_many(void *user, const uint32_t *index, size_t count, tl_real *x, tl_error *error) {
    source *self = user;
    (void)error;
    self->calls++;
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < STEPS; k++) x[i * STEPS + k] = (tl_real)((index[i] + k) % 7);
    return TL_OK;
}

static void given_many_series_when_trained_then_read_ahead_with_the_same_bits(void **unused) {
    (void)unused;
    static tl_real all[LONG_ORDER * STEPS];
    static int32_t many_labels[LONG_ORDER];
    tl_model *model[2];
    tl_error error = {0};
    uint32_t index[LONG_ORDER];
    source from = {0};
    for (uint32_t i = 0; i < LONG_ORDER; i++) many_labels[i] = (int32_t)(index[i] = i) % CLASSES;
    fill_many(&from, index, LONG_ORDER, all, &error);
    from.calls = 0;
    tl_dataset data = {.x = TL_VIEW(all, LONG_ORDER, STEPS, 1), .labels = many_labels, .classes = CLASSES};
    for (size_t i = 0; i < 2; i++) {
        model[i] = tl_model_new(&(tl_model_cfg){.threads = 1});
        tl_node x = tl_batch_norm(model[i], tl_input(model[i], (tl_shape){STEPS, 1}), NULL);
        x = tl_dense(model[i], tl_global_average_pool(model[i], x), &(tl_dense_cfg){.units = CLASSES});
        tl_model_compile(model[i], x, &(tl_compile_cfg){.batch = 10}, &error);
        tl_fit(model[i], &data, &(tl_fit_cfg){.epochs = 2}, NULL, &error);
        check_ok(&error);
        data.x.data = NULL;
        data.batches = (tl_batches){.fill = fill_many, .user = &from};
    }
    check_parameters(model[1], model[0], 0, 0);
    assert_in_range(from.calls, 2, LONG_ORDER / 10); /* of two epochs and the statistics, 3 * LONG_ORDER / 10 batches */
    for (size_t i = 0; i < 2; i++) tl_model_free(model[i]);
}

enum { SHORT = 64, SMALL_SERIES = 6000 }; /* 1.5 MB of floats */

static tl_status fill_small(void *user, const uint32_t *index, size_t count, tl_real *x, tl_error *error) {
    source *self = user;
    (void)error;
    self->calls++;
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < SHORT; k++) x[i * SHORT + k] = (tl_real)(index[i] * (k + 1) % 11);
    return TL_OK;
}

/* Two epochs and the statistics. */
static void fit_small(tl_model *model, const tl_dataset *data) {
    tl_error error = {0};
    tl_node x = tl_batch_norm(model, tl_input(model, (tl_shape){SHORT, 1}), NULL);
    x = tl_dense(model, tl_global_average_pool(model, x), &(tl_dense_cfg){.units = CLASSES});
    tl_model_compile(model, x, &(tl_compile_cfg){.batch = 50}, &error);
    tl_fit(model, data, &(tl_fit_cfg){.epochs = 2}, NULL, &error);
    check_ok(&error);
}

static void given_small_series_when_trained_then_read_ahead_as_far_as_allowed(void **unused) {
    (void)unused;
    enum { EACH_BYTES = SHORT * sizeof(tl_real) + 20 };
    static const struct {
        size_t read_ahead;
        int most; /* calls for each pass */
    } cases[] = {{0, SMALL_SERIES * EACH_BYTES / (1 << 20) + 1}, {EACH_BYTES * SMALL_SERIES / 3 * 2, 2}, {16 << 20, 1}};
    static tl_real all[SMALL_SERIES * SHORT];
    static int32_t labels_of[SMALL_SERIES];
    static uint32_t index[SMALL_SERIES];
    source from = {0};
    tl_error error = {0};
    for (uint32_t i = 0; i < SMALL_SERIES; i++) labels_of[i] = (int32_t)(index[i] = i) % CLASSES;
    fill_small(&from, index, SMALL_SERIES, all, &error);
    const tl_dataset data = {.x = TL_VIEW(all, SMALL_SERIES, SHORT, 1), .labels = labels_of, .classes = CLASSES};
    tl_model *expected = tl_model_new(&(tl_model_cfg){.threads = 1});
    fit_small(expected, &data);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tl_model *model = tl_model_new(&(tl_model_cfg){.threads = 1});
        tl_dataset batched = data;
        batched.x.data = NULL;
        batched.batches = (tl_batches){.fill = fill_small, .user = &from};
        batched.read_ahead = cases[i].read_ahead;
        from.calls = 0;
        fit_small(model, &batched);
        check_parameters(model, expected, 0, 0);
        assert_int_equal(from.calls, 3 * cases[i].most);
        tl_model_free(model);
    }
    tl_model_free(expected);
}

static void given_an_infinite_value_in_a_batch_when_trained_then_named(void **unused) {
    (void)unused;
    source from = {0};
    const tl_dataset batched = by_batch(&from);
    tl_error error = {0};
    tl_model *model = make_model();
    const tl_real before = series[5 * EACH + 3];
    series[5 * EACH + 3] = INFINITY;
    tl_fit(model, &batched, NULL, NULL, &error);
    series[5 * EACH + 3] = before;
    check_error(&error, TL_ERROR_NUMERIC, "(sample 5 of the data is not finite at step 1, channel 1)");
    tl_model_free(model);
}

/* ---- files ---- */

/* A file of the series, as floats. `missing`: with NaN after the end of each. */
static void put_series(bytes *to, bool missing) {
    for (size_t i = 0; i < SERIES; i++)
        for (size_t k = 0; k < EACH; k++) put_float(to, missing && k >= lengths[i] * CHANNELS ? NAN : (float)series[i * EACH + k]);
}

static bytes labels_array(void) {
    bytes y = npy_header("'<i8'", "(30,)");
    for (size_t i = 0; i < SERIES; i++) put_integer(&y, (uint64_t)labels[i], 8);
    return y;
}

static void write_pair(bool missing) {
    bytes x = npy_header("'<f4'", "(30, 12, 2)");
    const bytes y = labels_array();
    put_series(&x, missing);
    files_write("X_train.npy", x.data, x.count);
    files_write("y_train.npy", y.data, y.count);
}

static void write_archive(bool deflate) {
    bytes x = npy_header("'<f4'", "(30, 12, 2)");
    const bytes y = labels_array();
    put_series(&x, false);
    const bytes archive = zip_of(deflate, (const zip_member[]){{"x.npy", &x}, {"y.npy", &y}}, 2);
    files_write("a.npz", archive.data, archive.count);
}

static void remove_files(void) {
    static const char *const names[] = {"X_train.npy", "y_train.npy", "a.npz"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) remove(files_path(names[i]));
}

enum { LIMIT = 1000 }; /* bytes: for targets, and one series; the series take 5,760 as double */

static void check_file(const char *name, tl_read_cfg cfg) {
    tl_error error = {0};
    tl_dataset *data = tl_dataset_read(files_path(name), &cfg, &error);
    cfg.by_batch = true;
    cfg.max_memory = LIMIT;
    tl_dataset *batched = tl_dataset_read(files_path(name), &cfg, &error);
    check_ok(&error);
    check_same_series(batched, data);
    check_alike(batched, data);
    cfg.reference = data;
    cfg.normalize = TL_NORMALIZE_DEFAULT;
    tl_dataset *again = tl_dataset_read(files_path(name), &cfg, &error);
    check_ok(&error);
    check_same_series(again, data);
    tl_dataset_free(again);
    tl_dataset_free(batched);
    tl_dataset_free(data);
}

static void given_a_file_when_read_by_batch_then_as_in_memory(void **unused) {
    (void)unused;
    static const tl_normalization kinds[] = {TL_NORMALIZE_NONE, TL_NORMALIZE_SERIES, TL_NORMALIZE_SET};
    write_archive(false);
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        write_pair(false);
        check_file("X_train.npy", (tl_read_cfg){.normalize = kinds[i]});
        check_file("a.npz", (tl_read_cfg){.normalize = kinds[i]});
        write_pair(true);
        check_file("X_train.npy", (tl_read_cfg){.normalize = kinds[i], .missing_policy = TL_MISSING_TAIL});
        check_file("X_train.npy", (tl_read_cfg){.normalize = kinds[i], .missing_policy = TL_MISSING_INTERPOLATE});
        check_file("X_train.npy", (tl_read_cfg){.normalize = kinds[i], .missing_policy = TL_MISSING_ZERO});
    }
    remove_files();
}

/* Labels of steps, so that windows have targets of their own; NaN in two series. */
static void write_steps(void) {
    bytes x = npy_header("'<f4'", "(30, 12, 2)"), y = npy_header("'|u1'", "(30, 12)");
    for (size_t i = 0; i < SERIES; i++)
        for (size_t k = 0; k < EACH; k++)
            put_float(&x, (i == 3 && k == 9) || (i == 4 && k == 0) ? NAN : (float)series[i * EACH + k]);
    for (size_t i = 0; i < SERIES; i++)
        for (size_t t = 0; t < LENGTH; t++) put_integer(&y, (i + t / 3) % CLASSES, 1);
    files_write("X_train.npy", x.data, x.count);
    files_write("y_train.npy", y.data, y.count);
}

/* The windows of each fold too, and those of another data set that is read like this one. */
static void check_windows_of(tl_read_cfg cfg) {
    tl_error error = {0};
    tl_dataset *parts[2], *expected[2];
    cfg.window = 5;
    cfg.hop = 2;
    tl_dataset *data = tl_dataset_read(files_path("X_train.npy"), &cfg, &error);
    cfg.by_batch = true;
    cfg.max_memory = 2 * LIMIT;
    tl_dataset *batched = tl_dataset_read(files_path("X_train.npy"), &cfg, &error);
    check_ok(&error);
    assert_true(data->x.shape[0] == (cfg.missing_policy == TL_MISSING_TAIL ? 110 : 120) && data->x.shape[1] == 5);
    check_same_series(batched, data);
    assert_memory_equal(batched->labels, data->labels, data->x.shape[0] * sizeof *data->labels);
    assert_memory_equal(batched->groups, data->groups, data->x.shape[0] * sizeof *data->groups);
    fold_of(batched, false, parts);
    fold_of(data, false, expected);
    cfg.reference = data;
    cfg.normalize = TL_NORMALIZE_DEFAULT;
    tl_dataset *again = tl_dataset_read(files_path("X_train.npy"), &cfg, &error);
    cfg.by_batch = false;
    cfg.max_memory = 0;
    tl_dataset *likewise = tl_dataset_read(files_path("X_train.npy"), &cfg, &error);
    check_ok(&error);
    check_same_series(again, likewise);
    for (size_t i = 0; i < 2; i++) {
        check_same_series(parts[i], expected[i]);
        tl_dataset_free(parts[i]);
        tl_dataset_free(expected[i]);
    }
    tl_dataset_free(again);
    tl_dataset_free(likewise);
    tl_dataset_free(batched);
    tl_dataset_free(data);
}

static void given_windows_of_a_file_when_read_by_batch_then_as_in_memory(void **unused) {
    (void)unused;
    static const tl_normalization kinds[] = {TL_NORMALIZE_NONE, TL_NORMALIZE_SERIES, TL_NORMALIZE_SET};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        write_steps();
        check_windows_of((tl_read_cfg){.normalize = kinds[i], .missing_policy = TL_MISSING_INTERPOLATE});
        check_windows_of((tl_read_cfg){.normalize = kinds[i], .missing_policy = TL_MISSING_MEAN});
        check_windows_of((tl_read_cfg){.normalize = kinds[i], .missing_policy = TL_MISSING_ZERO});
        write_pair(true);
        check_windows_of((tl_read_cfg){.normalize = kinds[i], .missing_policy = TL_MISSING_TAIL});
    }
    remove_files();
}

/* The series take 2,880 bytes, rounded to floats, their windows 29 times as much. */
static void given_windows_that_overlap_when_too_large_then_by_batch_or_the_cure(void **unused) {
    (void)unused;
    tl_read_cfg cfg = {.by_batch = true, .max_memory = 8000, .window = 5, .hop = 1};
    tl_error error = {0};
    write_pair(false);
    tl_dataset *data = tl_dataset_read(files_path("X_train.npy"), &cfg, &error);
    check_ok(&error);
    assert_non_null(data->batches.fill);
    tl_dataset_free(data);
    write_archive(true);
    assert_null(tl_dataset_read(files_path("a.npz"), &cfg, &error));
    check_error(&error, TL_ERROR_MEMORY, "a.npz: windows of 5 steps: 240 windows take");
    assert_non_null(strstr(error.text, "; use a larger hop, or convert the series to a .npy"));
    remove_files();
}

/* ---- groups ---- */

enum { LIST = 100 };

static void note(const char *file, void *user) {
    char *list = user;
    const size_t used = strlen(list);
    snprintf(list + used, LIST - used, "%s ", strrchr(file, '/'));
}

static void put_groups(const char *type, const char *shape, const char *name) {
    bytes groups = npy_header(type, shape);
    for (size_t i = 0; i < SERIES; i++) put_integer(&groups, 100 - i / 4, 4);
    files_write(name, groups.data, groups.count);
}

static void given_an_array_of_groups_when_asked_for_then_read(void **unused) {
    (void)unused;
    tl_read_cfg cfg = {.group = "groups", .by_batch = true, .max_memory = LIMIT};
    tl_error error = {0};
    write_pair(false);
    put_groups("'<i4'", "(30,)", "groups_train.npy");
    tl_dataset *data = tl_dataset_read(files_path("X_train.npy"), &cfg, &error);
    check_ok(&error);
    for (uint32_t i = 0; i < SERIES; i++) assert_int_equal(data->groups[i], i / 4);
    char list[LIST] = "";
    tl_dataset_files(files_path("X_train.npy"), &cfg, note, list, &error);
    assert_string_equal(list, "/X_train.npy /groups_train.npy /y_train.npy ");
    remove(files_path("groups_train.npy"));
    assert_null(tl_dataset_read(files_path("X_train.npy"), &cfg, &error));
    check_error(&error, TL_ERROR_FILE, "groups_train.npy: No such file");
    error = (tl_error){0};
    cfg.reference = data; /* a test set needs no groups */
    tl_dataset *test = tl_dataset_read(files_path("X_train.npy"), &cfg, &error);
    check_ok(&error);
    assert_null(test->groups);
    tl_dataset_free(test);
    tl_dataset_free(data);
    remove_files();
}

static void given_wrong_groups_when_read_then_a_message(void **unused) {
    (void)unused;
    static const struct {
        const char *type, *shape, *group, *message;
    } cases[] = {
        {"'<f4'", "(30,)", "groups", "expected whole numbers or texts, which name the groups, got floats"},
        {"'<i2'", "(60,)", "groups", "expected the shape (30,), with the group of each series, got (60,)"},
        {"'<i4'", "(30,)", "who", "--group who (tl_read_cfg.group) is only for tables; here, --group groups reads the array"},
    };
    write_pair(false);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tl_error error = {0};
        put_groups(cases[i].type, cases[i].shape, "groups_train.npy");
        assert_null(tl_dataset_read(files_path("X_train.npy"), &(tl_read_cfg){.group = cases[i].group}, &error));
        if (!strstr(error.text, cases[i].message)) fail_msg("%zu: \"%s\"", i, error.text);
    }
    remove(files_path("groups_train.npy"));
    remove_files();
}

static void given_a_file_within_the_limit_when_read_by_batch_then_in_memory(void **unused) {
    (void)unused;
    tl_error error = {0};
    write_pair(false);
    tl_dataset *data = tl_dataset_read(files_path("X_train.npy"), &(tl_read_cfg){.by_batch = true}, &error);
    check_ok(&error);
    assert_true(data->x.data && !data->batches.fill);
    assert_string_equal(data->class_names[2], "2");
    tl_dataset_free(data);
    assert_null(tl_dataset_read(files_path("X_train.npy"), &(tl_read_cfg){.max_memory = LIMIT}, &error));
    check_error(&error, TL_ERROR_MEMORY, "its series take 0.00588 MB; the limit is 0.001 MB (max_memory, --max-memory)");
    remove_files();
}

static void given_what_cannot_be_read_by_batch_when_too_large_then_the_cure(void **unused) {
    (void)unused;
    static const tl_read_cfg cfg = {.by_batch = true, .max_memory = LIMIT};
    tl_error error = {0};
    write_archive(true);
    assert_null(tl_dataset_read(files_path("a.npz"), &cfg, &error));
    check_error(&error, TL_ERROR_MEMORY, "; `tapline convert` makes a .npy or .npz of it, which is read by batch");
    error = (tl_error){0};
    write_pair(false);
    assert_null(tl_dataset_read(files_path("X_train.npy"), &(tl_read_cfg){.by_batch = true, .max_memory = 50}, &error));
    check_error(&error, TL_ERROR_MEMORY, "the targets of its series take");
    remove_files();
}

static void given_a_wrong_value_in_a_file_when_read_by_batch_then_the_place(void **unused) {
    (void)unused;
    tl_error error = {0};
    write_pair(true);
    assert_null(tl_dataset_read(files_path("X_train.npy"), &(tl_read_cfg){.by_batch = true, .max_memory = LIMIT}, &error));
    check_error(&error, TL_ERROR_FORMAT, "X_train.npy: offset 312: expected a finite number (--missing");
    remove_files();
}

static void given_a_file_that_changes_when_its_series_are_needed_then_an_error(void **unused) {
    (void)unused;
    tl_error error = {0};
    tl_metrics metrics;
    write_pair(false);
    tl_dataset *data = tl_dataset_read(files_path("X_train.npy"), &(tl_read_cfg){.by_batch = true, .max_memory = LIMIT}, &error);
    check_ok(&error);
    assert_int_equal(truncate(files_path("X_train.npy"), 1000), 0);
    tl_model *model = make_model();
    tl_evaluate(model, data, &metrics, &error);
    check_error(&error, TL_ERROR_FILE, "X_train.npy: changed after it was opened");
    tl_model_free(model);
    tl_dataset_free(data);
    remove_files();
}

static void given_x_without_y_when_read_then_for_prediction_only(void **unused) {
    (void)unused;
    tl_error error = {0};
    write_pair(false);
    remove(files_path("y_train.npy"));
    assert_null(tl_dataset_read(files_path("X_train.npy"), NULL, &error));
    check_error(&error, TL_ERROR_FORMAT, "(x and y may be separate arrays: in a .npz, or in x.npy and y.npy)");
    error = (tl_error){0};
    tl_dataset *data = tl_dataset_read(files_path("X_train.npy"), &(tl_read_cfg){.unlabelled = true}, &error);
    check_ok(&error);
    assert_true(data->x.shape[0] == SERIES && !data->labels);
    tl_dataset_free(data);
    remove_files();
}

static void given_a_pair_when_its_files_are_listed_then_both(void **unused) {
    (void)unused;
    char list[LIST] = "";
    tl_error error = {0};
    write_pair(false);
    tl_dataset_files(files_path("X_train.npy"), NULL, note, list, &error);
    check_ok(&error);
    assert_string_equal(list, "/X_train.npy /y_train.npy ");
    assert_false(tl_dataset_is_table(files_path("X_train.npy"), NULL));
    remove_files();
}

/* ---- conversion ---- */

static void check_converted(const tl_dataset *actual, const tl_dataset *expected) {
    const size_t count = expected->x.shape[0];
    assert_memory_equal(actual->x.shape, expected->x.shape, sizeof actual->x.shape);
    check_equal("series", actual->x.data, expected->x.data, tl_tensor_count(&expected->x));
    assert_true(actual->classes == expected->classes && !actual->lengths == !expected->lengths);
    if (expected->lengths) assert_memory_equal(actual->lengths, expected->lengths, count * sizeof *actual->lengths);
    if (expected->labels) assert_memory_equal(actual->labels, expected->labels, count * sizeof *actual->labels);
    for (size_t c = 0; c < expected->classes; c++) assert_string_equal(actual->class_names[c], expected->class_names[c]);
    if (expected->groups) assert_memory_equal(actual->groups, expected->groups, count * sizeof *actual->groups);
    if (!expected->values) return;
    assert_int_equal(actual->target_channels, expected->target_channels);
    check_equal("values", actual->values, expected->values, count * expected->target_channels);
}

static void note_warning(const char *text, void *user) { snprintf(user, 300, "%s", text); }

static void remove_outputs(void) {
    static const char *const names[] = {"x.npy", "y.npy", "groups.npy", "a.npz"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) remove(files_path(names[i]));
}

static void given_any_format_when_converted_then_the_same_data(void **unused) {
    (void)unused;
    static const char *const outputs[] = {"x.npy", "a.npz"};
    static const struct {
        const char *name, *text;
        tl_read_cfg cfg;
        const char *warning;
    } cases[] = {
        {"a.csv", "10,0.1,2\n9,3,1e-7\n10,5,6\n", {0}, ""},
        {"b.csv", "class,t,u\nup,0.1,2\nno way,3,4\nup,5,6\n", {0}, ""},
        {"c.csv", "class,t,u\n\xc3\xa9,0.1,2\nz,3,4\n", {0}, ""},
        {"d.csv", "a,b,t,u,v\n0.5,1e-9,1,2,3\n0.1,3,4,5,6\n", {.target = "a,b"}, ""},
        {"e.csv", "class,t,u\n2,0.1,2\n?,3,4\n1,5,6\n", {.no_label = "?"}, ""},
        {"f.ts", "@problemName a\n@equalLength false\n@classLabel true b a\n@data\n1,2,3:4,5,6:b\n7:8:a\n", {0}, "--missing tail"},
        {"g.csv", "id,time,class,v\n1,2,a,0.5\n2,1,b,3\n1,1,a,0.25\n2,2,b,4\n", {.series = "id", .time = "time"}, ""},
        {"h.csv", "class,who,t,u\na,1,2,3\nb,2,4,5\n", {.group = "who"}, "read its groups with --group groups"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tl_error error = {0};
        char warning[300] = "";
        tl_read_cfg cfg = cases[i].cfg;
        cfg.normalize = TL_NORMALIZE_NONE;
        files_write(cases[i].name, cases[i].text, strlen(cases[i].text));
        tl_dataset *data = tl_dataset_read(files_path(cases[i].name), &cfg, &error);
        cfg.warn = note_warning;
        cfg.user = warning;
        for (size_t to = 0; to < 2; to++) {
            tl_dataset_convert(files_path(cases[i].name), files_path(outputs[to]), &cfg, false, NULL, &error);
            check_ok(&error);
            if (!strstr(warning, cases[i].warning) || (!*cases[i].warning && *warning)) fail_msg("%s: %s", cases[i].name, warning);
            const tl_read_cfg again = {.normalize = TL_NORMALIZE_NONE,
                                       .no_label = cfg.no_label,
                                       .group = cfg.group ? "groups" : NULL,
                                       .missing_policy = data->lengths ? TL_MISSING_TAIL : TL_MISSING_REFUSE,
                                       .reference = strchr("f", *cases[i].name) ? data : NULL}; /* the order of classes */
            tl_dataset *converted = tl_dataset_read(files_path(outputs[to]), &again, &error);
            check_ok(&error);
            check_converted(converted, data);
            tl_dataset_free(converted);
        }
        tl_dataset_free(data);
        remove(files_path(cases[i].name));
        remove_outputs();
    }
}

static void given_two_halves_when_converted_to_an_archive_then_both(void **unused) {
    (void)unused;
    tl_error error = {0};
    size_t shape[3];
    tl_dataset_convert("builtin:cbf", files_path("c.npz"), NULL, false, shape, &error);
    check_ok(&error);
    assert_int_equal(shape[0], 30);
    assert_true(tl_dataset_has_test(files_path("c.npz")));
    for (int test = 0; test < 2; test++) {
        const tl_read_cfg cfg = {.normalize = TL_NORMALIZE_NONE, .by_batch = true, .max_memory = test ? 20000 : 5000};
        tl_dataset *data =
            tl_dataset_read(test ? "builtin:cbf/test" : "builtin:cbf", &(tl_read_cfg){.normalize = TL_NORMALIZE_NONE}, &error);
        tl_dataset *converted = tl_dataset_read(files_path(test ? "c.npz/test" : "c.npz"), &cfg, &error);
        check_ok(&error);
        check_same_series(converted, data);
        tl_dataset_free(converted);
        tl_dataset_free(data);
    }
    remove(files_path("c.npz"));
}

static void given_a_generated_set_when_converted_as_floats_then_the_same_data(void **unused) {
    (void)unused;
    tl_error error = {0};
    size_t shape[3];
    tl_dataset_convert("builtin:cbf", files_path("x.npy"), NULL, true, shape, &error);
    tl_dataset *data = tl_dataset_read("builtin:cbf", &(tl_read_cfg){.normalize = TL_NORMALIZE_NONE}, &error);
    tl_dataset *converted = tl_dataset_read(files_path("x.npy"), &(tl_read_cfg){.reference = data}, &error);
    check_ok(&error);
    for (size_t i = 0; i < tl_tensor_count(&data->x); i++) data->x.data[i] = (tl_real)(float)data->x.data[i];
    check_converted(converted, data);
    assert_true(shape[0] == 30 && shape[1] == 128 && shape[2] == 1);
    tl_dataset_free(converted);
    tl_dataset_free(data);
    remove(files_path("x.npy"));
    remove(files_path("y.npy"));
}

static void given_an_impossible_conversion_when_asked_for_then_nothing_is_lost(void **unused) {
    (void)unused;
    static const struct {
        const char *text, *out;
        tl_read_cfg cfg;
        const char *message;
    } cases[] = {
        {"1,2,3\n2,3,4\n", "z.npy", {0}, "must contain x as a word, such as x.npy or train_x.npy"},
        {"1,2,3\n2,3,4\n", "x.csv", {0}, "must end with .npy or .npz"},
        {"1,2,3\n2,3,4\n", "x.npy", {.window = 2}, "windows are not converted"},
        {"1,2,3\n2,?,4\n", "x.npy", {0}, "a.csv:2:3: expected a number"},
        {"1,0,5,5,5\n0,1,5,5,5\n",
         "x.npy",
         {.target = "1,2", .header = TL_HEADER_NO},
         "its 2 target values would be read as classes"},
        {"1,7,5,5\n0,1,5,5\n", "x.npy", {.target = "1,2", .header = TL_HEADER_NO}, "would be read as those of steps"},
    };
    files_write("x.npy", "old", 3);
    files_write("y.npy", "old", 3);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tl_error error = {0};
        files_write("a.csv", cases[i].text, strlen(cases[i].text));
        tl_dataset_convert(files_path("a.csv"), files_path(cases[i].out), &cases[i].cfg, false, NULL, &error);
        if (!tl_failed(&error) || !strstr(error.text, cases[i].message)) fail_msg("%zu: \"%s\"", i, error.text);
        remove(files_path("a.csv"));
    }
    tl_error error = {0};
    tl_dataset_convert(files_path("y.npy"), files_path("x.npy"), NULL, false, NULL, &error);
    check_error(&error, TL_ERROR_ARGUMENT, "y.npy: is a file of the data, and would be overwritten");
    char content[4] = "";
    FILE *file = fopen(files_path("y.npy"), "rb");
    assert_true(file && fread(content, 1, 3, file) == 3 && strcmp(content, "old") == 0);
    fclose(file);
    remove(files_path("x.npy"));
    remove(files_path("y.npy"));
}

/* ---- memory ---- */

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED true
#else
#define SANITIZED false
#endif

enum { MEBIBYTE = 1 << 20, LONG = 2048 };

/* Returns a file with the header of an array. */
static FILE *begin_array(const char *name, const char *type, const char *shape) {
    const bytes head = npy_header(type, shape);
    FILE *file = fopen(files_path(name), "wb");
    assert_non_null(file);
    fwrite(head.data, 1, head.count, file);
    return file;
}

static void write_many(int count, int length) {
    char shape[40];
    static float row[LONG];
    snprintf(shape, sizeof shape, "(%d, %d)", count, length);
    FILE *file = begin_array("x.npy", "'<f4'", shape);
    for (int i = 0; i < count; i++) {
        for (int t = 0; t < length; t++) row[t] = (float)((t * (i % 2 + 1) + i) % 17);
        fwrite(row, sizeof *row, (size_t)length, file);
    }
    assert_int_equal(fclose(file), 0);
    snprintf(shape, sizeof shape, "(%d,)", count);
    file = begin_array("y.npy", "'|u1'", shape);
    for (int i = 0; i < count; i++) putc(i % 2, file);
    assert_int_equal(fclose(file), 0);
}

/* Trains and evaluates; returns how much the process has grown at its peak, in bytes, or 0 on failure. */
static size_t use_many(size_t length, size_t limit) {
    struct rusage before, after;
    tl_error error = {0};
    tl_metrics metrics;
    getrusage(RUSAGE_SELF, &before);
    tl_dataset *data = tl_dataset_read(
        files_path("x.npy"), &(tl_read_cfg){.normalize = TL_NORMALIZE_SET, .by_batch = true, .max_memory = limit}, &error);
    tl_model *m = tl_model_new(&(tl_model_cfg){.threads = 1});
    const tl_node x = tl_conv1d(m, tl_input(m, (tl_shape){length, 1}), &(tl_conv1d_cfg){.filters = 4, .kernel = 8, .stride = 8});
    tl_model_compile(m, tl_dense(m, tl_global_average_pool(m, tl_relu(m, tl_batch_norm(m, x, NULL))), &(tl_dense_cfg){.units = 2}),
                     &(tl_compile_cfg){.batch = 32}, &error);
    tl_fit(m, data, NULL, NULL, &error);
    tl_evaluate(m, data, &metrics, &error);
    getrusage(RUSAGE_SELF, &after);
    tl_model_free(m);
    tl_dataset_free(data);
    if (tl_failed(&error)) fprintf(stderr, "%s\n", error.text);
    return tl_failed(&error) ? 0 : (size_t)(after.ru_maxrss - before.ru_maxrss) * 1024 + 1;
}

/* In a process of its own, whose peak the system tells. */
static size_t peak_of(size_t length, size_t limit) {
    int ends[2];
    size_t peak = 0;
    assert_int_equal(pipe(ends), 0);
    const pid_t process = fork();
    assert_true(process >= 0);
    if (process == 0) {
        peak = use_many(length, limit);
        _exit(write(ends[1], &peak, sizeof peak) != sizeof peak);
    }
    assert_int_equal(read(ends[0], &peak, sizeof peak), sizeof peak);
    waitpid(process, NULL, 0);
    close(ends[0]);
    close(ends[1]);
    return peak;
}

static void given_a_file_of_four_times_the_limit_when_used_then_within_the_limit(void **unused) {
    (void)unused;
    static const struct {
        int count, length;
        size_t limit, peak;
    } cases[] = {{6000, LONG, 12 * MEBIBYTE, 12 * MEBIBYTE},
                 {200000, 32, 12 * MEBIBYTE, 24 * MEBIBYTE}}; /* the order of so many series, and large pages, take as much */
    if (SANITIZED) skip();                                    /* which needs memory of its own */
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        write_many(cases[i].count, cases[i].length);
        const size_t peak = peak_of((size_t)cases[i].length, cases[i].limit);
        remove(files_path("x.npy"));
        remove(files_path("y.npy"));
        if (peak == 0 || peak > cases[i].peak)
            fail_msg("%zu: %zu bytes at the peak, at most %zu are allowed", i, peak, cases[i].peak);
    }
}

/* ---- release ---- */

static void given_a_data_set_when_freed_then_its_batches_are_released(void **unused) {
    (void)unused;
    source from = {0};
    tl_error error = {0};
    tl_dataset *data = tl_dataset_builtin("cbf", TL_SPLIT_TRAIN, 1, &error);
    check_ok(&error);
    tl_tensor x = data->x;
    data->x.data = NULL;
    data->batches = (tl_batches){fill, &from, release};
    tl_dataset_free(data);
    tl_tensor_free(&x);
    assert_int_equal(from.released, 1);
}

int main(void) {
    make_series();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(given_batches_of_a_program_when_used_then_as_in_memory),
        cmocka_unit_test(given_batches_of_a_program_when_scaled_and_back_then_as_in_memory),
        cmocka_unit_test(given_batches_when_some_series_are_taken_then_a_copy_in_memory),
        cmocka_unit_test(given_batches_when_a_part_is_taken_then_read_where_they_are),
        cmocka_unit_test(given_batches_when_folded_then_as_in_memory),
        cmocka_unit_test(given_batches_when_all_series_would_be_copied_then_refused),
        cmocka_unit_test(given_a_data_set_that_contradicts_itself_when_used_then_refused),
        cmocka_unit_test(given_a_batch_that_cannot_be_filled_when_needed_then_its_error),
        cmocka_unit_test(given_many_series_when_trained_then_read_ahead_with_the_same_bits),
        cmocka_unit_test(given_small_series_when_trained_then_read_ahead_as_far_as_allowed),
        cmocka_unit_test(given_an_infinite_value_in_a_batch_when_trained_then_named),
        cmocka_unit_test(given_a_file_when_read_by_batch_then_as_in_memory),
        cmocka_unit_test(given_windows_of_a_file_when_read_by_batch_then_as_in_memory),
        cmocka_unit_test(given_windows_that_overlap_when_too_large_then_by_batch_or_the_cure),
        cmocka_unit_test(given_an_array_of_groups_when_asked_for_then_read),
        cmocka_unit_test(given_wrong_groups_when_read_then_a_message),
        cmocka_unit_test(given_a_file_within_the_limit_when_read_by_batch_then_in_memory),
        cmocka_unit_test(given_what_cannot_be_read_by_batch_when_too_large_then_the_cure),
        cmocka_unit_test(given_a_wrong_value_in_a_file_when_read_by_batch_then_the_place),
        cmocka_unit_test(given_a_file_that_changes_when_its_series_are_needed_then_an_error),
        cmocka_unit_test(given_x_without_y_when_read_then_for_prediction_only),
        cmocka_unit_test(given_a_pair_when_its_files_are_listed_then_both),
        cmocka_unit_test(given_any_format_when_converted_then_the_same_data),
        cmocka_unit_test(given_two_halves_when_converted_to_an_archive_then_both),
        cmocka_unit_test(given_a_generated_set_when_converted_as_floats_then_the_same_data),
        cmocka_unit_test(given_an_impossible_conversion_when_asked_for_then_nothing_is_lost),
        cmocka_unit_test(given_a_file_of_four_times_the_limit_when_used_then_within_the_limit),
        cmocka_unit_test(given_a_data_set_when_freed_then_its_batches_are_released),
    };
    return cmocka_run_group_tests(tests, files_setup, files_teardown) != 0;
}
