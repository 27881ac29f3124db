/* kernels.h: the leaf loops that are compiled per instruction set, as one table for each. */
#ifndef TL_KERNELS_H
#define TL_KERNELS_H

#include <tapline/random.h>

/* A run of rows of a batch or group normalisation, y = (x - centre) · factor + term, and of the ReLU after it where `relu` is set.
 * What a loop does not name may be NULL. */
typedef struct tl_norm_rows {
    size_t rows, channels;
    bool relu;
    const tl_real *x, *dy;                                  /* (rows, channels) */
    tl_real *out;                                           /* (rows, channels), may be x or dy */
    const tl_real *centre, *factor, *term, *slope, *offset; /* (channels) */
    tl_real *first, *second;                                /* [OUT] (channels) sums over the rows */
} tl_norm_rows;

/* A run of rows that are each normalised by themselves, y = (x - centre) · factor · scale + shift with a centre and a factor for
 * each row. */
typedef struct tl_layer_norm_rows {
    size_t rows, channels;
    tl_real epsilon;              /* factor = 1 / √(variance + epsilon) */
    const tl_real *x, *dy;        /* (rows, channels) */
    const tl_real *scale, *shift; /* (channels) */
    tl_real *out;                 /* (rows, channels) y, may be x; backward: dx, may be dy, or NULL: nobody asks */
    tl_real *centre, *factor;     /* (rows) [OUT] of forward */
    tl_real *of_scale, *of_shift; /* backward: (channels) their gradients are added to */
} tl_layer_norm_rows;

/* A run of rows of a ReLU whose slope below 0 belongs to the channel. */
typedef struct tl_prelu_rows {
    size_t rows, channels;
    const tl_real *x, *dy; /* (rows, channels) */
    const tl_real *slope;  /* (channels) */
    tl_real *out;          /* (rows, channels) y, may be x; backward: dx, may be dy, or NULL: nobody asks */
    tl_real *sum;          /* [OUT] backward: (channels) the gradient of the slope */
} tl_prelu_rows;

