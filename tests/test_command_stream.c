/* `tapline stream`: steps on stdin, outputs on stdout. */
#include "files.h"
#include "runner.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { STEPS = 50 };

static char model_file[200], scaled_file[200], set_file[200], input_file[200];
static tl_model *model;
static tl_real x[STEPS];

enum { MEAN = 2, DEVIATION = 3 }; /* of the training set, for the model in set_file */

static void save(const char *path, tl_normalization normalize) {
    tl_error error = {0};
    double mean[] = {MEAN}, deviation[] = {DEVIATION};
    const bool set = normalize == TL_NORMALIZE_SET;
    const tl_scaling scaling = {.kind = normalize, .mean = set ? mean : NULL, .deviation = set ? deviation : NULL};
    tl_model_save(model, path, &(tl_save_cfg){.data = &(tl_dataset){.x = {.rank = 3, .shape = {0, STEPS, 1}}, .scaling = scaling}},
                  &error);
    check_ok(&error);
}

static int set_up(void **unused) {
    tl_error error = {0};
    if (files_setup(unused) != 0) return 1;
    snprintf(model_file, sizeof model_file, "%s", files_path("model.safetensors"));
    snprintf(scaled_file, sizeof scaled_file, "%s", files_path("scaled.safetensors"));
    snprintf(set_file, sizeof set_file, "%s", files_path("set.safetensors"));
    snprintf(input_file, sizeof input_file, "%s", files_path("input"));
    model = tl_model_new(&(tl_model_cfg){.seed = 2, .engine = TL_ENGINE_DIRECT});
    tl_node y = tl_input(model, (tl_shape){STEPS, 1});
    y = tl_tanh(model, tl_conv1d(model, y, &(tl_conv1d_cfg){.filters = 4, .kernel = 5, .padding = TL_PADDING_SAME}));
    y = tl_conv1d(model, y, &(tl_conv1d_cfg){.filters = 2, .kernel = 1});
    tl_model_compile(model, y, &(tl_compile_cfg){.batch = 1, .loss = TL_LOSS_SQUARED_ERROR}, &error);
    check_ok(&error);
    save(model_file, TL_NORMALIZE_NONE);
    save(scaled_file, TL_NORMALIZE_SERIES);
    save(set_file, TL_NORMALIZE_SET);
    fill_normal(x, STEPS, 3);
    return 0;
}

static int tear_down(void **unused) {
    tl_model_free(model);
    unlink(model_file);
    unlink(scaled_file);
    unlink(set_file);
    unlink(input_file);
    return files_teardown(unused);
}

/* Runs the command with what was written to the file of the input on its stdin. */
static run stream(const char *file, const char *format) {
    const int keep = dup(STDIN_FILENO), input = open(input_file, O_RDONLY);
    assert_true(keep >= 0 && input >= 0);
    dup2(input, STDIN_FILENO);
    run done = run_command("stream", file, "--precision", tl_precision(), "--format", format);
    dup2(keep, STDIN_FILENO);
    close(keep);
    close(input);
    return done;
}

static void write_input(const void *content, size_t size) {
    FILE *file = fopen(input_file, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(content, 1, size, file), size);
    fclose(file);
}

static void write_lines(void) {
    FILE *file = fopen(input_file, "w");
    assert_non_null(file);
    for (int t = 0; t < STEPS; t++) fprintf(file, "%.17g\n", (double)x[t]);
    fclose(file);
}

static const tl_real *expected_of(tl_real *steps) {
    const tl_tensor series = TL_VIEW(steps, 1, STEPS, 1);
    tl_forward(model, &series, TL_MODE_INFERENCE);
    return tl_output(model).data;
}

static const tl_real *expected(void) { return expected_of(x); }

/* For the model in set_file. */
static const tl_real *expected_scaled(void) {
    tl_real scaled[STEPS];
    for (size_t t = 0; t < STEPS; t++) scaled[t] = (tl_real)(((double)x[t] - MEAN) / DEVIATION);
    return expected_of(scaled);
}

