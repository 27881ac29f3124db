/* Elementwise activations. Each is a row of the table in src/kernels/activation.c; its name and settings are here.
 */
#include "base/math.h"
#include "compute/counted.h"
#include "graph/builder.h"
#include "kernels/kernels.h"
#include "layers/registry.h"

#include <math.h>

enum { BLOCK = 4096 }; /* elements of a task */

typedef struct activation_layer {
    tl_layer base;
    double a, b;                /* the numbers of tl_activation_run, under the names of each activation */
    bool approximate;           /* GELU */
    tl_activation activation;   /* [OUT] of setup, like the members below */
    double cost, gradient_cost; /* of an element, in operations */
} activation_layer;

typedef struct activation_job {
    tl_activation_run run; /* of all elements */
    const tl_kernels *kernels;
    const size_t *lengths; /* as in tl_pass */
    tl_shape shape;        /* of a sample */
} activation_job;

/* Computes the elements from number `first` on. */
static void activate(const activation_job *job, size_t first, size_t count) {
    tl_activation_run run = job->run;
    run.count = count;
    run.to += first;
    if (run.from) run.from += first;
    if (run.dy) {
        run.dy += first;
        job->kernels->activation_gradient(&run);
    } else
        job->kernels->activate(&run);
}

static void activation_task(void *context, size_t task, int worker) {
    (void)worker;
    const activation_job *job = context;
    const size_t first = task * BLOCK, end = tl_min(first + BLOCK, job->run.count);
    tl_counted run = tl_counted_in(job->lengths, job->shape.length, job->shape.channels, first, end);
    while (tl_next_counted(&run)) activate(job, run.first, run.count);
}

static tl_activation_run run_of(const activation_layer *self, const tl_tensor *reference) {
    return (tl_activation_run){
        .activation = self->activation, .a = (tl_real)self->a, .b = (tl_real)self->b, .count = tl_tensor_count(reference)};
}

static void share(const tl_layer *layer, const tl_pass *pass, const tl_activation_run *run, double cost) {
    activation_job job = {.run = *run, .kernels = tl_kernels_of(pass->workers), .lengths = pass->out_lengths, .shape = layer->out};
    tl_parallel(pass->workers, tl_ceil_div(run->count, BLOCK), cost * (double)run->count, activation_task, &job);
}

static void activation_forward(const tl_layer *layer, const tl_pass *pass) {
    const activation_layer *self = (const activation_layer *)layer;
    tl_activation_run run = run_of(self, &pass->y);
    run.from = pass->x[0].data;
    run.to = pass->y.data;
    share(layer, pass, &run, self->cost);
}

static void activation_backward(const tl_layer *layer, const tl_pass *pass) {
    const activation_layer *self = (const activation_layer *)layer;
    if (!pass->dx[0].data) return;
    tl_activation_run run = run_of(self, &pass->dy);
    run.from = layer->ops->reads & TL_READS_X ? pass->x[0].data : pass->y.data;
    run.dy = pass->dy.data;
    run.to = pass->dx[0].data;
    share(layer, pass, &run, self->gradient_cost);
}

/* Operations of the formula for an element. */
static double activation_flops(const tl_layer *layer) {
    static const double each[] = {[TL_ACTIVATION_RELU] = 1,        [TL_ACTIVATION_LEAKY_RELU] = 2,   [TL_ACTIVATION_ELU] = 5,
                                  [TL_ACTIVATION_SIGMOID] = 3,     [TL_ACTIVATION_HARD_SIGMOID] = 4, [TL_ACTIVATION_TANH] = 1,
                                  [TL_ACTIVATION_EXPONENTIAL] = 1, [TL_ACTIVATION_SOFTPLUS] = 3,     [TL_ACTIVATION_SILU] = 4,
                                  [TL_ACTIVATION_GELU] = 5,        [TL_ACTIVATION_GELU_TANH] = 9,    [TL_ACTIVATION_AFFINE] = 2};
    return each[((const activation_layer *)layer)->activation] * tl_layer_elements(layer);
}

/* ---- setups ---- */

static void choose(tl_layer *layer, tl_activation activation, double cost, double gradient_cost) {
    activation_layer *self = (activation_layer *)layer;
    self->activation = activation;
    self->cost = cost;
    self->gradient_cost = gradient_cost;
}

