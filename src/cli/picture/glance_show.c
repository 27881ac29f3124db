/* A data set at a glance, in the terminal and as pictures; compiled once for each precision (commands.h). */
#include "cli/picture/glance.h"

#include "cli/report.h"
#include "picture/page.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define glance_print IN_PRECISION(glance_print)
#define glance_svg IN_PRECISION(glance_svg)
#define glance_html IN_PRECISION(glance_html)
#define glance_series IN_PRECISION(glance_series)

enum { EXAMPLE_COLOUR = 6, CURVES = 2 + GLANCE_EXAMPLES };

/* The curves of a group and a channel: its spread, its examples and its mean. */
typedef struct panel {
    chart_curve curves[CURVES];
    double x[GLANCE_EXAMPLES][2 * GLANCE_POINTS], y[GLANCE_EXAMPLES][2 * GLANCE_POINTS];
    char about[120], title[300];
    chart chart;
} panel;

/* "10 series, 33 %, channel 2". */
static void describe_group(const glance *self, const glance_group *of, size_t channel, char *text, size_t size) {
    char count[REPORT_NUMBER], of_channel[40] = "";
    if (self->data->x.shape[2] > 1) snprintf(of_channel, sizeof of_channel, ", channel %zu", self->first + channel + 1);
    const double share = 100 * (double)of->series / (double)self->data->x.shape[0];
    snprintf(text, size, "%s series, %.*f %%%s", report_grouped(count, of->series), share < 1, share, of_channel);
}

static void fill_panel(panel *to, const glance *self, const glance_group *of, size_t channel, size_t colour) {
    const size_t at = channel * self->points;
    chart_curve *next = to->curves;
    describe_group(self, of, channel, to->about, sizeof to->about);
    snprintf(to->title, sizeof to->title, "%.150s · %s", of->name, to->about);
    colour %= EXAMPLE_COLOUR;
    *next++ = (chart_curve){
        .x = self->x, .y = of->high + at, .low = of->low + at, .count = self->points, .colour = colour, .kind = CURVE_BAND};
    for (size_t e = 0; e < of->examples; e++) {
        const size_t points = glance_series(self->data, of->example[e], self->first + channel, to->x[e], to->y[e]);
        *next++ = (chart_curve){.x = to->x[e], .y = to->y[e], .count = points, .colour = EXAMPLE_COLOUR, .kind = CURVE_FAINT};
    }
    *next++ = (chart_curve){.x = self->x, .y = of->mean + at, .count = self->points, .colour = colour};
    const scale y = scale_make(self->minimum, self->maximum, 3, false, true);
    to->chart = (chart){.name = to->title,
                        .title = to->title,
                        .curves = to->curves,
                        .count = (size_t)(next - to->curves),
                        .y_from = y.from,
                        .y_to = y.to};
}

/* ---- pictures ---- */

enum { WIDTH = 300, HEIGHT = 170, TITLE = 20, GAP = 20, ACROSS = 3, HEAD = 62 };

static void add_key(double y, markup *to) {
    markup_add(
        to,
        "<g class=\"chart\"><path class=\"line k0\" d=\"M20 %.0fh18\"/><text x=\"44\" y=\"%.0f\">mean</text><rect class=\"f0 "
        "band\" x=\"92\" y=\"%.0f\" width=\"18\" height=\"10\"/><text x=\"116\" y=\"%.0f\">± standard deviation</text><path "
        "class=\"faint k6\" d=\"M252 %.0fh18\"/><text x=\"276\" y=\"%.0f\">single series</text></g>",
        y - 4, y, y - 9, y, y - 4, y);
}

