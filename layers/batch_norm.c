/* Batch normalisation (Ioffe & Szegedy 2015), over the rows (batch × length) of each channel, with the ReLU after it if there is
 * one.
 *
 * Sums are computed in chunks of rows that depend only on the shape. In a chunk, the first row is subtracted, in tl_real: the
 * distance of a sample to the mean is at most sqrt(rows) standard deviations, so that little cancels even with a large mean. Chunks
 * are combined in double (Chan, Golub & LeVeque 1983).
 */
#include "base/math.h"
#include "compute/counted.h"
#include "graph/builder.h"
#include "graph/together.h"
#include "kernels/kernels.h"
#include "layers/registry.h"

#include <math.h>
#include <string.h>

/* Elements and rows of a chunk: it fits in the first-level cache, and a sum in tl_real stays short. */
enum { CHUNK = 8192, MIN_ROWS = 16, MAX_ROWS = 256 };

/* Channels that are combined together. */
enum { LANES = 16 };

enum { SCALE = 0, SHIFT = 1 };   /* parameters */
enum { MEAN = 0, VARIANCE = 1 }; /* states */
/* saved, each (channels): normalised x = (x - centre) · inverse + rest, y = (x - centre) · factor + term */
enum { CENTRE, INVERSE, REST, FACTOR, TERM, SAVED };
/* scratch, each (channels): dx = factor · dy + slope · (x - centre) + offset, and zeros; the sums of the chunks follow */
enum { SLOPE, OFFSET, ZEROS, HEAD };

/* sums of a preparation: the number of rows, then, each (channels), their mean and the sum of squared distances to it */
enum { SUM_MEAN, SUM_SQUARES, SUMS };

/* The default momentum of the running statistics covers about ten batches, since older statistics belong to earlier weights. */
static const double default_momentum = 0.9;

typedef struct batch_norm_layer {
    tl_layer base;
    double momentum, epsilon; /* momentum 0: the default */
    bool relu;                /* also computes the next layer, a ReLU */
} batch_norm_layer;

static void batch_norm_setup(tl_layer *layer, tl_error *error) {
    batch_norm_layer *norm = (batch_norm_layer *)layer;
    if (norm->epsilon == 0) norm->epsilon = 1e-3;
    if (!(norm->momentum >= 0 && norm->momentum < 1))
        tl_fail(error, TL_ERROR_ARGUMENT, "momentum %g is outside (0, 1)", norm->momentum);
    if (!(norm->epsilon > 0 && norm->epsilon <= 1))
        tl_fail(error, TL_ERROR_ARGUMENT, "epsilon %g is outside (0, 1]", norm->epsilon);
    if (tl_failed(error)) return;
    const size_t channels = layer->in[0].channels;
    tl_layer_parameter(layer, "scale", 1, &channels, TL_INIT_ONES, channels, channels);
    tl_layer_parameter(layer, "shift", 1, &channels, TL_INIT_ZEROS, channels, channels);
    tl_layer_state(layer, "mean", 1, &channels, TL_INIT_ZEROS);
    tl_layer_state(layer, "variance", 1, &channels, TL_INIT_ONES);
    layer->saved = SAVED * channels;
    layer->sums = 1 + SUMS * channels;
}

typedef struct batch_norm_job {
    const batch_norm_layer *layer;
    const tl_pass *pass;
    const tl_kernels *kernels;
    size_t channels, rows, chunk, chunks;
    size_t counted; /* rows within the lengths of the samples; of all shards where these are synchronised */
    double *terms;  /* of synchronised shards; else NULL */
    const tl_real *centre;
    tl_real *first, *second; /* (chunks, channels) each: the two sums of every chunk */
} batch_norm_job;

static size_t chunk_rows(size_t channels) {
    const size_t rows = CHUNK / channels;
    return tl_min(tl_max(rows, MIN_ROWS), MAX_ROWS);
}

