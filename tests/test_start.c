/* Models that start from a model file, and what a layer of a file gives. */
#include "check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { COUNT = 12, LENGTH = 16 };

static char path[] = "/tmp/tapline-start-XXXXXX";
static tl_real x[COUNT * LENGTH];
static int32_t labels[COUNT];
static tl_real values[COUNT];
static char *two[] = {"low", "high"}, *turned[] = {"high", "low"}, *three[] = {"low", "high", "none"};

static tl_dataset set_of(char **names, size_t classes) {
    return (tl_dataset){.x = TL_VIEW(x, COUNT, LENGTH, 1),
                        .labels = classes > 0 ? labels : NULL,
                        .values = classes > 0 ? NULL : values,
                        .classes = classes,
                        .class_names = classes > 0 ? names : NULL};
}

static tl_node layers(tl_model *model, tl_node node, size_t filters, size_t outputs) {
    node = tl_conv1d(model, node, &(tl_conv1d_cfg){.filters = filters, .kernel = 3, .padding = TL_PADDING_SAME});
    node = tl_relu(model, tl_batch_norm(model, node, NULL));
    return tl_dense(model, tl_global_average_pool(model, node), &(tl_dense_cfg){.units = outputs});
}

static tl_model *compiled(tl_node (*build)(tl_model *, tl_node, size_t), size_t outputs, tl_loss_kind loss, uint64_t seed,
                          tl_error *error) {
    tl_model *model = tl_model_new(&(tl_model_cfg){.seed = seed, .threads = 1});
    const tl_node input = tl_input(model, (tl_shape){.length = LENGTH, .channels = 1});
    tl_model_compile(model, build(model, input, outputs), &(tl_compile_cfg){.batch = COUNT, .loss = loss}, error);
    return model;
}

static tl_node usual(tl_model *model, tl_node node, size_t outputs) { return layers(model, node, 4, outputs); }
static tl_node wider(tl_model *model, tl_node node, size_t outputs) { return layers(model, node, 5, outputs); }
static tl_node from_file(tl_model *model, tl_node node, size_t outputs) {
    return tl_network_from_model(model, node, path, outputs);
}

/* Trains on the two classes, or on values, and saves. */
static tl_model *saved(size_t classes) {
    tl_error error = {0};
    const tl_dataset data = set_of(two, classes);
    tl_model *model = compiled(usual, classes > 0 ? 2 : 1, classes > 0 ? TL_LOSS_CROSS_ENTROPY : TL_LOSS_SQUARED_ERROR, 1, &error);
    tl_fit(model, &data, &(tl_fit_cfg){.epochs = 3}, NULL, &error);
    tl_model_save(model, path, &(tl_save_cfg){.data = &data}, &error);
    check_ok(&error);
    return model;
}

static int set_up(void **unused) {
    (void)unused;
    fill_normal(x, COUNT * LENGTH, 5);
    for (int i = 0; i < COUNT; i++) labels[i] = i % 2, values[i] = (tl_real)(100 + i);
    const int file = mkstemp(path);
    return file < 0 ? 1 : close(file);
}

static int tear_down(void **unused) {
    (void)unused;
    return unlink(path);
}

/* Whether all arrays but those of the last layer are equal, and whether those are. */
static void compare(const tl_model *a, const tl_model *b, bool *rest, bool *head) {
    *rest = *head = true;
    for (size_t i = 0; i < tl_parameter_arrays(a); i++) {
        const tl_parameter one = tl_parameter_at(a, i), other = tl_parameter_at(b, i);
        const bool same = tl_tensor_same_shape(&one.value, &other.value) &&
                          memcmp(one.value.data, other.value.data, tl_tensor_count(&one.value) * sizeof(tl_real)) == 0;
        bool *of = strcmp(one.layer, "dense_1") == 0 ? head : rest;
        *of = *of && same;
    }
}

static void given_other_classes_when_started_then_only_the_head_is_new(void **unused) {
    (void)unused;
    const struct {
        char **names;
        size_t classes;
        bool new_head;
    } cases[] = {{two, 2, false}, {turned, 2, true}, {three, 3, true}};
    tl_model *first = saved(2);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tl_error error = {0};
        bool new_head, rest, head;
        const tl_dataset data = set_of(cases[i].names, cases[i].classes);
        tl_model *model = compiled(from_file, data.classes, TL_LOSS_CROSS_ENTROPY, 2, &error);
        tl_model_start_from(model, path, &(tl_start_cfg){.data = &data}, &new_head, &error);
        check_ok(&error);
        compare(first, model, &rest, &head);
        assert_true(new_head == cases[i].new_head && rest && head == !new_head);
        assert_int_equal(tl_output_shape(model).channels, cases[i].classes);
        tl_model_free(model);
    }
    tl_model_free(first);
}

static void given_freeze_when_trained_on_then_only_the_head_moves(void **unused) {
    (void)unused;
    tl_error error = {0};
    bool rest, head;
    const tl_dataset data = set_of(two, 2);
    tl_model *first = saved(2), *model = compiled(usual, 2, TL_LOSS_CROSS_ENTROPY, 2, &error);
    tl_model_start_from(model, path, &(tl_start_cfg){.data = &data, .freeze = true}, NULL, &error);
    tl_fit(model, &data, &(tl_fit_cfg){.epochs = 2}, NULL, &error);
    check_ok(&error);
    compare(first, model, &rest, &head);
    assert_true(rest && !head);
    tl_model_free(model);
    tl_model_free(first);
}

