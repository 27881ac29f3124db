/* time.h: times of steps. */
#ifndef TL_TIME_H
#define TL_TIME_H

#include "io/text.h"

/* Reads all of a field as a time: a number; or 2024-01-31, 2024-01-31 12:00, 2024-01-31T12:00:00.5, as seconds since 1970. */
bool tl_field_time(const tl_text *text, tl_field field, double *time);

#endif
