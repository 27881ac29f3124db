/* Arithmetic on constants: exporters write computations of shapes and weights that only depend on constants. */
#include "onnx/constant.h"

#include "base/math.h"
#include "base/memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_ELEMENTS = 1 << 22 }; /* of a result that is larger than its operands */

/* ---- memory ---- */

void tl_onnx_pool_shrink(tl_onnx_pool *pool, size_t blocks) {
    while (pool->blocks > blocks) {
        const tl_onnx_block *last = &pool->block[--pool->blocks];
        pool->bytes -= last->bytes;
        free(last->value);
    }
    pool->full = false;
}

void tl_onnx_pool_release(tl_onnx_pool *pool) {
    tl_onnx_pool_shrink(pool, 0);
    free(pool->block);
    *pool = (tl_onnx_pool){0};
}

/* Returns memory for at least one element; NULL if memory is short. */
static double *allocate(tl_onnx_pool *pool, size_t bytes) {
    pool->full = pool->full || bytes > pool->maximum - pool->bytes;
    if (pool->full) return NULL;
    if (pool->blocks == pool->room) {
        tl_onnx_block *grown = realloc(pool->block, (2 * pool->room + 64) * sizeof *grown);
        if (!grown) return NULL;
        pool->block = grown;
        pool->room = 2 * pool->room + 64;
    }
    double *value = malloc(bytes > 0 ? bytes : sizeof *value);
    if (!value) return NULL;
    pool->block[pool->blocks++] = (tl_onnx_block){value, bytes};
    pool->bytes += bytes;
    return value;
}

bool tl_onnx_constant_new(tl_onnx_pool *pool, size_t rank, const size_t *shape, size_t maximum, tl_onnx_constant *constant) {
    size_t count = 1, bytes;
    *constant = (tl_onnx_constant){.rank = rank};
    if (rank > TL_ONNX_RANK) return false;
    for (size_t axis = 0; axis < rank; axis++) {
        constant->shape[axis] = shape[axis];
        if (!tl_multiply_sizes(count, shape[axis], &count)) return false;
    }
    if (count > maximum || !tl_multiply_sizes(count, sizeof(double), &bytes)) return false;
    constant->count = count;
    constant->value = allocate(pool, bytes);
    return constant->value;
}

int64_t tl_onnx_integer(double number) {
    const double limit = 9223372036854775808.0; /* 2^63 */
    return number >= -limit && number < limit ? (int64_t)number : INT64_MAX;
}

/* ---- axes ---- */

/* Resolves an axis; negative numbers count from the end. */
static bool axis_of(int64_t axis, size_t rank, size_t *at) {
    if (axis < 0) axis += (int64_t)rank;
    *at = (size_t)axis;
    return axis >= 0 && axis < (int64_t)rank;
}

/* Reads the axes from the attribute, else from operand 1. */
static size_t axes_of(const tl_onnx_fold *fold, int64_t axes[TL_ONNX_RANK]) {
    const tl_onnx_constant *given = fold->operands > 1 ? fold->operand[1] : NULL;
    const size_t count = given ? tl_min(given->count, TL_ONNX_RANK) : fold->axes_count;
    for (size_t i = 0; i < count; i++) axes[i] = given ? tl_onnx_integer(given->value[i]) : fold->axes[i];
    return count;
}

/* ---- element by element ---- */

static bool is_one_of(const char *type, const char *const *names) {
    for (; *names; names++)
        if (strcmp(type, *names) == 0) return true;
    return false;
}

static double binary(const char *type, double a, double b) {
    return strcmp(type, "Add") == 0   ? a + b
           : strcmp(type, "Sub") == 0 ? a - b
           : strcmp(type, "Mul") == 0 ? a * b
           : strcmp(type, "Div") == 0 ? a / b
                                      : pow(a, b);
}

static double unary(const char *type, double a) {
    return strcmp(type, "Sqrt") == 0         ? sqrt(a)
           : strcmp(type, "Neg") == 0        ? -a
           : strcmp(type, "Exp") == 0        ? exp(a)
           : strcmp(type, "Reciprocal") == 0 ? 1 / a
                                             : a;
}

