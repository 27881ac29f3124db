/* fixed_filters.h: the filters themselves, for those who write them elsewhere. */
#ifndef TL_FIXED_FILTERS_H
#define TL_FIXED_FILTERS_H

#include <tapline/base.h>

enum { TL_FIXED_FILTERS = 17, TL_FIXED_TAPS = 96 };

/* Writes the taps of a filter, which are the same for each channel, and returns how many there are. Each filter is padded as
 * TL_PADDING_SAME pads it: by (taps - 1) / 2 steps on the left. */
size_t tl_fixed_filter(size_t filter, tl_real taps[TL_FIXED_TAPS]);

#endif
