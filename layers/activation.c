/* Elementwise activations. The derivative of each is a function of its output, so that all of them work in place. */
#include "registry.h"

#include "kernels/kernels.h"

enum { BLOCK = 4096 }; /* elements of a task */

typedef struct elementwise {
    const tl_activation *activation;
    const tl_real *from, *y; /* y: backward only */
    tl_real *to;
    size_t count;
} elementwise;

static void elementwise_task(void *context, size_t task, int worker) {
    (void)worker;
    const elementwise *e = context;
    const size_t first = task * BLOCK, count = e->count - first < BLOCK ? e->count - first : BLOCK;
    if (e->y)
        e->activation->backward(e->y + first, e->from + first, e->to + first, count);
    else
        e->activation->forward(e->from + first, e->to + first, count);
}

/* cost: of an element, in operations. */
static void run_forward(const tl_pass *pass, const tl_activation *activation, double cost) {
    elementwise e = {.activation = activation, .from = pass->x[0].data, .to = pass->y.data, .count = tl_tensor_count(&pass->y)};
    tl_parallel(pass->workers, (e.count + BLOCK - 1) / BLOCK, cost * (double)e.count, elementwise_task, &e);
}

static void run_backward(const tl_pass *pass, const tl_activation *activation) {
    if (!pass->dx[0].data) return;
    elementwise e = {.activation = activation,
                     .from = pass->dy.data,
                     .y = pass->y.data,
                     .to = pass->dx[0].data,
                     .count = tl_tensor_count(&pass->dy)};
    tl_parallel(pass->workers, (e.count + BLOCK - 1) / BLOCK, (double)e.count, elementwise_task, &e);
}

/* The output has the input's shape: that is how `out` starts. */
static void same_shape_setup(tl_layer *layer, tl_error *error) {
    (void)layer;
    (void)error;
}

static tl_node add_activation(tl_model *model, tl_node x, const tl_layer_ops *ops) {
    const tl_layer layer = {.ops = ops};
    return tl_layer_add(model, &x, 1, &layer);
}

/* ---- relu ---- */

static void relu_forward(const tl_layer *layer, const tl_pass *pass) {
    (void)layer;
    run_forward(pass, tl_kernels_here()->relu, 1);
}

static void relu_backward(const tl_layer *layer, const tl_pass *pass) {
    (void)layer;
    run_backward(pass, tl_kernels_here()->relu);
}

const tl_layer_ops tl_relu_layer_ops = {
    .name = "relu",
    .size = sizeof(tl_layer),
    .reads = TL_READS_Y,
    .in_place = true,
    .setup = same_shape_setup,
    .forward = relu_forward,
    .backward = relu_backward,
};

tl_node tl_relu(tl_model *model, tl_node x) { return add_activation(model, x, &tl_relu_layer_ops); }

/* ---- sigmoid ---- */

static void sigmoid_forward(const tl_layer *layer, const tl_pass *pass) {
    (void)layer;
    run_forward(pass, tl_kernels_here()->sigmoid, 10);
}

static void sigmoid_backward(const tl_layer *layer, const tl_pass *pass) {
    (void)layer;
    run_backward(pass, tl_kernels_here()->sigmoid);
}

const tl_layer_ops tl_sigmoid_layer_ops = {
    .name = "sigmoid",
    .size = sizeof(tl_layer),
    .reads = TL_READS_Y,
    .in_place = true,
    .setup = same_shape_setup,
    .forward = sigmoid_forward,
    .backward = sigmoid_backward,
};

tl_node tl_sigmoid(tl_model *model, tl_node x) { return add_activation(model, x, &tl_sigmoid_layer_ops); }

/* ---- tanh ---- */

static void tanh_forward(const tl_layer *layer, const tl_pass *pass) {
    (void)layer;
    run_forward(pass, tl_kernels_here()->tanh, 10);
}

static void tanh_backward(const tl_layer *layer, const tl_pass *pass) {
    (void)layer;
    run_backward(pass, tl_kernels_here()->tanh);
}

const tl_layer_ops tl_tanh_layer_ops = {
    .name = "tanh",
    .size = sizeof(tl_layer),
    .reads = TL_READS_Y,
    .in_place = true,
    .setup = same_shape_setup,
    .forward = tanh_forward,
    .backward = tanh_backward,
};

tl_node tl_tanh(tl_model *model, tl_node x) { return add_activation(model, x, &tl_tanh_layer_ops); }
