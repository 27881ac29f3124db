/* glance.h: a data set at a glance: the series of each class with their mean and spread. Compiled once for each precision
 * (commands.h). */
#ifndef CLI_GLANCE_H
#define CLI_GLANCE_H

#include "cli/commands.h"
#include "picture/terminal.h"

#include <tapline/dataset.h>

#include <jansson.h>

enum {
    GLANCE_GROUPS = 12,  /* classes that are shown: the largest ones */
    GLANCE_EXAMPLES = 3, /* series of each class */
    GLANCE_CHANNELS = 3,
    GLANCE_PANELS = 24, /* of groups and channels, at most */
    GLANCE_POINTS = 250 /* of a curve; longer series are thinned */
};

/* A class; of a regression, a quarter of the series by the size of their target; else all series. */
typedef struct glance_group {
    char name[200];
    size_t series;
    size_t examples, example[GLANCE_EXAMPLES]; /* indices of series */
    double *mean, *low,
        *high; /* (channels shown, points) mean, and mean ∓ standard deviation, over the series and the steps of a point */
} glance_group;

/* What is shown of a data set. */
typedef struct glance {
    const tl_dataset *data;
    size_t first, channels; /* the first channel that is shown, and their number */
    size_t count, all;      /* groups that are shown, and all groups */
    glance_group group[GLANCE_GROUPS];
    size_t points;
    double *x;                                 /* (points) the middle step of each point */
    double minimum, maximum;                   /* of what is shown */
    size_t shortest, median, longest;          /* steps of the series */
    double smallest, largest, mean, deviation; /* of all values */
} glance;

/* Summarises a data set, which must exist as long as the result; channel: from 1, 0: the first ones. Fails if memory is short. Free
 * it with glance_free in any case. */
void IN_PRECISION(glance_make)(glance *self, const tl_dataset *data, size_t channel, tl_error *error);
void glance_free(glance *self);

/* Returns the number of classes or quarters that are not shown as a text, such as "12 of 1,000 classes, the largest"; "": all are.
 */
const char *glance_left_out(const glance *self, char text[100]);

void IN_PRECISION(glance_print)(const glance *self, const terminal *kind, FILE *to);
json_t *glance_json(const glance *self);

/* Add an SVG file, or tiles of a page. */
void IN_PRECISION(glance_svg)(const glance *self, const char *title, markup *to);
void IN_PRECISION(glance_html)(const glance *self, markup *to);

/* Writes the points of a series to x and y: (2 · GLANCE_POINTS), thinned: of steps that share a point, the smallest and the largest
 * value. Returns their number. */
size_t IN_PRECISION(glance_series)(const tl_dataset *data, size_t series, size_t channel, double *x, double *y);

#endif
