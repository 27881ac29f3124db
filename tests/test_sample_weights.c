/* Weights of series in tl_fit: a loop of one's own with the same weights learns the same, to the last bit; wrong ones are refused.
 */
#include "check.h"
#include "files.h"

#include <unistd.h>

enum { SERIES = 6, LENGTH = 5, CLASSES = 3 };

typedef struct example {
    tl_real x[SERIES * LENGTH];
    int32_t labels[SERIES];
    tl_dataset data;
} example;

static void begin(example *e) {
    fill_normal(e->x, SERIES * LENGTH, 5);
    for (int32_t i = 0; i < SERIES; i++) e->labels[i] = i % CLASSES;
    e->data = (tl_dataset){.x = TL_VIEW(e->x, SERIES, LENGTH, 1), .labels = e->labels, .classes = CLASSES};
}

static tl_model *network(void) {
    tl_error error = {0};
    tl_model *model = tl_model_new(&(tl_model_cfg){.seed = 3, .threads = 1});
    tl_node x = tl_input(model, (tl_shape){LENGTH, 1});
    x = tl_conv1d(model, x, &(tl_conv1d_cfg){.filters = 4, .kernel = 3});
    x = tl_dense(model, tl_global_average_pool(model, tl_relu(model, x)), &(tl_dense_cfg){.units = CLASSES});
    tl_model_compile(model, x, &(tl_compile_cfg){.batch = SERIES}, &error);
    check_ok(&error);
    return model;
}

static void given_weights_when_fitted_then_a_loop_with_them_learns_the_same(void **unused) {
    (void)unused;
    static const double weights[SERIES] = {0, 1, 2.5, 0.25, 7, 1};
    tl_real rounded[SERIES];
    tl_error error = {0};
    example e;
    begin(&e);
    tl_model *fitted = network(), *looped = network(), *plain = network();
    for (size_t i = 0; i < SERIES; i++) rounded[i] = (tl_real)weights[i];
    tl_fit(fitted, &e.data, &(tl_fit_cfg){.epochs = 3, .keep_order = true, .weights = weights}, NULL, &error);
    tl_fit(plain, &e.data, &(tl_fit_cfg){.epochs = 3, .keep_order = true}, NULL, &error);
    check_ok(&error);
    for (int step = 0; step < 3; step++) {
        tl_forward(looped, &e.data.x, TL_MODE_TRAINING);
        tl_loss(looped, &(tl_target){.labels = e.labels, .weights = rounded});
        tl_backward(looped);
        tl_step(looped, &error);
    }
    check_ok(&error);
    check_parameters(fitted, looped, 0, 0);
    const tl_parameter with = tl_parameter_at(fitted, 0), without = tl_parameter_at(plain, 0);
    assert_memory_not_equal(with.value.data, without.value.data, sizeof(tl_real));
    tl_model_free(fitted), tl_model_free(looped), tl_model_free(plain);
}

static void given_wrong_weights_when_fitted_then_refused(void **unused) {
    (void)unused;
    static const double negative[SERIES] = {1, 1, -2, 1, 1, 1}, fine[SERIES] = {1, 1, 1, 1, 1, 1};
    tl_error error = {0}, mixed = {0};
    example e;
    begin(&e);
    tl_model *model = network();
    tl_fit(model, &e.data, &(tl_fit_cfg){.weights = negative}, NULL, &error);
    check_error(&error, TL_ERROR_ARGUMENT, "fit: weight of sample 2: -2 is not a number of at least 0");
    tl_fit(model, &e.data, &(tl_fit_cfg){.weights = fine, .augment.mixup = 0.2}, NULL, &mixed);
    check_error(&mixed, TL_ERROR_ARGUMENT, "fit: mixup 0.2 does not mix series that have weights");
    tl_model_free(model);
}

static void given_other_weights_when_resumed_then_refused(void **unused) {
    (void)unused;
    static const double some[SERIES] = {1, 1, 2, 1, 1, 1}, others[SERIES] = {1, 1, 3, 1, 1, 1};
    tl_error error = {0};
    example e;
    begin(&e);
    tl_model *model = network(), *again = network();
    const char *path = files_path("weights.checkpoint");
    tl_fit(model, &e.data, &(tl_fit_cfg){.weights = some, .checkpoint = path}, NULL, &error);
    check_ok(&error);
    tl_fit(again, &e.data, &(tl_fit_cfg){.epochs = 2, .weights = others, .resume = path}, NULL, &error);
    check_error(&error, TL_ERROR_ARGUMENT, "data");
    unlink(path);
    tl_model_free(model), tl_model_free(again);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(given_weights_when_fitted_then_a_loop_with_them_learns_the_same),
        cmocka_unit_test(given_wrong_weights_when_fitted_then_refused),
        cmocka_unit_test(given_other_weights_when_resumed_then_refused),
    };
    return cmocka_run_group_tests(tests, files_setup, files_teardown) != 0;
}
