/* Threads and processes of the program that uses the library: two threads on one model, and children of a fork. */
#include "check.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { BATCH = 16, LENGTH = 256, CHANNELS = 8, CLASSES = 3 };

static tl_real values[BATCH * LENGTH * CHANNELS];
static int32_t labels[BATCH];
static tl_dataset data;

static void make_data(void) {
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) values[i] = (tl_real)((double)(i * 7919 % 1000) / 500 - 1);
    for (int i = 0; i < BATCH; i++) labels[i] = i % CLASSES;
    data = (tl_dataset){.x = TL_VIEW(values, BATCH, LENGTH, CHANNELS), .labels = labels, .classes = CLASSES};
}

static tl_model *make_model(int threads) {
    tl_error error = {0};
    tl_model *model = tl_model_new(&(tl_model_cfg){.threads = threads});
    tl_node x = tl_input(model, (tl_shape){LENGTH, CHANNELS});
    x = tl_relu(model, tl_conv1d(model, x, &(tl_conv1d_cfg){.filters = 64, .kernel = 8, .padding = TL_PADDING_SAME}));
    x = tl_dense(model, tl_global_average_pool(model, x), &(tl_dense_cfg){.units = CLASSES});
    tl_model_compile(model, x, &(tl_compile_cfg){.batch = BATCH}, &error);
    check_ok(&error);
    return model;
}

/* ---- two threads, one model ---- */

/* A thread that waits within a callback of its training until the other one has called. */
typedef struct meeting {
    tl_model *model;
    tl_error error; /* of the training */
    atomic_bool inside, go_on;
} meeting;

static bool wait_inside(const tl_progress *progress, void *user) {
    meeting *self = user;
    (void)progress;
    atomic_store(&self->inside, true);
    while (!atomic_load(&self->go_on)) usleep(100);
    return true;
}

static void *train(void *user) {
    meeting *self = user;
    tl_fit(self->model, &data, &(tl_fit_cfg){.callbacks = {{wait_inside, self}}}, NULL, &self->error);
    return NULL;
}

/* Calls `intrude` while another thread trains the model. */
static void meet(meeting *self, void (*intrude)(meeting *self)) {
    pthread_t thread;
    self->model = make_model(1);
    assert_int_equal(pthread_create(&thread, NULL, train, self), 0);
    while (!atomic_load(&self->inside)) usleep(100);
    intrude(self);
    atomic_store(&self->go_on, true);
    pthread_join(thread, NULL);
    check_ok(&self->error);
}

static const char expected[] = "two threads use the model at the same time; give each thread its own model";

static void intrude_with_errors(meeting *self) {
    tl_error error = {0};
    tl_real room[BATCH * CLASSES];
    tl_tensor y = TL_VIEW(room, BATCH, 1, CLASSES);
    tl_predict(self->model, &data.x, NULL, &y, &error), check_error(&error, TL_ERROR_STATE, expected);
    error = (tl_error){0};
    tl_fit(self->model, &data, NULL, NULL, &error), check_error(&error, TL_ERROR_STATE, expected);
    error = (tl_error){0};
    tl_step(self->model, &error), check_error(&error, TL_ERROR_STATE, expected);
}

static void intrude_silently(meeting *self) {
    tl_forward(self->model, &data.x, TL_MODE_INFERENCE);
    tl_backward(self->model);
}

static void given_a_model_in_training_when_another_thread_calls_then_refused(void **unused) {
    (void)unused;
    meeting self = {0};
    meet(&self, intrude_with_errors);
    check_ok(tl_model_error(self.model));
    tl_model_free(self.model);
}

static void given_a_call_from_another_thread_then_the_model_has_an_error(void **unused) {
    (void)unused;
    meeting self = {0};
    meet(&self, intrude_silently);
    check_error(tl_model_error(self.model), TL_ERROR_STATE, expected);
    tl_model_clear_error(self.model);
    tl_forward(self.model, &data.x, TL_MODE_INFERENCE);
    check_ok(tl_model_error(self.model));
    tl_model_free(self.model);
}

/* ---- forks ---- */

/* Whether a child of the process predicts the same bits with `model`, or with a new one where that is NULL, within ten seconds. */
static bool child_predicts(tl_model *model, const tl_real *expected_y) {
    const pid_t child = fork();
    int status = 1;
    if (child == 0) {
        tl_real room[BATCH * CLASSES];
        tl_tensor y = TL_VIEW(room, BATCH, 1, CLASSES);
        tl_error error = {0};
        alarm(10); /* where it would wait for ever */
        tl_predict(model ? model : make_model(2), &data.x, NULL, &y, &error);
        // NOLINTNEXTLINE(bugprone-suspicious-memory-comparison,cert-exp42-c,cert-flp37-c): bits are compared
        _exit(tl_failed(&error) || memcmp(room, expected_y, sizeof room) != 0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static void given_a_fork_after_threads_ran_when_the_child_predicts_then_it_ends(void **unused) {
    (void)unused;
    tl_error error = {0};
    tl_real room[BATCH * CLASSES];
    tl_tensor y = TL_VIEW(room, BATCH, 1, CLASSES);
    tl_model *model = make_model(2);
    tl_predict(model, &data.x, NULL, &y, &error);
    check_ok(&error);
    assert_true(child_predicts(model, room));
    assert_true(child_predicts(NULL, room)); /* a model that it makes itself */
    tl_model_free(model);
}

int main(void) {
    make_data();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(given_a_fork_after_threads_ran_when_the_child_predicts_then_it_ends),
        cmocka_unit_test(given_a_model_in_training_when_another_thread_calls_then_refused),
        cmocka_unit_test(given_a_call_from_another_thread_then_the_model_has_an_error),
    };
    return check_run(tests);
}
