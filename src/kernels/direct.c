/* The register tile of the direct convolution: `rows` broadcast values times `vectors` vectors, all sums in registers.
 *
 *              factor: vectors of outputs      The window of row r slides over the input in place; each step of the sum
 *                f[0]    f[1]                  loads `vectors` factors and broadcasts one value for each row. Rows times
 *        x[0]  s[0][0] s[0][1]                 vectors is what the registers hold beside the factors and a broadcast:
 *        x[1]  s[1][0] s[1][1]                 enough independent sums to hide the latency of the multiply-adds, and
 *         …       …       …                    fewer loads than multiply-adds.
 */
#include "kernels/kernel.h"

/* The sums that the registers hold beside the factors and a broadcast; and rows enough to hide the latency with one sum each. */
enum { SUMS = TL_VECTOR_REGISTERS == 32 ? 24 : 12, MOST_ROWS = TL_VECTOR_REGISTERS == 32 ? 12 : 8 };

enum { TILE_ROWS = 12, FEW_ROWS = 4 }; /* of the tallest tile there is; of those that share an address register */

TL_INLINE int rows_limit(int vectors) { return SUMS / vectors < MOST_ROWS ? SUMS / vectors : MOST_ROWS; }

enum { LINE = 64 / (int)sizeof(tl_real) }; /* of the cache */

/* Asks for the memory that the tile will be stored to, which may not be cached: the sum is time enough for it to come. */
TL_INLINE void expect_store(const tl_direct_product *p, const tl_real *out, const int rows, const int vectors) {
    TL_UNROLL for (int r = 0; r < rows; r++) for (int at = 0; at < vectors * TL_LANES; at += LINE)
        __builtin_prefetch(out + (size_t)r * p->out_step + at, 1);
}

/* The last vectors of the rows where they are partial go by way of whole ones. Not inlined: the loops over a tile stay small. */
typedef tl_real edge[TILE_ROWS][TL_LANES];

static __attribute__((noinline)) void load_edge(edge to, const tl_real *from, size_t step, size_t part, int rows) {
    for (int r = 0; r < rows; r++, from += step) tl_store(to[r], tl_load_part(from, part));
}

static __attribute__((noinline)) void store_edge(tl_real *to, size_t step, edge from, size_t part, int rows) {
    for (int r = 0; r < rows; r++, to += step) tl_store_part(to, tl_load(from[r]), part);
}

/* The sums of a tile. `rows` and `vectors`, and whether lanes are elements of x, are constants where it is inlined. */
TL_INLINE void add_products(const tl_direct_product *p, const tl_real *x, tl_vector sum[TILE_ROWS][TL_TILE_VECTORS], const int rows,
                            const int vectors, const bool dots) {
    const size_t row_step = p->row_step, step = p->step, factor_step = p->factor_step;
    const tl_real *factor = p->factor;
    for (size_t run = 0; run < p->runs; run++, x += p->run_step, factor += p->factor_skip) {
        const tl_real *at[TILE_ROWS / FEW_ROWS];
        TL_UNROLL for (int r = 0; r < rows; r += FEW_ROWS) at[r / FEW_ROWS] = x + (size_t)r * row_step;
        for (size_t i = 0; i < p->count; i++, factor += factor_step) {
            tl_vector f[TL_TILE_VECTORS];
            TL_UNROLL for (int v = 0; v < vectors; v++) f[v] = tl_load(factor + v * TL_LANES);
            TL_UNROLL for (int r = 0; r < rows; r++) {
                const tl_real *from = at[r / FEW_ROWS] + (size_t)(r % FEW_ROWS) * row_step;
                const tl_vector value = dots ? tl_load(from) : tl_broadcast(*from);
                TL_UNROLL for (int v = 0; v < vectors; v++) sum[r][v] += value * f[v];
            }
            TL_UNROLL for (int r = 0; r < rows; r += FEW_ROWS) at[r / FEW_ROWS] += step;
        }
    }
}

