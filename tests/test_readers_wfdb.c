/* Records of PhysioNet: beats as series, physical values, annotations; what is refused and with which words. */
#include "files.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { FRAMES = 21, SIGNALS = 2 };

/* Sample t of a signal: within the range of 12 bits. */
static int sample_at(size_t t, size_t signal) { return signal ? 1000 - 97 * (int)t : (int)t * (int)t - 100; }

static bytes samples_of(unsigned format, size_t signals) {
    bytes file = {0};
    for (size_t i = 0; i < FRAMES * signals; i++) {
        const unsigned now = (unsigned)sample_at(i / signals, i % signals),
                       next = (unsigned)sample_at((i + 1) / signals, (i + 1) % signals);
        if (format == 16)
            put_integer(&file, now & 0xFFFF, 2);
        else if (i % 2 == 0 && i + 1 < FRAMES * signals)
            put_integer(&file, (now & 0xFFF) | (next & 0xF00) << 4 | (next & 0xFF) << 16, 3);
        else if (i % 2 == 0)
            put_integer(&file, now & 0xFFF, 2);
    }
    return file;
}

static void put_annotation(bytes *file, unsigned code, unsigned interval) { put_integer(file, code << 10 | interval, 2); }

/* Beats at 1 (too early), 4 (N), 10 (V, behind a skip and with a note), a rhythm at 12, beats at 18 (N) and 20 (too late). */
static bytes annotations(void) {
    bytes file = {0};
    put_annotation(&file, 1, 1);
    put_annotation(&file, 1, 3);
    put_annotation(&file, 59, 0);
    put(&file, "\0\0\6\0", 4);
    put_annotation(&file, 5, 0);
    put_annotation(&file, 61, 2);
    put_annotation(&file, 63, 3);
    put(&file, "abc", 4);
    put_annotation(&file, 28, 2);
    put_annotation(&file, 1, 6);
    put_annotation(&file, 1, 2);
    put_integer(&file, 0, 2);
    return file;
}

static void write_record(const char *header, const bytes *samples, const bytes *beats) {
    files_write("r.dat", samples->data, samples->count);
    files_write("r.atr", beats->data, beats->count);
    files_write("r.hea", header, strlen(header));
}

static tl_dataset *read_record(size_t segment, tl_error *error) {
    tl_dataset *data =
        tl_dataset_read(files_path("r.hea"), &(tl_read_cfg){.normalize = TL_NORMALIZE_NONE, .segment = segment}, error);
    remove(files_path("r.hea"));
    remove(files_path("r.dat"));
    remove(files_path("r.atr"));
    return data;
}

static void check_beats(const tl_dataset *data, size_t segment, size_t signals, double gain, double baseline) {
    static const size_t beats[] = {4, 10, 18};
    assert_int_equal(data->x.shape[0], 3);
    assert_int_equal(data->x.shape[1], segment);
    assert_int_equal(data->x.shape[2], signals);
    for (size_t i = 0; i < 3; i++)
        for (size_t t = 0; t < segment; t++)
            for (size_t c = 0; c < signals; c++)
                check_number("a value", (double)data->x.data[(i * segment + t) * signals + c],
                             (sample_at(beats[i] - segment / 2 + t, c) - (c ? 0 : baseline)) / (c ? 200 : gain), 1e-6, 1e-6);
    assert_string_equal(data->class_names[data->labels[0]], "N");
    assert_string_equal(data->class_names[data->labels[1]], "V");
    assert_int_equal(data->labels[2], data->labels[0]);
}

static void given_a_record_of_either_format_when_read_then_physical_units(void **unused) {
    (void)unused;
    static const struct {
        unsigned format;
        size_t signals;
        const char *header;
        double baseline;
    } records[] = {
        {16, 2, "# about\nr 2 360 21\nr.dat 16 100(-12)/mV 11 1024 995 0 0 MLII\nr.dat 16\n#more\n", -12},
        {212, 2, "r 2 360/10(0) 21 12:00:00\r\n\r\nr.dat 212 100 11 24\r\nr.dat 212 0 12 0\r\n", 24},
        {212, 1, "r 1\nr.dat 212 100/mV\n", 0},
        {16, 1, "r 1 250 0\nr.dat 16+0 100\n", 0},
    };
    const bytes beats = annotations();
    for (size_t i = 0; i < sizeof records / sizeof *records; i++) {
        for (size_t segment = 5; segment <= 6; segment++) {
            tl_error error = {0};
            const bytes samples = samples_of(records[i].format, records[i].signals);
            write_record(records[i].header, &samples, &beats);
            tl_dataset *data = read_record(segment, &error);
            check_ok(&error);
            check_beats(data, segment, records[i].signals, 100, records[i].baseline);
            tl_dataset_free(data);
        }
    }
}

