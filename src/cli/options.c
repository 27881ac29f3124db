#include "cli/options.h"

#include <tapline/dataset.h>

#include <tapline/machine.h>
#include <tapline/model.h>

#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_OPTIONS = 96, MAX_NAME = 40, FIRST_CODE = 256 };

/* Returns the bytes of the control character at the beginning of the text: of ASCII, or U+0080 … U+009F in UTF-8 or in Latin-1; 0
 * if there is none. */
static size_t control_bytes(const char *text) {
    const unsigned char first = (unsigned char)text[0], second = first ? (unsigned char)text[1] : 0;
    if ((first < ' ' && first != '\t') || first == 0x7F || (first >= 0x80 && first < 0xA0)) return 1;
    return first == 0xC2 && second >= 0x80 && second < 0xA0 ? 2 : 0;
}

/* Returns the bytes of the UTF-8 character at the beginning of the text; 1 if there is none. */
static size_t character_bytes(const char *text) {
    const unsigned char first = (unsigned char)text[0];
    const size_t all = first < 0xC2 || first > 0xF4 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
    size_t count = 1;
    while (count < all && ((unsigned char)text[count] & 0xC0) == 0x80) count++;
    return count == all ? all : 1;
}

void print_part(FILE *to, const char *text, size_t length) {
    for (size_t i = 0; i < length;) {
        const size_t control = control_bytes(text + i), count = control ? control : character_bytes(text + i);
        if (control)
            fprintf(to, "\\x%02x", (unsigned char)text[i + control - 1]);
        else
            fwrite(text + i, 1, count, to);
        i += count;
    }
}

void print_shown(FILE *to, const char *text) { print_part(to, text, strlen(text)); }

void complain(const char *name, const char *format, ...) {
    char text[2000];
    va_list values;
    va_start(values, format);
    vsnprintf(text, sizeof text, format, values);
    va_end(values);
    fprintf(stderr, name ? "tapline %s: " : "tapline: ", name);
    print_shown(stderr, text);
    fputc('\n', stderr);
}

int exit_code(const char *name, const tl_error *error) {
    if (!tl_failed(error)) return EXIT_DONE;
    complain(name, "%s", error->text);
    return error->status == TL_ERROR_ARGUMENT ? EXIT_USAGE : EXIT_FAILED;
}

bool has_ending(const char *path, const char *ending) {
    const size_t length = strlen(path), end = strlen(ending);
    return length > end && strcmp(path + length - end, ending) == 0;
}

static const char *running; /* the name of the command that runs */

void complain_of_data(const char *text, void *user) {
    (void)user;
    complain(running, "warning: %s", text);
}

const char *precision_name(size_t index) {
    static const char *const names[] = {"f32", "f64", NULL};
    return names[index];
}

const char *normalization_name(size_t index) {
    static const tl_normalization kinds[] = {TL_NORMALIZE_SERIES, TL_NORMALIZE_SET, TL_NORMALIZE_NONE};
    return index < sizeof kinds / sizeof *kinds ? tl_normalization_name(kinds[index]) : NULL;
}

size_t max_memory(const common_settings *settings) {
    return settings->max_memory ? (size_t)settings->max_memory * 1000000 : tl_memory_limit();
}

const char *missing_name(size_t index) { return tl_missing_policy_name((tl_missing_policy)index); }
const char *engine_name(size_t index) { return tl_engine_name((tl_engine)index); }
const char *header_name(size_t index) { return tl_header_name((tl_header)index); }
const char *window_target_name(size_t index) { return tl_window_target_name((tl_window_target)index); }

static const option_spec common_options[] = {
    {"threads", "N", OPTION_INTEGER, offsetof(common_settings, threads), 1, 1024, NULL, "number of threads (all of the machine)"},
    {"precision", "P", OPTION_CHOICE, offsetof(common_settings, precision), 0, 0, precision_name,
     "precision of all arithmetic (f32, or that of a saved model)"},
    {"json", NULL, OPTION_FLAG, offsetof(common_settings, json), 0, 0, NULL, "print one JSON object on stdout at the end"},
    {"help", NULL, OPTION_FLAG, 0, 0, 0, NULL, "print this help"},
};

enum { COMMON_OPTIONS = sizeof common_options / sizeof *common_options };

const option_spec *common_option(const command *self, size_t index) {
    if (self->alone) index += COMMON_OPTIONS - 1; /* --help is the last one */
    return index < COMMON_OPTIONS ? &common_options[index] : NULL;
}

const option_spec *command_option(const command *self, size_t index) {
    for (const option_spec *own = self->options; own->name; own++)
        if (own->kind != OPTION_GROUP && index-- == 0) return own;
    return common_option(self, index);
}

