#include "device/helpers.h"

#include <tapline_c_texts.h> /* made by the build: NAME_text of each src/device/text/NAME.c */

#include <string.h>

enum { MAX_NEEDS = 3 };

typedef struct helper_text {
    const char *text;
    const char *own_text; /* used instead of `text` with no_libm; NULL: `text` is used */
    const char *own_part; /* a part that several own_text need; NULL: none */
    bool math;            /* uses <math.h> */
    int needs;            /* number of elements of `need` */
    tl_c_helper need[MAX_NEEDS];
} helper_text;

static const helper_text helpers[] = {
    [TL_C_EXP] = {.text = libm_exp_text, .own_text = own_exp_text, .own_part = own_power_text, .math = true},
    [TL_C_EXPM1] = {.text = libm_expm1_text, .own_text = own_expm1_text, .own_part = own_power_text, .math = true},
    [TL_C_LOG1P] = {.text = libm_log1p_text, .own_text = own_log1p_text, .math = true},
    [TL_C_TANH] = {.text = libm_tanh_text, .own_text = own_tanh_text, .math = true, .needs = 1, .need = {TL_C_EXPM1}},
    [TL_C_SQRT] = {.text = libm_sqrt_text, .own_text = own_sqrt_text, .math = true},
    [TL_C_TAIL] = {.text = libm_tail_text, .own_text = own_tail_text, .math = true, .needs = 1, .need = {TL_C_EXP}},
    [TL_C_RELU] = {.text = relu_text},
    [TL_C_LEAKY_RELU] = {.text = leaky_relu_text},
    [TL_C_ELU] = {.text = elu_text, .needs = 1, .need = {TL_C_EXPM1}},
    [TL_C_SIGMOID] = {.text = sigmoid_text, .needs = 1, .need = {TL_C_EXP}},
    [TL_C_HARD_SIGMOID] = {.text = hard_sigmoid_text},
    [TL_C_SOFTPLUS] = {.text = softplus_text, .needs = 2, .need = {TL_C_EXP, TL_C_LOG1P}},
    [TL_C_SILU] = {.text = silu_text, .needs = 1, .need = {TL_C_SIGMOID}},
    [TL_C_GELU] = {.text = gelu_text, .needs = 1, .need = {TL_C_TAIL}},
    [TL_C_GELU_TANH] = {.text = gelu_tanh_text, .needs = 1, .need = {TL_C_SIGMOID}},
    [TL_C_AFFINE] = {.text = affine_text},
    [TL_C_INLINE] = {.text = inline_text},
    [TL_C_LANES] = {.text = lanes_text, .needs = 1, .need = {TL_C_INLINE}},
    [TL_C_WINDOW] = {.text = window_text},
    [TL_C_TAPS] = {.text = taps_text, .needs = 1, .need = {TL_C_WINDOW}},
    [TL_C_PRODUCTS] = {.text = products_text, .needs = 1, .need = {TL_C_LANES}},
    [TL_C_MULTIPLY] = {.text = multiply_text, .needs = 2, .need = {TL_C_INLINE, TL_C_PRODUCTS}},
    [TL_C_CONVOLUTION] = {.text = convolution_text, .needs = 1, .need = {TL_C_WINDOW}},
    [TL_C_RECTIFY] = {.text = rectify_text},
    [TL_C_CONVOLVE] = {.text = convolve_text, .needs = 3, .need = {TL_C_MULTIPLY, TL_C_CONVOLUTION, TL_C_TAPS}},
    [TL_C_CONVOLVE_WINDOW] = {.text = convolve_window_text, .needs = 2, .need = {TL_C_MULTIPLY, TL_C_CONVOLUTION}},
    [TL_C_CONVOLVE_DEPTHWISE] = {.text = convolve_depthwise_text, .needs = 3, .need = {TL_C_LANES, TL_C_CONVOLUTION, TL_C_TAPS}},
    [TL_C_CONVOLVE_TRANSPOSED] = {.text = convolve_transposed_text,
                                  .needs = 3,
                                  .need = {TL_C_RECTIFY, TL_C_MULTIPLY, TL_C_CONVOLUTION}},
    [TL_C_PAD] = {.text = pad_text},
    [TL_C_FIXED_FILTERS] = {.text = fixed_filters_text},
    [TL_C_ROCKET_SERIES] = {.text = rocket_series_text},
    [TL_C_ROCKET_POOL] = {.text = rocket_pool_text},
    [TL_C_ROCKET] = {.text = rocket_text, .needs = 2, .need = {TL_C_ROCKET_SERIES, TL_C_ROCKET_POOL}},
    [TL_C_HYDRA] = {.text = hydra_text, .needs = 2, .need = {TL_C_SQRT, TL_C_ROCKET_SERIES}},
    [TL_C_POOL_MAX] = {.text = pool_max_text, .needs = 1, .need = {TL_C_TAPS}},
    [TL_C_POOL_AVERAGE] = {.text = pool_average_text, .needs = 1, .need = {TL_C_TAPS}},
    [TL_C_UPSAMPLE] = {.text = upsample_text},
    [TL_C_UPSAMPLE_LINEAR] = {.text = upsample_linear_text},
    [TL_C_EMBEDDING] = {.text = embedding_text, .math = true},
    [TL_C_PRELU] = {.text = prelu_text},
    [TL_C_SOFTMAX] = {.text = softmax_text, .needs = 1, .need = {TL_C_EXP}},
    [TL_C_BATCH_NORM] = {.text = batch_norm_text},
    [TL_C_GROUP_NORM] = {.text = group_norm_text, .needs = 1, .need = {TL_C_SQRT}},
    [TL_C_LAYER_NORM] = {.text = layer_norm_text, .needs = 1, .need = {TL_C_GROUP_NORM}},
    [TL_C_COPY_CHANNELS] = {.text = copy_channels_text},
    [TL_C_SCALE_SERIES] = {.text = scale_series_text, .needs = 1, .need = {TL_C_SQRT}},
    [TL_C_SCALE_SET] = {.text = scale_set_text},
    [TL_C_LINE] = {.text = line_text, .needs = 1, .need = {TL_C_INLINE}},
    [TL_C_READER] = {.text = reader_text, .needs = 1, .need = {TL_C_LINE}},
    [TL_C_RUNNING_AVERAGE] = {.text = running_average_text},
    [TL_C_RUNNING_MAX] = {.text = running_max_text},
    [TL_C_Q_REQUANTIZE] = {.text = q_requantize_text},
    [TL_C_Q_CONVOLUTION] = {.text = q_convolution_text, .needs = 2, .need = {TL_C_TAPS, TL_C_Q_REQUANTIZE}},
    [TL_C_Q_CONVOLVE] = {.text = q_convolve_text, .needs = 1, .need = {TL_C_Q_CONVOLUTION}},
    [TL_C_Q_CONVOLVE_DEPTHWISE] = {.text = q_convolve_depthwise_text, .needs = 1, .need = {TL_C_Q_CONVOLUTION}},
    [TL_C_Q_POOL_MAX] = {.text = q_pool_max_text, .needs = 1, .need = {TL_C_TAPS}},
    [TL_C_Q_POOL_AVERAGE] = {.text = q_pool_average_text, .needs = 2, .need = {TL_C_TAPS, TL_C_Q_REQUANTIZE}},
    [TL_C_Q_TABLE] = {.text = q_table_text},
    [TL_C_Q_ADD] = {.text = q_add_text, .needs = 1, .need = {TL_C_Q_REQUANTIZE}},
    [TL_C_Q_INPUT] = {.text = q_input_text},
    [TL_C_Q_OUTPUT] = {.text = q_output_text},
};

