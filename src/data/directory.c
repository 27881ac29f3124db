#include "data/directory.h"

#include "data/folder.h"
#include "data/npy.h"
#include "data/table.h"
#include "data/wav.h"

#include <stdlib.h>
#include <string.h>

/* Adds the series of a file, which have one label: one series, or `many`. */
typedef tl_status read_kind(tl_samples *s, const char *path, tl_field label, bool many, tl_error *error);

/* ---- text ---- */

/* One series: a step a line, a channel a column; a line alone is one channel. */
static tl_status read_steps(tl_samples *s, const tl_text *text, tl_field label, tl_error *error) {
    tl_table_size size;
    if (tl_table_measure(text, &size, error) != TL_OK) return error->status;
    const bool flat = size.lines == 1;
    const size_t length = flat ? size.columns : size.lines, channels = flat ? 1 : size.columns;
    tl_real *row = tl_samples_row(s, channels, length, error);
    if (row && tl_table_values(text, &size, row, error) == TL_OK) tl_samples_end(s, label, error);
    return error->status;
}

/* A series a line. */
static tl_status read_lines(tl_samples *s, const tl_text *text, tl_field label, tl_error *error) {
    const char *at = text->start;
    tl_field line;
    size_t lines = 0;
    char separator = '\0';
    while (!tl_failed(error) && tl_text_line(text, &at, &line)) {
        if (line.begin == line.end) continue;
        if (lines++ == 0) separator = tl_table_separator(line);
        if (tl_samples_channel(s, line, separator, error) == TL_OK) tl_samples_end(s, label, error);
    }
    if (lines == 0) tl_text_fail(text, text->end, error, "expected a series, got the end of the file");
    return error->status;
}

static tl_status read_text(tl_samples *s, const char *path, tl_field label, bool many, tl_error *error) {
    tl_text text;
    const tl_text *before = s->text;
    if (tl_text_read(&text, path, error) == TL_OK) {
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

static tl_status add_series(tl_samples *s, tl_source *source, const tl_number_type *type, size_t length, size_t channels,
                            tl_field label, tl_error *error) {
    tl_real *row = tl_samples_row(s, channels, length, error);
    if (row && tl_source_series(source, type, length, channels, row, error) == TL_OK) tl_samples_end(s, label, error);
    return error->status;
}

static tl_status add_arrays(tl_samples *s, tl_source *source, tl_field label, bool many, tl_error *error) {
    tl_npy array;
    char shape[80];
    if (tl_npy_header(source, &array, error) != TL_OK) return error->status;
    const size_t first = many ? 1 : 0, *sizes = array.shape + first;
    tl_npy_shape(&array, shape);
    if (array.type.size == 0) return tl_source_expected(source, 0, "texts", error, "numbers");
    if (array.rank < first + 1 || array.rank > first + 2)
        return tl_source_expected(source, 0, shape, error,
                                  many ? "the shape (count, length) or (count, length, channels)"
                                       : "the shape (length,) or (length, channels)");
    for (size_t i = 0, count = many ? array.shape[0] : 1; i < count && !tl_failed(error); i++)
        add_series(s, source, &array.type, sizes[0], array.rank == first + 2 ? sizes[1] : 1, label, error);
    return error->status;
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
    if (many) return tl_fail(error, TL_ERROR_FORMAT, "%s: expected in a folder that is named by its class, got beside it", path);
    if (tl_source_open(&source, path, error) == TL_OK && tl_wav_header(&source, &wav, error) == TL_OK) {
        s->text = &source.where;
        add_series(s, &source, &wav.type, wav.frames, wav.channels, label, error);
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
    return tl_fail(error, TL_ERROR_FORMAT, "%s: expected a file of one class, .wav, .npy, .csv, .tsv or .txt, by its ending", path);
}

/* The files of one folder. `label`: NULL: the name of each without its ending. */
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
    tl_text where;
    tl_samples samples = {.text = &where, .like = cfg->like};
    tl_dataset *data = NULL;
    if (tl_text_begin(&where, path, error) == TL_OK && read_folders(&samples, path, error) == TL_OK)
        data = tl_samples_finish(&samples, error);
    tl_samples_release(&samples);
    tl_text_release(&where);
    return data;
}
