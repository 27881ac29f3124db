/* shards.h: a batch that is divided into shards. Each shard is one pass. Gradients of shards are added in a binary tree, whose
 * parts are computed by the ranks of an exchange: the result depends on the number of shards, but not on the number of ranks. */
#ifndef TL_SHARDS_H
#define TL_SHARDS_H

#include "graph/graph.h"
#include "graph/together.h"
#include "train/exchange.h"
#include "train/metrics.h"

enum { TL_MAX_SHARDS = 1024, TL_SHARD_LEVELS = 11 }; /* a power of two; 1 + its logarithm */

typedef struct tl_shards {
    size_t count;      /* a power of two; 1: the batch is not divided, and nothing below is used */
    size_t first, own; /* the consecutive shards of this rank: a subtree */
    size_t batch;      /* series of a whole batch */
    const tl_exchange *exchange;
    size_t numbers;                  /* elements of a buffer: gradients, then changes of states */
    tl_real *leaf;                   /* (numbers) of the last shard */
    tl_real *level[TL_SHARD_LEVELS]; /* each (numbers): a sum of 2^level shards that waits for its neighbour */
    tl_real *held;                   /* (parameters) gradients of earlier batches of the same optimizer step */
    tl_real *states;                 /* (states) before the batch */
    double *reports;                 /* (count, REPORT) the sums of each shard */
    uint64_t passes;                 /* of the model before the batch */
    size_t samples;                  /* number of samples in the gradients before the batch, and their weight */
    double weight;
    bool synchronised;    /* the passes of all shards run together, and batch norm computes with the whole batch */
    tl_together together; /* of the shards of this rank */
    tl_tally *tally;      /* (own) their sums */
} tl_shards;

/* Some of the series of a batch, from `first` up to, not including, `end`. */
typedef struct tl_places {
    size_t first, end;
} tl_places;

/* Prepares `count` shards of batches of `batch` series, divided among the ranks of the exchange. Fails if these numbers do not fit
 * each other. Release it in any case. */
tl_status tl_shards_prepare(tl_shards *self, const tl_model *model, size_t count, size_t batch, const tl_exchange *exchange,
                            tl_error *error);
void tl_shards_release(tl_shards *self);

/* Prepares passes in which batch norm is synchronised. Fails if there is no such layer that is trained, or only one shard. */
tl_status tl_shards_synchronise(tl_shards *self, tl_model *model, tl_error *error);

/* The series of a shard in a batch of `size` series. The last batch of an epoch may be smaller: it is then divided among as few
 * shards as have room for its series, and the others are empty. */
tl_places tl_shard_places(const tl_shards *self, size_t size, size_t shard);

/* The series of all shards of this rank; all series if the batch is not divided. */
tl_places tl_shards_own(const tl_shards *self, size_t size);

/* The minimum number of series in a shard that is not empty, for a batch of `size` series. */
size_t tl_shards_smallest(const tl_shards *self, size_t size);

/* Call it before the first shard of a batch: stores the gradients that the model has accumulated so far. */
void tl_shards_begin(tl_shards *self, tl_model *model);

/* Call it before the pass of a shard that begins at series `place` of the batch. */
void tl_shard_begin(tl_shards *self, tl_model *model, size_t place);

/* Call it after the pass, and for an empty shard without a pass: takes the gradients and sums of its `size` series. */
void tl_shard_end(tl_shards *self, tl_model *model, size_t shard, size_t size, const tl_tally *tally);

/* Adds the shards of all ranks: the model then has the gradients, states and counts of the whole batch. Adds the sums of its series
 * to *sums. If the pass of a shard failed, the model has an error on all ranks. */
void tl_shards_end(tl_shards *self, tl_model *model, tl_tally *sums);

#endif
