/* Losses: a function of an output and a target value for each; cross-entropy is a function of a row of outputs. */
#include "graph/loss.h"

#include "base/argument.h"
#include "base/memory.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- losses of one output ---- */

/* The loss of output y for target t; slope: [OUT] its derivative with respect to y. */
typedef double (*pointwise)(double y, double t, double delta, double *slope);

static double squared_error(double y, double t, double delta, double *slope) {
    (void)delta;
    *slope = 2 * (y - t);
    return (y - t) * (y - t);
}

static double absolute_error(double y, double t, double delta, double *slope) {
    (void)delta;
    *slope = (y > t) - (y < t);
    return fabs(y - t);
}

static double huber(double y, double t, double delta, double *slope) {
    const double off = fabs(y - t);
    *slope = fmax(-delta, fmin(delta, y - t));
    return off <= delta ? off * off / 2 : delta * (off - delta / 2);
}

static double sigmoid(double y) { return 1 / (1 + exp(-y)); }

/* log(1 + exp(y)) - t·y, without overflow. */
static double binary_cross_entropy(double y, double t, double delta, double *slope) {
    (void)delta;
    *slope = sigmoid(y) - t;
    return fmax(y, 0) - t * y + log1p(exp(-fabs(y)));
}

static const struct {
    const char *name;
    pointwise of; /* NULL: a function of a row */
} kinds[] = {
    [TL_LOSS_CROSS_ENTROPY] = {"cross-entropy", NULL},
    [TL_LOSS_SQUARED_ERROR] = {"squared-error", squared_error},
    [TL_LOSS_ABSOLUTE_ERROR] = {"absolute-error", absolute_error},
    [TL_LOSS_HUBER] = {"huber", huber},
    [TL_LOSS_BINARY_CROSS_ENTROPY] = {"binary-cross-entropy", binary_cross_entropy},
    [TL_LOSS_OWN] = {"own", NULL},
};

enum { KINDS = sizeof kinds / sizeof *kinds };

static const char *name_at(size_t index) { return index < KINDS ? kinds[index].name : NULL; }

const char *tl_loss_name(tl_loss_kind kind) { return name_at((size_t)kind); }

tl_status tl_loss_by_name(const char *name, tl_loss_kind *kind, tl_error *error) {
    return tl_find_name("loss", name, name_at, (int *)kind, error);
}

bool tl_loss_takes_labels(tl_loss_kind kind) { return kind == TL_LOSS_CROSS_ENTROPY; }

tl_status tl_classes_check(size_t classes, size_t outputs, const char *caller, tl_error *error) {
    if (classes == outputs) return TL_OK;
    return tl_fail(error, TL_ERROR_SHAPE,
                   "%s: %zu classes %s the %zu outputs of the model; its last layer needs one unit for each class (\"units\": "
                   "\"outputs\" in an architecture file)",
                   caller, classes, classes > outputs ? "exceed" : "are fewer than", outputs);
}

/* ---- settings ---- */

tl_status tl_loss_prepare(tl_loss_spec *loss, const tl_compile_cfg *cfg, tl_error *error) {
    if ((size_t)cfg->loss >= KINDS) return tl_fail(error, TL_ERROR_ARGUMENT, "compile: loss %d is unknown", (int)cfg->loss);
    *loss = (tl_loss_spec){.kind = cfg->loss,
                           .label_smoothing = cfg->label_smoothing,
                           .huber_delta = cfg->huber_delta,
                           .own = cfg->own_loss,
                           .user = cfg->own_loss_user};
    tl_check_number("compile: label smoothing", cfg->label_smoothing, 0, 1, error);
    tl_check_number("compile: huber delta", cfg->huber_delta, 0, INFINITY, error);
    const char *name = kinds[cfg->loss].name;
    if (cfg->label_smoothing != 0 && cfg->loss != TL_LOSS_CROSS_ENTROPY)
        tl_fail(error, TL_ERROR_ARGUMENT, "compile: label smoothing %g does not apply to %s", cfg->label_smoothing, name);
    if (cfg->huber_delta != 0 && cfg->loss != TL_LOSS_HUBER)
        tl_fail(error, TL_ERROR_ARGUMENT, "compile: huber delta %g does not apply to %s", cfg->huber_delta, name);
    if (cfg->class_weights && cfg->loss != TL_LOSS_CROSS_ENTROPY)
        tl_fail(error, TL_ERROR_ARGUMENT, "compile: class weights do not apply to %s", name);
    if ((cfg->own_loss != NULL) != (cfg->loss == TL_LOSS_OWN))
        tl_fail(error, TL_ERROR_ARGUMENT,
                cfg->own_loss ? "compile: own_loss does not apply to %s" : "compile: loss %s needs own_loss", name);
    if (loss->huber_delta == 0) loss->huber_delta = 1;
    return error->status;
}

