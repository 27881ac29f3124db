/* Learning-rate schedules: the rate as a function of the steps and epochs so far, and of their losses. */
#include <tapline/optimizer.h>

#include "base/argument.h"
#include "base/schedule.h"
#include "optim/optim.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NOT_TAKEN = -1 };

/* Names and defaults; NOT_TAKEN: setting the field is an error. */
static const struct {
    const char *name;
    tl_schedule_cfg defaults;
} kinds[] = {
    [TL_SCHEDULE_CONSTANT] = {"constant", {.factor = NOT_TAKEN, .patience = NOT_TAKEN, .period = NOT_TAKEN, .minimum = NOT_TAKEN}},
    [TL_SCHEDULE_PLATEAU] = {"plateau", {.factor = 0.5, .patience = 50, .period = NOT_TAKEN, .minimum = 1e-4}},
    [TL_SCHEDULE_STEP] = {"step", {.factor = 0.1, .patience = NOT_TAKEN, .period = 30}},
    [TL_SCHEDULE_EXPONENTIAL] = {"exponential", {.factor = 0.95, .patience = NOT_TAKEN, .period = NOT_TAKEN}},
    [TL_SCHEDULE_COSINE] = {"cosine", {.factor = NOT_TAKEN, .patience = NOT_TAKEN, .period = NOT_TAKEN}},
    [TL_SCHEDULE_ONE_CYCLE] = {"one-cycle",
                               {.factor = NOT_TAKEN, .patience = NOT_TAKEN, .period = NOT_TAKEN, .minimum = NOT_TAKEN}},
    [TL_SCHEDULE_NOAM] = {"noam",
                          {.factor = NOT_TAKEN, .patience = NOT_TAKEN, .period = NOT_TAKEN, .minimum = NOT_TAKEN, .warmup = 4000}},
    [TL_SCHEDULE_KING] = {"king", {.factor = 0.1, .patience = 500, .period = NOT_TAKEN}},
};

enum { KINDS = sizeof kinds / sizeof *kinds };

static const char *name_at(size_t index) { return index < KINDS ? kinds[index].name : NULL; }

const char *tl_schedule_name(tl_schedule_kind kind) { return name_at((size_t)kind); }

tl_status tl_schedule_by_name(const char *name, tl_schedule_kind *kind, tl_error *error) {
    return tl_find_name("schedule", name, name_at, (int *)kind, error);
}

/* ---- configuration ---- */

/* Returns `value`, or its default if it is 0; checks minimum ≤ value < limit. */
static double take(const char *field, double value, double usual, double minimum, double limit, const char *kind, tl_error *error) {
    char what[60];
    snprintf(what, sizeof what, "schedule: %s", field);
    if (usual == NOT_TAKEN) {
        if (value != 0) tl_fail(error, TL_ERROR_ARGUMENT, "%s %g does not apply to %s", what, value, kind);
        return 0;
    }
    if (value == 0) return usual;
    tl_check_number(what, value, minimum, limit, error);
    return value;
}

tl_status tl_schedule_prepare(tl_schedule *schedule, const tl_schedule_cfg *cfg, double learning_rate, uint64_t steps,
                              tl_error *error) {
    tl_error own = {0};
    if (!error) error = &own;
    if (tl_failed(error)) return error->status;
    const tl_schedule_cfg given = cfg ? *cfg : (tl_schedule_cfg){0};
    if ((size_t)given.kind >= KINDS) return tl_fail(error, TL_ERROR_ARGUMENT, "schedule: kind %d is unknown", (int)given.kind);
    const tl_schedule_cfg *usual = &kinds[given.kind].defaults;
    const char *kind = kinds[given.kind].name;
    if (steps == 0 && (given.kind == TL_SCHEDULE_COSINE || given.kind == TL_SCHEDULE_ONE_CYCLE))
        return tl_fail(error, TL_ERROR_ARGUMENT, "schedule: %s over 0 steps; at least 1 is needed", kind);
    const bool king = given.kind == TL_SCHEDULE_KING;
    *schedule = (tl_schedule){
        .cfg = {.kind = given.kind,
                .factor = take("factor", given.factor, usual->factor, 0, 1, kind, error),
                .patience = (int)take("patience", given.patience, usual->patience, king ? 3 : 1,
                                      king ? TL_SCHEDULE_LOSSES + 1 : INFINITY, kind, error),
                .period = (int)take("period", given.period, usual->period, 1, INFINITY, kind, error),
                .minimum = take("minimum", given.minimum, usual->minimum, 0, INFINITY, kind, error),
                .warmup = (int)take("warmup", given.warmup, usual->warmup, 0, INFINITY, kind, error)},
        .start = learning_rate,
        .reduced = learning_rate,
        .total = steps,
        .best = INFINITY,
    };
    return error->status;
}

