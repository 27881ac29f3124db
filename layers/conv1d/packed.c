/* Forward with weights that are packed once, one group of channels after the other. An engine that does not pack gets a copy of its
 * weights. */
#include "layers/conv1d/variant.h"

#include "base/math.h"
#include "base/memory.h"
#include "compute/finish.h"
#include "compute/fold.h"

#include <string.h>

enum { LINE = TL_ALIGNMENT / (int)sizeof(tl_real) };

static const tl_conv1d_ops *engine_of(const tl_conv1d_groups *self) { return self->job.engine[TL_CONV1D_FORWARD]; }

/* Elements of the weights of one group; a depthwise convolution has one for each tap and channel. */
static size_t weight_rows(const tl_conv1d_groups *self) {
    const tl_conv1d_shape *s = &self->job.shape;
    return engine_of(self) == &tl_conv1d_depthwise ? s->kernel : s->kernel * s->channels;
}

/* ---- an engine that does not pack: whether there are biases, the biases, the weights ---- */

static size_t plain_count(const tl_conv1d_groups *self) {
    const size_t filters = self->job.shape.filters;
    return LINE + tl_aligned_count(filters) + weight_rows(self) * filters;
}

static void copy_plain(const tl_conv1d_groups *self, const tl_real *weight, const tl_real *bias, tl_real *to) {
    const size_t filters = self->job.shape.filters;
    to[0] = bias ? 1 : 0;
    if (bias) memcpy(to + LINE, bias, filters * sizeof *to);
    memcpy(to + LINE + tl_aligned_count(filters), weight, weight_rows(self) * filters * sizeof *to);
}

static void run_plain(const tl_conv1d_groups *self, const tl_real *x, const tl_real *packed, tl_real *y, const tl_workers *workers,
                      tl_real *scratch) {
    const tl_conv1d_shape *s = &self->job.shape;
    engine_of(self)->forward(s, x, packed + LINE + tl_aligned_count(s->filters), packed[0] != 0 ? packed + LINE : NULL, y, workers,
                             scratch);
}

/* ---- one group ---- */

static size_t group_count(const tl_conv1d_groups *self) {
    const tl_conv1d_ops *engine = engine_of(self);
    return tl_aligned_count(engine->packed ? engine->packed(&self->job.shape) : plain_count(self));
}

static void pack_group(const tl_conv1d_groups *self, const tl_real *weight, const tl_real *bias, const tl_workers *workers,
                       tl_real *scratch, tl_real *to) {
    if (engine_of(self)->pack)
        engine_of(self)->pack(&self->job.shape, weight, bias, workers, scratch, to);
    else
        copy_plain(self, weight, bias, to);
}

static void run_group(const tl_conv1d_groups *self, const tl_real *x, const tl_real *packed, const tl_finish *finish, tl_real *y,
                      const tl_workers *workers, tl_real *scratch) {
    const tl_conv1d_shape *s = &self->job.shape;
    if (engine_of(self)->run) {
        engine_of(self)->run(s, x, packed, finish, y, workers, scratch);
        return;
    }
    run_plain(self, x, packed, y, workers, scratch);
    tl_finish_all(workers, finish, y, s->batch * s->out_length * s->filters);
}

/* ---- all groups ---- */

size_t tl_conv1d_groups_packed(const tl_conv1d_groups *self) { return self->groups * group_count(self); }

/* The folded biases and weights of all groups; the weights of one group; those of the engine. */
size_t tl_conv1d_groups_pack_scratch(const tl_conv1d_groups *self) {
    const size_t filters = self->job.shape.filters, rows = weight_rows(self);
    const size_t engine = engine_of(self)->pack_scratch ? engine_of(self)->pack_scratch(&self->job.shape) : 0;
    return tl_aligned_count(self->groups * filters) + tl_aligned_count(self->groups * rows * filters) +
           tl_aligned_count(rows * filters) + engine;
}

void tl_conv1d_groups_pack(const tl_conv1d_groups *self, const tl_real *weight, const tl_real *bias, const tl_packing *p) {
    const size_t filters = self->job.shape.filters, all = self->groups * filters, rows = weight_rows(self);
    tl_real *folded_bias = p->scratch, *folded = folded_bias + tl_aligned_count(all),
            *group = folded + tl_aligned_count(rows * all);
    tl_real *rest = group + tl_aligned_count(rows * filters);
    if (p->affine) {
        tl_fold_bias(p->affine, bias, all, folded_bias);
        tl_fold_weights(p->affine, weight, rows, all, folded);
        weight = folded;
        bias = folded_bias;
    }
    for (size_t g = 0; g < self->groups; g++) {
        if (self->groups > 1) tl_conv1d_gather(self, weight, rows, filters, g, group);
        pack_group(self, self->groups > 1 ? group : weight, bias ? bias + g * filters : NULL, p->workers, rest,
                   p->packed + g * group_count(self));
    }
}

void tl_conv1d_groups_run(const tl_conv1d_groups *self, const tl_real *x, const tl_real *packed, const tl_finish *finish,
                          tl_real *y, const tl_workers *workers, tl_real *scratch) {
    static const tl_finish nothing = {0};
    const tl_conv1d_shape *s = &self->job.shape;
    if (self->groups == 1) {
        run_group(self, x, packed, finish, y, workers, scratch);
        return;
    }
    const size_t rows = s->batch * s->length, out_rows = s->batch * s->out_length, each = group_count(self);
    tl_real *own_x = scratch, *own_y = own_x + tl_aligned_count(rows * s->channels);
    tl_real *rest = own_y + tl_aligned_count(out_rows * s->filters);
    for (size_t g = 0; g < self->groups; g++) {
        tl_conv1d_gather(self, x, rows, s->channels, g, own_x);
        run_group(self, own_x, packed + g * each, &nothing, own_y, workers, rest);
        tl_conv1d_scatter(self, own_y, out_rows, s->filters, g, y);
    }
    tl_finish_all(workers, finish, y, self->groups * out_rows * s->filters);
}
