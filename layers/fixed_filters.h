/* fixed_filters.h: the filters, for code that writes them to other formats. */
#ifndef TL_FIXED_FILTERS_H
#define TL_FIXED_FILTERS_H

#include <tapline/base.h>

enum { TL_FIXED_FILTERS = 17, TL_FIXED_TAPS = 96 };

/* Writes the taps of a filter, which are the same for each channel, and returns their number. Each filter is padded as by
 * TL_PADDING_SAME: (taps - 1) / 2 steps on the left. */
size_t tl_fixed_filter(size_t filter, tl_real taps[TL_FIXED_TAPS]);

#endif
