/* The register tile of the direct convolution: `rows` broadcast values times `vectors` vectors, all sums in registers.
 *
 *              factor: vectors of outputs      The window of row r slides over the input in place; each step of the sum
 *                f[0]    f[1]                  loads `vectors` factors and broadcasts one value for each row. Rows times
 *        x[0]  s[0][0] s[0][1]                 vectors is what the registers hold beside the factors and a broadcast:
 *        x[1]  s[1][0] s[1][1]                 enough independent sums to hide the latency of the multiply-adds, and
 *         …       …       …                    fewer loads than multiply-adds.
 */
#include "kernels/kernel.h"

/* The sums that the registers hold besides the factors and a broadcast value; and enough rows to hide the latency with one sum
 * each. */
enum { SUMS = TL_VECTOR_REGISTERS == 32 ? 24 : 12, MAX_ROWS = TL_VECTOR_REGISTERS == 32 ? 12 : 8 };

enum { TILE_ROWS = 12, FEW_ROWS = 4, BURST = 8 }; /* rows of the tallest tile; rows that share an address register */

TL_INLINE int rows_limit(int vectors) { return SUMS / vectors < MAX_ROWS ? SUMS / vectors : MAX_ROWS; }

enum { LINE = 64 / (int)sizeof(tl_real) }; /* elements of a cache line */

/* Prefetches the memory that the tile will be stored to, which may not be cached: it arrives while the sum is computed. */
TL_INLINE void expect_store(const tl_direct_product *p, const tl_real *out, const int rows, const int vectors) {
    TL_UNROLL for (int r = 0; r < rows; r++) for (int at = 0; at < vectors * TL_LANES; at += LINE)
        __builtin_prefetch(out + (size_t)r * p->out_stride + at, 1);
}

/* Where the last vectors of the rows are partial, they are copied to this buffer of whole vectors. Not inlined, so that the loops
 * over a tile stay small. */
typedef tl_real edge[TILE_ROWS][TL_LANES];

static __attribute__((noinline)) void load_edge(edge to, const tl_real *from, size_t stride, size_t part, int rows) {
    for (int r = 0; r < rows; r++, from += stride) tl_store(to[r], tl_load_part(from, part));
}

static __attribute__((noinline)) void store_edge(tl_real *to, size_t stride, edge from, size_t part, int rows) {
    for (int r = 0; r < rows; r++, to += stride) tl_store_part(to, tl_load(from[r]), part);
}

/* Prefetches data of later tiles into the second-level cache, evenly, since many lines at the same time would wait for each
 * other. */
typedef struct prefetcher {
    tl_prefetch prefetch[2];
    size_t each[2]; /* rows for each prefetch */
    size_t piece;   /* terms of a run's `count` before a prefetch; 0: before each tile */
} prefetcher;

/* For a product with so many tiles, whose sums have so many terms. */
TL_INLINE prefetcher prefetcher_of(const tl_direct_product *p, size_t tiles) {
    prefetcher l = {.prefetch = {p->prefetch[0], p->prefetch[1]}};
    size_t lines = 0, times = tiles;
    for (size_t i = 0; i < 2; i++) {
        tl_prefetch *s = &l.prefetch[i];
        if (s->stride == s->width) /* rows without gaps are prefetched as whole lines */
            *s = (tl_prefetch){.at = s->at, .rows = tl_ceil_div(s->rows * s->width, LINE), .stride = LINE, .width = LINE};
        lines += s->rows * tl_ceil_div(s->width, LINE);
    }
    if (lines > 2 * BURST * tiles) {
        l.piece = tl_ceil_div(tiles * p->runs * p->count * BURST, lines);
        times *= p->runs * tl_ceil_div(p->count, l.piece);
    }
    for (size_t i = 0; i < 2; i++) l.each[i] = tl_ceil_div(l.prefetch[i].rows, times);
    return l;
}

TL_INLINE void look(prefetcher *l) {
    for (size_t i = 0; i < 2; i++) {
        tl_prefetch *prefetch = &l->prefetch[i];
        const size_t rows = tl_min(prefetch->rows, l->each[i]);
        const tl_real *at = prefetch->at;
        prefetch->rows -= rows;
        prefetch->at += rows * prefetch->stride;
        for (size_t row = 0; row < rows; row++, at += prefetch->stride)
            for (size_t k = 0; k < prefetch->width; k += LINE) __builtin_prefetch(at + k, 0, 2);
    }
}

