/* Normalisation of each sample by itself: over the channels of each step (Ba, Kiros & Hinton 2016), or over time and a group of
 * channels (Wu & He 2018). For the kernel functions, the first is a loop over rows, and the second is the batch normalisation of a
 * sample, whose channels share their statistics.
 *
 * The gradients of the parameters are summed by task, and the tasks in order, so that threads do not matter.
 */
#include "base/argument.h"
#include "base/math.h"
#include "compute/counted.h"
#include "graph/builder.h"
#include "kernels/kernels.h"
#include "layers/registry.h"

#include <math.h>
#include <string.h>

enum { SCALE = 0, SHIFT = 1 }; /* parameters */

typedef struct norm_layer {
    tl_layer base;
    double epsilon;
    size_t groups;
} norm_layer;

static void norm_setup(tl_layer *layer, tl_error *error) {
    norm_layer *self = (norm_layer *)layer;
    const size_t channels = layer->in[0].channels;
    if (self->epsilon == 0) self->epsilon = 1e-5;
    if (!(self->epsilon > 0 && self->epsilon <= 1))
        tl_fail(error, TL_ERROR_ARGUMENT, "epsilon %g is outside (0, 1]", self->epsilon);
    tl_layer_parameter(layer, "scale", 1, &channels, TL_INIT_ONES, channels, channels);
    tl_layer_parameter(layer, "shift", 1, &channels, TL_INIT_ZEROS, channels, channels);
}

/* scratch begins with the gradients of the scale, then of the shift, each (tasks, channels). */
static void add_parts(const tl_pass *pass, const tl_kernels *kernels, size_t tasks, size_t channels) {
    for (size_t parameter = SCALE; parameter <= SHIFT; parameter++)
        if (pass->gradient[parameter])
            kernels->sum_rows(pass->scratch + parameter * tasks * channels, tasks, channels, pass->gradient[parameter]);
}

/* ---- layer norm ---- */

enum { STEPS = 64 }; /* of a task */

enum { ROW_CENTRE = 0, ROW_FACTOR = 1, ROW_SAVED }; /* saved, each (steps of the batch) */

typedef struct layer_norm_job {
    const tl_pass *pass;
    const tl_kernels *kernels;
    tl_layer_norm_rows all; /* including the sums of the first task */
} layer_norm_job;

static size_t tasks_of(size_t steps) { return tl_ceil_div(steps, STEPS); }

static void layer_norm_setup(tl_layer *layer, tl_error *error) {
    norm_setup(layer, error);
    layer->saved = ROW_SAVED * layer->batch * layer->in[0].length;
}

static size_t layer_norm_scratch(const tl_layer *layer, size_t batch, int threads) {
    (void)threads;
    return tasks_of(batch * layer->in[0].length) * 2 * layer->in[0].channels;
}

static layer_norm_job layer_norm_run_of(const tl_layer *layer, const tl_pass *pass) {
    const size_t rows = pass->batch * layer->in[0].length;
    return (layer_norm_job){.pass = pass,
                            .kernels = tl_kernels_of(pass->workers),
                            .all = {.rows = rows,
                                    .channels = layer->in[0].channels,
                                    .epsilon = (tl_real)((const norm_layer *)layer)->epsilon,
                                    .x = pass->x[0].data,
                                    .scale = pass->parameter[SCALE],
                                    .shift = pass->parameter[SHIFT],
                                    .centre = pass->saved + ROW_CENTRE * rows,
                                    .factor = pass->saved + ROW_FACTOR * rows}};
}

/* Returns the rows of a task, without its sums. */
static tl_layer_norm_rows rows_of(const layer_norm_job *job, size_t task) {
    tl_layer_norm_rows rows = job->all;
    const size_t first = task * STEPS, at = first * rows.channels;
    rows.rows = tl_min(rows.rows - first, STEPS);
    rows.x += at;
    if (rows.dy) rows.dy += at;
    if (rows.out) rows.out += at;
    rows.centre += first;
    rows.factor += first;
    return rows;
}

