/* process.h: programs of this build as processes of their own. */
#ifndef PROCESS_H
#define PROCESS_H

#include <spawn.h>
#include <sys/types.h>

/* Starts argv[0], the path of a program of this build, with its arguments (NULL behind the last) and this environment: through the
 * emulator that a cross-build's tests run in, where there is one. actions: as of posix_spawn, or NULL. Fails the test when it
 * cannot be started. */
pid_t start_program(char *const *argv, const posix_spawn_file_actions_t *actions);

#endif
