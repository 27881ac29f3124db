/* Series alone: files without labels or target values, or with ones that nothing is trained on. */
#include "files.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* What a model of this length and so many channels was trained on. */
static tl_dataset trained_on(size_t length, size_t channels) {
    return (tl_dataset){.x = {.rank = 3, .shape = {1, length, channels}}, .classes = 2, .target_length = 1};
}

/* Neither labels nor values nor classes, and these numbers. Frees the data. */
static void check_series(const char *name, tl_dataset *data, const tl_error *error, size_t series, const tl_real *values) {
    check_ok(error);
    assert_true(!data->labels && !data->values && data->classes == 0 && !data->class_names);
    assert_int_equal(data->x.shape[0], series);
    check_equal(name, data->x.data, values, series * data->x.shape[1] * data->x.shape[2]);
    tl_dataset_free(data);
}

static tl_dataset *read_bytes(const char *name, const void *content, size_t count, size_t channels, tl_error *error) {
    const tl_dataset reference = trained_on(3, channels);
    return files_read(name, content, count,
                      &(tl_read_cfg){.normalize = TL_NORMALIZE_NONE, .unlabelled = true, .reference = &reference}, error);
}

static const tl_real numbers[] = {1, 2, 3, 4, 5, 6};

static void given_labelled_and_bare_texts_when_read_unlabelled_then_the_same(void **unused) {
    (void)unused;
    static const struct {
        const char *name, *text;
    } files[] = {
        {"a.csv", "1,2,3\n4,5,6\n"},
        {"a.csv", "what,1,2,3\nelse,4,5,6\n"},
        {"a.csv", "9,1,2,3\n?,4,5,6\n"},
        {"a.csv", "a;b;c\n1;2;3\n4;5;6\n"},
        {"a.csv", "a;class;b;c\n1;;2;3\n4;;5;6\n"},
        {"a.tsv", "1\t2\t3\n4\t5\t6\n"},
        {"a.ts", "@classLabel false\n@data\n1,2,3\n4,5,6\n"},
        {"a.ts", "@data\n1,2,3\n4,5,6\n"},
        {"a.ts", "@classLabel true x y\n@data\n1,2,3:z\n4,5,6:?\n"},
        {"a.ts", "@targetLabel true\n@data\n1,2,3:?\n4,5,6:0.5\n"},
        {"a.arff", "@attribute a real\n@attribute b real\n@attribute c real\n@attribute d {x}\n@data\n1,2,3,?\n4,5,6,x\n"},
    };
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        tl_error error = {0};
        check_series(files[i].text, read_bytes(files[i].name, files[i].text, strlen(files[i].text), 1, &error), &error, 2, numbers);
    }
}

static void given_channels_without_labels_when_read_then_each_has_its_place(void **unused) {
    (void)unused;
    tl_error error = {0};
    check_series(".ts", read_bytes("a.ts", "@data\n1,3,5:2,4,6\n", 18, 2, &error), &error, 1, numbers);
}

static void given_arrays_without_labels_when_read_then_their_rows(void **unused) {
    (void)unused;
    for (int labelled = 0; labelled < 2; labelled++) {
        tl_error error = {0};
        bytes table = npy_header("'<f4'", labelled ? "(2, 4)" : "(2, 3)");
        for (int i = 0; i < 6; i++) {
            if (labelled && i % 3 == 0) put_float(&table, 0.5F); /* no label at all */
            put_float(&table, (float)numbers[i]);
        }
        check_series(".npy", read_bytes("a.npy", table.data, table.count, 1, &error), &error, 2, numbers);
    }
}

