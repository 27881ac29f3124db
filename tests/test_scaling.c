/* How series are brought to one scale: by themselves, by the training set, or not at all; in double, from what files say; and that
 * data sets, models and files know it. */
#include "check.h"
#include "files.h"

#include <tapline/file.h>
#include <tapline/layers.h>

#include "data/moments.h"
#include "data/scaling.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const double rounding = sizeof(tl_real) == sizeof(float) ? 6e-8 : 1e-15;

/* ---- in every reader ---- */

static void put_series(bytes *to, const double *numbers, size_t count) {
    for (size_t i = 0; i < count; i++) put_double(to, numbers[i]);
}

static void check_off(const char *what, const tl_dataset *data, const tl_error *error) {
    static const double scaled[] = {-1.5, -0.5, 0.5, 1.5};
    check_ok(error);
    for (int t = 0; t < 4; t++) check_number(what, (double)data->x.data[t], scaled[t] / sqrt(1.25), 2 * rounding, 0);
    assert_int_equal(data->scaling.kind, TL_NORMALIZE_SERIES);
}

/* 1000000001 … 1000000004, which are one number in single precision. */
static void given_a_large_level_when_read_then_differing_digits_are_kept(void **unused) {
    (void)unused;
    static const double off[] = {1000000001, 1000000002, 1000000003, 1000000004};
    static const char *const texts[][2] = {
        {"off.csv", "a,1000000001,1000000002,1000000003,1000000004\n"},
        {"off.tsv", "1\t1000000001\t1000000002\t1000000003\t1000000004\n"},
        {"off.ts", "@classLabel true a\n@data\n1000000001,1000000002,1000000003,1000000004:a\n"},
        {"off.arff", "@relation r\n@attribute a numeric\n@attribute b numeric\n@attribute c numeric\n@attribute d numeric\n"
                     "@attribute class {a}\n@data\n1000000001,1000000002,1000000003,1000000004,a\n"}};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        tl_error error = {0};
        tl_dataset *data = files_read(texts[i][0], texts[i][1], strlen(texts[i][1]), NULL, &error);
        check_off(texts[i][0], data, &error);
        tl_dataset_free(data);
    }
    tl_error error = {0};
    bytes table = npy_header("'<f8'", "(1, 5)");
    put_double(&table, 0);
    put_series(&table, off, 4);
    tl_dataset *data = files_read("off.npy", table.data, table.count, NULL, &error);
    check_off("off.npy", data, &error);
    tl_dataset_free(data);
    bytes x = npy_header("'<f8'", "(1, 4)"), y = npy_header("'<i4'", "(1,)");
    put_series(&x, off, 4);
    put_integer(&y, 3, 4);
    const zip_member members[] = {{"x.npy", &x}, {"y.npy", &y}};
    const bytes archive = zip_of(false, members, 2);
    data = files_read("off.npz", archive.data, archive.count, NULL, &error);
    check_off("off.npz", data, &error);
    tl_dataset_free(data);
}

static void given_gaps_at_a_large_level_when_read_then_filled_in_before_rounding(void **unused) {
    (void)unused;
    static const char text[] = "a,1000000001,?,1000000003,1000000004\n";
    tl_error error = {0};
    tl_dataset *data = files_read("gap.csv", text, strlen(text), &(tl_read_cfg){.missing_policy = TL_MISSING_INTERPOLATE}, &error);
    check_off("gap.csv", data, &error);
    tl_dataset_free(data);
}

/* ---- the whole set ---- */

/* Two channels, of which the second is constant: mean and deviation are over all of it. */
static const char two[] = "@classLabel true a b\n@data\n1000000001,1000000002:7,7:a\n1000000003,1000000006:7,7:b\n";

