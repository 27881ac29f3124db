#include "read/samples.h"

#include "base/math.h"
#include "base/memory.h"
#include "data/classes.h"
#include "data/dataset.h"
#include "data/missing_policy.h"
#include "data/scaling.h"
#include "io/number.h"

#include <tapline/machine.h>

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_CLASSES = 1000 };              /* more are probably values of a regression */
enum { MIN_VALUES = 1 << 20 };            /* of a data set that may be large compared with its file */
enum { UNKNOWN_LABEL = TL_NO_LABEL - 1 }; /* of a lenient reading */

tl_samples tl_samples_begin(const tl_text *where, const tl_read_cfg *cfg) {
    return (tl_samples){.text = where,
                        .reference = cfg->reference,
                        .missing_policy = cfg->missing_policy,
                        .normalize = cfg->normalize,
                        .cfg = cfg,
                        .unlabelled = cfg->unlabelled,
                        .lenient = cfg->keep_labels && !cfg->unlabelled,
                        .ragged = (cfg->reference && cfg->reference->lengths) || cfg->window > 0,
                        .unequal = (cfg->reference && cfg->reference->lengths) || cfg->window > 0 ||
                                   cfg->missing_policy == TL_MISSING_TAIL};
}

void tl_samples_warn(const tl_samples *s, const char *format, ...) {
    char text[400];
    va_list values;
    if (!s->cfg->warn) return;
    va_start(values, format);
    vsnprintf(text, sizeof text, format, values);
    va_end(values);
    s->cfg->warn(text, s->cfg->user);
}

/* ---- counting ---- */

void tl_samples_count(tl_samples *s, size_t series, size_t length, size_t channels, size_t held) {
    if (s->channels == 0) s->channels = channels;
    if (s->length == 0 && !s->ragged) s->length = length;
    if (length > s->longest) s->longest = length;
    s->counted += series;
    s->held += held;
}

tl_status tl_samples_rate(tl_samples *s, double rate, tl_error *error) {
    const double before = s->reference ? s->reference->rate : 0;
    if (tl_failed(error)) return error->status;
    if (!s->rate_path) {
        s->rate = rate;
        s->rate_path = strdup(s->text->path);
        if (!s->rate_path) return tl_fail(error, TL_ERROR_MEMORY, "%s: out of memory", s->text->path);
    }
    if (rate != s->rate)
        return tl_fail(error, TL_ERROR_FORMAT,
                       "%s: has %g samples per second, but %s has %g; files of a data set must have the same sample rate",
                       s->text->path, rate, s->rate_path, s->rate);
    if (before > 0 && rate != before)
        return tl_fail(error, TL_ERROR_FORMAT, "%s: has %g samples per second, but the training set has %g", s->text->path, rate,
                       before);
    return TL_OK;
}

bool tl_samples_fit(size_t values, size_t held) { return values <= MIN_VALUES || values / TL_MAX_TIMES <= held; }

/* Bytes for all series, of which `held` are in memory at a time: (held, each) values. */
static double bytes_of(const tl_samples *s, size_t held, size_t each) {
    const double target = s->unlabelled   ? 0
                          : s->regression ? (double)s->target_length * (double)s->target_channels * sizeof *s->targets
                                          : (double)s->target_length * sizeof *s->labels;
    return (double)held * (double)each * sizeof *s->values +
           (double)s->room * (target + (double)(s->unequal ? sizeof *s->lengths : 0));
}

/* How often a step is in memory: in windows that overlap, several times. */
static double copies_of(const tl_read_cfg *cfg) {
    return cfg->window > cfg->hop && cfg->hop > 0 ? (double)cfg->window / (double)cfg->hop : 1;
}

