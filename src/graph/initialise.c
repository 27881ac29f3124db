/* Initial values of parameters: Glorot & Bengio 2010, He et al. 2015, LeCun et al. 1998, Saxe et al. 2014. */
#include "graph/builder.h"
#include "graph/graph.h"

#include "base/argument.h"

#include <math.h>

size_t tl_declared_count(const tl_declared *declared) {
    size_t count = 1;
    for (size_t axis = 0; axis < declared->rank; axis++) count *= declared->shape[axis];
    return count;
}

static const char *const names[] = {
    [TL_INIT_GLOROT_UNIFORM] = "glorot_uniform",
    [TL_INIT_GLOROT_NORMAL] = "glorot_normal",
    [TL_INIT_HE_UNIFORM] = "he_uniform",
    [TL_INIT_HE_NORMAL] = "he_normal",
    [TL_INIT_LECUN_UNIFORM] = "lecun_uniform",
    [TL_INIT_LECUN_NORMAL] = "lecun_normal",
    [TL_INIT_ORTHOGONAL] = "orthogonal",
    [TL_INIT_ZEROS] = "zeros",
    [TL_INIT_ONES] = "ones",
    [TL_INIT_CONSTANT] = "constant",
};

const char *tl_init_at(size_t index) { return index < sizeof names / sizeof *names ? names[index] : NULL; }

const char *tl_init_name(tl_init init) { return tl_init_at((size_t)init); }

tl_status tl_init_by_name(const char *name, tl_init *init, tl_error *error) {
    return tl_find_name("initialiser", name, tl_init_at, (int *)init, error);
}

/* Returns the standard deviation of each method, also for uniform distributions. */
static double deviation(const tl_declared *declared) {
    const double in = (double)declared->fan_in, out = (double)declared->fan_out;
    switch (declared->init) {
    case TL_INIT_GLOROT_UNIFORM:
    case TL_INIT_GLOROT_NORMAL:
        return sqrt(2 / (in + out));
    case TL_INIT_HE_UNIFORM:
    case TL_INIT_HE_NORMAL:
        return sqrt(2 / in);
    case TL_INIT_LECUN_UNIFORM:
    case TL_INIT_LECUN_NORMAL:
        return sqrt(1 / in);
    case TL_INIT_ORTHOGONAL:
        return 1;
    default:
        return 0;
    }
}

static tl_real constant(tl_init init) { return init == TL_INIT_ONES ? 1 : init == TL_INIT_CONSTANT ? (tl_real)0.25 : 0; }

/* Vectors of `length` elements in a matrix: element i of vector v is at v · vector + i · element. */
typedef struct vectors {
    tl_real *data;
    size_t count, length, vector, element;
} vectors;

static tl_real *at(const vectors *a, size_t v, size_t i) { return a->data + v * a->vector + i * a->element; }

static double dot(const vectors *a, size_t v, size_t w) {
    double sum = 0;
    for (size_t i = 0; i < a->length; i++) sum += (double)*at(a, v, i) * (double)*at(a, w, i);
    return sum;
}

/* Makes normal random vectors orthonormal by Gram & Schmidt. Like the Q of a QR decomposition with a positive diagonal of R, they
 * are uniformly distributed. Each vector is orthogonalised twice, after which only rounding errors are left (Kahan and Parlett:
 * "twice is enough"). */
static void orthonormalise(const vectors *a) {
    for (size_t v = 0; v < a->count; v++) {
        for (size_t w = 0; w < 2 * v; w++) {
            const double part = dot(a, v, w % v);
            for (size_t i = 0; i < a->length; i++) *at(a, v, i) -= (tl_real)(part * (double)*at(a, w % v, i));
        }
        const double scale = 1 / sqrt(dot(a, v, v));
        for (size_t i = 0; i < a->length; i++) *at(a, v, i) = (tl_real)(scale * (double)*at(a, v, i));
    }
}

/* Returns the rows of the matrix (all other axes, last axis), or its columns if there are fewer of them. */
static vectors fewer_of(tl_real *values, const tl_declared *declared) {
    const size_t columns = declared->shape[declared->rank - 1];
    size_t rows = 1;
    for (size_t axis = 0; axis + 1 < declared->rank; axis++) rows *= declared->shape[axis];
    if (rows < columns) return (vectors){.data = values, .count = rows, .length = columns, .vector = columns, .element = 1};
    return (vectors){.data = values, .count = columns, .length = rows, .vector = 1, .element = columns};
}

static bool is_uniform(tl_init init) {
    return init == TL_INIT_GLOROT_UNIFORM || init == TL_INIT_HE_UNIFORM || init == TL_INIT_LECUN_UNIFORM;
}

void tl_initialise(tl_real *values, const tl_declared *declared, uint64_t seed, uint32_t index) {
    const size_t count = tl_declared_count(declared);
    const double sigma = deviation(declared), limit = sqrt(3.0) * sigma;
    const bool uniform = is_uniform(declared->init);
    if (sigma == 0) {
        for (size_t i = 0; i < count; i++) values[i] = constant(declared->init);
        return;
    }
    tl_rng rng = tl_rng_at(seed, TL_STREAM_INIT, index, 0);
    for (size_t i = 0; i < count; i++)
        values[i] = (tl_real)(uniform ? limit * (2 * tl_rng_uniform(&rng) - 1) : sigma * tl_rng_normal(&rng));
    if (declared->init != TL_INIT_ORTHOGONAL) return;
    const vectors all = fewer_of(values, declared);
    orthonormalise(&all);
}
