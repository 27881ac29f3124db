#include "cli/train/train.h"

#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

static volatile sig_atomic_t interrupted;

static void interrupt(int signal_number) {
    (void)signal_number;
    interrupted = 1;
}

static const atomic_bool *watched;

void progress_watch(const atomic_bool *stop) { watched = stop; }
bool progress_interrupted(void) { return interrupted || (watched && atomic_load(watched)); }

/* The handler works once: a second signal ends the process. Signals that were ignored when the command began (SIGINT in the
 * background of a script, SIGHUP under nohup) stay ignored. */
void progress_catch_signals(void) {
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
    struct sigaction action = {.sa_handler = interrupt, .sa_flags = (int)(SA_RESETHAND | SA_RESTART)}, before;
    sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
        if (sigaction(signals[i], NULL, &before) == 0 && before.sa_handler != SIG_IGN) sigaction(signals[i], &action, NULL);
}

/* ---- the log ---- */

/* A failure is reported once, when it happens; training continues without the log. */
static void check_log(progress *self, const tl_error *error) {
    if (self->log_failed || !tl_failed(error)) return;
    self->log_failed = true;
    complain(self->command, "--log %s", error->text);
}

static void open_log(progress *self) {
    tl_error error = {0};
    if (!self->log_path || self->log || self->log_failed) return;
    self->log = tl_csv_log_new(self->log_path, self->append, &error);
    check_log(self, &error);
}

/* ---- events for TensorBoard ---- */

static void check_events(progress *self, const tl_error *error) {
    if (self->events_failed || !tl_failed(error)) return;
    self->events_failed = true;
    complain(self->command, "--tensorboard %s", error->text);
}

static void write_events(progress *self, const tl_progress *at) {
    tl_error error = {0};
    if (!self->folder || self->events_failed) return;
    if (!self->events) self->events = events_open(self->folder, &error);
    if (at->epoch_end) events_epoch(self->events, at, &error);
    check_events(self, &error);
}

/* ---- the bar ---- */

enum { BAR = 16, LINE = 200, LINES = 10 };
static const double redraw_seconds = 0.1, line_seconds = 60;

static void write_time(char *text, size_t size, double seconds) {
    const long whole = isfinite(seconds) ? lround(seconds) : 0;
    if (whole < 3600)
        snprintf(text, size, "%ld:%02ld", whole / 60, whole % 60);
    else
        snprintf(text, size, "%ld:%02ld:%02ld", whole / 3600, whole / 60 % 60, whole % 60);
}

/* "  validation loss 0.0123 accuracy 0.987", or nothing. */
static void describe_validation(const progress *self, char *text, size_t size) {
    const tl_metrics *of = &self->validation;
    if (isnan(of->loss))
        *text = '\0';
    else
        snprintf(text, size, "  validation loss %.4f %s %.3f", of->loss, self->regression ? "rmse" : "accuracy",
                 self->regression ? of->rmse : of->accuracy);
}

/* The state as text: "epoch 12/300  loss 0.0123  accuracy 0.987  4321 series/s  0:12 left". */
static void describe(const progress *self, const tl_progress *at, char *text, size_t size) {
    const size_t seen = at->epoch_end ? self->series : at->batch * self->batch;
    const double done = (double)(at->epoch - 1) * (double)self->series + (double)seen;
    const double rate = done / at->seconds, left = ((double)at->epochs * (double)self->series - done) / rate;
    const double quality = self->regression ? at->train.rmse : at->train.accuracy;
    char clock[32], member[64] = "", validation[80];
    write_time(clock, sizeof clock, left);
    describe_validation(self, validation, sizeof validation);
    if (self->members) snprintf(member, sizeof member, "member %zu/%zu  ", self->member, self->members);
    snprintf(text, size, "%sepoch %d/%d  loss %.4f  %s %.3f%s  %.0f series/s  %s left", member, at->epoch, at->epochs,
             at->train.loss, self->regression ? "rmse" : "accuracy", quality, validation, rate, clock);
}

static int terminal_columns(void) {
    struct winsize size;
    return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

/* Prints a line over the previous one; cut to the terminal's width, because a wrapped line could not be overwritten. */
static void draw(progress *self, const tl_progress *at) {
    char bar[BAR + 1], text[LINE], line[LINE + BAR + 4];
    const double share = ((double)(at->epoch - 1) + (double)at->batch / (double)at->batches) / (double)at->epochs;
    for (int i = 0; i < BAR; i++) bar[i] = (double)i < share * BAR ? '#' : '.';
    bar[BAR] = '\0';
    describe(self, at, text, sizeof text);
    snprintf(line, sizeof line, "[%s] %s", bar, text);
    fprintf(stderr, "\r%.*s\033[K", terminal_columns() - 1, line);
    fflush(stderr);
    self->drawn = at->seconds;
}

static void print_line(progress *self, const tl_progress *at) {
    char text[LINE];
    describe(self, at, text, sizeof text);
    fprintf(stderr, "%s\n", text);
    self->drawn = at->seconds;
}

/* After the first epoch, each tenth of the epochs and each minute. */
static bool line_is_due(const progress *self, const tl_progress *at, bool last) {
    const int every = at->epochs > LINES ? at->epochs / LINES : 1;
    const bool first = !isfinite(self->drawn);
    if (at->seconds - (first ? 0 : self->drawn) >= line_seconds) return true;
    return at->epoch_end && (last || first || at->epoch % every == 0);
}

static void show(progress *self, const tl_progress *at) {
    const bool last = at->epoch == at->epochs && at->epoch_end;
    if (at->epoch_end) self->validation = at->validation;
    if (self->terminal && (last || at->seconds - self->drawn >= redraw_seconds))
        draw(self, at);
    else if (!self->terminal && line_is_due(self, at, last))
        print_line(self, at);
}

/* ---- callback ---- */

bool progress_begin(progress *self, const train_settings *settings, const tl_dataset *data, size_t batch) {
    *self = (progress){.command = settings->common.command,
                       .series = data->x.shape[0],
                       .batch = batch,
                       .quiet = settings->quiet,
                       .terminal = isatty(STDERR_FILENO),
                       .drawn = -INFINITY,
                       .validation.loss = NAN,
                       .log_path = settings->log,
                       .append = settings->resume != NULL,
                       .folder = settings->tensorboard,
                       .regression = data->classes == 0};
    tl_error error = {0};
    if (settings->log) tl_csv_log_check(settings->log, &error);
    check_log(self, &error);
    error = (tl_error){0};
    if (settings->tensorboard) events_check(settings->tensorboard, &error);
    check_events(self, &error);
    const bool begun = !self->log_failed && !self->events_failed;
    if (begun) progress_catch_signals();
    return begun;
}

bool progress_step(const tl_progress *at, void *user) {
    progress *self = user;
    if (!self->quiet) show(self, at);
    open_log(self);
    tl_csv_log_epoch(at, self->log);
    check_log(self, tl_csv_log_error(self->log));
    write_events(self, at);
    return !progress_interrupted();
}

bool progress_end(progress *self) {
    if (self->terminal && !self->quiet && isfinite(self->drawn)) fputs("\n", stderr);
    if (progress_interrupted()) complain(self->command, "interrupted; results so far:");
    tl_error error = {0};
    tl_csv_log_close(self->log, &error);
    check_log(self, &error);
    events_close(self->events);
    return !self->log_failed && !self->events_failed;
}
