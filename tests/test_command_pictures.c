/* `tapline plot` and `tapline show`: pictures in the terminal and in files. */
#include "check.h"
#include "folder.h"
#include "markup.h"
#include "runner.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SERIES = 12, LENGTH = 16 };

static void write_text(const char *name, const char *text) {
    FILE *file = folder_create(name);
    fputs(text, file);
    fclose(file);
}

/* Rising and falling lines; the names of both classes are hostile. */
static void write_classes(const char *name) {
    FILE *file = folder_create(name);
    for (int i = 0; i < SERIES; i++) {
        fputs(i % 2 ? "<script>alert(1)</script>" : "\"up & \x1b[31m\"", file);
        for (int t = 0; t < LENGTH; t++) fprintf(file, ",%g", (i % 2 ? -0.5 : 0.5) * t + 0.01 * i);
        fputc('\n', file);
    }
    fclose(file);
}

static void write_values(const char *name) {
    FILE *file = folder_create(name);
    fprintf(file, "@problemName Slopes\n@univariate true\n@equalLength false\n@targetLabel true\n@data\n");
    for (int i = 0; i < SERIES; i++) {
        for (int t = 0; t < LENGTH + i; t++) fprintf(file, "%s%d", t ? "," : "", i * t % 7);
        fprintf(file, ":%d\n", i);
    }
    fclose(file);
}

#define HEAD "epoch,learning_rate,train_loss,train_accuracy,seconds,validation_loss,validation_accuracy\n"

/* A block with a shortcut. */
static const char network[] = "{\"layers\": [{\"type\": \"conv1d\", \"filters\": 4, \"kernel\": 1, \"name\": \"first\"},"
                              "{\"type\": \"conv1d\", \"filters\": 4, \"kernel\": 3, \"padding\": \"same\"}, {\"type\": \"relu\"},"
                              "{\"type\": \"add\", \"inputs\": [\"first\", \"-\"]}, {\"type\": \"global_average_pool\"},"
                              "{\"type\": \"dense\", \"units\": \"outputs\"}]}";

static int set_up(void **unused) {
    (void)unused;
    if (folder_setup() != 0) return 1;
    setenv("LC_ALL", "C", 1);
    setenv("COLUMNS", "60", 1);
    write_classes("classes.csv");
    write_values("values.ts");
    write_text("a.csv", HEAD "1,0.1,1,0.5,1,0.9,0.4\n2,0.1,0.5,0.75,2,0.6,0.7\n3,0.05,0.01,1,3,0.7,0.8\n");
    write_text("<b>.csv", HEAD "1,0.1,1,,1,,\n2,0.1,,,2,,\n3,0.05,0.25,,3,,\n");
    write_text("net.json", network);
    run made = run_command("train", in_folder("classes.csv"), "--arch", in_folder("net.json"), "--epochs", "1", "--quiet",
                           "--precision", tl_precision(), "--out", in_folder("model.safetensors"));
    const int code = made.code;
    run_free(&made);
    return code;
}

/* Checks the exit code, and the text in stdout and stderr (NULL: nothing at all there). Frees the run. */
static void expect(run done, int code, const char *out, const char *err) {
    const bool out_right = out ? strstr(done.out, out) != NULL : !*done.out,
               err_right = err ? strstr(done.err, err) != NULL : !*done.err;
    if (done.code != code || !out_right || !err_right)
        fail_msg("expected %d, \"%s\" and \"%s\"; got %d, %s and %s", code, out ? out : "", err ? err : "", done.code, done.out,
                 done.err);
    run_free(&done);
}

/* Lines have less than 80 characters, except the first one, which has a path; all are in ASCII. */
static void check_terminal(const run *done) {
    for (const char *line = done->out + strcspn(done->out, "\n"); *line; line += strcspn(line, "\n") + 1)
        if (strcspn(line, "\n") > 79) fail_msg("too wide: %.*s", (int)strcspn(line, "\n"), line);
    for (const char *at = done->out; *at; at++)
        if ((unsigned char)*at >= 0x7F || (*at < ' ' && *at != '\n')) fail_msg("not ASCII: %.40s", at);
}

/* Reads the picture, checks it, and returns it. */
static char *picture(const char *name, size_t most) {
    char *text = contents_of(in_folder(name));
    check_markup(name, text);
    if (strlen(text) > most) fail_msg("%s has %zu bytes", name, strlen(text));
    assert_null(strstr(text, "<script"));
    assert_null(strstr(text, "nan"));
    assert_null(strstr(text, "inf "));
    return text;
}

/* ---- plot ---- */

