/* Kinds of files that other programs write: comments, quotes, sizes of streams, sample formats, types of arrays; and formats that
 * are not read. */
#include "files.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- texts ---- */

static void given_percent_comments_when_a_ts_is_read_then_passed_over(void **unused) {
    (void)unused;
    tl_error error = {0};
    tl_dataset *data = files_read_text("a.ts", "%# about\n%\n@classLabel true a b\n@data\n% more\n1,2:a\n3,4:b\n", &error);
    check_ok(&error);
    check_equal("values", data->x.data, (const tl_real[]){1, 2, 3, 4}, 4);
    tl_dataset_free(data);
}

static void given_quoted_labels_when_arff_is_read_then_they_are_text(void **unused) {
    (void)unused;
    tl_error error = {0};
    tl_dataset *data = files_read_text("a.arff",
                                       "@attribute a real\n@attribute b real\n"
                                       "@attribute class {'a, b', c, \"d\\\"e \" , '  it\\'s'}\n@data\n"
                                       "1.5,2.5,'a, b'\n3,4,c\n5,6, \"d\\\"e \"\n7,8,'  it\\'s'\n",
                                       &error);
    check_ok(&error);
    check_equal("values", data->x.data, (const tl_real[]){(tl_real)1.5, (tl_real)2.5, 3, 4, 5, 6, 7, 8}, 8);
    static const char *const names[] = {"a, b", "c", "d\"e", "it's"};
    assert_int_equal(data->classes, 4);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(data->labels[i], i);
        assert_string_equal(data->class_names[i], names[i]);
    }
    tl_dataset_free(data);
}

