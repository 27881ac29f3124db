/* Calls as users get them wrong: nothing where something should be, and what a model is like after a call that failed. */
#include "check.h"

#include <math.h>

enum { SERIES = 4, LENGTH = 6 };

static tl_real values[SERIES * LENGTH];
static int32_t labels[SERIES] = {0, 1, 0, 1};
static const tl_dataset classified = {
    .x = {.data = values, .rank = 3, .shape = {SERIES, LENGTH, 1}}, .labels = labels, .classes = 2};

static tl_model *make_model(const tl_compile_cfg *cfg) {
    tl_error error = {0};
    tl_model *model = tl_model_new(NULL);
    const tl_node x = tl_conv1d(model, tl_input(model, (tl_shape){LENGTH, 1}), &(tl_conv1d_cfg){.filters = 2, .kernel = 3});
    tl_model_compile(model, tl_global_average_pool(model, x), cfg, &error);
    check_ok(&error);
    return model;
}

/* The error says `text`; it is then forgotten. */
static void expect(tl_error *error, const char *text) {
    check_error(error, error->status, text);
    assert_int_not_equal(error->status, TL_OK);
    *error = (tl_error){0};
}

static void expect_of(tl_model *model, const char *text) {
    tl_error error = *tl_model_error(model);
    expect(&error, text);
    tl_model_clear_error(model);
}

static void given_no_model_when_called_then_errors_and_zeros(void **unused) {
    (void)unused;
    tl_error error = {0};
    tl_metrics metrics;
    tl_rate_curve *curve = tl_rate_curve_new(NULL);
    tl_real room[SERIES * 2];
    tl_tensor y = TL_VIEW(room, SERIES, 1, 2);
    const tl_tensor *x = &classified.x;
    const char *text = "the model is NULL: there was no memory for it, or it was not loaded";
    tl_fit(NULL, &classified, NULL, NULL, &error), expect(&error, text);
    tl_evaluate(NULL, &classified, &metrics, &error), expect(&error, text);
    tl_update_statistics(NULL, &classified, &error), expect(&error, text);
    tl_confusion(NULL, &classified, (size_t[4]){0}, &error), expect(&error, text);
    tl_predict(NULL, x, NULL, &y, &error), expect(&error, text);
    tl_step(NULL, &error), expect(&error, text);
    tl_find_learning_rate(NULL, &classified, NULL, NULL, curve, &error), expect(&error, text);
    tl_check_gradients(NULL, x, &(tl_target){.labels = labels}, NULL, &error), expect(&error, text);
    tl_forward(NULL, x, TL_MODE_TRAINING);
    tl_set_lengths(NULL, (size_t[SERIES]){1, 1, 1, 1}, SERIES);
    tl_backward(NULL);
    tl_backward_from(NULL, x);
    tl_zero_grad(NULL);
    tl_freeze(NULL, (tl_node){0});
    tl_unfreeze(NULL, (tl_node){0});
    tl_set_group(NULL, (tl_node){0}, NULL);
    tl_set_learning_rate(NULL, 1);
    tl_model_clear_error(NULL);
    assert_true(isnan(tl_loss(NULL, &(tl_target){.labels = labels})));
    assert_null(tl_output(NULL).data);
    assert_null(tl_input_gradient(NULL).data);
    assert_int_equal(tl_output_length(NULL, 0) + tl_model_batch(NULL) + tl_model_memory(NULL), 0);
    assert_int_equal(tl_model_seed(NULL) + tl_steps(NULL) + (uint64_t)tl_model_threads(NULL), 0);
    assert_int_equal(tl_model_loss(NULL), TL_LOSS_CROSS_ENTROPY);
    check_number("rate and weight", tl_learning_rate(NULL) + tl_loss_weight(NULL), 0, 0, 0);
    tl_rate_curve_free(curve);
}

