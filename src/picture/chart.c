#include "picture/chart.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

/* ---- style ---- */

static const char *const light[PICTURE_COLOURS] = {"#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#6b7280"};
static const char *const dark[PICTURE_COLOURS] = {"#56b4e9", "#e8702a", "#1fb58c", "#d98fb8", "#e69f00", "#f0e442", "#9aa4af"};

static void add_colours(markup *to, const char *const *colours) {
    for (int i = 0; i < PICTURE_COLOURS; i++) markup_add(to, ".k%d{stroke:%s}.f%d{fill:%s}", i, colours[i], i, colours[i]);
}

void picture_style(markup *to) {
    markup_add(to, ".chart text{font:12px system-ui,'Segoe UI',Roboto,'Helvetica Neue',Arial,sans-serif;fill:#5b6570}"
                   ".chart .title{font-weight:600;fill:#1b1f24;font-size:13px}.chart .ink{fill:#1b1f24}"
                   ".grid{stroke:#e8ebee}.rule{stroke:#aeb6bf}.paper{fill:#fff}"
                   ".line{fill:none;stroke-width:2;stroke-linejoin:round;stroke-linecap:round}.thin{stroke-width:1.2}"
                   ".faint{fill:none;stroke-width:1;opacity:.35;stroke-linejoin:round}.band{opacity:.18}.dot{opacity:.55}"
                   ".heat{fill:#e69f00}.on{fill:#fff!important}.cell{fill:#0072b2}.wrong{fill:#d55e00}.end{text-anchor:end}.middle{"
                   "text-anchor:middle}");
    add_colours(to, light);
    markup_add(to, "@media screen and (prefers-color-scheme:dark){.chart text{fill:#a3adb8}.chart .title,.chart .ink{fill:#e8eaed}"
                   ".grid{stroke:#2b3138}.rule{stroke:#525c66}.paper{fill:#15181c}.cell{fill:#56b4e9}.wrong{fill:#e8702a}"
                   ".on,.dim{fill:#15181c!important}");
    add_colours(to, dark);
    markup_add(to, "}");
}

void picture_begin(markup *to, double width, double height) {
    markup_add(to, "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%.0f\" height=\"%.0f\" viewBox=\"0 0 %.0f %.0f\">\n<style>",
               width, height, width, height);
    picture_style(to);
    markup_add(to, "</style>\n<rect class=\"paper\" width=\"100%%\" height=\"100%%\"/>\n");
}

void picture_end(markup *to) { markup_add(to, "</svg>\n"); }

/* ---- scales ---- */

typedef struct range {
    double minimum, maximum;
} range;

static void extend(range *self, const double *values, size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (!isfinite(values[i])) continue;
        self->minimum = fmin(self->minimum, values[i]);
        self->maximum = fmax(self->maximum, values[i]);
    }
}

/* Whether all places are whole numbers: steps or epochs, between which there is nothing. */
static bool counts_along(const chart *self) {
    for (size_t i = 0; i < self->count; i++)
        for (size_t e = 0; self->curves[i].x && e < self->curves[i].count; e++)
            if (self->curves[i].x[e] != floor(self->curves[i].x[e])) return false;
    return true;
}

void chart_scales(const chart *self, scale *x, scale *y) {
    range of_x = {INFINITY, -INFINITY}, of_y = of_x;
    for (size_t i = 0; i < self->count; i++) {
        const chart_curve *one = &self->curves[i];
        const double ends[] = {0, one->count > 1 ? (double)(one->count - 1) : 1};
        extend(&of_x, one->x ? one->x : ends, one->x ? one->count : 2);
        extend(&of_y, one->y, one->count);
        if (one->low) extend(&of_y, one->low, one->count);
    }
    const bool given = self->y_from != 0 || self->y_to != 0;
    *x = scale_make(of_x.minimum, of_x.maximum, self->width > 0 && self->width < 300 ? 4 : 7, false, false);
    if (counts_along(self)) x->step = fmax(x->step, 1);
    *y = given ? scale_make(self->y_from, self->y_to, self->height > 0 && self->height < 140 ? 3 : 5, self->logarithmic, false)
               : scale_make(of_y.minimum, of_y.maximum, self->height > 0 && self->height < 140 ? 3 : 5, self->logarithmic, true);
}

/* ---- the frame ---- */

/* Where the curves are drawn. */
typedef struct frame {
    double left, top, right, bottom;
    scale x, y;
} frame;

enum {
    CHARACTER = 7,
    TITLE_CHARACTER = 8,
    ROW = 18,
    NAME = 28
}; /* widths are estimated: a program cannot measure the reader's font */

static double place_x(const frame *self, double value) {
    return self->left + (self->right - self->left) * scale_place(&self->x, value);
}

/* Values outside the axis end at its edge. */
static double place_y(const frame *self, double value) {
    return self->bottom - (self->bottom - self->top) * fmin(fmax(scale_place(&self->y, value), 0), 1);
}

static double name_width(const char *name) {
    const size_t characters = markup_length(name);
    return 26 + 14 + CHARACTER * (double)(characters < NAME ? characters : NAME);
}