static void given_the_training_set_when_scaled_together_then_as_StandardScaler(void **unused) {
    (void)unused;
    tl_error error = {0};
    tl_dataset *data = files_read("two.ts", two, strlen(two), &(tl_read_cfg){.normalize = TL_NORMALIZE_SET}, &error);
    check_ok(&error);
    assert_int_equal(data->scaling.kind, TL_NORMALIZE_SET);
    const double mean = 1000000003, deviation = sqrt((4 + 1 + 0 + 9) / 4.0), offs[] = {-2, -1, 0, 3};
    check_number("mean", data->scaling.mean[0], mean, 1e-16, 0);
    check_number("deviation", data->scaling.deviation[0], deviation, 1e-15, 0);
    check_number("mean of a constant", data->scaling.mean[1], 7, 0, 0);
    check_number("deviation of a constant", data->scaling.deviation[1], 1, 0, 0);
    for (int i = 0; i < 4; i++) {
        check_number("x", (double)data->x.data[2 * i], offs[i] / deviation, 2 * rounding, 0);
        check_number("constant", (double)data->x.data[2 * i + 1], 0, 0, 0);
    }
    static const char other[] = "@classLabel true a b\n@data\n1000000001,1000000003:7,9:a\n";
    tl_dataset *test = files_read("other.ts", other, strlen(other), &(tl_read_cfg){.reference = data}, &error);
    check_ok(&error);
    check_number("reference", (double)test->x.data[0], -2 / deviation, 2 * rounding, 0);
    check_number("reference, a constant", (double)test->x.data[3], 2, 0, 0);
    tl_dataset_free(test);
    tl_dataset_free(data);
}

static void given_unequal_lengths_when_scaled_together_then_padding_is_no_value(void **unused) {
    (void)unused;
    static const char text[] = "@classLabel true a b\n@equalLength false\n@data\n1,2,3,6:a\n8:b\n";
    tl_error error = {0};
    tl_dataset *data = files_read("unequal.ts", text, strlen(text), &(tl_read_cfg){.normalize = TL_NORMALIZE_SET}, &error);
    check_ok(&error);
    const double deviation = sqrt((9 + 4 + 1 + 4 + 16) / 5.0);
    check_number("mean", data->scaling.mean[0], 4, 1e-15, 0);
    check_number("deviation", data->scaling.deviation[0], deviation, 1e-15, 0);
    check_number("the short one", (double)data->x.data[4], 4 / deviation, 2 * rounding, 0);
    for (int t = 5; t < 8; t++) check_number("behind it", (double)data->x.data[t], 0, 0, 0);
    tl_dataset_free(data);
}

/* ---- arrays of one's own ---- */

enum { SERIES = 12, LENGTH = 3 };

static void fill_levels(tl_real *x, int32_t *labels) {
    fill_normal(x, SERIES * LENGTH, 3);
    for (int i = 0; i < SERIES * LENGTH; i++) x[i] = x[i] * 4 + (tl_real)(100 + 10 * (i / LENGTH % 2));
    for (int i = 0; i < SERIES; i++) labels[i] = i % 2;
}

static tl_dataset own_arrays(tl_real *x, int32_t *labels) {
    return (tl_dataset){.x = TL_VIEW(x, SERIES, LENGTH, 1), .labels = labels, .classes = 2};
}

static void mean_and_deviation(const tl_real *x, size_t count, double *mean, double *deviation) {
    double sum = 0, squares = 0;
    for (size_t i = 0; i < count; i++) sum += (double)x[i];
    *mean = sum / (double)count;
    for (size_t i = 0; i < count; i++) squares += pow((double)x[i] - *mean, 2);
    *deviation = sqrt(squares / (double)count);
}

static void given_arrays_of_ones_own_when_scaled_and_back_then_they_know_it(void **unused) {
    (void)unused;
    tl_error error = {0};
    tl_real x[SERIES * LENGTH], unscaled[SERIES * LENGTH];
    int32_t labels[SERIES];
    double mean, deviation;
    fill_levels(x, labels);
    memcpy(unscaled, x, sizeof unscaled);
    mean_and_deviation(unscaled, SERIES * LENGTH, &mean, &deviation);
    tl_dataset data = own_arrays(x, labels);
    tl_dataset_scale(&data, TL_NORMALIZE_SET, NULL, &error);
    check_ok(&error);
    check_number("mean", data.scaling.mean[0], mean, 1e-14, 0);
    check_number("deviation", data.scaling.deviation[0], deviation, 1e-14, 0);
    check_number("x", (double)x[5], ((double)unscaled[5] - mean) / deviation, 4 * rounding, 20 * rounding);
    tl_dataset_scale(&data, TL_NORMALIZE_NONE, NULL, &error);
    assert_true(data.scaling.kind == TL_NORMALIZE_NONE && !data.scaling.mean);
    check_close("back", x, unscaled, SERIES * LENGTH, 4 * rounding, 0);
    tl_dataset_scale(&data, TL_NORMALIZE_SERIES, NULL, &error);
    check_ok(&error);
    tl_dataset_scale(&data, TL_NORMALIZE_SET, NULL, &error);
    check_error(&error, TL_ERROR_ARGUMENT, "each series was scaled by itself, which loses its level and amplitude");
}

