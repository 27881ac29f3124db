/* The transforms of Cook and Toom's algorithm for short convolutions, on columns of vectors.
 *
 * m outputs of a filter g of r taps over a tile d of n = m + r - 1 inputs are y = Aᵀ[(G g) ⊙ (Bᵀ d)]: n products instead of m·r.
 * It is the transpose (Winograd 1980) of multiplying two polynomials by their values at n points (Toom 1963, Cook 1966):
 *   A and G  evaluate a polynomial of m or r coefficients at the points; G divides by Π (aⱼ - aₗ) over the other points l,
 *   Bᵀ       row j: the coefficients of Π (x - aₗ) over the other points l.
 * The points are 0, ±1, ±2, ±½ and ∞, as far as needed: small powers of two, negatives beside reciprocals (Barabasz et al. 2020).
 * Values at a and -a share their even and odd parts; sparse rows and common factors make a transform 2 to 4 operations a value.
 *
 * Long filters have two levels: q parts of 4 taps, and p parts of 4 outputs, are a convolution of q taps over parts, whose values
 * at the 7 points of F(4, 4) are transformed once more, by F(p, q). That takes 7·(p + q - 1) products instead of 7·p·q, and adds
 * little to the rounding error, which many points at one level would multiply: 0, ±1 and ∞ add nothing, 0, ±1 and ±2 a third.
 */
#include "kernels/kernel.h"

enum { MAX_POINTS = 8, MAX_PARTS = 3, MAX_PART_POINTS = 5 }; /* of a level; of a tile; of its parts */

static const tl_real pair_point[] = {1, 2, (tl_real)0.5};

/* The points of a level: 0, pairs, ½ if there is one left, and ∞ last. */
typedef struct points {
    int count;
    bool infinity;
} points;

TL_INLINE int finite(const points n) { return n.count - n.infinity; }
TL_INLINE int pairs_of(const points n) { return (finite(n) - 1) / 2; }
TL_INLINE bool has_half(const points n) { return finite(n) % 2 == 0; }

TL_INLINE tl_real power(tl_real a, int exponent) {
    tl_real product = 1;
    TL_UNROLL for (int i = 0; i < exponent; i++) product *= a;
    return product;
}

/* ---- A and G: values of a polynomial ---- */

/* value[j] = Σ coefficient[i]·aⱼⁱ; at ∞ the last coefficient. */
TL_INLINE void evaluate(const tl_vector *coefficient, const int count, tl_vector *value, const points n) {
    value[0] = coefficient[0];
    if (n.infinity) value[n.count - 1] = coefficient[count - 1];
    TL_UNROLL for (int pair = 0; pair < pairs_of(n); pair++) {
        tl_vector even = coefficient[0], odd = coefficient[1] * pair_point[pair];
        TL_UNROLL for (int i = 2; i < count; i++) {
            const tl_vector term = coefficient[i] * power(pair_point[pair], i);
            if (i % 2 == 0)
                even += term;
            else
                odd += term;
        }
        value[1 + 2 * pair] = even + odd;
        value[2 + 2 * pair] = even - odd;
    }
    if (!has_half(n)) return;
    tl_vector half = coefficient[count - 1];
    TL_UNROLL for (int i = count - 2; i >= 0; i--) half = half * (tl_real)0.5 + coefficient[i];
    value[finite(n) - 1] = half;
}

/* ---- Aᵀ and Gᵀ: the transpose ---- */

/* moment[i] = Σ value[j]·aⱼⁱ; ∞ counts for the last one. */
TL_INLINE void gather(const tl_vector *value, const points n, tl_vector *moment, const int count) {
    TL_UNROLL for (int i = 0; i < count; i++) moment[i] = (tl_vector){0};
    moment[0] = value[0];
    if (n.infinity) moment[count - 1] = value[n.count - 1];
    TL_UNROLL for (int pair = 0; pair < pairs_of(n); pair++) {
        const tl_vector even = value[1 + 2 * pair] + value[2 + 2 * pair], odd = value[1 + 2 * pair] - value[2 + 2 * pair];
        TL_UNROLL for (int i = 0; i < count; i++) moment[i] += (i % 2 == 0 ? even : odd) * power(pair_point[pair], i);
    }
    if (!has_half(n)) return;
    TL_UNROLL for (int i = 0; i < count; i++) moment[i] += value[finite(n) - 1] * power((tl_real)0.5, i);
}

/* ---- Bᵀ ---- */

