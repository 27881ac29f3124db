/* Ready-made networks from a series to its outputs; they call only public builders. */
#include <tapline/layers.h>

static tl_node convolve(tl_model *m, tl_node x, size_t filters, size_t kernel) {
    return tl_conv1d(m, x, &(tl_conv1d_cfg){.filters = filters, .kernel = kernel, .padding = TL_PADDING_SAME});
}

static tl_node normalise(tl_model *m, tl_node x) { return tl_batch_norm(m, x, NULL); }

static tl_node sum(tl_model *m, tl_node a, tl_node b) { return tl_add(m, (const tl_node[]){a, b}, 2); }

static tl_node pool_and_classify(tl_model *m, tl_node x, size_t outputs) {
    return tl_dense(m, tl_global_average_pool(m, x), &(tl_dense_cfg){.units = outputs});
}

/* ---- FCN ---- */

static tl_node block(tl_model *m, tl_node x, size_t filters, size_t kernel) {
    return tl_relu(m, normalise(m, convolve(m, x, filters, kernel)));
}

tl_node tl_fcn(tl_model *m, tl_node x, size_t outputs) {
    x = block(m, x, 128, 8);
    x = block(m, x, 256, 5);
    x = block(m, x, 128, 3);
    return pool_and_classify(m, x, outputs);
}

/* ---- ResNet ---- */

static tl_node residual_block(tl_model *m, tl_node x, size_t filters, tl_node shortcut) {
    tl_node h = block(m, x, filters, 8);
    h = block(m, h, filters, 5);
    h = normalise(m, convolve(m, h, filters, 3));
    return tl_relu(m, sum(m, h, normalise(m, shortcut)));
}

tl_node tl_resnet(tl_model *m, tl_node x, size_t outputs) {
    x = residual_block(m, x, 64, convolve(m, x, 64, 1));
    x = residual_block(m, x, 128, convolve(m, x, 128, 1));
    x = residual_block(m, x, 128, x);
    return pool_and_classify(m, x, outputs);
}

/* ---- Inception ---- */

/* These convolutions have no bias: the batch norm after them has one. */
static tl_node convolve_plain(tl_model *m, tl_node x, size_t filters, size_t kernel) {
    return tl_conv1d(m, x, &(tl_conv1d_cfg){.filters = filters, .kernel = kernel, .padding = TL_PADDING_SAME, .no_bias = true});
}

static tl_node inception_block(tl_model *m, tl_node x, bool bottleneck) {
    const tl_pool_cfg pool = {.window = 3, .stride = 1, .padding = TL_PADDING_SAME};
    /* The first reader of x is the last one that sends it a gradient: a pool can add its gradient to that of the convolution. */
    const tl_node pooled = tl_max_pool(m, x, &pool);
    const tl_node narrow = bottleneck ? convolve_plain(m, x, 32, 1) : x;
    const tl_node branches[] = {
        convolve_plain(m, narrow, 32, 40),
        convolve_plain(m, narrow, 32, 20),
        convolve_plain(m, narrow, 32, 10),
        convolve_plain(m, pooled, 32, 1),
    };
    return tl_relu(m, normalise(m, tl_concat(m, branches, 4)));
}

tl_node tl_inception(tl_model *m, tl_node x, size_t outputs) {
    tl_node shortcut = x;
    for (int i = 0; i < 6; i++) {
        x = inception_block(m, x, i > 0 || tl_node_shape(m, x).channels != 1);
        if (i % 3 != 2) continue;
        x = tl_relu(m, sum(m, x, normalise(m, convolve_plain(m, shortcut, 128, 1))));
        shortcut = x;
    }
    return pool_and_classify(m, x, outputs);
}

/* ---- Time-CNN ---- */

