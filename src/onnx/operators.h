/* operators.h: what the files of operators share. */
#ifndef TL_ONNX_OPERATORS_H
#define TL_ONNX_OPERATORS_H

#include "onnx/import.h"

/* The input of that index where it is what a layer gives, without padding that waits for a convolution; else refuses and returns
 * NULL. */
tl_import_value *tl_import_layer_input(tl_import *self, size_t index);

/* A layer of one input that keeps the shape; `settings` is released. */
bool tl_import_elementwise(tl_import *self, const tl_import_value *value, const char *type, json_t *settings);

/* value · scale + shift, by the layer itself where that can take it over. */
bool tl_import_scale_all(tl_import *self, const tl_import_value *value, double scale, double shift);

/* The same with numbers of each channel, (channels) in our order; either may be NULL: 1, 0. */
bool tl_import_scale_channels(tl_import *self, const tl_import_value *value, const double *scale, const double *shift);

/* Channels of the value, in this order. */
bool tl_import_select(tl_import *self, const tl_import_value *value, const size_t *channels, size_t count);

/* Operators, by what they are about. */
extern const tl_import_operator tl_import_activations[], tl_import_arithmetic[], tl_import_windows[], tl_import_products[],
    tl_import_shapes[];

#endif
