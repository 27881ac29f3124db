/* The tapline command with signals and closed pipes: ignored signals stay ignored, training ends with its results so far, closed
 * pipes end the command quietly; control characters of files do not control the terminal. */
#include "check.h"
#include "files.h"
#include "runner.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define NETWORK "--arch", "timecnn", "--quiet", "--threads", "1", "--precision", tl_precision()

static void expect(run *done, int code, const char *text) {
    if (done->code != code || (text ? !strstr(done->err, text) : *done->err != '\0'))
        fail_msg("expected exit code %d and \"%s\" on stderr; got %d and \"%s\"", code, text ? text : "", done->code, done->err);
}

/* Waits until the log has a line of an epoch: training is under way. */
static void wait_for_epoch(const char *log) {
    struct stat about;
    for (int i = 0; i < 6000 && (stat(log, &about) != 0 || about.st_size < 130); i++)
        nanosleep(&(struct timespec){.tv_nsec = 2000000}, NULL);
}

/* Paths in the folder, to stay. */
static const char *keep(char path[200], const char *name) {
    snprintf(path, 200, "%s", files_path(name));
    return path;
}

/* ---- signals ---- */

static void check_loads(const char *model) {
    run done = run_command("info", model);
    expect(&done, 0, NULL);
    run_free(&done);
}

static void given_a_signal_to_end_when_training_then_all_files_are_written(void **unused) {
    (void)unused;
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
    const char *model = files_path("model"), *state = files_path("state"), *log = files_path("log.csv");
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) {
        unlink(log);
        run done = run_start((const char *const[RUN_ARGUMENTS]){"train", NETWORK, "--epochs", "1000000", "--log", log, "--out",
                                                                model, "--checkpoint", state, "--checkpoint-every", "1000"},
                             NULL);
        wait_for_epoch(log);
        kill(done.process, signals[i]);
        run_wait(&done);
        expect(&done, 0, "interrupted; results so far:");
        assert_non_null(strstr(done.out, "training   "));
        run_free(&done);
        check_loads(model);
        done = run_command("train", NETWORK, "--epochs", "1", "--resume", state);
        assert_non_null(strstr(done.err, "is in epoch "));
        run_free(&done);
        unlink(model);
        unlink(state);
    }
    unlink(log);
}

/* A signal that the command was started to ignore does not end it. */
static void check_ignored(int signal_number) {
    const char *log = files_path("log.csv");
    struct sigaction ignore = {.sa_handler = SIG_IGN}, before;
    sigaction(signal_number, &ignore, &before);
    run done = run_start((const char *const[RUN_ARGUMENTS]){"train", NETWORK, "--epochs", "300", "--log", log}, NULL);
    sigaction(signal_number, &before, NULL);
    wait_for_epoch(log);
    kill(done.process, signal_number);
    run_wait(&done);
    expect(&done, 0, NULL);
    assert_non_null(strstr(done.out, "training   300 epochs"));
    run_free(&done);
    unlink(log);
}

static void given_an_ignored_signal_when_the_command_begins_then_it_stays_so(void **unused) {
    (void)unused;
    check_ignored(SIGINT);
    check_ignored(SIGHUP);
    check_ignored(SIGTERM);
}

/* ---- pipes ---- */

/* Runs the command with a stdout that nobody reads any more; `first`: what the shell does before. Its exit code, and what it said
 * on stderr. */
static int run_unread(const char *first, const char *arguments, char said[200]) {
    char command[1000];
    snprintf(command, sizeof command, "%s { { sleep 0.05; %s %s 2>%s; echo $? >&3; } | true; } 3>%s", first, TAPLINE_COMMAND_LINE,
             arguments, files_path("err"), files_path("code"));
    assert_int_equal(system(command), 0); // NOLINT(cert-env33-c,concurrency-mt-unsafe)
    int code = -1;
    FILE *file = fopen(files_path("err"), "r");
    assert_non_null(file);
    said[fread(said, 1, 199, file)] = '\0';
    fclose(file);
    file = fopen(files_path("code"), "r");
    assert_true(file && fscanf(file, "%d", &code) == 1); // NOLINT(cert-err34-c): the shell wrote it
    fclose(file);
    unlink(files_path("err"));
    unlink(files_path("code"));
    return code;
}