static void given_scalings_that_cannot_be_when_asked_for_then_refused(void **unused) {
    (void)unused;
    tl_real x[SERIES * LENGTH];
    int32_t labels[SERIES];
    tl_error error = {0};
    fill_levels(x, labels);
    tl_dataset data = own_arrays(x, labels), reference = own_arrays(x, labels), wide = {.x = TL_VIEW(x, 2, LENGTH, 2)};
    tl_dataset_scale(&data, TL_NORMALIZE_SET, &reference, &error);
    check_error(&error, TL_ERROR_ARGUMENT, "needs the statistics of the training set, but that set was normalised by none");
    error = (tl_error){0};
    tl_dataset_scale(&reference, TL_NORMALIZE_SET, NULL, &error);
    check_ok(&error);
    tl_dataset_scale(&wide, TL_NORMALIZE_DEFAULT, &reference, &error);
    check_error(&error, TL_ERROR_SHAPE, "2 channels cannot be scaled as the 1 channels of another data set");
    error = (tl_error){0};
    tl_dataset_scale(&data, (tl_normalization)9, NULL, &error);
    check_error(&error, TL_ERROR_ARGUMENT, "normalisation 9 is unknown");
    assert_int_equal(tl_dataset_scale(NULL, TL_NORMALIZE_SET, NULL, NULL), TL_ERROR_ARGUMENT);
    tl_scaling_free(&reference.scaling);
    tl_scaling_free(NULL);
}

/* The largest numbers, and the smallest, whose squares leave the range. */
static void given_extreme_numbers_when_scaled_then_neither_overflow_nor_zeros(void **unused) {
    (void)unused;
    const tl_real huge = sizeof(tl_real) == sizeof(float) ? (tl_real)3e38 : (tl_real)1e200;
    const tl_real tiny = sizeof(tl_real) == sizeof(float) ? (tl_real)1e-38 : (tl_real)1e-300;
    for (int k = 0; k < 4; k++) {
        tl_error error = {0};
        tl_real x[] = {-1, 1, 1, -1};
        for (int i = 0; i < 4; i++) x[i] *= k % 2 ? tiny : huge;
        tl_dataset data = {.x = TL_VIEW(x, 1, 4, 1)};
        tl_dataset_scale(&data, k < 2 ? TL_NORMALIZE_SERIES : TL_NORMALIZE_SET, NULL, &error);
        check_ok(&error);
        check_close("x", x, (const tl_real[]){-1, 1, 1, -1}, 4, 2 * rounding, 0);
        tl_scaling_free(&data.scaling);
    }
}

static void given_folds_when_dealt_then_scaled_by_statistics_of_the_rest_alone(void **unused) {
    (void)unused;
    tl_error error = {0};
    tl_real x[SERIES * LENGTH], unscaled[SERIES * LENGTH];
    int32_t labels[SERIES];
    tl_dataset *rest, *held_out, *plain_rest, *plain_out;
    fill_levels(x, labels);
    memcpy(unscaled, x, sizeof unscaled);
    tl_dataset data = own_arrays(x, labels), plain = own_arrays(unscaled, labels);
    tl_dataset_scale(&data, TL_NORMALIZE_SET, NULL, &error);
    tl_dataset_fold(&data, 3, 1, 5, &rest, &held_out, &error);
    tl_dataset_fold(&plain, 3, 1, 5, &plain_rest, &plain_out, &error);
    tl_dataset_scale(plain_rest, TL_NORMALIZE_SET, NULL, &error);
    tl_dataset_scale(plain_out, TL_NORMALIZE_SET, plain_rest, &error);
    check_ok(&error);
    check_number("mean", rest->scaling.mean[0], plain_rest->scaling.mean[0], 10 * rounding, 0);
    check_number("deviation", rest->scaling.deviation[0], plain_rest->scaling.deviation[0], 10 * rounding, 0);
    assert_true(rest->scaling.mean[0] != data.scaling.mean[0]);
    assert_memory_equal(held_out->scaling.mean, rest->scaling.mean, sizeof(double));
    check_close("rest", rest->x.data, plain_rest->x.data, tl_tensor_count(&rest->x), 10 * rounding, 10 * rounding);
    check_close("held out", held_out->x.data, plain_out->x.data, tl_tensor_count(&held_out->x), 10 * rounding, 10 * rounding);
    tl_dataset_free(rest);
    tl_dataset_free(held_out);
    tl_dataset_free(plain_rest);
    tl_dataset_free(plain_out);
    tl_scaling_free(&data.scaling);
}

