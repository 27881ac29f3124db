/* regression.h: ridge regression of several targets, in double precision. The penalty is chosen by leave-one-out errors. */
#ifndef TL_REGRESSION_H
#define TL_REGRESSION_H

#include <tapline/base.h>

typedef struct tl_regression {
    /* set by the caller */
    size_t rows, features, targets;
    const tl_real *x;        /* (rows, features) */
    const double *y;         /* (rows, targets) */
    const double *penalties; /* (count) */
    size_t count;
    bool intercept, scale; /* add an intercept; scale features to standard deviation 1 */

    /* results */
    double *centre, *factor; /* (features) z = (x - centre) · factor; factor 0: a constant feature */
    double *mean;            /* (targets) of y */
    double *weight, *bias;   /* (features, targets) of x, (targets): y ≈ x · weight + bias */
    double *left_out;        /* (rows, targets) for each row, the prediction of the solution without it */
    double penalty, error;   /* the chosen penalty, and its mean squared leave-one-out error */
    size_t constant;         /* number of constant features */
    double *value,
        *vector; /* (m), (m, m) eigenvalues and eigenvectors (as rows) of the Gram matrix; m: the smaller of rows and features */
    double *projected; /* (m, targets) */
} tl_regression;

/* The bytes that tl_regression_solve allocates. */
double tl_regression_memory(size_t rows, size_t features, size_t targets);

/* Computes the results. Fails if memory is short or an element is not finite. Release the results in any case. */
tl_status tl_regression_solve(tl_regression *self, tl_error *error);
void tl_regression_release(tl_regression *self);

#endif
