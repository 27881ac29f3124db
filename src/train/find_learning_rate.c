/* The learning-rate finder: a training whose callback sets the rate; the model is restored afterwards. */
#include <tapline/find_learning_rate.h>

#include "base/argument.h"
#include "base/math.h"
#include "data/dataset.h"
#include "graph/graph.h"
#include "graph/snapshot.h"
#include "train/evaluate.h"
#include "train/fit.h"

#include <math.h>
#include <stdlib.h>

struct tl_rate_curve {
    size_t count;
    double learning_rate[TL_RATES], loss[TL_RATES], smoothed[TL_RATES];
    double suggestion;
    bool diverged;
};

tl_rate_curve *tl_rate_curve_new(tl_error *error) {
    if (tl_failed(error)) return NULL;
    tl_rate_curve *curve = calloc(1, sizeof *curve);
    if (curve)
        curve->suggestion = NAN;
    else
        tl_fail(error, TL_ERROR_MEMORY, "learning-rate finder: out of memory");
    return curve;
}

void tl_rate_curve_free(tl_rate_curve *curve) { free(curve); }
size_t tl_rate_curve_count(const tl_rate_curve *curve) { return curve ? curve->count : 0; }
const double *tl_rate_curve_learning_rates(const tl_rate_curve *curve) { return curve ? curve->learning_rate : NULL; }
const double *tl_rate_curve_losses(const tl_rate_curve *curve) { return curve ? curve->loss : NULL; }
const double *tl_rate_curve_smoothed(const tl_rate_curve *curve) { return curve ? curve->smoothed : NULL; }
double tl_rate_curve_suggestion(const tl_rate_curve *curve) { return curve ? curve->suggestion : NAN; }
bool tl_rate_curve_diverged(const tl_rate_curve *curve) { return curve && curve->diverged; }

typedef struct trial {
    tl_rate_range range;
    tl_rate_curve *curve;
    const tl_callback *callbacks; /* those of the user */
    double minimum;               /* lowest mean of consecutive losses */
} trial;

static tl_status check_model(const tl_model *model, tl_error *error) {
    if (tl_report(model, error) != TL_OK) return error->status;
    if (!model->compiled || model->inference_only)
        return tl_fail(error, TL_ERROR_STATE, "learning-rate finder: the model is not compiled for training");
    return error->status;
}

static tl_status check_range(tl_rate_range *range, tl_error *error) {
    tl_check_number("learning-rate finder: low", range->low, 0, INFINITY, error);
    tl_check_number("learning-rate finder: high", range->high, 0, INFINITY, error);
    if (tl_failed(error)) return error->status;
    if (range->low == 0) range->low = 1e-7;
    if (range->high == 0) range->high = 10;
    if (range->steps == 0) range->steps = 100;
    if (range->low >= range->high)
        return tl_fail(error, TL_ERROR_ARGUMENT, "learning-rate finder: low %g is not below high %g", range->low, range->high);
    if (range->steps < 10 || range->steps > TL_RATES)
        return tl_fail(error, TL_ERROR_ARGUMENT, "learning-rate finder: steps %d is outside 10 … %d", range->steps, TL_RATES);
    return TL_OK;
}

static double rate_at(const tl_rate_range *range, size_t step) {
    return range->low * pow(range->high / range->low, (double)step / (range->steps - 1));
}

/* ---- the trial ---- */

/* Losses to either side that are averaged with a loss. */
static size_t reach(const tl_rate_range *range) { return range->steps < 40 ? 1 : (size_t)range->steps / 20; }

static double mean(const double *values, size_t count) {
    double sum = 0;
    for (size_t i = 0; i < count; i++) sum += values[i];
    return sum / (double)count;
}

/* Returns whether the last losses are four times the lowest ones so far (if a loss can be negative: as far above them). */
static bool diverges(trial *self) {
    const size_t count = self->curve->count, some = reach(&self->range);
    if (count < some) return false;
    const double last = mean(self->curve->loss + count - some, some);
    self->minimum = fmin(self->minimum, last);
    return last > self->minimum + 3 * fabs(self->minimum);
}

static bool observe(const tl_progress *at, void *user) {
    trial *self = user;
    tl_rate_curve *curve = self->curve;
    const bool on = tl_call_back(self->callbacks, at);
    if (at->steps == curve->count) return on; /* gradients are still accumulating */
    curve->learning_rate[curve->count] = at->learning_rate;
    curve->loss[curve->count++] = at->step_loss;
    curve->diverged = diverges(self);
    if (curve->diverged || curve->count == (size_t)self->range.steps) return false;
    tl_set_learning_rate(at->model, rate_at(&self->range, curve->count));
    return on;
}

/* ---- suggestion ---- */

/* Returns the slope of the line that best fits the 2 · some + 1 values around a value; 0 if it is less than three times its own
 * standard error, estimated from the scatter of the values around the line. */