/* Before any of it is allocated. Series that may stay in the file do so where they, or their windows, take more than the limit. */
static tl_status check_memory(tl_samples *s, size_t each, tl_error *error) {
    const double maximum = (double)(s->cfg->max_memory ? s->cfg->max_memory : tl_memory_limit() / 2);
    s->by_batch = s->stored && !s->cfg->each && bytes_of(s, s->room, each) * copies_of(s->cfg) > maximum;
    s->single = s->by_batch || (s->cfg->each && !s->together);
    const double bytes = bytes_of(s, s->single ? 1 : s->room, each);
    if (s->by_batch && bytes <= maximum) s->left = (size_t)(maximum - bytes);
    if (bytes <= maximum) return TL_OK;
    return tl_fail(error, TL_ERROR_MEMORY, "%s: %s take %.4g MB; the limit is %.4g MB (max_memory, --max-memory)%s", s->text->path,
                   s->single ? "the targets of its series" : "its series", bytes / 1e6, maximum / 1e6,
                   s->cfg->by_batch && !s->by_batch ? "; `tapline convert` makes a .npy or .npz of it, which is read by batch"
                                                    : "");
}

/* Returns whether the numbers of the file are those of the data set. */
static bool keeps_reals(const tl_samples *s) {
    return s->reals && s->normalize == TL_NORMALIZE_NONE && s->missing_policy == TL_MISSING_REFUSE && !s->single && !s->unequal &&
           !s->cfg->each;
}

tl_status tl_samples_announce(tl_samples *s, tl_error *error) {
    size_t each, values = 0;
    s->counting = false;
    if (s->target_length == 0) s->target_length = 1;
    if (s->target_channels == 0) s->target_channels = 1;
    if (!s->ragged) s->longest = s->length;
    if (tl_failed(error)) return error->status;
    if (!tl_multiply_sizes(s->longest, s->channels, &each))
        return tl_fail(error, TL_ERROR_SHAPE, "%s: series of length %zu with %zu channels are more than memory can address",
                       s->text->path, s->longest, s->channels);
    if (!tl_multiply_sizes(s->counted, each, &values)) values = SIZE_MAX;
    /* Series of equal length need no more values than the file has. If lengths differ nevertheless, reading reports it. */
    s->room = s->ragged || values <= s->held ? s->counted : s->held / each;
    if (s->ragged && !tl_samples_fit(values, s->held))
        return tl_fail(error, TL_ERROR_FORMAT,
                       "%s: %zu series, padded to the longest, %zu steps, have more than %d times the %zu values in the file",
                       s->text->path, s->counted, s->longest, TL_MAX_TIMES, s->held);
    if (check_memory(s, each, error) != TL_OK) return error->status;
    if (keeps_reals(s))
        s->reals_kept = tl_reserve(s->room * each, sizeof *s->reals_kept, "data", error);
    else
        s->values = tl_reserve(s->single ? each : s->room * each, sizeof *s->values, "data", error);
    if (s->unequal) s->lengths = tl_allocate(s->room, sizeof *s->lengths, "lengths", error);
    if (s->grouped) s->groups = tl_allocate(s->room, sizeof *s->groups, "groups", error);
    if (s->unlabelled) return error->status;
    if (s->regression)
        s->targets = tl_reserve(s->room * s->target_length * s->target_channels, sizeof *s->targets, "target values", error);
    else
        s->labels = tl_reserve(s->room * s->target_length, sizeof *s->labels, "labels", error);
    return error->status;
}

tl_status tl_samples_lines(tl_samples *s, tl_text *text, const tl_line_reader *reader, void *format, tl_error *error) {
    tl_field line;
    while (tl_text_filled_line(text, reader->comments, &line, error)) reader->read(s, line, format, error);
    return error->status;
}

tl_status tl_samples_text(tl_samples *s, tl_text *text, const tl_line_reader *reader, void *format, tl_error *error) {
    const tl_place place = tl_text_place(text);
    s->counting = true;
    tl_samples_lines(s, text, reader, format, error);
    tl_samples_announce(s, error);
    tl_text_back(text, place, error);
    return tl_samples_lines(s, text, reader, format, error);
}

/* ---- values ---- */

static const char *plural(size_t count) { return count == 1 ? "" : "s"; }

