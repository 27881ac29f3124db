/* import.h: an ONNX graph on its way into a network.
 *
 * The operations are gone through in their order. A value is a constant, or what a layer gives, seen through the transposes,
 * squeezes and reshapes between: `axes` says which of its axes is what. Layers are collected as the entries of an architecture
 * (tapline/architecture.h) with their arrays, so that later operations may still change them: an addition behind a product becomes
 * the bias of the dense layer. An operation that is not understood makes a value that is refused; that is an error only where the
 * output needs it.
 */
#ifndef TL_ONNX_IMPORT_H
#define TL_ONNX_IMPORT_H

#include <tapline/onnx.h>

#include "onnx/read.h"

#include <jansson.h>

enum { TL_IMPORT_ARRAYS = 4 };

/* What an axis of a value is. */
enum {
    TL_AXIS_BATCH = 'N',
    TL_AXIS_CHANNELS = 'C',
    TL_AXIS_LENGTH = 'L',
    TL_AXIS_ONE = '1',     /* of size 1 */
    TL_AXIS_STEPS = 'B',   /* batch and length in one */
    TL_AXIS_REPEATS = 'R', /* of each step, whose number has been taken into the length already */
    TL_AXIS_GROUPS = 'G',
    TL_AXIS_WITHIN = 'W' /* groups of channels, and the steps of all channels of a group */
};

typedef enum tl_import_kind { TL_IMPORT_NOTHING = 0, TL_IMPORT_CONSTANT, TL_IMPORT_LAYER, TL_IMPORT_REFUSED } tl_import_kind;

typedef struct tl_import_value {
    tl_import_kind kind;
    const char *name;
    size_t maker;   /* the operation that gives it; SIZE_MAX: none */
    size_t readers; /* operations that read it, each as often as it does, and the output of the graph */
    tl_onnx_constant constant;
    char reason[200]; /* TL_IMPORT_REFUSED */
    size_t culprit;   /* the operation that is to blame */

    /* TL_IMPORT_LAYER */
    size_t layer; /* whose output it is */
    char axes[TL_ONNX_RANK + 1];
    size_t length, channels;
    size_t flat_length; /* above 0: channel c, step t of (channels / flat_length, flat_length) is channel c·flat_length + t */
    size_t pad_left, pad_right; /* steps that an operation in front of a convolution adds */
    tl_padding_mode pad_mode;
    bool sole; /* nothing but this value reads the layer */
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
    size_t length, channels; /* of its output */
} tl_import_layer;

typedef struct tl_import {
    tl_onnx_file *file;
    tl_import_value *value;
    size_t values;
    json_t *index; /* name → value */
    tl_import_layer *layer;
    size_t layers;
    size_t operation; /* under way */
    char reason[200]; /* why it is refused; "": it is not */
    bool short_of_memory;
    tl_normalization normalize;
    const tl_onnx_constant *mean[2], *deviation;            /* of the series, in parts; NULL: none */
    const tl_onnx_constant *target_mean, *target_deviation; /* of the outputs */
} tl_import;

/* ---- what operators are given ---- */

/* The value of an input of the operation under way; NULL where it is left out. */
tl_import_value *tl_import_input(tl_import *self, size_t index);

/* The constant of an input; NULL where it is left out or no constant. */
const tl_onnx_constant *tl_import_constant(tl_import *self, size_t index);

/* An attribute: a whole number, a number, a text, a list of whole numbers (its length; 0 where there is none). */
int64_t tl_import_int(const tl_import *self, const char *name, int64_t otherwise);
double tl_import_number(const tl_import *self, const char *name, double otherwise);
const char *tl_import_text(const tl_import *self, const char *name, const char *otherwise);
size_t tl_import_list(const tl_import *self, const char *name, int64_t list[2 * TL_ONNX_RANK]);

/* The single-precision number of an attribute as a person would have written it: 0.001, not 0.0010000000474974513. */
double tl_import_decimal(float number);

/* Refuses the operation under way, saying why. Returns false. */
bool tl_import_refuse(tl_import *self, const char *format, ...) TL_PRINTF(2, 3);

/* ---- what they make ---- */

/* A layer with these inputs, `settings` being the members of its entry but for "type" and "inputs", to be released. Returns its
 * number; 0 where memory is short. */
size_t tl_import_add(tl_import *self, const char *type, const size_t *inputs, size_t count, json_t *settings, size_t length,
                     size_t channels);

/* An array of a layer, all 0; NULL where memory is short. */
double *tl_import_add_array(tl_import *self, size_t layer, const char *name, size_t count);

/* The same of one that may be there. */
double *tl_import_array_of(tl_import *self, size_t layer, const char *name);

/* The result of the operation: a layer's output whose axes are those of `like`; or `like` itself, seen otherwise. */
bool tl_import_give_layer(tl_import *self, const tl_import_value *like, size_t layer);
bool tl_import_give_view(tl_import *self, const tl_import_value *value);
bool tl_import_give_constant(tl_import *self, const tl_onnx_constant *constant);

/* Whether a layer may still be changed: it is of that type, and nothing but this operation reads it. */
bool tl_import_may_change(const tl_import *self, const tl_import_value *value, const char *type);

bool tl_import_is(const tl_import *self, size_t layer, const char *type);

/* ---- axes ---- */

/* The place of an axis of that kind; one of size 1 may stand for channels or steps of which there is one. rank of the value where
 * there is none. */
size_t tl_import_axis(const tl_import_value *value, char kind);

size_t tl_import_rank(const tl_import_value *value);

/* The index of a number of each channel, as ONNX orders channels, for channel c of ours. */
size_t tl_import_channel(const tl_import_value *value, size_t channel);

/* ---- the operators ---- */

typedef struct tl_import_operator {
    const char *type;
    bool (*take)(tl_import *self);
} tl_import_operator;

/* The operator of that type; NULL where there is none. Its function gives the result of the operation under way, or refuses it. */
const tl_import_operator *tl_import_operator_of(const char *type);

/* Of several results: makes `index` the one that is given next. */
void tl_import_turn_to(tl_import *self, size_t index);

/* Whether the operation under way is the last one of a pattern; then the result is given, and the intermediate values are nobody's.
 */
bool tl_import_match(tl_import *self);

#endif
