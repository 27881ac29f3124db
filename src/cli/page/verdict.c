#include "cli/page/verdict.h"

#include "cli/report.h"
#include "picture/chart.h"
#include "picture/page.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void verdict_class(const verdicts *self, size_t class, size_t characters, markup *to) {
    if (self->names)
        markup_escaped(to, self->names[class], characters);
    else
        markup_add(to, "%zu", class);
}

/* ---- counts ---- */

/* Predictions with the same label and the same predicted class. */
typedef struct pair {
    uint32_t label, predicted;
    size_t count;
} pair;

/* The totals of a class. */
typedef struct total {
    size_t class, labelled, predicted, right;
    double share; /* by which classes are chosen */
} total;

/* Pairs instead of a matrix, which would be too large for many classes. */
typedef struct counts {
    pair *pairs;
    size_t count;
    total *totals; /* (classes) */
} counts;

static int by_classes(const void *a, const void *b) {
    const pair *x = a, *y = b;
    if (x->label != y->label) return x->label < y->label ? -1 : 1;
    return (x->predicted > y->predicted) - (x->predicted < y->predicted);
}

/* Errors first, the most frequent ones at the beginning. */
static int by_errors(const void *a, const void *b) {
    const pair *x = a, *y = b;
    const bool wrong_x = x->label != x->predicted, wrong_y = y->label != y->predicted;
    if (wrong_x != wrong_y) return wrong_x ? -1 : 1;
    if (x->count != y->count) return x->count > y->count ? -1 : 1;
    return by_classes(a, b);
}

static counts count_all(const verdicts *self) {
    counts all = {.pairs = calloc(self->count + 1, sizeof *all.pairs), .totals = calloc(self->classes + 1, sizeof *all.totals)};
    for (size_t i = 0; all.pairs && i < self->count; i++)
        all.pairs[i] = (pair){(uint32_t)self->of[i].label, (uint32_t)self->of[i].predicted, 1};
    if (!all.pairs || !all.totals) return all;
    qsort(all.pairs, self->count, sizeof *all.pairs, by_classes);
    for (size_t i = 0; i < self->count; i++) {
        if (all.count > 0 && by_classes(&all.pairs[all.count - 1], &all.pairs[i]) == 0)
            all.pairs[all.count - 1].count++;
        else
            all.pairs[all.count++] = all.pairs[i];
    }
    for (size_t c = 0; c < self->classes; c++) all.totals[c].class = c;
    for (size_t i = 0; i < all.count; i++) {
        const pair *one = &all.pairs[i];
        all.totals[one->label].labelled += one->count;
        all.totals[one->predicted].predicted += one->count;
        if (one->label == one->predicted) all.totals[one->label].right += one->count;
    }
    qsort(all.pairs, all.count, sizeof *all.pairs, by_errors);
    return all;
}

/* Returns whether there was memory for the counts. */
static bool counted(const counts *all, markup *to) {
    const bool whole = all->pairs && all->totals;
    to->short_of_memory = to->short_of_memory || !whole;
    return whole;
}

static void free_counts(counts *all) {
    free(all->pairs);
    free(all->totals);
}

static double percent(size_t part, size_t all) { return all > 0 ? 100 * (double)part / (double)all : 0; }

/* ---- confusion ---- */

enum { MATRIX = 16, WIDTH = 400, HIGHEST = 272, NAME = 12, LETTER = 7, ANSWERS = 3 };
static const double ACROSS = 0.5, UP = 0.87; /* of a name's length: the width and height of a name at 60 degrees */

