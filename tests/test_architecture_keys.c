/* Bad values for every setting of every kind of layer, taken from the registry and its tables: a new layer is tested automatically,
 * once its required settings are in the table below. */
#include "check.h"
#include "layers/registry.h"

#include <stdio.h>
#include <string.h>

/* The required settings of layers. */
static const struct {
    const char *type, *settings;
} needed[] = {
    {"conv1d", "\"filters\": 2, \"kernel\": 3"},
    {"conv1d_transpose", "\"filters\": 2, \"kernel\": 3"},
    {"dense", "\"units\": 2"},
    {"max_pool", "\"window\": 2"},
    {"average_pool", "\"window\": 2"},
    {"upsample", "\"factor\": 2"},
    {"embedding", "\"vocabulary\": 5, \"units\": 2"},
    {"group_norm", "\"groups\": 1"},
    {"dropout", "\"rate\": 0.5"},
};

enum { TEXT = 600 };

static const char *needed_by(const char *type) {
    for (size_t i = 0; i < sizeof needed / sizeof *needed; i++)
        if (strcmp(needed[i].type, type) == 0) return needed[i].settings;
    return "";
}

/* A network of one layer with these settings, on series of one channel. */
static void compile_layer(const tl_layer_ops *ops, const char *settings, tl_error *error) {
    char text[TEXT];
    const char *inputs = ops->multiple_inputs ? ", \"inputs\": [\"input\", \"input\"]" : "";
    snprintf(text, sizeof text, "{\"layers\": [{\"type\": \"%s\"%s%s%s}]}", ops->name, inputs, *settings ? ", " : "", settings);
    *error = (tl_error){0};
    tl_model *model = tl_model_new(&(tl_model_cfg){.threads = 1});
    const tl_node x = tl_input(model, (tl_shape){.length = 40, .channels = 1});
    tl_model_compile(model, tl_architecture_from_json(model, x, text, NULL), NULL, error);
    tl_model_free(model);
}

/* The setting replaces its own value, or is added to the required ones. */
static void compile_with(const tl_layer_ops *ops, const char *key, const char *value, tl_error *error) {
    char settings[TEXT] = "", quoted[60];
    const char *rest = needed_by(ops->name);
    snprintf(quoted, sizeof quoted, "\"%s\"", key);
    while (*rest) { /* the required ones, without this one */
        const size_t length = strcspn(rest, ","), used = strlen(settings);
        if (strncmp(rest, quoted, strlen(quoted)) != 0) snprintf(settings + used, TEXT - used, "%.*s, ", (int)length, rest);
        rest += length;
        rest += strspn(rest, ", ");
    }
    const size_t used = strlen(settings);
    if (value)
        snprintf(settings + used, TEXT - used, "%s: %s", quoted, value);
    else
        settings[used > 2 ? used - 2 : 0] = '\0';
    compile_layer(ops, settings, error);
}

static void check_refused(const tl_layer_ops *ops, const char *key, const char *value, const char *expected) {
    tl_error error;
    char text[TEXT];
    compile_with(ops, key, value, &error);
    snprintf(text, sizeof text, "architecture: layers[0] (%s): key \"%s\" %.400s", ops->name, key, expected);
    if (error.status != TL_ERROR_FORMAT || strncmp(error.text, text, strlen(text)) != 0)
        fail_msg("%s, %s: %s: expected \"%s\", got \"%s\"", ops->name, key, value, text, error.text);
}

typedef void (*check_setting)(const tl_layer_ops *ops, const tl_setting *setting);

static void for_each_setting(check_setting check) {
    for (const tl_layer_ops *const *ops = tl_layer_registry; *ops; ops++)
        for (const tl_setting *setting = (*ops)->settings; setting && setting->name; setting++)
            if (*ops != &tl_input_layer_ops) check(*ops, setting);
}

static void swap_letters(char *at) {
    const char first = at[0];
    at[0] = at[1];
    at[1] = first;
}

/* ---- keys ---- */

/* The message about an unknown key lists all keys. */
static void check_listed(const tl_layer_ops *ops) {
    tl_error error;
    compile_with(ops, "nonsense", "1", &error);
    for (const tl_setting *setting = ops->settings; setting && setting->name; setting++)
        if (!strstr(error.text, setting->name)) fail_msg("%s: %s is not in \"%s\"", ops->name, setting->name, error.text);
}

static void given_what_each_layer_needs_when_compiled_then_accepted(void **unused) {
    (void)unused;
    for (const tl_layer_ops *const *ops = tl_layer_registry; *ops; ops++) {
        tl_error error;
        if (*ops == &tl_input_layer_ops) continue;
        compile_layer(*ops, needed_by((*ops)->name), &error);
        if (tl_failed(&error)) fail_msg("%s is needed here with valid settings: %s", (*ops)->name, error.text);
        check_refused(*ops, "nonsense", "1", (*ops)->settings ? "is unknown; keys: " : "is unknown; keys: none");
        check_listed(*ops);
    }
}

