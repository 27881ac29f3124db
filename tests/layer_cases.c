#include "layer_cases.h"

size_t between(tl_rng *rng, size_t minimum, size_t maximum) {
    return minimum + tl_rng_below(rng, (uint32_t)(maximum - minimum + 1));
}

static tl_node with_dense(tl_model *m, tl_node x, tl_rng *rng) {
    return tl_dense(m, x, &(tl_dense_cfg){.units = between(rng, 1, 6), .no_bias = between(rng, 0, 1)});
}
static tl_node with_conv1d(tl_model *m, tl_node x, tl_rng *rng) {
    tl_conv1d_cfg cfg = {.filters = between(rng, 1, 5),
                         .kernel = between(rng, 1, 4),
                         .stride = between(rng, 0, 3),
                         .dilation = between(rng, 0, 2),
                         .padding = (tl_padding)between(rng, TL_PADDING_SAME, TL_PADDING_EXPLICIT),
                         .no_bias = between(rng, 0, 1)};
    if (cfg.padding == TL_PADDING_EXPLICIT) {
        cfg.pad_left = between(rng, 3, 5);
        cfg.pad_right = between(rng, 3, 5);
    }
    return tl_conv1d(m, x, &cfg);
}
static tl_node with_groups(tl_model *m, tl_node x, tl_rng *rng) {
    const size_t groups = between(rng, 2, 4);
    const tl_node wide = tl_dense(m, x, &(tl_dense_cfg){.units = groups * between(rng, 1, 2)});
    return tl_conv1d(
        m, wide,
        &(tl_conv1d_cfg){.filters = groups * between(rng, 1, 2),
                         .kernel = between(rng, 1, 4),
                         .stride = between(rng, 0, 2),
                         .padding = TL_PADDING_SAME,
                         .padding_mode = (tl_padding_mode)between(rng, TL_PADDING_MODE_ZEROS, TL_PADDING_MODE_CIRCULAR),
                         .groups = groups});
}
static tl_node with_conv1d_transpose(tl_model *m, tl_node x, tl_rng *rng) {
    const size_t stride = between(rng, 1, 3);
    return tl_conv1d_transpose(m, x,
                               &(tl_conv1d_transpose_cfg){.filters = between(rng, 1, 5),
                                                          .kernel = between(rng, 1, 4),
                                                          .stride = stride,
                                                          .dilation = between(rng, 0, 2),
                                                          .pad_left = between(rng, 0, 1),
                                                          .pad_right = between(rng, 0, 1),
                                                          .output_padding = between(rng, 0, stride - 1),
                                                          .no_bias = between(rng, 0, 1)});
}
static tl_node with_leaky_relu(tl_model *m, tl_node x, tl_rng *rng) {
    return tl_leaky_relu(m, x, &(tl_leaky_relu_cfg){.slope = 0.2 * (double)between(rng, 0, 9)});
}
static tl_node with_elu(tl_model *m, tl_node x, tl_rng *rng) {
    return tl_elu(m, x, &(tl_elu_cfg){.alpha = 0.5 * (double)between(rng, 0, 4)});
}
static tl_node with_gelu(tl_model *m, tl_node x, tl_rng *rng) {
    return tl_gelu(m, x, &(tl_gelu_cfg){.approximate = between(rng, 0, 1)});
}
static tl_node with_affine(tl_model *m, tl_node x, tl_rng *rng) {
    return tl_affine(m, x,
                     &(tl_affine_cfg){.scale = 0.5 * ((double)between(rng, 0, 6) - 3), .shift = (double)between(rng, 0, 2) - 1});
}

