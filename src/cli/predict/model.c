/* Models and data for the commands that use them; compiled once for each precision (commands.h). */
#include "cli/predict/model.h"

#include "cli/architecture.h"
#include "cli/input.h"

#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#define loaded_read IN_PRECISION(loaded_read)
#define loaded_check_outputs IN_PRECISION(loaded_check_outputs)
#define loaded_free IN_PRECISION(loaded_free)
#define loaded_join IN_PRECISION(loaded_join)
#define loaded_predict IN_PRECISION(loaded_predict)
#define loaded_evaluate IN_PRECISION(loaded_evaluate)
#define loaded_confusion IN_PRECISION(loaded_confusion)

/* A batch is at most the number of series; before that is known, nothing is run. */
static tl_load_cfg load_cfg(const loaded *self, tl_error *error) {
    const size_t asked = (size_t)self->settings->batch, series = self->data ? self->data->x.shape[0] : asked;
    tl_load_cfg cfg = {.threads = (int)self->settings->common.threads,
                       .length = self->length,
                       .compile = {.batch = series < asked ? series : asked,
                                   .inference_only = true,
                                   .plan_only = self->models > 0 && !self->data,
                                   .no_fold_batch_norm = !self->settings->folds},
                       .max_memory = max_memory(&self->settings->common),
                       .output = self->settings->output};
    tl_engine_by_name(self->settings->engine, &cfg.engine, error);
    return cfg;
}

static void unload(loaded *self) {
    if (self->quantized)
        tl_quantized_free(self->quantized);
    else
        tl_model_free(self->model);
    self->quantized = NULL;
    self->model = NULL;
}

static void load_quantized(loaded *self, const char *path, tl_load_cfg *cfg, tl_model_info *info, tl_error *error) {
    if (self->models > 1)
        tl_fail(error, TL_ERROR_ARGUMENT, "%.120s: is a network in 8-bit integers, which cannot be averaged; give only one model",
                path);
    if (cfg->engine != TL_ENGINE_AUTO)
        tl_fail(error, TL_ERROR_ARGUMENT, "--engine %s: %.120s is a network in 8-bit integers, which has no engines",
                self->settings->engine, path);
    if (self->settings->no_fold)
        tl_fail(error, TL_ERROR_ARGUMENT,
                "--no-fold-batch-norm: %.120s is a network in 8-bit integers, which has its batch norms in its weights", path);
    cfg->compile.plan_only = false;
    if (!tl_failed(error)) self->quantized = tl_quantized_load(path, cfg, info, error);
    self->model = tl_quantized_model(self->quantized);
}

/* Loads a model, which replaces the current one; `info` as for tl_model_load. */
static void load(loaded *self, size_t index, tl_model_info *info, tl_error *error) {
    const char *path = self->settings->common.operand[index];
    tl_load_cfg cfg = load_cfg(self, error);
    unload(self);
    if (tl_quantized_is_file(path))
        load_quantized(self, path, &cfg, info, error);
    else
        self->model = tl_model_load(path, &cfg, info, error);
}

/* If lengths may differ, the shorter one of model and data is padded to the length of the other. */
static void fit_length(loaded *self, tl_error *error) {
    const size_t of_model = self->info.data.x.shape[1];
    if (self->data->x.shape[1] < of_model) IN_PRECISION(pad_within)(self->data, of_model, &self->settings->common, error);
    if (self->data->x.shape[1] > of_model) self->length = self->data->x.shape[1];
}

/* Returns whether a data set has this format, such as "hea". */
static bool has_format(const char *path, const char *format, const char *name) {
    const char *ending = format ? format : strrchr(path, '.');
    return ending && strcasecmp(*ending == '.' ? ending + 1 : ending, name) == 0;
}

static bool is_folder(const char *path) {
    struct stat about;
    return stat(path, &about) == 0 && S_ISDIR(about.st_mode);
}

/* Removes settings of the model's training data that data of another format does not have. */
static void fit_format(tl_read_cfg *cfg, const char *path, const char *format) {
    const bool table = tl_dataset_is_table(path, format), text = table && !has_format(path, format, "npy");
    if (!table) cfg->label = cfg->target = cfg->ignore = cfg->value = cfg->group = cfg->series = cfg->time = cfg->file = NULL;
    if (!text) cfg->header = TL_HEADER_AUTO;
    if (!text && !is_folder(path)) cfg->decimal_comma = false;
    if (!has_format(path, format, "hea")) cfg->annotator = NULL;
    if (strncmp(path, "builtin:", 8) == 0) cfg->no_label = NULL; /* a generated set has none */
}

