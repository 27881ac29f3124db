/* Every file operation of a reader fails once: an error that says why, and nothing left behind. The library's own calls go through
 * this file (the linker's --wrap, see CMakeLists.txt). */
#include "files.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static size_t calls;   /* since the count was set to 0 */
static size_t failing; /* the one that fails; 0: none */
static int reason;     /* errno; 0: the file has become shorter */
static bool broken;    /* a read has failed */

static bool fails(void) {
    if (++calls != failing) return false;
    errno = reason;
    broken = true;
    return true;
}

// NOLINTBEGIN(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp): the linker's names
FILE *__real_fopen(const char *path, const char *mode);
size_t __real_fread(void *to, size_t size, size_t count, FILE *file);
int __real_ferror(FILE *file);
int __real_fseeko(FILE *file, off_t offset, int whence);
DIR *__real_opendir(const char *path);

FILE *__wrap_fopen(const char *path, const char *mode);
size_t __wrap_fread(void *to, size_t size, size_t count, FILE *file);
int __wrap_ferror(FILE *file);
int __wrap_fseeko(FILE *file, off_t offset, int whence);
DIR *__wrap_opendir(const char *path);

FILE *__wrap_fopen(const char *path, const char *mode) { return fails() ? NULL : __real_fopen(path, mode); }
size_t __wrap_fread(void *to, size_t size, size_t count, FILE *file) { return fails() ? 0 : __real_fread(to, size, count, file); }
int __wrap_fseeko(FILE *file, off_t offset, int whence) { return fails() ? -1 : __real_fseeko(file, offset, whence); }
DIR *__wrap_opendir(const char *path) { return fails() ? NULL : __real_opendir(path); }

int __wrap_ferror(FILE *file) {
    if (!broken || reason == 0) return __real_ferror(file);
    errno = reason;
    return 1;
}
// NOLINTEND(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp)

/* ---- files of every kind ---- */

static const char array[] = "\x93NUMPY\1\0\x38\0{'descr': '|i1', 'fortran_order': False, 'shape': (2,)} \1\2";
static const char table[] = "\x93NUMPY\1\0\x3a\0{'descr': '|i1', 'fortran_order': False, 'shape': (1,3,)} \1\2\3";

typedef struct file {
    const char *name, *read;
    const void *content;
    size_t count;
} file;

#define TEXT(name, text)                                                                                                           \
    { name, name, text, sizeof text - 1 }

static const file files[] = {
    TEXT("a.ts", "@equalLength false\n@classLabel true a\n@data\n1,2:a\n3:a\n"),
    TEXT("a.csv", "a,1,2\nb,3,4\n"),
    TEXT("a.arff", "@relation r\n@attribute a real\n@attribute c {x}\n@data\n1,x\n"),
    TEXT("a.npy", table),
    {"a.npz", "a.npz", files_archive, FILES_ARCHIVE},
    {"one/a.npy", ".", array, sizeof array - 1},
    {"one/a.csv", ".", "1\n2\n", 4},
    {"one/a.csv", "one", "1,2\n", 4},
    {"one/a.wav", ".", "RIFF\0\0\0\0WAVEfmt \x10\0\0\0\1\0\1\0\x80\x3e\0\0\0\x7d\0\0\2\0\x10\0data\4\0\0\0\1\0\2\0", 48},
    {"r.hea", "r.hea", "r 1\nr.dat 16\n", 13},
};

static tl_dataset *read_one(const file *self, tl_error *error) {
    return tl_dataset_read(files_path(self->read), &(tl_read_cfg){.segment = strstr(self->read, ".hea") ? 2 : 0}, error);
}

static void check_failures(const file *self) {
    static const int reasons[] = {EIO, 0};
    for (size_t r = 0; r < 2; r++) {
        size_t at = 0;
        for (bool whole = false; !whole;) {
            tl_error error = {0};
            calls = 0, failing = ++at, reason = reasons[r], broken = false;
            tl_dataset *data = read_one(self, &error);
            whole = calls < at; /* nothing failed any more */
            failing = 0, broken = false;
            if (whole) check_ok(&error);
            /* A text that is cut off where a line ends is a shorter one. */
            if (!whole && (reason || !data) && error.status != TL_ERROR_FILE && error.status != TL_ERROR_FORMAT)
                fail_msg("%s, call %zu: status %d, \"%s\"", self->name, at, error.status, error.text);
            if (!whole && !data) check_error(&error, error.status, files_path(""));
            tl_dataset_free(data);
        }
        assert_true(at > 4);
    }
}

static void given_any_call_that_fails_when_a_file_is_read_then_an_error(void **unused) {
    (void)unused;
    files_write("r.dat", "\1\0\2\0\3", 6);
    files_write("r.atr", "\1\4\0", 4);
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        if (strncmp(files[i].name, "one/", 4) == 0) mkdir(files_path("one"), 0700);
        files_write(files[i].name, files[i].content, files[i].count);
        check_failures(&files[i]);
        remove(files_path(files[i].name));
        rmdir(files_path("one"));
    }
    remove(files_path("r.dat"));
    remove(files_path("r.atr"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(given_any_call_that_fails_when_a_file_is_read_then_an_error),
    };
    return cmocka_run_group_tests(tests, files_setup, files_teardown) != 0;
}
