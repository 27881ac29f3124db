#include "read/arrays.h"

#include "base/memory.h"
#include "io/zip.h"
#include "read/npy.h"
#include "read/samples.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* The rows of a y with several columns. */
typedef enum rows { ROWS_OTHER = 0, ROWS_BINARY, ROWS_ONE_HOT } rows;

typedef struct arrays {
    const tl_two_arrays *at;
    tl_source series, targets, groups;
    tl_npy x, y, group;
    rows rows;
    size_t steps, width;   /* of y: targets of a series, and numbers of a target */
    size_t values, absent; /* number of target values; number of those that are NaN */
} arrays;

static tl_status open_array(const char *path, const char *const *names, tl_source *source, tl_npy *array, tl_error *error) {
    tl_source_open(source, path, error);
    if (names) tl_zip_enter(source, names, 2, error);
    return tl_npy_header(source, array, error);
}

/* Opens y, which only predictions do without. */
static tl_status open_targets(arrays *self, const tl_read_cfg *cfg, tl_error *error) {
    tl_error wrong = {0};
    if (tl_failed(error) || cfg->unlabelled) return error->status;
    if (open_array(self->at->y, self->at->y_names, &self->targets, &self->y, &wrong) == TL_OK) return TL_OK;
    return tl_fail(error, wrong.status, "%s%s", wrong.text,
                   cfg->reference && wrong.status == TL_ERROR_FORMAT ? TL_ONLY_PREDICT : "");
}

/* ---- the kind of y ---- */

/* Reads all rows, and goes back to the first one. */
static tl_status scan_rows(arrays *self, tl_error *error) {
    bool binary = true, single = true;
    tl_npy again;
    double *row = tl_allocate(self->width, sizeof *row, "a row of y", error);
    for (size_t i = 0; binary && !tl_failed(error) && i < self->y.shape[0] * self->steps; i++) {
        size_t ones = 0;
        tl_source_numbers(&self->targets, &self->y.type, self->width, TL_MISSING_ZERO, row, error);
        for (size_t c = 0; c < self->width; c++) {
            ones += row[c] == 1;
            binary = binary && (row[c] == 0 || row[c] == 1);
        }
        single = single && ones == 1;
    }
    tl_release(row);
    self->rows = !binary ? ROWS_OTHER : single ? ROWS_ONE_HOT : ROWS_BINARY;
    tl_source_close(&self->targets);
    return tl_failed(error) ? error->status : open_array(self->at->y, self->at->y_names, &self->targets, &again, error);
}

/* There must be a target for each series, or for each step; several columns are one class each, or values. */
static tl_status check_targets(arrays *self, tl_error *error) {
    const tl_npy *x = &self->x, *y = &self->y;
    const size_t count = x->shape[0], length = x->shape[1];
    char shape[80];
    tl_npy_shape(y, shape);
    const bool of_steps = y->rank > 1 && y->shape[1] == length;
    self->steps = of_steps ? length : 1;
    self->width = y->rank == 3 ? y->shape[2] : y->rank == 2 && !of_steps ? y->shape[1] : 1;
    const bool fits = y->rank > 0 && y->shape[0] == count && (y->rank < 3 || of_steps) && (self->width == 1 || y->type.size > 0);
    if (fits && self->width > 1 && scan_rows(self, error) != TL_OK) return error->status;
    if (fits && (self->width == 1 || y->type.kind == TL_FLOAT || self->rows != ROWS_OTHER)) return TL_OK;
    return tl_source_expected(&self->targets, 0, shape, error,
                              "the shape (%zu,) with a label or value for each series, (%zu, %zu) with one for each step, or "
                              "several columns with floats, or with 0 and 1 for each class",
                              count, count, length);
}

static tl_status check_shapes(const arrays *self, tl_error *error) {
    const tl_npy *x = &self->x;
    char shape[80];
    tl_npy_shape(x, shape);
    if (x->type.size == 0) return tl_source_expected(&self->series, 0, "texts", error, "numbers");
    if (x->rank < 2)
        return tl_source_expected(&self->series, 0, shape, error, "the shape (count, length, channels) or (count, length)");
    return TL_OK;
}