static const double largest = 1e30; /* which float can hold too */

/* 0 becomes the default. */
static void check_positive(const char *what, double *value, double otherwise, tl_error *error) {
    if (*value == 0) *value = otherwise;
    if (!(*value > 0 && *value <= largest))
        tl_fail(error, TL_ERROR_ARGUMENT, "%s %g is not above 0 and at most %g", what, *value, largest);
}

static void relu_setup(tl_layer *layer, tl_error *error) {
    (void)error;
    choose(layer, TL_ACTIVATION_RELU, 1, 1);
}

static void leaky_relu_setup(tl_layer *layer, tl_error *error) {
    choose(layer, TL_ACTIVATION_LEAKY_RELU, 1, 1);
    check_positive("slope", &((activation_layer *)layer)->a, 0.01, error);
}

static void elu_setup(tl_layer *layer, tl_error *error) {
    activation_layer *self = (activation_layer *)layer;
    choose(layer, TL_ACTIVATION_ELU, 10, 1);
    self->b = 1;
    check_positive("alpha", &self->a, 1, error);
}

static void selu_setup(tl_layer *layer, tl_error *error) {
    (void)error;
    activation_layer *self = (activation_layer *)layer;
    choose(layer, TL_ACTIVATION_ELU, 10, 1);
    self->a = 1.6732632423543772848;
    self->b = 1.0507009873554804934;
}

static void sigmoid_setup(tl_layer *layer, tl_error *error) {
    (void)error;
    choose(layer, TL_ACTIVATION_SIGMOID, 10, 1);
}

static void hard_sigmoid_setup(tl_layer *layer, tl_error *error) {
    (void)error;
    choose(layer, TL_ACTIVATION_HARD_SIGMOID, 1, 1);
}

static void tanh_setup(tl_layer *layer, tl_error *error) {
    (void)error;
    choose(layer, TL_ACTIVATION_TANH, 10, 1);
}

static void exponential_setup(tl_layer *layer, tl_error *error) {
    (void)error;
    choose(layer, TL_ACTIVATION_EXPONENTIAL, 10, 1);
}

static void softplus_setup(tl_layer *layer, tl_error *error) {
    (void)error;
    choose(layer, TL_ACTIVATION_SOFTPLUS, 15, 10);
}

static void silu_setup(tl_layer *layer, tl_error *error) {
    (void)error;
    choose(layer, TL_ACTIVATION_SILU, 10, 10);
}

static void gelu_setup(tl_layer *layer, tl_error *error) {
    (void)error;
    if (((activation_layer *)layer)->approximate)
        choose(layer, TL_ACTIVATION_GELU_TANH, 20, 20);
    else
        choose(layer, TL_ACTIVATION_GELU, 20, 20);
}

static void check_size(const char *what, double value, tl_error *error) {
    if (!(fabs(value) <= largest)) tl_fail(error, TL_ERROR_ARGUMENT, "%s %g is outside ±%g", what, value, largest);
}

static void affine_setup(tl_layer *layer, tl_error *error) {
    activation_layer *self = (activation_layer *)layer;
    choose(layer, TL_ACTIVATION_AFFINE, 1, 1);
    if (self->a == 0) self->a = 1;
    check_size("scale", self->a, error);
    check_size("shift", self->b, error);
}

/* ---- tables ---- */

static const tl_setting leaky_relu_settings[] = {{"slope", TL_SETTING_NUMBER, offsetof(activation_layer, a), NULL}, {0}};
static const tl_setting elu_settings[] = {{"alpha", TL_SETTING_NUMBER, offsetof(activation_layer, a), NULL}, {0}};
static const tl_setting gelu_settings[] = {{"approximate", TL_SETTING_FLAG, offsetof(activation_layer, approximate), NULL}, {0}};
static const tl_setting affine_settings[] = {{"scale", TL_SETTING_NUMBER, offsetof(activation_layer, a), NULL},
                                             {"shift", TL_SETTING_NUMBER, offsetof(activation_layer, b), NULL},
                                             {0}};

