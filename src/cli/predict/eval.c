/* `tapline eval`; compiled once for each precision (commands.h). */
#include "cli/files.h"
#include "cli/page/run_page.h"
#include "cli/predict/labels.h"
#include "cli/predict/model.h"
#include "cli/report.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

/* The result of an evaluation. */
typedef struct evaluation {
    loaded loaded;
    report_member *member; /* (loaded.models) if there are several */
    size_t parameters;     /* of all models */
    tl_metrics metrics;
    size_t *counts; /* (classes, classes), see tl_confusion; of several labels see labels_count; NULL: not needed */
    json_t *labels; /* the names of several labels; NULL: classes or values */
    double seconds;
    judged judged; /* for the page; y.data NULL: none */
} evaluation;

/* ---- classes and predictions ---- */

static size_t count_classes(const evaluation *self) { return tl_output_shape(self->loaded.model).channels; }

static report_targets targets_of(const evaluation *self) {
    return report_targets_of(self->loaded.info.data.classes, tl_model_loss(self->loaded.model));
}

static const char *class_name(const evaluation *self, size_t class, char text[24]) {
    const tl_dataset *data = self->loaded.data;
    if (self->labels) return json_string_value(json_array_get(self->labels, class));
    snprintf(text, 24, "%zu", class);
    return data->class_names && class < data->classes ? data->class_names[class] : text;
}

static json_t *confusion_as_json(const evaluation *self) {
    const size_t classes = count_classes(self);
    json_t *rows = json_array();
    for (size_t label = 0; label < classes; label++) {
        json_t *row = json_array();
        for (size_t c = 0; c < classes; c++)
            json_array_append_new(row, json_integer((json_int_t)self->counts[label * classes + c]));
        json_array_append_new(rows, row);
    }
    return rows;
}

/* Several labels have a table each: given or not, predicted or not. */
static tl_class_metrics metrics_of(const evaluation *self, size_t class) {
    return self->labels ? tl_class_metrics_of(self->counts + 4 * class, 2, 1)
                        : tl_class_metrics_of(self->counts, count_classes(self), class);
}

static json_t *classes_as_json(const evaluation *self) {
    const size_t classes = count_classes(self);
    json_t *list = json_array();
    char name[24];
    for (size_t c = 0; c < classes; c++) {
        const tl_class_metrics of = metrics_of(self, c);
        json_t *one = json_object();
        report_text(one, "class", class_name(self, c, name));
        report_count(one, "samples", of.samples);
        report_count(one, "predicted", of.predicted);
        json_object_set_new(one, "precision", report_number(of.precision));
        json_object_set_new(one, "recall", report_number(of.recall));
        json_object_set_new(one, "f1", report_number(of.f1));
        json_array_append_new(list, one);
    }
    return list;
}

static void add_classes(const evaluation *self, json_t *object) {
    const model_settings *settings = self->loaded.settings;
    json_t *names = self->labels ? NULL : json_array();
    char name[24];
    for (size_t c = 0; names && c < count_classes(self); c++)
        json_array_append_new(names, report_string(class_name(self, c, name)));
    if (names) json_object_set_new(object, "class_names", names);
    if (settings->confusion) json_object_set_new(object, "confusion", confusion_as_json(self));
    if (settings->per_class) json_object_set_new(object, "per_class", classes_as_json(self));
}

enum { NAME_WIDTH = 16 };

/* Prints a name in its column; a longer name moves the rest of its line. */
static void print_name(const char *name) {
    print_shown(stdout, name);
    printf("%*s", (int)(strlen(name) < NAME_WIDTH ? NAME_WIDTH - strlen(name) : 0), "");
}

static void print_confusion(const evaluation *self) {
    const size_t classes = count_classes(self);
    char name[24];
    printf("\n%-*s  predicted as\n%-*s", NAME_WIDTH, "label", NAME_WIDTH, "");
    for (size_t c = 0; c < classes; c++) {
        printf("  %*s", 6 - (int)(strlen(class_name(self, c, name)) < 6 ? strlen(class_name(self, c, name)) : 6), "");
        print_shown(stdout, class_name(self, c, name));
    }
    printf("\n");
    for (size_t label = 0; label < classes; label++) {
        print_name(class_name(self, label, name));
        for (size_t c = 0; c < classes; c++) {
            const size_t width = strlen(class_name(self, c, name));
            printf("  %*zu", (int)(width > 6 ? width : 6), self->counts[label * classes + c]);
        }
        printf("\n");
    }
}

static void print_share(double share) {
    if (isnan(share))
        printf(" %10s", "undefined");
    else
        printf(" %10.4f", share);
}

static void print_classes(const evaluation *self) {
    const size_t classes = count_classes(self);
    char name[24];
    printf("\n%-*s %10s %10s %10s %10s %10s\n", NAME_WIDTH, "class", "samples", "predicted", "precision", "recall", "f1");
    for (size_t c = 0; c < classes; c++) {
        const tl_class_metrics of = metrics_of(self, c);
        print_name(class_name(self, c, name));
        printf(" %10zu %10zu", of.samples, of.predicted);
        print_share(of.precision);
        print_share(of.recall);
        print_share(of.f1);
        printf("\n");
    }
}