static void given_another_annotator_when_read_then_its_beats(void **unused) {
    (void)unused;
    tl_error error = {0};
    const bytes samples = samples_of(16, 1), beats = annotations();
    const char header[] = "r 1 250 0\nr.dat 16 100\n";
    files_write("r.dat", samples.data, samples.count);
    files_write("r.qrs", beats.data, beats.count);
    files_write("r.hea", header, strlen(header));
    tl_read_cfg cfg = {.normalize = TL_NORMALIZE_NONE, .segment = 5};
    assert_null(tl_dataset_read(files_path("r.hea"), &cfg, &error));
    check_error(&error, TL_ERROR_FILE, "r.atr: No such file or directory");
    error = (tl_error){0};
    cfg.annotator = "qrs";
    tl_dataset *data = tl_dataset_read(files_path("r.hea"), &cfg, &error);
    check_ok(&error);
    check_beats(data, 5, 1, 100, 0);
    tl_dataset_free(data);
    cfg.annotator = "../qrs";
    assert_null(tl_dataset_read(files_path("r.hea"), &cfg, &error));
    check_error(&error, TL_ERROR_ARGUMENT, "is only for records (.hea): the ending of the file of annotations");
    remove(files_path("r.hea"));
    remove(files_path("r.dat"));
    remove(files_path("r.qrs"));
}

static void given_bytes_before_the_samples_when_read_then_passed_over(void **unused) {
    (void)unused;
    tl_error error = {0};
    bytes samples = {0};
    const bytes all = samples_of(16, 1), beats = annotations();
    put_text(&samples, "a header of 24 bytes....");
    put(&samples, all.data, all.count);
    write_record("r 1\nr.dat 16+24 100\n", &samples, &beats);
    tl_dataset *data = read_record(6, &error);
    check_ok(&error);
    check_beats(data, 6, 1, 100, 0);
    tl_dataset_free(data);
}

/* ---- what is refused ---- */

static void check_refused(const char *header, const bytes *samples, const bytes *beats, size_t segment, const char *message) {
    tl_error error = {0};
    write_record(header, samples, beats);
    assert_null(read_record(segment, &error));
    check_error(&error, TL_ERROR_FORMAT, message);
}

static void given_a_malformed_header_when_read_then_the_message_says_where(void **unused) {
    (void)unused;
    static const char *const cases[][2] = {
        {"# r\n", "r.hea:2:1: expected a record, got the end of the file"},
        {"r/3 1\n", "r.hea:1:1: expected a record of one segment, got \"r/3\""},
        {"r\n", "r.hea:1:2: expected the number of signals, from 1 to 64, got nothing"},
        {"r 1.5\n", "r.hea:1:3: expected the number of signals, from 1 to 64, got \"1.5\""},
        {"r 2\nr.dat 16\n", "r.hea:3:1: expected a line for each signal, got the end of the file"},
        {"r 3\nr.dat 16\ns.dat 16\nr.dat 16\n", "r.hea:4:1: expected the signals of a file in consecutive lines, got \"r.dat\""},
        {"r 65\n", "r.hea:1:3: expected the number of signals, from 1 to 64, got \"65\""},
        {"r 1 360 x\n", "r.hea:1:9: expected the number of samples, from 0 to 1000000000, got \"x\""},
        {"r 1\n", "r.hea:2:1: expected a line for each signal, got the end of the file"},
        {"r 1\nr.dat 81\n", "r.hea:2:7: expected signal format 16, 24, 32, 61, 80, 160 or 212, got \"81\""},
        {"r 1\nr.dat 16x2\n", "r.hea:2:7: expected signal format 16, 24, 32, 61, 80, 160 or 212, got \"16x2\""},
        {"r 1\nr.dat 16+-1\n", "r.hea:2:10: expected bytes before the samples, from 0 to 1000000000, got \"-1\""},
        {"r 1\n../r.dat 16\n", "r.hea:2:1: expected the name of a file in the same folder, got \"../r.dat\""},
        {"r 2\nr.dat 16\nr.dat 212\n", "r.hea:3:7: expected all signals of r.dat in format 16, got \"212\""},
        {"r 1\nr.dat 16 x/mV\n", "r.hea:2:10: expected a finite number, got \"x\""},
        {"r 1\nr.dat 16 1(x)/mV\n", "r.hea:2:12: expected a finite number, got \"x\""},
        {"r 1\nr.dat 16 1(2/mV\n", "r.hea:2:13: expected a closing bracket, got nothing"},
        {"r 1\nr.dat 16 1 12 x\n", "r.hea:2:15: expected a finite number, got \"x\""},
        {"r 1 360 22\nr.dat 16\n", "r.dat: offset 0: expected 22 samples of each signal, as the header says, got 21"},
        {"r 1\nr.dat 16+43\n", "r.dat: offset 0: expected a file of at least 43 bytes, got the end of the file"},
    };
    const bytes samples = samples_of(16, 1), beats = annotations();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) check_refused(cases[i][0], &samples, &beats, 6, cases[i][1]);
    check_refused("r 1\nr.dat 16\n", &samples, &beats, 0,
                  "r.dat: offset 0: expected at least the 256 samples of a segment, got 21");
}

