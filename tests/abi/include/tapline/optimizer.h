/* tapline/optimizer.h: optimizers, which compute a step from accumulated gradients, and learning-rate schedules. */
#ifndef TAPLINE_OPTIMIZER_H
#define TAPLINE_OPTIMIZER_H

#include <tapline/base.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct tl_optimizer_ops tl_optimizer_ops;

/* Adam (Kingma & Ba 2015), the default. */
TL_API const tl_optimizer_ops *tl_adam(void);

/* AdamW (Loshchilov & Hutter 2019): Adam with weight decay that is separate from the gradient; as PyTorch's AdamW. */
TL_API const tl_optimizer_ops *tl_adamw(void);

/* Stochastic gradient descent with momentum (Polyak), optionally Nesterov's, and weight decay; as PyTorch's SGD. */
TL_API const tl_optimizer_ops *tl_sgd(void);

/* RMSProp (Tieleman & Hinton 2012, lecture 6.5) with momentum, not centred; as PyTorch's RMSprop. */
TL_API const tl_optimizer_ops *tl_rmsprop(void);

/* AdaGrad (Duchi, Hazan & Singer 2011); as PyTorch's Adagrad. */
TL_API const tl_optimizer_ops *tl_adagrad(void);

/* Returns the optimizer of that name, such as "adam"; or NULL, and fails with a list of all names. */
TL_API const tl_optimizer_ops *tl_optimizer_by_name(const char *name, tl_error *error);

/* Returns the name of the optimizer of that index, from 0; NULL after the last one. */
TL_API const char *tl_optimizer_name(size_t index);

/* A weight_decay of 0 for optimizers with another default: AdamW without weight decay. */
#define TL_NO_WEIGHT_DECAY (-1.0)

/* Zero means the default in brackets. Defaults are those of PyTorch, except the learning rate of sgd. A field that the optimizer
 * does not use must be 0; otherwise tl_model_compile fails. */
typedef struct tl_optimizer_cfg {
    const tl_optimizer_ops *ops; /* (tl_adam()) */
    double learning_rate;        /* (adam and adamw 1e-3, others 1e-2) */
    double momentum;             /* sgd, rmsprop (0): in [0, 1) */
    bool nesterov;               /* sgd: Nesterov's momentum; needs momentum */
    double weight_decay; /* adamw (1e-2): each step subtracts learning_rate · weight_decay · value; others (0): L2 penalty,
                            weight_decay · value is added to the gradient */
    double l1;           /* all but adamw (0): L1 penalty, l1 · sign(value) is added to the gradient */
    double beta1, beta2; /* adam, adamw (0.9, 0.999): in [0, 1) */
    double alpha;        /* rmsprop (0.99): in [0, 1) */
    double epsilon;      /* adam, adamw, rmsprop (1e-8), adagrad (1e-10) */
} tl_optimizer_cfg;

/* ---- for writing an optimizer ---- */

/* The arguments of one step for consecutive parameters with the same settings. */
typedef struct tl_update {
    tl_real *value;          /* (count) [IN, OUT] the parameters */
    const tl_real *gradient; /* (count) sums over samples: multiply them by `scale` */
    tl_real *const *moment;  /* (ops->moments) arrays of (count) [IN, OUT], zero before the first step */
    size_t count;
    double scale;                           /* 1 / samples, times the factor of clipping */
    uint64_t step;                          /* number of the step, from 1 */
    double learning_rate, weight_decay, l1; /* for these parameters, each at least 0 */
    const tl_optimizer_cfg *cfg;            /* the configuration of the model, with defaults filled in */
} tl_update;

enum { TL_MAX_MOMENTS = 4 };

struct tl_optimizer_ops {
    const char *name;
    size_t moments; /* number of arrays that it keeps for each parameter, at most TL_MAX_MOMENTS */
    /* Fills in defaults and checks ranges; only this function may fail. */
    tl_status (*prepare)(tl_optimizer_cfg *cfg, tl_error *error);
    void (*update)(const tl_update *update);
    void *reserved[4]; /* for later fields: NULL */
};

