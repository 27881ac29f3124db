/* The time of saving a model, compared with the time of the disk for as many bytes; and of loading it, compared with making it.
 * Runs in the current folder, whose disk matters: label "slow", because other users of the disk disturb it. */
#include "check.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { ROUNDS = 41 };

static const char path[] = "slow_files.safetensors", plain[] = "slow_files.bytes";

static double now(void) {
    struct timespec time;
    assert_int_equal(clock_gettime(CLOCK_MONOTONIC, &time), 0);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static int by_size(const void *a, const void *b) {
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *seconds) {
    qsort(seconds, ROUNDS, sizeof *seconds, by_size);
    return seconds[ROUNDS / 2];
}

/* One write of so many bytes, and one fsync. */
static void write_plainly(const char *bytes, size_t count) {
    const int file = open(plain, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(file >= 0);
    assert_int_equal(write(file, bytes, count), count);
    assert_int_equal(fsync(file), 0);
    close(file);
}

/* As published: 265 thousand parameters. */
static tl_model *new_fcn(void) {
    tl_error error = {0};
    tl_model *model = tl_model_new(&(tl_model_cfg){.seed = 1, .threads = 1});
    tl_model_compile(model, tl_fcn(model, tl_input(model, (tl_shape){150, 1}), 2), &(tl_compile_cfg){.batch = 16}, &error);
    check_ok(&error);
    return model;
}

static void given_an_fcn_when_saved_and_loaded_then_within_twice_the_least(void **unused) {
    (void)unused;
    tl_error error = {0};
    tl_model *model = new_fcn();
    tl_model_info info;
    const tl_load_cfg same = {.threads = 1, .compile.batch = 16};
    double saving[ROUNDS], writing[ROUNDS], loading[ROUNDS], making[ROUNDS];
    tl_model_save(model, path, NULL, &error);
    tl_model_free(tl_model_load(path, NULL, &info, &error));
    check_ok(&error);
    char *bytes = calloc(info.bytes, 1);
    assert_non_null(bytes);
    for (int i = 0; i < ROUNDS; i++) {
        const double begin = now();
        write_plainly(bytes, info.bytes);
        const double written = now();
        tl_model_save(model, path, NULL, &error);
        const double saved = now();
        tl_model_free(tl_model_load(path, &same, NULL, &error));
        const double loaded = now();
        tl_model_free(new_fcn());
        making[i] = now() - loaded;
        loading[i] = loaded - saved;
        saving[i] = saved - written;
        writing[i] = written - begin;
    }
    check_ok(&error);
    const double save = median(saving), plainly = median(writing), load = median(loading), make = median(making);
    print_message(
        "%zu bytes: saved in %.2f ms, written and synced in %.2f ms (%.2f times), loaded in %.2f ms, made in %.2f ms (%.2f "
        "times)\n",
        info.bytes, 1e3 * save, 1e3 * plainly, save / plainly, 1e3 * load, 1e3 * make, load / make);
    assert_true(save <= 2 * plainly);
    assert_true(load <= 2 * make);
    free(bytes);
    tl_model_info_release(&info);
    tl_model_free(model);
    remove(path);
    remove(plain);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(given_an_fcn_when_saved_and_loaded_then_within_twice_the_least),
    };
    return check_run(tests);
}
