/* replica.h: copies of a compiled model whose passes run beside its own, layer by layer. A replica reads the parameters of the
 * model and uses its temporary memory, but has its own activations, gradients, states and lengths. */
#ifndef TL_REPLICA_H
#define TL_REPLICA_H

#include "graph/graph.h"

/* Returns a replica of a model that was compiled for training; NULL if memory is short. The caller frees it, before the model. */
tl_model *tl_replica_new(const tl_model *model, tl_error *error);
void tl_replica_free(tl_model *self);

/* Copies everything that may have changed in the model, such as states and which layers are frozen; not its activations, gradients
 * and lengths. Call it before a pass. */
void tl_replica_refresh(tl_model *self, const tl_model *model);

/* The bytes of a replica. */
double tl_replica_memory(const tl_model *model);

#endif
