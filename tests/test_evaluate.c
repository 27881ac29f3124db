/* What evaluation and prediction refuse, with which words; and that what asks a model that is not there gets an answer. */
#include "check.h"

#include <math.h>

enum { SERIES = 3, LENGTH = 4 };

static tl_real values[SERIES * LENGTH];
static int32_t labels[SERIES] = {0, 1, 0};
static tl_real targets[SERIES] = {1, 2, 3};
static const tl_dataset classified = {
    .x = {.data = values, .rank = 3, .shape = {SERIES, LENGTH, 1}}, .labels = labels, .classes = 2};
static const tl_dataset regression = {.x = {.data = values, .rank = 3, .shape = {SERIES, LENGTH, 1}}, .values = targets};

/* A dense layer on the last step, or on each where `steps`. */
static tl_model *make_model(size_t units, tl_loss_kind loss, bool steps) {
    tl_error error = {0};
    tl_model *model = tl_model_new(NULL);
    tl_node x = tl_input(model, (tl_shape){LENGTH, 1});
    if (!steps) x = tl_last_step(model, x);
    tl_model_compile(model, tl_dense(model, x, &(tl_dense_cfg){.units = units}), &(tl_compile_cfg){.batch = 2, .loss = loss},
                     &error);
    check_ok(&error);
    return model;
}

static void check_evaluation(tl_model *model, const tl_dataset *data, tl_status status, const char *text) {
    tl_error error = {0};
    tl_metrics metrics;
    assert_int_equal(tl_evaluate(model, data, &metrics, &error), status);
    check_error(&error, status, text);
    assert_int_equal(tl_evaluate(model, data, &metrics, NULL), status);
    tl_model_free(model);
}

static tl_dataset with_shape(tl_dataset data, size_t series, size_t length, size_t channels) {
    data.x.shape[0] = series;
    data.x.shape[1] = length;
    data.x.shape[2] = channels;
    return data;
}

