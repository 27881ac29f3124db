/* tapline/train.h: the upper tier: training, evaluation and prediction. It is written with the lower tier (tapline/model.h).
 *
 * Errors go to the caller's tl_error, and the model can be used again after a failure. Threads: as in tapline/model.h. */
#ifndef TAPLINE_TRAIN_H
#define TAPLINE_TRAIN_H

#include <tapline/augment.h>
#include <tapline/dataset.h>
#include <tapline/exchange.h>
#include <tapline/model.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The results of a model on a data set. Members that do not apply are NaN. With targets for every step (tl_dataset), each step
 * counts as a sample. */
typedef struct tl_metrics {
    double loss;     /* the mean of tl_loss; of a regression in units of its scaled targets (tl_model_target_scale) */
    double accuracy; /* classification: the share of samples whose predicted class is their label. The predicted class is the one
                        with the largest output, the first of several equal ones. With mixup: the mean share of the predicted class
                        in the target */
    double rmse;     /* regression: the square root of the mean squared error over samples and outputs */
    double mae;      /* regression: the mean absolute error over samples and outputs */

    /* from tl_evaluate only; NaN in tl_progress */
    double balanced_accuracy; /* classification: for each class, the share of its samples that are predicted right; the mean over
                                 the classes that have samples */
    double f1; /* classification: for each class, 2·right / (labelled + predicted); the mean over the classes that occur as a label
                  or a prediction ("macro") */
    double auroc; /* classification: for each class, the area under the receiver operating characteristic of its probability,
                     against all other classes, where ties count half; the mean over the classes (for two classes both are equal) */
    double r2;    /* regression: for each output, 1 - squared error / squared distance of the targets from their mean; the mean over
                     the outputs whose targets are not all equal (scikit-learn's "uniform_average"). NaN if there is no such output: R²
                     is then undefined */
    /* Several labels at a time: binary cross-entropy whose targets are all 0, 1 or NaN. A label is predicted if its probability is
     * above 0.5. */
    double subset_accuracy; /* the share of samples all of whose labels are predicted right */
    double micro_f1;        /* 2·right / (given + predicted), counted over all labels together */
    double macro_f1;        /* the same for each label; the mean over the labels that are given or predicted at all */
    double reserved[5];     /* for later metrics: NaN */
} tl_metrics;

/* The state of a training, for callbacks. */
typedef struct tl_progress {
    tl_model *model;       /* the model in training: a callback may evaluate it, save it or set its learning rate */
    int epoch, epochs;     /* the current epoch, from 1, and their number */
    size_t batch, batches; /* the current batch in the epoch, from 1, and their number */
    bool epoch_end;        /* true after the last batch of the epoch */
    tl_metrics train;      /* over the batches of this epoch so far, as computed during training */
    tl_metrics validation; /* at the end of an epoch, if there is a validation set; else NaN */
    uint64_t steps;        /* optimizer steps of this training so far */
    double step_loss;      /* the mean loss since the previous step: of this batch alone, unless gradients accumulate */
    double learning_rate;  /* of the last step */
    double seconds;        /* since tl_fit began; after a resume, with the time before it */
} tl_progress;

/* A function of yours that tl_fit calls after each batch, and after the optimizer step that the batch completes. */
typedef struct tl_callback {
    bool (*function)(const tl_progress *progress,
                     void *user); /* returns false to stop the training here; tl_fit then ends as after its last batch */
    void *user;                   /* passed to the function */
} tl_callback;

enum { TL_MAX_CALLBACKS = 8 };

/* The quantity that decides which epoch is best, for restore_best, for patience and for the schedule "plateau". Quantities of the
 * validation set need one; accuracy … AUROC need classes, RMSE … R² target values. */
