/* Options of `tapline train` that need another option, or contradict one. */
#include "cli/train/ranks.h"
#include "cli/train/train.h"

#include <math.h>
#include <string.h>

enum { MAX_SAVED = 1000 /* folds: the names of their models are compared with all others */ };

/* What an option is about. */
enum {
    STEPS = 1,   /* steps of gradients; where only the last layer is trained, and solved, there are none */
    WHOLE = 2,   /* a whole training and its results; --find-lr only makes some steps */
    NETWORK = 4, /* one network; --fold all trains several */
};

/* Returns the first given option that is about `what`; NULL: none was given. */
static const char *find_given(const train_settings *self, unsigned what) {
    const struct {
        const char *option;
        bool given;
        unsigned about;
    } options[] = {
        {"--checkpoint", self->checkpoint != NULL, STEPS | WHOLE | NETWORK},
        {"--resume", self->resume != NULL, STEPS | WHOLE | NETWORK},
        {"--log", self->log != NULL, STEPS | WHOLE | NETWORK},
        {"--tensorboard", self->tensorboard != NULL, STEPS | WHOLE | NETWORK},
        {"--report", self->report != NULL, WHOLE | NETWORK},
        {"--out", self->out != NULL, WHOLE},
        {"--fold all", self->fold == OPTION_ALL, WHOLE},
        {"--members", self->members > 1, WHOLE},
        {"--head ridge", self->head && strcmp(self->head, "ridge") == 0, WHOLE},
        {"--test", self->test != NULL, WHOLE},
        {"--validation", self->validation != NULL, WHOLE},
        {"--epochs", self->epochs > 0, STEPS | WHOLE},
        {"--accumulate", self->accumulate > 1, STEPS},
        {"--synchronise-batch-norm", self->synchronise_batch_norm, STEPS},
        {"--optimizer", strcmp(self->optimizer, "adam") != 0, STEPS},
        {"--lr", self->learning_rate > 0, STEPS | WHOLE},
        {"--find-lr", self->find_rate, STEPS},
        {"--momentum", self->momentum > 0, STEPS},
        {"--nesterov", self->nesterov, STEPS},
        {"--weight-decay", !isnan(self->weight_decay), STEPS},
        {"--l1", self->l1 > 0, STEPS},
        {"--clip", self->clip > 0, STEPS},
        {"--clip-value", self->clip_value > 0, STEPS},
        {"--schedule", self->schedule != NULL, STEPS | WHOLE},
        {"--schedule-factor", self->factor > 0, STEPS | WHOLE},
        {"--schedule-patience", self->patience > 0, STEPS | WHOLE},
        {"--schedule-period", self->period > 0, STEPS | WHOLE},
        {"--lr-min", self->min_rate > 0, STEPS | WHOLE},
        {"--warmup", self->warmup != NOT_GIVEN, STEPS | WHOLE},
        {"--watch", self->watch != NULL, STEPS | WHOLE},
        {"--patience", self->early_stopping > 0, STEPS | WHOLE},
        {"--balance", self->balance, STEPS},
        {"--label-smoothing", self->label_smoothing > 0, STEPS},
        {"--crop", self->crop > 0, STEPS},
        {"--scale", self->scale > 0, STEPS},
        {"--jitter", self->jitter > 0, STEPS},
        {"--mixup", self->mixup > 0, STEPS},
    };
    for (size_t i = 0; i < sizeof options / sizeof *options; i++)
        if (options[i].given && (options[i].about & what)) return options[i].option;
    return NULL;
}

const char *pairs_find_training(const train_settings *self) { return find_given(self, STEPS); }

static void check_folds(const train_settings *self, size_t networks, tl_error *error) {
    const bool all = self->fold == OPTION_ALL;
    if (self->folds == 0 && all) tl_fail(error, TL_ERROR_ARGUMENT, "--fold all requires --folds N");
    if (self->folds == 0 && self->fold != NOT_GIVEN)
        tl_fail(error, TL_ERROR_ARGUMENT, "--fold %d requires --folds N", (int)self->fold);
    if (self->fold >= self->folds)
        tl_fail(error, TL_ERROR_ARGUMENT, "--fold %d is outside 0 … %d, the folds of --folds %d", (int)self->fold,
                (int)self->folds - 1, (int)self->folds);
    if (self->in_order && self->folds == 0) tl_fail(error, TL_ERROR_ARGUMENT, "--in-order requires --folds N");
    if (self->in_order && self->reading.group)
        tl_fail(error, TL_ERROR_ARGUMENT,
                "--in-order cuts the data by its order; --group, which keeps groups whole, does not go with it");
    if (self->folds > 0 && self->validation)
        tl_fail(error, TL_ERROR_ARGUMENT, "--validation %s cannot be combined with --folds: both give a validation set",
                self->validation);
    if (all && self->out && self->folds > MAX_SAVED)
        tl_fail(error, TL_ERROR_ARGUMENT,
                "--folds %d --fold all --out %s: at most %d models are saved; use fewer folds, or no --out", (int)self->folds,
                self->out, MAX_SAVED);
    if (all && networks > 1)
        tl_fail(error, TL_ERROR_ARGUMENT, "--fold all trains a network for each fold; it cannot be combined with %zu members",
                networks);
}

static void check_jobs(const train_settings *self, size_t networks, tl_error *error) {
    if (self->jobs > 1 && self->fold != OPTION_ALL && networks < 2)
        tl_fail(error, TL_ERROR_ARGUMENT, "--jobs %d requires several networks: --members N, or --folds N --fold all",
                (int)self->jobs);
    if (self->jobs > 1 && ranks_count() > 1)
        tl_fail(error, TL_ERROR_ARGUMENT, "--jobs %d divides one machine; it does not go with mpirun", (int)self->jobs);
}

static void check_others(const train_settings *self, tl_error *error) {
    if (self->resume && self->init)
        tl_fail(error, TL_ERROR_ARGUMENT, "--resume %s cannot be combined with --init: the checkpoint has all parameters",
                self->resume);
    if (self->synchronise_batch_norm && self->shards == 1)
        tl_fail(error, TL_ERROR_ARGUMENT, "--synchronise-batch-norm requires --shards N, a power of two above 1");
    if (self->freeze && !self->init) tl_fail(error, TL_ERROR_ARGUMENT, "--freeze requires --init MODEL");
    if (self->checkpoint_every > 0 && !self->checkpoint)
        tl_fail(error, TL_ERROR_ARGUMENT, "--checkpoint-every %g requires --checkpoint FILE", self->checkpoint_every);
    if (self->learning_rate > 0 && self->min_rate > self->learning_rate)
        tl_fail(error, TL_ERROR_ARGUMENT, "--lr-min %g exceeds --lr %g: the rate would never fall", self->min_rate,
                self->learning_rate);
    if (self->warmup == 0 && self->schedule && strcmp(self->schedule, "noam") == 0)
        tl_fail(error, TL_ERROR_ARGUMENT, "--warmup 0 contradicts --schedule noam, which rises over at least 1 step");
}

void pairs_check(const train_settings *self, size_t networks, tl_error *error) {
    const char *whole = self->find_rate ? find_given(self, WHOLE) : NULL;
    const char *one = self->fold == OPTION_ALL ? find_given(self, NETWORK) : NULL;
    check_jobs(self, networks, error);
    check_folds(self, networks, error);
    check_others(self, error);
    if (whole) tl_fail(error, TL_ERROR_ARGUMENT, "--find-lr does not train; it cannot be combined with %s", whole);
    if (one) tl_fail(error, TL_ERROR_ARGUMENT, "--fold all trains a network for each fold; it cannot be combined with %s", one);
}
