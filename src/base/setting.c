#include "base/setting.h"

#include "base/argument.h"
#include "base/synonym.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* `settings` NULL, and a table without members, mean that there are no settings. */
static const tl_setting *setting_named(const tl_setting *settings, const char *name) {
    for (; settings && settings->name; settings++)
        if (strcmp(settings->name, name) == 0) return settings;
    return NULL;
}

static const char *setting_name_at(const void *context, size_t index) {
    const tl_setting *settings = context;
    return settings ? settings[index].name : NULL;
}

static const char *choice_name_at(const void *context, size_t index) { return ((const tl_setting *)context)->choice(index); }

static const char *const wanted[] = {
    [TL_SETTING_INTEGER] = "a whole number", [TL_SETTING_SIZE] = "a whole number of at least 0",
    [TL_SETTING_NUMBER] = "a number",        [TL_SETTING_FLAG] = "true or false",
    [TL_SETTING_UNLESS] = "true or false",   [TL_SETTING_CHOICE] = "one of",
};

static tl_status wrong(const tl_setting *setting, const json_t *value, tl_error *error) {
    char list[TL_NAME_LIST] = "", *text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
    const char *should = wanted[setting->kind];
    if (setting->kind == TL_SETTING_INTEGER && json_is_integer(value)) should = "from -2147483648 to 2147483647";
    if (setting->kind == TL_SETTING_CHOICE) tl_list_names(setting->choice, "\"", list);
    tl_fail(error, TL_ERROR_FORMAT, "key \"%s\" is %.60s; it should be %s%s%s", setting->name, text ? text : "something else",
            should, *list ? " " : "", list);
    free(text);
    return TL_ERROR_FORMAT;
}

/* "units, bias and init", or "none". */
static void list_settings(const tl_setting *settings, char list[TL_NAME_LIST]) {
    size_t used = 0, count = 0;
    while (setting_name_at(settings, count)) count++;
    snprintf(list, TL_NAME_LIST, "none");
    for (size_t i = 0; i < count && used < TL_NAME_LIST; i++) {
        const char *joint = i == 0 ? "" : i + 1 < count ? ", " : " and ";
        used += (size_t)snprintf(list + used, TL_NAME_LIST - used, "%s%s", joint, settings[i].name);
    }
}

static tl_status unknown(const tl_setting *settings, const char *key, tl_error *error) {
    char list[TL_NAME_LIST];
    const char *close = tl_synonym_key(key, setting_name_at, settings), *advice = tl_synonym_advice(key);
    if (!close && !advice) close = tl_suggest(key, setting_name_at, settings);
    list_settings(settings, list);
    if (close) return tl_fail(error, TL_ERROR_FORMAT, "key \"%.40s\" is unknown; did you mean \"%s\"? Keys: %s", key, close, list);
    if (advice) return tl_fail(error, TL_ERROR_FORMAT, "key \"%.40s\" is unknown: %s; keys: %s", key, advice, list);
    return tl_fail(error, TL_ERROR_FORMAT, "key \"%.40s\" is unknown; keys: %s", key, list);
}

const char *tl_current_name(const char *name) {
    static const char *const renamed[][2] = {{"hand_crafted", "fixed_filters"}, {"quarters", "constant"}};
    for (size_t i = 0; i < sizeof renamed / sizeof *renamed; i++)
        if (strcmp(renamed[i][0], name) == 0) return renamed[i][1];
    return name;
}

static tl_status set_choice(const tl_setting *setting, int *member, const json_t *value, tl_error *error) {
    const char *word = json_string_value(value);
    if (!word) return wrong(setting, value, error);
    word = tl_current_name(word);
    for (int i = 0; setting->choice((size_t)i); i++) {
        if (strcmp(setting->choice((size_t)i), word) != 0) continue;
        *member = i;
        return TL_OK;
    }
    const char *close = tl_suggest(word, choice_name_at, setting);
    if (!close) return wrong(setting, value, error);
    return tl_fail(error, TL_ERROR_FORMAT, "key \"%s\" is \"%.40s\", which is unknown; did you mean \"%s\"?", setting->name, word,
                   close);
}

