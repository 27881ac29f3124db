/* `tapline train --report` and `tapline eval --report`: the page of HTML. */
#include "check.h"
#include "cli/page/activation_map.h"
#include "cli/page/run_page.h"
#include "cli/page/verdict.h"
#include "folder.h"
#include "markup.h"
#include "runner.h"

#include <dirent.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum { SERIES = 12, LENGTH = 16 };

/* Two classes with hostile names; the second half of each series tells them apart. */
static void write_classes(const char *name) {
    FILE *file = folder_create(name);
    for (int i = 0; i < SERIES; i++) {
        fputs(i % 2 ? "<script>alert(1)</script>" : "a&b'\x1b[31m", file);
        for (int t = 0; t < LENGTH; t++) fprintf(file, ",%d", t < LENGTH / 2 ? i * t % 3 : (i % 2 ? 5 : -5) + t % 2);
        fputc('\n', file);
    }
    fclose(file);
}

/* A table with a header: two targets of 0 or 1, and values. */
static void write_labels(const char *name) {
    FILE *file = folder_create(name);
    fputs("first,second", file);
    for (int t = 0; t < LENGTH; t++) fprintf(file, ",v%d", t);
    for (int i = 0; i < SERIES; i++) {
        fprintf(file, "\n%d,%d", i % 2, i % 3 == 0);
        for (int t = 0; t < LENGTH; t++) fprintf(file, ",%d", i * t % 5);
    }
    fputc('\n', file);
    fclose(file);
}

/* Target values, and series of different lengths. */
static void write_values(const char *name) {
    FILE *file = folder_create(name);
    fprintf(file, "@problemName Slopes\n@univariate true\n@equalLength false\n@targetLabel true\n@data\n");
    for (int i = 0; i < SERIES; i++) {
        for (int t = 0; t < LENGTH + i; t++) fprintf(file, "%s%d", t ? "," : "", i * t % 7);
        fprintf(file, ":%d\n", i);
    }
    fclose(file);
}

static int set_up(void **unused) {
    (void)unused;
    static const char network[] = "{\"layers\": [{\"type\": \"conv1d\", \"filters\": 4, \"kernel\": 3}, {\"type\": \"relu\"},"
                                  "{\"type\": \"global_average_pool\"}, {\"type\": \"dense\", \"units\": \"outputs\"}]}";
    static const char steps[] = "{\"layers\": [{\"type\": \"conv1d\", \"filters\": 4, \"kernel\": 3, \"padding\": \"same\"},"
                                "{\"type\": \"relu\"}, {\"type\": \"conv1d\", \"filters\": \"outputs\", \"kernel\": 1}]}";
    static const char coarse[] = "{\"layers\": [{\"type\": \"max_pool\", \"window\": 1000},"
                                 "{\"type\": \"conv1d\", \"filters\": 2, \"kernel\": 3}, {\"type\": \"global_average_pool\"},"
                                 "{\"type\": \"dense\", \"units\": \"outputs\"}]}";
    const struct { const char *name, *text; } networks[] = {{"net.json", network}, {"steps.json", steps}, {"coarse.json", coarse}};
    if (folder_setup() != 0) return 1;
    for (size_t i = 0; i < 3; i++) {
        FILE *file = folder_create(networks[i].name);
        fputs(networks[i].text, file);
        fclose(file);
    }
    write_classes("classes.csv");
    write_labels("labels.csv");
    write_values("values.ts");
    return 0;
}

#define TRAIN(data, network, epochs)                                                                                               \
    "train", in_folder(data), "--arch", in_folder(network), "--epochs", epochs, "--quiet", "--threads", "1", "--precision",        \
        tl_precision()

/* Checks the exit code, and the text on stderr (NULL: nothing at all there). Frees the run. */
static void expect(run done, int code, const char *text) {
    if (done.code != code || (text ? !strstr(done.err, text) : *done.err != '\0'))
        fail_msg("expected exit code %d and \"%s\" on stderr; got %d and \"%s\"", code, text ? text : "", done.code, done.err);
    run_free(&done);
}

