/* tapline/layers.h: the layers, one builder each, and ready-made architectures.
 *
 * A builder takes its input node(s) and returns the layer's node. What is wrong with a layer waits in the model until
 * tl_model_compile reports it ("layer 2 (conv1d): kernel extent 9 exceeds the padded input length 6"); a builder that is handed a
 * failed node returns a failed node. Configurations are copied; NULL or zeroed fields mean the default in brackets, and counts
 * without one (filters, kernel, units, window …) have to be given, from 1 on.
 * Shapes are those of one sample: (length, channels). Where none is said, what comes out has the shape of what goes in.
 */
#ifndef TAPLINE_LAYERS_H
#define TAPLINE_LAYERS_H

#include <tapline/model.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Where the network starts; a model has one. Neither length nor channels may be 0. */
TL_API tl_node tl_input(tl_model *model, tl_shape shape);

/* How initial weights are drawn; fan_in and fan_out count the kernel. */
typedef enum tl_init {
    TL_INIT_GLOROT_UNIFORM = 0, /* ±sqrt(6 / (fan_in + fan_out)); Glorot & Bengio 2010 */
    TL_INIT_GLOROT_NORMAL,      /* standard deviation sqrt(2 / (fan_in + fan_out)) */
    TL_INIT_HE_UNIFORM,         /* ±sqrt(6 / fan_in); He et al. 2015 */
    TL_INIT_HE_NORMAL,          /* standard deviation sqrt(2 / fan_in) */
    TL_INIT_LECUN_UNIFORM,      /* ±sqrt(3 / fan_in); LeCun et al. 1998 */
    TL_INIT_LECUN_NORMAL,       /* standard deviation sqrt(1 / fan_in) */
    TL_INIT_ORTHOGONAL, /* orthonormal columns of the matrix (all other axes, outputs), or rows where they are fewer; Saxe et al.
                      2014 */
    TL_INIT_ZEROS,
    TL_INIT_ONES,
    TL_INIT_CONSTANT /* 0.25, as the slopes of tl_prelu */
} tl_init;

/* "glorot_uniform" …; NULL for another number. tl_init_by_name sets *init to the initialiser of that name, or fails with a list of
 * all names. */
TL_API const char *tl_init_name(tl_init init);
TL_API tl_status tl_init_by_name(const char *name, tl_init *init, tl_error *error);

typedef enum tl_padding {
    TL_PADDING_VALID = 0, /* none */
    TL_PADDING_SAME,      /* ceil(length / stride) outputs; an odd column goes to the right */
    TL_PADDING_CAUSAL,  /* all on the left, ceil(length / stride) outputs: y[t] sees no x after t·stride. To the last bit with the
                   engines  naive, gemm and direct; winograd, which TL_ENGINE_AUTO may take, computes some neighbouring outputs
                   together, so  that a later x of magnitude h changes y[t] by rounding: up to 16·epsilon·h times the sum of the
                   filter's  |weight|, epsilon being 1.2e-7 (double: 2.2e-16), and to what is not finite where h times that sum is
                   near the  largest number there is */
    TL_PADDING_EXPLICIT /* pad_left and pad_right */
} tl_padding;

/* "valid", "same", "causal", "explicit"; NULL for another number. tl_padding_by_name sets *padding to the padding of that name, or
 * fails with a list of all names. */
TL_API const char *tl_padding_name(tl_padding padding);
TL_API tl_status tl_padding_by_name(const char *name, tl_padding *padding, tl_error *error);

/* What stands beyond the ends of a series where there is padding: zeros, or the series itself: mirrored at its last step (which
 * is not repeated), its last step again and again, or the series from its other end. As PyTorch's padding_mode. */
typedef enum tl_padding_mode {
    TL_PADDING_MODE_ZEROS = 0,
    TL_PADDING_MODE_REFLECT,
    TL_PADDING_MODE_REPLICATE,
    TL_PADDING_MODE_CIRCULAR
} tl_padding_mode;

