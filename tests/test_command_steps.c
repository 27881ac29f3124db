/* The tapline command with a target for every step: train, eval, predict, and errors. */
#include "files.h"
#include "runner.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SERIES = 20, LENGTH = 16, CHANNELS = 2 };

static char labels_file[200], values_file[200], series_file[200], model_file[200], other_file[200];

static void write_archive(const char *path, const bytes *x, const bytes *y) {
    const bytes file = zip_of(false, (const zip_member[]){{"x.npy", x}, {"y.npy", y}}, 2);
    FILE *to = fopen(path, "wb");
    assert_non_null(to);
    assert_int_equal(fwrite(file.data, 1, file.count, to), file.count);
    fclose(to);
}

/* Noise, and where it is above 0 (a step in four: 0.6745): a label that is -1 or 3; the series' own is whether its first is. */
static void write_files(void) {
    tl_rng rng = tl_rng_at(6, TL_STREAM_USER, 0, 0);
    bytes x = npy_header("'<f4'", "(20, 16)"), labels = npy_header("'|i1'", "(20, 16)"), series = npy_header("'|i1'", "(20,)");
    bytes values = npy_header("'<f4'", "(20, 16, 2)");
    for (int i = 0; i < SERIES; i++)
        for (int t = 0; t < LENGTH; t++) {
            const double value = tl_rng_normal(&rng);
            const uint64_t label = value > 0.6745 ? 3 : UINT64_MAX;
            put_float(&x, (float)value);
            put_integer(&labels, label, 1);
            if (t == 0) put_integer(&series, label, 1);
            put_float(&values, (float)value);
            put_float(&values, (float)(2 - value));
        }
    write_archive(labels_file, &x, &labels);
    write_archive(series_file, &x, &series);
    write_archive(values_file, &x, &values);
}

static int set_up(void **unused) {
    if (files_setup(unused) != 0) return 1;
    snprintf(labels_file, sizeof labels_file, "%s", files_path("labels.npz"));
    snprintf(values_file, sizeof values_file, "%s", files_path("values.npz"));
    snprintf(series_file, sizeof series_file, "%s", files_path("series.npz"));
    snprintf(model_file, sizeof model_file, "%s", files_path("model.safetensors"));
    snprintf(other_file, sizeof other_file, "%s", files_path("other.npz"));
    write_files();
    return 0;
}

static int tear_down(void **unused) {
    const char *const files[] = {labels_file, values_file, series_file, model_file, other_file};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) unlink(files[i]);
    return files_teardown(unused);
}

static void expect(run done, int code, const char *text) {
    if (done.code != code || (text ? !strstr(done.err, text) : *done.err != '\0'))
        fail_msg("expected exit code %d and \"%s\" on stderr; got %d and \"%s\"", code, text ? text : "", done.code, done.err);
    run_free(&done);
}

#define TRAIN(data) "train", data, "--raw", "--precision", tl_precision(), "--quiet", "--batch", "4", "--lr", "0.01"

/* Trains the network and saves it; evaluated from the file, its metrics are those of training. */
static json_t *train_and_evaluate(const char *data, const char *network, const char *epochs) {
    run trained = run_command(TRAIN(data), "--arch", network, "--test", data, "--epochs", epochs, "--out", model_file, "--json");
    json_t *before = run_json(&trained);
    expect(trained, 0, "series for test are also in the training set");
    run evaluated = run_command("eval", model_file, data, "--json");
    json_t *after = run_json(&evaluated);
    expect(evaluated, 0, NULL);
    check_number("test_loss", json_number(after, "test_loss"), json_number(before, "test_loss"), 1e-5, 0); /* in other batches */
    json_decref(before);
    return after;
}

static void given_labels_per_step_when_trained_and_saved_then_the_same_result(void **unused) {
    (void)unused;
    static const char *const networks[] = {"unet", EXAMPLES "/architectures/unet.json"};
    for (size_t i = 0; i < sizeof networks / sizeof *networks; i++) {
        json_t *object = train_and_evaluate(labels_file, networks[i], "30");
        check_number("classes", json_number(object, "classes"), 2, 0, 0);
        check_number("target_length", json_number(object, "target_length"), 16, 0, 0);
        check_number("target_channels", json_number(object, "target_channels"), 1, 0, 0);
        assert_true(json_number(object, "test_accuracy") > 0.95); /* three in four are of the larger class */
        json_decref(object);
    }
    run told = run_command(TRAIN(labels_file), "--arch", "unet", "--epochs", "1");
    assert_non_null(strstr(told.out, ", length 16, channels 1, classes 2 for every step\n"));
    expect(told, 0, NULL);
}

/* The next number, behind a comma but for the first. */
static double next_number(const char **at, char before) {
    char *end;
    if (before) assert_int_equal(*(*at)++, before);
    const double number = strtod(*at, &end);
    assert_true(end > *at);
    *at = end;
    return number;
}

static void given_labels_for_every_step_when_predicted_then_a_line_for_each_step(void **unused) {
    (void)unused;
    json_decref(train_and_evaluate(labels_file, "unet", "10"));
    run done = run_command("predict", model_file, labels_file);
    const char *at = done.out, head[] = "series,step,class,label,-1,3";
    assert_int_equal(strncmp(at, head, sizeof head - 1), 0);
    at += sizeof head - 1;
    for (int i = 0; i < SERIES; i++)
        for (int t = 0; t < LENGTH; t++) {
            check_number("series", next_number(&at, '\n'), i, 0, 0);
            check_number("step", next_number(&at, ','), t, 0, 0);
            const double class = next_number(&at, ',');
            const double label = next_number(&at, ',');
            assert_true(label == -1 || label == 3);
            const double low = next_number(&at, ','), high = next_number(&at, ',');
            check_number("the sum of probabilities", low + high, 1, 0, 1e-6);
            check_number("class", class, high > low ? 3 : -1, 0, 0);
        }
    assert_string_equal(at, "\n");
    run mean = run_command("predict", model_file, model_file, labels_file); /* of the model and itself */
    assert_int_equal(strncmp(mean.out, done.out, sizeof head + 6), 0);
    expect(mean, 0, NULL);
    expect(done, 0, NULL);
}

