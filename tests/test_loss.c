/* Losses compared with the formulas of the papers, their gradients with differences, and the effect of weights. */
#include "gradcheck.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { BATCH = 4, LENGTH = 3, CLASSES = 3, COUNT = BATCH * LENGTH * CLASSES };

static const double tolerance = sizeof(tl_real) == sizeof(float) ? 2e-6 : 1e-13;
static const double class_weights[CLASSES] = {0.5, 2, 1.25};
static const int32_t labels[BATCH * LENGTH] = {0, 2, 1, 1, 1, 2, 0, 0, 1, 2, 0, 2};
static const tl_real sample_weights[BATCH] = {1, (tl_real)0.25, 3, 2};

/* log cosh of the difference, steeper by the factor that `user` points to, summed over the outputs. */
static double log_cosh(const tl_real *y, const tl_real *values, size_t channels, tl_real *gradient, void *user) {
    const double steepness = *(const double *)user;
    double sum = 0;
    for (size_t c = 0; c < channels; c++) {
        const double d = steepness * ((double)y[c] - (double)values[c]);
        sum += log(cosh(d));
        if (gradient) gradient[c] = (tl_real)(steepness * tanh(d));
    }
    return sum;
}

static double steepness = 1.5;

/* Settings of every loss; values are in 0 … 1, as binary cross-entropy takes them. */
static const tl_compile_cfg settings[] = {
    {.loss = TL_LOSS_CROSS_ENTROPY},
    {.loss = TL_LOSS_CROSS_ENTROPY, .label_smoothing = 0.2},
    {.loss = TL_LOSS_CROSS_ENTROPY, .class_weights = class_weights},
    {.loss = TL_LOSS_CROSS_ENTROPY, .class_weights = class_weights, .label_smoothing = 0.1},
    {.loss = TL_LOSS_SQUARED_ERROR},
    {.loss = TL_LOSS_ABSOLUTE_ERROR},
    {.loss = TL_LOSS_HUBER},
    {.loss = TL_LOSS_HUBER, .huber_delta = 0.3},
    {.loss = TL_LOSS_OWN, .own_loss = log_cosh, .own_loss_user = &steepness},
    {.loss = TL_LOSS_BINARY_CROSS_ENTROPY},
};

enum { SETTINGS = sizeof settings / sizeof *settings };

/* The loss of one step, unweighted but for its classes, and the weight that its mean divides by. */
static double formula(const tl_compile_cfg *cfg, const tl_real *y, int32_t label, const tl_real *values, double *weight) {
    double sum = 0, loss = 0;
    const double delta = cfg->huber_delta > 0 ? cfg->huber_delta : 1, s = cfg->label_smoothing;
    for (int c = 0; c < CLASSES; c++) sum += exp((double)y[c]);
    *weight = cfg->class_weights ? cfg->class_weights[label] : 1;
    for (int c = 0; c < CLASSES; c++) {
        const double d = fabs((double)y[c] - (double)values[c]), p = 1 / (1 + exp(-(double)y[c])), t = (double)values[c];
        const double of_class = -log(exp((double)y[c]) / sum) * (cfg->class_weights ? cfg->class_weights[c] : 1);
        switch (cfg->loss) {
        case TL_LOSS_CROSS_ENTROPY:
            loss += ((1 - s) * (c == label) + s / CLASSES) * of_class;
            break;
        case TL_LOSS_SQUARED_ERROR:
            loss += d * d / CLASSES;
            break;
        case TL_LOSS_ABSOLUTE_ERROR:
            loss += d / CLASSES;
            break;
        case TL_LOSS_HUBER:
            loss += (d <= delta ? d * d / 2 : delta * (d - delta / 2)) / CLASSES;
            break;
        case TL_LOSS_BINARY_CROSS_ENTROPY:
            loss += -(t * log(p) + (1 - t) * log(1 - p)) / CLASSES;
            break;
        case TL_LOSS_OWN:
            loss += log(cosh(steepness * d));
            break;
        }
    }
    return loss;
}

/* Values in 0 … 1 and outputs. */
static void fill(tl_real *y, tl_real *values) {
    tl_rng rng = tl_rng_at(1, TL_STREAM_USER, 0, 0);
    fill_normal(y, COUNT, 3);
    for (int i = 0; i < COUNT; i++) values[i] = (tl_real)tl_rng_uniform(&rng);
}

