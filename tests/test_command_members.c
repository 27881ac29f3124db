/* The tapline command and several networks: train --members, and eval and predict of several models. */
#include "check.h"
#include "folder.h"
#include "runner.h"

#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { SERIES = 20, LENGTH = 40, MEMBERS = 3 };

/* Series of two classes, or whose value is their slope; noisy, so that networks differ. */
static void write_series(const char *name, const char *classes, uint32_t seed, int length) {
    tl_rng rng = tl_rng_at(seed, TL_STREAM_USER, 0, 0);
    FILE *file = fopen(in_folder(name), "w");
    assert_non_null(file);
    fprintf(file, "@problemName Lines\n@equalLength true\n@%s %s\n@data\n", classes ? "classLabel true" : "targetLabel true",
            classes ? classes : "");
    for (int i = 0; i < SERIES; i++) {
        const double slope = i % 2 ? 0.05 : -0.05;
        for (int t = 0; t < length; t++) fprintf(file, "%s%.4f", t ? "," : "", slope * t + tl_rng_normal(&rng));
        if (classes)
            fprintf(file, ":%s\n", i % 2 ? "up" : "down");
        else
            fprintf(file, ":%.4f\n", slope + 0.01 * tl_rng_normal(&rng));
    }
    fclose(file);
}

static int set_up(void **unused) {
    (void)unused;
    if (folder_setup() != 0) return 1;
    write_series("train.ts", "up down", 1, LENGTH);
    write_series("test.ts", "up down", 2, LENGTH);
    write_series("other.ts", "down up", 3, LENGTH);
    write_series("long.ts", "up down", 4, LENGTH + 7);
    write_series("values.ts", NULL, 5, LENGTH);
    return 0;
}

/* The run's exit code, and `text` on stderr (NULL: nothing at all there). Frees the run. */
static void expect(run done, int code, const char *text) {
    if (done.code != code || (text ? !strstr(done.err, text) : *done.err != '\0'))
        fail_msg("expected exit code %d and \"%s\" on stderr; got %d and \"%s\"", code, text ? text : "", done.code, done.err);
    run_free(&done);
}

static bool is_there(const char *name) { return access(in_folder(name), F_OK) == 0; }

static void check_same_files(const char *a, const char *b) {
    static char one[100000], other[100000];
    FILE *first = fopen(in_folder(a), "rb"), *second = fopen(in_folder(b), "rb");
    if (!first || !second) fail_msg("%s or %s is not there", a, b);
    const size_t size = fread(one, 1, sizeof one, first);
    assert_true(size > 0 && size < sizeof one && fread(other, 1, sizeof other, second) == size);
    assert_memory_equal(one, other, size);
    fclose(first);
    fclose(second);
}

#define TRAIN(data) "train", in_folder(data), "--arch", "timecnn", "--precision", tl_precision(), "--lr", "0.01", "--seed", "7"

/* Three models of their own, seeds 7, 8 and 9: alone.1.safetensors … */
static void train_alone(void) {
    for (int i = 1; i <= MEMBERS; i++) {
        char name[40], seed[8];
        snprintf(name, sizeof name, "alone.%d.safetensors", i);
        snprintf(seed, sizeof seed, "%d", 6 + i);
        expect(run_command("train", in_folder("train.ts"), "--arch", "timecnn", "--precision", tl_precision(), "--lr", "0.01",
                           "--quiet", "--epochs", "6", "--seed", seed, "--out", in_folder(name)),
               0, NULL);
    }
}

/* ---- train ---- */

