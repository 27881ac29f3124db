/* `tapline train --jobs N`: files and report of one process, from several. */
#include "check.h"
#include "folder.h"
#include "runner.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { SERIES = 24, LENGTH = 40 };

static void write_series(const char *name, bool classes) {
    tl_rng rng = tl_rng_at(7, TL_STREAM_USER, 0, 0);
    FILE *file = fopen(in_folder(name), "w");
    assert_non_null(file);
    fprintf(file, "@problemName Lines\n@equalLength true\n@%s\n@data\n", classes ? "classLabel true up down" : "targetLabel true");
    for (int i = 0; i < SERIES; i++) {
        for (int t = 0; t < LENGTH; t++) fprintf(file, "%s%.4f", t ? "," : "", (i % 2 ? 0.05 : -0.05) * t + tl_rng_normal(&rng));
        fprintf(file, classes ? ":%s\n" : ":1%s\n", classes ? (i % 2 ? "up" : "down") : (i % 2 ? "1.5" : "2"));
    }
    fclose(file);
}

static int set_up(void **unused) {
    (void)unused;
    if (folder_setup() != 0) return 1;
    write_series("classes.ts", true);
    write_series("values.ts", false);
    return 0;
}

/* Takes away what differs from run to run. */
static void forget_times(json_t *object) {
    static const char *const lists[] = {"members", "folds"};
    json_object_del(object, "seconds");
    json_object_del(object, "peak_rss_mb");
    for (size_t l = 0; l < sizeof lists / sizeof *lists; l++) {
        size_t i;
        json_t *entry;
        json_array_foreach(json_object_get(object, lists[l]), i, entry) { json_object_del(entry, "seconds"); }
    }
}

static json_t *report_of(const char *data, const char *jobs, const char *option, const char *count, const char *other,
                         const char *value, const char *out) {
    run done = run_command("train", in_folder(data), "--arch", "timecnn", "--epochs", "3", "--json", "--quiet", "--threads", "1",
                           "--jobs", jobs, option, count, other, value, out ? "--out" : NULL, out);
    if (done.code != 0) fail_msg("--jobs %s: %s", jobs, done.err);
    json_t *object = run_json(&done);
    forget_times(object);
    run_free(&done);
    return object;
}

static void check_reports(json_t *one, json_t *several) {
    char *a = json_dumps(one, JSON_SORT_KEYS), *b = json_dumps(several, JSON_SORT_KEYS);
    assert_string_equal(b, a);
    free(a);
    free(b);
    json_decref(one);
    json_decref(several);
}

static void check_files(const char *one, const char *several) {
    char command[300];
    snprintf(command, sizeof command, "cmp %s %s", in_folder(one), in_folder(several));
    assert_int_equal(system(command), 0); // NOLINT(cert-env33-c): files of our own
}

static void given_jobs_when_members_are_trained_then_files_of_one_process(void **unused) {
    (void)unused;
    static const char *const sets[] = {"classes.ts", "values.ts"};
    for (size_t s = 0; s < 2; s++) {
        json_t *one = report_of(sets[s], "1", "--members", "3", "--test", in_folder(sets[s]), in_folder("one.safetensors"));
        json_t *several = report_of(sets[s], "2", "--members", "3", "--test", in_folder(sets[s]), in_folder("two.safetensors"));
        check_reports(one, several);
        check_files("one.1.safetensors", "two.1.safetensors");
        check_files("one.3.safetensors", "two.3.safetensors");
    }
}

static void given_jobs_when_folds_are_trained_then_the_report_of_one_process(void **unused) {
    (void)unused;
    json_t *one = report_of("classes.ts", "1", "--folds", "3", "--fold", "all", NULL);
    json_t *several = report_of("classes.ts", "5", "--folds", "3", "--fold", "all", NULL);
    check_reports(one, several);
}

static void given_one_network_when_jobs_are_asked_for_then_an_error(void **unused) {
    (void)unused;
    run done = run_command("train", in_folder("classes.ts"), "--jobs", "2");
    assert_int_equal(done.code, 2);
    assert_non_null(strstr(done.err, "--jobs 2 requires several networks: --members N, or --folds N --fold all"));
    run_free(&done);
}

/* The first process that the command has started; waits for it. */
static pid_t child_of(pid_t process) {
    char path[80];
    int child = 0;
    snprintf(path, sizeof path, "/proc/%d/task/%d/children", (int)process, (int)process);
    for (int tries = 0; tries < 500 && child == 0; tries++) {
        FILE *file = fopen(path, "r");
        if (!file) break;
        if (fscanf(file, "%d", &child) != 1) child = 0; // NOLINT(cert-err34-c): the kernel writes numbers that fit
        fclose(file);
        nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
    }
    return child;
}

/* Skips the test where the kernel does not tell. */
static void give_up_without(pid_t child, run *at_work) {
    if (child != 0) return;
    kill(at_work->process, SIGKILL);
    run_wait(at_work);
    skip();
}

static run start_long(void) {
    const char *const arguments[RUN_ARGUMENTS] = {"train",     in_folder("classes.ts"),
                                                  "--arch",    "timecnn",
                                                  "--epochs",  "1000000",
                                                  "--json",    "--quiet",
                                                  "--threads", "1",
                                                  "--jobs",    "2",
                                                  "--folds",   "2",
                                                  "--fold",    "all"};
    return run_start(arguments, NULL);
}

static void given_a_signal_when_jobs_are_trained_then_all_stop_and_report(void **unused) {
    (void)unused;
    run at_work = start_long();
    give_up_without(child_of(at_work.process), &at_work);
    nanosleep(&(struct timespec){.tv_nsec = 300000000}, NULL);
    kill(at_work.process, SIGTERM);
    run_wait(&at_work);
    assert_int_equal(at_work.code, 0);
    json_t *object = run_json(&at_work);
    assert_true(json_is_true(json_object_get(object, "interrupted")));
    assert_int_equal(json_array_size(json_object_get(object, "folds")), 2);
    json_decref(object);
    run_free(&at_work);
}

static void given_a_job_that_is_killed_when_trained_then_it_is_told(void **unused) {
    (void)unused;
    run at_work = start_long();
    const pid_t child = child_of(at_work.process);
    give_up_without(child, &at_work);
    nanosleep(&(struct timespec){.tv_nsec = 300000000}, NULL);
    kill(child, SIGKILL);
    nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL);
    kill(at_work.process, SIGTERM);
    run_wait(&at_work);
    assert_int_equal(at_work.code, 1);
    const char *told = strstr(at_work.err, "was killed, or ran out of memory");
    assert_non_null(told);
    assert_null(strstr(told + 1, "was killed")); /* only the network that was killed */
    json_t *object = run_json(&at_work);
    assert_int_equal(json_array_size(json_object_get(object, "folds")), 1);
    json_decref(object);
    run_free(&at_work);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(given_jobs_when_members_are_trained_then_files_of_one_process),
        cmocka_unit_test(given_jobs_when_folds_are_trained_then_the_report_of_one_process),
        cmocka_unit_test(given_one_network_when_jobs_are_asked_for_then_an_error),
        cmocka_unit_test(given_a_signal_when_jobs_are_trained_then_all_stop_and_report),
        cmocka_unit_test(given_a_job_that_is_killed_when_trained_then_it_is_told),
    };
    return cmocka_run_group_tests(tests, set_up, folder_teardown) != 0;
}
