/* The matrix product, of the BLAS and of our own kernels: exact on small integers, for each transposition, factor and distance of
 * rows.
 */
#include "check.h"
#include "compute/gemm.h"

#include <math.h>
#include <stdlib.h>

enum { CONFIGURATIONS = 200, LIMIT = 150, ADD = 3 /* elements behind each row, which belong to somebody else */ };

typedef struct matrix {
    size_t rows, columns; /* as it is stored */
    size_t stride;
    tl_real *data; /* an allocation of its own, for the sanitizers */
} matrix;

static size_t between(tl_rng *rng, size_t minimum, size_t maximum) {
    return minimum + tl_rng_below(rng, (uint32_t)(maximum - minimum + 1));
}

/* The last row has nothing behind it. */
static matrix matrix_of(size_t rows, size_t columns, uint32_t seed) {
    matrix made = {rows, columns, columns + ADD, malloc((rows * (columns + ADD) - ADD) * sizeof(tl_real))};
    assert_non_null(made.data);
    fill_integers(made.data, rows * made.stride - ADD, seed, 5);
    return made;
}

static double at(const matrix *m, tl_operand transpose, size_t row, size_t column) {
    return m->data[transpose == TL_OPERAND_TRANSPOSED ? column * m->stride + row : row * m->stride + column];
}

static void expect(const matrix *a, tl_operand ta, const matrix *b, tl_operand tb, size_t k, double alpha, double beta, matrix *c) {
    for (size_t i = 0; i < c->rows; i++)
        for (size_t j = 0; j < c->columns; j++) {
            tl_real *element = &c->data[i * c->stride + j];
            double sum = 0;
            for (size_t p = 0; p < k; p++) sum += at(a, ta, i, p) * at(b, tb, p, j);
            *element = (tl_real)(alpha * sum + (beta == 0 ? 0 : beta * *element));
        }
}

static void compare(tl_rng *rng, uint32_t seed) {
    const size_t m = between(rng, 1, LIMIT), n = between(rng, 1, LIMIT), k = between(rng, 1, 2 * LIMIT);
    const tl_operand ta = between(rng, 0, 1) ? TL_OPERAND_TRANSPOSED : TL_OPERAND_PLAIN,
                     tb = between(rng, 0, 1) ? TL_OPERAND_TRANSPOSED : TL_OPERAND_PLAIN;
    const double alpha = (double)between(rng, 1, 2), beta = (double)between(rng, 0, 2);
    matrix a = ta == TL_OPERAND_TRANSPOSED ? matrix_of(k, m, seed) : matrix_of(m, k, seed);
    matrix b = tb == TL_OPERAND_TRANSPOSED ? matrix_of(n, k, seed + 1) : matrix_of(k, n, seed + 1);
    matrix c = matrix_of(m, n, seed + 2), expected = matrix_of(m, n, seed + 2);
    expect(&a, ta, &b, tb, k, alpha, beta, &expected);
    for (size_t i = 0; beta == 0 && i < m; i++) c.data[i * c.stride] = (tl_real)NAN; /* is not read */
    tl_gemm(ta, tb, m, n, k, (tl_real)alpha, a.data, a.stride, b.data, b.stride, (tl_real)beta, c.data, c.stride);
    check_equal("product", c.data, expected.data, m * c.stride - ADD);
    free(a.data), free(b.data), free(c.data), free(expected.data);
}

static void given_integers_when_multiplied_then_exact(void **unused) {
    (void)unused;
    tl_rng rng = tl_rng_at(31, TL_STREAM_USER, 0, 0);
    for (uint32_t i = 0; i < CONFIGURATIONS; i++) compare(&rng, 3 * i);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(given_integers_when_multiplied_then_exact)};
    return check_run(tests);
}
