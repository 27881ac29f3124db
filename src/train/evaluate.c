/* Evaluation and prediction. */
#include "train/evaluate.h"

#include "base/argument.h"
#include "base/math.h"
#include "base/memory.h"
#include "base/scaling.h"
#include "data/batches.h"
#include "data/dataset.h"
#include "graph/graph.h"
#include "graph/turn.h"
#include "train/exchange.h"
#include "train/metrics.h"

#include <string.h>

/* ---- checks of data and model ---- */

/* A data set from the user's arrays may leave `classes` 0: each output is then a class. */
static tl_status check_labels(const tl_dataset *data, size_t outputs, tl_error *error) {
    const size_t each = tl_labels_each(data);
    if (!data->labels) return tl_fail(error, TL_ERROR_ARGUMENT, "data: cross-entropy needs labels, but the data set has none");
    if (data->classes > 0 && tl_classes_check(data->classes, outputs, "data", error) != TL_OK) return error->status;
    for (size_t i = 0; i < data->x.shape[0] * each; i++)
        if (data->labels[i] < TL_NO_LABEL || (data->labels[i] >= 0 && (size_t)data->labels[i] >= outputs))
            return tl_fail(error, TL_ERROR_ARGUMENT, "data: label %d of sample %zu is outside 0 … %zu", data->labels[i], i / each,
                           outputs - 1);
    return TL_OK;
}

static tl_status check_values(const tl_dataset *data, size_t outputs, tl_loss_kind loss, tl_error *error) {
    const size_t channels = tl_values_each(data) / tl_labels_each(data);
    if (!data->values)
        return tl_fail(error, TL_ERROR_ARGUMENT, "data: %s needs target values, but the data set has none", tl_loss_name(loss));
    if (channels != outputs)
        return tl_fail(error, TL_ERROR_SHAPE, "data: each target has %zu value%s, but the model has %zu output%s", channels,
                       channels == 1 ? "" : "s", outputs, outputs == 1 ? "" : "s");
    return TL_OK;
}

tl_status tl_target_check(tl_loss_kind loss, tl_shape out, const tl_dataset *data, tl_error *error) {
    const size_t steps = tl_labels_each(data);
    if (out.length != steps)
        return tl_fail(
            error, TL_ERROR_SHAPE, "data: each series has targets for %zu step%s, but the output of the model has length %zu%s",
            steps, steps == 1 ? "" : "s", out.length, out.length == 1 ? " (unet, or tl_unet, has an output for every step)" : "");
    return tl_loss_takes_labels(loss) ? check_labels(data, out.channels, error) : check_values(data, out.channels, loss, error);
}

static tl_status check_compiled(const tl_model *model, const char *caller, tl_error *error) {
    if (tl_report(model, error) != TL_OK) return error->status;
    return model->compiled ? TL_OK : tl_fail(error, TL_ERROR_STATE, "%s: the model is not compiled", caller);
}

tl_status tl_data_check(const tl_model *model, const tl_dataset *data, const char *caller, tl_error *error) {
    if (check_compiled(model, caller, error) != TL_OK || tl_dataset_check(data, caller, error) != TL_OK) return error->status;
    const tl_shape in = tl_input_shape(model);
    const size_t *shape = data->x.shape;
    if (shape[1] != in.length || shape[2] != in.channels)
        return tl_fail(error, TL_ERROR_SHAPE, "data: series are (%zu, %zu); the model takes (%zu, %zu)", shape[1], shape[2],
                       in.length, in.channels);
    const tl_status status = tl_lengths_check(&data->x, data->lengths, "data", error);
    return status == TL_OK ? tl_target_check(tl_model_loss(model), tl_output_shape(model), data, error) : status;
}

tl_status tl_model_takes(const tl_model *model, const tl_dataset *data, tl_error *error) {
    tl_error own = {0};
    if (!error) error = &own;
    return tl_failed(error) ? error->status : tl_data_check(model, data, "data", error);
}

/* ---- outputs ---- */

tl_status tl_run_check(const tl_model *model, const tl_tensor *x, const char *caller, tl_error *error) {
    const tl_shape in = tl_input_shape(model);
    char shape[TL_SHAPE_TEXT];
    if (check_compiled(model, caller, error) != TL_OK) return error->status;
    if (x && x->data && x->rank == 3 && x->shape[1] == in.length && x->shape[2] == in.channels) return TL_OK;
    return tl_fail(error, TL_ERROR_SHAPE, "%s: x is %s; the model takes (count, %zu, %zu)", caller, tl_tensor_text(x, shape),
                   in.length, in.channels);
}

