/* The page about a training or an evaluation: its frame, its curves, and when it is written. */
#include "cli/page/run_page.h"

#include "cli/report.h"
#include "picture/page.h"

#include <tapline/file.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { RELOAD = 2, WIDTH = 400, HEIGHT = 228 };
static const double most_cost = 0.02; /* of the time of the training */

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

/* ---- has it converged? ---- */

static int compare_numbers(const void *a, const void *b) {
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The median of the finite values from `begin` to `end`; NaN: there is none. */
static double median(const double *values, size_t begin, size_t end) {
    double *sorted = calloc(end - begin + 1, sizeof *sorted), result = NAN;
    size_t count = 0;
    for (size_t i = begin; sorted && i < end; i++)
        if (isfinite(values[i])) sorted[count++] = values[i];
    if (count > 0) {
        qsort(sorted, count, sizeof *sorted, compare_numbers);
        result = sorted[count / 2];
    }
    free(sorted);
    return result;
}

enum { ENOUGH = 10 }; /* epochs */

/* Compares the medians of the last fifth of the epochs and of the fifth before. */
void run_page_convergence(const training_log *log, markup *to) {
    const size_t epochs = log->epochs, fifth = epochs / 5;
    const double *train = log->column[LOG_TRAIN_LOSS], *validation = log->column[LOG_VALIDATION_LOSS];
    if (epochs < ENOUGH) {
        markup_add(to, "<p class=\"answer\">Too early to tell.</p><p class=\"soft\">%zu epoch%s so far.</p>\n", epochs,
                   epochs == 1 ? "" : "s");
        return;
    }
    const double before = median(train, epochs - 2 * fifth, epochs - fifth), after = median(train, epochs - fifth, epochs);
    const bool validated = log_has(log, LOG_VALIDATION_LOSS);
    const size_t best = validated ? log_lowest(log, LOG_VALIDATION_LOSS) : 0;
    const double late = validated ? median(validation, epochs - fifth, epochs) : NAN;
    const bool accurate = median(log->column[LOG_TRAIN_ACCURACY], epochs - fifth, epochs) >= 0.9995;
    if (validated && best < epochs - fifth && late > 1.1 * validation[best])
        markup_add(
            to,
            "<p class=\"answer\">It overfits.</p><p class=\"soft\">The validation loss was lowest in epoch %.0f (%.3g) and rose "
            "to about %.3g.</p>\n",
            log->column[LOG_EPOCH][best], validation[best], late);
    else if (after < 0.95 * before && !accurate)
        markup_add(
            to,
            "<p class=\"answer\">Not yet.</p><p class=\"soft\">The training loss still falls: from about %.3g to %.3g in the last "
            "fifth of the epochs.</p>\n",
            before, after);
    else if (after > 1.1 * before)
        markup_add(
            to,
            "<p class=\"answer\">It does not settle.</p><p class=\"soft\">The training loss rose from about %.3g to %.3g in the "
            "last fifth of the epochs.</p>\n",
            before, after);
    else if (after > 0.9 * train[0] && !accurate)
        markup_add(to,
                   "<p class=\"answer\">It hardly falls.</p><p class=\"soft\">The training loss was %.3g in the first epoch and is "
                   "about %.3g in the last fifth.</p>\n",
                   train[0], after);
    else
        markup_add(to, "<p class=\"answer\">%s</p><p class=\"soft\">%s; the loss is about %.3g.</p>\n",
                   accurate ? "Yes." : "It has settled.",
                   accurate ? "The training set is classified without an error"
                            : "In the last fifth of the epochs the training loss hardly changed",
                   after);
}

/* ---- parts ---- */

static void add_figure(markup *to, const char *name, const char *format, double value) {
    char text[40];
    if (!isfinite(value)) return;
    snprintf(text, sizeof text, "%.*f", strcmp(format, "whole") == 0 ? 0 : 3, value);
    if (strcmp(format, "loss") == 0) snprintf(text, sizeof text, "%.3g", value);
    markup_add(to, "<li><b>%s</b><span>%s</span></li>", text, name);
}

static void add_state(const run_page *self, const char *ended, markup *to) {
    const tl_progress *at = &self->last;
    char left[40] = "";
    if (ended && *ended) {
        markup_add(to, "<p class=\"soft\">");
        markup_escaped(to, ended, 0);
        markup_add(to, "</p>\n");
    }
    if (self->epochs == 0 || ended) return;
    const double done = (double)(at->epoch - 1) + (at->batches ? (double)at->batch / (double)at->batches : 0);
    if (done > 0 && at->seconds > 1)
        snprintf(left, sizeof left, ", about %.0f s left", at->seconds * ((double)self->epochs - done) / done);
    markup_add(to, "<p class=\"soft\" role=\"status\">Training: epoch %d of %d%s. This page reloads itself.</p>\n", at->epoch,
               self->epochs, left);
}

static void add_chart(const run_page *self, plot_quantity quantity, bool titled, markup *to) {
    tl_error error = {0};
    chart of;
    chart_curve *curves = plot_make(&of, &self->run, 1, quantity, false, false, &error);
    if (!titled) of.title = NULL;
    of.width = WIDTH;
    of.height = HEIGHT + chart_head(&of);
    if (of.count > 0 && !tl_failed(&error)) chart_svg(&of, to);
    free(curves);
    to->short_of_memory = to->short_of_memory || tl_failed(&error);
}

static void add_convergence(const run_page *self, markup *to) {
    markup_add(to, "<div class=\"card\" id=\"converged\"><h3>Has it converged?</h3>\n");
    if (self->run.log.epochs > 0) {
        run_page_convergence(&self->run.log, to);
        add_chart(self, PLOT_LOSS, false, to);
        markup_add(to, "<small>The loss of each epoch, as computed during training.</small>\n");
    } else
        markup_add(to, "<p class=\"soft\">No epoch has ended yet.</p>\n");
    markup_add(to, "</div>\n");
}

static void add_curves(const run_page *self, markup *to) {
    if (self->run.log.epochs == 0) return;
    page_section(to, "curves", "Learning curves");
    markup_add(to, "<div class=\"row\">");
    for (plot_quantity q = PLOT_ACCURACY; q < PLOT_QUANTITIES; q++) {
        if (q == PLOT_ACCURACY && !log_has(&self->run.log, LOG_TRAIN_ACCURACY)) continue;
        markup_add(to, "<div class=\"card\">");
        add_chart(self, q, true, to);
        markup_add(to, "</div>\n");
    }
    markup_add(to, "</div>\n");
}

/* An argument as a shell reads it. The name of an option is never broken at its hyphens. */
static void add_argument(const char *argument, markup *to) {
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:=,+@%";
    if (*argument && argument[strspn(argument, plain)] == '\0') {
        const bool option = *argument == '-' && strlen(argument) < 30;
        markup_add(to, option ? " <span>%s</span>" : " %s", argument);
        return;
    }
    markup_add(to, " &#39;");
    for (const char *at = argument; *at;) {
        char part[200];
        snprintf(part, sizeof part, "%.*s", (int)strcspn(at, "'"), at);
        at += strlen(part);
        markup_escaped(to, part, 0);
        if (*at != '\'') continue;
        markup_add(to, "&#39;\\&#39;&#39;");
        at++;
    }
    markup_add(to, "&#39;");
}

static void add_command(const run_page *self, markup *to) {
    const common_settings *settings = self->about.settings;
    page_section(to, "command", "Command");
    markup_add(to, "<pre>tapline %s", settings->command);
    for (int i = 0; i < settings->arguments; i++) add_argument(settings->argument[i], to);
    markup_add(to, "</pre>\n<p class=\"soft\">tapline %s</p>\n", tl_version());
}

static void add_title(const run_page *self, markup *to) {
    markup_escaped(to, self->about.part ? self->about.part : "", 0);
    markup_escaped(to, self->about.model, 120);
    if (self->about.more > 0) markup_add(to, " and %zu more, averaged,", self->about.more);
    markup_add(to, " on ");
    markup_escaped(to, self->about.data, 120);
}

static void add_head(const run_page *self, const char *ended, markup *to) {
    const tl_progress *at = &self->last;
    markup_add(to, "<h1>");
    add_title(self, to);
    markup_add(to, "</h1>\n<nav aria-label=\"parts of this page\">");
    if (self->results.count > 0) markup_add(to, "<a href=\"#confused\">results</a>");
    if (self->run.log.epochs > 0) markup_add(to, "<a href=\"#curves\">curves</a>");
    markup_add(to, "<a href=\"#data\">data</a>%s<a href=\"#command\">command</a></nav>\n",
               self->layers.count > 0 ? "<a href=\"#layers\">layers</a>" : "");
    add_state(self, ended, to);
    if (ended || self->run.log.epochs == 0) return;
    markup_add(to, "<ul class=\"figures\">");
    add_figure(to, "training loss", "loss", at->train.loss);
    add_figure(to, "training accuracy", "share", at->train.accuracy);
    add_figure(to, "validation loss", "loss", at->validation.loss);
    add_figure(to, "validation accuracy", "share", at->validation.accuracy);
    markup_add(to, "</ul>\n");
}

/* `ended` NULL: the training goes on. */
static void compose(const run_page *self, const char *ended, markup *to) {
    char title[300];
    snprintf(title, sizeof title, "%.100s on %.100s", self->about.model, self->about.data);
    page_begin(to, title, self->epochs > 0 && !ended ? RELOAD : 0);
    add_head(self, ended, to);
    if (self->results.count > 0) {
        markup_add(to, "%.*s", (int)self->beside, self->results.text);
        if (self->epochs > 0) add_convergence(self, to);
        markup_add(to, "%s", self->results.text + self->beside);
    } else if (self->epochs > 0) {
        markup_add(to, "<div class=\"row\">");
        add_convergence(self, to);
        markup_add(to, "</div>\n");
    }
    add_curves(self, to);
    page_section(to, "data", "Data");
    markup_add(to, "%s", self->data.text ? self->data.text : "");
    if (self->layers.count > 0) page_section(to, "layers", "Layers");
    markup_add(to, "%s", self->layers.text ? self->layers.text : "");
    add_command(self, to);
    page_end(to);
    to->short_of_memory =
        to->short_of_memory || self->data.short_of_memory || self->layers.short_of_memory || self->results.short_of_memory;
}

/* ---- writing ---- */

/* A failure is reported once; the page is then not written any more. */
static void fail(run_page *self, const tl_error *error) {
    if (!self->failed)
        complain(self->about.settings->command, "%s--report %s", self->about.part ? self->about.part : "", error->text);
    self->failed = true;
}

static bool write_page(run_page *self, const char *ended) {
    tl_error error = {0};
    markup page = {0};
    const double begin = now();
    if (self->failed) return false;
    compose(self, ended, &page);
    if (page.short_of_memory) tl_fail(&error, TL_ERROR_MEMORY, "%.200s: out of memory", self->about.path);
    tl_save_bytes(self->about.path, page.text, page.count, &error);
    markup_release(&page);
    self->cost = now() - begin;
    if (tl_failed(&error)) fail(self, &error);
    return !tl_failed(&error);
}

static void keep_epoch(run_page *self, const tl_progress *at) {
    const double row[LOG_COLUMNS] = {at->epoch,   at->learning_rate,   at->train.loss,         at->train.accuracy,
                                     at->seconds, at->validation.loss, at->validation.accuracy};
    if (log_add(&self->run.log, row)) return;
    tl_error error = {0};
    tl_fail(&error, TL_ERROR_MEMORY, "%.200s: out of memory", self->about.path);
    fail(self, &error);
}

bool run_page_step(const tl_progress *at, void *user) {
    run_page *self = user;
    const bool first = !self->last.model;
    const double since = at->seconds - self->written;
    self->last = *at;
    if (at->epoch_end) keep_epoch(self, at);
    if (!self->failed && (first || (since >= RELOAD && since * most_cost >= self->cost))) {
        write_page(self, NULL);
        self->written = at->seconds;
    }
    return true;
}

bool run_page_end(run_page *self, const char *ended) {
    const bool begun = self->epochs == 0 || self->last.model;
    return !begun || write_page(self, ended);
}

void judged_free(judged *self) {
    tl_tensor_free(&self->y);
    *self = (judged){0};
}

void run_page_free(run_page *self) {
    markup_release(&self->data);
    markup_release(&self->layers);
    markup_release(&self->results);
    log_free(&self->run.log);
}
