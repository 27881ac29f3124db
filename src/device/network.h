/* network.h: a network that is being written as one C file. steps.c plans its steps, layers.c and rocket.c write each layer,
 * values.c writes places in memory and constants, helpers.c adds the helper functions, and export.c joins the parts.
 */
#ifndef TL_DEVICE_NETWORK_H
#define TL_DEVICE_NETWORK_H

#include <tapline/c_export.h>

#include "device/helpers.h"
#include "device/text.h"
#include "export/export.h"
#include "graph/arena.h"

/* Places outside the arena: the arrays of the caller, and, on a stream, the variables of a layer. */
enum {
    TL_C_CALLER_X = -1,
    TL_C_CALLER_Y = -2,
    TL_C_SCALED = -3,
    TL_C_TO = -4,
    TL_C_FROM = -5 /* input 0; input e has the value TL_C_FROM - e */
};

/* The place of the values that a step reads or writes. */
typedef struct tl_c_value {
    int span;      /* a span of the arena, or one of the places above */
    size_t offset; /* from the start of the span */
} tl_c_value;

/* A layer with code in the file. */
typedef struct tl_c_step {
    const tl_export_node *node;
    bool relu; /* includes the ReLU after it */
    tl_c_value x[TL_MAX_INPUTS], y;
    int scratch; /* the span of its scratch memory */
} tl_c_step;

typedef struct tl_c_network {
    tl_export net; /* with batch norm folded into the weights before it */
    const tl_c_export_cfg *cfg;
    tl_error *error;
    tl_c_step *step;
    size_t steps;
    tl_c_value input, output; /* input after the scaling of the series; output before the scaling of the results */
    tl_span *span;
    size_t spans, arena; /* arena: values in all spans together */

    tl_c_text constants, body;
    size_t constant_bytes; /* bytes of the arrays in `constants` */
    tl_c_helpers helpers;

    bool quantized;      /* values are 8-bit integers */
    bool streaming;      /* the code of nodes reads complete windows, without padding */
    tl_c_text state;     /* only streams: the variables, and the function that resets them */
    size_t step_outputs; /* only streams: maximum number of outputs for one step */
} tl_c_network;

/* Whether the series are scaled; then the network does not read the caller's array. */
static inline bool tl_c_scales(const tl_c_network *network) {
    return network->net.scaling->kind == TL_NORMALIZE_SERIES || network->net.scaling->kind == TL_NORMALIZE_SET;
}

/* Plans the steps and the places of their values. Fails if a layer cannot be written as C; the message names the layer. */
tl_status tl_c_plan(tl_c_network *network);

/* Adds code to the body that scales `rows` steps of x, if the network reads scaled series. */
void tl_c_write_scaling(tl_c_network *network, size_t rows);

/* Adds code that converts `rows` outputs of the network to the results of tl_predict, in y. */
void tl_c_write_results(tl_c_network *network, size_t rows);

/* Writes the body and the state of a stream; `name` is the prefix of its functions. Fails if tl_stream_new fails. */
tl_status tl_c_write_stream(tl_c_network *network, const char *name);

/* A place in memory as text. */
typedef struct tl_c_place {
    char text[48];
} tl_c_place;

/* A pointer, such as "arena + 320", and the element with index i, such as "arena[320 + i]". */
tl_c_place tl_c_place_of(const tl_c_network *network, tl_c_value value);
tl_c_place tl_c_element_of(const tl_c_network *network, tl_c_value value);

/* Adds `static const float NAME_SUFFIX[count] = {…};` to the constants. */
void tl_c_write_array(tl_c_network *network, const char *name, const char *suffix, const double *values, size_t count);

/* Adds `static const TYPE NAME_SUFFIX[count] = {…};`. `at` returns the integer with an index; `bytes` is the size of one. */
void tl_c_write_integers(tl_c_network *network, const char *name, const char *suffix, const char *type, size_t bytes, size_t count,
                         int (*at)(const void *values, size_t index), const void *values);

/* How a kind of layer is written as C. */
typedef struct tl_c_layer {
    const tl_layer_ops *ops;
    void (*write)(tl_c_network *network, const tl_c_step *step); /* NULL: there is no code; the output is the input */
    size_t (*scratch)(const tl_export_node *node);               /* values of scratch memory (NULL: none) */
    size_t (*skipped)(
        const tl_export_node *node); /* only without `write`: values of the input before the first of the output (NULL: none) */
    bool rectifies;                  /* can include the ReLU after it */
} tl_c_layer;

/* The layer rocket (rocket.c): constants and calls, and the values of scratch memory. */
void tl_c_write_rocket(tl_c_network *network, const tl_c_step *step);
size_t tl_c_rocket_scratch(const tl_export_node *node);

/* The row of a layer; NULL: it cannot be written as C. */
const tl_c_layer *tl_c_layer_of(const tl_layer *layer);

/* The row of one of the library's own layers. */
const tl_c_layer *tl_c_row_of(const tl_layer_ops *ops);

#endif
