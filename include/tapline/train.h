/* tapline/train.h: fitting, evaluating, predicting: the upper tier, written with the lower one (tapline/model.h). */
#ifndef TAPLINE_TRAIN_H
#define TAPLINE_TRAIN_H

#include <tapline/augment.h>
#include <tapline/dataset.h>
#include <tapline/model.h>

#ifdef __cplusplus
extern "C" {
#endif

/* How well a model does on a data set; what does not apply is NaN. Where there are targets for every step (tl_dataset), each step
 * of a series counts as a sample. */
typedef struct tl_metrics {
    double loss;     /* the mean of tl_loss, of a regression in units of its scaled targets (tl_model_target_scale) */
    double accuracy; /* classification: the share of samples whose predicted class, that of the largest output (of several equal
                        ones the first), is their label; of mixtures (mixup), the mean of what the target has there */
    double rmse;     /* regression: root of the mean squared error over samples and outputs */
    double mae;      /* regression: mean absolute error */

    /* of tl_evaluate only, NaN in tl_progress */
    double balanced_accuracy; /* classification: the mean over classes that have samples, of the share of these predicted right */
    double f1;                /* classification: the mean over classes that occur as label or prediction, of 2·right / (labelled +
                                 predicted); "macro" */
    double auroc;             /* classification: the area under the receiver operating characteristic of the probability of a
                                 class against the others, a tie counting half; the mean over classes (of two, both are the same) */
    double r2;                /* regression: 1 - squared error / squared distance of the targets from their mean, of each output;
                                 the mean over the outputs (scikit-learn's "uniform_average") whose targets are not all the same.
                                 NaN where there is no such output: R² is then undefined */
} tl_metrics;

/* Where training stands; handed to callbacks. */
typedef struct tl_progress {
    tl_model *model;       /* that is trained: to be evaluated, saved, or given another learning rate */
    int epoch, epochs;     /* from 1 */
    size_t batch, batches; /* within the epoch, from 1 */
    bool epoch_end;        /* this batch was the epoch's last */
    tl_metrics train;      /* running over the epoch, as seen during training */
    tl_metrics validation; /* at the end of an epoch, where there is a validation set; else NaN */
    uint64_t steps;        /* optimizer steps that this training has taken */
    double step_loss;      /* the mean loss since the step before: of this batch alone, unless gradients accumulate */
    double learning_rate;  /* of the last step */
    double seconds;        /* since tl_fit began */
} tl_progress;

/* Called after each batch, and after the step that the batch completes. */
typedef struct tl_callback {
    bool (*function)(const tl_progress *progress, void *user); /* false: stop here; tl_fit then ends as after its last batch */
    void *user;                                                /* handed to it */
} tl_callback;

enum { TL_MAX_CALLBACKS = 8 };

/* Zero means the default in brackets. */
typedef struct tl_fit_cfg {
    int epochs;               /* (1) */
    size_t batch;             /* (the model's compiled batch) samples a pass; at most the compiled batch */
    size_t accumulate;        /* (1) backward passes for each step */
    tl_schedule_cfg schedule; /* (constant) */
    bool restore_best; /* end with the parameters of the epoch with the lowest loss: of the validation set where there is one, else
                          of training */
    int patience;      /* (no end) stop after so many epochs without a lower one of that loss */
    const tl_dataset *validation; /* (none) a set that is evaluated after each epoch */
    tl_augment_cfg augment;       /* (none) random variations of each batch (streams TL_STREAM_AUGMENT and TL_STREAM_MIXUP) */
    bool keep_order;              /* do not shuffle */
    const char *checkpoint;       /* (none) a file to go on from, should training be interrupted: written as it goes along, where a
                                     callback stops it, and at its end; docs/files.md */
    double checkpoint_every;      /* seconds from one to the next, after the batch of then (10, at ends of epochs only) */
    const char *resume;           /* (none) go on from this checkpoint of the same training; only `epochs` may be another */
    tl_callback callbacks[TL_MAX_CALLBACKS]; /* (none) called in this order, all of them, up to the first without a function */
    bool keep_running;                       /* end with the running statistics of batch norm, without tl_update_statistics */
} tl_fit_cfg;

typedef struct tl_fit_result {
    int epochs;           /* begun, here and before a resume */
    uint64_t steps;       /* optimizer steps taken, likewise */
    int best_epoch;       /* the epoch with the lowest loss (see restore_best), from 1; 0 if none was completed */
    double best_loss;     /* that loss */
    bool stopped;         /* by a callback */
    bool early_stopped;   /* by patience */
    double seconds;       /* likewise of both */
    char note[200];       /* why results after a resume may not be those of uninterrupted training to the last bit; "": they are */
    double best_accuracy; /* classification: the accuracy of training as seen during that epoch (tl_progress.train) */
} tl_fit_result;

/* Trains for the epochs asked. Samples are shuffled anew each epoch (stream TL_STREAM_SHUFFLE of the model's seed); the last,
 * partial batch is kept, and takes one series from the batch before where it would be of one alone. The schedule starts from the
 * model's learning rate, and the rate that it ends with stays (a cosine's is its minimum): tl_set_learning_rate sets it anew before
 * another training. It ends with tl_update_statistics of `data`, also where a callback or a failing step ended it: the statistics
 * of batch norm then belong to the parameters. While it runs, and in checkpoints, there are the running ones (tl_batch_norm).
 * Training that goes on from a checkpoint, in whatever batch that was written, ends with the same bits as without interruption.
 * `result` may be NULL. Fails for data that does not fit the model (which has one output for each class, or value at a time); where
 * a batch norm would see a single value a channel; as
 * tl_step does, with what was learnt before the failing step kept, naming a sample that is not finite; and where a checkpoint
 * cannot be written (the one before it is kept) or is of another training (the message lists what differs). */
static inline tl_status tl_fit(tl_model *model, const tl_dataset *data, const tl_fit_cfg *cfg, tl_fit_result *result,
                               tl_error *error);

/* Whether the model takes the data, as tl_fit and tl_evaluate ask first: it is compiled, series have its length and channels,
 * targets are what its loss compares with, and there is one output for each class, or value at a time. Fails saying what does not
 * fit. */
TL_API tl_status tl_model_takes(const tl_model *model, const tl_dataset *data, tl_error *error);

/* Sets what layers learn from a pass over training data beside their parameters, such as the running mean and variance of batch
 * norm, to what belongs to the parameters as they are: from every series of the data once, in inference mode (no dropout), each
 * batch norm by the statistics of the batch, as in training, which are then joined over the batches as if all steps were one batch
 * (Wu & Johnson 2021, PreciseBN; PyTorch's update_bn takes means of batch statistics). Frozen layers stay as they are. Only x and
 * lengths of the data are read. Batches are the model's compiled batch, in an order that its seed fixes: the result depends on
 * neither threads nor what was run before. It costs at most the forward passes of an epoch, and nothing without such layers.
 * tl_fit does this at its end; call it after a training loop of your own, before tl_evaluate, tl_predict and tl_model_save.
 * A channel with a single value in each batch keeps its statistics. Fails for series that do not fit the model, and, naming the
 * layer, where statistics are not finite: all of them are then as they were before. */
TL_API tl_status tl_update_statistics(tl_model *model, const tl_dataset *data, tl_error *error);

/* ---- target values of a regression ---- */

/* What an output stands for: the value output · deviation + mean. */
typedef struct tl_target_scale {
    double mean, deviation;
} tl_target_scale;

/* For squared, absolute and Huber's error the first tl_fit of a model takes mean and standard deviation (of a population) of each
 * output's target values over its data, in double, and the network learns (value - mean) / deviation: how well it learns then does
 * not depend on the unit and the level of the values. Values of one channel that are all the same have deviation 1. Later
 * trainings keep the scale, so that what was learnt stays right; files have it. tl_predict gives values, and rmse and mae are in
 * units of the values; the loss, also in tl_progress, and Huber's delta are in units of the scaled ones, standard deviations.
 * Binary cross-entropy and a loss of one's own compare values as they are. Loops of one's own see scaled outputs (tl_output),
 * which tl_loss compares with what it is given: scale the values, and set their scale, for tl_predict and tl_evaluate to undo. */
TL_API tl_target_scale tl_model_target_scale(const tl_model *model, size_t output);

/* Sets it: mean, deviation: (outputs), finite, deviations above 0; both NULL: outputs are values. tl_fit then keeps it. */
TL_API tl_status tl_model_set_target_scale(tl_model *model, const double *mean, const double *deviation, tl_error *error);

/* The metrics of the model in inference mode. Keeps the outputs of all samples while it runs. Fails for data that does not fit the
 * model; a loss that is not finite is no failure. */
TL_API tl_status tl_evaluate(tl_model *model, const tl_dataset *data, tl_metrics *metrics, tl_error *error);

/* Counts samples by label and prediction in inference mode: counts[label · classes + predicted], (classes, classes) of the caller,
 * classes being the outputs of the model; all of it is written. Fails for a model that was not compiled for cross-entropy. */
TL_API tl_status tl_confusion(tl_model *model, const tl_dataset *data, size_t *counts, tl_error *error);

/* The outputs in inference mode for x: (count, length, channels), count of any size, into y: (count, out_length, out_channels):
 * probabilities for cross-entropy (the softmax of the logits) and binary cross-entropy (their sigmoid), values in their own units
 * otherwise. lengths: (count), see tl_set_lengths; NULL: all of each series counts. Nothing of x is changed: series are scaled
 * beforehand as those that the model was trained on (tl_dataset_scale). What is not finite in x is not in y. A sample's outputs are
 * the same bits alone, in any batch and at any place of it, with any compiled batch and number of threads, and after the model is
 * loaded. Another instruction set, tuning or engine may change the last bits; with the engine gemm the other samples may, too. What
 * was learnt may depend on the batch and on the BLAS as well (docs/command.md, --threads). */
TL_API tl_status tl_predict(tl_model *model, const tl_tensor *x, const size_t *lengths, tl_tensor *y, tl_error *error);

/* ---- how structs may grow (see tapline/base.h) ---- */

typedef struct tl_fit_sizes {
    size_t cfg, schedule, augment, result;
} tl_fit_sizes;

TL_API tl_status tl_fit_sized(tl_model *model, const tl_dataset *data, const tl_fit_cfg *cfg, tl_fit_result *result,
                              const tl_fit_sizes *sizes, tl_error *error);

static inline tl_status tl_fit(tl_model *model, const tl_dataset *data, const tl_fit_cfg *cfg, tl_fit_result *result,
                               tl_error *error) {
    const tl_fit_sizes sizes = {sizeof(tl_fit_cfg), sizeof(tl_schedule_cfg), sizeof(tl_augment_cfg), sizeof(tl_fit_result)};
    return tl_fit_sized(model, data, cfg, result, &sizes, error);
}

#ifdef __cplusplus
}
#endif
#endif
