/* time.h: times of steps. */
#ifndef TL_TIME_H
#define TL_TIME_H

#include "io/text.h"

/* Reads all of a field as a time: a number; or 2024-01-31, 2024-01-31 12:00, 2024-01-31T12:00:00.5, as seconds since 1970. */
bool tl_field_time(const tl_text *text, tl_field field, double *time);

/* The times of the steps of a series. */
typedef struct tl_times {
    double first, last, widest; /* widest: the longest time between two steps */
    size_t steps;
} tl_times;

/* Adds the time of the next step. */
void tl_times_add(tl_times *times, double time);

/* Returns the mean time between two steps if one is much longer, so that steps are missing or irregular; otherwise 0. */
double tl_times_uneven(const tl_times *times);

/* What a warning of uneven times says of a file, a series, and the longest and the mean time between its steps. */
#define TL_UNEVEN                                                                                                                  \
    "%.120s: the steps of %.60s are up to %g apart in time, and %g on average, but networks take steps as evenly spaced; "         \
    "resample the series, or add the missing steps without values (--missing interpolate)"

#endif