tl_status tl_loss_weigh(tl_loss_spec *loss, const double *class_weights, size_t classes, tl_error *error) {
    if (!class_weights) return TL_OK;
    for (size_t c = 0; c < classes; c++) {
        char what[60];
        snprintf(what, sizeof what, "compile: class %zu: weight", c);
        tl_check_number(what, class_weights[c], 0, INFINITY, error);
    }
    loss->class_weights = tl_allocate(classes, sizeof *class_weights, "class weights", error);
    if (loss->class_weights) memcpy(loss->class_weights, class_weights, classes * sizeof *class_weights);
    return error->status;
}

void tl_loss_release(tl_loss_spec *loss) { tl_release(loss->class_weights); }

/* ---- targets ---- */

static size_t steps_of(const tl_tensor *y, const size_t *lengths, size_t sample) { return lengths ? lengths[sample] : y->shape[1]; }

static tl_status check_labels(const tl_tensor *y, const size_t *lengths, const int32_t *labels, tl_error *error) {
    const size_t length = y->shape[1], classes = y->shape[2];
    for (size_t i = 0; i < y->shape[0]; i++)
        for (const int32_t *label = labels + i * length; label < labels + i * length + steps_of(y, lengths, i); label++)
            if (*label < TL_NO_LABEL || (*label >= 0 && (size_t)*label >= classes))
                return tl_fail(error, TL_ERROR_ARGUMENT,
                               "loss: label %d of sample %zu is outside 0 … %zu (-1: the step does not count)", *label, i,
                               classes - 1);
    return TL_OK;
}

static tl_status check_probabilities(const tl_tensor *y, const size_t *lengths, const tl_real *values, tl_error *error) {
    const size_t channels = y->shape[2], each = y->shape[1] * channels;
    for (size_t i = 0; i < y->shape[0]; i++)
        for (const tl_real *t = values + i * each; t < values + i * each + steps_of(y, lengths, i) * channels; t++)
            if (!(*t >= 0 && *t <= 1) && !isnan(*t))
                return tl_fail(error, TL_ERROR_ARGUMENT, "loss: target value %g of sample %zu is outside 0 … 1", (double)*t, i);
    return TL_OK;
}

/* For classes: the probabilities of each step. */
static tl_status check_distributions(const tl_tensor *y, const size_t *lengths, const tl_real *probabilities, tl_error *error) {
    const size_t channels = y->shape[2];
    for (size_t i = 0; i < y->shape[0]; i++)
        for (size_t row = i * y->shape[1]; row < i * y->shape[1] + steps_of(y, lengths, i); row++) {
            double sum = 0;
            for (const tl_real *p = probabilities + row * channels; p < probabilities + (row + 1) * channels; p++) {
                if (!(*p >= 0 && *p <= 1))
                    return tl_fail(error, TL_ERROR_ARGUMENT, "loss: probability %g of sample %zu is outside 0 … 1", (double)*p, i);
                sum += (double)*p;
            }
            if (fabs(sum - 1) > 1e-3)
                return tl_fail(error, TL_ERROR_ARGUMENT, "loss: probabilities of sample %zu add up to %g, not to 1", i, sum);
        }
    return TL_OK;
}

static tl_status check_weights(const tl_real *weights, size_t batch, tl_error *error) {
    for (size_t i = 0; i < batch; i++) {
        char what[60];
        snprintf(what, sizeof what, "loss: sample %zu: weight", i);
        tl_check_number(what, (double)weights[i], 0, INFINITY, error);
    }
    return error->status;
}

