/* Mixes the series of a batch (Zhang et al. 2018). */
#include "train/augment.h"

#include <tapline/random.h>

#include "base/math.h"

#include <math.h>
#include <string.h>

/* Returns the logarithm of a gamma-distributed number with that shape, at least 1 (Marsaglia & Tsang 2000). */
static double log_gamma_from_1(double shape, tl_rng *rng) {
    const double d = shape - 1.0 / 3, c = 1 / sqrt(9 * d);
    for (;;) {
        const double x = tl_rng_normal(rng), root = 1 + c * x, v = root * root * root;
        if (root > 0 && log(tl_rng_uniform(rng)) < x * x / 2 + d - d * v + d * log(v)) return log(d) + log(v);
    }
}

/* X / (X + Y) for two gamma-distributed numbers with shape alpha; each is one with shape alpha + 1 times U^(1 / alpha). Computed
 * with logarithms, since for a small alpha both numbers would round to 0. */
static double draw_beta(double alpha, tl_rng *rng) {
    const double x = log_gamma_from_1(alpha + 1, rng), y = log_gamma_from_1(alpha + 1, rng);
    const double u = log(tl_rng_uniform(rng)), v = log(tl_rng_uniform(rng));
    return 1 / (1 + exp(y - x + (v - u) / alpha));
}

/* The partner is the series at a random distance: batches are already in random order. */
void tl_mixup_draw(double alpha, uint32_t *partner, tl_real *share, size_t count, uint64_t seed, uint64_t step) {
    tl_rng rng = tl_rng_at(seed, TL_STREAM_MIXUP, 0, step);
    const size_t on = count > 1 ? 1 + tl_rng_below(&rng, (uint32_t)(count - 1)) : 0;
    for (size_t i = 0; i < count; i++) {
        partner[i] = (uint32_t)((i + on) % count);
        share[i] = count > 1 ? (tl_real)draw_beta(alpha, &rng) : 0;
    }
}

void tl_mixup_series(const tl_tensor *x, const size_t *lengths, const uint32_t *partner, const tl_real *share, tl_tensor *y,
                     size_t *mixed_lengths, size_t i) {
    const size_t channels = x->shape[2], each = x->shape[1] * channels;
    const size_t with = partner[i] < x->shape[0] ? partner[i] : i;
    const tl_real *one = x->data + i * each, *other = x->data + with * each, part = share[i];
    const size_t longer = part > (tl_real)0.5 ? with : i;
    const size_t length = lengths ? tl_min(lengths[longer], x->shape[1]) : x->shape[1];
    tl_real *mixed = y->data + i * each;
    for (size_t k = 0; k < length * channels; k++) mixed[k] = (1 - part) * one[k] + part * other[k];
    memset(mixed + length * channels, 0, (each - length * channels) * sizeof *mixed);
    if (mixed_lengths) mixed_lengths[i] = length;
}

void tl_mixup(const tl_tensor *x, const size_t *lengths, const uint32_t *partner, const tl_real *share, tl_tensor *y,
              size_t *mixed_lengths) {
    for (size_t i = 0; i < x->shape[0]; i++) tl_mixup_series(x, lengths, partner, share, y, mixed_lengths, i);
}
