#include "layers/conv1d/engine.h"

#include "base/argument.h"
#include "base/memory.h"
#include "compute/gemm.h"
#include "compute/parallel.h"

#include <stdlib.h>

struct tl_conv1d_plan {
    tl_conv1d_job job;
    tl_workers workers;
    tl_real *scratch;
};

static tl_status prepare(tl_conv1d_plan *plan, const tl_conv1d_spec *spec, tl_error *error) {
    if (spec->threads < 0) return tl_fail(error, TL_ERROR_ARGUMENT, "conv1d: threads %d is below 0", spec->threads);
    tl_error reason = {0};
    if (tl_conv1d_prepare(spec, TL_CONV1D_FORWARD, &plan->job, &reason) != TL_OK)
        return tl_fail(error, reason.status, "conv1d: %s", reason.text);
    tl_gemm_prepare();
    plan->workers = tl_workers_of(spec->threads);
    plan->scratch = tl_allocate(tl_conv1d_scratch(&plan->job, plan->workers.count), sizeof(tl_real), "conv1d scratch", error);
    return error->status;
}

tl_conv1d_plan *tl_conv1d_plan_new_sized(const tl_conv1d_spec *given, size_t size, tl_error *error) {
    tl_error own = {0};
    tl_conv1d_spec spec;
    if (!error) error = &own;
    tl_take(&spec, sizeof spec, given, size, "conv1d", error);
    if (tl_failed(error)) return NULL;
    tl_conv1d_plan *plan = calloc(1, sizeof *plan);
    if (!plan)
        tl_fail(error, TL_ERROR_MEMORY, "conv1d: out of memory");
    else if (prepare(plan, &spec, error) != TL_OK) {
        tl_conv1d_plan_free(plan);
        plan = NULL;
    }
    return plan;
}

void tl_conv1d_plan_free(tl_conv1d_plan *plan) {
    if (!plan) return;
    tl_release(plan->scratch);
    free(plan);
}

size_t tl_conv1d_out_length(const tl_conv1d_plan *plan) { return plan->job.shape.out_length; }

const char *tl_conv1d_engine(const tl_conv1d_plan *plan, tl_conv1d_pass pass) { return plan->job.engine[pass]->name; }

/* Denormal numbers count as zero, as they do in a model. */

void tl_conv1d_forward(tl_conv1d_plan *plan, const tl_real *x, const tl_real *weight, const tl_real *bias, tl_real *y) {
    const unsigned denormals = tl_denormals_off();
    plan->job.engine[TL_CONV1D_FORWARD]->forward(&plan->job.shape, x, weight, bias, y, &plan->workers, plan->scratch);
    tl_denormals_restore(denormals);
}

void tl_conv1d_backward_input(tl_conv1d_plan *plan, const tl_real *dy, const tl_real *weight, tl_real *dx) {
    const unsigned denormals = tl_denormals_off();
    plan->job.engine[TL_CONV1D_BACKWARD_INPUT]->backward_input(&plan->job.shape, dy, weight, dx, &plan->workers, plan->scratch);
    tl_denormals_restore(denormals);
}

void tl_conv1d_backward_weights(tl_conv1d_plan *plan, const tl_real *x, const tl_real *dy, tl_real *dweight, tl_real *dbias) {
    const unsigned denormals = tl_denormals_off();
    plan->job.engine[TL_CONV1D_BACKWARD_WEIGHTS]->backward_weights(&plan->job.shape, x, dy, dweight, dbias, &plan->workers,
                                                                   plan->scratch);
    tl_denormals_restore(denormals);
}
