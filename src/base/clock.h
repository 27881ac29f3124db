/* clock.h: elapsed time. */
#ifndef TL_CLOCK_H
#define TL_CLOCK_H

#include <tapline/base.h>

/* Returns the seconds of a clock that never goes backward. */
double tl_seconds(void);

#endif
