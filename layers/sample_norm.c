/* Normalisation of each sample by itself: over the channels of every step (Ba, Kiros & Hinton 2016), or over time and a group of
 * channels (Wu & He 2018). Both normalise blocks of rows; they differ in what a block is.
 *
 * Sums are in double, eight of them side by side, since a chain of additions waits for itself. The gradients of the parameters
 * are summed by task, and the tasks in order, so that threads do not matter.
 */
#include "registry.h"

#include <math.h>
#include <string.h>

enum { LANES = 8, STEPS = 64 }; /* STEPS: of a task where each step is a block */

enum { SCALE = 0, SHIFT = 1 };         /* parameters, and of a task's part of scratch: their gradients, each (channels) */
enum { MEAN = 0, INVERSE = 1, SAVED }; /* saved of each block */

typedef struct norm_layer {
    tl_layer base;
    double epsilon;
    int groups;
    bool over_time; /* [OUT] of setup: a block is all steps of a group of channels, otherwise one step */
} norm_layer;

/* `rows` runs of `width` elements, a step apart. */
typedef struct block {
    size_t start, rows, width, channel; /* start: of its elements; channel: the first */
} block;

typedef struct norm_run {
    const norm_layer *layer;
    const tl_pass *pass;
    size_t length, channels, groups, blocks, per_task;
} norm_run;

static size_t blocks_of(const norm_layer *self, size_t batch) {
    return batch * (self->over_time ? (size_t)self->groups : self->base.in[0].length);
}

static size_t tasks_of(const norm_layer *self, size_t batch) {
    return self->over_time ? batch : (blocks_of(self, batch) + STEPS - 1) / STEPS;
}

static void layer_norm_setup(tl_layer *layer, tl_error *error) {
    norm_layer *self = (norm_layer *)layer;
    const size_t channels = layer->in[0].channels;
    if (self->epsilon == 0) self->epsilon = 1e-5;
    if (!(self->epsilon > 0 && self->epsilon <= 1))
        tl_fail(error, TL_ERROR_ARGUMENT, "epsilon %g is outside (0, 1]", self->epsilon);
    tl_layer_parameter(layer, "scale", 1, &channels, TL_INIT_ONES, channels, channels);
    tl_layer_parameter(layer, "shift", 1, &channels, TL_INIT_ZEROS, channels, channels);
    layer->saved = SAVED * blocks_of(self, layer->batch);
}

static void group_norm_setup(tl_layer *layer, tl_error *error) {
    norm_layer *self = (norm_layer *)layer;
    const size_t channels = layer->in[0].channels;
    self->over_time = true;
    if (self->groups < 1)
        tl_fail(error, TL_ERROR_ARGUMENT, "groups %d is below 1", self->groups);
    else if (channels % (size_t)self->groups != 0)
        tl_fail(error, TL_ERROR_SHAPE, "%zu channels are not a multiple of %d groups", channels, self->groups);
    else
        layer_norm_setup(layer, error);
}

static size_t norm_scratch(const tl_layer *layer, size_t batch, int threads) {
    (void)threads;
    return tasks_of((const norm_layer *)layer, batch) * 2 * layer->in[0].channels;
}

static norm_run run_of(const tl_layer *layer, const tl_pass *pass) {
    const norm_layer *self = (const norm_layer *)layer;
    norm_run run = {.layer = self,
                    .pass = pass,
                    .length = layer->in[0].length,
                    .channels = layer->in[0].channels,
                    .groups = self->over_time ? (size_t)self->groups : 1,
                    .blocks = blocks_of(self, pass->batch)};
    run.per_task = self->over_time ? run.groups : STEPS;
    return run;
}

static block block_at(const norm_run *run, size_t index) {
    if (!run->layer->over_time) return (block){.start = index * run->channels, .rows = 1, .width = run->channels};
    const size_t sample = index / run->groups, width = run->channels / run->groups, channel = index % run->groups * width;
    return (block){.start = sample * run->length * run->channels + channel,
                   .rows = run->pass->lengths ? run->pass->lengths[sample] : run->length,
                   .width = width,
                   .channel = channel};
}

