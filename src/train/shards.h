/* shards.h: a batch that is divided into shards, each a pass of its own. Gradients of shards are added in a binary tree, which the
 * ranks of an exchange share: what comes out depends on the number of shards, and not on the number of ranks. */
#ifndef TL_SHARDS_H
#define TL_SHARDS_H

#include "graph/graph.h"
#include "train/exchange.h"
#include "train/metrics.h"

enum { TL_MAX_SHARDS = 1024, TL_SHARD_LEVELS = 11 }; /* a power of two; 1 + its logarithm */

typedef struct tl_shards {
    size_t count;      /* a power of two; 1: the batch is not divided, and nothing below is used */
    size_t first, own; /* those of this rank: neighbours, a subtree */
    size_t batch;      /* series of a whole batch */
    const tl_exchange *exchange;
    size_t numbers;                  /* in a buffer: gradients, then changes of states */
    tl_real *leaf;                   /* (numbers) of the shard that has just been passed through */
    tl_real *level[TL_SHARD_LEVELS]; /* each (numbers): a sum of 2^level shards that waits for its neighbour */
    tl_real *held;                   /* (parameters) gradients of the batches before, where a step takes several */
    tl_real *states;                 /* (states) as they were before the batch */
    double *told;                    /* (count, what a shard tells of itself) */
    uint64_t passes;                 /* of the model before the batch */
    size_t samples;                  /* that its gradients held before the batch, and their weight */
    double weight;
} tl_shards;

/* Some of the series of a batch, from `first` up to, not including, `end`. */
typedef struct tl_places {
    size_t first, end;
} tl_places;

/* `count` shards of batches of `batch` series, over the ranks of the exchange. Fails where these numbers do not fit each other. */
tl_status tl_shards_prepare(tl_shards *self, const tl_model *model, size_t count, size_t batch, const tl_exchange *exchange,
                            tl_error *error);
void tl_shards_release(tl_shards *self);

/* The series of a shard in a batch of `size` series, which may be the last one of an epoch: its series are divided among as few
 * shards as have room for them, and the others are empty. */
tl_places tl_shard_places(const tl_shards *self, size_t size, size_t shard);

/* The series of all shards of this rank; of a batch that is not divided, all of them. */
tl_places tl_shards_own(const tl_shards *self, size_t size);

/* The fewest series that a shard of a batch of `size` series has, of those that have some. */
size_t tl_shards_smallest(const tl_shards *self, size_t size);

/* Around the shards of a batch: holds back what the model has accumulated before. */
void tl_shards_begin(tl_shards *self, tl_model *model);

/* Before the pass of a shard, which begins at that series of the batch. */
void tl_shard_begin(tl_shards *self, tl_model *model, size_t place);

/* After it, also without a pass where the shard is empty: takes its gradients, and what it tells of its `size` series. */
void tl_shard_end(tl_shards *self, tl_model *model, size_t shard, size_t size, const tl_tally *tally);

/* Adds the shards of all ranks: the model then has the gradients, states and counts of the whole batch; *sums: what its series tell
 * is added. A shard whose pass failed is the model's error on all ranks. */
void tl_shards_end(tl_shards *self, tl_model *model, tl_tally *sums);

#endif
