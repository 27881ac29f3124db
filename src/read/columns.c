#include "read/columns.h"

#include "read/headings.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- the header ---- */

static const char *const titles[] = {"label", "class", "target",
                                     "y"}; /* headings of the column of the label; a y may also be a value */
enum { TITLES = 4, TARGET = 2, Y = 3 };

static size_t title_of(tl_field field) {
    size_t t = 0;
    while (t < TITLES && !tl_field_is(field, titles[t])) t++;
    return t;
}

/* The heading of the column of line numbers in files of pandas and R. */
static bool is_untitled(tl_field field) { return field.begin == field.end || tl_field_is(field, "Unnamed: 0"); }

/* Properties of the fields of a line. */
typedef struct look {
    size_t fields, names, counting,
        title; /* counting: fields that count 0, 1, 2 … or 1, 2, 3 …; title: the first field with a heading of labels */
    bool untitled, title_first, from_zero, named;
} look;

/* Returns whether the caller names a column with this heading. */
static bool is_named(tl_field field, const tl_read_cfg *cfg) {
    const char *const lists[] = {cfg->label, cfg->target, cfg->ignore, cfg->series, cfg->time, cfg->value, cfg->group, cfg->file};
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
        tl_field rest = {lists[i], lists[i] ? lists[i] + strlen(lists[i]) : NULL}, part;
        for (bool more = lists[i] != NULL; more;) {
            more = tl_field_cut(&rest, ',', &part);
            part = tl_field_trim(part);
            if (part.end - part.begin > 5 && strncmp(part.begin, "name:", 5) == 0) part.begin += 5;
            const size_t length = (size_t)(part.end - part.begin);
            if (length > 0 && length == (size_t)(field.end - field.begin) && memcmp(part.begin, field.begin, length) == 0)
                return true;
        }
    }
    return false;
}

static look look_at(const tl_text *text, tl_field line, char separator, const tl_read_cfg *cfg, tl_error *error) {
    look self = {.title = TITLES};
    double number, before = 0;
    tl_field part;
    for (bool more = true; more && !tl_failed(error); self.fields++) {
        more = tl_text_cut(text, &line, separator, &part, error);
        part = tl_field_trim(part);
        const bool is_name = tl_field_name(text, part);
        const size_t title = title_of(part);
        if (self.fields == 0) self.untitled = is_untitled(part);
        if (title < self.title) self.title = title, self.title_first = self.fields == 0;
        self.names += is_name && !(self.fields == 0 && self.untitled);
        self.named |= is_name && is_named(part, cfg);
        if (!tl_field_number(text, part, &number)) continue;
        if (self.counting == 0) self.from_zero = number == 0;
        self.counting += self.counting == 0 ? number == 0 || number == 1 : number == before + 1;
        before = number;
    }
    return self;
}

enum { MIN_COUNTING = 4 }; /* fewer could be values of a series by chance */

bool tl_columns_header(const tl_text *text, tl_field line, char separator, const tl_read_cfg *cfg, tl_error *error) {
    if (cfg->header != TL_HEADER_AUTO) return cfg->header == TL_HEADER_YES;
    const look self = look_at(text, line, separator, cfg, error);
    const size_t rest = self.fields - self.untitled;
    const bool title = self.title < Y || (self.title == Y && !self.title_first);
    if (self.fields < 2 || rest == 0) return false;
    if (cfg->file) return self.named || title; /* lines contain only names anyway */
    if (self.names == rest || self.named) return true;
    if (self.names + self.counting < rest) return false;
    return title || (self.from_zero && (self.untitled || (self.names == 0 && rest >= MIN_COUNTING)));
}

/* ---- which column is meant ---- */

/* An option of the caller, and the role that it gives to columns. */
typedef struct purpose {
    const char *name;
    tl_role role;
    bool several;
    const char *columns;
} purpose;

/* The search for a column that an option names. */
typedef struct search {
    const tl_columns *columns;
    const char *path;
    const purpose *of;
    tl_field text;
} search;

static tl_status wrong(const search *self, tl_error *error, const char *what) {
    return tl_fail(error, TL_ERROR_ARGUMENT, "%s: %s \"%.*s\" (--%s, tl_read_cfg.%s): %s", self->path, self->of->name,
                   (int)(self->text.end - self->text.begin < 60 ? self->text.end - self->text.begin : 60), self->text.begin,
                   self->of->name, self->of->name, what);
}