static tl_status check_groups(const arrays *self, tl_error *error) {
    char shape[80];
    tl_npy_shape(&self->group, shape);
    if (tl_failed(error) || !self->at->groups) return error->status;
    if (self->group.type.size > 0 && self->group.type.kind == TL_FLOAT)
        return tl_source_expected(&self->groups, 0, "floats", error, "whole numbers or texts, which name the groups");
    if (self->group.rank == 1 && self->group.shape[0] == self->x.shape[0]) return TL_OK;
    return tl_source_expected(&self->groups, 0, shape, error, "the shape (%zu,), with the group of each series", self->x.shape[0]);
}

/* ---- reading ---- */

static tl_status read_group(arrays *self, tl_samples *s, tl_error *error) {
    char bytes[TL_NPY_LABEL];
    tl_field name = {NULL, NULL};
    if (!s->grouped || tl_npy_label(&self->groups, &self->group, bytes, &name, error) != TL_OK) return error->status;
    s->text = &self->groups.where;
    return tl_samples_group(s, name, error);
}

/* The class is the column with the 1. */
static tl_status read_one_hot(arrays *self, tl_samples *s, size_t step, tl_error *error) {
    char name[24] = "";
    for (size_t c = 0; c < self->width && !tl_failed(error); c++) {
        double value = 0;
        if (tl_source_numbers(&self->targets, &self->y.type, 1, TL_MISSING_REFUSE, &value, error) == TL_OK && value == 1)
            snprintf(name, sizeof name, "%zu", c);
    }
    return tl_failed(error) ? error->status : tl_samples_label(s, step, (tl_field){name, name + strlen(name)}, error);
}

static tl_status read_labels(arrays *self, tl_samples *s, tl_error *error) {
    char bytes[TL_NPY_LABEL];
    tl_field label = {NULL, NULL};
    for (size_t t = 0; t < s->target_length && !tl_failed(error); t++)
        if (self->width > 1)
            read_one_hot(self, s, t, error);
        else if (tl_npy_label(&self->targets, &self->y, bytes, &label, error) == TL_OK)
            tl_samples_label(s, t, label, error);
    return error->status;
}

/* Missing target values are never replaced: NaN does not count. */
static tl_status read_values(arrays *self, tl_samples *s, tl_error *error) {
    const size_t count = s->target_length * s->target_channels;
    double *values = tl_samples_targets(s);
    if (tl_source_numbers(&self->targets, &self->y.type, count, TL_MISSING_ZERO, values, error) != TL_OK) return error->status;
    for (size_t i = 0; i < count; i++) self->absent += isnan(values[i]) != 0;
    self->values += count;
    return TL_OK;
}

static tl_status read_targets(arrays *self, tl_samples *s, tl_error *error) {
    if (s->unlabelled) return tl_samples_keep(s, NULL, error);
    s->text = &self->targets.where;
    (s->regression ? read_values : read_labels)(self, s, error);
    return tl_failed(error) ? error->status : tl_samples_keep(s, NULL, error);
}

/* The classes of a one-hot y are its columns, including those that no series has. */
static tl_status declare_columns(const arrays *self, tl_samples *s, tl_error *error) {
    for (size_t c = 0; c < self->width && !s->reference && !tl_failed(error); c++) {
        char name[24];
        const int length = snprintf(name, sizeof name, "%zu", c);
        tl_samples_declare(s, (tl_field){name, name + length}, error);
    }
    return error->status;
}

enum { MIN_CHANNELS = 8, MIN_SERIES = 6, FEW = 20 };

/* Returns the number of different target values if all are whole numbers, as labels are; FEW: that many or more, or others. */
static size_t count_whole(const tl_samples *s) {
    double seen[FEW];
    size_t count = 0;
    for (size_t i = 0; i < s->series * s->target_length * s->target_channels; i++) {
        size_t k = 0;
        if (isnan(s->targets[i])) continue;
        while (k < count && seen[k] != s->targets[i]) k++;
        if (k < count) continue;
        if (s->targets[i] != floor(s->targets[i]) || count + 1 == FEW) return FEW;
        seen[count++] = s->targets[i];
    }
    return count;
}

