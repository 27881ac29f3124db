/* The most memory that a reader holds: at most twice the file and 16 MiB. Each is read in a process of its own, whose peak the
 * system tells. */
#include "files.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED true
#else
#define SANITIZED false
#endif

enum { SERIES = 6000, LENGTH = 1000 };

/* By how many bytes the peak of a process grows that reads the file; 0: it is not read. */
static size_t peak_of(const char *path) {
    int ends[2];
    size_t grown = 0;
    assert_int_equal(pipe(ends), 0);
    const pid_t process = fork();
    assert_true(process >= 0);
    if (process == 0) {
        struct rusage before, after;
        getrusage(RUSAGE_SELF, &before);
        tl_dataset *data = tl_dataset_read(path, &(tl_read_cfg){.raw = true}, NULL);
        getrusage(RUSAGE_SELF, &after);
        grown = data ? (size_t)(after.ru_maxrss - before.ru_maxrss) * 1024 : 0;
        _exit(write(ends[1], &grown, sizeof grown) != sizeof grown);
    }
    assert_int_equal(read(ends[0], &grown, sizeof grown), sizeof grown);
    waitpid(process, NULL, 0);
    close(ends[0]);
    close(ends[1]);
    return grown;
}

static void check_peak(const char *name) {
    const char *path = files_path(name);
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    fseek(file, 0, SEEK_END);
    const size_t size = (size_t)ftell(file), most = 2 * size + 16 * 1024 * 1024;
    fclose(file);
    const size_t peak = peak_of(path);
    remove(path);
    if (peak == 0) fail_msg("%s is not read", name);
    if (peak > most) fail_msg("%s of %zu bytes: %zu bytes at the peak, the limit is %zu", name, size, peak, most);
}

static FILE *create(const char *name) {
    FILE *file = fopen(files_path(name), "wb");
    assert_non_null(file);
    return file;
}

static void given_a_large_text_when_read_then_within_twice_its_size(void **unused) {
    (void)unused;
    if (SANITIZED) skip();
    FILE *file = create("a.csv");
    for (int i = 0; i < SERIES; i++) {
        fprintf(file, "%d", i % 2);
        for (int t = 0; t < LENGTH; t++) fprintf(file, ",%.7f", (i * 7 + t * 13) % 1000 / 1000.0);
        fputs("\n", file);
    }
    fclose(file);
    check_peak("a.csv");
}

static void given_a_large_array_when_read_then_within_twice_its_size(void **unused) {
    (void)unused;
    if (SANITIZED) skip();
    FILE *file = create("a.npy");
    static float row[LENGTH];
    fprintf(file, "\x93NUMPY\1%c\x76%c%-117s\n", 0, 0, "{'descr': '<f4', 'fortran_order': False, 'shape': (6000, 1000), }");
    for (int i = 0; i < SERIES; i++) {
        for (int t = 0; t < LENGTH; t++) row[t] = (float)(t ? t * i % 100 : i % 2);
        fwrite(row, sizeof *row, LENGTH, file);
    }
    fclose(file);
    check_peak("a.npy");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(given_a_large_text_when_read_then_within_twice_its_size),
        cmocka_unit_test(given_a_large_array_when_read_then_within_twice_its_size),
    };
    return cmocka_run_group_tests(tests, files_setup, files_teardown) != 0;
}
