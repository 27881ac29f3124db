/* runner.h: runs the built `tapline` command and captures its output. */
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

/* Starts the command with these arguments (NULL after the last one); `out`: the file for stdout, NULL: run.out. Fails the test if
 * it cannot be started. */
run run_start(const char *const *arguments, const char *out);

/* Waits for its end. */
void run_wait(run *self);

/* Both together: run_command("train", "--epochs", "1"). */
#define run_command(...) run_to_end((const char *const[RUN_ARGUMENTS]){__VA_ARGS__})
run run_to_end(const char *const *arguments);

void run_free(run *self);

/* Returns the JSON object in the last line of stdout; fails the test if there is none. Free it with json_decref. */
json_t *run_json(const run *self);

/* Returns the number under a key; fails the test if there is none. */
double json_number(const json_t *object, const char *key);

#endif