static bool read_number(tl_field field, size_t *number) {
    *number = 0;
    if (field.begin == field.end || field.end - field.begin > 9) return false;
    for (const char *c = field.begin; c < field.end; c++) {
        if (*c < '0' || *c > '9') return false;
        *number = *number * 10 + (size_t)(*c - '0');
    }
    return true;
}

/* first, last, 3 or 3-8, counted from 1. */
static bool read_place(tl_field text, size_t count, size_t *from, size_t *to) {
    tl_field rest = text, begin;
    const bool range = tl_field_cut(&rest, '-', &begin);
    *from = *to = tl_field_is(text, "last") ? count : 1;
    if (tl_field_is(text, "first") || tl_field_is(text, "last")) return true;
    if (!read_number(begin, from)) return false;
    *to = *from;
    return !range || read_number(rest, to);
}

static const char *name_at(const void *context, size_t index) {
    const tl_columns *self = context;
    return index < self->count ? self->name[index] : NULL;
}

/* Returns the number of columns with this heading; *at [OUT]: the last of them. */
static size_t count_named(const tl_columns *self, tl_field text, size_t *at) {
    const size_t length = (size_t)(text.end - text.begin);
    size_t count = 0;
    for (size_t c = 0; self->name && c < self->count; c++)
        if (strncmp(self->name[c], text.begin, length) == 0 && self->name[c][length] == '\0') count++, *at = c;
    return count;
}

static tl_status unknown(const search *self, tl_error *error) {
    char what[300], text[80];
    snprintf(text, sizeof text, "%.*s", (int)(self->text.end - self->text.begin), self->text.begin);
    const char *close = self->columns->name ? tl_suggest(text, name_at, self->columns) : NULL;
    if (!self->columns->name)
        snprintf(what, sizeof what, "the table has no header; a column is first, last or a number from 1 to %zu",
                 self->columns->count);
    else if (close)
        snprintf(what, sizeof what, "there is no column with this heading; did you mean \"%.60s\"?", close);
    else
        snprintf(what, sizeof what, "none of the %zu columns has this heading", self->columns->count);
    return wrong(self, error, what);
}

/* Finds the columns from *from to *to, counted from 0. */
static tl_status find(search *self, size_t *from, size_t *to, tl_error *error) {
    const size_t count = self->columns->count;
    char what[200];
    size_t named = 0;
    const bool only_name = self->text.end - self->text.begin > 5 && strncmp(self->text.begin, "name:", 5) == 0;
    if (only_name) self->text.begin += 5;
    const size_t names = count_named(self->columns, self->text, &named);
    const bool place = !only_name && read_place(self->text, count, from, to);
    if (names > 1) return wrong(self, error, "several columns have this heading; give the number of the column, from 1");
    if (!place && names == 0) return unknown(self, error);
    if (place && names == 0 && *from > *to) return wrong(self, error, "a range begins with the smaller number, as 3-8");
    if (place && names == 0 && (*from < 1 || *to > count || *from > *to)) {
        snprintf(what, sizeof what, "the table has the columns 1 to %zu", count);
        return wrong(self, error, what);
    }
    if (place && names == 1 && (*from != named + 1 || *to != named + 1)) {
        snprintf(what, sizeof what, "column %zu has this heading, which is also the number of column %zu; write name:%.40s or %zu",
                 named + 1, *from, self->columns->name[named], named + 1);
        return wrong(self, error, what);
    }
    *from = names == 1 ? named : *from - 1;
    *to = names == 1 ? named : *to - 1;
    return TL_OK;
}

/* ---- options of the caller ---- */

static tl_field field_of(const char *text) { return (tl_field){text, text + strlen(text)}; }

/* Returns whether all classes are named with numbers. */
static bool are_numbers(const tl_text *text, char *const *names, size_t count) {
    double number;
    size_t c = 0;
    while (names && c < count && tl_field_number(text, field_of(names[c]), &number)) c++;
    return names && c == count;
}

static const char *const role_names[TL_ROLES] = {"a value",   "the label",  "a target value",
                                                 "ignored",   "the series", "the time",
                                                 "the group", "the file",   "the number of the line"};

static tl_status give(tl_columns *self, const search *of, size_t column, bool *given, tl_error *error) {
    char what[200];
    if (given[column] && self->role[column] != of->of->role) {
        snprintf(what, sizeof what, "column %zu is already %s", column + 1, role_names[self->role[column]]);
        return wrong(of, error, what);
    }
    self->role[column] = of->of->role;
    given[column] = true;
    return TL_OK;
}

