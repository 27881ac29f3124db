#include "train/fingerprint.h"

#include "base/math.h"
#include "base/setting.h"
#include "compute/gemm.h"
#include "data/batches.h"
#include "data/dataset.h"
#include "graph/graph.h"
#include "io/checksum.h"
#include "io/json.h"
#include "kernels/kernels.h"
#include "models/model.h"
#include "models/network.h"
#include "train/evaluate.h"

#include <tapline/machine.h>

#if defined(__x86_64__)
#include <cpuid.h>
#endif
#ifdef __GLIBC__
#include <gnu/libc-version.h>
#endif
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- contents ---- */

static const tl_setting optimizer_settings[] = {
    {"momentum", TL_SETTING_NUMBER, offsetof(tl_optimizer_cfg, momentum), NULL},
    {"nesterov", TL_SETTING_FLAG, offsetof(tl_optimizer_cfg, nesterov), NULL},
    {"weight_decay", TL_SETTING_NUMBER, offsetof(tl_optimizer_cfg, weight_decay), NULL},
    {"l1", TL_SETTING_NUMBER, offsetof(tl_optimizer_cfg, l1), NULL},
    {"beta1", TL_SETTING_NUMBER, offsetof(tl_optimizer_cfg, beta1), NULL},
    {"beta2", TL_SETTING_NUMBER, offsetof(tl_optimizer_cfg, beta2), NULL},
    {"alpha", TL_SETTING_NUMBER, offsetof(tl_optimizer_cfg, alpha), NULL},
    {"epsilon", TL_SETTING_NUMBER, offsetof(tl_optimizer_cfg, epsilon), NULL},
    {0},
};

static const tl_setting schedule_settings[] = {
    {"factor", TL_SETTING_NUMBER, offsetof(tl_schedule_cfg, factor), NULL},
    {"patience", TL_SETTING_INTEGER, offsetof(tl_schedule_cfg, patience), NULL},
    {"period", TL_SETTING_INTEGER, offsetof(tl_schedule_cfg, period), NULL},
    {"minimum", TL_SETTING_NUMBER, offsetof(tl_schedule_cfg, minimum), NULL},
    {"warmup", TL_SETTING_INTEGER, offsetof(tl_schedule_cfg, warmup), NULL},
    {0},
};

static const char *watch_at(size_t index) { return tl_watch_name((tl_watch)index); }

static const tl_setting fit_settings[] = {
    {"batch", TL_SETTING_SIZE, offsetof(tl_fit_cfg, batch), NULL},
    {"accumulate", TL_SETTING_SIZE, offsetof(tl_fit_cfg, accumulate), NULL},
    {"shards", TL_SETTING_SIZE, offsetof(tl_fit_cfg, shards), NULL},
    {"synchronise_batch_norm", TL_SETTING_FLAG, offsetof(tl_fit_cfg, synchronise_batch_norm), NULL},
    {"restore_best", TL_SETTING_FLAG, offsetof(tl_fit_cfg, restore_best), NULL},
    {"keep_order", TL_SETTING_FLAG, offsetof(tl_fit_cfg, keep_order), NULL},
    {"patience", TL_SETTING_INTEGER, offsetof(tl_fit_cfg, patience), NULL},
    {"crop", TL_SETTING_NUMBER, offsetof(tl_fit_cfg, augment.crop), NULL},
    {"scale", TL_SETTING_NUMBER, offsetof(tl_fit_cfg, augment.scale), NULL},
    {"jitter", TL_SETTING_NUMBER, offsetof(tl_fit_cfg, augment.jitter), NULL},
    {"mixup", TL_SETTING_NUMBER, offsetof(tl_fit_cfg, augment.mixup), NULL},
    {"watch", TL_SETTING_CHOICE, offsetof(tl_fit_cfg, watch), watch_at},
    {0},
};

static const tl_setting clip_settings[] = {
    {"clip_norm", TL_SETTING_NUMBER, offsetof(tl_model, clip_norm), NULL},
    {"clip_value", TL_SETTING_NUMBER, offsetof(tl_model, clip_value), NULL},
    {0},
};

static const tl_setting group_settings[] = {
    {"frozen", TL_SETTING_FLAG, offsetof(tl_vertex, frozen), NULL},
    {"rate", TL_SETTING_NUMBER, offsetof(tl_vertex, group.rate), NULL},
    {"no_decay", TL_SETTING_FLAG, offsetof(tl_vertex, group.no_decay), NULL},
    {0},
};

/* Returns the `settings` of `object`, with a name; NULL if memory is short. */
static json_t *describe(const tl_setting *settings, const void *object, const char *name) {
    json_t *described = json_object();
    if (described && (!name || json_object_set_new(described, "name", json_string(name)) == 0) &&
        tl_settings_put(settings, object, described))
        return described;
    json_decref(described);
    return NULL;
}

