/* Tables with a header line and quotes, and .arff: what is read, what is refused and with which words. */
#include "files.h"

#include "read/samples.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void check_refusals(const char *const (*cases)[3], size_t count) {
    for (size_t i = 0; i < count; i++) files_check_refused(cases[i][0], cases[i][1], strlen(cases[i][1]), cases[i][2]);
}

/* ---- tables ---- */

static void given_a_header_when_a_table_is_read_then_its_label_column_counts(void **unused) {
    (void)unused;
    static const char *const files[][2] = {
        {"a.csv", "class,a,b\nup,1,2\ndown,3,4\n"},
        {"a.csv", "name,a,b\nup,1,2\ndown,3,4\n"}, /* no title of a label: the first column */
        {"a.csv", "a,b,Label\n1,2,up\n3,4,down\n"},
        {"a.csv", "\xef\xbb\xbf\"a\";\"TARGET\";\"b\"\r\n1;\"up\";2\r\n3;\"down\";4\r\n"},
        {"a.csv", "x,y,class\n1,2,up\n3,4,down\n"}, /* the column y is a value beside one that is headed class */
        {"a.csv", "x,y,z\n1,up,2\n3,down,4\n"},
        {"a.csv", "label,0,1\nup,1,2\ndown,3,4\n"}, /* numbered columns */
        {"a.csv", "1,2,class\n1,2,up\n3,4,down\n"},
        {"a.csv", "0,1,y\n1,2,up\n3,4,down\n"},
        {"a.tsv", "class\ta\tb\nup\t1\t2\ndown\t3\t4\n"},
        {"a.txt", "\"class\" \"a\"   \"b\"\n \"up\" 1 2\n\"down\"\t3  4 \n"},
    };
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        tl_error error = {0};
        tl_dataset *data = files_read_text(files[i][0], files[i][1], &error);
        check_ok(&error);
        assert_int_equal(data->x.shape[0], 2);
        check_equal(files[i][1], data->x.data, (const tl_real[]){1, 2, 3, 4}, 4);
        assert_string_equal(data->class_names[data->labels[0]], "up");
        assert_string_equal(data->class_names[data->labels[1]], "down");
        tl_dataset_free(data);
    }
}

static void given_quoted_fields_when_a_table_is_read_then_they_are_text(void **unused) {
    (void)unused;
    tl_error error = {0};
    tl_dataset *data = files_read_text("q.csv", "\"up, \"\"fast\"\"\";1;\"2\"\n \"a;b\" ; 3; 4\n", &error);
    check_ok(&error);
    check_equal("values", data->x.data, (const tl_real[]){1, 2, 3, 4}, 4);
    assert_string_equal(data->class_names[data->labels[0]], "up, \"fast\"");
    assert_string_equal(data->class_names[data->labels[1]], "a;b");
    tl_dataset_free(data);
}

static void given_a_first_line_with_a_number_when_a_table_is_read_then_a_series(void **unused) {
    (void)unused;
    static const char *const files[] = {"y,1,2\nn,3,4\n", "class,5,6\nother,3,4\n", "1,2,3\n4,5,6\n", "label,1,3\nx,1,2\n"};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        tl_error error = {0};
        tl_dataset *data = files_read_text("n.csv", files[i], &error);
        check_ok(&error);
        assert_int_equal(data->x.shape[0], 2);
        tl_dataset_free(data);
    }
}

