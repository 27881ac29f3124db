/* Data sets: what readers accept, how labels become classes, errors and their messages, and the generated sets. */
#include "check.h"
#include "files.h"

#include <float.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void check_class(const tl_dataset *data, size_t series, const char *name) {
    assert_string_equal(data->class_names[data->labels[series]], name);
}

/* ---- .ts ---- */

static void given_a_ts_of_two_channels_when_read_then_channels_lie_side_by_side(void **unused) {
    (void)unused;
    tl_error error = {0};
    tl_dataset *data =
        files_read_text("a.ts",
                        "#about\n@problemName toy\n@timeStamps false\n@missing false\n@univariate false\n@dimensions 2\n"
                        "@equalLength true\n@seriesLength 3\n@classLabel true up down\n@data\n"
                        "1,2,3:10,20,30:up\n4,5,6:-40,5e1,.5:down\n",
                        &error);
    check_ok(&error);
    const tl_real expected[] = {1, 10, 2, 20, 3, 30, 4, -40, 5, 50, 6, (tl_real)0.5};
    assert_int_equal(data->x.shape[0], 2);
    assert_int_equal(data->x.shape[1], 3);
    assert_int_equal(data->x.shape[2], 2);
    check_equal("values", data->x.data, expected, 12);
    assert_int_equal(data->classes, 2);
    check_class(data, 0, "up");
    check_class(data, 1, "down");
    assert_null(data->values);
    tl_dataset_free(data);
}

static void given_unusual_line_ends_and_blanks_when_read_then_accepted(void **unused) {
    (void)unused;
    tl_error error = {0};
    tl_dataset *data = files_read_text("b.ts",
                                       "\xef\xbb\xbf# comment\r\n\r\n@CLASSLABEL TRUE 2 1\r\n@DATA\r\n 1 , 2 :1.0\r\n\r\n"
                                       "# one more\r\n3,4: 2 \r\n",
                                       &error);
    check_ok(&error);
    check_equal("values", data->x.data, (const tl_real[]){1, 2, 3, 4}, 4);
    check_class(data, 0, "1"); /* equal as a number */
    check_class(data, 1, "2");
    assert_string_equal(data->class_names[0], "2"); /* in the order of the declaration */
    tl_dataset_free(data);
}

static void given_target_values_when_read_then_regression(void **unused) {
    (void)unused;
    tl_error error = {0};
    tl_dataset *data = files_read_text("c.ts", "@targetlabel true\n@data\n1,2:0.25\n3,4:-7\n", &error);
    check_ok(&error);
    assert_null(data->labels);
    assert_int_equal(data->classes, 0);
    check_equal("targets", data->values, (const tl_real[]){(tl_real)0.25, -7}, 2);
    tl_dataset_free(data);
}

/* ---- tables ---- */

static void given_any_separator_when_a_table_is_read_then_the_same_data(void **unused) {
    (void)unused;
    static const char *const files[][2] = {{"t.tsv", "2\t1.5\t-2\n10\t3\t4\n"},
                                           {"t.csv", "2,1.5,-2\n10,3,4\n"},
                                           {"T.CSV", "2;1.5;-2\n\n10;3;4"},
                                           {"t.txt", "  2.0  1.5   -2\n  10   3  4  \n"}};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        tl_error error = {0};
        tl_dataset *data = files_read_text(files[i][0], files[i][1], &error);
        check_ok(&error);
        check_equal(files[i][0], data->x.data, (const tl_real[]){(tl_real)1.5, -2, 3, 4}, 4);
        assert_int_equal(data->labels[0], 0); /* sorted as numbers: 2 before 10 */
        assert_int_equal(data->labels[1], 1);
        tl_dataset_free(data);
    }
}

static void given_labels_of_text_when_a_table_is_read_then_sorted_classes(void **unused) {
    (void)unused;
    tl_error error = {0};
    tl_dataset *data = files_read_text("n.csv", "walking,1\n10,2\nrunning,3\nwalking,4\n", &error);
    check_ok(&error);
    assert_int_equal(data->classes, 3);
    assert_string_equal(data->class_names[0], "10");
    assert_string_equal(data->class_names[1], "running");
    assert_string_equal(data->class_names[2], "walking");
    check_class(data, 0, "walking");
    check_class(data, 1, "10");
    check_class(data, 3, "walking");
    tl_dataset_free(data);
}

