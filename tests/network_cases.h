/* network_cases.h: every architecture, small, for tests of what holds for all of them. */
#ifndef NETWORK_CASES_H
#define NETWORK_CASES_H

#include "layer_cases.h"

typedef struct network_case {
    const char *name;
    tl_node (*build)(tl_model *model, tl_node x, size_t outputs);
    tl_shape shape; /* of series */
    bool rows;      /* series are numbers of rows, 0 … 4 */
} network_case;

/* `network_case_count` of them. */
extern const network_case network_cases[];
extern const size_t network_case_count;

/* A compiled model of the network up to `output`, for inference, with parameters and states as after a training: none is 0 or 1,
 * and variances are above 0. */
tl_model *network_compile(tl_model *model, tl_node output, tl_loss_kind loss);

/* The same of a case, with three outputs. */
tl_model *network_case_make(const network_case *network, tl_loss_kind loss);

/* The same of a row of layer_cases, with the configuration of that number, and the shape of series that goes with it. */
tl_model *layer_case_make(const layer_case *layer, uint32_t number);

/* Series for a model: (count, length, channels), to be freed with tl_tensor_free. */
tl_tensor network_series(const tl_model *model, size_t count, bool rows);

#endif
