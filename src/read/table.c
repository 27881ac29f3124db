/* Tables: one series in each line, with tabs, commas, semicolons or blanks between fields, as in the UCR archive of 2018 and in
 * spreadsheets; or one step in each line (long.c). columns.h finds the roles of the columns. */
#include "read/table.h"

#include "read/columns.h"
#include "read/listed.h"
#include "read/long.h"
#include "read/reader.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

typedef struct table {
    char separator;
    tl_columns columns;
    bool behind;        /* columns that are not values are behind values */
    bool may_be_values; /* the label column has the heading "target": numbers with fractions are target values */
    char *header;       /* the text of a header that names the labels; NULL: none */
    double index;       /* the number of the previous line */
    bool counted;       /* there was a previous line */
} table;

/* Beside semicolons, commas are either separators or decimal points. */
static tl_status check_separator(const tl_text *text, tl_field line, tl_error *error) {
    bool quoted = false, comma = false, semicolon = false;
    for (const char *c = line.begin; c < line.end; c++) {
        quoted = quoted != (*c == '"');
        comma |= !quoted && *c == ',';
        semicolon |= !quoted && *c == ';';
    }
    if (!comma || !semicolon || text->point == ',') return TL_OK;
    return tl_text_expected(text, line, error, "commas or semicolons between fields" TL_COMMA_HINT);
}

/* ---- series ---- */

/* Errors in the line are reported when it is read. */
static void count_row(tl_samples *s, tl_field line, table *self) {
    const tl_columns *columns = &self->columns;
    tl_error ignored = {0};
    tl_field part;
    size_t count = 0;
    const bool plain = self->separator != ' ' && !self->may_be_values && !memchr(line.begin, '"', (size_t)(line.end - line.begin));
    if (plain) count = tl_samples_count_of(line, self->separator) + 1;
    for (bool more = !plain; more && !tl_failed(&ignored); count++) {
        more = tl_text_cut(s->text, &line, self->separator, &part, &ignored);
        if (self->may_be_values && count < columns->count && columns->role[count] == TL_ROLE_LABEL &&
            tl_field_fraction(s->text, part))
            s->regression = true;
    }
    const size_t others = columns->count - columns->of[TL_ROLE_VALUE];
    if (count > others) tl_samples_count(s, 1, count - others, 1, count - others);
}

/* The column must contain line numbers, or it is not an index. */
static tl_status check_index(const tl_samples *s, table *self, tl_field part, tl_error *error) {
    double number = 0;
    const bool whole = tl_field_number(s->text, part, &number) && number == floor(number);
    if (!whole || (self->counted && number != self->index + 1))
        return tl_text_expected(s->text, part, error,
                                "the number of the line in the column without a name (leave the column out with --ignore first, or "
                                "use --label first if it has the labels)");
    self->index = number;
    self->counted = true;
    return TL_OK;
}

/* The fields of a line that are not values. */
typedef struct row {
    tl_field label;
    const char *values; /* where the values begin */
    size_t targets;
} row;

static tl_status read_field(tl_samples *s, table *self, tl_role role, tl_field part, row *to, tl_error *error) {
    switch (role) {
    case TL_ROLE_VALUE:
        if (!to->values) to->values = part.begin;
        return tl_samples_number(s, part, error);
    case TL_ROLE_LABEL:
        to->label = part;
        return TL_OK;
    case TL_ROLE_TARGET:
        return s->unlabelled ? TL_OK : tl_samples_target(s, to->targets++, part, error);
    case TL_ROLE_GROUP:
        return tl_samples_group(s, tl_text_unquote(s->text, part), error);
    case TL_ROLE_INDEX:
        return check_index(s, self, part, error);
    default:
        return TL_OK;
    }
}

static tl_status check_count(const tl_samples *s, tl_field line, const table *self, size_t count, tl_error *error) {
    const tl_columns *columns = &self->columns;
    if (count == columns->count || s->ragged) return TL_OK;
    if (columns->name)
        return tl_text_fail(s->text, line.begin, error, "expected %zu fields, as in the header, got %zu", columns->count, count);
    if (columns->of[TL_ROLE_VALUE] + 1 < columns->count)
        return tl_text_fail(s->text, line.begin, error, "expected %zu fields, as in the first line, got %zu", columns->count,
                            count);
    return TL_OK; /* a wrong number of values is reported later */
}

/* Checks a label that is not needed. A first field that is no class and has a fraction is a value: the series are one step longer
 * than those of the model. So is a number whose heading counts with those of the values. */
