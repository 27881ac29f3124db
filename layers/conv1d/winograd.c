/* The winograd engine: fewer multiplications than the definition, by the algorithm of Cook and Toom in tiles (Lavin & Gray 2016, in
 * one dimension).
 *
 * y = Aᵀ[Σ (G g) ⊙ (Bᵀ d)], where the sum is over channels and groups of taps. For each point of the transforms it is a matrix
 * product (tiles × channels·groups) · (channels·groups × filters), which the kernel function of the direct engine computes from the
 * transformed tiles in place. Each worker transforms the weights itself, with its first unit, because loading what another worker
 * wrote takes longer. dX is the same sum over dy, with the taps in reverse order and channels and filters exchanged.
 */
#include "layers/conv1d/winograd.h"

#include "base/math.h"
#include "base/memory.h"
#include "compute/finish.h"

#include <string.h>

enum {
    UNITS = 16,               /* minimum number of units, for the workers */
    FEW_ROWS = 256,           /* rows of a batch whose samples one worker does not divide */
    JOINT_ROWS = 48,          /* maximum rows of such samples that are joined in a unit */
    WEIGHT_BYTES = 16 * 1024, /* transformed weights that stay in the first-level cache while the rows of a unit are computed */
    READY = TL_ALIGNMENT / sizeof(tl_real), /* the first elements of a worker's memory: whether its weights are transformed */
    WINDOW_MAX = 1 << 22                    /* approximate limit of the elements of a window of transformed tiles */
};

typedef struct sum_job {
    tl_winograd_form form;
    tl_winograd_cut cut;
    tl_winograd_weights weights;
    size_t plane, each; /* elements of a transformed unit at one point; elements of a worker's memory */
    const tl_real *in;
    tl_real *out;
    const tl_real *start; /* (width) initial values of the sums, then zeros */
    tl_real *own;         /* of each worker */
    const tl_real *ready; /* weights that are already transformed; NULL: each worker transforms them */
    const tl_finish *finish;
    unsigned steps; /* the same for kernel functions */
} sum_job;

/* ---- products ---- */

/* A point of a sample (or of all samples, if their tiles are in a row): sums over some groups at a time, whose weights are used for
 * all rows before the next groups replace them in the cache. Data for the next product is prefetched once. */
static void multiply(const sum_job *job, const tl_direct_block *block, const tl_real *x, const tl_real *factor, tl_real *out,
                     size_t rows, tl_prefetch *prefetch) {
    const tl_winograd_form *form = &job->form;
    const size_t row = form->plane_row, lanes = tl_winograd_factor_row(form, block), tap = form->in_width * lanes;
    const size_t maximum = tl_max(WEIGHT_BYTES / (tap * sizeof(tl_real)), 1);
    for (size_t group = 0; group < form->groups; group += maximum) {
        const size_t groups = tl_min(maximum, form->groups - group);
        const bool dense = form->dilation == 1;
        form->kernels->direct_product(&(tl_direct_product){.x = x + group * row,
                                                           .row_stride = dense ? row : form->in_width,
                                                           .runs = dense ? 1 : groups,
                                                           .run_stride = row,
                                                           .count = dense ? groups * form->in_width : form->in_width,
                                                           .stride = 1,
                                                           .factor = factor + group * tap,
                                                           .factor_stride = lanes,
                                                           .start = group == 0 ? job->start + tl_aligned_count(form->width) : NULL,
                                                           .out = out,
                                                           .out_stride = block->lanes,
                                                           .rows = rows,
                                                           .vectors = block->vectors,
                                                           .width = lanes,
                                                           .prefetch = {prefetch[0], prefetch[1]}});
        prefetch[0].rows = prefetch[1].rows = 0;
    }
}

/* The single output, of the same rows. */
static void multiply_single(const sum_job *job, const tl_direct_block *block, const tl_real *x, const tl_real *factor, tl_real *out,
                            size_t rows) {
    const tl_winograd_form *form = &job->form;
    const bool dense = form->dilation == 1;
    form->kernels->direct_single(&(tl_single_product){.x = x,
                                                      .row_stride = dense ? form->plane_row : form->in_width,
                                                      .runs = dense ? 1 : form->groups,
                                                      .run_stride = form->plane_row,
                                                      .count = tl_winograd_single_run(form),
                                                      .factor = factor,
                                                      .factor_stride = tl_aligned_count(tl_winograd_single_run(form)),
                                                      .out = out + tl_winograd_factor_row(form, block),
                                                      .out_stride = block->lanes,
                                                      .rows = rows});
}

