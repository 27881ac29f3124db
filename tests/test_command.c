/* The tapline command as a program: output, exit codes, files. Runs in the precision of the test. */
#include "check.h"
#include "runner.h"

#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { SERIES = 24, LENGTH = 16 };

/* Small data sets, so that the test is fast. */
static char folder[] = "/tmp/tapline-command-XXXXXX";
static char train_file[64], test_file[64], values_file[64], log_file[64], nonsense_file[64];

/* Series of two classes: rising and falling lines with noise. */
static void write_classes(const char *path, uint32_t seed) {
    tl_rng rng = tl_rng_at(seed, TL_STREAM_USER, 0, 0);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    for (int i = 0; i < SERIES; i++) {
        fprintf(file, "%d", i % 2);
        for (int t = 0; t < LENGTH; t++) fprintf(file, "\t%.4f", (i % 2 ? 0.1 : -0.1) * t + 0.3 * tl_rng_normal(&rng));
        fprintf(file, "\n");
    }
    fclose(file);
}

/* Series whose value is their slope. */
static void write_values(const char *path) {
    tl_rng rng = tl_rng_at(7, TL_STREAM_USER, 0, 0);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fprintf(file, "@problemName Slopes\n@timeStamps false\n@univariate true\n@equalLength true\n@targetLabel true\n@data\n");
    for (int i = 0; i < SERIES; i++) {
        const double slope = tl_rng_uniform(&rng);
        for (int t = 0; t < LENGTH; t++) fprintf(file, "%s%.4f", t ? "," : "", slope * t);
        fprintf(file, ":%.4f\n", slope);
    }
    fclose(file);
}

static int set_up(void **unused) {
    (void)unused;
    if (!mkdtemp(folder)) return 1;
    snprintf(train_file, sizeof train_file, "%s/train.tsv", folder);
    snprintf(test_file, sizeof test_file, "%s/test.tsv", folder);
    snprintf(values_file, sizeof values_file, "%s/values.ts", folder);
    snprintf(log_file, sizeof log_file, "%s/log.csv", folder);
    snprintf(nonsense_file, sizeof nonsense_file, "%s/nonsense.tsv", folder);
    write_classes(train_file, 1);
    write_classes(test_file, 2);
    write_values(values_file);
    FILE *file = fopen(nonsense_file, "w");
    if (!file) return 1;
    fputs("1\t0.5\t0.25\n2\t0.5\tabc\n", file);
    return fclose(file);
}

static int tear_down(void **unused) {
    (void)unused;
    const char *const files[] = {train_file, test_file, values_file, log_file, nonsense_file};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) unlink(files[i]);
    return rmdir(folder);
}

/* The run's exit code, and `text` on stderr (NULL: nothing at all there). Frees the run. */
static void expect(run done, int code, const char *text) {
    if (done.code != code || (text ? !strstr(done.err, text) : *done.err != '\0'))
        fail_msg("expected exit code %d and \"%s\" on stderr; got %d and \"%s\"", code, text ? text : "", done.code, done.err);
    run_free(&done);
}

#define QUICK "--precision", tl_precision(), "--epochs", "2", "--quiet"

/* ---- training ---- */

static const char *const contract[] = {"model",     "engine",        "precision",    "threads",     "seed",
                                       "epochs",    "steps",         "parameters",   "train_loss",  "train_accuracy",
                                       "test_loss", "test_accuracy", "seconds",      "peak_rss_mb", "test_balanced_accuracy",
                                       "test_f1",   "test_auroc",    "target_length"};

