/* Arrays of NumPy as data sets: .npy and .npz, stored and deflated, what is refused and with which words. */
#include "files.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- arrays ---- */

/* Two labels with two values each: 3 and 10; 1, 2 and -3, 4. */
static bytes table_of(int version, const char *descr, size_t size) {
    static const int values[] = {3, 1, 2, 10, -3, 4};
    bytes array = {0};
    char dictionary[200];
    snprintf(dictionary, sizeof dictionary, "{'descr': '%s', 'fortran_order': False, 'shape': (2, 3), }", descr);
    put_npy_header(&array, version, dictionary);
    for (size_t i = 0; i < 6; i++) {
        if (descr[1] == 'f' && size == 4)
            put_float(&array, (float)values[i]);
        else if (descr[1] == 'f')
            put_double(&array, values[i]);
        else
            put_integer(&array, (uint64_t)(int64_t)values[i], size);
    }
    return array;
}

static void given_a_table_of_any_type_when_read_then_label_and_values(void **unused) {
    (void)unused;
    static const struct {
        const char *descr;
        size_t size;
    } types[] = {{"<f4", 4}, {"<f8", 8}, {"|i1", 1}, {"<i2", 2}, {"<i4", 4}, {"<i8", 8}};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        for (int version = 1; version <= 3; version++) {
            tl_error error = {0};
            const bytes file = table_of(version, types[i].descr, types[i].size);
            tl_dataset *data = files_read("a.npy", file.data, file.count, &(tl_read_cfg){.normalize = TL_NORMALIZE_NONE}, &error);
            check_ok(&error);
            check_equal(types[i].descr, data->x.data, (const tl_real[]){1, 2, -3, 4}, 4);
            assert_string_equal(data->class_names[data->labels[0]], "3");
            assert_string_equal(data->class_names[data->labels[1]], "10");
            tl_dataset_free(data);
        }
    }
}

static void given_unsigned_numbers_and_bools_when_read_then_never_negative(void **unused) {
    (void)unused;
    static const struct {
        const char *descr;
        size_t size;
        double largest;
    } types[] = {{"'|u1'", 1, 255},
                 {"'<u2'", 2, 65535},
                 {"'<u4'", 4, 4294967295.0},
                 {"'<u8'", 8, 18446744073709551615.0},
                 {"'|b1'", 1, 255}};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        tl_error error = {0};
        bytes file = npy_header(types[i].descr, "(1, 2)");
        put_integer(&file, 1, types[i].size);
        put_integer(&file, UINT64_MAX, types[i].size);
        tl_dataset *data = files_read("a.npy", file.data, file.count, &(tl_read_cfg){.normalize = TL_NORMALIZE_NONE}, &error);
        check_ok(&error);
        check_equal(types[i].descr, data->x.data, (const tl_real[]){(tl_real)types[i].largest}, 1);
        tl_dataset_free(data);
    }
}

/* ---- archives ---- */

/* Two series of two steps and two channels. */
static bytes x_array(void) {
    bytes array = npy_header("'<f4'", "(2, 2, 2)");
    for (int i = 0; i < 8; i++) put_float(&array, (float)(i * i));
    return array;
}

static bytes text_labels(void) {
    bytes array = npy_header("'<U3'", "(2,)");
    static const uint32_t characters[] = {'h', 0xF6, 'r', 'a', 0, 0};
    for (size_t i = 0; i < 6; i++) put_integer(&array, characters[i], 4);
    return array;
}

static bytes archive_of(bool deflate, const bytes *x, const bytes *y) {
    return zip_of(deflate, (const zip_member[]){{"y.npy", y}, {"x.npy", x}}, 2);
}

static void given_an_archive_stored_or_deflated_when_read_then_series_and_labels(void **unused) {
    (void)unused;
    const bytes x = x_array(), y = text_labels();
    for (int deflate = 0; deflate < 2; deflate++) {
        tl_error error = {0};
        const bytes file = archive_of(deflate, &x, &y);
        tl_dataset *data = files_read("a.npz", file.data, file.count, &(tl_read_cfg){.normalize = TL_NORMALIZE_NONE}, &error);
        check_ok(&error);
        assert_int_equal(data->x.shape[0], 2);
        assert_int_equal(data->x.shape[1], 2);
        assert_int_equal(data->x.shape[2], 2);
        check_equal("x", data->x.data, (const tl_real[]){0, 1, 4, 9, 16, 25, 36, 49}, 8);
        assert_string_equal(data->class_names[data->labels[0]], "h\u00f6r");
        assert_string_equal(data->class_names[data->labels[1]], "a");
        tl_dataset *again = files_read("b.npz", file.data, file.count, &(tl_read_cfg){.reference = data}, &error);
        check_ok(&error);
        assert_int_equal(again->labels[1], data->labels[1]);
        tl_dataset_free(again);
        tl_dataset_free(data);
    }
}

