/* engine.h: the engines, which compute convolutions; each is one file, and a table lists them.
 *
 * x: (batch, length, channels), weight: (kernel, channels, filters), bias: (filters), y and dy: (batch, out_length, filters).
 * Output t reads the inputs t·stride + j·dilation - pad_left for j in 0 … kernel - 1; inputs outside of the series count as 0.
 * naive.c is the specification: the results of every other engine are equal to its results up to rounding, and exactly on small
 * integers. Results do not depend on the number of workers: sums over the batch are computed in chunks that depend only on the
 * shape.
 */
#ifndef TL_ENGINE_H
#define TL_ENGINE_H

#include <tapline/conv1d.h>
#include <tapline/layer.h>

/* A convolution with checked geometry. */
typedef struct tl_conv1d_shape {
    size_t batch, length, channels;
    size_t out_length, filters;
    size_t kernel, stride, dilation, pad_left;
    const size_t
        *counted; /* (batch) for a pass: number of valid rows of each sample of its output (backward_weights: of dy, which is 0
                              after them). An engine may skip other rows; their contents are then undefined. NULL: all are valid */
    const tl_finish *finish; /* for forward and backward_input of an engine that `finishes`: what it does with the outputs (dx)
                                before it stores them; NULL: nothing */
} tl_conv1d_shape;

typedef struct tl_conv1d_ops {
    const char *name;
    tl_engine engine;
    bool mixes_samples; /* the rounding of an output depends on the number of rows, and so on the other samples of the batch */
    bool finishes;      /* forward and backward_input honour shape->finish; else the caller finishes the outputs */
    /* Returns whether it can compute a pass of this shape. */
    bool (*supports)(const tl_conv1d_shape *shape, tl_conv1d_pass pass);
    /* Returns the estimated time of a pass on one thread, in multiply-adds at the peak rate. TL_ENGINE_AUTO chooses the engine with
     * the lowest estimate; the factors were fitted to measurements (docs/performance.md). HUGE_VAL: do not choose it; NULL:
     * never. */
    double (*cost)(const tl_conv1d_shape *shape, tl_conv1d_pass pass);
    /* Returns the elements of temporary memory for batches up to shape->batch; its contents are undefined at each call; aligned to
     * 64 bytes. */
    size_t (*scratch)(const tl_conv1d_shape *shape, tl_conv1d_pass pass, int workers);
    /* bias may be NULL. */
    void (*forward)(const tl_conv1d_shape *shape, const tl_real *x, const tl_real *weight, const tl_real *bias, tl_real *y,
                    const tl_workers *workers, tl_real *scratch);
    /* Writes every element of dx. */
    void (*backward_input)(const tl_conv1d_shape *shape, const tl_real *dy, const tl_real *weight, tl_real *dx,
                           const tl_workers *workers, tl_real *scratch);
    /* Adds to dweight and dbias; dbias may be NULL. */
    void (*backward_weights)(const tl_conv1d_shape *shape, const tl_real *x, const tl_real *dy, tl_real *dweight, tl_real *dbias,
                             const tl_workers *workers, tl_real *scratch);
    /* Forward with weights that are packed once (all NULL: the engine does not pack). `packed` and `pack_scratch` return elements
     * for any batch and any instruction set. bias may be NULL. `run` has the bits of `forward`, then finishes the outputs; its
     * scratch is that of `forward`. */
    size_t (*packed)(const tl_conv1d_shape *shape);
    size_t (*pack_scratch)(const tl_conv1d_shape *shape);
    void (*pack)(const tl_conv1d_shape *shape, const tl_real *weight, const tl_real *bias, const tl_workers *workers,
                 tl_real *scratch, tl_real *packed);
    void (*run)(const tl_conv1d_shape *shape, const tl_real *x, const tl_real *packed, const tl_finish *finish, tl_real *y,
                const tl_workers *workers, tl_real *scratch);
    /* Returns how many steps after those of a sample that count must be 0 in x and dy, for batches of any size (SIZE_MAX: all). It
     * is a bound, at least that of tl_conv1d_reach. NULL: all. */
    size_t (*reads_behind)(const tl_conv1d_shape *shape, tl_conv1d_pass pass);
} tl_conv1d_ops;

/* Returns a bound for the steps of zeros after a sample, of x or dy, that the windows of its own outputs or inputs read. */
size_t tl_conv1d_reach(const tl_conv1d_shape *shape);

/* Returns the name of the tl_engine with that number; NULL after the last one. */
const char *tl_engine_at(size_t index);

/* A convolution with the engine of each pass. */
typedef struct tl_conv1d_job {
    tl_conv1d_shape shape;
    const tl_conv1d_ops *engine[3]; /* one for each tl_conv1d_pass */
} tl_conv1d_job;

/* Checks the geometry and chooses the engines. Fails if a value is out of range, if an engine cannot compute a pass, or if the
 * weights or a batch of inputs or outputs are more than memory can address. `predicts` is the pass that computes a model's
 * predictions: for it, TL_ENGINE_AUTO chooses the engine by the shape of one sample, and never one that mixes samples. */
tl_status tl_conv1d_prepare(const tl_conv1d_spec *spec, tl_conv1d_pass predicts, tl_conv1d_job *job, tl_error *error);

/* Returns the elements of temporary memory for any pass of batches up to job->shape.batch. */
size_t tl_conv1d_scratch(const tl_conv1d_job *job, int workers);

/* The batch whose cost decides where a choice must not depend on the batch. */
enum { TL_USUAL_BATCH = 16 };

/* Bytes of packed or transformed weights that stay in the second-level cache; larger ones are loaded from memory each time. */
enum { TL_CACHED_WEIGHTS = 1 << 20 };

/* For `cost`: returns the factor of the time of packing or transforming an element, if there are so many of them. */
double tl_conv1d_cache_penalty(double elements);

extern const tl_conv1d_ops tl_conv1d_naive;
extern const tl_conv1d_ops tl_conv1d_gemm;
extern const tl_conv1d_ops tl_conv1d_direct;
extern const tl_conv1d_ops tl_conv1d_winograd;

#endif
