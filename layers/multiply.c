#include "base/math.h"
#include "compute/counted.h"
#include "kernels/kernels.h"
#include "layers/registry.h"

/* Elements of a task: a block of each input stays in the first-level cache while it is read several times. */
enum { BLOCK = 1024 };

static void multiply_setup(tl_layer *layer, tl_error *error) { tl_layer_same_shapes(layer, error); }

typedef struct multiply_job {
    const tl_layer *layer;
    const tl_pass *pass;
    const tl_kernels *kernels;
    size_t inputs, count;
} multiply_job;

/* to = start · all inputs except number `without`. */
static void product_of(const multiply_job *job, const tl_real *start, size_t without, tl_real *to, size_t first, size_t count) {
    const tl_real *product = start + first;
    for (size_t k = 0; k < job->inputs; k++) {
        if (k == without) continue;
        job->kernels->multiply(product, job->pass->x[k].data + first, to + first, count);
        product = to + first;
    }
}

/* The elements of a task that count. */
static tl_counted counted_of(const multiply_job *job, size_t task) {
    const tl_shape shape = job->layer->out;
    const size_t first = task * BLOCK, end = tl_min(first + BLOCK, job->count);
    return tl_counted_in(job->pass->out_lengths, shape.length, shape.channels, first, end);
}

static void forward_task(void *context, size_t task, int worker) {
    (void)worker;
    const multiply_job *job = context;
    for (tl_counted run = counted_of(job, task); tl_next_counted(&run);)
        product_of(job, job->pass->x[0].data, 0, job->pass->y.data, run.first, run.count);
}

static void backward_task(void *context, size_t task, int worker) {
    (void)worker;
    const multiply_job *job = context;
    for (tl_counted run = counted_of(job, task); tl_next_counted(&run);)
        for (size_t k = 0; k < job->inputs; k++)
            if (job->pass->dx[k].data) product_of(job, job->pass->dy.data, k, job->pass->dx[k].data, run.first, run.count);
}

static void share(const tl_layer *layer, const tl_pass *pass, double passes, tl_task task) {
    multiply_job job = {.layer = layer,
                        .pass = pass,
                        .kernels = tl_kernels_of(pass->workers),
                        .inputs = layer->inputs,
                        .count = pass->batch * layer->out.length * layer->out.channels};
    tl_parallel(pass->workers, tl_ceil_div(job.count, BLOCK), passes * (double)job.count * (double)job.inputs, task, &job);
}

static void multiply_forward(const tl_layer *layer, const tl_pass *pass) { share(layer, pass, 1, forward_task); }

static void multiply_backward(const tl_layer *layer, const tl_pass *pass) {
    share(layer, pass, (double)layer->inputs, backward_task);
}

static double multiply_flops(const tl_layer *layer) { return (double)(layer->inputs - 1) * tl_layer_elements(layer); }

const tl_layer_ops tl_multiply_layer_ops = {
    .name = "multiply",
    .size = sizeof(tl_layer),
    .multiple_inputs = true,
    .reads = TL_READS_X,
    .setup = multiply_setup,
    .flops = multiply_flops,
    .forward = multiply_forward,
    .backward = multiply_backward,
    .stepwise = true,
    .reads_behind = tl_reads_counted,
};

tl_node tl_multiply(tl_model *model, const tl_node *x, size_t count) {
    const tl_layer layer = {.ops = &tl_multiply_layer_ops};
    return tl_layer_add(model, x, count, &layer);
}
