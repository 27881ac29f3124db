/* graph.h: what a model is made of. Built by graph.c, laid out by compile.c, run by run.c. */
#ifndef TL_GRAPH_H
#define TL_GRAPH_H

#include <tapline/dataset.h>
#include <tapline/layer.h>

#include "compute/parallel.h"
#include "graph/loss.h"

#include <stdatomic.h>

enum { TL_MAX_LAYERS = 4096 }; /* beside the input */
enum { TL_MODES = 2 };         /* tl_mode: TL_MODE_TRAINING, TL_MODE_INFERENCE */

/* A layer in its place, with everything that its passes work on. */
typedef struct tl_vertex {
    tl_layer *layer;
    int input[TL_MAX_INPUTS];
    char name[48]; /* such as "conv1d_2" */
    bool live;     /* leads to the output */
    bool shown;    /* its outputs are those of the model, or selected for them */
    bool frozen;
    tl_group_cfg group;
    bool absorbed;       /* the layer before it does its work */
    bool needs_gradient; /* it or something before it is trained */

    /* laid out by compile */
    size_t first, count; /* its run in the flat parameter buffer */
    size_t first_state;  /* where its states begin in theirs */
    tl_real *parameter[TL_MAX_PARAMETERS];
    tl_real *gradient[TL_MAX_PARAMETERS];        /* where they accumulate */
    tl_real *active_gradient[TL_MAX_PARAMETERS]; /* the same, or NULL where frozen */
    tl_real *state[TL_MAX_PARAMETERS];
    tl_tensor x[TL_MODES][TL_MAX_INPUTS]; /* of forward, by tl_mode */
    tl_tensor backward_x[TL_MAX_INPUTS];
    tl_tensor dx[TL_MAX_INPUTS];
    tl_real *dx_memory[TL_MAX_INPUTS]; /* where the gradient of an input goes when it is wanted */
    bool dx_added[TL_MAX_INPUTS];      /* that is a temporary: add it to what other layers sent that input */
    bool dx_adds[TL_MAX_INPUTS];       /* the layer does so itself */
    tl_real *dy;                       /* the gradient of its output */
    tl_pass forward[TL_MODES], backward;
    size_t *lengths;   /* (batch) of its output, where samples have lengths of their own */
    const char *fault; /* why its output was not finite in a pass since the last step; NULL: it does not say so */
} tl_vertex;

/* A run of trained parameters of one group in the flat buffers. */
typedef struct tl_run {
    size_t first, count;
    tl_group_cfg group;
} tl_run;

/* Which array of which layer. */
typedef struct tl_array_place {
    uint32_t vertex;
    uint16_t index;
    bool state;
} tl_array_place;

/* What the lower tier has been called for last: each call checks that its turn has come. */
typedef enum tl_stage { TL_STAGE_NOTHING = 0, TL_STAGE_FORWARD, TL_STAGE_LOSS } tl_stage;

struct tl_model {
    tl_error error;
    _Atomic uintptr_t holder; /* the thread whose turn it is (turn.h); 0: none */
    atomic_bool disturbed;    /* by another one */
    uint64_t seed;
    tl_workers workers;
    tl_engine engine;
    tl_vertex *vertex;
    size_t vertices, capacity;

    /* from compile on */
    bool compiled, inference_only, plan_only, input_gradient;
    int input, output;
    size_t batch;     /* the largest */
    size_t batch_now; /* that the tensors are set to */
    size_t *lengths;  /* (vertices, batch) */
    size_t given;     /* lengths that are set for the next forward pass; 0: none */
    bool has_lengths; /* the pass under way has lengths */
    tl_loss_spec loss;
    tl_scaling scaling; /* of the series that it was trained on, in channels of the input; TL_NORMALIZE_DEFAULT: not known */
    tl_scaling
        targets; /* of target values, in channels of the output: TL_NORMALIZE_SET, or none; TL_NORMALIZE_DEFAULT: tl_fit says */
    tl_optimizer_cfg optimizer;
    double clip_norm, clip_value;
    tl_real *arena; /* activations, their gradients, saved values, scratch */
    size_t arena_count;
    tl_real *parameters, *gradients, *states;
    size_t parameter_count, state_count; /* with the padding that keeps arrays aligned */
    bool names_all;                      /* layers that are left out count in the names of those behind them */
    size_t max_parameters;               /* that compile accepts, states included */
    size_t max_memory;                   /* bytes that it may plan */
    tl_array_place *array;               /* (arrays) in the order of tl_parameter_at */
    size_t arrays;
    tl_real **moment;   /* (optimizer.ops->moments) */
    double *norm_parts; /* partial sums of the gradient norm */
    tl_run *run;        /* what the optimizer moves */
    size_t runs;

    /* while it runs */
    tl_stage stage;
    tl_mode mode; /* whose memory the last pass ran in */
    bool still;   /* layers are held as in inference in the memory of training (TL_MODE_INFERENCE_GRADIENTS) */
    bool loss_not_finite;
    uint64_t passes, steps; /* training passes, optimizer steps */
    double loss_weight;     /* of the last loss */
    size_t samples;         /* in the gradient buffer */
    double weight;          /* the sum of their weights */
};

/* Hands the error of the model, which may be NULL, to the caller's; TL_OK where it has none. */
tl_status tl_report(const tl_model *model, tl_error *error);

/* What `vertex` is in messages: fails the model's error with "layer 2 (conv1d): text". */
void tl_layer_fail(tl_error *error, tl_status status, size_t index, const char *layer, const char *text);

/* Names each layer: its kind, and which of its kind it is. */
tl_status tl_name_vertices(tl_model *model);

/* Bytes that the model takes, or will: its arena, parameters, gradients, moments, statistics and lengths. */
double tl_planned_memory(const tl_model *model);

/* Part of compile: plans the arena; fails where the whole model takes more memory than it may; allocates the arena and points every
 * pass at its memory. */
tl_status tl_plan_arena(tl_model *model);

/* Checks x and points every pass of that mode at it; false, with the model's error, where it cannot run. */
bool tl_begin_forward(tl_model *model, const tl_tensor *x, tl_mode mode);

/* The lengths that were given, or whole series, for the pass that begins: false where they do not fit. */
bool tl_begin_lengths(tl_model *model, const tl_tensor *x);

/* Whether each length, of which there may be none, is in 1 … x.shape[1], and x: (count, length, channels) is 0 behind it. */
tl_status tl_lengths_check(const tl_tensor *x, const size_t *lengths, const char *caller, tl_error *error);

/* Sets what lies behind the lengths to 0. */
void tl_blank(const tl_tensor *tensor, const size_t *lengths);

/* Works out which gradients are wanted, after something was frozen or thawed. */
void tl_graph_mark(tl_model *model);

/* The number of elements of a shape. */
size_t tl_declared_count(const tl_declared *declared);

/* Sets an array to its initial values; `index` makes its random numbers its own. */
void tl_initialise(tl_real *values, const tl_declared *declared, uint64_t seed, uint32_t index);

enum { TL_NORM_CHUNK = 8192 }; /* elements of each partial sum */

#endif
