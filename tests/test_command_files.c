/* The tapline command and model files: train --out, --checkpoint and --resume; eval, predict, info, import
 * and export. */
#include "check.h"
#include "runner.h"

#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { SERIES = 20, LENGTH = 40 };

static char folder[] = "/tmp/tapline-command-files-XXXXXX";
static char train_file[80], test_file[80], values_file[80], model_file[80], whole_file[80], checkpoint_file[80], log_file[80];
static char short_file[80], long_file[80], weights_file[80], map_file[80], gaps_file[80], bare_file[80];

/* Series of two classes, one of whose names CSV must quote. */
static void write_classes(const char *path, uint32_t seed) {
    tl_rng rng = tl_rng_at(seed, TL_STREAM_USER, 0, 0);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fprintf(file,
            "@problemName Lines\n@timeStamps false\n@univariate true\n@equalLength true\n@classLabel true up down\"er\n@data\n");
    for (int i = 0; i < SERIES; i++) {
        for (int t = 0; t < LENGTH; t++)
            fprintf(file, "%s%.4f", t ? "," : "", (i % 2 ? 0.1 : -0.1) * t + 0.3 * tl_rng_normal(&rng));
        fprintf(file, ":%s\n", i % 2 ? "up" : "down\"er");
    }
    fclose(file);
}

/* Series of `minimum` to `maximum` steps (equal: all have this length): a spike in noise, up or down. */
static void write_unequal(const char *path, int minimum, int maximum) {
    tl_rng rng = tl_rng_at(4, TL_STREAM_USER, 0, 0);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fprintf(file, "@equalLength false\n@classLabel true up down\n@data\n");
    for (int i = 0; i < SERIES; i++) {
        const int length = minimum + (int)tl_rng_below(&rng, (uint32_t)(maximum - minimum + 1));
        for (int t = 0; t < length; t++)
            fprintf(file, "%s%.4f", t ? "," : "", (t == length / 2) * (i % 2 ? 5 : -5) + 0.1 * tl_rng_normal(&rng));
        fprintf(file, ":%s\n", i % 2 ? "up" : "down");
    }
    fclose(file);
}

static void write_values(const char *path) {
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fprintf(file, "@problemName Slopes\n@timeStamps false\n@univariate true\n@equalLength true\n@targetLabel true\n@data\n");
    for (int i = 0; i < SERIES; i++) {
        for (int t = 0; t < LENGTH; t++) fprintf(file, "%s%.4f", t ? "," : "", 0.01 * i * t);
        fprintf(file, ":%.4f\n", 0.01 * i);
    }
    fclose(file);
}

/* With gaps in half of the series. */
static void write_gaps(const char *path) {
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    for (int i = 0; i < SERIES; i++) {
        fprintf(file, "%d", i % 2);
        for (int t = 0; t < LENGTH; t++) fprintf(file, i < SERIES / 2 && t % 3 == 1 ? ",?" : ",%d", i % 2 ? t : t * t % 7);
        fputs("\n", file);
    }
    fclose(file);
}

static int set_up(void **unused) {
    (void)unused;
    if (!mkdtemp(folder)) return 1;
    snprintf(train_file, sizeof train_file, "%s/train.ts", folder);
    snprintf(test_file, sizeof test_file, "%s/test.ts", folder);
    snprintf(values_file, sizeof values_file, "%s/values.ts", folder);
    snprintf(model_file, sizeof model_file, "%s/model.safetensors", folder);
    snprintf(whole_file, sizeof whole_file, "%s/whole.safetensors", folder);
    snprintf(checkpoint_file, sizeof checkpoint_file, "%s/checkpoint", folder);
    snprintf(log_file, sizeof log_file, "%s/log.csv", folder);
    snprintf(short_file, sizeof short_file, "%s/short.ts", folder);
    snprintf(long_file, sizeof long_file, "%s/long.ts", folder);
    snprintf(weights_file, sizeof weights_file, "%s/weights.safetensors", folder);
    snprintf(map_file, sizeof map_file, "%s/map.json", folder);
    write_unequal(short_file, 20, 40);
    write_unequal(long_file, 60, 80);
    snprintf(gaps_file, sizeof gaps_file, "%s/gaps.csv", folder);
    snprintf(bare_file, sizeof bare_file, "%s/bare.ts", folder);
    write_gaps(gaps_file);
    write_classes(train_file, 1);
    write_classes(test_file, 2);
    write_values(values_file);
    return 0;
}