static tl_status check_like_targets(const tl_samples *s, const char *at, tl_error *error) {
    const tl_dataset *reference = s->reference;
    const size_t length = tl_labels_each(reference), channels = tl_values_each(reference) / length;
    if (!s->regression && reference->classes > 0 && !reference->class_names)
        return tl_text_fail(s->text, at, error, "%s", TL_NAMELESS_CLASSES);
    if (s->regression != (reference->classes == 0))
        return tl_text_fail(s->text, at, error, "expected %s, as in the training set", s->regression ? "labels" : "target values");
    if (s->cfg->window > 0) return TL_OK; /* the targets of the windows are compared later */
    if (s->target_length != length)
        return tl_text_fail(s->text, at, error, "expected targets for %zu step%s of each series, as in the training set, got %zu",
                            length, plural(length), s->target_length);
    if (s->regression && s->target_channels != channels)
        return tl_text_fail(s->text, at, error, "expected %zu target value%s for each target, as in the training set, got %zu",
                            channels, plural(channels), s->target_channels);
    return TL_OK;
}

static tl_status check_like(const tl_samples *s, const char *at, tl_error *error) {
    const tl_dataset *reference = s->reference;
    if (!reference || s->series > 0) return TL_OK;
    if (s->cfg->window == 0 && s->unequal && s->missing_policy != TL_MISSING_TAIL && !reference->lengths)
        return tl_text_fail(s->text, at, error,
                            "expected series of equal length, as in the training set, got lengths that may differ");
    const bool other = !s->unequal && s->length != reference->x.shape[1];
    if (other || s->channels != reference->x.shape[2])
        return tl_text_fail(
            s->text, at, error,
            "expected series of length %zu with %zu channel%s, as in the training set, got length %zu with %zu channel%s",
            reference->x.shape[1], reference->x.shape[2], plural(reference->x.shape[2]), s->length, s->channels,
            plural(s->channels));
    return s->unlabelled ? TL_OK : check_like_targets(s, at, error);
}

tl_status tl_samples_changed(const tl_samples *s, tl_error *error) {
    return tl_fail(error, TL_ERROR_FILE, "%s: changed while it was read", s->text->path);
}

static tl_status check_series(tl_samples *s, const char *at, tl_error *error) {
    if (s->channel != s->channels)
        return tl_text_fail(s->text, at, error, "expected %zu channels, got %zu", s->channels, s->channel);
    if (s->series == s->room || s->length > s->longest) return tl_samples_changed(s, error);
    return check_like(s, at, error);
}

/* Returns the memory of the current series; NULL if there is none left. */
static double *row_of(const tl_samples *s) {
    const size_t row = s->single ? 0 : s->series;
    return s->series < s->room ? s->values + row * s->longest * s->channels : NULL;
}

/* Returns what should be in place of a field that is not a number. */
static const char *wanted(const tl_text *text, tl_field field) {
    double number;
    const tl_field whole = tl_field_trim(field);
    if (tl_field_missing(field)) return "a number" TL_MISSING_HINT;
    if (tl_field_comma(text, field)) return "a finite number" TL_COMMA_HINT;
    const bool large = tl_number_read(whole.begin, whole.end, text->point, text->locale, &number) && isfinite(number);
    return large ? "a number that single precision can hold (--precision f64 reads larger ones)" : "a finite number";
}

tl_status tl_samples_value(const tl_samples *s, tl_field field, double *value, tl_error *error) {
    double number = (double)NAN;
    const bool there = tl_field_number(s->text, field, &number);
    *value = there ? number : (double)NAN;
    if (there || (s->missing_policy != TL_MISSING_REFUSE && tl_field_missing(field))) return TL_OK;
    return tl_text_expected(s->text, tl_field_trim(field), error, "%s", wanted(s->text, field));
}

static const char *skip_blanks(tl_field rest) {
    while (rest.begin < rest.end && (*rest.begin == ' ' || *rest.begin == '\t')) rest.begin++;
    return rest.begin;
}

size_t tl_samples_numbers(tl_samples *s, tl_field *rest, char separator, size_t maximum) {
    double *const row = row_of(s) && s->channel < s->channels ? row_of(s) + s->channel : NULL;
    const size_t stride = s->channels, room = s->longest;
    const char point = s->text->point;
    size_t count = 0, step = s->step;
    for (double value; count < maximum; count++, step++) {
        const char *begin = separator == '\t' ? rest->begin : skip_blanks(*rest);
        const char *end = tl_number_scan(begin, rest->end, point, &value);
        if (!end || end == rest->end || !tl_number_fits(value)) break;
        if (*end != separator && (separator != ' ' || *end != '\t')) break;
        if (row && step < room) row[step * stride] = value;
        rest->begin = end + 1;
    }
    s->step = step;
    return count;
}

