/* What tells a better epoch from a worse one: tl_fit_cfg.watch. */
#include "check.h"

#include <math.h>
#include <string.h>

enum { COUNT = 8, LENGTH = 4, EPOCHS = 12 };

static tl_real train_x[COUNT * LENGTH], other_x[COUNT * LENGTH];
static int32_t labels[COUNT] = {0, 1, 0, 1, 0, 1, 0, 1};
static tl_real values[COUNT] = {0, 1, 2, 3, 4, 5, 6, 7};

static int set_up(void **unused) {
    (void)unused;
    fill_normal(train_x, COUNT * LENGTH, 1);
    fill_normal(other_x, COUNT * LENGTH, 2);
    return 0;
}

static tl_dataset set_of(tl_real *x, bool classes) {
    return (tl_dataset){.x = TL_VIEW(x, COUNT, LENGTH, 1),
                        .labels = classes ? labels : NULL,
                        .values = classes ? NULL : values,
                        .classes = classes ? 2 : 0};
}

static tl_model *network(bool classes) {
    tl_error error = {0};
    tl_model *model = tl_model_new(&(tl_model_cfg){.seed = 4, .threads = 1});
    const tl_node x = tl_flatten(model, tl_input(model, (tl_shape){.length = LENGTH, .channels = 1}));
    const tl_compile_cfg cfg = {.batch = COUNT,
                                .loss = classes ? TL_LOSS_CROSS_ENTROPY : TL_LOSS_SQUARED_ERROR,
                                .optimizer = {.ops = tl_sgd(), .learning_rate = 0.5}};
    tl_model_compile(model, tl_dense(model, x, &(tl_dense_cfg){.units = classes ? 2 : 1}), &cfg, &error);
    check_ok(&error);
    return model;
}

/* What was seen at the ends of epochs. */
typedef struct seen {
    double value[EPOCHS], rate[EPOCHS];
    size_t offset; /* of the metric */
    bool training;
} seen;

static bool look(const tl_progress *at, void *user) {
    seen *self = user;
    const tl_metrics *of = self->training ? &at->train : &at->validation;
    memcpy(&self->value[at->epoch - 1], (const char *)of + self->offset, sizeof(double));
    self->rate[at->epoch - 1] = at->learning_rate;
    return true;
}

/* The first epoch, from 1, that has the best value. */
static int best_of(const double *value, int count, bool highest) {
    int best = 0;
    for (int i = 1; i < count; i++)
        if (highest ? value[i] > value[best] : value[i] < value[best]) best = i;
    return best + 1;
}

static const struct {
    tl_watch watch;
    const char *name;
    size_t offset;
    bool classes, training, highest;
} kinds[] = {
    {TL_WATCH_TRAIN_LOSS, "train-loss", offsetof(tl_metrics, loss), true, true, false},
    {TL_WATCH_VALIDATION_LOSS, "validation-loss", offsetof(tl_metrics, loss), true, false, false},
    {TL_WATCH_VALIDATION_ACCURACY, "validation-accuracy", offsetof(tl_metrics, accuracy), true, false, true},
    {TL_WATCH_VALIDATION_BALANCED_ACCURACY, "validation-balanced-accuracy", offsetof(tl_metrics, balanced_accuracy), true, false,
     true},
    {TL_WATCH_VALIDATION_F1, "validation-f1", offsetof(tl_metrics, f1), true, false, true},
    {TL_WATCH_VALIDATION_AUROC, "validation-auroc", offsetof(tl_metrics, auroc), true, false, true},
    {TL_WATCH_VALIDATION_RMSE, "validation-rmse", offsetof(tl_metrics, rmse), false, false, false},
    {TL_WATCH_VALIDATION_MAE, "validation-mae", offsetof(tl_metrics, mae), false, false, false},
    {TL_WATCH_VALIDATION_R2, "validation-r2", offsetof(tl_metrics, r2), false, false, true},
};

enum { KINDS = sizeof kinds / sizeof *kinds };