static const struct {
    char letter;
    const char *name;
} letters[] = {{'h', "help"}, {'o', "out"}, {'q', "quiet"}};

enum { LETTERS = sizeof letters / sizeof *letters };

char option_letter(const char *name) {
    for (size_t i = 0; i < LETTERS; i++)
        if (strcmp(letters[i].name, name) == 0) return letters[i].letter;
    return '\0';
}

/* ---- suggestions ---- */

static size_t minimum(size_t a, size_t b) { return a < b ? a : b; }

static const char *choice_at(const void *context, size_t index) { return (*(const option_choice *)context)(index); }

const char *suggest(const char *text, option_choice choice) { return tl_suggest(text, choice_at, &choice); }

static const char *option_name_at(const void *context, size_t index) {
    const option_spec *option = command_option(context, index);
    return option ? option->name : NULL;
}

enum { LIST = 400 };

/* "adam, sgd and lion" */
static void list_choices(option_choice choice, char *list) {
    size_t used = 0;
    *list = '\0';
    for (size_t i = 0; choice(i) && used < LIST; i++) {
        const char *joint = i == 0 ? "" : choice(i + 1) ? ", " : " and ";
        used += (size_t)snprintf(list + used, LIST - used, "%s%s", joint, choice(i));
    }
}

/* ---- values ---- */

static bool parse_integer(const char *text, int64_t from, int64_t to, int64_t *value) {
    char *end;
    errno = 0;
    const long long parsed = strtoll(text, &end, 10);
    if (end == text || *end || errno || parsed < from || parsed > to) return false;
    *value = parsed;
    return true;
}

static bool parse_number(const char *text, double *value) {
    char *end;
    errno = 0;
    const double parsed = strtod(text, &end);
    if (end == text || *end || errno || !isfinite(parsed)) return false;
    *value = parsed;
    return true;
}

static bool is_choice(const char *text, option_choice choice) {
    for (size_t i = 0; choice(i); i++)
        if (strcmp(choice(i), text) == 0) return true;
    return false;
}

/* A value in messages. */
static const char *shown(const char *text) { return *text ? text : "''"; }

static bool wrong(const command *self, const option_spec *option, const char *text, const char *must) {
    complain(self->name, "--%s %s: must be %s", option->name, shown(text), must);
    return false;
}

static bool wrong_choice(const command *self, const option_spec *option, const char *text) {
    char list[LIST];
    const char *close = suggest(text, option->choice);
    const char *file = option->kind == OPTION_CHOICE_OR_JSON ? ", or a file NAME.json" : "";
    list_choices(option->choice, list);
    if (close)
        complain(self->name, "--%s %s: unknown; did you mean %s? Choices: %s%s", option->name, text, close, list, file);
    else
        complain(self->name, "--%s %s: unknown; choices: %s%s", option->name, shown(text), list, file);
    return false;
}

static bool check_choices(const command *self, const option_spec *option, const char *text) {
    for (const char *part = text;; part++) {
        char name[MAX_NAME + 1];
        const size_t length = strcspn(part, ",");
        snprintf(name, sizeof name, "%.*s", (int)minimum(length, MAX_NAME), part);
        if (!is_choice(name, option->choice)) return wrong_choice(self, option, name);
        part += length;
        if (!*part) return true;
    }
}

static bool set_integer(const command *self, const option_spec *option, const char *text, int64_t *field) {
    if (parse_integer(text, option->minimum, option->maximum, field)) return true;
    char must[120];
    const char *all = option->kind == OPTION_INTEGER_OR_ALL ? ", or all" : "";
    snprintf(must, sizeof must, "a whole number from %lld to %lld%s", (long long)option->minimum, (long long)option->maximum, all);
    return wrong(self, option, text, must);
}

/* Reads a whole number of at least 1 at the beginning of *text, and moves *text after it. */
static bool parse_count(const char **text, size_t *count) {
    char *end;
    errno = 0;
    const long long parsed = isdigit((unsigned char)**text) ? strtoll(*text, &end, 10) : 0;
    if (parsed < 1 || parsed > INT32_MAX || errno) return false;
    *text = end;
    *count = (size_t)parsed;
    return true;
}

static bool set_shape(const command *self, const option_spec *option, const char *text, option_shape *shape) {
    const char *at = text;
    if (parse_count(&at, &shape->length) && *at++ == 'x' && parse_count(&at, &shape->channels) && !*at) return true;
    return wrong(self, option, text, "LENGTHxCHANNELS, such as 150x1, both from 1 to 2147483647");
}

