/* Misleading results of `tapline train`: warnings, trainings that fail, what is saved of them, exit codes. */
#include "check.h"
#include "folder.h"
#include "runner.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { LENGTH = 16 };

/* Noise, with the label of each series. */
static void write_labels(const char *name, const char *labels) {
    tl_rng rng = tl_rng_at(3, TL_STREAM_USER, 0, 0);
    FILE *file = folder_create(name);
    for (const char *label = labels; *label; label++) {
        fputc(*label, file);
        for (int t = 0; t < LENGTH; t++) fprintf(file, ",%.4f", tl_rng_normal(&rng) + (*label == 'b' ? t : 0));
        fputc('\n', file);
    }
    fclose(file);
}

/* Slopes of lines; those of the first `steep` series are large. */
static void write_slopes(const char *name, int count, int steep) {
    tl_rng rng = tl_rng_at(7, TL_STREAM_USER, 0, 0);
    FILE *file = folder_create(name);
    fprintf(file, "@problemName Slopes\n@univariate true\n@equalLength true\n@targetLabel true\n@data\n");
    for (int i = 0; i < count; i++) {
        const double slope = tl_rng_uniform(&rng) * (i < steep ? 100 : 1);
        for (int t = 0; t < LENGTH; t++) fprintf(file, "%s%.4f", t ? "," : "", slope * t / LENGTH);
        fprintf(file, ":%.4f\n", slope);
    }
    fclose(file);
}

static int set_up(void **unused) {
    (void)unused;
    if (folder_setup() != 0) return 1;
    FILE *file = folder_create("linear.json");
    fputs("{\"layers\": [{\"type\": \"flatten\"}, {\"type\": \"dense\", \"units\": \"outputs\"}]}\n", file);
    fclose(file);
    return 0;
}

/* The run's exit code, and `text` on stderr (NULL: nothing at all there). */
static void expect(const run *done, int code, const char *text) {
    if (done->code != code || (text ? !strstr(done->err, text) : *done->err != '\0'))
        fail_msg("expected exit code %d and \"%s\" on stderr; got %d and \"%s\"", code, text ? text : "", done->code, done->err);
}

static bool is_there(const char *name) { return access(in_folder(name), F_OK) == 0; }

#define QUICK "--precision", tl_precision(), "--arch", in_folder("linear.json"), "--quiet"

/* ---- warnings ---- */

