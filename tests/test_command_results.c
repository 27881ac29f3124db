/* The output of `tapline train` before, during and after a training; validation data, fine-tuning, changed resumes; `eval` about
 * classes and `predict` about series. */
#include "check.h"
#include "folder.h"
#include "runner.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SERIES = 24, LENGTH = 16 };

/* Rising, falling and, as the third of the classes, level lines with noise. */
static void write_classes(const char *name, int classes, uint32_t seed) {
    static const char *const names[] = {"up", "down", "level"};
    static const double slope[] = {0.3, -0.3, 0};
    tl_rng rng = tl_rng_at(seed, TL_STREAM_USER, 0, 0);
    FILE *file = fopen(in_folder(name), "w");
    assert_non_null(file);
    for (int i = 0; i < SERIES; i++) {
        fputs(names[i % classes], file);
        for (int t = 0; t < LENGTH; t++) fprintf(file, ",%.4f", slope[i % classes] * t + 0.3 * tl_rng_normal(&rng));
        fputc('\n', file);
    }
    fclose(file);
}

static void write_values(const char *name) {
    FILE *file = fopen(in_folder(name), "w");
    assert_non_null(file);
    fprintf(file, "@problemName Slopes\n@univariate true\n@equalLength true\n@targetLabel true\n@data\n");
    for (int i = 0; i < SERIES; i++) {
        for (int t = 0; t < LENGTH; t++) fprintf(file, "%s%d", t ? "," : "", i * t % 7);
        fprintf(file, ":%d\n", i);
    }
    fclose(file);
}

#define TRAIN(data) "train", in_folder(data), "--arch", "timecnn", "--precision", tl_precision(), "--threads", "1"

static int set_up(void **unused) {
    (void)unused;
    if (folder_setup() != 0) return 1;
    write_classes("train.csv", 2, 1);
    write_classes("test.csv", 2, 2);
    write_classes("three.csv", 3, 3);
    write_values("values.ts");
    run made = run_command(TRAIN("train.csv"), "--epochs", "20", "--quiet", "-o", in_folder("two.safetensors"));
    const int code = made.code;
    run_free(&made);
    return code;
}

/* Checks the exit code, and the text in stdout and stderr (NULL: anything). Frees the run. */
static void expect(run done, int code, const char *out, const char *err) {
    if (done.code != code || (out && !strstr(done.out, out)) || (err && !strstr(done.err, err)))
        fail_msg("expected %d, \"%s\" and \"%s\"; got %d, %s and %s", code, out ? out : "", err ? err : "", done.code, done.out,
                 done.err);
    run_free(&done);
}

static json_t *json_of(run done) {
    json_t *object = run_json(&done);
    assert_int_equal(done.code, 0);
    run_free(&done);
    return object;
}

/* ---- train ---- */

static void given_a_first_training_when_run_then_it_says_on_what(void **unused) {
    (void)unused;
    run done = run_command(TRAIN("train.csv"), "--epochs", "30", "--validation", in_folder("test.csv"));
    assert_int_equal(strncmp(done.err, "model      timecnn, ", 20), 0);
    assert_non_null(strstr(done.err, " 1 thread\ndata       "));
    assert_non_null(strstr(done.err, ", length 16, channels 1, classes 2\ntraining   24 series, at most 30 epochs of 2 batches\n"));
    assert_non_null(strstr(done.err, "           the model will not be saved: no --out\n"));
    assert_non_null(strstr(done.err, "\nepoch 1/30  loss "));
    assert_non_null(strstr(done.err, "\nepoch 30/30  loss "));
    assert_non_null(strstr(done.err, "  validation loss "));
    assert_non_null(strstr(done.out, "\nended      after all epochs\n"));
    assert_non_null(strstr(done.out, "\nvalidation "));
    expect(done, 0, " 1 thread\n", NULL);
    expect(run_command(TRAIN("train.csv"), "--epochs", "1", "-q"), 0, "training   1 epoch, 2 steps of batch 16, best epoch 1\n",
           NULL);
    done = run_command(TRAIN("train.csv"), "--epochs", "1", "-q");
    assert_string_equal(done.err, "");
    run_free(&done);
}

static void given_patience_when_trained_then_the_report_says_why_it_ended(void **unused) {
    (void)unused;
#define EARLY TRAIN("train.csv"), "--epochs", "2000", "--patience", "1", "-q", "--lr", "1e-30", "--jitter", "1"
    expect(run_command(EARLY), 0, "\nended      early: no better training loss for 1 epoch (--patience)\n", NULL);
    expect(run_command(EARLY, "--folds", "3"), 0, "early: no better validation loss for 1 epoch (--patience)\n", NULL);
    expect(run_command(EARLY, "--folds", "3", "--watch", "validation-accuracy"), 0,
           "early: no better validation-accuracy for 1 epoch", NULL);
    json_t *object = json_of(run_command(EARLY, "--json"));
    assert_string_equal(json_string_value(json_object_get(object, "ended")), "patience");
    json_decref(object);
}

