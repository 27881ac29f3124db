/* Which column of a table is what: said, recognised or refused in doubt; lines that are steps; windows; groups. */
#include "files.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static tl_dataset *read_as(const char *name, const char *text, tl_read_cfg cfg, tl_error *error) {
    cfg.normalize = TL_NORMALIZE_NONE;
    return files_read(name, text, strlen(text), &cfg, error);
}

static tl_dataset *read_csv(const char *text, tl_read_cfg cfg) {
    tl_error error = {0};
    tl_dataset *data = read_as("a.csv", text, cfg, &error);
    if (tl_failed(&error)) fprintf(stderr, "ERROR: of \"%.60s\"\n", text);
    check_ok(&error);
    return data;
}

static void check_columns_refused(const char *text, tl_read_cfg cfg, const char *message) {
    tl_error error = {0};
    assert_null(read_as("a.csv", text, cfg, &error));
    check_error(&error, error.status, message);
}

static const char *class_of(const tl_dataset *data, size_t series) { return data->class_names[data->labels[series]]; }

/* ---- where the label is ---- */

static void given_a_named_label_column_when_read_then_the_others_are_values(void **unused) {
    (void)unused;
    static const struct {
        const char *text, *label, *ignore;
    } cases[] = {
        {"1,2,up\n3,4,down\n", "last", NULL},
        {"1,2,up\n3,4,down\n", "3", NULL},
        {"1,up,2\n3,down,4\n", "2", NULL},
        {"up,1,2\ndown,3,4\n", "first", NULL},
        {"a,b,kind\n1,2,up\n3,4,down\n", "kind", NULL},
        {"a,b,kind\n1,2,up\n3,4,down\n", "name:kind", NULL},
        {"a,b,last\n1,2,up\n3,4,down\n", "last", NULL}, /* by its name and by its place */
        {"id,a,b,kind\n7,1,2,up\n9,3,4,down\n", "kind", "id"},
        {"7,x,1,2,up\n9,y,3,4,down\n", "last", "1-2"},
        {"7,x,1,2,up\n9,y,3,4,down\n", "last", " first , 2"},
        {"id,a,b,label\n7,1,2,up\n9,3,4,down\n", NULL, "id"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tl_dataset *data = read_csv(cases[i].text, (tl_read_cfg){.label = cases[i].label, .ignore = cases[i].ignore});
        assert_int_equal(data->x.shape[0], 2);
        check_equal(cases[i].text, data->x.data, (const tl_real[]){1, 2, 3, 4}, 4);
        assert_string_equal(class_of(data, 0), "up");
        assert_string_equal(class_of(data, 1), "down");
        tl_dataset_free(data);
    }
}

static void given_columns_that_there_are_not_or_that_clash_when_read_then_refused(void **unused) {
    (void)unused;
    static const struct {
        const char *text, *message;
        tl_read_cfg cfg;
    } cases[] = {
        {"a,b,kind\n1,2,up\n",
         "a.csv: label \"kid\" (--label, tl_read_cfg.label): there is no column with this heading; did you mean \"kind\"?",
         {.label = "kid"}},
        {"a,b,kind\n1,2,up\n", ": none of the 3 columns has this heading", {.label = "elephants"}},
        {"1,2,up\n", ": the table has no header; a column is first, last or a number from 1 to 3", {.label = "kind"}},
        {"1,2,up\n", "label \"4\" (--label, tl_read_cfg.label): the table has the columns 1 to 3", {.label = "4"}},
        {"1,2,up\n", "the table has the columns 1 to 3", {.label = "0"}},
        {"1,2,up\n", "a range begins with the smaller number, as 3-8", {.ignore = "3-2", .label = "1"}},
        {"a,a,kind\n1,2,up\n",
         "ignore \"a\" (--ignore, tl_read_cfg.ignore): several columns have this heading; give the number of the column",
         {.ignore = "a"}},
        {"0,1,2,3,label\n1,2,3,4,up\n",
         "ignore \"3\" (--ignore, tl_read_cfg.ignore): column 4 has this heading, which is also the number of column 3; write "
         "name:3 or 4",
         {.ignore = "3"}},
        {"a,b,kind\n1,2,up\n",
         "label \"3\" (--label, tl_read_cfg.label): column 3 is already ignored",
         {.label = "3", .ignore = "kind"}},
        {"a,b,kind\n1,2,up\n", "only one such column is allowed", {.label = "1,2"}},
        {"a,b,kind\n1,2,up\n", "give either label or target (--label, --target)", {.label = "kind", .target = "a"}},
        {"up,down\nup,down\n",
         "none of the 2 columns is a value of a series",
         {.label = "1", .ignore = "2", .header = TL_HEADER_NO}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) check_columns_refused(cases[i].text, cases[i].cfg, cases[i].message);
}

static void given_columns_of_what_is_no_table_when_read_then_refused(void **unused) {
    (void)unused;
    tl_error error = {0};
    assert_null(tl_dataset_read("builtin:cbf", &(tl_read_cfg){.label = "last"}, &error));
    check_error(&error, TL_ERROR_ARGUMENT, "builtin:cbf: --label (tl_read_cfg.label) is only for tables: .csv, .tsv, .txt, .npy");
    assert_true(tl_dataset_is_table("a.csv", NULL));
    assert_true(tl_dataset_is_table("a.npy", NULL));
    assert_true(tl_dataset_is_table("a.data", "csv"));
    assert_false(tl_dataset_is_table("a.ts", NULL));
    assert_false(tl_dataset_is_table(NULL, NULL));
}

/* ---- headers ---- */

static void given_a_numbered_header_or_an_index_when_read_then_recognised(void **unused) {
    (void)unused;
    static const char *const texts[] = {
        ",0,1,label\n0,1,2,up\n1,3,4,down\n",
        "\"\",\"a\",\"b\",\"label\"\n\"1\",1,2,up\n\"2\",3,4,down\n",
        "Unnamed: 0,0,1,class\n0,1,2,up\n1,3,4,down\n",
        ",label,0,1\n0,up,1,2\n1,down,3,4\n",
        "# made by hand\nlabel,a,b\nup,1,2\n# a line more\ndown,3,4\n",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        tl_dataset *data = read_csv(texts[i], (tl_read_cfg){0});
        check_equal(texts[i], data->x.data, (const tl_real[]){1, 2, 3, 4}, 4);
        assert_string_equal(class_of(data, 0), "up");
        tl_dataset_free(data);
    }
    tl_dataset *data = read_csv("0,1,2,3\n1.0,5,6,7\n2.0,8,9,10\n", (tl_read_cfg){0});
    check_equal("pandas", data->x.data, (const tl_real[]){5, 6, 7, 8, 9, 10}, 6);
    assert_string_equal(class_of(data, 0), "1.0");
    tl_dataset_free(data);
    data = read_csv("0,1,2,3\n1,5,6,7\n", (tl_read_cfg){.header = TL_HEADER_NO});
    check_equal("no header", data->x.data, (const tl_real[]){1, 2, 3, 5, 6, 7}, 6);
    tl_dataset_free(data);
    check_columns_refused(",a,b,label\n0,1,2,up\n7,3,4,up\n", (tl_read_cfg){0},
                          "a.csv:3:1: expected the number of the line in the column without a name (leave the column out with "
                          "--ignore first, or use --label first if it has the labels), got \"7\"");
}

/* ---- doubt ---- */

static void given_labels_unlike_classes_when_read_then_refused(void **unused) {
    (void)unused;
    static const char fractions[] = "0.25,1,0\n0.5,2,1\n0.75,3,1\n", ids[] = "id,a,b\n1,1,2\n2,1,2\n",
                      many[] = "11,1,2\n12,1,2\n13,1,2\n14,1,2\n15,1,2\n16,1,2\n";
    tl_error error = {0};
    check_columns_refused(
        fractions, (tl_read_cfg){0},
        "the labels do not look like classes: 3 different labels in 3 series, such as \"0.25\"; name the column of the labels with "
        "--label COLUMN (such as --label last), or that of target values with --target COLUMN; leave a column out with --ignore "
        "COLUMN");
    check_columns_refused(many, (tl_read_cfg){0},
                          "the labels do not look like classes: 6 different labels in 6 series, such as \"11\"");
    check_columns_refused(ids, (tl_read_cfg){.label = "last"},
                          "column 1 has the heading \"id\", which is probably not a value of a series");
    check_columns_refused("v,label\n1,a\n2,a\n3,b\n4,b\n5,a\n6,b\n", (tl_read_cfg){0},
                          "a.csv: 6 series with a single value each are probably a mistake; if not, name the column with --value "
                          "COLUMN; with --window N each line is one step");
    tl_dataset *data = read_csv(fractions, (tl_read_cfg){.label = "last"});
    check_equal("values", data->x.data, (const tl_real[]){(tl_real)0.25, 1, (tl_real)0.5, 2, (tl_real)0.75, 3}, 6);
    tl_dataset_free(data);
    tl_dataset_free(read_csv(many, (tl_read_cfg){.label = "first"}));
    data = read_as("a.tsv", "11\t1\t2\n12\t1\t2\n13\t1\t2\n14\t1\t2\n15\t1\t2\n16\t1\t2\n", (tl_read_cfg){0}, &error);
    check_ok(&error); /* in the UCR archive a class may have one series */
    tl_dataset_free(data);
    data = read_csv(ids, (tl_read_cfg){.label = "last", .value = "id,a"});
    check_equal("values", data->x.data, (const tl_real[]){1, 1, 2, 1}, 4);
    tl_dataset_free(data);
}

/* ---- target values ---- */

static void given_targets_when_read_then_a_regression_of_so_many_values(void **unused) {
    (void)unused;
    static const struct {
        const char *text, *target;
        size_t channels;
    } cases[] = {
        {"0,1,target\n1,2,-1.5\n3,4,7\n", NULL, 1}, /* not all of them are whole */
        {"-1.5,1,2\n7,3,4\n", "first", 1},
        {"a,b,y\n1,2,-1.5\n3,4,7\n", "y", 1},
        {"u,a,b,v\n-1.5,1,2,0.5\n7,3,4,8\n", "u,v", 2},
        {"u,a,b,v\n-1.5,1,2,0.5\n7,3,4,8\n", "4,1", 2},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tl_dataset *data = read_csv(cases[i].text, (tl_read_cfg){.target = cases[i].target});
        assert_int_equal(data->classes, 0);
        assert_int_equal(data->target_channels, cases[i].channels);
        check_equal(cases[i].text, data->x.data, (const tl_real[]){1, 2, 3, 4}, 4);
        check_equal(cases[i].text, data->values,
                    cases[i].channels == 1 ? (const tl_real[]){(tl_real)-1.5, 7}
                                           : (const tl_real[]){(tl_real)-1.5, (tl_real)0.5, 7, 8},
                    2 * cases[i].channels);
        tl_dataset_free(data);
    }
    tl_dataset *classes = read_csv("0,1,target\n1,2,1\n3,4,2\n", (tl_read_cfg){0});
    assert_int_equal(classes->classes, 2);
    tl_dataset_free(classes);
    check_columns_refused("a,b,y\n1,2,up\n", (tl_read_cfg){.target = "y"}, "a.csv:2:5: expected a finite number, got \"up\"");
}

static void given_a_reference_regression_when_a_table_is_read_then_targets(void **unused) {
    (void)unused;
    tl_error error = {0};
    tl_dataset *train = read_csv("-1.5,1,2\n7,3,4\n", (tl_read_cfg){.target = "first"});
    tl_dataset *test = read_csv("2,1,2\n", (tl_read_cfg){.reference = train});
    check_equal("values", test->values, (const tl_real[]){2}, 1);
    tl_dataset_free(test);
    assert_null(read_as("a.csv", "1,2,1,2\n", (tl_read_cfg){.reference = train, .target = "1-2"}, &error));
    check_error(&error, TL_ERROR_FORMAT, "expected 1 target value for each target, as in the training set, got 2");
    tl_dataset_free(train);
}

/* ---- numbers ---- */

static void given_decimal_commas_when_read_then_numbers(void **unused) {
    (void)unused;
    tl_dataset *data = read_csv("label;a;b\nup;1,5;-2,25e1\ndown;3;,5\n", (tl_read_cfg){.decimal_comma = true});
    check_equal("values", data->x.data, (const tl_real[]){(tl_real)1.5, (tl_real)-22.5, 3, (tl_real)0.5}, 4);
    tl_dataset_free(data);
    check_columns_refused("up;1\nup;1.5\n", (tl_read_cfg){.decimal_comma = true},
                          "a.csv:2:4: expected a finite number, got \"1.5\"");
    check_columns_refused("up;1,5\n", (tl_read_cfg){0},
                          "a.csv:1:1: expected commas or semicolons between fields (for numbers such as 0,5 use --decimal-comma, "
                          "tl_read_cfg.decimal_comma), got \"up;1,5\"");
    check_columns_refused("label;a\nup;1\nup;1,5\n", (tl_read_cfg){0},
                          "a.csv:3:4: expected a finite number (for numbers such as 0,5 use --decimal-comma, "
                          "tl_read_cfg.decimal_comma), got \"1,5\"");
    const bool single = sizeof(tl_real) == sizeof(float);
    check_columns_refused("a,1e39,2\nb,1e999,2\n", (tl_read_cfg){0},
                          single
                              ? "a.csv:1:3: expected a number that single precision can hold (--precision f64 reads larger ones), "
                                "got \"1e39\""
                              : "a.csv:2:3: expected a finite number, got \"1e999\"");
    check_columns_refused("up,1,2\n", (tl_read_cfg){.decimal_comma = true},
                          "none of the 1 columns is a value of a series; with --decimal-comma, fields are separated by semicolons, "
                          "tabs or blanks");
}

/* A setting that the format does not have is refused; its text may be that of any file. */
static void given_settings_without_effect_when_read_then_refused(void **unused) {
    (void)unused;
    static const char *const ts = "@classLabel true a b\n@data\n1,2:a\n3,4:b\n";
    static const struct {
        const char *name, *message;
        tl_read_cfg cfg;
    } cases[] = {
        {"a.csv", "a.csv: --segment 5 (tl_read_cfg.segment) is only for records (.hea)", {.segment = 5}},
        {"a.ts", "a.ts: --segment 5 (tl_read_cfg.segment) is only for records (.hea)", {.segment = 5}},
        {"a.ts", "a.ts: --header no (tl_read_cfg.header) is only for tables in text: .csv, .tsv, .txt", {.header = TL_HEADER_NO}},
        {"a.npy",
         "a.npy: --header yes (tl_read_cfg.header) is only for tables in text: .csv, .tsv, .txt",
         {.header = TL_HEADER_YES}},
        {"a.arff",
         "a.arff: --decimal-comma (tl_read_cfg.decimal_comma) is only for numbers in text: .csv, .tsv, .txt",
         {.decimal_comma = true}},
        {"a.csv", "a.csv: --decimal-comma (tl_read_cfg.decimal_comma) is only", {.decimal_comma = true, .format = "ts"}},
        {"a.csv", "a.csv: a record is read by the name of its header, NAME.hea; its other files are beside it", {.format = "hea"}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tl_error error = {0};
        assert_null(read_as(cases[i].name, ts, cases[i].cfg, &error));
        check_error(&error, TL_ERROR_ARGUMENT, cases[i].message);
    }
    tl_error error = {0};
    assert_null(tl_dataset_read("builtin:cbf", &(tl_read_cfg){.decimal_comma = true}, &error));
    check_error(&error, TL_ERROR_ARGUMENT, "builtin:cbf: --decimal-comma (tl_read_cfg.decimal_comma) is only for numbers in text");
    error = (tl_error){0};
    assert_null(read_as("a.ts", "@targetLabel true\n@data\n1,2:3\n", (tl_read_cfg){.no_label = "?"}, &error));
    check_error(&error, TL_ERROR_ARGUMENT,
                "a.ts: --no-label ? (tl_read_cfg.no_label) is for labels, but the data has target values");
}

static void given_missing_tails_when_they_are_ends_then_the_series_are_shorter(void **unused) {
    (void)unused;
    static const char *const texts[] = {"1,1,2,3\n2,4,NaN,NaN\n1,5,6,\n", "1\t1\t2\t3\n2\t4\tNaN\tNaN\n1\t5\t6\tNaN\n"};
    for (size_t i = 0; i < 2; i++) {
        tl_error error = {0};
        tl_dataset *data = read_as(i ? "a.tsv" : "a.csv", texts[i], (tl_read_cfg){.missing_policy = TL_MISSING_TAIL}, &error);
        check_ok(&error);
        check_equal(texts[i], data->x.data, (const tl_real[]){1, 2, 3, 4, 0, 0, 5, 6, 0}, 9);
        for (size_t k = 0; k < 3; k++) assert_int_equal(data->lengths[k], ((const size_t[]){3, 1, 2})[k]);
        tl_dataset_free(data);
    }
    const tl_read_cfg tail = {.missing_policy = TL_MISSING_TAIL};
    check_columns_refused("1,1,NaN,3\n2,1,2,3\n", tail,
                          "expected values up to the end of the series, got a missing value at step 1 of 3");
    check_columns_refused("1,NaN,NaN\n2,1,2\n", tail, "expected a series, got only missing values");
    check_columns_refused("1,1,2\n2,1\n", tail, "expected 2 values, as in the first series, got 1");
    check_columns_refused("1,1,2\n2,1,NaN\n", (tl_read_cfg){0}, "says how to treat missing values");
}

/* Whether a line begins with a label is decided by its number of fields, or by all lines if they differ. */
static void given_missing_tails_when_unlabelled_then_no_label_is_read_as_a_value(void **unused) {
    (void)unused;
    tl_read_cfg cfg = {.normalize = TL_NORMALIZE_NONE, .missing_policy = TL_MISSING_TAIL};
    tl_dataset *reference = read_csv("1,1,2,3\n2,4,NaN,NaN\n", cfg);
    cfg.reference = reference;
    cfg.unlabelled = true;
    tl_dataset *labelled = read_csv("1,5,6,7\n2,8,9,\n", cfg), *bare = read_csv("5,6,7\n8,9,\n", cfg);
    check_equal("labelled", labelled->x.data, (const tl_real[]){5, 6, 7, 8, 9, 0}, 6);
    check_equal("without labels", bare->x.data, (const tl_real[]){5, 6, 7, 8, 9, 0}, 6);
    check_columns_refused("1,5,6\n2,8,9,NaN\n", cfg, "expected 3 values, as in the first series, got 4; for different lengths use");
    cfg.unequal = true;
    tl_dataset *unequal = read_csv("1,5,6\n2,8,9,7\n1,3,NaN,NaN\n", cfg);
    check_equal("unequal", unequal->x.data, (const tl_real[]){5, 6, 0, 8, 9, 7, 3, 0, 0}, 9);
    tl_dataset_free(unequal);
    tl_dataset_free(bare);
    tl_dataset_free(labelled);
    tl_dataset_free(reference);
}

static void given_missing_tails_when_they_are_ends_then_series_are_shorter(void **unused) {
    (void)unused;
    tl_error error = {0};
    const tl_read_cfg tail = {.normalize = TL_NORMALIZE_NONE, .missing_policy = TL_MISSING_TAIL};
    bytes table = npy_header("'<f4'", "(2, 3)"), x = npy_header("'<f4'", "(1, 2, 2)"), y = npy_header("'|i1'", "(1,)");
    for (int i = 0; i < 6; i++) i == 5 ? put_integer(&table, 0x7FC00000, 4) : put_float(&table, (float)(i % 3 ? i : 1));
    for (int i = 0; i < 4; i++) i > 1 ? put_integer(&x, 0x7FC00000, 4) : put_float(&x, (float)i);
    put_integer(&y, 1, 1);
    tl_dataset *data = files_read("a.npy", table.data, table.count, &tail, &error);
    check_ok(&error);
    assert_int_equal(data->lengths[0], 2);
    assert_int_equal(data->lengths[1], 1);
    tl_dataset_free(data);
    const bytes file = zip_of(false, (const zip_member[]){{"x.npy", &x}, {"y.npy", &y}}, 2);
    data = files_read("a.npz", file.data, file.count, &tail, &error);
    check_ok(&error);
    assert_int_equal(data->lengths[0], 1);
    check_equal("x", data->x.data, (const tl_real[]){0, 1, 0, 0}, 4);
    tl_dataset_free(data);
    data = read_as("a.arff", "@attribute a real\n@attribute b real\n@attribute c {x,y}\n@data\n1,2,x\n3,?,y\n", tail, &error);
    check_ok(&error);
    assert_int_equal(data->lengths[1], 1);
    tl_dataset_free(data);
}

static void given_lines_of_different_lengths_when_they_may_be_then_padded(void **unused) {
    (void)unused;
    tl_dataset *data = read_csv("1,1,2,3\n2,4\n", (tl_read_cfg){.unequal = true});
    check_equal("values", data->x.data, (const tl_real[]){1, 2, 3, 4, 0, 0}, 6);
    assert_int_equal(data->lengths[1], 1);
    tl_dataset_free(data);
}

/* ---- a line a step ---- */

static const char steps[] =
    "id,time,a,b,label\np,0,1,10,up\nq,0,5,50,down\np,2,3,30,up\nq,1,6,60,down\np,1,2,20,up\nq,2,7,70,down\n";

static void given_a_line_a_step_when_read_then_series_in_the_order_of_time(void **unused) {
    (void)unused;
    static const tl_real expected[] = {1, 10, 2, 20, 3, 30, 5, 50, 6, 60, 7, 70};
    tl_dataset *data = read_csv(steps, (tl_read_cfg){.series = "id", .time = "time"});
    assert_int_equal(data->x.shape[0], 2);
    assert_int_equal(data->x.shape[1], 3);
    assert_int_equal(data->x.shape[2], 2);
    check_equal("values", data->x.data, expected, 12);
    assert_string_equal(class_of(data, 0), "up");
    assert_string_equal(class_of(data, 1), "down");
    tl_dataset_free(data);
    data = read_csv(steps, (tl_read_cfg){.series = "1", .ignore = "time", .value = "a", .label = "last"});
    check_equal("in the order of lines", data->x.data, (const tl_real[]){1, 3, 2, 5, 6, 7}, 6);
    tl_dataset_free(data);
    data = read_csv("s;t;v;y\n0;2024-02-28 23:00:00;1;0,5\n0;2024-03-01;3;0,5\n0;2024-02-29T12:00;2;0,5\n",
                    (tl_read_cfg){.series = "s", .time = "t", .target = "y", .decimal_comma = true});
    check_equal("dates", data->x.data, (const tl_real[]){1, 2, 3}, 3);
    check_equal("target", data->values, (const tl_real[]){(tl_real)0.5}, 1);
    tl_dataset_free(data);
}

static void given_doubled_quotes_in_steps_when_read_then_single(void **unused) {
    (void)unused;
    tl_dataset *data =
        read_csv("id,who,label,a\n0,\"x\"\"\",\"a \"\"b\"\" c\",1\n0,\"x\"\"\",\"a \"\"b\"\" c\",2\n1,y,d,3\n1,y,d,4\n",
                 (tl_read_cfg){.series = "id", .group = "who"});
    assert_string_equal(class_of(data, 0), "a \"b\" c");
    assert_true(data->groups[0] != data->groups[1]);
    tl_dataset_free(data);
}

static void given_steps_that_are_no_series_when_read_then_refused(void **unused) {
    (void)unused;
    static const struct {
        const char *text, *message;
        tl_read_cfg cfg;
    } cases[] = {
        {"s,v,label\n0,1,x\n0,2,x\n1,3,x\n",
         "a.csv: series \"1\" has 1 steps, but \"0\" has 2; use --unequal (tl_read_cfg.unequal) for series of different lengths",
         {.series = "s"}},
        {"s,v,label\n0,1,x\n0,2,y\n",
         "a.csv:3:1: expected the same label or target value as in earlier lines of series \"0\", got another one",
         {.series = "s"}},
        {"s,v,y\n0,1,1.5\n0,2,2.5\n",
         "expected the same label or target value as in earlier lines",
         {.series = "s", .target = "y"}},
        {"s,t,v,label\n0,1,1,x\n0,1,2,x\n",
         "a.csv: series \"0\" has two steps with the time 1; name the column of the series with --series",
         {.series = "s", .time = "t"}},
        {"s,t,v,label\n0,noon,1,x\n",
         "a.csv:2:3: expected a time, a number or such as 2024-01-31 12:00:00, got \"noon\"",
         {.series = "s", .time = "t"}},
        {"t,v,label\n2024-13-01,1,x\n", "a.csv:2:1: expected a time, a number or such as 2024-01-31", {.time = "t"}},
        {"t,v,label\n2024-01-32,1,x\n", "a.csv:2:1: expected a time, a number or such as 2024-01-31", {.time = "t"}},
        {"t,v,label\n2024-01-31 12:60,1,x\n", "a.csv:2:1: expected a time, a number or such as 2024-01-31", {.time = "t"}},
        {"s,v,label\n,1,x\n", "a.csv:2:1: expected the name of a series, got nothing", {.series = "s"}},
        {"s,v,label\n0,1\n", "a.csv:2:1: expected 3 fields, as in the first line, got 2", {.series = "s"}},
        {"s,v\n0,1\n",
         "a.csv: no column has the heading label, class or target; name the column with --label or --target (tl_read_cfg)",
         {.series = "s"}},
        {"s,v,label\n", "expected a step of a series, got the end of the file", {.series = "s"}},
        {"id,time,value,label\n0,0,1,x\n", "column 1 has the heading \"id\", which is probably not a value of a series", {0}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) check_columns_refused(cases[i].text, cases[i].cfg, cases[i].message);
}

static void given_series_of_different_lengths_when_they_may_be_then_padded(void **unused) {
    (void)unused;
    tl_dataset *data = read_csv("s,v,label\n0,1,x\n0,2,x\n1,3,y\n", (tl_read_cfg){.series = "s", .unequal = true});
    check_equal("values", data->x.data, (const tl_real[]){1, 2, 3, 0}, 4);
    assert_int_equal(data->lengths[1], 1);
    tl_dataset_free(data);
}

/* The number of fields does not tell whether a row begins with a label. */
static void given_rows_of_different_lengths_when_predicted_then_labels_are_seen(void **unused) {
    (void)unused;
    static const struct {
        const char *text;
        tl_real x[6];
        int32_t label; /* of the first series; TL_NO_LABEL: there are no labels */
    } cases[] = {
        {"1,7,8\n2,7,8,9\n", {7, 8, 0, 7, 8, 9}, 0},                    /* as many fields as the longest series */
        {"2,7\n1,7,8,9\n", {7, 0, 0, 7, 8, 9}, 1},                      /* fewer */
        {"1,7,8\n3,9\n", {1, 7, 8, 3, 9, 0}, TL_NO_LABEL},              /* there is no class 3: values */
        {"5.5,7\n1,7,8\n", {(tl_real)5.5, 7, 0, 1, 7, 8}, TL_NO_LABEL}, /* likewise */
        {"?,7,8\nnew,7,8,9\n", {7, 8, 0, 7, 8, 9}, TL_NO_LABEL},        /* unknown labels */
    };
    tl_dataset *train = read_csv("1,4,5,6\n2,7,8\n", (tl_read_cfg){.unequal = true});
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (int keep = 0; keep < 2; keep++) {
            const tl_read_cfg cfg = {.unequal = true, .unlabelled = true, .keep_labels = keep, .reference = train};
            tl_dataset *new = read_csv(cases[i].text, cfg);
            check_equal(cases[i].text, new->x.data, cases[i].x, 6);
            const bool kept = keep && cases[i].label != TL_NO_LABEL;
            assert_int_equal(new->labels != NULL, kept);
            assert_int_equal(new->classes, kept ? 2 : 0);
            if (kept) assert_int_equal(new->labels[0], cases[i].label);
            tl_dataset_free(new);
        }
    tl_dataset_free(train);
}

static void given_steps_without_labels_when_read_to_predict_then_series(void **unused) {
    (void)unused;
    const tl_read_cfg cfg = {.series = "id", .time = "time"};
    tl_dataset *train = read_csv(steps, cfg);
    tl_read_cfg bare = cfg;
    bare.reference = train;
    bare.unlabelled = true;
    tl_dataset *new = read_csv("id,time,a,b\nr,0,1,2\nr,1,3,4\nr,2,5,6\n", bare);
    check_equal("values", new->x.data, (const tl_real[]){1, 2, 3, 4, 5, 6}, 6);
    assert_null(new->labels);
    tl_dataset_free(new);
    tl_dataset_free(train);
}

/* ---- windows ---- */

static const char recording[] = "v,label\n1,a\n2,a\n3,b\n4,b\n5,b\n6,a\n7,a\n";

static void given_a_recording_when_cut_into_windows_then_labels_by_policy(void **unused) {
    (void)unused;
    static const struct {
        tl_window_target target;
        const char *labels[3];
    } cases[] = {{TL_WINDOW_MAJORITY, {"a", "b", "a"}}, {TL_WINDOW_LAST, {"b", "b", "a"}}};
    for (size_t i = 0; i < 2; i++) {
        tl_dataset *data = read_csv(
            recording, (tl_read_cfg){.value = "v", .label = "label", .window = 3, .hop = 2, .window_target = cases[i].target});
        assert_int_equal(data->x.shape[0], 3);
        check_equal("windows", data->x.data, (const tl_real[]){1, 2, 3, 3, 4, 5, 5, 6, 7}, 9);
        assert_null(data->lengths);
        for (size_t w = 0; w < 3; w++) {
            assert_int_equal(data->windows[w].series, 0);
            assert_int_equal(data->windows[w].start, 2 * w);
            assert_string_equal(class_of(data, w), cases[i].labels[w]);
        }
        tl_dataset_free(data);
    }
    tl_dataset *data = read_csv(recording, (tl_read_cfg){.value = "v", .window = 3, .window_target = TL_WINDOW_STEPS});
    assert_int_equal(data->x.shape[0], 2);
    assert_int_equal(data->target_length, 3);
    for (size_t t = 0; t < 6; t++) assert_int_equal(data->labels[t], ((const int32_t[]){0, 0, 1, 1, 1, 0})[t]);
    tl_dataset_free(data);
}

static void given_step_targets_when_cut_into_windows_then_mean_or_last(void **unused) {
    (void)unused;
    static const char text[] = "v,y\n1,1\n2,2\n3,6\n4,0\n5,0\n6,9\n";
    tl_dataset *data = read_csv(text, (tl_read_cfg){.value = "v", .target = "y", .window = 3});
    check_equal("means", data->values, (const tl_real[]){3, 3}, 2);
    tl_dataset_free(data);
    data = read_csv(text, (tl_read_cfg){.value = "v", .target = "y", .window = 3, .window_target = TL_WINDOW_LAST});
    check_equal("last", data->values, (const tl_real[]){6, 9}, 2);
    tl_dataset_free(data);
}

static void keep_warning(const char *text, void *user) { snprintf(user, 300, "%s", text); }

static void given_short_series_when_cut_into_windows_then_left_out_and_told(void **unused) {
    (void)unused;
    char warning[300] = "";
    const tl_read_cfg cfg = {.window = 2, .warn = keep_warning, .user = warning};
    tl_dataset *data = read_csv("up,1,2,3,4\ndown,5\nup,6,7\n", cfg);
    check_equal("windows", data->x.data, (const tl_real[]){1, 2, 3, 4, 6, 7}, 6);
    assert_int_equal(data->groups[0], 0);
    assert_int_equal(data->groups[2], 2);
    assert_non_null(strstr(warning, "a.csv: 1 of 3 series were left out because they are shorter than a window of 2 steps"));
    tl_dataset_free(data);
    check_columns_refused("up,1,2,3,4\n", (tl_read_cfg){.window = 5},
                          "a.csv: windows of 5 steps: all 1 series are shorter; the longest has 4");
}

static void given_times_with_a_gap_when_read_then_a_warning(void **unused) {
    (void)unused;
    static const struct {
        const char *file, *text, *message;
    } cases[] = {
        {"a.csv", "id,time,a,label\np,1,1,x\np,9,3,x\np,2,2,x\np,3,3,x\nq,1,5,y\nq,2,6,y\nq,3,3,y\nq,4,3,y\n",
         "a.csv: the steps of p are up to 6 apart in time, and 2.66667 on average"},
        {"a.csv", "id,time,a,label\np,1,1,x\np,2.2,3,x\np,3,2,x\nq,1,5,y\nq,2,6,y\nq,3.3,3,y\n", ""},
        {"a.ts", "@timeStamps true\n@classLabel true a b\n@data\n(1,2),(2,3),(3,4):a\n(1,2),(2,3),(9,4):b\n",
         "a.ts: the steps of line 5 are up to 7 apart in time, and 4 on average"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tl_error error = {0};
        char warning[300] = "";
        const bool table = cases[i].file[2] == 'c';
        const tl_read_cfg cfg = {
            .series = table ? "id" : NULL, .time = table ? "time" : NULL, .warn = keep_warning, .user = warning};
        tl_dataset *data = read_as(cases[i].file, cases[i].text, cfg, &error);
        check_ok(&error);
        if (*cases[i].message ? !strstr(warning, cases[i].message) : *warning)
            fail_msg("%s: expected \"%s\", got \"%s\"", cases[i].file, cases[i].message, warning);
        tl_dataset_free(data);
    }
}

static void given_a_generated_set_when_cut_into_windows_then_both_halves(void **unused) {
    (void)unused;
    tl_error error = {0};
    tl_dataset *train = tl_dataset_read("builtin:cbf", &(tl_read_cfg){.window = 64}, &error);
    check_ok(&error);
    tl_dataset *test = tl_dataset_read("builtin:cbf/test", &(tl_read_cfg){.window = 64, .reference = train}, &error);
    check_ok(&error);
    assert_true(train->x.shape[0] == 60 && test->x.shape[0] == 1800 && test->x.shape[1] == 64);
    tl_dataset_free(test);
    assert_null(tl_dataset_read("builtin:cbf/test", &(tl_read_cfg){.window = 32, .reference = train}, &error));
    check_error(&error, TL_ERROR_SHAPE,
                "builtin:cbf/test: windows have 32 steps with 1 target each, but those of the training set");
    tl_dataset_free(train);
}

static void given_reference_windows_when_read_then_cut_alike_or_refused(void **unused) {
    (void)unused;
    tl_error error = {0};
    tl_read_cfg cfg = {.value = "v", .label = "label", .window = 3};
    tl_dataset *train = read_csv(recording, cfg);
    cfg.reference = train;
    tl_dataset *test = read_csv(recording, cfg);
    assert_int_equal(test->x.shape[0], 2);
    tl_dataset_free(test);
    cfg.window = 2;
    assert_null(read_as("a.csv", recording, cfg, &error));
    check_error(&error, TL_ERROR_SHAPE, "windows have 2 steps with 1 target each, but those of the training set have 3 and 1");
    tl_dataset_free(train);
}

static void given_a_wrong_call_when_windows_are_cut_then_refused(void **unused) {
    (void)unused;
    tl_error error = {0};
    tl_dataset *data = tl_dataset_builtin("cbf", TL_SPLIT_TRAIN, 0, NULL);
    assert_null(tl_dataset_windows(NULL, &(tl_window_cfg){.length = 2}, &error));
    check_error(&error, TL_ERROR_ARGUMENT, "windows: the data set is NULL");
    error = (tl_error){0};
    assert_null(tl_dataset_windows(data, NULL, &error));
    check_error(&error, TL_ERROR_ARGUMENT, "windows: the length is 0");
    error = (tl_error){0};
    assert_null(tl_dataset_windows(data, &(tl_window_cfg){0}, &error));
    check_error(&error, TL_ERROR_ARGUMENT, "windows: the length is 0");
    tl_dataset_free(data);
}

/* ---- groups ---- */

static void given_groups_when_dealt_to_folds_then_none_is_parted(void **unused) {
    (void)unused;
    enum { SERIES = 60, FOLDS = 4 };
    char text[4000] = "who,label,a,b\n";
    for (int i = 0; i < SERIES; i++)
        snprintf(text + strlen(text), sizeof text - strlen(text), "p%d,%s,%d,1\n", i * i % 11, i % 2 ? "up" : "down", i);
    tl_dataset *data = read_csv(text, (tl_read_cfg){.group = "who"});
    check_equal("values", data->x.data, (const tl_real[]){0, 1, 1, 1}, 4);
    size_t held = 0;
    for (size_t fold = 0; fold < FOLDS; fold++) {
        tl_error error = {0};
        tl_dataset *rest, *out;
        tl_dataset_fold(data, FOLDS, fold, 3, &rest, &out, &error);
        check_ok(&error);
        held += out->x.shape[0];
        assert_in_range(out->x.shape[0], 8, 24);
        for (size_t i = 0; i < out->x.shape[0]; i++)
            for (size_t k = 0; k < rest->x.shape[0]; k++) assert_int_not_equal(out->groups[i], rest->groups[k]);
        tl_dataset_free(rest);
        tl_dataset_free(out);
    }
    assert_int_equal(held, SERIES);
    tl_error error = {0};
    tl_dataset *rest, *out;
    tl_dataset_fold(data, 20, 0, 3, &rest, &out, &error);
    check_error(&error, TL_ERROR_ARGUMENT, "groups cannot make 20 folds, since groups are never divided");
    tl_dataset_free(data);
}

/* ---- arrays and formats ---- */

static void given_columns_of_an_array_when_read_then_as_said(void **unused) {
    (void)unused;
    tl_error error = {0};
    bytes table = npy_header("'<f8'", "(2, 4)");
    static const double numbers[] = {100, 1.5, 2.5, 3, 101, 4.5, 5.5, 6};
    for (size_t i = 0; i < 8; i++) put_double(&table, numbers[i]);
    tl_dataset *data = files_read("a.npy", table.data, table.count,
                                  &(tl_read_cfg){.normalize = TL_NORMALIZE_NONE, .label = "last", .ignore = "first"}, &error);
    check_ok(&error);
    check_equal("values", data->x.data, (const tl_real[]){(tl_real)1.5, (tl_real)2.5, (tl_real)4.5, (tl_real)5.5}, 4);
    assert_string_equal(class_of(data, 1), "6");
    tl_dataset_free(data);
    data = files_read("a.npy", table.data, table.count,
                      &(tl_read_cfg){.normalize = TL_NORMALIZE_NONE, .target = "2,4", .group = "1"}, &error);
    check_ok(&error);
    check_equal("values", data->x.data, (const tl_real[]){(tl_real)2.5, (tl_real)5.5}, 2);
    check_equal("targets", data->values, (const tl_real[]){(tl_real)1.5, 3, (tl_real)4.5, 6}, 4);
    assert_int_equal(data->groups[1], 1);
    tl_dataset_free(data);
    assert_null(files_read("a.npy", table.data, table.count, &(tl_read_cfg){.time = "1"}, &error));
    check_error(&error, TL_ERROR_ARGUMENT, "a.npy: --series and --time are only for tables in text");
}

static void given_a_format_when_read_then_the_ending_does_not_count(void **unused) {
    (void)unused;
    tl_error error = {0};
    tl_dataset *data = read_as("a.data", "up,1,2\n", (tl_read_cfg){.format = "csv"}, &error);
    check_ok(&error);
    tl_dataset_free(data);
    data = read_as("a.csv", "@classLabel true up\n@data\n1,2:up\n", (tl_read_cfg){.format = ".ts"}, &error);
    check_ok(&error);
    tl_dataset_free(data);
    assert_null(read_as("a.csv", "1,2\n", (tl_read_cfg){.format = "doc"}, &error));
    check_error(&error, TL_ERROR_ARGUMENT,
                "format \"doc\" is unknown; choose one of .ts, .tsv, .csv, .txt, .arff, .npy, .npz, .hea");
}

/* ---- headings of the training set ---- */

/* Reads a table for a model with the channels ax and ay, and the target values u and v. */
static tl_dataset *read_named(const char *text, bool unlabelled, char warning[300], tl_error *error) {
    const tl_read_cfg cfg = {.series = "id",
                             .target = "u,v",
                             .value_names = "ax\nay\n",
                             .target_names = "u\nv\n",
                             .unlabelled = unlabelled,
                             .warn = keep_warning,
                             .user = warning};
    *warning = '\0';
    return read_as("a.csv", text, cfg, error);
}

static void given_headings_when_a_table_is_read_then_they_are_told(void **unused) {
    (void)unused;
    char *names[2] = {NULL, NULL};
    tl_dataset_free(read_csv("id,u,ax,ay,v\n1,5,1,2,6\n", (tl_read_cfg){.series = "id", .target = "u,v", .names = names}));
    assert_string_equal(names[0], "ax\nay\n");
    assert_string_equal(names[1], "u\nv\n");
    tl_dataset_free(read_csv("up,1,2\ndown,3,4\n", (tl_read_cfg){.names = names}));
    assert_string_equal(names[0], "ax\nay\n"); /* a table without a header has none */
    free(names[0]);
    free(names[1]);
}

static void given_the_headings_of_training_when_in_another_order_then_refused(void **unused) {
    (void)unused;
    static const struct {
        const char *text, *message;
        bool unlabelled;
    } cases[] = {
        {"id,ay,ax,u,v\n1,1,2,5,6\n", "the columns have another order than in the training set: column 2 has the heading \"ay\"",
         false},
        {"id,ay,ax\n1,1,2\n", "column 2 has the heading \"ay\", but \"ax\" was there", true},
        {"id,ax,ay,v,u\n1,1,2,5,6\n", "column 4 has the heading \"v\", but \"u\" was there", false},
        {"id,ax,az,ay,u,v\n1,1,2,3,5,6\n",
         "column 3 has the heading \"az\", which the training set does not have; leave it out with --ignore", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char warning[300];
        tl_error error = {0};
        assert_null(read_named(cases[i].text, cases[i].unlabelled, warning, &error));
        check_error(&error, TL_ERROR_FORMAT, cases[i].message);
    }
}

static void given_other_headings_than_of_training_when_read_then_a_warning(void **unused) {
    (void)unused;
    static const struct {
        const char *text, *warning;
        bool unlabelled;
    } cases[] = {
        {"id,ax,ay,u,v\n1,1,2,5,6\n", "", false},
        {"u,v,ax,id,ay\n5,6,1,1,2\n", "", false}, /* values and target values may be elsewhere */
        {"id,ax,ay\n1,1,2\n", "", true},
        {"v,id,ax,ay\n?,1,1,2\n", "", true}, /* one of the target values, which is ignored */
        {"id,ax,gy,u,v\n1,1,2,5,6\n",
         "a.csv: column 3 has the heading \"gy\", but in the training set its heading was \"ay\"; are these the same values?",
         false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char warning[300];
        tl_error error = {0};
        tl_dataset *data = read_named(cases[i].text, cases[i].unlabelled, warning, &error);
        check_ok(&error);
        check_equal(cases[i].text, data->x.data, (const tl_real[]){1, 2}, 2);
        if (!strstr(warning, cases[i].warning) || (*warning != '\0') != (*cases[i].warning != '\0'))
            fail_msg("expected the warning \"%s\" for \"%s\", got \"%s\"", cases[i].warning, cases[i].text, warning);
        tl_dataset_free(data);
    }
}

/* ---- labels of whole numbers that a double cannot hold ---- */

static void given_labels_beyond_doubles_when_read_then_they_are_different(void **unused) {
    (void)unused;
    tl_dataset *data = read_csv("9007199254740993,1,2\n9007199254740992,3,4\n9007199254740993,5,6\n7.0,7,8\n7,9,9\n",
                                (tl_read_cfg){.label = "first"});
    assert_int_equal(data->classes, 3);
    assert_string_equal(class_of(data, 0), "9007199254740993");
    assert_string_equal(class_of(data, 1), "9007199254740992");
    assert_int_equal(data->labels[2], data->labels[0]);
    assert_int_equal(data->labels[4], data->labels[3]); /* 7.0 and 7 */
    tl_dataset_free(data);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(given_a_named_label_column_when_read_then_the_others_are_values),
        cmocka_unit_test(given_columns_that_there_are_not_or_that_clash_when_read_then_refused),
        cmocka_unit_test(given_columns_of_what_is_no_table_when_read_then_refused),
        cmocka_unit_test(given_a_numbered_header_or_an_index_when_read_then_recognised),
        cmocka_unit_test(given_labels_unlike_classes_when_read_then_refused),
        cmocka_unit_test(given_targets_when_read_then_a_regression_of_so_many_values),
        cmocka_unit_test(given_a_reference_regression_when_a_table_is_read_then_targets),
        cmocka_unit_test(given_decimal_commas_when_read_then_numbers),
        cmocka_unit_test(given_settings_without_effect_when_read_then_refused),
        cmocka_unit_test(given_doubled_quotes_in_steps_when_read_then_single),
        cmocka_unit_test(given_times_with_a_gap_when_read_then_a_warning),
        cmocka_unit_test(given_a_generated_set_when_cut_into_windows_then_both_halves),
        cmocka_unit_test(given_missing_tails_when_they_are_ends_then_the_series_are_shorter),
        cmocka_unit_test(given_missing_tails_when_they_are_ends_then_series_are_shorter),
        cmocka_unit_test(given_missing_tails_when_unlabelled_then_no_label_is_read_as_a_value),
        cmocka_unit_test(given_lines_of_different_lengths_when_they_may_be_then_padded),
        cmocka_unit_test(given_a_line_a_step_when_read_then_series_in_the_order_of_time),
        cmocka_unit_test(given_steps_that_are_no_series_when_read_then_refused),
        cmocka_unit_test(given_series_of_different_lengths_when_they_may_be_then_padded),
        cmocka_unit_test(given_rows_of_different_lengths_when_predicted_then_labels_are_seen),
        cmocka_unit_test(given_steps_without_labels_when_read_to_predict_then_series),
        cmocka_unit_test(given_a_recording_when_cut_into_windows_then_labels_by_policy),
        cmocka_unit_test(given_step_targets_when_cut_into_windows_then_mean_or_last),
        cmocka_unit_test(given_short_series_when_cut_into_windows_then_left_out_and_told),
        cmocka_unit_test(given_reference_windows_when_read_then_cut_alike_or_refused),
        cmocka_unit_test(given_a_wrong_call_when_windows_are_cut_then_refused),
        cmocka_unit_test(given_groups_when_dealt_to_folds_then_none_is_parted),
        cmocka_unit_test(given_columns_of_an_array_when_read_then_as_said),
        cmocka_unit_test(given_a_format_when_read_then_the_ending_does_not_count),
        cmocka_unit_test(given_headings_when_a_table_is_read_then_they_are_told),
        cmocka_unit_test(given_the_headings_of_training_when_in_another_order_then_refused),
        cmocka_unit_test(given_other_headings_than_of_training_when_read_then_a_warning),
        cmocka_unit_test(given_labels_beyond_doubles_when_read_then_they_are_different),
    };
    return cmocka_run_group_tests(tests, files_setup, files_teardown) != 0;
}
