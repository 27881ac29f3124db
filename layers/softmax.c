#include "registry.h"

#include <tgmath.h>

/* Elements of a task, in whole rows. */
enum { BLOCK = 4096 };

typedef struct softmax_run {
    const tl_pass *pass;
    size_t rows, channels, block; /* block: rows of a task */
} softmax_run;

static softmax_run run_of(const tl_layer *layer, const tl_pass *pass) {
    const size_t channels = layer->out.channels, block = channels < BLOCK ? BLOCK / channels : 1;
    return (softmax_run){.pass = pass, .rows = pass->batch * layer->out.length, .channels = channels, .block = block};
}

static size_t run_tasks(const softmax_run *run) { return (run->rows + run->block - 1) / run->block; }

static size_t last_row(const softmax_run *run, size_t task) {
    const size_t last = (task + 1) * run->block;
    return last < run->rows ? last : run->rows;
}

/* The largest logit is subtracted first: exp cannot overflow, and the sum is at least 1. */
static void softmax_row(const tl_real *x, tl_real *y, size_t channels) {
    tl_real largest = x[0], sum = 0;
    for (size_t c = 1; c < channels; c++) largest = x[c] > largest ? x[c] : largest;
    for (size_t c = 0; c < channels; c++) {
        y[c] = exp(x[c] - largest);
        sum += y[c];
    }
    for (size_t c = 0; c < channels; c++) y[c] /= sum;
}

static void forward_task(void *context, size_t task, int worker) {
    (void)worker;
    const softmax_run *run = context;
    const size_t channels = run->channels, last = last_row(run, task);
    for (size_t row = task * run->block; row < last; row++)
        softmax_row(run->pass->x[0].data + row * channels, run->pass->y.data + row * channels, channels);
}

static void softmax_forward(const tl_layer *layer, const tl_pass *pass) {
    softmax_run run = run_of(layer, pass);
    tl_parallel(pass->workers, run_tasks(&run), 10.0 * (double)(run.rows * run.channels), forward_task, &run);
}

/* dx = y · (dy - sum of dy · y). */
static void backward_task(void *context, size_t task, int worker) {
    (void)worker;
    const softmax_run *run = context;
    const size_t channels = run->channels, last = last_row(run, task);
    for (size_t row = task * run->block; row < last; row++) {
        const tl_real *y = run->pass->y.data + row * channels, *dy = run->pass->dy.data + row * channels;
        tl_real *dx = run->pass->dx[0].data + row * channels, dot = 0;
        for (size_t c = 0; c < channels; c++) dot += dy[c] * y[c];
        for (size_t c = 0; c < channels; c++) dx[c] = y[c] * (dy[c] - dot);
    }
}

static void softmax_backward(const tl_layer *layer, const tl_pass *pass) {
    if (!pass->dx[0].data) return;
    softmax_run run = run_of(layer, pass);
    tl_parallel(pass->workers, run_tasks(&run), 4.0 * (double)(run.rows * run.channels), backward_task, &run);
}

static void softmax_setup(tl_layer *layer, tl_error *error) {
    (void)layer;
    (void)error;
}

/* The largest, its difference, exp, the sum, the division. */
static double softmax_flops(const tl_layer *layer) { return 5 * tl_layer_elements(layer); }

const tl_layer_ops tl_softmax_layer_ops = {
    .name = "softmax",
    .size = sizeof(tl_layer),
    .reads = TL_READS_Y,
    .in_place = true,
    .setup = softmax_setup,
    .flops = softmax_flops,
    .forward = softmax_forward,
    .backward = softmax_backward,
};

tl_node tl_softmax(tl_model *model, tl_node x) {
    const tl_layer layer = {.ops = &tl_softmax_layer_ops};
    return tl_layer_add(model, &x, 1, &layer);
}
