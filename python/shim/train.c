/* Training, evaluation, prediction. */
#include "python/shim/data.h"
#include "python/shim/settings.h"

#include <string.h>

/* ---- progress ---- */

typedef struct watcher {
    tl_shim_progress function;
    double every, last; /* seconds between calls; when it was called last */
} watcher;

static size_t put_metrics(double *numbers, const tl_metrics *metrics) {
    const double all[] = {metrics->loss, metrics->accuracy, metrics->rmse, metrics->mae};
    memcpy(numbers, all, sizeof all);
    return sizeof all / sizeof *all;
}

static bool watch(const tl_progress *p, void *user) {
    watcher *self = user;
    if (!p->epoch_end && p->seconds - self->last < self->every) return true;
    self->last = p->seconds;
    double numbers[TL_SHIM_PROGRESS] = {p->epoch, p->epochs, (double)p->batch, (double)p->batches, p->epoch_end};
    size_t count = 5;
    count += put_metrics(numbers + count, &p->train);
    count += put_metrics(numbers + count, &p->validation);
    const double rest[] = {(double)p->steps, p->step_loss, p->learning_rate, p->seconds};
    memcpy(numbers + count, rest, sizeof rest);
    return self->function(numbers) != 0;
}

int tl_shim_fit(tl_model *model, const tl_shim_data *data, const tl_shim_data *validation, const double *weights,
                const char *settings, const char *checkpoint, const char *resume, tl_shim_progress progress, double every,
                double *result, char *text) {
    tl_error error = {0};
    tl_fit_result fit = {0};
    tl_fit_cfg cfg = {0};
    watcher watched = {progress, every, 0};
    tl_shim_take_fit(settings, &cfg, &error);
    cfg.validation = tl_shim_dataset(validation);
    cfg.weights = weights;
    cfg.checkpoint = checkpoint;
    cfg.resume = resume;
    if (progress) cfg.callbacks[0] = (tl_callback){watch, &watched};
    if (!tl_failed(&error)) tl_fit(model, tl_shim_dataset(data), &cfg, &fit, &error);
    const double found[] = {fit.epochs,  (double)fit.steps, fit.best_epoch, fit.best_loss,
                            fit.stopped, fit.early_stopped, fit.seconds};
    memcpy(result, found, sizeof found);
    return tl_shim_report(&error, text);
}

int tl_shim_fit_ridge(tl_model *model, const tl_shim_data *data, const double *penalties, size_t count, double *result,
                      char *text) {
    tl_error error = {0};
    tl_ridge_result found = {0};
    tl_fit_ridge(model, tl_shim_dataset(data), &(tl_ridge_cfg){.penalties = penalties, .count = count}, &found, &error);
    const double all[] = {found.penalty,          found.error,  found.accuracy, found.slope, (double)found.features,
                          (double)found.constant, found.seconds};
    memcpy(result, all, sizeof all);
    return tl_shim_report(&error, text);
}

/* ---- use ---- */

int tl_shim_evaluate(tl_model *model, const tl_shim_data *data, double *metrics, char *text) {
    tl_error error = {0};
    tl_metrics found = {0};
    tl_evaluate(model, tl_shim_dataset(data), &found, &error);
    const size_t count = put_metrics(metrics, &found);
    const double rest[] = {found.balanced_accuracy, found.f1, found.auroc, found.r2};
    memcpy(metrics + count, rest, sizeof rest);
    return tl_shim_report(&error, text);
}

int tl_shim_predict(tl_model *model, const tl_real *x, const size_t *lengths, size_t count, size_t length, size_t channels,
                    tl_real *y, char *text) {
    tl_error error = {0};
    const tl_shape out = tl_output_shape(model);
    const tl_tensor in = TL_VIEW(x, count, length, channels);
    tl_tensor outputs = TL_VIEW(y, count, out.length, out.channels);
    tl_predict(model, &in, lengths, &outputs, &error);
    return tl_shim_report(&error, text);
}

int tl_shim_update_statistics(tl_model *model, const tl_shim_data *data, char *text) {
    tl_error error = {0};
    tl_update_statistics(model, tl_shim_dataset(data), &error);
    return tl_shim_report(&error, text);
}
