/* tapline/layers.h: the layers, one builder each, and ready-made architectures.
 *
 * A builder takes its input node or nodes and returns the node of the layer. Invalid arguments are reported later, by
 * tl_model_compile: "layer 2 (conv1d): kernel extent 9 exceeds the padded input length 6". A builder that is called with a failed
 * node returns a failed node. Configurations are copied. A zero in a configuration means the default in brackets, and a NULL
 * configuration means all defaults; a count without a default (filters, kernel, units, window …) must be given and must be at least
 * 1. A negative number that a program stored in such a count is reported as that number.
 *
 * Shapes in this header are those of one sample: (length, channels). Where no shapes are given, the output has the shape of the
 * input.
 */
#ifndef TAPLINE_LAYERS_H
#define TAPLINE_LAYERS_H

#include <tapline/model.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Adds the input of the network; a model has exactly one. `shape` is that of one sample, and neither length nor channels may be
 * 0. */
TL_API tl_node tl_input(tl_model *model, tl_shape shape);

/* How initial weights are drawn. For a convolution, fan_in and fan_out include the kernel: fan_in = kernel · channels, fan_out =
 * kernel · filters. */
typedef enum tl_init {
    TL_INIT_GLOROT_UNIFORM = 0, /* uniform in ±sqrt(6 / (fan_in + fan_out)); Glorot & Bengio 2010 */
    TL_INIT_GLOROT_NORMAL,      /* normal, standard deviation sqrt(2 / (fan_in + fan_out)) */
    TL_INIT_HE_UNIFORM,         /* uniform in ±sqrt(6 / fan_in); He et al. 2015 */
    TL_INIT_HE_NORMAL,          /* normal, standard deviation sqrt(2 / fan_in) */
    TL_INIT_LECUN_UNIFORM,      /* uniform in ±sqrt(3 / fan_in); LeCun et al. 1998 */
    TL_INIT_LECUN_NORMAL,       /* normal, standard deviation sqrt(1 / fan_in) */
    TL_INIT_ORTHOGONAL, /* orthonormal columns of the matrix (all other axes, outputs); orthonormal rows if it has fewer rows than
                           columns; Saxe et al. 2014 */
    TL_INIT_ZEROS,
    TL_INIT_ONES,
    TL_INIT_CONSTANT /* 0.25, the initial slope of tl_prelu */
} tl_init;

/* tl_init_name returns "glorot_uniform" …; NULL for any other number. tl_init_by_name sets *init to the initialiser of that name,
 * or fails with a list of all names. */
TL_API const char *tl_init_name(tl_init init);
TL_API tl_status tl_init_by_name(const char *name, tl_init *init, tl_error *error);

typedef enum tl_padding {
    TL_PADDING_VALID = 0, /* no padding */
    TL_PADDING_SAME,      /* ceil(length / stride) outputs; where the padding is odd, the right side has one step more */
    TL_PADDING_CAUSAL, /* all padding on the left, ceil(length / stride) outputs: y[t] depends on no x after step t·stride. This is
                          exact with the engines naive, gemm and direct. The engine winograd, which TL_ENGINE_AUTO may choose,
                          computes neighbouring outputs together, so that a later x of magnitude h changes y[t] by rounding: by at
                          most 16·epsilon·h·S, where S is the sum of the filter's |weight| and epsilon is 1.2e-7 (double: 2.2e-16).
                          If h·S is near the largest finite number, y[t] may become infinite or NaN */
    TL_PADDING_EXPLICIT /* as pad_left and pad_right say */
} tl_padding;

/* tl_padding_name returns "valid", "same", "causal" or "explicit"; NULL for any other number. tl_padding_by_name sets *padding to
 * the padding of that name, or fails with a list of all names. */
TL_API const char *tl_padding_name(tl_padding padding);
TL_API tl_status tl_padding_by_name(const char *name, tl_padding *padding, tl_error *error);

/* The values of padding steps, as PyTorch's padding_mode. zeros: 0. reflect: the series is mirrored at its last step, which is not
 * repeated. replicate: the last step is repeated. circular: the series continues from its other end. */