static void add_answers(const verdicts *self, const counts *all, markup *to) {
    char count[REPORT_NUMBER];
    for (size_t i = 0; i < ANSWERS && i < all->count && all->pairs[i].label != all->pairs[i].predicted; i++) {
        const pair *one = &all->pairs[i];
        markup_add(to, i == 0 ? "<p class=\"answer\">" : i == 1 ? "<p class=\"soft\">" : "; ");
        verdict_class(self, one->label, 40, to);
        markup_add(to, i == 0 ? " is most often taken for " : " for ");
        verdict_class(self, one->predicted, 40, to);
        markup_add(to, ": %zu of %s (%.*f %%)", one->count, report_grouped(count, all->totals[one->label].labelled),
                   percent(one->count, all->totals[one->label].labelled) < 10,
                   percent(one->count, all->totals[one->label].labelled));
        if (i == 0) markup_add(to, "</p>\n");
        if (i == 0 && (all->count == 1 || all->pairs[1].label == all->pairs[1].predicted)) return;
        const bool last =
            i > 0 && (i + 1 == ANSWERS || i + 1 == all->count || all->pairs[i + 1].label == all->pairs[i + 1].predicted);
        if (last) markup_add(to, "</p>\n");
    }
    if (all->count == 0 || all->pairs[0].label == all->pairs[0].predicted)
        markup_add(to, "<p class=\"answer\">None: all %s %s are classified right.</p>\n", report_grouped(count, self->count),
                   self->noun);
}

static int by_share(const void *a, const void *b) {
    const total *x = a, *y = b;
    if (x->share != y->share) return x->share > y->share ? -1 : 1;
    return (x->class > y->class) - (x->class < y->class);
}

static int by_class(const void *a, const void *b) {
    const total *x = a, *y = b;
    return (x->class > y->class) - (x->class < y->class);
}

/* Moves the classes with the most errors to the beginning of the totals; returns the number of classes of the matrix. */
static size_t choose_classes(const verdicts *self, const counts *all) {
    const size_t shown = self->classes < MATRIX ? self->classes : MATRIX;
    for (size_t c = 0; c < self->classes; c++) {
        total *one = &all->totals[c];
        one->share = (double)(one->labelled + one->predicted - 2 * one->right);
    }
    if (shown < self->classes) qsort(all->totals, self->classes, sizeof *all->totals, by_share);
    qsort(all->totals, shown, sizeof *all->totals, by_class);
    return shown;
}

static size_t longest_name(const verdicts *self, const counts *all, size_t shown) {
    size_t longest = 2;
    for (size_t i = 0; i < shown; i++) {
        const size_t length = self->names ? markup_length(self->names[all->totals[i].class]) : 4;
        if (length > longest) longest = length;
    }
    return longest < NAME ? longest : NAME;
}

/* Where the matrix is drawn. */
typedef struct grid {
    double left, top, cell;
    size_t shown;
    bool slanted; /* the names of the columns */
} grid;

static grid grid_of(const verdicts *self, const counts *all, size_t shown) {
    const double name = LETTER * (double)longest_name(self, all, shown);
    grid in = {.left = name + 10, .shown = shown};
    in.cell = fmin(72, fmin(HIGHEST, WIDTH - in.left) / (double)shown);
    in.slanted = name > in.cell - 4;
    if (in.slanted) in.cell = fmin(in.cell, (WIDTH - in.left - ACROSS * name) / (double)shown);
    in.top = in.slanted ? UP * name + 12 : 22;
    return in;
}

static void add_names(const verdicts *self, const counts *all, const grid *in, markup *to) {
    for (size_t i = 0; i < in->shown; i++) {
        const double middle = ((double)i + 0.5) * in->cell, x = in->left + middle, y = in->top + middle;
        markup_add(to, "<text class=\"end\" x=\"%.1f\" y=\"%.1f\">", in->left - 7, y + 4);
        verdict_class(self, all->totals[i].class, NAME, to);
        if (in->slanted)
            markup_add(to, "</text><text transform=\"translate(%.1f %.1f)rotate(-60)\">", x + 3, in->top - 6);
        else
            markup_add(to, "</text><text class=\"middle\" x=\"%.1f\" y=\"%.1f\">", x, in->top - 7);
        verdict_class(self, all->totals[i].class, NAME, to);
        markup_add(to, "</text>");
    }
}