static void given_a_closed_pipe_when_printed_then_the_command_ends_quietly(void **unused) {
    (void)unused;
    static const char *const silent[] = {"predict %s builtin:cbf/test", "eval %s builtin:cbf/test", "info %s", "help",
                                         "help train"};
    char path[200], arguments[400], said[200];
    const char *model = keep(path, "model");
    snprintf(arguments, sizeof arguments, "train --arch timecnn --quiet --threads 1 --precision %s --epochs 1 --out %s",
             tl_precision(), model);
    assert_int_equal(run_unread("", arguments, said), 1);
    assert_string_equal(said, "tapline: stdout: cannot write the result: Broken pipe\n"); /* but it has finished */
    check_loads(model);
    for (size_t i = 0; i < sizeof silent / sizeof *silent; i++) {
        snprintf(arguments, sizeof arguments, silent[i], model); // NOLINT(clang-diagnostic-format-nonliteral)
        assert_int_equal(run_unread("", arguments, said), 128 + SIGPIPE);
        assert_string_equal(said, "");
    }
    assert_int_equal(run_unread("trap '' PIPE;", "help", said), 1);
    assert_string_equal(said, "");
    unlink(model);
}

/* ---- control characters ---- */

static void check_clean(const char *text) {
    for (; *text; text++) {
        const unsigned char c = (unsigned char)*text;
        if ((c < ' ' && c != '\n') || c == 0x7F || (c == 0xC2 && (unsigned char)text[1] < 0xA0))
            fail_msg("byte %02x is printed, before \"%.40s\"", c, text + 1);
    }
}

static void check_clean_run(run done) {
    check_clean(done.out);
    check_clean(done.err);
    run_free(&done);
}

#define ODD ",1,2,1,2,1,2,1,2"
#define EVEN ",2,1,2,1,2,1,2,1"
#define ESCAPES "\x1b[2J\x07\x7f\xc2\x9b"

static void given_control_characters_in_names_when_printed_then_they_are_shown(void **unused) {
    (void)unused;
    char paths[2][200];
    const char *model = keep(paths[0], "model\x1b[31m"), *data = keep(paths[1], "data\x1b[31m.csv");
    const char *table = ESCAPES "a" ODD ODD ODD ODD ODD "\n" ESCAPES "b" EVEN EVEN EVEN EVEN EVEN "\n";
    files_write("data\x1b[31m.csv", table, strlen(table));
    check_clean_run(run_command("train", data, NETWORK, "--epochs", "1", "--out", model, "--test", data));
    check_clean_run(run_command("train", data, NETWORK, "--epochs", "1", "--json"));
    run shown = run_command("info", model);
    assert_non_null(strstr(shown.out, "classes    2: \\x1b[2J\\x07\\x7f\\x9ba, "));
    check_clean_run(shown);
    check_clean_run(run_command("info", model, "--json"));
    check_clean_run(run_command("eval", model, data));
    run predicted = run_command("predict", model, data);
    assert_int_equal(strncmp(predicted.out, "class,label,\\x1b[2J\\x07\\x7f\\x9ba,", 33), 0);
    check_clean_run(predicted);
    check_clean_run(run_command("train", data, "--init", model, "--epochs", "1", "--threads", "1"));
    run unknown = run_command("\x9b"
                              "31m \xc3\xa9\xe9"); /* a control character of Latin-1, which is no UTF-8 */
    assert_string_equal(unknown.err, "tapline: unknown command \\x9b31m \xc3\xa9\xe9; `tapline help` lists the commands\n");
    run_free(&unknown);
    check_clean_run(run_command("eval", model, "\x1b[31m.csv"));
    check_clean_run(run_command("train", data, "--\x1b[31m"));
    check_clean_run(run_command("train", data, "--arch", "\x1b[31m"));
    check_clean_run(run_command("\x1b[31m"));
    const char *wrong = ESCAPES ",1,2," ESCAPES ",2\n";
    files_write("data\x1b[31m.csv", wrong, strlen(wrong));
    check_clean_run(run_command("predict", model, data));
    unlink(data);
    unlink(model);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(given_a_signal_to_end_when_training_then_all_files_are_written),
        cmocka_unit_test(given_an_ignored_signal_when_the_command_begins_then_it_stays_so),
        cmocka_unit_test(given_a_closed_pipe_when_printed_then_the_command_ends_quietly),
        cmocka_unit_test(given_control_characters_in_names_when_printed_then_they_are_shown),
    };
    return cmocka_run_group_tests(tests, files_setup, files_teardown) != 0;
}
