#include "compute/gemm.h"

#include <cblas.h>
#include <stdio.h>
#include <string.h>

/* Exists and is declared only in OpenBLAS. Other BLAS have their own environment variables (docs/dependencies.md). */
// NOLINTBEGIN(readability-redundant-declaration)
extern void openblas_set_num_threads(int threads) __attribute__((weak));
extern int openblas_get_num_threads(void) __attribute__((weak));
extern char *openblas_get_corename(void) __attribute__((weak));
extern char *openblas_get_config(void) __attribute__((weak));
/* LAPACK, which OpenBLAS has too. The last two are the lengths of the first two texts. */
extern void dsyevd_(const char *job, const char *triangle, const int *n, double *a, const int *lda, double *value, double *work,
                    const int *doubles, int *whole, const int *integers, int *info, size_t, size_t) __attribute__((weak));
// NOLINTEND(readability-redundant-declaration)

void tl_gemm_prepare(void) {
    if (openblas_set_num_threads && openblas_get_num_threads && openblas_get_num_threads() != 1) openblas_set_num_threads(1);
}

const char *tl_gemm_core(void) { return openblas_get_corename ? openblas_get_corename() : ""; }

/* The settings of the BLAS follow after the first two words. */
void tl_gemm_version(char *text, size_t size) {
    const char *config = openblas_get_config ? openblas_get_config() : "", *space = strchr(config, ' ');
    const char *end = space ? strchr(space + 1, ' ') : NULL;
    snprintf(text, size, "%.*s", (int)(end ? (size_t)(end - config) : strlen(config)), config);
}

void tl_gemm(tl_operand operand_a, tl_operand operand_b, size_t m, size_t n, size_t k, tl_real alpha, const tl_real *a, size_t lda,
             const tl_real *b, size_t ldb, tl_real beta, tl_real *c, size_t ldc) {
#ifdef TAPLINE_F64
    cblas_dgemm
#else
    cblas_sgemm
#endif
        (CblasRowMajor, operand_a == TL_OPERAND_TRANSPOSED ? CblasTrans : CblasNoTrans,
         operand_b == TL_OPERAND_TRANSPOSED ? CblasTrans : CblasNoTrans, (int)m, (int)n, (int)k, alpha, a, (int)lda, b, (int)ldb,
         beta, c, (int)ldc);
}

void tl_gemm_double(tl_operand operand_a, tl_operand operand_b, size_t m, size_t n, size_t k, const double *a, size_t lda,
                    const double *b, size_t ldb, double beta, double *c, size_t ldc) {
    cblas_dgemm(CblasRowMajor, operand_a == TL_OPERAND_TRANSPOSED ? CblasTrans : CblasNoTrans,
                operand_b == TL_OPERAND_TRANSPOSED ? CblasTrans : CblasNoTrans, (int)m, (int)n, (int)k, 1, a, (int)lda, b, (int)ldb,
                beta, c, (int)ldc);
}

void tl_gram_double(size_t n, size_t k, const double *a, double *c) {
    cblas_dsyrk(CblasRowMajor, CblasLower, CblasTrans, (int)n, (int)k, 1, a, (int)n, 1, c, (int)n);
}

bool tl_lapack_eigen_there(void) { return dsyevd_ != NULL; }
size_t tl_lapack_eigen_doubles(size_t n) { return 1 + 6 * n + 2 * n * n; }
size_t tl_lapack_eigen_integers(size_t n) { return 3 + 5 * n; }

/* Rows are columns there: what is symmetric stays what it is, and columns of eigenvectors become rows. */
bool tl_lapack_eigen(double *a, size_t n, double *value, double *work, int *whole) {
    const int rows = (int)n, doubles = (int)tl_lapack_eigen_doubles(n), integers = (int)tl_lapack_eigen_integers(n);
    int info = 0;
    dsyevd_("V", "U", &rows, a, &rows, value, work, &doubles, whole, &integers, &info, 1, 1);
    return info == 0;
}