static void given_no_data_when_called_then_named(void **unused) {
    (void)unused;
    tl_error error = {0};
    tl_metrics metrics;
    tl_rate_curve *curve = tl_rate_curve_new(NULL);
    tl_dataset *rest, *held_out;
    tl_model *model = make_model(NULL);
    tl_fit(model, NULL, NULL, NULL, &error), expect(&error, "fit: the data set is NULL");
    tl_evaluate(model, NULL, &metrics, &error), expect(&error, "evaluate: the data set is NULL");
    tl_confusion(model, NULL, (size_t[4]){0}, &error), expect(&error, "confusion: the data set is NULL");
    tl_find_learning_rate(model, NULL, NULL, NULL, curve, &error), expect(&error, "finder: the data set is NULL");
    assert_null(tl_ensemble_new(NULL, &error)), expect(&error, "ensemble: the data set is NULL");
    assert_null(tl_dataset_take(NULL, (uint32_t[]){0}, 1, &error)), expect(&error, "data: the data set is NULL");
    tl_dataset_fold(NULL, 2, 0, 0, &rest, &held_out, &error), expect(&error, "data: the data set is NULL");
    tl_dataset_pad(NULL, 9, &error), expect(&error, "data: the data set is NULL");
    tl_dataset_normalize(NULL);
    tl_rate_curve_free(curve);
    tl_model_free(model);
}

static void given_nothing_to_read_or_write_when_called_then_named(void **unused) {
    (void)unused;
    tl_error error = {0};
    tl_real room[SERIES * 2];
    tl_tensor y = TL_VIEW(room, SERIES, 1, 2);
    const tl_tensor *x = &classified.x, none = TL_VIEW(NULL, SERIES, LENGTH, 1);
    tl_model *model = make_model(&(tl_compile_cfg){.input_gradient = true});
    tl_predict(model, NULL, NULL, &y, &error), expect(&error, "predict: x is NULL; the model takes (count, 6, 1)");
    tl_predict(model, &none, NULL, &y, &error), expect(&error, "predict: x is NULL");
    tl_predict(model, x, NULL, NULL, &error), expect(&error, "predict: y is NULL; it should be (4, 1, 2)");
    tl_evaluate(model, &classified, NULL, &error), expect(&error, "evaluate: metrics is NULL");
    tl_confusion(model, &classified, NULL, &error), expect(&error, "confusion: counts is NULL");
    tl_find_learning_rate(model, &classified, NULL, NULL, NULL, &error), expect(&error, "finder: the curve is NULL");
    tl_check_gradients(model, NULL, &(tl_target){.labels = labels}, NULL, &error), expect(&error, "gradient check: x is NULL");
    tl_check_gradients(model, &none, &(tl_target){.labels = labels}, NULL, &error), expect(&error, "the data of x is NULL");
    assert_null(tl_dataset_take(&classified, NULL, 1, &error)), expect(&error, "data: the list of samples is NULL");
    assert_null(tl_tensor_new(1, NULL, &error).data), expect(&error, "tensor: the shape is NULL");
    tl_forward(model, NULL, TL_MODE_TRAINING), expect_of(model, "forward: x is NULL; the model takes (batch, 6, 1)");
    tl_forward(model, x, TL_MODE_TRAINING);
    assert_true(isnan(tl_loss(model, NULL))), expect_of(model, "loss: the target is NULL");
    tl_backward_from(model, NULL), expect_of(model, "backward: the gradient is NULL; the output is (4, 1, 2)");
    tl_model_free(model);
}

static void given_no_ensemble_or_metrics_when_asked_then_named(void **unused) {
    (void)unused;
    tl_error error = {0};
    tl_metrics metrics;
    tl_real room[SERIES * 2];
    tl_tensor y = TL_VIEW(room, SERIES, 1, 2);
    tl_model *model = make_model(NULL);
    assert_int_equal(tl_ensemble_members(NULL), 0);
    tl_ensemble_add(NULL, model, &error), expect(&error, "the ensemble is NULL");
    tl_ensemble_evaluate(NULL, &metrics, &error), expect(&error, "the ensemble is NULL");
    tl_ensemble_predict(NULL, &y, &error), expect(&error, "the ensemble is NULL");
    tl_ensemble *ensemble = tl_ensemble_new(&classified, &error);
    tl_ensemble_add(ensemble, model, &error);
    check_ok(&error);
    tl_ensemble_evaluate(ensemble, NULL, &error), expect(&error, "ensemble: metrics is NULL");
    tl_ensemble_predict(ensemble, NULL, &error), expect(&error, "ensemble: y is NULL; it should be (4, 1, 2)");
    tl_ensemble_free(ensemble);
    tl_model_free(model);
}

