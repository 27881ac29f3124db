/* Data that could be taken for something else: labels for values, values for labels, one channel for another, classes for others.
 * What the command cannot decide it refuses, naming the option that decides. */
#include "files.h"
#include "folder.h"
#include "runner.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static void write_text(const char *name, const char *text) {
    FILE *file = folder_create(name);
    fputs(text, file);
    fclose(file);
}

/* Runs a line of arguments, in which @NAME is a file of the folder. */
static run run_line(const char *line) {
    const char *arguments[RUN_ARGUMENTS] = {NULL};
    char copy[600], paths[16][120];
    size_t count = 0, files = 0;
    snprintf(copy, sizeof copy, "%s", line);
    for (char *rest = copy, *word; (word = strtok_r(rest, " ", &rest)) != NULL; count++) {
        if (*word == '@') snprintf(paths[files], sizeof *paths, "%s/%s", folder, word + 1);
        arguments[count] = *word == '@' ? paths[files++] : word;
    }
    return run_to_end(arguments);
}

/* The exit code, a text on stdout and one on stderr (NULL: nothing on stderr). */
static void check_line(const char *line, int code, const char *out, const char *err) {
    run done = run_line(line);
    if (done.code != code || !strstr(done.out, out) || (err ? !strstr(done.err, err) : *done.err != '\0'))
        fail_msg("%s: expected %d, \"%s\" and \"%s\"; got %d, \"%s\" and \"%s\"", line, code, out, err ? err : "", done.code,
                 done.out, done.err);
    run_free(&done);
}

static void train(const char *line) {
    char whole[500];
    snprintf(whole, sizeof whole, "train %s --epochs 2 --quiet --threads 1 --precision %s", line, tl_precision());
    check_line(whole, 0, "", NULL);
}

static int set_up(void **unused) {
    (void)unused;
    if (folder_setup() != 0) return 1;
    write_text("titled.csv", "label,t0,t1,t2,t3\na,1,2,3,4\nb,4,3,2,1\na,1,2,3,5\nb,5,3,2,1\n");
    write_text("plain.csv", "a,1,2,3,4\nb,4,3,2,1\na,1,2,3,5\nb,5,3,2,1\n");
    write_text("bare.csv", "t0,t1,t2,t3\n1,2,3,4\n4,3,2,1\n");
    write_text("rows.csv", "1,2,3,4\n4,3,2,1\n");
    write_text("five.csv", "t0,t1,t2,t3,t4\n1,2,3,4,5\n4,3,2,1,5\n");
    write_text("fewer.csv", "t0,t1,t2,t3\na,1,2,3,4\nb,4,3,2,1\n");
    write_text("steps.csv", "id,ax,ay,label\n1,0.1,9.8,rest\n1,0.2,9.7,rest\n2,2.5,9.1,walk\n2,0.3,8.7,walk\n");
    write_text("turned.csv", "id,ay,ax,label\n1,9.8,0.1,rest\n1,9.7,0.2,rest\n2,9.1,2.5,walk\n2,8.7,0.3,walk\n");
    train("@titled.csv --out @titled.st");
    train("@plain.csv --out @plain.st");
    train("@steps.csv --series id --out @steps.st");
    return 0;
}

/* ---- labels and values ---- */

static void given_values_alone_when_predicted_then_none_is_a_label(void **unused) {
    (void)unused;
    static const char *const models[] = {"titled.st", "plain.st"}, *const files[] = {"bare.csv", "rows.csv"};
    char line[100];
    for (size_t m = 0; m < 2; m++)
        for (size_t f = 0; f < 2; f++) {
            snprintf(line, sizeof line, "predict @%s @%s", models[m], files[f]);
            check_line(line, 0, "class,a,b\n", NULL);
        }
    check_line("predict @plain.st @bare.csv --label none", 0, "class,a,b\n", NULL);
}