static tl_status check_unneeded(tl_samples *s, const table *self, tl_field label, tl_error *error) {
    const tl_columns *columns = &self->columns;
    double number;
    label = tl_field_trim(tl_text_unquote(s->text, label));
    const bool counts = columns->counts && tl_field_number(s->text, label, &number);
    if (!counts && tl_samples_knows(s, label)) return TL_OK;
    if (counts || (!columns->asked && !columns->titled && tl_field_fraction(s->text, label)))
        return tl_text_expected(s->text, label, error,
                                "as many values as a series of the model has, or a class of the model before them (--label first: "
                                "it is a label)");
    if (s->unlabelled) tl_samples_ignore(s, label);
    return TL_OK;
}

static bool is_header(tl_field line, const table *self) {
    const size_t length = (size_t)(line.end - line.begin);
    return self->header && strlen(self->header) == length && memcmp(self->header, line.begin, length) == 0;
}

/* In rows of different lengths, a column is only found before the values. */
static tl_status check_behind(const tl_samples *s, tl_field line, const table *self, tl_error *error) {
    const size_t expected = self->columns.count;
    if (!self->behind || !s->ragged) return TL_OK;
    const size_t count = tl_text_fields(s->text, line, self->separator, error);
    if (tl_failed(error) || count == expected) return error->status;
    return tl_text_fail(s->text, line.begin, error,
                        "expected %zu fields, as in the first line, got %zu; lines may differ in length only if labels, target "
                        "values and other columns that are not values come first",
                        expected, count);
}

/* Reads values that are plain numbers, as most are; returns how many. */
static size_t read_plain(tl_samples *s, const table *self, tl_field *rest, size_t from, row *to) {
    size_t end = from;
    while (end < self->columns.count && self->columns.role[end] == TL_ROLE_VALUE) end++;
    if (end == from) return 0;
    if (!to->values) to->values = rest->begin;
    return tl_samples_numbers(s, rest, self->separator, end - from);
}

static tl_status read_row(tl_samples *s, tl_field line, void *format, tl_error *error) {
    table *self = format;
    const tl_columns *columns = &self->columns;
    if (s->counting) {
        count_row(s, line, self);
        return TL_OK;
    }
    tl_field rest = line, part;
    row to = {.label = {line.begin, line.begin}};
    size_t count = 0;
    if (is_header(line, self))
        return tl_text_expected(s->text, line, error, "a series, not the headings again, as in files that were joined");
    if (check_behind(s, line, self, error) != TL_OK) return error->status;
    for (bool more = true; more; count++) {
        count += read_plain(s, self, &rest, count, &to);
        more = tl_text_cut(s->text, &rest, self->separator, &part, error);
        if (tl_failed(error)) return error->status;
        const tl_role role = count < columns->count ? columns->role[count] : TL_ROLE_VALUE;
        if (role == TL_ROLE_LABEL && count == 0 && !more) return tl_text_expected(s->text, line, error, "a label and values");
        if (read_field(s, self, role, part, &to, error) != TL_OK) return error->status;
    }
    if (check_count(s, line, self, count, error) != TL_OK || tl_samples_end_channel(s, to.values, error) != TL_OK)
        return error->status;
    if ((s->unlabelled || s->lenient) && check_unneeded(s, self, to.label, error) != TL_OK) return error->status;
    return columns->of[TL_ROLE_TARGET] > 0 ? tl_samples_keep(s, line.begin, error)
                                           : tl_samples_end(s, tl_text_unquote(s->text, to.label), error);
}

/* ---- the table ---- */

/* Fails if the lines have one field more than there are headings, as R writes names of rows: any column may be the one without a
 * heading. */
static tl_status check_headings(const table *self, tl_text *text, size_t headings, tl_error *error) {
    const tl_place place = tl_text_place(text);
    tl_field line;
    if (tl_failed(error) || !tl_text_filled_line(text, "#", &line, error)) return error->status;
    const size_t fields = tl_text_fields(text, line, self->separator, error);
    if (tl_failed(error) || fields != headings + 1) return tl_text_back(text, place, error);
    return tl_text_fail(text, line.begin, error,
                        "expected %zu fields, as there are headings, got %zu; give each column a heading, such as label or, if "
                        "the first one has the names of the lines, id",
                        headings, fields);
}