static void given_a_metric_when_watched_then_the_best_epoch_is_its_best(void **unused) {
    (void)unused;
    for (size_t i = 0; i < KINDS; i++) {
        tl_error error = {0};
        tl_fit_result result;
        seen at = {.offset = kinds[i].offset, .training = kinds[i].training};
        tl_model *model = network(kinds[i].classes);
        const tl_dataset data = set_of(train_x, kinds[i].classes), other = set_of(other_x, kinds[i].classes);
        const tl_fit_cfg cfg = {
            .epochs = EPOCHS, .batch = 2, .validation = &other, .watch = kinds[i].watch, .callbacks = {{look, &at}}};
        tl_fit(model, &data, &cfg, &result, &error);
        check_ok(&error);
        assert_int_equal(result.best_epoch, best_of(at.value, EPOCHS, kinds[i].highest));
        check_number(kinds[i].name, result.best_loss, at.value[result.best_epoch - 1], 0, 0);
        tl_model_free(model);
    }
}

static void given_patience_when_a_metric_is_watched_then_it_ends_behind_its_best(void **unused) {
    (void)unused;
    tl_error error = {0};
    tl_fit_result result;
    seen at = {.offset = offsetof(tl_metrics, accuracy)};
    tl_model *model = network(true);
    const tl_dataset data = set_of(train_x, true), other = set_of(other_x, true);
    const tl_fit_cfg cfg = {.epochs = EPOCHS,
                            .batch = 2,
                            .validation = &other,
                            .watch = TL_WATCH_VALIDATION_ACCURACY,
                            .patience = 2,
                            .schedule = {.kind = TL_SCHEDULE_PLATEAU, .patience = 1, .minimum = 1e-6},
                            .callbacks = {{look, &at}}};
    tl_fit(model, &data, &cfg, &result, &error);
    check_ok(&error);
    assert_true(result.early_stopped && result.epochs == result.best_epoch + 2);
    check_number("rate of the epoch behind the best", at.rate[result.best_epoch + 1], 0.5 * at.rate[result.best_epoch], 1e-12, 0);
    tl_model_free(model);
}

static void given_names_when_looked_up_then_found_and_others_refused(void **unused) {
    (void)unused;
    tl_watch watch;
    tl_error error = {0};
    for (size_t i = 0; i < KINDS; i++) {
        assert_string_equal(tl_watch_name(kinds[i].watch), kinds[i].name);
        assert_int_equal(tl_watch_by_name(kinds[i].name, &watch, &error), TL_OK);
        assert_int_equal(watch, kinds[i].watch);
    }
    assert_string_equal(tl_watch_name(TL_WATCH_DEFAULT), "default");
    assert_null(tl_watch_name((tl_watch)(KINDS + 1)));
    tl_watch_by_name("val_loss", &watch, &error);
    check_error(&error, TL_ERROR_ARGUMENT, "watch \"val_loss\" is unknown; choose one of default, train-loss, validation-loss, ");
}

static void expect_refused(bool classes, tl_watch watch, bool validated, const char *text) {
    tl_error error = {0};
    tl_model *model = network(classes);
    const tl_dataset data = set_of(train_x, classes);
    tl_fit(model, &data, &(tl_fit_cfg){.watch = watch, .validation = validated ? &data : NULL}, NULL, &error);
    check_error(&error, TL_ERROR_ARGUMENT, text);
    tl_model_free(model);
}

static void given_what_is_not_there_when_watched_then_refused(void **unused) {
    (void)unused;
    expect_refused(true, TL_WATCH_VALIDATION_F1, false, "fit: watch validation-f1: there is no validation set");
    expect_refused(true, TL_WATCH_VALIDATION_RMSE, true,
                   "fit: watch validation-rmse is for target values, but the loss is cross-entropy");
    expect_refused(false, TL_WATCH_VALIDATION_AUROC, true,
                   "fit: watch validation-auroc is for classes, but the loss is squared-error");
    expect_refused(true, (tl_watch)99, true, "fit: watch 99 is unknown");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(given_a_metric_when_watched_then_the_best_epoch_is_its_best),
        cmocka_unit_test(given_patience_when_a_metric_is_watched_then_it_ends_behind_its_best),
        cmocka_unit_test(given_names_when_looked_up_then_found_and_others_refused),
        cmocka_unit_test(given_what_is_not_there_when_watched_then_refused),
    };
    return cmocka_run_group_tests(tests, set_up, NULL) != 0;
}
