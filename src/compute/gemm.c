#include "compute/gemm.h"

#include "base/argument.h"

#include <cblas.h>
#include <stdio.h>
#include <string.h>

/* Exists and is declared only in OpenBLAS. Other BLAS have their own environment variables (docs/dependencies.md). */
// NOLINTBEGIN(readability-redundant-declaration)
extern void openblas_set_num_threads(int threads) __attribute__((weak));
extern int openblas_get_num_threads(void) __attribute__((weak));
extern char *openblas_get_corename(void) __attribute__((weak));
extern char *openblas_get_config(void) __attribute__((weak));
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

void tl_gemm(tl_transpose transpose_a, tl_transpose transpose_b, size_t m, size_t n, size_t k, tl_real alpha, const tl_real *a,
             size_t lda, const tl_real *b, size_t ldb, tl_real beta, tl_real *c, size_t ldc) {
#ifdef TAPLINE_F64
    cblas_dgemm
#else
    cblas_sgemm
#endif
        (CblasRowMajor, transpose_a == TL_TRANSPOSED ? CblasTrans : CblasNoTrans,
         transpose_b == TL_TRANSPOSED ? CblasTrans : CblasNoTrans, (int)m, (int)n, (int)k, alpha, a, (int)lda, b, (int)ldb, beta, c,
         (int)ldc);
}

static bool is_matrix(const tl_tensor *tensor) { return tensor && tensor->data && tensor->rank == 2; }

tl_status tl_tensor_matmul(const tl_tensor *a, const tl_tensor *b, tl_tensor *c, tl_error *error) {
    if (tl_failed(error)) return error->status;
    if (!is_matrix(a) || !is_matrix(b) || !is_matrix(c) || a->shape[1] != b->shape[0] || c->shape[0] != a->shape[0] ||
        c->shape[1] != b->shape[1]) {
        char left[TL_SHAPE_TEXT], right[TL_SHAPE_TEXT], product[TL_SHAPE_TEXT];
        return tl_fail(error, TL_ERROR_SHAPE, "matmul: %s · %s does not give %s", tl_tensor_text(a, left), tl_tensor_text(b, right),
                       tl_tensor_text(c, product));
    }
    if (a->shape[0] > TL_GEMM_LIMIT || a->shape[1] > TL_GEMM_LIMIT || b->shape[1] > TL_GEMM_LIMIT)
        return tl_fail(error, TL_ERROR_SHAPE, "matmul: a size exceeds the BLAS's limit of %d", TL_GEMM_LIMIT);
    tl_gemm(TL_PLAIN, TL_PLAIN, a->shape[0], b->shape[1], a->shape[1], 1, a->data, a->shape[1], b->data, b->shape[1], 0, c->data,
            c->shape[1]);
    return TL_OK;
}
