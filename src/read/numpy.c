/* `.npy`: a NumPy array that is a table, or the series of a pair. */
#include "base/memory.h"
#include "read/arrays.h"
#include "read/columns.h"
#include "read/npy.h"
#include "read/pair.h"
#include "read/reader.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <unistd.h>

/* A message about the number that was read last. */
static tl_status other_number(tl_source *source, const tl_npy *table, double got, const char *expected, tl_error *error) {
    char text[40];
    snprintf(text, sizeof text, "%g", got);
    return tl_source_expected(source, table->type.size, text, error, "%s", expected);
}

/* A whole number, of any type. */
static tl_status read_label(tl_source *source, const tl_npy *table, char bytes[TL_NPY_LABEL], tl_field *label, tl_error *error) {
    double number;
    if (table->type.kind != TL_FLOAT) return tl_npy_label(source, table, bytes, label, error);
    if (tl_source_numbers(source, &table->type, 1, TL_MISSING_REFUSE, &number, error) != TL_OK) return error->status;
    if (number < -1e9 || number > 1e9 || number != (double)(int64_t)number)
        return other_number(
            source, table, number,
            "a label, which must be a whole number (--label names the column of labels, --target those of target values)", error);
    *label = (tl_field){bytes, bytes + snprintf(bytes, TL_NPY_LABEL, "%" PRId64, (int64_t)number)};
    return TL_OK;
}

/* Reads a label that is not needed. A fraction is a value: the series are one step longer than those of the model. */
static tl_status skip_label(tl_source *source, const tl_npy *table, tl_error *error) {
    double value;
    if (tl_source_numbers(source, &table->type, 1, TL_MISSING_ZERO, &value, error) != TL_OK) return error->status;
    if (isnan(value) || value == floor(value)) return TL_OK;
    return other_number(source, table, value, "as many values as a series of the model has, or a class of the model before them",
                        error);
}

/* Returns, for each column, the end of the consecutive columns with its role; the caller releases them. */
static size_t *ends_of_runs(const tl_columns *columns, tl_error *error) {
    size_t *ends = tl_failed(error) ? NULL : tl_allocate(columns->count, sizeof *ends, "columns", error);
    for (size_t c = columns->count; ends && c-- > 0;)
        ends[c] = c + 1 < columns->count && columns->role[c + 1] == columns->role[c] ? ends[c + 1] : c + 1;
    return ends;
}

/* Reads `count` columns of a role into the current series. guessed: no option says that the column has labels. *values, *targets:
 * the number of the next value, and the place of the next target value. */
static tl_status read_columns(tl_source *source, const tl_npy *table, tl_samples *s, tl_role role, bool guessed, size_t count,
                              size_t *values, double **targets, tl_error *error) {
    char bytes[TL_NPY_LABEL];
    tl_field label = {NULL, NULL};
    if (role == TL_ROLE_VALUE) {
        tl_samples_read(s, source, &table->type, *values, count, error);
        *values += count;
    } else if (role == TL_ROLE_TARGET && !s->unlabelled) {
        tl_source_numbers(source, &table->type, count, TL_MISSING_REFUSE, *targets, error);
        *targets += count;
    } else if ((role == TL_ROLE_LABEL && !s->unlabelled) || role == TL_ROLE_GROUP) {
        if (read_label(source, table, bytes, &label, error) != TL_OK) return error->status;
        return role == TL_ROLE_GROUP ? tl_samples_group(s, label, error) : tl_samples_label(s, 0, label, error);
    } else if (role == TL_ROLE_LABEL && guessed && s->reference && s->reference->class_names)
        skip_label(source, table, error);
    else
        tl_source_seek(source, source->where.offset + count * table->type.size, error);
    return error->status;
}

/* ends: of runs of columns. */
static tl_status read_row(tl_source *source, const tl_npy *table, const tl_columns *columns, const size_t *ends, tl_samples *s,
                          tl_error *error) {
    double *targets = s->targets ? tl_samples_targets(s) : NULL;
    size_t values = 0;
    tl_samples_begin_row(s, columns->of[TL_ROLE_VALUE], 1, error);
    for (size_t c = 0; c < columns->count && !tl_failed(error); c = ends[c])
        read_columns(source, table, s, columns->role[c], !columns->asked, ends[c] - c, &values, &targets, error);
    return tl_failed(error) ? error->status : tl_samples_keep(s, NULL, error);
}

