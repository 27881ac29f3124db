#include "read/long.h"

#include "base/memory.h"
#include "read/time.h"

#include <stdlib.h>
#include <string.h>

typedef struct reader {
    tl_samples *samples;
    const tl_columns *columns;
    char separator;
    tl_keys series;
    size_t *steps;  /* (series.room) steps of each series: counted in the first pass, then read in the second */
    double *times;  /* (series, longest); NULL: no times */
    bool each_step; /* every step has a label or target values */
    bool warned;    /* of uneven times */
} reader;

/* ---- lines ---- */

/* The fields of a line that are not values. */
typedef struct step {
    tl_field series, time, label, group;
} step;

/* Divides a line into fields. Writes values to `row`: (channels) and target values to `targets`, unless they are NULL. */
static tl_status read_line(const reader *self, tl_field line, step *to, double *row, double *targets, tl_error *error) {
    const tl_text *text = self->samples->text;
    const tl_field whole = line;
    tl_field part;
    size_t count = 0;
    double target;
    for (bool more = true; more; count++) {
        more = tl_text_cut(text, &line, self->separator, &part, error);
        if (tl_failed(error)) return error->status;
        const tl_role role = count < self->columns->count ? self->columns->role[count] : TL_ROLE_IGNORE;
        part = role == TL_ROLE_VALUE ? part : tl_field_trim(part);
        if (role == TL_ROLE_SERIES) to->series = part;
        if (role == TL_ROLE_TIME) to->time = part;
        if (role == TL_ROLE_LABEL) to->label = part;
        if (role == TL_ROLE_GROUP) to->group = part;
        if (role == TL_ROLE_VALUE && row) tl_samples_value(self->samples, part, row++, error);
        if (role == TL_ROLE_TARGET && targets && tl_text_number(text, part, &target, error) == TL_OK) *targets++ = target;
    }
    if (tl_failed(error) || count == self->columns->count) return error->status;
    return tl_text_fail(text, whole.begin, error, "expected %zu fields, as in the first line, got %zu", self->columns->count,
                        count);
}

/* Returns the number of the series of a line; SIZE_MAX on failure. */
static size_t series_of(reader *self, const step *at, tl_error *error) {
    static const char only[] = "";
    if (tl_failed(error)) return SIZE_MAX;
    if (self->columns->of[TL_ROLE_SERIES] == 0) return tl_keys_number(&self->series, (tl_field){only, only}, error);
    if (at->series.begin == at->series.end) {
        tl_text_expected(self->samples->text, at->series, error, "the name of a series");
        return SIZE_MAX;
    }
    return tl_keys_number(&self->series, at->series, error);
}

/* ---- counting ---- */

static tl_status count_line(reader *self, tl_field line, tl_error *error) {
    step at = {0};
    const size_t room = self->series.room;
    if (read_line(self, line, &at, NULL, NULL, error) != TL_OK) return error->status;
    const size_t series = series_of(self, &at, error);
    if (tl_failed(error)) return error->status;
    if (self->series.room > room) {
        size_t *larger = realloc(self->steps, self->series.room * sizeof *larger);
        if (!larger) return tl_fail(error, TL_ERROR_MEMORY, "%s: out of memory", self->samples->text->path);
        memset(larger + room, 0, (self->series.room - room) * sizeof *larger);
        self->steps = larger;
    }
    self->steps[series]++;
    return TL_OK;
}

static tl_status check_steps(const reader *self, size_t series, tl_error *error) {
    if (self->samples->ragged || self->steps[series] == self->steps[0]) return TL_OK;
    return tl_fail(error, TL_ERROR_FORMAT,
                   "%s: series \"%.40s\" has %zu steps, but \"%.40s\" has %zu; use --unequal (tl_read_cfg.unequal) for series of "
                   "different lengths",
                   self->samples->text->path, self->series.text[series], self->steps[series], self->series.text[0], self->steps[0]);
}

