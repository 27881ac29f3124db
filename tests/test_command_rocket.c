/* The tapline command and networks whose last layer is solved: training, files, what they predict, reports, and what is refused. */
#include "check.h"
#include "runner.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ONE "--threads", "1", "--precision", tl_precision()

static char folder[] = "/tmp/tapline-rocket-XXXXXX", model_file[60], table_file[60];

static int set_up(void **unused) {
    (void)unused;
    if (!mkdtemp(folder)) return 1;
    snprintf(model_file, sizeof model_file, "%s/m.safetensors", folder);
    snprintf(table_file, sizeof table_file, "%s/t.csv", folder);
    return 0;
}

static int tear_down(void **unused) {
    (void)unused;
    return unlink(model_file) | unlink(table_file) | rmdir(folder);
}

/* The object that it reports. */
static json_t *succeed(const char *const *arguments) {
    run done = run_to_end(arguments);
    if (done.code != 0) fail_msg("exit code %d: %s", done.code, done.err);
    json_t *object = run_json(&done);
    run_free(&done);
    return object;
}

#define SUCCEED(...) succeed((const char *const[RUN_ARGUMENTS]){__VA_ARGS__, "--json"})

static void given_an_architecture_when_trained_then_accurate_and_a_small_file(void **unused) {
    (void)unused;
    static const char *const names[] = {"minirocket", "multirocket", "hydra", "multirocket-hydra"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        json_t *trained = SUCCEED("train", "builtin:cbf", "--arch", names[i], "--out", model_file, ONE);
        assert_true(json_number(trained, "test_accuracy") > 0.95);
        assert_true(json_number(trained, "leave_one_out_accuracy") > 0.9);
        assert_true(json_number(trained, "test_loss") < 0.2);
        assert_string_equal(json_string_value(json_object_get(trained, "head")), "ridge");
        check_number("epochs", json_number(trained, "epochs"), 0, 0, 0);
        json_t *loaded = SUCCEED("eval", model_file, "builtin:cbf/test", ONE);
        check_number("loss of the file", json_number(loaded, "test_loss"), json_number(trained, "test_loss"), 0, 0);
        json_t *info = SUCCEED("info", model_file);
        assert_true(json_number(info, "bytes") < (i == 0 ? 500e3 : 4e6));
        assert_string_equal(json_string_value(json_object_get(info, "normalise")), "none");
        json_decref(trained);
        json_decref(loaded);
        json_decref(info);
    }
}

static void given_threads_when_trained_then_the_same_numbers(void **unused) {
    (void)unused;
    json_t *one = SUCCEED("train", "builtin:cbf", "--arch", "minirocket", "--seed", "3", ONE);
    json_t *three =
        SUCCEED("train", "builtin:cbf", "--arch", "minirocket", "--seed", "3", "--threads", "3", "--precision", tl_precision());
    check_number("test loss", json_number(three, "test_loss"), json_number(one, "test_loss"), 0, 0);
    json_decref(one);
    json_decref(three);
}

static void given_head_ridge_when_a_network_is_trained_then_its_head_is_solved(void **unused) {
    (void)unused;
    json_t *object = SUCCEED("train", "builtin:cbf", "--arch", "timecnn", "--epochs", "2", "--head", "ridge", "--quiet", ONE);
    assert_string_equal(json_string_value(json_object_get(object, "head")), "ridge");
    check_number("epochs", json_number(object, "epochs"), 2, 0, 0);
    assert_true(json_number(object, "test_accuracy") > 0.6);
    json_decref(object);
}

static void given_head_trained_when_minirocket_then_it_learns_by_gradients(void **unused) {
    (void)unused;
    json_t *object = SUCCEED("train", "builtin:cbf", "--arch", "minirocket", "--head", "trained", "--epochs", "30", "--quiet", ONE);
    assert_string_equal(json_string_value(json_object_get(object, "head")), "trained");
    check_number("epochs", json_number(object, "epochs"), 30, 0, 0);
    assert_true(json_number(object, "train_accuracy") > 0.4);
    json_decref(object);
}