static void given_json_when_trained_then_the_last_line_has_every_key(void **unused) {
    (void)unused;
    run done = run_command("train", train_file, "--test", test_file, "--json", "--seed", "3", "--threads", "2", QUICK);
    json_t *object = run_json(&done);
    for (size_t i = 0; i < sizeof contract / sizeof *contract; i++)
        if (!json_object_get(object, contract[i])) fail_msg("no key %s", contract[i]);
    assert_string_equal(json_string_value(json_object_get(object, "model")), "fcn");
    assert_string_equal(json_string_value(json_object_get(object, "engine")), "auto");
    assert_string_equal(json_string_value(json_object_get(object, "precision")), tl_precision());
    check_number("threads", json_number(object, "threads"), 2, 0, 0);
    check_number("seed", json_number(object, "seed"), 3, 0, 0);
    check_number("epochs", json_number(object, "epochs"), 2, 0, 0);
    check_number("steps", json_number(object, "steps"), 2.0 * (SERIES / 2.0), 0, 0); /* a tenth of 24 series is a batch of 2 */
    /* three convolutions with bias, three batch norms, two outputs */
    check_number("parameters", json_number(object, "parameters"),
                 (8 + 1) * 128 + (5 * 128 + 1) * 256 + (3 * 256 + 1) * 128 + 2 * (128 + 256 + 128) + (128 + 1) * 2, 0, 0);
    assert_true(json_number(object, "train_accuracy") >= 0 && json_number(object, "test_accuracy") <= 1);
    assert_true(json_number(object, "seconds") > 0 && json_number(object, "peak_rss_mb") > 1);
    assert_true(json_is_false(json_object_get(object, "interrupted")));
    json_decref(object);
    expect(done, 0, NULL);
}

static void given_easy_classes_when_trained_then_learnt_and_printed_as_a_table(void **unused) {
    (void)unused;
    run done = run_command("train", train_file, "--test", test_file, "--epochs", "12", "--precision", tl_precision(), "--json");
    json_t *object = run_json(&done);
    assert_true(json_number(object, "train_accuracy") >= 0.95 && json_number(object, "test_accuracy") >= 0.9);
    assert_true(json_number(object, "test_auroc") >= 0.95 && json_number(object, "test_f1") >= 0.9);
    json_decref(object);
    assert_non_null(strstr(done.err, "epoch 12/12  loss "));
    run_free(&done);
    done = run_command("train", train_file, QUICK);
    assert_non_null(strstr(done.out, "model      fcn, "));
    assert_non_null(strstr(done.out, "\ntrain "));
    assert_null(strstr(done.out, "\ntest "));
    expect(done, 0, NULL);
}

static void given_no_test_data_when_trained_then_its_keys_are_null(void **unused) {
    (void)unused;
    run done = run_command("train", train_file, "--json", QUICK);
    json_t *object = run_json(&done);
    assert_true(json_is_null(json_object_get(object, "test_loss")) && json_is_null(json_object_get(object, "test_accuracy")));
    json_decref(object);
    expect(done, 0, NULL);
}

static void given_no_data_when_trained_then_cbf_is_and_its_test_half_too(void **unused) {
    (void)unused;
    run done = run_command("train", "--json", "--precision", tl_precision(), "--epochs", "1", "--quiet");
    json_t *object = run_json(&done);
    assert_string_equal(json_string_value(json_object_get(object, "data")), "builtin:cbf");
    assert_string_equal(json_string_value(json_object_get(object, "test")), "builtin:cbf/test");
    check_number("test_series", json_number(object, "test_series"), 900, 0, 0);
    check_number("batch", json_number(object, "batch"), 3, 0, 0);
    json_decref(object);
    expect(done, 0, NULL);
}

static void given_target_values_when_trained_then_errors_are_reported(void **unused) {
    (void)unused;
    run done = run_command("train", values_file, "--test", values_file, "--raw", "--json", QUICK);
    json_t *object = run_json(&done);
    const double rmse = json_number(object, "test_rmse"), r2 = json_number(object, "test_r2");
    check_number("test_loss, of values of deviation 1", json_number(object, "test_loss"), 1 - r2, 1e-5, 0);
    assert_true(json_number(object, "test_mae") <= rmse * (1 + 1e-6));
    assert_true(json_number(object, "test_r2") < 1);
    assert_null(json_object_get(object, "test_auroc"));
    assert_true(json_is_null(json_object_get(object, "test_accuracy")));
    check_number("train_rmse", json_number(object, "train_rmse"), rmse, 1e-9, 0);
    json_decref(object);
    expect(done, 0, "series for test are also in the training set");
}