tl_status tl_samples_number(tl_samples *s, tl_field field, tl_error *error) {
    double value, *row = row_of(s);
    if (tl_samples_value(s, field, &value, error) != TL_OK) return error->status;
    if (row && s->step < s->longest && s->channel < s->channels) row[s->step * s->channels + s->channel] = value;
    s->step++;
    return TL_OK;
}

static tl_status check_length(tl_samples *s, size_t count, const char *at, tl_error *error) {
    if (s->ragged && s->channel <= 1) s->length = count;
    if (count == s->length) return TL_OK;
    if (s->ragged)
        return tl_text_fail(s->text, at, error, "expected %zu values, as in the first channel, got %zu", s->length, count);
    return tl_text_fail(s->text, at, error,
                        "expected %zu values, as in the first series, got %zu; for different lengths use @equalLength false in .ts "
                        "files, and --unequal (tl_read_cfg.unequal) for tables and folders",
                        s->length, count);
}

tl_status tl_samples_end_channel(tl_samples *s, const char *at, tl_error *error) {
    const size_t count = s->step;
    s->step = 0;
    s->channel++;
    return check_length(s, count, at, error);
}

tl_status tl_samples_begin_row(tl_samples *s, size_t length, size_t channels, tl_error *error) {
    s->channel = channels;
    if (s->ragged) s->length = length;
    if (tl_failed(error) || check_length(s, length, NULL, error) != TL_OK) return error->status;
    return check_series(s, NULL, error);
}

double *tl_samples_row(tl_samples *s, size_t length, size_t channels, tl_error *error) {
    return tl_samples_begin_row(s, length, channels, error) == TL_OK ? row_of(s) : NULL;
}

tl_status tl_samples_read(const tl_samples *s, tl_source *source, const tl_number_type *type, size_t first, size_t count,
                          tl_error *error) {
    if (!s->reals_kept) return tl_source_numbers(source, type, count, s->missing_policy, row_of(s) + first, error);
    return tl_source_reals(source, count, s->reals_kept + s->series * s->longest * s->channels + first, error);
}

/* Removes the next number between blanks. */
static bool cut_blanks(tl_field *rest, tl_field *part) {
    *rest = tl_field_trim(*rest);
    part->begin = rest->begin;
    while (rest->begin < rest->end && *rest->begin != ' ' && *rest->begin != '\t') rest->begin++;
    part->end = rest->begin;
    return tl_field_trim(*rest).begin < rest->end;
}

static bool cut_field(tl_field *rest, char separator, tl_field *part) {
    return separator == ' ' ? cut_blanks(rest, part) : tl_field_cut(rest, separator, part);
}

size_t tl_samples_count_of(tl_field line, char character) {
    size_t count = 0;
    for (const char *c = line.begin; c < line.end; c++) count += *c == character;
    return count;
}

size_t tl_samples_fields(tl_field line, char separator) {
    tl_field part;
    size_t count = 1;
    if (separator != ' ') return tl_samples_count_of(line, separator) + 1;
    while (cut_field(&line, separator, &part)) count++;
    return count;
}

tl_status tl_samples_channel(tl_samples *s, tl_field line, char separator, tl_error *error) {
    tl_field rest = line, part;
    for (bool more = true; more;) {
        tl_samples_numbers(s, &rest, separator, SIZE_MAX);
        more = cut_field(&rest, separator, &part);
        if (tl_samples_number(s, part, error) != TL_OK) return error->status;
    }
    return tl_samples_end_channel(s, line.begin, error);
}

/* ---- labels ---- */

enum { DIGITS = 53 }; /* whole numbers with more bits are rounded: different ones may be read as equal */

/* Labels are equal as text, or as numbers: archives write 1 and 1.0 for the same class. */
static bool is_same_text(tl_field field, const char *name) {
    const size_t length = strlen(name);
    return (size_t)(field.end - field.begin) == length && memcmp(field.begin, name, length) == 0;
}

static bool is_same_number(const tl_text *text, tl_field field, const char *name) {
    double a, b;
    return tl_field_number(text, field, &a) && tl_field_number(text, (tl_field){name, name + strlen(name)}, &b) && a == b &&
           fabs(a) < ldexp(1, DIGITS);
}

