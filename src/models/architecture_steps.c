/* Ready-made networks with an output for every step. */
#include "base/argument.h"
#include "graph/builder.h"
#include "graph/graph.h"

static const tl_node failed = {.id = -1};

static bool check_range(tl_model *m, const char *what, size_t value, size_t maximum) {
    if (m) tl_check_count(what, value, 1, maximum, &m->error);
    return m && !tl_failed(&m->error);
}

static size_t or_default(size_t value, size_t otherwise) { return value ? value : otherwise; }

/* A convolution with one tap: a matrix product for each step. */
static tl_node mix(tl_model *m, tl_node x, size_t filters) {
    return tl_conv1d(m, x, &(tl_conv1d_cfg){.filters = filters, .kernel = 1});
}

static tl_node sum(tl_model *m, tl_node a, tl_node b) { return tl_add(m, (const tl_node[]){a, b}, 2); }

/* ---- WaveNet ---- */

enum { MAX_BLOCKS = 30, MAX_STACKS = 100 }; /* the dilation of the last block is 2^29 */

static tl_node causal(tl_model *m, tl_node x, size_t filters, size_t kernel, size_t dilation) {
    const tl_conv1d_cfg cfg = {.filters = filters, .kernel = kernel, .dilation = dilation, .padding = TL_PADDING_CAUSAL};
    return tl_conv1d(m, x, &cfg);
}

static tl_node gated(tl_model *m, tl_node x, size_t filters, size_t kernel, size_t dilation) {
    const tl_node value = tl_tanh(m, causal(m, x, filters, kernel, dilation));
    const tl_node gate = tl_sigmoid(m, causal(m, x, filters, kernel, dilation));
    return tl_multiply(m, (const tl_node[]){value, gate}, 2);
}

tl_node tl_wavenet_steps_sized(tl_model *m, tl_node x, const tl_wavenet_cfg *cfg, size_t size) {
    tl_wavenet_cfg given;
    tl_builder_cfg(m, "wavenet_steps", &given, sizeof given, cfg, size);
    const size_t filters = or_default(given.filters, 32), skips = or_default(given.skips, 32), kernel = or_default(given.kernel, 2);
    const size_t blocks = or_default(given.blocks, 8), stacks = or_default(given.stacks, 1);
    tl_node skip = failed;
    if (!check_range(m, "wavenet: blocks", blocks, MAX_BLOCKS) || !check_range(m, "wavenet: stacks", stacks, MAX_STACKS) ||
        !check_range(m, "wavenet: outputs", given.outputs, SIZE_MAX))
        return failed;
    const size_t all = blocks * stacks;
    x = causal(m, x, filters, kernel, 1);
    for (size_t i = 0; i < all; i++) {
        const tl_node h = gated(m, x, filters, kernel, (size_t)1 << i % blocks), out = mix(m, h, skips);
        skip = i == 0 ? out : sum(m, skip, out);
        if (i + 1 < all) x = sum(m, x, mix(m, h, filters));
    }
    return mix(m, tl_relu(m, mix(m, tl_relu(m, skip), skips)), given.outputs);
}

/* ---- U-Net ---- */

enum { MAX_LEVELS = 8, MAX_FILTERS = 1 << 16 };

static tl_node twice(tl_model *m, tl_node x, size_t filters, size_t kernel) {
    const tl_conv1d_cfg cfg = {.filters = filters, .kernel = kernel, .padding = TL_PADDING_SAME, .no_bias = true};
    for (int i = 0; i < 2; i++) x = tl_relu(m, tl_batch_norm(m, tl_conv1d(m, x, &cfg), NULL));
    return x;
}

tl_node tl_unet_sized(tl_model *m, tl_node x, const tl_unet_cfg *cfg, size_t size) {
    tl_unet_cfg given;
    tl_builder_cfg(m, "unet", &given, sizeof given, cfg, size);
    const size_t filters = or_default(given.filters, 16), kernel = or_default(given.kernel, 5),
                 levels = or_default(given.levels, 3);
    const size_t length = tl_node_shape(m, x).length; /* 0: known when it is compiled */
    tl_node level[MAX_LEVELS];
    if (!check_range(m, "unet: levels", levels, MAX_LEVELS) || !check_range(m, "unet: filters", filters, MAX_FILTERS) ||
        !check_range(m, "unet: outputs", given.outputs, SIZE_MAX))
        return failed;
    if (length % ((size_t)1 << levels) != 0) {
        tl_fail(&m->error, TL_ERROR_SHAPE,
                "unet: length %zu is not a multiple of %zu (levels %zu); cut the series, or pad them with zeros", length,
                (size_t)1 << levels, levels);
        return failed;
    }
    for (size_t i = 0; i < levels; i++) {
        level[i] = twice(m, x, filters << i, kernel);
        x = tl_max_pool(m, level[i], &(tl_pool_cfg){.window = 2});
    }
    x = twice(m, x, filters << levels, kernel);
    for (size_t i = levels; i-- > 0;) {
        x = tl_conv1d_transpose(m, x, &(tl_conv1d_transpose_cfg){.filters = filters << i, .kernel = 2, .stride = 2});
        x = twice(m, tl_concat(m, (const tl_node[]){level[i], x}, 2), filters << i, kernel);
    }
    return mix(m, x, given.outputs);
}
