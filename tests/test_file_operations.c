/* Every call to the operating system is made to fail while a file is written or read: an error must say so, the previous file must
 * be complete, and nothing must be left behind; interruptions that are not failures are also tested. The library's calls go through
 * this file (the linker's --wrap, see CMakeLists.txt). */
#include "check.h"

#include "io/write.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- failing ---- */

typedef enum operation { OPEN, READ, WRITE, FSYNC, RENAME, CLOSE, OPERATIONS } operation;

static const char *const operation_names[] = {"open", "read", "write", "fsync", "rename", "close"};

enum { SHORT = -1 }; /* instead of an errno: half of the bytes are transferred */

static size_t calls[OPERATIONS];
static operation failing;
static size_t failing_call; /* from 1; 0: none */
static int failing_with;

static bool fails(operation kind) {
    calls[kind]++;
    if (kind != failing || calls[kind] != failing_call || failing_with == SHORT) return false;
    errno = failing_with;
    return true;
}

static size_t shortened(operation kind, size_t size) {
    return kind == failing && calls[kind] == failing_call && failing_with == SHORT && size > 1 ? size / 2 : size;
}

// NOLINTBEGIN(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp): the linker's names
int __real_open(const char *path, int flags, ...);
ssize_t __real_read(int file, void *data, size_t size);
ssize_t __real_write(int file, const void *data, size_t size);
int __real_fsync(int file);
int __real_rename(const char *from, const char *to);
int __real_close(int file);

int __wrap_open(const char *path, int flags, unsigned mode);
ssize_t __wrap_read(int file, void *data, size_t size);
ssize_t __wrap_write(int file, const void *data, size_t size);
int __wrap_fsync(int file);
int __wrap_rename(const char *from, const char *to);
int __wrap_close(int file);

int __wrap_open(const char *path, int flags, unsigned mode) { return fails(OPEN) ? -1 : __real_open(path, flags, mode); }
ssize_t __wrap_read(int file, void *data, size_t size) { return fails(READ) ? -1 : __real_read(file, data, shortened(READ, size)); }
ssize_t __wrap_write(int file, const void *data, size_t size) {
    return fails(WRITE) ? -1 : __real_write(file, data, shortened(WRITE, size));
}
int __wrap_fsync(int file) { return fails(FSYNC) ? -1 : __real_fsync(file); }
int __wrap_rename(const char *from, const char *to) { return fails(RENAME) ? -1 : __real_rename(from, to); }

/* On Linux the file is closed even so. */
int __wrap_close(int file) {
    const bool fail = fails(CLOSE);
    const int reason = errno, result = __real_close(file);
    if (fail) errno = reason;
    return fail ? -1 : result;
}
// NOLINTEND(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp)

static void fail_at(operation kind, size_t call, int with) {
    memset(calls, 0, sizeof calls);
    failing = kind, failing_call = call, failing_with = with;
}

static void fail_no_more(void) { failing_call = 0; }

/* ---- a folder with a model ---- */

static char folder[] = "/tmp/tapline-operations-XXXXXX";
static char path[64];

static int set_up(void **unused) {
    (void)unused;
    if (!mkdtemp(folder)) return 1;
    snprintf(path, sizeof path, "%s/model.safetensors", folder);
    return 0;
}

/* The files in the folder. */
static size_t count_files(void) {
    size_t count = 0;
    DIR *opened = opendir(folder);
    assert_non_null(opened);
    while (readdir(opened)) count++;
    closedir(opened);
    return count - 2; /* . and .. */
}

/* What could not be renamed is kept under another name: whether there is one, which is then removed. */
static bool remove_kept(void) {
    bool found = false;
    DIR *opened = opendir(folder);
    assert_non_null(opened);
    for (const struct dirent *entry; (entry = readdir(opened));) {
        const size_t length = strlen(entry->d_name);
        if (length > 5 && strcmp(entry->d_name + length - 5, ".kept") == 0)
            found = unlinkat(dirfd(opened), entry->d_name, 0) == 0 || found;
    }
    closedir(opened);
    return found;
}

