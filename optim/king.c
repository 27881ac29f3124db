/* Decides whether a series of losses still falls: King 2018, "Automatic learning rate scheduling that really works", the rule of
 * dlib. */
#include "optim/optim.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The 0.51 quantile of the standard normal distribution: losses are taken to fall if the probability of falling is at least
 * 0.51. */
static const double quantile_51 = 0.025068908258711;

/* Returns whether the slope of the line through the values up to `maximum`, in their order, is negative with a probability below
 * 0.51. The slope of a least-squares line through n points with residual variance v has the variance 12 v / (n³ - n). */
static bool not_falling(const double *loss, size_t count, double maximum) {
    double n = 0, sum_x = 0, sum_y = 0;
    for (size_t i = 0; i < count; i++)
        if (loss[i] <= maximum) sum_x += n++, sum_y += loss[i];
    const double mean_x = sum_x / n, mean_y = sum_y / n;
    double x = 0, xx = 0, xy = 0, yy = 0;
    for (size_t i = 0; i < count; i++) {
        if (loss[i] > maximum) continue;
        const double dx = x++ - mean_x, dy = loss[i] - mean_y;
        xx += dx * dx, xy += dx * dy, yy += dy * dy;
    }
    const double slope = xy / xx, residual = fmax(0, yy - slope * xy) / (n - 2);
    return !(-slope > quantile_51 * sqrt(12 * residual / (n * n * n - n)));
}

static int by_value(const void *a, const void *b) {
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

bool tl_king_stalled(const double *loss, size_t count) {
    double sorted[TL_SCHEDULE_LOSSES];
    if (!not_falling(loss, count, INFINITY)) return false;
    memcpy(sorted, loss, count * sizeof *sorted);
    qsort(sorted, count, sizeof *sorted, by_value);
    return not_falling(loss, count, sorted[count - 1 - count / 10]);
}
