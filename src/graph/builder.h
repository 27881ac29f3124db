/* builder.h: what the builders of layers share. */
#ifndef TL_BUILDER_H
#define TL_BUILDER_H

#include <tapline/model.h>

/* Takes the configuration of a builder (tl_take in base/argument.h); what is wrong waits in the model, which may be NULL. */
void tl_builder_cfg(tl_model *model, const char *layer, void *own, size_t own_size, const void *given, size_t size);

/* The name of the tl_init of that number; NULL behind the last. */
const char *tl_init_at(size_t index);

#endif