/* Outputs, and with the last block the input of the next unit. */
static void look_ahead(const sum_job *job, const tl_winograd_unit *unit, const tl_direct_block *block, size_t point,
                       tl_prefetch *prefetch) {
    const tl_winograd_form *form = &job->form;
    const bool last = block->first + block->width == form->width;
    prefetch[0] = tl_winograd_prefetch(form, unit, false, point, job->out + block->first, form->out_count, form->width);
    prefetch[0].width = block->width;
    if (last) prefetch[1] = tl_winograd_prefetch(form, unit, true, point, job->in, form->in_count, form->in_width);
}

static void multiply_unit(const sum_job *job, const tl_winograd_unit *unit, const tl_direct_block *block,
                          const tl_real *transformed, const tl_real *planes, tl_real *products) {
    const tl_winograd_form *form = &job->form;
    const bool single = tl_winograd_has_single(form, block), together = form->groups == 1;
    const size_t stride = tl_winograd_point_rows(form) * tl_winograd_factor_row(form, block),
                 samples = together ? 1 : unit->samples;
    const size_t rows = unit->tiles * form->dilation * (together ? unit->samples : 1);
    const tl_real *factor = transformed + block->first * form->variant->points * tl_winograd_point_rows(form);
    const tl_real *of_single = transformed + tl_winograd_single_begin(form);
    const bool far = job->cut.units > 1 && tl_winograd_is_far(form);
    for (size_t p = 0; p < form->variant->points;
         p++, planes += job->plane, factor += stride, of_single += tl_winograd_single_count(form)) {
        tl_prefetch prefetch[2] = {{0}};
        if (far) look_ahead(job, unit, block, p, prefetch);
        for (size_t i = 0; i < samples; i++, products += rows * block->lanes) {
            const tl_real *x = planes + i * unit->in_tiles * form->plane_row;
            multiply(job, block, x, factor, products, rows, prefetch);
            if (single) multiply_single(job, block, x, of_single, products, rows);
        }
    }
}

/* ---- outputs ---- */

/* Stores those outputs of a row, from element `at` of the sample on, that lie in the sample. */
static void store_inside(const sum_job *job, const tl_real *row, size_t width, ptrdiff_t at, tl_real *out) {
    const tl_winograd_form *form = &job->form;
    const ptrdiff_t end = at + (ptrdiff_t)width, count = (ptrdiff_t)form->out_count;
    const ptrdiff_t begin = at > 0 ? at : 0, stop = end < count ? end : count;
    if (begin >= stop) return;
    memcpy(out + begin, row + (begin - at), (size_t)(stop - begin) * sizeof *out);
    if (job->steps) tl_finish_some(form->kernels, job->finish, job->out, (size_t)(out + begin - job->out), (size_t)(stop - begin));
}

/* A tile at an end of a sample, of which only some outputs are needed; its first output is element `at`. */
static void finish_border(const sum_job *job, const tl_winograd_rows *tile, ptrdiff_t at, tl_real *out) {
    const tl_winograd_form *form = &job->form;
    const size_t m = form->variant->outputs, d = form->dilation, width = tile->width;
    tl_real part[TL_WINOGRAD_OUTPUTS * TL_MAX_TILE_WIDTH];
    tl_winograd_rows one = *tile;
    one.to = part;
    one.to_row = width;
    one.tiles = 1;
    one.finish = 0;
    for (size_t q = 0; q < d; q++, one.from += one.from_stride) {
        form->variant->output(&one);
        for (size_t i = 0; i < m; i++) store_inside(job, part + i * width, width, at + (ptrdiff_t)((i * d + q) * form->width), out);
    }
}

/* The tiles of a sample; `products` is the sample's first row at point 0, `rows` the number of rows of a point. */
static void finish_sample(const sum_job *job, const tl_winograd_unit *unit, const tl_direct_block *block, const tl_real *products,
                          size_t rows, tl_real *out) {
    const tl_winograd_form *form = &job->form;
    const size_t row = tl_winograd_out_row(form), all = form->variant->outputs * row; /* elements of a tile */
    const bool dense = form->dilation == 1;
    const size_t begin = form->out_first < 0, stop = ((size_t)-form->out_first + form->out_count) / all; /* whole tiles */
    const size_t end = unit->tile + unit->tiles, whole = tl_min(end, stop);
    tl_winograd_rows tile = {.from_row = rows * block->lanes,
                             .from_stride = block->lanes,
                             .to_row = row,
                             .to_stride = dense ? all : form->width,
                             .width = block->width,
                             .start = job->start + block->first,
                             .finish = job->steps};
    for (size_t i = unit->tile, run; i < end; i += run) {
        const bool inside = i >= begin && i < whole;
        const ptrdiff_t at = form->out_first + (ptrdiff_t)(i * all + block->first);
        run = dense && inside ? whole - i : 1;
        tile.from = products + (i - unit->tile) * form->dilation * block->lanes;
        tile.tiles = dense ? run : form->dilation;
        if (inside) {
            tile.to = out + at;
            if (job->steps & (TL_FINISH_ADD | TL_FINISH_MASK)) tile.added = tl_finish_array(job->finish) + (tile.to - job->out);
            form->variant->output(&tile);
        } else
            finish_border(job, &tile, at, out);
    }
}

