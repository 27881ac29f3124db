/* tapline quantize, and the commands that take its files. */
#include "files.h"
#include "runner.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TRAIN "train", "builtin:cbf", "--arch", "timecnn", "--epochs", "2", "--quiet", "--precision", tl_precision()

static char *path_of(const char *name) { return strdup(files_path(name)); }

/* Checks the exit code, and the text on stderr (NULL: stderr must be empty). Frees the run. */
static void expect(run done, int code, const char *text) {
    if (done.code != code || (text ? !strstr(done.err, text) : *done.err != '\0'))
        fail_msg("expected exit code %d and \"%s\" on stderr; got %d and \"%s\"", code, text ? text : "", done.code, done.err);
    run_free(&done);
}

/* A model, and the network in integers that was made from it. */
typedef struct pair {
    char *model, *integers;
    double accuracy, loss; /* in integers, as quantize reports them */
} pair;

static pair quantized(void) {
    pair self = {.model = path_of("model"), .integers = path_of("model8")};
    expect(run_command(TRAIN, "--out", self.model), 0, NULL);
    run done = run_command("quantize", self.model, "--calibrate", "builtin:cbf", "--test", "builtin:cbf/test", "--out",
                           self.integers, "--json");
    json_t *report = run_json(&done);
    self.accuracy = json_number(report, "after_accuracy");
    self.loss = json_number(report, "after_loss");
    assert_true(4 * json_number(report, "integer_bytes") < 2 * json_number(report, "float_bytes"));
    json_decref(report);
    expect(done, 0, NULL);
    return self;
}

static void release(pair *self) {
    remove(self->model), remove(self->integers);
    free(self->model), free(self->integers);
}

static void given_a_file_in_integers_when_evaluated_then_as_quantize_reported(void **unused) {
    (void)unused;
    pair it = quantized();
    run done = run_command("eval", it.integers, "builtin:cbf/test", "--confusion", "--json");
    json_t *report = run_json(&done);
    check_number("accuracy", json_number(report, "test_accuracy"), it.accuracy, 0, 0);
    check_number("loss", json_number(report, "test_loss"), it.loss, 0, 0);
    assert_string_equal(json_string_value(json_object_get(report, "engine")), "integers");
    double counted = 0;
    for (size_t i = 0; i < 9; i++)
        counted += json_number_value(json_array_get(json_array_get(json_object_get(report, "confusion"), i / 3), i % 3));
    check_number("series in the confusion matrix", counted, json_number(report, "test_series"), 0, 0);
    json_decref(report);
    expect(done, 0, NULL);
    char *page = path_of("page.html");
    done = run_command("eval", it.integers, "builtin:cbf/test", "--report", page);
    assert_non_null(strstr(done.out, "parameters in 8-bit integers"));
    remove(page), free(page);
    expect(done, 0, NULL);
    release(&it);
}

static void given_a_file_in_integers_when_described_then_its_integers_are_listed(void **unused) {
    (void)unused;
    pair it = quantized();
    run done = run_command("info", it.integers, "--json");
    json_t *report = run_json(&done);
    const json_t *layers = json_object_get(report, "integers"), *first = json_array_get(layers, 0);
    assert_string_equal(json_string_value(json_object_get(first, "name")), "conv1d_1");
    assert_true(json_number(first, "scale") > 0);
    assert_true(json_number(report, "integer_bytes") > 0);
    json_decref(report);
    expect(done, 0, NULL);
    done = run_command("info", it.integers);
    assert_non_null(strstr(done.out, "integers   8 bits"));
    assert_non_null(strstr(done.out, "stream     none: a network in integers"));
    expect(done, 0, NULL);
    release(&it);
}

/* The C file must have the predictions of `tapline predict`. Its test program compares them. */
static void given_a_file_in_integers_when_exported_then_equal_to_direct_export(void **unused) {
    (void)unused;
    pair it = quantized();
    char *direct = path_of("net.c"), *later = path_of("later.c");
    expect(run_command("quantize", it.model, "--calibrate", "builtin:cbf", "--out", direct, "--name", "net"), 0, NULL);
    expect(run_command("export", it.integers, "--out", later, "--name", "net"), 0, NULL);
    char command[1000];
    snprintf(command, sizeof command, "cmp '%s' '%s'", direct, later);
    assert_int_equal(system(command), 0); // NOLINT(cert-env33-c): paths of this test
    run done = run_command("predict", it.integers, "builtin:cbf/test");
    assert_non_null(strstr(done.out, "class,label,"));
    expect(done, 0, NULL);
    remove(direct), remove(later);
    free(direct), free(later);
    release(&it);
}

static void given_a_file_in_integers_when_used_otherwise_then_refused(void **unused) {
    (void)unused;
    pair it = quantized();
    char *out = path_of("net.onnx");
    expect(run_command("export", it.integers, "--out", out), 2, "can only be exported as C");
    expect(run_command("predict", it.integers, it.model, "builtin:cbf/test"), 2, "cannot be averaged");
    expect(run_command("predict", it.model, it.integers, "builtin:cbf/test"), 2, "cannot be averaged");
    expect(run_command("predict", it.integers, "builtin:cbf/test", "--output", "conv1d_1"), 2, "has only its own outputs");
    expect(run_command("quantize", it.integers, "--calibrate", "builtin:cbf"), 2, "is a network in 8-bit integers already");
    expect(run_command("quantize", it.model, "--calibrate", "builtin:cbf", "--out", it.integers, "--no-libm"), 2,
           "--no-libm requires --out FILE.c");
    expect(run_command("train", "builtin:cbf", "--init", it.integers, "--epochs", "1"), 1, "is a network in 8-bit integers");
    free(out);
    release(&it);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(given_a_file_in_integers_when_evaluated_then_as_quantize_reported),
        cmocka_unit_test(given_a_file_in_integers_when_described_then_its_integers_are_listed),
        cmocka_unit_test(given_a_file_in_integers_when_exported_then_equal_to_direct_export),
        cmocka_unit_test(given_a_file_in_integers_when_used_otherwise_then_refused),
    };
    return cmocka_run_group_tests(tests, files_setup, files_teardown) != 0;
}
