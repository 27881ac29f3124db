/* tapline/model.h: a network as a graph of layers, compiled into one arena.
 *
 * Build: tl_model_new, then one builder call a layer (tapline/layers.h), each taking nodes and returning a node.
 * Compile: tl_model_compile checks every shape and allocates everything; after it nothing allocates and no shape fails.
 * Run: tl_forward, tl_loss, tl_backward, tl_step — or tl_fit, tl_evaluate, tl_predict (tapline/train.h), which are made of them.
 *
 * Activations are (batch, length, channels) throughout; a vector has length 1. One thread at a time may use a model: a call
 * from a second thread while the first one is in a call does nothing and is an error of both. Different models are independent of
 * each other. A child process (fork) of a process whose models have run on several threads runs its models on one thread.
 */
#ifndef TAPLINE_MODEL_H
#define TAPLINE_MODEL_H

#include <tapline/optimizer.h>
#include <tapline/tensor.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct tl_model tl_model;

/* A layer's place in its model; what builders take and return. An id below 0 marks a layer that failed (see tl_model_error). */
typedef struct tl_node {
    int id;
} tl_node;

/* The shape of one sample at a node. */
typedef struct tl_shape {
    size_t length;
    size_t channels;
} tl_shape;

/* How a convolution is computed (docs/design.md, "Convolution engines"). */
typedef enum tl_engine {
    TL_ENGINE_AUTO = 0, /* chosen for each layer and pass when the model is compiled; for forward by the shape of one sample */
    TL_ENGINE_NAIVE,    /* the plain loops: slow, the specification of the others */
    TL_ENGINE_GEMM,     /* im2col tiles and the BLAS */
    TL_ENGINE_DIRECT,   /* register tiles on the input itself */
    TL_ENGINE_WINOGRAD  /* fewer multiplications, some more rounding: kernels of 3 taps and more for each step of stride */
} tl_engine;

/* "auto", "naive" …; NULL for another number. */
TL_API const char *tl_engine_name(tl_engine engine);

/* Sets *engine to the engine of that name; fails naming the engines there are. */
TL_API tl_status tl_engine_by_name(const char *name, tl_engine *engine, tl_error *error);

typedef struct tl_model_cfg {
    uint64_t seed;    /* of initial parameters, dropout and shuffling */
    int threads;      /* up to 1024; 0: as many as the machine offers (OMP_NUM_THREADS is honoured) */
    tl_engine engine; /* of convolutions that do not name their own */
} tl_model_cfg;

/* An empty model; `cfg` NULL: all defaults. Free with tl_model_free. NULL when memory is short: builders and
 * tl_model_compile accept that and report it. It sets OpenBLAS to one thread, for the whole process: models
 * share their own work among threads, and OpenBLAS has no setting for a single call. */
static inline tl_model *tl_model_new(const tl_model_cfg *cfg);

/* Frees the model, its layers and its optimizer, once; views into it end with it. NULL is fine. */
TL_API void tl_model_free(tl_model *model);

/* The loss of a step of a sample; those against values are means over the outputs (channels) y. The two cross-entropies take
 * logits: compile refuses a network that ends in a softmax or sigmoid for them. */
typedef enum tl_loss_kind {
    TL_LOSS_CROSS_ENTROPY = 0,    /* of the softmax of the logits against a class label */
    TL_LOSS_SQUARED_ERROR,        /* (y - target)² */
    TL_LOSS_ABSOLUTE_ERROR,       /* |y - target|, of slope 0 where they are equal */
    TL_LOSS_HUBER,                /* with d = |y - target|: d² / 2 up to delta, beyond it delta · (d - delta / 2); Huber 1964 */
    TL_LOSS_BINARY_CROSS_ENTROPY, /* several labels at a time: of sigmoid(y), y a logit, against a target in 0 … 1 */
    TL_LOSS_OWN                   /* tl_compile_cfg.own_loss, against values */
} tl_loss_kind;

/* A loss of your own: that of the outputs of one step, y: (channels), against its values: (channels). gradient: (channels) [OUT]
 * its derivative in y, NULL where none is wanted. `user` is tl_compile_cfg.own_loss_user. */