/* Σ over i of d[2i]·cᵢ, where Σ cᵢ·zⁱ = Π (z - a²) over all pairs ±a except `without`. */
TL_INLINE tl_vector even_product(const tl_vector *d, const int pairs, const int without) {
    tl_real c[MAX_POINTS] = {1};
    int degree = 0;
    TL_UNROLL for (int pair = 0; pair < pairs; pair++) {
        if (pair == without) continue;
        const tl_real square = pair_point[pair] * pair_point[pair];
        TL_UNROLL for (int i = degree + 1; i > 0; i--) c[i] = c[i - 1] - square * c[i];
        c[0] *= -square;
        degree++;
    }
    tl_vector sum = d[2 * degree];
    TL_UNROLL for (int i = 0; i < degree; i++) sum += d[2 * i] * c[i];
    return sum;
}

/* value[j] = Σ d[i]·cᵢ, where Σ cᵢ·xⁱ = Π (x - aₗ) over the finite points l except j. */
TL_INLINE void interpolate(const tl_vector *d, tl_vector *value, const points n) {
    const int pairs = pairs_of(n);
    const tl_vector *rest = d;
    tl_vector reduced[MAX_POINTS]; /* times (x - ½), for every row except its own */
    if (has_half(n)) {
        TL_UNROLL for (int i = 0; i < n.count - 1; i++) reduced[i] = d[i + 1] - d[i] * (tl_real)0.5;
        rest = reduced;
        value[finite(n) - 1] = even_product(d + 1, pairs, -1);
    }
    value[0] = even_product(rest, pairs, -1);
    if (n.infinity) value[n.count - 1] = even_product(rest + 1, pairs, -1);
    TL_UNROLL for (int pair = 0; pair < pairs; pair++) {
        const tl_vector even = even_product(rest + 2, pairs, pair);
        const tl_vector odd = even_product(rest + 1, pairs, pair) * pair_point[pair];
        value[1 + 2 * pair] = even + odd;
        value[2 + 2 * pair] = even - odd;
    }
}

/* ---- the divisors of G ---- */

TL_INLINE tl_real point(const points n, const int j) {
    if (j == 0) return 0;
    if (has_half(n) && j == finite(n) - 1) return (tl_real)0.5;
    return j % 2 == 1 ? pair_point[(j - 1) / 2] : -pair_point[(j - 1) / 2];
}

/* 1 / Π (aⱼ - aₗ) over the other finite points; 1 at ∞. */
TL_INLINE tl_real scale(const points n, const int j) {
    if (j == finite(n)) return 1;
    tl_real product = 1;
    TL_UNROLL for (int l = 0; l < finite(n); l++) if (l != j) product *= point(n, j) - point(n, l);
    return 1 / product;
}

/* ---- columns ---- */

typedef enum transform { INPUT, WEIGHTS, OUTPUT, OUTPUT_GRADIENT, WEIGHTS_GRADIENT } transform;

/* F(outputs, taps) at one level. Constants where it is inlined. */
typedef struct level {
    int outputs, taps;
    points n;
} level;

TL_INLINE int count_in(const level l, const transform kind) {
    return kind == WEIGHTS ? l.taps : kind == OUTPUT_GRADIENT ? l.outputs : l.n.count;
}

TL_INLINE int count_out(const level l, const transform kind) {
    return kind == WEIGHTS_GRADIENT ? l.taps : kind == OUTPUT ? l.outputs : l.n.count;
}

TL_INLINE void column(const transform kind, const level l, tl_vector *in, tl_vector *out) {
    if (kind == INPUT) interpolate(in, out, l.n);
    if (kind == OUTPUT) gather(in, l.n, out, l.outputs);
    if (kind == OUTPUT_GRADIENT) evaluate(in, l.outputs, out, l.n);
    if (kind == WEIGHTS) {
        evaluate(in, l.taps, out, l.n);
        TL_UNROLL for (int j = 0; j < l.n.count; j++) out[j] *= scale(l.n, j);
    }
    if (kind == WEIGHTS_GRADIENT) {
        TL_UNROLL for (int j = 0; j < l.n.count; j++) in[j] *= scale(l.n, j);
        gather(in, l.n, out, l.taps);
    }
}

/* Finishes the outputs that are stored `at` elements after the beginning of `to`; part: number of lanes, or 0 for all. */
TL_INLINE tl_vector finished(const tl_winograd_rows *p, tl_vector value, ptrdiff_t at, size_t part) {
    if (p->finish & TL_FINISH_RELU) value = tl_rectified(value);
    if (p->finish & TL_FINISH_ADD) value += tl_load_some(p->added + at, part);
    if (p->finish & TL_FINISH_MASK) value = tl_where(tl_load_some(p->added + at, part) > (tl_vector){0}, value);
    return p->finish & TL_FINISH_RELU_AFTER ? tl_rectified(value) : value;
}

