/* synonym.h: names of layers and settings in other libraries, for suggestions. */
#ifndef TL_SYNONYM_H
#define TL_SYNONYM_H

#include <tapline/base.h>

/* Returns the name in tapline of a layer of Keras or PyTorch, such as "BatchNorm1d"; NULL if it is unknown. Case and underscores do
 * not matter. */
const char *tl_synonym_layer(const char *type, tl_candidate candidate, const void *context);

/* The same for a setting, such as "kernel_size", among the settings of a layer. */
const char *tl_synonym_key(const char *key, tl_candidate candidate, const void *context);

/* Returns why there is no such setting, as the end of a sentence; NULL if it is unknown. */
const char *tl_synonym_advice(const char *key);

#endif
