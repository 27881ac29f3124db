/* Reads a data set: the table of readers, and the choice for a path. */
#include "base/argument.h"
#include "base/memory.h"
#include "data/classes.h"
#include "data/dataset.h"
#include "data/generate.h"
#include "data/scaling.h"
#include "data/windows.h"
#include "read/columns.h"
#include "read/directory.h"
#include "read/folder.h"
#include "read/foreign.h"
#include "read/halves.h"
#include "read/pair.h"
#include "read/reader.h"
#include "read/stored.h"

#include <tapline/machine.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- choice of the reader ---- */

static const tl_reader *const readers[] = {&tl_ts_reader,  &tl_table_reader, &tl_arff_reader,
                                           &tl_npy_reader, &tl_npz_reader,   &tl_wfdb_reader};

/* `format`: "csv" or ".csv", which replaces the ending of the name, or NULL. */
static const tl_reader *find_reader(const char *path, const char *format, tl_error *error) {
    char all[160], asked[20];
    int end = 0;
    snprintf(asked, sizeof asked, "f%s%s", !format || *format == '.' ? "" : ".", format ? format : "");
    for (size_t i = 0; i < sizeof readers / sizeof *readers; i++) {
        for (const char *const *ending = readers[i]->endings; *ending; ending++) {
            if (tl_has_ending(format ? asked : path, *ending)) return readers[i];
            if (strchr(*ending, '/')) continue; /* a half of a file that is listed already */
            end += snprintf(all + end, sizeof all - (size_t)end, "%s%s", end ? ", " : "", *ending);
        }
    }
    if (format)
        tl_fail(error, TL_ERROR_ARGUMENT, "%s: format \"%s\" is unknown; choose one of %s", path, format, all);
    else if (access(path, F_OK) != 0)
        tl_fail(error, TL_ERROR_FILE, "%s: %s", path, strerror(errno));
    else if (tl_foreign_check(path, error) == TL_OK)
        tl_fail(error, TL_ERROR_ARGUMENT, "%s: the name has none of the endings %s", path, all);
    return NULL;
}

bool tl_dataset_is_table(const char *path, const char *format) {
    tl_error ignored = {0};
    const tl_reader *reader = path && (!tl_is_folder(path) || format) ? find_reader(path, format, &ignored) : NULL;
    char *pair = reader == &tl_npy_reader ? tl_pair_find(path, &ignored) : NULL;
    const bool table = reader == &tl_table_reader || (reader == &tl_npy_reader && !pair);
    free(pair);
    return table;
}

static const char builtin[] = "builtin:";

static bool is_array(const char *path, const tl_read_cfg *cfg) {
    tl_error ignored = {0};
    const tl_reader *reader = tl_is_folder(path) && !cfg->format ? NULL : find_reader(path, cfg->format, &ignored);
    return reader == &tl_npy_reader || reader == &tl_npz_reader;
}

/* Arrays that are no table have no columns, but the array `groups` may give the group of each series. */
static tl_status check_group(const char *path, const tl_read_cfg *cfg, tl_error *error) {
    if (!cfg->group || tl_dataset_is_table(path, cfg->format) || !is_array(path, cfg) || strcmp(cfg->group, "groups") == 0)
        return TL_OK;
    return tl_fail(error, TL_ERROR_ARGUMENT,
                   "%s: --group %s (tl_read_cfg.group) is only for tables; here, --group groups reads the array `groups`", path,
                   cfg->group);
}