static void given_validation_data_when_trained_then_its_best_epoch_is_kept(void **unused) {
    (void)unused;
    json_t *object = json_of(run_command(TRAIN("train.csv"), "--epochs", "12", "--validation", in_folder("test.csv"), "--watch",
                                         "validation-loss", "--json", "-q", "--log", in_folder("log.csv")));
    assert_true(json_number(object, "validation_loss") > 0 && json_number(object, "validation_accuracy") >= 0.5);
    assert_string_equal(json_string_value(json_object_get(object, "validation")), in_folder("test.csv"));
    assert_string_equal(json_string_value(json_object_get(object, "ended")), "epochs");
    json_decref(object);
    expect(run_command(TRAIN("train.csv"), "--validation", in_folder("test.csv"), "--folds", "3"), 2, NULL,
           "cannot be combined with --folds: both give a validation set\n");
    expect(run_command(TRAIN("train.csv"), "--in-order"), 2, NULL, "--in-order requires --folds N\n");
    expect(run_command(TRAIN("train.csv"), "--in-order", "--folds", "2", "--group", "1"), 2, NULL,
           "which keeps groups whole, does not go with it\n");
    expect(run_command(TRAIN("train.csv"), "--in-order", "--folds", "2", "--epochs", "1", "-q"), 0, "\nvalidation       12 ", NULL);
    expect(run_command(TRAIN("train.csv"), "--watch", "validation-f1", "-q"), 2, NULL,
           "watch validation-f1: there is no validation set\n");
    expect(run_command(TRAIN("values.ts"), "--watch", "validation-f1", "--folds", "3", "-q"), 2, NULL,
           "is for classes, but the loss is ");
    expect(run_command(TRAIN("train.csv"), "--watch", "val_loss"), 2, NULL, "--watch val_loss: unknown; ");
}

static void given_all_folds_when_trained_with_out_then_each_model_is_kept(void **unused) {
    (void)unused;
    json_t *object = json_of(run_command(TRAIN("train.csv"), "--epochs", "3", "--folds", "3", "--fold", "all", "--json", "-q", "-o",
                                         in_folder("fold.safetensors")));
    json_t *second = json_array_get(json_object_get(object, "folds"), 1);
    run done = run_command(TRAIN("train.csv"), "--epochs", "3", "--folds", "3", "--fold", "1", "--json", "-q", "-o",
                           in_folder("alone.safetensors"));
    json_t *alone = json_of(done);
    check_number("loss of fold 1", json_number(second, "validation_loss"), json_number(alone, "validation_loss"), 0, 0);
    for (int fold = 0; fold < 3; fold++) {
        char name[40];
        snprintf(name, sizeof name, "fold.%d.safetensors", fold);
        expect(run_command("eval", in_folder(name), in_folder("test.csv")), 0, "\ntest ", NULL);
    }
    json_decref(alone);
    json_decref(object);
}

/* ---- fine-tuning ---- */

/* Two series of 16 steps, each line a step with the channels `first` and `second`. */
static void write_steps(const char *name, const char *first, const char *second) {
    FILE *file = fopen(in_folder(name), "w");
    assert_non_null(file);
    fprintf(file, "id,label,%s,%s\n", first, second);
    for (int i = 0; i < 32; i++) fprintf(file, "%d,%s,%d,%d\n", i / 16, i < 16 ? "up" : "down", i, 40 - i);
    assert_int_equal(fclose(file), 0);
}

/* The model keeps the headings of its training set. */
static void given_columns_in_another_order_when_predicted_then_refused(void **unused) {
    (void)unused;
#define STEPS TRAIN("named.csv"), "--series", "id", "--epochs", "1", "--quiet"
    write_steps("named.csv", "ax", "ay");
    write_steps("swapped.csv", "ay", "ax");
    expect(run_command(STEPS, "--test", in_folder("swapped.csv")), 1, NULL,
           "swapped.csv: the columns have another order than in the training set");
    expect(run_command(STEPS, "-o", in_folder("named.safetensors")), 0, NULL, NULL);
    expect(run_command("predict", in_folder("named.safetensors"), in_folder("named.csv")), 0, "class,label,down,up\n", NULL);
    expect(run_command("predict", in_folder("named.safetensors"), in_folder("swapped.csv")), 1, NULL,
           "swapped.csv: the columns have another order than in the training set: column 3 has the heading \"ay\"");
}