static void given_targets_that_are_floats_when_read_then_regression(void **unused) {
    (void)unused;
    tl_error error = {0};
    bytes x = npy_header("'|i1'", "(2, 2)"), y = npy_header("'<f8'", "(2, 1)");
    put_integer(&x, 0x04fe0201, 4);
    put_double(&y, 0.25);
    put_double(&y, -7);
    const bytes file = zip_of(true, (const zip_member[]){{"X.npy", &x}, {"Y.npy", &y}}, 2);
    tl_dataset *data = files_read("r.npz", file.data, file.count, &(tl_read_cfg){.normalize = TL_NORMALIZE_NONE}, &error);
    check_ok(&error);
    assert_int_equal(data->classes, 0);
    check_equal("x", data->x.data, (const tl_real[]){1, 2, -2, 4}, 4);
    check_equal("y", data->values, (const tl_real[]){(tl_real)0.25, -7}, 2);
    tl_dataset_free(data);
}

/* ---- targets for every step ---- */

/* Two series of three steps. */
static bytes x_of_steps(void) {
    bytes array = npy_header("'<f4'", "(2, 3)");
    for (int i = 0; i < 6; i++) put_float(&array, (float)(i * i));
    return array;
}

static bytes steps_archive(const bytes *y) {
    const bytes x = x_of_steps();
    return archive_of(true, &x, y);
}

static bytes step_labels(const char *descr, const char *shape, size_t size) {
    static const int labels[] = {7, -1, 7, 10, 7, -1};
    bytes y = npy_header(descr, shape);
    for (size_t i = 0; i < 6; i++) put_integer(&y, (uint64_t)(int64_t)labels[i], size);
    return y;
}

static void given_whole_numbers_for_every_step_when_read_then_labels_of_steps(void **unused) {
    (void)unused;
    static const int32_t expected[] = {1, 0, 1, 2, 1, 0};
    tl_error error = {0};
    const bytes y = step_labels("'|i1'", "(2, 3)", 1), file = steps_archive(&y);
    tl_dataset *data = files_read("s.npz", file.data, file.count, NULL, &error);
    check_ok(&error);
    assert_int_equal(data->classes, 3);
    assert_string_equal(data->class_names[0], "-1");
    assert_string_equal(data->class_names[2], "10");
    assert_int_equal(data->target_length, 3);
    assert_memory_equal(data->labels, expected, sizeof expected);
    check_close("x is scaled", data->x.data, (const tl_real[]){(tl_real)-0.980581, (tl_real)-0.392232, (tl_real)1.372813}, 3, 1e-5,
                0);
    tl_dataset *again = files_read("t.npz", file.data, file.count, &(tl_read_cfg){.reference = data}, &error);
    check_ok(&error);
    assert_memory_equal(again->labels, expected, sizeof expected);
    tl_dataset_free(again);
    tl_dataset_free(data);
}

static void given_floats_per_step_when_read_then_targets_per_step(void **unused) {
    (void)unused;
    static const struct {
        const char *shape;
        size_t channels;
    } cases[] = {{"(2, 3)", 1}, {"(2, 3, 1)", 1}, {"(2, 3, 2)", 2}};
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        tl_error error = {0};
        tl_real expected[12];
        bytes y = npy_header("'<f8'", cases[c].shape);
        for (size_t i = 0; i < 6 * cases[c].channels; i++) {
            expected[i] = (tl_real)(100 - 0.5 * (double)i);
            put_double(&y, 100 - 0.5 * (double)i);
        }
        const bytes file = steps_archive(&y);
        tl_dataset *data = files_read("v.npz", file.data, file.count, &(tl_read_cfg){.missing_policy = TL_MISSING_ZERO}, &error);
        check_ok(&error);
        assert_int_equal(data->classes, 0);
        assert_int_equal(data->target_length, 3);
        assert_int_equal(data->target_channels, cases[c].channels);
        check_equal(cases[c].shape, data->values, expected, 6 * cases[c].channels);
        tl_dataset_free(data);
    }
}

static void note(const char *text, void *user) { snprintf(user, 200, "%s", text); }

static void given_a_nan_among_targets_when_read_then_kept_with_a_warning(void **unused) {
    (void)unused;
    bytes y = npy_header("'<f4'", "(2, 3)");
    for (int i = 0; i < 6; i++) put_integer(&y, i == 4 ? 0x7fc00000 : 0, 4);
    const bytes file = steps_archive(&y);
    for (int missing = TL_MISSING_REFUSE; missing <= TL_MISSING_ZERO; missing++) {
        tl_error error = {0};
        char said[200] = "";
        const tl_read_cfg cfg = {.missing_policy = (tl_missing_policy)missing, .warn = note, .user = said};
        tl_dataset *data = files_read("n.npz", file.data, file.count, &cfg, &error);
        check_ok(&error);
        for (int i = 0; i < 6; i++) assert_true(isnan(data->values[i]) == (i == 4));
        assert_non_null(strstr(said, "n.npz: 1 of 6 target values are NaN and do not count in loss and metrics"));
        tl_dataset_free(data);
    }
}

