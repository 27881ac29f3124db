/* long.h: tables with a step of a series a line. */
#ifndef TL_LONG_H
#define TL_LONG_H

#include "read/columns.h"
#include "read/samples.h"

/* Reads all lines that are to come: those that the column of the series has the same name for are one series, in the order of their
 * times, where there is such a column, else of the lines; values are channels. The label, or target values, are the same in all
 * lines of a series, unless it is to be cut into windows: then each step has its own. */
tl_status tl_long_read(tl_samples *samples, tl_text *text, const tl_columns *columns, char separator, tl_error *error);

#endif
