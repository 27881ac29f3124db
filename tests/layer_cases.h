/* layer_cases.h: every layer that has a gradient, with a random configuration, for tests of what holds for all of them. */
#ifndef LAYER_CASES_H
#define LAYER_CASES_H

#include "check.h"

typedef struct layer_case {
    const char *name;
    tl_node (*build)(tl_model *model, tl_node x, tl_rng *rng); /* with a random configuration */
    tl_node (*plain)(tl_model *model, tl_node x);              /* in its place, of a layer without one */
} layer_case;

/* `layer_case_count` of them; several may be of one kind of layer, whose name is then that of one of them. */
extern const layer_case layer_cases[];
extern const size_t layer_case_count;

/* The layer on x. */
tl_node layer_case_build(const layer_case *layer, tl_model *model, tl_node x, tl_rng *rng);

/* A random number from `least` to `most`. */
size_t between(tl_rng *rng, size_t minimum, size_t maximum);

#endif
