/* The product of two tensors, for users. */
#include "base/argument.h"
#include "compute/gemm.h"

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
    tl_gemm(TL_OPERAND_PLAIN, TL_OPERAND_PLAIN, a->shape[0], b->shape[1], a->shape[1], 1, a->data, a->shape[1], b->data,
            b->shape[1], 0, c->data, c->shape[1]);
    return TL_OK;
}
