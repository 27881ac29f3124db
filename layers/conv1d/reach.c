/* How far the windows of a sample reach behind it. */
#include "layers/conv1d/engine.h"

#include "base/math.h"

size_t tl_conv1d_reach(const tl_conv1d_shape *shape) {
    const size_t extent = (shape->kernel - 1) * shape->dilation + 1, windows = shape->out_length * shape->stride + extent;
    const size_t padded = shape->pad_left + shape->length, padding = windows > padded ? windows - padded : 0;
    return shape->stride + shape->pad_left + tl_max(extent, padding);
}
