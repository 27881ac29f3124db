/* The products of dense layers and of convolutions in place, by every instruction set: exact on small integers, and of a row the
 * same bits whatever the other rows are.
 */
#include "check.h"
#include "compute/product.h"
#include "kernel_tables.h"

#include <stdlib.h>
#include <string.h>

enum { CONFIGURATIONS = 150, MAX_ROWS = 40, MAX_INNER = 90, MAX_WIDTH = 90, SCRATCH = 1 << 14 };

static size_t between(tl_rng *rng, size_t minimum, size_t maximum) {
    return minimum + tl_rng_below(rng, (uint32_t)(maximum - minimum + 1));
}

typedef struct example {
    size_t rows, inner, width;
    bool has_bias;
    tl_real *x, *weight, *bias, *y, *expected; /* each an allocation of its own, for the sanitizers */
} example;

static tl_real *numbers(size_t count) {
    tl_real *memory = malloc(count * sizeof *memory);
    assert_non_null(memory);
    return memory;
}

static example example_of(tl_rng *rng) {
    example e = {.rows = between(rng, 1, MAX_ROWS),
                 .inner = between(rng, 1, MAX_INNER),
                 .width = between(rng, 1, between(rng, 0, 1) ? 6 : MAX_WIDTH),
                 .has_bias = between(rng, 0, 1)};
    e.x = numbers(e.rows * e.inner);
    e.weight = numbers(e.inner * e.width);
    e.bias = numbers(e.width);
    e.y = numbers(e.rows * e.width);
    e.expected = numbers(e.rows * e.width);
    return e;
}

static void release(example *e) {
    free(e->x);
    free(e->weight);
    free(e->bias);
    free(e->y);
    free(e->expected);
}

static void multiply(const example *e, const tl_kernels *kernels, tl_real *y, size_t first, size_t rows) {
    static tl_real scratch[SCRATCH];
    assert_true(tl_factor_scratch(e->inner, e->width) <= SCRATCH);
    const tl_factor factor = tl_factor_of(kernels, e->weight, e->inner, e->width, e->has_bias ? e->bias : NULL, scratch);
    for (size_t block = 0; block < tl_factor_blocks(&factor); block++)
        tl_factor_multiply(
            &factor, block,
            &(tl_factor_rows){.x = e->x + first * e->inner, .row_stride = e->inner, .rows = rows, .y = y, .y_stride = e->width});
}

static void expect(const example *e) {
    for (size_t row = 0; row < e->rows; row++)
        for (size_t o = 0; o < e->width; o++) {
            tl_real sum = e->has_bias ? e->bias[o] : 0;
            for (size_t i = 0; i < e->inner; i++) sum += e->x[row * e->inner + i] * e->weight[i * e->width + o];
            e->expected[row * e->width + o] = sum;
        }
}

static void given_integers_when_multiplied_then_exact(void **unused) {
    (void)unused;
    const tl_kernels *tables[3];
    const size_t count = tables_here(tables);
    tl_rng rng = tl_rng_at(21, TL_STREAM_USER, 0, 0);
    for (uint32_t i = 0; i < CONFIGURATIONS; i++) {
        example e = example_of(&rng);
        fill_integers(e.x, e.rows * e.inner, i, 9);
        fill_integers(e.weight, e.inner * e.width, i + 1, 9);
        fill_integers(e.bias, e.width, i + 2, 9);
        expect(&e);
        for (size_t k = 0; k < count; k++) {
            multiply(&e, tables[k], e.y, 0, e.rows);
            check_equal(tables[k]->isa, e.y, e.expected, e.rows * e.width);
        }
        release(&e);
    }
}

static void given_one_row_of_several_when_multiplied_then_the_same_bits(void **unused) {
    (void)unused;
    const tl_kernels *tables[3];
    const size_t count = tables_here(tables);
    tl_rng rng = tl_rng_at(22, TL_STREAM_USER, 0, 0);
    for (uint32_t i = 0; i < CONFIGURATIONS; i++) {
        example e = example_of(&rng);
        fill_normal(e.x, e.rows * e.inner, i);
        fill_normal(e.weight, e.inner * e.width, i + 1);
        fill_normal(e.bias, e.width, i + 2);
        for (size_t k = 0; k < count; k++) {
            multiply(&e, tables[k], e.expected, 0, e.rows);
            for (size_t row = 0; row < e.rows; row++) multiply(&e, tables[k], e.y + row * e.width, row, 1);
            if (memcmp(e.y, e.expected, e.rows * e.width * sizeof *e.y) != 0)
                fail_msg("%s: (%zu, %zu) · (%zu, %zu): rows one by one are other bits", tables[k]->isa, e.rows, e.inner, e.inner,
                         e.width);
        }
        release(&e);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(given_integers_when_multiplied_then_exact),
        cmocka_unit_test(given_one_row_of_several_when_multiplied_then_the_same_bits),
    };
    return check_run(tests);
}