/* A run of parameters that an optimizer steps. */
typedef struct tl_step_run {
    tl_real *value;          /* (count) */
    const tl_real *gradient; /* (count) */
    size_t count;
    tl_real scale, decay, l1; /* it steps along gradient · scale + decay · value + l1 · sign(value) */
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
    TL_ACTIVATION_LEAKY_RELU, /* a·x below 0 */
    TL_ACTIVATION_ELU,        /* b·x, below 0 b·a·(e^x - 1) */
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

/* An activation on `count` elements, or what it sends back. `to` may be `from` or dy. */
typedef struct tl_activation_run {
    tl_activation activation;
    tl_real a, b;
    const tl_real *from; /* x; backward: what its derivative is computed from, which is x for SILU and both GELU, otherwise y */
    const tl_real *dy;   /* backward */
    tl_real *to;         /* y; backward: dx */
    size_t count;
} tl_activation_run;

/* `count` elements times factors by random numbers: 0 where the number is below the threshold, else the scale. */
typedef struct tl_dropout_run {
    tl_rng rng; /* where the first element's number is the first of a block */
    uint32_t threshold;
    tl_real scale;
    const tl_real *from;
    tl_real *to; /* may be `from` */
    size_t count;
} tl_dropout_run;

/* Windows over one sample: output t sees inputs t·stride - pad_left … + taps - 1, those that there are. */
typedef struct tl_pool_rows {
    size_t length, out_length, channels;
    size_t taps, stride, pad_left;
    const tl_real *x;  /* (length, channels) */
    tl_real *y;        /* (out_length, channels) */
    const tl_real *dy; /* (out_length, channels) */
    tl_real *dx;       /* (length, channels), all of it written */
    bool adds;         /* maximum: dx is added to instead */
} tl_pool_rows;

typedef struct tl_pooling {
    void (*forward)(const tl_pool_rows *rows);  /* reads x, writes y */
    void (*backward)(const tl_pool_rows *rows); /* reads x (maximum) and dy, writes dx */
} tl_pooling;

/* A convolution of each channel by itself, on one sample: output t reads inputs t·stride + j·dilation - pad_left, those that there
 * are. What a loop does not name may be NULL. */
typedef struct tl_depthwise_rows {
    size_t length, out_length, channels;
    size_t kernel, stride, dilation, pad_left;
    const tl_real *x;          /* (length, channels) */
    const tl_real *weight;     /* (kernel, channels) */
    const tl_real *bias;       /* (channels) or NULL */
    const tl_real *dy;         /* (out_length, channels) */
    tl_real *y, *dx, *dweight; /* [OUT] dweight is added to */
} tl_depthwise_rows;

/* Rows that will be read next: a product asks for them on its way, since memory is slow to answer. */
typedef struct tl_prefetch {
    const tl_real *at;
    size_t rows, stride, width; /* rows may be 0 */
} tl_prefetch;

/* A matrix product whose left factor is read in place: for rows r and outputs o < width,
 * out[r][o] = start[o] + sum over i < runs, j < count of x[r·row_stride + i·run_stride + j·stride] · factor[i·count + j][o].
 * Without start the sum continues from what out holds. The additions go in the order of i and j, whatever the tile. */
typedef struct tl_direct_product {
    const tl_real *x;
    size_t row_stride, runs, run_stride, count, stride;
    const tl_real *factor;   /* (runs · count, vectors · lanes) */
    size_t factor_stride;    /* elements between its rows */
    size_t factor_skip;      /* and that many more after each `count` of them */
    const tl_real *start;    /* (vectors · lanes) or NULL */
    tl_real *out;            /* (rows, width) */
    size_t out_stride, rows; /* elements between its rows */
    size_t vectors;          /* 1 … direct_vectors */
    size_t width;            /* more than (vectors - 1) · lanes, at most vectors · lanes */
    size_t rest;             /* of dots */
    tl_prefetch prefetch[2];
} tl_direct_product;

/* The same with lanes that are elements of x, of whole vectors of which an output is the sum: for rows r and outputs o < vectors,
 * out[r][o] = start[o] + sum over i < runs, j < count and l < lanes of x[r·row_stride + i·run_stride + j·stride + l] ·
 * factor[i·count + j][o·lanes + l]. With one run, `rest` < lanes further elements may follow, whose factors are a row like the
 * others. Each lane adds in the order of i and j, then the halves of the vector are added, and so on, and start last: 0 where it is
 * NULL. `width` does not count.
 */

enum { TL_ROW_VECTORS = 8 }; /* of outputs that a row sums together */

/* One row of tl_direct_product, with the same bits: out[o] = start[o] + the sum over i < runs, j < count of
 * x[i·run_stride + j·stride] · factor[i·count + j][o], and its ReLU where `relu` is set. */
typedef struct tl_row_product {
    const tl_real *x;
    size_t runs, run_stride, count, stride;
    const tl_real *factor; /* (runs · count, width rounded up to whole vectors) */
    const tl_real *start;  /* (width, rounded up) */
    tl_real *out;          /* (width) */
    size_t width;          /* 1 … TL_ROW_VECTORS · lanes */
    bool relu;
} tl_row_product;

/* Rows of a block of columns side by side, and their sums: packed[r][o] = from[r·from_stride + o] for o < width, any finite numbers
 * that lie between the rows beyond it; sums[o] += sum over r of packed[r][o]. */
typedef struct tl_direct_packing {
    const tl_real *from;
    size_t from_stride, rows;
    tl_real *packed;       /* (rows, vectors · lanes) */
    tl_real *sums;         /* (vectors · lanes) */
    size_t vectors, width; /* as in tl_direct_product */
} tl_direct_packing;

/* Tiles of a transform of Cook and Toom, see winograd.c: rows of `from` become rows of `to`, each element with those above and
 * below it. `from` and `to` do not overlap. */
typedef struct tl_winograd_rows {
    const tl_real *from;
    size_t from_row, from_stride; /* elements between the rows of a tile, between tiles */
    tl_real *to;
    size_t to_row, to_stride;
    size_t tiles, width;  /* width: of a row */
    const tl_real *start; /* output only: (width, rounded up to whole vectors) what each row of `to` starts from */
} tl_winograd_rows;

/* F(outputs, taps). */
typedef struct tl_winograd {
    size_t outputs, taps, points;                           /* points = outputs + taps - 1 */
    void (*input)(const tl_winograd_rows *rows);            /* points rows of x → points, Bᵀ */
    void (*weights)(const tl_winograd_rows *rows);          /* taps → points, G */
    void (*output)(const tl_winograd_rows *rows);           /* points → outputs, Aᵀ */
    void (*output_gradient)(const tl_winograd_rows *rows);  /* outputs → points, A */
    void (*weights_gradient)(const tl_winograd_rows *rows); /* points → taps, Gᵀ */
} tl_winograd;

typedef enum tl_winograd_variant { TL_WINOGRAD_4_3 = 0, TL_WINOGRAD_6_3, TL_WINOGRAD_4_4, TL_WINOGRAD_4_5 } tl_winograd_variant;

/* Outputs that a register tile has at most, in any instruction set. */
enum { TL_MAX_TILE_WIDTH = 256 / (int)sizeof(tl_real) };

typedef struct tl_kernels {
    const char *isa; /* "baseline", "avx2" or "avx512" */

    /* Runs `rounds` rounds of independent multiply-adds and returns the floating-point operations done; *sink keeps the compiler
     * from dropping them. */
    double (*peak)(size_t rounds, tl_real *sink);

    void (*norm_moments)(const tl_norm_rows *rows);       /* first, second: of x - x[0], of its square */
    void (*norm_apply)(const tl_norm_rows *rows);         /* out = y */
    void (*norm_gradient_sums)(const tl_norm_rows *rows); /* first, second: of d, what the ReLU passes of dy; of d · (x - centre) */
    void (*norm_gradient)(const tl_norm_rows *rows);      /* out = factor · d + slope · (x - centre) + offset */

    void (*layer_norm)(const tl_layer_norm_rows *rows);          /* out = y, centre, factor */
    void (*layer_norm_gradient)(const tl_layer_norm_rows *rows); /* of_scale, of_shift, and out = dx */

    void (*prelu)(const tl_prelu_rows *rows);          /* out = y */
    void (*prelu_gradient)(const tl_prelu_rows *rows); /* sum, and out = dx */

    void (*activate)(const tl_activation_run *run);
    void (*activation_gradient)(const tl_activation_run *run);
    /* Over the channels of each row, all (rows, channels): y, which may be x; dx, which may be dy. */
    void (*softmax)(const tl_real *x, tl_real *y, size_t rows, size_t channels);
    void (*softmax_gradient)(const tl_real *y, const tl_real *dy, tl_real *dx, size_t rows, size_t channels);

    void (*dropout)(const tl_dropout_run *run);

    void (*multiply)(const tl_real *a, const tl_real *b, tl_real *y, size_t count); /* y = a · b; y may be a or b */
    void (*add)(const tl_real *a, const tl_real *b, tl_real *y, size_t count);      /* y = a + b; likewise */
    void (*add_relu)(const tl_real *a, const tl_real *b, tl_real *y, size_t count); /* y = max(a + b, 0) */
    const tl_pooling *max_pool, *average_pool;

    void (*sum_rows)(const tl_real *x, size_t rows, size_t width, tl_real *sum); /* sum (width) += each row of x */
    void (*depthwise)(const tl_depthwise_rows *rows);                            /* y */
    void (*depthwise_input)(const tl_depthwise_rows *rows);                      /* dx, all of it */
    void (*depthwise_weights)(const tl_depthwise_rows *rows);                    /* dweight */

    double (*squares)(const tl_real *x, size_t count); /* the sum of x² */
    void (*adam)(const tl_adam_run *run);
    void (*sgd)(const tl_sgd_run *run);
    void (*rmsprop)(const tl_rmsprop_run *run);
    void (*adagrad)(const tl_adagrad_run *run);

    size_t lanes;          /* tl_real in a vector */
    size_t direct_vectors; /* the most vectors in a register tile */
    void (*direct_product)(const tl_direct_product *product);
    void (*direct_lane_reduction)(const tl_direct_product *product);
    void (*direct_pack)(const tl_direct_packing *packing);
    void (*row_product)(const tl_row_product *product);

    const tl_winograd *winograd; /* by tl_winograd_variant */
} tl_kernels;

/* The fastest table that this processor runs; the environment variable TAPLINE_ISA may name a slower one. */
const tl_kernels *tl_kernels_here(void);

/* What processors of one instruction set differ in. */
typedef struct tl_tuning {
    const char *name;
    size_t sum_rows;      /* over which a gradient of weights is summed at a time: they are read once for each tile of it */
    double cache_penalty; /* packing an element takes so many times as long where the second-level cache has no room for all */
} tl_tuning;

enum { TL_TUNINGS = 2 };
extern const tl_tuning tl_tunings[TL_TUNINGS];

/* That of this processor, or the one that the environment variable TAPLINE_TUNING names. */
const tl_tuning *tl_tuning_here(void);

/* The table and the tuning of a model or plan: those of tl_kernels_here and tl_tuning_here when it was made. */
struct tl_workers;
const tl_kernels *tl_kernels_of(const struct tl_workers *workers);
const tl_tuning *tl_tuning_of(const struct tl_workers *workers);

extern const tl_kernels tl_kernels_baseline;
extern const tl_kernels tl_kernels_avx2;   /* x86-64 only */
extern const tl_kernels tl_kernels_avx512; /* x86-64 only */

#endif
