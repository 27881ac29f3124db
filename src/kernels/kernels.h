/* kernels.h: a table of the kernel functions for each instruction set. */
#ifndef TL_KERNELS_H
#define TL_KERNELS_H

#include <tapline/random.h>

/* Rows of a batch or group normalisation, y = (x - centre) · factor + term, and of the ReLU after it if `relu` is set. Members that
 * a loop does not use may be NULL. */
typedef struct tl_norm_rows {
    size_t rows, channels;
    bool relu;
    bool adds;                                              /* to the sums of other rows, which `first` and `second` hold */
    bool repeats;                                           /* norm_moments: x is one row, which counts `rows` times */
    const tl_real *x, *dy;                                  /* (rows, channels) */
    tl_real *out;                                           /* (rows, channels) may be x or dy */
    const tl_real *start;                                   /* (channels) of norm_moments */
    const tl_real *centre, *factor, *term, *slope, *offset; /* (channels) */
    tl_real *first, *second;                                /* [OUT] (channels) sums over the rows */
} tl_norm_rows;

/* Rows of a layer normalisation, y = (x - centre) · factor · scale + shift, with a centre and a factor for each row. */
typedef struct tl_layer_norm_rows {
    size_t rows, channels;
    tl_real epsilon;              /* factor = 1 / √(variance + epsilon) */
    const tl_real *x, *dy;        /* (rows, channels) */
    const tl_real *scale, *shift; /* (channels) */
    tl_real *out;                 /* (rows, channels) forward: y, may be x; backward: dx, may be dy, or NULL: not needed */
    tl_real *centre, *factor;     /* (rows) [OUT] of forward */
    tl_real *of_scale, *of_shift; /* backward: (channels) their gradients are added here */
} tl_layer_norm_rows;

/* Rows of a ReLU with a slope below 0 for each channel. */
typedef struct tl_prelu_rows {
    size_t rows, channels;
    const tl_real *x, *dy; /* (rows, channels) */
    const tl_real *slope;  /* (channels) */
    tl_real *out;          /* (rows, channels) forward: y, may be x; backward: dx, may be dy, or NULL: not needed */
    tl_real *sum;          /* backward [OUT]: (channels) the gradient of the slope */
} tl_prelu_rows;

/* Consecutive parameters in a step of an optimizer. */
typedef struct tl_step_run {
    tl_real *value;          /* (count) */
    const tl_real *gradient; /* (count) */
    size_t count;
    tl_real scale, decay, l1; /* the gradient of the step is gradient · scale + decay · value + l1 · sign(value) */
} tl_step_run;

/* The arrays and numbers of each optimizer, see optim/; arrays are (count). */
typedef struct tl_adam_run {
    tl_step_run run;
    tl_real *mean, *square;
    tl_real keep, beta1, beta2, rest1, rest2, rate, root, epsilon;
} tl_adam_run;

typedef struct tl_sgd_run {
    tl_step_run run;
    tl_real *velocity;
    tl_real momentum, of_gradient, of_velocity;
} tl_sgd_run;

typedef struct tl_rmsprop_run {
    tl_step_run run;
    tl_real *square, *velocity;
    tl_real alpha, rest, momentum, rate, epsilon;
} tl_rmsprop_run;

typedef struct tl_adagrad_run {
    tl_step_run run;
    tl_real *square;
    tl_real rate, epsilon;
} tl_adagrad_run;

typedef enum tl_activation {
    TL_ACTIVATION_RELU = 0,
    TL_ACTIVATION_LEAKY_RELU, /* a·x for x < 0 */
    TL_ACTIVATION_ELU,        /* b·x, for x < 0 b·a·(e^x - 1) */
    TL_ACTIVATION_SIGMOID,
    TL_ACTIVATION_HARD_SIGMOID,
    TL_ACTIVATION_TANH,
    TL_ACTIVATION_EXPONENTIAL,
    TL_ACTIVATION_SOFTPLUS,
    TL_ACTIVATION_SILU,
    TL_ACTIVATION_GELU,
    TL_ACTIVATION_GELU_TANH,
    TL_ACTIVATION_AFFINE /* a·x + b */
} tl_activation;

/* An activation of `count` elements, or its gradient. `to` may be `from` or dy. */
typedef struct tl_activation_run {
    tl_activation activation;
    tl_real a, b;
    const tl_real *from; /* x; backward: what the derivative is computed from: x for SILU and both GELU, otherwise y */
    const tl_real *dy;   /* backward */
    tl_real *to;         /* y; backward: dx */
    size_t count;
} tl_activation_run;

