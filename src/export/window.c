#include "export/export.h"

#include "compute/window.h"
#include "layers/fixed_filters.h"
#include "layers/registry.h"

/* This cannot fail, because the geometry was checked when the model was compiled. */
tl_export_window tl_export_window_of(const tl_export_node *node) {
    const tl_layer_ops *ops = node->kind;
    const bool fixed = ops == &tl_fixed_filters_layer_ops,
               pool = ops == &tl_max_pool_layer_ops || ops == &tl_average_pool_layer_ops;
    const double taps = fixed ? TL_FIXED_TAPS : tl_export_number(node, pool ? "window" : "kernel", 1);
    const tl_window_spec cfg = {.taps_name = "kernel",
                                .taps = (size_t)taps,
                                .stride = (size_t)tl_export_number(node, "stride", pool ? taps : 1),
                                .dilation = (size_t)tl_export_number(node, "dilation", 1),
                                .padding = fixed ? TL_PADDING_SAME : (tl_padding)tl_export_number(node, "padding", 0),
                                .pad_left = (size_t)tl_export_number(node, "pad_left", 0),
                                .pad_right = (size_t)tl_export_number(node, "pad_right", 0)};
    tl_window_geometry window = {0};
    tl_window_make(&cfg, node->in.length, &window, &(tl_error){0});
    return (tl_export_window){.taps = window.taps,
                              .stride = window.stride,
                              .dilation = window.dilation,
                              .pad_left = window.pad_left,
                              .pad_right = window.pad_right};
}
