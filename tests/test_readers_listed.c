/* Tables whose lines name files: records of PhysioNet, sound, arrays, tables; labels that say that there is none. */
#include "files.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { FRAMES = 6 };

/* A record of two signals in format 16, whose sample t is first + t, and of the second signal ten times that. */
static void write_record(const char *name, int first) {
    char header[200], path[40];
    bytes samples = {0};
    for (int t = 0; t < FRAMES; t++) {
        put_integer(&samples, (uint64_t)(first + t) & 0xFFFF, 2);
        put_integer(&samples, (uint64_t)(10 * (first + t)) & 0xFFFF, 2);
    }
    snprintf(path, sizeof path, "%s.dat", name);
    files_write(path, samples.data, samples.count);
    snprintf(header, sizeof header, "%s 2 100 %d\n%s.dat 16 1\n%s.dat 16 1\n", name, FRAMES, name, name);
    snprintf(path, sizeof path, "%s.hea", name);
    files_write(path, header, strlen(header));
}

static void remove_all(const char *const *names) {
    for (; *names; names++) unlink(files_path(*names));
}

static tl_dataset *read_list(const char *text, const tl_read_cfg *cfg, tl_error *error) {
    return files_read("list.csv", text, strlen(text), cfg, error);
}

static void given_a_table_of_records_when_read_then_each_is_a_series(void **unused) {
    (void)unused;
    static const char *const tables[] = {"A1,N\nA2,AF\n", "record,label,age\nA1,N,50\nA2.hea,AF,60\n",
                                         "label,age,record\nN,50,A1\nAF,60,A2\n"};
    static const char *const columns[] = {"first", "record", "name:record"};
    write_record("A1", 5);
    write_record("A2", -3);
    for (size_t i = 0; i < 3; i++) {
        tl_error error = {0};
        tl_dataset *data = read_list(tables[i], &(tl_read_cfg){.normalize = TL_NORMALIZE_NONE, .file = columns[i]}, &error);
        check_ok(&error);
        assert_true(data->x.shape[0] == 2 && data->x.shape[1] == FRAMES && data->x.shape[2] == 2 && data->rate == 100);
        for (int t = 0; t < FRAMES; t++) {
            check_number("A1", (double)data->x.data[2 * t], 5 + t, 0, 0);
            check_number("A2", (double)data->x.data[2 * (FRAMES + t) + 1], 10 * (t - 3), 0, 0);
        }
        assert_string_equal(data->class_names[data->labels[0]], "N");
        assert_string_equal(data->class_names[data->labels[1]], "AF");
        tl_dataset_free(data);
    }
    remove_all((const char *const[]){"A1.hea", "A1.dat", "A2.hea", "A2.dat", NULL});
}

static void given_other_files_when_listed_then_read_with_targets(void **unused) {
    (void)unused;
    tl_error error = {0};
    files_write("one.csv", "1,2\n3,4\n", 8);
    files_write("two.csv", "5,6\n7,8\n9,10\n", 13);
    const char text[] = "who,file,dose\np,one.csv,0.5\nq,two.csv,1.5\np,one.csv,2.5\n";
    const tl_read_cfg cfg = {.normalize = TL_NORMALIZE_NONE, .file = "file", .target = "dose", .group = "who", .unequal = true};
    tl_dataset *data = read_list(text, &cfg, &error);
    check_ok(&error);
    assert_true(data->x.shape[0] == 3 && data->x.shape[1] == 3 && data->x.shape[2] == 2);
    const tl_real expected[] = {1, 2, 3, 4, 0, 0, 5, 6, 7, 8, 9, 10, 1, 2, 3, 4, 0, 0};
    check_equal("values", data->x.data, expected, 18);
    assert_true(data->lengths[0] == 2 && data->lengths[1] == 3 && data->groups[0] == data->groups[2] &&
                data->groups[0] != data->groups[1]);
    check_number("target", (double)data->values[2], 2.5, 0, 0);
    tl_dataset *bare = read_list("file\none.csv\n", &(tl_read_cfg){.file = "file", .unlabelled = true, .reference = data}, &error);
    assert_null(bare); /* a header of one column is none */
    error = (tl_error){0};
    bare = read_list("who,file\np,two.csv\n", &(tl_read_cfg){.file = "file", .unlabelled = true, .reference = data}, &error);
    check_ok(&error);
    assert_true(bare->x.shape[0] == 1 && !bare->labels && !bare->values);
    tl_dataset_free(bare);
    tl_dataset_free(data);
    remove_all((const char *const[]){"one.csv", "two.csv", NULL});
}

static void given_doubled_quotes_in_a_list_when_read_then_single(void **unused) {
    (void)unused;
    tl_error error = {0};
    files_write("a \"b\".csv", "1,2\n3,4\n", 8);
    const tl_read_cfg cfg = {.file = "file"};
    tl_dataset *data = read_list("file,label\n\"a \"\"b\"\".csv\",\"x \"\"y\"\"\"\n", &cfg, &error);
    check_ok(&error);
    assert_string_equal(data->class_names[0], "x \"y\"");
    tl_dataset_free(data);
    remove_all((const char *const[]){"a \"b\".csv", NULL});
}

/* ---- the files of a data set ---- */

