/* The most memory that a reader holds: the data set, whose numbers are in double until all of them are there, and of a text its
 * longest line (read into a window that doubles) or the file, whichever is less; at least twice the file and 16 MiB is always
 * allowed. Each file is read in a process of its own, whose peak the system tells. */
#include "files.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zlib.h>

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED true
#else
#define SANITIZED false
#endif

enum { MEBIBYTE = 1 << 20, MILLION = 1000000 };

/* What a process found that read a file. */
typedef struct reading {
    size_t grown; /* bytes, at its peak */
    size_t data;  /* bytes of the data set; 0: it was refused */
    char message[500];
} reading;

static size_t bytes_of(const tl_dataset *data) {
    const size_t series = data->x.shape[0];
    return tl_tensor_count(&data->x) * sizeof(double) + (data->lengths ? series * sizeof *data->lengths : 0) +
           series * data->target_length * (data->labels ? sizeof *data->labels : data->target_channels * sizeof(double));
}

static reading read_apart(const char *path, const tl_read_cfg *cfg) {
    int ends[2];
    reading found = {0};
    assert_int_equal(pipe(ends), 0);
    const pid_t process = fork();
    assert_true(process >= 0);
    if (process == 0) {
        struct rusage before, after;
        tl_error error = {0};
        getrusage(RUSAGE_SELF, &before);
        const tl_dataset *data = tl_dataset_read(path, cfg, &error);
        getrusage(RUSAGE_SELF, &after);
        found.grown = (size_t)(after.ru_maxrss - before.ru_maxrss) * 1024;
        found.data = data ? bytes_of(data) : 0;
        memcpy(found.message, error.text, sizeof error.text);
        _exit(write(ends[1], &found, sizeof found) != sizeof found);
    }
    assert_int_equal(read(ends[0], &found, sizeof found), sizeof found);
    waitpid(process, NULL, 0);
    close(ends[0]);
    close(ends[1]);
    return found;
}

static size_t minimum(size_t a, size_t b) { return a < b ? a : b; }

/* `path` of `size` bytes, with its longest line, is read (message NULL) or refused; either within the limit. */
static void check_peak(const char *path, size_t size, size_t line, const tl_read_cfg *cfg, const char *message) {
    const reading found = read_apart(path, cfg);
    if (message ? !strstr(found.message, message) : found.data == 0)
        fail_msg("%s: expected \"%s\", got \"%s\"", path, message ? message : "a data set", found.message);
    const size_t held = found.data + minimum(size, 2 * line), maximum = (held > 2 * size ? held : 2 * size) + 16 * MEBIBYTE;
    if (found.grown > maximum)
        fail_msg("%s of %zu bytes, a data set of %zu: %zu bytes at the peak, the limit is %zu", path, size, found.data, found.grown,
                 maximum);
}

static FILE *create(const char *name) {
    FILE *file = fopen(files_path(name), "wb");
    assert_non_null(file);
    return file;
}

static size_t end_file(FILE *file) {
    const size_t size = (size_t)ftell(file);
    assert_int_equal(fclose(file), 0);
    return size;
}

/* ---- text ---- */

/* `head`, then a line of `prefix`, `longer` times `unit` and `suffix` (none where that is 0), then `series` of them with `units`.
 */
typedef struct text_file {
    const char *name, *head, *prefix, *unit, *suffix;
    size_t units, series, longer;
    const char *message; /* NULL: it is read */
} text_file;

static size_t put_line(FILE *file, const text_file *self, size_t units) {
    const long begin = ftell(file);
    fputs(self->prefix, file);
    for (size_t i = 0; i < units; i++) fputs(self->unit, file);
    fputs(self->suffix, file);
    return (size_t)(ftell(file) - begin);
}

/* The longest line. */
static size_t write_text(FILE *file, const text_file *self) {
    fputs(self->head, file);
    size_t line = self->longer ? put_line(file, self, self->longer) : 0;
    for (size_t i = 0; i < self->series; i++) {
        const size_t its = put_line(file, self, self->units);
        line = its > line ? its : line;
    }
    return line;
}

