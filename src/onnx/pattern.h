/* pattern.h: layers that ONNX has no operator for in operator set 17, as chains of operators. One table writes them and finds them
 * again; the rows behind the first of a kind are how other programs write the same. */
#ifndef TL_ONNX_PATTERN_H
#define TL_ONNX_PATTERN_H

#include <tapline/base.h>

enum { TL_PATTERN_STEPS = 16, TL_PATTERN_OPERANDS = 4, TL_PATTERN_CONSTANTS = 5 };

/* An operand of a step: what goes into the chain, what an earlier step gives, a constant. */
enum { TL_PATTERN_NONE = 0, TL_PATTERN_X = 1, TL_PATTERN_STEP = 100, TL_PATTERN_CONSTANT = TL_PATTERN_STEP + TL_PATTERN_STEPS };

typedef struct tl_pattern_step {
    const char *operator_type;
    int operand[TL_PATTERN_OPERANDS];
} tl_pattern_step;

typedef struct tl_pattern_constant {
    double value; /* NAN: any; it is a setting of the layer */
    bool whole;   /* INT64, of one element; else a scalar of the network's type */
} tl_pattern_constant;

typedef enum tl_pattern_kind {
    TL_PATTERN_NORMALIZE, /* each channel of each series to mean 0 and deviation 1, a constant one to 0 */
    TL_PATTERN_SILU,
    TL_PATTERN_GELU,
    TL_PATTERN_GELU_TANH,
    TL_PATTERN_HARD_SIGMOID, /* in double: attributes are single precision alone */
    TL_PATTERN_SELU,         /* in double */
    TL_PATTERN_ELU,          /* in double; its constant is alpha */
    TL_PATTERN_LAYER_NORM    /* before operator set 17, without factors and terms; its constant is epsilon; found alone */
} tl_pattern_kind;

/* The last step gives the result. */
typedef struct tl_pattern {
    tl_pattern_kind kind;
    tl_pattern_step step[TL_PATTERN_STEPS]; /* up to the first without an operator */
    tl_pattern_constant constant[TL_PATTERN_CONSTANTS];
} tl_pattern;

/* The pattern of that index, from 0; NULL behind the last. */
const tl_pattern *tl_pattern_at(size_t index);

/* The first of a kind, which is how it is written. */
const tl_pattern *tl_pattern_of(tl_pattern_kind kind);

/* How many steps there are. */
size_t tl_pattern_steps(const tl_pattern *pattern);

#endif
