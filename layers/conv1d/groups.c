/* Computes groups one after the other, each by an engine on copies of its columns. */
#include "layers/conv1d/variant.h"

#include "base/argument.h"
#include "base/memory.h"
#include "compute/finish.h"

#include <string.h>

static tl_status check_groups(const tl_conv1d_spec *spec, size_t groups, tl_error *error) {
    if (tl_check_count("groups", groups, 1, SIZE_MAX, error) != TL_OK) return error->status;
    if (spec->channels % groups != 0)
        return tl_fail(error, TL_ERROR_SHAPE, "%zu channels are not a multiple of %zu groups", spec->channels, groups);
    if (spec->filters % groups != 0)
        return tl_fail(error, TL_ERROR_ARGUMENT, "%zu filters are not a multiple of %zu groups", spec->filters, groups);
    return TL_OK;
}

static bool is_depthwise(const tl_conv1d_spec *spec, size_t groups) {
    return groups > 1 && groups == spec->channels && groups == spec->filters && spec->forward == TL_ENGINE_AUTO &&
           spec->backward_input == TL_ENGINE_AUTO && spec->backward_weights == TL_ENGINE_AUTO;
}

tl_status tl_conv1d_groups_prepare(const tl_conv1d_spec *spec, size_t groups, tl_conv1d_groups *self, tl_error *error) {
    tl_conv1d_spec part = *spec;
    *self = (tl_conv1d_groups){.groups = 1};
    if (tl_conv1d_prepare(spec, TL_CONV1D_FORWARD, &self->job, error) != TL_OK || check_groups(spec, groups, error) != TL_OK)
        return error->status;
    if (is_depthwise(spec, groups)) {
        for (int pass = TL_CONV1D_FORWARD; pass <= TL_CONV1D_BACKWARD_WEIGHTS; pass++)
            self->job.engine[pass] = &tl_conv1d_depthwise;
        return TL_OK;
    }
    self->groups = groups;
    part.channels /= groups;
    part.filters /= groups;
    return groups > 1 ? tl_conv1d_prepare(&part, TL_CONV1D_FORWARD, &self->job, error) : TL_OK;
}

/* ---- the copies of one group ---- */

typedef struct copies {
    tl_real *x, *y, *weight, *rest; /* rest: temporary memory of the engine */
    size_t rows, out_rows, weight_rows;
} copies;

static copies copies_in(const tl_conv1d_groups *self, tl_real *scratch) {
    const tl_conv1d_shape *s = &self->job.shape;
    copies c = {
        .x = scratch, .rows = s->batch * s->length, .out_rows = s->batch * s->out_length, .weight_rows = s->kernel * s->channels};
    c.y = c.x + tl_aligned_count(c.rows * s->channels);
    c.weight = c.y + tl_aligned_count(c.out_rows * s->filters);
    c.rest = c.weight + tl_aligned_count(c.weight_rows * s->filters);
    return c;
}

size_t tl_conv1d_groups_scratch(const tl_conv1d_groups *self, int workers) {
    const tl_conv1d_shape *s = &self->job.shape;
    const size_t engine = tl_conv1d_scratch(&self->job, workers);
    if (self->groups == 1) return engine;
    return tl_aligned_count(s->batch * s->length * s->channels) + tl_aligned_count(s->batch * s->out_length * s->filters) +
           tl_aligned_count(s->kernel * s->channels * s->filters) + engine;
}

void tl_conv1d_gather(const tl_conv1d_groups *self, const tl_real *from, size_t rows, size_t width, size_t g, tl_real *to) {
    const size_t stride = self->groups * width;
    for (size_t row = 0; row < rows; row++) memcpy(to + row * width, from + row * stride + g * width, width * sizeof *to);
}
void tl_conv1d_scatter(const tl_conv1d_groups *self, const tl_real *from, size_t rows, size_t width, size_t g, tl_real *to) {
    const size_t stride = self->groups * width;
    for (size_t row = 0; row < rows; row++) memcpy(to + row * stride + g * width, from + row * width, width * sizeof *to);
}

/* ---- passes ---- */

