/* The tapline command with files that were made to take all memory or time: small files that describe huge networks and data sets.
 * Every command must refuse each of them with exit code 1 and a message that names the file, quickly and with little memory. */
#include "check.h"
#include "files.h"
#include "runner.h"

#include "io/archive.h"
#include "io/checksum.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

/* Limits of a run: seconds of the processor, and kB that were resident. Sanitizers and emulators take several times as much. */
#if defined(__SANITIZE_ADDRESS__)
enum { MAX_SECONDS = 10, MAX_MEMORY = 600000 };
#else
enum { MAX_SECONDS = sizeof EMULATOR > 1 ? 10 : 1, MAX_MEMORY = 100000 };
#endif

static const char two_series[] = "a,1,2,3,4,5,6,7,8,9,10\nb,10,9,8,7,6,5,4,3,2,1\n";

/* The resources of all runs so far; memory: the maximum over them. */
static struct rusage taken(void) {
    struct rusage usage;
    getrusage(RUSAGE_CHILDREN, &usage);
    return usage;
}

static double seconds(const struct rusage *usage) {
    return (double)(usage->ru_utime.tv_sec + usage->ru_stime.tv_sec) +
           1e-6 * (double)(usage->ru_utime.tv_usec + usage->ru_stime.tv_usec);
}

/* The command ends with exit code 1 and `text` on stderr, within the limits. */
static void check_refused(const char *const *arguments, const char *text) {
    const struct rusage before = taken();
    run done = run_to_end(arguments);
    const struct rusage after = taken();
    if (done.code != 1 || !strstr(done.err, text) || *done.out)
        fail_msg("%s: expected exit code 1 and \"%s\"; got %d and \"%s\"", arguments[0], text, done.code, done.err);
    if (seconds(&after) - seconds(&before) > MAX_SECONDS || after.ru_maxrss > MAX_MEMORY)
        fail_msg("%s: took %g s; %ld kB at most so far", done.err, seconds(&after) - seconds(&before), after.ru_maxrss);
    run_free(&done);
}

#define REFUSED(text, ...) check_refused((const char *const[RUN_ARGUMENTS]){__VA_ARGS__}, text)

/* predict, eval and info say the same. */
static void check_model(const char *path, const char *text) {
    char model[200], data[200];
    snprintf(model, sizeof model, "%s", path);
    snprintf(data, sizeof data, "%s", files_path("two.csv"));
    REFUSED(text, "predict", model, data);
    REFUSED(text, "eval", model, data);
    REFUSED(text, "info", model);
    REFUSED(text, "export", model, "--out", files_path("never"));
    REFUSED(model, "predict", model, data);
}

/* A sound file of a network for series of 10 steps, with these layers, and arrays dense_1.weight (1, 2) and dense_1.bias (2) where
 * `arrays`. */
static const char *write_model(const char *layers, const char *classes, bool arrays) {
    static tl_real weight[2], bias[2];
    static char path[200];
    snprintf(path, sizeof path, "%s", files_path("hostile.safetensors"));
    const size_t size = strlen(layers) + 100;
    char *architecture = malloc(size);
    assert_non_null(architecture);
    snprintf(architecture, size, "{\"input\": {\"length\": 10, \"channels\": 1}, \"layers\": [%s]}", layers);
    const char *const texts[][2] = {{"format", "tapline"},
                                    {"version", "1"},
                                    {"kind", "model"},
                                    {"tapline", "0.1.0"},
                                    {"precision", tl_precision()},
                                    {"architecture", architecture},
                                    {"loss", "cross-entropy"},
                                    {"loss_settings", "{}"},
                                    {"classes", classes},
                                    {"lengths", "whole"},
                                    {"normalise", "series"},
                                    {"seed", "1"}};
    tl_archive archive = {0};
    tl_error error = {0};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) tl_archive_text(&archive, texts[i][0], texts[i][1], &error);
    const tl_tensor of_weight = TL_VIEW(weight, 1, 2), of_bias = TL_VIEW(bias, 2);
    if (arrays) tl_archive_add(&archive, "", "dense_1", "weight", &of_weight, &error);
    if (arrays) tl_archive_add(&archive, "", "dense_1", "bias", &of_bias, &error);
    tl_archive_save(&archive, path, &error);
    check_ok(&error);
    tl_archive_release(&archive);
    free(architecture);
    return path;
}

