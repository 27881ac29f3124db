/* `tapline stream`; compiled once for each precision (commands.h). */
#include "cli/predict/stream.h"

#include "cli/predict/outputs.h"
#include "cli/report.h"

#include <tapline/stream.h>

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { INPUT_BYTES = 1 << 16, NUMBER_CHARACTERS = 400 /* of a number in CSV, with its separator */ };

typedef struct session {
    const stream_settings *settings;
    tl_model *model;
    tl_model_info info;
    tl_stream *stream;
    size_t channels, outputs, step; /* step: number of steps so far */
    tl_real *x, *y;                 /* the steps of a read; their outputs */
    size_t room;                    /* of y, in outputs */
    tl_error *error;
} session;

static bool is_csv(const session *self) { return strcmp(self->settings->format, "csv") == 0; }

/* ---- outputs ---- */

/* As tl_predict: for classes, probabilities. */
static void make_probabilities(const session *self, tl_real *y) {
    double sum = 0, largest = (double)y[0];
    if (tl_model_loss(self->model) == TL_LOSS_BINARY_CROSS_ENTROPY) {
        for (size_t c = 0; c < self->outputs; c++) y[c] = (tl_real)(1 / (1 + exp(-(double)y[c])));
        return;
    }
    if (tl_model_loss(self->model) != TL_LOSS_CROSS_ENTROPY) return;
    for (size_t c = 1; c < self->outputs; c++) largest = fmax(largest, (double)y[c]);
    for (size_t c = 0; c < self->outputs; c++) sum += exp((double)y[c] - largest);
    for (size_t c = 0; c < self->outputs; c++) y[c] = (tl_real)(exp((double)y[c] - largest) / sum);
}

/* For a regression, values in their own units. */
static void make_values(const session *self, size_t count) {
    for (size_t i = 0; i < count * self->outputs; i++) {
        const tl_target_scale scale = tl_model_target_scale(self->model, i % self->outputs);
        self->y[i] = (tl_real)((double)self->y[i] * scale.deviation + scale.mean);
    }
}

/* Flushed immediately: the reader may be waiting. */
static void write_outputs(session *self, size_t count) {
    make_values(self, count);
    if (!is_csv(self)) fwrite(self->y, self->outputs * sizeof *self->y, count, stdout);
    for (size_t i = 0; is_csv(self) && i < count; i++) {
        tl_real *y = self->y + i * self->outputs;
        make_probabilities(self, y);
        IN_PRECISION(outputs_row)(&self->info.data, y, self->outputs);
    }
    if (count && (fflush(stdout) != 0 || ferror(stdout)))
        tl_fail(self->error, TL_ERROR_FILE, "stdout: cannot write the outputs: %s", strerror(errno));
}

static bool make_room(session *self, size_t outputs) {
    if (outputs <= self->room) return true;
    tl_real *y = realloc(self->y, outputs * self->outputs * sizeof *y);
    if (!y) {
        tl_fail(self->error, TL_ERROR_MEMORY, "stream: out of memory for %zu outputs", outputs);
        return false;
    }
    self->y = y;
    self->room = outputs;
    return true;
}

/* ---- steps ---- */

/* As the reader scales the value of a file: in double, then rounded. */
static tl_real scaled(const session *self, size_t channel, double value) {
    const tl_scaling *scaling = &self->info.data.scaling;
    return (tl_real)(scaling->kind == TL_NORMALIZE_SET ? (value - scaling->mean[channel]) / scaling->deviation[channel] : value);
}

/* A number that is not finite would affect all outputs that depend on it. */
static bool all_finite(session *self, size_t steps) {
    for (size_t i = 0; i < steps * self->channels; i++) {
        if (isfinite(self->x[i])) continue;
        tl_fail(self->error, TL_ERROR_FORMAT, "stdin: step %zu, channel %zu is %g; values must be finite",
                self->step + i / self->channels, i % self->channels, (double)self->x[i]);
        return false;
    }
    return true;
}

static void push(session *self, size_t steps) {
    if (!all_finite(self, steps) || !make_room(self, tl_stream_ready(self->stream, steps))) return;
    const size_t count = tl_stream_push(self->stream, self->x, steps, self->y, self->room);
    self->step += steps;
    write_outputs(self, count);
}

static void finish(session *self) {
    if (!make_room(self, tl_stream_rest(self->stream))) return;
    write_outputs(self, tl_stream_end(self->stream, self->y, self->room));
}