/* "zeros", "reflect", "replicate", "circular"; NULL for another number. tl_padding_mode_by_name sets *mode to the mode of that
 * name, or fails with a list of all names. */
TL_API const char *tl_padding_mode_name(tl_padding_mode mode);
TL_API tl_status tl_padding_mode_by_name(const char *name, tl_padding_mode *mode, tl_error *error);

/* Cross-correlation over time: y[t, f] = bias[f] + sum over j, c of x[t·stride + j·dilation - pad_left, c] · weight[j, c, f].
 * (length, channels) → (out_length, filters), out_length = floor((length + pads - extent) / stride) + 1 with
 * extent = (kernel - 1)·dilation + 1. weight: (kernel, channels, filters); bias: (filters).
 *
 * With `groups`, filters g·filters/groups … see channels g·channels/groups … alone, which groups divides both of, and weight is
 * (kernel, channels / groups, filters). As many groups as channels and filters is a depthwise convolution, with loops of its own
 * where no engine is asked for. */
typedef struct tl_conv1d_cfg {
    int filters;
    int kernel;
    int stride;   /* (1) */
    int dilation; /* spacing of the taps, as in PyTorch and Keras (1: dense) */
    tl_padding padding;
    int pad_left, pad_right; /* TL_PADDING_EXPLICIT only */
    tl_padding_mode padding_mode;
    int groups; /* (1) */
    bool no_bias;
    tl_init init;
    tl_engine engine; /* (the model's) */
} tl_conv1d_cfg;
static inline tl_node tl_conv1d(tl_model *model, tl_node x, const tl_conv1d_cfg *cfg);

/* The transpose of tl_conv1d, which makes series longer ("deconvolution"; PyTorch's ConvTranspose1d): y[t, f] = bias[f] + sum over
 * c and those i, j with i·stride + j·dilation - pad_left = t of x[i, c] · weight[j, f, c]. (length, channels) → (out_length,
 * filters), out_length = (length - 1)·stride + (kernel - 1)·dilation + 1 + output_padding - pads.
 * weight: (kernel, filters, channels); bias: (filters). */
typedef struct tl_conv1d_transpose_cfg {
    int filters;
    int kernel;
    int stride;              /* (1) */
    int dilation;            /* (1) */
    int pad_left, pad_right; /* steps that are cut off the output */
    int output_padding;      /* steps more on the right, below stride */
    bool no_bias;
    tl_init init;
    tl_engine engine; /* (the model's) */
} tl_conv1d_transpose_cfg;
static inline tl_node tl_conv1d_transpose(tl_model *model, tl_node x, const tl_conv1d_transpose_cfg *cfg);

/* y = x · weight + bias on the channels of every step: (length, channels) → (length, units). weight: (channels, units); bias:
 * (units). */
typedef struct tl_dense_cfg {
    int units;
    bool no_bias;
    tl_init init;
} tl_dense_cfg;
static inline tl_node tl_dense(tl_model *model, tl_node x, const tl_dense_cfg *cfg);

/* Elementwise activations; softmax goes over the channels of each step. */
TL_API tl_node tl_relu(tl_model *model, tl_node x);
TL_API tl_node tl_sigmoid(tl_model *model, tl_node x);
TL_API tl_node tl_tanh(tl_model *model, tl_node x);
TL_API tl_node tl_softmax(tl_model *model, tl_node x);
TL_API tl_node tl_selu(tl_model *model, tl_node x);         /* 1.0507·(x, or 1.6733·(e^x - 1) below 0); Klambauer et al. 2017 */
TL_API tl_node tl_silu(tl_model *model, tl_node x);         /* x·sigmoid(x), "swish"; Elfwing, Uchibe & Doya 2018 */
TL_API tl_node tl_softplus(tl_model *model, tl_node x);     /* log(1 + e^x) */
TL_API tl_node tl_hard_sigmoid(tl_model *model, tl_node x); /* x/6 + 1/2 between 0 and 1, as in PyTorch */
TL_API tl_node tl_exponential(tl_model *model, tl_node x);  /* e^x; infinity above 88 (double: 709), 0 below -87 (-708) */

