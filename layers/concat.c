#include "base/memory.h"
#include "compute/counted.h"
#include "layers/registry.h"

#include <string.h>

static void concat_setup(tl_layer *layer, tl_error *error) {
    const tl_shape first = layer->in[0];
    for (size_t i = 1; i < layer->inputs; i++) {
        const tl_shape in = layer->in[i];
        if (in.length != first.length)
            tl_fail(error, TL_ERROR_SHAPE, "input %zu is (%zu, %zu), input 0 is (%zu, %zu): the lengths differ", i, in.length,
                    in.channels, first.length, first.channels);
        if (!tl_sum(layer->out.channels, in.channels, &layer->out.channels))
            tl_fail(error, TL_ERROR_SHAPE, "the channels of %zu inputs overflow", layer->inputs);
    }
}

typedef struct concat_job {
    const tl_layer *layer;
    const tl_pass *pass;
} concat_job;

/* The steps of a sample that count. */
static size_t steps_of(const concat_job *job, size_t sample) {
    return job->pass->lengths ? job->pass->lengths[sample] : job->layer->out.length;
}

static void forward_task(void *context, size_t sample, int worker) {
    (void)worker;
    const concat_job *job = context;
    const size_t length = job->layer->out.length, all = job->layer->out.channels, steps = steps_of(job, sample);
    tl_real *y = job->pass->y.data + sample * length * all; /* it is written in its order: its memory is the coldest */
    for (size_t t = sample * length; t < sample * length + steps; t++) {
        for (size_t k = 0; k < job->layer->inputs; k++) {
            const size_t channels = job->layer->in[k].channels;
            memcpy(y, job->pass->x[k].data + t * channels, channels * sizeof *y);
            y += channels;
        }
    }
}

static void backward_task(void *context, size_t sample, int worker) {
    (void)worker;
    const concat_job *job = context;
    const size_t length = job->layer->out.length, all = job->layer->out.channels, steps = steps_of(job, sample);
    const tl_real *dy = job->pass->dy.data + sample * length * all;
    for (size_t k = 0; k < job->layer->inputs; k++) {
        const size_t channels = job->layer->in[k].channels;
        if (job->pass->dx[k].data) {
            tl_real *dx = job->pass->dx[k].data + sample * length * channels;
            for (size_t t = 0; t < steps; t++) memcpy(dx + t * channels, dy + t * all, channels * sizeof *dx);
        }
        dy += channels;
    }
}

static void concat_forward(const tl_layer *layer, const tl_pass *pass) {
    concat_job job = {.layer = layer, .pass = pass};
    tl_parallel(pass->workers, pass->batch, (double)tl_tensor_count(&pass->y), forward_task, &job);
}

static void concat_backward(const tl_layer *layer, const tl_pass *pass) {
    concat_job job = {.layer = layer, .pass = pass};
    tl_parallel(pass->workers, pass->batch, (double)tl_tensor_count(&pass->dy), backward_task, &job);
}

static const tl_inference_ops concat_inference = {.does = TL_ELEMENTWISE_CONCAT};

const tl_layer_ops tl_concat_layer_ops = {
    .name = "concat",
    .size = sizeof(tl_layer),
    .multiple_inputs = true,
    .setup = concat_setup,
    .flops = tl_no_flops,
    .forward = concat_forward,
    .backward = concat_backward,
    .selects = true,
    .stepwise = true,
    .inference = &concat_inference,
    .reads_behind = tl_reads_counted,
};

tl_node tl_concat(tl_model *model, const tl_node *x, size_t count) {
    const tl_layer layer = {.ops = &tl_concat_layer_ops};
    return tl_layer_add(model, x, count, &layer);
}