static void given_a_value_more_when_predicted_then_refused_by_its_heading(void **unused) {
    (void)unused;
    check_line("predict @titled.st @five.csv", 1, "",
               "five.csv: column 5 has the heading \"t4\", which the training set does not have; leave it out with --ignore");
    check_line("predict @plain.st @five.csv", 1, "",
               "five.csv:2:1: expected as many values as a series of the model has, or a class of the model before them (--label "
               "first: it is a label), got \"1\"");
    check_line("predict @plain.st @five.csv --label none", 1, "", "expected series of length 4 with 1 channel");
    check_line("predict @plain.st @five.csv --label first", 0, "class,a,b\n",
               "labels are ignored: \"1\" is not a class of the model (2 of 2 labels are not)");
}

static void given_a_heading_too_few_when_read_then_refused_with_the_cure(void **unused) {
    (void)unused;
    static const char *const lines[] = {"predict @titled.st @fewer.csv", "predict @plain.st @fewer.csv",
                                        "eval @titled.st @fewer.csv", "train @fewer.csv", "train @fewer.csv --unequal"};
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        check_line(lines[i], 1, "", "fewer.csv:2:1: expected 4 fields, as there are headings, got 5; give each column a heading");
    write_text("longer.csv", "label,t0,t1\na,1,2,3\nb,4,3\n"); /* the heading says where the label is */
    train("@longer.csv --unequal");
}

static void given_headings_that_count_when_trained_then_not_a_label(void **unused) {
    (void)unused;
    check_line("train @bare.csv", 1, "",
               "bare.csv: the headings begin with numbers that count, and none is label, class or target");
    train("@bare.csv --label first");
    write_text("names.csv", "x1,x2,x3\nup,1,2\ndown,2,1\n");
    train("@names.csv");
}

static void given_no_labels_when_evaluated_then_cause_and_cure(void **unused) {
    (void)unused;
    check_line(
        "eval @titled.st @bare.csv", 1, "",
        "bare.csv: it has no column of labels: no heading is label, class or target, and column 1, \"t0\", is a value in the "
        "training set; `tapline predict` needs no labels");
    static const char *const lines[] = {"eval @titled.st @rows.csv", "eval @plain.st @rows.csv", "eval @plain.st @bare.csv",
                                        "train @plain.csv --test @rows.csv"};
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        check_line(lines[i], 1, "",
                   "it has no column of labels: its 4 columns are as many as the values of a series in the training set; `tapline "
                   "predict` needs none");
    write_text("alone.ts", "@classLabel false\n@data\n1,2,3,4\n");
    check_line("eval @titled.st @alone.ts", 1, "", "series without labels can only be predicted (`tapline predict`");
    write_text("missing.csv", "a,1,2,3,4\n?,4,3,2,1\n");
    check_line("eval @plain.st @missing.csv", 1, "",
               "2:1: expected one of the 2 labels of the training set (--no-label ? leaves out series without a label), got \"?\"");
    check_line("eval @plain.st @missing.csv --no-label ?", 0, "test", NULL);
    write_text("alone.csv", "id,ax,ay\n1,1,2\n1,2,3\n");
    check_line("eval @steps.st @alone.csv", 1, "", "series without labels can only be predicted (`tapline predict`");
}

/* ---- rows of different lengths ---- */

static void given_target_values_in_rows_of_any_length_when_predicted_then_said(void **unused) {
    (void)unused;
    write_text("any.csv", "0.5,1,2,3,4\n0.6,4,3,2,1,0\n0.7,1,2,3\n");
    write_text("none.csv", "1,2,3,4\n4,3,2,1,0\n1,2,3\n");
    train("@any.csv --unequal --target 1 --out @any.st");
    static const char *const files[] = {"any.csv", "none.csv"};
    char line[100], *predicted[2];
    for (size_t f = 0; f < 2; f++) {
        snprintf(line, sizeof line, "predict @any.st @%s", files[f]);
        check_line(line, 1, "",
                   "do not tell whether their lines begin with a target value; say so with --target first, or --target none");
        snprintf(line, sizeof line, "predict @any.st @%s --target %s", files[f], f == 0 ? "first" : "none");
        run done = run_line(line);
        assert_int_equal(done.code, 0);
        predicted[f] = strdup(done.out);
        run_free(&done);
    }
    assert_string_equal(predicted[0], predicted[1]);
    free(predicted[0]);
    free(predicted[1]);
}

