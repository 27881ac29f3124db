/* constant.h: constant tensors of an ONNX file, and operators on them. */
#ifndef TL_ONNX_CONSTANT_H
#define TL_ONNX_CONSTANT_H

#include <tapline/base.h>

enum { TL_ONNX_RANK = 6 };

/* Numbers in row-major order; rank 0: a scalar. In shapes, NAN is the unknown size of the batch. */
typedef struct tl_onnx_constant {
    size_t rank, shape[TL_ONNX_RANK];
    size_t count;
    bool whole;
    double *value;
} tl_onnx_constant;

/* The memory of constants. */
typedef struct tl_onnx_pool {
    void **block;
    size_t blocks, room;
} tl_onnx_pool;

void tl_onnx_pool_release(tl_onnx_pool *pool);

/* Allocates a constant of this shape without setting its elements. Returns false if memory is short or if it has more than `most`
 * elements. */
bool tl_onnx_constant_new(tl_onnx_pool *pool, size_t rank, const size_t *shape, size_t most, tl_onnx_constant *constant);

/* Computes an operator on constants. Returns false if the operator is unknown or its operands do not fit. `axes` are the
 * `axes_count` values of the attribute axis, axes or perm. */
typedef struct tl_onnx_fold {
    const char *type;
    const tl_onnx_constant *operand[5]; /* NULL: omitted */
    size_t operands;
    int64_t axes[TL_ONNX_RANK];
    size_t axes_count;
    bool keep;                      /* attribute keepdims */
    const tl_onnx_constant *filler; /* attribute value; NULL: none */
} tl_onnx_fold;
bool tl_onnx_fold_constants(tl_onnx_pool *pool, const tl_onnx_fold *fold, tl_onnx_constant *result);

/* Joins constants along an axis. */
bool tl_onnx_join_constants(tl_onnx_pool *pool, const tl_onnx_constant *const *parts, size_t count, int64_t axis,
                            tl_onnx_constant *result);

#endif