static void given_no_network_in_integers_when_called_then_named(void **unused) {
    (void)unused;
    tl_error error = {0};
    tl_metrics metrics;
    size_t counts[4];
    tl_real room[SERIES * 2];
    tl_tensor y = TL_VIEW(room, SERIES, 1, 2);
    tl_model *model = make_model(NULL);
    assert_null(tl_quantize(NULL, &classified, NULL, &error)), expect(&error, "quantize: the model is not compiled");
    assert_null(tl_quantize(model, NULL, NULL, &error)), expect(&error, "quantize: the calibration data is NULL");
    tl_quantized_predict(NULL, &classified.x, &y, &error), expect(&error, "quantized predict: the network is NULL");
    tl_quantized_evaluate(NULL, &classified, &metrics, &error), expect(&error, "quantized evaluate: the network is NULL");
    tl_quantized_confusion(NULL, &classified, counts, &error), expect(&error, "quantized confusion: the network is NULL");
    tl_quantized_export(NULL, "net.c", NULL, NULL, &error), expect(&error, "C: the network is NULL");
    tl_quantized_save(NULL, "net", NULL, &error), expect(&error, "save: the network is NULL");
    tl_quantized *quantized = tl_quantize(model, &classified, NULL, &error);
    check_ok(&error);
    tl_quantized_save(quantized, NULL, NULL, &error), expect(&error, "save: the path is NULL");
    assert_null(tl_quantized_load(NULL, NULL, NULL, &error)), expect(&error, "load: the path is NULL");
    assert_false(tl_quantized_is_file(NULL));
    assert_null(tl_quantized_model(NULL));
    assert_null(tl_quantized_layer_at(NULL, 0).name);
    assert_int_equal(tl_quantized_bytes(NULL), 0);
    tl_quantized_free(NULL);
    tl_quantized_free(quantized);
    tl_model_free(model);
}

static void given_no_path_or_name_when_called_then_named(void **unused) {
    (void)unused;
    tl_error error = {0};
    tl_model *model = make_model(NULL), *bare = tl_model_new(NULL);
    assert_null(tl_dataset_read(NULL, NULL, &error)), expect(&error, "data: the path is NULL");
    assert_null(tl_dataset_builtin(NULL, TL_SPLIT_TRAIN, 0, &error)), expect(&error, "data: the name of the generated set is NULL");
    assert_null(tl_model_load(NULL, NULL, NULL, &error)), expect(&error, "load: the path is NULL");
    assert_null(tl_file_precision(NULL, &error)), expect(&error, "load: the path is NULL");
    tl_weights_import(model, NULL, NULL, &error), expect(&error, "load: the path is NULL");
    tl_weights_export(model, NULL, NULL, &error), expect(&error, "save: the path is NULL");
    tl_onnx_export(model, NULL, NULL, &error), expect(&error, "save: the path is NULL");
    assert_null(tl_onnx_import(NULL, NULL, NULL, &error)), expect(&error, "onnx: the path is NULL");
    tl_c_export(model, NULL, NULL, NULL, &error), expect(&error, "C: the path is NULL");
    tl_model_save(model, NULL, NULL, &error), expect(&error, "save: the path is NULL");
    tl_save_check(NULL, &error), expect(&error, "save: the path is NULL");
    tl_save_bytes(NULL, "x", 1, &error), expect(&error, "save: the path is NULL");
    tl_save_bytes("x", NULL, 1, &error), expect(&error, "save: the bytes are NULL, but their number is 1");
    assert_null(tl_csv_log_new(NULL, false, &error)), expect(&error, "log: the path is NULL");
    assert_null(tl_optimizer_by_name(NULL, &error)), expect(&error, "optimizer \"\" is unknown; choose one of adam");
    tl_model_free(model);
    const tl_node x = tl_input(bare, (tl_shape){LENGTH, 1});
    assert_true(tl_architecture_from_json(bare, x, NULL, NULL).id < 0);
    check_error(tl_model_error(bare), TL_ERROR_ARGUMENT, "architecture: the text is NULL");
    tl_model_free(bare);
    bare = tl_model_new(NULL);
    assert_true(tl_architecture_from_file(bare, tl_input(bare, (tl_shape){LENGTH, 1}), NULL, NULL).id < 0);
    check_error(tl_model_error(bare), TL_ERROR_ARGUMENT, "architecture: the path is NULL");
    tl_model_free(bare);
}