/* Options for columns would be ignored for other formats. */
static tl_status check_columns(const char *path, const tl_read_cfg *cfg, tl_error *error) {
    const struct {
        const char *name, *columns;
    } all[] = {{"label", cfg->label}, {"target", cfg->target}, {"ignore", cfg->ignore}, {"value", cfg->value},
               {"group", cfg->group}, {"series", cfg->series}, {"time", cfg->time},     {"file", cfg->file}};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (all[i].columns && !tl_dataset_is_table(path, cfg->format) &&
            !(strcmp(all[i].name, "group") == 0 && is_array(path, cfg)))
            return tl_fail(error, TL_ERROR_ARGUMENT, "%s: --%s (tl_read_cfg.%s) is only for tables: .csv, .tsv, .txt, .npy", path,
                           all[i].name, all[i].name);
    if (check_group(path, cfg, error) != TL_OK) return error->status;
    if (cfg->annotator && (!tl_has_ending(path, ".hea") || strchr(cfg->annotator, '/') || !*cfg->annotator))
        return tl_fail(
            error, TL_ERROR_ARGUMENT,
            "%s: --annotator %s (tl_read_cfg.annotator) is only for records (.hea): the ending of the file of annotations", path,
            cfg->annotator);
    if (cfg->no_label && strncmp(path, builtin, sizeof builtin - 1) == 0)
        return tl_fail(error, TL_ERROR_ARGUMENT,
                       "%s: --no-label (tl_read_cfg.no_label) is not for generated sets, which have a label for each series", path);
    if (cfg->file && tl_dataset_is_table(path, cfg->format) && tl_has_ending(path, ".npy"))
        return tl_fail(error, TL_ERROR_ARGUMENT, "%s: --file (tl_read_cfg.file) is only for tables in text: .csv, .tsv, .txt",
                       path);
    return TL_OK;
}

/* Fails for settings without effect on data of this format. `text`: a table, or files in a folder, which may be tables. */
static tl_status check_effect(const char *path, const tl_read_cfg *cfg, bool record, bool table, bool text, tl_error *error) {
    if (cfg->segment > 0 && !record)
        return tl_fail(error, TL_ERROR_ARGUMENT, "%s: --segment %zu (tl_read_cfg.segment) is only for records (.hea)", path,
                       cfg->segment);
    if (cfg->header != TL_HEADER_AUTO && !table)
        return tl_fail(error, TL_ERROR_ARGUMENT,
                       "%s: --header %s (tl_read_cfg.header) is only for tables in text: .csv, .tsv, .txt", path,
                       tl_header_name(cfg->header));
    if (cfg->decimal_comma && !text)
        return tl_fail(error, TL_ERROR_ARGUMENT,
                       "%s: --decimal-comma (tl_read_cfg.decimal_comma) is only for numbers in text: .csv, .tsv, .txt", path);
    return TL_OK;
}

static tl_dataset *read_whole(const char *path, const tl_read_cfg *cfg, tl_error *error) {
    if (tl_is_folder(path) && !cfg->format)
        return check_effect(path, cfg, false, false, true, error) == TL_OK ? tl_read_directory(path, cfg, error) : NULL;
    const tl_reader *reader = find_reader(path, cfg->format, error);
    const bool record = reader == &tl_wfdb_reader, table = reader == &tl_table_reader;
    if (!reader || check_effect(path, cfg, record, table, table, error) != TL_OK) return NULL;
    if (!record || tl_has_ending(path, ".hea")) return reader->read(path, cfg, error);
    tl_fail(error, TL_ERROR_ARGUMENT, "%s: a record is read by the name of its header, NAME.hea; its other files are beside it",
            path);
    return NULL;
}

/* A generated set of the training set's kind. Windows are compared with it later (check_windows). */
static tl_dataset *read_builtin(const char *path, const tl_read_cfg *cfg, tl_error *error) {
    if (check_effect(path, cfg, false, false, false, error) != TL_OK) return NULL;
    if (cfg->format) {
        tl_fail(error, TL_ERROR_ARGUMENT, "%s: --format %s (tl_read_cfg.format) is only for files", path, cfg->format);
        return NULL;
    }
    return tl_builtin_read(path + sizeof builtin - 1, cfg, error);
}

/* A folder may belong to the UCR archive; `folder`: the path without the half. */
static tl_dataset *read_half(const char *path, const char *folder, tl_half half, const tl_read_cfg *cfg, tl_error *error) {
    char *file = tl_is_folder(folder) ? tl_half_file(folder, half, error) : NULL;
    tl_dataset *data = NULL;
    if (file && half == TL_HALF_ANY && cfg->reference)
        tl_fail(error, TL_ERROR_ARGUMENT, "%s: has two halves; name one of them: %s/test or %s/train", path, path, path);
    if (!tl_failed(error)) data = read_whole(file ? file : path, cfg, error);
    free(file);
    return data;
}

