/* scaling.h: scales series (tl_scaling). */
#ifndef TL_SCALING_H
#define TL_SCALING_H

#include <tapline/dataset.h>

/* Returns the scaling for the requested kind and a reference data set (NULL: none). Fails if the two contradict each other. */
tl_status tl_scaling_resolve(tl_normalization asked, const tl_dataset *reference, tl_normalization *kind, tl_error *error);

/* The numbers of series: before rounding, or in a data set. */
typedef struct tl_series {
    double *wide; /* (count, length, channels) in double; NULL: the numbers are in `narrow` */
    tl_real *narrow;
    const size_t *lengths; /* (count) steps of each series that are data; NULL: all */
    size_t count, length, channels;
    tl_real *const *to; /* (count) where each series, whose numbers are `wide`, is written and rounded; NULL: scaled in place */
} tl_series;

/* Scales each channel of each series by its own statistics: TL_NORMALIZE_SERIES. */
void tl_scale_each(const tl_series *series);

/* How each channel is changed: x becomes (x - shift) / scale. Release it after use. */
typedef struct tl_rescaling {
    double *shift, *scale; /* (channels) */
} tl_rescaling;

tl_status tl_rescaling_begin(tl_rescaling *self, size_t channels, tl_error *error);
void tl_rescaling_release(tl_rescaling *self);

/* Restores the values before TL_NORMALIZE_SET. */
void tl_rescaling_undo(tl_rescaling *self, const tl_scaling *scaling, size_t channels);

void tl_scale_by(const tl_series *series, const tl_rescaling *by);

/* Series that are read one after the other. `read` writes number `i` to `to`: (length, channels) [OUT], in double. */
typedef struct tl_series_reader {
    tl_status (*read)(void *self, size_t i, double *to, tl_error *error);
    void *self;
    const size_t *lengths; /* (count), as in tl_series */
    size_t count, length, channels;
} tl_series_reader;

/* Finds how series that were scaled as `before` (not at all, or TL_NORMALIZE_SET) are scaled by the statistics of `reference`, or
 * by their own (NULL): *after [OUT] is then their scaling, which has the kind TL_NORMALIZE_SET, and *by [OUT] the change. For their
 * own statistics, all series are read three times. On failure both are empty. */
tl_status tl_scaling_find(const tl_series_reader *reader, const tl_scaling *before, const tl_scaling *reference, tl_scaling *after,
                          tl_rescaling *by, tl_error *error);

/* Scales all series by the statistics of `reference`, or by their own (NULL): TL_NORMALIZE_SET. *scaling: [IN, OUT] their scaling,
 * which before must be of the same kind or none. */
tl_status tl_scale_set(const tl_series *series, const tl_scaling *reference, tl_scaling *scaling, tl_error *error);

#endif