/* Returns how many of the rows from `first` to `last` are within the lengths of the samples. */
static size_t count_between(const tl_layer *layer, const tl_pass *pass, size_t first, size_t last) {
    tl_counted run = tl_counted_in(pass->lengths, layer->in[0].length, 1, first, last);
    size_t count = 0;
    while (tl_next_counted(&run)) count += run.count;
    return count;
}

static batch_norm_job run_of(const tl_layer *layer, const tl_pass *pass) {
    batch_norm_job job = {.layer = (const batch_norm_layer *)layer,
                          .pass = pass,
                          .kernels = tl_kernels_of(pass->workers),
                          .channels = layer->in[0].channels};
    job.rows = pass->batch * layer->in[0].length;
    job.counted = count_between(layer, pass, 0, job.rows);
    job.chunk = chunk_rows(job.channels);
    job.chunks = tl_ceil_div(job.rows, job.chunk);
    job.first = pass->scratch + HEAD * job.channels;
    job.second = job.first + job.chunks * job.channels;
    return job;
}

static size_t batch_norm_scratch(const tl_layer *layer, size_t batch, int threads) {
    (void)threads;
    const size_t channels = layer->in[0].channels, chunk = chunk_rows(channels);
    const size_t chunks = tl_ceil_div(batch * layer->in[0].length, chunk);
    return (HEAD + 2 * chunks) * channels;
}

static size_t rows_of(const batch_norm_job *job, size_t task) {
    const size_t first = task * job->chunk;
    return tl_min(job->rows - first, job->chunk);
}

/* The rows of a chunk that count. */
static tl_counted counted_of(const batch_norm_job *job, size_t task) {
    const size_t first = task * job->chunk;
    return tl_counted_in(job->pass->lengths, job->layer->base.in[0].length, 1, first, first + rows_of(job, task));
}

/* The arguments of the kernel functions for rows of a chunk. */
static tl_norm_rows rows_at(const batch_norm_job *job, size_t task, size_t first, size_t count) {
    const tl_pass *pass = job->pass;
    const size_t channels = job->channels;
    return (tl_norm_rows){.rows = count,
                          .channels = channels,
                          .relu = job->layer->relu,
                          .x = pass->x[0].data + first * channels,
                          .centre = job->centre,
                          .factor = pass->saved + FACTOR * channels,
                          .term = pass->saved + TERM * channels,
                          .slope = pass->scratch + SLOPE * channels,
                          .offset = pass->scratch + OFFSET * channels,
                          .first = job->first + task * channels,
                          .second = job->second + task * channels};
}

static void share_chunks(batch_norm_job *job, tl_task task) {
    tl_parallel(job->pass->workers, job->chunks, (double)job->rows * (double)job->channels, task, job);
}

static void share_channels(batch_norm_job *job, tl_task task) {
    tl_parallel(job->pass->workers, tl_ceil_div(job->channels, LANES), 4.0 * (double)job->chunks * (double)job->channels, task,
                job);
}

/* ---- forward ---- */

/* Sets the sums to 0. */
static void clear_sums(const batch_norm_job *job, size_t task) {
    memset(job->first + task * job->channels, 0, job->channels * sizeof *job->first);
    memset(job->second + task * job->channels, 0, job->channels * sizeof *job->second);
}

/* The row that is subtracted in a chunk: its first one, or zeros if that does not count. */
static const tl_real *start_of(const batch_norm_job *job, size_t task) {
    const size_t first = task * job->chunk, length = job->layer->base.in[0].length;
    const bool counts = !job->pass->lengths || first % length < job->pass->lengths[first / length];
    return counts ? job->pass->x[0].data + first * job->channels : job->pass->scratch + ZEROS * job->channels;
}

/* Adds rows to the sums of a chunk. */
static void add_rows(const batch_norm_job *job, tl_norm_rows *rows, const tl_real *x, size_t count, bool repeats) {
    rows->x = x;
    rows->rows = count;
    rows->repeats = repeats;
    job->kernels->norm_moments(rows);
}