static tl_dataset *read_file(const char *path, const tl_read_cfg *cfg, tl_error *error) {
    tl_half half;
    char *folder = tl_half_cut(path, &half, error);
    tl_dataset *data = folder ? read_half(path, folder, half, cfg, error) : NULL;
    free(folder);
    return data;
}

bool tl_dataset_has_test(const char *path) {
    tl_error ignored = {0};
    if (!path) return false;
    if (strncmp(path, "builtin:", 8) == 0) return !strchr(path, '/');
    if (tl_has_ending(path, ".npz")) return tl_npz_has_test(path);
    char *test = tl_is_folder(path) ? tl_half_file(path, TL_HALF_TEST, &ignored) : NULL;
    const bool there = test != NULL;
    free(test);
    return there;
}

/* ---- windows ---- */

/* The training set has windows of this kind; the readers do not check that. */
static tl_status check_windows(const tl_dataset *data, const char *path, const tl_dataset *reference, tl_error *error) {
    if (!reference ||
        (data->x.shape[1] == reference->x.shape[1] && (!data->labels || tl_labels_each(data) == tl_labels_each(reference))))
        return TL_OK;
    return tl_fail(error, TL_ERROR_SHAPE,
                   "%s: windows have %zu steps with %zu target%s each, but those of the training set have %zu and %zu", path,
                   data->x.shape[1], tl_labels_each(data), tl_labels_each(data) == 1 ? "" : "s", reference->x.shape[1],
                   tl_labels_each(reference));
}

/* A window of a series with one target has this target. Data for a model is read as that of its training. */
static tl_status check_window_target(const tl_dataset *data, const tl_read_cfg *cfg, tl_error *error) {
    if (cfg->window_target == TL_WINDOW_MAJORITY || cfg->reference || !(data->labels || data->values) || tl_labels_each(data) > 1)
        return TL_OK;
    return tl_fail(error, TL_ERROR_ARGUMENT,
                   "--window-target %s (tl_read_cfg.window_target) is only for targets of steps, but each series has one target",
                   tl_window_target_name(cfg->window_target));
}

/* Returns the windows of the data, which is freed. */
static tl_dataset *cut_windows(tl_dataset *data, const char *path, const tl_read_cfg *cfg, tl_error *error) {
    tl_error wrong = {0};
    size_t lost = 0;
    const tl_window_cfg windows = {.length = cfg->window, .hop = cfg->hop, .target = cfg->window_target};
    const size_t limit = cfg->max_memory ? cfg->max_memory : tl_memory_limit() / 2;
    const bool cuts = check_window_target(data, cfg, &wrong) == TL_OK;
    tl_dataset *parts = cuts ? tl_windows_cut(data, &windows, limit, &wrong) : NULL;
    for (size_t i = 0; parts && i < data->x.shape[0]; i++)
        lost += (data->lengths ? data->lengths[i] : data->x.shape[1]) < cfg->window;
    if (!parts) tl_fail(error, wrong.status, "%s: %s", path, wrong.text);
    if (lost > 0 && cfg->warn) {
        char text[400];
        snprintf(text, sizeof text, "%s: %zu of %zu series were left out because they are shorter than a window of %zu steps", path,
                 lost, data->x.shape[0], cfg->window);
        cfg->warn(text, cfg->user);
    }
    if (parts && data->batches.fill) parts->batches = tl_stored_windows(&data->batches, parts);
    tl_dataset_free(data);
    if (!parts || check_windows(parts, path, cfg->reference, error) == TL_OK) return parts;
    tl_dataset_free(parts);
    return NULL;
}

/* ---- the data set ---- */