static size_t find_label(const tl_text *text, tl_field label, char *const *names, size_t count) {
    size_t i = 0;
    while (i < count && !is_same_text(label, names[i])) i++;
    if (i < count) return i; /* most labels are; comparing numbers takes longer */
    for (i = 0; i < count && !is_same_number(text, label, names[i]);) i++;
    return i;
}

static tl_status add_class(tl_samples *s, tl_field name, tl_error *error) {
    if (s->classes == MAX_CLASSES)
        return tl_text_fail(
            s->text, name.begin, error,
            "more than %d different labels; in a table, name the column of the labels with --label COLUMN, or that of target "
            "values with --target COLUMN; with --window N each line is one step",
            MAX_CLASSES);
    if (!s->names) s->names = calloc(MAX_CLASSES, sizeof *s->names);
    if (!s->names) return tl_fail(error, TL_ERROR_MEMORY, "data: out of memory");
    s->names[s->classes] = strndup(name.begin, (size_t)(name.end - name.begin));
    if (!s->names[s->classes]) return tl_fail(error, TL_ERROR_MEMORY, "data: out of memory");
    s->classes++;
    return TL_OK;
}

tl_status tl_samples_declare(tl_samples *s, tl_field name, tl_error *error) {
    if (find_label(s->text, name, s->names, s->classes) < s->classes)
        return tl_text_expected(s->text, name, error, "each class once");
    s->declared = true;
    return add_class(s, name, error);
}

/* Returns whether the label means "unknown". */
static bool is_no_label(const tl_samples *s, tl_field label) {
    return s->cfg->no_label && find_label(s->text, label, (char *const[]){(char *)(uintptr_t)s->cfg->no_label}, 1) == 0;
}

static bool is_known(const tl_samples *s, tl_field label) {
    return find_label(s->text, label, s->reference->class_names, s->reference->classes) < s->reference->classes;
}

/* Keeps the first one for the warning. */
static void note_unknown(tl_samples *s, tl_field label) {
    const size_t length = (size_t)(label.end - label.begin), most = sizeof s->first_unknown - 1;
    if (!*s->first_unknown) memcpy(s->first_unknown, label.begin, length < most ? length : most);
}

bool tl_samples_knows(const tl_samples *s, tl_field label) {
    const bool named = s->reference && s->reference->class_names;
    return !named || label.begin == label.end || tl_field_is(label, "?") || is_no_label(s, label) || is_known(s, label);
}

void tl_samples_ignore(tl_samples *s, tl_field label) {
    note_unknown(s, label);
    s->unknown++;
}

/* Returns the number of a label: a class of the training set if there is one, else a declared class, else one that was seen
 * before. */
static tl_status label_number(tl_samples *s, tl_field label, int32_t *number, tl_error *error) {
    if (is_no_label(s, label)) {
        *number = TL_NO_LABEL;
        return TL_OK;
    }
    if (label.begin == label.end) return tl_text_expected(s->text, label, error, "a label");
    if (s->reference && !s->reference->class_names) return check_like_targets(s, label.begin, error);
    if (s->reference && s->lenient && !is_known(s, label)) {
        const bool none = tl_field_is(label, "?");
        if (!none) note_unknown(s, label);
        *number = none ? TL_NO_LABEL : UNKNOWN_LABEL;
        s->incomplete = true;
        return TL_OK;
    }
    size_t found = find_label(s->text, label, s->names, s->classes);
    const char *cure = tl_field_is(label, "?") ? " (--no-label ? leaves out series without a label)" : "";
    if (found == s->classes && s->declared) return tl_text_expected(s->text, label, error, "one of the declared labels%s", cure);
    if (s->reference) {
        found = find_label(s->text, label, s->reference->class_names, s->reference->classes);
        if (found == s->reference->classes)
            return tl_text_expected(s->text, label, error, "one of the %zu labels of the training set%s", s->reference->classes,
                                    cure);
    } else if (found == s->classes && add_class(s, label, error) != TL_OK)
        return error->status;
    *number = (int32_t)found;
    return TL_OK;
}

/* ---- series ---- */

static bool is_missing_at(const double *row, size_t step, size_t channels) {
    bool missing = true;
    for (size_t c = 0; missing && c < channels; c++) missing = isnan(row[step * channels + c]);
    return missing;
}

