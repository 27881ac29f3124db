/* The transforms of Cook and Toom's algorithm for short convolutions, on columns of vectors.
 *
 * m outputs of a filter g of r taps over a tile d of n = m + r - 1 inputs are y = Aᵀ[(G g) ⊙ (Bᵀ d)]: n products instead of m·r.
 * It is the transpose (Winograd 1980) of multiplying two polynomials by their values at n points (Toom 1963, Cook 1966):
 *   A and G  evaluate a polynomial of m or r coefficients at the points; G divides by Π (aⱼ - aₗ) over the other points l,
 *   Bᵀ       row j: the coefficients of Π (x - aₗ) over the other points l.
 * The points are 0, ±1, ±2, ±½ and ∞, as far as needed: small powers of two, negatives beside reciprocals (Barabasz et al. 2020).
 * Values at a and -a share their even and odd parts; sparse rows and common factors make a transform 2 to 4 operations a value.
 */
#include "kernels/kernel.h"

enum { MAX_POINTS = 8 }; /* points */

static const tl_real pair_point[] = {1, 2, (tl_real)0.5};

/* n points are 0, ∞ and this many pairs; if n is odd, also ½. */
TL_INLINE int pairs_of(int n) { return (n - 2) / 2; }
TL_INLINE bool has_half(int n) { return n % 2 == 1; }

TL_INLINE tl_real power(tl_real a, int exponent) {
    tl_real product = 1;
    TL_UNROLL for (int i = 0; i < exponent; i++) product *= a;
    return product;
}

/* ---- A and G: values of a polynomial ---- */

/* value[j] = Σ coefficient[i]·aⱼⁱ; at ∞ the last coefficient. */
TL_INLINE void evaluate(const tl_vector *coefficient, const int count, tl_vector *value, const int n) {
    value[0] = coefficient[0];
    value[n - 1] = coefficient[count - 1];
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
    value[n - 2] = half;
}

/* ---- Aᵀ and Gᵀ: the transpose ---- */

