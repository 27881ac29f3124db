/* Learning-rate schedules: what the rate is after each epoch. */
#include <tapline/optimizer.h>

#include "argument.h"

#include <math.h>

static const char *const names[] = {[TL_SCHEDULE_CONSTANT] = "constant", [TL_SCHEDULE_PLATEAU] = "plateau"};

static const char *name_at(size_t index) { return index < sizeof names / sizeof *names ? names[index] : NULL; }

const char *tl_schedule_name(tl_schedule_kind kind) { return name_at((size_t)kind); }

tl_status tl_schedule_by_name(const char *name, tl_schedule_kind *kind, tl_error *error) {
    if (tl_failed(error)) return error->status;
    tl_error own = {0};
    if (!error) error = &own;
    const size_t index = tl_find_name("schedule", name, name_at, error);
    if (!tl_failed(error)) *kind = (tl_schedule_kind)index;
    return error->status;
}

tl_status tl_schedule_prepare(tl_schedule *schedule, const tl_schedule_cfg *cfg, tl_error *error) {
    tl_error own = {0};
    if (!error) error = &own;
    if (tl_failed(error)) return error->status;
    *schedule = (tl_schedule){.best = INFINITY};
    if (cfg) schedule->cfg = *cfg;
    tl_schedule_cfg *c = &schedule->cfg;
    if (c->kind == TL_SCHEDULE_CONSTANT) {
        if (c->factor != 0 || c->patience != 0 || c->minimum != 0)
            tl_fail(error, TL_ERROR_ARGUMENT, "schedule: factor, patience and minimum are for plateau, not for constant");
        return error->status;
    }
    if (c->factor == 0) c->factor = 0.5;
    if (c->patience == 0) c->patience = 50;
    if (c->minimum == 0) c->minimum = 1e-4;
    tl_check_number("schedule: factor", c->factor, 0, 1, error);
    tl_check_number("schedule: patience", c->patience, 1, INFINITY, error);
    tl_check_number("schedule: minimum", c->minimum, 0, INFINITY, error);
    return error->status;
}

/* As Keras's ReduceLROnPlateau: any lower loss is an improvement, and waiting starts anew after a reduction. */
double tl_schedule_next(tl_schedule *schedule, double learning_rate, double loss) {
    schedule->epochs++;
    if (schedule->cfg.kind == TL_SCHEDULE_CONSTANT) return learning_rate;
    if (loss < schedule->best) {
        schedule->best = loss;
        schedule->waited = 0;
        return learning_rate;
    }
    if (++schedule->waited < schedule->cfg.patience) return learning_rate;
    schedule->waited = 0;
    const double lowered = learning_rate * schedule->cfg.factor;
    return fmax(lowered, fmin(schedule->cfg.minimum, learning_rate));
}
