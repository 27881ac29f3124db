/* A ReLU with a trained slope below 0 for each channel (He et al. 2015). */
#include "base/math.h"
#include "kernels/kernels.h"
#include "layers/registry.h"

/* Rows of a task, and the order of their sums, depend only on the shape. */
enum { ROWS = 256 };

static void prelu_setup(tl_layer *layer, tl_error *error) {
    (void)error;
    const size_t channels = layer->in[0].channels;
    tl_layer_parameter(layer, "slope", 1, &channels, TL_INIT_CONSTANT, channels, channels);
}

static size_t tasks_of(size_t rows) { return tl_ceil_div(rows, ROWS); }

/* One row of slope gradients for each task. */
static size_t prelu_scratch(const tl_layer *layer, size_t batch, int threads) {
    (void)threads;
    return tasks_of(batch * layer->in[0].length) * layer->in[0].channels;
}

typedef struct prelu_job {
    const tl_kernels *kernels;
    tl_prelu_rows all; /* except sum, which is that of the first task */
} prelu_job;

static prelu_job run_of(const tl_layer *layer, const tl_pass *pass) {
    return (prelu_job){.kernels = tl_kernels_of(pass->workers),
                       .all = {.rows = pass->batch * layer->in[0].length,
                               .channels = layer->in[0].channels,
                               .x = pass->x[0].data,
                               .slope = pass->parameter[0]}};
}

/* The rows of a task. */
static tl_prelu_rows rows_of(const prelu_job *job, size_t task) {
    tl_prelu_rows rows = job->all;
    const size_t first = task * ROWS, at = first * rows.channels;
    rows.rows = tl_min(rows.rows - first, ROWS);
    rows.x += at;
    if (rows.dy) rows.dy += at;
    if (rows.out) rows.out += at;
    if (rows.sum) rows.sum += task * rows.channels;
    return rows;
}

static void forward_task(void *context, size_t task, int worker) {
    (void)worker;
    const prelu_job *job = context;
    const tl_prelu_rows rows = rows_of(job, task);
    job->kernels->prelu(&rows);
}

static void backward_task(void *context, size_t task, int worker) {
    (void)worker;
    const prelu_job *job = context;
    const tl_prelu_rows rows = rows_of(job, task);
    job->kernels->prelu_gradient(&rows);
}

static void share(const tl_pass *pass, prelu_job *job, tl_task task) {
    tl_parallel(pass->workers, tasks_of(job->all.rows), (double)job->all.rows * (double)job->all.channels, task, job);
}

static void prelu_forward(const tl_layer *layer, const tl_pass *pass) {
    prelu_job job = run_of(layer, pass);
    job.all.out = pass->y.data;
    share(pass, &job, forward_task);
}

static void prelu_backward(const tl_layer *layer, const tl_pass *pass) {
    prelu_job job = run_of(layer, pass);
    job.all.dy = pass->dy.data;
    job.all.out = pass->dx[0].data;
    job.all.sum = pass->scratch;
    share(pass, &job, backward_task);
    if (pass->gradient[0]) job.kernels->sum_rows(pass->scratch, tasks_of(job.all.rows), job.all.channels, pass->gradient[0]);
}

static double prelu_flops(const tl_layer *layer) { return 2 * tl_layer_elements(layer); }

const tl_layer_ops tl_prelu_layer_ops = {
    .name = "prelu",
    .size = sizeof(tl_layer),
    .reads = TL_READS_X,
    .in_place = true,
    .setup = prelu_setup,
    .scratch = prelu_scratch,
    .flops = prelu_flops,
    .forward = prelu_forward,
    .backward = prelu_backward,
    .stepwise = true,
};

tl_node tl_prelu(tl_model *model, tl_node x) {
    const tl_layer layer = {.ops = &tl_prelu_layer_ops};
    return tl_layer_add(model, &x, 1, &layer);
}