void loaded_read(loaded *self, const model_settings *settings, bool unlabelled, tl_error *error) {
    *self = (loaded){.settings = settings};
    while (self->models + 1 < MAX_OPERANDS && settings->common.operand[self->models + 1]) self->models++;
    load(self, 0, &self->info, error);
    if (!self->model || self->models == 0) return;
    tl_read_cfg reference = self->info.read;
    fit_format(&reference, loaded_data(self), settings->reading.format);
    reference.reference = &self->info.data;
    reference.missing_policy = self->info.missing_policy;
    reference.unlabelled = reference.keep_labels = unlabelled;
    reference.has_target = settings->reading.label || settings->reading.target;
    if (has_format(loaded_data(self), settings->reading.format, "hea")) reference.segment = self->info.data.x.shape[1];
    reference.warn = complain_of_data;
    reference.max_memory = max_memory(&settings->common) / 2;
    /* a page shows series, and several labels are counted in all predictions */
    reference.by_batch = !settings->report && !(settings->per_class && self->info.data.classes == 0);
    IN_PRECISION(reading_apply)(&settings->reading, &reference, error);
    if (settings->missing) tl_missing_policy_by_name(settings->missing, &reference.missing_policy, error);
    self->data = tl_dataset_read(input_open(loaded_data(self), &reference, error), &reference, error);
    input_name(error);
    IN_PRECISION(reading_for_page)(settings->report, error);
    if (!self->data) return;
    fit_length(self, error);
    if (!tl_failed(error)) load(self, 0, NULL, error);
}

void loaded_check_outputs(const loaded *self, tl_error *error) {
    const tl_shape out = tl_output_shape(self->model);
    const double maximum = (double)max_memory(&self->settings->common), series = (double)self->data->x.shape[0];
    const double bytes = series * (double)out.length * (double)out.channels * sizeof(double);
    if (bytes > maximum)
        tl_fail(error, TL_ERROR_MEMORY, "%.120s: predictions for %.0f series take %.4g MB; the limit is %.4g MB (--max-memory)",
                self->settings->common.operand[0], series, bytes / 1e6, maximum / 1e6);
}

/* ---- in floating point or in integers ---- */

void loaded_predict(const loaded *self, const tl_tensor *x, const size_t *lengths, tl_tensor *y, tl_error *error) {
    if (!self->quantized)
        tl_predict(self->model, x, lengths, y, error);
    else if (lengths)
        tl_fail(error, TL_ERROR_ARGUMENT,
                "%.120s: the series differ in length; a network in integers takes series of one length only", loaded_data(self));
    else
        tl_quantized_predict(self->quantized, x, y, error);
}

void loaded_evaluate(const loaded *self, tl_metrics *metrics, tl_error *error) {
    if (self->quantized)
        tl_quantized_evaluate(self->quantized, self->data, metrics, error);
    else
        tl_evaluate(self->model, self->data, metrics, error);
}

void loaded_confusion(const loaded *self, size_t *counts, tl_error *error) {
    if (self->quantized)
        tl_quantized_confusion(self->quantized, self->data, counts, error);
    else
        tl_confusion(self->model, self->data, counts, error);
}

/* ---- several ---- */

static bool same_classes(const tl_dataset *a, const tl_dataset *b) {
    bool same = a->classes == b->classes && !a->class_names == !b->class_names;
    for (size_t c = 0; same && a->class_names && c < a->classes; c++) same = strcmp(a->class_names[c], b->class_names[c]) == 0;
    return same;
}

static bool same_scaling(const tl_dataset *a, const tl_dataset *b) {
    bool same = a->scaling.kind == b->scaling.kind && a->x.shape[2] == b->x.shape[2];
    for (size_t c = 0; same && a->scaling.kind == TL_NORMALIZE_SET && c < a->x.shape[2]; c++)
        same = a->scaling.mean[c] == b->scaling.mean[c] && a->scaling.deviation[c] == b->scaling.deviation[c];
    return same;
}

static const char *scaled_how(const tl_dataset *data) {
    return data->scaling.kind == TL_NORMALIZE_SET      ? "scaled by the statistics of its training set"
           : data->scaling.kind == TL_NORMALIZE_SERIES ? "scaled"
                                                       : "without scaling";
}

/* Loads a model that will be averaged with the first one. */
static void load_next(loaded *self, size_t index, tl_error *error) {
    const char *first = self->settings->common.operand[0], *path = self->settings->common.operand[index];
    tl_model_info info = {0};
    load(self, index, &info, error);
    if (!tl_failed(error) && !same_classes(&self->info.data, &info.data))
        tl_fail(error, TL_ERROR_ARGUMENT, "%.120s: its classes differ from those of %.120s", path, first);
    if (!tl_failed(error) && !same_scaling(&self->info.data, &info.data))
        tl_fail(error, TL_ERROR_ARGUMENT, "%.120s: it takes series %s, but %.120s takes series %s", path, scaled_how(&info.data),
                first, scaled_how(&self->info.data));
    if (!tl_failed(error) && !self->settings->missing && self->info.missing_policy != info.missing_policy)
        tl_fail(error, TL_ERROR_ARGUMENT,
                "%.120s: its policy for missing values is %s, but that of %.120s is %s; choose one with --missing", path,
                tl_missing_policy_name(info.missing_policy), first, tl_missing_policy_name(self->info.missing_policy));
    tl_model_info_release(&info);
}

void loaded_join(loaded *self, tl_ensemble *ensemble, size_t index, tl_error *error) {
    tl_error wrong = {0};
    if (index > 0 && !tl_failed(error)) load_next(self, index, error);
    if (tl_failed(error) || tl_ensemble_add(ensemble, self->model, &wrong) == TL_OK) return;
    tl_fail(error, wrong.status, "%.120s: %s", self->settings->common.operand[index], wrong.text);
}

void loaded_free(loaded *self) {
    tl_dataset_free(self->data);
    tl_model_info_release(&self->info);
    unload(self);
}