static int tear_down(void **unused) {
    (void)unused;
    const char *const files[] = {train_file, test_file, values_file,  model_file, whole_file, checkpoint_file, log_file,
                                 short_file, long_file, weights_file, map_file,   gaps_file,  bare_file};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) unlink(files[i]);
    return rmdir(folder);
}

/* The run's exit code, and `text` on stderr (NULL: nothing at all there). Frees the run. */
static void expect(run done, int code, const char *text) {
    if (done.code != code || (text ? !strstr(done.err, text) : *done.err != '\0'))
        fail_msg("expected exit code %d and \"%s\" on stderr; got %d and \"%s\"", code, text ? text : "", done.code, done.err);
    run_free(&done);
}

#define TRAIN "train", train_file, "--arch", "timecnn", "--precision", tl_precision(), "--quiet"

static json_t *evaluate_gaps(const char *policy) {
    run done = policy ? run_command("eval", model_file, gaps_file, "--missing", policy, "--json")
                      : run_command("eval", model_file, gaps_file, "--json");
    json_t *object = run_json(&done);
    expect(done, 0, NULL);
    return object;
}

static void given_missing_values_when_trained_then_the_model_keeps_the_policy(void **unused) {
    (void)unused;
    expect(run_command("train", gaps_file, "--quiet"), 1, "gaps.csv:1:5: expected a number (--missing");
    expect(run_command("train", gaps_file, "--missing", "intepolate"), 2, "did you mean interpolate?");
    run trained = run_command("train", gaps_file, "--missing", "interpolate", "--arch", "timecnn", "--epochs", "3", "--quiet",
                              "--json", "--out", model_file);
    json_t *before = run_json(&trained), *same = evaluate_gaps(NULL), *other = evaluate_gaps("zero");
    expect(trained, 0, NULL);
    check_number("loss", json_number(same, "test_loss"), json_number(before, "train_loss"), 1e-6, 0);
    assert_true(fabs(json_number(other, "test_loss") - json_number(before, "train_loss")) > 1e-5);
    expect(run_command("eval", model_file, gaps_file, "--missing", "refuse"), 1, "gaps.csv:1:5: expected a number (--missing");
    run told = run_command("info", model_file);
    assert_non_null(strstr(told.out, ", missing values: interpolate\n"));
    run_free(&told);
    json_decref(before);
    json_decref(same);
    json_decref(other);
}

/* ---- eval, predict, info ---- */

static void given_a_saved_model_when_evaluated_then_the_metrics_of_training(void **unused) {
    (void)unused;
    run trained = run_command(TRAIN, "--test", test_file, "--epochs", "30", "--out", model_file, "--json");
    run evaluated = run_command("eval", model_file, test_file, "--json");
    json_t *before = run_json(&trained), *after = run_json(&evaluated);
    check_number("test_loss", json_number(after, "test_loss"), json_number(before, "test_loss"), 0, 0);
    check_number("test_accuracy", json_number(after, "test_accuracy"), json_number(before, "test_accuracy"), 0, 0);
    check_number("parameters", json_number(after, "parameters"), json_number(before, "parameters"), 0, 0);
    assert_string_equal(json_string_value(json_object_get(after, "precision")), tl_precision());
    const char *key;
    json_t *value;
    json_object_foreach(before, key, value) if (!json_object_get(after, key)) fail_msg("eval has no key %s", key);
    json_decref(after);
    json_decref(before);
    expect(trained, 0, NULL);
    expect(evaluated, 0, NULL);
    run table = run_command("eval", model_file, test_file);
    assert_non_null(strstr(table.out, "\ntest "));
    expect(table, 0, NULL);
}

