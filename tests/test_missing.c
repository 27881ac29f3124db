/* Missing values in every format: refused with a message, or replaced as requested, before scaling. */
#include "files.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define HINT "(--missing, tl_read_cfg.missing_policy, says how to treat missing values), got "

static tl_dataset *read_text(const char *name, const char *text, tl_missing_policy missing) {
    tl_error error = {0};
    tl_dataset *data =
        files_read(name, text, strlen(text), &(tl_read_cfg){.normalize = TL_NORMALIZE_NONE, .missing_policy = missing}, &error);
    check_ok(&error);
    return data;
}

/* ---- policies ---- */

static void check_filled(tl_missing_policy missing, const tl_real *expected) {
    tl_dataset *data = read_text("a.ts", "@classLabel true a\n@data\n?,1,?,?,7,?:2,2,?,2,2,2:a\n", missing);
    check_close(tl_missing_policy_name(missing), data->x.data, expected, 12, 1e-15, 0);
    tl_dataset_free(data);
}

static void given_gaps_when_filled_in_then_by_the_policy_within_the_channel(void **unused) {
    (void)unused;
    check_filled(TL_MISSING_INTERPOLATE, (const tl_real[]){1, 2, 1, 2, 3, 2, 5, 2, 7, 2, 7, 2});
    check_filled(TL_MISSING_MEAN, (const tl_real[]){4, 2, 1, 2, 4, 2, 4, 2, 7, 2, 4, 2});
    check_filled(TL_MISSING_ZERO, (const tl_real[]){0, 2, 1, 2, 0, 0, 0, 2, 7, 2, 0, 2});
}

static void given_the_largest_numbers_when_filled_in_then_finite(void **unused) {
    (void)unused;
    const double largest = sizeof(tl_real) == sizeof(float) ? (double)FLT_MAX : DBL_MAX;
    char text[300];
    snprintf(text, sizeof text, "@classLabel true a\n@data\n%.17g,?,?,%.17g,?,?,?,%.17g,?,?,%.17g:a\n", largest, largest, -largest,
             -largest);
    for (tl_missing_policy missing = TL_MISSING_INTERPOLATE; missing <= TL_MISSING_ZERO; missing++) {
        tl_dataset *data = read_text("a.ts", text, missing);
        for (size_t t = 0; t < 11; t++) assert_true(isfinite(data->x.data[t]));
        tl_dataset_free(data);
    }
}

static void given_gaps_when_scaled_then_filled_in_first(void **unused) {
    (void)unused;
    tl_error error = {0};
    tl_dataset *data = files_read("a.csv", "a,1,?,?,4\n", 10, &(tl_read_cfg){.missing_policy = TL_MISSING_INTERPOLATE}, &error);
    tl_dataset *whole = files_read("a.csv", "a,1,2,3,4\n", 10, NULL, &error);
    check_ok(&error);
    check_close("scaled", data->x.data, whole->x.data, 4, 1e-6, 1e-6);
    tl_dataset_free(data);
    tl_dataset_free(whole);
}

/* ---- formats ---- */

#define ARFF "@relation r\n@attribute a numeric\n@attribute b numeric\n@attribute c numeric\n@attribute class {x}\n@data\n"
#define CHANNELS                                                                                                                   \
    "@relation r\n@attribute m relational\n@attribute a numeric\n@attribute b numeric\n@attribute c numeric\n@end m\n"             \
    "@attribute class {x}\n@data\n"

/* Each has 1, 2, 3 where the one in the middle is missing. */
static const struct {
    const char *name, *text, *message;
} texts[] = {
    {"a.ts", "@classLabel true x\n@data\n1,?,3:x\n", ":3:3: expected a number " HINT "\"?\""},
    {"a.ts", "@classLabel true x\n@data\n1, NaN ,3:x\n", ":3:4: expected a number " HINT "\"NaN\""},
    {"a.ts", "@classLabel true x\n@data\n1,,3:x\n", ":3:3: expected a number " HINT "nothing"},
    {"a.arff", ARFF "1,?,3,x\n", ":7:3: expected a number " HINT "\"?\""},
    {"a.arff", CHANNELS "'1,?,3',x\n", ":9:4: expected a number " HINT "\"?\""},
    {"a.csv", "x,1,nan,3\n", ":1:5: expected a number " HINT "\"nan\""},
    {"a.csv", "x,1,NA,3\n", ":1:5: expected a number " HINT "\"NA\""},
    {"a.csv", "x;1;\"\";3\n", ":1:6: expected a number " HINT "nothing"},
    {"a.csv", "a,b,c,label\n1,,3,x\n", ":2:3: expected a number " HINT "nothing"},
    {"a.tsv", "x\t1\t?\t3\n", ":1:5: expected a number " HINT "\"?\""},
    {"a.txt", "x 1 ? 3\n", ":1:5: expected a number " HINT "\"?\""},
};