static tl_target target_of(const tl_compile_cfg *cfg, const tl_real *values, const tl_real *weights) {
    const bool takes_labels = cfg->loss == TL_LOSS_CROSS_ENTROPY;
    return (tl_target){.labels = takes_labels ? labels : NULL, .values = takes_labels ? NULL : values, .weights = weights};
}

/* A model whose output is its input, or a dense layer of it. */
static tl_model *model_with(const tl_compile_cfg *cfg, bool dense) {
    tl_error error = {0};
    tl_compile_cfg full = *cfg;
    full.batch = BATCH;
    full.input_gradient = true;
    if (!full.optimizer.ops) full.optimizer = (tl_optimizer_cfg){.ops = tl_sgd(), .learning_rate = 0.5};
    tl_model *model = tl_model_new(NULL);
    tl_node x = tl_input(model, (tl_shape){.length = LENGTH, .channels = CLASSES});
    x = dense ? tl_dense(model, x, &(tl_dense_cfg){.units = CLASSES}) : tl_max_pool(model, x, &(tl_pool_cfg){.window = 1});
    tl_model_compile(model, x, &full, &error);
    check_ok(&error);
    return model;
}

static void given_any_loss_when_computed_then_the_weighted_mean_of_its_formula(void **unused) {
    (void)unused;
    tl_real y[COUNT], values[COUNT];
    fill(y, values);
    for (size_t i = 0; i < SETTINGS; i++)
        for (int weighted = 0; weighted < 2; weighted++) {
            tl_model *model = model_with(&settings[i], false);
            const tl_tensor x = TL_VIEW(y, BATCH, LENGTH, CLASSES);
            const tl_target target = target_of(&settings[i], values, weighted ? sample_weights : NULL);
            double sum = 0, weights = 0;
            for (int row = 0; row < BATCH * LENGTH; row++) {
                double weight;
                const double sample = weighted ? (double)sample_weights[row / LENGTH] : 1;
                sum += sample * formula(&settings[i], y + row * CLASSES, labels[row], values + row * CLASSES, &weight);
                weights += sample * weight;
            }
            tl_forward(model, &x, TL_MODE_INFERENCE);
            check_number(tl_loss_name(settings[i].loss), tl_loss(model, &target), sum / weights, tolerance, 0);
            check_number("weight", tl_loss_weight(model), weights / LENGTH, tolerance, 0);
            tl_model_free(model);
        }
}

static void given_any_loss_when_differentiated_then_as_differences_say(void **unused) {
    (void)unused;
    tl_real y[COUNT], values[COUNT];
    fill(y, values);
    for (size_t i = 0; i < SETTINGS; i++)
        for (int weighted = 0; weighted < 2; weighted++) {
            char what[80];
            tl_model *model = model_with(&settings[i], true);
            const tl_tensor x = TL_VIEW(y, BATCH, LENGTH, CLASSES);
            const tl_target target = target_of(&settings[i], values, weighted ? sample_weights : NULL);
            snprintf(what, sizeof what, "%s, settings %zu", tl_loss_name(settings[i].loss), i);
            gradcheck(what, model, &x, &target);
            tl_model_free(model);
        }
}

/* Samples `first` … `first + count - 1`, forwards and backwards. */
static double pass(tl_model *model, tl_real *y, const tl_target *all, size_t first, size_t count) {
    const tl_tensor x = TL_VIEW(y + first * LENGTH * CLASSES, count, LENGTH, CLASSES);
    const tl_target target = {.labels = all->labels ? all->labels + first * LENGTH : NULL,
                              .values = all->values ? all->values + first * LENGTH * CLASSES : NULL,
                              .weights = all->weights ? all->weights + first : NULL};
    tl_forward(model, &x, TL_MODE_TRAINING);
    const double loss = tl_loss(model, &target);
    tl_backward(model);
    check_ok(tl_model_error(model));
    return loss * tl_loss_weight(model);
}

static void given_weights_when_a_batch_is_split_then_the_same_step(void **unused) {
    (void)unused;
    tl_real y[COUNT], values[COUNT];
    fill(y, values);
    for (size_t i = 0; i < SETTINGS; i++) {
        tl_error error = {0};
        const tl_target target = target_of(&settings[i], values, sample_weights);
        tl_model *whole = model_with(&settings[i], true), *parts = model_with(&settings[i], true);
        const double sum = pass(whole, y, &target, 0, BATCH);
        const double of_parts = pass(parts, y, &target, 0, 1) + pass(parts, y, &target, 1, 3);
        check_number("sum of losses", of_parts, sum, tolerance, 0);
        tl_step(whole, &error);
        tl_step(parts, &error);
        check_ok(&error);
        check_parameters(parts, whole, tolerance, tolerance);
        tl_model_free(whole);
        tl_model_free(parts);
    }
}