static tl_schedule *allocate(tl_error *error) {
    if (tl_failed(error)) return NULL;
    tl_schedule *schedule = calloc(1, sizeof *schedule);
    if (!schedule) tl_fail(error, TL_ERROR_MEMORY, "schedule: out of memory");
    return schedule;
}

tl_schedule *tl_schedule_new_sized(const tl_schedule_cfg *given, size_t size, double learning_rate, uint64_t steps,
                                   tl_error *error) {
    tl_schedule_cfg cfg;
    tl_error own = {0};
    if (!error) error = &own;
    tl_schedule *schedule = allocate(error);
    tl_take(&cfg, sizeof cfg, given, size, "schedule", error);
    if (schedule && tl_schedule_prepare(schedule, &cfg, learning_rate, steps, error) == TL_OK) return schedule;
    free(schedule);
    return NULL;
}

tl_schedule *tl_schedule_copy(const tl_schedule *schedule, tl_error *error) {
    tl_schedule *copy = tl_given(schedule, "schedule: the one to copy", error) ? allocate(error) : NULL;
    if (copy) *copy = *schedule;
    return copy;
}

void tl_schedule_free(tl_schedule *schedule) { free(schedule); }

/* ---- the rate ---- */

/* The lowest rate; a rate that starts below it stays. */
static double floor_of(const tl_schedule *schedule) { return fmin(schedule->cfg.minimum, schedule->start); }

/* Half a cosine from `first` at part 0 to `last` at part 1. */
static double anneal(double first, double last, double part) { return last + (first - last) / 2 * (1 + cos(acos(-1) * part)); }

/* Up from a 25th over the first 0.3 of the steps, then down to a ten-thousandth of that. */
static double one_cycle(const tl_schedule *schedule) {
    const double top = schedule->start, low = top / 25, last = (double)schedule->total - 1;
    const double step = fmin((double)schedule->steps, last), peak = 0.3 * (double)schedule->total - 1;
    if (step <= peak) return anneal(low, top, step / peak);
    return anneal(top, low * 1e-4, (step - peak) / (last - peak));
}

/* The rate before warm-up. */
static double scheduled(const tl_schedule *schedule) {
    const tl_schedule_cfg *cfg = &schedule->cfg;
    const double start = schedule->start, step = (double)schedule->steps, minimum = floor_of(schedule);
    switch (cfg->kind) {
    case TL_SCHEDULE_STEP:
        return fmax(minimum, start * pow(cfg->factor, floor((double)schedule->epochs / cfg->period)));
    case TL_SCHEDULE_EXPONENTIAL:
        return fmax(minimum, start * pow(cfg->factor, (double)schedule->epochs));
    case TL_SCHEDULE_COSINE:
        return anneal(start, minimum, fmin(1, step / (double)schedule->total));
    case TL_SCHEDULE_ONE_CYCLE:
        return one_cycle(schedule);
    case TL_SCHEDULE_NOAM: /* its warm-up is in tl_schedule_rate */
        return start * fmin(1, sqrt(cfg->warmup / (step + 1)));
    default:
        return schedule->reduced;
    }
}

double tl_schedule_rate(const tl_schedule *schedule) {
    if (!schedule) return 0;
    const double warmup = schedule->cfg.warmup, step = (double)schedule->steps + 1;
    return scheduled(schedule) * (step < warmup ? step / warmup : 1);
}

/* ---- effects of the losses ---- */

static void reduce(tl_schedule *schedule) {
    schedule->reduced = fmax(schedule->reduced * schedule->cfg.factor, floor_of(schedule));
    schedule->waited = 0;
    schedule->losses = 0;
}

void tl_schedule_step(tl_schedule *schedule, double loss) {
    if (!schedule) return;
    const size_t patience = (size_t)schedule->cfg.patience;
    schedule->steps++;
    if (schedule->cfg.kind != TL_SCHEDULE_KING) return;
    if (schedule->losses == patience) memmove(schedule->loss, schedule->loss + 1, --schedule->losses * sizeof *schedule->loss);
    schedule->loss[schedule->losses++] = loss;
    if (schedule->losses == patience && tl_king_stalled(schedule->loss, patience)) reduce(schedule);
}

/* As Keras's ReduceLROnPlateau: any lower loss is an improvement, and counting starts again after a reduction. */
void tl_schedule_epoch(tl_schedule *schedule, double loss) {
    if (!schedule) return;
    schedule->epochs++;
    if (schedule->cfg.kind != TL_SCHEDULE_PLATEAU) return;
    if (loss < schedule->best) {
        schedule->best = loss;
        schedule->waited = 0;
    } else if (++schedule->waited >= schedule->cfg.patience)
        reduce(schedule);
}
