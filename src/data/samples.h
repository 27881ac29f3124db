/* samples.h: the series that a reader finds, one by one, on their way to a data set. */
#ifndef TL_SAMPLES_H
#define TL_SAMPLES_H

#include <tapline/dataset.h>

#include "data/text.h"

typedef struct tl_samples {
    const tl_text *text;
    const tl_dataset *like; /* tl_read_cfg.like */
    bool regression;
    size_t channels; /* 0 until the first series is complete */
    size_t length;   /* 0 until its first channel is */

    tl_real *row; /* the series that is being read: (channels, length), channel after channel */
    size_t row_count, row_room;
    size_t row_channels; /* complete ones */

    tl_real *values; /* (series, length, channels) */
    size_t series, series_room;
    int32_t *labels;
    tl_real *targets;

    char **names; /* of the classes */
    size_t classes, classes_room;
    bool declared; /* the names are all there are */
} tl_samples;

/* Adds the fields of `line`, separated by `separator` (' ': by any blanks), as the next channel of the series that is being read.
 */
tl_status tl_samples_channel(tl_samples *samples, tl_field line, char separator, tl_error *error);

/* Ends the series that was being read: its label, or target value. */
tl_status tl_samples_end(tl_samples *samples, tl_field label, tl_error *error);

/* Adds a class to those that are declared. */
tl_status tl_samples_declare(tl_samples *samples, tl_field name, tl_error *error);

/* The data set of all series, whose classes are those declared, or sorted. NULL on failure. */
tl_dataset *tl_samples_finish(tl_samples *samples, tl_error *error);

void tl_samples_release(tl_samples *samples);

#endif