static tl_pool_cfg random_pool(tl_rng *rng) {
    tl_pool_cfg cfg = {.window = between(rng, 1, 4), .stride = between(rng, 0, 5), .padding = (tl_padding)between(rng, 0, 3)};
    if (cfg.padding == TL_PADDING_EXPLICIT) {
        cfg.pad_left = between(rng, 0, cfg.window - 1);
        cfg.pad_right = between(rng, 0, cfg.window - 1);
    }
    return cfg;
}
static tl_node with_max_pool(tl_model *m, tl_node x, tl_rng *rng) {
    const tl_pool_cfg cfg = random_pool(rng);
    return tl_max_pool(m, x, &cfg);
}
static tl_node with_average_pool(tl_model *m, tl_node x, tl_rng *rng) {
    const tl_pool_cfg cfg = random_pool(rng);
    return tl_average_pool(m, x, &cfg);
}
static tl_node with_batch_norm(tl_model *m, tl_node x, tl_rng *rng) {
    return tl_batch_norm(m, x, &(tl_batch_norm_cfg){.epsilon = 0.01 * (double)between(rng, 1, 9)});
}
static tl_node with_batch_norm_and_relu(tl_model *m, tl_node x, tl_rng *rng) { return tl_relu(m, with_batch_norm(m, x, rng)); }
static tl_node with_batch_norm_of_activations(tl_model *m, tl_node x, tl_rng *rng) {
    return with_batch_norm(m, tl_tanh(m, x), rng);
}
static tl_node with_upsample(tl_model *m, tl_node x, tl_rng *rng) {
    return tl_upsample(m, x, &(tl_upsample_cfg){.factor = between(rng, 1, 4), .linear = between(rng, 0, 1)});
}
static tl_node with_layer_norm(tl_model *m, tl_node x, tl_rng *rng) {
    return tl_layer_norm(m, x, &(tl_layer_norm_cfg){.epsilon = 0.01 * (double)between(rng, 1, 9)});
}
static tl_node with_group_norm(tl_model *m, tl_node x, tl_rng *rng) {
    const size_t groups = between(rng, 1, 3);
    const tl_node wide = tl_dense(m, x, &(tl_dense_cfg){.units = groups * between(rng, 1, 3)});
    return tl_group_norm(m, wide, &(tl_group_norm_cfg){.groups = groups, .epsilon = 0.01 * (double)between(rng, 1, 9)});
}

static tl_node with_hand_crafted(tl_model *m, tl_node x, tl_rng *rng) {
    (void)rng;
    return tl_tanh(m, tl_fixed_filters(m, x));
}

/* x is read by several layers, and one node is read twice by the same layer. */
static tl_node with_add(tl_model *m, tl_node x, tl_rng *rng) {
    const tl_node inputs[] = {x, tl_tanh(m, x), x, tl_relu(m, x)};
    return tl_add(m, inputs, between(rng, 2, 4));
}
static tl_node with_add_of_activations(tl_model *m, tl_node x, tl_rng *rng) {
    (void)rng;
    const tl_node h = tl_sigmoid(m, x);
    return tl_relu(m, tl_add(m, (const tl_node[]){tl_tanh(m, h), h, h}, 3));
}
/* The end of a residual block: both branches are normalised, and either may lie where the sum does. */
static tl_node with_add_of_batch_norms(tl_model *m, tl_node x, tl_rng *rng) {
    const tl_node a = with_batch_norm(m, tl_tanh(m, x), rng), b = with_batch_norm(m, x, rng);
    return tl_relu(m, tl_add(m, between(rng, 0, 1) ? (const tl_node[]){a, b} : (const tl_node[]){b, a}, 2));
}
/* Branches that work in place, and share the gradient of the sum. */
static tl_node with_add_of_branches(tl_model *m, tl_node x, tl_rng *rng) {
    const tl_node inputs[] = {tl_relu(m, with_batch_norm(m, x, rng)), tl_sigmoid(m, x), with_batch_norm(m, tl_tanh(m, x), rng),
                              tl_silu(m, x)};
    const tl_node sum = tl_add(m, inputs + between(rng, 0, 2), 2);
    return between(rng, 0, 1) ? tl_add(m, (const tl_node[]){tl_tanh(m, sum), inputs[3], inputs[0]}, 3) : tl_add(m, inputs, 4);
}
/* Sums of sums, whose gradients pass through the ReLU in the same place. */
static tl_node with_adds_in_a_row(tl_model *m, tl_node x, tl_rng *rng) {
    for (int i = 0; i < 3; i++) {
        const tl_node inputs[] = {tl_sigmoid(m, x), x, tl_tanh(m, x)};
        x = tl_relu(m, tl_add(m, inputs, between(rng, 2, 3)));
    }
    return x;
}
static tl_node with_multiply(tl_model *m, tl_node x, tl_rng *rng) {
    const tl_node inputs[] = {x, tl_tanh(m, x), x, tl_sigmoid(m, x)};
    return tl_multiply(m, inputs, between(rng, 2, 4));
}
static tl_node with_concat(tl_model *m, tl_node x, tl_rng *rng) {
    const tl_node inputs[] = {x, with_dense(m, x, rng), x, tl_sigmoid(m, x)};
    return tl_concat(m, inputs, between(rng, 2, 4));
}
/* In backward the pool runs after the other reader of x, and adds to its gradient. */
static tl_node with_max_pool_before_tanh(tl_model *m, tl_node x, tl_rng *rng) {
    const tl_node pooled = tl_max_pool(m, x, &(tl_pool_cfg){.window = between(rng, 2, 4), .stride = 1, .padding = TL_PADDING_SAME});
    return tl_concat(m, (const tl_node[]){pooled, tl_tanh(m, x)}, 2);
}
static tl_node with_global_max_pool_before_mean(tl_model *m, tl_node x, tl_rng *rng) {
    (void)rng;
    const tl_node largest = tl_global_max_pool(m, x);
    return tl_add(m, (const tl_node[]){largest, tl_global_average_pool(m, x)}, 2);
}
static tl_node with_residual_blocks(tl_model *m, tl_node x, tl_rng *rng) {
    const tl_dense_cfg dense = {.units = between(rng, 2, 5)};
    x = tl_dense(m, x, &dense);
    for (int block = 0; block < 3; block++) {
        const tl_node h = tl_dense(m, tl_relu(m, x), &dense);
        x = tl_add(m, (const tl_node[]){x, tl_batch_norm(m, h, NULL)}, 2);
    }
    return x;
}

