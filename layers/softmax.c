#include "base/math.h"
#include "kernels/kernels.h"
#include "layers/registry.h"

/* Elements of a task, in whole rows. */
enum { BLOCK = 4096 };

typedef struct softmax_job {
    const tl_pass *pass;
    const tl_kernels *kernels;
    size_t rows, channels, block; /* block: rows of a task */
} softmax_job;

static size_t rows_of(const softmax_job *job, size_t task) {
    const size_t rest = job->rows - task * job->block;
    return tl_min(rest, job->block);
}

static void forward_task(void *context, size_t task, int worker) {
    (void)worker;
    const softmax_job *job = context;
    const size_t at = task * job->block * job->channels;
    job->kernels->softmax(job->pass->x[0].data + at, job->pass->y.data + at, rows_of(job, task), job->channels);
}

static void backward_task(void *context, size_t task, int worker) {
    (void)worker;
    const softmax_job *job = context;
    const tl_pass *pass = job->pass;
    const size_t at = task * job->block * job->channels;
    job->kernels->softmax_gradient(pass->y.data + at, pass->dy.data + at, pass->dx[0].data + at, rows_of(job, task), job->channels);
}

static void share(const tl_layer *layer, const tl_pass *pass, double cost, tl_task task) {
    const size_t channels = layer->out.channels, block = channels < BLOCK ? BLOCK / channels : 1;
    softmax_job job = {.pass = pass,
                       .kernels = tl_kernels_of(pass->workers),
                       .rows = pass->batch * layer->out.length,
                       .channels = channels,
                       .block = block};
    tl_parallel(pass->workers, tl_ceil_div(job.rows, block), cost * (double)(job.rows * channels), task, &job);
}

static void softmax_forward(const tl_layer *layer, const tl_pass *pass) { share(layer, pass, 10, forward_task); }

static void softmax_backward(const tl_layer *layer, const tl_pass *pass) {
    if (pass->dx[0].data) share(layer, pass, 4, backward_task);
}

static void softmax_setup(tl_layer *layer, tl_error *error) {
    (void)layer;
    (void)error;
}

/* Maximum, difference, exp, sum, division. */
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
    .probabilities = true,
    .stepwise = true,
};

tl_node tl_softmax(tl_model *model, tl_node x) {
    const tl_layer layer = {.ops = &tl_softmax_layer_ops};
    return tl_layer_add(model, &x, 1, &layer);
}
