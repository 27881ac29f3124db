#include "cli/train.h"

#include <tapline/optimizer.h>
#include <tapline/train.h>

#include <math.h>

const char *loss_name(size_t index) { return index < TL_LOSS_OWN ? tl_loss_name((tl_loss_kind)index) : NULL; }
static const char *watch_name(size_t index) { return tl_watch_name((tl_watch)(index + 1)); } /* without "default" */
static const char *schedule_name(size_t index) { return tl_schedule_name((tl_schedule_kind)index); }

#define FIELD(name) offsetof(train_settings, name)

static const option_spec options[] = {
    OPTIONS("Data", "tapline train mine.csv --test other.csv"),
    {"test", "DATA", OPTION_TEXT, FIELD(test), 0, 0, NULL, "evaluate on this data afterwards (builtin:NAME: on NAME/test)"},
    {"normalize", "NAME", OPTION_CHOICE, FIELD(normalize), 0, 0, normalization_name,
     "scale each channel to mean 0 and standard deviation 1: of each\nseries by itself, or by those of the training set (series)"},
    {"raw", NULL, OPTION_FLAG, FIELD(raw), 0, 0, NULL, "take values as they are: --normalize none"},
    {"missing", "NAME", OPTION_CHOICE, FIELD(missing), 0, 0, missing_name, "how missing values are replaced (refuse)"},
    {"unequal", NULL, OPTION_FLAG, FIELD(unequal), 0, 0, NULL, "series in a folder may differ in length"},
    {"segment", "N", OPTION_INTEGER, FIELD(segment), 1, INT32_MAX, NULL, "samples around each beat of a .hea record (256)"},
    OPTIONS("Columns and windows", "tapline train mine.csv --label last --ignore id"),
    READING_OPTIONS(train_settings),
    OPTIONS("Network", "tapline train mine.csv --arch resnet --seed 1"),
    {"arch", "NAME", OPTION_CHOICE_OR_JSON, FIELD(architecture), 0, 0, architecture_name_f32,
     "the network (fcn, or that of --init), or a file NAME.json that describes one"},
    {"init", "MODEL", OPTION_TEXT, FIELD(init), 0, 0, NULL,
     "begin with what this file's layers have learnt (fine-tuning); its network is the default of --arch, and gets another head "
     "where "
     "the classes differ"},
    {"freeze", NULL, OPTION_FLAG, FIELD(freeze), 0, 0, NULL, "of --init: the head learns alone"},
    {"members", "N", OPTION_INTEGER, FIELD(members), 1, MAX_OPERANDS - 1, NULL,
     "train N networks, which differ in their seeds, and average\nthem; files get numbers (inceptiontime 5, others 1)"},
    {"engine", "NAME", OPTION_CHOICE, FIELD(engine), 0, 0, engine_name, "how convolutions are computed (auto)"},
    {"seed", "N", OPTION_INTEGER, FIELD(seed), 0, INT64_MAX, NULL, "seed of initial parameters and of the order of the data (0)"},
    OPTIONS("Loss", "tapline train mine.csv --balance --label-smoothing 0.1"),
    {"loss", "NAME", OPTION_CHOICE, FIELD(loss), 0, 0, loss_name, "(cross-entropy for labels, squared-error for target values)"},
    {"label-smoothing", "X", OPTION_FRACTION, FIELD(label_smoothing), 0, 0, NULL,
     "share of each label that is spread over all classes (0)"},
    {"balance", NULL, OPTION_FLAG, FIELD(balance), 0, 0, NULL, "weigh each class by the inverse of its share of the labels"},
    OPTIONS("Steps", "tapline train mine.csv --epochs 100 --batch 16 --optimizer adamw"),
    {"epochs", "N", OPTION_INTEGER, FIELD(epochs), 1, INT32_MAX, NULL, "passes over the data (the architecture's: fcn 2000)"},
    {"batch", "N", OPTION_INTEGER, FIELD(batch), 1, INT32_MAX, NULL,
     "series in a batch (the architecture's: fcn a tenth, from 2 to 16)"},
    {"accumulate", "N", OPTION_INTEGER, FIELD(accumulate), 1, INT32_MAX, NULL, "batches whose gradients make one step (1)"},
    {"optimizer", "NAME", OPTION_CHOICE, FIELD(optimizer), 0, 0, tl_optimizer_name, "the optimizer (adam)"},
    {"lr", "X", OPTION_POSITIVE, FIELD(learning_rate), 0, 0, NULL, "learning rate (adam and adamw 0.001, the others 0.01)"},
    {"find-lr", NULL, OPTION_FLAG, FIELD(find_rate), 0, 0, NULL,
     "instead of training: try learning rates from 1e-7 to 10, one\na step, and list the losses and the rate where they fall "
     "most"},
    {"momentum", "X", OPTION_FRACTION, FIELD(momentum), 0, 0, NULL, "of sgd and rmsprop (0)"},
    {"nesterov", NULL, OPTION_FLAG, FIELD(nesterov), 0, 0, NULL, "Nesterov's form of the momentum of sgd"},
    {"weight-decay", "X", OPTION_FRACTION, FIELD(weight_decay), 0, 0, NULL,
     "adamw: share of each parameter that a step takes, times the\nlearning rate (0.01); others: L2 penalty, added to "
     "the\ngradient (0)"},
    {"l1", "X", OPTION_POSITIVE, FIELD(l1), 0, 0, NULL, "L1 penalty, added to the gradient; not of adamw (none)"},
    {"clip", "X", OPTION_POSITIVE, FIELD(clip), 0, 0, NULL, "scale gradients down to this norm (no limit)"},
    {"clip-value", "X", OPTION_POSITIVE, FIELD(clip_value), 0, 0, NULL, "limit each element of the gradient first (no limit)"},
    OPTIONS("Schedule of the learning rate", "tapline train mine.csv --schedule cosine --warmup 100"),
    {"schedule", "NAME", OPTION_CHOICE, FIELD(schedule), 0, 0, schedule_name,
     "of the learning rate (the architecture's: timecnn constant, others\nplateau: it is halved, down to 0.0001, after 50 epochs "
     "without\na lower training loss)"},
    {"schedule-factor", "X", OPTION_FRACTION, FIELD(factor), 0, 0, NULL,
     "factor by which the rate is multiplied (plateau 0.5, step and king 0.1,\nexponential 0.95)"},
    {"schedule-patience", "N", OPTION_INTEGER, FIELD(patience), 1, INT32_MAX, NULL,
     "epochs (plateau, 50) or steps (king, 500) without progress"},
    {"schedule-period", "N", OPTION_INTEGER, FIELD(period), 1, INT32_MAX, NULL, "epochs between reductions (step, 30)"},
    {"lr-min", "X", OPTION_POSITIVE, FIELD(min_rate), 0, 0, NULL,
     "the rate goes no lower (plateau 0.0001, step, exponential,\ncosine and king 0)"},
    {"warmup", "N", OPTION_INTEGER, FIELD(warmup), 0, INT32_MAX, NULL,
     "steps over which the rate rises to that of the schedule\n(noam 4000, others none)"},
    OPTIONS("Validation", "tapline train mine.csv --folds 5 --patience 50"),
    {"validation", "DATA", OPTION_TEXT, FIELD(validation), 0, 0, NULL,
     "evaluate on this data after each epoch: the best epoch is then the one with the lowest loss there"},
    {"folds", "N", OPTION_INTEGER, FIELD(folds), 2, INT32_MAX, NULL,
     "hold out one Nth of the series, a share of each class, as validation data"},
    {"fold", "I", OPTION_INTEGER_OR_ALL, FIELD(fold), 0, INT32_MAX, NULL,
     "which one, from 0 (0), or all of them: cross-validation, which trains a network for each and reports mean and deviation; "
     "--out gets "
     "their numbers"},
    {"watch", "NAME", OPTION_CHOICE, FIELD(watch), 0, 0, watch_name,
     "what tells the best epoch, and is watched by --patience and by plateau (the validation loss where there is one, else the "
     "training "
     "loss; plateau the training loss)"},
    {"patience", "N", OPTION_INTEGER, FIELD(give_up), 1, INT32_MAX, NULL, "stop after N epochs without a better one (never)"},
    OPTIONS("Variations of series", "tapline train mine.csv --crop 0.9 --jitter 0.03"),
    {"crop", "X", OPTION_FRACTION, FIELD(crop), 0, 0, NULL, "train on windows of that share of a series, stretched (whole ones)"},
    {"scale", "X", OPTION_POSITIVE, FIELD(scale), 0, 0, NULL, "multiply each by a random number of that deviation from 1 (none)"},
    {"jitter", "X", OPTION_POSITIVE, FIELD(jitter), 0, 0, NULL, "add noise of that deviation to each value (none)"},
    {"mixup", "X", OPTION_POSITIVE, FIELD(mixup), 0, 0, NULL,
     "mix each with another of its batch, and their targets; shares\nare from a beta distribution with both parameters X (none)"},
    OPTIONS("Files and limits", "tapline train mine.csv -o mine.safetensors --checkpoint mine.checkpoint"),
    {"log", "FILE.csv", OPTION_TEXT, FIELD(log), 0, 0, NULL, "write one line an epoch to this file"},
    {"out", "FILE", OPTION_TEXT, FIELD(out), 0, 0, NULL, "write the trained model to this file, for eval and predict"},
    {"checkpoint", "FILE", OPTION_TEXT, FIELD(checkpoint), 0, 0, NULL,
     "write the state of the training to this file as it goes along"},
    {"checkpoint-every", "S", OPTION_POSITIVE, FIELD(checkpoint_every), 0, 0, NULL,
     "seconds between them (ends of epochs, at least 10 s apart)"},
    {"resume", "FILE", OPTION_TEXT, FIELD(resume), 0, 0, NULL,
     "go on from such a file, with the same other options; --epochs may be more, and others where they are given: the learning "
     "rate with "
     "its schedule, --patience, --clip, --clip-value"},
    MAX_MEMORY_OPTION,
    {"quiet", NULL, OPTION_FLAG, FIELD(quiet), 0, 0, NULL, "no progress on stderr"},
    {0},
};

static train_settings settings = {
    .common = {.precision = "f32"},
    .optimizer = "adam",
    .missing = "refuse",
    .engine = "auto",
    .accumulate = 1,
    .weight_decay = NAN,
};

const command train_command = {
    .name = "train",
    .operands = "[DATA]",
    .max_operands = 1,
    .summary = "Train a network on series with labels or target values, and evaluate it.",
    .example = "tapline train mine.csv --test other.csv --out mine.safetensors",
    .details = "DATA is a .ts, .tsv, .csv, .txt, .arff, .npz, .npy or .hea file, a folder that has a folder of files for each\n"
               "class, builtin:cbf or builtin:synthetic-control (builtin:cbf).\n"
               "The network ends with the parameters of the epoch with the lowest training loss. Ctrl-C stops after\n"
               "the current batch, writes checkpoint and model and reports what was reached; a second one stops at once.",
    .options = options,
    .settings = &settings,
    .writes_files = true,
    .run_f32 = train_f32,
    .run_f64 = train_f64,
};
