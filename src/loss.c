#include "loss.h"

#include "argument.h"

#include <math.h>

static const char *const names[] = {[TL_CROSS_ENTROPY] = "cross-entropy", [TL_SQUARED_ERROR] = "squared-error"};

static const char *name_at(size_t index) { return index < sizeof names / sizeof *names ? names[index] : NULL; }

const char *tl_loss_name(tl_loss_kind kind) { return name_at((size_t)kind); }

tl_status tl_loss_by_name(const char *name, tl_loss_kind *kind, tl_error *error) {
    tl_error own = {0};
    if (!error) error = &own;
    const size_t index = tl_find_name("loss", name, name_at, error);
    if (!tl_failed(error)) *kind = (tl_loss_kind)index;
    return error->status;
}

tl_status tl_loss_check(tl_loss_kind kind, const tl_tensor *y, const tl_target *target, tl_error *error) {
    if (kind == TL_SQUARED_ERROR) {
        if (!target->values) return tl_fail(error, TL_ERROR_ARGUMENT, "loss: squared error needs target values, none were given");
        return TL_OK;
    }
    if (!target->labels) return tl_fail(error, TL_ERROR_ARGUMENT, "loss: cross-entropy needs labels, none were given");
    const size_t length = y->shape[1], rows = y->shape[0] * length, classes = y->shape[2];
    for (size_t row = 0; row < rows; row++) {
        const int32_t label = target->labels[row];
        if (label < 0 || (size_t)label >= classes)
            return tl_fail(error, TL_ERROR_ARGUMENT, "loss: label %d of sample %zu is outside 0 … %zu", label, row / length,
                           classes - 1);
    }
    return TL_OK;
}

/* log sum exp of a row; with the maximum subtracted nothing overflows. */
static double log_sum_exp(const tl_real *logits, size_t channels) {
    double largest = (double)logits[0], sum = 0;
    for (size_t c = 1; c < channels; c++) largest = fmax(largest, (double)logits[c]);
    for (size_t c = 0; c < channels; c++) sum += exp((double)logits[c] - largest);
    return largest + log(sum);
}

void tl_softmax_row(const tl_real *logits, size_t channels, tl_real *probability) {
    const double total = log_sum_exp(logits, channels);
    for (size_t c = 0; c < channels; c++) probability[c] = (tl_real)exp((double)logits[c] - total);
}

/* loss = log sum exp(logits) - logit of the label; gradient = softmax - one-hot. */
static double cross_entropy_row(const tl_real *logits, size_t channels, int32_t label, double scale, tl_real *gradient) {
    const double total = log_sum_exp(logits, channels);
    if (gradient) {
        for (size_t c = 0; c < channels; c++) gradient[c] = (tl_real)(scale * exp((double)logits[c] - total));
        gradient[label] -= (tl_real)scale;
    }
    return total - (double)logits[label];
}

static double squared_error_row(const tl_real *y, size_t channels, const tl_real *value, double scale, tl_real *gradient) {
    double sum = 0;
    for (size_t c = 0; c < channels; c++) {
        const tl_real difference = y[c] - value[c];
        sum += (double)difference * (double)difference;
        if (gradient) gradient[c] = (tl_real)(2 * scale) * difference;
    }
    return sum;
}

double tl_loss_of(tl_loss_kind kind, const tl_tensor *y, const tl_target *target, tl_real *gradient) {
    const size_t batch = y->shape[0], length = y->shape[1], channels = y->shape[2];
    const double share = kind == TL_SQUARED_ERROR ? 1.0 / (double)(length * channels) : 1.0 / (double)length;
    double sum = 0;
    for (size_t row = 0; row < batch * length; row++) {
        const tl_real *out = y->data + row * channels;
        tl_real *dy = gradient ? gradient + row * channels : NULL;
        sum += kind == TL_SQUARED_ERROR ? squared_error_row(out, channels, target->values + row * channels, share, dy)
                                        : cross_entropy_row(out, channels, target->labels[row], share, dy);
    }
    return sum * share / (double)batch;
}
