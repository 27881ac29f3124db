#include "read/directory.h"

#include "read/channels.h"
#include "read/columns.h"
#include "read/folder.h"
#include "read/foreign.h"
#include "read/headings.h"
#include "read/npy.h"
#include "read/table.h"
#include "read/wav.h"

#include <stdlib.h>
#include <string.h>

/* Adds the series of a file, which all have one label: one series, or `many`. */
typedef tl_status read_kind(tl_samples *s, const char *path, tl_field label, bool many, tl_error *error);

/* A file beside folders usually holds many series. Returns whether it is one series instead: labels are not needed, and its columns
 * are the channels of the training set. */
static bool is_one(const tl_samples *s, size_t columns) {
    return s->unlabelled && s->reference && columns == s->reference->x.shape[2];
}

/* ---- text ---- */

/* Reads its numbers, (lines, columns). */
static tl_status read_values(tl_samples *s, tl_text *text, const tl_table_size *size, double *row, tl_error *error) {
    tl_field line, part;
    tl_text_back(text, size->begin, error);
    for (size_t i = 0; i < size->lines; i++) {
        if (!tl_text_filled_line(text, "", &line, error)) return tl_samples_changed(s, error);
        for (size_t j = 0; j < size->columns && !tl_failed(error); j++) {
            tl_text_cut(text, &line, size->separator, &part, error);
            tl_samples_value(s, part, &row[i * size->columns + j], error);
        }
    }
    return error->status;
}

/* Compares the headings of channels with those of the first file that has some. */
static tl_status check_headings(tl_samples *s, tl_text *text, const tl_table_size *size, tl_place begin, tl_error *error) {
    tl_columns columns = {.count = size->columns, .of = {[TL_ROLE_VALUE] = size->columns}};
    tl_field line;
    columns.role = calloc(columns.count + 1, sizeof *columns.role); /* all are values */
    if (!columns.role) return tl_fail(error, TL_ERROR_MEMORY, "%s: out of memory", text->path);
    if (tl_text_back(text, begin, error) == TL_OK && tl_text_filled_line(text, "", &line, error))
        tl_columns_name(&columns, text, line, size->separator, error);
    if (!tl_failed(error) && s->headings)
        tl_headings_next(&columns, text->path, s->headings, s->headings_path, s->cfg, error);
    else if (!tl_failed(error) && tl_headings_first(&columns, text->path, &s->headings, s->cfg, error) == TL_OK)
        s->headings_path = strdup(text->path);
    if (s->headings && !s->headings_path) tl_fail(error, TL_ERROR_MEMORY, "%s: out of memory", text->path);
    tl_columns_release(&columns);
    return error->status;
}

/* One series: one step in each line and one channel in each column; a single line is one channel. */
static tl_status read_steps(tl_samples *s, tl_text *text, tl_field label, tl_error *error) {
    tl_table_size size;
    const tl_place begin = tl_text_place(text);
    if (tl_table_measure(text, &size, error) != TL_OK) return error->status;
    const bool flat = size.lines == 1;
    const size_t length = flat ? size.columns : size.lines, channels = flat ? 1 : size.columns;
    if (s->counting) {
        tl_samples_count(s, 1, length, channels, length * channels);
        return size.names && !flat ? check_headings(s, text, &size, begin, error) : TL_OK;
    }
    double *row = tl_samples_row(s, length, channels, error);
    if (row && read_values(s, text, &size, row, error) == TL_OK) tl_samples_end(s, label, error);
    return error->status;
}

/* Data that all lines of a file share. */
typedef struct lines {
    char separator;
    tl_field label;
} lines;

static tl_status read_line(tl_samples *s, tl_field line, void *format, tl_error *error) {
    const lines *self = format;
    if (!s->counting)
        return tl_samples_channel(s, line, self->separator, error) == TL_OK ? tl_samples_end(s, self->label, error) : error->status;
    const size_t values = tl_samples_fields(line, self->separator);
    tl_samples_count(s, 1, values, 1, values);
    return TL_OK;
}

/* One series in each line. */
static tl_status read_lines(tl_samples *s, tl_text *text, tl_field label, tl_error *error) {
    static const tl_line_reader reader = {.comments = "", .read = read_line};
    const tl_place begin = tl_text_place(text);
    tl_field first;
    if (!tl_text_filled_line(text, "", &first, error))
        return tl_failed(error) ? error->status
                                : tl_text_fail(text, text->end, error, "expected a series, got the end of the file");
    lines self = {.separator = tl_table_separator(text, first), .label = label};
    const bool one = is_one(s, tl_samples_fields(first, self.separator));
    if (tl_text_back(text, begin, error) == TL_OK && one) return read_steps(s, text, label, error);
    return !tl_failed(error) ? tl_samples_lines(s, text, &reader, &self, error) : error->status;
}

static tl_status read_text(tl_samples *s, const char *path, tl_field label, bool many, tl_error *error) {
    tl_text text;
    const tl_text *before = s->text;
    if (tl_text_open(&text, path, error) == TL_OK) {
        if (s->cfg->decimal_comma) text.point = ',';
        s->text = &text;
        if (many)
            read_lines(s, &text, label, error);
        else
            read_steps(s, &text, label, error);
    }
    s->text = before;
    tl_text_release(&text);
    return error->status;
}

/* ---- binary ---- */

