/* Tables: a series a line, separated by tabs, commas, semicolons or blanks, as the UCR archive of 2018 and spreadsheets have them.
 * The label is in the first column, or in the one that a header line calls so. */
#include "read/table.h"

#include "read/reader.h"

#include <stdint.h>
#include <string.h>

typedef struct table {
    char separator;
    size_t label;   /* its column; no_label: there is none */
    size_t columns; /* that the header names; 0: there is none */
    bool titled;    /* the header has a title that only labels have */
} table;

static const size_t no_label = SIZE_MAX;

char tl_table_separator(tl_field line) {
    static const char separators[] = "\t,; ";
    const char *best = separators + 3;
    bool quoted = false;
    for (const char *c = line.begin; c < line.end; c++) {
        quoted = quoted != (*c == '"');
        const char *found = quoted ? NULL : strchr(separators, *c);
        if (found && found < best) best = found;
    }
    return *best;
}

/* ---- the header line ---- */

static const char *const titles[] = {"label", "class", "target", "y"}; /* of the label's column; a y may also be a value */
enum { TITLES = 4, Y = 3 };

/* A first line of names, or of whole numbers one after the other beside the title of a label, is a header. Its columns are counted.
 */
static tl_status read_header(const tl_samples *s, tl_field line, table *self, tl_error *error) {
    size_t count = 0, names = 0, ordered = 0, title = TITLES;
    double number, before = 0;
    tl_field rest = line, part;
    for (bool more = true; more && !tl_failed(error); count++) {
        more = tl_text_cut(s->text, &rest, self->separator, &part, error);
        part = tl_field_trim(part);
        size_t t = 0;
        while (t < TITLES && !tl_field_is(part, titles[t])) t++;
        if (t < Y && title < Y) return tl_text_expected(s->text, part, error, "one column of labels besides \"%s\"", titles[title]);
        if (t < title) title = t, self->label = count;
        names += tl_field_name(s->text, part);
        if (!tl_field_number(s->text, part, &number)) continue;
        ordered += ordered == 0 ? number == 0 || number == 1 : number == before + 1;
        before = number;
    }
    const bool numbered = title < TITLES && ordered == count - 1 && (title < Y || self->label > 0);
    if (count > 1 && (names == count || numbered)) {
        self->columns = count;
        self->titled = title < Y;
    } else
        self->label = 0;
    return error->status;
}

/* ---- series ---- */

/* A field that stands in quotes, with those that are doubled in it made single. */
static tl_field unquoted(const tl_text *text, tl_field field) {
    return field.begin == text->window || field.begin[-1] != '"' ? field : tl_text_unescape(text, field, '"');
}

/* What is wrong with the line will be said when it is read. */
static void count_row(tl_samples *s, tl_field line, const table *self) {
    tl_error ignored = {0};
    const size_t values = tl_text_fields(s->text, line, self->separator, &ignored) - (self->label != no_label);
    if (values > 0) tl_samples_count(s, 1, values, 1, values);
}

static tl_status read_row(tl_samples *s, tl_field line, const void *format, tl_error *error) {
    const table *self = format;
    if (s->counting) {
        count_row(s, line, self);
        return TL_OK;
    }
    tl_field rest = line, part, label = line, values = {NULL, NULL};
    size_t count = 0;
    for (bool more = true; more && !tl_failed(error); count++) {
        more = tl_text_cut(s->text, &rest, self->separator, &part, error);
        if (tl_failed(error)) return error->status;
        if (count == self->label) {
            label = part;
            if (count == 0 && !more) return tl_text_expected(s->text, line, error, "a label and values");
            continue;
        }
        if (!values.begin) values = part;
        tl_samples_number(s, part, error);
    }
    if (tl_failed(error)) return error->status;
    if (self->columns && count != self->columns)
        return tl_text_fail(s->text, line.begin, error, "expected %zu fields, as in the header, got %zu", self->columns, count);
    return tl_samples_end_channel(s, values.begin, error) == TL_OK ? tl_samples_end(s, unquoted(s->text, label), error)
                                                                   : error->status;
}

/* The first line is a series too where it is no header. */
static tl_status fill(tl_samples *s, tl_text *text, tl_error *error) {
    static const tl_line_reader lines = {.comments = "", .read = read_row};
    const tl_place begin = tl_text_place(text);
    table self = {0};
    tl_field line;
    if (!tl_text_filled_line(text, "", &line, error)) return error->status;
    self.separator = tl_table_separator(line);
    const size_t fields = tl_text_fields(text, line, self.separator, error);
    if (read_header(s, line, &self, error) == TL_OK && self.columns == 0) tl_text_back(text, begin, error);
    if (!self.titled && tl_samples_bare(s, fields)) self.label = no_label;
    return tl_samples_text(s, text, &lines, &self, error);
}

static tl_dataset *read_table(const char *path, const tl_read_cfg *cfg, tl_error *error) {
    return tl_read_text(path, cfg, fill, error);
}

static const char *const endings[] = {".tsv", ".csv", ".txt", NULL};

const tl_reader tl_table_reader = {.endings = endings, .read = read_table};
