#include "process.h"

#include "check.h"

#include <stdlib.h>
#include <string.h>

extern char **environ; // NOLINT(readability-redundant-declaration): headers declare it only where asked for GNU names

pid_t start_program(char *const *argv, const posix_spawn_file_actions_t *actions) {
    char emulator[] = EMULATOR;
    size_t words = 1;
    while (argv[words - 1]) words++; /* the NULL too */
    char **all = calloc(words + 1, sizeof *all);
    if (!all) fail_msg("no memory for %zu arguments", words);
    all[0] = emulator;
    memcpy(all + 1, argv, words * sizeof *all);
    char **const own = *emulator ? all : all + 1;
    pid_t child;
    const int error = posix_spawnp(&child, own[0], actions, NULL, own, environ);
    if (error) fail_msg("%s: %s", own[0], strerror(error));
    free(all);
    return child;
}