static void misspell(const tl_layer_ops *ops, const tl_setting *setting) {
    char key[60], expected[120], settings[TEXT];
    tl_error error;
    snprintf(key, sizeof key, "%s", setting->name);
    swap_letters(key);
    snprintf(expected, sizeof expected, "is unknown; did you mean \"%s\"?", setting->name);
    check_refused(ops, key, "1", expected);
    snprintf(settings, sizeof settings, "\"%s\": 1, \"%s\": 1", setting->name, setting->name);
    compile_layer(ops, settings, &error);
    check_error(&error, TL_ERROR_FORMAT, "architecture:1:");
    check_error(&error, TL_ERROR_FORMAT, "duplicate object key");
}

static void given_a_key_that_is_misspelt_or_there_twice_when_read_then_said(void **unused) {
    (void)unused;
    for_each_setting(misspell);
}

/* ---- kinds of values ---- */

static void refuse(const tl_layer_ops *ops, const tl_setting *setting, const char *const *values, const char *should) {
    char expected[TEXT];
    for (; *values; values++) {
        snprintf(expected, sizeof expected, "is %s; it should be %.300s", *values, should);
        check_refused(ops, setting->name, *values, expected);
    }
}

static void refuse_words(const tl_layer_ops *ops, const tl_setting *setting) {
    char list[300] = "one of ", word[60], expected[120];
    for (size_t i = 0; setting->choice(i); i++) {
        const size_t used = strlen(list);
        snprintf(list + used, sizeof list - used, "%s\"%s\"",
                 i == 0                   ? ""
                 : setting->choice(i + 1) ? ", "
                                          : " and ",
                 setting->choice(i));
    }
    refuse(ops, setting, (const char *const[]){"1", "true", "null", "[]", "\"elephants\"", "\"\"", NULL}, list);
    for (size_t i = 0; setting->choice(i); i++) {
        snprintf(word, sizeof word, "\"%s\"", setting->choice(i));
        swap_letters(word + 1);
        if (strncmp(word + 1, setting->choice(i), 2) == 0) continue;
        snprintf(expected, sizeof expected, "is %s, which is unknown; did you mean \"%s\"?", word, setting->choice(i));
        check_refused(ops, setting->name, word, expected);
    }
}

static void refuse_other_kinds(const tl_layer_ops *ops, const tl_setting *setting) {
    static const char *const no_integers[] = {"\"wide\"", "\"outputs\"", "1.5", "3.0", "true", "null", "[3]", "{}", NULL};
    static const char *const no_numbers[] = {"\"half\"", "\"0.5\"", "\"outputs\"", "true", "null", "[0.5]", "{}", NULL};
    static const char *const no_flags[] = {"0", "1", "\"true\"", "null", "[]", "{}", NULL};
    static const char *const large[] = {"2147483648", "-2147483649", "9223372036854775807", NULL};
    switch (setting->kind) {
    case TL_SETTING_INTEGER:
        refuse(ops, setting, no_integers, "a whole number");
        refuse(ops, setting, large, "from -2147483648 to 2147483647");
        return;
    case TL_SETTING_SIZE:
        refuse(ops, setting, no_integers, "a whole number of at least 0");
        refuse(ops, setting, (const char *const[]){"-1", NULL}, "a whole number of at least 0");
        return;
    case TL_SETTING_NUMBER:
        refuse(ops, setting, no_numbers, "a number");
        return;
    case TL_SETTING_FLAG:
    case TL_SETTING_UNLESS:
        refuse(ops, setting, no_flags, "true or false");
        return;
    case TL_SETTING_CHOICE:
        refuse_words(ops, setting);
        return;
    }
    fail_msg("%s, %s: of a kind that this test does not know: %d", ops->name, setting->name, (int)setting->kind);
}

static void given_values_of_another_kind_when_read_then_what_is_expected(void **unused) {
    (void)unused;
    for_each_setting(refuse_other_kinds);
}

/* ---- ranges ---- */

/* Compiling fails for the value, which the layer's message names, as the setting. */
static void check_out_of_range(const tl_layer_ops *ops, const tl_setting *setting, const char *value, const char *shown) {
    static const char *const other[][2] = {{"pad_left", "left padding"}, {"pad_right", "right padding"}};
    tl_error error;
    char start[100], words[60];
    snprintf(words, sizeof words, "%s", setting->name);
    for (size_t i = 0; i < sizeof other / sizeof *other; i++)
        if (strcmp(setting->name, other[i][0]) == 0) snprintf(words, sizeof words, "%s", other[i][1]);
    for (char *c = words; (c = strchr(c, '_'));) *c = ' ';
    compile_with(ops, setting->name, value, &error);
    snprintf(start, sizeof start, "layer 1 (%s): %s %s is ", ops->name, words, shown);
    if (strncmp(error.text, start, strlen(start)) != 0)
        fail_msg("%s, %s: %s: expected \"%s…\", got \"%s\"", ops->name, setting->name, value, start, error.text);
}