/* Generated data and windows are scaled here; the readers scale other data, before rounding. */
static tl_status finish_scaling(tl_dataset *data, const tl_read_cfg *cfg, bool generated, tl_error *error) {
    if (tl_failed(error) || (!generated && cfg->window == 0)) return error->status;
    return tl_dataset_scale(data, cfg->normalize, cfg->reference, error);
}

/* Windows and generated series are in memory. */
static tl_status check_each(const char *path, const tl_read_cfg *cfg, bool generated, tl_error *error) {
    if (!cfg->each || !(generated || cfg->window > 0)) return TL_OK;
    return tl_fail(error, TL_ERROR_ARGUMENT, "%s: tl_read_cfg.each is not for %s", path, generated ? "generated sets" : "windows");
}

static tl_dataset *read_data(const char *path, const tl_read_cfg *cfg, tl_error *error) {
    const bool generated = strncmp(path, builtin, sizeof builtin - 1) == 0;
    tl_read_cfg whole = *cfg;
    if (check_each(path, cfg, generated, error) != TL_OK) return NULL;
    if (cfg->window > 0 && cfg->normalize != TL_NORMALIZE_NONE) whole.normalize = TL_NORMALIZE_SET; /* keeps all digits */
    tl_dataset *data = generated ? read_builtin(path, cfg, error) : read_file(path, &whole, error);
    if (data && cfg->window > 0) data = cut_windows(data, path, cfg, error);
    if (data && cfg->no_label && data->values && !cfg->unlabelled)
        tl_fail(error, TL_ERROR_ARGUMENT, "%s: --no-label %s (tl_read_cfg.no_label) is for labels, but the data has target values",
                path, cfg->no_label);
    if (!data || finish_scaling(data, cfg, generated, error) == TL_OK) return data;
    tl_dataset_free(data);
    return NULL;
}

/* Warnings of a reading that may fail, and is then repeated. */
typedef struct warnings {
    char text[4][400];
    size_t count;
} warnings;

static void hold_warning(const char *text, void *user) {
    warnings *self = user;
    if (self->count < sizeof self->text / sizeof *self->text) snprintf(self->text[self->count++], sizeof *self->text, "%s", text);
}

static void drop_labels(tl_dataset *data) {
    tl_classes_release(data);
    tl_release(data->labels);
    data->labels = NULL;
    data->target_length = 1;
}

/* Reads it with its labels; NULL if it has none, or other ones. A row of a table with series of different lengths may begin with a
 * label or not: it does if all rows begin with classes of the model. */
static tl_dataset *read_labelled(const char *path, const tl_read_cfg *cfg) {
    tl_error none = {0};
    warnings held = {.count = 0};
    tl_read_cfg labelled = *cfg;
    labelled.unlabelled = false;
    labelled.warn = cfg->warn ? hold_warning : NULL;
    labelled.user = &held;
    const bool vary = cfg->reference && cfg->reference->lengths && tl_dataset_is_table(path, cfg->format);
    labelled.keep_labels = cfg->keep_labels && !vary;
    if (!cfg->unlabelled || !cfg->reference || (vary ? !tl_columns_vary(cfg) : !cfg->keep_labels)) return NULL;
    tl_dataset *data = read_data(path, &labelled, &none);
    for (size_t i = 0; data && cfg->warn && i < held.count; i++) cfg->warn(held.text[i], cfg->user);
    if (data && !cfg->keep_labels) drop_labels(data);
    return data;
}

tl_dataset *tl_dataset_read_sized(const char *path, const tl_read_cfg *given, size_t size, tl_error *error) {
    tl_read_cfg settings, *cfg = &settings;
    tl_error own = {0};
    if (!error) error = &own;
    if (tl_failed(error) || !tl_given(path, "data: the path", error)) return NULL;
    tl_take(cfg, sizeof *cfg, given, size, "read", error);
    if (tl_failed(error) || check_columns(path, cfg, error) != TL_OK ||
        tl_scaling_resolve(cfg->normalize, cfg->reference, &cfg->normalize, error) != TL_OK)
        return NULL;
    tl_dataset *labelled = read_labelled(path, cfg);
    return labelled ? labelled : read_data(path, cfg, error);
}