typedef struct strides {
    size_t row, stride, factor;
} strides;

/* A part of the sum of a tile, for its vectors first … vectors - 1. `rows`, `first`, `vectors` and `lane_reduction` are constants
 * where it is inlined. */
TL_INLINE void add_steps(const tl_real *x, const tl_real *factor, size_t count, const strides by,
                         tl_vector sum[TILE_ROWS][TL_TILE_VECTORS], const int rows, const int first, const int vectors,
                         const bool lane_reduction) {
    const tl_real *at[TILE_ROWS / FEW_ROWS];
    TL_UNROLL for (int r = 0; r < rows; r += FEW_ROWS) at[r / FEW_ROWS] = x + (size_t)r * by.row;
    for (size_t i = 0; i < count; i++, factor += by.factor) {
        tl_vector f[TL_TILE_VECTORS];
        TL_UNROLL for (int v = first; v < vectors; v++) f[v] = tl_load(factor + v * TL_LANES);
        TL_UNROLL for (int r = 0; r < rows; r++) {
            const tl_real *from = at[r / FEW_ROWS] + (size_t)(r % FEW_ROWS) * by.row;
            const tl_vector value = lane_reduction ? tl_load(from) : tl_broadcast(*from);
            TL_UNROLL for (int v = first; v < vectors; v++) sum[r][v] += value * f[v];
        }
        TL_UNROLL for (int r = 0; r < rows; r += FEW_ROWS) at[r / FEW_ROWS] += by.stride;
    }
}

typedef enum tile_kind { AT_ONCE, IN_PIECES, IN_BANDS, LANE_REDUCTION } tile_kind;

/* Without the last vector in the first steps, and without the first vector in the last steps. */
TL_INLINE void add_bands(const tl_direct_product *p, const tl_real *x, tl_vector sum[TILE_ROWS][TL_TILE_VECTORS], const int rows,
                         const int vectors) {
    const strides by = {.row = p->row_stride, .stride = p->stride, .factor = p->factor_stride};
    const size_t begin = p->lead, end = p->count - p->trail;
    add_steps(x, p->factor, begin, by, sum, rows, 0, vectors - 1, false);
    add_steps(x + begin * by.stride, p->factor + begin * by.factor, end - begin, by, sum, rows, 0, vectors, false);
    add_steps(x + end * by.stride, p->factor + end * by.factor, p->count - end, by, sum, rows, 1, vectors, false);
}

/* The sums of a tile. */
TL_INLINE void add_products(const tl_direct_product *p, const tl_real *x, tl_vector sum[TILE_ROWS][TL_TILE_VECTORS], const int rows,
                            const int vectors, const tile_kind kind, prefetcher *ahead) {
    const tl_real *factor = p->factor;
    if (kind == IN_BANDS) {
        add_bands(p, x, sum, rows, vectors);
        return;
    }
    if (kind != IN_PIECES) {
        const strides by = {.row = p->row_stride, .stride = p->stride, .factor = p->factor_stride};
        for (size_t run = 0; run < p->runs; run++, x += p->run_stride, factor += p->count * by.factor + p->factor_skip)
            add_steps(x, factor, p->count, by, sum, rows, 0, vectors, kind == LANE_REDUCTION);
        return;
    }
    for (size_t run = 0; run < p->runs; run++, x += p->run_stride, factor += p->count * p->factor_stride + p->factor_skip) {
        for (size_t begin = 0, count; begin < p->count; begin += count) {
            count = tl_min(p->count - begin, ahead->piece);
            look(ahead);
            /* Loaded here; otherwise the compiler keeps them in registers that the inner loop needs. */
            const volatile tl_direct_product *now = p;
            const strides by = {.row = now->row_stride, .stride = now->stride, .factor = now->factor_stride};
            add_steps(x + begin * by.stride, factor + begin * by.factor, count, by, sum, rows, 0, vectors, false);
        }
    }
}

