/* check.h: the comparisons of the tests. A failure prints what was compared, where the first difference is and how large it is.
 *
 * NaN is close to nothing, not even to NaN; infinity is only close to the same infinity. (cmocka's own comparisons of floats accept
 * both, so they are not used.)
 */
#ifndef CHECK_H
#define CHECK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <tapline/tapline.h>

/* |actual - expected| ≤ absolute + relative·|expected| for each of `count` elements. */
void check_close(const char *what, const tl_real *actual, const tl_real *expected, size_t count, double relative, double absolute);

/* |actual[i] - expected[i]| ≤ bound[i] for each of `count` elements; `expected` and `bound` in double. */
void check_within(const char *what, const tl_real *actual, const double *expected, const double *bound, size_t count);

/* Every element must be equal as a number, without a tolerance. */
void check_equal(const char *what, const tl_real *actual, const tl_real *expected, size_t count);

/* The same for one number. */
void check_number(const char *what, double actual, double expected, double relative, double absolute);

/* Two models must have the same parameters and states, up to what check_close allows; 0 and 0: exactly. */
void check_parameters(const tl_model *actual, const tl_model *expected, double relative, double absolute);

/* The error must have this status, and its text must contain `text`. */
void check_error(const tl_error *error, tl_status status, const char *text);

/* There must be no error; otherwise fails and prints its text. */
void check_ok(const tl_error *error);

/* One or more layers that tl_model_compile refuses. */
typedef struct check_refusal {
    tl_node (*build)(tl_model *model, tl_node x);
    tl_status status;
    const char *text;
} check_refusal;

/* Each must be refused, for inputs of this shape, with its status and a text that contains its own. */
void check_refused_layers(const check_refusal *refusals, size_t count, tl_shape shape);

/* Standard normal numbers, or integers in -limit … limit, from (seed, what): the same in each run. */
void fill_normal(tl_real *x, size_t count, uint32_t seed);
void fill_integers(tl_real *x, size_t count, uint32_t seed, int limit);

/* Returns the path of a file of real data (folder TAPLINE_DATA, by default ../shared/data beside the sources), such as
 * "GunPoint/GunPoint_TRAIN.ts"; skips the test if it does not exist. Static storage. */
const char *data_path(const char *name);

/* Runs a group and returns the exit code: 0, or 1 if any test failed. */
#define check_run(tests) (cmocka_run_group_tests((tests), NULL, NULL) != 0)

#endif