/* Allocates the counts if they are needed. */
static void prepare_counts(evaluation *self, tl_error *error) {
    const model_settings *settings = self->loaded.settings;
    const size_t classes = count_classes(self);
    if (targets_of(self) == REPORT_LABELS) self->labels = IN_PRECISION(labels_names)(&self->loaded.info, classes);
    if (tl_failed(error) || !(settings->confusion || settings->per_class)) return;
    if (self->loaded.info.data.classes == 0 && !(self->labels && !settings->confusion)) {
        tl_fail(error, TL_ERROR_ARGUMENT, "--%s needs classes, but the model predicts %s",
                settings->confusion ? "confusion" : "per-class", self->labels ? "several labels (--per-class)" : "values");
        return;
    }
    self->counts = calloc(self->labels ? 4 * classes : classes * classes, sizeof *self->counts);
    if (!self->counts) tl_fail(error, TL_ERROR_MEMORY, "out of memory");
}

/* ---- the report ---- */

/* The keys are those of `tapline train`; keys about the training are 0 or null. */
static void report_as_json(const evaluation *self) {
    const loaded *from = &self->loaded;
    const report_targets targets = targets_of(self);
    json_t *object = json_object();
    report_text(object, "model", from->settings->common.operand[0]);
    report_text(object, "engine", from->quantized ? "integers" : from->settings->engine);
    report_text(object, "precision", tl_precision());
    report_count(object, "threads", (size_t)tl_model_threads(from->model));
    report_count(object, "seed", from->models > 1 ? self->member[0].seed : tl_model_seed(from->model));
    report_count(object, "epochs", 0);
    report_count(object, "steps", 0);
    report_count(object, "parameters", self->parameters);
    report_metrics(object, "train", &report_no_metrics, targets);
    report_metrics(object, "test", &self->metrics, targets);
    if (from->models > 1) report_members(object, self->member, from->models, targets);
    json_object_set_new(object, "seconds", report_number(self->seconds));
    json_object_set_new(object, "peak_rss_mb", report_number(report_peak_rss_mb()));
    json_object_set_new(object, "interrupted", json_false());
    report_text(object, "ended", NULL);
    report_text(object, "head", NULL);
    report_text(object, "shards", NULL);
    report_text(object, "ranks", NULL);
    report_count(object, "best_epoch", 0);
    report_text(object, "data", NULL);
    report_text(object, "test", loaded_data(from));
    report_text(object, "validation", NULL);
    report_count(object, "train_series", 0);
    report_count(object, "test_series", from->data->x.shape[0]);
    report_shape(object, from->data);
    report_count(object, "batch", (size_t)from->settings->batch);
    if (self->labels) json_object_set(object, "label_names", self->labels);
    if (self->counts) add_classes(self, object);
    report_json(object);
}

static void report_as_text(const evaluation *self) {
    const loaded *from = &self->loaded;
    const size_t series = from->data->x.shape[0];
    const report_targets targets = targets_of(self);
    char threads[REPORT_NUMBER];
    printf("model      ");
    print_shown(stdout, from->settings->common.operand[0]);
    if (from->models > 1) printf(" and %zu more, averaged", from->models - 1);
    if (from->quantized)
        printf(", %zu parameters in 8-bit integers\n", self->parameters);
    else
        printf(", %zu parameters, %s, engine %s, %s\n", self->parameters, tl_precision(), from->settings->engine,
               report_counted(threads, (size_t)tl_model_threads(from->model), "thread"));
    printf("cost       %.2f s, %.0f series/s\n\n", self->seconds, (double)series / self->seconds);
    report_metrics_head(targets);
    report_metrics_line("test", series, &self->metrics, targets);
    if (from->models > 1) report_members_lines(self->member, from->models, series, targets);
    if (from->settings->confusion) print_confusion(self);
    if (from->settings->per_class) print_classes(self);
}

/* The mean predictions of several models; without an ensemble those of the network in integers. */
static void keep_predictions(evaluation *self, const tl_ensemble *ensemble, tl_error *error) {
    const loaded *from = &self->loaded;
    const tl_shape out = tl_output_shape(from->model);
    const size_t shape[] = {from->data->x.shape[0], out.length, out.channels};
    self->judged = (judged){.set = "evaluated", .data = from->data, .loss = tl_model_loss(from->model), .metrics = self->metrics};
    if (!tl_failed(error)) self->judged.y = tl_tensor_new(3, shape, error);
    if (tl_failed(error)) return;
    if (ensemble)
        tl_ensemble_predict(ensemble, &self->judged.y, error);
    else
        IN_PRECISION(loaded_predict)(from, &from->data->x, from->data->lengths, &self->judged.y, error);
}

static bool counts_labels(const evaluation *self) { return self->counts && self->labels; }