/* What is done with the sums before they are stored. */
TL_INLINE void finish(const tl_direct_product *p, const tl_real *out, tl_vector sum[TILE_ROWS][TL_TILE_VECTORS], const int rows,
                      const int vectors) {
    const size_t out_stride = p->out_stride, part = p->width % TL_LANES;
    if (p->finish & TL_FINISH_RELU)
        TL_UNROLL for (int r = 0; r < rows; r++) TL_UNROLL for (int v = 0; v < vectors; v++) sum[r][v] = tl_rectified(sum[r][v]);
    if (p->finish & TL_FINISH_ADD) {
        const tl_real *added = p->added + (out - p->out);
        edge last;
        if (part) load_edge(last, added + (vectors - 1) * TL_LANES, out_stride, part, rows);
        TL_UNROLL for (int r = 0; r < rows; r++) {
            TL_UNROLL for (int v = 0; v < vectors; v++) sum[r][v] +=
                tl_load(part && v == vectors - 1 ? last[r] : added + (size_t)r * out_stride + v * TL_LANES);
        }
    }
    if (p->finish & TL_FINISH_RELU_AFTER)
        TL_UNROLL for (int r = 0; r < rows; r++) TL_UNROLL for (int v = 0; v < vectors; v++) sum[r][v] = tl_rectified(sum[r][v]);
}

TL_INLINE void tile(const tl_direct_product *p, const tl_real *x, tl_real *out, const int rows, const int vectors,
                    const tile_kind kind, prefetcher *ahead) {
    tl_vector sum[TILE_ROWS][TL_TILE_VECTORS];
    edge last;
    const size_t out_stride = p->out_stride, part = p->width % TL_LANES, end_stride = part ? TL_LANES : out_stride;
    tl_real *end = part ? last[0] : out + (vectors - 1) * TL_LANES; /* the last vectors of the rows */
    if (p->start) {
        TL_UNROLL for (int r = 0; r < rows; r++) TL_UNROLL for (int v = 0; v < vectors; v++) sum[r][v] =
            tl_load(p->start + v * TL_LANES);
        expect_store(p, out, rows, vectors);
    } else {
        if (part) load_edge(last, out + (vectors - 1) * TL_LANES, out_stride, part, rows);
        TL_UNROLL for (int r = 0; r < rows; r++) TL_UNROLL for (int v = 0; v < vectors; v++) sum[r][v] =
            tl_load(v < vectors - 1 ? out + (size_t)r * out_stride + v * TL_LANES : end + (size_t)r * end_stride);
    }
    add_products(p, x, sum, rows, vectors, kind, ahead);
    if (p->finish) finish(p, out, sum, rows, vectors);
    TL_UNROLL for (int r = 0; r < rows; r++) TL_UNROLL for (int v = 0; v < vectors; v++)
        tl_store(v < vectors - 1 ? out + (size_t)r * out_stride + v * TL_LANES : end + (size_t)r * end_stride, sum[r][v]);
    if (part) store_edge(out + (vectors - 1) * TL_LANES, out_stride, last, part, rows);
}

/* Adds the lanes of each vector into its first one, by adding halves until one lane is left. Not inlined, for the same reason. */
static __attribute__((noinline)) void add_lanes(tl_real sums[][TL_LANES], int count) {
    TL_UNROLL for (int half = TL_LANES / 2; half > 0; half /= 2) {
        for (int i = 0; i < count; i++) TL_UNROLL for (int lane = 0; lane < half; lane++) sums[i][lane] += sums[i][lane + half];
    }
}

/* The elements after the last whole vector. */
TL_INLINE void add_rest(const tl_direct_product *p, const tl_real *x, tl_vector sum[TILE_ROWS][TL_TILE_VECTORS], const int rows,
                        const int vectors) {
    const tl_real *factor = p->factor + p->count * p->factor_stride;
    x += p->count * p->stride;
    TL_UNROLL for (int r = 0; r < rows; r++) {
        const tl_vector value = tl_load_part(x + (size_t)r * p->row_stride, p->rest);
        TL_UNROLL for (int v = 0; v < vectors; v++) sum[r][v] += value * tl_load(factor + v * TL_LANES);
    }
}