const layer_case layer_cases[] = {
    {"dense", .build = with_dense},
    {"conv1d", .build = with_conv1d},
    {"relu", .plain = tl_relu},
    {"sigmoid", .plain = tl_sigmoid},
    {"tanh", .plain = tl_tanh},
    {"prelu", .plain = tl_prelu},
    {"selu", .plain = tl_selu},
    {"silu", .plain = tl_silu},
    {"softplus", .plain = tl_softplus},
    {"hard_sigmoid", .plain = tl_hard_sigmoid},
    {"exponential", .plain = tl_exponential},
    {"leaky_relu", .build = with_leaky_relu},
    {"elu", .build = with_elu},
    {"gelu", .build = with_gelu},
    {"affine", .build = with_affine},
    {"softmax", .plain = tl_softmax},
    {"max_pool", .build = with_max_pool},
    {"average_pool", .build = with_average_pool},
    {"global_average_pool", .plain = tl_global_average_pool},
    {"global_max_pool", .plain = tl_global_max_pool},
    {"upsample", .build = with_upsample},
    {"last_step", .plain = tl_last_step},
    {"flatten", .plain = tl_flatten},
    {"batch_norm", .build = with_batch_norm},
    {"layer_norm", .build = with_layer_norm},
    {"group_norm", .build = with_group_norm},
    {"batch_norm, relu", .build = with_batch_norm_and_relu},
    {"tanh, batch_norm", .build = with_batch_norm_of_activations},
    {"add", .build = with_add},
    {"add of activations", .build = with_add_of_activations},
    {"multiply", .build = with_multiply},
    {"concat", .build = with_concat},
    {"residual blocks", .build = with_residual_blocks},
    {"add of batch_norms", .build = with_add_of_batch_norms},
    {"add of branches", .build = with_add_of_branches},
    {"adds in a row", .build = with_adds_in_a_row},
    {"conv1d in groups", .build = with_groups},
    {"conv1d_transpose", .build = with_conv1d_transpose},
    {"fixed_filters", .build = with_hand_crafted},
    {"max_pool, tanh beside", .build = with_max_pool_before_tanh},
    {"global_max_pool, mean", .build = with_global_max_pool_before_mean},
};

const size_t layer_case_count = sizeof layer_cases / sizeof *layer_cases;

tl_node layer_case_build(const layer_case *layer, tl_model *model, tl_node x, tl_rng *rng) {
    return layer->plain ? layer->plain(model, x) : layer->build(model, x, rng);
}
