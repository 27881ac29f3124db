/* The CRC-32 of archives. */
#include "check.h"
#include "io/crc.h"

#include <zlib.h>

static void given_any_bytes_when_summed_in_two_parts_then_as_zlib(void **unused) {
    (void)unused;
    enum { SIZE = 1100 };
    unsigned char bytes[SIZE];
    tl_rng rng = tl_rng_at(3, TL_STREAM_USER, 0, 0);
    for (size_t i = 0; i < SIZE; i++) bytes[i] = (unsigned char)tl_rng_below(&rng, 256);
    for (size_t begin = 0; begin < 17; begin++)
        for (size_t end = begin; end < SIZE; end += 1 + end / 40) {
            const size_t middle = begin + (end - begin) / 3;
            const uint32_t first = tl_crc_of(0, bytes + begin, middle - begin);
            const uint32_t actual = tl_crc_of(first, bytes + middle, end - middle);
            const uint32_t expected = (uint32_t)crc32(0, bytes + begin, (uInt)(end - begin));
            if (actual != expected) fail_msg("of bytes %zu to %zu: %08x, expected %08x", begin, end, actual, expected);
        }
}

static void given_the_check_string_when_summed_then_the_published_number(void **unused) {
    (void)unused;
    assert_int_equal(tl_crc_of(0, "123456789", 9), 0xCBF43926);
    assert_int_equal(tl_crc_of(0, NULL, 0), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(given_any_bytes_when_summed_in_two_parts_then_as_zlib),
        cmocka_unit_test(given_the_check_string_when_summed_then_the_published_number),
    };
    return check_run(tests);
}