typedef double (*tl_own_loss)(const tl_real *y, const tl_real *values, size_t channels, tl_real *gradient, void *user);

/* The name of a loss, such as "cross-entropy"; NULL where there is none. */
TL_API const char *tl_loss_name(tl_loss_kind kind);

/* Sets *kind to the loss of that name; fails naming those there are. */
TL_API tl_status tl_loss_by_name(const char *name, tl_loss_kind *kind, tl_error *error);

typedef struct tl_compile_cfg {
    size_t batch; /* the largest batch that will be run; 0: 32 */
    tl_loss_kind loss;
    bool inference_only; /* no gradients, no optimizer: the smallest memory */
    bool plan_only;      /* shapes and sizes alone, no memory: tl_model_memory says what it would take. The model has an error from
                            then on, so that nothing runs it */
    bool input_gradient; /* backward also computes d loss / d input (tl_input_gradient) */
    double label_smoothing; /* cross-entropy (0), below 1: this share of the target is spread evenly over the classes (Szegedy et
                               al. 2016) */
    const double *class_weights; /* cross-entropy (NULL: all 1): (output channels), from 0 on; copied */
    double huber_delta;   /* Huber (1), in the units of what tl_loss compares: of tl_fit, standard deviations of the targets */
    tl_own_loss own_loss; /* TL_LOSS_OWN only */
    void *own_loss_user;  /* handed to it */
    tl_optimizer_cfg optimizer; /* zeroed: Adam with its defaults */
    double clip_value;          /* limit each element of the mean gradient to ± this; 0: no limit */
    double clip_norm;           /* then scale the gradient down to this global L2 norm; 0: no limit */
    size_t max_memory; /* bytes that the model may take; what it would take is known before any is allocated; 0: no limit */
} tl_compile_cfg;

/* Checks the graph that leads to `output`, lays out memory, initialises parameters. Layers that do not lead to `output` are
 * left out. There may be 4096 layers beside the input. `cfg` NULL: all defaults. Reports the first error of any builder call. A
 * model is compiled once; where that fails, it can only be freed. */
static inline tl_status tl_model_compile(tl_model *model, tl_node output, const tl_compile_cfg *cfg, tl_error *error);

/* The model's own sticky error, never NULL: set by the functions that take no tl_error, and reported by all that take one. Once it
 * is set, builders and passes do nothing. What goes wrong within the upper tier (tapline/train.h) is the caller's error alone: the
 * model can be used again. */
TL_API const tl_error *tl_model_error(const tl_model *model);

/* Forgets that error, so that a compiled model may be used again. That of plan_only stays. */
TL_API void tl_model_clear_error(tl_model *model);

/* ---- running: the lower tier ---- */

typedef enum tl_mode {
    TL_MODE_INFERENCE = 0, /* batch norm uses running statistics, dropout passes through */
    TL_MODE_TRAINING,
    TL_MODE_INFERENCE_GRADIENTS /* as inference, and keeps what tl_backward needs: gradients of what the model predicts */
} tl_mode;

/* Runs the network on x: (batch, length, channels) with batch from 1 to the compiled batch. The result is tl_output. x stays the
 * caller's, and in training has to stay as it is until tl_backward. Fails, in the model's error, for another shape and before
 * tl_model_compile; there is then no output, and no loss or backward pass of the one before. */
TL_API void tl_forward(tl_model *model, const tl_tensor *x, tl_mode mode);

/* For the next tl_forward, whose batch has `count` samples: sample i consists of its first lengths[i] steps, from 1 to all; behind
 * them x must be 0. The result for a sample is then that of the sample alone, padded with zeros where convolutions pad: pooling,
 * batch norm and the loss see its own steps only. Copied, and forgotten after that pass; NULL: whole series. Fails, as tl_forward
 * does, in the model's error: for a length outside 1 … length, for a layer that takes whole series only, and for a series of which
 * a layer makes nothing. */
TL_API void tl_set_lengths(tl_model *model, const size_t *lengths, size_t count);

/* How many steps of sample `index` of the last output count: all, unless lengths were set. */
TL_API size_t tl_output_length(const tl_model *model, size_t index);

