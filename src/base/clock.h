/* clock.h: elapsed time. */
#ifndef TL_CLOCK_H
#define TL_CLOCK_H

#include <tapline/base.h>

/* Seconds on a clock that only goes forward. */
double tl_seconds(void);

#endif