#define END ", {\"type\": \"global_average_pool\"}, {\"type\": \"dense\", \"units\": 2}"
#define CONV "{\"type\": \"conv1d\", \"filters\": 1, \"kernel\": 3, "
#define UP "{\"type\": \"upsample\", \"factor\": 64}, "

static void given_a_small_file_of_a_huge_network_when_used_then_refused_at_once(void **unused) {
    (void)unused;
    static const struct {
        const char *layers, *text;
        bool arrays;
    } cases[] = {
        {"{\"type\": \"upsample\", \"factor\": 6000000}" END, "MB for batch 32; the limit is ", true},
        {CONV "\"padding\": \"explicit\", \"pad_left\": 1073741824}" END, "left padding 1073741824 is above 16777216", true},
        {CONV "\"padding\": \"same\", \"padding_mode\": \"circular\", \"dilation\": 1073741824}" END,
         "dilation 1073741824 is above", true},
        {"{\"type\": \"conv1d_transpose\", \"filters\": 1, \"kernel\": 3, \"stride\": 1048576}" END,
         "stride 1048576 is above 65536", true},
        {UP UP UP UP UP UP UP UP UP UP "{\"type\": \"relu\"}" END, "is more than memory can address", true},
        {UP UP UP UP "{\"type\": \"relu\"}" END, "MB for batch 32; the limit is ", true},
        {"{\"type\": \"global_average_pool\"}, {\"type\": \"dense\", \"units\": 1000000000, \"bias\": false}",
         "more parameters than the file, which has 0", false},
        {"{\"type\": \"global_average_pool\"}, {\"type\": \"dense\", \"units\": 1000000000}",
         "more parameters than the file, which has 4", true},
        {"{\"type\": \"dense\", \"units\": -5}", "key \"units\" is -5; it should be a whole number of at least 0", true},
        {"{\"type\": \"nothing\"}", "\"nothing\" is unknown", true},
    };
    files_write("two.csv", two_series, strlen(two_series));
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        check_model(write_model(cases[i].layers, "[]", cases[i].arrays), cases[i].text);
    unlink(files_path("two.csv"));
    unlink(files_path("hostile.safetensors"));
}

/* `count` times the same. */
static char *repeat(const char *text, size_t count, const char *end) {
    const size_t each = strlen(text);
    char *all = malloc(count * each + strlen(end) + 1);
    assert_non_null(all);
    for (size_t i = 0; i < count; i++)
        memcpy(all + i * each, text, each); // NOLINT(bugprone-not-null-terminated-result): more follows
    memcpy(all + count * each, end, strlen(end) + 1);
    return all;
}

static void given_more_than_4096_layers_when_used_then_refused(void **unused) {
    (void)unused;
    files_write("two.csv", two_series, strlen(two_series));
    char *many = repeat("{\"type\": \"relu\"}, ", 4095, &END[2]), *maximum = repeat("{\"type\": \"relu\"}, ", 4094, &END[2]);
    check_model(write_model(many, "[]", true), "has 4097 layers; the limit is 4096");
    const struct rusage before = taken();
    run done = run_command("predict", write_model(maximum, "[]", true), files_path("two.csv"));
    const struct rusage after = taken();
    assert_int_equal(done.code, 0);
    assert_true(seconds(&after) - seconds(&before) < MAX_SECONDS);
    run_free(&done);
    free(maximum);
    free(many);
    unlink(files_path("two.csv"));
    unlink(files_path("hostile.safetensors"));
}

/* Writes `~` in the header of a file as an escaped comma. */
static void escape_commas(const char *path) {
    enum { MAX_BYTES = 8 << 20, HEADER = 8 };
    unsigned char *from = malloc(MAX_BYTES), *to = malloc(MAX_BYTES);
    FILE *file = fopen(path, "rb");
    assert_true(from && to && file);
    const size_t size = fread(from, 1, MAX_BYTES, file);
    fclose(file);
    uint64_t header;
    memcpy(&header, from, HEADER);
    size_t used = HEADER;
    for (size_t i = HEADER; i < size; i++) {
        const bool escaped = i < HEADER + header && from[i] == '~';
        memcpy(to + used, escaped ? (const unsigned char *)"\\u002c" : from + i, escaped ? 6 : 1);
        used += escaped ? 6 : 1;
        if (i + 1 == HEADER + header) memcpy(to, &(uint64_t){used - HEADER}, HEADER);
    }
    char sum[TL_CHECKSUM_DIGITS + 1];
    char *digits = (char *)to + (tl_checksum_in((const char *)to, used) - (const char *)to);
    tl_checksum_of(&(tl_piece){to, used}, 1, digits, sum);
    memcpy(digits, sum, TL_CHECKSUM_DIGITS);
    file = fopen(path, "wb");
    assert_true(file && fwrite(to, 1, used, file) == used && fclose(file) == 0);
    free(to);
    free(from);
}