static int tear_down(void **unused) {
    (void)unused;
    unlink(path);
    return rmdir(folder);
}

static tl_model *make(uint64_t seed) {
    tl_error error = {0};
    tl_model *m = tl_model_new(&(tl_model_cfg){.seed = seed, .threads = 1});
    const tl_node x = tl_input(m, (tl_shape){4, 1});
    tl_model_compile(m, tl_dense(m, x, &(tl_dense_cfg){.units = 3}), &(tl_compile_cfg){.batch = 1}, &error);
    check_ok(&error);
    return m;
}

/* The first weight, by which two models differ. */
static double first_weight(const tl_model *model) { return (double)tl_parameter_at(model, 0).value.data[0]; }

/* A way to write models to `path`, and the first weight of what is in the file. */
typedef struct writer {
    tl_status (*write)(const tl_model *model, tl_error *error);
    double (*weight)(void);
} writer;

static tl_status save(const tl_model *model, tl_error *error) { return tl_model_save(model, path, NULL, error); }

static double saved_weight(void) {
    tl_error error = {0};
    tl_model *model = tl_model_load(path, NULL, NULL, &error);
    check_ok(&error);
    const double weight = first_weight(model);
    tl_model_free(model);
    return weight;
}

static tl_status export(const tl_model *model, tl_error *error) { return tl_weights_export(model, path, NULL, error); }

static double exported_weight(void) {
    tl_error error = {0};
    tl_model *model = make(3);
    tl_weights_import(model, path, NULL, &error);
    check_ok(&error);
    const double weight = first_weight(model);
    tl_model_free(model);
    return weight;
}

/* The second open and fsync are of the folder, once the file has its name; so are later closes than the first, or of the lock. */
static bool is_named(operation kind, size_t call) { return call >= 2 && (kind == OPEN || kind == FSYNC || kind == CLOSE); }

/* On the folder's and the lock's being closed nothing depends. */
static void check_failed_write(const tl_error *error, operation kind, size_t call, int reason) {
    const bool named = is_named(kind, call);
    if (named && kind == CLOSE) {
        check_ok(error);
        return;
    }
    check_error(error, TL_ERROR_FILE, strerror(reason));
    check_error(error, TL_ERROR_FILE, path);
    check_error(error, TL_ERROR_FILE,
                named            ? "written, but its folder"
                : kind == RENAME ? "; the new contents are in /tmp/"
                                 : "the previous file is kept");
}

/* Fails each call of writing a file over another one. */
static void fail_each_call(const writer *self) {
    static const int reasons[] = {EIO, ENOSPC};
    static const operation writing[] = {OPEN, WRITE, FSYNC, RENAME, CLOSE};
    tl_model *old = make(1), *fresh = make(2);
    size_t failures = 0;
    for (size_t i = 0; i < 2 * sizeof writing / sizeof *writing; i++) {
        const operation kind = writing[i / 2];
        for (size_t call = 1;; call++) {
            tl_error error = {0};
            self->write(old, &error);
            check_ok(&error);
            fail_at(kind, call, reasons[i % 2]);
            self->write(fresh, &error);
            fail_no_more();
            assert_true(remove_kept() == (kind == RENAME && calls[kind] >= call));
            if (count_files() != 1) fail_msg("%s %zu: %zu files are left", operation_names[kind], call, count_files());
            if (calls[kind] < call) break;
            failures++;
            check_failed_write(&error, kind, call, reasons[i % 2]);
            const tl_model *expected = is_named(kind, call) ? fresh : old;
            check_number("the first weight", self->weight(), first_weight(expected), 0, 0);
        }
    }
    assert_true(failures >= 20);
    tl_model_free(fresh);
    tl_model_free(old);
}

static void given_a_failing_call_when_saving_then_the_old_file_stays(void **unused) {
    (void)unused;
    fail_each_call(&(writer){save, saved_weight});
}