static void given_members_when_trained_then_consecutive_seeds(void **unused) {
    (void)unused;
    train_alone();
    run done = run_command(TRAIN("train.ts"), "--test", in_folder("test.ts"), "--epochs", "6", "--members", "3", "--json", "--out",
                           in_folder("all.safetensors"), "--log", in_folder("log.csv"));
    json_t *all = run_json(&done), *members = json_object_get(all, "members");
    assert_int_equal(json_array_size(members), MEMBERS);
    check_same_files("all.1.safetensors", "alone.1.safetensors");
    check_same_files("all.2.safetensors", "alone.2.safetensors");
    check_same_files("all.3.safetensors", "alone.3.safetensors");
    assert_true(!is_there("all.safetensors") && is_there("log.1.csv") && is_there("log.3.csv"));
    assert_non_null(strstr(done.err, "member 1/3  epoch 1/6  loss "));
    assert_non_null(strstr(done.err, "member 3/3  epoch 6/6  loss "));
    run evaluated = run_command("eval", in_folder("all.1.safetensors"), in_folder("all.2.safetensors"),
                                in_folder("all.3.safetensors"), in_folder("test.ts"), "--json");
    json_t *together = run_json(&evaluated);
    check_number("test_loss", json_number(all, "test_loss"), json_number(together, "test_loss"), 1e-6, 0);
    check_number("test_accuracy", json_number(all, "test_accuracy"), json_number(together, "test_accuracy"), 0, 0);
    check_number("test_auroc", json_number(all, "test_auroc"), json_number(together, "test_auroc"), 1e-6, 0);
    check_number("parameters", json_number(all, "parameters"), json_number(together, "parameters"), 0, 0);
    double seconds = 0;
    for (size_t i = 0; i < MEMBERS; i++) {
        const json_t *one = json_array_get(members, i), *same = json_array_get(json_object_get(together, "members"), i);
        check_number("seed", json_number(one, "seed"), 7 + (double)i, 0, 0);
        check_number("seed in the file", json_number(same, "seed"), 7 + (double)i, 0, 0);
        check_number("epochs", json_number(one, "epochs"), 6, 0, 0);
        check_number("its accuracy", json_number(one, "test_accuracy"), json_number(same, "test_accuracy"), 0, 0);
        check_number("its loss", json_number(one, "test_loss"), json_number(same, "test_loss"), 1e-6, 0);
        assert_non_null(strstr(json_string_value(json_object_get(same, "model")), "safetensors"));
        seconds += json_number(one, "seconds");
    }
    check_number("seconds", json_number(all, "seconds"), seconds, 1e-9, 0);
    check_number("epochs", json_number(all, "epochs"), 6, 0, 0);
    check_number("steps", json_number(all, "steps"), 3.0 * json_number(json_array_get(members, 0), "steps"), 0, 0);
    assert_true(json_is_null(json_object_get(all, "best_epoch")));
    json_decref(together);
    json_decref(all);
    expect(evaluated, 0, NULL);
    run_free(&done);
}

static void given_published_ensembles_when_trained_then_five_networks(void **unused) {
    (void)unused;
    run done = run_command("train", in_folder("train.ts"), "--arch", "inceptiontime", "--epochs", "1", "--quiet", "--batch", "20",
                           "--test", in_folder("test.ts"));
    assert_non_null(strstr(done.out, "training   5 of 5 networks, 1 epoch, 5 steps of batch 20 in all\n"));
    assert_non_null(strstr(done.out, "\n  member 5 "));
    expect(done, 0, NULL);
    done = run_command("train", in_folder("train.ts"), "--arch", "litetime", "--epochs", "1", "--quiet");
    assert_non_null(strstr(done.out, "training   5 of 5 networks, 1 epoch, "));
    expect(done, 0, NULL);
    done = run_command("train", in_folder("train.ts"), "--arch", "inceptiontime", "--epochs", "1", "--quiet", "--members", "1");
    assert_non_null(strstr(done.out, "training   1 epoch, "));
    expect(done, 0, NULL);
}

static void given_a_validation_set_when_members_train_then_mean_metrics(void **unused) {
    (void)unused;
    run done = run_command(TRAIN("train.ts"), "--epochs", "3", "--members", "2", "--folds", "4", "--quiet", "--json");
    json_t *object = run_json(&done);
    assert_true(json_number(object, "validation_loss") > 0 && json_is_null(json_object_get(object, "test_loss")));
    json_decref(object);
    expect(done, 0, NULL);
}

static void given_a_regression_when_members_are_trained_then_values_are_averaged(void **unused) {
    (void)unused;
    run done = run_command(TRAIN("values.ts"), "--test", in_folder("values.ts"), "--epochs", "3", "--members", "2", "--quiet",
                           "--json", "--out", in_folder("values.safetensors"));
    json_t *object = run_json(&done);
    run evaluated =
        run_command("eval", in_folder("values.1.safetensors"), in_folder("values.2.safetensors"), in_folder("values.ts"), "--json");
    json_t *together = run_json(&evaluated);
    check_number("test_rmse", json_number(object, "test_rmse"), json_number(together, "test_rmse"), 1e-5, 0);
    assert_true(json_number(json_array_get(json_object_get(object, "members"), 1), "test_rmse") > 0);
    json_decref(together);
    json_decref(object);
    expect(evaluated, 0, NULL);
    expect(done, 0, "series for test are also in the training set");
}

/* ---- checkpoints ---- */

