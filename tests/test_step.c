/* What a step makes of the gradients: clipping, and groups of parameters. */
#include "check.h"

#include <math.h>
#include <string.h>

enum { BATCH = 3, INPUTS = 2, HIDDEN = 4, ARRAYS = 6, MAX_SIZE = 8 };

static const double tolerance = sizeof(tl_real) == sizeof(float) ? 1e-6 : 1e-14;

/* Three dense layers, the one of index i being node i + 1; stepped by `cfg`. */
static tl_model *three_layers(const tl_compile_cfg *cfg) {
    tl_error error = {0};
    tl_model *model = tl_model_new(&(tl_model_cfg){.seed = 2, .threads = 2});
    tl_node x = tl_input(model, (tl_shape){.length = 1, .channels = INPUTS});
    x = tl_dense(model, x, &(tl_dense_cfg){.units = HIDDEN});
    x = tl_dense(model, x, &(tl_dense_cfg){.units = 2});
    x = tl_dense(model, x, &(tl_dense_cfg){.units = 2});
    tl_model_compile(model, x, cfg, &error);
    check_ok(&error);
    return model;
}

/* Leaves the gradients of one pass, which are sums over BATCH samples. */
static void accumulate(tl_model *model) {
    const tl_real x[BATCH * INPUTS] = {1, -2, (tl_real)0.5, 3, -1, 2}, dy[BATCH * 2] = {1, 2, -1, (tl_real)0.5, 3, -2};
    const tl_tensor input = TL_VIEW(x, BATCH, 1, INPUTS), gradient = TL_VIEW(dy, BATCH, 1, 2);
    tl_forward(model, &input, TL_MODE_TRAINING);
    tl_backward_from(model, &gradient);
    check_ok(tl_model_error(model));
}

/* The parameters and mean gradients of every array. */
typedef struct snapshot {
    double value[ARRAYS][MAX_SIZE], gradient[ARRAYS][MAX_SIZE];
} snapshot;

static snapshot snapshot_of(const tl_model *model) {
    snapshot s = {0};
    for (size_t a = 0; a < ARRAYS; a++) {
        const tl_parameter p = tl_parameter_at(model, a);
        for (size_t i = 0; i < tl_tensor_count(&p.value); i++) {
            s.value[a][i] = (double)p.value.data[i];
            s.gradient[a][i] = (double)p.gradient.data[i] / BATCH;
        }
    }
    return s;
}

static void check_values(const tl_model *model, double expected[ARRAYS][MAX_SIZE]) {
    for (size_t a = 0; a < ARRAYS; a++) {
        const tl_parameter p = tl_parameter_at(model, a);
        for (size_t i = 0; i < tl_tensor_count(&p.value); i++)
            check_number(p.name, (double)p.value.data[i], expected[a][i], tolerance, tolerance);
    }
}

static double clipped(double x, double maximum) { return fmax(-maximum, fmin(maximum, x)); }

static void given_both_limits_when_stepped_then_values_clipped_before_the_norm(void **unused) {
    (void)unused;
    for (int with_norm = 0; with_norm < 2; with_norm++) {
        const double maximum = 0.3, norm = 0.5, rate = 2;
        tl_error error = {0};
        tl_model *model = three_layers(&(tl_compile_cfg){.batch = BATCH,
                                                         .clip_value = maximum,
                                                         .clip_norm = with_norm ? norm : 0,
                                                         .optimizer = {.ops = tl_sgd(), .learning_rate = rate}});
        accumulate(model);
        snapshot s = snapshot_of(model);
        double sum = 0, clips = 0;
        for (size_t a = 0; a < ARRAYS; a++)
            for (size_t i = 0; i < MAX_SIZE; i++) {
                sum += pow(clipped(s.gradient[a][i], maximum), 2);
                clips += fabs(s.gradient[a][i]) > maximum;
            }
        assert_true(clips > 0 && clips < ARRAYS * MAX_SIZE && sqrt(sum) > norm);
        const double scale = with_norm ? norm / sqrt(sum) : 1;
        for (size_t a = 0; a < ARRAYS; a++)
            for (size_t i = 0; i < MAX_SIZE; i++) s.value[a][i] -= rate * scale * clipped(s.gradient[a][i], maximum);
        tl_step(model, &error);
        check_ok(&error);
        check_values(model, s.value);
        tl_model_free(model);
    }
}

static void given_an_infinite_gradient_when_clipped_by_value_then_still_refused(void **unused) {
    (void)unused;
    tl_error error = {0};
    const tl_real ones[] = {1, 1}, infinite[] = {(tl_real)INFINITY, 1};
    const tl_tensor x = TL_VIEW(ones, 1, 1, INPUTS), dy = TL_VIEW(infinite, 1, 1, 2);
    tl_model *model = three_layers(&(tl_compile_cfg){.clip_value = 1});
    tl_forward(model, &x, TL_MODE_TRAINING);
    tl_backward_from(model, &dy);
    tl_step(model, &error);
    check_error(&error, TL_ERROR_NUMERIC, "non-finite gradient at step 1");
    tl_model_free(model);
}