static void given_folds_and_members_when_solved_then_means_of_them(void **unused) {
    (void)unused;
    json_t *folds = SUCCEED("train", "builtin:cbf", "--arch", "minirocket", "--folds", "3", "--fold", "all", "--quiet", ONE);
    assert_int_equal(json_array_size(json_object_get(folds, "folds")), 3);
    assert_true(json_number(folds, "validation_accuracy") > 0.8);
    json_t *members = SUCCEED("train", "builtin:cbf", "--arch", "minirocket", "--members", "2", ONE);
    assert_int_equal(json_array_size(json_object_get(members, "members")), 2);
    json_decref(folds);
    json_decref(members);
}

static void given_target_values_when_solved_then_a_regression(void **unused) {
    (void)unused;
    FILE *file = fopen(table_file, "w");
    assert_non_null(file);
    fputs("y,a,b,c,d,e,f,g,h,i,j\n", file);
    for (int i = 0; i < 40; i++) {
        fprintf(file, "%d", i % 7);
        for (int t = 0; t < 10; t++) fprintf(file, ",%.6f", sin(0.3 * t * (1 + i % 7) + i));
        fputs("\n", file);
    }
    fclose(file);
    json_t *object = SUCCEED("train", table_file, "--target", "y", "--arch", "minirocket", ONE);
    assert_true(json_number(object, "train_r2") > 0.9);
    assert_true(json_is_null(json_object_get(object, "leave_one_out_accuracy")));
    json_decref(object);
}

/* The exit code, and `text` on stderr. */
static void expect(run done, int code, const char *text) {
    if (done.code != code || !strstr(done.err, text))
        fail_msg("expected exit code %d and \"%s\" on stderr; got %d and \"%s\"", code, text, done.code, done.err);
    run_free(&done);
}

static void write_table(const char *lines) {
    FILE *file = fopen(table_file, "w");
    assert_non_null(file);
    fputs(lines, file);
    fclose(file);
}

static void given_options_about_gradients_when_solved_then_refused(void **unused) {
    (void)unused;
    const char *const options[][2] = {
        {"--epochs", "3"}, {"--lr", "0.1"}, {"--log", "x.csv"}, {"--checkpoint", "x"}, {"--mixup", "0.2"}};
    for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
        char text[200];
        snprintf(text, sizeof text, "tapline train: %s: the last layer of minirocket is solved, not trained; use --head trained",
                 options[i][0]);
        expect(run_command("train", "--arch", "minirocket", options[i][0], options[i][1], ONE), 2, text);
    }
    expect(run_command("train", "--arch", "minirocket", "--head", "rige"), 2, "did you mean ridge?");
}

static void given_bad_data_when_solved_then_messages_with_the_cure(void **unused) {
    (void)unused;
    const struct {
        const char *lines, *text;
    } cases[] = {
        {"1,2,3,4,5,6,7,8\n2,2,3,4,5,6,7,9\n", "series of 7 steps are shorter than the kernels, which take 9; pad them with zeros"},
        {"a,5,5,5,5,5,5,5,5,5\nb,5,5,5,5,5,5,5,5,5\n",
         "features are the same for all series; check whether the series are constant or equal"},
        {"a,1,2,3,4,5,4,3,2,1\na,2,2,3,4,5,4,3,2,9\n", "all series have the label 0; classification needs at least two classes"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        write_table(cases[i].lines);
        expect(run_command("train", table_file, "--arch", "minirocket", ONE), i == 2 ? 2 : 1, cases[i].text);
    }
    expect(run_command("train", "builtin:synthetic-control", "--arch", "minirocket", "--max-memory",
                       sizeof(tl_real) == 4 ? "10" : "20", ONE),
           1, "(--head trained)");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(given_an_architecture_when_trained_then_accurate_and_a_small_file),
        cmocka_unit_test(given_threads_when_trained_then_the_same_numbers),
        cmocka_unit_test(given_head_ridge_when_a_network_is_trained_then_its_head_is_solved),
        cmocka_unit_test(given_head_trained_when_minirocket_then_it_learns_by_gradients),
        cmocka_unit_test(given_folds_and_members_when_solved_then_means_of_them),
        cmocka_unit_test(given_target_values_when_solved_then_a_regression),
        cmocka_unit_test(given_options_about_gradients_when_solved_then_refused),
        cmocka_unit_test(given_bad_data_when_solved_then_messages_with_the_cure),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down) != 0;
}