/* Adds the next `count` series of the source. */
static tl_status add_series(tl_samples *s, tl_source *source, const tl_number_type *type, size_t count, size_t length,
                            size_t channels, tl_field label, tl_error *error) {
    if (s->counting) {
        tl_samples_count(s, count, length, channels, count * length * channels);
        return TL_OK;
    }
    for (size_t i = 0; i < count && !tl_failed(error); i++) {
        double *row = tl_samples_row(s, length, channels, error);
        if (row && tl_source_numbers(source, type, length * channels, s->missing_policy, row, error) == TL_OK)
            tl_samples_end(s, label, error);
    }
    return error->status;
}

static tl_status add_arrays(tl_samples *s, tl_source *source, tl_field label, bool many, tl_error *error) {
    tl_npy array;
    char shape[80];
    if (tl_npy_header(source, &array, error) != TL_OK) return error->status;
    if (array.rank <= 2 && is_one(s, array.rank == 2 ? array.shape[1] : 1)) many = false;
    const size_t first = many ? 1 : 0, *sizes = array.shape + first;
    tl_npy_shape(&array, shape);
    if (array.type.size == 0) return tl_source_expected(source, 0, "texts", error, "numbers");
    if (array.rank < first + 1 || array.rank > first + 2)
        return tl_source_expected(source, 0, shape, error,
                                  many ? "the shape (count, length) or (count, length, channels)"
                                       : "the shape (length,) or (length, channels)");
    return add_series(s, source, &array.type, many ? array.shape[0] : 1, sizes[0], array.rank == first + 2 ? sizes[1] : 1, label,
                      error);
}

static tl_status read_npy(tl_samples *s, const char *path, tl_field label, bool many, tl_error *error) {
    tl_source source;
    const tl_text *before = s->text;
    if (tl_source_open(&source, path, error) == TL_OK) {
        s->text = &source.where;
        add_arrays(s, &source, label, many, error);
    }
    s->text = before;
    tl_source_close(&source);
    return error->status;
}

static tl_status read_wav(tl_samples *s, const char *path, tl_field label, bool many, tl_error *error) {
    tl_source source;
    tl_wav wav;
    const tl_text *before = s->text;
    if (many && !s->unlabelled)
        return tl_fail(error, TL_ERROR_FORMAT,
                       "%s: expected in a folder that is named after its class, got outside of such folders", path);
    if (tl_source_open(&source, path, error) == TL_OK && tl_wav_header(&source, &wav, error) == TL_OK) {
        s->text = &source.where;
        if (tl_samples_rate(s, (double)wav.rate, error) == TL_OK)
            add_series(s, &source, &wav.type, 1, wav.frames, wav.channels, label, error);
    }
    s->text = before;
    tl_source_close(&source);
    return error->status;
}

/* ---- folders ---- */

static tl_status read_any(tl_samples *s, const char *path, tl_field label, bool many, tl_error *error) {
    static const struct {
        const char *ending;
        read_kind *read;
    } kinds[] = {{".wav", read_wav}, {".npy", read_npy}, {".csv", read_text}, {".tsv", read_text}, {".txt", read_text}};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (tl_has_ending(path, kinds[i].ending)) return kinds[i].read(s, path, label, many, error);
    if (tl_foreign_check(path, error) != TL_OK) return error->status;
    return tl_fail(error, TL_ERROR_FORMAT, "%s: expected a file with the ending .wav, .npy, .csv, .tsv or .txt", path);
}

tl_status tl_read_series(tl_samples *s, const char *path, tl_field label, tl_error *error) {
    return read_any(s, path, label, false, error);
}

/* Reads the files of a folder. `label` NULL: the name of each file without its ending. */
static tl_status read_files(tl_samples *s, const char *folder, const char *label, tl_error *error) {
    tl_names files;
    tl_folder_list(folder, false, &files, error);
    if (!tl_failed(error) && files.count == 0) tl_fail(error, TL_ERROR_FORMAT, "%s: expected files of series, got none", folder);
    for (size_t i = 0; i < files.count && !tl_failed(error); i++) {
        const char *name = label ? label : files.names[i], *dot = label ? NULL : strrchr(name, '.');
        char *path = tl_folder_join(folder, files.names[i], error);
        if (path) read_any(s, path, (tl_field){name, dot ? dot : name + strlen(name)}, !label, error);
        free(path);
    }
    tl_names_free(&files);
    return error->status;
}

static tl_status read_folders(tl_samples *s, const char *path, tl_error *error) {
    tl_names folders;
    if (tl_is_channels(path, error)) return tl_channels_read(s, path, error);
    s->needless = true;
    if (tl_failed(error)) return error->status;
    tl_folder_list(path, true, &folders, error);
    if (!tl_failed(error) && folders.count == 0) read_files(s, path, NULL, error);
    for (size_t i = 0; i < folders.count && !tl_failed(error); i++) {
        char *folder = tl_folder_join(path, folders.names[i], error);
        if (folder) read_files(s, folder, folders.names[i], error);
        free(folder);
    }
    tl_names_free(&folders);
    return error->status;
}

tl_dataset *tl_read_directory(const char *path, const tl_read_cfg *cfg, tl_error *error) {
    tl_text where = {0};
    tl_samples samples = tl_samples_begin(&where, cfg);
    samples.counting = true;
    samples.ragged |= cfg->unequal;
    samples.unequal |= cfg->unequal;
    tl_dataset *data = NULL;
    if (tl_text_begin(&where, path, error) == TL_OK && read_folders(&samples, path, error) == TL_OK &&
        tl_samples_announce(&samples, error) == TL_OK && read_folders(&samples, path, error) == TL_OK)
        data = tl_samples_finish(&samples, error);
    tl_samples_release(&samples);
    tl_text_release(&where);
    return data;
}