static void given_text_behind_a_quoted_label_when_an_arff_is_read_then_refused(void **unused) {
    (void)unused;
#define HEADER "@attribute a real\n@attribute c {'x', y}\n@data\n"
    static const char *const cases[][2] = {
        {"@attribute a real\n@attribute c {'x'z, y}\n", "2:18: expected a comma after the closing quote, got \"z\""},
        {"@attribute a real\n@attribute c {'x, y}\n", "2:15: expected a closing quote in the line, got \"'x, y\""},
        {HEADER "1,'x'z\n", "4:6: expected a comma after the closing quote, got \"z\""},
        {HEADER "1,'x\n", "4:3: expected a closing quote in the line, got \"'x\""},
        {HEADER "1,y,2\n", "4:5: expected the end of the line after the label, got \"2\""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        files_check_refused("a.arff", cases[i][0], strlen(cases[i][0]), cases[i][1]);
}

/* ---- sound ---- */

/* A sound of one channel whose header says these sizes. */
typedef struct sound {
    const char *form;   /* RIFF or RF64 */
    uint64_t all, size; /* of the file less 8 bytes, and of the samples */
    uint64_t long_size; /* of RF64 */
    unsigned bits, rate;
    const char *samples;
    size_t count; /* bytes of them */
} sound;

static bytes sound_of(const sound *s) {
    bytes file = {0};
    put_text(&file, s->form);
    put_integer(&file, s->all, 4);
    put_text(&file, "WAVE");
    if (s->long_size > 0) {
        put_text(&file, "ds64");
        put_integer(&file, 28, 4);
        put_integer(&file, s->long_size + 72, 8);
        put_integer(&file, s->long_size, 8);
        put_integer(&file, 0, 12);
    }
    put_text(&file, "fmt ");
    put_integer(&file, 16, 4);
    put_integer(&file, 1, 2);
    put_integer(&file, 1, 2);
    put_integer(&file, s->rate, 4);
    put_integer(&file, s->rate * s->bits / 8, 4);
    put_integer(&file, s->bits / 8, 2);
    put_integer(&file, s->bits, 2);
    put_text(&file, "data");
    put_integer(&file, s->size, 4);
    put(&file, s->samples, s->count);
    return file;
}

static tl_dataset *read_sounds(const sound *a, const sound *b, const tl_read_cfg *cfg, tl_error *error) {
    const bytes files[] = {sound_of(a), sound_of(b)};
    mkdir(files_path("s"), 0700);
    mkdir(files_path("s/a"), 0700);
    mkdir(files_path("s/b"), 0700);
    files_write("s/a/1.wav", files[0].data, files[0].count);
    files_write("s/b/1.wav", files[1].data, files[1].count);
    tl_dataset *data = tl_dataset_read(files_path("s"), cfg, error);
    static const char *const names[] = {"s/a/1.wav", "s/b/1.wav", "s/a", "s/b", "s"};
    for (size_t i = 0; i < 5; i++) remove(files_path(names[i]));
    return data;
}

static const char words[] = {0, 0x40, 0, (char)0x80, 0, 0x20}; /* 0.5, -1, 0.25 in 16 bits */

static void given_sizes_of_streams_when_sound_is_read_then_its_frames(void **unused) {
    (void)unused;
    const sound sounds[] = {
        {"RIFF", 0, 0, 0, 16, 8000, words, 6},
        {"RIFF", UINT32_MAX, UINT32_MAX, 0, 16, 8000, words, 6},
        {"RIFF", 36, 0, 0, 16, 8000, words, 6},
        {"RIFF", 0x80000024, 0x80000000, 0, 16, 8000, words, 6},
        {"RIFF", 42, 6, 0, 16, 8000, words, 6},
        {"RF64", UINT32_MAX, UINT32_MAX, 6, 16, 8000, words, 6},
        {"RIFF", 43, 7, 0, 16, 8000, "\0\x40\0\x80\0\x20\0", 7},
        {"RIFF", 39, 3, 0, 8, 8000, "\xc0\x00\xa0", 3},
    };
    for (size_t i = 0; i < sizeof sounds / sizeof *sounds; i++) {
        tl_error error = {0};
        tl_dataset *data = read_sounds(&sounds[i], &sounds[i], &(tl_read_cfg){.normalize = TL_NORMALIZE_NONE}, &error);
        check_ok(&error);
        assert_int_equal(data->x.shape[1], 3);
        check_equal("samples", data->x.data, (const tl_real[]){(tl_real)0.5, -1, (tl_real)0.25}, 3);
        check_number("rate", data->rate, 8000, 0, 0);
        tl_dataset_free(data);
    }
}

static void given_sound_without_frames_or_cut_off_when_read_then_refused(void **unused) {
    (void)unused;
    static const struct {
        sound sound;
        const char *message;
    } cases[] = {
        {{"RIFF", 42, 0, 0, 16, 8000, words, 6}, "expected frames of 2 bytes, got 0 bytes"}, /* the 6 bytes are of another chunk */
        {{"RIFF", 0, 0, 0, 16, 8000, words, 0}, "expected frames of 2 bytes, got 0 bytes"},
        {{"RIFF", 42, 8, 0, 16, 8000, words, 6}, "expected 8 bytes of data, got 6 before the end of the file"},
        {{"RF64", UINT32_MAX, UINT32_MAX, 8, 16, 8000, words, 6}, "expected 8 bytes of data, got 6 before the end of the file"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tl_error error = {0};
        assert_null(read_sounds(&cases[i].sound, &cases[i].sound, NULL, &error));
        check_error(&error, TL_ERROR_FORMAT, cases[i].message);
    }
}

static void given_two_sample_rates_when_sound_is_read_then_both_files_are_named(void **unused) {
    (void)unused;
    const sound slow = {"RIFF", 42, 6, 0, 16, 8000, words, 6}, fast = {"RIFF", 42, 6, 0, 16, 16000, words, 6};
    const sound unknown = {"RIFF", 42, 6, 0, 16, 0, words, 6};
    tl_error error = {0};
    assert_null(read_sounds(&unknown, &fast, NULL, &error));
    check_error(&error, TL_ERROR_FORMAT, "s/a/1.wav has 0; files of a data set must have the same sample rate");
    error = (tl_error){0};
    assert_null(read_sounds(&slow, &fast, NULL, &error));
    check_error(&error, TL_ERROR_FORMAT, "s/b/1.wav: has 16000 samples per second, but /tmp/");
    check_error(&error, TL_ERROR_FORMAT, "s/a/1.wav has 8000; files of a data set must have the same sample rate");
    error = (tl_error){0};
    tl_dataset *train = read_sounds(&slow, &slow, NULL, &error);
    check_ok(&error);
    assert_null(read_sounds(&fast, &fast, &(tl_read_cfg){.reference = train}, &error));
    check_error(&error, TL_ERROR_FORMAT, "s/a/1.wav: has 16000 samples per second, but the training set has 8000");
    tl_dataset_free(train);
}

/* ---- records ---- */

enum { FRAMES = 12 };

/* Sample t, in a signal format. */
static void put_sample(bytes *file, unsigned format, int t) {
    const uint64_t value = (uint64_t)(int64_t)(10 * t - 50);
    const size_t size = format == 80 ? 1 : format == 24 ? 3 : format == 32 ? 4 : 2;
    if (format == 61)
        put(file, (const unsigned char[]){(unsigned char)(value >> 8), (unsigned char)value}, 2);
    else
        put_integer(file, value + (format == 80 ? 128 : format == 160 ? 32768 : 0), size);
}

static tl_dataset *read_record(const char *header, const bytes *annotations, const tl_read_cfg *cfg, tl_error *error) {
    files_write("r.atr", annotations->data, annotations->count);
    files_write("r.hea", header, strlen(header));
    tl_dataset *data = tl_dataset_read(files_path("r.hea"), cfg, error);
    remove(files_path("r.atr"));
    remove(files_path("r.hea"));
    return data;
}

static bytes beat_at(unsigned time) {
    bytes file = {0};
    put_integer(&file, 1 << 10 | time, 2);
    put_integer(&file, 0, 2);
    return file;
}

static void given_a_record_of_any_signal_format_when_read_then_the_same_values(void **unused) {
    (void)unused;
    static const unsigned formats[] = {16, 24, 32, 61, 80, 160};
    const bytes beat = beat_at(5);
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
        tl_error error = {0};
        bytes samples = {0};
        char header[80];
        for (int t = 0; t < FRAMES; t++) put_sample(&samples, formats[i], t);
        files_write("r.dat", samples.data, samples.count);
        snprintf(header, sizeof header, "r 1 360 %d\nr.dat %u 10\n", FRAMES, formats[i]);
        tl_dataset *data = read_record(header, &beat, &(tl_read_cfg){.normalize = TL_NORMALIZE_NONE, .segment = 4}, &error);
        check_ok(&error);
        check_equal(header, data->x.data, (const tl_real[]){-2, -1, 0, 1}, 4);
        check_number("rate", data->rate, 360, 0, 0);
        tl_dataset_free(data);
        remove(files_path("r.dat"));
    }
}

static void given_signals_in_several_files_when_read_then_one_channel_each(void **unused) {
    (void)unused;
    tl_error error = {0};
    bytes two = {0}, one = {0};
    const bytes beat = beat_at(5);
    for (int t = 0; t < FRAMES; t++) {
        put_sample(&two, 16, t);
        put_sample(&two, 16, t + 1);
        put_sample(&one, 80, t + 2);
    }
    files_write("r.dat", two.data, two.count);
    files_write("s.dat", one.data, one.count);
    tl_dataset *data = read_record("r 3 360 12\nr.dat 16 10\nr.dat 16 10\ns.dat 80 10\n", &beat,
                                   &(tl_read_cfg){.normalize = TL_NORMALIZE_NONE, .segment = 2}, &error);
    check_ok(&error);
    check_equal("values", data->x.data, (const tl_real[]){-1, 0, 1, 0, 1, 2}, 6);
    tl_dataset_free(data);
    remove(files_path("r.dat"));
    remove(files_path("s.dat"));
}

static void given_a_time_resolution_when_read_then_times_are_scaled(void **unused) {
    (void)unused;
    tl_error error = {0};
    bytes samples = {0}, notes = {0};
    for (int t = 0; t < FRAMES; t++) put_sample(&samples, 16, t);
    put(&notes, "\0\x58\x17\xfc## time resolution: 125\0", 28);
    put_integer(&notes, 1 << 10 | 3, 2); /* at 3 / 125 seconds: sample 6 */
    put_integer(&notes, 0, 2);
    files_write("r.dat", samples.data, samples.count);
    tl_dataset *data =
        read_record("r 1 250 12\nr.dat 16 10\n", &notes, &(tl_read_cfg){.normalize = TL_NORMALIZE_NONE, .segment = 2}, &error);
    check_ok(&error);
    check_equal("values", data->x.data, (const tl_real[]){0, 1}, 2);
    tl_dataset_free(data);
    remove(files_path("r.dat"));
}

static void keep_warning(const char *text, void *user) { snprintf(user, 300, "%s", text); }

static void given_an_annotation_past_the_end_when_read_then_a_warning(void **unused) {
    (void)unused;
    tl_error error = {0};
    char warning[300] = "";
    bytes samples = {0}, late = {0};
    for (int t = 0; t < FRAMES; t++) put_sample(&samples, 16, t);
    put_integer(&late, 1 << 10 | 5, 2);
    put_integer(&late, 1 << 10 | 100, 2);
    put_integer(&late, 0, 2);
    files_write("r.dat", samples.data, samples.count);
    const tl_read_cfg cfg = {.normalize = TL_NORMALIZE_NONE, .segment = 2, .warn = keep_warning, .user = warning};
    tl_dataset *data = read_record("r 1 250 12\nr.dat 16 10\n", &late, &cfg, &error);
    check_ok(&error);
    assert_int_equal(data->x.shape[0], 1);
    check_equal("the beat at 5", data->x.data, (const tl_real[]){-1, 0}, 2);
    assert_non_null(
        strstr(warning, "r.atr: 1 of 2 annotations were left out because they are outside the 12 samples of the record"));
    tl_dataset_free(data);
    remove(files_path("r.dat"));
}

static void count_warning(const char *text, void *user) {
    (void)text;
    ++*(int *)user;
}

/* For a prediction a record is read again if its labels are not those of the model. */
static void given_beats_of_no_class_when_read_for_prediction_then_one_warning(void **unused) {
    (void)unused;
    static char *names[][1] = {{"N"}, {"V"}};
    bytes samples = {0}, late = {0};
    for (int t = 0; t < FRAMES; t++) put_sample(&samples, 16, t);
    put_integer(&late, 1 << 10 | 5, 2);
    put_integer(&late, 1 << 10 | 100, 2);
    put_integer(&late, 0, 2);
    files_write("r.dat", samples.data, samples.count);
    for (size_t i = 0; i < 2; i++) {
        tl_error error = {0};
        int count = 0;
        const tl_dataset reference = {.x = {.rank = 3, .shape = {0, 2, 1}}, .classes = 1, .class_names = names[i]};
        tl_dataset *data = read_record("r 1 250 12\nr.dat 16 10\n", &late,
                                       &(tl_read_cfg){.segment = 2,
                                                      .unlabelled = true,
                                                      .keep_labels = true,
                                                      .reference = &reference,
                                                      .warn = count_warning,
                                                      .user = &count},
                                       &error);
        check_ok(&error);
        assert_true((data->labels != NULL) == (i == 0) && count == 1);
        tl_dataset_free(data);
    }
    remove(files_path("r.dat"));
}

/* ---- arrays ---- */

static void given_halves_or_big_endian_numbers_when_read_then_their_values(void **unused) {
    (void)unused;
    static const struct {
        const char *descr, *data;
        size_t count;
        tl_real values[3];
    } cases[] = {
        {"'<f2'", "\0\x3c\0\xc1\x01\0\xff\x7b", 8, {(tl_real)-2.5, (tl_real)5.9604644775390625e-8, 65504}},
        {"'>f2'", "\x3c\0\xc1\0\0\x01\x7b\xff", 8, {(tl_real)-2.5, (tl_real)5.9604644775390625e-8, 65504}},
        {"'>f4'", "\x3f\x80\0\0\x3f\0\0\0\xc0\0\0\0\0\0\0\0", 16, {(tl_real)0.5, -2, 0}},
        {"'>f8'", "\x3f\xf0\0\0\0\0\0\0\x3f\xe0\0\0\0\0\0\0\xc0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 32, {(tl_real)0.5, -2, 0}},
        {"'>i2'", "\0\1\0\2\xff\xfe\1\0", 8, {2, -2, 256}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tl_error error = {0};
        bytes file = npy_header(cases[i].descr, "(1, 4)");
        put(&file, cases[i].data, cases[i].count);
        tl_dataset *data = files_read("a.npy", file.data, file.count, &(tl_read_cfg){.normalize = TL_NORMALIZE_NONE}, &error);
        check_ok(&error);
        check_equal(cases[i].descr, data->x.data, cases[i].values, 3);
        assert_string_equal(data->class_names[0], "1");
        tl_dataset_free(data);
    }
    bytes nan = npy_header("'<f2'", "(1, 3)");
    put(&nan, "\0\x3c\0\x7e\0\0", 6);
    files_check_refused(
        "a.npy", nan.data, nan.count,
        " offset 130: expected a finite number (--missing, tl_read_cfg.missing_policy, says how to treat missing values), got nan");
}

static void given_texts_of_either_type_when_an_archive_is_read_then_labels(void **unused) {
    (void)unused;
    static const struct {
        const char *descr, *data;
        size_t count;
    } cases[] = {{"'|S2'",
                  "up"
                  "a\0",
                  4},
                 {"'>U2'", "\0\0\0u\0\0\0p\0\0\0a\0\0\0\0", 16}};
    for (size_t i = 0; i < 2; i++) {
        tl_error error = {0};
        bytes x = npy_header("'|i1'", "(2, 2)"), y = npy_header(cases[i].descr, "(2,)");
        put_text(&x, "abcd");
        put(&y, cases[i].data, cases[i].count);
        const bytes file = zip_of(false, (const zip_member[]){{"x.npy", &x}, {"y.npy", &y}}, 2);
        tl_dataset *data = files_read("a.npz", file.data, file.count, NULL, &error);
        check_ok(&error);
        assert_string_equal(data->class_names[data->labels[0]], "up");
        assert_string_equal(data->class_names[data->labels[1]], "a");
        tl_dataset_free(data);
    }
    bytes x = npy_header("'|i1'", "(1, 2)"), y = npy_header("'|S3'", "(1,)");
    put_text(&x, "ab");
    put(&y, "a\0b", 3);
    const bytes file = zip_of(false, (const zip_member[]){{"x.npy", &x}, {"y.npy", &y}}, 2);
    files_check_refused("a.npz", file.data, file.count, " y.npy: offset 129: expected a character, got U+0000");
}

/* ---- others ---- */

static void given_an_unsupported_format_when_read_then_how_to_convert(void **unused) {
    (void)unused;
    static const char *const cases[][2] = {
        {"a.parquet", " Parquet files are not read; in Python, pandas.read_parquet(FILE).to_csv("},
        {"a.H5", " HDF5 files are not read; in Python, m = h5py.File(FILE) and numpy.savez("},
        {"a.mat", " MATLAB files are not read; in Python, m = scipy.io.loadmat(FILE) and numpy.savez("},
        {"a.edf", " EDF files are not read; in Python, numpy.save("},
        {"a.xlsx", " Excel files are not read; in Python, pandas.read_excel(FILE).to_csv("},
        {"a.csv.gz", " gzip files are not read; unpack it first"},
        {"a.dat", " sample files are not read; name the header of the record, its .hea file"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) files_check_refused(cases[i][0], "1,2\n", 4, cases[i][1]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(given_percent_comments_when_a_ts_is_read_then_passed_over),
        cmocka_unit_test(given_quoted_labels_when_arff_is_read_then_they_are_text),
        cmocka_unit_test(given_text_behind_a_quoted_label_when_an_arff_is_read_then_refused),
        cmocka_unit_test(given_sizes_of_streams_when_sound_is_read_then_its_frames),
        cmocka_unit_test(given_sound_without_frames_or_cut_off_when_read_then_refused),
        cmocka_unit_test(given_two_sample_rates_when_sound_is_read_then_both_files_are_named),
        cmocka_unit_test(given_a_record_of_any_signal_format_when_read_then_the_same_values),
        cmocka_unit_test(given_signals_in_several_files_when_read_then_one_channel_each),
        cmocka_unit_test(given_a_time_resolution_when_read_then_times_are_scaled),
        cmocka_unit_test(given_an_annotation_past_the_end_when_read_then_a_warning),
        cmocka_unit_test(given_beats_of_no_class_when_read_for_prediction_then_one_warning),
        cmocka_unit_test(given_halves_or_big_endian_numbers_when_read_then_their_values),
        cmocka_unit_test(given_texts_of_either_type_when_an_archive_is_read_then_labels),
        cmocka_unit_test(given_an_unsupported_format_when_read_then_how_to_convert),
    };
    return cmocka_run_group_tests(tests, files_setup, files_teardown) != 0;
}
