/* time.h: times of steps. */
#ifndef TL_TIME_H
#define TL_TIME_H

#include "read/samples.h"

/* Reads all of a field as a time: a number; or 2024-01-31, 2024-01-31 12:00, 2024-01-31T12:00:00.5, as seconds since 1970. */
bool tl_field_time(const tl_text *text, tl_field field, double *time);

/* The times of the steps of a series. */
typedef struct tl_times {
    double first, last, widest; /* widest: the longest time between two steps */
    size_t steps;
} tl_times;

/* Adds the time of the next step. */
void tl_times_add(tl_times *times, double time);

/* Returns whether one time between two steps is much longer than their mean: steps are missing or irregular. */
bool tl_times_uneven(const tl_times *times);

/* Warns of it, with the name of the series. */
void tl_times_warn(const tl_times *times, const tl_samples *samples, const char *name);

#endif
