/* tapline/layer.h: the interface of a layer, for those who write one (advanced; may still change).
 *
 * A layer is a struct that begins with tl_layer, and a `static const tl_layer_ops`. Its builder fills in the fields of the struct
 * and passes it to tl_layer_add. `setup` then checks shapes and declares parameters. It runs once and is the only function of a
 * layer that may fail: `forward` and `backward` return nothing and allocate nothing. layers/dense.c is a short example.
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

/* The arguments of one forward or backward call. All arrays are allocated when the model is compiled. */
typedef struct tl_pass {
    size_t batch;
    bool training; /* false in TL_MODE_INFERENCE_GRADIENTS, in its backward pass too */
    /* (batch) the steps of each sample of x that are data; x is 0 from there on (see ops->reads_behind). NULL: all steps */
    const size_t *lengths;
    /* (batch) the same for y; the core sets y and dx to 0 from there on after the call, so that a layer need not compute these
     * steps. NULL: all steps */
    const size_t *out_lengths;
    /* (inputs of the layer) each (batch, length, channels); in backward data is NULL unless ops->reads has TL_READS_X */
    const tl_tensor *x;
    tl_tensor y; /* (batch, out.length, out.channels) [OUT] of forward; in backward data is NULL unless ops->reads has TL_READS_Y */
    tl_tensor dy;     /* backward: the gradient of y, same shape */
    tl_tensor *dx;    /* backward [OUT]: (inputs of the layer) the gradient of each x, to be overwritten; data NULL: not needed */
    const bool *adds; /* (inputs of the layer) only where ops->adds is set: true: add to dx[e] instead of overwriting it */
    tl_real *const *parameter; /* (declared parameters) in the order of declaration */
    tl_real *const *gradient;  /* backward: (declared parameters) add to each; NULL: the parameter is frozen, skip it */
    tl_real *const *state;     /* (declared states) in the order of declaration */
    tl_real *saved;            /* (tl_layer.saved) what forward keeps for backward */
    tl_real *scratch;          /* (result of ops->scratch) temporary memory, aligned to 64 bytes, with undefined contents */
    double *sums;              /* (tl_layer.sums) for tl_preparation; NULL in other passes */
    bool frozen;               /* training: the layer must not change, its states included (tl_freeze) */
    const char **fault;        /* training [OUT, OPTIONAL]: a static text that says why the output is not finite */
    const tl_workers *workers;
    uint64_t seed; /* seed, node and step together are the key of the random numbers of this call */
    uint32_t node;
    uint64_t step;     /* number of training passes so far */
    size_t place;      /* training: of the first sample of this pass in its batch; above 0 where the batch is divided into shards */
    bool rectify;      /* forward, only where ops->rectifies is set: y = max(y, 0); NaN stays NaN */
    const bool *masks; /* backward, (inputs of the layer) only where ops->masks is set, x is then there: true: dx[e] = 0 where x[e]
                          is not above 0 */
} tl_pass;

/* Which arrays backward reads besides dy. Arrays that are not named here may have been overwritten by then. */
enum { TL_READS_X = 1, TL_READS_Y = 2 };

/* A setting of a layer in JSON (tapline/architecture.h): a member of the layer's struct, and its key. A member that is 0 has its
 * default and is not written. */
typedef enum tl_setting_kind {
    TL_SETTING_INTEGER, /* int */
    TL_SETTING_SIZE,    /* size_t */
    TL_SETTING_NUMBER,  /* double */
    TL_SETTING_FLAG,    /* bool */
    TL_SETTING_UNLESS,  /* bool that is true where the key is false: member no_bias, key "bias" */
    TL_SETTING_CHOICE   /* an enum, written as the name of its value */
} tl_setting_kind;

typedef struct tl_setting {
    const char *name; /* the key; NULL ends the table */
    tl_setting_kind kind;
    size_t offset;                       /* of the member in the layer's struct */
    const char *(*choice)(size_t value); /* TL_SETTING_CHOICE: the name of a value; NULL after the last one */
} tl_setting;

/* What a layer learns from a pass over the training data and not from gradients, such as statistics. tl_update_statistics passes it
 * every series once, in batches, while all other layers run in inference mode. Frozen layers are left out. */