/* Finishes (count) outputs, unless the engine has done it. */
static void finish(const tl_conv1d_groups *self, const tl_conv1d_ops *engine, tl_real *y, size_t count, const tl_workers *workers) {
    const tl_conv1d_shape *s = &self->job.shape;
    if (s->finish && (self->groups > 1 || !engine->finishes)) tl_finish_all(workers, s->finish, y, count);
}

/* The shape of one group, whose outputs are finished with those of all groups. */
static tl_conv1d_shape plain_shape(const tl_conv1d_groups *self) {
    tl_conv1d_shape shape = self->job.shape;
    shape.finish = NULL;
    return shape;
}

void tl_conv1d_groups_forward(const tl_conv1d_groups *self, const tl_real *x, const tl_real *weight, const tl_real *bias,
                              tl_real *y, const tl_workers *workers, tl_real *scratch) {
    const tl_conv1d_shape *s = &self->job.shape;
    const tl_conv1d_ops *engine = self->job.engine[TL_CONV1D_FORWARD];
    if (self->groups == 1) {
        engine->forward(s, x, weight, bias, y, workers, scratch);
        finish(self, engine, y, s->batch * s->out_length * s->filters, workers);
        return;
    }
    const copies c = copies_in(self, scratch);
    const tl_conv1d_shape plain = plain_shape(self);
    for (size_t g = 0; g < self->groups; g++) {
        tl_conv1d_gather(self, x, c.rows, s->channels, g, c.x);
        tl_conv1d_gather(self, weight, c.weight_rows, s->filters, g, c.weight);
        engine->forward(&plain, c.x, c.weight, bias ? bias + g * s->filters : NULL, c.y, workers, c.rest);
        tl_conv1d_scatter(self, c.y, c.out_rows, s->filters, g, y);
    }
    finish(self, engine, y, c.out_rows * self->groups * s->filters, workers);
}

void tl_conv1d_groups_backward_input(const tl_conv1d_groups *self, const tl_real *dy, const tl_real *weight, tl_real *dx,
                                     const tl_workers *workers, tl_real *scratch) {
    const tl_conv1d_shape *s = &self->job.shape;
    const tl_conv1d_ops *engine = self->job.engine[TL_CONV1D_BACKWARD_INPUT];
    if (self->groups == 1) {
        engine->backward_input(s, dy, weight, dx, workers, scratch);
        finish(self, engine, dx, s->batch * s->length * s->channels, workers);
        return;
    }
    const copies c = copies_in(self, scratch);
    const tl_conv1d_shape plain = plain_shape(self);
    for (size_t g = 0; g < self->groups; g++) {
        tl_conv1d_gather(self, dy, c.out_rows, s->filters, g, c.y);
        tl_conv1d_gather(self, weight, c.weight_rows, s->filters, g, c.weight);
        engine->backward_input(&plain, c.y, c.weight, c.x, workers, c.rest);
        tl_conv1d_scatter(self, c.x, c.rows, s->channels, g, dx);
    }
    finish(self, engine, dx, c.rows * self->groups * s->channels, workers);
}

void tl_conv1d_groups_backward_weights(const tl_conv1d_groups *self, const tl_real *x, const tl_real *dy, tl_real *dweight,
                                       tl_real *dbias, const tl_workers *workers, tl_real *scratch) {
    const tl_conv1d_shape *s = &self->job.shape;
    const tl_conv1d_ops *engine = self->job.engine[TL_CONV1D_BACKWARD_WEIGHTS];
    if (self->groups == 1) {
        engine->backward_weights(s, x, dy, dweight, dbias, workers, scratch);
        return;
    }
    const copies c = copies_in(self, scratch);
    for (size_t g = 0; g < self->groups; g++) { /* the engine adds to the present values */
        tl_conv1d_gather(self, x, c.rows, s->channels, g, c.x);
        tl_conv1d_gather(self, dy, c.out_rows, s->filters, g, c.y);
        tl_conv1d_gather(self, dweight, c.weight_rows, s->filters, g, c.weight);
        engine->backward_weights(s, c.x, c.y, c.weight, dbias ? dbias + g * s->filters : NULL, workers, c.rest);
        tl_conv1d_scatter(self, c.weight, c.weight_rows, s->filters, g, dweight);
    }
}