/* A first line that is not a header is a series. */
static tl_status begin(table *self, tl_samples *s, tl_text *text, tl_error *error) {
    const tl_place place = tl_text_place(text);
    const tl_read_cfg *cfg = s->cfg;
    tl_field line;
    if (cfg->decimal_comma) text->point = ',';
    if (!tl_text_filled_line(text, "#", &line, error))
        return tl_failed(error) ? error->status
                                : tl_text_fail(text, text->end, error, "expected a series, got the end of the file");
    self->separator = tl_table_separator(text, line);
    if (check_separator(text, line, error) != TL_OK) return error->status;
    const size_t count = tl_text_fields(text, line, self->separator, error);
    const bool header = !tl_failed(error) && tl_columns_header(text, line, self->separator, cfg, error);
    if (header && !s->ragged && check_headings(self, text, count, error) != TL_OK) return error->status;
    if (header && !(self->header = strndup(line.begin, (size_t)(line.end - line.begin))))
        return tl_fail(error, TL_ERROR_MEMORY, "%s: out of memory", text->path);
    if (tl_columns_find(&self->columns, text, line, header, self->separator, count, cfg, error) != TL_OK) return error->status;
    if (!self->columns.titled && !self->columns.asked) { /* its fields may be values: 0,1,2 */
        free(self->header);
        self->header = NULL;
    }
    for (size_t c = 0, values = 0; c < count; c++) {
        self->behind |= values > 0 && self->columns.role[c] != TL_ROLE_VALUE;
        values += self->columns.role[c] == TL_ROLE_VALUE;
    }
    if (header && s->ragged && !self->columns.titled && !self->columns.asked) check_headings(self, text, count, error);
    for (size_t c = 0; header && c < count; c++)
        self->may_be_values |= self->columns.role[c] == TL_ROLE_LABEL && !self->columns.asked && !s->reference &&
                               strcasecmp(self->columns.name[c], "target") == 0;
    s->grouped = self->columns.of[TL_ROLE_GROUP] > 0;
    s->regression = self->columns.of[TL_ROLE_TARGET] > 0;
    s->target_channels = s->regression ? self->columns.of[TL_ROLE_TARGET] : 1;
    return header ? error->status : tl_text_back(text, place, error);
}

/* Each line is a series. Missing tails make lines of one length of series of different lengths, also where the training set has
 * such series: then the number of fields tells whether there are labels. */
static tl_status read_rows(tl_samples *s, tl_text *text, table *self, tl_error *error) {
    static const tl_line_reader lines = {.comments = "#", .read = read_row};
    const tl_read_cfg *cfg = s->cfg;
    if (cfg->missing_policy == TL_MISSING_TAIL && !cfg->unequal && cfg->window == 0) s->ragged = false;
    if (tl_samples_text(s, text, &lines, self, error) != TL_OK) return error->status;
    return tl_columns_check_labels(&self->columns, s, self->separator == '\t' && !self->columns.name, error);
}

static tl_status fill(tl_samples *s, tl_text *text, tl_error *error) {
    table self = {0};
    s->ragged |= s->cfg->unequal;
    s->unequal |= s->cfg->unequal;
    if (begin(&self, s, text, error) == TL_OK) {
        if (self.columns.of[TL_ROLE_FILE] > 0)
            tl_listed_read(s, text, &self.columns, self.separator, error);
        else if (self.columns.steps)
            tl_long_read(s, text, &self.columns, self.separator, error);
        else
            read_rows(s, text, &self, error);
    }
    tl_columns_release(&self.columns);
    free(self.header);
    return error->status;
}

void tl_table_files(const char *path, const tl_read_cfg *cfg, void (*visit)(const char *file, void *user), void *user) {
    tl_text text = {0};
    tl_samples samples = tl_samples_begin(&text, cfg);
    table self = {0};
    tl_error ignored = {0};
    if (tl_text_open(&text, path, &ignored) == TL_OK && begin(&self, &samples, &text, &ignored) == TL_OK &&
        self.columns.of[TL_ROLE_FILE] > 0)
        tl_listed_visit(&samples, &text, &self.columns, self.separator, visit, user);
    tl_columns_release(&self.columns);
    free(self.header);
    tl_samples_release(&samples);
    tl_text_release(&text);
}

static tl_dataset *read_table(const char *path, const tl_read_cfg *cfg, tl_error *error) {
    return tl_read_text(path, cfg, fill, error);
}

static const char *const endings[] = {".tsv", ".csv", ".txt", NULL};

const tl_reader tl_table_reader = {.endings = endings, .read = read_table};
