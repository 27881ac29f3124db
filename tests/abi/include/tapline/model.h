/* tapline/model.h: a network as a graph of layers, compiled into one block of memory.
 *
 * Build: tl_model_new, then one builder call for each layer (tapline/layers.h). A builder takes nodes and returns a node. Compile:
 * tl_model_compile checks all shapes and allocates all memory. After it, nothing allocates and shapes cannot fail. Run: tl_forward,
 * tl_loss, tl_backward, tl_step; or tl_fit, tl_evaluate, tl_predict (tapline/train.h), which call them.
 *
 * Activations are always (batch, length, channels); a vector has length 1.
 *
 * Threads: a model is used by one thread at a time. A call from a second thread during another call does nothing, and sets the
 * error of the model for both. Different models are independent. After fork, the child process runs models on one thread if the
 * parent had used several.
 */
#ifndef TAPLINE_MODEL_H
#define TAPLINE_MODEL_H

#include <tapline/optimizer.h>
#include <tapline/tensor.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct tl_model tl_model;

/* A layer of a model: builders take and return it. An id below 0 marks a layer that failed (see tl_model_error). */
typedef struct tl_node {
    int id;
} tl_node;

/* The shape of one sample at a node. */
typedef struct tl_shape {
    size_t length;
    size_t channels;
} tl_shape;

/* The engine: how a convolution is computed (docs/design.md, "Convolution engines"). */
typedef enum tl_engine {
    TL_ENGINE_AUTO = 0, /* tl_model_compile chooses an engine for each layer and pass; the choice for forward depends only on the
                           shape of one sample */
    TL_ENGINE_NAIVE,    /* plain loops: slow; the other engines are tested against it */
    TL_ENGINE_GEMM,     /* copies windows into tiles (im2col) and calls the BLAS */
    TL_ENGINE_DIRECT,   /* reads the input in place and keeps a tile of sums in registers */
    TL_ENGINE_WINOGRAD  /* fewer multiplications and a larger rounding error; for kernels with at least 3 taps for each step of the
                           stride */
} tl_engine;

/* Returns "auto", "naive" …; NULL for any other number. */
TL_API const char *tl_engine_name(tl_engine engine);

/* Sets *engine to the engine of that name, or fails with a list of all names. */
TL_API tl_status tl_engine_by_name(const char *name, tl_engine *engine, tl_error *error);

typedef struct tl_model_cfg {
    uint64_t seed;    /* for initial parameters, dropout and shuffling */
    int threads;      /* (as many as the machine offers, or OMP_NUM_THREADS) number of threads, at most 1024 */
    tl_engine engine; /* (TL_ENGINE_AUTO) for convolutions that do not name an engine */
} tl_model_cfg;

/* Creates an empty model; `cfg` NULL: all defaults. Free it with tl_model_free. Returns NULL when memory is short; builders and
 * tl_model_compile accept NULL and report it. This function sets OpenBLAS to one thread, for the whole process: a model divides its
 * work among its own threads, and OpenBLAS has no setting for a single call. */
static inline tl_model *tl_model_new(const tl_model_cfg *cfg);

/* Frees the model with its layers and its optimizer. Views into the model must not be used afterwards. NULL is allowed. */
TL_API void tl_model_free(tl_model *model);

/* The loss of one step of a sample. Losses against values are means over the channels of the output y. The two cross-entropies take
 * logits: tl_model_compile refuses a network that ends in a softmax or sigmoid for them. */
typedef enum tl_loss_kind {
    TL_LOSS_CROSS_ENTROPY = 0,    /* cross-entropy of softmax(y) against a class label */
    TL_LOSS_SQUARED_ERROR,        /* (y - target)² */
    TL_LOSS_ABSOLUTE_ERROR,       /* |y - target|; its derivative is 0 where both are equal */
    TL_LOSS_HUBER,                /* with d = |y - target|: d² / 2 for d up to delta, delta · (d - delta / 2) above; Huber 1964 */
    TL_LOSS_BINARY_CROSS_ENTROPY, /* several labels for one step: cross-entropy of sigmoid(y) against targets in 0 … 1 */
    TL_LOSS_OWN                   /* tl_compile_cfg.own_loss, against values */
} tl_loss_kind;