static void given_a_missing_value_in_text_when_read_then_refused_or_filled_in(void **unused) {
    (void)unused;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        files_check_refused(texts[i].name, texts[i].text, strlen(texts[i].text), texts[i].message + 1);
        tl_dataset *data = read_text(texts[i].name, texts[i].text, TL_MISSING_INTERPOLATE);
        assert_int_equal(tl_tensor_count(&data->x), 3);
        check_equal(texts[i].text, data->x.data, (const tl_real[]){1, 2, 3}, 3);
        tl_dataset_free(data);
    }
}

static void given_words_when_values_may_be_missing_then_still_refused(void **unused) {
    (void)unused;
    static const char *const cases[][3] = {
        {"a.csv", "x,1,n/a,3\n", "1:5: expected a finite number, got \"n/a\""},
        {"a.csv", "x,1,inf,3\n", "1:5: expected a finite number, got \"inf\""},
        {"a.csv", "x,1,1e999,3\n", "1:5: expected a finite number, got \"1e999\""},
        {"a.csv", "x,1,2,3\nx,1,2\n", "2:3: expected 3 values, as in the first series, got 2"},
        {"a.ts", "@targetLabel true\n@data\n1,2:?\n", "3:5: expected a finite number, got \"?\""},
        {"a.ts", "@classLabel true x\n@data\n1,2:?\n",
         "3:5: expected one of the declared labels (--no-label ? leaves out series without a label), got \"?\""},
        {"a.ts", "@classLabel true x\n@data\n1,2:1,2:x\n1,2:?,NaN:x\n",
         "4:11: expected a value in channel 1 of the series, got only missing values"},
        {"a.ts", "@targetLabel true\n@data\n?:1\n", "3:3: expected a value in channel 0 of the series, got only missing values"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tl_error error = {0};
        const tl_read_cfg cfg = {.missing_policy = TL_MISSING_ZERO};
        assert_null(files_read(cases[i][0], cases[i][1], strlen(cases[i][1]), &cfg, &error));
        check_error(&error, TL_ERROR_FORMAT, cases[i][2]);
    }
}

static void given_gaps_in_unequal_series_when_filled_then_not_the_padding(void **unused) {
    (void)unused;
    tl_dataset *data =
        read_text("a.ts", "@equalLength false\n@classLabel true x\n@data\n1,?:x\n1,2,?,4:x\n", TL_MISSING_INTERPOLATE);
    check_equal("padded", data->x.data, (const tl_real[]){1, 1, 0, 0, 1, 2, 3, 4}, 8);
    tl_dataset_free(data);
}

static bytes array_with_nan(float first) {
    bytes file = {0};
    char header[119];
    snprintf(header, sizeof header, "%-117s\n", "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 4), }");
    put(&file, "\x93NUMPY\1\0\x76\0", 10);
    put(&file, header, 118);
    put_float(&file, first);
    put_float(&file, 1);
    put_integer(&file, 0x7FC00000, 4);
    put_float(&file, 3);
    return file;
}

static void given_nan_in_an_array_when_read_then_refused_or_filled_in(void **unused) {
    (void)unused;
    tl_error error = {0};
    const tl_read_cfg cfg = {.normalize = TL_NORMALIZE_NONE, .missing_policy = TL_MISSING_INTERPOLATE};
    bytes file = array_with_nan(5);
    files_check_refused("a.npy", file.data, file.count, " offset 136: expected a finite number " HINT "nan");
    tl_dataset *data = files_read("a.npy", file.data, file.count, &cfg, &error);
    check_ok(&error);
    check_equal("array", data->x.data, (const tl_real[]){1, 2, 3}, 3);
    tl_dataset_free(data);
    file = array_with_nan(NAN);
    assert_null(files_read("a.npy", file.data, file.count, &cfg, &error));
    check_error(&error, TL_ERROR_FORMAT, "a.npy: offset 128: expected a finite number");
}

/* A folder with the class "one" and one file. */
static tl_dataset *read_folder(const char *name, const void *content, size_t count, tl_missing_policy missing, tl_error *error) {
    char path[40];
    snprintf(path, sizeof path, "one/%s", name);
    mkdir(files_path("one"), 0700);
    files_write(path, content, count);
    tl_dataset *data =
        tl_dataset_read(files_path("."), &(tl_read_cfg){.normalize = TL_NORMALIZE_NONE, .missing_policy = missing}, error);
    remove(files_path(path));
    rmdir(files_path("one"));
    return data;
}

static void given_missing_steps_in_a_folder_when_read_then_refused_or_filled_in(void **unused) {
    (void)unused;
    static const char table[] = "?,5\n1,?\n3,7\n"; /* a first line without a number is no header where values are missing */
    tl_error error = {0};
    assert_null(read_folder("a.csv", table, sizeof table - 1, TL_MISSING_REFUSE, &error));
    check_error(&error, TL_ERROR_FORMAT, "one/a.csv:1:1: expected a number " HINT "\"?\"");
    error = (tl_error){0};
    tl_dataset *data = read_folder("a.csv", table, sizeof table - 1, TL_MISSING_INTERPOLATE, &error);
    check_ok(&error);
    check_equal("steps", data->x.data, (const tl_real[]){1, 5, 1, 6, 3, 7}, 6);
    tl_dataset_free(data);
}

static void given_nan_in_sound_when_read_then_refused_or_filled_in(void **unused) {
    (void)unused;
    tl_error error = {0};
    bytes file = {0};
    put(&file, "RIFF\0\0\0\0WAVEfmt \x10\0\0\0\3\0\1\0\x80\x3e\0\0\0\xfa\0\0\4\0\x20\0data\x0c\0\0\0", 44);
    put_float(&file, 1);
    put_integer(&file, 0x7FC00000, 4);
    put_float(&file, 3);
    assert_null(read_folder("a.wav", file.data, file.count, TL_MISSING_REFUSE, &error));
    check_error(&error, TL_ERROR_FORMAT, "one/a.wav: offset 48: expected a finite number " HINT "nan");
    error = (tl_error){0};
    tl_dataset *data = read_folder("a.wav", file.data, file.count, TL_MISSING_INTERPOLATE, &error);
    check_ok(&error);
    check_equal("sound", data->x.data, (const tl_real[]){1, 2, 3}, 3);
    tl_dataset_free(data);
}

static void given_an_invalid_sample_in_a_record_when_read_then_filled_in(void **unused) {
    (void)unused;
    tl_error error = {0};
    files_write("r.hea", "r 1\nr.dat 16 1\n", 15);
    files_write("r.dat", "\1\0\0\x80\3\0\4\0", 8);
    files_write("r.atr", "\2\4\0\0", 4); /* a normal beat at the third sample */
    tl_dataset *data = tl_dataset_read(
        files_path("r.hea"), &(tl_read_cfg){.normalize = TL_NORMALIZE_NONE, .segment = 4, .missing_policy = TL_MISSING_INTERPOLATE},
        &error);
    check_ok(&error);
    check_equal("record", data->x.data, (const tl_real[]){1, 2, 3, 4}, 4);
    tl_dataset_free(data);
    remove(files_path("r.hea"));
    remove(files_path("r.dat"));
    remove(files_path("r.atr"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(given_gaps_when_filled_in_then_by_the_policy_within_the_channel),
        cmocka_unit_test(given_the_largest_numbers_when_filled_in_then_finite),
        cmocka_unit_test(given_gaps_when_scaled_then_filled_in_first),
        cmocka_unit_test(given_a_missing_value_in_text_when_read_then_refused_or_filled_in),
        cmocka_unit_test(given_words_when_values_may_be_missing_then_still_refused),
        cmocka_unit_test(given_gaps_in_unequal_series_when_filled_then_not_the_padding),
        cmocka_unit_test(given_nan_in_an_array_when_read_then_refused_or_filled_in),
        cmocka_unit_test(given_missing_steps_in_a_folder_when_read_then_refused_or_filled_in),
        cmocka_unit_test(given_nan_in_sound_when_read_then_refused_or_filled_in),
        cmocka_unit_test(given_an_invalid_sample_in_a_record_when_read_then_filled_in),
    };
    return cmocka_run_group_tests(tests, files_setup, files_teardown) != 0;
}