/* The shape of a node that is not an input is unknown before compiling: it is assumed to be long enough. */
tl_node tl_time_cnn(tl_model *m, tl_node x, size_t outputs) {
    const tl_pool_cfg pool = {.window = 3};
    const size_t length = tl_node_shape(m, x).length;
    const tl_padding padding = length > 0 && length < 60 ? TL_PADDING_SAME : TL_PADDING_VALID;
    x = tl_conv1d(m, x, &(tl_conv1d_cfg){.filters = 6, .kernel = 7, .padding = padding});
    x = tl_average_pool(m, tl_sigmoid(m, x), &pool);
    x = tl_conv1d(m, x, &(tl_conv1d_cfg){.filters = 12, .kernel = 7, .padding = padding});
    x = tl_average_pool(m, tl_sigmoid(m, x), &pool);
    return tl_dense(m, tl_flatten(m, x), &(tl_dense_cfg){.units = outputs});
}

/* ---- TCN ---- */

static tl_node convolve_causal(tl_model *m, tl_node x, size_t dilation) {
    const tl_conv1d_cfg cfg = {.filters = 25, .kernel = 7, .dilation = dilation, .padding = TL_PADDING_CAUSAL};
    return tl_relu(m, tl_conv1d(m, x, &cfg));
}

tl_node tl_tcn(tl_model *m, tl_node x, size_t outputs) {
    for (int i = 0; i < 8; i++) {
        const tl_node h = convolve_causal(m, convolve_causal(m, x, (size_t)1 << i), (size_t)1 << i);
        x = tl_relu(m, sum(m, h, i == 0 ? convolve(m, x, 25, 1) : x));
    }
    return tl_dense(m, tl_last_step(m, x), &(tl_dense_cfg){.units = outputs});
}

/* ---- LITE ---- */

/* Depthwise separable: a convolution of each channel over time, then one over all channels of each step. */
static tl_node separable_block(tl_model *m, tl_node x, size_t channels, size_t kernel, size_t dilation) {
    const tl_conv1d_cfg cfg = {.filters = channels,
                               .kernel = kernel,
                               .dilation = dilation,
                               .padding = TL_PADDING_SAME,
                               .groups = channels,
                               .no_bias = true};
    return tl_relu(m, normalise(m, convolve_plain(m, tl_conv1d(m, x, &cfg), 32, 1)));
}

tl_node tl_lite(tl_model *m, tl_node x, size_t outputs) {
    const tl_node branches[] = {
        convolve_plain(m, x, 32, 40),
        convolve_plain(m, x, 32, 20),
        convolve_plain(m, x, 32, 10),
        tl_relu(m, tl_fixed_filters(m, x)),
    };
    x = tl_relu(m, normalise(m, tl_concat(m, branches, 4)));
    x = separable_block(m, x, 3 * 32 + 17, 20, 2);
    x = separable_block(m, x, 32, 10, 4);
    return pool_and_classify(m, x, outputs);
}

/* ---- MiniRocket, MultiRocket, Hydra ---- */

static tl_node classify_features(tl_model *m, tl_node x, tl_rocket_kind kind, size_t outputs) {
    return tl_dense(m, tl_rocket(m, x, &(tl_rocket_cfg){.kind = kind}), &(tl_dense_cfg){.units = outputs});
}

tl_node tl_mini_rocket(tl_model *m, tl_node x, size_t outputs) { return classify_features(m, x, TL_ROCKET_MINI, outputs); }
tl_node tl_multi_rocket(tl_model *m, tl_node x, size_t outputs) { return classify_features(m, x, TL_ROCKET_MULTI, outputs); }
tl_node tl_hydra(tl_model *m, tl_node x, size_t outputs) { return classify_features(m, x, TL_ROCKET_HYDRA, outputs); }

tl_node tl_multi_rocket_hydra(tl_model *m, tl_node x, size_t outputs) {
    const tl_node both[] = {tl_rocket(m, x, &(tl_rocket_cfg){.kind = TL_ROCKET_MULTI}),
                            tl_rocket(m, x, &(tl_rocket_cfg){.kind = TL_ROCKET_HYDRA})};
    return tl_dense(m, tl_concat(m, both, 2), &(tl_dense_cfg){.units = outputs});
}

/* ---- WaveNet ---- */

tl_node tl_wavenet(tl_model *m, tl_node x, size_t outputs) {
    return pool_and_classify(m, tl_relu(m, tl_wavenet_steps(m, x, &(tl_wavenet_cfg){.outputs = 32})), outputs);
}