/* A helper comes after those that it calls, so one pass from the end of the table to its start finds them all. */
void tl_c_use(tl_c_helpers *self, tl_c_helper helper) {
    self->used[helper] = true;
    for (size_t i = (size_t)helper + 1; i-- > 0;) {
        const bool calls = self->no_libm || !helpers[i].own_text; /* functions of the C library need no helper */
        for (int n = 0; self->used[i] && calls && n < helpers[i].needs; n++) self->used[helpers[i].need[n]] = true;
    }
}

bool tl_c_uses_math(const tl_c_helpers *self) {
    bool math = false;
    for (size_t i = 0; i < TL_C_HELPERS; i++) math = math || (self->used[i] && helpers[i].math);
    return math;
}

void tl_c_print_helpers(const tl_c_helpers *self, tl_c_text *to) {
    const char *part = NULL; /* the part that was added before */
    for (size_t i = 0; i < TL_C_HELPERS; i++) {
        const helper_text *it = &helpers[i];
        const bool own = self->no_libm && it->own_text;
        const char *text = own ? it->own_text : it->text;
        if (!self->used[i]) continue;
        if (own && it->own_part && it->own_part != part) {
            part = it->own_part;
            tl_c_add(to, part, strlen(part));
            tl_c_add(to, "\n", 1);
        }
        tl_c_add(to, text, strlen(text));
        tl_c_add(to, "\n", 1);
    }
}
