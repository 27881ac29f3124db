/* A ReLU whose slope below 0 is trained, one for each channel (He et al. 2015). */
#include "registry.h"

#include <string.h>

/* Rows of a task: the shape alone fixes them, and the order in which their sums are added. */
enum { ROWS = 256 };

static void prelu_setup(tl_layer *layer, tl_error *error) {
    (void)error;
    const size_t channels = layer->in[0].channels;
    tl_layer_parameter(layer, "slope", 1, &channels, TL_INIT_QUARTERS, channels, channels);
}

typedef struct prelu_run {
    const tl_pass *pass;
    const tl_real *slope;
    size_t rows, channels;
} prelu_run;

static size_t tasks_of(size_t rows) { return (rows + ROWS - 1) / ROWS; }

/* One row of slope gradients for each task. */
static size_t prelu_scratch(const tl_layer *layer, size_t batch, int threads) {
    (void)threads;
    return tasks_of(batch * layer->in[0].length) * layer->in[0].channels;
}

static prelu_run run_of(const tl_layer *layer, const tl_pass *pass) {
    return (prelu_run){
        .pass = pass, .slope = pass->parameter[0], .rows = pass->batch * layer->in[0].length, .channels = layer->in[0].channels};
}

static size_t last_row(const prelu_run *run, size_t task) { return run->rows - task * ROWS < ROWS ? run->rows : (task + 1) * ROWS; }

static void forward_task(void *context, size_t task, int worker) {
    (void)worker;
    const prelu_run *run = context;
    const tl_real *slope = run->slope;
    for (size_t row = task * ROWS; row < last_row(run, task); row++) {
        const tl_real *x = run->pass->x[0].data + row * run->channels;
        tl_real *y = run->pass->y.data + row * run->channels;
        for (size_t c = 0; c < run->channels; c++) y[c] = x[c] < 0 ? slope[c] * x[c] : x[c];
    }
}

static void input_task(void *context, size_t task, int worker) {
    (void)worker;
    const prelu_run *run = context;
    const tl_real *slope = run->slope;
    for (size_t row = task * ROWS; row < last_row(run, task); row++) {
        const tl_real *x = run->pass->x[0].data + row * run->channels, *dy = run->pass->dy.data + row * run->channels;
        tl_real *dx = run->pass->dx[0].data + row * run->channels;
        for (size_t c = 0; c < run->channels; c++) dx[c] = x[c] > 0 ? dy[c] : slope[c] * dy[c];
    }
}

static void slope_task(void *context, size_t task, int worker) {
    (void)worker;
    const prelu_run *run = context;
    tl_real *sum = run->pass->scratch + task * run->channels;
    memset(sum, 0, run->channels * sizeof *sum);
    for (size_t row = task * ROWS; row < last_row(run, task); row++) {
        const tl_real *x = run->pass->x[0].data + row * run->channels, *dy = run->pass->dy.data + row * run->channels;
        for (size_t c = 0; c < run->channels; c++) sum[c] += x[c] < 0 ? x[c] * dy[c] : 0;
    }
}

static void share(prelu_run *run, tl_task task) {
    tl_parallel(run->pass->workers, tasks_of(run->rows), (double)run->rows * (double)run->channels, task, run);
}

static void prelu_forward(const tl_layer *layer, const tl_pass *pass) {
    prelu_run run = run_of(layer, pass);
    share(&run, forward_task);
}

static void prelu_backward(const tl_layer *layer, const tl_pass *pass) {
    prelu_run run = run_of(layer, pass);
    tl_real *gradient = pass->gradient[0];
    if (gradient) {
        share(&run, slope_task);
        for (size_t i = 0; i < tasks_of(run.rows) * run.channels; i++) gradient[i % run.channels] += pass->scratch[i];
    }
    if (pass->dx[0].data) share(&run, input_task);
}

static double prelu_flops(const tl_layer *layer) { return 2 * tl_layer_elements(layer); }

const tl_layer_ops tl_prelu_layer_ops = {
    .name = "prelu",
    .size = sizeof(tl_layer),
    .reads = TL_READS_X,
    .setup = prelu_setup,
    .scratch = prelu_scratch,
    .flops = prelu_flops,
    .forward = prelu_forward,
    .backward = prelu_backward,
};

tl_node tl_prelu(tl_model *model, tl_node x) {
    const tl_layer layer = {.ops = &tl_prelu_layer_ops};
    return tl_layer_add(model, &x, 1, &layer);
}