/* Axes in the order of PyTorch, labels that are stored as floats, and values that are stored as whole numbers. */
static void warn_of_types(const arrays *self, const tl_samples *s) {
    const size_t length = self->x.shape[1], channels = s->channels, labels = s->targets ? count_whole(s) : FEW;
    if (s->reference) return;
    if (channels > length && channels >= MIN_CHANNELS)
        tl_samples_warn(s,
                        "%.120s: series have %zu steps with %zu channels: the axes are (count, length, channels), and those of "
                        "PyTorch, (count, channels, length), need x.transpose(0, 2, 1)",
                        self->series.where.path, length, channels);
    if (s->regression && self->width == 1 && labels < FEW && 2 * labels <= s->series)
        tl_samples_warn(s,
                        "%.120s: floats are target values, but y has only %zu different ones, all whole numbers; if they are "
                        "labels, store y.astype(int)",
                        self->targets.where.path, labels);
    if (!s->regression && !s->unlabelled && s->target_length == 1 && s->series >= MIN_SERIES && 2 * s->classes > s->series)
        tl_samples_warn(s,
                        "%.120s: %zu different labels in %zu series do not look like classes; if they are target values, store "
                        "y.astype(float)",
                        self->targets.where.path, s->classes, s->series);
}

static tl_status fill_arrays(arrays *self, tl_samples *s, tl_error *error) {
    const size_t count = self->x.shape[0], length = self->x.shape[1], channels = self->x.rank == 3 ? self->x.shape[2] : 1;
    const bool one_hot = self->rows == ROWS_ONE_HOT && (!s->reference || s->reference->classes > 0);
    s->regression = self->width > 1 ? !one_hot : self->y.type.kind == TL_FLOAT;
    s->target_length = s->unlabelled ? 1 : self->steps;
    s->target_channels = s->regression && !s->unlabelled ? self->width : 1;
    s->grouped = self->at->groups != NULL;
    if (one_hot && declare_columns(self, s, error) != TL_OK) return error->status;
    if (s->cfg->by_batch && !self->series.compressed)
        s->stored = tl_stored_new(&self->series, &self->x.type, s->missing_policy, count, length, channels, error);
    s->reals = tl_number_is_real(&self->x.type);
    tl_samples_count(s, count, length, channels, count * length * channels);
    tl_samples_announce(s, error);
    for (size_t i = 0; i < count && !tl_failed(error); i++) {
        s->text = &self->series.where;
        if (tl_samples_begin_row(s, length, channels, error) == TL_OK &&
            tl_samples_read(s, &self->series, &self->x.type, 0, length * channels, error) == TL_OK &&
            read_group(self, s, error) == TL_OK)
            read_targets(self, s, error);
    }
    if (!tl_failed(error)) warn_of_types(self, s);
    if (self->absent > 0)
        tl_samples_warn(s, "%s: %zu of %zu target values are NaN and do not count in loss and metrics", self->targets.where.path,
                        self->absent, self->values);
    return error->status;
}

tl_dataset *tl_read_arrays(const tl_two_arrays *at, const tl_read_cfg *cfg, tl_error *error) {
    arrays self = {.at = at};
    tl_samples samples = tl_samples_begin(&self.series.where, cfg);
    tl_dataset *data = NULL;
    open_array(at->x, at->x_names, &self.series, &self.x, error);
    open_targets(&self, cfg, error);
    if (!tl_failed(error) && at->groups) open_array(at->groups, at->groups_names, &self.groups, &self.group, error);
    if (!tl_failed(error)) check_shapes(&self, error);
    if (!tl_failed(error) && !cfg->unlabelled) check_targets(&self, error);
    if (!tl_failed(error)) check_groups(&self, error);
    if (!tl_failed(error) && fill_arrays(&self, &samples, error) == TL_OK) data = tl_samples_finish(&samples, error);
    tl_samples_release(&samples);
    tl_source_close(&self.series);
    tl_source_close(&self.targets);
    tl_source_close(&self.groups);
    return data;
}