/* Loads column c of `count` rows, `step` rows apart. */
TL_INLINE void load_rows(const tl_winograd_rows *p, const tl_real *from, const int count, const int step, tl_vector *given) {
    TL_UNROLL for (int i = 0; i < count; i++) {
        const tl_real *row = from + (size_t)(i * step) * p->from_row;
        given[i] = p->width < TL_LANES ? tl_load_part(row, p->width) : tl_load(row);
    }
}

TL_INLINE void store_rows(const tl_winograd_rows *p, tl_real *to, const int count, const int step, const tl_vector *made) {
    TL_UNROLL for (int i = 0; i < count; i++) {
        tl_real *row = to + (size_t)(i * step) * p->to_row;
        if (p->width < TL_LANES)
            tl_store_part(row, made[i], p->width);
        else
            tl_store(row, made[i]);
    }
}

/* Adds the initial values of outputs and finishes them. start: those of column c. */
TL_INLINE void finish_rows(const tl_winograd_rows *p, const tl_real *start, const tl_real *to, const int count, tl_vector *made) {
    TL_UNROLL for (int i = 0; i < count; i++) made[i] += tl_load(start);
    if (!p->finish) return;
    TL_UNROLL for (int i = 0; i < count; i++) made[i] =
        finished(p, made[i], to + (size_t)i * p->to_row - p->to, p->width < TL_LANES ? p->width : 0);
}

/* One level. */
TL_INLINE void short_column(const tl_winograd_rows *p, const tl_real *from, tl_real *to, const tl_real *start, const transform kind,
                            const level l) {
    tl_vector given[MAX_POINTS], made[MAX_POINTS];
    load_rows(p, from, count_in(l, kind), 1, given);
    column(kind, l, given, made);
    if (kind == OUTPUT) finish_rows(p, start, to, l.outputs, made);
    store_rows(p, to, count_out(l, kind), 1, made);
}

/* Two levels, to points: parts first. Part s begins at row s·outputs. */
TL_INLINE void column_to_points(const tl_winograd_rows *p, const tl_real *from, tl_real *to, const transform kind,
                                const level inner, const level outer) {
    tl_vector given[MAX_POINTS], part[MAX_PART_POINTS][MAX_POINTS], made[MAX_PART_POINTS];
    TL_ROLL for (int s = 0; s < count_in(outer, kind); s++) {
        load_rows(p, from + (size_t)(s * inner.outputs) * p->from_row, count_in(inner, kind), 1, given);
        column(kind, inner, given, part[s]);
    }
    TL_ROLL for (int j = 0; j < inner.n.count; j++) {
        TL_UNROLL for (int s = 0; s < count_in(outer, kind); s++) given[s] = part[s][j];
        column(kind, outer, given, made);
        store_rows(p, to + (size_t)j * p->to_row, outer.n.count, inner.n.count, made);
    }
}

/* Two levels, from points: the reverse. */
TL_INLINE void column_from_points(const tl_winograd_rows *p, const tl_real *from, tl_real *to, const tl_real *start,
                                  const transform kind, const level inner, const level outer) {
    tl_vector given[MAX_PART_POINTS], part[MAX_PARTS][MAX_POINTS], made[MAX_POINTS];
    TL_ROLL for (int j = 0; j < inner.n.count; j++) {
        load_rows(p, from + (size_t)j * p->from_row, outer.n.count, inner.n.count, given);
        column(kind, outer, given, made);
        TL_UNROLL for (int s = 0; s < count_out(outer, kind); s++) part[s][j] = made[s];
    }
    TL_ROLL for (int s = 0; s < count_out(outer, kind); s++) {
        tl_real *rows = to + (size_t)(s * inner.outputs) * p->to_row;
        column(kind, inner, part[s], made);
        if (kind == OUTPUT) finish_rows(p, start, rows, inner.outputs, made);
        store_rows(p, rows, count_out(inner, kind), 1, made);
    }
}

/* The columns of a tile. The last vector may overlap the one before it; a tile that is narrower than a vector is read and written
 * partially. */