TL_INLINE void tile(const tl_direct_product *p, const tl_real *x, tl_real *out, const int rows, const int vectors) {
    tl_vector sum[TILE_ROWS][TL_TILE_VECTORS];
    edge last;
    const size_t out_step = p->out_step;
    const size_t part = p->width % TL_LANES;
    if (part && !p->start) load_edge(last, out + (vectors - 1) * TL_LANES, out_step, part, rows);
    TL_UNROLL for (int r = 0; r < rows; r++) {
        TL_UNROLL for (int v = 0; v < vectors; v++) {
            const tl_real *from = part && v == vectors - 1 ? last[r] : out + (size_t)r * out_step + v * TL_LANES;
            sum[r][v] = tl_load(p->start ? p->start + v * TL_LANES : from);
        }
    }
    if (p->start) expect_store(p, out, rows, vectors);
    add_products(p, x, sum, rows, vectors, false);
    TL_UNROLL for (int r = 0; r < rows; r++) {
        TL_UNROLL for (int v = 0; v < vectors; v++)
            tl_store(part && v == vectors - 1 ? last[r] : out + (size_t)r * out_step + v * TL_LANES, sum[r][v]);
    }
    if (part) store_edge(out + (vectors - 1) * TL_LANES, out_step, last, part, rows);
}

/* Leaves the sum of each vector's lanes in its first one: halves are added until one lane is left. Not inlined, as above. */
static __attribute__((noinline)) void add_lanes(tl_real sums[][TL_LANES], int count) {
    TL_UNROLL for (int half = TL_LANES / 2; half > 0; half /= 2) {
        for (int i = 0; i < count; i++) TL_UNROLL for (int lane = 0; lane < half; lane++) sums[i][lane] += sums[i][lane + half];
    }
}

TL_INLINE void dots_tile(const tl_direct_product *p, const tl_real *x, tl_real *out, const int rows, const int vectors) {
    tl_vector sum[TILE_ROWS][TL_TILE_VECTORS];
    tl_real lanes[SUMS][TL_LANES];
    TL_UNROLL for (int r = 0; r < rows; r++) TL_UNROLL for (int v = 0; v < vectors; v++) sum[r][v] = (tl_vector){0};
    add_products(p, x, sum, rows, vectors, true);
    TL_UNROLL for (int r = 0; r < rows; r++) TL_UNROLL for (int v = 0; v < vectors; v++)
        tl_store(lanes[r * vectors + v], sum[r][v]);
    add_lanes(lanes, rows * vectors);
    for (int r = 0; r < rows; r++, out += p->out_step)
        for (int v = 0; v < vectors; v++) out[v] = lanes[r * vectors + v][0];
}

TL_INLINE void either_tile(const tl_direct_product *p, const tl_real *x, tl_real *out, const int rows, const int vectors,
                           const bool dots) {
    if (dots)
        dots_tile(p, x, out, rows, vectors);
    else
        tile(p, x, out, rows, vectors);
}

/* A tile of each height; the compiler sees that heights beyond the limit do not happen. */
TL_INLINE void tile_of(const tl_direct_product *p, const tl_real *x, tl_real *out, size_t rows, const int vectors,
                       const bool dots) {
    if (rows > (size_t)rows_limit(vectors)) __builtin_unreachable();
    if (rows == 1) either_tile(p, x, out, 1, vectors, dots);
    if (rows == 2) either_tile(p, x, out, 2, vectors, dots);
    if (rows == 3) either_tile(p, x, out, 3, vectors, dots);
    if (rows == 4) either_tile(p, x, out, 4, vectors, dots);
    if (rows == 5) either_tile(p, x, out, 5, vectors, dots);
    if (rows == 6) either_tile(p, x, out, 6, vectors, dots);
    if (rows == 7) either_tile(p, x, out, 7, vectors, dots);
    if (rows == 8) either_tile(p, x, out, 8, vectors, dots);
    if (rows == 9) either_tile(p, x, out, 9, vectors, dots);
    if (rows == 10) either_tile(p, x, out, 10, vectors, dots);
    if (rows == 11) either_tile(p, x, out, 11, vectors, dots);
    if (rows == 12) either_tile(p, x, out, 12, vectors, dots);
}

