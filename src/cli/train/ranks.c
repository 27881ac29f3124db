#include "cli/train/ranks.h"

#include <tapline/machine.h>

#include <dlfcn.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static tl_exchange exchange; /* bytes 0: this process is alone */
static void (*finish)(const tl_exchange *);

static bool parted;                       /* each rank works alone */
static int messages = -1, discarded = -1; /* stderr; the file that all ranks except the first print to instead */

static bool together(void) { return exchange.bytes && !parted; }

const tl_exchange *ranks_exchange(void) { return together() ? &exchange : NULL; }
size_t ranks_count(void) { return together() ? (size_t)exchange.ranks : 1; }
size_t ranks_number(void) { return (size_t)exchange.rank; }
bool ranks_lead(void) { return parted || exchange.rank == 0; }
bool ranks_parted(void) { return parted; }

void ranks_part(bool alone) {
    fflush(stderr);
    parted = alone;
    if (messages >= 0) dup2(alone ? messages : discarded, STDERR_FILENO);
}

void ranks_share(void *data, size_t bytes, size_t from) {
    if (together()) exchange.broadcast(exchange.self, data, bytes, (int)from);
}

bool ranks_any(bool here) {
    bool any = here;
    for (int rank = 0; together() && rank < exchange.ranks; rank++) {
        bool there = here;
        exchange.broadcast(exchange.self, &there, sizeof there, rank);
        any = any || there;
    }
    return any;
}

/* ---- the number of ranks, before MPI is loaded ---- */

/* Returns the number in the first of these environment variables that is set; 0: none. */
static long number_in(const char *const *names) {
    for (; *names; names++) {
        const char *text = getenv(*names);
        if (text) return strtol(text, NULL, 10);
    }
    return 0;
}

/* Variables of Open MPI, of MPICH and its relatives, and of Slurm. */
static const char *const size_names[] = {"OMPI_COMM_WORLD_SIZE", "PMI_SIZE", NULL};
static const char *const slurm_size_names[] = {"SLURM_STEP_NUM_TASKS", NULL};
static const char *const rank_names[] = {"OMPI_COMM_WORLD_RANK", "PMI_RANK", "PMIX_RANK", NULL};

static long count_started(void) {
    const long size = number_in(size_names);
    return size > 0 || !getenv("PMIX_RANK") ? size : number_in(slurm_size_names);
}

/* Only the first rank prints the message. */
static bool refuse(const command *self, const char *text) {
    if (number_in(rank_names) == 0) complain(self->name, "%s", text);
    return false;
}

/* ---- the machines ---- */

/* The processor and machine of a rank. */
typedef struct site {
    char isa[16], host[TL_HOST_NAME];
    cpu_set_t processors; /* that the rank may use */
} site;

static site site_here(void) {
    site here;
    memset(&here, 0, sizeof here);
    snprintf(here.isa, sizeof here.isa, "%s", tl_isa());
    memcpy(here.host, exchange.host, sizeof here.host);
    sched_getaffinity(0, sizeof here.processors, &here.processors);
    return here;
}

static int strength(const char *isa) {
    static const char *const names[] = {"baseline", "avx2", "avx512"}; /* the results of tl_isa */
    int i = 0;
    while (i < 2 && strcmp(names[i], isa) != 0) i++;
    return i;
}

/* Sets the instruction set, and the number of threads. Ranks of one machine that may use the same processors share them; mpirun may
 * also have given each rank its own processors. */
static void settle(common_settings *common) {
    const site here = site_here();
    char weakest[16];
    int sharers = 1;
    bool differ = false;
    memcpy(weakest, here.isa, sizeof weakest);
    for (int rank = 0; rank < exchange.ranks; rank++) {
        site there = here;
        exchange.broadcast(exchange.self, &there, sizeof there, rank);
        differ = differ || strcmp(there.isa, here.isa) != 0;
        if (strength(there.isa) < strength(weakest)) memcpy(weakest, there.isa, sizeof weakest);
        sharers += rank != exchange.rank && strcmp(there.host, here.host) == 0 && CPU_EQUAL(&there.processors, &here.processors);
    }
    if (ranks_any(differ)) {
        setenv("TAPLINE_ISA", weakest, 1);
        setenv("TAPLINE_TUNING", "common", 1);
    }
    const int each = CPU_COUNT(&here.processors) / sharers;
    if (common->threads == 0) common->threads = each > 1 ? each : 1;
}

/* All ranks would print the same. Errors of other ranks reach the first one by tl_exchange_agree. */
static void be_silent(void) {
    discarded = open("/dev/null", O_WRONLY | O_CLOEXEC);
    messages = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    if (discarded < 0 || messages < 0) return;
    dup2(discarded, STDOUT_FILENO);
    dup2(discarded, STDERR_FILENO);
}

/* ---- joining ---- */

static const char library[] = "libtapline_mpi.so.0";

bool ranks_join(const command *self) {
    const long started = count_started();
    if (started <= 1) return true;
    if (!self->runs_in_ranks)
        return refuse(self, "runs in a single process; start it without mpirun. Only `tapline train` runs in several");
    void *loaded = dlopen(library, RTLD_NOW | RTLD_GLOBAL);
    void (*start)(tl_exchange *) = NULL;
    if (loaded) {
        *(void **)&start = dlsym(loaded, "tl_exchange_mpi_start");
        *(void **)&finish = dlsym(loaded, "tl_exchange_mpi_finish");
    }
    if (!start || !finish)
        return refuse(self, "mpirun has started several processes, but libtapline_mpi.so.0 is missing: install the Debian package "
                            "libtapline-mpi0, or install Open MPI (on Debian libopenmpi-dev) and build tapline again");
    start(&exchange);
    if (exchange.ranks != started)
        return refuse(self, "this mpirun belongs to another MPI than the one that libtapline_mpi was built with; use that mpirun");
    settle(self->settings);
    if (exchange.rank > 0) be_silent();
    return true;
}

void ranks_leave(void) {
    if (exchange.bytes) finish(&exchange);
}