static void given_data_of_wrong_shape_when_evaluated_then_both_shapes_named(void **unused) {
    (void)unused;
    const tl_dataset none = with_shape(classified, 0, LENGTH, 1), shorter = with_shape(classified, SERIES, 3, 1),
                     wider = with_shape(classified, 1, LENGTH, 2), many = with_shape(classified, (size_t)1 << 32, LENGTH, 1);
    tl_dataset flat = classified, wrong = classified, negative = classified, absent = classified;
    flat.x.rank = 2;
    absent.x.data = NULL;
    wrong.labels = (int32_t[]){0, 2, 0};
    negative.labels = (int32_t[]){0, 0, -2};
    const struct {
        const tl_dataset *data;
        const char *text;
        size_t units;
        tl_loss_kind loss;
        tl_status status;
        bool steps;
    } cases[] = {
        {&none, "evaluate: the data set has no samples", 2, TL_LOSS_CROSS_ENTROPY, TL_ERROR_SHAPE, false},
        {&flat, "evaluate: x of the data set is (3, 4); it should be (count, length, channels)", 2, TL_LOSS_CROSS_ENTROPY,
         TL_ERROR_SHAPE, false},
        {&absent, "evaluate: the data set has no samples", 2, TL_LOSS_CROSS_ENTROPY, TL_ERROR_SHAPE, false},
        {&shorter, "data: series are (3, 1); the model takes (4, 1)", 2, TL_LOSS_CROSS_ENTROPY, TL_ERROR_SHAPE, false},
        {&wider, "data: series are (4, 2); the model takes (4, 1)", 2, TL_LOSS_CROSS_ENTROPY, TL_ERROR_SHAPE, false},
        {&many, "data: 4294967296 samples exceed 4294967295", 2, TL_LOSS_CROSS_ENTROPY, TL_ERROR_SHAPE, false},
        {&classified, "data: each series has targets for 1 step, but the output of the model has length 4", 2,
         TL_LOSS_CROSS_ENTROPY, TL_ERROR_SHAPE, true},
        {&regression, "data: cross-entropy needs labels, but the data set has none", 2, TL_LOSS_CROSS_ENTROPY, TL_ERROR_ARGUMENT,
         false},
        {&classified, "data: 2 classes exceed the 1 outputs of the model", 1, TL_LOSS_CROSS_ENTROPY, TL_ERROR_SHAPE, false},
        {&wrong, "data: label 2 of sample 1 is outside 0 … 1", 2, TL_LOSS_CROSS_ENTROPY, TL_ERROR_ARGUMENT, false},
        {&negative, "data: label -2 of sample 2 is outside 0 … 1", 2, TL_LOSS_CROSS_ENTROPY, TL_ERROR_ARGUMENT, false},
        {&classified, "data: squared-error needs target values, but the data set has none", 1, TL_LOSS_SQUARED_ERROR,
         TL_ERROR_ARGUMENT, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        check_evaluation(make_model(cases[i].units, cases[i].loss, cases[i].steps), cases[i].data, cases[i].status, cases[i].text);
    check_evaluation(tl_model_new(NULL), &classified, TL_ERROR_STATE, "evaluate: the model is not compiled");
}

static void given_a_model_in_error_or_wrong_lengths_when_evaluated_then_its_words(void **unused) {
    (void)unused;
    const tl_real x[LENGTH] = {0};
    const tl_tensor four = TL_VIEW(x, 4, 1, 1);
    tl_model *model = make_model(2, TL_LOSS_CROSS_ENTROPY, false);
    tl_forward(model, &four, TL_MODE_INFERENCE);
    check_evaluation(model, &classified, TL_ERROR_SHAPE, "x is (4, 1, 1); the model takes (batch, 4, 1)");
    tl_dataset longer = classified;
    longer.lengths = (size_t[]){4, 5, 1};
    check_evaluation(make_model(2, TL_LOSS_CROSS_ENTROPY, false), &longer, TL_ERROR_SHAPE,
                     "data: sample 1 has length 5, outside 1 … 4");
}

static void given_no_classes_when_a_confusion_is_asked_for_then_refused(void **unused) {
    (void)unused;
    tl_error error = {0};
    size_t counts[4];
    tl_model *model = make_model(1, TL_LOSS_SQUARED_ERROR, false);
    tl_confusion(model, &regression, counts, &error);
    check_error(&error, TL_ERROR_ARGUMENT, "confusion: the model was compiled for squared-error, which has no classes");
    assert_int_equal(tl_confusion(model, &regression, counts, NULL), TL_ERROR_ARGUMENT);
    tl_model_free(model);
    model = make_model(2, TL_LOSS_CROSS_ENTROPY, false);
    error = (tl_error){0};
    assert_int_equal(tl_confusion(model, &regression, counts, &error), TL_ERROR_ARGUMENT);
    check_error(&error, TL_ERROR_ARGUMENT, "cross-entropy needs labels");
    tl_model_free(model);
}

static void given_arrays_of_wrong_shape_when_predicted_then_both_shapes_named(void **unused) {
    (void)unused;
    tl_real room[SERIES * LENGTH] = {0};
    const struct {
        tl_tensor x, y;
        const size_t *lengths;
        const char *text;
    } cases[] = {
        {TL_VIEW(values, 3, 3, 1), TL_VIEW(room, 3, 1, 2), NULL, "predict: x is (3, 3, 1); the model takes (count, 4, 1)"},
        {TL_VIEW(values, 1, 4, 2), TL_VIEW(room, 3, 1, 2), NULL, "predict: x is (1, 4, 2); the model takes (count, 4, 1)"},
        {TL_VIEW(values, 3, 4), TL_VIEW(room, 3, 1, 2), NULL, "predict: x is (3, 4); the model takes (count, 4, 1)"},
        {TL_VIEW(values, 3, 4, 1), TL_VIEW(room, 2, 1, 2), NULL, "predict: y is (2, 1, 2); it should be (3, 1, 2)"},
        {TL_VIEW(values, 3, 4, 1), TL_VIEW(room, 3, 2, 2), NULL, "predict: y is (3, 2, 2); it should be (3, 1, 2)"},
        {TL_VIEW(values, 3, 4, 1), TL_VIEW(room, 3, 1, 1), NULL, "predict: y is (3, 1, 1); it should be (3, 1, 2)"},
        {TL_VIEW(values, 3, 4, 1), TL_VIEW(room, 3, 2), NULL, "predict: y is (3, 2); it should be (3, 1, 2)"},
        {TL_VIEW(values, 3, 4, 1), TL_VIEW(room, 3, 1, 2), (const size_t[]){4, 0, 4},
         "predict: sample 1 has length 0, outside 1 … 4"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tl_error error = {0};
        tl_tensor y = cases[i].y;
        tl_model *model = make_model(2, TL_LOSS_CROSS_ENTROPY, false);
        tl_predict(model, &cases[i].x, cases[i].lengths, &y, &error);
        check_error(&error, TL_ERROR_SHAPE, cases[i].text);
        assert_int_equal(tl_predict(model, &cases[i].x, NULL, &y, &error), TL_ERROR_SHAPE); /* which stays */
        tl_model_free(model);
    }
    tl_error error = {0};
    tl_tensor y = TL_VIEW(room, 3, 1, 2);
    const tl_tensor x = TL_VIEW(values, 3, 4, 1);
    tl_model *model = tl_model_new(NULL);
    tl_predict(model, &x, NULL, &y, &error);
    check_error(&error, TL_ERROR_STATE, "predict: the model is not compiled");
    assert_int_equal(tl_predict(model, &x, NULL, &y, NULL), TL_ERROR_STATE);
    tl_relu(model, (tl_node){.id = 7});
    error = (tl_error){0};
    tl_predict(model, &x, NULL, &y, &error);
    check_error(&error, TL_ERROR_ARGUMENT, "(relu): input 0 is node 7; the model has 0 nodes");
    tl_model_free(model);
}

static void given_no_model_or_one_not_compiled_when_asked_then_nothing(void **unused) {
    (void)unused;
    tl_model *bare = tl_model_new(NULL);
    tl_model *models[] = {NULL, bare};
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(tl_input_shape(models[i]).length, 0);
        assert_int_equal(tl_output_shape(models[i]).channels, 0);
        assert_int_equal(tl_node_shape(models[i], (tl_node){.id = 0}).length, 0);
        assert_int_equal(tl_node_shape(models[i], (tl_node){.id = -1}).length, 0);
        assert_int_equal(tl_parameter_count(models[i]), 0);
        assert_int_equal(tl_parameter_arrays(models[i]), 0);
        assert_null(tl_parameter_at(models[i], 0).name);
    }
    tl_model_free(bare);
    tl_model *model = make_model(2, TL_LOSS_CROSS_ENTROPY, false);
    assert_int_equal(tl_node_shape(model, (tl_node){.id = 99}).length, 0);
    tl_model_free(model);
    tl_error error = {0};
    model = tl_model_new(&(tl_model_cfg){.threads = -2});
    tl_model_compile(model, tl_input(model, (tl_shape){LENGTH, 1}), NULL, &error);
    check_error(&error, TL_ERROR_ARGUMENT, "model: -2 threads are outside 0 … 1024");
    tl_model_free(model);
}

static void given_a_learning_rate_that_is_none_when_set_then_refused(void **unused) {
    (void)unused;
    static const double rates[] = {-1, (double)NAN, (double)INFINITY, 1e31};
    for (size_t i = 0; i < sizeof rates / sizeof *rates; i++) {
        tl_model *model = make_model(2, TL_LOSS_CROSS_ENTROPY, false);
        tl_set_learning_rate(model, rates[i]);
        check_error(tl_model_error(model), TL_ERROR_ARGUMENT, "is not a number from 0 to 1e30");
        tl_model_free(model);
    }
}

static void given_a_sum_of_more_inputs_than_there_may_be_then_refused(void **unused) {
    (void)unused;
    tl_error error = {0};
    tl_node nodes[TL_MAX_INPUTS + 1];
    tl_model *model = tl_model_new(NULL);
    nodes[0] = tl_input(model, (tl_shape){LENGTH, 1});
    for (size_t i = 1; i <= TL_MAX_INPUTS; i++) nodes[i] = nodes[0];
    tl_model_compile(model, tl_add(model, nodes, TL_MAX_INPUTS + 1), NULL, &error);
    check_error(&error, TL_ERROR_ARGUMENT, "(add): 9 inputs exceed the limit of 8");
    tl_model_free(model);
    model = tl_model_new(NULL);
    error = (tl_error){0};
    const tl_node one = tl_input(model, (tl_shape){LENGTH, 1}), other = tl_input(model, (tl_shape){LENGTH, 1});
    tl_model_compile(model, tl_add(model, (const tl_node[]){one, other}, 2), NULL, &error);
    check_error(&error, TL_ERROR_ARGUMENT, "compile: layers 0 and 1 are both inputs; a model has one");
    tl_model_free(model);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(given_data_of_wrong_shape_when_evaluated_then_both_shapes_named),
        cmocka_unit_test(given_a_model_in_error_or_wrong_lengths_when_evaluated_then_its_words),
        cmocka_unit_test(given_no_classes_when_a_confusion_is_asked_for_then_refused),
        cmocka_unit_test(given_arrays_of_wrong_shape_when_predicted_then_both_shapes_named),
        cmocka_unit_test(given_no_model_or_one_not_compiled_when_asked_then_nothing),
        cmocka_unit_test(given_a_learning_rate_that_is_none_when_set_then_refused),
        cmocka_unit_test(given_a_sum_of_more_inputs_than_there_may_be_then_refused),
    };
    return check_run(tests);
}
