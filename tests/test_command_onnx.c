/* tapline export --out net.onnx, and tapline import net.onnx. */
#include "files.h"
#include "runner.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TRAIN "train", "builtin:cbf", "--arch", "timecnn", "--epochs", "1", "--quiet", "--precision", tl_precision()

static const char *path_of(const char *name) { return strdup(files_path(name)); }

/* The run's exit code, and `text` on stderr (NULL: nothing at all there). Frees the run. */
static void expect(run done, int code, const char *text) {
    if (done.code != code || (text ? !strstr(done.err, text) : *done.err != '\0'))
        fail_msg("expected exit code %d and \"%s\" on stderr; got %d and \"%s\"", code, text ? text : "", done.code, done.err);
    run_free(&done);
}

static void check_same_predictions(const char *model, const char *other) {
    run one = run_command("predict", model, "builtin:cbf/test"), same = run_command("predict", other, "builtin:cbf/test");
    assert_string_equal(one.out, same.out);
    expect(one, 0, NULL);
    expect(same, 0, NULL);
}

static const char *text_of(const json_t *object, const char *key) { return json_string_value(json_object_get(object, key)); }

static void given_a_model_when_exported_and_imported_then_it_predicts_the_same(void **unused) {
    (void)unused;
    char *model = (char *)path_of("model"), *graph = (char *)path_of("net.onnx"), *same = (char *)path_of("same");
    expect(run_command(TRAIN, "--out", model), 0, NULL);
    run done = run_command("export", model, "--out", graph, "--json");
    json_t *object = run_json(&done);
    assert_string_equal(text_of(object, "onnx"), graph);
    assert_string_equal(text_of(object, "layout"), "nlc");
    json_decref(object);
    expect(done, 0, NULL);
    done = run_command("import", graph, "--out", same, "--precision", tl_precision(), "--json");
    object = run_json(&done);
    assert_string_equal(text_of(object, "model"), same);
    assert_string_equal(text_of(object, "loss"), "cross-entropy");
    check_number("length", json_number(object, "length"), 128, 0, 0);
    json_decref(object);
    expect(done, 0, NULL);
    check_same_predictions(model, same);
    done = run_command("import", graph, "builtin:cbf", "--out", same, "--precision", tl_precision());
    assert_non_null(strstr(done.out, "series of 128 steps and 1 channel\n"));
    expect(done, 0, NULL);
    check_same_predictions(model, same);
    expect(run_command("train", "builtin:cbf", "--init", same, "--epochs", "1", "--quiet"), 0, NULL);
    remove(model), remove(graph), remove(same);
    free(model), free(graph), free(same);
}

static void given_options_that_do_not_go_with_it_then_refused(void **unused) {
    (void)unused;
    char *model = (char *)path_of("model"), *graph = (char *)path_of("net.onnx");
    expect(run_command(TRAIN, "--out", model), 0, NULL);
    expect(run_command("export", model, "--out", graph, "--map", model), 2, "--map cannot be combined with --out");
    expect(run_command("export", model, "--out", "weights", "--logits"), 2, "--logits cannot be combined with --out weights");
    expect(run_command("export", model, "--out", graph, "--layout", "ncl", "--logits", "--fold-batch-norm"), 0, NULL);
    expect(run_command("import", graph, "--arch", "fcn"), 2, "--arch cannot be combined with");
    expect(run_command("import", model, "builtin:cbf", "--length", "3"), 2, "--length is only for .onnx files");
    expect(run_command("import", graph, "--normalize", "none"), 2, "--normalize none: the network expects series");
    expect(run_command("import", graph, "builtin:cbf", "--out", graph), 2, "and would be overwritten");
    remove(model), remove(graph);
    free(model), free(graph);
}

static void given_a_file_of_pytorch_when_imported_then_scaled_as_asked(void **unused) {
    (void)unused;
    char *same = (char *)path_of("same");
    const char *graph = FIXTURES "/onnx/flat_dynamo.onnx";
    expect(run_command("import", graph, "--normalize", "series", "--out", same), 0, NULL);
    run done = run_command("info", same, "--json");
    json_t *object = run_json(&done);
    assert_string_equal(text_of(object, "normalise"), "series");
    json_decref(object);
    expect(done, 0, NULL);
    expect(run_command("import", graph, "builtin:cbf"), 1, "does not have the shape of the series");
    remove(same);
    free(same);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(given_a_model_when_exported_and_imported_then_it_predicts_the_same),
        cmocka_unit_test(given_options_that_do_not_go_with_it_then_refused),
        cmocka_unit_test(given_a_file_of_pytorch_when_imported_then_scaled_as_asked),
    };
    return cmocka_run_group_tests(tests, files_setup, files_teardown) != 0;
}
