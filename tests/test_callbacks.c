/* Callbacks of tl_fit: several at the same time, their arguments, and the ready-made one that writes a table of the epochs. */
#include "files.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { SERIES = 10, LENGTH = 4, BATCH = 4, BATCHES = 3 };

static tl_real x[SERIES * LENGTH];
static int32_t labels[SERIES];
static tl_real targets[SERIES];
static const tl_dataset data = {
    .x = {.data = x, .rank = 3, .shape = {SERIES, LENGTH, 1}}, .labels = labels, .values = targets, .classes = 2};

static tl_model *make_model(tl_loss_kind loss) {
    tl_error error = {0};
    tl_model *model = tl_model_new(&(tl_model_cfg){.seed = 2});
    const tl_node in = tl_input(model, (tl_shape){LENGTH, 1});
    const tl_dense_cfg dense = {.units = loss == TL_LOSS_CROSS_ENTROPY ? 2 : 1};
    tl_model_compile(model, tl_dense(model, tl_flatten(model, in), &dense), &(tl_compile_cfg){.batch = BATCH, .loss = loss},
                     &error);
    check_ok(&error);
    fill_normal(x, SERIES * LENGTH, 1);
    fill_normal(targets, SERIES, 2);
    for (size_t i = 0; i < SERIES; i++) labels[i] = x[i * LENGTH] > 0;
    return model;
}

/* ---- several ---- */

static char calls[40];

static bool note(const tl_progress *at, void *name) {
    strncat(calls, name, 1);
    return !(at->epoch == 2 && strcmp(name, "b") == 0);
}

static void given_several_callbacks_when_one_stops_then_all_are_called(void **unused) {
    (void)unused;
    static char names[TL_MAX_CALLBACKS][2] = {"a", "b", "c", "d", "e", "f", "g", "h"};
    tl_fit_cfg cfg = {.epochs = 9};
    tl_error error = {0};
    tl_fit_result result;
    tl_model *model = make_model(TL_LOSS_CROSS_ENTROPY);
    for (size_t i = 0; i < 3; i++) cfg.callbacks[i] = (tl_callback){note, names[i]};
    *calls = '\0';
    tl_fit(model, &data, &cfg, &result, &error);
    assert_string_equal(calls, "abcabcabcabc"); /* the batches of one epoch, and the first of the next */
    assert_true(result.stopped);
    for (size_t i = 0; i < TL_MAX_CALLBACKS; i++) cfg.callbacks[i] = (tl_callback){note, names[i]};
    cfg.epochs = 1;
    *calls = '\0';
    tl_fit(model, &data, &cfg, &result, &error);
    assert_string_equal(calls, "abcdefghabcdefghabcdefgh"); /* none behind the last is looked at */
    check_ok(&error);
    tl_model_free(model);
}

/* ---- what they are told ---- */

typedef struct record {
    const tl_model *model;
    size_t calls;
    tl_progress at[2 * BATCHES];
} record;

static bool keep(const tl_progress *at, void *user) {
    record *self = user;
    assert_ptr_equal(at->model, self->model);
    self->at[self->calls++] = *at;
    return true;
}

static void given_accumulation_when_fitted_then_callbacks_see_each_step(void **unused) {
    (void)unused;
    tl_error error = {0};
    tl_model *model = make_model(TL_LOSS_CROSS_ENTROPY);
    record seen = {.model = model};
    tl_fit(model, &data, &(tl_fit_cfg){.epochs = 2, .accumulate = 2, .callbacks = {{keep, &seen}}}, NULL, &error);
    check_ok(&error);
    assert_int_equal(seen.calls, 2 * BATCHES);
    for (size_t i = 0; i < 2 * BATCHES; i++) { /* batches of 4, 4 and 2 series; the first two are a step, and the last */
        const tl_progress *at = &seen.at[i], *before = &seen.at[i > 0 ? i - 1 : 0];
        const double series[BATCHES] = {4, 8, 10}, sum = at->train.loss * series[i % BATCHES];
        static const uint64_t steps[2 * BATCHES] = {0, 1, 2, 2, 3, 4};
        assert_true(at->steps == steps[i]);
        const double step_loss = i % BATCHES < 2 ? at->train.loss : (sum - before->train.loss * 8) / 2;
        check_number("loss of the step", at->step_loss, step_loss, 1e-9, 0);
    }
    tl_model_free(model);
}

/* ---- the table ---- */

static const char *const heading = "epoch,learning_rate,train_loss,train_accuracy,seconds,validation_loss,validation_accuracy\n";

static const char *read_table(void) {
    static char text[2000];
    FILE *file = fopen(files_path("log.csv"), "r");
    assert_non_null(file);
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    fclose(file);
    return text;
}