/* Activations whose derivative is a function of y work in place; the others keep x. */
#define OF_OUTPUT .reads = TL_READS_Y, .in_place = true
#define OF_INPUT .reads = TL_READS_X
#define ACTIVATION(tag, ...)                                                                                                       \
    const tl_layer_ops tl_##tag##_layer_ops = {.name = #tag,                                                                       \
                                               .size = sizeof(activation_layer),                                                   \
                                               .setup = tag##_setup,                                                               \
                                               .flops = activation_flops,                                                          \
                                               .forward = activation_forward,                                                      \
                                               .backward = activation_backward,                                                    \
                                               .stepwise = true,                                                                   \
                                               .reads_behind = tl_reads_counted,                                                   \
                                               __VA_ARGS__}

static const tl_inference_ops relu_inference = {.does = TL_ELEMENTWISE_RELU};

ACTIVATION(relu, OF_OUTPUT, .inference = &relu_inference);
ACTIVATION(leaky_relu, OF_OUTPUT, .settings = leaky_relu_settings);
ACTIVATION(elu, OF_OUTPUT, .settings = elu_settings);
ACTIVATION(selu, OF_OUTPUT);
ACTIVATION(sigmoid, OF_OUTPUT, .probabilities = true);
ACTIVATION(hard_sigmoid, OF_OUTPUT, .probabilities = true);
ACTIVATION(tanh, OF_OUTPUT);
ACTIVATION(exponential, OF_OUTPUT);
ACTIVATION(softplus, OF_OUTPUT);
ACTIVATION(silu, OF_INPUT);
ACTIVATION(gelu, OF_INPUT, .settings = gelu_settings);
ACTIVATION(affine, .in_place = true, .settings = affine_settings);

/* ---- builders ---- */

static tl_node add_activation(tl_model *model, tl_node x, activation_layer layer, const tl_layer_ops *ops) {
    layer.base.ops = ops;
    return tl_layer_add(model, &x, 1, &layer.base);
}

static tl_node add_plain(tl_model *model, tl_node x, const tl_layer_ops *ops) {
    return add_activation(model, x, (activation_layer){0}, ops);
}

tl_node tl_relu(tl_model *model, tl_node x) { return add_plain(model, x, &tl_relu_layer_ops); }
tl_node tl_selu(tl_model *model, tl_node x) { return add_plain(model, x, &tl_selu_layer_ops); }
tl_node tl_sigmoid(tl_model *model, tl_node x) { return add_plain(model, x, &tl_sigmoid_layer_ops); }
tl_node tl_hard_sigmoid(tl_model *model, tl_node x) { return add_plain(model, x, &tl_hard_sigmoid_layer_ops); }
tl_node tl_tanh(tl_model *model, tl_node x) { return add_plain(model, x, &tl_tanh_layer_ops); }
tl_node tl_exponential(tl_model *model, tl_node x) { return add_plain(model, x, &tl_exponential_layer_ops); }
tl_node tl_softplus(tl_model *model, tl_node x) { return add_plain(model, x, &tl_softplus_layer_ops); }
tl_node tl_silu(tl_model *model, tl_node x) { return add_plain(model, x, &tl_silu_layer_ops); }

tl_node tl_leaky_relu_sized(tl_model *model, tl_node x, const tl_leaky_relu_cfg *cfg, size_t size) {
    tl_leaky_relu_cfg own;
    tl_builder_cfg(model, "leaky_relu", &own, sizeof own, cfg, size);
    return add_activation(model, x, (activation_layer){.a = own.slope}, &tl_leaky_relu_layer_ops);
}
tl_node tl_elu_sized(tl_model *model, tl_node x, const tl_elu_cfg *cfg, size_t size) {
    tl_elu_cfg own;
    tl_builder_cfg(model, "elu", &own, sizeof own, cfg, size);
    return add_activation(model, x, (activation_layer){.a = own.alpha}, &tl_elu_layer_ops);
}
tl_node tl_gelu_sized(tl_model *model, tl_node x, const tl_gelu_cfg *cfg, size_t size) {
    tl_gelu_cfg own;
    tl_builder_cfg(model, "gelu", &own, sizeof own, cfg, size);
    return add_activation(model, x, (activation_layer){.approximate = own.approximate}, &tl_gelu_layer_ops);
}
tl_node tl_affine_sized(tl_model *model, tl_node x, const tl_affine_cfg *cfg, size_t size) {
    tl_affine_cfg own;
    tl_builder_cfg(model, "affine", &own, sizeof own, cfg, size);
    return add_activation(model, x, (activation_layer){.a = own.scale, .b = own.shift}, &tl_affine_layer_ops);
}