/* Share `part` of `parts` of what will be read soon, into the second-level cache. Rows without anything between them are lines. */
TL_INLINE void expect_load(const tl_direct_soon *soon, size_t part, size_t parts) {
    const bool together = soon->step == soon->width;
    const size_t rows = together ? (soon->rows * soon->width + LINE - 1) / LINE : soon->rows;
    const size_t step = together ? LINE : soon->step, width = together ? LINE : soon->width;
    for (size_t row = rows * part / parts; row < rows * (part + 1) / parts; row++)
        for (size_t at = 0; at < width; at += LINE) __builtin_prefetch(soon->at + row * step + at, 0, 2);
}

/* All rows, in tiles whose sizes differ by at most one. */
TL_INLINE void tiles(const tl_direct_product *p, const int vectors, const bool dots) {
    const size_t limit = (size_t)rows_limit(vectors);
    const size_t count = (p->rows + limit - 1) / limit;
    for (size_t row = 0, left = count; left > 0; left--) {
        if (p->soon[0].rows) expect_load(&p->soon[0], count - left, count);
        if (p->soon[1].rows) expect_load(&p->soon[1], count - left, count);
        const size_t rows = (p->rows - row + left - 1) / left;
        tile_of(p, p->x + row * p->row_step, p->out + row * p->out_step, rows, vectors, dots);
        row += rows;
    }
}

TL_INLINE void tiles_of(const tl_direct_product *p, const bool dots) {
    switch (p->vectors) {
    case 1:
        tiles(p, 1, dots);
        break;
    case 2:
        tiles(p, 2, dots);
        break;
    case 3:
        tiles(p, 3, dots);
        break;
    case 4:
        if (TL_TILE_VECTORS == 4) tiles(p, TL_TILE_VECTORS, dots);
        break;
    default:
        break;
    }
}

void TL_KERNEL(tl_kernel_direct_product)(const tl_direct_product *p);
void TL_KERNEL(tl_kernel_direct_product)(const tl_direct_product *p) { tiles_of(p, false); }

void TL_KERNEL(tl_kernel_direct_dots)(const tl_direct_product *p);
void TL_KERNEL(tl_kernel_direct_dots)(const tl_direct_product *p) { tiles_of(p, true); }

/* Rows that may be loaded as whole vectors: what lies behind their end belongs to the next rows. */
TL_INLINE size_t whole_rows(const tl_direct_packing *p) {
    const size_t part = p->width % TL_LANES, behind = part ? (TL_LANES - part + p->from_step - 1) / p->from_step : 0;
    return p->rows > behind ? p->rows - behind : 0;
}

TL_INLINE void pack(const tl_direct_packing *p, const int vectors) {
    const tl_real *from = p->from;
    tl_real *to = p->packed;
    const size_t part = p->width % TL_LANES, whole = whole_rows(p);
    tl_vector sum[TL_TILE_VECTORS];
    TL_UNROLL for (int v = 0; v < vectors; v++) sum[v] = tl_load(p->sums + v * TL_LANES);
    for (size_t r = 0; r < p->rows; r++, from += p->from_step, to += vectors * TL_LANES) {
        TL_UNROLL for (int v = 0; v < vectors; v++) {
            const bool all = r < whole || v < vectors - 1;
            const tl_vector value = all ? tl_load(from + v * TL_LANES) : tl_load_part(from + v * TL_LANES, part);
            tl_store(to + v * TL_LANES, value);
            sum[v] += value;
        }
    }
    TL_UNROLL for (int v = 0; v < vectors; v++) tl_store(p->sums + v * TL_LANES, sum[v]);
}

void TL_KERNEL(tl_kernel_direct_pack)(const tl_direct_packing *p);
void TL_KERNEL(tl_kernel_direct_pack)(const tl_direct_packing *p) {
    switch (p->vectors) {
    case 1:
        pack(p, 1);
        break;
    case 2:
        pack(p, 2);
        break;
    case 3:
        pack(p, 3);
        break;
    case 4:
        if (TL_TILE_VECTORS == 4) pack(p, TL_TILE_VECTORS);
        break;
    default:
        break;
    }
}