/* The position in an operand of the element with this index in the result. Axes of size 1 are repeated. */
static size_t place_of(const tl_onnx_constant *result, const tl_onnx_constant *operand, size_t index) {
    size_t place = 0, stride = 1;
    for (size_t i = 1; i <= operand->rank; i++) {
        const size_t size = operand->shape[operand->rank - i], all = result->shape[result->rank - i];
        if (size > 1) place += index % all * stride;
        stride *= size;
        index /= all;
    }
    return place;
}

static bool fold_binary(tl_onnx_pool *pool, const tl_onnx_fold *fold, tl_onnx_constant *result) {
    const tl_onnx_constant *a = fold->operand[0], *b = fold->operand[1];
    size_t shape[TL_ONNX_RANK];
    if (fold->operands != 2 || !b) return false;
    const size_t rank = tl_max(a->rank, b->rank);
    for (size_t i = 1; i <= rank; i++) {
        const size_t one = i <= a->rank ? a->shape[a->rank - i] : 1, other = i <= b->rank ? b->shape[b->rank - i] : 1;
        if (one != other && one != 1 && other != 1) return false;
        shape[rank - i] = one == 1 ? other : one;
    }
    if (!tl_onnx_constant_new(pool, rank, shape, tl_max(MAX_ELEMENTS, tl_max(a->count, b->count)), result)) return false;
    result->whole = a->whole && b->whole;
    for (size_t i = 0; i < result->count; i++) {
        const double value = binary(fold->type, a->value[place_of(result, a, i)], b->value[place_of(result, b, i)]);
        result->value[i] = result->whole ? trunc(value) : value;
    }
    return true;
}

static bool fold_unary(tl_onnx_pool *pool, const tl_onnx_fold *fold, tl_onnx_constant *result) {
    const tl_onnx_constant *a = fold->operand[0];
    if (!tl_onnx_constant_new(pool, a->rank, a->shape, SIZE_MAX, result)) return false;
    const bool cast = strcmp(fold->type, "Cast") == 0;
    result->whole = cast ? fold->to_integers : a->whole;
    for (size_t i = 0; i < a->count; i++) {
        const double value = unary(fold->type, a->value[i]);
        result->value[i] = cast && fold->to_integers ? trunc(value) : value;
    }
    return true;
}

/* ---- other shapes ---- */

static bool fold_reshape(const tl_onnx_fold *fold, tl_onnx_constant *result) {
    const tl_onnx_constant *a = fold->operand[0], *shape = fold->operands > 1 ? fold->operand[1] : NULL;
    size_t known = 1, open = TL_ONNX_RANK, sizes[TL_ONNX_RANK] = {0};
    if (!shape || shape->count > TL_ONNX_RANK) return false;
    for (size_t i = 0; i < shape->count; i++) {
        const double size = shape->value[i];
        if (!(size >= -1 && size <= INT32_MAX)) return false;
        if (size < 0 && open < TL_ONNX_RANK) return false;
        if (size < 0) open = i;
        sizes[i] = size < 0 ? 1 : size == 0 && i < a->rank ? a->shape[i] : (size_t)size;
        if (!tl_multiply_sizes(known, sizes[i], &known)) return false;
    }
    if (open < TL_ONNX_RANK && known > 0) sizes[open] = a->count / known;
    if (open < TL_ONNX_RANK) known *= sizes[open];
    if (known != a->count) return false;
    *result = *a;
    result->rank = shape->count;
    memcpy(result->shape, sizes, sizeof sizes);
    return true;
}

static bool fold_unsqueeze(const tl_onnx_fold *fold, tl_onnx_constant *result) {
    const tl_onnx_constant *a = fold->operand[0];
    int64_t axes[TL_ONNX_RANK];
    bool added[TL_ONNX_RANK] = {false};
    const size_t count = axes_of(fold, axes), rank = a->rank + count;
    size_t at;
    if (rank > TL_ONNX_RANK) return false;
    for (size_t i = 0; i < count; i++) {
        if (!axis_of(axes[i], rank, &at) || added[at]) return false;
        added[at] = true;
    }
    *result = *a;
    result->rank = rank;
    for (size_t i = 0, from = 0; i < rank; i++) result->shape[i] = added[i] ? 1 : a->shape[from++];
    return true;
}