static void given_texts_that_grow_when_unescaped_then_counted_afterwards(void **unused) {
    (void)unused;
    files_write("two.csv", two_series, strlen(two_series));
    char *names = repeat("\"\"~", 270000, "\"\"]");
    memcpy(names, "[0~", 3); // NOLINT(bugprone-not-null-terminated-result): more follows
    const char *path = write_model("{\"type\": \"relu\"}" END, names, true);
    escape_commas(path);
    check_model(path, "classes: has more than 262144 values");
    free(names);
    unlink(files_path("two.csv"));
    unlink(path);
}

static void given_a_sparse_file_of_6_gb_when_used_as_a_model_then_refused(void **unused) {
    (void)unused;
    files_write("two.csv", two_series, strlen(two_series));
    files_write("sparse", "", 0);
    assert_int_equal(truncate(files_path("sparse"), (off_t)6 << 30), 0);
    check_model(files_path("sparse"), "is not a safetensors file: its header would have 0 bytes");
    unlink(files_path("sparse"));
    unlink(files_path("two.csv"));
}

/* A file with this header, and 6 GiB of arrays that take no place on the disk. */
static void write_sparse(const char *name, const char *header) {
    char content[400] = {0};
    const size_t length = strlen(header);
    content[0] = (char)length;
    memcpy(content + 8, header, length); // NOLINT(bugprone-not-null-terminated-result): bytes of a file
    files_write(name, content, 8 + length);
    assert_int_equal(truncate(files_path(name), (off_t)(8 + length) + ((off_t)6 << 30)), 0);
}

static void given_6_gb_of_arrays_when_imported_or_resumed_then_refused(void **unused) {
    (void)unused;
    write_sparse("weights", "{\"a.weight\": {\"dtype\": \"F16\", \"shape\": [1], \"data_offsets\": [0, 6442450944]}}");
    REFUSED("has 6442 MB; the limit is ", "import", files_path("weights"), "builtin:cbf", "--arch", "timecnn");
    unlink(files_path("weights"));
    write_sparse("state", "{\"__metadata__\": {\"format\": \"tapline\", \"version\": \"1\", \"kind\": \"checkpoint\", "
                          "\"precision\": \"f32\"}, \"a\": {\"dtype\": \"F32\", \"shape\": [1610612736], \"data_offsets\": "
                          "[0, 6442450944]}}");
    REFUSED("has 6442 MB; the limit is ", "train", "--arch", "timecnn", "--epochs", "1", "--quiet", "--resume",
            files_path("state"));
    unlink(files_path("state"));
}

/* ---- data ---- */

static void given_sound_that_claims_2_gb_when_read_then_refused(void **unused) {
    (void)unused;
    static const unsigned char wav[] =
        "RIFF\xf0\xff\xff\x7fWAVEfmt \x10\0\0\0\1\0\1\0\x40\x1f\0\0\x80\x3e\0\0\2\0\x10\0data\xf0\xff\xff\x6f\1\0\2\0";
    assert_int_equal(mkdir(files_path("set"), 0700) | mkdir(files_path("set/a"), 0700), 0);
    files_write("set/a/1.wav", wav, sizeof wav - 1);
    REFUSED("1.wav: offset ", "train", files_path("set"), "--epochs", "1");
    unlink(files_path("set/a/1.wav"));
    assert_int_equal(rmdir(files_path("set/a")) | rmdir(files_path("set")), 0);
}