/* ---- schedules ----
 *
 * A schedule gives the learning rate of each step. It starts from the learning rate of the optimizer. tl_fit follows a schedule by
 * itself; a training loop of your own uses it as follows:
 *
 *     tl_schedule_new; for every step: tl_set_learning_rate(model, tl_schedule_rate(schedule)), the step,
 *     tl_schedule_step; at the end of each epoch: tl_schedule_epoch
 *
 * Reductions by `factor` stop at `minimum`; a rate that starts below `minimum` stays as it is. */

typedef enum tl_schedule_kind {
    TL_SCHEDULE_CONSTANT = 0,
    TL_SCHEDULE_PLATEAU,     /* rate · factor after `patience` epochs without a lower training loss; Keras's ReduceLROnPlateau */
    TL_SCHEDULE_STEP,        /* rate · factor after every `period` epochs; PyTorch's StepLR */
    TL_SCHEDULE_EXPONENTIAL, /* rate · factor after every epoch */
    TL_SCHEDULE_COSINE, /* half a cosine from the first rate down to `minimum`, over all steps (Loshchilov & Hutter 2017, equation
                           5, without restarts) */
    TL_SCHEDULE_ONE_CYCLE, /* half a cosine from rate / 25 up to rate, over the first 0.3 of all steps, and half a cosine down to
                              rate / 250000 (Smith 2018; PyTorch's OneCycleLR without its cycle of the momentum) */
    TL_SCHEDULE_NOAM, /* rate · min(t / warmup, sqrt(warmup / t)) at step t = 1, 2 …; Vaswani et al. 2017, equation 3, where the
                         peak rate is (width · warmup)^-1/2 */
    TL_SCHEDULE_KING  /* rate · factor when the losses of the last `patience` steps do not fall (King 2018, as in dlib): a line is
                         fitted to them, and another one to all but the largest tenth; the probability that the line falls must be
                         below 0.51 for both. After a reduction the earlier losses are forgotten */
} tl_schedule_kind;

enum { TL_SCHEDULE_LOSSES = 1024 };

/* Zero means the default in brackets. A field that the schedule does not use must be 0; otherwise it is an error. */
typedef struct tl_schedule_cfg {
    tl_schedule_kind kind;
    double factor;  /* plateau (0.5), step (0.1), exponential (0.95), king (0.1): in (0, 1) */
    int patience;   /* plateau (50): epochs; king (500): steps, 3 … TL_SCHEDULE_LOSSES */
    int period;     /* step (30): epochs between reductions */
    double minimum; /* plateau (1e-4), step, exponential, cosine, king (0): the lowest rate */
    int warmup;     /* noam (4000), others (0): steps; at step t = 1 … warmup the rate is multiplied by t / warmup */
    char reserved[4];
} tl_schedule_cfg;

/* Sets *kind to the schedule of that name, such as "plateau", or fails with a list of all names. */
TL_API tl_status tl_schedule_by_name(const char *name, tl_schedule_kind *kind, tl_error *error);

/* Returns the name of a schedule; NULL for any other number. */
TL_API const char *tl_schedule_name(tl_schedule_kind kind);

/* The state of a schedule; used by one thread at a time. */
typedef struct tl_schedule tl_schedule;

/* Creates a schedule that starts from `learning_rate`; free it with tl_schedule_free. cosine and one-cycle run over `steps` steps,
 * at least 1. `cfg` NULL: constant. Returns NULL, and fails, if a value is out of range or does not apply to the kind. */
static inline tl_schedule *tl_schedule_new(const tl_schedule_cfg *cfg, double learning_rate, uint64_t steps, tl_error *error);

/* Returns a copy, which continues from the same state; free it with tl_schedule_free. NULL when memory is short. */
TL_API tl_schedule *tl_schedule_copy(const tl_schedule *schedule, tl_error *error);

/* Frees a schedule. NULL is allowed. */
TL_API void tl_schedule_free(tl_schedule *schedule);

/* Returns the learning rate of the next step. */
TL_API double tl_schedule_rate(const tl_schedule *schedule);

/* Call it after each step, with the mean loss of its samples. */
TL_API void tl_schedule_step(tl_schedule *schedule, double loss);

/* Call it after each epoch, with the mean loss of the epoch. */
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
