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

/* Not inlined, so that a row of whole vectors needs no memory for it. */
static __attribute__((noinline)) void store_end(tl_real *to, tl_vector value, size_t part) { tl_store_part(to, value, part); }

TL_INLINE void add_newest(tl_real x, const tl_real *factor, tl_vector sum[TL_TURN_VECTORS], const int vectors) {
    const tl_vector value = tl_broadcast(x);
    TL_UNROLL for (int v = 0; v < vectors; v++) sum[v] += value * tl_load(factor + v * TL_LANES);
}

/* The sum of the row is a chain of additions, each of which waits for the one before; those of the next group are computed
 * meanwhile. `vectors` and `rows` are constants where it is inlined. */
TL_INLINE void turn_of(const tl_row_turns *p, size_t turn, const tl_real *x, tl_real *sums, tl_real *out, const bool relu,
                       const int vectors, const int rows) {
    tl_vector sum[TL_TURN_VECTORS], next[TL_TURN_ROWS][TL_TURN_VECTORS];
    const size_t lanes = (size_t)vectors * TL_LANES, part = turn & ((size_t)rows - 1), channels = p->channels;
    const tl_real *older = x + p->turn[part].older, *older_factor = p->turn[part].factor;
    const tl_real *newest = x + p->newest, *factor = p->factor;
    tl_real *own = sums + turn * lanes;
    sums += (~turn & (size_t)rows) * lanes;
    TL_UNROLL for (int v = 0; v < vectors; v++) {
        sum[v] = tl_load(own + v * TL_LANES);
        tl_store(own + v * TL_LANES, tl_load(p->start + v * TL_LANES)); /* for the group after the next */
        TL_UNROLL for (int r = 0; r < rows; r++) next[r][v] = tl_load(sums + (r * vectors + v) * TL_LANES);
    }
    size_t i = 0;
    for (const size_t count = p->count; i < count; i++, factor += rows / 2 * vectors * TL_LANES, older_factor += lanes) {
        TL_UNROLL for (int n = 0; n < rows / 2; n++)
            add_newest(newest[i * ((size_t)rows / 2) + (size_t)n], factor + n * vectors * TL_LANES, sum, vectors);
        TL_UNROLL for (int v = 0; v < vectors; v++) {
            const tl_vector f = tl_load(older_factor + v * TL_LANES);
            TL_UNROLL for (int r = 0; r < rows; r++) next[r][v] += tl_broadcast(older[(size_t)r * channels + i]) * f;
        }
    }
    for (i *= (size_t)rows / 2; i < channels; i++, factor += lanes) add_newest(newest[i], factor, sum, vectors);
    TL_UNROLL for (int r = 0; r < rows; r++) TL_UNROLL for (int v = 0; v < vectors; v++)
        tl_store(sums + (r * vectors + v) * TL_LANES, next[r][v]);
    if (relu) TL_UNROLL for (int v = 0; v < vectors; v++) sum[v] = tl_rectified(sum[v]);
    TL_UNROLL for (int v = 0; v < vectors - 1; v++) tl_store(out + v * TL_LANES, sum[v]);
    if (p->width % TL_LANES == 0)
        tl_store(out + (vectors - 1) * TL_LANES, sum[vectors - 1]);
    else
        store_end(out + (vectors - 1) * TL_LANES, sum[vectors - 1], p->width % TL_LANES);
}

#define TURN(vectors, rows)                                                                                                        \
    static void turn_of_##vectors##_##rows(const tl_row_turns *p, size_t turn, const tl_real *x, tl_real *sums, tl_real *out,      \
                                           bool relu) {                                                                            \
        turn_of(p, turn, x, sums, out, relu, vectors, rows);                                                                       \
    }
TURN(1, 2)
TURN(1, 4)
TURN(2, 2)
TURN(2, 4)

tl_row_turn TL_KERNEL(tl_kernel_row_turn)(size_t width, size_t rows);
tl_row_turn TL_KERNEL(tl_kernel_row_turn)(size_t width, size_t rows) {
    if (width > TL_LANES) return rows == 2 ? turn_of_2_2 : turn_of_2_4;
    return rows == 2 ? turn_of_1_2 : turn_of_1_4;
}