/* The output of the last tl_forward: a view (batch, length, channels), valid until the next tl_forward or tl_backward. */
TL_API tl_tensor tl_output(const tl_model *model);

/* What the output should be: labels or values, as the loss asks. */
typedef struct tl_target {
    const int32_t *labels;        /* cross-entropy: (batch × output length), each in 0 … output channels - 1 */
    const tl_real *probabilities; /* cross-entropy in place of labels: (batch, output length, output channels) of each class, which
                                     are from 0 on and add up to 1; as if each class were the label to that part */
    const tl_real *values;        /* other losses: (batch, output length, output channels) */
    const tl_real *weights;       /* (batch) of the samples, from 0 on; NULL: all 1 */
} tl_target;

/* The mean loss of the last forward pass, and, after a training pass, its gradient for tl_backward. It is a weighted mean: the
 * weight of a step is that of its sample times that of its label's class, over the number of steps that the sample has; the sum of
 * the weighted losses is divided by the sum of the weights, and the mean is 0 where all weights are. (PyTorch's weighted mean, for
 * samples of one length; as there, the smoothed part of a target is weighted by each class's own weight.) NaN with the model's
 * error set for a target or weight out of range, and when called before tl_forward. */
static inline double tl_loss(tl_model *model, const tl_target *target);

/* The sum of the weights that the last tl_loss divided by, a sample's being the mean over its steps: the number of samples where
 * nothing has a weight. It is what the means of several batches are joined by. */
TL_API double tl_loss_weight(const tl_model *model);

/* Adds the parameter gradients of the last training pass and loss to the gradient buffer, as weighted sums over samples: tl_step
 * divides by the sum of the weights that were added (tl_loss_weight), so that several backward passes before one step equal a
 * single pass on the joined batch. (Batch norm keeps to the statistics of each pass.) Fails, in the model's error, unless tl_loss
 * came before it; each pass is gone through once. */
TL_API void tl_backward(tl_model *model);

/* The same from a gradient of your own, each sample of weight 1: dy = d objective / d output of one sample, (batch, length,
 * channels), the shape of tl_output. Takes the place of tl_loss and tl_backward. */
TL_API void tl_backward_from(tl_model *model, const tl_tensor *dy);

/* d loss / d input of the last backward pass, (batch, length, channels), of the summed loss: a view, valid until the next
 * tl_forward; empty unless the model was compiled with input_gradient. */
TL_API tl_tensor tl_input_gradient(const tl_model *model);

/* One optimizer step on the accumulated gradients, which are then zero. Fails, parameters unchanged and gradients zeroed, when
 * the loss or a gradient is not finite, naming the step; reports any error that earlier calls left in the model. */
TL_API tl_status tl_step(tl_model *model, tl_error *error);

/* Forgets accumulated gradients. */
TL_API void tl_zero_grad(tl_model *model);

/* The number of optimizer steps taken. */
TL_API uint64_t tl_steps(const tl_model *model);

/* The learning rate of the next step; set it between steps for a schedule of your own, from 0 on. The first one is
 * tl_compile_cfg's: setting one before tl_model_compile is the model's error, as a rate out of range is. */
TL_API double tl_learning_rate(const tl_model *model);
TL_API void tl_set_learning_rate(tl_model *model, double learning_rate);

/* ---- parameters ---- */

/* One array of a layer. Views into the model, valid as long as it lives; between passes, values may be written. With
 * plan_only they have shapes and no data. */
typedef struct tl_parameter {
    const char *layer; /* such as "conv1d_2": the layer's kind, and which of its kind it is */
    const char *name;  /* such as "weight" */
    tl_tensor value;
    tl_tensor gradient; /* accumulated; empty for state (running statistics) */
    bool frozen;
    tl_node node; /* of its layer, as tl_freeze and tl_set_group take it */
} tl_parameter;

/* Arrays the model has, parameters first, then state. Valid after tl_model_compile. */
TL_API size_t tl_parameter_arrays(const tl_model *model);

/* The array of that index; name NULL where there is none. */
TL_API tl_parameter tl_parameter_at(const tl_model *model, size_t index);

