/* The page of a training (--report); compiled once for each precision (commands.h). */
#include "cli/train/job.h"

#include <string.h>

/* The set whose predictions are shown. */
static const tl_dataset *shown_set(const job *self, const char **name) {
    *name = self->test ? "test" : self->validation ? "validation" : "training";
    return self->test ? self->test : self->validation ? self->validation : self->data;
}

bool IN_PRECISION(job_page_begin)(job *self, int epochs) {
    const train_settings *settings = self->settings;
    const run_page_about about = {.settings = &settings->common,
                                  .path = settings->report,
                                  .model = settings->architecture,
                                  .data = self->data_path,
                                  .part = self->part};
    tl_error error = {0};
    if (!settings->report) return true;
    IN_PRECISION(run_page_begin)(&self->page, &about, self->data, self->model, &error);
    if (tl_failed(&error)) complain(settings->common.command, "%s--report %s", self->part, error.text);
    self->page.epochs = epochs;
    return !tl_failed(&error);
}

/* Whether the predictions are within the limit of memory; twice, since their mean is computed in double precision. */
static bool within_limit(const job *self, const tl_dataset *data) {
    const tl_shape out = tl_output_shape(self->model);
    const double bytes = 2 * sizeof(double) * (double)data->x.shape[0] * (double)out.length * (double)out.channels;
    const double limit = (double)max_memory(&self->settings->common);
    if (bytes <= limit) return true;
    complain(self->settings->common.command,
             "%s--report: all predictions take %.4g MB; the limit is %.4g MB, so the page has no results", self->part, bytes / 1e6,
             limit / 1e6);
    return false;
}

void IN_PRECISION(job_evaluate)(job *self, const tl_dataset *data, tl_metrics *to, tl_error *error) {
    const char *name;
    if (!data) return;
    if (!self->settings->report || data != shown_set(self, &name) || !within_limit(self, data)) {
        tl_evaluate(self->model, data, to, error);
        return;
    }
    IN_PRECISION(judge)(&self->judged, self->model, data, name, error);
    if (!tl_failed(error)) *to = self->judged.metrics;
}

/* How the training ended. */
static void describe_end(const job *self, const tl_error *wrong, char *text, size_t size) {
    const tl_fit_result *fit = &self->fit;
    char result[100] = "";
    if (fit->best_epoch > 0) snprintf(result, sizeof result, " The result is the network of epoch %d.", fit->best_epoch);
    if (tl_failed(wrong))
        snprintf(text, size, "Failed after %d epochs: %.400s.%s", fit->epochs, wrong->text, result);
    else
        snprintf(text, size, "Trained for %d epoch%s in %.1f s%s.%s", fit->epochs, fit->epochs == 1 ? "" : "s", fit->seconds,
                 fit->stopped         ? ", until a signal stopped it"
                 : fit->early_stopped ? ", until there was no progress (--patience)"
                                      : "",
                 result);
}

void IN_PRECISION(job_page_end)(job *self, const tl_error *wrong) {
    char text[700];
    tl_error error = {0};
    if (!self->page.about.path) return;
    describe_end(self, wrong, text, sizeof text);
    if (self->judged.y.data) IN_PRECISION(run_page_judge)(&self->page, &self->judged, self->model, &error);
    if (tl_failed(&error)) complain(self->settings->common.command, "%s--report %s", self->part, error.text);
    if (!run_page_end(&self->page, text) || tl_failed(&error)) self->spoilt = true;
    judged_free(&self->judged);
    run_page_free(&self->page);
    self->page = (run_page){0};
}