typedef enum tl_padding_mode {
    TL_PADDING_MODE_ZEROS = 0,
    TL_PADDING_MODE_REFLECT,
    TL_PADDING_MODE_REPLICATE,
    TL_PADDING_MODE_CIRCULAR
} tl_padding_mode;

/* tl_padding_mode_name returns "zeros", "reflect", "replicate" or "circular"; NULL for any other number. tl_padding_mode_by_name
 * sets *mode to the mode of that name, or fails with a list of all names. */
TL_API const char *tl_padding_mode_name(tl_padding_mode mode);
TL_API tl_status tl_padding_mode_by_name(const char *name, tl_padding_mode *mode, tl_error *error);

/* Convolution over time (cross-correlation, as in PyTorch): (length, channels) → (out_length, filters)
 *     y[t, f] = bias[f] + sum over j, c of x[t·stride + j·dilation - pad_left, c] · weight[j, c, f]
 *     out_length = floor((length + pad_left + pad_right - extent) / stride) + 1, extent = (kernel - 1)·dilation + 1
 * Parameters weight: (kernel, channels, filters); bias: (filters).
 *
 * With `groups` G, which must divide channels and filters, the filters and the channels are divided into G groups each, and the
 * filters of a group read only the channels of the same group; weight is then (kernel, channels / groups, filters). With groups =
 * channels = filters it is a depthwise convolution, which has a kernel function of its own unless an engine is named. */
typedef struct tl_conv1d_cfg {
    size_t filters;
    size_t kernel;
    size_t stride;   /* (1) */
    size_t dilation; /* (1) distance of two neighbouring taps in steps, as in PyTorch and Keras; 1: neighbouring steps */
    tl_padding padding;
    size_t pad_left, pad_right; /* only with TL_PADDING_EXPLICIT, in steps */
    tl_padding_mode padding_mode;
    size_t groups; /* (1) must divide channels and filters */
    bool no_bias;
    tl_init init;
    tl_engine engine; /* (that of the model) */
    char reserved[4];
} tl_conv1d_cfg;
static inline tl_node tl_conv1d(tl_model *model, tl_node x, const tl_conv1d_cfg *cfg);

/* Transposed convolution ("deconvolution", PyTorch's ConvTranspose1d), which makes series longer: (length, channels) → (out_length,
 * filters)
 *     y[t, f] = bias[f] + sum of x[i, c] · weight[j, f, c] over c and all i, j with i·stride + j·dilation - pad_left = t
 *     out_length = (length - 1)·stride + (kernel - 1)·dilation + 1 + output_padding - pad_left - pad_right
 * Parameters weight: (kernel, filters, channels); bias: (filters). */
typedef struct tl_conv1d_transpose_cfg {
    size_t filters;
    size_t kernel;
    size_t stride;              /* (1) */
    size_t dilation;            /* (1) */
    size_t pad_left, pad_right; /* steps that are cut off the output */
    size_t output_padding;      /* steps that are added to the output on the right, fewer than `stride` */
    bool no_bias;
    tl_init init;
    tl_engine engine; /* (that of the model) */
    char reserved[4];
} tl_conv1d_transpose_cfg;
static inline tl_node tl_conv1d_transpose(tl_model *model, tl_node x, const tl_conv1d_transpose_cfg *cfg);

/* Fully connected layer, applied to the channels of every step: y = x · weight + bias, (length, channels) → (length, units).
 * Parameters weight: (channels, units); bias: (units). */
typedef struct tl_dense_cfg {
    size_t units;
    bool no_bias;
    tl_init init;
} tl_dense_cfg;
static inline tl_node tl_dense(tl_model *model, tl_node x, const tl_dense_cfg *cfg);