/* Rows that do not count are zeros, which are not read. A chunk in which no row counts has no sums. */
static void moments_task(void *context, size_t task, int worker) {
    (void)worker;
    const batch_norm_job *job = context;
    size_t at = task * job->chunk;
    const size_t end = at + rows_of(job, task);
    const tl_real *zeros = job->pass->scratch + ZEROS * job->channels;
    tl_norm_rows rows = rows_at(job, task, at, 0);
    rows.start = start_of(job, task);
    rows.adds = true;
    clear_sums(job, task);
    for (tl_counted run = counted_of(job, task); tl_next_counted(&run); at = run.first + run.count) {
        if (run.first > at) add_rows(job, &rows, zeros, run.first - at, true);
        add_rows(job, &rows, job->pass->x[0].data + run.first * job->channels, run.count, false);
    }
    if (at > task * job->chunk && end > at) add_rows(job, &rows, zeros, end - at, true);
}

/* The two sums of a chunk. Rows after the length of a sample are 0; each of them contributed -`start`, which is corrected here. */
typedef struct chunk_sums {
    const tl_real *start, *first, *second; /* (channels) from one channel on */
    double rows, blank;                    /* number of rows within the lengths; number of the others */
} chunk_sums;

static chunk_sums sums_of(const batch_norm_job *job, size_t channel, size_t task) {
    const size_t begin = task * job->chunk, rows = rows_of(job, task), at = task * job->channels + channel;
    const size_t counted = count_between(&job->layer->base, job->pass, begin, begin + rows);
    return (chunk_sums){.start = start_of(job, task) + channel,
                        .first = job->first + at,
                        .second = job->second + at,
                        .rows = (double)counted,
                        .blank = (double)(rows - counted)};
}

/* mean, squares: mean and sum of squared distances to it, for `lanes` channels from `channel` on. Channels are the innermost loop,
 * because each addition of a single channel would wait for the one before. */
static void merge(const batch_norm_job *job, size_t channel, size_t lanes, double *mean, double *squares) {
    for (size_t c = 0; c < lanes; c++) mean[c] = squares[c] = 0;
    for (size_t task = 0; task < job->chunks; task++) {
        const chunk_sums s = sums_of(job, channel, task);
        for (size_t c = 0; c < lanes; c++) mean[c] += (s.rows + s.blank) * (double)s.start[c] + (double)s.first[c];
    }
    for (size_t c = 0; c < lanes; c++) mean[c] /= (double)job->counted;
    for (size_t task = 0; task < job->chunks; task++) {
        const chunk_sums s = sums_of(job, channel, task);
        const double share = s.rows > 0 ? 1 / s.rows : 0;
        for (size_t c = 0; c < lanes; c++) {
            const double start = (double)s.start[c], sum = (double)s.first[c] + s.blank * start;
            const double second = (double)s.second[c] - s.blank * start * start, distance = start + sum * share - mean[c];
            squares[c] += second - sum * sum * share + s.rows * distance * distance;
        }
    }
    for (size_t c = 0; c < lanes; c++) squares[c] = squares[c] < 0 ? 0 : squares[c]; /* because of rounding */
}

/* Returns the share of the batch in the running statistics. With the default momentum it is 1 for the first batch, because the
 * initial values mean nothing. */
static double running_share(const batch_norm_job *job, size_t c) {
    const double momentum = job->layer->momentum;
    const bool first = job->pass->state[MEAN][c] == 0 && job->pass->state[VARIANCE][c] == 1;
    return momentum > 0 ? 1 - momentum : first ? 1 : 1 - default_momentum;
}

/* A single value has no deviation. Statistics that are not finite make the step fail and must not be kept. */
static void move_running(const batch_norm_job *job, size_t c, double mean, double squares) {
    if (job->counted < 2 || !isfinite(mean) || !isfinite(squares)) return;
    const double share = running_share(job, c), variance = squares / ((double)job->counted - 1);
    tl_real *running_mean = job->pass->state[MEAN] + c, *running_variance = job->pass->state[VARIANCE] + c;
    *running_mean = (tl_real)((1 - share) * (double)*running_mean + share * mean);
    *running_variance = (tl_real)((1 - share) * (double)*running_variance + share * variance);
}