/* Adds the name of a file without its folder. */
static void add_name(const char *file, void *user) {
    char *text = user;
    const size_t used = strlen(text);
    snprintf(text + used, 200 - used, "%s ", strrchr(file, '/') + 1);
}

static void check_files(const char *name, const tl_read_cfg *cfg, const char *expected) {
    char text[200] = "";
    tl_error error = {0};
    tl_dataset_files(files_path(name), cfg, add_name, text, &error);
    check_ok(&error);
    if (strcmp(text, expected) != 0) fail_msg("%s: expected the files \"%s\", got \"%s\"", name, expected, text);
}

static void given_a_data_set_when_its_files_are_asked_for_then_all(void **unused) {
    (void)unused;
    const char list[] = "file,label\nA1,N\none.csv,AF\n\"A1.hea\",N\n", broken[] = "file,label\none.csv,a\ntwo.csv\nthree.csv,b\n";
    write_record("A1", 5);
    files_write("list.csv", list, sizeof list - 1);
    files_write("broken.csv", broken, sizeof broken - 1);
    check_files("list.csv", NULL, "list.csv ");
    check_files("list.csv", &(tl_read_cfg){.file = "file"}, "list.csv A1.hea A1.dat one.csv A1.hea A1.dat ");
    check_files("broken.csv", &(tl_read_cfg){.file = "1"}, "broken.csv one.csv "); /* reading it reports the rest */
    check_files("none.csv", &(tl_read_cfg){.file = "file"}, "none.csv ");
    check_files("A1.hea", NULL, "A1.hea A1.dat A1.atr ");
    check_files("A1.hea", &(tl_read_cfg){.annotator = "qrs"}, "A1.hea A1.dat A1.qrs ");
    remove_all((const char *const[]){"A1.hea", "A1.dat", "list.csv", "broken.csv", NULL});
}

static void refuse(const char *text, const tl_read_cfg *cfg, const char *message) {
    tl_error error = {0};
    tl_dataset *data = read_list(text, cfg, &error);
    if (data || !strstr(error.text, message)) fail_msg("%s: expected \"%s\", got \"%s\"", text, message, error.text);
}

static void given_lists_that_are_wrong_when_read_then_said_what(void **unused) {
    (void)unused;
    const tl_read_cfg first = {.file = "first"};
    files_write("one.csv", "1,2\n3,4\n", 8);
    refuse("no.csv,a\n", &first, "/no.csv: No such file or directory");
    refuse("one.csv,a\none.csv\n", &first, "list.csv:2:1: expected 2 fields, as in the first line, got 1");
    refuse(",a\n", &first, "expected the name of a file, got nothing");
    refuse("one.doc,a\n", &first, "one.doc: expected a file with the ending .wav, .npy, .csv, .tsv or .txt");
    refuse("one.csv,1,2\n", &(tl_read_cfg){.file = "first", .target = "2,3"}, "series in files have a single target value");
    refuse("one.csv,1,2\n", &(tl_read_cfg){.file = "first", .value = "2"}, "file (--file) cannot be combined with --value");
    refuse("one.csv,1,2\n", &(tl_read_cfg){.file = "first", .time = "2"}, "file (--file) cannot be combined with --time");
    refuse("one.csv,a\n", &(tl_read_cfg){.file = "9"},
           "list.csv: file \"9\" (--file, tl_read_cfg.file): the table has the columns 1 to 2");
    tl_error error = {0};
    assert_null(tl_dataset_read("builtin:cbf", &first, &error));
    check_error(&error, TL_ERROR_ARGUMENT, "builtin:cbf: --file (tl_read_cfg.file) is only for tables: ");
    remove_all((const char *const[]){"one.csv", NULL});
}

static void given_a_label_that_is_none_when_read_then_it_is_no_class(void **unused) {
    (void)unused;
    tl_error error = {0};
    tl_dataset *data = read_list("b,1,2\n?,3,4\na,5,6\n?,7,8\n", &(tl_read_cfg){.no_label = "?"}, &error);
    check_ok(&error);
    assert_true(data->classes == 2 && data->labels[0] == 1 && data->labels[1] == TL_NO_LABEL && data->labels[2] == 0);
    assert_int_equal(data->labels[3], TL_NO_LABEL);
    tl_dataset *numbers = read_list("-1.0,1,2\n3,3,4\n4,5,6\n", &(tl_read_cfg){.no_label = "-1"}, &error);
    check_ok(&error);
    assert_true(numbers->classes == 2 && numbers->labels[0] == TL_NO_LABEL);
    tl_dataset_free(numbers);
    tl_dataset_free(data);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(given_a_table_of_records_when_read_then_each_is_a_series),
        cmocka_unit_test(given_other_files_when_listed_then_read_with_targets),
        cmocka_unit_test(given_doubled_quotes_in_a_list_when_read_then_single),
        cmocka_unit_test(given_a_data_set_when_its_files_are_asked_for_then_all),
        cmocka_unit_test(given_lists_that_are_wrong_when_read_then_said_what),
        cmocka_unit_test(given_a_label_that_is_none_when_read_then_it_is_no_class),
    };
    return cmocka_run_group_tests(tests, files_setup, files_teardown) != 0;
}