/* Activations, applied to each element; softmax is taken over the channels of each step. */
TL_API tl_node tl_relu(tl_model *model, tl_node x);
TL_API tl_node tl_sigmoid(tl_model *model, tl_node x);
TL_API tl_node tl_tanh(tl_model *model, tl_node x);
TL_API tl_node tl_softmax(tl_model *model, tl_node x);
TL_API tl_node tl_selu(tl_model *model,
                       tl_node x); /* 1.0507·x for x > 0, 1.0507·1.6733·(e^x - 1) otherwise; Klambauer et al. 2017 */
TL_API tl_node tl_silu(tl_model *model, tl_node x);         /* x·sigmoid(x), "swish"; Elfwing, Uchibe & Doya 2018 */
TL_API tl_node tl_softplus(tl_model *model, tl_node x);     /* log(1 + e^x) */
TL_API tl_node tl_hard_sigmoid(tl_model *model, tl_node x); /* x/6 + 1/2, limited to 0 … 1, as in PyTorch */
TL_API tl_node tl_exponential(tl_model *model,
                              tl_node x); /* e^x; infinity for x above 88 (double: 709), 0 for x below -87 (-708) */

/* x for x > 0, slope·x otherwise (Maas, Hannun & Ng 2013). */
typedef struct tl_leaky_relu_cfg {
    double slope; /* above 0 (0.01) */
} tl_leaky_relu_cfg;
static inline tl_node tl_leaky_relu(tl_model *model, tl_node x, const tl_leaky_relu_cfg *cfg);

/* x for x > 0, slope·x otherwise, with a trained slope for each channel (He et al. 2015). Parameter slope: (channels), initially
 * 0.25. */
TL_API tl_node tl_prelu(tl_model *model, tl_node x);

/* x for x > 0, alpha·(e^x - 1) otherwise (Clevert, Unterthiner & Hochreiter 2016). */
typedef struct tl_elu_cfg {
    double alpha; /* above 0 (1) */
} tl_elu_cfg;
static inline tl_node tl_elu(tl_model *model, tl_node x, const tl_elu_cfg *cfg);

/* x·P(x), where P is the distribution function of the standard normal distribution (Hendrycks & Gimpel 2016). With `approximate`:
 * x·(1 + tanh(sqrt(2/pi)·(x + 0.044715·x³)))/2, which is faster. */
typedef struct tl_gelu_cfg {
    bool approximate;
} tl_gelu_cfg;
static inline tl_node tl_gelu(tl_model *model, tl_node x, const tl_gelu_cfg *cfg);

/* scale·x + shift; both numbers are fixed. */
typedef struct tl_affine_cfg {
    double scale; /* (1) */
    double shift;
} tl_affine_cfg;
static inline tl_node tl_affine(tl_model *model, tl_node x, const tl_affine_cfg *cfg);

/* The maximum, or the mean, of each channel over windows of time: (length, channels) → (out_length, channels), with the out_length
 * of a tl_conv1d whose kernel is `window`. Padding steps are left out: the maximum ignores them, and the mean divides by the number
 * of real steps (as in Keras). Of several equal maxima the first one gets the gradient. */
typedef struct tl_pool_cfg {
    size_t window;
    size_t stride; /* (window) */
    tl_padding padding;
    size_t pad_left, pad_right; /* only with TL_PADDING_EXPLICIT, in steps, each below `window` */
} tl_pool_cfg;
static inline tl_node tl_max_pool(tl_model *model, tl_node x, const tl_pool_cfg *cfg);
static inline tl_node tl_average_pool(tl_model *model, tl_node x, const tl_pool_cfg *cfg);

/* The mean, or the maximum, of each channel over all of time: (length, channels) → (1, channels). Of several equal maxima the first
 * one gets the gradient. */
TL_API tl_node tl_global_average_pool(tl_model *model, tl_node x);
TL_API tl_node tl_global_max_pool(tl_model *model, tl_node x);

/* Makes series longer: (length, channels) → (length·factor, channels). Each step is repeated `factor` times. With `linear`, outputs
 * are interpolated linearly between the centres of the steps; outputs before the first centre and after the last one have the value
 * of that step (PyTorch's align_corners = False). */