/* Multiplies `count` elements by random factors: 0 where the random number is below the threshold, else the scale. */
typedef struct tl_dropout_run {
    tl_rng rng; /* at the number of the first element, which begins a block */
    uint32_t threshold;
    tl_real scale;
    const tl_real *from;
    tl_real *to; /* may be `from` */
    size_t count;
} tl_dropout_run;

/* Windows over one sample: output t reads the inputs t·stride - pad_left … + taps - 1 that lie in the sample. */
typedef struct tl_pool_rows {
    size_t length, out_length, channels;
    size_t taps, stride, pad_left;
    const tl_real *x;  /* (length, channels) */
    tl_real *y;        /* (out_length, channels) */
    const tl_real *dy; /* (out_length, channels) */
    tl_real *dx;       /* (length, channels), all of it written */
    bool adds;         /* maximum: add to dx instead of overwriting it */
} tl_pool_rows;

typedef struct tl_pooling {
    void (*forward)(const tl_pool_rows *rows);  /* reads x, writes y */
    void (*backward)(const tl_pool_rows *rows); /* reads x (maximum) and dy, writes dx */
} tl_pooling;

/* A depthwise convolution of one sample: output t reads the inputs t·stride + j·dilation - pad_left that lie in the sample. Members
 * that a loop does not use may be NULL. */
typedef struct tl_depthwise_rows {
    size_t length, out_length, channels;
    size_t kernel, stride, dilation, pad_left;
    const tl_real *x;          /* (length, channels) */
    const tl_real *weight;     /* (kernel, channels) */
    const tl_real *bias;       /* (channels) or NULL */
    const tl_real *dy;         /* (out_length, channels) */
    tl_real *y, *dx, *dweight; /* [OUT] dweight is added to */
} tl_depthwise_rows;

/* Rows that will be read next: a product prefetches them, because memory is slow to answer. */
typedef struct tl_prefetch {
    const tl_real *at;
    size_t rows, stride, width; /* rows may be 0 */
} tl_prefetch;

/* What a kernel function does with its outputs before it stores them, in this order: see tl_finish in tapline/layer.h. */
enum { TL_FINISH_RELU = 1, TL_FINISH_ADD = 2, TL_FINISH_RELU_AFTER = 4, TL_FINISH_MASK = 8 };

/* A matrix product whose left factor is read in place: for rows r and outputs o < width,
 *     out[r][o] = start[o] + sum over i < runs, j < count of x[r·row_stride + i·run_stride + j·stride] · factor[i·count + j][o].
 * If start is NULL, the sum continues from the value in out. The additions have the order of i and j, for any tile. */
typedef struct tl_direct_product {
    const tl_real *x;
    size_t row_stride, runs, run_stride, count, stride;
    const tl_real *factor;   /* (runs · count, vectors · lanes) */
    size_t factor_stride;    /* distance of its rows in elements */
    size_t factor_skip;      /* additional distance after each `count` rows */
    const tl_real *start;    /* (vectors · lanes) or NULL */
    tl_real *out;            /* (rows, width) */
    size_t out_stride, rows; /* distance of its rows in elements; their number */
    size_t vectors;          /* 1 … direct_vectors */
    size_t width;            /* above (vectors - 1) · lanes, at most vectors · lanes */
    size_t rest;             /* of the lane reduction */
    unsigned finish;         /* a sum of TL_FINISH_…, without TL_FINISH_MASK; not with a lane reduction */
    const tl_real *added;    /* TL_FINISH_ADD: (rows, width), rows as far apart as those of `out` */
    tl_prefetch prefetch[2];
    size_t lead, trail; /* with one run: steps at its beginning in which the factor of the last vector is 0, and at its end in which
                           that of the first vector is 0: direct_product may leave them out */
} tl_direct_product;

/* The same as a lane reduction: lanes are elements of x, and an output is the sum of the lanes of a vector. For rows r and outputs
 * o < vectors,
 *     out[r][o] = start[o] + sum over i < runs, j < count and l < lanes of
 *                 x[r·row_stride + i·run_stride + j·stride + l] · factor[i·count + j][o·lanes + l].
 * With one run, `rest` < lanes further elements may follow, whose factors are another row. Each lane adds in the order of i and j;
 * then halves of the vector are added until one lane is left; start (NULL: 0) is added last. `width` is not used.
 */