/* Reads a finished page and checks that it is whole, small, and loads nothing from elsewhere. The caller frees it. */
static char *page(const char *name, size_t most) {
    static const char *const forbidden[] = {"<script", "http:", "https:", "src=", "@import",
                                            "url(",    ">nan<", "\"nan",  " nan", "http-equiv"};
    char *text = contents_of(in_folder(name));
    check_markup(name, text);
    if (strlen(text) > most) fail_msg("%s has %zu bytes", name, strlen(text));
    for (size_t i = 0; i < sizeof forbidden / sizeof *forbidden; i++)
        if (strstr(text, forbidden[i])) fail_msg("%s has %s: %.80s", name, forbidden[i], strstr(text, forbidden[i]));
    return text;
}

/* Checks that two small files have the same bytes. */
static void check_same_bytes(const char *name, const char *other) {
    char bytes[2][1 << 16];
    size_t count[2];
    for (int i = 0; i < 2; i++) {
        FILE *file = fopen(in_folder(i == 0 ? name : other), "rb");
        assert_non_null(file);
        count[i] = fread(bytes[i], 1, sizeof bytes[i], file);
        fclose(file);
    }
    if (count[0] != count[1] || memcmp(bytes[0], bytes[1], count[0]) != 0)
        fail_msg("%s (%zu bytes) differs from %s (%zu bytes)", name, count[0], other, count[1]);
}

static void check_has(const char *text, const char *part) {
    if (!strstr(text, part)) fail_msg("the page does not have \"%s\"", part);
}

/* ---- classes ---- */

static void given_a_training_when_reported_then_the_page_answers(void **unused) {
    (void)unused;
    char data[120];
    snprintf(data, sizeof data, "%s", in_folder("classes.csv"));
    run without = run_command(TRAIN("classes.csv", "net.json", "12"), "--test", data, "--folds", "3", "--json", "-o",
                              in_folder("plain.safetensors"));
    run done = run_command(TRAIN("classes.csv", "net.json", "12"), "--test", data, "--folds", "3", "--json", "--report",
                           in_folder("run.html"), "-o", in_folder("net.safetensors"));
    json_t *a = run_json(&without), *b = run_json(&done);
    static const char *const keys[] = {"train_loss", "validation_loss", "test_loss", "test_accuracy", "test_auroc"};
    for (size_t i = 0; i < 5; i++) check_number(keys[i], json_number(b, keys[i]), json_number(a, keys[i]), 1e-6, 1e-7);
    check_same_bytes("plain.safetensors", "net.safetensors");
    char *text = page("run.html", 200000);
    static const char *const parts[] = {"Which class is confused with which?",
                                        "Has it converged?",
                                        "Are the probabilities right?",
                                        "Where the network looks",
                                        "Learning curves",
                                        ">Data</h2>",
                                        ">Layers</h2>",
                                        "global_average_pool_1",
                                        "&lt;script&gt;alert(1)&lt;/script&gt;",
                                        "a&amp;b&#39;\\x1b[31m",
                                        "class=\"heat\"",
                                        "Trained for 12 epochs in "};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) check_has(text, parts[i]);
    check_has(text, "<pre>tapline train ");
    check_has(text, " <span>--folds</span> 3 <span>--json</span> <span>--report</span> ");
    free(text);
    json_decref(a);
    json_decref(b);
    run_free(&without);
    run_free(&done);
    expect(run_command("eval", in_folder("net.safetensors"), data, "--report", in_folder("eval.html")), 0, NULL);
    text = page("eval.html", 200000);
    check_has(text, "Which class is confused with which?");
    check_has(text, "<td>6</td>"); /* series of a class */
    assert_null(strstr(text, "Has it converged?"));
    free(text);
    expect(run_command("eval", in_folder("net.safetensors"), in_folder("net.safetensors"), data, "--report", in_folder("two.html")),
           0, NULL);
    text = page("two.html", 200000);
    check_has(text, "and 1 more, averaged");
    free(text);
}

enum { CLASSES = 1000, PREDICTIONS = 5000 };