static void given_weights_of_zero_when_computed_then_no_contribution(void **unused) {
    (void)unused;
    tl_real y[COUNT], values[COUNT], zeros[BATCH] = {0}, some[BATCH] = {0, 1, 1, 0};
    fill(y, values);
    tl_error error = {0};
    tl_model *model = model_with(&settings[0], true),
             *without = model_with(&(tl_compile_cfg){.class_weights = (double[]){1, 0, 1}}, true);
    const tl_target target = {.labels = labels}, of_some = {.labels = labels, .weights = some},
                    of_none = {.labels = labels, .weights = zeros}, ones = {.labels = (int32_t[]){1, 1, 1}};
    const double sum = pass(model, y, &target, 1, 2);
    check_number("loss", pass(model, y, &of_some, 0, BATCH), sum, tolerance, 0);
    tl_zero_grad(model);
    check_number("loss of no weight", pass(model, y, &of_none, 0, BATCH), 0, 0, 0);
    check_number("loss of a class of no weight", pass(without, y, &ones, 0, 1), 0, 0, 0);
    const tl_parameter weight = tl_parameter_at(model, 0);
    tl_real before[CLASSES * CLASSES];
    memcpy(before, weight.value.data, sizeof before);
    tl_step(model, &error);
    check_ok(&error);
    check_equal("parameters after a step on nothing", weight.value.data, before, CLASSES * CLASSES);
    tl_model_free(model);
    tl_model_free(without);
}

/* A distribution over the classes at each step: of labels `one`, and with a share for each step of labels `other`. */
static void mix_labels(const int32_t *one, const int32_t *other, const tl_real *share, tl_real *probabilities) {
    memset(probabilities, 0, COUNT * sizeof *probabilities);
    for (int row = 0; row < BATCH * LENGTH; row++) {
        probabilities[row * CLASSES + one[row]] += 1 - share[row / LENGTH];
        probabilities[row * CLASSES + other[row]] += share[row / LENGTH];
    }
}

static const int32_t other_labels[BATCH * LENGTH] = {1, 2, 0, 0, 1, 1, 2, 0, 2, 2, 1, 0};
static const tl_real shares[BATCH] = {(tl_real)0.25, 0, 1, (tl_real)0.6};

static void given_probabilities_when_computed_then_the_mixture_of_losses(void **unused) {
    (void)unused;
    tl_real y[COUNT], values[COUNT], probabilities[COUNT];
    fill(y, values);
    mix_labels(labels, other_labels, shares, probabilities);
    const tl_tensor x = TL_VIEW(y, BATCH, LENGTH, CLASSES);
    for (size_t i = 0; settings[i].loss == TL_LOSS_CROSS_ENTROPY; i++) {
        tl_model *dense = model_with(&settings[i], true), *model = model_with(&settings[i], false);
        double sum = 0, weights = 0;
        for (int row = 0; row < BATCH * LENGTH; row++) {
            const double part = (double)shares[row / LENGTH], sample = (double)sample_weights[row / LENGTH];
            double one, other;
            sum += sample * (1 - part) * formula(&settings[i], y + row * CLASSES, labels[row], values, &one);
            sum += sample * part * formula(&settings[i], y + row * CLASSES, other_labels[row], values, &other);
            weights += sample * ((1 - part) * one + part * other);
        }
        const tl_target target = {.probabilities = probabilities, .weights = sample_weights};
        tl_forward(model, &x, TL_MODE_INFERENCE);
        check_number("mixed loss", tl_loss(model, &target), sum / weights, tolerance, 0);
        check_number("weight", tl_loss_weight(model), weights / LENGTH, tolerance, 0);
        gradcheck("mixed loss", dense, &x, &target);
        tl_model_free(dense);
        tl_model_free(model);
    }
}