/* A loss of your own. Returns the loss of one step, from its outputs y: (channels) and its target values: (channels). Writes the
 * derivative with respect to y to gradient: (channels) [OUT], unless that is NULL. `user` is tl_compile_cfg.own_loss_user. The
 * thread that calls tl_loss calls it. */
typedef double (*tl_own_loss)(const tl_real *y, const tl_real *values, size_t channels, tl_real *gradient, void *user);

/* Returns the name of a loss, such as "cross-entropy"; NULL for any other number. */
TL_API const char *tl_loss_name(tl_loss_kind kind);

/* Sets *kind to the loss of that name, or fails with a list of all names. */
TL_API tl_status tl_loss_by_name(const char *name, tl_loss_kind *kind, tl_error *error);

typedef struct tl_compile_cfg {
    size_t batch; /* (32) the largest batch that will be run */
    tl_loss_kind loss;
    bool inference_only; /* compile without gradients and optimizer: uses the least memory */
    bool plan_only;      /* compute shapes and sizes without allocating memory: tl_model_memory then tells how much memory would be
                            needed. The model has an error from then on, so that it cannot be run */
    bool input_gradient; /* tl_backward also computes d loss / d input (tl_input_gradient) */
    double label_smoothing; /* cross-entropy (0): this share of the target, below 1, is divided equally among the classes (Szegedy
                               et al. 2016) */
    const double *class_weights; /* cross-entropy (NULL: all 1): (output channels), each at least 0; copied */
    double huber_delta;   /* Huber (1), in the units of the targets that tl_loss gets; with tl_fit these are standard deviations of
                             the targets */
    tl_own_loss own_loss; /* TL_LOSS_OWN only */
    void *own_loss_user;  /* passed to own_loss */
    tl_optimizer_cfg optimizer; /* (Adam with its defaults) */
    double clip_value;          /* (no limit) limit each element of the mean gradient to ± this */
    double clip_norm;           /* (no limit) afterwards, scale the gradient down to at most this L2 norm */
    size_t max_memory;          /* (no limit) bytes that the model may take; checked before anything is allocated */
    bool no_fold_batch_norm;    /* inference_only: by default a batch norm is folded into the weights of the convolution or dense
                                   layer before it, in double; this changes predictions by rounding. With this flag they have the
                                   bits of a model that is compiled for training */
    char reserved[7];
} tl_compile_cfg;

/* Checks the graph that leads to `output`, plans and allocates the memory, and initialises parameters. Layers that do not lead to
 * `output` are left out. At most 4096 layers, besides the input. `cfg` NULL: all defaults. Reports the first error of any builder
 * call. A model is compiled only once; if that fails, the model can only be freed. */
static inline tl_status tl_model_compile(tl_model *model, tl_node output, const tl_compile_cfg *cfg, tl_error *error);

/* Returns the error of the model, never NULL. Functions without a tl_error argument set it, and functions with one report it. While
 * it is set, builders and passes do nothing. Functions of tapline/train.h report to the caller's tl_error only: the model can be
 * used again. */
TL_API const tl_error *tl_model_error(const tl_model *model);

/* Clears that error, so that a compiled model may be used again. The error of plan_only stays. */
TL_API void tl_model_clear_error(tl_model *model);

/* ---- running: the lower tier ---- */

typedef enum tl_mode {
    TL_MODE_INFERENCE = 0, /* batch norm uses running statistics, dropout does nothing */
    TL_MODE_TRAINING,
    TL_MODE_INFERENCE_GRADIENTS /* computes as in inference, and keeps what tl_backward needs: for gradients of a prediction */
} tl_mode;

/* Runs the network on x: (batch, length, channels); batch is 1 … the compiled batch. tl_output returns the result. x is not copied:
 * in training, do not change it until tl_backward returns. Before tl_model_compile and for any other shape, the model gets an
 * error, and then has no output, loss or backward pass. */
