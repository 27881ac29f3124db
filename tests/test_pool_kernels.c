/* Pooling by every instruction set that this processor runs, against the definition. */
#include "kernel_tables.h"

static const tl_real untouched = 77;

enum { POOL_ROWS = 11, POOL_CHANNELS = 37, POOL_COUNT = POOL_ROWS * POOL_CHANNELS };

/* One input or output sample of each kind; one element more, which must stay. */
typedef struct pool_arrays {
    tl_real x[POOL_COUNT], dy[POOL_COUNT], y[POOL_COUNT + 1], dx[POOL_COUNT + 1];
    double expected_y[POOL_COUNT], expected_dx[POOL_COUNT];
} pool_arrays;

/* The definition; no two numbers are equal. */
static void pool_by_definition(const tl_pool_rows *p, bool maximum, pool_arrays *a) {
    for (size_t i = 0; i < POOL_COUNT; i++) a->expected_dx[i] = 0;
    for (size_t o = 0; o < p->out_length * p->channels; o++) {
        const size_t t = o / p->channels, c = o % p->channels, begin = t * p->stride;
        const size_t first = begin > p->pad_left ? begin - p->pad_left : 0, end = begin + p->taps - p->pad_left;
        const size_t last = end < p->length ? end : p->length;
        size_t winner = first;
        double sum = 0;
        for (size_t i = first; i < last; i++) {
            if (a->x[i * p->channels + c] > a->x[winner * p->channels + c]) winner = i;
            sum += (double)a->x[i * p->channels + c];
            if (!maximum) a->expected_dx[i * p->channels + c] += (double)a->dy[o] / (double)(last - first);
        }
        if (maximum) a->expected_dx[winner * p->channels + c] += (double)a->dy[o];
        a->expected_y[o] = maximum ? (double)a->x[winner * p->channels + c] : sum / (double)(last - first);
    }
}

/* Adds to a dx of ones. */
static void check_added(const tl_pool_rows *p, const tl_pooling *pooling, pool_arrays *a) {
    double bound[POOL_COUNT];
    tl_pool_rows adding = *p;
    for (size_t i = 0; i < POOL_COUNT; i++) bound[i] = 32 * unit;
    for (size_t i = 0; i < p->length * p->channels; i++) {
        a->dx[i] = 1;
        a->expected_dx[i] += 1;
    }
    adding.adds = true;
    pooling->backward(&adding);
    check_within("pool, added dx", a->dx, a->expected_dx, bound, p->length * p->channels);
}

static void check_pooling(const tl_pool_rows *p, const tl_pooling *pooling, bool maximum, pool_arrays *a) {
    double bound[POOL_COUNT];
    for (size_t i = 0; i < POOL_COUNT; i++) bound[i] = 32 * unit;
    a->y[p->out_length * p->channels] = a->dx[p->length * p->channels] = untouched;
    pool_by_definition(p, maximum, a);
    pooling->forward(p);
    check_within("pool, y", a->y, a->expected_y, bound, p->out_length * p->channels);
    pooling->backward(p);
    check_within("pool, dx", a->dx, a->expected_dx, bound, p->length * p->channels);
    if (maximum) check_added(p, pooling, a);
    assert_true(a->y[p->out_length * p->channels] == untouched && a->dx[p->length * p->channels] == untouched);
}

/* Windows that overlap, touch, or leave inputs out; channels that fill no vector, some, or parts of the next. */
static void given_any_window_when_pooled_then_as_the_definition(void **unused) {
    (void)unused;
    static const size_t channels[] = {1, 2, 3, 6, 8, 12, 16, 17, 32, POOL_CHANNELS};
    static pool_arrays a;
    const tl_kernels *tables[3];
    const size_t tables_count = tables_here(tables);
    fill_normal(a.x, POOL_COUNT, 13);
    fill_normal(a.dy, POOL_COUNT, 14);
    for (size_t t = 0; t < tables_count; t++)
        for (size_t i = 0; i < sizeof channels / sizeof *channels; i++)
            for (size_t taps = 1; taps <= 4; taps++)
                for (size_t stride = 1; stride <= 5; stride++)
                    for (size_t pad = 0; pad < taps; pad++) {
                        const tl_pool_rows rows = {.length = POOL_ROWS,
                                                   .out_length = (POOL_ROWS + pad - taps) / stride + 1,
                                                   .channels = channels[i],
                                                   .taps = taps,
                                                   .stride = stride,
                                                   .pad_left = pad,
                                                   .x = a.x,
                                                   .y = a.y,
                                                   .dy = a.dy,
                                                   .dx = a.dx};
                        check_pooling(&rows, tables[t]->max_pool, true, &a);
                        check_pooling(&rows, tables[t]->average_pool, false, &a);
                    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(given_any_window_when_pooled_then_as_the_definition),
    };
    return check_run(tests);
}