static void check_text(const text_file *self) {
    FILE *file = create(self->name);
    const size_t line = write_text(file, self), size = end_file(file);
    check_peak(files_path(self->name), size, line, &(tl_read_cfg){.normalize = TL_NORMALIZE_NONE}, self->message);
    remove(files_path(self->name));
}

#define TS "@classLabel true a\n@data\n"
#define ARFF                                                                                                                       \
    "@relation r\n@attribute m relational\n@attribute a real\n@attribute b real\n@attribute c real\n@attribute d real\n@end m\n"   \
    "@attribute class {a}\n@data\n"

static void given_a_large_text_when_read_then_within_its_limit(void **unused) {
    (void)unused;
    if (SANITIZED) skip();
    static const text_file files[] = {
        {"a.csv", "", "a", ",0.1234567", "\n", .units = 1000, .series = 800},
        {"short-numbers.csv", "", "a", ",1", "\n", .units = 1000, .series = 4000},
        {"one-line.csv", "", "a", ",1", "\n", .units = 4 * MILLION, .series = 1},
        {"channels.ts", TS, "", "1,1,1,1:", "a\n", .units = 100, .series = 10000},
        {"unequal.ts", "@equalLength false\n" TS, "1", ",1", ":a\n", .units = 1000, .series = 4000, .longer = 2000},
        {"channels.arff", ARFF, "'", "1,1,1,1\\n", "1,1,1,1',a\n", .units = 100, .series = 8000},
    };
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) check_text(&files[i]);
}

static void given_a_greedy_text_when_read_then_refused_within_its_memory(void **unused) {
    (void)unused;
    if (SANITIZED) skip();
    static const text_file files[] = {
        {"ragged.csv", "", "a", ",1", "\n", .units = 1, .series = MILLION, .longer = MILLION,
         .message = "ragged.csv:2:3: expected 1000000 values, as in the first series, got 1"},
        {"padded.ts", "@equalLength false\n" TS, "1", ",1", ":a\n", .units = 0, .series = MILLION, .longer = MILLION,
         .message = "padded.ts: 1000001 series, padded to the longest, 1000001 steps, have more than 64 times the 2000001 values"},
        {"claims.ts", "@seriesLength 1000000000\n@dimensions 1000000000\n" TS, "1", ",1", ":a\n", .units = 1, .series = MILLION,
         .message = "claims.ts:5:1: expected 1000000000 values, as in the first series, got 2"},
        {"number.ts", TS, "", "1111111111", ":a\n", .units = MILLION, .series = 1,
         .message = "number.ts:3:1: expected a finite number, got \"111111111111111111111111…\""},
    };
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) check_text(&files[i]);
}

/* A line of a gigabyte, of which nothing is on the disk. */
static void given_a_gigabyte_of_nothing_when_read_then_refused_at_its_beginning(void **unused) {
    (void)unused;
    if (SANITIZED) skip();
    FILE *file = create("hole.csv");
    fputs("1,", file);
    assert_int_equal(ftruncate(fileno(file), 1 << 30), 0);
    fclose(file);
    check_peak(files_path("hole.csv"), 0, 0, NULL, "hole.csv:1:3: expected text, got a NUL character; is this a binary file?");
    remove(files_path("hole.csv"));
}

/* ---- arrays ---- */

/* The header of an array (count, length). */
static void put_array(FILE *file, const char *type, size_t count, size_t length) {
    char text[118];
    snprintf(text, sizeof text, "{'descr': '%s', 'fortran_order': False, 'shape': (%zu, %zu), }", type, count, length);
    fprintf(file, "\x93NUMPY\1%c\x76%c%-117s\n", 0, 0, text);
}

static void put_zeros(FILE *file, size_t count) {
    static const char zeros[1 << 16];
    for (size_t part; count > 0; count -= part) {
        part = minimum(count, sizeof zeros);
        assert_int_equal(fwrite(zeros, 1, part, file), part);
    }
}

