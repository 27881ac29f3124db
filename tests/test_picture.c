/* Axes, texts and curves of pictures. */
#include "check.h"
#include "markup.h"

#include "picture/chart.h"
#include "picture/page.h"
#include "picture/terminal.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- axes ---- */

/* The labels of all ticks, separated by blanks. */
static void labels_of(const scale *self, char *text, size_t size) {
    double at[SCALE_TICKS];
    size_t used = 0;
    const size_t count = scale_ticks(self, at);
    *text = '\0';
    for (size_t i = 0; i < count; i++) {
        char one[SCALE_LABEL];
        scale_label(self, at[i], one);
        used += (size_t)snprintf(text + used, size - used, "%s%s", i ? " " : "", one);
    }
}

static void given_ranges_when_scaled_then_ticks_are_round(void **unused) {
    (void)unused;
    static const struct {
        double minimum, maximum;
        bool logarithmic, round;
        const char *labels;
    } cases[] = {
        {0.13, 0.87, false, true, "0 0.2 0.4 0.6 0.8 1.0"},
        {-3.2, 9.4, false, true, "-5 0 5 10"},
        {1, 60, false, false, "20 40 60"},
        {12345, 67890, false, true, "0 20000 40000 60000 80000"},
        {1e-5, 3e-5, false, true, "1e-5 1.5e-5 2e-5 2.5e-5 3e-5"},
        {2e7, 9e7, false, true, "2e7 4e7 6e7 8e7 1e8"},
        {3e-4, 1.2, true, true, "0.001 0.01 0.1 1"},
        {0.3, 8, true, true, "0.2 0.5 1 2 5 10"},
        {1e-12, 1, true, true, "1e-12 1e-10 1e-8 1e-6 0.0001 0.01 1"},
        {0, 100, true, true, "0 20 40 60 80 100"}, /* a logarithm needs positive numbers */
        {7, 7, false, true, "6.0 6.5 7.0 7.5 8.0"},
        {0, 0, false, true, "-1.0 -0.5 0 0.5 1.0"},
        {INFINITY, -INFINITY, false, true, "0 0.2 0.4 0.6 0.8 1.0"},
        {-INFINITY, NAN, true, true, "0 0.2 0.4 0.6 0.8 1.0"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char labels[400];
        const scale of = scale_make(cases[i].minimum, cases[i].maximum, 5, cases[i].logarithmic, cases[i].round);
        labels_of(&of, labels, sizeof labels);
        if (strcmp(labels, cases[i].labels) != 0)
            fail_msg("%g … %g: expected %s, got %s", cases[i].minimum, cases[i].maximum, cases[i].labels, labels);
    }
}

static void given_any_range_when_scaled_then_it_contains_it(void **unused) {
    (void)unused;
    tl_rng rng = tl_rng_at(1, TL_STREAM_USER, 0, 0);
    for (int i = 0; i < 20000; i++) {
        const double a = tl_rng_normal(&rng) * pow(10, 12 * tl_rng_normal(&rng));
        const double b = i % 3 ? a * (1 + tl_rng_normal(&rng)) : tl_rng_normal(&rng);
        const double minimum = fmin(a, b), maximum = fmax(a, b), margin = 1e-6;
        const scale of = scale_make(minimum, maximum, (size_t)(2 + i % 7), i % 2, true);
        double at[SCALE_TICKS];
        const size_t ticks = scale_ticks(&of, at);
        if (ticks < 2 || ticks >= SCALE_TICKS || scale_place(&of, minimum) < -margin || scale_place(&of, maximum) > 1 + margin)
            fail_msg("%.17g … %.17g: %zu ticks from %g to %g", minimum, maximum, ticks, of.from, of.to);
        for (size_t t = 0; t + 1 < ticks; t++) assert_true(at[t] < at[t + 1]);
    }
}

/* ---- texts ---- */

static void given_any_text_when_escaped_then_it_is_only_text(void **unused) {
    (void)unused;
    static const struct {
        const char *plain;
        size_t characters;
        const char *escaped;
    } cases[] = {
        {"<script>alert('1')</script> & \"x\"", 0, "&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt; &amp; &quot;x&quot;"},
        {"Zylinder mäßig €😀", 0, "Zylinder mäßig €😀"},
        {"bell\x1b[31m\n\x7f\xC2\x85", 0, "bell\\x1b[31m\\x0a\\x7f\\x85"},
        {"\xFF\xC0\x80\xED\xA0\x80\xF8", 0, "�������"},
        {"a\xE2\x80\xAE" // NOLINT(misc-misleading-bidirectional): it is the test
         "b\xEF\xBF\xBE",
         0, "a�b�"},
        {"cut \xE2\x82", 0, "cut ��"},
        {"abcdef", 4, "ab…f"},
        {"äöüß", 4, "äöüß"},
        {"<<<<<", 3, "&lt;…&lt;"},
        {"", 0, ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        markup to = {0};
        markup_add(&to, "%s", "");
        markup_escaped(&to, cases[i].plain, cases[i].characters);
        if (strcmp(to.text, cases[i].escaped) != 0) fail_msg("expected %s, got %s", cases[i].escaped, to.text);
        markup_release(&to);
    }
}

static void given_random_bytes_when_escaped_then_the_page_stays_whole(void **unused) {
    (void)unused;
    tl_rng rng = tl_rng_at(2, TL_STREAM_USER, 0, 0);
    for (int i = 0; i < 300; i++) {
        char plain[60] = "";
        for (size_t k = 0; k + 1 < sizeof plain; k++) plain[k] = (char)(1 + tl_rng_below(&rng, 255));
        markup to = {0};
        page_begin(&to, plain, i % 2);
        markup_escaped(&to, plain, (size_t)(i % 20));
        page_end(&to);
        check_markup("page", to.text);
        markup_release(&to);
    }
}

/* ---- charts ---- */

enum { POINTS = 100000 };

static void given_many_points_when_drawn_then_thinned_with_extremes_kept(void **unused) {
    (void)unused;
    double *y = calloc(POINTS, sizeof *y);
    assert_non_null(y);
    for (int i = 0; i < POINTS; i++) y[i] = sin(i * 0.01);
    y[43210] = 9; /* a single peak, and a gap */
    y[50000] = NAN;
    const chart_curve one = {.name = "<b>", .y = y, .count = POINTS};
    const chart of = {.title = "a & b", .x_label = "step", .curves = &one, .count = 1, .width = 400, .height = 200};
    markup to = {0};
    scale x, scale_y;
    chart_scales(&of, &x, &scale_y);
    chart_svg(&of, &to);
    check_markup("chart", to.text);
    assert_true(to.count < 20000);
    assert_int_equal(count_in(to.text, "&lt;b&gt;"), 1);
    char peak[40]; /* at the top of the chart: its axis ends at 10 */
    const double top = chart_head(&of) + 8, bottom = of.height - 38;
    snprintf(peak, sizeof peak, " %.1f", bottom - (bottom - top) * scale_place(&scale_y, 9));
    if (!strstr(to.text, peak)) fail_msg("the peak at%s is not in the picture", peak);
    const char *line = strstr(strstr(to.text, "&lt;b&gt;"), "class=\"line k0\" d=\"");
    char path[20000];
    snprintf(path, sizeof path, "%.*s", (int)strcspn(line, ">"), line);
    assert_int_equal(count_in(path, "M"), 2); /* the parts before and after the gap */
    markup_release(&to);
    free(y);
}

static void given_nothing_finite_when_drawn_then_empty_axes(void **unused) {
    (void)unused;
    const double y[] = {NAN, INFINITY, -INFINITY};
    static const curve_kind kinds[] = {CURVE_LINE, CURVE_DASHED, CURVE_FAINT, CURVE_BAND, CURVE_DOTS};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        const chart_curve one = {.y = y, .low = y, .count = 3, .kind = kinds[i]};
        const chart of = {.curves = &one, .count = 1, .width = 300, .height = 150};
        markup to = {0};
        chart_svg(&of, &to);
        check_markup("chart", to.text);
        assert_null(strstr(to.text, "nan"));
        assert_null(strstr(to.text, "inf"));
        markup_release(&to);
    }
}

/* ---- the terminal ---- */

static char *printed(const chart *of, const terminal *kind) {
    char *text = NULL;
    size_t size;
    FILE *to = open_memstream(&text, &size);
    assert_non_null(to);
    assert_true(terminal_chart(of, kind, 6, to));
    fclose(to);
    return text;
}

static void given_terminals_when_drawn_then_it_fits_and_is_readable(void **unused) {
    (void)unused;
    double up[50], down[50];
    for (int i = 0; i < 50; i++) up[i] = i, down[i] = 49 - i;
    const chart_curve curves[] = {{.name = "up", .y = up, .count = 50}, {.name = "down", .y = down, .count = 50, .colour = 1}};
    const chart of = {.title = "two", .x_label = "step", .curves = curves, .count = 2};
    for (size_t columns = 30; columns < 200; columns += 17)
        for (int i = 0; i < 4; i++) {
            const terminal kind = {.columns = columns, .unicode = i & 1, .colours = i & 2};
            char *text = printed(&of, &kind);
            for (const char *line = text; *line && !kind.colours; line += strcspn(line, "\n") + 1) {
                char one[2000];
                snprintf(one, sizeof one, "%.*s", (int)strcspn(line, "\n"), line);
                if (markup_length(one) > columns) fail_msg("%zu columns: \"%s\"", columns, one);
            }
            for (const char *at = text; *at && i == 0; at++) assert_true((unsigned char)*at < 0x80);
            assert_int_equal(strstr(text, "\033[") != NULL, kind.colours);
            assert_int_equal(strstr(text, "⠀") == NULL && strstr(text, "\xE2\xA0") != NULL, i == 3); /* braille */
            free(text);
        }
}

static void given_a_rising_line_when_drawn_in_ascii_then_it_rises(void **unused) {
    (void)unused;
    const double y[] = {0, 1, 2, 3, 4, 5};
    const chart_curve one = {.y = y, .count = 6};
    const scale x = scale_make(0, 5, 5, false, false), scale_y = scale_make(0, 5, 5, false, false);
    const terminal kind = {.columns = 80};
    char *text = NULL;
    size_t size;
    canvas on;
    assert_true(canvas_make(&on, 6, 6, false));
    canvas_curve(&on, &one, &x, &scale_y);
    FILE *to = open_memstream(&text, &size);
    for (size_t row = 0; row < 6; row++) canvas_print(&on, row, &kind, to), fputc('\n', to);
    fclose(to);
    for (int row = 0; row < 6; row++) assert_int_equal(text[7 * row + 5 - row], '*');
    canvas_free(&on);
    free(text);
}

static void given_few_epochs_when_drawn_then_ticks_are_whole(void **unused) {
    (void)unused;
    static const struct {
        double x[4];
        size_t ticks;
    } cases[] = {{{1, 2, 3, 3}, 3}, {{1, 1, 1, 1}, 1}, {{0, 1, 2, 4}, 5}, {{0, 0.5, 1, 2}, 5}, {{1, 2, 30, 70}, 7}};
    const double y[4] = {0};
    double at[SCALE_TICKS];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const chart_curve curve = {.x = cases[i].x, .y = y, .count = 4};
        const chart of = {.curves = &curve, .count = 1, .width = 400, .height = 200};
        scale along, up;
        chart_scales(&of, &along, &up);
        assert_int_equal(scale_ticks(&along, at), cases[i].ticks);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(given_ranges_when_scaled_then_ticks_are_round),
        cmocka_unit_test(given_any_range_when_scaled_then_it_contains_it),
        cmocka_unit_test(given_any_text_when_escaped_then_it_is_only_text),
        cmocka_unit_test(given_random_bytes_when_escaped_then_the_page_stays_whole),
        cmocka_unit_test(given_many_points_when_drawn_then_thinned_with_extremes_kept),
        cmocka_unit_test(given_nothing_finite_when_drawn_then_empty_axes),
        cmocka_unit_test(given_terminals_when_drawn_then_it_fits_and_is_readable),
        cmocka_unit_test(given_few_epochs_when_drawn_then_ticks_are_whole),
        cmocka_unit_test(given_a_rising_line_when_drawn_in_ascii_then_it_rises),
    };
    return check_run(tests);
}
