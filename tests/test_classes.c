/* Classes and outputs: one output for each class, one definition of the predicted class, and no softmax of a softmax. */
#include "check.h"

#include <tapline/architecture.h>
#include <tapline/ensemble.h>
#include <tapline/file.h>
#include <tapline/find_learning_rate.h>
#include <tapline/layers.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { SERIES = 4, LENGTH = 3, CLASSES = 2 };

static tl_real x[SERIES * LENGTH] = {1, 2, 3, 3, 2, 1, 1, 1, 1, 0, 2, 0};
static int32_t labels[SERIES] = {0, 1, 0, 1};
static char *names[CLASSES] = {"calm", "busy"};
static const tl_dataset two_classes = {
    .x = {.data = x, .rank = 3, .shape = {SERIES, LENGTH, 1}}, .labels = labels, .classes = CLASSES, .class_names = names};

static tl_model *with_outputs(size_t outputs) {
    tl_error error = {0};
    tl_model *model = tl_model_new(NULL);
    const tl_node in = tl_global_average_pool(model, tl_input(model, (tl_shape){LENGTH, 1}));
    tl_model_compile(model, tl_dense(model, in, &(tl_dense_cfg){.units = outputs}), &(tl_compile_cfg){.batch = 2}, &error);
    check_ok(&error);
    return model;
}

/* Functions with classes accept the data, or say why not. */
static void check_each(tl_model *model, tl_status status, const char *text) {
    tl_metrics metrics;
    tl_rate_curve *curve = tl_rate_curve_new(NULL);
    size_t counts[16];
    for (int call = 0; call < 6; call++) {
        tl_error error = {0};
        if (call == 0) tl_fit(model, &two_classes, NULL, NULL, &error);
        if (call == 1) tl_evaluate(model, &two_classes, &metrics, &error);
        if (call == 2) tl_confusion(model, &two_classes, counts, &error);
        if (call == 3) tl_model_takes(model, &two_classes, &error);
        if (call == 4) tl_find_learning_rate(model, &two_classes, NULL, NULL, curve, &error);
        if (call == 5) tl_model_save(model, "/dev/null", &(tl_save_cfg){.data = &two_classes}, &error);
        check_error(&error, status, text);
    }
    tl_rate_curve_free(curve);
}

static void given_outputs_unlike_classes_when_used_then_both_are_named(void **unused) {
    (void)unused;
    tl_model *fewer = with_outputs(1), *more = with_outputs(4);
    check_each(fewer, TL_ERROR_SHAPE, "2 classes exceed the 1 outputs of the model; its last layer needs one unit for each class");
    check_each(more, TL_ERROR_SHAPE, "2 classes are fewer than the 4 outputs of the model; its last layer needs one unit for each");
    tl_model_free(fewer);
    tl_model_free(more);
}

static void given_other_outputs_than_classes_when_averaged_then_refused(void **unused) {
    (void)unused;
    tl_error error = {0};
    tl_metrics metrics;
    tl_model *more = with_outputs(4);
    tl_ensemble *ensemble = tl_ensemble_new(&two_classes, &error);
    tl_ensemble_add(ensemble, more, &error);
    tl_ensemble_evaluate(ensemble, &metrics, &error);
    check_error(&error, TL_ERROR_SHAPE, "data: 2 classes are fewer than the 4 outputs");
    tl_ensemble_free(ensemble);
    tl_model_free(more);
}

static void given_equal_outputs_when_a_class_is_predicted_then_the_first(void **unused) {
    (void)unused;
    tl_error error = {0};
    tl_metrics metrics;
    size_t counts[9];
    tl_real logits[] = {1, 1, 0, 0, 2, 2, 3, 3, 3};
    int32_t first[] = {0, 1, 0};
    const tl_dataset data = {.x = TL_VIEW(logits, 3, 1, 3), .labels = first, .classes = 3};
    tl_model *model = tl_model_new(NULL);
    tl_model_compile(model, tl_flatten(model, tl_input(model, (tl_shape){1, 3})), NULL, &error);
    tl_evaluate(model, &data, &metrics, &error);
    tl_confusion(model, &data, counts, &error);
    check_ok(&error);
    check_number("accuracy", metrics.accuracy, 1, 0, 0);
    assert_true(counts[0] == 2 && counts[4] == 1);
    tl_model_free(model);
}

/* ---- the last layer ---- */

