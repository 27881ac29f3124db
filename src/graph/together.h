/* together.h: passes over the shards of a batch, layer by layer: each layer runs for all shards of this rank before the next one. A
 * layer that is synchronised, such as batch norm, then computes with sums over the shards of all ranks. These are added in a binary
 * tree over the shards, as gradients are: the result does not depend on the number of ranks. */
#ifndef TL_TOGETHER_H
#define TL_TOGETHER_H

#include <tapline/exchange.h>

#include "graph/graph.h"

/* How layers of a kind compute with the whole batch. Each function is called for all shards, in this order; an empty shard has a
 * pass of batch 0. What a function writes to `terms` is then added over all shards, and the next function finds the totals there.
 * pass->sums: (tl_layer.sums) the layer's own, kept from one function to the next. */
typedef struct tl_synchronised {
    const tl_layer_ops *kind;
    size_t (*terms)(const tl_layer *layer);                                       /* elements of `terms` */
    void (*sum)(const tl_layer *layer, const tl_pass *pass, double *terms);       /* forward */
    void (*deviate)(const tl_layer *layer, const tl_pass *pass, double *terms);   /* the same again, with these totals */
    void (*normalise)(const tl_layer *layer, const tl_pass *pass, double *terms); /* writes y; the sums are then those of the whole
                                                                                     batch, as `accumulate` of tl_preparation
                                                                                     computes them */
    void (*sum_gradients)(const tl_layer *layer, const tl_pass *pass, double *terms); /* backward; adds to pass->gradient */
    void (*propagate)(const tl_layer *layer, const tl_pass *pass, double *terms);     /* writes dx */
    void (*keep)(const tl_layer *layer, const tl_pass *pass);                         /* updates pass->state from the sums */
} tl_synchronised;

typedef struct tl_together {
    tl_model *model;
    const tl_exchange *exchange; /* NULL: one rank has all shards */
    const tl_synchronised *how;
    size_t count;    /* shards of this rank */
    tl_model **pass; /* (count) the model itself, then replicas; NULL: nothing is prepared */
    tl_tensor *x;    /* (count) the series of each shard; shape[0] is 0 in an empty one */
    bool *runs;      /* (count) the shard has series, and its pass did not fail */
    size_t most;     /* elements of the terms of a layer */
    double *terms;   /* (count, most) */
    double **sums;   /* (vertices) each (count, tl_layer.sums); NULL: the layer is not of this kind */
    double *numbers; /* memory of the sums */
} tl_together;

/* Returns whether the layer is one that is synchronised: of that kind, and not frozen. */
bool tl_is_synchronised(const tl_model *model, size_t id, const tl_synchronised *how);

/* Prepares passes of `count` shards, a power of two. Release it in any case. Fails if the model and its replicas need more memory
 * than model->max_memory. */
tl_status tl_together_prepare(tl_together *self, tl_model *model, size_t count, const tl_synchronised *how,
                              const tl_exchange *exchange, tl_error *error);
void tl_together_release(tl_together *self);

/* Call it before each batch. self->pass[i] may then be set up for its shard, with lengths and place. */
void tl_together_begin(tl_together *self);

/* Runs the series self->x forward, in TL_MODE_TRAINING or TL_MODE_INFERENCE. Synchronised layers use the statistics of the whole
 * batch in both; `only`: (vertices) which of them, NULL: all. A pass that fails has the error in its model; the others go on, since
 * other ranks wait for their sums. */
void tl_together_forward(tl_together *self, tl_mode mode, const bool *only);

/* Runs all passes backward, after tl_loss of each. */
void tl_together_backward(tl_together *self);

/* Updates the running statistics of the model from the sums of the last batch. */
void tl_together_keep(tl_together *self);

/* Copies the first error of a replica to the model, and what replicas found out about outputs that are not finite. */
void tl_together_report(tl_together *self);

#endif