typedef struct tl_upsample_cfg {
    size_t factor;
    bool linear;
    char reserved[7];
} tl_upsample_cfg;
static inline tl_node tl_upsample(tl_model *model, tl_node x, const tl_upsample_cfg *cfg);

/* Looks up rows of a trained table: (length, 1) → (length, units). Each input is the number of a row, 0 … vocabulary - 1; the
 * output for any other input is NaN, which the loss reports. The input gets no gradient. Parameter table: (vocabulary, units).
 */
typedef struct tl_embedding_cfg {
    size_t vocabulary;
    size_t units;
    tl_init init;
    char reserved[4];
} tl_embedding_cfg;
static inline tl_node tl_embedding(tl_model *model, tl_node x, const tl_embedding_cfg *cfg);

/* Seventeen fixed filters (Ismail-Fawaz et al. 2022, "new hand-crafted convolution filters"), which are not trained: (length,
 * channels) → (length, 17), with the padding of TL_PADDING_SAME and the same weights for each channel. Six filters detect
 * increases: -1, 1, -1, 1 … with 2, 4, 8, 16, 32 and 64 taps. Six detect decreases: the same taps with the opposite sign. Five
 * detect peaks, with 6, 12, 24, 48 and 96 taps: six parabolas (i / n)², which rise and fall in turn and have the heights -1, -1, 2,
 * 2, -1, -1. */
TL_API tl_node tl_fixed_filters(tl_model *model, tl_node x);

/* The features that tl_rocket makes. */
typedef enum tl_rocket_kind {
    TL_ROCKET_MINI = 0, /* MiniRocket (Dempster, Schmidt & Webb 2021) */
    TL_ROCKET_MULTI,    /* MultiRocket (Tan, Dempster, Bergmeir & Webb 2022) */
    TL_ROCKET_HYDRA     /* Hydra (Dempster, Schmidt & Webb 2023) */
} tl_rocket_kind;

/* Features of a whole series from fixed convolutions: (length, channels) → (1, features). A dense layer follows it. The layer has
 * no parameters, and the gradient of its input is 0.
 *
 * Random choices are made once, by tl_update_statistics; tl_fit and tl_fit_ridge call it first. Before that, features are NaN;
 * after it, the layer never changes. The choices depend only on the model's seed and the training series. Features are the same
 * bits for any number of threads, any batch and any instruction set. For a series shorter than the input, only its own steps count.
 *
 * TL_ROCKET_MINI: 84 kernels of nine taps, three with weight 2 and six with weight -1, at up to 32 dilations from 1 to (length - 1)
 * / 8. A feature is the share of a kernel's outputs that are greater than a bias. For every second pair of a kernel and a dilation
 * the series is padded with zeros and all outputs count; for the other pairs only outputs count that need no padding (in a series
 * too short for any such output, all). Biases are quantiles of the outputs for randomly drawn training series. With several
 * channels, each pair adds up one to nine randomly drawn channels. States fitted: (1), bias: (features); with several channels
 * channel: (84 · dilations, 9 at most), where -1 means none.
 *
 * TL_ROCKET_MULTI: the same kernels on the series and on its differences x[t + 1] - x[t]. Each bias gives four features: the share
 * of outputs greater than it; the mean of (output - bias) over these outputs, or 0 if there are none; the mean of their positions,
 * or -1 if there are none; the length of their longest run. They stand in this order: the first feature of all biases, then the
 * second of all. State bias: (features / 4).
 *
 * TL_ROCKET_HYDRA: random kernels of nine taps in groups of eight, at dilations 1, 2, 4 … up to (length - 1) / 8; half of the
 * groups see the series, half its differences, padded with zeros. At each step the kernel with the largest output of its group adds
 * this output to its first feature, and the kernel with the smallest output adds 1 to its second feature. A feature is the square
 * root of its sum, or 0 if the sum is negative. With several channels, each group adds up half as many channels, at least two and
 * at most eight, drawn with repetition. States fitted: (1), weight: (groups, 9 · 8); with several channels channel: (groups,
 * channels).
 *
 * Fails for series of fewer than 9 steps (multi and hydra: 10). */
