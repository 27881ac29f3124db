/* Evaluating and predicting. */
#include "evaluate.h"

#include "graph.h"
#include "memory.h"
#include "metrics.h"

#include <math.h>
#include <string.h>

/* ---- data against model ---- */

static tl_status check_labels(const tl_dataset *data, size_t outputs, tl_error *error) {
    if (!data->labels) return tl_fail(error, TL_ERROR_ARGUMENT, "data: cross-entropy needs labels; the data set has none");
    if (data->classes > outputs)
        return tl_fail(error, TL_ERROR_SHAPE, "data: %zu classes exceed the %zu outputs of the model", data->classes, outputs);
    for (size_t i = 0; i < data->x.shape[0]; i++)
        if (data->labels[i] < 0 || (size_t)data->labels[i] >= outputs)
            return tl_fail(error, TL_ERROR_ARGUMENT, "data: label %d of sample %zu is outside 0 … %zu", data->labels[i], i,
                           outputs - 1);
    return TL_OK;
}

tl_status tl_target_check(tl_loss_kind loss, tl_shape out, const tl_dataset *data, tl_error *error) {
    if (out.length != 1)
        return tl_fail(error, TL_ERROR_SHAPE, "data: one target a series; the model's output has length %zu", out.length);
    if (tl_loss_takes_labels(loss)) return check_labels(data, out.channels, error);
    if (!data->values)
        return tl_fail(error, TL_ERROR_ARGUMENT, "data: %s needs target values; the data set has none", tl_loss_name(loss));
    if (out.channels != 1)
        return tl_fail(error, TL_ERROR_SHAPE, "data: one target value a series; the model has %zu outputs", out.channels);
    return TL_OK;
}

tl_status tl_data_check(const tl_model *model, const tl_dataset *data, tl_error *error) {
    const tl_shape in = tl_input_shape(model);
    const size_t *shape = data->x.shape;
    if (tl_failed(tl_model_error(model))) return tl_fail(error, tl_model_error(model)->status, "%s", tl_model_error(model)->text);
    if (in.length == 0) return tl_fail(error, TL_ERROR_STATE, "fit: the model is not compiled");
    if (data->x.rank != 3 || !data->x.data || shape[0] == 0)
        return tl_fail(error, TL_ERROR_SHAPE, "data: the data set has no samples");
    if (shape[1] != in.length || shape[2] != in.channels)
        return tl_fail(error, TL_ERROR_SHAPE, "data: series are (%zu, %zu); the model takes (%zu, %zu)", shape[1], shape[2],
                       in.length, in.channels);
    if (shape[0] > UINT32_MAX) return tl_fail(error, TL_ERROR_SHAPE, "data: %zu samples exceed %u", shape[0], UINT32_MAX);
    return tl_target_check(tl_model_loss(model), tl_output_shape(model), data, error);
}

tl_target tl_data_target(const tl_dataset *data, size_t first) {
    return (tl_target){.labels = data->labels ? data->labels + first : NULL, .values = data->values ? data->values + first : NULL};
}

/* ---- outputs ---- */

tl_status tl_run_check(const tl_model *model, const tl_tensor *x, const char *caller, tl_error *error) {
    const tl_shape in = tl_input_shape(model);
    if (tl_failed(tl_model_error(model))) return tl_fail(error, tl_model_error(model)->status, "%s", tl_model_error(model)->text);
    if (in.length == 0) return tl_fail(error, TL_ERROR_STATE, "%s: the model is not compiled", caller);
    if (x->rank != 3 || x->shape[1] != in.length || x->shape[2] != in.channels)
        return tl_fail(error, TL_ERROR_SHAPE, "%s: x is (%zu, %zu, %zu); the model takes (count, %zu, %zu)", caller, x->shape[0],
                       x->shape[1], x->shape[2], in.length, in.channels);
    return TL_OK;
}

tl_status tl_predicted_check(const tl_tensor *y, size_t count, tl_shape out, const char *caller, tl_error *error) {
    if (y->rank == 3 && y->shape[0] == count && y->shape[1] == out.length && y->shape[2] == out.channels) return TL_OK;
    return tl_fail(error, TL_ERROR_SHAPE, "%s: y is (%zu, %zu, %zu); it should be (%zu, %zu, %zu)", caller, y->shape[0],
                   y->shape[1], y->shape[2], count, out.length, out.channels);
}