static void given_large_logits_when_computed_then_nothing_overflows(void **unused) {
    (void)unused;
    tl_real y[] = {1000, -1000, 0, 1000, 1000, 0, 0, 0, 0}, values[] = {1, 1, 0, 1, 0, 1, 0, 0, 0};
    const tl_tensor x = TL_VIEW(y, 1, LENGTH, CLASSES);
    tl_model *binary = model_with(&settings[SETTINGS - 1], false), *softmax = model_with(&settings[0], false);
    tl_forward(binary, &x, TL_MODE_TRAINING);
    check_number("binary cross-entropy", tl_loss(binary, &(tl_target){.values = values}), (2000 + 5 * log(2)) / 9, 1e-6, 0);
    tl_backward(binary);
    const double slopes[] = {0, -1, 0.5, 0, 1, -0.5, 0.5, 0.5, 0.5};
    for (int i = 0; i < 9; i++) check_number("slope", (double)tl_input_gradient(binary).data[i], slopes[i] / 9, 1e-6, 1e-12);
    tl_forward(softmax, &x, TL_MODE_INFERENCE);
    check_number("cross-entropy", tl_loss(softmax, &(tl_target){.labels = (int32_t[]){1, 0, 2}}), (2000 + log(2) + log(3)) / 3,
                 1e-6, 0);
    tl_model_free(binary);
    tl_model_free(softmax);
}

static void given_lengths_when_computed_then_steps_behind_them_count_for_nothing(void **unused) {
    (void)unused;
    tl_real y[2 * LENGTH * CLASSES];
    fill_normal(y, 2 * LENGTH * CLASSES, 5);
    memset(y + CLASSES, 0, 2 * CLASSES * sizeof *y); /* the first sample has one step */
    const int32_t padded[] = {1, -1, -1, 2, 0, 1};
    const tl_tensor x = TL_VIEW(y, 2, LENGTH, CLASSES);
    tl_model *model = model_with(&settings[0], false);
    tl_set_lengths(model, (const size_t[]){1, LENGTH}, 2);
    tl_forward(model, &x, TL_MODE_TRAINING);
    double expected = 0, weight;
    expected += formula(&settings[0], y, 1, y, &weight) / 2;
    for (int t = 0; t < LENGTH; t++)
        expected += formula(&settings[0], y + (LENGTH + t) * CLASSES, padded[LENGTH + t], y, &weight) / (2 * LENGTH);
    check_number("loss", tl_loss(model, &(tl_target){.labels = padded}), expected, tolerance, 0);
    tl_backward(model);
    check_ok(tl_model_error(model));
    const tl_tensor dx = tl_input_gradient(model);
    assert_true(dx.data[0] != 0);
    check_equal("gradient behind the length", dx.data + CLASSES, y + CLASSES, 2 * CLASSES);
    tl_model_free(model);
}

static void given_a_binary_loss_when_predicted_then_the_sigmoid_of_the_output(void **unused) {
    (void)unused;
    tl_real y[COUNT], values[COUNT], predicted[COUNT] = {0};
    fill(y, values);
    tl_error error = {0};
    const tl_tensor x = TL_VIEW(y, BATCH, LENGTH, CLASSES);
    tl_tensor to = TL_VIEW(predicted, BATCH, LENGTH, CLASSES);
    tl_model *model = model_with(&settings[SETTINGS - 1], false);
    tl_predict(model, &x, NULL, &to, &error);
    check_ok(&error);
    for (int i = 0; i < COUNT; i++) check_number("probability", (double)predicted[i], 1 / (1 + exp(-(double)y[i])), tolerance, 0);
    tl_model_free(model);
}

static void given_class_weights_when_evaluated_then_the_weighted_mean(void **unused) {
    (void)unused;
    enum { SAMPLES = 7 };
    tl_real x[SAMPLES * CLASSES], values[COUNT];
    int32_t own[SAMPLES] = {0, 1, 1, 2, 0, 1, 1};
    fill_normal(x, SAMPLES * CLASSES, 4);
    const tl_dataset data = {.x = TL_VIEW(x, SAMPLES, 1, CLASSES), .labels = own, .classes = CLASSES};
    tl_error error = {0};
    tl_model *model = tl_model_new(NULL);
    const tl_node y = tl_flatten(model, tl_input(model, (tl_shape){.length = 1, .channels = CLASSES}));
    tl_model_compile(model, y, &(tl_compile_cfg){.batch = 3, .class_weights = class_weights}, &error);
    tl_metrics metrics;
    tl_evaluate(model, &data, &metrics, &error);
    check_ok(&error);
    double sum = 0, weights = 0;
    memset(values, 0, sizeof values);
    for (int i = 0; i < SAMPLES; i++) {
        double weight;
        sum += formula(&settings[2], x + i * CLASSES, own[i], values, &weight);
        weights += weight;
    }
    check_number("loss", metrics.loss, sum / weights, tolerance, 0);
    tl_model_free(model);
}

/* ---- names and errors ---- */