typedef struct tl_preparation {
    /* Adds the statistics of a batch of x to pass->sums, which are 0 before the first batch; with `join`, before every batch. Also
     * writes y, unless `waits` is set. The sums must not depend on the number of threads. */
    void (*accumulate)(const tl_layer *layer, const tl_pass *pass);
    /* Computes pass->state from pass->sums, which are all finite. */
    void (*finish)(const tl_layer *layer, const tl_pass *pass);
    bool waits; /* The layer has no y before `finish`. The layers after it then learn in another pass, in which this layer has its
                   final state. */
    /* Adds the sums of a batch to those of the batches before it, which are 0 before the first batch. Ranks then divide the batches
     * (tl_fit_cfg.exchange). NULL: every rank passes through all of them. */
    void (*join)(const tl_layer *layer, double *sums, const double *of_batch);
    void *reserved[3]; /* for later fields: NULL */
} tl_preparation;

/* ---- streams (tapline/stream.h) ---- */

/* How a layer processes a series step by step. Window number k = 0, 1 … consists of `extent` steps of each input, from step
 * k·stride - left on; steps before the beginning and after the end of the series count as 0. Window k produces the `outputs`
 * outputs from number k·outputs - skip on; outputs with a negative number are dropped. */
typedef struct tl_streaming {
    size_t extent, stride, left; /* (1, 1, 0) of a window, in steps */
    size_t outputs, skip;        /* (1, 0) outputs of a window; outputs that are dropped at the beginning */
    bool over_all;       /* the layer reduces over all of time: the stream sets extent, stride and `running` from tl_stream_cfg */
    bool running;        /* with over_all: each window continues from all earlier steps, by means of the state */
    bool identity;       /* the output equals the input: the layer is not run */
    bool relu;           /* `run` also applies the ReLU after the layer (see `absorb`) */
    size_t packed;       /* elements of the array that `pack` makes from the parameters */
    size_t state;        /* elements of the state, which tl_stream_save stores; 0 before the first window */
    size_t partial;      /* elements in which a call may keep partial results for later calls (tl_stream_pass.partial_until) */
    size_t constants[4]; /* constants that the layer computes in `plan` and needs in each call */
} tl_streaming;

/* The arguments of one call of `run`. */
typedef struct tl_stream_pass {
    const tl_streaming *streaming;
    size_t windows;                  /* number of windows to compute, at least 1 */
    uint64_t first;                  /* number of the first of these windows */
    const tl_real *x[TL_MAX_INPUTS]; /* (steps, channels) of each input, contiguous, from the first step of the first window on */
    size_t before, steps;     /* the first `before` steps of x lie before the beginning of the series; x has `steps` steps, these
                                 included, and the steps that are missing at its end count as 0 */
    tl_real *y;               /* [OUT] (windows · outputs, out.channels) */
    const tl_real *packed;    /* (streaming->packed) from `pack` */
    tl_real *state, *partial; /* (streaming->state), (streaming->partial) */
    uint64_t *partial_until;  /* [IN, OUT] a number of the layer's own that says what `partial` holds; 0 while it holds nothing */
    const tl_workers *workers;
} tl_stream_pass;

typedef struct tl_stream_ops {
    /* Fills in `streaming`, which holds the defaults. Fails where the layer does not work on a stream; the message says why and
     * which layer to use instead. */
    void (*plan)(const tl_layer *layer, const tl_workers *workers, tl_streaming *streaming, tl_error *error);
    void (*pack)(const tl_layer *layer, const tl_workers *workers, tl_real *const *parameter, tl_real *const *state,
                 tl_real *packed);
    void (*run)(const tl_layer *layer, const tl_stream_pass *pass);
    bool (*absorb)(const tl_layer *layer, const tl_layer *next); /* returns whether `run` also computes `next`, a ReLU that is the
                                                                    only reader of the output (NULL: false) */
    void *reserved[4];                                           /* for later fields: NULL */
} tl_stream_ops;

/* ---- inference in a model that is compiled with inference_only ----
 *
 * There a layer may keep its weights in the order in which it reads them (packed), and do the work of the layers after it before it
 * stores its outputs. The core decides this when it compiles the model, and packs the weights before the next pass after they were
 * written. Results have the same bits as those of the layers one by one, except that an affine layer is folded into the weights.
 */

/* What a layer does to each element of its input, if that is all that it does in inference. */
typedef enum tl_elementwise {
    TL_ELEMENTWISE_NONE = 0, /* something else */
    TL_ELEMENTWISE_IDENTITY, /* y = x */
    TL_ELEMENTWISE_RELU,     /* y = max(x, 0); NaN stays NaN */
    TL_ELEMENTWISE_AFFINE,   /* y = factor · (x - centre) + term, with numbers for each channel, as batch norm */
    TL_ELEMENTWISE_SUM,      /* the sum of the inputs */
    TL_ELEMENTWISE_CONCAT    /* the channels of all inputs, one after the other */
} tl_elementwise;

