/* What a push does not do: ask for memory, free it, take a lock, call the system. Allocations go through this program (--wrap); run
 * with the argument "trace", it pushes between two calls of getppid, for a tracer of system calls to find nothing between them.
 */
#include "check.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static size_t calls;

// NOLINTBEGIN(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp): the linker's names
void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *memory, size_t size);
void *__real_aligned_alloc(size_t alignment, size_t size);
void __real_free(void *memory);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *memory, size_t size);
void *__wrap_aligned_alloc(size_t alignment, size_t size);
void __wrap_free(void *memory);
int __wrap_pthread_mutex_lock(void *mutex);

void *__wrap_malloc(size_t size) { return calls++, __real_malloc(size); }
void *__wrap_calloc(size_t count, size_t size) { return calls++, __real_calloc(count, size); }
void *__wrap_realloc(void *memory, size_t size) { return calls++, __real_realloc(memory, size); }
void *__wrap_aligned_alloc(size_t alignment, size_t size) { return calls++, __real_aligned_alloc(alignment, size); }
void __wrap_free(void *memory) { calls++, __real_free(memory); }
int __wrap_pthread_mutex_lock(void *mutex) { return calls++, (void)mutex, 0; }
// NOLINTEND(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp)

/* Every kind of node: branches, strides, more steps, pools, norms, layers that run as they are. */
static tl_model *make_model(void) {
    tl_error error = {0};
    tl_model *model = tl_model_new(&(tl_model_cfg){.threads = 4});
    tl_node x = tl_input(model, (tl_shape){600, 2});
    x = tl_relu(model,
                tl_conv1d(model, x, &(tl_conv1d_cfg){.filters = 16, .kernel = 5, .dilation = 3, .padding = TL_PADDING_SAME}));
    const tl_node branch = tl_tanh(model, tl_layer_norm(model, x, NULL));
    x = tl_batch_norm(model, tl_add(model, (const tl_node[]){x, branch}, 2), NULL);
    x = tl_max_pool(model, x, &(tl_pool_cfg){.window = 3, .padding = TL_PADDING_SAME});
    x = tl_conv1d_transpose(model, x, &(tl_conv1d_transpose_cfg){.filters = 8, .kernel = 4, .stride = 2});
    x = tl_upsample(model, tl_fixed_filters(model, x), &(tl_upsample_cfg){.factor = 3, .linear = true});
    x = tl_conv1d(model, x, &(tl_conv1d_cfg){.filters = 17, .kernel = 2, .groups = 17});
    x = tl_concat(model, (const tl_node[]){tl_global_average_pool(model, x), tl_global_max_pool(model, x)}, 2);
    x = tl_softmax(model, tl_dense(model, x, &(tl_dense_cfg){.units = 3}));
    tl_model_compile(model, x, &(tl_compile_cfg){.batch = 1, .inference_only = true, .loss = TL_LOSS_SQUARED_ERROR}, &error);
    check_ok(&error);
    return model;
}

enum { STEPS = 600, BLOCK = 50, OUTPUTS = 4 * STEPS };

static tl_real x[STEPS * 2], y[OUTPUTS * 3];

/* One by one, then in pushes longer than a block; returns the outputs. */
static size_t push_all(tl_stream *stream) {
    size_t outputs = 0, step = 0;
    for (; step < STEPS / 2; step++) outputs += tl_stream_push(stream, x + 2 * step, 1, y, OUTPUTS);
    for (; step < STEPS; step += 3 * BLOCK) outputs += tl_stream_push(stream, x + 2 * step, 3 * BLOCK, y, OUTPUTS);
    return outputs + tl_stream_end(stream, y, OUTPUTS);
}

static void given_a_stream_when_pushed_then_nothing_is_allocated_or_locked(void **unused) {
    (void)unused;
    tl_error error = {0};
    tl_model *model = make_model();
    tl_stream *stream = tl_stream_new(model, &(tl_stream_cfg){.block = BLOCK}, &error);
    check_ok(&error);
    fill_normal(x, STEPS * 2, 1);
    const size_t before = calls, outputs = push_all(stream);
    assert_int_equal(calls, before);
    assert_true(outputs > STEPS);
    assert_true(tl_stream_memory(stream) > 0);
    tl_stream_free(stream);
    tl_model_free(model);
    assert_true(calls > before); /* they are counted */
}

static int trace(void) {
    tl_model *model = make_model();
    tl_stream *stream = tl_stream_new(model, &(tl_stream_cfg){.block = BLOCK}, NULL);
    push_all(stream); /* its pages are there then */
    tl_stream_reset(stream);
    getppid();
    const size_t outputs = push_all(stream);
    getppid();
    tl_stream_free(stream);
    tl_model_free(model);
    return outputs > STEPS ? 0 : 1;
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(given_a_stream_when_pushed_then_nothing_is_allocated_or_locked)};
    return argc > 1 && strcmp(argv[1], "trace") == 0 ? trace() : check_run(tests);
}