#define SHAPES                                                                                                                     \
    "the shape (2,) with a label or value for each series, (2, 3) with one for each step, or several columns with floats, or "     \
    "with 0 and 1 for "                                                                                                            \
    "each "                                                                                                                        \
    "class, got "

static void given_targets_of_another_shape_when_read_then_both_named(void **unused) {
    (void)unused;
    static const struct {
        const char *descr, *shape;
        size_t bytes;
    } cases[] = {{"'|i1'", "(2, 4)", 8},     {"'<f4'", "(3, 3)", 36}, {"'|i1'", "(2, 3, 2)", 12},
                 {"'<f4'", "(2, 2, 3)", 48}, {"'<f4'", "()", 4},      {"'|S1'", "(2, 2)", 4}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        bytes y = npy_header(cases[i].descr, cases[i].shape);
        char message[300];
        for (size_t b = 0; b < cases[i].bytes; b++) put_integer(&y, 2, 1);
        const bytes file = steps_archive(&y);
        snprintf(message, sizeof message, " y.npy: offset 128: expected " SHAPES "%s", cases[i].shape);
        files_check_refused("a.npz", file.data, file.count, message);
    }
}

/* ---- several columns ---- */

static tl_dataset *read_columns(const char *descr, const char *shape, const double *values, size_t count,
                                const tl_dataset *reference) {
    tl_error error = {0};
    bytes y = npy_header(descr, shape);
    for (size_t i = 0; i < count; i++) descr[2] == 'f' ? put_float(&y, (float)values[i]) : put_integer(&y, (uint64_t)values[i], 1);
    const bytes file = steps_archive(&y);
    tl_dataset *data =
        files_read("c.npz", file.data, file.count, &(tl_read_cfg){.normalize = TL_NORMALIZE_NONE, .reference = reference}, &error);
    check_ok(&error);
    return data;
}

static void given_a_one_for_each_series_when_read_then_its_column_is_the_class(void **unused) {
    (void)unused;
    static const double rows[] = {0, 1, 0, 0, 0, 0, 0, 1};
    static const char *const types[] = {"'<f4'", "'|i1'", "'|b1'"};
    for (size_t i = 0; i < 3; i++) {
        tl_dataset *data = read_columns(types[i], "(2, 4)", rows, 8, NULL);
        assert_int_equal(data->classes, 4); /* also those that no series has */
        assert_string_equal(data->class_names[3], "3");
        assert_int_equal(data->labels[0], 1);
        assert_int_equal(data->labels[1], 3);
        tl_dataset *again = read_columns(types[i], "(2, 4)", rows, 8, data);
        assert_int_equal(again->labels[1], 3);
        tl_dataset_free(again);
        tl_dataset_free(data);
    }
    static const double steps[] = {1, 0, 0, 1, 1, 0, 0, 1, 0, 1, 1, 0};
    tl_dataset *data = read_columns("'<f4'", "(2, 3, 2)", steps, 12, NULL);
    assert_int_equal(data->target_length, 3);
    for (size_t t = 0; t < 6; t++) assert_int_equal(data->labels[t], ((const int32_t[]){0, 1, 0, 1, 1, 0})[t]);
    tl_dataset_free(data);
}

static void given_several_ones_or_floats_when_read_then_so_many_values(void **unused) {
    (void)unused;
    static const double several[] = {1, 1, 0, 0}, floats[] = {0.5, 2, -1, 0};
    tl_dataset *data = read_columns("'|i1'", "(2, 2)", several, 4, NULL);
    assert_int_equal(data->classes, 0);
    assert_int_equal(data->target_channels, 2);
    check_equal("labels", data->values, (const tl_real[]){1, 1, 0, 0}, 4);
    static const double one_each[] = {1, 0, 0, 1}; /* is what its training set is */
    tl_dataset *test = read_columns("'|i1'", "(2, 2)", one_each, 4, data);
    check_equal("with the reference", test->values, (const tl_real[]){1, 0, 0, 1}, 4);
    tl_dataset_free(test);
    tl_dataset_free(data);
    data = read_columns("'<f4'", "(2, 2)", floats, 4, NULL);
    check_equal("values", data->values, (const tl_real[]){(tl_real)0.5, 2, -1, 0}, 4);
    tl_dataset_free(data);
}

/* ---- names of members ---- */

static bytes numbers_of(const char *shape, int first, size_t count) {
    bytes array = npy_header("'|i1'", shape);
    for (size_t i = 0; i < count; i++) put_integer(&array, (uint64_t)first + i, 1);
    return array;
}

