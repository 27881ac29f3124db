/* snapshot.h: saves the state of a model in memory and restores it. */
#ifndef TL_SNAPSHOT_H
#define TL_SNAPSHOT_H

#include <tapline/dataset.h>
#include <tapline/model.h>

typedef struct tl_snapshot {
    tl_real *values; /* parameters, states, moments */
    uint64_t steps, passes;
    double learning_rate;
    tl_scaling scaling, targets;
} tl_snapshot;

/* Copies everything that steps change, of a model that is compiled for training. */
tl_status tl_snapshot_take(tl_snapshot *self, tl_model *model, tl_error *error);

/* Restores it; accumulated gradients become zero. */
void tl_snapshot_restore(tl_snapshot *self, tl_model *model);

void tl_snapshot_release(tl_snapshot *self);

#endif
