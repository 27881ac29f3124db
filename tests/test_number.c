/* Numbers in texts: what strtod says, to the last bit. */
#include "check.h"

#include "io/number.h"

#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool read_text(const char *text, char point, double *value) {
    static locale_t locale;
    if (!locale) locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    return tl_number_read(text, text + strlen(text), point, locale, value);
}

static void check_as_strtod(const char *text) {
    double value = 0;
    if (!read_text(text, '.', &value)) fail_msg("\"%s\" is no number", text);
    const double expected = strtod(text, NULL);
    // NOLINTNEXTLINE(bugprone-suspicious-memory-comparison,cert-exp42-c,cert-flp37-c): bits are compared
    if (memcmp(&value, &expected, sizeof value) != 0) fail_msg("\"%s\" is %a, not %a", text, value, expected);
}

static void given_numbers_that_are_hard_to_round_when_read_then_as_strtod_says(void **unused) {
    (void)unused;
    static const char *const texts[] = {"0",
                                        "-0",
                                        "0.0e999",
                                        "1.",
                                        ".5",
                                        "+7",
                                        "00012",
                                        "9007199254740993",     /* half way between two doubles */
                                        "9007199254740992.999", /* a little less, and more */
                                        "9007199254740993.00000000000000000000000000000000000000000001",
                                        "1e22",
                                        "1e23",
                                        "9.779411554336547852e-01",
                                        "123456789012345678901234567890",
                                        "2.2250738585072011e-308", /* the largest that is not normal */
                                        "4.9e-324",
                                        "1e-400",
                                        "1.7976931348623157e308",
                                        "1e400",
                                        "8.5e-45",
                                        "0.000000000000000000000000000000000000000000000000001",
                                        "10000000000000000000000000000000000000000000000000000e-52",
                                        "4503599627370497.5",
                                        "4503599627370496.5"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) check_as_strtod(texts[i]);
}

static void given_random_numbers_when_read_then_as_strtod_says(void **unused) {
    (void)unused;
    tl_rng rng = tl_rng_at(11, TL_STREAM_USER, 0, 0);
    for (int i = 0; i < 200000; i++) {
        char text[60];
        const uint64_t bits = (uint64_t)tl_rng_below(&rng, UINT32_MAX) << 32 | tl_rng_below(&rng, UINT32_MAX);
        double any;
        memcpy(&any, &bits, sizeof any);
        if (!isfinite(any)) any = 1;
        const int digits = (int)tl_rng_below(&rng, 25);
        switch (i % 4) {
        case 0:
            snprintf(text, sizeof text, "%.*e", digits, any);
            break;
        case 1:
            snprintf(text, sizeof text, "%.*f", digits, (double)tl_rng_below(&rng, 2000000) / 977 - 1000);
            break;
        case 2:
            snprintf(text, sizeof text, "%llue%d", (unsigned long long)bits, (int)tl_rng_below(&rng, 120) - 70);
            break;
        default:
            snprintf(text, sizeof text, "-%u.%uE+%u", tl_rng_below(&rng, 1000), tl_rng_below(&rng, UINT32_MAX),
                     tl_rng_below(&rng, 30));
        }
        check_as_strtod(text);
    }
}

static void given_what_is_no_number_when_read_then_refused(void **unused) {
    (void)unused;
    static const char *const texts[] = {"",     "-",  "+",  ".",   "e5",  "1e",  "1e+", "1.2.3", "1,5",
                                        "0x10", "1 ", " 1", "--1", "nan", "inf", "1f",  "1_0"};
    double value;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (read_text(texts[i], '.', &value)) fail_msg("\"%s\" is a number", texts[i]);
}

static void given_a_decimal_comma_when_read_then_as_with_a_point(void **unused) {
    (void)unused;
    double value;
    assert_true(read_text("-1,25e2", ',', &value));
    check_number("short", value, -125, 0, 0);
    assert_true(read_text("0,1234567890123456789012345e-300", ',', &value));
    check_number("long", value, 0.1234567890123456789012345e-300, 0, 0);
    assert_false(read_text("1.5", ',', &value));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(given_numbers_that_are_hard_to_round_when_read_then_as_strtod_says),
        cmocka_unit_test(given_random_numbers_when_read_then_as_strtod_says),
        cmocka_unit_test(given_what_is_no_number_when_read_then_refused),
        cmocka_unit_test(given_a_decimal_comma_when_read_then_as_with_a_point),
    };
    return check_run(tests);
}