static void given_arrays_of_two_halves_when_read_then_the_one_that_is_meant(void **unused) {
    (void)unused;
    const bytes x = numbers_of("(1, 2)", 1, 2), y = numbers_of("(1,)", 7, 1), x2 = numbers_of("(1, 2)", 5, 2);
    const bytes file =
        zip_of(false, (const zip_member[]){{"X_train.npy", &x}, {"y_train.npy", &y}, {"x_test.npy", &x2}, {"y_test.npy", &y}}, 4);
    tl_error error = {0};
    char half[300];
    files_write("h.npz", file.data, file.count);
    assert_true(tl_dataset_has_test(files_path("h.npz")));
    tl_dataset *train = tl_dataset_read(files_path("h.npz"), &(tl_read_cfg){.normalize = TL_NORMALIZE_NONE}, &error);
    check_ok(&error);
    check_equal("train", train->x.data, (const tl_real[]){1, 2}, 2);
    snprintf(half, sizeof half, "%s/test", files_path("h.npz"));
    tl_dataset *test = tl_dataset_read(half, &(tl_read_cfg){.normalize = TL_NORMALIZE_NONE, .reference = train}, &error);
    check_ok(&error);
    check_equal("test", test->x.data, (const tl_real[]){5, 6}, 2);
    assert_null(tl_dataset_read(files_path("h.npz"), &(tl_read_cfg){.reference = train}, &error));
    check_error(&error, TL_ERROR_ARGUMENT, "h.npz: has two halves; ");
    tl_dataset_free(train);
    tl_dataset_free(test);
    remove(files_path("h.npz"));
    assert_false(tl_dataset_has_test(files_path("h.npz")));
    assert_false(tl_dataset_has_test(NULL));
}

/* The same archive with the numbers of zip64: those of 32 bits are all ones, and others of 64 bits follow. */
static bytes with_large_numbers(const bytes *small, size_t directory, size_t members) {
    bytes file = {0};
    const size_t size = 46 + 5; /* of an entry */
    put(&file, small->data, directory);
    for (size_t i = 0; i < members; i++) {
        unsigned char entry[46 + 5], numbers[24] = {0};
        memcpy(entry, small->data + directory + i * size, size);
        memcpy(numbers, entry + 24, 4);
        memcpy(numbers + 8, entry + 20, 4);
        memcpy(numbers + 16, entry + 42, 4);
        memset(entry + 20, 255, 8);
        memset(entry + 42, 255, 4);
        entry[30] = 5 + 28; /* another extra field is before it */
        put(&file, entry, size);
        put_integer(&file, 7, 2);
        put_integer(&file, 1, 2);
        put_integer(&file, 0, 1);
        put_integer(&file, 1, 2);
        put_integer(&file, sizeof numbers, 2);
        put(&file, numbers, sizeof numbers);
    }
    const size_t end = file.count;
    put(&file, "PK\6\6", 4);
    put_integer(&file, 44, 8);
    put_integer(&file, 0, 12);
    put_integer(&file, members, 8);
    put_integer(&file, members, 8);
    put_integer(&file, end - directory, 8);
    put_integer(&file, directory, 8);
    put(&file, "PK\6\7\0\0\0\0", 8);
    put_integer(&file, end, 8);
    put_integer(&file, 1, 4);
    put(&file, "PK\5\6\0\0\0\0", 8);
    put_integer(&file, members, 2);
    put_integer(&file, members, 2);
    put_integer(&file, UINT32_MAX, 4);
    put_integer(&file, UINT32_MAX, 4);
    put_integer(&file, 0, 2);
    return file;
}

static void given_numbers_of_64_bits_when_read_then_the_same_arrays(void **unused) {
    (void)unused;
    tl_error error = {0};
    const bytes x = x_array(), y = text_labels(), small = archive_of(false, &x, &y), file = with_large_numbers(&small, 382, 2);
    tl_dataset *data = files_read("l.npz", file.data, file.count, &(tl_read_cfg){.normalize = TL_NORMALIZE_NONE}, &error);
    check_ok(&error);
    check_equal("x", data->x.data, (const tl_real[]){0, 1, 4, 9, 16, 25, 36, 49}, 8);
    tl_dataset_free(data);
}

static void given_arrays_without_names_when_read_then_x_then_y(void **unused) {
    (void)unused;
    const bytes x = numbers_of("(1, 2)", 1, 2), y = numbers_of("(1,)", 7, 1);
    tl_error error = {0};
    bytes file = zip_of(false, (const zip_member[]){{"arr_0.npy", &x}, {"arr_1.npy", &y}}, 2);
    tl_dataset *data = files_read("n.npz", file.data, file.count, &(tl_read_cfg){.normalize = TL_NORMALIZE_NONE}, &error);
    check_ok(&error);
    check_equal("x", data->x.data, (const tl_real[]){1, 2}, 2);
    tl_dataset_free(data);
    file = zip_of(false, (const zip_member[]){{"arr_0.npy", &x}, {"arr_1.npy", &y}, {"arr_2.npy", &x}}, 3);
    files_check_refused("n.npz", file.data, file.count,
                        " offset 506: expected a member x.npy, as numpy.savez(FILE, x=series, y=labels) names them, got "
                        "\"arr_0.npy, arr_1.npy, ar…\"");
    file = zip_of(false, (const zip_member[]){{"x.npy", &x}, {"y.npy", &y}, {"X_train.npy", &x}}, 3);
    files_check_refused("n.npz", file.data, file.count, " has x and x_train; ");
}