tl_status tl_series_check(const tl_model *model, const tl_dataset *data, const char *caller, tl_error *error) {
    const tl_real any = 0; /* in place of series that are not in memory */
    if (tl_dataset_check(data, caller, error) != TL_OK) return error->status;
    const tl_tensor x = tl_tensor_view(data->x.data ? data->x.data : &any, data->x.rank, data->x.shape);
    if (tl_run_check(model, &x, caller, error) != TL_OK) return error->status;
    return tl_lengths_check(&data->x, data->lengths, caller, error);
}

tl_status tl_predicted_check(const tl_tensor *y, size_t count, tl_shape out, const char *caller, tl_error *error) {
    char shape[TL_SHAPE_TEXT];
    if (y && y->data && y->rank == 3 && y->shape[0] == count && y->shape[1] == out.length && y->shape[2] == out.channels)
        return TL_OK;
    return tl_fail(error, TL_ERROR_SHAPE, "%s: y is %s; it should be (%zu, %zu, %zu)", caller, tl_tensor_text(y, shape), count,
                   out.length, out.channels);
}

/* Runs the model in inference mode on series that were checked, and writes their outputs. */
static tl_status run_part(const tl_outputs *to, tl_model *model, const tl_portion *series, size_t first, size_t count,
                          tl_error *error) {
    const size_t *lengths = series->data->lengths;
    const tl_tensor x = tl_portion_take(series, first, count, error), y = tl_tensor_slice(&to->y, first, count);
    if (tl_failed(error)) return error->status;
    if (lengths) tl_set_lengths(model, lengths + first, count);
    tl_forward(model, &x, TL_MODE_INFERENCE);
    if (tl_report(model, error) != TL_OK) {
        tl_model_clear_error(model); /* it is reported to the caller */
        return error->status;
    }
    const tl_tensor out = tl_output(model);
    memcpy(y.data, out.data, tl_tensor_count(&out) * sizeof(tl_real));
    for (size_t i = 0; to->steps && i < count; i++) to->steps[first + i] = tl_output_length(model, i);
    return TL_OK;
}

/* Runs the series from `first` up to, not including, `end`. */
static tl_status run_some(const tl_outputs *to, tl_model *model, const tl_dataset *data, size_t first, size_t end,
                          tl_error *error) {
    const size_t batch = tl_model_batch(model);
    tl_portion series;
    tl_turn turn;
    if (!tl_turn_begin(model, &turn, "predict", error)) return error->status;
    tl_portion_begin(&series, data, batch, error);
    for (; first < end && !tl_failed(error); first += batch) run_part(to, model, &series, first, tl_min(end - first, batch), error);
    tl_portion_release(&series);
    tl_turn_end(model, turn);
    return error->status;
}

/* The first sample of a rank. Each rank has whole batches, because some engines mix the samples of a batch. */
static size_t first_of_rank(size_t samples, size_t batch, size_t ranks, size_t rank) {
    const size_t first = tl_split_at(tl_ceil_div(samples, batch), ranks, rank) * batch;
    return tl_min(first, samples);
}

/* Sends the outputs of each rank to the others. */
static void share_outputs(const tl_outputs *self, const tl_exchange *exchange, size_t batch) {
    const size_t samples = self->y.shape[0], ranks = tl_exchange_ranks(exchange), each = self->y.shape[1] * self->y.shape[2];
    for (size_t rank = 0; rank < ranks; rank++) {
        const size_t first = first_of_rank(samples, batch, ranks, rank),
                     count = first_of_rank(samples, batch, ranks, rank + 1) - first;
        if (count == 0) continue;
        exchange->broadcast(exchange->self, self->y.data + first * each, count * each * sizeof(tl_real), (int)rank);
        if (self->steps) exchange->broadcast(exchange->self, self->steps + first, count * sizeof *self->steps, (int)rank);
    }
}

tl_status tl_outputs_run(tl_outputs *self, tl_model *model, const tl_dataset *data, const tl_exchange *exchange, tl_error *error) {
    const tl_shape out = tl_output_shape(model);
    const size_t samples = data->x.shape[0], batch = tl_model_batch(model), ranks = tl_exchange_ranks(exchange),
                 rank = tl_exchange_rank(exchange), first = first_of_rank(samples, batch, ranks, rank),
                 end = first_of_rank(samples, batch, ranks, rank + 1);
    *self = (tl_outputs){.y = tl_tensor_new(3, (const size_t[]){samples, out.length, out.channels}, error)};
    if (data->lengths && out.length > 1) self->steps = tl_allocate(samples, sizeof *self->steps, "lengths", error);
    if (tl_exchange_agree(exchange, error) != TL_OK) return error->status;
    run_some(self, model, data, first, end, error);
    if (exchange) share_outputs(self, exchange, batch);
    return error->status;
}

void tl_outputs_release(tl_outputs *self) {
    tl_tensor_free(&self->y);
    tl_release(self->steps);
    self->steps = NULL;
}