static void given_a_locale_with_decimal_commas_when_read_then_points_still_count(void **unused) {
    (void)unused;
    static const char *const commas[] = {"de_DE.UTF-8", "de_DE.utf8", "fr_FR.UTF-8"};
    for (size_t i = 0; i < 3; i++) setlocale(LC_ALL, commas[i]); /* whichever is installed */
    tl_error error = {0};
    tl_dataset *data = files_read_text("l.csv", "1,2.5,3\n", &error);
    setlocale(LC_ALL, "C");
    check_ok(&error);
    check_equal("values", data->x.data, (const tl_real[]){(tl_real)2.5, 3}, 2);
    tl_dataset_free(data);
}

/* ---- training set and test set ---- */

static tl_dataset *training_set(tl_error *error) {
    return files_read_text("train.ts", "@classLabel true b a\n@data\n1,2:a\n3,4:b\n", error);
}

static void given_a_reference_when_a_test_set_is_read_then_its_classes(void **unused) {
    (void)unused;
    tl_error error = {0};
    tl_dataset *train = training_set(&error);
    const char text[] = "a,1,1\nb,2,2\n";
    tl_dataset *test = files_read("test.csv", text, sizeof text - 1, &(tl_read_cfg){.reference = train}, &error);
    check_ok(&error);
    check_class(test, 0, "a");
    check_class(test, 1, "b");
    assert_int_equal(test->labels[0], train->labels[0]);
    assert_int_equal(test->classes, 2);
    tl_dataset_free(test);
    tl_dataset_free(train);
}

static void given_an_unlike_test_set_when_read_then_the_difference_is_named(void **unused) {
    (void)unused;
    static const char *const cases[][2] = {
        {"c,1,1\n", ":1:1: expected one of the 2 labels of the training set, got \"c\""},
        {"a,1,1\na,1,1\nnew,2,2\n", ":3:1: expected one of the 2 labels of the training set, got \"new\""},
        {"a,1,2,3\n", ":1:1: expected series of length 2 with 1 channel, as in the training set, got length 3 with 1 channel"},
    };
    tl_error error = {0};
    tl_dataset *train = training_set(&error);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_null(files_read("test.csv", cases[i][0], strlen(cases[i][0]), &(tl_read_cfg){.reference = train}, &error));
        check_error(&error, TL_ERROR_FORMAT, cases[i][1]);
        error = (tl_error){0};
    }
    assert_null(tl_dataset_read("builtin:cbf/test", &(tl_read_cfg){.reference = train}, &error));
    check_error(
        &error, TL_ERROR_SHAPE,
        "builtin:cbf/test has series of length 128, 1 channel and 3 classes; the training set has length 2, 1 channel and 2 "
        "classes");
    static char *others[] = {"cylinder", "bell", "ball"};
    tl_dataset reference = {.x = {.rank = 3, .shape = {0, 128, 2}}, .classes = 3, .class_names = others};
    for (int i = 0; i < 4; i++) {
        static const char *const messages[] = {
            "builtin:cbf has series of length 128, 1 channel and 3 classes; the training set has length 128, 2 channels and 3 "
            "classes",
            "builtin:cbf has series of length 128, 1 channel and 3 classes; the training set has length 128, 1 channel and 2 "
            "classes",
            "builtin:cbf has the class funnel, which is not class 2 of the training set",
            "builtin:cbf: the classes of the training set have no names, so labels cannot be assigned to them"};
        reference.x.shape[2] = i == 0 ? 2 : 1;
        reference.classes = i == 1 ? 2 : 3;
        reference.class_names = i == 3 ? NULL : others;
        error = (tl_error){0};
        assert_null(tl_dataset_read("builtin:cbf", &(tl_read_cfg){.reference = &reference}, &error));
        check_error(&error, TL_ERROR_SHAPE, messages[i]);
    }
    error = (tl_error){0};
    assert_null(tl_dataset_read("builtin:cbd", NULL, &error));
    check_error(&error, TL_ERROR_ARGUMENT, "builtin:cbd is unknown; choose builtin:cbf");
    error = (tl_error){0};
    const char regression[] = "@targetLabel true\n@data\n1,2:3\n";
    assert_null(files_read("r.ts", regression, sizeof regression - 1, &(tl_read_cfg){.reference = train}, &error));
    check_error(&error, TL_ERROR_FORMAT, "expected labels, as in the training set");
    error = (tl_error){0};
    const tl_dataset nameless = {.x = {.rank = 3, .shape = {0, 2, 1}}, .classes = 2};
    assert_null(files_read("test.csv", "a,1,1\n", 6, &(tl_read_cfg){.reference = &nameless}, &error));
    check_error(&error, TL_ERROR_FORMAT,
                ":1:1: the classes of the training set have no names, so labels cannot be assigned to them");
    tl_dataset_free(train);
}