typedef struct tl_rocket_cfg {
    tl_rocket_kind kind;
    int features;  /* (mini 9,996; multi 49,728; hydra 1,024 for each dilation) a multiple of 84, 672 or 32, else rounded down */
    size_t length; /* (the length of the input) length of the series that the dilations are chosen for */
} tl_rocket_cfg;
static inline tl_node tl_rocket(tl_model *model, tl_node x, const tl_rocket_cfg *cfg);

/* Only the last step: (length, channels) → (1, channels). */
TL_API tl_node tl_last_step(tl_model *model, tl_node x);

/* Joins all steps: (length, channels) → (1, length·channels), in memory order. */
TL_API tl_node tl_flatten(tl_model *model, tl_node x);

/* Batch normalisation: normalises each channel over batch and time, then scales and shifts it (Ioffe & Szegedy 2015). Parameters
 * scale, shift: (channels); states mean, variance: (channels).
 *
 * Training uses the mean and variance of the batch. It also updates the running ones: running = momentum·running + (1 -
 * momentum)·batch, with the unbiased variance, starting from mean 0 and variance 1 as PyTorch and Keras do. Only with the default
 * momentum, the first batch replaces these initial values. A batch with a single value for each channel does not update them.
 * Inference uses the running statistics, and so does training of a frozen layer (tl_freeze). At the end of tl_fit,
 * tl_update_statistics replaces them by the statistics of the whole training set. Where a mean or variance overflows, tl_step fails
 * and names the layer. */
typedef struct tl_batch_norm_cfg {
    double momentum; /* (0.9) of the running statistics, in (0, 1) */
    double epsilon;  /* (1e-3) added to the variance; at most 1, as in the other normalisations */
} tl_batch_norm_cfg;
static inline tl_node tl_batch_norm(tl_model *model, tl_node x, const tl_batch_norm_cfg *cfg);

/* Layer normalisation: normalises the channels of each step, then scales and shifts each channel (Ba, Kiros & Hinton 2016;
 * PyTorch's LayerNorm(channels)). Parameters scale, shift: (channels). */
typedef struct tl_layer_norm_cfg {
    double epsilon; /* (1e-5) added to the variance */
} tl_layer_norm_cfg;
static inline tl_node tl_layer_norm(tl_model *model, tl_node x, const tl_layer_norm_cfg *cfg);

/* Group normalisation: divides the channels into groups of neighbouring channels, normalises each sample over time and the channels
 * of a group, then scales and shifts each channel (Wu & He 2018; PyTorch's GroupNorm). With groups = channels it is instance
 * normalisation. Parameters scale, shift: (channels). */
typedef struct tl_group_norm_cfg {
    size_t groups;  /* must divide channels */
    double epsilon; /* (1e-5) added to the variance */
} tl_group_norm_cfg;
static inline tl_node tl_group_norm(tl_model *model, tl_node x, const tl_group_norm_cfg *cfg);

/* In training, sets each element to 0 with probability `rate` and multiplies the others by 1 / (1 - rate) (Srivastava et al. 2014).
 * In inference the output is the input. */
typedef struct tl_dropout_cfg {
    double rate;  /* in (0, 1) */
    bool spatial; /* set whole channels of a sample to 0 instead of single elements (Tompson et al. 2015) */
    char reserved[7];
} tl_dropout_cfg;
static inline tl_node tl_dropout(tl_model *model, tl_node x, const tl_dropout_cfg *cfg);

/* The sum of the nodes x: (count), 2 … TL_MAX_INPUTS nodes of the same shape. */
TL_API tl_node tl_add(tl_model *model, const tl_node *x, size_t count);

/* The product, element by element, of the nodes x: (count), 2 … TL_MAX_INPUTS nodes of the same shape. */
TL_API tl_node tl_multiply(tl_model *model, const tl_node *x, size_t count);