/* ---- models and files ---- */

static tl_model *small(tl_error *error) {
    tl_model *model = tl_model_new(NULL);
    const tl_node in = tl_input(model, (tl_shape){LENGTH, 1});
    tl_model_compile(model, tl_dense(model, tl_flatten(model, in), &(tl_dense_cfg){.units = 2}), NULL, error);
    return model;
}

/* Saves a model that was trained on the data, with cfg or without, and gives what the file says. */
static tl_model_info saved(const tl_dataset *data, const tl_save_cfg *cfg, tl_error *error) {
    tl_model_info info = {0};
    tl_model *model = small(error);
    tl_fit(model, data, NULL, NULL, error);
    tl_model_save(model, files_path("m"), cfg, error);
    tl_model *loaded = tl_model_load(files_path("m"), NULL, &info, error);
    tl_model_save(loaded, files_path("m"), NULL, error); /* knows it still */
    tl_model_info_release(&info);
    tl_model_free(loaded);
    tl_model_free(tl_model_load(files_path("m"), NULL, &info, error));
    tl_model_free(model);
    remove(files_path("m"));
    return info;
}

static void given_each_scaling_when_saved_then_the_file_says_so(void **unused) {
    (void)unused;
    static const tl_normalization kinds[] = {TL_NORMALIZE_NONE, TL_NORMALIZE_SERIES, TL_NORMALIZE_SET};
    for (size_t k = 0; k < 3; k++)
        for (int with = 0; with < 2; with++) {
            tl_error error = {0};
            tl_real x[SERIES * LENGTH];
            int32_t labels[SERIES];
            fill_levels(x, labels);
            tl_dataset data = own_arrays(x, labels);
            if (k > 0) tl_dataset_scale(&data, kinds[k], NULL, &error);
            tl_model_info info = saved(&data, with ? &(tl_save_cfg){.data = &data} : NULL, &error);
            check_ok(&error);
            assert_int_equal(info.data.scaling.kind, kinds[k]);
            assert_int_equal(info.normalize, kinds[k]);
            if (k == 2) {
                tl_real again[SERIES * LENGTH];
                fill_levels(again, labels);
                tl_dataset other = own_arrays(again, labels);
                tl_dataset_scale(&other, TL_NORMALIZE_DEFAULT, &info.data, &error);
                check_ok(&error);
                check_equal("arrays scaled as the model takes them", again, x, SERIES * LENGTH);
                tl_scaling_free(&other.scaling);
            }
            tl_model_info_release(&info);
            tl_scaling_free(&data.scaling);
        }
}

static void given_a_claim_that_is_not_true_when_saved_then_refused(void **unused) {
    (void)unused;
    tl_error error = {0};
    tl_real x[SERIES * LENGTH], scaled[SERIES * LENGTH];
    int32_t labels[SERIES];
    fill_levels(x, labels);
    fill_levels(scaled, labels);
    tl_dataset data = own_arrays(x, labels), other = own_arrays(scaled, labels);
    tl_dataset_scale(&other, TL_NORMALIZE_SET, NULL, &error);
    tl_model *model = small(&error);
    tl_fit(model, &data, NULL, NULL, &error);
    check_ok(&error);
    tl_model_save(model, files_path("m"), &(tl_save_cfg){.data = &other}, &error);
    check_error(&error, TL_ERROR_ARGUMENT,
                "save: the model was trained on series normalised by none, but those of the data set are");
    error = (tl_error){0};
    tl_fit(model, &other, NULL, NULL, &error);
    tl_model_save(model, files_path("m"), &(tl_save_cfg){.data = &other, .normalize = TL_NORMALIZE_NONE}, &error);
    check_error(&error, TL_ERROR_ARGUMENT, "save: cfg.normalize is none, but series were normalised by set");
    tl_model_free(model);
    tl_scaling_free(&other.scaling);
}

/* ---- several series side by side ---- */

enum { MANY = 19, STEPS = 23, MOST_CHANNELS = 9, NUMBERS = MANY * STEPS * MOST_CHANNELS };