/* Returns the place of a class in the matrix; `shown`: it is not there. */
static size_t place_of(const counts *all, size_t shown, size_t class) {
    size_t at = 0;
    while (at < shown && all->totals[at].class != class) at++;
    return at;
}

/* The colours of a count that are told apart from its cell best: dark on pale cells in light, white on pale cells in dark. */
static const char *count_colours(bool right, double opacity) {
    if (right && opacity > 0.86) return "on";
    return opacity > (right ? 0.63 : 0.78) ? "ink dim" : "ink";
}

static void add_cell(const verdicts *self, const counts *all, const grid *in, const pair *one, markup *to) {
    const size_t row = place_of(all, in->shown, one->label), column = place_of(all, in->shown, one->predicted);
    if (row == in->shown || column == in->shown) return;
    const double share = (double)one->count / (double)all->totals[row].labelled, opacity = 0.1 + 0.9 * share;
    const double x = in->left + in->cell * (double)column, y = in->top + in->cell * (double)row;
    char count[REPORT_NUMBER];
    snprintf(count, sizeof count, "%zu", one->count);
    markup_add(to, "<rect class=\"%s\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" rx=\"2\" fill-opacity=\"%.2f\"><title>",
               row == column ? "cell" : "wrong", x + 1, y + 1, in->cell - 2, in->cell - 2, opacity);
    verdict_class(self, one->label, 0, to);
    markup_add(to, row == column ? " is recognised: " : " is taken for ");
    if (row != column) verdict_class(self, one->predicted, 0, to);
    markup_add(to, "%s%zu of %zu</title></rect>", row == column ? "" : ": ", one->count, all->totals[row].labelled);
    if (LETTER * (double)strlen(count) <= in->cell - 2)
        markup_add(to, "<text class=\"middle %s\" x=\"%.1f\" y=\"%.1f\">%s</text>", count_colours(row == column, opacity),
                   x + in->cell / 2, y + in->cell / 2 + 4, count);
}

static void add_matrix(const verdicts *self, const counts *all, markup *to) {
    const size_t shown = choose_classes(self, all);
    const grid in = grid_of(self, all, shown);
    const double height = in.top + in.cell * (double)shown + 2, size = in.cell * (double)shown;
    markup_add(to, "<svg class=\"chart\" role=\"img\" aria-label=\"confusion matrix\" viewBox=\"0 0 %d %.0f\">", WIDTH, height);
    for (size_t i = 0; i <= shown; i++)
        markup_add(to, "<path class=\"grid\" d=\"M%.1f %.1fh%.1fM%.1f %.1fv%.1f\"/>", in.left, in.top + in.cell * (double)i, size,
                   in.left + in.cell * (double)i, in.top, size);
    add_names(self, all, &in, to);
    for (size_t i = 0; i < all->count; i++) add_cell(self, all, &in, &all->pairs[i], to);
    markup_add(to, "</svg>\n<small>Rows: labels. Columns: predictions. Shade: share of the row.");
    if (shown < self->classes) {
        char classes[REPORT_NUMBER];
        markup_add(to, " The %zu classes with most errors of %s.", shown, report_grouped(classes, self->classes));
    }
    markup_add(to, "</small>\n");
}

void verdict_confusion(const verdicts *self, markup *to) {
    counts all = count_all(self);
    if (counted(&all, to)) {
        add_answers(self, &all, to);
        add_matrix(self, &all, to);
    }
    free_counts(&all);
}

/* ---- classes ---- */

enum { TABLE = 50 };

static void add_share(double share, markup *to) {
    if (isnan(share))
        markup_add(to, "<td>–</td>");
    else
        markup_add(to, "<td>%.3f</td>", share);
}