void tl_outputs_predict(tl_loss_kind loss, const tl_scaling *targets, tl_tensor *y) {
    const size_t channels = y->shape[2], rows = y->shape[0] * y->shape[1];
    tl_loss_predict(loss, y->data, rows, channels);
    for (size_t i = 0; targets->mean && i < rows * channels; i++)
        y->data[i] = (tl_real)tl_unscaled(targets, i % channels, (double)y->data[i]);
}

tl_status tl_predict(tl_model *model, const tl_tensor *x, const size_t *lengths, tl_tensor *y, tl_error *error) {
    tl_error own = {0};
    if (!error) error = &own;
    if (tl_failed(error) || tl_run_check(model, x, "predict", error) != TL_OK ||
        tl_predicted_check(y, x->shape[0], tl_output_shape(model), "predict", error) != TL_OK ||
        tl_lengths_check(x, lengths, "predict", error) != TL_OK)
        return error->status;
    const tl_dataset data = {.x = *x, .lengths = (size_t *)(uintptr_t)lengths}; /* is only read */
    if (run_some(&(tl_outputs){.y = *y}, model, &data, 0, x->shape[0], error) != TL_OK) return error->status;
    tl_outputs_predict(tl_model_loss(model), &model->targets, y);
    return TL_OK;
}

/* ---- metrics ---- */

/* All steps that are data, one after the other, with their targets. */
typedef struct outcome {
    size_t rows, channels;
    tl_real *outputs; /* (rows, channels) */
    int32_t *labels;  /* (rows); NULL: the loss needs values */
    double *values;   /* (rows, channels) in the scale of the outputs; NULL: the loss needs labels */
} outcome;

static void release_outcome(outcome *all) {
    tl_release(all->outputs);
    tl_release(all->labels);
    tl_release(all->values);
}

static tl_status prepare_outcome(outcome *all, tl_loss_kind loss, const tl_outputs *outputs, tl_error *error) {
    const size_t rows = outputs->y.shape[0] * outputs->y.shape[1], count = rows * outputs->y.shape[2];
    *all = (outcome){.channels = outputs->y.shape[2]};
    all->outputs = tl_allocate(count, sizeof *all->outputs, "the outputs of all samples", error);
    if (tl_loss_takes_labels(loss))
        all->labels = tl_allocate(rows, sizeof *all->labels, "labels", error);
    else
        all->values = tl_allocate(count, sizeof *all->values, "targets", error);
    return tl_failed(error) ? error->status : TL_OK;
}

/* Adds the steps that have a label. */
static void collect_labelled(outcome *all, const tl_tensor *y, const tl_dataset *data, size_t from, size_t steps) {
    for (size_t row = from; row < from + steps; row++) {
        if (data->labels[row] < 0) continue;
        memcpy(all->outputs + all->rows * all->channels, y->data + row * all->channels, all->channels * sizeof *all->outputs);
        all->labels[all->rows++] = data->labels[row];
    }
}

/* Release `all` in any case. */
static tl_status collect(outcome *all, tl_loss_kind loss, const tl_scaling *targets, const tl_outputs *outputs,
                         const tl_dataset *data, tl_error *error) {
    const tl_tensor *y = &outputs->y;
    if (prepare_outcome(all, loss, outputs, error) != TL_OK) return error->status;
    for (size_t i = 0; i < y->shape[0]; i++) {
        const size_t from = i * y->shape[1], steps = outputs->steps ? outputs->steps[i] : y->shape[1],
                     count = steps * all->channels;
        if (all->labels) {
            collect_labelled(all, y, data, from, steps);
            continue;
        }
        memcpy(all->outputs + all->rows * all->channels, y->data + from * all->channels, count * sizeof *all->outputs);
        for (size_t k = 0; all->values && k < count; k++)
            all->values[all->rows * all->channels + k] =
                tl_scaled(targets, k % all->channels, tl_value_at(data, from * all->channels + k));
        all->rows += steps;
    }
    return TL_OK;
}

static tl_classified classified(const outcome *all) { return (tl_classified){all->outputs, all->labels, all->rows, all->channels}; }

static void add_class_metrics(tl_metrics *metrics, const tl_classified *all, tl_error *error) {
    size_t *counts = tl_allocate(all->classes * all->classes, sizeof *counts, "the confusion matrix", error);
    tl_scored *scratch = tl_allocate(all->samples, sizeof *scratch, "the ranks of samples", error);
    double *odds = tl_reserve(all->samples * all->classes, sizeof *odds, "the odds of classes", error);
    if (!tl_failed(error)) {
        tl_count_confusion(all, counts);
        metrics->balanced_accuracy = tl_balanced_accuracy(counts, all->classes);
        metrics->f1 = tl_macro_f1(counts, all->classes);
        metrics->auroc = tl_auroc(all, scratch, odds);
    }
    tl_release(counts);
    tl_release(scratch);
    tl_release(odds);
}

