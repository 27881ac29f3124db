/* The reports of `tapline train` before and after a training; compiled once for each precision (commands.h). */
#include "cli/train/job.h"
#include "cli/train/ranks.h"

#include <unistd.h>

static report_targets targets_of(const job *self) { return report_targets_of(self->data->classes, tl_model_loss(self->model)); }

/* Returns the number of trained parameters of all networks; before training, of the networks that will be trained. */
static size_t count_parameters(const job *self) {
    const members *all = &self->members;
    return tl_parameter_count(self->model) * (all->trained ? all->trained : all->count ? all->count : 1);
}

/* Of each process. With --jobs, the last model may have those of all. */
static size_t threads_of(const job *self) {
    const bool several = self->settings->jobs > 1 && self->settings->common.threads > 0;
    return several ? (size_t)self->settings->common.threads : (size_t)tl_model_threads(self->model);
}

/* Which network, and which data. */
static void describe(const job *self, FILE *to) {
    const size_t *shape = self->data->x.shape;
    char threads[REPORT_NUMBER], labels[REPORT_NUMBER];
    fprintf(to, "model      ");
    print_shown(to, self->settings->architecture);
    fprintf(to, ", %zu parameters, %s, engine %s, ", count_parameters(self), tl_precision(), self->settings->engine);
    if (ranks_count() > 1) fprintf(to, "%zu ranks of ", ranks_count());
    fprintf(to, "%s\n", report_counted(threads, threads_of(self), "thread"));
    fprintf(to, "data       ");
    print_shown(to, self->data_path);
    fprintf(to, ", length %zu, channels %zu", shape[1], shape[2]);
    if (targets_of(self) == REPORT_LABELS)
        fprintf(to, ", %s", report_counted(labels, tl_output_shape(self->model).channels, "label"));
    else if (is_regression(self))
        fprintf(to, ", regression");
    else
        fprintf(to, ", classes %zu", self->data->classes);
    fprintf(to, "%s%s\n", target_length(self) > 1 ? " for every step" : "", self->data->batches.fill ? ", read by batch" : "");
}

/* ---- before ---- */

static void describe_init(const job *self) {
    fprintf(stderr, "           from the parameters of ");
    print_shown(stderr, self->settings->init);
    fprintf(stderr, ", %s\n", self->new_head ? "with a new head" : "including its head");
}

void IN_PRECISION(job_introduce)(job *self, const tl_fit_cfg *cfg) {
    const train_settings *settings = self->settings;
    const size_t series = self->data->x.shape[0];
    char epochs[REPORT_NUMBER];
    if (settings->quiet || self->introduced) return;
    self->introduced = true;
    describe(self, stderr);
    fprintf(stderr, "training   %zu series, at most %s of %zu batches\n", series,
            report_counted(epochs, (size_t)cfg->epochs, "epoch"), (series + self->batch - 1) / self->batch);
    if (settings->init) describe_init(self);
    if (!settings->out) fprintf(stderr, "           the model will not be saved: no --out\n");
}

/* ---- after ---- */

/* Returns the number of series in all epochs. */
static double count_seen(const job *self) {
    double epochs = self->members.count ? 0 : self->fit.epochs;
    for (size_t i = 0; i < self->members.trained; i++) epochs += self->members.of[i].epochs;
    return epochs * (double)self->data->x.shape[0];
}

/* Why the training of a single network ended, as a word and as a text; NULL for several networks. */
typedef struct end {
    const char *word, *text;
} end;

/* "early: no better validation loss for 20 epochs (--patience)". */
static const char *early_text(const job *self) {
    static char text[120];
    char epochs[REPORT_NUMBER];
    const train_settings *settings = self->settings;
    snprintf(text, sizeof text, "early: no better %s for %s (--patience)",
             settings->watch    ? settings->watch
             : self->validation ? "validation loss"
                                : "training loss",
             report_counted(epochs, (size_t)settings->early_stopping, "epoch"));
    return text;
}

/* Returns whether nothing was trained by gradients. */
static bool is_solved(const job *self) { return self->head.features > 0 && self->fit.epochs == 0; }

static end end_of(const job *self) {
    if (self->fit.stopped) return (end){"interrupted", "by a signal"};
    if (self->members.count || self->folds || self->rates) return (end){0};
    if (self->spoilt) return (end){"failed", "by the failure above"};
    if (is_solved(self)) return (end){"solved", NULL};
    if (self->fit.early_stopped) return (end){"patience", early_text(self)};
    return (end){"epochs", "after all epochs"};
}

