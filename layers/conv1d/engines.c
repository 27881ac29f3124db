/* The table of engines, and the choice for each pass. */
#include "layers/conv1d/engine.h"

#include "base/argument.h"
#include "base/memory.h"
#include "compute/window.h"
#include "kernels/kernels.h"

#include <math.h>
#include <string.h>

static const tl_conv1d_ops *const engines[] = {&tl_conv1d_naive, &tl_conv1d_gemm, &tl_conv1d_direct, &tl_conv1d_winograd};

enum { ENGINES = sizeof engines / sizeof *engines };

static const tl_conv1d_ops *engine_of(tl_engine engine) {
    for (size_t i = 0; i < ENGINES; i++)
        if (engines[i]->engine == engine) return engines[i];
    return NULL;
}

const char *tl_engine_at(size_t index) {
    const tl_conv1d_ops *ops = engine_of((tl_engine)index);
    return index == TL_ENGINE_AUTO ? "auto" : ops ? ops->name : NULL;
}

const char *tl_engine_name(tl_engine engine) { return tl_engine_at((size_t)engine); }

tl_status tl_engine_by_name(const char *name, tl_engine *engine, tl_error *error) {
    return tl_find_name("engine", name, tl_engine_at, (int *)engine, error);
}

/* ---- geometry ---- */

static void check_size(const char *what, size_t value, tl_error *error) {
    if (value < 1 || value > PTRDIFF_MAX) tl_fail(error, TL_ERROR_SHAPE, "%s %td is below 1", what, (ptrdiff_t)value);
}

static tl_status check_addressable(const char *what, size_t a, size_t b, size_t c, tl_error *error) {
    size_t count;
    if (tl_multiply_sizes(a, b, &count) && tl_multiply_sizes(count, c, &count) && count <= PTRDIFF_MAX / 64) return TL_OK;
    return tl_fail(error, TL_ERROR_SHAPE, "%s (%zu, %zu, %zu) is more than memory can address", what, a, b, c);
}

static tl_status make_shape(const tl_conv1d_spec *spec, tl_conv1d_shape *shape, tl_error *error) {
    const tl_window_spec cfg = {.taps_name = "kernel",
                                .taps = spec->kernel,
                                .stride = spec->stride,
                                .dilation = spec->dilation,
                                .padding = spec->padding,
                                .pad_left = spec->pad_left,
                                .pad_right = spec->pad_right};
    tl_window_geometry window = {0};
    check_size("batch", spec->batch, error);
    check_size("length", spec->length, error);
    check_size("channels", spec->channels, error);
    check_size("filters", spec->filters, error);
    if (tl_failed(error) || tl_window_make(&cfg, spec->length, &window, error) != TL_OK) return error->status;
    *shape = (tl_conv1d_shape){.batch = spec->batch,
                               .length = spec->length,
                               .channels = spec->channels,
                               .out_length = window.out_length,
                               .filters = spec->filters,
                               .kernel = window.taps,
                               .stride = window.stride,
                               .dilation = window.dilation,
                               .pad_left = window.pad_left};
    check_addressable("weight", shape->kernel, shape->channels, shape->filters, error);
    check_addressable("input", shape->batch, shape->length, shape->channels, error);
    return check_addressable("output", shape->batch, shape->out_length, shape->filters, error);
}

/* ---- choice ---- */

static double cost_of(const tl_conv1d_ops *ops, const tl_conv1d_shape *shape, tl_conv1d_pass pass) {
    return ops->cost && ops->supports(shape, pass) ? ops->cost(shape, pass) : HUGE_VAL;
}

/* Returns the engine for TL_ENGINE_AUTO. It depends on the shape, on the width of the processor's vectors and on the tuning. The
 * prediction of a model for a sample must not depend on the batch: with `predicts`, costs are those of a fixed batch.
 */
static const tl_conv1d_ops *choose(const tl_conv1d_shape *shape, tl_conv1d_pass pass, bool predicts) {
    tl_conv1d_shape usual = *shape;
    const tl_conv1d_ops *best = &tl_conv1d_direct;
    double minimum = HUGE_VAL;
    if (predicts) usual.batch = TL_USUAL_BATCH;
    for (size_t i = 0; i < ENGINES; i++) {
        const double cost = predicts && engines[i]->mixes_samples ? HUGE_VAL : cost_of(engines[i], &usual, pass);
        if (cost >= minimum) continue;
        minimum = cost;
        best = engines[i];
    }
    return best;
}

static const tl_conv1d_ops *engine_for(tl_engine wanted, const tl_conv1d_shape *shape, tl_conv1d_pass pass, bool predicts,
                                       tl_error *error) {
    static const char *const names[] = {"forward", "backward input", "backward weights"};
    const tl_conv1d_ops *ops = wanted == TL_ENGINE_AUTO ? choose(shape, pass, predicts) : engine_of(wanted);
    if (!ops)
        tl_fail(error, TL_ERROR_ARGUMENT, "engine %d is unknown", (int)wanted);
    else if (!ops->supports(shape, pass))
        tl_fail(error, TL_ERROR_ARGUMENT, "engine %s cannot compute the %s pass of kernel %zu, stride %zu, dilation %zu", ops->name,
                names[pass], shape->kernel, shape->stride, shape->dilation);
    return ops;
}

tl_status tl_conv1d_prepare(const tl_conv1d_spec *spec, tl_conv1d_pass predicts, tl_conv1d_job *job, tl_error *error) {
    const tl_engine wanted[] = {spec->forward, spec->backward_input, spec->backward_weights};
    if (tl_failed(error) || make_shape(spec, &job->shape, error) != TL_OK) return error->status;
    for (int pass = TL_CONV1D_FORWARD; pass <= TL_CONV1D_BACKWARD_WEIGHTS; pass++)
        job->engine[pass] = engine_for(wanted[pass], &job->shape, (tl_conv1d_pass)pass, pass == (int)predicts, error);
    return error->status;
}

size_t tl_conv1d_scratch(const tl_conv1d_job *job, int workers) {
    size_t maximum = 0;
    for (int pass = TL_CONV1D_FORWARD; pass <= TL_CONV1D_BACKWARD_WEIGHTS; pass++) {
        const size_t count = job->engine[pass]->scratch(&job->shape, (tl_conv1d_pass)pass, workers);
        if (count > maximum) maximum = count;
    }
    return maximum;
}