static void given_a_malformed_table_when_read_then_the_message_says_where(void **unused) {
    (void)unused;
    static const char *const cases[][3] = {
        {"a.csv", "class,a,b\n", "2:1: expected a series, got the end of the file"},
        {"a.csv", "class,a,b\nup,1\n", "2:1: expected 3 fields, as in the header, got 2"},
        {"a.csv", "class,a,b\nup,1,x\n", "2:6: expected a finite number, got \"x\""},
        {"a.csv", "class,a,label\nup,1,x\n",
         " columns 1 and 3 have the headings \"class\" and \"label\"; choose one with --label or --target (tl_read_cfg), or leave "
         "one out with --ignore"},
        {"a.csv", "class,a,1.5\nup,1,2\n", "1:7: expected a finite number, got \"a\""},
        {"a.csv", "a,n/a,nan\nb,1,2\n", "1:3: expected a finite number, got \"n/a\""},
        {"a.csv", "1,a,b\n1,2,3\n", "1:3: expected a finite number, got \"a\""},
        {"a.csv", "a,b,class\n1,2,\n", "2:5: expected a label, got nothing"},
        {"a.csv", "\"up,1,2\n", "1:1: expected a closing quote in the line, got \"\"up,1,2\""},
        {"a.csv", "\"up\"x,1,2\n", "1:5: expected a separator after the closing quote, got \"x\""},
        {"a.csv", "up,1,\"2\"3\n", "1:9: expected a separator after the closing quote, got \"3\""},
        {"a.csv", "a,1,2\n\"up,1,2\n", "2:1: expected a closing quote in the line, got \"\"up,1,2\""},
    };
    check_refusals(cases, sizeof cases / sizeof *cases);
}

/* ---- .arff ---- */

static void given_an_arff_when_read_then_series_and_classes_as_declared(void **unused) {
    (void)unused;
    tl_error error = {0};
    tl_dataset *data =
        files_read_text("a.arff",
                        "% about\n@RELATION 'a b'\n\n@attribute att1 numeric\n@Attribute 'att 2' REAL\n"
                        "@attribute target { up, 'down under' , 3}\n@DATA\n% more\n1,-2e0,up\n\n3, 4 , 'down under'\r\n5,6,3.0\n",
                        &error);
    check_ok(&error);
    check_equal("values", data->x.data, (const tl_real[]){1, -2, 3, 4, 5, 6}, 6);
    assert_int_equal(data->x.shape[1], 2);
    assert_int_equal(data->classes, 3);
    assert_string_equal(data->class_names[1], "down under");
    for (int i = 0; i < 3; i++) assert_int_equal(data->labels[i], i);
    tl_dataset_free(data);
}

static void given_a_relational_attribute_when_an_arff_is_read_then_channels(void **unused) {
    (void)unused;
    tl_error error = {0};
    tl_dataset *data = files_read_text("m.arff",
                                       "@relation m\n@attribute m relational\n  @attribute t1 numeric\n  @attribute t2 numeric\n"
                                       "  @attribute t3 integer\n@end m\n@attribute class {a,b}\n@data\n"
                                       "'1,2,3\\n10,20,30',b\n\"4,5,6\\n40,50,60\" , a\n",
                                       &error);
    check_ok(&error);
    assert_int_equal(data->x.shape[1], 3);
    assert_int_equal(data->x.shape[2], 2);
    check_equal("values", data->x.data, (const tl_real[]){1, 10, 2, 20, 3, 30, 4, 40, 5, 50, 6, 60}, 12);
    assert_int_equal(data->labels[0], 1);
    tl_dataset_free(data);
}

static void given_a_numeric_last_attribute_when_arff_is_read_then_regression(void **unused) {
    (void)unused;
    static const char *const files[] = {"@attribute a numeric\n@attribute b numeric\n@attribute y real\n@data\n1,2,0.5\n3,4,-7\n",
                                        "@attribute m relational\n@attribute a numeric\n@attribute b numeric\n@end m\n@attribute y "
                                        "real\n@data\n'1,2',0.5\n'3,4',-7\n"};
    for (size_t i = 0; i < 2; i++) {
        tl_error error = {0};
        tl_dataset *data = files_read_text("r.arff", files[i], &error);
        check_ok(&error);
        check_equal("values", data->x.data, (const tl_real[]){1, 2, 3, 4}, 4);
        check_equal("targets", data->values, (const tl_real[]){(tl_real)0.5, -7}, 2);
        tl_dataset_free(data);
    }
}

#define HEADER "@attribute a numeric\n@attribute b numeric\n@attribute c {x,y}\n@data\n"
#define RELATIONAL "@attribute m relational\n@attribute a numeric\n@end m\n@attribute c {x}\n@data\n"

