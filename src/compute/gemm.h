/* gemm.h: the matrix product: by the BLAS (gemm.c, the only file that calls cblas), or by tapline's own kernels in builds with
 * TAPLINE_BLAS=none (gemm_own.c). */
#ifndef TL_GEMM_H
#define TL_GEMM_H

#include <tapline/base.h>

enum { TL_GEMM_LIMIT = INT32_MAX }; /* limit of every size and leading dimension */

/* How a factor of a product is stored: as it is used, or transposed. */
typedef enum tl_operand { TL_OPERAND_PLAIN = 0, TL_OPERAND_TRANSPOSED } tl_operand;

/* c = alpha · op(a) · op(b) + beta · c, row-major, on the calling thread. op(a): (m, k), op(b): (k, n), c: (m, n). lda, ldb, ldc:
 * distance of stored rows in elements. With beta 0, c is not read.
 */
void tl_gemm(tl_operand operand_a, tl_operand operand_b, size_t m, size_t n, size_t k, tl_real alpha, const tl_real *a, size_t lda,
             const tl_real *b, size_t ldb, tl_real beta, tl_real *c, size_t ldc);

/* The same in double, in either build. */
void tl_gemm_double(tl_operand operand_a, tl_operand operand_b, size_t m, size_t n, size_t k, const double *a, size_t lda,
                    const double *b, size_t ldb, double beta, double *c, size_t ldc);

/* The lower triangle of c: (n, n) += aᵀ · a, a: (k, n). */
void tl_gram_double(size_t n, size_t k, const double *a, double *c);

/* LAPACK's eigenvalues of symmetric matrices, for tl_symmetric_eigen (symmetric.h): whether the BLAS has them; what they take in
 * scratch for (n, n), 0 where that is too large; and whether they were found. `a` becomes rows of eigenvectors. */
bool tl_lapack_eigen_there(void);
size_t tl_lapack_eigen_doubles(size_t n);
size_t tl_lapack_eigen_integers(size_t n);
bool tl_lapack_eigen(double *a, size_t n, double *value, double *work, int *whole);

/* Sets the BLAS to one thread, since threads here divide samples or tiles, not one product. Call it before the first product of a
 * model or plan. The setting belongs to the BLAS and is process-wide; tapline has none. */
void tl_gemm_prepare(void);

/* Returns the processor type of the BLAS kernels, such as "SkylakeX": results differ in the last bits between them. "" if the BLAS
 * does not say. */
const char *tl_gemm_core(void);

/* Writes name and version of the BLAS, such as "OpenBLAS 0.3.21"; "" if the BLAS does not say, "none" in builds without one. */
void tl_gemm_version(char *text, size_t size);

#endif