static tl_node softmax_end(tl_model *m, tl_node h) { return tl_softmax(m, h); }
static tl_node sigmoid_end(tl_model *m, tl_node h) { return tl_sigmoid(m, h); }
static tl_node hard_end(tl_model *m, tl_node h) { return tl_hard_sigmoid(m, h); }
static tl_node dropped_end(tl_model *m, tl_node h) {
    return tl_flatten(m, tl_dropout(m, tl_softmax(m, h), &(tl_dropout_cfg){.rate = 0.1}));
}
static tl_node joined_end(tl_model *m, tl_node h) { return tl_concat(m, (const tl_node[]){h, tl_sigmoid(m, h)}, 2); }
static tl_node linear_end(tl_model *m, tl_node h) { return tl_dense(m, tl_softmax(m, h), &(tl_dense_cfg){.units = 2}); }
static tl_node tanh_end(tl_model *m, tl_node h) { return tl_tanh(m, h); }

static tl_status compile_end(tl_node (*end)(tl_model *, tl_node), tl_loss_kind loss, bool inference, tl_error *error) {
    tl_model *model = tl_model_new(NULL);
    const tl_node in = tl_global_average_pool(model, tl_input(model, (tl_shape){LENGTH, 1}));
    const tl_node h = tl_dense(model, in, &(tl_dense_cfg){.units = 2});
    tl_model_compile(model, end(model, h), &(tl_compile_cfg){.loss = loss, .inference_only = inference}, error);
    tl_model_free(model);
    return error->status;
}

static void given_probabilities_before_softmax_loss_when_compiled_then_named(void **unused) {
    (void)unused;
    static const struct {
        tl_node (*end)(tl_model *, tl_node);
        tl_loss_kind loss;
        const char *text; /* NULL: fine */
    } cases[] = {
        {softmax_end, TL_LOSS_CROSS_ENTROPY,
         "layer 3 (softmax): the loss cross-entropy already contains a softmax; leave this layer out"},
        {sigmoid_end, TL_LOSS_CROSS_ENTROPY, "layer 3 (sigmoid): the loss cross-entropy already contains a softmax"},
        {hard_end, TL_LOSS_CROSS_ENTROPY, "layer 3 (hard_sigmoid): the loss cross-entropy already contains"},
        {dropped_end, TL_LOSS_CROSS_ENTROPY, "layer 3 (softmax): the loss cross-entropy already contains"},
        {joined_end, TL_LOSS_CROSS_ENTROPY, "layer 3 (sigmoid): the loss cross-entropy already contains"},
        {softmax_end, TL_LOSS_BINARY_CROSS_ENTROPY, "layer 3 (softmax): the loss binary-cross-entropy already contains a sigmoid"},
        {sigmoid_end, TL_LOSS_BINARY_CROSS_ENTROPY, "layer 3 (sigmoid): the loss binary-cross-entropy already contains a sigmoid"},
        {softmax_end, TL_LOSS_SQUARED_ERROR, NULL},
        {sigmoid_end, TL_LOSS_HUBER, NULL},
        {linear_end, TL_LOSS_CROSS_ENTROPY, NULL},
        {tanh_end, TL_LOSS_CROSS_ENTROPY, NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (int inference = 0; inference < 2; inference++) {
            tl_error error = {0};
            compile_end(cases[i].end, cases[i].loss, inference, &error);
            if (cases[i].text)
                check_error(&error, TL_ERROR_ARGUMENT, cases[i].text);
            else
                check_ok(&error);
        }
}

static void given_a_final_softmax_in_a_file_when_compiled_then_named(void **unused) {
    (void)unused;
    static const char text[] = "{\"layers\":[{\"type\":\"global_average_pool\"},{\"type\":\"dense\",\"units\":\"outputs\"},"
                               "{\"type\":\"softmax\"},{\"type\":\"dropout\",\"rate\":0.1}]}";
    tl_error error = {0};
    tl_model *model = tl_model_new(NULL);
    const tl_node in = tl_input(model, (tl_shape){LENGTH, 1});
    tl_model_compile(model, tl_architecture_from_json(model, in, text, &(tl_architecture_cfg){.outputs = 2}), NULL, &error);
    check_error(&error, TL_ERROR_ARGUMENT, "layer 3 (softmax): the loss cross-entropy already contains a softmax");
    tl_model_free(model);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(given_outputs_unlike_classes_when_used_then_both_are_named),
        cmocka_unit_test(given_other_outputs_than_classes_when_averaged_then_refused),
        cmocka_unit_test(given_equal_outputs_when_a_class_is_predicted_then_the_first),
        cmocka_unit_test(given_probabilities_before_softmax_loss_when_compiled_then_named),
        cmocka_unit_test(given_a_final_softmax_in_a_file_when_compiled_then_named),
    };
    return check_run(tests);
}