static void check_unlike(const bytes *train, const bytes *test, const char *message) {
    tl_error error = {0};
    const bytes reference = steps_archive(train), file = steps_archive(test);
    tl_dataset *data = files_read("a.npz", reference.data, reference.count, NULL, &error);
    check_ok(&error);
    assert_null(files_read("b.npz", file.data, file.count, &(tl_read_cfg){.reference = data}, &error));
    check_error(&error, TL_ERROR_FORMAT, message);
    tl_dataset_free(data);
}

static void given_targets_unlike_those_of_the_training_set_when_read_then_refused(void **unused) {
    (void)unused;
    const bytes labels = step_labels("'|i1'", "(2, 3)", 1);
    bytes of_series = npy_header("'|i1'", "(2,)"), values = npy_header("'<f4'", "(2, 3)"), twice = npy_header("'<f4'", "(2, 3, 2)");
    bytes unknown = labels;
    put_integer(&of_series, 7 | 10 << 8, 2);
    for (int i = 0; i < 6; i++) put_float(&values, 0);
    for (int i = 0; i < 12; i++) put_float(&twice, 0);
    unknown.data[unknown.count - 1] = 8;
    check_unlike(&labels, &of_series, "expected targets for 3 steps of each series, as in the training set, got 1");
    check_unlike(&of_series, &labels, "expected targets for 1 step of each series, as in the training set, got 3");
    check_unlike(&labels, &values, "expected labels, as in the training set");
    check_unlike(&values, &twice, "expected 1 target value for each target, as in the training set, got 2");
    check_unlike(&twice, &values, "expected 2 target values for each target, as in the training set, got 1");
    check_unlike(&labels, &unknown, "y.npy: offset 134: expected one of the 3 labels of the training set, got \"8\"");
}

static void given_labels_of_steps_when_a_generated_set_is_read_then_refused(void **unused) {
    (void)unused;
    tl_error error = {0};
    tl_dataset *reference = tl_dataset_builtin("cbf", TL_SPLIT_TRAIN, 0, &error);
    check_ok(&error);
    reference->target_length = reference->x.shape[1];
    assert_null(tl_dataset_read("builtin:cbf/test", &(tl_read_cfg){.reference = reference}, &error));
    check_error(&error, TL_ERROR_SHAPE,
                "builtin:cbf/test has one label for each series; the training set has targets for 128 steps of each series");
    tl_dataset_free(reference);
}

static void given_whole_numbers_as_targets_when_read_then_classes(void **unused) {
    (void)unused;
    tl_error error = {0};
    const bytes x = x_array();
    bytes y = npy_header("'<i8'", "(2,)");
    put_integer(&y, 12, 8);
    put_integer(&y, UINT64_MAX, 8);
    const bytes file = archive_of(false, &x, &y);
    tl_dataset *data = files_read("c.npz", file.data, file.count, NULL, &error);
    check_ok(&error);
    assert_string_equal(data->class_names[0], "-1");
    assert_string_equal(data->class_names[1], "12");
    assert_int_equal(data->labels[0], 1);
    tl_dataset_free(data);
}

/* ---- what is refused ---- */

#define TYPES "a float ('<f2', '<f4', '<f8'), whole number ('<i1' to '<u8'), '|b1' or text ('<U', '|S'), got "