static void given_interrupted_calls_when_saving_and_loading_then_complete(void **unused) {
    (void)unused;
    static const int kinds[] = {EINTR, SHORT};
    tl_model *fresh = make(2);
    for (int kind = OPEN; kind < OPERATIONS; kind++) {
        for (size_t i = 0; i < 2; i++) {
            size_t call = 0;
            do {
                tl_error error = {0};
                unlink(path);
                fail_at((operation)kind, ++call, kinds[i]);
                tl_model_save(fresh, path, NULL, &error);
                tl_model *loaded = tl_model_load(path, NULL, NULL, &error);
                fail_no_more();
                check_ok(&error);
                assert_int_equal(tl_model_seed(loaded), 2);
                tl_model_free(loaded);
            } while (calls[kind] >= call);
            assert_true(call > 1);
        }
    }
    tl_model_free(fresh);
}

static void given_a_read_that_fails_when_loading_then_an_error(void **unused) {
    (void)unused;
    static const struct {
        operation kind;
        const char *text;
    } cases[] = {{OPEN, "Input/output error"}, {READ, "cannot be read: Input/output error"}, {CLOSE, "cannot be closed: "}};
    tl_error error = {0};
    tl_model *fresh = make(2);
    tl_model_save(fresh, path, NULL, &error);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        fail_at(cases[i].kind, 1, EIO);
        assert_null(tl_model_load(path, NULL, NULL, &error));
        fail_no_more();
        check_error(&error, TL_ERROR_FILE, cases[i].text);
        error = (tl_error){0};
    }
    tl_model_free(fresh);
}

static void given_no_previous_file_when_saving_fails_then_there_is_none(void **unused) {
    (void)unused;
    tl_error error = {0};
    tl_model *fresh = make(2);
    unlink(path);
    fail_at(WRITE, 1, ENOSPC);
    tl_model_save(fresh, path, NULL, &error);
    fail_no_more();
    check_error(&error, TL_ERROR_FILE, "cannot be written: No space left on device; nothing was written");
    assert_int_equal(count_files(), 0);
    tl_model_free(fresh);
}

/* ---- weights for PyTorch ---- */

static void given_a_failing_call_when_exporting_then_the_old_file_stays(void **unused) {
    (void)unused;
    fail_each_call(&(writer){export, exported_weight});
    unlink(path);
}

static void given_a_failing_call_when_importing_then_the_model_unchanged(void **unused) {
    (void)unused;
    static const operation reading[] = {OPEN, READ, CLOSE};
    tl_error error = {0};
    tl_model *old = make(1), *fresh = make(2);
    const double before = first_weight(old);
    tl_weights_export(fresh, path, NULL, &error);
    check_ok(&error);
    for (size_t i = 0; i < sizeof reading / sizeof *reading; i++) {
        fail_at(reading[i], 1, EIO);
        tl_weights_import(old, path, NULL, &error);
        fail_no_more();
        check_error(&error, TL_ERROR_FILE, "Input/output error");
        check_number("the first weight", first_weight(old), before, 0, 0);
        error = (tl_error){0};
    }
    unlink(path);
    tl_model_free(fresh);
    tl_model_free(old);
}

static void given_interrupted_calls_when_exchanging_weights_then_complete(void **unused) {
    (void)unused;
    static const int kinds[] = {EINTR, SHORT};
    tl_model *fresh = make(2), *other = make(3);
    for (int kind = OPEN; kind < OPERATIONS; kind++) {
        for (size_t i = 0; i < 2; i++) {
            size_t call = 0;
            do {
                tl_error error = {0};
                fail_at((operation)kind, ++call, kinds[i]);
                tl_weights_export(fresh, path, NULL, &error);
                tl_weights_import(other, path, NULL, &error);
                fail_no_more();
                check_ok(&error);
                check_number("the first weight", first_weight(other), first_weight(fresh), 0, 0);
            } while (calls[kind] >= call);
            assert_true(call > 1);
        }
    }
    unlink(path);
    tl_model_free(other);
    tl_model_free(fresh);
}

/* ---- checkpoints ---- */

enum { SERIES = 12 };

