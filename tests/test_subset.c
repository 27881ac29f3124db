/* Parts of data sets: samples taken, and folds for cross-validation. */
#include "check.h"

#include <string.h>

enum { COUNT = 23, LENGTH = 4, CLASSES = 3 };

static char *names[CLASSES] = {"a", "b", "c"};

/* Sample i holds i in every element; classes of 12, 8 and 3 samples. */
static tl_dataset numbered(tl_real *x, int32_t *labels, tl_real *values) {
    for (size_t i = 0; i < COUNT; i++) {
        for (size_t t = 0; t < LENGTH; t++) x[i * LENGTH + t] = (tl_real)i;
        labels[i] = i % 2 == 0 ? 0 : i % 6 == 5 ? 2 : 1;
        values[i] = (tl_real)(10 * i);
    }
    return (tl_dataset){.x = TL_VIEW(x, COUNT, LENGTH, 1), .labels = labels, .classes = CLASSES, .class_names = names};
}

static void given_some_samples_when_taken_then_copies_in_that_order(void **unused) {
    (void)unused;
    tl_real x[COUNT * LENGTH], values[COUNT];
    int32_t labels[COUNT];
    tl_error error = {0};
    const tl_dataset data = numbered(x, labels, values);
    tl_dataset *part = tl_dataset_take(&data, (const uint32_t[]){20, 5, 5}, 3, &error);
    check_ok(&error);
    assert_int_equal(part->x.shape[0], 3);
    check_equal("x", part->x.data, (const tl_real[]){20, 20, 20, 20, 5, 5, 5, 5, 5, 5, 5, 5}, 12);
    assert_int_equal(part->labels[0], 0);
    assert_int_equal(part->labels[1], 2);
    assert_int_equal(part->classes, CLASSES);
    assert_string_equal(part->class_names[2], "c");
    tl_dataset_free(part);
    assert_null(tl_dataset_take(&data, (const uint32_t[]){23}, 1, &error));
    check_error(&error, TL_ERROR_ARGUMENT, "data: sample 23 is outside 0 … 22");
    assert_null(tl_dataset_take(&data, (const uint32_t[]){23}, 1, NULL));
}

static void given_unequal_series_when_taken_then_lengths_go_with_them(void **unused) {
    (void)unused;
    tl_real x[COUNT * LENGTH], values[COUNT];
    int32_t labels[COUNT];
    size_t lengths[COUNT];
    tl_error error = {0};
    tl_dataset data = numbered(x, labels, values), *rest, *held_out;
    for (size_t i = 0; i < COUNT; i++) lengths[i] = 1 + i % LENGTH;
    data.lengths = lengths;
    tl_dataset *part = tl_dataset_take(&data, (const uint32_t[]){20, 5}, 2, &error);
    check_ok(&error);
    assert_true(part->lengths[0] == lengths[20] && part->lengths[1] == lengths[5]);
    tl_dataset_free(part);
    error = (tl_error){.status = TL_ERROR_STATE};
    assert_int_equal(tl_dataset_fold(&data, 2, 0, 1, &rest, &held_out, &error), TL_ERROR_STATE); /* nothing is done */
    assert_true(!rest && !held_out);
    data.x.shape[0] = (size_t)1 << 32;
    error = (tl_error){0};
    tl_dataset_fold(&data, 2, 0, 1, &rest, &held_out, &error);
    check_error(&error, TL_ERROR_SHAPE, "data: 4294967296 samples exceed 4294967295");
}

/* How often each sample was held out; counts of the classes in a fold differ by at most one from an equal share. */
static void count_fold(const tl_dataset *held_out, size_t folds, int times[COUNT]) {
    static const size_t sizes[CLASSES] = {12, 8, 3};
    size_t found[CLASSES] = {0};
    for (size_t i = 0; i < held_out->x.shape[0]; i++) {
        times[(int)held_out->x.data[i * LENGTH]]++;
        if (held_out->labels) found[held_out->labels[i]]++;
    }
    for (size_t c = 0; held_out->labels && c < CLASSES; c++)
        assert_in_range(found[c], sizes[c] / folds, (sizes[c] + folds - 1) / folds);
}

static void check_folds(const tl_dataset *data, size_t folds) {
    int times[COUNT] = {0};
    for (size_t fold = 0; fold < folds; fold++) {
        tl_error error = {0};
        tl_dataset *rest, *held_out;
        tl_dataset_fold(data, folds, fold, 7, &rest, &held_out, &error);
        check_ok(&error);
        assert_int_equal(rest->x.shape[0] + held_out->x.shape[0], COUNT);
        assert_in_range(held_out->x.shape[0], COUNT / folds, (COUNT + folds - 1) / folds);
        count_fold(held_out, folds, times);
        for (size_t i = 0; i < rest->x.shape[0]; i++)
            for (size_t k = 0; k < held_out->x.shape[0]; k++) assert_true(rest->x.data[i * LENGTH] != held_out->x.data[k * LENGTH]);
        tl_dataset_free(rest);
        tl_dataset_free(held_out);
    }
    for (size_t i = 0; i < COUNT; i++) assert_int_equal(times[i], 1);
}

