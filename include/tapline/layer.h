/* tapline/layer.h: what a layer is, for those who write one (advanced; may still change).
 *
 * A layer is a struct that starts with tl_layer, and a `static const tl_layer_ops`. Its builder fills the struct's own fields and
 * hands it to tl_layer_add. setup then checks shapes and declares parameters, once, and is the only slot that can fail; forward and
 * backward return nothing and allocate nothing. See layers/dense.c for a short one.
 */
#ifndef TAPLINE_LAYER_H
#define TAPLINE_LAYER_H

#include <tapline/layers.h>
#include <tapline/model.h>
#include <tapline/random.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct tl_layer tl_layer;
typedef struct tl_workers tl_workers;

/* What one forward or backward call works on. Everything is laid out when the model is compiled. */
typedef struct tl_pass {
    size_t batch;
    bool training;             /* false in TL_MODE_INFERENCE_GRADIENTS too, also in the backward pass of that */
    const size_t *lengths;     /* (batch) how much of each sample of x counts; the rest is 0. NULL: all */
    const size_t *out_lengths; /* (batch) the same of y, which is set to 0 behind them afterwards, as are dx; NULL: all */
    const tl_tensor *x;        /* (inputs of the layer) each (batch, length, channels); data NULL in backward unless TL_READS_X */
    tl_tensor y;               /* (batch, out.length, out.channels); [OUT] of forward; data NULL in backward unless TL_READS_Y */
    tl_tensor dy;              /* backward: the gradient of y */
    tl_tensor *dx;             /* backward [OUT]: overwrite each; data NULL: skip it */
    const bool *adds;          /* (inputs of the layer) of a layer whose ops->adds is set: add to dx[e] instead */
    tl_real *const *parameter; /* (declared parameters) */
    tl_real *const *gradient;  /* backward: add to each; NULL entries: frozen, skip them */
    tl_real *const *state;     /* (declared states) */
    tl_real *saved;            /* what forward leaves for backward: tl_layer.saved elements */
    tl_real *scratch;          /* (ops->scratch elements) contents undefined, aligned to 64 bytes */
    double *sums;              /* (tl_layer.sums) of tl_preparation; NULL in other passes */
    bool frozen;               /* training: the layer is to stay as it is, its states too (tl_freeze) */
    const char **fault;        /* training: may be pointed at a static text that says why the output is not finite */
    const tl_workers *workers;
    uint64_t seed; /* with `node` and `step`: the key of this call's random numbers */
    uint32_t node;
    uint64_t step; /* training passes so far */
} tl_pass;

/* What backward reads beside dy; what it does not name may have been overwritten by then. */
enum { TL_READS_X = 1, TL_READS_Y = 2 };

/* One setting of a layer, as architectures are written (tapline/architecture.h): a member of the layer's struct and its key. A
 * member that is zero has its default and is not written. */
typedef enum tl_setting_kind {
    TL_SETTING_INTEGER, /* int */
    TL_SETTING_SIZE,    /* size_t */
    TL_SETTING_NUMBER,  /* double */
    TL_SETTING_FLAG,    /* bool */
    TL_SETTING_UNLESS,  /* bool that is true where the key says false: "bias" and no_bias */
    TL_SETTING_CHOICE   /* an enum, by the name of its value */
} tl_setting_kind;

typedef struct tl_setting {
    const char *name; /* NULL ends a table */
    tl_setting_kind kind;
    size_t offset;                       /* in the layer's struct */
    const char *(*choice)(size_t value); /* TL_SETTING_CHOICE: the name of a value, NULL behind the last */
} tl_setting;

/* What a layer learns from a pass over training data, beside what gradients teach it: statistics, or features that are fixed from
 * then on. tl_update_statistics hands it the batches, every series once; frozen layers learn nothing. All other layers run as in
 * inference. */
typedef struct tl_preparation {
    /* Adds what a batch of x says to pass->sums, which are 0 before the first one. Writes y too, unless `waits`. Sums have to be
     * the same whatever the number of threads is. */
    void (*see)(const tl_layer *layer, const tl_pass *pass);
    /* From pass->sums, all finite, to pass->state. */
    void (*finish)(const tl_layer *layer, const tl_pass *pass);
    bool waits; /* There is no y before `finish`: layers behind this one learn in a pass of their own, from its final output. */
} tl_preparation;