/* One output of many rows, whose lanes are elements of x: out[r·out_stride] = sum over i < runs and e < count, at least lanes, of
 * x[r·row_stride + i·run_stride + e] times a factor. The factors of a run are ⌈count / lanes⌉ vectors, of which the last one ends
 * with element count - 1; it must be 0 for elements that the vector before it has too. */
typedef struct tl_single_product {
    const tl_real *x;
    size_t row_stride, runs, run_stride, count;
    const tl_real *factor;
    size_t factor_stride; /* from a run to the next one */
    tl_real *out;
    size_t out_stride, rows;
} tl_single_product;

/* The gradient of its factors: sum[e·sum_stride] += sum over i < runs and j < count of x[i·run_stride + j·stride + e] ·
 * dy[(i·count + j)·dy_stride], for e < width, at least lanes. */
typedef struct tl_single_gradient {
    const tl_real *x;
    size_t runs, run_stride, count, stride, width;
    const tl_real *dy;
    size_t dy_stride;
    tl_real *sum;
    size_t sum_stride;
} tl_single_gradient;

enum { TL_ROW_VECTORS = 8 }; /* maximum number of vectors of outputs of a row */

/* One row of tl_direct_product, with the same bits: out[o] = start[o] + the sum over i < runs, j < count of x[i·run_stride +
 * j·stride] · factor[i·count + j][o], followed by ReLU if `relu` is set. */
typedef struct tl_row_product {
    const tl_real *x;
    size_t runs, run_stride, count, stride;
    const tl_real *factor; /* (runs · count, width rounded up to whole vectors) */
    const tl_real *start;  /* (width, rounded up) */
    tl_real *out;          /* (width) */
    size_t width;          /* 1 … TL_ROW_VECTORS · lanes */
    bool relu;
} tl_row_product;

/* Rows of tl_direct_product that come one at a time, where each also reads inputs of earlier rows: a dilated convolution. The sum
 * of all taps but the newest is there already when a row comes. It adds the newest tap, and a part of the older ones for the next
 * group of rows: these parts take turns. The bits are those of tl_direct_product. */
enum { TL_TURN_ROWS = 4, TL_TURN_VECTORS = 2 }; /* maximum number of rows of a group, and of vectors of a row */

typedef struct tl_row_turns {
    size_t rows;           /* of a group, and turns: 2 or 4 */
    size_t count;          /* elements of the input in a turn: at most 2 · channels / rows */
    size_t channels;       /* elements of the newest tap, and from a row to the next */
    size_t width;          /* of a row, 1 … TL_TURN_VECTORS · lanes */
    const tl_real *start;  /* (width, rounded up to whole vectors) */
    size_t newest;         /* position of the newest tap in the input of a row */
    const tl_real *factor; /* (channels, width rounded up) of the newest tap */
    struct {
        size_t older;          /* position of the turn's part for the first row of the next group, in the input of this row */
        const tl_real *factor; /* (count, width rounded up) */
    } turn[TL_TURN_ROWS];
} tl_row_turns;

/* Computes the row of turn `turn` < 2 · rows, whose input begins at x. sums: (2 · rows, width rounded up to whole vectors) of the
 * rows of two groups, which alternate; where no part is added yet, `start`. out: (width) [OUT]. */
typedef void (*tl_row_turn)(const tl_row_turns *turns, size_t turn, const tl_real *x, tl_real *sums, tl_real *out, bool relu);

/* Copies rows of a block of columns to contiguous memory and adds them up: packed[r][o] = from[r·from_stride + o] for o < width;
 * packed[r][o] for o ≥ width is any finite number; sums[o] += sum over r of packed[r][o]. */
typedef struct tl_direct_packing {
    const tl_real *from;
    size_t from_stride, rows;
    tl_real *packed;       /* (rows, vectors · lanes) */
    tl_real *sums;         /* (vectors · lanes) */
    size_t vectors, width; /* as in tl_direct_product */
    bool apart;            /* rows 0, 4, 8 …, rows 1, 5, 9 … and so on are added up separately; else all in order */
} tl_direct_packing;

/* Tiles of a transform of Cook and Toom, see winograd.c: rows of `from` become rows of `to`; each element is computed from the
 * elements above and below it. `from` and `to` must not overlap. */