/* Adds the legend if `to` is not NULL. Returns its number of rows. */
static size_t legend(const chart *self, double top, markup *to) {
    double at = 0;
    size_t rows = 0;
    for (size_t i = 0; i < self->count; i++) {
        const chart_curve *one = &self->curves[i];
        if (!one->name) continue;
        const double width = name_width(one->name);
        if (rows == 0 || at + width > self->width) rows++, at = 0;
        if (to) {
            const double y = top + (double)(rows - 1) * ROW, middle = y - 4;
            const size_t colour = one->colour % PICTURE_COLOURS;
            if (one->kind == CURVE_BAND)
                markup_add(to, "<rect class=\"f%zu band\" x=\"%.0f\" y=\"%.0f\" width=\"18\" height=\"10\"/>", colour, at, y - 9);
            else if (one->kind == CURVE_DOTS)
                markup_add(to, "<circle class=\"f%zu\" cx=\"%.0f\" cy=\"%.0f\" r=\"3.5\"/>", colour, at + 9, middle);
            else
                markup_add(to, "<path class=\"line k%zu%s\" d=\"M%.0f %.0fh18\"%s/>", colour,
                           one->kind == CURVE_FAINT ? " faint" : "", at + 1, middle,
                           one->kind == CURVE_DASHED || one->colour >= PICTURE_COLOURS ? " stroke-dasharray=\"5 4\"" : "");
            markup_add(to, "<text x=\"%.0f\" y=\"%.0f\">", at + 26, y);
            markup_escaped(to, one->name, NAME);
            markup_add(to, "</text>");
        }
        at += width;
    }
    return rows;
}

double chart_head(const chart *self) { return (self->title ? 24 : 6) + ROW * (double)legend(self, 0, NULL); }

static double label_width(const scale *y) {
    double at[SCALE_TICKS], width = 0;
    char text[SCALE_LABEL];
    const size_t count = scale_ticks(y, at);
    for (size_t i = 0; i < count; i++) {
        scale_label(y, at[i], text);
        width = fmax(width, CHARACTER * (double)strlen(text));
    }
    return width + 6;
}

static void add_axes(const chart *self, const frame *in, markup *to) {
    double at[SCALE_TICKS];
    char text[SCALE_LABEL];
    size_t count = scale_ticks(&in->y, at);
    for (size_t i = 0; i < count; i++) {
        const double y = place_y(in, at[i]);
        scale_label(&in->y, at[i], text);
        markup_add(to, "<path class=\"grid\" d=\"M%.1f %.1fH%.1f\"/><text class=\"end\" x=\"%.1f\" y=\"%.1f\">%s</text>", in->left,
                   y, in->right, in->left - 6, y + 4, text);
    }
    count = scale_ticks(&in->x, at);
    markup_add(to, "<path class=\"rule\" d=\"M%.1f %.1fH%.1f\"/>", in->left, in->bottom, in->right);
    for (size_t i = 0; i < count; i++) {
        const double x = place_x(in, at[i]);
        scale_label(&in->x, at[i], text);
        markup_add(to, "<path class=\"rule\" d=\"M%.1f %.1fv4\"/><text class=\"middle\" x=\"%.1f\" y=\"%.1f\">%s</text>", x,
                   in->bottom, x, in->bottom + 17, text);
    }
    if (!self->x_label) return;
    markup_add(to, "<text class=\"middle\" x=\"%.1f\" y=\"%.1f\">", (in->left + in->right) / 2, in->bottom + 33);
    markup_escaped(to, self->x_label, 0);
    markup_add(to, "</text>");
}

/* ---- curves ---- */

static double x_of(const chart_curve *self, size_t i) { return self->x ? self->x[i] : (double)i; }

/* A line that is written point by point. A gap ends a part of it; a part of one point is drawn as a dot. */
typedef struct pen {
    markup *to;
    size_t points; /* of the current part */
} pen;

static void pen_point(pen *self, double x, double y) {
    markup_add(self->to, "%s%.1f %.1f", self->points == 0 ? "M" : self->points == 1 ? "L" : " ", x, y);
    self->points++;
}

static void pen_lift(pen *self) {
    if (self->points == 1) markup_add(self->to, "h0");
    self->points = 0;
}

/* The points of a curve from `begin` on that are in the same column of pixels as the first; returns the first point after them. */
static size_t column_end(const chart_curve *self, const frame *in, size_t begin) {
    const double column = floor(place_x(in, x_of(self, begin)));
    size_t end = begin;
    while (end < self->count && isfinite(self->y[end]) && floor(place_x(in, x_of(self, end))) <= column) end++;
    return end;
}

/* Draws the smallest and the largest value of these points, in their order. */
static void draw_column(const chart_curve *self, const frame *in, size_t begin, size_t end, pen *with) {
    size_t low = begin, high = begin;
    for (size_t i = begin; i < end; i++) {
        if (self->y[i] < self->y[low]) low = i;
        if (self->y[i] > self->y[high]) high = i;
    }
    const size_t first = low < high ? low : high, second = low < high ? high : low;
    pen_point(with, place_x(in, x_of(self, first)), place_y(in, self->y[first]));
    if (second != first) pen_point(with, place_x(in, x_of(self, second)), place_y(in, self->y[second]));
}