/* As after an interruption in the second member: one checkpoint at its end, one on the way, none of the third. */
static void given_checkpoints_when_members_resume_then_as_uninterrupted(void **unused) {
    (void)unused;
    train_alone();
    expect(run_command(TRAIN("train.ts"), "--epochs", "6", "--members", "1", "--quiet", "--checkpoint", in_folder("c.1.ckpt")), 0,
           NULL);
    expect(run_command("train", in_folder("train.ts"), "--arch", "timecnn", "--precision", tl_precision(), "--lr", "0.01", "--seed",
                       "8", "--epochs", "4", "--quiet", "--checkpoint", in_folder("c.2.ckpt")),
           0, NULL);
    expect(run_command(TRAIN("train.ts"), "--epochs", "6", "--members", "3", "--quiet", "--checkpoint", in_folder("c.ckpt"),
                       "--resume", in_folder("c.ckpt"), "--out", in_folder("resumed.safetensors")),
           0, NULL);
    check_same_files("resumed.1.safetensors", "alone.1.safetensors");
    check_same_files("resumed.2.safetensors", "alone.2.safetensors");
    check_same_files("resumed.3.safetensors", "alone.3.safetensors");
    assert_true(is_there("c.3.ckpt") && !is_there("c.ckpt"));
    expect(run_command(TRAIN("train.ts"), "--members", "3", "--quiet", "--resume", in_folder("none.ckpt")), 1,
           "none.1.ckpt: No such");
}

static void given_a_signal_when_a_member_is_trained_then_no_other_is_begun(void **unused) {
    (void)unused;
    run done = run_start((const char *const[RUN_ARGUMENTS]){TRAIN("train.ts"), "--epochs", "1000000", "--members", "3", "--quiet",
                                                            "--json", "--log", in_folder("signal.csv")},
                         NULL);
    bool written = false;
    for (int wait = 0; wait < 6000 && !written; wait++) {
        char text[300];
        nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
        FILE *file = fopen(in_folder("signal.1.csv"), "r");
        written = file && fread(text, 1, sizeof text, file) > 100;
        if (file) fclose(file);
    }
    kill(done.process, SIGINT);
    run_wait(&done);
    json_t *object = run_json(&done);
    assert_true(json_is_true(json_object_get(object, "interrupted")));
    assert_int_equal(json_array_size(json_object_get(object, "members")), 1);
    json_decref(object);
    assert_true(!is_there("signal.2.csv"));
    expect(done, 0, "tapline train: interrupted");
}

/* ---- predict ---- */

/* The last number of each line but the first. */
static void read_last(const char *csv, double values[SERIES]) {
    for (size_t i = 0; i < SERIES; i++) {
        csv = strchr(csv, '\n') + 1;
        const char *end = strchr(csv, '\n');
        while (end > csv && *end != ',') end--;
        values[i] = strtod(end > csv ? end + 1 : csv, NULL);
    }
}

static void given_several_models_when_predicting_then_the_mean_of_all(void **unused) {
    (void)unused;
    train_alone();
    const char *models[] = {"alone.1.safetensors", "alone.2.safetensors", "alone.3.safetensors"};
    double mean[SERIES] = {0}, values[SERIES];
    for (size_t m = 0; m < MEMBERS; m++) {
        run done = run_command("predict", in_folder(models[m]), in_folder("test.ts"));
        read_last(done.out, values);
        for (size_t i = 0; i < SERIES; i++) mean[i] += values[i] / MEMBERS;
        expect(done, 0, NULL);
    }
    run done = run_command("predict", in_folder(models[0]), in_folder(models[1]), in_folder(models[2]), in_folder("test.ts"));
    assert_int_equal(strncmp(done.out, "class,label,up,down\n", 20), 0);
    read_last(done.out, values);
    for (size_t i = 0; i < SERIES; i++) check_number("probability", values[i], mean[i], 1e-6, 0);
    expect(done, 0, NULL);
}

/* ---- refusals ---- */

