/* scaling.h: how series were scaled (tl_scaling). */
#ifndef TL_BASE_SCALING_H
#define TL_BASE_SCALING_H

#include <tapline/dataset.h>

/* Room for the statistics of so many channels, whose deviation is 1: TL_NORMALIZE_SET. Free it with tl_scaling_free. */
tl_status tl_scaling_begin(tl_scaling *self, size_t channels, tl_error *error);

/* A copy, of so many channels. */
tl_status tl_scaling_copy(const tl_scaling *from, size_t channels, tl_scaling *to, tl_error *error);

/* Whether both do the same to so many channels. */
bool tl_scaling_same(const tl_scaling *a, const tl_scaling *b, size_t channels);

/* A number of a channel as it is scaled (NULL, or without statistics: as it is), and back. */
static inline double tl_scaled(const tl_scaling *self, size_t channel, double value) {
    return self && self->mean ? (value - self->mean[channel]) / self->deviation[channel] : value;
}
static inline double tl_unscaled(const tl_scaling *self, size_t channel, double scaled) {
    return self && self->mean ? scaled * self->deviation[channel] + self->mean[channel] : scaled;
}

#endif