/* The losses of a run with these threads and this seed. */
static void losses(const char *threads, const char *seed, double loss[2]) {
    run done = run_command("train", train_file, "--test", test_file, "--json", "--threads", threads, "--seed", seed, QUICK);
    json_t *object = run_json(&done);
    loss[0] = json_number(object, "train_loss");
    loss[1] = json_number(object, "test_loss");
    json_decref(object);
    expect(done, 0, NULL);
}

static void given_one_seed_when_trained_twice_then_losses_are_identical(void **unused) {
    (void)unused;
    double first[2], again[2], threads[2], other[2];
    losses("1", "5", first);
    losses("1", "5", again);
    losses("2", "5", threads);
    losses("1", "6", other);
    for (int i = 0; i < 2; i++) {
        check_number("loss, run again", again[i], first[i], 0, 0);
        check_number("loss, with two threads", threads[i], first[i], 0, 0);
        assert_true(other[i] != first[i]);
    }
}

static void given_engines_and_optimizers_when_trained_then_each_runs(void **unused) {
    (void)unused;
    for (size_t i = 0; tl_engine_name((tl_engine)i); i++)
        expect(run_command("train", train_file, "--engine", tl_engine_name((tl_engine)i), QUICK), 0, NULL);
    for (size_t i = 0; tl_optimizer_name(i); i++)
        expect(run_command("train", train_file, "--optimizer", tl_optimizer_name(i), "--accumulate", "3", "--clip", "1",
                           "--clip-value", "0.5", "--weight-decay", i % 2 ? "0" : "0.1", QUICK),
               0, NULL);
}

static void given_losses_when_trained_then_each_runs_on_its_kind_of_data(void **unused) {
    (void)unused;
    expect(run_command("train", train_file, "--loss", "cross-entropy", "--label-smoothing", "0.1", "--balance", QUICK), 0, NULL);
    for (size_t i = 1; i < TL_LOSS_OWN; i++)
        expect(run_command("train", values_file, "--loss", tl_loss_name((tl_loss_kind)i), QUICK), 0, NULL);
    expect(run_command("train", values_file, "--loss", "cross-entropy", QUICK), 2, "data: cross-entropy needs labels");
    expect(run_command("train", train_file, "--loss", "huber", QUICK), 2,
           "data: huber needs target values, but the data set has none");
    expect(run_command("train", values_file, "--balance", QUICK), 2, "--balance needs classes; the data has target values");
}

static void given_schedules_when_trained_then_each_runs(void **unused) {
    (void)unused;
    for (size_t i = 0; tl_schedule_name((tl_schedule_kind)i); i++)
        expect(run_command("train", train_file, "--schedule", tl_schedule_name((tl_schedule_kind)i), "--warmup", "5", QUICK), 0,
               NULL);
    expect(run_command("train", train_file, "--schedule", "step", "--schedule-factor", "0.3", "--schedule-period", "1", "--lr-min",
                       "1e-5", QUICK),
           0, NULL);
}

/* ---- the log and signals ---- */

static size_t read_log(char *text, size_t size) {
    FILE *file = fopen(log_file, "r");
    const size_t length = file ? fread(text, 1, size - 1, file) : 0;
    text[length] = '\0';
    if (file) fclose(file);
    return length;
}

static void given_folds_when_trained_then_the_held_out_part_decides(void **unused) {
    (void)unused;
    run done = run_command("train", train_file, "--test", test_file, "--folds", "4", "--fold", "3", "--patience", "2", "--lr",
                           "0.03", "--jitter", "0.1", "--scale", "0.1", "--crop", "0.9", "--epochs", "200", "--quiet", "--json");
    assert_int_equal(done.code, 0);
    json_t *object = run_json(&done);
    assert_int_equal(json_integer_value(json_object_get(object, "train_series")), SERIES - SERIES / 4);
    assert_true(json_number(object, "validation_accuracy") >= 0.5);
    assert_true(json_number(object, "epochs") < 200); /* it gave up */
    check_number("epochs", json_number(object, "epochs"), json_number(object, "best_epoch") + 2, 0, 0);
    json_decref(object);
    run_free(&done);
    expect(run_command("train", train_file, "--fold", "1", QUICK), 2, "--fold 1 requires --folds N");
    expect(run_command("train", train_file, "--folds", "3", "--fold", "3", QUICK), 2,
           "--fold 3 is outside 0 … 2, the folds of --folds 3");
    expect(run_command("train", train_file, "--crop", "1", QUICK), 2, "--crop 1: must be a number between 0 and 1, both excluded");
    expect(run_command("train", train_file, "--mixup", "0.2", "--batch", "1", QUICK), 2,
           "fit: mixup 0.2 mixes two series of a batch");
    expect(run_command("train", values_file, "--mixup", "0.2", QUICK), 0, NULL);
}

