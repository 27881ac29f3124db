/* train.h: `tapline train` between its sources. */
#ifndef CLI_TRAIN_H
#define CLI_TRAIN_H

#include "cli/architecture.h"
#include "cli/reading.h"

#include <tapline/csv_log.h>
#include <tapline/find_learning_rate.h>
#include <tapline/train.h>

#include <jansson.h>

typedef struct train_settings {
    common_settings common;                                                /* operand 0: the data */
    const char *test, *architecture, *optimizer, *schedule, *engine, *log; /* architecture NULL: that of `init`, else fcn */
    const char *out, *checkpoint, *resume;                                 /* NULL: none */
    const char *validation, *init;                                         /* likewise */
    const char *watch;                                                     /* NULL: the library's default */
    double checkpoint_every;                                               /* 0: the library's default */
    const char *loss;                                                      /* NULL: as the data asks */
    const char *missing;                                                   /* of values */
    const char *normalize;                                                 /* NULL: the library's default */
    int64_t epochs, batch, accumulate, seed;                               /* epochs and batch 0: the architecture's */
    int64_t members;                                                       /* 0: the architecture's */
    int64_t folds, fold, give_up;      /* 0: no validation, the first (OPTION_ALL: each), never */
    double crop, scale, jitter, mixup; /* 0: none */
    reading_settings reading;
    int64_t segment;                                      /* of records of PhysioNet; 0: the library's default */
    int64_t warmup, patience, period;                     /* of the schedule; 0: the library's defaults */
    double factor, min_rate;                              /* likewise */
    double learning_rate, momentum, l1, clip, clip_value; /* 0: the library's defaults */
    double weight_decay;                                  /* NAN: the library's default */
    double label_smoothing;
    bool nesterov, balance, raw, unequal, quiet, find_rate, freeze;
} train_settings;

int train_f32(const void *settings);
int train_f64(const void *settings);

/* ---- warnings: a line each on stderr, which names the cure ---- */

/* Of one class, or far more of one than of others; of series that are all constant once they are scaled. */
void IN_PRECISION(warn_of_data)(const train_settings *settings, const tl_dataset *data);

/* Of a class that a fold lacks; `part` begins the line. */
void IN_PRECISION(warn_of_fold)(const train_settings *settings, const char *part, const tl_dataset *data,
                                const tl_dataset *validation);

/* Of a training accuracy that is lower, by more than chance, than what was seen in the epoch that is kept. */
void IN_PRECISION(warn_of_training)(const train_settings *settings, const char *part, const tl_dataset *data,
                                    const tl_fit_result *fit, const tl_metrics *metrics);

/* ---- cross-validation ---- */

/* What training on all folds but one led to. */
typedef struct fold_result {
    size_t fold;     /* from 0 */
    size_t held_out; /* series */
    tl_fit_result fit;
    tl_metrics train, validation, test; /* report_no_metrics: not evaluated */
} fold_result;

/* The means over the folds, of each metric over those where it is defined; of fit, sums of epochs, steps and seconds. */
fold_result folds_mean(const fold_result *folds, size_t count);

/* Adds "folds", a list, "deviation", of the folds from their mean, of each metric, and "undefined", in how many folds a metric is.
 */
void folds_as_json(const fold_result *folds, size_t count, bool tested, bool regression, json_t *object);

/* A line for each fold, then mean and deviation of what was held out and, where `tested`, of the test set. */
void folds_as_text(const fold_result *folds, size_t count, size_t tested, bool regression);

/* ---- the learning-rate finder ---- */

void rates_as_json(const tl_rate_curve *curve, json_t *object);
void rates_as_text(const tl_rate_curve *curve, bool interrupted);

/* ---- progress ---- */

/* The callback of tl_fit: progress on stderr, the log, and stopping at a signal. It knows no tl_real. */
typedef struct progress {
    const char *command;
    size_t series, batch; /* in the training set, in a batch */
    bool quiet, terminal;
    double drawn;          /* the seconds at which the bar was drawn, or a line printed, last; -INFINITY: not yet */
    tl_metrics validation; /* of the epoch before; loss NAN: none */
    tl_csv_log *log;       /* NULL: none */
    bool log_failed;
    bool regression;
    size_t member, members; /* which of how many networks, from 1; 0: there is one */
} progress;

/* Opens the log where there is to be one, and takes over SIGINT and SIGTERM until the first of them comes. False, after a
 * message, when the log cannot be written. */
bool progress_begin(progress *self, const train_settings *settings, const tl_dataset *data, size_t batch);

/* For tl_fit_cfg.callbacks; `user` is the progress. */
bool progress_step(const tl_progress *at, void *user);

/* Clears the bar, closes the log. False, after a message, when the log could not be written completely. */
bool progress_end(progress *self);

/* Whether a signal asked to stop. */
bool progress_interrupted(void);

#endif