/* Joins the channels of the nodes x: (count), 2 … TL_MAX_INPUTS nodes of the same length, in this order. */
TL_API tl_node tl_concat(tl_model *model, const tl_node *x, size_t count);
enum { TL_MAX_INPUTS = 8 };

/* ---- architectures: from an input node to `outputs` logits (or regression values) ---- */

/* FCN (Wang, Yan & Oates 2017): three convolutions, 128 filters with kernel 8, 256 with kernel 5, 128 with kernel 3, each with
 * padding `same`, batch norm and ReLU; global average pool; dense. */
TL_API tl_node tl_fcn(tl_model *model, tl_node x, size_t outputs);

/* ResNet (Wang, Yan & Oates 2017): three residual blocks of 64, 128 and 128 filters. A block has three convolutions, with kernels
 * 8, 5 and 3, padding `same`, batch norm and ReLU, and a shortcut with batch norm, preceded by a convolution where the number of
 * channels changes. Then global average pool; dense. */
TL_API tl_node tl_resnet(tl_model *model, tl_node x, size_t outputs);

/* One network of InceptionTime (Ismail Fawaz et al. 2020): six blocks; global average pool; dense. In a block, a bottleneck
 * convolution to 32 channels (not if x is an input with one channel) leads to three convolutions of 32 filters with kernels 40, 20
 * and 10; beside them are a max-pool of 3 and a convolution with kernel 1. Their outputs are joined; batch norm and ReLU follow. A
 * shortcut goes around every three blocks. */
TL_API tl_node tl_inception(tl_model *model, tl_node x, size_t outputs);

/* Time-CNN (Zhao et al. 2017): convolution of 6 filters with kernel 7, sigmoid, average pool 3, convolution of 12 filters with
 * kernel 7, sigmoid, average pool 3, dense. Without padding; with padding `same` if x is an input of fewer than 60 steps (Ismail
 * Fawaz et al. 2019). The length must be at least 9. */
TL_API tl_node tl_time_cnn(tl_model *model, tl_node x, size_t outputs);

/* TCN (Bai, Kolter & Koltun 2018): eight residual blocks, the last step, dense. A block has two causal convolutions of 25 filters
 * with kernel 7 and ReLU; its dilation is 1, 2, 4 … 128. Without dropout and weight normalisation. */
TL_API tl_node tl_tcn(tl_model *model, tl_node x, size_t outputs);

/* LITE (Ismail-Fawaz et al. 2023): three convolutions of 32 filters with kernels 40, 20 and 10 beside tl_fixed_filters with ReLU;
 * then two depthwise separable convolutions to 32 channels, with kernel 20 and dilation 2, and with kernel 10 and dilation 4; all
 * with padding `same`, batch norm and ReLU; global average pool; dense. */
TL_API tl_node tl_lite(tl_model *model, tl_node x, size_t outputs);

/* MiniRocket (Dempster, Schmidt & Webb 2021): tl_rocket with 9,996 features; dense. tl_fit_ridge (tapline/ridge.h) is made for it.
 */
TL_API tl_node tl_mini_rocket(tl_model *model, tl_node x, size_t outputs);

/* MultiRocket (Tan, Dempster, Bergmeir & Webb 2022): tl_rocket with 49,728 features; dense. */
TL_API tl_node tl_multi_rocket(tl_model *model, tl_node x, size_t outputs);

/* Hydra (Dempster, Schmidt & Webb 2023): tl_rocket with 1,024 features for each dilation; dense. */
TL_API tl_node tl_hydra(tl_model *model, tl_node x, size_t outputs);

/* MultiRocket and Hydra side by side (Dempster, Schmidt & Webb 2023, section 4.3); dense. */
TL_API tl_node tl_multi_rocket_hydra(tl_model *model, tl_node x, size_t outputs);

/* The stack of WaveNet, tl_wavenet_steps, with 32 outputs for each step; ReLU; global average pool; dense. */
TL_API tl_node tl_wavenet(tl_model *model, tl_node x, size_t outputs);