tl_status tl_loss_check(const tl_loss_spec *loss, const tl_tensor *y, const size_t *lengths, const tl_target *target,
                        tl_error *error) {
    const char *name = kinds[loss->kind].name;
    const bool labels = tl_loss_takes_labels(loss->kind);
    if (labels && !target->labels && !target->probabilities)
        return tl_fail(error, TL_ERROR_ARGUMENT, "loss: %s needs labels, but none were given", name);
    if (target->labels && target->probabilities)
        return tl_fail(error, TL_ERROR_ARGUMENT, "loss: labels and probabilities were given; give only one of them");
    if (!labels && !target->values)
        return tl_fail(error, TL_ERROR_ARGUMENT, "loss: %s needs target values, but none were given", name);
    if (labels && target->labels) check_labels(y, lengths, target->labels, error);
    if (labels && target->probabilities) check_distributions(y, lengths, target->probabilities, error);
    if (loss->kind == TL_LOSS_BINARY_CROSS_ENTROPY) check_probabilities(y, lengths, target->values, error);
    if (target->weights) check_weights(target->weights, y->shape[0], error);
    return error->status;
}

/* ---- losses of a row of outputs ---- */

/* Subtracting the maximum avoids overflow. It uses comparisons, since GCC 12 for arm64 fails on loops of fmax. */
double tl_log_sum_exp(const tl_real *logits, size_t channels) {
    double largest = (double)logits[0], sum = 0;
    for (size_t c = 1; c < channels; c++)
        if ((double)logits[c] > largest) largest = (double)logits[c];
    for (size_t c = 0; c < channels; c++) sum += exp((double)logits[c] - largest);
    return largest + log(sum);
}

static double class_weight(const tl_loss_spec *loss, size_t class) { return loss->class_weights ? loss->class_weights[class] : 1; }

/* Returns the probability of a class in the target of a row. */
static double class_probability(const tl_target *target, size_t row, size_t channels, size_t class) {
    if (target->probabilities) return (double)target->probabilities[row * channels + class];
    return (size_t)target->labels[row] == class ? 1 : 0;
}

/* Returns the weight of the label's class, or the mean weight over the probabilities of the classes. */
static double row_weight(const tl_loss_spec *loss, const tl_target *target, size_t row, size_t channels) {
    if (!loss->class_weights) return 1;
    if (!target->probabilities) return loss->class_weights[target->labels[row]];
    double sum = 0;
    for (size_t c = 0; c < channels; c++) sum += class_probability(target, row, channels, c) * loss->class_weights[c];
    return sum;
}

/* With p = softmax(logits), the loss is -sum of t · log p. t is the weight of the class times its probability in the target,
 * smoothed: (1 - s) of it plus s / channels. The gradient is p · (sum of t) - t; it is written times `scale`, unless it is NULL. */
static double cross_entropy_row(const tl_loss_spec *loss, const tl_real *logits, size_t channels, const tl_target *target,
                                size_t row, double scale, tl_real *gradient) {
    const double total = tl_log_sum_exp(logits, channels), spread = loss->label_smoothing / (double)channels;
    double sum = 0, targets = 0;
    for (size_t c = 0; c < channels; c++) {
        const double sharp = (1 - loss->label_smoothing) * class_probability(target, row, channels, c);
        const double t = class_weight(loss, c) * (spread + sharp);
        targets += t;
        sum += t > 0 ? t * (total - (double)logits[c]) : 0;
        if (gradient) gradient[c] = (tl_real)(-scale * t);
    }
    for (size_t c = 0; gradient && c < channels; c++) gradient[c] += (tl_real)(scale * targets * exp((double)logits[c] - total));
    return sum;
}

static double own_row(const tl_loss_spec *loss, const tl_real *y, size_t channels, const tl_real *values, double scale,
                      tl_real *gradient) {
    const double sum = loss->own(y, values, channels, gradient, loss->user);
    for (size_t c = 0; gradient && c < channels; c++) gradient[c] *= (tl_real)scale;
    return sum;
}

