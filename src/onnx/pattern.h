/* pattern.h: layers without an operator in operator set 17, as chains of operators. One table is used for export and import. The
 * first row of a kind is written; further rows are the forms of other programs. */
#ifndef TL_ONNX_PATTERN_H
#define TL_ONNX_PATTERN_H

#include <tapline/base.h>

enum { TL_PATTERN_STEPS = 16, TL_PATTERN_OPERANDS = 4, TL_PATTERN_CONSTANTS = 5 };

/* An operand of a step: the input of the chain, the result of an earlier step, or a constant. */
enum { TL_PATTERN_NONE = 0, TL_PATTERN_X = 1, TL_PATTERN_STEP = 100, TL_PATTERN_CONSTANT = TL_PATTERN_STEP + TL_PATTERN_STEPS };

typedef struct tl_pattern_step {
    const char *operator_type;
    int operand[TL_PATTERN_OPERANDS];
} tl_pattern_step;

typedef struct tl_pattern_constant {
    double value; /* NAN: any value; it is a setting of the layer */
    bool whole;   /* INT64, of one element; else a scalar of the network's type */
} tl_pattern_constant;

typedef enum tl_pattern_kind {
    TL_PATTERN_NORMALIZE, /* scales each channel of each series to mean 0 and deviation 1; a constant channel to 0 */
    TL_PATTERN_SILU,
    TL_PATTERN_GELU,
    TL_PATTERN_GELU_TANH,
    TL_PATTERN_HARD_SIGMOID, /* in double precision, because attributes have single precision */
    TL_PATTERN_SELU,         /* in double */
    TL_PATTERN_ELU,          /* in double precision; its constant is alpha */
    TL_PATTERN_LAYER_NORM    /* before operator set 17, without scale and shift; its constant is epsilon; only for import */
} tl_pattern_kind;

/* The last step computes the result. */
typedef struct tl_pattern {
    tl_pattern_kind kind;
    tl_pattern_step step[TL_PATTERN_STEPS]; /* ends before the first without an operator */
    tl_pattern_constant constant[TL_PATTERN_CONSTANTS];
} tl_pattern;

/* The pattern with this index, from 0; NULL after the last. */
const tl_pattern *tl_pattern_at(size_t index);

/* The first pattern of a kind, which is used for export. */
const tl_pattern *tl_pattern_of(tl_pattern_kind kind);

/* Number of steps. */
size_t tl_pattern_steps(const tl_pattern *pattern);

#endif