TL_INLINE void reduction_tile(const tl_direct_product *p, const tl_real *x, tl_real *out, const int rows, const int vectors) {
    tl_vector sum[TILE_ROWS][TL_TILE_VECTORS];
    tl_real lanes[SUMS][TL_LANES];
    TL_UNROLL for (int r = 0; r < rows; r++) TL_UNROLL for (int v = 0; v < vectors; v++) sum[r][v] = (tl_vector){0};
    add_products(p, x, sum, rows, vectors, LANE_REDUCTION, NULL);
    if (p->rest) add_rest(p, x, sum, rows, vectors);
    if (rows * vectors == 1) { /* the same additions, without memory between */
        *out = tl_total(sum[0][0]) + (p->start ? *p->start : 0);
        return;
    }
    TL_UNROLL for (int r = 0; r < rows; r++) TL_UNROLL for (int v = 0; v < vectors; v++)
        tl_store(lanes[r * vectors + v], sum[r][v]);
    add_lanes(lanes, rows * vectors);
    for (int r = 0; r < rows; r++, out += p->out_stride)
        for (int v = 0; v < vectors; v++) out[v] = lanes[r * vectors + v][0] + (p->start ? p->start[v] : 0);
}

TL_INLINE void either_tile(const tl_direct_product *p, const tl_real *x, tl_real *out, const int rows, const int vectors,
                           const tile_kind kind, prefetcher *ahead) {
    if (kind == LANE_REDUCTION)
        reduction_tile(p, x, out, rows, vectors);
    else
        tile(p, x, out, rows, vectors, kind, ahead);
}

/* The number of rows from which tiles are computed in pieces or in bands: the rows of the lower of two tiles. */
TL_INLINE int rows_min(int vectors) { return rows_limit(vectors) / 2; }

/* A tile of each height; the compiler removes those that cannot occur. */
TL_INLINE void tile_of(const tl_direct_product *p, const tl_real *x, tl_real *out, size_t rows, const int vectors,
                       const tile_kind kind, prefetcher *ahead) {
    const bool tall = kind == IN_PIECES || kind == IN_BANDS;
    if (rows > (size_t)rows_limit(vectors) || (tall && rows < (size_t)rows_min(vectors))) __builtin_unreachable();
    if (rows == 1) either_tile(p, x, out, 1, vectors, kind, ahead);
    if (rows == 2) either_tile(p, x, out, 2, vectors, kind, ahead);
    if (rows == 3) either_tile(p, x, out, 3, vectors, kind, ahead);
    if (rows == 4) either_tile(p, x, out, 4, vectors, kind, ahead);
    if (rows == 5) either_tile(p, x, out, 5, vectors, kind, ahead);
    if (rows == 6) either_tile(p, x, out, 6, vectors, kind, ahead);
    if (rows == 7) either_tile(p, x, out, 7, vectors, kind, ahead);
    if (rows == 8) either_tile(p, x, out, 8, vectors, kind, ahead);
    if (rows == 9) either_tile(p, x, out, 9, vectors, kind, ahead);
    if (rows == 10) either_tile(p, x, out, 10, vectors, kind, ahead);
    if (rows == 11) either_tile(p, x, out, 11, vectors, kind, ahead);
    if (rows == 12) either_tile(p, x, out, 12, vectors, kind, ahead);
}

/* All rows, in tiles whose sizes differ by at most one. */
TL_INLINE void tiles(const tl_direct_product *p, const int vectors, const tile_kind kind, prefetcher *ahead) {
    for (size_t row = 0, left = tl_ceil_div(p->rows, (size_t)rows_limit(vectors)); left > 0; left--) {
        if (kind == AT_ONCE && ahead) look(ahead);
        const size_t rows = tl_ceil_div(p->rows - row, left);
        tile_of(p, p->x + row * p->row_stride, p->out + row * p->out_stride, rows, vectors, kind, ahead);
        row += rows;
    }
}

TL_INLINE void tiles_of(const tl_direct_product *p, const tile_kind kind, prefetcher *ahead) {
    switch (p->vectors) {
    case 1:
        tiles(p, 1, kind, ahead);
        break;
    case 2:
        tiles(p, 2, kind, ahead);
        break;
    case 3:
        tiles(p, 3, kind, ahead);
        break;
    case 4:
        if (TL_TILE_VECTORS == 4) tiles(p, TL_TILE_VECTORS, kind, ahead);
        break;
    default:
        break;
    }
}