static void given_an_archive_of_x_alone_when_read_without_labels_then_its_series(void **unused) {
    (void)unused;
    tl_error error = {0};
    bytes x = npy_header("'<f8'", "(2, 3)"), y = npy_header("'<i4'", "(7,)");
    for (int i = 0; i < 6; i++) put_double(&x, (double)numbers[i]);
    const bytes alone = zip_of(true, (const zip_member[]){{"x.npy", &x}}, 1);
    check_series(".npz", read_bytes("a.npz", alone.data, alone.count, 1, &error), &error, 2, numbers);
    const bytes both = zip_of(true, (const zip_member[]){{"x.npy", &x}, {"y.npy", &y}}, 2); /* a y that does not belong to x */
    check_series(".npz", read_bytes("a.npz", both.data, both.count, 1, &error), &error, 2, numbers);
    assert_null(files_read("a.npz", alone.data, alone.count, NULL, &error)); /* to learn from, labels are needed */
    check_error(&error, TL_ERROR_FORMAT, "y.npy");
}

static void given_a_folder_of_sounds_when_read_unlabelled_then_each_is_a_series(void **unused) {
    (void)unused;
    tl_error error = {0};
    const tl_dataset reference = trained_on(3, 1);
    bytes file = {0};
    put_text(&file, "RIFF");
    put_integer(&file, 4 + 8 + 16 + 8 + 12, 4);
    put_text(&file, "WAVEfmt ");
    put_integer(&file, 16, 4);
    put_integer(&file, 3, 2); /* floats */
    put_integer(&file, 1, 2);
    put_integer(&file, 8000, 4);
    put_integer(&file, 32000, 4);
    put_integer(&file, 4, 2);
    put_integer(&file, 32, 2);
    put_text(&file, "data");
    put_integer(&file, 12, 4);
    for (int i = 0; i < 3; i++) put_float(&file, (float)numbers[i]);
    assert_int_equal(mkdir(files_path("new"), 0700), 0);
    files_write("new/a.wav", file.data, file.count);
    tl_dataset *data = tl_dataset_read(
        files_path("new"), &(tl_read_cfg){.normalize = TL_NORMALIZE_NONE, .unlabelled = true, .reference = &reference}, &error);
    check_series(".wav", data, &error, 1, numbers);
    assert_null(tl_dataset_read(files_path("new"), NULL, &error));
    check_error(&error, TL_ERROR_FORMAT, "a.wav: expected in a folder that is named after its class, got outside of such folders");
    remove(files_path("new/a.wav"));
    rmdir(files_path("new"));
}

/* A folder that holds this one file, for a model of so many channels. */
static void check_folder(const char *name, const void *content, size_t count, size_t channels, size_t series) {
    tl_error error = {0};
    size_t length = 0;
    tl_dataset reference = trained_on(6 / channels / series, channels);
    reference.lengths = &length; /* which may differ: then nothing but the columns tells */
    assert_int_equal(mkdir(files_path("new"), 0700), 0);
    files_write(name, content, count);
    tl_dataset *data = tl_dataset_read(
        files_path("new"), &(tl_read_cfg){.normalize = TL_NORMALIZE_NONE, .unlabelled = true, .reference = &reference}, &error);
    remove(files_path(name));
    rmdir(files_path("new"));
    check_series(name, data, &error, series, numbers);
}

static void given_a_file_beside_folders_when_read_then_columns_decide(void **unused) {
    (void)unused;
    check_folder("new/a.csv", "1\n2\n3\n4\n5\n6\n", 12, 1, 1);
    check_folder("new/a.csv", "u,v\n1,2\n3,4\n5,6\n", 16, 2, 1);
    check_folder("new/a.csv", "1,2,3\n4,5,6\n", 12, 1, 2);
    check_folder("new/a.csv", "1,2,3,4,5,6\n", 12, 1, 1);
    static const struct {
        const char *shape;
        size_t channels, series;
    } arrays[] = {{"(6,)", 1, 1}, {"(6, 1)", 1, 1}, {"(3, 2)", 2, 1}, {"(2, 3)", 1, 2}, {"(2, 3, 1)", 1, 2}};
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++) {
        bytes array = npy_header("'<f4'", arrays[i].shape);
        for (int j = 0; j < 6; j++) put_float(&array, (float)numbers[j]);
        check_folder("new/a.npy", array.data, array.count, arrays[i].channels, arrays[i].series);
    }
}

