/* The convolution by its definition, with one loop for each index: slow, but the specification of the other engines. */
#include "layers/conv1d/engine.h"

#include "compute/counted.h"

#include <string.h>

static bool supports(const tl_conv1d_shape *shape, tl_conv1d_pass pass) {
    (void)shape;
    (void)pass;
    return true;
}

static size_t scratch(const tl_conv1d_shape *shape, tl_conv1d_pass pass, int workers) {
    (void)shape;
    (void)pass;
    (void)workers;
    return 0;
}

/* Calls visit for every sample, output and tap whose input lies inside the series, with the positions of that input, output and
 * tap. Outputs, or with dx inputs, that do not count are left out.
 */
typedef struct naive_pass {
    const tl_conv1d_shape *shape;
    void (*visit)(const struct naive_pass *pass, size_t in, size_t out, size_t tap);
    const tl_real *x, *weight, *dy;
    tl_real *y, *dx, *dweight;
} naive_pass;

static void each_tap(const naive_pass *pass) {
    const tl_conv1d_shape *s = pass->shape;
    for (size_t n = 0; n < s->batch; n++) {
        const size_t outputs = s->counted && !pass->dx ? s->counted[n] : s->out_length;
        const size_t inputs = s->counted && pass->dx ? s->counted[n] : s->length;
        for (size_t t = 0; t < outputs; t++) {
            for (size_t j = 0; j < s->kernel; j++) {
                const size_t position = t * s->stride + j * s->dilation; /* in the padded series */
                if (position < s->pad_left || position - s->pad_left >= inputs) continue;
                const size_t in = n * s->length + position - s->pad_left;
                pass->visit(pass, in * s->channels, (n * s->out_length + t) * s->filters, j * s->channels * s->filters);
            }
        }
    }
}

static void visit_forward(const naive_pass *pass, size_t in, size_t out, size_t tap) {
    const size_t channels = pass->shape->channels, filters = pass->shape->filters;
    for (size_t c = 0; c < channels; c++)
        for (size_t f = 0; f < filters; f++) pass->y[out + f] += pass->x[in + c] * pass->weight[tap + c * filters + f];
}

static void visit_input(const naive_pass *pass, size_t in, size_t out, size_t tap) {
    const size_t channels = pass->shape->channels, filters = pass->shape->filters;
    for (size_t c = 0; c < channels; c++)
        for (size_t f = 0; f < filters; f++) pass->dx[in + c] += pass->weight[tap + c * filters + f] * pass->dy[out + f];
}

static void visit_weights(const naive_pass *pass, size_t in, size_t out, size_t tap) {
    const size_t channels = pass->shape->channels, filters = pass->shape->filters;
    for (size_t c = 0; c < channels; c++)
        for (size_t f = 0; f < filters; f++) pass->dweight[tap + c * filters + f] += pass->x[in + c] * pass->dy[out + f];
}

static void forward(const tl_conv1d_shape *shape, const tl_real *x, const tl_real *weight, const tl_real *bias, tl_real *y,
                    const tl_workers *workers, tl_real *memory) {
    (void)workers;
    (void)memory;
    tl_counted run = tl_counted_in(shape->counted, shape->out_length, 1, 0, shape->batch * shape->out_length);
    while (tl_next_counted(&run))
        for (size_t i = run.first * shape->filters; i < (run.first + run.count) * shape->filters; i++)
            y[i] = bias ? bias[i % shape->filters] : 0;
    each_tap(&(naive_pass){.shape = shape, .visit = visit_forward, .x = x, .weight = weight, .y = y});
}

static void backward_input(const tl_conv1d_shape *shape, const tl_real *dy, const tl_real *weight, tl_real *dx,
                           const tl_workers *workers, tl_real *memory) {
    (void)workers;
    (void)memory;
    tl_counted run =
        tl_counted_in(shape->counted, shape->length, shape->channels, 0, shape->batch * shape->length * shape->channels);
    while (tl_next_counted(&run)) memset(dx + run.first, 0, run.count * sizeof *dx);
    each_tap(&(naive_pass){.shape = shape, .visit = visit_input, .weight = weight, .dy = dy, .dx = dx});
}

static void backward_weights(const tl_conv1d_shape *shape, const tl_real *x, const tl_real *dy, tl_real *dweight, tl_real *dbias,
                             const tl_workers *workers, tl_real *memory) {
    (void)workers;
    (void)memory;
    tl_counted run = tl_counted_in(shape->counted, shape->out_length, 1, 0, shape->batch * shape->out_length);
    while (dbias && tl_next_counted(&run))
        for (size_t i = run.first * shape->filters; i < (run.first + run.count) * shape->filters; i++)
            dbias[i % shape->filters] += dy[i];
    each_tap(&(naive_pass){.shape = shape, .visit = visit_weights, .x = x, .dy = dy, .dweight = dweight});
}

static size_t reads_behind(const tl_conv1d_shape *shape, tl_conv1d_pass pass) {
    (void)pass;
    return tl_conv1d_reach(shape);
}

const tl_conv1d_ops tl_conv1d_naive = {
    .name = "naive",
    .engine = TL_ENGINE_NAIVE,
    .supports = supports,
    .scratch = scratch,
    .forward = forward,
    .backward_input = backward_input,
    .backward_weights = backward_weights,
    .reads_behind = reads_behind,
};
