/* `tapline predict`; compiled once for each precision (commands.h). */
#include "cli/predict/model.h"
#include "cli/predict/outputs.h"
#include "cli/report.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { ROWS = 1024 }; /* predicted at a time */

/* Returns whether there is an output for every step. */
static bool has_steps(const loaded *self) { return tl_output_shape(self->model).length > 1; }

/* The layout of the output. */
typedef struct printer {
    const loaded *from;
    tl_dataset meaning;  /* of outputs: the classes of the model, or none */
    size_t outputs, top; /* number of values; number of classes that are printed, 0: all */
    bool any;            /* JSON: a prediction was printed */
} printer;

static printer printer_of(const loaded *self) {
    const size_t outputs = tl_output_shape(self->model).channels, top = (size_t)self->settings->top;
    printer made = {.from = self, .meaning = self->info.data, .outputs = outputs, .top = top < outputs ? top : outputs};
    if (self->settings->output) made.meaning.classes = 0;
    return made;
}

/* Returns whether labels or targets of the series are known. */
static bool has_labels(const printer *self) { return self->from->data->labels && self->from->info.data.classes > 0; }
static bool has_values(const printer *self) { return self->from->data->values && self->meaning.classes == 0; }

static size_t target_channels(const printer *self) {
    return self->from->data->target_channels ? self->from->data->target_channels : 1;
}

/* ---- CSV ---- */

/* Prints the number of the series, or the window of a recording, and the step. */
static void print_place(const loaded *self, size_t series, size_t step) {
    const tl_window *windows = self->data->windows;
    if (windows)
        printf("%zu,%zu,", windows[series].series, windows[series].start);
    else if (has_steps(self))
        printf("%zu,", series);
    if (has_steps(self)) printf("%zu,", step);
}

/* The label follows the predicted class, or the target values follow the values. */
static void print_head(const printer *self) {
    const loaded *from = self->from;
    const size_t channels = target_channels(self);
    if (from->data->windows) fputs("recording,start,", stdout);
    if (has_steps(from)) fputs(from->data->windows ? "step," : "series,step,", stdout);
    for (size_t k = 1; k <= self->top; k++) printf("%sclass_%zu,probability_%zu", k > 1 ? "," : "", k, k);
    if (self->top == 0 && self->meaning.classes > 0) fputs("class", stdout);
    if (has_labels(self) && self->meaning.classes > 0) fputs(",label", stdout);
    for (size_t c = 0; self->top == 0 && c < self->outputs; c++) {
        if (c > 0 || self->meaning.classes > 0) putchar(',');
        IN_PRECISION(outputs_name)(&self->meaning, c, self->outputs);
    }
    if (has_labels(self) && self->meaning.classes == 0) fputs(",label", stdout);
    for (size_t c = 0; has_values(self) && c < channels; c++) {
        fputs(",target", stdout);
        if (channels > 1) printf("_%zu", c);
    }
    putchar('\n');
}

/* Returns the index of the target of a step. */
static size_t target_at(const printer *self, size_t series, size_t step) {
    const size_t each = self->from->data->target_length;
    return each > 1 ? series * each + step : series;
}

static void print_label(const printer *self, size_t series, size_t step) {
    if (!has_labels(self)) return;
    const int32_t label = self->from->data->labels[target_at(self, series, step)];
    putchar(',');
    if (label >= 0) IN_PRECISION(outputs_class)(&self->from->info.data, (size_t)label);
}

static void print_targets(const printer *self, size_t series, size_t step) {
    const size_t channels = target_channels(self), first = target_at(self, series, step) * channels;
    for (size_t c = 0; has_values(self) && c < channels; c++) {
        putchar(',');
        IN_PRECISION(outputs_number)((double)self->from->data->values[first + c]);
    }
}

/* Returns the index of the largest of y: (outputs) that is smaller than y[before], or equal and after it; `before` = outputs: the
 * largest of all. */
static size_t next_largest(const tl_real *y, size_t outputs, size_t before) {
    size_t best = outputs;
    for (size_t c = 0; c < outputs; c++) {
        const bool follows = before == outputs || (y[c] == y[before] ? before < c : y[c] < y[before]);
        if (follows && (best == outputs || y[c] > y[best])) best = c;
    }
    return best;
}

static void print_top(const printer *self, const tl_real *y) {
    size_t c = self->outputs;
    for (size_t k = 1; k <= self->top; k++) {
        c = next_largest(y, self->outputs, c);
        if (k > 1) putchar(',');
        IN_PRECISION(outputs_class)(&self->meaning, c);
        putchar(',');
        IN_PRECISION(outputs_number)((double)y[c]);
    }
}