static void exceed(const tl_layer_ops *ops, const tl_setting *setting) {
    if (setting->kind != TL_SETTING_NUMBER) return;
    if (strcmp(ops->name, "affine") != 0) check_out_of_range(ops, setting, "-1", "-1");
    check_out_of_range(ops, setting, "1e300", "1e+300");
}

static void given_values_out_of_range_when_compiled_then_they_are_named(void **unused) {
    (void)unused;
    for_each_setting(exceed);
}

static void leave_out(const tl_layer_ops *ops, const tl_setting *setting) {
    tl_error error;
    char quoted[60], start[100];
    snprintf(quoted, sizeof quoted, "\"%s\"", setting->name);
    if (!strstr(needed_by(ops->name), quoted)) return;
    compile_with(ops, setting->name, NULL, &error);
    snprintf(start, sizeof start, "layer 1 (%s): %s 0 is ", ops->name, setting->name);
    if (strncmp(error.text, start, strlen(start)) != 0)
        fail_msg("%s without %s: expected \"%s…\", got \"%s\"", ops->name, setting->name, start, error.text);
}

static void given_a_layer_without_what_it_needs_when_compiled_then_it_says_what(void **unused) {
    (void)unused;
    for_each_setting(leave_out);
}

/* ---- the documentation ---- */

/* Each kind of layer has a line of the table in docs/architectures.md, which names its settings. */
static void given_the_registry_when_compared_with_docs_then_all_listed(void **unused) {
    (void)unused;
    static char text[1 << 16];
    FILE *file = fopen(EXAMPLES "/../docs/architectures.md", "r");
    assert_non_null(file);
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    fclose(file);
    for (const tl_layer_ops *const *ops = tl_layer_registry; *ops; ops++) {
        char word[60], line[1000] = "";
        if (*ops == &tl_input_layer_ops) continue;
        snprintf(word, sizeof word, "`%s`", (*ops)->name);
        for (const char *at = text; (at = strstr(at, "\n| `")) && !*line; at++) {
            snprintf(line, sizeof line, "%.*s", (int)strcspn(at + 1, "\n"), at + 1);
            const char *kinds_end = strstr(line, " | "), *found = strstr(line, word);
            if (!found || found > kinds_end) *line = '\0';
        }
        if (!*line) fail_msg("docs/architectures.md has no line for %s", (*ops)->name);
        for (const tl_setting *setting = (*ops)->settings; setting && setting->name; setting++) {
            snprintf(word, sizeof word, "`%s`", setting->name);
            if (!strstr(line, word)) fail_msg("docs/architectures.md does not name %s of %s", setting->name, (*ops)->name);
        }
    }
    for (size_t i = 0; tl_init_name((tl_init)i); i++) {
        char word[60];
        snprintf(word, sizeof word, "`%s`", tl_init_name((tl_init)i));
        if (!strstr(text, word)) fail_msg("docs/architectures.md does not name %s", tl_init_name((tl_init)i));
    }
}

/* Files of earlier versions use other names. */
static void given_retired_names_when_compiled_then_their_present_meaning(void **unused) {
    (void)unused;
    tl_error error;
    const tl_layer_ops *fixed = tl_layer_ops_by_name("fixed_filters");
    assert_ptr_equal(fixed, &tl_fixed_filters_layer_ops);
    compile_layer(&tl_dense_layer_ops, "\"units\": 2, \"init\": \"quarters\"", &error);
    assert_string_equal(error.text, "");
    compile_layer(&tl_dense_layer_ops, "\"units\": 2, \"init\": \"constant\"", &error);
    assert_string_equal(error.text, "");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(given_what_each_layer_needs_when_compiled_then_accepted),
        cmocka_unit_test(given_a_key_that_is_misspelt_or_there_twice_when_read_then_said),
        cmocka_unit_test(given_values_of_another_kind_when_read_then_what_is_expected),
        cmocka_unit_test(given_values_out_of_range_when_compiled_then_they_are_named),
        cmocka_unit_test(given_a_layer_without_what_it_needs_when_compiled_then_it_says_what),
        cmocka_unit_test(given_the_registry_when_compared_with_docs_then_all_listed),
        cmocka_unit_test(given_retired_names_when_compiled_then_their_present_meaning),
    };
    return check_run(tests);
}