/* Missing values at the end of a series do not belong to it. */
static tl_status cut_tail(tl_samples *s, const double *row, const char *at, tl_error *error) {
    while (s->length > 0 && is_missing_at(row, s->length - 1, s->channels)) s->length--;
    if (s->length == 0) return tl_text_fail(s->text, at, error, "expected a series, got only missing values");
    for (size_t i = 0; i < s->length * s->channels; i++)
        if (isnan(row[i]))
            return tl_text_fail(s->text, at, error,
                                "expected values up to the end of the series, got a missing value at step %zu of %zu (--missing "
                                "tail is only for missing values at the end)",
                                i / s->channels, s->length);
    return TL_OK;
}

static tl_status pass_on(const tl_samples *s, const double *row, tl_error *error) {
    const tl_file_series series = {s->series, s->room, s->longest, s->channels, s->length, row};
    if (!s->cfg->each) return TL_OK;
    const tl_status status = s->cfg->each(&series, s->cfg->user, error);
    return status == TL_OK ? TL_OK : tl_fail(error, status, "read: tl_read_cfg.each failed without a message");
}

static tl_status end_row(tl_samples *s) {
    s->series++;
    s->step = s->channel = 0;
    return TL_OK;
}

/* Completes a series: replaces missing values, and sets the steps after its end to 0. */
static tl_status keep_row(tl_samples *s, const char *at, tl_error *error) {
    if (s->reals_kept) return end_row(s);
    double *row = row_of(s);
    const size_t whole = s->length;
    if (s->missing_policy == TL_MISSING_TAIL) {
        if (cut_tail(s, row, at, error) != TL_OK) return error->status;
    } else if (s->missing_policy != TL_MISSING_REFUSE) {
        const size_t empty = tl_missing_fill(s->missing_policy, row, s->length, s->channels);
        if (empty < s->channels)
            return tl_text_fail(s->text, at, error, "expected a value in channel %zu of the series, got only missing values",
                                empty);
    }
    if (s->unequal) s->lengths[s->series] = s->length;
    memset(row + s->length * s->channels, 0, (s->longest - s->length) * s->channels * sizeof *row);
    const tl_status status = pass_on(s, row, error);
    if (!s->ragged) s->length = whole;
    end_row(s);
    return status;
}

tl_status tl_samples_label(tl_samples *s, size_t step, tl_field label, tl_error *error) {
    return label_number(s, tl_field_trim(label), &s->labels[s->series * s->target_length + step], error);
}

double *tl_samples_targets(const tl_samples *s) { return s->targets + s->series * s->target_length * s->target_channels; }

tl_status tl_samples_keep(tl_samples *s, const char *at, tl_error *error) {
    return check_series(s, at, error) == TL_OK ? keep_row(s, at, error) : error->status;
}

tl_status tl_samples_target(tl_samples *s, size_t index, tl_field field, tl_error *error) {
    double target;
    if (s->series == s->room) return tl_samples_changed(s, error);
    if (tl_text_number(s->text, field, &target, error) == TL_OK) tl_samples_targets(s)[index] = target;
    return error->status;
}

tl_status tl_samples_group(tl_samples *s, tl_field name, tl_error *error) {
    name = tl_field_trim(name);
    if (s->series == s->room) return tl_samples_changed(s, error);
    if (name.begin == name.end) return tl_text_expected(s->text, name, error, "the name of a group");
    s->groups[s->series] = (uint32_t)tl_keys_number(&s->group_names, name, error);
    return error->status;
}

tl_status tl_samples_end(tl_samples *s, tl_field label, tl_error *error) {
    label = tl_field_trim(label);
    if (check_series(s, label.begin, error) != TL_OK) return error->status;
    if (s->unlabelled) return keep_row(s, label.begin, error);
    if (!s->regression)
        tl_samples_label(s, 0, label, error);
    else
        tl_samples_target(s, 0, label, error);
    return tl_failed(error) ? error->status : keep_row(s, label.begin, error);
}

/* ---- the data set ---- */

typedef struct named_class {
    char *name;
    double number;
    size_t before; /* its position in the order of the classes */
} named_class;