tl_status tl_run_all(tl_model *model, const tl_tensor *x, const size_t *lengths, const tl_tensor *y, tl_error *error) {
    const size_t samples = x->shape[0], batch = tl_model_batch(model);
    for (size_t first = 0; first < samples; first += batch) {
        const size_t count = samples - first < batch ? samples - first : batch;
        const tl_tensor part = tl_tensor_slice(x, first, count), to = tl_tensor_slice(y, first, count);
        if (lengths) tl_set_lengths(model, lengths + first, count);
        tl_forward(model, &part, TL_INFERENCE);
        if (tl_failed(tl_model_error(model)))
            return tl_fail(error, tl_model_error(model)->status, "%s", tl_model_error(model)->text);
        const tl_tensor out = tl_output(model);
        memcpy(to.data, out.data, tl_tensor_count(&out) * sizeof(tl_real));
    }
    return TL_OK;
}

/* The outputs of all samples, (samples, 1, channels), to be freed; no data on failure. */
static tl_tensor outputs_of(tl_model *model, const tl_dataset *data, tl_error *error) {
    if (tl_failed(error) || tl_data_check(model, data, error) != TL_OK) return (tl_tensor){0};
    tl_tensor y = tl_tensor_new(3, (const size_t[]){data->x.shape[0], 1, tl_output_shape(model).channels}, error);
    if (y.data && tl_run_all(model, &data->x, data->lengths, &y, error) != TL_OK) tl_tensor_free(&y);
    return y;
}

tl_status tl_predict(tl_model *model, const tl_tensor *x, const size_t *lengths, tl_tensor *y, tl_error *error) {
    tl_error own = {0};
    if (!error) error = &own;
    if (tl_failed(error) || tl_run_check(model, x, "predict", error) != TL_OK ||
        tl_predicted_check(y, x->shape[0], tl_output_shape(model), "predict", error) != TL_OK ||
        tl_run_all(model, x, lengths, y, error) != TL_OK)
        return error->status;
    tl_loss_predict(tl_model_loss(model), y->data, y->shape[0] * y->shape[1], y->shape[2]);
    return TL_OK;
}

/* ---- metrics ---- */

static void add_class_metrics(tl_metrics *metrics, const tl_classified *all, tl_error *error) {
    size_t *counts = tl_allocate(all->classes * all->classes, sizeof *counts, "the confusion matrix", error);
    tl_scored *scratch = tl_allocate(all->samples, sizeof *scratch, "the ranks of samples", error);
    if (!tl_failed(error)) {
        tl_count_confusion(all, counts);
        metrics->balanced_accuracy = tl_balanced_accuracy(counts, all->classes);
        metrics->f1 = tl_macro_f1(counts, all->classes);
        metrics->auroc = tl_auroc(all, scratch);
    }
    tl_release(counts);
    tl_release(scratch);
}

tl_status tl_measure(const tl_loss_spec *loss, const tl_tensor *outputs, const tl_dataset *data, tl_metrics *metrics,
                     tl_error *error) {
    const tl_target target = tl_data_target(data, 0);
    const size_t samples = outputs->shape[0];
    tl_tally sums = {0};
    double weight;
    if (tl_loss_check(loss, outputs, NULL, &target, error) != TL_OK) return error->status;
    const double mean = tl_loss_of(loss, outputs, NULL, &target, NULL, &weight);
    tl_tally_add_outputs(&sums, loss->kind, outputs, &target, mean, weight);
    *metrics = tl_tally_metrics(&sums, loss->kind);
    if (tl_loss_takes_labels(loss->kind))
        add_class_metrics(metrics, &(tl_classified){outputs->data, data->labels, samples, outputs->shape[2]}, error);
    else
        metrics->r2 = tl_r2(data->values, samples, sums.squared);
    return error->status;
}

tl_status tl_evaluate(tl_model *model, const tl_dataset *data, tl_metrics *metrics, tl_error *error) {
    tl_error own = {0};
    if (!error) error = &own;
    tl_tensor outputs = outputs_of(model, data, error);
    if (outputs.data) tl_measure(&model->loss, &outputs, data, metrics, error);
    tl_tensor_free(&outputs);
    return error->status;
}

tl_status tl_confusion(tl_model *model, const tl_dataset *data, size_t *counts, tl_error *error) {
    tl_error own = {0};
    if (!error) error = &own;
    if (!tl_failed(error) && !tl_loss_takes_labels(tl_model_loss(model)))
        return tl_fail(error, TL_ERROR_ARGUMENT, "confusion: the model was compiled for %s, which has no classes",
                       tl_loss_name(tl_model_loss(model)));
    tl_tensor outputs = outputs_of(model, data, error);
    if (outputs.data) tl_count_confusion(&(tl_classified){outputs.data, data->labels, data->x.shape[0], outputs.shape[2]}, counts);
    tl_tensor_free(&outputs);
    return error->status;
}