static void given_labels_behind_rows_of_any_length_when_read_then_refused(void **unused) {
    (void)unused;
    write_text("behind.csv", "1,2,3,4,5\n4,3,2,1,0,0,6\n1,2,3,5,5\n5,3,2,1,6\n");
    const char *message =
        "behind.csv:2:1: expected 5 fields, as in the first line, got 7; lines may differ in length only if labels";
    check_line("train @behind.csv --unequal --label last", 1, "", message);
    check_line("train @behind.csv --unequal --target last", 1, "", message);
    check_line("train @behind.csv --unequal --ignore 3", 1, "", message);
}

static void given_numbers_before_rows_of_any_length_when_no_class_then_warned(void **unused) {
    (void)unused;
    write_text("numbers.csv", "1,1,2,3,4\n2,4,3,2,1\n1,1,2,3,5,7\n");
    write_text("others.csv", "1,1,2,3\n3,4,3,2\n");
    train("@numbers.csv --unequal --out @numbers.st");
    check_line("predict @numbers.st @numbers.csv", 0, "class,label,1,2\n", NULL);
    check_line("predict @numbers.st @others.csv", 0, "class,1,2\n",
               "others.csv: not every line begins with a class of the model, and all fields are read as values; --label first");
    check_line("predict @numbers.st @others.csv --label none", 0, "class,1,2\n", NULL);
    check_line("predict @numbers.st @others.csv --label first", 0, "class,1,2\n",
               "labels are ignored: \"3\" is not a class of the model (1 of 2 labels are not)");
}

/* ---- headings ---- */

static void given_channels_in_another_order_when_a_model_starts_then_refused(void **unused) {
    (void)unused;
    const char *message = "turned.csv: the columns have another order than in the training set: column 2 has the heading \"ay\", "
                          "but \"ax\" was there";
    check_line("train @turned.csv --series id --init @steps.st --epochs 1", 1, "", message);
    check_line("train @turned.csv --series id --init @steps.st --normalize none --epochs 1", 1, "", message);
    train("@steps.csv --series id --init @steps.st --out @again.st");
    check_line("predict @again.st @turned.csv", 1, "", message);
    write_text("long.csv", "label,t0,t1,t2,t3,t4,t5\na,1,2,3,4,5,6\nb,4,3,2,1,2,1\n"); /* series may be longer */
    train("@long.csv --init @titled.st");
}

static void given_channels_in_another_order_when_imported_then_refused(void **unused) {
    (void)unused;
    const char *message = "turned.csv: the columns have another order than in the training set";
    check_line("export @steps.st --out @steps.onnx", 0, "", NULL);
    check_line("import @steps.onnx @turned.csv --series id", 1, "", message);
    check_line("import @steps.onnx @steps.csv --series id --out @same.st", 0, "", NULL);
    check_line("predict @same.st @turned.csv", 1, "", message);
    check_line("import @steps.onnx --length 2 --out @alone.st", 0, "", NULL);
    check_line("predict @alone.st @turned.csv --series id", 1, "", message);
    check_line("export @steps.st --out @weights.safetensors", 0, "", NULL);
    check_line("import @weights.safetensors @steps.csv --series id --out @weights.st", 0, "", NULL);
    check_line("predict @weights.st @turned.csv", 1, "", message);
}

/* ---- classes ---- */

static void check_resumed(const char *data, const char *message) {
    char line[200];
    train("@plain.csv --checkpoint @state");
    snprintf(line, sizeof line, "train @%s --resume @state --epochs 3 --quiet --precision %s", data, tl_precision());
    check_line(line, 2, "", message);
}