/* Mean and standard deviation of a number of each fold are what the object says of it. */
static void check_fold_metric(json_t *object, const char *key) {
    json_t *folds = json_object_get(object, "folds"), *deviations = json_object_get(object, "deviation");
    const size_t count = json_array_size(folds);
    double sum = 0, squares = 0;
    for (size_t f = 0; f < count; f++) sum += json_number(json_array_get(folds, f), key);
    const double mean = sum / (double)count;
    for (size_t f = 0; f < count; f++) squares += pow(json_number(json_array_get(folds, f), key) - mean, 2);
    check_number(key, json_number(object, key), mean, 1e-12, 1e-12);
    check_number(key, json_number(deviations, key), sqrt(squares / (double)(count - 1)), 1e-9, 1e-9);
}

static void given_all_folds_when_trained_then_mean_and_deviation(void **unused) {
    (void)unused;
    run done = run_command("train", train_file, "--test", test_file, "--folds", "3", "--fold", "all", "--json", QUICK);
    json_t *object = run_json(&done), *folds = json_object_get(object, "folds");
    assert_int_equal(json_array_size(folds), 3);
    assert_true(json_number(object, "train_series") == SERIES && json_number(object, "epochs") == 6);
    static const char *const keys[] = {"train_loss", "validation_loss", "validation_accuracy", "test_loss", "test_f1"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) check_fold_metric(object, keys[i]);
    double series = 0;
    for (size_t f = 0; f < 3; f++) {
        char index[10];
        json_t *fold = json_array_get(folds, f);
        snprintf(index, sizeof index, "%zu", f);
        run alone = run_command("train", train_file, "--test", test_file, "--folds", "3", "--fold", index, "--json", QUICK);
        json_t *expected = run_json(&alone);
        for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
            check_number(keys[i], json_number(fold, keys[i]), json_number(expected, keys[i]), 0, 0);
        check_number("best epoch", json_number(fold, "best_epoch"), json_number(expected, "best_epoch"), 0, 0);
        assert_true(json_number(fold, "fold") == (double)f);
        series += json_number(fold, "validation_series");
        json_decref(expected);
        expect(alone, 0, NULL);
    }
    assert_true(series == SERIES);
    json_decref(object);
    expect(done, 0, NULL);
    done = run_command("train", values_file, "--folds", "2", "--fold", "all", "--epochs", "1", "--precision", tl_precision());
    assert_non_null(strstr(done.out, "\nfold 0           12 "));
    assert_non_null(strstr(done.out, "\nmean             24 "));
    assert_non_null(strstr(done.out, "\ndeviation        24 "));
    expect(done, 0, "fold 1 of 2\n");
}

/* Targets are constant in most folds: a metric that is undefined in some folds is left out, and the report says so. */
static void given_folds_without_spread_when_trained_then_r2_is_left_out(void **unused) {
    (void)unused;
    char path[100];
    snprintf(path, sizeof path, "%s/constant.ts", folder);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs("@targetLabel true\n@data\n", file);
    for (int i = 0; i < 6; i++) fprintf(file, "%d,%d,%d:%d\n", i, 2 * i % 5, i * i % 7, i == 3 ? 1 : 0);
    fclose(file);
    run done = run_command("train", path, "--raw", "--folds", "3", "--fold", "all", "--json", QUICK);
    json_t *object = run_json(&done), *folds = json_object_get(object, "folds");
    double sum = 0, defined = 0;
    for (size_t f = 0; f < 3; f++) {
        json_t *r2 = json_object_get(json_array_get(folds, f), "validation_r2");
        if (json_is_number(r2)) sum += json_number_value(r2), defined++;
    }
    check_number("folds with spread", defined, 1, 0, 0);
    check_number("mean", json_number(object, "validation_r2"), sum, 1e-12, 0);
    check_number("left out", json_number(json_object_get(object, "undefined"), "validation_r2"), 2, 0, 0);
    assert_true(json_is_null(json_object_get(json_object_get(object, "deviation"), "validation_r2")));
    json_decref(object);
    expect(done, 0, NULL);
    done = run_command("train", path, "--raw", "--folds", "3", "--fold", "all", QUICK);
    assert_non_null(strstr(done.out, "undefined\n"));
    assert_non_null(strstr(done.out, "\nmean       without 2 of 3 folds, in which r2 is undefined\n"));
    expect(done, 0, NULL);
    remove(path);
}