static void given_init_when_trained_then_it_begins_where_the_file_ended(void **unused) {
    (void)unused;
#define START(data) "train", in_folder(data), "--init", in_folder("two.safetensors"), "--precision", tl_precision(), "--epochs", "1"
    run done = run_command(START("train.csv"), "--lr", "1e-30", "--json");
    json_t *after = run_json(&done),
           *before = json_of(run_command("eval", in_folder("two.safetensors"), in_folder("train.csv"), "--json"));
    check_number("train_loss", json_number(after, "train_loss"), json_number(before, "test_loss"), 1e-5, 0);
    assert_non_null(strstr(done.err, ", including its head\n"));
    run_free(&done);
    json_decref(after);
    json_decref(before);
    expect(run_command(START("three.csv"), "-o", in_folder("three.safetensors")), 0, "classes 3\n", ", with a new head\n");
    expect(run_command("info", in_folder("three.safetensors")), 0, "classes    3: down, level, up\n", NULL);
    expect(run_command(START("three.csv"), "--freeze", "-q"), 0, NULL, NULL);
    expect(run_command(START("train.csv"), "--arch", "fcn", "-q"), 1, NULL, "array ");
    expect(run_command(TRAIN("train.csv"), "--freeze"), 2, NULL, "--freeze requires --init MODEL\n");
    expect(run_command(START("train.csv"), "--resume", in_folder("c")), 2, NULL,
           "c cannot be combined with --init: the checkpoint has all parameters\n");
    expect(run_command(TRAIN("train.csv"), "--init", "/nonexistent/x"), 1, NULL, "/nonexistent/x: No such file or directory\n");
}

static void given_another_rate_when_resumed_then_taken_over_where_it_is_given(void **unused) {
    (void)unused;
#define GO_ON TRAIN("train.csv"), "-q", "--resume", in_folder("c"), "--epochs", "4"
    expect(run_command(TRAIN("train.csv"), "-q", "--epochs", "2", "--lr", "0.01", "--checkpoint", in_folder("c")), 0, NULL, NULL);
    expect(run_command(GO_ON, "--lr", "0.002"), 0, NULL, "changed: learning_rate 0.01, now 0.002\n");
    expect(run_command(GO_ON), 2, NULL, "is of another training: learning_rate 0.01, now 0.001\n");
    expect(run_command(GO_ON, "--lr", "0.01", "--patience", "3", "--clip", "1"), 0, NULL, "patience none, now 3");
    expect(run_command(GO_ON, "--lr", "0.01", "--batch", "4"), 2, NULL, "is of another training: fit.batch 16, now 4");
}

/* ---- eval ---- */

static void given_classes_when_evaluated_then_counted_by_label_and_prediction(void **unused) {
    (void)unused;
#define EVAL "eval", in_folder("two.safetensors"), in_folder("test.csv")
    json_t *object = json_of(run_command(EVAL, "--confusion", "--per-class", "--json"));
    json_t *counts = json_object_get(object, "confusion"), *classes = json_object_get(object, "per_class");
    double all = 0, right = 0, f1 = 0, recall = 0;
    for (size_t label = 0; label < 2; label++)
        for (size_t c = 0; c < 2; c++) {
            const double count = json_number_value(json_array_get(json_array_get(counts, label), c));
            all += count;
            right += label == c ? count : 0;
        }
    for (size_t c = 0; c < 2; c++) {
        f1 += json_number(json_array_get(classes, c), "f1") / 2;
        recall += json_number(json_array_get(classes, c), "recall") / 2;
        check_number("samples", json_number(json_array_get(classes, c), "samples"), SERIES / 2.0, 0, 0);
    }
    check_number("all", all, SERIES, 0, 0);
    check_number("accuracy", right / all, json_number(object, "test_accuracy"), 1e-12, 0);
    check_number("f1", f1, json_number(object, "test_f1"), 1e-12, 0);
    check_number("recall", recall, json_number(object, "test_balanced_accuracy"), 1e-12, 0);
    assert_string_equal(json_string_value(json_array_get(json_object_get(object, "class_names"), 0)), "down");
    json_t *several = json_of(run_command("eval", in_folder("two.safetensors"), in_folder("two.safetensors"), in_folder("test.csv"),
                                          "--confusion", "--json"));
    assert_true(json_equal(json_object_get(several, "confusion"), counts));
    json_decref(several);
    json_decref(object);
    expect(run_command(EVAL, "--confusion"), 0, "\nlabel             predicted as\n                    down      up\ndown  ", NULL);
    expect(run_command(EVAL, "--per-class"), 0, "\nclass               samples  predicted  precision     recall         f1\ndown  ",
           NULL);
    expect(run_command(TRAIN("values.ts"), "-q", "--epochs", "1", "-o", in_folder("value.safetensors")), 0, NULL, NULL);
    expect(run_command("eval", in_folder("value.safetensors"), in_folder("values.ts"), "--confusion"), 2, NULL,
           "tapline eval: --confusion needs classes, but the model predicts values\n");
}