/* x, and slope·x below 0 (Maas, Hannun & Ng 2013). */
typedef struct tl_leaky_relu_cfg {
    double slope; /* above 0 (0.01) */
} tl_leaky_relu_cfg;
static inline tl_node tl_leaky_relu(tl_model *model, tl_node x, const tl_leaky_relu_cfg *cfg);

/* x, and slope·x below 0, the slope of each channel being trained (He et al. 2015). Parameter slope: (channels), at first 0.25. */
TL_API tl_node tl_prelu(tl_model *model, tl_node x);

/* x, and alpha·(e^x - 1) below 0 (Clevert, Unterthiner & Hochreiter 2016). */
typedef struct tl_elu_cfg {
    double alpha; /* above 0 (1) */
} tl_elu_cfg;
static inline tl_node tl_elu(tl_model *model, tl_node x, const tl_elu_cfg *cfg);

/* x·P(x), P being the distribution function of standard normal numbers (Hendrycks & Gimpel 2016); or their approximation
 * x·(1 + tanh(sqrt(2/pi)·(x + 0.044715·x³)))/2, which is faster. */
typedef struct tl_gelu_cfg {
    bool approximate;
} tl_gelu_cfg;
static inline tl_node tl_gelu(tl_model *model, tl_node x, const tl_gelu_cfg *cfg);

/* scale·x + shift, both fixed. */
typedef struct tl_affine_cfg {
    double scale; /* (1) */
    double shift;
} tl_affine_cfg;
static inline tl_node tl_affine(tl_model *model, tl_node x, const tl_affine_cfg *cfg);

/* Maximum or mean over windows of time, each channel by itself: (length, channels) → (out_length, channels), out_length as of a
 * tl_conv1d whose kernel is the window. Padding never counts: a maximum ignores it, a mean divides by the
 * inputs that it really saw (as Keras). Of equal maxima the first takes the gradient. */
typedef struct tl_pool_cfg {
    int window;
    int stride; /* (window) */
    tl_padding padding;
    int pad_left, pad_right; /* TL_PADDING_EXPLICIT only, each below window */
} tl_pool_cfg;
static inline tl_node tl_max_pool(tl_model *model, tl_node x, const tl_pool_cfg *cfg);
static inline tl_node tl_average_pool(tl_model *model, tl_node x, const tl_pool_cfg *cfg);

/* The mean, or the maximum, over all of time: (length, channels) → (1, channels). Of equal maxima the first takes the gradient. */
TL_API tl_node tl_global_average_pool(tl_model *model, tl_node x);
TL_API tl_node tl_global_max_pool(tl_model *model, tl_node x);

/* More steps of time: (length, channels) → (length·factor, channels). Each step is repeated, or, with `linear`, outputs lie on the
 * lines between the middles of the steps, and before the first middle and behind the last are these steps themselves (PyTorch's
 * align_corners = False). */
typedef struct tl_upsample_cfg {
    int factor;
    bool linear;
} tl_upsample_cfg;
static inline tl_node tl_upsample(tl_model *model, tl_node x, const tl_upsample_cfg *cfg);

/* Rows of a trained table: (length, 1) → (length, units). The input holds the numbers of the rows, 0 … vocabulary-1; the row of
 * what is no such number is NaN, which the loss reports. Nothing is sent back to the input. Parameter table: (vocabulary, units).
 */
typedef struct tl_embedding_cfg {
    int vocabulary;
    int units;
    tl_init init;
} tl_embedding_cfg;
static inline tl_node tl_embedding(tl_model *model, tl_node x, const tl_embedding_cfg *cfg);

