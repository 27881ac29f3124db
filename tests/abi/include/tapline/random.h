/* tapline/random.h: random numbers from a counter (Philox4x32-10; Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2,
 * 3").
 *
 * A number is a pure function of (seed, stream, substream, step, position). There is no state to save, and the numbers do not
 * depend on the order of calls or on threads.
 */
#ifndef TAPLINE_RANDOM_H
#define TAPLINE_RANDOM_H

#include <tapline/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What the numbers are used for. Streams are independent of each other. */
typedef enum tl_rng_stream {
    TL_STREAM_INIT = 1, /* initial parameters; substream: the number of the parameter array */
    TL_STREAM_SHUFFLE,  /* the order of the samples; step: the epoch */
    TL_STREAM_DROPOUT,  /* masks; substream: the node, step: the forward pass */
    TL_STREAM_DATA,     /* generated data sets; substream: which part, step: the sample */
    TL_STREAM_SPLIT,    /* which samples are held out */
    TL_STREAM_AUGMENT,  /* random changes; substream: the place in the batch, step: the pass */
    TL_STREAM_MIXUP,    /* mixtures of series; step: the pass */
    TL_STREAM_FEATURES, /* what fixed features are drawn by; substream: the node, step: the draw */
    TL_STREAM_USER = 64 /* this number and above, up to 255, are free for your own use */
} tl_rng_stream;

/* A position in a stream. A copy of the struct keeps the position. Each thread uses its own. */
typedef struct tl_rng {
    uint32_t key[2];
    uint32_t counter[4]; /* block, stream and substream, step low, step high */
    uint32_t block[4];   /* the current block of four numbers */
    uint32_t used;       /* numbers of the block that were already returned */
} tl_rng;

/* Returns the beginning of a stream. `substream` must be below 2^24. A stream has 2^34 numbers before it repeats. */
TL_API tl_rng tl_rng_at(uint64_t seed, tl_rng_stream stream, uint32_t substream, uint64_t step);

/* Returns the next number: 32 uniform bits. */
TL_API uint32_t tl_rng_bits(tl_rng *rng);

/* Returns a uniform number in the open interval (0, 1), with 32 random bits. */
TL_API double tl_rng_uniform(tl_rng *rng);

/* Returns a standard normal number (Box–Muller; each takes two numbers of the stream). */
TL_API double tl_rng_normal(tl_rng *rng);

/* Returns a uniform number in 0 … limit - 1, without bias; `limit` must be at least 1. */
TL_API uint32_t tl_rng_below(tl_rng *rng, uint32_t limit);

/* Fills order: (count) [OUT] with a random permutation of 0 … count - 1 (Fisher–Yates). */
TL_API void tl_rng_permutation(tl_rng *rng, uint32_t *order, size_t count);

/* The generator itself: ten rounds; out: (4) [OUT]. */
TL_API void tl_philox4x32(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4]);

#ifdef __cplusplus
}
#endif
#endif