/* Lists the step settings of each layer. */
static json_t *describe_groups(const tl_model *model) {
    json_t *groups = json_object();
    bool whole = groups != NULL;
    for (size_t i = 0; whole && i < model->vertices; i++) {
        const tl_vertex *vertex = &model->vertex[i];
        if (vertex->live && vertex->layer->parameters > 0)
            whole = json_object_set_new(groups, vertex->name, describe(group_settings, vertex, NULL)) == 0;
    }
    if (whole) return groups;
    json_decref(groups);
    return NULL;
}

enum { PORTION = 1 << 20 }; /* bytes of series that are read at a time, where they are not in memory */

static void add_series(tl_checksum *sum, const tl_dataset *data, tl_error *error) {
    const size_t series = data->x.shape[0], bytes = data->x.shape[1] * data->x.shape[2] * sizeof(tl_real),
                 most = data->batches.fill ? tl_max(PORTION / bytes, 1) : series;
    tl_portion portion;
    tl_portion_begin(&portion, data, most, error);
    for (size_t first = 0; first < series && !tl_failed(error); first += most) {
        const tl_tensor x = tl_portion_take(&portion, first, tl_min(most, series - first), error);
        if (!tl_failed(error)) tl_checksum_add(sum, x.data, x.shape[0] * bytes);
    }
    tl_portion_release(&portion);
}

/* All arrays of a data set. */
static void add_data(tl_checksum *sum, const tl_dataset *data, tl_error *error) {
    const size_t series = data->x.shape[0];
    add_series(sum, data, error);
    if (data->lengths) tl_checksum_add(sum, data->lengths, series * sizeof *data->lengths);
    if (data->labels) tl_checksum_add(sum, data->labels, series * tl_labels_each(data) * sizeof *data->labels);
    if (data->values) tl_checksum_add(sum, data->values, series * tl_values_each(data) * sizeof *data->values);
}

tl_status tl_fingerprint_data(tl_fit_state *fit, tl_error *error) {
    tl_checksum *sum = tl_checksum_new(error);
    if (sum) add_data(sum, fit->data, error);
    if (sum && fit->cfg.validation) add_data(sum, fit->cfg.validation, error);
    if (sum && fit->cfg.weights) tl_checksum_add(sum, fit->cfg.weights, fit->data->x.shape[0] * sizeof *fit->cfg.weights);
    tl_checksum_end(sum, fit->digest);
    return error->status;
}

static json_t *describe_data(const tl_fit_state *fit) {
    return json_pack("{s:I, s:s}", "series", (json_int_t)fit->data->x.shape[0], "checksum", fit->digest);
}

/* A name that is not UTF-8 is null. */
static json_t *describe_classes(const tl_dataset *data) {
    json_t *names = json_array();
    for (size_t c = 0; names && data->class_names && c < data->classes; c++) {
        json_t *name = json_string(data->class_names[c]);
        json_array_append_new(names, name ? name : json_null());
    }
    return names;
}

json_t *tl_fingerprint_of(const tl_fit_state *fit) {
    const tl_model *model = fit->model;
    return json_pack("{s:s, s:I, s:o, s:o, s:o, s:s, s:o, s:f, s:o, s:o, s:o, s:o, s:o}", "precision", tl_precision(), "seed",
                     (json_int_t)model->seed, "classes", describe_classes(fit->data), "data", describe_data(fit), "architecture",
                     tl_network_describe(model), "loss", tl_loss_name(tl_model_loss(model)), "loss_settings",
                     tl_loss_describe(model), "learning_rate", fit->schedule.start, "optimizer",
                     describe(optimizer_settings, &model->optimizer, model->optimizer.ops->name), "limits",
                     describe(clip_settings, model, NULL), "schedule",
                     describe(schedule_settings, &fit->schedule.cfg, tl_schedule_name(fit->schedule.cfg.kind)), "layers",
                     describe_groups(model), "fit", describe(fit_settings, &fit->cfg, NULL));
}

enum { WORD = 40 };

/* Returns the processor for which the BLAS chose its kernels; if it does not say, the processor of the machine. */
static const char *describe_processor(char text[WORD]) {
    const char *core = tl_gemm_core();
    snprintf(text, WORD, "%s", core);
#if defined(__x86_64__)
    unsigned signature, rest[3];
    if (!*core && __get_cpuid(1, &signature, &rest[0], &rest[1], &rest[2])) snprintf(text, WORD, "x86 %08x", signature);
#endif
    return text;
}

/* Returns the version of the C library, which has the mathematical functions. */
static const char *c_library(void) {
#ifdef __GLIBC__
    return gnu_get_libc_version();
#else
    return "";
#endif
}