/* Each line is a series, whose length may be any. Missing tails make lines of one length of them, unless these are unequal too. */
static bool lengths_differ(const tl_read_cfg *cfg) {
    const bool series_each = !cfg->series && !cfg->time && !cfg->file && cfg->window == 0;
    const bool padded = cfg->missing_policy == TL_MISSING_TAIL && !cfg->unequal;
    return series_each && !padded && cfg->reference && cfg->reference->lengths;
}

bool tl_columns_vary(const tl_read_cfg *cfg) { return lengths_differ(cfg) && cfg->reference->class_names; }

/* Returns the first column that has no other role yet. */
static size_t first_value(const tl_columns *self) {
    size_t c = 0;
    while (c < self->count && self->role[c] != TL_ROLE_VALUE) c++;
    return c;
}

/* Returns whether the heading of the first value was the heading of a value in the training set. */
static bool begins_with_value(const tl_columns *self, const tl_read_cfg *cfg) {
    const size_t first = first_value(self);
    return self->name && first < self->count && tl_headings_have(cfg->value_names, self->name[first]);
}

/* Returns whether a file without labels has no label column: the columns without a role are as many as the values of a model. For
 * series of different lengths, headings must tell, or else the first line must begin with a number. Numbers that are classes of the
 * model were found before (read.c). */
static bool is_bare(const tl_columns *self, const tl_read_cfg *cfg) {
    size_t open = 0;
    if (!cfg->unlabelled || cfg->has_target || !cfg->reference) return false;
    if (lengths_differ(cfg)) return self->name ? begins_with_value(self, cfg) : self->number_first;
    for (size_t c = 0; c < self->count; c++) open += self->role[c] == TL_ROLE_VALUE;
    return open == cfg->reference->x.shape[self->steps ? 2 : 1];
}

/* Returns whether an option says that there is no such column. */
static bool is_none(const tl_columns *self, tl_field text) {
    size_t at;
    return tl_field_is(text, "none") && count_named(self, text, &at) == 0;
}

static bool names_none(const tl_columns *self, const char *columns) { return columns && is_none(self, field_of(columns)); }

/* Numbers at the beginning of rows of different lengths may be targets or values. */
static tl_status check_rows(const tl_columns *self, const tl_text *where, const tl_read_cfg *cfg, tl_error *error) {
    const tl_dataset *reference = cfg->reference;
    char text[400];
    if (!cfg->unlabelled || cfg->has_target || !lengths_differ(cfg) || names_none(self, cfg->label) ||
        names_none(self, cfg->target))
        return TL_OK;
    if (reference->classes == 0 && !(self->name && cfg->value_names))
        return tl_fail(error, TL_ERROR_FORMAT,
                       "%s: series of different lengths do not tell whether their lines begin with a target value; say so with "
                       "--target first, or --target none (tl_read_cfg.target, has_target)",
                       where->path);
    if (!self->number_first || !cfg->warn || !are_numbers(where, reference->class_names, reference->classes)) return TL_OK;
    snprintf(text, sizeof text,
             "%.120s: not every line begins with a class of the model, and all fields are read as values; --label first says that "
             "lines begin with labels, --label none that they do not",
             where->path);
    cfg->warn(text, cfg->user);
    return TL_OK;
}

/* Returns whether a file without labels lacks a column that would be ignored anyway. */
static bool is_absent(const tl_columns *self, const search *one, const tl_read_cfg *cfg) {
    size_t at, from, to;
    tl_field name = one->text;
    const tl_role role = one->of->role;
    const bool target = role == TL_ROLE_LABEL || role == TL_ROLE_TARGET;
    if (!cfg->unlabelled || !(target || role == TL_ROLE_GROUP)) return false;
    if (target && is_none(self, name)) return true;
    if (target && cfg->has_target) return false;
    if (read_place(name, self->count, &from, &to)) return is_bare(self, cfg);
    if (name.end - name.begin > 5 && strncmp(name.begin, "name:", 5) == 0) name.begin += 5;
    return self->name && count_named(self, name, &at) == 0;
}