static void check_array(const char *type, size_t width, size_t count, size_t length, const char *message) {
    FILE *file = create("a.npy");
    put_array(file, type, count, length);
    put_zeros(file, message ? 1000 : width * count * length);
    const size_t size = end_file(file);
    check_peak(files_path("a.npy"), size, 0, NULL, message);
    remove(files_path("a.npy"));
}

static void given_a_large_array_when_read_then_within_its_limit(void **unused) {
    (void)unused;
    if (SANITIZED) skip();
    check_array("<f8", 8, 2000, 1000, NULL);
    check_array("<f4", 4, 2000, 1000, NULL);
    check_array("|i1", 1, 2000, 4000, NULL);
    check_array("<f4", 4, (size_t)1 << 30, (size_t)1 << 30, "4611686018427387904 bytes for the shape (1073741824, 1073741824)");
}

static void put_number(FILE *file, unsigned long value, int size) {
    for (int i = 0; i < size; i++, value >>= 8) fputc((int)(value & 255), file);
}

typedef struct member {
    const char *name;
    unsigned char *packed;
    size_t count, size, offset;
    uLong checksum;
} member;

/* An array of zeros, deflated. */
static member pack(const char *name, const char *type, size_t width, size_t count, size_t length) {
    FILE *file = create("member");
    put_array(file, type, count, length);
    put_zeros(file, width * count * length);
    member self = {.name = name, .size = end_file(file)};
    unsigned char *plain = malloc(self.size);
    self.packed = malloc(self.size);
    assert_true(plain && self.packed);
    file = fopen(files_path("member"), "rb");
    assert_non_null(file);
    assert_int_equal(fread(plain, 1, self.size, file), self.size);
    fclose(file);
    remove(files_path("member"));
    z_stream stream = {.next_in = plain, .avail_in = (uInt)self.size, .next_out = self.packed, .avail_out = (uInt)self.size};
    assert_int_equal(deflateInit2(&stream, 6, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY), Z_OK);
    assert_int_equal(deflate(&stream, Z_FINISH), Z_STREAM_END);
    self.count = stream.total_out;
    deflateEnd(&stream);
    self.checksum = crc32(0, plain, (uInt)self.size);
    free(plain);
    return self;
}

static void put_member(FILE *file, const member *self, bool central) {
    fputs(central ? "PK\1\2" : "PK\3\4", file);
    if (central) put_number(file, 20, 2);
    put_number(file, 20, 2);
    put_number(file, 0, 2);
    put_number(file, 8, 2);
    put_number(file, 0, 4);
    put_number(file, self->checksum, 4);
    put_number(file, self->count, 4);
    put_number(file, self->size, 4);
    put_number(file, strlen(self->name), 2);
    put_number(file, 0, 2);
    if (central) put_number(file, 0, 10);
    if (central) put_number(file, self->offset, 4);
    fputs(self->name, file);
}

/* With so many targets for each of its series. */
static void check_archive(const char *type, size_t width, size_t targets) {
    member members[] = {pack("x.npy", "<f4", 4, 4000, 1000), pack("y.npy", type, width, 4000, targets)};
    FILE *file = create("a.npz");
    for (size_t i = 0; i < 2; i++) {
        members[i].offset = (size_t)ftell(file);
        put_member(file, &members[i], false);
        fwrite(members[i].packed, 1, members[i].count, file);
        free(members[i].packed);
    }
    const size_t directory = (size_t)ftell(file);
    for (size_t i = 0; i < 2; i++) put_member(file, &members[i], true);
    const size_t end = (size_t)ftell(file);
    fputs("PK\5\6", file);
    put_number(file, 0, 4);
    put_number(file, 2, 2);
    put_number(file, 2, 2);
    put_number(file, end - directory, 4);
    put_number(file, directory, 4);
    put_number(file, 0, 2);
    const size_t size = end_file(file);
    check_peak(files_path("a.npz"), size, 0, NULL, NULL);
    remove(files_path("a.npz"));
}