static void sum_task(void *context, size_t task, int worker) {
    const sum_job *job = context;
    const tl_winograd_form *form = &job->form;
    const tl_winograd_unit unit = tl_winograd_unit_at(form, &job->cut, task);
    if (unit.tiles == 0) return;
    tl_real *own = job->own + (size_t)worker * job->each, *transformed = own + READY,
            *copy = transformed + tl_winograd_factors(form);
    tl_real *planes = copy + tl_winograd_copy(form);
    tl_real *products = planes + form->variant->points * job->plane;
    const size_t rows = unit.tiles * form->dilation;
    if (own[0] == 0 && !job->ready) tl_winograd_transform_weights(form, &job->weights, copy, transformed);
    own[0] = 1;
    const tl_real *factors = job->ready ? job->ready : transformed;
    tl_winograd_transform_input(form, &unit, job->in, job->plane, planes, copy);
    for (size_t b = 0; b < tl_winograd_blocks(form); b++) {
        const tl_direct_block block = tl_winograd_block_at(form, b);
        multiply_unit(job, &unit, &block, factors, planes, products);
        for (size_t i = 0; i < unit.samples; i++)
            finish_sample(job, &unit, &block, products + i * rows * block.lanes, unit.samples * rows,
                          job->out + (unit.sample + i) * form->out_count);
    }
}

/* ---- a pass ---- */

static size_t products_count(const sum_job *job) {
    const tl_winograd_form *form = &job->form;
    const size_t rows = job->cut.samples * tl_ceil_div(form->tiles, job->cut.pieces) * form->dilation;
    return form->variant->points * rows * tl_min(tl_aligned_count(form->width), TL_MAX_TILE_WIDTH);
}

/* Elements of the initial values of the sums: the biases, then zeros for the products. */
static size_t start_count(const tl_winograd_form *form) { return 2 * tl_aligned_count(form->width) + TL_MAX_TILE_WIDTH; }

/* Each unit reads all weights, so one worker does not divide samples with few rows. No sum depends on the units. */
static size_t min_units(const tl_winograd_form *form, int workers) {
    const size_t rows = form->batch * form->tiles * form->dilation;
    return workers > 1 || rows > FEW_ROWS ? UNITS : tl_min(form->batch, tl_ceil_div(rows, JOINT_ROWS));
}

/* A job without its arrays. */
static sum_job job_of(const tl_winograd_form *form, int workers) {
    sum_job job = {.form = *form, .cut = tl_winograd_cut_of(form, min_units(form, workers), SIZE_MAX)};
    job.plane = tl_winograd_plane(form, &job.cut);
    const size_t summing = tl_winograd_copy(form) + form->variant->points * job.plane + products_count(&job);
    job.each = READY + tl_winograd_factors(form) + tl_aligned_count(tl_max(summing, tl_winograd_piece(form)));
    return job;
}

/* A smaller batch may have larger units. */
static size_t job_scratch(const tl_winograd_form *form, int workers) {
    tl_winograd_form few = *form;
    size_t each = job_of(form, workers).each;
    for (few.batch = 1; few.batch < form->batch && few.batch * few.tiles * few.dilation <= FEW_ROWS; few.batch++)
        each = tl_max(each, job_of(&few, workers).each);
    return start_count(form) + (size_t)workers * each;
}

static void make_start(const tl_winograd_form *form, const tl_real *bias, tl_real *start) {
    memset(start, 0, start_count(form) * sizeof *start);
    if (bias) memcpy(start, bias, form->width * sizeof *bias);
}

static void share_units(sum_job *job, const tl_workers *workers) {
    const tl_winograd_form *form = &job->form;
    for (int worker = 0; worker < tl_workers_count(workers); worker++) job->own[(size_t)worker * job->each] = 0;
    const double sums = (double)form->taps * (double)form->in_width * (double)form->width;
    tl_parallel(workers, job->cut.units, TL_VECTOR_WORK * (double)(form->batch * form->rows) * sums, sum_task, job);
}

static void sum(const tl_winograd_form *form, const tl_winograd_weights *from, const tl_real *in, const tl_real *bias, tl_real *out,
                const tl_workers *workers, tl_real *scratch) {
    sum_job job = job_of(form, tl_workers_count(workers));
    job.weights = *from;
    job.in = in;
    job.out = out;
    job.start = scratch;
    job.own = scratch + start_count(form);
    job.finish = form->finish;
    job.steps = form->finish ? tl_finish_steps(form->finish) : 0;
    make_start(form, bias, scratch);
    share_units(&job, workers);
}