static void report_as_json(const job *self) {
    const train_settings *settings = self->settings;
    json_t *object = json_object();
    report_text(object, "model", settings->architecture);
    report_text(object, "engine", settings->engine);
    report_text(object, "precision", tl_precision());
    report_count(object, "threads", threads_of(self));
    report_count(object, "seed", (size_t)settings->seed);
    report_count(object, "epochs", (size_t)self->fit.epochs);
    report_count(object, "steps", self->fit.steps);
    report_count(object, "parameters", count_parameters(self));
    head_as_json(&self->head, object);
    report_metrics(object, "train", &self->train_metrics, targets_of(self));
    if (self->validation || self->folds) report_metrics(object, "validation", &self->validation_metrics, targets_of(self));
    report_metrics(object, "test", &self->test_metrics, targets_of(self));
    json_object_set_new(object, "seconds", report_number(self->fit.seconds));
    json_object_set_new(object, "peak_rss_mb", report_number(report_peak_rss_mb()));
    json_object_set_new(object, "interrupted", json_boolean(self->fit.stopped));
    report_text(object, "ended", end_of(self).word);
    if (self->members.count) {
        json_object_set_new(object, "best_epoch", json_null());
        report_members(object, self->members.of, self->members.trained, targets_of(self));
    } else
        report_count(object, "best_epoch", (size_t)self->fit.best_epoch);
    report_text(object, "data", self->data_path);
    report_text(object, "test", self->test_path);
    report_text(object, "validation", settings->validation);
    report_count(object, "train_series", self->data->x.shape[0]);
    report_count(object, "test_series", self->test ? self->test->x.shape[0] : 0);
    report_shape(object, self->data);
    report_count(object, "batch", self->batch);
    report_count(object, "shards", (size_t)settings->shards);
    report_count(object, "ranks", ranks_count());
    if (self->folds) folds_as_json(self->folds, self->folds_done, self->test != NULL, targets_of(self), object);
    if (self->rates) rates_as_json(self->rates, object);
    report_json(object);
}

static void report_epochs(const job *self) {
    char networks[REPORT_NUMBER], epochs[REPORT_NUMBER], steps[REPORT_NUMBER];
    report_counted(networks, self->members.count, "network");
    report_counted(epochs, (size_t)self->fit.epochs, "epoch");
    report_counted(steps, self->fit.steps, "step");
    printf("training   ");
    if (self->members.count) printf("%zu of %s, ", self->members.trained, networks);
    printf("%s, %s of batch %zu", epochs, steps, self->batch);
    if (self->folds)
        printf(", %zu of %d folds\n", self->folds_done, (int)self->settings->folds);
    else if (self->members.count)
        printf(" in all\n");
    else
        printf(", best epoch %d\n", self->fit.best_epoch);
    if (end_of(self).word) printf("ended      %s\n", end_of(self).text);
}

static void report_sets(const job *self) {
    report_metrics_head(targets_of(self));
    report_metrics_line("train", self->data->x.shape[0], &self->train_metrics, targets_of(self));
    if (self->validation)
        report_metrics_line("validation", self->validation->x.shape[0], &self->validation_metrics, targets_of(self));
    if (!self->test) return;
    report_metrics_line("test", self->test->x.shape[0], &self->test_metrics, targets_of(self));
    report_members_lines(self->members.of, self->members.trained, self->test->x.shape[0], targets_of(self));
}

static void report_training(const job *self) {
    const double share = self->folds ? (double)(self->settings->folds - 1) / (double)self->settings->folds : 1;
    const double seen = count_seen(self) * share;
    if (self->head.features > 0) head_as_text(&self->head);
    if (!is_solved(self)) report_epochs(self);
    printf("cost       %.2f s, ", self->fit.seconds);
    if (!is_solved(self)) printf("%.0f series/s, ", seen / self->fit.seconds);
    printf("%.0f MB at most\n\n", report_peak_rss_mb());
    if (self->folds)
        folds_as_text(self->folds, self->folds_done, self->test ? self->test->x.shape[0] : 0, targets_of(self));
    else
        report_sets(self);
}

static void report_as_text(const job *self) {
    const bool seen = self->introduced && isatty(STDOUT_FILENO) && isatty(STDERR_FILENO);
    if (!seen) describe(self, stdout);
    if (self->rates)
        rates_as_text(self->rates, self->fit.stopped);
    else
        report_training(self);
}

void IN_PRECISION(job_report)(const job *self) {
    if (self->settings->common.json)
        report_as_json(self);
    else
        report_as_text(self);
}
