/* fold.h: a layer y = factor · (x - centre) + term with numbers for each channel, such as batch norm in inference, folded into the
 * weights and the bias of the layer before it. All in double; the results are rounded once. */
#ifndef TL_FOLD_H
#define TL_FOLD_H

#include <tapline/layer.h>

/* Returns the bias of channel c, which was `bias`. */
static inline double tl_folded_bias(const tl_affine_numbers *numbers, size_t c, double bias) {
    return numbers->factor[c] * (bias - numbers->centre[c]) + numbers->term[c];
}

/* to: (rows, width) [OUT] = weight: (rows, width) times the factor of each column. */
void tl_fold_weights(const tl_affine_numbers *numbers, const tl_real *weight, size_t rows, size_t width, tl_real *to);

/* to: (width) [OUT] the folded bias; bias: (width), or NULL: all 0. */
void tl_fold_bias(const tl_affine_numbers *numbers, const tl_real *bias, size_t width, tl_real *to);

#endif
