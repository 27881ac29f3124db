/* `tapline predict`, compiled once for each precision (commands.h). */
#include "cli/model.h"
#include "cli/outputs.h"
#include "cli/report.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { ROWS = 1024 }; /* predicted at once */

/* Whether there is an output for every step. */
static bool has_steps(const loaded *self) { return tl_output_shape(self->model).length > 1; }

static void print_head(const loaded *self, size_t outputs) {
    if (self->data->windows) fputs("recording,start,", stdout);
    if (has_steps(self)) fputs(self->data->windows ? "step," : "series,step,", stdout);
    IN_PRECISION(outputs_head)(&self->info.data, outputs);
}

/* Fails for a series, numbered from `first` on, whose prediction is not finite. */
static tl_status check_rows(size_t first, const tl_tensor *y, tl_error *error) {
    const size_t each = y->shape[1] * y->shape[2];
    for (size_t i = 0; i < y->shape[0] * each; i++)
        if (!isfinite(y->data[i]))
            return tl_fail(error, TL_ERROR_NUMERIC,
                           "series %zu: what is predicted is not finite: the model, or the series, has values that are too large",
                           first + i / each);
    return TL_OK;
}

/* Which series, or window of a recording, and which step of it. */
static void print_place(const loaded *self, size_t series, size_t step) {
    const tl_window *windows = self->data->windows;
    if (windows)
        printf("%zu,%zu,", windows[series].series, windows[series].start);
    else if (has_steps(self))
        printf("%zu,", series);
    if (has_steps(self)) printf("%zu,", step);
}

/* Series from `first` on, of which y is what is predicted. */
static void print_rows(const loaded *self, size_t first, const tl_tensor *y) {
    const size_t steps = y->shape[1], outputs = y->shape[2];
    for (size_t i = 0; i < y->shape[0]; i++)
        for (size_t t = 0; t < steps; t++) {
            print_place(self, first + i, t);
            IN_PRECISION(outputs_row)(&self->info.data, y->data + (i * steps + t) * outputs, outputs);
        }
}

/* As many at a time as y has rows. */
static void predict_one(const loaded *self, tl_tensor *y, tl_error *error) {
    const size_t series = self->data->x.shape[0], rows = y->shape[0];
    for (size_t first = 0; first < series && !tl_failed(error); first += rows) {
        const tl_tensor x = tl_tensor_slice(&self->data->x, first, series - first < rows ? series - first : rows);
        tl_tensor part = tl_tensor_slice(y, 0, x.shape[0]);
        tl_predict(self->model, &x, self->data->lengths ? self->data->lengths + first : NULL, &part, error);
        if (first == 0 && !tl_failed(error)) print_head(self, y->shape[2]);
        if (!tl_failed(error) && check_rows(first, &part, error) == TL_OK) print_rows(self, first, &part);
    }
}

static void predict_mean(loaded *self, tl_tensor *y, tl_error *error) {
    tl_ensemble *ensemble = tl_ensemble_new(self->data, error);
    for (size_t i = 0; i < self->models; i++) IN_PRECISION(loaded_join)(self, ensemble, i, error);
    if (tl_ensemble_predict(ensemble, y, error) == TL_OK && check_rows(0, y, error) == TL_OK) {
        print_head(self, y->shape[2]);
        print_rows(self, 0, y);
    }
    tl_ensemble_free(ensemble);
}

/* As many as are predicted at once, of which outputs take 64 MB at most, but for those of one batch. */
static size_t choose_rows(const loaded *self) {
    const tl_shape out = tl_output_shape(self->model);
    const size_t series = self->data->x.shape[0], batch = tl_model_batch(self->model), room = (64U << 20) / sizeof(tl_real);
    const size_t fit = room / out.length / out.channels, rows = fit < ROWS ? fit : ROWS;
    return self->models > 1 || series < rows ? series : rows > batch ? rows : batch;
}

static void predict(loaded *self, tl_error *error) {
    const size_t rows = choose_rows(self);
    const tl_shape out = tl_output_shape(self->model);
    if (self->models > 1) IN_PRECISION(loaded_check_outputs)(self, error);
    tl_tensor y = tl_tensor_new(3, (size_t[]){rows, out.length, out.channels}, error);
    if (tl_failed(error)) return;
    if (self->models > 1)
        predict_mean(self, &y, error);
    else
        predict_one(self, &y, error);
    tl_tensor_free(&y);
}

/* A file of a tapline that trained networks with more outputs than classes: of these outputs nothing is known. */
static void check_classes(const loaded *self, tl_error *error) {
    const size_t classes = self->info.data.classes, outputs = tl_output_shape(self->model).channels;
    if (classes > 0 && classes != outputs)
        tl_fail(error, TL_ERROR_SHAPE, "%s: its network has %zu outputs for %zu classes; train it again with one for each",
                self->settings->common.operand[0], outputs, classes);
}

int IN_PRECISION(predict)(const void *settings) {
    tl_error error = {0};
    loaded self;
    IN_PRECISION(loaded_read)(&self, settings, true, &error);
    if (!tl_failed(&error)) check_classes(&self, &error);
    if (!tl_failed(&error)) predict(&self, &error);
    IN_PRECISION(loaded_free)(&self);
    return tl_failed(&error) ? model_failed(settings, &error) : EXIT_DONE;
}