/* WaveNet (van den Oord et al. 2016) without conditioning: (length, channels) → (length, outputs); no output depends on a later
 * step. A causal convolution is followed by blocks with dilations 1, 2, 4 …. A block computes z = tanh(conv) · sigmoid(conv) with
 * causal convolutions; a 1×1 convolution of z is added to the block's input, another one to a sum over all blocks. The sum goes
 * through ReLU, a 1×1 convolution, ReLU and a 1×1 convolution. */
typedef struct tl_wavenet_cfg {
    size_t outputs;
    size_t filters; /* (32) of the blocks */
    size_t skips;   /* (32) channels of the sum */
    size_t kernel;  /* (2) */
    size_t blocks;  /* (8) blocks of a stack, 1 … 30; dilations go up to 2^(blocks - 1) */
    size_t stacks;  /* (1) stacks, one after the other, 1 … 100 */
} tl_wavenet_cfg;
static inline tl_node tl_wavenet_steps(tl_model *model, tl_node x, const tl_wavenet_cfg *cfg);

/* U-Net (Ronneberger, Fischer & Brox 2015) over time: (length, channels) → (length, outputs); length must be a multiple of
 * 2^levels. Each level has two convolutions with padding `same`, batch norm and ReLU. On the way down, a max-pool of 2 leads to the
 * next level, which has twice the filters. On the way up, a transposed convolution leads to the level above, whose own channels are
 * joined to it. A 1×1 convolution gives the outputs. */
typedef struct tl_unet_cfg {
    size_t outputs;
    size_t filters; /* (16) of the first level, at most 65536 */
    size_t kernel;  /* (5) */
    size_t levels;  /* (3) 1 … 8 */
} tl_unet_cfg;
static inline tl_node tl_unet(tl_model *model, tl_node x, const tl_unet_cfg *cfg);

/* ---- how structs may grow (see tapline/base.h) ---- */

TL_API tl_node tl_conv1d_sized(tl_model *model, tl_node x, const tl_conv1d_cfg *cfg, size_t size);
TL_API tl_node tl_conv1d_transpose_sized(tl_model *model, tl_node x, const tl_conv1d_transpose_cfg *cfg, size_t size);
TL_API tl_node tl_dense_sized(tl_model *model, tl_node x, const tl_dense_cfg *cfg, size_t size);
TL_API tl_node tl_leaky_relu_sized(tl_model *model, tl_node x, const tl_leaky_relu_cfg *cfg, size_t size);
TL_API tl_node tl_elu_sized(tl_model *model, tl_node x, const tl_elu_cfg *cfg, size_t size);
TL_API tl_node tl_gelu_sized(tl_model *model, tl_node x, const tl_gelu_cfg *cfg, size_t size);
TL_API tl_node tl_affine_sized(tl_model *model, tl_node x, const tl_affine_cfg *cfg, size_t size);
TL_API tl_node tl_max_pool_sized(tl_model *model, tl_node x, const tl_pool_cfg *cfg, size_t size);
TL_API tl_node tl_average_pool_sized(tl_model *model, tl_node x, const tl_pool_cfg *cfg, size_t size);
TL_API tl_node tl_upsample_sized(tl_model *model, tl_node x, const tl_upsample_cfg *cfg, size_t size);
TL_API tl_node tl_embedding_sized(tl_model *model, tl_node x, const tl_embedding_cfg *cfg, size_t size);
TL_API tl_node tl_rocket_sized(tl_model *model, tl_node x, const tl_rocket_cfg *cfg, size_t size);
TL_API tl_node tl_batch_norm_sized(tl_model *model, tl_node x, const tl_batch_norm_cfg *cfg, size_t size);
TL_API tl_node tl_layer_norm_sized(tl_model *model, tl_node x, const tl_layer_norm_cfg *cfg, size_t size);
TL_API tl_node tl_group_norm_sized(tl_model *model, tl_node x, const tl_group_norm_cfg *cfg, size_t size);
TL_API tl_node tl_dropout_sized(tl_model *model, tl_node x, const tl_dropout_cfg *cfg, size_t size);
TL_API tl_node tl_wavenet_steps_sized(tl_model *model, tl_node x, const tl_wavenet_cfg *cfg, size_t size);
TL_API tl_node tl_unet_sized(tl_model *model, tl_node x, const tl_unet_cfg *cfg, size_t size);