static void steps_task(void *context, size_t task, int worker) {
    (void)worker;
    const layer_norm_job *job = context;
    const tl_layer_norm_rows rows = rows_of(job, task);
    job->kernels->layer_norm(&rows);
}

static void steps_back_task(void *context, size_t task, int worker) {
    (void)worker;
    const layer_norm_job *job = context;
    tl_layer_norm_rows rows = rows_of(job, task);
    rows.of_scale += task * rows.channels;
    rows.of_shift += task * rows.channels;
    memset(rows.of_scale, 0, rows.channels * sizeof *rows.of_scale);
    memset(rows.of_shift, 0, rows.channels * sizeof *rows.of_shift);
    job->kernels->layer_norm_gradient(&rows);
}

static void share_steps(layer_norm_job *job, tl_task task) {
    const double elements = (double)job->all.rows * (double)job->all.channels;
    tl_parallel(job->pass->workers, tasks_of(job->all.rows), 4 * elements, task, job);
}

static void layer_norm_forward(const tl_layer *layer, const tl_pass *pass) {
    layer_norm_job job = layer_norm_run_of(layer, pass);
    job.all.out = pass->y.data;
    share_steps(&job, steps_task);
}

static void layer_norm_backward(const tl_layer *layer, const tl_pass *pass) {
    layer_norm_job job = layer_norm_run_of(layer, pass);
    const size_t tasks = tasks_of(job.all.rows), channels = job.all.channels;
    job.all.dy = pass->dy.data;
    job.all.out = pass->dx[0].data;
    job.all.of_scale = pass->scratch;
    job.all.of_shift = pass->scratch + tasks * channels;
    share_steps(&job, steps_back_task);
    add_parts(pass, job.kernels, tasks, channels);
}

/* ---- group norm ---- */

enum { CHUNK = 256 }; /* rows that are summed in tl_real; these sums are then added in double */

/* saved for each group of a sample: z = (x - centre) · inverse + rest; `rest` is the rounding error of the mean. */
enum { CENTRE = 0, INVERSE, REST, SAVED };

/* A worker's part of scratch, each (channels): the coefficients of its sample, then two sums of each chunk. */
enum { CENTRES = 0, FACTORS, TERMS, SLOPES, OFFSETS, SUMS };

typedef struct group_norm_job {
    const norm_layer *layer;
    const tl_pass *pass;
    const tl_kernels *kernels;
    size_t length, channels, groups, width; /* width: channels of a group */
} group_norm_job;

/* The sample that a worker processes. */
typedef struct group_norm_sample {
    const tl_real *x;           /* (rows, channels) */
    size_t index, rows, chunks; /* rows: its own length */
    tl_real *saved;             /* (groups, SAVED) */
    tl_real *scratch;           /* (SUMS, channels) */
    tl_real *first, *second;    /* (chunks, channels) */
} group_norm_sample;

static size_t chunks_of(size_t rows) { return tl_ceil_div(rows, CHUNK); }

static void group_norm_setup(tl_layer *layer, tl_error *error) {
    const size_t groups = ((const norm_layer *)layer)->groups;
    const size_t channels = layer->in[0].channels;
    if (tl_check_count("groups", groups, 1, SIZE_MAX, error) == TL_OK && channels % groups != 0)
        tl_fail(error, TL_ERROR_SHAPE, "%zu channels are not a multiple of %zu groups", channels, groups);
    else
        norm_setup(layer, error);
    layer->saved = tl_failed(error) ? 0 : SAVED * layer->batch * groups;
}

static size_t worker_scratch(size_t length, size_t channels) { return (SUMS + 2 * chunks_of(length)) * channels; }

static size_t group_norm_scratch(const tl_layer *layer, size_t batch, int threads) {
    const size_t channels = layer->in[0].channels;
    return 2 * batch * channels + (size_t)threads * worker_scratch(layer->in[0].length, channels);
}