static tl_node add_nothing(tl_model *model, tl_node x) {
    (void)x;
    return tl_add(model, NULL, 2);
}

static tl_node add_none(tl_model *model, tl_node x) { return tl_add(model, &x, 0); }

static tl_node unknown_init(tl_model *model, tl_node x) {
    return tl_dense(model, x, &(tl_dense_cfg){.units = 2, .init = (tl_init)55});
}

static tl_node set_rate(tl_model *model, tl_node x) {
    tl_set_learning_rate(model, 0.1); /* which compiling would set anew */
    return x;
}

static void given_wrong_calls_of_builders_when_compiled_then_named(void **unused) {
    (void)unused;
    static const check_refusal refusals[] = {
        {add_nothing, TL_ERROR_ARGUMENT, "layer 1 (add): its list of 2 inputs is NULL"},
        {add_none, TL_ERROR_ARGUMENT, "layer 1 (add): 0 inputs; at least 2 are needed"},
        {unknown_init, TL_ERROR_ARGUMENT, "layer 1 (dense): init 55 is unknown"},
        {set_rate, TL_ERROR_STATE, "learning rate: the model is not compiled"},
    };
    check_refused_layers(refusals, sizeof refusals / sizeof *refusals, (tl_shape){LENGTH, 1});
    tl_error error = {0};
    tl_model *model = tl_model_new(&(tl_model_cfg){.threads = 1025});
    tl_model_compile(model, tl_input(model, (tl_shape){LENGTH, 1}), NULL, &error);
    expect(&error, "model: 1025 threads are outside 0 … 1024");
    tl_model_free(model);
}

static void given_a_wrong_mode_or_node_when_run_then_named(void **unused) {
    (void)unused;
    tl_model *model = make_model(NULL);
    tl_forward(model, &classified.x, (tl_mode)7),
        expect_of(model, "forward: mode 7 is none of TL_MODE_TRAINING, TL_MODE_INFERENCE and");
    tl_freeze(model, (tl_node){9}), expect_of(model, "freeze: node 9; the model has 3 nodes");
    tl_unfreeze(model, (tl_node){9}), expect_of(model, "unfreeze: node 9; the model has 3 nodes");
    tl_model_free(model);
}

static void given_a_failed_pass_when_the_error_is_cleared_then_no_output(void **unused) {
    (void)unused;
    const tl_tensor shorter = TL_VIEW(values, 1, 3, 1);
    tl_model *model = make_model(NULL);
    tl_forward(model, &classified.x, TL_MODE_TRAINING);
    tl_forward(model, &shorter, TL_MODE_TRAINING), expect_of(model, "forward: x is (1, 3, 1)");
    assert_null(tl_output(model).data);
    assert_true(isnan(tl_loss(model, &(tl_target){.labels = labels}))), expect_of(model, "loss: call tl_forward before");
    tl_model_free(model);
}

