/* jobs.h: tasks in several processes of this machine. */
#ifndef CLI_JOBS_H
#define CLI_JOBS_H

#include "cli/options.h"

/* Zeroed memory that this process and those of jobs_run share; NULL where there is none. Free it with jobs_free. */
void *jobs_memory(size_t bytes, tl_error *error);
void jobs_free(void *memory, size_t bytes);

/* One of the tasks. What it leaves in memory of its own is lost, but for what it writes to jobs_memory. */
typedef void (*jobs_task)(void *context, size_t index);

/* Runs the tasks 0 … count - 1 in `jobs` processes, each of which takes the next task that no other has taken, and waits for all of
 * them. A signal that asks to stop is handed on to them, and no other task is begun. A process that is killed loses its task, which
 * is told; the others go on. No model may have run before, since its threads do not come along. False where a task was lost. */
bool jobs_run(const char *name, size_t jobs, size_t count, jobs_task task, void *context);

/* How many threads each process takes where nothing else is said. */
int64_t jobs_threads(size_t jobs);

#endif
