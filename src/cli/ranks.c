#include "cli/ranks.h"

#include <tapline/machine.h>

#include <dlfcn.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static tl_exchange exchange; /* bytes 0: this process is alone */
static void (*finish)(const tl_exchange *);

static bool parted;                     /* each rank works alone */
static int messages = -1, nowhere = -1; /* stderr, and where the ranks after the first print in its place */

static bool together(void) { return exchange.bytes && !parted; }

const tl_exchange *ranks_exchange(void) { return together() ? &exchange : NULL; }
size_t ranks_count(void) { return together() ? (size_t)exchange.ranks : 1; }
size_t ranks_number(void) { return (size_t)exchange.rank; }
bool ranks_lead(void) { return parted || exchange.rank == 0; }
bool ranks_parted(void) { return parted; }

void ranks_part(bool alone) {
    fflush(stderr);
    parted = alone;
    if (messages >= 0) dup2(alone ? messages : nowhere, STDERR_FILENO);
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

/* ---- how many there are, before MPI is loaded ---- */

static long number_in(const char *const *names) {
    for (; *names; names++) {
        const char *text = getenv(*names);
        if (text) return strtol(text, NULL, 10);
    }
    return 0;
}

/* Of Open MPI, of MPICH and its relatives, of Slurm. */
static const char *const size_names[] = {"OMPI_COMM_WORLD_SIZE", "PMI_SIZE", NULL};
static const char *const slurm_size_names[] = {"SLURM_STEP_NUM_TASKS", NULL};
static const char *const rank_names[] = {"OMPI_COMM_WORLD_RANK", "PMI_RANK", "PMIX_RANK", NULL};

static long count_started(void) {
    const long size = number_in(size_names);
    return size > 0 || !getenv("PMIX_RANK") ? size : number_in(slurm_size_names);
}

/* One message for all of them. */
static bool refuse(const command *self, const char *text) {
    if (number_in(rank_names) == 0) complain(self->name, "%s", text);
    return false;
}

/* ---- what they have in common ---- */

/* What a rank runs on. */
typedef struct site {
    char isa[16], host[TL_HOST_NAME];
    cpu_set_t processors; /* that it may use */
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
    static const char *const names[] = {"baseline", "avx2", "avx512"}; /* as tl_isa says them */
    int i = 0;
    while (i < 2 && strcmp(names[i], isa) != 0) i++;
    return i;
}

/* Ranks of one machine that may use the same processors share them; mpirun may also have given each its own. */
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

/* What the ranks after the first have to say is what the first says; what goes wrong there, it is told (tl_exchange_agree). */
static void be_silent(void) {
    nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
    messages = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    if (nowhere < 0 || messages < 0) return;
    dup2(nowhere, STDOUT_FILENO);
    dup2(nowhere, STDERR_FILENO);
}

/* ---- joining ---- */

static const char library[] = "libtapline_mpi.so.0";

bool ranks_join(const command *self) {
    const long started = count_started();
    if (started <= 1) return true;
    if (!self->runs_in_ranks) return refuse(self, "runs in one process; start it without mpirun. `tapline train` runs in several");
    void *loaded = dlopen(library, RTLD_NOW | RTLD_GLOBAL);
    void (*start)(tl_exchange *) = NULL;
    if (loaded) {
        *(void **)&start = dlsym(loaded, "tl_exchange_mpi_start");
        *(void **)&finish = dlsym(loaded, "tl_exchange_mpi_finish");
    }
    if (!start || !finish)
        return refuse(self, "mpirun has started several processes, which needs libtapline_mpi.so.0: install Open MPI (on Debian "
                            "libopenmpi-dev) and build tapline again");
    start(&exchange);
    if (exchange.ranks != started)
        return refuse(self, "mpirun belongs to another MPI than the one that libtapline_mpi was built with");
    settle(self->settings);
    if (exchange.rank > 0) be_silent();
    return true;
}

void ranks_leave(void) {
    if (exchange.bytes) finish(&exchange);
}