/* The numbers of TL_ELEMENTWISE_AFFINE, each (channels). */
typedef struct tl_affine_numbers {
    double *factor, *centre, *term;
} tl_affine_numbers;

/* The arguments of `pack`. */
typedef struct tl_packing {
    const tl_workers *workers;
    tl_real *const *parameter;       /* (declared parameters), as written */
    const tl_affine_numbers *affine; /* (out.channels) to be folded into the weights and the bias, in double; NULL: nothing */
    tl_real *scratch;                /* (result of `pack_scratch`) temporary memory, aligned to 64 bytes */
    tl_real *packed;                 /* [OUT] (result of `packed`), aligned to 64 bytes */
} tl_packing;

/* What a layer does with each output y before it stores it, in this order. All zero: nothing. */
typedef struct tl_finish {
    bool relu;            /* y = max(y, 0); NaN stays NaN */
    bool relu_after;      /* the same after the sum with `added` */
    const tl_real *added; /* (batch, out.length, out.channels) y = y + added; NULL: nothing. It does not overlap y */
    const tl_real *mask;  /* (batch, out.length, out.channels) y = 0 where this is not above 0; NULL: nothing. Only alone */
} tl_finish;

typedef struct tl_inference_ops {
    /* of a layer whose work a layer before may do */
    tl_elementwise does;
    /* TL_ELEMENTWISE_AFFINE: computes the numbers [OUT]. */
    void (*affine)(const tl_layer *layer, tl_real *const *parameter, tl_real *const *state, const tl_affine_numbers *numbers);
    /* of a layer with packed weights (NULL: none) */
    size_t (*packed)(const tl_layer *layer); /* elements of the packed weights and biases, for any batch */
    size_t (*pack_scratch)(const tl_layer *layer);
    void (*pack)(const tl_layer *layer, const tl_packing *packing);
    /* Replaces `forward`. pass->parameter must not be read. */
    void (*run)(const tl_layer *layer, const tl_pass *pass, const tl_real *packed, const tl_finish *finish);
    void *reserved[4]; /* for later fields: NULL */
} tl_inference_ops;

typedef struct tl_layer_ops {
    const char *name;           /* also its name in messages, parameters and model files */
    size_t size;                /* of the layer's struct, in bytes */
    const tl_setting *settings; /* its settings in JSON (NULL: none) */
    bool multiple_inputs;       /* the layer has 2 … TL_MAX_INPUTS inputs; else it has one, or none if it is the input layer */
    unsigned reads;             /* a sum of TL_READS_… */
    bool in_place;              /* y may be the same memory as one of the x, and one dx the same as dy */
    bool adds;                  /* backward honours tl_pass.adds */
    void (*setup)(tl_layer *layer, tl_error *error);
    /* Returns the output length for an input of `length` steps, at most in[0].length. NULL: the same length, if in[0] and out have
     * the same length; otherwise the layer takes only series of full length. */
    size_t (*out_length)(const tl_layer *layer, size_t length);
    size_t (*scratch)(const tl_layer *layer, size_t batch, int threads); /* elements of tl_pass.scratch (NULL: none) */
    double (*flops)(const tl_layer *layer); /* see tl_node_flops (NULL: one for each element of the output) */
    void (*forward)(const tl_layer *layer, const tl_pass *pass);
    void (*backward)(const tl_layer *layer, const tl_pass *pass);
    void (*free)(tl_layer *layer); /* frees what `setup` allocated (NULL: nothing) */
    /* Returns whether this layer also does the work of `next`, the only reader of its output (NULL: false). Called once, after
     * `setup` of both layers. If it returns true, forward and backward of `next` are not called; the output and gradient of `next`
     * are then those of this layer. */
    bool (*absorb)(tl_layer *layer, const tl_layer *next);
    bool probabilities; /* the outputs are probabilities. The cross-entropies compute probabilities themselves, so tl_model_compile
                           refuses such a layer as the last one before them, also if only layers with `selects` follow it */
    bool selects;       /* each output is one of the inputs or a mean of some of them: pooling, dropout, flatten */
    const tl_preparation *preparation; /* (NULL: the layer learns from gradients only) */
    /* In inference, an output depends only on the same step of the inputs. On a stream, `forward` is then called with each step as
     * a sample of its own. */
    bool stepwise;
    const tl_stream_ops *stream;       /* for layers that are not stepwise, or that have a faster way (NULL: none) */
    const tl_inference_ops *inference; /* (NULL: none) */
    bool rectifies;                    /* forward honours tl_pass.rectify: it computes a ReLU behind the layer in training */
    bool masks;                        /* backward honours tl_pass.masks: it computes the gradient of a ReLU before the layer */
    bool same_gradients; /* the gradients of all inputs are equal, except for masks: several dx may be the same memory */
    char unused[5];
    /* Returns how many steps behind the length of a sample must be 0 in x, y and dy (SIZE_MAX: all). The core sets as many steps to
     * 0 as the layers that read an array need; later steps are undefined, and no result may depend on them. NULL: all steps. */
    size_t (*reads_behind)(const tl_layer *layer);
    void *reserved[5]; /* for later fields: NULL */
} tl_layer_ops;