/* A single value has no deviation: it does not count. */
static void keep_sums(const batch_norm_job *job, size_t c, double mean, double squares) {
    if (job->counted < 2) return;
    job->pass->sums[1 + SUM_MEAN * job->channels + c] = mean;
    job->pass->sums[1 + SUM_SQUARES * job->channels + c] = squares;
}

/* Sets the saved numbers of a channel. The rounding error of the mean in tl_real is added to the term. */
static void save_numbers(const batch_norm_job *job, size_t c, double mean, double squares) {
    const size_t channels = job->channels;
    const tl_real *scale = job->pass->parameter[SCALE], *shift = job->pass->parameter[SHIFT];
    tl_real *saved = job->pass->saved;
    const double variance = squares / (double)job->counted;
    const double inverse = isfinite(variance) ? 1 / sqrt(variance + job->layer->epsilon) : NAN;
    const tl_real centre = (tl_real)mean;
    const double rest = ((double)centre - mean) * inverse;
    saved[CENTRE * channels + c] = centre;
    saved[INVERSE * channels + c] = (tl_real)inverse;
    saved[REST * channels + c] = (tl_real)rest;
    saved[FACTOR * channels + c] = (tl_real)((double)scale[c] * inverse);
    saved[TERM * channels + c] = (tl_real)((double)shift[c] + (double)scale[c] * rest);
}

static void merge_task(void *context, size_t task, int worker) {
    (void)worker;
    const batch_norm_job *job = context;
    const size_t start = task * LANES, lanes = tl_min(job->channels - start, LANES);
    double mean[LANES], squares[LANES];
    merge(job, start, lanes, mean, squares);
    for (size_t lane = 0; lane < lanes; lane++) {
        const size_t c = start + lane;
        save_numbers(job, c, mean[lane], squares[lane]);
        if (job->pass->sums)
            keep_sums(job, c, mean[lane], squares[lane]);
        else
            move_running(job, c, mean[lane], squares[lane]);
    }
}

static void normalise_task(void *context, size_t task, int worker) {
    (void)worker;
    const batch_norm_job *job = context;
    for (tl_counted run = counted_of(job, task); tl_next_counted(&run);) {
        tl_norm_rows rows = rows_at(job, task, run.first, run.count);
        rows.out = job->pass->y.data + run.first * job->channels;
        job->kernels->norm_apply(&rows);
    }
}

/* Normalises by the statistics of the batch. */
static void normalise_batch(batch_norm_job *job) {
    job->centre = job->pass->saved + CENTRE * job->channels;
    memset(job->pass->scratch + ZEROS * job->channels, 0, job->channels * sizeof(tl_real));
    share_chunks(job, moments_task);
    share_channels(job, merge_task);
    share_chunks(job, normalise_task);
}

/* saved: the values from the running statistics, for backward too. */
static void set_running(const batch_norm_layer *norm, tl_real *const *parameter, tl_real *const *state, tl_real *saved) {
    const size_t channels = norm->base.in[0].channels;
    for (size_t c = 0; c < channels; c++) {
        const double inverse = 1 / sqrt((double)state[VARIANCE][c] + norm->epsilon);
        saved[CENTRE * channels + c] = state[MEAN][c];
        saved[INVERSE * channels + c] = (tl_real)inverse;
        saved[REST * channels + c] = 0;
        saved[FACTOR * channels + c] = (tl_real)((double)parameter[SCALE][c] * inverse);
        saved[TERM * channels + c] = parameter[SHIFT][c];
    }
}

/* Normalises by the running statistics; a frozen layer leaves the same values for backward as a batch would. */
static void normalise_running(batch_norm_job *job) {
    const tl_pass *pass = job->pass;
    const size_t channels = job->channels;
    tl_real *saved = pass->saved;
    set_running(job->layer, pass->parameter, pass->state, saved);
    job->centre = saved + CENTRE * channels;
    share_chunks(job, normalise_task);
}