/* A function of its own, so that the compiler has enough registers. */
static __attribute__((noinline)) void tiles_in_pieces(const tl_direct_product *p, prefetcher *ahead) {
    tiles_of(p, IN_PIECES, ahead);
}

/* The vectors of a tile in bands: with two, one would be left and wait for its own sums. With 32 registers there are no bands yet:
 * what they gain was not measured there. */
enum { BANDED = 3 };

static __attribute__((noinline)) void tiles_in_bands(const tl_direct_product *p) { tiles(p, BANDED, IN_BANDS, NULL); }

static __attribute__((noinline)) void tiles_at_once(const tl_direct_product *p, prefetcher *ahead) { tiles_of(p, AT_ONCE, ahead); }

void TL_KERNEL(tl_kernel_direct_product)(const tl_direct_product *p);
void TL_KERNEL(tl_kernel_direct_product)(const tl_direct_product *p) {
    const bool banded = TL_VECTOR_REGISTERS == 16 && p->vectors == BANDED && p->rows >= (size_t)rows_min(BANDED);
    if (banded && p->lead + p->trail > 0) {
        tiles_in_bands(p);
        return;
    }
    if (p->prefetch[0].rows + p->prefetch[1].rows == 0 || p->rows * p->runs * p->count == 0) {
        tiles_at_once(p, NULL);
        return;
    }
    const int vectors = (int)p->vectors;
    prefetcher ahead = prefetcher_of(p, tl_ceil_div(p->rows, (size_t)rows_limit(vectors)));
    if (ahead.piece && p->rows >= (size_t)rows_min(vectors))
        tiles_in_pieces(p, &ahead);
    else
        tiles_at_once(p, &ahead);
}

void TL_KERNEL(tl_kernel_direct_lane_reduction)(const tl_direct_product *p);
void TL_KERNEL(tl_kernel_direct_lane_reduction)(const tl_direct_product *p) {
    if (p->rows * p->vectors == 1) /* on a stream */
        reduction_tile(p, p->x, p->out, 1, 1);
    else
        tiles_of(p, LANE_REDUCTION, NULL);
    tl_clear_upper();
}

/* ---- a single output ---- */

TL_INLINE void single_rows(const tl_single_product *p, const tl_real *x, tl_real *out, const int rows) {
    tl_vector sum[MAX_ROWS];
    const tl_real *factor = p->factor;
    const size_t last = p->count - TL_LANES;
    TL_UNROLL for (int r = 0; r < rows; r++) sum[r] = (tl_vector){0};
    for (size_t run = 0; run < p->runs; run++, x += p->run_stride, factor += p->factor_stride) {
        for (size_t e = 0; e < p->count; e += TL_LANES) {
            const tl_vector f = tl_load(factor + e);
            const tl_real *from = x + tl_min(e, last);
            TL_UNROLL for (int r = 0; r < rows; r++) sum[r] += tl_load(from + (size_t)r * p->row_stride) * f;
        }
    }
    TL_UNROLL for (int r = 0; r < rows; r++) out[(size_t)r * p->out_stride] = tl_total(sum[r]);
}

void TL_KERNEL(tl_kernel_direct_single)(const tl_single_product *p);
void TL_KERNEL(tl_kernel_direct_single)(const tl_single_product *p) {
    const tl_real *x = p->x;
    tl_real *out = p->out;
    size_t left = p->rows;
    for (; left >= MAX_ROWS; left -= MAX_ROWS, x += MAX_ROWS * p->row_stride, out += MAX_ROWS * p->out_stride)
        single_rows(p, x, out, MAX_ROWS);
    for (; left > 0; left--, x += p->row_stride, out += p->out_stride) single_rows(p, x, out, 1);
}

/* Two sums of each vector take turns, so that one does not wait for the other. */
enum { GRADIENT_VECTORS = 4, TURNS = 2 };