/* Class c is predicted as c, and in every fifth series as the class after it; of class 7 in all series. */
static void given_a_thousand_classes_when_written_then_those_with_most_errors(void **unused) {
    (void)unused;
    static verdict of[PREDICTIONS];
    for (int i = 0; i < PREDICTIONS; i++) {
        const int label = i % CLASSES;
        of[i] = (verdict){label, (label + (i % 5 == 0 || label == 7)) % CLASSES, 0.75F};
    }
    const verdicts all = {.of = of, .count = PREDICTIONS, .classes = CLASSES, .noun = "series"};
    markup to = {0};
    verdict_confusion(&all, &to);
    verdict_table(&all, &to);
    verdict_reliability(&all, &to);
    check_markup("1,000 classes", to.text);
    assert_true(to.count < 50000);
    check_has(to.text, "0 is most often taken for 1: 5 of 5 (100 %)");
    check_has(to.text, "The 16 classes with most errors of 1,000.");
    check_has(to.text, "The 50 classes with the lowest F1;");
    check_has(to.text, "7 is taken for 8: 5 of 5</title>");
    check_has(to.text, "The predicted class has a mean probability of 0.750; 0.799 of the predictions are right.");
    assert_int_equal(count_in(to.text, "<tr>"), 1 + 50);
    markup_release(&to);
}

static void given_a_million_steps_when_reported_then_below_5_mb(void **unused) {
    (void)unused;
    FILE *file = folder_create("long.csv");
    for (int i = 0; i < 2; i++) {
        fputs(i ? "b" : "a", file);
        for (int t = 0; t < 1000000; t += 10) fputs(i ? ",1,2,3,1,2,3,1,2,3,1" : ",3,2,1,1,1,1,1,1,1,2", file);
        fputc('\n', file);
    }
    fclose(file);
    expect(run_command(TRAIN("long.csv", "coarse.json", "1"), "--label", "first", "--report", in_folder("long.html")), 0, NULL);
    char *text = page("long.html", 500000);
    check_has(text, "<b>1,000,000</b><span>steps</span>");
    free(text);
}

/* ---- other targets ---- */

static void given_target_values_when_reported_then_predicted_against_true(void **unused) {
    (void)unused;
    expect(run_command(TRAIN("values.ts", "net.json", "3"), "--report", in_folder("values.html")), 0, NULL);
    char *text = page("values.html", 200000);
    check_has(text, "How close are the predictions?");
    check_has(text, "The largest errors");
    check_has(text, "highest targets");
    check_has(text, "<b>16 … 27</b>");
    assert_null(strstr(text, "confusion"));
    assert_int_equal(count_in(text, "<circle class=\"dot"), SERIES);
    free(text);
}

static void given_several_labels_when_reported_then_a_table(void **unused) {
    (void)unused;
    expect(run_command(TRAIN("labels.csv", "net.json", "3"), "--target", "first,second", "--loss", "binary-cross-entropy",
                       "--report", in_folder("labels.html")),
           0, NULL);
    char *text = page("labels.html", 200000);
    check_has(text, "<tr><td>label 1</td><td>6</td>");
    check_has(text, "<tr><td>label 2</td><td>4</td>");
    free(text);
}

static void given_labels_of_steps_when_reported_then_steps_are_counted(void **unused) {
    (void)unused;
    FILE *file = folder_create("steps.csv");
    fputs("value,label\n", file);
    for (int t = 0; t < 64; t++) fprintf(file, "%d,%s\n", t % 7, t % 7 > 3 ? "high" : "low");
    fclose(file);
    expect(run_command(TRAIN("steps.csv", "steps.json", "3"), "--value", "value", "--label", "label", "--window", "8",
                       "--window-target", "steps", "--report", in_folder("steps.html")),
           0, NULL);
    char *text = page("steps.html", 200000);
    check_has(text, "<th>steps</th>");
    check_has(text, "all series");
    free(text);
}

/* ---- when it is written ---- */

/* Waits until the page has a text, for at most 20 s. */
static bool appears(const char *name, const char *part) {
    for (int i = 0; i < 2000; i++, usleep(10000)) {
        if (access(in_folder(name), F_OK) != 0) continue;
        char *text = contents_of(in_folder(name));
        const bool found = strstr(text, part) != NULL;
        check_markup(name, text); /* always a whole page */
        free(text);
        if (found) return true;
    }
    return false;
}

static void given_a_running_training_when_looked_at_then_it_reloads(void **unused) {
    (void)unused;
    const char *const arguments[RUN_ARGUMENTS] = {TRAIN("classes.csv", "net.json", "100000000"), "--report",
                                                  in_folder("live.html")};
    run live = run_start(arguments, NULL);
    assert_true(appears("live.html", "<meta http-equiv=\"refresh\" content=\"2\">"));
    kill(live.process, SIGINT);
    run_wait(&live);
    expect(live, 0, "interrupted");
    char *text = page("live.html", 2000000);
    check_has(text, ", until a signal stopped it.");
    free(text);
}

