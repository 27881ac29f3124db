/* long.h: tables with one step of a series in each line. */
#ifndef TL_LONG_H
#define TL_LONG_H

#include "read/columns.h"
#include "read/samples.h"

/* Reads all remaining lines. Lines with the same text in the series column are one series, in the order of their times if there is
 * such a column, else of the lines; values are channels. The label or target values must be the same in all lines of a series,
 * unless it will be cut into windows: then each step has its own. */
tl_status tl_long_read(tl_samples *samples, tl_text *text, const tl_columns *columns, char separator, tl_error *error);

#endif