static void given_data_that_mislead_when_trained_then_a_line_names_the_cure(void **unused) {
    (void)unused;
    static const struct {
        const char *labels, *warning;
    } cases[] = {
        {"abababababababababab", NULL},
        {"aaaaaaaaaaaa", "tapline train: warning: there is only one class, a, so that the accuracy is always 1"},
        {"aaaaaaaaaaaaaaaaab",
         "tapline train: warning: 94 % of the labels are a; look at balanced accuracy and F1, and consider --balance"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        write_labels("labels.csv", cases[i].labels);
        run done = run_command("train", in_folder("labels.csv"), "--epochs", "2", QUICK);
        expect(&done, 0, cases[i].warning);
        assert_non_null(strstr(done.out, "accuracy     balanced           f1\n"));
        run_free(&done);
    }
    run balanced = run_command("train", in_folder("labels.csv"), "--epochs", "2", "--balance", QUICK);
    expect(&balanced, 0, NULL);
    run_free(&balanced);
}

static void given_levels_alone_when_scaled_then_said_that_nothing_is_left(void **unused) {
    (void)unused;
    FILE *file = folder_create("levels.csv");
    for (int i = 0; i < 12; i++) fprintf(file, "%c,%d,%d,%d\n", i % 2 ? 'a' : 'b', i % 2, i % 2, i % 2);
    fclose(file);
    run scaled = run_command("train", in_folder("levels.csv"), "--epochs", "2", QUICK);
    expect(&scaled, 0,
           "warning: every series is constant, and 0 after scaling; use --normalize none or --normalize set to keep the levels");
    run_free(&scaled);
    run unscaled = run_command("train", in_folder("levels.csv"), "--epochs", "2", "--normalize", "none", QUICK);
    expect(&unscaled, 0, NULL);
    run_free(&unscaled);
}

static void given_a_class_of_two_when_held_out_by_three_then_told(void **unused) {
    (void)unused;
    write_labels("rare.csv", "abababababcc");
    run done = run_command("train", in_folder("rare.csv"), "--epochs", "2", "--folds", "3", "--fold", "all", QUICK);
    expect(&done, 0, "there is no series of class c for validation; use fewer --folds");
    run_free(&done);
}

/* A batch norm that sees one series at a time learns their level away. */
static void given_accuracy_below_the_progress_when_reported_then_a_line_says_so(void **unused) {
    (void)unused;
    FILE *file = folder_create("mine.csv");
    for (int i = 0; i < 8; i++) fprintf(file, i % 2 ? "calm,0.1,0.2,0.1,0.0%d\n" : "busy,0.1,5.2,0.3,4.9%d\n", i);
    fclose(file);
    run alone =
        run_command("train", in_folder("mine.csv"), "--epochs", "150", "--batch", "1", "--precision", tl_precision(), "--quiet");
    expect(&alone, 0, "warning: the accuracy on the training set is ");
    run_free(&alone);
    run usual = run_command("train", in_folder("mine.csv"), "--epochs", "30", "--precision", tl_precision(), "--quiet");
    expect(&usual, 0, NULL);
    run_free(&usual);
}

/* ---- trainings that end badly ---- */

/* The rate rises by 0.02 a step until the error grows from step to step: after some epochs, whatever the precision. */
#define DIVERGE                                                                                                                    \
    "--optimizer", "sgd", "--schedule", "constant", "--lr", "2e6", "--warmup", "100000000", "--batch", "6", "--epochs", "900"

static void given_diverging_training_when_ended_then_the_best_is_saved(void **unused) {
    (void)unused;
    write_slopes("slopes.ts", 24, 0);
    run done = run_command("train", in_folder("slopes.ts"), "--normalize", "none", "--out", in_folder("best.safetensors"), "--json",
                           DIVERGE, QUICK);
    char text[300];
    json_t *object = run_json(&done);
    const double epoch = json_number(object, "best_epoch");
    assert_true(epoch >= 1 && isfinite(json_number(object, "train_loss")));
    snprintf(text, sizeof text, "; parameters unchanged; %s has the best network so far, from epoch %.0f\n",
             in_folder("best.safetensors"), epoch);
    expect(&done, 1, text);
    run evaluated = run_command("eval", in_folder("best.safetensors"), in_folder("slopes.ts"), "--json");
    json_t *same = run_json(&evaluated);
    check_number("loss", json_number(same, "test_loss"), json_number(object, "train_loss"), 1e-6, 0);
    json_decref(same);
    json_decref(object);
    run_free(&evaluated);
    run_free(&done);
}

/* Steep lines make the steps too long: only the fold that holds all of them out can learn. */
static void given_diverging_folds_when_cross_validated_then_others_reported(void **unused) {
    (void)unused;
    for (int alone = 0; alone <= 1; alone++) {
        write_slopes("steep.ts", alone ? 3 : 24, 1);
        run done = run_command("train", in_folder("steep.ts"), "--normalize", "none", "--folds", alone ? "2" : "3", "--fold", "all",
                               "--json", "--optimizer", "sgd", "--schedule", "constant", "--lr", "0.05", "--epochs", "400", QUICK);
        json_t *object = run_json(&done), *folds = json_object_get(object, "folds");
        expect(&done, 1, ": non-finite ");
        assert_int_equal(json_array_size(folds), 1);
        assert_true(isfinite(json_number(object, "validation_loss")));
        json_decref(object);
        run_free(&done);
    }
}

static void given_diverging_members_when_trained_then_each_is_told(void **unused) {
    (void)unused;
    write_slopes("slopes.ts", 24, 0);
    run done = run_command("train", in_folder("slopes.ts"), "--normalize", "none", "--members", "2", "--out",
                           in_folder("two.safetensors"), DIVERGE, QUICK);
    expect(&done, 1, "tapline train: member 1: non-finite ");
    expect(&done, 1, "tapline train: member 2: non-finite ");
    expect(&done, 1, "tapline train: no member could be trained\n");
    assert_true(is_there("two.1.safetensors") && is_there("two.2.safetensors"));
    run_free(&done);
}

/* The folder of the checkpoint goes once training has begun. */
static void given_a_lost_checkpoint_folder_when_ended_then_the_best_is_saved(void **unused) {
    (void)unused;
    write_slopes("slopes.ts", 24, 0);
    assert_int_equal(mkdir(in_folder("gone"), 0700), 0);
    run done = run_start((const char *const[RUN_ARGUMENTS]){"train", in_folder("slopes.ts"), "--normalize", "none", "--epochs",
                                                            "100000000", "--out", in_folder("best.safetensors"), "--checkpoint",
                                                            in_folder("gone/c"), "--checkpoint-every", "0.01", "--json", QUICK},
                         NULL);
    for (int i = 0; i < 1000 && !is_there("gone/c"); i++) nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
    char command[200];
    snprintf(command, sizeof command, "rm -r %s", in_folder("gone"));
    while (system(command) != 0) continue; // NOLINT(cert-env33-c): a folder of our own, in which files come and go
    run_wait(&done);
    expect(&done, 1, "best.safetensors has the best network so far, from epoch ");
    json_t *object = run_json(&done);
    assert_true(isfinite(json_number(object, "train_loss")));
    json_decref(object);
    run_free(&done);
}

static void given_values_that_overflow_when_evaluated_then_no_rows(void **unused) {
    (void)unused;
    const double maximum = sizeof(tl_real) == 4 ? 3e38 : 1.6e308; /* times 1000, none */
    FILE *network = folder_create("scaled.json");
    fputs("{\"layers\": [{\"type\": \"affine\", \"scale\": 1000}, {\"type\": \"flatten\"}, {\"type\": \"dense\", \"units\": 1}]}\n",
          network);
    fclose(network);
    write_slopes("slopes.ts", 24, 0);
    run done = run_command("train", in_folder("slopes.ts"), "--normalize", "none", "--epochs", "3", "--out",
                           in_folder("m.safetensors"), QUICK, "--arch", in_folder("scaled.json"));
    expect(&done, 0, NULL);
    run_free(&done);
    FILE *file = folder_create("large.ts");
    fprintf(file, "@problemName Large\n@univariate true\n@equalLength true\n@targetLabel true\n@data\n");
    for (int t = 0; t < LENGTH; t++) fprintf(file, "%s%g", t ? "," : "", t % 2 ? maximum : -maximum);
    fprintf(file, ":1\n");
    fclose(file);
    run evaluated = run_command("eval", in_folder("m.safetensors"), in_folder("large.ts"));
    expect(&evaluated, 1, "tapline eval: the loss is not finite");
    run_free(&evaluated);
    run predicted = run_command("predict", in_folder("m.safetensors"), in_folder("large.ts"));
    expect(&predicted, 1, "tapline predict: series 0: the prediction is not finite");
    assert_null(strstr(predicted.out, "nan"));
    run_free(&predicted);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(given_data_that_mislead_when_trained_then_a_line_names_the_cure),
        cmocka_unit_test(given_levels_alone_when_scaled_then_said_that_nothing_is_left),
        cmocka_unit_test(given_a_class_of_two_when_held_out_by_three_then_told),
        cmocka_unit_test(given_accuracy_below_the_progress_when_reported_then_a_line_says_so),
        cmocka_unit_test(given_diverging_training_when_ended_then_the_best_is_saved),
        cmocka_unit_test(given_diverging_folds_when_cross_validated_then_others_reported),
        cmocka_unit_test(given_diverging_members_when_trained_then_each_is_told),
        cmocka_unit_test(given_a_lost_checkpoint_folder_when_ended_then_the_best_is_saved),
        cmocka_unit_test(given_values_that_overflow_when_evaluated_then_no_rows),
    };
    return cmocka_run_group_tests(tests, set_up, folder_teardown) != 0;
}
