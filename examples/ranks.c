/* Two processes train one model and send their gradients through pipes: a tl_exchange of your own. */
#define _POSIX_C_SOURCE 200809L
#include <tapline/tapline.h>

#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

static int rank;       /* of this process */
static FILE *in, *out; /* from the other one, and to it */

static void require(bool done) { done ? (void)0 : _exit(1); } /* the other one has ended */
static void put(const void *data, size_t bytes) { require(fwrite(data, 1, bytes, out) == bytes && fflush(out) == 0); }
static void get(void *data, size_t bytes) { require(fread(data, 1, bytes, in) == bytes); }
static void trade(const void *mine, void *theirs, size_t bytes) {
    if (rank == 0) put(mine, bytes);
    get(theirs, bytes);
    if (rank == 1) put(mine, bytes);
}
/* One number after the other, which is simple and slow. Both get the same bits: a + b is b + a. */
static void sum_f32(void *self, float *values, size_t count) {
    (void)self;
    for (float theirs; count > 0; count--, values++) trade(values, &theirs, sizeof theirs), *values += theirs;
}
static void sum_f64(void *self, double *values, size_t count) {
    (void)self;
    for (double theirs; count > 0; count--, values++) trade(values, &theirs, sizeof theirs), *values += theirs;
}
static void broadcast(void *self, void *data, size_t bytes, int from) {
    (void)self, rank == from ? put(data, bytes) : get(data, bytes);
}
static void barrier(void *self) { (void)self, trade("", &(char){0}, 1); }
static void end_all(void *self, int code) { (void)self, _exit(code); }

int main(void) {
    int forth[2], back[2], status = 0;
    if (pipe(forth) != 0 || pipe(back) != 0) return 1;
    const pid_t child = fork();
    if (child < 0) return 1;
    rank = child == 0;
    in = fdopen(rank ? forth[0] : back[0], "r"), out = fdopen(rank ? back[1] : forth[1], "w");
    close(rank ? forth[1] : forth[0]), close(rank ? back[0] : back[1]);
    const tl_exchange exchange = {sizeof exchange, rank, 2, "here", NULL, sum_f32, sum_f64, broadcast, barrier, end_all};
    tl_error error = {0};
    tl_metrics metrics = {0};
    tl_dataset *data = tl_dataset_read("builtin:cbf", NULL, &error);
    tl_exchange_agree(&exchange, &error); /* where one cannot read it, both have the error */
    tl_model *model = tl_model_new(&(tl_model_cfg){.seed = 1, .threads = 1});
    tl_node x = tl_input(model, (tl_shape){.length = 128, .channels = 1});
    x = tl_dense(model, tl_flatten(model, x), &(tl_dense_cfg){.units = 3});
    tl_model_compile(model, x, &(tl_compile_cfg){.batch = 5, .optimizer.learning_rate = 0.02}, &error);
    tl_fit(model, data, &(tl_fit_cfg){.epochs = 20, .batch = 10, .shards = 2, .exchange = &exchange}, NULL, &error);
    tl_evaluate(model, data, &metrics, &error);
    printf("rank %d: loss %.6f%s%s\n", rank, metrics.loss, tl_failed(&error) ? "; " : "", error.text);
    tl_model_free(model);
    tl_dataset_free(data);
    if (rank == 0) wait(&status);
    return status != 0 || tl_failed(&error) || !(metrics.loss < 1);
}
