#include "cli/train/train.h"

#include <tapline/optimizer.h>
#include <tapline/train.h>

#include <math.h>

const char *loss_name(size_t index) { return index < TL_LOSS_OWN ? tl_loss_name((tl_loss_kind)index) : NULL; }
static const char *watch_name(size_t index) { return tl_watch_name((tl_watch)(index + 1)); } /* without "default" */
static const char *schedule_name(size_t index) { return tl_schedule_name((tl_schedule_kind)index); }

#define FIELD(name) offsetof(train_settings, name)

static const option_spec options[] = {
    OPTIONS("Data", "tapline train mine.csv --test other.csv"),
    {"test", "DATA", OPTION_TEXT, FIELD(test), 0, 0, NULL,
     "evaluate on this data after training (the test half of DATA, if it has one)"},
    {"normalize", "NAME", OPTION_CHOICE, FIELD(normalize), 0, 0, normalization_name,
     "scale each channel to mean 0 and standard deviation 1, by the statistics of each series or of the training set (series; "
     "minirocket, "
     "multirocket and hydra: none)"},
    {"raw", NULL, OPTION_FLAG, FIELD(raw), 0, 0, NULL, "the same as --normalize none"},
    {"missing", "NAME", OPTION_CHOICE, FIELD(missing), 0, 0, missing_name, "how missing values are replaced (refuse)"},
    {"unequal", NULL, OPTION_FLAG, FIELD(unequal), 0, 0, NULL, "series in a folder or table may have different lengths"},
    {"segment", "N", OPTION_INTEGER, FIELD(segment), 1, INT32_MAX, NULL,
     ".hea records: samples of the series around each beat (256)"},
    OPTIONS("Columns and windows", "tapline train mine.csv --label last --ignore id"),
    READING_OPTIONS(train_settings),
    OPTIONS("Network", "tapline train mine.csv --arch resnet --seed 1"),
    {"arch", "NAME", OPTION_CHOICE_OR_JSON, FIELD(architecture), 0, 0, tl_architecture_name,
     "the network (fcn, or that of --init), or a file NAME.json that describes one"},
    {"init", "MODEL", OPTION_TEXT, FIELD(init), 0, 0, NULL,
     "start from the trained layers of this model (fine-tuning); its network is the default of --arch, and gets a new head if the "
     "classes differ"},
    {"head", "NAME", OPTION_CHOICE, FIELD(head), 0, 0, head_name,
     "how the last layer is computed: trained like the others, or by ridge regression in closed form (minirocket, multirocket "
     "and hydra: ridge; else trained)"},
    {"freeze", NULL, OPTION_FLAG, FIELD(freeze), 0, 0, NULL, "with --init: train only the head"},
    {"members", "N", OPTION_INTEGER, FIELD(members), 1, MAX_OPERANDS - 1, NULL,
     "train N networks with different seeds and average them; file names get numbers (inceptiontime and litetime 5, others 1)"},
    {"jobs", "N", OPTION_INTEGER, FIELD(jobs), 1, 1024, NULL,
     "train N members or folds at a time, each in a process of its own (1)"},
    {"engine", "NAME", OPTION_CHOICE, FIELD(engine), 0, 0, engine_name, "how convolutions are computed (auto)"},
    {"seed", "N", OPTION_INTEGER, FIELD(seed), 0, INT64_MAX, NULL, "seed of initial parameters, order of the data and dropout (0)"},
    OPTIONS("Loss", "tapline train mine.csv --balance --label-smoothing 0.1"),
    {"loss", "NAME", OPTION_CHOICE, FIELD(loss), 0, 0, loss_name,
     "the loss (cross-entropy for labels, squared-error for target values)"},
    {"label-smoothing", "X", OPTION_FRACTION, FIELD(label_smoothing), 0, 0, NULL,
     "share of each label that is divided among all classes (0)"},
    {"balance", NULL, OPTION_FLAG, FIELD(balance), 0, 0, NULL, "weight each class by the inverse of its share of the labels"},
    OPTIONS("Steps", "tapline train mine.csv --epochs 100 --batch 16 --optimizer adamw"),
    {"epochs", "N", OPTION_INTEGER, FIELD(epochs), 1, INT32_MAX, NULL, "passes over the data (by architecture: fcn 2000)"},
    {"batch", "N", OPTION_INTEGER, FIELD(batch), 1, INT32_MAX, NULL,
     "series in a batch (by architecture: fcn a tenth, from 2 to 16)"},
    {"accumulate", "N", OPTION_INTEGER, FIELD(accumulate), 1, INT32_MAX, NULL,
     "batches whose gradients are added up for one step (1)"},
    {"shards", "N", OPTION_INTEGER, FIELD(shards), 1, 1024, NULL,
     "divide each batch into N parts, a power of two: each is a pass of its own, and their gradients are added (1)"},
    {"synchronise-batch-norm", NULL, OPTION_FLAG, FIELD(synchronise_batch_norm), 0, 0, NULL,
     "with --shards: batch norm uses the statistics of the whole batch, not of each part"},
    {"optimizer", "NAME", OPTION_CHOICE, FIELD(optimizer), 0, 0, tl_optimizer_name, "the optimizer (adam)"},
    {"lr", "X", OPTION_POSITIVE, FIELD(learning_rate), 0, 0, NULL, "learning rate (adam and adamw 0.001, others 0.01)"},
    {"find-lr", NULL, OPTION_FLAG, FIELD(find_rate), 0, 0, NULL,
     "instead of training: try learning rates from 1e-7 to 10, one in each step; list the losses and suggest a rate"},
    {"momentum", "X", OPTION_FRACTION, FIELD(momentum), 0, 0, NULL, "sgd and rmsprop: momentum (0)"},
    {"nesterov", NULL, OPTION_FLAG, FIELD(nesterov), 0, 0, NULL, "sgd: use Nesterov's momentum"},
    {"weight-decay", "X", OPTION_FRACTION, FIELD(weight_decay), 0, 0, NULL,
     "adamw: a step subtracts learning rate · X · parameter (0.01); others: L2 penalty, added to the gradient (0)"},
    {"l1", "X", OPTION_POSITIVE, FIELD(l1), 0, 0, NULL, "L1 penalty, added to the gradient; not for adamw (none)"},
    {"clip", "X", OPTION_POSITIVE, FIELD(clip), 0, 0, NULL, "scale the gradient of a step down to at most this L2 norm (no limit)"},
    {"clip-value", "X", OPTION_POSITIVE, FIELD(clip_value), 0, 0, NULL,
     "before that, limit each element of the gradient to ± X (no limit)"},
    OPTIONS("Schedule of the learning rate", "tapline train mine.csv --schedule cosine --warmup 100"),
    {"schedule", "NAME", OPTION_CHOICE, FIELD(schedule), 0, 0, schedule_name,
     "schedule of the learning rate (by architecture: timecnn constant, others plateau: the rate is halved, down to "
     "0.0001, after 50 epochs without a lower training loss)"},
    {"schedule-factor", "X", OPTION_FACTOR, FIELD(factor), 0, 0, NULL,
     "factor by which the rate is multiplied (plateau 0.5, step and king 0.1, exponential 0.95)"},
    {"schedule-patience", "N", OPTION_INTEGER, FIELD(patience), 1, INT32_MAX, NULL,
     "epochs (plateau, 50) or steps (king, 500) without progress before a reduction"},
    {"schedule-period", "N", OPTION_INTEGER, FIELD(period), 1, INT32_MAX, NULL, "step: epochs between reductions (30)"},
    {"lr-min", "X", OPTION_POSITIVE, FIELD(min_rate), 0, 0, NULL,
     "the lowest rate (plateau 0.0001, step, exponential, cosine and king 0)"},
    {"warmup", "N", OPTION_INTEGER, FIELD(warmup), 0, INT32_MAX, NULL,
     "steps in which the rate rises linearly to that of the schedule (noam 4000, others none)"},
    OPTIONS("Validation", "tapline train mine.csv --folds 5 --patience 50"),
    {"validation", "DATA", OPTION_TEXT, FIELD(validation), 0, 0, NULL,
     "evaluate on this data after each epoch; the best epoch is then the one with the lowest loss on it"},
    {"folds", "N", OPTION_INTEGER, FIELD(folds), 2, INT32_MAX, NULL,
     "hold out one Nth of the series for validation, with the same share of each class"},
    {"fold", "I", OPTION_INTEGER_OR_ALL, FIELD(fold), 0, INT32_MAX, NULL,
     "which Nth, from 0 (0); or all: cross-validation, which trains a network for each fold and reports mean and deviation; names "
     "of --out get numbers"},
    {"in-order", NULL, OPTION_FLAG, FIELD(in_order), 0, 0, NULL,
     "folds are runs of neighbouring series, in the order of the data, such as windows by time"},
    {"watch", "NAME", OPTION_CHOICE, FIELD(watch), 0, 0, watch_name,
     "the quantity that decides which epoch is best, and that --patience and the schedule plateau use (the validation loss if "
     "there is one, else the training loss; for plateau the training loss)"},
    {"patience", "N", OPTION_INTEGER, FIELD(early_stopping), 1, INT32_MAX, NULL,
     "stop after N epochs without a better one (never)"},
    OPTIONS("Random changes of series", "tapline train mine.csv --crop 0.9 --jitter 0.03"),
    {"crop", "X", OPTION_FACTOR, FIELD(crop), 0, 0, NULL,
     "train on random windows with this share of a series, stretched to its length (none)"},
    {"scale", "X", OPTION_POSITIVE, FIELD(scale), 0, 0, NULL,
     "multiply each series by a normal random number with mean 1 and this deviation (none)"},
    {"jitter", "X", OPTION_POSITIVE, FIELD(jitter), 0, 0, NULL, "add normal noise with this deviation to each value (none)"},
    {"mixup", "X", OPTION_POSITIVE, FIELD(mixup), 0, 0, NULL,
     "mix each series and its target with another one of its batch; shares are from a beta distribution with both parameters X "
     "(none)"},
    OPTIONS("Files and limits", "tapline train mine.csv -o mine.safetensors --checkpoint mine.checkpoint"),
    {"log", "FILE.csv", OPTION_TEXT, FIELD(log), 0, 0, NULL, "write a line for each epoch to this file"},
    {"tensorboard", "DIR", OPTION_TEXT, FIELD(tensorboard), 0, 0, NULL,
     "write the curves as a new file of events into this folder, for TensorBoard"},
    {"report", "FILE.html", OPTION_TEXT, FIELD(report), 0, 0, NULL,
     "write a page with data, curves, results and layers to this file; it is rewritten during training"},
    {"out", "FILE", OPTION_TEXT, FIELD(out), 0, 0, NULL, "write the trained model to this file, for eval and predict"},
    {"checkpoint", "FILE", OPTION_TEXT, FIELD(checkpoint), 0, 0, NULL,
     "write the state of the training to this file, to resume it"},
    {"checkpoint-every", "S", OPTION_POSITIVE, FIELD(checkpoint_every), 0, 0, NULL,
     "seconds between checkpoints (end of an epoch, at least 10 s apart)"},
    {"resume", "FILE", OPTION_TEXT, FIELD(resume), 0, 0, NULL,
     "resume the training of a checkpoint, with the same other options; --epochs may be larger, and these may be given other "
     "values: the learning rate and its schedule, --patience, --clip, --clip-value"},
    MAX_MEMORY_OPTION,
    {"quiet", NULL, OPTION_FLAG, FIELD(quiet), 0, 0, NULL, "print no progress on stderr"},
    {0},
};

static train_settings settings = {
    .common = {.precision = "f32"},
    .optimizer = "adam",
    .missing = "refuse",
    .engine = "auto",
    .accumulate = 1,
    .shards = 1,
    .jobs = 1,
    .weight_decay = NAN,
    .fold = NOT_GIVEN,
    .warmup = NOT_GIVEN,
};

const command train_command = {
    .name = "train",
    .operands = "[DATA]",
    .max_operands = 1,
    .summary = "Train a network on series with labels or target values, and evaluate it.",
    .example = "tapline train mine.csv --test other.csv --out mine.safetensors",
    .details =
        "DATA is a .ts, .tsv, .csv, .txt, .arff, .npz, .npy or .hea file, a folder that has a folder of files for each "
        "class, builtin:cbf or builtin:synthetic-control (builtin:cbf). The result has the parameters of the epoch with the "
        "lowest training loss. Ctrl-C stops after the current batch, writes checkpoint and model, and reports the results "
        "so far; a second Ctrl-C stops at once. mpirun -n N tapline train … divides the shards of a batch among N processes; the "
        "result is the same.",
    .options = options,
    .settings = &settings,
    .writes_files = true,
    .runs_in_ranks = true,
    .run_f32 = train_f32,
    .run_f64 = train_f64,
};