static bool fold_squeeze(const tl_onnx_fold *fold, tl_onnx_constant *result) {
    const tl_onnx_constant *a = fold->operand[0];
    int64_t axes[TL_ONNX_RANK];
    const size_t count = axes_of(fold, axes);
    *result = *a;
    result->rank = 0;
    for (size_t axis = 0; axis < a->rank; axis++) {
        bool gone = count == 0 && a->shape[axis] == 1;
        for (size_t i = 0, at; i < count; i++) gone = gone || (axis_of(axes[i], a->rank, &at) && at == axis);
        if (gone && a->shape[axis] != 1) return false;
        if (!gone) result->shape[result->rank++] = a->shape[axis];
    }
    return true;
}

static bool fold_transpose(tl_onnx_pool *pool, const tl_onnx_fold *fold, tl_onnx_constant *result) {
    const tl_onnx_constant *a = fold->operand[0];
    size_t order[TL_ONNX_RANK], shape[TL_ONNX_RANK], stride[TL_ONNX_RANK];
    bool used[TL_ONNX_RANK] = {false};
    for (size_t i = 0; i < a->rank; i++) {
        order[i] = a->rank - 1 - i;
        if (fold->axes_count > 0 && (fold->axes_count != a->rank || !axis_of(fold->axes[i], a->rank, &order[i]))) return false;
        if (used[order[i]]) return false;
        used[order[i]] = true;
        shape[i] = a->shape[order[i]];
    }
    for (size_t i = a->rank, step = 1; i-- > 0; step *= a->shape[i]) stride[i] = step;
    if (!tl_onnx_constant_new(pool, a->rank, shape, a->count, result)) return false;
    result->whole = a->whole;
    for (size_t i = 0; i < a->count; i++) {
        size_t place = 0, rest = i;
        for (size_t axis = a->rank; axis-- > 0; rest /= shape[axis]) place += rest % shape[axis] * stride[order[axis]];
        result->value[i] = a->value[place];
    }
    return true;
}

/* ---- parts ---- */

/* Number of elements before an axis, along it, and after it. */
typedef struct split {
    size_t outer, size, inner;
} split;

static split split_at(const tl_onnx_constant *a, size_t axis) {
    split s = {1, a->shape[axis], 1};
    for (size_t i = 0; i < axis; i++) s.outer *= a->shape[i];
    for (size_t i = axis + 1; i < a->rank; i++) s.inner *= a->shape[i];
    return s;
}

/* Selects the elements of an axis at these places. */
static bool take(tl_onnx_pool *pool, const tl_onnx_constant *a, size_t axis, const double *places, size_t count,
                 tl_onnx_constant *result) {
    const split s = split_at(a, axis);
    size_t shape[TL_ONNX_RANK];
    memcpy(shape, a->shape, sizeof shape);
    shape[axis] = count;
    if (!tl_onnx_constant_new(pool, a->rank, shape, MAX_ELEMENTS, result)) return false;
    result->whole = a->whole;
    for (size_t o = 0; result->count > 0 && o < s.outer; o++) /* without elements, the other axes may have any size */
        for (size_t i = 0; i < count; i++) {
            size_t at;
            if (!(fabs(places[i]) <= INT32_MAX) || !axis_of((int64_t)places[i], s.size, &at)) return false;
            memcpy(result->value + (o * count + i) * s.inner, a->value + (o * s.size + at) * s.inner, s.inner * sizeof(double));
        }
    return true;
}

static bool fold_gather(tl_onnx_pool *pool, const tl_onnx_fold *fold, tl_onnx_constant *result) {
    const tl_onnx_constant *a = fold->operand[0], *index = fold->operands > 1 ? fold->operand[1] : NULL;
    size_t axis;
    if (!index || index->rank > 1 || !axis_of(fold->axes_count ? fold->axes[0] : 0, a->rank, &axis)) return false;
    if (!take(pool, a, axis, index->value, index->count, result)) return false;
    if (index->rank == 1) return true;
    result->rank--;
    memmove(&result->shape[axis], &result->shape[axis + 1], (result->rank - axis) * sizeof *result->shape);
    return true;
}