TL_INLINE void tile(const tl_winograd_rows *p, const tl_real *from, tl_real *to, const transform kind, const level inner,
                    const level outer) {
    const size_t width = p->width;
    for (size_t at = 0; at < width; at += TL_LANES) {
        const size_t c = at + TL_LANES <= width || width < TL_LANES ? at : width - TL_LANES;
        const tl_real *start = kind == OUTPUT ? p->start + c : NULL;
        if (outer.outputs == 1)
            short_column(p, from + c, to + c, start, kind, inner);
        else if (kind == OUTPUT || kind == WEIGHTS_GRADIENT)
            column_from_points(p, from + c, to + c, start, kind, inner, outer);
        else
            column_to_points(p, from + c, to + c, kind, inner, outer);
    }
}

TL_INLINE void tiles(const tl_winograd_rows *p, const transform kind, const level inner, const level outer) {
    const tl_winograd_rows rows = *p;
    const tl_real *from = rows.from;
    tl_real *to = rows.to;
    if (rows.width < TL_LANES)
        for (size_t i = 0; i < rows.tiles; i++, from += rows.from_stride, to += rows.to_stride)
            tile(&rows, from, to, kind, inner, outer);
    else
        for (size_t i = 0; i < rows.tiles; i++, from += rows.from_stride, to += rows.to_stride)
            tile(&rows, from, to, kind, inner, outer);
}

/* ---- the variants ---- */

#define INNER(m, r) ((level){.outputs = m, .taps = r, .n = {m + r - 1, true}})
/* Without ∞ where as many parts of taps as of outputs need an odd number of points: those are then 0 and pairs. */
#define OUTER(p, q) ((level){.outputs = p, .taps = q, .n = {p + q - 1, p != q}})

/* F(m·p, r·q): p parts of F(m, r) outputs, and q parts of its taps. */
#define VARIANT(m, r, p, q)                                                                                                        \
    static void input_##m##_##r##_##p##_##q(const tl_winograd_rows *rows) { tiles(rows, INPUT, INNER(m, r), OUTER(p, q)); }        \
    static void weights_##m##_##r##_##p##_##q(const tl_winograd_rows *rows) { tiles(rows, WEIGHTS, INNER(m, r), OUTER(p, q)); }    \
    static void output_##m##_##r##_##p##_##q(const tl_winograd_rows *rows) { tiles(rows, OUTPUT, INNER(m, r), OUTER(p, q)); }      \
    static void output_gradient_##m##_##r##_##p##_##q(const tl_winograd_rows *rows) {                                              \
        tiles(rows, OUTPUT_GRADIENT, INNER(m, r), OUTER(p, q));                                                                    \
    }                                                                                                                              \
    static void weights_gradient_##m##_##r##_##p##_##q(const tl_winograd_rows *rows) {                                             \
        tiles(rows, WEIGHTS_GRADIENT, INNER(m, r), OUTER(p, q));                                                                   \
    }
VARIANT(4, 3, 1, 1)
VARIANT(6, 3, 1, 1)
VARIANT(4, 4, 1, 1)
VARIANT(4, 5, 1, 1)
VARIANT(4, 4, 3, 2)
VARIANT(4, 4, 2, 2)
VARIANT(4, 4, 3, 3)

#define ENTRY(m, r, p, q)                                                                                                          \
    {                                                                                                                              \
        .outputs = m * p, .taps = r * q, .reach = m * (p + q - 1) + r - 1, .points = (m + r - 1) * (p + q - 1),                    \
        .at_one = p == 1 ? 1 : m + r, .input = input_##m##_##r##_##p##_##q, .weights = weights_##m##_##r##_##p##_##q,              \
        .output = output_##m##_##r##_##p##_##q, .output_gradient = output_gradient_##m##_##r##_##p##_##q,                          \
        .weights_gradient = weights_gradient_##m##_##r##_##p##_##q                                                                 \
    }
extern const tl_winograd TL_KERNEL(tl_kernel_winograd)[];
const tl_winograd TL_KERNEL(tl_kernel_winograd)[] = {
    [TL_WINOGRAD_4_3] = ENTRY(4, 3, 1, 1),  [TL_WINOGRAD_6_3] = ENTRY(6, 3, 1, 1),  [TL_WINOGRAD_4_4] = ENTRY(4, 4, 1, 1),
    [TL_WINOGRAD_4_5] = ENTRY(4, 5, 1, 1),  [TL_WINOGRAD_12_8] = ENTRY(4, 4, 3, 2), [TL_WINOGRAD_8_8] = ENTRY(4, 4, 2, 2),
    [TL_WINOGRAD_12_12] = ENTRY(4, 4, 3, 3)};
