/* registry.h: the table of layers; model files use their names. */
#ifndef TL_REGISTRY_H
#define TL_REGISTRY_H

#include <tapline/layer.h>

#include "graph/together.h"

/* All kinds of layers; NULL ends the list. */
extern const tl_layer_ops *const tl_layer_registry[];

/* Returns the kind with that name (tl_layer_ops.name); NULL if there is none. */
const tl_layer_ops *tl_layer_ops_by_name(const char *name);

/* The entries of the table: one for each file in layers/. */
extern const tl_layer_ops tl_input_layer_ops, tl_conv1d_layer_ops, tl_conv1d_transpose_layer_ops, tl_dense_layer_ops;
extern const tl_layer_ops tl_relu_layer_ops, tl_leaky_relu_layer_ops, tl_prelu_layer_ops, tl_elu_layer_ops, tl_selu_layer_ops,
    tl_gelu_layer_ops, tl_silu_layer_ops, tl_softplus_layer_ops, tl_sigmoid_layer_ops, tl_hard_sigmoid_layer_ops, tl_tanh_layer_ops,
    tl_exponential_layer_ops, tl_affine_layer_ops, tl_softmax_layer_ops;
extern const tl_layer_ops tl_max_pool_layer_ops, tl_average_pool_layer_ops, tl_global_average_pool_layer_ops,
    tl_global_max_pool_layer_ops, tl_last_step_layer_ops, tl_upsample_layer_ops, tl_embedding_layer_ops, tl_fixed_filters_layer_ops,
    tl_rocket_layer_ops;
extern const tl_layer_ops tl_flatten_layer_ops, tl_batch_norm_layer_ops, tl_layer_norm_layer_ops, tl_group_norm_layer_ops,
    tl_dropout_layer_ops;
extern const tl_layer_ops tl_add_layer_ops, tl_multiply_layer_ops, tl_concat_layer_ops;

/* How batch norm computes with the whole batch, where this is divided into shards. */
extern const tl_synchronised tl_batch_norm_synchronised;

#endif
