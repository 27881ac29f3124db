/* The mean of the predictions of several models, stored as sums over the members.
 *
 * For probabilities, logarithms are added (log p, and for single labels also log(1 - p)), in double. The mean of very small
 * probabilities then keeps its digits. The results are logits, so that losses and ranks are computed as for a single model.
 */
#include <tapline/ensemble.h>

#include "base/argument.h"
#include "base/memory.h"
#include "base/scaling.h"
#include "data/dataset.h"
#include "graph/graph.h"
#include "train/evaluate.h"

#include <math.h>
#include <stdlib.h>

struct tl_ensemble {
    const tl_dataset *data;
    size_t members;
    tl_loss_spec loss;  /* of the first member, like its output shape */
    tl_scaling targets; /* and its scale of target values */
    tl_shape out;
    double *sum;   /* (samples, out.length, out.channels): sums of log p, or of values */
    double *other; /* binary cross-entropy: the same for log (1 - p) */
    size_t *steps; /* (samples) steps of the outputs that are data; NULL: all */
};

tl_ensemble *tl_ensemble_new(const tl_dataset *data, tl_error *error) {
    if (tl_failed(error) || tl_dataset_check(data, "ensemble", error) != TL_OK) return NULL;
    tl_ensemble *ensemble = calloc(1, sizeof *ensemble);
    if (ensemble)
        ensemble->data = data;
    else
        tl_fail(error, TL_ERROR_MEMORY, "ensemble: out of memory");
    return ensemble;
}

void tl_ensemble_free(tl_ensemble *ensemble) {
    if (!ensemble) return;
    tl_loss_release(&ensemble->loss);
    tl_scaling_free(&ensemble->targets);
    tl_release(ensemble->sum);
    tl_release(ensemble->other);
    tl_release(ensemble->steps);
    free(ensemble);
}

size_t tl_ensemble_members(const tl_ensemble *ensemble) { return ensemble ? ensemble->members : 0; }

/* ---- adding members ---- */

static size_t row_count(const tl_ensemble *ensemble) { return ensemble->data->x.shape[0] * ensemble->out.length; }

static tl_status check_member(const tl_ensemble *ensemble, const tl_model *model, tl_error *error) {
    const tl_shape out = tl_output_shape(model), first = ensemble->out;
    if (ensemble->members == 0) return TL_OK;
    if (out.length != first.length || out.channels != first.channels)
        return tl_fail(error, TL_ERROR_SHAPE, "ensemble: the output of member %zu is (%zu, %zu), that of member 0 is (%zu, %zu)",
                       ensemble->members, out.length, out.channels, first.length, first.channels);
    if (tl_model_loss(model) != ensemble->loss.kind)
        return tl_fail(error, TL_ERROR_ARGUMENT, "ensemble: the loss of member %zu is %s, that of member 0 is %s",
                       ensemble->members, tl_loss_name(tl_model_loss(model)), tl_loss_name(ensemble->loss.kind));
    return TL_OK;
}

/* Stores what all members must have in common with the first, and allocates the sums. */
static tl_status begin(tl_ensemble *ensemble, const tl_model *model, tl_error *error) {
    tl_loss_release(&ensemble->loss); /* of a member that was not added */
    tl_release(ensemble->sum);
    tl_release(ensemble->other);
    ensemble->sum = ensemble->other = NULL;
    tl_scaling_free(&ensemble->targets);
    ensemble->out = tl_output_shape(model);
    if (tl_scaling_copy(&model->targets, ensemble->out.channels, &ensemble->targets, error) != TL_OK) return error->status;
    ensemble->loss = model->loss;
    ensemble->loss.class_weights = NULL;
    const size_t count = row_count(ensemble) * ensemble->out.channels;
    if (model->loss.class_weights) tl_loss_weigh(&ensemble->loss, model->loss.class_weights, ensemble->out.channels, error);
    if (!tl_failed(error)) ensemble->sum = tl_allocate(count, sizeof *ensemble->sum, "the sum of predictions", error);
    if (!tl_failed(error) && ensemble->loss.kind == TL_LOSS_BINARY_CROSS_ENTROPY)
        ensemble->other = tl_allocate(count, sizeof *ensemble->other, "the sum of predictions", error);
    return tl_failed(error) ? error->status : TL_OK;
}

/* log(e^a + e^b). */
static double log_add(double a, double b) { return a == b ? a + log(2) : fmax(a, b) + log1p(exp(-fabs(a - b))); }

/* Adds `value` to a sum of logarithms; the first member sets it. */
static void add_log(const tl_ensemble *ensemble, double *sum, double value) {
    *sum = ensemble->members == 0 ? value : log_add(*sum, value);
}

/* log(1 / (1 + e^-x)). */
static double log_sigmoid(double x) { return fmin(x, 0) - log1p(exp(-fabs(x))); }

static void add_row(const tl_ensemble *ensemble, const tl_scaling *targets, const tl_real *y, size_t first) {
    const size_t channels = ensemble->out.channels;
    const double total = ensemble->loss.kind == TL_LOSS_CROSS_ENTROPY ? tl_log_sum_exp(y, channels) : 0;
    for (size_t c = 0; c < channels; c++) {
        double *sum = ensemble->sum + first + c;
        if (ensemble->loss.kind == TL_LOSS_CROSS_ENTROPY)
            add_log(ensemble, sum, (double)y[c] - total);
        else if (ensemble->loss.kind == TL_LOSS_BINARY_CROSS_ENTROPY) {
            add_log(ensemble, sum, log_sigmoid((double)y[c]));
            add_log(ensemble, ensemble->other + first + c, log_sigmoid(-(double)y[c]));
        } else
            *sum += tl_unscaled(targets, c, (double)y[c]);
    }
}