static tl_status count_all(reader *self, tl_text *text, tl_error *error) {
    tl_samples *s = self->samples;
    const size_t channels = self->columns->of[TL_ROLE_VALUE];
    tl_field line;
    while (tl_text_filled_line(text, "#", &line, error) && count_line(self, line, error) == TL_OK) {
    }
    if (!tl_failed(error) && self->series.count == 0)
        tl_text_fail(text, text->end, error, "expected a step of a series, got the end of the file");
    for (size_t i = 0; i < self->series.count && !tl_failed(error); i++)
        if (check_steps(self, i, error) == TL_OK) tl_samples_count(s, 1, self->steps[i], channels, self->steps[i] * channels);
    if (tl_failed(error)) return error->status;
    if (self->each_step) s->target_length = s->longest;
    tl_samples_announce(s, error);
    if (self->columns->of[TL_ROLE_TIME] > 0)
        self->times = tl_reserve(s->room * s->longest, sizeof *self->times, "the times of steps", error);
    memset(self->steps, 0, self->series.room * sizeof *self->steps);
    return error->status;
}

/* ---- times ---- */

typedef struct moment {
    double time;
    size_t step;
} moment;

static int by_time(const void *a, const void *b) {
    const double x = ((const moment *)a)->time, y = ((const moment *)b)->time;
    return (x > y) - (x < y);
}

/* Sorts `count` pieces of `size` bytes into the order of the moments; scratch: as many bytes. */
static void reorder(void *pieces, const moment *order, size_t count, size_t size, char *scratch) {
    for (size_t i = 0; i < count; i++) memcpy(scratch + i * size, (char *)pieces + order[i].step * size, size);
    memcpy(pieces, scratch, count * size);
}

/* Warns of the first series whose steps are not evenly spaced. */
static void check_spacing(reader *self, size_t series, const moment *order) {
    const char *name = self->series.text[series];
    tl_times times = {0};
    for (size_t t = 0; t < self->steps[series]; t++) tl_times_add(&times, order[t].time);
    if (self->warned || !tl_times_uneven(&times)) return;
    self->warned = true;
    tl_times_warn(&times, self->samples, *name ? name : "the series");
}

static tl_status sort_steps(reader *self, size_t series, moment *order, char *scratch, tl_error *error) {
    tl_samples *s = self->samples;
    const size_t count = self->steps[series], first = series * s->longest;
    bool sorted = true;
    for (size_t t = 0; t < count; t++) {
        order[t] = (moment){self->times[first + t], t};
        sorted = sorted && (t == 0 || order[t].time > order[t - 1].time);
    }
    if (!sorted) qsort(order, count, sizeof *order, by_time);
    check_spacing(self, series, order);
    if (sorted) return TL_OK;
    for (size_t t = 1; t < count; t++)
        if (order[t].time == order[t - 1].time)
            return tl_fail(error, TL_ERROR_FORMAT,
                           "%s: series \"%.40s\" has two steps with the time %g; name the column of the series with --series",
                           s->text->path, self->series.text[series], order[t].time);
    reorder(s->values + first * s->channels, order, count, s->channels * sizeof *s->values, scratch);
    if (self->each_step && s->labels) reorder(s->labels + first, order, count, sizeof *s->labels, scratch);
    if (self->each_step && s->targets)
        reorder(s->targets + first * s->target_channels, order, count, s->target_channels * sizeof *s->targets, scratch);
    return TL_OK;
}

static tl_status sort_all(reader *self, tl_error *error) {
    const tl_samples *s = self->samples;
    if (!self->times || tl_failed(error)) return error->status;
    const size_t widest = s->channels > s->target_channels ? s->channels : s->target_channels;
    moment *order = tl_reserve(s->longest, sizeof *order, "the order of steps", error);
    char *scratch = tl_reserve(s->longest * widest, sizeof(double) > sizeof(int32_t) ? sizeof(double) : sizeof(int32_t),
                               "steps in another order", error);
    for (size_t i = 0; i < self->series.count && !tl_failed(error); i++) sort_steps(self, i, order, scratch, error);
    tl_release(order);
    tl_release(scratch);
    return error->status;
}

/* ---- reading ---- */

/* Returns the position of the label or targets of a step: its own, or that of the whole series. */
static size_t place_of(const reader *self, size_t series, size_t t) {
    return series * self->samples->target_length + (self->each_step ? t : 0);
}

/* Checks that all lines of a series have the same label, or the same target values. */
static tl_status check_same(const reader *self, size_t series, bool same, tl_field line, tl_error *error) {
    if (same) return TL_OK;
    return tl_text_fail(self->samples->text, line.begin, error,
                        "expected the same label or target value as in earlier lines of series \"%.40s\", got another one; for "
                        "labels of steps use --window",
                        self->series.text[series]);
}