static void given_an_unsupported_header_when_read_then_what_is_supported(void **unused) {
    (void)unused;
    static const char *const cases[][2] = {
        {"{'descr': '=f4', 'fortran_order': False, 'shape': (2, 3), }", "20: expected " TYPES "\"'=f4'\""},
        {"{'descr': '|O', 'fortran_order': False, 'shape': (2, 3), }", "20: expected " TYPES "\"'|O'\""},
        {"{'descr': '<f16', 'fortran_order': False, 'shape': (2, 3), }", "20: expected " TYPES "\"'<f16'\""},
        {"{'descr': '<b4', 'fortran_order': False, 'shape': (2, 3), }", "20: expected " TYPES "\"'<b4'\""},
        {"{'descr': '|f4', 'fortran_order': False, 'shape': (2, 3), }", "20: expected " TYPES "\"'|f4'\""},
        {"{'descr': 'f4', 'fortran_order': False, 'shape': (2, 3), }", "20: expected " TYPES "\"'f4'\""},
        {"{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (2, 3), }",
         "20: expected " TYPES "\"[('a', '<f4')], 'fortran…\""},
        {"{'descr': '<f4', 'fortran_order': True, 'shape': (2, 3), }",
         "44: expected False (C order; numpy.ascontiguousarray converts to it), got \"True\""},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (-1,), }", "61: expected the length of an axis, got \"-1,), }\""},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (1, 1, 1, 1), }",
         "60: expected a shape of at most 3 axes, got \"(1, 1, 1, 1), }\""},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (1099511627776, 1099511627776), }",
         "128: expected an array of shape (1099511627776, 1099511627776), which is larger than memory can address, got 0 bytes"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (4, 1000000), }",
         "128: expected 16000000 bytes for the shape (4, 1000000), got 0 bytes"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (0, 4), }", "128: expected an array with elements, got (0, 4)"},
        {"{'descr': '<f4', 'fortran_order': False, }", "64: expected descr, fortran_order and shape, each once, got nothing"},
        {"{'descr': '<f4', 'shape': (2, 3), }", "64: expected descr, fortran_order and shape, each once, got nothing"},
        {"{'fortran_order': False, 'shape': (2, 3), }", "64: expected descr, fortran_order and shape, each once, got nothing"},
        {"{'descr': '<U0', 'fortran_order': False, 'shape': (2, 3), }", "20: expected " TYPES "\"'<U0'\""},
        {"{'descr': '|U4', 'fortran_order': False, 'shape': (2, 3), }", "20: expected " TYPES "\"'|U4'\""},
        {"{'descr': '<i3', 'fortran_order': False, 'shape': (2, 3), }", "20: expected " TYPES "\"'<i3'\""},
        {"{'descr': '<c8', 'fortran_order': False, 'shape': (2, 3), }", "20: expected " TYPES "\"'<c8'\""},
        {"{'descr': '<f4', 'descr': '<f4', }", "28: expected descr, fortran_order and shape, each once, got \"descr\""},
        {"{'descr': '<f4', 'order': 'C', }", "28: expected descr, fortran_order and shape, each once, got \"order\""},
        {"{'descr' '<f4'", "19: expected a :, got \"'<f4'\""},
        {"{descr", "11: expected a word in quotes, got \"descr\""},
        {"['descr'", "10: expected a {, got \"['descr'\""},
        {"{'descr': '<f4'", "64: expected a }, got nothing"},
        {"{'descr': '<f4', 'shape': (1 2)", "39: expected a ), got \"2)\""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        bytes file = {0};
        char message[400];
        put_npy_header(&file, 1, cases[i][0]);
        snprintf(message, sizeof message, " offset %s", cases[i][1]);
        files_check_refused("a.npy", file.data, file.count, message);
    }
}

