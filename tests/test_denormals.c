/* Denormal numbers count as zero during a pass, and keep their values outside of it. */
#include "check.h"

#include "compute/parallel.h"

#include <float.h>

static tl_real halved(tl_real x) {
    const volatile tl_real half = (tl_real)0.5, value = x;
    return half * value;
}

static void given_the_smallest_normal_number_when_halved_then_zero(void **unused) {
    (void)unused;
#if !defined(__SSE2__) && !defined(__aarch64__)
    skip();
#endif
    const tl_real minimum = sizeof(tl_real) == sizeof(float) ? (tl_real)FLT_MIN : (tl_real)DBL_MIN;
    assert_true(halved(minimum) > 0);
    const unsigned before = tl_denormals_off();
    const tl_real during = halved(minimum);
    tl_denormals_restore(before);
    assert_true(during == 0);
    assert_true(halved(minimum) > 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(given_the_smallest_normal_number_when_halved_then_zero),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
