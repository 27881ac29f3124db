/* A table with a line for each file, as collections of sound and of ECG records have it: the name of the file and its label. */
#include "read/listed.h"

#include "read/directory.h"
#include "read/folder.h"
#include "read/wfdb.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct list {
    const tl_columns *columns;
    char separator;
    void (*visit)(const char *file, void *user); /* NULL: the files are read */
    void *user;
} list;

/* ---- files ---- */

static tl_status add_record(tl_samples *s, tl_record *record, const char *path, tl_field label, tl_error *error) {
    const tl_wfdb *header = &record->header;
    if (tl_samples_rate(s, header->rate, error) != TL_OK) return error->status;
    if (header->frames == 0) return tl_fail(error, TL_ERROR_FORMAT, "%s: expected samples, got none", path);
    if (s->counting) {
        tl_samples_count(s, 1, header->frames, header->signals, header->frames * header->signals);
        return TL_OK;
    }
    double *row = tl_samples_row(s, header->frames, header->signals, error);
    if (row && tl_record_read(record, 0, header->frames, s->missing_policy, row, error) == TL_OK) tl_samples_end(s, label, error);
    return error->status;
}

/* A whole PhysioNet record. */
static tl_status read_record(tl_samples *s, const char *path, tl_field label, tl_error *error) {
    tl_record record = {0};
    const tl_text *before = s->text;
    tl_text where;
    if (tl_text_begin(&where, path, error) == TL_OK && tl_record_open(&record, path, error) == TL_OK) {
        s->text = &where;
        add_record(s, &record, path, label, error);
    }
    s->text = before;
    tl_record_close(&record);
    tl_text_release(&where);
    return error->status;
}

/* Returns the path of a file that the table names; a record may be named without its ending. The caller frees it. */
static char *path_of(const char *table, tl_field name, tl_error *error) {
    const char *slash = strrchr(table, '/');
    const int folder = slash && name.begin < name.end && *name.begin != '/' ? (int)(slash + 1 - table) : 0;
    const size_t size = (size_t)folder + (size_t)(name.end - name.begin) + sizeof ".hea";
    char *path = malloc(size);
    if (!path) {
        tl_fail(error, TL_ERROR_MEMORY, "%s: out of memory", table);
        return NULL;
    }
    snprintf(path, size, "%.*s%.*s.hea", folder, table, (int)(name.end - name.begin), name.begin);
    if (access(path, F_OK) != 0) path[size - sizeof ".hea"] = '\0';
    return path;
}

/* ---- lines ---- */

/* The fields of a line that are read. */
typedef struct entry {
    tl_field file, label, group;
} entry;

static tl_status cut_line(const tl_samples *s, const list *self, tl_field line, entry *to, tl_error *error) {
    const tl_columns *columns = self->columns;
    const tl_field whole = line;
    tl_field part;
    size_t count = 0;
    *to = (entry){.label = {line.begin, line.begin}};
    for (bool more = true; more && !tl_failed(error); count++) {
        more = tl_text_cut(s->text, &line, self->separator, &part, error);
        const tl_role role = count < columns->count ? columns->role[count] : TL_ROLE_IGNORE;
        if (role == TL_ROLE_FILE) to->file = tl_text_unquote(s->text, part);
        if (role == TL_ROLE_LABEL || role == TL_ROLE_TARGET) to->label = tl_text_unquote(s->text, part);
        if (role == TL_ROLE_GROUP) to->group = tl_text_unquote(s->text, part);
    }
    if (!tl_failed(error) && count != columns->count)
        return tl_text_fail(s->text, whole.begin, error, "expected %zu fields, as in the first line, got %zu", columns->count,
                            count);
    to->file = tl_field_trim(to->file);
    if (!tl_failed(error) && to->file.begin == to->file.end)
        return tl_text_expected(s->text, to->file, error, "the name of a file");
    return error->status;
}

static tl_status read_line(tl_samples *s, tl_field line, void *format, tl_error *error) {
    entry of;
    if (cut_line(s, format, line, &of, error) != TL_OK) return error->status;
    if (!s->counting && s->grouped && tl_samples_group(s, of.group, error) != TL_OK) return error->status;
    char *path = path_of(s->text->path, of.file, error);
    if (path && tl_has_ending(path, ".hea"))
        read_record(s, path, of.label, error);
    else if (path)
        tl_read_series(s, path, of.label, error);
    free(path);
    return error->status;
}

static tl_status visit_line(tl_samples *s, tl_field line, void *format, tl_error *error) {
    const list *self = format;
    entry of;
    if (cut_line(s, self, line, &of, error) != TL_OK) return error->status;
    char *path = path_of(s->text->path, of.file, error);
    if (path) self->visit(path, self->user);
    free(path);
    return error->status;
}

void tl_listed_visit(tl_samples *s, tl_text *text, const tl_columns *columns, char separator,
                     void (*visit)(const char *file, void *user), void *user) {
    static const tl_line_reader lines = {.comments = "#", .read = visit_line};
    list self = {.columns = columns, .separator = separator, .visit = visit, .user = user};
    tl_error ignored = {0};
    tl_samples_lines(s, text, &lines, &self, &ignored);
}

tl_status tl_listed_read(tl_samples *s, tl_text *text, const tl_columns *columns, char separator, tl_error *error) {
    static const tl_line_reader lines = {.comments = "#", .read = read_line};
    list self = {.columns = columns, .separator = separator};
    if (columns->of[TL_ROLE_TARGET] > 1)
        return tl_fail(error, TL_ERROR_ARGUMENT, "%s: --target (tl_read_cfg.target): series in files have a single target value",
                       text->path);
    return tl_samples_text(s, text, &lines, &self, error);
}
