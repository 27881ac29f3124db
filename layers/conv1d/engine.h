/* engine.h: the ways to evaluate a convolution, one file each, behind one table.
 *
 * x: (batch, length, channels), weight: (kernel, channels, filters), bias: (filters), y and dy: (batch, out_length, filters).
 * Output t reads inputs t·stride + j·dilation - pad_left for j in 0 … kernel-1; those outside the series count as 0.
 * naive.c is the specification: every other engine gives its numbers up to rounding, and exactly on small integers.
 * Results do not depend on the number of workers: sums over the batch go by chunks that the shape alone fixes.
 */
#ifndef TL_ENGINE_H
#define TL_ENGINE_H

#include <tapline/conv1d.h>
#include <tapline/layer.h>

/* A convolution whose geometry has been checked. */
typedef struct tl_conv1d_shape {
    size_t batch, length, channels;
    size_t out_length, filters;
    size_t kernel, stride, dilation, pad_left;
    const size_t *counted; /* (batch) of a pass: how many rows of each sample count, of its output (backward_weights: of dy, which is 0
                              behind them); an engine may leave out the others, and what it writes there is undefined. NULL: all */
} tl_conv1d_shape;

typedef struct tl_conv1d_ops {
    const char *name;
    tl_engine engine;
    bool mixes_samples; /* how an output is rounded depends on the number of rows, and so on the other samples of its batch */
    /* Whether it can run a pass of this shape. */
    bool (*supports)(const tl_conv1d_shape *shape, tl_conv1d_pass pass);
    /* About what a pass takes on one thread, in multiply-adds at the processor's best, for TL_ENGINE_AUTO, which takes the engine
     * of the least; the weights of its terms were fitted to measurements (docs/performance.md). HUGE_VAL where it should not be
     * taken; NULL: never. */
    double (*cost)(const tl_conv1d_shape *shape, tl_conv1d_pass pass);
    /* Elements of scratch memory for batches up to shape->batch; contents undefined at each call, aligned to 64 bytes. */
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
} tl_conv1d_ops;

/* The name of the tl_engine of that number; NULL behind the last. */
const char *tl_engine_at(size_t index);

/* A convolution with the engine of each pass. */
typedef struct tl_conv1d_job {
    tl_conv1d_shape shape;
    const tl_conv1d_ops *engine[3]; /* by tl_conv1d_pass */
} tl_conv1d_job;

/* Checks the geometry and chooses the engines; fails naming the value that is out of range, or the engine that does not run it. The
 * weights of the convolution can be addressed, and a batch of its inputs and outputs. `predicts` is the pass that computes what a
 * model predicts: TL_ENGINE_AUTO chooses its engine by the shape of one sample, and takes none that mixes samples. */
tl_status tl_conv1d_prepare(const tl_conv1d_spec *spec, tl_conv1d_pass predicts, tl_conv1d_job *job, tl_error *error);

/* Elements of scratch memory for any pass of batches up to job->shape.batch. */
size_t tl_conv1d_scratch(const tl_conv1d_job *job, int workers);

/* Bytes of packed or transformed weights that stay in the second-level cache; larger ones come from beyond each time. */
enum { TL_CACHED_WEIGHTS = 1 << 20 };

/* For `cost`: packing or transforming an element takes so many times as long as usual where there are so many of them. */
double tl_conv1d_cache_penalty(double elements);

extern const tl_conv1d_ops tl_conv1d_naive;
extern const tl_conv1d_ops tl_conv1d_gemm;
extern const tl_conv1d_ops tl_conv1d_direct;
extern const tl_conv1d_ops tl_conv1d_winograd;

#endif
