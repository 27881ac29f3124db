#include "data/samples.h"

#include "data/classes.h"
#include "memory.h"

#include <stdlib.h>
#include <string.h>

enum { MOST_CLASSES = 1000 }; /* more are most likely values of a regression */

/* The memory, with room for `wanted` elements or more; NULL where there is none, and `memory` stays. */
static void *grow(void *memory, size_t *room, size_t wanted, size_t size, tl_error *error) {
    const size_t least = size < 4096 ? 4096 / size : 1;
    size_t bytes, larger = *room < least ? least : *room;
    while (larger < wanted) larger += larger / 2 + 1;
    void *moved = tl_multiply_sizes(larger, size, &bytes) ? realloc(memory, bytes) : NULL;
    if (moved)
        *room = larger;
    else
        tl_fail(error, TL_ERROR_MEMORY, "data: no memory for %zu elements", larger);
    return moved;
}

/* ---- values ---- */

static tl_status reserve_row(tl_samples *s, size_t count, tl_error *error) {
    if (count <= s->row_room) return TL_OK;
    tl_real *row = grow(s->row, &s->row_room, count, sizeof *row, error);
    if (!row) return error->status;
    s->row = row;
    return TL_OK;
}

tl_status tl_samples_number(tl_samples *s, tl_field field, tl_error *error) {
    double value;
    if (tl_text_number(s->text, field, &value, error) != TL_OK || reserve_row(s, s->row_count + 1, error) != TL_OK)
        return error->status;
    s->row[s->row_count++] = (tl_real)value;
    return TL_OK;
}

static tl_status check_length(tl_samples *s, size_t count, const char *at, tl_error *error) {
    const bool first = s->unequal ? s->row_channels <= 1 : s->length == 0;
    if (first) s->length = count;
    if (count == s->length) return TL_OK;
    if (s->unequal)
        return tl_text_fail(s->text, at, error, "expected %zu values, as in the first channel, got %zu", s->length, count);
    return tl_text_fail(
        s->text, at, error,
        "expected %zu values, as in the first series, got %zu; lengths may differ in .ts files with @equalLength false", s->length,
        count);
}

tl_status tl_samples_end_channel(tl_samples *s, const char *at, tl_error *error) {
    const size_t count = s->row_count - s->row_channels * s->length;
    s->row_channels++;
    return check_length(s, count, at, error);
}

tl_real *tl_samples_row(tl_samples *s, size_t channels, size_t length, tl_error *error) {
    size_t count;
    if (!tl_multiply_sizes(channels, length, &count)) tl_fail(error, TL_ERROR_MEMORY, "data: out of memory");
    if (tl_failed(error) || check_length(s, length, NULL, error) != TL_OK || reserve_row(s, count, error) != TL_OK) return NULL;
    s->row_count = count;
    s->row_channels = channels;
    return s->row;
}

/* The next number among blanks. */
static bool cut_blanks(tl_field *rest, tl_field *part) {
    *rest = tl_field_trim(*rest);
    part->begin = rest->begin;
    while (rest->begin < rest->end && *rest->begin != ' ' && *rest->begin != '\t') rest->begin++;
    part->end = rest->begin;
    return tl_field_trim(*rest).begin < rest->end;
}

tl_status tl_samples_channel(tl_samples *s, tl_field line, char separator, tl_error *error) {
    tl_field rest = line, part;
    bool more = true;
    while (more) {
        more = separator == ' ' ? cut_blanks(&rest, &part) : tl_field_cut(&rest, separator, &part);
        if (tl_samples_number(s, part, error) != TL_OK) return error->status;
    }
    return tl_samples_end_channel(s, line.begin, error);
}

/* ---- labels ---- */

/* Labels are equal as text, or as numbers: archives write 1 and 1.0 for the same class. */
static bool is_label(const tl_text *text, tl_field field, const char *name) {
    double a, b;
    const size_t length = strlen(name);
    if ((size_t)(field.end - field.begin) == length && memcmp(field.begin, name, length) == 0) return true;
    return tl_field_number(text, field, &a) && tl_field_number(text, (tl_field){name, name + length}, &b) && a == b;
}

static size_t find_label(const tl_text *text, tl_field label, char *const *names, size_t count) {
    size_t i = 0;
    while (i < count && !is_label(text, label, names[i])) i++;
    return i;
}