/* ---- streams (tapline/stream.h) ---- */

/* How a layer goes over a series that comes step by step. Its window k = 0, 1 … is the `extent` steps of each input from
 * k·stride - left on, those before the beginning and behind the end being 0. It makes the outputs k·ups - skip … k·ups - skip + ups
 * - 1, of which those below 0 do not count. */
typedef struct tl_streaming {
    size_t extent, stride, left; /* (1, 1, 0) */
    size_t ups, skip;            /* (1, 0) */
    bool over_all;               /* over all of time: the stream sets extent, stride and `running` (tl_stream_cfg) */
    bool running;                /* over_all: each window goes on from all before it, by the state */
    bool identity;               /* what comes out is what goes in: not run */
    bool relu;                   /* `run` does the work of the ReLU behind the layer, which `absorb` offered */
    size_t packed;               /* elements that `pack` makes of the parameters */
    size_t state;                /* elements that belong to the saved state: 0 before the first window */
    size_t ahead;                /* elements that one call may leave for the next ones: see tl_stream_pass.ahead_until */
    size_t own[4];               /* what the layer finds once and wants in each call */
} tl_streaming;

/* What one call works on. */
typedef struct tl_stream_pass {
    const tl_streaming *how;
    size_t windows;                  /* to compute, from 1 on */
    uint64_t first;                  /* the number of the first one */
    const tl_real *x[TL_MAX_INPUTS]; /* each from the first step of the first window on, (steps, channels) without gaps */
    size_t before, steps;   /* steps of x that lie before the beginning, and that are there with those: what follows is 0 */
    tl_real *y;             /* (windows · ups, out.channels) [OUT] */
    const tl_real *packed;  /* (how->packed) */
    tl_real *state, *ahead; /* (how->state), (how->ahead) */
    uint64_t *ahead_until;  /* the layer's own note on `ahead`: 0 while there is nothing in it */
    const tl_workers *workers;
} tl_stream_pass;

typedef struct tl_stream_ops {
    /* Fills in `how`, which holds the defaults, or fails: why the layer does not work on a stream, and what to use in its place. */
    void (*plan)(const tl_layer *layer, const tl_workers *workers, tl_streaming *how, tl_error *error);
    void (*pack)(const tl_layer *layer, const tl_workers *workers, tl_real *const *parameter, tl_real *const *state,
                 tl_real *packed);
    void (*run)(const tl_layer *layer, const tl_stream_pass *pass);
    bool (*absorb)(const tl_layer *layer, const tl_layer *next); /* whether `run` does the work of `next`, its only reader, if that
                                                                    is a ReLU (NULL: no) */
} tl_stream_ops;

typedef struct tl_layer_ops {
    const char *name;           /* also the tag in messages, parameter names and model files */
    size_t size;                /* of the layer's struct */
    const tl_setting *settings; /* its settings (NULL: none) */
    bool several;               /* takes 2 … TL_MAX_INPUTS inputs, else one (an input layer: none) */
    unsigned reads;             /* TL_READS_… */
    bool in_place;              /* forward works with y over any one x, backward with any one dx over dy */
    bool adds;                  /* backward can add to dx, what other layers sent there before */
    void (*setup)(tl_layer *layer, tl_error *error);
    /* What comes out of series shorter than in[0] (NULL: as much as goes in, where in[0] and out are equally long; a layer where
     * they are not then takes whole series only). */
    size_t (*out_length)(const tl_layer *layer, size_t length);
    size_t (*scratch)(const tl_layer *layer, size_t batch, int threads); /* elements (NULL: none) */
    double (*flops)(const tl_layer *layer); /* see tl_node_flops (NULL: one for each element of the output) */
    void (*forward)(const tl_layer *layer, const tl_pass *pass);
    void (*backward)(const tl_layer *layer, const tl_pass *pass);
    void (*free)(tl_layer *layer); /* what the layer owns beside itself (NULL: nothing) */
    /* Takes over the work of `next`, the only reader of its output, or declines (NULL: declines). Asked once, after setup of both;
     * a layer that is taken over runs neither forward nor backward: its output and gradient are those of the layer that took it. */
    bool (*absorb)(tl_layer *layer, const tl_layer *next);
    bool probabilities; /* makes numbers in 0 … 1, as the cross-entropies do themselves: compile refuses it as the last layer before
                           one of them, also where layers that only select stand between */
    bool selects;       /* each output is an input, or a mean of some: pooling, dropout, flatten */
    const tl_preparation *preparation; /* (NULL: it learns from gradients alone) */
    /* An output depends on the same step of the inputs alone, in inference: the layer works on a stream by `forward`, on each step
     * as a sample of its own. */
    bool stepwise;
    const tl_stream_ops *stream; /* of those that do not, or that are faster otherwise (NULL: none) */
} tl_layer_ops;

