/* finish.h: what a layer does with its outputs in the place of the layers after it (tl_finish). */
#ifndef TL_COMPUTE_FINISH_H
#define TL_COMPUTE_FINISH_H

#include <tapline/layer.h>

#include "kernels/kernels.h"

/* Returns `finish` as the kernel functions take it: a sum of TL_FINISH_… */
static inline unsigned tl_finish_steps(const tl_finish *finish) {
    return (finish->relu ? TL_FINISH_RELU : 0U) | (finish->added ? TL_FINISH_ADD : 0U) |
           (finish->relu_after ? TL_FINISH_RELU_AFTER : 0U) | (finish->mask ? TL_FINISH_MASK : 0U);
}

/* Returns the array that kernel functions read to finish outputs; NULL: none. */
static inline const tl_real *tl_finish_array(const tl_finish *finish) { return finish->mask ? finish->mask : finish->added; }

/* Finishes the elements first … first + count - 1 of y. */
void tl_finish_some(const tl_kernels *kernels, const tl_finish *finish, tl_real *y, size_t first, size_t count);

/* Finishes (count) elements of y, shared among the workers. */
void tl_finish_all(const tl_workers *workers, const tl_finish *finish, tl_real *y, size_t count);

#endif