static void given_an_archive_that_expands_a_thousandfold_when_read_then_refused(void **unused) {
    (void)unused;
    enum { SIZE = 40 << 20, PACKED = SIZE / 1000 };
    bytes zip = {0};
    for (int directory = 0; directory < 2; directory++) {
        put_text(&zip, directory ? "PK\1\2" : "PK\3\4");
        if (directory) put_integer(&zip, 20, 2);
        put_integer(&zip, 20, 4); /* version, no flags */
        put_integer(&zip, 8, 2);  /* deflated */
        put_integer(&zip, 0, 8);  /* time, checksum */
        put_integer(&zip, PACKED, 4);
        put_integer(&zip, SIZE, 4);
        put_integer(&zip, strlen("x.npy"), 4);
        if (directory) put_integer(&zip, 0, 6), put_integer(&zip, 0, 8);
        put_text(&zip, "x.npy");
    }
    const size_t begin = 30 + 5, size = zip.count - begin;
    put_text(&zip, "PK\5\6");
    put_integer(&zip, 0, 4);
    put_integer(&zip, 1, 2);
    put_integer(&zip, 1, 2);
    put_integer(&zip, size, 4);
    put_integer(&zip, begin, 4);
    put_integer(&zip, 0, 2);
    files_write("bomb.npz", zip.data, zip.count);
    REFUSED("expected at most 100 bytes of x.npy from a compressed member; numpy.savez stores members", "train",
            files_path("bomb.npz"));
    unlink(files_path("bomb.npz"));
}

static void given_an_array_over_the_limit_when_read_then_the_limit_is_told(void **unused) {
    (void)unused;
    char header[129] = "\x93NUMPY\1\0\x76\0{'descr': '|i1', 'fortran_order': False, 'shape': (30000, 101), }";
    const size_t used = 10 + strlen(header + 10);
    memset(header + used, ' ', sizeof header - 1 - used);
    header[127] = '\n';
    files_write("large.npy", header, 128);
    assert_int_equal(truncate(files_path("large.npy"), 128 + 30000 * 101), 0);
    REFUSED("large.npy: its series take 24", "train", files_path("large.npy"), "--max-memory", "20", "--epochs", "1", "--precision",
            "f32");
    REFUSED("MB; the limit is 10 MB (max_memory, --max-memory)", "train", files_path("large.npy"), "--max-memory", "20", "--epochs",
            "1");
    unlink(files_path("large.npy"));
}

/* The network needs little memory for short series, but a stream keeps as many steps as its dilation spans: 8 GB here. */
static void given_a_small_file_of_a_huge_stream_when_run_then_refused_at_once(void **unused) {
    (void)unused;
    static const char network[] =
        "{\"layers\": [{\"type\": \"conv1d\", \"filters\": 64, \"kernel\": 1}, {\"type\": \"conv1d\", \"filters\": "
        "1, \"kernel\": 3, \"dilation\": 8000000, \"padding\": \"causal\"}, {\"type\": \"last_step\"}, {\"type\": "
        "\"dense\", \"units\": \"outputs\"}]}";
    char model[200], layers[200];
    snprintf(model, sizeof model, "%s", files_path("deep"));
    snprintf(layers, sizeof layers, "%s", files_path("deep.json"));
    files_write("deep.json", network, strlen(network));
    run done =
        run_command("train", "--arch", layers, "--normalize", "none", "--epochs", "1", "--quiet", "--threads", "1", "--out", model);
    if (done.code != 0) fail_msg("%s", done.err);
    run_free(&done);
    REFUSED("stream: needs 8", "stream", model, "--format", "csv");
    REFUSED("the limit is 10 MB (max_memory, --max-memory)", "stream", model, "--format", "csv", "--max-memory", "10");
    unlink(model);
    unlink(layers);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(given_a_small_file_of_a_huge_network_when_used_then_refused_at_once),
        cmocka_unit_test(given_more_than_4096_layers_when_used_then_refused),
        cmocka_unit_test(given_texts_that_grow_when_unescaped_then_counted_afterwards),
        cmocka_unit_test(given_a_sparse_file_of_6_gb_when_used_as_a_model_then_refused),
        cmocka_unit_test(given_sound_that_claims_2_gb_when_read_then_refused),
        cmocka_unit_test(given_an_archive_that_expands_a_thousandfold_when_read_then_refused),
        cmocka_unit_test(given_an_array_over_the_limit_when_read_then_the_limit_is_told),
        cmocka_unit_test(given_a_small_file_of_a_huge_stream_when_run_then_refused_at_once),
        cmocka_unit_test(given_6_gb_of_arrays_when_imported_or_resumed_then_refused),
    };
    return cmocka_run_group_tests(tests, files_setup, files_teardown) != 0;
}
