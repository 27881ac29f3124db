/* What a step of FCN takes on several ranks, beside what the cost model of docs/scale.md makes of its parts, which are measured on
 * the same ranks: a shard, an optimizer step, the latency of a message and the bandwidth. Prints a line of CSV.
 *
 * usage: mpirun -n N bench_scale      N: 1, 2, 4 or 8 */
#include <tapline/mpi.h>
#include <tapline/tapline.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { BATCH = 32, SHARDS = 8, SERIES = BATCH / SHARDS, ROUNDS = 40, EPOCHS = 8, CLASSES = 6 };

static double seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static double levels(const tl_exchange *exchange) { return log2(exchange->ranks); }

/* Of one message: of a sum of one number, which takes a message a level. */
static double measure_latency(const tl_exchange *exchange) {
    double best = INFINITY;
    for (int round = 0; round < 10 * ROUNDS; round++) {
        double number = 1;
        exchange->barrier(exchange->self);
        const double begin = seconds();
        exchange->sum_f64(exchange->self, &number, 1);
        best = fmin(best, seconds() - begin);
    }
    return best / levels(exchange);
}

/* The sum of as many numbers as FCN has parameters. */
static double measure_sum(const tl_exchange *exchange, size_t count, tl_error *error) {
    float *values = calloc(count, sizeof *values);
    double best = INFINITY;
    if (!values) tl_fail(error, TL_ERROR_MEMORY, "out of memory");
    for (int round = 0; values && round < ROUNDS; round++) {
        exchange->barrier(exchange->self);
        const double begin = seconds();
        exchange->sum_f32(exchange->self, values, count);
        best = fmin(best, seconds() - begin);
    }
    free(values);
    return best;
}

static tl_model *make_model(const tl_dataset *data, tl_error *error) {
    tl_model *model = tl_model_new(&(tl_model_cfg){.seed = 1, .threads = 1});
    tl_node x = tl_fcn(model, tl_input(model, (tl_shape){data->x.shape[1], data->x.shape[2]}), CLASSES);
    tl_model_compile(model, x, &(tl_compile_cfg){.batch = SERIES}, error);
    return model;
}

/* A forward and a backward pass, and a step; the least of each. */
static void measure_parts(const tl_dataset *data, double *shard, double *step, tl_error *error) {
    tl_model *model = make_model(data, error);
    const tl_tensor x = tl_tensor_slice(&data->x, 0, SERIES);
    *shard = *step = INFINITY;
    for (int round = 0; round < ROUNDS && !tl_failed(error); round++) {
        const double begin = seconds();
        tl_forward(model, &x, TL_MODE_TRAINING);
        tl_loss(model, &(tl_target){.labels = data->labels});
        tl_backward(model);
        const double middle = seconds();
        tl_step(model, error);
        *shard = fmin(*shard, middle - begin);
        *step = fmin(*step, seconds() - middle);
    }
    tl_model_free(model);
}

/* From one batch to the next; the least. */
typedef struct stopwatch {
    double last, best;
} stopwatch;

static bool observe(const tl_progress *at, void *user) {
    stopwatch *self = user;
    const double now = seconds();
    if (at->batch > 1) self->best = fmin(self->best, now - self->last);
    self->last = seconds();
    return true;
}

static double measure_training(const tl_dataset *data, const tl_exchange *exchange, tl_error *error) {
    stopwatch watch = {.best = INFINITY};
    tl_model *model = make_model(data, error);
    const tl_fit_cfg cfg = {.epochs = EPOCHS,
                            .batch = BATCH,
                            .shards = SHARDS,
                            .exchange = exchange,
                            .callbacks = {{observe, &watch}},
                            .keep_running = true};
    tl_fit(model, data, &cfg, NULL, error);
    tl_model_free(model);
    return watch.best;
}

/* Two sums of short arrays go with that of the gradients (docs/scale.md). All ranks are taken to be on this machine, whose
 * processors they share. */
static void report(const tl_exchange *exchange, double shard, double step, double latency, double sum, double measured) {
    const double messages = exchange->ranks > 1 ? sum + 2 * levels(exchange) * latency : 0;
    const double sharing = fmax(1, exchange->ranks / (double)tl_processors());
    const double predicted = sharing * (SHARDS / (double)exchange->ranks * shard + step) + messages;
    printf("%d,%.6f,%.6f,%.8f,%.6f,%.6f,%.6f\n", exchange->ranks, shard, step, latency, sum, predicted, measured);
}

int main(int argc, char **argv) {
    tl_error error = {0};
    MPI_Init(&argc, &argv);
    const tl_exchange exchange = tl_exchange_mpi(MPI_COMM_WORLD);
    tl_dataset *data = tl_dataset_builtin("synthetic-control", TL_SPLIT_TRAIN, 0, &error);
    tl_model *model = data ? make_model(data, &error) : NULL;
    const size_t count = tl_parameter_count(model);
    double shard = 0, step = 0, latency = 0, sum = 0, measured = 0;
    tl_model_free(model);
    if (!tl_failed(&error)) {
        exchange.barrier(exchange.self);
        measure_parts(data, &shard, &step, &error);
        if (exchange.ranks > 1) latency = measure_latency(&exchange);
        if (exchange.ranks > 1) sum = measure_sum(&exchange, count, &error);
        measured = measure_training(data, &exchange, &error);
    }
    if (exchange.rank == 0 && tl_failed(&error)) fprintf(stderr, "bench_scale: %s\n", error.text);
    if (exchange.rank == 0 && !tl_failed(&error)) report(&exchange, shard, step, latency, sum, measured);
    tl_dataset_free(data);
    tl_exchange_mpi_free(&exchange);
    MPI_Finalize();
    return tl_failed(&error);
}
