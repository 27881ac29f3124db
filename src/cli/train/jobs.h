/* jobs.h: runs tasks in several processes on this machine. */
#ifndef CLI_JOBS_H
#define CLI_JOBS_H

#include "cli/options.h"

/* Returns zeroed memory that this process shares with those of jobs_run. NULL on failure. Free it with jobs_free. */
void *jobs_memory(size_t bytes, tl_error *error);
void jobs_free(void *memory, size_t bytes);

/* A task. Only what it writes to jobs_memory is kept; other memory belongs to the process that runs the task. */
typedef void (*jobs_task)(void *context, size_t index);

/* Runs the tasks 0 … count - 1 in `jobs` processes, and waits until all are done. Each process takes the next task that no other
 * process has taken. After a signal that asks to stop, running tasks stop too, and no other task is begun. If a process is killed,
 * its task is lost: a message says so, and the other processes continue. Call it before any model runs, because the threads of a
 * model do not exist in the new processes. Returns false if a task was lost. */
bool jobs_run(const char *name, size_t jobs, size_t count, jobs_task task, void *context);

/* Returns the default number of threads of each process. */
int64_t jobs_threads(size_t jobs);

#endif
