#include "compute/window.h"

#include "base/argument.h"
#include "base/math.h"
#include "base/memory.h"

static const char *const names[] = {
    [TL_PADDING_VALID] = "valid", [TL_PADDING_SAME] = "same", [TL_PADDING_CAUSAL] = "causal", [TL_PADDING_EXPLICIT] = "explicit"};

const char *tl_padding_at(size_t index) { return index < sizeof names / sizeof *names ? names[index] : NULL; }

const char *tl_padding_name(tl_padding padding) { return tl_padding_at((size_t)padding); }

tl_status tl_padding_by_name(const char *name, tl_padding *padding, tl_error *error) {
    return tl_find_name("padding", name, tl_padding_at, (int *)padding, error);
}

static tl_status check_ranges(const tl_window_spec *cfg, tl_error *error) {
    const tl_status status = TL_ERROR_ARGUMENT;
    if (cfg->padding < TL_PADDING_VALID || cfg->padding > TL_PADDING_EXPLICIT)
        return tl_fail(error, status, "padding %d is unknown", (int)cfg->padding);
    if (tl_check_count(cfg->taps_name, cfg->taps, 1, TL_MAX_STEPS, error) != TL_OK ||
        tl_check_count("stride", cfg->stride, 1, TL_MAX_STEPS, error) != TL_OK ||
        tl_check_count("dilation", cfg->dilation, 1, TL_MAX_STEPS, error) != TL_OK ||
        tl_check_count("left padding", cfg->pad_left, 0, TL_MAX_STEPS, error) != TL_OK ||
        tl_check_count("right padding", cfg->pad_right, 0, TL_MAX_STEPS, error) != TL_OK)
        return status;
    if (cfg->padding != TL_PADDING_EXPLICIT && (cfg->pad_left || cfg->pad_right))
        return tl_fail(error, status, "padding of %zu and %zu steps is given, but padding is not TL_PADDING_EXPLICIT",
                       cfg->pad_left, cfg->pad_right);
    return TL_OK;
}

tl_status tl_window_make(const tl_window_spec *cfg, size_t length, tl_window_geometry *window, tl_error *error) {
    if (tl_failed(error)) return error->status;
    if (check_ranges(cfg, error) != TL_OK) return TL_ERROR_ARGUMENT;
    tl_window_geometry w = {.taps = cfg->taps, .stride = cfg->stride, .dilation = cfg->dilation};
    const size_t extent = (w.taps - 1) * w.dilation + 1;
    size_t padded;
    const size_t wanted = tl_ceil_div(length, w.stride);
    const size_t needed = (wanted - 1) * w.stride + extent, missing = needed > length ? needed - length : 0;
    if (cfg->padding == TL_PADDING_SAME) w.pad_left = missing / 2, w.pad_right = missing - w.pad_left;
    if (cfg->padding == TL_PADDING_CAUSAL) w.pad_left = extent - 1;
    if (cfg->padding == TL_PADDING_EXPLICIT) w.pad_left = cfg->pad_left, w.pad_right = cfg->pad_right;
    if (!tl_sum(length, w.pad_left, &padded) || !tl_sum(padded, w.pad_right, &padded))
        return tl_fail(error, TL_ERROR_SHAPE, "padded length of %zu overflows", length);
    if (extent > padded)
        return tl_fail(error, TL_ERROR_SHAPE,
                       "%s extent %zu exceeds the padded input length %zu; use longer series, more padding or a smaller %s",
                       cfg->taps_name, extent, padded, cfg->taps_name);
    w.out_length = (padded - extent) / w.stride + 1;
    *window = w;
    return TL_OK;
}

size_t tl_window_count(const tl_window_spec *cfg, size_t length) {
    const size_t stride = cfg->stride, extent = (cfg->taps - 1) * cfg->dilation + 1;
    if (cfg->padding == TL_PADDING_SAME || cfg->padding == TL_PADDING_CAUSAL) return tl_ceil_div(length, stride);
    const size_t padded = length + cfg->pad_left + cfg->pad_right;
    return padded < extent ? 0 : (padded - extent) / stride + 1;
}
