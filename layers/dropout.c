/* The mask is a function of (seed, node, step, position): backward computes it again instead of storing it. A position is an
 * element, or a channel of a sample if whole channels are dropped. Samples are counted by their place in the batch, also in a
 * shard. */
#include "base/math.h"
#include "compute/counted.h"
#include "graph/builder.h"
#include "kernels/kernels.h"
#include "layers/registry.h"

#include <string.h>

enum { BLOCK = 4096 }; /* elements of a task: a multiple of the four numbers that the generator returns at once */

typedef struct dropout_layer {
    tl_layer base;
    tl_dropout_cfg cfg;
} dropout_layer;

static void dropout_setup(tl_layer *layer, tl_error *error) {
    const double rate = ((const dropout_layer *)layer)->cfg.rate;
    if (!(rate > 0 && rate < 1)) tl_fail(error, TL_ERROR_ARGUMENT, "rate %g is outside (0, 1)", rate);
}

/* The factors of the channels of a sample, for each worker. */
static size_t dropout_scratch(const tl_layer *layer, size_t batch, int threads) {
    (void)batch;
    return ((const dropout_layer *)layer)->cfg.spatial ? (size_t)threads * layer->in[0].channels : 0;
}

typedef struct dropout_job {
    const tl_pass *pass;
    const tl_kernels *kernels;
    tl_shape shape;
    tl_dropout_run run; /* of all elements */
    size_t before;      /* positions of the samples of the batch that come before this pass */
    size_t head;        /* elements before the first position that is a multiple of four */
} dropout_job;

/* Returns the random numbers from a position on, which must be a multiple of four. */
static tl_rng numbers_at(const dropout_job *job, size_t position) {
    tl_rng rng = job->run.rng;
    rng.counter[0] = (uint32_t)(position / 4);
    return rng;
}

/* The elements of a block of four numbers that begins before this pass. */
static void drop_head(const dropout_job *job) {
    const tl_dropout_run *run = &job->run;
    tl_rng rng = numbers_at(job, job->before);
    for (size_t skipped = 0; skipped < job->before % 4; skipped++) tl_rng_bits(&rng);
    for (size_t i = 0; i < job->head; i++) run->to[i] = tl_rng_bits(&rng) >= run->threshold ? run->from[i] * run->scale : 0;
}

/* Whether any of these elements is within the length of its sample. A block that has one is computed as a whole. */
static bool any_counts(const dropout_job *job, size_t first, size_t end) {
    tl_counted run = tl_counted_in(job->pass->lengths, job->shape.length, job->shape.channels, first, end);
    return tl_next_counted(&run);
}

static void elements_task(void *context, size_t task, int worker) {
    (void)worker;
    const dropout_job *job = context;
    const size_t first = job->head + task * BLOCK;
    tl_dropout_run run = job->run;
    if (first >= run.count || !any_counts(job, first, tl_min(first + BLOCK, run.count))) return;
    run.rng = numbers_at(job, job->before + first);
    run.from += first;
    run.to += first;
    run.count = tl_min(run.count - first, BLOCK);
    job->kernels->dropout(&run);
}

static void channels_task(void *context, size_t sample, int worker) {
    const dropout_job *job = context;
    const tl_dropout_run *run = &job->run;
    const size_t length = job->shape.length, channels = job->shape.channels;
    tl_real *factor = job->pass->scratch + (size_t)worker * channels;
    tl_rng rng = numbers_at(job, (job->pass->place + sample) * ((channels + 3) / 4 * 4));
    for (size_t c = 0; c < channels; c++) factor[c] = tl_rng_bits(&rng) >= run->threshold ? run->scale : 0;
    const size_t rows = job->pass->lengths ? job->pass->lengths[sample] : length;
    for (size_t row = sample * length; row < sample * length + rows; row++)
        for (size_t c = 0; c < channels; c++) run->to[row * channels + c] = run->from[row * channels + c] * factor[c];
}