/* Complete steps are pushed as soon as they are read; the bytes of an incomplete step wait for the rest. */
static void run_raw(session *self) {
    const size_t step = self->channels * sizeof(tl_real), maximum = (INPUT_BYTES / step + 1) * step;
    char *bytes = (char *)self->x;
    size_t held = 0;
    while (!tl_failed(self->error)) {
        const ssize_t got = read(STDIN_FILENO, bytes + held, maximum - held);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) tl_fail(self->error, TL_ERROR_FILE, "stdin: %s", strerror(errno));
        if (got <= 0) break;
        held += (size_t)got;
        const size_t steps = held / step;
        for (size_t i = 0; i < steps * self->channels; i++) self->x[i] = scaled(self, i % self->channels, (double)self->x[i]);
        if (steps) push(self, steps);
        held -= steps * step;
        memmove(bytes, bytes + steps * step, held);
    }
    if (held && !tl_failed(self->error))
        tl_fail(self->error, TL_ERROR_FORMAT, "stdin: the input ends in step %zu, after %zu of its %zu bytes (%zu channels of %s)",
                self->step, held, step, self->channels, tl_precision());
}

/* Numbers separated by commas, one for each channel. */
static bool parse_line(session *self, char *line) {
    char *at = line;
    for (size_t c = 0; c < self->channels; c++) {
        char *end;
        self->x[c] = scaled(self, c, strtod(at, &end));
        end += strspn(end, " \t\r\n");
        if (end == at || *end != (c + 1 < self->channels ? ',' : '\0')) {
            line[strcspn(line, "\r\n")] = '\0';
            tl_fail(self->error, TL_ERROR_FORMAT, "stdin: line %zu is \"%.60s\", not %zu number%s%s", self->step + 1, line,
                    self->channels, self->channels == 1 ? "" : "s", self->channels == 1 ? "" : " separated by commas");
            return false;
        }
        at = end + 1;
    }
    return true;
}

/* Checks that all of a line was read into `size` bytes. */
static bool check_whole(session *self, const char *line, size_t size) {
    if (strchr(line, '\n') || feof(stdin)) return true;
    if (strlen(line) + 1 < size)
        tl_fail(self->error, TL_ERROR_FORMAT, "stdin: line %zu has a NUL character; --format raw reads binary numbers",
                self->step + 1);
    else
        tl_fail(self->error, TL_ERROR_FORMAT, "stdin: line %zu has more than %zu characters for %zu number%s", self->step + 1,
                size - 2, self->channels, self->channels == 1 ? "" : "s");
    return false;
}

static void run_csv(session *self) {
    const size_t size = NUMBER_CHARACTERS * self->channels + 2;
    char *line = malloc(size);
    if (!line) tl_fail(self->error, TL_ERROR_MEMORY, "stream: out of memory");
    if (line) IN_PRECISION(outputs_head)(&self->info.data, self->outputs);
    while (!tl_failed(self->error) && fgets(line, size < INT_MAX ? (int)size : INT_MAX, stdin))
        if (check_whole(self, line, size) && parse_line(self, line)) push(self, 1);
    if (ferror(stdin)) tl_fail(self->error, TL_ERROR_FILE, "stdin: %s", strerror(errno));
    free(line);
}

/* ---- command ---- */

static void open_session(session *self) {
    const stream_settings *settings = self->settings;
    const char *path = settings->model.common.operand[0];
    const tl_load_cfg cfg = {.threads = 1,
                             .engine = TL_ENGINE_DIRECT,
                             .compile = {.batch = 1, .inference_only = true, .no_fold_batch_norm = true},
                             .max_memory = max_memory(&settings->model.common)};
    const tl_stream_cfg stream = {.block = (size_t)settings->block,
                                  .window = (size_t)settings->window,
                                  .hop = (size_t)settings->hop,
                                  .max_memory = cfg.max_memory};
    self->model = tl_model_load(path, &cfg, &self->info, self->error);
    if (self->model && self->info.normalize == TL_NORMALIZE_SERIES)
        tl_fail(self->error, TL_ERROR_STATE,
                "%.200s: it takes each series scaled by its own mean and standard deviation, which are known only at the end of a "
                "stream; train with --normalize set, which scales by the statistics of the training set",
                path);
    self->stream = tl_stream_new(self->model, &stream, self->error);
    if (!self->stream) return;
    self->channels = tl_input_shape(self->model).channels;
    self->outputs = tl_output_shape(self->model).channels;
    self->x = malloc(INPUT_BYTES + 2 * self->channels * sizeof *self->x);
    if (!self->x) tl_fail(self->error, TL_ERROR_MEMORY, "stream: out of memory");
}

int IN_PRECISION(stream)(const void *settings) {
    tl_error error = {0};
    session self = {.settings = settings, .error = &error};
    if (self.settings->model.common.json)
        tl_fail(&error, TL_ERROR_ARGUMENT, "--json: outputs are printed as soon as they are known; use --format csv or raw");
    if (!tl_failed(&error)) open_session(&self);
    if (!tl_failed(&error)) (is_csv(&self) ? run_csv : run_raw)(&self);
    if (!tl_failed(&error)) finish(&self);
    tl_stream_free(self.stream);
    tl_model_info_release(&self.info);
    tl_model_free(self.model);
    free(self.x);
    free(self.y);
    return tl_failed(&error) ? model_failed(&self.settings->model, &error) : EXIT_DONE;
}
