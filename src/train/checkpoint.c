/* Checkpoints: a model file with everything else that is needed to resume a training. */
#include "base/math.h"
#include "base/setting.h"
#include "graph/graph.h"
#include "models/model.h"
#include "models/network.h"
#include "train/fingerprint.h"
#include "train/fit.h"

#include <tapline/machine.h>

#include <stdio.h>
#include <string.h>

/* ---- numbers ---- */

_Static_assert(sizeof(size_t) == sizeof(uint64_t), "TL_SETTING_SIZE is used for both");

static const tl_setting model_numbers[] = {
    {"steps", TL_SETTING_SIZE, offsetof(tl_model, steps), NULL},
    {"passes", TL_SETTING_SIZE, offsetof(tl_model, passes), NULL},
    {"samples", TL_SETTING_SIZE, offsetof(tl_model, samples), NULL},
    {"weight", TL_SETTING_NUMBER, offsetof(tl_model, weight), NULL},
    {"learning_rate", TL_SETTING_NUMBER, offsetof(tl_model, optimizer.learning_rate), NULL},
    {0},
};

static const tl_setting fit_numbers[] = {
    {"epoch", TL_SETTING_INTEGER, offsetof(tl_fit_state, epoch), NULL},
    {"batch", TL_SETTING_SIZE, offsetof(tl_fit_state, batch), NULL},
    {"order_key", TL_SETTING_SIZE, offsetof(tl_fit_state, order_key), NULL},
    {"learning_rate", TL_SETTING_NUMBER, offsetof(tl_fit_state, learning_rate), NULL},
    {"steps", TL_SETTING_SIZE, offsetof(tl_fit_state, result.steps), NULL},
    {"best_epoch", TL_SETTING_INTEGER, offsetof(tl_fit_state, result.best_epoch), NULL},
    {"best_loss", TL_SETTING_NUMBER, offsetof(tl_fit_state, result.best_loss), NULL},
    {"best_accuracy", TL_SETTING_NUMBER, offsetof(tl_fit_state, result.best_accuracy), NULL},
    {"seconds", TL_SETTING_NUMBER, offsetof(tl_fit_state, result.seconds), NULL},
    {0},
};

static const tl_setting tally_numbers[] = {
    {"loss", TL_SETTING_NUMBER, offsetof(tl_tally, loss), NULL},
    {"weight", TL_SETTING_NUMBER, offsetof(tl_tally, weight), NULL},
    {"correct", TL_SETTING_NUMBER, offsetof(tl_tally, correct), NULL},
    {"squared", TL_SETTING_NUMBER, offsetof(tl_tally, squared), NULL},
    {"absolute", TL_SETTING_NUMBER, offsetof(tl_tally, absolute), NULL},
    {"samples", TL_SETTING_SIZE, offsetof(tl_tally, samples), NULL},
    {"values", TL_SETTING_SIZE, offsetof(tl_tally, values), NULL},
    {0},
};

/* The total number of steps follows from the epochs, the first rate from the model. */
static const tl_setting schedule_numbers[] = {
    {"steps", TL_SETTING_SIZE, offsetof(tl_schedule, steps), NULL},
    {"epochs", TL_SETTING_SIZE, offsetof(tl_schedule, epochs), NULL},
    {"reduced", TL_SETTING_NUMBER, offsetof(tl_schedule, reduced), NULL},
    {"best", TL_SETTING_NUMBER, offsetof(tl_schedule, best), NULL},
    {"waited", TL_SETTING_INTEGER, offsetof(tl_schedule, waited), NULL},
    {0},
};

/* A group of numbers and their place. */
typedef struct section {
    const char *name;
    const tl_setting *numbers;
    void *object;
} section;

enum { SECTIONS = 5 };

static void list_sections(tl_fit_state *f, section sections[SECTIONS]) {
    const section all[SECTIONS] = {{"model", model_numbers, f->model},
                                   {"fit", fit_numbers, f},
                                   {"epoch", tally_numbers, &f->sums},
                                   {"step", tally_numbers, &f->last},
                                   {"schedule", schedule_numbers, &f->schedule}};
    memcpy(sections, all, sizeof all);
}

/* ---- saving ---- */

static json_t *describe_losses(const tl_schedule *schedule) {
    json_t *list = json_array();
    bool whole = list != NULL;
    for (size_t i = 0; whole && i < schedule->losses; i++) whole = json_array_append_new(list, json_real(schedule->loss[i])) == 0;
    if (whole) return list;
    json_decref(list);
    return NULL;
}