static void add_line(const chart_curve *self, const frame *in, markup *to) {
    pen with = {.to = to};
    const bool thinned = (double)self->count > 2 * (in->right - in->left), dashed = self->kind == CURVE_DASHED;
    markup_add(to, "<path class=\"%s k%zu\"%s d=\"",
               self->kind == CURVE_FAINT    ? "faint"
               : in->right - in->left < 200 ? "line thin"
                                            : "line",
               self->colour % PICTURE_COLOURS, dashed || self->colour >= PICTURE_COLOURS ? " stroke-dasharray=\"5 4\"" : "");
    for (size_t i = 0; i < self->count;) {
        if (!isfinite(self->y[i])) {
            pen_lift(&with);
            i++;
            continue;
        }
        const size_t end = thinned ? column_end(self, in, i) : i + 1;
        draw_column(self, in, i, end > i ? end : i + 1, &with);
        i = end > i ? end : i + 1;
    }
    pen_lift(&with);
    markup_add(to, "\"/>");
}

/* A point of a band every pixel: the largest `y` and the smallest `low` in its column. */
static void add_band(const chart_curve *self, const frame *in, markup *to) {
    const size_t step = 1 + (size_t)((double)self->count / fmax(in->right - in->left, 1));
    markup_add(to, "<path class=\"band f%zu\" d=\"", self->colour % PICTURE_COLOURS);
    for (int side = 0; side < 2; side++) {
        const double *values = side == 0 ? self->y : self->low;
        const size_t parts = (self->count + step - 1) / step;
        for (size_t k = 0; k < parts; k++) {
            const size_t begin = (side == 0 ? k : parts - 1 - k) * step;
            double edge = NAN;
            for (size_t i = begin; i < begin + step && i < self->count; i++)
                edge = side == 0 ? fmax(edge, values[i]) : fmin(edge, values[i]);
            if (!isfinite(edge)) continue;
            markup_add(to, "%s%.1f %.1f", side == 0 && k == 0 ? "M" : " ", place_x(in, x_of(self, begin)), place_y(in, edge));
        }
    }
    markup_add(to, "Z\"/>");
}

static void add_dots(const chart_curve *self, const frame *in, markup *to) {
    for (size_t i = 0; i < self->count; i++)
        if (isfinite(self->y[i]))
            markup_add(to, "<circle class=\"dot f%zu\" cx=\"%.1f\" cy=\"%.1f\" r=\"3\"/>", self->colour % PICTURE_COLOURS,
                       place_x(in, x_of(self, i)), place_y(in, self->y[i]));
}

static void add_curve(const chart_curve *self, const frame *in, markup *to) {
    if (self->kind == CURVE_BAND)
        add_band(self, in, to);
    else if (self->kind == CURVE_DOTS)
        add_dots(self, in, to);
    else
        add_line(self, in, to);
}

/* Neighbours with nearly the same shade are one rectangle. */
static void add_heat(const chart *self, const frame *in, markup *to) {
    enum { SHADES = 10 };
    const double width = (in->right - in->left) / (double)(self->heats ? self->heats : 1);
    for (size_t begin = 0, end; begin < self->heats; begin = end) {
        const long shade = lround(fmin(fmax(self->heat[begin], 0), 1) * SHADES);
        for (end = begin + 1; end < self->heats && lround(fmin(fmax(self->heat[end], 0), 1) * SHADES) == shade;) end++;
        if (shade == 0) continue;
        markup_add(to, "<rect class=\"heat\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" opacity=\"%.2f\"/>",
                   in->left + width * (double)begin, in->top, width * (double)(end - begin), in->bottom - in->top,
                   0.6 * (double)shade / SHADES);
    }
}

void chart_svg(const chart *self, markup *to) {
    frame in;
    chart_scales(self, &in.x, &in.y);
    in.left = label_width(&in.y);
    in.top = chart_head(self) + 8;
    in.right = self->width - 12;
    in.bottom = self->height - (self->x_label ? 38 : 22);
    markup_add(to, "<svg class=\"chart\" role=\"img\" aria-label=\"");
    markup_escaped(to, self->name ? self->name : self->title ? self->title : "", 0);
    markup_add(to, "\" x=\"%.0f\" y=\"%.0f\" width=\"%.0f\" height=\"%.0f\" viewBox=\"0 0 %.0f %.0f\">", self->x, self->y,
               self->width, self->height, self->width, self->height);
    if (self->title) {
        markup_add(to, "<text class=\"title\" x=\"0\" y=\"14\">");
        markup_escaped(to, self->title, (size_t)(self->width / TITLE_CHARACTER));
        markup_add(to, "</text>");
    }
    legend(self, self->title ? 34 : 14, to);
    add_heat(self, &in, to);
    add_axes(self, &in, to);
    for (size_t i = 0; i < self->count; i++) add_curve(&self->curves[i], &in, to);
    markup_add(to, "</svg>\n");
}
