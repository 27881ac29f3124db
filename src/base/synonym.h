/* synonym.h: what other libraries call layers and their settings, for suggestions. */
#ifndef TL_SYNONYM_H
#define TL_SYNONYM_H

#include <tapline/base.h>

/* The name that a layer of Keras or PyTorch, such as "BatchNorm1d", has here; NULL where it is not known. Upper and lower case do
 * not matter, neither do underscores. */
const char *tl_synonym_layer(const char *type, tl_candidate candidate, const void *context);

/* The same for a setting, such as "kernel_size", among those that a layer has. */
const char *tl_synonym_key(const char *key, tl_candidate candidate, const void *context);

/* Why there is no such setting, as the end of a sentence; NULL where nothing is known of it. */
const char *tl_synonym_advice(const char *key);

#endif