/* Checks that the network gives the same output lengths as the first. */
static tl_status check_steps(const tl_ensemble *ensemble, const size_t *steps, tl_error *error) {
    for (size_t i = 0; ensemble->steps && i < ensemble->data->x.shape[0]; i++)
        if (steps[i] != ensemble->steps[i])
            return tl_fail(error, TL_ERROR_SHAPE, "ensemble: member %zu has %zu steps for sample %zu, but member 0 has %zu",
                           ensemble->members, steps[i], i, ensemble->steps[i]);
    return TL_OK;
}

static void add_outputs(tl_ensemble *ensemble, const tl_scaling *targets, tl_outputs *outputs) {
    const size_t channels = ensemble->out.channels;
    for (size_t row = 0; row < row_count(ensemble); row++)
        add_row(ensemble, targets, outputs->y.data + row * channels, row * channels);
    if (ensemble->members++ > 0) return;
    ensemble->steps = outputs->steps;
    outputs->steps = NULL;
}

tl_status tl_ensemble_add(tl_ensemble *ensemble, tl_model *model, tl_error *error) {
    tl_error own = {0};
    tl_outputs outputs = {0};
    if (!error) error = &own;
    if (tl_failed(error) || !tl_given(ensemble, "the ensemble", error) ||
        tl_series_check(model, ensemble->data, "ensemble", error) != TL_OK)
        return error->status;
    if (check_member(ensemble, model, error) != TL_OK) return error->status;
    if (ensemble->members == 0 && begin(ensemble, model, error) != TL_OK) return error->status;
    if (tl_outputs_run(&outputs, model, ensemble->data, NULL, error) == TL_OK &&
        check_steps(ensemble, outputs.steps, error) == TL_OK)
        add_outputs(ensemble, &model->targets, &outputs);
    tl_outputs_release(&outputs);
    return error->status;
}

/* ---- mean predictions ---- */

/* Computes outputs like those of the first model: logits for the cross-entropies, values in its scale. */
static void merge(const tl_ensemble *ensemble, tl_real *y) {
    const double members = (double)ensemble->members;
    for (size_t i = 0; i < row_count(ensemble) * ensemble->out.channels; i++) {
        const double sum = ensemble->sum[i];
        y[i] = (tl_real)(ensemble->other ? sum - ensemble->other[i]
                         : ensemble->loss.kind == TL_LOSS_CROSS_ENTROPY
                             ? sum - log(members)
                             : tl_scaled(&ensemble->targets, i % ensemble->out.channels, sum / members));
    }
}

static tl_status check_members(const tl_ensemble *ensemble, tl_error *error) {
    if (tl_failed(error) || !tl_given(ensemble, "the ensemble", error)) return error->status;
    return ensemble->members > 0 ? TL_OK : tl_fail(error, TL_ERROR_STATE, "ensemble: it has no members");
}

/* Computes the mean predictions, for data with targets; `steps` stay the ensemble's. Free outputs->y in any case. */
static tl_status merged(const tl_ensemble *ensemble, tl_outputs *outputs, tl_error *error) {
    if (tl_target_check(ensemble->loss.kind, ensemble->out, ensemble->data, error) != TL_OK) return error->status;
    const size_t shape[] = {ensemble->data->x.shape[0], ensemble->out.length, ensemble->out.channels};
    *outputs = (tl_outputs){.y = tl_tensor_new(3, shape, error), .steps = ensemble->steps};
    if (!tl_failed(error)) merge(ensemble, outputs->y.data);
    return error->status;
}

tl_status tl_ensemble_evaluate(const tl_ensemble *ensemble, tl_metrics *metrics, tl_error *error) {
    tl_error own = {0};
    tl_outputs outputs = {0};
    if (!error) error = &own;
    if (check_members(ensemble, error) == TL_OK && tl_given(metrics, "ensemble: metrics", error) &&
        merged(ensemble, &outputs, error) == TL_OK)
        tl_measure(&ensemble->loss, &ensemble->targets, &outputs, ensemble->data, metrics, error);
    tl_tensor_free(&outputs.y);
    return error->status;
}

tl_status tl_ensemble_confusion(const tl_ensemble *ensemble, size_t *counts, tl_error *error) {
    tl_error own = {0};
    tl_outputs outputs = {0};
    if (!error) error = &own;
    if (check_members(ensemble, error) == TL_OK && tl_given(counts, "confusion: counts", error) &&
        tl_loss_has_classes(ensemble->loss.kind, "confusion", error) == TL_OK && merged(ensemble, &outputs, error) == TL_OK)
        tl_outputs_confusion(&outputs, ensemble->loss.kind, ensemble->data, counts, error);
    tl_tensor_free(&outputs.y);
    return error->status;
}

tl_status tl_ensemble_predict(const tl_ensemble *ensemble, tl_tensor *y, tl_error *error) {
    tl_error own = {0};
    if (!error) error = &own;
    if (check_members(ensemble, error) != TL_OK) return error->status;
    if (tl_predicted_check(y, ensemble->data->x.shape[0], ensemble->out, "ensemble", error) != TL_OK) return error->status;
    merge(ensemble, y->data);
    tl_outputs_predict(ensemble->loss.kind, &ensemble->targets, y);
    return TL_OK;
}