static void check_refused(const char *name, const char *text, const char *message) {
    tl_error error = {0};
    char expected[400];
    assert_null(read_bytes(name, text, strlen(text), 1, &error));
    snprintf(expected, sizeof expected, "%s:%s", files_path(name), message);
    check_error(&error, TL_ERROR_FORMAT, expected);
}

static void given_unlike_series_when_read_unlabelled_then_refused(void **unused) {
    (void)unused;
    check_refused("a.csv", "1,2\n4,5\n",
                  "1:1: expected series of length 3 with 1 channel, as in the training set, got length 1 with 1 channel");
    check_refused(
        "a.csv", "a,b,class\n1,2,3\n",
        "2:5: expected series of length 3 with 1 channel, as in the training set, got length 2 with 1 channel"); /* 3 is no value */
    check_refused("a.csv", "1,2,3\n4,5\n", "2:1: expected 3 values, as in the first series, got 2");
    check_refused("a.csv", "1,2,3\n4,x,6\n", "2:3: expected a finite number, got \"x\"");
    check_refused("a.ts", "@data\n1,2,3:4\n", "2:7: expected 3 values, as in the first series, got 1");
}

static void keep_warning(const char *text, void *user) { snprintf(user, 300, "%s", text); }

/* A row that is one longer than the series begins with a label: any text or whole number, which may be unknown. */
static void given_a_first_field_that_is_no_class_when_read_then_told_or_refused(void **unused) {
    (void)unused;
    static const struct {
        const char *text, *warning; /* NULL: refused */
    } cases[] = {
        {"walk,1,2,3\nrun,4,5,6\n", ""},
        {"?,1,2,3\n,4,5,6\n", ""},
        {"1,2,3\n4,5,6\n", ""},
        {"0.5,1,2,3\n2,4,5,6\n", "a.csv: labels are ignored: \"2\" is not a class of the model"}, /* 0.5 is a class */
        {"run,1,2,3\njump,4,5,6\n", "a.csv: labels are ignored: \"jump\" is not a class of the model"},
        {"0.25,1,2,3\n0.75,4,5,6\n", NULL},
    };
    char *classes[] = {"0.5", "run", "walk"};
    tl_dataset reference = trained_on(3, 1);
    reference.classes = 3;
    reference.class_names = classes;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char warning[300] = "";
        tl_error error = {0};
        const tl_read_cfg cfg = {
            .normalize = TL_NORMALIZE_NONE, .unlabelled = true, .reference = &reference, .warn = keep_warning, .user = warning};
        tl_dataset *data = files_read("a.csv", cases[i].text, strlen(cases[i].text), &cfg, &error);
        if (!cases[i].warning)
            check_error(&error, TL_ERROR_FORMAT,
                        "a.csv:1:1: expected as many values as a series of the model has, or a class of the model before them "
                        "(--label first: it is a label), got \"0.25\"");
        if (!cases[i].warning) continue;
        if (!strstr(warning, cases[i].warning) || (*warning != '\0') != (*cases[i].warning != '\0'))
            fail_msg("expected the warning \"%s\" for \"%s\", got \"%s\"", cases[i].warning, cases[i].text, warning);
        check_series(cases[i].text, data, &error, 2, numbers);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(given_labelled_and_bare_texts_when_read_unlabelled_then_the_same),
        cmocka_unit_test(given_channels_without_labels_when_read_then_each_has_its_place),
        cmocka_unit_test(given_arrays_without_labels_when_read_then_their_rows),
        cmocka_unit_test(given_an_archive_of_x_alone_when_read_without_labels_then_its_series),
        cmocka_unit_test(given_a_folder_of_sounds_when_read_unlabelled_then_each_is_a_series),
        cmocka_unit_test(given_a_file_beside_folders_when_read_then_columns_decide),
        cmocka_unit_test(given_unlike_series_when_read_unlabelled_then_refused),
        cmocka_unit_test(given_a_first_field_that_is_no_class_when_read_then_told_or_refused),
    };
    return cmocka_run_group_tests(tests, files_setup, files_teardown) != 0;
}