static void given_a_regression_when_started_then_it_predicts_the_same(void **unused) {
    (void)unused;
    tl_error error = {0};
    const tl_dataset data = set_of(NULL, 0);
    tl_model *first = saved(0), *model = compiled(from_file, 0, TL_LOSS_SQUARED_ERROR, 2, &error);
    tl_model_start_from(model, path, &(tl_start_cfg){.data = &data}, NULL, &error);
    check_number("mean of the targets", tl_model_target_scale(model, 0).mean, 105.5, 1e-12, 0);
    tl_real one[COUNT], same[COUNT];
    tl_tensor to_one = TL_VIEW(one, COUNT, 1, 1), to_same = TL_VIEW(same, COUNT, 1, 1);
    tl_predict(first, &data.x, NULL, &to_one, &error);
    tl_predict(model, &data.x, NULL, &to_same, &error);
    check_ok(&error);
    check_equal("predictions", same, one, COUNT);
    tl_model_free(model);
    tl_model_free(first);
}

static void given_a_file_that_does_not_fit_when_started_then_said_why(void **unused) {
    (void)unused;
    tl_error error = {0};
    tl_model_free(saved(2));
    tl_model *model = compiled(wider, 2, TL_LOSS_CROSS_ENTROPY, 2, &error);
    tl_model_start_from(model, path, NULL, NULL, &error);
    check_error(&error, TL_ERROR_FORMAT, "array conv1d_1.weight: expected the shape (3, 1, 5), found (3, 1, 4)");
    error = (tl_error){0};
    tl_model_start_from(model, "/nonexistent/x", NULL, NULL, &error);
    check_error(&error, TL_ERROR_FILE, "/nonexistent/x: No such file or directory");
    tl_model_free(model);
    error = (tl_error){0};
    tl_model_free(compiled(from_file, 0, TL_LOSS_CROSS_ENTROPY, 2, &error));
    check_ok(&error); /* as many outputs as the file's */
}

/* ---- tl_load_cfg.output ---- */

static void given_a_layer_when_loaded_as_output_then_its_values(void **unused) {
    (void)unused;
    tl_error error = {0};
    tl_model_free(saved(2));
    tl_model_info info;
    tl_model *whole = tl_model_load(path, &(tl_load_cfg){.threads = 1}, NULL, &error),
             *part = tl_model_load(path, &(tl_load_cfg){.threads = 1, .output = "global_average_pool_1"}, &info, &error);
    check_ok(&error);
    assert_int_equal(tl_output_shape(part).channels, 4);
    assert_int_equal(info.data.classes, 2);
    tl_real features[COUNT * 4], logits[2], found[2];
    const tl_tensor all = TL_VIEW(x, COUNT, LENGTH, 1), first = TL_VIEW(x, 1, LENGTH, 1);
    tl_tensor to = TL_VIEW(features, COUNT, 1, 4);
    tl_predict(part, &all, NULL, &to, &error);
    tl_forward(whole, &first, TL_MODE_INFERENCE);
    memcpy(logits, tl_output(whole).data, sizeof logits);
    const tl_parameter weight = tl_parameter_at(whole, 4), bias = tl_parameter_at(whole, 5);
    assert_string_equal(weight.layer, "dense_1");
    for (int u = 0; u < 2; u++) {
        found[u] = bias.value.data[u];
        for (int c = 0; c < 4; c++) found[u] += features[c] * weight.value.data[c * 2 + u];
    }
    check_ok(&error);
    check_close("logits of the features", found, logits, 2, 1e-5, 1e-5);
    tl_model_info_release(&info);
    tl_model_free(part);
    tl_model_free(whole);
}

static void given_no_such_layer_when_loaded_as_output_then_a_suggestion(void **unused) {
    (void)unused;
    tl_error error = {0};
    tl_model_free(saved(2));
    assert_null(tl_model_load(path, &(tl_load_cfg){.output = "conv1d_2"}, NULL, &error));
    check_error(&error, TL_ERROR_ARGUMENT, "no layer has the name \"conv1d_2\"; did you mean \"conv1d_1\"?");
    error = (tl_error){0};
    assert_null(tl_model_load(path, &(tl_load_cfg){.output = "elephant"}, NULL, &error));
    check_error(&error, TL_ERROR_ARGUMENT, "no layer has the name \"elephant\" (tapline info lists the layers)");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(given_other_classes_when_started_then_only_the_head_is_new),
        cmocka_unit_test(given_freeze_when_trained_on_then_only_the_head_moves),
        cmocka_unit_test(given_a_regression_when_started_then_it_predicts_the_same),
        cmocka_unit_test(given_a_file_that_does_not_fit_when_started_then_said_why),
        cmocka_unit_test(given_a_layer_when_loaded_as_output_then_its_values),
        cmocka_unit_test(given_no_such_layer_when_loaded_as_output_then_a_suggestion),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down) != 0;
}