static void given_values_per_step_when_predicted_then_a_column_each(void **unused) {
    (void)unused;
    json_t *object = train_and_evaluate(values_file, "unet", "20");
    check_number("classes", json_number(object, "classes"), 0, 0, 0);
    assert_true(json_number(object, "test_r2") > 0.5);
    json_decref(object);
    run done = run_command("predict", model_file, values_file);
    const char *at = done.out, head[] = "series,step,value_0,value_1,target_0,target_1";
    assert_int_equal(strncmp(at, head, sizeof head - 1), 0);
    at += sizeof head - 1;
    double error = 0;
    for (int i = 0; i < SERIES * LENGTH; i++) {
        const int series = i / LENGTH, step = i % LENGTH;
        check_number("series", next_number(&at, '\n'), series, 0, 0);
        check_number("step", next_number(&at, ','), step, 0, 0);
        const double first = next_number(&at, ','), second = next_number(&at, ',');
        const double sum = next_number(&at, ',') + next_number(&at, ',');
        check_number("the sum of targets", sum, 2, 0, 1e-5);
        error += (first + second - 2) * (first + second - 2) / (SERIES * LENGTH); /* they add up to 2 */
    }
    assert_true(error < 0.5);
    assert_string_equal(at, "\n");
    expect(done, 0, NULL);
}

/* A class of one step in eight weighs four times as much as without balance, the other 8 / 14: as a model's file says. */
static void given_labels_per_step_when_balanced_then_by_shares_of_steps(void **unused) {
    (void)unused;
    bytes x = npy_header("'<f4'", "(2, 8)"), y = npy_header("'|u1'", "(2, 8)");
    for (int i = 0; i < 16; i++) {
        put_float(&x, (float)(i * i % 7));
        put_integer(&y, i % 8 == 5, 1);
    }
    write_archive(other_file, &x, &y);
    expect(run_command("train", other_file, "--arch", "unet", "--epochs", "1", "--quiet", "--balance", "--out", model_file), 0,
           NULL);
    FILE *file = fopen(model_file, "rb");
    assert_non_null(file);
    char text[20000], *weights = NULL;
    const size_t count = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    for (size_t i = 0; i < count && !weights; i++)
        if (strncmp(text + i, "class_weights", 13) == 0) weights = text + i;
    assert_non_null(weights);
    text[count] = '\0';
    weights = strchr(weights, '[') + 1;
    check_number("of 0", strtod(weights, &weights), 16.0 / (2 * 14), 1e-12, 0);
    check_number("of 1", strtod(strchr(weights, ',') + 1, NULL), 16.0 / (2 * 2), 1e-12, 0);
}

static void given_a_network_and_data_that_do_not_fit_when_used_then_said_why(void **unused) {
    (void)unused;
    expect(run_command(TRAIN(labels_file)), 1,
           "tapline train: data: each series has targets for 16 steps, but the output of the model has length 1 (unet, or tl_unet, "
           "has an output for every step)\n");
    expect(run_command(TRAIN(series_file), "--arch", "unet"), 1,
           "tapline train: data: each series has targets for 1 step, but the output of the model has length 16\n");
    expect(run_command("train", "builtin:synthetic-control", "--arch", "unet", "--quiet"), 1,
           "tapline train: unet: length 60 is not a multiple of 8 (levels 3); cut the series, or pad them with zeros\n");
    expect(run_command(TRAIN(labels_file), "--arch", "unet", "--crop", "0.5"), 2, "fit: crop 0.5 moves the steps of series");
    expect(run_command(TRAIN(values_file), "--arch", "unet", "--balance"), 2,
           "--balance needs classes; the data has target values");
    expect(run_command(TRAIN(labels_file), "--arch", "unet", "--test", series_file), 1,
           "expected targets for 16 steps of each series, as in the training set, got 1");
    json_decref(train_and_evaluate(labels_file, "unet", "1"));
    expect(run_command("eval", model_file, series_file), 1,
           "expected targets for 16 steps of each series, as in the training set, got 1");
    expect(run_command("eval", model_file, values_file), 1, "expected labels, as in the training set");
    expect(run_command("predict", model_file, values_file), 0, NULL); /* whatever is there in place of labels */
    expect(run_command(TRAIN(series_file), "--arch", "fcn", "--epochs", "1", "--out", model_file), 0, NULL);
    expect(run_command("eval", model_file, labels_file), 1,
           "expected targets for 1 step of each series, as in the training set, got 16");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(given_labels_per_step_when_trained_and_saved_then_the_same_result),
        cmocka_unit_test(given_labels_for_every_step_when_predicted_then_a_line_for_each_step),
        cmocka_unit_test(given_values_per_step_when_predicted_then_a_column_each),
        cmocka_unit_test(given_labels_per_step_when_balanced_then_by_shares_of_steps),
        cmocka_unit_test(given_a_network_and_data_that_do_not_fit_when_used_then_said_why),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down) != 0;
}