static int by_name(const void *a, const void *b) { return strcmp(((const named_class *)a)->name, ((const named_class *)b)->name); }

static int by_number(const void *a, const void *b) {
    const double x = ((const named_class *)a)->number, y = ((const named_class *)b)->number;
    return x == y ? by_name(a, b) : (x > y) - (x < y);
}

/* Sorts the classes as numbers if all are numbers, else as text, and renumbers the labels. */
static tl_status sort_classes(tl_samples *s, tl_error *error) {
    named_class *sorted = calloc(s->classes, sizeof *sorted);
    int32_t *after = calloc(s->classes, sizeof *after);
    bool numbers = true;
    for (size_t i = 0; sorted && after && i < s->classes; i++) {
        sorted[i] = (named_class){.name = s->names[i], .before = i};
        numbers =
            numbers && tl_field_number(s->text, (tl_field){s->names[i], s->names[i] + strlen(s->names[i])}, &sorted[i].number);
    }
    if (sorted && after) {
        qsort(sorted, s->classes, sizeof *sorted, numbers ? by_number : by_name);
        for (size_t i = 0; i < s->classes; i++) {
            s->names[i] = sorted[i].name;
            after[sorted[i].before] = (int32_t)i;
        }
        for (size_t i = 0; i < s->series * s->target_length; i++)
            if (s->labels[i] >= 0) s->labels[i] = after[s->labels[i]];
    } else
        tl_fail(error, TL_ERROR_MEMORY, "data: out of memory");
    free(sorted);
    free(after);
    return error->status;
}

/* Rounds numbers in their own memory and releases the rest of it; in double precision nothing changes. If this fails, it returns
 * NULL and *numbers is unchanged. */
static tl_real *rounded(double **numbers, size_t count, tl_error *error) {
    void *memory = *numbers;
    unsigned char *bytes = memory;
    tl_real part[512]; /* whole vectors are rounded, which is impossible in place */
    for (size_t i = 0, many; i < count && sizeof(tl_real) < sizeof(double); i += many) {
        many = tl_min(count - i, sizeof part / sizeof *part);
        for (size_t k = 0; k < many; k++) part[k] = (tl_real)(*numbers)[i + k];
        memcpy(bytes + i * sizeof *part, part, many * sizeof *part);
    }
    if (sizeof(tl_real) < sizeof(double)) memory = realloc(memory, count * sizeof(tl_real) + 1);
    if (memory)
        *numbers = NULL;
    else
        tl_fail(error, TL_ERROR_MEMORY, "data: out of memory");
    return memory;
}

/* Windows have their own statistics: the recordings that they are cut from are scaled without losing digits. */
static tl_status scale(tl_samples *s, tl_scaling *scaling, tl_error *error) {
    const tl_series all = {
        .wide = s->values, .lengths = s->lengths, .count = s->series, .length = s->longest, .channels = s->channels};
    const bool reference = s->reference && s->cfg->window == 0;
    if (s->by_batch)
        return tl_stored_scale(s->stored, s->lengths, s->normalize, reference ? &s->reference->scaling : NULL, scaling, error);
    if (s->cfg->each) return error->status; /* the series are somewhere else */
    if (s->normalize == TL_NORMALIZE_SET) return tl_scale_set(&all, reference ? &s->reference->scaling : NULL, scaling, error);
    if (s->normalize == TL_NORMALIZE_SERIES) tl_scale_each(&all);
    scaling->kind = s->normalize;
    return error->status;
}

/* Sets the target values, and exact_values if rounding changes one of them. */
static void fill_targets(tl_samples *s, tl_dataset *data, tl_error *error) {
    const size_t count = s->targets ? s->series * s->target_length * s->target_channels : 0;
    bool exact = true;
    for (size_t i = 0; i < count; i++) exact = exact && (double)(tl_real)s->targets[i] == s->targets[i];
    if (exact && s->targets)
        data->values = rounded(&s->targets, count, error);
    else if (s->targets) {
        data->exact_values = s->targets;
        data->values = tl_reserve(count, sizeof *data->values, "target values", error);
        for (size_t i = 0; data->values && i < count; i++) data->values[i] = (tl_real)s->targets[i];
        s->targets = NULL;
    }
}

