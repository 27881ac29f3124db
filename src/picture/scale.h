/* scale.h: the scale of an axis, with ticks at round numbers. */
#ifndef PICTURE_SCALE_H
#define PICTURE_SCALE_H

#include <stdbool.h>
#include <stddef.h>

typedef struct scale {
    double from, to;  /* from < to */
    double step;      /* between ticks; logarithmic: not used */
    bool logarithmic; /* from > 0 */
} scale;

enum { SCALE_TICKS = 16, SCALE_LABEL = 32 };

/* Returns a scale that contains `minimum` … `maximum`, with at most about `ticks` ticks. `round`: it ends at ticks. A logarithmic
 * scale becomes a linear one if `minimum` is not positive. */
scale scale_make(double minimum, double maximum, size_t ticks, bool logarithmic, bool round);

/* Returns the place of a value on the axis: 0 at `from`, 1 at `to`. */
double scale_place(const scale *self, double value);

/* Writes the ticks inside the scale in ascending order, and returns their number. */
size_t scale_ticks(const scale *self, double at[SCALE_TICKS]);

/* Writes the label of a tick: "0.25", "1e-5". */
void scale_label(const scale *self, double at, char text[SCALE_LABEL]);

#endif
