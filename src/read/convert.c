/* Writes data sets as NumPy arrays (numpy.lib.format, version 1.0). */
#include "base/argument.h"
#include "base/memory.h"
#include "data/dataset.h"
#include "read/array_files.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* ---- arrays ---- */

enum { HEADER = 128 }; /* bytes; a multiple of 64, as NumPy aligns its data */

/* The type of the elements, such as "<f8", and the axes; an axis of 0 and those after it do not exist. */
static tl_status write_header(tl_array_files *to, const char *type, const size_t shape[3], tl_error *error) {
    char header[HEADER + 1], axes[70] = "";
    for (size_t i = 0, at = 0; i < 3 && shape[i] > 0; i++)
        at += (size_t)snprintf(axes + at, sizeof axes - at, "%s%zu", i ? ", " : "", shape[i]);
    const int length =
        snprintf(header, sizeof header, "\x93NUMPY\x01%c%c%c{'descr': '%s', 'fortran_order': False, 'shape': (%s%s), }", 0,
                 HEADER - 10, 0, type, axes, shape[1] > 0 ? "" : ",");
    memset(header + length, ' ', (size_t)(HEADER - length));
    header[HEADER - 1] = '\n';
    return tl_array_files_add(to, header, HEADER, error);
}

/* ---- series ---- */

typedef struct conversion {
    const char *path; /* of the data, or of one of its halves */
    const char *half; /* at the end of the names of arrays: "", "_train" or "_test" */
    bool second;      /* what is lost was said of the first half */
    const tl_read_cfg *given;
    tl_read_cfg cfg;
    bool single; /* float32 */
    void (*warn)(const char *text, void *user);
    void *user;
    tl_array_files *to;
    void *row; /* (length, channels) of float or double; NULL before the first series */
    size_t written;
} conversion;

static tl_status begin_series(conversion *self, const size_t shape[3], tl_error *error) {
    self->row = tl_reserve(shape[1] * shape[2], sizeof(double), "a series", error);
    if (tl_failed(error) || tl_array_files_begin(self->to, TL_ARRAY_SERIES, self->half, error) != TL_OK) return error->status;
    return write_header(self->to, self->single ? "<f4" : "<f8", shape, error);
}

/* After its end, a series is NaN. */
static tl_status write_series(const tl_file_series *series, void *user, tl_error *error) {
    conversion *self = user;
    const size_t each = series->length * series->channels, count = series->steps * series->channels;
    if (!self->row && begin_series(self, (const size_t[]){series->count, series->length, series->channels}, error) != TL_OK)
        return error->status;
    float *narrow = self->row;
    double *wide = self->row;
    for (size_t i = 0; i < each; i++) {
        const double value = i < count ? series->x[i] : (double)NAN;
        if (self->single)
            narrow[i] = (float)value;
        else
            wide[i] = value;
    }
    self->written++;
    return tl_array_files_add(self->to, self->row, each * (self->single ? sizeof *narrow : sizeof *wide), error);
}

static void write_generated(conversion *self, const tl_dataset *data, tl_error *error) {
    const size_t *shape = data->x.shape, each = shape[1] * shape[2];
    double *row = tl_reserve(each, sizeof *row, "a series", error);
    for (size_t i = 0; i < shape[0] && !tl_failed(error); i++) {
        for (size_t k = 0; k < each; k++) row[k] = (double)data->x.data[i * each + k];
        write_series(&(tl_file_series){i, shape[0], shape[1], shape[2], shape[1], row}, self, error);
    }
    tl_release(row);
}

/* ---- targets ---- */

static size_t targets_of(const tl_dataset *data) { return data->x.shape[0] * tl_labels_each(data); }

static const char *name_of(const conversion *self, const tl_dataset *data, int32_t label) {
    return label >= 0 ? data->class_names[label] : self->cfg.no_label;
}

static bool is_integer(const char *name, int64_t *value) {
    char again[24], *end;
    *value = strtoll(name, &end, 10);
    snprintf(again, sizeof again, "%" PRId64, *value);
    return strcmp(again, name) == 0;
}

/* Whether all names are whole numbers, as they are written. *longest [OUT]: bytes of the longest name; *ascii [OUT]. */
static bool measure_names(const conversion *self, const tl_dataset *data, size_t *longest, bool *ascii) {
    bool integers = true;
    int64_t value;
    *longest = 1;
    *ascii = true;
    for (int32_t c = self->cfg.no_label ? -1 : 0; c < (int32_t)data->classes; c++) {
        const char *name = name_of(self, data, c);
        integers = integers && is_integer(name, &value);
        *longest = tl_max(*longest, strlen(name));
        for (const char *at = name; *at; at++) *ascii = *ascii && (unsigned char)*at < 128;
    }
    return integers;
}

static void shape_of_labels(const tl_dataset *data, size_t shape[3]) {
    shape[0] = data->x.shape[0];
    shape[1] = tl_labels_each(data) > 1 ? tl_labels_each(data) : 0;
    shape[2] = 0;
}