void glance_svg(const glance *self, const char *title, markup *to) {
    const size_t tiles = self->count * self->channels, across = tiles < ACROSS ? tiles : ACROSS;
    const size_t down = tiles ? (tiles + across - 1) / across : 0;
    char left_out[100];
    panel *one = calloc(1, sizeof *one);
    picture_begin(to, GAP + (WIDTH + GAP) * (double)(across < 2 ? 2 : across), HEAD + (HEIGHT + GAP) * (double)down);
    markup_add(to, "<g class=\"chart\"><text class=\"title\" x=\"20\" y=\"26\">");
    markup_escaped(to, title, 60);
    markup_add(to, "%s%s</text></g>", self->all > self->count ? ": " : "", glance_left_out(self, left_out));
    add_key(48, to);
    for (size_t i = 0; one && i < tiles; i++) {
        fill_panel(one, self, &self->group[i / self->channels], i % self->channels, i / self->channels);
        const size_t row = i / across;
        one->chart.x = GAP + (WIDTH + GAP) * (double)(i % across);
        one->chart.y = HEAD + (HEIGHT + GAP) * (double)row;
        one->chart.width = WIDTH;
        one->chart.height = HEIGHT;
        chart_svg(&one->chart, to);
    }
    to->short_of_memory = to->short_of_memory || !one;
    picture_end(to);
    free(one);
}

static void add_figure(markup *to, const char *value, const char *name) {
    markup_add(to, "<li><b>%s</b><span>%s</span></li>", value, name);
}

static void add_figures(const glance *self, markup *to) {
    const size_t *shape = self->data->x.shape;
    char text[100], low[SCALE_LABEL], high[SCALE_LABEL], number[REPORT_NUMBER];
    markup_add(to, "<ul class=\"figures\">");
    add_figure(to, report_grouped(number, shape[0]), "series");
    if (self->shortest < self->longest)
        snprintf(text, sizeof text, "%zu … %zu", self->shortest, self->longest);
    else
        report_grouped(text, self->longest);
    add_figure(to, text, self->shortest < self->longest ? "steps each" : "steps");
    if (self->shortest < self->longest) add_figure(to, report_grouped(number, self->median), "steps, median");
    add_figure(to, report_grouped(number, shape[2]), shape[2] == 1 ? "channel" : "channels");
    if (self->data->classes > 0) add_figure(to, report_grouped(number, self->data->classes), "classes");
    snprintf(low, sizeof low, "%.3g", self->smallest);
    snprintf(high, sizeof high, "%.3g", self->largest);
    snprintf(text, sizeof text, "%s … %s", low, high);
    add_figure(to, text, "values");
    snprintf(text, sizeof text, "%.3g ± %.3g", fabs(self->mean) < 1e-6 * self->deviation ? 0 : self->mean, self->deviation);
    add_figure(to, text, "mean ± standard deviation");
    markup_add(to, "</ul>\n");
}

void glance_html(const glance *self, markup *to) {
    char left_out[100];
    panel *one = calloc(1, sizeof *one);
    add_figures(self, to);
    markup_add(to, "<p class=\"soft\">Line: mean. Area: ± standard deviation. Pale lines: single series.");
    if (*glance_left_out(self, left_out)) markup_add(to, " Shown are %s.", left_out);
    if (self->channels < self->data->x.shape[2])
        markup_add(to, " Shown are %zu of %zu channels.", self->channels, self->data->x.shape[2]);
    markup_add(to, "</p>\n<div class=\"tiles\">");
    for (size_t i = 0; one && i < self->count * self->channels; i++) {
        fill_panel(one, self, &self->group[i / self->channels], i % self->channels, i / self->channels);
        one->chart.title = NULL; /* it is above the chart */
        one->chart.width = WIDTH;
        one->chart.height = HEIGHT - TITLE;
        page_tile_begin(to, one->title);
        chart_svg(&one->chart, to);
        markup_add(to, "</div>");
    }
    markup_add(to, "</div>\n");
    to->short_of_memory = to->short_of_memory || !one;
    free(one);
}

/* ---- the terminal ---- */

enum { ROWS = 4, PANEL = 24, LABEL = 9 };

/* The number of panels beside each other: the mean, and single series. */
static size_t count_panels(const terminal *kind) {
    const size_t fit = (kind->columns - LABEL) / (PANEL + 2);
    return fit < 1 ? 1 : fit > 1 + GLANCE_EXAMPLES ? 1 + GLANCE_EXAMPLES : fit;
}