/* Converts the outputs to predictions. */
static void add_value_metrics(tl_metrics *metrics, tl_loss_kind loss, const outcome *all) {
    const tl_valued valued = {all->outputs, all->values, all->rows, all->channels};
    tl_loss_predict(loss, all->outputs, all->rows, all->channels);
    metrics->r2 = tl_r2(&valued);
    if (loss == TL_LOSS_BINARY_CROSS_ENTROPY) tl_measure_labels(&valued, metrics);
}

tl_real *tl_values_scaled(const tl_dataset *data, const tl_scaling *targets, tl_error *error) {
    const size_t channels = tl_values_each(data) / tl_labels_each(data), count = data->x.shape[0] * tl_values_each(data);
    tl_real *values = tl_reserve(count, sizeof *values, "targets", error);
    for (size_t i = 0; values && i < count; i++) values[i] = (tl_real)tl_scaled(targets, i % channels, tl_value_at(data, i));
    return values;
}

static tl_status measure(const tl_loss_spec *loss, const tl_scaling *targets, const tl_target target, const tl_outputs *outputs,
                         const tl_dataset *data, tl_metrics *metrics, tl_error *error) {
    tl_tally sums = {0};
    outcome all = {0};
    double weight;
    if (tl_failed(error) || tl_loss_check(loss, &outputs->y, outputs->steps, &target, error) != TL_OK) return error->status;
    const double mean = tl_loss_of(loss, &outputs->y, outputs->steps, &target, NULL, &weight);
    tl_tally_add_outputs(&sums, loss->kind, &outputs->y, outputs->steps, &target, mean, weight, targets);
    if (collect(&all, loss->kind, targets, outputs, data, error) == TL_OK) {
        const tl_classified classes = classified(&all);
        *metrics = tl_tally_metrics(&sums, loss->kind);
        if (all.labels)
            add_class_metrics(metrics, &classes, error);
        else
            add_value_metrics(metrics, loss->kind, &all);
    }
    release_outcome(&all);
    return error->status;
}

tl_status tl_measure(const tl_loss_spec *loss, const tl_scaling *targets, const tl_outputs *outputs, const tl_dataset *data,
                     tl_metrics *metrics, tl_error *error) {
    tl_real *values = data->values ? tl_values_scaled(data, targets, error) : NULL;
    measure(loss, targets, (tl_target){.labels = data->labels, .values = values}, outputs, data, metrics, error);
    tl_release(values);
    return error->status;
}

tl_status tl_evaluate_among(tl_model *model, const tl_dataset *data, const tl_exchange *exchange, tl_metrics *metrics,
                            tl_error *error) {
    tl_error own = {0};
    tl_outputs outputs = {0};
    if (!error) error = &own;
    if (!tl_failed(error) && tl_given(metrics, "evaluate: metrics", error) &&
        tl_data_check(model, data, "evaluate", error) == TL_OK && tl_outputs_run(&outputs, model, data, exchange, error) == TL_OK)
        tl_measure(&model->loss, &model->targets, &outputs, data, metrics, error);
    tl_outputs_release(&outputs);
    return error->status;
}

tl_status tl_evaluate(tl_model *model, const tl_dataset *data, tl_metrics *metrics, tl_error *error) {
    return tl_evaluate_among(model, data, NULL, metrics, error);
}

tl_status tl_loss_has_classes(tl_loss_kind loss, const char *caller, tl_error *error) {
    if (tl_loss_takes_labels(loss)) return TL_OK;
    return tl_fail(error, TL_ERROR_ARGUMENT, "%s: the model was compiled for %s, which has no classes", caller, tl_loss_name(loss));
}

tl_status tl_outputs_confusion(const tl_outputs *outputs, tl_loss_kind loss, const tl_dataset *data, size_t *counts,
                               tl_error *error) {
    outcome all = {0};
    if (collect(&all, loss, NULL, outputs, data, error) == TL_OK) {
        const tl_classified classes = classified(&all);
        tl_count_confusion(&classes, counts);
    }
    release_outcome(&all);
    return error->status;
}

tl_status tl_confusion(tl_model *model, const tl_dataset *data, size_t *counts, tl_error *error) {
    tl_error own = {0};
    tl_outputs outputs = {0};
    if (!error) error = &own;
    if (tl_failed(error) || (model && tl_loss_has_classes(tl_model_loss(model), "confusion", error) != TL_OK)) return error->status;
    if (tl_given(counts, "confusion: counts", error) && tl_data_check(model, data, "confusion", error) == TL_OK &&
        tl_outputs_run(&outputs, model, data, NULL, error) == TL_OK)
        tl_outputs_confusion(&outputs, tl_model_loss(model), data, counts, error);
    tl_outputs_release(&outputs);
    return error->status;
}
