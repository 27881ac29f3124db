/* symmetric.h: eigenvalues and eigenvectors of symmetric matrices, in double. */
#ifndef TL_SYMMETRIC_H
#define TL_SYMMETRIC_H

#include <tapline/base.h>

/* a: (n, n) symmetric, row-major; afterwards row j is the eigenvector of value[j], of length 1. value: (n) [OUT] in ascending
 * order. By LAPACK's dsyevd where the BLAS brings it along, as OpenBLAS does, else by tl_symmetric_jacobi. Fails where memory is
 * short, where a is not finite, and for n above TL_SYMMETRIC_LIMIT, whose scratch LAPACK cannot count. */
enum { TL_SYMMETRIC_LIMIT = 32000 };
tl_status tl_symmetric_eigen(double *a, size_t n, double *value, tl_error *error);

/* The same by rotations, which take a few times as long (Golub & Van Loan, "Matrix computations", section 8.5). */
tl_status tl_symmetric_jacobi(double *a, size_t n, double *value, tl_error *error);

#endif