/* The number of trained scalars (state excluded, frozen ones included), of all layers that lead to the output, and of one. */
TL_API size_t tl_parameter_count(const tl_model *model);
TL_API size_t tl_node_parameter_count(const tl_model *model, tl_node node);

/* Frozen layers keep their parameters: no gradient is computed for them and no step moves them. May be called before or after
 * tl_model_compile, between any steps; what a layer had accumulated is forgotten. A frozen batch norm
 * uses its running statistics in training too, and keeps them, as Keras' does with trainable = False. An unknown node is
 * the model's error. */
TL_API void tl_freeze(tl_model *model, tl_node node);
TL_API void tl_unfreeze(tl_model *model, tl_node node);

/* How the steps of a layer differ from those of the others. */
typedef struct tl_group_cfg {
    double rate;   /* (1) factor of the learning rate: above 0, at most 1e6 */
    bool no_decay; /* no weight_decay and no l1 */
} tl_group_cfg;

/* Puts the parameters of a layer in a group of their own; `cfg` NULL: back to the defaults. May be called before or after
 * tl_model_compile, between any steps. An unknown node and a rate out of range are the model's error. */
static inline void tl_set_group(tl_model *model, tl_node node, const tl_group_cfg *cfg);

/* ---- what was compiled ---- */

TL_API tl_shape tl_input_shape(const tl_model *model); /* of one sample; zero before tl_model_compile, as the next two */
TL_API tl_shape tl_output_shape(const tl_model *model);
TL_API tl_shape tl_node_shape(const tl_model *model, tl_node node); /* of an input already before */
/* The floating-point operations of a node in inference, for one sample of full length: an addition, subtraction, multiplication,
 * division or comparison is one, and so is an elementary function (exp, log, tanh, erf). A convolution has 2·kernel·channels/groups
 * for each output, a transposed one 2·kernel·filters for each input and channel, a dense layer 2·channels for each output: a sum
 * starts from the bias, padding counts as any step does, and engines that compute the same with fewer count the same. Batch norm
 * has 2 for each element, layer and group norm 8, ReLU 1, other activations as many as their formula. 0 before tl_model_compile
 * and for a node that does not lead to the output. */
TL_API double tl_node_flops(const tl_model *model, tl_node node);
TL_API size_t tl_model_batch(const tl_model *model);  /* the largest batch */
TL_API size_t tl_model_memory(const tl_model *model); /* bytes: arena, parameters, gradients, moments, statistics */
TL_API tl_loss_kind tl_model_loss(const tl_model *model);
TL_API uint64_t tl_model_seed(const tl_model *model);
TL_API int tl_model_threads(const tl_model *model);

/* ---- how structs may grow (see tapline/base.h) ---- */

typedef struct tl_compile_sizes {
    size_t cfg, optimizer;
} tl_compile_sizes;

TL_API tl_model *tl_model_new_sized(const tl_model_cfg *cfg, size_t size);
TL_API tl_status tl_model_compile_sized(tl_model *model, tl_node output, const tl_compile_cfg *cfg, const tl_compile_sizes *sizes,
                                        tl_error *error);
TL_API double tl_loss_sized(tl_model *model, const tl_target *target, size_t size);
TL_API void tl_set_group_sized(tl_model *model, tl_node node, const tl_group_cfg *cfg, size_t size);

static inline tl_model *tl_model_new(const tl_model_cfg *cfg) { return tl_model_new_sized(cfg, sizeof *cfg); }
static inline tl_status tl_model_compile(tl_model *model, tl_node output, const tl_compile_cfg *cfg, tl_error *error) {
    const tl_compile_sizes sizes = {sizeof(tl_compile_cfg), sizeof(tl_optimizer_cfg)};
    return tl_model_compile_sized(model, output, cfg, &sizes, error);
}
static inline double tl_loss(tl_model *model, const tl_target *target) { return tl_loss_sized(model, target, sizeof *target); }
static inline void tl_set_group(tl_model *model, tl_node node, const tl_group_cfg *cfg) {
    tl_set_group_sized(model, node, cfg, sizeof *cfg);
}

#ifdef __cplusplus
}
#endif
#endif
