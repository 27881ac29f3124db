/* samples.h: the series that a reader finds, one by one, on their way to a data set. */
#ifndef TL_SAMPLES_H
#define TL_SAMPLES_H

#include <tapline/dataset.h>

#include "io/text.h"
#include "read/keys.h"

/* Files are gone through twice: first the series are counted, so that their memory, which becomes the data set's, is got once and
 * is no more than the values in the file need; then they are read. */
typedef struct tl_samples {
    const tl_text *text;              /* where errors are */
    const tl_dataset *reference;      /* tl_read_cfg.reference */
    tl_missing_policy missing_policy; /* tl_read_cfg.missing_policy */
    tl_normalization normalize;       /* tl_read_cfg.normalize, which is not TL_NORMALIZE_DEFAULT */
    const tl_read_cfg *cfg;           /* all of it */
    bool regression;
    bool unlabelled; /* tl_read_cfg.unlabelled: neither labels nor targets are kept */
    bool counting;
    size_t channels;                       /* 0 until the first series is counted */
    size_t length;                         /* likewise; where lengths differ, of the series that is being read */
    bool unequal;                          /* series may differ in length */
    bool ragged;                           /* and so may what the file has of them; else they differ by missing tails only */
    size_t target_length, target_channels; /* (1) as in tl_dataset; to be set before memory is got */

    double rate;     /* steps a second; 0: no file has said it */
    char *rate_path; /* the file that did */

    size_t counted, longest; /* series, and the length of the longest */
    size_t held;             /* how many values the file has */

    double *values;  /* (room, longest or length, channels): rounded when all are there, filled in and scaled */
    size_t *lengths; /* (room) where they may differ */
    size_t series, room;
    size_t step, channel; /* of the next value of the series that is being read */
    bool grouped;         /* series have groups; to be set before memory is got */
    tl_keys group_names;
    uint32_t *groups; /* (room) */
    int32_t *labels;  /* (room, target_length) */
    double *targets;  /* (room, target_length, target_channels) */

    char **names; /* of the classes */
    size_t classes;
    bool declared; /* the names are all there are */
} tl_samples;

/* No series yet, to be read so; `where`: the place of errors. Release it in any case. */
tl_samples tl_samples_begin(const tl_text *where, const tl_read_cfg *cfg);

/* Tells the caller, in one line, of what does not keep the data from being read. */
void tl_samples_warn(const tl_samples *samples, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Counts series of one size, which have `held` values in the file. */
void tl_samples_count(tl_samples *samples, size_t series, size_t length, size_t channels, size_t held);

/* Whether a data set of so many values may be made of so many in a file: padded, or cut from one record again and again, a small
 * file could ask for any memory. */
enum { TL_MAX_TIMES = 64 };
bool tl_samples_fit(size_t values, size_t held);

/* Takes notice of how many steps a second the file that is being read has. Fails where another one, or the training set, has
 * another number. */
tl_status tl_samples_rate(tl_samples *samples, double rate, tl_error *error);

/* Ends counting: gets memory for what was counted. */
tl_status tl_samples_announce(tl_samples *samples, tl_error *error);

/* What the lines of a text that are no series begin with; how one line is counted or, then, read. */
typedef struct tl_line_reader {
    const char *comments;
    tl_status (*read)(tl_samples *samples, tl_field line, void *format, tl_error *error);
} tl_line_reader;

/* Counts the series of all lines that are to come, or reads them. */
tl_status tl_samples_lines(tl_samples *samples, tl_text *text, const tl_line_reader *reader, void *format, tl_error *error);

/* Counts them, announces and reads them. */
tl_status tl_samples_text(tl_samples *samples, tl_text *text, const tl_line_reader *reader, void *format, tl_error *error);

/* Whether a row of so many fields is a series and nothing else. */
bool tl_samples_bare(const tl_samples *samples, size_t fields);

/* A number as it is in a text; NaN where it is missing and may be. */
tl_status tl_samples_value(const tl_samples *samples, tl_field field, double *value, tl_error *error);

/* Adds the numbers that *rest begins with, at most `most`, as long as each is a plain one with the separator behind it; takes them
 * off *rest, and says how many they were. What tl_samples_number adds one by one, it adds too; this is fast. */
size_t tl_samples_numbers(tl_samples *samples, tl_field *rest, char separator, size_t maximum);

/* Adds one to the channel that is being read. */
tl_status tl_samples_number(tl_samples *samples, tl_field field, tl_error *error);

/* Ends that channel. `at`: where it began. */
tl_status tl_samples_end_channel(tl_samples *samples, const char *at, tl_error *error);

/* Adds the fields of `line`, separated by `separator` (' ': by any blanks), as the next channel of the series that is being read.
 */
tl_status tl_samples_channel(tl_samples *samples, tl_field line, char separator, tl_error *error);

/* How many those are, and how many are separated by a character. */
size_t tl_samples_count_of(tl_field line, char character);
size_t tl_samples_fields(tl_field line, char separator);

/* All channels at once: where the (length, channels) numbers are to be filled in. NULL on failure, where these are not those of the
 * first series. */
double *tl_samples_row(tl_samples *samples, size_t length, size_t channels, tl_error *error);

/* Fails: there are other series than were counted. */
tl_status tl_samples_changed(const tl_samples *samples, tl_error *error);

/* Ends the series that was being read: its label, or target value. */
tl_status tl_samples_end(tl_samples *samples, tl_field label, tl_error *error);

/* The label of a step of a series of tl_samples_row; step 0: of the series, where it has one. */
tl_status tl_samples_label(tl_samples *samples, size_t step, tl_field label, tl_error *error);

/* In a regression: where the (target_length, target_channels) values of that series are to be filled in. */
double *tl_samples_targets(const tl_samples *samples);

/* Ends that series, whose labels or values are there; `at`: where it ends, in a text. */
tl_status tl_samples_keep(tl_samples *samples, const char *at, tl_error *error);

/* In a regression: the target value of this number of the series that is being read. */
tl_status tl_samples_target(tl_samples *samples, size_t index, tl_field field, tl_error *error);

/* The group of the series that is being read. */
tl_status tl_samples_group(tl_samples *samples, tl_field name, tl_error *error);

/* Adds a class to those that are declared. */
tl_status tl_samples_declare(tl_samples *samples, tl_field name, tl_error *error);

/* The data set of all series, whose classes are those declared, or sorted. NULL on failure. */
tl_dataset *tl_samples_finish(tl_samples *samples, tl_error *error);

void tl_samples_release(tl_samples *samples);

/* What readers of text have in common: the data set of the series that `fill` adds. */
tl_dataset *tl_read_text(const char *path, const tl_read_cfg *cfg,
                         tl_status (*fill)(tl_samples *samples, tl_text *text, tl_error *error), tl_error *error);

#endif
