/* import.h: an ONNX graph that is being read as a network.
 *
 * Operations are read in order. A value is a constant or the output of a layer, possibly after transposes, squeezes and reshapes;
 * `axes` gives the meaning of each of its axes. Layers are collected as entries of an architecture (tapline/architecture.h) with
 * their arrays, so that later operations can change them: an addition after a product becomes the bias of the dense layer. An
 * operation that cannot be read produces a refused value; this is an error only if the output depends on it.
 */
#ifndef TL_ONNX_IMPORT_H
#define TL_ONNX_IMPORT_H

#include <tapline/onnx.h>

#include "onnx/read.h"

#include <jansson.h>

enum { TL_IMPORT_ARRAYS = 4 };

/* The meaning of an axis of a value. */
enum {
    TL_AXIS_BATCH = 'N',
    TL_AXIS_CHANNELS = 'C',
    TL_AXIS_LENGTH = 'L',
    TL_AXIS_ONE = '1',     /* of size 1 */
    TL_AXIS_STEPS = 'B',   /* batch and length joined */
    TL_AXIS_REPEATS = 'R', /* repeats of each step, which the length already includes */
    TL_AXIS_GROUPS = 'G',
    TL_AXIS_WITHIN = 'W' /* groups of channels, and the steps of all channels of a group */
};

typedef enum tl_import_kind { TL_IMPORT_NOTHING = 0, TL_IMPORT_CONSTANT, TL_IMPORT_LAYER, TL_IMPORT_REFUSED } tl_import_kind;

typedef struct tl_import_value {
    tl_import_kind kind;
    const char *name;
    size_t maker;   /* the operation that produces it; SIZE_MAX: none */
    size_t readers; /* number of reads by operations and by the output of the graph */
    tl_onnx_constant constant;
    char reason[200]; /* TL_IMPORT_REFUSED */
    size_t culprit;   /* the operation that cannot be read */

    /* TL_IMPORT_LAYER */
    size_t layer; /* the layer whose output it is */
    char axes[TL_ONNX_RANK + 1];
    size_t length, channels;
    size_t flat_length; /* if above 0: channel c, step t of (channels / flat_length, flat_length) is channel c·flat_length + t */
    size_t pad_left, pad_right; /* steps that a Pad before a convolution adds */
    tl_padding_mode pad_mode;
    bool sole; /* only this value reads the layer */
} tl_import_value;

typedef struct tl_import_array {
    const char *name;
    size_t count;
    double *value;
} tl_import_array;

typedef struct tl_import_layer {
    json_t *entry; /* NULL: the input */
    size_t arrays;
    tl_import_array array[TL_IMPORT_ARRAYS];
    size_t input[TL_MAX_INPUTS], inputs;
    size_t length, channels; /* shape of its output */
} tl_import_layer;

typedef struct tl_import {
    tl_onnx_file *file;
    tl_import_value *value;
    size_t values;
    json_t *index; /* name → value */
    tl_import_layer *layer;
    size_t layers;
    size_t operation; /* the current one */
    char reason[200]; /* why it is refused; "": it is not refused */
    bool short_of_memory;
    tl_normalization normalize;
    const tl_onnx_constant *mean[2], *deviation;            /* of the series; the mean has two parts; NULL: none */
    const tl_onnx_constant *target_mean, *target_deviation; /* of the outputs */
} tl_import;

/* ---- inputs of operators ---- */

/* The value with this name; NULL if there is none. */
tl_import_value *tl_import_value_of(const tl_import *self, const char *name);

/* The value of an input of the current operation; NULL if it is omitted. */
tl_import_value *tl_import_input(tl_import *self, size_t index);

/* The constant of an input; NULL if it is omitted or not a constant. */
const tl_onnx_constant *tl_import_constant(tl_import *self, size_t index);

/* An attribute: an integer, a number, a text, a list of integers (returns its length; 0 if there is none). */
int64_t tl_import_int(const tl_import *self, const char *name, int64_t otherwise);
double tl_import_number(const tl_import *self, const char *name, double otherwise);
const char *tl_import_text(const tl_import *self, const char *name, const char *otherwise);
size_t tl_import_list(const tl_import *self, const char *name, int64_t list[2 * TL_ONNX_RANK]);

/* The shortest decimal number for a single-precision attribute: 0.001, not 0.0010000000474974513. */
double tl_import_decimal(float number);

/* Refuses the current operation for this reason. Returns false. */
bool tl_import_refuse(tl_import *self, const char *format, ...) TL_PRINTF(2, 3);

/* ---- results of operators ---- */

/* Adds a layer with these inputs. `settings` are the other members of its entry; the function releases it. Returns the number of
 * the layer; 0 if memory is short, or if its output is too large, which refuses the operation. Functions that set results check
 * both. */
size_t tl_import_add(tl_import *self, const char *type, const size_t *inputs, size_t count, json_t *settings, size_t length,
                     size_t channels);

/* Adds an array of zeros to a layer; NULL if memory is short or the layer is 0. */
double *tl_import_add_array(tl_import *self, size_t layer, const char *name, size_t count);

/* The same, but returns an existing array. */
double *tl_import_array_of(tl_import *self, size_t layer, const char *name);

/* Sets the result of the operation: the output of a layer with the axes of `like`, or `like` with other axes. */
bool tl_import_give_layer(tl_import *self, const tl_import_value *like, size_t layer);
bool tl_import_give_view(tl_import *self, const tl_import_value *value);
bool tl_import_give_constant(tl_import *self, const tl_onnx_constant *constant);

/* Whether a layer may still be changed: it has this type, and only the current operation reads it. */
bool tl_import_may_change(const tl_import *self, const tl_import_value *value, const char *type);

bool tl_import_is(const tl_import *self, size_t layer, const char *type);

/* ---- axes ---- */

/* The index of the axis of this kind. An axis of size 1 may be used as channels or steps if there is only one. Returns the rank of
 * the value if there is none. */
size_t tl_import_axis(const tl_import_value *value, char kind);

size_t tl_import_rank(const tl_import_value *value);

/* The index of channel c of tapline in ONNX's order of channels. */
size_t tl_import_channel(const tl_import_value *value, size_t channel);

/* ---- the operators ---- */

typedef struct tl_import_operator {
    const char *type;
    bool (*take)(tl_import *self);
} tl_import_operator;

/* The operator of this type; NULL if there is none. Its function sets the result of the current operation, or refuses it. */
const tl_import_operator *tl_import_operator_of(const char *type);

/* Swaps the first result of the current operation with the one of this index, so that it is the one that is set. */
void tl_import_turn_to(tl_import *self, size_t index);

/* Returns whether the current operation is the last one of a pattern. If so, sets its result; the values between are not used. */
bool tl_import_match(tl_import *self);

#endif
