/* tapline/tensor.h: row-major arrays of tl_real with a shape. */
#ifndef TAPLINE_TENSOR_H
#define TAPLINE_TENSOR_H

#include <tapline/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The label of a series, or a step of it, that does not count (tl_target, tl_dataset). */
enum { TL_NO_LABEL = -1 };

enum { TL_MAX_RANK = 4 };

/* A dense row-major array: the last axis is contiguous. Copying the struct does not copy the elements: both structs then point to
 * the same elements. Elements from tl_tensor_new are freed once, with tl_tensor_free; a view (tl_tensor_view, tl_tensor_slice) does
 * not own its elements and is not freed.
 */
typedef struct tl_tensor {
    tl_real *data;
    size_t rank;               /* 1 … TL_MAX_RANK; 0 for an empty (zeroed) tensor */
    size_t shape[TL_MAX_RANK]; /* elements along each axis; only the first `rank` entries are used */
} tl_tensor;

/* Allocates a tensor of zeros, aligned to 64 bytes; free it with tl_tensor_free. On failure data is NULL: a size is 0, the number
 * of elements overflows, or memory cannot be allocated. */
TL_API tl_tensor tl_tensor_new(size_t rank, const size_t *shape, tl_error *error);

/* Frees the elements that tl_tensor_new allocated and sets the tensor to empty. NULL and empty tensors are allowed. */
TL_API void tl_tensor_free(tl_tensor *tensor);

/* Returns a view of the caller's elements; rank is at most TL_MAX_RANK. The elements are not copied and stay the caller's.
 * Functions that take a `const tl_tensor *` never write to its elements. */
TL_API tl_tensor tl_tensor_view(const tl_real *data, size_t rank, const size_t *shape) TL_KEEPS(1);

/* The same as a C expression: TL_VIEW(x, batch, length, channels). */
#define TL_VIEW(data, ...) tl_tensor_view((data), sizeof((size_t[]){__VA_ARGS__}) / sizeof(size_t), (const size_t[]){__VA_ARGS__})

/* Returns a view of the entries first … first + count - 1 of the first axis. They must lie inside the tensor. */
TL_API tl_tensor tl_tensor_slice(const tl_tensor *tensor, size_t first, size_t count);

/* Returns the number of elements; 0 for an empty tensor. */
TL_API size_t tl_tensor_count(const tl_tensor *tensor);

/* Returns whether both tensors have the same rank and shape. */
TL_API bool tl_tensor_same_shape(const tl_tensor *a, const tl_tensor *b);

/* Computes the matrix product c = a · b. a: (rows, inner), b: (inner, columns), c: (rows, columns) [OUT]. c must not
 * overlap a or b. Fails with TL_ERROR_SHAPE for other shapes. */
TL_API tl_status tl_tensor_matmul(const tl_tensor *a, const tl_tensor *b, tl_tensor *c, tl_error *error);

#ifdef __cplusplus
}
#endif
#endif