static json_t *describe_state(tl_fit_state *fit) {
    section sections[SECTIONS];
    json_t *state = json_object();
    bool whole = json_object_set_new(state, "losses", describe_losses(&fit->schedule)) == 0;
    list_sections(fit, sections);
    for (size_t i = 0; whole && i < SECTIONS; i++) {
        json_t *numbers = json_object();
        whole = numbers && tl_settings_put_all(sections[i].numbers, sections[i].object, numbers);
        whole = json_object_set_new(state, sections[i].name, numbers) == 0 && whole;
    }
    if (whole) return state;
    json_decref(state);
    return NULL;
}

/* The prefix of names of arrays besides the parameters: "moment_0/". */
static const char *moment_prefix(size_t moment, char text[32]) {
    snprintf(text, 32, "moment_%zu/", moment);
    return text;
}

/* The part of a flat buffer that belongs to a parameter array. */
static tl_tensor part_of(const tl_model *model, const tl_parameter *parameter, tl_real *flat) {
    tl_tensor part = parameter->value;
    part.data = flat + (parameter->value.data - model->parameters);
    return part;
}

/* Moments, and gradients if a step has begun. */
static void put_training(tl_archive *archive, const tl_model *model, tl_error *error) {
    char prefix[32];
    for (size_t i = 0; i < tl_parameter_arrays(model) && !tl_failed(error); i++) {
        const tl_parameter parameter = tl_array_at(model, i);
        if (!parameter.gradient.data) continue;
        for (size_t m = 0; m < model->optimizer.ops->moments; m++) {
            const tl_tensor moment = part_of(model, &parameter, model->moment[m]);
            tl_archive_add(archive, moment_prefix(m, prefix), parameter.layer, parameter.name, &moment, error);
        }
        if (model->samples > 0) tl_archive_add(archive, "gradient/", parameter.layer, parameter.name, &parameter.gradient, error);
    }
}

static void put_best(tl_archive *archive, const tl_fit_state *fit, tl_error *error) {
    tl_real *at = fit->best;
    for (size_t i = 0; i < tl_parameter_arrays(fit->model) && !tl_failed(error); i++) {
        const tl_parameter parameter = tl_array_at(fit->model, i);
        tl_tensor best = parameter.value;
        best.data = at;
        tl_archive_add(archive, "best/", parameter.layer, parameter.name, &best, error);
        at += tl_tensor_count(&best);
    }
}

static tl_status fill(tl_archive *archive, tl_fit_state *fit, tl_error *error) {
    char threads[16];
    snprintf(threads, sizeof threads, "%d", tl_model_threads(fit->model));
    tl_archive_text(archive, "kind", "checkpoint", error);
    tl_archive_text(archive, "threads", threads, error);
    tl_archive_json(archive, "fingerprint", tl_fingerprint_of(fit), error);
    tl_archive_json(archive, "machine", tl_fingerprint_machine(fit->model), error);
    tl_archive_json(archive, "training", describe_state(fit), error);
    tl_model_put(archive, fit->model, &(tl_save_cfg){.data = fit->data}, error);
    put_training(archive, fit->model, error);
    if (fit->best && fit->result.best_epoch > 0) put_best(archive, fit, error);
    return error->status;
}

tl_status tl_checkpoint_save(tl_fit_state *fit, tl_error *error) {
    tl_archive archive = {0};
    if (fill(&archive, fit, error) == TL_OK) tl_archive_save(&archive, fit->cfg.checkpoint, error);
    tl_archive_release(&archive);
    return error->status;
}

/* ---- resuming ---- */

/* The differences that tl_fit_cfg.changes allows. */
static const struct {
    tl_change change;
    const char *object, *key; /* object NULL: of the fingerprint itself */
} changeable[] = {{TL_CHANGE_RATE, NULL, "learning_rate"},
                  {TL_CHANGE_RATE, NULL, "schedule"},
                  {TL_CHANGE_PATIENCE, "fit", "patience"},
                  {TL_CHANGE_CLIPPING, NULL, "limits"}};

enum { CHANGEABLE = sizeof changeable / sizeof *changeable };

/* Moves a member to another object; nothing if it does not exist. */
static void move_member(json_t *from, const char *object, const char *key, json_t *to) {
    json_t *holder = object ? json_object_get(from, object) : from, *value = json_object_get(holder, key);
    if (!value) return;
    json_object_set(to, key, value);
    json_object_del(holder, key);
}

/* json_equal returns false for two NULLs. */
static bool differs(const json_t *were, const json_t *are, const char *key) {
    const json_t *before = json_object_get(were, key), *now = json_object_get(are, key);
    return (before || now) && !json_equal(before, now);
}

