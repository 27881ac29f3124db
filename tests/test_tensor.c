#include "check.h"

static void given_a_shape_when_made_then_zero_filled_and_aligned(void **unused) {
    (void)unused;
    tl_error error = {0};
    tl_tensor tensor = tl_tensor_new(3, (size_t[]){2, 3, 4}, &error);
    check_ok(&error);
    assert_int_equal(tl_tensor_count(&tensor), 24);
    assert_int_equal((uintptr_t)tensor.data % 64, 0);
    for (size_t i = 0; i < 24; i++) check_number("element", (double)tensor.data[i], 0, 0, 0);
    tl_tensor_free(&tensor);
    assert_null(tensor.data);
    tl_tensor_free(NULL);
}

static void given_sizes_that_overflow_when_made_then_refused(void **unused) {
    (void)unused;
    tl_error error = {0};
    const tl_tensor wrapped = tl_tensor_new(3, (size_t[]){SIZE_MAX / 2, 3, 1}, &error);
    assert_null(wrapped.data);
    check_error(&error, TL_ERROR_SHAPE, "the number of elements overflows at axis 1 (3)");
    error = (tl_error){0};
    assert_null(tl_tensor_new(1, (size_t[]){SIZE_MAX / 2}, &error).data);
    check_error(&error, TL_ERROR_SHAPE, "are more than memory can address");
    error = (tl_error){0};
    assert_null(tl_tensor_new(2, (size_t[]){4, 0}, &error).data);
    check_error(&error, TL_ERROR_SHAPE, "axis 1 has no elements");
    error = (tl_error){0};
    assert_null(tl_tensor_new(5, (size_t[]){1, 1, 1, 1, 1}, &error).data);
    check_error(&error, TL_ERROR_SHAPE, "rank 5 is outside 1");
}

static void given_a_set_error_when_called_then_the_first_message_stays(void **unused) {
    (void)unused;
    tl_error error = {0};
    tl_fail(&error, TL_ERROR_FILE, "first");
    assert_null(tl_tensor_new(1, (size_t[]){3}, &error).data);
    check_error(&error, TL_ERROR_FILE, "first");
    assert_int_equal(tl_fail(NULL, TL_ERROR_STATE, "lost"), TL_ERROR_STATE);
}

static void given_control_characters_when_failing_then_one_plain_line(void **unused) {
    (void)unused;
    tl_error error = {0};
    tl_fail(&error, TL_ERROR_FORMAT, "got \"%s\"", "a\nb\x1B[2Jc\x7F µ");
    check_error(&error, TL_ERROR_FORMAT, "got \"a?b?[2Jc? µ\"");
}

static void given_a_slice_when_read_then_it_views_the_entries(void **unused) {
    (void)unused;
    const tl_real data[] = {0, 1, 2, 3, 4, 5, 6, 7};
    const tl_tensor tensor = TL_VIEW(data, 4, 2), slice = tl_tensor_slice(&tensor, 1, 2);
    assert_int_equal(slice.shape[0], 2);
    check_equal("slice", slice.data, (const tl_real[]){2, 3, 4, 5}, 4);
    assert_false(tl_tensor_same_shape(&tensor, &slice));
}

static void given_two_matrices_when_multiplied_then_product_or_shapes_named(void **unused) {
    (void)unused;
    tl_error error = {0};
    const tl_real a[] = {1, 2, 3, 4, 5, 6}, b[] = {1, 0, 2, 1, 0, 3};
    tl_real c[4];
    const tl_tensor ta = TL_VIEW(a, 2, 3), tb = TL_VIEW(b, 3, 2);
    tl_tensor tc = TL_VIEW(c, 2, 2);
    tl_tensor_matmul(&ta, &tb, &tc, &error);
    check_ok(&error);
    check_equal("product", c, (const tl_real[]){5, 11, 14, 23}, 4);
    tl_tensor_matmul(&ta, &ta, &tc, &error);
    check_error(&error, TL_ERROR_SHAPE, "(2, 3) · (2, 3) does not give (2, 2)");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(given_a_shape_when_made_then_zero_filled_and_aligned),
        cmocka_unit_test(given_sizes_that_overflow_when_made_then_refused),
        cmocka_unit_test(given_a_set_error_when_called_then_the_first_message_stays),
        cmocka_unit_test(given_control_characters_when_failing_then_one_plain_line),
        cmocka_unit_test(given_a_slice_when_read_then_it_views_the_entries),
        cmocka_unit_test(given_two_matrices_when_multiplied_then_product_or_shapes_named),
    };
    return check_run(tests);
}