static void given_time_stamps_when_read_then_their_values(void **unused) {
    (void)unused;
    tl_error error = {0};
    static const char text[] = "@timeStamps true\n@equalLength false\n@classLabel true a b\n@data\n"
                               "(0,1),( 1.5 , -2 ),(3,4):(0,5),(1,6),(2,7):a\n"
                               "(2017-01-01 00:00:00,8),(2017-01-01 12:30:00,9):(1,10),(2,11):b\n";
    tl_dataset *data = files_read("a.ts", text, sizeof text - 1, &(tl_read_cfg){.normalize = TL_NORMALIZE_NONE}, &error);
    check_ok(&error);
    const tl_real expected[] = {1, 5, -2, 6, 4, 7, 8, 10, 9, 11, 0, 0};
    assert_true(data->x.shape[0] == 2 && data->x.shape[1] == 3 && data->x.shape[2] == 2);
    check_equal("values", data->x.data, expected, 12);
    assert_true(data->lengths[0] == 3 && data->lengths[1] == 2 && data->labels[1] == 1);
    tl_dataset_free(data);
}

/* ---- what is refused ---- */

static void given_a_malformed_file_when_read_then_told_where_and_what(void **unused) {
    (void)unused;
    static const char *const cases[][3] = {
        {"a.ts", "", " the file is empty"},
        {"a.ts", "@classLabel true a\n", "2:1: expected @data, got the end of the file"},
        {"a.ts", "@classLabel true a\n1,2:a\n", "2:1: expected @data before the first series, got \"1,2:a\""},
        {"a.ts", "@problemName x\n@data\n1,2:a\n",
         "2:2: expected @classLabel true with the labels, or @targetLabel true, before @data"},
        {"a.ts", "@classLabel false\n@data\n1,2\n",
         "2:2: expected @classLabel true with the labels, or @targetLabel true, before @data"},
        {"a.ts", "@classLabel yes a\n@data\n", "1:13: expected true or false, got \"yes\""},
        {"a.ts", "@classLabel true\n@data\n", "1:17: expected the labels after @classLabel true, got nothing"},
        {"a.ts", "@classLabel true a a\n@data\n", "1:20: expected each class once, got \"a\""},
        {"a.ts", "@timestamps true\n@targetLabel true\n@data\n1,2:3\n", "4:1: expected a pair (time,value), got \"1,2\""},
        {"a.ts", "@timestamps true\n@targetLabel true\n@data\n(0,1),(2:3\n", "4:1: expected values, a colon and a target value"},
        {"a.ts", "@timestamps true\n@targetLabel true\n@data\n(0,1),(5):3\n", "4:7: expected a pair (time,value), got \"(5)\""},
        {"a.ts", "@timestamps true\n@targetLabel true\n@data\n(0,1);(5,1):3\n", "4:6: expected a comma between pairs, got "},
        {"a.ts", "@timestamps true\n@targetLabel true\n@data\n(1,1),(x,2):3\n",
         "4:8: expected a time, a number or such as 2024-01-31"},
        {"a.ts", "@timestamps true\n@targetLabel true\n@data\n(1,1),(1,2):3\n",
         "4:8: expected a time after that of the step before, got \"1\""},
        {"a.ts", "@timestamps true\n@targetLabel true\n@data\n(1,1),(2,x):3\n", "4:10: expected a finite number, got \"x\""},
        {"a.ts", "@dimensions 0\n", "1:13: expected a whole number of at least 1, got \"0\""},
        {"a.ts", "@seriesLength 1.5\n", "1:15: expected a whole number of at least 1, got \"1.5\""},
        {"a.ts", "@classLabel true a\n@classLabel true b a\n@data\n", "2:20: expected each class once, got \"a\""},
        {"a.ts", "@timestamps maybe\n", "1:13: expected true or false, got \"maybe\""},
        {"a.ts", "@targetLabel true\n@data\n1,2\n", "3:1: expected values, a colon and a target value, got \"1,2\""},
        {"a.csv", " \n\n", "3:1: expected a series, got the end of the file"},
        {"a.csv", "\xfe\xff", "1:1: expected plain text, got UTF-16; save the file as UTF-8"},
        {"a.ts", "@seriesLength 1e99\n", "1:15: expected a whole number of at least 1, got \"1e99\""},
        {"a.ts", "@classLabel true a\n@data\n", "3:1: expected a series, got the end of the file"},
        {"a.ts", "@classLabel true a\n@data\n1,2,3\n", "3:1: expected values, a colon and a label, got \"1,2,3\""},
        {"a.ts", "@classLabel true a b\n@data\n1,2:a\n1,2:c\n", "4:5: expected one of the declared labels, got \"c\""},
        {"a.ts", "@classLabel true a\n@data\n1,2:\n", "3:5: expected a label, got nothing"},
        {"a.ts", "@classLabel true a\n@data\n1,x2:a\n", "3:3: expected a finite number, got \"x2\""},
        {"a.ts", "@classLabel true a\n@data\n1,,2:a\n",
         "3:3: expected a number (--missing, tl_read_cfg.missing_policy, says how to treat missing values), got nothing"},
        {"a.ts", "@classLabel true a\n@data\n1,1e999:a\n", "3:3: expected a finite number, got \"1e999\""},
        {"a.ts", "@classLabel true a\n@data\n1,inf:a\n", "3:3: expected a finite number, got \"inf\""},
        {"a.ts", "@classLabel true a\n@data\n1,?:a\n",
         "3:3: expected a number (--missing, tl_read_cfg.missing_policy, says how to treat missing values), got \"?\""},
        {"a.ts", "@classLabel true a\n@data\n1,NaN:a\n",
         "3:3: expected a number (--missing, tl_read_cfg.missing_policy, says how to treat missing values), got \"NaN\""},
        {"a.ts", "@classLabel true a\n@data\n1,2:a\n1,2,3:a\n",
         "4:1: expected 2 values, as in the first series, got 3; for different lengths use @equalLength false in .ts files, and "
         "--unequal (tl_read_cfg.unequal) for tables and folders"},
        {"a.ts", "@classLabel true a\n@data\n1,2:3:a\n",
         "3:5: expected 2 values, as in the first series, got 1; for different lengths use @equalLength false in .ts files"},
        {"a.ts", "@classLabel true a\n@data\n1,2:3,4:a\n1,2:a\n", "4:5: expected 2 channels, got 1"},
        {"a.ts", "@equalLength false\n@classLabel true a\n@data\n1,2:3,4:a\n1,2:1:a\n",
         "5:5: expected 2 values, as in the first channel, got 1"},
        {"a.ts", "@equalLength no\n", "1:14: expected true or false, got \"no\""},
        {"a.ts", "@dimensions 3\n@classLabel true a\n@data\n1,2:3,4:a\n", "4:9: expected 3 channels, got 2"},
        {"a.ts", "@targetLabel true\n@data\n1,2:a\n", "3:5: expected a finite number, got \"a\""},
        {"a.tsv", "1\t2\t3\n1\t2\n",
         "2:3: expected 2 values, as in the first series, got 1; for different lengths use @equalLength false in .ts files"},
        {"a.csv", "label\n", " none of the 1 columns is a value of a series"},
        {"a.csv", ",1,2\n", "1:1: expected a label, got nothing"},
        {"a.csv", "1,2,3,\n",
         "1:7: expected a number (--missing, tl_read_cfg.missing_policy, says how to treat missing values), got nothing"},
        {"a.csv", "1,12345678901234567890123456789012345,x\n", "1:39: expected a finite number, got \"x\""},
        {"a.csv", "1,abcdefghijklmnopqrstuvwxyz0123456789\n", "1:3: expected a finite number, got \"abcdefghijklmnopqrstuvwx…\""},
        {"a.csv", "\n <!DOCTYPE html>\n", "2:2: expected data, got HTML or XML; was a web page saved instead of the file?"},
        {"a.ts", "\xff\xfe@\n", "1:1: expected plain text, got UTF-16; save the file as UTF-8"},
        {"a.doc", "1,2\n", " the name has none of the endings .ts, .tsv, .csv, .txt, .arff, .npy, .npz, .hea"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        if (strcmp(cases[i][0], "a.doc") != 0) {
            files_check_refused(cases[i][0], cases[i][1], strlen(cases[i][1]), cases[i][2]);
            continue;
        }
        tl_error error = {0};
        assert_null(files_read_text(cases[i][0], cases[i][1], &error));
        check_error(&error, TL_ERROR_ARGUMENT, cases[i][2]);
    }
    files_check_refused("a.csv", "1,2\n1,\0003\n", 9, "2:3: expected text, got a NUL character; is this a binary file?");
}

static void given_no_regular_file_when_read_then_the_reason_is_said_at_once(void **unused) {
    (void)unused;
    tl_error error = {0};
    assert_null(tl_dataset_read("/nowhere/at/all.ts", NULL, &error));
    check_error(&error, TL_ERROR_FILE, "/nowhere/at/all.ts: No such file or directory");
    error = (tl_error){0};
    assert_int_equal(mkfifo(files_path("pipe.ts"), 0600), 0);
    assert_null(tl_dataset_read(files_path("pipe.ts"), NULL, &error)); /* without waiting for someone to write */
    remove(files_path("pipe.ts"));
    check_error(&error, TL_ERROR_FILE, "/pipe.ts: is a pipe, not a file");
}

static void given_too_many_labels_when_read_then_taken_for_a_regression(void **unused) {
    (void)unused;
    const size_t room = 1001 * 8;
    char *text = malloc(room), *at = text;
    assert_non_null(text);
    for (int i = 0; i <= 1000; i++) at += snprintf(at, (size_t)(text + room - at), "%d,1\n", i);
    files_check_refused(
        "a.csv", text, (size_t)(at - text),
        "1001:1: more than 1000 different labels; in a table, name the column of the labels with --label COLUMN, or that of "
        "target values with --target COLUMN; with --window N each line is one step");
    free(text);
}

static void given_random_damage_when_read_then_a_sound_data_set_or_a_message(void **unused) {
    (void)unused;
    static const char ts[] =
        "#c\n@dimensions 2\n@seriesLength 3\n@classLabel true up down\n@data\n1,2,3:1,2,3:up\n4,5,6:4,5,6:down\n";
    static const char csv[] = "up,1,2,3,1,2,3\ndown,4,-5.5,6e1,4,5,6\nup,0,0,0,0,0,0\n";
    static const char characters[] = "@:,.-+eE0919 \t\r\n\0?#<x\xff\"";
    files_check_damage("f.ts", ts, sizeof ts - 1, characters, sizeof characters - 1, 15000, 500);
    files_check_damage("f.csv", csv, sizeof csv - 1, characters, sizeof characters - 1, 5000, 500);
}

/* ---- normalisation ---- */

static void given_a_data_set_when_normalised_then_each_channel_by_itself(void **unused) {
    (void)unused;
    tl_real x[] = {1, 7, 3, 7, 5, 7, 1001, 0, 1001, 1, 1004, 2}; /* two series of (3, 2); a constant channel */
    tl_dataset data = {.x = TL_VIEW(x, 2, 3, 2)};
    tl_dataset_normalize(&data);
    const double r = sqrt(1.5), s = sqrt(0.5);
    const tl_real expected[] = {(tl_real)-r, 0,           0,           0, (tl_real)r,       0,
                                (tl_real)-s, (tl_real)-r, (tl_real)-s, 0, (tl_real)(2 * s), (tl_real)r};
    check_close("normalised", x, expected, 12, 1e-6, 1e-6);

    tl_real constant[] = {(tl_real)0.1, (tl_real)0.1, (tl_real)0.1}; /* whose sum rounds */
    data.x = TL_VIEW(constant, 1, 3, 1);
    tl_dataset_normalize(&data);
    check_equal("constant", constant, (const tl_real[]){0, 0, 0}, 3);
}

/* ---- generated sets ---- */

static void given_cbf_when_generated_then_as_its_definition(void **unused) {
    (void)unused;
    tl_error error = {0};
    tl_dataset *data = tl_dataset_builtin("cbf", TL_SPLIT_TEST, 1, &error);
    check_ok(&error);
    assert_int_equal(data->x.shape[0], 900);
    assert_int_equal(data->x.shape[1], 128);
    double before = 0, squares = 0, plateau = 0, bell = 0, funnel = 0;
    for (size_t i = 0; i < 900; i++) {
        const tl_real *x = data->x.data + i * 128;
        assert_int_equal(data->labels[i], i % 3);
        for (int t = 0; t < 15; t++) { /* before the onset there is noise alone */
            before += (double)x[t] / (900 * 15);
            squares += (double)x[t] * (double)x[t] / (900 * 15);
        }
        for (int t = 32; t < 48; t++) { /* from 33 to 48 every event is on */
            if (i % 3 == 0) plateau += (double)x[t] / (300 * 16);
            if (i % 3 == 1) bell += (double)x[t] / (300 * 16);
            if (i % 3 == 2) funnel += (double)x[t] / (300 * 16);
        }
    }
    check_number("mean of the noise", before, 0, 0, 0.04);
    check_number("variance of the noise", squares, 1, 0.05, 0);
    check_number("height of the cylinders", plateau, 6, 0, 0.2);
    assert_true(bell < 3 && funnel > 3);
    check_number("bells and funnels are mirror images", bell + funnel, 6, 0, 0.4);
    tl_dataset_free(data);
}

static void given_control_charts_when_generated_then_trends_have_their_signs(void **unused) {
    (void)unused;
    tl_error error = {0};
    tl_dataset *data = tl_dataset_builtin("synthetic-control", TL_SPLIT_TRAIN, 1, &error);
    check_ok(&error);
    assert_int_equal(data->x.shape[0], 300);
    assert_int_equal(data->x.shape[1], 60);
    double rise[6] = {0}, spread[6] = {0};
    for (size_t i = 0; i < 300; i++) {
        const tl_real *x = data->x.data + i * 60;
        for (int t = 0; t < 15; t++) rise[i % 6] += ((double)x[45 + t] - (double)x[t]) / (50 * 15);
        for (int t = 0; t < 60; t++) spread[i % 6] += ((double)x[t] - 30) * ((double)x[t] - 30) / (50 * 60);
    }
    check_number("normal", rise[0], 0, 0, 0.6);
    check_number("variance of normal, 2² · 3", spread[0], 12, 0.1, 0);
    check_number("variance of cyclic, with a²/2", spread[1], 12 + 12.5 * 12.5 / 2, 0.12, 0);
    check_number("increasing, 45 · 0.35", rise[2], 45 * 0.35, 0.1, 0);
    check_number("decreasing", rise[3], -45 * 0.35, 0.1, 0);
    check_number("upward shift", rise[4], 13.75, 0.15, 0);
    check_number("downward shift", rise[5], -13.75, 0.15, 0);
    tl_dataset_free(data);
}

static void given_both_halves_of_a_set_when_read_twice_then_repeatable(void **unused) {
    (void)unused;
    tl_error error = {0};
    tl_dataset *train = tl_dataset_read("builtin:cbf", NULL, &error), *again = tl_dataset_read("builtin:cbf/train", NULL, &error);
    tl_dataset *test = tl_dataset_read("builtin:cbf/test", &(tl_read_cfg){.reference = train}, &error);
    tl_dataset *other = tl_dataset_builtin("cbf", TL_SPLIT_TRAIN, 77, &error);
    check_ok(&error);
    check_equal("read twice", train->x.data, again->x.data, tl_tensor_count(&train->x));
    assert_int_equal(train->x.shape[0], 30);
    assert_true(train->x.data[0] != test->x.data[0]);
    tl_dataset_normalize(other);
    assert_true(train->x.data[0] != other->x.data[0]);
    other->class_names[0][0] = 'k';
    assert_null(tl_dataset_read("builtin:cbf/test", &(tl_read_cfg){.reference = other}, &error));
    check_error(&error, TL_ERROR_SHAPE, "builtin:cbf/test has the class cylinder, which is not class 0 of the training set");
    assert_null(tl_dataset_builtin("cbf", TL_SPLIT_TRAIN, 0, &error)); /* the error is still set */
    assert_null(tl_dataset_builtin("cbf", (tl_split)2, 0, NULL));
    error = (tl_error){0};
    assert_null(tl_dataset_builtin("cbf", (tl_split)2, 0, &error));
    check_error(&error, TL_ERROR_ARGUMENT, "data: split 2 is unknown");
    error = (tl_error){0};
    assert_null(tl_dataset_read("builtin:cbf/other", NULL, &error));
    check_error(&error, TL_ERROR_ARGUMENT, "builtin:cbf/other is unknown");
    assert_null(tl_dataset_read("builtin:cbf/other", NULL, NULL));
    error = (tl_error){0};
    assert_null(tl_dataset_read("builtin:cbff", NULL, &error));
    check_error(&error, TL_ERROR_ARGUMENT, "builtin:cbff is unknown; choose builtin:cbf or builtin:synthetic-control");
    tl_dataset *all[] = {train, again, test, other};
    for (size_t i = 0; i < 4; i++) tl_dataset_free(all[i]);
}

/* ---- published data ---- */

typedef struct published {
    const char *file;
    size_t series, length, channels, classes;
} published;

static void given_published_data_when_read_then_sizes_as_published(void **unused) {
    (void)unused;
    static const published files[] = {
        {"ItalyPowerDemand/ItalyPowerDemand_TRAIN.ts", 67, 24, 1, 2},
        {"ItalyPowerDemand/ItalyPowerDemand_TEST.ts", 1029, 24, 1, 2},
        {"GunPoint/GunPoint_TRAIN.ts", 50, 150, 1, 2},
        {"GunPoint/GunPoint_TEST.ts", 150, 150, 1, 2},
        {"ArrowHead/ArrowHead_TRAIN.ts", 36, 251, 1, 3},
        {"ArrowHead/ArrowHead_TEST.ts", 175, 251, 1, 3},
        {"BasicMotions/BasicMotions_TRAIN.ts", 40, 100, 6, 4},
        {"BasicMotions/BasicMotions_TEST.ts", 40, 100, 6, 4},
        {"Covid3Month/Covid3Month_TRAIN.ts", 140, 84, 1, 0},
        {"Covid3Month/Covid3Month_TEST.ts", 61, 84, 1, 0},
        {"GunPoint/GunPoint_TRAIN.tsv", 50, 150, 1, 2},
        {"ArrowHead/ArrowHead_TRAIN.tsv", 36, 251, 1, 3},
    };
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        tl_error error = {0};
        tl_dataset *data = tl_dataset_read(data_path(files[i].file), NULL, &error);
        check_ok(&error);
        const size_t *shape = data->x.shape;
        if (shape[0] != files[i].series || shape[1] != files[i].length || shape[2] != files[i].channels ||
            data->classes != files[i].classes)
            fail_msg("%s: (%zu, %zu, %zu), %zu classes", files[i].file, shape[0], shape[1], shape[2], data->classes);
        tl_dataset_free(data);
    }
}