static void print_captions(const glance_group *of, size_t panels, size_t width, FILE *to) {
    fprintf(to, "%*s", LABEL, "");
    for (size_t p = 0; p < panels && p < 1 + of->examples; p++) {
        char text[40] = "mean";
        if (p > 0) snprintf(text, sizeof text, "series %zu", of->example[p - 1]);
        fprintf(to, "%-*s", p + 1 < panels && p < of->examples ? (int)width + 2 : 0, text);
    }
    fputc('\n', to);
}

/* Draws the curves of a group: its mean, with `edges` also its spread, on the first canvas; a series on each other one. */
static void draw_group(const panel *from, canvas *on, size_t panels, bool edges) {
    scale x, y;
    chart_scales(&from->chart, &x, &y);
    const size_t mean = from->chart.count - 1;
    chart_curve edge = from->curves[0];
    edge.colour = EXAMPLE_COLOUR;
    if (edges) {
        canvas_curve(&on[0], &edge, &x, &y);
        edge.y = edge.low;
        canvas_curve(&on[0], &edge, &x, &y);
    }
    canvas_curve(&on[0], &from->curves[mean], &x, &y);
    for (size_t p = 1; p < panels && p < mean; p++) {
        chart_curve series = from->curves[p];
        series.colour = from->curves[mean].colour;
        canvas_curve(&on[p], &series, &x, &y);
    }
}

static void print_label(const panel *from, size_t row, const terminal *kind, FILE *to) {
    char text[SCALE_LABEL] = "";
    scale x, y;
    chart_scales(&from->chart, &x, &y);
    if (row == 0) scale_label(&y, y.to, text);
    if (row == ROWS - 1) scale_label(&y, y.from, text);
    fprintf(to, "%*s %s", LABEL - 2, text, kind->unicode ? "│" : "|");
}

static bool print_group(const panel *one, const terminal *kind, FILE *to) {
    const size_t panels = count_panels(kind), width = (kind->columns - LABEL - 2 * panels) / panels;
    canvas on[1 + GLANCE_EXAMPLES] = {{0}};
    bool made = true;
    for (size_t p = 0; p < panels; p++) made = canvas_make(&on[p], width, ROWS, kind->unicode) && made;
    if (made) draw_group(one, on, panels, kind->colours);
    for (size_t row = 0; made && row < ROWS; row++) {
        print_label(one, row, kind, to);
        for (size_t p = 0; p < panels; p++) {
            canvas_print(&on[p], row, kind, to);
            fputs(p + 1 < panels ? "  " : "\n", to);
        }
    }
    for (size_t p = 0; p < panels; p++) canvas_free(&on[p]);
    return made;
}

static void print_head(const glance *self, FILE *to) {
    char left_out[100];
    if (self->shortest < self->longest)
        fprintf(to, "lengths    %zu to %zu steps, median %zu\n", self->shortest, self->longest, self->median);
    fprintf(to, "values     %.4g to %.4g, mean %.4g, standard deviation %.4g\n", self->smallest, self->largest, self->mean,
            self->deviation);
    if (*glance_left_out(self, left_out)) fprintf(to, "shown      %s\n", left_out);
    if (self->channels < self->data->x.shape[2])
        fprintf(to, "channels   %zu to %zu of %zu are shown (--channel)\n", self->first + 1, self->first + self->channels,
                self->data->x.shape[2]);
}

void glance_print(const glance *self, const terminal *kind, FILE *to) {
    panel *one = calloc(1, sizeof *one);
    const size_t panels = count_panels(kind), width = (kind->columns - LABEL - 2 * panels) / panels;
    print_head(self, to);
    for (size_t i = 0; one && i < self->count * self->channels; i++) {
        const glance_group *of = &self->group[i / self->channels];
        fill_panel(one, self, of, i % self->channels, kind->colours ? i / self->channels : 0);
        fputc('\n', to);
        print_shown(to, of->name);
        fprintf(to, ": %s\n", one->about);
        if (!print_group(one, kind, to)) break;
        print_captions(of, panels, width, to);
    }
    free(one);
}
