#include "cli/train/jobs.h"

#include "cli/train/train.h"

#include <tapline/machine.h>

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

void *jobs_memory(size_t bytes, tl_error *error) {
    void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory != MAP_FAILED) return memory;
    tl_fail(error, TL_ERROR_MEMORY, "--jobs: no %zu bytes of shared memory: %s", bytes, strerror(errno));
    return NULL;
}

void jobs_free(void *memory, size_t bytes) {
    if (memory) munmap(memory, bytes);
}

int64_t jobs_threads(size_t jobs) {
    const int64_t each = tl_processors() / (int64_t)jobs;
    return each > 1 ? each : 1;
}

/* Memory that the processes share. */
typedef struct board {
    atomic_size_t next;     /* the next task that no process has taken */
    atomic_bool stop;       /* a signal asked to stop */
    atomic_bool finished[]; /* (tasks) */
} board;

static void work(board *all, size_t count, jobs_task task, void *context) {
    for (size_t index; !progress_interrupted() && (index = atomic_fetch_add(&all->next, 1)) < count;) {
        task(context, index);
        atomic_store(&all->finished[index], true);
    }
}

/* Starts a process that works, and that ends if this process ends. */
static pid_t start(board *all, size_t count, jobs_task task, void *context) {
    const pid_t parent = getpid();
    fflush(NULL);
    const pid_t child = fork();
    if (child != 0) return child;
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    progress_watch(&all->stop);
    if (getppid() == parent) work(all, count, task, context);
    fflush(NULL);
    _exit(EXIT_DONE);
}

/* Waits for all processes. If a signal asks this process to stop, tells the others. */
static void wait_for(board *all, const pid_t *process, size_t jobs) {
    for (size_t i = 0; i < jobs;) {
        if (progress_interrupted()) atomic_store(&all->stop, true);
        if (waitpid(process[i], NULL, WNOHANG) != 0)
            i++;
        else
            nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
    }
}

/* Reports the tasks that were not finished, except those that were not begun after a signal. Returns whether there is none. */
static bool check_tasks(const char *name, const board *all, size_t count) {
    const size_t taken = atomic_load(&all->next);
    bool whole = true;
    for (size_t i = 0; i < count && (i < taken || !progress_interrupted()); i++) {
        if (atomic_load(&all->finished[i])) continue;
        complain(name, "--jobs: the process that trained network %zu of %zu was killed, or ran out of memory", i + 1, count);
        whole = false;
    }
    return whole;
}

bool jobs_run(const char *name, size_t jobs, size_t count, jobs_task task, void *context) {
    const size_t bytes = sizeof(board) + count * sizeof(atomic_bool);
    tl_error error = {0};
    board *all = jobs_memory(bytes, &error);
    pid_t *process = calloc(jobs, sizeof *process);
    size_t started = 0;
    bool whole = false;
    progress_catch_signals();
    while (all && process && started < jobs && (process[started] = start(all, count, task, context)) > 0) started++;
    if (!all || !process)
        complain(name, "%s", all ? "out of memory" : error.text);
    else if (started == 0)
        complain(name, "--jobs: no process could be started: %s", strerror(errno));
    else {
        wait_for(all, process, started);
        whole = check_tasks(name, all, count);
    }
    free(process);
    jobs_free(all, bytes);
    return whole;
}