/* Moves the series to the data set, or the way to read them. */
static void fill_series(tl_samples *s, tl_dataset *data, tl_error *error) {
    const bool kept = !s->by_batch && !s->cfg->each;
    tl_real *values = s->reals_kept ? s->reals_kept
                      : kept        ? rounded(&s->values, s->series * s->longest * s->channels, error)
                                    : NULL;
    data->x = tl_tensor_view(values, 3, (size_t[]){s->series, s->longest, s->channels});
    s->reals_kept = NULL;
    if (!s->by_batch) return;
    data->batches = tl_stored_batches(s->stored);
    data->read_ahead = s->left - s->left / 16; /* the rest for reading */
    s->stored = NULL;
}

/* Moves all arrays to the data set. */
static tl_status fill_dataset(tl_samples *s, tl_dataset *data, tl_error *error) {
    if (scale(s, &data->scaling, error) != TL_OK) return error->status;
    fill_series(s, data, error);
    fill_targets(s, data, error);
    data->lengths = s->lengths;
    data->labels = s->labels;
    data->target_length = s->target_length;
    data->target_channels = s->target_channels;
    data->rate = s->rate;
    data->groups = s->groups;
    s->lengths = NULL;
    s->labels = NULL;
    s->groups = NULL;
    if (tl_failed(error) || s->regression || s->unlabelled) return error->status;
    return s->reference ? tl_classes_copy(data, s->reference->class_names, s->reference->classes, error)
                        : tl_classes_copy(data, s->names, s->classes, error);
}

/* Leaves labels out that the training set does not know. */
static void drop_unknown(tl_samples *s) {
    size_t labels = 0;
    for (size_t i = 0; s->lenient && s->labels && i < s->series * s->target_length; i++) {
        const bool inside = s->target_length == 1 || !s->lengths || i % s->target_length < s->lengths[i / s->target_length];
        labels += inside;
        s->unknown += inside && s->labels[i] == UNKNOWN_LABEL;
    }
    if (s->unknown > 0 && !(s->needless && s->unknown == labels))
        tl_samples_warn(s, "%.120s: labels are ignored: \"%s\" is not a class of the model (%zu of %zu labels are not)",
                        s->text->path, s->first_unknown, s->unknown, s->lenient ? labels : s->series);
    if (!s->incomplete) return;
    tl_release(s->labels);
    s->labels = NULL;
    s->unlabelled = true;
    s->target_length = 1;
}

tl_dataset *tl_samples_finish(tl_samples *s, tl_error *error) {
    if (tl_failed(error)) return NULL;
    if (s->series == 0) {
        tl_text_fail(s->text, s->text->end, error, "expected a series, got the end of the file");
        return NULL;
    }
    drop_unknown(s);
    if (!s->regression && !s->unlabelled && !s->declared && !s->reference && sort_classes(s, error) != TL_OK) return NULL;
    tl_dataset *data = calloc(1, sizeof *data);
    if (!data) tl_fail(error, TL_ERROR_MEMORY, "data: out of memory");
    if (data && fill_dataset(s, data, error) == TL_OK) return data;
    tl_dataset_free(data);
    return NULL;
}

void tl_samples_release(tl_samples *s) {
    for (size_t i = 0; i < s->classes; i++) free(s->names[i]);
    free(s->names);
    free(s->rate_path);
    free(s->headings);
    free(s->headings_path);
    tl_stored_free(s->stored);
    tl_keys_release(&s->group_names);
    tl_release(s->groups);
    tl_release(s->values);
    tl_release(s->reals_kept);
    tl_release(s->lengths);
    tl_release(s->labels);
    tl_release(s->targets);
    *s = (tl_samples){0};
}

/* ---- text ---- */

tl_dataset *tl_read_text(const char *path, const tl_read_cfg *cfg,
                         tl_status (*fill)(tl_samples *samples, tl_text *text, tl_error *error), tl_error *error) {
    tl_text text = {0};
    tl_samples samples = tl_samples_begin(&text, cfg);
    tl_dataset *data = NULL;
    if (tl_text_open(&text, path, error) == TL_OK && fill(&samples, &text, error) == TL_OK)
        data = tl_samples_finish(&samples, error);
    tl_samples_release(&samples);
    tl_text_release(&text);
    return data;
}
