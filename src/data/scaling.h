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
} tl_series;

/* Scales each channel of each series by its own statistics: TL_NORMALIZE_SERIES. */
void tl_scale_each(const tl_series *series);

/* Scales all series by the statistics of `reference`, or by their own (NULL): TL_NORMALIZE_SET. *scaling: [IN, OUT] their scaling,
 * which before must be of the same kind or none. */
tl_status tl_scale_set(const tl_series *series, const tl_scaling *reference, tl_scaling *scaling, tl_error *error);

#endif