static void print_csv(const printer *self, size_t series, size_t step, const tl_real *y) {
    const bool classes = self->meaning.classes > 0;
    print_place(self->from, series, step);
    print_top(self, y);
    if (self->top == 0 && classes) IN_PRECISION(outputs_class)(&self->meaning, next_largest(y, self->outputs, self->outputs));
    if (classes) print_label(self, series, step);
    for (size_t c = 0; self->top == 0 && c < self->outputs; c++) {
        if (c > 0 || classes) putchar(',');
        IN_PRECISION(outputs_number)((double)y[c]);
    }
    if (!classes) print_label(self, series, step);
    print_targets(self, series, step);
    putchar('\n');
}

/* ---- JSON ---- */

/* Everything except the last bracket. */
static void begin_json(const loaded *self) {
    printf("{\"model\": ");
    report_json_part(report_string(self->settings->common.operand[0]), OUTPUTS_DIGITS);
    printf(", \"data\": ");
    report_json_part(report_string(loaded_data(self)), OUTPUTS_DIGITS);
    printf(", \"output\": ");
    report_json_part(report_string(self->settings->output), OUTPUTS_DIGITS);
    json_t *names = json_array();
    for (size_t c = 0; c < self->info.data.classes; c++)
        json_array_append_new(names, IN_PRECISION(outputs_class_json)(&self->info.data, c));
    printf(", \"classes\": ");
    report_json_part(names, OUTPUTS_DIGITS);
    printf(", \"predictions\": [");
}

static void add_target(const printer *self, json_t *row, size_t series, size_t step) {
    const tl_dataset *data = self->from->data;
    const size_t at = target_at(self, series, step), channels = target_channels(self);
    if (has_labels(self))
        json_object_set_new(row, "label",
                            data->labels[at] >= 0
                                ? IN_PRECISION(outputs_class_json)(&self->from->info.data, (size_t)data->labels[at])
                                : json_null());
    if (has_values(self))
        json_object_set_new(row, "targets", IN_PRECISION(outputs_numbers_json)(data->values + at * channels, channels));
}

static json_t *top_as_json(const printer *self, const tl_real *y) {
    json_t *list = json_array();
    size_t c = self->outputs;
    for (size_t k = 0; k < self->top; k++) {
        c = next_largest(y, self->outputs, c);
        json_array_append_new(list, json_pack("{s:o, s:o}", "class", IN_PRECISION(outputs_class_json)(&self->meaning, c),
                                              "probability", report_number((double)y[c])));
    }
    return list;
}

static void print_json(printer *self, size_t series, size_t step, const tl_real *y) {
    const tl_window *windows = self->from->data->windows;
    json_t *row = json_object();
    report_count(row, windows ? "recording" : "series", windows ? windows[series].series : series);
    if (windows) report_count(row, "start", windows[series].start);
    if (has_steps(self->from)) report_count(row, "step", step);
    add_target(self, row, series, step);
    if (self->meaning.classes > 0)
        json_object_set_new(row, "class",
                            IN_PRECISION(outputs_class_json)(&self->meaning, next_largest(y, self->outputs, self->outputs)));
    if (self->top > 0)
        json_object_set_new(row, "top", top_as_json(self, y));
    else
        json_object_set_new(row, self->meaning.classes > 0 ? "probabilities" : "values",
                            IN_PRECISION(outputs_numbers_json)(y, self->outputs));
    if (self->any) printf(", ");
    report_json_part(row, OUTPUTS_DIGITS);
    self->any = true;
}

/* ---- both ---- */

static void print_begin(const printer *self) {
    if (self->from->settings->common.json)
        begin_json(self->from);
    else
        print_head(self);
}

static void print_end(const printer *self) {
    if (self->from->settings->common.json) printf("]}\n");
}

/* Fails if a prediction is not finite; series are numbered from `first` on. */
static tl_status check_rows(size_t first, const tl_tensor *y, tl_error *error) {
    const size_t each = y->shape[1] * y->shape[2];
    for (size_t i = 0; i < y->shape[0] * each; i++)
        if (!isfinite(y->data[i]))
            return tl_fail(error, TL_ERROR_NUMERIC,
                           "series %zu: the prediction is not finite: the model or the series has values that are too large",
                           first + i / each);
    return TL_OK;
}

static void print_row(printer *self, size_t series, size_t step, const tl_real *y) {
    if (self->from->settings->common.json)
        print_json(self, series, step, y);
    else
        print_csv(self, series, step, y);
}

/* Prints the predictions y of the series from `first` on. */
static void print_rows(printer *self, size_t first, const tl_tensor *y) {
    const size_t steps = y->shape[1], outputs = y->shape[2];
    for (size_t i = 0; i < y->shape[0]; i++)
        for (size_t t = 0; t < steps; t++) print_row(self, first + i, t, y->data + (i * steps + t) * outputs);
}