static size_t last_block(const norm_run *run, size_t task) {
    const size_t last = (task + 1) * run->per_task;
    return last < run->blocks ? last : run->blocks;
}

static double total(const double *lanes) {
    double sum = 0;
    for (size_t lane = 0; lane < LANES; lane++) sum += lanes[lane];
    return sum;
}

/* ---- forward ---- */

/* The sum of (x - mean)^power over a block; power 1 or 2. */
static double sum_of(const norm_run *run, const block *b, double mean, int power) {
    double lanes[LANES] = {0};
    for (size_t row = 0; row < b->rows; row++) {
        const tl_real *x = run->pass->x[0].data + b->start + row * run->channels;
        for (size_t c = 0; c < b->width; c++) {
            const double d = (double)x[c] - mean;
            lanes[c % LANES] += power == 1 ? d : d * d;
        }
    }
    return total(lanes);
}

static void forward_block(const norm_run *run, size_t index) {
    const block b = block_at(run, index);
    const double count = (double)b.rows * (double)b.width, mean = sum_of(run, &b, 0, 1) / count;
    const double inverse = 1 / sqrt(sum_of(run, &b, mean, 2) / count + run->layer->epsilon);
    const tl_real *scale = run->pass->parameter[SCALE] + b.channel, *shift = run->pass->parameter[SHIFT] + b.channel;
    const tl_real centre = (tl_real)mean, factor = (tl_real)inverse;
    for (size_t row = 0; row < b.rows; row++) {
        const tl_real *x = run->pass->x[0].data + b.start + row * run->channels;
        tl_real *y = run->pass->y.data + b.start + row * run->channels;
        for (size_t c = 0; c < b.width; c++) y[c] = (x[c] - centre) * factor * scale[c] + shift[c];
    }
    run->pass->saved[index * SAVED + MEAN] = centre;
    run->pass->saved[index * SAVED + INVERSE] = factor;
}

static void forward_task(void *context, size_t task, int worker) {
    (void)worker;
    const norm_run *run = context;
    for (size_t index = task * run->per_task; index < last_block(run, task); index++) forward_block(run, index);
}

/* ---- backward: with z = (x - mean) · inverse and g = dy · scale, dx = inverse · (g - mean of g - z · mean of g·z) ---- */

/* of_scale, of_shift: (width) are added to. */
static void parameter_sums(const norm_run *run, const block *b, tl_real centre, tl_real factor, tl_real *restrict of_scale,
                           tl_real *restrict of_shift) {
    for (size_t row = 0; row < b->rows; row++) {
        const size_t at = b->start + row * run->channels;
        const tl_real *restrict x = run->pass->x[0].data + at, *restrict dy = run->pass->dy.data + at;
        for (size_t c = 0; c < b->width; c++) {
            of_scale[c] += dy[c] * ((x[c] - centre) * factor);
            of_shift[c] += dy[c];
        }
    }
}

static void input_gradient(const norm_run *run, const block *b, tl_real centre, tl_real factor) {
    const tl_real *scale = run->pass->parameter[SCALE] + b->channel;
    double first[LANES] = {0}, second[LANES] = {0};
    for (size_t row = 0; row < b->rows; row++) {
        const size_t at = b->start + row * run->channels;
        const tl_real *x = run->pass->x[0].data + at, *dy = run->pass->dy.data + at;
        for (size_t c = 0; c < b->width; c++) {
            const tl_real g = dy[c] * scale[c];
            first[c % LANES] += (double)g;
            second[c % LANES] += (double)(g * ((x[c] - centre) * factor));
        }
    }
    const double count = (double)b->rows * (double)b->width;
    const tl_real mean = (tl_real)(total(first) / count), slope = (tl_real)(total(second) / count);
    for (size_t row = 0; row < b->rows; row++) {
        const size_t at = b->start + row * run->channels;
        const tl_real *x = run->pass->x[0].data + at, *dy = run->pass->dy.data + at;
        tl_real *dx = run->pass->dx[0].data + at;
        for (size_t c = 0; c < b->width; c++) dx[c] = factor * (dy[c] * scale[c] - mean - (x[c] - centre) * factor * slope);
    }
}

