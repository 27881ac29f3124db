/* Compares gradients with central differences, using only the public interface. */
#include <tapline/gradient_check.h>
#include <tapline/random.h>

#include "base/argument.h"
#include "base/memory.h"
#include "graph/graph.h"

#include <float.h>
#include <math.h>
#include <string.h>

/* Double: with a step of 1e-5, the error of the quotient is about h² = 1e-10 of the third derivative, and its rounding error about
 * 1e-11. Float: the rounding error, 6e-8 / h, and the truncation error, h², are equal near h = 4e-3, at about 1e-5 of the loss.
 * This is a percent of a typical element, so a whole array is compared by its norm. The longer step meets more kinks.
 * skipped_share: allowed share of skipped elements of an array, beyond the first skipped_free of them. */
#ifdef TAPLINE_F64
static const double step_size = 1e-5, unit = DBL_EPSILON, limit = 1e-6, skipped_share = 0.05, skipped_free = 2;
static const bool by_element = true;
#else
static const double step_size = 4e-3, unit = FLT_EPSILON, limit = 1e-2, skipped_share = 0.25, skipped_free = 8;
static const bool by_element = false;
#endif

/* A central difference does not tell the gradient at a kink, such as a bias of 0 before a ReLU with inputs of 0; two kinks one
 * after the other may look smooth. So other points are tried: normal random numbers with this standard deviation are added to the
 * parameters. */
enum { POINTS = 3 };
static const double away = 0.05;

/* A loss is the result of about this many rounding errors that do not cancel; tanh alone has three. */
static const double roundings = 8;

typedef struct probe {
    tl_model *model;
    tl_tensor x; /* a copy, since its elements are changed too */
    const tl_target *target;
    double rounding; /* rounding error of a difference quotient */
    bool kinks;      /* the check failed because of too many kinks */
    tl_gradient_report report;
    tl_error found; /* at this point */
    tl_error *error;
} probe;

/* An array to test. */
typedef struct subject {
    const char *layer, *name;
    tl_real *values;
    const tl_real *analytic;
    size_t count;
} subject;

static double objective(const probe *p) {
    tl_forward(p->model, &p->x, TL_MODE_TRAINING);
    const double loss = tl_loss(p->model, p->target);
    return loss * tl_loss_weight(p->model);
}

