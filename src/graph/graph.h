/* graph.h: the data structures of a model. graph.c builds it, compile.c plans its memory, run.c runs it. */
#ifndef TL_GRAPH_H
#define TL_GRAPH_H

#include <tapline/dataset.h>
#include <tapline/layer.h>

#include "compute/parallel.h"
#include "graph/loss.h"

#include <stdatomic.h>

enum { TL_MAX_LAYERS = 4096 }; /* besides the input */
enum { TL_MODES = 2 };         /* tl_mode: TL_MODE_TRAINING, TL_MODE_INFERENCE */

/* What a layer with packed weights does in inference besides its own work (fuse.c). */
typedef struct tl_taking {
    bool packs;            /* it runs with packed weights */
    int norm;              /* the layer that is folded into the weights; below 0: none */
    size_t norm_channel;   /* the channel of that layer that is the first one of this layer */
    int sum;               /* the sum that it computes; below 0: none */
    size_t sum_input;      /* the input of the sum that is added */
    bool relu, relu_after; /* as in tl_finish */
    size_t first;          /* its place in the packed weights */
} tl_taking;

/* The packed weights of a model with inference_only. */
typedef struct tl_packed_state {
    tl_real *values; /* (count) */
    size_t count;
    double *numbers; /* 3 for each channel of the widest affine layer */
    size_t channels;
    bool current;   /* the weights were packed, and no function of the library has written parameters since then */
    bool viewed;    /* the user has views of the arrays and may write to them */
    uint64_t print; /* a hash of all arrays when the weights were packed */
} tl_packed_state;

/* A layer in the graph, with all data of its passes. */
typedef struct tl_vertex {
    tl_layer *layer;
    int input[TL_MAX_INPUTS];
    char name[48]; /* such as "conv1d_2" */
    bool live;     /* the layer leads to the output */
    bool shown;    /* its outputs are those of the model, or are selected from by layers up to the output */
    bool frozen;
    tl_group_cfg group;
    bool absorbed;      /* the layer before does its work */
    bool taken;         /* with inference_only: a layer with packed weights does its work */
    size_t taken_input; /* the input that this layer computes */
    tl_taking takes;
    bool rectified;            /* in training, the layer before computes this ReLU */
    bool masked;               /* in training, the layer after it computes its gradient */
    bool rectifies;            /* the layer computes the ReLU after it */
    bool masks[TL_MAX_INPUTS]; /* the layer computes the gradient of the ReLU before this input */
    bool needs_gradient;       /* the layer or a layer before it is trained */

    /* planned by tl_model_compile */
    size_t first, count; /* its place in the flat buffer of parameters */
    size_t first_state;  /* its place in the buffer of states */
    tl_real *parameter[TL_MAX_PARAMETERS];
    tl_real *gradient[TL_MAX_PARAMETERS];        /* accumulated gradients */
    tl_real *active_gradient[TL_MAX_PARAMETERS]; /* the same, or NULL if the layer is frozen */
    tl_real *state[TL_MAX_PARAMETERS];
    tl_tensor x[TL_MODES][TL_MAX_INPUTS]; /* of forward, by tl_mode */
    tl_tensor backward_x[TL_MAX_INPUTS];
    tl_tensor dx[TL_MAX_INPUTS];
    tl_real *dx_memory[TL_MAX_INPUTS]; /* memory for the gradient of an input, if it is needed */
    bool dx_added[TL_MAX_INPUTS];      /* dx_memory is temporary and is added to the gradients from other layers */
    bool dx_adds[TL_MAX_INPUTS];       /* the layer itself adds to the gradients from other layers */
    tl_real *dy;                       /* gradient of its output */
    tl_pass forward[TL_MODES], backward;
    bool in_output;    /* in inference its output has the memory of the model's output */
    size_t *lengths;   /* (batch) lengths of its output, if samples have lengths */
    size_t behind;     /* steps after these lengths that must be 0 in its output and its gradient; SIZE_MAX: all */
    const char *fault; /* why its output was not finite in a pass since the last step; NULL: unknown */
} tl_vertex;