/* Reports if the input, or its square, is too large for a tl_real. */
static void find_fault(const batch_norm_job *job) {
    const tl_real *centre = job->pass->saved + CENTRE * job->channels, *inverse = job->pass->saved + INVERSE * job->channels;
    size_t c = 0;
    while (c < job->channels && isfinite(centre[c]) && isfinite(inverse[c])) c++;
    if (c < job->channels)
        *job->pass->fault = "the mean or the variance of a channel is not finite; scale the data to smaller values";
}

static void batch_norm_forward(const tl_layer *layer, const tl_pass *pass) {
    batch_norm_job job = run_of(layer, pass);
    if (!pass->training || pass->frozen) {
        normalise_running(&job);
        return;
    }
    normalise_batch(&job);
    find_fault(&job);
}

/* ---- preparation: a pass over the training data ---- */

/* Later layers get the same input as in training: normalised by the statistics of the batch. */
static void batch_norm_accumulate(const tl_layer *layer, const tl_pass *pass) {
    batch_norm_job job = run_of(layer, pass);
    normalise_batch(&job);
    if (job.counted > 1) pass->sums[0] = (double)job.counted;
}

/* Combines the statistics of a batch with those of earlier batches (Chan, Golub & LeVeque 1983). */
static void batch_norm_join(const tl_layer *layer, double *sums, const double *of_batch) {
    const size_t channels = layer->in[0].channels, mean = 1 + SUM_MEAN * channels, squares = 1 + SUM_SQUARES * channels;
    const double before = sums[0], rows = of_batch[0];
    for (size_t c = 0; rows > 0 && c < channels; c++) {
        const double distance = of_batch[mean + c] - sums[mean + c];
        sums[mean + c] += distance * rows / (before + rows);
        sums[squares + c] += of_batch[squares + c] + distance * distance * before * rows / (before + rows);
    }
    sums[0] += rows;
}

/* The statistics of all rows as if they were one batch (Wu & Johnson 2021, "Rethinking 'Batch' in BatchNorm", PreciseBN). */
static void batch_norm_finish(const tl_layer *layer, const tl_pass *pass) {
    const size_t channels = layer->in[0].channels;
    const double rows = pass->sums[0], *mean = pass->sums + 1 + SUM_MEAN * channels, *squares = mean + channels;
    for (size_t c = 0; rows > 0 && c < channels; c++) {
        pass->state[MEAN][c] = (tl_real)mean[c];
        pass->state[VARIANCE][c] = (tl_real)(squares[c] / (rows - 1));
    }
}

static const tl_preparation preparation = {
    .accumulate = batch_norm_accumulate, .join = batch_norm_join, .finish = batch_norm_finish};

/* ---- backward ---- */

static void gradient_sums_task(void *context, size_t task, int worker) {
    (void)worker;
    const batch_norm_job *job = context;
    clear_sums(job, task);
    for (tl_counted run = counted_of(job, task); tl_next_counted(&run);) {
        tl_norm_rows rows = rows_at(job, task, run.first, run.count);
        rows.adds = true;
        rows.dy = job->pass->dy.data + run.first * job->channels;
        job->kernels->norm_gradient_sums(&rows);
    }
}

/* dx = scale · inverse · (dy - mean of dy - x̂ · mean of dy · x̂), written as factor · dy + slope · (x - centre) + offset. */
static void gradient_coefficients(const batch_norm_job *job, size_t c, double of_shift, double of_scale) {
    const size_t channels = job->channels;
    const double inverse = (double)job->pass->saved[INVERSE * channels + c], rest = (double)job->pass->saved[REST * channels + c];
    const double factor = (double)job->pass->saved[FACTOR * channels + c], rows = (double)job->counted;
    job->pass->scratch[SLOPE * channels + c] = (tl_real)(-factor * inverse * of_scale / rows);
    job->pass->scratch[OFFSET * channels + c] = (tl_real)(-factor * (of_shift + rest * of_scale) / rows);
}

