/* `tapline eval`, compiled once for each precision (commands.h). */
#include "model.h"
#include "report.h"

#include <tapline/train.h>

#include <stdio.h>
#include <time.h>

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

/* The keys of `tapline train`; what belongs to training is 0 or null. */
static void report_as_json(const loaded *self, const tl_metrics *metrics, double seconds) {
    const common_settings *common = &self->settings->common;
    const size_t *shape = self->data->x.shape;
    const bool regression = self->data->classes == 0;
    json_t *object = json_object();
    json_object_set_new(object, "model", json_string(common->operand[0]));
    json_object_set_new(object, "engine", json_string(self->settings->engine));
    json_object_set_new(object, "precision", json_string(tl_precision()));
    report_count(object, "threads", (size_t)tl_model_threads(self->model));
    report_count(object, "seed", tl_model_seed(self->model));
    report_count(object, "epochs", 0);
    report_count(object, "steps", 0);
    report_count(object, "parameters", tl_parameter_count(self->model));
    report_metrics(object, "train", &report_no_metrics, regression);
    report_metrics(object, "test", metrics, regression);
    json_object_set_new(object, "seconds", report_number(seconds));
    json_object_set_new(object, "peak_rss_mb", report_number(report_peak_rss_mb()));
    json_object_set_new(object, "test", json_string(common->operand[1]));
    report_count(object, "test_series", shape[0]);
    report_count(object, "length", shape[1]);
    report_count(object, "channels", shape[2]);
    report_count(object, "classes", self->data->classes);
    report_json(object);
}

static void report_as_text(const loaded *self, const tl_metrics *metrics, double seconds) {
    const bool regression = self->data->classes == 0;
    printf("model      %s, %zu parameters, %s, engine %s, %d threads\n", self->settings->common.operand[0],
           tl_parameter_count(self->model), tl_precision(), self->settings->engine, tl_model_threads(self->model));
    printf("cost       %.2f s, %.0f series/s\n\n", seconds, (double)self->data->x.shape[0] / seconds);
    report_metrics_head(regression);
    report_metrics_line("test", self->data->x.shape[0], metrics, regression);
}

int IN_PRECISION(eval)(const void *settings) {
    tl_error error = {0};
    tl_metrics metrics = {0};
    loaded self;
    int code = EXIT_DONE;
    IN_PRECISION(loaded_read)(&self, settings, &error);
    const double begin = now();
    if (!tl_failed(&error)) tl_evaluate(self.model, self.data, &metrics, &error);
    if (tl_failed(&error))
        code = model_failed(settings, &error);
    else if (self.settings->common.json)
        report_as_json(&self, &metrics, now() - begin);
    else
        report_as_text(&self, &metrics, now() - begin);
    IN_PRECISION(loaded_free)(&self);
    return code;
}
