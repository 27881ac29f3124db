/* Folders as data sets: sound, arrays and tables of each class, what is refused and with which words. */
#include "files.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- a folder with two classes ---- */

static int make_folders(void **unused) {
    if (files_setup(unused) != 0) return -1;
    return mkdir(files_path("no"), 0700) || mkdir(files_path("yes"), 0700) ? -1 : 0;
}

static int remove_folders(void **unused) {
    rmdir(files_path("no"));
    rmdir(files_path("yes"));
    return files_teardown(unused);
}

static tl_dataset *read_folder(const tl_read_cfg *cfg, tl_error *error) { return tl_dataset_read(files_path("."), cfg, error); }

static void check_folder_refused(const char *message) {
    tl_error error = {0};
    assert_null(read_folder(NULL, &error));
    check_error(&error, TL_ERROR_FORMAT, message);
}

/* ---- sound ---- */

typedef struct sound {
    unsigned tag, bits, channels;
    bool extended;
} sound;

/* With a chunk of an odd size before the samples. */
static bytes wav_of(sound s, size_t frames) {
    bytes file = {0};
    const size_t frame = s.channels * s.bits / 8, format = s.extended ? 40 : 16;
    put_text(&file, "RIFF");
    put_integer(&file, 4 + 8 + format + 8 + 4 + 8 + frames * frame, 4);
    put_text(&file, "WAVEfmt ");
    put_integer(&file, format, 4);
    put_integer(&file, s.extended ? 0xFFFE : s.tag, 2);
    put_integer(&file, s.channels, 2);
    put_integer(&file, 16000, 4);
    put_integer(&file, 16000 * frame, 4);
    put_integer(&file, frame, 2);
    put_integer(&file, s.bits, 2);
    if (s.extended) {
        put_integer(&file, 22, 2);
        put_integer(&file, s.bits, 2);
        put_integer(&file, 3, 4);
        put_integer(&file, s.tag, 2);
        put(&file, "\x00\x00\x00\x00\x10\x00\x80\x00\x00\xaa\x00\x38\x9b\x71", 14);
    }
    put(&file, "LIST\3\0\0\0abc", 12); /* and its padding */
    put_text(&file, "data");
    put_integer(&file, frames * frame, 4);
    return file;
}

static void put_sample(bytes *file, sound s, double value) {
    if (s.tag == 1)
        put_integer(file, (uint64_t)(int64_t)(value * (double)(UINT64_C(1) << (s.bits - 1))), s.bits / 8);
    else if (s.bits == 32)
        put_float(file, (float)value);
    else
        put_double(file, value);
}

static bytes sound_of(sound s) {
    static const double samples[] = {0.5, -1, 0.25, -0.125};
    bytes file = wav_of(s, 2);
    for (size_t i = 0; i < 2 * s.channels; i++) put_sample(&file, s, samples[i % 4]);
    return file;
}

static void given_sound_of_any_kind_when_read_then_samples_from_minus_one_to_one(void **unused) {
    (void)unused;
    for (unsigned kind = 0; kind < 20; kind++) {
        static const unsigned kinds[][2] = {{1, 16}, {1, 24}, {1, 32}, {3, 32}, {3, 64}};
        const sound s = {
            .tag = kinds[kind % 5][0], .bits = kinds[kind % 5][1], .channels = 1 + kind / 10, .extended = kind / 5 % 2};
        tl_error error = {0};
        const bytes file = sound_of(s);
        files_write("yes/a.wav", file.data, file.count);
        files_write("yes/b.WAV", file.data, file.count);
        files_write("no/c.wav", file.data, file.count);
        files_write("no/.hidden", "x", 1);
        tl_dataset *data = read_folder(&(tl_read_cfg){.normalize = TL_NORMALIZE_NONE}, &error);
        check_ok(&error);
        assert_int_equal(data->x.shape[0], 3);
        assert_int_equal(data->x.shape[1], 2);
        assert_int_equal(data->x.shape[2], s.channels);
        check_equal("samples", data->x.data, (const tl_real[]){(tl_real)0.5, -1, (tl_real)0.25, (tl_real)-0.125}, 2 * s.channels);
        assert_string_equal(data->class_names[0], "no");
        assert_int_equal(data->labels[0], 0);
        assert_int_equal(data->labels[1], 1);
        assert_int_equal(data->labels[2], 1);
        tl_dataset_free(data);
    }
    static const char *const names[] = {"yes/a.wav", "yes/b.WAV", "no/c.wav", "no/.hidden"};
    for (size_t i = 0; i < 4; i++) remove(files_path(names[i]));
}

