/* constant.h: constant tensors of an ONNX file, and operators on them. */
#ifndef TL_ONNX_CONSTANT_H
#define TL_ONNX_CONSTANT_H

#include <tapline/base.h>

enum { TL_ONNX_RANK = 6 };

/* Numbers in row-major order; rank 0: a scalar. In shapes, NAN is the unknown size of the batch. */
typedef struct tl_onnx_constant {
    size_t rank, shape[TL_ONNX_RANK];
    size_t count;
    bool whole; /* its type is an integer: a quotient is rounded towards 0 */
    double *value;
} tl_onnx_constant;

typedef struct tl_onnx_block {
    double *value;
    size_t bytes;
} tl_onnx_block;

/* The memory of constants: at most `maximum` bytes. */
typedef struct tl_onnx_pool {
    tl_onnx_block *block;
    size_t blocks, room;
    size_t bytes, maximum;
    bool full;   /* a constant was refused because of `maximum` */
    size_t work; /* elements that were computed from; at most `maximum`, which is many times the elements of all constants */
} tl_onnx_pool;

/* Frees all blocks except the first `blocks`. */
void tl_onnx_pool_shrink(tl_onnx_pool *pool, size_t blocks);
void tl_onnx_pool_release(tl_onnx_pool *pool);

/* Allocates a constant of this shape without setting its elements. Returns false if memory is short, if the pool is full, or if the
 * constant would have more than `maximum` elements. */
bool tl_onnx_constant_new(tl_onnx_pool *pool, size_t rank, const size_t *shape, size_t maximum, tl_onnx_constant *constant);

/* Converts an element to an integer; a number that is not in the range of int64_t, or NaN, becomes INT64_MAX. */
int64_t tl_onnx_integer(double number);

/* Computes an operator on constants. Returns false if the operator is unknown, its operands do not fit, or the limit of work is
 * reached. `axes` are the
 * `axes_count` values of the attribute axis, axes or perm. */
typedef struct tl_onnx_fold {
    const char *type;
    const tl_onnx_constant *operand[5]; /* NULL: omitted */
    size_t operands;
    int64_t axes[TL_ONNX_RANK];
    size_t axes_count;
    bool keep;                      /* attribute keepdims */
    bool to_integers;               /* attribute to of Cast: an integer type */
    const tl_onnx_constant *filler; /* attribute value; NULL: none */
} tl_onnx_fold;
bool tl_onnx_fold_constants(tl_onnx_pool *pool, const tl_onnx_fold *fold, tl_onnx_constant *result);

/* Whether the limit of work is reached. */
bool tl_onnx_pool_exhausted(const tl_onnx_pool *pool);

/* Joins constants along an axis. */
bool tl_onnx_join_constants(tl_onnx_pool *pool, const tl_onnx_constant *const *parts, size_t count, int64_t axis,
                            tl_onnx_constant *result);

#endif