static void expect(run done, int code, const char *text) {
    if (done.code != code || !strstr(done.err, text)) fail_msg("exit code %d, \"%s\"", done.code, done.err);
    run_free(&done);
}

static void check_lines(const char *file, const tl_real *(*expect_values)(void)) {
    write_lines();
    run done = stream(file, "csv");
    assert_int_equal(done.code, 0);
    char *at = done.out;
    assert_memory_equal(at, "value_0,value_1\n", 16);
    at += 16;
    tl_real y[STEPS * 2];
    for (size_t i = 0; i < STEPS * 2; i++, at++) y[i] = (tl_real)strtod(at, &at);
    assert_int_equal(*at, '\0');
    check_equal(file, y, expect_values(), STEPS * 2);
    run_free(&done);
}

static void given_lines_when_streamed_then_a_line_for_each_step(void **unused) {
    (void)unused;
    check_lines(model_file, expected);
}

static void check_raw(const char *file, const tl_real *(*expect_values)(void)) {
    tl_real y[STEPS * 2 + 1];
    write_input(x, sizeof x);
    const int keep = dup(STDIN_FILENO), input = open(input_file, O_RDONLY);
    char out[220];
    snprintf(out, sizeof out, "%s.out", input_file);
    fclose(fopen(out, "wb")); /* which run_start wants to be there */
    dup2(input, STDIN_FILENO);
    const char *const arguments[RUN_ARGUMENTS] = {"stream", file, "--precision", tl_precision(), "--block", "7"};
    run done = run_start(arguments, out);
    run_wait(&done);
    dup2(keep, STDIN_FILENO);
    close(keep);
    close(input);
    assert_int_equal(done.code, 0);
    run_free(&done);
    FILE *outputs = fopen(out, "rb");
    assert_non_null(outputs);
    assert_int_equal(fread(y, sizeof *y, STEPS * 2 + 1, outputs), STEPS * 2);
    fclose(outputs);
    unlink(out);
    check_equal(file, y, expect_values(), STEPS * 2);
}

static void given_raw_numbers_when_streamed_then_raw_numbers(void **unused) {
    (void)unused;
    check_raw(model_file, expected);
}

static void given_scaling_by_a_training_set_when_streamed_then_steps_are_scaled(void **unused) {
    (void)unused;
    check_lines(set_file, expected_scaled);
    check_raw(set_file, expected_scaled);
}

static void given_wrong_input_when_streamed_then_its_place_is_told(void **unused) {
    (void)unused;
    write_input("1\n2\nthree\n", 10);
    expect(stream(model_file, "csv"), 1, "stdin: line 3 is \"three\", not 1 number");
    char digits[500];
    memset(digits, '1', sizeof digits);
    write_input(digits, sizeof digits);
    expect(stream(model_file, "csv"), 1, "stdin: line 1 has more than 400 characters for 1 number");
    write_input("1\n\0002\n", 5);
    expect(stream(model_file, "csv"), 1, "stdin: line 2 has a NUL character; --format raw reads binary numbers");
    write_input("1\nnan\n", 6);
    expect(stream(model_file, "csv"), 1, "stdin: step 1, channel 0 is nan");
    write_input(x, 2 * sizeof *x + 3);
    expect(stream(model_file, "raw"), 1, "stdin: the input ends in step 2, after 3 of its");
}

static void given_a_model_of_scaled_series_when_streamed_then_refused(void **unused) {
    (void)unused;
    write_lines();
    expect(stream(scaled_file, "csv"), 1, "train with --normalize set");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(given_lines_when_streamed_then_a_line_for_each_step),
        cmocka_unit_test(given_raw_numbers_when_streamed_then_raw_numbers),
        cmocka_unit_test(given_scaling_by_a_training_set_when_streamed_then_steps_are_scaled),
        cmocka_unit_test(given_wrong_input_when_streamed_then_its_place_is_told),
        cmocka_unit_test(given_a_model_of_scaled_series_when_streamed_then_refused),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down) != 0;
}
