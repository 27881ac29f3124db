/* The sum of several arrays, with the ReLU after it if there is one. */
#include "base/math.h"
#include "compute/counted.h"
#include "kernels/kernels.h"
#include "layers/registry.h"

#include <string.h>

/* Elements of a task. The sum is computed on the stack, so that y may be any of the inputs, even one that is added twice. */
enum { BLOCK = 1024 };

typedef struct add_layer {
    tl_layer base;
    bool relu; /* also computes the next layer, a ReLU */
} add_layer;

static void add_setup(tl_layer *layer, tl_error *error) { tl_layer_same_shapes(layer, error); }

typedef struct add_job {
    const tl_layer *layer;
    const tl_pass *pass;
    const tl_kernels *kernels;
    size_t count;
} add_job;

static void share_blocks(const tl_layer *layer, const tl_pass *pass, size_t count, tl_task task) {
    add_job job = {.layer = layer, .pass = pass, .kernels = tl_kernels_of(pass->workers), .count = count};
    tl_parallel(pass->workers, tl_ceil_div(count, BLOCK), (double)count * (double)layer->inputs, task, &job);
}

/* The elements of a task that count. */
static tl_counted counted_of(const add_job *job, size_t task) {
    const tl_shape shape = job->layer->out;
    const size_t first = task * BLOCK, end = tl_min(first + BLOCK, job->count);
    return tl_counted_in(job->pass->out_lengths, shape.length, shape.channels, first, end);
}

/* Adds the elements from number `first` on. */
static void add_run(const add_job *job, size_t first, size_t count) {
    const size_t last = job->layer->inputs - 1;
    const tl_tensor *x = job->pass->x;
    const tl_real *sum = x[0].data + first;
    tl_real gathered[BLOCK];
    for (size_t k = 1; k < last; k++) {
        job->kernels->add(sum, x[k].data + first, gathered, count);
        sum = gathered;
    }
    const bool relu = ((const add_layer *)job->layer)->relu;
    (relu ? job->kernels->add_relu : job->kernels->add)(sum, x[last].data + first, job->pass->y.data + first, count);
}

static void forward_task(void *context, size_t task, int worker) {
    (void)worker;
    const add_job *job = context;
    for (tl_counted run = counted_of(job, task); tl_next_counted(&run);) add_run(job, run.first, run.count);
}

static void add_forward(const tl_layer *layer, const tl_pass *pass) {
    share_blocks(layer, pass, tl_tensor_count(&pass->y), forward_task);
}

/* dx = dy where `from` is above 0, else 0. */
static void mask_gradient(const add_job *job, const tl_real *from, const tl_real *dy, tl_real *dx, size_t count) {
    job->kernels->activation_gradient(
        &(tl_activation_run){.activation = TL_ACTIVATION_RELU, .from = from, .dy = dy, .to = dx, .count = count});
}

/* Returns whether the gradient of an input is that of an earlier one. */
static bool is_written(const tl_pass *pass, size_t k) {
    bool written = false;
    for (size_t i = 0; i < k; i++) written = written || pass->dx[i].data == pass->dx[k].data;
    return written;
}

/* The gradient of the input that shares memory with dy is written last, because the others read dy. */
static void share_gradient(const add_job *job, size_t first, size_t count) {
    const tl_pass *pass = job->pass;
    const tl_real *dy = pass->dy.data;
    const bool relu = ((const add_layer *)job->layer)->relu;
    for (int in_place = 0; in_place <= 1; in_place++)
        for (size_t k = 0; k < job->layer->inputs; k++) {
            tl_real *dx = pass->dx[k].data;
            if (!dx || (dx == dy) != in_place || is_written(pass, k)) continue;
            const tl_real *from = dy;
            if (relu) {
                mask_gradient(job, pass->y.data + first, from + first, dx + first, count);
                from = dx;
            }
            if (pass->masks[k])
                mask_gradient(job, pass->x[k].data + first, from + first, dx + first, count);
            else if (from != dx)
                memcpy(dx + first, dy + first, count * sizeof *dx);
        }
}

static void backward_task(void *context, size_t task, int worker) {
    (void)worker;
    const add_job *job = context;
    for (tl_counted run = counted_of(job, task); tl_next_counted(&run);) share_gradient(job, run.first, run.count);
}

static void add_backward(const tl_layer *layer, const tl_pass *pass) {
    share_blocks(layer, pass, tl_tensor_count(&pass->dy), backward_task);
}

static double add_flops(const tl_layer *layer) { return (double)(layer->inputs - 1) * tl_layer_elements(layer); }

static const tl_inference_ops add_inference = {.does = TL_ELEMENTWISE_SUM};

/* ---- with the ReLU, whose derivative is a function of y ---- */

static const tl_layer_ops add_relu_layer_ops = {
    .name = "add",
    .size = sizeof(add_layer),
    .multiple_inputs = true,
    .reads = TL_READS_Y,
    .in_place = true,
    .masks = true,
    .same_gradients = true,
    .setup = add_setup,
    .flops = add_flops,
    .forward = add_forward,
    .backward = add_backward,
    .stepwise = true,
    .inference = &add_inference,
    .reads_behind = tl_reads_counted,
};

static bool add_absorb(tl_layer *layer, const tl_layer *next) {
    if (next->ops != &tl_relu_layer_ops) return false;
    ((add_layer *)layer)->relu = true;
    layer->ops = &add_relu_layer_ops;
    return true;
}

const tl_layer_ops tl_add_layer_ops = {
    .name = "add",
    .size = sizeof(add_layer),
    .multiple_inputs = true,
    .in_place = true,
    .masks = true,
    .same_gradients = true,
    .setup = add_setup,
    .flops = add_flops,
    .forward = add_forward,
    .backward = add_backward,
    .stepwise = true,
    .inference = &add_inference,
    .reads_behind = tl_reads_counted,
    .absorb = add_absorb,
};

tl_node tl_add(tl_model *model, const tl_node *x, size_t count) {
    const add_layer layer = {.base.ops = &tl_add_layer_ops};
    return tl_layer_add(model, x, count, &layer.base);
}