/* Seventeen fixed filters (Ismail-Fawaz et al. 2022, "new hand-crafted convolution filters"): (length, channels) → (length, 17),
 * with the padding of TL_PADDING_SAME and the same weights for each channel. Six detect increases: -1, 1, -1, 1 … of 2, 4, 8, 16,
 * 32 and 64 taps. Six detect decreases: the same with the opposite sign. Five detect peaks, with 6, 12, 24, 48 and 96 taps: six
 * parabolas (i / n)², alternately rising and falling, of heights -1, -1, 2, 2, -1, -1. */
TL_API tl_node tl_fixed_filters(tl_model *model, tl_node x);

/* The last step of time alone: (length, channels) → (1, channels). */
TL_API tl_node tl_last_step(tl_model *model, tl_node x);

/* (length, channels) → (1, length·channels), in memory order. */
TL_API tl_node tl_flatten(tl_model *model, tl_node x);

/* Normalises each channel over batch and time, then scales and shifts (Ioffe & Szegedy 2015). Training uses the statistics of
 * the batch and moves the running ones: running = momentum·running + (1 - momentum)·batch (variance: the unbiased one), from 0 and
 * 1 on as PyTorch and Keras do; of the default momentum the first batch replaces these. A batch with a single value a channel does
 * not move them. Inference uses the running ones, and so does training of a frozen layer (tl_freeze). tl_fit ends with statistics
 * of all of its data (tl_update_statistics). Where a mean or variance overflows, tl_step fails and names the layer.
 * Parameters scale, shift: (channels); state mean, variance: (channels). */
typedef struct tl_batch_norm_cfg {
    double momentum; /* of the running statistics (0.9): in (0, 1) */
    double epsilon;  /* added to the variance (1e-3): at most 1, as of the other norms */
} tl_batch_norm_cfg;
static inline tl_node tl_batch_norm(tl_model *model, tl_node x, const tl_batch_norm_cfg *cfg);

/* Normalises the channels of every step by themselves, then scales and shifts each channel (Ba, Kiros & Hinton 2016; PyTorch's
 * LayerNorm(channels)). Parameters scale, shift: (channels). */
typedef struct tl_layer_norm_cfg {
    double epsilon; /* added to the variance (1e-5) */
} tl_layer_norm_cfg;
static inline tl_node tl_layer_norm(tl_model *model, tl_node x, const tl_layer_norm_cfg *cfg);

/* Normalises each sample over time and groups of channels / groups neighbouring channels, then scales and shifts each channel
 * (Wu & He 2018; PyTorch's GroupNorm). As many groups as channels: instance normalisation. Parameters scale, shift: (channels). */
typedef struct tl_group_norm_cfg {
    int groups;     /* divides the channels */
    double epsilon; /* added to the variance (1e-5) */
} tl_group_norm_cfg;
static inline tl_node tl_group_norm(tl_model *model, tl_node x, const tl_group_norm_cfg *cfg);

/* In training each element is zeroed with probability `rate`, the others are scaled by 1 / (1 - rate) (Srivastava et al. 2014). */
typedef struct tl_dropout_cfg {
    double rate;  /* in (0, 1) */
    bool spatial; /* zero all of a sample's channel or nothing of it (Tompson et al. 2015) */
} tl_dropout_cfg;
static inline tl_node tl_dropout(tl_model *model, tl_node x, const tl_dropout_cfg *cfg);

/* The sum of 2 … TL_MAX_INPUTS nodes of one shape. */
TL_API tl_node tl_add(tl_model *model, const tl_node *x, size_t count);

/* The product, element by element, of 2 … TL_MAX_INPUTS nodes of one shape. */
TL_API tl_node tl_multiply(tl_model *model, const tl_node *x, size_t count);

/* The channels of 2 … TL_MAX_INPUTS nodes of one length side by side, in order. */
TL_API tl_node tl_concat(tl_model *model, const tl_node *x, size_t count);
enum { TL_MAX_INPUTS = 8 };