static void given_wrong_settings_when_compiled_then_named(void **unused) {
    (void)unused;
    const struct {
        tl_compile_cfg cfg;
        const char *text;
    } cases[] = {
        {{.loss = (tl_loss_kind)9}, "compile: loss 9 is unknown"},
        {{.label_smoothing = 1}, "compile: label smoothing 1 is outside [0, 1)"},
        {{.label_smoothing = 0.1, .loss = TL_LOSS_HUBER}, "compile: label smoothing 0.1 does not apply to huber"},
        {{.huber_delta = -1, .loss = TL_LOSS_HUBER}, "compile: huber delta -1 is not a number of at least 0"},
        {{.huber_delta = 2}, "compile: huber delta 2 does not apply to cross-entropy"},
        {{.loss = TL_LOSS_OWN}, "compile: loss own needs own_loss"},
        {{.own_loss = log_cosh}, "compile: own_loss does not apply to cross-entropy"},
        {{.class_weights = class_weights, .loss = TL_LOSS_SQUARED_ERROR}, "compile: class weights do not apply to squared-error"},
        {{.class_weights = (double[]){1, NAN, 1}}, "compile: class 1: weight nan is not a number of at least 0"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tl_error error = {0};
        tl_model *model = tl_model_new(NULL);
        const tl_node x = tl_input(model, (tl_shape){.length = 1, .channels = CLASSES});
        tl_model_compile(model, tl_dense(model, x, &(tl_dense_cfg){.units = CLASSES}), &cases[i].cfg, &error);
        check_error(&error, TL_ERROR_ARGUMENT, cases[i].text);
        tl_model_free(model);
    }
}

static void given_wrong_targets_when_computed_then_named(void **unused) {
    (void)unused;
    tl_real y[LENGTH * CLASSES] = {0}, wrong[LENGTH * CLASSES] = {0, (tl_real)0.5, (tl_real)0.5, 0, 0, (tl_real)1.5},
                       sums[LENGTH * CLASSES] = {1, 0, 0, (tl_real)0.5, (tl_real)0.25},
                       not_a_number[LENGTH * CLASSES] = {(tl_real)NAN};
    const tl_tensor x = TL_VIEW(y, 1, LENGTH, CLASSES);
    const struct {
        size_t settings;
        tl_target target;
        const char *text;
    } cases[] = {
        {0, {.values = y}, "loss: cross-entropy needs labels, but none were given"},
        {0, {.labels = (int32_t[]){0, 3, 0}}, "loss: label 3 of sample 0 is outside 0 … 2"},
        {0, {.labels = labels, .weights = (tl_real[]){-1}}, "loss: sample 0: weight -1 is not a number of at least 0"},
        {0, {.labels = labels, .probabilities = y}, "loss: labels and probabilities were given; give only one of them"},
        {0, {.probabilities = wrong}, "loss: probability 1.5 of sample 0 is outside 0 … 1"},
        {0, {.probabilities = sums}, "loss: probabilities of sample 0 add up to 0.75, not to 1"},
        {0, {.probabilities = not_a_number}, "loss: probability nan of sample 0 is outside 0 … 1"},
        {5, {.labels = labels}, "loss: absolute-error needs target values, but none were given"},
        {SETTINGS - 1, {.values = wrong}, "loss: target value 1.5 of sample 0 is outside 0 … 1"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tl_model *model = model_with(&settings[cases[i].settings], false);
        tl_forward(model, &x, TL_MODE_TRAINING);
        assert_true(isnan(tl_loss(model, &cases[i].target)));
        check_error(tl_model_error(model), TL_ERROR_ARGUMENT, cases[i].text);
        tl_model_free(model);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(given_any_loss_when_computed_then_the_weighted_mean_of_its_formula),
        cmocka_unit_test(given_any_loss_when_differentiated_then_as_differences_say),
        cmocka_unit_test(given_weights_when_a_batch_is_split_then_the_same_step),
        cmocka_unit_test(given_weights_of_zero_when_computed_then_no_contribution),
        cmocka_unit_test(given_probabilities_when_computed_then_the_mixture_of_losses),
        cmocka_unit_test(given_large_logits_when_computed_then_nothing_overflows),
        cmocka_unit_test(given_lengths_when_computed_then_steps_behind_them_count_for_nothing),
        cmocka_unit_test(given_a_binary_loss_when_predicted_then_the_sigmoid_of_the_output),
        cmocka_unit_test(given_class_weights_when_evaluated_then_the_weighted_mean),
        cmocka_unit_test(given_wrong_settings_when_compiled_then_named),
        cmocka_unit_test(given_wrong_targets_when_computed_then_named),
    };
    return check_run(tests);
}
