/* runner.h: runs the built `tapline` command and catches what it prints. */
#ifndef RUNNER_H
#define RUNNER_H

#include <jansson.h>
#include <stdbool.h>
#include <sys/types.h>

/* A run of the command. Free with run_free. */
typedef struct run {
    pid_t process;
    int code;        /* the exit code; 128 + the number of the signal that ended it */
    char *out, *err; /* what came on stdout and stderr */
    int files[2];
} run;

enum { RUN_ARGUMENTS = 110 };

/* Starts the command with these arguments (NULL behind the last); `out` is the file that stdout goes to, NULL: to run.out. Fails
 * the test when it cannot be started. */
run run_start(const char *const *arguments, const char *out);

/* Waits for its end. */
void run_wait(run *self);

/* Both at once: run_command("train", "--epochs", "1"). */
#define run_command(...) run_to_end((const char *const[RUN_ARGUMENTS]){__VA_ARGS__})
run run_to_end(const char *const *arguments);

void run_free(run *self);

/* The JSON object in the last line of stdout; fails the test when there is none. Free with json_decref. */
json_t *run_json(const run *self);

/* The number under a key; fails the test when there is none. */
double json_number(const json_t *object, const char *key);

#endif