/* ---- architectures: from an input node to `outputs` logits (or regression values) ---- */

/* FCN (Wang, Yan & Oates 2017): conv 128 k8, 256 k5, 128 k3, `same`, each with batch norm and ReLU; global average pool; dense. */
TL_API tl_node tl_fcn(tl_model *model, tl_node x, int outputs);

/* ResNet (Wang, Yan & Oates 2017): three residual blocks of 64, 128, 128 filters, each conv k8, k5, k3, `same`, with batch norm and
 * ReLU; shortcuts with batch norm, and a convolution where the channels differ; global average pool; dense. */
TL_API tl_node tl_resnet(tl_model *model, tl_node x, int outputs);

/* One network of InceptionTime (Ismail Fawaz et al. 2020): six blocks, each a bottleneck of 32 channels (none where x is an input
 * of one channel), conv k40, k20, k10 of 32 filters beside max-pool 3 with conv k1, batch norm, ReLU; a shortcut around every
 * three; global average pool; dense. */
TL_API tl_node tl_inception(tl_model *model, tl_node x, int outputs);

/* Time-CNN (Zhao et al. 2017): conv 6 k7, sigmoid, average pool 3, conv 12 k7, sigmoid, average pool 3; dense. No padding, but
 * `same` where x is an input of less than 60 steps (Ismail Fawaz et al. 2019). Needs a length of 9 or more. */
TL_API tl_node tl_time_cnn(tl_model *model, tl_node x, int outputs);

/* TCN (Bai, Kolter & Koltun 2018): eight residual blocks of two causal convolutions 25 k7, dilation 1, 2, 4 … 128, with ReLU,
 * without dropout and weight normalisation; the last step; dense. */
TL_API tl_node tl_tcn(tl_model *model, tl_node x, int outputs);

/* LITE (Ismail-Fawaz et al. 2023): conv k40, k20, k10 of 32 filters beside tl_fixed_filters and its ReLU; then two depthwise
 * separable convolutions to 32 channels, k20 with dilation 2, k10 with dilation 4; `same`, each with batch norm and ReLU; global
 * average pool; dense. */
TL_API tl_node tl_lite(tl_model *model, tl_node x, int outputs);

/* WaveNet's stack, tl_wavenet_steps, with 32 outputs for each step; ReLU; global average pool; dense. */
TL_API tl_node tl_wavenet(tl_model *model, tl_node x, int outputs);

/* WaveNet (van den Oord et al. 2016) without its conditioning: (length, channels) → (length, outputs), no output seeing a later
 * step. A causal convolution; then blocks of tanh(conv) · sigmoid(conv), causal, with dilations 1, 2, 4 …, from which a 1×1
 * convolution is added to the block's input and another to the sum of all blocks, which goes through ReLU, 1×1, ReLU, 1×1. */
typedef struct tl_wavenet_cfg {
    int outputs;
    int filters; /* of the blocks (32) */
    int skips;   /* channels of the sum (32) */
    int kernel;  /* (2) */
    int blocks;  /* of a stack, 1 … 30: dilations up to 2^(blocks - 1) (8) */
    int stacks;  /* one after the other, 1 … 100 (1) */
} tl_wavenet_cfg;
static inline tl_node tl_wavenet_steps(tl_model *model, tl_node x, const tl_wavenet_cfg *cfg);

/* U-Net (Ronneberger, Fischer & Brox 2015) over time: (length, channels) → (length, outputs), length being a multiple of 2^levels.
 * Each level is two convolutions, `same`, with batch norm and ReLU; max-pool 2 leads down, to twice the filters, and a transposed
 * convolution up, beside the level's own channels; a 1×1 convolution. */
typedef struct tl_unet_cfg {
    int outputs;
    int filters; /* of the first level, up to 65536 (16) */
    int kernel;  /* (5) */
    int levels;  /* 1 … 8 (3) */
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