/* ---- predict ---- */

#define PREDICT "predict", in_folder("two.safetensors"), in_folder("test.csv")

static void given_top_when_predicting_then_classes_by_probability(void **unused) {
    (void)unused;
    run done = run_command(PREDICT, "--top", "2");
    char *line = done.out;
    const char head[] = "class_1,probability_1,class_2,probability_2,label\n";
    assert_int_equal(strncmp(line, head, sizeof head - 1), 0);
    for (int i = 0; i < SERIES; i++) {
        char first[8], second[8], label[8];
        double most, least;
        line = strchr(line, '\n') + 1;
        // NOLINTNEXTLINE(cert-err34-c): numbers that the command prints
        assert_int_equal(sscanf(line, "%7[^,],%lf,%7[^,],%lf,%7s", first, &most, second, &least, label), 5);
        assert_true(most >= least && strcmp(first, second) != 0);
        check_number("sum", most + least, 1, 0, 1e-6);
        assert_string_equal(label, i % 2 ? "down" : "up");
    }
    run_free(&done);
    expect(run_command(PREDICT, "--top", "9"), 0, head, NULL);
    expect(run_command(PREDICT, "--top", "1"), 0, "class_1,probability_1,label\n", NULL);
    expect(run_command("predict", in_folder("value.safetensors"), in_folder("values.ts"), "--top", "1"), 2, NULL,
           "--top 1 needs classes, but the model predicts values\n");
}

static void given_json_when_predicting_then_what_the_table_says(void **unused) {
    (void)unused;
    run table = run_command(PREDICT);
    json_t *object = json_of(run_command(PREDICT, "--json")), *list = json_object_get(object, "predictions");
    assert_int_equal(json_array_size(list), SERIES);
    char *line = table.out;
    for (size_t i = 0; i < SERIES; i++) {
        char class[8], label[8];
        double down, up;
        const json_t *one = json_array_get(list, i), *both = json_object_get(one, "probabilities");
        line = strchr(line, '\n') + 1;
        // NOLINTNEXTLINE(cert-err34-c): numbers that the command prints
        assert_int_equal(sscanf(line, "%7[^,],%7[^,],%lf,%lf", class, label, &down, &up), 4);
        check_number("series", json_number(one, "series"), (double)i, 0, 0);
        assert_string_equal(json_string_value(json_object_get(one, "class")), class);
        assert_string_equal(json_string_value(json_object_get(one, "label")), label);
        check_number("down", json_number_value(json_array_get(both, 0)), down, 1e-12, 0);
        check_number("up", json_number_value(json_array_get(both, 1)), up, 1e-12, 0);
    }
    run_free(&table);
    json_decref(object);
    object = json_of(run_command(PREDICT, "--json", "--top", "1"));
    json_t *top = json_object_get(json_array_get(json_object_get(object, "predictions"), 0), "top");
    assert_int_equal(json_array_size(top), 1);
    assert_true(json_number(json_array_get(top, 0), "probability") >= 0.5);
    json_decref(object);
    object = json_of(run_command("predict", in_folder("value.safetensors"), in_folder("values.ts"), "--json"));
    const json_t *last = json_array_get(json_object_get(object, "predictions"), SERIES - 1);
    check_number("target", json_number_value(json_array_get(json_object_get(last, "targets"), 0)), SERIES - 1, 0, 0);
    json_decref(object);
}

