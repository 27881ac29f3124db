/* chart.h: a chart of curves: as SVG, or with the characters of a terminal (terminal.h). */
#ifndef PICTURE_CHART_H
#define PICTURE_CHART_H

#include "picture/markup.h"
#include "picture/scale.h"

typedef enum curve_kind {
    CURVE_LINE = 0,
    CURVE_DASHED,
    CURVE_FAINT, /* thin and pale, behind others */
    CURVE_BAND,  /* the area between `y` and `low` */
    CURVE_DOTS
} curve_kind;

typedef struct chart_curve {
    const char *name;  /* in the legend; NULL: not there */
    const double *x;   /* (count) ascending, but of dots any; NULL: 0, 1, 2 … */
    const double *y;   /* (count) not finite: a gap */
    const double *low; /* CURVE_BAND: (count) */
    size_t count;
    size_t colour; /* from 0; after PICTURE_COLOURS of them, lines are dashed */
    curve_kind kind;
} chart_curve;

enum {
    PICTURE_COLOURS = 7
}; /* those of Okabe & Ito 2008, which colour-blind people can tell apart, without yellow; grey is last */

typedef struct chart {
    const char *name;            /* for those who cannot see it; NULL: the title */
    const char *title, *x_label; /* NULL: none */
    const chart_curve *curves;
    size_t count;
    double y_from, y_to; /* both 0: those of the curves, rounded */
    bool logarithmic;    /* the y axis, if all y are positive */
    const double *heat;  /* (heats) 0 … 1: shades behind the curves, each as wide as the others; NULL: none */
    size_t heats;
    double x, y;          /* SVG: place in an outer <svg> */
    double width, height; /* SVG: of the whole chart, in pixels */
} chart;

/* Computes the scales of a chart. */
void chart_scales(const chart *self, scale *x, scale *y);

/* Adds the chart as an element <svg>, which needs picture_style. Curves with more points than pixels are thinned: each column of
 * pixels keeps its smallest and its largest value. */
void chart_svg(const chart *self, markup *to);

/* Returns the height of the title and the legend of such a chart. */
double chart_head(const chart *self);

/* Adds the rules of CSS for the charts, for light and dark; print is always light. */
void picture_style(markup *to);

/* Begin and end an SVG file of that size in pixels. */
void picture_begin(markup *to, double width, double height);
void picture_end(markup *to);

#endif
