/* tapline/optimizer.h: what turns accumulated gradients into a step, and learning-rate schedules. */
#ifndef TAPLINE_OPTIMIZER_H
#define TAPLINE_OPTIMIZER_H

#include <tapline/base.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct tl_optimizer_ops tl_optimizer_ops;

/* Adam (Kingma & Ba 2015), the default. */
TL_API const tl_optimizer_ops *tl_adam(void);

/* AdamW (Loshchilov & Hutter 2019): Adam with weight decay apart from the gradient, as PyTorch's AdamW. */
TL_API const tl_optimizer_ops *tl_adamw(void);

/* Stochastic gradient descent with momentum (Polyak), Nesterov's form and weight decay, as PyTorch's SGD. */
TL_API const tl_optimizer_ops *tl_sgd(void);

/* RMSProp (Tieleman & Hinton 2012, lecture 6.5) with momentum and without centering, as PyTorch's RMSprop. */
TL_API const tl_optimizer_ops *tl_rmsprop(void);

/* AdaGrad (Duchi, Hazan & Singer 2011), as PyTorch's Adagrad. */
TL_API const tl_optimizer_ops *tl_adagrad(void);

/* The optimizer of that name, such as "adam"; fails naming those there are. */
TL_API const tl_optimizer_ops *tl_optimizer_by_name(const char *name, tl_error *error);

/* The name of the optimizer of that index, from 0; NULL behind the last. */
TL_API const char *tl_optimizer_name(size_t index);

/* A weight_decay of 0 where the default is another: AdamW without its decay. */
#define TL_NO_WEIGHT_DECAY (-1.0)

/* Zero means the default in brackets, which are PyTorch's but for the rate of sgd. Fields that an optimizer does not use must be 0:
 * setting one is an error. */
typedef struct tl_optimizer_cfg {
    const tl_optimizer_ops *ops; /* (tl_adam()) */
    double learning_rate;        /* (adam and adamw 1e-3, the others 1e-2) */
    double momentum;             /* sgd, rmsprop (0): in [0, 1) */
    bool nesterov;               /* sgd; needs momentum */
    double weight_decay; /* adamw (1e-2): each step takes this share of the value, times the learning rate; the others (0): an
                            L2 penalty, weight_decay · value added to the gradient */
    double l1;           /* all but adamw (0): an L1 penalty, l1 · sign(value) added to the gradient, 0 at 0 */
    double beta1, beta2; /* adam, adamw (0.9, 0.999): in [0, 1) */
    double alpha;        /* rmsprop (0.99): in [0, 1) */
    double epsilon;      /* adam, adamw, rmsprop (1e-8), adagrad (1e-10) */
} tl_optimizer_cfg;

/* ---- for writing an optimizer ---- */

/* What one step applies to a run of parameters. */
typedef struct tl_update {
    tl_real *value;          /* (count) changed in place */
    const tl_real *gradient; /* (count) sums over samples: multiply by `scale` */
    tl_real *const *moment;  /* `moments` arrays of (count), zero before the first step */
    size_t count;
    double scale;                           /* 1 / samples, times the clipping factor */
    uint64_t step;                          /* 1 for the first */
    double learning_rate, weight_decay, l1; /* of this run; from 0 on */
    const tl_optimizer_cfg *cfg;            /* of the model, defaults filled in */
} tl_update;

enum { TL_MAX_MOMENTS = 4 };

struct tl_optimizer_ops {
    const char *name;
    size_t moments; /* arrays of the size of the parameters that it keeps, at most TL_MAX_MOMENTS */
    /* Fills in defaults and checks ranges; the only slot that can fail. */
    tl_status (*prepare)(tl_optimizer_cfg *cfg, tl_error *error);
    void (*update)(const tl_update *update);
};

/* ---- schedules ----
 *
 * A schedule says the learning rate of each step, starting from the one that the optimizer was given. Use:
 *
 *     tl_schedule_new, then for every step: tl_set_learning_rate(model, tl_schedule_rate(schedule)), the step,
 *     tl_schedule_step; at the end of each epoch: tl_schedule_epoch.
 *
 * tl_fit does so by itself. Reductions by `factor` end at `minimum`; a rate that starts below it stays. */

