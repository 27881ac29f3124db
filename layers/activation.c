/* Elementwise activations. The derivative of each is a function of its output, so that all of them work in place. */
#include "registry.h"

#include <string.h>
#include <tgmath.h>

/* Elements of a task: few enough to stay in the first-level cache between the copy and the kernel. */
enum { BLOCK = 4096 };

/* Kernels have one writable pointer each, because a loop that may be in place is vectorised only so: a pass from one array to
 * another copies a block first. */
typedef void (*forward_kernel)(tl_real *restrict y, size_t count);
typedef void (*backward_kernel)(const tl_real *restrict y, tl_real *restrict d, size_t count);

typedef struct elementwise {
    forward_kernel forward;
    backward_kernel backward;
    const tl_real *from, *y;
    tl_real *to;
    size_t count;
} elementwise;

static void elementwise_task(void *context, size_t task, int worker) {
    (void)worker;
    const elementwise *e = context;
    const size_t first = task * BLOCK, count = e->count - first < BLOCK ? e->count - first : BLOCK;
    if (e->to != e->from) memcpy(e->to + first, e->from + first, count * sizeof *e->to);
    if (e->forward) e->forward(e->to + first, count);
    if (e->backward) e->backward(e->y + first, e->to + first, count);
}

static void run_forward(const tl_pass *pass, forward_kernel kernel, double cost) {
    elementwise e = {.forward = kernel, .from = pass->x[0].data, .to = pass->y.data, .count = tl_tensor_count(&pass->y)};
    tl_parallel(pass->workers, (e.count + BLOCK - 1) / BLOCK, cost * (double)e.count, elementwise_task, &e);
}

static void run_backward(const tl_pass *pass, backward_kernel kernel) {
    if (!pass->dx[0].data) return;
    elementwise e = {
        .backward = kernel, .from = pass->dy.data, .y = pass->y.data, .to = pass->dx[0].data, .count = tl_tensor_count(&pass->dy)};
    tl_parallel(pass->workers, (e.count + BLOCK - 1) / BLOCK, (double)e.count, elementwise_task, &e);
}

/* The output has the input's shape: that is how `out` starts. */
static void same_shape_setup(tl_layer *layer, tl_error *error) {
    (void)layer;
    (void)error;
}

static tl_node add_activation(tl_model *model, tl_node x, const tl_layer_ops *ops) {
    const tl_layer layer = {.ops = ops};
    return tl_layer_add(model, &x, 1, &layer, sizeof layer);
}

/* ---- relu ---- */

/* Written so that NaN passes: a diverged network is to be noticed. */
static void relu_kernel(tl_real *restrict y, size_t count) {
    for (size_t i = 0; i < count; i++) y[i] = y[i] < 0 ? 0 : y[i];
}

static void relu_gradient(const tl_real *restrict y, tl_real *restrict d, size_t count) {
    for (size_t i = 0; i < count; i++) d[i] = y[i] > 0 ? d[i] : 0;
}

static void relu_forward(const tl_layer *layer, const tl_pass *pass) {
    (void)layer;
    run_forward(pass, relu_kernel, 1);
}

static void relu_backward(const tl_layer *layer, const tl_pass *pass) {
    (void)layer;
    run_backward(pass, relu_gradient);
}

const tl_layer_ops tl_relu_layer_ops = {
    .name = "relu",
    .reads = TL_READS_Y,
    .in_place = true,
    .setup = same_shape_setup,
    .forward = relu_forward,
    .backward = relu_backward,
};

tl_node tl_relu(tl_model *model, tl_node x) { return add_activation(model, x, &tl_relu_layer_ops); }

/* ---- sigmoid ---- */

static void sigmoid_kernel(tl_real *restrict y, size_t count) {
    for (size_t i = 0; i < count; i++) y[i] = 1 / (1 + exp(-y[i])); /* exp may be infinite: 1 / infinity is the limit, 0 */
}

static void sigmoid_gradient(const tl_real *restrict y, tl_real *restrict d, size_t count) {
    for (size_t i = 0; i < count; i++) d[i] *= y[i] * (1 - y[i]);
}

static void sigmoid_forward(const tl_layer *layer, const tl_pass *pass) {
    (void)layer;
    run_forward(pass, sigmoid_kernel, 10);
}

static void sigmoid_backward(const tl_layer *layer, const tl_pass *pass) {
    (void)layer;
    run_backward(pass, sigmoid_gradient);
}

const tl_layer_ops tl_sigmoid_layer_ops = {
    .name = "sigmoid",
    .reads = TL_READS_Y,
    .in_place = true,
    .setup = same_shape_setup,
    .forward = sigmoid_forward,
    .backward = sigmoid_backward,
};

tl_node tl_sigmoid(tl_model *model, tl_node x) { return add_activation(model, x, &tl_sigmoid_layer_ops); }

/* ---- tanh ---- */

static void tanh_kernel(tl_real *restrict y, size_t count) {
    for (size_t i = 0; i < count; i++) y[i] = tanh(y[i]);
}

static void tanh_gradient(const tl_real *restrict y, tl_real *restrict d, size_t count) {
    for (size_t i = 0; i < count; i++) d[i] *= (1 - y[i]) * (1 + y[i]);
}

static void tanh_forward(const tl_layer *layer, const tl_pass *pass) {
    (void)layer;
    run_forward(pass, tanh_kernel, 10);
}

static void tanh_backward(const tl_layer *layer, const tl_pass *pass) {
    (void)layer;
    run_backward(pass, tanh_gradient);
}

const tl_layer_ops tl_tanh_layer_ops = {
    .name = "tanh",
    .reads = TL_READS_Y,
    .in_place = true,
    .setup = same_shape_setup,
    .forward = tanh_forward,
    .backward = tanh_backward,
};

tl_node tl_tanh(tl_model *model, tl_node x) { return add_activation(model, x, &tl_tanh_layer_ops); }