static void evaluate_all(evaluation *self, tl_error *error) {
    loaded *from = &self->loaded;
    IN_PRECISION(loaded_check_outputs)(from, error);
    tl_ensemble *ensemble = tl_ensemble_new(from->data, error);
    self->member = calloc(from->models, sizeof *self->member);
    if (!self->member) tl_fail(error, TL_ERROR_MEMORY, "out of memory");
    for (size_t i = 0; i < from->models && !tl_failed(error); i++) {
        IN_PRECISION(loaded_join)(from, ensemble, i, error);
        if (tl_failed(error)) break;
        self->parameters += tl_parameter_count(from->model);
        self->member[i].number = i + 1;
        self->member[i].model = from->settings->common.operand[i];
        self->member[i].seed = tl_model_seed(from->model);
        tl_evaluate(from->model, from->data, &self->member[i].test, error);
    }
    tl_ensemble_evaluate(ensemble, &self->metrics, error);
    if (self->counts && !self->labels) tl_ensemble_confusion(ensemble, self->counts, error);
    if (from->settings->report || counts_labels(self)) keep_predictions(self, ensemble, error);
    tl_ensemble_free(ensemble);
}

static void evaluate_one(evaluation *self, tl_error *error) {
    const loaded *from = &self->loaded;
    if (!from->settings->report || from->quantized) IN_PRECISION(loaded_evaluate)(from, &self->metrics, error);
    if (!from->settings->report) return;
    IN_PRECISION(loaded_check_outputs)(from, error);
    if (from->quantized) {
        keep_predictions(self, NULL, error);
        return;
    }
    if (!tl_failed(error)) IN_PRECISION(judge)(&self->judged, from->model, from->data, "evaluated", error);
    self->metrics = self->judged.metrics;
}

static void evaluate(evaluation *self, tl_error *error) {
    const double begin = now();
    prepare_counts(self, error);
    if (self->loaded.models > 1)
        evaluate_all(self, error);
    else {
        self->parameters = tl_parameter_count(self->loaded.model);
        evaluate_one(self, error);
        if (counts_labels(self) && !self->judged.y.data) keep_predictions(self, NULL, error);
        if (self->counts && !self->labels) IN_PRECISION(loaded_confusion)(&self->loaded, self->counts, error);
    }
    if (counts_labels(self) && !tl_failed(error)) IN_PRECISION(labels_count)(&self->judged.y, self->loaded.data, self->counts);
    self->seconds = now() - begin;
}

/* Returns false, after a message, if the page could not be written. */
static bool write_page(const evaluation *self) {
    const loaded *from = &self->loaded;
    const tl_model *model = from->models > 1 ? NULL : from->model;
    const run_page_about about = {.settings = &from->settings->common,
                                  .path = from->settings->report,
                                  .model = from->settings->common.operand[0],
                                  .more = from->models - 1,
                                  .data = loaded_data(from)};
    tl_error error = {0};
    run_page page = {0};
    if (!from->settings->report) return true;
    IN_PRECISION(run_page_begin)(&page, &about, from->data, model, &error);
    IN_PRECISION(run_page_judge)(&page, &self->judged, model, &error);
    if (tl_failed(&error)) complain(from->settings->common.command, "--report %s", error.text);
    const bool written = run_page_end(&page, "") && !tl_failed(&error);
    run_page_free(&page);
    return written;
}

/* Fails if the page would be written over what is read, or cannot be written. */
static void check_files(const loaded *from, tl_error *error) {
    const model_settings *settings = from->settings;
    tl_read_cfg read = from->info.read; /* it may name a column of files */
    used_file files[MAX_OPERANDS + 1] = {{"--report", settings->report, FILE_REPLACED, 0}};
    size_t count = 1;
    for (; count <= MAX_OPERANDS && settings->common.operand[count - 1]; count++)
        files[count] = (used_file){"MODEL", settings->common.operand[count - 1], FILE_READ, 0};
    files[count - 1].name = "DATA";
    files[count - 1].use = FILE_DATA;
    IN_PRECISION(reading_apply)(&settings->reading, &read, error);
    if (settings->report) files_check_read(files, count, &read, error);
}

static int report(const evaluation *self) {
    const common_settings *common = &self->loaded.settings->common;
    const bool written = write_page(self);
    if (common->json)
        report_as_json(self);
    else
        report_as_text(self);
    if (isfinite(self->metrics.loss)) return written ? EXIT_DONE : EXIT_FAILED;
    complain(common->command, "the loss is not finite: the model or the series have values that are too large");
    return EXIT_FAILED;
}

int IN_PRECISION(eval)(const void *settings) {
    tl_error error = {0};
    evaluation self = {0};
    int code = EXIT_DONE;
    IN_PRECISION(loaded_read)(&self.loaded, settings, false, &error);
    if (!tl_failed(&error)) check_files(&self.loaded, &error);
    if (!tl_failed(&error)) evaluate(&self, &error);
    if (tl_failed(&error))
        code = model_failed(settings, &error);
    else
        code = report(&self);
    judged_free(&self.judged);
    free(self.member);
    free(self.counts);
    json_decref(self.labels);
    IN_PRECISION(loaded_free)(&self.loaded);
    return code;
}
