/* scaling.h: the scaling of series (tl_scaling). */
#ifndef TL_BASE_SCALING_H
#define TL_BASE_SCALING_H

#include <tapline/dataset.h>

/* Allocates the statistics of `channels` channels for TL_NORMALIZE_SET, with mean 0 and deviation 1. Free them with
 * tl_scaling_free. */
tl_status tl_scaling_begin(tl_scaling *self, size_t channels, tl_error *error);

/* Copies the scaling of `channels` channels. Free the copy with tl_scaling_free. */
tl_status tl_scaling_copy(const tl_scaling *from, size_t channels, tl_scaling *to, tl_error *error);

/* Returns whether both scale `channels` channels in the same way. */
bool tl_scaling_same(const tl_scaling *a, const tl_scaling *b, size_t channels);

/* Scales a number of a channel (NULL or no statistics: unchanged), and the inverse. */
static inline double tl_scaled(const tl_scaling *self, size_t channel, double value) {
    return self && self->mean ? (value - self->mean[channel]) / self->deviation[channel] : value;
}
static inline double tl_unscaled(const tl_scaling *self, size_t channel, double scaled) {
    return self && self->mean ? scaled * self->deviation[channel] + self->mean[channel] : scaled;
}

#endif