static tl_status add_class(tl_samples *s, tl_field name, tl_error *error) {
    if (s->classes == MOST_CLASSES)
        return tl_text_fail(s->text, name.begin, error, "more than %d different labels; is this a regression problem?",
                            MOST_CLASSES);
    char **names = grow(s->names, &s->classes_room, s->classes + 1, sizeof *names, error);
    if (!names) return error->status;
    s->names = names;
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

/* The number of a label: of the training set's classes if there is one, else of those declared, else of those seen so far. */
static tl_status label_number(tl_samples *s, tl_field label, int32_t *number, tl_error *error) {
    if (label.begin == label.end) return tl_text_expected(s->text, label, error, "a label");
    size_t found = find_label(s->text, label, s->names, s->classes);
    if (found == s->classes && s->declared) return tl_text_expected(s->text, label, error, "one of the labels that are declared");
    if (s->like) {
        found = find_label(s->text, label, s->like->class_names, s->like->classes);
        if (found == s->like->classes)
            return tl_text_expected(s->text, label, error, "one of the %zu labels of the training set", s->like->classes);
    } else if (found == s->classes && add_class(s, label, error) != TL_OK)
        return error->status;
    *number = (int32_t)found;
    return TL_OK;
}

/* ---- series ---- */

static tl_status check_like(const tl_samples *s, const char *at, tl_error *error) {
    const tl_dataset *like = s->like;
    if (!like || s->series > 0) return TL_OK;
    if (s->unequal && !like->lengths)
        return tl_text_fail(s->text, at, error, "expected series of equal length, as in the training set, got @equalLength false");
    if ((!s->unequal && s->length != like->x.shape[1]) || s->channels != like->x.shape[2])
        return tl_text_fail(s->text, at, error,
                            "expected series of length %zu and %zu channels, as in the training set, got %zu and %zu",
                            like->x.shape[1], like->x.shape[2], s->length, s->channels);
    if (s->regression != (like->classes == 0) || (!s->regression && !like->class_names))
        return tl_text_fail(s->text, at, error, "expected %s, as in the training set", s->regression ? "labels" : "target values");
    return TL_OK;
}

static tl_status reserve_targets(tl_samples *s, size_t room, tl_error *error) {
    void *targets = s->regression ? grow(s->targets, &room, room, sizeof *s->targets, error)
                                  : grow(s->labels, &room, room, sizeof *s->labels, error);
    if (!targets) return error->status;
    if (s->regression)
        s->targets = targets;
    else
        s->labels = targets;
    return TL_OK;
}

tl_status tl_samples_announce(tl_samples *s, size_t series, size_t length, size_t channels, tl_error *error) {
    size_t each;
    if (!tl_multiply_sizes(length, channels, &each) || !tl_multiply_sizes(each, sizeof *s->values, &each))
        return tl_fail(error, TL_ERROR_MEMORY, "data: out of memory");
    s->values = tl_reserve(series, each, "data", error);
    if (!s->values || reserve_targets(s, series, error) != TL_OK) return error->status;
    s->length = length;
    s->channels = channels;
    s->series_room = series;
    s->announced = true;
    return TL_OK;
}

/* Whether the text is long enough for as many series as lines: a value takes two bytes or more, with its separator. */
static bool lines_fit(const tl_samples *s) {
    size_t most;
    return s->lines > 0 && s->series == 0 && tl_multiply_sizes(s->lines, s->length * s->channels, &most) &&
           most <= (size_t)(s->text->end - s->text->start);
}

/* Room for one more series of any length. */
static tl_status reserve_unequal(tl_samples *s, tl_error *error) {
    const size_t wanted = s->stored + s->length * s->channels;
    if (wanted > s->stored_room) {
        tl_real *values = grow(s->values, &s->stored_room, wanted, sizeof *values, error);
        if (!values) return error->status;
        s->values = values;
    }
    if (s->series < s->series_room) return TL_OK;
    size_t room = s->series_room, *lengths = grow(s->lengths, &room, room + 1, sizeof *lengths, error);
    if (!lengths) return error->status;
    s->lengths = lengths;
    if (reserve_targets(s, room, error) != TL_OK) return error->status;
    s->series_room = room;
    return TL_OK;
}

static tl_status reserve_series(tl_samples *s, tl_error *error) {
    size_t each, room = s->series_room;
    if (s->unequal) return reserve_unequal(s, error);
    if (s->series < s->series_room) return TL_OK;
    if (lines_fit(s)) return tl_samples_announce(s, s->lines, s->length, s->channels, error);
    if (!tl_multiply_sizes(s->length * s->channels, sizeof *s->values, &each))
        return tl_fail(error, TL_ERROR_MEMORY, "data: out of memory");
    tl_real *values = grow(s->values, &room, s->series_room + 1, each, error);
    if (!values) return error->status;
    s->values = values;
    if (reserve_targets(s, room, error) != TL_OK) return error->status;
    s->series_room = room;
    return TL_OK;
}

/* From channel after channel to the channels of each step side by side. */
static void store_row(tl_samples *s) {
    tl_real *to = s->values + (s->unequal ? s->stored : s->series * s->length * s->channels);
    if (s->unequal) s->lengths[s->series] = s->length;
    s->stored += s->length * s->channels;
    for (size_t c = 0; c < s->channels; c++)
        for (size_t t = 0; t < s->length; t++) to[t * s->channels + c] = s->row[c * s->length + t];
    s->series++;
    s->row_count = s->row_channels = 0;
}

static tl_status check_series(tl_samples *s, const char *at, tl_error *error) {
    if (s->channels == 0) s->channels = s->row_channels;
    if (s->row_channels != s->channels)
        return tl_text_fail(s->text, at, error, "expected %zu channels, got %zu", s->channels, s->row_channels);
    return check_like(s, at, error);
}

tl_status tl_samples_end_value(tl_samples *s, double target, tl_error *error) {
    if (check_series(s, NULL, error) != TL_OK || reserve_series(s, error) != TL_OK) return error->status;
    s->targets[s->series] = (tl_real)target;
    store_row(s);
    return TL_OK;
}

tl_status tl_samples_end(tl_samples *s, tl_field label, tl_error *error) {
    double target = 0;
    int32_t number = 0;
    label = tl_field_trim(label);
    if (check_series(s, label.begin, error) != TL_OK) return error->status;
    if (s->regression)
        return tl_text_number(s->text, label, &target, error) == TL_OK ? tl_samples_end_value(s, target, error) : error->status;
    if (label_number(s, label, &number, error) != TL_OK || reserve_series(s, error) != TL_OK) return error->status;
    s->labels[s->series] = number;
    store_row(s);
    return TL_OK;
}

/* ---- the data set ---- */

typedef struct named_class {
    char *name;
    double number;
    size_t before; /* its place among the classes */
} named_class;

static int by_number(const void *a, const void *b) {
    const double x = ((const named_class *)a)->number, y = ((const named_class *)b)->number;
    return (x > y) - (x < y);
}

static int by_name(const void *a, const void *b) { return strcmp(((const named_class *)a)->name, ((const named_class *)b)->name); }

/* Sorts the classes as numbers where all are, else as text, and renumbers the labels. */
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
        for (size_t i = 0; i < s->series; i++) s->labels[i] = after[s->labels[i]];
    } else
        tl_fail(error, TL_ERROR_MEMORY, "data: out of memory");
    free(sorted);
    free(after);
    return error->status;
}

