/* More steps of time: each one repeated, or linear interpolation. In both cases an output is a mixture of two inputs. */
#include "base/argument.h"
#include "base/memory.h"
#include "compute/counted.h"
#include "compute/window.h"
#include "graph/builder.h"
#include "layers/registry.h"

#include <string.h>

typedef struct upsample_layer {
    tl_layer base;
    tl_upsample_cfg cfg;
} upsample_layer;

static void upsample_setup(tl_layer *layer, tl_error *error) {
    const size_t factor = ((const upsample_layer *)layer)->cfg.factor;
    if (tl_check_count("factor", factor, 1, TL_MAX_STEPS, error) != TL_OK) return;
    if (!tl_multiply_sizes(layer->in[0].length, factor, &layer->out.length))
        tl_fail(error, TL_ERROR_SHAPE, "length %zu times factor %zu overflows", layer->in[0].length, factor);
}

static size_t upsample_out_length(const tl_layer *layer, size_t length) {
    return length * ((const upsample_layer *)layer)->cfg.factor;
}

typedef struct upsample_job {
    const upsample_layer *layer;
    const tl_pass *pass;
} upsample_job;

/* y[t] = (1 - weight) · x[left] + weight · x[right]. */
typedef struct mixture {
    size_t left, right;
    tl_real weight;
} mixture;

/* Where the middle of output t lies among the middles of `length` inputs. */
static mixture mixture_at(const upsample_layer *self, size_t t, size_t length) {
    const size_t factor = (size_t)self->cfg.factor, nearest = t / factor;
    if (!self->cfg.linear) return (mixture){.left = nearest, .right = nearest};
    const double place = ((double)t + 0.5) / (double)factor - 0.5;
    if (place <= 0) return (mixture){0};
    const size_t left = (size_t)place, right = left + 1 < length ? left + 1 : left;
    return (mixture){.left = left, .right = right, .weight = (tl_real)(place - (double)left)};
}

static size_t length_of(const upsample_job *job, size_t sample) {
    return job->pass->lengths ? job->pass->lengths[sample] : job->layer->base.in[0].length;
}

static void mix(const tl_real *left, const tl_real *right, tl_real weight, size_t channels, tl_real *y) {
    for (size_t c = 0; c < channels; c++) y[c] = (1 - weight) * left[c] + weight * right[c];
}

static void forward_task(void *context, size_t sample, int worker) {
    (void)worker;
    const upsample_job *job = context;
    const tl_shape in = job->layer->base.in[0], out = job->layer->base.out;
    const size_t length = length_of(job, sample), channels = in.channels;
    const tl_real *x = job->pass->x[0].data + sample * in.length * channels;
    tl_real *y = job->pass->y.data + sample * out.length * channels;
    for (size_t t = 0; t < upsample_out_length(&job->layer->base, length); t++, y += channels) {
        const mixture m = mixture_at(job->layer, t, length);
        mix(x + m.left * channels, x + m.right * channels, m.weight, channels, y);
    }
}

static void backward_task(void *context, size_t sample, int worker) {
    (void)worker;
    const upsample_job *job = context;
    const tl_shape in = job->layer->base.in[0], out = job->layer->base.out;
    const size_t length = length_of(job, sample), channels = in.channels;
    const tl_real *dy = job->pass->dy.data + sample * out.length * channels;
    tl_real *dx = job->pass->dx[0].data + sample * in.length * channels;
    memset(dx, 0, length * channels * sizeof *dx);
    for (size_t t = 0; t < upsample_out_length(&job->layer->base, length); t++, dy += channels) {
        const mixture m = mixture_at(job->layer, t, length);
        tl_real *left = dx + m.left * channels, *right = dx + m.right * channels;
        for (size_t c = 0; c < channels; c++) left[c] += (1 - m.weight) * dy[c];
        if (m.weight == 0) continue;
        for (size_t c = 0; c < channels; c++) right[c] += m.weight * dy[c];
    }
}

static void share(const tl_layer *layer, const tl_pass *pass, tl_task task) {
    upsample_job job = {.layer = (const upsample_layer *)layer, .pass = pass};
    const double elements = (double)pass->batch * (double)layer->out.length * (double)layer->out.channels;
    tl_parallel(pass->workers, pass->batch, 3 * elements, task, &job);
}

static void upsample_forward(const tl_layer *layer, const tl_pass *pass) { share(layer, pass, forward_task); }

static void upsample_backward(const tl_layer *layer, const tl_pass *pass) {
    if (pass->dx[0].data) share(layer, pass, backward_task);
}

/* ---- on a stream ---- */

static bool on_lines(const upsample_layer *self) { return self->cfg.linear && self->cfg.factor > 1; }

/* Between two steps lie as many outputs as the factor says, those before the first step being that step. */
static void upsample_stream_plan(const tl_layer *layer, const tl_workers *workers, tl_streaming *streaming, tl_error *error) {
    const upsample_layer *self = (const upsample_layer *)layer;
    (void)workers;
    (void)error;
    streaming->outputs = (size_t)self->cfg.factor;
    if (!on_lines(self)) return;
    streaming->extent = 2;
    streaming->left = 1;
    streaming->skip = streaming->outputs / 2;
}

static void upsample_stream_run(const tl_layer *layer, const tl_stream_pass *pass) {
    const upsample_layer *self = (const upsample_layer *)layer;
    const size_t channels = layer->in[0].channels, outputs = pass->streaming->outputs, left = pass->streaming->left;
    const uint64_t end = pass->first - left + pass->steps; /* of the series, as far as it is known */
    tl_real *y = pass->y;
    for (uint64_t at = pass->first * outputs; at < (pass->first + pass->windows) * outputs; at++, y += channels) {
        if (at < pass->streaming->skip) continue;
        const mixture m = mixture_at(self, (size_t)(at - pass->streaming->skip), (size_t)end);
        const tl_real *from = pass->x[0] + (m.left + left - (size_t)pass->first) * channels;
        mix(from, from + (m.right - m.left) * channels, m.weight, channels, y);
    }
}

static const tl_stream_ops upsample_stream = {.plan = upsample_stream_plan, .run = upsample_stream_run};

static double upsample_flops(const tl_layer *layer) {
    return ((const upsample_layer *)layer)->cfg.linear ? 3 * tl_layer_elements(layer) : 0;
}

static const tl_setting settings[] = {
    {"factor", TL_SETTING_SIZE, offsetof(upsample_layer, cfg.factor), NULL},
    {"linear", TL_SETTING_FLAG, offsetof(upsample_layer, cfg.linear), NULL},
    {0},
};

const tl_layer_ops tl_upsample_layer_ops = {
    .name = "upsample",
    .size = sizeof(upsample_layer),
    .settings = settings,
    .setup = upsample_setup,
    .out_length = upsample_out_length,
    .flops = upsample_flops,
    .forward = upsample_forward,
    .backward = upsample_backward,
    .selects = true,
    .stream = &upsample_stream,
    .reads_behind = tl_reads_counted,
};

tl_node tl_upsample_sized(tl_model *model, tl_node x, const tl_upsample_cfg *cfg, size_t size) {
    upsample_layer layer = {.base.ops = &tl_upsample_layer_ops};
    tl_builder_cfg(model, "upsample", &layer.cfg, sizeof layer.cfg, cfg, size);
    return tl_layer_add(model, &x, 1, &layer.base);
}