typedef enum tl_schedule_kind {
    TL_SCHEDULE_CONSTANT = 0,
    TL_SCHEDULE_PLATEAU,     /* · factor after `patience` epochs without a lower training loss; Keras's ReduceLROnPlateau */
    TL_SCHEDULE_STEP,        /* · factor after every `period` epochs; PyTorch's StepLR */
    TL_SCHEDULE_EXPONENTIAL, /* · factor after every epoch */
    TL_SCHEDULE_COSINE,      /* half a cosine from the start down to `minimum` over all steps (Loshchilov & Hutter 2017, equation 5,
                                without restarts) */
    TL_SCHEDULE_ONE_CYCLE, /* half cosines up from a 25th of the rate, which is reached after 0.3 of all steps, and down to a 10⁴th
                              of that (Smith 2018; PyTorch's OneCycleLR, without its cycle of the momentum) */
    TL_SCHEDULE_NOAM, /* rate · min(t / warmup, sqrt(warmup / t)) at step t = 1, 2 …; Vaswani et al. 2017, equation 3, with the
                         peak as the rate: theirs is (width · warmup)^-1/2 */
    TL_SCHEDULE_KING  /* · factor when the last `patience` steps' losses do not fall: when a line through them, and one through
                         all but the largest tenth, slopes down with a probability below 0.51 (King 2018, as in dlib); the
                         losses so far are then forgotten */
} tl_schedule_kind;

enum { TL_SCHEDULE_LOSSES = 1024 };

/* Zero means the default in brackets. Fields that a schedule does not use must be 0: setting one is an error. */
typedef struct tl_schedule_cfg {
    tl_schedule_kind kind;
    double factor;  /* plateau (0.5), step (0.1), exponential (0.95), king (0.1): in (0, 1) */
    int patience;   /* plateau (50): epochs; king (500): steps, 3 … TL_SCHEDULE_LOSSES */
    int period;     /* step (30): epochs */
    double minimum; /* plateau (1e-4), step, exponential, cosine, king (0) */
    int warmup;     /* noam (4000), others (0): steps; at step t = 1 … warmup the rate is t / warmup of what the schedule says */
} tl_schedule_cfg;

/* Sets kind to the schedule of that name, such as "plateau"; fails naming those there are. */
TL_API tl_status tl_schedule_by_name(const char *name, tl_schedule_kind *kind, tl_error *error);

/* The name of a schedule; NULL where there is none. */
TL_API const char *tl_schedule_name(tl_schedule_kind kind);

/* A schedule at work. */
typedef struct tl_schedule tl_schedule;

/* A schedule that starts from `learning_rate` (cosine and one-cycle: over `steps` steps, at least 1). `cfg` NULL: constant. Free it
 * with tl_schedule_free. Fails, NULL, for values out of range and those that do not apply to the kind. */
static inline tl_schedule *tl_schedule_new(const tl_schedule_cfg *cfg, double learning_rate, uint64_t steps, tl_error *error);

/* A copy, which continues from where the schedule is. NULL when memory is short. */
TL_API tl_schedule *tl_schedule_copy(const tl_schedule *schedule, tl_error *error);

/* NULL is fine. */
TL_API void tl_schedule_free(tl_schedule *schedule);

/* The learning rate of the next step. */
TL_API double tl_schedule_rate(const tl_schedule *schedule);

/* A step was taken, on samples of this mean loss. */
TL_API void tl_schedule_step(tl_schedule *schedule, double loss);

/* An epoch ended, with this mean loss. */
TL_API void tl_schedule_epoch(tl_schedule *schedule, double loss);

/* ---- how structs may grow (see tapline/base.h) ---- */

TL_API tl_schedule *tl_schedule_new_sized(const tl_schedule_cfg *cfg, size_t size, double learning_rate, uint64_t steps,
                                          tl_error *error);

static inline tl_schedule *tl_schedule_new(const tl_schedule_cfg *cfg, double learning_rate, uint64_t steps, tl_error *error) {
    return tl_schedule_new_sized(cfg, sizeof *cfg, learning_rate, steps, error);
}

#ifdef __cplusplus
}
#endif
#endif
