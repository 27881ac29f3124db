/* Layer normalisation: each row by its own mean and variance, then a scale and a shift for each channel. In forward the output may
 * be x, in backward dy.
 *
 * Rows are short and stay in the first-level cache: they are read several times instead of being stored.
 */
#include "kernels/kernel.h"

#include <tgmath.h>

/* The elements of a row in whole vectors; the rest follows. */
TL_INLINE size_t whole_of(size_t channels) { return channels / TL_LANES * TL_LANES; }

TL_INLINE tl_vector add_power(tl_vector sum, tl_vector d, const int power) { return sum + (power == 1 ? d : d * d); }

/* The mean of (x - centre)^power over a row; power is 1 or 2. */
TL_INLINE tl_real mean_of(const tl_real *x, size_t channels, tl_real centre, const int power) {
    const size_t whole = whole_of(channels), part = channels - whole;
    tl_vector sum = {0}, other = {0}; /* two sums, since each addition of a chain waits for the one before */
    size_t c = 0;
    for (; c + 2 * TL_LANES <= whole; c += 2 * TL_LANES) {
        sum = add_power(sum, tl_load(x + c) - centre, power);
        other = add_power(other, tl_load(x + c + TL_LANES) - centre, power);
    }
    if (c < whole) sum = add_power(sum, tl_load(x + c) - centre, power);
    if (part) other = add_power(other, tl_where(tl_first(part), tl_load_part(x + whole, part) - centre), power);
    return tl_total(sum + other) / (tl_real)channels;
}

/* The mean is computed from the differences to the first element, so that a large common offset does not cause rounding errors. */
TL_INLINE void normalise_row(const tl_layer_norm_rows *n, size_t row) {
    const tl_real *x = n->x + row * n->channels;
    tl_real *y = n->out + row * n->channels;
    const size_t whole = whole_of(n->channels), part = n->channels - whole;
    const tl_real centre = x[0] + mean_of(x, n->channels, x[0], 1);
    const tl_real factor = 1 / sqrt(mean_of(x, n->channels, centre, 2) + n->epsilon);
    for (size_t c = 0; c < whole; c += TL_LANES)
        tl_store(y + c, (tl_load(x + c) - centre) * factor * tl_load(n->scale + c) + tl_load(n->shift + c));
    if (part) {
        const tl_vector z = (tl_load_part(x + whole, part) - centre) * factor;
        tl_store_halves(y + whole, z * tl_load_part(n->scale + whole, part) + tl_load_part(n->shift + whole, part), part);
    }
    n->centre[row] = centre;
    n->factor[row] = factor;
}

void TL_KERNEL(tl_kernel_layer_norm)(const tl_layer_norm_rows *n);
void TL_KERNEL(tl_kernel_layer_norm)(const tl_layer_norm_rows *n) {
    const tl_layer_norm_rows rows = *n; /* a local copy, which no store can change */
    for (size_t row = 0; row < rows.rows; row++) normalise_row(&rows, row);
}

/* ---- backward: with z = (x - centre) · factor and g = dy · scale, dx = factor · (g - mean of g - z · mean of g·z) ---- */

/* Sums over a row. */
typedef struct row_sums {
    tl_vector of_g, of_gz;
} row_sums;

/* Adds a vector of one row to the sums over the row and over its channels; blank elements of dy are 0. */
TL_INLINE void add_sums(const tl_layer_norm_rows *n, size_t at, size_t c, size_t part, tl_real centre, tl_real factor,
                        row_sums *sums) {
    const size_t i = at + c;
    const tl_vector dy = tl_load_some(n->dy + i, part), z = (tl_load_some(n->x + i, part) - centre) * factor;
    const tl_vector g = dy * tl_load_some(n->scale + c, part);
    sums->of_g += g;
    sums->of_gz += g * z;
    tl_store_some(n->of_scale + c, tl_load_some(n->of_scale + c, part) + dy * z, part);
    tl_store_some(n->of_shift + c, tl_load_some(n->of_shift + c, part) + dy, part);
}

TL_INLINE tl_vector sent_back(const tl_layer_norm_rows *n, size_t at, size_t c, size_t part, tl_real centre, tl_real factor,
                              tl_real mean, tl_real slope) {
    const size_t i = at + c;
    const tl_vector z = (tl_load_some(n->x + i, part) - centre) * factor;
    const tl_vector g = tl_load_some(n->dy + i, part) * tl_load_some(n->scale + c, part);
    return factor * (g - mean - z * slope);
}

TL_INLINE void send_row_back(const tl_layer_norm_rows *n, size_t row) {
    const size_t whole = whole_of(n->channels), part = n->channels - whole, at = row * n->channels;
    const tl_real centre = n->centre[row], factor = n->factor[row];
    row_sums sums = {{0}, {0}};
    for (size_t c = 0; c < whole; c += TL_LANES) add_sums(n, at, c, 0, centre, factor, &sums);
    if (part) add_sums(n, at, whole, part, centre, factor, &sums);
    if (!n->out) return;
    const tl_real mean = tl_total(sums.of_g) / (tl_real)n->channels, slope = tl_total(sums.of_gz) / (tl_real)n->channels;
    for (size_t c = 0; c < whole; c += TL_LANES) tl_store(n->out + at + c, sent_back(n, at, c, 0, centre, factor, mean, slope));
    if (part) tl_store_halves(n->out + at + whole, sent_back(n, at, whole, part, centre, factor, mean, slope), part);
}

void TL_KERNEL(tl_kernel_layer_norm_gradient)(const tl_layer_norm_rows *n);
void TL_KERNEL(tl_kernel_layer_norm_gradient)(const tl_layer_norm_rows *n) {
    const tl_layer_norm_rows rows = *n;
    for (size_t row = 0; row < rows.rows; row++) send_row_back(&rows, row);
}
