/* Arrays from an allocator of the program's: all of them, each given back once. One program, since it is set once a process. */
#include "check.h"

#include <tapline/machine.h>

#include <stdlib.h>
#include <string.h>

/* ---- an allocator that counts ---- */

enum { MARK = 0x7A91 };

typedef struct counts {
    size_t arrays, bytes, released;
    bool refuses;
} counts;

/* In front of each array: where its memory began. */
typedef struct front {
    void *memory;
    size_t mark;
} front;

static void *count_allocate(size_t bytes, size_t alignment, void *user) {
    counts *self = user;
    if (self->refuses) return NULL;
    char *memory = malloc(bytes + alignment + sizeof(front));
    if (!memory) return NULL;
    const uintptr_t first = (uintptr_t)memory + sizeof(front), aligned = (first + alignment - 1) / alignment * alignment;
    char *array = memory + (aligned - (uintptr_t)memory);
    const front before = {.memory = memory, .mark = MARK};
    memcpy(array - sizeof before, &before, sizeof before);
#pragma omp atomic
    self->arrays++;
#pragma omp atomic
    self->bytes += bytes;
    return array;
}

static void count_release(void *memory, void *user) {
    counts *self = user;
    front before;
    memcpy(&before, (char *)memory - sizeof before, sizeof before);
    if (before.mark != MARK) abort(); /* it is not one of ours */
    memset((char *)memory - sizeof before, 0, sizeof before);
#pragma omp atomic
    self->released++;
    free(before.memory);
}

static counts counted;

static void given_half_an_allocator_when_set_then_refused(void **unused) {
    (void)unused;
    tl_error error = {0}, other = {0};
    assert_int_equal(tl_set_allocator(&(tl_allocator){.release = count_release}, &error), TL_ERROR_ARGUMENT);
    check_error(&error, TL_ERROR_ARGUMENT, "allocator: allocate is NULL");
    assert_int_equal(tl_set_allocator(&(tl_allocator){.allocate = count_allocate}, &other), TL_ERROR_ARGUMENT);
    check_error(&other, TL_ERROR_ARGUMENT, "allocator: release is NULL");
}

static void given_an_allocator_when_set_in_time_then_taken(void **unused) {
    (void)unused;
    tl_error error = {0};
    tl_set_allocator(NULL, &error);
    tl_set_allocator(&(tl_allocator){.allocate = count_allocate, .release = count_release, .user = &counted}, &error);
    check_ok(&error);
}

/* Reads, scales, divides, trains, streams, saves and loads. */
static void use_everything(void) {
    tl_error error = {0};
    size_t size = 0, known;
    tl_real y[64];
    tl_dataset *data = tl_dataset_read("builtin:cbf", &(tl_read_cfg){.normalize = TL_NORMALIZE_SET}, &error), *rest, *held_out;
    tl_dataset_fold(data, 3, 0, 1, &rest, &held_out, &error);
    tl_model *model = tl_model_new(&(tl_model_cfg){.threads = 2});
    tl_node x = tl_input(model, (tl_shape){.length = data->x.shape[1], .channels = 1});
    x = tl_relu(model, tl_batch_norm(model, tl_conv1d(model, x, &(tl_conv1d_cfg){.filters = 8, .kernel = 3}), NULL));
    x = tl_dense(model, tl_global_average_pool(model, x), &(tl_dense_cfg){.units = 3});
    tl_model_compile(model, x, &(tl_compile_cfg){.batch = 8}, &error);
    tl_fit(model, rest, &(tl_fit_cfg){.epochs = 2, .validation = held_out, .restore_best = true, .augment.mixup = 0.2}, NULL,
           &error);
    void *bytes = tl_model_write(model, &size, &(tl_save_cfg){.data = rest}, &error);
    tl_model_info info = {0};
    tl_model *again = tl_model_parse(bytes, size, NULL, &info, &error);
    tl_stream *stream = tl_stream_new(again, NULL, &error);
    known = tl_stream_push(stream, data->x.data, 16, y, 16);
    check_ok(&error);
    assert_true(known > 0);
    tl_stream_free(stream);
    tl_model_info_release(&info);
    free(bytes);
    tl_model_free(again);
    tl_model_free(model);
    tl_dataset_free(rest);
    tl_dataset_free(held_out);
    tl_dataset_free(data);
}

static void given_an_allocator_when_used_then_all_comes_back(void **unused) {
    (void)unused;
    use_everything();
    assert_true(counted.arrays > 20 && counted.bytes > 100000);
    assert_int_equal(counted.released, counted.arrays);
}

static void given_no_memory_when_used_then_an_error(void **unused) {
    (void)unused;
    tl_error error = {0};
    counted.refuses = true;
    assert_null(tl_dataset_read("builtin:cbf", NULL, &error));
    check_error(&error, TL_ERROR_MEMORY, "out of memory");
    counted.refuses = false;
}

static void given_arrays_when_an_allocator_is_set_then_it_is_too_late(void **unused) {
    (void)unused;
    tl_error error = {0};
    assert_int_equal(tl_set_allocator(NULL, &error), TL_ERROR_STATE);
    check_error(&error, TL_ERROR_STATE, "allocator: arrays were allocated already; set it before the first model or data set");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(given_half_an_allocator_when_set_then_refused),
        cmocka_unit_test(given_an_allocator_when_set_in_time_then_taken),
        cmocka_unit_test(given_an_allocator_when_used_then_all_comes_back),
        cmocka_unit_test(given_no_memory_when_used_then_an_error),
        cmocka_unit_test(given_arrays_when_an_allocator_is_set_then_it_is_too_late),
    };
    return check_run(tests);
}
