/* constant.h: tensors that an ONNX file holds, and what operators make of them. */
#ifndef TL_ONNX_CONSTANT_H
#define TL_ONNX_CONSTANT_H

#include <tapline/base.h>

enum { TL_ONNX_RANK = 6 };

/* Numbers, row-major; rank 0: one number. In lists that are shapes, NAN is the size of the batch, which is not known. */
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

/* Room for a constant of that shape, not set; false where memory is short, or there would be more than `most` elements. */
bool tl_onnx_constant_new(tl_onnx_pool *pool, size_t rank, const size_t *shape, size_t most, tl_onnx_constant *constant);

/* What an operator makes of constants: false where it is none of those that are known here, or they do not fit. `axes` is what the
 * attributes axis, axes or perm say, `axes_count` how many there are. */
typedef struct tl_onnx_fold {
    const char *type;
    const tl_onnx_constant *operand[5]; /* NULL: left out */
    size_t operands;
    int64_t axes[TL_ONNX_RANK];
    size_t axes_count;
    bool keep;                      /* attribute keepdims */
    const tl_onnx_constant *filler; /* attribute value; NULL: none */
} tl_onnx_fold;
bool tl_onnx_fold_constants(tl_onnx_pool *pool, const tl_onnx_fold *fold, tl_onnx_constant *result);

/* The constants side by side along an axis. */
bool tl_onnx_join_constants(tl_onnx_pool *pool, const tl_onnx_constant *const *parts, size_t count, int64_t axis,
                            tl_onnx_constant *result);

#endif