static void write_integers(const conversion *self, const tl_dataset *data, tl_error *error) {
    size_t shape[3];
    shape_of_labels(data, shape);
    write_header(self->to, "<i8", shape, error);
    for (size_t i = 0; i < targets_of(data) && !tl_failed(error); i++) {
        int64_t value;
        is_integer(name_of(self, data, data->labels[i]), &value);
        tl_array_files_add(self->to, &value, sizeof value, error);
    }
}

/* Texts of ASCII are characters of four bytes, as NumPy's own; others are bytes of UTF-8. */
static void write_texts(const conversion *self, const tl_dataset *data, size_t longest, bool ascii, tl_error *error) {
    char type[24];
    size_t shape[3];
    const size_t width = ascii ? 4 : 1;
    shape_of_labels(data, shape);
    snprintf(type, sizeof type, ascii ? "<U%zu" : "|S%zu", longest);
    write_header(self->to, type, shape, error);
    char *text = tl_allocate(longest, width, "a label", error);
    for (size_t i = 0; i < targets_of(data) && !tl_failed(error); i++) {
        const char *name = name_of(self, data, data->labels[i]);
        memset(text, 0, longest * width);
        for (size_t c = 0; name[c]; c++) text[c * width] = name[c];
        tl_array_files_add(self->to, text, longest * width, error);
    }
    tl_release(text);
}

static void write_labels(const conversion *self, const tl_dataset *data, tl_error *error) {
    size_t longest;
    bool ascii;
    if (measure_names(self, data, &longest, &ascii))
        write_integers(self, data, error);
    else
        write_texts(self, data, longest, ascii, error);
}

/* One value 1 in each row of zeros would be read as a class. */
static bool looks_like_classes(const tl_dataset *data, size_t channels) {
    bool like = channels > 1;
    for (size_t i = 0; like && i < targets_of(data); i++) {
        size_t ones = 0;
        for (size_t c = 0; like && c < channels; c++) {
            const double value = tl_value_at(data, i * channels + c);
            ones += value == 1;
            like = value == 0 || value == 1;
        }
        like = like && ones == 1;
    }
    return like;
}

static void write_values(const conversion *self, const tl_dataset *data, tl_error *error) {
    const size_t each = tl_labels_each(data), channels = tl_values_each(data) / each;
    if (looks_like_classes(data, channels) || (each == 1 && channels == data->x.shape[1] && channels > 1)) {
        tl_fail(error, TL_ERROR_SHAPE, "%s: its %zu target values would be read as %s", self->path, channels,
                looks_like_classes(data, channels) ? "classes" : "those of steps");
        return;
    }
    const size_t shape[3] = {data->x.shape[0],
                             each > 1       ? each
                             : channels > 1 ? channels
                                            : 0,
                             each > 1 && channels > 1 ? channels : 0};
    write_header(self->to, "<f8", shape, error);
    for (size_t i = 0; i < targets_of(data) * channels && !tl_failed(error); i++) {
        const double value = tl_value_at(data, i);
        tl_array_files_add(self->to, &value, sizeof value, error);
    }
}

static void write_targets(const conversion *self, const tl_dataset *data, tl_error *error) {
    if (!(data->labels || data->values) || tl_array_files_begin(self->to, TL_ARRAY_TARGETS, self->half, error) != TL_OK) return;
    (data->values ? write_values : write_labels)(self, data, error);
}

static void write_groups(const conversion *self, const tl_dataset *data, tl_error *error) {
    const size_t shape[3] = {data->x.shape[0], 0, 0};
    if (!data->groups || tl_array_files_begin(self->to, TL_ARRAY_GROUPS, self->half, error) != TL_OK) return;
    write_header(self->to, "<u4", shape, error);
    tl_array_files_add(self->to, data->groups, shape[0] * sizeof *data->groups, error);
}

/* ---- what the arrays do not contain ---- */

static void warn(const conversion *self, const char *what) {
    char text[400];
    snprintf(text, sizeof text, "%.200s: %s", self->to->path[0], what);
    if (self->warn) self->warn(text, self->user);
}

/* As classes of arrays are sorted when they are read. */
static bool is_sorted(const tl_dataset *data) {
    bool sorted = true, integers = true;
    int64_t a, b;
    for (size_t c = 0; c < data->classes; c++) integers = integers && is_integer(data->class_names[c], &a);
    for (size_t c = 1; sorted && c < data->classes; c++) {
        const char *before = data->class_names[c - 1], *name = data->class_names[c];
        sorted = integers ? is_integer(before, &a) && is_integer(name, &b) && a < b : strcmp(before, name) < 0;
    }
    return sorted;
}

static bool are_all_used(const tl_dataset *data) {
    size_t used = 0;
    for (int32_t c = 0; c < (int32_t)data->classes; c++) {
        size_t i = 0;
        while (i < targets_of(data) && data->labels[i] != c) i++;
        used += i < targets_of(data);
    }
    return used == data->classes;
}

