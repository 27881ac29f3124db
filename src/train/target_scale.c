/* The scale of the target values of a regression. */
#include <tapline/train.h>

#include "base/argument.h"
#include "base/scaling.h"
#include "graph/graph.h"

#include <math.h>
#include <string.h>

tl_target_scale tl_model_target_scale(const tl_model *model, size_t output) {
    const tl_target_scale none = {0, 1};
    if (!model || !model->targets.mean || output >= tl_output_shape(model).channels) return none;
    return (tl_target_scale){model->targets.mean[output], model->targets.deviation[output]};
}

static tl_status check(const tl_model *model, const double *mean, const double *deviation, tl_error *error) {
    if (!model || !model->compiled) return tl_fail(error, TL_ERROR_STATE, "target scale: the model is not compiled");
    if (!mean != !deviation) return tl_fail(error, TL_ERROR_ARGUMENT, "target scale: give mean and deviation, or neither of them");
    for (size_t c = 0; mean && c < tl_output_shape(model).channels; c++)
        if (!isfinite(mean[c]) || !isfinite(deviation[c]) || !(deviation[c] > 0))
            return tl_fail(error, TL_ERROR_ARGUMENT,
                           "target scale: mean %g and deviation %g of output %zu: both must be finite, and the deviation above 0",
                           mean[c], deviation[c], c);
    return TL_OK;
}

tl_status tl_model_set_target_scale(tl_model *model, const double *mean, const double *deviation, tl_error *error) {
    tl_error own = {0};
    tl_scaling scaling = {.kind = TL_NORMALIZE_NONE};
    if (!error) error = &own;
    if (tl_failed(error) || check(model, mean, deviation, error) != TL_OK) return error->status;
    const size_t outputs = tl_output_shape(model).channels;
    if (mean && tl_scaling_begin(&scaling, outputs, error) != TL_OK) return error->status;
    if (mean) memcpy(scaling.mean, mean, outputs * sizeof *mean);
    if (mean) memcpy(scaling.deviation, deviation, outputs * sizeof *deviation);
    tl_scaling_free(&model->targets);
    model->targets = scaling;
    return TL_OK;
}
