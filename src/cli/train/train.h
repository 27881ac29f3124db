/* train.h: shared by the sources of `tapline train`. */
#ifndef CLI_TRAIN_H
#define CLI_TRAIN_H

#include "cli/architecture.h"
#include "cli/reading.h"
#include "cli/report.h"
#include "cli/train/events.h"

#include <tapline/csv_log.h>
#include <tapline/find_learning_rate.h>
#include <tapline/ridge.h>
#include <tapline/train.h>

#include <jansson.h>
#include <stdatomic.h>

enum { NOT_GIVEN = -2 }; /* of options for which 0 means something; not OPTION_ALL */

typedef struct train_settings {
    common_settings common;                                                /* operand 0: the data */
    const char *test, *architecture, *optimizer, *schedule, *engine, *log; /* architecture NULL: that of `init`, else fcn */
    const char *out, *checkpoint, *resume;                                 /* NULL: none */
    const char *tensorboard;                                               /* NULL: none */
    const char *report;                                                    /* NULL: none */
    const char *validation, *init;                                         /* 0: the library's defaults */
    const char *watch;                                                     /* NULL: the library's default */
    double checkpoint_every;                                               /* 0: the library's default */
    const char *loss;                                                      /* NULL: the default for the data */
    const char *head;                                                      /* NULL: the default of the architecture */
    const char *missing;                                                   /* of values */
    const char *normalize;                                                 /* NULL: the library's default */
    int64_t epochs, batch, accumulate, seed;                               /* epochs and batch 0: the default of the architecture */
    int64_t members;                                                       /* 0: the default of the architecture */
    int64_t shards, jobs;                                                  /* of a batch; processes for members and folds */
    int64_t folds, fold;               /* 0: no validation; NOT_GIVEN: the first (OPTION_ALL: each) */
    int64_t early_stopping;            /* epochs without a better one; 0: never */
    double crop, scale, jitter, mixup; /* 0: none */
    reading_settings reading;
    int64_t segment;                                      /* for PhysioNet records; 0: the library's default */
    int64_t warmup, patience, period;                     /* of the schedule; NOT_GIVEN, 0 and 0: the library's defaults */
    double factor, min_rate;                              /* 0: the library's defaults */
    double learning_rate, momentum, l1, clip, clip_value; /* 0: the library's defaults */
    double weight_decay;                                  /* NAN: the library's default */
    double label_smoothing;
    bool nesterov, balance, raw, unequal, quiet, find_rate, freeze, in_order, synchronise_batch_norm;
} train_settings;

int train_f32(const void *settings);
int train_f64(const void *settings);

/* ---- warnings: a line on stderr, which suggests a remedy ---- */

/* Warns if there is a single class, or far more of one class than of others, and if all series are constant after scaling. */
void IN_PRECISION(warn_of_data)(const train_settings *settings, const tl_dataset *data);

/* Warns if a fold lacks a class; `part` begins the line. */
void IN_PRECISION(warn_of_fold)(const train_settings *settings, const char *part, const tl_dataset *data,
                                const tl_dataset *validation);

/* Warns if most series of another set are also in the training set; `set`: NULL: there is none; `name`: such as "--test". */
void IN_PRECISION(warn_of_overlap)(const train_settings *settings, const char *part, const char *name, const tl_dataset *data,
                                   const tl_dataset *set);

/* Warns if the training accuracy is lower, by more than chance, than it was during the best epoch. */
void IN_PRECISION(warn_of_training)(const train_settings *settings, const char *part, const tl_dataset *data,
                                    const tl_fit_result *fit, const tl_metrics *metrics);

/* ---- options that do not go together ---- */

/* Fails for an option that needs another one, or contradicts one. networks: the number of members. */
void pairs_check(const train_settings *self, size_t networks, tl_error *error);

/* Returns the first given option that concerns training by gradients, such as "--epochs"; NULL: none was given. */
const char *pairs_find_training(const train_settings *self);

/* ---- the last layer in closed form ---- */

/* Returns the name of a method for the last layer: "trained" or "ridge"; NULL after the last one. */
const char *head_name(size_t index);

/* Print the result of ridge regression as a line of the report, and add it to a JSON object: "head" is "trained" if there is no
 * result. */
void head_as_text(const tl_ridge_result *found);
void head_as_json(const tl_ridge_result *found, json_t *object);

/* ---- cross-validation ---- */

/* The result of training on all folds except one. */
typedef struct fold_result {
    size_t fold;     /* from 0 */
    size_t held_out; /* number of series */
    tl_fit_result fit;
    tl_metrics train, validation, test; /* report_no_metrics: not evaluated */
} fold_result;

/* Returns the means over the folds; each metric is averaged over the folds where it is defined. Epochs, steps and seconds of `fit`
 * are sums. */
fold_result folds_mean(const fold_result *folds, size_t count);

/* Adds "folds" (a list), "deviation" (the standard deviation of each metric over the folds), and "undefined" (the number of folds
 * where a metric is undefined).
 */
void folds_as_json(const fold_result *folds, size_t count, bool tested, report_targets targets, json_t *object);

/* Prints a line for each fold, then mean and deviation for the held-out folds and, if `tested`, for the test set. */
void folds_as_text(const fold_result *folds, size_t count, size_t tested, report_targets targets);

/* ---- the learning-rate finder ---- */

void rates_as_json(const tl_rate_curve *curve, json_t *object);
void rates_as_text(const tl_rate_curve *curve, bool interrupted);

/* ---- progress ---- */

/* The callback of tl_fit: prints progress to stderr, writes the log, and stops at a signal. It does not use tl_real. */
typedef struct progress {
    const char *command;
    size_t series, batch; /* series in the training set; series in a batch */
    bool quiet, terminal;
    double drawn;          /* time when the bar or a line was printed last, in seconds; -INFINITY: never */
    tl_metrics validation; /* of the previous epoch; loss NAN: none */
    const char *log_path;  /* NULL: no log */
    bool append;           /* keep the lines of the log */
    tl_csv_log *log;       /* NULL: not open */
    bool log_failed;
    const char *folder; /* of the events; NULL: none */
    events *events;     /* NULL: not open */
    bool events_failed;
    bool regression;
    size_t member, members; /* the current network, from 1, and their number; 0: a single network */
} progress;

/* Checks that the log and the events can be written, and handles SIGINT, SIGTERM and SIGHUP until the first of them arrives.
 * Returns false, after a message, if they cannot. They are opened after the first batch: a training that cannot begin leaves the
 * previous lines. */
bool progress_begin(progress *self, const train_settings *settings, const tl_dataset *data, size_t batch);

/* For tl_fit_cfg.callbacks; `user` is the progress. */
bool progress_step(const tl_progress *at, void *user);

/* Clears the bar and closes the log. Returns false, after a message, if the log could not be written completely. */
bool progress_end(progress *self);

/* From now on the first SIGINT, SIGTERM or SIGHUP asks to stop. */
void progress_catch_signals(void);

/* Another sign to stop, which another process may set in memory that both share. */
void progress_watch(const atomic_bool *stop);

/* Returns whether a signal asked to stop. */
bool progress_interrupted(void);

#endif
