/* fit.h: the state of a training: everything that a checkpoint contains besides the model. */
#ifndef TL_FIT_H
#define TL_FIT_H

#include "base/schedule.h"
#include "data/batches.h"
#include "train/metrics.h"
#include "train/shards.h"

/* The mixtures that replace the series of a batch (mixup). */
typedef struct tl_mixtures {
    uint32_t *partner;      /* (batch); NULL: none */
    tl_real *share;         /* (batch) */
    size_t *lengths;        /* (batch) of the mixtures; NULL: whole series */
    tl_real *probabilities; /* (batch, labels of a series, classes) targets for cross-entropy; NULL: the loss needs values */
    tl_real *values;        /* (batch, values of a series) */
} tl_mixtures;

typedef struct tl_fit_state {
    tl_model *model;
    const tl_dataset *data;
    tl_fit_cfg cfg; /* defaults filled in */
    tl_schedule schedule;
    double learning_rate;        /* the last one that the schedule set */
    bool new_rate, new_schedule; /* different from those in the checkpoint that is resumed */

    /* progress */
    int epoch;             /* from 1; 0 before the first */
    size_t batch, batches; /* of the epoch: completed batches, all batches */
    uint64_t order_key;    /* of the order of the epoch: steps before it */
    tl_tally sums, last;   /* of the epoch; their values at the last step */
    tl_fit_result result;
    double begin, saved; /* the clock at the beginning, minus the time before a resume; at the last checkpoint */
    char digest[20];     /* of the data, if there are checkpoints */
    tl_real *best;       /* parameters and states of the best epoch; NULL: not needed */

    /* computed from these */
    uint32_t *order;       /* (samples) of the epoch */
    tl_tensor x;           /* (batch, length, channels) samples of the batch */
    tl_ahead ahead;        /* series of the next batches */
    tl_tensor varied;      /* the samples after random changes; mixtures are written back to x; empty: none */
    tl_metrics validation; /* of the epoch that has just ended */
    int32_t *labels;       /* (batch, labels of a series) */
    tl_real *values;       /* (batch, values of a series) */
    size_t *lengths;       /* (batch); NULL: whole series */
    tl_real *weights;      /* (batch); NULL: all 1 */
    tl_mixtures mixed;
    tl_shards shards;
    bool by_batch; /* the series are not in memory, on this or another rank */
} tl_fit_state;

/* Takes the configuration of a program that may have been compiled with other headers (tl_take_parts). */
void tl_fit_take(tl_fit_cfg *cfg, const tl_fit_cfg *given, const tl_fit_sizes *sizes, tl_error *error);

/* Checks that data and loss have the quantity of cfg.watch. */
tl_status tl_watch_check(const tl_fit_state *fit, tl_error *error);

/* Returns the watched value at the end of an epoch with this training loss; and whether one value is better than another: NaN never
 * is. */
double tl_watched(const tl_fit_state *fit, double loss);
bool tl_watch_better(const tl_fit_state *fit, double value, double other);

/* Returns a value that is worse than any other. */
double tl_watch_worst(const tl_fit_state *fit);

/* Calls all callbacks; returns false if one returns false. */
bool tl_call_back(const tl_callback callbacks[TL_MAX_CALLBACKS], const tl_progress *progress);

/* Checks that cfg.checkpoint can be written. Sets model and fit, which is prepared, to the contents of cfg.resume. Fails if that
 * belongs to another training; the message lists the differences. */
tl_status tl_checkpoint_begin(tl_fit_state *fit, tl_error *error);

/* Writes cfg.checkpoint. */
tl_status tl_checkpoint_save(tl_fit_state *fit, tl_error *error);

#endif
