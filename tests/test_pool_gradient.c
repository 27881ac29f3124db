/* The gradient of max pools, exactly: small integers have equal maxima, of which the first one gets the gradient. */
#include "check.h"

#include <math.h>

enum { BATCH = 3 };

typedef struct pool_case {
    size_t length, channels, pad_left, pad_right;
    bool twice; /* a second pool reads the same input, and adds its gradient */
} pool_case;

/* Adds to dx what the definition gives. */
static void expect_gradient(const pool_case *of, const tl_real *x, const tl_real *dy, size_t length, size_t out_length,
                            tl_real *dx) {
    for (size_t c = 0; c < of->channels; c++)
        for (size_t t = 0; t < out_length; t++) {
            const size_t begin = t > of->pad_left ? t - of->pad_left : 0, reach = t + 3 - of->pad_left;
            const size_t end = reach < length ? reach : length;
            size_t best = begin;
            bool nan = false;
            for (size_t i = begin; i < end; i++) {
                nan = nan || isnan((double)x[i * of->channels + c]);
                if (x[i * of->channels + c] > x[best * of->channels + c]) best = i;
            }
            if (!nan) dx[best * of->channels + c] += dy[t * of->channels + c];
        }
}

typedef struct arrays {
    tl_tensor x, dy, expected;
    size_t out_length;
} arrays;

static tl_model *make_model(const pool_case *of) {
    tl_error error = {0};
    tl_model *model = tl_model_new(&(tl_model_cfg){.threads = 1});
    const tl_pool_cfg cfg = {
        .window = 3, .stride = 1, .padding = TL_PADDING_EXPLICIT, .pad_left = of->pad_left, .pad_right = of->pad_right};
    const tl_node x = tl_input(model, (tl_shape){.length = of->length, .channels = of->channels});
    tl_node y = tl_max_pool(model, x, &cfg);
    if (of->twice) y = tl_add(model, (const tl_node[]){y, tl_max_pool(model, x, &cfg)}, 2);
    tl_model_compile(model, y, &(tl_compile_cfg){.batch = BATCH, .loss = TL_LOSS_SQUARED_ERROR, .input_gradient = true}, &error);
    check_ok(&error);
    return model;
}

static arrays make_arrays(const pool_case *of, uint32_t seed) {
    tl_error error = {0};
    arrays a = {.out_length = of->length + of->pad_left + of->pad_right - 2};
    a.x = tl_tensor_new(3, (const size_t[]){BATCH, of->length, of->channels}, &error);
    a.expected = tl_tensor_new(3, (const size_t[]){BATCH, of->length, of->channels}, &error);
    a.dy = tl_tensor_new(3, (const size_t[]){BATCH, a.out_length, of->channels}, &error);
    check_ok(&error);
    fill_integers(a.x.data, tl_tensor_count(&a.x), seed, 2);
    fill_integers(a.dy.data, tl_tensor_count(&a.dy), seed + 1, 5);
    return a;
}

static void check_gradient(const pool_case *of, const arrays *a) {
    tl_model *model = make_model(of);
    for (int i = 0; i <= of->twice; i++)
        for (size_t n = 0; n < BATCH; n++) {
            const size_t at = n * of->length * of->channels;
            expect_gradient(of, a->x.data + at, a->dy.data + n * a->out_length * of->channels, of->length, a->out_length,
                            a->expected.data + at);
        }
    tl_forward(model, &a->x, TL_MODE_TRAINING);
    tl_backward_from(model, &a->dy);
    check_equal("dx", tl_input_gradient(model).data, a->expected.data, tl_tensor_count(&a->expected));
    tl_model_free(model);
}

static void free_arrays(arrays *a) {
    tl_tensor_free(&a->x);
    tl_tensor_free(&a->dy);
    tl_tensor_free(&a->expected);
}

static void given_windows_of_three_when_run_back_then_the_first_maximum_gets_all(void **unused) {
    (void)unused;
    uint32_t seed = 1;
    for (size_t length = 3; length <= 9; length += 2)
        for (size_t channels = 1; channels <= 35; channels += 17)
            for (size_t pad = 0; pad < 9; pad++) {
                const pool_case of = {
                    .length = length, .channels = channels, .pad_left = pad / 3, .pad_right = pad % 3, .twice = seed % 2};
                arrays a = make_arrays(&of, seed++);
                check_gradient(&of, &a);
                free_arrays(&a);
            }
}

static void given_nan_when_run_backward_then_its_windows_give_nothing(void **unused) {
    (void)unused;
    for (size_t at = 0; at < 8; at++) {
        const pool_case of = {.length = 8, .channels = 16, .pad_left = 1, .pad_right = 1};
        arrays a = make_arrays(&of, 100);
        a.x.data[at * of.channels + at] = NAN;
        check_gradient(&of, &a);
        free_arrays(&a);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(given_windows_of_three_when_run_back_then_the_first_maximum_gets_all),
        cmocka_unit_test(given_nan_when_run_backward_then_its_windows_give_nothing),
    };
    return check_run(tests);
}
