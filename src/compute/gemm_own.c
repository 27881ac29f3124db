/* The matrix product of builds without BLAS (TAPLINE_BLAS=none), with the kernels of the direct engine.
 *
 * A panel of op(b), DEPTH rows of one block of columns, is copied to contiguous memory. The kernel then multiplies all rows of
 * op(a), which it reads in place, by this panel. The order of the sums of c depends only on k. */
#include "compute/gemm.h"

#include "base/math.h"
#include "base/memory.h"
#include "compute/product.h"
#include "compute/transpose.h"

#include <stdio.h>
#include <string.h>

enum { DEPTH = 128 }; /* rows of a panel, which is at most 32 KiB: it stays in the first or second level of cache */

void tl_gemm_prepare(void) {}

const char *tl_gemm_core(void) { return ""; }

void tl_gemm_version(char *text, size_t size) { snprintf(text, size, "none"); }

/* Copies a panel of alpha · op(b): rows first … first + count - 1 of the columns of a block, followed by zeros. */
static void pack(const tl_direct_block *block, tl_operand operand, const tl_real *b, size_t ldb, size_t first, size_t count,
                 tl_real alpha, tl_real *panel) {
    if (block->width < block->lanes) memset(panel, 0, count * block->lanes * sizeof *panel);
    if (operand == TL_OPERAND_TRANSPOSED)
        tl_transpose(b + block->first * ldb + first, ldb, block->width, count, panel, block->lanes);
    else
        for (size_t i = 0; i < count; i++)
            memcpy(panel + i * block->lanes, b + (first + i) * ldb + block->first, block->width * sizeof *panel);
    for (size_t i = 0; alpha != 1 && i < count * block->lanes; i++) panel[i] *= alpha;
}

static void scale(tl_real beta, tl_real *c, size_t rows, size_t columns, size_t ldc) {
    for (size_t i = 0; i < rows; i++)
        for (size_t j = 0; j < columns; j++) c[i * ldc + j] = beta == 0 ? 0 : beta * c[i * ldc + j];
}

void tl_gemm(tl_operand operand_a, tl_operand operand_b, size_t m, size_t n, size_t k, tl_real alpha, const tl_real *a, size_t lda,
             const tl_real *b, size_t ldb, tl_real beta, tl_real *c, size_t ldc) {
    _Alignas(TL_ALIGNMENT) tl_real panel[DEPTH * TL_MAX_TILE_WIDTH];
    const tl_kernels *kernels = tl_kernels_here();
    const size_t row_stride = operand_a == TL_OPERAND_TRANSPOSED ? 1 : lda, stride = operand_a == TL_OPERAND_TRANSPOSED ? lda : 1;
    if (beta != 1) scale(beta, c, m, n, ldc);
    for (size_t i = 0; i < tl_direct_blocks(kernels, n); i++) {
        const tl_direct_block block = tl_direct_block_at(kernels, n, i);
        for (size_t first = 0, count; first < k; first += count) {
            count = tl_min(DEPTH, k - first);
            pack(&block, operand_b, b, ldb, first, count, alpha, panel);
            kernels->direct_product(&(tl_direct_product){.x = a + first * stride,
                                                         .row_stride = row_stride,
                                                         .runs = 1,
                                                         .count = count,
                                                         .stride = stride,
                                                         .factor = panel,
                                                         .factor_stride = block.lanes,
                                                         .out = c + block.first,
                                                         .out_stride = ldc,
                                                         .rows = m,
                                                         .vectors = block.vectors,
                                                         .width = block.width});
        }
    }
}

/* ---- in double, for ridge regression ---- */

static double element(tl_operand operand, const double *a, size_t lda, size_t row, size_t column) {
    return operand == TL_OPERAND_TRANSPOSED ? a[column * lda + row] : a[row * lda + column];
}

void tl_gemm_double(tl_operand operand_a, tl_operand operand_b, size_t m, size_t n, size_t k, const double *a, size_t lda,
                    const double *b, size_t ldb, double beta, double *c, size_t ldc) {
    for (size_t i = 0; i < m; i++) {
        for (size_t j = 0; j < n; j++) c[i * ldc + j] = beta == 0 ? 0 : beta * c[i * ldc + j];
        for (size_t l = 0; l < k; l++) {
            const double factor = element(operand_a, a, lda, i, l);
            for (size_t j = 0; j < n; j++) c[i * ldc + j] += factor * element(operand_b, b, ldb, l, j);
        }
    }
}

void tl_gram_double(size_t n, size_t k, const double *a, double *c) {
    for (size_t l = 0; l < k; l++)
        for (size_t i = 0; i < n; i++)
            for (size_t j = 0; j <= i; j++) c[i * n + j] += a[l * n + i] * a[l * n + j];
}

bool tl_lapack_eigen_there(void) { return false; }
size_t tl_lapack_eigen_doubles(size_t n) { return n; }
size_t tl_lapack_eigen_integers(size_t n) { return n; }

bool tl_lapack_eigen(double *a, size_t n, double *value, double *work, int *whole) {
    (void)a;
    (void)n;
    (void)value;
    (void)work;
    (void)whole;
    return false;
}