/* Series of unequal length are padded with zeros to the longest. */
static void fill_padded(tl_samples *s, tl_dataset *data, tl_error *error) {
    size_t longest = 0;
    for (size_t i = 0; i < s->series; i++) longest = s->lengths[i] > longest ? s->lengths[i] : longest;
    data->x = tl_tensor_new(3, (size_t[]){s->series, longest, s->channels}, error);
    data->lengths = tl_allocate(s->series, sizeof *data->lengths, "lengths", error);
    if (tl_failed(error)) return;
    memcpy(data->lengths, s->lengths, s->series * sizeof *data->lengths);
    const tl_real *from = s->values;
    for (size_t i = 0; i < s->series; i++) {
        const size_t count = s->lengths[i] * s->channels;
        memcpy(data->x.data + i * longest * s->channels, from, count * sizeof *from);
        from += count;
    }
}

/* The values become the data set's where they have been announced. */
static void fill_values(tl_samples *s, tl_dataset *data, tl_error *error) {
    if (s->unequal) {
        fill_padded(s, data, error);
        return;
    }
    const size_t shape[] = {s->series, s->length, s->channels};
    if (s->announced) {
        data->x = tl_tensor_view(s->values, 3, shape);
        s->values = NULL;
        return;
    }
    data->x = tl_tensor_new(3, shape, error);
    if (!tl_failed(error)) memcpy(data->x.data, s->values, tl_tensor_count(&data->x) * sizeof(tl_real));
}

static tl_status fill_dataset(tl_samples *s, tl_dataset *data, tl_error *error) {
    fill_values(s, data, error);
    if (s->regression)
        data->values = tl_allocate(s->series, sizeof *data->values, "target values", error);
    else
        data->labels = tl_allocate(s->series, sizeof *data->labels, "labels", error);
    if (tl_failed(error)) return error->status;
    if (s->regression) {
        memcpy(data->values, s->targets, s->series * sizeof *data->values);
        return TL_OK;
    }
    memcpy(data->labels, s->labels, s->series * sizeof *data->labels);
    return s->like ? tl_classes_copy(data, s->like->class_names, s->like->classes, error)
                   : tl_classes_copy(data, s->names, s->classes, error);
}

tl_dataset *tl_samples_finish(tl_samples *s, tl_error *error) {
    if (tl_failed(error)) return NULL;
    if (s->series == 0) {
        tl_text_fail(s->text, s->text->end, error, "expected a series, got the end of the file");
        return NULL;
    }
    if (!s->regression && !s->declared && !s->like && sort_classes(s, error) != TL_OK) return NULL;
    tl_dataset *data = calloc(1, sizeof *data);
    if (!data) tl_fail(error, TL_ERROR_MEMORY, "data: out of memory");
    if (data && fill_dataset(s, data, error) == TL_OK) return data;
    tl_dataset_free(data);
    return NULL;
}

void tl_samples_release(tl_samples *s) {
    for (size_t i = 0; i < s->classes; i++) free(s->names[i]);
    free(s->names);
    free(s->row);
    free(s->values);
    free(s->lengths);
    free(s->labels);
    free(s->targets);
    *s = (tl_samples){0};
}