static tl_real series[SERIES * 4];
static int32_t labels[SERIES] = {0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1, 2};
static const tl_dataset data = {.x = {.data = series, .rank = 3, .shape = {SERIES, 4, 1}}, .labels = labels, .classes = 3};

static tl_model *make_classifier(void) {
    tl_error error = {0};
    tl_model *m = tl_model_new(&(tl_model_cfg){.seed = 1, .threads = 1});
    const tl_node x = tl_input(m, (tl_shape){4, 1});
    tl_model_compile(m, tl_dense(m, tl_flatten(m, x), &(tl_dense_cfg){.units = 3}), &(tl_compile_cfg){.batch = 3}, &error);
    check_ok(&error);
    return m;
}

/* Trains with a checkpoint after each batch, from where the one before ended (`resume`); the sum of the parameters in the end. */
static double train(bool resume, tl_error *error) {
    double sum = 0;
    tl_model *model = make_classifier();
    const tl_fit_cfg cfg = {.restore_best = true, .checkpoint = path, .checkpoint_every = 1e-9, .resume = resume ? path : NULL};
    tl_fit(model, &data, &cfg, NULL, error);
    for (size_t i = 0; i < tl_parameter_arrays(model); i++) {
        const tl_parameter parameter = tl_parameter_at(model, i);
        for (size_t k = 0; k < tl_tensor_count(&parameter.value); k++) sum += (double)parameter.value.data[k];
    }
    tl_model_free(model);
    return sum;
}

static void given_a_failing_call_when_training_then_checkpoint_goes_on(void **unused) {
    (void)unused;
    static const operation kinds[] = {OPEN, WRITE, FSYNC, RENAME, CLOSE};
    fill_normal(series, SERIES * 4, 4);
    tl_error none = {0};
    const double whole = train(false, &none);
    check_ok(&none);
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
        for (size_t call = 1;; call++) {
            tl_error error = {0};
            unlink(path);
            fail_at(kinds[k], call, ENOSPC);
            train(false, &error);
            fail_no_more();
            remove_kept();
            if (calls[kinds[k]] < call) break;
            if (tl_failed(&error)) check_error(&error, TL_ERROR_FILE, "No space left on device");
            const bool begun = access(path, F_OK) == 0;
            error = (tl_error){0};
            check_number("the sum of parameters", train(begun, &error), whole, 0, 0);
            check_ok(&error);
            assert_int_equal(count_files(), 1);
        }
    }
    unlink(path);
}

static void given_a_failing_call_when_logging_then_training_goes_on(void **unused) {
    (void)unused;
    static const struct {
        operation kind;
        size_t call, lines; /* whole lines in the file then: a heading and one for each epoch */
    } cases[] = {{OPEN, 1, 0}, {WRITE, 1, 0}, {WRITE, 3, 2}, {CLOSE, 1, 4}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tl_error error = {0}, none = {0};
        tl_model *model = make_classifier();
        unlink(path);
        fail_at(cases[i].kind, cases[i].call, ENOSPC);
        tl_csv_log *log = tl_csv_log_new(path, false, &error);
        assert_int_equal(log == NULL, cases[i].call == 1 && cases[i].kind != CLOSE);
        tl_fit(model, &data, &(tl_fit_cfg){.epochs = 3, .callbacks = {{tl_csv_log_epoch, log}}}, NULL, &none);
        check_ok(&none);
        assert_true(tl_steps(model) == 3 * SERIES / 3);
        assert_int_equal(tl_failed(tl_csv_log_error(log)), cases[i].call == 3);
        tl_csv_log_close(log, &error);
        fail_no_more();
        check_error(&error, TL_ERROR_FILE, "model.safetensors: cannot be written: No space left on device");
        size_t lines = 0;
        FILE *file = fopen(path, "r");
        for (int c; file && (c = getc(file)) != EOF;) lines += c == '\n';
        if (file) fclose(file);
        assert_int_equal(lines, cases[i].lines);
        tl_model_free(model);
    }
    unlink(path);
}

/* ---- names ---- */