static void given_other_classes_when_resumed_then_refused_by_both_names(void **unused) {
    (void)unused;
    write_text("renamed.csv", "c,1,2,3,4\nd,4,3,2,1\nc,1,2,3,5\nd,5,3,2,1\n");
    check_resumed("renamed.csv", "is of another training: classes[0] \"a\", now \"c\"; classes[1] \"b\", now \"d\"\n");
    write_text("turned.ts", "@classLabel true b a\n@data\n1,2,3,4:b\n4,3,2,1:a\n1,2,3,5:b\n5,3,2,1:a\n");
    check_resumed("turned.ts", "is of another training: classes[0] \"a\", now \"b\"; classes[1] \"b\", now \"a\"\n");
}

static void given_labels_of_no_class_when_predicted_then_one_warning_counts(void **unused) {
    (void)unused;
    static const struct {
        const char *name, *text, *model, *unknown, *of;
    } cases[] = {
        {"z.csv", "a,1,2,3,4\nz,4,3,2,1\nz,1,2,3,5\n", "plain.st", "z", "2 of 3"},
        {"z1.ts", "@classLabel true a b z\n@data\n1,2,3,4:a\n4,3,2,1:z\n", "plain.st", "z", "1 of 2"},
        {"z2.ts", "@classLabel true a b\n@data\n1,2,3,4:a\n4,3,2,1:z\n", "plain.st", "z", "1 of 2"},
        {"z.arff",
         "@attribute p real\n@attribute q real\n@attribute r real\n@attribute s real\n@attribute c {a,z}\n@data\n1,2,3,4,z\n",
         "plain.st", "z", "1 of 1"},
        {"z3.csv", "id,ax,ay,label\n1,0.1,9.8,rest\n1,0.2,9.7,rest\n2,2.5,9.1,jump\n2,0.3,8.7,jump\n", "steps.st", "jump",
         "1 of 2"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char line[100], warning[200];
        write_text(cases[i].name, cases[i].text);
        snprintf(line, sizeof line, "predict @%s @%s", cases[i].model, cases[i].name);
        snprintf(warning, sizeof warning, "labels are ignored: \"%s\" is not a class of the model (%s labels are not)\n",
                 cases[i].unknown, cases[i].of);
        check_line(line, 0, "class,", warning);
        snprintf(line, sizeof line, "eval @%s @%s", cases[i].model, cases[i].name);
        check_line(line, 1, "", "labels");
    }
    write_text("q.ts", "@classLabel true a b\n@data\n1,2,3,4:?\n4,3,2,1:b\n"); /* no label is no unknown label */
    check_line("predict @plain.st @q.ts", 0, "class,a,b\n", NULL);
}

/* ---- calibration ---- */

static void given_constant_series_when_calibrated_then_a_line_names_the_cure(void **unused) {
    (void)unused;
    write_text("zeros.csv", "a,0,0,0,0\nb,0,0,0,0\n");
    write_text("almost.csv", "a,5,5,5,5\nb,5,5,5,5.000001\n");
    train("@plain.csv --normalize none --out @levels.st");
    check_line("quantize @plain.st --calibrate @plain.csv", 0, "", NULL);
    check_line("quantize @levels.st --calibrate @plain.csv", 0, "", NULL);
    check_line(
        "quantize @plain.st --calibrate @zeros.csv", 0, "",
        "all values are nearly the same (0): the ranges of the layers will not fit other series; calibrate with series of the "
        "training set\n");
    check_line("quantize @levels.st --calibrate @almost.csv", 0, "", "all values are nearly the same (5)");
    write_text("still.csv", "id,ax,ay,label\n1,0.1,9.8,rest\n1,0.2,9.8,rest\n2,2.5,9.8,walk\n2,0.3,9.8,walk\n");
    check_line("quantize @steps.st --calibrate @still.csv", 0, "", "all values of channel 1 are nearly the same (0)");
}

/* ---- files of one data set ---- */

static void write_file(const char *name, const char *text) {
    char parent[120];
    snprintf(parent, sizeof parent, "%s/%.*s", folder, (int)(strrchr(name, '/') - name), name);
    if (mkdir(parent, 0700) != 0) assert_int_equal(errno, EEXIST);
    write_text(name, text);
}

static void given_files_with_channels_in_another_order_when_read_then_refused(void **unused) {
    (void)unused;
    assert_int_equal(mkdir(in_folder("gait"), 0700), 0);
    write_file("gait/walk/1.csv", "ax,ay\n1,2\n3,4\n5,6\n");
    write_file("gait/rest/1.csv", "ax,ay\n2,1\n4,3\n6,5\n");
    train("@gait --out @gait.st");
    write_file("fresh/1.csv", "ay,ax\n2,1\n4,3\n6,5\n");
    check_line("predict @gait.st @fresh", 1, "", "fresh/1.csv: the columns have another order than in the training set");
    write_file("gait/walk/2.csv", "ay,ax\n2,1\n4,3\n6,5\n");
    check_line("train @gait", 1, "",
               "gait/rest/1.csv: column 1 has the heading \"ay\", but \"ax\" was there; write them in the order of");
}

static void given_times_in_the_files_of_a_folder_when_read_then_warned(void **unused) {
    (void)unused;
    assert_int_equal(mkdir(in_folder("times"), 0700), 0);
    write_file("times/walk/1.csv", "time,ax\n0,2\n1,4\n2,6\n");
    write_file("times/rest/1.csv", "time,ax\n0,6\n1,4\n2,1\n");
    check_line("train @times --epochs 1 --quiet", 0, "channels 2",
               "times/rest/1.csv: column 1 has the heading \"time\", and is read as a channel; is it a value?");
}

static void given_headings_again_when_read_then_no_class(void **unused) {
    (void)unused;
    write_text("joined.csv", "label,0,1,2\nup,1,2,3\nlabel,0,1,2\ndown,3,2,1\n");
    check_line("train @joined.csv", 1, "",
               "joined.csv:3:1: expected a series, not the headings again, as in files that were joined");
    write_text("counted.csv", "0,1,2,3\n0,1,2,3\n1,3,2,1\n"); /* a series with the numbers of its columns */
    train("@counted.csv --header yes");
}

/* ---- arrays ---- */

static void write_archive(const char *name, const bytes *x, const bytes *y) {
    const bytes archive = zip_of(false, (const zip_member[]){{"x.npy", x}, {"y.npy", y}}, 2);
    FILE *file = folder_create(name);
    assert_int_equal(fwrite(archive.data, 1, archive.count, file), archive.count);
    assert_int_equal(fclose(file), 0);
}

static void put_wave(bytes *to, int count) {
    for (int i = 0; i < count; i++) put_float(to, (float)(i * i % 7));
}

static void given_arrays_of_another_kind_when_trained_then_a_line_names_the_cure(void **unused) {
    (void)unused;
    bytes turned = npy_header("'<f4'", "(8, 3, 9)"), x = npy_header("'<f4'", "(8, 9, 3)"), classes = npy_header("'<i4'", "(8,)"),
          floats = npy_header("'<f8'", "(8,)"), ages = npy_header("'<i4'", "(8,)"), slopes = npy_header("'<f8'", "(8,)");
    put_wave(&turned, 8 * 27);
    put_wave(&x, 8 * 27);
    for (uint64_t i = 0; i < 8; i++) {
        put_integer(&classes, i % 2, 4);
        put_double(&floats, (double)(i % 2));
        put_integer(&ages, 20 + i, 4);
        put_double(&slopes, 0.5 * (double)i);
    }
    write_archive("turned.npz", &turned, &classes);
    check_line(
        "train @turned.npz --epochs 1 --quiet", 0, "",
        "series have 3 steps with 9 channels: the axes are (count, length, channels), and those of PyTorch, (count, channels, "
        "length), need x.transpose(0, 2, 1)");
    write_archive("floats.npz", &x, &floats);
    check_line(
        "train @floats.npz --epochs 1 --quiet", 0, "regression",
        "floats are target values, but y has only 2 different ones, all whole numbers; if they are labels, store y.astype(int)");
    write_archive("ages.npz", &x, &ages);
    check_line("train @ages.npz --epochs 1 --quiet", 0, "classes 8",
               "8 different labels in 8 series do not look like classes; if they are target values, store y.astype(float)");
    write_archive("slopes.npz", &x, &slopes);
    train("@slopes.npz");
}

/* ---- sets ---- */

static void given_the_training_set_when_tested_on_it_then_warned(void **unused) {
    (void)unused;
    check_line("train @plain.csv --test @titled.csv --epochs 1 --quiet", 0, "",
               "warning: 4 of the 4 series for test are also in the training set: results say little about new series");
    check_line("train @plain.csv --validation @plain.csv --epochs 1 --quiet", 0, "",
               "4 of the 4 series for validation are also in");
    write_text("half.csv", "a,1,2,3,4\nb,4,3,1,2\n");
    check_line("train @plain.csv --test @half.csv --epochs 1 --quiet", 0, "", NULL);
}

static void given_classes_that_mislead_when_trained_then_named(void **unused) {
    (void)unused;
    write_text("cases.csv", "Up,1,2,3\nup,1,2,4\ndown,3,2,1\n");
    check_line("train @cases.csv --epochs 1 --quiet", 0, "classes 3",
               "warning: the labels Up and up are different classes, and differ in upper and lower case only\n");
    write_text("declared.ts", "@classLabel true a b c d\n@data\n1,2,3:a\n3,2,1:c\n");
    check_line("train @declared.ts --epochs 1 --quiet", 0, "classes 4",
               "warning: 2 of 4 classes, such as b, have no series in the training set\n");
    check_line("export @plain.st --out @plain.onnx", 0, "", NULL);
    write_text("others.csv", "q,1,2,3,4\nr,4,3,2,1\n");
    check_line("import @plain.onnx @others.csv", 2, "", "others.csv: \"q\" is not one of the classes of ");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(given_values_alone_when_predicted_then_none_is_a_label),
        cmocka_unit_test(given_a_value_more_when_predicted_then_refused_by_its_heading),
        cmocka_unit_test(given_a_heading_too_few_when_read_then_refused_with_the_cure),
        cmocka_unit_test(given_headings_that_count_when_trained_then_not_a_label),
        cmocka_unit_test(given_no_labels_when_evaluated_then_cause_and_cure),
        cmocka_unit_test(given_target_values_in_rows_of_any_length_when_predicted_then_said),
        cmocka_unit_test(given_labels_behind_rows_of_any_length_when_read_then_refused),
        cmocka_unit_test(given_numbers_before_rows_of_any_length_when_no_class_then_warned),
        cmocka_unit_test(given_channels_in_another_order_when_a_model_starts_then_refused),
        cmocka_unit_test(given_channels_in_another_order_when_imported_then_refused),
        cmocka_unit_test(given_other_classes_when_resumed_then_refused_by_both_names),
        cmocka_unit_test(given_labels_of_no_class_when_predicted_then_one_warning_counts),
        cmocka_unit_test(given_constant_series_when_calibrated_then_a_line_names_the_cure),
        cmocka_unit_test(given_files_with_channels_in_another_order_when_read_then_refused),
        cmocka_unit_test(given_times_in_the_files_of_a_folder_when_read_then_warned),
        cmocka_unit_test(given_headings_again_when_read_then_no_class),
        cmocka_unit_test(given_arrays_of_another_kind_when_trained_then_a_line_names_the_cure),
        cmocka_unit_test(given_the_training_set_when_tested_on_it_then_warned),
        cmocka_unit_test(given_classes_that_mislead_when_trained_then_named),
    };
    return cmocka_run_group_tests(tests, set_up, folder_teardown) != 0;
}
