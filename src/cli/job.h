/* job.h: a run of `tapline train`, and what is said of it; compiled once for each precision (commands.h). */
#ifndef CLI_JOB_H
#define CLI_JOB_H

#include "cli/members.h"

/* A run of the command: what is read, made and found out. */
typedef struct job {
    const train_settings *settings;
    const architecture *architecture;
    train_settings own; /* those of the command, or of the fold under way */
    const char *data_path, *test_path;
    tl_read_cfg read;                     /* how data is read */
    tl_dataset *data, *test, *validation; /* test, validation NULL: none */
    size_t batch;
    tl_model *model;
    tl_fit_result fit;
    bool new_head; /* of a network that starts from a file */
    tl_metrics train_metrics, validation_metrics, test_metrics;
    bool log_failed;
    bool spoilt;        /* training ended with an error, which was told, but there is something to report */
    char part[32];      /* which fold or member is under way, for messages: "fold 2: "; "": there is one network */
    fold_result *folds; /* NULL: no cross-validation */
    size_t folds_done;
    tl_rate_curve *rates; /* NULL: not asked for */
    members members;      /* where there are to be several networks */
    bool introduced;      /* what is trained on what has been said */
} job;

static inline bool is_regression(const job *self) { return self->data->classes == 0; }
static inline size_t target_length(const job *self) { return self->data->target_length > 0 ? self->data->target_length : 1; }

/* The networks that are to be averaged. */
size_t IN_PRECISION(job_members)(const train_settings *settings);

/* Says on stderr, once and unless --quiet, which network is about to be trained on what, for how long, and whether it will be kept.
 */
void IN_PRECISION(job_introduce)(job *self, const tl_fit_cfg *cfg);

/* Reports on stdout what came of the training. */
void IN_PRECISION(job_report)(const job *self);

#endif