static void given_several_networks_when_reported_then_a_page_for_each(void **unused) {
    (void)unused;
    expect(run_command(TRAIN("classes.csv", "net.json", "1"), "--members", "2", "--report", in_folder("member.html")), 0, NULL);
    free(page("member.1.html", 200000));
    char *text = page("member.2.html", 200000);
    check_has(text, "member 2: ");
    free(text);
    expect(run_command(TRAIN("classes.csv", "net.json", "1"), "--head", "ridge", "--report", in_folder("ridge.html")), 0, NULL);
    free(page("ridge.html", 200000));
}

static void given_a_failing_training_when_reported_then_the_page_says_so(void **unused) {
    (void)unused;
    run done =
        run_command(TRAIN("classes.csv", "net.json", "9"), "--lr", "1e25", "--optimizer", "sgd", "--report", in_folder("bad.html"));
    assert_int_equal(done.code, 1);
    run_free(&done);
    char *text = page("bad.html", 200000);
    check_has(text, "Failed after ");
    free(text);
}

static void given_a_page_that_is_read_when_reported_then_refused_before(void **unused) {
    (void)unused;
    char data[120], model[120];
    snprintf(data, sizeof data, "%s", in_folder("classes.csv"));
    snprintf(model, sizeof model, "%s", in_folder("net.safetensors"));
    link(data, in_folder("data.html"));
    expect(run_command(TRAIN("classes.csv", "net.json", "1"), "--report", in_folder("data.html")), 2, "--report ");
    expect(run_command(TRAIN("classes.csv", "net.json", "1"), "--report", in_folder("x"), "--out", in_folder("x")), 2,
           "this file is also --out, and would be overwritten");
    expect(run_command(TRAIN("classes.csv", "net.json", "1"), "--report", folder), 1, "is a folder, not a file");
    expect(run_command(TRAIN("classes.csv", "net.json", "1"), "--folds", "2", "--fold", "all", "--report", in_folder("x")), 2,
           "--fold all trains a network for each fold; it cannot be combined with --report");
    expect(run_command("eval", model, data, "--report", model), 2, "this file is also MODEL, and would be overwritten");
    expect(run_command("eval", model, data, "--report", in_folder("data.html")), 2, "and would be overwritten");
}

/* The page is larger than files may be; the model is not. */
static void given_no_room_for_the_page_when_reported_then_the_model_is_saved(void **unused) {
    (void)unused;
    struct rlimit before;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    signal(SIGXFSZ, SIG_IGN); /* the command inherits it: a file that is too large is then an error */
    setrlimit(RLIMIT_FSIZE, &(struct rlimit){.rlim_cur = 8000, .rlim_max = before.rlim_max});
    run done = run_command(TRAIN("classes.csv", "net.json", "2"), "--report", in_folder("large.html"), "--out",
                           in_folder("kept.safetensors"));
    setrlimit(RLIMIT_FSIZE, &before);
    signal(SIGXFSZ, SIG_DFL);
    if (!strstr(done.out, "accuracy")) fail_msg("no results are printed: %s", done.out);
    expect(done, 1, "large.html: cannot be written: File too large");
    assert_int_equal(access(in_folder("large.html"), F_OK), -1);
    expect(run_command("eval", in_folder("kept.safetensors"), in_folder("classes.csv")), 0, NULL);
    expect(run_command(TRAIN("classes.csv", "net.json", "1"), "--report", in_folder("nowhere/x.html")), 1,
           "nowhere/x.html: cannot be written: No such file or directory");
}

static void given_a_training_that_is_refused_when_reported_then_nothing_changes(void **unused) {
    (void)unused;
    fclose(folder_create("before.html"));
    expect(run_command(TRAIN("classes.csv", "net.json", "1"), "--mixup", "0.2", "--batch", "1", "--report",
                       in_folder("before.html"), "--tensorboard", in_folder("before")),
           2, "mixup");
    char *text = contents_of(in_folder("before.html"));
    assert_string_equal(text, "");
    free(text);
    assert_int_equal(access(in_folder("before"), F_OK), -1);
}

/* ---- TensorBoard ---- */