/* given: (count) [OUT] true where the caller gave the column a role. */
static tl_status apply(tl_columns *self, const purpose *of, const char *path, const tl_read_cfg *cfg, bool *given,
                       tl_error *error) {
    tl_field rest = {of->columns, of->columns + strlen(of->columns)}, part;
    size_t from = 0, to = 0, count = 0;
    for (bool more = true; more;) {
        more = tl_field_cut(&rest, ',', &part);
        search one = {self, path, of, tl_field_trim(part)};
        if (is_absent(self, &one, cfg)) continue;
        if (find(&one, &from, &to, error) != TL_OK) return error->status;
        count += to - from + 1;
        if (!of->several && count > 1) return wrong(&one, error, "only one such column is allowed");
        for (size_t c = from; c <= to; c++)
            if (give(self, &one, c, given, error) != TL_OK) return error->status;
    }
    return TL_OK;
}

static tl_status apply_all(tl_columns *self, const char *path, const tl_read_cfg *cfg, bool *given, tl_error *error) {
    const purpose purposes[] = {{"ignore", TL_ROLE_IGNORE, true, cfg->ignore}, {"series", TL_ROLE_SERIES, false, cfg->series},
                                {"time", TL_ROLE_TIME, false, cfg->time},      {"group", TL_ROLE_GROUP, false, cfg->group},
                                {"file", TL_ROLE_FILE, false, cfg->file},      {"label", TL_ROLE_LABEL, false, cfg->label},
                                {"target", TL_ROLE_TARGET, true, cfg->target}, {"value", TL_ROLE_VALUE, true, cfg->value}};
    if (cfg->file && (cfg->value || cfg->series || cfg->time))
        return tl_fail(error, TL_ERROR_ARGUMENT,
                       "%s: file (--file) cannot be combined with --%s: each line is a series in a file of its own", path,
                       cfg->value    ? "value"
                       : cfg->series ? "series"
                                     : "time");
    if (cfg->label && cfg->target)
        return tl_fail(error, TL_ERROR_ARGUMENT,
                       "%s: give either label or target (--label, --target): a classification or a regression", path);
    for (size_t i = 0; i < sizeof purposes / sizeof *purposes; i++)
        if (purposes[i].columns && apply(self, &purposes[i], path, cfg, given, error) != TL_OK) return error->status;
    for (size_t c = 0; cfg->value && c < self->count; c++)
        if (!given[c]) self->role[c] = TL_ROLE_IGNORE;
    return TL_OK;
}

/* ---- recognition ---- */

/* Recognises the column of the label by its heading. */
static tl_status recognise_label(tl_columns *self, const char *path, const bool *given, tl_error *error) {
    size_t best = TITLES, at = 0;
    for (size_t c = 0; self->name && c < self->count; c++) {
        const size_t title = title_of((tl_field){self->name[c], self->name[c] + strlen(self->name[c])});
        if (given[c]) continue;
        if (title < Y && best < Y)
            return tl_fail(error, TL_ERROR_FORMAT,
                           "%s: columns %zu and %zu have the headings \"%s\" and \"%s\"; choose one with --label or --target "
                           "(tl_read_cfg), or leave one out with --ignore",
                           path, at + 1, c + 1, self->name[at], self->name[c]);
        if (title < best) best = title, at = c;
    }
    self->titled = best < Y;
    if (best < TITLES) self->role[at] = TL_ROLE_LABEL;
    return TL_OK;
}

static tl_status check_names(const tl_columns *self, const char *path, const bool *given, tl_error *error) {
    for (size_t c = 0; self->name && c < self->count; c++)
        if (!given[c] && self->role[c] == TL_ROLE_VALUE && tl_headings_doubtful(self->name[c]))
            return tl_fail(error, TL_ERROR_FORMAT,
                           "%s: column %zu has the heading \"%s\", which is probably not a value of a series; leave it out with "
                           "--ignore, say what it is with --group, --label, --target, --series or --time, or name the columns of "
                           "values with --value (tl_read_cfg.ignore …)",
                           path, c + 1, self->name[c]);
    return TL_OK;
}

/* The series are in files: the table has no column of values. */
static void ignore_rest(tl_columns *self) {
    for (size_t c = 0; c < self->count; c++)
        if (self->role[c] == TL_ROLE_VALUE) self->role[c] = TL_ROLE_IGNORE;
}

/* Returns whether two headings end with consecutive numbers and are equal before them: t0 and t1, but not 0 and 1. */
static bool are_consecutive(const char *one, const char *next) {
    size_t letters = strlen(one), a, b;
    while (letters > 0 && one[letters - 1] >= '0' && one[letters - 1] <= '9') letters--;
    return letters > 0 && strncmp(one, next, letters) == 0 && read_number(field_of(one + letters), &a) &&
           read_number(field_of(next + letters), &b) && b == a + 1;
}