TL_API void tl_forward(tl_model *model, const tl_tensor *x, tl_mode mode);

/* Sets the lengths of the samples for the next tl_forward, whose batch has `count` samples: sample i consists of its first
 * lengths[i] steps, and x must be 0 from there on. lengths: (count), each 1 … length; copied, and used for that pass only; NULL:
 * whole series. The result for a sample is then the same as that of the sample alone, zero-padded by convolutions: pooling, batch
 * norm and the loss count its own steps only. The model gets an error for a length out of range, for a layer that needs whole
 * series, and for a series that is too short to give an output in some layer. */
TL_API void tl_set_lengths(tl_model *model, const size_t *lengths, size_t count);

/* Returns the steps of sample `index` of the last output that are data: all, unless lengths were set. */
TL_API size_t tl_output_length(const tl_model *model, size_t index);

/* Returns the output of the last tl_forward: a view (batch, length, channels), valid until the next tl_forward or tl_backward. */
TL_API tl_tensor tl_output(const tl_model *model);

/* The target of a batch: labels, probabilities or values, as the loss needs. A step with the label TL_NO_LABEL, and a value that is
 * NaN, do not count: the loss and the metrics leave them out, and their gradient is 0. (A loss of your own leaves out the step.) */
typedef struct tl_target {
    const int32_t *labels;        /* cross-entropy: (batch, output length), each in 0 … output channels - 1, or TL_NO_LABEL */
    const tl_real *probabilities; /* cross-entropy, instead of labels: (batch, output length, output channels) the probability of
                                     each class; at least 0, with sum 1 for each step */
    const tl_real *values;        /* other losses: (batch, output length, output channels) */
    const tl_real *weights;       /* (batch) weight of each sample, at least 0; NULL: all 1 */
} tl_target;

/* Returns the mean loss of the last forward pass. After a training pass it also computes the gradient for tl_backward. The mean is
 * weighted: the weight of a step is the weight of its sample, times the weight of the class of its label, divided by the number of
 * steps of the sample that count. The result is the weighted sum of the losses divided by the sum of the weights; 0 if all weights
 * are 0. (For samples of one length this is PyTorch's weighted mean; as there, the smoothed part of a target is weighted by the
 * weight of each class.) Returns NaN, and sets the error of the model, if a target or weight is out of range and before tl_forward.
 */
static inline double tl_loss(tl_model *model, const tl_target *target);

/* Returns the sum of weights that the last tl_loss divided by, where the weight of a sample is the mean over its steps. Without
 * weights it is the number of samples. Use it to combine the means of several batches. */
TL_API double tl_loss_weight(const tl_model *model);

/* Adds the parameter gradients of the last training pass to the gradient buffer, as weighted sums over samples. tl_step divides by
 * the sum of the weights that were added (tl_loss_weight): several backward passes before one step therefore equal a single pass on
 * the joined batch. (Batch norm uses the statistics of each pass.) Sets the error of the model if tl_loss was not called before, or
 * if it is called twice for the same pass. */
TL_API void tl_backward(tl_model *model);

/* Replaces tl_loss and tl_backward where you compute the gradient yourself: dy is d objective / d output of each sample, (batch,
 * length, channels), the shape of tl_output. All samples have weight 1. */
TL_API void tl_backward_from(tl_model *model, const tl_tensor *dy);

/* Returns d loss / d input of the last backward pass, where loss is the sum over the samples: a view (batch, length, channels),
 * valid until the next tl_forward. Empty unless the model was compiled with input_gradient. */
TL_API tl_tensor tl_input_gradient(const tl_model *model);

/* Takes one optimizer step on the accumulated gradients and sets them to zero. Fails if the loss or a gradient is not finite; the
 * message names the step, the parameters are unchanged and the gradients are zero. Also reports any error that earlier calls left
 * in the model. */
TL_API tl_status tl_step(tl_model *model, tl_error *error);

/* Sets the accumulated gradients to zero. */
TL_API void tl_zero_grad(tl_model *model);

/* Returns the number of optimizer steps so far. */
TL_API uint64_t tl_steps(const tl_model *model);

