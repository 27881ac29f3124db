/* operators.h: functions that several files of operators use. */
#ifndef TL_ONNX_OPERATORS_H
#define TL_ONNX_OPERATORS_H

#include "onnx/import.h"

/* Returns the input with this index if it is the output of a layer and has no pending padding; else refuses and returns NULL. */
tl_import_value *tl_import_layer_input(tl_import *self, size_t index);

/* A list of integers, from an attribute; without the attribute, from a constant input, as in later operator sets. Returns its
 * length. Refuses the operation if the input is not constant. */
size_t tl_import_integers(tl_import *self, const char *name, size_t input, int64_t list[2 * TL_ONNX_RANK]);

/* Sets marked[axis] for each listed axis of a value with `rank` axes; negative ones count from the end. Refuses the operation if an
 * axis does not exist or is listed twice. */
bool tl_import_mark_axes(tl_import *self, const int64_t *list, size_t count, size_t rank, bool *marked);

/* Adds a layer with one input that does not change the shape; releases `settings`. */
bool tl_import_elementwise(tl_import *self, const tl_import_value *value, const char *type, json_t *settings);

/* Computes value · scale + shift; changes the layer before it if possible. */
bool tl_import_scale_all(tl_import *self, const tl_import_value *value, double scale, double shift);

/* The same with numbers for each channel: (channels), in tapline's order. NULL means scale 1 or shift 0. */
bool tl_import_scale_channels(tl_import *self, const tl_import_value *value, const double *scale, const double *shift);

/* Selects channels of the value, in this order. */
bool tl_import_select(tl_import *self, const tl_import_value *value, const size_t *channels, size_t count);

/* The tables of operators. */
extern const tl_import_operator tl_import_activations[], tl_import_arithmetic[], tl_import_windows[], tl_import_products[],
    tl_import_shapes[];

#endif