/* CRC-32C bit by bit, as records have it. */
static uint32_t checksum(const unsigned char *bytes, size_t count) {
    uint32_t value = 0xFFFFFFFFu;
    for (size_t i = 0; i < count; i++) {
        value ^= bytes[i];
        for (int bit = 0; bit < 8; bit++) value = value & 1 ? value >> 1 ^ 0x82F63B78u : value >> 1;
    }
    value = ~value;
    return (value >> 15 | value << 17) + 0xA282EAD8u;
}

static uint32_t number_at(const unsigned char *bytes) {
    return bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

/* The simple_value after a tag in an event; NaN: it has none. */
static double scalar_in(const unsigned char *event, size_t size, const char *tag) {
    const size_t length = strlen(tag);
    float value;
    for (size_t i = 0; i + length + 5 <= size; i++) {
        if (event[i] != length || memcmp(event + i + 1, tag, length) != 0 || event[i + 1 + length] != 0x15) continue;
        const uint32_t bits = number_at(event + i + 2 + length);
        memcpy(&value, &bits, sizeof value);
        return (double)value;
    }
    return NAN;
}

/* Returns the bytes of the only file in a folder. */
static unsigned char *only_file(const char *name, size_t *size) {
    char path[400];
    DIR *listed = opendir(in_folder(name));
    assert_non_null(listed);
    const struct dirent *entry;
    size_t files = 0;
    while ((entry = readdir(listed))) {
        if (*entry->d_name == '.') continue;
        assert_int_equal(strncmp(entry->d_name, "events.out.tfevents.", 20), 0);
        snprintf(path, sizeof path, "%s/%.200s", in_folder(name), entry->d_name);
        files++;
    }
    closedir(listed);
    assert_int_equal(files, 1);
    FILE *file = fopen(path, "rb");
    unsigned char *bytes = calloc(1, 100000);
    assert_non_null(file);
    assert_non_null(bytes);
    *size = fread(bytes, 1, 100000, file);
    fclose(file);
    return bytes;
}

static void given_a_folder_when_trained_then_events_with_checksums(void **unused) {
    (void)unused;
    expect(run_command(TRAIN("classes.csv", "net.json", "3"), "--folds", "3", "--log", in_folder("events.csv"), "--tensorboard",
                       in_folder("events")),
           0, "series for validation are also in the training set");
    size_t size, records = 0;
    unsigned char *bytes = only_file("events", &size);
    training_log log = {0};
    tl_error error = {0};
    log_read(&log, in_folder("events.csv"), &error);
    check_ok(&error);
    for (size_t at = 0; at < size; records++) {
        const size_t length = number_at(bytes + at);
        const unsigned char *event = bytes + at + 12;
        assert_int_equal(number_at(bytes + at + 8), checksum(bytes + at, 8));
        assert_int_equal(number_at(event + length), checksum(event, length));
        if (records > 0) {
            check_number("loss", scalar_in(event, length, "loss/training"), log.column[LOG_TRAIN_LOSS][records - 1], 1e-6, 0);
            check_number("loss", scalar_in(event, length, "loss/validation"), log.column[LOG_VALIDATION_LOSS][records - 1], 1e-6,
                         0);
            check_number("rate", scalar_in(event, length, "learning_rate"), log.column[LOG_RATE][records - 1], 1e-6, 0);
            assert_true(isnan(scalar_in(event, length, "rmse/training")));
        }
        at += 12 + length + 4;
    }
    assert_int_equal(records, 1 + 3);                 /* the version and the epochs */
    static const unsigned char known[] = "123456789"; /* CRC-32C: E3069283 */
    assert_int_equal(checksum(known, 9), (uint32_t)((0xE3069283u >> 15 | 0xE3069283u << 17) + 0xA282EAD8u));
    log_free(&log);
    free(bytes);
    expect(run_command(TRAIN("classes.csv", "net.json", "1"), "--tensorboard", in_folder("net.json")), 1, "is not a folder");
}

/* ---- parts ---- */

/* Whether the answer for these losses is this one. */
static void check_answer(const char *expected, double train(double), double validation(double)) {
    training_log log = {0};
    for (int i = 0; i < 100; i++) {
        const double row[LOG_COLUMNS] = {i + 1, 0.1, train(i), 0.9, i, validation ? validation(i) : NAN, NAN};
        assert_true(log_add(&log, row));
    }
    markup to = {0};
    run_page_convergence(&log, &to);
    if (!strstr(to.text, expected)) fail_msg("expected %s, got %s", expected, to.text);
    markup_release(&to);
    log_free(&log);
}

static double falling(double i) { return pow(0.98, i); }
static double level(double i) { return 0.1 + pow(0.8, i); }
static double flat(double i) { return 3.2 - 0.002 * i; }
static double rising(double i) { return 0.1 + 0.01 * i; }
static double turning(double i) { return 0.5 + (i - 40) * (i - 40) / 1000; }

static void given_curves_when_asked_whether_converged_then_the_answer(void **unused) {
    (void)unused;
    check_answer("Not yet.", falling, NULL);
    check_answer("It has settled.", level, level);
    check_answer("It hardly falls.", flat, NULL);
    check_answer("It does not settle.", rising, NULL);
    check_answer("It overfits.", level, turning);
    markup to = {0};
    run_page_convergence(&(training_log){0}, &to);
    assert_non_null(strstr(to.text, "Too early to tell."));
    markup_release(&to);
}

/* With one filter of one tap and weights 2 and -1, the map of class 0 is the positive part of the series. */
static void given_a_known_network_when_mapped_then_by_hand(void **unused) {
    (void)unused;
    tl_error error = {0};
    static tl_real x[] = {0, 1, 4, 2, -3, 0, 0, 8};
    tl_dataset data = {.x = TL_VIEW(x, 1, 8, 1), .classes = 2};
    tl_model *model = tl_model_new(NULL);
    const tl_node in = tl_input(model, (tl_shape){.length = 8, .channels = 1});
    const tl_node conv = tl_conv1d(model, in, &(tl_conv1d_cfg){.filters = 1, .kernel = 1});
    const tl_node out = tl_dense(model, tl_global_average_pool(model, conv), &(tl_dense_cfg){.units = 2});
    tl_model_compile(model, out, NULL, &error);
    check_ok(&error);
    for (size_t i = 0; i < tl_parameter_arrays(model); i++) {
        tl_parameter at = tl_parameter_at(model, i);
        if (strcmp(at.name, "weight") == 0) at.value.data[0] = strstr(at.layer, "dense") ? 2 : 1;
        if (strcmp(at.name, "weight") == 0 && strstr(at.layer, "dense")) at.value.data[1] = -1;
    }
    activation_map *map = IN_PRECISION(activation_map_make)(model, &data);
    assert_non_null(map);
    double heat[ACTIVATION_POINTS];
    const double first[] = {0, 0.125, 0.5, 0.25, 0, 0, 0, 1}, second[] = {0, 0, 0, 0, 1, 0, 0, 0};
    for (size_t class = 0; class < 2; class ++) {
        assert_int_equal(IN_PRECISION(activation_map_of)(map, &data, 0, class, heat), 8);
        for (size_t t = 0; t < 8; t++) check_number("heat", heat[t], class == 0 ? first[t] : second[t], 0, 1e-6);
    }
    IN_PRECISION(activation_map_free)(map);
    tl_model_free(model);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(given_a_training_when_reported_then_the_page_answers),
        cmocka_unit_test(given_a_thousand_classes_when_written_then_those_with_most_errors),
        cmocka_unit_test(given_a_million_steps_when_reported_then_below_5_mb),
        cmocka_unit_test(given_target_values_when_reported_then_predicted_against_true),
        cmocka_unit_test(given_several_labels_when_reported_then_a_table),
        cmocka_unit_test(given_labels_of_steps_when_reported_then_steps_are_counted),
        cmocka_unit_test(given_a_running_training_when_looked_at_then_it_reloads),
        cmocka_unit_test(given_several_networks_when_reported_then_a_page_for_each),
        cmocka_unit_test(given_a_failing_training_when_reported_then_the_page_says_so),
        cmocka_unit_test(given_a_page_that_is_read_when_reported_then_refused_before),
        cmocka_unit_test(given_no_room_for_the_page_when_reported_then_the_model_is_saved),
        cmocka_unit_test(given_a_training_that_is_refused_when_reported_then_nothing_changes),
        cmocka_unit_test(given_a_folder_when_trained_then_events_with_checksums),
        cmocka_unit_test(given_curves_when_asked_whether_converged_then_the_answer),
        cmocka_unit_test(given_a_known_network_when_mapped_then_by_hand),
    };
    return cmocka_run_group_tests(tests, set_up, folder_teardown) != 0;
}