static void given_a_missing_folder_or_bad_name_then_refused_before_training(void **unused) {
    (void)unused;
    char pipe_path[80], dangling_path[80], long_path[400];
    snprintf(pipe_path, sizeof pipe_path, "%s/pipe", folder);
    snprintf(dangling_path, sizeof dangling_path, "%s/dangling", folder);
    snprintf(long_path, sizeof long_path, "%s/%0256d", folder, 0);
    assert_int_equal(mkfifo(pipe_path, 0600), 0);
    assert_int_equal(symlink("no-such-file", dangling_path), 0);
    const struct {
        const char *path, *text;
    } cases[] = {{"/tmp/tapline-no-such-folder/m", "cannot be written: No such file or directory"},
                 {"/tmp", "is a folder, not a file"},
                 {"/dev/null", "is a device, not a file"},
                 {pipe_path, "is a pipe, not a file"},
                 {dangling_path, "is a link to a file that does not exist"},
                 {long_path, "cannot be written: File name too long"},
                 {"", "is not the name of a file"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tl_error error = {0};
        tl_save_check(cases[i].path, &error);
        check_error(&error, TL_ERROR_FILE, cases[i].text);
        tl_error of_log = {0};
        tl_csv_log_check(cases[i].path, &of_log);
        assert_int_equal(of_log.status, TL_ERROR_FILE);
        tl_error of_opening = {0};
        assert_null(tl_csv_log_new(cases[i].path, false, &of_opening));
        assert_string_equal(of_opening.text, of_log.text);
    }
    unlink(pipe_path);
    unlink(dangling_path);
    tl_error error = {0};
    assert_int_equal(tl_save_check(path, &error), TL_OK);
    assert_int_equal(tl_csv_log_check(path, &error), TL_OK);
    assert_int_equal(count_files(), 0);
}

static void given_a_link_when_saved_then_the_file_behind_it_is_replaced(void **unused) {
    (void)unused;
    char link[80];
    struct stat about;
    tl_error error = {0};
    tl_model *old = make(1), *fresh = make(2);
    snprintf(link, sizeof link, "%s/link", folder);
    tl_model_save(old, path, NULL, &error);
    assert_int_equal(symlink("model.safetensors", link), 0);
    tl_model_save(fresh, link, NULL, &error);
    check_ok(&error);
    assert_true(lstat(link, &about) == 0 && S_ISLNK(about.st_mode));
    check_number("the first weight", saved_weight(), first_weight(fresh), 0, 0);
    unlink(link);
    tl_model_free(fresh);
    tl_model_free(old);
}

/* Somebody else's temporary file; `locked`: is still being written. */
static int make_temporary(const char *name, bool locked) {
    const int file = open(name, O_WRONLY | O_CREAT, 0600);
    assert_true(file >= 0);
    if (locked) assert_int_equal(flock(file, LOCK_EX), 0);
    return file;
}

static void given_temporary_files_when_saved_then_unused_ones_are_removed(void **unused) {
    (void)unused;
    static const char *const names[] = {"model.safetensors.tapline-00000001", "model.safetensors.tapline-1-0001",
                                        "model.safetensors.tapline-00000002", "other.safetensors.tapline-00000001"};
    char files[4][120];
    int numbers[4];
    tl_error error = {0};
    tl_model *fresh = make(2);
    for (int i = 0; i < 4; i++) {
        snprintf(files[i], sizeof *files, "%s/.%s.tmp", folder, names[i]);
        numbers[i] = make_temporary(files[i], i == 2);
    }
    tl_model_save(fresh, path, NULL, &error);
    check_ok(&error);
    for (int i = 0; i < 4; i++) assert_int_equal(access(files[i], F_OK) == 0, i >= 2);
    for (int i = 0; i < 4; i++) close(numbers[i]);
    tl_model_save(fresh, path, NULL, &error);
    check_ok(&error);
    assert_int_equal(access(files[2], F_OK), -1);
    unlink(files[3]);
    assert_int_equal(count_files(), 1);
    tl_model_free(fresh);
}

static void given_a_file_kept_after_a_failed_rename_when_saved_again_then_kept(void **unused) {
    (void)unused;
    tl_error error = {0}, none = {0};
    tl_model *old = make(1), *fresh = make(2);
    tl_model_save(old, path, NULL, &none);
    fail_at(RENAME, 1, EBUSY);
    tl_model_save(fresh, path, NULL, &error);
    fail_no_more();
    const char *kept = strstr(error.text, " are in ");
    assert_non_null(kept);
    kept += strlen(" are in ");
    tl_model_save(old, path, NULL, &none);
    tl_model *loaded = tl_model_load(kept, NULL, NULL, &none);
    check_ok(&none);
    check_number("the first weight", first_weight(loaded), first_weight(fresh), 0, 0);
    assert_true(remove_kept());
    tl_model_free(loaded);
    tl_model_free(fresh);
    tl_model_free(old);
}

static void given_a_mode_of_its_own_when_a_file_is_replaced_then_it_stays(void **unused) {
    (void)unused;
    static const mode_t modes[] = {0600, 0640, 0444, 0664};
    tl_error error = {0};
    tl_model *fresh = make(2);
    tl_model_save(fresh, path, NULL, &error);
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
        struct stat before, after;
        assert_int_equal(chmod(path, modes[i]), 0);
        assert_int_equal(stat(path, &before), 0);
        tl_model_save(fresh, path, NULL, &error);
        check_ok(&error);
        assert_int_equal(stat(path, &after), 0);
        assert_int_equal(after.st_mode, before.st_mode);
        assert_true(after.st_ino != before.st_ino);
    }
    tl_model_free(fresh);
}