static void given_a_saved_model_when_predicting_then_a_line_per_series(void **unused) {
    (void)unused;
    expect(run_command(TRAIN, "--epochs", "30", "--out", model_file), 0, NULL);
    run done = run_command("predict", model_file, test_file);
    const char *line = done.out;
    const char head[] = "class,label,up,\"down\"\"er\"\n";
    assert_int_equal(strncmp(line, head, sizeof head - 1), 0);
    line += sizeof head - 1;
    int right = 0;
    for (int i = 0; i < SERIES; i++) {
        const bool up = strncmp(line, "up,", 3) == 0;
        assert_true(up || strncmp(line, "\"down\"\"er\",", 11) == 0);
        const char *label = strchr(line, ',') + 1;
        assert_true(strncmp(label, "up,", 3) == 0 ? i % 2 == 1 : i % 2 == 0 && strncmp(label, "\"down\"\"er\",", 11) == 0);
        char *end;
        const double first = strtod(strchr(label, ',') + 1, &end), second = strtod(end + 1, &end);
        check_number("the sum of probabilities", first + second, 1, 0, 1e-6);
        assert_true(up == (first > second) && *end == '\n');
        right += up == (i % 2 == 1);
        line = end + 1;
    }
    assert_true(*line == '\0' && right >= SERIES / 2);
    expect(done, 0, NULL);
}

/* The lines of a .ts file, without its labels. */
static void write_without_labels(const char *from, const char *to) {
    char line[4096];
    FILE *labelled = fopen(from, "r"), *file = fopen(to, "w");
    assert_true(labelled && file);
    fputs("@classLabel false\n", file);
    bool data = false;
    while (fgets(line, sizeof line, labelled)) {
        if (data) memcpy(strchr(line, ':'), "\n", 2); /* and its end */
        data = data || strcmp(line, "@data\n") == 0;
        if (data) fputs(line, file);
    }
    fclose(labelled);
    fclose(file);
}

/* Takes the second column, the label, off each line. */
static void drop_labels(char *csv) {
    char *to = csv;
    for (const char *line = csv; *line;) {
        const char *first = strchr(line, ','), *second = strchr(first + 1, ','), *end = strchr(line, '\n') + 1;
        memmove(to, line, (size_t)(first - line));
        to += first - line;
        memmove(to, second, (size_t)(end - second));
        to += end - second;
        line = end;
    }
    *to = '\0';
}

static void given_series_without_labels_when_predicted_then_as_with_them(void **unused) {
    (void)unused;
    expect(run_command(TRAIN, "--epochs", "2", "--out", model_file), 0, NULL);
    write_without_labels(test_file, bare_file);
    run with = run_command("predict", model_file, test_file), without = run_command("predict", model_file, bare_file);
    drop_labels(with.out);
    assert_string_equal(with.out, without.out);
    expect(with, 0, NULL);
    expect(without, 0, NULL);
    with = run_command("predict", model_file, model_file, test_file);
    without = run_command("predict", model_file, model_file, bare_file);
    drop_labels(with.out);
    assert_string_equal(with.out, without.out);
    expect(with, 0, NULL);
    expect(without, 0, NULL);
    expect(run_command("eval", model_file, bare_file), 1, "expected @classLabel true with the labels, or @targetLabel true");
}

static void given_a_regression_when_it_predicts_then_values(void **unused) {
    (void)unused;
    expect(run_command("train", values_file, "--raw", "--arch", "timecnn", "--precision", tl_precision(), "--quiet", "--epochs",
                       "2", "--out", model_file),
           0, NULL);
    run done = run_command("predict", model_file, values_file);
    assert_int_equal(strncmp(done.out, "value,target\n", 13), 0);
    size_t lines = 0;
    for (const char *c = done.out; *c; c++) lines += *c == '\n';
    assert_int_equal(lines, SERIES + 1);
    expect(done, 0, NULL);
    done = run_command("eval", model_file, values_file, "--json");
    json_t *object = run_json(&done);
    assert_true(json_number(object, "test_rmse") > 0);
    json_decref(object);
    expect(done, 0, NULL);
}