static void given_malformed_annotations_when_read_then_the_offset(void **unused) {
    (void)unused;
    static const struct {
        const char *content;
        size_t count;
        const char *message;
    } cases[] = {
        {"\4\4\4", 3, "r.atr: offset 2: expected 2 bytes of an annotation, got 1 before the end of the file"},
        {"\0\xec\0\0", 4, "r.atr: offset 2: expected 4 bytes of a skip to an annotation, got 2 before the end of the file"},
        {"\0\xec\xff\xff\0\0\0\4\0\0", 10, "r.atr: offset 10: expected a beat with 6 samples around it in the record, got none"},
        {"\x16\4\0\0", 4, "r.atr: offset 4: expected a beat with 6 samples around it in the record, got none"},
        {"\0\x58\x16\xfc## time resolution: x\0\0\0", 29,
         "r.atr: offset 26: expected the time resolution of the annotations, got \"x\""},
        {"\4\4\5\xfc", 4, "r.atr: offset 4: expected a file of at least 10 bytes, got the end of the file"},
        {"\0\0", 2, "r.atr: offset 2: expected a beat with 6 samples around it in the record, got none"},
    };
    const bytes samples = samples_of(16, 1);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        bytes beats = {0};
        put(&beats, cases[i].content, cases[i].count);
        check_refused("r 1\nr.dat 16\n", &samples, &beats, 6, cases[i].message);
    }
}

static void given_missing_samples_when_read_then_refused(void **unused) {
    (void)unused;
    const bytes beats = annotations();
    bytes samples = samples_of(16, 1);
    memcpy(samples.data + 10, "\x00\x80", 2);
    check_refused(
        "r 1\nr.dat 16\n", &samples, &beats, 6,
        "r.dat: offset 10: expected a sample (--missing, tl_read_cfg.missing_policy, says how to treat missing values), got none");
    samples = samples_of(212, 1);
    memcpy(samples.data + 6, "\x00\x08", 2); /* the fifth */
    check_refused(
        "r 1\nr.dat 212\n", &samples, &beats, 6,
        "r.dat: offset 6: expected a sample (--missing, tl_read_cfg.missing_policy, says how to treat missing values), got none");
}

static void given_a_record_without_its_files_when_read_then_they_are_named(void **unused) {
    (void)unused;
    tl_error error = {0};
    const bytes samples = samples_of(16, 1);
    files_write("r.hea", "r 1\nr.dat 16\n", 13);
    assert_null(tl_dataset_read(files_path("r.hea"), NULL, &error));
    check_error(&error, TL_ERROR_FILE, "/r.dat: No such file or directory");
    error = (tl_error){0};
    files_write("r.dat", samples.data, samples.count);
    assert_null(read_record(6, &error));
    check_error(&error, TL_ERROR_FILE, "/r.atr: No such file or directory");
}

static void given_random_damage_when_read_then_a_sound_data_set_or_a_message(void **unused) {
    (void)unused;
    static const char header[] = "r 1 360 21\nr.dat 212 100(-12)/mV 11 0\n";
    const bytes whole[] = {samples_of(212, 1), annotations()};
    tl_rng rng = tl_rng_at(9, TL_STREAM_USER, 0, 0);
    int sound = 0;
    for (int round = 0; round < 6000; round++) {
        bytes files[2] = {whole[0], whole[1]}, text = {0};
        put(&text, header, sizeof header - 1);
        bytes *const one = round % 3 < 2 ? &files[round % 3] : &text;
        one->data[tl_rng_below(&rng, (uint32_t)one->count)] = (unsigned char)tl_rng_below(&rng, 256);
        if (round % 16 == 0) one->count = tl_rng_below(&rng, (uint32_t)one->count);
        files_write("r.dat", files[0].data, files[0].count);
        files_write("r.atr", files[1].data, files[1].count);
        files_write("r.hea", text.data, text.count);
        tl_error error = {0};
        tl_dataset *data = read_record(6, &error);
        assert_true((data == NULL) == tl_failed(&error));
        sound += data != NULL;
        tl_dataset_free(data);
    }
    assert_in_range(sound, 1000, 5900);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(given_a_record_of_either_format_when_read_then_physical_units),
        cmocka_unit_test(given_another_annotator_when_read_then_its_beats),
        cmocka_unit_test(given_bytes_before_the_samples_when_read_then_passed_over),
        cmocka_unit_test(given_a_malformed_header_when_read_then_the_message_says_where),
        cmocka_unit_test(given_malformed_annotations_when_read_then_the_offset),
        cmocka_unit_test(given_missing_samples_when_read_then_refused),
        cmocka_unit_test(given_a_record_without_its_files_when_read_then_they_are_named),
        cmocka_unit_test(given_random_damage_when_read_then_a_sound_data_set_or_a_message),
    };
    return cmocka_run_group_tests(tests, files_setup, files_teardown) != 0;
}