static void given_a_large_archive_when_read_then_within_its_limit(void **unused) {
    (void)unused;
    if (SANITIZED) skip();
    check_archive("<i4", 4, 1);
    check_archive("|i1", 1, 1000);
    check_archive("<f4", 4, 1000);
}

/* ---- folders and records ---- */

static void given_a_large_folder_of_sound_when_read_then_within_its_limit(void **unused) {
    (void)unused;
    if (SANITIZED) skip();
    enum { FILES = 20, FRAMES = 200000 };
    size_t size = 0;
    char name[40];
    assert_int_equal(mkdir(files_path("one"), 0700), 0);
    for (int i = 0; i < FILES; i++) {
        snprintf(name, sizeof name, "one/%d.wav", i);
        FILE *file = create(name);
        fwrite("RIFF\0\0\0\0WAVEfmt \x10\0\0\0\1\0\1\0\x80\x3e\0\0\0\x7d\0\0\2\0\x10\0data", 1, 40, file);
        put_number(file, 2 * FRAMES, 4);
        put_zeros(file, 2 * FRAMES);
        size += end_file(file);
    }
    check_peak(files_path("."), size, 0, NULL, NULL);
    for (int i = 0; i < FILES; i++) {
        snprintf(name, sizeof name, "one/%d.wav", i);
        remove(files_path(name));
    }
    rmdir(files_path("one"));
}

static void given_a_large_folder_of_lines_when_read_then_within_its_limit(void **unused) {
    (void)unused;
    if (SANITIZED) skip();
    const text_file lines = {"one/up.csv", "", "1", ",1", "\n", .units = 1000, .series = 4000};
    assert_int_equal(mkdir(files_path("one"), 0700), 0);
    FILE *file = create(lines.name);
    const size_t line = write_text(file, &lines), size = end_file(file);
    check_peak(files_path("one"), size, line, NULL, NULL);
    remove(files_path(lines.name));
    rmdir(files_path("one"));
}

/* A record of two signals; `beats` of them, each `interval` samples behind the one before. */
static void check_record(size_t frames, size_t beats, unsigned interval, const char *message) {
    FILE *file = create("r.hea");
    fputs("r 2\nr.dat 16\nr.dat 16\n", file);
    size_t size = end_file(file);
    file = create("r.dat");
    put_zeros(file, 4 * frames);
    size += end_file(file);
    file = create("r.atr");
    put_number(file, 28UL << 10 | 500, 2); /* a change of rhythm */
    for (size_t i = 0; i < beats; i++) put_number(file, 1UL << 10 | interval, 2);
    put_number(file, 0, 2);
    size += end_file(file);
    check_peak(files_path("r.hea"), size, 0, &(tl_read_cfg){.segment = 1000}, message);
    remove(files_path("r.hea"));
    remove(files_path("r.dat"));
    remove(files_path("r.atr"));
}

static void given_a_large_record_when_read_then_within_its_limit(void **unused) {
    (void)unused;
    if (SANITIZED) skip();
    check_record(2 * MILLION, 1900, 1000, NULL);
    check_record(1000, MILLION, 0,
                 "r.atr: 1000000 beats with 1000 samples around each have more than 64 times the samples of the record");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(given_a_large_text_when_read_then_within_its_limit),
        cmocka_unit_test(given_a_greedy_text_when_read_then_refused_within_its_memory),
        cmocka_unit_test(given_a_gigabyte_of_nothing_when_read_then_refused_at_its_beginning),
        cmocka_unit_test(given_a_large_array_when_read_then_within_its_limit),
        cmocka_unit_test(given_a_large_archive_when_read_then_within_its_limit),
        cmocka_unit_test(given_a_large_folder_of_sound_when_read_then_within_its_limit),
        cmocka_unit_test(given_a_large_folder_of_lines_when_read_then_within_its_limit),
        cmocka_unit_test(given_a_large_record_when_read_then_within_its_limit),
    };
    return cmocka_run_group_tests(tests, files_setup, files_teardown) != 0;
}