static void given_a_layer_when_predicting_then_its_values_as_features(void **unused) {
    (void)unused;
    expect(run_command(PREDICT, "--output", "flatten_1"), 0, "value_0,value_1,", NULL);
    expect(run_command(PREDICT, "--output", "flatten_1"), 0, ",label\n", NULL);
    expect(run_command(PREDICT, "--output", "conv1d_1"), 0,
           "series,step,value_0,value_1,value_2,value_3,value_4,value_5,label\n0,0,", NULL);
    json_t *object = json_of(run_command(PREDICT, "--output", "flatten_1", "--json"));
    const json_t *first = json_array_get(json_object_get(object, "predictions"), 0);
    assert_string_equal(json_string_value(json_object_get(object, "output")), "flatten_1");
    assert_true(json_array_size(json_object_get(first, "values")) >= 12 && !json_object_get(first, "class"));
    json_decref(object);
    expect(run_command(PREDICT, "--output", "flaten_1"), 2, NULL,
           "no layer has the name \"flaten_1\"; did you mean \"flatten_1\"?");
    expect(run_command(PREDICT, "--output", "flatten_1", "--top", "1"), 2, NULL,
           "--top 1 cannot be combined with --output flatten_1, which prints the output of a layer\n");
    expect(run_command("predict", in_folder("two.safetensors"), in_folder("two.safetensors"), in_folder("test.csv"), "--output",
                       "flatten_1"),
           2, NULL, "--output flatten_1: give only one model; outputs of layers cannot be averaged\n");
}

/* Two labels that a threshold on the level of each half decides. */
static void write_several(const char *name) {
    FILE *file = fopen(in_folder(name), "w");
    assert_non_null(file);
    fputs("left,right,a,b,c,d\n", file);
    for (int i = 0; i < SERIES; i++)
        fprintf(file, "%d,%d,%d,%d,%d,%d\n", i % 2, i / 2 % 2, i % 2 ? 5 : -5, i % 2 ? 4 : -4, i / 2 % 2 ? 5 : -5,
                i / 2 % 2 ? 4 : -4);
    fclose(file);
}

static void given_several_labels_when_evaluated_then_each_by_its_name(void **unused) {
    (void)unused;
    static const char *const keys[] = {"test_subset_accuracy", "test_micro_f1", "test_macro_f1"};
    write_several("several.csv");
    run trained = run_command("train", in_folder("several.csv"), "--target", "left,right", "--normalize", "none", "--epochs", "60",
                              "--precision", tl_precision(), "--quiet", "--out", in_folder("several.safetensors"));
    assert_non_null(strstr(trained.out, "subset     micro f1     macro f1\ntrain"));
    assert_non_null(strstr(trained.out, "2 labels"));
    run_free(&trained);
    for (int members = 1; members <= 2; members++) {
        const char *model = in_folder("several.safetensors"), *data = in_folder("several.csv");
        run done = run_command("eval", model, members == 2 ? model : "--json", members == 2 ? data : "--per-class",
                               members == 2 ? "--json" : data, members == 2 ? "--per-class" : NULL);
        json_t *object = run_json(&done), *names = json_object_get(object, "label_names");
        for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) check_number(keys[i], json_number(object, keys[i]), 1, 1e-12, 0);
        assert_true(json_number(object, "test_rmse") < 0.5);
        assert_string_equal(json_string_value(json_array_get(names, 1)), "right");
        const json_t *right = json_array_get(json_object_get(object, "per_class"), 1);
        assert_string_equal(json_string_value(json_object_get(right, "class")), "right");
        assert_int_equal(json_integer_value(json_object_get(right, "samples")), SERIES / 2);
        check_number("f1 of one label", json_number(right, "f1"), 1, 1e-12, 0);
        assert_null(json_object_get(object, "class_names"));
        json_decref(object);
        run_free(&done);
    }
    expect(run_command("eval", in_folder("several.safetensors"), in_folder("several.csv"), "--per-class"), 0, "\nright  ", NULL);
    expect(run_command("eval", in_folder("several.safetensors"), in_folder("several.csv"), "--confusion"), 2, NULL,
           "--confusion needs classes, but the model predicts several labels (--per-class)");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(given_a_first_training_when_run_then_it_says_on_what),
        cmocka_unit_test(given_patience_when_trained_then_the_report_says_why_it_ended),
        cmocka_unit_test(given_validation_data_when_trained_then_its_best_epoch_is_kept),
        cmocka_unit_test(given_all_folds_when_trained_with_out_then_each_model_is_kept),
        cmocka_unit_test(given_columns_in_another_order_when_predicted_then_refused),
        cmocka_unit_test(given_init_when_trained_then_it_begins_where_the_file_ended),
        cmocka_unit_test(given_another_rate_when_resumed_then_taken_over_where_it_is_given),
        cmocka_unit_test(given_classes_when_evaluated_then_counted_by_label_and_prediction),
        cmocka_unit_test(given_top_when_predicting_then_classes_by_probability),
        cmocka_unit_test(given_json_when_predicting_then_what_the_table_says),
        cmocka_unit_test(given_a_layer_when_predicting_then_its_values_as_features),
        cmocka_unit_test(given_several_labels_when_evaluated_then_each_by_its_name),
    };
    return cmocka_run_group_tests(tests, set_up, folder_teardown) != 0;
}