static group_norm_job group_norm_run_of(const tl_layer *layer, const tl_pass *pass) {
    const norm_layer *self = (const norm_layer *)layer;
    return (group_norm_job){.layer = self,
                            .pass = pass,
                            .kernels = tl_kernels_of(pass->workers),
                            .length = layer->in[0].length,
                            .channels = layer->in[0].channels,
                            .groups = self->groups,
                            .width = layer->in[0].channels / self->groups};
}

static group_norm_sample sample_of(const group_norm_job *job, size_t index, int worker) {
    const tl_pass *pass = job->pass;
    group_norm_sample sample = {.x = pass->x[0].data + index * job->length * job->channels,
                                .index = index,
                                .rows = pass->lengths ? pass->lengths[index] : job->length,
                                .saved = pass->saved + index * job->groups * SAVED,
                                .scratch = pass->scratch + 2 * pass->batch * job->channels +
                                           (size_t)worker * worker_scratch(job->length, job->channels)};
    sample.chunks = chunks_of(sample.rows);
    sample.first = sample.scratch + SUMS * job->channels;
    sample.second = sample.first + sample.chunks * job->channels;
    return sample;
}

static size_t rows_between(const group_norm_sample *sample, size_t chunk) {
    const size_t rest = sample->rows - chunk * CHUNK;
    return tl_min(rest, CHUNK);
}

/* All rows of a sample. */
static tl_norm_rows norm_rows_of(const group_norm_job *job, const group_norm_sample *sample) {
    const size_t channels = job->channels;
    return (tl_norm_rows){.rows = sample->rows,
                          .channels = channels,
                          .x = sample->x,
                          .centre = sample->scratch + CENTRES * channels,
                          .factor = sample->scratch + FACTORS * channels,
                          .term = sample->scratch + TERMS * channels,
                          .slope = sample->scratch + SLOPES * channels,
                          .offset = sample->scratch + OFFSETS * channels};
}

/* The rows of a chunk, and the place of its sums. */
static tl_norm_rows chunk_of(const group_norm_job *job, const group_norm_sample *sample, size_t chunk) {
    tl_norm_rows rows = norm_rows_of(job, sample);
    rows.rows = rows_between(sample, chunk);
    rows.x += chunk * CHUNK * job->channels;
    rows.first = sample->first + chunk * job->channels;
    rows.second = sample->second + chunk * job->channels;
    return rows;
}

static double mean_of(const group_norm_job *job, const group_norm_sample *sample, size_t channel) {
    double sum = 0;
    for (size_t chunk = 0; chunk < sample->chunks; chunk++) {
        const tl_real *start = sample->x + chunk * CHUNK * job->channels, *first = sample->first + chunk * job->channels;
        const double rows = (double)rows_between(sample, chunk);
        for (size_t c = channel; c < channel + job->width; c++) sum += rows * (double)start[c] + (double)first[c];
    }
    return sum / ((double)sample->rows * (double)job->width);
}

/* The sums are those of the differences to the first row of each chunk. */
static double variance_of(const group_norm_job *job, const group_norm_sample *sample, size_t channel, double mean) {
    double squares = 0;
    for (size_t chunk = 0; chunk < sample->chunks; chunk++) {
        const tl_real *start = sample->x + chunk * CHUNK * job->channels;
        const tl_real *first = sample->first + chunk * job->channels, *second = sample->second + chunk * job->channels;
        const double rows = (double)rows_between(sample, chunk);
        for (size_t c = channel; c < channel + job->width; c++) {
            const double distance = (double)start[c] - mean;
            squares += (double)second[c] + distance * (2 * (double)first[c] + rows * distance);
        }
    }
    return squares > 0 ? squares / ((double)sample->rows * (double)job->width) : 0; /* rounding may make it negative */
}

