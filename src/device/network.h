/* network.h: a network on its way into one file of C: planned as steps by steps.c, written layer by layer by layers.c, with
 * the helper functions of helpers.c, joined to a file by export.c.
 */
#ifndef TL_DEVICE_NETWORK_H
#define TL_DEVICE_NETWORK_H

#include <tapline/c_export.h>

#include "device/helpers.h"
#include "device/text.h"
#include "export/export.h"
#include "graph/arena.h"

/* Where numbers are that are not in the arena: the arrays of the caller, and, on a stream, the variables of a layer. */
enum {
    TL_C_CALLER_X = -1,
    TL_C_CALLER_Y = -2,
    TL_C_SCALED = -3,
    TL_C_TO = -4,
    TL_C_FROM = -5 /* of input 0; of input e: e less */
};

/* Numbers that a step reads or writes. */
typedef struct tl_c_value {
    int span;      /* of the arena, or one of those above */
    size_t offset; /* from the beginning of that */
} tl_c_value;

/* A layer that the file has code for. */
typedef struct tl_c_step {
    const tl_export_node *node;
    bool relu; /* with the ReLU behind it */
    tl_c_value x[TL_MAX_INPUTS], y;
    int scratch; /* the span of its scratch memory */
} tl_c_step;

typedef struct tl_c_network {
    tl_export net; /* with batch norm folded into the weights before it */
    const tl_c_export_cfg *cfg;
    tl_error *error;
    tl_c_step *step;
    size_t steps;
    tl_c_value input, output; /* behind the scaling of the series; before the scaling of the results */
    tl_span *span;
    size_t spans, arena; /* arena: numbers of all spans */

    tl_c_text constants, body;
    size_t constant_bytes; /* of the arrays of `constants` */
    tl_c_helpers helpers;

    bool quantized;      /* the arena is of integers of 8 bits, and so are the input and the output in it */
    bool streaming;      /* nodes are written for windows that lie in their input as they are, without padding */
    tl_c_text state;     /* of a stream: the variables that it keeps, and the function that resets them */
    size_t step_outputs; /* of a stream: how many outputs a step gives at most */
} tl_c_network;

/* Whether the series are scaled, so that the network does not read the caller's array. */
static inline bool tl_c_scales(const tl_c_network *network) {
    return network->net.scaling->kind == TL_NORMALIZE_SERIES || network->net.scaling->kind == TL_NORMALIZE_SET;
}

/* Plans the steps and where their numbers lie. Fails naming a layer that has no code in C. */
tl_status tl_c_plan(tl_c_network *network);

/* Adds code to the body that scales `rows` steps of x for the network, where it takes them scaled. */
void tl_c_write_scaling(tl_c_network *network, size_t rows);

/* Adds code that makes what tl_predict gives of `rows` outputs of the network, in y. */
void tl_c_write_results(tl_c_network *network, size_t rows);

/* Writes body and state of a stream, whose functions begin with `name`. Fails as tl_stream_new does. */
tl_status tl_c_write_stream(tl_c_network *network, const char *name);

/* The text of a place in memory. */
typedef struct tl_c_place {
    char text[48];
} tl_c_place;

/* A pointer to numbers, such as "arena + 320", and the one of index i, such as "arena[320 + i]". */
tl_c_place tl_c_place_of(const tl_c_network *network, tl_c_value value);
tl_c_place tl_c_element_of(const tl_c_network *network, tl_c_value value);

/* Adds `static const float NAME_SUFFIX[count] = {…};` to the constants. */
void tl_c_write_array(tl_c_network *network, const char *name, const char *suffix, const double *values, size_t count);

/* What a kind of layer has to say about C. */
typedef struct tl_c_layer {
    const tl_layer_ops *ops;
    void (*write)(tl_c_network *network, const tl_c_step *step); /* NULL: nothing is computed, its output is its input */
    size_t (*scratch)(const tl_export_node *node);               /* numbers (NULL: none) */
    size_t (*skipped)(const tl_export_node *node); /* without `write`: the numbers of the input before the output (NULL: none) */
    bool rectifies;                                /* takes over a ReLU behind it */
} tl_c_layer;

/* The row of a layer; NULL: there is no code for it. */
const tl_c_layer *tl_c_layer_of(const tl_layer *layer);

/* The row of a kind of layer in the library's own table. */
const tl_c_layer *tl_c_row_of(const tl_layer_ops *ops);

#endif