/* Consecutive trained parameters with the same settings in the flat buffers. */
typedef struct tl_run {
    size_t first, count;
    tl_group_cfg group;
} tl_run;

/* The position of an array: layer and index. */
typedef struct tl_array_place {
    uint32_t vertex;
    uint16_t index;
    bool state;
} tl_array_place;

/* The last call of the lower tier: each call checks that it is allowed next. */
typedef enum tl_stage { TL_STAGE_NOTHING = 0, TL_STAGE_FORWARD, TL_STAGE_LOSS } tl_stage;

struct tl_model {
    tl_error error;
    _Atomic uintptr_t holder; /* the thread that uses the model (turn.h); 0: none */
    atomic_bool disturbed;    /* another thread called meanwhile */
    uint64_t seed;
    tl_workers workers;
    tl_engine engine;
    tl_vertex *vertex;
    size_t vertices, capacity;

    /* set by tl_model_compile */
    bool compiled, inference_only, plan_only, input_gradient;
    bool no_fold;     /* tl_compile_cfg.no_fold_batch_norm */
    bool has_lengths; /* the current pass has lengths */
    bool names_all;   /* unused layers count in the names of later layers */
    int input, output;
    size_t batch;     /* the largest batch */
    size_t portion;   /* samples that inference takes through all layers at a time */
    size_t batch_now; /* the current batch of the tensors */
    size_t *lengths;  /* (vertices, batch) */
    size_t given;     /* number of lengths that are set for the next forward pass; 0: none */
    tl_loss_spec loss;
    tl_scaling scaling; /* of the training series, in channels of the input; TL_NORMALIZE_DEFAULT: unknown */
    tl_scaling targets; /* of target values, in channels of the output: TL_NORMALIZE_SET, or none; TL_NORMALIZE_DEFAULT: the next
                           tl_fit sets it */
    tl_optimizer_cfg optimizer;
    double clip_norm, clip_value;
    tl_real *arena;                  /* activations, their gradients, saved values, temporary memory */
    size_t arena_count, value_count; /* its elements; those up to the last one that is not only temporary memory */
    tl_real *parameters, *gradients, *states;
    size_t parameter_count, state_count; /* including padding for alignment */
    size_t max_parameters;               /* limit for tl_model_compile, including states */
    size_t max_memory;                   /* limit of the planned memory in bytes */
    tl_array_place *array;               /* (arrays) in the order of tl_parameter_at */
    size_t arrays;
    tl_real **moment;   /* (optimizer.ops->moments) */
    double *norm_parts; /* partial sums of the gradient norm */
    tl_run *run;        /* the parameters that the optimizer changes */
    size_t runs;
    tl_packed_state *packed; /* NULL without inference_only */

    /* state while running */
    tl_stage stage;
    tl_mode mode; /* the mode whose memory the last pass used */
    bool still;   /* layers compute as in inference, in the memory of training (TL_MODE_INFERENCE_GRADIENTS) */
    bool loss_not_finite;
    uint64_t passes, steps; /* training passes, optimizer steps */
    size_t place;           /* of the first sample of the next training pass in its batch (tl_pass) */
    double loss_weight;     /* of the last loss */
    size_t samples;         /* samples in the gradient buffer */
    double weight;          /* sum of their weights */
};

/* Copies the error of the model, which may be NULL, to the caller's error; TL_OK if there is none. */
tl_status tl_report(const tl_model *model, tl_error *error);

/* Sets an error about a vertex: "layer 2 (conv1d): text". */
void tl_layer_fail(tl_error *error, tl_status status, size_t index, const char *layer, const char *text);

/* Names each layer: its kind and its number among the layers of that kind. */
tl_status tl_name_vertices(tl_model *model);