typedef struct tl_winograd_rows {
    const tl_real *from;
    size_t from_row, from_stride; /* distances in elements: of the rows of a tile, of tiles */
    tl_real *to;
    size_t to_row, to_stride;
    size_t tiles, width;  /* width of a row in elements */
    const tl_real *start; /* output only: (width, rounded up to whole vectors) initial value of each row of `to` */
    unsigned finish;      /* output only: a sum of TL_FINISH_… */
    const tl_real *added; /* TL_FINISH_ADD, TL_FINISH_MASK: in the order of `to` */
} tl_winograd_rows;

/* F(outputs, taps). */
typedef struct tl_winograd {
    size_t outputs, taps;
    size_t reach;                                           /* rows of the input of a tile: outputs + taps - 1 */
    size_t points;                                          /* `reach` of them, or more at two levels */
    size_t at_one;                                          /* the point at which a polynomial is the sum of its coefficients */
    void (*input)(const tl_winograd_rows *rows);            /* `reach` rows of x → points, Bᵀ */
    void (*weights)(const tl_winograd_rows *rows);          /* taps → points, G */
    void (*output)(const tl_winograd_rows *rows);           /* points → outputs, Aᵀ */
    void (*output_gradient)(const tl_winograd_rows *rows);  /* outputs → points, A */
    void (*weights_gradient)(const tl_winograd_rows *rows); /* points → taps, Gᵀ */
} tl_winograd;

typedef enum tl_winograd_variant {
    TL_WINOGRAD_4_3 = 0,
    TL_WINOGRAD_6_3,
    TL_WINOGRAD_4_4,
    TL_WINOGRAD_4_5,
    TL_WINOGRAD_8_8,   /* two parts of F(4, 4) */
    TL_WINOGRAD_12_12, /* three */
    TL_WINOGRAD_12_8   /* three parts of outputs, two of taps */
} tl_winograd_variant;

enum { TL_WINOGRAD_OUTPUTS = 12 }; /* maximum outputs of a tile */

/* Maximum number of outputs of a register tile, in any instruction set. */
enum { TL_MAX_TILE_WIDTH = 256 / (int)sizeof(tl_real) };

/* Convolutions of `lanes` series side by side, (steps, lanes): the sum of four terms, added to what `out` holds where `more` is
 * set. */
typedef struct tl_rocket_sum {
    const tl_real *term[4]; /* (count) */
    tl_real *out;           /* (count) */
    size_t count;           /* steps · lanes */
    bool more;
} tl_rocket_sum;

/* For each bias and lane: what the outputs above the bias are like. */
typedef struct tl_rocket_count {
    const tl_real *output; /* (steps, lanes) */
    size_t steps;
    const tl_real *bias; /* (biases) */
    size_t biases;
    const tl_real *outputs; /* (lanes) of which the share is taken */
    const tl_real *skipped; /* (lanes) of the first steps, those that do not count, for places */
    tl_real *pooled;        /* (biases, lanes) [OUT] of rocket_count the shares; of rocket_pool (4, biases, lanes) */
} tl_rocket_count;

/* A group of kernels with nine taps on `lanes` series side by side. */
enum { TL_HYDRA_KERNELS = 8 };
typedef struct tl_rocket_group {
    const tl_real *x; /* (steps + 8 · stride / lanes, lanes) */
    size_t stride;    /* elements from a tap to the next */
    size_t steps;
    const tl_real *weight;  /* (9, TL_HYDRA_KERNELS) */
    const tl_real *counted; /* (lanes) steps that count, the first ones */
    tl_real *counts;        /* (2, TL_HYDRA_KERNELS, lanes) [OUT] the sum of each kernel's outputs where they are the largest of the
                               group; how often its output is the smallest */
} tl_rocket_group;