static void fit_with_log(tl_model *model, const tl_fit_cfg *cfg, bool append) {
    tl_error error = {0};
    tl_fit_cfg logged = *cfg;
    tl_csv_log *log = tl_csv_log_new(files_path("log.csv"), append, &error);
    logged.callbacks[0] = (tl_callback){tl_csv_log_epoch, log};
    tl_fit(model, &data, &logged, NULL, &error);
    check_ok(tl_csv_log_error(log));
    tl_csv_log_close(log, &error);
    check_ok(&error);
}

static void given_a_csv_log_when_fitted_then_a_line_per_epoch(void **unused) {
    (void)unused;
    tl_model *model = make_model(TL_LOSS_CROSS_ENTROPY);
    fit_with_log(model, &(tl_fit_cfg){.epochs = 2, .validation = &data}, false);
    fit_with_log(model, &(tl_fit_cfg){.epochs = 1}, true);
    const char *line = read_table();
    if (strncmp(line, heading, strlen(heading)) != 0) fail_msg("the table begins \"%s\"", line);
    for (int epoch = 1; epoch <= 3; epoch++) {
        double number, rate, loss, accuracy, seconds, validation_loss = 0, validation_accuracy = 0;
        line = strchr(line, '\n') + 1;
        // NOLINTNEXTLINE(cert-err34-c): our own numbers
        assert_int_equal(sscanf(line, "%lf,%lf,%lf,%lf,%lf,%lf,%lf\n", &number, &rate, &loss, &accuracy, &seconds, &validation_loss,
                                &validation_accuracy),
                         epoch < 3 ? 7 : 5);
        check_number("epoch", number, epoch < 3 ? epoch : 1, 0, 0);
        check_number("learning rate", rate, 0.001, 1e-9, 0);
        assert_true(loss > 0 && accuracy >= 0 && accuracy <= 1 && seconds >= 0);
        assert_true(epoch == 3 || (validation_loss > 0 && validation_accuracy >= 0));
    }
    assert_string_equal(strchr(line, '\n'), "\n");
    fit_with_log(model, &(tl_fit_cfg){0}, false); /* anew */
    assert_string_equal(strchr(strchr(read_table(), '\n') + 1, '\n'), "\n");
    unlink(files_path("log.csv"));
    fit_with_log(model, &(tl_fit_cfg){0}, true); /* there is nothing to append to */
    assert_memory_equal(read_table(), heading, strlen(heading));
    unlink(files_path("log.csv"));
    tl_model_free(model);
}

static void given_regression_when_logged_then_accuracy_stays_empty(void **unused) {
    (void)unused;
    tl_model *model = make_model(TL_LOSS_SQUARED_ERROR);
    fit_with_log(model, &(tl_fit_cfg){0}, false);
    const char *line = strchr(read_table(), '\n') + 1, *end = line + strlen(line);
    assert_string_equal(end - 3, ",,\n");
    assert_non_null(strstr(line, ",,")); /* between loss and seconds */
    assert_true(strstr(line, ",,") < end - 3);
    unlink(files_path("log.csv"));
    tl_model_free(model);
}

static void given_an_unwritable_log_when_fitted_then_the_model_is_kept(void **unused) {
    (void)unused;
    tl_error error = {0};
    assert_null(tl_csv_log_new("/tmp/tapline-no-such-folder/log.csv", false, &error));
    check_error(&error, TL_ERROR_FILE, "/tmp/tapline-no-such-folder/log.csv: cannot be written: No such file or directory");
    assert_null(tl_csv_log_new(files_path("log.csv"), false, &error)); /* the error is set */
    assert_int_equal(access(files_path("log.csv"), F_OK), -1);
    tl_error another = {0};
    assert_null(tl_csv_log_new(files_path("."), true, &another));
    check_error(&another, TL_ERROR_FILE, "is a folder, not a file");
    check_ok(tl_csv_log_error(NULL));
    assert_int_equal(tl_csv_log_close(NULL, NULL), TL_OK);
    tl_error full = {0};
    assert_null(tl_csv_log_new("/dev/full", false, &full));
    check_error(&full, TL_ERROR_FILE, "/dev/full: is a device, not a file");
    tl_model *model = make_model(TL_LOSS_CROSS_ENTROPY);
    tl_fit(model, &data, &(tl_fit_cfg){.callbacks = {{tl_csv_log_epoch, NULL}}}, NULL, &(tl_error){0});
    assert_true(tl_steps(model) == BATCHES);
    tl_model_free(model);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(given_several_callbacks_when_one_stops_then_all_are_called),
        cmocka_unit_test(given_accumulation_when_fitted_then_callbacks_see_each_step),
        cmocka_unit_test(given_a_csv_log_when_fitted_then_a_line_per_epoch),
        cmocka_unit_test(given_regression_when_logged_then_accuracy_stays_empty),
        cmocka_unit_test(given_an_unwritable_log_when_fitted_then_the_model_is_kept),
    };
    return cmocka_run_group_tests(tests, files_setup, files_teardown) != 0;
}
