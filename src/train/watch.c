/* The quantity that decides which epoch is best. */
#include "base/argument.h"
#include "graph/loss.h"
#include "train/fit.h"

#include <math.h>

typedef enum applies { ANY, CLASSES, VALUES } applies;

static const struct {
    const char *name;
    bool validation, highest; /* whether it is of the validation set; whether higher is better */
    applies to;
    size_t metric; /* in tl_metrics */
} kinds[] = {
    [TL_WATCH_DEFAULT] = {"default", false, false, ANY, offsetof(tl_metrics, loss)},
    [TL_WATCH_TRAIN_LOSS] = {"train-loss", false, false, ANY, offsetof(tl_metrics, loss)},
    [TL_WATCH_VALIDATION_LOSS] = {"validation-loss", true, false, ANY, offsetof(tl_metrics, loss)},
    [TL_WATCH_VALIDATION_ACCURACY] = {"validation-accuracy", true, true, CLASSES, offsetof(tl_metrics, accuracy)},
    [TL_WATCH_VALIDATION_BALANCED_ACCURACY] = {"validation-balanced-accuracy", true, true, CLASSES,
                                               offsetof(tl_metrics, balanced_accuracy)},
    [TL_WATCH_VALIDATION_F1] = {"validation-f1", true, true, CLASSES, offsetof(tl_metrics, f1)},
    [TL_WATCH_VALIDATION_AUROC] = {"validation-auroc", true, true, CLASSES, offsetof(tl_metrics, auroc)},
    [TL_WATCH_VALIDATION_RMSE] = {"validation-rmse", true, false, VALUES, offsetof(tl_metrics, rmse)},
    [TL_WATCH_VALIDATION_MAE] = {"validation-mae", true, false, VALUES, offsetof(tl_metrics, mae)},
    [TL_WATCH_VALIDATION_R2] = {"validation-r2", true, true, VALUES, offsetof(tl_metrics, r2)},
};

enum { KINDS = sizeof kinds / sizeof *kinds };

static const char *name_at(size_t index) { return index < KINDS ? kinds[index].name : NULL; }

const char *tl_watch_name(tl_watch watch) { return name_at((size_t)watch); }

tl_status tl_watch_by_name(const char *name, tl_watch *watch, tl_error *error) {
    return tl_find_name("watch", name, name_at, (int *)watch, error);
}

tl_status tl_watch_check(const tl_fit_state *fit, tl_error *error) {
    const size_t watch = (size_t)fit->cfg.watch;
    const tl_loss_kind loss = tl_model_loss(fit->model);
    if (watch >= KINDS) return tl_fail(error, TL_ERROR_ARGUMENT, "fit: watch %d is unknown", (int)fit->cfg.watch);
    if (kinds[watch].validation && !fit->cfg.validation)
        return tl_fail(error, TL_ERROR_ARGUMENT, "fit: watch %s: there is no validation set", kinds[watch].name);
    if (kinds[watch].to != ANY && (kinds[watch].to == CLASSES) != tl_loss_takes_labels(loss))
        return tl_fail(error, TL_ERROR_ARGUMENT, "fit: watch %s is for %s, but the loss is %s", kinds[watch].name,
                       kinds[watch].to == CLASSES ? "classes" : "target values", tl_loss_name(loss));
    return TL_OK;
}

double tl_watched(const tl_fit_state *fit, double loss) {
    const tl_watch watch = fit->cfg.watch;
    const bool validation = watch == TL_WATCH_DEFAULT ? fit->cfg.validation != NULL : kinds[watch].validation;
    return validation ? *(const double *)(const void *)((const char *)&fit->validation + kinds[watch].metric) : loss;
}

bool tl_watch_better(const tl_fit_state *fit, double value, double other) {
    return kinds[fit->cfg.watch].highest ? value > other : value < other;
}

double tl_watch_worst(const tl_fit_state *fit) { return kinds[fit->cfg.watch].highest ? -INFINITY : INFINITY; }