/* The choices of the engine "auto" follow from the shapes, the largest batch and the version. */
json_t *tl_fingerprint_machine(const tl_model *model) {
    char processor[WORD], blas[WORD];
    tl_gemm_version(blas, sizeof blas);
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:I}", "tapline", tl_version(), "build", TL_BUILD, "isa", tl_isa(),
                     "tuning", tl_tuning_here()->name, "processor", describe_processor(processor), "blas", blas, "libc",
                     c_library(), "engine", tl_engine_name(model->engine), "largest_batch", (json_int_t)tl_model_batch(model));
}

/* ---- checksums ---- */

void tl_fingerprint_digest(json_t *described, char digits[TL_CHECKSUM_DIGITS + 1]) {
    char *text = described ? tl_json_text(described, JSON_COMPACT | JSON_SORT_KEYS) : NULL;
    tl_checksum_of(&(tl_piece){text, text ? strlen(text) : 0}, 1, NULL, digits);
    free(text);
    json_decref(described);
}

void tl_fingerprint_state(const tl_model *model, char digits[TL_CHECKSUM_DIGITS + 1]) {
    const size_t size = model->parameter_count * sizeof(tl_real), moments = model->optimizer.ops->moments;
    tl_piece pieces[2 + TL_MAX_MOMENTS] = {{model->parameters, size}, {model->states, model->state_count * sizeof(tl_real)}};
    for (size_t i = 0; i < moments; i++) pieces[2 + i] = (tl_piece){model->moment[i], size};
    tl_checksum_of(pieces, 2 + moments, NULL, digits);
}

/* ---- comparing ---- */

typedef struct difference {
    char *text;
    size_t size, used;
    bool any;
} difference;

static void write_value(const json_t *value, char text[40]) {
    char *whole = tl_json_text(value, JSON_ENCODE_ANY | JSON_COMPACT | JSON_REAL_PRECISION(9));
    snprintf(text, 40, "%.36s", whole ? whole : "none");
    free(whole);
}

static void add(difference *self, const char *path, json_t *before, json_t *now) {
    char was[40], is[40];
    write_value(before, was);
    write_value(now, is);
    if (self->used < self->size)
        self->used += (size_t)snprintf(self->text + self->used, self->size - self->used, "%s%s %s, now %s", self->any ? "; " : "",
                                       path, was, is);
    self->any = true;
}

enum { DEEPEST = 8, PATH = 160 };

// NOLINTBEGIN(misc-no-recursion): no deeper than that

static void compare(difference *self, const char *path, json_t *before, json_t *now, int depth);

/* Members that are only in `other` are found when both are exchanged. */
static void compare_members(difference *self, const char *path, json_t *before, json_t *now, int depth) {
    char longer[PATH];
    const char *key;
    json_t *value;
    json_object_foreach(now, key, value) {
        snprintf(longer, sizeof longer, "%s%s%s", path, *path ? "." : "", key);
        compare(self, longer, json_object_get(before, key), value, depth + 1);
    }
    json_object_foreach(before, key, value) {
        snprintf(longer, sizeof longer, "%s%s%s", path, *path ? "." : "", key);
        if (!json_object_get(now, key)) add(self, longer, value, NULL);
    }
}

static void compare_entries(difference *self, const char *path, json_t *before, json_t *now, int depth) {
    char longer[PATH];
    for (size_t i = 0; i < json_array_size(before) || i < json_array_size(now); i++) {
        snprintf(longer, sizeof longer, "%s[%zu]", path, i);
        compare(self, longer, json_array_get(before, i), json_array_get(now, i), depth + 1);
    }
}

/* Returns whether a layer has another name only because its kind was renamed: "hand_crafted_1" before, "fixed_filters_1" now. */
static bool renamed(const json_t *before, const json_t *now) {
    const char *old_name = json_string_value(before), *new_name = json_string_value(now);
    char kind[48];
    if (!old_name || !new_name) return false;
    size_t length = strlen(old_name);
    while (length > 0 && strchr("_0123456789", old_name[length - 1])) length--;
    snprintf(kind, sizeof kind, "%.*s", (int)tl_min(length, sizeof kind - 1), old_name);
    const char *current = tl_current_name(kind);
    const size_t same = strlen(current);
    return strncmp(new_name, current, same) == 0 && strcmp(new_name + same, old_name + length) == 0;
}

static void compare(difference *self, const char *path, json_t *before, json_t *now, int depth) {
    if (json_equal(before, now) || renamed(before, now)) return;
    if (json_is_object(before) && json_is_object(now) && depth < DEEPEST)
        compare_members(self, path, before, now, depth);
    else if (json_is_array(before) && json_is_array(now) && depth < DEEPEST)
        compare_entries(self, path, before, now, depth);
    else
        add(self, path, before, now);
}

// NOLINTEND(misc-no-recursion)

bool tl_fingerprint_differs(json_t *before, json_t *now, char *text, size_t size) {
    difference self = {.text = text, .size = size};
    *text = '\0';
    compare(&self, "", before, now, 0);
    return self.any;
}