typedef enum tl_watch {
    /* the validation loss if there is a validation set, else the training loss; for the schedule the training loss */
    TL_WATCH_DEFAULT = 0,
    TL_WATCH_TRAIN_LOSS,
    TL_WATCH_VALIDATION_LOSS,
    TL_WATCH_VALIDATION_ACCURACY,
    TL_WATCH_VALIDATION_BALANCED_ACCURACY,
    TL_WATCH_VALIDATION_F1,
    TL_WATCH_VALIDATION_AUROC,
    TL_WATCH_VALIDATION_RMSE,
    TL_WATCH_VALIDATION_MAE,
    TL_WATCH_VALIDATION_R2
} tl_watch;

/* tl_watch_name returns "default", "train-loss", "validation-accuracy" …; NULL for any other number. tl_watch_by_name sets *watch
 * to the value of that name, or fails with a list of all names. */
TL_API const char *tl_watch_name(tl_watch watch);
TL_API tl_status tl_watch_by_name(const char *name, tl_watch *watch, tl_error *error);

/* What may differ from the training that is resumed, in tl_fit_cfg.changes; the numbers may be added. */
typedef enum tl_change {
    TL_CHANGE_NOTHING = 0,
    TL_CHANGE_RATE = 1,     /* the learning rate and the schedule; a changed rate replaces the one after reductions */
    TL_CHANGE_PATIENCE = 2, /* tl_fit_cfg.patience */
    TL_CHANGE_CLIPPING = 4  /* tl_compile_cfg.clip_norm and clip_value */
} tl_change;

/* Zero means the default in brackets. */
typedef struct tl_fit_cfg {
    int epochs;               /* (1) passes over the data */
    size_t batch;             /* (the compiled batch) samples in a batch; at most the compiled batch times `shards` */
    size_t accumulate;        /* (1) backward passes for each optimizer step */
    tl_schedule_cfg schedule; /* (constant) of the learning rate */
    bool restore_best; /* end with the parameters of the best epoch: the epoch with the lowest loss on the validation set if there
                          is one, else in training; `watch` can choose another criterion. The loss of training is the mean over the
                          steps of an epoch, so that a bad last step can spoil its parameters: in classification, if their accuracy
                          on the training data is more than 0.05 below that of the epoch, and that of the last epoch's parameters
                          is higher, the last epoch counts as the best one */
    int patience;      /* (never) stop after so many epochs without a better one */
    const tl_dataset *validation; /* (none) evaluated after each epoch */
    tl_augment_cfg augment;       /* (none) random changes to each batch (streams TL_STREAM_AUGMENT and TL_STREAM_MIXUP) */
    bool keep_order;              /* do not shuffle the samples */
    const char *checkpoint;  /* (none) write checkpoints to this file, from which an interrupted training can be resumed: during
                                training, when a callback stops it, and at its end (docs/files.md) */
    double checkpoint_every; /* (10, and only at the end of an epoch) seconds between checkpoints; written after the next batch */
    /* (none) resume the training of this checkpoint; only `epochs` may be different, and what `changes` allows */
    const char *resume;
    tl_callback callbacks[TL_MAX_CALLBACKS]; /* (none) called in this order; the first entry without a function ends the list */
    bool keep_running;                       /* end with the running statistics of batch norm, without tl_update_statistics */
    tl_watch watch;                          /* (a loss) the quantity that decides which epoch is best */
    unsigned changes; /* (none) a sum of tl_change values: the settings that may differ from those of `resume` */
    char reserved[4];
    const double *weights; /* (all 1) (count) the weight of each series, 0 or more: see tl_target.weights; not with mixup */
    /* (1) number of shards into which each batch is divided: a power of two, at most 1024 and at most `batch`. A shard consists of
     * consecutive samples of the batch, and is run as one pass. The gradients of the shards are added in a binary tree. The trained
     * model depends on this number, but not on the number of ranks. Batch norm uses the statistics of each shard, unless
     * `synchronise_batch_norm` is set. A smaller last batch has fewer shards. */
    size_t shards;
    /* (none) the ranks among which the shards are divided (tapline/exchange.h); `shards` must be a multiple of their number. All
     * ranks call tl_fit with the same model, data and configuration, and end with the same bits. Only rank 0 writes files; all
     * ranks read them. */
    const tl_exchange *exchange;
    /* with `shards`: batch norm uses the mean and variance of the whole batch, also in backward, and in the statistics that are
     * computed after training. The model is then that of an undivided batch, up to rounding. The passes of all shards of a rank run
     * together, and need the memory of as many activations: counted against tl_compile_cfg.max_memory */
    bool synchronise_batch_norm;
    char unused[7]; /* for later fields: 0 */
} tl_fit_cfg;

