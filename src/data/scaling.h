/* scaling.h: how series are brought to one scale (tl_scaling). */
#ifndef TL_SCALING_H
#define TL_SCALING_H

#include <tapline/dataset.h>

/* How data that is to be scaled so, like a data set (NULL: none), is scaled. Fails where the two contradict each other. */
tl_status tl_scaling_resolve(tl_normalization asked, const tl_dataset *reference, tl_normalization *kind, tl_error *error);

/* Numbers of series, before they are rounded or as a data set has them. */
typedef struct tl_series {
    double *wide; /* (count, length, channels); NULL: `narrow` */
    tl_real *narrow;
    const size_t *lengths; /* (count) of each that count; NULL: all */
    size_t count, length, channels;
} tl_series;

/* Scales each channel of each of them by itself: TL_NORMALIZE_SERIES. */
void tl_scale_each(const tl_series *series);

/* Scales them as `reference` says, NULL: by their own mean and deviation: TL_NORMALIZE_SET. *scaling: how they are scaled before
 * it, of the same kind or none, and after it. */
tl_status tl_scale_set(const tl_series *series, const tl_scaling *reference, tl_scaling *scaling, tl_error *error);

#endif