/* SGD with both penalties; `group` is that of the middle layer. */
static void check_groups(tl_model *model, const tl_group_cfg *group) {
    const double rate = 0.1, decay = 0.5, l1 = 0.25;
    tl_error error = {0};
    accumulate(model);
    snapshot s = snapshot_of(model);
    for (size_t a = 0; a < ARRAYS; a++) {
        const bool grouped = tl_parameter_at(model, a).node.id == 2;
        const double factor = grouped ? group->rate : 1, penalties = grouped && group->no_decay ? 0 : 1;
        for (size_t i = 0; i < MAX_SIZE; i++) {
            const double x = s.value[a][i], sign = x > 0 ? 1 : x < 0 ? -1 : 0;
            s.value[a][i] -= rate * factor * (s.gradient[a][i] + penalties * (decay * x + l1 * sign));
        }
    }
    tl_step(model, &error);
    check_ok(&error);
    check_values(model, s.value);
}

static void given_a_group_when_stepped_then_its_own_rate_and_penalties(void **unused) {
    (void)unused;
    const tl_group_cfg slow = {.rate = 0.1}, bare = {.rate = 1, .no_decay = true}, both = {.rate = 3, .no_decay = true},
                       usual = {.rate = 1};
    const tl_compile_cfg cfg = {.batch = BATCH,
                                .optimizer = {.ops = tl_sgd(), .learning_rate = 0.1, .weight_decay = 0.5, .l1 = 0.25}};
    const tl_node middle = {.id = 2};
    tl_model *model = three_layers(&cfg);
    check_groups(model, &usual);
    tl_set_group(model, middle, &slow);
    check_groups(model, &slow);
    tl_set_group(model, middle, &(tl_group_cfg){.no_decay = true});
    check_groups(model, &bare);
    tl_set_group(model, middle, &both);
    check_groups(model, &both);
    tl_set_group(model, middle, NULL);
    check_groups(model, &usual);
    tl_model_free(model);
}

static void given_a_group_before_compiling_when_stepped_by_adamw_then_heeded(void **unused) {
    (void)unused;
    tl_error error = {0};
    tl_model *model = tl_model_new(NULL);
    const tl_node x = tl_input(model, (tl_shape){.length = 1, .channels = 1});
    const tl_node first = tl_dense(model, x, &(tl_dense_cfg){.units = 1, .no_bias = true});
    const tl_node second = tl_dense(model, first, &(tl_dense_cfg){.units = 1, .no_bias = true});
    tl_set_group(model, first, &(tl_group_cfg){.no_decay = true});
    tl_model_compile(model, second, &(tl_compile_cfg){.optimizer = {.ops = tl_adamw(), .learning_rate = 0.5, .weight_decay = 0.25}},
                     &error);
    check_ok(&error);
    tl_real *a = tl_parameter_at(model, 0).value.data, *b = tl_parameter_at(model, 1).value.data;
    const double before_a = (double)*a, before_b = (double)*b;
    const tl_real zero = 0;
    const tl_tensor view = TL_VIEW(&zero, 1, 1, 1);
    tl_forward(model, &view, TL_MODE_TRAINING);
    tl_backward_from(model, &view);
    tl_step(model, &error);
    check_ok(&error);
    check_number("without decay", (double)*a, before_a, 0, 0);
    check_number("with decay", (double)*b, before_b * (1 - 0.5 * 0.25), tolerance, 0);
    tl_model_free(model);
}

static void given_a_wrong_group_when_set_then_named(void **unused) {
    (void)unused;
    tl_model *model = three_layers(NULL);
    const double rates[] = {-1, NAN, 1e7};
    const char *const texts[] = {"group: rate -1 is not above 0 and at most 1e6", "group: rate nan", "group: rate 1e+07"};
    for (size_t i = 0; i < 3; i++) {
        tl_set_group(model, (tl_node){.id = 1}, &(tl_group_cfg){.rate = rates[i]});
        check_error(tl_model_error(model), TL_ERROR_ARGUMENT, texts[i]);
        tl_model_clear_error(model);
    }
    tl_set_group(model, (tl_node){.id = 17}, NULL);
    check_error(tl_model_error(model), TL_ERROR_ARGUMENT, "group: node 17; the model has 4 nodes");
    tl_set_group(NULL, (tl_node){.id = 1}, NULL);
    tl_model_free(model);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(given_both_limits_when_stepped_then_values_clipped_before_the_norm),
        cmocka_unit_test(given_an_infinite_gradient_when_clipped_by_value_then_still_refused),
        cmocka_unit_test(given_a_group_when_stepped_then_its_own_rate_and_penalties),
        cmocka_unit_test(given_a_group_before_compiling_when_stepped_by_adamw_then_heeded),
        cmocka_unit_test(given_a_wrong_group_when_set_then_named),
    };
    return check_run(tests);
}
