#include <tapline/tensor.h>

#include "base/argument.h"
#include "base/math.h"
#include "base/memory.h"

tl_tensor tl_tensor_view(const tl_real *data, size_t rank, const size_t *shape) {
    tl_tensor view = {.data = tl_read_only(data), .rank = tl_min(rank, TL_MAX_RANK)};
    for (size_t axis = 0; axis < view.rank; axis++) view.shape[axis] = shape[axis];
    return view;
}

tl_tensor tl_tensor_new(size_t rank, const size_t *shape, tl_error *error) {
    tl_tensor none = {0};
    if (tl_failed(error) || !tl_given(shape, "tensor: the shape", error)) return none;
    if (rank < 1 || rank > TL_MAX_RANK) {
        tl_fail(error, TL_ERROR_SHAPE, "tensor: rank %zu is outside 1 … %d", rank, TL_MAX_RANK);
        return none;
    }
    size_t count = 1;
    for (size_t axis = 0; axis < rank; axis++) {
        if (shape[axis] == 0) {
            tl_fail(error, TL_ERROR_SHAPE, "tensor: axis %zu has no elements", axis);
            return none;
        }
        if (!tl_multiply_sizes(count, shape[axis], &count)) {
            tl_fail(error, TL_ERROR_SHAPE, "tensor: the number of elements overflows at axis %zu (%zu)", axis, shape[axis]);
            return none;
        }
    }
    tl_tensor tensor = tl_tensor_view(NULL, rank, shape);
    tensor.data = tl_allocate(count, sizeof(tl_real), "tensor", error);
    return tensor.data ? tensor : none;
}

void tl_tensor_free(tl_tensor *tensor) {
    if (!tensor) return;
    tl_release(tensor->data);
    *tensor = (tl_tensor){0};
}

size_t tl_tensor_count(const tl_tensor *tensor) {
    size_t count = tensor->rank > 0;
    for (size_t axis = 0; axis < tensor->rank; axis++) count *= tensor->shape[axis];
    return count;
}

tl_tensor tl_tensor_slice(const tl_tensor *tensor, size_t first, size_t count) {
    tl_tensor slice = *tensor;
    slice.shape[0] = 1;
    slice.data += first * tl_tensor_count(&slice);
    slice.shape[0] = count;
    return slice;
}

bool tl_tensor_same_shape(const tl_tensor *a, const tl_tensor *b) {
    if (a->rank != b->rank) return false;
    for (size_t axis = 0; axis < a->rank; axis++)
        if (a->shape[axis] != b->shape[axis]) return false;
    return true;
}