/* moment[i] = Σ value[j]·aⱼⁱ; ∞ counts for the last one. */
TL_INLINE void gather(const tl_vector *value, const int n, tl_vector *moment, const int count) {
    TL_UNROLL for (int i = 0; i < count; i++) moment[i] = i == 0 ? value[0] : i == count - 1 ? value[n - 1] : (tl_vector){0};
    TL_UNROLL for (int pair = 0; pair < pairs_of(n); pair++) {
        const tl_vector even = value[1 + 2 * pair] + value[2 + 2 * pair], odd = value[1 + 2 * pair] - value[2 + 2 * pair];
        TL_UNROLL for (int i = 0; i < count; i++) moment[i] += (i % 2 == 0 ? even : odd) * power(pair_point[pair], i);
    }
    if (!has_half(n)) return;
    TL_UNROLL for (int i = 0; i < count; i++) moment[i] += value[n - 2] * power((tl_real)0.5, i);
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
TL_INLINE void interpolate(const tl_vector *d, tl_vector *value, const int n) {
    const int pairs = pairs_of(n);
    const tl_vector *rest = d;
    tl_vector reduced[MAX_POINTS]; /* times (x - ½), for every row except its own */
    if (has_half(n)) {
        TL_UNROLL for (int i = 0; i < n - 1; i++) reduced[i] = d[i + 1] - d[i] * (tl_real)0.5;
        rest = reduced;
        value[n - 2] = even_product(d + 1, pairs, -1);
    }
    value[0] = even_product(rest, pairs, -1);
    value[n - 1] = even_product(rest + 1, pairs, -1);
    TL_UNROLL for (int pair = 0; pair < pairs; pair++) {
        const tl_vector even = even_product(rest + 2, pairs, pair);
        const tl_vector odd = even_product(rest + 1, pairs, pair) * pair_point[pair];
        value[1 + 2 * pair] = even + odd;
        value[2 + 2 * pair] = even - odd;
    }
}

/* ---- the divisors of G ---- */

TL_INLINE tl_real point(const int n, const int j) {
    if (j == 0) return 0;
    if (has_half(n) && j == n - 2) return (tl_real)0.5;
    return j % 2 == 1 ? pair_point[(j - 1) / 2] : -pair_point[(j - 1) / 2];
}

/* 1 / Π (aⱼ - aₗ) over the other finite points; 1 at ∞. */
TL_INLINE tl_real scale(const int n, const int j) {
    if (j == n - 1) return 1;
    tl_real product = 1;
    TL_UNROLL for (int l = 0; l < n - 1; l++) if (l != j) product *= point(n, j) - point(n, l);
    return 1 / product;
}

/* ---- columns ---- */

typedef enum transform { INPUT, WEIGHTS, OUTPUT, OUTPUT_GRADIENT, WEIGHTS_GRADIENT } transform;

TL_INLINE void column(const transform kind, const int outputs, const int taps, tl_vector *in, tl_vector *out) {
    const int n = outputs + taps - 1;
    if (kind == INPUT) interpolate(in, out, n);
    if (kind == OUTPUT) gather(in, n, out, outputs);
    if (kind == OUTPUT_GRADIENT) evaluate(in, outputs, out, n);
    if (kind == WEIGHTS) {
        evaluate(in, taps, out, n);
        TL_UNROLL for (int j = 0; j < n; j++) out[j] *= scale(n, j);
    }
    if (kind == WEIGHTS_GRADIENT) {
        TL_UNROLL for (int j = 0; j < n; j++) in[j] *= scale(n, j);
        gather(in, n, out, taps);
    }
}

/* Finishes the outputs that are stored `at` elements after the beginning of `to`; part: number of lanes, or 0 for all. */
TL_INLINE tl_vector finished(const tl_winograd_rows *p, tl_vector value, ptrdiff_t at, size_t part) {
    if (p->finish & TL_FINISH_RELU) value = tl_rectified(value);
    if (p->finish & TL_FINISH_ADD) value += tl_load_some(p->added + at, part);
    if (p->finish & TL_FINISH_MASK) value = tl_where(tl_load_some(p->added + at, part) > (tl_vector){0}, value);
    return p->finish & TL_FINISH_RELU_AFTER ? tl_rectified(value) : value;
}

/* The columns of a tile. The last vector may overlap the one before it; a tile that is narrower than a vector is read and written
 * partially. */
TL_INLINE void tile(const tl_winograd_rows *p, const tl_real *from, tl_real *to, const transform kind, const int outputs,
                    const int taps) {
    const int n = outputs + taps - 1;
    const int in = kind == WEIGHTS ? taps : kind == OUTPUT_GRADIENT ? outputs : n;
    const int out = kind == WEIGHTS_GRADIENT ? taps : kind == OUTPUT ? outputs : n;
    const size_t width = p->width, from_row = p->from_row, to_row = p->to_row;
    for (size_t at = 0; at < width; at += TL_LANES) {
        const size_t c = at + TL_LANES <= width || width < TL_LANES ? at : width - TL_LANES;
        tl_vector given[MAX_POINTS], made[MAX_POINTS];
        TL_UNROLL for (int i = 0; i < in; i++) {
            const tl_real *row = from + (size_t)i * from_row + c;
            given[i] = width < TL_LANES ? tl_load_part(row, width) : tl_load(row);
        }
        column(kind, outputs, taps, given, made);
        TL_UNROLL for (int i = 0; i < out; i++) {
            tl_real *row = to + (size_t)i * to_row + c;
            if (kind == OUTPUT) made[i] += tl_load(p->start + c);
            if (kind == OUTPUT && p->finish) made[i] = finished(p, made[i], row - p->to, width < TL_LANES ? width : 0);
            if (width < TL_LANES)
                tl_store_part(row, made[i], width);
            else
                tl_store(row, made[i]);
        }
    }
}

TL_INLINE void tiles(const tl_winograd_rows *p, const transform kind, const int outputs, const int taps) {
    const tl_winograd_rows rows = *p;
    const tl_real *from = rows.from;
    tl_real *to = rows.to;
    if (rows.width < TL_LANES)
        for (size_t i = 0; i < rows.tiles; i++, from += rows.from_stride, to += rows.to_stride)
            tile(&rows, from, to, kind, outputs, taps);
    else
        for (size_t i = 0; i < rows.tiles; i++, from += rows.from_stride, to += rows.to_stride)
            tile(&rows, from, to, kind, outputs, taps);
}

/* ---- the variants ---- */

#define VARIANT(m, r)                                                                                                              \
    static void input_##m##_##r(const tl_winograd_rows *rows) { tiles(rows, INPUT, m, r); }                                        \
    static void weights_##m##_##r(const tl_winograd_rows *rows) { tiles(rows, WEIGHTS, m, r); }                                    \
    static void output_##m##_##r(const tl_winograd_rows *rows) { tiles(rows, OUTPUT, m, r); }                                      \
    static void output_gradient_##m##_##r(const tl_winograd_rows *rows) { tiles(rows, OUTPUT_GRADIENT, m, r); }                    \
    static void weights_gradient_##m##_##r(const tl_winograd_rows *rows) { tiles(rows, WEIGHTS_GRADIENT, m, r); }
VARIANT(4, 3)
VARIANT(6, 3)
VARIANT(4, 4)
VARIANT(4, 5)

#define ENTRY(m, r)                                                                                                                \
    {                                                                                                                              \
        .outputs = m, .taps = r, .points = m + r - 1, .input = input_##m##_##r, .weights = weights_##m##_##r,                      \
        .output = output_##m##_##r, .output_gradient = output_gradient_##m##_##r, .weights_gradient = weights_gradient_##m##_##r   \
    }
extern const tl_winograd TL_KERNEL(tl_kernel_winograd)[];
const tl_winograd TL_KERNEL(tl_kernel_winograd)[] = {[TL_WINOGRAD_4_3] = ENTRY(4, 3),
                                                     [TL_WINOGRAD_6_3] = ENTRY(6, 3),
                                                     [TL_WINOGRAD_4_4] = ENTRY(4, 4),
                                                     [TL_WINOGRAD_4_5] = ENTRY(4, 5)};