static tl_status read_target(reader *self, size_t series, size_t t, const step *at, const double *targets, tl_field line,
                             tl_error *error) {
    tl_samples *s = self->samples;
    const size_t place = place_of(self, series, t);
    const bool first = t == 0 || self->each_step;
    if (s->unlabelled) return TL_OK;
    if (s->regression) {
        double *own = s->targets + place * s->target_channels;
        const size_t size = s->target_channels * sizeof *own;
        if (!first) return check_same(self, series, memcmp(own, targets, size) == 0, line, error);
        memcpy(own, targets, size);
        return TL_OK;
    }
    const int32_t before = first ? 0 : s->labels[place];
    s->series = series;
    if (tl_samples_label(s, self->each_step ? t : 0, tl_text_unquote(s->text, at->label), error) != TL_OK) return error->status;
    return check_same(self, series, first || s->labels[place] == before, line, error);
}

static tl_status read_step(reader *self, tl_field line, double *targets, tl_error *error) {
    tl_samples *s = self->samples;
    step at = {0};
    if (read_line(self, line, &at, NULL, NULL, error) != TL_OK) return error->status;
    const size_t before = self->series.count, series = series_of(self, &at, error);
    if (tl_failed(error)) return error->status;
    if (self->series.count > before || series >= s->room || self->steps[series] >= s->longest) return tl_samples_changed(s, error);
    const size_t t = self->steps[series]++;
    if (read_line(self, line, &at, s->values + (series * s->longest + t) * s->channels, targets, error) != TL_OK)
        return error->status;
    if (self->times && !tl_field_time(s->text, at.time, &self->times[series * s->longest + t]))
        return tl_text_expected(s->text, at.time, error, "a time, a number or such as 2024-01-31 12:00:00");
    s->series = series;
    if (s->grouped && tl_samples_group(s, tl_text_unquote(s->text, at.group), error) != TL_OK) return error->status;
    return read_target(self, series, t, &at, targets, line, error);
}

/* Steps after the end of a series get its last label, so that all have one. */
static void fill_labels(const reader *self, size_t series) {
    const tl_samples *s = self->samples;
    int32_t *labels = s->labels + series * s->target_length;
    for (size_t t = self->steps[series]; t < s->target_length; t++) labels[t] = labels[t - 1];
}

static void fill_targets(const reader *self, size_t series) {
    const tl_samples *s = self->samples;
    const size_t each = s->target_channels;
    double *targets = s->targets + series * s->target_length * each;
    for (size_t i = self->steps[series] * each; i < s->target_length * each; i++) targets[i] = targets[i - each];
}

static tl_status end_series(reader *self, tl_error *error) {
    tl_samples *s = self->samples;
    s->series = 0;
    for (size_t i = 0; i < self->series.count && !tl_failed(error); i++) {
        if (self->each_step && s->labels) fill_labels(self, i);
        if (self->each_step && s->targets) fill_targets(self, i);
        s->length = self->steps[i];
        s->channel = s->channels;
        tl_samples_keep(s, s->text->end, error);
    }
    return error->status;
}

tl_status tl_long_read(tl_samples *s, tl_text *text, const tl_columns *columns, char separator, tl_error *error) {
    reader self = {.samples = s, .columns = columns, .separator = separator};
    const tl_place place = tl_text_place(text);
    const bool targets = columns->of[TL_ROLE_LABEL] + columns->of[TL_ROLE_TARGET] > 0;
    double *row = tl_allocate(columns->of[TL_ROLE_TARGET] + 1, sizeof *row, "target values", error);
    tl_field line;
    self.each_step = s->cfg->window > 0 && !s->unlabelled && targets;
    if (!targets && !s->unlabelled)
        tl_fail(error, TL_ERROR_FORMAT,
                "%s: no column has the heading label, class or target; name the column with --label or --target (tl_read_cfg)%s",
                text->path, s->reference ? TL_ONLY_PREDICT : "");
    s->counting = s->together = true;
    if (!tl_failed(error) && count_all(&self, text, error) == TL_OK && tl_text_back(text, place, error) == TL_OK)
        while (tl_text_filled_line(text, "#", &line, error) && read_step(&self, line, s->unlabelled ? NULL : row, error) == TL_OK) {
        }
    if (sort_all(&self, error) == TL_OK) end_series(&self, error);
    tl_keys_release(&self.series);
    free(self.steps);
    tl_release(self.times);
    tl_release(row);
    return error->status;
}
