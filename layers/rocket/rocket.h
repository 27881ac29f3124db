/* rocket.h: declarations that the files of the layer rocket share. */
#ifndef TL_ROCKET_H
#define TL_ROCKET_H

#include <tapline/layer.h>

#include "kernels/kernels.h"

enum {
    TL_ROCKET_TAPS = 9,
    TL_ROCKET_KERNELS = 84,
    TL_ROCKET_MAX_DILATIONS = 32,
    TL_ROCKET_MAX_CHANNELS = 9,
    TL_ROCKET_MAX_LANES = 16
};

/* A dilation of all kernels. */
typedef struct tl_rocket_dilation {
    size_t step;
    size_t biases; /* of each kernel */
    size_t first;  /* index of the first bias of the first kernel, in its bank */
} tl_rocket_dilation;

/* All kernels at all dilations, on the series or on their differences. */
typedef struct tl_rocket_bank {
    bool differences; /* x[t + 1] - x[t] instead of x[t] */
    size_t dilations, biases;
    tl_rocket_dilation dilation[TL_ROCKET_MAX_DILATIONS];
    size_t first_bias; /* in the state */
    size_t first_pair; /* a pair: a kernel at a dilation */
} tl_rocket_bank;

typedef struct tl_rocket_layer {
    tl_layer base;
    tl_rocket_kind kind;
    int features;  /* 0: the published number */
    size_t length; /* of the series for which dilations are chosen; 0 before setup: that of the input */

    /* set by setup */
    unsigned char tap[TL_ROCKET_KERNELS][3]; /* the taps of weight 2; the other six have -1 */
    tl_rocket_bank bank[2];
    size_t banks, pairs, biases;
    size_t pooled;            /* features of each bias */
    size_t widest;            /* maximum number of biases of a pair */
    size_t reach;             /* largest dilation */
    size_t kept;              /* maximum number of series from which biases are drawn */
    size_t chosen;            /* maximum number of channels of a pair or group; 0: the input has one channel */
    size_t doublings, groups; /* kind hydra: number of dilations 1, 2, 4 …; groups at each, for series and for differences */
} tl_rocket_layer;

/* Indices of states. */
enum { TL_ROCKET_FITTED = 0, TL_ROCKET_BIAS /* kind hydra: weights */, TL_ROCKET_CHANNEL };

/* The functions of a kind. */
typedef struct tl_rocket_ops {
    const char *name;
    int features;    /* the published number */
    size_t shortest; /* minimum length of series */
    /* Sets the shape of the output and the number of sums of a preparation, and declares the states. */
    void (*plan)(tl_rocket_layer *self, tl_error *error);
    void (*accumulate)(const tl_rocket_layer *self,
                       const tl_pass *pass); /* adds a batch to pass->sums; the first sum is a number of series */
    void (*draw)(const tl_rocket_layer *self, const tl_pass *pass); /* computes the states from the sums */
    size_t (*scratch)(const tl_rocket_layer *self, int threads);
    double (*flops)(const tl_rocket_layer *self);
    void (*transform)(const tl_rocket_layer *self, const tl_pass *pass);
} tl_rocket_ops;

extern const tl_rocket_ops tl_rocket_mini_ops, tl_rocket_multi_ops, tl_rocket_hydra_ops;

/* plan.c, for kinds mini and multi. */
void tl_rocket_plan(tl_rocket_layer *self, tl_error *error);
void tl_rocket_keep(const tl_rocket_layer *self, const tl_pass *pass);
void tl_rocket_draw(const tl_rocket_layer *self, const tl_pass *pass);

/* Reads from the state which channels a pair or group adds up. Returns their number, at least 1. */
size_t tl_rocket_channels(const tl_rocket_layer *self, const tl_real *state, size_t pair, size_t channel[TL_ROCKET_MAX_CHANNELS]);

/* ---- series side by side ---- */

/* The data of a task, as arrays of (…, lanes). */
typedef struct tl_rocket_block {
    const tl_rocket_layer *layer;
    const tl_pass *pass;
    size_t lanes;
    size_t sample, samples; /* the first sample, and their number: at most `lanes` */
    bool differences;       /* of neighbouring steps instead of the series */
    size_t margin;          /* steps of zeros at both ends */
    size_t steps, row;      /* of the longest series; elements of a padded channel */
    tl_real *padded;        /* (channels, steps + 2 · margin) [OUT] */
    bool finite[TL_ROCKET_MAX_LANES];
} tl_rocket_block;

/* Fills in `padded` and `finite`. */
void tl_rocket_load(tl_rocket_block *block);

/* The length of the series of a lane; and its number of steps, which for differences is one less, but at least 1. */
size_t tl_rocket_length_of(const tl_rocket_block *block, size_t lane);
size_t tl_rocket_steps_of(const tl_rocket_block *block, size_t lane);

#endif