static void check_sound_refused(const bytes *file, const char *message) {
    files_write("no/a.wav", file->data, file->count);
    files_write("yes/a.wav", file->data, file->count);
    check_folder_refused(message);
    remove(files_path("no/a.wav"));
    remove(files_path("yes/a.wav"));
}

static void given_other_sound_when_read_then_the_message_says_what_is_read(void **unused) {
    (void)unused;
    static const struct {
        sound sound;
        const char *message;
    } cases[] = {
        {{.tag = 1, .bits = 20, .channels = 2}, "format 1 of 20 bits"},
        {{.tag = 3, .bits = 16, .channels = 1}, "format 3 of 16 bits"},
        {{.tag = 6, .bits = 8, .channels = 1}, "format 6 of 8 bits"},
        {{.tag = 85, .bits = 0, .channels = 1, .extended = true}, "format 85 of 0 bits"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char message[200];
        const bytes file = wav_of(cases[i].sound, 0);
        snprintf(message, sizeof message,
                 "/no/a.wav: offset %d: expected PCM (format 1) of 8, 16, 24 or 32 bits or floats (format 3) of 32 or 64, got %s",
                 cases[i].sound.extended ? 46 : 36, cases[i].message);
        check_sound_refused(&file, message);
    }
}

static void given_broken_sound_when_read_then_the_offset(void **unused) {
    (void)unused;
    const bytes whole = sound_of((sound){.tag = 1, .bits = 16, .channels = 2});
    static const struct {
        size_t at;
        unsigned char value;
        const char *message;
    } cases[] = {
        {0, 'X', "a.wav: offset 0: expected a WAVE file (RIFF …WAVE), got other bytes"},
        {12, 'x', "a.wav: offset 64: expected 8 bytes of fmt , got 0 before the end of the file"},
        {16, 200, "a.wav: offset 20: expected 200 bytes of fmt , got 44 before the end of the file"},
        {22, 0, "a.wav: offset 36: expected a frame of 2 bytes for each channel, got 4 bytes for 0 channels"},
        {32, 5, "a.wav: offset 36: expected a frame of 2 bytes for each channel, got 5 bytes for 2 channels"},
        {52, 9, "a.wav: offset 56: expected 9 bytes of data, got 8 before the end of the file"},
        {52, 3, "a.wav: offset 56: expected frames of 4 bytes, got 3 bytes"},
        {52, 0, "a.wav: offset 56: expected frames of 4 bytes, got 0 bytes"},
        {40, 200, "a.wav: offset 44: expected a file of at least 244 bytes, got the end of the file"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        bytes file = whole;
        file.data[cases[i].at] = cases[i].value;
        check_sound_refused(&file, cases[i].message);
    }
    bytes nan = wav_of((sound){.tag = 3, .bits = 32, .channels = 1}, 1);
    put_integer(&nan, 0x7FC00000, 4);
    check_sound_refused(&nan, "a.wav: offset 56: expected a finite number (--missing, tl_read_cfg.missing_policy, says how to "
                              "treat missing values), got nan");
    check_sound_refused(&(bytes){.count = 3},
                        "a.wav: offset 0: expected 12 bytes of a RIFF header, got 3 before the end of the file");
}

static void given_sound_of_two_lengths_when_read_then_both_are_named(void **unused) {
    (void)unused;
    bytes file = sound_of((sound){.tag = 1, .bits = 16, .channels = 1});
    files_write("no/a.wav", file.data, file.count);
    file = wav_of((sound){.tag = 1, .bits = 16, .channels = 1}, 1);
    put_integer(&file, 0, 2);
    files_write("yes/a.wav", file.data, file.count);
    check_folder_refused("yes/a.wav: offset 56: expected 2 values, as in the first series, got 1; for different lengths use "
                         "@equalLength false in .ts files");
    file = sound_of((sound){.tag = 1, .bits = 16, .channels = 2});
    files_write("yes/a.wav", file.data, file.count);
    check_folder_refused("yes/a.wav: offset 56: expected 1 channels, got 2");
    remove(files_path("no/a.wav"));
    remove(files_path("yes/a.wav"));
}

static void given_sound_of_two_lengths_when_allowed_then_padded(void **unused) {
    (void)unused;
    tl_error error = {0};
    bytes file = wav_of((sound){.tag = 3, .bits = 32, .channels = 1}, 1);
    put_float(&file, 5);
    files_write("no/a.wav", file.data, file.count);
    file = wav_of((sound){.tag = 3, .bits = 32, .channels = 1}, 3);
    for (int t = 0; t < 3; t++) put_float(&file, (float)t + 1);
    files_write("yes/a.wav", file.data, file.count);
    files_write("yes/b.csv", "8,9\n", 4);
    tl_dataset *data = read_folder(&(tl_read_cfg){.normalize = TL_NORMALIZE_NONE, .unequal = true}, &error);
    check_ok(&error);
    assert_int_equal(data->x.shape[1], 3);
    check_equal("x", data->x.data, (const tl_real[]){5, 0, 0, 1, 2, 3, 8, 9, 0}, 9);
    for (size_t i = 0; i < 3; i++) assert_int_equal(data->lengths[i], ((const size_t[]){1, 3, 2})[i]);
    /* Data with such a reference may also have different lengths. */
    tl_dataset *same = read_folder(&(tl_read_cfg){.normalize = TL_NORMALIZE_NONE, .reference = data}, &error);
    check_ok(&error);
    check_equal("same", same->x.data, data->x.data, 9);
    tl_dataset_free(same);
    tl_dataset_free(data);
    files_write("yes/b.csv", "8,9\n8,9\n", 8);
    assert_null(read_folder(&(tl_read_cfg){.unequal = true}, &error));
    check_error(&error, TL_ERROR_FORMAT, "yes/b.csv:1:1: expected 1 channels, got 2");
    remove(files_path("no/a.wav"));
    remove(files_path("yes/a.wav"));
    remove(files_path("yes/b.csv"));
}

static void given_randomly_damaged_sound_when_read_then_data_or_a_message(void **unused) {
    (void)unused;
    const bytes file = sound_of((sound){.tag = 3, .bits = 32, .channels = 2});
    files_write("no/a.wav", file.data, file.count);
    tl_rng rng = tl_rng_at(7, TL_STREAM_USER, 0, 0);
    int sound_sets = 0;
    for (int round = 0; round < 5000; round++) {
        bytes damaged = file;
        damaged.data[tl_rng_below(&rng, (uint32_t)file.count)] = (unsigned char)tl_rng_below(&rng, 256);
        if (round % 8 == 0) damaged.count = tl_rng_below(&rng, (uint32_t)file.count);
        files_write("yes/a.wav", damaged.data, damaged.count);
        tl_error error = {0};
        tl_dataset *data = read_folder(NULL, &error);
        assert_true((data == NULL) == tl_failed(&error));
        sound_sets += data != NULL;
        tl_dataset_free(data);
    }
    assert_in_range(sound_sets, 500, 4500);
    remove(files_path("no/a.wav"));
    remove(files_path("yes/a.wav"));
}

/* ---- tables and arrays ---- */

static bytes array_of(const char *descr, const char *shape, const float *values, size_t count) {
    bytes file = {0};
    char header[120];
    snprintf(header, sizeof header, "{'descr': '%s', 'fortran_order': False, 'shape': %s, }", descr, shape);
    put(&file, "\x93NUMPY\1", 8);
    put_integer(&file, strlen(header), 2);
    put_text(&file, header);
    for (size_t i = 0; i < count; i++) put_float(&file, values[i]);
    return file;
}

static void given_a_table_per_series_when_a_folder_is_read_then_steps_are_rows(void **unused) {
    (void)unused;
    const bytes array = array_of("<f4", "(2, 2)", (const float[]){1, 10, 2, 20}, 4);
    static const char *const texts[][2] = {{"a.csv", "1,10\n2,20\n"},
                                           {"a.csv", "left;right\n\n1;10\r\n\n2;20\n"},
                                           {"a.txt", " 1  10\n2\t20"},
                                           {"a.tsv", "1\t10\n2\t20\n"}};
    for (size_t i = 0; i <= sizeof texts / sizeof *texts; i++) {
        tl_error error = {0};
        char name[40];
        const bool text = i < sizeof texts / sizeof *texts;
        snprintf(name, sizeof name, "yes/%s", text ? texts[i][0] : "a.npy");
        files_write("no/b.npy", array.data, array.count);
        files_write(name, text ? (const void *)texts[i][1] : array.data, text ? strlen(texts[i][1]) : array.count);
        tl_dataset *data = read_folder(&(tl_read_cfg){.normalize = TL_NORMALIZE_NONE}, &error);
        check_ok(&error);
        assert_int_equal(data->x.shape[2], 2);
        check_equal(name, data->x.data, (const tl_real[]){1, 10, 2, 20, 1, 10, 2, 20}, 8);
        remove(files_path(name));
        remove(files_path("no/b.npy"));
        tl_dataset_free(data);
    }
}

static void given_one_channel_in_lines_or_columns_when_read_then_the_same(void **unused) {
    (void)unused;
    tl_error error = {0};
    const bytes array = array_of("<f4", "(3,)", (const float[]){1, 2, 3}, 3);
    files_write("no/a.npy", array.data, array.count);
    files_write("no/b.txt", "1\n2\n3\n", 6);
    files_write("yes/c.csv", "1,2,3\n", 6);
    tl_dataset *data = read_folder(&(tl_read_cfg){.normalize = TL_NORMALIZE_NONE}, &error);
    check_ok(&error);
    check_equal("all", data->x.data, (const tl_real[]){1, 2, 3, 1, 2, 3, 1, 2, 3}, 9);
    assert_int_equal(data->x.shape[2], 1);
    tl_dataset_free(data);
    remove(files_path("no/a.npy"));
    remove(files_path("no/b.txt"));
    remove(files_path("yes/c.csv"));
}

static void check_content_refused(const char *name, const void *content, size_t count, const char *message) {
    char whole[80];
    snprintf(whole, sizeof whole, "no/%s", name);
    files_write(whole, content, count);
    check_folder_refused(message);
    remove(files_path(whole));
}

static void given_files_that_are_no_series_when_a_folder_is_read_then_refused(void **unused) {
    (void)unused;
    static const char *const cases[][3] = {
        {"a.csv", "1,2\n3\n", "no/a.csv:2:1: expected 2 fields, as in the first step, got 1"},
        {"a.csv", "a,b\n", "no/a.csv:2:1: expected a series, got the end of the file"},
        {"a.csv", "1,\"2\n", "no/a.csv:1:3: expected a closing quote in the line, got \"\"2\""},
        {"a.doc", "1,2\n", "no/a.doc: expected a file with the ending .wav, .npy, .csv, .tsv or .txt"},
        {"a.csv", "1,2\n", "yes: expected files of series, got none"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        check_content_refused(cases[i][0], cases[i][1], strlen(cases[i][1]), cases[i][2]);
    files_write("yes/b.csv", "1,2\n3,4\n", 8);
    check_content_refused("a.csv", "1,2\n3,x\n", 8, "no/a.csv:2:3: expected a finite number, got \"x\"");
    remove(files_path("yes/b.csv"));
    const bytes scalar = array_of("<f4", "()", (const float[]){1}, 1), cube = array_of("<f4", "(1, 1, 1)", (const float[]){1}, 1);
    check_content_refused("a.npy", scalar.data, scalar.count,
                          "no/a.npy: offset 65: expected the shape (length,) or (length, channels), got ()");
    check_content_refused("a.npy", cube.data, cube.count,
                          "no/a.npy: offset 72: expected the shape (length,) or (length, channels), got (1, 1, 1)");
    const bytes texts = array_of("<U1", "(1,)", (const float[]){1}, 1);
    check_content_refused("a.npy", texts.data, texts.count, "no/a.npy: offset 67: expected numbers, got texts");
}

static void given_a_reference_when_a_folder_is_read_then_its_classes(void **unused) {
    (void)unused;
    tl_error error = {0};
    tl_dataset *train = files_read_text("t.csv", "yes,1,2\nmaybe,3,4\n", &error);
    check_ok(&error);
    files_write("yes/a.csv", "1,2\n", 4);
    files_write("no/a.csv", "1,2\n", 4);
    assert_null(read_folder(&(tl_read_cfg){.reference = train}, &error));
    check_error(&error, TL_ERROR_FORMAT, "no/a.csv:1:1: expected one of the 2 labels of the training set, got \"no\"");
    error = (tl_error){0};
    files_write("no/a.csv", "1,2,3\n", 6);
    assert_null(read_folder(&(tl_read_cfg){.reference = train}, &error));
    check_error(&error, TL_ERROR_FORMAT,
                "no/a.csv:1:1: expected series of length 2 with 1 channel, as in the training set, got length 3 with 1 channel");
    remove(files_path("no/a.csv"));
    remove(files_path("yes/a.csv"));
    tl_dataset_free(train);
}

/* ---- a file a class ---- */

static void given_a_file_per_class_when_read_then_its_lines_are_series(void **unused) {
    (void)unused;
    tl_error error = {0};
    const bytes array = array_of("<f4", "(2, 3)", (const float[]){1, 2, 3, 4, 5, 6}, 6);
    files_write("no/up.fast.csv", "7,8,9\n\n10,11,12\n", 16);
    files_write("no/down.npy", array.data, array.count);
    tl_dataset *data = tl_dataset_read(files_path("no"), &(tl_read_cfg){.normalize = TL_NORMALIZE_NONE}, &error);
    check_ok(&error);
    check_equal("all", data->x.data, (const tl_real[]){1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}, 12);
    assert_string_equal(data->class_names[data->labels[1]], "down");
    assert_string_equal(data->class_names[data->labels[2]], "up.fast");
    tl_dataset_free(data);
    remove(files_path("no/up.fast.csv"));
    remove(files_path("no/down.npy"));
}

static void given_lines_of_two_lengths_when_they_may_differ_then_padded(void **unused) {
    (void)unused;
    tl_error error = {0};
    files_write("no/up.txt", "7 8  9\n10\n", 10);
    assert_null(tl_dataset_read(files_path("no"), NULL, &error));
    check_error(&error, TL_ERROR_FORMAT, "no/up.txt:2:1: expected 3 values, as in the first series, got 1");
    error = (tl_error){0};
    tl_dataset *data = tl_dataset_read(files_path("no"), &(tl_read_cfg){.normalize = TL_NORMALIZE_NONE, .unequal = true}, &error);
    check_ok(&error);
    check_equal("all", data->x.data, (const tl_real[]){7, 8, 9, 10, 0, 0}, 6);
    tl_dataset_free(data);
    remove(files_path("no/up.txt"));
}

static void given_many_files_when_a_folder_is_read_then_sorted_by_name(void **unused) {
    (void)unused;
    enum { FILES = 150 };
    tl_error error = {0};
    char name[20], text[20];
    for (int i = 0; i < FILES; i++) {
        snprintf(name, sizeof name, "yes/%03d.txt", (i * 7) % FILES);
        files_write(name, text, (size_t)snprintf(text, sizeof text, "%d\n", (i * 7) % FILES));
    }
    tl_dataset *data = read_folder(&(tl_read_cfg){.normalize = TL_NORMALIZE_NONE}, &error);
    assert_null(data); /* the other class has none */
    check_error(&error, TL_ERROR_FORMAT, "no: expected files of series, got none");
    rmdir(files_path("no"));
    error = (tl_error){0};
    data = read_folder(&(tl_read_cfg){.normalize = TL_NORMALIZE_NONE}, &error);
    check_ok(&error);
    for (int i = 0; i < FILES; i++) check_number("in order", (double)data->x.data[i], i, 0, 0);
    tl_dataset_free(data);
    for (int i = 0; i < FILES; i++) {
        snprintf(name, sizeof name, "yes/%03d.txt", i);
        remove(files_path(name));
    }
    mkdir(files_path("no"), 0700);
}

static void given_a_file_for_each_class_that_is_none_when_read_then_refused(void **unused) {
    (void)unused;
    static const struct {
        const char *name, *content, *message;
    } cases[] = {
        {"no/a.wav", "RIFF", "no/a.wav: expected in a folder that is named after its class, got outside of such folders"},
        {"no/a.csv", "\n \n", "no/a.csv:3:1: expected a series, got the end of the file"},
        {"no/a.csv", "1,x\n", "no/a.csv:1:3: expected a finite number, got \"x\""},
        {"no/.a", "", "no: expected files of series, got none"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tl_error error = {0};
        files_write(cases[i].name, cases[i].content, strlen(cases[i].content));
        assert_null(tl_dataset_read(files_path("no"), NULL, &error));
        check_error(&error, TL_ERROR_FORMAT, cases[i].message);
        remove(files_path(cases[i].name));
    }
    tl_error error = {0};
    const bytes cube = array_of("<f4", "(4,)", (const float[]){1, 2, 3, 4}, 4);
    files_write("no/a.npy", cube.data, cube.count);
    assert_null(tl_dataset_read(files_path("no"), NULL, &error));
    check_error(&error, TL_ERROR_FORMAT,
                "no/a.npy: offset 67: expected the shape (count, length) or (count, length, channels), got (4,)");
    remove(files_path("no/a.npy"));
}

static void given_a_folder_of_two_halves_when_read_then_the_one_that_is_meant(void **unused) {
    (void)unused;
    tl_error error = {0};
    char test[300];
    files_write("no/no_TRAIN.tsv", "1\t1\t2\n", 6);
    assert_false(tl_dataset_has_test(files_path("no")));
    files_write("no/no_TEST.tsv", "1\t5\t6\n", 6);
    assert_true(tl_dataset_has_test(files_path("no")));
    tl_dataset *data = tl_dataset_read(files_path("no/"), &(tl_read_cfg){.normalize = TL_NORMALIZE_NONE}, &error);
    check_ok(&error);
    check_equal("train", data->x.data, (const tl_real[]){1, 2}, 2);
    snprintf(test, sizeof test, "%s/test", files_path("no"));
    tl_dataset *other = tl_dataset_read(test, &(tl_read_cfg){.normalize = TL_NORMALIZE_NONE, .reference = data}, &error);
    check_ok(&error);
    check_equal("test", other->x.data, (const tl_real[]){5, 6}, 2);
    assert_null(tl_dataset_read(files_path("no"), &(tl_read_cfg){.reference = data}, &error));
    check_error(&error, TL_ERROR_ARGUMENT, "/no: has two halves; ");
    tl_dataset_free(data);
    tl_dataset_free(other);
    remove(files_path("no/no_TRAIN.tsv"));
    remove(files_path("no/no_TEST.tsv"));
}

/* ---- a file a channel ---- */

static void write_channels(const char *last) {
    files_write("yes/acc_x_train.txt", " 1.0e+00 2.0e+00\n 3.0e+00 4.0e+00\n", 34);
    files_write("yes/acc_y_train.txt", last, strlen(last));
}

static void remove_channels(void) {
    static const char *const names[] = {"yes/acc_x_train.txt", "yes/acc_y_train.txt", "y_train.txt", "subject_train.txt"};
    for (size_t i = 0; i < 4; i++) remove(files_path(names[i]));
}

static void given_a_file_a_channel_when_read_then_line_i_of_each_is_series_i(void **unused) {
    (void)unused;
    tl_error error = {0};
    write_channels("5 6\n7 8\n");
    files_write("y_train.txt", "5\n2\n", 4);
    files_write("subject_train.txt", "a\nb\n", 4);
    tl_dataset *data = tl_dataset_read(files_path("yes"), &(tl_read_cfg){.normalize = TL_NORMALIZE_NONE}, &error);
    check_ok(&error);
    check_equal("values", data->x.data, (const tl_real[]){1, 5, 2, 6, 3, 7, 4, 8}, 8);
    assert_int_equal(data->x.shape[2], 2);
    assert_string_equal(data->class_names[data->labels[0]], "5");
    assert_string_equal(data->class_names[data->labels[1]], "2");
    assert_int_not_equal(data->groups[0], data->groups[1]);
    rmdir(files_path("no"));
    tl_dataset *above =
        read_folder(&(tl_read_cfg){.normalize = TL_NORMALIZE_NONE, .reference = data}, &error); /* whose only folder it is */
    check_ok(&error);
    check_equal("the same", above->x.data, data->x.data, 8);
    assert_int_equal(mkdir(files_path("no"), 0700), 0);
    tl_dataset_free(above);
    files_write("yes/acc_x_train.txt", "0,5 2\n3 4\n", 10);
    tl_dataset *commas = tl_dataset_read(files_path("yes"), &(tl_read_cfg){.reference = data, .decimal_comma = true}, &error);
    check_ok(&error);
    check_number("a number with a decimal comma", (double)commas->x.data[0], 0.5, 0, 0);
    tl_dataset_free(commas);
    tl_dataset_free(data);
    remove_channels();
}

static void given_channels_unequal_or_without_labels_when_read_then_refused(void **unused) {
    (void)unused;
    static const struct {
        const char *channel, *labels, *message;
    } cases[] = {
        {"5 6\n7 8\n", NULL,
         "yes: its files are named as channels, NAME_train.txt; the labels, one in each line, must be in y_train.txt"},
        {"5 6\n", "1\n2\n", "acc_y_train.txt: has 1 lines of 2 numbers, but the channels before it have 2 lines of 2"},
        {"5 6\n7 8\n", "1\n", "y_train.txt:2:1: expected 2 lines, as in the channels, got 1"},
        {"5 6\n7 8\n", "1\n2\n1\n", "y_train.txt:3:1: expected 2 lines, as in the channels, got more"},
        {"5 6\n7 x\n", "1\n2\n", "acc_y_train.txt:2:3: expected a finite number, got \"x\""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tl_error error = {0};
        write_channels(cases[i].channel);
        if (cases[i].labels) files_write("y_train.txt", cases[i].labels, strlen(cases[i].labels));
        assert_null(tl_dataset_read(files_path("yes"), NULL, &error));
        check_error(&error, TL_ERROR_FORMAT, cases[i].message);
        remove_channels();
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(given_a_file_a_channel_when_read_then_line_i_of_each_is_series_i),
        cmocka_unit_test(given_channels_unequal_or_without_labels_when_read_then_refused),
        cmocka_unit_test(given_a_folder_of_two_halves_when_read_then_the_one_that_is_meant),
        cmocka_unit_test(given_sound_of_any_kind_when_read_then_samples_from_minus_one_to_one),
        cmocka_unit_test(given_other_sound_when_read_then_the_message_says_what_is_read),
        cmocka_unit_test(given_broken_sound_when_read_then_the_offset),
        cmocka_unit_test(given_sound_of_two_lengths_when_read_then_both_are_named),
        cmocka_unit_test(given_sound_of_two_lengths_when_allowed_then_padded),
        cmocka_unit_test(given_randomly_damaged_sound_when_read_then_data_or_a_message),
        cmocka_unit_test(given_a_table_per_series_when_a_folder_is_read_then_steps_are_rows),
        cmocka_unit_test(given_one_channel_in_lines_or_columns_when_read_then_the_same),
        cmocka_unit_test(given_files_that_are_no_series_when_a_folder_is_read_then_refused),
        cmocka_unit_test(given_a_reference_when_a_folder_is_read_then_its_classes),
        cmocka_unit_test(given_a_file_per_class_when_read_then_its_lines_are_series),
        cmocka_unit_test(given_lines_of_two_lengths_when_they_may_differ_then_padded),
        cmocka_unit_test(given_many_files_when_a_folder_is_read_then_sorted_by_name),
        cmocka_unit_test(given_a_file_for_each_class_that_is_none_when_read_then_refused),
    };
    return cmocka_run_group_tests(tests, make_folders, remove_folders) != 0;
}