static void given_logs_when_plotted_then_all_curves_are_in_the_picture(void **unused) {
    (void)unused;
    expect(run_command("plot", in_folder("a.csv"), in_folder("<b>.csv"), "--out", in_folder("two.svg")), 0, NULL, NULL);
    char *text = picture("two.svg", 20000);
    assert_int_equal(count_in(text, ">a.csv</text>"), 2); /* loss and accuracy */
    assert_int_equal(count_in(text, ">a.csv, validation</text>"), 2);
    assert_int_equal(count_in(text, ">&lt;b&gt;.csv</text>"), 1);              /* it has no accuracy */
    assert_int_equal(count_in(text, "class=\"line k0\" stroke-dasharray"), 2); /* of validation */
    free(text);
    expect(run_command("plot", in_folder("a.csv"), "--curve", "rate", "--along", "seconds", "-o", in_folder("rate.svg")), 0, NULL,
           NULL);
    text = picture("rate.svg", 20000);
    assert_non_null(strstr(text, ">seconds</text>"));
    assert_null(strstr(text, ">accuracy</text>"));
    free(text);
}

static void given_logs_when_plotted_in_the_terminal_then_lowest_losses(void **unused) {
    (void)unused;
    run done = run_command("plot", in_folder("a.csv"), in_folder("<b>.csv"));
    check_terminal(&done);
    assert_non_null(strstr(done.out, "* a.csv   o a.csv, validation   + <b>.csv"));
    assert_non_null(strstr(done.out, "0.01 (epoch 3)            0.6 (epoch 2)\n"));
    expect(done, 0, "0.25 (epoch 3) ", NULL);
    done = run_command("plot", in_folder("a.csv"), "--json");
    json_t *object = run_json(&done), *one = json_array_get(json_object_get(object, "runs"), 0);
    check_number("epochs", json_number(one, "epochs"), 3, 0, 0);
    check_number("loss", json_number(json_object_get(one, "lowest_validation"), "loss"), 0.6, 0, 0);
    json_decref(object);
    run_free(&done);
}

static void given_files_that_are_no_logs_when_plotted_then_refused(void **unused) {
    (void)unused;
    write_text("fields.csv", HEAD "1,0.1,1\n");
    write_text("words.csv", HEAD "1,0.1,one,0.5,1,0.9,0.4\n");
    write_text("begun.csv", HEAD);
    write_text("empty.csv", "");
    expect(run_command("plot", in_folder("classes.csv")), 1, NULL, "classes.csv:1: expected a log of `tapline train --log`");
    expect(run_command("plot", in_folder("fields.csv")), 1, NULL, "fields.csv:2: expected 7 fields as in the first line, got 3");
    expect(run_command("plot", in_folder("words.csv")), 1, NULL, "words.csv:2: expected a number, got \"one\"");
    expect(run_command("plot", in_folder("begun.csv")), 1, NULL, "begun.csv: has no epoch yet");
    expect(run_command("plot", in_folder("empty.csv")), 1, NULL, "empty.csv: has no epoch yet");
    expect(run_command("plot", in_folder("none.csv")), 1, NULL, "none.csv: No such file or directory");
    expect(run_command("plot", folder), 1, NULL, "is a folder; name a log of `tapline train --log`");
    expect(run_command("plot", in_folder("<b>.csv"), "--curve", "accuracy"), 1, NULL, "the logs have no numbers for accuracy");
    link(in_folder("a.csv"), in_folder("a.svg"));
    expect(run_command("plot", in_folder("a.csv"), "--out", in_folder("a.svg")), 2, NULL,
           "this file is also LOG, and would be overwritten");
}

/* ---- show ---- */

static void given_classes_when_shown_then_each_is_drawn(void **unused) {
    (void)unused;
    run done = run_command("show", in_folder("classes.csv"), "--precision", tl_precision());
    check_terminal(&done);
    assert_non_null(strstr(done.out, "12 series, length 16, channels 1, classes 2\n"));
    assert_non_null(strstr(done.out, "\nup & \\x1b[31m: 6 series, 50 %\n"));
    expect(done, 0, "<script>alert(1)</script>", NULL);
    static const char *const files[] = {"classes.svg", "classes.html"};
    for (size_t i = 0; i < 2; i++) {
        expect(run_command("show", in_folder("classes.csv"), "--out", in_folder(files[i])), 0, NULL, NULL);
        char *text = picture(files[i], 30000);
        assert_int_equal(count_in(text, "&lt;script&gt;alert(1)&lt;/script&gt;"),
                         1 + i); /* the name of the chart, on pages also above it */
        assert_int_equal(count_in(text, "class=\"band"), 2);
        free(text);
    }
}

static void given_target_values_when_shown_then_quarters_and_lengths(void **unused) {
    (void)unused;
    run done = run_command("show", in_folder("values.ts"), "--json");
    json_t *object = run_json(&done), *groups = json_object_get(object, "groups");
    assert_int_equal(json_array_size(groups), 4);
    for (size_t i = 0; i < 4; i++) check_number("series", json_number(json_array_get(groups, i), "series"), 3, 0, 0);
    check_number("shortest", json_number(object, "shortest"), LENGTH, 0, 0);
    check_number("longest", json_number(object, "longest"), LENGTH + SERIES - 1, 0, 0);
    check_number("maximum", json_number(object, "maximum"), 6, 0, 0);
    json_decref(object);
    run_free(&done);
    expect(run_command("show", in_folder("values.ts")), 0, "highest targets", NULL);
    expect(run_command("show", in_folder("values.ts"), "--channel", "2"), 2, NULL, "--channel 2: the data has 1 channel\n");
}