typedef struct tl_fit_result {
    int epochs;           /* epochs that were begun, including those before a resume */
    uint64_t steps;       /* optimizer steps, including those before a resume */
    int best_epoch;       /* the best epoch (tl_fit_cfg.restore_best), from 1; 0 if no epoch was completed */
    double best_loss;     /* the watched value of that epoch: a loss, unless tl_fit_cfg.watch chose another one */
    bool stopped;         /* a callback stopped the training */
    bool early_stopped;   /* tl_fit_cfg.patience stopped the training */
    double seconds;       /* duration, including that before a resume */
    char note[200];       /* after a resume: what was changed, or why the results may differ in the last bits from those of an
                             uninterrupted training; "": they do not differ */
    double best_accuracy; /* classification: the training accuracy in the best epoch, as computed during training
                             (tl_progress.train) */
} tl_fit_result;

/* Trains the model for cfg->epochs epochs; `cfg` NULL: all defaults; `result` [OUT] may be NULL. Samples are shuffled in each epoch
 * (stream TL_STREAM_SHUFFLE of the model's seed). The last batch may be smaller; if it had only one sample, it takes one from the
 * batch before.
 *
 * The schedule starts from the model's learning rate. The final rate stays in the model (for a cosine schedule this is its
 * minimum): call tl_set_learning_rate before another training.
 *
 * At the end, also when a callback or a failing step ended the training, tl_update_statistics computes the batch-norm statistics of
 * `data`, so that they belong to the final parameters. During training, and in checkpoints, they are the running ones
 * (tl_batch_norm).
 *
 * A training that is resumed from a checkpoint, written after any batch, ends with the same bits as without an interruption.
 *
 * Fails if the data does not fit the model, which needs one output for each class or target value; if a batch norm would see a
 * single value for each channel; if a step fails (tl_step), where the message names a sample that is not finite, and earlier steps
 * are kept; if a checkpoint cannot be written (the previous one is kept); and if the checkpoint to resume belongs to another
 * training (the message lists the differences). */
static inline tl_status tl_fit(tl_model *model, const tl_dataset *data, const tl_fit_cfg *cfg, tl_fit_result *result,
                               tl_error *error);

/* Checks whether the model can train on the data and evaluate it, as tl_fit and tl_evaluate do: it is compiled, the series have its
 * length and channels, the targets are of the kind that its loss needs, and there is one output for each class or target value.
 * Fails with a message that says what does not fit. */
TL_API tl_status tl_model_takes(const tl_model *model, const tl_dataset *data, tl_error *error);

/* Sets what layers learn from a pass over the training data and not from gradients, such as the mean and variance of batch norm, to
 * the values that belong to the current parameters. Runs every series of the data once, in inference mode (no dropout); each batch
 * norm uses the statistics of the batch, as in training. The statistics of all batches are then combined as if all steps were one
 * batch (Wu & Johnson 2021, PreciseBN; PyTorch's update_bn takes the mean over batches instead). Frozen layers do not change. Only
 * x and lengths of the data are read. Batches have the model's compiled size, and their order depends only on its seed: the result
 * depends neither on threads nor on earlier runs. It costs at most the forward passes of an epoch, and nothing without such layers.
 *
 * tl_fit calls this at its end. Call it after a training loop of your own, before tl_evaluate, tl_predict and tl_model_save. A
 * channel with a single value in each batch keeps its statistics. Fails if series do not fit the model, or if statistics are not
 * finite; the message names the layer, and all statistics are unchanged. */
