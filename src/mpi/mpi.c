/* The exchange over MPI. Sums use recursive halving and doubling with MPI_Sendrecv (Thakur, Rabenseifner & Gropp 2005,
 * section 4.5), first with the neighbour, then at distances 2, 4, …. These are the additions of a binary tree of neighbours, since
 * a + b and b + a have the same bits. The order of additions in MPI_Allreduce depends on the number of ranks, the size and the
 * version. */
#include <tapline/mpi.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct team {
    MPI_Comm comm;
    int rank, ranks;
    void *received; /* room for half of the largest array so far */
    size_t bytes;
} team;

enum { TAG = 1, PIECE = 1 << 28 }; /* elements of one message: MPI counts them in int */

static void end_all(void *self, int code) {
    MPI_Abort(((team *)self)->comm, code);
    exit(code); /* MPI_Abort does not return */
}

static void *room(team *self, size_t bytes) {
    if (bytes <= self->bytes) return self->received;
    free(self->received);
    self->received = malloc(bytes);
    self->bytes = bytes;
    if (self->received) return self->received;
    fprintf(stderr, "tapline: rank %d: out of memory for an exchange of %zu bytes\n", self->rank, bytes);
    end_all(self, EXIT_FAILURE);
    return NULL;
}

/* The elements of an array: float or double. */
typedef struct array {
    MPI_Datatype type;
    size_t element; /* bytes of one */
    void (*add)(void *to, const void *from, size_t count);
} array;

static void add_f32(void *to, const void *from, size_t count) {
    float *a = to;
    const float *b = from;
    for (size_t i = 0; i < count; i++) a[i] += b[i];
}

static void add_f64(void *to, const void *from, size_t count) {
    double *a = to;
    const double *b = from;
    for (size_t i = 0; i < count; i++) a[i] += b[i];
}

/* Sends `out` elements to the partner and receives `in` from it. The longer side decides how many messages there are. */
static void swap(const team *self, const array *of, int partner, const char *send, size_t out, char *receive, size_t in) {
    for (size_t at = 0; at < out || at < in; at += PIECE) {
        const size_t sent = at < out ? out - at : 0, got = at < in ? in - at : 0;
        MPI_Sendrecv(send + (sent > 0 ? at * of->element : 0), (int)(sent < PIECE ? sent : PIECE), of->type, partner, TAG,
                     receive + (got > 0 ? at * of->element : 0), (int)(got < PIECE ? got : PIECE), of->type, partner, TAG,
                     self->comm, MPI_STATUS_IGNORE);
    }
}

/* The elements that a rank keeps after halving with its neighbours at the distances below `distance`. */
static void part_of(int rank, int distance, size_t count, size_t *first, size_t *end) {
    *first = 0;
    *end = count;
    for (int d = 1; d < distance; d *= 2) {
        const size_t middle = *first + (*end - *first) / 2;
        if (rank & d)
            *first = middle;
        else
            *end = middle;
    }
}

/* Short arrays: the whole array is exchanged at each distance, which takes half as many messages. */
static void sum_short(team *self, const array *of, char *values, size_t count) {
    char *received = room(self, count * of->element);
    for (int distance = 1; distance < self->ranks; distance *= 2) {
        swap(self, of, self->rank ^ distance, values, count, received, count);
        of->add(values, received, count);
    }
}

static void sum_long(team *self, const array *of, char *values, size_t count) {
    char *received = room(self, (count / 2 + 1) * of->element);
    size_t first, end, mine, mine_end, other, other_end;
    for (int distance = 1; distance < self->ranks; distance *= 2) {
        const int partner = self->rank ^ distance;
        part_of(self->rank, 2 * distance, count, &mine, &mine_end);
        part_of(partner, 2 * distance, count, &other, &other_end);
        swap(self, of, partner, values + other * of->element, other_end - other, received, mine_end - mine);
        of->add(values + mine * of->element, received, mine_end - mine);
    }
    for (int distance = self->ranks / 2; distance > 0; distance /= 2) {
        const int partner = self->rank ^ distance;
        part_of(self->rank, 2 * distance, count, &first, &end);
        part_of(partner, 2 * distance, count, &other, &other_end);
        swap(self, of, partner, values + first * of->element, end - first, values + other * of->element, other_end - other);
    }
}

enum { SHORT = 4096 }; /* bytes; up to this size, a message takes no longer than an empty one */

static void sum(team *self, const array *of, void *values, size_t count) {
    if (count * of->element <= SHORT)
        sum_short(self, of, values, count);
    else
        sum_long(self, of, values, count);
}

static void sum_f32(void *self, float *values, size_t count) {
    sum(self, &(array){.type = MPI_FLOAT, .element = sizeof *values, .add = add_f32}, values, count);
}

static void sum_f64(void *self, double *values, size_t count) {
    sum(self, &(array){.type = MPI_DOUBLE, .element = sizeof *values, .add = add_f64}, values, count);
}

static void broadcast(void *self, void *data, size_t bytes, int from) {
    char *at = data;
    for (size_t done = 0; done < bytes; done += PIECE)
        MPI_Bcast(at + done, (int)(bytes - done < PIECE ? bytes - done : PIECE), MPI_BYTE, from, ((team *)self)->comm);
}

static void barrier(void *self) { MPI_Barrier(((team *)self)->comm); }

tl_exchange tl_exchange_mpi(MPI_Comm comm) {
    team *self = calloc(1, sizeof *self);
    if (!self) MPI_Abort(comm, EXIT_FAILURE);
    MPI_Comm_dup(comm, &self->comm);
    MPI_Comm_rank(self->comm, &self->rank);
    MPI_Comm_size(self->comm, &self->ranks);
    tl_exchange exchange = {.bytes = sizeof exchange,
                            .rank = self->rank,
                            .ranks = self->ranks,
                            .self = self,
                            .sum_f32 = sum_f32,
                            .sum_f64 = sum_f64,
                            .broadcast = broadcast,
                            .barrier = barrier,
                            .abort = end_all};
    gethostname(exchange.host, sizeof exchange.host - 1);
    return exchange;
}

void tl_exchange_mpi_free(const tl_exchange *exchange) {
    team *self = exchange ? exchange->self : NULL;
    if (!self) return;
    MPI_Comm_free(&self->comm);
    free(self->received);
    free(self);
}

/* ---- for the command ---- */

/* Sets a parameter that Open MPI reads in MPI_Init: on a machine with more ranks than processors, a waiting rank must yield its
 * processor to the ranks that compute. */
static void yield_if_oversubscribed(void) {
    const char *local = getenv("OMPI_COMM_WORLD_LOCAL_SIZE");
    const long processors = sysconf(_SC_NPROCESSORS_ONLN);
    if (local && strtol(local, NULL, 10) > processors) setenv("OMPI_MCA_mpi_yield_when_idle", "1", 0);
}

void tl_exchange_mpi_start(tl_exchange *exchange) {
    int level;
    yield_if_oversubscribed();
    MPI_Init_thread(NULL, NULL, MPI_THREAD_FUNNELED, &level);
    *exchange = tl_exchange_mpi(MPI_COMM_WORLD);
}

void tl_exchange_mpi_finish(const tl_exchange *exchange) {
    tl_exchange_mpi_free(exchange);
    MPI_Finalize();
}