/* Without a heading or an option, the first column that has no other role has the labels. */
static tl_status take_first(tl_columns *self, const char *path, const tl_read_cfg *cfg, const bool *given, tl_error *error) {
    const size_t first = first_value(self);
    if (first == self->count || given[first])
        return tl_fail(error, TL_ERROR_FORMAT,
                       "%s: no column has the heading label, class or target; name the column with --label or --target "
                       "(tl_read_cfg)",
                       path);
    if (!begins_with_value(self, cfg)) {
        self->role[first] = TL_ROLE_LABEL;
        const size_t next = first_value(self);
        self->counts = self->name && next < self->count && are_consecutive(self->name[first], self->name[next]);
        return TL_OK;
    }
    if (cfg->unlabelled) return TL_OK; /* what is wrong with the columns is reported later */
    return tl_fail(error, TL_ERROR_FORMAT,
                   "%s: it has no column of labels: no heading is label, class or target, and column %zu, \"%.60s\", is a value in "
                   "the training set; `tapline predict` needs no labels (tl_read_cfg.unlabelled); if there are labels, name their "
                   "column with --label, or --target",
                   path, first + 1, self->name[first]);
}

static tl_status recognise(tl_columns *self, const char *path, const tl_read_cfg *cfg, bool *given, tl_error *error) {
    if (self->name && self->count > 1 && !given[0] &&
        is_untitled((tl_field){self->name[0], self->name[0] + strlen(self->name[0])})) {
        self->role[0] = TL_ROLE_INDEX;
        given[0] = true;
    }
    const bool bare = !cfg->file && is_bare(self, cfg), needless = cfg->file && cfg->unlabelled;
    self->asked = cfg->label || cfg->target;
    if (self->asked && cfg->file) ignore_rest(self);
    if (self->asked) return check_names(self, path, given, error);
    if (recognise_label(self, path, given, error) != TL_OK) return error->status;
    size_t labels = 0;
    for (size_t c = 0; c < self->count; c++) labels += self->role[c] == TL_ROLE_LABEL;
    if (labels == 0 && !self->steps && !bare && !needless && take_first(self, path, cfg, given, error) != TL_OK)
        return error->status;
    if (bare && !self->titled)
        for (size_t c = 0; c < self->count; c++)
            if (self->role[c] == TL_ROLE_LABEL) self->role[c] = TL_ROLE_VALUE;
    for (size_t c = 0; cfg->reference && cfg->reference->classes == 0 && c < self->count; c++)
        if (self->role[c] == TL_ROLE_LABEL) self->role[c] = TL_ROLE_TARGET;
    if (cfg->file) ignore_rest(self);
    return check_names(self, path, given, error);
}

/* ---- check of labels ---- */

enum { MIN_SERIES = 6 }; /* fewer series may have different labels */

/* What such labels really are cannot be known. */
tl_status tl_columns_check_labels(const tl_columns *self, const tl_samples *s, bool archive, tl_error *error) {
    bool fractions = false;
    const bool numbers = s->reference ? are_numbers(s->text, s->reference->class_names, s->reference->classes)
                                      : are_numbers(s->text, s->names, s->classes);
    if (s->regression || s->unlabelled || self->asked || self->of[TL_ROLE_LABEL] == 0) return TL_OK;
    if (self->counts && numbers)
        return tl_fail(error, TL_ERROR_FORMAT,
                       "%s: the headings begin with numbers that count, and none is label, class or target: is the first column a "
                       "value, or the labels? Name the column of the labels with --label COLUMN (such as --label first)",
                       s->text->path);
    if (s->reference) return TL_OK;
    for (size_t c = 0; c < s->classes; c++) fractions |= tl_field_fraction(s->text, field_of(s->names[c]));
    if (self->of[TL_ROLE_VALUE] == 1 && s->series >= MIN_SERIES && !s->cfg->value)
        return tl_fail(error, TL_ERROR_FORMAT,
                       "%s: %zu series with a single value each are probably a mistake; if not, name the column with --value "
                       "COLUMN; with --window N each line is one step",
                       s->text->path, s->series);
    const bool different = s->series >= MIN_SERIES && 2 * s->classes > s->series;
    if (!fractions && (!different || (archive && numbers))) return TL_OK;
    return tl_fail(error, TL_ERROR_FORMAT,
                   "%s: the labels do not look like classes: %zu different labels in %zu series, such as \"%.40s\"; name the "
                   "column of the labels with --label COLUMN (such as --label last), or that of target values with --target "
                   "COLUMN; leave a column out with --ignore COLUMN (tl_read_cfg.label …)",
                   s->text->path, s->classes, s->series, s->names[0]);
}