static void add_class(const verdicts *self, const total *one, markup *to) {
    const double right = (double)one->right;
    char text[2][REPORT_NUMBER];
    markup_add(to, "<tr><td>");
    verdict_class(self, one->class, 32, to);
    markup_add(to, "</td><td>%s</td><td>%s</td>", report_grouped(text[0], one->labelled), report_grouped(text[1], one->predicted));
    add_share(one->predicted ? right / (double)one->predicted : NAN, to);
    add_share(one->labelled ? right / (double)one->labelled : NAN, to);
    add_share(one->labelled + one->predicted ? 2 * right / (double)(one->labelled + one->predicted) : NAN, to);
    markup_add(to, "</tr>\n");
}

void verdict_table(const verdicts *self, markup *to) {
    counts all = count_all(self);
    const size_t shown = self->classes < TABLE ? self->classes : TABLE;
    if (counted(&all, to)) {
        for (size_t c = 0; c < self->classes; c++) { /* the lowest F1 first, where not all are shown */
            const total *one = &all.totals[c];
            const double sum = (double)(one->labelled + one->predicted);
            all.totals[c].share = sum > 0 ? -2 * (double)one->right / sum : -2;
        }
        if (shown < self->classes) qsort(all.totals, self->classes, sizeof *all.totals, by_share);
        page_scroll_begin(to, "table of the classes", "", "");
        markup_add(to, "<table><tr><th>class</th><th>%s</th><th>predicted</th><th>precision</th><th>recall</th><th>F1</th></tr>\n",
                   self->noun);
        for (size_t i = 0; i < shown; i++) add_class(self, &all.totals[i], to);
        markup_add(to, "</table></div>\n");
        if (shown < self->classes)
            markup_add(to, "<small>The %zu classes with the lowest F1; <code>tapline eval --per-class</code> lists all.</small>\n",
                       shown);
    }
    free_counts(&all);
}

/* ---- probabilities ---- */

enum { BINS = 10, HEIGHT = 255 };

void verdict_reliability(const verdicts *self, markup *to) {
    double sum[BINS] = {0}, right[BINS] = {0}, count[BINS] = {0}, x[BINS], y[BINS], expected = 0, all = 0, error = 0;
    size_t points = 0;
    for (size_t i = 0; i < self->count; i++) {
        const double probability = (double)self->of[i].probability;
        if (!isfinite(probability)) continue;
        const size_t bin = probability >= 1 ? BINS - 1 : (size_t)(fmax(probability, 0) * BINS);
        sum[bin] += probability;
        right[bin] += self->of[i].label == self->of[i].predicted;
        count[bin]++;
    }
    for (size_t b = 0; b < BINS; b++) {
        expected += sum[b];
        all += right[b];
        error += fabs(sum[b] - right[b]) / (double)self->count;
        if (count[b] == 0) continue;
        x[points] = sum[b] / count[b];
        y[points++] = right[b] / count[b];
    }
    const double ends[] = {0, 1}, total_count = (double)self->count;
    const chart_curve curves[] = {{.name = "as it should be", .x = ends, .y = ends, .count = 2, .colour = 6, .kind = CURVE_DASHED},
                                  {.name = "this network", .x = x, .y = y, .count = points},
                                  {.x = x, .y = y, .count = points, .kind = CURVE_DOTS}};
    const chart of = {.name = "share of right predictions over their probability",
                      .x_label = "predicted probability",
                      .curves = curves,
                      .count = 3,
                      .y_to = 1,
                      .width = WIDTH,
                      .height = HEIGHT};
    const double difference = (expected - all) / total_count;
    markup_add(to, "<p class=\"answer\">%s</p>\n",
               fabs(difference) < 0.02 ? "On average, yes."
               : difference > 0        ? "They are too high."
                                       : "They are too low.");
    markup_add(to,
               "<p class=\"soft\">The predicted class has a mean probability of %.3f; %.3f of the predictions are right. Expected "
               "calibration error: %.3f.</p>\n",
               expected / total_count, all / total_count, error);
    chart_svg(&of, to);
    markup_add(to, "<small>Share of right predictions over their probability, in ten intervals.</small>\n");
}