static void given_find_lr_when_run_then_rates_are_listed_and_one_suggested(void **unused) {
    (void)unused;
    run done = run_command("train", "builtin:synthetic-control", "--find-lr", "--arch", "timecnn", "--json", "--quiet",
                           "--precision", tl_precision());
    json_t *object = run_json(&done);
    const size_t count = json_array_size(json_object_get(object, "learning_rates"));
    const double suggested = json_number(object, "suggested_learning_rate");
    assert_true(count > 50 && count <= 100 && json_array_size(json_object_get(object, "losses")) == count);
    assert_int_equal(json_array_size(json_object_get(object, "smoothed_losses")), count);
    assert_true(suggested > 1e-5 && suggested < 1);
    assert_true(json_is_boolean(json_object_get(object, "diverged")));
    assert_true(json_number(object, "epochs") == 0 && json_number(object, "steps") == 0);
    for (size_t i = 0; i < sizeof contract / sizeof *contract; i++) assert_non_null(json_object_get(object, contract[i]));
    json_decref(object);
    expect(done, 0, NULL);
    done = run_command("train", train_file, "--find-lr", "--quiet", "--precision", tl_precision());
    assert_non_null(strstr(done.out, "\nlearning rate         loss     smoothed\n    1.000e-07 "));
    assert_null(strstr(done.out, "best epoch"));
    expect(done, 0, NULL);
}

static void given_options_that_say_nothing_together_when_run_then_refused(void **unused) {
    (void)unused;
    expect(run_command("train", train_file, "--fold", "all", QUICK), 2, "--fold all requires --folds N");
    expect(run_command("train", train_file, "--folds", "50", "--fold", "all", QUICK), 2, "--folds 50: the data has only 24 series");
    expect(run_command("train", train_file, "--folds", "2", "--fold", "all", "--log", log_file, QUICK), 2,
           "--fold all trains a network for each fold; it cannot be combined with --log");
    expect(run_command("train", train_file, "--find-lr", "--checkpoint", log_file, QUICK), 2,
           "--find-lr does not train; it cannot be combined with --checkpoint");
    expect(run_command("train", train_file, "--find-lr", "--resume", log_file, QUICK), 2,
           "--find-lr does not train; it cannot be combined with --resume");
    expect(run_command("train", train_file, "--find-lr", "--folds", "2", "--fold", "all", QUICK), 2,
           "--find-lr does not train; it cannot be combined with --fold all");
}

static void given_a_log_when_trained_then_it_has_a_line_an_epoch(void **unused) {
    (void)unused;
    char text[2000];
    expect(run_command("train", train_file, "--log", log_file, "--lr", "0.002", QUICK), 0, NULL);
    read_log(text, sizeof text);
    const char *line = strtok(text, "\n");
    assert_string_equal(line, "epoch,learning_rate,train_loss,train_accuracy,seconds,validation_loss,validation_accuracy");
    for (int epoch = 1; epoch <= 2; epoch++) {
        int number = 0;
        double rate, loss, accuracy, seconds;
        line = strtok(NULL, "\n");
        assert_non_null(line);
        // NOLINTNEXTLINE(cert-err34-c): our own numbers
        assert_int_equal(sscanf(line, "%d,%lf,%lf,%lf,%lf", &number, &rate, &loss, &accuracy, &seconds), 5);
        assert_int_equal(number, epoch);
        check_number("learning rate", rate, 0.002, 1e-9, 0);
        assert_true(loss > 0 && accuracy >= 0 && accuracy <= 1 && seconds >= 0);
    }
    assert_null(strtok(NULL, "\n"));
}

