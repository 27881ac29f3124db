#include "process.h"

#include "check.h"

#include <string.h>

extern char **environ; // NOLINT(readability-redundant-declaration): headers declare it only where asked for GNU names

enum { MAX_WORDS = 128 };

pid_t start_program(char *const *argv, const posix_spawn_file_actions_t *actions) {
    char emulator[] = EMULATOR, *all[MAX_WORDS + 1] = {emulator};
    for (size_t i = 0; argv[i]; i++) {
        if (i + 1 == MAX_WORDS) fail_msg("more than %d arguments", MAX_WORDS);
        all[i + 1] = argv[i];
    }
    char **own = *emulator ? all : all + 1;
    pid_t child;
    const int error = posix_spawnp(&child, own[0], actions, NULL, own, environ);
    if (error) fail_msg("%s: %s", own[0], strerror(error));
    return child;
}
