/* Ridge regression of the last layer: collects its inputs for all samples, solves (regression.c), and converts scores to logits. */
#include <tapline/ridge.h>

#include <tapline/train.h>

#include "base/argument.h"
#include "base/clock.h"
#include "base/math.h"
#include "base/memory.h"
#include "base/scaling.h"
#include "compute/symmetric.h"
#include "data/batches.h"
#include "data/dataset.h"
#include "graph/graph.h"
#include "graph/turn.h"
#include "layers/registry.h"
#include "train/evaluate.h"
#include "train/regression.h"
#include "train/scales.h"

#include <math.h>
#include <string.h>

/* 10^(-3 + i · 6/9), the candidates of ROCKET's authors. */
static const double usual_penalties[] = {
    1e-3, 4.641588833612782e-3, 2.1544346900318843e-2, 0.1, 0.46415888336127775, 2.154434690031882,
    10,   46.41588833612777,    215.44346900318823,    1e3};

typedef struct ridge {
    tl_model *model;
    const tl_dataset *data;
    tl_ridge_cfg cfg;
    tl_vertex *last;
    size_t rows;     /* samples with a target; steps, if each step has a target */
    tl_real *inputs; /* (rows, features) of the last layer */
    int32_t *labels; /* (rows); NULL: regression */
    double *targets; /* (rows, outputs) */
    double slope;
} ridge;

static bool classifies(const ridge *self) { return tl_loss_takes_labels(tl_model_loss(self->model)); }
static size_t outputs_of(const ridge *self) { return tl_output_shape(self->model).channels; }
static size_t features_of(const ridge *self) { return self->last->layer->in[0].channels; }
static size_t steps_of(const ridge *self) { return self->last->layer->in[0].length; }

/* ---- checks ---- */

static tl_status check_last(const ridge *self, tl_error *error) {
    const tl_layer_ops *ops = self->last->layer->ops;
    const tl_loss_kind loss = tl_model_loss(self->model);
    if (ops != &tl_dense_layer_ops)
        return tl_fail(error, TL_ERROR_ARGUMENT, "ridge: the last layer, %s, is of kind %s; ridge regression needs a dense layer",
                       self->last->name, ops->name);
    if (self->last->frozen)
        return tl_fail(error, TL_ERROR_ARGUMENT, "ridge: the last layer, %s, is frozen; call tl_unfreeze", self->last->name);
    if (loss == TL_LOSS_BINARY_CROSS_ENTROPY || loss == TL_LOSS_OWN)
        return tl_fail(error, TL_ERROR_ARGUMENT, "ridge: the loss %s has no closed form; use tl_fit", tl_loss_name(loss));
    return TL_OK;
}

static tl_status check_penalties(ridge *self, tl_error *error) {
    if (!self->cfg.penalties && self->cfg.count > 0)
        return tl_fail(error, TL_ERROR_ARGUMENT, "ridge: count is %zu, but penalties is NULL; give both or neither",
                       self->cfg.count);
    if (!self->cfg.penalties) {
        self->cfg.penalties = usual_penalties;
        self->cfg.count = sizeof usual_penalties / sizeof *usual_penalties;
    }
    if (self->cfg.count == 0) return tl_fail(error, TL_ERROR_ARGUMENT, "ridge: count is 0; give at least one penalty");
    for (size_t i = 0; i < self->cfg.count; i++)
        if (!(self->cfg.penalties[i] > 0 && isfinite(self->cfg.penalties[i])))
            return tl_fail(error, TL_ERROR_ARGUMENT, "ridge: penalty %g is outside (0, inf)", self->cfg.penalties[i]);
    return TL_OK;
}

static tl_status check_memory(const ridge *self, tl_error *error) {
    const double rows = (double)self->data->x.shape[0] * (double)steps_of(self), features = (double)features_of(self);
    const double bytes =
        rows * features * sizeof(tl_real) + tl_regression_memory((size_t)rows, features_of(self), outputs_of(self));
    if (tl_min(self->data->x.shape[0] * steps_of(self), features_of(self)) > TL_SYMMETRIC_LIMIT)
        return tl_fail(error, TL_ERROR_SHAPE, "ridge: %.0f samples and %.0f features are both above the limit of %d; use tl_fit",
                       rows, features, (int)TL_SYMMETRIC_LIMIT);
    if (self->cfg.max_memory == 0 || bytes <= (double)self->cfg.max_memory) return TL_OK;
    return tl_fail(
        error, TL_ERROR_MEMORY,
        "ridge: %.0f samples of %.0f features need %.4g MB; the limit is %.4g MB (max_memory); use fewer features, or tl_fit", rows,
        features, bytes / 1e6, (double)self->cfg.max_memory / 1e6);
}

static tl_status check(ridge *self, tl_error *error) {
    if (tl_data_check(self->model, self->data, "ridge", error) != TL_OK) return error->status;
    self->last = &self->model->vertex[self->model->output];
    if (check_last(self, error) != TL_OK || check_penalties(self, error) != TL_OK) return error->status;
    return check_memory(self, error);
}