/* The coefficients of a group's channels from its saved numbers: y = (x - centre) · factor + term. */
static void set_coefficients(const group_norm_job *job, const group_norm_sample *sample, size_t group) {
    const tl_real *saved = sample->saved + group * SAVED;
    const tl_real *scale = job->pass->parameter[SCALE], *shift = job->pass->parameter[SHIFT];
    for (size_t c = group * job->width; c < (group + 1) * job->width; c++) {
        sample->scratch[CENTRES * job->channels + c] = saved[CENTRE];
        sample->scratch[FACTORS * job->channels + c] = saved[INVERSE] * scale[c];
        sample->scratch[TERMS * job->channels + c] = saved[REST] * scale[c] + shift[c];
    }
}

static void groups_task(void *context, size_t index, int worker) {
    const group_norm_job *job = context;
    const group_norm_sample sample = sample_of(job, index, worker);
    for (size_t chunk = 0; chunk < sample.chunks; chunk++) {
        tl_norm_rows rows = chunk_of(job, &sample, chunk);
        rows.start = rows.x;
        job->kernels->norm_moments(&rows);
    }
    for (size_t group = 0; group < job->groups; group++) {
        const double mean = mean_of(job, &sample, group * job->width);
        const double inverse = 1 / sqrt(variance_of(job, &sample, group * job->width, mean) + job->layer->epsilon);
        tl_real *saved = sample.saved + group * SAVED;
        saved[CENTRE] = (tl_real)mean;
        saved[INVERSE] = (tl_real)inverse;
        saved[REST] = (tl_real)(((double)saved[CENTRE] - mean) * inverse);
        set_coefficients(job, &sample, group);
    }
    tl_norm_rows rows = norm_rows_of(job, &sample);
    rows.out = job->pass->y.data + index * job->length * job->channels;
    job->kernels->norm_apply(&rows);
}

/* With g = dy · scale, dx = inverse · (g - mean of g - z · mean of g·z), written as factor · dy + slope · (x - centre) + offset;
 * and the contribution of this sample to the gradients of the parameters. */
static void set_gradient_coefficients(const group_norm_job *job, const group_norm_sample *sample, size_t group) {
    const tl_real *saved = sample->saved + group * SAVED, *scale = job->pass->parameter[SCALE];
    const double inverse = (double)saved[INVERSE], rest = (double)saved[REST];
    tl_real *of_scale = job->pass->scratch + sample->index * job->channels, *of_shift = of_scale + job->pass->batch * job->channels;
    double of_g = 0, of_gz = 0;
    for (size_t c = group * job->width; c < (group + 1) * job->width; c++) {
        double sum = 0, centred = 0;
        for (size_t i = c; i < sample->chunks * job->channels; i += job->channels) {
            sum += (double)sample->first[i];
            centred += (double)sample->second[i];
        }
        const double normalised = inverse * centred + rest * sum;
        of_g += (double)scale[c] * sum;
        of_gz += (double)scale[c] * normalised;
        of_scale[c] = (tl_real)normalised;
        of_shift[c] = (tl_real)sum;
    }
    const double count = (double)sample->rows * (double)job->width;
    for (size_t c = group * job->width; c < (group + 1) * job->width; c++) {
        sample->scratch[SLOPES * job->channels + c] = (tl_real)(-inverse * inverse * of_gz / count);
        sample->scratch[OFFSETS * job->channels + c] = (tl_real)(-inverse * (of_g + rest * of_gz) / count);
    }
}

static void groups_back_task(void *context, size_t index, int worker) {
    const group_norm_job *job = context;
    const group_norm_sample sample = sample_of(job, index, worker);
    const size_t at = index * job->length * job->channels;
    for (size_t group = 0; group < job->groups; group++) set_coefficients(job, &sample, group);
    for (size_t chunk = 0; chunk < sample.chunks; chunk++) {
        tl_norm_rows rows = chunk_of(job, &sample, chunk);
        rows.dy = job->pass->dy.data + at + chunk * CHUNK * job->channels;
        job->kernels->norm_gradient_sums(&rows);
    }
    for (size_t group = 0; group < job->groups; group++) set_gradient_coefficients(job, &sample, group);
    if (!job->pass->dx[0].data) return;
    tl_norm_rows rows = norm_rows_of(job, &sample);
    rows.dy = job->pass->dy.data + at;
    rows.out = job->pass->dx[0].data + at;
    job->kernels->norm_gradient(&rows);
}