/* Removes the allowed differences from both fingerprints, and records them. */
static void allow_changes(tl_fit_state *fit, json_t *before, json_t *now) {
    char text[150];
    json_t *were = json_object(), *are = json_object();
    for (size_t i = 0; i < CHANGEABLE; i++) {
        if (!(fit->cfg.changes & (unsigned)changeable[i].change)) continue;
        move_member(before, changeable[i].object, changeable[i].key, were);
        move_member(now, changeable[i].object, changeable[i].key, are);
    }
    fit->new_rate = differs(were, are, "learning_rate");
    fit->new_schedule = differs(were, are, "schedule");
    if (tl_fingerprint_differs(were, are, text, sizeof text))
        snprintf(fit->result.note, sizeof fit->result.note, "changed: %s", text);
    json_decref(were);
    json_decref(are);
}

static tl_status check_fingerprint(const tl_archive *archive, tl_fit_state *fit, tl_error *error) {
    char text[300];
    const char *key = json_object_get(archive->metadata, "fingerprint") ? "fingerprint" : "recipe"; /* its name until 0.1 */
    json_t *before = tl_archive_parse(archive, key, error), *now = before ? tl_fingerprint_of(fit) : NULL;
    if (before && !json_object_get(before, "classes")) json_object_del(now, "classes"); /* files until 0.1 do not have them */
    if (before && now) allow_changes(fit, before, now);
    if (before && !now)
        tl_fail(error, TL_ERROR_MEMORY, "resume: out of memory");
    else if (before && tl_fingerprint_differs(before, now, text, sizeof text))
        tl_fail(error, TL_ERROR_ARGUMENT, "%.150s: is of another training: %s", archive->path, text);
    json_decref(now);
    json_decref(before);
    return error->status;
}

static tl_status note_machine(const tl_archive *archive, tl_fit_state *fit, tl_error *error) {
    char text[120];
    json_t *before = tl_archive_parse(archive, "machine", error), *now = before ? tl_fingerprint_machine(fit->model) : NULL;
    if (before && !now)
        tl_fail(error, TL_ERROR_MEMORY, "resume: out of memory");
    else if (before && !*fit->result.note && tl_fingerprint_differs(before, now, text, sizeof text))
        snprintf(fit->result.note, sizeof fit->result.note, "the last bits may differ from uninterrupted training: %s", text);
    json_decref(now);
    json_decref(before);
    return error->status;
}

static tl_status wrong_state(const tl_archive *archive, const char *what, tl_error *error) {
    return tl_fail(error, TL_ERROR_FORMAT, "%.180s: metadata \"training\": %s", archive->path, what);
}

static tl_status read_section(const tl_archive *archive, const section *to, json_t *from, tl_error *error) {
    const char *key;
    json_t *value;
    json_object_foreach(from, key, value) {
        tl_error wrong = {0};
        if (tl_setting_set(to->numbers, to->object, key, value, 0, &wrong) != TL_OK) return wrong_state(archive, wrong.text, error);
    }
    return TL_OK;
}

static tl_status read_losses(const tl_archive *archive, tl_fit_state *fit, const json_t *list, tl_error *error) {
    tl_schedule *schedule = &fit->schedule;
    const size_t count = json_array_size(list);
    if (fit->new_schedule) return TL_OK; /* which collects its own */
    if (count > 0 && (schedule->cfg.kind != TL_SCHEDULE_KING || count > (size_t)schedule->cfg.patience))
        return wrong_state(archive, "has more losses than the schedule can keep", error);
    schedule->losses = count;
    for (size_t i = 0; i < count; i++) schedule->loss[i] = json_number_value(json_array_get(list, i));
    return TL_OK;
}

/* `numbers`: those of the model, which is not changed before all of them are checked. */
static tl_status read_state(const tl_archive *archive, tl_fit_state *fit, tl_model *numbers, tl_error *error) {
    section sections[SECTIONS];
    json_t *root = tl_archive_parse(archive, "training", error);
    list_sections(fit, sections);
    sections[0].object = numbers;
    for (size_t i = 0; root && i < SECTIONS && !tl_failed(error); i++)
        read_section(archive, &sections[i], json_object_get(root, sections[i].name), error);
    if (!tl_failed(error)) read_losses(archive, fit, json_object_get(root, "losses"), error);
    json_decref(root);
    if (tl_failed(error)) return error->status;
    if (fit->epoch < 1 || fit->batch > fit->batches || fit->result.best_epoch < 0 || fit->result.best_epoch > fit->epoch)
        return wrong_state(archive, "does not belong to an epoch", error);
    if (fit->epoch > fit->cfg.epochs)
        return tl_fail(error, TL_ERROR_ARGUMENT, "%.180s: is in epoch %d, but epochs is %d; give at least %d (--epochs)",
                       archive->path, fit->epoch, fit->cfg.epochs, fit->epoch);
    return TL_OK;
}