static bool is_before(double place, double end, double step) { return step > 0 ? place < end : place > end; }

static bool fold_slice(tl_onnx_pool *pool, const tl_onnx_fold *fold, tl_onnx_constant *result) {
    const tl_onnx_constant *a = fold->operand[0], *const *given = fold->operand;
    size_t axis;
    if (fold->operands < 3 || !given[1] || !given[2] || given[1]->count != 1 || given[2]->count != 1) return false;
    if (a->count == 0 || a->rank == 0) return false;
    if (!axis_of(fold->operands > 3 && given[3] && given[3]->count == 1 ? tl_onnx_integer(given[3]->value[0]) : 0, a->rank, &axis))
        return false;
    const double size = (double)a->shape[axis];
    double first = given[1]->value[0], end = given[2]->value[0];
    const double step = fold->operands > 4 && given[4] && given[4]->count == 1 ? given[4]->value[0] : 1;
    if (!isfinite(first) || !isfinite(end) || !(fabs(step) >= 1)) return false;
    const double low = step < 0 ? -1 : 0,
                 high = step < 0 ? size - 1 : size; /* backwards, -1 is the place before the first element */
    first = fmin(fmax(first < 0 ? first + size : first, low), high);
    end = fmin(fmax(end < 0 ? end + size : end, low), high);
    double *places = malloc((a->shape[axis] + 1) * sizeof *places);
    size_t count = 0;
    if (!places) return false;
    for (; count < a->shape[axis] && is_before(first + (double)count * step, end, step); count++)
        places[count] = first + (double)count * step;
    const bool done = take(pool, a, axis, places, count, result);
    free(places);
    return done;
}

bool tl_onnx_join_constants(tl_onnx_pool *pool, const tl_onnx_constant *const *parts, size_t count, int64_t axis,
                            tl_onnx_constant *result) {
    size_t at, shape[TL_ONNX_RANK], sum = 0;
    if (count == 0 || !axis_of(axis, parts[0]->rank, &at)) return false;
    memcpy(shape, parts[0]->shape, sizeof shape);
    for (size_t p = 0; p < count; p++) {
        if (parts[p]->rank != parts[0]->rank) return false;
        for (size_t i = 0; i < parts[p]->rank; i++)
            if (i != at && parts[p]->shape[i] != shape[i]) return false;
        sum += parts[p]->shape[at];
    }
    shape[at] = sum;
    if (!tl_onnx_constant_new(pool, parts[0]->rank, shape, MAX_ELEMENTS, result)) return false;
    result->whole = parts[0]->whole;
    double *to = result->value;
    const split all = split_at(result, at);
    for (size_t o = 0; result->count > 0 && o < all.outer; o++)
        for (size_t p = 0; p < count; p++) {
            const size_t run = parts[p]->shape[at] * all.inner;
            memcpy(to, parts[p]->value + o * run, run * sizeof *to);
            to += run;
        }
    return true;
}

/* ---- sums ---- */

static bool is_reduced(const int64_t *axes, size_t count, size_t axis, size_t rank) {
    for (size_t i = 0, at; i < count; i++)
        if (axis_of(axes[i], rank, &at) && at == axis) return true;
    return count == 0;
}