static void given_a_thousand_classes_when_shown_then_the_largest(void **unused) {
    (void)unused;
    FILE *file = folder_create("many.csv");
    for (int i = 0; i < 2010; i++) fprintf(file, "class%d,%d,%d,1\n", i < 2000 ? i % 1000 : 777, i % 7, i % 5);
    fclose(file);
    expect(run_command("show", in_folder("many.csv"), "--label", "first", "--out", in_folder("many.html")), 0, NULL, NULL);
    char *text = picture("many.html", 200000);
    assert_non_null(strstr(text, "Shown are 12 of 1,000 classes, the largest ones."));
    assert_non_null(strstr(text, ">class777 · 12 series"));
    assert_int_equal(count_in(text, "class=\"band"), 12);
    free(text);
}

static void given_a_million_steps_when_shown_then_a_small_page(void **unused) {
    (void)unused;
    FILE *file = folder_create("long.csv");
    fputs("a", file);
    for (int t = 0; t < 1000000; t++) fputs(t == 654321 ? ",9" : t % 3 ? ",1" : ",0", file);
    fputs("\n", file);
    fclose(file);
    expect(run_command("show", in_folder("long.csv"), "--label", "first", "--out", in_folder("long.html")), 0, NULL, NULL);
    free(picture("long.html", 200000));
}

static void given_a_model_when_shown_then_each_layer_is_in_the_graph(void **unused) {
    (void)unused;
    run done = run_command("show", in_folder("model.safetensors"), "--json"),
        text = run_command("show", in_folder("model.safetensors"));
    json_t *object = run_json(&done);
    check_terminal(&text);
    expect(run_command("show", in_folder("model.safetensors"), "--out", in_folder("model.svg")), 0, NULL, NULL);
    char *drawn = picture("model.svg", 60000);
    size_t i;
    json_t *layer;
    json_array_foreach(json_object_get(object, "layers"), i, layer) {
        const char *name = json_string_value(json_object_get(layer, "name"));
        char row[60], part[60];
        snprintf(row, sizeof row, "  %s ", name);
        snprintf(part, sizeof part, ">%s</text>", name);
        if (!strstr(text.out, row) || !strstr(drawn, part)) fail_msg("%s is not shown", name);
    }
    assert_int_equal(i, 6);
    assert_non_null(strstr(text.out, "\n*-.  conv1d_1 "));
    assert_non_null(strstr(text.out, "\n* |  relu_1 "));
    assert_non_null(strstr(text.out, "\n*-'  add_1 "));
    assert_non_null(strstr(text.out, "\n*    dense_1 "));
    free(drawn);
    json_decref(object);
    run_free(&done);
    run_free(&text);
}

static void given_standard_input_when_shown_then_read(void **unused) {
    (void)unused;
    const int kept = dup(STDIN_FILENO), input = open(in_folder("classes.csv"), O_RDONLY);
    dup2(input, STDIN_FILENO);
    close(input);
    run done = run_command("show", "-", "--format", "csv");
    dup2(kept, STDIN_FILENO);
    close(kept);
    expect(done, 0, "12 series, length 16", NULL);
}

static void given_wrong_names_when_shown_then_refused(void **unused) {
    (void)unused;
    const char *data = in_folder("classes.csv");
    link(data, in_folder("classes-too.svg"));
    expect(run_command("show", data, "--out", in_folder("classes-too.svg")), 2, NULL, "and would be overwritten");
    expect(run_command("show", data, "--out", in_folder("x.png")), 2, NULL, "must end with .svg or .html\n");
    expect(run_command("show", in_folder("none.csv")), 1, NULL, "none.csv: No such file or directory");
    write_text("broken.safetensors", "no model");
    expect(run_command("show", in_folder("broken.safetensors")), 1, NULL, "broken.safetensors: ");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(given_logs_when_plotted_then_all_curves_are_in_the_picture),
        cmocka_unit_test(given_logs_when_plotted_in_the_terminal_then_lowest_losses),
        cmocka_unit_test(given_files_that_are_no_logs_when_plotted_then_refused),
        cmocka_unit_test(given_classes_when_shown_then_each_is_drawn),
        cmocka_unit_test(given_target_values_when_shown_then_quarters_and_lengths),
        cmocka_unit_test(given_a_thousand_classes_when_shown_then_the_largest),
        cmocka_unit_test(given_a_million_steps_when_shown_then_a_small_page),
        cmocka_unit_test(given_a_model_when_shown_then_each_layer_is_in_the_graph),
        cmocka_unit_test(given_standard_input_when_shown_then_read),
        cmocka_unit_test(given_wrong_names_when_shown_then_refused),
    };
    return cmocka_run_group_tests(tests, set_up, folder_teardown) != 0;
}