typedef struct tl_kernels {
    const char *isa; /* "baseline", "avx2" or "avx512" */

    /* Runs `rounds` rounds of independent multiply-adds and returns the number of floating-point operations. *sink [OUT] keeps the
     * compiler from removing them. */
    double (*peak)(size_t rounds, tl_real *sink);

    void (*norm_moments)(const tl_norm_rows *rows); /* first, second: sums of x - start and of its square */
    void (*norm_apply)(const tl_norm_rows *rows);   /* out = y */
    void (*norm_gradient_sums)(
        const tl_norm_rows *rows); /* first, second: sums of d, the gradient after the ReLU, and of d · (x - centre) */
    void (*norm_gradient)(const tl_norm_rows *rows); /* out = factor · d + slope · (x - centre) + offset */

    void (*layer_norm)(const tl_layer_norm_rows *rows);          /* out = y, centre, factor */
    void (*layer_norm_gradient)(const tl_layer_norm_rows *rows); /* of_scale, of_shift, and out = dx */

    void (*prelu)(const tl_prelu_rows *rows);          /* out = y */
    void (*prelu_gradient)(const tl_prelu_rows *rows); /* sum, and out = dx */

    void (*activate)(const tl_activation_run *run);
    void (*activation_gradient)(const tl_activation_run *run);
    /* Softmax over the channels of each row; all arrays (rows, channels). y may be x, and dx may be dy. */
    void (*softmax)(const tl_real *x, tl_real *y, size_t rows, size_t channels);
    void (*softmax_gradient)(const tl_real *y, const tl_real *dy, tl_real *dx, size_t rows, size_t channels);

    void (*dropout)(const tl_dropout_run *run);

    void (*multiply)(const tl_real *a, const tl_real *b, tl_real *y, size_t count); /* y = a · b; y may be a or b */
    void (*add)(const tl_real *a, const tl_real *b, tl_real *y, size_t count);      /* y = a + b; y may be a or b */
    void (*add_relu)(const tl_real *a, const tl_real *b, tl_real *y, size_t count); /* y = max(a + b, 0) */
    const tl_pooling *max_pool, *average_pool;

    void (*sum_rows)(const tl_real *x, size_t rows, size_t width, tl_real *sum); /* sum: (width) += each row of x */
    void (*depthwise)(const tl_depthwise_rows *rows);                            /* y */
    void (*depthwise_input)(const tl_depthwise_rows *rows);                      /* dx, every element */
    void (*depthwise_weights)(const tl_depthwise_rows *rows);                    /* dweight */

    double (*squares)(const tl_real *x, size_t count); /* the sum of x² */
    void (*adam)(const tl_adam_run *run);
    void (*sgd)(const tl_sgd_run *run);
    void (*rmsprop)(const tl_rmsprop_run *run);
    void (*adagrad)(const tl_adagrad_run *run);

    size_t lanes;          /* tl_real in a vector */
    size_t direct_vectors; /* maximum number of vectors of a register tile */
    void (*direct_product)(const tl_direct_product *product);
    void (*direct_lane_reduction)(const tl_direct_product *product);
    void (*direct_single)(const tl_single_product *product);
    void (*direct_single_gradient)(const tl_single_gradient *gradient);
    void (*direct_pack)(const tl_direct_packing *packing);
    void (*row_product)(const tl_row_product *product);
    /* Returns a function for rows of that width and groups of so many rows. */
    tl_row_turn (*row_turn)(size_t width, size_t rows);

    const tl_winograd *winograd; /* one for each tl_winograd_variant */

    void (*rocket_sum)(const tl_rocket_sum *sum);
    void (*rocket_count)(const tl_rocket_count *run); /* the share of the outputs above each bias */
    /* The same; the mean of what is above, less the bias, 0 where nothing is; the mean of their places, -1 likewise; the length of
     * the longest run of them. */
    void (*rocket_pool)(const tl_rocket_count *run);
    void (*rocket_compete)(const tl_rocket_group *group);
} tl_kernels;

/* Returns the fastest table that this processor supports; the environment variable TAPLINE_ISA may name a slower one. Defined in
 * src/compute/cpu.c. */
const tl_kernels *tl_kernels_here(void);

/* Sizes that depend on the processor, not only on its instruction set. */
typedef struct tl_tuning {
    const char *name;
    size_t sum_rows;      /* rows of a weight gradient that are summed together: the weights are read once for each tile of it */
    double cache_penalty; /* factor of the time of packing an element if not everything fits in the second-level cache */
} tl_tuning;

enum { TL_TUNINGS = 2 };
extern const tl_tuning tl_tunings[TL_TUNINGS];

/* Returns the tuning for this processor, or the one that the environment variable TAPLINE_TUNING names. Defined in
 * src/compute/cpu.c. */
const tl_tuning *tl_tuning_here(void);

/* The table and the tuning of a model or plan: those of tl_kernels_here and tl_tuning_here when it was created. */
struct tl_workers;
const tl_kernels *tl_kernels_of(const struct tl_workers *workers);
const tl_tuning *tl_tuning_of(const struct tl_workers *workers);

extern const tl_kernels tl_kernels_baseline;
extern const tl_kernels tl_kernels_avx2;   /* x86-64 only */
extern const tl_kernels tl_kernels_avx512; /* x86-64 only */

#endif
