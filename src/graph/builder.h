/* builder.h: shared by the builders of layers. */
#ifndef TL_BUILDER_H
#define TL_BUILDER_H

#include <tapline/model.h>

/* Takes the configuration of a builder (tl_take in base/argument.h); errors are stored in the model, which may be NULL. */
void tl_builder_cfg(tl_model *model, const char *layer, void *own, size_t own_size, const void *given, size_t size);

/* Returns the name of the tl_init with that number; NULL after the last one. */
const char *tl_init_at(size_t index);

#endif