/* Of the upper tier: one bad request does not end a service. */
static void given_a_failed_call_when_repeated_correctly_then_it_works(void **unused) {
    (void)unused;
    tl_error error = {0};
    tl_metrics metrics;
    tl_real room[SERIES * 2];
    tl_tensor y = TL_VIEW(room, SERIES, 1, 2);
    tl_dataset short_one = classified;
    short_one.lengths = (size_t[SERIES]){6, 6, 2, 6};
    tl_model *model = make_model(&(tl_compile_cfg){.batch = 4});
    const char *text = "layer 1 (conv1d): sample 2 has length 2 here, which is too short for an output";
    tl_predict(model, &classified.x, short_one.lengths, &y, &error), expect(&error, text);
    tl_evaluate(model, &short_one, &metrics, &error), expect(&error, text);
    tl_fit(model, &short_one, &(tl_fit_cfg){.keep_order = true}, NULL, &error), expect(&error, text);
    tl_predict(model, &classified.x, NULL, &y, &error);
    tl_evaluate(model, &classified, &metrics, &error);
    tl_fit(model, &classified, NULL, NULL, &error);
    check_ok(&error);
    tl_model_free(model);
}

static void given_a_wrong_length_in_a_later_batch_when_called_then_named(void **unused) {
    (void)unused;
    tl_error error = {0};
    tl_real room[SERIES * 2], padded[SERIES * LENGTH] = {0};
    tl_tensor y = TL_VIEW(room, SERIES, 1, 2), x = TL_VIEW(padded, SERIES, LENGTH, 1);
    tl_model *model = make_model(&(tl_compile_cfg){.batch = 2});
    tl_predict(model, &x, (size_t[SERIES]){6, 6, 6, 7}, &y, &error);
    expect(&error, "predict: sample 3 has length 7, outside 1 … 6");
    padded[3 * LENGTH + 4] = 1;
    tl_predict(model, &x, (size_t[SERIES]){6, 6, 6, 4}, &y, &error);
    expect(&error, "predict: sample 3 has length 4, but x is not 0 at its step 4");
    tl_fit(model, &(tl_dataset){.x = x, .lengths = (size_t[SERIES]){6, 6, 6, 4}, .labels = labels}, NULL, NULL, &error);
    expect(&error, "data: sample 3 has length 4, but x is not 0 at its step 4");
    tl_set_lengths(model, (size_t[]){4, 4}, 2);
    tl_set_lengths(model, NULL, 0); /* whole series after all */
    const tl_tensor last = tl_tensor_slice(&x, 2, 2);
    tl_forward(model, &last, TL_MODE_INFERENCE);
    check_ok(tl_model_error(model));
    tl_model_free(model);
}

static void given_data_that_is_not_finite_when_fitted_then_the_sample_is_named(void **unused) {
    (void)unused;
    tl_error error = {0};
    tl_real x[SERIES * LENGTH] = {[3 * LENGTH + 4] = (tl_real)NAN}, endless[SERIES * 2] = {[5] = (tl_real)INFINITY};
    const tl_dataset series = {.x = TL_VIEW(x, SERIES, LENGTH, 1), .labels = labels},
                     value = {.x = classified.x, .values = endless, .target_channels = 2};
    tl_model *model = make_model(&(tl_compile_cfg){.batch = 2});
    tl_fit(model, &series, NULL, NULL, &error);
    check_error(&error, TL_ERROR_NUMERIC, "parameters unchanged (sample 3 of the data is not finite at step 4, channel 0)");
    tl_model_free(model);
    error = (tl_error){0};
    model = make_model(&(tl_compile_cfg){.batch = 2, .loss = TL_LOSS_SQUARED_ERROR});
    tl_fit(model, &value, NULL, NULL, &error);
    check_error(&error, TL_ERROR_NUMERIC, "parameters unchanged (target value 1 of sample 2 of the data is not finite)");
    tl_model_free(model);
}

static void given_labels_of_no_classes_when_folded_then_said(void **unused) {
    (void)unused;
    tl_error error = {0};
    tl_dataset *rest, *held_out, uncounted = classified;
    uncounted.classes = 0;
    tl_dataset_fold(&uncounted, 2, 0, 0, &rest, &held_out, &error);
    check_error(&error, TL_ERROR_ARGUMENT, "data: the data set has labels, but its `classes` is 0");
}

/* ---- layers, optimizers and data sets of the user ---- */

