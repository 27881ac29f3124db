/* process.h: runs programs of this build as separate processes. */
#ifndef PROCESS_H
#define PROCESS_H

#include <spawn.h>
#include <sys/types.h>

/* Starts argv[0], the path of a program of this build, with its arguments (NULL after the last one) and this environment; in a
 * cross-build, through the emulator of its tests. actions: as for posix_spawn, or NULL. Fails the test if it cannot be started. */
pid_t start_program(char *const *argv, const posix_spawn_file_actions_t *actions);

#endif
