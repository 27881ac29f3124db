#include "compute/fold.h"

void tl_fold_weights(const tl_affine_numbers *numbers, const tl_real *weight, size_t rows, size_t width, tl_real *to) {
    for (size_t row = 0; row < rows; row++, weight += width, to += width)
        for (size_t c = 0; c < width; c++) to[c] = (tl_real)(numbers->factor[c] * (double)weight[c]);
}

void tl_fold_bias(const tl_affine_numbers *numbers, const tl_real *bias, size_t width, tl_real *to) {
    for (size_t c = 0; c < width; c++) to[c] = (tl_real)tl_folded_bias(numbers, c, bias ? (double)bias[c] : 0);
}
