/* regression.h: ridge regression of many targets on many features, with leave-one-out choice of the penalty; in double. */
#ifndef TL_REGRESSION_H
#define TL_REGRESSION_H

#include <tapline/base.h>

typedef struct tl_regression {
    /* given */
    size_t rows, features, targets;
    const tl_real *x;        /* (rows, features) */
    const double *y;         /* (rows, targets) */
    const double *penalties; /* (count) */
    size_t count;
    bool intercept, scale; /* whether there is one; whether features are scaled to deviation 1 */

    /* found */
    double *centre, *factor; /* (features) z = (x - centre) · factor; 0: a constant */
    double *mean;            /* (targets) of y */
    double *weight, *bias;   /* (features, targets) of x, (targets): y ≈ x · weight + bias */
    double *left_out;        /* (rows, targets) for each row, what the solution without it predicts */
    double penalty, error;   /* the penalty that was chosen, and its mean squared leave-one-out error */
    size_t constant;         /* features that are */
    double *value, *vector;  /* (m), (m, m) of the Gram matrix, m being the smaller of rows and features */
    double *projected;       /* (m, targets) */
} tl_regression;

/* Bytes that solving takes beside x and y. */
double tl_regression_memory(size_t rows, size_t features, size_t targets);

/* Release it in any case. */
tl_status tl_regression_solve(tl_regression *self, tl_error *error);
void tl_regression_release(tl_regression *self);

#endif
