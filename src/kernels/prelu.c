/* A ReLU with a slope below 0 for each channel, over rows of channels. */
#include "kernels/columns.h"

TL_INLINE void bend(const void *rows, size_t c, const int vectors, size_t part, const int variant) {
    (void)variant;
    const tl_prelu_rows *n = rows;
    tl_vector slope[TL_WIDE_BLOCK];
    tl_load_columns(slope, n->slope + c, vectors, part);
    const tl_real *x = n->x + c;
    tl_real *y = n->out + c;
    for (size_t row = 0; row < n->rows; row++, x += n->channels, y += n->channels) {
        TL_UNROLL for (int v = 0; v < vectors; v++) {
            const tl_vector value = tl_load_some(x + v * TL_LANES, part);
            tl_store_some(y + v * TL_LANES, tl_choose(value < (tl_vector){0}, slope[v] * value, value), part);
        }
    }
}

void TL_KERNEL(tl_kernel_prelu)(const tl_prelu_rows *n);
void TL_KERNEL(tl_kernel_prelu)(const tl_prelu_rows *n) { tl_by_columns(n, n->channels, TL_WIDE_BLOCK, 0, bend); }

/* ---- sums over the rows of x · dy where x is below 0, and dx if it is needed ---- */

enum { SUMS_ONLY = 0, SENDS = 1 }; /* variants */

TL_INLINE void bend_back(const void *rows, size_t c, const int vectors, size_t part, const int variant) {
    const tl_prelu_rows *n = rows;
    tl_vector slope[TL_WIDE_BLOCK], sum[TL_WIDE_BLOCK] = {0};
    tl_load_columns(slope, n->slope + c, vectors, part);
    const tl_real *x = n->x + c, *dy = n->dy + c;
    tl_real *dx = variant == SENDS ? n->out + c : NULL;
    for (size_t row = 0; row < n->rows; row++, x += n->channels, dy += n->channels) {
        TL_UNROLL for (int v = 0; v < vectors; v++) {
            const tl_vector value = tl_load_some(x + v * TL_LANES, part), d = tl_load_some(dy + v * TL_LANES, part);
            sum[v] += tl_where(value < (tl_vector){0}, value * d);
            if (variant != SENDS) continue;
            tl_store_some(dx + v * TL_LANES, tl_choose(value > (tl_vector){0}, d, slope[v] * d), part);
        }
        if (variant == SENDS) dx += n->channels;
    }
    tl_store_columns(n->sum + c, sum, vectors, part);
}

void TL_KERNEL(tl_kernel_prelu_gradient)(const tl_prelu_rows *n);
void TL_KERNEL(tl_kernel_prelu_gradient)(const tl_prelu_rows *n) {
    if (n->out)
        tl_by_columns(n, n->channels, TL_MIDDLE_BLOCK, SENDS, bend_back);
    else
        tl_by_columns(n, n->channels, TL_MIDDLE_BLOCK, SUMS_ONLY, bend_back);
}
