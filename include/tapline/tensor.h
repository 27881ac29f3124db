/* tapline/tensor.h: row-major arrays of tl_real with a shape. */
#ifndef TAPLINE_TENSOR_H
#define TAPLINE_TENSOR_H

#include <tapline/base.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { TL_MAX_RANK = 4 };

/* A dense row-major array: the last axis is contiguous. A tensor is a value: copying one copies the view, not the
 * elements. Whoever made the elements with tl_tensor_new frees them with tl_tensor_free; views free nothing.
 */
typedef struct tl_tensor {
    tl_real *data;
    size_t rank;               /* 1 … TL_MAX_RANK; 0 for an empty (zeroed) tensor */
    size_t shape[TL_MAX_RANK]; /* elements along each axis; axes from `rank` on are unused */
} tl_tensor;

/* A zero-filled tensor aligned to 64 bytes; free with tl_tensor_free. Fails, with data NULL, where a size is 0, the element
 * count overflows or memory is short. */
TL_API tl_tensor tl_tensor_new(size_t rank, const size_t *shape, tl_error *error);

/* Frees what tl_tensor_new made and empties the tensor. NULL and empty tensors are fine. */
TL_API void tl_tensor_free(tl_tensor *tensor);

/* A view of the caller's elements, whose rank is at most TL_MAX_RANK: no copy, no ownership. Functions that take a `const tl_tensor
 * *` never write through it. */
TL_API tl_tensor tl_tensor_view(const tl_real *data, size_t rank, const size_t *shape) TL_KEEPS(1);

/* The same in one line of C: TL_VIEW(x, batch, length, channels). */
#define TL_VIEW(data, ...) tl_tensor_view((data), sizeof((size_t[]){__VA_ARGS__}) / sizeof(size_t), (const size_t[]){__VA_ARGS__})

/* A view of `count` entries of the first axis from entry `first` on. The range must lie inside the tensor. */
TL_API tl_tensor tl_tensor_slice(const tl_tensor *tensor, size_t first, size_t count);

/* The number of elements; 0 for an empty tensor. */
TL_API size_t tl_tensor_count(const tl_tensor *tensor);

/* Whether rank and shape are the same. */
TL_API bool tl_tensor_same_shape(const tl_tensor *a, const tl_tensor *b);

/* c = a · b by the BLAS; a: (rows, inner), b: (inner, columns), c: (rows, columns), none overlapping c. Fails for other shapes. */
TL_API tl_status tl_tensor_matmul(const tl_tensor *a, const tl_tensor *b, tl_tensor *c, tl_error *error);

#ifdef __cplusplus
}
#endif
#endif