/* Terms of backward, each (channels): the sums of dy and of dy · x̂. */
static void keep_terms(const batch_norm_job *job, size_t c, double of_shift, double of_scale) {
    job->terms[c] = of_shift;
    job->terms[job->channels + c] = of_scale;
}

static void gradient_merge_task(void *context, size_t task, int worker) {
    (void)worker;
    const batch_norm_job *job = context;
    const size_t channels = job->channels, start = task * LANES, lanes = tl_min(channels - start, LANES);
    const tl_real *inverse = job->pass->saved + INVERSE * channels, *rest = job->pass->saved + REST * channels;
    tl_real *const *gradient = job->pass->gradient;
    double of_shift[LANES] = {0}, centred[LANES] = {0};
    for (size_t chunk = 0; chunk < job->chunks; chunk++)
        for (size_t lane = 0; lane < lanes; lane++) {
            of_shift[lane] += (double)job->first[chunk * channels + start + lane];
            centred[lane] += (double)job->second[chunk * channels + start + lane];
        }
    for (size_t lane = 0; lane < lanes; lane++) {
        const size_t c = start + lane;
        const double of_scale = (double)inverse[c] * centred[lane] + (double)rest[c] * of_shift[lane];
        if (gradient[SCALE]) gradient[SCALE][c] += (tl_real)of_scale;
        if (gradient[SHIFT]) gradient[SHIFT][c] += (tl_real)of_shift[lane];
        if (job->terms)
            keep_terms(job, c, of_shift[lane], of_scale);
        else
            gradient_coefficients(job, c, of_shift[lane], of_scale);
    }
}

static void gradient_task(void *context, size_t task, int worker) {
    (void)worker;
    const batch_norm_job *job = context;
    for (tl_counted run = counted_of(job, task); tl_next_counted(&run);) {
        tl_norm_rows rows = rows_at(job, task, run.first, run.count);
        rows.dy = job->pass->dy.data + run.first * job->channels;
        rows.out = job->pass->dx[0].data + run.first * job->channels;
        job->kernels->norm_gradient(&rows);
    }
}

/* Constant statistics have no gradient: dx = factor · dy. */
static void keep_factor_alone(const batch_norm_job *job) {
    for (size_t c = 0; c < job->channels; c++)
        job->pass->scratch[SLOPE * job->channels + c] = job->pass->scratch[OFFSET * job->channels + c] = 0;
}

static void batch_norm_backward(const tl_layer *layer, const tl_pass *pass) {
    batch_norm_job job = run_of(layer, pass);
    job.centre = pass->saved + CENTRE * job.channels;
    if (pass->frozen)
        keep_factor_alone(&job);
    else {
        share_chunks(&job, gradient_sums_task);
        share_channels(&job, gradient_merge_task);
    }
    if (pass->dx[0].data) share_chunks(&job, gradient_task);
}

/* ---- synchronised shards ----
 *
 * The mean of the batch is the sum of the shards' sums, divided by the rows of all. Its squares are then those of each shard around
 * its own mean, and rows · (mean of the shard - mean of the batch)², so that little cancels (Chan, Golub & LeVeque 1983). */

static size_t batch_norm_terms(const tl_layer *layer) { return 2 * layer->in[0].channels; }

/* The sums: of the shard, until they are replaced by those of the batch. */
static double *sum_means(const tl_layer *layer, const tl_pass *pass) { return pass->sums + 1 + SUM_MEAN * layer->in[0].channels; }
static double *sum_squares(const tl_layer *layer, const tl_pass *pass) {
    return pass->sums + 1 + SUM_SQUARES * layer->in[0].channels;
}

static void merge_shard_task(void *context, size_t task, int worker) {
    (void)worker;
    const batch_norm_job *job = context;
    const size_t start = task * LANES, lanes = tl_min(job->channels - start, LANES);
    merge(job, start, lanes, sum_means(&job->layer->base, job->pass) + start, sum_squares(&job->layer->base, job->pass) + start);
}