static void backward_task(void *context, size_t task, int worker) {
    (void)worker;
    const norm_run *run = context;
    tl_real *of_scale = run->pass->scratch + task * 2 * run->channels, *of_shift = of_scale + run->channels;
    memset(of_scale, 0, 2 * run->channels * sizeof *of_scale);
    for (size_t index = task * run->per_task; index < last_block(run, task); index++) {
        const block b = block_at(run, index);
        const tl_real centre = run->pass->saved[index * SAVED + MEAN], factor = run->pass->saved[index * SAVED + INVERSE];
        parameter_sums(run, &b, centre, factor, of_scale + b.channel, of_shift + b.channel);
        if (run->pass->dx[0].data) input_gradient(run, &b, centre, factor);
    }
}

static void share(norm_run *run, tl_task task) {
    const double elements = (double)run->pass->batch * (double)run->length * (double)run->channels;
    tl_parallel(run->pass->workers, tasks_of(run->layer, run->pass->batch), 4 * elements, task, run);
}

static void norm_forward(const tl_layer *layer, const tl_pass *pass) {
    norm_run run = run_of(layer, pass);
    share(&run, forward_task);
}

static void norm_backward(const tl_layer *layer, const tl_pass *pass) {
    norm_run run = run_of(layer, pass);
    share(&run, backward_task);
    const tl_real *part = pass->scratch;
    for (size_t task = 0; task < tasks_of(run.layer, pass->batch); task++)
        for (size_t parameter = SCALE; parameter <= SHIFT; parameter++, part += run.channels)
            for (size_t c = 0; pass->gradient[parameter] && c < run.channels; c++) pass->gradient[parameter][c] += part[c];
}

/* One for the mean, three for the variance, two to normalise, two for scale and shift. */
static double norm_flops(const tl_layer *layer) { return 8 * tl_layer_elements(layer); }

static const tl_setting layer_norm_settings[] = {{"epsilon", TL_SETTING_NUMBER, offsetof(norm_layer, epsilon), NULL}, {0}};
static const tl_setting group_norm_settings[] = {{"groups", TL_SETTING_INTEGER, offsetof(norm_layer, groups), NULL},
                                                 {"epsilon", TL_SETTING_NUMBER, offsetof(norm_layer, epsilon), NULL},
                                                 {0}};

const tl_layer_ops tl_layer_norm_layer_ops = {
    .name = "layer_norm",
    .size = sizeof(norm_layer),
    .settings = layer_norm_settings,
    .reads = TL_READS_X,
    .setup = layer_norm_setup,
    .scratch = norm_scratch,
    .flops = norm_flops,
    .forward = norm_forward,
    .backward = norm_backward,
};

const tl_layer_ops tl_group_norm_layer_ops = {
    .name = "group_norm",
    .size = sizeof(norm_layer),
    .settings = group_norm_settings,
    .reads = TL_READS_X,
    .setup = group_norm_setup,
    .scratch = norm_scratch,
    .flops = norm_flops,
    .forward = norm_forward,
    .backward = norm_backward,
};

tl_node tl_layer_norm(tl_model *model, tl_node x, const tl_layer_norm_cfg *cfg) {
    const norm_layer layer = {.base.ops = &tl_layer_norm_layer_ops, .epsilon = cfg ? cfg->epsilon : 0};
    return tl_layer_add(model, &x, 1, &layer.base);
}

tl_node tl_group_norm(tl_model *model, tl_node x, const tl_group_norm_cfg *cfg) {
    const norm_layer layer = {
        .base.ops = &tl_group_norm_layer_ops, .epsilon = cfg ? cfg->epsilon : 0, .groups = cfg ? cfg->groups : 0};
    return tl_layer_add(model, &x, 1, &layer.base);
}
