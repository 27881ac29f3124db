#include "gradcheck.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Double: with a step of 1e-5 the quotient's own error is about h² = 1e-10 of the third derivative, and its rounding some 1e-11.
 * Float: rounding, 6e-8 / h, and truncation, h², meet near h = 4e-3 at some 1e-5 of the loss, which is a percent of a typical
 * element; so a whole array is compared by its norm, as a check of the float build's plumbing: the double build has the
 * same source and checks each element. The longer step meets more kinks.
 * skipped_share: of an array's elements, beyond the first skipped_free of them. */
#ifdef TAPLINE_F64
static const double step_size = 1e-5, unit = DBL_EPSILON, limit = 1e-6, skipped_share = 0.05, skipped_free = 2;
#else
static const double step_size = 4e-3, unit = FLT_EPSILON, limit = 1e-2, skipped_share = 0.25, skipped_free = 8;
#endif

/* A loss is the result of this many roundings or so that do not cancel; tanh alone is three. */
static const double roundings = 8;

typedef struct probe {
    const char *what, *array;
    tl_model *model;
    const tl_tensor *x;
    const tl_target *target;
    double rounding; /* of a difference quotient */
    double worst;
} probe;

static double objective(const probe *p) {
    tl_forward(p->model, p->x, TL_TRAINING);
    const double loss = tl_loss(p->model, p->target);
    check_ok(tl_model_error(p->model));
    return loss * (double)p->x->shape[0];
}

/* The difference quotients at steps h and h/2. */
typedef struct quotients {
    double whole, half;
    double bend; /* second difference at h less four times that at h/2, over h: 0 to fourth order where the loss is smooth */
} quotients;

static double at(const probe *p, tl_real *element, double value) {
    *element = (tl_real)value;
    return objective(p);
}

static quotients differences(const probe *p, tl_real *element) {
    const tl_real kept = *element;
    const double x = (double)kept, h = step_size * fmax(1, fabs(x));
    const double middle = at(p, element, x);
    const double right = at(p, element, x + h), left = at(p, element, x - h);
    const double right_half = at(p, element, x + h / 2), left_half = at(p, element, x - h / 2);
    const double wide = (double)(tl_real)(x + h) - (double)(tl_real)(x - h);
    const double narrow = (double)(tl_real)(x + h / 2) - (double)(tl_real)(x - h / 2);
    *element = kept;
    return (quotients){
        .whole = (right - left) / wide,
        .half = (right_half - left_half) / narrow,
        .bend = ((right - 2 * middle + left) - 4 * (right_half - 2 * middle + left_half)) / h,
    };
}

/* A kink inside x ± h whose slopes differ by J moves the whole quotient by at most J/2. If it lies in x ± h/2, one of the two signs
 * is at least J/7; if farther out, the bend is twice what the quotient moved. Hence a quarter of the limit. */
static bool has_kink(const probe *p, const quotients *q) {
    const double allowed = limit / 4 * (fabs(q->whole) + fabs(q->half)) + p->rounding;
    return fabs(q->whole - q->half) > allowed || fabs(q->bend) > allowed;
}

static void check_skipped(const probe *p, size_t skipped, size_t count) {
    if ((double)skipped > skipped_free + skipped_share * (double)count)
        fail_msg("%s: gradient of %s: %zu of %zu elements skipped as kinks", p->what, p->array, skipped, count);
}

static void compare_elements(probe *p, tl_real *values, const tl_real *analytic, size_t count) {
    size_t skipped = 0;
    for (size_t i = 0; i < count; i++) {
        const quotients q = differences(p, values + i);
        const double a = (double)analytic[i], off = fabs(a - q.whole), scale = fabs(a) + fabs(q.whole);
        if (has_kink(p, &q)) {
            skipped++;
            continue;
        }
        if (!(off <= limit * scale + p->rounding))
            fail_msg("%s: gradient of %s, element %zu of %zu: %.12g, by differences %.12g; relative error %.3g, allowed %.3g",
                     p->what, p->array, i, count, a, q.whole, off / scale, limit);
        if (limit * scale > p->rounding && off / scale > p->worst) p->worst = off / scale;
    }
    check_skipped(p, skipped, count);
}

static void compare_norms(probe *p, tl_real *values, const tl_real *analytic, size_t count) {
    double off = 0, scale = 0;
    size_t skipped = 0;
    for (size_t i = 0; i < count; i++) {
        const quotients q = differences(p, values + i);
        if (has_kink(p, &q)) {
            skipped++;
            continue;
        }
        off += pow((double)analytic[i] - q.whole, 2);
        scale += pow((double)analytic[i], 2) + pow(q.whole, 2);
    }
    off = sqrt(off), scale = sqrt(scale);
    const double rounding = p->rounding * sqrt((double)count);
    if (!(off <= limit * scale + rounding))
        fail_msg("%s: gradient of %s (%zu elements): off by %.3g in norm, of %.3g; allowed %.3g", p->what, p->array, count, off,
                 scale, limit * scale + rounding);
    if (limit * scale > rounding && off / scale > p->worst) p->worst = off / scale;
    check_skipped(p, skipped, count);
}

static void compare(probe *p, const char *array, tl_real *values, const tl_real *analytic, size_t count) {
    p->array = array;
    if (sizeof(tl_real) == sizeof(double))
        compare_elements(p, values, analytic, count);
    else
        compare_norms(p, values, analytic, count);
}

static tl_real *copy_of(const tl_tensor *tensor) {
    const size_t bytes = tl_tensor_count(tensor) * sizeof(tl_real);
    tl_real *copy = malloc(bytes ? bytes : 1);
    assert_non_null(copy);
    if (bytes) memcpy(copy, tensor->data, bytes);
    return copy;
}

double gradcheck(const char *what, tl_model *model, const tl_tensor *x, const tl_target *target) {
    tl_real *input = copy_of(x);
    const tl_tensor moved = tl_tensor_view(input, x->rank, x->shape);
    probe p = {.what = what, .model = model, .x = &moved, .target = target};
    tl_zero_grad(model);
    const double loss = objective(&p);
    tl_backward(model);
    check_ok(tl_model_error(model));
    p.rounding = roundings * unit * (fabs(loss) + (double)x->shape[0]) / step_size;

    const tl_tensor dx = tl_input_gradient(model);
    assert_true(tl_tensor_same_shape(&dx, x));
    const size_t arrays = tl_parameter_arrays(model);
    tl_real **analytic = malloc((arrays + 1) * sizeof *analytic);
    assert_non_null(analytic);
    analytic[arrays] = copy_of(&dx); /* everything is copied first: the passes to come overwrite it */
    for (size_t i = 0; i < arrays; i++) {
        const tl_parameter parameter = tl_parameter_at(model, i);
        analytic[i] = copy_of(&parameter.gradient);
    }
    compare(&p, "the input", input, analytic[arrays], tl_tensor_count(x));
    for (size_t i = 0; i < arrays; i++) {
        const tl_parameter parameter = tl_parameter_at(model, i);
        if (parameter.gradient.data && !parameter.frozen)
            compare(&p, parameter.name, parameter.value.data, analytic[i], tl_tensor_count(&parameter.value));
    }
    for (size_t i = 0; i <= arrays; i++) free(analytic[i]);
    free(analytic);
    free(input);
    return p.worst;
}
