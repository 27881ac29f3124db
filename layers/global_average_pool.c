#include "base/math.h"
#include "compute/counted.h"
#include "kernels/kernels.h"
#include "layers/registry.h"

/* Rows of a partial sum: the error of the sum then grows with length / 64 instead of length. */
enum { RUN = 64 };

static void pool_setup(tl_layer *layer, tl_error *error) {
    (void)error;
    layer->out.length = 1;
}

static size_t pool_scratch(const tl_layer *layer, size_t batch, int threads) {
    (void)batch;
    return (size_t)threads * layer->out.channels;
}

typedef struct pool_job {
    const tl_pass *pass;
    const tl_kernels *kernels;
    size_t length, channels;
} pool_job;

static size_t length_of(const pool_job *job, size_t sample) {
    return job->pass->lengths ? job->pass->lengths[sample] : job->length;
}

/* y: (channels) [OUT] = the mean of x: (length, channels); part: (channels) temporary memory. */
static void average(const tl_kernels *kernels, const tl_real *x, size_t length, size_t channels, tl_real *part, tl_real *y) {
    for (size_t c = 0; c < channels; c++) y[c] = 0;
    for (size_t first = 0; first < length; first += RUN) {
        for (size_t c = 0; c < channels; c++) part[c] = 0;
        kernels->sum_rows(x + first * channels, tl_min(length - first, RUN), channels, part);
        kernels->sum_rows(part, 1, channels, y);
    }
    for (size_t c = 0; c < channels; c++) y[c] /= (tl_real)length;
}

static void forward_task(void *context, size_t sample, int worker) {
    const pool_job *job = context;
    const size_t channels = job->channels;
    average(job->kernels, job->pass->x[0].data + sample * job->length * channels, length_of(job, sample), channels,
            job->pass->scratch + (size_t)worker * channels, job->pass->y.data + sample * channels);
}

static void backward_task(void *context, size_t sample, int worker) {
    const pool_job *job = context;
    const size_t length = length_of(job, sample), channels = job->channels;
    const tl_real *dy = job->pass->dy.data + sample * channels;
    tl_real *dx = job->pass->dx[0].data + sample * job->length * channels, *share = job->pass->scratch + (size_t)worker * channels;
    for (size_t c = 0; c < channels; c++) share[c] = dy[c] / (tl_real)length;
    for (size_t t = 0; t < length; t++)
        for (size_t c = 0; c < channels; c++) dx[t * channels + c] = share[c];
}

static void pool_forward(const tl_layer *layer, const tl_pass *pass) {
    pool_job job = {
        .pass = pass, .kernels = tl_kernels_of(pass->workers), .length = layer->in[0].length, .channels = layer->in[0].channels};
    tl_parallel(pass->workers, pass->batch, (double)pass->batch * (double)(job.length * job.channels), forward_task, &job);
}

static void pool_backward(const tl_layer *layer, const tl_pass *pass) {
    if (!pass->dx[0].data) return;
    pool_job job = {
        .pass = pass, .kernels = tl_kernels_of(pass->workers), .length = layer->in[0].length, .channels = layer->in[0].channels};
    tl_parallel(pass->workers, pass->batch, (double)pass->batch * (double)(job.length * job.channels), backward_task, &job);
}

static size_t one_step(const tl_layer *layer, size_t length) {
    (void)layer;
    (void)length;
    return 1;
}

static double pool_flops(const tl_layer *layer) { return (double)layer->in[0].length * tl_layer_elements(layer); }

/* ---- stream ---- */

/* state: the sum of complete runs, and of the current run (channels each). */
static void pool_stream_plan(const tl_layer *layer, const tl_workers *workers, tl_streaming *streaming, tl_error *error) {
    (void)workers;
    (void)error;
    streaming->over_all = true;
    streaming->state = 2 * layer->in[0].channels;
}

/* Continues with `rows` more steps after the first `before` steps: y = the mean of all. */
static void go_on(const tl_kernels *kernels, const tl_real *x, uint64_t before, size_t rows, size_t channels, tl_real *sum,
                  tl_real *y) {
    tl_real *part = sum + channels;
    for (size_t count; rows > 0; before += count, rows -= count, x += count * channels) {
        const size_t left = RUN - (size_t)(before % RUN);
        count = rows < left ? rows : left;
        kernels->sum_rows(x, count, channels, part);
        if (count < left) continue;
        kernels->sum_rows(part, 1, channels, sum);
        for (size_t c = 0; c < channels; c++) part[c] = 0;
    }
    for (size_t c = 0; c < channels; c++) y[c] = (before % RUN ? sum[c] + part[c] : sum[c]) / (tl_real)before;
}

static void pool_stream_run(const tl_layer *layer, const tl_stream_pass *pass) {
    const tl_kernels *kernels = tl_kernels_of(pass->workers);
    const size_t channels = layer->in[0].channels, extent = pass->streaming->extent, stride = pass->streaming->stride;
    for (size_t i = 0; i < pass->windows; i++) {
        const tl_real *x = pass->x[0] + i * stride * channels;
        tl_real *y = pass->y + i * channels;
        if (pass->streaming->running)
            go_on(kernels, x, (pass->first + i) * stride, stride, channels, pass->state, y);
        else
            average(kernels, x, extent, channels, pass->state, y);
    }
}

static const tl_stream_ops pool_stream = {.plan = pool_stream_plan, .run = pool_stream_run};

const tl_layer_ops tl_global_average_pool_layer_ops = {
    .name = "global_average_pool",
    .size = sizeof(tl_layer),
    .setup = pool_setup,
    .out_length = one_step,
    .scratch = pool_scratch,
    .flops = pool_flops,
    .forward = pool_forward,
    .backward = pool_backward,
    .selects = true,
    .stream = &pool_stream,
    .reads_behind = tl_reads_counted,
};

tl_node tl_global_average_pool(tl_model *model, tl_node x) {
    const tl_layer layer = {.ops = &tl_global_average_pool_layer_ops};
    return tl_layer_add(model, &x, 1, &layer);
}
