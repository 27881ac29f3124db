/* The scale of the target values of a regression. */
#include <tapline/train.h>

#include "base/argument.h"
#include "base/scaling.h"
#include "data/dataset.h"
#include "data/moments.h"
#include "graph/graph.h"
#include "train/scales.h"

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

/* ---- scales from the training data ---- */

/* The model stores the scaling of its series, so that files contain it. */
static void keep_scaling(tl_model *model, const tl_dataset *data, tl_error *error) {
    tl_scaling scaling;
    if (tl_scaling_copy(&data->scaling, data->x.shape[2], &scaling, error) != TL_OK) return;
    if (scaling.kind == TL_NORMALIZE_DEFAULT) scaling.kind = TL_NORMALIZE_NONE;
    tl_scaling_free(&model->scaling);
    model->scaling = scaling;
}

/* For losses that compare outputs and values by their distance; a loss of the user's own is not scaled. */
static bool scales_targets(tl_loss_kind loss) {
    return loss == TL_LOSS_SQUARED_ERROR || loss == TL_LOSS_ABSOLUTE_ERROR || loss == TL_LOSS_HUBER;
}

static void measure_target(const tl_dataset *data, size_t channel, size_t channels, tl_scaling *targets) {
    const size_t each = tl_labels_each(data);
    tl_moments moments = {0};
    for (; moments.pass < TL_MOMENTS_PASSES; tl_moments_next(&moments))
        for (size_t i = 0; i < data->x.shape[0]; i++)
            for (size_t t = 0; t < (data->lengths && each == data->x.shape[1] && each > 1 ? data->lengths[i] : each); t++) {
                const double value = tl_value_at(data, (i * each + t) * channels + channel);
                if (isfinite(value)) tl_moments_add(&moments, value); /* other values are reported by the step that reads them */
            }
    targets->mean[channel] = moments.mean / moments.unit;
    if (moments.deviation > 0) targets->deviation[channel] = moments.deviation / moments.unit;
}

/* The first training sets the scale of target values; later ones keep it, because the outputs already have that scale. */
static void keep_targets(tl_model *model, const tl_dataset *data, tl_error *error) {
    tl_scaling *targets = &model->targets;
    const size_t channels = tl_output_shape(model).channels;
    if (targets->kind != TL_NORMALIZE_DEFAULT) return;
    if (!scales_targets(tl_model_loss(model)))
        targets->kind = TL_NORMALIZE_NONE;
    else if (tl_scaling_begin(targets, channels, error) == TL_OK)
        for (size_t c = 0; c < channels; c++) measure_target(data, c, channels, targets);
}

tl_status tl_keep_scales(tl_model *model, const tl_dataset *data, tl_error *error) {
    keep_scaling(model, data, error);
    if (!tl_failed(error)) keep_targets(model, data, error);
    return tl_failed(error) ? error->status : TL_OK;
}