TL_API tl_status tl_update_statistics(tl_model *model, const tl_dataset *data, tl_error *error);

/* ---- target values of a regression ---- */

/* Converts outputs of the network to target values: value = output · deviation + mean. */
typedef struct tl_target_scale {
    double mean, deviation;
} tl_target_scale;

/* Scaling of target values, for squared, absolute and Huber's error. The first tl_fit of a model computes the mean and the standard
 * deviation (of a population, in double) of the target values of each output over its data. The network then learns (value - mean)
 * / deviation, so that training does not depend on the unit and level of the values. If all values of an output are equal, its
 * deviation is 1. Later calls of tl_fit keep the scale, and model files contain it.
 *
 * tl_predict returns values in their own units, as rmse and mae are. The loss, also in tl_progress, and Huber's delta are in units
 * of the scaled values: standard deviations. Binary cross-entropy and losses of your own use unscaled values.
 *
 * A training loop of your own sees scaled outputs (tl_output) and passes scaled targets to tl_loss: set the scale with
 * tl_model_set_target_scale, so that tl_predict and tl_evaluate convert outputs to values.
 *
 * Returns the scale of output number `output`, from 0; mean 0 and deviation 1 if there is none. */
TL_API tl_target_scale tl_model_target_scale(const tl_model *model, size_t output);

/* Sets the scale of all outputs. mean, deviation: (outputs), finite, deviations above 0; copied. Both NULL: outputs are values.
 * tl_fit then keeps this scale. */
TL_API tl_status tl_model_set_target_scale(tl_model *model, const double *mean, const double *deviation, tl_error *error);

/* Computes the metrics of the model on the data, in inference mode. Needs memory for the outputs of all samples. Fails if the data
 * does not fit the model; a loss that is not finite is not an error. */
TL_API tl_status tl_evaluate(tl_model *model, const tl_dataset *data, tl_metrics *metrics, tl_error *error);

/* Counts the samples for each label and predicted class, in inference mode: counts[label · classes + predicted]. counts: (classes,
 * classes) [OUT], where classes is the number of outputs of the model. Fails if the model was not compiled for cross-entropy. */
TL_API tl_status tl_confusion(tl_model *model, const tl_dataset *data, size_t *counts, tl_error *error);

/* How well a model recognises the samples of one class. */
typedef struct tl_class_metrics {
    size_t samples, predicted; /* number of samples with this label, and with this prediction */
    double precision;          /* correct predictions of the class / predictions of the class; NaN if there are none */
    double recall;             /* correct predictions of the class / samples of the class; NaN if there are none */
    double f1;                 /* 2 · correct / (samples + predicted); NaN if both are 0 */
} tl_class_metrics;

/* Returns the metrics of class `of`, which is below `classes`, from counts: (classes, classes) as tl_confusion writes them. */
TL_API tl_class_metrics tl_class_metrics_of(const size_t *counts, size_t classes, size_t of);

/* Predicts in inference mode for x: (count, length, channels), with any count, and writes y: (count, out_length, out_channels)
 * [OUT]. y holds probabilities for cross-entropy (softmax of the logits) and binary cross-entropy (sigmoid of the logits), and
 * values in their own units for other losses. lengths: (count), see tl_set_lengths; NULL: whole series. x is not scaled here: scale
 * it beforehand in the way of the training set (tl_dataset_scale). Where x is not finite, y is not finite.
 *
 * The outputs of a sample have the same bits alone and in any batch, at any place in it, with any compiled batch and number of
 * threads, and after saving and loading the model. Another instruction set, tuning or engine may change the last bits; with the
 * engine gemm the other samples may, too. The trained parameters, in contrast, depend on the batch and on the BLAS
 * (docs/command.md, "What may change the last bits"). */
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