static tl_winograd_weights forward_weights(const tl_winograd_form *form, const tl_real *weight) {
    return (tl_winograd_weights){.from = weight,
                                 .count = form->window * form->width,
                                 .tap_stride = (ptrdiff_t)(form->in_width * form->width),
                                 .in_stride = form->width,
                                 .out_stride = 1};
}

static void forward(const tl_conv1d_shape *shape, const tl_real *x, const tl_real *weight, const tl_real *bias, tl_real *y,
                    const tl_workers *workers, tl_real *scratch) {
    const tl_winograd_form form = tl_winograd_forward_form(shape);
    const tl_winograd_weights plain = forward_weights(&form, weight);
    sum(&form, &plain, x, bias, y, workers, scratch);
}

/* ---- packed weights: the initial values of the sums, then the transformed weights ---- */

static size_t packed(const tl_conv1d_shape *shape) {
    const tl_winograd_form form = tl_winograd_forward_form(shape);
    return start_count(&form) + tl_winograd_factors(&form);
}

static size_t pack_scratch(const tl_conv1d_shape *shape) {
    const tl_winograd_form form = tl_winograd_forward_form(shape);
    return tl_winograd_piece(&form);
}

static void pack(const tl_conv1d_shape *shape, const tl_real *weight, const tl_real *bias, const tl_workers *workers,
                 tl_real *scratch, tl_real *to) {
    (void)workers;
    const tl_winograd_form form = tl_winograd_forward_form(shape);
    const tl_winograd_weights plain = forward_weights(&form, weight);
    make_start(&form, bias, to);
    tl_winograd_transform_weights(&form, &plain, scratch, to + start_count(&form));
}

static void run(const tl_conv1d_shape *shape, const tl_real *x, const tl_real *from, const tl_finish *finish, tl_real *y,
                const tl_workers *workers, tl_real *scratch) {
    const tl_winograd_form form = tl_winograd_forward_form(shape);
    sum_job job = job_of(&form, tl_workers_count(workers));
    job.in = x;
    job.out = y;
    job.start = from;
    job.ready = from + start_count(&form);
    job.own = scratch;
    job.finish = finish;
    job.steps = tl_finish_steps(finish);
    share_units(&job, workers);
}

static void backward_input(const tl_conv1d_shape *shape, const tl_real *dy, const tl_real *weight, tl_real *dx,
                           const tl_workers *workers, tl_real *scratch) {
    const tl_winograd_form form = tl_winograd_backward_form(shape);
    const size_t tap = form.in_width * form.width;
    const tl_winograd_weights flipped_taps = {.from = weight,
                                              .count = shape->kernel * shape->channels * shape->filters,
                                              .first = (form.taps - 1) * tap,
                                              .tap_stride = -(ptrdiff_t)tap,
                                              .in_stride = 1,
                                              .out_stride = form.in_width};
    sum(&form, &flipped_taps, dy, NULL, dx, workers, scratch);
}

/* ---- the engine ---- */

/* Two taps for each step of the stride leave nothing to save. There is also no gain if a dilation leaves series without a row, or
 * windows that are so long that their transformed tiles fit in no cache. */
static bool supports(const tl_conv1d_shape *shape, tl_conv1d_pass pass) {
    (void)pass;
    const size_t taps = tl_ceil_div(shape->kernel, shape->stride);
    if (taps < 3 || (shape->stride > 1 && shape->dilation > 1)) return false;
    if (shape->dilation > tl_min(shape->length, shape->out_length)) return false;
    const size_t maximum = WINDOW_MAX / tl_max(shape->stride * shape->channels, shape->filters);
    return shape->dilation <= maximum && taps <= maximum / shape->dilation;
}

static size_t scratch_of(const tl_conv1d_shape *shape, tl_conv1d_pass pass, int workers) {
    if (pass == TL_CONV1D_BACKWARD_WEIGHTS) return tl_winograd_weights_scratch(shape, workers);
    const tl_winograd_form form = pass == TL_CONV1D_FORWARD ? tl_winograd_forward_form(shape) : tl_winograd_backward_form(shape);
    return job_scratch(&form, workers);
}

const tl_conv1d_ops tl_conv1d_winograd = {
    .name = "winograd",
    .engine = TL_ENGINE_WINOGRAD,
    .finishes = true,
    .supports = supports,
    .cost = tl_winograd_cost,
    .scratch = scratch_of,
    .forward = forward,
    .backward_input = backward_input,
    .backward_weights = tl_winograd_backward_weights,
    .packed = packed,
    .pack_scratch = pack_scratch,
    .pack = pack,
    .run = run,
    .reads_behind = tl_winograd_reads_behind,
};