/* Lets layers take over the work of their readers: `absorb`, and with inference_only the rest of fuse.c. */
tl_status tl_fuse(tl_model *model);

/* Plans and allocates the packed weights. */
tl_status tl_place_packed(tl_model *model);
tl_status tl_allocate_packed(tl_model *model);
void tl_release_packed(tl_model *model);

/* Returns the elements of temporary memory that packing needs. */
size_t tl_packing_scratch(const tl_model *model);

/* Packs the weights if the arrays have changed. */
void tl_refresh_packed(tl_model *model);

/* Runs a layer with packed weights. */
void tl_run_packed(const tl_model *model, const tl_vertex *vertex);

/* Every function of the library that writes arrays of a compiled model calls this afterwards. */
void tl_arrays_written(tl_model *model);

/* tl_parameter_at for the library itself, whose functions announce what they write. */
tl_parameter tl_array_at(const tl_model *model, size_t index);

/* Returns the bytes that the model needs: arena, parameters, gradients, moments, statistics and lengths. */
double tl_planned_memory(const tl_model *model);

/* A part of tl_model_compile: plans the arena, fails if the whole model needs more memory than allowed, allocates the arena and
 * sets the pointers of all passes. */
tl_status tl_plan_arena(tl_model *model);

/* Checks x and sets the input of all passes in that mode; returns false, with the model's error, if x does not fit. */
bool tl_begin_forward(tl_model *model, const tl_tensor *x, tl_mode mode);

/* Makes layers compute as in inference, in the memory of training; or as in training again. */
void tl_hold_still(tl_model *model, bool still);

/* Whether a pass in the memory of this mode runs the layer; and whether a backward pass does. */
bool tl_layer_runs(const tl_model *model, size_t id, tl_mode mode);
bool tl_layer_runs_backward(const tl_model *model, size_t id);

/* tl_forward in TL_MODE_INFERENCE, after which the inputs and outputs of all layers are those of the whole batch. */
void tl_forward_whole(tl_model *model, const tl_tensor *x);

/* Runs a layer, between tl_begin_forward and tl_end_forward. */
void tl_forward_layer(tl_model *model, size_t id, tl_mode mode);
void tl_end_forward(tl_model *model, tl_mode asked);

/* Runs a layer backward; tl_hand_back is its end, which adds gradients of inputs to those of other layers. */
void tl_backward_layer(tl_model *model, size_t id);
void tl_hand_back(tl_model *model, size_t id);
void tl_end_backward(tl_model *model, double weight);

/* Sets the lengths for the next pass, or whole series; returns false if they do not fit. */
bool tl_begin_lengths(tl_model *model, const tl_tensor *x);

/* Checks that each length (NULL: none) is in 1 … x.shape[1], and that x: (count, length, channels) is 0 from there on. */
tl_status tl_lengths_check(const tl_tensor *x, const size_t *lengths, const char *caller, tl_error *error);

/* Determines which steps after a length have to be 0 (tl_vertex.behind), from what the layers read. */
void tl_plan_blanks(tl_model *model);

/* Sets the steps after the lengths of a layer's output, or of its gradient, to 0, as far as layers read them. */
void tl_blank(const tl_tensor *tensor, const tl_vertex *vertex);

/* to[i] += from[i], shared among the workers. */
void tl_add_to(const tl_workers *workers, tl_real *to, const tl_real *from, size_t count);

/* Determines the needed gradients after a layer was frozen or unfrozen. */
void tl_graph_mark(tl_model *model);

/* Returns the number of elements of a shape. */
size_t tl_declared_count(const tl_declared *declared);

/* Sets an array to its initial values; `index` selects its random numbers. */
void tl_initialise(tl_real *values, const tl_declared *declared, uint64_t seed, uint32_t index);

enum { TL_NORM_CHUNK = 8192 }; /* elements of each partial sum */

#endif