static void given_a_malformed_arff_when_read_then_the_message_says_where(void **unused) {
    (void)unused;
    static const char *const cases[][3] = {
        {"a.arff", "@relation a\n", "2:1: expected @data, got the end of the file"},
        {"a.arff", "@relation a\n1,2,x\n", "2:1: expected @data before the first series, got \"1,2,x\""},
        {"a.arff", "@relatio a\n", "1:2: expected @relation, @attribute or @data, got \"relatio\""},
        {"a.arff", "@end m\n", "1:2: expected @relation, @attribute or @data, got \"end\""},
        {"a.arff", "@attribute a string\n", "1:14: expected numeric, or the labels in braces last, got \"string\""},
        {"a.arff", "@attribute 'a numeric\n", "1:12: expected a closing quote in the line, got \"'a numeric\""},
        {"a.arff", "@attribute a {x,y\n", "1:14: expected labels in braces, got \"{x,y\""},
        {"a.arff", "@attribute a {x,,y}\n", "1:17: expected a label, got nothing"},
        {"a.arff", "@attribute a relational\n@attribute b relational\n",
         "2:14: expected numeric, or the labels in braces last, got \"relational\""},
        {"a.arff", "@attribute a numeric\n@attribute b relational\n",
         "2:14: expected numeric, or the labels in braces last, got \"relational\""},
        {"a.arff", "@data\n1\n", "1:2: expected attributes with values and with the class before @data"},
        {"a.arff", "@attribute a {x,x}\n", "1:17: expected each class once, got \"x\""},
        {"a.arff", "@attribute a {x}\n@attribute b numeric\n",
         "2:12: expected @data after the attribute of the class or target value, got \"b\""},
        {"a.arff", "@attribute a {x}\n@data\nx\n", "2:2: expected attributes with values and with the class before @data"},
        {"a.arff", "@attribute a numeric\n@data\n1\n", "2:2: expected attributes with values and with the class before @data"},
        {"a.arff", "@attribute m relational\n@attribute a numeric\n@data\n",
         "3:2: expected attributes with values and with the class before @data"},
        {"a.arff", "@attribute a numeric\n@attribute m relational\n",
         "2:14: expected numeric, or the labels in braces last, got \"relational\""},
        {"a.arff", HEADER, "5:1: expected a series, got the end of the file"},
        {"a.arff", HEADER "x,2,x\n", "5:1: expected a finite number, got \"x\""},
        {"a.arff", HEADER "1,2\n", "5:1: expected 2 values and a label, got 2 fields"},
        {"a.arff", HEADER "1,?,x\n",
         "5:3: expected a number (--missing, tl_read_cfg.missing_policy, says how to treat missing values), got \"?\""},
        {"a.arff", HEADER "1,2,z\n", "5:5: expected one of the declared labels, got \"z\""},
        {"a.arff", HEADER "1,2,\n", "5:5: expected a label, got nothing"},
        {"a.arff", HEADER "{0 1, 2 x}\n", "5:1: expected a finite number, got \"{0 1\""},
        {"a.arff", RELATIONAL "1,x\n", "6:1: expected channels in quotes, got \"1,x\""},
        {"a.arff", RELATIONAL "'1,x\n", "6:1: expected a closing quote in the line, got \"'1,x\""},
        {"a.arff", RELATIONAL "'1' x\n", "6:5: expected a comma and a label after the channels, got \"x\""},
        {"a.arff", RELATIONAL "'1,2',x\n",
         "6:2: expected 1 values, as in the first series, got 2; for different lengths use @equalLength false in .ts files"},
        {"a.arff", RELATIONAL "'1\\n2',x\n'1',x\n", "7:5: expected 2 channels, got 1"},
    };
    check_refusals(cases, sizeof cases / sizeof *cases);
}

static void given_random_damage_when_read_then_a_sound_data_set_or_a_message(void **unused) {
    (void)unused;
    static const char arff[] = "@relation a\n" HEADER "1,2,x\n3,4,y\n", channels[] = "%\n" RELATIONAL "'1\\n2',x\n'-3.5\\n4e1',x\n",
                      table[] = "\"a\";b;class\n1;2;\"x \"\"1\"\"\"\n3;4;y\n";
    static const char characters[] = "@%{},;'\"\\n -+.eE019\t\r\n\0?";
    files_check_damage("f.arff", arff, sizeof arff - 1, characters, sizeof characters - 1, 8000, 200);
    files_check_damage("f.arff", channels, sizeof channels - 1, characters, sizeof characters - 1, 8000, 200);
    files_check_damage("f.csv", table, sizeof table - 1, characters, sizeof characters - 1, 8000, 200);
}