/* Of each kind some series: random ones, large and tiny ones, and a constant. */
static void fill_kinds(tl_real *x, size_t each) {
    static const double units[] = {1, 1e30, 1e-30, 0, 1e3};
    fill_normal(x, MANY * each, 6);
    for (size_t i = 0; i < MANY; i++)
        for (size_t k = 0; k < each; k++) x[i * each + k] = (tl_real)(units[i % 5] * ((double)x[i * each + k] + (double)(i % 3)));
}

/* In `narrow` every channel is scaled by itself, in `wide` those of the same length side by side, and in `apart` also in the
 * opposite order of series. */
static void check_side_by_side(size_t count, size_t channels, const size_t *steps) {
    static tl_real narrow[NUMBERS], apart[NUMBERS];
    static double wide[NUMBERS];
    tl_real *to[MANY];
    const size_t each = STEPS * channels;
    fill_kinds(narrow, each);
    for (size_t k = 0; k < count * each; k++) wide[k] = (double)narrow[k];
    for (size_t i = 0; i < count; i++) to[i] = apart + (count - 1 - i) * each;
    tl_scale_each(&(tl_series){.narrow = narrow, .lengths = steps, .count = count, .length = STEPS, .channels = channels});
    tl_scale_each(&(tl_series){.wide = wide, .lengths = steps, .count = count, .length = STEPS, .channels = channels, .to = to});
    for (size_t i = 0; i < count; i++)
        if (memcmp(to[i], narrow + i * each, (steps ? steps[i] : STEPS) * channels * sizeof *narrow) != 0)
            fail_msg("%zu series of %zu channels: series %zu has other bits than by itself", count, channels, i);
    tl_scale_each(&(tl_series){.wide = wide, .lengths = steps, .count = count, .length = STEPS, .channels = channels});
    for (size_t k = 0; k < count * each; k++)
        if ((tl_real)wide[k] != narrow[k])
            fail_msg("%zu series of %zu channels: number %zu is %.17g, by itself %.17g", count, channels, k, wide[k],
                     (double)narrow[k]);
}

static void given_any_largest_value_when_its_unit_is_found_then_as_by_frexp(void **unused) {
    (void)unused;
    for (int power = -1080; power <= 1030; power++)
        for (int k = 0; k < 4; k++) {
            int exponent = 0;
            const double largest = ldexp(1 + 0.25 * k, power);
            frexp(largest, &exponent);
            const double unit = isfinite(largest) ? ldexp(1, exponent < -1000 ? 1000 : -exponent) : 1;
            if (tl_moments_unit(largest) != unit) fail_msg("%a: %a, expected %a", largest, tl_moments_unit(largest), unit);
        }
}

static void given_series_scaled_side_by_side_then_the_bits_of_each_alone(void **unused) {
    (void)unused;
    static const size_t all_channels[] = {1, 2, 3, 8, MOST_CHANNELS};
    size_t steps[MANY];
    for (size_t i = 0; i < MANY; i++) steps[i] = STEPS - (i % 7 < 3 ? i % 7 : 3);
    for (size_t c = 0; c < sizeof all_channels / sizeof *all_channels; c++)
        for (size_t count = 1; count <= MANY; count++) {
            check_side_by_side(count, all_channels[c], NULL);
            check_side_by_side(count, all_channels[c], steps);
        }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(given_a_large_level_when_read_then_differing_digits_are_kept),
        cmocka_unit_test(given_gaps_at_a_large_level_when_read_then_filled_in_before_rounding),
        cmocka_unit_test(given_the_training_set_when_scaled_together_then_as_StandardScaler),
        cmocka_unit_test(given_unequal_lengths_when_scaled_together_then_padding_is_no_value),
        cmocka_unit_test(given_arrays_of_ones_own_when_scaled_and_back_then_they_know_it),
        cmocka_unit_test(given_scalings_that_cannot_be_when_asked_for_then_refused),
        cmocka_unit_test(given_extreme_numbers_when_scaled_then_neither_overflow_nor_zeros),
        cmocka_unit_test(given_folds_when_dealt_then_scaled_by_statistics_of_the_rest_alone),
        cmocka_unit_test(given_each_scaling_when_saved_then_the_file_says_so),
        cmocka_unit_test(given_any_largest_value_when_its_unit_is_found_then_as_by_frexp),
        cmocka_unit_test(given_series_scaled_side_by_side_then_the_bits_of_each_alone),
        cmocka_unit_test(given_a_claim_that_is_not_true_when_saved_then_refused),
    };
    return cmocka_run_group_tests(tests, files_setup, files_teardown) != 0;
}
