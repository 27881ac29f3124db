#include "graph/snapshot.h"

#include "base/memory.h"
#include "base/scaling.h"
#include "graph/graph.h"

#include <string.h>

/* Copies all buffers that a step changes, from the model or back to it. */
static void copy(tl_model *model, tl_real *values, bool back) {
    const size_t moments = model->optimizer.ops->moments;
    for (size_t i = 0; i < moments + 2; i++) {
        tl_real *buffer = i < moments ? model->moment[i] : i == moments ? model->parameters : model->states;
        const size_t count = i <= moments ? model->parameter_count : model->state_count;
        if (count > 0) memcpy(back ? buffer : values, back ? values : buffer, count * sizeof *values);
        values += count;
    }
}

tl_status tl_snapshot_take(tl_snapshot *self, tl_model *model, tl_error *error) {
    if (tl_failed(error)) return error->status;
    const size_t count = (model->optimizer.ops->moments + 1) * model->parameter_count + model->state_count;
    self->values = tl_reserve(count, sizeof *self->values, "a copy of the model", error);
    if (!self->values) return error->status;
    copy(model, self->values, false);
    self->steps = model->steps;
    self->passes = model->passes;
    self->learning_rate = model->optimizer.learning_rate;
    tl_scaling_copy(&model->scaling, tl_input_shape(model).channels, &self->scaling, error);
    if (!tl_failed(error)) tl_scaling_copy(&model->targets, tl_output_shape(model).channels, &self->targets, error);
    return error->status;
}

/* Moves the arrays of `from` to `to`. */
static void hand_back(tl_scaling *from, tl_scaling *to) {
    tl_scaling_free(to);
    *to = *from;
    *from = (tl_scaling){0};
}

void tl_snapshot_restore(tl_snapshot *self, tl_model *model) {
    hand_back(&self->scaling, &model->scaling);
    hand_back(&self->targets, &model->targets);
    copy(model, self->values, true);
    model->steps = self->steps;
    model->passes = self->passes;
    model->optimizer.learning_rate = self->learning_rate;
    tl_zero_grad(model);
}

void tl_snapshot_release(tl_snapshot *self) {
    tl_scaling_free(&self->scaling);
    tl_scaling_free(&self->targets);
    tl_release(self->values);
}