/* ---- inputs and targets of the last layer ---- */

/* Sets the label and the target of the next row. Returns false if there is none for this step. */
static bool take_target(ridge *self, size_t at) {
    const tl_dataset *data = self->data;
    const size_t outputs = outputs_of(self);
    double *target = self->targets + self->rows * outputs;
    bool known = !self->labels || data->labels[at] >= 0;
    if (self->labels) self->labels[self->rows] = data->labels[at];
    for (size_t k = 0; k < outputs; k++) {
        const bool right = self->labels && data->labels[at] == (int32_t)k;
        target[k] = self->labels ? (right ? 1 : -1) : tl_scaled(&self->model->targets, k, tl_value_at(data, at * outputs + k));
        known = known && !isnan(target[k]);
    }
    return known;
}

/* Adds a row for each step of a sample that has a target. `place`: that of the sample in the batch that was run last. */
static void take_sample(ridge *self, size_t sample, size_t place) {
    const tl_tensor *x = &self->last->x[TL_MODE_INFERENCE][0];
    const size_t steps = steps_of(self), features = features_of(self), counted = tl_output_length(self->model, place);
    for (size_t t = 0; t < counted; t++) {
        if (!take_target(self, sample * steps + t)) continue;
        memcpy(self->inputs + self->rows * features, x->data + (place * steps + t) * features, features * sizeof *self->inputs);
        self->rows++;
    }
}

static void run_batches(ridge *self, tl_error *error) {
    const tl_dataset *data = self->data;
    const size_t samples = data->x.shape[0], batch = tl_model_batch(self->model);
    tl_portion series;
    tl_portion_begin(&series, data, batch, error);
    for (size_t first = 0; first < samples && !tl_failed(error); first += batch) {
        const size_t count = tl_min(samples - first, batch);
        const tl_tensor part = tl_portion_take(&series, first, count, error);
        if (tl_failed(error)) break;
        if (data->lengths) tl_set_lengths(self->model, data->lengths + first, count);
        tl_forward_whole(self->model, &part);
        tl_report(self->model, error);
        for (size_t i = 0; i < count && !tl_failed(error); i++) take_sample(self, first + i, i);
    }
    tl_portion_release(&series);
    if (tl_failed(error)) tl_model_clear_error(self->model); /* it is reported to the caller */
}

static void release(ridge *self) {
    tl_release(self->inputs);
    tl_release(self->labels);
    tl_release(self->targets);
}

/* Leaving one series out needs two, and classification needs two classes. */
static tl_status check_samples(const ridge *self, tl_error *error) {
    const size_t outputs = outputs_of(self);
    bool several = !self->labels;
    if (self->labels && self->rows < outputs)
        return tl_fail(error, TL_ERROR_ARGUMENT,
                       "ridge: %zu series with a label are fewer than the %zu classes; each class needs one", self->rows, outputs);
    if (self->rows < 2)
        return tl_fail(error, TL_ERROR_ARGUMENT,
                       "ridge: %zu series with a target are too few; a penalty is chosen by leaving one out", self->rows);
    for (size_t i = 0; !several && i < self->rows; i++) several = self->labels[i] != self->labels[0];
    return several ? TL_OK
                   : tl_fail(error, TL_ERROR_ARGUMENT,
                             "ridge: all series have the label %d; classification needs at least two classes", self->labels[0]);
}

static tl_status collect(ridge *self, tl_error *error) {
    const size_t most = self->data->x.shape[0] * steps_of(self), features = features_of(self);
    self->inputs = tl_reserve(most * features, sizeof *self->inputs, "features", error);
    self->targets = tl_reserve(most * outputs_of(self), sizeof *self->targets, "targets", error);
    if (classifies(self)) self->labels = tl_reserve(most, sizeof *self->labels, "labels", error);
    if (!tl_failed(error)) run_batches(self, error);
    if (tl_failed(error) || check_samples(self, error) != TL_OK) return error->status;
    const size_t finite = tl_finite_count(self->inputs, self->rows * features);
    if (finite < self->rows * features)
        return tl_fail(
            error, TL_ERROR_NUMERIC,
            "ridge: feature %zu of the last layer is not finite for row %zu of %zu; check the series for values that are not "
            "finite or very large",
            finite % features, finite / features, self->rows);
    return TL_OK;
}

/* ---- logits ---- */

/* The derivative with respect to the slope of the cross-entropy of softmax(slope · scores). It increases with the slope. A label of
 * a class of n samples counts as wrong with probability 1 / (n + 2) (Platt 1999, "Probabilistic outputs for support vector
 * machines"). */