static void nothing_to_set_up(tl_layer *layer, tl_error *error) { (void)layer, (void)error; }
static void pass_nothing(const tl_layer *layer, const tl_pass *pass) { (void)layer, (void)pass; }

static void given_an_own_layer_whose_table_is_incomplete_when_added_then_named(void **unused) {
    (void)unused;
    const struct {
        tl_layer_ops ops;
        const char *text;
    } cases[] = {
        {{.size = sizeof(tl_layer), .setup = nothing_to_set_up, .forward = pass_nothing}, "layer 1 (?): ops->name is NULL"},
        {{.name = "own", .setup = nothing_to_set_up, .forward = pass_nothing}, "layer 1 (own): ops->size is less than the size of"},
        {{.name = "own", .size = sizeof(tl_layer), .forward = pass_nothing}, "layer 1 (own): ops->setup is NULL"},
        {{.name = "own", .size = sizeof(tl_layer), .setup = nothing_to_set_up}, "layer 1 (own): ops->forward is NULL"},
        {{.name = "own", .size = sizeof(tl_layer), .setup = nothing_to_set_up, .forward = pass_nothing},
         "layer 1 (own): ops->backward is NULL; this is allowed only in a model that is compiled with inference_only"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tl_error error = {0};
        tl_model *model = tl_model_new(NULL);
        const tl_node x = tl_input(model, (tl_shape){LENGTH, 1});
        tl_model_compile(model, tl_layer_add(model, &x, 1, &(tl_layer){.ops = &cases[i].ops}), NULL, &error);
        check_error(&error, TL_ERROR_ARGUMENT, cases[i].text);
        tl_model_free(model);
    }
    tl_model *model = tl_model_new(NULL);
    const tl_node x = tl_input(model, (tl_shape){LENGTH, 1});
    tl_layer_add(model, &x, 1, &(tl_layer){0});
    check_error(tl_model_error(model), TL_ERROR_ARGUMENT, "layer 1 (?): its ops is NULL");
    tl_model_free(model);
}

static tl_status accept(tl_optimizer_cfg *cfg, tl_error *error) { return (void)cfg, (void)error, TL_OK; }
static void stay(const tl_update *update) { (void)update; }

static void given_an_incomplete_own_optimizer_when_compiled_then_named(void **unused) {
    (void)unused;
    const struct {
        tl_optimizer_ops ops;
        const char *text;
    } cases[] = {
        {{.prepare = accept, .update = stay}, "compile: the optimizer's name is NULL"},
        {{.name = "own", .update = stay}, "compile: optimizer \"own\": its prepare function is NULL"},
        {{.name = "own", .prepare = accept}, "compile: optimizer \"own\": its update function is NULL"},
        {{.name = "own", .prepare = accept, .update = stay, .moments = 9}, "optimizer \"own\": 9 moments exceed the limit of 4"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tl_error error = {0};
        tl_model *model = tl_model_new(NULL);
        const tl_node x = tl_dense(model, tl_input(model, (tl_shape){1, LENGTH}), &(tl_dense_cfg){.units = 2});
        tl_model_compile(model, x, &(tl_compile_cfg){.optimizer.ops = &cases[i].ops}, &error);
        check_error(&error, TL_ERROR_ARGUMENT, cases[i].text);
        tl_model_free(model);
    }
}

static void given_lengths_beyond_the_series_when_the_data_set_is_used_then_named(void **unused) {
    (void)unused;
    size_t lengths[SERIES] = {1, 1, 400000, 1};
    const char *text = "data: sample 2 has length 400000, outside 1 … ";
    tl_dataset *rest, *held_out, data = classified;
    tl_error taken = {0}, folded = {0}, padded = {0}, fitted = {0}, joined = {0};
    tl_model *model = make_model(NULL);
    data.lengths = lengths;
    assert_null(tl_dataset_take(&data, (const uint32_t[]){2}, 1, &taken));
    tl_dataset_fold(&data, 2, 0, 0, &rest, &held_out, &folded);
    tl_dataset_pad(&data, 100, &padded);
    tl_fit(model, &data, NULL, NULL, &fitted);
    assert_null(tl_ensemble_new(&data, &joined));
    const tl_error *const errors[] = {&taken, &folded, &padded, &fitted, &joined};
    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++) check_error(errors[i], TL_ERROR_SHAPE, text);
    tl_model_free(model);
}

/* Lengths of the caller's that are beyond the series: none of what takes them reads there. */
static void given_lengths_beyond_the_series_when_called_then_named(void **unused) {
    (void)unused;
    static size_t lengths[SERIES] = {LENGTH, 400000, LENGTH, LENGTH};
    static const char text[] = "sample 1 has length 400000, outside 1 … 6";
    tl_error error = {0};
    tl_metrics metrics;
    tl_real mixed[SERIES * LENGTH];
    tl_tensor y = TL_VIEW(mixed, SERIES, LENGTH, 1);
    tl_dataset data = classified, *rest, *held_out;
    size_t mixed_lengths[SERIES];
    data.lengths = lengths;
    tl_model *model = make_model(NULL);
    tl_fit(model, &data, NULL, NULL, &error), expect(&error, text);
    tl_evaluate(model, &data, &metrics, &error), expect(&error, text);
    tl_update_statistics(model, &data, &error), expect(&error, text);
    tl_dataset_pad(&data, 9, &error), expect(&error, text);
    tl_dataset_scale(&data, TL_NORMALIZE_SERIES, NULL, &error), expect(&error, text);
    tl_dataset_fold(&data, 2, 0, 0, &rest, &held_out, &error), expect(&error, text);
    assert_null(tl_dataset_take(&data, (uint32_t[]){0}, 1, &error)), expect(&error, text);
    assert_null(tl_dataset_windows(&data, &(tl_window_cfg){.length = 2}, &error)), expect(&error, text);
    assert_null(tl_ensemble_new(&data, &error)), expect(&error, text);
    tl_dataset_normalize(&data);
    assert_int_equal(data.scaling.kind, TL_NORMALIZE_DEFAULT);
    tl_augment(&(tl_augment_cfg){.jitter = 1}, &data.x, lengths, &y, 1, 1); /* as the whole series */
    tl_mixup(&data.x, lengths, (uint32_t[]){1, 0, 3, 77}, (tl_real[]){(tl_real)0.3, (tl_real)0.6, 0, 1}, &y, mixed_lengths);
    for (size_t i = 0; i < SERIES; i++) assert_int_equal(mixed_lengths[i], LENGTH);
    tl_model_free(model);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(given_no_model_when_called_then_errors_and_zeros),
        cmocka_unit_test(given_no_data_when_called_then_named),
        cmocka_unit_test(given_lengths_beyond_the_series_when_called_then_named),
        cmocka_unit_test(given_nothing_to_read_or_write_when_called_then_named),
        cmocka_unit_test(given_no_ensemble_or_metrics_when_asked_then_named),
        cmocka_unit_test(given_no_network_in_integers_when_called_then_named),
        cmocka_unit_test(given_no_path_or_name_when_called_then_named),
        cmocka_unit_test(given_wrong_calls_of_builders_when_compiled_then_named),
        cmocka_unit_test(given_a_wrong_mode_or_node_when_run_then_named),
        cmocka_unit_test(given_a_failed_pass_when_the_error_is_cleared_then_no_output),
        cmocka_unit_test(given_a_failed_call_when_repeated_correctly_then_it_works),
        cmocka_unit_test(given_a_wrong_length_in_a_later_batch_when_called_then_named),
        cmocka_unit_test(given_data_that_is_not_finite_when_fitted_then_the_sample_is_named),
        cmocka_unit_test(given_labels_of_no_classes_when_folded_then_said),
        cmocka_unit_test(given_an_own_layer_whose_table_is_incomplete_when_added_then_named),
        cmocka_unit_test(given_an_incomplete_own_optimizer_when_compiled_then_named),
        cmocka_unit_test(given_lengths_beyond_the_series_when_the_data_set_is_used_then_named),
    };
    return check_run(tests);
}