static size_t count_lines(const char *text) {
    size_t lines = 0;
    for (; *text; text++) lines += *text == '\n';
    return lines;
}

static void given_a_signal_when_training_then_what_was_reached_is_reported(void **unused) {
    (void)unused;
    static char text[1 << 20];
    unlink(log_file);
    run done = run_start((const char *const[RUN_ARGUMENTS]){"train", train_file, "--test", test_file, "--json", "--log", log_file,
                                                            "--precision", tl_precision(), "--epochs", "1000000", "--quiet"},
                         NULL);
    for (int wait = 0; wait < 6000 && count_lines(text) < 3; wait++) {
        nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
        read_log(text, sizeof text);
    }
    kill(done.process, SIGINT);
    run_wait(&done);
    json_t *object = run_json(&done);
    assert_true(json_is_true(json_object_get(object, "interrupted")));
    const double epochs = json_number(object, "epochs");
    assert_true(epochs >= 2 && epochs < 1000000);
    assert_true(json_number(object, "test_loss") > 0);
    json_decref(object);
    expect(done, 0, "tapline train: interrupted");
}

/* Starts the command, and ends it by Ctrl-C when `text` is on stderr. */
static run interrupt_at(const char *text, const char *const *arguments) {
    run started = run_start(arguments, NULL);
    char err[4096] = "";
    for (int wait = 0; wait < 12000 && !strstr(err, text); wait++) {
        nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
        const ssize_t count = pread(started.files[1], err, sizeof err - 1, 0);
        err[count > 0 ? count : 0] = '\0';
    }
    kill(started.process, SIGINT);
    run_wait(&started);
    return started;
}

#define INTERRUPTED(text, ...)                                                                                                     \
    interrupt_at(text, (const char *const[RUN_ARGUMENTS]){"train", __VA_ARGS__, "--precision", tl_precision()})

static void given_a_signal_when_cross_validating_then_the_folds_so_far_reported(void **unused) {
    (void)unused;
    run done = INTERRUPTED("epoch 20/200", train_file, "--folds", "3", "--fold", "all", "--epochs", "200", "--json");
    json_t *object = run_json(&done), *folds = json_object_get(object, "folds");
    assert_true(json_is_true(json_object_get(object, "interrupted")));
    assert_int_equal(json_array_size(folds), 1);
    assert_true(json_number(json_array_get(folds, 0), "epochs") < 200);
    assert_true(json_number(object, "validation_loss") > 0);
    assert_true(json_is_null(json_object_get(json_object_get(object, "deviation"), "validation_loss"))); /* of one fold */
    json_decref(object);
    expect(done, 0, "tapline train: interrupted");
    done = INTERRUPTED("epoch 20/200", train_file, "--folds", "3", "--fold", "all", "--epochs", "200");
    assert_non_null(strstr(done.out, ", 1 of 3 folds\n"));
    assert_non_null(strstr(done.out, "\nmean "));
    assert_true(!strstr(done.out, "deviation") && !strstr(done.out, "nan"));
    expect(done, 0, "tapline train: interrupted");
}

static void given_a_signal_when_finding_a_rate_then_the_true_reason(void **unused) {
    (void)unused;
    run done = INTERRUPTED("epoch 2/20", "builtin:synthetic-control", "--find-lr", "--batch", "60");
    assert_non_null(strstr(done.out, "\n    1.000e-07 "));
    assert_null(strstr(done.out, "1.000e+01"));
    assert_true(strstr(done.out, "no suggestion: interrupted after ") || strstr(done.out, "suggestion: --lr"));
    assert_null(strstr(done.out, "scatters less"));
    expect(done, 0, "tapline train: interrupted");
}

