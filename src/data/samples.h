/* samples.h: the series that a reader finds, one by one, on their way to a data set. */
#ifndef TL_SAMPLES_H
#define TL_SAMPLES_H

#include <tapline/dataset.h>

#include "data/text.h"

typedef struct tl_samples {
    const tl_text *text;    /* where errors are */
    const tl_dataset *like; /* tl_read_cfg.like */
    bool regression;
    size_t channels; /* 0 until the first series is complete */
    size_t length;   /* 0 until its first channel is */
    bool unequal;    /* series may differ in length: `length` is that of the series that is being read */
    size_t *lengths; /* (series_room) where they may */
    size_t stored;   /* values of all series, one behind the other, where they may */
    size_t stored_room;

    tl_real *row; /* the series that is being read: (channels, length), channel after channel */
    size_t row_count, row_room;
    size_t row_channels; /* complete ones */

    tl_real *values; /* (series, length, channels) */
    size_t series, series_room;
    bool announced; /* series_room is how many there will be at most */
    size_t lines;   /* of a text with at most one series a line; 0: not known */
    int32_t *labels;
    tl_real *targets;

    char **names; /* of the classes */
    size_t classes, classes_room;
    bool declared; /* the names are all there are */
} tl_samples;

/* Says how many series there will be, and of which size: their memory is then got at once and becomes the data set's. Who does not
 * know leaves it out. */
tl_status tl_samples_announce(tl_samples *samples, size_t series, size_t length, size_t channels, tl_error *error);

/* Adds a number to the channel that is being read. */
tl_status tl_samples_number(tl_samples *samples, tl_field field, tl_error *error);

/* Ends that channel. `at`: where it began. */
tl_status tl_samples_end_channel(tl_samples *samples, const char *at, tl_error *error);

/* Adds the fields of `line`, separated by `separator` (' ': by any blanks), as the next channel of the series that is being read.
 */
tl_status tl_samples_channel(tl_samples *samples, tl_field line, char separator, tl_error *error);

/* All channels at once: room for (channels, length) numbers, to be filled in. NULL on failure, where the length is not that of the
 * first series. */
tl_real *tl_samples_row(tl_samples *samples, size_t channels, size_t length, tl_error *error);

/* Ends the series that was being read: its label, or target value. */
tl_status tl_samples_end(tl_samples *samples, tl_field label, tl_error *error);

/* Ends it in a regression, with a target value that is a number already. */
tl_status tl_samples_end_value(tl_samples *samples, double target, tl_error *error);

/* Adds a class to those that are declared. */
tl_status tl_samples_declare(tl_samples *samples, tl_field name, tl_error *error);

/* The data set of all series, whose classes are those declared, or sorted. NULL on failure. */
tl_dataset *tl_samples_finish(tl_samples *samples, tl_error *error);

void tl_samples_release(tl_samples *samples);

#endif