static double slope_at(const double *value, size_t some) {
    const double count = 2 * (double)some + 1, centre = mean(value - some, 2 * some + 1);
    double sum = 0, squares = 0, scatter = 0;
    for (size_t k = 1; k <= some; k++) {
        sum += (double)k * (value[k] - *(value - k));
        squares += 2 * (double)(k * k);
    }
    const double slope = sum / squares;
    for (size_t i = 0; i <= 2 * some; i++) scatter += pow(*(value + i - some) - centre - slope * ((double)i - (double)some), 2);
    return slope * slope * squares * (count - 2) > 9 * scatter ? slope : 0;
}

static void smooth(tl_rate_curve *curve, size_t maximum) {
    for (size_t i = 0; i < curve->count; i++) {
        const size_t behind = curve->count - 1 - i, edge = tl_min(i, behind), some = tl_min(edge, maximum);
        curve->smoothed[i] = mean(curve->loss + i - some, 2 * some + 1);
    }
}

/* Only before the lowest loss: later the loss may also fall steeply, after it has risen. */
static void suggest(tl_rate_curve *curve, size_t some) {
    double steepest = 0;
    size_t minimum = 0;
    for (size_t i = 1; i < curve->count; i++)
        if (curve->smoothed[i] < curve->smoothed[minimum]) minimum = i;
    curve->suggestion = NAN;
    for (size_t i = some; i + some < curve->count && i <= minimum; i++) {
        const double slope = slope_at(curve->loss + i, some);
        if (slope < steepest) {
            steepest = slope;
            curve->suggestion = curve->learning_rate[i];
        }
    }
}

/* ---- finder ---- */

static size_t parts_of(size_t count, size_t size) { return size > 0 ? tl_ceil_div(count, size) : count; }

static tl_fit_cfg trial_cfg(trial *self, const tl_model *model, const tl_dataset *data, const tl_fit_cfg *cfg) {
    const size_t batches = parts_of(data->x.shape[0], cfg->batch > 0 ? cfg->batch : tl_model_batch(model));
    return (tl_fit_cfg){.epochs = (int)parts_of((size_t)self->range.steps, parts_of(batches, cfg->accumulate)),
                        .batch = cfg->batch,
                        .accumulate = cfg->accumulate,
                        .augment = cfg->augment,
                        .keep_order = cfg->keep_order,
                        .shards = cfg->shards,
                        .synchronise_batch_norm = cfg->synchronise_batch_norm,
                        .exchange = cfg->exchange,
                        .keep_running = true,
                        .weights = cfg->weights,
                        .callbacks = {{observe, self}}};
}

/* A loss that is not finite ends the trial without an error. */
static tl_status run(tl_model *model, const tl_dataset *data, const tl_fit_cfg *cfg, trial *self, tl_error *error) {
    tl_error own = {0};
    tl_set_learning_rate(model, self->range.low);
    tl_fit(model, data, cfg, NULL, &own);
    if (own.status == TL_ERROR_NUMERIC && self->curve->count > 0)
        self->curve->diverged = true;
    else if (tl_failed(&own))
        tl_fail(error, own.status, "%s", own.text);
    smooth(self->curve, reach(&self->range));
    suggest(self->curve, 2 * reach(&self->range));
    return error->status;
}

static void take_configuration(tl_fit_cfg *fit, const tl_fit_cfg *given, tl_rate_range *own, const tl_rate_range *range,
                               const tl_find_sizes *sizes, tl_error *error) {
    const tl_fit_sizes of_fit = {.cfg = sizes->cfg, .schedule = sizes->schedule, .augment = sizes->augment};
    tl_fit_take(fit, given, &of_fit, error);
    tl_take(own, sizeof *own, range, sizes->range, "learning-rate finder", error);
}

tl_status tl_find_learning_rate_sized(tl_model *model, const tl_dataset *data, const tl_fit_cfg *given, const tl_rate_range *range,
                                      tl_rate_curve *curve, const tl_find_sizes *sizes, tl_error *error) {
    tl_fit_cfg cfg;
    tl_error own = {0};
    if (!error) error = &own;
    if (!tl_given(curve, "learning-rate finder: the curve", error)) return error->status;
    *curve = (tl_rate_curve){.suggestion = NAN};
    trial self = {.curve = curve, .callbacks = cfg.callbacks, .minimum = INFINITY};
    take_configuration(&cfg, given, &self.range, range, sizes, error);
    if (tl_failed(error) || check_model(model, error) != TL_OK || tl_dataset_check(data, "learning-rate finder", error) != TL_OK)
        return error->status;
    if (check_range(&self.range, error) != TL_OK) return error->status;
    const tl_fit_cfg fit = trial_cfg(&self, model, data, &cfg);
    tl_snapshot before = {0};
    if (tl_snapshot_take(&before, model, error) == TL_OK) {
        run(model, data, &fit, &self, error);
        tl_snapshot_restore(&before, model);
    }
    tl_snapshot_release(&before);
    return error->status;
}