static double slope_derivative(const ridge *self, const double *scores, const double *counts, double slope) {
    const size_t classes = outputs_of(self);
    double derivative = 0;
    for (size_t i = 0; i < self->rows; i++) {
        const double *f = scores + i * classes;
        double largest = f[0], sum = 0, mean = 0, expected = 0;
        const double doubt = 1 / (counts[self->labels[i]] + 2);
        for (size_t c = 1; c < classes; c++) largest = fmax(largest, f[c]);
        for (size_t c = 0; c < classes; c++) {
            const double weight = exp(slope * (f[c] - largest));
            sum += weight;
            mean += weight * f[c];
            expected += ((size_t)self->labels[i] == c ? 1 - doubt : doubt / (double)(classes - 1)) * f[c];
        }
        derivative += mean / sum - expected;
    }
    return derivative;
}

/* Finds the slope at which the derivative is 0, by bisection between 1e-3 and 1e3. */
static tl_status find_slope(ridge *self, const double *scores, tl_error *error) {
    double low = log(1e-3), high = log(1e3);
    double *counts = tl_allocate(outputs_of(self), sizeof *counts, "class counts", error);
    for (size_t i = 0; counts && i < self->rows; i++) counts[self->labels[i]]++;
    for (int i = 0; counts && i < 50; i++) {
        const double middle = (low + high) / 2;
        if (slope_derivative(self, scores, counts, exp(middle)) > 0)
            high = middle;
        else
            low = middle;
    }
    self->slope = exp((low + high) / 2);
    tl_release(counts);
    return tl_failed(error) ? error->status : TL_OK;
}

static double accuracy_of(const ridge *self, const double *scores) {
    const size_t classes = outputs_of(self);
    size_t right = 0;
    for (size_t i = 0; i < self->rows; i++) {
        size_t best = 0;
        for (size_t c = 1; c < classes; c++)
            if (scores[i * classes + c] > scores[i * classes + best]) best = c;
        right += best == (size_t)self->labels[i];
    }
    return (double)right / (double)self->rows;
}

/* ---- the whole solution ---- */

static void put_weights(const ridge *self, const tl_regression *solved) {
    const size_t outputs = outputs_of(self);
    for (size_t i = 0; i < features_of(self) * outputs; i++)
        self->last->parameter[0][i] = (tl_real)(self->slope * solved->weight[i]);
    for (size_t k = 0; solved->intercept && k < outputs; k++)
        self->last->parameter[1][k] = (tl_real)(self->slope * solved->bias[k]);
}

static tl_status solve(ridge *self, tl_ridge_result *result, tl_error *error) {
    tl_regression problem = {.rows = self->rows,
                             .features = features_of(self),
                             .targets = outputs_of(self),
                             .x = self->inputs,
                             .y = self->targets,
                             .penalties = self->cfg.penalties,
                             .count = self->cfg.count,
                             .intercept = self->last->layer->parameters > 1,
                             .scale = !self->cfg.raw};
    tl_regression_solve(&problem, error);
    if (!tl_failed(error) && problem.constant == problem.features)
        tl_fail(error, TL_ERROR_NUMERIC,
                "ridge: all %zu features are the same for all series; check whether the series are constant or equal",
                problem.features);
    if (!tl_failed(error) && classifies(self)) find_slope(self, problem.left_out, error);
    if (!tl_failed(error)) {
        put_weights(self, &problem);
        tl_arrays_written(self->model);
        *result = (tl_ridge_result){.penalty = problem.penalty,
                                    .error = problem.error,
                                    .accuracy = classifies(self) ? accuracy_of(self, problem.left_out) : NAN,
                                    .slope = self->slope,
                                    .features = problem.features,
                                    .constant = problem.constant};
    }
    tl_regression_release(&problem);
    return tl_failed(error) ? error->status : TL_OK;
}

static void fit_ridge(ridge *self, tl_ridge_result *result, tl_error *error) {
    const double begin = tl_seconds();
    if (check(self, error) != TL_OK || tl_update_statistics(self->model, self->data, error) != TL_OK ||
        tl_keep_scales(self->model, self->data, error) != TL_OK)
        return;
    if (collect(self, error) == TL_OK) solve(self, result, error);
    result->seconds = tl_seconds() - begin;
    self->model->stage = TL_STAGE_NOTHING;
    release(self);
}

tl_status tl_fit_ridge_sized(tl_model *model, const tl_dataset *data, const tl_ridge_cfg *given, tl_ridge_result *result,
                             const tl_ridge_sizes *sizes, tl_error *error) {
    tl_error own = {0};
    tl_ridge_result found = {0};
    ridge self = {.model = model, .data = data, .slope = 1};
    tl_turn turn;
    if (!error) error = &own;
    if (tl_failed(error) || !tl_turn_begin(model, &turn, "ridge", error)) return error->status;
    tl_take(&self.cfg, sizeof self.cfg, given, sizes->cfg, "ridge", error);
    if (!tl_failed(error)) fit_ridge(&self, &found, error);
    tl_turn_end(model, turn);
    tl_hand_over(result, sizes->result, &found, sizeof found);
    return error->status;
}
