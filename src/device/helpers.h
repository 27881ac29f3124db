/* helpers.h: the functions that a C file may contain. Their source is in src/device/text. */
#ifndef TL_C_HELPERS_H
#define TL_C_HELPERS_H

#include "device/text.h"

/* In the order of the C file: a function comes after the functions that it calls. */
typedef enum tl_c_helper {
    TL_C_EXP,
    TL_C_EXPM1,
    TL_C_LOG1P,
    TL_C_TANH,
    TL_C_SQRT,
    TL_C_TAIL,
    TL_C_RELU,
    TL_C_LEAKY_RELU,
    TL_C_ELU,
    TL_C_SIGMOID,
    TL_C_HARD_SIGMOID,
    TL_C_SOFTPLUS,
    TL_C_SILU,
    TL_C_GELU,
    TL_C_GELU_TANH,
    TL_C_AFFINE,
    TL_C_INLINE,
    TL_C_LANES,
    TL_C_WINDOW,
    TL_C_TAPS,
    TL_C_PRODUCTS,
    TL_C_MULTIPLY,
    TL_C_CONVOLUTION,
    TL_C_RECTIFY,
    TL_C_CONVOLVE,
    TL_C_CONVOLVE_WINDOW,
    TL_C_CONVOLVE_DEPTHWISE,
    TL_C_CONVOLVE_TRANSPOSED,
    TL_C_PAD,
    TL_C_FIXED_FILTERS,
    TL_C_ROCKET_SERIES,
    TL_C_ROCKET_POOL,
    TL_C_ROCKET,
    TL_C_HYDRA,
    TL_C_POOL_MAX,
    TL_C_POOL_AVERAGE,
    TL_C_UPSAMPLE,
    TL_C_UPSAMPLE_LINEAR,
    TL_C_EMBEDDING,
    TL_C_PRELU,
    TL_C_SOFTMAX,
    TL_C_BATCH_NORM,
    TL_C_GROUP_NORM,
    TL_C_LAYER_NORM,
    TL_C_COPY_CHANNELS,
    TL_C_SCALE_SERIES,
    TL_C_SCALE_SET,
    TL_C_LINE,
    TL_C_READER,
    TL_C_RUNNING_AVERAGE,
    TL_C_RUNNING_MAX,
    TL_C_Q_REQUANTIZE,
    TL_C_Q_CONVOLUTION,
    TL_C_Q_CONVOLVE,
    TL_C_Q_CONVOLVE_DEPTHWISE,
    TL_C_Q_POOL_MAX,
    TL_C_Q_POOL_AVERAGE,
    TL_C_Q_TABLE,
    TL_C_Q_ADD,
    TL_C_Q_INPUT,
    TL_C_Q_OUTPUT,
    TL_C_HELPERS
} tl_c_helper;

/* The helpers that a file needs. */
typedef struct tl_c_helpers {
    bool used[TL_C_HELPERS];
    bool no_libm; /* use own functions instead of those of the C library */
} tl_c_helpers;

/* Marks a helper and the helpers that it calls as needed. */
void tl_c_use(tl_c_helpers *self, tl_c_helper helper);

/* Whether one of them needs <math.h>. */
bool tl_c_uses_math(const tl_c_helpers *self);

/* Adds the source of the needed functions. */
void tl_c_print_helpers(const tl_c_helpers *self, tl_c_text *to);

#endif
