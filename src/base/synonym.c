#include "base/synonym.h"

#include <ctype.h>
#include <string.h>

/* In lower case and without underscores, as `plain` writes them. */
static const char *const layers[][2] = {
    {"linear", "dense"},
    {"fullyconnected", "dense"},
    {"convolution1d", "conv1d"},
    {"separableconv1d", "conv1d"},
    {"depthwiseconv1d", "conv1d"},
    {"convtranspose1d", "conv1d_transpose"},
    {"batchnormalization", "batch_norm"},
    {"batchnorm1d", "batch_norm"},
    {"layernormalization", "layer_norm"},
    {"groupnormalization", "group_norm"},
    {"maxpooling1d", "max_pool"},
    {"maxpool1d", "max_pool"},
    {"averagepooling1d", "average_pool"},
    {"avgpool1d", "average_pool"},
    {"globalaveragepooling1d", "global_average_pool"},
    {"globalavgpool1d", "global_average_pool"},
    {"adaptiveavgpool1d", "global_average_pool"},
    {"globalmaxpooling1d", "global_max_pool"},
    {"globalmaxpool1d", "global_max_pool"},
    {"adaptivemaxpool1d", "global_max_pool"},
    {"spatialdropout1d", "dropout"},
    {"dropout1d", "dropout"},
    {"alphadropout", "dropout"},
    {"upsampling1d", "upsample"},
    {"concatenate", "concat"},
    {"swish", "silu"},
    {"hardsigmoid", "hard_sigmoid"},
    {"exp", "exponential"},
};

static const char *const keys[][2] = {
    {"kernel_size", "kernel"},
    {"kernel_size", "window"},
    {"pool_size", "window"},
    {"out_channels", "filters"},
    {"channels", "filters"},
    {"num_filters", "filters"},
    {"nb_filters", "filters"},
    {"out_features", "units"},
    {"outputs", "units"},
    {"embedding_dim", "units"},
    {"output_dim", "units"},
    {"num_embeddings", "vocabulary"},
    {"input_dim", "vocabulary"},
    {"strides", "stride"},
    {"dilation_rate", "dilation"},
    {"use_bias", "bias"},
    {"kernel_initializer", "init"},
    {"initializer", "init"},
    {"num_groups", "groups"},
    {"eps", "epsilon"},
    {"p", "rate"},
    {"negative_slope", "slope"},
    {"alpha", "slope"},
    {"scale_factor", "factor"},
    {"size", "factor"},
};

#define FROM_BEFORE "it follows from the layer before"

static const char *const advice[][2] = {
    {"activation", "an activation is a layer of its own, such as {\"type\": \"relu\"}"},
    {"in_channels", FROM_BEFORE},
    {"in_features", FROM_BEFORE},
    {"input_shape", FROM_BEFORE},
    {"num_features", FROM_BEFORE},
    {"normalized_shape", FROM_BEFORE},
    {"num_channels", FROM_BEFORE},
    {"dropout", "dropout is a layer of its own"},
    {"data_format", "series are (length, channels)"},
    {"track_running_stats", "running statistics are always kept"},
};

enum { NAME = 40 };

/* In lower case and without underscores. */
static void plain(const char *name, char text[NAME]) {
    size_t used = 0;
    for (; *name && used + 1 < NAME; name++)
        if (*name != '_') text[used++] = (char)tolower((unsigned char)*name);
    text[used] = '\0';
}

static const char *candidate_named(const char *name, tl_candidate candidate, const void *context) {
    for (size_t i = 0; candidate(context, i); i++)
        if (strcmp(candidate(context, i), name) == 0) return candidate(context, i);
    return NULL;
}

const char *tl_synonym_layer(const char *type, tl_candidate candidate, const void *context) {
    char asked[NAME], there[NAME];
    plain(type, asked);
    for (size_t i = 0; candidate(context, i); i++) {
        plain(candidate(context, i), there);
        if (strcmp(there, asked) == 0) return candidate(context, i);
    }
    for (size_t i = 0; i < sizeof layers / sizeof *layers; i++)
        if (strcmp(layers[i][0], asked) == 0) return candidate_named(layers[i][1], candidate, context);
    return NULL;
}

const char *tl_synonym_key(const char *key, tl_candidate candidate, const void *context) {
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        const char *found = strcmp(keys[i][0], key) == 0 ? candidate_named(keys[i][1], candidate, context) : NULL;
        if (found) return found;
    }
    return NULL;
}

const char *tl_synonym_advice(const char *key) {
    for (size_t i = 0; i < sizeof advice / sizeof *advice; i++)
        if (strcmp(advice[i][0], key) == 0) return advice[i][1];
    return NULL;
}