/* Series that are not in memory are copied to `room`, one after the other; an empty tensor for others. */
static tl_tensor take_series(const loaded *self, const tl_tensor *room, size_t first, size_t count, tl_error *error) {
    if (!room->data) return tl_tensor_slice(&self->data->x, first, count);
    const tl_tensor x = tl_tensor_slice(room, 0, count);
    for (size_t i = 0; i < count; i++) {
        const uint32_t index = (uint32_t)(first + i);
        tl_dataset_series(self->data, &index, 1, x.data + i * x.shape[1] * x.shape[2], error);
    }
    return x;
}

/* Predicts as many series at a time as y has rows. */
static void predict_all(const loaded *self, const tl_tensor *room, tl_tensor *y, tl_error *error) {
    const size_t series = self->data->x.shape[0], rows = y->shape[0];
    printer printed = printer_of(self);
    for (size_t first = 0; first < series && !tl_failed(error); first += rows) {
        const tl_tensor x = take_series(self, room, first, series - first < rows ? series - first : rows, error);
        tl_tensor part = tl_tensor_slice(y, 0, x.shape[0]);
        IN_PRECISION(loaded_predict)(self, &x, self->data->lengths ? self->data->lengths + first : NULL, &part, error);
        if (tl_failed(error) || check_rows(first, &part, error) != TL_OK) return;
        if (first == 0) print_begin(&printed);
        print_rows(&printed, first, &part);
    }
    print_end(&printed);
}

static void predict_one(const loaded *self, tl_tensor *y, tl_error *error) {
    const size_t *shape = self->data->x.shape;
    tl_tensor room = {0};
    if (self->data->batches.fill) room = tl_tensor_new(3, (size_t[]){y->shape[0], shape[1], shape[2]}, error);
    if (!tl_failed(error)) predict_all(self, &room, y, error);
    tl_tensor_free(&room);
}

static void predict_mean(loaded *self, tl_tensor *y, tl_error *error) {
    tl_ensemble *ensemble = tl_ensemble_new(self->data, error);
    printer printed = printer_of(self);
    for (size_t i = 0; i < self->models; i++) IN_PRECISION(loaded_join)(self, ensemble, i, error);
    if (tl_ensemble_predict(ensemble, y, error) == TL_OK && check_rows(0, y, error) == TL_OK) {
        print_begin(&printed);
        print_rows(&printed, 0, y);
        print_end(&printed);
    }
    tl_ensemble_free(ensemble);
}

/* Returns the number of series at a time: their outputs take at most 64 MB, but at least a batch; a batch where they are read by
 * batch. */
static size_t choose_rows(const loaded *self) {
    const tl_shape out = tl_output_shape(self->model);
    const size_t series = self->data->x.shape[0], batch = tl_model_batch(self->model), room = (64U << 20) / sizeof(tl_real);
    const size_t fit = room / out.length / out.channels, rows = fit < ROWS ? fit : ROWS;
    if (self->data->batches.fill && self->models == 1) return series < batch ? series : batch;
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

/* A file of an earlier tapline may have a network with more outputs than classes: the meaning of these outputs is unknown. */
static void check_classes(const loaded *self, tl_error *error) {
    const size_t classes = self->info.data.classes, outputs = tl_output_shape(self->model).channels;
    if (classes > 0 && classes != outputs && !self->settings->output)
        tl_fail(error, TL_ERROR_SHAPE,
                "%s: its network has %zu outputs for %zu classes; train a network with one output for each class",
                self->settings->common.operand[0], outputs, classes);
    if (classes == 0 && self->settings->top > 0)
        tl_fail(error, TL_ERROR_ARGUMENT, "--top %d needs classes, but the model predicts values", (int)self->settings->top);
}

/* Fails for options that contradict each other. */
static void check_output(const model_settings *settings, tl_error *error) {
    if (!settings->output) return;
    if (settings->top > 0)
        tl_fail(error, TL_ERROR_ARGUMENT, "--top %d cannot be combined with --output %s, which prints the output of a layer",
                (int)settings->top, settings->output);
    if (settings->common.operand[2])
        tl_fail(error, TL_ERROR_ARGUMENT, "--output %s: give only one model; outputs of layers cannot be averaged",
                settings->output);
}

int IN_PRECISION(predict)(const void *given) {
    tl_error error = {0};
    model_settings own = *(const model_settings *)given, *settings = &own;
    loaded self = {.settings = settings};
    own.folds = !own.no_fold;
    check_output(settings, &error);
    if (!tl_failed(&error)) IN_PRECISION(loaded_read)(&self, settings, true, &error);
    if (!tl_failed(&error)) check_classes(&self, &error);
    if (!tl_failed(&error)) predict(&self, &error);
    IN_PRECISION(loaded_free)(&self);
    return tl_failed(&error) ? model_failed(settings, &error) : EXIT_DONE;
}