/* ReduceSum, ReduceMean, ReduceL2 and ReduceProd, which exporters write for weight normalisation and for shapes. */
static bool fold_reduce(tl_onnx_pool *pool, const tl_onnx_fold *fold, tl_onnx_constant *result) {
    const tl_onnx_constant *a = fold->operand[0];
    int64_t axes[TL_ONNX_RANK];
    size_t shape[TL_ONNX_RANK];
    const size_t count = axes_of(fold, axes);
    const bool squares = strcmp(fold->type, "ReduceL2") == 0, product = strcmp(fold->type, "ReduceProd") == 0;
    for (size_t i = 0; i < a->rank; i++) shape[i] = is_reduced(axes, count, i, a->rank) ? 1 : a->shape[i];
    if (!tl_onnx_constant_new(pool, a->rank, shape, a->count + 1, result)) return false;
    result->whole = a->whole;
    for (size_t i = 0; i < result->count; i++) result->value[i] = product;
    for (size_t i = 0; i < a->count; i++) {
        size_t place = 0, stride = 1, rest = i;
        for (size_t axis = a->rank; axis-- > 0; rest /= a->shape[axis]) {
            if (shape[axis] > 1) place += rest % a->shape[axis] * stride;
            stride *= shape[axis];
        }
        double *to = &result->value[place];
        *to = product ? *to * a->value[i] : *to + (squares ? a->value[i] * a->value[i] : a->value[i]);
    }
    for (size_t i = 0; i < result->count; i++)
        result->value[i] = squares                                 ? sqrt(result->value[i])
                           : strcmp(fold->type, "ReduceMean") == 0 ? result->value[i] * (double)result->count / (double)a->count
                                                                   : result->value[i];
    if (fold->keep) return true;
    result->rank = 0;
    for (size_t i = 0; i < a->rank; i++)
        if (!is_reduced(axes, count, i, a->rank)) result->shape[result->rank++] = a->shape[i];
    return true;
}

/* Fills a constant shape with one number. */
static bool fold_filled(tl_onnx_pool *pool, const tl_onnx_fold *fold, tl_onnx_constant *result) {
    const tl_onnx_constant *shape = fold->operand[0];
    size_t sizes[TL_ONNX_RANK];
    if (shape->count > TL_ONNX_RANK) return false;
    for (size_t i = 0; i < shape->count; i++) {
        if (!(shape->value[i] >= 0 && shape->value[i] <= INT32_MAX)) return false;
        sizes[i] = (size_t)shape->value[i];
    }
    if (!tl_onnx_constant_new(pool, shape->count, sizes, MAX_ELEMENTS, result)) return false;
    result->whole = fold->filler && fold->filler->whole;
    for (size_t i = 0; i < result->count; i++)
        result->value[i] = fold->filler && fold->filler->count > 0 ? fold->filler->value[0] : 0;
    return true;
}

/* ---- all operators ---- */

bool tl_onnx_pool_exhausted(const tl_onnx_pool *pool) { return pool->work > pool->maximum; }

/* Counts the operands. Without a limit, a small file could ask for the same large sum thousands of times. */
static bool may_compute(tl_onnx_pool *pool, const tl_onnx_fold *fold) {
    for (size_t e = 0; e < fold->operands && !tl_onnx_pool_exhausted(pool); e++)
        if (fold->operand[e]) pool->work += fold->operand[e]->count;
    return !tl_onnx_pool_exhausted(pool);
}

bool tl_onnx_fold_constants(tl_onnx_pool *pool, const tl_onnx_fold *fold, tl_onnx_constant *result) {
    static const char *const binaries[] = {"Add", "Sub", "Mul", "Div", "Pow", NULL};
    static const char *const unaries[] = {"Sqrt", "Neg", "Exp", "Reciprocal", "Identity", "Cast", "Dropout", NULL};
    static const char *const reductions[] = {"ReduceSum", "ReduceMean", "ReduceL2", "ReduceProd", NULL};
    const char *type = fold->type;
    if (fold->operands < 1 || !fold->operand[0] || !may_compute(pool, fold)) return false;
    if (is_one_of(type, binaries)) return fold_binary(pool, fold, result);
    if (is_one_of(type, unaries)) return fold_unary(pool, fold, result);
    if (is_one_of(type, reductions)) return fold_reduce(pool, fold, result);
    if (strcmp(type, "ConstantOfShape") == 0) return fold_filled(pool, fold, result);
    if (strcmp(type, "Reshape") == 0) return fold_reshape(fold, result);
    if (strcmp(type, "Unsqueeze") == 0) return fold_unsqueeze(fold, result);
    if (strcmp(type, "Squeeze") == 0) return fold_squeeze(fold, result);
    if (strcmp(type, "Transpose") == 0) return fold_transpose(pool, fold, result);
    if (strcmp(type, "Gather") == 0) return fold_gather(pool, fold, result);
    if (strcmp(type, "Slice") == 0) return fold_slice(pool, fold, result);
    return false;
}
