/* gemm.h: the matrix product of the BLAS. gemm.c is the only file that names cblas. */
#ifndef TL_GEMM_H
#define TL_GEMM_H

#include <tapline/base.h>

enum { TL_GEMM_LIMIT = INT32_MAX }; /* of every size and leading dimension */

typedef enum tl_transpose { TL_PLAIN = 0, TL_TRANSPOSED } tl_transpose;

/* c = alpha · op(a) · op(b) + beta · c, row-major, on the calling thread.
 * op(a): (m, k), op(b): (k, n), c: (m, n); lda, ldb, ldc: elements from one stored row to the next. With beta 0, c is only written.
 */
void tl_gemm(tl_transpose transpose_a, tl_transpose transpose_b, size_t m, size_t n, size_t k, tl_real alpha, const tl_real *a,
             size_t lda, const tl_real *b, size_t ldb, tl_real beta, tl_real *c, size_t ldc);

/* Makes the BLAS compute on the thread that calls it, since threads here share samples or tiles, not one product. Called
 * before the first product of a model or plan. This is the BLAS's own process-wide setting; the library has none. */
void tl_gemm_prepare(void);

/* The processor that the BLAS has kernels for, such as "SkylakeX": its results differ in the last bits between them. "" where it
 * does not say. */
const char *tl_gemm_core(void);

/* The name and the version of the BLAS, such as "OpenBLAS 0.3.21"; "" where it does not say. */
void tl_gemm_version(char *text, size_t size);

#endif