static void given_names_not_in_utf8_when_reported_then_json_has_them_repaired(void **unused) {
    (void)unused;
    char path[80];
    snprintf(path, sizeof path, "%s/\xC3\xA9\xE9.csv", folder); /* a letter of UTF-8 and one of Latin-1 */
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs("caf\xE9,1,2\nb,2,1\n", file);
    fclose(file);
    run done = run_command("train", path, "--json", QUICK);
    json_t *object = run_json(&done);
    const char *name = json_string_value(json_object_get(object, "data"));
    assert_non_null(name);
    assert_string_equal(strrchr(name, '/'), "/\xC3\xA9\xEF\xBF\xBD.csv");
    json_decref(object);
    expect(done, 0, NULL);
    done = run_command("train", path, "--out", log_file, "--precision", tl_precision(), "--epochs", "5"); /* before any epoch */
    assert_null(strstr(done.err, "epoch"));
    expect(done, 2, "tapline train: save: class name \"caf\xE9\" is not UTF-8");
    unlink(path);
}

/* ---- refusals (of each option's values: test_command_options.c) ---- */

static void given_a_wrong_option_when_run_then_said_what_is_wrong_and_exit_code_2(void **unused) {
    (void)unused;
    const struct {
        const char *option, *argument, *text;
    } wrong[] = {
        {"--lr", "nan", "tapline train: --lr nan: must be a positive finite number\n"},
        {"--epohcs", "3", "tapline train: unknown option --epohcs; did you mean --epochs?\n"},
        {"--epoch=3", NULL, "tapline train: unknown option --epoch; did you mean --epochs?\n"},
        {"-lr", "3", "unknown option -lr; did you mean --lr?"},
        {"--frobnicate", NULL, "tapline train: unknown option --frobnicate; `tapline help train` lists the options\n"},
        {"--arch", "fcm", "tapline train: --arch fcm: unknown; did you mean fcn? Choices: "},
        {"more.tsv", NULL, "tapline train: unexpected argument more.tsv after "},
        {"--momentum", "0.5", "adam: momentum 0.5 does not apply to this optimizer"},
        {"--nesterov", NULL, "adam: nesterov does not apply to this optimizer"},
        {"--schedule-period", "3", "schedule: period 3 does not apply to plateau"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        expect(run_command("train", train_file, wrong[i].option, wrong[i].argument), 2, wrong[i].text);
}

static void given_an_unknown_command_when_run_then_told_the_closest(void **unused) {
    (void)unused;
    expect(run_command("trian"), 2, "tapline: unknown command trian; did you mean train?\n");
    expect(run_command("-v"), 2, "tapline: unknown option -v; `tapline help` lists the commands\n");
    expect(run_command("cook"), 2, "tapline: unknown command cook; `tapline help` lists the commands\n");
    expect(run_command("bench", "cnov"), 2, "tapline bench: needs a second word: conv, step, stream or read\n");
    expect(run_command("bench", "conv", "--enigne", "gemm"), 2,
           "tapline bench conv: unknown option --enigne; did you mean --engine?\n");
    expect(run_command("bench", "conv", "--engine", "auto,niave"), 2, "--engine niave: unknown; did you mean naive? Choices: ");
    expect(run_command("bench", "conv", "more"), 2, "tapline bench conv: unexpected argument more\n");
    expect(run_command(NULL), 2, "tapline train ");
}

static void given_help_or_version_when_asked_then_on_stdout(void **unused) {
    (void)unused;
    static const char *const asked[][3] = {
        {"--help"}, {"help", "train"}, {"train", "--help"}, {"train", "--json", "--help"}, {"help", "bench", "conv"}};
    for (size_t i = 0; i < sizeof asked / sizeof *asked; i++) {
        run done = run_command(asked[i][0], asked[i][1], asked[i][2]);
        assert_non_null(strstr(done.out, i == 0 ? "tapline train" : i == 4 ? "--engine LIST" : "--epochs N"));
        expect(done, 0, NULL);
    }
    run done = run_command("--version");
    char version[64];
    snprintf(version, sizeof version, "tapline %s\n", tl_version());
    assert_string_equal(done.out, version);
    expect(done, 0, NULL);
}

static void given_unreadable_data_when_trained_then_told_where(void **unused) {
    (void)unused;
    expect(run_command("train", "/nonexistent/data.ts"), 1, "tapline train: /nonexistent/data.ts: ");
    expect(run_command("train", nonsense_file), 1, "nonsense.tsv:2:");
    expect(run_command("train", train_file, "--test", nonsense_file), 1, "nonsense.tsv:");
    expect(run_command("train", "/tmp"), 1, "tapline train: /tmp");
}

static void given_files_that_cannot_be_written_when_trained_then_exit_code_1(void **unused) {
    (void)unused;
    expect(run_command("train", train_file, "--log", "/nonexistent/log.csv", QUICK), 1,
           "tapline train: --log /nonexistent/log.csv: cannot be written: No such file or directory\n");
    if (access("/dev/full", W_OK) != 0) return;
    expect(run_command("train", train_file, "--log", "/dev/full", QUICK), 1, "--log /dev/full: is a device, not a file");
    run done = run_start((const char *const[RUN_ARGUMENTS]){"train", train_file, "--json", QUICK}, "/dev/full");
    run_wait(&done);
    expect(done, 1, "tapline: stdout: cannot write the result: No space left on device\n");
}

static void given_data_that_are_no_file_of_series_when_trained_then_exit_code_1(void **unused) {
    (void)unused;
    char path[sizeof folder + 20];
    snprintf(path, sizeof path, "%s/pipe.csv", folder);
    assert_int_equal(mkfifo(path, 0600), 0);
    expect(run_command("train", path, QUICK), 1,
           "/pipe.csv: is a pipe, not a file; the command reads standard input as `-`\n"); /* without waiting for a writer */
    unlink(path);
    assert_int_equal(mkdir(path, 0700), 0);
    expect(run_command("train", path, QUICK), 1, "/pipe.csv: expected files of series, got none\n");
    rmdir(path);
}

static void given_a_rate_that_diverges_when_trained_then_the_step_is_named(void **unused) {
    (void)unused;
    expect(run_command("train", values_file, "--raw", "--optimizer", "sgd", "--lr", "1e30", QUICK), 1, "non-finite");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(given_json_when_trained_then_the_last_line_has_every_key),
        cmocka_unit_test(given_easy_classes_when_trained_then_learnt_and_printed_as_a_table),
        cmocka_unit_test(given_no_test_data_when_trained_then_its_keys_are_null),
        cmocka_unit_test(given_no_data_when_trained_then_cbf_is_and_its_test_half_too),
        cmocka_unit_test(given_target_values_when_trained_then_errors_are_reported),
        cmocka_unit_test(given_one_seed_when_trained_twice_then_losses_are_identical),
        cmocka_unit_test(given_engines_and_optimizers_when_trained_then_each_runs),
        cmocka_unit_test(given_losses_when_trained_then_each_runs_on_its_kind_of_data),
        cmocka_unit_test(given_schedules_when_trained_then_each_runs),
        cmocka_unit_test(given_folds_when_trained_then_the_held_out_part_decides),
        cmocka_unit_test(given_all_folds_when_trained_then_mean_and_deviation),
        cmocka_unit_test(given_folds_without_spread_when_trained_then_r2_is_left_out),
        cmocka_unit_test(given_find_lr_when_run_then_rates_are_listed_and_one_suggested),
        cmocka_unit_test(given_options_that_say_nothing_together_when_run_then_refused),
        cmocka_unit_test(given_a_log_when_trained_then_it_has_a_line_an_epoch),
        cmocka_unit_test(given_a_signal_when_cross_validating_then_the_folds_so_far_reported),
        cmocka_unit_test(given_a_signal_when_finding_a_rate_then_the_true_reason),
        cmocka_unit_test(given_names_not_in_utf8_when_reported_then_json_has_them_repaired),
        cmocka_unit_test(given_a_signal_when_training_then_what_was_reached_is_reported),
        cmocka_unit_test(given_a_wrong_option_when_run_then_said_what_is_wrong_and_exit_code_2),
        cmocka_unit_test(given_an_unknown_command_when_run_then_told_the_closest),
        cmocka_unit_test(given_help_or_version_when_asked_then_on_stdout),
        cmocka_unit_test(given_unreadable_data_when_trained_then_told_where),
        cmocka_unit_test(given_files_that_cannot_be_written_when_trained_then_exit_code_1),
        cmocka_unit_test(given_data_that_are_no_file_of_series_when_trained_then_exit_code_1),
        cmocka_unit_test(given_a_rate_that_diverges_when_trained_then_the_step_is_named),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down) != 0;
}