static void given_gun_point_in_two_formats_when_read_then_the_same_data(void **unused) {
    (void)unused;
    tl_error error = {0};
    char ts[400];
    snprintf(ts, sizeof ts, "%s", data_path("GunPoint/GunPoint_TRAIN.ts"));
    tl_dataset *a = tl_dataset_read(ts, NULL, &error), *b = tl_dataset_read(data_path("GunPoint/GunPoint_TRAIN.tsv"), NULL, &error);
    check_ok(&error);
    check_close("series", a->x.data, b->x.data, tl_tensor_count(&a->x), 1e-4, 1e-5);
    for (size_t i = 0; i < 50; i++) assert_int_equal(a->labels[i], b->labels[i]);
    tl_dataset_free(a);
    tl_dataset_free(b);
}

static void given_series_of_unequal_length_when_read_then_padded_with_zeros(void **unused) {
    (void)unused;
    tl_error error = {0};
    const char *text = "@equalLength false\n@classLabel true a b\n@data\n1,2:3,4:a\n5:6:b\n7,8,10:9,9,9:a\n";
    tl_dataset *data = files_read_text("a.ts", text, &error);
    check_ok(&error);
    assert_int_equal(data->x.shape[1], 3);
    check_equal("x", data->x.data, (const tl_real[]){1, 3, 2, 4, 0, 0, 5, 6, 0, 0, 0, 0, 7, 9, 8, 9, 10, 9}, 18);
    const size_t lengths[] = {2, 1, 3};
    for (size_t i = 0; i < 3; i++) assert_int_equal(data->lengths[i], lengths[i]);
    tl_dataset_normalize(data);
    check_equal("normalised", data->x.data, (const tl_real[]){-1, -1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0}, 12);
    tl_dataset_pad(data, 4, &error);
    check_ok(&error);
    check_equal("padded", data->x.data, (const tl_real[]){-1, -1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, 16);
    assert_int_equal(data->lengths[0], 2);
    const tl_error fine = error;
    tl_dataset_pad(data, 3, &error);
    check_error(&error, TL_ERROR_SHAPE, "data: series of length 4 cannot be padded to 3");
    error = fine;
    /* With this reference, a test set may have any lengths; with a reference of equal lengths it may not. */
    const char *other = "@classLabel true a b\n@data\n1,2,3,4,5,6:1,2,3,4,5,6:b\n";
    tl_dataset *test = files_read("b.ts", other, strlen(other), &(tl_read_cfg){.reference = data}, &error);
    check_ok(&error);
    assert_int_equal(test->lengths[0], 6);
    tl_dataset *equal = files_read_text("c.ts", "@classLabel true a b\n@data\n1,2:3,4:a\n", &error);
    check_ok(&error);
    assert_null(equal->lengths);
    tl_dataset_pad(equal, 5, &error);
    assert_int_equal(equal->lengths[0], 2);
    tl_dataset_pad(equal, 5, NULL);
    error = (tl_error){.status = TL_ERROR_STATE};
    assert_int_equal(tl_dataset_pad(equal, 6, &error), TL_ERROR_STATE); /* nothing is done */
    assert_int_equal(equal->x.shape[1], 5);
    tl_dataset_normalize(NULL);
    tl_dataset_normalize(&(tl_dataset){0});
    error = fine;
    equal->lengths[0] = 2;
    tl_dataset whole = *equal;
    whole.lengths = NULL;
    assert_null(files_read("d.ts", text, strlen(text), &(tl_read_cfg){.reference = &whole}, &error));
    check_error(&error, TL_ERROR_FORMAT,
                "d.ts:4:9: expected series of equal length, as in the training set, got lengths that may differ");
    tl_dataset_free(test);
    tl_dataset_free(equal);
    tl_dataset_free(data);
}

static void given_japanese_vowels_when_read_then_the_published_lengths(void **unused) {
    (void)unused;
    tl_error error = {0};
    size_t minimum = SIZE_MAX;
    tl_dataset *data = tl_dataset_read(data_path("JapaneseVowels/JapaneseVowels_TRAIN.ts"), NULL, &error);
    check_ok(&error);
    assert_int_equal(data->x.shape[0], 270);
    assert_int_equal(data->x.shape[1], 26);
    assert_int_equal(data->x.shape[2], 12);
    for (size_t i = 0; i < 270; i++) minimum = data->lengths[i] < minimum ? data->lengths[i] : minimum;
    assert_int_equal(minimum, 7);
    tl_dataset_free(data);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(given_a_ts_of_two_channels_when_read_then_channels_lie_side_by_side),
        cmocka_unit_test(given_unusual_line_ends_and_blanks_when_read_then_accepted),
        cmocka_unit_test(given_target_values_when_read_then_regression),
        cmocka_unit_test(given_any_separator_when_a_table_is_read_then_the_same_data),
        cmocka_unit_test(given_labels_of_text_when_a_table_is_read_then_sorted_classes),
        cmocka_unit_test(given_a_locale_with_decimal_commas_when_read_then_points_still_count),
        cmocka_unit_test(given_a_reference_when_a_test_set_is_read_then_its_classes),
        cmocka_unit_test(given_an_unlike_test_set_when_read_then_the_difference_is_named),
        cmocka_unit_test(given_time_stamps_when_read_then_their_values),
        cmocka_unit_test(given_a_malformed_file_when_read_then_told_where_and_what),
        cmocka_unit_test(given_no_regular_file_when_read_then_the_reason_is_said_at_once),
        cmocka_unit_test(given_too_many_labels_when_read_then_taken_for_a_regression),
        cmocka_unit_test(given_random_damage_when_read_then_a_sound_data_set_or_a_message),
        cmocka_unit_test(given_a_data_set_when_normalised_then_each_channel_by_itself),
        cmocka_unit_test(given_cbf_when_generated_then_as_its_definition),
        cmocka_unit_test(given_control_charts_when_generated_then_trends_have_their_signs),
        cmocka_unit_test(given_both_halves_of_a_set_when_read_twice_then_repeatable),
        cmocka_unit_test(given_published_data_when_read_then_sizes_as_published),
        cmocka_unit_test(given_gun_point_in_two_formats_when_read_then_the_same_data),
        cmocka_unit_test(given_series_of_unequal_length_when_read_then_padded_with_zeros),
        cmocka_unit_test(given_japanese_vowels_when_read_then_the_published_lengths),
    };
    return cmocka_run_group_tests(tests, files_setup, files_teardown) != 0;
}