enum { TL_MAX_PARAMETERS = 4 };

/* An array that a layer declared. */
typedef struct tl_declared {
    const char *name; /* static: "weight" */
    size_t rank;
    size_t shape[TL_MAX_RANK];
    tl_init init;
    size_t fan_in, fan_out;
} tl_declared;

struct tl_layer {
    const tl_layer_ops *ops;
    size_t inputs;
    tl_shape in[TL_MAX_INPUTS]; /* set before setup */
    tl_shape out;               /* [OUT] of setup; starts as in[0] */
    size_t batch;               /* the largest batch, set before setup */
    int threads;                /* set before setup */
    tl_engine engine;           /* the model's, set before setup */
    size_t saved;               /* [OUT, OPTIONAL] of setup: elements that forward leaves for backward */
    size_t sums;                /* [OUT, OPTIONAL] of setup: numbers that a preparation adds up */
    size_t parameters, states;  /* declared so far */
    tl_declared parameter[TL_MAX_PARAMETERS];
    tl_declared state[TL_MAX_PARAMETERS];
};

/* Adds a layer with the given input nodes: copies the ops->size bytes of its struct, whose `ops` is set and whose other base fields
 * are zero (an input's `out` may be set). Returns its node, or a failed one. The graph owns the copy. A layer owns nothing before
 * setup: what setup allocates, ops->free frees. */
TL_API tl_node tl_layer_add(tl_model *model, const tl_node *inputs, size_t count, const tl_layer *layer);

/* In setup: declares an array that is trained. Its index in pass->parameter is the number declared before it. fan_in and fan_out
 * are what the initialiser divides by. */
TL_API void tl_layer_parameter(tl_layer *layer, const char *name, size_t rank, const size_t *shape, tl_init init, size_t fan_in,
                               size_t fan_out);

/* In setup: declares an array that is kept and saved but not trained, such as a running mean. */
TL_API void tl_layer_state(tl_layer *layer, const char *name, size_t rank, const size_t *shape, tl_init init);

/* In setup: fails, naming the first that differs, unless all inputs have the shape of the first. */
TL_API void tl_layer_same_shapes(const tl_layer *layer, tl_error *error);

/* For `flops`, after setup: the elements of the output of one sample; and that of a layer that only moves numbers: 0. */
TL_API double tl_layer_elements(const tl_layer *layer);
TL_API double tl_no_flops(const tl_layer *layer);

/* ---- work shared by threads ---- */

/* Runs body(context, task, worker) for every task in 0 … tasks-1, `worker` being 0 … tl_workers_count-1; returns when all are done.
 * Which worker runs a task, and in what order, is undefined: results must not depend on it. Serial when `work` (floating-point
 * operations, or elements touched, whichever is more) is too small to share. */
typedef void (*tl_task)(void *context, size_t task, int worker);
TL_API void tl_parallel(const tl_workers *workers, size_t tasks, double work, tl_task body, void *context);

TL_API int tl_workers_count(const tl_workers *workers);

/* Splits `count` items into `parts` runs that differ by at most one: the first item of run `part`. */
TL_API size_t tl_split_at(size_t count, size_t parts, size_t part);

#ifdef __cplusplus
}
#endif
#endif
