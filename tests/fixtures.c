#include "fixtures.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_VALUES = 200, DIGEST = 5 };

fixtures *fixtures_open(const char *name) {
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", FIXTURES, name);
    fixtures *f = calloc(1, sizeof *f);
    assert_non_null(f);
    f->file = fopen(path, "r");
    if (!f->file) fail_msg("%s cannot be opened", path);
    return f;
}

bool fixtures_next(fixtures *f, bool skip) {
    while (fgets(f->line, sizeof f->line, f->file)) {
        if (sscanf(f->line, "case %99[^\n]", f->name) == 1) return true;
        if (!skip) fail_msg("%s: expected the next case, got \"%.60s\"", f->name, f->line);
    }
    return false;
}

void fixtures_line(fixtures *f, const char *key) {
    const size_t length = strlen(key);
    if (!fgets(f->line, sizeof f->line, f->file) || strncmp(f->line, key, length) != 0 || !isspace(f->line[length]))
        fail_msg("%s: expected a line \"%s\", got \"%.60s\"", f->name, key, f->line);
    f->line[strcspn(f->line, "\n")] = 0;
    memmove(f->line, f->line + length + 1, strlen(f->line + length));
}

static size_t choice_by_name(const tl_setting *setting, const char *name) {
    size_t value = 0;
    while (setting->choice(value) && strcmp(setting->choice(value), name) != 0) value++;
    if (!setting->choice(value)) fail_msg("%s %s is unknown", setting->name, name);
    return value;
}

static void set(const tl_setting *settings, const char *key, const char *value, void *cfg) {
    const tl_setting *setting = settings;
    while (setting->name && strcmp(setting->name, key) != 0) setting++;
    if (!setting->name) fail_msg("setting %s is unknown", key);
    void *member = (char *)cfg + setting->offset;
    if (setting->kind == TL_SETTING_NUMBER)
        *(double *)member = strtod(value, NULL);
    else if (setting->kind == TL_SETTING_CHOICE)
        *(int *)member = (int)choice_by_name(setting, value);
    else if (setting->kind == TL_SETTING_INTEGER)
        *(int *)member = (int)strtol(value, NULL, 10);
    else if (setting->kind == TL_SETTING_SIZE)
        *(size_t *)member = strtoul(value, NULL, 10);
    else
        *(bool *)member = strtol(value, NULL, 10) != 0;
}

void fixtures_settings(fixtures *f, const char *key, const tl_setting *settings, void *cfg) {
    char *rest = NULL;
    fixtures_line(f, key);
    for (char *name = strtok_r(f->line, " ", &rest); name; name = strtok_r(NULL, " ", &rest)) {
        const char *value = strtok_r(NULL, " ", &rest);
        assert_non_null(value);
        set(settings, name, value, cfg);
    }
}

tl_tensor fixtures_input(fixtures *f) {
    tl_error error = {0};
    size_t shape[3];
    fixtures_line(f, "input");
    char *end = f->line;
    for (int i = 0; i < 3; i++) shape[i] = strtoul(end, &end, 10);
    const double scale = strtod(end, &end);
    const size_t limit = strtoul(end, NULL, 10);
    tl_tensor x = tl_tensor_new(3, shape, &error);
    check_ok(&error);
    for (size_t i = 0; i < tl_tensor_count(&x); i++)
        x.data[i] = (tl_real)(limit ? (double)(formula_hash(ARRAY_INPUT, i) % limit) : scale * formula_uniform(ARRAY_INPUT, i));
    return x;
}

bool fixtures_at_step(fixtures *f, unsigned long *step) {
    const long place = ftell(f->file);
    const bool found = fgets(f->line, sizeof f->line, f->file) && strncmp(f->line, "step ", 5) == 0;
    if (found) *step = strtoul(f->line + 5, NULL, 10);
    assert_int_equal(fseek(f->file, place, SEEK_SET), 0);
    return found;
}

/* Reads the name of an array, and how many numbers it has. */
static size_t read_count(fixtures *f, const char *name) {
    fixtures_line(f, name);
    return strtoul(f->line, NULL, 10);
}

static void read_numbers(fixtures *f, const char *name, double *expected, size_t count) {
    char word[40], *end;
    for (size_t i = 0; i < count; i++) {
        if (fscanf(f->file, "%39s", word) != 1) fail_msg("%s: %s has no number %zu", f->name, name, i);
        expected[i] = strtod(word, &end);
        if (*end) fail_msg("%s: %s: \"%s\" is no number", f->name, name, word);
    }
    if (getc(f->file) != '\n') fail_msg("%s: %s has more than %zu numbers", f->name, name, count);
    f->compared += count;
}

void fixtures_array(fixtures *f, const char *name, double *expected, size_t count) {
    const size_t there = read_count(f, name);
    if (there != count) fail_msg("%s: %s has %zu numbers, the file %zu", f->name, name, count, there);
    read_numbers(f, name, expected, count);
}

/* As make.py has it. */
static void digest(const tl_real *values, size_t count, double *out) {
    double squares = 0, sum = 0;
    for (size_t i = 0; i < count; i++) {
        squares += (double)values[i] * (double)values[i];
        sum += (double)values[i];
    }
    const double all[DIGEST] = {sqrt(squares / (double)count), sum / (double)count, (double)values[0], (double)values[count / 2],
                                (double)values[count - 1]};
    memcpy(out, all, sizeof all);
}

void fixtures_compare(fixtures *f, const char *name, const tl_real *values, size_t count) {
    double actual[MAX_VALUES], expected[MAX_VALUES];
    char what[200];
    const size_t numbers = read_count(f, name);
    if ((numbers != count && (numbers != DIGEST || count < DIGEST)) || numbers > MAX_VALUES)
        fail_msg("%s: %s has %zu numbers, the file %zu", f->name, name, count, numbers);
    read_numbers(f, name, expected, numbers);
    for (size_t i = 0; i < numbers && numbers == count; i++) actual[i] = (double)values[i];
    if (numbers != count) digest(values, count, actual);
    for (size_t i = 0; i < numbers; i++) {
        snprintf(what, sizeof what, "%s: %.70s[%zu]", f->name, name, i);
        const double bound = f->within.absolute + f->within.relative * fabs(expected[i]), off = fabs(actual[i] - expected[i]);
        check_number(what, actual[i], expected[i], f->within.relative, f->within.absolute);
        if (off <= f->worst * bound) continue;
        f->worst = off / bound;
        memcpy(f->where, what, sizeof what);
    }
}

void fixtures_close(fixtures *f) {
    print_message("%zu numbers, off by up to %.2g of what is allowed%s%s\n", f->compared, f->worst, f->worst > 0 ? ": " : "",
                  f->where);
    fclose(f->file);
    free(f);
}

/* The finaliser of MurmurHash3 (Appleby). */
uint32_t formula_hash(uint32_t array, size_t element) {
    uint32_t h = (uint32_t)element + array * 0x9E3779B9U;
    h = (h ^ h >> 16) * 0x85EBCA6BU;
    h = (h ^ h >> 13) * 0xC2B2AE35U;
    return h ^ h >> 16;
}

double formula_uniform(uint32_t array, size_t element) {
    return (2 * (double)(formula_hash(array, element) >> 16) - 65535) / 65536;
}