static bool set_value(const command *self, const option_spec *option, const char *text) {
    void *field = (char *)self->settings + option->field;
    double number = 0;
    switch (option->kind) {
    case OPTION_FLAG:
        *(bool *)field = true;
        return true;
    case OPTION_INTEGER_OR_ALL:
        *(int64_t *)field = OPTION_ALL;
        return strcmp(text, "all") == 0 || set_integer(self, option, text, field);
    case OPTION_INTEGER:
        return set_integer(self, option, text, field);
    case OPTION_POSITIVE:
        if (!parse_number(text, &number) || number <= 0) return wrong(self, option, text, "a positive finite number");
        *(double *)field = number;
        return true;
    case OPTION_FRACTION:
        if (!parse_number(text, &number) || number < 0 || number >= 1)
            return wrong(self, option, text, "a number from 0 to 1, 1 excluded");
        *(double *)field = number;
        return true;
    case OPTION_FACTOR:
        if (!parse_number(text, &number) || number <= 0 || number >= 1)
            return wrong(self, option, text, "a number between 0 and 1, both excluded");
        *(double *)field = number;
        return true;
    case OPTION_CHOICE:
        if (!is_choice(text, option->choice)) return wrong_choice(self, option, text);
        break;
    case OPTION_CHOICE_OR_JSON:
        if (!has_ending(text, ".json") && !is_choice(text, option->choice)) return wrong_choice(self, option, text);
        break;
    case OPTION_CHOICES:
        if (!check_choices(self, option, text)) return false;
        break;
    case OPTION_SHAPE:
        return set_shape(self, option, text, field);
    case OPTION_TEXT:
        if (!*text) return wrong(self, option, text, "a name");
        break;
    case OPTION_ANY_TEXT:
        break;
    case OPTION_GROUP:
        return false;
    }
    *(const char **)field = text;
    return true;
}

/* ---- parsing ---- */

static bool unknown_option(const command *self, const char *text) {
    char name[MAX_NAME + 1];
    snprintf(name, sizeof name, "%.*s", (int)minimum(strcspn(text, "="), MAX_NAME), text);
    const char *close = tl_suggest(name + strspn(name, "-"), option_name_at, self);
    if (close)
        complain(self->name, "unknown option %s; did you mean --%s?", name, close);
    else
        complain(self->name, "unknown option %s; `tapline help %s` lists the options", name, self->name);
    return false;
}

static bool add_operand(const command *self, const char *text) {
    common_settings *common = self->settings;
    if (!*text) {
        complain(self->name, "'' is an empty argument");
        return false;
    }
    for (size_t i = 0; i < self->max_operands; i++)
        if (!common->operand[i]) {
            common->operand[i] = text;
            return true;
        }
    if (self->max_operands == 0)
        complain(self->name, "unexpected argument %s", text);
    else
        complain(self->name, "unexpected argument %s after %s", text, common->operand[self->max_operands - 1]);
    return false;
}

static bool has_operands(const command *self) {
    const common_settings *common = self->settings;
    if (self->min_operands == 0 || common->operand[self->min_operands - 1]) return true;
    complain(self->name, "needs %s; see `tapline help %s`", self->operands, self->name);
    return false;
}

/* Returns the option for a code of getopt_long; NULL: not an option of this command. */
static const option_spec *option_of(const command *self, int code) {
    const option_spec *option;
    if (code >= FIRST_CODE) return command_option(self, (size_t)(code - FIRST_CODE));
    for (size_t i = 0; (option = command_option(self, i)); i++)
        if (code && option_letter(option->name) == code) return option;
    return NULL;
}

/* Returns whether `text` is a letter with its argument. "-out x" would be -o with "ut": it is taken as --out. */
static bool is_letters(const command *self, const char *text) {
    const option_spec *option;
    if (text[0] != '-' || text[1] == '-') return false;
    for (size_t i = 0; text[2] && (option = command_option(self, i)); i++)
        if (strcspn(text + 1, "=") == strlen(option->name) && strncmp(text + 1, option->name, strlen(option->name)) == 0)
            return false;
    return true;
}

/* Handles the result of getopt_long for the argument `text`. */
static bool take(const command *self, int code, const char *text) {
    if (code == 1) return add_operand(self, optarg);
    const option_spec *option = option_of(self, code == '?' || code == ':' ? optopt : code);
    const bool letters_alone = is_letters(self, text);
    /* getopt_long accepts unambiguous abbreviations. A script that uses one would change its meaning, or fail, when options are
     * added. */
    if (!option || (!letters_alone && strcspn(text + 2, "=") != strlen(option->name))) return unknown_option(self, text);
    if (code != '?' && code != ':') return set_value(self, option, optarg);
    if (code == ':' && letters_alone)
        complain(self->name, "-%c: needs an argument %s", option_letter(option->name), option->argument);
    else if (code == ':')
        complain(self->name, "--%s: needs an argument %s", option->name, option->argument);
    else
        complain(self->name, "--%s: takes no argument", option->name);
    return false;
}