static void take_training(tl_archive *archive, tl_model *model, tl_error *error) {
    char prefix[32];
    for (size_t i = 0; i < tl_parameter_arrays(model) && !tl_failed(error); i++) {
        tl_parameter parameter = tl_array_at(model, i);
        if (!parameter.gradient.data) continue;
        for (size_t m = 0; m < model->optimizer.ops->moments; m++) {
            tl_tensor moment = part_of(model, &parameter, model->moment[m]);
            tl_archive_take(archive, moment_prefix(m, prefix), parameter.layer, parameter.name, &moment, error);
        }
        if (model->samples > 0) tl_archive_take(archive, "gradient/", parameter.layer, parameter.name, &parameter.gradient, error);
    }
}

static void take_best(tl_archive *archive, const tl_fit_state *fit, tl_error *error) {
    tl_real *at = fit->best;
    for (size_t i = 0; i < tl_parameter_arrays(fit->model) && !tl_failed(error); i++) {
        const tl_parameter parameter = tl_array_at(fit->model, i);
        tl_tensor best = parameter.value;
        best.data = at;
        tl_archive_take(archive, "best/", parameter.layer, parameter.name, &best, error);
        at += tl_tensor_count(&best);
    }
}

/* The current rate of the schedule, which may have been changed. */
static void take_rate(tl_fit_state *fit) {
    if (fit->new_rate) fit->schedule.reduced = fit->schedule.start;
    const double rate = tl_schedule_rate(&fit->schedule);
    if (rate != fit->learning_rate) fit->model->optimizer.learning_rate = rate;
    fit->learning_rate = rate;
}

static tl_status take_all(tl_archive *archive, tl_fit_state *fit, tl_error *error) {
    tl_model numbers = *fit->model;
    if (check_fingerprint(archive, fit, error) != TL_OK || note_machine(archive, fit, error) != TL_OK ||
        read_state(archive, fit, &numbers, error) != TL_OK)
        return error->status;
    tl_model *model = fit->model;
    model->steps = numbers.steps;
    model->passes = numbers.passes;
    model->samples = numbers.samples;
    model->weight = numbers.weight;
    model->optimizer.learning_rate = numbers.optimizer.learning_rate;
    tl_model_take_targets(archive, model, error);
    tl_model_take(archive, model, error);
    take_training(archive, model, error);
    if (fit->best && fit->result.best_epoch > 0) take_best(archive, fit, error);
    if (fit->cfg.changes & TL_CHANGE_RATE) take_rate(fit);
    fit->result.epochs = fit->epoch;
    fit->begin -= fit->result.seconds;
    return tl_archive_end(archive, error);
}

/* The largest checkpoint of a training also contains gradients and the best parameters. */
static void check_room(tl_fit_state *fit, tl_error *error) {
    tl_archive archive = {0};
    const size_t parameters = fit->model->parameter_count * sizeof(tl_real), best = fit->best ? parameters : 0;
    if (fill(&archive, fit, error) == TL_OK) tl_archive_may_save(&archive, fit->cfg.checkpoint, parameters + best, error);
    tl_archive_release(&archive);
}

/* Returns the limit of the bytes of a checkpoint to resume: the usual one for files of others, or more if the model needs more: its
 * parameters, gradients, best parameters and moments in double precision, and a header. */
static size_t largest_file(const tl_model *model) {
    enum { HEADER = 8 << 20 };
    size_t count = 0;
    for (size_t i = 0; i < tl_parameter_arrays(model); i++) {
        const tl_parameter parameter = tl_array_at(model, i);
        count += tl_tensor_count(&parameter.value);
    }
    return tl_max(tl_memory_limit(), count * (3 + model->optimizer.ops->moments) * sizeof(double) + HEADER);
}

tl_status tl_checkpoint_begin(tl_fit_state *fit, tl_error *error) {
    tl_archive archive = {0};
    const bool told = fit->cfg.checkpoint || fit->cfg.resume || fit->shards.exchange;
    if (told && tl_fingerprint_data(fit, error) != TL_OK) return error->status;
    if (fit->cfg.checkpoint && tl_exchange_leads(fit->shards.exchange)) check_room(fit, error);
    if (fit->cfg.resume && tl_model_open(&archive, fit->cfg.resume, "checkpoint", largest_file(fit->model), error) == TL_OK)
        take_all(&archive, fit, error);
    tl_archive_release(&archive);
    return error->status;
}