/* Returns whether the value is a whole number from `minimum` to `maximum`. */
static bool whole(const json_t *value, size_t outputs, json_int_t minimum, json_int_t maximum, json_int_t *number) {
    const char *word = json_string_value(value);
    const bool stands = word && strcmp(word, "outputs") == 0 && outputs > 0;
    if (!json_is_integer(value) && !stands) return false;
    *number = stands ? (json_int_t)outputs : json_integer_value(value);
    return *number >= minimum && *number <= maximum;
}

tl_status tl_setting_set(const tl_setting *settings, void *object, const char *key, const json_t *value, size_t outputs,
                         tl_error *error) {
    const tl_setting *setting = setting_named(settings, key);
    if (!setting) return unknown(settings, key, error);
    void *member = (char *)object + setting->offset;
    json_int_t number;
    switch (setting->kind) {
    case TL_SETTING_INTEGER:
        if (!whole(value, outputs, INT_MIN, INT_MAX, &number)) return wrong(setting, value, error);
        *(int *)member = (int)number;
        break;
    case TL_SETTING_SIZE:
        if (!whole(value, outputs, 0, PTRDIFF_MAX, &number)) return wrong(setting, value, error);
        *(size_t *)member = (size_t)number;
        break;
    case TL_SETTING_NUMBER:
        if (!json_is_number(value)) return wrong(setting, value, error);
        *(double *)member = json_number_value(value);
        break;
    case TL_SETTING_FLAG:
    case TL_SETTING_UNLESS:
        if (!json_is_boolean(value)) return wrong(setting, value, error);
        *(bool *)member = json_is_true(value) == (setting->kind == TL_SETTING_FLAG);
        break;
    case TL_SETTING_CHOICE:
        return set_choice(setting, member, value, error);
    }
    return TL_OK;
}

static json_t *member_value(const tl_setting *setting, const void *member) {
    int choice;
    switch (setting->kind) {
    case TL_SETTING_INTEGER:
        return json_integer(*(const int *)member);
    case TL_SETTING_SIZE:
        return json_integer((json_int_t) * (const size_t *)member);
    case TL_SETTING_NUMBER:
        return json_real(*(const double *)member);
    case TL_SETTING_FLAG:
    case TL_SETTING_UNLESS:
        return json_boolean(*(const bool *)member == (setting->kind == TL_SETTING_FLAG));
    case TL_SETTING_CHOICE:
        memcpy(&choice, member, sizeof choice);
        return json_string(setting->choice((size_t)choice));
    }
    return NULL;
}

static bool is_zero(const tl_setting *setting, const void *member) {
    static const size_t size[] = {
        [TL_SETTING_INTEGER] = sizeof(int), [TL_SETTING_SIZE] = sizeof(size_t), [TL_SETTING_NUMBER] = sizeof(double),
        [TL_SETTING_FLAG] = sizeof(bool),   [TL_SETTING_UNLESS] = sizeof(bool), [TL_SETTING_CHOICE] = sizeof(int)};
    static const char zero[sizeof(double) + sizeof(size_t)];
    return memcmp(member, zero, size[setting->kind]) == 0;
}

bool tl_settings_put(const tl_setting *settings, const void *object, json_t *to) {
    for (const tl_setting *setting = settings; setting && setting->name; setting++) {
        const void *member = (const char *)object + setting->offset;
        if (!is_zero(setting, member) && json_object_set_new(to, setting->name, member_value(setting, member)) != 0) return false;
    }
    return true;
}

static bool is_infinite(const tl_setting *setting, const void *member) {
    return setting->kind == TL_SETTING_NUMBER && !isfinite(*(const double *)member);
}

bool tl_settings_put_all(const tl_setting *settings, const void *object, json_t *to) {
    for (const tl_setting *setting = settings; setting->name; setting++) {
        const void *member = (const char *)object + setting->offset;
        if (!is_infinite(setting, member) && json_object_set_new(to, setting->name, member_value(setting, member)) != 0)
            return false;
    }
    return true;
}
