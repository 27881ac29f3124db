/* The cost of weights that do not stay in the second-level cache. */
#include "layers/conv1d/engine.h"

#include "kernels/kernels.h"

double tl_conv1d_cache_penalty(double elements) {
    return elements * (double)sizeof(tl_real) > TL_CACHED_WEIGHTS ? tl_tuning_here()->cache_penalty : 1;
}