static tl_status fill_table(tl_source *source, const tl_npy *table, const tl_columns *columns, tl_samples *s, tl_error *error) {
    const size_t count = table->shape[0], length = columns->of[TL_ROLE_VALUE];
    s->grouped = columns->of[TL_ROLE_GROUP] > 0;
    s->regression = columns->of[TL_ROLE_TARGET] > 0;
    s->target_channels = s->regression ? columns->of[TL_ROLE_TARGET] : 1;
    s->reals = tl_number_is_real(&table->type);
    tl_samples_count(s, count, length, 1, count * length);
    tl_samples_announce(s, error);
    size_t *ends = ends_of_runs(columns, error);
    for (size_t i = 0; i < count && !tl_failed(error); i++) read_row(source, table, columns, ends, s, error);
    tl_release(ends);
    return tl_columns_check_labels(columns, s, false, error);
}

static tl_status check_table(const tl_source *source, const tl_npy *table, tl_error *error) {
    char shape[80];
    tl_npy_shape(table, shape);
    if (table->type.size == 0) return tl_source_expected(source, 0, "texts", error, "numbers");
    if (table->rank != 2 || table->shape[1] < 2)
        return tl_source_expected(source, 0, shape, error,
                                  "the shape (count, 1 + length), with the label first in each row (x and y may be separate "
                                  "arrays: in a .npz, or in x.npy and y.npy)");
    return TL_OK;
}

static tl_status find_columns(const tl_source *source, const tl_npy *table, const tl_read_cfg *cfg, tl_columns *columns,
                              tl_error *error) {
    tl_columns_find(columns, &source->where, (tl_field){NULL, NULL}, false, ' ', table->shape[1], cfg, error);
    if (tl_failed(error) || !columns->steps) return error->status;
    return tl_fail(error, TL_ERROR_ARGUMENT,
                   "%s: --series and --time are only for tables in text; use a .npz for series of several channels",
                   source->where.path);
}

static tl_dataset *read_table(const char *path, const tl_read_cfg *cfg, tl_error *error) {
    tl_source source = {0};
    tl_npy table;
    tl_columns columns = {0};
    tl_samples samples = tl_samples_begin(&source.where, cfg);
    tl_dataset *data = NULL;
    tl_source_open(&source, path, error);
    if (tl_npy_header(&source, &table, error) == TL_OK && check_table(&source, &table, error) == TL_OK &&
        find_columns(&source, &table, cfg, &columns, error) == TL_OK &&
        fill_table(&source, &table, &columns, &samples, error) == TL_OK)
        data = tl_samples_finish(&samples, error);
    tl_columns_release(&columns);
    tl_samples_release(&samples);
    tl_source_close(&source);
    return data;
}

/* Without a y, for prediction, three axes tell series from a table. */
static bool has_three_axes(const char *path, tl_error *error) {
    tl_source source;
    tl_npy array = {0};
    tl_source_open(&source, path, error);
    tl_npy_header(&source, &array, error);
    tl_source_close(&source);
    return array.rank == 3;
}

/* The file with the groups, where they are asked for; only those of the training set are needed, for its folds. */
static char *find_groups(const char *path, const tl_read_cfg *cfg, tl_error *error) {
    char *groups = cfg->group ? tl_pair_name(path, "groups", error) : NULL;
    if (!groups || !cfg->reference || access(groups, F_OK) == 0) return groups;
    free(groups);
    return NULL;
}

static tl_dataset *read_npy(const char *path, const tl_read_cfg *cfg, tl_error *error) {
    char *y = tl_pair_find(path, error);
    const bool pair = y || (cfg->unlabelled && has_three_axes(path, error));
    char *groups = pair && !tl_failed(error) ? find_groups(path, cfg, error) : NULL;
    tl_dataset *data = NULL;
    if (!tl_failed(error))
        data =
            pair ? tl_read_arrays(&(tl_two_arrays){.x = path, .y = y, .groups = groups}, cfg, error) : read_table(path, cfg, error);
    free(groups);
    free(y);
    return data;
}

static const char *const npy_endings[] = {".npy", NULL};

const tl_reader tl_npy_reader = {.endings = npy_endings, .read = read_npy};