static void given_models_that_do_not_go_together_when_evaluated_then_said_why(void **unused) {
    (void)unused;
    train_alone();
    const char *first = in_folder("alone.1.safetensors");
    char one[100];
    snprintf(one, sizeof one, "%s", first);
#define ONE(data, file, ...)                                                                                                       \
    expect(run_command("train", in_folder(data), "--precision", tl_precision(), "--epochs", "1", "--quiet", "--out",               \
                       in_folder(file), __VA_ARGS__),                                                                              \
           0, NULL)
    ONE("other.ts", "classes.safetensors", "--arch", "timecnn");
    ONE("train.ts", "raw.safetensors", "--arch", "timecnn", "--raw");
    ONE("train.ts", "filled.safetensors", "--arch", "timecnn", "--missing", "mean");
    ONE("long.ts", "long.safetensors", "--arch", "timecnn");
    ONE("values.ts", "value.safetensors", "--arch", "timecnn");
    ONE("values.ts", "huber.safetensors", "--arch", "timecnn", "--loss", "huber");
    const struct {
        const char *other, *text;
        int code;
    } wrong[] = {{"classes.safetensors", "classes.safetensors: its classes differ from those of /tmp/", 2},
                 {"value.safetensors", "value.safetensors: its classes differ from those of /tmp/", 2},
                 {"raw.safetensors", "raw.safetensors: it takes series without scaling, but /tmp/", 2},
                 {"filled.safetensors", "filled.safetensors: its policy for missing values is mean, but that of /tmp/", 2},
                 {"long.safetensors", "long.safetensors: ensemble: x is (20, 40, 1); the model takes (count, 47, 1)", 1},
                 {"none.safetensors", "none.safetensors: ", 1}};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        expect(run_command("eval", one, in_folder(wrong[i].other), in_folder("test.ts")), wrong[i].code, wrong[i].text);
        expect(run_command("predict", one, in_folder(wrong[i].other), in_folder("test.ts")), wrong[i].code, wrong[i].text);
    }
    expect(run_command("eval", in_folder("value.safetensors"), in_folder("huber.safetensors"), in_folder("values.ts")), 2,
           "huber.safetensors: ensemble: the loss of member 1 is huber, that of member 0 is squared-error");
    expect(run_command("eval", one), 2, "tapline eval: needs MODEL... DATA; ");
    expect(run_command("eval", one, one), 2, "alone.1.safetensors: the name has none of the endings .ts, ");
}

static void given_members_that_cannot_be_when_trained_then_said_why(void **unused) {
    (void)unused;
    expect(run_command(TRAIN("train.ts"), "--members", "0"), 2, "--members 0: must be a whole number from 1 to 100");
    expect(run_command(TRAIN("train.ts"), "--members", "101"), 2, "--members 101: must be a whole number from 1 to 100");
    expect(run_command(TRAIN("train.ts"), "--members", "2", "--quiet", "--out", "/nonexistent/m.safetensors"), 1,
           "/nonexistent/m.1.safetensors");
    expect(run_command(TRAIN("train.ts"), "--members", "2", "--quiet", "--log", "/nonexistent/log.csv"), 1,
           "tapline train: --log /nonexistent/log.1.csv: cannot be written: No such file or directory\n");
    expect(run_command(TRAIN("train.ts"), "--members", "2", "--folds", "2", "--fold", "all"), 2,
           "--fold all trains a network for each fold; it cannot be combined with 2 members");
    assert_int_equal(symlink("/nonexistent/log", in_folder("broken.2.csv")), 0);
    expect(run_command(TRAIN("train.ts"), "--members", "2", "--quiet", "--epochs", "1", "--log", in_folder("broken.csv")), 1,
           "broken.2.csv: is a link to a file that does not exist");
    FILE *file = fopen(in_folder("d.2.ckpt"), "w");
    fputs("no checkpoint", file);
    fclose(file);
    expect(run_command(TRAIN("train.ts"), "--epochs", "1", "--quiet", "--checkpoint", in_folder("d.1.ckpt")), 0, NULL);
    expect(run_command(TRAIN("train.ts"), "--epochs", "1", "--members", "2", "--quiet", "--resume", in_folder("d.ckpt")), 1,
           "tapline train: member 2: /tmp/");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(given_members_when_trained_then_consecutive_seeds),
        cmocka_unit_test(given_published_ensembles_when_trained_then_five_networks),
        cmocka_unit_test(given_a_validation_set_when_members_train_then_mean_metrics),
        cmocka_unit_test(given_a_regression_when_members_are_trained_then_values_are_averaged),
        cmocka_unit_test(given_checkpoints_when_members_resume_then_as_uninterrupted),
        cmocka_unit_test(given_a_signal_when_a_member_is_trained_then_no_other_is_begun),
        cmocka_unit_test(given_several_models_when_predicting_then_the_mean_of_all),
        cmocka_unit_test(given_models_that_do_not_go_together_when_evaluated_then_said_why),
        cmocka_unit_test(given_members_that_cannot_be_when_trained_then_said_why),
    };
    return cmocka_run_group_tests(tests, set_up, folder_teardown) != 0;
}