/* The learning rate of the next step, at least 0. tl_compile_cfg gives the first one; for a schedule of your own, set it between
 * steps. Setting it before tl_model_compile, or out of range, sets the error of the model. */
TL_API double tl_learning_rate(const tl_model *model);
TL_API void tl_set_learning_rate(tl_model *model, double learning_rate);

/* ---- parameters ---- */

/* One array of a layer. Its tensors are views into the model, valid until the model is freed; you may write to them between passes.
 * With plan_only they have shapes but no data. A model that is compiled with inference_only computes with a packed copy of its
 * weights. It makes a new copy before the first pass after the arrays have changed: you need not announce it. To notice what you
 * write, each pass of such a model reads all arrays as soon as tl_parameter_at was called once (less than 0.1 ms for a megabyte).
 */
typedef struct tl_parameter {
    const char *layer; /* such as "conv1d_2": the kind of the layer and its number among those of the same kind */
    const char *name;  /* such as "weight" */
    tl_tensor value;
    tl_tensor gradient; /* accumulated gradient, same shape; empty for a state (running statistics) */
    bool frozen;
    tl_node node; /* the layer's node, for tl_freeze and tl_set_group */
} tl_parameter;

/* Returns the number of arrays of the model: parameters first, then states. Valid after tl_model_compile. */
TL_API size_t tl_parameter_arrays(const tl_model *model);

/* Returns the array of that index, from 0; its name is NULL if there is no such array. */
TL_API tl_parameter tl_parameter_at(const tl_model *model, size_t index);

/* The number of trained numbers of all layers that lead to the output, or of one layer. Those of frozen layers count, states do
 * not. */
TL_API size_t tl_parameter_count(const tl_model *model);
TL_API size_t tl_node_parameter_count(const tl_model *model, tl_node node);

/* tl_freeze keeps the parameters of a layer as they are: their gradients are not computed and no step changes them. Gradients that
 * the layer had accumulated are lost. Both may be called before or after tl_model_compile, between steps.
 * A frozen batch norm uses its running statistics in training too and does not update them, as Keras with trainable = False. An
 * unknown node sets the error of the model. */
TL_API void tl_freeze(tl_model *model, tl_node node);
TL_API void tl_unfreeze(tl_model *model, tl_node node);

/* How the optimizer steps of a layer differ from those of other layers. */
typedef struct tl_group_cfg {
    double rate;   /* (1) factor of the learning rate: above 0, at most 1e6 */
    bool no_decay; /* without weight_decay and l1 */
    char reserved[7];
} tl_group_cfg;

/* Gives the parameters of a layer settings of their own; `cfg` NULL: the defaults again. May be called before or after
 * tl_model_compile, between steps. An unknown node or a rate out of range sets the error of the model. */
static inline void tl_set_group(tl_model *model, tl_node node, const tl_group_cfg *cfg);

/* ---- what was compiled ---- */

TL_API tl_shape tl_input_shape(const tl_model *model); /* the shape of one sample; zero before tl_model_compile, as the next two */
TL_API tl_shape tl_output_shape(const tl_model *model);
TL_API tl_shape tl_node_shape(const tl_model *model, tl_node node); /* that of an input node is known earlier */
/* Returns the floating-point operations of a node in inference, for one sample of full length. One operation is an addition,
 * subtraction, multiplication, division, comparison or elementary function (exp, log, tanh, erf). A convolution has
 * 2·kernel·channels/groups for each output, a transposed one 2·kernel·filters for each input and channel, a dense layer 2·channels
 * for each output: a sum starts from the bias, and padding counts like any step. Engines that need fewer operations count the same.
 * Batch norm has 2 for each element, layer and group norm 8, ReLU 1, other activations the number in their formula. 0 before
 * tl_model_compile and for a node that does not lead to the output. */
TL_API double tl_node_flops(const tl_model *model, tl_node node);
TL_API size_t tl_model_batch(const tl_model *model); /* the largest batch */
TL_API size_t
tl_model_memory(const tl_model *model); /* bytes of activations, parameters, gradients, optimizer moments and statistics */
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
