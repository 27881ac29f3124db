/* samples.h: collects the series that a reader finds, one by one, and makes a data set of them. */
#ifndef TL_SAMPLES_H
#define TL_SAMPLES_H

#include <tapline/dataset.h>

#include "io/source.h"
#include "read/keys.h"
#include "read/stored.h"

/* Files are read twice. The first pass counts the series, so that their memory, which becomes the data set's, is allocated once and
 * is not larger than the values in the file need. The second pass reads them. */
typedef struct tl_samples {
    const tl_text *text;              /* the place for error messages */
    const tl_dataset *reference;      /* tl_read_cfg.reference */
    tl_missing_policy missing_policy; /* tl_read_cfg.missing_policy */
    tl_normalization normalize;       /* tl_read_cfg.normalize, which is not TL_NORMALIZE_DEFAULT */
    const tl_read_cfg *cfg;           /* the whole configuration */
    bool regression;
    bool unlabelled; /* tl_read_cfg.unlabelled: labels and targets are ignored */
    bool counting;
    bool unequal;  /* series may have different lengths */
    bool ragged;   /* also in the file; otherwise they differ only by missing values at the end */
    bool declared; /* there are no other classes */
    /* set before memory is allocated: */
    bool together;                         /* the values of several series are read at the same time */
    bool grouped;                          /* series have groups */
    bool by_batch;                         /* series stay in the file (tl_read_cfg.by_batch) */
    size_t left;                           /* bytes up to the limit, if one series is in memory at a time */
    bool single;                           /* `values` has room for one series only: by_batch, or tl_read_cfg.each takes them */
    bool reals;                            /* the numbers of the file are tl_real */
    tl_stored *stored;                     /* how to read series that may stay in the file; NULL: they may not */
    size_t target_length, target_channels; /* (1) as in tl_dataset */

    size_t channels; /* 0 before the first series is counted */
    size_t length;   /* the same; if lengths differ, that of the current series */

    double rate;     /* steps per second; 0: not known */
    char *rate_path; /* the file that gave it; NULL: none did */

    size_t counted, longest; /* number of series, and the longest length */
    size_t held;             /* number of values in the file */

    double *values;      /* (room, longest or length, channels): rounded after all are read, replaced and scaled */
    tl_real *reals_kept; /* (room, length, channels): in their place, if `reals` and nothing changes them */
    size_t *lengths;     /* (room) if they may differ */
    size_t series, room;
    size_t step, channel; /* of the next value of the current series */
    tl_keys group_names;
    uint32_t *groups; /* (room) */
    int32_t *labels;  /* (room, target_length) */
    double *targets;  /* (room, target_length, target_channels) */

    char **names; /* names of the classes */
    size_t classes;

    char *headings, *headings_path; /* of the first file with headings, each on a line; NULL: none */

    bool lenient;           /* labels that the training set does not know are left out (tl_read_cfg.keep_labels) */
    bool incomplete;        /* there is such a label */
    bool needless;          /* labels are names of folders or kinds of beats, which need not be classes */
    size_t unknown;         /* number of labels that are not classes of the training set */
    char first_unknown[64]; /* the first of them; longer ones are cut off */
} tl_samples;

/* The end of a message that labels are missing in data for a model. */
#define TL_ONLY_PREDICT "; series without labels can only be predicted (`tapline predict`, tl_read_cfg.unlabelled)"

/* Begins without series. `where`: the place for error messages. Release it in any case. */
tl_samples tl_samples_begin(const tl_text *where, const tl_read_cfg *cfg);

