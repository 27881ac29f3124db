/* layers.h: the layers of a network as JSON; layers_of is compiled once for each precision (commands.h). */
#ifndef CLI_LAYERS_H
#define CLI_LAYERS_H

#include "cli/commands.h"

#include <tapline/model.h>

#include <jansson.h>

/* Returns the layers that lead to the output, in the order of computation, without the input. Each is an object with `name`,
 * `type`, `inputs`, its settings, `length`, `channels`, `parameters`, `flops`, `activation_bytes`, and `receptive_field` (0: all
 * steps). NULL on failure. Free it with json_decref. */
json_t *IN_PRECISION(layers_of)(const tl_model *model, tl_error *error);

/* Return a text (of a layer without it "") and a count (0) of a layer. */
const char *layer_text(const json_t *layer, const char *key);
size_t layer_count(const json_t *layer, const char *key);

/* Writes "20 /2 d4 g8": the taps of a window; stride, dilation and groups if they are not 1. */
void layer_kernel(const json_t *layer, char *text, size_t size);

/* Writes "(150, 128)". */
void layer_shape(const json_t *layer, char *text, size_t size);

#endif