/* Adds the sums of the elements from e on that the vectors have; the last vector ends with the last element. */
TL_INLINE void add_single_gradient(const tl_single_gradient *p, size_t e) {
    tl_vector sum[TURNS][GRADIENT_VECTORS];
    tl_real made[GRADIENT_VECTORS * TL_LANES];
    size_t at[GRADIENT_VECTORS];
    const tl_real *dy = p->dy;
    TL_UNROLL for (int v = 0; v < GRADIENT_VECTORS; v++) {
        at[v] = tl_min(e + (size_t)v * TL_LANES, p->width - TL_LANES);
        sum[0][v] = sum[1][v] = (tl_vector){0};
    }
    for (size_t run = 0; run < p->runs; run++) {
        const tl_real *x = p->x + run * p->run_stride;
        size_t left = p->count;
        for (; left >= TURNS; left -= TURNS) {
            TL_UNROLL for (int t = 0; t < TURNS; t++, x += p->stride, dy += p->dy_stride) {
                const tl_vector d = tl_broadcast(*dy);
                TL_UNROLL for (int v = 0; v < GRADIENT_VECTORS; v++) sum[t][v] += tl_load(x + at[v]) * d;
            }
        }
        for (; left > 0; left--, x += p->stride, dy += p->dy_stride)
            TL_UNROLL for (int v = 0; v < GRADIENT_VECTORS; v++) sum[0][v] += tl_load(x + at[v]) * tl_broadcast(*dy);
    }
    TL_UNROLL for (int v = 0; v < GRADIENT_VECTORS; v++) tl_store(made + (at[v] - at[0]), sum[0][v] + sum[1][v]);
    const size_t end = tl_min(e + GRADIENT_VECTORS * TL_LANES, p->width);
    for (size_t i = e; i < end; i++) p->sum[i * p->sum_stride] += made[i - at[0]];
}

void TL_KERNEL(tl_kernel_direct_single_gradient)(const tl_single_gradient *p);
void TL_KERNEL(tl_kernel_direct_single_gradient)(const tl_single_gradient *p) {
    for (size_t e = 0; e < p->width; e += GRADIENT_VECTORS * TL_LANES) add_single_gradient(p, e);
}

/* Rows that may be loaded as whole vectors: elements after their end belong to the next rows. */
TL_INLINE size_t whole_rows(const tl_direct_packing *p) {
    const size_t part = p->width % TL_LANES, behind = part ? tl_ceil_div(TL_LANES - part, p->from_stride) : 0;
    return p->rows > behind ? p->rows - behind : 0;
}

/* Rows that are added up separately, so that additions need not wait for each other. */
enum { APART = 4 };

/* A row; `whole`: all its vectors may be loaded. */
TL_INLINE void pack_row(const tl_direct_packing *p, size_t r, tl_vector *sum, const int vectors, const bool whole) {
    const tl_real *from = p->from + r * p->from_stride;
    tl_real *to = p->packed + r * (size_t)(vectors * TL_LANES);
    TL_UNROLL for (int v = 0; v < vectors; v++) {
        const tl_vector value =
            whole || v < vectors - 1 ? tl_load(from + v * TL_LANES) : tl_load_part(from + v * TL_LANES, p->width % TL_LANES);
        tl_store(to + v * TL_LANES, value);
        sum[v] += value;
    }
}

TL_INLINE void pack(const tl_direct_packing *packing, const int vectors) {
    const tl_direct_packing own = *packing, *p = &own; /* a copy stays in registers, since a store might change *packing */
    const size_t whole = whole_rows(p);
    tl_vector sum[APART][TL_TILE_VECTORS] = {0};
    size_t r = 0;
    TL_UNROLL for (int v = 0; v < vectors; v++) sum[0][v] = tl_load(p->sums + v * TL_LANES);
    for (; p->apart && r + APART <= whole; r += APART)
        TL_UNROLL for (size_t k = 0; k < APART; k++) pack_row(p, r + k, sum[k], vectors, true);
    for (; p->apart && r < p->rows; r += APART)
        TL_UNROLL for (size_t k = 0; k < APART; k++) if (r + k < p->rows) pack_row(p, r + k, sum[k], vectors, r + k < whole);
    for (; r < whole; r++) pack_row(p, r, sum[0], vectors, true);
    for (; r < p->rows; r++) pack_row(p, r, sum[0], vectors, false);
    TL_UNROLL for (int v = 0; v < vectors; v++) tl_store(p->sums + v * TL_LANES, (sum[0][v] + sum[1][v]) + (sum[2][v] + sum[3][v]));
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