static void warn_of_losses(const conversion *self, const tl_dataset *data) {
    if (data->groups) warn(self, "read its groups with --group groups (tl_read_cfg.group)");
    if (data->rate > 0) warn(self, "the number of steps per second is not written");
    if (data->labels && !(is_sorted(data) && are_all_used(data)))
        warn(self, "its classes are numbered in sorted order when it is read, without those that no series has");
    if (data->lengths) warn(self, "series end with NaN; read them with --missing tail (TL_MISSING_TAIL)");
}

/* ---- a data set, or one of its halves ---- */

static void pass_warning(const char *text, void *user) {
    const conversion *self = user;
    if (self->warn) self->warn(text, self->user);
}

static tl_dataset *read_source(conversion *self, tl_error *error) {
    const bool generated = strncmp(self->path, "builtin:", 8) == 0;
    self->cfg = *self->given;
    self->cfg.normalize = TL_NORMALIZE_NONE;
    self->cfg.by_batch = false;
    self->warn = self->cfg.warn;
    self->user = self->cfg.user;
    self->cfg.warn = pass_warning;
    if (!generated) self->cfg.each = write_series;
    self->cfg.user = self;
    tl_dataset *data = tl_dataset_read(self->path, &self->cfg, error);
    if (data && generated) write_generated(self, data, error);
    return data;
}

static tl_status convert(conversion *self, size_t shape[3], tl_error *error) {
    tl_dataset *data = read_source(self, error);
    if (data && self->written != data->x.shape[0]) tl_fail(error, TL_ERROR_FILE, "%s: changed while it was read", self->path);
    if (data && !tl_failed(error)) write_targets(self, data, error);
    if (data && !tl_failed(error)) write_groups(self, data, error);
    if (data && !tl_failed(error) && !self->second) warn_of_losses(self, data);
    if (data && shape) memcpy(shape, data->x.shape, 3 * sizeof *shape);
    tl_release(self->row);
    tl_dataset_free(data);
    return error->status;
}

/* An archive has both halves of data that has two. */
static tl_status convert_all(const conversion *whole, size_t shape[3], tl_error *error) {
    conversion first = *whole, second = *whole;
    if (whole->to->path[1] || !tl_dataset_has_test(whole->path)) return convert(&first, shape, error);
    char test[4096];
    const int length = snprintf(test, sizeof test, "%s/test", whole->path);
    if (length < 0 || (size_t)length >= sizeof test) return tl_fail(error, TL_ERROR_ARGUMENT, "%.200s…: is too long", whole->path);
    first.half = "_train";
    second.half = "_test";
    second.path = test;
    second.second = true;
    return convert(&first, shape, error) == TL_OK ? convert(&second, NULL, error) : error->status;
}

/* ---- checks ---- */

/* The files to write, while the files to read are visited. */
typedef struct written {
    const tl_array_files *to;
    tl_error *error;
} written;

static void compare(const char *file, void *user) {
    const written *self = user;
    struct stat a, b;
    for (size_t i = 0; i < TL_ARRAY_ROLES && self->to->path[i]; i++)
        if (stat(file, &a) == 0 && stat(self->to->path[i], &b) == 0 && a.st_dev == b.st_dev && a.st_ino == b.st_ino)
            tl_fail(self->error, TL_ERROR_ARGUMENT, "%.200s: is a file of the data, and would be overwritten", self->to->path[i]);
}

static tl_status check_files(const conversion *self, tl_error *error) {
    written files = {self->to, error};
    return tl_dataset_files(self->path, self->given, compare, &files, error);
}

static tl_status check(const char *path, const char *x, const tl_read_cfg *cfg, tl_error *error) {
    if (!tl_given(path, "convert: the path", error) || !tl_given(x, "convert: the path of the series", error)) return error->status;
    if (cfg->window > 0)
        return tl_fail(error, TL_ERROR_ARGUMENT, "%s: windows are not converted; cut them when the data is read (--window)", path);
    if (cfg->each || cfg->keep_labels)
        return tl_fail(error, TL_ERROR_ARGUMENT, "convert: tl_read_cfg.each and keep_labels must not be set");
    return TL_OK;
}

tl_status tl_dataset_convert_sized(const char *path, const char *x, const tl_read_cfg *given, size_t size, bool single,
                                   size_t shape[3], tl_error *error) {
    tl_error own = {0};
    tl_read_cfg cfg;
    tl_array_files to = {.archive = NULL};
    const conversion self = {.path = path, .half = "", .given = &cfg, .single = single, .to = &to};
    if (!error) error = &own;
    if (tl_failed(error)) return error->status;
    tl_take(&cfg, sizeof cfg, given, size, "convert", error);
    if (tl_failed(error) || check(path, x, &cfg, error) != TL_OK) return error->status;
    if (tl_array_files_prepare(&to, x, error) == TL_OK && check_files(&self, error) == TL_OK &&
        convert_all(&self, shape, error) == TL_OK)
        tl_array_files_end(&to, error);
    tl_array_files_release(&to);
    return error->status;
}