static void given_a_saved_model_when_described_then_its_layers_and_classes(void **unused) {
    (void)unused;
    expect(run_command(TRAIN, "--epochs", "1", "--out", model_file), 0, NULL);
    run done = run_command("info", model_file, "--json");
    json_t *object = run_json(&done), *layers = json_object_get(object, "layers"), *layer;
    assert_string_equal(json_string_value(json_array_get(json_object_get(object, "class_names"), 0)), "up");
    double sum = 0;
    size_t i;
    json_array_foreach(layers, i, layer) sum += json_number(layer, "parameters");
    check_number("parameters", sum, json_number(object, "parameters"), 0, 0);
    check_number("of conv1d_1", json_number(json_array_get(layers, 0), "parameters"), 7 * 6 + 6, 0, 0);
    check_number("its channels", json_number(json_array_get(layers, 0), "channels"), 6, 0, 0);
    json_decref(object);
    expect(done, 0, NULL);
    done = run_command("info", model_file);
    assert_non_null(strstr(done.out, "classes    2: up, down\"er\n"));
    assert_non_null(strstr(done.out, "\nconv1d_1 "));
    expect(done, 0, NULL);
}

/* ---- weights of PyTorch ---- */

static void write_map(const char *text) {
    FILE *file = fopen(map_file, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

/* The predictions of two models for the test file must be the same text. */
static void check_same_predictions(const char *model, const char *other) {
    run one = run_command("predict", model, test_file), same = run_command("predict", other, test_file);
    assert_string_equal(one.out, same.out);
    expect(one, 0, NULL);
    expect(same, 0, NULL);
}

static void given_a_saved_model_when_exported_and_imported_then_the_same(void **unused) {
    (void)unused;
    expect(run_command(TRAIN, "--epochs", "3", "--out", model_file), 0, NULL);
    write_map("{\"first\": \"conv1d_1\", \"second\": \"conv1d_2\", \"out\": \"dense_1\"}");
    run done = run_command("export", model_file, "--out", weights_file, "--map", map_file, "--json");
    json_t *object = run_json(&done), *layers = json_object_get(object, "layers");
    assert_string_equal(json_string_value(json_object_get(object, "model")), model_file);
    assert_string_equal(json_string_value(json_object_get(object, "weights")), weights_file);
    assert_string_equal(json_string_value(json_object_get(object, "precision")), tl_precision());
    assert_int_equal(json_array_size(layers), 3);
    assert_string_equal(json_string_value(json_object_get(json_array_get(layers, 2), "name")), "dense_1");
    assert_string_equal(json_string_value(json_object_get(json_array_get(layers, 2), "module")), "out");
    json_decref(object);
    expect(done, 0, NULL);
    done = run_command("import", weights_file, train_file, "--arch", "timecnn", "--precision", tl_precision(), "--out", whole_file);
    assert_non_null(strstr(done.out, " parameters, "));
    assert_non_null(strstr(done.out, "\nweights    "));
    assert_non_null(strstr(done.out, "\n\nlayer                    module\n"));
    assert_non_null(strstr(done.out, "\nconv1d_2                 second\n"));
    assert_non_null(strstr(done.out, whole_file));
    expect(done, 0, NULL);
    check_same_predictions(model_file, whole_file);
    done = run_command("import", weights_file, train_file, "--arch", "timecnn", "--map", map_file, "--json");
    object = run_json(&done);
    assert_true(json_is_null(json_object_get(object, "model")));
    json_decref(object);
    expect(done, 0, NULL);
    expect(run_command("eval", weights_file, test_file), 1, "of another program (\"format\" is \"pt\"; expected \"tapline\")");
}

static void given_gaps_when_weights_are_imported_then_the_policy_is_kept(void **unused) {
    (void)unused;
    expect(run_command("train", gaps_file, "--missing", "mean", "--arch", "timecnn", "--epochs", "1", "--quiet", "--precision",
                       tl_precision(), "--out", model_file),
           0, NULL);
    expect(run_command("export", model_file, "--out", weights_file), 0, NULL);
    expect(run_command("import", weights_file, gaps_file, "--arch", "timecnn"), 1, "gaps.csv:1:5: expected a number (--missing");
    expect(run_command("import", weights_file, gaps_file, "--arch", "timecnn", "--missing", "mean", "--precision", tl_precision(),
                       "--out", whole_file),
           0, NULL);
    run before = run_command("predict", model_file, gaps_file), after = run_command("predict", whole_file, gaps_file);
    assert_string_equal(before.out, after.out);
    expect(before, 0, NULL);
    expect(after, 0, NULL);
    expect(run_command("predict", whole_file, gaps_file, "--missing", "refuse"), 1, "gaps.csv:1:5: expected a number");
}

static void given_weights_that_do_not_fit_when_imported_then_said_why(void **unused) {
    (void)unused;
    expect(run_command(TRAIN, "--epochs", "1", "--out", model_file), 0, NULL);
    expect(run_command("export", model_file, "--out", weights_file), 0, NULL);
    expect(run_command("import", weights_file, train_file, "--arch", "tcn"), 1, "tapline import: /tmp/tapline-command-files-");
    expect(run_command("import", weights_file, values_file, "--arch", "timecnn", "--precision", tl_precision()), 1,
           "tensor dense_1.weight: expected the shape (1, 48) for layer dense_1, found (2, 48)");
    expect(run_command("import", model_file, train_file, "--arch", "timecnn"), 1, "is a model file of tapline, not weights");
    expect(run_command("import", weights_file, "no-such-data.csv"), 1, "no-such-data.csv: No such file or directory");
    expect(run_command("import", weights_file, train_file, "--arch", "inceptiontime"), 2,
           "--arch inceptiontime: it is 5 networks that are averaged, but weights are those of one network; use --arch inception");
    expect(run_command("import", weights_file, train_file, "--arch", "litetime"), 2, "use --arch lite\n");
    expect(run_command("import", weights_file), 2, "tapline import: needs DATA");
    expect(run_command("export", model_file), 2, "tapline export: needs --out FILE; see `tapline help export`");
    expect(run_command("export", weights_file, "--out", whole_file), 1, "of another program");
    write_map("{\"out\": \"dense_2\"}");
    expect(run_command("export", model_file, "--out", weights_file, "--map", map_file), 2, "did you mean \"dense_1\"?");
}

static void write_text(const char *path, const char *text) {
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

/* Five outputs, of which the data names three: which is which would be guessed. */
static void given_classes_unlike_outputs_when_trained_or_imported_then_refused(void **unused) {
    (void)unused;
    char five[100], three[100], network[100];
    snprintf(five, sizeof five, "%s/five.csv", folder);
    snprintf(three, sizeof three, "%s/three.csv", folder);
    snprintf(network, sizeof network, "%s/five.json", folder);
    write_text(five, "c0,1,2\nc1,2,1\nc2,1,3\nc3,3,1\nc4,1,4\n");
    write_text(three, "c1,2,1\nc3,3,1\nc4,1,4\n");
    write_text(network, "{\"layers\":[{\"type\":\"flatten\"},{\"type\":\"dense\",\"units\":5}]}");
    expect(run_command("train", five, "--raw", "--arch", network, "--quiet", "--epochs", "2", "--precision", tl_precision(),
                       "--out", model_file),
           0, NULL);
    expect(run_command("export", model_file, "--out", weights_file), 0, NULL);
    expect(run_command("import", weights_file, five, "--arch", network, "--precision", tl_precision()), 0, NULL);
    expect(run_command("import", weights_file, three, "--arch", network, "--precision", tl_precision(), "--out", whole_file), 1,
           "3 classes are fewer than the 5 outputs of the model");
    expect(run_command("train", three, "--arch", network, "--quiet", "--epochs", "2"), 1,
           "3 classes are fewer than the 5 outputs of the model");
    remove(five);
    remove(three);
    remove(network);
}

/* ---- checkpoints ---- */

static void check_same_models(void) {
    char one[20000], other[20000];
    FILE *a = fopen(whole_file, "rb"), *b = fopen(model_file, "rb");
    assert_non_null(a);
    assert_non_null(b);
    const size_t size = fread(one, 1, sizeof one, a);
    assert_true(size < sizeof one && fread(other, 1, sizeof other, b) == size);
    assert_memory_equal(one, other, size);
    fclose(a);
    fclose(b);
}

static size_t count_lines(const char *path) {
    size_t lines = 0;
    FILE *file = fopen(path, "r");
    for (int c; file && (c = fgetc(file)) != EOF;) lines += c == '\n';
    if (file) fclose(file);
    return lines;
}

static void given_ctrl_c_when_resumed_then_model_and_log_as_uninterrupted(void **unused) {
    (void)unused;
    enum { EPOCHS = 400 };
    expect(run_command(TRAIN, "--epochs", "400", "--out", whole_file), 0, NULL);
    run done = run_start((const char *const[RUN_ARGUMENTS]){TRAIN, "--epochs", "400", "--checkpoint", checkpoint_file, "--out",
                                                            model_file, "--log", log_file},
                         NULL);
    for (int wait = 0; wait < 6000 && count_lines(log_file) < 5; wait++) nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    kill(done.process, SIGINT);
    run_wait(&done);
    expect(done, 0, "interrupted");
    assert_true(count_lines(log_file) < EPOCHS);
    expect(run_command(TRAIN, "--epochs", "400", "--resume", checkpoint_file, "--out", model_file, "--log", log_file), 0, NULL);
    check_same_models();
    assert_int_equal(count_lines(log_file), EPOCHS + 1);
}

static void given_another_instruction_set_when_resumed_then_said_on_stderr(void **unused) {
    (void)unused;
    if (strcmp(tl_isa(), "baseline") == 0) skip();
    expect(run_command(TRAIN, "--epochs", "2", "--checkpoint", checkpoint_file), 0, NULL);
    setenv("TAPLINE_ISA", "baseline", 1);
    expect(run_command(TRAIN, "--epochs", "3", "--resume", checkpoint_file), 0, "the last bits may differ");
    unsetenv("TAPLINE_ISA");
}

/* ---- refusals ---- */

static void given_unequal_series_when_trained_then_other_lengths_are_told(void **unused) {
    (void)unused;
    const char *const data[] = {short_file, long_file};
    for (int trained = 0; trained < 2; trained++) {
        const char *const epochs = trained ? "60" : "40";
        run done = run_command("train", data[trained], "--test", data[1 - trained], "--precision", tl_precision(), "--epochs",
                               epochs, "--quiet", "--json", "--raw", "--out", model_file);
        json_t *object = run_json(&done);
        run evaluated = run_command("eval", model_file, data[1 - trained], "--json");
        json_t *again = run_json(&evaluated);
        assert_int_equal(done.code, 0);
        check_number("accuracy", json_number(object, "test_accuracy"), 1, 0, 0);
        check_number("loss", json_number(again, "test_loss"), json_number(object, "test_loss"), 1e-4, 0);
        json_decref(object);
        json_decref(again);
        run_free(&done);
        run_free(&evaluated);
        expect(run_command("predict", model_file, data[1 - trained]), 0, NULL);
    }
    expect(run_command("train", long_file, "--arch", "timecnn", "--epochs", "1"), 1,
           "(flatten): needs whole series, but lengths were set");
}

static void given_files_that_do_not_fit_when_used_then_said_why(void **unused) {
    (void)unused;
    expect(run_command("eval", train_file, test_file), 1, "tapline eval: /tmp/tapline-command-files-");
    expect(run_command("predict", "no-such-model", test_file), 1, "tapline predict: no-such-model: No such file or directory");
    expect(run_command("eval", test_file, model_file), 1,
           "is not a safetensors file: its header would have "); /* in the wrong order */
    expect(run_command("eval", model_file, ""), 2, "tapline eval: '' is an empty argument");
    expect(run_command(TRAIN, "--checkpoint-every", "3"), 2, "--checkpoint-every 3 requires --checkpoint FILE");
    expect(run_command("eval", model_file), 2, "tapline eval: needs MODEL... DATA; see `tapline help eval`");
    expect(run_command("info"), 2, "tapline info: needs a MODEL, or --arch NAME and --input LxC; ");
    expect(run_command("info", "a", "b"), 2, "unexpected argument b after a");
    expect(run_command(TRAIN, "--out", "/no/such/folder/m"), 1, "/no/such/folder/m: cannot be written: No such file or directory");
    expect(run_command(TRAIN, "--checkpoint", "/no/such/folder/c"), 1, "/no/such/folder/c: cannot be written");
    expect(run_command(TRAIN, "--report", "/no/such/folder/r"), 1, "--report /no/such/folder/r: cannot be written");
    expect(run_command(TRAIN, "--report", "-"), 2, "--report -: standard output is not supported here; ");
    expect(run_command(TRAIN, "--out", "-"), 2,
           "--out -: standard output is not supported here; for a file of this name write ./-");
    expect(run_command(TRAIN, "--resume", "/no/such/file"), 1, "/no/such/file: No such file or directory");
    expect(run_command(TRAIN, "--checkpoint-every", "0"), 2, "--checkpoint-every 0: must be a positive finite number");
    expect(run_command(TRAIN, "--epochs", "2", "--checkpoint", checkpoint_file, "--out", model_file), 0, NULL);
    expect(run_command(TRAIN, "--epochs", "2", "--resume", checkpoint_file, "--momentum", "0.5", "--optimizer", "sgd"), 2,
           "is of another training: learning_rate 0.001, now 0.01; optimizer.name \"adam\", now \"sgd\"");
    const bool single = strcmp(tl_precision(), "f32") == 0;
    expect(run_command("train", train_file, "--arch", "timecnn", "--quiet", "--epochs", "2", "--resume", checkpoint_file,
                       "--precision", single ? "f64" : "f32"),
           2, single ? "training: precision \"f32\", now \"f64\"" : "training: precision \"f64\", now \"f32\"");
    expect(run_command("export", model_file, "--out", model_file), 2, "this file is also MODEL, and would be overwritten");
    expect(run_command("eval", checkpoint_file, test_file), 1, "metadata \"kind\": expected model, found \"checkpoint\"");
    expect(run_command("eval", model_file, values_file), 1, "values.ts");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(given_missing_values_when_trained_then_the_model_keeps_the_policy),
        cmocka_unit_test(given_a_saved_model_when_evaluated_then_the_metrics_of_training),
        cmocka_unit_test(given_a_saved_model_when_predicting_then_a_line_per_series),
        cmocka_unit_test(given_series_without_labels_when_predicted_then_as_with_them),
        cmocka_unit_test(given_a_regression_when_it_predicts_then_values),
        cmocka_unit_test(given_a_saved_model_when_described_then_its_layers_and_classes),
        cmocka_unit_test(given_a_saved_model_when_exported_and_imported_then_the_same),
        cmocka_unit_test(given_gaps_when_weights_are_imported_then_the_policy_is_kept),
        cmocka_unit_test(given_weights_that_do_not_fit_when_imported_then_said_why),
        cmocka_unit_test(given_classes_unlike_outputs_when_trained_or_imported_then_refused),
        cmocka_unit_test(given_ctrl_c_when_resumed_then_model_and_log_as_uninterrupted),
        cmocka_unit_test(given_another_instruction_set_when_resumed_then_said_on_stderr),
        cmocka_unit_test(given_unequal_series_when_trained_then_other_lengths_are_told),
        cmocka_unit_test(given_files_that_do_not_fit_when_used_then_said_why),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down) != 0;
}