static void given_any_folds_when_held_out_then_each_sample_once(void **unused) {
    (void)unused;
    tl_real x[COUNT * LENGTH], values[COUNT];
    int32_t labels[COUNT];
    const tl_dataset data = numbered(x, labels, values);
    const tl_dataset regression = {.x = data.x, .values = values};
    for (size_t folds = 2; folds <= COUNT; folds++) {
        check_folds(&data, folds);
        check_folds(&regression, folds);
    }
}

static void given_another_seed_when_folded_then_other_samples(void **unused) {
    (void)unused;
    tl_real x[COUNT * LENGTH], values[COUNT];
    int32_t labels[COUNT];
    tl_error error = {0};
    const tl_dataset data = numbered(x, labels, values);
    tl_dataset *rest[3], *held_out[3];
    for (uint64_t i = 0; i < 3; i++) tl_dataset_fold(&data, 4, 1, i / 2, &rest[i], &held_out[i], &error);
    check_ok(&error);
    check_equal("the same seed", held_out[1]->x.data, held_out[0]->x.data, tl_tensor_count(&held_out[0]->x));
    assert_memory_not_equal(held_out[2]->x.data, held_out[0]->x.data, 5 * LENGTH * sizeof(tl_real));
    for (size_t i = 0; i < 3; i++) {
        tl_dataset_free(rest[i]);
        tl_dataset_free(held_out[i]);
    }
}

static void given_impossible_folds_when_asked_for_then_it_is_said(void **unused) {
    (void)unused;
    tl_real x[COUNT * LENGTH], values[COUNT];
    int32_t labels[COUNT];
    const tl_dataset data = numbered(x, labels, values);
    static const struct {
        size_t folds, fold;
        const char *message;
    } cases[] = {{1, 0, "data: 1 folds; at least 2 are needed"},
                 {4, 4, "data: fold 4 is outside 0 … 3"},
                 {24, 0, "data: 23 samples cannot make 24 folds"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tl_error error = {0};
        tl_dataset *rest, *held_out;
        tl_dataset_fold(&data, cases[i].folds, cases[i].fold, 0, &rest, &held_out, &error);
        check_error(&error, TL_ERROR_ARGUMENT, cases[i].message);
        assert_null(rest);
        assert_null(held_out);
    }
    labels[3] = 3;
    tl_error error = {0};
    tl_dataset *rest, *held_out;
    tl_dataset_fold(&data, 3, 0, 0, &rest, &held_out, &error);
    check_error(&error, TL_ERROR_ARGUMENT, "data: label 3 of sample 3 is outside 0 … 2");
    labels[3] = TL_NO_LABEL - 1;
    assert_int_equal(tl_dataset_fold(&data, 3, 0, 0, &rest, &held_out, NULL), TL_ERROR_ARGUMENT);
}

/* ---- folds in the order of the data ---- */

static void given_windows_when_folded_in_order_then_no_step_is_in_both(void **unused) {
    (void)unused;
    tl_error error = {0};
    tl_real x[2 * 12];
    for (int i = 0; i < 24; i++) x[i] = (tl_real)i;
    const tl_dataset recordings = {.x = TL_VIEW(x, 2, 12, 1), .labels = (int32_t[]){0, 1}, .classes = 2};
    tl_dataset *windows = tl_dataset_windows(&recordings, &(tl_window_cfg){.length = 4, .hop = 2}, &error), *rest, *held_out;
    check_ok(&error); /* 5 of each recording, from steps 0, 2, 4, 6, 8 */
    tl_dataset_fold_in_order(windows, 5, 1, &rest, &held_out, &error);
    check_ok(&error);
    assert_int_equal(held_out->x.shape[0], 2); /* from 4 and 6: 2 and 8 share steps with them */
    assert_true(held_out->windows[0].start == 4 && held_out->windows[1].start == 6);
    assert_int_equal(rest->x.shape[0], 6);
    assert_true(rest->windows[0].start == 0 && rest->windows[0].series == 0 && rest->windows[1].series == 1);
    tl_dataset_free(rest);
    tl_dataset_free(held_out);
    tl_dataset_fold_in_order(&recordings, 2, 1, &rest, &held_out, &error);
    check_ok(&error);
    assert_true(rest->x.data[0] == 0 && held_out->x.data[0] == 12);
    tl_dataset_free(rest);
    tl_dataset_free(held_out);
    tl_dataset_free(windows);
    const tl_dataset one = {.x = TL_VIEW(x, 1, 12, 1), .labels = (int32_t[]){0}, .classes = 2};
    tl_dataset *all = tl_dataset_windows(&one, &(tl_window_cfg){.length = 11, .hop = 1}, &error);
    check_ok(&error);
    tl_dataset_fold_in_order(all, 2, 0, &rest, &held_out, &error);
    check_error(&error, TL_ERROR_ARGUMENT, "data: all windows share steps with fold 0 of 2; fewer folds, or a larger hop, help");
    assert_true(!rest && !held_out);
    tl_dataset_free(all);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(given_some_samples_when_taken_then_copies_in_that_order),
        cmocka_unit_test(given_unequal_series_when_taken_then_lengths_go_with_them),
        cmocka_unit_test(given_any_folds_when_held_out_then_each_sample_once),
        cmocka_unit_test(given_another_seed_when_folded_then_other_samples),
        cmocka_unit_test(given_impossible_folds_when_asked_for_then_it_is_said),
        cmocka_unit_test(given_windows_when_folded_in_order_then_no_step_is_in_both),
    };
    return check_run(tests);
}
