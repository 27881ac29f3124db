#include "kernels/kernel.h"

double TL_KERNEL(tl_kernel_peak)(size_t rounds, tl_real *sink);
void TL_KERNEL(tl_kernel_norm_moments)(const tl_norm_rows *rows);
void TL_KERNEL(tl_kernel_norm_apply)(const tl_norm_rows *rows);
void TL_KERNEL(tl_kernel_norm_gradient_sums)(const tl_norm_rows *rows);
void TL_KERNEL(tl_kernel_norm_gradient)(const tl_norm_rows *rows);
void TL_KERNEL(tl_kernel_layer_norm)(const tl_layer_norm_rows *rows);
void TL_KERNEL(tl_kernel_layer_norm_gradient)(const tl_layer_norm_rows *rows);
void TL_KERNEL(tl_kernel_prelu)(const tl_prelu_rows *rows);
void TL_KERNEL(tl_kernel_prelu_gradient)(const tl_prelu_rows *rows);
void TL_KERNEL(tl_kernel_activate)(const tl_activation_run *run);
void TL_KERNEL(tl_kernel_activation_gradient)(const tl_activation_run *run);
extern const tl_pooling TL_KERNEL(tl_kernel_max_pool), TL_KERNEL(tl_kernel_average_pool);
void TL_KERNEL(tl_kernel_softmax)(const tl_real *x, tl_real *y, size_t rows, size_t channels);
void TL_KERNEL(tl_kernel_softmax_gradient)(const tl_real *y, const tl_real *dy, tl_real *dx, size_t rows, size_t channels);
void TL_KERNEL(tl_kernel_dropout)(const tl_dropout_run *run);
void TL_KERNEL(tl_kernel_multiply)(const tl_real *a, const tl_real *b, tl_real *y, size_t count);
void TL_KERNEL(tl_kernel_add)(const tl_real *a, const tl_real *b, tl_real *y, size_t count);
void TL_KERNEL(tl_kernel_add_relu)(const tl_real *a, const tl_real *b, tl_real *y, size_t count);
void TL_KERNEL(tl_kernel_sum_rows)(const tl_real *x, size_t rows, size_t width, tl_real *sum);
void TL_KERNEL(tl_kernel_depthwise)(const tl_depthwise_rows *rows);
void TL_KERNEL(tl_kernel_depthwise_input)(const tl_depthwise_rows *rows);
void TL_KERNEL(tl_kernel_depthwise_weights)(const tl_depthwise_rows *rows);
double TL_KERNEL(tl_kernel_squares)(const tl_real *x, size_t count);
void TL_KERNEL(tl_kernel_adam)(const tl_adam_run *run);
void TL_KERNEL(tl_kernel_sgd)(const tl_sgd_run *run);
void TL_KERNEL(tl_kernel_rmsprop)(const tl_rmsprop_run *run);
void TL_KERNEL(tl_kernel_adagrad)(const tl_adagrad_run *run);
void TL_KERNEL(tl_kernel_direct_product)(const tl_direct_product *product);
void TL_KERNEL(tl_kernel_direct_lane_reduction)(const tl_direct_product *product);
void TL_KERNEL(tl_kernel_direct_single)(const tl_single_product *product);
void TL_KERNEL(tl_kernel_direct_single_gradient)(const tl_single_gradient *gradient);
void TL_KERNEL(tl_kernel_direct_pack)(const tl_direct_packing *packing);
void TL_KERNEL(tl_kernel_row_product)(const tl_row_product *product);
tl_row_turn TL_KERNEL(tl_kernel_row_turn)(size_t width, size_t rows);
extern const tl_winograd TL_KERNEL(tl_kernel_winograd)[];
void TL_KERNEL(tl_kernel_rocket_sum)(const tl_rocket_sum *sum);
void TL_KERNEL(tl_kernel_rocket_count)(const tl_rocket_count *run);
void TL_KERNEL(tl_kernel_rocket_pool)(const tl_rocket_count *run);
void TL_KERNEL(tl_kernel_rocket_compete)(const tl_rocket_group *group);

#define TL_NAME_OF(isa) #isa
#define TL_NAME(isa) TL_NAME_OF(isa)

const tl_kernels TL_KERNEL(tl_kernels) = {
    .isa = TL_NAME(TL_KERNEL_ISA),
    .peak = TL_KERNEL(tl_kernel_peak),
    .norm_moments = TL_KERNEL(tl_kernel_norm_moments),
    .norm_apply = TL_KERNEL(tl_kernel_norm_apply),
    .norm_gradient_sums = TL_KERNEL(tl_kernel_norm_gradient_sums),
    .norm_gradient = TL_KERNEL(tl_kernel_norm_gradient),
    .layer_norm = TL_KERNEL(tl_kernel_layer_norm),
    .layer_norm_gradient = TL_KERNEL(tl_kernel_layer_norm_gradient),
    .prelu = TL_KERNEL(tl_kernel_prelu),
    .prelu_gradient = TL_KERNEL(tl_kernel_prelu_gradient),
    .activate = TL_KERNEL(tl_kernel_activate),
    .activation_gradient = TL_KERNEL(tl_kernel_activation_gradient),
    .softmax = TL_KERNEL(tl_kernel_softmax),
    .softmax_gradient = TL_KERNEL(tl_kernel_softmax_gradient),
    .dropout = TL_KERNEL(tl_kernel_dropout),
    .multiply = TL_KERNEL(tl_kernel_multiply),
    .add = TL_KERNEL(tl_kernel_add),
    .add_relu = TL_KERNEL(tl_kernel_add_relu),
    .max_pool = &TL_KERNEL(tl_kernel_max_pool),
    .average_pool = &TL_KERNEL(tl_kernel_average_pool),
    .sum_rows = TL_KERNEL(tl_kernel_sum_rows),
    .depthwise = TL_KERNEL(tl_kernel_depthwise),
    .depthwise_input = TL_KERNEL(tl_kernel_depthwise_input),
    .depthwise_weights = TL_KERNEL(tl_kernel_depthwise_weights),
    .squares = TL_KERNEL(tl_kernel_squares),
    .adam = TL_KERNEL(tl_kernel_adam),
    .sgd = TL_KERNEL(tl_kernel_sgd),
    .rmsprop = TL_KERNEL(tl_kernel_rmsprop),
    .adagrad = TL_KERNEL(tl_kernel_adagrad),
    .lanes = TL_LANES,
    .direct_vectors = TL_TILE_VECTORS,
    .direct_product = TL_KERNEL(tl_kernel_direct_product),
    .direct_lane_reduction = TL_KERNEL(tl_kernel_direct_lane_reduction),
    .direct_single = TL_KERNEL(tl_kernel_direct_single),
    .direct_single_gradient = TL_KERNEL(tl_kernel_direct_single_gradient),
    .direct_pack = TL_KERNEL(tl_kernel_direct_pack),
    .row_product = TL_KERNEL(tl_kernel_row_product),
    .row_turn = TL_KERNEL(tl_kernel_row_turn),
    .winograd = TL_KERNEL(tl_kernel_winograd),
    .rocket_sum = TL_KERNEL(tl_kernel_rocket_sum),
    .rocket_count = TL_KERNEL(tl_kernel_rocket_count),
    .rocket_pool = TL_KERNEL(tl_kernel_rocket_pool),
    .rocket_compete = TL_KERNEL(tl_kernel_rocket_compete),
};