static void share_samples(group_norm_job *job, tl_task task) {
    const double elements = (double)job->pass->batch * (double)job->length * (double)job->channels;
    tl_parallel(job->pass->workers, job->pass->batch, 4 * elements, task, job);
}

static void group_norm_forward(const tl_layer *layer, const tl_pass *pass) {
    group_norm_job job = group_norm_run_of(layer, pass);
    share_samples(&job, groups_task);
}

static void group_norm_backward(const tl_layer *layer, const tl_pass *pass) {
    group_norm_job job = group_norm_run_of(layer, pass);
    share_samples(&job, groups_back_task);
    add_parts(pass, job.kernels, pass->batch, job.channels);
}

/* One for the mean, three for the variance, two to normalise, two for scale and shift. */
static double norm_flops(const tl_layer *layer) { return 8 * tl_layer_elements(layer); }

static const tl_setting layer_norm_settings[] = {{"epsilon", TL_SETTING_NUMBER, offsetof(norm_layer, epsilon), NULL}, {0}};
static const tl_setting group_norm_settings[] = {{"groups", TL_SETTING_SIZE, offsetof(norm_layer, groups), NULL},
                                                 {"epsilon", TL_SETTING_NUMBER, offsetof(norm_layer, epsilon), NULL},
                                                 {0}};

const tl_layer_ops tl_layer_norm_layer_ops = {
    .name = "layer_norm",
    .size = sizeof(norm_layer),
    .settings = layer_norm_settings,
    .reads = TL_READS_X,
    .in_place = true,
    .setup = layer_norm_setup,
    .scratch = layer_norm_scratch,
    .flops = norm_flops,
    .forward = layer_norm_forward,
    .backward = layer_norm_backward,
    .stepwise = true,
};

static void group_norm_stream_plan(const tl_layer *layer, const tl_workers *workers, tl_streaming *streaming, tl_error *error) {
    (void)layer;
    (void)workers;
    (void)streaming;
    tl_fail(error, TL_ERROR_ARGUMENT,
            "needs the mean and variance of the whole series, which a stream does not have; use batch_norm or layer_norm");
}

static const tl_stream_ops group_norm_stream = {.plan = group_norm_stream_plan};

const tl_layer_ops tl_group_norm_layer_ops = {
    .name = "group_norm",
    .size = sizeof(norm_layer),
    .settings = group_norm_settings,
    .reads = TL_READS_X,
    .in_place = true,
    .setup = group_norm_setup,
    .scratch = group_norm_scratch,
    .flops = norm_flops,
    .forward = group_norm_forward,
    .backward = group_norm_backward,
    .stream = &group_norm_stream,
    .reads_behind = tl_reads_counted,
};

tl_node tl_layer_norm_sized(tl_model *model, tl_node x, const tl_layer_norm_cfg *cfg, size_t size) {
    tl_layer_norm_cfg own;
    tl_builder_cfg(model, "layer_norm", &own, sizeof own, cfg, size);
    const norm_layer layer = {.base.ops = &tl_layer_norm_layer_ops, .epsilon = own.epsilon};
    return tl_layer_add(model, &x, 1, &layer.base);
}

tl_node tl_group_norm_sized(tl_model *model, tl_node x, const tl_group_norm_cfg *cfg, size_t size) {
    tl_group_norm_cfg own;
    tl_builder_cfg(model, "group_norm", &own, sizeof own, cfg, size);
    const norm_layer layer = {.base.ops = &tl_group_norm_layer_ops, .epsilon = own.epsilon, .groups = own.groups};
    return tl_layer_add(model, &x, 1, &layer.base);
}
