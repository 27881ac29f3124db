/* layer_cases.h: every layer with a gradient, with a random configuration, for tests of properties that all layers have. */
#ifndef LAYER_CASES_H
#define LAYER_CASES_H

#include "check.h"

typedef struct layer_case {
    const char *name;
    tl_node (*build)(tl_model *model, tl_node x, tl_rng *rng); /* with a random configuration */
    tl_node (*plain)(tl_model *model, tl_node x);              /* replaces a layer that has no configuration */
} layer_case;

/* `layer_case_count` entries; several may be of the same kind and have its name. */
extern const layer_case layer_cases[];
extern const size_t layer_case_count;

/* Adds the layer after x. */
tl_node layer_case_build(const layer_case *layer, tl_model *model, tl_node x, tl_rng *rng);

/* Returns a random number from `minimum` to `maximum`. */
size_t between(tl_rng *rng, size_t minimum, size_t maximum);

#endif