/* Warns the caller, in one line, of something that does not prevent reading. */
void tl_samples_warn(const tl_samples *samples, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Counts series of one size, for which the file has `held` values. */
void tl_samples_count(tl_samples *samples, size_t series, size_t length, size_t channels, size_t held);

/* Returns whether a data set may have so many values if the file has only so many: with padding, or with overlapping parts of a
 * record, a small file could demand any memory. */
enum { TL_MAX_TIMES = 64 };
bool tl_samples_fit(size_t values, size_t held);

/* Records the steps per second of the current file. Fails if another file, or the training set, has a different number. */
tl_status tl_samples_rate(tl_samples *samples, double rate, tl_error *error);

/* Ends counting and allocates memory for the counted series. */
tl_status tl_samples_announce(tl_samples *samples, tl_error *error);

/* The first characters of lines that are not series, and how to count or read a line. */
typedef struct tl_line_reader {
    const char *comments;
    tl_status (*read)(tl_samples *samples, tl_field line, void *format, tl_error *error);
} tl_line_reader;

/* Counts, or reads, the series of all remaining lines. */
tl_status tl_samples_lines(tl_samples *samples, tl_text *text, const tl_line_reader *reader, void *format, tl_error *error);

/* Counts them, allocates memory and reads them. */
tl_status tl_samples_text(tl_samples *samples, tl_text *text, const tl_line_reader *reader, void *format, tl_error *error);

/* Reads a number of a text; NaN if it is missing and missing values are allowed. */
tl_status tl_samples_value(const tl_samples *samples, tl_field field, double *value, tl_error *error);

/* Fast version of tl_samples_number for the numbers at the beginning of *rest, at most `maximum`: adds them as long as each is a
 * plain number with the separator after it, removes them from *rest, and returns how many they were. */
size_t tl_samples_numbers(tl_samples *samples, tl_field *rest, char separator, size_t maximum);

/* Adds a number to the current channel. */
tl_status tl_samples_number(tl_samples *samples, tl_field field, tl_error *error);

/* Ends the current channel. `at`: where it began. */
tl_status tl_samples_end_channel(tl_samples *samples, const char *at, tl_error *error);

/* Adds the fields of `line`, separated by `separator` (' ': by any blanks), as the next channel of the current series.
 */
tl_status tl_samples_channel(tl_samples *samples, tl_field line, char separator, tl_error *error);

/* Returns the number of these fields, and the number of fields that a character separates. */
size_t tl_samples_count_of(tl_field line, char character);
size_t tl_samples_fields(tl_field line, char separator);

/* For all channels at once: returns the memory for the (length, channels) numbers. NULL on failure, if these sizes differ from
 * those of the first series. */
double *tl_samples_row(tl_samples *samples, size_t length, size_t channels, tl_error *error);

/* The same for numbers that follow each other in a binary file: begins a series, and reads `count` numbers of it, from number
 * `first` on. */
tl_status tl_samples_begin_row(tl_samples *samples, size_t length, size_t channels, tl_error *error);
tl_status tl_samples_read(const tl_samples *samples, tl_source *source, const tl_number_type *type, size_t first, size_t count,
                          tl_error *error);

/* Fails because the file has other series than were counted. */
tl_status tl_samples_changed(const tl_samples *samples, tl_error *error);

/* Returns whether a label that is not needed is a class of the training set, or says that there is no label. */
bool tl_samples_knows(const tl_samples *samples, tl_field label);

/* Counts a label that is not needed and not known; a warning at the end says so. */
void tl_samples_ignore(tl_samples *samples, tl_field label);

/* Ends the current series with its label or target value. */
tl_status tl_samples_end(tl_samples *samples, tl_field label, tl_error *error);

/* Sets the label of a step of the current series; step 0 if the series has one label. */
tl_status tl_samples_label(tl_samples *samples, size_t step, tl_field label, tl_error *error);

/* In a regression: returns the memory for the (target_length, target_channels) values of the current series. */
double *tl_samples_targets(const tl_samples *samples);

/* Ends the current series after its labels or values were set; `at`: its end in a text. */
tl_status tl_samples_keep(tl_samples *samples, const char *at, tl_error *error);

/* In a regression: sets the target value with this index of the current series. */
tl_status tl_samples_target(tl_samples *samples, size_t index, tl_field field, tl_error *error);

/* Sets the group of the current series. */
tl_status tl_samples_group(tl_samples *samples, tl_field name, tl_error *error);

/* Adds a declared class. */
tl_status tl_samples_declare(tl_samples *samples, tl_field name, tl_error *error);

/* Returns the data set of all series. Classes are in declared order, or sorted. NULL on failure. */
tl_dataset *tl_samples_finish(tl_samples *samples, tl_error *error);

void tl_samples_release(tl_samples *samples);

/* Common part of the readers of text: returns the data set of the series that `fill` adds. */
tl_dataset *tl_read_text(const char *path, const tl_read_cfg *cfg,
                         tl_status (*fill)(tl_samples *samples, tl_text *text, tl_error *error), tl_error *error);

#endif
