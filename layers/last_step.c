#include "compute/counted.h"
#include "layers/registry.h"

#include <string.h>

static void last_step_setup(tl_layer *layer, tl_error *error) {
    (void)error;
    layer->out.length = 1;
}

/* Returns the position of the last step of a sample. */
static size_t last_of(const tl_layer *layer, const tl_pass *pass, size_t sample) {
    const size_t length = layer->in[0].length, own = pass->lengths ? pass->lengths[sample] : length;
    return (sample * length + own - 1) * layer->in[0].channels;
}

static void last_step_forward(const tl_layer *layer, const tl_pass *pass) {
    const size_t channels = layer->in[0].channels;
    for (size_t i = 0; i < pass->batch; i++)
        memcpy(pass->y.data + i * channels, pass->x[0].data + last_of(layer, pass, i), channels * sizeof(tl_real));
}

static void last_step_backward(const tl_layer *layer, const tl_pass *pass) {
    const size_t channels = layer->in[0].channels;
    tl_real *dx = pass->dx[0].data;
    if (!dx) return;
    tl_counted run = tl_counted_in(pass->lengths, layer->in[0].length, channels, 0, tl_tensor_count(&pass->dx[0]));
    while (tl_next_counted(&run)) memset(dx + run.first, 0, run.count * sizeof *dx);
    for (size_t i = 0; i < pass->batch; i++)
        memcpy(dx + last_of(layer, pass, i), pass->dy.data + i * channels, channels * sizeof *dx);
}

static size_t one_step(const tl_layer *layer, size_t length) {
    (void)layer;
    (void)length;
    return 1;
}

static void last_step_stream_plan(const tl_layer *layer, const tl_workers *workers, tl_streaming *streaming, tl_error *error) {
    (void)layer;
    (void)workers;
    (void)error;
    streaming->over_all = true;
}

static void last_step_stream_run(const tl_layer *layer, const tl_stream_pass *pass) {
    const size_t channels = layer->in[0].channels;
    const tl_real *last = pass->x[0] + (pass->streaming->extent - 1) * channels;
    for (size_t i = 0; i < pass->windows; i++)
        memcpy(pass->y + i * channels, last + i * pass->streaming->stride * channels, channels * sizeof(tl_real));
}

static const tl_stream_ops last_step_stream = {.plan = last_step_stream_plan, .run = last_step_stream_run};

const tl_layer_ops tl_last_step_layer_ops = {
    .name = "last_step",
    .size = sizeof(tl_layer),
    .setup = last_step_setup,
    .out_length = one_step,
    .flops = tl_no_flops,
    .forward = last_step_forward,
    .backward = last_step_backward,
    .selects = true,
    .stream = &last_step_stream,
    .reads_behind = tl_reads_counted,
};

tl_node tl_last_step(tl_model *model, tl_node x) {
    const tl_layer layer = {.ops = &tl_last_step_layer_ops};
    return tl_layer_add(model, &x, 1, &layer);
}