static void given_arrow_head_in_two_formats_when_read_then_the_same_data(void **unused) {
    (void)unused;
    tl_error error = {0};
    char ts[400];
    snprintf(ts, sizeof ts, "%s", data_path("ArrowHead/ArrowHead_TRAIN.ts"));
    tl_dataset *a = tl_dataset_read(ts, NULL, &error);
    tl_dataset *b = tl_dataset_read(data_path("ArrowHead/ArrowHead_TRAIN.arff"), &(tl_read_cfg){.reference = a}, &error);
    check_ok(&error);
    assert_true(tl_tensor_same_shape(&a->x, &b->x));
    check_close("series", a->x.data, b->x.data, tl_tensor_count(&a->x), 1e-4, 1e-5);
    for (size_t i = 0; i < a->x.shape[0]; i++) assert_int_equal(a->labels[i], b->labels[i]);
    tl_dataset_free(a);
    tl_dataset_free(b);
}

/* ---- memory for what was counted ---- */

static void given_a_file_changed_between_passes_when_read_then_refused(void **unused) {
    (void)unused;
    tl_error error = {0};
    tl_text text;
    tl_text_begin(&text, "a.x", &error);
    const tl_read_cfg cfg = {0};
    tl_samples more = tl_samples_begin(&text, &cfg), longer = tl_samples_begin(&text, &cfg);
    more.regression = longer.regression = longer.unequal = longer.ragged = true;
    tl_samples_count(&more, 1, 2, 1, 2);
    tl_samples_announce(&more, &error);
    double *row = tl_samples_row(&more, 2, 1, &error);
    assert_non_null(row);
    row[0] = row[1] = 1;
    *tl_samples_targets(&more) = 3;
    tl_samples_keep(&more, NULL, &error);
    check_ok(&error);
    assert_null(tl_samples_row(&more, 2, 1, &error));
    check_error(&error, TL_ERROR_FILE, "a.x: changed while it was read");
    error = (tl_error){0};
    tl_samples_count(&longer, 1, 2, 1, 2);
    tl_samples_announce(&longer, &error);
    assert_null(tl_samples_row(&longer, 3, 1, &error));
    check_error(&error, TL_ERROR_FILE, "a.x: changed while it was read");
    tl_samples_release(&more);
    tl_samples_release(&longer);
    error = (tl_error){0};
    tl_samples_count(&more, 1, SIZE_MAX, 2, 1);
    more.text = &text;
    tl_samples_announce(&more, &error);
    check_error(&error, TL_ERROR_SHAPE, "series of length 18446744073709551615 with 2 channels are more than memory can address");
    tl_samples_release(&more);
    tl_text_release(&text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(given_a_file_changed_between_passes_when_read_then_refused),
        cmocka_unit_test(given_a_header_when_a_table_is_read_then_its_label_column_counts),
        cmocka_unit_test(given_quoted_fields_when_a_table_is_read_then_they_are_text),
        cmocka_unit_test(given_a_first_line_with_a_number_when_a_table_is_read_then_a_series),
        cmocka_unit_test(given_a_malformed_table_when_read_then_the_message_says_where),
        cmocka_unit_test(given_an_arff_when_read_then_series_and_classes_as_declared),
        cmocka_unit_test(given_a_relational_attribute_when_an_arff_is_read_then_channels),
        cmocka_unit_test(given_a_numeric_last_attribute_when_arff_is_read_then_regression),
        cmocka_unit_test(given_a_malformed_arff_when_read_then_the_message_says_where),
        cmocka_unit_test(given_random_damage_when_read_then_a_sound_data_set_or_a_message),
        cmocka_unit_test(given_arrow_head_in_two_formats_when_read_then_the_same_data),
    };
    return cmocka_run_group_tests(tests, files_setup, files_teardown) != 0;
}