static void given_more_bytes_than_the_disk_has_when_asked_beforehand_then_no_room(void **unused) {
    (void)unused;
    tl_error error = {0};
    tl_file_may_write(path, (size_t)1 << 60, &error);
    check_error(&error, TL_ERROR_FILE, "cannot be written: no room for 1152921504606846976 bytes");
}

static void given_a_name_of_255_bytes_when_written_then_its_temporary_file_is_cut(void **unused) {
    (void)unused;
    char name[400];
    tl_error error = {0};
    const int length = snprintf(name, sizeof name, "%s/", folder);
    memset(name + length, 'n', 255);
    name[length + 255] = '\0';
    tl_file_write(name, &(tl_piece){.data = "x", .size = 1}, 1, &error);
    check_ok(&error);
    assert_int_equal(unlink(name), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(given_a_failing_call_when_saving_then_the_old_file_stays),
        cmocka_unit_test(given_interrupted_calls_when_saving_and_loading_then_complete),
        cmocka_unit_test(given_a_read_that_fails_when_loading_then_an_error),
        cmocka_unit_test(given_no_previous_file_when_saving_fails_then_there_is_none),
        cmocka_unit_test(given_a_failing_call_when_exporting_then_the_old_file_stays),
        cmocka_unit_test(given_a_failing_call_when_importing_then_the_model_unchanged),
        cmocka_unit_test(given_interrupted_calls_when_exchanging_weights_then_complete),
        cmocka_unit_test(given_a_failing_call_when_training_then_checkpoint_goes_on),
        cmocka_unit_test(given_a_failing_call_when_logging_then_training_goes_on),
        cmocka_unit_test(given_a_missing_folder_or_bad_name_then_refused_before_training),
        cmocka_unit_test(given_a_link_when_saved_then_the_file_behind_it_is_replaced),
        cmocka_unit_test(given_temporary_files_when_saved_then_unused_ones_are_removed),
        cmocka_unit_test(given_a_file_kept_after_a_failed_rename_when_saved_again_then_kept),
        cmocka_unit_test(given_a_mode_of_its_own_when_a_file_is_replaced_then_it_stays),
        cmocka_unit_test(given_more_bytes_than_the_disk_has_when_asked_beforehand_then_no_room),
        cmocka_unit_test(given_a_name_of_255_bytes_when_written_then_its_temporary_file_is_cut),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down) != 0;
}
