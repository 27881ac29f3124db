#include "onnx/pattern.h"

#include <math.h>

enum { X = TL_PATTERN_X, S = TL_PATTERN_STEP, C = TL_PATTERN_CONSTANT }; /* steps and constants count from 0 */

#define ROOT_OF_2 1.4142135623730951
#define ROOT_OF_HALF 0.7071067811865476
#define ROOT_OF_2_OVER_PI 0.7978845608028654
#define SELU_ALPHA 1.6732632423543772848
#define SELU_SCALE 1.0507009873554804934

static const tl_pattern patterns[] = {
    /* The first step is subtracted, because the mean of numbers far from 0 has a rounding error. Differences are divided by their
     * mean absolute value, because squares of very small numbers are 0 and squares of very large ones infinite. */
    {.kind = TL_PATTERN_NORMALIZE,
     .step = {{"Slice", {X, C, C + 1, C + 2}},
              {"Sub", {X, S}},
              {"Abs", {S + 1}},
              {"GlobalAveragePool", {S + 2}},
              {"Greater", {S + 3, C + 3}},
              {"Where", {S + 4, S + 3, C + 4}},
              {"Div", {S + 1, S + 5}},
              {"GlobalAveragePool", {S + 6}},
              {"Sub", {S + 6, S + 7}},
              {"Mul", {S + 8, S + 8}},
              {"GlobalAveragePool", {S + 9}},
              {"Sqrt", {S + 10}},
              {"Greater", {S + 11, C + 3}},
              {"Where", {S + 12, S + 11, C + 4}},
              {"Div", {S + 8, S + 13}}},
     .constant = {{0, true}, {1, true}, {2, true}, {0, false}, {1, false}}},

    /* x · sigmoid(x) */
    {.kind = TL_PATTERN_SILU, .step = {{"Sigmoid", {X}}, {"Mul", {X, S}}}},

    /* x · (1 + erf(x / √2)) / 2, with factors in any order */
    {.kind = TL_PATTERN_GELU,
     .step = {{"Div", {X, C}}, {"Erf", {S}}, {"Add", {S + 1, C + 1}}, {"Mul", {X, S + 2}}, {"Mul", {S + 3, C + 2}}},
     .constant = {{ROOT_OF_2, false}, {1, false}, {0.5, false}}},
    {.kind = TL_PATTERN_GELU,
     .step = {{"Mul", {X, C}}, {"Erf", {S}}, {"Add", {S + 1, C + 1}}, {"Mul", {X, S + 2}}, {"Mul", {S + 3, C + 2}}},
     .constant = {{ROOT_OF_HALF, false}, {1, false}, {0.5, false}}},
    {.kind = TL_PATTERN_GELU,
     .step = {{"Div", {X, C}}, {"Erf", {S}}, {"Add", {S + 1, C + 1}}, {"Mul", {X, C + 2}}, {"Mul", {S + 3, S + 2}}},
     .constant = {{ROOT_OF_2, false}, {1, false}, {0.5, false}}},
    {.kind = TL_PATTERN_GELU,
     .step = {{"Mul", {X, C}}, {"Erf", {S}}, {"Add", {S + 1, C + 1}}, {"Mul", {X, C + 2}}, {"Mul", {S + 3, S + 2}}},
     .constant = {{ROOT_OF_HALF, false}, {1, false}, {0.5, false}}},
    {.kind = TL_PATTERN_GELU,
     .step = {{"Div", {X, C}}, {"Erf", {S}}, {"Add", {S + 1, C + 1}}, {"Mul", {S + 2, C + 2}}, {"Mul", {X, S + 3}}},
     .constant = {{ROOT_OF_2, false}, {1, false}, {0.5, false}}},
    {.kind = TL_PATTERN_GELU,
     .step = {{"Mul", {X, C}}, {"Erf", {S}}, {"Add", {S + 1, C + 1}}, {"Mul", {S + 2, C + 2}}, {"Mul", {X, S + 3}}},
     .constant = {{ROOT_OF_HALF, false}, {1, false}, {0.5, false}}},

    /* x · (1 + tanh(√(2/π) · (x + 0.044715 · x³))) / 2 */
    {.kind = TL_PATTERN_GELU_TANH,
     .step = {{"Mul", {X, X}},
              {"Mul", {X, S}},
              {"Mul", {S + 1, C}},
              {"Add", {X, S + 2}},
              {"Mul", {S + 3, C + 1}},
              {"Tanh", {S + 4}},
              {"Add", {S + 5, C + 2}},
              {"Mul", {X, S + 6}},
              {"Mul", {S + 7, C + 3}}},
     .constant = {{0.044715, false}, {ROOT_OF_2_OVER_PI, false}, {1, false}, {0.5, false}}},

    /* In double precision, because attributes have single precision. An ELU with alpha 1 has the sign of x. */
    {.kind = TL_PATTERN_HARD_SIGMOID,
     .step = {{"Mul", {X, C}}, {"Add", {S, C + 1}}, {"Clip", {S + 1, C + 2, C + 3}}},
     .constant = {{1.0 / 6, false}, {0.5, false}, {0, false}, {1, false}}},
    {.kind = TL_PATTERN_SELU,
     .step = {{"Elu", {X}}, {"PRelu", {S, C}}, {"Mul", {S + 1, C + 1}}},
     .constant = {{SELU_ALPHA, false}, {SELU_SCALE, false}}},
    {.kind = TL_PATTERN_LAYER_NORM,
     .step = {{"ReduceMean", {X}},
              {"Sub", {X, S}},
              {"Pow", {S + 1, C}},
              {"ReduceMean", {S + 2}},
              {"Add", {S + 3, C + 1}},
              {"Sqrt", {S + 4}},
              {"Div", {S + 1, S + 5}}},
     .constant = {{2, false}, {NAN, false}}},
    {.kind = TL_PATTERN_ELU, .step = {{"Elu", {X}}, {"PRelu", {S, C}}}, .constant = {{NAN, false}}},
};

const tl_pattern *tl_pattern_at(size_t index) { return index < sizeof patterns / sizeof *patterns ? &patterns[index] : NULL; }

const tl_pattern *tl_pattern_of(tl_pattern_kind kind) {
    const tl_pattern *pattern = patterns;
    while (pattern->kind != kind) pattern++;
    return pattern;
}

size_t tl_pattern_steps(const tl_pattern *pattern) {
    size_t count = 0;
    while (count < TL_PATTERN_STEPS && pattern->step[count].operator_type) count++;
    return count;
}