/* Terms: the sum of x in each channel, then the number of rows. An empty shard has no mean: its sums are 0. */
static void batch_norm_sum(const tl_layer *layer, const tl_pass *pass, double *terms) {
    batch_norm_job job = run_of(layer, pass);
    const double *mean = sum_means(layer, pass);
    memset(pass->scratch + ZEROS * job.channels, 0, job.channels * sizeof(tl_real));
    memset(terms, 0, batch_norm_terms(layer) * sizeof *terms);
    memset(pass->sums, 0, layer->sums * sizeof *pass->sums);
    if (job.counted == 0) return;
    share_chunks(&job, moments_task);
    share_channels(&job, merge_shard_task);
    pass->sums[0] = terms[job.channels] = (double)job.counted;
    for (size_t c = 0; c < job.channels; c++) terms[c] = pass->sums[0] * mean[c];
}

/* Terms: the squares of each channel around the mean of the batch. */
static void batch_norm_deviate(const tl_layer *layer, const tl_pass *pass, double *terms) {
    const size_t channels = layer->in[0].channels;
    double *mean = sum_means(layer, pass);
    const double *squares = sum_squares(layer, pass), own = pass->sums[0], rows = terms[channels];
    for (size_t c = 0; c < channels; c++) {
        const double of_batch = terms[c] / rows, distance = mean[c] - of_batch;
        terms[c] = squares[c] + own * distance * distance;
        mean[c] = of_batch;
    }
    pass->sums[0] = rows;
    terms[channels] = 0;
}

static void batch_norm_normalise(const tl_layer *layer, const tl_pass *pass, double *terms) {
    batch_norm_job job = run_of(layer, pass);
    const double *mean = sum_means(layer, pass);
    memcpy(sum_squares(layer, pass), terms, job.channels * sizeof *terms);
    job.counted = (size_t)pass->sums[0];
    job.centre = pass->saved + CENTRE * job.channels;
    for (size_t c = 0; c < job.channels; c++) save_numbers(&job, c, mean[c], terms[c]);
    share_chunks(&job, normalise_task);
    if (pass->training) find_fault(&job);
}

static void batch_norm_sum_gradients(const tl_layer *layer, const tl_pass *pass, double *terms) {
    batch_norm_job job = run_of(layer, pass);
    job.centre = pass->saved + CENTRE * job.channels;
    job.terms = terms;
    share_chunks(&job, gradient_sums_task);
    share_channels(&job, gradient_merge_task);
}

static void batch_norm_propagate(const tl_layer *layer, const tl_pass *pass, double *terms) {
    batch_norm_job job = run_of(layer, pass);
    job.centre = pass->saved + CENTRE * job.channels;
    job.counted = (size_t)pass->sums[0];
    for (size_t c = 0; c < job.channels; c++) gradient_coefficients(&job, c, terms[c], terms[job.channels + c]);
    if (pass->dx[0].data) share_chunks(&job, gradient_task);
}

static void batch_norm_keep(const tl_layer *layer, const tl_pass *pass) {
    const batch_norm_job job = {.layer = (const batch_norm_layer *)layer,
                                .pass = pass,
                                .channels = layer->in[0].channels,
                                .counted = (size_t)pass->sums[0]};
    for (size_t c = 0; c < job.channels; c++) move_running(&job, c, sum_means(layer, pass)[c], sum_squares(layer, pass)[c]);
}

const tl_synchronised tl_batch_norm_synchronised = {.kind = &tl_batch_norm_layer_ops,
                                                    .terms = batch_norm_terms,
                                                    .sum = batch_norm_sum,
                                                    .deviate = batch_norm_deviate,
                                                    .normalise = batch_norm_normalise,
                                                    .sum_gradients = batch_norm_sum_gradients,
                                                    .propagate = batch_norm_propagate,
                                                    .keep = batch_norm_keep};