static double pointwise_row(const tl_loss_spec *loss, pointwise of, const tl_real *y, size_t channels, const tl_real *values,
                            double scale, tl_real *gradient) {
    double sum = 0;
    for (size_t c = 0; c < channels; c++) {
        double slope = 0;
        if (!isnan(values[c])) sum += of((double)y[c], (double)values[c], loss->huber_delta, &slope);
        if (gradient) gradient[c] = (tl_real)(scale * slope);
    }
    return sum;
}

/* Returns how much of a row counts: if values are compared one by one, the share that is not NaN; otherwise all of it, or nothing
 * if there is no label or a value is NaN. */
static size_t row_count(const tl_loss_spec *loss, const tl_target *target, size_t row, size_t channels) {
    if (tl_loss_takes_labels(loss->kind)) return target->probabilities || target->labels[row] >= 0;
    size_t count = 0;
    for (size_t c = 0; c < channels; c++)
        if (!isnan(target->values[row * channels + c])) count++;
    return kinds[loss->kind].of ? count : count == channels;
}

/* Computes the loss of a sample with `steps` steps from step `first` on, times `factor`. Of the steps that count: *weight [OUT]:
 * sum of the class weights, *rows [OUT]: their number. */
static double sample_loss(const tl_loss_spec *loss, const tl_tensor *y, const tl_target *target, size_t first, size_t steps,
                          double factor, tl_real *gradient, double *weight, size_t *rows) {
    const size_t channels = y->shape[2];
    const bool labels = tl_loss_takes_labels(loss->kind);
    const pointwise of = kinds[loss->kind].of;
    size_t counted = 0;
    for (size_t row = first; row < first + steps; row++) counted += row_count(loss, target, row, channels);
    const double scale = counted > 0 ? factor / (double)counted : 0;
    double sum = 0;
    *weight = 0;
    *rows = 0;
    for (size_t row = first; row < first + steps; row++) {
        if (row_count(loss, target, row, channels) == 0) {
            if (gradient) memset(gradient + row * channels, 0, channels * sizeof *gradient);
            continue;
        }
        ++*rows;
        const tl_real *out = y->data + row * channels;
        tl_real *dy = gradient ? gradient + row * channels : NULL;
        if (labels)
            sum += cross_entropy_row(loss, out, channels, target, row, scale, dy);
        else if (of)
            sum += pointwise_row(loss, of, out, channels, target->values + row * channels, scale, dy);
        else
            sum += own_row(loss, out, channels, target->values + row * channels, scale, dy);
        *weight += labels ? row_weight(loss, target, row, channels) : 1;
    }
    return sum * scale;
}

double tl_loss_of(const tl_loss_spec *loss, const tl_tensor *y, const size_t *lengths, const tl_target *target, tl_real *gradient,
                  double *weight) {
    const size_t length = y->shape[1], channels = y->shape[2];
    double sum = 0, weights = 0;
    for (size_t i = 0; i < y->shape[0]; i++) {
        const double sample = target->weights ? (double)target->weights[i] : 1;
        const size_t steps = steps_of(y, lengths, i), own = (i * length + steps) * channels;
        size_t rows;
        sum += sample_loss(loss, y, target, i * length, steps, sample, gradient, weight, &rows);
        if (rows > 0) weights += sample * *weight / (double)rows;
        if (gradient) memset(gradient + own, 0, (length - steps) * channels * sizeof *gradient);
    }
    *weight = weights;
    return weights > 0 ? sum / weights : 0;
}

/* ---- predictions ---- */

void tl_loss_predict(tl_loss_kind kind, tl_real *y, size_t rows, size_t channels) {
    if (kind == TL_LOSS_BINARY_CROSS_ENTROPY)
        for (size_t i = 0; i < rows * channels; i++) y[i] = (tl_real)sigmoid((double)y[i]);
    if (kind != TL_LOSS_CROSS_ENTROPY) return;
    for (tl_real *row = y; row < y + rows * channels; row += channels) {
        const double total = tl_log_sum_exp(row, channels);
        for (size_t c = 0; c < channels; c++) row[c] = (tl_real)exp((double)row[c] - total);
    }
}
