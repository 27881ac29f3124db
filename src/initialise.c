/* Initial values of parameters: Glorot & Bengio 2010, He et al. 2015. */
#include "graph.h"

#include <math.h>

size_t tl_declared_count(const tl_declared *declared) {
    size_t count = 1;
    for (size_t axis = 0; axis < declared->rank; axis++) count *= declared->shape[axis];
    return count;
}

static const char *const names[] = {
    [TL_GLOROT_UNIFORM] = "glorot_uniform",
    [TL_GLOROT_NORMAL] = "glorot_normal",
    [TL_HE_UNIFORM] = "he_uniform",
    [TL_HE_NORMAL] = "he_normal",
    [TL_INIT_ZEROS] = "zeros",
    [TL_INIT_ONES] = "ones",
};

const char *tl_init_name(size_t init) { return init < sizeof names / sizeof *names ? names[init] : NULL; }

/* The standard deviation that each method asks for; a uniform distribution has the same one. */
static double deviation(const tl_declared *declared) {
    const double in = (double)declared->fan_in, out = (double)declared->fan_out;
    switch (declared->init) {
    case TL_GLOROT_UNIFORM:
    case TL_GLOROT_NORMAL:
        return sqrt(2 / (in + out));
    case TL_HE_UNIFORM:
    case TL_HE_NORMAL:
        return sqrt(2 / in);
    default:
        return 0;
    }
}

void tl_initialise(tl_real *values, const tl_declared *declared, uint64_t seed, uint32_t index) {
    const size_t count = tl_declared_count(declared);
    const double sigma = deviation(declared), limit = sqrt(3.0) * sigma;
    const bool uniform = declared->init == TL_GLOROT_UNIFORM || declared->init == TL_HE_UNIFORM;
    if (sigma == 0) {
        for (size_t i = 0; i < count; i++) values[i] = (tl_real)(declared->init == TL_INIT_ONES);
        return;
    }
    tl_rng rng = tl_rng_at(seed, TL_STREAM_INIT, index, 0);
    for (size_t i = 0; i < count; i++)
        values[i] = (tl_real)(uniform ? limit * (2 * tl_rng_uniform(&rng) - 1) : sigma * tl_rng_normal(&rng));
}