static inline tl_node tl_conv1d(tl_model *model, tl_node x, const tl_conv1d_cfg *cfg) {
    return tl_conv1d_sized(model, x, cfg, sizeof *cfg);
}
static inline tl_node tl_conv1d_transpose(tl_model *model, tl_node x, const tl_conv1d_transpose_cfg *cfg) {
    return tl_conv1d_transpose_sized(model, x, cfg, sizeof *cfg);
}
static inline tl_node tl_dense(tl_model *model, tl_node x, const tl_dense_cfg *cfg) {
    return tl_dense_sized(model, x, cfg, sizeof *cfg);
}
static inline tl_node tl_leaky_relu(tl_model *model, tl_node x, const tl_leaky_relu_cfg *cfg) {
    return tl_leaky_relu_sized(model, x, cfg, sizeof *cfg);
}
static inline tl_node tl_elu(tl_model *model, tl_node x, const tl_elu_cfg *cfg) { return tl_elu_sized(model, x, cfg, sizeof *cfg); }
static inline tl_node tl_gelu(tl_model *model, tl_node x, const tl_gelu_cfg *cfg) {
    return tl_gelu_sized(model, x, cfg, sizeof *cfg);
}
static inline tl_node tl_affine(tl_model *model, tl_node x, const tl_affine_cfg *cfg) {
    return tl_affine_sized(model, x, cfg, sizeof *cfg);
}
static inline tl_node tl_max_pool(tl_model *model, tl_node x, const tl_pool_cfg *cfg) {
    return tl_max_pool_sized(model, x, cfg, sizeof *cfg);
}
static inline tl_node tl_average_pool(tl_model *model, tl_node x, const tl_pool_cfg *cfg) {
    return tl_average_pool_sized(model, x, cfg, sizeof *cfg);
}
static inline tl_node tl_upsample(tl_model *model, tl_node x, const tl_upsample_cfg *cfg) {
    return tl_upsample_sized(model, x, cfg, sizeof *cfg);
}
static inline tl_node tl_embedding(tl_model *model, tl_node x, const tl_embedding_cfg *cfg) {
    return tl_embedding_sized(model, x, cfg, sizeof *cfg);
}
static inline tl_node tl_rocket(tl_model *model, tl_node x, const tl_rocket_cfg *cfg) {
    return tl_rocket_sized(model, x, cfg, sizeof *cfg);
}
static inline tl_node tl_batch_norm(tl_model *model, tl_node x, const tl_batch_norm_cfg *cfg) {
    return tl_batch_norm_sized(model, x, cfg, sizeof *cfg);
}
static inline tl_node tl_layer_norm(tl_model *model, tl_node x, const tl_layer_norm_cfg *cfg) {
    return tl_layer_norm_sized(model, x, cfg, sizeof *cfg);
}
static inline tl_node tl_group_norm(tl_model *model, tl_node x, const tl_group_norm_cfg *cfg) {
    return tl_group_norm_sized(model, x, cfg, sizeof *cfg);
}
static inline tl_node tl_dropout(tl_model *model, tl_node x, const tl_dropout_cfg *cfg) {
    return tl_dropout_sized(model, x, cfg, sizeof *cfg);
}
static inline tl_node tl_wavenet_steps(tl_model *model, tl_node x, const tl_wavenet_cfg *cfg) {
    return tl_wavenet_steps_sized(model, x, cfg, sizeof *cfg);
}
static inline tl_node tl_unet(tl_model *model, tl_node x, const tl_unet_cfg *cfg) {
    return tl_unet_sized(model, x, cfg, sizeof *cfg);
}

#ifdef __cplusplus
}
#endif
#endif