/* letters_text: "-:" and the letters of the command's options, with a colon after those that need an argument. */
static void getopt_table(const command *self, struct option *table, char letters_text[2 * LETTERS + 3]) {
    const option_spec *option;
    size_t used = (size_t)snprintf(letters_text, 3, "-:");
    for (size_t i = 0; i < MAX_OPTIONS && (option = command_option(self, i)); i++) {
        const bool flag = option->kind == OPTION_FLAG;
        const char letter = option_letter(option->name);
        table[i] =
            (struct option){.name = option->name, .has_arg = flag ? no_argument : required_argument, .val = FIRST_CODE + (int)i};
        if (letter) used += (size_t)snprintf(letters_text + used, 3, flag ? "%c" : "%c:", letter);
    }
}

bool options_parse(const command *self, int argc, char **argv, int *code) {
    struct option table[MAX_OPTIONS + 1] = {{0}};
    char short_options[2 * LETTERS + 3];
    getopt_table(self, table, short_options);
    common_settings *common = self->settings;
    common->command = running = self->name;
    common->arguments = argc - 1;
    common->argument = argv + 1;
    opterr = 0;
    optind = 0;
    *code = EXIT_USAGE;
    for (;;) {
        /* With "-", operands are returned in their order, so that the current argument is the one at optind. */
        const char *text = argv[optind ? optind : 1];
        const int found = getopt_long(argc, argv, short_options, table, NULL);
        if (found == -1) break;
        if (found == 'h' || (found >= FIRST_CODE && strcmp(text, "--help") == 0)) {
            options_help(self);
            *code = EXIT_DONE;
            return false;
        }
        if (!take(self, found, text)) return false;
    }
    for (; optind < argc; optind++)
        if (!add_operand(self, argv[optind])) return false;
    return has_operands(self);
}

/* ---- meaning of options ---- */

tl_normalization options_normalization(const char *name, bool raw, tl_error *error) {
    tl_normalization kind = raw ? TL_NORMALIZE_NONE : TL_NORMALIZE_DEFAULT;
    if (name) tl_normalization_by_name(name, &kind, error);
    if (raw && kind != TL_NORMALIZE_NONE)
        tl_fail(error, TL_ERROR_ARGUMENT, "--raw means --normalize none and contradicts --normalize %s", name);
    return kind;
}

/* ---- help ---- */

enum { HELP_COLUMN = 22, LAST_COLUMN = 79 };

void print_wrapped(FILE *to, int indent, int used, const char *text) {
    if (used > 0 && used >= indent) {
        fputc('\n', to);
        used = 0;
    }
    fprintf(to, "%*s", indent - used, "");
    int column = indent;
    for (text += strspn(text, " \n"); *text; text += strspn(text, " \n")) {
        const int length = (int)strcspn(text, " \n");
        const bool first = column == indent;
        if (!first && column + 1 + length > LAST_COLUMN) {
            fprintf(to, "\n%*s", indent, "");
            column = indent;
        } else if (!first)
            column += fprintf(to, " ");
        column += fprintf(to, "%.*s", length, text);
        text += length;
    }
    fputc('\n', to);
}

static void help_option(const option_spec *option) {
    const char letter = option_letter(option->name);
    int used = letter ? printf("  -%c, --%s", letter, option->name) : printf("  --%s", option->name);
    if (option->argument) used += printf(" %s", option->argument);
    print_wrapped(stdout, HELP_COLUMN, used, option->help);
    if (!option->choice) return;
    char list[LIST + 10] = "choices: ";
    list_choices(option->choice, list + strlen(list));
    print_wrapped(stdout, HELP_COLUMN, 0, list);
}

void options_help(const command *self) {
    printf("usage:   tapline %s [options]%s%s\nexample: %s\n\n", self->name, *self->operands ? " " : "", self->operands,
           self->example);
    print_wrapped(stdout, 0, 0, self->summary);
    if (!self->options->name || self->options->kind != OPTION_GROUP) printf("\n");
    for (const option_spec *option = self->options; option->name; option++)
        if (option->kind == OPTION_GROUP)
            printf("\n%s, as in\n  %s\n", option->name, option->help);
        else
            help_option(option);
    printf("%s", self->options->kind == OPTION_GROUP ? "\nIn all commands:\n" : "");
    for (size_t i = 0; common_option(self, i); i++) help_option(common_option(self, i));
    if (!self->details) return;
    printf("\n");
    print_wrapped(stdout, 0, 0, self->details);
}
