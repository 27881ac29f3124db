/* `tapline eval`, compiled once for each precision (commands.h). */
#include "cli/model.h"
#include "cli/report.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

/* What was evaluated. */
typedef struct evaluation {
    loaded loaded;
    report_member *member; /* (loaded.models) where there are several */
    size_t parameters;     /* of all of them */
    tl_metrics metrics;
    double seconds;
} evaluation;

/* The keys of `tapline train`; what belongs to training is 0 or null. */
static void report_as_json(const evaluation *self) {
    const loaded *from = &self->loaded;
    const bool regression = from->data->classes == 0;
    json_t *object = json_object();
    report_text(object, "model", from->settings->common.operand[0]);
    report_text(object, "engine", from->settings->engine);
    report_text(object, "precision", tl_precision());
    report_count(object, "threads", (size_t)tl_model_threads(from->model));
    report_count(object, "seed", from->models > 1 ? self->member[0].seed : tl_model_seed(from->model));
    report_count(object, "epochs", 0);
    report_count(object, "steps", 0);
    report_count(object, "parameters", self->parameters);
    report_metrics(object, "train", &report_no_metrics, regression);
    report_metrics(object, "test", &self->metrics, regression);
    if (from->models > 1) report_members(object, self->member, from->models, regression);
    json_object_set_new(object, "seconds", report_number(self->seconds));
    json_object_set_new(object, "peak_rss_mb", report_number(report_peak_rss_mb()));
    json_object_set_new(object, "interrupted", json_false());
    report_count(object, "best_epoch", 0);
    report_text(object, "data", NULL);
    report_text(object, "test", loaded_data(from));
    report_count(object, "train_series", 0);
    report_count(object, "test_series", from->data->x.shape[0]);
    report_shape(object, from->data);
    report_count(object, "batch", (size_t)from->settings->batch);
    report_json(object);
}

static void report_as_text(const evaluation *self) {
    const loaded *from = &self->loaded;
    const size_t series = from->data->x.shape[0];
    const bool regression = from->data->classes == 0;
    printf("model      ");
    print_shown(stdout, from->settings->common.operand[0]);
    if (from->models > 1) printf(" and %zu more, which are averaged", from->models - 1);
    printf(", %zu parameters, %s, engine %s, %d threads\n", self->parameters, tl_precision(), from->settings->engine,
           tl_model_threads(from->model));
    printf("cost       %.2f s, %.0f series/s\n\n", self->seconds, (double)series / self->seconds);
    report_metrics_head(regression);
    report_metrics_line("test", series, &self->metrics, regression);
    if (from->models > 1) report_members_lines(self->member, from->models, series, regression);
}

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
    tl_ensemble_free(ensemble);
}

static void evaluate(evaluation *self, tl_error *error) {
    const double begin = now();
    if (self->loaded.models > 1)
        evaluate_all(self, error);
    else {
        self->parameters = tl_parameter_count(self->loaded.model);
        tl_evaluate(self->loaded.model, self->loaded.data, &self->metrics, error);
    }
    self->seconds = now() - begin;
}

static int report(const evaluation *self) {
    const common_settings *common = &self->loaded.settings->common;
    if (common->json)
        report_as_json(self);
    else
        report_as_text(self);
    if (isfinite(self->metrics.loss)) return EXIT_DONE;
    complain(common->command, "the loss is not finite: the model, or its series, have values that are too large");
    return EXIT_FAILED;
}

int IN_PRECISION(eval)(const void *settings) {
    tl_error error = {0};
    evaluation self = {0};
    int code = EXIT_DONE;
    IN_PRECISION(loaded_read)(&self.loaded, settings, false, &error);
    if (!tl_failed(&error)) evaluate(&self, &error);
    if (tl_failed(&error))
        code = model_failed(settings, &error);
    else
        code = report(&self);
    free(self.member);
    IN_PRECISION(loaded_free)(&self.loaded);
    return code;
}