static void given_arrays_that_are_no_data_set_when_read_then_told_why(void **unused) {
    (void)unused;
    static const struct {
        const char *descr, *shape;
        size_t size;
        const char *message;
    } cases[] = {
        {"'<f4'", "(3,)", 12,
         " offset 128: expected the shape (count, 1 + length), with the label first in each row (x and y may be "
         "separate arrays: in a .npz, or in x.npy and y.npy), got (3,)"},
        {"'<f4'", "(1, 1)", 4,
         "the shape (count, 1 + length), with the label first in each row (x and y may be separate arrays: in a .npz, or in x.npy "
         "and y.npy), got (1, 1)"},
        {"'<f4'", "(1, 2, 3)", 24, "(x and y may be separate arrays: in a .npz, or in x.npy and y.npy), got (1, 2, 3)"},
        {"'<f4'", "()", 4, "(x and y may be separate arrays: in a .npz, or in x.npy and y.npy), got ()"},
        {"'<U1'", "(1, 2)", 8, " offset 128: expected numbers, got texts"},
        {"'<f4'", "(1, 2)", 9, " offset 128: expected 8 bytes for the shape (1, 2), got 9 bytes"},
        {"'<f4'", "(1, 2)", 7, " offset 128: expected 8 bytes for the shape (1, 2), got 7 bytes"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tl_error error = {0};
        bytes file = npy_header(cases[i].descr, cases[i].shape);
        for (size_t b = 0; b < cases[i].size; b++) put_integer(&file, 0, 1);
        assert_null(files_read("a.npy", file.data, file.count, NULL, &error));
        check_error(&error, TL_ERROR_FORMAT, cases[i].message);
    }
}

static void given_numbers_that_are_none_when_read_then_the_offset_of_the_first(void **unused) {
    (void)unused;
    bytes file = table_of(1, "<f4", 4);
    memcpy(file.data + 128 + 20, "\0\0\xc0\x7f", 4);
    files_check_refused(
        "a.npy", file.data, file.count,
        " offset 148: expected a finite number (--missing, tl_read_cfg.missing_policy, says how to treat missing values), got nan");
    memcpy(file.data + 128 + 12, "\0\0\x80\x7f", 4);
    files_check_refused("a.npy", file.data, file.count, " offset 140: expected a finite number, got inf");
    memcpy(file.data + 128 + 12, "\0\0\x20\x40", 4);
    files_check_refused("a.npy", file.data, file.count,
                        " offset 140: expected a label, which must be a whole number (--label names the column of labels, --target "
                        "those of target values), got 2.5");
}

static void given_no_npy_when_read_then_refused(void **unused) {
    (void)unused;
    bytes file = {0};
    put(&file, "\x93NUMPY\4\0\0\0", 10);
    files_check_refused("a.npy", file.data, file.count, " offset 6: expected version 1.0, 2.0 or 3.0 of the format, got 4.0");
    file.data[6] = 2;
    files_check_refused("a.npy", file.data, file.count,
                        " offset 8: expected 4 bytes of a .npy header, got 2 before the end of the file");
    file.count = 8;
    put_integer(&file, 0xFFFFFFF0, 4);
    files_check_refused("a.npy", file.data, file.count, " offset 8: expected a header of at most 65535 bytes, got 4294967280");
    files_check_refused("a.npy", "1,2,3,4,5\n", 10, " offset 0: expected a NumPy array (\\x93NUMPY), got other bytes");
    files_check_refused("a.npy", "", 0, " offset 0: expected 8 bytes of a .npy header, got 0 before the end of the file");
}

static void given_arrays_that_do_not_fit_when_read_then_both_are_named(void **unused) {
    (void)unused;
    const bytes x = x_array(), y = text_labels();
    bytes flat = npy_header("'<f4'", "(2,)"), three = npy_header("'|i1'", "(3,)"), wide = npy_header("'<U256'", "(2,)");
    bytes surrogate = npy_header("'<U1'", "(2,)"), empty = npy_header("'<U1'", "(2,)");
    put_integer(&flat, 0, 8);
    put_integer(&three, 0, 3);
    for (int i = 0; i < 2048; i++) put_integer(&wide, 0, 1);
    put_integer(&surrogate, 0xD800, 8);
    put_integer(&empty, 'a', 8);
    const struct {
        const bytes *x, *y;
        const char *message;
    } cases[] = {
        {&flat, &y, " x.npy: offset 128: expected the shape (count, length, channels) or (count, length), got (2,)"},
        {&y, &y, " x.npy: offset 128: expected numbers, got texts"},
        {&x, &three,
         " y.npy: offset 128: expected the shape (2,) with a label or value for each series, (2, 2) with one for each step"},
        {&x, &wide, " y.npy: offset 128: expected labels of at most 255 characters, got 256"},
        {&x, &surrogate, " y.npy: offset 128: expected a character, got U+D800"},
        {&x, &empty, " y.npy: offset 136: expected a label, got nothing"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const bytes file = archive_of(i % 2, cases[i].x, cases[i].y);
        files_check_refused("a.npz", file.data, file.count, cases[i].message);
    }
}

/* `back` bytes before the end of the archive becomes `value`. */
static void check_patched(const bytes *file, size_t at, unsigned value, size_t size, const char *message) {
    bytes patched = *file, number = {0};
    put_integer(&number, value, size);
    memcpy(patched.data + at, number.data, size);
    files_check_refused("a.npz", patched.data, patched.count, message);
}

static void given_a_broken_archive_when_read_then_the_message_says_where(void **unused) {
    (void)unused;
    const bytes x = x_array(), y = text_labels(), stored = archive_of(false, &x, &y), packed = archive_of(true, &x, &y);
    /* y: 30 + 5 + 152 bytes; x: 30 + 5 + 160; the directory: 2 · (46 + 5). */
    const size_t x_local = 187, directory = 382, x_entry = directory + 51, end = directory + 102;
    assert_int_equal(stored.count, end + 22);
    files_check_refused("a.npz", "PK", 2,
                        " offset 0: expected 22 bytes of the end of a zip archive, got 2 before the end of the file");
    check_patched(&stored, end, 0, 1, " offset 484: expected the end of a zip archive, got other bytes");
    check_patched(&stored, end + 10, 0xFFFF, 2, " offset 464: expected the place of the end of a zip64 archive, got other bytes");
    check_patched(&stored, end + 16, 600, 4, " offset 506: expected a file of at least 600 bytes, got the end of the file");
    check_patched(&stored, end + 10, 3, 2,
                  " offset 484: expected 46 bytes of an entry of the zip directory, got 22 before the end of the file");
    check_patched(&stored, directory, 0, 1, " offset 382: expected an entry of the zip directory, got other bytes");
    check_patched(
        &stored, x_entry + 46, 'z', 1,
        " offset 382: expected a member x.npy, as numpy.savez(FILE, x=series, y=labels) names them, got \"y.npy, z.npy\"");
    check_patched(&stored, directory + 46, 'X', 1, " offset 484: expected either X.npy or x.npy, got both");
    check_patched(&stored, x_entry + 8, 1, 2, " offset 187: expected an unencrypted member x.npy, got an encrypted member");
    check_patched(&stored, x_entry + 10, 12, 2, " offset 187: expected x.npy stored or compressed by deflate, got method 12");
    check_patched(&stored, x_entry + 24, UINT32_MAX, 4,
                  " offset 187: expected at most as many bytes of x.npy as its stored compressed bytes can expand to, got "
                  "4294967295 from 160");
    check_patched(
        &stored, x_entry + 24, 161, 4,
        " offset 187: expected at most as many bytes of x.npy as its stored compressed bytes can expand to, got 161 from 160");
    check_patched(&stored, x_local, 0, 1, " offset 187: expected a member of a zip archive, got other bytes");
    check_patched(&stored, x_local + 28, 1000, 2, " offset 217: expected a file of at least 1222 bytes, got the end of the file");
    check_patched(&stored, x_local + 28, 200, 2, " offset 422: expected 160 bytes of x.npy, got the end of the file");
    check_patched(&stored, x_local + 35 + 135, 1, 1, " x.npy: offset 144: expected the checksum ");
    const size_t packed_entry = packed.count - 22 - 51, size = packed.data[packed_entry + 20];
    char message[120];
    snprintf(message, sizeof message,
             ": expected at most as many bytes of x.npy as its deflated compressed bytes can expand to, got 2147483647 from %zu",
             size);
    tl_error error = {0};
    bytes patched = packed;
    memcpy(patched.data + packed_entry + 24, "\xff\xff\xff\x7f", 4); /* a small file that asks for 2 GiB */
    assert_null(files_read("a.npz", patched.data, patched.count, NULL, &error));
    check_error(&error, TL_ERROR_FORMAT, message);
}

static void given_damaged_deflated_bytes_when_read_then_refused(void **unused) {
    (void)unused;
    const bytes x = x_array(), y = text_labels();
    bytes file = archive_of(true, &x, &y);
    const size_t entry = file.count - 22 - 51, local = file.data[entry + 42];
    memset(file.data + local + 35, 0xFF, 4);
    files_check_refused("a.npz", file.data, file.count, " x.npy: offset 0: expected compressed data, got invalid block type");
    file = archive_of(true, &x, &y);
    file.data[entry + 20] = 20; /* of the deflated bytes, the first 20 */
    files_check_refused("a.npz", file.data, file.count, " x.npy: offset 10: expected compressed data, got their end");
}

static void given_random_damage_when_read_then_a_sound_data_set_or_a_message(void **unused) {
    (void)unused;
    const bytes x = x_array(), y = text_labels(), table = table_of(1, "<f4", 4);
    files_check_damage("f.npy", table.data, table.count, NULL, 0, 10000, 500);
    const bytes steps = step_labels("'|i1'", "(2, 3)", 1), of_steps = steps_archive(&steps);
    files_check_damage("f.npz", of_steps.data, of_steps.count, NULL, 0, 10000, 100);
    for (int deflate = 0; deflate < 2; deflate++) {
        const bytes file = archive_of(deflate, &x, &y);
        files_check_damage("f.npz", file.data, file.count, NULL, 0, 10000, 100);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(given_a_table_of_any_type_when_read_then_label_and_values),
        cmocka_unit_test(given_unsigned_numbers_and_bools_when_read_then_never_negative),
        cmocka_unit_test(given_an_archive_stored_or_deflated_when_read_then_series_and_labels),
        cmocka_unit_test(given_targets_that_are_floats_when_read_then_regression),
        cmocka_unit_test(given_whole_numbers_as_targets_when_read_then_classes),
        cmocka_unit_test(given_a_one_for_each_series_when_read_then_its_column_is_the_class),
        cmocka_unit_test(given_several_ones_or_floats_when_read_then_so_many_values),
        cmocka_unit_test(given_arrays_of_two_halves_when_read_then_the_one_that_is_meant),
        cmocka_unit_test(given_numbers_of_64_bits_when_read_then_the_same_arrays),
        cmocka_unit_test(given_arrays_without_names_when_read_then_x_then_y),
        cmocka_unit_test(given_whole_numbers_for_every_step_when_read_then_labels_of_steps),
        cmocka_unit_test(given_floats_per_step_when_read_then_targets_per_step),
        cmocka_unit_test(given_a_nan_among_targets_when_read_then_kept_with_a_warning),
        cmocka_unit_test(given_targets_of_another_shape_when_read_then_both_named),
        cmocka_unit_test(given_targets_unlike_those_of_the_training_set_when_read_then_refused),
        cmocka_unit_test(given_labels_of_steps_when_a_generated_set_is_read_then_refused),
        cmocka_unit_test(given_an_unsupported_header_when_read_then_what_is_supported),
        cmocka_unit_test(given_arrays_that_are_no_data_set_when_read_then_told_why),
        cmocka_unit_test(given_numbers_that_are_none_when_read_then_the_offset_of_the_first),
        cmocka_unit_test(given_no_npy_when_read_then_refused),
        cmocka_unit_test(given_arrays_that_do_not_fit_when_read_then_both_are_named),
        cmocka_unit_test(given_a_broken_archive_when_read_then_the_message_says_where),
        cmocka_unit_test(given_damaged_deflated_bytes_when_read_then_refused),
        cmocka_unit_test(given_random_damage_when_read_then_a_sound_data_set_or_a_message),
    };
    return cmocka_run_group_tests(tests, files_setup, files_teardown) != 0;
}