static void apply_mask(const tl_layer *layer, const tl_pass *pass, const tl_real *from, tl_real *to, size_t count) {
    const tl_dropout_cfg *cfg = &((const dropout_layer *)layer)->cfg;
    dropout_job job = {.pass = pass,
                       .kernels = tl_kernels_of(pass->workers),
                       .shape = layer->in[0],
                       .run = {.rng = tl_rng_at(pass->seed, TL_STREAM_DROPOUT, pass->node, pass->step),
                               .threshold = (uint32_t)(cfg->rate * 0x1p32),
                               .scale = (tl_real)(1 / (1 - cfg->rate)),
                               .from = from,
                               .to = to,
                               .count = count}};
    if (cfg->spatial) {
        tl_parallel(pass->workers, pass->batch, (double)count, channels_task, &job);
        return;
    }
    job.before = pass->place * job.shape.length * job.shape.channels;
    job.head = tl_min(tl_round_up(job.before, 4) - job.before, count);
    drop_head(&job);
    tl_parallel(pass->workers, tl_ceil_div(count, BLOCK), 10.0 * (double)count, elements_task, &job);
}

/* Copies the elements that count. */
static void copy(const tl_layer *layer, const tl_pass *pass, const tl_real *from, tl_real *to, size_t count) {
    tl_counted run = tl_counted_in(pass->lengths, layer->in[0].length, layer->in[0].channels, 0, count);
    while (to != from && tl_next_counted(&run)) memcpy(to + run.first, from + run.first, run.count * sizeof *to);
}

static void dropout_forward(const tl_layer *layer, const tl_pass *pass) {
    const size_t count = tl_tensor_count(&pass->y);
    if (pass->training)
        apply_mask(layer, pass, pass->x[0].data, pass->y.data, count);
    else
        copy(layer, pass, pass->x[0].data, pass->y.data, count);
}

static void dropout_backward(const tl_layer *layer, const tl_pass *pass) {
    const size_t count = tl_tensor_count(&pass->dy);
    if (!pass->dx[0].data) return;
    if (pass->training)
        apply_mask(layer, pass, pass->dy.data, pass->dx[0].data, count);
    else
        copy(layer, pass, pass->dy.data, pass->dx[0].data, count);
}

static const tl_setting settings[] = {
    {"rate", TL_SETTING_NUMBER, offsetof(dropout_layer, cfg.rate), NULL},
    {"spatial", TL_SETTING_FLAG, offsetof(dropout_layer, cfg.spatial), NULL},
    {0},
};

/* In inference nothing is dropped. */
static void dropout_stream_plan(const tl_layer *layer, const tl_workers *workers, tl_streaming *streaming, tl_error *error) {
    (void)layer;
    (void)workers;
    (void)error;
    streaming->identity = true;
}

static const tl_stream_ops dropout_stream = {.plan = dropout_stream_plan};

static const tl_inference_ops dropout_inference = {.does = TL_ELEMENTWISE_IDENTITY};

const tl_layer_ops tl_dropout_layer_ops = {
    .name = "dropout",
    .size = sizeof(dropout_layer),
    .settings = settings,
    .in_place = true,
    .setup = dropout_setup,
    .scratch = dropout_scratch,
    .flops = tl_no_flops,
    .forward = dropout_forward,
    .backward = dropout_backward,
    .selects = true,
    .stream = &dropout_stream,
    .inference = &dropout_inference,
    .reads_behind = tl_reads_counted,
};

tl_node tl_dropout_sized(tl_model *model, tl_node x, const tl_dropout_cfg *cfg, size_t size) {
    dropout_layer layer = {.base.ops = &tl_dropout_layer_ops};
    tl_builder_cfg(model, "dropout", &layer.cfg, sizeof layer.cfg, cfg, size);
    return tl_layer_add(model, &x, 1, &layer.base);
}
