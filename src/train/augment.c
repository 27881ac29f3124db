#include "train/augment.h"

#include <tapline/random.h>

#include "base/argument.h"
#include "base/math.h"

#include <math.h>
#include <string.h>

tl_status tl_augment_check_sized(const tl_augment_cfg *given, size_t size, tl_error *error) {
    if (tl_failed(error)) return error->status;
    tl_error own = {0};
    tl_augment_cfg cfg;
    if (!error) error = &own;
    tl_take(&cfg, sizeof cfg, given, size, "augment", error);
    tl_check_number("augment: crop", cfg.crop, 0, 1, error);
    tl_check_number("augment: scale", cfg.scale, 0, INFINITY, error);
    tl_check_number("augment: jitter", cfg.jitter, 0, INFINITY, error);
    tl_check_number("augment: mixup", cfg.mixup, 0, INFINITY, error);
    return error->status;
}

/* y: the window with this `share` of x, by linear interpolation; both (length, channels). */
static void crop(const tl_real *x, tl_real *y, size_t length, size_t channels, double share, tl_rng *rng) {
    const double steps = (double)(length - 1), width = share * steps, start = tl_rng_uniform(rng) * (steps - width);
    for (size_t t = 0; t < length; t++) {
        const double place = length > 1 ? start + width * (double)t / steps : 0;
        const size_t left = (size_t)place, right = left + 1 < length ? left + 1 : left;
        const tl_real part = (tl_real)(place - (double)left);
        for (size_t c = 0; c < channels; c++)
            y[t * channels + c] = x[left * channels + c] + part * (x[right * channels + c] - x[left * channels + c]);
    }
}

static void vary(const tl_augment_cfg *cfg, const tl_real *x, tl_real *y, size_t length, size_t channels, tl_rng *rng) {
    const size_t count = length * channels;
    if (cfg->crop > 0)
        crop(x, y, length, channels, cfg->crop, rng);
    else
        memcpy(y, x, count * sizeof *y);
    const tl_real factor = cfg->scale > 0 ? (tl_real)(1 + cfg->scale * tl_rng_normal(rng)) : 1;
    for (size_t i = 0; cfg->scale > 0 && i < count; i++) y[i] *= factor;
    for (size_t i = 0; cfg->jitter > 0 && i < count; i++) y[i] += (tl_real)(cfg->jitter * tl_rng_normal(rng));
}

void tl_augment_series(const tl_augment_cfg *cfg, const tl_tensor *x, const size_t *lengths, tl_tensor *y, uint64_t seed,
                       uint64_t step, size_t series) {
    const size_t length = x->shape[1], channels = x->shape[2];
    const size_t own = lengths ? tl_min(lengths[series], length) : length, at = series * length * channels;
    tl_rng rng = tl_rng_at(seed, TL_STREAM_AUGMENT, (uint32_t)series, step);
    vary(cfg, x->data + at, y->data + at, own, channels, &rng);
    memset(y->data + at + own * channels, 0, (length - own) * channels * sizeof *y->data);
}

void tl_augment_sized(const tl_augment_cfg *given, size_t size, const tl_tensor *x, const size_t *lengths, tl_tensor *y,
                      uint64_t seed, uint64_t step) {
    tl_augment_cfg cfg;
    tl_take(&cfg, sizeof cfg, given, size, "augment", NULL);
    for (size_t i = 0; i < x->shape[0]; i++) tl_augment_series(&cfg, x, lengths, y, seed, step, i);
}