enum { TL_MAX_PARAMETERS = 4 };

/* An array that a layer declared in `setup`. */
typedef struct tl_declared {
    const char *name; /* static text, such as "weight" */
    size_t rank;
    size_t shape[TL_MAX_RANK];
    tl_init init;
    size_t fan_in, fan_out;
} tl_declared;

struct tl_layer {
    const tl_layer_ops *ops;
    size_t inputs;
    tl_shape in[TL_MAX_INPUTS]; /* shapes of the inputs, set before setup */
    tl_shape out;               /* [OUT] of setup: the shape of the output; initially in[0] */
    size_t batch;               /* the largest batch; set before setup */
    int threads;                /* number of threads; set before setup */
    tl_engine engine;           /* the engine of the model; set before setup */
    size_t saved;               /* [OUT, OPTIONAL] of setup: elements of tl_pass.saved */
    size_t sums;                /* [OUT, OPTIONAL] of setup: elements of tl_pass.sums */
    size_t parameters, states;  /* number of arrays declared so far in parameter[] and state[] */
    tl_declared parameter[TL_MAX_PARAMETERS];
    tl_declared state[TL_MAX_PARAMETERS];
    void *reserved[8]; /* for later fields: NULL */
};

/* Adds a layer that reads the nodes inputs: (count). Copies ops->size bytes of the layer's struct; the model owns the copy.
 * `layer->ops` must be set and the other fields of tl_layer must be zero (for an input layer, `out` may be set). Returns the node
 * of the layer, or a failed node. Before `setup` a layer owns nothing: ops->free frees what setup allocates. */
TL_ADVANCED tl_node tl_layer_add(tl_model *model, const tl_node *inputs, size_t count, const tl_layer *layer);

/* Call it in setup: declares an array that is trained. Its index in pass->parameter is the number of earlier declarations. The
 * initialiser `init` uses fan_in and fan_out (tl_init). */
TL_ADVANCED void tl_layer_parameter(tl_layer *layer, const char *name, size_t rank, const size_t *shape, tl_init init,
                                    size_t fan_in, size_t fan_out);

/* Call it in setup: declares an array that is kept and saved but not trained, such as a running mean. Its index in pass->state is
 * the number of earlier declarations. */
TL_ADVANCED void tl_layer_state(tl_layer *layer, const char *name, size_t rank, const size_t *shape, tl_init init);

/* Call it in setup: fails unless all inputs have the shape of the first; the message names the first input that differs. */
TL_ADVANCED void tl_layer_same_shapes(const tl_layer *layer, tl_error *error);

/* For tl_layer_ops.flops. tl_layer_elements returns the number of elements of the output of one sample; valid after setup.
 * tl_no_flops returns 0, for layers that only move numbers. */
TL_ADVANCED double tl_layer_elements(const tl_layer *layer);
TL_ADVANCED double tl_no_flops(const tl_layer *layer);

/* ---- work shared by threads ---- */

/* Calls body(context, task, worker) for every task in 0 … tasks - 1, with worker in 0 … tl_workers_count - 1, and returns when all
 * are done. It is undefined which worker runs a task, and in which order: results must not depend on it. `work` is the number of
 * floating-point operations, or of elements that are touched if that is larger; small work runs on the calling thread alone. */
typedef void (*tl_task)(void *context, size_t task, int worker);
TL_ADVANCED void tl_parallel(const tl_workers *workers, size_t tasks, double work, tl_task body, void *context);

TL_ADVANCED int tl_workers_count(const tl_workers *workers);

/* Divides `count` items into `parts` parts of consecutive items, whose sizes differ by at most one. Returns the index of the first
 * item of part `part`. */
TL_ADVANCED size_t tl_split_at(size_t count, size_t parts, size_t part);

#ifdef __cplusplus
}
#endif
#endif