/* ---- all columns ---- */

tl_status tl_columns_name(tl_columns *self, const tl_text *text, tl_field header, char separator, tl_error *error) {
    tl_field part;
    self->name = calloc(self->count + 1, sizeof *self->name);
    if (!self->name) return tl_fail(error, TL_ERROR_MEMORY, "%s: out of memory", text->path);
    for (size_t c = 0; c < self->count && !tl_failed(error); c++) {
        tl_text_cut(text, &header, separator, &part, error);
        part = tl_field_trim(part);
        self->name[c] = strndup(part.begin, (size_t)(part.end - part.begin));
        if (!self->name[c]) tl_fail(error, TL_ERROR_MEMORY, "%s: out of memory", text->path);
    }
    return error->status;
}

static bool begins_with_number(const tl_text *text, tl_field line, char separator) {
    tl_error ignored = {0};
    tl_field part;
    double number;
    tl_text_cut(text, &line, separator, &part, &ignored);
    return !tl_failed(&ignored) && tl_field_number(text, tl_field_trim(part), &number);
}

/* Rows that are as long as the series of the training set have no room for a label. */
static tl_status check_room(const tl_columns *self, const char *path, const tl_read_cfg *cfg, tl_error *error) {
    const size_t targets = self->of[TL_ROLE_LABEL] + self->of[TL_ROLE_TARGET], values = self->of[TL_ROLE_VALUE];
    if (cfg->unlabelled || !cfg->reference || cfg->reference->lengths || self->steps || cfg->file || cfg->window > 0 ||
        self->titled || targets == 0 || values + targets != cfg->reference->x.shape[1])
        return TL_OK;
    return tl_fail(
        error, TL_ERROR_FORMAT,
        "%s: it has no column of %s: its %zu columns are as many as the values of a series in the training set; `tapline "
        "predict` needs none (tl_read_cfg.unlabelled)",
        path, self->of[TL_ROLE_LABEL] > 0 ? "labels" : "target values", values + targets);
}

tl_status tl_columns_find(tl_columns *self, const tl_text *text, tl_field line, bool header, char separator, size_t count,
                          const tl_read_cfg *cfg, tl_error *error) {
    *self = (tl_columns){.count = count, .steps = cfg->series || cfg->time || (cfg->window > 0 && cfg->value)};
    if (tl_failed(error)) return error->status;
    self->role = calloc(count + 1, sizeof *self->role);
    bool *given = calloc(count + 1, sizeof *given);
    if (!self->role || !given) tl_fail(error, TL_ERROR_MEMORY, "%s: out of memory", text->path);
    if (!tl_failed(error) && header) tl_columns_name(self, text, line, separator, error);
    if (!tl_failed(error) && !header && line.begin) self->number_first = begins_with_number(text, line, separator);
    if (!tl_failed(error) && check_rows(self, text, cfg, error) == TL_OK && apply_all(self, text->path, cfg, given, error) == TL_OK)
        recognise(self, text->path, cfg, given, error);
    for (size_t c = 0; self->role && c < count; c++) self->of[self->role[c]]++;
    free(given);
    if (!tl_failed(error) && self->of[TL_ROLE_VALUE] == 0 && !cfg->file)
        tl_fail(error, TL_ERROR_FORMAT, "%s: none of the %zu columns is a value of a series%s", text->path, count,
                count == 1 && text->point == ',' ? "; with --decimal-comma, fields are separated by semicolons, tabs or blanks"
                : cfg->value                     ? ""
                             : "; if each line is one step, name the columns of values with --value COLUMNS and use --window N");
    if (tl_failed(error) || check_room(self, text->path, cfg, error) != TL_OK) return error->status;
    return tl_headings_check(self, text->path, cfg, error);
}

void tl_columns_release(tl_columns *self) {
    for (size_t c = 0; self->name && c < self->count; c++) free(self->name[c]);
    free(self->name);
    free(self->role);
    *self = (tl_columns){0};
}
