#include "runner.h"

#include "check.h"
#include "process.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* An unnamed file to write to and read back. */
static int temporary_file(void) {
    char name[] = "/tmp/tapline-test-XXXXXX";
    const int file = mkstemp(name);
    if (file < 0) fail_msg("%s: %s", name, strerror(errno));
    unlink(name);
    return file;
}

static char *read_back(int file) {
    struct stat status;
    fstat(file, &status);
    char *text = calloc(1, (size_t)status.st_size + 1);
    if (!text || pread(file, text, (size_t)status.st_size, 0) != status.st_size) fail_msg("cannot read the output back");
    close(file);
    return text;
}

run run_start(const char *const *arguments, const char *out) {
    run self = {.files = {temporary_file(), temporary_file()}};
    char *argv[RUN_ARGUMENTS + 2] = {TAPLINE_COMMAND_FILE};
    for (size_t i = 0; i < RUN_ARGUMENTS && arguments[i]; i++) argv[i + 1] = (char *)arguments[i];
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    if (out)
        posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, out, O_WRONLY, 0);
    else
        posix_spawn_file_actions_adddup2(&actions, self.files[0], STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, self.files[1], STDERR_FILENO);
    self.process = start_program(argv, &actions);
    posix_spawn_file_actions_destroy(&actions);
    return self;
}

void run_wait(run *self) {
    int status;
    while (waitpid(self->process, &status, 0) < 0)
        if (errno != EINTR) fail_msg("waitpid: %s", strerror(errno));
    self->code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    self->out = read_back(self->files[0]);
    self->err = read_back(self->files[1]);
}

run run_to_end(const char *const *arguments) {
    run self = run_start(arguments, NULL);
    run_wait(&self);
    return self;
}

void run_free(run *self) {
    free(self->out);
    free(self->err);
    *self = (run){0};
}

json_t *run_json(const run *self) {
    const size_t length = strlen(self->out);
    if (length == 0 || self->out[length - 1] != '\n') fail_msg("no last line on stdout: \"%s\"; stderr: %s", self->out, self->err);
    const char *line = self->out + length - 1;
    while (line > self->out && line[-1] != '\n') line--;
    json_error_t error;
    json_t *object = json_loads(line, JSON_REJECT_DUPLICATES, &error);
    if (!json_is_object(object)) fail_msg("no JSON object: %s: %s; stderr: %s", error.text, line, self->err);
    return object;
}

double json_number(const json_t *object, const char *key) {
    const json_t *value = json_object_get(object, key);
    if (!json_is_number(value)) fail_msg("key %s: no number", key);
    return json_number_value(value);
}
