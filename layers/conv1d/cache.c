/* What weights cost that do not stay in the second-level cache. */
#include "layers/conv1d/engine.h"

#include "kernels/kernels.h"

double tl_conv1d_far_weights(double elements) {
    return elements * (double)sizeof(tl_real) > TL_NEAR_WEIGHTS ? tl_tuning_here()->far_weights : 1;
}