static bool batch_norm_absorb(tl_layer *layer, const tl_layer *next) {
    batch_norm_layer *norm = (batch_norm_layer *)layer;
    norm->relu = next->ops == &tl_relu_layer_ops;
    return norm->relu;
}

/* In inference, the factor and the term of a channel are constants. */
static double batch_norm_flops(const tl_layer *layer) { return 2 * tl_layer_elements(layer); }

/* ---- inference in the layer before ---- */

static void batch_norm_affine(const tl_layer *layer, tl_real *const *parameter, tl_real *const *state,
                              const tl_affine_numbers *numbers) {
    const double epsilon = ((const batch_norm_layer *)layer)->epsilon;
    for (size_t c = 0; c < layer->in[0].channels; c++) {
        numbers->factor[c] = (double)parameter[SCALE][c] / sqrt((double)state[VARIANCE][c] + epsilon);
        numbers->centre[c] = (double)state[MEAN][c];
        numbers->term[c] = (double)parameter[SHIFT][c];
    }
}

static const tl_inference_ops batch_norm_inference = {.does = TL_ELEMENTWISE_AFFINE, .affine = batch_norm_affine};

/* ---- stream: packed is `saved` ---- */

static void batch_norm_stream_plan(const tl_layer *layer, const tl_workers *workers, tl_streaming *streaming, tl_error *error) {
    (void)workers;
    (void)error;
    streaming->packed = SAVED * layer->in[0].channels;
}

static void batch_norm_stream_pack(const tl_layer *layer, const tl_workers *workers, tl_real *const *parameter,
                                   tl_real *const *state, tl_real *packed) {
    (void)workers;
    set_running((const batch_norm_layer *)layer, parameter, state, packed);
}

static void batch_norm_stream_run(const tl_layer *layer, const tl_stream_pass *pass) {
    const size_t channels = layer->in[0].channels;
    tl_kernels_of(pass->workers)
        ->norm_apply(&(tl_norm_rows){.rows = pass->windows,
                                     .channels = channels,
                                     .relu = ((const batch_norm_layer *)layer)->relu,
                                     .x = pass->x[0],
                                     .out = pass->y,
                                     .centre = pass->packed + CENTRE * channels,
                                     .factor = pass->packed + FACTOR * channels,
                                     .term = pass->packed + TERM * channels});
}

static const tl_stream_ops batch_norm_stream = {
    .plan = batch_norm_stream_plan, .pack = batch_norm_stream_pack, .run = batch_norm_stream_run};

static const tl_setting settings[] = {
    {"momentum", TL_SETTING_NUMBER, offsetof(batch_norm_layer, momentum), NULL},
    {"epsilon", TL_SETTING_NUMBER, offsetof(batch_norm_layer, epsilon), NULL},
    {0},
};

const tl_layer_ops tl_batch_norm_layer_ops = {
    .name = "batch_norm",
    .size = sizeof(batch_norm_layer),
    .settings = settings,
    .reads = TL_READS_X,
    .in_place = true,
    .setup = batch_norm_setup,
    .scratch = batch_norm_scratch,
    .flops = batch_norm_flops,
    .forward = batch_norm_forward,
    .backward = batch_norm_backward,
    .stepwise = true,
    .stream = &batch_norm_stream,
    .inference = &batch_norm_inference,
    .absorb = batch_norm_absorb,
    .preparation = &preparation,
    .reads_behind = tl_reads_counted,
};

tl_node tl_batch_norm_sized(tl_model *model, tl_node x, const tl_batch_norm_cfg *cfg, size_t size) {
    tl_batch_norm_cfg own;
    tl_builder_cfg(model, "batch_norm", &own, sizeof own, cfg, size);
    const batch_norm_layer layer = {
        .base.ops = &tl_batch_norm_layer_ops,
        .momentum = own.momentum,
        .epsilon = own.epsilon,
    };
    return tl_layer_add(model, &x, 1, &layer.base);
}
