/* The tapline command refuses options that would have no effect, and input without an end. */
#include "check.h"
#include "files.h"
#include "runner.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define NETWORK "--arch", "timecnn", "--epochs", "1", "--quiet", "--threads", "1", "--precision", tl_precision()

static void expect(run done, int code, const char *text) {
    if (done.code != code || !strstr(done.err, text))
        fail_msg("expected exit code %d and \"%s\" on stderr; got %d and \"%s\"", code, text, done.code, done.err);
    run_free(&done);
}

/* ---- standard input ---- */

/* Runs the command with standard input from `input`, which is closed. */
static run run_reading(const char *const *arguments, int input) {
    const int kept = dup(STDIN_FILENO);
    dup2(input, STDIN_FILENO);
    close(input);
    run done = run_start(arguments, NULL);
    dup2(kept, STDIN_FILENO);
    close(kept);
    run_wait(&done);
    return done;
}

/* A process that writes the text again and again until nobody reads it. */
static int endless(const char *text) {
    int ends[2];
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        signal(SIGPIPE, SIG_DFL);
        close(ends[0]);
        for (char many[8192];;) {
            size_t used = 0;
            while (used + strlen(text) <= sizeof many) memcpy(many + used, text, strlen(text)), used += strlen(text);
            if (write(ends[1], many, used) < 0) _exit(0);
        }
    }
    close(ends[1]);
    return ends[0];
}

#define READING(input, ...) run_reading((const char *const[RUN_ARGUMENTS]){__VA_ARGS__}, input)

static void given_input_without_an_end_when_read_then_refused_at_the_limit(void **unused) {
    (void)unused;
    expect(READING(endless("a,1,2,3\nb,3,2,1\n"), "train", "-", "--format", "csv", "--max-memory", "1", NETWORK), 1,
           "standard input: has more than 1 MB, the limit (--max-memory); a file that is named has no such limit");
    while (wait(NULL) > 0) {
    }
}

static void given_a_table_of_files_on_standard_input_when_read_then_refused(void **unused) {
    (void)unused;
    expect(READING(open("/dev/null", O_RDONLY), "train", "-", "--format", "csv", "--file", "name", NETWORK), 2,
           "-: --file name names files in the folder of the table, but standard input has no folder; give the name of the table");
}

/* ---- options that contradict each other ---- */

static void given_more_folds_than_series_when_trained_then_refused(void **unused) {
    (void)unused;
    expect(run_command("train", NETWORK, "--folds", "2147483647", "--fold", "all"), 2,
           "tapline train: --folds 2147483647: the data has only 30 series\n");
}

/* A checkpoint with more epochs is no result of this training: nothing is reported or saved. */
static void given_fewer_epochs_than_a_checkpoint_when_resumed_then_refused(void **unused) {
    (void)unused;
    char state[80], model[80];
    snprintf(state, sizeof state, "%s", files_path("state"));
    snprintf(model, sizeof model, "%s", files_path("model"));
    expect(run_command("train", NETWORK, "--epochs", "3", "--checkpoint", state), 0, "");
    run done = run_command("train", NETWORK, "--epochs", "2", "--resume", state, "--out", model);
    assert_string_equal(done.out, "");
    expect(done, 2, "is in epoch 3, but epochs is 2; give at least 3 (--epochs)\n");
    assert_int_equal(access(model, F_OK), -1);
    unlink(state);
}

/* ---- threads ---- */

static void given_more_threads_than_the_limit_when_run_then_the_limit(void **unused) {
    (void)unused;
    setenv("OMP_NUM_THREADS", "100000", 1);
    run done = run_command("train", "--arch", "timecnn", "--epochs", "1", "--quiet", "--json");
    unsetenv("OMP_NUM_THREADS");
    json_t *object = run_json(&done);
    check_number("threads", json_number(object, "threads"), 1024, 0, 0);
    json_decref(object);
    expect(done, 0, "");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(given_input_without_an_end_when_read_then_refused_at_the_limit),
        cmocka_unit_test(given_a_table_of_files_on_standard_input_when_read_then_refused),
        cmocka_unit_test(given_more_folds_than_series_when_trained_then_refused),
        cmocka_unit_test(given_fewer_epochs_than_a_checkpoint_when_resumed_then_refused),
        cmocka_unit_test(given_more_threads_than_the_limit_when_run_then_the_limit),
    };
    return cmocka_run_group_tests(tests, files_setup, files_teardown) != 0;
}
