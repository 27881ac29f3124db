/* One row of a product: a vector of sums for a few outputs at a time, all together, so that they hide each other's latency. The
 * additions have the order of tl_direct_product, for the same bits.
 */
#include "kernels/kernel.h"

#if defined(__clang__)
#define UNROLL_SOME _Pragma("clang loop unroll_count(4)")
#else
#define UNROLL_SOME _Pragma("GCC unroll 4")
#endif

/* `vectors` vectors of outputs; the last one has `part` lanes (0: all). `vectors` and `relu` are constants where it is inlined. */
TL_INLINE void outputs(const tl_row_product *p, const int vectors, size_t part, const bool relu) {
    tl_vector sum[TL_ROW_VECTORS];
    const tl_real *x = p->x, *factor = p->factor;
    const size_t stride = p->stride, count = p->count;
    TL_UNROLL for (int v = 0; v < vectors; v++) sum[v] = tl_load(p->start + v * TL_LANES);
    for (size_t run = 0; run < p->runs; run++, x += p->run_stride) {
        const tl_real *at = x;
        UNROLL_SOME for (size_t i = 0; i < count; i++, at += stride, factor += vectors * TL_LANES) {
            const tl_vector value = tl_broadcast(*at);
            TL_UNROLL for (int v = 0; v < vectors; v++) sum[v] += value * tl_load(factor + v * TL_LANES);
        }
    }
    if (relu) TL_UNROLL for (int v = 0; v < vectors; v++) sum[v] = tl_rectified(sum[v]);
    TL_UNROLL for (int v = 0; v < vectors - 1; v++) tl_store(p->out + v * TL_LANES, sum[v]);
    tl_store_some(p->out + (vectors - 1) * TL_LANES, sum[vectors - 1], part);
}

/* Separate functions, so that each saves no more registers than it uses. */
#define ROW(vectors)                                                                                                               \
    static __attribute__((noinline)) void row_of_##vectors(const tl_row_product *p) {                                              \
        if (p->relu)                                                                                                               \
            outputs(p, vectors, p->width % TL_LANES, true);                                                                        \
        else                                                                                                                       \
            outputs(p, vectors, p->width % TL_LANES, false);                                                                       \
    }
ROW(1)
ROW(2)
ROW(3)
ROW(4)
ROW(5)
ROW(6)
ROW(7)
ROW(8)

void TL_KERNEL(tl_kernel_row_product)(const tl_row_product *p);
void TL_KERNEL(tl_kernel_row_product)(const tl_row_product *p) {
    static void (*const rows[TL_ROW_VECTORS])(const tl_row_product *) = {row_of_1, row_of_2, row_of_3, row_of_4,
                                                                         row_of_5, row_of_6, row_of_7, row_of_8};
    rows[(p->width - 1) / TL_LANES](p);
}