/* The difference quotients with steps h and h/2. */
typedef struct quotients {
    double whole, half;
    double bend; /* second difference with step h minus four times that with h/2, divided by h: 0 up to fourth order if the loss is
                    smooth */
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

/* A kink in x ± h, at which the slope changes by J, changes the quotient by at most J/2. If it lies in x ± h/2, one of the two
 * values is at least J/7; if it lies further out, `bend` is twice the change of the quotient. This explains a quarter of the
 * limit. */
static bool has_kink(const probe *p, const quotients *q) {
    const double allowed = limit / 4 * (fabs(q->whole) + fabs(q->half)) + p->rounding;
    return fabs(q->whole - q->half) > allowed || fabs(q->bend) > allowed;
}

static void keep_worst(probe *p, double off, double scale, double rounding) {
    if (limit * scale > rounding && off / scale > p->report.worst) p->report.worst = off / scale;
}

/* NaN fails too. */
static void compare_element(probe *p, const subject *s, size_t i, const quotients *q) {
    const double a = (double)s->analytic[i], off = fabs(a - q->whole), scale = fabs(a) + fabs(q->whole);
    if (!(off <= limit * scale + p->rounding))
        tl_fail(p->error, TL_ERROR_NUMERIC,
                "gradient of %s %s, element %zu of %zu: %.12g, but differences give %.12g; relative error %.3g, allowed %.3g",
                s->layer, s->name, i, s->count, a, q->whole, off / scale, limit);
    keep_worst(p, off, scale, p->rounding);
}

static void compare_norm(probe *p, const subject *s, double off, double scale) {
    const double rounding = p->rounding * sqrt((double)s->count);
    if (!(off <= limit * scale + rounding))
        tl_fail(p->error, TL_ERROR_NUMERIC,
                "gradient of %s %s (%zu elements): the error has norm %.3g, the gradients have %.3g; allowed error %.3g", s->layer,
                s->name, s->count, off, scale, limit * scale + rounding);
    keep_worst(p, off, scale, rounding);
}

static void compare(probe *p, const subject *s) {
    double off = 0, scale = 0;
    size_t skipped = 0;
    for (size_t i = 0; i < s->count && !tl_failed(p->error) && !tl_failed(tl_model_error(p->model)); i++) {
        const quotients q = differences(p, s->values + i);
        if (has_kink(p, &q)) {
            skipped++;
            continue;
        }
        if (by_element) compare_element(p, s, i, &q);
        off += pow((double)s->analytic[i] - q.whole, 2);
        scale += pow((double)s->analytic[i], 2) + pow(q.whole, 2);
    }
    if (!by_element) compare_norm(p, s, sqrt(off), sqrt(scale));
    p->report.skipped += skipped;
    p->report.compared += s->count - skipped;
    if (tl_failed(p->error) || (double)skipped <= skipped_free + skipped_share * (double)s->count) return;
    p->kinks = true;
    tl_fail(p->error, TL_ERROR_NUMERIC, "gradient of %s %s: %zu of %zu elements were skipped because of kinks, at %d points",
            s->layer, s->name, skipped, s->count, POINTS);
}

/* Counts the elements of the input and of all arrays with a gradient. */
static size_t count_all(const tl_model *model, const tl_tensor *x) {
    size_t count = tl_tensor_count(x);
    for (size_t i = 0; i < tl_parameter_arrays(model); i++) {
        const tl_parameter parameter = tl_array_at(model, i);
        count += tl_tensor_count(&parameter.gradient);
    }
    return count;
}

/* A model may have no parameters. */
static void copy_parameters(const tl_model *model, tl_real *to, const tl_real *from) {
    if (model->parameter_count > 0) memcpy(to, from, model->parameter_count * sizeof *to);
}

/* The largest change of the loss when parameters change in their last bits: an estimate of its rounding error, through all layers.
 */
static double measured_noise(const probe *p, double loss) {
    tl_model *model = p->model;
    tl_rng rng = tl_rng_at(0, TL_STREAM_USER, 0, 0);
    double noise = 0;
    tl_real *kept = tl_allocate(model->parameter_count, sizeof *kept, "parameters", p->error);
    if (!kept) return 0;
    copy_parameters(model, kept, model->parameters);
    for (int trial = 0; trial < 8; trial++) {
        for (size_t i = 0; i < model->parameter_count; i++)
            model->parameters[i] = (tl_real)((double)kept[i] * (1 + unit * ((double)tl_rng_below(&rng, 3) - 1)));
        noise = fmax(noise, fabs(objective(p) - loss));
    }
    copy_parameters(model, model->parameters, kept);
    tl_release(kept);
    return noise;
}

/* Copies all gradients to `analytic`, the input first, because later passes overwrite them. */
static tl_status copy_gradients(probe *p, tl_real *analytic) {
    const double noise = measured_noise(p, objective(p));
    tl_zero_grad(p->model);
    const double loss = objective(p);
    tl_backward(p->model);
    if (tl_report(p->model, p->error) != TL_OK) return p->error->status;
    p->rounding = fmax(roundings * unit * (fabs(loss) + (double)p->x.shape[0]), 4 * noise) / step_size;
    tl_tensor gradient = tl_input_gradient(p->model);
    if (!gradient.data) return tl_fail(p->error, TL_ERROR_STATE, "gradient check: compile the model with input_gradient");
    for (size_t i = 0;; i++) {
        const size_t count = tl_tensor_count(&gradient);
        if (count > 0) memcpy(analytic, gradient.data, count * sizeof *analytic);
        analytic += count;
        if (i == tl_parameter_arrays(p->model)) return TL_OK;
        gradient = tl_array_at(p->model, i).gradient;
    }
}

static void compare_all(probe *p, const tl_real *analytic) {
    compare(p, &(subject){"the", "input", p->x.data, analytic, tl_tensor_count(&p->x)});
    analytic += tl_tensor_count(&p->x);
    for (size_t i = 0; i < tl_parameter_arrays(p->model); i++) {
        const tl_parameter parameter = tl_array_at(p->model, i);
        const size_t count = tl_tensor_count(&parameter.gradient);
        if (count > 0 && !parameter.frozen)
            compare(p, &(subject){parameter.layer, parameter.name, parameter.value.data, analytic, count});
        analytic += count;
    }
}

static void move_parameters(tl_model *model, uint64_t point) {
    tl_rng rng = tl_rng_at(0, TL_STREAM_USER, 1, point);
    for (size_t i = 0; i < model->parameter_count; i++) model->parameters[i] += (tl_real)(away * tl_rng_normal(&rng));
}

/* Checks at the point of the model. If this fails, checks at other points: one must pass, and gradients may differ at none. */
static void check_points(probe *p, tl_real *analytic, tl_real *kept, tl_error *error) {
    tl_model *model = p->model;
    bool passed = false;
    copy_parameters(model, kept, model->parameters);
    for (uint64_t point = 0; point < POINTS; point++) {
        p->found = (tl_error){0};
        p->kinks = false;
        p->report = (tl_gradient_report){0};
        if (point > 0) move_parameters(model, point);
        if (copy_gradients(p, analytic) == TL_OK) compare_all(p, analytic);
        copy_parameters(model, model->parameters, kept);
        passed = passed || !tl_failed(&p->found);
        if ((passed && point == 0) || (!p->kinks && point > 0 && tl_failed(&p->found))) break;
    }
    if (tl_failed(&p->found) && (!passed || !p->kinks)) tl_fail(error, p->found.status, "%s", p->found.text);
}

tl_status tl_check_gradients_sized(tl_model *model, const tl_tensor *x, const tl_target *given, tl_gradient_report *report,
                                   const tl_check_sizes *sizes, tl_error *error) {
    tl_error own = {0};
    tl_target target;
    if (!error) error = &own;
    if (tl_failed(error) || tl_report(model, error) != TL_OK || !tl_given(x, "gradient check: x", error) ||
        !tl_given(x->data, "gradient check: the data of x", error))
        return error->status;
    tl_take(&target, sizeof target, given, sizes->target, "target", error);
    probe p = {.model = model, .x = tl_tensor_new(x->rank, x->shape, error), .target = given ? &target : NULL};
    p.error = &p.found;
    tl_real *analytic = tl_allocate(count_all(model, x), sizeof *analytic, "gradients", error);
    tl_real *kept = tl_allocate(model->parameter_count, sizeof *kept, "parameters", error);
    if (!tl_failed(error)) {
        memcpy(p.x.data, x->data, tl_tensor_count(x) * sizeof *x->data);
        check_points(&p, analytic, kept, error);
        tl_zero_grad(model);
    }
    tl_release(kept);
    tl_release(analytic);
    tl_tensor_free(&p.x);
    tl_hand_over(report, sizes->report, &p.report, sizeof p.report);
    return error->status;
}
